/* Cancel-safe queues: who gets a pended request; and work items: where and when their routine runs. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

#define PEND(Kernel, Action, Event, IoStatus) \
    CHECK_STATUS(NtDeviceIoControlFile((Kernel).Handle, (Event), NULL, NULL, (IoStatus), \
                                       TEST_CODE((Action), FILE_ANY_ACCESS), NULL, 0, NULL, 0), \
                 STATUS_PENDING)

static NTSTATUS Take(TEST_KERNEL *Kernel, TEST_ACTION Action)
{
    IO_STATUS_BLOCK IoStatus = {0};

    return TestControl(Kernel->Handle, TEST_CODE((ULONG)Action, FILE_ANY_ACCESS), NULL, 0, 0, &IoStatus);
}

static void RemoveByContext(void)
{
    IO_STATUS_BLOCK First = {.Status = STATUS_PENDING};
    IO_STATUS_BLOCK Second = {.Status = STATUS_PENDING};
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    PEND(Kernel, QueueIt, NULL, &First);
    PEND(Kernel, QueueWithContext, NULL, &Second);
    CHECK_STATUS(Take(&Kernel, TakeByContext), STATUS_SUCCESS);
    CHECK(First.Status == STATUS_PENDING && Second.Status == STATUS_SUCCESS);
    CHECK_STATUS(Take(&Kernel, TakeByContext), STATUS_NOT_FOUND);
    CHECK_STATUS(Take(&Kernel, TakeOldest), STATUS_SUCCESS);
    CHECK(First.Status == STATUS_SUCCESS);
    CHECK_STATUS(Take(&Kernel, TakeOldest), STATUS_NOT_FOUND);
    CHECK(StopTestKernel(&Kernel));
}

static void OldestFirst(void)
{
    IO_STATUS_BLOCK First = {.Status = STATUS_PENDING};
    IO_STATUS_BLOCK Second = {.Status = STATUS_PENDING};
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    PEND(Kernel, QueueIt, NULL, &First);
    PEND(Kernel, QueueWithContext, NULL, &Second);
    CHECK_STATUS(Take(&Kernel, TakeOldest), STATUS_SUCCESS);
    CHECK(First.Status == STATUS_SUCCESS && Second.Status == STATUS_PENDING);
    CHECK_STATUS(Take(&Kernel, TakeOldest), STATUS_SUCCESS);
    CHECK(Second.Status == STATUS_SUCCESS);
    CHECK_STATUS(Take(&Kernel, TakeByContext), STATUS_NOT_FOUND);
    CHECK(StopTestKernel(&Kernel));
}

static void CancelledIsGone(void)
{
    IO_STATUS_BLOCK First = {.Status = STATUS_PENDING};
    IO_STATUS_BLOCK Cancel;
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    PEND(Kernel, QueueWithContext, NULL, &First);
    CHECK_STATUS(NtCancelIoFile(Kernel.Handle, &Cancel), STATUS_SUCCESS);
    CHECK_STATUS(First.Status, STATUS_CANCELLED);
    CHECK_STATUS(Take(&Kernel, TakeByContext), STATUS_NOT_FOUND);
    CHECK_STATUS(Take(&Kernel, TakeOldest), STATUS_NOT_FOUND);
    CHECK(StopTestKernel(&Kernel));
}

static TEST_KERNEL Booted;

static NTSTATUS KeepIt(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    (VOID) InterlockedIncrement((volatile LONG *)Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A request of the test's own, ready to be sent to the test driver's queue; Completions counts its ends. */
static PIRP MakeQueued(volatile LONG *Completions)
{
    PIRP Irp = IoAllocateIrp(Booted.Driver->DeviceObject->StackSize, FALSE);
    PIO_STACK_LOCATION Location = IoGetNextIrpStackLocation(Irp);

    Location->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Location->Parameters.DeviceIoControl.IoControlCode = TEST_CODE(QueueWithContext, FILE_ANY_ACCESS);
    IoSetCompletionRoutine(Irp, KeepIt, (PVOID)(ULONG_PTR)Completions, TRUE, TRUE, TRUE);
    return Irp;
}

static void CancelledBefore(void)
{
    volatile LONG Completions = 0;
    PIRP Irp;

    CHECK_STATUS(StartTestKernel(&Booted, 0), STATUS_SUCCESS);
    Irp = MakeQueued(&Completions);
    CHECK(!IoCancelIrp(Irp));
    CHECK_STATUS(IoCallDriver(Booted.Driver->DeviceObject, Irp), STATUS_PENDING);
    CHECK(Completions == 1);
    CHECK_STATUS(Irp->IoStatus.Status, STATUS_CANCELLED);
    IoFreeIrp(Irp);
    CHECK_STATUS(Take(&Booted, TakeByContext), STATUS_NOT_FOUND);
    CHECK(StopTestKernel(&Booted));
}

static NTSTATUS Taken;
static BOOLEAN Cancelled;

static VOID TakeIt(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    HostEnterProcess(Booted.Process);
    Taken = Take(&Booted, TakeByContext);
    HostLeaveProcess();
}

static VOID CancelIt(PVOID Context)
{
    Cancelled = IoCancelIrp(Context);
}

static void OneOfTwo(void)
{
    static const PHOST_ROUTINE Routines[] = {TakeIt, CancelIt};
    ULONG Takes = 0;

    CHECK_STATUS(StartTestKernel(&Booted, 0), STATUS_SUCCESS);
    for (ULONG64 Seed = 0; Seed < 40; Seed++) {
        volatile LONG Completions = 0;
        PIRP Irp = MakeQueued(&Completions);
        PVOID Contexts[] = {NULL, Irp};

        CHECK_STATUS(IoCallDriver(Booted.Driver->DeviceObject, Irp), STATUS_PENDING);
        HostRunSchedule(Seed, 2, Routines, Contexts);
        CHECK(Completions == 1);
        CHECK(Cancelled == (Taken == STATUS_NOT_FOUND));
        CHECK_STATUS(Irp->IoStatus.Status, Cancelled ? STATUS_CANCELLED : STATUS_SUCCESS);
        Takes += Taken == STATUS_SUCCESS;
        IoFreeIrp(Irp);
    }
    CHECK(Takes != 0 && Takes != 40);
    CHECK(StopTestKernel(&Booted));
}

typedef struct _WORK {
    PIO_WORKITEM Item;
    PETHREAD Queuer;
    KEVENT Done;
    ULONG Runs;
} WORK;

static VOID RunTwice(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    WORK *Work = Context;

    CHECK(DeviceObject == Booted.Driver->DeviceObject);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    CHECK(PsGetCurrentThread() != Work->Queuer && PsGetCurrentProcess() == PsInitialSystemProcess);
    Work->Runs++;
    if (Work->Runs == 1) {
        IoQueueWorkItem(Work->Item, RunTwice, DelayedWorkQueue, Work);
    } else {
        IoFreeWorkItem(Work->Item);
        (VOID) KeSetEvent(&Work->Done, IO_NO_INCREMENT, FALSE);
    }
}

static void WorkItems(void)
{
    WORK Work = {.Queuer = PsGetCurrentThread()};
    KIRQL Irql;

    CHECK_STATUS(StartTestKernel(&Booted, 0), STATUS_SUCCESS);
    KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
    Work.Item = IoAllocateWorkItem(Booted.Driver->DeviceObject);
    CHECK(Work.Item != NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    IoQueueWorkItem(Work.Item, RunTwice, DelayedWorkQueue, &Work);
    KeLowerIrql(Irql);
    CHECK_STATUS(KeWaitForSingleObject(&Work.Done, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(Work.Runs == 2);
    CHECK(StopTestKernel(&Booted));
}

static VOID WaitForever(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    (VOID) KeWaitForSingleObject(Context, Executive, KernelMode, FALSE, NULL);
}

/* Keeps every worker busy, so that the item returned stays in the queue. */
static PIO_WORKITEM QueueBehindOthers(void)
{
    static KEVENT Never;
    PIO_WORKITEM Item = NULL;

    (VOID) StartTestKernel(&Booted, 0);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    for (ULONG Index = 0; Index < 64; Index++) {
        Item = IoAllocateWorkItem(Booted.Driver->DeviceObject);
        IoQueueWorkItem(Item, WaitForever, DelayedWorkQueue, &Never);
    }
    return Item;
}

static void QueuedTwice(void)
{
    IoQueueWorkItem(QueueBehindOthers(), WaitForever, DelayedWorkQueue, NULL);
}

static void FreedInQueue(void)
{
    IoFreeWorkItem(QueueBehindOthers());
}

static VOID ReturnRaisedFromWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    KeRaiseIrql(APC_LEVEL, &Irql);
}

static void RaisedByWork(void)
{
    KEVENT Never;

    (VOID) StartTestKernel(&Booted, 0);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    IoQueueWorkItem(IoAllocateWorkItem(Booted.Driver->DeviceObject), ReturnRaisedFromWork, DelayedWorkQueue, NULL);
    (VOID) KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

void RunQueues(void)
{
    RunTest("a queued request is removed by its context, once", RemoveByContext);
    RunTest("queued requests are removed oldest first", OldestFirst);
    RunTest("a cancelled request is in the queue no more, nor in its context", CancelledIsGone);
    RunTest("a request cancelled before it is queued is completed as cancelled", CancelledBefore);
    RunTest("of removal and cancellation at once, one alone has the request", OneOfTwo);
    RunTest("a work item runs at PASSIVE_LEVEL in the system process, and may queue or free itself", WorkItems);
    RunViolation("a work item is not queued twice", DRIVER_VERIFIER_DETECTED_VIOLATION, "is queued already",
                 QueuedTwice);
    RunViolation("a queued work item is not freed", DRIVER_VERIFIER_DETECTED_VIOLATION, "is queued", FreedInQueue);
    RunViolation("a work item returns at PASSIVE_LEVEL", IRQL_UNEXPECTED_VALUE, "a work item returned at IRQL 1",
                 RaisedByWork);
}
