/*
 * The operations that only tell: version and limits, statistics, and what a stream can carry.
 */
#include "requests/request.h"
#include "volumes/volumes.h"

PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryVersion(PPSCTX_REQUEST Request)
{
    PSCTX_VERSION_REPLY *reply = Request->Output;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    reply->DriverVersion = PSCTX_DRIVER_VERSION;
    reply->MaximumDataLength = PSCTX_MAXIMUM_DATA_LENGTH;
    reply->MaximumContexts = (PSCTX_UINT32)PsctxSessionLimits.Contexts;
    reply->MaximumOwners = PSCTX_MAXIMUM_OWNERS;
    reply->MaximumPagedBytes = (PSCTX_UINT64)PsctxSessionLimits.Bytes[PSCTX_POOL_PAGED];
    reply->MaximumNonPagedBytes = (PSCTX_UINT64)PsctxSessionLimits.Bytes[PSCTX_POOL_NONPAGED];
    reply->MaximumBatchOperations = PSCTX_MAXIMUM_BATCH_OPERATIONS;
    reply->MaximumTransfer = PSCTX_MAXIMUM_TRANSFER;
    reply->Session = Request->Session->Events.Number;
    reply->MaximumStreamContexts = PSCTX_MAXIMUM_STREAM_CONTEXTS;
    reply->MaximumSessions = PSCTX_MAXIMUM_SESSIONS;
    reply->MaximumPagedRecordBytes = (PSCTX_UINT64)PsctxSessionLimits.RecordBytes[PSCTX_POOL_PAGED];
    reply->MaximumNonPagedRecordBytes = (PSCTX_UINT64)PsctxSessionLimits.RecordBytes[PSCTX_POOL_NONPAGED];
    reply->MaximumReaders = PSCTX_MAXIMUM_READERS;
    reply->MaximumWaits = PSCTX_MAXIMUM_WAITS;
    reply->Front = PsctxGlobals.Front;
    PsctxSetReplyHeader(Request, sizeof(*reply));
    return STATUS_SUCCESS;
}

/*
 * Each counter is right by itself; together they are no snapshot.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryStatistics(PPSCTX_REQUEST Request)
{
    const PPSCTX_SESSION session = Request->Session;
    PSCTX_STATISTICS_REPLY *reply = Request->Output;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    reply->SessionContexts = PsctxReadCounter(&session->Account.Contexts);
    reply->SessionPagedBytes = PsctxReadCounter(&session->Account.Bytes[PSCTX_POOL_PAGED]);
    reply->SessionNonPagedBytes = PsctxReadCounter(&session->Account.Bytes[PSCTX_POOL_NONPAGED]);
    reply->SessionInserted = PsctxReadCounter(&session->Inserted);
    reply->SessionRemoved = PsctxReadCounter(&session->Removed);
    reply->SessionTornDown = PsctxReadCounter(&session->TornDown);
    reply->SessionMissed = PsctxReadCounter(&session->Missed);
    reply->TotalContexts = PsctxReadCounter(&PsctxTotalAccount.Contexts);
    reply->TotalPagedBytes = PsctxReadCounter(&PsctxTotalAccount.Bytes[PSCTX_POOL_PAGED]);
    reply->TotalNonPagedBytes = PsctxReadCounter(&PsctxTotalAccount.Bytes[PSCTX_POOL_NONPAGED]);
    reply->TotalSessions = (ULONG64)PsctxSessionCount;
    reply->AttachedVolumes = (ULONG64)PsctxAttachments.Volumes;
    reply->AttachedFileSystems = (ULONG64)PsctxAttachments.FileSystems;
    reply->SessionPagedRecordBytes = PsctxReadCounter(&session->Account.RecordBytes[PSCTX_POOL_PAGED]);
    reply->SessionNonPagedRecordBytes = PsctxReadCounter(&session->Account.RecordBytes[PSCTX_POOL_NONPAGED]);
    reply->TotalPagedRecordBytes = PsctxReadCounter(&PsctxTotalAccount.RecordBytes[PSCTX_POOL_PAGED]);
    reply->TotalNonPagedRecordBytes = PsctxReadCounter(&PsctxTotalAccount.RecordBytes[PSCTX_POOL_NONPAGED]);
    PsctxSetReplyHeader(Request, sizeof(*reply));
    return STATUS_SUCCESS;
}

/*
 * Why the handle's stream can or cannot carry contexts. STATUS_INVALID_HANDLE or STATUS_OBJECT_TYPE_MISMATCH if it is no file.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryStream(PPSCTX_REQUEST Request)
{
    const PSCTX_STREAM_REQUEST *input = Request->Input;
    PSCTX_STREAM_REPLY *reply = Request->Output;
    PSCTX_STREAM stream;
    PFILE_OBJECT fileObject;
    ULONG support;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxReferenceFileObject(input->Handle, &fileObject);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    support = PsctxExamineStream(fileObject, &stream);

    RtlZeroMemory(reply, sizeof(*reply));
    reply->Support = support;
    reply->DeviceType = stream.DeviceType;
    if (support == PSCTX_SUPPORT_YES || support == PSCTX_SUPPORT_NO_FILTER_CONTEXTS) {
        reply->HeaderVersion = stream.Header->Version;
    }
    ObDereferenceObject(fileObject);

    PsctxSetReplyHeader(Request, sizeof(*reply));
    return STATUS_SUCCESS;
}
