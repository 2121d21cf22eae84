/*
 * Fuzzes the driver with sequences of operations, over several sessions, processes, streams and volumes.
 *
 * Whatever the bytes say, each reply must be whole, the counters must agree, and a case must leave nothing behind.
 */
#include "core_reader.h"
#include "fuzz.h"
#include "host_snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_STREAMS 4u
#define FUZZ_SESSIONS 2u
#define FUZZ_WAITS 3u
#define FUZZ_REQUEST_LENGTH 4096u
#define FUZZ_OUTPUT_LENGTH 8192u

/* A second client, which may end at any time. */
typedef struct _FUZZ_CLIENT {
    PEPROCESS Process; /* NULL: there is none */
    HANDLE Session;
    HANDLE Stream;
    CORE_WAIT Wait;
} FUZZ_CLIENT;

typedef struct _FUZZ_STATE {
    FUZZ_INPUT Input;
    BOOLEAN Dismounted; /* volumes that went leave records that go later */
    FUZZ_CLIENT Client;
    HANDLE Streams[FUZZ_STREAMS];
    HANDLE Sessions[FUZZ_SESSIONS];
    CORE_WAIT Waits[FUZZ_WAITS]; /* those that are pending end with their session */
    HANDLE WaitSessions[FUZZ_WAITS];
} FUZZ_STATE;

const size_t FuzzMaximumLength = 512;

static CORE FuzzCore;
static ULONG64 FuzzPoolBytes;

/* How often each operation has succeeded, and failed; and each other step was taken. */
static ULONG64 FuzzAnswers[PSCTX_OPERATION_COUNT][2];

/* Files, a named stream, and what takes no contexts. */
static const PCWSTR FuzzPaths[] = {
    L"\\??\\M:\\files\\one.txt", L"\\??\\M:\\files\\two.txt", L"\\??\\M:\\files\\one.txt:notes",
    L"\\??\\M:\\pagefile.sys",   L"\\??\\PIPE\\fuzz",         L"\\??\\M:",
    L"\\??\\N:\\three.txt",      L"\\??\\N:\\three.txt:more",
};

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
    FuzzAnswers[PSCTX_OPERATION_WAIT][NT_ERROR(CoreStartWait(Session, &State->Waits[index])) ? 1 : 0] += 1;
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
    FuzzAnswers[operation][NT_ERROR(status) ? 1 : 0] += 1;
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
    CHECK(FuzzIsFilled(output + information, FUZZ_OUTPUT_LENGTH - information));
}

static VOID FuzzOpenStream(_Inout_ HANDLE *Stream, _In_ ULONG Path)
{
    if (*Stream != NULL) {
        CoreClose(*Stream);
    }
    if (!NT_SUCCESS(CoreOpen(FuzzPaths[Path % RTL_NUMBER_OF(FuzzPaths)], NULL,
                             CORE_READ_WRITE | (Path % 3 == 0 ? DELETE : 0), FILE_OPEN_IF, 0, Stream))) {
        *Stream = NULL;
    }
}

typedef VOID FUZZ_STEP_ROUTINE(_Inout_ FUZZ_STATE *State, _In_ ULONG Number);

static VOID FuzzReopenStream(FUZZ_STATE *State, ULONG Number)
{
    FuzzOpenStream(&State->Streams[Number % FUZZ_STREAMS], Number / FUZZ_STREAMS);
}

static VOID FuzzReopenSession(FUZZ_STATE *State, ULONG Number)
{
    CoreClose(State->Sessions[Number % FUZZ_SESSIONS]);
    State->Sessions[Number % FUZZ_SESSIONS] = CoreOpenSession(CORE_READ_WRITE);
}

/* Renames or links the file, or has it deleted, where the handle may; what the file system says of it is its own affair. */
static VOID FuzzSetInformation(_In_ HANDLE Stream, _In_ ULONG Number)
{
    static const PCWSTR names[] = {L"\\??\\M:\\files\\one.txt", L"\\??\\M:\\files\\other.dat", L"\\??\\M:\\files\\~.",
                                   L"\\??\\N:\\four.txt"};
    const PCWSTR name = names[Number % RTL_NUMBER_OF(names)];
    FILE_DISPOSITION_INFORMATION disposition = {.DeleteFile = (BOOLEAN)(Number % 8 < 6)};
    union {
        FILE_RENAME_INFORMATION Rename;
        UCHAR Bytes[sizeof(FILE_RENAME_INFORMATION) + 64];
    } information;
    UNICODE_STRING text;
    IO_STATUS_BLOCK ioStatus;

    if (Number % 3 == 0) {
        (VOID) NtSetInformationFile(Stream, &ioStatus, &disposition, sizeof(disposition), FileDispositionInformation);
        return;
    }
    RtlInitUnicodeString(&text, name);
    memset(&information, 0, sizeof(information));
    information.Rename.ReplaceIfExists = (BOOLEAN)(Number % 16 < 8);
    information.Rename.FileNameLength = text.Length;
    memcpy(information.Rename.FileName, text.Buffer, text.Length);
    (VOID) NtSetInformationFile(Stream, &ioStatus, &information,
                                (ULONG)FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) + text.Length,
                                Number % 3 == 1 ? FileRenameInformation : FileLinkInformation);
}

static VOID FuzzChangeName(FUZZ_STATE *State, ULONG Number)
{
    const HANDLE stream = State->Streams[Number % FUZZ_STREAMS];

    if (stream != NULL) {
        FuzzSetInformation(stream, Number / FUZZ_STREAMS);
    }
}

static VOID FuzzTransfer(FUZZ_STATE *State, ULONG Number)
{
    const HANDLE stream = State->Streams[Number % FUZZ_STREAMS];
    LARGE_INTEGER offset = {.QuadPart = Number};
    IO_STATUS_BLOCK ioStatus;
    UCHAR data[32] = {0};

    if (stream != NULL && Number % 8 < 4) {
        (VOID) NtReadFile(stream, NULL, NULL, NULL, &ioStatus, data, sizeof(data), &offset, NULL);
    } else if (stream != NULL) {
        (VOID) NtWriteFile(stream, NULL, NULL, NULL, &ioStatus, data, sizeof(data), &offset, NULL);
    }
}

/* The end of the second client, with whatever it has pending; or its beginning. */
static VOID FuzzChangeClient(FUZZ_STATE *State, ULONG Number)
{
    FUZZ_CLIENT *client = &State->Client;

    if (client->Process != NULL) {
        HostExitProcess(client->Process);
        HostDereferenceProcess(client->Process);
        client->Process = NULL;
        CHECK(CoreWaitStatus(&client->Wait) != STATUS_PENDING);
        return;
    }
    HostLeaveProcess();
    client->Process = CoreCreateProcess(TRUE);
    HostEnterProcess(client->Process);
    client->Session = CoreOpenSession(CORE_READ_WRITE);
    client->Stream = NULL;
    FuzzOpenStream(&client->Stream, Number);
    client->Wait.IoStatus.Status = STATUS_NOT_FOUND;
    if (Number % 2 == 0) {
        const HANDLE reader = CoreOpenReader(client->Session, PSCTX_EVENT_TYPES);

        CHECK_STATUS(CoreStartWait(reader, &client->Wait), STATUS_PENDING);
    }
    if (client->Stream != NULL) {
        const CORE_INSERTION insertion = {.Stream = client->Stream, .Lifetime = Number / 2 % 2, .Pool = Number / 4 % 2};

        (VOID) CoreInsert(client->Session, &insertion, NULL);
    }
    HostLeaveProcess();
    HostEnterProcess(FuzzCore.Process);
}

static VOID FuzzChangeVolume(FUZZ_STATE *State, ULONG Number)
{
    UNREFERENCED_PARAMETER(Number);

    if (HostDismountVolume(L'N') == STATUS_SUCCESS) {
        State->Dismounted = TRUE;
    } else {
        CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    }
}

/* What is done besides requests: how many of 256 steps begin here. */
static const struct {
    ULONG First;
    FUZZ_STEP_ROUTINE *Routine;
} FuzzSteps[] = {{252, FuzzChangeVolume}, {246, FuzzChangeClient}, {240, FuzzReopenSession},
                 {226, FuzzReopenStream}, {214, FuzzChangeName},   {204, FuzzTransfer}};

static ULONG64 FuzzStepsTaken[RTL_NUMBER_OF(FuzzSteps)];

static VOID FuzzTakeStep(_Inout_ FUZZ_STATE *State)
{
    const ULONG choice = FuzzTake(&State->Input);
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(FuzzSteps); index += 1) {
        if (choice >= FuzzSteps[index].First) {
            FuzzStepsTaken[index] += 1;
            FuzzSteps[index].Routine(State, FuzzTake(&State->Input));
            return;
        }
    }
    FuzzRequest(State);
}

static VOID FuzzCheckCounters(_In_ HANDLE Session)
{
    const PSCTX_STATISTICS_REPLY statistics = CoreStatistics(Session);

    CHECK_EQUAL(statistics.SessionContexts,
                statistics.SessionInserted - statistics.SessionRemoved - statistics.SessionTornDown);
    CHECK(statistics.SessionContexts <= statistics.TotalContexts);
    CHECK(statistics.SessionPagedBytes <= statistics.TotalPagedBytes);
    CHECK(statistics.SessionNonPagedBytes <= statistics.TotalNonPagedBytes);
}

static FUZZ_STATE FuzzFirst; /* what every case begins with */

VOID FuzzStart(VOID)
{
    ULONG index;

    CoreStart(&FuzzCore);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    FuzzPoolBytes = HostAuditPool(CORE_POOL_TAG);
    for (index = 0; index < FUZZ_STREAMS; index += 1) {
        FuzzOpenStream(&FuzzFirst.Streams[index], index);
    }
    for (index = 0; index < FUZZ_SESSIONS; index += 1) {
        FuzzFirst.Sessions[index] = CoreOpenSession(CORE_READ_WRITE);
    }
    for (index = 0; index < FUZZ_WAITS; index += 1) {
        CoreInitializeWait(&FuzzFirst.Waits[index], CORE_WAIT_LENGTH);
    }
    CoreInitializeWait(&FuzzFirst.Client.Wait, CORE_WAIT_LENGTH);
    HostSave();
}

/* Closes everything, in an order that the case's length says, and looks what is left. */
static VOID FuzzEnd(_Inout_ FUZZ_STATE *State, _In_ size_t Length)
{
    PSCTX_STATISTICS_REPLY statistics;
    ULONG index;

    if (State->Client.Process != NULL) {
        FuzzChangeClient(State, 0);
    }
    for (index = 0; index < FUZZ_SESSIONS; index += 1) {
        CoreClose(State->Sessions[(index + Length) % FUZZ_SESSIONS]);
    }
    for (index = 0; index < FUZZ_STREAMS; index += 1) {
        if (State->Streams[index] != NULL) {
            CoreClose(State->Streams[index]);
        }
    }
    for (index = 0; index < FUZZ_WAITS; index += 1) {
        FuzzEndWait(State, index);
    }
    statistics = CoreStatistics(FuzzCore.Control);
    CHECK_EQUAL(statistics.TotalContexts, 0);
    CHECK_EQUAL(statistics.TotalPagedBytes + statistics.TotalNonPagedBytes, 0);
    CHECK_EQUAL(statistics.TotalSessions, 1);
    if (!State->Dismounted) {
        CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), FuzzPoolBytes);
    }
}

VOID FuzzRun(PFUZZ_INPUT Input)
{
    FUZZ_STATE state;

    HostRestore();
    state = FuzzFirst;
    state.Input = *Input;
    while (state.Input.Remaining != 0) {
        FuzzTakeStep(&state);
        FuzzCheckCounters(state.Sessions[state.Input.Remaining % FUZZ_SESSIONS]);
    }
    FuzzEnd(&state, Input->Remaining);
}

/*
 * Every operation has succeeded and failed, and every other step was taken.
 */
VOID FuzzCheckReached(VOID)
{
    ULONG index;

    for (index = 0; index < PSCTX_OPERATION_COUNT; index += 1) {
        printf("# operation %u: %llu succeeded, %llu failed\n", index, (unsigned long long)FuzzAnswers[index][0],
               (unsigned long long)FuzzAnswers[index][1]);
        CHECK(FuzzAnswers[index][0] != 0);
        CHECK(FuzzAnswers[index][1] != 0);
    }
    for (index = 0; index < RTL_NUMBER_OF(FuzzSteps); index += 1) {
        CHECK(FuzzStepsTaken[index] != 0);
    }
}
