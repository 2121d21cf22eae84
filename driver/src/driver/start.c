/*
 * Starts and stops the rooms that every front stands on.
 */
#include "driver/driver.h"

#include "core/core.h"
#include "events/events.h"
#include "inspection/inspection.h"
#include "requests/requests.h"
#include "tracking/tracking.h"

/*
 * The control device first, which only one front can have: STATUS_OBJECT_NAME_COLLISION where another one runs, and nothing has been
 * touched. Nobody can open it before DriverEntry has returned. Then room by room, the lowest first: none of them holds anything yet that would
 * have to be given back. Front is PSCTX_FRONT_*. The statuses of PsctxCreateControlDevice.
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartRooms(PDRIVER_OBJECT DriverObject, ULONG Front,
                                                           const PSCTX_VOLUME_SOURCE *VolumeSource)
{
    PDEVICE_OBJECT controlDevice;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxCreateControlDevice(DriverObject, &controlDevice);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PsctxGlobals.DriverObject = DriverObject;
    PsctxGlobals.ControlDevice = controlDevice;
    PsctxGlobals.Front = Front;
    ExInitializeRundownProtection(&PsctxGlobals.Rundown);
    PsctxStartPool();
    PsctxStartModules();
    PsctxStartListLocks();
    PsctxStartKeys();
    PsctxStartAccounts();
    PsctxStartEvents();
    PsctxStartTeardown();
    PsctxVolumeSource = VolumeSource;
    PsctxStartCore();
    PsctxStartTracking();
    PsctxStartInspection();
    return STATUS_SUCCESS;
}

/*
 * The rest of the driver's end, after its front has stopped and when no handle to the control device is open. What is known of file systems
 * goes, and the control device, so that nothing comes any more; then every context that has outlived its session. Returns when the last one is
 * gone, be it by a stream's teardown that is on its way: run-down protection tells when its FreeCallback has nothing more to do than to return
 * to the file system.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopRooms(VOID)
{
    PAGED_CODE();

    PsctxStopTeardown();
    PsctxDeleteControlDevice();
    PsctxRemoveSessionContexts(NULL);
    ExWaitForRundownProtectionRelease(&PsctxGlobals.Rundown);
    PsctxFreeAnchoredContexts();
}
