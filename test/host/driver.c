/* The test driver, and the kernel it runs in. */
#include "driver.h"
#include "harness.h"

#include <stdio.h>

volatile LONG TestCreates;
volatile LONG TestCleanups;
volatile LONG TestCloses;
KIRQL TestCloseIrql;
BOOLEAN TestCleanupTerminating;
FSRTL_ADVANCED_FCB_HEADER TestStream;
FSRTL_PER_STREAM_CONTEXT TestContext;
volatile LONG TestRemoveAt;
BOOLEAN TestQueryOpenAnswer;
ULONG_PTR TestReadInformation;
PHOST_ROUTINE TestHook;

static IO_CSQ_IRP_CONTEXT QueueContext;
static FAST_IO_DISPATCH FastIo;
static IO_CSQ Queue;
static LIST_ENTRY QueueHead;
static KSPIN_LOCK QueueLock;
static FAST_MUTEX Mutex;
static PDEVICE_OBJECT Device;

static VOID InsertIrp(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    InsertTailList(&QueueHead, &Irp->Tail.Overlay.ListEntry);
}

static VOID RemoveIrp(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    (VOID) RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP PeekNextIrp(PIO_CSQ Csq, PIRP Irp, PVOID PeekContext)
{
    PLIST_ENTRY Entry = Irp == NULL ? QueueHead.Flink : Irp->Tail.Overlay.ListEntry.Flink;

    UNREFERENCED_PARAMETER(Csq);
    UNREFERENCED_PARAMETER(PeekContext);
    return Entry == &QueueHead ? NULL : CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);
}

static VOID AcquireQueue(PIO_CSQ Csq, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeAcquireSpinLock(&QueueLock, Irql);
}

static VOID ReleaseQueue(PIO_CSQ Csq, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeReleaseSpinLock(&QueueLock, Irql);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID CompleteCancelled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    (VOID) Complete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Echo(PIRP Irp, PIO_STACK_LOCATION Location)
{
    PUCHAR Bytes = Irp->AssociatedIrp.SystemBuffer;
    ULONG Length = Location->Parameters.DeviceIoControl.InputBufferLength;

    for (ULONG Index = 0; Index < Length / 2; Index++) {
        UCHAR Byte = Bytes[Index];

        Bytes[Index] = Bytes[Length - 1 - Index];
        Bytes[Length - 1 - Index] = Byte;
    }
    return Complete(Irp, STATUS_SUCCESS, Length);
}

static VOID KeepTheCancelLock(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
}

/* Completes what was taken from the queue, which another thread may have sent, and the request that asked for it. */
static NTSTATUS CompleteTaken(PIRP Irp, PIRP Taken, NTSTATUS Status)
{
    if (Taken != NULL) {
        KeEnterCriticalRegion();
        (VOID) Complete(Taken, Status, 0);
        KeLeaveCriticalRegion();
    }
    return Complete(Irp, Taken != NULL ? STATUS_SUCCESS : STATUS_NOT_FOUND, 0);
}

static NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    KIRQL Irql;

    switch ((TEST_ACTION)((Location->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xFFF) - 0x800)) {
    case CompleteTwice:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case CompleteWithPending:
        return Complete(Irp, STATUS_PENDING, 0);
    case ReturnOtherStatus:
        (VOID) Complete(Irp, STATUS_SUCCESS, 0);
        return STATUS_UNSUCCESSFUL;
    case ReturnPendingUnmarked:
        (VOID) Complete(Irp, STATUS_SUCCESS, 0);
        return STATUS_PENDING;
    case MarkAndReturnSuccess:
        IoMarkIrpPending(Irp);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case TellTooMuch:
        return Complete(Irp, STATUS_SUCCESS, Location->Parameters.DeviceIoControl.OutputBufferLength + 1);
    case ReturnInCriticalRegion:
        KeEnterCriticalRegion();
        return Complete(Irp, STATUS_SUCCESS, 0);
    case ReturnRaised:
        KeRaiseIrql(APC_LEVEL, &Irql);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case QueueIt:
        IoCsqInsertIrp(&Queue, Irp, NULL);
        return STATUS_PENDING;
    case NeverComplete:
        return STATUS_SUCCESS;
    case OverDereference:
        ObDereferenceObject(Location->FileObject);
        ObDereferenceObject(Location->FileObject);
        ObDereferenceObject(Location->FileObject);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case CallWithoutLocation:
        return IoCallDriver(DeviceObject, Irp);
    case ForwardAsAnother:
        IoSkipCurrentIrpStackLocation(Irp);
        Location->MajorFunction = IRP_MJ_READ;
        return IoCallDriver(DeviceObject, Irp);
    case MarkCompleted:
        (VOID) Complete(Irp, STATUS_SUCCESS, 0);
        IoMarkIrpPending(Irp);
        return STATUS_PENDING;
    case CallHook:
        TestHook(NULL);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case EchoReversed:
        return Echo(Irp, Location);
    case FailWithOutput:
        return Complete(Irp, STATUS_UNSUCCESSFUL, 1);
    case CompleteWithCancelRoutine:
        (VOID) IoSetCancelRoutine(Irp, KeepTheCancelLock);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case ForwardWithCancelRoutine:
        (VOID) IoSetCancelRoutine(Irp, KeepTheCancelLock);
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(DeviceObject, Irp);
    case KeepCancelLock:
        IoMarkIrpPending(Irp);
        (VOID) IoSetCancelRoutine(Irp, KeepTheCancelLock);
        return STATUS_PENDING;
    case QueueWithContext:
        IoCsqInsertIrp(&Queue, Irp, &QueueContext);
        return STATUS_PENDING;
    case TakeByContext:
        return CompleteTaken(Irp, IoCsqRemoveIrp(&Queue, &QueueContext), STATUS_SUCCESS);
    case TakeOldest:
        return CompleteTaken(Irp, IoCsqRemoveNextIrp(&Queue, NULL), STATUS_SUCCESS);
    case ReadCompleted:
        (VOID) Complete(Irp, STATUS_SUCCESS, 0);
        return Irp->IoStatus.Status;
    case CompleteUnderSpinLock:
        KeAcquireSpinLock(&QueueLock, &Irql);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case TakeUnderMutex:
        ExAcquireFastMutex(&Mutex);
        return CompleteTaken(Irp, IoCsqRemoveNextIrp(&Queue, NULL), STATUS_SUCCESS);
    case TakeCarelessly:
        (VOID) Complete(IoCsqRemoveNextIrp(&Queue, NULL), STATUS_SUCCESS, 0);
        return Complete(Irp, STATUS_SUCCESS, 0);
    case FailOldest:
        return CompleteTaken(Irp, IoCsqRemoveNextIrp(&Queue, NULL), STATUS_UNSUCCESSFUL);
    case Warn:
        return Complete(Irp, STATUS_BUFFER_OVERFLOW, Location->Parameters.DeviceIoControl.OutputBufferLength);
    default:
        return Complete(Irp, STATUS_SUCCESS, 0);
    }
}

static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UCHAR MajorFunction = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;
    PFILE_NETWORK_OPEN_INFORMATION Information = Irp->AssociatedIrp.SystemBuffer;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (MajorFunction == ReadAcquire(&TestRemoveAt)) {
        (VOID) FsRtlRemovePerStreamContext(&TestStream, TestContext.OwnerId, NULL);
    }
    switch (MajorFunction) {
    case IRP_MJ_CREATE:
        (VOID) InterlockedIncrement(&TestCreates);
        break;
    case IRP_MJ_QUERY_INFORMATION:
        RtlZeroMemory(Information, sizeof(*Information));
        Information->EndOfFile.QuadPart = TEST_QUERY_OPEN_SIZE + 1;
        return Complete(Irp, STATUS_SUCCESS, sizeof(*Information));
    case IRP_MJ_READ:
        return Complete(Irp, STATUS_SUCCESS, TestReadInformation);
    case IRP_MJ_CLEANUP:
        TestCleanupTerminating = PsIsThreadTerminating(PsGetCurrentThread());
        (VOID) InterlockedIncrement(&TestCleanups);
        break;
    case IRP_MJ_CLOSE:
        TestCloseIrql = KeGetCurrentIrql();
        (VOID) InterlockedIncrement(&TestCloses);
        break;
    default:
        break;
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* Breaks the rules that a dispatch routine would be told of by IoCallDriver already. */
static BOOLEAN FastControl(PFILE_OBJECT FileObject, BOOLEAN Wait, PVOID InputBuffer, ULONG InputBufferLength,
                           PVOID OutputBuffer, ULONG OutputBufferLength, ULONG IoControlCode, PIO_STATUS_BLOCK IoStatus,
                           PDEVICE_OBJECT DeviceObject)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(InputBuffer);
    UNREFERENCED_PARAMETER(InputBufferLength);
    UNREFERENCED_PARAMETER(OutputBuffer);
    UNREFERENCED_PARAMETER(OutputBufferLength);
    UNREFERENCED_PARAMETER(DeviceObject);
    IoStatus->Status = STATUS_SUCCESS;
    IoStatus->Information = 0;
    switch (IoControlCode) {
    case TEST_CODE(FastReturnWithLock, FILE_ANY_ACCESS):
        KeEnterCriticalRegion();
        ExAcquireFastMutexUnsafe(&Mutex);
        return TRUE;
    case TEST_CODE(FastReturnRaised, FILE_ANY_ACCESS):
        KeRaiseIrql(APC_LEVEL, &Irql);
        return TRUE;
    case TEST_CODE(FastReturnInCriticalRegion, FILE_ANY_ACCESS):
        KeEnterCriticalRegion();
        return TRUE;
    default:
        return FALSE;
    }
}

static BOOLEAN FastQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION NetworkInformation, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    if (!TestQueryOpenAnswer) {
        return FALSE;
    }
    CHECK(IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE);
    RtlZeroMemory(NetworkInformation, sizeof(*NetworkInformation));
    NetworkInformation->EndOfFile.QuadPart = TEST_QUERY_OPEN_SIZE;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = sizeof(*NetworkInformation);
    return TRUE;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteDevice(Device);
}

static NTSTATUS Entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    TestCreates = TestCleanups = TestCloses = 0;
    TestRemoveAt = -1;
    TestQueryOpenAnswer = FALSE;
    FsRtlSetupAdvancedHeader(&TestStream, NULL);
    InitializeListHead(&QueueHead);
    KeInitializeSpinLock(&QueueLock);
    ExInitializeFastMutex(&Mutex);
    (VOID) IoCsqInitialize(&Queue, InsertIrp, RemoveIrp, PeekNextIrp, AcquireQueue, ReleaseQueue, CompleteCancelled);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_PNP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_READ] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    FastIo.SizeOfFastIoDispatch = sizeof(FastIo);
    FastIo.FastIoDeviceControl = FastControl;
    FastIo.FastIoQueryOpen = FastQueryOpen;
    DriverObject->FastIoDispatch = &FastIo;
    DriverObject->DriverUnload = Unload;
    RtlInitUnicodeString(&Name, L"\\Device\\HostTest");
    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (NT_SUCCESS(Status)) {
        Device->Flags |= DO_BUFFERED_IO;
    }
    return Status;
}

NTSTATUS TestOpen(PCWSTR Name, ACCESS_MASK Access, ULONG Options, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(Handle, Access, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_VALID_FLAGS, FILE_OPEN_IF, Options,
                        NULL, 0);
}

NTSTATUS TestControl(HANDLE Handle, ULONG Code, PVOID Buffer, ULONG Input, ULONG Output, PIO_STATUS_BLOCK IoStatus)
{
    return NtDeviceIoControlFile(Handle, NULL, NULL, NULL, IoStatus, Code, Buffer, Input, Buffer, Output);
}

NTSTATUS StartTestKernel(TEST_KERNEL *Kernel, ULONG CreateOptions)
{
    NTSTATUS Status = HostBoot();

    memset(Kernel, 0, sizeof(*Kernel));
    if (NT_SUCCESS(Status)) {
        Status = HostLoadDriver(L"HostTest", FALSE, Entry, &Kernel->Driver);
    }
    if (NT_SUCCESS(Status)) {
        Status = HostCreateProcess(TRUE, &Kernel->Process);
    }
    if (NT_SUCCESS(Status)) {
        HostEnterProcess(Kernel->Process);
        Status =
            TestOpen(L"\\Device\\HostTest", GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, CreateOptions, &Kernel->Handle);
    }
    return Status;
}

BOOLEAN StopTestKernel(TEST_KERNEL *Kernel)
{
    HOST_AUDIT Audit;
    NTSTATUS Status;

    HostLeaveProcess();
    HostExitProcess(Kernel->Process);
    HostDereferenceProcess(Kernel->Process);
    (VOID) HostUnloadDriver(Kernel->Driver);
    Status = HostShutdown(&Audit);
    if (Audit.PoolBytes != 0 || Audit.Handles != 0 || Audit.Objects != 0 || Audit.Irps != 0 || Audit.Locks != 0) {
        printf("# left: %llu bytes of pool, %llu handles, %llu objects, %llu requests, %llu locks\n", Audit.PoolBytes,
               Audit.Handles, Audit.Objects, Audit.Irps, Audit.Locks);
        return FALSE;
    }
    return (BOOLEAN)NT_SUCCESS(Status);
}
