/* The named-pipe device: a driver that is no file system, whose file objects carry an FsContext that is not a stream's header. */
#include "fsd.h"

/* An address that no processor resolves: whoever reads it as an FSRTL_ADVANCED_FCB_HEADER faults. */
#define PIPE_FOREIGN_CONTEXT ((PVOID)(ULONG_PTR)0x0101000000000000ull)

static DRIVER_DISPATCH Dispatch;
static DRIVER_UNLOAD Unload;

static const WCHAR DeviceText[] = L"\\Device\\NamedPipe";
static const WCHAR LinkText[] = L"\\DosDevices\\PIPE";

/* Any name opens. PASSIVE_LEVEL. */
static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION IrpSp = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    switch (IrpSp->MajorFunction) {
    case IRP_MJ_CREATE:
        IrpSp->FileObject->FsContext = PIPE_FOREIGN_CONTEXT;
        Irp->IoStatus.Information = FILE_OPENED;
        break;
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        break;
    default:
        Status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(LinkText);

    (VOID) IoDeleteSymbolicLink(&LinkName);
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS PipeDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(DeviceText);
    UNICODE_STRING LinkName = RTL_CONSTANT_STRING(LinkText);
    PDEVICE_OBJECT Device;
    NTSTATUS Status;
    ULONG Major;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = IoCreateDevice(DriverObject, 0, &DeviceName, FILE_DEVICE_NAMED_PIPE, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    for (Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
        DriverObject->MajorFunction[Major] = Dispatch;
    }
    DriverObject->DriverUnload = Unload;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
