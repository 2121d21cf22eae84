/* SUBSCRIBE, and who may WAIT. */
#include "reader.h"
#include "tests.h"

#define CAPACITY PSCTX_MINIMUM_EVENT_CAPACITY

static READER Reader;

/* The number by which a session is watched, or zero. */
static ULONG64 NumberOf(const SESSION *session)
{
    PSCTX_VERSION_REPLY version;

    return EXPECT_SUCCESS(QueryVersion(session, &version)) ? version.Session : 0;
}

static void TestArguments(void)
{
    static const struct {
        ULONG Types;
        ULONG Capacity;
    } senseless[] = {
        {0, CAPACITY},
        {1u << PSCTX_EVENT_DROPPED, CAPACITY},
        {PSCTX_EVENT_TYPES | 1u << PSCTX_EVENT_DROPPED, CAPACITY},
        {0x80000001u, CAPACITY},
        {PSCTX_EVENT_TYPES, 0},
        {PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY - 1},
        {PSCTX_EVENT_TYPES, PSCTX_MAXIMUM_EVENT_CAPACITY + 1},
        {PSCTX_EVENT_TYPES, ~0u},
    };
    SESSION watched;
    SESSION reader;
    SESSION second;
    ULONG64 number;

    if (!OpenSession(&watched, READ_WRITE) || !OpenSession(&reader, READ_ONLY) || !OpenSession(&second, READ_ONLY)) {
        return;
    }
    number = NumberOf(&watched);
    for (size_t index = 0; index < COUNT_OF(senseless); index += 1) {
        (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER,
                            Subscribe(&reader, number, senseless[index].Types, senseless[index].Capacity));
    }
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Subscribe(&reader, NumberOf(&reader), PSCTX_EVENT_TYPES, CAPACITY));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Subscribe(&reader, 0, PSCTX_EVENT_TYPES, CAPACITY));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Subscribe(&reader, ~0ull, PSCTX_EVENT_TYPES, CAPACITY));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Subscribe(&reader, number + (1ull << 32), PSCTX_EVENT_TYPES, CAPACITY));
    (void)EXPECT_SUCCESS(Subscribe(&reader, number, 1, PSCTX_MAXIMUM_EVENT_CAPACITY));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, Subscribe(&reader, number, PSCTX_EVENT_TYPES, CAPACITY));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE,
                        Subscribe(&reader, NumberOf(&second), PSCTX_EVENT_TYPES, CAPACITY));
    CloseSession(&watched);
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Subscribe(&second, number, PSCTX_EVENT_TYPES, CAPACITY));
}

static void TestReaderLimit(void)
{
    SESSION readers[PSCTX_MAXIMUM_READERS];
    SESSION watched;
    SESSION last;
    ULONG64 number;

    if (!OpenSession(&watched, READ_WRITE) || !OpenSession(&last, READ_ONLY)) {
        return;
    }
    number = NumberOf(&watched);
    for (ULONG index = 0; index < PSCTX_MAXIMUM_READERS; index += 1) {
        if (!OpenSession(&readers[index], READ_ONLY) ||
            !EXPECT_SUCCESS(Subscribe(&readers[index], number, PSCTX_EVENT_TYPES, CAPACITY))) {
            return;
        }
    }
    (void)EXPECT_STATUS(STATUS_QUOTA_EXCEEDED, Subscribe(&last, number, PSCTX_EVENT_TYPES, CAPACITY));
    CloseSession(&readers[3]);
    (void)EXPECT_SUCCESS(Subscribe(&last, number, PSCTX_EVENT_TYPES, CAPACITY));
}

/* Not on a handle for synchronous I/O: a wait that is let through by mistake would never end. */
static void TestWaitRefused(void)
{
    SESSION watched;

    if (!OpenSession(&watched, READ_WRITE) || !OpenSharedSession(&Reader.Session)) {
        return;
    }
    Reader.Session.Event = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_STATE, StartWait(&Reader));
    if (EXPECT_SUCCESS(Subscribe(&Reader.Session, NumberOf(&watched), PSCTX_EVENT_TYPES, CAPACITY))) {
        PSCTX_HEADER request;

        SetHeader(&request, sizeof(request), PSCTX_OPERATION_WAIT);
        (void)EXPECT_STATUS(STATUS_BUFFER_TOO_SMALL,
                            Control(&Reader.Session, PSCTX_IOCTL_WAIT, &request, sizeof(request), Reader.Bytes,
                                    (ULONG)WAIT_REPLY_LENGTH - 1, NULL));
    }
}

static const TEST Tests[] = {
    {"a subscription that makes no sense, and a second one, is refused", TestArguments, 0},
    {"a session has so many readers and no more", TestReaderLimit, 0},
    {"a wait needs a subscription, and room for any event", TestWaitRefused, 0},
};

const TEST_GROUP SubscribeTests = {Tests, COUNT_OF(Tests)};
