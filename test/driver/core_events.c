/*
 * Events: who may read whose, what is told of what happens, and in which order.
 */
#include "core_reader.h"
#include "core_tests.h"

#include <string.h>

#define CORE_ALL PSCTX_EVENT_TYPES
#define CORE_CONTEXTS ((1u << PSCTX_EVENT_INSERTED) | (1u << PSCTX_EVENT_REMOVED) | (1u << PSCTX_EVENT_TORN_DOWN))

VOID CoreSubscriptionsOutOfRangeAreRefused(VOID)
{
    static const ULONG types[] = {0, 1u << PSCTX_EVENT_DROPPED, CORE_ALL | 0x200, 0x80000000u, 0xFFFFFFFFu};
    static const ULONG capacities[] = {0, PSCTX_MINIMUM_EVENT_CAPACITY - 1, PSCTX_MAXIMUM_EVENT_CAPACITY + 1,
                                       0xFFFFFFFFu};
    ULONG64 number;
    HANDLE reader;
    ULONG64 pool;
    ULONG index;
    CORE core;

    CoreStart(&core);
    reader = CoreOpenSession(CORE_READ);
    number = CoreSessionNumber(core.Control);
    pool = HostAuditPool(CORE_POOL_TAG);
    for (index = 0; index < RTL_NUMBER_OF(types); index += 1) {
        CHECK_STATUS(CoreSubscribe(reader, number, types[index], PSCTX_MINIMUM_EVENT_CAPACITY),
                     STATUS_INVALID_PARAMETER);
    }
    for (index = 0; index < RTL_NUMBER_OF(capacities); index += 1) {
        CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, capacities[index]), STATUS_INVALID_PARAMETER);
    }
    CHECK_STATUS(CoreSubscribe(reader, CoreSessionNumber(reader), CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY),
                 STATUS_INVALID_PARAMETER);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), pool);
    if (CORE_EVENT_CAPACITY < PSCTX_MAXIMUM_EVENT_CAPACITY) {
        CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, PSCTX_MAXIMUM_EVENT_CAPACITY), STATUS_QUOTA_EXCEEDED);
        CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, CORE_EVENT_CAPACITY + sizeof(ULONG64)),
                     STATUS_QUOTA_EXCEEDED);
        CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), pool);
    }
    CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, CORE_EVENT_CAPACITY), STATUS_SUCCESS);
    CoreClose(reader);
    reader = CoreOpenSession(CORE_READ);
    CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_SUCCESS);
    CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_INVALID_DEVICE_STATE);
    CoreClose(reader);
    CHECK(HostAuditPool(CORE_POOL_TAG) < pool);
    CoreStop(&core);
}

VOID CoreOnlyOwnProcessIsRead(VOID)
{
    PEPROCESS other;
    ULONG64 number;
    ULONG64 ended;
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    number = CoreSessionNumber(core.Control);
    reader = CoreOpenSession(CORE_READ);
    ended = CoreSessionNumber(reader);
    CHECK(ended > number);
    CoreClose(reader);

    reader = CoreOpenSession(CORE_READ);
    CHECK(CoreSessionNumber(reader) > ended);
    CHECK_STATUS(CoreSubscribe(reader, 0, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreSubscribe(reader, ~0ull, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreSubscribe(reader, ended, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_NOT_FOUND);
    HostLeaveProcess();

    other = CoreCreateProcess(TRUE);
    HostEnterProcess(other);
    reader = CoreOpenSession(CORE_READ_WRITE);
    CHECK_STATUS(CoreSubscribe(reader, number, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_NOT_FOUND);
    HostLeaveProcess();
    CoreEndProcess(other);
    HostEnterProcess(core.Process);
    CoreStop(&core);
}

VOID CoreReadersAreLimited(VOID)
{
    HANDLE readers[PSCTX_MAXIMUM_READERS];
    ULONG64 number;
    HANDLE more;
    ULONG index;
    CORE core;

    CoreStart(&core);
    for (index = 0; index < PSCTX_MAXIMUM_READERS; index += 1) {
        readers[index] = CoreOpenReader(core.Control, CORE_ALL);
    }
    number = CoreSessionNumber(core.Control);
    more = CoreOpenSession(CORE_READ);
    CHECK_STATUS(CoreSubscribe(more, number, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_QUOTA_EXCEEDED);
    CoreClose(readers[3]);
    CHECK_STATUS(CoreSubscribe(more, number, CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY), STATUS_SUCCESS);
    CoreStop(&core);
}

VOID CoreWaitsNeedASubscriptionAndRoom(VOID)
{
    CORE_WAIT wait;
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    CHECK_STATUS(CoreStartWait(core.Control, &wait), STATUS_INVALID_DEVICE_STATE);
    reader = CoreOpenReader(core.Control, CORE_ALL);
    wait.OutputLength = CORE_WAIT_LENGTH - 1;
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_BUFFER_TOO_SMALL);
    wait.OutputLength = CORE_WAIT_LENGTH;
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    CoreClose(reader);
    CHECK_STATUS(CoreWaitStatus(&wait), STATUS_CANCELLED);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

/* What is expected of an event. */
typedef struct _CORE_EXPECTED {
    ULONG Type;
    ULONG64 Owner;
    ULONG64 Instance;
    ULONG Sequence; /* of the context: index of its insertion */
} CORE_EXPECTED;

VOID CoreEventsTellWhatHappenedInOrder(VOID)
{
    static const CORE_EXPECTED expected[] = {
        {PSCTX_EVENT_INSERTED, 1, 1, 0},  {PSCTX_EVENT_INSERTED, 1, 1, 1}, {PSCTX_EVENT_REMOVED, 1, 1, 0},
        {PSCTX_EVENT_INSERTED, 2, 1, 2},  {PSCTX_EVENT_INSERTED, 2, 1, 3}, {PSCTX_EVENT_INSERTED, 2, 2, 4},
        {PSCTX_EVENT_REMOVED, 2, 1, 3},   {PSCTX_EVENT_REMOVED, 1, 1, 1},  {PSCTX_EVENT_TORN_DOWN, 2, 2, 4},
        {PSCTX_EVENT_TORN_DOWN, 2, 1, 2},
    };
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1, .Data = "data", .DataLength = 3};
    const PSCTX_EVENT *event = NULL;
    PSCTX_INSERT_REPLY inserted[5];
    LARGE_INTEGER before;
    LARGE_INTEGER after;
    ULONG64 last = 0;
    CORE_WAIT wait;
    HANDLE reader;
    HANDLE other;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, PSCTX_MAXIMUM_TRANSFER);
    reader = CoreOpenReader(core.Control, CORE_CONTEXTS);
    other = CoreOpenSession(CORE_READ_WRITE);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    KeQuerySystemTime(&before);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted[0]), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(CoreInsert(other, &insertion, NULL), STATUS_SUCCESS); /* another session's: not told */
    insertion.IfExists = PSCTX_IF_EXISTS_KEEP;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    insertion.IfExists = PSCTX_IF_EXISTS_REPLACE;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted[1]), STATUS_SUCCESS);
    insertion.IfExists = PSCTX_IF_EXISTS_ADD;
    insertion.Owner = 2;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted[2]), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted[3]), STATUS_SUCCESS);
    insertion.Instance = 2;
    insertion.Lifetime = PSCTX_LIFETIME_STREAM;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted[4]), STATUS_SUCCESS);
    CHECK_STATUS(CoreRemove(core.Control, insertion.Stream, PSCTX_MATCH_INSTANCE, 2, 1, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreRemove(core.Control, insertion.Stream, PSCTX_MATCH_INSTANCE, 2, 7, NULL), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreRemoveAll(core.Control, insertion.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    KeQuerySystemTime(&after);

    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(expected); index += 1) {
        const BOOLEAN gone = expected[index].Type != PSCTX_EVENT_INSERTED;

        event = CoreNextEvent(&wait, event);
        CHECK(event != NULL);
        CHECK_EQUAL(event->Type, expected[index].Type);
        CHECK_EQUAL(event->Number, index + 1);
        CHECK_EQUAL(event->OwnerKey, expected[index].Owner);
        CHECK_EQUAL(event->Instance, expected[index].Instance);
        CHECK_EQUAL(event->Sequence, inserted[expected[index].Sequence].Sequence);
        CHECK(event->Time >= (ULONG64)before.QuadPart && event->Time <= (ULONG64)after.QuadPart && event->Time >= last);
        last = event->Time;
        CHECK(event->Age <= (ULONG64)(after.QuadPart - before.QuadPart));
        CHECK(gone || event->Age == 0);
        CHECK_EQUAL(event->Count, 0);
        CHECK_EQUAL(event->ProcessId,
                    event->Type == PSCTX_EVENT_TORN_DOWN ? 0 : (ULONG_PTR)PsGetProcessId(core.Process));
        CHECK(memcmp(event + 1, L"\\Device\\", 8 * sizeof(WCHAR)) == 0);
        CHECK(CoreEventNameEndsWith(event, L"\\files\\one.txt"));
    }
    CHECK(CoreNextEvent(&wait, event) == NULL);
    CHECK_EQUAL(CoreEventCount(&wait), RTL_NUMBER_OF(expected));
    CoreFreeWait(&wait);
    CoreStop(&core);
}

VOID CoreOnlyTheTypesAskedForAreTold(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    const PSCTX_EVENT *event;
    HANDLE readers[3];
    CORE_WAIT wait;
    ULONG type;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    for (type = PSCTX_EVENT_INSERTED; type <= PSCTX_EVENT_TORN_DOWN; type += 1) {
        readers[type] = CoreOpenReader(core.Control, 1u << type);
    }
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreRemove(core.Control, insertion.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    for (type = PSCTX_EVENT_INSERTED; type <= PSCTX_EVENT_TORN_DOWN; type += 1) {
        CHECK_STATUS(CoreStartWait(readers[type], &wait), STATUS_SUCCESS);
        CHECK_EQUAL(CoreEventCount(&wait), type == PSCTX_EVENT_INSERTED ? 2 : 1);
        event = CoreNextEvent(&wait, NULL);
        CHECK_EQUAL(event->Type, type);
        CHECK_EQUAL(event->Number, 1);
        CoreClose(readers[type]);
    }
    CoreFreeWait(&wait);
    CoreStop(&core);
}

VOID CoreAnEventEndsAWait(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .IfExists = PSCTX_IF_EXISTS_ADD};
    CORE_WAIT waits[3];
    HANDLE readers[2];
    ULONG index;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    readers[0] = CoreOpenReader(core.Control, CORE_CONTEXTS);
    readers[1] = CoreOpenReader(core.Control, CORE_CONTEXTS);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreInitializeWait(&waits[index], CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(readers[index / 2], &waits[index]), STATUS_PENDING);
    }
    CHECK_STATUS(CoreLookup(core.Control, insertion.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreWaitStatus(&waits[0]), STATUS_PENDING);

    /* Each reader is told; one reader's waits are answered in their order. */
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEventCount(&waits[0]), 1);
    CHECK_STATUS(CoreWaitStatus(&waits[1]), STATUS_PENDING);
    CHECK_EQUAL(CoreEventCount(&waits[2]), 1);
    CHECK_EQUAL(CoreNextEvent(&waits[0], NULL)->Number, 1);
    CHECK_EQUAL(CoreNextEvent(&waits[2], NULL)->Number, 1);

    CoreClose(insertion.Stream); /* the teardown's event */
    CHECK_EQUAL(CoreEventCount(&waits[1]), 1);
    CHECK_EQUAL(CoreNextEvent(&waits[1], NULL)->Number, 2);
    CHECK_EQUAL(CoreNextEvent(&waits[1], NULL)->Type, PSCTX_EVENT_TORN_DOWN);
    CHECK_STATUS(CoreStartWait(readers[0], &waits[0]), STATUS_PENDING);
    CHECK_STATUS(CoreStartWait(readers[1], &waits[2]), STATUS_SUCCESS);
    CHECK_EQUAL(CoreNextEvent(&waits[2], NULL)->Number, 2);
    CoreClose(readers[0]);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreFreeWait(&waits[index]);
    }
    CoreStop(&core);
}

VOID CoreWaitsAreCancelled(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    IO_STATUS_BLOCK ioStatus;
    CORE_WAIT waits[2];
    HANDLE reader;
    ULONG index;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    reader = CoreOpenReader(core.Control, CORE_CONTEXTS);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreInitializeWait(&waits[index], CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(reader, &waits[index]), STATUS_PENDING);
    }
    CHECK_STATUS(NtCancelIoFile(reader, &ioStatus), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CHECK_STATUS(CoreWaitStatus(&waits[index]), STATUS_CANCELLED);
        CHECK_EQUAL(waits[index].IoStatus.Information, 0);
    }

    /* The events are not lost with the request. */
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreStartWait(reader, &waits[0]), STATUS_SUCCESS);
    CHECK_EQUAL(CoreNextEvent(&waits[0], NULL)->Number, 1);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreFreeWait(&waits[index]);
    }
    CoreStop(&core);
}

VOID CoreProcessDeathEndsItsWaits(VOID)
{
    PEPROCESS process;
    CORE_WAIT wait;
    HANDLE control;
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    HostLeaveProcess();
    process = CoreCreateProcess(TRUE);
    HostEnterProcess(process);
    control = CoreOpenSession(CORE_READ_WRITE);
    reader = CoreOpenReader(control, CORE_ALL);
    CHECK_STATUS(CoreInsert(control, &(const CORE_INSERTION){.Stream = CoreOpenFile(CORE_FILE), .Owner = 1}, NULL),
                 STATUS_SUCCESS);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    HostLeaveProcess();
    HostExitProcess(process);
    HostDereferenceProcess(process);
    CHECK(CoreWaitStatus(&wait) == STATUS_CANCELLED || CoreWaitStatus(&wait) == STATUS_SUCCESS);
    CoreFreeWait(&wait);
    HostEnterProcess(core.Process);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreStop(&core);
}

VOID CoreTheEndOfASessionIsTold(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    const PSCTX_EVENT *event;
    CORE_WAIT early;
    CORE_WAIT late;
    HANDLE watched;
    HANDLE waiting;
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&early, CORE_WAIT_LENGTH);
    CoreInitializeWait(&late, CORE_WAIT_LENGTH);
    watched = CoreOpenSession(CORE_READ_WRITE);
    reader = CoreOpenReader(watched, CORE_CONTEXTS);
    waiting = CoreOpenReader(watched, 1u << PSCTX_EVENT_VOLUME_ATTACHED);
    CHECK_STATUS(CoreStartWait(waiting, &early), STATUS_PENDING);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(watched, &insertion, NULL), STATUS_SUCCESS);
    insertion.Instance = 1;
    insertion.Lifetime = PSCTX_LIFETIME_STREAM;
    CHECK_STATUS(CoreInsert(watched, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(watched);

    CHECK_STATUS(CoreWaitStatus(&early), STATUS_FILE_CLOSED);
    CHECK_EQUAL(early.IoStatus.Information, 0);
    CHECK_STATUS(CoreStartWait(waiting, &early), STATUS_FILE_CLOSED);
    CHECK_STATUS(CoreStartWait(reader, &late), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEventCount(&late), 3);
    event = CoreNextEvent(&late, CoreNextEvent(&late, CoreNextEvent(&late, NULL)));
    CHECK_EQUAL(event->Type, PSCTX_EVENT_REMOVED);
    CHECK_EQUAL(event->Instance, 0);
    CHECK_STATUS(CoreStartWait(reader, &late), STATUS_FILE_CLOSED);
    CoreClose(insertion.Stream); /* nobody is told of what is left of an ended session */
    CHECK_STATUS(CoreStartWait(reader, &late), STATUS_FILE_CLOSED);
    CHECK_STATUS(CoreSubscribe(reader, CoreSessionNumber(core.Control), CORE_ALL, PSCTX_MINIMUM_EVENT_CAPACITY),
                 STATUS_INVALID_DEVICE_STATE);
    CoreFreeWait(&early);
    CoreFreeWait(&late);
    CoreStop(&core);
}

/*
 * Inserts and removes Count times: twice as many events.
 */
static VOID CoreMakeEvents(_In_ const CORE *Core, _In_ HANDLE Stream, _In_ ULONG Count)
{
    const CORE_INSERTION insertion = {.Stream = Stream, .Owner = 1};

    for (; Count != 0; Count -= 1) {
        CHECK_STATUS(CoreInsert(Core->Control, &insertion, NULL), STATUS_SUCCESS);
        CHECK_STATUS(CoreRemove(Core->Control, Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    }
}

VOID CoreTheOldestEventsAreDroppedAndCounted(VOID)
{
    static const ULONG rounds[] = {100, 5000, 16, 3000, 2, 9000, 900}; /* events in each */
    const PSCTX_EVENT *event;
    ULONG64 expected = 1;
    ULONG64 made = 0;
    ULONG64 dropped;
    CORE_WAIT wait;
    HANDLE streams[2];
    HANDLE reader;
    ULONG round;
    ULONG room = 0;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    reader = CoreOpenReader(core.Control, CORE_CONTEXTS);
    streams[0] = CoreOpenFile(CORE_FILE);
    streams[1] = CoreOpenFile(L"\\??\\M:\\files\\one.txt:a stream with a longer name");
    for (round = 0; round < RTL_NUMBER_OF(rounds); round += 1) {
        CoreMakeEvents(&core, streams[round % 2], rounds[round] / 2);
        made += rounds[round];
        dropped = 0;
        while (expected <= made) {
            CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
            for (event = CoreNextEvent(&wait, NULL); event != NULL; event = CoreNextEvent(&wait, event)) {
                CHECK_EQUAL(event->Number, expected);
                if (event->Type == PSCTX_EVENT_DROPPED) {
                    CHECK(event == CoreNextEvent(&wait, NULL) && dropped == 0 && event->Count != 0);
                    CHECK_EQUAL(event->NameLength, 0);
                    dropped = event->Count;
                    expected += event->Count;
                } else {
                    CHECK_EQUAL(event->Type, expected % 2 == 1 ? PSCTX_EVENT_INSERTED : PSCTX_EVENT_REMOVED);
                    CHECK(CoreEventNameEndsWith(event, round % 2 == 0 ? L"one.txt" : L":a stream with a longer name"));
                    expected += 1;
                    room = PSCTX_MINIMUM_EVENT_CAPACITY / event->Size;
                }
            }
        }
        CHECK_EQUAL(expected, made + 1);
        CHECK_EQUAL(dropped, rounds[round] > room ? rounds[round] - room : 0);
    }
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    CoreClose(reader);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

VOID CoreWaitsTakeAsManyEventsAsFit(VOID)
{
    CORE_WAIT whole;
    CORE_WAIT wait;
    HANDLE readers[3];
    HANDLE stream;
    ULONG count = 0;
    ULONG fitting;
    ULONG size;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&whole, PSCTX_MAXIMUM_TRANSFER);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    readers[0] = CoreOpenReader(core.Control, CORE_CONTEXTS);
    readers[1] = CoreOpenReader(core.Control, CORE_CONTEXTS);
    readers[2] = CoreOpenReader(core.Control, CORE_CONTEXTS);
    stream = CoreOpenFile(CORE_FILE);
    CoreMakeEvents(&core, stream, 700);
    CHECK_STATUS(CoreStartWait(readers[0], &whole), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEventCount(&whole), 1400);
    while (count < 1400) {
        const PSCTX_EVENT *event;

        CHECK_STATUS(CoreStartWait(readers[1], &wait), STATUS_SUCCESS);
        event = CoreNextEvent(&wait, NULL);
        CHECK_EQUAL(event->Number, count + 1);
        count += CoreEventCount(&wait);
        CHECK(count == 1400 || wait.OutputLength - wait.IoStatus.Information < event->Size);
    }
    CHECK_EQUAL(count, 1400);
    CoreFreeWait(&wait);

    /* To the last byte: each of these events is as long as the others. */
    size = CoreNextEvent(&whole, NULL)->Size;
    fitting = PSCTX_MAXIMUM_EVENT_SIZE / size + 1;
    CoreInitializeWait(&wait, (ULONG)sizeof(PSCTX_WAIT_REPLY) + fitting * size);
    for (count = 0; count + fitting <= 1400; count += fitting) {
        CHECK_STATUS(CoreStartWait(readers[2], &wait), STATUS_SUCCESS);
        CHECK_EQUAL(CoreEventCount(&wait), fitting);
    }
    CoreFreeWait(&whole);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

VOID CoreVolumesThatComeAndGoAreTold(VOID)
{
    const PSCTX_EVENT *event;
    CORE_WAIT waits[2];
    HANDLE readers[2];
    HANDLE watched;
    ULONG index;
    CORE core;

    CoreStart(&core);
    watched = CoreOpenSession(CORE_READ);
    readers[0] = CoreOpenReader(core.Control, CORE_ALL);
    readers[1] = CoreOpenReader(watched, CORE_ALL);
    for (index = 0; index < RTL_NUMBER_OF(readers); index += 1) {
        CoreInitializeWait(&waits[index], CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(readers[index], &waits[index]), STATUS_PENDING);
    }
    HostLeaveProcess();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    HostEnterProcess(core.Process);
    for (index = 0; index < RTL_NUMBER_OF(readers); index += 1) {
        event = CoreNextEvent(&waits[index], NULL);
        CHECK_EQUAL(event->Type, PSCTX_EVENT_VOLUME_ATTACHED);
        CHECK_EQUAL(event->Number, 1);
        CHECK(memcmp(event + 1, L"\\Device\\HostVolume", 18 * sizeof(WCHAR)) == 0);
        CHECK_EQUAL(event->OwnerKey | event->Instance | event->Sequence | event->Age | event->Count | event->ProcessId,
                    0);
        CHECK_EQUAL(CoreEventCount(&waits[index]), 1);
        CHECK_STATUS(CoreStartWait(readers[index], &waits[index]), STATUS_SUCCESS);
        event = CoreNextEvent(&waits[index], NULL);
        CHECK_EQUAL(event->Type, PSCTX_EVENT_VOLUME_DETACHED);
        CHECK_EQUAL(event->Number, 2);
        CHECK(memcmp(event + 1, L"\\Device\\HostVolume", 18 * sizeof(WCHAR)) == 0);
        CoreFreeWait(&waits[index]);
    }
    CoreStop(&core);
}

VOID CoreUnloadingAfterAReaderLeavesNothing(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Lifetime = PSCTX_LIFETIME_STREAM};
    PSCTX_INSERT_REPLY reply;
    CORE_WAIT wait;
    HANDLE reader;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    reader = CoreOpenReader(core.Control, CORE_ALL);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEventCount(&wait), 1);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    CoreClose(core.Control);
    CHECK_STATUS(CoreWaitStatus(&wait), STATUS_FILE_CLOSED);
    CoreClose(reader);
    HostLeaveProcess();
    CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
    core.Driver = CoreLoadDriver();
    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreSessionNumber(core.Control), 1);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Sequence, 1);
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 0, NULL), STATUS_SUCCESS);
    reader = CoreOpenReader(core.Control, CORE_ALL);
    CoreClose(stream);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    CoreClose(reader);
    CoreFreeWait(&wait);
    CoreStop(&core);
}
