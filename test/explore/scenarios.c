/*
 * The scenarios: see scenarios.h.
 */
#include "scenarios.h"

#include "core_batch.h"
#include "core_enumerate.h"
#include "core_filters.h"
#include "core_probe.h"

#include <stdlib.h>
#include <string.h>

#define EXPLORE_TYPES ((1u << PSCTX_EVENT_INSERTED) | (1u << PSCTX_EVENT_REMOVED) | (1u << PSCTX_EVENT_TORN_DOWN))

static NTSTATUS ExploreInsert(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG64 Instance, _In_ ULONG IfExists,
                              _In_ ULONG Lifetime)
{
    const CORE_INSERTION insertion = {.Stream = Stream,
                                      .Owner = 1,
                                      .Instance = Instance,
                                      .IfExists = IfExists,
                                      .Lifetime = Lifetime,
                                      .Data = "race",
                                      .DataLength = 4};

    return CoreInsert(Control, &insertion, NULL);
}

static NTSTATUS ExploreInsertOne(_In_ HANDLE Control, _In_ HANDLE Stream)
{
    return ExploreInsert(Control, Stream, 1, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
}

/* Every insertion has ended one way: what the session booked is what it gave back. */
static VOID ExploreCheckCounters(PEXPLORE_STATE State)
{
    const PSCTX_STATISTICS_REPLY statistics = CoreStatistics(State->Core.Control);

    CHECK(!State->Lost);
    CHECK_EQUAL(statistics.SessionInserted,
                statistics.SessionRemoved + statistics.SessionTornDown + statistics.SessionContexts);
}

/* Preparations. */

static VOID ExplorePrepareOne(PEXPLORE_STATE State)
{
    CHECK_STATUS(ExploreInsertOne(State->Core.Control, State->Stream), STATUS_SUCCESS);
}

static VOID ExplorePrepareSecond(PEXPLORE_STATE State)
{
    State->Second = CoreOpenSession(CORE_READ_WRITE);
    CHECK_STATUS(ExploreInsert(State->Second, State->Stream, 3, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION),
                 STATUS_SUCCESS);
    CHECK_STATUS(ExploreInsert(State->Second, State->Stream, 4, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_STREAM),
                 STATUS_SUCCESS);
}

/* A context that outlives its session, and no session: a driver is not unloaded while its device is open. */
static VOID ExplorePrepareUnload(PEXPLORE_STATE State)
{
    CHECK_STATUS(ExploreInsert(State->Core.Control, State->Stream, 1, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_STREAM),
                 STATUS_SUCCESS);
    State->Other = CoreOpenFile(CORE_OTHER_FILE);
    CHECK_STATUS(ExploreInsert(State->Core.Control, State->Other, 1, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_STREAM),
                 STATUS_SUCCESS);
    CoreClose(State->Core.Control);
    State->Core.Control = NULL;
}

static VOID ExplorePrepareReader(PEXPLORE_STATE State)
{
    State->Second = CoreOpenReader(State->Core.Control, EXPLORE_TYPES);
    CoreInitializeWait(&State->Wait, CORE_WAIT_LENGTH);
    CHECK_STATUS(NtCreateEvent(&State->Wait.Event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE),
                 STATUS_SUCCESS);
}

static VOID ExplorePrepareTwoStreams(PEXPLORE_STATE State)
{
    State->Other = CoreOpenFile(CORE_OTHER_FILE);
    CHECK_STATUS(ExploreInsertOne(State->Core.Control, State->Stream), STATUS_SUCCESS);
    CHECK_STATUS(ExploreInsertOne(State->Core.Control, State->Other), STATUS_SUCCESS);
}

static VOID ExplorePrepareFilters(PEXPLORE_STATE State)
{
    CoreHang(&CoreLower, State->Stream, &CoreLower, NULL);
    CHECK_STATUS(ExploreInsertOne(State->Core.Control, State->Stream), STATUS_SUCCESS);
    CoreHang(&CoreUpper, State->Stream, &CoreUpper, NULL);
}

static VOID ExplorePrepareVictim(PEXPLORE_STATE State)
{
    HostLeaveProcess();
    State->Victim = CoreCreateProcess(TRUE);
    HostEnterProcess(State->Victim);
    State->VictimControl = CoreOpenSession(CORE_READ_WRITE);
    State->VictimStream = CoreOpenFile(CORE_FILE);
    HostLeaveProcess();
    HostEnterProcess(State->Core.Process);
}

/* On every volume, or on that of a handle. */
static NTSTATUS ExploreTrack(_In_ HANDLE Control, _In_opt_ HANDLE Volume, _Out_ PSCTX_RULE_RECORD *Rule)
{
    static const WCHAR pattern[] = L"*TWO.TXT";
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[RTL_NUMBER_OF(pattern) - 1];
    } request = {.Record = {.OwnerKey = 9, .Instance = 9, .Flags = PSCTX_TRACK_COUNT}};

    memcpy(request.Pattern, pattern, sizeof(request.Pattern));
    request.Record.PatternLength = sizeof(request.Pattern);
    request.Record.VolumeHandle = (ULONG_PTR)Volume;
    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, sizeof(request.Record) + sizeof(request.Pattern));
    return CoreControl(Control, PSCTX_IOCTL_TRACK, &request, sizeof(request.Record) + sizeof(request.Pattern), Rule,
                       sizeof(*Rule), NULL);
}

static VOID ExploreEndRule(_In_ HANDLE Control, _In_ PSCTX_RULE_RECORD Rule)
{
    PSCTX_HEADER reply;

    CoreSetHeader(&Rule.Header, PSCTX_OPERATION_UNTRACK, sizeof(Rule));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_UNTRACK, &Rule, sizeof(Rule), &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
}

static PSCTX_RULE_RECORD ExploreRule;

static VOID ExplorePrepareRule(PEXPLORE_STATE State)
{
    CHECK_STATUS(ExploreTrack(State->Core.Control, NULL, &ExploreRule), STATUS_SUCCESS);
    State->Other = CoreOpenFile(CORE_OTHER_FILE);
}

/* Threads. */

static VOID ExploreLookup(PEXPLORE_STATE State)
{
    CORE_CONTEXT context;
    ULONG count;

    for (count = 0; count < 2; count += 1) {
        const NTSTATUS status = CoreLookup(State->Core.Control, State->Stream, PSCTX_MATCH_INSTANCE, 1, 1, &context);

        State->Lost |= status == STATUS_SUCCESS ? memcmp(context.Data, "race", 4) != 0 : status != STATUS_NOT_FOUND;
    }
}

static VOID ExploreRemove(PEXPLORE_STATE State)
{
    (VOID) CoreRemove(State->Core.Control, State->Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL);
}

static VOID ExploreRemoveAll(PEXPLORE_STATE State)
{
    (VOID) CoreRemoveAll(State->Core.Control, State->Stream, PSCTX_MATCH_FIRST, 0, 0, NULL);
}

static VOID ExploreReplace(PEXPLORE_STATE State)
{
    (VOID) ExploreInsert(State->Core.Control, State->Stream, 1, PSCTX_IF_EXISTS_REPLACE, PSCTX_LIFETIME_SESSION);
}

static VOID ExploreInsertTwo(PEXPLORE_STATE State)
{
    State->Status[0] =
        ExploreInsert(State->Core.Control, State->Stream, 2, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
}

static VOID ExploreInsertForStream(PEXPLORE_STATE State)
{
    State->Status[0] =
        ExploreInsert(State->Core.Control, State->Stream, 5, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_STREAM);
}

static VOID ExploreCloseStream(PEXPLORE_STATE State)
{
    CoreClose(State->Stream);
}

static VOID ExploreCloseOther(PEXPLORE_STATE State)
{
    CoreClose(State->Other);
}

static VOID ExploreCloseSecond(PEXPLORE_STATE State)
{
    CoreClose(State->Second);
}

static VOID ExploreReopen(PEXPLORE_STATE State)
{
    HANDLE handle;

    if (NT_SUCCESS(CoreOpen(CORE_FILE, NULL, CORE_READ, FILE_OPEN, 0, &handle))) {
        State->Lost |= CoreCount(State->Core.Control, handle) > 2;
        CoreClose(handle);
    }
}

static VOID ExploreBatch(PEXPLORE_STATE State)
{
    CORE_BATCH batch;
    PSCTX_INSERT_REQUEST *insert;

    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 1024);
    insert = CoreAddInsert(&batch, State->Stream, 1, 1, 4);
    insert->Lifetime = PSCTX_LIFETIME_SESSION;
    (VOID) CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, State->Stream, 1, 1);
    (VOID) CoreAddInsert(&batch, State->Stream, 1, 2, 4);
    (VOID) CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, State->Stream, 1, 1);
    State->Status[0] = CoreSendBatch(State->Second, &batch);
    CoreFreeBatch(&batch);
}

static VOID ExploreUnload(PEXPLORE_STATE State)
{
    CHECK_STATUS(HostUnloadDriver(State->Core.Driver), STATUS_SUCCESS);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0); /* the driver's code is gone: nobody is in it */
    State->Unloaded = TRUE;
}

static VOID ExploreReadFile(PEXPLORE_STATE State)
{
    IO_STATUS_BLOCK ioStatus;
    LARGE_INTEGER offset = {0};
    UCHAR bytes[8] = {0};
    HANDLE handle;

    UNREFERENCED_PARAMETER(State);
    if (NT_SUCCESS(CoreOpen(CORE_OTHER_FILE, NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &handle))) {
        (VOID) NtWriteFile(handle, NULL, NULL, NULL, &ioStatus, bytes, sizeof(bytes), &offset, NULL);
        (VOID) NtReadFile(handle, NULL, NULL, NULL, &ioStatus, bytes, sizeof(bytes), &offset, NULL);
        (VOID) NtClose(handle);
    }
}

static VOID ExploreReadOther(PEXPLORE_STATE State)
{
    IO_STATUS_BLOCK ioStatus;
    LARGE_INTEGER offset = {0};
    UCHAR bytes[8];
    ULONG count;

    for (count = 0; count < 3; count += 1) {
        (VOID) NtReadFile(State->Other, NULL, NULL, NULL, &ioStatus, bytes, sizeof(bytes), &offset, NULL);
    }
}

static VOID ExploreRemoveTracked(PEXPLORE_STATE State)
{
    (VOID) CoreRemove(State->Core.Control, State->Other, PSCTX_MATCH_INSTANCE, 9, 9, NULL);
}

static VOID ExploreListVolumes(PEXPLORE_STATE State)
{
    const CORE_REQUEST request = CoreMakeRequest(PSCTX_OPERATION_LIST_VOLUMES, NULL);
    union {
        PSCTX_VOLUMES_REPLY Reply;
        DECLSPEC_ALIGN(8) UCHAR Bytes[1024];
    } output;
    ULONG count;

    for (count = 0; count < 2; count += 1) {
        State->Lost |= !NT_SUCCESS(CoreControl(State->Core.Control, request.Code, request.Bytes, request.Length,
                                               &output, sizeof(output), NULL)) ||
                       !CoreAreFileSystems(&output.Reply);
    }
}

static VOID ExploreMount(PEXPLORE_STATE State)
{
    State->Status[3] = HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL);
}

static VOID ExploreStopFileSystem(PDRIVER_OBJECT DriverObject)
{
    IoUnregisterFileSystem(DriverObject->DeviceObject);
    IoDeleteDevice(DriverObject->DeviceObject);
}

static NTSTATUS ExploreStartFileSystem(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = ExploreStopFileSystem;
    status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &device);
    if (NT_SUCCESS(status)) {
        IoRegisterFileSystem(device);
    }
    return status;
}

/* A file system comes and goes. */
static VOID ExploreRegister(PEXPLORE_STATE State)
{
    PDRIVER_OBJECT driver;

    State->Status[3] = HostLoadDriver(L"ExploreFs", TRUE, ExploreStartFileSystem, &driver);
    if (NT_SUCCESS(State->Status[3])) {
        CHECK_STATUS(HostUnloadDriver(driver), STATUS_SUCCESS);
    }
}

/* A rule for the volume, which may be going. */
static VOID ExploreTrackVolume(PEXPLORE_STATE State)
{
    PSCTX_RULE_RECORD rule;
    HANDLE volume;

    if (!NT_SUCCESS(CoreOpen(L"\\??\\M:", NULL, CORE_READ, FILE_OPEN, 0, &volume))) {
        return;
    }
    if (NT_SUCCESS(ExploreTrack(State->Core.Control, volume, &rule))) {
        ExploreEndRule(State->Core.Control, rule);
    }
    CoreClose(volume);
}

static VOID ExploreMayClose(PEXPLORE_STATE State)
{
    (VOID) NtClose(State->Stream);
}

static VOID ExploreOpenSession(PEXPLORE_STATE State)
{
    HANDLE control;

    if (NT_SUCCESS(CoreOpen(CORE_CONTROL, NULL, CORE_READ_WRITE, FILE_OPEN, 0, &control))) {
        (VOID) ExploreInsertOne(control, State->Stream);
        CoreClose(control);
    }
}

/* Sees the wait's end, since the I/O manager cancels what a thread leaves behind. */
static VOID ExploreAwait(_In_ const CORE_WAIT *Wait)
{
    if (CoreWaitStatus(Wait) == STATUS_PENDING) {
        (VOID) NtWaitForSingleObject(Wait->Event, FALSE, NULL);
    }
}

static VOID ExploreWait(PEXPLORE_STATE State)
{
    State->Status[1] = CoreStartWait(State->Second, &State->Wait);
    ExploreAwait(&State->Wait);
}

static VOID ExploreWaitAndCancel(PEXPLORE_STATE State)
{
    IO_STATUS_BLOCK ioStatus;

    State->Status[1] = CoreStartWait(State->Second, &State->Wait);
    (VOID) NtCancelIoFile(State->Second, &ioStatus);
    ExploreAwait(&State->Wait);
}

static VOID ExploreEnumerate(PEXPLORE_STATE State)
{
    CORE_ENUMERATION enumeration = {0};
    const PSCTX_LIST_ENTRY *entry;
    ULONG count = 0;

    enumeration.OutputLength = 192;
    enumeration.Output = malloc(PSCTX_MAXIMUM_TRANSFER);
    while (!CoreIsEnumerated(&enumeration)) {
        CHECK_STATUS(CoreNextPage(State->Core.Control, &enumeration), STATUS_SUCCESS);
        for (entry = CoreNextEntry(&enumeration, NULL); entry != NULL; entry = CoreNextEntry(&enumeration, entry)) {
            State->Lost |= entry->OwnerKey != 1 || entry->DataLength != 4;
            count += 1;
        }
    }
    State->Lost |= count > 4;
    free(enumeration.Output);
}

static VOID ExploreList(PEXPLORE_STATE State)
{
    State->Lost |= CoreCount(State->Core.Control, State->Stream) > 3;
}

static VOID ExploreTakeOthers(PEXPLORE_STATE State)
{
    (VOID) CoreTake(State->Stream, &CoreUpper);
    CoreHang(&CoreUpper, State->Stream, &CoreUpper, NULL);
    (VOID) CoreTake(State->Stream, &CoreLower);
}

static VOID ExploreInspect(PEXPLORE_STATE State)
{
    PSCTX_STREAM_REQUEST request = {.Handle = (ULONG_PTR)State->Stream};
    union {
        PSCTX_INSPECT_REPLY Reply;
        DECLSPEC_ALIGN(8) UCHAR Bytes[4096];
    } output;
    ULONG length;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_INSPECT, sizeof(request));
    if (NT_SUCCESS(CoreControl(State->Core.Control, PSCTX_IOCTL_INSPECT, &request, sizeof(request), &output,
                               sizeof(output), &length))) {
        State->Lost |= output.Reply.Count > 4;
    }
}

static VOID ExploreDismount(PEXPLORE_STATE State)
{
    State->Status[3] = HostDismountVolume(L'M');
}

/* With one allocation failing, anybody's. */
static VOID ExploreDismountShort(PEXPLORE_STATE State)
{
    HostFailAllocation(1 + State->Seed / 8 % 48);
    State->Status[3] = HostDismountVolume(L'M');
    HostFailAllocation(0);
}

static VOID ExploreMountShort(PEXPLORE_STATE State)
{
    HostFailAllocation(1 + State->Seed / 8 % 48);
    State->Status[3] = HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL);
    HostFailAllocation(0);
}

static VOID ExploreUseVolume(PEXPLORE_STATE State, PCWSTR Path)
{
    HANDLE handle;

    if (NT_SUCCESS(CoreOpen(Path, NULL, CORE_READ, FILE_OPEN_IF, 0, &handle))) {
        (VOID) ExploreInsertOne(State->Core.Control, handle);
        (VOID) NtClose(handle);
    }
}

static VOID ExploreUseM(PEXPLORE_STATE State)
{
    ExploreUseVolume(State, CORE_OTHER_FILE);
}

static VOID ExploreUseN(PEXPLORE_STATE State)
{
    ExploreUseVolume(State, L"\\??\\N:\\one.txt");
}

static VOID ExploreOpenN(PEXPLORE_STATE State)
{
    HANDLE handle;

    UNREFERENCED_PARAMETER(State);
    if (NT_SUCCESS(CoreOpen(L"\\??\\N:\\one.txt", NULL, CORE_READ, FILE_OPEN_IF, 0, &handle))) {
        (VOID) NtClose(handle);
    }
}

/* As a program does it: the next open of the volume mounts it anew. */
static VOID ExploreDismountN(PEXPLORE_STATE State)
{
    IO_STATUS_BLOCK ioStatus;
    HANDLE volume;

    UNREFERENCED_PARAMETER(State);
    if (NT_SUCCESS(CoreOpen(L"\\??\\N:", NULL, CORE_READ_WRITE, FILE_OPEN, 0, &volume))) {
        (VOID) NtFsControlFile(volume, NULL, NULL, NULL, &ioStatus, FSCTL_DISMOUNT_VOLUME, NULL, 0, NULL, 0);
        (VOID) NtClose(volume);
    }
}

static VOID ExploreInsertAsVictim(PEXPLORE_STATE State)
{
    HostEnterProcess(State->Victim);
    State->Status[0] = ExploreInsertOne(State->VictimControl, State->VictimStream);
    HostLeaveProcess();
}

static VOID ExploreKillVictim(PEXPLORE_STATE State)
{
    HostExitProcess(State->Victim);
}

static VOID ExploreUntrack(PEXPLORE_STATE State)
{
    ExploreEndRule(State->Core.Control, ExploreRule);
}

/* Checks. */

static VOID ExploreCheckNothing(PEXPLORE_STATE State)
{
    ExploreCheckCounters(State);
    CHECK_EQUAL(CoreStatistics(State->Core.Control).TotalContexts, 0);
}

/* Of the second session only what was to stay is left: the one of the preparation. */
static VOID ExploreCheckSecondEnded(PEXPLORE_STATE State)
{
    ExploreCheckCounters(State);
    CHECK_EQUAL(CoreStatistics(State->Core.Control).TotalContexts, 1);
    CHECK_EQUAL(CoreStatistics(State->Core.Control).TotalSessions, 1);
}

static VOID ExploreCheckUnloaded(PEXPLORE_STATE State)
{
    CHECK(!State->Lost);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
}

static VOID ExploreCheckUnloadedAndMounted(PEXPLORE_STATE State)
{
    ExploreCheckUnloaded(State);
    CHECK_STATUS(State->Status[3], STATUS_SUCCESS);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
}

static VOID ExploreCheckRegistered(PEXPLORE_STATE State)
{
    CHECK_STATUS(State->Status[3], STATUS_SUCCESS);
    ExploreCheckCounters(State);
}

static VOID ExploreCheckUnloadedAndRegistered(PEXPLORE_STATE State)
{
    ExploreCheckUnloaded(State);
    CHECK_STATUS(State->Status[3], STATUS_SUCCESS);
}

static VOID ExploreCheckWait(PEXPLORE_STATE State)
{
    const NTSTATUS status = CoreWaitStatus(&State->Wait);

    CHECK(status == STATUS_SUCCESS || status == STATUS_CANCELLED || status == STATUS_INVALID_HANDLE);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(CoreNextEvent(&State->Wait, NULL)->Number, 1);
    }
    CoreFreeWait(&State->Wait);
    ExploreCheckCounters(State);
}

static VOID ExploreCheckTold(PEXPLORE_STATE State)
{
    CHECK_STATUS(CoreWaitStatus(&State->Wait), STATUS_SUCCESS);
    CHECK_EQUAL(CoreNextEvent(&State->Wait, NULL)->Number, 1);
    CHECK(CoreEventCount(&State->Wait) <= 2);
    CoreFreeWait(&State->Wait);
    ExploreCheckCounters(State);
}

/* The event that a cancelled wait was not told of is told to the next. */
static VOID ExploreCheckToldOrCancelled(PEXPLORE_STATE State)
{
    CHECK_STATUS(State->Status[0], STATUS_SUCCESS);
    if (CoreWaitStatus(&State->Wait) == STATUS_CANCELLED) {
        CHECK_STATUS(CoreStartWait(State->Second, &State->Wait), STATUS_SUCCESS);
    }
    CHECK_EQUAL(CoreNextEvent(&State->Wait, NULL)->Number, 1);
    CoreFreeWait(&State->Wait);
    ExploreCheckCounters(State);
}

static VOID ExploreCheckDismounted(PEXPLORE_STATE State)
{
    CHECK_STATUS(State->Status[3], STATUS_SUCCESS);
    (VOID) NtClose(State->Stream);
    State->Stream = NULL;
    ExploreCheckNothing(State);
}

/* What has failed for want of memory succeeds when there is some, and has changed nothing. */
static VOID ExploreCheckDismountedLater(PEXPLORE_STATE State)
{
    if (!NT_SUCCESS(State->Status[3])) {
        HostLeaveProcess();
        CHECK_STATUS(HostDismountVolume(L'M'), STATUS_SUCCESS);
        HostEnterProcess(State->Core.Process);
    }
    (VOID) NtClose(State->Stream);
    ExploreCheckNothing(State);
}

static VOID ExploreCheckMounted(PEXPLORE_STATE State)
{
    HostLeaveProcess();
    if (!NT_SUCCESS(State->Status[3])) {
        CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    }
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    HostEnterProcess(State->Core.Process);
    ExploreCheckCounters(State);
}

static VOID ExploreCheckVictim(PEXPLORE_STATE State)
{
    ExploreCheckNothing(State);
    HostDereferenceProcess(State->Victim);
}

static VOID ExploreCheckUntracked(PEXPLORE_STATE State)
{
    HANDLE handle = CoreOpenFile(CORE_OTHER_FILE);

    CHECK(CoreCount(State->Core.Control, handle) <= 1);
    CoreClose(handle);
    ExploreCheckNothing(State);
}

static VOID ExploreCheckCounted(PEXPLORE_STATE State)
{
    CHECK(CoreCount(State->Core.Control, State->Other) <= 1);
    CoreClose(State->Other);
    ExploreCheckNothing(State);
}

const EXPLORE_SCENARIO ExploreScenarios[] = {
    {"lookup-remove",
     "a lookup beside a removal and a replacement sees one of the contexts whole, or none",
     ExplorePrepareOne,
     ExploreCheckCounters,
     3,
     {{"lookup", ExploreLookup, FALSE}, {"remove", ExploreRemove, FALSE}, {"replace", ExploreReplace, FALSE}}},
    {"teardown-insert",
     "an insertion beside the last close and an open is torn down with the stream",
     NULL,
     ExploreCheckNothing,
     3,
     {{"insert", ExploreInsertTwo, FALSE}, {"close", ExploreCloseStream, FALSE}, {"open", ExploreReopen, FALSE}}},
    {"teardown-remove",
     "removals beside the teardown free each context once",
     ExplorePrepareOne,
     ExploreCheckNothing,
     3,
     {{"remove", ExploreRemove, FALSE}, {"close", ExploreCloseStream, FALSE}, {"remove all", ExploreRemoveAll, FALSE}}},
    {"session-end-batch",
     "a batch beside the end of its session leaves nothing but what was to stay",
     ExplorePrepareSecond,
     ExploreCheckSecondEnded,
     2,
     {{"batch", ExploreBatch, FALSE}, {"end", ExploreCloseSecond, FALSE}}},
    {"session-end-teardown",
     "the end of a session beside the teardown frees each context once",
     ExplorePrepareSecond,
     ExploreCheckNothing,
     3,
     {{"end", ExploreCloseSecond, FALSE},
      {"close", ExploreCloseStream, FALSE},
      {"insert", ExploreInsertForStream, FALSE}}},
    {"unload",
     "unloading beside opens, teardowns and sessions leaves nothing",
     ExplorePrepareUnload,
     ExploreCheckUnloaded,
     4,
     {{"unload", ExploreUnload, TRUE},
      {"close", ExploreMayClose, FALSE},
      {"read", ExploreReadFile, FALSE},
      {"open", ExploreReopen, FALSE}}},
    {"events-wait",
     "a wait beside two insertions is told of one or both",
     ExplorePrepareReader,
     ExploreCheckTold,
     3,
     {{"wait", ExploreWait, FALSE},
      {"insert", ExploreInsertTwo, FALSE},
      {"insert, too", ExploreInsertForStream, FALSE}}},
    {"events-cancel",
     "an event beside the cancellation of a wait is told once",
     ExplorePrepareReader,
     ExploreCheckToldOrCancelled,
     2,
     {{"wait", ExploreWaitAndCancel, FALSE}, {"insert", ExploreInsertTwo, FALSE}}},
    {"events-close",
     "a wait beside the close of its handle ends",
     ExplorePrepareReader,
     ExploreCheckWait,
     3,
     {{"wait", ExploreWait, FALSE}, {"close", ExploreCloseSecond, FALSE}, {"insert", ExploreInsertTwo, FALSE}}},
    {"events-teardown",
     "a teardown beside a wait and its cancellation is told in order",
     ExplorePrepareReader,
     ExploreCheckWait,
     3,
     {{"wait", ExploreWaitAndCancel, FALSE},
      {"insert", ExploreInsertTwo, FALSE},
      {"close", ExploreCloseStream, FALSE}}},
    {"enumerate-teardown",
     "an enumeration beside teardowns and an insertion tells whole entries",
     ExplorePrepareTwoStreams,
     ExploreCheckCounters,
     3,
     {{"enumerate", ExploreEnumerate, FALSE},
      {"close", ExploreCloseStream, FALSE},
      {"close other", ExploreCloseOther, FALSE}}},
    {"list-insert",
     "a list beside insertions and a removal tells a state there was",
     ExplorePrepareOne,
     ExploreCheckCounters,
     3,
     {{"list", ExploreList, FALSE}, {"insert", ExploreInsertTwo, FALSE}, {"remove", ExploreRemove, FALSE}}},
    {"two-filters",
     "two other filters on the stream beside a removal and a teardown lose nothing",
     ExplorePrepareFilters,
     ExploreCheckCounters,
     3,
     {{"others", ExploreTakeOthers, FALSE},
      {"remove", ExploreRemove, FALSE},
      {"insert", ExploreInsertForStream, FALSE}}},
    {"inspect-teardown",
     "an inspection, which holds the list's lock, beside a teardown ends",
     ExplorePrepareFilters,
     ExploreCheckNothing,
     3,
     {{"inspect", ExploreInspect, FALSE}, {"close", ExploreCloseStream, FALSE}, {"remove", ExploreRemove, FALSE}}},
    {"dismount",
     "opens and insertions beside a forced dismount leave nothing",
     ExplorePrepareOne,
     ExploreCheckDismounted,
     4,
     {{"open", ExploreReopen, FALSE},
      {"insert", ExploreInsertTwo, FALSE},
      {"open other", ExploreReadFile, FALSE},
      {"dismount", ExploreDismount, TRUE}}},
    {"dismount-short",
     "a forced dismount that memory fails, or an open beside it, leaves a volume that can be dismounted",
     ExplorePrepareOne,
     ExploreCheckDismountedLater,
     3,
     {{"use", ExploreUseM, FALSE}, {"close", ExploreMayClose, FALSE}, {"dismount", ExploreDismountShort, TRUE}}},
    {"mount-short",
     "a mount that memory fails, or an open beside it, leaves nothing",
     NULL,
     ExploreCheckMounted,
     3,
     {{"use", ExploreUseN, FALSE}, {"use, too", ExploreUseN, FALSE}, {"mount", ExploreMountShort, TRUE}}},
    {"volumes-mount",
     "a list of the volumes beside a mount, and an open on it, tells those there are",
     NULL,
     ExploreCheckMounted,
     3,
     {{"list", ExploreListVolumes, FALSE}, {"mount", ExploreMount, TRUE}, {"use", ExploreUseN, FALSE}}},
    {"volumes-dismount",
     "a list of the volumes and a rule for one beside its forced dismount tell those there are",
     NULL,
     ExploreCheckDismounted,
     3,
     {{"list", ExploreListVolumes, FALSE}, {"track", ExploreTrackVolume, FALSE}, {"dismount", ExploreDismount, TRUE}}},
    {"mount-dismount",
     "a dismount that a program asks for beside the mount, and a look at the volumes, leaves nothing",
     NULL,
     ExploreCheckMounted,
     3,
     {{"mount", ExploreMount, TRUE}, {"dismount", ExploreDismountN, FALSE}, {"list", ExploreListVolumes, FALSE}}},
    {"unload-mount",
     "unloading beside a mount, and an open on it, leaves nothing",
     ExplorePrepareUnload,
     ExploreCheckUnloadedAndMounted,
     3,
     {{"unload", ExploreUnload, TRUE}, {"mount", ExploreMount, TRUE}, {"open", ExploreOpenN, FALSE}}},
    {"volumes-register",
     "a list of the volumes and a read beside a file system that comes and goes end",
     NULL,
     ExploreCheckRegistered,
     3,
     {{"list", ExploreListVolumes, FALSE}, {"register", ExploreRegister, TRUE}, {"read", ExploreReadFile, FALSE}}},
    {"unload-register",
     "unloading beside a file system that comes and goes leaves nothing",
     ExplorePrepareUnload,
     ExploreCheckUnloadedAndRegistered,
     2,
     {{"unload", ExploreUnload, TRUE}, {"register", ExploreRegister, TRUE}}},
    {"unload-dismount",
     "unloading beside a forced dismount, and an open, leaves nothing",
     ExplorePrepareUnload,
     ExploreCheckUnloaded,
     3,
     {{"unload", ExploreUnload, TRUE}, {"dismount", ExploreDismount, TRUE}, {"read", ExploreReadFile, FALSE}}},
    {"process-death",
     "an insertion beside the death of its process, and a look at the stream, leaves nothing",
     ExplorePrepareVictim,
     ExploreCheckVictim,
     3,
     {{"insert", ExploreInsertAsVictim, TRUE}, {"kill", ExploreKillVictim, TRUE}, {"inspect", ExploreInspect, FALSE}}},
    {"track-untrack",
     "opens beside the end of their rule and a teardown count or do not",
     ExplorePrepareRule,
     ExploreCheckUntracked,
     3,
     {{"read", ExploreReadFile, FALSE}, {"untrack", ExploreUntrack, FALSE}, {"close", ExploreCloseOther, FALSE}}},
    {"read-remove",
     "reads beside the removal of the context that counts them, and another open, count or do not",
     ExplorePrepareRule,
     ExploreCheckCounted,
     3,
     {{"read", ExploreReadOther, FALSE}, {"remove", ExploreRemoveTracked, FALSE}, {"open", ExploreReadFile, FALSE}}},
    {"open-session-end",
     "a session's life beside another's removal and a teardown leaves nothing",
     ExplorePrepareOne,
     ExploreCheckNothing,
     3,
     {{"session", ExploreOpenSession, FALSE}, {"close", ExploreCloseStream, FALSE}, {"remove", ExploreRemove, FALSE}}},
};
const ULONG ExploreScenarioCount = RTL_NUMBER_OF(ExploreScenarios);

/*
 * Where programs open files while the legacy filter is unloaded: it cannot see who has found one of its devices and is about to send a request there, and
 * gives him time. Here he has enough of it. [ifs/unloading-legacy-filters]
 */
BOOLEAN ExploreTakesTime(const EXPLORE_SCENARIO *Scenario)
{
    BOOLEAN unloads = FALSE;
    BOOLEAN opens = FALSE;
    ULONG index;

    for (index = 0; index < Scenario->ThreadCount; index += 1) {
        unloads = (BOOLEAN)(unloads || Scenario->Threads[index].Routine == ExploreUnload);
        opens = (BOOLEAN)(opens || !Scenario->Threads[index].OutsideProcess);
    }
    return (BOOLEAN)(unloads && opens && CoreFront() == PSCTX_FRONT_LEGACY);
}

/* Whether the scenario's streams have other filters' contexts, too. */
static BOOLEAN ExploreHasFilters(_In_ const EXPLORE_SCENARIO *Scenario)
{
    return (BOOLEAN)(Scenario->Prepare == ExplorePrepareFilters);
}

VOID ExploreStart(PEXPLORE_STATE State, const EXPLORE_SCENARIO *Scenario)
{
    memset(State, 0, sizeof(*State));
    State->Filters = ExploreHasFilters(Scenario);
    CoreBoot();
    if (State->Filters) {
        CoreLoadFilter(&CoreLower);
    }
    State->Core.Driver = CoreLoadDriver();
    if (State->Filters) {
        CoreLoadFilter(&CoreUpper);
        CoreLoadProbe();
    }
    State->Core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(State->Core.Process);
    State->Core.Control = CoreOpenSession(CORE_READ_WRITE);
    State->Stream = CoreOpenFile(CORE_FILE);
    if (Scenario->Prepare != NULL) {
        Scenario->Prepare(State);
    }
    HostLeaveProcess();
}

VOID ExploreStop(PEXPLORE_STATE State)
{
    CoreEndProcess(State->Core.Process);
    if (State->Filters) {
        CoreUnloadFilter(&CoreUpper);
        CoreUnloadProbe();
    }
    if (!State->Unloaded) {
        CHECK_STATUS(HostUnloadDriver(State->Core.Driver), STATUS_SUCCESS);
    }
    if (State->Filters) {
        CoreUnloadFilter(&CoreLower);
    }
    CoreShutdown();
}
