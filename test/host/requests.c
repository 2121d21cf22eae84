/* The rules that drivers keep with requests, each broken by the test driver in a child process. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

static void Break(TEST_ACTION Action)
{
    IO_STATUS_BLOCK IoStatus;
    UCHAR Buffer[8] = {0};
    TEST_KERNEL Kernel;

    if (NT_SUCCESS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT))) {
        (VOID) TestControl(Kernel.Handle, TEST_CODE((ULONG)Action, FILE_ANY_ACCESS), Buffer, sizeof(Buffer),
                           sizeof(Buffer), &IoStatus);
    }
}

#define BREAK(Action) \
    static void Break##Action(void) \
    { \
        Break(Action); \
    }

BREAK(CompleteTwice)
BREAK(CompleteWithPending)
BREAK(CompleteWithCancelRoutine)
BREAK(ForwardWithCancelRoutine)
BREAK(ReturnOtherStatus)
BREAK(ReturnPendingUnmarked)
BREAK(MarkAndReturnSuccess)
BREAK(TellTooMuch)
BREAK(FastReturnWithLock)
BREAK(ReturnInCriticalRegion)
BREAK(ReturnRaised)
BREAK(FastReturnInCriticalRegion)
BREAK(FastReturnRaised)
BREAK(NeverComplete)
BREAK(OverDereference)
BREAK(CallWithoutLocation)
BREAK(ForwardAsAnother)
BREAK(MarkCompleted)
BREAK(ReadCompleted)
BREAK(CompleteUnderSpinLock)

static TEST_KERNEL Booted;

static NTSTATUS KeepIt(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A request of the test's own to the test driver. */
static VOID SendOwn(UCHAR MajorFunction, BOOLEAN Keep)
{
    PIRP Irp = IoAllocateIrp(Booted.Driver->DeviceObject->StackSize, FALSE);

    IoGetNextIrpStackLocation(Irp)->MajorFunction = MajorFunction;
    if (Keep) {
        IoSetCompletionRoutine(Irp, KeepIt, NULL, TRUE, TRUE, TRUE);
    }
    (VOID) IoCallDriver(Booted.Driver->DeviceObject, Irp);
}

static VOID CallTheDriver(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    SendOwn(IRP_MJ_CREATE, TRUE);
}

static VOID OpenAFile(PVOID Context)
{
    HANDLE Handle;

    UNREFERENCED_PARAMETER(Context);
    (VOID) TestOpen(L"\\Device\\HostTest", GENERIC_READ, 0, &Handle);
}

static VOID CloseAFile(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    (VOID) NtClose(Booted.Handle);
}

static VOID Ignore(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

/* Starts the kernel, with a context of the test's on the test driver's stream. */
static VOID StartWithContext(PFREE_FUNCTION FreeCallback)
{
    (VOID) StartTestKernel(&Booted, 0);
    FsRtlInitPerStreamContext(&TestContext, &TestStream, NULL, FreeCallback);
    (VOID) FsRtlInsertPerStreamContext(&TestStream, &TestContext);
}

static void RemoveInClose(void)
{
    StartWithContext(Ignore);
    WriteRelease(&TestRemoveAt, IRP_MJ_CLOSE);
    (VOID) NtClose(Booted.Handle);
}

static void RemoveInPnp(void)
{
    StartWithContext(Ignore);
    WriteRelease(&TestRemoveAt, IRP_MJ_PNP);
    SendOwn(IRP_MJ_PNP, TRUE);
}

static void CallInFreeCallback(void)
{
    StartWithContext(CallTheDriver);
    FsRtlTeardownPerStreamContexts(&TestStream);
}

static void OpenInFreeCallback(void)
{
    StartWithContext(OpenAFile);
    FsRtlTeardownPerStreamContexts(&TestStream);
}

static void CloseInFreeCallback(void)
{
    StartWithContext(CloseAFile);
    FsRtlTeardownPerStreamContexts(&TestStream);
}

static void LoseOwnRequest(void)
{
    (VOID) StartTestKernel(&Booted, 0);
    SendOwn(IRP_MJ_CREATE, FALSE);
}

static VOID PendAndStay(PVOID Argument)
{
    IO_STATUS_BLOCK IoStatus;
    PKEVENT Pended = Argument;

    HostEnterProcess(Booted.Process);
    (VOID) TestControl(Booted.Handle, TEST_CODE(QueueIt, FILE_ANY_ACCESS), NULL, 0, 0, &IoStatus);
    (VOID) KeSetEvent(Pended, 0, FALSE);
    for (;;) {
        LARGE_INTEGER Second = {.QuadPart = -10000000};

        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Second);
    }
}

static void CompleteForAnotherBy(TEST_ACTION Action)
{
    IO_STATUS_BLOCK IoStatus;
    HANDLE Thread = NULL;
    KEVENT Pended;

    (VOID) StartTestKernel(&Booted, 0);
    KeInitializeEvent(&Pended, NotificationEvent, FALSE);
    (VOID) PsCreateSystemThread(&Thread, 0, NULL, NULL, NULL, PendAndStay, &Pended);
    (VOID) KeWaitForSingleObject(&Pended, Executive, KernelMode, FALSE, NULL);
    (VOID) TestControl(Booted.Handle, TEST_CODE((ULONG)Action, FILE_ANY_ACCESS), NULL, 0, 0, &IoStatus);
}

static void CompleteForAnother(void)
{
    CompleteForAnotherBy(TakeCarelessly);
}

static void CompleteForAnotherUnderMutex(void)
{
    CompleteForAnotherBy(TakeUnderMutex);
}

static void CallUnderSpinLock(void)
{
    KSPIN_LOCK Lock;
    KIRQL Irql;

    (VOID) StartTestKernel(&Booted, 0);
    KeInitializeSpinLock(&Lock);
    KeAcquireSpinLock(&Lock, &Irql);
    SendOwn(IRP_MJ_CREATE, TRUE);
}

static void SendWithoutThread(void)
{
    FILE_OBJECT File = {0};
    PIRP Irp;

    (VOID) StartTestKernel(&Booted, 0);
    Irp = IoAllocateIrp(Booted.Driver->DeviceObject->StackSize, FALSE);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_QUERY_INFORMATION;
    IoGetNextIrpStackLocation(Irp)->FileObject = &File;
    (VOID) IoCallDriver(Booted.Driver->DeviceObject, Irp);
}

static void RundownWithApcs(void)
{
    EX_RUNDOWN_REF Rundown;

    (VOID) StartTestKernel(&Booted, 0);
    ExInitializeRundownProtection(&Rundown);
    KeEnterCriticalRegion();
    (VOID) ExAcquireRundownProtection(&Rundown);
    KeLeaveCriticalRegion();
    ExReleaseRundownProtection(&Rundown);
    (VOID) ExAcquireRundownProtection(&Rundown);
}

static void LockKeptBeyondRegion(void)
{
    ERESOURCE Resource;

    (VOID) ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    (VOID) ExAcquireResourceSharedLite(&Resource, TRUE);
    KeLeaveCriticalRegion();
}

static HANDLE OwnFile;
static FAST_MUTEX OwnMutex;

static VOID AskOwnFile(PVOID Context)
{
    IO_STATUS_BLOCK IoStatus;

    UNREFERENCED_PARAMETER(Context);
    (VOID) ZwDeviceIoControlFile(OwnFile, NULL, NULL, NULL, &IoStatus, TEST_CODE(CallHook, FILE_ANY_ACCESS), NULL, 0,
                                 NULL, 0);
}

static VOID PassOwnMutex(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExAcquireFastMutex(&OwnMutex);
    ExReleaseFastMutex(&OwnMutex);
}

/* Starts the kernel, with a synchronous file of a driver's own, whose requests call the routine. */
static VOID StartWithOwnFile(PHOST_ROUTINE Hook)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;

    (VOID) StartTestKernel(&Booted, 0);
    ExInitializeFastMutex(&OwnMutex);
    TestHook = Hook;
    RtlInitUnicodeString(&Name, L"\\Device\\HostTest");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    (VOID) ZwCreateFile(&OwnFile, GENERIC_READ | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_VALID_FLAGS,
                        FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static void WaitForOwnFile(void)
{
    StartWithOwnFile(AskOwnFile);
    AskOwnFile(NULL);
}

static void OrderOfMutexAndFile(void)
{
    StartWithOwnFile(PassOwnMutex);
    AskOwnFile(NULL);
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&OwnMutex);
    AskOwnFile(NULL);
}

static void CancelAndKeepLock(void)
{
    IO_STATUS_BLOCK IoStatus;
    UCHAR Buffer[8] = {0};

    (VOID) StartTestKernel(&Booted, 0);
    (VOID) TestControl(Booted.Handle, TEST_CODE(KeepCancelLock, FILE_ANY_ACCESS), Buffer, 8, 8, &IoStatus);
    (VOID) NtCancelIoFile(Booted.Handle, &IoStatus);
}

void RunRequests(void)
{
    RunViolation("a request is completed once", MULTIPLE_IRP_COMPLETE_REQUESTS, "is completed already",
                 BreakCompleteTwice);
    RunViolation("a request is not completed with STATUS_PENDING", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "completed with STATUS_PENDING", BreakCompleteWithPending);
    RunViolation("a request is not completed with a cancel routine set", CANCEL_STATE_IN_COMPLETED_IRP,
                 "completed with a cancel routine set", BreakCompleteWithCancelRoutine);
    RunViolation("a request is not forwarded with a cancel routine set", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "has a cancel routine", BreakForwardWithCancelRoutine);
    RunViolation("a cancel routine releases the cancel spin lock", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "returned with the cancel spin lock held", CancelAndKeepLock);
    RunViolation("a dispatch routine returns the status it completed with", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "for a request completed with", BreakReturnOtherStatus);
    RunViolation("STATUS_PENDING is returned only for a request marked pending", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "is not marked pending", BreakReturnPendingUnmarked);
    RunViolation("a request marked pending is answered with STATUS_PENDING", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "marked a request pending and returned", BreakMarkAndReturnSuccess);
    RunViolation("no more is returned than the output buffer holds", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "are returned in a buffer of", BreakTellTooMuch);
    RunViolation("no lock is held on the return to user mode", IRQL_GT_ZERO_AT_SYSTEM_SERVICE,
                 "returns to user mode with a lock held", BreakFastReturnWithLock);
    RunViolation("the IRQL is PASSIVE_LEVEL on the return to user mode", IRQL_GT_ZERO_AT_SYSTEM_SERVICE,
                 "returns to user mode at IRQL 1", BreakFastReturnRaised);
    RunViolation("no critical region is open on the return to user mode", APC_INDEX_MISMATCH,
                 "returns to user mode in 1 critical regions", BreakFastReturnInCriticalRegion);
    RunViolation("a dispatch routine leaves the critical regions it entered", IRQL_UNEXPECTED_VALUE,
                 "in 1 critical regions", BreakReturnInCriticalRegion);
    RunViolation("a dispatch routine returns at the IRQL it was called at", IRQL_UNEXPECTED_VALUE, "returned at IRQL 1",
                 BreakReturnRaised);
    RunViolation("a dispatch routine completes what it does not pend", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "has not completed the request", BreakNeverComplete);
    RunViolation("a completion routine keeps a request of its own driver", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "came to its end", LoseOwnRequest);
    RunViolation("another thread's request is completed where no suspension is delivered",
                 DRIVER_VERIFIER_IOMANAGER_VIOLATION, "is completed where this one could be suspended",
                 CompleteForAnother);
    RunViolation("run-down protection is acquired where no suspension is delivered", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "is acquired where this thread could be suspended", RundownWithApcs);
    RunViolation("no lock is kept beyond the region it was acquired in", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "is held where APCs are delivered", LockKeptBeyondRegion);
    RunViolation("a file object is not dereferenced once too often", REFERENCE_BY_POINTER, "once too often",
                 BreakOverDereference);
    RunViolation("a request is not forwarded without a stack location", NO_MORE_IRP_STACK_LOCATIONS,
                 "has no stack location left", BreakCallWithoutLocation);
    RunViolation("a request is not forwarded as one of another major function", INCONSISTENT_IRP,
                 "is forwarded as 0x03", BreakForwardAsAnother);
    RunViolation("a request is not touched after it has been completed", INCONSISTENT_IRP, "is at no driver",
                 BreakMarkCompleted);
    RunViolation("nothing is read of a request after it has been completed", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "returned 0xDDDDDDDD", BreakReadCompleted);
    RunViolation("a request is not completed under a spin lock", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "called with 1 spin locks held", BreakCompleteUnderSpinLock);
    RunViolation("no driver is called under a spin lock", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "called with 1 spin locks held", CallUnderSpinLock);
    RunViolation("another thread's request is not completed under a fast mutex", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "while the fast mutex", CompleteForAnotherUnderMutex);
    RunViolation("a driver's own request for a file names its thread", INCONSISTENT_IRP, "names no thread",
                 SendWithoutThread);
    RunViolation("a synchronous file's next request is not waited for within one", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "waits for the synchronous file", WaitForOwnFile);
    RunViolation("a mutex and a synchronous file are acquired in one order", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "the other way round", OrderOfMutexAndFile);
    RunViolation("no context is removed in the dispatch of a close", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "called from the dispatch of major function 0x02", RemoveInClose);
    RunViolation("no context is removed in the dispatch of a PnP request", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "called from the dispatch of major function 0x1B", RemoveInPnp);
    RunViolation("a FreeCallback calls no driver", DRIVER_VERIFIER_DETECTED_VIOLATION, "a FreeCallback calls a driver",
                 CallInFreeCallback);
    RunViolation("a FreeCallback opens no file", DRIVER_VERIFIER_DETECTED_VIOLATION, "a FreeCallback calls a driver",
                 OpenInFreeCallback);
    RunViolation("a FreeCallback closes no file", DRIVER_VERIFIER_DETECTED_VIOLATION, "a FreeCallback calls a driver",
                 CloseInFreeCallback);
}
