/*
 * Builds batches of operations, sends them, and finds their results.
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "core_fixture.h"

typedef struct _CORE_BATCH {
    ULONG Operation; /* PSCTX_OPERATION_BATCH or _LOOKUP_BATCH */
    ULONG Length;    /* of the request so far */
    ULONG OutputLength;
    PSCTX_BATCH_REQUEST *Request; /* PSCTX_MAXIMUM_TRANSFER bytes, zeroed */
    PSCTX_BATCH_REPLY *Reply;     /* OutputLength bytes, once it was sent */
    PSCTX_BATCH_RESULT *Results;
} CORE_BATCH, *PCORE_BATCH;

VOID CoreStartBatch(_Out_ PCORE_BATCH Batch, _In_ ULONG Operation, _In_ ULONG ReplyCapacity);
VOID CoreFreeBatch(_In_ const CORE_BATCH *Batch);

/* Adds a request, padded. The pointer is to the request in the batch: the caller may spoil it there. */
PVOID CoreAddRequest(_Inout_ PCORE_BATCH Batch, _In_reads_bytes_(Length) const VOID *Request, _In_ ULONG Length);
PSCTX_MATCH_REQUEST *CoreAddMatch(_Inout_ PCORE_BATCH Batch, _In_ ULONG Operation, _In_ HANDLE Stream,
                                  _In_ ULONG64 Owner, _In_ ULONG64 Instance);
PSCTX_INSERT_REQUEST *CoreAddInsert(_Inout_ PCORE_BATCH Batch, _In_ HANDLE Stream, _In_ ULONG64 Owner,
                                    _In_ ULONG64 Instance, _In_ ULONG DataLength);

/* Sends it, with an output buffer as long as needed. */
NTSTATUS CoreSendBatch(_In_ HANDLE Control, _Inout_ PCORE_BATCH Batch);

PVOID CoreBatchSlot(_In_ const CORE_BATCH *Batch, _In_ ULONG Index);

#endif
