/*
 * What a look-up costs the driver where there are many streams: looks contexts up, for a tool that counts instructions or cache misses.
 *
 *   lookup_bench lookup|insert STREAMS COUNT      insert: hangs a second context on a stream, and takes it off again
 *
 * Each stream has a context of each of three sessions, with 16 bytes of data. Who comes first changes, so that nobody's are always the
 * youngest. Callgrind is told to look only at what is done then, and to begin to count when it has been done some times:
 *   valgrind --tool=callgrind --instr-atstart=no --cache-sim=yes build/native/test/driver/lookup_bench lookup 100000 20000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include "core_fixture.h"

#define BENCH_SESSIONS 3u
#define BENCH_STRIDE 7919u
#define BENCH_FILES_PER_DIRECTORY 256u
#define BENCH_DATA_LENGTH 16u
#define BENCH_OWNER 7u
#define BENCH_FIRST 500u /* that are not counted */

static const UCHAR BenchData[BENCH_DATA_LENGTH] = {1};

/*
 * Opens the file with this number, in the directory that has room for it.
 */
static HANDLE BenchOpen(_In_ ULONG Number)
{
    static const WCHAR digits[] = L"0123456789abcdef";
    WCHAR path[] = L"\\??\\M:\\00000\\00";
    ULONG directory = Number / BENCH_FILES_PER_DIRECTORY;
    HANDLE handle;
    ULONG index;

    path[13] = digits[Number / 16 % 16];
    path[14] = digits[Number % 16];
    for (index = 11; index >= 7; index -= 1) {
        path[index] = digits[directory % 16];
        directory /= 16;
    }
    if (Number % BENCH_FILES_PER_DIRECTORY == 0) {
        path[12] = L'\0';
        CHECK_STATUS(CoreOpen(path, NULL, CORE_READ, FILE_OPEN_IF, FILE_DIRECTORY_FILE, &handle), STATUS_SUCCESS);
        CoreClose(handle);
        path[12] = L'\\';
    }
    return CoreOpenFile(path);
}

static VOID BenchInsert(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG64 Instance)
{
    const CORE_INSERTION insertion = {.Stream = Stream,
                                      .Owner = BENCH_OWNER,
                                      .Instance = Instance,
                                      .DataLength = BENCH_DATA_LENGTH,
                                      .Data = BenchData};

    CHECK_STATUS(CoreInsert(Control, &insertion, NULL), STATUS_SUCCESS);
}

/*
 * Looks a context of one session up, or inserts a second one and removes it, on one stream after another.
 */
static VOID BenchRepeat(_In_ BOOLEAN Inserts, _In_ HANDLE Control, _In_reads_(StreamCount) const HANDLE *Streams,
                        _In_ ULONG StreamCount, _In_ ULONG Begin, _In_ ULONG End)
{
    ULONG index;

    for (index = Begin; index < End; index += 1) {
        const HANDLE stream = Streams[(ULONG64)index * BENCH_STRIDE % StreamCount];

        if (Inserts) {
            BenchInsert(Control, stream, 2);
            CHECK_STATUS(CoreRemove(Control, stream, PSCTX_MATCH_INSTANCE, BENCH_OWNER, 2, NULL), STATUS_SUCCESS);
        } else {
            CHECK_STATUS(CoreLookup(Control, stream, PSCTX_MATCH_INSTANCE, BENCH_OWNER, 1, NULL), STATUS_SUCCESS);
        }
    }
}

int main(int argc, char **argv)
{
    const ULONG streamCount = argc == 4 ? (ULONG)strtoul(argv[2], NULL, 10) : 0;
    const ULONG count = argc == 4 ? (ULONG)strtoul(argv[3], NULL, 10) : 0;
    const BOOLEAN inserts = argc == 4 && strcmp(argv[1], "insert") == 0;
    HANDLE sessions[BENCH_SESSIONS];
    HANDLE *streams;
    ULONG stream;
    ULONG turn;
    CORE core;

    if (streamCount == 0) {
        fprintf(stderr, "lookup_bench lookup|insert STREAMS COUNT\n");
        return 2;
    }
    streams = calloc(streamCount, sizeof(*streams));
    CHECK(streams != NULL);
    CoreStart(&core);
    for (turn = 0; turn < BENCH_SESSIONS; turn += 1) {
        sessions[turn] = CoreOpenSession(CORE_READ_WRITE);
    }
    for (stream = 0; stream < streamCount; stream += 1) {
        streams[stream] = BenchOpen(stream);
        for (turn = 0; turn < BENCH_SESSIONS; turn += 1) {
            BenchInsert(sessions[(stream + turn) % BENCH_SESSIONS], streams[stream], 1);
        }
    }
    CALLGRIND_START_INSTRUMENTATION;
    BenchRepeat(inserts, sessions[0], streams, streamCount, 0, BENCH_FIRST);
    CALLGRIND_ZERO_STATS;
    BenchRepeat(inserts, sessions[0], streams, streamCount, BENCH_FIRST, BENCH_FIRST + count);
    CALLGRIND_STOP_INSTRUMENTATION;
    CoreStop(&core);
    free(streams);
    return 0;
}
