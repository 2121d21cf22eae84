/*
 * Exhausted memory: every allocation that an operation makes fails once, and nothing has changed or is left behind.
 */
#include "core_batch.h"
#include "core_reader.h"

#include <fronts.h>
#include <string.h>

/* More than any operation allocates, the requests that it sends down included; and more than DriverEntry does. */
#define CORE_ALLOCATIONS 32u
#define CORE_LOAD_ALLOCATIONS 96u

/*
 * Sends a request again and again, with the first, second… allocation failing, to beyond the last. It answers
 * STATUS_INSUFFICIENT_RESOURCES, or does without the memory and answers as ever: STATUS_SUCCESS or Otherwise. An error changes
 * nothing. Returns the last answer.
 */
static NTSTATUS CoreSendWithFaults(_In_ const CORE *Core, _In_ HANDLE Stream, _In_ const CORE_REQUEST *Request,
                                   _In_ NTSTATUS Otherwise)
{
    const ULONG outputLength = Request->OutputLength > 512 ? Request->OutputLength : 512;
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    CORE_STATE state;
    ULONG countdown;
    ULONG failures = 0;

    CoreCapture(Core->Control, Stream, &state);
    for (countdown = 1; countdown <= CORE_ALLOCATIONS; countdown += 1) {
        HostFailAllocation(countdown);
        status = CoreSend(Core->Control, Request->Code, Request->Bytes, Request->Length, outputLength);
        HostFailAllocation(0);
        if (status == STATUS_SUCCESS) {
            CoreCapture(Core->Control, Stream, &state);
        } else {
            if (status != STATUS_INSUFFICIENT_RESOURCES) {
                CHECK_STATUS(status, Otherwise);
            }
            CoreCheckUnchanged(Core->Control, Stream, &state);
        }
        failures += status == STATUS_INSUFFICIENT_RESOURCES ? 1u : 0u;
    }
    CHECK(failures != 0);
    return status;
}

static VOID CoreOperationsSurviveFaults(VOID)
{
    static const NTSTATUS statuses[PSCTX_OPERATION_COUNT] = {
        [PSCTX_OPERATION_INSERT] = STATUS_OBJECT_NAME_COLLISION,
        [PSCTX_OPERATION_LOOKUP] = STATUS_NOT_FOUND,
        [PSCTX_OPERATION_REMOVE] = STATUS_NOT_FOUND,
        [PSCTX_OPERATION_UNTRACK] = STATUS_NOT_FOUND,
        [PSCTX_OPERATION_QUERY_RULE] = STATUS_NOT_FOUND,
        [PSCTX_OPERATION_SUBSCRIBE] = STATUS_NOT_FOUND,
        [PSCTX_OPERATION_WAIT] = STATUS_INVALID_DEVICE_STATE,
    };
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1, .Data = "kept", .DataLength = 4};
    CORE_REQUEST request;
    HANDLE stream;
    ULONG operation;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        request = CoreMakeRequest(operation, stream);
        CHECK_STATUS(CoreSendWithFaults(&core, stream, &request, statuses[operation]), statuses[operation]);
    }
    CHECK_EQUAL(CoreCount(core.Control, stream), 1);
    CoreStop(&core);
}

static VOID CoreInsertionsSurviveFaults(VOID)
{
    CORE_REQUEST request;
    PSCTX_INSERT_REQUEST *insert = (PSCTX_INSERT_REQUEST *)request.Bytes;
    HANDLE stream;
    ULONG ifExists;
    ULONG pool;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &(const CORE_INSERTION){.Stream = stream, .Owner = 1}, NULL), STATUS_SUCCESS);
    for (ifExists = PSCTX_IF_EXISTS_FAIL; ifExists <= PSCTX_IF_EXISTS_ADD; ifExists += 1) {
        for (pool = PSCTX_POOL_PAGED; pool <= PSCTX_POOL_NONPAGED; pool += 1) {
            request = CoreMakeRequest(PSCTX_OPERATION_INSERT, stream);
            insert->Instance = 1 + pool;
            insert->IfExists = ifExists;
            insert->Pool = pool;
            (VOID) CoreSendWithFaults(&core, stream, &request,
                                      ifExists == PSCTX_IF_EXISTS_FAIL ? STATUS_OBJECT_NAME_COLLISION : STATUS_SUCCESS);
            CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1 + pool, NULL), STATUS_SUCCESS);
        }
    }
    CoreStop(&core);
}

static VOID CoreRemovalsSurviveFaults(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1, .Data = "kept", .DataLength = 4};
    CORE_REQUEST request;
    HANDLE stream;
    ULONG operation;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    for (operation = PSCTX_OPERATION_LOOKUP; operation <= PSCTX_OPERATION_REMOVE_ALL; operation += 1) {
        (VOID) CoreInsert(core.Control, &insertion, NULL);
        request = CoreMakeRequest(operation, stream);
        ((PSCTX_MATCH_REQUEST *)request.Bytes)->Instance = 1;
        (VOID) CoreSendWithFaults(&core, stream, &request, STATUS_NOT_FOUND);
        CHECK_EQUAL(CoreCount(core.Control, stream), operation == PSCTX_OPERATION_LOOKUP ? 1 : 0);
    }
    CoreStop(&core);
}

/*
 * A batch itself fails whole; an operation in it that runs out of memory fails alone.
 */
static VOID CoreBatchesSurviveFaults(VOID)
{
    ULONG countdown;
    CORE_STATE state;
    CORE_BATCH batch;
    HANDLE stream;
    ULONG index;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &(const CORE_INSERTION){.Stream = stream, .Owner = 1}, NULL), STATUS_SUCCESS);
    CoreCapture(core.Control, stream, &state);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 64);
    CoreAddInsert(&batch, stream, 1, 1, 5);
    CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 0);
    CoreAddInsert(&batch, stream, 1, 2, 5);
    for (countdown = 1; countdown <= (3 * CORE_ALLOCATIONS); countdown += 1) {
        NTSTATUS status;

        HostFailAllocation(countdown);
        status = CoreSendBatch(core.Control, &batch);
        HostFailAllocation(0);
        if (status != STATUS_SUCCESS) {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
            CHECK(countdown < (3 * CORE_ALLOCATIONS));
            CHECK_EQUAL(CoreCount(core.Control, stream), 1);
            continue;
        }
        CHECK(batch.Reply->Failed <= (countdown < (3 * CORE_ALLOCATIONS) ? 1u : 0u));
        for (index = 0; index < 3; index += 1) {
            status = (NTSTATUS)batch.Results[index].Status;
            CHECK(status == STATUS_SUCCESS || status == STATUS_INSUFFICIENT_RESOURCES);
        }
        CHECK_EQUAL(CoreCount(core.Control, stream), 3 - batch.Reply->Failed);
        CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL), STATUS_SUCCESS);
        CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 2, NULL), STATUS_SUCCESS);
    }
    CHECK_EQUAL(CoreCount(core.Control, stream), 1);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), state.PoolBytes);
    CoreFreeBatch(&batch);
    CoreStop(&core);
}

static VOID CoreOpensSurviveFaults(VOID)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    ULONG countdown;
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    for (countdown = 1; countdown <= CORE_ALLOCATIONS; countdown += 1) {
        const ULONG64 poolBytes = HostAuditPool(CORE_POOL_TAG);

        HostFailAllocation(countdown);
        status = CoreOpen(CORE_CONTROL, NULL, CORE_READ_WRITE, FILE_OPEN, 0, &handle);
        HostFailAllocation(0);
        if (NT_SUCCESS(status)) {
            CoreClose(handle);
        } else {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
        }
        CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), poolBytes);
        CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    }
    CHECK_STATUS(status, STATUS_SUCCESS);
    CoreStop(&core);
}

/*
 * Subscribes with every allocation failing in turn; then inserts so, with a reader that waits: what succeeds is told, what fails is not.
 */
static VOID CoreEventsSurviveFaults(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    ULONG64 number;
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    ULONG countdown;
    CORE_WAIT wait;
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    number = CoreSessionNumber(core.Control);
    reader = CoreOpenSession(CORE_READ);
    for (countdown = 1; countdown <= CORE_ALLOCATIONS && !NT_SUCCESS(status); countdown += 1) {
        const ULONG64 poolBytes = HostAuditPool(CORE_POOL_TAG);

        HostFailAllocation(countdown);
        status = CoreSubscribe(reader, number, PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY);
        HostFailAllocation(0);
        if (!NT_SUCCESS(status)) {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
            CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), poolBytes);
        }
    }
    CHECK(NT_SUCCESS(status) && countdown > 3);

    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    for (insertion.Instance = 1; insertion.Instance <= CORE_ALLOCATIONS; insertion.Instance += 1) {
        CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
        HostFailAllocation(insertion.Instance);
        status = CoreInsert(core.Control, &insertion, NULL);
        HostFailAllocation(0);
        if (NT_SUCCESS(status)) {
            CHECK_EQUAL(CoreNextEvent(&wait, NULL)->Instance, insertion.Instance);
            CHECK_EQUAL(CoreEventCount(&wait), 1);
        } else {
            IO_STATUS_BLOCK ioStatus;

            CHECK_STATUS(CoreWaitStatus(&wait), STATUS_PENDING);
            CHECK_STATUS(NtCancelIoFile(reader, &ioStatus), STATUS_SUCCESS);
        }
    }
    CHECK_STATUS(status, STATUS_SUCCESS);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

/*
 * Loads the driver with one allocation of DriverEntry's failing each time: it fails and leaves nothing, or loads.
 */
static VOID CoreDriverEntrySurvivesFaults(VOID)
{
    PDRIVER_OBJECT driver;
    PDRIVER_UNLOAD unload;
    HOST_AUDIT before;
    HOST_AUDIT after;
    ULONG countdown;
    ULONG failures = 0;

    CoreBoot();
    driver = CoreLoadDriver();
    unload = driver->DriverUnload;
    CHECK_STATUS(HostUnloadDriver(driver), STATUS_SUCCESS);
    for (countdown = 1; countdown <= CORE_LOAD_ALLOCATIONS; countdown += 1) {
        NTSTATUS status;

        HostAudit(&before);
        HostFailAllocation(countdown);
        status = PsctxLoadFront(CoreFront(), &driver);
        HostFailAllocation(0);
        if (NT_SUCCESS(status)) {
            driver->DriverUnload = unload; /* not set if it is the reading of AllowUnload that failed */
            CHECK_STATUS(HostUnloadDriver(driver), STATUS_SUCCESS);
        } else {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
            CHECK(countdown < CORE_LOAD_ALLOCATIONS);
            failures += 1;
        }
        HostAudit(&after);
        CHECK(memcmp(&before, &after, sizeof(before)) == 0);
    }
    CHECK(failures > 3);
    CoreShutdown();
}

static const CORE_TEST CoreFaults[] = {
    {"every operation survives every failing allocation", CoreOperationsSurviveFaults},
    {"insertions survive every failing allocation", CoreInsertionsSurviveFaults},
    {"lookups and removals survive every failing allocation", CoreRemovalsSurviveFaults},
    {"batches survive every failing allocation", CoreBatchesSurviveFaults},
    {"subscriptions and what they are told survive every failing allocation", CoreEventsSurviveFaults},
    {"opens of the control device survive every failing allocation", CoreOpensSurviveFaults},
    {"loading the driver survives every failing allocation", CoreDriverEntrySurvivesFaults},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreFaults, RTL_NUMBER_OF(CoreFaults), argc > 1 ? argv[1] : NULL);
}
