/* BATCH and LOOKUP_BATCH: many requests, each with its own status. */
#include "tests.h"

#define BATCH_BYTES 131072u
#define MANY 1000u

/* Requests on their way in, replies on their way out. */
static BYTE In[BATCH_BYTES];
static BYTE Out[BATCH_BYTES];
static ULONG Length;

static void Begin(ULONG operation, ULONG replyCapacity)
{
    PSCTX_BATCH_REQUEST *batch = (PSCTX_BATCH_REQUEST *)In;

    memset(In, 0, sizeof(In));
    Length = sizeof(*batch);
    batch->ReplyCapacity = replyCapacity;
    SetHeader(&batch->Header, Length, operation);
}

/* Room for a request of this size; its header is set. */
static void *Add(ULONG operation, ULONG size)
{
    PSCTX_BATCH_REQUEST *batch = (PSCTX_BATCH_REQUEST *)In;
    PSCTX_HEADER *header = (PSCTX_HEADER *)(In + Length);

    SetHeader(header, size, operation);
    Length += (size + 7u) & ~7u;
    batch->Header.Size = Length;
    batch->Count += 1;
    return header;
}

static void AddMatch(ULONG operation, ULONG64 handle, ULONG64 owner, ULONG64 instance)
{
    PSCTX_MATCH_REQUEST *request = Add(operation, sizeof(*request));

    request->Handle = handle;
    request->OwnerKey = owner;
    request->Instance = instance;
}

static void AddInsert(ULONG64 handle, ULONG64 owner, ULONG64 instance, char data)
{
    PSCTX_INSERT_REQUEST *request = Add(PSCTX_OPERATION_INSERT, sizeof(*request) + 1);

    request->Handle = handle;
    request->OwnerKey = owner;
    request->Instance = instance;
    request->DataLength = 1;
    *(char *)(request + 1) = data;
}

static LONG SendBatch(const SESSION *session)
{
    const PSCTX_HEADER *header = (const PSCTX_HEADER *)In;
    const ULONG operation = header->Operation < PSCTX_OPERATION_COUNT ? header->Operation : PSCTX_OPERATION_BATCH;

    return Control(session, ControlCodes[operation], In, Length, Out, sizeof(Out), NULL);
}

static const PSCTX_BATCH_RESULT *Result(ULONG index)
{
    return (const PSCTX_BATCH_RESULT *)(Out + sizeof(PSCTX_BATCH_REPLY)) + index;
}

static const void *Slot(ULONG index)
{
    const PSCTX_BATCH_REQUEST *batch = (const PSCTX_BATCH_REQUEST *)In;

    return (const BYTE *)Result(batch->Count) + (SIZE_T)index * batch->ReplyCapacity;
}

static void TestMixed(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    const PSCTX_BATCH_REPLY *reply = (const PSCTX_BATCH_REPLY *)Out;
    const PSCTX_CONTEXT_REPLY *context;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    Begin(PSCTX_OPERATION_BATCH, 56);
    AddInsert(file, 1, 1, 'p');
    AddInsert(file, 1, 1, 'q');
    AddMatch(PSCTX_OPERATION_LOOKUP, file, 1, 1);
    AddMatch(PSCTX_OPERATION_LOOKUP, file, 1, 2);
    AddMatch(PSCTX_OPERATION_LOOKUP, 0, 1, 1);
    AddMatch(PSCTX_OPERATION_REMOVE, file, 1, 1);
    AddMatch(PSCTX_OPERATION_LOOKUP, file, 1, 1);
    (void)Add(PSCTX_OPERATION_QUERY_VERSION, sizeof(PSCTX_HEADER));
    (void)Add(PSCTX_OPERATION_BATCH, sizeof(PSCTX_BATCH_REQUEST));
    (void)Add(0xFFFF, sizeof(PSCTX_HEADER));
    (void)Add(PSCTX_OPERATION_LOOKUP, sizeof(PSCTX_HEADER));
    if (!EXPECT_SUCCESS(SendBatch(&session))) {
        return;
    }
    (void)EXPECT_EQUAL(11, reply->Count);
    (void)EXPECT_EQUAL(8, reply->Failed);
    (void)EXPECT_STATUS(STATUS_SUCCESS, Result(0)->Status);
    (void)EXPECT_EQUAL(sizeof(PSCTX_INSERT_REPLY), Result(0)->ReplySize);
    (void)EXPECT_STATUS(STATUS_OBJECT_NAME_COLLISION, Result(1)->Status);
    (void)EXPECT_EQUAL(0, Result(1)->ReplySize);
    (void)EXPECT(IsZero(Slot(1), 56));
    (void)EXPECT_STATUS(STATUS_SUCCESS, Result(2)->Status);
    context = Slot(2);
    (void)EXPECT_EQUAL(sizeof(*context) + 1, Result(2)->ReplySize);
    (void)EXPECT_EQUAL('p', *(const char *)(context + 1));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Result(3)->Status);
    (void)EXPECT_STATUS(STATUS_INVALID_HANDLE, Result(4)->Status);
    (void)EXPECT_STATUS(STATUS_SUCCESS, Result(5)->Status);
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Result(6)->Status);
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, Result(7)->Status);
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, Result(8)->Status);
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST, Result(9)->Status);
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, Result(10)->Status);
}

static void TestLookupBatch(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    PSCTX_STATISTICS_REPLY statistics;
    SESSION session;

    if (!OpenSession(&session, READ_ONLY)) {
        return;
    }
    Begin(PSCTX_OPERATION_LOOKUP_BATCH, 64);
    AddInsert(file, 1, 1, 'p');
    AddMatch(PSCTX_OPERATION_REMOVE, file, 1, 1);
    AddMatch(PSCTX_OPERATION_REMOVE_ALL, file, 1, 1);
    AddMatch(PSCTX_OPERATION_LOOKUP, file, 1, 1);
    if (EXPECT_SUCCESS(SendBatch(&session))) {
        for (ULONG index = 0; index < 3; index += 1) {
            (void)EXPECT_STATUS(STATUS_ACCESS_DENIED, Result(index)->Status);
        }
        (void)EXPECT_STATUS(STATUS_NOT_FOUND, Result(3)->Status);
    }
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(0, statistics.SessionInserted);
    Begin(PSCTX_OPERATION_BATCH, 64);
    AddMatch(PSCTX_OPERATION_LOOKUP, file, 1, 1);
    (void)EXPECT_STATUS(STATUS_ACCESS_DENIED, SendBatch(&session));
}

static void TestMany(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    const PSCTX_BATCH_REPLY *reply = (const PSCTX_BATCH_REPLY *)Out;
    SESSION session;
    ULONG64 count;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    Begin(PSCTX_OPERATION_BATCH, 64);
    for (ULONG index = 0; index < MANY / 2; index += 1) {
        AddInsert(file, 7, index, 'z');
        AddMatch(PSCTX_OPERATION_LOOKUP, file, 7, index);
    }
    (void)EXPECT_SUCCESS(SendBatch(&session));
    (void)EXPECT_EQUAL(MANY, reply->Count);
    (void)EXPECT_EQUAL(0, reply->Failed);
    (void)EXPECT_SUCCESS(RemoveAll(&session, file, 7, 0, PSCTX_MATCH_OWNER, &count));
    (void)EXPECT_EQUAL(MANY / 2, count);
}

/* Refused whole: nothing of such a batch is done. */
static void TestRefused(void)
{
    PSCTX_BATCH_REQUEST *batch = (PSCTX_BATCH_REQUEST *)In;
    const ULONG64 file = HandleValue(OpenSample(0));
    PSCTX_STATISTICS_REPLY statistics;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    Begin(PSCTX_OPERATION_BATCH, 64);
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, SendBatch(&session));
    AddInsert(file, 1, 1, 'p');
    batch->Count = PSCTX_MAXIMUM_BATCH_OPERATIONS + 1;
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, SendBatch(&session));
    batch->Count = 2;
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendBatch(&session));
    batch->Count = 1;
    batch->ReplyCapacity = 60;
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, SendBatch(&session));
    batch->ReplyCapacity = PSCTX_MAXIMUM_TRANSFER + 8;
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, SendBatch(&session));
    batch->ReplyCapacity = BATCH_BYTES;
    (void)EXPECT_STATUS(STATUS_BUFFER_TOO_SMALL, SendBatch(&session));
    batch->ReplyCapacity = 64;
    In[Length - 1] = 1; /* in the padding */
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendBatch(&session));
    In[Length - 1] = 0;
    Length += 8; /* behind the last request */
    batch->Header.Size = Length;
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendBatch(&session));
    Length -= 8;
    batch->Header.Size = Length;
    ((PSCTX_HEADER *)(batch + 1))->Size = 0xFFFFFFFFu;
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendBatch(&session));
    ((PSCTX_HEADER *)(batch + 1))->Size = 0;
    (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendBatch(&session));
    (void)EXPECT_SUCCESS(QueryStatistics(&session, &statistics));
    (void)EXPECT_EQUAL(0, statistics.SessionInserted);
}

static const TEST Tests[] = {
    {"each request of a batch has its own status", TestMixed, NEEDS_CONTEXTS},
    {"a batch of lookups changes nothing", TestLookupBatch, NEEDS_CONTEXTS},
    {"a thousand requests in one batch", TestMany, NEEDS_CONTEXTS},
    {"a malformed batch is refused whole", TestRefused, NEEDS_CONTEXTS},
};

const TEST_GROUP BatchTests = {Tests, COUNT_OF(Tests)};
