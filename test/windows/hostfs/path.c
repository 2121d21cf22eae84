/* The streams that Wine can open: a device for each, and links to it under every spelling of the stream's name. */
#include "hostfs.h"

#define HOSTFS_DIRECTORY_ACCESS 0x000F000Fu /* DIRECTORY_ALL_ACCESS */
#define HOSTFS_MAXIMUM_NAME 0x7000u         /* bytes */
#define HOSTFS_NAME_SPARE 64u               /* characters of the longest prefix and the longest suffix */

NTSTATUS ZwCreateDirectoryObject(_Out_ PHANDLE DirectoryHandle, _In_ ACCESS_MASK DesiredAccess,
                                 _In_ POBJECT_ATTRIBUTES ObjectAttributes);

static LIST_ENTRY Paths = {&Paths, &Paths};
static LIST_ENTRY Retired = {&Retired, &Retired};
static HANDLE Root;
static ULONG DeviceNumber;

static NTSTATUS MakeObjectDirectory(PUNICODE_STRING Name, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateDirectoryObject(Handle, HOSTFS_DIRECTORY_ACCESS, &Attributes);
}

NTSTATUS HostfsStartPaths(VOID)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, HOSTFS_DIRECTORY);
    return MakeObjectDirectory(&Name, &Root);
}

static PHOSTFS_PATH FindPath(PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = Paths.Flink; Entry != &Paths; Entry = Entry->Flink) {
        PHOSTFS_PATH Path = CONTAINING_RECORD(Entry, HOSTFS_PATH, Links);

        if (RtlEqualUnicodeString(&Path->Name, Name, TRUE)) {
            return Path;
        }
    }
    return NULL;
}

/* Whether Path is Name, one of its streams, or below it. */
static BOOLEAN BelongsTo(const HOSTFS_PATH *Path, PCUNICODE_STRING Name)
{
    UNICODE_STRING Start = Path->Name;

    if (Path->Name.Length < Name->Length) {
        return FALSE;
    }
    Start.Length = Name->Length;
    if (!RtlEqualUnicodeString(&Start, Name, TRUE)) {
        return FALSE;
    }
    return (BOOLEAN)(Path->Name.Length == Name->Length || Path->Name.Buffer[Name->Length / sizeof(WCHAR)] == L':' ||
                     Path->Name.Buffer[Name->Length / sizeof(WCHAR)] == OBJ_NAME_PATH_SEPARATOR);
}

static BOOLEAN HasStream(PCUNICODE_STRING Name)
{
    for (USHORT Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        if (Name->Buffer[Index] == L':') {
            return TRUE;
        }
    }
    return FALSE;
}

/* "\??\PsHostFs" Name Suffix. NULL when memory is short; freed with ExFreePoolWithTag. */
static PWCH MakeLinkName(const HOSTFS_PATH *Path, PCWSTR Suffix, PUNICODE_STRING LinkName)
{
    SIZE_T Bytes = Path->Name.Length + HOSTFS_NAME_SPARE * sizeof(WCHAR);
    PWCH Text = ExAllocatePoolWithTag(PagedPool, Bytes, HOSTFS_TAG);

    if (Text != NULL) {
        LinkName->Buffer = Text;
        LinkName->Length = 0;
        LinkName->MaximumLength = (USHORT)Bytes;
        (VOID) RtlAppendUnicodeToString(LinkName, HOSTFS_DIRECTORY);
        if (Path->Name.Length == 0) {
            (VOID) RtlAppendUnicodeToString(LinkName, L"\\volume");
        } else {
            (VOID) RtlAppendUnicodeStringToString(LinkName, &Path->Name);
        }
        (VOID) RtlAppendUnicodeToString(LinkName, Suffix);
    }
    return Text;
}

/* The spellings: what is put behind the name. */
static ULONG GetSuffixes(const HOSTFS_PATH *Path, PCWSTR Suffixes[2])
{
    if (Path->Directory) {
        Suffixes[0] = L"::$INDEX_ALLOCATION"; /* the plain name is the object directory's */
        return 1;
    }
    Suffixes[0] = L"";
    if (Path->Name.Length == 0) {
        return 1;
    }
    Suffixes[1] = HasStream(&Path->Name) ? L":$DATA" : L"::$DATA";
    return 2;
}

static VOID DeleteLinks(PHOSTFS_PATH Path)
{
    PCWSTR Suffixes[2];
    ULONG Count = GetSuffixes(Path, Suffixes);
    UNICODE_STRING LinkName;

    for (ULONG Index = 0; Index < Count; Index++) {
        PWCH Text = MakeLinkName(Path, Suffixes[Index], &LinkName);

        if (Text != NULL) {
            (VOID) IoDeleteSymbolicLink(&LinkName);
            ExFreePoolWithTag(Text, HOSTFS_TAG);
        }
    }
    if (Path->ObjectDirectory != NULL) {
        (VOID) ZwClose(Path->ObjectDirectory);
        Path->ObjectDirectory = NULL;
    }
}

static NTSTATUS MakeLinks(PHOSTFS_PATH Path)
{
    PCWSTR Suffixes[2];
    ULONG Count = GetSuffixes(Path, Suffixes);
    NTSTATUS Status = STATUS_SUCCESS;
    UNICODE_STRING LinkName;
    PWCH Text;

    for (ULONG Index = 0; Index < Count && NT_SUCCESS(Status); Index++) {
        Text = MakeLinkName(Path, Suffixes[Index], &LinkName);
        if (Text == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Status = IoCreateSymbolicLink(&LinkName, &Path->DeviceName);
        ExFreePoolWithTag(Text, HOSTFS_TAG);
    }
    if (NT_SUCCESS(Status) && Path->Directory) {
        Text = MakeLinkName(Path, L"", &LinkName);
        if (Text == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Status = MakeObjectDirectory(&LinkName, &Path->ObjectDirectory);
        ExFreePoolWithTag(Text, HOSTFS_TAG);
    }
    return Status;
}

/* Makes a stream's device and its links. One that is there already stays. STATUS_NAME_TOO_LONG. */
NTSTATUS HostfsAddPath(PCUNICODE_STRING Name, BOOLEAN Directory)
{
    static const WCHAR Prefix[] = L"\\Device\\PsHostFsPath";
    const ULONG DeviceNameOffset = (ULONG)FIELD_OFFSET(HOSTFS_PATH, Text) + Name->Length;
    const USHORT DeviceNameBytes = (USHORT)(sizeof(Prefix) + 12 * sizeof(WCHAR));
    WCHAR Text[RTL_NUMBER_OF(Prefix) + 12];
    UNICODE_STRING DeviceName = {0, sizeof(Text), Text};
    UNICODE_STRING Number;
    PDEVICE_OBJECT Device;
    PHOSTFS_PATH Path;
    NTSTATUS Status;

    if (Name->Length > HOSTFS_MAXIMUM_NAME) {
        return STATUS_NAME_TOO_LONG;
    }
    if (FindPath(Name) != NULL) {
        return STATUS_SUCCESS;
    }
    (VOID) RtlAppendUnicodeToString(&DeviceName, Prefix);
    Number.Buffer = Text + DeviceName.Length / sizeof(WCHAR);
    Number.Length = 0;
    Number.MaximumLength = (USHORT)(DeviceName.MaximumLength - DeviceName.Length);
    DeviceNumber++;
    (VOID) RtlIntegerToUnicodeString(DeviceNumber, 10, &Number);
    DeviceName.Length = (USHORT)(DeviceName.Length + Number.Length);
    Status = IoCreateDevice(HostfsDriver, DeviceNameOffset + DeviceNameBytes, &DeviceName, HOSTFS_PATH_DEVICE, 0, FALSE,
                            &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Device->StackSize = HostfsDisk->Device->StackSize;
    Path = Device->DeviceExtension;
    RtlZeroMemory(Path, sizeof(*Path));
    Path->Device = Device;
    Path->Disk = HostfsDisk;
    Path->Directory = Directory;
    Path->Name.Buffer = Path->Text;
    Path->Name.Length = Path->Name.MaximumLength = Name->Length;
    RtlCopyMemory(Path->Text, Name->Buffer, Name->Length);
    Path->DeviceName.Buffer = (PWCH)(PVOID)((PUCHAR)Path + DeviceNameOffset);
    Path->DeviceName.Length = Path->DeviceName.MaximumLength = DeviceName.Length;
    RtlCopyMemory(Path->DeviceName.Buffer, Text, DeviceName.Length);
    InsertTailList(&Paths, &Path->Links);
    Status = MakeLinks(Path);
    if (!NT_SUCCESS(Status)) {
        HostfsRemovePaths(Name);
    }
    return Status;
}

static VOID Retire(PHOSTFS_PATH Path)
{
    DeleteLinks(Path);
    (VOID) RemoveEntryList(&Path->Links);
    InsertTailList(&Retired, &Path->Links);
}

/*
 * The names go at once; the device stays while it is open. From the youngest on: what is in a directory goes before
 * it.
 */
VOID HostfsRemovePaths(PCUNICODE_STRING Name)
{
    PLIST_ENTRY Entry = Paths.Blink;

    while (Entry != &Paths) {
        PHOSTFS_PATH Path = CONTAINING_RECORD(Entry, HOSTFS_PATH, Links);

        Entry = Entry->Blink;
        if (BelongsTo(Path, Name)) {
            Retire(Path);
        }
    }
}

VOID HostfsRemoveAllPaths(VOID)
{
    while (!IsListEmpty(&Paths)) {
        Retire(CONTAINING_RECORD(Paths.Blink, HOSTFS_PATH, Links));
    }
}

NTSTATUS HostfsCopyPaths(PCUNICODE_STRING From, PCUNICODE_STRING To)
{
    PLIST_ENTRY Last = Paths.Blink;
    PLIST_ENTRY Entry = &Paths;
    NTSTATUS Status = STATUS_SUCCESS;

    while (Entry != Last && NT_SUCCESS(Status)) {
        PHOSTFS_PATH Path;

        Entry = Entry->Flink;
        Path = CONTAINING_RECORD(Entry, HOSTFS_PATH, Links);
        if (BelongsTo(Path, From)) {
            UNICODE_STRING Rest = {(USHORT)(Path->Name.Length - From->Length),
                                   (USHORT)(Path->Name.Length - From->Length),
                                   Path->Name.Buffer + From->Length / sizeof(WCHAR)};
            USHORT Bytes = (USHORT)(To->Length + Rest.Length);
            UNICODE_STRING Name = {0, Bytes, ExAllocatePoolWithTag(PagedPool, Bytes, HOSTFS_TAG)};

            if (Name.Buffer == NULL) {
                return STATUS_INSUFFICIENT_RESOURCES;
            }
            /* Both are shorter than HOSTFS_MAXIMUM_NAME, so that the sum is one that AddPath can refuse. */
            (VOID) RtlAppendUnicodeStringToString(&Name, To);
            (VOID) RtlAppendUnicodeStringToString(&Name, &Rest);
            Status = HostfsAddPath(&Name, Path->Directory);
            ExFreePoolWithTag(Name.Buffer, HOSTFS_TAG);
        }
    }
    return Status;
}

/* Deletes the devices that have neither name nor open. Not while one of them is dispatching. */
VOID HostfsReapPaths(VOID)
{
    PLIST_ENTRY Entry = Retired.Flink;

    while (Entry != &Retired) {
        PHOSTFS_PATH Path = CONTAINING_RECORD(Entry, HOSTFS_PATH, Links);

        Entry = Entry->Flink;
        if (Path->Opens == 0) {
            (VOID) RemoveEntryList(&Path->Links);
            IoDeleteDevice(Path->Device);
        }
    }
}

VOID HostfsStopPaths(VOID)
{
    HostfsRemoveAllPaths();
    HostfsReapPaths();
    (VOID) ZwClose(Root);
}
