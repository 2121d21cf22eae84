/* Requests as such: lengths, headers, control codes, access, and the errors they become in Win32. */
#include "tests.h"

#define LARGE_LENGTH (PSCTX_MAXIMUM_TRANSFER + 8u)

static const struct {
    ULONG Input;
    ULONG Output;
    BOOL Changes;
    BOOL HasTail;
} Operations[PSCTX_OPERATION_COUNT] = {
    {sizeof(PSCTX_HEADER), sizeof(PSCTX_VERSION_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_HEADER), sizeof(PSCTX_STATISTICS_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_STREAM_REQUEST), sizeof(PSCTX_STREAM_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_INSERT_REQUEST), sizeof(PSCTX_INSERT_REPLY), TRUE, TRUE},
    {sizeof(PSCTX_MATCH_REQUEST), sizeof(PSCTX_CONTEXT_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_MATCH_REQUEST), sizeof(PSCTX_CONTEXT_REPLY), TRUE, FALSE},
    {sizeof(PSCTX_MATCH_REQUEST), sizeof(PSCTX_COUNT_REPLY), TRUE, FALSE},
    {sizeof(PSCTX_LIST_REQUEST), sizeof(PSCTX_LIST_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_BATCH_REQUEST), sizeof(PSCTX_BATCH_REPLY), TRUE, TRUE},
    {sizeof(PSCTX_BATCH_REQUEST), sizeof(PSCTX_BATCH_REPLY), FALSE, TRUE},
    {sizeof(PSCTX_TRACK_REQUEST), sizeof(PSCTX_RULE_RECORD), TRUE, TRUE},
    {sizeof(PSCTX_RULE_RECORD), sizeof(PSCTX_HEADER), TRUE, FALSE},
    {sizeof(PSCTX_SUBSCRIBE_REQUEST), sizeof(PSCTX_HEADER), FALSE, FALSE},
    {sizeof(PSCTX_HEADER), sizeof(PSCTX_WAIT_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_ENUMERATE_REQUEST), sizeof(PSCTX_ENUMERATE_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_VOLUMES_REQUEST), sizeof(PSCTX_VOLUMES_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_STREAM_REQUEST), sizeof(PSCTX_INSPECT_REPLY), FALSE, FALSE},
    {sizeof(PSCTX_RULE_RECORD), sizeof(PSCTX_RULE_REPLY), FALSE, FALSE},
};

static BYTE Request[256];
static BYTE Reply[256];

static LONG Send(const SESSION *session, ULONG operation, ULONG inputLength, ULONG outputLength)
{
    return Control(session, ControlCodes[operation], Request, inputLength, Reply, outputLength, NULL);
}

static void TestVersion(void)
{
    PSCTX_VERSION_REPLY reply;
    PSCTX_VERSION_REPLY next;
    SESSION session;
    SESSION second;

    if (!OpenSession(&session, READ_ONLY) || !EXPECT_SUCCESS(QueryVersion(&session, &reply)) ||
        !OpenSession(&second, READ_ONLY) || !EXPECT_SUCCESS(QueryVersion(&second, &next))) {
        return;
    }
    Note("driver version %x", reply.DriverVersion);
    (void)EXPECT_EQUAL(PSCTX_DRIVER_VERSION, reply.DriverVersion);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_DATA_LENGTH, reply.MaximumDataLength);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_CONTEXTS, reply.MaximumContexts);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_OWNERS, reply.MaximumOwners);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_PAGED_BYTES, reply.MaximumPagedBytes);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_NONPAGED_BYTES, reply.MaximumNonPagedBytes);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_BATCH_OPERATIONS, reply.MaximumBatchOperations);
    (void)EXPECT_EQUAL(PSCTX_MAXIMUM_TRANSFER, reply.MaximumTransfer);
    (void)EXPECT(reply.Session != 0 && next.Session > reply.Session);
}

static void TestStatistics(void)
{
    PSCTX_STATISTICS_REPLY before;
    PSCTX_STATISTICS_REPLY after;
    SESSION session;
    SESSION second;

    if (!OpenSession(&session, READ_ONLY) || !EXPECT_SUCCESS(QueryStatistics(&session, &before)) ||
        !OpenSession(&second, READ_WRITE) || !EXPECT_SUCCESS(QueryStatistics(&session, &after))) {
        return;
    }
    Note("attached to %U volumes and %U file systems", before.AttachedVolumes, before.AttachedFileSystems);
    (void)EXPECT_EQUAL(before.TotalSessions + 1, after.TotalSessions);
    (void)EXPECT_EQUAL(0, before.SessionContexts);
    (void)EXPECT_EQUAL(0, before.SessionInserted);
    (void)EXPECT_EQUAL(0, before.SessionPagedBytes);
    (void)EXPECT_EQUAL(0, before.SessionNonPagedBytes);
}

static void TestLengths(void)
{
    PSCTX_HEADER *header = (PSCTX_HEADER *)Request;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (ULONG operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const ULONG input = Operations[operation].Input;

        memset(Request, 0, sizeof(Request));
        for (ULONG length = 0; length < input; length += 1) {
            SetHeader(header, length, operation);
            (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, Send(&session, operation, length, sizeof(Reply)));
        }
        SetHeader(header, input + 1, operation);
        (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, Send(&session, operation, input, sizeof(Reply)));
        SetHeader(header, input - 1, operation);
        (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, Send(&session, operation, input, sizeof(Reply)));
        if (!Operations[operation].HasTail) {
            SetHeader(header, input + 8, operation);
            (void)EXPECT_STATUS(STATUS_INFO_LENGTH_MISMATCH, Send(&session, operation, input + 8, sizeof(Reply)));
        }
        SetHeader(header, input, operation);
        for (ULONG length = 0; length < Operations[operation].Output; length += 4) {
            (void)EXPECT_STATUS(STATUS_BUFFER_TOO_SMALL, Send(&session, operation, input, length));
        }
    }
}

static void TestHeaders(void)
{
    PSCTX_HEADER *header = (PSCTX_HEADER *)Request;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    memset(Request, 0, sizeof(Request));
    for (ULONG operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const ULONG input = Operations[operation].Input;

        SetHeader(header, input, operation);
        header->Version = PSCTX_ABI_VERSION + 1;
        (void)EXPECT_STATUS(STATUS_REVISION_MISMATCH, Send(&session, operation, input, sizeof(Reply)));
        header->Version = 0;
        (void)EXPECT_STATUS(STATUS_REVISION_MISMATCH, Send(&session, operation, input, sizeof(Reply)));
        SetHeader(header, input, operation + 1);
        (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Send(&session, operation, input, sizeof(Reply)));
        SetHeader(header, input, 0xFFFF);
        (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Send(&session, operation, input, sizeof(Reply)));
    }
}

static void TestTransferLimit(void)
{
    SESSION session;
    BYTE *memory;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    memory = VirtualAlloc(NULL, LARGE_LENGTH, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!EXPECT(memory != NULL)) {
        return;
    }
    for (ULONG operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const ULONG code = ControlCodes[operation];

        SetHeader((PSCTX_HEADER *)memory, LARGE_LENGTH, operation);
        (void)EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE,
                            Control(&session, code, memory, LARGE_LENGTH, Reply, sizeof(Reply), NULL));
        SetHeader((PSCTX_HEADER *)memory, Operations[operation].Input, operation);
        (void)EXPECT_STATUS(STATUS_INVALID_BUFFER_SIZE,
                            Control(&session, code, memory, Operations[operation].Input, memory, LARGE_LENGTH, NULL));
    }
    (void)VirtualFree(memory, 0, MEM_RELEASE);
}

/* Every method and access under every number of ours but the right one. */
static void TestCodes(void)
{
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    memset(Request, 0, sizeof(Request));
    for (ULONG operation = 0; operation < PSCTX_OPERATION_COUNT + 4; operation += 1) {
        for (ULONG access = 0; access < 4; access += 1) {
            for (ULONG method = 0; method < 4; method += 1) {
                const ULONG code = PSCTX_CONTROL_CODE(operation, access) | method;

                if (operation < PSCTX_OPERATION_COUNT && code == ControlCodes[operation]) {
                    continue;
                }
                SetHeader((PSCTX_HEADER *)Request, sizeof(PSCTX_HEADER), operation);
                (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST,
                                    Control(&session, code, Request, sizeof(PSCTX_HEADER), Reply, sizeof(Reply), NULL));
            }
        }
    }
}

static void TestForeignCodes(void)
{
    static const ULONG codes[] = {
        FSCTL_LOCK_VOLUME,     FSCTL_DISMOUNT_VOLUME,   FSCTL_IS_VOLUME_MOUNTED,   IOCTL_DISK_GET_DRIVE_GEOMETRY,
        FSCTL_GET_COMPRESSION, FSCTL_GET_REPARSE_POINT, IOCTL_STORAGE_EJECT_MEDIA, 0,
        0x80000000u,
    };
    NT_STATUS_BLOCK block = {.Status = 0, .Information = 0};
    SESSION session;
    DWORD length = 0;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    memset(Request, 0, sizeof(Request));
    for (size_t index = 0; index < COUNT_OF(codes); index += 1) {
        const LONG status = Control(&session, codes[index], Request, sizeof(Request), Reply, sizeof(Reply), NULL);

        if (!EXPECT(status < 0)) {
            Note("control code %x is answered with %x", codes[index], (ULONG)status);
        }
    }
    (void)EXPECT(Nt.FsControl(session.Handle, NULL, NULL, NULL, &block, PSCTX_IOCTL_QUERY_VERSION, Request,
                              sizeof(PSCTX_HEADER), Reply, sizeof(Reply)) < 0);
    (void)EXPECT(!ReadFile(session.Handle, Reply, sizeof(Reply), &length, NULL));
    (void)EXPECT(!WriteFile(session.Handle, Request, sizeof(Request), &length, NULL));
}

static BOOL DeviceIoControlFails(HANDLE handle, ULONG code, ULONG inputLength, ULONG outputLength, DWORD error)
{
    DWORD returned = 0;

    SetLastError(ERROR_SUCCESS);
    return EXPECT(!DeviceIoControl(handle, code, Request, inputLength, Reply, outputLength, &returned, NULL)) &&
           EXPECT_EQUAL(error, GetLastError());
}

static void TestWin32Errors(void)
{
    PSCTX_HEADER *header = (PSCTX_HEADER *)Request;
    SESSION session;
    DWORD returned = 0;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    memset(Request, 0, sizeof(Request));
    SetHeader(header, sizeof(*header), PSCTX_OPERATION_QUERY_VERSION);
    (void)EXPECT(DeviceIoControl(session.Handle, PSCTX_IOCTL_QUERY_VERSION, Request, sizeof(*header), Reply,
                                 sizeof(Reply), &returned, NULL));
    (void)EXPECT_EQUAL(sizeof(PSCTX_VERSION_REPLY), returned);
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_QUERY_VERSION, sizeof(*header), 8,
                               ERROR_INSUFFICIENT_BUFFER);
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_QUERY_VERSION, 4, sizeof(Reply), ERROR_BAD_LENGTH);
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_QUERY_VERSION | 1u, sizeof(*header), sizeof(Reply),
                               ERROR_INVALID_FUNCTION);
    header->Version = 9;
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_QUERY_VERSION, sizeof(*header), sizeof(Reply),
                               ERROR_REVISION_MISMATCH);
    SetHeader(header, sizeof(*header), 77);
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_QUERY_VERSION, sizeof(*header), sizeof(Reply),
                               ERROR_INVALID_PARAMETER);
    SetHeader(header, sizeof(PSCTX_STREAM_REQUEST), PSCTX_OPERATION_QUERY_STREAM);
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_QUERY_STREAM, sizeof(PSCTX_STREAM_REQUEST), sizeof(Reply),
                               ERROR_INVALID_HANDLE);
    SetHeader(header, sizeof(PSCTX_RULE_RECORD), PSCTX_OPERATION_UNTRACK);
    (void)DeviceIoControlFails(session.Handle, PSCTX_IOCTL_UNTRACK, sizeof(PSCTX_RULE_RECORD), sizeof(Reply),
                               ERROR_NOT_FOUND);
}

static void TestReadOnlySession(void)
{
    PSCTX_HEADER *header = (PSCTX_HEADER *)Request;
    SESSION session;

    if (!OpenSession(&session, READ_ONLY)) {
        return;
    }
    memset(Request, 0, sizeof(Request));
    for (ULONG operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const ULONG input = Operations[operation].Input;
        LONG status;

        SetHeader(header, input, operation);
        status = Send(&session, operation, input, sizeof(Reply));
        if (Operations[operation].Changes) {
            (void)EXPECT_STATUS(STATUS_ACCESS_DENIED, status);
            (void)DeviceIoControlFails(session.Handle, ControlCodes[operation], input, sizeof(Reply),
                                       ERROR_ACCESS_DENIED);
        } else {
            (void)EXPECT((ULONG)status != (ULONG)STATUS_ACCESS_DENIED);
        }
    }
}

static void TestReadOnlyLookup(void)
{
    PSCTX_INSERT_REPLY reply;
    CONTEXT_BUFFER context;
    SESSION reader;
    HANDLE file = OpenSample(0);

    if (!OpenSession(&reader, READ_ONLY)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_ACCESS_DENIED, Insert(&reader, HandleValue(file), 1, 1, NULL, "x", 1, &reply));
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Lookup(&reader, HandleValue(file), 1, 1, &context));
}

/* An open of the device for nothing, or for writing alone, may not even look. */
static void TestWeakAccess(void)
{
    static const DWORD accesses[] = {0, GENERIC_WRITE, SYNCHRONIZE};

    memset(Request, 0, sizeof(Request));
    for (size_t index = 0; index < COUNT_OF(accesses); index += 1) {
        PSCTX_HEADER header;
        SESSION session;

        if (TryToOpenSession(&session, accesses[index]) != ERROR_SUCCESS) {
            continue;
        }
        SetHeader(&header, sizeof(header), PSCTX_OPERATION_QUERY_VERSION);
        (void)EXPECT_STATUS(STATUS_ACCESS_DENIED, Control(&session, PSCTX_IOCTL_QUERY_VERSION, &header, sizeof(header),
                                                          Reply, sizeof(Reply), NULL));
        CloseSession(&session);
    }
}

/* The last name is the device's own to Wine. */
static void TestNamesBelow(void)
{
    static const WCHAR *const names[] = {L"\\x", L"\\file.txt:stream", L":stream", L"\\"};
    const size_t skipped = IsWine() ? 1 : 0;

    for (size_t index = 0; index + skipped < COUNT_OF(names); index += 1) {
        WCHAR path[PATH_CAPACITY] = L"";
        HANDLE handle;

        if (!WideAppend(path, PATH_CAPACITY, Options.Device) || !WideAppend(path, PATH_CAPACITY, names[index])) {
            continue;
        }
        handle = CreateFileW(path, GENERIC_READ, 7, NULL, OPEN_EXISTING, 0, NULL);
        if (!EXPECT(handle == INVALID_HANDLE_VALUE)) {
            Note("%w can be opened", path);
            (void)CloseHandle(handle);
        }
    }
}

static const TEST Tests[] = {
    {"version and limits are those of the ABI", TestVersion, 0},
    {"statistics count sessions", TestStatistics, 0},
    {"every request and reply has to be as long as its record", TestLengths, 0},
    {"every header names this ABI version and its operation", TestHeaders, 0},
    {"nothing longer than a transfer is accepted", TestTransferLimit, 0},
    {"a control code of ours with another method, access or number is refused", TestCodes, 0},
    {"foreign control codes, reads and writes are refused", TestForeignCodes, 0},
    {"statuses become the documented Win32 errors", TestWin32Errors, 0},
    {"a session opened for reading cannot change anything", TestReadOnlySession, 0},
    {"a session opened for reading can look up", TestReadOnlyLookup, NEEDS_CONTEXTS},
    {"a session opened for less than reading cannot ask", TestWeakAccess, 0},
    {"there is nothing below the control device", TestNamesBelow, 0},
};

const TEST_GROUP RequestTests = {Tests, COUNT_OF(Tests)};
