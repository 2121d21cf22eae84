/*
 * Entry and unload of psctx-minifilter.sys, the minifilter. The control device is the driver's only one.
 */
#include "minifilter/minifilter.h"

#include "driver/driver.h"
#include "requests/requests.h"

#define PSCTX_UNLOAD_INTERVAL (-50 * 10000ll) /* 50 ms: some quanta of a client, not one of a server */

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS FLTAPI PsctxUnloadFilter(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);

/*
 * Starts the driver: the rooms that the front stands on, then the filter, after which requests of every kind come in. While
 * the legacy filter runs, which has the same control device, this is no use: STATUS_OBJECT_NAME_COLLISION, and nothing is left behind.
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status;
    ULONG major;

    UNREFERENCED_PARAMETER(RegistryPath);

    PAGED_CODE();

    status = PsctxStartRooms(DriverObject, PSCTX_FRONT_MINIFILTER, &PsctxMinifilterVolumes);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = PsctxControlDispatch;
    }
    status = PsctxStartMinifilter(PsctxUnloadFilter);
    if (!NT_SUCCESS(status)) {
        PsctxDeleteControlDevice();
    }
    return status;
}

/*
 * Filter Manager is about to unload the driver. Unless that must be, it is not unloaded while somebody has the control device open; where it
 * must be, the I/O manager has waited for the last handle, and this waits for what is left of its close.
 *
 * It stops in this order: no open of the control device, and so no request; no callback, and no instance; then the rooms, up to the last
 * FreeCallback, which is given time to return to its file system where its last call is no jump. STATUS_FLT_DO_NOT_DETACH.
 * [fltkernel/nc-fltkernel-pflt_filter_unload_callback, ifs/when-the-filterunloadcallback-routine-is-called]
 */
PSCTX_PAGE _Use_decl_annotations_ static NTSTATUS FLTAPI PsctxUnloadFilter(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    LARGE_INTEGER interval;

    PAGED_CODE();

    interval.QuadPart = PSCTX_UNLOAD_INTERVAL;
    while (!PsctxRefuseOpens()) {
        if (!FlagOn(Flags, FLTFL_FILTER_UNLOAD_MANDATORY)) {
            return STATUS_FLT_DO_NOT_DETACH;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    PsctxStopMinifilter();
    PsctxStopRooms();
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    return STATUS_SUCCESS;
}
