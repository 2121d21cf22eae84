/*
 * The operation ENUMERATE: a session's contexts on every stream, or on those of a volume, page by page.
 *
 * The order is that of the shards, and in each that of the sequence numbers: a new context comes behind all that are there, so that the
 * cursor means the same place whatever is inserted and removed meanwhile. Outside the driver it is sealed: which contexts are in one
 * shard, and how many others' there are between them, is nobody's to know.
 */
#include "inspection/inspection.h"
#include "requests/request.h"

/*
 * Where the next page begins, and whose contexts on which volume are meant (NULL: any).
 */
typedef struct _PSCTX_ENUMERATION {
    PPSCTX_SESSION Session;
    PDEVICE_OBJECT VolumeDevice;
    ULONG64 After;
    ULONG Shard;
    ULONG Used; /* bytes of entries that are written */
    PIRP Irp;
} PSCTX_ENUMERATION, *PPSCTX_ENUMERATION;

/*
 * What a cursor is, before it is sealed: the place in a shard, and which shard of which session's enumeration.
 */
PSCTX_PAGE static VOID PsctxWriteCursor(_In_ const PSCTX_ENUMERATION *Enumeration, _Out_writes_(2) ULONG64 *Cursor)
{
    PAGED_CODE();

    Cursor[0] = Enumeration->After;
    Cursor[1] = (Enumeration->Session->Events.Number << PSCTX_SHARD_BITS) | Enumeration->Shard;
    PsctxSealPair(Cursor);
}

/*
 * FALSE for one that this session was not told: it opens to the session's own number by a chance of one in 2^58.
 */
PSCTX_PAGE static BOOLEAN PsctxReadCursor(_Inout_ PPSCTX_ENUMERATION Enumeration, _In_reads_(2) const ULONG64 *Cursor)
{
    ULONG64 pair[2] = {Cursor[0], Cursor[1]};

    PAGED_CODE();

    if (pair[0] == 0 && pair[1] == 0) {
        return TRUE;
    }
    PsctxUnsealPair(pair);
    Enumeration->After = pair[0];
    Enumeration->Shard = (ULONG)(pair[1] % PSCTX_SHARD_COUNT);
    return pair[1] >> PSCTX_SHARD_BITS == Enumeration->Session->Events.Number;
}

/*
 * Writes the contexts of the enumeration's shard that fit, behind those that are there. TRUE if that was all of them.
 */
PSCTX_PAGE static BOOLEAN PsctxEnumerateShard(_Inout_ PPSCTX_ENUMERATION Enumeration,
                                              _Inout_ PSCTX_ENUMERATE_REPLY *Reply,
                                              _Out_writes_bytes_(Capacity) PUCHAR Entries, _In_ ULONG Capacity)
{
    PPSCTX_CONTEXT context;
    PSCTX_WALK walk;

    PAGED_CODE();

    PsctxBeginShardWalk(&walk, Enumeration->Shard, PsctxShardOldestFirst);
    for (context = PsctxNextContext(&walk); context != NULL; context = PsctxNextContext(&walk)) {
        ULONG size;

        if (PsctxIsInterrupted(Enumeration->Irp)) {
            break;
        }
        if (context->Sequence <= Enumeration->After) {
            continue;
        }
        if (context->Owner->Session == Enumeration->Session &&
            (Enumeration->VolumeDevice == NULL || context->VolumeDevice == Enumeration->VolumeDevice)) {
            size = PsctxWriteEntry(context, Entries + Enumeration->Used, Capacity - Enumeration->Used);
            if (size > Capacity - Enumeration->Used) {
                Reply->NextSize = size;
                break;
            }
            Enumeration->Used += size;
            Reply->Count += 1;
        }
        Enumeration->After = context->Sequence;
    }
    PsctxEndWalk(&walk);
    return context == NULL;
}

/*
 * STATUS_INVALID_PARAMETER: a cursor that this session was not told. Those of PsctxReferenceVolumeDevice. STATUS_BUFFER_OVERFLOW with
 * PSCTX_ENUMERATE_REPLY.NextSize set. A request that is interrupted tells what it has.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleEnumerate(PPSCTX_REQUEST Request)
{
    const PSCTX_ENUMERATE_REQUEST *input = Request->Input;
    const ULONG capacity = Request->OutputLength - (ULONG)sizeof(PSCTX_ENUMERATE_REPLY);
    PSCTX_ENUMERATE_REPLY *reply = Request->Output;
    PSCTX_ENUMERATION enumeration = {0};
    NTSTATUS status;

    PAGED_CODE();

    enumeration.Session = Request->Session;
    enumeration.Irp = Request->Irp;
    if (!PsctxReadCursor(&enumeration, input->Cursor)) {
        return STATUS_INVALID_PARAMETER;
    }
    status = PsctxReferenceVolumeDevice(input->VolumeHandle, &enumeration.VolumeDevice);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    RtlZeroMemory(reply, sizeof(*reply));
    while (enumeration.Shard < PSCTX_SHARD_COUNT &&
           PsctxEnumerateShard(&enumeration, reply, (PUCHAR)(reply + 1), capacity)) {
        enumeration.Shard += 1;
        enumeration.After = 0;
    }
    if (enumeration.VolumeDevice != NULL) {
        ObDereferenceObject(enumeration.VolumeDevice);
    }
    if (enumeration.Shard < PSCTX_SHARD_COUNT) {
        PsctxWriteCursor(&enumeration, reply->NextCursor);
    }
    PsctxSetReplyHeader(Request, (ULONG)sizeof(*reply) + enumeration.Used);
    return reply->Count == 0 && reply->NextSize != 0 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
