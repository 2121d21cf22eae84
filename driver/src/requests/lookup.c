/*
 * The operations that name a context: LOOKUP, REMOVE and REMOVE_ALL.
 */
#include "requests/request.h"

/*
 * Whether what the request leaves unused is zero, and Match is one of those that the operation allows (bits by PSCTX_MATCH_*).
 */
PSCTX_PAGE static BOOLEAN PsctxIsValidMatch(_In_ const PSCTX_MATCH_REQUEST *Input, _In_ ULONG AllowedMatches)
{
    PAGED_CODE();

    return Input->Match <= PSCTX_MATCH_FIRST && ((AllowedMatches >> Input->Match) & 1u) != 0 && Input->Reserved == 0 &&
           (Input->Match == PSCTX_MATCH_INSTANCE || Input->Instance == 0) &&
           (Input->Match != PSCTX_MATCH_FIRST || Input->OwnerKey == 0);
}

static PSCTX_IDENTITY PsctxGetIdentity(_In_ PPSCTX_SESSION Session, _In_ const PSCTX_MATCH_REQUEST *Input)
{
    const PSCTX_IDENTITY identity = {Session, Input->OwnerKey, Input->Instance, Input->Match};

    return identity;
}

/*
 * LOOKUP and REMOVE: STATUS_INVALID_PARAMETER, those of PsctxOpenStream, STATUS_NOT_FOUND, STATUS_BUFFER_OVERFLOW.
 */
PSCTX_PAGE static NTSTATUS PsctxLookup(_Inout_ PPSCTX_REQUEST Request, _In_ BOOLEAN Remove, _In_ ULONG AllowedMatches)
{
    const PSCTX_MATCH_REQUEST *input = Request->Input;
    const PSCTX_IDENTITY identity = PsctxGetIdentity(Request->Session, input);
    const ULONG capacity = Request->OutputLength - (ULONG)sizeof(PSCTX_CONTEXT_REPLY);
    PSCTX_CONTEXT_REPLY *reply = Request->Output;
    PSCTX_STREAM stream;
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxIsValidMatch(input, AllowedMatches)) {
        return STATUS_INVALID_PARAMETER;
    }
    status = PsctxOpenStream(input->Handle, &stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    if (identity.Match == PSCTX_MATCH_FIRST) {
        status = PsctxLookupFirst(&stream, Request->Session, reply, reply + 1, capacity);
    } else {
        status = PsctxLookupContext(&stream, &identity, Remove, reply, reply + 1, capacity);
    }
    if (status == STATUS_SUCCESS) {
        PsctxSetReplyHeader(Request, (ULONG)sizeof(*reply) + reply->DataLength);
    } else if (status == STATUS_BUFFER_OVERFLOW) {
        PsctxSetReplyHeader(Request, sizeof(*reply));
    }

    PsctxCloseStream(&stream);
    return status;
}

PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleLookup(PPSCTX_REQUEST Request)
{
    PAGED_CODE();

    return PsctxLookup(Request, FALSE,
                       (1u << PSCTX_MATCH_INSTANCE) | (1u << PSCTX_MATCH_OWNER) | (1u << PSCTX_MATCH_FIRST));
}

PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleRemove(PPSCTX_REQUEST Request)
{
    PAGED_CODE();

    return PsctxLookup(Request, TRUE, (1u << PSCTX_MATCH_INSTANCE) | (1u << PSCTX_MATCH_OWNER));
}

/*
 * STATUS_INVALID_PARAMETER, or those of PsctxOpenStream. Zero contexts removed is a success.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleRemoveAll(PPSCTX_REQUEST Request)
{
    const PSCTX_MATCH_REQUEST *input = Request->Input;
    const PSCTX_IDENTITY identity = PsctxGetIdentity(Request->Session, input);
    PSCTX_COUNT_REPLY *reply = Request->Output;
    PSCTX_STREAM stream;
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxIsValidMatch(input,
                           (1u << PSCTX_MATCH_INSTANCE) | (1u << PSCTX_MATCH_OWNER) | (1u << PSCTX_MATCH_FIRST))) {
        return STATUS_INVALID_PARAMETER;
    }
    status = PsctxOpenStream(input->Handle, &stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    reply->Count = PsctxRemoveContexts(&stream, &identity);
    PsctxSetReplyHeader(Request, sizeof(*reply));

    PsctxCloseStream(&stream);
    return STATUS_SUCCESS;
}
