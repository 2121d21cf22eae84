/*
 * What the kernel refuses while the driver runs: nobody is worse off than without the driver. And the table of the tests of its answers.
 */
#include "core_answered.h"

#include <string.h>

#include "core_batch.h"
#include "core_filters.h"
#include "core_reader.h"
#include "test_file_system.h"

#define CORE_CALLS 64u

static NTSTATUS CoreListVolumes(_In_ HANDLE Control, _Out_ PULONG Attached, _Out_ PULONG Unattached)
{
    DECLSPEC_ALIGN(8) UCHAR output[4096];
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    const UCHAR *next = (const UCHAR *)(reply + 1);
    PSCTX_VOLUMES_REQUEST request = {0};
    NTSTATUS status;
    ULONG index;

    *Attached = 0;
    *Unattached = 0;
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    status = CoreControl(Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL);
    CHECK(!NT_SUCCESS(status) || CoreAreFileSystems(reply));
    for (index = 0; NT_SUCCESS(status) && index < reply->Count; index += 1) {
        const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)next;

        *(entry->Attachment == PSCTX_ATTACHMENT_YES ? Attached : Unattached) += 1;
        next += entry->Size;
    }
    return status;
}

/* Each call of the routine is refused in turn, while a volume is mounted, used and listed. How many were. */
static ULONG CoreUseWithout(_In_ const CORE *Core, _In_z_ const char *Routine, _In_ NTSTATUS Status)
{
    ULONG refusals = 0;
    ULONG call;

    for (call = 1; call <= CORE_CALLS; call += 1) {
        ULONG attached;
        ULONG unattached;
        ULONG refused;
        HANDLE file;

        CoreRefuse(Routine, call, Status);
        CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
        CHECK_STATUS(CoreOpen(L"\\??\\N:\\file", NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &file), STATUS_SUCCESS);
        CHECK(CoreCount(Core->Control, file) <= 1);
        (VOID) CoreListVolumes(Core->Control, &attached, &unattached);
        refused = CoreRefused();
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        CoreClose(file);
        CHECK_STATUS(CoreListVolumes(Core->Control, &attached, &unattached), STATUS_SUCCESS);
        CHECK_EQUAL(attached, 2);
        CHECK_EQUAL(unattached, 0);
        CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
        CHECK_EQUAL(CoreStatistics(Core->Control).TotalContexts, 0);
        CHECK_EQUAL(CoreStatistics(Core->Control).AttachedVolumes, 1);
        refusals += refused;
        if (refused == 0) {
            return refusals;
        }
    }
    CHECK(FALSE);
    return refusals;
}

VOID CoreRefusedMountsAreMountsAllTheSame(VOID)
{
    static const char *const legacy[] = {"IoAttachDeviceToDeviceStackSafe", "IoCreateDevice", "ObQueryNameString",
                                         "IoEnumerateDeviceObjectList", "ExAcquireRundownProtection"};
    static const char *const minifilter[] = {
        "FltGetVolumeContext", "FltSetVolumeContext", "FltGetDeviceObject",        "FltGetVolumeName",
        "FltEnumerateVolumes", "FltIsVolumeSnapshot", "FltGetFileNameInformation", "IoGetDeviceAttachmentBaseRef"};
    const BOOLEAN isLegacy = CoreFront() == PSCTX_FRONT_LEGACY;
    const char *const *routines = isLegacy ? legacy : minifilter;
    const ULONG count = isLegacy ? RTL_NUMBER_OF(legacy) : RTL_NUMBER_OF(minifilter);
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreTrackEverything(core.Control, 0);
    for (index = 0; index < count; index += 1) {
        CHECK(CoreUseWithout(&core, routines[index], STATUS_INSUFFICIENT_RESOURCES) != 0);
    }
    if (isLegacy) {
        CHECK(CoreUseWithout(&core, "IoAttachDeviceToDeviceStackSafe", STATUS_NO_SUCH_DEVICE) != 0);
    }
    CoreStop(&core);
}

/* Who lists volumes attaches to those that were missed, and to no other. */
static VOID CoreAttachedVolumesAreNotAttachedToAgain(VOID)
{
    ULONG attached;
    ULONG unattached;
    CORE core;

    CoreStart(&core);
    CoreRefuse("IoCreateDevice", 0, STATUS_INSUFFICIENT_RESOURCES);
    CHECK_STATUS(CoreListVolumes(core.Control, &attached, &unattached), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 0);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK_EQUAL(attached, 1);
    CHECK_EQUAL(unattached, 0);
    CoreStop(&core);
}

/* A volume that comes is told though nobody says what it is called, or there is no memory for that. */
static VOID CoreVolumesWithoutANameAreTold(VOID)
{
    static const NTSTATUS answers[] = {STATUS_INVALID_PARAMETER, STATUS_INSUFFICIENT_RESOURCES};
    const char *routine = CoreFront() == PSCTX_FRONT_LEGACY ? "ObQueryNameString" : "FltGetVolumeName";
    HANDLE reader;
    ULONG index;
    CORE core;

    CoreStart(&core);
    reader = CoreOpenReader(core.Control, 1u << PSCTX_EVENT_VOLUME_ATTACHED);
    for (index = 0; index < RTL_NUMBER_OF(answers); index += 1) {
        const PSCTX_EVENT *event;
        CORE_WAIT wait;

        CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
        CoreRefuse(routine, 0, answers[index]);
        CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
        CHECK(CoreRefused() != 0);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
        event = CoreNextEvent(&wait, NULL);
        CHECK_EQUAL(event->Type, PSCTX_EVENT_VOLUME_ATTACHED);
        CHECK_EQUAL(event->NameLength, 0);
        CoreFreeWait(&wait);
        CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    }
    CoreStop(&core);
}

/* Wherever the driver finds that it is to go, the client is told that, and nothing is inserted. */
static VOID CoreInsertionsEndWithTheDriver(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    ULONG refusals = 0;
    ULONG call;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    for (call = 1; call <= CORE_CALLS; call += 1) {
        NTSTATUS status;
        ULONG refused;

        CoreRefuse("ExAcquireRundownProtection", call, STATUS_SUCCESS);
        status = CoreInsert(core.Control, &insertion, NULL);
        refused = CoreRefused();
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        if (refused == 0) {
            CHECK_STATUS(status, STATUS_SUCCESS);
            break;
        }
        CHECK_STATUS(status, STATUS_DELETE_PENDING);
        CHECK_EQUAL(CoreCount(core.Control, insertion.Stream), 0);
        refusals += refused;
    }
    CHECK(refusals > 1 && call <= CORE_CALLS);
    CoreClose(insertion.Stream);
    CoreStop(&core);
}

/* Opens are not missed that come while the driver goes: nobody is there who would have wanted their contexts. */
static VOID CoreOpensAreNotMissedByADriverThatGoes(VOID)
{
    ULONG refusals = 0;
    ULONG refused = 1;
    ULONG call;
    HANDLE file;
    CORE core;

    CoreStart(&core);
    CoreTrackEverything(core.Control, 0);
    for (call = 1; call <= CORE_CALLS && refused != 0; call += 1) {
        CoreRefuse("ExAcquireRundownProtection", call, STATUS_SUCCESS);
        CHECK_STATUS(CoreOpen(CORE_FILE, NULL, CORE_READ, FILE_OPEN_IF, 0, &file), STATUS_SUCCESS);
        refused = CoreRefused();
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        CoreClose(file);
        refusals += refused;
    }
    CHECK(refusals > 1 && refused == 0);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionMissed, 0);
    CoreStop(&core);
}

/* As when a teardown takes the context between its description and its removal: what was described stays unsaid. */
static VOID CoreBatchesSayNothingOfWhatTheyDoNotRemove(VOID)
{
    enum { CAPACITY = 128 };
    static const UCHAR nothing[CAPACITY];
    CORE_BATCH batch;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, CAPACITY);
    CoreAddInsert(&batch, stream, 1, 1, 5);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, stream, 1, 1);
    CoreRefuse("FsRtlRemovePerStreamContext", 1, STATUS_SUCCESS);
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK_STATUS(batch.Results[1].Status, STATUS_NOT_FOUND);
    CHECK_EQUAL(batch.Results[1].ReplySize, 0);
    CHECK(memcmp(CoreBatchSlot(&batch, 1), nothing, CAPACITY) == 0);
    CoreFreeBatch(&batch);
    CHECK_EQUAL(CoreCount(core.Control, stream), 1);
    CoreStop(&core);
}

/* Likewise, wherever a context is removed: whoever removes it has not, and says so, and the teardown has it. */
static VOID CoreWhatATeardownTakesIsNotRemoved(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1};
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_INSERT_REPLY inserted;
    ULONG64 count;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreRefuse("FsRtlRemovePerStreamContext", 1, STATUS_SUCCESS);
    CHECK_STATUS(CoreRemove(core.Control, insertion.Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL), STATUS_NOT_FOUND);
    CHECK_EQUAL(CoreRefused(), 1);

    insertion.IfExists = PSCTX_IF_EXISTS_REPLACE;
    CoreRefuse("FsRtlRemovePerStreamContext", 1, STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CHECK_EQUAL(inserted.Outcome, PSCTX_OUTCOME_REPLACED);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionContexts, 2);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionRemoved, 0);

    CoreRefuse("FsRtlRemovePerStreamContext", 2, STATUS_SUCCESS);
    CHECK_STATUS(CoreRemoveAll(core.Control, insertion.Stream, PSCTX_MATCH_OWNER, 1, 0, &count), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CHECK_EQUAL(count, 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    statistics = CoreStatistics(core.Control);
    CHECK_EQUAL(statistics.SessionInserted, 2);
    CHECK_EQUAL(statistics.SessionRemoved, 1);
    CHECK_EQUAL(statistics.SessionTornDown, 1);
    CHECK_EQUAL(statistics.SessionContexts, 0);
    CoreStop(&core);
}

/* A stream that has looked as if it took contexts takes none. */
static VOID CoreRefusedInsertionsChangeNothing(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1};
    CORE_STATE state;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreCapture(core.Control, insertion.Stream, &state);
    for (insertion.IfExists = PSCTX_IF_EXISTS_REPLACE; insertion.IfExists <= PSCTX_IF_EXISTS_ADD;
         insertion.IfExists += 1) {
        CoreRefuse("FsRtlInsertPerStreamContext", 1, STATUS_INVALID_DEVICE_REQUEST);
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_INVALID_DEVICE_REQUEST);
        CHECK_EQUAL(CoreRefused(), 1);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        CoreCheckUnchanged(core.Control, insertion.Stream, &state);
    }
    CoreClose(insertion.Stream);
    CoreStop(&core);
}

/* Handles in a request would mean those of the process that it happens to run in. */
static VOID CoreOtherProcessesRequestsAreRefused(VOID)
{
    CORE_REQUEST request;
    ULONG operation;
    CORE core;

    CoreStart(&core);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        request = CoreMakeRequest(operation, NULL);
        CoreRefuse("IoGetRequestorProcess", 0, STATUS_SUCCESS);
        CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, request.Length, request.OutputLength),
                     STATUS_INVALID_DEVICE_REQUEST);
        CHECK(CoreRefused() != 0);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
    }
    CoreStop(&core);
}

/* What is not told of another filter's driver is left out, and nothing besides. */
static VOID CoreInspectionsNameWhoHasAName(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[1024];
    const PSCTX_INSPECT_ENTRY *entry = (const PSCTX_INSPECT_ENTRY *)(output + sizeof(PSCTX_INSPECT_REPLY));
    PSCTX_STREAM_REQUEST request = {0};
    ULONG named;
    CORE core;

    CoreBoot();
    CoreLoadFilter(&CoreLower);
    core.Driver = CoreLoadDriver();
    core.Process = CoreCreateProcess(TRUE);
    CoreLoadProbe();
    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);
    request.Handle = (ULONG_PTR)CoreOpenFile(CORE_FILE);
    CoreHang(&CoreLower, (HANDLE)(ULONG_PTR)request.Handle, CoreLower.Device, NULL);
    CoreSetHeader(&request.Header, PSCTX_OPERATION_INSPECT, sizeof(request));
    for (named = 0; named < 2; named += 1) {
        if (!named) {
            CoreRefuse("ObQueryNameString", 0, STATUS_INFO_LENGTH_MISMATCH);
        }
        CHECK_STATUS(
            CoreControl(core.Control, PSCTX_IOCTL_INSPECT, &request, sizeof(request), output, sizeof(output), NULL),
            STATUS_SUCCESS);
        CHECK_EQUAL(CoreRefused(), named ? 0 : 1);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        CHECK_EQUAL(((const PSCTX_INSPECT_REPLY *)output)->Count, 1);
        CHECK_EQUAL(entry->OwnerKind, PSCTX_OWNER_DEVICE);
        CHECK_EQUAL(entry->OwnerNameLength != 0, named);
    }
    CoreClose((HANDLE)(ULONG_PTR)request.Handle);
    HostLeaveProcess();
    CoreEndProcess(core.Process);
    CoreUnloadProbe();
    CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
    CoreUnloadFilter(&CoreLower);
    CoreShutdown();
}

static const CORE_TEST CoreAnsweredTests[] = {
    {"what a teardown takes is not removed, whoever would", CoreWhatATeardownTakesIsNotRemoved},
    {"an insertion that FsRtl refuses changes nothing", CoreRefusedInsertionsChangeNothing},
    {"a request on behalf of another process is refused", CoreOtherProcessesRequestsAreRefused},
    {"an inspection leaves out the name of a driver that has none to tell", CoreInspectionsNameWhoHasAName},
    {"a batch says nothing of a context that it could not remove", CoreBatchesSayNothingOfWhatTheyDoNotRemove},
    {"a start that any routine fails leaves nothing, and the next one succeeds", CoreStartsFailWhole},
    {"a service key that cannot be opened allows no unloading", CoreAKeyThatCannotBeReadAllowsNothing},
    {"a service key without the value allows no unloading", CoreAKeyWithoutTheValueAllowsNothing},
    {"a value of another type allows no unloading", CoreAValueOfAnotherTypeAllowsNothing},
    {"a value of another length allows no unloading", CoreAValueOfAnotherLengthAllowsNothing},
    {"a list is guarded where the kernel has both routines of its lock", CoreListLocksNeedBothTheirRoutines},
    {"modules are read as far as the kernel tells them", CoreModulesAreReadAsFarAsTheyAreTold},
    {"nonpaged memory is not executable from Windows 8 on", CoreMemoryIsNotExecutableFromWindows8On},
    {"a kernel that does not tell its memory has the limits of its class", CoreMachinesOfEachClassHaveTheirLimits},
    {"a kernel that lacks a routine serves all the same", CoreKernelsThatLackARoutineServe},
    {"an image that does not say what it imports is taken to tear down", CoreImagesThatDoNotSayTearDown},
    {"a kernel without the routine to tear down with is taken to have another",
     CoreKernelsWithoutATeardownAreTakenToTearDown},
    {"file systems beyond those that are kept are looked at each time", CoreMoreFileSystemsThanAreKeptAreLookedAt},
    {"a name is trimmed wherever it ends", CoreNamesAreTrimmedWhereverTheyEnd},
    {"an open by a name that says nothing of the file is never spared", CoreOpenedNamesThatSayNothingMatchEverything},
    {"an expression of the greatest length matches as any other", CoreExpressionsMatchWhateverTheirLength},
    {"an open is what its device and its file object say", CoreOpensAreWhatTheirDeviceIs},
    {"what turns out to be no file is not tracked", CoreWhatIsNoFileIsNotTracked},
    {"a CD-ROM's volume is attached to", CoreCdRomsAreVolumes},
    {"a redirector is not listed as a volume", CoreRedirectorsAreNotListed},
    {"a list of devices has those that have come meanwhile", CoreListsHaveWhatHasComeMeanwhile},
    {"a name that does not fit is asked for again, and one that is not told is empty", CoreNamesAreAsLongAsTheyAre},
    {"a device that tells nothing is no volume, and a driver without devices has none", CoreBareDevicesAreNoVolumes},
    {"devices are put in their order, in whichever they are listed", CoreEveryOrderIsSorted},
    {"of volumes that do not fit, the first says what it needs", CoreVolumesThatDoNotFitTellWhatTheFirstNeeds},
    {"file systems that are known are forgotten when the driver is unloaded",
     CoreFileSystemsAreKeptUntilTheDriverIsUnloaded},
    {"a volume is mounted and its files are opened, whatever the driver is refused",
     CoreRefusedMountsAreMountsAllTheSame},
    {"a volume that is attached to is not attached to again when volumes are listed",
     CoreAttachedVolumesAreNotAttachedToAgain},
    {"a volume that comes is told, whatever it is called", CoreVolumesWithoutANameAreTold},
    {"an open that comes while the driver goes is not missed", CoreOpensAreNotMissedByADriverThatGoes},
    {"an insertion that comes while the driver goes is refused with that", CoreInsertionsEndWithTheDriver},
};

/* Those of one front alone: the minifilter leaves attaching, housekeeping and asking for names to Filter Manager. */
static const CORE_TEST CoreLegacyTests[] = {
    {"where legacy filters are blocked, contexts of open handles work", CoreBlockedFiltersLeaveHandlesTheirContexts},
    {"normalised names are asked for from Windows 8 on", CoreNamesAreNormalizedFromWindows8On},
    {"a name that is not whole is none", CoreSpoiltNamesAreNone},
    {"volumes that cannot be looked for are looked for the next time", CoreHousekeepingHasNobodyToTell},
    {"the driver's own files are neither acquired nor released", CoreOwnFilesAreNotAcquired},
    {"housekeeping sleeps when it is done", CoreHousekeepingSleepsWhenItIsDone},
    {"a volume that is being mounted is waited for within bounds", CoreVolumesAreWaitedForWithinBounds},
    {"a name is whole, however long it is", CoreNamesAreWholeWhateverTheirLength},
    {"an open that pends is waited for, also where no wait ends with its thread", CorePendingOpensAreWaitedFor},
    {"an open is missed once for each context that it does not bring", CoreMissedOpensAreMissedOnce},
    {"a storage device that is not told is asked for its name once", CoreStorageIsAskedForItsNameOnce},
    {"of two opens that learn a storage device's name one tells it", CoreStorageIsToldByOneOfTwoOpens},
    {"volumes of every file system are looked for", CoreVolumesOfEveryFileSystemAreLookedFor},
};

static const CORE_TEST CoreMinifilterTests[] = {
    {"calls of Filter Manager that open and transfer nothing change nothing", CoreCallsOfNothingChangeNothing},
    {"a volume that is refused an instance is told with the reason", CoreVolumesWithoutAnInstanceAreTold},
};

int main(int argc, char **argv)
{
    const BOOLEAN isLegacy = CoreFront() == PSCTX_FRONT_LEGACY;
    const ULONG count = isLegacy ? RTL_NUMBER_OF(CoreLegacyTests) : RTL_NUMBER_OF(CoreMinifilterTests);
    CORE_TEST tests[RTL_NUMBER_OF(CoreAnsweredTests) +
                    max(RTL_NUMBER_OF(CoreLegacyTests), RTL_NUMBER_OF(CoreMinifilterTests))];

    memcpy(tests, CoreAnsweredTests, sizeof(CoreAnsweredTests));
    memcpy(tests + RTL_NUMBER_OF(CoreAnsweredTests), isLegacy ? CoreLegacyTests : CoreMinifilterTests,
           count * sizeof(*tests));
    return CoreRunTests(tests, RTL_NUMBER_OF(CoreAnsweredTests) + count, argc > 1 ? argv[1] : NULL);
}
