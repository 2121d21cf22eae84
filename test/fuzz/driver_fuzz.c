/*
 * Fuzzes the driver's control device: a case is a string of bytes that decides which streams, sessions and requests there are.
 *
 * As a program it runs a fixed number of seeded cases (or the files that it is given); with PSCTX_FUZZER it is a libFuzzer
 * target. Whatever the bytes say, each reply must be whole, the counters must agree, and a case must leave nothing behind.
 */
#include "core_reader.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_STREAMS 4u
#define FUZZ_SESSIONS 2u
#define FUZZ_WAITS 3u
#define FUZZ_REQUEST_LENGTH 4096u
#define FUZZ_OUTPUT_LENGTH 8192u
#define FUZZ_FILL 0xA5

/* The bytes of a case, consumed from the front; zeros when there are no more. */
typedef struct _FUZZ_INPUT {
    const uint8_t *Next;
    size_t Remaining;
} FUZZ_INPUT;

typedef struct _FUZZ_STATE {
    FUZZ_INPUT Input;
    HANDLE Streams[FUZZ_STREAMS];
    HANDLE Sessions[FUZZ_SESSIONS];
    CORE_WAIT Waits[FUZZ_WAITS]; /* those that are pending end with their session */
    HANDLE WaitSessions[FUZZ_WAITS];
} FUZZ_STATE;

static CORE FuzzCore;

/* Files, a named stream, and what takes no contexts. */
static const PCWSTR FuzzPaths[] = {
    L"\\??\\M:\\files\\one.txt", L"\\??\\M:\\files\\two.txt", L"\\??\\M:\\files\\one.txt:notes",
    L"\\??\\M:\\pagefile.sys",   L"\\??\\PIPE\\fuzz",         L"\\??\\M:",
};

static ULONG FuzzTake(_Inout_ FUZZ_INPUT *Input)
{
    if (Input->Remaining == 0) {
        return 0;
    }
    Input->Remaining -= 1;
    return *Input->Next++;
}

/*
 * A number of which the small ones, the limits and their neighbours are likely.
 */
static ULONG64 FuzzTakeNumber(_Inout_ FUZZ_INPUT *Input)
{
    static const ULONG64 interesting[] = {PSCTX_MAXIMUM_DATA_LENGTH,
                                          PSCTX_MAXIMUM_TRANSFER,
                                          PSCTX_MAXIMUM_BATCH_OPERATIONS,
                                          0x7FFFFFFFull,
                                          0x80000000ull,
                                          0xFFFFFFFFull,
                                          0x7FFFFFFFFFFFFFFFull,
                                          ~0ull};
    const ULONG choice = FuzzTake(Input);

    if (choice < 160) {
        return choice % 8;
    }
    if (choice < 224) {
        return interesting[choice % RTL_NUMBER_OF(interesting)] + FuzzTake(Input) % 3 - 1;
    }
    return ((ULONG64)FuzzTake(Input) << 56) | ((ULONG64)FuzzTake(Input) << 16) | FuzzTake(Input);
}

static ULONG64 FuzzTakeHandle(_Inout_ FUZZ_STATE *State)
{
    const ULONG choice = FuzzTake(&State->Input);

    if (choice < 224) {
        return (ULONG_PTR)State->Streams[choice % FUZZ_STREAMS];
    }
    return choice < 240 ? (ULONG_PTR)State->Sessions[choice % FUZZ_SESSIONS] : FuzzTakeNumber(&State->Input);
}

/*
 * Writes one request that is mostly well-formed, and returns its length, which is at most FUZZ_REQUEST_LENGTH / 8.
 */
static ULONG FuzzMakeRequest(_Inout_ FUZZ_STATE *State, _In_ ULONG Operation, _Out_ PVOID Bytes)
{
    ULONG length = sizeof(PSCTX_HEADER);

    switch (Operation) {
    case PSCTX_OPERATION_QUERY_STREAM:
    case PSCTX_OPERATION_INSPECT: {
        PSCTX_STREAM_REQUEST *request = Bytes;

        request->Handle = FuzzTakeHandle(State);
        length = sizeof(*request);
        break;
    }
    case PSCTX_OPERATION_INSERT: {
        PSCTX_INSERT_REQUEST *request = Bytes;
        const ULONG dataLength = FuzzTake(&State->Input) % 64;

        request->Handle = FuzzTakeHandle(State);
        request->OwnerKey = FuzzTakeNumber(&State->Input) % 4;
        request->Instance = FuzzTakeNumber(&State->Input);
        request->IfExists = FuzzTake(&State->Input) % 5;
        request->Pool = FuzzTake(&State->Input) % 9 % 3;
        request->Lifetime = FuzzTake(&State->Input) % 9 % 3;
        request->DataLength = FuzzTake(&State->Input) < 240 ? dataLength : (ULONG)FuzzTakeNumber(&State->Input);
        memset(request + 1, (int)FuzzTake(&State->Input), dataLength);
        length = (ULONG)sizeof(*request) + dataLength;
        break;
    }
    case PSCTX_OPERATION_LOOKUP:
    case PSCTX_OPERATION_REMOVE:
    case PSCTX_OPERATION_REMOVE_ALL: {
        PSCTX_MATCH_REQUEST *request = Bytes;

        request->Handle = FuzzTakeHandle(State);
        request->Match = FuzzTake(&State->Input) % 4;
        request->OwnerKey = request->Match == PSCTX_MATCH_FIRST ? 0 : FuzzTakeNumber(&State->Input) % 4;
        request->Instance = request->Match == PSCTX_MATCH_INSTANCE ? FuzzTakeNumber(&State->Input) : 0;
        request->Reserved = FuzzTake(&State->Input) / 250;
        length = sizeof(*request);
        break;
    }
    case PSCTX_OPERATION_LIST: {
        PSCTX_LIST_REQUEST *request = Bytes;

        request->Handle = FuzzTakeHandle(State);
        request->Before = FuzzTakeNumber(&State->Input);
        length = sizeof(*request);
        break;
    }
    case PSCTX_OPERATION_TRACK: {
        PSCTX_TRACK_REQUEST *request = Bytes;
        WCHAR *pattern = (WCHAR *)(request + 1);
        ULONG count = FuzzTake(&State->Input) % 16;

        request->OwnerKey = FuzzTakeNumber(&State->Input) % 4;
        request->Instance = FuzzTakeNumber(&State->Input);
        request->PatternLength =
            FuzzTake(&State->Input) < 240 ? count * (ULONG)sizeof(WCHAR) : (ULONG)FuzzTakeNumber(&State->Input);
        length = (ULONG)sizeof(*request) + count * (ULONG)sizeof(WCHAR);
        for (; count != 0; count -= 1) {
            *pattern++ = L"*?<>\"\\ONETWX.:T*"[FuzzTake(&State->Input) % 16];
        }
        break;
    }
    case PSCTX_OPERATION_UNTRACK:
    case PSCTX_OPERATION_QUERY_RULE: {
        PSCTX_RULE_RECORD *request = Bytes;

        request->Rule = FuzzTakeNumber(&State->Input);
        length = sizeof(*request);
        break;
    }
    case PSCTX_OPERATION_SUBSCRIBE: {
        PSCTX_SUBSCRIBE_REQUEST *request = Bytes;
        const ULONG choice = FuzzTake(&State->Input);

        request->Session =
            choice < 224 ? CoreSessionNumber(State->Sessions[choice % FUZZ_SESSIONS]) : FuzzTakeNumber(&State->Input);
        request->Types = FuzzTake(&State->Input);
        request->Capacity = PSCTX_MINIMUM_EVENT_CAPACITY + FuzzTake(&State->Input);
        length = sizeof(*request);
        break;
    }
    case PSCTX_OPERATION_ENUMERATE: {
        PSCTX_ENUMERATE_REQUEST *request = Bytes;

        request->VolumeHandle = FuzzTake(&State->Input) < 128 ? 0 : FuzzTakeHandle(State);
        request->Cursor[0] = FuzzTakeNumber(&State->Input);
        request->Cursor[1] = FuzzTakeNumber(&State->Input);
        length = sizeof(*request);
        break;
    }
    case PSCTX_OPERATION_LIST_VOLUMES: {
        PSCTX_VOLUMES_REQUEST *request = Bytes;

        request->After = FuzzTakeNumber(&State->Input);
        length = sizeof(*request);
        break;
    }
    default:
        break;
    }
    CoreSetHeader(Bytes, Operation, length);
    return length;
}

static ULONG FuzzMakeBatch(_Inout_ FUZZ_STATE *State, _In_ ULONG Operation, _Out_ PUCHAR Bytes)
{
    PSCTX_BATCH_REQUEST *batch = (PSCTX_BATCH_REQUEST *)Bytes;
    const ULONG count = FuzzTake(&State->Input) % 7;
    ULONG length = sizeof(*batch);
    ULONG index;

    for (index = 0; index < count; index += 1) {
        length += FuzzMakeRequest(State, FuzzTake(&State->Input) % (PSCTX_OPERATION_COUNT + 1), Bytes + length);
        length = (ULONG)ALIGN_UP_BY(length, sizeof(ULONG64));
    }
    batch->Count = FuzzTake(&State->Input) < 240 ? count : (ULONG)FuzzTakeNumber(&State->Input);
    batch->ReplyCapacity =
        FuzzTake(&State->Input) < 240 ? FuzzTake(&State->Input) * 8 : (ULONG)FuzzTakeNumber(&State->Input);
    CoreSetHeader(&batch->Header, Operation, length);
    return length;
}

/*
 * Ends a wait if it has not ended, and checks what it was told.
 */
static VOID FuzzEndWait(_Inout_ FUZZ_STATE *State, _In_ ULONG Index)
{
    const CORE_WAIT *wait = &State->Waits[Index];
    IO_STATUS_BLOCK ioStatus;

    if (CoreWaitStatus(wait) == STATUS_PENDING) {
        CHECK_STATUS(NtCancelIoFile(State->WaitSessions[Index], &ioStatus), STATUS_SUCCESS);
        CHECK_STATUS(CoreWaitStatus(wait), STATUS_CANCELLED);
    } else if (CoreWaitStatus(wait) == STATUS_SUCCESS) {
        CHECK(CoreEventCount(wait) != 0);
    }
}

/*
 * Sends a request that may pend, with buffers of its own.
 */
static VOID FuzzWait(_Inout_ FUZZ_STATE *State, _In_ HANDLE Session, _In_ const PSCTX_HEADER *Request)
{
    const ULONG index = FuzzTake(&State->Input) % FUZZ_WAITS;

    FuzzEndWait(State, index);
    State->WaitSessions[index] = Session;
    State->Waits[index].Request = *Request;
    (VOID) CoreStartWait(Session, &State->Waits[index]);
}

/*
 * Sends one request and checks what came: a reply is as long as its header says, an error none, and nothing is behind it.
 */
static VOID FuzzRequest(_Inout_ FUZZ_STATE *State)
{
    static DECLSPEC_ALIGN(8) UCHAR request[FUZZ_REQUEST_LENGTH];
    static DECLSPEC_ALIGN(8) UCHAR output[FUZZ_OUTPUT_LENGTH];
    const PSCTX_HEADER *reply = (const PSCTX_HEADER *)output;
    const ULONG operation = FuzzTake(&State->Input) % PSCTX_OPERATION_COUNT;
    const HANDLE session = State->Sessions[FuzzTake(&State->Input) % FUZZ_SESSIONS];
    ULONG outputLength = FUZZ_OUTPUT_LENGTH;
    ULONG information;
    ULONG length;
    ULONG index;
    NTSTATUS status;

    memset(request, 0, sizeof(request));
    if (operation == PSCTX_OPERATION_BATCH || operation == PSCTX_OPERATION_LOOKUP_BATCH) {
        length = FuzzMakeBatch(State, operation, request);
    } else {
        length = FuzzMakeRequest(State, operation, request);
    }
    for (index = FuzzTake(&State->Input) / 64; index == 3; index = FuzzTake(&State->Input) / 64) {
        request[(FuzzTake(&State->Input) | (FuzzTake(&State->Input) << 8)) % length] ^= (UCHAR)FuzzTake(&State->Input);
    }
    if (FuzzTake(&State->Input) > 200) {
        outputLength = FuzzTake(&State->Input);
    }
    if (FuzzTake(&State->Input) > 240) {
        length = FuzzTake(&State->Input) * 4 % FUZZ_REQUEST_LENGTH;
    }

    if (operation == PSCTX_OPERATION_WAIT && length == sizeof(PSCTX_HEADER) && outputLength == FUZZ_OUTPUT_LENGTH) {
        FuzzWait(State, session, (const PSCTX_HEADER *)request);
        return;
    }
    memset(output, FUZZ_FILL, sizeof(output));
    status = CoreControl(session, CoreControlCodes[operation], request, length, output, outputLength, &information);
    CHECK(information <= outputLength);
    CHECK(status != STATUS_PENDING);
    if (NT_ERROR(status)) {
        CHECK_EQUAL(information, 0);
    } else {
        CHECK(status == STATUS_SUCCESS || status == STATUS_BUFFER_OVERFLOW);
        CHECK_EQUAL(reply->Size, information);
        CHECK_EQUAL(reply->Version, PSCTX_ABI_VERSION);
        CHECK_EQUAL(reply->Operation, operation);
    }
    for (index = information; index < FUZZ_OUTPUT_LENGTH; index += 1) {
        CHECK_EQUAL(output[index], FUZZ_FILL);
    }
}

static VOID FuzzOpenStream(_Inout_ HANDLE *Stream, _In_ ULONG Path)
{
    if (*Stream != NULL) {
        CoreClose(*Stream);
    }
    if (!NT_SUCCESS(CoreOpen(FuzzPaths[Path % RTL_NUMBER_OF(FuzzPaths)], NULL, FILE_READ_DATA | SYNCHRONIZE,
                             FILE_OPEN_IF, 0, Stream))) {
        *Stream = NULL;
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
    CHECK_EQUAL(statistics.TotalSessions, FUZZ_SESSIONS + 1);
}

int LLVMFuzzerInitialize(int *ArgumentCount, char ***Arguments);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);

/*
 * Boots the kernel that all cases run in.
 */
int LLVMFuzzerInitialize(int *ArgumentCount, char ***Arguments)
{
    UNREFERENCED_PARAMETER(ArgumentCount);
    UNREFERENCED_PARAMETER(Arguments);

    CoreStart(&FuzzCore);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    FUZZ_STATE state = {.Input = {Data, Size}};
    const ULONG64 poolBytes = HostAuditPool(CORE_POOL_TAG);
    PSCTX_STATISTICS_REPLY statistics;
    ULONG index;

    for (index = 0; index < FUZZ_STREAMS; index += 1) {
        FuzzOpenStream(&state.Streams[index], FuzzTake(&state.Input));
    }
    for (index = 0; index < FUZZ_SESSIONS; index += 1) {
        state.Sessions[index] = CoreOpenSession(CORE_READ_WRITE);
    }
    for (index = 0; index < FUZZ_WAITS; index += 1) {
        CoreInitializeWait(&state.Waits[index], CORE_WAIT_LENGTH);
    }
    while (state.Input.Remaining != 0) {
        const ULONG choice = FuzzTake(&state.Input);

        index = FuzzTake(&state.Input);
        if (choice < 224) {
            FuzzRequest(&state);
        } else if (choice < 244) {
            FuzzOpenStream(&state.Streams[index % FUZZ_STREAMS], index / FUZZ_STREAMS);
        } else {
            CoreClose(state.Sessions[index % FUZZ_SESSIONS]);
            state.Sessions[index % FUZZ_SESSIONS] = CoreOpenSession(CORE_READ_WRITE);
        }
        FuzzCheckCounters(state.Sessions[index % FUZZ_SESSIONS]);
    }

    for (index = 0; index < FUZZ_SESSIONS; index += 1) {
        CoreClose(state.Sessions[(index + Size) % FUZZ_SESSIONS]);
    }
    for (index = 0; index < FUZZ_STREAMS; index += 1) {
        if (state.Streams[index] != NULL) {
            CoreClose(state.Streams[index]);
        }
    }
    for (index = 0; index < FUZZ_WAITS; index += 1) {
        FuzzEndWait(&state, index);
        CoreFreeWait(&state.Waits[index]);
    }
    statistics = CoreStatistics(FuzzCore.Control);
    CHECK_EQUAL(statistics.TotalContexts, 0);
    CHECK_EQUAL(statistics.TotalPagedBytes + statistics.TotalNonPagedBytes, 0);
    CHECK_EQUAL(statistics.TotalSessions, 1);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), poolBytes);
    return 0;
}

#ifndef PSCTX_FUZZER

#define FUZZ_CASES 2000u
#define FUZZ_CASE_LENGTH 1024u

static uint8_t FuzzCase[1u << 16];

/*
 * Runs a file as a case, as libFuzzer leaves it when it has found something.
 */
static int FuzzRunFile(_In_z_ const char *Path)
{
    FILE *file = fopen(Path, "rb");
    size_t length;

    if (file == NULL) {
        perror(Path);
        return 1;
    }
    length = fread(FuzzCase, 1, sizeof(FuzzCase), file);
    fclose(file);
    return LLVMFuzzerTestOneInput(FuzzCase, length);
}

int main(int argc, char **argv)
{
    ULONG64 random = 1;
    int failed = 0;
    ULONG number;
    ULONG index;

    LLVMFuzzerInitialize(&argc, &argv);
    for (index = 1; index < (ULONG)argc; index += 1) {
        failed |= FuzzRunFile(argv[index]);
    }
    for (number = 0; argc == 1 && number < FUZZ_CASES; number += 1) {
        for (index = 0; index < FUZZ_CASE_LENGTH; index += 1) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            FuzzCase[index] = (uint8_t)(random >> 56);
        }
        LLVMFuzzerTestOneInput(FuzzCase, FUZZ_CASE_LENGTH);
    }
    CoreStop(&FuzzCore);
    printf("%sok 1 - fuzzed requests leave nothing behind\n1..1\n", failed == 0 ? "" : "not ");
    return failed;
}

#endif
