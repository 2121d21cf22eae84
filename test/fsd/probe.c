/* The probe's driver and the calls that the tests make of it. */
#include "probe.h"

#include "host.h"

#define PROBE_TAG 0x62727050u
#define IOCTL_PROBE_LOOK CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_PROBE_INSERT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_PROBE_HOLD CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_PROBE_RELEASE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)

static const WCHAR DeviceText[] = L"\\Device\\FsdProbe";
static PDRIVER_OBJECT Driver;
static HANDLE Device;
static PFILE_OBJECT Held;
static volatile LONG TornDown;

static VOID FreeContext(PVOID Buffer)
{
    (VOID) InterlockedIncrement(&TornDown);
    ExFreePoolWithTag(Buffer, PROBE_TAG);
}

static NTSTATUS InsertContext(PFILE_OBJECT FileObject)
{
    PFSRTL_PER_STREAM_CONTEXT Context =
        ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(FSRTL_PER_STREAM_CONTEXT), PROBE_TAG);
    NTSTATUS Status;

    if (Context == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    FsRtlInitPerStreamContext(Context, Driver, NULL, FreeContext);
    Status = FsRtlInsertPerStreamContext(FsRtlGetPerStreamContextPointer(FileObject), Context);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Context, PROBE_TAG);
    }
    return Status;
}

static NTSTATUS Look(PFILE_OBJECT FileObject, BOOLEAN Insert, PROBE_REPLY *Reply)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = FsRtlGetPerStreamContextPointer(FileObject);
    NTSTATUS Status = STATUS_SUCCESS;

    Reply->Stream = (ULONG64)(ULONG_PTR)Header;
    Reply->Supported = FsRtlSupportsPerStreamContexts(FileObject) ? 1 : 0;
    if (Insert) {
        Status = InsertContext(FileObject);
    }
    Reply->Contexts = FsRtlLookupPerStreamContext(Header, Driver, NULL) != NULL ? 1 : 0;
    return Status;
}

static NTSTATUS Control(PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    ULONG Code = IrpSp->Parameters.DeviceIoControl.IoControlCode;
    PFILE_OBJECT FileObject;
    PROBE_REPLY Reply;
    NTSTATUS Status;

    if (Code == IOCTL_PROBE_RELEASE) {
        ObDereferenceObject(Held);
        Held = NULL;
        return STATUS_SUCCESS;
    }
    Status = ObReferenceObjectByHandle(*(HANDLE *)Irp->AssociatedIrp.SystemBuffer, 0, *IoFileObjectType, UserMode,
                                       (PVOID *)&FileObject, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Code == IOCTL_PROBE_HOLD) {
        Held = FileObject;
        return STATUS_SUCCESS;
    }
    Status = Look(FileObject, (BOOLEAN)(Code == IOCTL_PROBE_INSERT), &Reply);
    ObDereferenceObject(FileObject);
    *(PROBE_REPLY *)Irp->AssociatedIrp.SystemBuffer = Reply;
    Irp->IoStatus.Information = sizeof(Reply);
    return Status;
}

static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION IrpSp = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    if (IrpSp->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        Status = Control(Irp, IrpSp);
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS ProbeDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(DeviceText);
    PDEVICE_OBJECT DeviceObject;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &DeviceObject);
    ULONG Major;

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status)) {
        for (Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
            DriverObject->MajorFunction[Major] = Dispatch;
        }
        DriverObject->DriverUnload = Unload;
    }
    return Status;
}

NTSTATUS ProbeLoad(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(DeviceText);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status = HostLoadDriver(L"FsdProbe", FALSE, ProbeDriverEntry, &Driver);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(&Device, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

VOID ProbeUnload(VOID)
{
    (VOID) NtClose(Device);
    (VOID) HostUnloadDriver(Driver);
}

static NTSTATUS Ask(ULONG Code, HANDLE Handle, PROBE_REPLY *Reply)
{
    IO_STATUS_BLOCK IoStatus;

    return NtDeviceIoControlFile(Device, NULL, NULL, NULL, &IoStatus, Code, &Handle, sizeof(Handle), Reply,
                                 Reply == NULL ? 0 : sizeof(*Reply));
}

NTSTATUS ProbeStream(HANDLE Handle, BOOLEAN Insert, PROBE_REPLY *Reply)
{
    RtlZeroMemory(Reply, sizeof(*Reply));
    return Ask(Insert ? IOCTL_PROBE_INSERT : IOCTL_PROBE_LOOK, Handle, Reply);
}

NTSTATUS ProbeHold(HANDLE Handle)
{
    return Ask(IOCTL_PROBE_HOLD, Handle, NULL);
}

VOID ProbeRelease(VOID)
{
    (VOID) Ask(IOCTL_PROBE_RELEASE, NULL, NULL);
}

LONG ProbeTornDown(VOID)
{
    return InterlockedCompareExchange(&TornDown, 0, 0);
}
