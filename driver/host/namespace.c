/* The object namespace: directories, symbolic links, names of devices and drivers. \?? is \DosDevices. */
#include "kernel.h"

#define HOST_MAXIMUM_REPARSE 32
#define HOST_NAME_TAG 'mNbO'

static VOID HostDeleteLink(PVOID Object)
{
    PlatformFree(((PHOST_SYMBOLIC_LINK)Object)->Target.Buffer);
}

OBJECT_TYPE HostDirectoryType = {"Directory", FALSE, FALSE, FALSE, 0, {0x20003, 0x2000c, 0x20003, 0xf000f}, NULL, NULL};
OBJECT_TYPE HostSymbolicLinkType = {"SymbolicLink", TRUE, FALSE, FALSE, 0, {0x20001, 0x20000, 0x20001, 0xf0001}, NULL,
                                    HostDeleteLink};

static HOST_MUTEX HostNamesMutex = HOST_MUTEX_INITIALIZER;
static PHOST_DIRECTORY HostRoot;

static BOOLEAN HostSameName(PCUNICODE_STRING First, PCWCH Name, USHORT Length)
{
    UNICODE_STRING Second = {Length, Length, (PWCH)(ULONG_PTR)Name};

    return (BOOLEAN)(HostCompareStrings(First, &Second, TRUE) == 0);
}

/* Mutex held. */
static PHOST_OBJECT HostFindChild(PHOST_DIRECTORY Directory, PCWCH Name, USHORT Length)
{
    for (PLIST_ENTRY Entry = Directory->Children.Flink; Entry != &Directory->Children; Entry = Entry->Flink) {
        PHOST_OBJECT Child = CONTAINING_RECORD(Entry, HOST_OBJECT, Siblings);

        if (HostSameName(&Child->Name, Name, Length)) {
            return Child;
        }
    }
    return NULL;
}

/*
 * Walks as far as the name leads through directories. Found is the object it ends at, which is no directory unless the name
 * is used up; Used is how many characters lead there. Mutex held.
 */
static NTSTATUS HostWalk(PCWCH Name, USHORT Characters, PHOST_OBJECT *Found, PUSHORT Used)
{
    PHOST_OBJECT Current = HostHeaderOf(HostRoot);
    USHORT Position = 0;

    if (Characters == 0 || Name[0] != OBJ_NAME_PATH_SEPARATOR) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    if (Characters == 1) {
        Position = 1; /* the root itself */
    }
    while (Current->Type == &HostDirectoryType && Position < Characters) {
        USHORT Start = (USHORT)(Position + 1);
        USHORT End = Start;

        while (End < Characters && Name[End] != OBJ_NAME_PATH_SEPARATOR) {
            End++;
        }
        if (End == Start) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        if (Position == 0 && End - Start == 2 && Name[Start] == L'?' && Name[Start + 1] == L'?') {
            Current = HostFindChild(HostRoot, L"DosDevices", 10 * sizeof(WCHAR));
        } else {
            Current =
                HostFindChild((PHOST_DIRECTORY)(Current + 1), Name + Start, (USHORT)((End - Start) * sizeof(WCHAR)));
        }
        if (Current == NULL) {
            return End == Characters ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
        }
        Position = End;
    }
    *Found = Current;
    *Used = Position;
    return STATUS_SUCCESS;
}

NTSTATUS HostFindObject(PCUNICODE_STRING Name, BOOLEAN FollowLast, PVOID *Object, PUNICODE_STRING Remaining,
                        PWCH *Buffer)
{
    ULONG Characters = Name->Length / sizeof(WCHAR);
    PWCH Path = PlatformAllocate((SIZE_T)UNICODE_STRING_MAX_BYTES + sizeof(WCHAR));
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;
    PHOST_OBJECT Found;
    USHORT Used;

    *Object = NULL;
    *Buffer = Path;
    memcpy(Path, Name->Buffer, Name->Length);
    PlatformLock(&HostNamesMutex);
    for (ULONG Count = 0; Count < HOST_MAXIMUM_REPARSE; Count++) {
        PHOST_SYMBOLIC_LINK Link;
        ULONG Target;

        Status = HostRoot == NULL ? STATUS_OBJECT_PATH_NOT_FOUND : HostWalk(Path, (USHORT)Characters, &Found, &Used);
        if (!NT_SUCCESS(Status)) {
            break;
        }
        if (Found->Type != &HostSymbolicLinkType || (Used == Characters && !FollowLast)) {
            (VOID) InterlockedIncrement64(&Found->References);
            *Object = Found + 1;
            Remaining->Buffer = Path + Used;
            Remaining->Length = (USHORT)((Characters - Used) * sizeof(WCHAR));
            Remaining->MaximumLength = Remaining->Length;
            break;
        }
        Link = (PHOST_SYMBOLIC_LINK)(Found + 1);
        Target = Link->Target.Length / (ULONG)sizeof(WCHAR);
        if (Target + Characters - Used > UNICODE_STRING_MAX_CHARS) {
            Status = STATUS_NAME_TOO_LONG;
            break;
        }
        memmove(Path + Target, Path + Used, (Characters - Used) * sizeof(WCHAR));
        memcpy(Path, Link->Target.Buffer, Link->Target.Length);
        Characters = Target + Characters - Used;
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
    }
    PlatformUnlock(&HostNamesMutex);
    if (!NT_SUCCESS(Status)) {
        PlatformFree(Path);
        *Buffer = NULL;
    }
    return Status;
}

/* STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS HostInsertObject(PVOID Object, PCUNICODE_STRING Name, BOOLEAN Permanent)
{
    PHOST_OBJECT Header = HostHeaderOf(Object);
    USHORT Characters = (USHORT)(Name->Length / sizeof(WCHAR));
    USHORT Last = Characters;
    PHOST_OBJECT Parent;
    PWCH Copy = NULL;
    NTSTATUS Status;
    USHORT Used;

    while (Last > 0 && Name->Buffer[Last - 1] != OBJ_NAME_PATH_SEPARATOR) {
        Last--;
    }
    if (Last == 0 || Last == Characters) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Copy = HostAllocatePool(NonPagedPoolNx, (SIZE_T)(Characters - Last) * sizeof(WCHAR), HOST_NAME_TAG, FALSE,
                            __builtin_return_address(0));
    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    memcpy(Copy, Name->Buffer + Last, (SIZE_T)(Characters - Last) * sizeof(WCHAR));
    PlatformLock(&HostNamesMutex);
    if (Last == 1) {
        Parent = HostHeaderOf(HostRoot);
        Status = STATUS_SUCCESS;
    } else {
        Status = HostWalk(Name->Buffer, (USHORT)(Last - 1), &Parent, &Used);
        if (NT_SUCCESS(Status) && Parent->Type != &HostDirectoryType) {
            Status = STATUS_OBJECT_TYPE_MISMATCH;
        } else if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
            Status = STATUS_OBJECT_PATH_NOT_FOUND;
        }
    }
    if (NT_SUCCESS(Status)) {
        Header->Name.Buffer = Copy;
        Header->Name.Length = Header->Name.MaximumLength = (USHORT)((Characters - Last) * sizeof(WCHAR));
        if (HostFindChild((PHOST_DIRECTORY)(Parent + 1), Copy, Header->Name.Length) != NULL) {
            Status = STATUS_OBJECT_NAME_COLLISION;
            RtlZeroMemory(&Header->Name, sizeof(Header->Name));
        } else {
            Header->Directory = (PHOST_DIRECTORY)(Parent + 1);
            InsertTailList(&Header->Directory->Children, &Header->Siblings);
            Header->Permanent = Permanent;
            if (Permanent) {
                (VOID) InterlockedIncrement64(&Header->References);
            }
            Copy = NULL;
        }
    }
    PlatformUnlock(&HostNamesMutex);
    if (Copy != NULL) {
        HostFreePool(Copy, HOST_NAME_TAG, "namespace");
    }
    return Status;
}

VOID HostRemoveName(PVOID Object)
{
    PHOST_OBJECT Header = HostHeaderOf(Object);
    BOOLEAN Dereference = FALSE;
    PWCH Name = NULL;

    PlatformLock(&HostNamesMutex);
    if (Header->Directory != NULL) {
        (VOID) RemoveEntryList(&Header->Siblings);
        Header->Directory = NULL;
        Name = Header->Name.Buffer;
        RtlZeroMemory(&Header->Name, sizeof(Header->Name));
        Dereference = Header->Permanent;
        Header->Permanent = FALSE;
    }
    PlatformUnlock(&HostNamesMutex);
    if (Name != NULL) {
        HostFreePool(Name, HOST_NAME_TAG, "namespace");
    }
    if (Dereference) {
        HostDereferenceRaw(Object, "namespace");
    }
}

ULONG HostFullName(PVOID Object, PWCH Name, ULONG Length)
{
    ULONG Needed = 0;
    ULONG End;

    PlatformLock(&HostNamesMutex);
    for (PHOST_OBJECT Header = HostHeaderOf(Object); Header->Directory != NULL;
         Header = HostHeaderOf(Header->Directory)) {
        Needed += (ULONG)sizeof(WCHAR) + Header->Name.Length;
    }
    if (Needed <= Length) {
        End = Needed / (ULONG)sizeof(WCHAR);
        for (PHOST_OBJECT Header = HostHeaderOf(Object); Header->Directory != NULL;
             Header = HostHeaderOf(Header->Directory)) {
            End -= Header->Name.Length / (ULONG)sizeof(WCHAR);
            memcpy(Name + End, Header->Name.Buffer, Header->Name.Length);
            End--;
            Name[End] = OBJ_NAME_PATH_SEPARATOR;
        }
    }
    PlatformUnlock(&HostNamesMutex);
    return Needed;
}

NTSTATUS HostCreateDirectory(PCWSTR Name)
{
    UNICODE_STRING String;
    PHOST_DIRECTORY Directory;
    NTSTATUS Status;

    RtlInitUnicodeString(&String, Name);
    Status = HostCreateObject(&HostDirectoryType, sizeof(*Directory), (PVOID *)&Directory);
    if (NT_SUCCESS(Status)) {
        InitializeListHead(&Directory->Children);
        Status = HostInsertObject(Directory, &String, TRUE);
        HostDereferenceRaw(Directory, "namespace");
    }
    return Status;
}

/* STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    PHOST_SYMBOLIC_LINK Link;
    NTSTATUS Status;

    (VOID) HostEnter(IoCreateSymbolicLink);
    Status = HostCreateObject(&HostSymbolicLinkType, sizeof(*Link), (PVOID *)&Link);
    if (NT_SUCCESS(Status)) {
        Link->Target.Buffer = PlatformAllocate((SIZE_T)DeviceName->Length + sizeof(WCHAR));
        Link->Target.Length = Link->Target.MaximumLength = DeviceName->Length;
        memcpy(Link->Target.Buffer, DeviceName->Buffer, DeviceName->Length);
        Status = HostInsertObject(Link, SymbolicLinkName, TRUE);
        HostDereferenceRaw(Link, "IoCreateSymbolicLink");
    }
    return Status;
}

/* STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. */
NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    UNICODE_STRING Remaining;
    PVOID Object;
    PWCH Buffer;
    NTSTATUS Status;

    (VOID) HostEnter(IoDeleteSymbolicLink);
    Status = HostFindObject(SymbolicLinkName, FALSE, &Object, &Remaining, &Buffer);
    if (NT_SUCCESS(Status)) {
        if (Remaining.Length != 0 || HostHeaderOf(Object)->Type != &HostSymbolicLinkType) {
            Status = STATUS_OBJECT_TYPE_MISMATCH;
        } else {
            HostRemoveName(Object);
        }
        HostDereferenceRaw(Object, "IoDeleteSymbolicLink");
        PlatformFree(Buffer);
    }
    return Status;
}

/* STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH for what is no symbolic link. */
NTSTATUS NtOpenSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);
    UNICODE_STRING Remaining;
    PVOID Object = NULL;
    PWCH Buffer;

    if (NT_SUCCESS(Status) && ObjectAttributes->RootDirectory != NULL) {
        Status = STATUS_NOT_SUPPORTED;
    }
    if (NT_SUCCESS(Status)) {
        Status = HostFindObject(ObjectAttributes->ObjectName, FALSE, &Object, &Remaining, &Buffer);
    }
    if (NT_SUCCESS(Status)) {
        if (Remaining.Length != 0 || HostHeaderOf(Object)->Type != &HostSymbolicLinkType) {
            Status = STATUS_OBJECT_TYPE_MISMATCH;
        } else {
            RtlMapGenericMask(&DesiredAccess, &HostSymbolicLinkType.Mapping);
            *LinkHandle = HostCreateHandle(Object, DesiredAccess, 0);
        }
        HostDereferenceRaw(Object, "NtOpenSymbolicLinkObject");
        PlatformFree(Buffer);
    }
    return HostEndService(Thread, Status);
}

/*
 * STATUS_BUFFER_TOO_SMALL; needs SYMBOLIC_LINK_QUERY. Who asks for ReturnedLength gets the terminator too, in the length and in the buffer,
 * which must have room for it.
 */
NTSTATUS NtQuerySymbolicLinkObject(HANDLE LinkHandle, PUNICODE_STRING LinkTarget, PULONG ReturnedLength)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);
    PHOST_SYMBOLIC_LINK Link;
    USHORT Length;

    if (NT_SUCCESS(Status)) {
        Status = HostReferenceHandle(LinkHandle, Thread->PreviousMode, &HostSymbolicLinkType, SYMBOLIC_LINK_QUERY,
                                     (PVOID *)&Link, NULL, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Length = Link->Target.Length;
        if (ReturnedLength != NULL) {
            Length = (USHORT)(Length + sizeof(WCHAR));
            *ReturnedLength = Length;
        }
        if (LinkTarget->MaximumLength < Length) {
            Status = STATUS_BUFFER_TOO_SMALL;
        } else {
            LinkTarget->Length = Link->Target.Length;
            memcpy(LinkTarget->Buffer, Link->Target.Buffer, Length);
        }
        HostDereferenceRaw(Link, "NtQuerySymbolicLinkObject");
    }
    return HostEndService(Thread, Status);
}

/* \??\GLOBALROOT stands for the root, so that Win32 paths reach every device by its own name. */
NTSTATUS HostStartNamespace(VOID)
{
    static const WCHAR GlobalRootText[] = L"\\DosDevices\\GLOBALROOT";
    UNICODE_STRING GlobalRoot = RTL_CONSTANT_STRING(GlobalRootText);
    UNICODE_STRING Root = {0, 0, GlobalRoot.Buffer};
    NTSTATUS Status = HostCreateObject(&HostDirectoryType, sizeof(*HostRoot), (PVOID *)&HostRoot);
    static const PCWSTR Names[] = {L"\\Device", L"\\Driver", L"\\FileSystem", L"\\DosDevices"};

    if (NT_SUCCESS(Status)) {
        InitializeListHead(&HostRoot->Children);
    }
    for (ULONG Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(Names); Index++) {
        Status = HostCreateDirectory(Names[Index]);
    }
    if (NT_SUCCESS(Status)) {
        Status = IoCreateSymbolicLink(&GlobalRoot, &Root);
    }
    return Status;
}

/* Directories go, and with them the names of what is still in them. */
VOID HostStopNamespace(VOID)
{
    for (;;) {
        PHOST_OBJECT Child = NULL;

        PlatformLock(&HostNamesMutex);
        if (HostRoot != NULL && !IsListEmpty(&HostRoot->Children)) {
            Child = CONTAINING_RECORD(HostRoot->Children.Flink, HOST_OBJECT, Siblings);
            if (Child->Type == &HostDirectoryType && !IsListEmpty(&((PHOST_DIRECTORY)(Child + 1))->Children)) {
                Child = CONTAINING_RECORD(((PHOST_DIRECTORY)(Child + 1))->Children.Flink, HOST_OBJECT, Siblings);
            }
        }
        PlatformUnlock(&HostNamesMutex);
        if (Child == NULL) {
            break;
        }
        HostRemoveName(Child + 1);
    }
    if (HostRoot != NULL) {
        HostDereferenceRaw(HostRoot, "namespace");
        HostRoot = NULL;
    }
}
