/*
 * When contexts go: last close, session end, process death, dismount, unload.
 */
#include "core_reader.h"
#include "core_tests.h"

VOID CoreLastCloseTearsDown(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    PSCTX_STATISTICS_REPLY statistics;
    HANDLE first;
    HANDLE second;
    CORE core;

    CoreStart(&core);
    first = CoreOpenFile(CORE_FILE);
    second = CoreOpenFile(CORE_FILE);
    insertion.Stream = first;
    for (insertion.Instance = 0; insertion.Instance < 5; insertion.Instance += 1) {
        insertion.Lifetime = insertion.Instance % 2 == 0 ? PSCTX_LIFETIME_SESSION : PSCTX_LIFETIME_STREAM;
        insertion.Pool = insertion.Instance < 3 ? PSCTX_POOL_PAGED : PSCTX_POOL_NONPAGED;
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    CHECK_STATUS(CoreRemove(core.Control, second, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    CoreClose(first);
    CHECK_EQUAL(CoreCount(core.Control, second), 4);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionTornDown, 0);
    CoreClose(second);

    statistics = CoreStatistics(core.Control);
    CHECK_EQUAL(statistics.SessionTornDown, 4);
    CHECK_EQUAL(statistics.SessionRemoved, 1);
    CHECK_EQUAL(statistics.SessionInserted, 5);
    CHECK_EQUAL(statistics.SessionContexts, 0);
    CHECK_EQUAL(statistics.SessionPagedBytes + statistics.SessionNonPagedBytes, 0);
    CHECK_EQUAL(statistics.TotalPagedBytes + statistics.TotalNonPagedBytes, 0);

    first = CoreOpenFile(CORE_FILE);
    CHECK_EQUAL(CoreCount(core.Control, first), 0);
    CoreStop(&core);
}

VOID CoreSessionEndRemovesItsContextsOnly(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    HANDLE second;
    HANDLE streams[3];
    ULONG index;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    streams[0] = CoreOpenFile(CORE_FILE);
    streams[1] = CoreOpenFile(CORE_OTHER_FILE);
    streams[2] = CoreOpenFile(L"\\??\\M:\\files\\one.txt:notes");
    for (index = 0; index < RTL_NUMBER_OF(streams); index += 1) {
        insertion.Stream = streams[index];
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
        CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    }
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 6);
    CoreClose(second);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 3);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    for (index = 0; index < RTL_NUMBER_OF(streams); index += 1) {
        CHECK_STATUS(CoreLookup(core.Control, streams[index], PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    }
    CoreStop(&core);
}

VOID CoreStreamLifetimeOutlivesTheSession(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Lifetime = PSCTX_LIFETIME_STREAM, .Data = "stays", .DataLength = 5};
    PSCTX_STATISTICS_REPLY statistics;
    CORE_CONTEXT context;
    HANDLE second;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    insertion.Instance = 1;
    insertion.Lifetime = PSCTX_LIFETIME_SESSION;
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(second);

    statistics = CoreStatistics(core.Control);
    CHECK_EQUAL(statistics.TotalContexts, 1);
    CHECK_EQUAL(statistics.TotalSessions, 1);
    CHECK(statistics.TotalPagedBytes != 0);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, &context), STATUS_SUCCESS);
    CHECK_EQUAL(context.Reply.Holder, PSCTX_HOLDER_OTHER_SESSION);

    CoreClose(stream);
    statistics = CoreStatistics(core.Control);
    CHECK_EQUAL(statistics.TotalContexts, 0);
    CHECK_EQUAL(statistics.TotalPagedBytes, 0);
    CHECK_EQUAL(statistics.SessionTornDown, 0);
    CoreStop(&core);
}

VOID CoreProcessDeathEndsItsSessions(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    PEPROCESS process;
    HANDLE control;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    HostLeaveProcess();

    process = CoreCreateProcess(TRUE);
    HostEnterProcess(process);
    control = CoreOpenSession(CORE_READ_WRITE);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(control, &insertion, NULL), STATUS_SUCCESS);
    insertion.Instance = 1;
    insertion.Lifetime = PSCTX_LIFETIME_STREAM;
    CHECK_STATUS(CoreInsert(control, &insertion, NULL), STATUS_SUCCESS);
    insertion.Stream = CoreOpenFile(CORE_OTHER_FILE); /* goes with its last handle */
    CHECK_STATUS(CoreInsert(control, &insertion, NULL), STATUS_SUCCESS);
    HostLeaveProcess();
    HostExitProcess(process);

    HostEnterProcess(process);
    CHECK_STATUS(CoreInsert(control, &insertion, NULL), STATUS_PROCESS_IS_TERMINATING);
    HostLeaveProcess();
    HostDereferenceProcess(process);

    HostEnterProcess(core.Process);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 1);
    CoreClose(stream);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreStop(&core);
}

VOID CoreDismountTearsDownWithTheLastHandle(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    HostLeaveProcess();
    CHECK_STATUS(HostDismountVolume(L'M'), STATUS_SUCCESS);
    HostEnterProcess(core.Process);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 1);
    CoreClose(insertion.Stream);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionTornDown, 1);
    CoreStop(&core);
}

/*
 * Leaves the driver with a context of an ended session on a stream that stays open, and unloads it.
 */
static VOID CoreUnloadWithLiveContext(_Inout_ PCORE Core, _In_ HANDLE Stream)
{
    const CORE_INSERTION insertion = {.Stream = Stream, .Owner = 1, .Lifetime = PSCTX_LIFETIME_STREAM};

    CHECK_STATUS(CoreInsert(Core->Control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(Core->Control);
    CHECK(HostAuditPool(CORE_POOL_TAG) != 0);
    HostLeaveProcess();
    CHECK_STATUS(HostUnloadDriver(Core->Driver), STATUS_SUCCESS);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
    HostEnterProcess(Core->Process);
}

VOID CoreUnloadFreesLiveContexts(VOID)
{
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CoreUnloadWithLiveContext(&core, stream);
    CoreClose(stream);
    HostLeaveProcess();
    CoreEndProcess(core.Process);
    CoreShutdown();
}

/* The number of a rule that is added. */
static ULONG64 CoreTrackNumber(_In_ HANDLE Control)
{
    const CORE_REQUEST request = CoreMakeRequest(PSCTX_OPERATION_TRACK, NULL);
    PSCTX_RULE_RECORD reply;

    CHECK_STATUS(CoreControl(Control, request.Code, request.Bytes, request.Length, &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
    return reply.Rule;
}

VOID CoreDriverLoadsAgain(VOID)
{
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_EQUAL(CoreTrackNumber(core.Control), 1);
    CoreUnloadWithLiveContext(&core, stream);
    HostLeaveProcess();
    core.Driver = CoreLoadDriver();
    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreSessionNumber(core.Control), 1);
    CHECK_EQUAL(CoreTrackNumber(core.Control), 1);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CHECK_STATUS(CoreInsert(core.Control, &(const CORE_INSERTION){.Stream = stream}, NULL), STATUS_SUCCESS);
    CoreStop(&core);
}
