/*
 * What the filter costs the requests that it passes on: does one thing many times, for a tool that counts instructions.
 *
 *   passthrough_bench open|read|write absent|another|resident|unloadable|unmatched|minifilter COUNT
 *
 * Without the driver; with another filter, which does nothing else, instead; with the driver, as it is where it cannot be unloaded, and
 * where it can; with a rule, too, which does not match. Callgrind
 * is told to look only at the requests, and to begin to count when some are through:
 *   valgrind --tool=callgrind --instr-atstart=no build/native/test/driver/passthrough_bench read resident 1000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include <fronts.h>

#include "core_filters.h"
#include "core_fixture.h"

#define BENCH_LENGTH 16u
#define BENCH_FIRST 50u /* that are not counted */

DRIVER_INITIALIZE DriverEntry;

static HANDLE BenchOpen(VOID)
{
    HANDLE handle;

    CHECK_STATUS(CoreOpen(CORE_FILE, NULL, CORE_READ_WRITE, FILE_OPEN_IF, FILE_SYNCHRONOUS_IO_NONALERT, &handle),
                 STATUS_SUCCESS);
    return handle;
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

/*
 * Makes a rule that matches no file, for as long as the process runs.
 */
static VOID BenchTrack(VOID)
{
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[5];
    } request = {.Record = {.PatternLength = sizeof(request.Pattern)}, .Pattern = {L'*', L'.', L'Z', L'Z', L'Z'}};
    const ULONG length = FIELD_OFFSET(__typeof__(request), Pattern) + (ULONG)sizeof(request.Pattern);
    PSCTX_RULE_RECORD reply;

    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, length);
    CHECK_STATUS(
        CoreControl(CoreOpenSession(CORE_READ_WRITE), PSCTX_IOCTL_TRACK, &request, length, &reply, sizeof(reply), NULL),
        STATUS_SUCCESS);
}

static VOID BenchRepeat(_In_z_ const char *Operation, _In_ HANDLE Stream, _In_ unsigned long Count)
{
    const BOOLEAN opens = strcmp(Operation, "open") == 0;
    const BOOLEAN writes = strcmp(Operation, "write") == 0;

    for (; Count != 0; Count -= 1) {
        if (opens) {
            CoreClose(BenchOpen());
        } else {
            BenchTransfer(Stream, writes);
        }
    }
}

int main(int argc, char **argv)
{
    const char *presence = argc == 4 ? argv[2] : "";
    PDRIVER_OBJECT driver;
    HANDLE stream;

    if (argc != 4) {
        fprintf(stderr, "passthrough_bench open|read|write absent|another|resident|unloadable|unmatched COUNT\n");
        return 2;
    }
    CoreBoot();
    if (strcmp(presence, "unloadable") == 0) {
        (VOID) CoreLoadDriver();
    } else if (strcmp(presence, "minifilter") == 0) {
        CHECK_STATUS(PsctxLoadFront(PSCTX_FRONT_MINIFILTER, &driver), STATUS_SUCCESS);
    } else if (strcmp(presence, "another") == 0) {
        CoreLoadFilter(&CoreUpper);
    } else if (strcmp(presence, "absent") != 0) {
        CHECK_STATUS(HostLoadDriver(L"PsCtx", FALSE, DriverEntry, &driver), STATUS_SUCCESS);
    }
    HostEnterProcess(CoreCreateProcess(TRUE));
    if (strcmp(presence, "unmatched") == 0) {
        BenchTrack();
    }
    stream = BenchOpen();
    BenchTransfer(stream, TRUE);

    CALLGRIND_START_INSTRUMENTATION;
    BenchRepeat(argv[1], stream, BENCH_FIRST);
    CALLGRIND_ZERO_STATS;
    BenchRepeat(argv[1], stream, strtoul(argv[3], NULL, 10));
    CALLGRIND_STOP_INSTRUMENTATION;
    exit(0); /* whatever is loaded and open: a driver that is resident does not go */
}
