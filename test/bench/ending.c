/*
 * What the end of a session with many contexts takes, and each of the ways that remove as many: milliseconds of the processor, a line each.
 *
 *   ending_bench COUNT
 *
 * "session-behind" is the worst way for them to lie: each stream is full, one half of its contexts is of the session that ends, and the
 * other half younger and of a session that goes on. FsRtl finds each behind all of those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core_batch.h"
#include "core_fixture.h"

#define BENCH_DIGITS 5u /* of a file's number */

static double BenchNow(VOID)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static HANDLE BenchOpen(_In_ ULONG Number)
{
    WCHAR path[] = L"\\??\\M:\\ending-00000";
    ULONG digit;

    for (digit = 1; digit <= BENCH_DIGITS; digit += 1) {
        path[RTL_NUMBER_OF(path) - 1 - digit] = (WCHAR)(L'0' + Number % 10);
        Number /= 10;
    }
    return CoreOpenFile(path);
}

/*
 * Hangs Count contexts on the streams, as many on each.
 */
static VOID BenchFill(_In_ HANDLE Control, _In_reads_(StreamCount) const HANDLE *Streams, _In_ ULONG StreamCount,
                      _In_ ULONG Count)
{
    ULONG done = 0;

    while (done < Count) {
        const ULONG part = min(Count - done, PSCTX_MAXIMUM_BATCH_OPERATIONS);
        CORE_BATCH batch;
        ULONG index;

        CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
        for (index = done; index < done + part; index += 1) {
            CoreAddInsert(&batch, Streams[(ULONG64)index * StreamCount / Count], 1, 0, 0)->IfExists =
                PSCTX_IF_EXISTS_ADD;
        }
        CHECK_STATUS(CoreSendBatch(Control, &batch), STATUS_SUCCESS);
        CHECK_EQUAL(batch.Reply->Failed, 0);
        CoreFreeBatch(&batch);
        done += part;
    }
}

int main(int argc, char **argv)
{
    const ULONG count = argc > 1 ? (ULONG)strtoul(argv[1], NULL, 10) : 0;
    const ULONG full = (count + PSCTX_MAXIMUM_STREAM_CONTEXTS - 1) / PSCTX_MAXIMUM_STREAM_CONTEXTS;
    const ULONG half = (count + PSCTX_MAXIMUM_STREAM_CONTEXTS / 2 - 1) / (PSCTX_MAXIMUM_STREAM_CONTEXTS / 2);
    HANDLE *streams;
    HANDLE session;
    double start;
    ULONG index;
    CORE core;

    if (count == 0) {
        fprintf(stderr, "ending_bench COUNT\n");
        return 2;
    }
    streams = calloc(half, sizeof(*streams));
    CHECK(streams != NULL);
    CoreStart(&core);
    for (index = 0; index < half; index += 1) {
        streams[index] = BenchOpen(index);
    }

    session = CoreOpenSession(CORE_READ_WRITE);
    BenchFill(session, streams, full, count);
    start = BenchNow();
    CoreClose(session);
    printf("session %.0f\n", BenchNow() - start);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);

    BenchFill(core.Control, streams, full, count);
    start = BenchNow();
    for (index = 0; index < full; index += 1) {
        CHECK_STATUS(CoreRemoveAll(core.Control, streams[index], PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_SUCCESS);
    }
    printf("remove-all %.0f\n", BenchNow() - start);

    session = CoreOpenSession(CORE_READ_WRITE);
    BenchFill(session, streams, half, count);
    BenchFill(core.Control, streams, half, count);
    start = BenchNow();
    CoreClose(session);
    printf("session-behind %.0f\n", BenchNow() - start);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, count);
    for (index = 0; index < half; index += 1) {
        CHECK_STATUS(CoreRemoveAll(core.Control, streams[index], PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_SUCCESS);
    }

    BenchFill(core.Control, streams, full, count);
    start = BenchNow();
    for (index = 0; index < half; index += 1) {
        CoreClose(streams[index]);
    }
    printf("teardown %.0f\n", BenchNow() - start);
    free(streams);
    CoreStop(&core);
    return 0;
}
