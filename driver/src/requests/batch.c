/*
 * The operations BATCH and LOOKUP_BATCH: many requests in one, each with its own status.
 */
#include "requests/request.h"

/* What access a control code asks of its handle: PSCTX_ACCESS_*. [kernel/defining-i-o-control-codes] */
#define PSCTX_ACCESS_OF(Code) (((Code) >> 14) & 3u)

/*
 * Where the requests of a batch are read from: a copy, since the replies go into the memory that the batch came in.
 */
typedef struct _PSCTX_BATCH_CURSOR {
    const UCHAR *Next;
    ULONG Remaining;
} PSCTX_BATCH_CURSOR, *PPSCTX_BATCH_CURSOR;

/*
 * The next request and its length, or NULL if the rest of the batch does not hold one.
 */
PSCTX_PAGE static const PSCTX_HEADER *PsctxNextRequest(_Inout_ PPSCTX_BATCH_CURSOR Cursor)
{
    const PSCTX_HEADER *header = (const PSCTX_HEADER *)Cursor->Next;
    ULONG length;

    PAGED_CODE();

    if (Cursor->Remaining < sizeof(*header) || header->Size < sizeof(*header) || header->Size > Cursor->Remaining) {
        return NULL;
    }
    length =
        (ULONG)ALIGN_UP_BY(header->Size, sizeof(ULONG64)); /* no overflow: Size is at most PSCTX_MAXIMUM_TRANSFER */
    if (length > Cursor->Remaining) {
        return NULL;
    }
    Cursor->Next += length;
    Cursor->Remaining -= length;
    return header;
}

/*
 * Whether the batch holds Count whole requests, nothing between or behind them but zeros for padding.
 */
PSCTX_PAGE static BOOLEAN PsctxIsWholeBatch(_In_ PSCTX_BATCH_CURSOR Cursor, _In_ ULONG Count)
{
    PAGED_CODE();

    for (; Count != 0; Count -= 1) {
        const PSCTX_HEADER *header = PsctxNextRequest(&Cursor);
        const UCHAR *padding;

        if (header == NULL) {
            return FALSE;
        }
        for (padding = (const UCHAR *)header + header->Size; padding != Cursor.Next; padding += 1) {
            if (*padding != 0) {
                return FALSE;
            }
        }
    }
    return Cursor.Remaining == 0;
}

/*
 * Runs one request of a batch, as it would run alone. STATUS_CANCELLED, and it is not run, once nobody waits for the batch.
 */
PSCTX_PAGE static NTSTATUS PsctxRunBatched(_In_ const PSCTX_REQUEST *Batch, _In_ const PSCTX_HEADER *Header,
                                           _Out_writes_bytes_(Capacity) PVOID Reply, _In_ ULONG Capacity,
                                           _Out_ PULONG ReplyLength)
{
    const PSCTX_OPERATION *operation = PsctxFindOperation(Header->Operation);
    PSCTX_REQUEST request = {.Session = Batch->Session,
                             .Input = Header,
                             .InputLength = Header->Size,
                             .Output = Reply,
                             .OutputLength = Capacity};
    NTSTATUS status;

    PAGED_CODE();

    *ReplyLength = 0;
    if (PsctxIsInterrupted(Batch->Irp)) {
        return STATUS_CANCELLED;
    }
    if (operation == NULL || !operation->Batchable) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Batch->Operation == PSCTX_OPERATION_LOOKUP_BATCH &&
        PSCTX_ACCESS_OF(operation->ControlCode) != PSCTX_ACCESS_READ) {
        return STATUS_ACCESS_DENIED;
    }
    status = PsctxRunOperation(operation, &request);
    if (!NT_ERROR(status)) {
        *ReplyLength = request.ReplyLength;
    }
    return status;
}

/*
 * STATUS_INVALID_PARAMETER: no operation, too many, or a ReplyCapacity that is no multiple of 8. STATUS_INFO_LENGTH_MISMATCH: the
 * requests do not fill the batch exactly. STATUS_BUFFER_TOO_SMALL: no room for every result and slot. STATUS_INSUFFICIENT_RESOURCES.
 * In each of these cases no operation was run; else STATUS_SUCCESS, whatever the operations' own statuses are. An interrupted batch has
 * run those before the first that says STATUS_CANCELLED.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleBatch(PPSCTX_REQUEST Request)
{
    const PSCTX_BATCH_REQUEST *input = Request->Input;
    const ULONG count = input->Count;
    const ULONG capacity = input->ReplyCapacity;
    PSCTX_BATCH_REPLY *reply = Request->Output;
    PSCTX_BATCH_RESULT *results = (PSCTX_BATCH_RESULT *)(reply + 1);
    PUCHAR slots;
    PSCTX_BATCH_CURSOR cursor;
    const PSCTX_HEADER *header;
    PUCHAR requests;
    ULONG64 replyLength;
    ULONG index;

    PAGED_CODE();

    if (count == 0 || count > PSCTX_MAXIMUM_BATCH_OPERATIONS || capacity > PSCTX_MAXIMUM_TRANSFER ||
        capacity % sizeof(ULONG64) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    cursor.Next = (const UCHAR *)(input + 1);
    cursor.Remaining = Request->InputLength - (ULONG)sizeof(*input);
    if (!PsctxIsWholeBatch(cursor, count)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    replyLength = sizeof(*reply) + (ULONG64)count * (sizeof(*results) + capacity);
    if (replyLength > Request->OutputLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }

    requests = PsctxAllocate(PagedPool, cursor.Remaining);
    if (requests == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(requests, cursor.Next, cursor.Remaining);
    cursor.Next = requests;
    RtlZeroMemory(reply, (SIZE_T)replyLength);

    slots = (PUCHAR)(results + count);
    reply->Count = count;
    header = PsctxNextRequest(&cursor);
    for (index = 0; header != NULL; index += 1) {
        PUCHAR slot = slots + (SIZE_T)index * capacity;
        ULONG length;
        NTSTATUS status;

        status = PsctxRunBatched(Request, header, slot, capacity, &length);
        RtlZeroMemory(slot + length, capacity - length);
        results[index].Status = (PSCTX_UINT32)status;
        results[index].ReplySize = length;
        if (!NT_SUCCESS(status)) {
            reply->Failed += 1;
        }
        header = PsctxNextRequest(&cursor);
    }
    PsctxSetReplyHeader(Request, (ULONG)replyLength);

    PsctxFree(requests);
    return STATUS_SUCCESS;
}
