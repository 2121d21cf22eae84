/* IRP_MJ_READ, IRP_MJ_WRITE and IRP_MJ_FLUSH_BUFFERS: the bytes of a stream. */
#include "fsd.h"

/* What an I/O request needs of its open; STATUS_VOLUME_DISMOUNTED, STATUS_FILE_CLOSED, STATUS_INVALID_DEVICE_REQUEST. */
static NTSTATUS CheckStream(PVCB Vcb, PFILE_OBJECT FileObject, PFCB *Fcb)
{
    PCCB Ccb = FileObject->FsContext2;

    if (Vcb->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if ((FileObject->Flags & FO_CLEANUP_COMPLETE) != 0) {
        return STATUS_FILE_CLOSED;
    }
    if (Ccb->Fcb == NULL || Ccb->Fcb->Node->Directory) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    *Fcb = Ccb->Fcb;
    return STATUS_SUCCESS;
}

/* The special offsets of NtReadFile and NtWriteFile. STATUS_INVALID_PARAMETER for any other that is negative. */
static NTSTATUS ResolveOffset(PFILE_OBJECT FileObject, const FCB *Fcb, LARGE_INTEGER ByteOffset, BOOLEAN Write,
                              PLONGLONG Offset)
{
    *Offset = ByteOffset.QuadPart;
    if (ByteOffset.HighPart == -1 && ByteOffset.LowPart == FILE_USE_FILE_POINTER_POSITION) {
        *Offset = FileObject->CurrentByteOffset.QuadPart;
    } else if (Write && ByteOffset.HighPart == -1 && ByteOffset.LowPart == FILE_WRITE_TO_END_OF_FILE) {
        *Offset = Fcb->Header.FileSize.QuadPart;
    }
    return *Offset < 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

static VOID AdvancePosition(PFILE_OBJECT FileObject, LONGLONG Offset, ULONG Transferred)
{
    if ((FileObject->Flags & FO_SYNCHRONOUS_IO) != 0) {
        FileObject->CurrentByteOffset.QuadPart = Offset + Transferred;
    }
}

/* STATUS_END_OF_FILE from the end on. Takes both resources shared. */
NTSTATUS FsdRead(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    PFILE_OBJECT FileObject = IrpSp->FileObject;
    ULONG Length = IrpSp->Parameters.Read.Length;
    ULONG Transferred = 0;
    LONGLONG Offset = 0;
    PFCB Fcb = NULL;
    NTSTATUS Status;

    (VOID) ExAcquireResourceSharedLite(&Vcb->Resource, TRUE);
    Status = CheckStream(Vcb, FileObject, &Fcb);
    if (NT_SUCCESS(Status)) {
        (VOID) ExAcquireResourceSharedLite(&Fcb->Resource, TRUE);
        Status = ResolveOffset(FileObject, Fcb, IrpSp->Parameters.Read.ByteOffset, FALSE, &Offset);
        if (NT_SUCCESS(Status) && FsdIsLocked(Fcb, FileObject, Offset, Length, FALSE)) {
            Status = STATUS_FILE_LOCK_CONFLICT;
        }
        if (NT_SUCCESS(Status) && Length != 0) {
            Status = Vcb->Device.FileSystem->Operations->Read(Vcb->Store, Fcb->Node, Offset, Irp->UserBuffer, Length,
                                                              &Transferred);
            if (NT_SUCCESS(Status) && Transferred == 0) {
                Status = STATUS_END_OF_FILE;
            }
        }
        ExReleaseResourceLite(&Fcb->Resource);
    }
    if (NT_SUCCESS(Status)) {
        AdvancePosition(FileObject, Offset, Transferred);
        Irp->IoStatus.Information = Transferred;
    }
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}

/* Writing behind the end fills the gap with zeros. STATUS_DISK_FULL. Takes the volume's resource shared, the stream's exclusively. */
NTSTATUS FsdWrite(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    PFILE_OBJECT FileObject = IrpSp->FileObject;
    ULONG Length = IrpSp->Parameters.Write.Length;
    LONGLONG Offset = 0;
    PFCB Fcb = NULL;
    NTSTATUS Status;

    (VOID) ExAcquireResourceSharedLite(&Vcb->Resource, TRUE);
    Status = CheckStream(Vcb, FileObject, &Fcb);
    if (NT_SUCCESS(Status)) {
        (VOID) ExAcquireResourceExclusiveLite(&Fcb->Resource, TRUE);
        Status = ResolveOffset(FileObject, Fcb, IrpSp->Parameters.Write.ByteOffset, TRUE, &Offset);
        if (NT_SUCCESS(Status) && Offset > MAXLONGLONG - (LONGLONG)Length) {
            Status = STATUS_INVALID_PARAMETER;
        }
        if (NT_SUCCESS(Status) && FsdIsLocked(Fcb, FileObject, Offset, Length, TRUE)) {
            Status = STATUS_FILE_LOCK_CONFLICT;
        }
        if (NT_SUCCESS(Status) && Length != 0) {
            Status = Vcb->Device.FileSystem->Operations->Write(Vcb->Store, Fcb->Node, Offset, Irp->UserBuffer, Length);
            FsdUpdateSizes(Vcb, Fcb);
        }
        ExReleaseResourceLite(&Fcb->Resource);
    }
    if (NT_SUCCESS(Status)) {
        AdvancePosition(FileObject, Offset, Length);
        FileObject->Flags |= FO_FILE_MODIFIED;
        Irp->IoStatus.Information = Length;
    }
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}

/* A volume or a directory has nothing to write back. */
NTSTATUS FsdFlush(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    PFCB Fcb = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Irp);
    (VOID) ExAcquireResourceSharedLite(&Vcb->Resource, TRUE);
    Status = CheckStream(Vcb, IrpSp->FileObject, &Fcb);
    if (NT_SUCCESS(Status)) {
        (VOID) ExAcquireResourceExclusiveLite(&Fcb->Resource, TRUE);
        Status = Vcb->Device.FileSystem->Operations->Flush(Vcb->Store, Fcb->Node);
        ExReleaseResourceLite(&Fcb->Resource);
    } else if (Status == STATUS_INVALID_DEVICE_REQUEST) {
        Status = STATUS_SUCCESS;
    }
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}
