/* Threads that are told to end: which of their waits end, what becomes of their requests, and what their process's death adds. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

#define SEEDS 64

typedef NTSTATUS CANCELLABLE_WAIT(PVOID Object, PLARGE_INTEGER Timeout, PIRP Irp);

static CANCELLABLE_WAIT *CancellableWait(void)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, L"FsRtlCancellableWaitForSingleObject");
    return (CANCELLABLE_WAIT *)(ULONG_PTR)MmGetSystemRoutineAddress(&Name);
}

/* A thread that waits, and what it is given when it has. */
typedef struct _WAITER {
    TEST_KERNEL Kernel;
    PETHREAD Thread; /* referenced */
    KEVENT Started;
    KEVENT Event;
    PIRP Irp;
    BOOLEAN Signal;
    volatile LONG Signalled;
    NTSTATUS Status;
    BOOLEAN Terminating;
} WAITER;

static VOID Start(WAITER *Waiter)
{
    Waiter->Thread = PsGetCurrentThread();
    ObReferenceObject(Waiter->Thread);
    (VOID) KeSetEvent(&Waiter->Started, 0, FALSE);
}

static VOID WaitCancellably(PVOID Context)
{
    CANCELLABLE_WAIT *Wait = CancellableWait();
    WAITER *Waiter = Context;

    Start(Waiter);
    Waiter->Status = Wait(&Waiter->Event, NULL, Waiter->Irp);
    Waiter->Terminating = PsIsThreadTerminating(PsGetCurrentThread());
}

static VOID WaitInUserMode(PVOID Context)
{
    WAITER *Waiter = Context;

    Start(Waiter);
    Waiter->Status = KeWaitForSingleObject(&Waiter->Event, Executive, UserMode, FALSE, NULL);
}

static VOID WaitInKernelMode(PVOID Context)
{
    WAITER *Waiter = Context;

    Start(Waiter);
    Waiter->Status = KeWaitForSingleObject(&Waiter->Event, Executive, KernelMode, FALSE, NULL);
    Waiter->Terminating = PsIsThreadTerminating(PsGetCurrentThread());
    CHECK(ReadAcquire(&Waiter->Signalled) != 0);
}

/* Sends a request that the test driver pends, and waits for it as a client does. */
static VOID WaitForRequest(PVOID Context)
{
    WAITER *Waiter = Context;
    IO_STATUS_BLOCK IoStatus = {0};

    HostEnterProcess(Waiter->Kernel.Process);
    Start(Waiter);
    Waiter->Status = TestControl(Waiter->Kernel.Handle, TEST_CODE(QueueIt, FILE_ANY_ACCESS), NULL, 0, 0, &IoStatus);
    CHECK_STATUS(NtClose(NULL), STATUS_THREAD_IS_TERMINATING);
    HostLeaveProcess();
}

static VOID Terminate(PVOID Context)
{
    WAITER *Waiter = Context;

    (VOID) KeWaitForSingleObject(&Waiter->Started, Executive, KernelMode, FALSE, NULL);
    if (Waiter->Irp != NULL) {
        (VOID) IoCancelIrp(Waiter->Irp);
    } else {
        HostTerminateThread(Waiter->Thread);
    }
    if (Waiter->Signal) {
        WriteRelease(&Waiter->Signalled, 1);
        (VOID) KeSetEvent(&Waiter->Event, 0, FALSE);
    }
}

static VOID Prepare(WAITER *Waiter)
{
    KeInitializeEvent(&Waiter->Started, NotificationEvent, FALSE);
    KeInitializeEvent(&Waiter->Event, SynchronizationEvent, FALSE);
    Waiter->Signalled = 0;
    Waiter->Status = STATUS_PENDING;
    if (Waiter->Irp != NULL) {
        Waiter->Irp->Cancel = FALSE;
    }
}

static VOID RunFreely(WAITER *Waiter, PHOST_ROUTINE Routine)
{
    HANDLE Thread = NULL;

    CHECK_STATUS(PsCreateSystemThread(&Thread, SYNCHRONIZE, NULL, NULL, NULL, Routine, Waiter), STATUS_SUCCESS);
    Terminate(Waiter);
    CHECK_STATUS(ZwWaitForSingleObject(Thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ZwClose(Thread), STATUS_SUCCESS);
}

/* Runs the waiter against whoever ends it: once on threads that run freely, and in the orders of some seeds. */
static VOID Run(WAITER *Waiter, PHOST_ROUTINE Routine, NTSTATUS Expected)
{
    PHOST_ROUTINE Routines[] = {Routine, Terminate};
    PVOID Contexts[] = {Waiter, Waiter};

    for (ULONG64 Seed = 0; Seed <= SEEDS; Seed++) {
        Prepare(Waiter);
        if (Seed == 0) {
            RunFreely(Waiter, Routine);
        } else {
            HostRunSchedule(Seed, 2, Routines, Contexts);
        }
        CHECK_STATUS(Waiter->Status, Expected);
        ObDereferenceObject(Waiter->Thread);
    }
}

static void CancellableEnds(void)
{
    static WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Run(&Waiter, WaitCancellably, STATUS_THREAD_IS_TERMINATING);
    CHECK(Waiter.Terminating);
    CHECK(!PsIsThreadTerminating(PsGetCurrentThread()));
    CHECK(StopTestKernel(&Waiter.Kernel));
}

static void CancelledEnds(void)
{
    static WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Waiter.Irp = IoAllocateIrp(1, FALSE);
    Run(&Waiter, WaitCancellably, STATUS_CANCELLED);
    CHECK(!Waiter.Terminating);
    IoFreeIrp(Waiter.Irp);
    CHECK(StopTestKernel(&Waiter.Kernel));
}

static void UserModeEnds(void)
{
    static WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Run(&Waiter, WaitInUserMode, STATUS_USER_APC);
    CHECK(StopTestKernel(&Waiter.Kernel));
}

static void KernelModeGoesOn(void)
{
    static WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Waiter.Signal = TRUE;
    Run(&Waiter, WaitInKernelMode, STATUS_SUCCESS);
    CHECK(Waiter.Terminating);
    CHECK(StopTestKernel(&Waiter.Kernel));
}

static void WaitedRequestIsCancelled(void)
{
    static WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Prepare(&Waiter);
    RunFreely(&Waiter, WaitForRequest);
    ObDereferenceObject(Waiter.Thread);
    CHECK(Waiter.Status == STATUS_CANCELLED || Waiter.Status == STATUS_THREAD_IS_TERMINATING);
    CHECK(StopTestKernel(&Waiter.Kernel));
}

/* On a thread of its own: one that has been told to end stays so. */
static VOID KeepSignal(PVOID Context)
{
    LARGE_INTEGER Now = {0};
    KEVENT Event;

    UNREFERENCED_PARAMETER(Context);
    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    HostTerminateThread(PsGetCurrentThread());
    CHECK_STATUS(CancellableWait()(&Event, NULL, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CancellableWait()(&Event, NULL, NULL), STATUS_THREAD_IS_TERMINATING);
    CHECK_STATUS(CancellableWait()(&Event, &Now, NULL), STATUS_TIMEOUT);
}

static void RunThread(PHOST_ROUTINE Routine, PVOID Context)
{
    HANDLE Thread = NULL;

    CHECK_STATUS(PsCreateSystemThread(&Thread, SYNCHRONIZE, NULL, NULL, NULL, Routine, Context), STATUS_SUCCESS);
    CHECK_STATUS(ZwWaitForSingleObject(Thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ZwClose(Thread), STATUS_SUCCESS);
}

static void SignalIsNotLost(void)
{
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    RunThread(KeepSignal, NULL);
    CHECK(StopTestKernel(&Kernel));
}

/* What a thread has pended goes at once when it is in no service. */
static VOID PendAndEnd(PVOID Context)
{
    IO_STATUS_BLOCK IoStatus = {.Status = STATUS_PENDING};
    WAITER *Waiter = Context;

    HostEnterProcess(Waiter->Kernel.Process);
    CHECK_STATUS(TestControl(Waiter->Kernel.Handle, TEST_CODE(QueueIt, FILE_ANY_ACCESS), NULL, 0, 0, &IoStatus),
                 STATUS_PENDING);
    HostTerminateThread(PsGetCurrentThread());
    CHECK_STATUS(IoStatus.Status, STATUS_CANCELLED);
    HostLeaveProcess();
}

static void PendedIsCancelled(void)
{
    static WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, 0), STATUS_SUCCESS);
    RunThread(PendAndEnd, &Waiter);
    TestCleanupTerminating = FALSE;
    CHECK(StopTestKernel(&Waiter.Kernel));
    CHECK(TestCleanupTerminating && !PsIsThreadTerminating(PsGetCurrentThread()));
}

/* A client that waits for an event while its process dies; it is to be in the wait or not yet. */
static VOID WaitAsClient(PVOID Context)
{
    WAITER *Waiter = Context;
    HANDLE Event = NULL;

    HostEnterProcess(Waiter->Kernel.Process);
    CHECK_STATUS(NtCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    (VOID) KeSetEvent(&Waiter->Started, 0, FALSE);
    Waiter->Status = NtWaitForSingleObject(Event, FALSE, NULL);
    Waiter->Terminating = PsIsThreadTerminating(PsGetCurrentThread());
    HostLeaveProcess();
    CHECK(!PsIsThreadTerminating(PsGetCurrentThread()));
}

static void ProcessDeathEndsThreads(void)
{
    HANDLE Thread = NULL;
    WAITER Waiter;

    CHECK_STATUS(StartTestKernel(&Waiter.Kernel, 0), STATUS_SUCCESS);
    KeInitializeEvent(&Waiter.Started, NotificationEvent, FALSE);
    CHECK_STATUS(PsCreateSystemThread(&Thread, SYNCHRONIZE, NULL, NULL, NULL, WaitAsClient, &Waiter), STATUS_SUCCESS);
    CHECK_STATUS(KeWaitForSingleObject(&Waiter.Started, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    HostExitProcess(Waiter.Kernel.Process);
    CHECK(TestCleanupTerminating);
    CHECK_STATUS(ZwWaitForSingleObject(Thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ZwClose(Thread), STATUS_SUCCESS);
    CHECK(Waiter.Terminating);
    CHECK(Waiter.Status == STATUS_USER_APC || Waiter.Status == STATUS_PROCESS_IS_TERMINATING);
    CHECK(PsIsThreadTerminating(PsGetCurrentThread()));
    CHECK(StopTestKernel(&Waiter.Kernel));
    CHECK(!PsIsThreadTerminating(PsGetCurrentThread()));
}

static void AbsentBeforeVista(void)
{
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    CHECK(CancellableWait() != NULL);
    HostSetQuirks(HOST_QUIRK_VERSION_52);
    CHECK(CancellableWait() == NULL);
    HostSetQuirks(0);
    CHECK(StopTestKernel(&Kernel));
}

static VOID Swallow(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
}

static void WithRequestAtApcLevel(void)
{
    CANCELLABLE_WAIT *Wait = CancellableWait();
    PIRP Irp = IoAllocateIrp(1, FALSE);
    KEVENT Event;
    KIRQL Irql;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeRaiseIrql(APC_LEVEL, &Irql);
    (VOID) Wait(&Event, NULL, Irp);
}

static void WithCancelRoutine(void)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    (VOID) IoSetCancelRoutine(Irp, Swallow);
    (VOID) CancellableWait()(&Event, NULL, Irp);
}

void RunEndings(void)
{
    RunTest("a cancellable wait ends when its thread is told to end", CancellableEnds);
    RunTest("a cancellable wait ends when its request is cancelled", CancelledEnds);
    RunTest("a thread that is to end does not lose a signal it could have had", SignalIsNotLost);
    RunTest("a wait in user mode ends when its thread is told to end", UserModeEnds);
    RunTest("a wait in kernel mode goes on when its thread is told to end", KernelModeGoesOn);
    RunTest("what a thread waits for is cancelled when it is told to end, and it gets no more service",
            WaitedRequestIsCancelled);
    RunTest("what a thread has pended is cancelled when it is told to end", PendedIsCancelled);
    RunTest("a process's death ends the waits of its threads, and cleanup comes from a terminating thread",
            ProcessDeathEndsThreads);
    RunTest("kernels before 6.0 have no cancellable wait", AbsentBeforeVista);
    RunViolation("a cancellable wait with a request is for PASSIVE_LEVEL", IRQL_NOT_LESS_OR_EQUAL,
                 "called with a request at IRQL 1", WithRequestAtApcLevel);
    RunViolation("a cancellable wait takes no request that has a cancel routine", INCONSISTENT_IRP,
                 "has a cancel routine", WithCancelRoutine);
}
