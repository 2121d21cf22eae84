/* Where a request's result goes: the status block, the caller's event, the file object's event; and when it goes nowhere. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

#define UNTOUCHED 77

/* A request sent with a status block and an event whose changes are looked for. */
typedef struct _SENT {
    TEST_KERNEL Kernel;
    HANDLE Other; /* the same device, for what is to happen meanwhile */
    HANDLE Event;
    IO_STATUS_BLOCK IoStatus;
} SENT;

static BOOLEAN IsSignalled(HANDLE Handle)
{
    LARGE_INTEGER Now = {0};

    return (BOOLEAN)(NtWaitForSingleObject(Handle, FALSE, &Now) == STATUS_SUCCESS);
}

static void Start(SENT *Sent, ULONG Options)
{
    CHECK_STATUS(StartTestKernel(&Sent->Kernel, Options), STATUS_SUCCESS);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTest", GENERIC_READ | GENERIC_WRITE, 0, &Sent->Other), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateEvent(&Sent->Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE), STATUS_SUCCESS);
}

static NTSTATUS Send(SENT *Sent, TEST_ACTION Action, BOOLEAN WithEvent)
{
    static UCHAR Buffer[4];

    Sent->IoStatus.Status = STATUS_PENDING;
    Sent->IoStatus.Information = UNTOUCHED;
    return NtDeviceIoControlFile(Sent->Kernel.Handle, WithEvent ? Sent->Event : NULL, NULL, NULL, &Sent->IoStatus,
                                 TEST_CODE((ULONG)Action, FILE_ANY_ACCESS), Buffer, sizeof(Buffer), Buffer,
                                 sizeof(Buffer));
}

static BOOLEAN IsUntouched(const SENT *Sent)
{
    return (BOOLEAN)(Sent->IoStatus.Status == STATUS_PENDING && Sent->IoStatus.Information == UNTOUCHED);
}

/* What becomes of the request that is queued, told over the other handle. */
static NTSTATUS Order(SENT *Sent, TEST_ACTION Action)
{
    IO_STATUS_BLOCK IoStatus;

    return TestControl(Sent->Other, TEST_CODE((ULONG)Action, FILE_ANY_ACCESS), NULL, 0, 0, &IoStatus);
}

static void FailAtOnce(ULONG Options)
{
    SENT Sent;

    Start(&Sent, Options);
    CHECK_STATUS(Send(&Sent, FailWithOutput, TRUE), STATUS_UNSUCCESSFUL);
    CHECK(IsUntouched(&Sent) && !IsSignalled(Sent.Event) && !IsSignalled(Sent.Kernel.Handle));
    CHECK_STATUS(Send(&Sent, FailWithOutput, FALSE), STATUS_UNSUCCESSFUL);
    CHECK(IsUntouched(&Sent) && !IsSignalled(Sent.Kernel.Handle));
    CHECK(StopTestKernel(&Sent.Kernel));
}

static void FailsAtOnce(void)
{
    FailAtOnce(0);
    FailAtOnce(FILE_SYNCHRONOUS_IO_NONALERT);
}

static void SucceedAtOnce(ULONG Options)
{
    SENT Sent;

    Start(&Sent, Options);
    CHECK_STATUS(Send(&Sent, EchoReversed, TRUE), STATUS_SUCCESS);
    CHECK(Sent.IoStatus.Status == STATUS_SUCCESS && Sent.IoStatus.Information == 4 && IsSignalled(Sent.Event));
    CHECK(IsSignalled(Sent.Kernel.Handle) == (Options != 0));
    CHECK_STATUS(Send(&Sent, EchoReversed, FALSE), STATUS_SUCCESS);
    CHECK(Sent.IoStatus.Information == 4 && IsSignalled(Sent.Kernel.Handle));
    CHECK_STATUS(Send(&Sent, Warn, TRUE), STATUS_BUFFER_OVERFLOW);
    CHECK(Sent.IoStatus.Status == STATUS_BUFFER_OVERFLOW && Sent.IoStatus.Information == 4);
    CHECK(IsSignalled(Sent.Event));
    CHECK(StopTestKernel(&Sent.Kernel));
}

static void SucceedsAtOnce(void)
{
    SucceedAtOnce(0);
    SucceedAtOnce(FILE_SYNCHRONOUS_IO_NONALERT);
}

static void EndsLater(void)
{
    SENT Sent;

    Start(&Sent, 0);
    CHECK_STATUS(Send(&Sent, QueueIt, TRUE), STATUS_PENDING);
    CHECK(IsUntouched(&Sent) && !IsSignalled(Sent.Event));
    CHECK_STATUS(Order(&Sent, FailOldest), STATUS_SUCCESS);
    CHECK(Sent.IoStatus.Status == STATUS_UNSUCCESSFUL && IsSignalled(Sent.Event) && !IsSignalled(Sent.Kernel.Handle));
    CHECK_STATUS(Send(&Sent, QueueIt, FALSE), STATUS_PENDING);
    CHECK(!IsSignalled(Sent.Kernel.Handle));
    CHECK_STATUS(Order(&Sent, FailOldest), STATUS_SUCCESS);
    CHECK(Sent.IoStatus.Status == STATUS_UNSUCCESSFUL && IsSignalled(Sent.Kernel.Handle));
    CHECK_STATUS(Send(&Sent, QueueIt, TRUE), STATUS_PENDING);
    CHECK_STATUS(Order(&Sent, TakeOldest), STATUS_SUCCESS);
    CHECK(Sent.IoStatus.Status == STATUS_SUCCESS && IsSignalled(Sent.Event));
    CHECK(StopTestKernel(&Sent.Kernel));
}

/* Fails the request that another thread waits for, as soon as it is queued. */
static VOID FailQueued(PVOID Context)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    SENT *Sent = Context;

    HostEnterProcess(Sent->Kernel.Process);
    while (Order(Sent, FailOldest) == STATUS_NOT_FOUND) {
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
    HostLeaveProcess();
}

static void FailsLaterSynchronously(void)
{
    HANDLE Thread = NULL;
    SENT Sent;

    Start(&Sent, FILE_SYNCHRONOUS_IO_NONALERT);
    CHECK_STATUS(PsCreateSystemThread(&Thread, SYNCHRONIZE, NULL, NULL, NULL, FailQueued, &Sent), STATUS_SUCCESS);
    CHECK_STATUS(Send(&Sent, QueueIt, TRUE), STATUS_UNSUCCESSFUL);
    CHECK(IsUntouched(&Sent) && !IsSignalled(Sent.Event) && IsSignalled(Sent.Kernel.Handle));
    CHECK_STATUS(ZwWaitForSingleObject(Thread, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(ZwClose(Thread), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Sent.Kernel));
}

static void OpeningSignals(void)
{
    IO_STATUS_BLOCK IoStatus = {.Status = STATUS_PENDING, .Information = UNTOUCHED};
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Handle = NULL;
    SENT Sent;

    Start(&Sent, FILE_SYNCHRONOUS_IO_NONALERT);
    CHECK(IsSignalled(Sent.Kernel.Handle));
    RtlInitUnicodeString(&Name, L"\\Device\\NoSuchDevice");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    CHECK_STATUS(NtCreateFile(&Handle, FILE_READ_DATA, &Attributes, &IoStatus, NULL, 0, 0, FILE_OPEN, 0, NULL, 0),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(IoStatus.Status == STATUS_PENDING && IoStatus.Information == UNTOUCHED && Handle == NULL);
    CHECK(StopTestKernel(&Sent.Kernel));
}

static void BuiltRequests(void)
{
    IO_STATUS_BLOCK IoStatus = {.Status = STATUS_PENDING, .Information = UNTOUCHED};
    PDEVICE_OBJECT Device;
    KEVENT Event;
    SENT Sent;
    PIRP Irp;

    Start(&Sent, 0);
    Device = Sent.Kernel.Driver->DeviceObject;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildDeviceIoControlRequest(TEST_CODE(FailWithOutput, FILE_ANY_ACCESS), Device, NULL, 0, NULL, 0, FALSE,
                                        &Event, &IoStatus);
    CHECK_STATUS(IoCallDriver(Device, Irp), STATUS_UNSUCCESSFUL);
    CHECK(IoStatus.Status == STATUS_PENDING && IoStatus.Information == UNTOUCHED && KeReadStateEvent(&Event) == 0);
    Irp = IoBuildDeviceIoControlRequest(TEST_CODE(QueueIt, FILE_ANY_ACCESS), Device, NULL, 0, NULL, 0, FALSE, &Event,
                                        &IoStatus);
    CHECK_STATUS(IoCallDriver(Device, Irp), STATUS_PENDING);
    CHECK_STATUS(Order(&Sent, FailOldest), STATUS_SUCCESS);
    CHECK(IoStatus.Status == STATUS_UNSUCCESSFUL && KeReadStateEvent(&Event) == 1);
    CHECK(StopTestKernel(&Sent.Kernel));
}

static NTSTATUS ReadLength(ULONG Length, ULONG_PTR Information)
{
    LARGE_INTEGER Offset = {0};
    IO_STATUS_BLOCK IoStatus;
    UCHAR Buffer[4];
    SENT Sent;
    NTSTATUS Status;

    Start(&Sent, 0);
    TestReadInformation = Information;
    Status = NtReadFile(Sent.Kernel.Handle, NULL, NULL, NULL, &IoStatus, Buffer, Length, &Offset, NULL);
    CHECK(StopTestKernel(&Sent.Kernel));
    return Status;
}

static void ReadNothing(void)
{
    CHECK_STATUS(ReadLength(0, 0), STATUS_SUCCESS);
    CHECK_STATUS(ReadLength(4, 4), STATUS_SUCCESS);
}

static void ReadNothingTellMore(void)
{
    (VOID) ReadLength(0, 1);
}

static void ReadTellMore(void)
{
    (VOID) ReadLength(4, 5);
}

void RunResults(void)
{
    RunTest("a request that fails at once leaves the status block and the events alone", FailsAtOnce);
    RunTest("a request that succeeds at once, or with a warning, tells the status block and its event", SucceedsAtOnce);
    RunTest("a request that ends later on an asynchronous handle tells the status block and the one event", EndsLater);
    RunTest("a request that fails later on a synchronous handle leaves the status block and the caller's event alone",
            FailsLaterSynchronously);
    RunTest("a file object's event is signalled by its open, and a failed open leaves the status block alone",
            OpeningSignals);
    RunTest("a driver's request that fails at once leaves its status block and its event alone", BuiltRequests);
    RunTest("a buffered read of no bytes returns none", ReadNothing);
    RunViolation("a buffered read of no bytes does not return more", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "1 bytes are returned in a buffer of 0", ReadNothingTellMore);
    RunViolation("a read does not return more than was asked for", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "5 bytes are returned in a buffer of 4", ReadTellMore);
}
