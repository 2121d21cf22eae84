/*
 * What a request's handle may be of: file streams that take contexts, and nothing else.
 */
#include "core_tests.h"

#include <string.h>

/*
 * A handle that is no file's, or none: the same status from every operation that takes one.
 */
static VOID CoreCheckHandle(_In_ HANDLE Control, _In_ HANDLE Handle, _In_ NTSTATUS Status)
{
    const CORE_INSERTION insertion = {.Stream = Handle, .Owner = 1};
    PSCTX_STREAM_REPLY support;

    CHECK_STATUS(CoreQueryStream(Control, Handle, &support), Status);
    CHECK_STATUS(CoreInsert(Control, &insertion, NULL), Status);
    CHECK_STATUS(CoreLookup(Control, Handle, PSCTX_MATCH_FIRST, 0, 0, NULL), Status);
    CHECK_STATUS(CoreRemove(Control, Handle, PSCTX_MATCH_OWNER, 1, 0, NULL), Status);
    CHECK_STATUS(CoreRemoveAll(Control, Handle, PSCTX_MATCH_FIRST, 0, 0, NULL), Status);
}

/*
 * A file object that can carry no contexts, for this reason.
 */
static VOID CoreCheckUnsupported(_In_ HANDLE Control, _In_ HANDLE Handle, _In_ ULONG Support)
{
    const CORE_INSERTION insertion = {.Stream = Handle, .Owner = 1};
    PSCTX_STREAM_REPLY reply;

    CHECK_STATUS(CoreQueryStream(Control, Handle, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Support, Support);
    CHECK(Support == PSCTX_SUPPORT_NO_FILTER_CONTEXTS || reply.HeaderVersion == 0);
    CHECK_STATUS(CoreInsert(Control, &insertion, NULL), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(CoreLookup(Control, Handle, PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(CoreRemove(Control, Handle, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(CoreRemoveAll(Control, Handle, PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_INVALID_DEVICE_REQUEST);
}

typedef struct _CORE_KERNEL_HANDLE {
    HANDLE UserHandle;
    HANDLE KernelHandle;
} CORE_KERNEL_HANDLE;

static VOID CoreMakeKernelHandle(PVOID Context)
{
    CORE_KERNEL_HANDLE *handles = Context;
    PVOID object;

    CHECK_STATUS(ObReferenceObjectByHandle(handles->UserHandle, 0, *IoFileObjectType, UserMode, &object, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(ObOpenObjectByPointer(object, OBJ_KERNEL_HANDLE, NULL, FILE_READ_DATA, *IoFileObjectType, KernelMode,
                                       &handles->KernelHandle),
                 STATUS_SUCCESS);
    ObDereferenceObject(object);
}

static VOID CoreCloseKernelHandle(PVOID Context)
{
    const CORE_KERNEL_HANDLE *handles = Context;

    CHECK_STATUS(ZwClose(handles->KernelHandle), STATUS_SUCCESS);
}

VOID CoreHandlesOfNothingAreRefused(VOID)
{
    PSCTX_STREAM_REPLY support;
    CORE_KERNEL_HANDLE handles;
    HANDLE closed;
    HANDLE event;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    handles.UserHandle = CoreOpenFile(CORE_OTHER_FILE);
    CHECK_STATUS(NtCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    CoreRunInKernel(CoreMakeKernelHandle, &handles);
    closed = CoreOpenFile(CORE_FILE);
    CoreClose(closed);

    CoreCheckHandle(core.Control, NULL, STATUS_INVALID_HANDLE);
    CoreCheckHandle(core.Control, closed, STATUS_INVALID_HANDLE);
    CoreCheckHandle(core.Control, (HANDLE)(ULONG_PTR)0x7FFFFFFCu, STATUS_INVALID_HANDLE);
    CoreCheckHandle(core.Control, (HANDLE)(ULONG_PTR)0x8000000000000000ull, STATUS_INVALID_HANDLE);
    CoreCheckHandle(core.Control, handles.KernelHandle, STATUS_INVALID_HANDLE);
    CoreCheckHandle(core.Control, (HANDLE)(LONG_PTR)-1, STATUS_OBJECT_TYPE_MISMATCH);  /* the process itself */
    CHECK(!NT_SUCCESS(CoreQueryStream(core.Control, (HANDLE)(LONG_PTR)-2, &support))); /* the thread itself */
    CoreCheckHandle(core.Control, event, STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionInserted, 0);

    CoreRunInKernel(CoreCloseKernelHandle, &handles);
    CoreUnloadProbe();
    CoreStop(&core);
}

/* Where a request has a handle: every operation that takes one, and a batch of one of them. */
static const struct {
    ULONG Operation;
    ULONG Offset;
    BOOLEAN MayBeNone; /* zero is every volume */
} CoreTakers[] = {
    {PSCTX_OPERATION_QUERY_STREAM, offsetof(PSCTX_STREAM_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_INSERT, offsetof(PSCTX_INSERT_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_LOOKUP, offsetof(PSCTX_MATCH_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_REMOVE, offsetof(PSCTX_MATCH_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_REMOVE_ALL, offsetof(PSCTX_MATCH_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_LIST, offsetof(PSCTX_LIST_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_INSPECT, offsetof(PSCTX_STREAM_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_TRACK, offsetof(PSCTX_TRACK_REQUEST, VolumeHandle), TRUE},
    {PSCTX_OPERATION_ENUMERATE, offsetof(PSCTX_ENUMERATE_REQUEST, VolumeHandle), TRUE},
    {PSCTX_OPERATION_BATCH, sizeof(PSCTX_BATCH_REQUEST) + offsetof(PSCTX_STREAM_REQUEST, Handle), FALSE},
    {PSCTX_OPERATION_LOOKUP_BATCH, sizeof(PSCTX_BATCH_REQUEST) + offsetof(PSCTX_STREAM_REQUEST, Handle), FALSE},
};

/* What an operation makes of a handle, or the one in a batch does. */
static NTSTATUS CoreSendHandle(_In_ HANDLE Control, _In_ ULONG Taker, _In_ ULONG64 Handle)
{
    const ULONG operation = CoreTakers[Taker].Operation;
    const BOOLEAN batch = operation == PSCTX_OPERATION_BATCH || operation == PSCTX_OPERATION_LOOKUP_BATCH;
    CORE_REQUEST request = CoreMakeRequest(operation, NULL);
    struct {
        PSCTX_BATCH_REPLY Batch;
        PSCTX_BATCH_RESULT Result;
        UCHAR Rest[512];
    } reply;
    NTSTATUS status;

    memcpy(&request.Bytes[CoreTakers[Taker].Offset], &Handle, sizeof(Handle));
    status = CoreControl(Control, request.Code, request.Bytes, request.Length, &reply, sizeof(reply), NULL);
    return batch && NT_SUCCESS(status) ? (NTSTATUS)reply.Result.Status : status;
}

/*
 * A handle has 64 bits in a request and 32 on a 32-bit kernel: one with more set names nothing there, least of all what its lower half
 * would, and none of it is that no volume is meant.
 */
VOID CoreHandlesAreTakenWhole(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1};
    CORE_STATE state;
    ULONG taker;
    ULONG bit;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreCapture(core.Control, insertion.Stream, &state);
    for (taker = 0; taker < RTL_NUMBER_OF(CoreTakers); taker += 1) {
        const ULONG64 handle = (ULONG_PTR)insertion.Stream;

        for (bit = 32; bit < 64; bit += 1) {
            CHECK_STATUS(CoreSendHandle(core.Control, taker, handle | 1ull << bit), STATUS_INVALID_HANDLE);
            CHECK_STATUS(CoreSendHandle(core.Control, taker, 1ull << bit), STATUS_INVALID_HANDLE);
        }
        CHECK_STATUS(CoreSendHandle(core.Control, taker, handle | ~0ull << 32), STATUS_INVALID_HANDLE);
        CHECK_STATUS(CoreSendHandle(core.Control, taker, ~0ull << 32), STATUS_INVALID_HANDLE);
    }
    CoreCheckUnchanged(core.Control, insertion.Stream, &state);

    /* They are handles where the operations look for them. */
    for (taker = 0; taker < RTL_NUMBER_OF(CoreTakers); taker += 1) {
        CHECK((CoreSendHandle(core.Control, taker, 0) != STATUS_INVALID_HANDLE) == CoreTakers[taker].MayBeNone);
        CHECK(CoreSendHandle(core.Control, taker, (ULONG_PTR)insertion.Stream) != STATUS_INVALID_HANDLE);
    }
    CoreStop(&core);
}

VOID CoreHandlesOfOtherDevicesAreRefused(VOID)
{
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CoreCheckUnsupported(core.Control, core.Control, PSCTX_SUPPORT_NOT_A_FILE_SYSTEM);
    CHECK_STATUS(CoreOpen(L"\\??\\CoreProbe", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CoreCheckUnsupported(core.Control, handle, PSCTX_SUPPORT_NOT_A_FILE_SYSTEM);
    CoreClose(handle);

    /* FsContext of a pipe points at memory that may not be read. */
    CHECK_STATUS(CoreOpen(L"\\??\\PIPE\\core", NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &handle), STATUS_SUCCESS);
    CoreCheckUnsupported(core.Control, handle, PSCTX_SUPPORT_NOT_A_FILE_SYSTEM);
    CoreClose(handle);
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreHandlesOfAVolumeAreRefused(VOID)
{
    PSCTX_STREAM_REPLY reply;
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    CHECK_STATUS(CoreOpen(L"\\??\\M:", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CoreCheckUnsupported(core.Control, handle, PSCTX_SUPPORT_VOLUME);
    CoreClose(handle);

    /* With no access but to attributes the disk itself is opened, past the file system. */
    CHECK_STATUS(CoreOpen(L"\\??\\M:", NULL, FILE_READ_ATTRIBUTES | SYNCHRONIZE, FILE_OPEN, 0, &handle),
                 STATUS_SUCCESS);
    CHECK_STATUS(CoreQueryStream(core.Control, handle, &reply), STATUS_SUCCESS);
    CHECK(reply.Support == PSCTX_SUPPORT_NOT_A_FILE_SYSTEM || reply.Support == PSCTX_SUPPORT_VOLUME);
    CoreCheckUnsupported(core.Control, handle, reply.Support);
    CoreClose(handle);
    CoreStop(&core);
}

VOID CorePagingFileTakesNoContexts(VOID)
{
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    CHECK_STATUS(CoreOpen(L"\\??\\M:\\pagefile.sys", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CoreCheckUnsupported(core.Control, handle, PSCTX_SUPPORT_NO_FILTER_CONTEXTS);
    CoreClose(handle);
    CoreStop(&core);
}

VOID CoreFilesDirectoriesAndNamedStreamsTakeContexts(VOID)
{
    static const struct {
        PCWSTR Path;
        ULONG Options;
    } streams[] = {
        {L"\\??\\M:\\", FILE_DIRECTORY_FILE},
        {L"\\??\\M:\\files", FILE_DIRECTORY_FILE},
        {L"\\??\\M:\\files\\one.txt", FILE_NON_DIRECTORY_FILE},
        {L"\\??\\M:\\files\\one.txt:notes", 0},
        {L"\\??\\M:\\files:notes", 0},
    };
    CORE_INSERTION insertion = {.Owner = 1};
    PSCTX_STREAM_REPLY reply;
    HANDLE handle;
    ULONG index;
    CORE core;

    CoreStart(&core);
    for (index = 0; index < RTL_NUMBER_OF(streams); index += 1) {
        CHECK_STATUS(CoreOpen(streams[index].Path, NULL, CORE_READ, FILE_OPEN_IF, streams[index].Options, &handle),
                     STATUS_SUCCESS);
        CHECK_STATUS(CoreQueryStream(core.Control, handle, &reply), STATUS_SUCCESS);
        CHECK_EQUAL(reply.Support, PSCTX_SUPPORT_YES);
        CHECK_EQUAL(reply.DeviceType, FILE_DEVICE_DISK_FILE_SYSTEM);
        insertion.Stream = handle;
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
        CHECK_EQUAL(CoreCount(core.Control, handle), 1);
    }
    CHECK_EQUAL(CoreStatistics(core.Control).SessionContexts, RTL_NUMBER_OF(streams));
    CoreStop(&core);
}
