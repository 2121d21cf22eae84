/*
 * The operation INSERT.
 */
#include "requests/request.h"
#include "volumes/volumes.h"

/*
 * STATUS_INVALID_PARAMETER: an unknown IfExists, Pool or Lifetime. STATUS_INVALID_BUFFER_SIZE: more data than
 * PSCTX_MAXIMUM_DATA_LENGTH. STATUS_INFO_LENGTH_MISMATCH: the data is not as long as DataLength. Else those of PsctxOpenStream and
 * PsctxInsertContext.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleInsert(PPSCTX_REQUEST Request)
{
    const PSCTX_INSERT_REQUEST *input = Request->Input;
    PSCTX_INSERT_REPLY *reply = Request->Output;
    POBJECT_NAME_INFORMATION name;
    PSCTX_INSERTION insertion;
    PSCTX_STREAM stream;
    ULONG64 sequence;
    ULONG outcome;
    NTSTATUS status;

    PAGED_CODE();

    if (input->IfExists > PSCTX_IF_EXISTS_ADD || input->Pool > PSCTX_POOL_NONPAGED ||
        input->Lifetime > PSCTX_LIFETIME_STREAM) {
        return STATUS_INVALID_PARAMETER;
    }
    if (input->DataLength > PSCTX_MAXIMUM_DATA_LENGTH) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    if (Request->InputLength - sizeof(*input) != input->DataLength) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }

    status = PsctxOpenStream(input->Handle, &stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxQueryObjectName(stream.FileObject, &name);
    if (!NT_SUCCESS(status)) {
        goto CloseStream;
    }

    insertion.Session = Request->Session;
    insertion.OwnerKey = input->OwnerKey;
    insertion.Instance = input->Instance;
    insertion.IfExists = input->IfExists;
    insertion.Pool = input->Pool;
    insertion.Lifetime = input->Lifetime;
    insertion.Tracked = PSCTX_TRACKED_NO;
    insertion.DataLength = input->DataLength;
    insertion.Data = input + 1;
    insertion.Name = name->Name;
    insertion.NameTruncated = FALSE;
    status = PsctxInsertContext(&stream, &insertion, &outcome, &sequence);
    if (NT_SUCCESS(status)) {
        RtlZeroMemory(reply, sizeof(*reply));
        reply->Outcome = outcome;
        reply->Sequence = sequence;
        PsctxSetReplyHeader(Request, sizeof(*reply));
    }

    PsctxFree(name);
CloseStream:
    PsctxCloseStream(&stream);
    return status;
}
