/* Running tests, counting what failed, and watching children break rules. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int Tests;
static int Failed;
static int FailedChecks;
static ULONG ExpectedCode;
static const char *ExpectedRule;

#define EXIT_EXPECTED 42
#define EXIT_OTHER 43

void CheckTrue(int Condition, const char *Text, const char *File, int Line)
{
    if (!Condition) {
        __atomic_fetch_add(&FailedChecks, 1, __ATOMIC_RELAXED); /* checks fail on any thread */
        printf("# %s:%d: %s\n", File, Line, Text);
    }
}

void CheckStatus(NTSTATUS Actual, NTSTATUS Expected, const char *Text, const char *File, int Line)
{
    if (Actual != Expected) {
        __atomic_fetch_add(&FailedChecks, 1, __ATOMIC_RELAXED);
        printf("# %s:%d: %s is 0x%08X, not 0x%08X\n", File, Line, Text, (ULONG)Actual, (ULONG)Expected);
    }
}

static void EndTest(const char *Name)
{
    Tests++;
    printf("%s %d - %s\n", FailedChecks == 0 ? "ok" : "not ok", Tests, Name);
    Failed += FailedChecks != 0;
    (void)fflush(stdout);
}

void RunTest(const char *Name, TEST_ROUTINE Routine)
{
    FailedChecks = 0;
    Routine();
    EndTest(Name);
}

static VOID OnBugCheck(ULONG BugCheckCode, const char *Message)
{
    if (BugCheckCode != ExpectedCode || strstr(Message, ExpectedRule) == NULL) {
        printf("# the child ended with %s\n", Message);
        (void)fflush(stdout);
        _exit(EXIT_OTHER);
    }
    _exit(EXIT_EXPECTED);
}

void RunViolation(const char *Name, ULONG BugCheckCode, const char *Rule, TEST_ROUTINE Routine)
{
    int Status = 0;
    pid_t Child;

    FailedChecks = 0;
    (void)fflush(stdout);
    Child = fork();
    if (Child == 0) {
        ExpectedCode = BugCheckCode;
        ExpectedRule = Rule;
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(EXIT_OTHER);
        }
        HostSetBugCheckRoutine(OnBugCheck);
        Routine();
        _exit(0);
    }
    CHECK(Child > 0 && waitpid(Child, &Status, 0) == Child);
    if (!WIFEXITED(Status) || WEXITSTATUS(Status) != EXIT_EXPECTED) {
        printf("# the child ended with status 0x%x\n", (unsigned)Status);
        FailedChecks++;
    }
    EndTest(Name);
}

void SkipTest(const char *Name, const char *Reason)
{
    Tests++;
    if (getenv("CI") != NULL) {
        printf("# skipped: %s\nnot ok %d - %s\n", Reason, Tests, Name);
        Failed++;
    } else {
        printf("ok %d - %s # SKIP %s\n", Tests, Name, Reason);
    }
    (void)fflush(stdout);
}

int EndTests(void)
{
    printf("1..%d\n# %d passed, %d failed\n", Tests, Tests - Failed, Failed);
    return Failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
