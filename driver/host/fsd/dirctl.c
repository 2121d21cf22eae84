/* IRP_MJ_DIRECTORY_CONTROL: listing a directory. */
#include "fsd.h"

/* Where the name stands in a record of the class; zero for a class that is not listed. */
static ULONG NameOffset(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileNamesInformation:
        return (ULONG)FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName);
    case FileDirectoryInformation:
        return (ULONG)FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileName);
    case FileBothDirectoryInformation:
        return (ULONG)FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileName);
    default:
        return 0;
    }
}

/* FILE_BOTH_DIR_INFORMATION begins like FILE_DIRECTORY_INFORMATION up to the name's length. */
static VOID FillEntry(PUCHAR Buffer, FILE_INFORMATION_CLASS Class, PCUNICODE_STRING Name,
                      const NODE_INFORMATION *Information)
{
    PFILE_NAMES_INFORMATION Names = (PFILE_NAMES_INFORMATION)(PVOID)Buffer;
    PFILE_DIRECTORY_INFORMATION Entry = (PFILE_DIRECTORY_INFORMATION)(PVOID)Buffer;

    RtlZeroMemory(Buffer, NameOffset(Class));
    if (Class == FileNamesInformation) {
        Names->FileNameLength = Name->Length;
    } else {
        Entry->CreationTime = Information->CreationTime;
        Entry->LastAccessTime = Information->LastAccessTime;
        Entry->LastWriteTime = Information->LastWriteTime;
        Entry->ChangeTime = Information->ChangeTime;
        Entry->EndOfFile = Information->EndOfFile;
        Entry->AllocationSize = Information->AllocationSize;
        Entry->FileAttributes = Information->FileAttributes;
        Entry->FileNameLength = Name->Length;
    }
    RtlCopyMemory(Buffer + NameOffset(Class), Name->Buffer, Name->Length);
}

/* The pattern of the first query stays for the whole scan. STATUS_INSUFFICIENT_RESOURCES. */
static NTSTATUS StartScan(PVCB Vcb, PIO_STACK_LOCATION IrpSp, PCCB Ccb)
{
    PUNICODE_STRING Pattern = IrpSp->Parameters.QueryDirectory.FileName;
    ULONG Index;

    if ((IrpSp->Flags & SL_RESTART_SCAN) != 0) {
        Ccb->ScanIndex = 0;
    }
    if (!Ccb->ScanStarted && Pattern != NULL && Pattern->Length != 0) {
        PWCH Buffer = ExAllocatePoolWithTag(PagedPool, Pattern->Length, Vcb->Device.FileSystem->Tag);

        if (Buffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        for (Index = 0; Index < Pattern->Length / sizeof(WCHAR); Index++) {
            Buffer[Index] = RtlUpcaseUnicodeChar(Pattern->Buffer[Index]);
        }
        Ccb->ScanPattern.Buffer = Buffer;
        Ccb->ScanPattern.Length = Pattern->Length;
        Ccb->ScanPattern.MaximumLength = Pattern->Length;
    }
    return STATUS_SUCCESS;
}

/* The next entry that the pattern takes. STATUS_NO_MORE_FILES. */
static NTSTATUS NextMatch(PVCB Vcb, PCCB Ccb, PULONG64 Index, PUNICODE_STRING Name, PNODE_INFORMATION Information)
{
    NTSTATUS Status;

    do {
        Status = Vcb->Device.FileSystem->Operations->NextEntry(Vcb->Store, Ccb->Fcb->Node, Index, Name, Information);
    } while (NT_SUCCESS(Status) && Ccb->ScanPattern.Length != 0 &&
             !FsRtlIsNameInExpression(&Ccb->ScanPattern, Name, TRUE, NULL));
    return Status;
}

/* As many entries as fit, or one. STATUS_BUFFER_OVERFLOW when not even the first does. */
static NTSTATUS FillEntries(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp, PCCB Ccb, PULONG Used)
{
    WCHAR NameBuffer[NODE_MAXIMUM_NAME];
    UNICODE_STRING Name = {0, sizeof(NameBuffer), NameBuffer};
    FILE_INFORMATION_CLASS Class = IrpSp->Parameters.QueryDirectory.FileInformationClass;
    ULONG Length = IrpSp->Parameters.QueryDirectory.Length;
    PUCHAR Buffer = Irp->UserBuffer;
    PULONG PreviousNext = NULL;
    ULONG PreviousOffset = 0;
    NODE_INFORMATION Information;
    NTSTATUS Status;

    *Used = 0;
    do {
        ULONG64 Index = Ccb->ScanIndex;
        ULONG Offset = (ULONG)ALIGN_UP_BY(*Used, sizeof(LONGLONG));

        Status = NextMatch(Vcb, Ccb, &Index, &Name, &Information);
        if (NT_SUCCESS(Status)) {
            ULONG Bytes = NameOffset(Class) + Name.Length;

            if (Offset > Length || Bytes > Length - Offset) {
                Status = STATUS_BUFFER_OVERFLOW;
            } else {
                FillEntry(Buffer + Offset, Class, &Name, &Information);
                if (PreviousNext != NULL) {
                    *PreviousNext = Offset - PreviousOffset;
                }
                PreviousNext = (PULONG)(PVOID)(Buffer + Offset);
                PreviousOffset = Offset;
                *Used = Offset + Bytes;
                Ccb->ScanIndex = Index;
            }
        }
    } while (NT_SUCCESS(Status) && (IrpSp->Flags & SL_RETURN_SINGLE_ENTRY) == 0);
    if (*Used != 0) {
        Status = STATUS_SUCCESS;
    } else if (Status == STATUS_NO_MORE_FILES && !Ccb->ScanStarted) {
        Status = STATUS_NO_SUCH_FILE;
    }
    Ccb->ScanStarted = TRUE;
    return Status;
}

/* STATUS_NO_SUCH_FILE when the first query finds nothing, STATUS_NO_MORE_FILES later. Takes VCB.Resource. */
NTSTATUS FsdDirectoryControl(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    FILE_INFORMATION_CLASS Class = IrpSp->Parameters.QueryDirectory.FileInformationClass;
    PCCB Ccb = IrpSp->FileObject->FsContext2;
    NTSTATUS Status;
    ULONG Used = 0;

    if (IrpSp->MinorFunction != IRP_MN_QUERY_DIRECTORY) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Ccb->Fcb == NULL || !Ccb->Fcb->Node->Directory) {
        return STATUS_INVALID_PARAMETER;
    }
    if (NameOffset(Class) == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (IrpSp->Parameters.QueryDirectory.Length < NameOffset(Class)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    Status = Vcb->Dismounted ? STATUS_VOLUME_DISMOUNTED : StartScan(Vcb, IrpSp, Ccb);
    if (NT_SUCCESS(Status)) {
        Status = FillEntries(Vcb, Irp, IrpSp, Ccb, &Used);
    }
    ExReleaseResourceLite(&Vcb->Resource);
    Irp->IoStatus.Information = Used;
    return Status;
}
