/* Locks whose state is one word: fast mutexes, push locks, spin locks; and critical regions. */
#include "kernel.h"

#define HOST_PUSH_LOCK_EXCLUSIVE ((ULONG_PTR)1)
#define HOST_PUSH_LOCK_SHARED ((ULONG_PTR)2)

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    (VOID) HostEnter(ExInitializeFastMutex);
    HostCheckNonPaged(FastMutex, "ExInitializeFastMutex");
    HostForgetLocks(FastMutex, sizeof(*FastMutex));
    FastMutex->Owner = NULL;
    FastMutex->Contention = 0;
    FastMutex->OldIrql = 0;
    KeInitializeEvent(&FastMutex->Event, SynchronizationEvent, FALSE);
    WriteRelease(&FastMutex->Count, FM_LOCK_BIT);
}

static BOOLEAN HostTakeFastMutex(PVOID Context)
{
    PFAST_MUTEX FastMutex = Context;

    return (BOOLEAN)(InterlockedCompareExchange(&FastMutex->Count, 0, FM_LOCK_BIT) == FM_LOCK_BIT);
}

static VOID HostAcquireFastMutex(PETHREAD Thread, PFAST_MUTEX FastMutex, HOST_LOCK_KIND Kind, const char *Routine)
{
    if (ReadPointerNoFence(&FastMutex->Owner) == Thread) {
        HostViolation(THREAD_NOT_MUTEX_OWNER, Routine, "this thread holds the fast mutex at %p already",
                      (PVOID)FastMutex);
    }
    HostOrderLock(Thread, FastMutex, Routine);
    (VOID) HostWaitFor(FastMutex, HostTakeFastMutex, FastMutex, NULL);
    __atomic_store_n(&FastMutex->Owner, Thread, __ATOMIC_RELAXED);
    HostLockAcquired(Thread, FastMutex, Kind, Routine);
}

static VOID HostReleaseFastMutex(PETHREAD Thread, PFAST_MUTEX FastMutex, HOST_LOCK_KIND Kind, const char *Routine)
{
    HostLockReleased(Thread, FastMutex, Kind, THREAD_NOT_MUTEX_OWNER, Routine);
    __atomic_store_n(&FastMutex->Owner, NULL, __ATOMIC_RELAXED);
    (VOID) InterlockedExchange(&FastMutex->Count, FM_LOCK_BIT);
    HostWake(FastMutex);
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    PETHREAD Thread = HostEnter(ExAcquireFastMutex);
    KIRQL OldIrql = KfRaiseIrql(APC_LEVEL);

    HostAcquireFastMutex(Thread, FastMutex, HostFastMutex, "ExAcquireFastMutex");
    FastMutex->OldIrql = OldIrql;
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    PETHREAD Thread = HostEnter(ExTryToAcquireFastMutex);
    KIRQL OldIrql;

    if (!HostTakeFastMutex(FastMutex)) {
        return FALSE;
    }
    OldIrql = KfRaiseIrql(APC_LEVEL);
    __atomic_store_n(&FastMutex->Owner, Thread, __ATOMIC_RELAXED);
    HostLockAcquired(Thread, FastMutex, HostFastMutex, "ExTryToAcquireFastMutex");
    FastMutex->OldIrql = OldIrql;
    return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    PETHREAD Thread = HostEnter(ExReleaseFastMutex);
    KIRQL OldIrql = (KIRQL)FastMutex->OldIrql;

    HostReleaseFastMutex(Thread, FastMutex, HostFastMutex, "ExReleaseFastMutex");
    KeLowerIrql(OldIrql);
    HostSwitchPoint("ExReleaseFastMutex has returned");
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    PETHREAD Thread = HostEnter(ExAcquireFastMutexUnsafe);

    if (!HostHoldsApcsBack(Thread)) {
        HostViolation(IRQL_UNEXPECTED_VALUE, "ExAcquireFastMutexUnsafe", "APCs are not disabled");
    }
    HostAcquireFastMutex(Thread, FastMutex, HostFastMutexUnsafe, "ExAcquireFastMutexUnsafe");
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    HostReleaseFastMutex(HostEnter(ExReleaseFastMutexUnsafe), FastMutex, HostFastMutexUnsafe,
                         "ExReleaseFastMutexUnsafe");
    HostSwitchPoint("ExReleaseFastMutexUnsafe has returned");
}

static BOOLEAN HostTakePushLockExclusive(PVOID Context)
{
    ULONG_PTR Free = 0;

    return __atomic_compare_exchange_n((PULONG_PTR)Context, &Free, HOST_PUSH_LOCK_EXCLUSIVE, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static BOOLEAN HostTakePushLockShared(PVOID Context)
{
    PULONG_PTR PushLock = Context;
    ULONG_PTR State = __atomic_load_n(PushLock, __ATOMIC_SEQ_CST);

    while ((State & HOST_PUSH_LOCK_EXCLUSIVE) == 0) {
        if (__atomic_compare_exchange_n(PushLock, &State, State + HOST_PUSH_LOCK_SHARED, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* IRQL <= APC_LEVEL, normal kernel APCs disabled by the caller. */
VOID HostAcquirePushLock(PULONG_PTR PushLock, BOOLEAN Exclusive)
{
    PETHREAD Thread = HostCurrentThread();

    if (!HostHoldsApcsBack(Thread)) {
        HostViolation(IRQL_UNEXPECTED_VALUE, "ExAcquirePushLock", "APCs are not disabled");
    }
    if (HostIsHeld(Thread, PushLock, HostPushLockExclusive) || HostIsHeld(Thread, PushLock, HostPushLockShared)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExAcquirePushLock",
                      "this thread holds the push lock at %p already", (PVOID)PushLock);
    }
    HostOrderLock(Thread, PushLock, "ExAcquirePushLock");
    (VOID) HostWaitFor(PushLock, Exclusive ? HostTakePushLockExclusive : HostTakePushLockShared, PushLock, NULL);
    HostLockAcquired(Thread, PushLock, Exclusive ? HostPushLockExclusive : HostPushLockShared, "ExAcquirePushLock");
}

VOID HostReleasePushLock(PULONG_PTR PushLock, BOOLEAN Exclusive)
{
    PETHREAD Thread = HostCurrentThread();

    HostLockReleased(Thread, PushLock, Exclusive ? HostPushLockExclusive : HostPushLockShared,
                     DRIVER_VERIFIER_DETECTED_VIOLATION, "ExReleasePushLock");
    (VOID) __atomic_sub_fetch(PushLock, Exclusive ? HOST_PUSH_LOCK_EXCLUSIVE : HOST_PUSH_LOCK_SHARED, __ATOMIC_SEQ_CST);
    HostWake(PushLock);
    HostSwitchPoint("ExReleasePushLock has returned");
}

static BOOLEAN HostTakeSpinLock(PVOID Context)
{
    ULONG_PTR Free = HOST_FREE_SPIN_LOCK;

    return __atomic_compare_exchange_n((PKSPIN_LOCK)Context, &Free, HOST_HELD_SPIN_LOCK, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static VOID HostAcquireSpinLock(PETHREAD Thread, PKSPIN_LOCK SpinLock, const char *Routine)
{
    const ULONG_PTR Value = __atomic_load_n(SpinLock, __ATOMIC_SEQ_CST);

    if (Value != HOST_FREE_SPIN_LOCK && Value != HOST_HELD_SPIN_LOCK) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "the spin lock at %p was not initialised",
                      (PVOID)SpinLock);
    }
    if (HostIsHeld(Thread, SpinLock, HostSpinLock)) {
        HostViolation(SPIN_LOCK_ALREADY_OWNED, Routine, "this thread holds the spin lock at %p already",
                      (PVOID)SpinLock);
    }
    HostOrderLock(Thread, SpinLock, Routine);
    (VOID) HostWaitFor(SpinLock, HostTakeSpinLock, SpinLock, NULL);
    HostLockAcquired(Thread, SpinLock, HostSpinLock, Routine);
}

static VOID HostReleaseSpinLock(PETHREAD Thread, PKSPIN_LOCK SpinLock, const char *Routine)
{
    HostLockReleased(Thread, SpinLock, HostSpinLock, SPIN_LOCK_NOT_OWNED, Routine);
    __atomic_store_n(SpinLock, HOST_FREE_SPIN_LOCK, __ATOMIC_SEQ_CST);
    HostWake(SpinLock);
}

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    HostCheckNonPaged(SpinLock, "KeInitializeSpinLock");
    HostForgetLocks(SpinLock, sizeof(*SpinLock));
    __atomic_store_n(SpinLock, HOST_FREE_SPIN_LOCK, __ATOMIC_SEQ_CST);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    PETHREAD Thread = HostEnter(KeAcquireSpinLockRaiseToDpc);
    KIRQL OldIrql = KfRaiseIrql(DISPATCH_LEVEL);

    HostAcquireSpinLock(Thread, SpinLock, "KeAcquireSpinLockRaiseToDpc");
    return OldIrql;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    HostReleaseSpinLock(HostEnter(KeReleaseSpinLock), SpinLock, "KeReleaseSpinLock");
    KeLowerIrql(NewIrql);
    HostSwitchPoint("KeReleaseSpinLock has returned");
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    HostAcquireSpinLock(HostEnter(KeAcquireSpinLockAtDpcLevel), SpinLock, "KeAcquireSpinLockAtDpcLevel");
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    HostReleaseSpinLock(HostEnter(KeReleaseSpinLockFromDpcLevel), SpinLock, "KeReleaseSpinLockFromDpcLevel");
    HostSwitchPoint("KeReleaseSpinLockFromDpcLevel has returned");
}

/* A region is left, or the IRQL has fallen: no lock is held where a suspension could stop its owner. */
VOID HostLeaveApcRegion(PETHREAD Thread, const char *Routine)
{
    if (Thread->HeldLocks != 0 && !HostHoldsApcsBack(Thread)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "the lock at %p is held where APCs are delivered",
                      (const VOID *)Thread->Held[Thread->HeldLocks - 1].Lock);
    }
    HostDeliverApcs(Thread);
}

VOID KeEnterCriticalRegion(VOID)
{
    HostEnter(KeEnterCriticalRegion)->CriticalRegions++;
}

VOID KeLeaveCriticalRegion(VOID)
{
    PETHREAD Thread = HostEnter(KeLeaveCriticalRegion);

    if (Thread->CriticalRegions == 0) {
        HostViolation(APC_INDEX_MISMATCH, "KeLeaveCriticalRegion", "this thread is in no critical region");
    }
    Thread->CriticalRegions--;
    HostLeaveApcRegion(Thread, "KeLeaveCriticalRegion");
}

VOID KeEnterGuardedRegion(VOID)
{
    HostEnter(KeEnterGuardedRegion)->GuardedRegions++;
}

VOID KeLeaveGuardedRegion(VOID)
{
    PETHREAD Thread = HostEnter(KeLeaveGuardedRegion);

    if (Thread->GuardedRegions == 0) {
        HostViolation(APC_INDEX_MISMATCH, "KeLeaveGuardedRegion", "this thread is in no guarded region");
    }
    Thread->GuardedRegions--;
    HostLeaveApcRegion(Thread, "KeLeaveGuardedRegion");
}

/* Whether normal kernel APCs are disabled by a region; the IRQL, which holds them back as well, does not count. */
BOOLEAN KeAreApcsDisabled(VOID)
{
    PETHREAD Thread = HostEnter(KeAreApcsDisabled);

    return (BOOLEAN)(Thread->CriticalRegions != 0 || Thread->GuardedRegions != 0);
}

/* Whether special kernel APCs are held back too: by a guarded region or by the IRQL. */
BOOLEAN KeAreAllApcsDisabled(VOID)
{
    PETHREAD Thread = HostEnter(KeAreAllApcsDisabled);

    return (BOOLEAN)(Thread->GuardedRegions != 0 || Thread->Irql >= APC_LEVEL);
}
