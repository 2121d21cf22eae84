/* Threads: what the kernel knows of each, the locks it holds, and the kernel's own threads. */
#include "kernel.h"

HOST_THREAD_LOCAL PETHREAD HostThisThread;

static HOST_MUTEX HostThreadsMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostThreads = {&HostThreads, &HostThreads};
static LONG64 HostEndedIrpBalance; /* of threads that have ended; under HostThreadsMutex */
static volatile LONG64 HostNextThreadId = 4;
static LIST_ENTRY HostSystemThreads = {&HostSystemThreads, &HostSystemThreads};

typedef struct _HOST_SYSTEM_THREAD {
    LIST_ENTRY Links;
    pthread_t Native;
} HOST_SYSTEM_THREAD, *PHOST_SYSTEM_THREAD;

VOID HostMarkTerminating(PETHREAD Thread, LONG Reason)
{
    const volatile VOID *Address;

    (VOID) InterlockedOr(&Thread->Terminating, Reason);
    Address = __atomic_load_n(&Thread->WaitAddress, __ATOMIC_SEQ_CST);
    if (Address != NULL) {
        HostWake(Address);
    }
    HostWake(&Thread->Suspensions);
}

static BOOLEAN HostGoesOn(PVOID Context)
{
    PETHREAD Thread = Context;

    return (BOOLEAN)(ReadAcquire(&Thread->Suspensions) == 0 || ReadAcquire(&Thread->Terminating) != 0);
}

/* The calling thread is suspended: it stops here until it is resumed or is to end. */
VOID HostStopSuspended(PETHREAD Thread)
{
    if (HostGoesOn(Thread)) {
        return;
    }
    WriteRelease(&Thread->Suspended, 1);
    (VOID) HostWaitFor(&Thread->Suspensions, HostGoesOn, Thread, NULL);
    WriteRelease(&Thread->Suspended, 0);
}

VOID HostSuspendThread(PETHREAD Thread)
{
    const volatile VOID *Address;

    (VOID) HostCheckObject(Thread, "HostSuspendThread");
    (VOID) InterlockedIncrement(&Thread->Suspensions);
    Address = __atomic_load_n(&Thread->WaitAddress, __ATOMIC_SEQ_CST);
    if (Address != NULL) {
        HostWake(Address);
    }
}

VOID HostResumeThread(PETHREAD Thread)
{
    (VOID) HostCheckObject(Thread, "HostResumeThread");
    if (InterlockedDecrement(&Thread->Suspensions) < 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostResumeThread", "the thread is not suspended");
    }
    HostWake(&Thread->Suspensions);
}

BOOLEAN HostIsThreadSuspended(PETHREAD Thread)
{
    PETHREAD Current = HostCurrentThread();

    if (Current->Participant != NULL) {
        HostScheduleYield(Current, "HostIsThreadSuspended");
    }
    return (BOOLEAN)(ReadAcquire(&Thread->Suspended) != 0);
}

VOID HostTerminateThread(PETHREAD Thread)
{
    (VOID) HostCheckObject(Thread, "HostTerminateThread");
    HostMarkTerminating(Thread, HOST_TERMINATING_THREAD);
    if (__atomic_load_n(&Thread->ServiceDepth, __ATOMIC_SEQ_CST) == 0) {
        HostCancelThreadIrps(Thread, NULL, NULL);
    }
}

VOID HostEndThread(PVOID Context)
{
    PETHREAD Thread = Context;

    HostThisThread = Thread;
    HostMarkTerminating(Thread, HOST_TERMINATING_THREAD);
    HostCancelThreadIrps(Thread, NULL, NULL);
    while (HostHasIrps(Thread, NULL)) {
        HostPause(Thread);
    }
    HostRemoveThread(Thread);
    HostThisThread = NULL;
    HostDereferenceRaw(Thread, "thread exit");
}

static VOID HostAdoptThread(PETHREAD Thread)
{
    Thread->Id = (HANDLE)(ULONG_PTR)InterlockedExchangeAdd64(&HostNextThreadId, 4);
    Thread->PreviousMode = KernelMode;
    PlatformInitializeMutex(&Thread->IrpMutex);
    InitializeListHead(&Thread->Irps);
    InitializeListHead(&Thread->Header.WaitListHead);
    PlatformLock(&HostThreadsMutex);
    InsertTailList(&HostThreads, &Thread->Links);
    PlatformUnlock(&HostThreadsMutex);
}

PETHREAD HostCreateScheduledThread(VOID)
{
    PETHREAD Thread;

    (VOID) HostCreateObject(&HostThreadType, sizeof(*Thread), (PVOID *)&Thread);
    HostAdoptThread(Thread);
    HostThisThread = Thread;
    return Thread;
}

PETHREAD HostCreateThread(VOID)
{
    PETHREAD Thread = HostCreateScheduledThread();

    PlatformAtThreadExit(HostEndThread, Thread);
    return Thread;
}

static VOID HostAttributeThread(PETHREAD Thread, PDRIVER_OBJECT Maker)
{
    if (Maker != NULL) {
        Thread->Maker = Maker;
        (VOID) InterlockedIncrement(HostThreadsOf(Maker));
    }
}

VOID HostThreadAwaited(PETHREAD Thread)
{
    PDRIVER_OBJECT Maker = InterlockedExchangePointer((PVOID volatile *)&Thread->Maker, NULL);

    if (Maker != NULL) {
        (VOID) InterlockedDecrement(HostThreadsOf(Maker));
    }
}

VOID HostRemoveThread(PETHREAD Thread)
{
    HostFlushIrpCache(Thread);
    PlatformLock(&HostThreadsMutex);
    (VOID) RemoveEntryList(&Thread->Links);
    HostEndedIrpBalance += Thread->IrpBalance;
    PlatformUnlock(&HostThreadsMutex);
}

/* The last reference has gone: whoever keeps a thread that has ended may still ask it to. */
VOID HostDeleteThread(PVOID Object)
{
    PlatformDeleteMutex(&((PETHREAD)Object)->IrpMutex);
}

VOID HostVisitThreads(PHOST_THREAD_VISITOR Visitor, PVOID Context)
{
    PlatformLock(&HostThreadsMutex);
    for (PLIST_ENTRY Entry = HostThreads.Flink; Entry != &HostThreads; Entry = Entry->Flink) {
        Visitor(CONTAINING_RECORD(Entry, struct _ETHREAD, Links), Context);
    }
    PlatformUnlock(&HostThreadsMutex);
}

static VOID HostAddLocks(PETHREAD Thread, PVOID Context)
{
    *(PULONG64)Context += (ULONG64)ReadNoFence(&Thread->HeldLocks);
}

ULONG64 HostCountLocks(VOID)
{
    ULONG64 Count = 0;

    HostVisitThreads(HostAddLocks, &Count);
    return Count;
}

static VOID HostAddIrps(PETHREAD Thread, PVOID Context)
{
    *(PLONG64)Context += ReadNoFence64(&Thread->IrpBalance);
}

LONG64 HostCountIrps(VOID)
{
    LONG64 Count = 0;

    HostVisitThreads(HostAddIrps, &Count);
    PlatformLock(&HostThreadsMutex);
    Count += HostEndedIrpBalance;
    PlatformUnlock(&HostThreadsMutex);
    return Count;
}

VOID HostLockAcquired(PETHREAD Thread, const volatile VOID *Lock, HOST_LOCK_KIND Kind, const char *Routine)
{
    LONG Count = Thread->HeldLocks;

    if (Count == HOST_MAXIMUM_HELD_LOCKS) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "more than %d locks held by one thread",
                      HOST_MAXIMUM_HELD_LOCKS);
    }
    Thread->Held[Count].Lock = Lock;
    Thread->Held[Count].Kind = Kind;
    if (Kind == HostSpinLock) {
        Thread->SpinCalls = Thread->SpinLocks == 0 ? 0 : Thread->SpinCalls;
        Thread->SpinLocks++;
    }
    WriteNoFence(&Thread->HeldLocks, Count + 1);
    (VOID) __atomic_fetch_add(&HostContextWork.Acquisitions, 1, __ATOMIC_RELAXED);
}

VOID HostLockReleased(PETHREAD Thread, const volatile VOID *Lock, HOST_LOCK_KIND Kind, ULONG BugCheckCode,
                      const char *Routine)
{
    LONG Count = Thread->HeldLocks;
    LONG Index = Count - 1;

    while (Index >= 0 && (Thread->Held[Index].Lock != Lock || Thread->Held[Index].Kind != Kind)) {
        Index--;
    }
    if (Index < 0) {
        HostViolation(BugCheckCode, Routine, "the lock at %p is not held by this thread", (const VOID *)Lock);
    }
    for (; Index + 1 < Count; Index++) {
        Thread->Held[Index] = Thread->Held[Index + 1];
    }
    Thread->SpinLocks -= Kind == HostSpinLock;
    WriteNoFence(&Thread->HeldLocks, Count - 1);
    if (Count == 1) {
        Thread->Removals = 0;
    }
}

/* What a thread does under a spin lock others burn their time for: counted in calls, so that it depends on no clock. */
VOID HostCountSpinCall(PETHREAD Thread, const char *Routine)
{
    Thread->SpinCalls++;
    if (Thread->SpinCalls > HOST_MAXIMUM_SPIN_CALLS) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "a spin lock is held for more than %d kernel calls",
                      HOST_MAXIMUM_SPIN_CALLS);
    }
}

BOOLEAN HostIsHeld(PETHREAD Thread, const volatile VOID *Lock, HOST_LOCK_KIND Kind)
{
    for (LONG Index = 0; Index < Thread->HeldLocks; Index++) {
        if (Thread->Held[Index].Lock == Lock && Thread->Held[Index].Kind == Kind) {
            return TRUE;
        }
    }
    return FALSE;
}

PKTHREAD KeGetCurrentThread(VOID)
{
    return (PKTHREAD)HostCurrentThread();
}

PETHREAD PsGetCurrentThread(VOID)
{
    return HostCurrentThread();
}

HANDLE PsGetCurrentThreadId(VOID)
{
    return HostCurrentThread()->Id;
}

/* IRQL <= DISPATCH_LEVEL. [ntddk/nf-ntddk-psisthreadterminating] */
BOOLEAN PsIsThreadTerminating(PETHREAD Thread)
{
    (VOID) HostEnter(PsIsThreadTerminating);
    return (BOOLEAN)(ReadAcquire(&Thread->Terminating) != 0);
}

KPROCESSOR_MODE ExGetPreviousMode(VOID)
{
    return HostEnter(ExGetPreviousMode)->PreviousMode;
}

/*
 * A thread that returns to user mode leaves nothing behind: checked when a client's service ends, and when one of the kernel's
 * own threads does.
 */
static VOID HostEndSystemThread(PETHREAD Thread)
{
    if (Thread->Irql != PASSIVE_LEVEL || Thread->HeldLocks != 0 || Thread->CriticalRegions != 0) {
        HostViolation(IRQL_GT_ZERO_AT_SYSTEM_SERVICE, "PsTerminateSystemThread",
                      "ends at IRQL %u with %d locks and %d critical regions", Thread->Irql, Thread->HeldLocks,
                      Thread->CriticalRegions);
    }
    (VOID) HostSignal(Thread);
}

static VOID HostRunSystemThread(PVOID Context)
{
    PETHREAD Thread = Context;

    HostThisThread = Thread;
    PlatformAtThreadExit(HostEndThread, Thread);
    Thread->StartRoutine(Thread->StartContext);
    HostEndSystemThread(Thread);
}

static VOID HostRunScheduledSystemThread(PVOID Context)
{
    PETHREAD Thread = Context;

    Thread->StartRoutine(Thread->StartContext);
    HostEndSystemThread(Thread);
}

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                              PVOID StartContext)
{
    PDRIVER_OBJECT Maker = HostEnter(PsCreateSystemThread)->Starting;
    PETHREAD Thread = NULL;
    PHOST_SYSTEM_THREAD Started = NULL;
    NTSTATUS Status;

    if (ObjectAttributes != NULL && ObjectAttributes->Length != sizeof(*ObjectAttributes)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (ProcessHandle != NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    Status = HostCreateObject(&HostThreadType, sizeof(*Thread), (PVOID *)&Thread);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    HostAdoptThread(Thread);
    Thread->SystemThread = TRUE;
    Thread->StartRoutine = StartRoutine;
    Thread->StartContext = StartContext;
    Thread->Header.Type = 6;
    if (ClientId != NULL) {
        ClientId->UniqueProcess = PsGetProcessId(PsInitialSystemProcess);
        ClientId->UniqueThread = Thread->Id;
    }
    HostAttributeThread(Thread, Maker);
    *ThreadHandle = HostCreateHandle(Thread, DesiredAccess, OBJ_KERNEL_HANDLE);
    if (HostScheduleStart(HostRunScheduledSystemThread, Thread, Thread)) {
        return STATUS_SUCCESS;
    }
    Started = PlatformAllocate(sizeof(*Started));
    if (!PlatformStartThread(HostRunSystemThread, Thread, &Started->Native)) {
        PlatformFree(Started);
        HostThreadAwaited(Thread);
        (VOID) HostCloseHandle(*ThreadHandle, KernelMode);
        HostRemoveThread(Thread);
        HostDereferenceRaw(Thread, "PsCreateSystemThread");
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PlatformLock(&HostThreadsMutex);
    InsertTailList(&HostSystemThreads, &Started->Links);
    PlatformUnlock(&HostThreadsMutex);
    return STATUS_SUCCESS;
}

VOID PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    PETHREAD Thread = HostEnter(PsTerminateSystemThread);

    UNREFERENCED_PARAMETER(ExitStatus);
    if (!Thread->SystemThread) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "PsTerminateSystemThread", "this is no system thread");
    }
    HostEndSystemThread(Thread);
    if (Thread->Participant != NULL) {
        HostScheduleExit(Thread);
    }
    PlatformExitThread();
}

VOID HostJoinSystemThreads(VOID)
{
    PHOST_SYSTEM_THREAD Started;

    for (;;) {
        Started = NULL;
        PlatformLock(&HostThreadsMutex);
        if (!IsListEmpty(&HostSystemThreads)) {
            Started = CONTAINING_RECORD(RemoveHeadList(&HostSystemThreads), HOST_SYSTEM_THREAD, Links);
        }
        PlatformUnlock(&HostThreadsMutex);
        if (Started == NULL) {
            break;
        }
        PlatformJoinThread(Started->Native);
        PlatformFree(Started);
    }
}
