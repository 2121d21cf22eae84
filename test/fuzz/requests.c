/*
 * Fuzzes the control device with single requests, to a driver that has contexts, rules, readers and other filters' contexts.
 *
 * A case: FUZZ_CASE, then the request's bytes. Small numbers in the place of a handle stand for what the client has open.
 */
#include "core_filters.h"
#include "core_other_filter.h"
#include "core_reader.h"
#include "fuzz.h"
#include "host_snapshot.h"

#include <stdio.h>
#include <string.h>

#define FUZZ_OUTPUT_LENGTH 4096u
#define FUZZ_STREAMS 6u
#define FUZZ_SYMBOLIC 64u /* numbers below it are handles by index */

typedef struct _FUZZ_CASE {
    UCHAR Operation;
    UCHAR Flags;
    USHORT OutputLength;
} FUZZ_CASE;

#define FUZZ_READ_ONLY 1u  /* sent on a handle that may only look */
#define FUZZ_FIX_HEADER 2u /* the header says what is sent */
#define FUZZ_SUBSCRIBE 8u  /* a wait comes from a reader */
#define FUZZ_ODD_CODE 4u   /* a control code that is not in the table */

const size_t FuzzMaximumLength = 128;

static CORE FuzzCore;
static HANDLE FuzzSessions[2]; /* for reading and writing, for reading */
static HANDLE FuzzWatched;
static CORE_WAIT FuzzWait;
static HANDLE FuzzStreams[FUZZ_STREAMS];
static ULONG64 FuzzPoolBytes[2]; /* of the driver: with nothing open, and as a case begins */

/* How often each operation was answered so. */
static ULONG64 FuzzSucceeded[PSCTX_OPERATION_COUNT];
static ULONG64 FuzzOverflowed[PSCTX_OPERATION_COUNT];
static ULONG64 FuzzFailed[PSCTX_OPERATION_COUNT];

static VOID FuzzPopulate(_In_ HANDLE Session, _In_ ULONG Lifetime)
{
    UCHAR data[40];
    ULONG index;

    memset(data, 0x11, sizeof(data));
    for (index = 0; index < 12; index += 1) {
        const CORE_INSERTION insertion = {.Stream = FuzzStreams[index / 4],
                                          .Owner = index % 2,
                                          .Instance = index / 2 % 2,
                                          .IfExists = PSCTX_IF_EXISTS_ADD,
                                          .Pool = index % 2,
                                          .Lifetime = Lifetime,
                                          .DataLength = index % 4 * 8,
                                          .Data = data};

        CHECK_STATUS(CoreInsert(Session, &insertion, NULL), STATUS_SUCCESS);
    }
}

static VOID FuzzTrack(VOID)
{
    const CORE_REQUEST request = CoreMakeRequest(PSCTX_OPERATION_TRACK, FuzzStreams[0]);

    CHECK_STATUS(CoreSend(FuzzSessions[0], request.Code, request.Bytes, request.Length, 64), STATUS_SUCCESS);
}

/* Closes whatever is open, so that nothing of the driver's is left but itself and one session. */
static VOID FuzzEnd(VOID)
{
    ULONG index;

    CoreClose(FuzzWatched);
    CoreClose(FuzzSessions[0]);
    CoreClose(FuzzSessions[1]);
    for (index = 0; index < FUZZ_STREAMS; index += 1) {
        CoreClose(FuzzStreams[index]);
    }
    CHECK(CoreWaitStatus(&FuzzWait) != STATUS_PENDING);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), FuzzPoolBytes[0]);
}

VOID FuzzStart(VOID)
{
    static const PCWSTR paths[FUZZ_STREAMS] = {L"\\??\\M:\\files\\one.txt",
                                               L"\\??\\M:\\files\\one.txt:notes",
                                               L"\\??\\M:\\files\\two.txt",
                                               L"\\??\\M:\\files",
                                               L"\\??\\M:",
                                               L"\\??\\PIPE\\fuzz"};
    ULONG index;

    CoreStart(&FuzzCore);
    FuzzPoolBytes[0] = HostAuditPool(CORE_POOL_TAG);
    for (index = 0; index < FUZZ_STREAMS; index += 1) {
        CHECK_STATUS(CoreOpen(paths[index], NULL, FILE_READ_DATA | SYNCHRONIZE, index < 3 ? FILE_OPEN_IF : FILE_OPEN, 0,
                              &FuzzStreams[index]),
                     STATUS_SUCCESS);
    }
    FuzzSessions[0] = CoreOpenSession(CORE_READ_WRITE);
    FuzzSessions[1] = CoreOpenSession(CORE_READ);
    FuzzWatched = CoreOpenSession(CORE_READ_WRITE);
    CoreInitializeWait(&FuzzWait, CORE_WAIT_LENGTH);
    FuzzTrack();
    FuzzPopulate(FuzzSessions[0], PSCTX_LIFETIME_SESSION);
    FuzzPopulate(FuzzWatched, PSCTX_LIFETIME_STREAM);
    FuzzPoolBytes[1] = HostAuditPool(CORE_POOL_TAG);
    HostSave();
}

/* The places of handles in requests, zero for none. Those of session numbers too: small ones are the watched session's. */
static VOID FuzzResolve(_In_ ULONG Operation, _Inout_updates_bytes_(Length) PUCHAR Request, _In_ size_t Length)
{
    static const UCHAR offsets[PSCTX_OPERATION_COUNT] = {
        [PSCTX_OPERATION_QUERY_STREAM] = 8, [PSCTX_OPERATION_INSERT] = 8,     [PSCTX_OPERATION_LOOKUP] = 8,
        [PSCTX_OPERATION_REMOVE] = 8,       [PSCTX_OPERATION_REMOVE_ALL] = 8, [PSCTX_OPERATION_LIST] = 8,
        [PSCTX_OPERATION_TRACK] = 24,       [PSCTX_OPERATION_ENUMERATE] = 8,  [PSCTX_OPERATION_INSPECT] = 8,
    };
    ULONG64 value;

    if (Operation < PSCTX_OPERATION_COUNT && offsets[Operation] != 0 && Length >= offsets[Operation] + sizeof(value)) {
        memcpy(&value, Request + offsets[Operation], sizeof(value));
        if (value != 0 && value < FUZZ_SYMBOLIC) {
            value = (ULONG_PTR)FuzzStreams[value % FUZZ_STREAMS];
            memcpy(Request + offsets[Operation], &value, sizeof(value));
        }
    }
}

static VOID FuzzResolveBatch(_Inout_updates_bytes_(Length) PUCHAR Request, _In_ size_t Length)
{
    size_t offset = sizeof(PSCTX_BATCH_REQUEST);

    while (offset + sizeof(PSCTX_HEADER) <= Length) {
        PSCTX_HEADER header;

        memcpy(&header, Request + offset, sizeof(header));
        if (header.Size < sizeof(header) || header.Size > Length - offset) {
            break;
        }
        FuzzResolve(header.Operation, Request + offset, header.Size);
        offset += ALIGN_UP_BY(header.Size, sizeof(ULONG64));
    }
}

static VOID FuzzCheckCounters(_In_ HANDLE Session)
{
    const PSCTX_STATISTICS_REPLY statistics = CoreStatistics(Session);

    CHECK_EQUAL(statistics.SessionContexts,
                statistics.SessionInserted - statistics.SessionRemoved - statistics.SessionTornDown);
    CHECK(statistics.SessionContexts <= statistics.TotalContexts);
    CHECK(statistics.SessionPagedBytes <= statistics.TotalPagedBytes);
    CHECK(statistics.SessionNonPagedBytes <= statistics.TotalNonPagedBytes);
    CHECK_EQUAL(statistics.TotalSessions, 4);
}

static VOID FuzzCheckReply(_In_ NTSTATUS Status, _In_ ULONG Operation, _In_ const UCHAR *Output,
                           _In_ ULONG OutputLength, _In_ ULONG Information)
{
    const PSCTX_HEADER *reply = (const PSCTX_HEADER *)(const VOID *)Output;

    CHECK(Information <= OutputLength);
    if (NT_ERROR(Status)) {
        CHECK_EQUAL(Information, 0);
    } else {
        CHECK(Status == STATUS_SUCCESS || Status == STATUS_BUFFER_OVERFLOW);
        CHECK_EQUAL(reply->Size, Information);
        CHECK_EQUAL(reply->Version, PSCTX_ABI_VERSION);
        CHECK_EQUAL(reply->Operation, Operation);
    }
    CHECK(FuzzIsFilled(Output + Information, FUZZ_OUTPUT_LENGTH - Information));
}

VOID FuzzRun(PFUZZ_INPUT Input)
{
    static DECLSPEC_ALIGN(8) UCHAR request[PSCTX_MAXIMUM_TRANSFER / 16];
    static DECLSPEC_ALIGN(8) UCHAR output[FUZZ_OUTPUT_LENGTH];
    FUZZ_CASE header = {0};
    ULONG outputLength;
    ULONG information;
    NTSTATUS status;
    HANDLE session;
    size_t length;
    ULONG code;

    HostRestore();
    memcpy(&header, Input->Next, min(sizeof(header), Input->Remaining));
    length = Input->Remaining - min(sizeof(header), Input->Remaining);
    length = min(length, sizeof(request));
    memcpy(request, Input->Next + (Input->Remaining - length), length);
    header.Operation %= PSCTX_OPERATION_COUNT;
    outputLength = min(header.OutputLength, FUZZ_OUTPUT_LENGTH);
    session = FuzzSessions[header.Flags & FUZZ_READ_ONLY];
    code = CoreControlCodes[header.Operation];
    if ((header.Flags & FUZZ_ODD_CODE) != 0) {
        code ^= 1u << (header.OutputLength % 32);
    }
    if ((header.Flags & FUZZ_FIX_HEADER) != 0 && length >= sizeof(PSCTX_HEADER)) {
        CoreSetHeader((PSCTX_HEADER *)(PVOID)request, header.Operation, (ULONG)length);
    }
    if (header.Operation == PSCTX_OPERATION_BATCH || header.Operation == PSCTX_OPERATION_LOOKUP_BATCH) {
        FuzzResolveBatch(request, length);
    } else {
        FuzzResolve(header.Operation, request, length);
    }
    if (header.Operation == PSCTX_OPERATION_SUBSCRIBE && length >= sizeof(PSCTX_SUBSCRIBE_REQUEST) &&
        ((PSCTX_SUBSCRIBE_REQUEST *)(PVOID)request)->Session < FUZZ_SYMBOLIC) {
        ((PSCTX_SUBSCRIBE_REQUEST *)(PVOID)request)->Session = CoreSessionNumber(FuzzWatched);
    }

    memset(output, FUZZ_FILL, sizeof(output));
    if (header.Operation == PSCTX_OPERATION_WAIT && (header.Flags & FUZZ_ODD_CODE) == 0) {
        FuzzWait.Request = *(const PSCTX_HEADER *)(const VOID *)request;
        if ((header.Flags & FUZZ_SUBSCRIBE) != 0) {
            CHECK_STATUS(
                CoreSubscribe(session, CoreSessionNumber(FuzzWatched), PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY),
                STATUS_SUCCESS);
        }
        status = length == sizeof(PSCTX_HEADER)
                     ? CoreStartWait(session, &FuzzWait)
                     : CoreControl(session, code, request, (ULONG)length, output, outputLength, &information);
    } else {
        status = CoreControl(session, code, request, (ULONG)length, output, outputLength, &information);
        CHECK(status != STATUS_PENDING);
        FuzzCheckReply(status, header.Operation, output, outputLength, information);
    }
    if ((header.Flags & FUZZ_ODD_CODE) == 0) {
        FuzzSucceeded[header.Operation] += status == STATUS_SUCCESS || status == STATUS_PENDING ? 1u : 0u;
        FuzzOverflowed[header.Operation] += status == STATUS_BUFFER_OVERFLOW ? 1u : 0u;
        FuzzFailed[header.Operation] += NT_ERROR(status) ? 1u : 0u;
    }
    if (NT_ERROR(status) && (header.Flags & FUZZ_SUBSCRIBE) == 0) {
        CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), FuzzPoolBytes[1]);
    } else {
        FuzzCheckCounters(session);
        FuzzEnd();
    }
}

/*
 * Every handler of the table has been run, and has refused; where a reply has a second form, that too was seen.
 */
VOID FuzzCheckReached(VOID)
{
    static const UCHAR overflows[] = {PSCTX_OPERATION_LOOKUP,    PSCTX_OPERATION_REMOVE,       PSCTX_OPERATION_LIST,
                                      PSCTX_OPERATION_ENUMERATE, PSCTX_OPERATION_LIST_VOLUMES, PSCTX_OPERATION_INSPECT};
    ULONG operation;

    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        printf("# operation %u: %llu succeeded, %llu overflowed, %llu failed\n", operation,
               (unsigned long long)FuzzSucceeded[operation], (unsigned long long)FuzzOverflowed[operation],
               (unsigned long long)FuzzFailed[operation]);
        (VOID) fflush(stdout);
    }
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        CHECK(FuzzSucceeded[operation] != 0);
        CHECK(FuzzFailed[operation] != 0);
    }
    for (operation = 0; operation < RTL_NUMBER_OF(overflows); operation += 1) {
        CHECK(FuzzOverflowed[overflows[operation]] != 0);
    }
}
