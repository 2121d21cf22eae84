/* TRACK, UNTRACK and QUERY_RULE, and what they tell of the filter's place on this volume. */
#include "reader.h"
#include "tests.h"

static const WCHAR Pattern[] = L"*PSCTX-Tracked-*";

#define PATTERN_LENGTH ((ULONG)(sizeof(Pattern) - sizeof(WCHAR)))

static READER Reader;

static void TestArguments(void)
{
    static const WCHAR withNul[] = {L'a', 0, L'b'};
    static struct {
        PSCTX_TRACK_REQUEST Request;
        WCHAR Pattern[PSCTX_MAXIMUM_PATTERN_LENGTH / sizeof(WCHAR) + 1];
    } buffer;
    PSCTX_RULE_RECORD reply;
    SESSION session;
    SESSION other;
    ULONG64 rule;

    if (!OpenSession(&session, READ_WRITE) || !OpenSession(&other, READ_WRITE)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Track(&session, 1, 1, Pattern, 0, &rule));
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Track(&session, 1, 1, Pattern, 3, &rule));
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Track(&session, 1, 1, withNul, sizeof(withNul), &rule));
    for (size_t index = 0; index < COUNT_OF(buffer.Pattern); index += 1) {
        buffer.Pattern[index] = L'q';
    }
    buffer.Request.PatternLength = PSCTX_MAXIMUM_PATTERN_LENGTH + 2;
    SetHeader(&buffer.Request.Header, (ULONG)sizeof(buffer.Request) + PSCTX_MAXIMUM_PATTERN_LENGTH + 2,
              PSCTX_OPERATION_TRACK);
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Control(&session, PSCTX_IOCTL_TRACK, &buffer,
                                                          buffer.Request.Header.Size, &reply, sizeof(reply), NULL));
    buffer.Request.PatternLength = PSCTX_MAXIMUM_PATTERN_LENGTH;
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, Control(&session, PSCTX_IOCTL_TRACK, &buffer,
                                                             buffer.Request.Header.Size, &reply, sizeof(reply), NULL));
    buffer.Request.Header.Size -= 2;
    buffer.Request.Flags = PSCTX_TRACK_COUNT << 1;
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Control(&session, PSCTX_IOCTL_TRACK, &buffer,
                                                          buffer.Request.Header.Size, &reply, sizeof(reply), NULL));
    buffer.Request.Flags = 0;
    if (EXPECT_SUCCESS(
            Control(&session, PSCTX_IOCTL_TRACK, &buffer, buffer.Request.Header.Size, &reply, sizeof(reply), NULL))) {
        (void)EXPECT(reply.Rule != 0);
        (void)EXPECT_STATUS(STATUS_NOT_FOUND, Untrack(&other, reply.Rule));
        (void)EXPECT_SUCCESS(Untrack(&session, reply.Rule));
        (void)EXPECT_STATUS(STATUS_NOT_FOUND, Untrack(&session, reply.Rule));
    }
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Untrack(&session, 0));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Untrack(&session, ~0ull));
}

static void TestRuleLimit(void)
{
    ULONG64 rules[PSCTX_MAXIMUM_RULES];
    ULONG64 rule;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (ULONG index = 0; index < PSCTX_MAXIMUM_RULES; index += 1) {
        if (!EXPECT_SUCCESS(Track(&session, 1, index, Pattern, PATTERN_LENGTH, &rules[index]))) {
            return;
        }
        (void)EXPECT(index == 0 || rules[index] != rules[index - 1]);
    }
    (void)EXPECT_STATUS(STATUS_QUOTA_EXCEEDED, Track(&session, 1, 1, Pattern, PATTERN_LENGTH, &rule));
    (void)EXPECT_SUCCESS(Untrack(&session, rules[7]));
    (void)EXPECT_SUCCESS(Track(&session, 1, 1, Pattern, PATTERN_LENGTH, &rule));
}

/* Only a filter on this volume sees its creates: a tracked one tells, as nothing else in the ABI does for one volume. */
static void TestTrackedCreate(void)
{
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_STREAM_REPLY stream;
    CONTEXT_BUFFER context;
    SESSION session;
    HANDLE tracked;
    HANDLE other;
    ULONG64 rule;
    LONG status;

    if (!OpenSession(&session, READ_WRITE) || !EXPECT_SUCCESS(QueryStatistics(&session, &statistics)) ||
        !EXPECT_SUCCESS(Track(&session, 8, 9, Pattern, PATTERN_LENGTH, &rule))) {
        return;
    }
    tracked = MakeAndOpen(L"psctx-tracked-1");
    other = MakeAndOpen(L"psctx-other-1");
    (void)EXPECT_SUCCESS(QueryStream(&session, HandleValue(tracked), &stream));
    status = Lookup(&session, HandleValue(tracked), 8, 9, &context);
    if (status == STATUS_NOT_FOUND && statistics.AttachedVolumes == 0) {
        Skip("the filter is attached to no volume: legacy filters may be blocked here");
    } else if (status == STATUS_NOT_FOUND && (Volume.Remote || stream.DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM)) {
        Skip("the filter is not attached to this volume");
    } else if (EXPECT_SUCCESS(status)) {
        Note("the filter is attached to this volume");
        (void)EXPECT_EQUAL(0, context.Reply.DataLength);
        (void)EXPECT_EQUAL(PSCTX_LIFETIME_SESSION, context.Reply.Lifetime);
        (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(other), 8, 9, NULL));
        (void)EXPECT_SUCCESS(Untrack(&session, rule));
        (void)EXPECT_SUCCESS(Lookup(&session, HandleValue(tracked), 8, 9, NULL));
        (void)EXPECT_SUCCESS(Remove(&session, HandleValue(tracked), 8, 9, NULL));
        CloseKept(tracked);
        tracked = FilesOpen(L"psctx-tracked-1", GENERIC_READ);
        (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, HandleValue(tracked), 8, 9, NULL));
    }
    CloseKept(tracked);
    CloseKept(other);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"psctx-tracked-1"));
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"psctx-other-1"));
}

/* Whether the filter sees the creates on this volume: a rule has matched one. If not, and it need not be there, the test is skipped. */
static BOOL HasMatched(const SESSION *session, ULONG64 rule, HANDLE file, PSCTX_RULE_REPLY *reply)
{
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_STREAM_REPLY stream;

    if (!EXPECT_SUCCESS(QueryRule(session, rule, reply)) || !EXPECT_SUCCESS(QueryStatistics(session, &statistics)) ||
        !EXPECT_SUCCESS(QueryStream(session, HandleValue(file), &stream))) {
        return FALSE;
    }
    if (reply->Matched == 0 &&
        (statistics.AttachedVolumes == 0 || Volume.Remote || stream.DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM)) {
        Skip("the filter is not attached to this volume");
        return FALSE;
    }
    return EXPECT(reply->Matched != 0);
}

/* A rule's opens that get no context: with every owner that a session may have used up, or where contexts would need an anchor. */
static void CheckMisses(SESSION *session, const WCHAR *name)
{
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_RULE_REPLY reply;
    const PSCTX_EVENT *event;
    ULONG64 rule;
    HANDLE file;

    if (!OpenReader(&Reader, session, 1u << PSCTX_EVENT_MISSED, PSCTX_MINIMUM_EVENT_CAPACITY) ||
        !EXPECT_SUCCESS(Track(session, ~0ull, 9, Pattern, PATTERN_LENGTH, &rule))) {
        return;
    }
    file = MakeAndOpen(name);
    if (HasMatched(session, rule, file, &reply)) {
        (void)EXPECT(reply.Missed != 0);
        (void)EXPECT_EQUAL(0, reply.Inserted);
        (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(session, HandleValue(file), ~0ull, 9, NULL));
        event = NextEvent(&Reader);
        if (event != NULL) {
            (void)EXPECT_EQUAL(PSCTX_EVENT_MISSED, event->Type);
            (void)EXPECT_EQUAL(rule, event->Sequence);
            (void)EXPECT(event->Count != 0);
        }
        if (EXPECT_SUCCESS(QueryStatistics(session, &statistics))) {
            (void)EXPECT(statistics.SessionMissed >= reply.Missed);
        }
    }
    (void)EXPECT_SUCCESS(Untrack(session, rule));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, QueryRule(session, rule, &reply));
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

static void TestMissed(void)
{
    const ULONG64 sample = HandleValue(OpenSample(0));
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (ULONG64 owner = 0; owner < PSCTX_MAXIMUM_OWNERS; owner += 1) {
        if (!EXPECT_SUCCESS(Insert(&session, sample, owner, 0, NULL, NULL, 0, NULL)) ||
            !EXPECT_SUCCESS(Remove(&session, sample, owner, 0, NULL))) {
            return;
        }
    }
    CheckMisses(&session, L"psctx-tracked-2");
}

static void TestMissedAnchor(void)
{
    SESSION session;

    if (OpenSession(&session, READ_WRITE)) {
        CheckMisses(&session, L"psctx-tracked-3");
    }
}

static const TEST Tests[] = {
    {"a tracking rule that makes no sense is refused", TestArguments, 0},
    {"a session has so many tracking rules and no more", TestRuleLimit, 0},
    {"a tracked create brings a context", TestTrackedCreate, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
    {"opens that a rule has no context for are counted and told", TestMissed, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"a rule misses every open where contexts would need an anchor", TestMissedAnchor,
     NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_ANCHOR},
};

const TEST_GROUP TrackTests = {Tests, COUNT_OF(Tests)};
