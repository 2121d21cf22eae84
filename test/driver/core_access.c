/*
 * Who may open the control device, what a handle allows, and whose handles a request means.
 */
#include "core_tests.h"

VOID CoreOrdinaryUserIsRefused(VOID)
{
    const DEVICE_OBJECT *device;
    PEPROCESS user;
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    device = core.Driver->DeviceObject;
    while (device != NULL && device->SecurityDescriptor == NULL) {
        device = device->NextDevice;
    }
    CHECK(device != NULL);
    CHECK_EQUAL(((PISECURITY_DESCRIPTOR)device->SecurityDescriptor)->Control,
                SE_DACL_PRESENT | SE_DACL_PROTECTED); /* and no default */
    HostLeaveProcess();
    user = CoreCreateProcess(FALSE);
    HostEnterProcess(user);
    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_ACCESS_DENIED);
    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, CORE_READ_WRITE, FILE_OPEN, 0, &handle), STATUS_ACCESS_DENIED);
    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, FILE_READ_ATTRIBUTES | SYNCHRONIZE, FILE_OPEN, 0, &handle),
                 STATUS_ACCESS_DENIED);
    CHECK_STATUS(CoreOpen(L"\\??\\PsCtx\\below", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_ACCESS_DENIED);
    HostLeaveProcess();
    CoreEndProcess(user);

    HostEnterProcess(core.Process);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CoreStop(&core);
}

VOID CoreAdministratorMayOpen(VOID)
{
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    handle = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreStatistics(handle).TotalSessions, 2);
    CoreClose(handle);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CoreStop(&core);
}

VOID CoreNamesBelowAndRelativeOpensAreRefused(VOID)
{
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    CHECK_STATUS(CoreOpen(L"\\??\\PsCtx\\below", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(CoreOpen(L"\\??\\PsCtx\\", NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(CoreOpen(L"", core.Control, CORE_READ, FILE_OPEN, 0, &handle), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(CoreOpen(L"below", core.Control, CORE_READ, FILE_OPEN, 0, &handle), STATUS_OBJECT_NAME_INVALID);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CoreStop(&core);
}

VOID CoreReadOnlyHandleOnlyLooks(VOID)
{
    static const BOOLEAN changes[PSCTX_OPERATION_COUNT] = {
        [PSCTX_OPERATION_INSERT] = TRUE, [PSCTX_OPERATION_REMOVE] = TRUE, [PSCTX_OPERATION_REMOVE_ALL] = TRUE,
        [PSCTX_OPERATION_BATCH] = TRUE,  [PSCTX_OPERATION_TRACK] = TRUE,  [PSCTX_OPERATION_UNTRACK] = TRUE,
    };
    HANDLE readOnly;
    HANDLE nothing;
    HANDLE stream;
    ULONG operation;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    readOnly = CoreOpenSession(CORE_READ);
    nothing = CoreOpenSession(FILE_READ_ATTRIBUTES | SYNCHRONIZE);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const CORE_REQUEST request = CoreMakeRequest(operation, stream);
        const NTSTATUS status = CoreSend(readOnly, request.Code, request.Bytes, request.Length, request.OutputLength);

        CHECK_EQUAL(status == STATUS_ACCESS_DENIED, changes[operation]);
        CHECK_STATUS(CoreSend(nothing, request.Code, request.Bytes, request.Length, request.OutputLength),
                     STATUS_ACCESS_DENIED);
    }
    CHECK_EQUAL(CoreCount(readOnly, stream), 0);
    CoreStop(&core);
}

VOID CoreLookupBatchChangesNothing(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1, .Data = "kept", .DataLength = 4};
    CORE_REQUEST query;
    CORE_BATCH batch;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);

    CoreStartBatch(&batch, PSCTX_OPERATION_LOOKUP_BATCH, 256);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, stream, 1, 1);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE_ALL, stream, 1, 1);
    CoreAddInsert(&batch, stream, 1, 2, 0);
    CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 1);
    query = CoreMakeRequest(PSCTX_OPERATION_QUERY_STREAM, stream);
    (VOID) CoreAddRequest(&batch, query.Bytes, query.Length);
    query = CoreMakeRequest(PSCTX_OPERATION_LIST, stream);
    (VOID) CoreAddRequest(&batch, query.Bytes, query.Length);
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_STATUS(batch.Results[4].Status, STATUS_SUCCESS);
    CHECK_STATUS(batch.Results[5].Status, STATUS_SUCCESS);
    CHECK_EQUAL(batch.Reply->Failed, 3);
    CHECK_STATUS(batch.Results[0].Status, STATUS_ACCESS_DENIED);
    CHECK_STATUS(batch.Results[1].Status, STATUS_ACCESS_DENIED);
    CHECK_STATUS(batch.Results[2].Status, STATUS_ACCESS_DENIED);
    CHECK_STATUS(batch.Results[3].Status, STATUS_SUCCESS);
    CHECK_EQUAL(batch.Results[3].ReplySize, sizeof(PSCTX_CONTEXT_REPLY) + 4);
    CHECK_EQUAL(CoreCount(core.Control, stream), 1);
    CoreFreeBatch(&batch);
    CoreStop(&core);
}

typedef struct _CORE_DUPLICATION {
    PEPROCESS Target;
    HANDLE Handle;    /* the calling process's */
    HANDLE Duplicate; /* the target's */
} CORE_DUPLICATION;

static VOID CoreDuplicate(PVOID Context)
{
    CORE_DUPLICATION *duplication = Context;
    HANDLE process;

    CHECK_STATUS(
        ObOpenObjectByPointer(duplication->Target, 0, NULL, PROCESS_DUP_HANDLE, *PsProcessType, UserMode, &process),
        STATUS_SUCCESS);
    CHECK_STATUS(NtDuplicateObject(NtCurrentProcess(), duplication->Handle, process, &duplication->Duplicate, 0, 0,
                                   DUPLICATE_SAME_ACCESS),
                 STATUS_SUCCESS);
    CHECK_STATUS(NtClose(process), STATUS_SUCCESS);
}

VOID CoreHandlesMeanTheCallingProcess(VOID)
{
    CORE_DUPLICATION duplication;
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1};
    CORE_CONTEXT context;
    HANDLE first;
    HANDLE second;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    duplication.Target = CoreCreateProcess(TRUE);
    duplication.Handle = core.Control;
    CoreRunInKernel(CoreDuplicate, &duplication);
    first = CoreOpenFile(CORE_FILE);
    insertion.Stream = first;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    HostLeaveProcess();

    /* One session, seen by another process: the same handle value is another stream there, or none. */
    HostEnterProcess(duplication.Target);
    CHECK_EQUAL(CoreStatistics(duplication.Duplicate).SessionContexts, 1);
    second = CoreOpenFile(CORE_OTHER_FILE);
    while (second != first) {
        CHECK_STATUS(CoreLookup(duplication.Duplicate, first, PSCTX_MATCH_INSTANCE, 1, 1, &context),
                     STATUS_INVALID_HANDLE);
        second = CoreOpenFile(CORE_OTHER_FILE);
        CHECK((ULONG_PTR)second <= (ULONG_PTR)first);
    }
    CHECK_STATUS(CoreLookup(duplication.Duplicate, first, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_NOT_FOUND);
    second = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreLookup(duplication.Duplicate, second, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    HostLeaveProcess();

    /* The session lasts until its last handle is closed, whoever has it. */
    HostEnterProcess(core.Process);
    CoreClose(core.Control);
    HostLeaveProcess();
    HostEnterProcess(duplication.Target);
    CHECK_STATUS(CoreLookup(duplication.Duplicate, second, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    HostLeaveProcess();
    CoreEndProcess(duplication.Target);

    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreUnloadProbe();
    CoreStop(&core);
}

/* Run in the kernel, which stops where there is no such process any more. */
static VOID CoreReferenceProcess(PVOID Process)
{
    ObReferenceObject(Process);
    ObDereferenceObject(Process);
}

/* A process that has ended stays as long as its session does, so that no other takes its place in memory, and its identity. */
VOID CoreSessionsKeepTheirProcess(VOID)
{
    CORE_DUPLICATION duplication;
    PEPROCESS first;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    first = core.Process;
    duplication.Target = CoreCreateProcess(TRUE);
    duplication.Handle = core.Control;
    CoreRunInKernel(CoreDuplicate, &duplication);
    HostLeaveProcess();
    CoreEndProcess(first);

    HostEnterProcess(duplication.Target);
    CHECK_EQUAL(CoreStatistics(duplication.Duplicate).TotalSessions, 1);
    CoreRunInKernel(CoreReferenceProcess, first);
    core.Process = duplication.Target;
    CoreUnloadProbe();
    CoreStop(&core);
}
