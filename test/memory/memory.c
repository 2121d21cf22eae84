/*
 * Replays a suite of tests with memory failing: one allocation for each call stack that allocates, and then one after another for pairs.
 *
 * Stands in for the runner of the suite, which is compiled with CoreRunTests renamed. A call that fails with
 * STATUS_INSUFFICIENT_RESOURCES must have left the driver's pool as it was, and is made again: then the test goes on as if nothing had been,
 * and its own checks say whether all is well. Where the driver does without the memory (a batch whose one operation fails, an open that
 * a rule misses) the test may see it: its process then ends with it, and such runs are counted by themselves.
 */
#include "core_fixture.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_STACKS 4096u
#define MEMORY_TESTS 256u
#define MEMORY_FRAMES 64
#define MEMORY_CHILDREN 8u  /* at once: unloading a filter takes time in which nothing is done */
#define MEMORY_PATIENCE 60u /* seconds */
#define MEMORY_TOLERATED 77 /* the exit code of a test that saw what the driver did without */

/* A call stack that allocates, as the first run of the tests has shown. */
typedef struct _MEMORY_STACK {
    ULONG64 Hash;
    BOOLEAN Paired;                /* in the paths of sessions and streams */
    UCHAR Tests[MEMORY_TESTS / 8]; /* that come by it */
} MEMORY_STACK;

typedef struct _MEMORY_SHARED {
    ULONG Count;
    ULONG Injected;
    MEMORY_STACK Stacks[MEMORY_STACKS];
} MEMORY_SHARED;

int MemoryRunTests(_In_reads_(Count) const CORE_TEST *Tests, _In_ ULONG Count, _In_opt_z_ const char *Filter);

static MEMORY_SHARED *Memory;
static ULONG MemoryTest;         /* that runs */
static ULONG64 MemoryTargets[2]; /* hashes of what is to fail, one after the other; zero: none */
static ULONG MemoryFailed;       /* how many have */
static BOOLEAN MemoryRecords;
static __thread BOOLEAN MemoryArmed;
static ULONG MemoryCode;
static int MemoryDepth; /* frames of the test's, which are no part of a call stack */
static BOOLEAN MemoryRepeats;
static ULONG MemoryFailedBefore;
static ULONG64 MemoryPoolBytes;
static BOOLEAN MemoryDidWithout;

static BOOLEAN MemoryIsPaired(_In_ ULONG Code)
{
    return Code == 0 || Code == PSCTX_IOCTL_INSERT || Code == PSCTX_IOCTL_REMOVE || Code == PSCTX_IOCTL_SUBSCRIBE ||
           Code == PSCTX_IOCTL_TRACK;
}

static VOID MemoryNote(_In_ ULONG64 Hash)
{
    MEMORY_STACK *stack;
    ULONG index;

    for (index = 0; index < Memory->Count && Memory->Stacks[index].Hash != Hash; index += 1) {}
    CHECK(index < MEMORY_STACKS);
    stack = &Memory->Stacks[index];
    stack->Hash = Hash;
    stack->Paired |= MemoryIsPaired(MemoryCode);
    stack->Tests[MemoryTest / 8] |= (UCHAR)(1u << (MemoryTest % 8));
    Memory->Count = max(Memory->Count, index + 1);
}

static BOOLEAN MemoryAsked(VOID)
{
    PVOID frames[MEMORY_FRAMES];
    ULONG64 hash = 14695981039346656037ull;
    int count;
    int index;

    if (!MemoryArmed || (!MemoryRecords && (MemoryFailed == 2 || MemoryTargets[MemoryFailed] == 0))) {
        return FALSE;
    }
    count = backtrace(frames, MEMORY_FRAMES) - MemoryDepth;
    for (index = 0; index < count; index += 1) {
        hash = (hash ^ (ULONG_PTR)frames[index]) * 1099511628211ull;
    }
    if (MemoryRecords) {
        MemoryNote(hash);
        return FALSE;
    }
    if (hash != MemoryTargets[MemoryFailed]) {
        return FALSE;
    }
    MemoryFailed += 1;
    return TRUE;
}

static VOID MemoryBefore(ULONG Code)
{
    PVOID frames[MEMORY_FRAMES];

    MemoryDepth = backtrace(frames, MEMORY_FRAMES) - 1; /* the caller is constant, or inlined */
    MemoryCode = Code;
    MemoryFailedBefore = MemoryFailed;
    MemoryPoolBytes = HostAuditPool(CORE_POOL_TAG);
    MemoryArmed = Code == 0 || Code >> 16 == PSCTX_DEVICE_TYPE; /* the tests' own drivers need theirs */
}

static BOOLEAN MemoryAgain(NTSTATUS Status)
{
    MemoryArmed = FALSE;
    if (MemoryFailed == MemoryFailedBefore) {
        return FALSE;
    }
    if (Status == STATUS_INSUFFICIENT_RESOURCES) {
        const ULONG64 bytes = HostAuditPool(CORE_POOL_TAG);

        /* What the driver has found out about a file system it may keep: then the same fails again, and must leave no more. */
        if (bytes != MemoryPoolBytes && !MemoryRepeats) {
            MemoryRepeats = TRUE;
            MemoryFailed -= 1;
            return TRUE;
        }
        MemoryRepeats = FALSE;
        CHECK_EQUAL(bytes, MemoryPoolBytes);
        return TRUE;
    }
    MemoryDidWithout = TRUE;
    return FALSE;
}

/* A check of the test's has failed. If the driver did without memory, that may be why: all that is left then is to look what remains. */
static VOID MemoryCheckFailed(VOID)
{
    if (MemoryDidWithout) {
        (VOID) fflush(NULL);
        _exit(MEMORY_TOLERATED);
    }
}

static pid_t MemoryStart(_In_ const CORE_TEST *Test, _In_ ULONG Number, _In_ ULONG64 First, _In_ ULONG64 Second)
{
    static const CORE_INTERFERENCE interference = {MemoryBefore, MemoryAgain};
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        MemoryTest = Number;
        MemoryTargets[0] = First;
        MemoryTargets[1] = Second;
        MemoryRecords = First == 0;
        CoreInterference = &interference;
        CoreFailRoutine = MemoryCheckFailed;
        HostSetAllocationRoutine(MemoryAsked);
        alarm(MEMORY_PATIENCE);
        Test->Routine();
        (VOID) __atomic_fetch_add(&Memory->Injected, MemoryFailed, __ATOMIC_SEQ_CST);
        exit(0);
    }
    CHECK(child > 0);
    return child;
}

typedef struct _MEMORY_RESULT {
    ULONG Runs;
    ULONG Tolerated;
    ULONG Failed;
} MEMORY_RESULT;

static struct {
    pid_t Child;
    const char *Name;
    ULONG64 Targets[2];
} MemoryChildren[MEMORY_CHILDREN];

static VOID MemoryCollect(_Inout_ MEMORY_RESULT *Result, _In_ BOOLEAN All)
{
    for (;;) {
        ULONG running = 0;
        ULONG index;
        pid_t child;
        int state;

        for (index = 0; index < MEMORY_CHILDREN; index += 1) {
            running += MemoryChildren[index].Child != 0 ? 1u : 0u;
        }
        if (running == 0 || (!All && running < MEMORY_CHILDREN)) {
            return;
        }
        child = waitpid(-1, &state, 0);
        for (index = 0; index < MEMORY_CHILDREN && MemoryChildren[index].Child != child; index += 1) {}
        CHECK(index < MEMORY_CHILDREN);
        MemoryChildren[index].Child = 0;
        Result->Runs += 1;
        if (WIFEXITED(state) && WEXITSTATUS(state) == MEMORY_TOLERATED) {
            Result->Tolerated += 1;
        } else if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
            Result->Failed += 1;
            printf("# \"%s\" ended with wait status 0x%x, after 0x%llx and 0x%llx\n", MemoryChildren[index].Name,
                   (unsigned)state, (unsigned long long)MemoryChildren[index].Targets[0],
                   (unsigned long long)MemoryChildren[index].Targets[1]);
        }
    }
}

static VOID MemoryRun(_In_ const CORE_TEST *Test, _In_ ULONG Number, _In_ ULONG64 First, _In_ ULONG64 Second,
                      _Inout_ MEMORY_RESULT *Result)
{
    ULONG index;

    MemoryCollect(Result, FALSE);
    for (index = 0; MemoryChildren[index].Child != 0; index += 1) {}
    MemoryChildren[index].Child = MemoryStart(Test, Number, First, Second);
    MemoryChildren[index].Name = Test->Name;
    MemoryChildren[index].Targets[0] = First;
    MemoryChildren[index].Targets[1] = Second;
}

static BOOLEAN MemoryComesBy(_In_ const MEMORY_STACK *Stack, _In_ ULONG Test)
{
    return (Stack->Tests[Test / 8] & (1u << (Test % 8))) != 0;
}

/* The first test that comes by both; Count if there is none. */
static ULONG MemoryTestOf(_In_ const MEMORY_STACK *First, _In_ const MEMORY_STACK *Second, _In_ ULONG Count)
{
    ULONG test;

    for (test = 0; test < Count && !(MemoryComesBy(First, test) && MemoryComesBy(Second, test)); test += 1) {}
    return test;
}

static VOID MemoryReport(_In_ ULONG Number, _In_z_ const char *What, _In_ const MEMORY_RESULT *Result)
{
    printf("# %s: %u runs, %u allocations failed, %u runs saw what the driver did without\n", What, Result->Runs,
           Memory->Injected, Result->Tolerated);
    printf("%sok %u - %s\n", Result->Failed == 0 && Result->Runs != 0 ? "" : "not ", Number, What);
    (VOID) fflush(stdout);
    Memory->Injected = 0;
}

int MemoryRunTests(const CORE_TEST *Tests, ULONG Count, const char *Filter)
{
    const BOOLEAN pairs = Filter != NULL && strcmp(Filter, "--pairs") == 0;
    MEMORY_RESULT singles = {0};
    MEMORY_RESULT doubles = {0};
    MEMORY_RESULT first = {0};
    ULONG second;
    ULONG index;

    Memory = mmap(NULL, sizeof(*Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(Memory != MAP_FAILED && Count <= MEMORY_TESTS);
    for (index = 0; index < Count; index += 1) {
        MemoryRun(&Tests[index], index, 0, 0, &first);
        MemoryCollect(&first, TRUE);
    }
    CHECK_EQUAL(first.Failed, 0);
    printf("# %u tests, %u call stacks that allocate\n", Count, Memory->Count);
    for (index = 0; index < Memory->Count; index += 1) {
        const MEMORY_STACK *stack = &Memory->Stacks[index];
        const ULONG test = MemoryTestOf(stack, stack, Count);

        MemoryRun(&Tests[test], test, stack->Hash, 0, &singles);
    }
    MemoryCollect(&singles, TRUE);
    MemoryReport(1, "every call stack's allocation fails once", &singles);
    for (index = 0; pairs && index < Memory->Count; index += 1) {
        for (second = 0; second < Memory->Count; second += 1) {
            const ULONG test = MemoryTestOf(&Memory->Stacks[index], &Memory->Stacks[second], Count);

            if (test != Count && Memory->Stacks[index].Paired && Memory->Stacks[second].Paired) {
                MemoryRun(&Tests[test], test, Memory->Stacks[index].Hash, Memory->Stacks[second].Hash, &doubles);
            }
        }
    }
    MemoryCollect(&doubles, TRUE);
    if (pairs) {
        MemoryReport(2, "one after another fails for every pair in the paths of sessions and streams", &doubles);
    }
    printf("1..%u\n", pairs ? 2u : 1u);
    return singles.Failed + doubles.Failed == 0 && singles.Runs != 0 ? 0 : 1;
}
