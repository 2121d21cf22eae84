/* One stream under several handles and names, several streams of one file, and what becomes of contexts when it goes. */
#include "tests.h"

static void TestSupport(void)
{
    static const char *const reasons[] = {
        "yes", "not a file system", "a volume is open", "no FsContext", "no advanced header", "no filter contexts",
    };
    PSCTX_STREAM_REPLY reply;
    SESSION session;
    const HANDLE file = OpenSample(0);

    if (!OpenSession(&session, READ_ONLY) || !EXPECT_SUCCESS(QueryStream(&session, HandleValue(file), &reply))) {
        return;
    }
    (void)EXPECT(reply.Support < COUNT_OF(reasons));
    (void)EXPECT_EQUAL(0, reply.Reserved);
    Note("contexts on files here: %s; device type %u, header version %u",
         reply.Support < COUNT_OF(reasons) ? reasons[reply.Support] : "?", reply.DeviceType, reply.HeaderVersion);
    if (reply.Support != PSCTX_SUPPORT_YES && reply.Support != PSCTX_SUPPORT_NO_FILTER_CONTEXTS) {
        (void)EXPECT_EQUAL(0, reply.HeaderVersion);
    }
}

static void TestUnsupported(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    BYTE list[256];
    SESSION session;
    ULONG64 count;

    if (Volume.Contexts) {
        Skip("files of this volume support contexts");
        return;
    }
    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, Insert(&session, file, 1, 1, NULL, "x", 1, NULL));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, Lookup(&session, file, 1, 1, NULL));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, Remove(&session, file, 1, 1, NULL));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, RemoveAll(&session, file, 1, 1, PSCTX_MATCH_INSTANCE, &count));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, List(&session, file, 0, list, sizeof(list)));
}

static void TestTwoHandles(void)
{
    const HANDLE first = OpenSample(0);
    const HANDLE second = OpenSample(0);
    const HANDLE other = OpenSample(1);
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(first), 1, 1, NULL, "h", 1, NULL));
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(second), 1, 1, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(other), 1, 1, NULL));
    (void)EXPECT_STATUS(STATUS_OBJECT_NAME_COLLISION, Insert(&session, HandleValue(second), 1, 1, NULL, "h", 1, NULL));
    CloseKept(first);
    (void)EXPECT_SUCCESS(Remove(&session, HandleValue(second), 1, 1, NULL));
}

static void TestHardLink(void)
{
    SESSION session;
    HANDLE file;
    HANDLE link;
    DWORD error;

    file = MakeAndOpen(L"linked");
    error = FilesLink(L"linked", L"link");
    if (error == ERROR_NOT_SUPPORTED || error == ERROR_INVALID_FUNCTION || error == ERROR_CALL_NOT_IMPLEMENTED) {
        Skip("no hard links here");
        return;
    }
    if (!EXPECT_EQUAL(ERROR_SUCCESS, error) || !OpenSession(&session, READ_WRITE)) {
        return;
    }
    link = FilesOpen(L"link", GENERIC_READ);
    (void)EXPECT(link != INVALID_HANDLE_VALUE);
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 1, NULL, "l", 1, NULL));
    if (Volume.Remote) {
        Note("remote: the two names may be two streams to the redirector");
    } else {
        (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(link), 1, 1, NULL));
    }
    CloseKept(link);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"link"));
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"linked"));
}

static void TestRename(void)
{
    SESSION session;
    HANDLE file = MakeAndOpen(L"before");
    HANDLE again;
    DWORD error;

    if (!OpenSession(&session, READ_WRITE) ||
        !EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 1, NULL, "r", 1, NULL))) {
        return;
    }
    error = FilesRename(L"before", L"after");
    if (error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED) {
        Note("this file system does not rename an open file");
        CloseKept(file);
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"before"));
        return;
    }
    if (!EXPECT_EQUAL(ERROR_SUCCESS, error)) {
        return;
    }
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(file), 1, 1, NULL));
    again = FilesOpen(L"after", GENERIC_READ);
    (void)EXPECT(again != INVALID_HANDLE_VALUE);
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(again), 1, 1, NULL));
    CloseKept(again);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"after"));
}

static BOOL IsTornDown(void *context)
{
    PSCTX_STATISTICS_REPLY statistics;

    return QueryStatistics(context, &statistics) == STATUS_SUCCESS && statistics.SessionTornDown != 0;
}

/* Whether the file system tears the stream down now is its own affair; that nothing is lost either way is ours. */
static void ObserveTeardown(SESSION *session)
{
    PSCTX_STATISTICS_REPLY statistics;

    if (WaitUntil(IsTornDown, session)) {
        Note("teardown was seen after the last close");
    } else {
        Note("no teardown within 3 seconds: the file system keeps its stream context");
    }
    (void)EXPECT_SUCCESS(QueryStatistics(session, &statistics));
    (void)EXPECT_EQUAL(0, statistics.SessionRemoved);
    (void)EXPECT_EQUAL(statistics.SessionInserted, statistics.SessionContexts + statistics.SessionTornDown);
    (void)EXPECT(statistics.SessionContexts != 0 ||
                 statistics.SessionPagedBytes + statistics.SessionNonPagedBytes == 0);
}

static void TestTeardown(void)
{
    const INSERT_OPTIONS options = {PSCTX_IF_EXISTS_FAIL, PSCTX_POOL_NONPAGED, PSCTX_LIFETIME_STREAM};
    SESSION session;
    HANDLE file = MakeAndOpen(L"closed");

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 1, NULL, "t", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 2, NULL, "t", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 3, &options, "t", 1, NULL));
    CloseKept(file);
    ObserveTeardown(&session);
    file = FilesOpen(L"closed", GENERIC_READ);
    if (Lookup(&session, HandleValue(file), 1, 3, NULL) == STATUS_SUCCESS) {
        (void)EXPECT_SUCCESS(Remove(&session, HandleValue(file), 1, 3, NULL));
    }
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"closed"));
}

static void TestDeleteWhileOpen(void)
{
    SESSION session;
    HANDLE file = MakeAndOpen(L"deleted");
    DWORD error;

    if (!OpenSession(&session, READ_WRITE) ||
        !EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 1, NULL, "d", 1, NULL))) {
        return;
    }
    error = FilesDelete(L"deleted");
    if (error != ERROR_SUCCESS) {
        Note("this file system does not delete an open file: error %u", error);
    }
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(file), 1, 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 2, NULL, "d", 1, NULL));
    CloseKept(file);
    ObserveTeardown(&session);
    if (error != ERROR_SUCCESS) {
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"deleted"));
    }
}

static void TestNamedStreams(void)
{
    SESSION session;
    HANDLE file = MakeAndOpen(L"streams");
    HANDLE one;
    HANDLE two;
    HANDLE same;

    if (!EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(L"streams:one")) ||
        !EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(L"streams:two")) || !OpenSession(&session, READ_WRITE)) {
        return;
    }
    one = FilesOpen(L"streams:one", GENERIC_READ);
    two = FilesOpen(L"streams:TWO:$DATA", GENERIC_READ);
    same = FilesOpen(L"STREAMS::$DATA", GENERIC_READ);
    (void)EXPECT(one != INVALID_HANDLE_VALUE && two != INVALID_HANDLE_VALUE && same != INVALID_HANDLE_VALUE);
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(file), 1, 0, NULL, "0", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(one), 1, 1, NULL, "1", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, HandleValue(two), 1, 2, NULL, "2", 1, NULL));
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(same), 1, 0, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(file), 1, 1, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(one), 1, 0, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(one), 1, 2, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(two), 1, 1, NULL));
    (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(two), 1, 2, NULL));
    CloseAllKept();
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"streams"));
}

static void TestDirectory(void)
{
    PSCTX_STREAM_REPLY reply;
    SESSION session;
    HANDLE directory;
    DWORD error;

    if (!EXPECT_EQUAL(ERROR_SUCCESS, FilesMakeDirectory(L"directory")) || !OpenSession(&session, READ_WRITE)) {
        return;
    }
    directory = FilesOpenDirectory(L"directory");
    if (!EXPECT(directory != INVALID_HANDLE_VALUE) ||
        !EXPECT_SUCCESS(QueryStream(&session, HandleValue(directory), &reply))) {
        return;
    }
    if (reply.Support == PSCTX_SUPPORT_YES) {
        (void)EXPECT_SUCCESS(Insert(&session, HandleValue(directory), 1, 1, NULL, "d", 1, NULL));
        (void)EXPECT_SUCCESS(Remove(&session, HandleValue(directory), 1, 1, NULL));
    } else {
        Note("directories support no contexts here: %u", reply.Support);
        (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST,
                            Insert(&session, HandleValue(directory), 1, 1, NULL, "d", 1, NULL));
    }
    CloseKept(directory);
    error = FilesDelete(L"directory");
    if (Volume.Win32) {
        WCHAR path[PATH_CAPACITY];

        FilesPath(L"directory", path);
        (void)EXPECT(RemoveDirectoryW(path));
    } else {
        (void)EXPECT_EQUAL(ERROR_SUCCESS, error);
    }
}

static const TEST Tests[] = {
    {"the driver tells what a file of this volume can carry", TestSupport, NEEDS_SAMPLE},
    {"a file without support for contexts is refused every operation", TestUnsupported, NEEDS_SAMPLE},
    {"two handles on one stream see the same contexts", TestTwoHandles, NEEDS_CONTEXTS | NEEDS_TWO},
    {"a hard link is the same stream", TestHardLink, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"a rename leaves contexts where they are", TestRename, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"contexts go with their stream after the last close", TestTeardown,
     NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
    {"a file deleted while it is open keeps its contexts", TestDeleteWhileOpen, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"each named stream has contexts of its own", TestNamedStreams, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_STREAMS},
    {"a directory", TestDirectory, NEEDS_WRITABLE},
};

const TEST_GROUP StreamTests = {Tests, COUNT_OF(Tests)};
