/*
 * Builds batches of operations: see core_batch.h.
 */
#include "core_batch.h"

#include <stdlib.h>
#include <string.h>

VOID CoreStartBatch(PCORE_BATCH Batch, ULONG Operation, ULONG ReplyCapacity)
{
    memset(Batch, 0, sizeof(*Batch));
    Batch->Operation = Operation;
    Batch->Request = calloc(1, PSCTX_MAXIMUM_TRANSFER);
    CHECK(Batch->Request != NULL);
    Batch->Length = sizeof(*Batch->Request);
    Batch->Request->ReplyCapacity = ReplyCapacity;
    CoreSetHeader(&Batch->Request->Header, Operation, Batch->Length);
}

VOID CoreFreeBatch(const CORE_BATCH *Batch)
{
    free(Batch->Reply);
    free(Batch->Request);
}

PVOID CoreAddRequest(PCORE_BATCH Batch, const VOID *Request, ULONG Length)
{
    const ULONG padded = (ULONG)ALIGN_UP_BY(Length, sizeof(ULONG64));
    PVOID place = (PUCHAR)Batch->Request + Batch->Length;

    CHECK(padded <= PSCTX_MAXIMUM_TRANSFER - Batch->Length);
    memcpy(place, Request, Length);
    Batch->Length += padded;
    Batch->Request->Header.Size = Batch->Length;
    Batch->Request->Count += 1;
    return place;
}

PSCTX_MATCH_REQUEST *CoreAddMatch(PCORE_BATCH Batch, ULONG Operation, HANDLE Stream, ULONG64 Owner, ULONG64 Instance)
{
    PSCTX_MATCH_REQUEST request = {.Handle = (ULONG_PTR)Stream, .OwnerKey = Owner, .Instance = Instance};

    CoreSetHeader(&request.Header, Operation, sizeof(request));
    return CoreAddRequest(Batch, &request, sizeof(request));
}

PSCTX_INSERT_REQUEST *CoreAddInsert(PCORE_BATCH Batch, HANDLE Stream, ULONG64 Owner, ULONG64 Instance, ULONG DataLength)
{
    const ULONG length = (ULONG)sizeof(PSCTX_INSERT_REQUEST) + DataLength;
    PSCTX_INSERT_REQUEST *request = calloc(1, length);
    PSCTX_INSERT_REQUEST *place;

    CHECK(request != NULL);
    CoreSetHeader(&request->Header, PSCTX_OPERATION_INSERT, length);
    request->Handle = (ULONG_PTR)Stream;
    request->OwnerKey = Owner;
    request->Instance = Instance;
    request->DataLength = DataLength;
    memset(request + 1, 0x42, DataLength);
    place = CoreAddRequest(Batch, request, length);
    free(request);
    return place;
}

NTSTATUS CoreSendBatch(HANDLE Control, PCORE_BATCH Batch)
{
    const ULONG count = Batch->Request->Count;
    ULONG information;
    NTSTATUS status;

    free(Batch->Reply);
    Batch->OutputLength =
        (ULONG)sizeof(*Batch->Reply) + count * ((ULONG)sizeof(*Batch->Results) + Batch->Request->ReplyCapacity);
    Batch->Reply = malloc(Batch->OutputLength);
    CHECK(Batch->Reply != NULL);
    memset(Batch->Reply, 0xA5, Batch->OutputLength);
    Batch->Results = (PSCTX_BATCH_RESULT *)(Batch->Reply + 1);
    status = CoreControl(Control, CoreControlCodes[Batch->Operation], Batch->Request, Batch->Length, Batch->Reply,
                         Batch->OutputLength, &information);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(information, Batch->OutputLength);
        CHECK_EQUAL(Batch->Reply->Header.Size, information);
        CHECK_EQUAL(Batch->Reply->Header.Version, PSCTX_ABI_VERSION);
        CHECK_EQUAL(Batch->Reply->Header.Operation, Batch->Operation);
        CHECK_EQUAL(Batch->Reply->Count, count);
    }
    return status;
}

PVOID CoreBatchSlot(const CORE_BATCH *Batch, ULONG Index)
{
    return (PUCHAR)(Batch->Results + Batch->Request->Count) + (SIZE_T)Index * Batch->Request->ReplyCapacity;
}
