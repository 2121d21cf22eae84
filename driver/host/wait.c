/* Waiting: parking by address, events, semaphores, delays. */
#include "kernel.h"

#define HOST_PARKING_LOTS 64
#define HOST_EVENT_NOTIFICATION 0
#define HOST_EVENT_SYNCHRONIZATION 1
#define HOST_SEMAPHORE 5
#define HOST_THREAD 6
#define HOST_SCHEDULE_EPOCH 132223104000000000 /* 2020-01-01: when kernels that are in a schedule begin */

typedef struct DECLSPEC_ALIGN(64) _HOST_PARKING_LOT {
    HOST_MUTEX Mutex;
    HOST_CONDITION Condition;
    volatile LONG Waiters;
    volatile ULONG Addresses; /* a bit for each address that is waited for, or more */
} HOST_PARKING_LOT, *PHOST_PARKING_LOT;

static HOST_PARKING_LOT HostParkingLots[HOST_PARKING_LOTS] HOST_KEPT;
static ULONG64 HostStoppedLots HOST_KEPT; /* a bit for each whose mutex HostStopWaiters holds */
static pthread_once_t HostParkingOnce HOST_KEPT = PTHREAD_ONCE_INIT;

C_ASSERT(HOST_PARKING_LOTS <= 64);

static void HostStartParking(void)
{
    for (ULONG Index = 0; Index < HOST_PARKING_LOTS; Index++) {
        PlatformInitializeMutex(&HostParkingLots[Index].Mutex);
        PlatformInitializeCondition(&HostParkingLots[Index].Condition);
    }
}

static PHOST_PARKING_LOT HostParkingLotOf(const volatile VOID *Address)
{
    ULONG_PTR Value = (ULONG_PTR)Address;

    return &HostParkingLots[((Value >> 4) ^ (Value >> 12)) % HOST_PARKING_LOTS];
}

static ULONG HostAddressBit(const volatile VOID *Address)
{
    return 1u << ((ULONG_PTR)Address >> 18 ^ (ULONG_PTR)Address >> 10 ^ (ULONG_PTR)Address >> 3) % 32;
}

/* Lots in which nobody waits stay open: who waits already gets into none of them. */
ULONG HostStopWaiters(VOID)
{
    ULONG Waiters = 0;

    (void)pthread_once(&HostParkingOnce, HostStartParking);
    for (ULONG Index = 0; Index < HOST_PARKING_LOTS; Index++) {
        if (ReadAcquire(&HostParkingLots[Index].Waiters) != 0) {
            PlatformLock(&HostParkingLots[Index].Mutex);
            HostStoppedLots |= 1ull << Index;
            Waiters += (ULONG)ReadNoFence(&HostParkingLots[Index].Waiters);
        }
    }
    return Waiters;
}

VOID HostReleaseWaiters(VOID)
{
    for (ULONG Index = 0; Index < HOST_PARKING_LOTS; Index++) {
        if ((HostStoppedLots & 1ull << Index) != 0) {
            PlatformUnlock(&HostParkingLots[Index].Mutex);
        }
    }
    HostStoppedLots = 0;
}

BOOLEAN HostWaitFor(const volatile VOID *Address, PHOST_TRY Try, PVOID Context, const LONGLONG *Deadline)
{
    PETHREAD Thread = HostCurrentThread();
    PHOST_PARKING_LOT Lot = HostParkingLotOf(Address);
    BOOLEAN Taken = FALSE;

    if (Try(Context)) {
        return TRUE;
    }
    if (Thread->Participant != NULL) {
        return HostScheduleWait(Thread, Address, Try, Context, (BOOLEAN)(Deadline != NULL));
    }
    (void)pthread_once(&HostParkingOnce, HostStartParking);
    PlatformLock(&Lot->Mutex);
    __atomic_store_n(&Lot->Addresses, Lot->Addresses | HostAddressBit(Address), __ATOMIC_RELAXED);
    (VOID) InterlockedIncrement(&Lot->Waiters);
    for (;;) {
        Taken = Try(Context);
        if (Taken || !PlatformWait(&Lot->Condition, &Lot->Mutex, Deadline)) {
            break;
        }
    }
    if (InterlockedDecrement(&Lot->Waiters) == 0) {
        __atomic_store_n(&Lot->Addresses, 0, __ATOMIC_RELAXED);
    }
    PlatformUnlock(&Lot->Mutex);
    return (BOOLEAN)(Taken || Try(Context));
}

VOID HostWake(const volatile VOID *Address)
{
    PHOST_PARKING_LOT Lot = HostParkingLotOf(Address);

    KeMemoryBarrier();
    if (ReadAcquire(&Lot->Waiters) != 0 &&
        (__atomic_load_n(&Lot->Addresses, __ATOMIC_RELAXED) & HostAddressBit(Address)) != 0) {
        PlatformLock(&Lot->Mutex);
        PlatformSignalAll(&Lot->Condition);
        PlatformUnlock(&Lot->Mutex);
    }
    if (ReadAcquire(&HostScheduleActive) != 0) {
        HostScheduleWake(Address);
    }
}

typedef struct _HOST_INTERRUPTIBLE {
    PETHREAD Thread;
    BOOLEAN Interruptible;
    PIRP Irp;
    PHOST_TRY Try;
    PVOID Context;
    HOST_WAIT_END End;
} HOST_INTERRUPTIBLE;

/* What is waited for comes first: a thread that ends does not lose what it was given. */
static BOOLEAN HostTryInterruptibly(PVOID Context)
{
    HOST_INTERRUPTIBLE *Wait = Context;

    if (Wait->Try(Wait->Context)) {
        Wait->End = HostSatisfied;
    } else if ((Wait->Interruptible && ReadAcquire(&Wait->Thread->Terminating) != 0) ||
               (Wait->Irp != NULL && __atomic_load_n(&Wait->Irp->Cancel, __ATOMIC_SEQ_CST))) {
        Wait->End = HostInterrupted;
    } else if (ReadAcquire(&Wait->Thread->Suspensions) != 0 && ReadAcquire(&Wait->Thread->Terminating) == 0 &&
               !HostHoldsApcsBack(Wait->Thread)) {
        Wait->End = HostToBeSuspended;
    } else {
        return FALSE;
    }
    return TRUE;
}

HOST_WAIT_END HostWaitInterruptibly(const volatile VOID *Address, PHOST_TRY Try, PVOID Context,
                                    const LONGLONG *Deadline, BOOLEAN Interruptible, PIRP Irp)
{
    PETHREAD Thread = HostCurrentThread();
    HOST_INTERRUPTIBLE Wait = {Thread, Interruptible, Irp, Try, Context, HostTimedOut};

    __atomic_store_n(&Thread->WaitAddress, Address, __ATOMIC_SEQ_CST);
    if (Irp != NULL) {
        __atomic_store_n(&HostIrpOf(Irp)->WaitAddress, Address, __ATOMIC_SEQ_CST);
    }
    (VOID) HostWaitFor(Address, HostTryInterruptibly, &Wait, Deadline);
    if (Irp != NULL) {
        __atomic_store_n(&HostIrpOf(Irp)->WaitAddress, NULL, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&Thread->WaitAddress, NULL, __ATOMIC_SEQ_CST);
    return Wait.End;
}

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Header.Type = Type == NotificationEvent ? HOST_EVENT_NOTIFICATION : HOST_EVENT_SYNCHRONIZATION;
    Event->Header.Signalling = 0;
    Event->Header.Size = sizeof(KEVENT) / sizeof(LONG);
    Event->Header.Reserved1 = 0;
    WriteRelease(&Event->Header.SignalState, State ? 1 : 0);
    InitializeListHead(&Event->Header.WaitListHead);
}

/* A thread that waits for an object. It is on the object's list, under the object's parking lot, until it is satisfied or gives up. */
typedef struct _HOST_WAIT_BLOCK {
    LIST_ENTRY Links;
    volatile LONG Satisfied;
} HOST_WAIT_BLOCK, *PHOST_WAIT_BLOCK;

static PHOST_PARKING_LOT HostLockObject(DISPATCHER_HEADER *Header)
{
    PHOST_PARKING_LOT Lot = HostParkingLotOf(Header);

    (void)pthread_once(&HostParkingOnce, HostStartParking);
    PlatformLock(&Lot->Mutex);
    return Lot;
}

/* Lot held. Takes what a wait takes; FALSE when the object is not signalled. */
static BOOLEAN HostTakeSignal(DISPATCHER_HEADER *Header)
{
    LONG State = Header->SignalState;

    if (State <= 0) {
        return FALSE;
    }
    if (Header->Type == HOST_EVENT_SYNCHRONIZATION || Header->Type == HOST_SEMAPHORE) {
        WriteRelease(&Header->SignalState, State - 1);
    }
    return TRUE;
}

/*
 * Raises the object's state, and satisfies at once, the oldest first, the waits that it is enough for: what is set is given to those who
 * wait now, whatever becomes of the object. The object may be gone on return. The state before.
 */
static LONG HostRaiseSignal(DISPATCHER_HEADER *Header, LONG Adjustment, LONG Limit)
{
    PHOST_PARKING_LOT Lot = HostLockObject(Header);
    LONG Previous = Header->SignalState;
    BOOLEAN Satisfied = FALSE;

    WriteRelease(&Header->SignalState, (LONG)min((LONG64)Previous + Adjustment, Limit));
    while (!IsListEmpty(&Header->WaitListHead) && HostTakeSignal(Header)) {
        PHOST_WAIT_BLOCK Block = CONTAINING_RECORD(RemoveHeadList(&Header->WaitListHead), HOST_WAIT_BLOCK, Links);

        WriteRelease(&Block->Satisfied, 1);
        Satisfied = TRUE;
    }
    PlatformUnlock(&Lot->Mutex);
    if (Satisfied) {
        HostWake(Header);
    }
    return Previous;
}

LONG HostSignal(PVOID Object)
{
    return HostRaiseSignal(Object, 1, 1);
}

static LONG HostResetSignal(DISPATCHER_HEADER *Header)
{
    PHOST_PARKING_LOT Lot = HostLockObject(Header);
    LONG Previous = Header->SignalState;

    WriteRelease(&Header->SignalState, 0);
    PlatformUnlock(&Lot->Mutex);
    return Previous;
}

/* What is set with Wait is set at a raised IRQL, which KeWaitForSingleObject, the next that is called, brings back. <= APC_LEVEL then. */
static VOID HostRaiseUntilWait(PETHREAD Thread, const char *Routine)
{
    if (Thread->Irql > APC_LEVEL || Thread->WaitsNext) {
        HostViolation(IRQL_NOT_LESS_OR_EQUAL, Routine, "called with Wait at IRQL %u", Thread->Irql);
    }
    Thread->WaitsNext = TRUE;
    Thread->WaitIrql = Thread->Irql;
    Thread->Irql = DISPATCH_LEVEL;
}

/* IRQL <= DISPATCH_LEVEL, <= APC_LEVEL with Wait: the IRQL is not lowered then, and a wait follows. [wdm/nf-wdm-kesetevent] */
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    PETHREAD Thread = HostEnter(KeSetEvent);
    LONG Previous;

    UNREFERENCED_PARAMETER(Increment);
    if (Event->Header.Type > HOST_EVENT_SYNCHRONIZATION) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "KeSetEvent", "%p is no event", (PVOID)Event);
    }
    Previous = HostSignal(Event);
    if (Wait) {
        HostRaiseUntilWait(Thread, "KeSetEvent");
    }
    return Previous;
}

LONG KeResetEvent(PRKEVENT Event)
{
    (VOID) HostEnter(KeResetEvent);
    return HostResetSignal(&Event->Header);
}

VOID KeClearEvent(PRKEVENT Event)
{
    (VOID) HostEnter(KeClearEvent);
    (VOID) HostResetSignal(&Event->Header);
}

LONG KeReadStateEvent(PRKEVENT Event)
{
    (VOID) HostEnter(KeReadStateEvent);
    return ReadAcquire(&Event->Header.SignalState);
}

VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    (VOID) HostEnter(KeInitializeSemaphore);
    Semaphore->Header.Type = HOST_SEMAPHORE;
    Semaphore->Header.Signalling = 0;
    Semaphore->Header.Size = sizeof(KSEMAPHORE) / sizeof(LONG);
    Semaphore->Header.Reserved1 = 0;
    WriteRelease(&Semaphore->Header.SignalState, Count);
    InitializeListHead(&Semaphore->Header.WaitListHead);
    Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    PETHREAD Thread = HostEnter(KeReleaseSemaphore);
    LONG Limit = Semaphore->Limit;
    LONG Previous;

    UNREFERENCED_PARAMETER(Increment);
    Previous = HostRaiseSignal(&Semaphore->Header, Adjustment, Limit);
    if (Adjustment <= 0 || Previous > Limit - Adjustment) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "KeReleaseSemaphore", "%d more than %d is above the limit %d",
                      Adjustment, Previous, Limit);
    }
    if (Wait) {
        HostRaiseUntilWait(Thread, "KeReleaseSemaphore");
    }
    return Previous;
}

/* A relative time-out is negative; one of zero only looks. */
static LONGLONG HostDeadline(const LARGE_INTEGER *Timeout)
{
    LONGLONG Now = PlatformInterruptTime();

    if (Timeout->QuadPart <= 0) {
        return Now - Timeout->QuadPart;
    }
    return Now + (Timeout->QuadPart - PlatformSystemTime());
}

static VOID HostCheckWait(PETHREAD Thread, DISPATCHER_HEADER *Header, const LARGE_INTEGER *Timeout, const char *Routine)
{
    if (Header->Type > HOST_EVENT_SYNCHRONIZATION && Header->Type != HOST_SEMAPHORE && Header->Type != HOST_THREAD) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "%p is no dispatcher object", (PVOID)Header);
    }
    if (Thread->Irql > APC_LEVEL && (Timeout == NULL || Timeout->QuadPart != 0)) {
        HostViolation(IRQL_NOT_LESS_OR_EQUAL, Routine, "waits at IRQL %u", Thread->Irql);
    }
}

static BOOLEAN HostIsSatisfied(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PHOST_WAIT_BLOCK)Context)->Satisfied) != 0);
}

/*
 * Waits for an object until Timeout, if there is one. An Interruptible wait ends with its thread, and with a request that is cancelled. A
 * thread that is suspended meanwhile does not wait until it is resumed: what is set in the meantime is for others.
 */
static HOST_WAIT_END HostWaitForObject(DISPATCHER_HEADER *Header, const LARGE_INTEGER *Timeout, BOOLEAN Interruptible,
                                       PIRP Irp)
{
    HOST_WAIT_BLOCK Block = {0};
    BOOLEAN Waits = (BOOLEAN)(Timeout == NULL || Timeout->QuadPart != 0);
    LONGLONG Deadline = Timeout != NULL ? HostDeadline(Timeout) : 0;
    const LONGLONG *Until = Timeout != NULL ? &Deadline : NULL;
    BOOLEAN Satisfied;
    HOST_WAIT_END End;
    PHOST_PARKING_LOT Lot;

    do {
        End = HostTimedOut;
        Lot = HostLockObject(Header);
        Satisfied = HostTakeSignal(Header);
        if (!Satisfied && Waits) {
            InsertTailList(&Header->WaitListHead, &Block.Links);
        }
        PlatformUnlock(&Lot->Mutex);
        if (!Satisfied && Waits) {
            End = HostWaitInterruptibly(Header, HostIsSatisfied, &Block, Until, Interruptible, Irp);
            PlatformLock(&Lot->Mutex);
            Satisfied = HostIsSatisfied(&Block);
            if (!Satisfied) {
                (VOID) RemoveEntryList(&Block.Links);
            }
            PlatformUnlock(&Lot->Mutex);
        }
        if (!Satisfied && End == HostToBeSuspended) {
            HostDeliverApcs(HostCurrentThread());
        }
    } while (!Satisfied && End == HostToBeSuspended);
    if (Satisfied && Header->Type == HOST_THREAD) {
        HostThreadAwaited((PETHREAD)Header);
    }
    return Satisfied ? HostSatisfied : End;
}

/* A kernel stack has no more bytes than that on any machine. */
#define HOST_KERNEL_STACK_BYTES ((ULONG_PTR)24 << 10)

/* Whether an object lies on the stack that the caller runs on, or where AddressSanitizer has what would lie there. */
static __attribute__((noinline)) BOOLEAN HostIsOnStack(const VOID *Object)
{
    const VOID *Frame = __builtin_frame_address(0);

    return (BOOLEAN)(PlatformIsOnFakeStack(Object) || ((ULONG_PTR)Object - (ULONG_PTR)Frame < HOST_KERNEL_STACK_BYTES &&
                                                       PlatformIsOnStack(Frame, Object)));
}

/*
 * IRQL <= APC_LEVEL, or DISPATCH_LEVEL with a time-out of zero, or after what was set with Wait. STATUS_SUCCESS, STATUS_TIMEOUT, or
 * STATUS_USER_APC when a wait in UserMode ends because the thread does. The stack of a thread that waits in UserMode may be paged out, and
 * with it an object that lies there, which whoever sets it touches. [wdm/nf-wdm-kewaitforsingleobject]
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout)
{
    PETHREAD Thread = HostEnter(KeWaitForSingleObject);
    HOST_WAIT_END End;

    if (Thread->WaitsNext) {
        Thread->WaitsNext = FALSE;
        Thread->Irql = Thread->WaitIrql;
    }
    HostCheckWait(Thread, Object, Timeout, "KeWaitForSingleObject");
    if (WaitMode != KernelMode && HostIsOnStack(Object)) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "KeWaitForSingleObject",
                      "waits in UserMode for an object on the stack");
    }
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(Alertable);
    End = HostWaitForObject(Object, Timeout, (BOOLEAN)(WaitMode != KernelMode), NULL);
    return End == HostSatisfied ? STATUS_SUCCESS : End == HostTimedOut ? STATUS_TIMEOUT : STATUS_USER_APC;
}

/*
 * IRQL <= APC_LEVEL, PASSIVE_LEVEL with a request. STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_THREAD_IS_TERMINATING, or STATUS_CANCELLED when
 * Irp, which the caller holds and which has no cancel routine, is cancelled. [ntifs/nf-ntifs-fsrtlcancellablewaitforsingleobject]
 */
NTSTATUS HostCancellableWait(PVOID Object, PLARGE_INTEGER Timeout, PIRP Irp)
{
    PETHREAD Thread = HostEnter(FsRtlCancellableWaitForSingleObject);
    HOST_WAIT_END End;

    HostCheckWait(Thread, Object, Timeout, "FsRtlCancellableWaitForSingleObject");
    if (Irp != NULL) {
        if (Thread->Irql != PASSIVE_LEVEL) {
            HostViolation(IRQL_NOT_LESS_OR_EQUAL, "FsRtlCancellableWaitForSingleObject",
                          "called with a request at IRQL %u", Thread->Irql);
        }
        HostCheckHeldIrp(Irp, "FsRtlCancellableWaitForSingleObject");
    }
    End = HostWaitForObject(Object, Timeout, TRUE, Irp);
    if (End != HostInterrupted) {
        return End == HostSatisfied ? STATUS_SUCCESS : STATUS_TIMEOUT;
    }
    return ReadAcquire(&Thread->Terminating) != 0 ? STATUS_THREAD_IS_TERMINATING : STATUS_CANCELLED;
}

static BOOLEAN HostNever(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return FALSE;
}

/* IRQL <= APC_LEVEL. STATUS_SUCCESS, or STATUS_USER_APC when a wait in UserMode ends because the thread does. */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    PETHREAD Thread = HostEnter(KeDelayExecutionThread);
    LONGLONG Deadline = HostDeadline(Interval);
    HOST_WAIT_END End;

    UNREFERENCED_PARAMETER(Alertable);
    do {
        End = HostWaitInterruptibly(Thread, HostNever, NULL, &Deadline, (BOOLEAN)(WaitMode != KernelMode), NULL);
        HostDeliverApcs(Thread);
    } while (End == HostToBeSuspended);
    return End == HostInterrupted ? STATUS_USER_APC : STATUS_SUCCESS;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    LONGLONG Time;

    CurrentTime->QuadPart = HostScheduleTime(&Time) ? HOST_SCHEDULE_EPOCH + Time : PlatformSystemTime();
}

ULONGLONG KeQueryInterruptTime(VOID)
{
    LONGLONG Time;

    return (ULONGLONG)(HostScheduleTime(&Time) ? Time : PlatformInterruptTime());
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER Now;
    LONGLONG Time;

    if (PerformanceFrequency != NULL) {
        PerformanceFrequency->QuadPart = 1000000000;
    }
    Now.QuadPart = HostScheduleTime(&Time) ? Time * 100 : PlatformNanoseconds();
    return Now;
}
