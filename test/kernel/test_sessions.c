/* Sessions: apart from each other, and gone with their handle or their process. */
#include "hold.h"
#include "reader.h"
#include "tests.h"

static void TestIsolation(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    BYTE list[256];
    CONTEXT_BUFFER context;
    SESSION mine;
    SESSION yours;
    ULONG64 count;

    if (!OpenSession(&mine, READ_WRITE) || !OpenSession(&yours, READ_WRITE)) {
        return;
    }
    (void)EXPECT_SUCCESS(Insert(&mine, file, 1, 1, NULL, "mine", 4, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&yours, file, 1, 1, &context));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Remove(&yours, file, 1, 1, &context));
    (void)EXPECT_SUCCESS(RemoveAll(&yours, file, 0, 0, PSCTX_MATCH_FIRST, &count));
    (void)EXPECT_EQUAL(0, count);
    (void)EXPECT_SUCCESS(List(&yours, file, 0, list, sizeof(list)));
    (void)EXPECT_EQUAL(0, ((const PSCTX_LIST_REPLY *)list)->Count);
    (void)EXPECT_SUCCESS(
        Match(&yours, PSCTX_OPERATION_LOOKUP, file, 0, 0, PSCTX_MATCH_FIRST, &context, sizeof(context)));
    (void)EXPECT(context.Reply.Holder != PSCTX_HOLDER_SELF);
    (void)EXPECT(IsZero(&context.Reply.OwnerKey, 3 * sizeof(ULONG64)));
    (void)EXPECT_EQUAL(0, context.Reply.DataLength);
    (void)EXPECT_SUCCESS(Insert(&yours, file, 1, 1, NULL, "yours", 5, NULL));
    (void)EXPECT_SUCCESS(Lookup(&mine, file, 1, 1, &context));
    (void)EXPECT_EQUAL(4, context.Reply.DataLength);
    CloseSession(&mine);
    (void)EXPECT_SUCCESS(Lookup(&yours, file, 1, 1, &context));
    (void)EXPECT_EQUAL(5, context.Reply.DataLength);
}

typedef struct _EXPECTED_TOTAL {
    const SESSION *Session;
    ULONG64 Contexts;
    ULONG64 Sessions;
} EXPECTED_TOTAL;

static BOOL IsTotal(void *context)
{
    const EXPECTED_TOTAL *expected = context;
    PSCTX_STATISTICS_REPLY statistics;

    return QueryStatistics(expected->Session, &statistics) == STATUS_SUCCESS &&
           statistics.TotalContexts == expected->Contexts && statistics.TotalSessions == expected->Sessions;
}

static void TestLifetimes(void)
{
    const INSERT_OPTIONS ofStream = {PSCTX_IF_EXISTS_FAIL, PSCTX_POOL_PAGED, PSCTX_LIFETIME_STREAM};
    const ULONG64 file = HandleValue(OpenSample(0));
    PSCTX_STATISTICS_REPLY statistics;
    EXPECTED_TOTAL expected;
    SESSION session;
    SESSION monitor;

    if (!OpenSession(&monitor, READ_ONLY) || !EXPECT_SUCCESS(QueryStatistics(&monitor, &statistics)) ||
        !OpenSession(&session, READ_WRITE)) {
        return;
    }
    expected.Session = &monitor;
    expected.Sessions = statistics.TotalSessions;
    expected.Contexts = statistics.TotalContexts;
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 1, NULL, "s", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 2, &ofStream, "f", 1, NULL));
    (void)EXPECT_SUCCESS(Remove(&session, file, 1, 2, NULL));
    CloseSession(&session);
    (void)EXPECT(WaitUntil(IsTotal, &expected));
}

/* A context that outlives its session: only the end of the stream ends it, which is the file system's affair. */
static void TestOutliving(void)
{
    const INSERT_OPTIONS ofStream = {PSCTX_IF_EXISTS_FAIL, PSCTX_POOL_PAGED, PSCTX_LIFETIME_STREAM};
    PSCTX_STATISTICS_REPLY statistics;
    EXPECTED_TOTAL expected;
    SESSION session;
    SESSION monitor;
    HANDLE file = MakeAndOpen(L"outliving");

    if (!OpenSession(&monitor, READ_ONLY) || !EXPECT_SUCCESS(QueryStatistics(&monitor, &statistics)) ||
        !OpenSession(&session, READ_WRITE)) {
        return;
    }
    expected.Session = &monitor;
    expected.Sessions = statistics.TotalSessions;
    expected.Contexts = statistics.TotalContexts + 1;
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 1, NULL, "s", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 2, &ofStream, "f", 1, NULL));
    CloseSession(&session);
    (void)EXPECT(WaitUntil(IsTotal, &expected));
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"outliving"));
    expected.Contexts -= 1;
    if (!WaitUntil(IsTotal, &expected)) {
        Note("the file system keeps the stream context of a deleted file for 3 seconds at least");
        AcceptLeftContext();
    }
}

/* Where nothing is torn down, a context keeps the file as it was opened, and gives it back with its session. */
static void TestAnchor(void)
{
    PSCTX_STATISTICS_REPLY statistics;
    SESSION session;
    HANDLE file = MakeAndOpen(L"anchored");

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 1, NULL, "a", 1, NULL));
    CloseKept(file);
    file = FilesOpen(L"anchored", GENERIC_READ);
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(file), 1, 1, NULL));
    CloseKept(file);
    if (EXPECT_SUCCESS(QueryStatistics(&session, &statistics))) {
        (void)EXPECT_EQUAL(1, statistics.SessionContexts);
        (void)EXPECT_EQUAL(0, statistics.SessionTornDown);
    }
    CloseSession(&session);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"anchored"));
}

static BOOL IsReady(void *context)
{
    const HOLD_RECORD *record = context;

    return record->Ready != 0;
}

/* Starts this program once more, to hold contexts on the file. */
static BOOL StartChild(const WCHAR *section, const WCHAR *file, PROCESS_INFORMATION *child)
{
    static WCHAR line[4 * PATH_CAPACITY];
    WCHAR program[PATH_CAPACITY];
    STARTUPINFOW startup;
    const DWORD length = GetModuleFileNameW(NULL, program, PATH_CAPACITY);

    line[0] = 0;
    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    return EXPECT(length != 0 && length < PATH_CAPACITY) && EXPECT(WideAppend(line, COUNT_OF(line), L"\"")) &&
           EXPECT(WideAppend(line, COUNT_OF(line), program)) &&
           EXPECT(WideAppend(line, COUNT_OF(line), L"\" --device \"")) &&
           EXPECT(WideAppend(line, COUNT_OF(line), Options.Device)) &&
           EXPECT(WideAppend(line, COUNT_OF(line), L"\" --internal-hold ")) &&
           EXPECT(WideAppend(line, COUNT_OF(line), section)) && EXPECT(WideAppend(line, COUNT_OF(line), L" \"")) &&
           EXPECT(WideAppend(line, COUNT_OF(line), file)) && EXPECT(WideAppend(line, COUNT_OF(line), L"\"")) &&
           EXPECT(CreateProcessW(program, line, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &startup, child));
}

/*
 * The child holds two sessions, and a third one that waits for the second one's events. The second one's handle is ours too, and so it
 * stays when the child is killed; but it is the child's, whose sessions only the child may watch.
 */
static void KillChild(const PROCESS_INFORMATION *child, HOLD_RECORD *record, const SESSION *monitor, HANDLE file)
{
    PSCTX_STATISTICS_REPLY before;
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_VERSION_REPLY version;
    EXPECTED_TOTAL expected = {monitor, 0, 0};
    SESSION kept = {NULL, NULL};
    SESSION watcher;

    if (!EXPECT(WaitUntil(IsReady, record)) || !EXPECT_EQUAL(1, record->Ready) || !EXPECT_EQUAL(0, record->Error) ||
        !EXPECT_SUCCESS(QueryStatistics(monitor, &before)) ||
        !EXPECT(DuplicateHandle(child->hProcess, (HANDLE)(ULONG_PTR)record->Kept, GetCurrentProcess(), &kept.Handle, 0,
                                FALSE, DUPLICATE_SAME_ACCESS))) {
        return;
    }
    (void)KeepHandle(kept.Handle);
    if (EXPECT_SUCCESS(QueryVersion(&kept, &version)) && OpenSession(&watcher, READ_ONLY)) {
        (void)EXPECT_EQUAL(record->Session, version.Session);
        (void)EXPECT_STATUS(STATUS_NOT_FOUND,
                            Subscribe(&watcher, version.Session, PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY));
        CloseSession(&watcher);
    }
    (void)EXPECT(TerminateProcess(child->hProcess, 3));
    (void)EXPECT_EQUAL(WAIT_OBJECT_0, WaitForSingleObject(child->hProcess, 10000));
    expected.Contexts = before.TotalContexts - HELD_CONTEXTS;
    expected.Sessions = before.TotalSessions - 2;
    (void)EXPECT(WaitUntil(IsTotal, &expected));
    (void)EXPECT_SUCCESS(QueryStatistics(&kept, &statistics));
    (void)EXPECT_EQUAL(HELD_CONTEXTS, statistics.SessionContexts);
    (void)EXPECT_SUCCESS(Lookup(&kept, HandleValue(file), 1, 0, NULL));
    (void)EXPECT_SUCCESS(Insert(&kept, HandleValue(file), 2, 0, NULL, "more", 4, NULL));
    CloseSession(&kept);
    expected.Contexts -= HELD_CONTEXTS;
    expected.Sessions -= 1;
    (void)EXPECT(WaitUntil(IsTotal, &expected));
}

static void TestKilledProcess(void)
{
    WCHAR section[64] = L"psctx-selftest-";
    WCHAR path[PATH_CAPACITY];
    PROCESS_INFORMATION child;
    HOLD_RECORD *record;
    SESSION monitor;
    HANDLE mapping;
    HANDLE file = MakeAndOpen(L"held");

    (void)WideAppendNumber(section, COUNT_OF(section), GetCurrentProcessId());
    mapping =
        KeepHandle(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(HOLD_RECORD), section));
    if (!OpenSession(&monitor, READ_ONLY) || !EXPECT(mapping != NULL)) {
        return;
    }
    record = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*record));
    FilesPath(L"held", path);
    if (!EXPECT(record != NULL)) {
        return;
    }
    if (StartChild(section, path, &child)) {
        (void)CloseHandle(child.hThread);
        KillChild(&child, record, &monitor, file);
        (void)TerminateProcess(child.hProcess, 3);
        (void)CloseHandle(child.hProcess);
    }
    (void)UnmapViewOfFile(record);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"held"));
}

static const TEST Tests[] = {
    {"sessions cannot see or touch each other's contexts", TestIsolation, NEEDS_CONTEXTS},
    {"a session's end takes its contexts with it", TestLifetimes, NEEDS_CONTEXTS},
    {"a context keeps its file open where nothing is torn down", TestAnchor,
     NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_ANCHOR},
    {"a context of the stream's lifetime outlives its session", TestOutliving,
     NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
    {"a killed process leaves no contexts and no waits, a duplicated session stays", TestKilledProcess,
     NEEDS_CONTEXTS | NEEDS_WRITABLE},
};

const TEST_GROUP SessionTests = {Tests, COUNT_OF(Tests)};
