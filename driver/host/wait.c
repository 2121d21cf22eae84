/* Waiting: parking by address, events, semaphores, delays. */
#include "kernel.h"

#define HOST_PARKING_LOTS 64
#define HOST_EVENT_NOTIFICATION 0
#define HOST_EVENT_SYNCHRONIZATION 1
#define HOST_SEMAPHORE 5
#define HOST_THREAD 6

typedef struct DECLSPEC_ALIGN(64) _HOST_PARKING_LOT {
    HOST_MUTEX Mutex;
    HOST_CONDITION Condition;
    volatile LONG Waiters;
} HOST_PARKING_LOT, *PHOST_PARKING_LOT;

static HOST_PARKING_LOT HostParkingLots[HOST_PARKING_LOTS];
static pthread_once_t HostParkingOnce = PTHREAD_ONCE_INIT;

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
    (VOID) InterlockedIncrement(&Lot->Waiters);
    for (;;) {
        Taken = Try(Context);
        if (Taken || !PlatformWait(&Lot->Condition, &Lot->Mutex, Deadline)) {
            break;
        }
    }
    (VOID) InterlockedDecrement(&Lot->Waiters);
    PlatformUnlock(&Lot->Mutex);
    return (BOOLEAN)(Taken || Try(Context));
}

VOID HostWake(const volatile VOID *Address)
{
    PHOST_PARKING_LOT Lot = HostParkingLotOf(Address);

    KeMemoryBarrier();
    if (ReadAcquire(&Lot->Waiters) != 0) {
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
    } else if (ReadAcquire(&Wait->Thread->Terminating) != 0 ||
               (Wait->Irp != NULL && __atomic_load_n(&Wait->Irp->Cancel, __ATOMIC_SEQ_CST))) {
        Wait->End = HostInterrupted;
    } else {
        return FALSE;
    }
    return TRUE;
}

HOST_WAIT_END HostWaitInterruptibly(const volatile VOID *Address, PHOST_TRY Try, PVOID Context,
                                    const LONGLONG *Deadline, PIRP Irp)
{
    PETHREAD Thread = HostCurrentThread();
    HOST_INTERRUPTIBLE Wait = {Thread, Irp, Try, Context, HostTimedOut};

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

LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    LONG Previous;

    (VOID) HostEnter(KeSetEvent);
    UNREFERENCED_PARAMETER(Increment);
    UNREFERENCED_PARAMETER(Wait);
    if (Event->Header.Type > HOST_EVENT_SYNCHRONIZATION) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "KeSetEvent", "%p is no event", (PVOID)Event);
    }
    Previous = InterlockedExchange(&Event->Header.SignalState, 1);
    HostWake(Event);
    return Previous;
}

LONG KeResetEvent(PRKEVENT Event)
{
    (VOID) HostEnter(KeResetEvent);
    return InterlockedExchange(&Event->Header.SignalState, 0);
}

VOID KeClearEvent(PRKEVENT Event)
{
    (VOID) HostEnter(KeClearEvent);
    (VOID) InterlockedExchange(&Event->Header.SignalState, 0);
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
    LONG Previous;

    (VOID) HostEnter(KeReleaseSemaphore);
    UNREFERENCED_PARAMETER(Increment);
    UNREFERENCED_PARAMETER(Wait);
    Previous = InterlockedExchangeAdd(&Semaphore->Header.SignalState, Adjustment);
    if (Adjustment <= 0 || Previous > Semaphore->Limit - Adjustment) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "KeReleaseSemaphore", "%d more than %d is above the limit %d",
                      Adjustment, Previous, Semaphore->Limit);
    }
    HostWake(Semaphore);
    return Previous;
}

static BOOLEAN HostTakeSignal(PVOID Context)
{
    DISPATCHER_HEADER *Header = Context;
    LONG State;

    if (Header->Type == HOST_EVENT_NOTIFICATION || Header->Type == HOST_THREAD) {
        return (BOOLEAN)(ReadAcquire(&Header->SignalState) != 0);
    }
    do {
        State = ReadAcquire(&Header->SignalState);
        if (State <= 0) {
            return FALSE;
        }
    } while (InterlockedCompareExchange(&Header->SignalState, State - 1, State) != State);
    return TRUE;
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

/*
 * IRQL <= APC_LEVEL, or DISPATCH_LEVEL with a time-out of zero. STATUS_SUCCESS, STATUS_TIMEOUT, or STATUS_USER_APC when a wait in
 * UserMode ends because the thread does.
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout)
{
    DISPATCHER_HEADER *Header = Object;
    LONGLONG Deadline;
    HOST_WAIT_END End;

    HostCheckWait(HostEnter(KeWaitForSingleObject), Header, Timeout, "KeWaitForSingleObject");
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(Alertable);
    if (Timeout != NULL && Timeout->QuadPart == 0) {
        return HostTakeSignal(Header) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    }
    if (Timeout != NULL) {
        Deadline = HostDeadline(Timeout);
    }
    if (WaitMode == KernelMode) {
        return HostWaitFor(Header, HostTakeSignal, Header, Timeout != NULL ? &Deadline : NULL) ? STATUS_SUCCESS
                                                                                               : STATUS_TIMEOUT;
    }
    End = HostWaitInterruptibly(Header, HostTakeSignal, Header, Timeout != NULL ? &Deadline : NULL, NULL);
    return End == HostSatisfied ? STATUS_SUCCESS : End == HostTimedOut ? STATUS_TIMEOUT : STATUS_USER_APC;
}

/*
 * IRQL <= APC_LEVEL, PASSIVE_LEVEL with a request. STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_THREAD_IS_TERMINATING, or STATUS_CANCELLED when
 * Irp, which the caller holds and which has no cancel routine, is cancelled. [ntifs/nf-ntifs-fsrtlcancellablewaitforsingleobject]
 */
NTSTATUS HostCancellableWait(PVOID Object, PLARGE_INTEGER Timeout, PIRP Irp)
{
    PETHREAD Thread = HostEnter(FsRtlCancellableWaitForSingleObject);
    DISPATCHER_HEADER *Header = Object;
    LONGLONG Deadline;
    HOST_WAIT_END End;

    HostCheckWait(Thread, Header, Timeout, "FsRtlCancellableWaitForSingleObject");
    if (Irp != NULL) {
        if (Thread->Irql != PASSIVE_LEVEL) {
            HostViolation(IRQL_NOT_LESS_OR_EQUAL, "FsRtlCancellableWaitForSingleObject",
                          "called with a request at IRQL %u", Thread->Irql);
        }
        HostCheckHeldIrp(Irp, "FsRtlCancellableWaitForSingleObject");
    }
    if (Timeout != NULL && Timeout->QuadPart == 0) {
        return HostTakeSignal(Header) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    }
    if (Timeout != NULL) {
        Deadline = HostDeadline(Timeout);
    }
    End = HostWaitInterruptibly(Header, HostTakeSignal, Header, Timeout != NULL ? &Deadline : NULL, Irp);
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

    UNREFERENCED_PARAMETER(Alertable);
    if (WaitMode == KernelMode) {
        (VOID) HostWaitFor(Thread, HostNever, NULL, &Deadline);
        return STATUS_SUCCESS;
    }
    return HostWaitInterruptibly(Thread, HostNever, NULL, &Deadline, NULL) == HostInterrupted ? STATUS_USER_APC
                                                                                              : STATUS_SUCCESS;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = PlatformSystemTime();
}

ULONGLONG KeQueryInterruptTime(VOID)
{
    return (ULONGLONG)PlatformInterruptTime();
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER Now;

    if (PerformanceFrequency != NULL) {
        PerformanceFrequency->QuadPart = 1000000000;
    }
    Now.QuadPart = PlatformNanoseconds();
    return Now;
}
