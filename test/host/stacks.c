/* Device stacks: attaching and detaching, a request's way down and up, and which completion routines are called. */
#include "harness.h"
#include "rules.h"

#define LEVELS 3u

typedef struct _LEVEL {
    PDEVICE_OBJECT Lower;
    ULONG Number;
} LEVEL, *PLEVEL;

static PDRIVER_OBJECT Driver;
static PDEVICE_OBJECT Devices[LEVELS]; /* from the bottom */
static NTSTATUS BottomStatus;
static BOOLEAN BottomPends;
static BOOLEAN LeavesNextEmpty;
static PIRP Pended;
static ULONG KeptAt; /* the level whose completion routine keeps the request; LEVELS for none */
static ULONG Order[8];
static ULONG OrderLength;

static VOID Note(ULONG Step)
{
    if (OrderLength < RTL_NUMBER_OF(Order)) {
        Order[OrderLength++] = Step;
    }
}

#define CHECK_ORDER(...) \
    do { \
        static const ULONG Expected[] = {__VA_ARGS__}; \
        CHECK(OrderLength == RTL_NUMBER_OF(Expected) && memcmp(Order, Expected, sizeof(Expected)) == 0); \
        OrderLength = 0; \
    } while (0)

/* On the way down a step is the device's number, on the way up ten more. */
static NTSTATUS Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PLEVEL Level = Context;

    CHECK(DeviceObject == Devices[Level->Number]);
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    Note(10 + Level->Number);
    return KeptAt == Level->Number ? STATUS_MORE_PROCESSING_REQUIRED : STATUS_SUCCESS;
}

static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PLEVEL Level = DeviceObject->DeviceExtension;

    Note(Level->Number);
    if (Level->Lower != NULL && LeavesNextEmpty) {
        return IoCallDriver(Level->Lower, Irp);
    }
    if (Level->Lower != NULL) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, Completed, Level, TRUE, TRUE, TRUE);
        return IoCallDriver(Level->Lower, Irp);
    }
    if (BottomPends) {
        IoMarkIrpPending(Irp);
        Pended = Irp;
        return STATUS_PENDING;
    }
    Irp->IoStatus.Status = BottomStatus;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return BottomStatus;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    for (ULONG Index = LEVELS; Index-- > 0;) {
        PLEVEL Level = Devices[Index]->DeviceExtension;

        if (Level->Lower != NULL) {
            IoDetachDevice(Level->Lower);
        }
        IoDeleteDevice(Devices[Index]);
    }
}

static NTSTATUS Entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->DriverUnload = Unload;
    for (ULONG Index = 0; Index < LEVELS && NT_SUCCESS(Status); Index++) {
        Status = IoCreateDevice(DriverObject, sizeof(LEVEL), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Devices[Index]);
        if (NT_SUCCESS(Status)) {
            ((PLEVEL)Devices[Index]->DeviceExtension)->Number = Index;
        }
    }
    return Status;
}

/* A kernel with a driver and its three devices, of which none is attached yet. */
static VOID Start(VOID)
{
    BottomStatus = STATUS_SUCCESS;
    BottomPends = FALSE;
    KeptAt = LEVELS;
    OrderLength = 0;
    CHECK_STATUS(HostBoot(), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"HostStack", FALSE, Entry, &Driver), STATUS_SUCCESS);
}

static NTSTATUS Attach(ULONG Index, PDEVICE_OBJECT Target)
{
    PLEVEL Level = Devices[Index]->DeviceExtension;

    return IoAttachDeviceToDeviceStackSafe(Devices[Index], Target, &Level->Lower);
}

static VOID Detach(ULONG Index)
{
    PLEVEL Level = Devices[Index]->DeviceExtension;

    IoDetachDevice(Level->Lower);
    Level->Lower = NULL;
}

static VOID StartAttached(VOID)
{
    Start();
    for (ULONG Index = 1; Index < LEVELS; Index++) {
        CHECK_STATUS(Attach(Index, Devices[0]), STATUS_SUCCESS);
    }
}

static VOID Stop(VOID)
{
    HOST_AUDIT Audit;

    CHECK_STATUS(HostUnloadDriver(Driver), STATUS_SUCCESS);
    CHECK_STATUS(HostShutdown(&Audit), STATUS_SUCCESS);
    CHECK(Audit.PoolBytes == 0 && Audit.Objects == 0 && Audit.Irps == 0 && Audit.Locks == 0);
}

static NTSTATUS Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    (*(PULONG)Context)++;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A request to the top of the stack, whose sender's completion routine counts in Ends. */
static PIRP MakeRequest(PULONG Ends, BOOLEAN OnSuccess, BOOLEAN OnError, BOOLEAN OnCancel)
{
    PIRP Irp = IoAllocateIrp(LEVELS, FALSE);

    *Ends = 0;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_CREATE;
    IoSetCompletionRoutine(Irp, Keep, Ends, OnSuccess, OnError, OnCancel);
    return Irp;
}

static NTSTATUS SendRequest(VOID)
{
    ULONG Ends;
    PIRP Irp = MakeRequest(&Ends, TRUE, TRUE, TRUE);
    NTSTATUS Status = IoCallDriver(IoGetAttachedDevice(Devices[0]), Irp);

    CHECK(Ends == 1);
    IoFreeIrp(Irp);
    return Status;
}

static VOID CheckNeighbours(PDEVICE_OBJECT Above, PDEVICE_OBJECT Below)
{
    PDEVICE_OBJECT Found = IoGetLowerDeviceObject(Above);

    CHECK(Found == Below);
    if (Found != NULL) {
        ObDereferenceObject(Found);
    }
}

static void Attachment(void)
{
    PDEVICE_OBJECT Base;
    PLEVEL Lowest;

    Start();
    Lowest = Devices[1]->DeviceExtension;
    Devices[0]->Flags |= DO_DEVICE_INITIALIZING;
    CHECK_STATUS(Attach(1, Devices[0]), STATUS_NO_SUCH_DEVICE);
    CHECK(Lowest->Lower == NULL && IoAttachDeviceToDeviceStack(Devices[1], Devices[0]) == NULL);
    Devices[0]->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    CHECK_STATUS(Attach(1, Devices[0]), STATUS_SUCCESS);
    CHECK_STATUS(Attach(2, Devices[0]), STATUS_SUCCESS);
    CHECK(Devices[0]->StackSize == 1 && Devices[1]->StackSize == 2 && Devices[2]->StackSize == 3);
    CHECK(IoGetAttachedDevice(Devices[0]) == Devices[2]);
    CheckNeighbours(Devices[2], Devices[1]);
    CheckNeighbours(Devices[1], Devices[0]);
    CheckNeighbours(Devices[0], NULL);
    Base = IoGetDeviceAttachmentBaseRef(Devices[2]);
    CHECK(Base == Devices[0]);
    ObDereferenceObject(Base);
    Detach(2);
    CHECK(IoGetAttachedDevice(Devices[0]) == Devices[1] && Devices[1]->AttachedDevice == NULL);
    CheckNeighbours(Devices[2], NULL);
    CHECK_STATUS(SendRequest(), STATUS_SUCCESS);
    CHECK_ORDER(1, 0, 11);
    Detach(1);
    CHECK_STATUS(Attach(2, Devices[0]), STATUS_SUCCESS);
    CHECK_STATUS(Attach(1, Devices[0]), STATUS_SUCCESS);
    CHECK_STATUS(SendRequest(), STATUS_SUCCESS);
    CHECK_ORDER(1, 2, 0, 12, 11);
    Detach(1);
    Stop();
}

static void UpAgain(void)
{
    StartAttached();
    CHECK_STATUS(SendRequest(), STATUS_SUCCESS);
    CHECK_ORDER(2, 1, 0, 11, 12);
    BottomStatus = STATUS_ACCESS_DENIED;
    CHECK_STATUS(SendRequest(), STATUS_ACCESS_DENIED);
    CHECK_ORDER(2, 1, 0, 11, 12);
    Stop();
}

static void Selection(void)
{
    static const struct {
        NTSTATUS Status;
        BOOLEAN Cancel;
        ULONG Called; /* by which of success (1), error (2), cancellation (4) */
    } Cases[] = {{STATUS_SUCCESS, FALSE, 1},        {STATUS_SUCCESS, TRUE, 5},   {STATUS_REPARSE, FALSE, 1},
                 {STATUS_ACCESS_DENIED, FALSE, 2},  {STATUS_CANCELLED, TRUE, 6}, {STATUS_CANCELLED, FALSE, 2},
                 {STATUS_BUFFER_OVERFLOW, FALSE, 2}};

    Start();
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        for (ULONG Flags = 1; Flags < 8; Flags++) {
            ULONG Outer;
            ULONG Ends = 0;
            PIRP Irp = MakeRequest(&Outer, TRUE, TRUE, TRUE);

            IoSetNextIrpStackLocation(Irp);
            IoCopyCurrentIrpStackLocationToNext(Irp);
            IoSetCompletionRoutine(Irp, Keep, &Ends, (BOOLEAN)((Flags & 1) != 0), (BOOLEAN)((Flags & 2) != 0),
                                   (BOOLEAN)((Flags & 4) != 0));
            if (Cases[Index].Cancel) {
                CHECK(!IoCancelIrp(Irp));
            }
            BottomStatus = Cases[Index].Status;
            CHECK_STATUS(IoCallDriver(Devices[0], Irp), BottomStatus);
            CHECK(Ends == ((Flags & Cases[Index].Called) != 0) && Outer == !Ends);
            IoFreeIrp(Irp);
        }
    }
    Stop();
}

static void Resumption(void)
{
    ULONG Ends;
    PIRP Irp;

    StartAttached();
    BottomPends = TRUE;
    KeptAt = 1;
    Irp = MakeRequest(&Ends, TRUE, TRUE, TRUE);
    CHECK_STATUS(IoCallDriver(Devices[2], Irp), STATUS_PENDING);
    CHECK_ORDER(2, 1, 0);
    Pended->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Pended, IO_NO_INCREMENT);
    CHECK(Ends == 0);
    CHECK_ORDER(11);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    CHECK(Ends == 1 && Irp->PendingReturned);
    CHECK_ORDER(12);
    IoFreeIrp(Irp);
    Stop();
}

static void DeletedAttached(void)
{
    StartAttached();
    IoDeleteDevice(Devices[2]);
}

static void DeletedBelow(void)
{
    StartAttached();
    IoDeleteDevice(Devices[0]);
}

static void AttachedTwice(void)
{
    StartAttached();
    (VOID) IoAttachDeviceToDeviceStack(Devices[1], Devices[0]);
}

static void DetachedTwice(void)
{
    StartAttached();
    IoDetachDevice(Devices[1]);
    IoDetachDevice(Devices[1]);
}

/* The next stack location is all zero: a create, but of nothing. */
static void NextLeftEmpty(void)
{
    FILE_OBJECT File = {0};
    ULONG Ends;
    PIRP Irp;

    StartAttached();
    LeavesNextEmpty = TRUE;
    Irp = MakeRequest(&Ends, TRUE, TRUE, TRUE);
    IoGetNextIrpStackLocation(Irp)->FileObject = &File;
    (VOID) IoCallDriver(Devices[2], Irp);
}

static void SentAfterFree(void)
{
    ULONG Ends;
    PIRP Irp;

    StartAttached();
    Irp = MakeRequest(&Ends, TRUE, TRUE, TRUE);
    IoFreeIrp(Irp);
    (VOID) IoCallDriver(Devices[2], Irp);
}

static void FreedTwice(void)
{
    ULONG Ends;
    PIRP Irp;

    StartAttached();
    Irp = MakeRequest(&Ends, TRUE, TRUE, TRUE);
    IoFreeIrp(Irp);
    IoFreeIrp(Irp);
}

/* Whoever keeps a device's memory may not use the device for longer than its driver does. */
static void RequestAfterDeletion(void)
{
    ULONG Ends;

    Start();
    ObReferenceObject(Devices[1]);
    IoDeleteDevice(Devices[1]);
    (VOID) IoCallDriver(Devices[1], MakeRequest(&Ends, TRUE, TRUE, TRUE));
}

void RunStacks(void)
{
    RunTest("devices attach to the top of a stack, and detach from what is below", Attachment);
    RunTest("completion routines are called from the lowest driver up", UpAgain);
    RunTest("a completion routine is called for success, error or cancellation as it asked", Selection);
    RunTest("a request that a completion routine kept is completed from there", Resumption);
    RunViolation("a request is not forwarded in an empty stack location", INCONSISTENT_IRP,
                 "is forwarded without its file object", NextLeftEmpty);
    RunViolation("a request is not sent after it has been freed", INCONSISTENT_IRP,
                 "is no request, or one that is gone", SentAfterFree);
    RunViolation("a request is freed once", INCONSISTENT_IRP, "is no request, or one that is gone", FreedTwice);
    RunViolation("an attached device is not deleted", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "is attached to another device still", DeletedAttached);
    RunViolation("a device is not deleted under one that stays attached", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "a device is still attached above", DeletedBelow);
    RunViolation("a device is attached once", DRIVER_VERIFIER_IOMANAGER_VIOLATION, "is attached already",
                 AttachedTwice);
    RunViolation("a device is detached once", DRIVER_VERIFIER_IOMANAGER_VIOLATION, "nothing is attached to",
                 DetachedTwice);
    RunViolation("no request is sent to a device that has been deleted", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 "has been deleted", RequestAfterDeletion);
}
