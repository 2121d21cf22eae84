/*
 * \\.\PsHostFsControl: what a test asks of the file system besides opening, reading and writing.
 *
 * A command is one WriteFile of UTF-16LE text without a terminator, words separated by '|'. The ReadFile that follows on
 * the same handle gives its NTSTATUS as a ULONG, and behind it the result of those that have one. Names are relative to
 * the volume: file.txt, dir\file.txt, file.txt:stream; "volume", "pending" and "common" are taken.
 *
 *   create|NAME        an empty stream, its file too if that is not there; STATUS_OBJECT_NAME_COLLISION if the stream is
 *   mkdir|NAME         a directory, which is opened as NAME::$INDEX_ALLOCATION
 *   link|NAME|NEW      a hard link
 *   rename|NAME|NEW    of a file, or of a directory of which nothing is open; what has NEW as its name must not be there
 *   delete|NAME        the file or the stream: opens find nothing from now on, and the stream lives until its last close. Until then
 *                      nothing new can have its name (STATUS_DELETE_PENDING)
 *   overwrite|NAME     the stream is opened and cut to nothing, as FILE_OVERWRITE has it
 *   supersede|NAME     likewise with FILE_SUPERSEDE
 *   resize|NAME|BYTES  the stream ends there
 *   attributes|NAME|N  FILE_ATTRIBUTE_*
 *   dismount           forced: open handles stay open and answer STATUS_VOLUME_DISMOUNTED; every name goes
 *   mount              an empty volume, with pagefile.sys (no filter contexts), "pending" (reads wait until they are cancelled), "common" (its
 *                      header does not say that it is an advanced one) and "volume" (an open of the volume itself), as after the start
 *   mount|FAULT        likewise, one that is broken in a way of driver/host/fsd/fault.h
 *   fault|N            the N-th allocation of psctx.sys from now on fails once; 0: none
 *   audit              five ULONG64: bytes and allocations of pool that psctx.sys has; on the mounted volume, streams in use and contexts
 *                      linked to them, of whatever filter; references on clients' objects that drivers have not given back
 */
#include "hostfs.h"

#define CONTROL_NAME L"\\Device\\PsHostFsControl"
#define CONTROL_LINK L"\\??\\PsHostFsControl"
#define MAXIMUM_COMMAND 0x7000u /* bytes */
#define MAXIMUM_WORDS 3u

NTSTATUS RtlUnicodeStringToInteger(_In_ PCUNICODE_STRING String, _In_ ULONG Base, _Out_ PULONG Value);

/* The proxy kernel's. */
VOID PsctxTestFailAllocation(_In_ ULONG64 Countdown);
VOID PsctxTestCountPool(_Out_ PULONG64 Bytes, _Out_ PULONG64 Allocations);
VOID PsctxTestCountReferences(_Out_ PULONG64 Count);

typedef struct _AUDIT {
    ULONG64 Bytes;
    ULONG64 Allocations;
    ULONG64 Streams;
    ULONG64 Contexts;
    ULONG64 References;
} AUDIT;

/* The answer to a handle's last command. */
typedef struct _ANSWER {
    ULONG Length; /* of what follows */
    ULONG Status;
    UCHAR Result[sizeof(AUDIT)];
} ANSWER, *PANSWER;

typedef NTSTATUS COMMAND_ROUTINE(_In_ const UNICODE_STRING *Names, _Inout_ PANSWER Answer);

static PDEVICE_OBJECT ControlDevice;

static NTSTATUS Create(PCUNICODE_STRING Name, BOOLEAN Directory)
{
    UNICODE_STRING File = *Name;
    PFILE_OBJECT FileObject;
    NTSTATUS Status;

    Status = HostfsOpen(Name, FILE_CREATE, Directory ? FILE_DIRECTORY_FILE : 0, &FileObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    HostfsClose(FileObject);
    for (File.Length = 0; File.Length < Name->Length; File.Length = (USHORT)(File.Length + sizeof(WCHAR))) {
        if (File.Buffer[File.Length / sizeof(WCHAR)] == L':') {
            break;
        }
    }
    Status = HostfsAddPath(&File, Directory);
    return NT_SUCCESS(Status) ? HostfsAddPath(Name, Directory) : Status;
}

static NTSTATUS CreateCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Answer);
    return Create(&Names[0], FALSE);
}

static NTSTATUS MakeDirectoryCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Answer);
    return Create(&Names[0], TRUE);
}

/* The new name is told relative to the root, which is opened for that. */
static NTSTATUS SetName(const UNICODE_STRING *Names, FILE_INFORMATION_CLASS Class)
{
    ULONG Length = (ULONG)sizeof(FILE_RENAME_INFORMATION) + Names[1].Length;
    PFILE_RENAME_INFORMATION Information = ExAllocatePoolWithTag(PagedPool, Length, HOSTFS_TAG);
    PFILE_OBJECT FileObject;
    PFILE_OBJECT RootObject;
    UNICODE_STRING RootName;
    NTSTATUS Status;

    if (Information == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Information, Length);
    Information->FileNameLength = Names[1].Length - (ULONG)sizeof(WCHAR);
    RtlCopyMemory(Information->FileName, Names[1].Buffer + 1, Information->FileNameLength);
    RtlInitUnicodeString(&RootName, L"\\");
    Status = HostfsOpen(&RootName, FILE_OPEN, 0, &RootObject);
    if (NT_SUCCESS(Status)) {
        Status = HostfsOpen(&Names[0], FILE_OPEN, 0, &FileObject);
        if (NT_SUCCESS(Status)) {
            Status = HostfsSetInformation(FileObject, RootObject, Class, Information, Length);
            HostfsClose(FileObject);
        }
        HostfsClose(RootObject);
    }
    ExFreePoolWithTag(Information, HOSTFS_TAG);
    return NT_SUCCESS(Status) ? HostfsCopyPaths(&Names[0], &Names[1]) : Status;
}

static NTSTATUS LinkCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Answer);
    return SetName(Names, FileLinkInformation);
}

static NTSTATUS RenameCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    NTSTATUS Status = SetName(Names, FileRenameInformation);

    UNREFERENCED_PARAMETER(Answer);
    if (NT_SUCCESS(Status) && !RtlEqualUnicodeString(&Names[0], &Names[1], TRUE)) {
        HostfsRemovePaths(&Names[0]);
    }
    return Status;
}

static NTSTATUS DeleteCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    FILE_DISPOSITION_INFORMATION Disposition = {.DeleteFile = TRUE};
    PFILE_OBJECT FileObject;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Answer);
    Status = HostfsOpen(&Names[0], FILE_OPEN, 0, &FileObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = HostfsSetInformation(FileObject, NULL, FileDispositionInformation, &Disposition, sizeof(Disposition));
    HostfsClose(FileObject);
    if (NT_SUCCESS(Status)) {
        HostfsRemovePaths(&Names[0]);
    }
    return Status;
}

/* Opens the stream with a disposition, and closes it. */
static NTSTATUS OpenOnce(PCUNICODE_STRING Name, ULONG Disposition)
{
    PFILE_OBJECT FileObject;
    NTSTATUS Status = HostfsOpen(Name, Disposition, 0, &FileObject);

    if (NT_SUCCESS(Status)) {
        HostfsClose(FileObject);
    }
    return Status;
}

static NTSTATUS OverwriteCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Answer);
    return OpenOnce(&Names[0], FILE_OVERWRITE);
}

static NTSTATUS SupersedeCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Answer);
    return OpenOnce(&Names[0], FILE_SUPERSEDE);
}

/* Words begin with the backslash that was put ahead of them. */
static NTSTATUS ReadNumber(PCUNICODE_STRING Word, PULONG Number)
{
    const USHORT Length = (USHORT)(Word->Length - sizeof(WCHAR));
    UNICODE_STRING Digits = {Length, Length, Word->Buffer + 1};

    return RtlUnicodeStringToInteger(&Digits, 10, Number);
}

static NTSTATUS SetOnce(PCUNICODE_STRING Name, FILE_INFORMATION_CLASS Class, PVOID Buffer, ULONG Length)
{
    PFILE_OBJECT FileObject;
    NTSTATUS Status = HostfsOpen(Name, FILE_OPEN, 0, &FileObject);

    if (NT_SUCCESS(Status)) {
        Status = HostfsSetInformation(FileObject, NULL, Class, Buffer, Length);
        HostfsClose(FileObject);
    }
    return Status;
}

static NTSTATUS ResizeCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    FILE_END_OF_FILE_INFORMATION Information = {.EndOfFile = {.QuadPart = 0}};
    NTSTATUS Status = ReadNumber(&Names[1], &Information.EndOfFile.LowPart);

    UNREFERENCED_PARAMETER(Answer);
    return NT_SUCCESS(Status) ? SetOnce(&Names[0], FileEndOfFileInformation, &Information, sizeof(Information))
                              : Status;
}

static NTSTATUS AttributesCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    FILE_BASIC_INFORMATION Information = {.FileAttributes = 0};
    NTSTATUS Status = ReadNumber(&Names[1], &Information.FileAttributes);

    UNREFERENCED_PARAMETER(Answer);
    return NT_SUCCESS(Status) ? SetOnce(&Names[0], FileBasicInformation, &Information, sizeof(Information)) : Status;
}

static NTSTATUS MountCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Names);
    UNREFERENCED_PARAMETER(Answer);
    return HostfsMount(0);
}

static NTSTATUS MountFaultyCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    char Name[64];
    ULONG Length = 0;
    ULONG Fault;

    UNREFERENCED_PARAMETER(Answer);
    for (ULONG Index = 1; Index < Names[0].Length / sizeof(WCHAR) && Length + 1 < sizeof(Name); Index++) {
        Name[Length++] = (char)Names[0].Buffer[Index];
    }
    Name[Length] = 0;
    Fault = HostFindFault(Name);
    return Fault == 0 ? STATUS_INVALID_PARAMETER : HostfsMount(Fault);
}

static NTSTATUS DismountCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    UNREFERENCED_PARAMETER(Names);
    UNREFERENCED_PARAMETER(Answer);
    return HostfsDismount();
}

static NTSTATUS FaultCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    ULONG Countdown;
    NTSTATUS Status = ReadNumber(&Names[0], &Countdown);

    UNREFERENCED_PARAMETER(Answer);
    if (NT_SUCCESS(Status)) {
        PsctxTestFailAllocation(Countdown);
    }
    return Status;
}

/* No lock is taken: dispatch is one thread, and this is on it. */
static VOID CountStreams(PVCB Vcb, AUDIT *Audit)
{
    for (ULONG Bucket = 0; Bucket < FSD_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &Vcb->FcbBuckets[Bucket];

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            PFSRTL_ADVANCED_FCB_HEADER Header = &CONTAINING_RECORD(Entry, FCB, TableEntry)->Header;

            Audit->Streams++;
            for (PLIST_ENTRY Context = Header->FilterContexts.Flink; Context != &Header->FilterContexts;
                 Context = Context->Flink) {
                Audit->Contexts++;
            }
        }
    }
}

static NTSTATUS AuditCommand(const UNICODE_STRING *Names, PANSWER Answer)
{
    AUDIT Audit = {0};

    UNREFERENCED_PARAMETER(Names);
    PsctxTestCountPool(&Audit.Bytes, &Audit.Allocations);
    PsctxTestCountReferences(&Audit.References);
    if (HostfsDisk != NULL) {
        CountStreams(HostfsDisk->Device->Vpb->DeviceObject->DeviceExtension, &Audit);
    }
    RtlCopyMemory(Answer->Result, &Audit, sizeof(Audit));
    Answer->Length += (ULONG)sizeof(Audit);
    return STATUS_SUCCESS;
}

static const struct {
    PCWSTR Name;
    ULONG Words;
    COMMAND_ROUTINE *Routine;
} Commands[] = {
    {L"create", 2, CreateCommand},         {L"mkdir", 2, MakeDirectoryCommand}, {L"link", 3, LinkCommand},
    {L"rename", 3, RenameCommand},         {L"delete", 2, DeleteCommand},       {L"mount", 1, MountCommand},
    {L"dismount", 1, DismountCommand},     {L"fault", 2, FaultCommand},         {L"audit", 1, AuditCommand},
    {L"overwrite", 2, OverwriteCommand},   {L"supersede", 2, SupersedeCommand}, {L"resize", 3, ResizeCommand},
    {L"attributes", 3, AttributesCommand}, {L"mount", 2, MountFaultyCommand},
};

/*
 * Cuts the text at the bars, and puts a backslash ahead of each word but the first, where the bar was. The count, or
 * 0 if there are too many.
 */
static ULONG Split(PWCH Text, ULONG Characters, UNICODE_STRING Words[MAXIMUM_WORDS])
{
    ULONG Count = 0;
    ULONG Start = 0;

    for (ULONG Index = 0; Index <= Characters; Index++) {
        if (Index == Characters || Text[Index] == L'|') {
            if (Count == MAXIMUM_WORDS) {
                return 0;
            }
            Words[Count].Buffer = Text + Start;
            Words[Count].Length = Words[Count].MaximumLength = (USHORT)((Index - Start) * sizeof(WCHAR));
            Count++;
            Start = Index;
            if (Index != Characters) {
                Text[Index] = OBJ_NAME_PATH_SEPARATOR;
            }
        }
    }
    return Count;
}

static NTSTATUS RunCommand(PWCH Text, ULONG Characters, PANSWER Answer)
{
    UNICODE_STRING Words[MAXIMUM_WORDS];
    ULONG Count = Split(Text, Characters, Words);

    HostfsReapPaths();
    HostfsReapDisks();
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Commands); Index++) {
        UNICODE_STRING Name;

        RtlInitUnicodeString(&Name, Commands[Index].Name);
        if (Count == Commands[Index].Words && RtlEqualUnicodeString(&Name, &Words[0], FALSE)) {
            return Commands[Index].Routine(&Words[1], Answer);
        }
    }
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS WriteCommand(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PANSWER Answer = Location->FileObject->FsContext;
    ULONG Length = Location->Parameters.Write.Length;

    if (Answer == NULL || Length % sizeof(WCHAR) != 0 || Length > MAXIMUM_COMMAND) {
        return STATUS_INVALID_PARAMETER;
    }
    Answer->Length = (ULONG)sizeof(Answer->Status);
    Answer->Status = (ULONG)RunCommand(Irp->UserBuffer, Length / (ULONG)sizeof(WCHAR), Answer);
    Irp->IoStatus.Information = Length;
    return STATUS_SUCCESS;
}

static NTSTATUS ReadAnswer(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PANSWER Answer = Location->FileObject->FsContext;

    if (Answer == NULL || Answer->Length == 0) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (Location->Parameters.Read.Length < Answer->Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Irp->UserBuffer, &Answer->Status, Answer->Length);
    Irp->IoStatus.Information = Answer->Length;
    return STATUS_SUCCESS;
}

NTSTATUS HostfsCommandDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    if (AnswerDeviceInformation(DeviceObject, Irp, &Status)) {
        return Status;
    }
    Irp->IoStatus.Information = 0;
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        Location->FileObject->FsContext = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(ANSWER), HOSTFS_TAG);
        if (Location->FileObject->FsContext == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            RtlZeroMemory(Location->FileObject->FsContext, sizeof(ANSWER));
        }
        break;
    case IRP_MJ_CLOSE:
        if (Location->FileObject->FsContext != NULL) {
            ExFreePoolWithTag(Location->FileObject->FsContext, HOSTFS_TAG);
            Location->FileObject->FsContext = NULL;
        }
        break;
    case IRP_MJ_WRITE:
        Status = WriteCommand(Irp, Location);
        break;
    case IRP_MJ_READ:
        Status = ReadAnswer(Irp, Location);
        break;
    default:
        Status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS HostfsStartCommands(VOID)
{
    UNICODE_STRING Name;
    UNICODE_STRING LinkName;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, CONTROL_NAME);
    RtlInitUnicodeString(&LinkName, CONTROL_LINK);
    Status = IoCreateDevice(HostfsDriver, 0, &Name, HOSTFS_CONTROL_DEVICE, 0, FALSE, &ControlDevice);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&LinkName, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(ControlDevice);
    }
    return Status;
}

VOID HostfsStopCommands(VOID)
{
    UNICODE_STRING LinkName;

    RtlInitUnicodeString(&LinkName, CONTROL_LINK);
    (VOID) IoDeleteSymbolicLink(&LinkName);
    IoDeleteDevice(ControlDevice);
}
