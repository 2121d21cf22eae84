/*
 * Entry and unload of psctx.sys, the legacy filter, and the one dispatch routine that tells the control device from the filter's devices.
 */
#include "driver/driver.h"
#include "legacy/legacy.h"
#include "requests/requests.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD PsctxUnload;
_Dispatch_type_(IRP_MJ_CREATE) static DRIVER_DISPATCH PsctxDispatch;

/*
 * Any IRP, at whatever IRQL the device below allows: the filter's devices see the paging path.
 */
_Use_decl_annotations_ static NTSTATUS PsctxDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (DeviceObject == PsctxGlobals.ControlDevice) {
        return PsctxControlDispatch(DeviceObject, Irp);
    }
    return PsctxFilterDispatch(DeviceObject, Irp);
}

/*
 * Whether the service key's AllowUnload is a REG_DWORD other than zero. A legacy filter cannot be unloaded safely in general
 * (an IRP may be anywhere in its code), so that only test machines ask for it. [ifs/unloading-legacy-filters]
 */
PSCTX_INIT static BOOLEAN PsctxIsUnloadAllowed(_In_ PUNICODE_STRING RegistryPath)
{
    union {
        KEY_VALUE_PARTIAL_INFORMATION Information;
        UCHAR Bytes[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    } value;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE key;
    ULONG allowed = 0;
    ULONG length;
    NTSTATUS status;

    PAGED_CODE();

    InitializeObjectAttributes(&attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwOpenKey(&key, KEY_QUERY_VALUE, &attributes);
    if (!NT_SUCCESS(status)) {
        return FALSE;
    }

    RtlZeroMemory(&value, sizeof(value));
    RtlInitUnicodeString(&name, L"AllowUnload");
    status = ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &length);
    ZwClose(key);

    if (NT_SUCCESS(status) && value.Information.Type == REG_DWORD && value.Information.DataLength == sizeof(allowed)) {
        RtlCopyMemory(&allowed, value.Bytes + FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data), sizeof(allowed));
    }
    return allowed != 0;
}

/*
 * Starts the driver: the rooms that the front stands on, then the filter, after which requests of every kind come in.
 *
 * A kernel that blocks legacy filters (IoBlockLegacyFsFilters) answers STATUS_NOT_SUPPORTED to the registration. The driver
 * stays: contexts of open handles work without an attachment, and PSCTX_STATISTICS_REPLY tells that nothing is attached.
 * [ifs/blocking-file-system-filter-drivers]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    BOOLEAN unloadable;
    NTSTATUS status;
    ULONG major;

    PAGED_CODE();

    status = PsctxStartRooms(DriverObject, PSCTX_FRONT_LEGACY, &PsctxLegacyVolumes);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = PsctxDispatch;
    }
    PsctxStartFastIo();
    DriverObject->FastIoDispatch = &PsctxFastIoDispatch;

    unloadable = PsctxIsUnloadAllowed(RegistryPath);
    status = PsctxStartFilter(unloadable);
    if (!NT_SUCCESS(status) && status != STATUS_NOT_SUPPORTED) {
        goto DeleteControlDevice;
    }

    if (unloadable) {
        DriverObject->DriverUnload = PsctxUnload;
    }
    return STATUS_SUCCESS;

DeleteControlDevice:
    PsctxDeleteControlDevice();
    return status;
}

/*
 * Test machines only. No handle to the control device is open: the I/O manager calls this after the last one was closed. An IRP or a
 * FreeCallback may still be in the last few instructions of its routine: that is why a legacy filter is never quite safe to unload.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);

    PAGED_CODE();

    PsctxStopFilter();
    PsctxStopRooms();
}
