/* Executive resources: shared or exclusive, recursive, waiting with normal kernel APCs disabled; and run-down protection. */
#include "kernel.h"

#define HOST_RESOURCE_INITIALIZED ((UCHAR)0x5a)

static volatile LONG64 HostResourceCount;

ULONG64 HostCountResources(VOID)
{
    return (ULONG64)ReadNoFence64(&HostResourceCount);
}

typedef struct _HOST_RESOURCE_REQUEST {
    PERESOURCE Resource;
    PETHREAD Thread;
    BOOLEAN Exclusive;
    BOOLEAN StarveExclusive;
} HOST_RESOURCE_REQUEST, *PHOST_RESOURCE_REQUEST;

/* The word that guards a resource's members is held for a few instructions only. */
static VOID HostGuardResource(PERESOURCE Resource)
{
    while (__atomic_exchange_n(&Resource->SpinLock, 1, __ATOMIC_ACQUIRE) != 0) {
        PlatformYield();
    }
}

static VOID HostUnguardResource(PERESOURCE Resource)
{
    __atomic_store_n(&Resource->SpinLock, 0, __ATOMIC_RELEASE);
}

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource)
{
    (VOID) HostEnter(ExInitializeResourceLite);
    HostCheckNonPaged(Resource, "ExInitializeResourceLite");
    HostForgetLocks(Resource, sizeof(*Resource));
    RtlZeroMemory(Resource, sizeof(*Resource));
    InitializeListHead(&Resource->SystemResourcesList);
    Resource->MiscFlags = HOST_RESOURCE_INITIALIZED;
    HostPin(Resource, "an initialised ERESOURCE");
    (VOID) InterlockedIncrement64(&HostResourceCount);
    return STATUS_SUCCESS;
}

static VOID HostCheckResource(PERESOURCE Resource, const char *Routine)
{
    if (Resource->MiscFlags != HOST_RESOURCE_INITIALIZED) {
        HostViolation(RESOURCE_NOT_OWNED, Routine, "%p is no initialised resource", (PVOID)Resource);
    }
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
    (VOID) HostEnter(ExDeleteResourceLite);
    HostCheckResource(Resource, "ExDeleteResourceLite");
    if (Resource->ActiveEntries != 0 || Resource->OwnerEntry.OwnerThread != 0) {
        HostViolation(RESOURCE_NOT_OWNED, "ExDeleteResourceLite", "the resource at %p is still acquired",
                      (PVOID)Resource);
    }
    Resource->MiscFlags = 0;
    HostUnpin(Resource);
    (VOID) InterlockedDecrement64(&HostResourceCount);
    return STATUS_SUCCESS;
}

static BOOLEAN HostTakeResource(PVOID Context)
{
    PHOST_RESOURCE_REQUEST Request = Context;
    PERESOURCE Resource = Request->Resource;
    BOOLEAN Taken = FALSE;

    HostGuardResource(Resource);
    if (Resource->OwnerEntry.OwnerThread == (ERESOURCE_THREAD)Request->Thread) {
        Taken = TRUE;
    } else if (Resource->OwnerEntry.OwnerThread == 0) {
        if (Request->Exclusive) {
            Taken = (BOOLEAN)(Resource->ActiveEntries == 0);
        } else {
            Taken = (BOOLEAN)(Request->StarveExclusive ||
                              __atomic_load_n(&Resource->NumberOfExclusiveWaiters, __ATOMIC_SEQ_CST) == 0 ||
                              HostIsHeld(Request->Thread, Resource, HostResourceShared));
        }
    }
    if (Taken) {
        if (Request->Exclusive || Resource->OwnerEntry.OwnerThread != 0) {
            Resource->OwnerEntry.OwnerThread = (ERESOURCE_THREAD)Request->Thread;
            Resource->OwnerEntry.OwnerCount++;
        } else {
            Resource->ActiveEntries++;
        }
        Resource->ActiveCount++;
    }
    HostUnguardResource(Resource);
    return Taken;
}

static BOOLEAN HostAcquireResource(PETHREAD Thread, PERESOURCE Resource, BOOLEAN Exclusive, BOOLEAN StarveExclusive,
                                   BOOLEAN Wait, const char *Routine)
{
    HOST_RESOURCE_REQUEST Request = {Resource, Thread, Exclusive, StarveExclusive};
    BOOLEAN Owned;

    HostCheckResource(Resource, Routine);
    if (!HostHoldsApcsBack(Thread)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "normal kernel APCs are not disabled");
    }
    if (Thread->FreeCallbacks != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "a FreeCallback acquires a resource");
    }
    if (Wait) {
        HostOrderLock(Thread, Resource, Routine);
    }
    if (!HostTakeResource(&Request)) {
        if (!Wait) {
            return FALSE;
        }
        if (Exclusive && HostIsHeld(Thread, Resource, HostResourceShared)) {
            HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "a shared owner waits for exclusive ownership");
        }
        if (Exclusive) {
            (VOID) __atomic_add_fetch(&Resource->NumberOfExclusiveWaiters, 1, __ATOMIC_SEQ_CST);
        }
        (VOID) HostWaitFor(Resource, HostTakeResource, &Request, NULL);
        if (Exclusive) {
            (VOID) __atomic_sub_fetch(&Resource->NumberOfExclusiveWaiters, 1, __ATOMIC_SEQ_CST);
            HostWake(Resource);
        }
    }
    HostGuardResource(Resource);
    Owned = (BOOLEAN)(Resource->OwnerEntry.OwnerThread == (ERESOURCE_THREAD)Thread);
    HostUnguardResource(Resource);
    HostLockAcquired(Thread, Resource, Owned ? HostResourceExclusive : HostResourceShared, Routine);
    return TRUE;
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return HostAcquireResource(HostEnter(ExAcquireResourceExclusiveLite), Resource, TRUE, FALSE, Wait,
                               "ExAcquireResourceExclusiveLite");
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return HostAcquireResource(HostEnter(ExAcquireResourceSharedLite), Resource, FALSE, FALSE, Wait,
                               "ExAcquireResourceSharedLite");
}

BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return HostAcquireResource(HostEnter(ExAcquireSharedStarveExclusive), Resource, FALSE, TRUE, Wait,
                               "ExAcquireSharedStarveExclusive");
}

VOID ExReleaseResourceLite(PERESOURCE Resource)
{
    PETHREAD Thread = HostEnter(ExReleaseResourceLite);
    BOOLEAN Exclusive = HostIsHeld(Thread, Resource, HostResourceExclusive);

    HostCheckResource(Resource, "ExReleaseResourceLite");
    HostLockReleased(Thread, Resource, Exclusive ? HostResourceExclusive : HostResourceShared, RESOURCE_NOT_OWNED,
                     "ExReleaseResourceLite");
    HostGuardResource(Resource);
    if (Exclusive) {
        Resource->OwnerEntry.OwnerCount--;
        if (Resource->OwnerEntry.OwnerCount == 0) {
            Resource->OwnerEntry.OwnerThread = 0;
        }
    } else {
        Resource->ActiveEntries--;
    }
    Resource->ActiveCount--;
    HostUnguardResource(Resource);
    HostWake(Resource);
    HostSwitchPoint("ExReleaseResourceLite has returned");
}

VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    PETHREAD Thread = HostEnter(ExConvertExclusiveToSharedLite);
    ULONG Count = 0;

    HostCheckResource(Resource, "ExConvertExclusiveToSharedLite");
    while (HostIsHeld(Thread, Resource, HostResourceExclusive)) {
        HostLockReleased(Thread, Resource, HostResourceExclusive, RESOURCE_NOT_OWNED, "ExConvertExclusiveToSharedLite");
        Count++;
    }
    if (Count == 0) {
        HostViolation(RESOURCE_NOT_OWNED, "ExConvertExclusiveToSharedLite",
                      "the resource at %p is not owned exclusively", (PVOID)Resource);
    }
    for (ULONG Index = 0; Index < Count; Index++) {
        HostLockAcquired(Thread, Resource, HostResourceShared, "ExConvertExclusiveToSharedLite");
    }
    HostGuardResource(Resource);
    Resource->OwnerEntry.OwnerThread = 0;
    Resource->OwnerEntry.OwnerCount = 0;
    Resource->ActiveEntries += Count;
    HostUnguardResource(Resource);
    HostWake(Resource);
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    return HostIsHeld(HostEnter(ExIsResourceAcquiredExclusiveLite), Resource, HostResourceExclusive);
}

ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    PETHREAD Thread = HostEnter(ExIsResourceAcquiredSharedLite);
    ULONG Count = 0;

    for (LONG Index = 0; Index < Thread->HeldLocks; Index++) {
        if (Thread->Held[Index].Lock == Resource) {
            Count++;
        }
    }
    return Count;
}

/* Run-down protection: twice the number of holders, plus one once run-down has begun. */
VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    (VOID) HostEnter(ExInitializeRundownProtection);
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    (VOID) HostEnter(ExReInitializeRundownProtection);
    if (__atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST) != 1) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExReInitializeRundownProtection",
                      "run-down is not complete");
    }
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    (VOID) HostEnter(ExRundownCompleted);
    __atomic_store_n(&RunRef->Count, 1, __ATOMIC_SEQ_CST);
}

/* Whoever waits for the run-down waits for each holder: none is taken where a suspension could stop the holder. */
BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR Count;

    if (HostMayBeSuspended(HostEnter(ExAcquireRundownProtection))) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExAcquireRundownProtection",
                      "run-down protection is acquired where this thread could be suspended");
    }
    Count = __atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST);
    while ((Count & 1) == 0) {
        if (__atomic_compare_exchange_n(&RunRef->Count, &Count, Count + 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return TRUE;
        }
    }
    return FALSE;
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR Count;

    (VOID) HostEnter(ExReleaseRundownProtection);
    Count = __atomic_fetch_sub(&RunRef->Count, 2, __ATOMIC_SEQ_CST);
    if (Count < 2) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExReleaseRundownProtection", "protection is not held");
    }
    if ((Count & 1) != 0) {
        HostWake(RunRef);
    }
    HostSwitchPoint("ExReleaseRundownProtection has returned");
}

static BOOLEAN HostIsRunDown(PVOID Context)
{
    return (BOOLEAN)(__atomic_load_n(&((PEX_RUNDOWN_REF)Context)->Count, __ATOMIC_SEQ_CST) == 1);
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    (VOID) HostEnter(ExWaitForRundownProtectionRelease);
    (VOID) __atomic_or_fetch(&RunRef->Count, 1, __ATOMIC_SEQ_CST);
    (VOID) HostWaitFor(RunRef, HostIsRunDown, RunRef, NULL);
}
