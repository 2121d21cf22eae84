/* IRP_MJ_SET_INFORMATION: attributes, sizes, the position, and deletion. */
#include "fsd.h"

/*
 * Marks the link or the named stream for deletion, or takes the mark off. STATUS_CANNOT_DELETE for the root, the paging file and
 * what is read-only; STATUS_DIRECTORY_NOT_EMPTY.
 */
static NTSTATUS SetDisposition(PVCB Vcb, PCCB Ccb, BOOLEAN Delete)
{
    NODE_INFORMATION Information;
    NTSTATUS Status;

    if (Ccb->Fcb->StreamName.Length != 0) {
        Ccb->Fcb->DeletePending = Delete;
        return STATUS_SUCCESS;
    }
    if (Delete) {
        if (Ccb->Lcb->Parent == NULL || Ccb->Fcb->Node->Paging) {
            return STATUS_CANNOT_DELETE;
        }
        Status = FsdQueryNode(Vcb, Ccb->Fcb, &Information);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if ((Information.FileAttributes & FILE_ATTRIBUTE_READONLY) != 0) {
            return STATUS_CANNOT_DELETE;
        }
        if (Ccb->Fcb->Node->Directory &&
            !Vcb->Device.FileSystem->Operations->IsEmptyDirectory(Vcb->Store, Ccb->Fcb->Node)) {
            return STATUS_DIRECTORY_NOT_EMPTY;
        }
    }
    Ccb->Lcb->DeletePending = Delete;
    return STATUS_SUCCESS;
}

/* An allocation smaller than the stream cuts it; a larger one changes nothing that can be seen. */
static NTSTATUS SetSize(PVCB Vcb, PFCB Fcb, LONGLONG Size, BOOLEAN Allocation)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (Size < 0 || Fcb->Node->Directory) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!Allocation || Size < Fcb->Header.FileSize.QuadPart) {
        Status = Vcb->Device.FileSystem->Operations->SetSize(Vcb->Store, Fcb->Node, Size);
        FsdUpdateSizes(Vcb, Fcb);
    }
    return Status;
}

static NTSTATUS SetPosition(PFILE_OBJECT FileObject, LARGE_INTEGER Position)
{
    if (Position.QuadPart < 0) {
        return STATUS_INVALID_PARAMETER;
    }
    FileObject->CurrentByteOffset = Position;
    return STATUS_SUCCESS;
}

static ULONG MinimumLength(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileBasicInformation:
        return sizeof(FILE_BASIC_INFORMATION);
    case FileDispositionInformation:
        return sizeof(FILE_DISPOSITION_INFORMATION);
    case FileRenameInformation:
    case FileLinkInformation:
        return (ULONG)FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName);
    case FileEndOfFileInformation:
        return sizeof(FILE_END_OF_FILE_INFORMATION);
    case FileAllocationInformation:
        return sizeof(FILE_ALLOCATION_INFORMATION);
    case FilePositionInformation:
        return sizeof(FILE_POSITION_INFORMATION);
    default:
        return 0;
    }
}

static NTSTATUS Set(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp, PCCB Ccb)
{
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    PFCB Fcb = Ccb->Fcb;

    switch (IrpSp->Parameters.SetFile.FileInformationClass) {
    case FileBasicInformation:
        return Vcb->Device.FileSystem->Operations->SetBasic(Vcb->Store, Fcb->Node, Buffer);
    case FileDispositionInformation:
        return SetDisposition(Vcb, Ccb, ((PFILE_DISPOSITION_INFORMATION)Buffer)->DeleteFile);
    case FileRenameInformation:
    case FileLinkInformation:
        return FsdSetName(Vcb, Irp, IrpSp, Ccb);
    case FileEndOfFileInformation:
        return SetSize(Vcb, Fcb, ((PFILE_END_OF_FILE_INFORMATION)Buffer)->EndOfFile.QuadPart, FALSE);
    case FileAllocationInformation:
        return SetSize(Vcb, Fcb, ((PFILE_ALLOCATION_INFORMATION)Buffer)->AllocationSize.QuadPart, TRUE);
    case FilePositionInformation:
        return SetPosition(IrpSp->FileObject, ((PFILE_POSITION_INFORMATION)Buffer)->CurrentByteOffset);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/* Takes both resources exclusively. STATUS_INVALID_DEVICE_REQUEST for a volume open. */
NTSTATUS FsdSetInformation(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    ULONG Minimum = MinimumLength(IrpSp->Parameters.SetFile.FileInformationClass);
    PCCB Ccb = IrpSp->FileObject->FsContext2;
    NTSTATUS Status;

    if (Minimum == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (IrpSp->Parameters.SetFile.Length < Minimum) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (Ccb->Fcb == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    (VOID) ExAcquireResourceExclusiveLite(&Ccb->Fcb->Resource, TRUE);
    if (Vcb->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if ((IrpSp->FileObject->Flags & FO_CLEANUP_COMPLETE) != 0) {
        Status = STATUS_FILE_CLOSED;
    } else {
        Status = Set(Vcb, Irp, IrpSp, Ccb);
    }
    ExReleaseResourceLite(&Ccb->Fcb->Resource);
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}
