/*
 * What every test of the driver's core stands on: see core_fixture.h.
 */
#include "core_fixture.h"

#include "core_record.h"

#include <fronts.h>
#include <stdlib.h>
#include <string.h>

/*
 * What the environment says, so that it is the same in every process of a program.
 */
ULONG CoreFront(VOID)
{
    const char *front = getenv("PSCTX_FRONT");

    return front != NULL && strcmp(front, "minifilter") == 0 ? PSCTX_FRONT_MINIFILTER : PSCTX_FRONT_LEGACY;
}

const CORE_INTERFERENCE *CoreInterference;

const ULONG CoreControlCodes[PSCTX_OPERATION_COUNT] = {
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

static VOID CoreInterfere(_In_ ULONG Code)
{
    if (CoreInterference != NULL) {
        CoreInterference->Before(Code);
    }
}

static BOOLEAN CoreCallAgain(_In_ NTSTATUS Status)
{
    return CoreInterference != NULL && CoreInterference->Again(Status);
}

/*
 * Boots the kernel and mounts a memory volume with an empty directory as M:\files.
 */
VOID CoreBoot(VOID)
{
    PEPROCESS process;
    HANDLE directory;

    CHECK_STATUS(HostBoot(), STATUS_SUCCESS);
    CHECK_STATUS(HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    process = CoreCreateProcess(TRUE);
    HostEnterProcess(process);
    CHECK_STATUS(CoreOpen(L"\\??\\M:\\files", NULL, FILE_READ_ATTRIBUTES | SYNCHRONIZE, FILE_OPEN_IF,
                          FILE_DIRECTORY_FILE, &directory),
                 STATUS_SUCCESS);
    CoreClose(directory);
    HostLeaveProcess();
    CoreEndProcess(process);
}

PDRIVER_OBJECT CoreLoadDriver(VOID)
{
    PDRIVER_OBJECT driver;

    CHECK_STATUS(PsctxLoadFront(CoreFront(), &driver), STATUS_SUCCESS);
    return driver;
}

PEPROCESS CoreCreateProcess(BOOLEAN Administrator)
{
    PEPROCESS process;

    CHECK_STATUS(HostCreateProcess(Administrator, &process), STATUS_SUCCESS);
    return process;
}

VOID CoreEndProcess(PEPROCESS Process)
{
    HostExitProcess(Process);
    HostDereferenceProcess(Process);
}

/*
 * Shuts the kernel down and asserts that nothing is left of anything.
 */
VOID CoreShutdown(VOID)
{
    HOST_AUDIT audit;

    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
    CHECK_STATUS(HostShutdown(&audit), STATUS_SUCCESS);
    CHECK_EQUAL(audit.PoolBytes, 0);
    CHECK_EQUAL(audit.PoolAllocations, 0);
    CHECK_EQUAL(audit.Handles, 0);
    CHECK_EQUAL(audit.Objects, 0);
    CHECK_EQUAL(audit.Irps, 0);
    CHECK_EQUAL(audit.Locks, 0);
    CHECK_EQUAL(audit.Resources, 0);
}

VOID CoreStart(PCORE Core)
{
    CoreBoot();
    Core->Driver = CoreLoadDriver();
    Core->Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Core->Process);
    Core->Control = CoreOpenSession(CORE_READ_WRITE);
}

/*
 * Ends the client with whatever handles it has open, unloads the driver and shuts down.
 */
VOID CoreStop(const CORE *Core)
{
    HostLeaveProcess();
    CoreEndProcess(Core->Process);
    CHECK_STATUS(HostUnloadDriver(Core->Driver), STATUS_SUCCESS);
    CoreShutdown();
}

NTSTATUS CoreOpen(PCWSTR Path, HANDLE Root, ACCESS_MASK Access, ULONG Disposition, ULONG Options, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK ioStatus;
    UNICODE_STRING name;
    NTSTATUS status;

    *Handle = NULL;
    RtlInitUnicodeString(&name, Path);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, Root, NULL);
    do {
        CoreInterfere(0);
        status = NtCreateFile(Handle, Access, &attributes, &ioStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition, Options, NULL, 0);
    } while (CoreCallAgain(status));
    return status;
}

HANDLE CoreOpenFile(PCWSTR Path)
{
    HANDLE handle;

    CHECK_STATUS(CoreOpen(Path, NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &handle), STATUS_SUCCESS);
    return handle;
}

HANDLE CoreOpenSession(ACCESS_MASK Access)
{
    HANDLE handle;

    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, Access, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    return handle;
}

VOID CoreClose(HANDLE Handle)
{
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
}

NTSTATUS CoreControl(HANDLE Control, ULONG Code, const VOID *Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                     PULONG Information)
{
    IO_STATUS_BLOCK ioStatus = {0};
    NTSTATUS status;

    CoreRecord(Code, Input, InputLength, OutputLength);
    do {
        CoreInterfere(Code);
        status = NtDeviceIoControlFile(Control, NULL, NULL, NULL, &ioStatus, Code, (PVOID)(ULONG_PTR)Input, InputLength,
                                       Output, OutputLength);
    } while (CoreCallAgain(status));
    if (Information != NULL) {
        *Information = NT_ERROR(status) ? 0 : (ULONG)ioStatus.Information;
    }
    return status;
}

VOID CoreSetHeader(PSCTX_HEADER *Header, ULONG Operation, ULONG Size)
{
    Header->Size = Size;
    Header->Version = PSCTX_ABI_VERSION;
    Header->Operation = (USHORT)Operation;
}

static VOID CoreCheckHeader(_In_ const PSCTX_HEADER *Header, _In_ ULONG Operation, _In_ ULONG Size)
{
    CHECK_EQUAL(Header->Size, Size);
    CHECK_EQUAL(Header->Version, PSCTX_ABI_VERSION);
    CHECK_EQUAL(Header->Operation, Operation);
}

NTSTATUS CoreInsert(HANDLE Control, const CORE_INSERTION *Insertion, PSCTX_INSERT_REPLY *Reply)
{
    const ULONG length = (ULONG)sizeof(PSCTX_INSERT_REQUEST) + Insertion->DataLength;
    PSCTX_INSERT_REQUEST *request = calloc(1, length);
    PSCTX_INSERT_REPLY reply;
    ULONG information;
    NTSTATUS status;

    CHECK(request != NULL);
    CoreSetHeader(&request->Header, PSCTX_OPERATION_INSERT, length);
    request->Handle = (ULONG_PTR)Insertion->Stream;
    request->OwnerKey = Insertion->Owner;
    request->Instance = Insertion->Instance;
    request->IfExists = Insertion->IfExists;
    request->Pool = Insertion->Pool;
    request->Lifetime = Insertion->Lifetime;
    request->DataLength = Insertion->DataLength;
    if (Insertion->DataLength != 0) {
        memcpy(request + 1, Insertion->Data, Insertion->DataLength);
    }
    status = CoreControl(Control, PSCTX_IOCTL_INSERT, request, length, &reply, sizeof(reply), &information);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(information, sizeof(reply));
        CoreCheckHeader(&reply.Header, PSCTX_OPERATION_INSERT, sizeof(reply));
        CHECK_EQUAL(reply.Reserved, 0);
        if (Reply != NULL) {
            *Reply = reply;
        }
    }
    free(request);
    return status;
}

static VOID CoreFillMatch(_Out_ PSCTX_MATCH_REQUEST *Request, _In_ ULONG Operation, _In_ HANDLE Stream,
                          _In_ ULONG Match, _In_ ULONG64 Owner, _In_ ULONG64 Instance)
{
    memset(Request, 0, sizeof(*Request));
    CoreSetHeader(&Request->Header, Operation, sizeof(*Request));
    Request->Handle = (ULONG_PTR)Stream;
    Request->OwnerKey = Owner;
    Request->Instance = Instance;
    Request->Match = Match;
}

static NTSTATUS CoreMatch(_In_ HANDLE Control, _In_ ULONG Operation, _In_ HANDLE Stream, _In_ ULONG Match,
                          _In_ ULONG64 Owner, _In_ ULONG64 Instance, _Out_opt_ PCORE_CONTEXT Context)
{
    PSCTX_MATCH_REQUEST request;
    CORE_CONTEXT context;
    ULONG information;
    NTSTATUS status;

    CoreFillMatch(&request, Operation, Stream, Match, Owner, Instance);
    memset(&context, 0xA5, sizeof(context));
    status = CoreControl(Control, CoreControlCodes[Operation], &request, sizeof(request), &context, sizeof(context),
                         &information);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(information, sizeof(context.Reply) + context.Reply.DataLength);
        CoreCheckHeader(&context.Reply.Header, Operation, information);
    }
    if (Context != NULL) {
        *Context = context;
    }
    return status;
}

NTSTATUS CoreLookup(HANDLE Control, HANDLE Stream, ULONG Match, ULONG64 Owner, ULONG64 Instance, PCORE_CONTEXT Context)
{
    return CoreMatch(Control, PSCTX_OPERATION_LOOKUP, Stream, Match, Owner, Instance, Context);
}

NTSTATUS CoreRemove(HANDLE Control, HANDLE Stream, ULONG Match, ULONG64 Owner, ULONG64 Instance, PCORE_CONTEXT Context)
{
    return CoreMatch(Control, PSCTX_OPERATION_REMOVE, Stream, Match, Owner, Instance, Context);
}

NTSTATUS CoreRemoveAll(HANDLE Control, HANDLE Stream, ULONG Match, ULONG64 Owner, ULONG64 Instance, PULONG64 Count)
{
    PSCTX_MATCH_REQUEST request;
    PSCTX_COUNT_REPLY reply;
    ULONG information;
    NTSTATUS status;

    CoreFillMatch(&request, PSCTX_OPERATION_REMOVE_ALL, Stream, Match, Owner, Instance);
    status =
        CoreControl(Control, PSCTX_IOCTL_REMOVE_ALL, &request, sizeof(request), &reply, sizeof(reply), &information);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(information, sizeof(reply));
        CoreCheckHeader(&reply.Header, PSCTX_OPERATION_REMOVE_ALL, sizeof(reply));
        if (Count != NULL) {
            *Count = reply.Count;
        }
    }
    return status;
}

NTSTATUS CoreQueryStream(HANDLE Control, HANDLE Stream, PSCTX_STREAM_REPLY *Reply)
{
    PSCTX_STREAM_REQUEST request = {.Handle = (ULONG_PTR)Stream};
    ULONG information;
    NTSTATUS status;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_QUERY_STREAM, sizeof(request));
    status =
        CoreControl(Control, PSCTX_IOCTL_QUERY_STREAM, &request, sizeof(request), Reply, sizeof(*Reply), &information);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(information, sizeof(*Reply));
        CoreCheckHeader(&Reply->Header, PSCTX_OPERATION_QUERY_STREAM, sizeof(*Reply));
        CHECK_EQUAL(Reply->Reserved, 0);
    }
    return status;
}

PSCTX_STATISTICS_REPLY CoreStatistics(HANDLE Control)
{
    PSCTX_STATISTICS_REPLY reply;
    PSCTX_HEADER request;
    ULONG information;

    CoreSetHeader(&request, PSCTX_OPERATION_QUERY_STATISTICS, sizeof(request));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_QUERY_STATISTICS, &request, sizeof(request), &reply, sizeof(reply),
                             &information),
                 STATUS_SUCCESS);
    CHECK_EQUAL(information, sizeof(reply));
    CoreCheckHeader(&reply.Header, PSCTX_OPERATION_QUERY_STATISTICS, sizeof(reply));
    return reply;
}

PSCTX_VERSION_REPLY CoreLimits(HANDLE Control)
{
    const CORE_REQUEST request = CoreMakeRequest(PSCTX_OPERATION_QUERY_VERSION, NULL);
    PSCTX_VERSION_REPLY reply;

    CHECK_STATUS(CoreControl(Control, request.Code, request.Bytes, request.Length, &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
    return reply;
}

static NTSTATUS CoreList(_In_ HANDLE Control, _In_ HANDLE Stream, _Out_writes_bytes_(Length) PVOID Output,
                         _In_ ULONG Length, _Out_ PULONG Information)
{
    PSCTX_LIST_REQUEST request = {.Handle = (ULONG_PTR)Stream};

    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
    return CoreControl(Control, PSCTX_IOCTL_LIST, &request, sizeof(request), Output, Length, Information);
}

ULONG CoreCount(HANDLE Control, HANDLE Stream)
{
    PSCTX_LIST_REPLY reply;
    ULONG information;
    NTSTATUS status;

    status = CoreList(Control, Stream, &reply, sizeof(reply), &information);
    if (status != STATUS_BUFFER_OVERFLOW && status != STATUS_SUCCESS) {
        return 0;
    }
    CoreCheckHeader(&reply.Header, PSCTX_OPERATION_LIST, sizeof(reply));
    CHECK_EQUAL(reply.Count, 0);
    CHECK_EQUAL(reply.Reserved, 0);
    CHECK_EQUAL(reply.NextSize != 0, reply.Remaining != 0);
    return reply.Remaining;
}

CORE_REQUEST CoreMakeRequest(ULONG Operation, HANDLE Stream)
{
    static const ULONG outputLengths[PSCTX_OPERATION_COUNT] = {
        sizeof(PSCTX_VERSION_REPLY),
        sizeof(PSCTX_STATISTICS_REPLY),
        sizeof(PSCTX_STREAM_REPLY),
        sizeof(PSCTX_INSERT_REPLY),
        sizeof(PSCTX_CONTEXT_REPLY),
        sizeof(PSCTX_CONTEXT_REPLY),
        sizeof(PSCTX_COUNT_REPLY),
        sizeof(PSCTX_LIST_REPLY),
        sizeof(PSCTX_BATCH_REPLY) + sizeof(PSCTX_BATCH_RESULT) + sizeof(PSCTX_STREAM_REPLY),
        sizeof(PSCTX_BATCH_REPLY) + sizeof(PSCTX_BATCH_RESULT) + sizeof(PSCTX_STREAM_REPLY),
        sizeof(PSCTX_RULE_RECORD),
        sizeof(PSCTX_HEADER),
        sizeof(PSCTX_HEADER),
        sizeof(PSCTX_WAIT_REPLY) + PSCTX_MAXIMUM_EVENT_SIZE,
        sizeof(PSCTX_ENUMERATE_REPLY),
        sizeof(PSCTX_VOLUMES_REPLY),
        sizeof(PSCTX_INSPECT_REPLY),
        sizeof(PSCTX_RULE_REPLY),
    };
    CORE_REQUEST request = {.Code = CoreControlCodes[Operation], .OutputLength = outputLengths[Operation]};
    PVOID bytes = request.Bytes;

    switch (Operation) {
    case PSCTX_OPERATION_QUERY_STREAM:
    case PSCTX_OPERATION_INSPECT: {
        PSCTX_STREAM_REQUEST *stream = bytes;

        stream->Handle = (ULONG_PTR)Stream;
        request.Length = sizeof(*stream);
        break;
    }
    case PSCTX_OPERATION_INSERT: {
        PSCTX_INSERT_REQUEST *insert = bytes; /* of a context that is there: fails */

        insert->Handle = (ULONG_PTR)Stream;
        insert->OwnerKey = 1;
        insert->Instance = 1;
        insert->DataLength = 3;
        request.Length = sizeof(*insert) + 3;
        break;
    }
    case PSCTX_OPERATION_LOOKUP:
    case PSCTX_OPERATION_REMOVE:
    case PSCTX_OPERATION_REMOVE_ALL: {
        PSCTX_MATCH_REQUEST *match = bytes; /* of a context that is not there */

        match->Handle = (ULONG_PTR)Stream;
        match->OwnerKey = 1;
        match->Instance = ~0ull;
        request.Length = sizeof(*match);
        break;
    }
    case PSCTX_OPERATION_LIST: {
        PSCTX_LIST_REQUEST *list = bytes;

        list->Handle = (ULONG_PTR)Stream;
        request.Length = sizeof(*list);
        break;
    }
    case PSCTX_OPERATION_BATCH:
    case PSCTX_OPERATION_LOOKUP_BATCH: {
        PSCTX_BATCH_REQUEST *batch = bytes;
        PSCTX_STREAM_REQUEST *stream = (PSCTX_STREAM_REQUEST *)(batch + 1);

        batch->Count = 1;
        batch->ReplyCapacity = sizeof(PSCTX_STREAM_REPLY);
        CoreSetHeader(&stream->Header, PSCTX_OPERATION_QUERY_STREAM, sizeof(*stream));
        stream->Handle = (ULONG_PTR)Stream;
        request.Length = sizeof(*batch) + sizeof(*stream);
        break;
    }
    case PSCTX_OPERATION_TRACK: {
        PSCTX_TRACK_REQUEST *track = bytes;

        track->PatternLength = 2 * sizeof(WCHAR);
        memcpy(track + 1, L"X*", 2 * sizeof(WCHAR));
        request.Length = sizeof(*track) + 2 * sizeof(WCHAR);
        break;
    }
    case PSCTX_OPERATION_UNTRACK:
    case PSCTX_OPERATION_QUERY_RULE: {
        PSCTX_RULE_RECORD *rule = bytes; /* that is not there */

        rule->Rule = ~0ull;
        request.Length = sizeof(*rule);
        break;
    }
    case PSCTX_OPERATION_SUBSCRIBE: {
        PSCTX_SUBSCRIBE_REQUEST *subscribe = bytes; /* to a session that is not there */

        subscribe->Session = ~0ull;
        subscribe->Types = PSCTX_EVENT_TYPES;
        subscribe->Capacity = PSCTX_MINIMUM_EVENT_CAPACITY;
        request.Length = sizeof(*subscribe);
        break;
    }
    case PSCTX_OPERATION_ENUMERATE: {
        PSCTX_ENUMERATE_REQUEST *enumerate = bytes;

        enumerate->VolumeHandle = (ULONG_PTR)Stream;
        request.Length = sizeof(*enumerate);
        break;
    }
    case PSCTX_OPERATION_LIST_VOLUMES:
        request.Length = sizeof(PSCTX_VOLUMES_REQUEST);
        break;
    default:
        request.Length = sizeof(PSCTX_HEADER);
        break;
    }
    CoreSetHeader(bytes, Operation, request.Length);
    return request;
}

NTSTATUS CoreSend(HANDLE Control, ULONG Code, const VOID *Input, ULONG InputLength, ULONG OutputLength)
{
    PVOID input = InputLength == 0 ? NULL : malloc(InputLength);
    PVOID output = OutputLength == 0 ? NULL : malloc(OutputLength);
    NTSTATUS status;

    CHECK(InputLength == 0 || input != NULL);
    CHECK(OutputLength == 0 || output != NULL);
    if (input != NULL) {
        memcpy(input, Input, InputLength);
    }
    status = CoreControl(Control, Code, input, InputLength, output, OutputLength, NULL);
    free(output);
    free(input);
    return status;
}

VOID CoreCapture(HANDLE Control, HANDLE Stream, PCORE_STATE State)
{
    memset(State, 0, sizeof(*State));
    State->Statistics = CoreStatistics(Control);
    CHECK_STATUS(CoreList(Control, Stream, State->List, sizeof(State->List), &State->ListLength), STATUS_SUCCESS);
    State->PoolBytes = HostAuditPool(CORE_POOL_TAG);
}

VOID CoreCheckUnchanged(HANDLE Control, HANDLE Stream, const CORE_STATE *State)
{
    CORE_STATE now;

    CoreCapture(Control, Stream, &now);
    CHECK(memcmp(&now, State, sizeof(now)) == 0);
}

BOOLEAN CoreAreFileSystems(const PSCTX_VOLUMES_REPLY *Reply)
{
    const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)(Reply + 1);
    UNICODE_STRING filterManager;
    ULONG index;

    RtlInitUnicodeString(&filterManager, L"\\FileSystem\\FltMgr");
    for (index = 0; index < Reply->Count; index += 1) {
        if (entry->FileSystemLength == filterManager.Length &&
            memcmp((const UCHAR *)(entry + 1) + entry->DeviceNameLength, filterManager.Buffer, filterManager.Length) ==
                0) {
            return FALSE;
        }
        entry = (const PSCTX_VOLUME_ENTRY *)((const UCHAR *)entry + entry->Size);
    }
    return TRUE;
}
