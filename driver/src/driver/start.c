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
 * Room by room, the lowest first. None of them holds anything yet that would have to be given back. Front is PSCTX_FRONT_*.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartRooms(PDRIVER_OBJECT DriverObject, ULONG Front,
                                                       const PSCTX_VOLUME_SOURCE *VolumeSource)
{
    PAGED_CODE();

    RtlZeroMemory(&PsctxGlobals, sizeof(PsctxGlobals));
    PsctxGlobals.DriverObject = DriverObject;
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
}

/*
 * The rest of the driver's end, after its front has stopped and when no handle to the control device is open. What is known of file systems
 * goes, and the control device, so that nothing comes any more; then every context that has outlived its session. Returns when the last one is
 * gone, be it by a stream's teardown that is on its way: run-down protection tells when its FreeCallback has given it up, not when that has
 * returned to the file system.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopRooms(VOID)
{
    PAGED_CODE();

    PsctxStopTeardown();
    PsctxDeleteControlDevice();
    PsctxRemoveSessionContexts(NULL);
    ExWaitForRundownProtectionRelease(&PsctxGlobals.Rundown);
}
