/*
 * Starts of the driver in which a kernel routine fails: nothing is left of them, and the next one succeeds.
 */
#include "core_answered.h"

#include <fronts.h>
#include <string.h>

#define CORE_CALLS 128u /* of one routine in a start: more is a routine that never stops failing */

/* What a start of either front depends on. */
static const char *const CoreNeeded[] = {
    "IoCreateDevice",
    "RtlCreateAcl",
    "RtlInitializeSid",
    "RtlAddAccessAllowedAce",
    "RtlCreateSecurityDescriptor",
    "RtlSetDaclSecurityDescriptor",
    "ObOpenObjectByPointer",
    "ZwSetSecurityObject",
    "IoCreateSymbolicLink",
    "ExInitializeResourceLite",
};

static const char *const CoreNeededByMinifilters[] = {"FltRegisterFilter", "FltStartFiltering"};

static const char *const CoreNeededByLegacyFilters[] = {"PsCreateSystemThread", "IoRegisterFsRegistrationChange"};

/* Each call of the routine fails in turn. How many starts failed. */
static ULONG CoreStartWithout(_In_ ULONG Front, _In_z_ const char *Routine)
{
    PDRIVER_OBJECT driver;
    HOST_AUDIT before;
    HOST_AUDIT after;
    ULONG failures = 0;
    ULONG call;

    HostAudit(&before);
    for (call = 1; call <= CORE_CALLS; call += 1) {
        NTSTATUS status;
        ULONG refused;

        CoreRefuse(Routine, call, STATUS_INSUFFICIENT_RESOURCES);
        status = PsctxLoadFront(Front, &driver);
        refused = CoreRefused();
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        if (NT_SUCCESS(status)) {
            CHECK_STATUS(HostUnloadDriver(driver), STATUS_SUCCESS);
        } else {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
            failures += 1;
        }
        HostAudit(&after);
        CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
        CHECK(memcmp(&before, &after, sizeof(before)) == 0);
        if (refused == 0) {
            return failures;
        }
    }
    CHECK(FALSE);
    return failures;
}

VOID CoreStartsFailWhole(VOID)
{
    static const PCWSTR mountAware[] = {L"IoRegisterFsRegistrationChangeMountAware", NULL};
    const ULONG front = CoreFront();
    ULONG index;

    CoreBoot();
    CHECK_STATUS(HostStartFilterManager(), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(CoreNeeded); index += 1) {
        CHECK(CoreStartWithout(front, CoreNeeded[index]) != 0);
    }
    for (index = 0; index < 2; index += 1) {
        if (front == PSCTX_FRONT_MINIFILTER) {
            CHECK(CoreStartWithout(front, CoreNeededByMinifilters[index]) != 0);
        } else {
            CoreHideRoutines(mountAware);
            CHECK(CoreStartWithout(front, CoreNeededByLegacyFilters[index]) != 0);
            CoreHideRoutines(NULL);
        }
    }
    CoreShutdown();
}

/* The driver stays; contexts of open handles need no attachment. */
VOID CoreBlockedFiltersLeaveHandlesTheirContexts(VOID)
{
    static const PCWSTR mountAware[] = {L"IoRegisterFsRegistrationChangeMountAware", NULL};
    CORE_INSERTION insertion = {.Owner = 1};
    PSCTX_VOLUMES_REQUEST request = {0};
    DECLSPEC_ALIGN(8) UCHAR output[256];
    CORE core;

    CoreBoot();
    CoreHideRoutines(mountAware);
    CoreRefuse("IoRegisterFsRegistrationChange", 1, STATUS_NOT_SUPPORTED);
    core.Driver = CoreLoadDriver();
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 0);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedFileSystems, 0);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreCount(core.Control, insertion.Stream), 1);
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    CHECK_STATUS(
        CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL),
        STATUS_SUCCESS);
    CHECK_EQUAL(((const PSCTX_VOLUMES_REPLY *)output)->Count, 0);
    CoreClose(insertion.Stream);
    CoreStop(&core);
}

/* Whatever else stands in the registry, or cannot be read there, is no permission. The driver is there for as long as the kernel. */
static VOID CoreStayLoaded(_In_z_ const char *Routine, _In_ NTSTATUS Answer)
{
    PDRIVER_OBJECT driver;

    CoreBoot();
    CoreRefuse(Routine, 1, Answer);
    CHECK_STATUS(PsctxLoadFront(PSCTX_FRONT_LEGACY, &driver), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CHECK_STATUS(HostUnloadDriver(driver), STATUS_INVALID_DEVICE_REQUEST);
}

VOID CoreAKeyThatCannotBeReadAllowsNothing(VOID)
{
    CoreStayLoaded("ZwOpenKey", STATUS_ACCESS_DENIED);
}

VOID CoreAKeyWithoutTheValueAllowsNothing(VOID)
{
    CoreStayLoaded("ZwQueryValueKey", STATUS_OBJECT_NAME_NOT_FOUND);
}

VOID CoreAValueOfAnotherTypeAllowsNothing(VOID)
{
    CoreStayLoaded("ZwQueryValueKey", STATUS_OBJECT_TYPE_MISMATCH);
}

VOID CoreAValueOfAnotherLengthAllowsNothing(VOID)
{
    CoreStayLoaded("ZwQueryValueKey", STATUS_INFO_LENGTH_MISMATCH);
}
