/*
 * Malformed requests: each is refused with its own status, and leaves the stream and the session as they were.
 */
#include "core_tests.h"

#include <stdlib.h>
#include <string.h>

/*
 * A core whose session has two contexts on a stream: owner 1, instances 1 and 2.
 */
static VOID CoreStartWithContexts(_Out_ PCORE Core, _Out_ PHANDLE Stream, _Out_ PCORE_STATE State)
{
    CORE_INSERTION insertion = {.Owner = 1, .Data = "data", .DataLength = 4};

    CoreStart(Core);
    *Stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = *Stream;
    for (insertion.Instance = 1; insertion.Instance <= 2; insertion.Instance += 1) {
        CHECK_STATUS(CoreInsert(Core->Control, &insertion, NULL), STATUS_SUCCESS);
    }
    CoreCapture(Core->Control, *Stream, State);
}

VOID CoreRequestOfAnotherLengthIsRefused(VOID)
{
    CORE_STATE state;
    HANDLE stream;
    ULONG operation;
    ULONG length;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const ULONG exact = CoreMakeRequest(operation, stream).Length;

        for (length = 0; length <= exact + 1; length += 1) {
            CORE_REQUEST request = CoreMakeRequest(operation, stream);

            if (length == exact) {
                continue;
            }
            CoreSetHeader((PSCTX_HEADER *)request.Bytes, operation, length);
            CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, length, request.OutputLength),
                         STATUS_INFO_LENGTH_MISMATCH);
        }
        CoreCheckUnchanged(core.Control, stream, &state);
    }
    CoreStop(&core);
}

VOID CoreShortOutputIsRefused(VOID)
{
    CORE_STATE state;
    HANDLE stream;
    ULONG operation;
    ULONG length;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const CORE_REQUEST request = CoreMakeRequest(operation, stream);

        for (length = 0; length < request.OutputLength; length += length % 4096 < 256 ? 1 : 256) {
            CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, request.Length, length),
                         STATUS_BUFFER_TOO_SMALL);
        }
        CoreCheckUnchanged(core.Control, stream, &state);
    }
    CoreStop(&core);
}

VOID CoreWrongHeaderIsRefused(VOID)
{
    static const USHORT versions[] = {0, PSCTX_ABI_VERSION + 1, 0x100, 0xFFFF};
    static const LONG differences[] = {-1, 1, -8, 8, MINLONG, MAXLONG};
    CORE_STATE state;
    HANDLE stream;
    ULONG operation;
    ULONG other;
    ULONG index;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const CORE_REQUEST right = CoreMakeRequest(operation, stream);
        CORE_REQUEST request = right;
        PSCTX_HEADER *header = (PSCTX_HEADER *)request.Bytes;

        for (index = 0; index < RTL_NUMBER_OF(differences); index += 1) {
            header->Size = request.Length + (ULONG)differences[index];
            CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, request.Length, request.OutputLength),
                         STATUS_INFO_LENGTH_MISMATCH);
        }
        for (index = 0; index < RTL_NUMBER_OF(versions); index += 1) {
            request = right;
            header->Version = versions[index];
            CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, request.Length, request.OutputLength),
                         STATUS_REVISION_MISMATCH);
        }
        for (other = 0; other <= PSCTX_OPERATION_COUNT; other += 1) {
            request = right;
            header->Operation = (USHORT)(other == PSCTX_OPERATION_COUNT ? 0xFFFFu : other);
            if (header->Operation != operation) {
                CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, request.Length, request.OutputLength),
                             STATUS_INVALID_PARAMETER);
            }
        }
        CoreCheckUnchanged(core.Control, stream, &state);
    }
    CoreStop(&core);
}

static BOOLEAN CoreIsControlCode(_In_ ULONG Code)
{
    ULONG operation;

    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        if (CoreControlCodes[operation] == Code) {
            return TRUE;
        }
    }
    return FALSE;
}

VOID CoreUnknownCodesAreRefused(VOID)
{
    static const ULONG deviceTypes[] = {PSCTX_DEVICE_TYPE, 0, FILE_DEVICE_UNKNOWN, FILE_DEVICE_FILE_SYSTEM, 0xFFFF};
    DECLSPEC_ALIGN(8) UCHAR buffer[128] = {0};
    CORE_STATE state;
    HANDLE stream;
    ULONG index;
    ULONG function;
    ULONG bits;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    for (index = 0; index < RTL_NUMBER_OF(deviceTypes); index += 1) {
        const ULONG end = deviceTypes[index] == PSCTX_DEVICE_TYPE ? 0x1000 : 0x810;

        for (function = 0x7F0; function < end; function += 1) {
            for (bits = 0; bits < 16; bits += 1) {
                const ULONG code = CTL_CODE(deviceTypes[index], function, bits & 3u, bits >> 2);

                if (!CoreIsControlCode(code)) {
                    CHECK_STATUS(CoreControl(core.Control, code, buffer, sizeof(buffer), buffer, sizeof(buffer), NULL),
                                 STATUS_INVALID_DEVICE_REQUEST);
                }
            }
        }
    }
    CoreCheckUnchanged(core.Control, stream, &state);
    CoreStop(&core);
}

VOID CoreOtherRequestsAreRefused(VOID)
{
    FILE_STANDARD_INFORMATION information;
    LARGE_INTEGER offset = {.QuadPart = 0};
    IO_STATUS_BLOCK ioStatus;
    UCHAR buffer[16] = {0};
    CORE core;

    CoreStart(&core);
    CHECK_STATUS(NtReadFile(core.Control, NULL, NULL, NULL, &ioStatus, buffer, sizeof(buffer), &offset, NULL),
                 STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(NtWriteFile(core.Control, NULL, NULL, NULL, &ioStatus, buffer, sizeof(buffer), &offset, NULL),
                 STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(NtFsControlFile(core.Control, NULL, NULL, NULL, &ioStatus, FSCTL_DISMOUNT_VOLUME, NULL, 0, NULL, 0),
                 STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(
        NtQueryInformationFile(core.Control, &ioStatus, &information, sizeof(information), FileStandardInformation),
        STATUS_INVALID_DEVICE_REQUEST);
    CoreStop(&core);
}

/*
 * Sends an insertion with DataLength bytes of data, whatever its record says of them.
 */
static NTSTATUS CoreSendInsert(_In_ HANDLE Control, _In_ const PSCTX_INSERT_REQUEST *Record, _In_ ULONG DataLength)
{
    const ULONG length = (ULONG)sizeof(*Record) + DataLength;
    PSCTX_INSERT_REQUEST *request = calloc(1, length);
    NTSTATUS status;

    CHECK(request != NULL);
    *request = *Record;
    CoreSetHeader(&request->Header, PSCTX_OPERATION_INSERT, length);
    status = CoreSend(Control, PSCTX_IOCTL_INSERT, request, length, sizeof(PSCTX_INSERT_REPLY));
    free(request);
    return status;
}

VOID CoreInsertFieldsOutOfRangeAreRefused(VOID)
{
    static const ULONG lengths[] = {PSCTX_MAXIMUM_DATA_LENGTH + 1, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFD0u, 0xFFFFFFFFu};
    static const ULONG beyond[] = {PSCTX_IF_EXISTS_ADD + 1, 0x100, 0x10000, 0x80000000u, 0xFFFFFFFFu};
    PSCTX_INSERT_REQUEST right = {.OwnerKey = 1, .Instance = 3};
    PSCTX_INSERT_REQUEST request;
    CORE_STATE state;
    HANDLE stream;
    ULONG index;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    right.Handle = (ULONG_PTR)stream;
    for (index = 0; index < RTL_NUMBER_OF(beyond); index += 1) {
        request = right;
        request.IfExists = beyond[index];
        CHECK_STATUS(CoreSendInsert(core.Control, &request, 0), STATUS_INVALID_PARAMETER);
        request = right;
        request.Pool = beyond[index];
        CHECK_STATUS(CoreSendInsert(core.Control, &request, 0), STATUS_INVALID_PARAMETER);
        request = right;
        request.Lifetime = beyond[index];
        CHECK_STATUS(CoreSendInsert(core.Control, &request, 0), STATUS_INVALID_PARAMETER);
    }
    request = right;
    request.Pool = PSCTX_POOL_NONPAGED + 1;
    CHECK_STATUS(CoreSendInsert(core.Control, &request, 0), STATUS_INVALID_PARAMETER);
    request = right;
    request.Lifetime = PSCTX_LIFETIME_STREAM + 1;
    CHECK_STATUS(CoreSendInsert(core.Control, &request, 0), STATUS_INVALID_PARAMETER);
    for (index = 0; index < RTL_NUMBER_OF(lengths); index += 1) {
        request = right;
        request.DataLength = lengths[index];
        CHECK_STATUS(CoreSendInsert(core.Control, &request, 0), STATUS_INVALID_BUFFER_SIZE);
        CHECK_STATUS(CoreSendInsert(core.Control, &request, 3), STATUS_INVALID_BUFFER_SIZE);
    }
    request = right;
    request.DataLength = PSCTX_MAXIMUM_DATA_LENGTH + 1;
    CHECK_STATUS(CoreSendInsert(core.Control, &request, request.DataLength), STATUS_INVALID_BUFFER_SIZE);
    for (index = 0; index < 8; index += 1) {
        request = right;
        request.DataLength = index;
        CHECK_STATUS(CoreSendInsert(core.Control, &request, index + 1), STATUS_INFO_LENGTH_MISMATCH);
        request.DataLength = index + 1;
        CHECK_STATUS(CoreSendInsert(core.Control, &request, index), STATUS_INFO_LENGTH_MISMATCH);
    }
    request = right;
    request.DataLength = PSCTX_MAXIMUM_DATA_LENGTH;
    CHECK_STATUS(CoreSendInsert(core.Control, &request, 3), STATUS_INFO_LENGTH_MISMATCH);
    CoreCheckUnchanged(core.Control, stream, &state);
    CoreStop(&core);
}

VOID CoreMatchFieldsOutOfRangeAreRefused(VOID)
{
    static const ULONG operations[] = {PSCTX_OPERATION_LOOKUP, PSCTX_OPERATION_REMOVE, PSCTX_OPERATION_REMOVE_ALL};
    static const ULONG matches[] = {PSCTX_MATCH_FIRST + 1, 31, 32, 33, 0x80000000u, 0xFFFFFFFFu};
    CORE_STATE state;
    HANDLE stream;
    ULONG index;
    ULONG which;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    for (which = 0; which < RTL_NUMBER_OF(operations); which += 1) {
        const PSCTX_MATCH_REQUEST wrong[] = {
            {.Match = PSCTX_MATCH_OWNER, .OwnerKey = 1, .Instance = 1},
            {.Match = PSCTX_MATCH_FIRST, .OwnerKey = 1},
            {.Match = PSCTX_MATCH_FIRST, .Instance = 1},
            {.Match = PSCTX_MATCH_INSTANCE, .OwnerKey = 1, .Instance = 1, .Reserved = 1},
            {.Match = PSCTX_MATCH_OWNER, .OwnerKey = 1, .Reserved = 0x80000000u},
        };
        CORE_REQUEST request = CoreMakeRequest(operations[which], stream);
        PSCTX_MATCH_REQUEST *match = (PSCTX_MATCH_REQUEST *)request.Bytes;

        for (index = 0; index < RTL_NUMBER_OF(matches); index += 1) {
            match->Match = matches[index];
            match->OwnerKey = 0;
            match->Instance = 0;
            CHECK_STATUS(CoreSend(core.Control, request.Code, match, request.Length, 64), STATUS_INVALID_PARAMETER);
        }
        for (index = 0; index < RTL_NUMBER_OF(wrong); index += 1) {
            *match = wrong[index];
            match->Handle = (ULONG_PTR)stream;
            CoreSetHeader(&match->Header, operations[which], sizeof(*match));
            CHECK_STATUS(CoreSend(core.Control, request.Code, match, request.Length, 64), STATUS_INVALID_PARAMETER);
        }
    }
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_INVALID_PARAMETER);
    CoreCheckUnchanged(core.Control, stream, &state);
    CoreStop(&core);
}

VOID CoreTransfersAboveTheLimitAreRefused(VOID)
{
    CORE_STATE state;
    HANDLE stream;
    ULONG operation;
    PUCHAR input = calloc(1, PSCTX_MAXIMUM_TRANSFER + 8);
    CORE core;

    CHECK(input != NULL);
    CoreStartWithContexts(&core, &stream, &state);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const CORE_REQUEST request = CoreMakeRequest(operation, stream);

        memcpy(input, request.Bytes, request.Length);
        CoreSetHeader((PSCTX_HEADER *)input, operation, PSCTX_MAXIMUM_TRANSFER + 8);
        CHECK_STATUS(CoreSend(core.Control, request.Code, input, PSCTX_MAXIMUM_TRANSFER + 8, request.OutputLength),
                     STATUS_INVALID_BUFFER_SIZE);
        CHECK_STATUS(CoreSend(core.Control, request.Code, request.Bytes, request.Length, PSCTX_MAXIMUM_TRANSFER + 1),
                     STATUS_INVALID_BUFFER_SIZE);
    }
    CoreCheckUnchanged(core.Control, stream, &state);

    /* What is exactly as long as may be is read: this is no batch. */
    memset(input, 0, PSCTX_MAXIMUM_TRANSFER);
    CoreSetHeader((PSCTX_HEADER *)input, PSCTX_OPERATION_BATCH, PSCTX_MAXIMUM_TRANSFER);
    CHECK_STATUS(CoreSend(core.Control, PSCTX_IOCTL_BATCH, input, PSCTX_MAXIMUM_TRANSFER, PSCTX_MAXIMUM_TRANSFER),
                 STATUS_INVALID_PARAMETER);
    free(input);
    CoreStop(&core);
}

/*
 * Sends a batch as it stands with this much room for its reply, and checks that it changed nothing.
 */
static VOID CoreCheckBatchRefused(_In_ const CORE *Core, _In_ HANDLE Stream, _In_ const CORE_STATE *State,
                                  _In_ const CORE_BATCH *Batch, _In_ ULONG OutputLength, _In_ NTSTATUS Status)
{
    CHECK_STATUS(
        CoreSend(Core->Control, CoreControlCodes[Batch->Operation], Batch->Request, Batch->Length, OutputLength),
        Status);
    CoreCheckUnchanged(Core->Control, Stream, State);
}

VOID CoreMalformedBatchesAreRefusedWhole(VOID)
{
    static const ULONG counts[] = {0, PSCTX_MAXIMUM_BATCH_OPERATIONS + 1, 0x08000000u, 0x80000000u, 0xFFFFFFFFu};
    static const ULONG fewerOrMore[] = {1, 3, 4, PSCTX_MAXIMUM_BATCH_OPERATIONS};
    static const ULONG capacities[] = {1, 4, 7, 63, PSCTX_MAXIMUM_TRANSFER + 8, 0x80000000u, 0xFFFFFFF8u, 0xFFFFFFFFu};
    static const ULONG tooLarge[] = {PSCTX_MAXIMUM_TRANSFER, PSCTX_MAXIMUM_TRANSFER / 2, 4096};
    static const ULONG sizes[] = {0, 7, 41, 57, 0x7FFFFFFFu, 0xFFFFFFF8u, 0xFFFFFFFFu};
    PSCTX_INSERT_REQUEST *last;
    CORE_STATE state;
    CORE_BATCH batch;
    HANDLE stream;
    ULONG index;
    ULONG size;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 64);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, stream, 1, 1);
    last = CoreAddInsert(&batch, stream, 1, 3, 5);

    for (index = 0; index < RTL_NUMBER_OF(counts); index += 1) {
        batch.Request->Count = counts[index];
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INVALID_PARAMETER);
    }
    for (index = 0; index < RTL_NUMBER_OF(fewerOrMore); index += 1) {
        batch.Request->Count = fewerOrMore[index];
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INFO_LENGTH_MISMATCH);
    }
    batch.Request->Count = 2;

    for (index = 0; index < RTL_NUMBER_OF(capacities); index += 1) {
        batch.Request->ReplyCapacity = capacities[index];
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INVALID_PARAMETER);
    }
    for (index = 0; index < RTL_NUMBER_OF(tooLarge); index += 1) {
        batch.Request->ReplyCapacity = tooLarge[index];
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_BUFFER_TOO_SMALL);
    }
    batch.Request->ReplyCapacity = 64;
    CoreCheckBatchRefused(&core, stream, &state, &batch, 16 + 2 * (8 + 64) - 1, STATUS_BUFFER_TOO_SMALL);

    size = last->Header.Size;
    for (index = 0; index < RTL_NUMBER_OF(sizes); index += 1) {
        last->Header.Size = sizes[index];
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INFO_LENGTH_MISMATCH);
    }
    last->Header.Size = size;

    ((PUCHAR)last)[size] = 1;
    CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INFO_LENGTH_MISMATCH);
    ((PUCHAR)last)[size] = 0;
    ((PUCHAR)last)[size + 2] = 0x80;
    CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INFO_LENGTH_MISMATCH);
    ((PUCHAR)last)[size + 2] = 0;

    /* Truncated at every length, and then with one byte to a whole word too many. */
    for (size = batch.Length - 1; size >= sizeof(*batch.Request); size -= 1) {
        batch.Length = size;
        batch.Request->Header.Size = size;
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INFO_LENGTH_MISMATCH);
    }
    CoreFreeBatch(&batch);

    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 64);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, stream, 1, 1);
    for (index = 1; index <= 8; index += 1) {
        batch.Length += 1;
        batch.Request->Header.Size = batch.Length;
        CoreCheckBatchRefused(&core, stream, &state, &batch, 4096, STATUS_INFO_LENGTH_MISMATCH);
    }
    CoreFreeBatch(&batch);
    CoreStop(&core);
}

/* They would wait, page, or act for more than one stream. */
VOID CoreOperationsThatStandAloneAreNotBatched(VOID)
{
    static const ULONG batchable[] = {PSCTX_OPERATION_QUERY_STREAM, PSCTX_OPERATION_INSERT,     PSCTX_OPERATION_LOOKUP,
                                      PSCTX_OPERATION_REMOVE,       PSCTX_OPERATION_REMOVE_ALL, PSCTX_OPERATION_LIST};
    CORE_STATE state;
    CORE_BATCH batch;
    HANDLE stream;
    ULONG operation;
    ULONG index = 0;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 8192);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const CORE_REQUEST request = CoreMakeRequest(operation, stream);

        CoreAddRequest(&batch, request.Bytes, request.Length);
    }
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        if (index < RTL_NUMBER_OF(batchable) && batchable[index] == operation) {
            CHECK((NTSTATUS)batch.Results[operation].Status != STATUS_INVALID_DEVICE_REQUEST);
            index += 1;
        } else {
            CHECK_STATUS(batch.Results[operation].Status, STATUS_INVALID_DEVICE_REQUEST);
        }
    }
    CoreFreeBatch(&batch);
    CoreCheckUnchanged(core.Control, stream, &state);
    CoreStop(&core);
}

VOID CoreBatchedOperationsFailByThemselves(VOID)
{
    PSCTX_HEADER unknown = {.Size = sizeof(unknown), .Version = PSCTX_ABI_VERSION, .Operation = PSCTX_OPERATION_COUNT};
    PSCTX_MATCH_REQUEST *match;
    CORE_STATE state;
    CORE_BATCH batch;
    HANDLE stream;
    ULONG index;
    CORE core;

    CoreStartWithContexts(&core, &stream, &state);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 64);
    for (index = 0; index < 2; index += 1) {
        const CORE_REQUEST nested = CoreMakeRequest(PSCTX_OPERATION_BATCH + index, stream);

        CoreAddRequest(&batch, nested.Bytes, nested.Length);
    }
    CoreAddRequest(&batch, &unknown, sizeof(unknown));
    unknown.Operation = 0xFFFF;
    CoreAddRequest(&batch, &unknown, sizeof(unknown));
    unknown.Operation = PSCTX_OPERATION_QUERY_VERSION;
    CoreAddRequest(&batch, &unknown, sizeof(unknown));
    unknown.Operation = PSCTX_OPERATION_REMOVE;
    CoreAddRequest(&batch, &unknown, sizeof(unknown));
    match = CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 1);
    match->Header.Version = PSCTX_ABI_VERSION + 1;
    match = CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 1);
    match->Reserved = 1;
    CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, NULL, 1, 1);
    CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 3);
    CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 1);

    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_EQUAL(batch.Reply->Failed, 10);
    for (index = 0; index < 5; index += 1) {
        CHECK_STATUS(batch.Results[index].Status, STATUS_INVALID_DEVICE_REQUEST);
    }
    CHECK_STATUS(batch.Results[5].Status, STATUS_INFO_LENGTH_MISMATCH);
    CHECK_STATUS(batch.Results[6].Status, STATUS_REVISION_MISMATCH);
    CHECK_STATUS(batch.Results[7].Status, STATUS_INVALID_PARAMETER);
    CHECK_STATUS(batch.Results[8].Status, STATUS_INVALID_HANDLE);
    CHECK_STATUS(batch.Results[9].Status, STATUS_NOT_FOUND);
    CHECK_STATUS(batch.Results[10].Status, STATUS_SUCCESS);
    for (index = 0; index < 10; index += 1) {
        CHECK_EQUAL(batch.Results[index].ReplySize, 0);
    }
    CoreCheckUnchanged(core.Control, stream, &state);

    /* Too little room for one reply is that operation's own failure, or its overflow. */
    batch.Request->ReplyCapacity = 0;
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_STATUS(batch.Results[10].Status, STATUS_BUFFER_TOO_SMALL);
    batch.Request->ReplyCapacity = sizeof(PSCTX_CONTEXT_REPLY);
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_STATUS(batch.Results[10].Status, STATUS_BUFFER_OVERFLOW);
    CHECK_EQUAL(batch.Results[10].ReplySize, sizeof(PSCTX_CONTEXT_REPLY));
    CHECK_EQUAL(((PSCTX_CONTEXT_REPLY *)CoreBatchSlot(&batch, 10))->DataLength, 4);
    CoreCheckUnchanged(core.Control, stream, &state);
    CoreFreeBatch(&batch);
    CoreStop(&core);
}
