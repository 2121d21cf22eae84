/*
 * Races of waits and subscriptions with what they wait for and with what ends them: each is run under many schedules.
 */
#include "core_races.h"
#include "core_reader.h"

#include <string.h>

#define CORE_REQUESTS_OF_A_DELAY 4u

#define CORE_SEEDS 200u
#define CORE_TYPES ((1u << PSCTX_EVENT_INSERTED) | (1u << PSCTX_EVENT_REMOVED) | (1u << PSCTX_EVENT_TORN_DOWN))

/* What the threads of a race work on, and what came out. Everything but Core and Outcomes is new for every seed. */
typedef struct _CORE_EVENT_RACE {
    CORE Core;
    ULONG Outcomes; /* bits of the orders that were seen */
    ULONG Seed;
    PEPROCESS Process; /* whose handles the following are: Core's, or one that dies */
    HANDLE Watched;
    ULONG64 WatchedNumber;
    HANDLE Reader;
    HANDLE Stream;
    CORE_WAIT Waits[2];
    NTSTATUS Status[3]; /* of each thread's first request */
} CORE_EVENT_RACE, *PCORE_EVENT_RACE;

typedef VOID CORE_EVENT_RACE_STEP(_Inout_ PCORE_EVENT_RACE Race);

typedef struct _CORE_EVENT_RACE_TEST {
    BOOLEAN Subscribes; /* the reader is one from the start */
    BOOLEAN Dies;       /* the handles are another process's */
    ULONG ThreadCount;
    PHOST_ROUTINE Threads[3];
    CORE_EVENT_RACE_STEP *Check; /* in the process, which may be dead */
    ULONG Outcomes;              /* bits that Check must have set in the end */
} CORE_EVENT_RACE_TEST;

static VOID CoreRunEventRace(_In_ const CORE_EVENT_RACE_TEST *Test)
{
    CORE_EVENT_RACE race;

    race.Outcomes = 0;
    CoreStart(&race.Core);
    HostLeaveProcess();
    for (race.Seed = 1; race.Seed <= CORE_SEEDS; race.Seed += 1) {
        PVOID contexts[3] = {&race, &race, &race};
        ULONG index;

        memset(race.Status, 0, sizeof(race.Status));
        race.Process = Test->Dies ? CoreCreateProcess(TRUE) : race.Core.Process;
        HostEnterProcess(race.Process);
        race.Watched = CoreOpenSession(CORE_READ_WRITE);
        race.WatchedNumber = CoreSessionNumber(race.Watched);
        race.Stream = CoreOpenFile(CORE_FILE);
        race.Reader = Test->Subscribes ? CoreOpenReader(race.Watched, CORE_TYPES) : CoreOpenSession(CORE_READ);
        for (index = 0; index < RTL_NUMBER_OF(race.Waits); index += 1) {
            CoreInitializeWait(&race.Waits[index], CORE_WAIT_LENGTH);
            CHECK_STATUS(NtCreateEvent(&race.Waits[index].Event, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE),
                         STATUS_SUCCESS);
        }
        HostLeaveProcess();
        HostRunSchedule(race.Seed, Test->ThreadCount, Test->Threads, contexts);
        HostEnterProcess(race.Process);
        Test->Check(&race);
        (VOID) NtClose(race.Reader); /* the race may have closed any */
        (VOID) NtClose(race.Watched);
        (VOID) NtClose(race.Stream);
        (VOID) NtClose(race.Waits[0].Event);
        (VOID) NtClose(race.Waits[1].Event);
        HostLeaveProcess();
        for (index = 0; index < RTL_NUMBER_OF(race.Waits); index += 1) {
            CoreFreeWait(&race.Waits[index]);
        }
        if (Test->Dies) {
            HostDereferenceProcess(race.Process);
        }
        HostEnterProcess(race.Core.Process);
        CHECK_EQUAL(CoreStatistics(race.Core.Control).TotalContexts, 0);
        CHECK_EQUAL(CoreStatistics(race.Core.Control).TotalSessions, 1);
        HostLeaveProcess();
    }
    CHECK_EQUAL(race.Outcomes, Test->Outcomes);
    HostEnterProcess(race.Core.Process);
    CoreStop(&race.Core);
}

/*
 * Lets a step start later, by so many times a few requests.
 */
static VOID CoreDelay(_In_ const CORE_EVENT_RACE *Race, _In_ ULONG Count)
{
    HostEnterProcess(Race->Core.Process);
    for (Count *= CORE_REQUESTS_OF_A_DELAY; Count != 0; Count -= 1) {
        (VOID) CoreStatistics(Race->Core.Control);
    }
    HostLeaveProcess();
}

/* The threads. */

/*
 * Sees a wait's end, since the I/O manager cancels what a thread leaves behind. A process that dies takes the event with it.
 */
static VOID CoreAwait(_In_ const CORE_WAIT *Wait)
{
    if (CoreWaitStatus(Wait) == STATUS_PENDING) {
        (VOID) NtWaitForSingleObject(Wait->Event, FALSE, NULL);
    }
}

static VOID CoreThreadWait(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;

    CoreDelay(race, race->Seed / 4 % 8);
    HostEnterProcess(race->Process);
    race->Status[0] = CoreStartWait(race->Reader, &race->Waits[0]);
    CoreAwait(&race->Waits[0]);
    HostLeaveProcess();
}

/*
 * Two waits at once, of which the second may be cancelled when the first has ended.
 */
static VOID CoreThreadWaitTwice(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;
    IO_STATUS_BLOCK ioStatus;

    CoreDelay(race, race->Seed / 4 % 8);
    HostEnterProcess(race->Process);
    race->Status[0] = CoreStartWait(race->Reader, &race->Waits[0]);
    (VOID) CoreStartWait(race->Reader, &race->Waits[1]);
    CoreAwait(&race->Waits[0]);
    (VOID) NtCancelIoFile(race->Reader, &ioStatus);
    CoreAwait(&race->Waits[1]);
    HostLeaveProcess();
}

static NTSTATUS CoreInsertInstance(_In_ const CORE_EVENT_RACE *Race, _In_ ULONG64 Instance)
{
    const CORE_INSERTION insertion = {.Stream = Race->Stream, .Owner = 1, .Instance = Instance};

    return CoreInsert(Race->Watched, &insertion, NULL);
}

static VOID CoreThreadInsert(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;

    CoreDelay(race, race->Seed % 4);
    HostEnterProcess(race->Process);
    race->Status[1] = CoreInsertInstance(race, 1);
    HostLeaveProcess();
}

static VOID CoreThreadInsertToo(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;

    HostEnterProcess(race->Process);
    race->Status[2] = CoreInsertInstance(race, 2);
    HostLeaveProcess();
}

static VOID CoreThreadInsertAndCloseStream(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;

    HostEnterProcess(race->Process);
    race->Status[1] = CoreInsertInstance(race, 1);
    CoreClose(race->Stream);
    HostLeaveProcess();
}

static VOID CoreThreadWaitAndCancel(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;
    IO_STATUS_BLOCK ioStatus;

    CoreDelay(race, race->Seed / 4 % 8);
    HostEnterProcess(race->Process);
    race->Status[0] = CoreStartWait(race->Reader, &race->Waits[0]);
    (VOID) NtCancelIoFile(race->Reader, &ioStatus);
    CoreAwait(&race->Waits[0]);
    HostLeaveProcess();
}

static VOID CoreThreadCloseReader(PVOID Context)
{
    const CORE_EVENT_RACE *race = Context;

    CoreDelay(race, race->Seed % 4);
    HostEnterProcess(race->Process);
    CoreClose(race->Reader);
    HostLeaveProcess();
}

static VOID CoreThreadCloseWatched(PVOID Context)
{
    const CORE_EVENT_RACE *race = Context;

    CoreDelay(race, race->Seed % 4);
    HostEnterProcess(race->Process);
    CoreClose(race->Watched);
    HostLeaveProcess();
}

static VOID CoreThreadDie(PVOID Context)
{
    const CORE_EVENT_RACE *race = Context;

    CoreDelay(race, race->Seed % 8);
    HostExitProcess(race->Process);
}

static VOID CoreThreadSubscribe(PVOID Context)
{
    PCORE_EVENT_RACE race = Context;

    CoreDelay(race, race->Seed / 4 % 8);
    HostEnterProcess(race->Process);
    race->Status[0] = CoreSubscribe(race->Reader, race->WatchedNumber, CORE_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY);
    HostLeaveProcess();
}

/* The checks. */

/*
 * Takes the one event of this number that a wait has been told.
 */
static const PSCTX_EVENT *CoreOneEvent(_In_ const CORE_WAIT *Wait, _In_ ULONG64 Number)
{
    const PSCTX_EVENT *event = CoreNextEvent(Wait, NULL);

    CHECK_EQUAL(CoreEventCount(Wait), 1);
    CHECK_EQUAL(event->Number, Number);
    return event;
}

static VOID CoreCheckToldOnce(PCORE_EVENT_RACE Race)
{
    CHECK_STATUS(Race->Status[1], STATUS_SUCCESS);
    CHECK_EQUAL(CoreOneEvent(&Race->Waits[0], 1)->Type, PSCTX_EVENT_INSERTED);
    Race->Outcomes |= Race->Status[0] == STATUS_PENDING ? 1u : 2u;
}

static VOID CoreCheckToldOrCancelled(PCORE_EVENT_RACE Race)
{
    CHECK_STATUS(Race->Status[1], STATUS_SUCCESS);
    if (CoreWaitStatus(&Race->Waits[0]) == STATUS_CANCELLED) {
        CHECK_STATUS(CoreStartWait(Race->Reader, &Race->Waits[1]), STATUS_SUCCESS);
        (VOID) CoreOneEvent(&Race->Waits[1], 1);
        Race->Outcomes |= 1;
    } else {
        (VOID) CoreOneEvent(&Race->Waits[0], 1);
        Race->Outcomes |= Race->Status[0] == STATUS_PENDING ? 2u : 4u;
    }
}

static VOID CoreCheckReaderClosed(PCORE_EVENT_RACE Race)
{
    const NTSTATUS status = CoreWaitStatus(&Race->Waits[0]);

    CHECK(status == STATUS_CANCELLED || status == STATUS_INVALID_HANDLE);
    Race->Outcomes |= status == STATUS_INVALID_HANDLE ? 1u : 2u;
}

static VOID CoreCheckWatchedEnded(PCORE_EVENT_RACE Race)
{
    const NTSTATUS status = CoreWaitStatus(&Race->Waits[0]);
    const PSCTX_EVENT *event;
    ULONG64 count = 0;

    CHECK(Race->Status[1] == STATUS_SUCCESS || Race->Status[1] == STATUS_INVALID_HANDLE ||
          Race->Status[1] == STATUS_FILE_CLOSED);
    if (NT_SUCCESS(status)) {
        for (event = CoreNextEvent(&Race->Waits[0], NULL); event != NULL;
             event = CoreNextEvent(&Race->Waits[0], event)) {
            count += 1;
            CHECK_EQUAL(event->Number, count);
        }
        if (CoreStartWait(Race->Reader, &Race->Waits[1]) == STATUS_SUCCESS) {
            CHECK_EQUAL(count, 1);
            count = CoreOneEvent(&Race->Waits[1], 2)->Number;
            CHECK_STATUS(CoreStartWait(Race->Reader, &Race->Waits[1]), STATUS_FILE_CLOSED);
        }
        CHECK_STATUS(CoreWaitStatus(&Race->Waits[1]), STATUS_FILE_CLOSED);
    } else {
        CHECK_STATUS(status, STATUS_FILE_CLOSED);
    }
    CHECK_EQUAL(count, NT_SUCCESS(Race->Status[1]) ? 2 : 0);
    Race->Outcomes |= NT_SUCCESS(Race->Status[1]) ? 1u : 2u;
}

/*
 * Has the two events been told, by the first wait, or by the second, or not before now? Asks for them in the last case.
 */
static VOID CoreTakeTwo(_Inout_ PCORE_EVENT_RACE Race, _Out_writes_(2) const PSCTX_EVENT **Events)
{
    Events[0] = CoreNextEvent(&Race->Waits[0], NULL);
    Events[1] = CoreNextEvent(&Race->Waits[0], Events[0]);
    if (Events[1] != NULL) {
        CHECK_EQUAL(CoreEventCount(&Race->Waits[0]), 2);
        CHECK_STATUS(CoreWaitStatus(&Race->Waits[1]), STATUS_CANCELLED);
        Race->Outcomes |= 1;
    } else {
        if (CoreWaitStatus(&Race->Waits[1]) == STATUS_CANCELLED) {
            CHECK_STATUS(CoreStartWait(Race->Reader, &Race->Waits[1]), STATUS_SUCCESS);
            Race->Outcomes |= 2;
        } else {
            Race->Outcomes |= 4;
        }
        Events[1] = CoreOneEvent(&Race->Waits[1], 2);
    }
    CHECK_EQUAL(Events[0]->Number, 1);
    CHECK_EQUAL(Events[1]->Number, 2);
}

static VOID CoreCheckBothTold(PCORE_EVENT_RACE Race)
{
    const PSCTX_EVENT *events[2];

    CHECK_STATUS(Race->Status[1], STATUS_SUCCESS);
    CHECK_STATUS(Race->Status[2], STATUS_SUCCESS);
    CoreTakeTwo(Race, events);
    CHECK(events[0]->Sequence < events[1]->Sequence);
}

static VOID CoreCheckTeardownTold(PCORE_EVENT_RACE Race)
{
    const PSCTX_EVENT *events[2];

    CHECK_STATUS(Race->Status[1], STATUS_SUCCESS);
    CoreTakeTwo(Race, events);
    CHECK_EQUAL(events[0]->Type, PSCTX_EVENT_INSERTED);
    CHECK_EQUAL(events[1]->Type, PSCTX_EVENT_TORN_DOWN);
    CHECK_EQUAL(events[0]->Sequence, events[1]->Sequence);
}

static VOID CoreCheckToldOrClosed(PCORE_EVENT_RACE Race)
{
    const NTSTATUS status = CoreWaitStatus(&Race->Waits[0]);

    CHECK_STATUS(Race->Status[1], STATUS_SUCCESS);
    if (status == STATUS_SUCCESS) {
        CHECK(CoreEventCount(&Race->Waits[0]) <= 2);
        Race->Outcomes |= 1;
    } else {
        CHECK(status == STATUS_CANCELLED || status == STATUS_INVALID_HANDLE);
        Race->Outcomes |= 2;
    }
}

static VOID CoreCheckDead(PCORE_EVENT_RACE Race)
{
    const NTSTATUS status = CoreWaitStatus(&Race->Waits[0]);

    CHECK(status == STATUS_CANCELLED || status == STATUS_SUCCESS || status == STATUS_FILE_CLOSED ||
          status == STATUS_INVALID_HANDLE || status == STATUS_PROCESS_IS_TERMINATING);
    Race->Outcomes |= status == STATUS_CANCELLED || status == STATUS_FILE_CLOSED ? 1u : 0u;
    Race->Outcomes |= status == STATUS_SUCCESS ? 2u : 0u;
}

static VOID CoreCheckSubscribedOrNotFound(PCORE_EVENT_RACE Race)
{
    CHECK(Race->Status[0] == STATUS_SUCCESS || Race->Status[0] == STATUS_NOT_FOUND);
    CHECK_STATUS(CoreStartWait(Race->Reader, &Race->Waits[0]),
                 NT_SUCCESS(Race->Status[0]) ? STATUS_FILE_CLOSED : STATUS_INVALID_DEVICE_STATE);
    Race->Outcomes |= NT_SUCCESS(Race->Status[0]) ? 1u : 2u;
}

static VOID CoreCheckReaderLeftNothing(PCORE_EVENT_RACE Race)
{
    HANDLE readers[PSCTX_MAXIMUM_READERS];
    ULONG index;

    CHECK(Race->Status[0] == STATUS_SUCCESS || Race->Status[0] == STATUS_INVALID_HANDLE ||
          Race->Status[0] == STATUS_FILE_CLOSED);
    Race->Outcomes |= NT_SUCCESS(Race->Status[0]) ? 1u : 2u;

    /* Its place is free again. */
    for (index = 0; index < RTL_NUMBER_OF(readers); index += 1) {
        readers[index] = CoreOpenReader(Race->Watched, CORE_TYPES);
    }
    for (index = 0; index < RTL_NUMBER_OF(readers); index += 1) {
        CoreClose(readers[index]);
    }
}

/* The tests. */

VOID CoreWaitAndInsertion(VOID)
{
    const CORE_EVENT_RACE_TEST test = {TRUE, FALSE, 2, {CoreThreadWait, CoreThreadInsert}, CoreCheckToldOnce, 3};

    CoreRunEventRace(&test);
}

VOID CoreWaitAndCancellation(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        TRUE, FALSE, 2, {CoreThreadWaitAndCancel, CoreThreadInsert}, CoreCheckToldOrCancelled, 7};

    CoreRunEventRace(&test);
}

VOID CoreWaitAndReaderClose(VOID)
{
    const CORE_EVENT_RACE_TEST test = {TRUE, FALSE, 2, {CoreThreadWait, CoreThreadCloseReader}, CoreCheckReaderClosed,
                                       3};

    CoreRunEventRace(&test);
}

VOID CoreWaitAndWatchedEnd(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        TRUE, FALSE, 3, {CoreThreadWait, CoreThreadInsert, CoreThreadCloseWatched}, CoreCheckWatchedEnded, 3};

    CoreRunEventRace(&test);
}

VOID CoreWaitsAndInsertions(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        TRUE, FALSE, 3, {CoreThreadWaitTwice, CoreThreadInsert, CoreThreadInsertToo}, CoreCheckBothTold, 7};

    CoreRunEventRace(&test);
}

VOID CoreWaitAndTeardown(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        TRUE, FALSE, 2, {CoreThreadWaitTwice, CoreThreadInsertAndCloseStream}, CoreCheckTeardownTold, 7};

    CoreRunEventRace(&test);
}

VOID CoreTeardownAndReaderClose(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        TRUE, FALSE, 3, {CoreThreadWait, CoreThreadInsertAndCloseStream, CoreThreadCloseReader}, CoreCheckToldOrClosed,
        3};

    CoreRunEventRace(&test);
}

VOID CoreWaitAndProcessDeath(VOID)
{
    const CORE_EVENT_RACE_TEST test = {TRUE,          TRUE, 3, {CoreThreadWait, CoreThreadInsert, CoreThreadDie},
                                       CoreCheckDead, 3};

    CoreRunEventRace(&test);
}

VOID CoreSubscriptionAndWatchedEnd(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        FALSE, FALSE, 2, {CoreThreadSubscribe, CoreThreadCloseWatched}, CoreCheckSubscribedOrNotFound, 3};

    CoreRunEventRace(&test);
}

VOID CoreSubscriptionAndReaderClose(VOID)
{
    const CORE_EVENT_RACE_TEST test = {
        FALSE, FALSE, 2, {CoreThreadSubscribe, CoreThreadCloseReader}, CoreCheckReaderLeftNothing, 3};

    CoreRunEventRace(&test);
}
