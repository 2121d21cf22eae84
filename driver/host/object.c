/* Objects: reference counts, deletion, and the list of all that exist. */
#include "kernel.h"

#define HOST_OBJECT_FREED 0x4f626a4672656564ULL

#define HOST_FILE_MAPPING {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS}

OBJECT_TYPE HostFileType = {"File", TRUE, TRUE, TRUE, 'eliF', HOST_FILE_MAPPING, HostCloseFile, HostDeleteFile};
OBJECT_TYPE HostDeviceType = {"Device", TRUE, TRUE, FALSE, 'iveD', HOST_FILE_MAPPING, NULL, HostDeleteDeviceObject};
OBJECT_TYPE HostDriverType = {"Driver", TRUE, FALSE, FALSE, 0, HOST_FILE_MAPPING, NULL, HostDeleteDriver};
OBJECT_TYPE HostEventType = {"Event", FALSE, TRUE, FALSE, 'nevE', {0x20001, 0x20002, 0x120000, EVENT_ALL_ACCESS},
                             NULL,    NULL};
OBJECT_TYPE HostProcessType = {"Process", FALSE, FALSE, FALSE, 0, {0x20410, 0x20bea, 0x121001, PROCESS_ALL_ACCESS},
                               NULL,      NULL};
OBJECT_TYPE HostThreadType = {
    "Thread", FALSE, FALSE, FALSE, 0, {0x20048, 0x20037, 0x120800, PROCESS_ALL_ACCESS}, NULL, HostDeleteThread};

static POBJECT_TYPE HostFileTypePointer = &HostFileType;
static POBJECT_TYPE HostDeviceTypePointer = &HostDeviceType;
static POBJECT_TYPE HostDriverTypePointer = &HostDriverType;
static POBJECT_TYPE HostProcessTypePointer = &HostProcessType;
static POBJECT_TYPE HostThreadTypePointer = &HostThreadType;
POBJECT_TYPE *IoFileObjectType = &HostFileTypePointer;
POBJECT_TYPE *IoDeviceObjectType = &HostDeviceTypePointer;
POBJECT_TYPE *IoDriverObjectType = &HostDriverTypePointer;
POBJECT_TYPE *PsProcessType = &HostProcessTypePointer;
POBJECT_TYPE *PsThreadType = &HostThreadTypePointer;

static HOST_MUTEX HostObjectsMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostObjects = {&HostObjects, &HostObjects};

/* One reference, the caller's. STATUS_INSUFFICIENT_RESOURCES. The body is zeroed. */
NTSTATUS HostCreateObject(POBJECT_TYPE Type, SIZE_T Size, PVOID *Object)
{
    PHOST_OBJECT Header;

    if (Type->FromPool) {
        Header = HostAllocatePool(NonPagedPoolNx, sizeof(*Header) + Size, Type->Tag, TRUE, __builtin_return_address(0));
    } else {
        Header = PlatformAllocate(sizeof(*Header) + Size);
    }
    if (Header == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Header->Magic = HOST_OBJECT_MAGIC;
    Header->Type = Type;
    Header->References = 1;
    PlatformLock(&HostObjectsMutex);
    InsertTailList(&HostObjects, &Header->Links);
    PlatformUnlock(&HostObjectsMutex);
    *Object = Header + 1;
    return STATUS_SUCCESS;
}

PHOST_OBJECT HostCheckObject(PVOID Object, const char *Routine)
{
    PHOST_OBJECT Header = Object == NULL ? NULL : HostHeaderOf(Object);

    if (Header == NULL || Header->Magic != HOST_OBJECT_MAGIC) {
        HostViolation(REFERENCE_BY_POINTER, Routine, "%p is no object, or one that is gone", Object);
    }
    return Header;
}

static VOID HostDeleteObject(PHOST_OBJECT Header)
{
    POBJECT_TYPE Type = Header->Type;

    if (Type->Delete != NULL) {
        Type->Delete(Header + 1);
    }
    HostRemoveName(Header + 1);
    PlatformLock(&HostObjectsMutex);
    (VOID) RemoveEntryList(&Header->Links);
    PlatformUnlock(&HostObjectsMutex);
    Header->Magic = HOST_OBJECT_FREED;
    if (Type->FromPool) {
        HostFreePool(Header, Type->Tag, "ObDereferenceObject");
    } else {
        PlatformFree(Header);
    }
}

static VOID HostDeleteLater(PVOID Context)
{
    HostDeleteObject(Context);
}

VOID HostReferenceRaw(PVOID Object)
{
    (VOID) InterlockedIncrement64(&HostHeaderOf(Object)->References);
}

VOID HostDereferenceRaw(PVOID Object, const char *Routine)
{
    PHOST_OBJECT Header = HostCheckObject(Object, Routine);
    LONG64 Left = InterlockedDecrement64(&Header->References);

    if (Left < 0 || (Left == 0 && ReadNoFence64(&Header->Handles) != 0)) {
        HostViolation(REFERENCE_BY_POINTER, Routine, "%s at %p has been dereferenced once too often",
                      Header->Type->Name, Object);
    }
    if (Left == 0) {
        if (Header->Type->Deferrable && HostCurrentThread()->Irql != PASSIVE_LEVEL) {
            HostQueueInternal(HostDeleteLater, Header);
        } else {
            HostDeleteObject(Header);
        }
    }
}

LONG_PTR ObfReferenceObject(PVOID Object)
{
    PHOST_OBJECT Header;
    LONG64 References;

    (VOID) HostEnter(ObfReferenceObject);
    Header = HostCheckObject(Object, "ObReferenceObject");
    References = InterlockedIncrement64(&Header->References);
    if (References <= 1) {
        HostViolation(REFERENCE_BY_POINTER, "ObReferenceObject", "%s at %p is being deleted", Header->Type->Name,
                      Object);
    }
    return (LONG_PTR)References;
}

LONG_PTR ObfDereferenceObject(PVOID Object)
{
    LONG64 References;

    (VOID) HostEnter(ObfDereferenceObject);
    References = ReadAcquire64(&HostCheckObject(Object, "ObDereferenceObject")->References);
    HostDereferenceRaw(Object, "ObDereferenceObject");
    HostSwitchPoint("ObfDereferenceObject has returned");
    return (LONG_PTR)(References - 1);
}

/* STATUS_OBJECT_TYPE_MISMATCH. The type must be told unless AccessMode is KernelMode. */
NTSTATUS ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                    KPROCESSOR_MODE AccessMode)
{
    PHOST_OBJECT Header;

    (VOID) HostEnter(ObReferenceObjectByPointer);
    UNREFERENCED_PARAMETER(DesiredAccess);
    Header = HostCheckObject(Object, "ObReferenceObjectByPointer");
    if (ObjectType != Header->Type && (AccessMode != KernelMode || ObjectType != NULL)) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    (VOID) InterlockedIncrement64(&Header->References);
    return STATUS_SUCCESS;
}

ULONG64 HostCountObjects(VOID)
{
    ULONG64 Count = 0;

    PlatformLock(&HostObjectsMutex);
    for (PLIST_ENTRY Entry = HostObjects.Flink; Entry != &HostObjects; Entry = Entry->Flink) {
        Count += CONTAINING_RECORD(Entry, HOST_OBJECT, Links)->Type->Counted;
    }
    PlatformUnlock(&HostObjectsMutex);
    return Count;
}

VOID HostReportObjects(VOID)
{
    PlatformLock(&HostObjectsMutex);
    for (PLIST_ENTRY Entry = HostObjects.Flink; Entry != &HostObjects; Entry = Entry->Flink) {
        PHOST_OBJECT Header = CONTAINING_RECORD(Entry, HOST_OBJECT, Links);

        if (Header->Type->Counted) {
            PlatformPrint("leaked: %s object at %p, %lld references, %lld handles\n", Header->Type->Name,
                          (PVOID)(Header + 1), Header->References, Header->Handles);
        }
    }
    PlatformUnlock(&HostObjectsMutex);
}

/* What leaked has been reported: takes it off the list, for the next kernel starts with none. Threads live on. */
VOID HostForgetObjects(VOID)
{
    PLIST_ENTRY Entry;

    PlatformLock(&HostObjectsMutex);
    Entry = HostObjects.Flink;
    while (Entry != &HostObjects) {
        PHOST_OBJECT Header = CONTAINING_RECORD(Entry, HOST_OBJECT, Links);

        Entry = Entry->Flink;
        if (Header->Type != &HostThreadType) {
            (VOID) RemoveEntryList(&Header->Links);
            if (!Header->Type->FromPool) {
                PlatformFree(Header);
            }
        }
    }
    PlatformUnlock(&HostObjectsMutex);
}
