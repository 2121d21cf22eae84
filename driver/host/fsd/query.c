/* IRP_MJ_QUERY_INFORMATION: what is known of an open stream. */
#include "fsd.h"

#include "../host.h"

/* A record being filled: Used bytes of Length. */
typedef struct _QUERY_REPLY {
    PUCHAR Buffer;
    ULONG Length;
    ULONG Used;
} QUERY_REPLY, *PQUERY_REPLY;

/* The header's end of file is the store's after every write, so that this and the header agree. */
NTSTATUS FsdQueryNode(PVCB Vcb, PFCB Fcb, PNODE_INFORMATION Information)
{
    return Vcb->Device.FileSystem->Operations->Query(Vcb->Store, Fcb->Node, Information);
}

VOID FsdFillBasic(const NODE_INFORMATION *Information, PFILE_BASIC_INFORMATION Basic)
{
    RtlZeroMemory(Basic, sizeof(*Basic));
    Basic->CreationTime = Information->CreationTime;
    Basic->LastAccessTime = Information->LastAccessTime;
    Basic->LastWriteTime = Information->LastWriteTime;
    Basic->ChangeTime = Information->ChangeTime;
    Basic->FileAttributes = Information->FileAttributes;
}

VOID FsdFillStandard(const CCB *Ccb, const NODE_INFORMATION *Information, PFILE_STANDARD_INFORMATION Standard)
{
    BOOLEAN NamedStream = (BOOLEAN)(Ccb->Fcb->StreamName.Length != 0);

    RtlZeroMemory(Standard, sizeof(*Standard));
    Standard->Directory = (BOOLEAN)(Ccb->Fcb->Node->Directory && !NamedStream);
    if (!Standard->Directory) {
        Standard->AllocationSize = Information->AllocationSize;
        Standard->EndOfFile = Information->EndOfFile;
    }
    Standard->DeletePending = NamedStream ? Ccb->Fcb->DeletePending : Ccb->Lcb->DeletePending;
    Standard->NumberOfLinks = Information->NumberOfLinks;
    if (Ccb->Lcb->DeletePending && Standard->NumberOfLinks != 0 && !Ccb->Lcb->Unlinked) {
        Standard->NumberOfLinks--;
    }
}

VOID FsdFillNetworkOpen(const NODE_INFORMATION *Information, PFILE_NETWORK_OPEN_INFORMATION NetworkOpen)
{
    RtlZeroMemory(NetworkOpen, sizeof(*NetworkOpen));
    NetworkOpen->CreationTime = Information->CreationTime;
    NetworkOpen->LastAccessTime = Information->LastAccessTime;
    NetworkOpen->LastWriteTime = Information->LastWriteTime;
    NetworkOpen->ChangeTime = Information->ChangeTime;
    NetworkOpen->AllocationSize = Information->AllocationSize;
    NetworkOpen->EndOfFile = Information->EndOfFile;
    NetworkOpen->FileAttributes = Information->FileAttributes;
}

/* STATUS_BUFFER_OVERFLOW with what fits of the name and its whole length, as for every name. */
static NTSTATUS FillName(const CCB *Ccb, PFILE_NAME_INFORMATION Name, ULONG Length, PULONG Used)
{
    ULONG FullLength = FsdFullNameLength(Ccb->Lcb, Ccb->Fcb);
    ULONG Room = Length - (ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);
    ULONG Copied = min(Room & ~1u, FullLength);

    Name->FileNameLength = FullLength;
    FsdCopyFullName(Ccb->Lcb, Ccb->Fcb, Name->FileName, Copied, FullLength);
    *Used = (ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) + Copied;
    return Copied < FullLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* Adds one stream, its name in the form :name:$DATA. STATUS_BUFFER_OVERFLOW when it does not fit; then nothing is added. */
static NTSTATUS AddStream(PQUERY_REPLY Reply, PFILE_STREAM_INFORMATION *Previous, PCUNICODE_STRING Name, LONGLONG Size,
                          LONGLONG AllocationSize)
{
    static const WCHAR Suffix[] = {L':', L'$', L'D', L'A', L'T', L'A'};
    ULONG Offset = (ULONG)ALIGN_UP_BY(Reply->Used, sizeof(LONGLONG));
    ULONG NameLength = (ULONG)(sizeof(WCHAR) + Name->Length + sizeof(Suffix));
    ULONG Bytes = (ULONG)FIELD_OFFSET(FILE_STREAM_INFORMATION, StreamName) + NameLength;
    PFILE_STREAM_INFORMATION Entry;

    if (Offset > Reply->Length || Bytes > Reply->Length - Offset) {
        return STATUS_BUFFER_OVERFLOW;
    }
    Entry = (PFILE_STREAM_INFORMATION)(PVOID)(Reply->Buffer + Offset);
    Entry->NextEntryOffset = 0;
    Entry->StreamNameLength = NameLength;
    Entry->StreamSize.QuadPart = Size;
    Entry->StreamAllocationSize.QuadPart = AllocationSize;
    Entry->StreamName[0] = L':';
    if (Name->Length != 0) {
        RtlCopyMemory(&Entry->StreamName[1], Name->Buffer, Name->Length);
    }
    RtlCopyMemory((PUCHAR)&Entry->StreamName[1] + Name->Length, Suffix, sizeof(Suffix));
    if (*Previous != NULL) {
        (*Previous)->NextEntryOffset = PtrOffset(*Previous, Entry);
    }
    *Previous = Entry;
    Reply->Used = Offset + Bytes;
    return STATUS_SUCCESS;
}

/* The unnamed stream of a file, then the named ones. */
static NTSTATUS FillStreams(PVCB Vcb, const CCB *Ccb, PQUERY_REPLY Reply)
{
    const NODE_OPERATIONS *Operations = Vcb->Device.FileSystem->Operations;
    const UNICODE_STRING NoName = {0, 0, NULL};
    WCHAR NameBuffer[NODE_MAXIMUM_NAME];
    UNICODE_STRING Name = {0, sizeof(NameBuffer), NameBuffer};
    PNODE File = Ccb->Lcb->Node;
    NODE_PLACE Place = FsdPlaceOf(Ccb->Lcb);
    PFILE_STREAM_INFORMATION Previous = NULL;
    NODE_INFORMATION Information;
    NTSTATUS Status = STATUS_SUCCESS;
    LONGLONG Size;
    ULONG Index;

    if (!File->Directory) {
        Status = Operations->Query(Vcb->Store, File, &Information);
        if (NT_SUCCESS(Status)) {
            Status = AddStream(Reply, &Previous, &NoName, Information.EndOfFile.QuadPart,
                               Information.AllocationSize.QuadPart);
        }
    }
    for (Index = 0; NT_SUCCESS(Status); Index++) {
        Status = Operations->NextStream(Vcb->Store, &Place, File, Index, &Name, &Size);
        if (NT_SUCCESS(Status)) {
            Status = AddStream(Reply, &Previous, &Name, Size, Size);
        }
    }
    return Status == STATUS_NO_MORE_ENTRIES ? STATUS_SUCCESS : Status;
}

static ULONG MinimumLength(FILE_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileBasicInformation:
        return sizeof(FILE_BASIC_INFORMATION);
    case FileStandardInformation:
        return sizeof(FILE_STANDARD_INFORMATION);
    case FileInternalInformation:
        return sizeof(FILE_INTERNAL_INFORMATION);
    case FileEaInformation:
        return sizeof(FILE_EA_INFORMATION);
    case FileNameInformation:
    case FileNormalizedNameInformation:
        return (ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);
    case FilePositionInformation:
        return sizeof(FILE_POSITION_INFORMATION);
    case FileNetworkOpenInformation:
        return sizeof(FILE_NETWORK_OPEN_INFORMATION);
    case FileStreamInformation:
        return (ULONG)FIELD_OFFSET(FILE_STREAM_INFORMATION, StreamName);
    default:
        return 0;
    }
}

/* The classes that the store's record of the stream answers. */
static NTSTATUS FillFromNode(PVCB Vcb, const CCB *Ccb, FILE_INFORMATION_CLASS Class, PQUERY_REPLY Reply)
{
    NODE_INFORMATION Information;
    NTSTATUS Status = FsdQueryNode(Vcb, Ccb->Fcb, &Information);

    if (NT_SUCCESS(Status)) {
        Reply->Used = MinimumLength(Class);
        if (Class == FileBasicInformation) {
            FsdFillBasic(&Information, (PFILE_BASIC_INFORMATION)(PVOID)Reply->Buffer);
        } else if (Class == FileStandardInformation) {
            FsdFillStandard(Ccb, &Information, (PFILE_STANDARD_INFORMATION)(PVOID)Reply->Buffer);
        } else {
            FsdFillNetworkOpen(&Information, (PFILE_NETWORK_OPEN_INFORMATION)(PVOID)Reply->Buffer);
        }
    }
    return Status;
}

static NTSTATUS Fill(PVCB Vcb, PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class, PQUERY_REPLY Reply)
{
    const CCB *Ccb = FileObject->FsContext2;

    switch (Class) {
    case FileBasicInformation:
    case FileStandardInformation:
    case FileNetworkOpenInformation:
        return FillFromNode(Vcb, Ccb, Class, Reply);
    case FileInternalInformation:
        Reply->Used = sizeof(FILE_INTERNAL_INFORMATION);
        ((PFILE_INTERNAL_INFORMATION)(PVOID)Reply->Buffer)->IndexNumber.QuadPart = (LONGLONG)Ccb->Fcb->Node->FileId;
        return STATUS_SUCCESS;
    case FileEaInformation:
        Reply->Used = sizeof(FILE_EA_INFORMATION);
        ((PFILE_EA_INFORMATION)(PVOID)Reply->Buffer)->EaSize = 0;
        return STATUS_SUCCESS;
    case FilePositionInformation:
        Reply->Used = sizeof(FILE_POSITION_INFORMATION);
        ((PFILE_POSITION_INFORMATION)(PVOID)Reply->Buffer)->CurrentByteOffset = FileObject->CurrentByteOffset;
        return STATUS_SUCCESS;
    case FileNameInformation:
    case FileNormalizedNameInformation:
        return FillName(Ccb, (PFILE_NAME_INFORMATION)(PVOID)Reply->Buffer, Reply->Length, &Reply->Used);
    case FileStreamInformation:
        return FillStreams(Vcb, Ccb, Reply);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

/*
 * STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH, STATUS_BUFFER_OVERFLOW with a part of a name or of the list of streams,
 * STATUS_INVALID_DEVICE_REQUEST for a volume open. Takes both resources. A name can be asked for on a dismounted volume too.
 */
NTSTATUS FsdQueryInformation(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    FILE_INFORMATION_CLASS Class = IrpSp->Parameters.QueryFile.FileInformationClass;
    PCCB Ccb = IrpSp->FileObject->FsContext2;
    QUERY_REPLY Reply = {Irp->AssociatedIrp.SystemBuffer, IrpSp->Parameters.QueryFile.Length, 0};
    NTSTATUS Status;

    if (MinimumLength(Class) == 0 ||
        (Class == FileNormalizedNameInformation && (HostQuirks & HOST_QUIRK_NO_NORMALIZED_NAMES) != 0)) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Reply.Length < MinimumLength(Class)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (Ccb->Fcb == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    (VOID) ExAcquireResourceSharedLite(&Ccb->Fcb->Resource, TRUE);
    if (Vcb->Dismounted && Class != FileNameInformation && Class != FileNormalizedNameInformation) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else {
        Status = Fill(Vcb, IrpSp->FileObject, Class, &Reply);
    }
    ExReleaseResourceLite(&Ccb->Fcb->Resource);
    ExReleaseResourceLite(&Vcb->Resource);
    Irp->IoStatus.Information = NT_ERROR(Status) ? 0 : Reply.Used;
    return Status;
}
