/* Processes: who a thread acts for, what its system services may do, and how a process dies. */
#include "kernel.h"

PEPROCESS PsInitialSystemProcess;

static HOST_MUTEX HostProcessesMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostProcesses = {&HostProcesses, &HostProcesses};
static volatile LONG64 HostNextProcessId = 4;

static VOID HostDeleteProcess(PVOID Object)
{
    PEPROCESS Process = Object;

    HostDeleteHandles(&Process->Handles);
    PlatformLock(&HostProcessesMutex);
    (VOID) RemoveEntryList(&Process->Links);
    PlatformUnlock(&HostProcessesMutex);
}

static NTSTATUS HostMakeProcess(HOST_TOKEN Token, PEPROCESS *Process)
{
    NTSTATUS Status = HostCreateObject(&HostProcessType, sizeof(**Process), (PVOID *)Process);

    if (NT_SUCCESS(Status)) {
        (*Process)->Id = (HANDLE)(ULONG_PTR)InterlockedExchangeAdd64(&HostNextProcessId, 4);
        (*Process)->Token = Token;
        HostInitializeHandles(&(*Process)->Handles);
        PlatformLock(&HostProcessesMutex);
        InsertTailList(&HostProcesses, &(*Process)->Links);
        PlatformUnlock(&HostProcessesMutex);
    }
    return Status;
}

NTSTATUS HostStartProcesses(VOID)
{
    HostProcessType.Delete = HostDeleteProcess;
    HostInitializeHandles(&HostKernelHandles);
    return HostMakeProcess(HostSystemToken, &PsInitialSystemProcess);
}

VOID HostStopProcesses(VOID)
{
    HostCloseAllHandles(&HostKernelHandles);
    HostCloseAllHandles(&PsInitialSystemProcess->Handles);
    HostDereferenceRaw(PsInitialSystemProcess, "HostShutdown");
    PsInitialSystemProcess = NULL;
    HostDeleteHandles(&HostKernelHandles);
}

BOOLEAN HostHasProcesses(VOID)
{
    BOOLEAN Has;

    PlatformLock(&HostProcessesMutex);
    Has = (BOOLEAN)(HostProcesses.Flink->Flink != &HostProcesses);
    PlatformUnlock(&HostProcessesMutex);
    return Has;
}

ULONG64 HostCountHandles(VOID)
{
    ULONG64 Count = __atomic_load_n(&HostKernelHandles.Open, __ATOMIC_RELAXED);

    PlatformLock(&HostProcessesMutex);
    for (PLIST_ENTRY Entry = HostProcesses.Flink; Entry != &HostProcesses; Entry = Entry->Flink) {
        PEPROCESS Process = CONTAINING_RECORD(Entry, struct _EPROCESS, Links);

        PlatformLock(&Process->Handles.Mutex);
        Count += Process->Handles.Open;
        PlatformUnlock(&Process->Handles.Mutex);
    }
    PlatformUnlock(&HostProcessesMutex);
    return Count;
}

NTSTATUS HostCreateProcess(BOOLEAN Administrator, PEPROCESS *Process)
{
    return HostMakeProcess(Administrator ? HostAdministratorToken : HostUserToken, Process);
}

VOID HostEnterProcess(PEPROCESS Process)
{
    PETHREAD Thread = HostCurrentThread();

    (VOID) HostCheckObject(Process, "HostEnterProcess");
    if (Thread->Process != NULL) {
        HostViolation(INVALID_PROCESS_ATTACH_ATTEMPT, "HostEnterProcess", "this thread is in a process already");
    }
    (VOID) InterlockedIncrement64(&HostHeaderOf(Process)->References);
    Thread->Process = Process;
    Thread->PreviousMode = UserMode;
    PlatformLock(&Thread->IrpMutex);
    Thread->Home = Process;
    if (ReadAcquire(&Process->Exiting) != 0) {
        HostMarkTerminating(Thread, HOST_TERMINATING_PROCESS);
    }
    PlatformUnlock(&Thread->IrpMutex);
}

VOID HostLeaveProcess(VOID)
{
    PETHREAD Thread = HostCurrentThread();
    PEPROCESS Process = Thread->Process;

    if (Process == NULL || Thread->ServiceDepth != 0) {
        HostViolation(INVALID_PROCESS_ATTACH_ATTEMPT, "HostLeaveProcess",
                      "this thread is in no process, or in a service");
    }
    Thread->Process = NULL;
    PlatformLock(&Thread->IrpMutex);
    Thread->Home = NULL;
    (VOID) InterlockedAnd(&Thread->Terminating, ~(LONG)HOST_TERMINATING_PROCESS);
    PlatformUnlock(&Thread->IrpMutex);
    Thread->PreviousMode = KernelMode;
    HostDereferenceRaw(Process, "HostLeaveProcess");
}

typedef struct _HOST_PENDING {
    PEPROCESS Process;
    BOOLEAN Any;     /* a request is on its way, cancelled or not */
    PHOST_IRP Found; /* one that is to be cancelled */
} HOST_PENDING;

static BOOLEAN HostIsHome(PETHREAD Thread, PEPROCESS Process)
{
    BOOLEAN Home;

    PlatformLock(&Thread->IrpMutex);
    Home = (BOOLEAN)(Thread->Home == Process);
    PlatformUnlock(&Thread->IrpMutex);
    return Home;
}

/*
 * The threads' mutex is held, and keeps Thread. A thread that is in a system service of the process cancels nothing until it returns: what
 * it waits for there it cancels itself, if it may.
 */
static VOID HostFindPending(PETHREAD Thread, PVOID Context)
{
    HOST_PENDING *Pending = Context;

    if (HostHasIrps(Thread, Pending->Process)) {
        Pending->Any = TRUE;
        if (Pending->Found == NULL &&
            (!HostIsHome(Thread, Pending->Process) || ReadAcquire(&Thread->ServiceDepth) == 0)) {
            Pending->Found = HostHoldIrpToCancel(Thread, Pending->Process, NULL);
        }
    }
}

/* The threads' mutex is held. */
static VOID HostMarkInhabitant(PETHREAD Thread, PVOID Context)
{
    PlatformLock(&Thread->IrpMutex);
    if (Thread->Home == Context) {
        HostMarkTerminating(Thread, HOST_TERMINATING_PROCESS);
    }
    PlatformUnlock(&Thread->IrpMutex);
}

/* The calling thread ends no process any more; the one it is in may have ended meanwhile. */
static VOID HostUnmark(PETHREAD Thread)
{
    PlatformLock(&Thread->IrpMutex);
    if (Thread->Home == NULL || ReadAcquire(&Thread->Home->Exiting) == 0) {
        (VOID) InterlockedAnd(&Thread->Terminating, ~(LONG)HOST_TERMINATING_PROCESS);
    }
    PlatformUnlock(&Thread->IrpMutex);
}

VOID HostExitProcess(PEPROCESS Process)
{
    PETHREAD Thread = HostCurrentThread();
    PEPROCESS Previous = Thread->Process;
    KPROCESSOR_MODE PreviousMode = Thread->PreviousMode;

    if (InterlockedExchange(&Process->Exiting, 1) != 0) {
        return;
    }
    Thread->Process = Process;
    Thread->PreviousMode = KernelMode;
    HostVisitThreads(HostMarkInhabitant, Process);
    HostMarkTerminating(Thread, HOST_TERMINATING_PROCESS);
    for (;;) {
        HOST_PENDING Pending = {Process, FALSE, NULL};

        HostVisitThreads(HostFindPending, &Pending);
        if (Pending.Found != NULL) {
            HostCancelHeldIrp(Pending.Found);
        } else if (!Pending.Any && ReadAcquire(&Process->Services) == 0) {
            break;
        }
        HostPause(Thread);
    }
    HostCloseAllHandles(&Process->Handles);
    HostUnmark(Thread);
    Thread->Process = Previous;
    Thread->PreviousMode = PreviousMode;
}

VOID HostDereferenceProcess(PEPROCESS Process)
{
    HostDereferenceRaw(Process, "HostDereferenceProcess");
}

/* STATUS_PROCESS_IS_TERMINATING, STATUS_THREAD_IS_TERMINATING; HostEndService is called in any case. */
NTSTATUS HostBeginService(PETHREAD *Thread)
{
    PETHREAD Current = HostCurrentThread();

    *Thread = Current;
    if (Current->Irql != PASSIVE_LEVEL) {
        HostViolation(IRQL_NOT_LESS_OR_EQUAL, "system service", "called at IRQL %u", Current->Irql);
    }
    if (PsInitialSystemProcess == NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "system service", "the kernel is not running");
    }
    if (Current->Participant != NULL) {
        HostScheduleYield(Current, "system service");
    }
    HostDeliverApcs(Current);
    if (InterlockedIncrement(&Current->ServiceDepth) == 1 && Current->Process != NULL) {
        (VOID) InterlockedIncrement(&Current->Process->Services);
        if (ReadAcquire(&Current->Process->Exiting) != 0) {
            return STATUS_PROCESS_IS_TERMINATING;
        }
        if (ReadAcquire(&Current->Terminating) != 0) {
            return STATUS_THREAD_IS_TERMINATING;
        }
    }
    return STATUS_SUCCESS;
}

NTSTATUS HostEndService(PETHREAD Thread, NTSTATUS Status)
{
    if (InterlockedDecrement(&Thread->ServiceDepth) == 0) {
        if (Thread->Irql != PASSIVE_LEVEL) {
            HostViolation(IRQL_GT_ZERO_AT_SYSTEM_SERVICE, "system service", "returns to user mode at IRQL %u",
                          Thread->Irql);
        }
        if (Thread->HeldLocks != 0) {
            HostViolation(IRQL_GT_ZERO_AT_SYSTEM_SERVICE, "system service",
                          "returns to user mode with a lock held at %p",
                          (const VOID *)Thread->Held[Thread->HeldLocks - 1].Lock);
        }
        if (Thread->CriticalRegions != 0 || Thread->GuardedRegions != 0) {
            HostViolation(APC_INDEX_MISMATCH, "system service",
                          "returns to user mode in %d critical regions and %d guarded ones", Thread->CriticalRegions,
                          Thread->GuardedRegions);
        }
        if (ReadAcquire(&Thread->Terminating) != 0) {
            HostCancelThreadIrps(Thread, NULL, NULL);
        }
        if (Thread->Process != NULL) {
            (VOID) InterlockedDecrement(&Thread->Process->Services);
        }
        HostDeliverApcs(Thread);
    }
    return Status;
}

KPROCESSOR_MODE HostBeginKernelCall(PETHREAD Thread)
{
    KPROCESSOR_MODE PreviousMode = Thread->PreviousMode;

    Thread->PreviousMode = KernelMode;
    return PreviousMode;
}

VOID HostEndKernelCall(PETHREAD Thread, KPROCESSOR_MODE PreviousMode)
{
    Thread->PreviousMode = PreviousMode;
}

PEPROCESS PsGetCurrentProcess(VOID)
{
    PEPROCESS Process = HostCurrentThread()->Process;

    return Process != NULL ? Process : PsInitialSystemProcess;
}

PEPROCESS IoGetCurrentProcess(VOID)
{
    (VOID) HostEnter(IoGetCurrentProcess);
    return PsGetCurrentProcess();
}

HANDLE PsGetProcessId(PEPROCESS Process)
{
    (VOID) HostEnter(PsGetProcessId);
    return Process->Id;
}

HANDLE PsGetCurrentProcessId(VOID)
{
    return PsGetCurrentProcess()->Id;
}

BOOLEAN PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber, PUNICODE_STRING CSDVersion)
{
    static const ULONG Versions[][3] = {{10, 0, 26100}, {6, 1, 7601}, {5, 2, 3790}};
    const ULONG *Version = Versions[(HostQuirks & HOST_QUIRK_VERSION_52) != 0   ? 2
                                    : (HostQuirks & HOST_QUIRK_VERSION_61) != 0 ? 1
                                                                                : 0];

    if (MajorVersion != NULL) {
        *MajorVersion = Version[0];
    }
    if (MinorVersion != NULL) {
        *MinorVersion = Version[1];
    }
    if (BuildNumber != NULL) {
        *BuildNumber = Version[2];
    }
    if (CSDVersion != NULL) {
        CSDVersion->Length = 0;
    }
    return FALSE;
}
