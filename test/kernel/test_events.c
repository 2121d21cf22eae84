/* WAIT: what is told of a session's contexts, and how a wait ends. */
#include "reader.h"
#include "tests.h"

#define CAPACITY PSCTX_MINIMUM_EVENT_CAPACITY
#define ANSWER_MILLISECONDS 3000u
#define REST_MILLISECONDS 60u
#define REST_AT_LEAST 300000u   /* 30 of those milliseconds, in 100 ns units: clocks have ticks */
#define REST_AT_MOST 600000000u /* a minute: the machine may be busy */

static READER Reader;
static READER SecondReader;

static ULONG64 SystemTime(void)
{
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    return (ULONG64)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

/* The next event is of this type and about this context; its number and its time follow the last one's. */
static const PSCTX_EVENT *ExpectEvent(READER *reader, ULONG type, ULONG64 number, ULONG64 owner, ULONG64 instance)
{
    const PSCTX_EVENT *event = NextEvent(reader);

    if (event != NULL) {
        (void)EXPECT_EQUAL(type, event->Type);
        (void)EXPECT_EQUAL(number, event->Number);
        (void)EXPECT_EQUAL(owner, event->OwnerKey);
        (void)EXPECT_EQUAL(instance, event->Instance);
        (void)EXPECT_EQUAL(0, event->Count);
        (void)EXPECT_EQUAL(type == PSCTX_EVENT_TORN_DOWN ? 0 : GetCurrentProcessId(), event->ProcessId);
    }
    return event;
}

/* One event after the other: the type, the sequence number, the age, and the name that LIST tells, too. */
static void TestOrder(void)
{
    static union {
        PSCTX_LIST_REPLY Reply;
        BYTE Bytes[4096];
    } list;
    const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)(&list.Reply + 1);
    const INSERT_OPTIONS replace = {PSCTX_IF_EXISTS_REPLACE, PSCTX_POOL_PAGED, PSCTX_LIFETIME_SESSION};
    const ULONG64 file = HandleValue(OpenSample(0));
    const ULONG64 before = SystemTime();
    PSCTX_INSERT_REPLY first;
    PSCTX_INSERT_REPLY second;
    const PSCTX_EVENT *event;
    SESSION session;
    ULONG removals = 0;
    ULONG64 time;
    ULONG64 count;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY) ||
        !EXPECT_SUCCESS(Insert(&session, file, 7, 1, NULL, "a", 1, &first)) ||
        !EXPECT_SUCCESS(List(&session, file, 0, &list, sizeof(list)))) {
        return;
    }
    event = ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, 1, 7, 1);
    if (event == NULL) {
        return;
    }
    (void)EXPECT_EQUAL(first.Sequence, event->Sequence);
    (void)EXPECT_EQUAL(0, event->Age);
    (void)EXPECT(event->Time + REST_AT_MOST > before && event->Time < SystemTime() + REST_AT_MOST);
    (void)EXPECT(event->NameLength == entry->NameLength && memcmp(event + 1, entry + 1, entry->NameLength) == 0);
    time = event->Time;

    Sleep(REST_MILLISECONDS);
    (void)EXPECT_SUCCESS(Insert(&session, file, 7, 1, &replace, "b", 1, &second));
    (void)EXPECT_SUCCESS(Insert(&session, file, 8, 2, NULL, "c", 1, NULL));
    (void)EXPECT_SUCCESS(Remove(&session, file, 7, 1, NULL));
    (void)EXPECT_SUCCESS(RemoveAll(&session, file, 0, 0, PSCTX_MATCH_FIRST, &count));
    for (ULONG number = 2; number <= 3; number += 1) {
        event = NextEvent(&Reader);
        if (event == NULL) {
            return;
        }
        (void)EXPECT_EQUAL(number, event->Number);
        (void)EXPECT(event->Time >= time);
        if (event->Type == PSCTX_EVENT_REMOVED) {
            removals += 1;
            (void)EXPECT_EQUAL(first.Sequence, event->Sequence);
            (void)EXPECT(event->Age >= REST_AT_LEAST && event->Age < REST_AT_MOST);
        } else {
            (void)EXPECT_EQUAL(PSCTX_EVENT_INSERTED, event->Type);
            (void)EXPECT_EQUAL(second.Sequence, event->Sequence);
        }
    }
    (void)EXPECT_EQUAL(1, removals);
    (void)ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, 4, 8, 2);
    event = ExpectEvent(&Reader, PSCTX_EVENT_REMOVED, 5, 7, 1);
    (void)EXPECT(event != NULL && event->Sequence == second.Sequence);
    (void)ExpectEvent(&Reader, PSCTX_EVENT_REMOVED, 6, 8, 2);
    (void)EXPECT(IsQuiet(&Reader));
}

/* When a file system frees a stream is its own affair; what it tears down is told. */
static void TestTornDown(void)
{
    PSCTX_STATISTICS_REPLY statistics;
    const PSCTX_EVENT *event;
    SESSION session;
    HANDLE file = MakeAndOpen(L"torn");

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY) ||
        !EXPECT_SUCCESS(Insert(&session, HandleValue(file), 3, 4, NULL, "a", 1, NULL)) ||
        ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, 1, 3, 4) == NULL) {
        return;
    }
    Sleep(REST_MILLISECONDS);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"torn"));
    event = NextEventIfAny(&Reader);
    if (!EXPECT_SUCCESS(QueryStatistics(&session, &statistics))) {
        return;
    }
    if (event == NULL) {
        Note("the file system keeps the stream context of a deleted file for 3 seconds at least");
        (void)EXPECT_EQUAL(0, statistics.SessionTornDown);
        return;
    }
    (void)EXPECT_EQUAL(PSCTX_EVENT_TORN_DOWN, event->Type);
    (void)EXPECT_EQUAL(2, event->Number);
    (void)EXPECT_EQUAL(3, event->OwnerKey);
    (void)EXPECT_EQUAL(4, event->Instance);
    (void)EXPECT_EQUAL(0, event->ProcessId);
    (void)EXPECT(event->Age >= REST_AT_LEAST && event->Age < REST_AT_MOST);
    (void)EXPECT_EQUAL(1, statistics.SessionTornDown);
}

static void TestTypes(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, 1u << PSCTX_EVENT_REMOVED, CAPACITY) ||
        !OpenReader(&SecondReader, &session, 1u << PSCTX_EVENT_INSERTED, CAPACITY)) {
        return;
    }
    for (ULONG round = 0; round < 3; round += 1) {
        (void)EXPECT_SUCCESS(Insert(&session, file, 1, round, NULL, NULL, 0, NULL));
        (void)EXPECT_SUCCESS(Remove(&session, file, 1, round, NULL));
    }
    for (ULONG round = 0; round < 3; round += 1) {
        (void)ExpectEvent(&Reader, PSCTX_EVENT_REMOVED, round + 1, 1, round);
        (void)ExpectEvent(&SecondReader, PSCTX_EVENT_INSERTED, round + 1, 1, round);
    }
    (void)EXPECT(IsQuiet(&Reader));
    (void)EXPECT(IsQuiet(&SecondReader));
}

static void TestPending(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY)) {
        return;
    }
    for (ULONG round = 0; round < 3; round += 1) {
        if (!EXPECT_STATUS(STATUS_PENDING, StartWait(&Reader))) {
            return;
        }
        (void)EXPECT_STATUS(STATUS_TIMEOUT, FinishWait(&Reader, 20));
        (void)EXPECT_SUCCESS(Insert(&session, file, 1, round, NULL, NULL, 0, NULL));
        if (!EXPECT_SUCCESS(FinishWait(&Reader, ANSWER_MILLISECONDS))) {
            return;
        }
        (void)ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, round + 1, 1, round);
        (void)EXPECT_EQUAL(0, Reader.Left);
    }
}

static void TestCancelled(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY)) {
        return;
    }
    for (ULONG round = 0; round < 3; round += 1) {
        (void)EXPECT_STATUS(STATUS_PENDING, StartWait(&Reader));
        (void)EXPECT(CancelIo(Reader.Session.Handle));
        (void)EXPECT_STATUS(STATUS_CANCELLED, FinishWait(&Reader, ANSWER_MILLISECONDS));
    }
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 1, NULL, NULL, 0, NULL));
    (void)ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, 1, 1, 1);
}

/* A session that ends tells what goes with it, then that there is no more. */
static void TestWatchedEnds(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY) ||
        !OpenReader(&SecondReader, &session, 1u << PSCTX_EVENT_TORN_DOWN, CAPACITY)) {
        return;
    }
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 1, NULL, NULL, 0, NULL));
    (void)EXPECT_STATUS(STATUS_PENDING, StartWait(&SecondReader));
    CloseSession(&session);
    (void)EXPECT_STATUS(STATUS_FILE_CLOSED, FinishWait(&SecondReader, ANSWER_MILLISECONDS));
    (void)ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, 1, 1, 1);
    (void)ExpectEvent(&Reader, PSCTX_EVENT_REMOVED, 2, 1, 1);
    (void)EXPECT_STATUS(STATUS_FILE_CLOSED, StartWait(&Reader));
    (void)EXPECT_STATUS(STATUS_FILE_CLOSED, StartWait(&Reader));
}

/* Its own handle's end ends a wait as well, and leaves the watched session as it was. */
static void TestReaderEnds(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    PSCTX_STATISTICS_REPLY statistics;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_PENDING, StartWait(&Reader));
    CloseSession(&Reader.Session);
    (void)EXPECT_STATUS(STATUS_CANCELLED, FinishWait(&Reader, ANSWER_MILLISECONDS));
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 1, NULL, NULL, 0, NULL));
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(1, statistics.SessionContexts);
}

/* More events than are kept: the oldest are dropped, and as many as are missing. */
static void TestStalledReader(void)
{
    const ULONG rounds = CAPACITY / sizeof(PSCTX_EVENT);
    const ULONG64 file = HandleValue(OpenSample(0));
    const PSCTX_EVENT *event;
    SESSION session;
    ULONG64 dropped;
    ULONG64 number;

    if (!OpenSession(&session, READ_WRITE) || !OpenReader(&Reader, &session, PSCTX_EVENT_TYPES, CAPACITY)) {
        return;
    }
    for (ULONG round = 0; round < rounds; round += 1) {
        if (!EXPECT_SUCCESS(Insert(&session, file, 1, round, NULL, NULL, 0, NULL)) ||
            !EXPECT_SUCCESS(Remove(&session, file, 1, round, NULL))) {
            return;
        }
    }
    event = NextEvent(&Reader);
    if (event == NULL || !EXPECT_EQUAL(PSCTX_EVENT_DROPPED, event->Type)) {
        return;
    }
    (void)EXPECT_EQUAL(1, event->Number);
    (void)EXPECT_EQUAL(0, event->NameLength);
    (void)EXPECT_EQUAL(0, event->Sequence);
    dropped = event->Count;
    (void)EXPECT(dropped >= rounds && dropped < 2 * rounds);
    for (number = dropped + 1; number <= 2 * rounds; number += 1) {
        const ULONG64 round = (number - 1) / 2;

        if (ExpectEvent(&Reader, number % 2 != 0 ? PSCTX_EVENT_INSERTED : PSCTX_EVENT_REMOVED, number, 1, round) ==
            NULL) {
            return;
        }
    }
    (void)EXPECT(IsQuiet(&Reader));
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 1, NULL, NULL, 0, NULL));
    (void)ExpectEvent(&Reader, PSCTX_EVENT_INSERTED, number, 1, 1);
}

static const TEST Tests[] = {
    {"insertions and removals are told in their order", TestOrder, NEEDS_CONTEXTS},
    {"a teardown is told", TestTornDown, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
    {"a reader is told the types that it asked for", TestTypes, NEEDS_CONTEXTS},
    {"a wait pends until an insertion", TestPending, NEEDS_CONTEXTS},
    {"a wait is cancelled, and no event is lost", TestCancelled, NEEDS_CONTEXTS},
    {"a watched session's end ends a wait, after its last events", TestWatchedEnds, NEEDS_CONTEXTS},
    {"a reader's own end ends its wait", TestReaderEnds, NEEDS_CONTEXTS},
    {"a stalled reader is told how many events it missed", TestStalledReader, NEEDS_CONTEXTS},
};

const TEST_GROUP EventTests = {Tests, COUNT_OF(Tests)};
