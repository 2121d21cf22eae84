/*
 * The operation INSPECT: every per-stream context on a stream's list, whoever's it is.
 */
#include "inspection/inspection.h"
#include "requests/request.h"

/*
 * Writes the reply. STATUS_BUFFER_OVERFLOW, with none of the contexts and what would do in Remaining, if they do not all fit.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxTellInspection(_In_ const PSCTX_INSPECTION *Inspection, _Inout_ PPSCTX_REQUEST Request)
{
    PSCTX_INSPECT_REPLY *reply = Request->Output;
    ULONG used = sizeof(*reply);
    BOOLEAN fits = TRUE;
    ULONG index;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    for (index = 0; index < Inspection->Count; index += 1) {
        const ULONG capacity = fits ? Request->OutputLength - used : 0;
        const ULONG size =
            PsctxWriteInspected(Inspection, &Inspection->Contexts[index],
                                (PSCTX_INSPECT_ENTRY *)((PUCHAR)Request->Output + (fits ? used : 0)), capacity);

        fits = fits && size <= capacity;
        used += size;
    }
    if (!fits) {
        reply->Remaining = used;
        PsctxSetReplyHeader(Request, sizeof(*reply));
        return STATUS_BUFFER_OVERFLOW;
    }
    reply->Count = Inspection->Count;
    PsctxSetReplyHeader(Request, used);
    return STATUS_SUCCESS;
}

/*
 * STATUS_BUFFER_OVERFLOW with PSCTX_INSPECT_REPLY.Remaining, which is more than PSCTX_MAXIMUM_TRANSFER where no reply is long enough. Those
 * of PsctxOpenStream and PsctxInspect.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleInspect(PPSCTX_REQUEST Request)
{
    const PSCTX_STREAM_REQUEST *input = Request->Input;
    PSCTX_INSPECTION inspection;
    PSCTX_STREAM stream;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxOpenStream(input->Handle, &stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxInspect(&stream, Request->Session, &inspection);
    if (!NT_SUCCESS(status)) {
        goto CloseStream;
    }
    if (inspection.Count > PSCTX_MAXIMUM_INSPECTED) {
        PSCTX_INSPECT_REPLY *reply = Request->Output;

        RtlZeroMemory(reply, sizeof(*reply));
        reply->Remaining = (ULONG)sizeof(*reply) + inspection.Count * (ULONG)sizeof(PSCTX_INSPECT_ENTRY);
        PsctxSetReplyHeader(Request, sizeof(*reply));
        status = STATUS_BUFFER_OVERFLOW;
        goto CloseStream;
    }
    status = PsctxTellInspection(&inspection, Request);
    PsctxFreeInspection(&inspection);
CloseStream:
    PsctxCloseStream(&stream);
    return status;
}
