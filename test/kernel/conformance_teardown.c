/* What becomes of contexts when their stream goes. */
#include "conformance.h"
#include "reader.h"

#define SEVERAL 5u
#define CYCLED_NAMES 4u
#define STEPS 10u
#define SETTLE_MILLISECONDS 8000u

static READER Reader;

static void CheckLastReference(void)
{
    static const WCHAR name[] = L"last";
    STREAM stream;
    HANDLE second;

    if (!HOLDS(Volume.TearsDown, "the file system's driver calls FsRtlTeardownPerStreamContexts") ||
        !BeginStream(&stream, name)) {
        return;
    }
    second = FilesOpen(name, GENERIC_READ);
    CloseKept(stream.File);
    (void)HOLDS(!WaitForTeardowns(&stream.Session, 1, 100), "nothing is torn down before the last handle is closed");
    (void)HOLDS(Finds(&stream.Session, second, OWNER, INSTANCE), "the handle that is left finds the context");
    CloseKept(second);
    (void)AwaitTeardown(&stream.Session, 1, name);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

/* Each of the session's contexts, of instances below SEVERAL, is told once, and nothing else. */
static void ExpectEachOnce(void)
{
    ULONG seen = 0;

    for (ULONG count = 0; count < SEVERAL; count += 1) {
        const PSCTX_EVENT *event = NextEvent(&Reader);

        if (event == NULL) {
            return;
        }
        (void)EXPECT_EQUAL(PSCTX_EVENT_TORN_DOWN, event->Type);
        if (EXPECT(event->Instance < SEVERAL)) {
            (void)HOLDS((seen >> event->Instance & 1u) == 0, "no context is torn down twice");
            seen |= 1u << event->Instance;
        }
    }
    (void)HOLDS(seen == (1u << SEVERAL) - 1, "every context is torn down");
    (void)HOLDS(IsQuiet(&Reader), "nothing else is torn down");
}

static void CheckOnce(void)
{
    static const WCHAR name[] = L"once";
    PSCTX_STATISTICS_REPLY statistics;
    SESSION session;
    HANDLE file = MakeAndOpen(name);

    if (!OpenSession(&session, READ_WRITE) ||
        !OpenReader(&Reader, &session, 1u << PSCTX_EVENT_TORN_DOWN, PSCTX_MINIMUM_EVENT_CAPACITY)) {
        return;
    }
    for (ULONG instance = 0; instance < SEVERAL; instance += 1) {
        (void)InsertInto(&session, file, OWNER, instance);
    }
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    if (AwaitTeardown(&session, SEVERAL, NULL) == FateLost) {
        return;
    }
    ExpectEachOnce();
    if (EXPECT_SUCCESS(QueryStatistics(&session, &statistics))) {
        Note("%U inserted, %U torn down, %U left", statistics.SessionInserted, statistics.SessionTornDown,
             statistics.SessionContexts);
        (void)EXPECT_EQUAL(SEVERAL, statistics.SessionTornDown);
        (void)EXPECT_EQUAL(0, statistics.SessionContexts);
    }
}

static void CheckDelete(void)
{
    static const WCHAR name[] = L"deleted";
    STREAM stream;
    DWORD error;

    if (!BeginStream(&stream, name)) {
        return;
    }
    error = FilesDelete(name);
    if (error != ERROR_SUCCESS) {
        Note("not while it is open: error %u", error);
    }
    (void)HOLDS(Finds(&stream.Session, stream.File, OWNER, INSTANCE),
                "the handle of a deleted file finds the context until it is closed");
    CloseKept(stream.File);
    if (error != ERROR_SUCCESS) {
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    }
    (void)AwaitTeardown(&stream.Session, 1, NULL);
}

static void CheckReopenedStream(void)
{
    static const WCHAR name[] = L"reopened";
    PSCTX_STATISTICS_REPLY statistics;
    STREAM stream;
    HANDLE again;

    if (!BeginStream(&stream, name)) {
        return;
    }
    CloseKept(stream.File);
    if (AwaitTeardown(&stream.Session, 1, name) == FateLost ||
        !EXPECT_SUCCESS(QueryStatistics(&stream.Session, &statistics))) {
        return;
    }
    again = FilesOpen(name, GENERIC_READ);
    (void)HOLDS(Finds(&stream.Session, again, OWNER, INSTANCE) == (statistics.SessionContexts != 0),
                "a stream that is opened again has what is left of its contexts: none if they were torn down");
    if (statistics.SessionContexts == 0) {
        (void)HOLDS(Insert(&stream.Session, HandleValue(again), OWNER, INSTANCE, NULL, "c", 1, NULL) == STATUS_SUCCESS,
                    "and takes the same one anew");
    }
    CloseKept(again);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

static void CycledName(ULONG number, WCHAR *name, size_t capacity)
{
    name[0] = 0;
    (void)WideAppend(name, capacity, L"cycled-");
    (void)WideAppendNumber(name, capacity, number);
}

/* One stream is opened, given a context and closed. One that is still there, of a stream that was kept, is replaced. */
static BOOL Cycle(const SESSION *session, ULONG number)
{
    const INSERT_OPTIONS options = {PSCTX_IF_EXISTS_REPLACE, PSCTX_POOL_PAGED, PSCTX_LIFETIME_SESSION};
    WCHAR name[32];
    HANDLE file;
    BOOL inserted;

    CycledName(number % CYCLED_NAMES, name, COUNT_OF(name));
    file = FilesOpen(name, GENERIC_READ);
    inserted = file != INVALID_HANDLE_VALUE &&
               EXPECT_SUCCESS(Insert(session, HandleValue(file), OWNER, INSTANCE, &options, "c", 1, NULL));
    CloseKept(file);
    return EXPECT(inserted);
}

static ULONG LiveContexts(const SESSION *session)
{
    PSCTX_STATISTICS_REPLY statistics;

    return EXPECT_SUCCESS(QueryStatistics(session, &statistics)) ? (ULONG)statistics.SessionContexts : 0;
}

/* Returns how many cycles were done. */
static ULONG RunCycles(const SESSION *session, ULONG live[STEPS])
{
    const ULONG step = Options.Cycles < STEPS ? 1 : Options.Cycles / STEPS;
    ULONG cycle;

    for (cycle = 0; cycle < Options.Cycles && !IsInterrupted(); cycle += 1) {
        if (!Cycle(session, cycle)) {
            break;
        }
        if ((cycle + 1) % step == 0 && cycle / step < STEPS) {
            live[cycle / step] = LiveContexts(session);
        }
    }
    return cycle;
}

static BOOL HasNone(void *session)
{
    PSCTX_STATISTICS_REPLY statistics;

    return QueryStatistics(session, &statistics) == STATUS_SUCCESS && statistics.SessionContexts == 0;
}

/* A leak grows with the cycles; what a file system keeps is at most one context for each name, and goes when the files are deleted. */
static void CheckCycles(void)
{
    ULONG live[STEPS] = {0};
    WCHAR name[32];
    SESSION session;
    ULONG start;
    ULONG cycles;
    ULONG end;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (ULONG number = 0; number < CYCLED_NAMES; number += 1) {
        CycledName(number, name, COUNT_OF(name));
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name));
    }
    start = GetTickCount();
    cycles = RunCycles(&session, live);
    Note("%u cycles over %u files in %u ms", cycles, CYCLED_NAMES, GetTickCount() - start);
    end = LiveContexts(&session);
    for (ULONG number = 0; number < CYCLED_NAMES; number += 1) {
        CycledName(number, name, COUNT_OF(name));
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    }
    start = GetTickCount();
    while (!HasNone(&session) && GetTickCount() - start < SETTLE_MILLISECONDS && !IsInterrupted()) {
        Sleep(20);
    }
    Note("live contexts after each tenth: %u %u %u %u %u %u %u %u %u %u", live[0], live[1], live[2], live[3], live[4],
         live[5], live[6], live[7], live[8], live[9]);
    Note("%u when the cycles had ended, %u when the files were deleted", end, LiveContexts(&session));
    if (cycles >= STEPS && live[STEPS - 1] > live[0]) {
        Note("slope: %u contexts in %u cycles", live[STEPS - 1] - live[0], cycles / STEPS * (STEPS - 1));
    } else {
        Note("slope: none");
    }
    (void)HOLDS(end <= CYCLED_NAMES, "no more contexts are left than there are files");
    (void)HOLDS(IsInterrupted() || HasNone(&session), "none is left when the files are deleted");
}

#define NEEDS_FILES (NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN)

static const TEST Checks[] = {
    {"teardown.last-reference", CheckLastReference, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"teardown.once", CheckOnce, NEEDS_FILES},
    {"teardown.delete", CheckDelete, NEEDS_FILES},
    {"teardown.reopened-stream", CheckReopenedStream, NEEDS_FILES},
    {"teardown.ten-thousand-cycles", CheckCycles, NEEDS_FILES},
};

const TEST_GROUP TeardownChecks = {Checks, COUNT_OF(Checks)};
