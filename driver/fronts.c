/*
 * Loads the driver into the embedded kernel: see fronts.h.
 */
#include "fronts.h"

#include <host.h>
#include <psctx/abi.h>

/* As psctx-minifilter.inf has them. */
#define PSCTX_INSTANCE_NAME L"psctx"
#define PSCTX_ALTITUDE L"385099.5"

DRIVER_INITIALIZE DriverEntry;          /* of psctx.sys */
DRIVER_INITIALIZE PsctxMinifilterEntry; /* of psctx-minifilter.sys, whose sources call it DriverEntry */

NTSTATUS PsctxLoadFront(ULONG Front, PDRIVER_OBJECT *DriverObject)
{
    NTSTATUS status;

    *DriverObject = NULL;
    if (Front == PSCTX_FRONT_MINIFILTER) {
        status = HostSetMinifilterInstance(L"PsCtx-Minifilter", PSCTX_INSTANCE_NAME, PSCTX_ALTITUDE);
        return NT_SUCCESS(status) ? HostLoadDriver(L"PsCtx-Minifilter", TRUE, PsctxMinifilterEntry, DriverObject)
                                  : status;
    }
    status = HostSetServiceValue(L"PsCtx", L"AllowUnload", 1);
    return NT_SUCCESS(status) ? HostLoadDriver(L"PsCtx", FALSE, DriverEntry, DriverObject) : status;
}
