/*
 * A driver that runs a test's routine in kernel mode: see core_probe.h.
 */
#include "core_probe.h"

#include "core_fixture.h"

#define CORE_PROBE_DEVICE L"\\Device\\CoreProbe"
#define CORE_PROBE_LINK L"\\DosDevices\\CoreProbe"
#define CORE_PROBE_CODE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _CORE_PROBE_REQUEST {
    PHOST_ROUTINE Routine;
    PVOID Context;
} CORE_PROBE_REQUEST;

static PDRIVER_OBJECT CoreProbe;

static NTSTATUS CoreProbeDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);

    if (location->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        const CORE_PROBE_REQUEST *request = Irp->AssociatedIrp.SystemBuffer;

        request->Routine(request->Context);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID CoreProbeUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING link;

    RtlInitUnicodeString(&link, CORE_PROBE_LINK);
    (VOID) IoDeleteSymbolicLink(&link);
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS CoreProbeEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    UNICODE_STRING link;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);

    RtlInitUnicodeString(&name, CORE_PROBE_DEVICE);
    RtlInitUnicodeString(&link, CORE_PROBE_LINK);
    status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoCreateSymbolicLink(&link, &name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = CoreProbeDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = CoreProbeDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = CoreProbeDispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = CoreProbeDispatch;
    DriverObject->DriverUnload = CoreProbeUnload;
    return STATUS_SUCCESS;
}

VOID CoreLoadProbe(VOID)
{
    CHECK_STATUS(HostLoadDriver(L"CoreProbe", FALSE, CoreProbeEntry, &CoreProbe), STATUS_SUCCESS);
}

VOID CoreUnloadProbe(VOID)
{
    CHECK_STATUS(HostUnloadDriver(CoreProbe), STATUS_SUCCESS);
}

VOID CoreRunInKernel(PHOST_ROUTINE Routine, PVOID Context)
{
    const CORE_PROBE_REQUEST request = {Routine, Context};
    HANDLE handle;

    CHECK_STATUS(CoreOpen(L"\\??\\CoreProbe", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CHECK_STATUS(CoreControl(handle, CORE_PROBE_CODE, &request, sizeof(request), NULL, 0, NULL), STATUS_SUCCESS);
    CoreClose(handle);
}
