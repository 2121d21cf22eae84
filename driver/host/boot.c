/* Starting the kernel, stopping it, and the account of what is left. */
#include "kernel.h"

#include "fsd/fsd.h"

static HOST_MUTEX HostBootMutex = HOST_MUTEX_INITIALIZER;
static BOOLEAN HostRunning;
ULONG HostQuirks;

VOID HostSetQuirks(ULONG Quirks)
{
    HostQuirks = Quirks;
    FsdSetAcquisition((BOOLEAN)((Quirks & HOST_QUIRK_CALLBACKS_ACQUIRE) != 0),
                      (BOOLEAN)((Quirks & HOST_QUIRK_CALLBACKS_RELEASE) != 0));
}

VOID HostAudit(PHOST_AUDIT Audit)
{
    HostCountPool(&Audit->PoolBytes, &Audit->PoolAllocations);
    Audit->Handles = HostCountHandles();
    Audit->Objects = HostCountObjects();
    Audit->Irps = (ULONG64)HostCountIrps();
    Audit->Locks = HostCountLocks();
    Audit->Resources = HostCountResources();
}

NTSTATUS HostBoot(VOID)
{
    NTSTATUS Status;

    PlatformLock(&HostBootMutex);
    if (HostRunning) {
        PlatformUnlock(&HostBootMutex);
        return STATUS_DEVICE_BUSY;
    }
    HostBooting = TRUE;
    Status = HostStartProcesses();
    if (NT_SUCCESS(Status)) {
        Status = HostStartNamespace();
    }
    if (NT_SUCCESS(Status)) {
        Status = HostStartDisks();
    }
    if (NT_SUCCESS(Status)) {
        Status = HostStartFileSystems();
        if (!NT_SUCCESS(Status)) {
            (VOID) HostStopDiskDriver();
        }
    }
    HostBooting = FALSE;
    if (NT_SUCCESS(Status)) {
        HostRunning = TRUE;
    } else {
        HostStopNamespace();
        HostStopProcesses();
    }
    PlatformUnlock(&HostBootMutex);
    return Status;
}

NTSTATUS HostShutdown(PHOST_AUDIT Audit)
{
    RtlZeroMemory(Audit, sizeof(*Audit));
    PlatformLock(&HostBootMutex);
    if (!HostRunning || HostHasProcesses() || HostHasDrivers()) {
        PlatformUnlock(&HostBootMutex);
        return STATUS_DEVICE_BUSY;
    }
    HostFailAllocation(0);
    HostStopDisks();
    HostStopFileSystems();
    HostStopFilterManager();
    HostStopWorkers();
    HostJoinSystemThreads();
    (VOID) HostStopDiskDriver();
    HostStopNamespace();
    HostStopRegistry();
    HostAudit(Audit);
    HostStopProcesses();
    HostStopPool();
    if (Audit->Objects != 0) {
        HostReportObjects();
    }
    HostForgetObjects();
    HostReportPool();
    HostRunning = FALSE;
    PlatformUnlock(&HostBootMutex);
    return STATUS_SUCCESS;
}
