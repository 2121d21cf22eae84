/*
 * Loads the driver into the embedded kernel: see fronts.h.
 */
#include "fronts.h"

#include <host.h>
#include <psctx/abi.h>

DRIVER_INITIALIZE DriverEntry; /* of psctx.sys */

NTSTATUS PsctxLoadFront(ULONG Front, PDRIVER_OBJECT *DriverObject)
{
    NTSTATUS status;

    *DriverObject = NULL;
    if (Front == PSCTX_FRONT_MINIFILTER) {
        return STATUS_NOT_IMPLEMENTED;
    }
    status = HostSetServiceValue(L"PsCtx", L"AllowUnload", 1);
    return NT_SUCCESS(status) ? HostLoadDriver(L"PsCtx", FALSE, DriverEntry, DriverObject) : status;
}
