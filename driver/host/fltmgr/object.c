/* Filters, volumes and instances as objects: references, waiting for their end, and how callbacks are watched. */
#include "fltmgr.h"

#define FLTP_OBJECT_MAGIC 0x466c744f626a6563ULL
#define FLTP_PATIENCE (30 * 10000000ll) /* 100 ns units: longer than any wait that ends */

HOST_MUTEX FltpMutex = HOST_MUTEX_INITIALIZER;
LIST_ENTRY FltpFilters = {&FltpFilters, &FltpFilters};
LIST_ENTRY FltpVolumes = {&FltpVolumes, &FltpVolumes};

VOID FltpInitializeObject(PFLTP_OBJECT Object, FLTP_KIND Kind)
{
    Object->Magic = FLTP_OBJECT_MAGIC;
    Object->Kind = Kind;
    Object->Kept = 1;
}

static PFLTP_OBJECT FltpCheckAnyObject(PVOID Object, const char *Routine)
{
    PFLTP_OBJECT Head = Object;

    if (Head == NULL || Head->Magic != FLTP_OBJECT_MAGIC) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine,
                      "%p is no filter, volume or instance, or one that is gone", Object);
    }
    return Head;
}

PFLTP_OBJECT FltpCheckObject(PVOID Object, FLTP_KIND Kind, const char *Routine)
{
    static const char *const Names[] = {"filter", "volume", "instance"};
    PFLTP_OBJECT Head = FltpCheckAnyObject(Object, Routine);

    if (Head->Kind != Kind) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "%p is no %s", Object, Names[Kind]);
    }
    return Head;
}

VOID FltpKeep(PVOID Object)
{
    (VOID) InterlockedIncrement(&((PFLTP_OBJECT)Object)->Kept);
}

VOID FltpLetGo(PVOID Object)
{
    PFLTP_OBJECT Head = Object;

    if (InterlockedDecrement(&Head->Kept) != 0) {
        return;
    }
    Head->Magic = 0;
    switch (Head->Kind) {
    case FltpFilterKind:
        FltpFreeFilter(Object);
        break;
    case FltpVolumeKind:
        FltpFreeVolume(Object);
        break;
    default:
        FltpFreeInstance(Object);
        break;
    }
}

VOID FltpGiveLocked(PVOID Object)
{
    PFLTP_OBJECT Head = Object;

    Head->Given++;
    FltpKeep(Object);
    if (Head->Kind == FltpInstanceKind) {
        (VOID) InterlockedIncrement(&((PFLT_INSTANCE)Object)->Filter->InstancesGiven);
    }
}

NTSTATUS FltpGive(PVOID Object)
{
    PFLTP_OBJECT Head = Object;
    NTSTATUS Status = STATUS_SUCCESS;

    PlatformLock(&FltpMutex);
    if (Head->Deleting) {
        Status = STATUS_FLT_DELETING_OBJECT;
    } else {
        FltpGiveLocked(Object);
    }
    PlatformUnlock(&FltpMutex);
    return Status;
}

static BOOLEAN FltpIsBack(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PFLTP_OBJECT)Context)->Given) == 0);
}

VOID FltpRundown(PFLTP_OBJECT Object, BOOLEAN Waits, const char *Routine)
{
    PlatformLock(&FltpMutex);
    Object->Deleting = TRUE;
    PlatformUnlock(&FltpMutex);
    if (Waits) {
        FltpAwait(&Object->Given, FltpIsBack, Object, Routine, "a reference that is not given back");
    }
}

VOID FltpAwait(const volatile VOID *Address, PHOST_TRY Try, PVOID Context, const char *Routine, const char *What)
{
    LONGLONG Deadline = PlatformInterruptTime() + FLTP_PATIENCE;

    if (!HostWaitFor(Address, Try, Context, &Deadline)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "waits for ever for %s", What);
    }
}

/* IRQL <= DISPATCH_LEVEL. STATUS_FLT_DELETING_OBJECT. [fltkernel/nf-fltkernel-fltobjectreference] */
NTSTATUS FltObjectReference(PVOID FltObject)
{
    (VOID) HostEnter(FltObjectReference);
    (VOID) FltpCheckAnyObject(FltObject, "FltObjectReference");
    return FltpGive(FltObject);
}

/* IRQL <= DISPATCH_LEVEL. */
VOID FltObjectDereference(PVOID FltObject)
{
    PFLTP_OBJECT Object;
    LONG Left;

    (VOID) HostEnter(FltObjectDereference);
    Object = FltpCheckAnyObject(FltObject, "FltObjectDereference");
    PlatformLock(&FltpMutex);
    Left = Object->Given - 1;
    WriteRelease(&Object->Given, Left);
    PlatformUnlock(&FltpMutex);
    if (Left < 0) {
        HostViolation(REFERENCE_BY_POINTER, "FltObjectDereference",
                      "more references to %p are given back than were taken", FltObject);
    }
    HostWake(&Object->Given);
    if (Object->Kind == FltpInstanceKind) {
        PFLT_FILTER Filter = ((PFLT_INSTANCE)FltObject)->Filter;

        (VOID) InterlockedDecrement(&Filter->InstancesGiven);
        HostWake(&Filter->InstancesGiven);
    }
    FltpLetGo(FltObject);
}

/* FALSE when there is no memory. */
BOOLEAN FltpCopyString(PCUNICODE_STRING From, PUNICODE_STRING To)
{
    To->Length = To->MaximumLength = From->Length;
    To->Buffer = NULL;
    if (From->Length == 0) {
        return TRUE;
    }
    To->Buffer = HostAllocatePool(NonPagedPoolNx, From->Length, FLTP_TAG, FALSE, __builtin_return_address(0));
    if (To->Buffer == NULL) {
        To->Length = To->MaximumLength = 0;
        return FALSE;
    }
    memcpy(To->Buffer, From->Buffer, From->Length);
    return TRUE;
}

VOID FltpFreeString(PUNICODE_STRING String)
{
    if (String->Buffer != NULL) {
        HostFreePool(String->Buffer, FLTP_TAG, "FltMgr");
        String->Buffer = NULL;
    }
}

BOOLEAN FltpSameString(PCUNICODE_STRING First, PCUNICODE_STRING Second)
{
    return (BOOLEAN)(First->Length == Second->Length && HostCompareStrings(First, Second, TRUE) == 0);
}

VOID FltpFillObjects(FLT_RELATED_OBJECTS *Objects, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    const FLT_RELATED_OBJECTS Filled = {sizeof(Filled), 0,   Instance->Filter, Instance->Volume, Instance,
                                        FileObject,     NULL};

    memcpy((PVOID)Objects, &Filled, sizeof(Filled));
}

VOID FltpEnterCall(PFLTP_CALL Call, const char *Callback, KIRQL Maximum)
{
    PETHREAD Thread = HostCurrentThread();

    Call->Callback = Callback;
    Call->Irql = Thread->Irql;
    Call->CriticalRegions = Thread->CriticalRegions;
    Call->HeldLocks = Thread->HeldLocks;
    if (Thread->Irql > Maximum) {
        HostViolation(IRQL_NOT_LESS_OR_EQUAL, Callback, "would be called at IRQL %u", Thread->Irql);
    }
}

VOID FltpLeaveCall(const FLTP_CALL *Call)
{
    PETHREAD Thread = HostCurrentThread();

    if (Thread->Irql != Call->Irql || Thread->CriticalRegions != Call->CriticalRegions ||
        Thread->HeldLocks != Call->HeldLocks) {
        HostViolation(IRQL_UNEXPECTED_VALUE, Call->Callback,
                      "returned at IRQL %u in %d critical regions with %d locks, called at %u in %d with %d",
                      Thread->Irql, Thread->CriticalRegions, Thread->HeldLocks, Call->Irql, Call->CriticalRegions,
                      Call->HeldLocks);
    }
}
