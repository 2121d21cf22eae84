/*
 * The limits of a session, and the largest requests that are allowed.
 */
#include "core_tests.h"

#include <stdlib.h>
#include <string.h>

#define CORE_STREAMS 16u /* that have room for all that a session may have here */

static VOID CoreOpenStreams(_Out_writes_(CORE_STREAMS) PHANDLE Streams)
{
    WCHAR path[] = L"\\??\\M:\\files-a";
    ULONG index;

    for (index = 0; index < CORE_STREAMS; index += 1) {
        path[13] = (WCHAR)(L'a' + index);
        Streams[index] = CoreOpenFile(path);
    }
}

VOID CoreOwnersAreLimited(VOID)
{
    CORE_INSERTION insertion = {0};
    HANDLE streams[CORE_STREAMS];
    CORE_BATCH batch;
    ULONG owner;
    CORE core;

    CoreStart(&core);
    CoreOpenStreams(streams);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
    for (owner = 0; owner < PSCTX_MAXIMUM_OWNERS; owner += 1) {
        CoreAddInsert(&batch, streams[owner % CORE_STREAMS], owner, 0, 0);
    }
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_EQUAL(batch.Reply->Failed, 0);
    CoreFreeBatch(&batch);

    insertion.Stream = streams[0];
    insertion.Owner = PSCTX_MAXIMUM_OWNERS;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionContexts, PSCTX_MAXIMUM_OWNERS);
    insertion.Owner = PSCTX_MAXIMUM_OWNERS - 1;
    insertion.Instance = 1;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreStop(&core);
}

VOID CoreNonPagedBytesAreLimited(VOID)
{
    PUCHAR data = calloc(1, PSCTX_MAXIMUM_DATA_LENGTH);
    CORE_INSERTION insertion = {.Pool = PSCTX_POOL_NONPAGED, .Data = data, .DataLength = PSCTX_MAXIMUM_DATA_LENGTH};
    PSCTX_STATISTICS_REPLY statistics;
    HANDLE streams[CORE_STREAMS];
    ULONG64 limit;
    ULONG64 each;
    ULONG index;
    CORE core;

    CHECK(data != NULL);
    CoreStart(&core);
    limit = CoreLimits(core.Control).MaximumNonPagedBytes;
    CoreOpenStreams(streams);
    insertion.Stream = streams[0];
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    each = CoreStatistics(core.Control).SessionNonPagedBytes;
    CHECK(each > PSCTX_MAXIMUM_DATA_LENGTH && each <= PSCTX_MAXIMUM_DATA_LENGTH + 160 + 256);
    insertion.IfExists = PSCTX_IF_EXISTS_ADD;
    for (index = 1; CoreStatistics(core.Control).SessionNonPagedBytes + each <= limit; index += 1) {
        insertion.Stream = streams[index % CORE_STREAMS];
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    statistics = CoreStatistics(core.Control);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_QUOTA_EXCEEDED);
    insertion.IfExists = PSCTX_IF_EXISTS_REPLACE;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionNonPagedBytes, statistics.SessionNonPagedBytes);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionContexts, statistics.SessionContexts);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, statistics.TotalContexts);

    /* The other pool has its own limit; what just fits, fits; what is removed, is given back. */
    insertion.Pool = PSCTX_POOL_PAGED;
    insertion.Instance = 1;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    insertion.Pool = PSCTX_POOL_NONPAGED;
    insertion.Instance = 2;
    insertion.DataLength = (ULONG)(limit - statistics.SessionNonPagedBytes - (each - PSCTX_MAXIMUM_DATA_LENGTH));
    insertion.DataLength &= ~1u; /* data is padded to whole characters */
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK(limit - CoreStatistics(core.Control).SessionNonPagedBytes <= 1);
    CHECK_STATUS(CoreRemove(core.Control, insertion.Stream, PSCTX_MATCH_INSTANCE, 0, 0, NULL), STATUS_BUFFER_OVERFLOW);
    CHECK_STATUS(CoreRemoveAll(core.Control, insertion.Stream, PSCTX_MATCH_INSTANCE, 0, 2, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    for (index = 0; index < CORE_STREAMS; index += 1) {
        CHECK_STATUS(CoreRemoveAll(core.Control, streams[index], PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_SUCCESS);
    }
    CHECK_EQUAL(CoreStatistics(core.Control).SessionNonPagedBytes, 0);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalNonPagedBytes, 0);
    free(data);
    CoreStop(&core);
}

VOID CoreLargestDataAndBatchWork(VOID)
{
    const ULONG capacity = (ULONG)sizeof(PSCTX_CONTEXT_REPLY) + PSCTX_MAXIMUM_DATA_LENGTH;
    const UCHAR *data;
    CORE_BATCH batch;
    HANDLE stream;
    ULONG index;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
    for (index = 0; index < 15; index += 1) {
        CoreAddInsert(&batch, stream, 1, index, PSCTX_MAXIMUM_DATA_LENGTH - index);
    }
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_EQUAL(batch.Reply->Failed, 0);
    CoreFreeBatch(&batch);

    CoreStartBatch(&batch, PSCTX_OPERATION_LOOKUP_BATCH, capacity);
    for (index = 0; index < 15; index += 1) {
        CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, index);
    }
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_EQUAL(batch.Reply->Failed, 0);
    for (index = 0; index < 15; index += 1) {
        CHECK_EQUAL(batch.Results[index].ReplySize, capacity - index);
        data = (const UCHAR *)CoreBatchSlot(&batch, index) + sizeof(PSCTX_CONTEXT_REPLY);
        CHECK_EQUAL(data[0], 0x42);
        CHECK_EQUAL(data[PSCTX_MAXIMUM_DATA_LENGTH - index - 1], 0x42);
    }
    CoreFreeBatch(&batch);
    CoreStop(&core);
}
