/*
 * What Windows does between a client's handle and the driver under test, and Wine does not: a cleanup ahead of the
 * close, and nothing at all for a file whose create failed, of which Wine's client has a handle nevertheless.
 *
 * Each device of that driver with a name gets one of ours above it, which is where Wine sends requests then. The
 * status of the create is kept in FileObject->FinalStatus, which Wine leaves alone; what is asked of a file that was
 * not opened gets that status.
 */
#include "gate.h"

#include "request.h"

static DRIVER_DISPATCH GateDispatch;

static DRIVER_OBJECT GateDriver = {
    .Type = IO_TYPE_DRIVER,
    .Size = sizeof(DRIVER_OBJECT),
    .MajorFunction = {[0 ... IRP_MJ_MAXIMUM_FUNCTION] = GateDispatch},
};

static NTSTATUS GatePass(PDEVICE_OBJECT Below, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Below, Irp);
}

static NTSTATUS GateDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PDEVICE_OBJECT Below = DeviceObject->DeviceExtension;
    const PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    const PFILE_OBJECT FileObject = Location->FileObject;
    const IO_STACK_LOCATION Cleanup = {.MajorFunction = IRP_MJ_CLEANUP, .FileObject = FileObject};
    NTSTATUS Status;

    if (Location->MajorFunction == IRP_MJ_CREATE) {
        FileObject->FinalStatus = GatePass(Below, Irp);
        return FileObject->FinalStatus;
    }
    if (!NT_SUCCESS(FileObject->FinalStatus)) {
        Irp->IoStatus.Status = Location->MajorFunction == IRP_MJ_CLOSE ? STATUS_SUCCESS : FileObject->FinalStatus;
        Irp->IoStatus.Information = 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Location->MajorFunction == IRP_MJ_CLOSE ? STATUS_SUCCESS : FileObject->FinalStatus;
    }
    if (AnswerDeviceInformation(Below, Irp, &Status)) {
        return Status;
    }
    if (Location->MajorFunction == IRP_MJ_CLOSE) {
        (VOID) SendRequest(Below, &Cleanup, NULL, NULL);
    }
    return GatePass(Below, Irp);
}

/* Of either front. */
static BOOLEAN IsTested(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Legacy;
    UNICODE_STRING Minifilter;

    RtlInitUnicodeString(&Legacy, L"\\Driver\\psctx");
    RtlInitUnicodeString(&Minifilter, L"\\Driver\\psctx-minifilter");
    return (BOOLEAN)(RtlEqualUnicodeString(&DriverObject->DriverName, &Legacy, TRUE) ||
                     RtlEqualUnicodeString(&DriverObject->DriverName, &Minifilter, TRUE));
}

VOID GateDevice(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Gate;

    if (!IsTested(DeviceObject->DriverObject)) {
        return;
    }
    Gate = PlatformAllocate(sizeof(*Gate));
    Gate->Type = IO_TYPE_DEVICE;
    Gate->Size = sizeof(*Gate);
    Gate->DriverObject = &GateDriver;
    Gate->DeviceType = DeviceObject->DeviceType;
    Gate->StackSize = (CCHAR)(DeviceObject->StackSize + 1);
    Gate->DeviceExtension = DeviceObject;
    DeviceObject->AttachedDevice = Gate;
}

VOID UngateDevice(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Gate = DeviceObject->AttachedDevice;

    if (Gate != NULL && Gate->DriverObject == &GateDriver) {
        DeviceObject->AttachedDevice = NULL;
        PlatformFree(Gate);
    }
}
