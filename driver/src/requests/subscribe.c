/*
 * The operations SUBSCRIBE and WAIT: a session becomes a reader of another one's events, and reads them.
 */
#include "events/events.h"
#include "requests/request.h"

/*
 * Makes the asking session a reader: PSCTX_SUBSCRIBE_REQUEST.
 *
 * STATUS_INVALID_PARAMETER: no type, an unknown one, a Capacity out of range, or the asking session itself. Those of PsctxSubscribe.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleSubscribe(PPSCTX_REQUEST Request)
{
    const PSCTX_SUBSCRIBE_REQUEST *input = Request->Input;
    const PPSCTX_SESSION session = Request->Session;
    NTSTATUS status;

    PAGED_CODE();

    if (input->Types == 0 || FlagOn(input->Types, ~PSCTX_EVENT_TYPES) ||
        input->Capacity < PSCTX_MINIMUM_EVENT_CAPACITY || input->Capacity > PSCTX_MAXIMUM_EVENT_CAPACITY ||
        input->Session == session->Events.Number) {
        return STATUS_INVALID_PARAMETER;
    }
    status = PsctxSubscribe(&session->Events, &session->Account, input->Session, input->Types, input->Capacity);
    if (NT_SUCCESS(status)) {
        PsctxSetReplyHeader(Request, sizeof(PSCTX_HEADER));
    }
    return status;
}

/*
 * Tells the reader's events, or waits for one: STATUS_PENDING. STATUS_BUFFER_TOO_SMALL: no room for the longest event. Those of
 * PsctxReadEvents and PsctxWaitForEvents.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleWait(PPSCTX_REQUEST Request)
{
    const PPSCTX_SESSION session = Request->Session;
    NTSTATUS status;

    PAGED_CODE();

    if (Request->OutputLength < sizeof(PSCTX_WAIT_REPLY) + PSCTX_MAXIMUM_EVENT_SIZE) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    status = PsctxReadEvents(&session->Events, Request->Output, Request->OutputLength, &Request->ReplyLength);
    if (status == STATUS_PENDING) {
        PsctxReferenceSession(session);
        status = PsctxWaitForEvents(&session->Events, Request->Irp);
        PsctxDereferenceSession(session);
    }
    return status;
}
