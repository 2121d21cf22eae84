/*
 * What tracking costs: does one thing many times, with or without rules, for a tool that counts instructions.
 *
 *   tracking_bench OPERATION RULE COUNT      OPERATION: open, read, write, read-other; RULE: none, named, counted, unmatched
 *
 * Callgrind is told to look only at the requests, and to begin to count when some are through:
 *   valgrind --tool=callgrind --instr-atstart=no build/native/test/driver/tracking_bench read counted 1000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include "core_fixture.h"

#define BENCH_LENGTH 16u
#define BENCH_FIRST 50u /* that are not counted */

static HANDLE BenchOpen(_In_z_ PCWSTR Path)
{
    HANDLE handle;

    CHECK_STATUS(CoreOpen(Path, NULL, CORE_READ_WRITE, FILE_OPEN_IF, FILE_SYNCHRONOUS_IO_NONALERT, &handle),
                 STATUS_SUCCESS);
    return handle;
}

static VOID BenchTrack(_In_ HANDLE Control, _In_z_ PCWSTR Pattern, _In_ ULONG Flags)
{
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[32];
    } request = {.Record = {.Flags = Flags}};
    PSCTX_RULE_RECORD reply;
    UNICODE_STRING pattern;
    ULONG length;

    RtlInitUnicodeString(&pattern, Pattern);
    memcpy(request.Pattern, pattern.Buffer, pattern.Length);
    length = (ULONG)sizeof(request.Record) + pattern.Length;
    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, length);
    request.Record.PatternLength = pattern.Length;
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_TRACK, &request, length, &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
}

static VOID BenchTransfer(_In_ HANDLE Stream, _In_ BOOLEAN Write)
{
    static CHAR data[BENCH_LENGTH];
    IO_STATUS_BLOCK ioStatus;
    LARGE_INTEGER offset = {0};

    CHECK_STATUS(Write ? NtWriteFile(Stream, NULL, NULL, NULL, &ioStatus, data, BENCH_LENGTH, &offset, NULL)
                       : NtReadFile(Stream, NULL, NULL, NULL, &ioStatus, data, BENCH_LENGTH, &offset, NULL),
                 STATUS_SUCCESS);
}

static VOID BenchRepeat(_In_z_ const char *Operation, _In_ HANDLE Stream, _In_ HANDLE Other, _In_ unsigned long Count)
{
    for (; Count != 0; Count -= 1) {
        if (strcmp(Operation, "open") == 0) {
            CoreClose(BenchOpen(CORE_FILE));
        } else if (strcmp(Operation, "read-other") == 0) {
            BenchTransfer(Other, FALSE);
        } else {
            BenchTransfer(Stream, strcmp(Operation, "write") == 0);
        }
    }
}

int main(int argc, char **argv)
{
    HANDLE stream;
    HANDLE other;
    CORE core;

    if (argc != 4) {
        fprintf(stderr, "tracking_bench open|read|write|read-other none|named|counted|unmatched COUNT\n");
        return 2;
    }
    CoreStart(&core);
    if (strcmp(argv[2], "named") == 0 || strcmp(argv[2], "counted") == 0) {
        BenchTrack(core.Control, L"*ONE.TXT", strcmp(argv[2], "counted") == 0 ? PSCTX_TRACK_COUNT : 0);
    } else if (strcmp(argv[2], "unmatched") == 0) {
        BenchTrack(core.Control, L"*.ZZZ", PSCTX_TRACK_COUNT);
    }
    stream = BenchOpen(CORE_FILE);
    other = BenchOpen(CORE_OTHER_FILE);
    BenchTransfer(stream, TRUE);
    BenchTransfer(other, TRUE);
    CALLGRIND_START_INSTRUMENTATION;
    BenchRepeat(argv[1], stream, other, BENCH_FIRST);
    CALLGRIND_ZERO_STATS;
    BenchRepeat(argv[1], stream, other, strtoul(argv[3], NULL, 10));
    CALLGRIND_STOP_INSTRUMENTATION;
    CoreStop(&core);
    return 0;
}
