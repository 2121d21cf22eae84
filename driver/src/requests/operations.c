/*
 * The table of operations, and the checks that every request passes before its handler sees it.
 */
#include "requests/request.h"

#define PSCTX_ROW(Name, Input, HasTail, Output, Batchable, Handler) \
    {PSCTX_IOCTL_##Name, sizeof(Input), sizeof(Output), HasTail, Batchable, Handler}

/* In the order of PSCTX_OPERATION_*. */
static const PSCTX_OPERATION PsctxOperations[] = {
    PSCTX_ROW(QUERY_VERSION, PSCTX_HEADER, FALSE, PSCTX_VERSION_REPLY, FALSE, PsctxQueryVersion),
    PSCTX_ROW(QUERY_STATISTICS, PSCTX_HEADER, FALSE, PSCTX_STATISTICS_REPLY, FALSE, PsctxQueryStatistics),
    PSCTX_ROW(QUERY_STREAM, PSCTX_STREAM_REQUEST, FALSE, PSCTX_STREAM_REPLY, TRUE, PsctxQueryStream),
    PSCTX_ROW(INSERT, PSCTX_INSERT_REQUEST, TRUE, PSCTX_INSERT_REPLY, TRUE, PsctxHandleInsert),
    PSCTX_ROW(LOOKUP, PSCTX_MATCH_REQUEST, FALSE, PSCTX_CONTEXT_REPLY, TRUE, PsctxHandleLookup),
    PSCTX_ROW(REMOVE, PSCTX_MATCH_REQUEST, FALSE, PSCTX_CONTEXT_REPLY, TRUE, PsctxHandleRemove),
    PSCTX_ROW(REMOVE_ALL, PSCTX_MATCH_REQUEST, FALSE, PSCTX_COUNT_REPLY, TRUE, PsctxHandleRemoveAll),
    PSCTX_ROW(LIST, PSCTX_LIST_REQUEST, FALSE, PSCTX_LIST_REPLY, TRUE, PsctxHandleList),
    PSCTX_ROW(BATCH, PSCTX_BATCH_REQUEST, TRUE, PSCTX_BATCH_REPLY, FALSE, PsctxHandleBatch),
    PSCTX_ROW(LOOKUP_BATCH, PSCTX_BATCH_REQUEST, TRUE, PSCTX_BATCH_REPLY, FALSE, PsctxHandleBatch),
    PSCTX_ROW(TRACK, PSCTX_TRACK_REQUEST, TRUE, PSCTX_RULE_RECORD, FALSE, PsctxHandleTrack),
    PSCTX_ROW(UNTRACK, PSCTX_RULE_RECORD, FALSE, PSCTX_HEADER, FALSE, PsctxHandleUntrack),
    PSCTX_ROW(SUBSCRIBE, PSCTX_SUBSCRIBE_REQUEST, FALSE, PSCTX_HEADER, FALSE, PsctxHandleSubscribe),
    PSCTX_ROW(WAIT, PSCTX_HEADER, FALSE, PSCTX_WAIT_REPLY, FALSE, PsctxHandleWait),
    PSCTX_ROW(ENUMERATE, PSCTX_ENUMERATE_REQUEST, FALSE, PSCTX_ENUMERATE_REPLY, FALSE, PsctxHandleEnumerate),
    PSCTX_ROW(LIST_VOLUMES, PSCTX_VOLUMES_REQUEST, FALSE, PSCTX_VOLUMES_REPLY, FALSE, PsctxHandleListVolumes),
    PSCTX_ROW(INSPECT, PSCTX_STREAM_REQUEST, FALSE, PSCTX_INSPECT_REPLY, FALSE, PsctxHandleInspect),
    PSCTX_ROW(QUERY_RULE, PSCTX_RULE_RECORD, FALSE, PSCTX_RULE_REPLY, FALSE, PsctxHandleQueryRule),
};

C_ASSERT(RTL_NUMBER_OF(PsctxOperations) == PSCTX_OPERATION_COUNT);

/*
 * The row of an operation, or NULL if there is no such operation.
 */
PSCTX_PAGE _Use_decl_annotations_ const PSCTX_OPERATION *PsctxFindOperation(ULONG Operation)
{
    PAGED_CODE();

    return Operation < RTL_NUMBER_OF(PsctxOperations) ? &PsctxOperations[Operation] : NULL;
}

/*
 * Checks lengths, header and version, then runs the handler. The control code of the table has had the I/O manager check the
 * handle's access.
 *
 * STATUS_INVALID_BUFFER_SIZE: longer than PSCTX_MAXIMUM_TRANSFER. STATUS_INFO_LENGTH_MISMATCH: the request is not as long as its
 * record or its header says. STATUS_REVISION_MISMATCH: another ABI version. STATUS_INVALID_PARAMETER: the header names another
 * operation. STATUS_BUFFER_TOO_SMALL: no room for the fixed part of the reply. Else the handler's status.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxRunOperation(const PSCTX_OPERATION *Operation, PPSCTX_REQUEST Request)
{
    const PSCTX_HEADER *header = Request->Input;

    PAGED_CODE();

    if (Request->InputLength > PSCTX_MAXIMUM_TRANSFER || Request->OutputLength > PSCTX_MAXIMUM_TRANSFER) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    if (Request->InputLength < Operation->MinimumInput ||
        (!Operation->HasTail && Request->InputLength != Operation->MinimumInput) ||
        header->Size != Request->InputLength) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (header->Version != PSCTX_ABI_VERSION) {
        return STATUS_REVISION_MISMATCH;
    }
    if (header->Operation != (USHORT)(Operation - PsctxOperations)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Request->OutputLength < Operation->MinimumOutput) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    Request->Operation = header->Operation;
    return Operation->Handler(Request);
}

/*
 * Whether the one who sent a request wants it no more: it was cancelled, or its thread is to end, in whose context it runs.
 * [ntifs/nf-ntifs-psisthreadterminating]
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsInterrupted(PIRP Irp)
{
    PAGED_CODE();

    return ReadUCharNoFence(&Irp->Cancel) || PsIsThreadTerminating(PsGetCurrentThread());
}

/*
 * Writes the reply's header and notes the reply's length. The last thing that a handler does with a request.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxSetReplyHeader(PPSCTX_REQUEST Request, ULONG ReplyLength)
{
    PSCTX_HEADER *header = Request->Output;

    PAGED_CODE();

    header->Size = ReplyLength;
    header->Version = PSCTX_ABI_VERSION;
    header->Operation = Request->Operation;
    Request->ReplyLength = ReplyLength;
}
