/*
 * What the end of a session with many contexts takes, and each of the ways that remove as many: milliseconds of the processor, a line each.
 *
 *   ending_bench COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core_batch.h"
#include "core_fixture.h"

#define BENCH_MAXIMUM_STREAMS 64u

static double BenchNow(VOID)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

/*
 * Hangs Count contexts on as many streams as their limit needs.
 */
static VOID BenchFill(_In_ HANDLE Control, _In_ const HANDLE *Streams, _In_ ULONG Count)
{
    ULONG done = 0;

    while (done < Count) {
        const ULONG part = min(Count - done, PSCTX_MAXIMUM_BATCH_OPERATIONS);
        CORE_BATCH batch;
        ULONG index;

        CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
        for (index = done; index < done + part; index += 1) {
            CoreAddInsert(&batch, Streams[index / PSCTX_MAXIMUM_STREAM_CONTEXTS], 1, 0, 0)->IfExists =
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
    const ULONG streamCount = (count + PSCTX_MAXIMUM_STREAM_CONTEXTS - 1) / PSCTX_MAXIMUM_STREAM_CONTEXTS;
    HANDLE streams[BENCH_MAXIMUM_STREAMS] = {0};
    WCHAR path[] = L"\\??\\M:\\ending-00";
    HANDLE session;
    double start;
    ULONG index;
    CORE core;

    if (count == 0 || streamCount > BENCH_MAXIMUM_STREAMS) {
        fprintf(stderr, "ending_bench COUNT\n");
        return 2;
    }
    CoreStart(&core);
    for (index = 0; index < streamCount; index += 1) {
        path[14] = (WCHAR)(L'0' + index / 10);
        path[15] = (WCHAR)(L'0' + index % 10);
        streams[index] = CoreOpenFile(path);
    }

    session = CoreOpenSession(CORE_READ_WRITE);
    BenchFill(session, streams, count);
    start = BenchNow();
    CoreClose(session);
    printf("session %.0f\n", BenchNow() - start);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);

    BenchFill(core.Control, streams, count);
    start = BenchNow();
    for (index = 0; index < streamCount; index += 1) {
        CHECK_STATUS(CoreRemoveAll(core.Control, streams[index], PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_SUCCESS);
    }
    printf("remove-all %.0f\n", BenchNow() - start);

    BenchFill(core.Control, streams, count);
    start = BenchNow();
    for (index = 0; index < streamCount; index += 1) {
        CoreClose(streams[index]);
    }
    printf("teardown %.0f\n", BenchNow() - start);
    CoreStop(&core);
    return 0;
}
