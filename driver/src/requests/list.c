/*
 * The operation LIST.
 */
#include "requests/request.h"

/*
 * Those of PsctxOpenStream, or STATUS_BUFFER_OVERFLOW with PSCTX_LIST_REPLY.NextSize set.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleList(PPSCTX_REQUEST Request)
{
    const PSCTX_LIST_REQUEST *input = Request->Input;
    const ULONG64 before = input->Before;
    PSCTX_LIST_REPLY *reply = Request->Output;
    PSCTX_STREAM stream;
    ULONG length;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxOpenStream(input->Handle, &stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxListContexts(&stream, Request->Session, before, reply, (PUCHAR)(reply + 1),
                               Request->OutputLength - (ULONG)sizeof(*reply), &length);
    PsctxSetReplyHeader(Request, (ULONG)sizeof(*reply) + length);

    PsctxCloseStream(&stream);
    return status;
}
