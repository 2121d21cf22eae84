/* Talks to the control device. */
#include "device.h"
#include "options.h"

#define KEPT_CAPACITY 512u
#define ANSWER_MILLISECONDS 60000u
#define INLINE_DATA 1024u

const ULONG ControlCodes[PSCTX_OPERATION_COUNT] = {
    PSCTX_IOCTL_QUERY_VERSION, PSCTX_IOCTL_QUERY_STATISTICS,
    PSCTX_IOCTL_QUERY_STREAM,  PSCTX_IOCTL_INSERT,
    PSCTX_IOCTL_LOOKUP,        PSCTX_IOCTL_REMOVE,
    PSCTX_IOCTL_REMOVE_ALL,    PSCTX_IOCTL_LIST,
    PSCTX_IOCTL_BATCH,         PSCTX_IOCTL_LOOKUP_BATCH,
    PSCTX_IOCTL_TRACK,         PSCTX_IOCTL_UNTRACK,
    PSCTX_IOCTL_SUBSCRIBE,     PSCTX_IOCTL_WAIT,
    PSCTX_IOCTL_ENUMERATE,     PSCTX_IOCTL_LIST_VOLUMES,
    PSCTX_IOCTL_INSPECT,       PSCTX_IOCTL_QUERY_RULE,
};

static HANDLE volatile Kept[KEPT_CAPACITY];

HANDLE KeepHandle(HANDLE handle)
{
    if (handle == NULL || handle == INVALID_HANDLE_VALUE) {
        return handle;
    }
    for (size_t index = 0; index < KEPT_CAPACITY; index += 1) {
        if (InterlockedCompareExchangePointer(&Kept[index], handle, NULL) == NULL) {
            return handle;
        }
    }
    BailOut("more than %u handles are open", KEPT_CAPACITY);
}

void CloseKept(HANDLE handle)
{
    for (size_t index = 0; index < KEPT_CAPACITY; index += 1) {
        if (InterlockedCompareExchangePointer(&Kept[index], NULL, handle) == handle) {
            (void)CloseHandle(handle);
            return;
        }
    }
}

void CloseAllKept(void)
{
    for (size_t index = 0; index < KEPT_CAPACITY; index += 1) {
        const HANDLE handle = InterlockedExchangePointer(&Kept[index], NULL);

        if (handle != NULL) {
            (void)CloseHandle(handle);
        }
    }
}

void ChooseDevice(void)
{
    HANDLE handle;

    if (!WideEqual(Options.Device, PSCTX_WIN32_GLOBAL_NAME)) {
        return;
    }
    handle = CreateFileW(Options.Device, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (handle != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(handle);
    } else if (GetLastError() == ERROR_PATH_NOT_FOUND) {
        Options.Device = PSCTX_WIN32_NAME;
    }
}

BOOL IsDeviceGone(void)
{
    const HANDLE handle =
        CreateFileW(Options.Device, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);

    if (handle != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(handle);
        return FALSE;
    }
    return GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND;
}

static DWORD OpenDevice(SESSION *session, DWORD access, DWORD flags)
{
    session->Event = NULL;
    session->Handle =
        CreateFileW(Options.Device, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, flags, NULL);
    if (session->Handle == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    (void)KeepHandle(session->Handle);
    return ERROR_SUCCESS;
}

DWORD TryToOpenSession(SESSION *session, DWORD access)
{
    return OpenDevice(session, access, 0);
}

BOOL OpenSession(SESSION *session, DWORD access)
{
    return EXPECT_EQUAL(ERROR_SUCCESS, TryToOpenSession(session, access));
}

BOOL OpenSharedSession(SESSION *session)
{
    return EXPECT_EQUAL(ERROR_SUCCESS, OpenDevice(session, READ_WRITE, FILE_FLAG_OVERLAPPED));
}

void CloseSession(SESSION *session)
{
    CloseKept(session->Handle);
    session->Handle = INVALID_HANDLE_VALUE;
}

/*
 * NtDeviceIoControlFile, whose status has not been through the table of Win32 errors. A driver that does not answer ends the run.
 */
LONG Control(const SESSION *session, ULONG code, const void *input, ULONG inputLength, void *output, ULONG outputLength,
             ULONG *returned)
{
    NT_STATUS_BLOCK block = {.Status = STATUS_PENDING, .Information = 0};
    LONG status;

    if (session->Event != NULL) {
        (void)ResetEvent(session->Event);
    }
    status = Nt.DeviceControl(session->Handle, session->Event, NULL, NULL, &block, code, input, inputLength, output,
                              outputLength);
    if (status == STATUS_PENDING) {
        const HANDLE wait = session->Event != NULL ? session->Event : session->Handle;

        if (WaitForSingleObject(wait, ANSWER_MILLISECONDS) != WAIT_OBJECT_0) {
            BailOut("control code %x is not answered", code);
        }
        status = block.Status;
    }
    if (returned != NULL) {
        *returned = (ULONG)status >> 30 == 3u ? 0 : (ULONG)block.Information;
    }
    Progress();
    return status;
}

void SetHeader(PSCTX_HEADER *header, ULONG size, ULONG operation)
{
    header->Size = size;
    header->Version = PSCTX_ABI_VERSION;
    header->Operation = (PSCTX_UINT16)operation;
}

ULONG64 HandleValue(HANDLE handle)
{
    return (ULONG64)(ULONG_PTR)handle;
}

LONG Ask(const SESSION *session, const PSCTX_HEADER *request, void *reply, ULONG replyLength)
{
    const ULONG operation = request->Operation;
    const PSCTX_HEADER *header = reply;
    ULONG returned = 0;
    const LONG status =
        Control(session, ControlCodes[operation], request, request->Size, reply, replyLength, &returned);

    if (status == STATUS_SUCCESS) {
        (void)EXPECT_EQUAL(header->Size, returned);
        (void)EXPECT_EQUAL(PSCTX_ABI_VERSION, header->Version);
        (void)EXPECT_EQUAL(operation, header->Operation);
    }
    return status;
}

LONG QueryVersion(const SESSION *session, PSCTX_VERSION_REPLY *reply)
{
    PSCTX_HEADER request;

    SetHeader(&request, sizeof(request), PSCTX_OPERATION_QUERY_VERSION);
    return Ask(session, &request, reply, sizeof(*reply));
}

LONG QueryStatistics(const SESSION *session, PSCTX_STATISTICS_REPLY *reply)
{
    PSCTX_HEADER request;

    memset(reply, 0, sizeof(*reply));
    SetHeader(&request, sizeof(request), PSCTX_OPERATION_QUERY_STATISTICS);
    return Ask(session, &request, reply, sizeof(*reply));
}

LONG QueryStream(const SESSION *session, ULONG64 handle, PSCTX_STREAM_REPLY *reply)
{
    PSCTX_STREAM_REQUEST request;

    memset(reply, 0, sizeof(*reply));
    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_QUERY_STREAM);
    request.Handle = handle;
    return Ask(session, &request.Header, reply, sizeof(*reply));
}

LONG Insert(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, const INSERT_OPTIONS *options,
            const void *data, ULONG dataLength, PSCTX_INSERT_REPLY *reply)
{
    struct {
        PSCTX_INSERT_REQUEST Request;
        BYTE Data[INLINE_DATA];
    } buffer;
    PSCTX_INSERT_REPLY unused;

    memset(&buffer.Request, 0, sizeof(buffer.Request));
    SetHeader(&buffer.Request.Header, (ULONG)sizeof(buffer.Request) + dataLength, PSCTX_OPERATION_INSERT);
    buffer.Request.Handle = handle;
    buffer.Request.OwnerKey = owner;
    buffer.Request.Instance = instance;
    buffer.Request.DataLength = dataLength;
    if (options != NULL) {
        buffer.Request.IfExists = options->IfExists;
        buffer.Request.Pool = options->Pool;
        buffer.Request.Lifetime = options->Lifetime;
    }
    memcpy(buffer.Data, data, dataLength);
    return Ask(session, &buffer.Request.Header, reply != NULL ? reply : &unused, sizeof(unused));
}

LONG Match(const SESSION *session, ULONG operation, ULONG64 handle, ULONG64 owner, ULONG64 instance, ULONG match,
           void *reply, ULONG replyLength)
{
    PSCTX_MATCH_REQUEST request;

    memset(&request, 0, sizeof(request));
    SetHeader(&request.Header, sizeof(request), operation);
    request.Handle = handle;
    request.OwnerKey = owner;
    request.Instance = instance;
    request.Match = match;
    return Ask(session, &request.Header, reply, replyLength);
}

LONG Lookup(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, CONTEXT_BUFFER *buffer)
{
    CONTEXT_BUFFER unused;

    return Match(session, PSCTX_OPERATION_LOOKUP, handle, owner, instance, PSCTX_MATCH_INSTANCE,
                 buffer != NULL ? buffer : &unused, sizeof(unused));
}

LONG Remove(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, CONTEXT_BUFFER *buffer)
{
    CONTEXT_BUFFER unused;

    return Match(session, PSCTX_OPERATION_REMOVE, handle, owner, instance, PSCTX_MATCH_INSTANCE,
                 buffer != NULL ? buffer : &unused, sizeof(unused));
}

LONG RemoveAll(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, ULONG match, ULONG64 *count)
{
    PSCTX_COUNT_REPLY reply;
    const LONG status =
        Match(session, PSCTX_OPERATION_REMOVE_ALL, handle, owner, instance, match, &reply, sizeof(reply));

    *count = status == STATUS_SUCCESS ? reply.Count : 0;
    return status;
}

LONG List(const SESSION *session, ULONG64 handle, ULONG64 before, void *reply, ULONG replyLength)
{
    PSCTX_LIST_REQUEST request;

    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_LIST);
    request.Handle = handle;
    request.Before = before;
    return Ask(session, &request.Header, reply, replyLength);
}

LONG Track(const SESSION *session, ULONG64 owner, ULONG64 instance, const void *pattern, ULONG patternLength,
           ULONG64 *rule)
{
    return TrackOnVolume(session, 0, 0, owner, instance, pattern, patternLength, rule);
}

LONG TrackOnVolume(const SESSION *session, ULONG64 volume, ULONG flags, ULONG64 owner, ULONG64 instance,
                   const void *pattern, ULONG patternLength, ULONG64 *rule)
{
    struct {
        PSCTX_TRACK_REQUEST Request;
        BYTE Pattern[INLINE_DATA];
    } buffer;
    PSCTX_RULE_RECORD reply;
    LONG status;

    memset(&buffer.Request, 0, sizeof(buffer.Request));
    SetHeader(&buffer.Request.Header, (ULONG)sizeof(buffer.Request) + patternLength, PSCTX_OPERATION_TRACK);
    buffer.Request.OwnerKey = owner;
    buffer.Request.Instance = instance;
    buffer.Request.VolumeHandle = volume;
    buffer.Request.PatternLength = patternLength;
    buffer.Request.Flags = flags;
    memcpy(buffer.Pattern, pattern, patternLength);
    status = Ask(session, &buffer.Request.Header, &reply, sizeof(reply));
    *rule = status == STATUS_SUCCESS ? reply.Rule : 0;
    return status;
}

LONG Untrack(const SESSION *session, ULONG64 rule)
{
    PSCTX_RULE_RECORD request;
    PSCTX_HEADER reply;

    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_UNTRACK);
    request.Rule = rule;
    return Ask(session, &request.Header, &reply, sizeof(reply));
}

LONG QueryRule(const SESSION *session, ULONG64 rule, PSCTX_RULE_REPLY *reply)
{
    PSCTX_RULE_RECORD request;

    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_QUERY_RULE);
    request.Rule = rule;
    return Ask(session, &request.Header, reply, sizeof(*reply));
}
