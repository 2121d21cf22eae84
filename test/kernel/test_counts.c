/* Tracking rules that count, and those for one volume: opens, cleanups, reads, writes, and their events. */
#include "reader.h"
#include "tests.h"

#define OWNER 11u
#define INSTANCE 12u
#define CAPACITY PSCTX_MINIMUM_EVENT_CAPACITY

static const WCHAR Pattern[] = L"*PSCTX-Counted-*";

#define PATTERN_LENGTH ((ULONG)(sizeof(Pattern) - sizeof(WCHAR)))

static READER Reader;

/* Whether the rule brought a context; if it did not, and the filter need not be on this volume, the test is skipped. */
static BOOL IsTracked(const SESSION *session, HANDLE file)
{
    const LONG status = Lookup(session, HandleValue(file), OWNER, INSTANCE, NULL);
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_STREAM_REPLY stream;

    if (status == STATUS_NOT_FOUND && EXPECT_SUCCESS(QueryStatistics(session, &statistics)) &&
        EXPECT_SUCCESS(QueryStream(session, HandleValue(file), &stream)) &&
        (statistics.AttachedVolumes == 0 || Volume.Remote || stream.DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM)) {
        Skip("the filter is not attached to this volume");
        return FALSE;
    }
    return EXPECT_SUCCESS(status);
}

/* What is counted for the only context on the stream. */
static BOOL ReadTracking(const SESSION *session, HANDLE file, PSCTX_TRACKING *tracking)
{
    static union {
        PSCTX_LIST_REPLY Reply;
        BYTE Bytes[4096];
    } list;
    const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)(&list.Reply + 1);

    if (!EXPECT_SUCCESS(List(session, HandleValue(file), 0, &list, sizeof(list))) ||
        !EXPECT_EQUAL(1, list.Reply.Count) || !EXPECT_EQUAL(PSCTX_TRACKED_COUNTED, entry->Tracked) ||
        !EXPECT(entry->Size >= sizeof(*entry) + sizeof(*tracking) + entry->NameLength)) {
        return FALSE;
    }
    (void)EXPECT_EQUAL(OWNER, entry->OwnerKey);
    (void)EXPECT_EQUAL(INSTANCE, entry->Instance);
    (void)EXPECT(entry->NameLength != 0);
    memcpy(tracking, entry + 1, sizeof(*tracking));
    return TRUE;
}

/* Where others may open and read what is made, as scanners do, there may be more than expected. */
static void ExpectCount(ULONG64 expected, ULONG64 got)
{
    if (Volume.Win32) {
        (void)EXPECT(got >= expected);
    } else {
        (void)EXPECT_EQUAL(expected, got);
    }
}

static void UseFile(HANDLE writer, HANDLE reader)
{
    BYTE bytes[100];
    DWORD length;

    memset(bytes, 'w', sizeof(bytes));
    (void)EXPECT(WriteFile(writer, bytes, 100, &length, NULL));
    (void)EXPECT(WriteFile(writer, bytes, 20, &length, NULL));
    (void)EXPECT(ReadFile(reader, bytes, 10, &length, NULL));
    (void)EXPECT(ReadFile(reader, bytes, 10, &length, NULL));
    (void)EXPECT(ReadFile(reader, bytes, 30, &length, NULL));
}

static void TestCounts(void)
{
    static const WCHAR name[] = L"psctx-counted-1";
    PSCTX_TRACKING tracking;
    SESSION session;
    HANDLE writer;
    HANDLE reader;
    ULONG64 rule;

    if (!OpenSession(&session, READ_WRITE) || !EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name)) ||
        !EXPECT_SUCCESS(
            TrackOnVolume(&session, 0, PSCTX_TRACK_COUNT, OWNER, INSTANCE, Pattern, PATTERN_LENGTH, &rule))) {
        return;
    }
    writer = FilesOpen(name, GENERIC_READ | GENERIC_WRITE);
    reader = FilesOpen(name, GENERIC_READ);
    if (IsTracked(&session, writer) && ReadTracking(&session, writer, &tracking)) {
        ExpectCount(2, tracking.Opens);
        ExpectCount(0, tracking.Cleanups);
        ExpectCount(0, tracking.Reads);
        ExpectCount(0, tracking.Writes);
        UseFile(writer, reader);
        CloseKept(reader);
        if (ReadTracking(&session, writer, &tracking)) {
            ExpectCount(2, tracking.Opens);
            ExpectCount(1, tracking.Cleanups);
            ExpectCount(3, tracking.Reads);
            ExpectCount(50, tracking.BytesRead);
            ExpectCount(2, tracking.Writes);
            ExpectCount(120, tracking.BytesWritten);
            (void)EXPECT(tracking.FirstProcessId != 0 && tracking.LastProcessId != 0);
            (void)EXPECT(Volume.Win32 || (tracking.FirstProcessId == GetCurrentProcessId() &&
                                          tracking.LastProcessId == GetCurrentProcessId()));
        }
    }
    CloseKept(reader);
    CloseKept(writer);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

static void TestVolume(void)
{
    static const WCHAR name[] = L"psctx-counted-2";
    const HANDLE sample = OpenSample(0);
    PSCTX_TRACKING tracking;
    SESSION session;
    HANDLE file;
    ULONG64 rule;

    if (!OpenSession(&session, READ_WRITE) || !EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name))) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_INVALID_HANDLE,
                        TrackOnVolume(&session, 0x7FFFFFF0u, 0, 1, 1, Pattern, PATTERN_LENGTH, &rule));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST,
                        TrackOnVolume(&session, HandleValue(session.Handle), 0, 1, 1, Pattern, PATTERN_LENGTH, &rule));
    (void)EXPECT_SUCCESS(TrackOnVolume(&session, HandleValue(sample), PSCTX_TRACK_COUNT, OWNER, INSTANCE, Pattern,
                                       PATTERN_LENGTH, &rule));
    CloseKept(sample);
    file = FilesOpen(name, GENERIC_READ);
    if (IsTracked(&session, file) && ReadTracking(&session, file, &tracking)) {
        ExpectCount(1, tracking.Opens);
    }
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

/* The next event is this one: the name is as opened, the process is this one; but Wine closes files in a process of its own. */
static void ExpectTracked(ULONG type)
{
    const PSCTX_EVENT *event = NextEvent(&Reader);

    if (event != NULL) {
        (void)EXPECT_EQUAL(type, event->Type);
        (void)EXPECT_EQUAL(OWNER, event->OwnerKey);
        (void)EXPECT_EQUAL(INSTANCE, event->Instance);
        (void)EXPECT(event->Sequence != 0 && event->NameLength != 0);
        (void)EXPECT(event->ProcessId == GetCurrentProcessId() || (type == PSCTX_EVENT_CLEANUP && IsWine()));
    }
}

static void TestTrackedEvents(void)
{
    static const WCHAR name[] = L"psctx-counted-3";
    SESSION session;
    HANDLE first;
    HANDLE second;
    ULONG64 rule;

    if (!OpenSession(&session, READ_WRITE) || !EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name)) ||
        !OpenReader(&Reader, &session, 1u << PSCTX_EVENT_TRACKED | 1u << PSCTX_EVENT_CLEANUP, CAPACITY) ||
        !EXPECT_SUCCESS(Track(&session, OWNER, INSTANCE, Pattern, PATTERN_LENGTH, &rule))) {
        return;
    }
    first = FilesOpen(name, GENERIC_READ);
    if (IsTracked(&session, first)) {
        second = FilesOpen(name, GENERIC_READ);
        CloseKept(second);
        ExpectTracked(PSCTX_EVENT_TRACKED);
        ExpectTracked(PSCTX_EVENT_TRACKED);
        ExpectTracked(PSCTX_EVENT_CLEANUP);
    }
    CloseKept(first);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

static const TEST Tests[] = {
    {"a rule that counts tells opens, cleanups, reads, writes and bytes", TestCounts,
     NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
    {"a rule for one volume is told by a handle", TestVolume, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
    {"a tracked create and its cleanup are told", TestTrackedEvents, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
};

const TEST_GROUP CountTests = {Tests, COUNT_OF(Tests)};
