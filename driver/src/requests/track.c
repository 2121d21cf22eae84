/*
 * The operations TRACK, UNTRACK and QUERY_RULE.
 */
#include "requests/request.h"
#include "tracking/tracking.h"

/*
 * Adds a rule: PSCTX_TRACK_REQUEST and its pattern. The reply tells its number.
 *
 * STATUS_INVALID_PARAMETER: no pattern, one too long or of half a character, one with a NUL in it, or unknown Flags.
 * STATUS_INFO_LENGTH_MISMATCH: the request is not as long as its record and its pattern. Those of
 * PsctxAddRule.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleTrack(PPSCTX_REQUEST Request)
{
    const PSCTX_TRACK_REQUEST *input = Request->Input;
    const WCHAR *pattern = (const WCHAR *)(input + 1);
    PSCTX_RULE_RECORD *reply = Request->Output;
    ULONG64 number;
    ULONG index;
    NTSTATUS status;

    PAGED_CODE();

    if ((input->Flags & ~PSCTX_TRACK_COUNT) != 0 || input->PatternLength == 0 ||
        input->PatternLength > PSCTX_MAXIMUM_PATTERN_LENGTH || input->PatternLength % sizeof(WCHAR) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Request->InputLength != sizeof(*input) + input->PatternLength) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    for (index = 0; index < input->PatternLength / sizeof(WCHAR); index += 1) {
        if (pattern[index] == 0) {
            return STATUS_INVALID_PARAMETER;
        }
    }

    status = PsctxAddRule(Request->Session, input, &number);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    reply->Rule = number;
    PsctxSetReplyHeader(Request, sizeof(*reply));
    return STATUS_SUCCESS;
}

/*
 * Removes a rule of the asking session: PSCTX_RULE_RECORD. STATUS_NOT_FOUND.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleUntrack(PPSCTX_REQUEST Request)
{
    const PSCTX_RULE_RECORD *input = Request->Input;

    PAGED_CODE();

    if (!PsctxRemoveRule(Request->Session, input->Rule)) {
        return STATUS_NOT_FOUND;
    }
    PsctxSetReplyHeader(Request, sizeof(PSCTX_HEADER));
    return STATUS_SUCCESS;
}

/*
 * Tells what a rule of the asking session has done: PSCTX_RULE_RECORD. STATUS_NOT_FOUND.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleQueryRule(PPSCTX_REQUEST Request)
{
    const ULONG64 number = ((const PSCTX_RULE_RECORD *)Request->Input)->Rule;
    PSCTX_RULE_REPLY *reply = Request->Output;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    if (!PsctxQueryRule(Request->Session, number, reply)) {
        return STATUS_NOT_FOUND;
    }
    PsctxSetReplyHeader(Request, sizeof(*reply));
    return STATUS_SUCCESS;
}
