/* The harness's counters and its output. */
#include "harness.h"

#include <stdio.h>

static unsigned TestCount;
static unsigned FailedTests;
static unsigned FailedChecks;

void RunTest(const char *Name, TEST_ROUTINE Routine)
{
    FailedChecks = 0;
    Routine();
    TestCount++;
    FailedTests += FailedChecks != 0;
    printf("%s %u - %s\n", FailedChecks == 0 ? "ok" : "not ok", TestCount, Name);
    fflush(stdout);
}

int EndTests(void)
{
    printf("1..%u\n", TestCount);
    return FailedTests == 0 ? 0 : 1;
}

void CheckTrue(int Condition, const char *Text, const char *File, int Line)
{
    if (!Condition) {
        __atomic_fetch_add(&FailedChecks, 1, __ATOMIC_SEQ_CST);
        printf("# %s:%d: %s\n", File, Line, Text);
    }
}

void CheckStatus(NTSTATUS Actual, NTSTATUS Expected, const char *Text, const char *File, int Line)
{
    if (Actual != Expected) {
        __atomic_fetch_add(&FailedChecks, 1, __ATOMIC_SEQ_CST);
        printf("# %s:%d: %s: 0x%08x, not 0x%08x\n", File, Line, Text, (unsigned)Actual, (unsigned)Expected);
    }
}
