/* The driver that the file systems share: entry, unload, and the dispatch of requests to their handlers. */
#include "fsd.h"

#include "../host.h"

static DRIVER_DISPATCH Dispatch;
static DRIVER_UNLOAD Unload;

/* By the major function; NULL answers STATUS_INVALID_DEVICE_REQUEST. */
static FSD_ROUTINE *const Handlers[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
    [IRP_MJ_CREATE] = FsdCreate,
    [IRP_MJ_CLEANUP] = FsdCleanup,
    [IRP_MJ_CLOSE] = FsdClose,
    [IRP_MJ_READ] = FsdRead,
    [IRP_MJ_WRITE] = FsdWrite,
    [IRP_MJ_FLUSH_BUFFERS] = FsdFlush,
    [IRP_MJ_QUERY_INFORMATION] = FsdQueryInformation,
    [IRP_MJ_SET_INFORMATION] = FsdSetInformation,
    [IRP_MJ_QUERY_VOLUME_INFORMATION] = FsdQueryVolumeInformation,
    [IRP_MJ_DIRECTORY_CONTROL] = FsdDirectoryControl,
    [IRP_MJ_FILE_SYSTEM_CONTROL] = FsdFileSystemControl,
    [IRP_MJ_LOCK_CONTROL] = FsdLockControl,
    [IRP_MJ_QUERY_SECURITY] = FsdQuerySecurity,
    [IRP_MJ_SET_SECURITY] = FsdSetSecurity,
};

/* The control device can be opened, and asked to mount. */
static NTSTATUS DispatchControlDevice(PDEVICE_OBJECT DeviceObject, PIO_STACK_LOCATION IrpSp)
{
    switch (IrpSp->MajorFunction) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return STATUS_SUCCESS;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (IrpSp->MinorFunction == IRP_MN_MOUNT_VOLUME) {
            return FsdMountVolume(DeviceObject, IrpSp);
        }
        return STATUS_INVALID_DEVICE_REQUEST;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* Completes every request before it returns, with the status it returns. The last close of a dismounted volume deletes its device. */
static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION IrpSp = IoGetCurrentIrpStackLocation(Irp);
    UCHAR Major = IrpSp->MajorFunction;
    PFSD_DEVICE Device = DeviceObject->DeviceExtension;
    FSD_ROUTINE *Handler = Handlers[Major];
    PVCB Vcb = Device->Volume ? (PVCB)Device : NULL;
    BOOLEAN LastReference = FALSE;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    FsRtlEnterFileSystem();
    Irp->IoStatus.Information = 0;
    if (Vcb == NULL) {
        Status = DispatchControlDevice(DeviceObject, IrpSp);
    } else if (Handler != NULL) {
        Status = Vcb->Fault == FsdFaultNone ? Handler(Vcb, Irp, IrpSp) : FsdFaultyRequest(Handler, Vcb, Irp, IrpSp);
        if (Major == IRP_MJ_CLOSE) {
            LastReference = FsdDereferenceVolume(Vcb);
        }
    }
    Irp->IoStatus.Status = Status;
    if ((HostQuirks & HOST_QUIRK_COMPLETES_AT_DISPATCH) != 0 && Major != IRP_MJ_CREATE && Major != IRP_MJ_CLOSE) {
        const KIRQL Irql = KfRaiseIrql(DISPATCH_LEVEL);

        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        KeLowerIrql(Irql);
    } else {
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
    }
    if (LastReference) {
        FsdDeleteVolume(Vcb);
    }
    FsRtlExitFileSystem();
    return Status;
}

/* Creates and registers the control device. STATUS_INSUFFICIENT_RESOURCES, or what IoCreateDevice says. */
NTSTATUS FsdInitializeDriver(PDRIVER_OBJECT DriverObject, PCFSD_DRIVER FileSystem)
{
    UNICODE_STRING DeviceName = FileSystem->DeviceName;
    PDEVICE_OBJECT ControlDevice;
    PFSD_DEVICE Device;
    NTSTATUS Status;
    ULONG Major;

    Status = FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &FsdFilterCallbacks);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateDevice(DriverObject, sizeof(FSD_DEVICE), &DeviceName, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE,
                            &ControlDevice);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Device = ControlDevice->DeviceExtension;
    Device->FileSystem = FileSystem;
    Device->Volume = FALSE;
    for (Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
        DriverObject->MajorFunction[Major] = Dispatch;
    }
    DriverObject->FastIoDispatch = &FsdFastIoDispatch;
    DriverObject->DriverUnload = Unload;
    ControlDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    IoRegisterFileSystem(ControlDevice);
    return STATUS_SUCCESS;
}

/* Every volume is gone by now: what is left is the control device. */
static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT ControlDevice = DriverObject->DeviceObject;

    IoUnregisterFileSystem(ControlDevice);
    IoDeleteDevice(ControlDevice);
}
