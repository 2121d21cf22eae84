/*
 * A generator of random numbers whose answer is known: see core_random.h.
 */
#include "core_random.h"

#include <string.h>

#include "core_fixture.h"

CORE_RANDOM CoreRandom;

static NTSTATUS CoreRandomDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);

    Irp->IoStatus.Information = 0;
    if (location->MajorFunction == IRP_MJ_CREATE) { /* everybody may have it open at a time */
        CHECK_EQUAL(location->Parameters.Create.ShareAccess, FILE_SHARE_READ | FILE_SHARE_WRITE);
        CHECK_EQUAL(location->Parameters.Create.EaLength, 0);
    }
    if (location->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        CHECK_EQUAL(location->Parameters.DeviceIoControl.IoControlCode, 0x390004);
        CHECK_EQUAL(location->Parameters.DeviceIoControl.OutputBufferLength, sizeof(CoreRandom.Numbers));
        memcpy(Irp->AssociatedIrp.SystemBuffer, CoreRandom.Numbers, CoreRandom.Length);
        Irp->IoStatus.Information = CoreRandom.Length;
        status = CoreRandom.Status;
    }
    Irp->IoStatus.Status = status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

static VOID CoreRandomUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS CoreRandomEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT device;
    UNICODE_STRING name;
    ULONG major;

    UNREFERENCED_PARAMETER(RegistryPath);

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = CoreRandomDispatch;
    }
    DriverObject->DriverUnload = CoreRandomUnload;
    RtlInitUnicodeString(&name, L"\\Device\\KsecDD");
    return IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
}

PDRIVER_OBJECT CoreLoadRandom(VOID)
{
    const CORE_RANDOM random = {{0x1122334455667788ull, 0x99AABBCCDDEEFF00ull}, sizeof(random.Numbers), STATUS_SUCCESS};
    PDRIVER_OBJECT driver;

    CoreRandom = random;
    CHECK_STATUS(HostLoadDriver(L"KSecDD", FALSE, CoreRandomEntry, &driver), STATUS_SUCCESS);
    return driver;
}
