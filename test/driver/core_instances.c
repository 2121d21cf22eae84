/*
 * The minifilter as Filter Manager and an administrator see it: which volumes have an instance, and why others have none; what is asked to
 * go; when the driver may be unloaded; and that only one front runs.
 */
#include <fltKernel.h>
#include <fronts.h>
#include <pthread.h>
#include <string.h>

#include "core_fixture.h"
#include "core_reader.h"
#include "test_file_system.h"

#define CORE_FILTER L"PsCtx-Minifilter"
#define CORE_COMINGS 100u
#define CORE_OPENS 100
#define CORE_TEST_FILE TEST_DISK L"\\File.txt"

static VOID CoreStartMinifilter(_Out_ PCORE Core)
{
    CHECK_STATUS(PsctxLoadFront(PSCTX_FRONT_MINIFILTER, &Core->Driver), STATUS_SUCCESS);
    Core->Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Core->Process);
    Core->Control = CoreOpenSession(CORE_READ_WRITE);
}

/* What LIST_VOLUMES tells of the volume on this device. FALSE if it is not on the list. */
static BOOLEAN CoreFindVolume(_In_ HANDLE Control, _In_z_ PCWSTR Device, _Out_ PSCTX_VOLUME_ENTRY *Volume)
{
    DECLSPEC_ALIGN(8) UCHAR output[4096];
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    const UCHAR *next = (const UCHAR *)(reply + 1);
    PSCTX_VOLUMES_REQUEST request = {0};
    UNICODE_STRING name;
    BOOLEAN found = FALSE;
    ULONG index;

    RtlInitUnicodeString(&name, Device);
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    CHECK_STATUS(
        CoreControl(Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL),
        STATUS_SUCCESS);
    CHECK_EQUAL(reply->Remaining, 0);
    for (index = 0; index < reply->Count; index += 1) {
        const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)next;

        if (entry->DeviceNameLength == name.Length && memcmp(entry + 1, name.Buffer, name.Length) == 0) {
            CHECK(!found);
            *Volume = *entry;
            found = TRUE;
        }
        next += entry->Size;
    }
    return found;
}

static VOID CoreCheckAttachment(_In_ HANDLE Control, _In_z_ PCWSTR Device, _In_ ULONG Attachment, _In_ NTSTATUS Status)
{
    PSCTX_VOLUME_ENTRY volume;

    CHECK(CoreFindVolume(Control, Device, &volume));
    CHECK_EQUAL(volume.Attachment, Attachment);
    CHECK_STATUS(volume.Status, Status);
    CHECK_EQUAL((volume.Number & PSCTX_VOLUME_UNATTACHED) != 0, Attachment != PSCTX_ATTACHMENT_YES);
}

static VOID CoreOnlyOneFrontRuns(VOID)
{
    static const ULONG fronts[] = {PSCTX_FRONT_LEGACY, PSCTX_FRONT_MINIFILTER};
    PDRIVER_OBJECT second;
    PDRIVER_OBJECT first;
    HOST_AUDIT before;
    HOST_AUDIT after;
    ULONG index;

    CoreBoot();
    CHECK_STATUS(HostStartFilterManager(), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(fronts); index += 1) {
        CHECK_STATUS(PsctxLoadFront(fronts[index], &first), STATUS_SUCCESS);
        HostAudit(&before);
        CHECK_STATUS(PsctxLoadFront(fronts[1 - index], &second), STATUS_OBJECT_NAME_COLLISION);
        HostAudit(&after);
        CHECK(memcmp(&before, &after, sizeof(before)) == 0);
        CHECK_STATUS(HostUnloadDriver(first), STATUS_SUCCESS);
    }
    CoreShutdown();
}

/* That of Windows 7 knows no registration of later ones, nor any pool that is not executable. */
static VOID CoreOldFilterManagersTakeIt(VOID)
{
    CORE core;

    CoreBoot();
    HostSetQuirks(HOST_QUIRK_VERSION_61);
    CoreStartMinifilter(&core);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreStop(&core);
    HostSetQuirks(0);
}

static VOID CoreOpenHandlesKeepTheDriver(VOID)
{
    HANDLE other;
    CORE core;

    CoreBoot();
    CoreStartMinifilter(&core);
    CHECK_STATUS(HostUnloadFilter(CORE_FILTER), STATUS_FLT_DO_NOT_DETACH);
    other = CoreOpenSession(CORE_READ);
    CHECK_EQUAL(CoreStatistics(other).AttachedVolumes, 1);
    CoreClose(other);
    CHECK_STATUS(HostUnloadFilter(CORE_FILTER), STATUS_FLT_DO_NOT_DETACH);
    CoreClose(core.Control);
    HostLeaveProcess();
    CoreEndProcess(core.Process);
    CHECK_STATUS(HostUnloadFilter(CORE_FILTER), STATUS_SUCCESS);
    CHECK_STATUS(HostUnloadFilter(CORE_FILTER), STATUS_FLT_FILTER_NOT_FOUND);
    CoreShutdown();
}

/* Contexts whose lifetime is their stream's are given up with the driver, on files that are still open. */
static VOID CoreContextsGoWithTheDriver(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Lifetime = PSCTX_LIFETIME_STREAM};
    CORE core;

    CoreBoot();
    CoreStartMinifilter(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(core.Control);
    CHECK_STATUS(HostUnloadFilter(CORE_FILTER), STATUS_SUCCESS);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
    CoreClose(insertion.Stream);
    HostLeaveProcess();
    CoreEndProcess(core.Process);
    CoreShutdown();
}

static VOID CoreWhatIsAskedToGoStaysAway(VOID)
{
    PSCTX_VOLUME_ENTRY volume;
    HANDLE file;
    CORE core;

    CoreBoot();
    CoreStartMinifilter(&core);
    file = CoreOpenFile(CORE_FILE);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);

    CHECK_STATUS(HostDetachFilter(CORE_FILTER, L'M'), STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 0);
    CoreCheckAttachment(core.Control, L"\\Device\\HostVolume1", PSCTX_ATTACHMENT_FAILED, STATUS_FLT_DO_NOT_ATTACH);
    CoreCheckAttachment(core.Control, L"\\Device\\HostVolume1", PSCTX_ATTACHMENT_FAILED, STATUS_FLT_DO_NOT_ATTACH);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 0);

    CHECK_STATUS(HostAttachFilter(CORE_FILTER, L'M'), STATUS_SUCCESS);
    CHECK(!NT_SUCCESS(HostAttachFilter(CORE_FILTER, L'M')));
    CoreCheckAttachment(core.Control, L"\\Device\\HostVolume1", PSCTX_ATTACHMENT_YES, STATUS_SUCCESS);
    CHECK(CoreFindVolume(core.Control, L"\\Device\\HostVolume1", &volume));
    CHECK(volume.Number > 1);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreClose(file);
    CoreStop(&core);
}

static VOID CoreSnapshotsAreRefused(VOID)
{
    PSCTX_VOLUME_ENTRY volume;
    PDRIVER_OBJECT disk;
    HANDLE file;
    CORE core;

    TestFileSystemReset();
    CoreBoot();
    CHECK_STATUS(TestDiskLoad(L"VolSnap", &disk, &TestFileSystem.Disk), STATUS_SUCCESS);
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    CoreStartMinifilter(&core);
    file = CoreOpenFile(CORE_TEST_FILE);
    CoreCheckAttachment(core.Control, TEST_DISK, PSCTX_ATTACHMENT_SNAPSHOT, STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreClose(file);
    TestFileSystemDismount();
    CHECK(!CoreFindVolume(core.Control, TEST_DISK, &volume));
    HostLeaveProcess();
    CoreEndProcess(core.Process);
    CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
    TestFileSystemUnload();
    CHECK_STATUS(HostUnloadDriver(disk), STATUS_SUCCESS);
    CoreShutdown();
}

static VOID CoreVolumesComeAndGo(VOID)
{
    static const ULONG types[] = {PSCTX_EVENT_VOLUME_ATTACHED, PSCTX_EVENT_VOLUME_DETACHED};
    const PSCTX_EVENT *event = NULL;
    HANDLE reader;
    CORE_WAIT wait;
    CORE core;
    ULONG index;

    CoreBoot();
    CoreStartMinifilter(&core);
    reader = CoreOpenReader(core.Control, (1u << types[0]) | (1u << types[1]));
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CoreClose(CoreOpenFile(L"\\??\\N:\\file"));
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 2);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreInitializeWait(&wait, 4 * CORE_WAIT_LENGTH);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(types); index += 1) {
        event = CoreNextEvent(&wait, event);
        CHECK(event != NULL);
        CHECK_EQUAL(event->Type, types[index]);
        CHECK(CoreEventNameEndsWith(event, L"\\Device\\HostVolume2"));
    }
    CHECK(CoreNextEvent(&wait, event) == NULL);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

typedef struct _CORE_OPENER {
    PEPROCESS Process;
    volatile LONG Ends;
    volatile LONG Opens;
} CORE_OPENER, *PCORE_OPENER;

static void *CoreOpenAgain(void *Context)
{
    const PCORE_OPENER opener = Context;

    HostEnterProcess(opener->Process);
    while (ReadNoFence(&opener->Ends) == 0) {
        CoreClose(CoreOpenFile(CORE_FILE));
        InterlockedIncrement(&opener->Opens);
    }
    HostLeaveProcess();
    return NULL;
}

/* What an open holds while the file system has it is given back, whether its instance is there still or not: the audit tells. */
static VOID CoreInstancesGoWhileFilesAreOpened(VOID)
{
    struct {
        PSCTX_TRACK_REQUEST Request;
        WCHAR Pattern[5];
    } track = {{.PatternLength = 5 * sizeof(WCHAR)}, {L'*', L'.', L'T', L'X', L'T'}};
    PSCTX_RULE_RECORD rule;
    CORE_OPENER opener = {0};
    pthread_t thread;
    ULONG round;
    CORE core;

    CoreBoot();
    CoreStartMinifilter(&core);
    CoreSetHeader(&track.Request.Header, PSCTX_OPERATION_TRACK, sizeof(track.Request) + sizeof(track.Pattern));
    CHECK_STATUS(
        CoreControl(core.Control, PSCTX_IOCTL_TRACK, &track, track.Request.Header.Size, &rule, sizeof(rule), NULL),
        STATUS_SUCCESS);
    opener.Process = core.Process;
    CHECK_EQUAL(pthread_create(&thread, NULL, CoreOpenAgain, &opener), 0);
    for (round = 0; round < CORE_COMINGS || ReadNoFence(&opener.Opens) < CORE_OPENS; round += 1) {
        CHECK_STATUS(HostDetachFilter(CORE_FILTER, L'M'), STATUS_SUCCESS);
        CHECK_STATUS(HostAttachFilter(CORE_FILTER, L'M'), STATUS_SUCCESS);
    }
    InterlockedExchange(&opener.Ends, TRUE);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreStop(&core);
}

static VOID CoreContextsAreCountedOnTheirVolumes(VOID)
{
    static const PCWSTR files[] = {CORE_FILE, L"\\??\\N:\\one", L"\\??\\N:\\two", L"\\??\\N:\\three"};
    CORE_INSERTION insertion = {.Owner = 1};
    PSCTX_VOLUME_ENTRY volume;
    ULONG index;
    CORE core;

    CoreBoot();
    CoreStartMinifilter(&core);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(files); index += 1) {
        insertion.Stream = CoreOpenFile(files[index]);
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    CHECK(CoreFindVolume(core.Control, L"\\Device\\HostVolume1", &volume));
    CHECK_EQUAL(volume.Contexts, 1);
    CHECK(CoreFindVolume(core.Control, L"\\Device\\HostVolume2", &volume));
    CHECK_EQUAL(volume.Contexts, 3);
    CoreStop(&core);
}

/* A list that is told is whole, those that are not attached to included. */
static VOID CoreListsAreWholeOrThereIsNoMemory(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[4096];
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    PSCTX_VOLUMES_REQUEST request = {0};
    ULONG failures = 0;
    ULONG countdown;
    CORE core;

    CoreBoot();
    CoreStartMinifilter(&core);
    CHECK_STATUS(HostDetachFilter(CORE_FILTER, L'M'), STATUS_SUCCESS);
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    for (countdown = 1; countdown <= 48; countdown += 1) {
        NTSTATUS status;

        HostFailAllocation(countdown);
        status = CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output),
                             NULL);
        HostFailAllocation(0);
        if (NT_SUCCESS(status)) {
            CHECK_EQUAL(reply->Count, 1);
        } else {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
            failures += 1;
        }
    }
    CHECK(failures > 2 && failures < 48);
    CoreStop(&core);
}

static const CORE_TEST CoreInstances[] = {
    {"contexts are counted on their own volumes", CoreContextsAreCountedOnTheirVolumes},
    {"a list of volumes is whole, or says that there was no memory for it", CoreListsAreWholeOrThereIsNoMemory},
    {"a second front is refused while one runs, and leaves nothing behind", CoreOnlyOneFrontRuns},
    {"the Filter Manager of Windows 7 takes the minifilter", CoreOldFilterManagersTakeIt},
    {"the driver stays while somebody has its control device open, unless it must go", CoreOpenHandlesKeepTheDriver},
    {"contexts that outlive their session go with the driver", CoreContextsGoWithTheDriver},
    {"an instance that was asked to go stays away until it is asked to come, and its volume says so",
     CoreWhatIsAskedToGoStaysAway},
    {"a snapshot's volume has no instance, and says why", CoreSnapshotsAreRefused},
    {"volumes that come and go are told and counted", CoreVolumesComeAndGo},
    {"an instance goes while files are opened through it, and nothing is left of the opens",
     CoreInstancesGoWhileFilesAreOpened},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreInstances, RTL_NUMBER_OF(CoreInstances), argc > 1 ? argv[1] : NULL);
}
