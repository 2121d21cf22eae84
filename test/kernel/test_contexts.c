/* INSERT, LOOKUP, REMOVE and REMOVE_ALL on one stream. */
#include "tests.h"

#define LARGEST_REQUEST (sizeof(PSCTX_INSERT_REQUEST) + PSCTX_MAXIMUM_DATA_LENGTH + 8u)

static BOOL Start(SESSION *session, ULONG64 *handle)
{
    const HANDLE file = OpenSample(0);

    *handle = HandleValue(file);
    return file != INVALID_HANDLE_VALUE && OpenSession(session, READ_WRITE);
}

static void TestRoundTrip(void)
{
    static const char data[] = "what was seen";
    PSCTX_INSERT_REPLY inserted;
    PSCTX_STATISTICS_REPLY statistics;
    CONTEXT_BUFFER context;
    SESSION session;
    ULONG64 file;

    if (!Start(&session, &file)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, file, 1, 2, &context));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Remove(&session, file, 1, 2, &context));
    if (!EXPECT_SUCCESS(Insert(&session, file, 1, 2, NULL, data, sizeof(data), &inserted))) {
        return;
    }
    (void)EXPECT_EQUAL(PSCTX_OUTCOME_INSERTED, inserted.Outcome);
    (void)EXPECT_EQUAL(0, inserted.Reserved);
    (void)EXPECT(inserted.Sequence != 0);
    if (EXPECT_SUCCESS(Lookup(&session, file, 1, 2, &context))) {
        (void)EXPECT_EQUAL(sizeof(PSCTX_CONTEXT_REPLY) + sizeof(data), context.Reply.Header.Size);
        (void)EXPECT_EQUAL(1, context.Reply.OwnerKey);
        (void)EXPECT_EQUAL(2, context.Reply.Instance);
        (void)EXPECT_EQUAL(inserted.Sequence, context.Reply.Sequence);
        (void)EXPECT_EQUAL(PSCTX_HOLDER_SELF, context.Reply.Holder);
        (void)EXPECT_EQUAL(PSCTX_POOL_PAGED, context.Reply.Pool);
        (void)EXPECT_EQUAL(PSCTX_LIFETIME_SESSION, context.Reply.Lifetime);
        (void)EXPECT_EQUAL(sizeof(data), context.Reply.DataLength);
        (void)EXPECT(memcmp(context.Data, data, sizeof(data)) == 0);
    }
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, file, 1, 3, NULL));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, file, 2, 2, NULL));
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(1, statistics.SessionContexts);
    (void)EXPECT(statistics.SessionPagedBytes > sizeof(data));
    (void)EXPECT_EQUAL(0, statistics.SessionNonPagedBytes);
    (void)EXPECT_SUCCESS(Remove(&session, file, 1, 2, &context));
    (void)EXPECT(memcmp(context.Data, data, sizeof(data)) == 0);
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&session, file, 1, 2, NULL));
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(0, statistics.SessionContexts);
    (void)EXPECT_EQUAL(1, statistics.SessionInserted);
    (void)EXPECT_EQUAL(1, statistics.SessionRemoved);
    (void)EXPECT_EQUAL(0, statistics.SessionPagedBytes);
}

static void TestIfExists(void)
{
    const INSERT_OPTIONS keep = {PSCTX_IF_EXISTS_KEEP, PSCTX_POOL_PAGED, PSCTX_LIFETIME_SESSION};
    const INSERT_OPTIONS replace = {PSCTX_IF_EXISTS_REPLACE, PSCTX_POOL_NONPAGED, PSCTX_LIFETIME_SESSION};
    const INSERT_OPTIONS add = {PSCTX_IF_EXISTS_ADD, PSCTX_POOL_PAGED, PSCTX_LIFETIME_SESSION};
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_INSERT_REPLY first;
    PSCTX_INSERT_REPLY reply;
    CONTEXT_BUFFER context;
    SESSION session;
    ULONG64 file;
    ULONG64 count;

    if (!Start(&session, &file) || !EXPECT_SUCCESS(Insert(&session, file, 1, 0, NULL, "a", 1, &first))) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_OBJECT_NAME_COLLISION, Insert(&session, file, 1, 0, NULL, "b", 1, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 0, &keep, "c", 1, &reply));
    (void)EXPECT_EQUAL(PSCTX_OUTCOME_KEPT, reply.Outcome);
    (void)EXPECT_EQUAL(first.Sequence, reply.Sequence);
    (void)EXPECT_SUCCESS(Lookup(&session, file, 1, 0, &context));
    (void)EXPECT_EQUAL('a', context.Data[0]);

    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 0, &replace, "d", 1, &reply));
    (void)EXPECT_EQUAL(PSCTX_OUTCOME_REPLACED, reply.Outcome);
    (void)EXPECT(reply.Sequence > first.Sequence);
    (void)EXPECT_SUCCESS(Lookup(&session, file, 1, 0, &context));
    (void)EXPECT_EQUAL('d', context.Data[0]);
    (void)EXPECT_EQUAL(PSCTX_POOL_NONPAGED, context.Reply.Pool);
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(1, statistics.SessionContexts);
    (void)EXPECT_EQUAL(0, statistics.SessionPagedBytes);
    (void)EXPECT(statistics.SessionNonPagedBytes != 0);

    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 0, &add, "e", 1, &reply));
    (void)EXPECT_EQUAL(PSCTX_OUTCOME_ADDED, reply.Outcome);
    (void)EXPECT_SUCCESS(Insert(&session, file, 1, 5, &add, "f", 1, &reply));
    (void)EXPECT_EQUAL(PSCTX_OUTCOME_INSERTED, reply.Outcome);
    (void)EXPECT_SUCCESS(Remove(&session, file, 1, 0, &context));
    (void)EXPECT_EQUAL('e', context.Data[0]);
    (void)EXPECT_SUCCESS(Lookup(&session, file, 1, 0, &context));
    (void)EXPECT_EQUAL('d', context.Data[0]);
    (void)EXPECT_SUCCESS(RemoveAll(&session, file, 1, 0, PSCTX_MATCH_INSTANCE, &count));
    (void)EXPECT_EQUAL(1, count);
    (void)EXPECT_SUCCESS(RemoveAll(&session, file, 1, 0, PSCTX_MATCH_INSTANCE, &count));
    (void)EXPECT_EQUAL(0, count);
    (void)EXPECT_SUCCESS(Lookup(&session, file, 1, 5, NULL));
}

static void TestMatches(void)
{
    CONTEXT_BUFFER context;
    SESSION session;
    ULONG64 file;
    ULONG64 count;

    if (!Start(&session, &file)) {
        return;
    }
    for (ULONG64 owner = 0; owner < 3; owner += 1) {
        for (ULONG64 instance = 0; instance < 3; instance += 1) {
            (void)EXPECT_SUCCESS(Insert(&session, file, owner, instance, NULL, "m", 1, NULL));
        }
    }
    (void)EXPECT_SUCCESS(Insert(&session, file, ~0ull, ~0ull, NULL, "", 0, NULL));
    (void)EXPECT_SUCCESS(Lookup(&session, file, ~0ull, ~0ull, &context));
    (void)EXPECT_EQUAL(0, context.Reply.DataLength);
    (void)EXPECT_SUCCESS(
        Match(&session, PSCTX_OPERATION_LOOKUP, file, 0, 0, PSCTX_MATCH_OWNER, &context, sizeof(context)));
    (void)EXPECT_EQUAL(2, context.Reply.Instance);
    (void)EXPECT_SUCCESS(
        Match(&session, PSCTX_OPERATION_REMOVE, file, 0, 0, PSCTX_MATCH_OWNER, &context, sizeof(context)));
    (void)EXPECT_EQUAL(2, context.Reply.Instance);
    (void)EXPECT_SUCCESS(
        Match(&session, PSCTX_OPERATION_LOOKUP, file, 0, 0, PSCTX_MATCH_FIRST, &context, sizeof(context)));
    if (context.Reply.Holder == PSCTX_HOLDER_SELF) {
        (void)EXPECT_EQUAL(~0ull, context.Reply.OwnerKey);
    } else {
        Note("the first context on the stream is another filter's");
    }
    (void)EXPECT_SUCCESS(RemoveAll(&session, file, 1, 0, PSCTX_MATCH_OWNER, &count));
    (void)EXPECT_EQUAL(3, count);
    (void)EXPECT_SUCCESS(RemoveAll(&session, file, 0, 0, PSCTX_MATCH_FIRST, &count));
    (void)EXPECT_EQUAL(6, count);
}

static void TestMatchArguments(void)
{
    static const struct {
        ULONG Operation;
        ULONG64 Owner;
        ULONG64 Instance;
        ULONG Match;
    } wrong[] = {
        {PSCTX_OPERATION_LOOKUP, 0, 0, 3},
        {PSCTX_OPERATION_LOOKUP, 0, 0, 0xFFFFFFFFu},
        {PSCTX_OPERATION_LOOKUP, 1, 0, PSCTX_MATCH_FIRST},
        {PSCTX_OPERATION_LOOKUP, 0, 1, PSCTX_MATCH_FIRST},
        {PSCTX_OPERATION_LOOKUP, 1, 1, PSCTX_MATCH_OWNER},
        {PSCTX_OPERATION_REMOVE, 0, 0, PSCTX_MATCH_FIRST},
        {PSCTX_OPERATION_REMOVE, 0, 0, 32},
        {PSCTX_OPERATION_REMOVE_ALL, 0, 0, 3},
        {PSCTX_OPERATION_REMOVE_ALL, 7, 0, PSCTX_MATCH_FIRST},
    };
    PSCTX_MATCH_REQUEST request;
    CONTEXT_BUFFER context;
    SESSION session;
    ULONG64 file;

    if (!Start(&session, &file) || !EXPECT_SUCCESS(Insert(&session, file, 0, 0, NULL, "x", 1, NULL))) {
        return;
    }
    for (size_t index = 0; index < COUNT_OF(wrong); index += 1) {
        (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER,
                            Match(&session, wrong[index].Operation, file, wrong[index].Owner, wrong[index].Instance,
                                  wrong[index].Match, &context, sizeof(context)));
    }
    memset(&request, 0, sizeof(request));
    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_LOOKUP);
    request.Handle = file;
    request.Reserved = 1;
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Control(&session, PSCTX_IOCTL_LOOKUP, &request, sizeof(request),
                                                          &context, sizeof(context), NULL));
    (void)EXPECT_SUCCESS(Lookup(&session, file, 0, 0, NULL));
}

static void TestInsertArguments(void)
{
    static const INSERT_OPTIONS wrong[] = {{4, 0, 0},           {0xFFFFFFFFu, 0, 0}, {0, 2, 0},
                                           {0, 0xFFFFFFFFu, 0}, {0, 0, 2},           {0, 0, 0xFFFFFFFFu}};
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_INSERT_REQUEST request;
    PSCTX_INSERT_REPLY reply;
    SESSION session;
    ULONG64 file;

    if (!Start(&session, &file)) {
        return;
    }
    for (size_t index = 0; index < COUNT_OF(wrong); index += 1) {
        (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Insert(&session, file, 1, 1, &wrong[index], "x", 1, NULL));
    }
    memset(&request, 0, sizeof(request));
    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_INSERT);
    request.Handle = file;
    request.DataLength = 1;
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH,
                        Control(&session, PSCTX_IOCTL_INSERT, &request, sizeof(request), &reply, sizeof(reply), NULL));
    request.DataLength = 0xFFFFFFFFu;
    (void)EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE,
                        Control(&session, PSCTX_IOCTL_INSERT, &request, sizeof(request), &reply, sizeof(reply), NULL));
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(0, statistics.SessionInserted);
}

/* The largest data goes in and comes back; a byte more does not; and what does not fit is told, not removed. */
static void CheckLargestData(const SESSION *session, ULONG64 file, BYTE *memory)
{
    PSCTX_INSERT_REQUEST *request = (PSCTX_INSERT_REQUEST *)memory;
    PSCTX_CONTEXT_REPLY *reply = (PSCTX_CONTEXT_REPLY *)memory;
    const ULONG length = (ULONG)sizeof(*request) + PSCTX_MAXIMUM_DATA_LENGTH;
    CONTEXT_BUFFER small;
    PSCTX_INSERT_REPLY inserted;

    memset(memory, 0, LARGEST_REQUEST);
    request->Handle = file;
    request->DataLength = PSCTX_MAXIMUM_DATA_LENGTH + 1;
    SetHeader(&request->Header, length + 1, PSCTX_OPERATION_INSERT);
    (void)EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE,
                        Control(session, PSCTX_IOCTL_INSERT, request, length + 1, &inserted, sizeof(inserted), NULL));
    request->DataLength = PSCTX_MAXIMUM_DATA_LENGTH;
    SetHeader(&request->Header, length, PSCTX_OPERATION_INSERT);
    FillPattern((BYTE *)(request + 1), PSCTX_MAXIMUM_DATA_LENGTH, 9, 0);
    if (!EXPECT_SUCCESS(Control(session, PSCTX_IOCTL_INSERT, request, length, &inserted, sizeof(inserted), NULL))) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, Remove(session, file, 0, 0, &small));
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_DATA_LENGTH, small.Reply.DataLength);
    (void)EXPECT_EQUAL(sizeof(PSCTX_CONTEXT_REPLY), small.Reply.Header.Size);
    (void)EXPECT_EQUAL(inserted.Sequence, small.Reply.Sequence);
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, Match(session, PSCTX_OPERATION_LOOKUP, file, 0, 0, PSCTX_MATCH_INSTANCE,
                                                      reply, sizeof(*reply)));
    memset(memory, 0, LARGEST_REQUEST);
    (void)EXPECT_SUCCESS(Match(session, PSCTX_OPERATION_REMOVE, file, 0, 0, PSCTX_MATCH_INSTANCE, reply,
                               (ULONG)sizeof(*reply) + PSCTX_MAXIMUM_DATA_LENGTH));
    (void)EXPECT(IsPattern((const BYTE *)(reply + 1), PSCTX_MAXIMUM_DATA_LENGTH, 9, 0));
}

static void TestDataLimit(void)
{
    SESSION session;
    ULONG64 file;
    BYTE *memory;

    if (!Start(&session, &file)) {
        return;
    }
    memory = VirtualAlloc(NULL, LARGEST_REQUEST, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (EXPECT(memory != NULL)) {
        CheckLargestData(&session, file, memory);
        (void)VirtualFree(memory, 0, MEM_RELEASE);
    }
}

static void TestEveryDataLength(void)
{
    BYTE data[64];
    SESSION session;
    ULONG64 file;

    if (!Start(&session, &file)) {
        return;
    }
    for (ULONG length = 0; length <= sizeof(data); length += 1) {
        CONTEXT_BUFFER context;

        FillPattern(data, sizeof(data), length, 0);
        (void)EXPECT_SUCCESS(Insert(&session, file, 3, length, NULL, data, length, NULL));
        memset(&context, 0xEE, sizeof(context));
        (void)EXPECT_SUCCESS(Lookup(&session, file, 3, length, &context));
        (void)EXPECT_EQUAL(length, context.Reply.DataLength);
        (void)EXPECT(memcmp(context.Data, data, length) == 0);
        if (length != 0) {
            (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW,
                                Match(&session, PSCTX_OPERATION_LOOKUP, file, 3, length, PSCTX_MATCH_INSTANCE, &context,
                                      (ULONG)sizeof(PSCTX_CONTEXT_REPLY) + length - 1));
        }
    }
}

static void TestOwnerLimit(void)
{
    const INSERT_OPTIONS keep = {PSCTX_IF_EXISTS_KEEP, PSCTX_POOL_PAGED, PSCTX_LIFETIME_SESSION};
    SESSION session;
    ULONG64 file;

    if (!Start(&session, &file)) {
        return;
    }
    for (ULONG64 owner = 0; owner < PSCTX_MAXIMUM_OWNERS; owner += 1) {
        if (!EXPECT_SUCCESS(Insert(&session, file, owner, 0, NULL, "", 0, NULL)) ||
            !EXPECT_SUCCESS(Remove(&session, file, owner, 0, NULL))) {
            return;
        }
    }
    (void)EXPECT_STATUS(STATUS_QUOTA_EXCEEDED, Insert(&session, file, ~0ull, 0, NULL, "", 0, NULL));
    (void)EXPECT_SUCCESS(Insert(&session, file, 0, 0, &keep, "", 0, NULL));
}

static const TEST Tests[] = {
    {"insert, look up and remove a context", TestRoundTrip, NEEDS_CONTEXTS},
    {"an instance that exists fails, stays, is replaced or gets company", TestIfExists, NEEDS_CONTEXTS},
    {"matches go by instance, owner and first, youngest first", TestMatches, NEEDS_CONTEXTS},
    {"a match that makes no sense is refused", TestMatchArguments, NEEDS_CONTEXTS},
    {"an insertion that makes no sense is refused", TestInsertArguments, NEEDS_CONTEXTS},
    {"data up to the limit comes back whole, and is told when it does not fit", TestDataLimit, NEEDS_CONTEXTS},
    {"data of every small length comes back", TestEveryDataLength, NEEDS_CONTEXTS},
    {"a session has so many owners and no more", TestOwnerLimit, NEEDS_CONTEXTS},
};

const TEST_GROUP ContextTests = {Tests, COUNT_OF(Tests)};
