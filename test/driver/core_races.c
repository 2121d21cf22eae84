/*
 * Races between operations, ends of sessions and teardowns: each is run under many schedules, and each schedule ends in a
 * state that some order of the operations one after another could have led to.
 */
#include "core_races.h"

#include <string.h>

#define CORE_SEEDS 300u

/* What the threads of a race work on, and what came out. */
typedef struct _CORE_RACE {
    CORE Core;
    HANDLE Stream;
    HANDLE Second;    /* another session */
    PEPROCESS Victim; /* a process that dies, and its handles */
    HANDLE VictimControl;
    HANDLE VictimStream;
    ULONG Seed;
    NTSTATUS Status[3];
    PSCTX_STATISTICS_REPLY Before; /* of the first session, at the start */
    BOOLEAN Lost;                  /* a thread saw what no order of the operations explains */
    ULONG Outcomes;                /* bits of the orders that were seen, of whatever seed */
} CORE_RACE, *PCORE_RACE;

typedef VOID CORE_RACE_STEP(_Inout_ PCORE_RACE Race);

/* A race: what is made ready, what the threads do, and what must then hold. */
typedef struct _CORE_RACE_TEST {
    CORE_RACE_STEP *Prepare;
    ULONG ThreadCount;
    PHOST_ROUTINE Threads[3];
    CORE_RACE_STEP *Check;
    ULONG Outcomes; /* bits that Check must have set in the end: no order went untried */
} CORE_RACE_TEST;

/*
 * Runs a race under every seed in one kernel. Each schedule starts with an open stream and two sessions, and ends without.
 */
static VOID CoreRunRace(_In_ const CORE_RACE_TEST *Test)
{
    CORE_RACE race;

    race.Outcomes = 0;
    CoreStart(&race.Core);
    for (race.Seed = 1; race.Seed <= CORE_SEEDS; race.Seed += 1) {
        PVOID contexts[3] = {&race, &race, &race};

        memset(race.Status, 0, sizeof(race.Status));
        race.Lost = FALSE;
        race.Stream = CoreOpenFile(CORE_FILE);
        race.Second = CoreOpenSession(CORE_READ_WRITE);
        if (Test->Prepare != NULL) {
            Test->Prepare(&race);
        }
        race.Before = CoreStatistics(race.Core.Control);
        HostLeaveProcess();
        HostRunSchedule(race.Seed, Test->ThreadCount, Test->Threads, contexts);
        HostEnterProcess(race.Core.Process);
        Test->Check(&race);
        (VOID) NtClose(race.Second); /* the race may have closed either */
        (VOID) NtClose(race.Stream);
        CHECK_EQUAL(CoreStatistics(race.Core.Control).TotalContexts, 0);
        CHECK_EQUAL(CoreStatistics(race.Core.Control).TotalSessions, 1);
    }
    CHECK_EQUAL(race.Outcomes, Test->Outcomes);
    CoreStop(&race.Core);
}

/*
 * Lets a step start later, by so many requests: a short one would else be over before a long one has begun.
 */
static VOID CoreDelay(_In_ const CORE_RACE *Race, _In_ ULONG Count)
{
    for (; Count != 0; Count -= 1) {
        (VOID) CoreStatistics(Race->Core.Control);
    }
}

static NTSTATUS CoreInsertOne(_In_ const CORE_RACE *Race, _In_ HANDLE Control, _In_ ULONG IfExists, _In_ ULONG Lifetime)
{
    const CORE_INSERTION insertion = {.Stream = Race->Stream,
                                      .Owner = 1,
                                      .Instance = 1,
                                      .IfExists = IfExists,
                                      .Lifetime = Lifetime,
                                      .Data = "race",
                                      .DataLength = 4};

    return CoreInsert(Control, &insertion, NULL);
}

/* The threads. Each acts for the client's process. */

static VOID CoreThreadInsert(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    race->Status[0] = CoreInsertOne(race, race->Core.Control, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
    HostLeaveProcess();
}

static VOID CoreThreadInsertToo(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    race->Status[1] = CoreInsertOne(race, race->Core.Control, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
    HostLeaveProcess();
}

static VOID CoreThreadInsertSecond(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    race->Status[0] = CoreInsertOne(race, race->Second, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
    HostLeaveProcess();
}

static VOID CoreThreadInsertSecondToStay(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    race->Status[0] = CoreInsertOne(race, race->Second, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_STREAM);
    HostLeaveProcess();
}

static VOID CoreThreadInsertAsVictim(PVOID Context)
{
    PCORE_RACE race = Context;
    const CORE_INSERTION insertion = {.Stream = race->VictimStream, .Owner = 1};

    HostEnterProcess(race->Victim);
    race->Status[0] = CoreInsert(race->VictimControl, &insertion, NULL);
    HostLeaveProcess();
}

static VOID CoreThreadKillVictim(PVOID Context)
{
    const CORE_RACE *race = Context;

    HostEnterProcess(race->Core.Process);
    CoreDelay(race, race->Seed % 11);
    HostLeaveProcess();
    HostExitProcess(race->Victim);
}

static VOID CoreThreadReplace(PVOID Context)
{
    PCORE_RACE race = Context;
    ULONG count;

    HostEnterProcess(race->Core.Process);
    for (count = 0; count < 3 && NT_SUCCESS(race->Status[0]); count += 1) {
        race->Status[0] = CoreInsertOne(race, race->Core.Control, PSCTX_IF_EXISTS_REPLACE, PSCTX_LIFETIME_SESSION);
    }
    HostLeaveProcess();
}

static VOID CoreThreadLookup(PVOID Context)
{
    PCORE_RACE race = Context;
    CORE_CONTEXT context;
    ULONG count;

    HostEnterProcess(race->Core.Process);
    for (count = 0; count < 3 && NT_SUCCESS(race->Status[1]); count += 1) {
        race->Status[1] = CoreLookup(race->Core.Control, race->Stream, PSCTX_MATCH_INSTANCE, 1, 1, &context);
        if (race->Status[1] != STATUS_SUCCESS || memcmp(context.Data, "race", 4) != 0) {
            race->Lost = TRUE;
        }
    }
    HostLeaveProcess();
}

static VOID CoreThreadRemove(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    race->Status[0] = CoreRemove(race->Core.Control, race->Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL);
    HostLeaveProcess();
}

static VOID CoreThreadRemoveToo(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    race->Status[1] = CoreRemove(race->Core.Control, race->Stream, PSCTX_MATCH_OWNER, 1, 0, NULL);
    HostLeaveProcess();
}

static VOID CoreThreadEndSecond(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    CoreDelay(race, race->Seed % 11);
    CoreClose(race->Second);
    HostLeaveProcess();
}

static VOID CoreThreadCloseStream(PVOID Context)
{
    PCORE_RACE race = Context;

    HostEnterProcess(race->Core.Process);
    CoreDelay(race, race->Seed / 11 % 28);
    CoreClose(race->Stream);
    HostLeaveProcess();
}

static VOID CoreThreadReopenStream(PVOID Context)
{
    PCORE_RACE race = Context;
    HANDLE handle;

    HostEnterProcess(race->Core.Process);
    race->Status[2] = CoreOpen(CORE_FILE, NULL, CORE_READ, FILE_OPEN, 0, &handle);
    if (NT_SUCCESS(race->Status[2])) {
        race->Lost = CoreCount(race->Core.Control, handle) > 1;
        CoreClose(handle);
    }
    HostLeaveProcess();
}

/*
 * A second session's life on the stream: it inserts, sees its own alone, and removes.
 */
static VOID CoreThreadUseSecond(PVOID Context)
{
    PCORE_RACE race = Context;
    CORE_CONTEXT context;

    HostEnterProcess(race->Core.Process);
    race->Status[1] = CoreInsertOne(race, race->Second, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
    race->Lost |= CoreLookup(race->Second, race->Stream, PSCTX_MATCH_OWNER, 1, 0, &context) != STATUS_SUCCESS;
    race->Lost |= CoreCount(race->Second, race->Stream) != 1;
    race->Lost |= CoreRemove(race->Second, race->Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL) != STATUS_SUCCESS;
    race->Lost |= CoreCount(race->Second, race->Stream) != 0;
    HostLeaveProcess();
}

static VOID CoreThreadUseFirst(PVOID Context)
{
    PCORE_RACE race = Context;
    CORE_CONTEXT context;

    HostEnterProcess(race->Core.Process);
    race->Status[0] = CoreInsertOne(race, race->Core.Control, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION);
    race->Lost |= CoreLookup(race->Core.Control, race->Stream, PSCTX_MATCH_OWNER, 1, 0, &context) != STATUS_SUCCESS;
    race->Lost |= CoreCount(race->Core.Control, race->Stream) != 1;
    race->Lost |= CoreRemoveAll(race->Core.Control, race->Stream, PSCTX_MATCH_FIRST, 0, 0, NULL) != STATUS_SUCCESS;
    race->Lost |= CoreCount(race->Core.Control, race->Stream) != 0;
    HostLeaveProcess();
}

/* Preparations and checks. */

static VOID CorePrepareOne(PCORE_RACE Race)
{
    CHECK_STATUS(CoreInsertOne(Race, Race->Core.Control, PSCTX_IF_EXISTS_FAIL, PSCTX_LIFETIME_SESSION), STATUS_SUCCESS);
}

static VOID CorePrepareSecondsThree(PCORE_RACE Race)
{
    ULONG count;

    for (count = 0; count < 3; count += 1) {
        CHECK_STATUS(CoreInsertOne(Race, Race->Second, PSCTX_IF_EXISTS_ADD,
                                   count == 1 ? PSCTX_LIFETIME_STREAM : PSCTX_LIFETIME_SESSION),
                     STATUS_SUCCESS);
    }
}

static VOID CorePrepareVictim(PCORE_RACE Race)
{
    HostLeaveProcess();
    Race->Victim = CoreCreateProcess(TRUE);
    HostEnterProcess(Race->Victim);
    Race->VictimControl = CoreOpenSession(CORE_READ_WRITE);
    Race->VictimStream = CoreOpenFile(CORE_FILE);
    HostLeaveProcess();
    HostEnterProcess(Race->Core.Process);
}

static VOID CoreCheckOneInserted(PCORE_RACE Race)
{
    CHECK(Race->Status[0] == STATUS_SUCCESS || Race->Status[1] == STATUS_SUCCESS);
    CHECK(Race->Status[0] == STATUS_OBJECT_NAME_COLLISION || Race->Status[1] == STATUS_OBJECT_NAME_COLLISION);
    Race->Outcomes |= Race->Status[0] == STATUS_SUCCESS ? 1u : 2u;
    CHECK_EQUAL(CoreCount(Race->Core.Control, Race->Stream), 1);
}

static VOID CoreCheckOneRemoved(PCORE_RACE Race)
{
    CHECK(Race->Status[0] == STATUS_SUCCESS || Race->Status[1] == STATUS_SUCCESS);
    CHECK(Race->Status[0] == STATUS_NOT_FOUND || Race->Status[1] == STATUS_NOT_FOUND);
    Race->Outcomes |= Race->Status[0] == STATUS_SUCCESS ? 1u : 2u;
    CHECK_EQUAL(CoreCount(Race->Core.Control, Race->Stream), 0);
}

/*
 * Notes whether an insertion came before, between or after the steps of its session's end.
 */
static VOID CoreNoteInsertion(_Inout_ PCORE_RACE Race)
{
    switch (Race->Status[0]) {
    case STATUS_SUCCESS:
        Race->Outcomes |= 1;
        break;
    case STATUS_FILE_CLOSED:
        Race->Outcomes |= 2;
        break;
    default:
        CHECK(Race->Status[0] == STATUS_INVALID_HANDLE || Race->Status[0] == STATUS_PROCESS_IS_TERMINATING);
        Race->Outcomes |= 4;
        break;
    }
}

static VOID CoreCheckSessionLeftNothing(PCORE_RACE Race)
{
    CoreNoteInsertion(Race);
    CHECK_EQUAL(CoreStatistics(Race->Core.Control).TotalContexts, 0);
}

static VOID CoreCheckVictimLeftNothing(PCORE_RACE Race)
{
    CoreNoteInsertion(Race);
    CHECK_EQUAL(CoreStatistics(Race->Core.Control).TotalContexts, 0);
    HostDereferenceProcess(Race->Victim);
}

static VOID CoreCheckSessionLeftWhatStays(PCORE_RACE Race)
{
    CoreNoteInsertion(Race);
    CHECK_EQUAL(CoreStatistics(Race->Core.Control).TotalContexts, NT_SUCCESS(Race->Status[0]) ? 1 : 0);
}

static VOID CoreCheckRemovedOrTornDown(PCORE_RACE Race)
{
    const PSCTX_STATISTICS_REPLY statistics = CoreStatistics(Race->Core.Control);

    CHECK(Race->Status[0] == STATUS_SUCCESS || Race->Status[0] == STATUS_INVALID_HANDLE);
    CHECK_EQUAL(statistics.SessionContexts, 0);
    CHECK_EQUAL(statistics.SessionInserted, statistics.SessionRemoved + statistics.SessionTornDown);
    CHECK_EQUAL(statistics.SessionRemoved - Race->Before.SessionRemoved, NT_SUCCESS(Race->Status[0]) ? 1 : 0);
    Race->Outcomes |= NT_SUCCESS(Race->Status[0]) ? 1u : 2u;
}

static VOID CoreCheckInsertedThenTornDown(PCORE_RACE Race)
{
    const PSCTX_STATISTICS_REPLY statistics = CoreStatistics(Race->Core.Control);

    CHECK(Race->Status[0] == STATUS_SUCCESS || Race->Status[0] == STATUS_INVALID_HANDLE);
    CHECK_EQUAL(statistics.SessionContexts, 0);
    CHECK_EQUAL(statistics.SessionInserted, statistics.SessionTornDown);
    Race->Outcomes |= NT_SUCCESS(Race->Status[0]) ? 1u : 2u;
}

static VOID CoreCheckAlwaysFound(PCORE_RACE Race)
{
    CHECK_STATUS(Race->Status[0], STATUS_SUCCESS);
    CHECK(!Race->Lost);
    CHECK_EQUAL(CoreCount(Race->Core.Control, Race->Stream), 1);
}

static VOID CoreCheckAllGone(PCORE_RACE Race)
{
    CHECK_EQUAL(Race->Before.TotalContexts, 3);
    CHECK_EQUAL(CoreStatistics(Race->Core.Control).TotalContexts, 0);
}

static VOID CoreCheckApart(PCORE_RACE Race)
{
    CHECK_STATUS(Race->Status[0], STATUS_SUCCESS);
    CHECK_STATUS(Race->Status[1], STATUS_SUCCESS);
    CHECK(!Race->Lost);
}

static VOID CoreCheckReopened(PCORE_RACE Race)
{
    CHECK_STATUS(Race->Status[2], STATUS_SUCCESS);
    CHECK(!Race->Lost);
    CHECK_EQUAL(CoreStatistics(Race->Core.Control).TotalContexts, 0);
}

/* The tests. */

static VOID CoreInsertAndInsert(VOID)
{
    const CORE_RACE_TEST test = {NULL, 2, {CoreThreadInsert, CoreThreadInsertToo}, CoreCheckOneInserted, 3};

    CoreRunRace(&test);
}

static VOID CoreRemoveAndRemove(VOID)
{
    const CORE_RACE_TEST test = {CorePrepareOne, 2, {CoreThreadRemove, CoreThreadRemoveToo}, CoreCheckOneRemoved, 3};

    CoreRunRace(&test);
}

static VOID CoreInsertAndSessionEnd(VOID)
{
    const CORE_RACE_TEST test = {
        NULL, 2, {CoreThreadInsertSecond, CoreThreadEndSecond}, CoreCheckSessionLeftNothing, 7};

    CoreRunRace(&test);
}

static VOID CoreInsertToStayAndSessionEnd(VOID)
{
    const CORE_RACE_TEST test = {
        NULL, 2, {CoreThreadInsertSecondToStay, CoreThreadEndSecond}, CoreCheckSessionLeftWhatStays, 7};

    CoreRunRace(&test);
}

static VOID CoreInsertAndProcessDeath(VOID)
{
    const CORE_RACE_TEST test = {
        CorePrepareVictim, 2, {CoreThreadInsertAsVictim, CoreThreadKillVictim}, CoreCheckVictimLeftNothing, 5};

    CoreRunRace(&test);
}

static VOID CoreRemoveAndTeardown(VOID)
{
    const CORE_RACE_TEST test = {
        CorePrepareOne, 2, {CoreThreadRemove, CoreThreadCloseStream}, CoreCheckRemovedOrTornDown, 3};

    CoreRunRace(&test);
}

static VOID CoreInsertAndTeardown(VOID)
{
    const CORE_RACE_TEST test = {NULL, 2, {CoreThreadInsert, CoreThreadCloseStream}, CoreCheckInsertedThenTornDown, 3};

    CoreRunRace(&test);
}

static VOID CoreReplaceAndLookup(VOID)
{
    const CORE_RACE_TEST test = {CorePrepareOne, 2, {CoreThreadReplace, CoreThreadLookup}, CoreCheckAlwaysFound, 0};

    CoreRunRace(&test);
}

static VOID CoreSessionEndAndTeardown(VOID)
{
    const CORE_RACE_TEST test = {
        CorePrepareSecondsThree, 2, {CoreThreadEndSecond, CoreThreadCloseStream}, CoreCheckAllGone, 0};

    CoreRunRace(&test);
}

static VOID CoreTwoSessions(VOID)
{
    const CORE_RACE_TEST test = {NULL, 2, {CoreThreadUseFirst, CoreThreadUseSecond}, CoreCheckApart, 0};

    CoreRunRace(&test);
}

static VOID CoreReopenAndTeardown(VOID)
{
    const CORE_RACE_TEST test = {
        CorePrepareOne, 3, {CoreThreadRemove, CoreThreadCloseStream, CoreThreadReopenStream}, CoreCheckReopened, 0};

    CoreRunRace(&test);
}

static const CORE_TEST CoreRaces[] = {
    {"of two insertions of one identity exactly one wins", CoreInsertAndInsert},
    {"of two removals of one context exactly one wins", CoreRemoveAndRemove},
    {"an insertion beside the end of its session leaves nothing", CoreInsertAndSessionEnd},
    {"an insertion for the stream's life beside the end of its session stays if it succeeded",
     CoreInsertToStayAndSessionEnd},
    {"an insertion beside the death of its process leaves nothing", CoreInsertAndProcessDeath},
    {"a removal beside the stream's teardown frees the context once", CoreRemoveAndTeardown},
    {"an insertion beside the last close is torn down if it succeeded", CoreInsertAndTeardown},
    {"a lookup beside replacements always finds a context", CoreReplaceAndLookup},
    {"the end of a session beside the stream's teardown frees each context once", CoreSessionEndAndTeardown},
    {"two sessions on one stream see their own contexts alone", CoreTwoSessions},
    {"a stream opened anew beside a removal and a teardown has no stale context", CoreReopenAndTeardown},
    {"an insertion beside a wait is told once", CoreWaitAndInsertion},
    {"an event beside the cancellation of a wait is not lost", CoreWaitAndCancellation},
    {"a wait beside the close of its handle ends", CoreWaitAndReaderClose},
    {"a wait beside the end of the watched session is told all of it and ends", CoreWaitAndWatchedEnd},
    {"of two insertions beside two waits each is told once, in order", CoreWaitsAndInsertions},
    {"a teardown beside a wait is told", CoreWaitAndTeardown},
    {"a teardown beside the close of a reader is told or ends with it", CoreTeardownAndReaderClose},
    {"a wait beside the death of its process ends", CoreWaitAndProcessDeath},
    {"a subscription beside the end of the watched session fails or is told of it", CoreSubscriptionAndWatchedEnd},
    {"a subscription beside the close of its handle leaves nothing", CoreSubscriptionAndReaderClose},
    {"threads that do as they like leave nothing", CoreThreadsMayDoAsTheyLike},
    {"streams are looked up while another filter comes and goes in a stack that ours is not in",
     CoreLookupsAndAttachments},
    {"nothing that stands above a file system is read to look a stream up", CoreStreamsFollowNoStack},
    {"a suspended thread keeps no event from a reader, nor the reader's close waiting",
     CoreSuspendedThreadsKeepNothingFromReaders},
    {"readers are told of, and enumerations tell, what threads do as they like", CoreReadersAndEnumerationsKeepUp},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreRaces, RTL_NUMBER_OF(CoreRaces), argc > 1 ? argv[1] : NULL);
}
