/*
 * Explores schedules of a few threads in the driver, each from the same state, and says how many different ones there were.
 *
 * explore [--schedules N] [--seed S] [--tap] [--list] [scenario]
 * explore --replay SCENARIO:SEED [--trace]
 *
 * Each scenario has a kernel of its own in a process of its own, which is made ready once. Every schedule is run by a copy of that process
 * (fork): so nothing is left from the one before, and a seed replays. Afterwards the copy's kernel is shut down and audited.
 */
#include "scenarios.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPLORE_SCHEDULES 1000u
#define EXPLORE_SECONDS 60u /* of one schedule, which takes a millisecond: more is a hang */
#define EXPLORE_REPLAYED 3u /* schedules of each scenario that are run twice */
#define EXPLORE_TIME_OUTS 16u

typedef struct _EXPLORE_OPTIONS {
    ULONG Schedules;
    ULONG64 Seed;
    BOOLEAN Tap;
    BOOLEAN Trace;
    BOOLEAN Replay;
    const EXPLORE_SCENARIO *Only;
} EXPLORE_OPTIONS;

/* What a copy tells; in memory that it shares, so that a schedule that fails is known as well. */
typedef struct _EXPLORE_SHARED {
    HOST_EXPLORATION Exploration;
    ULONG64 Schedules; /* of the scenario */
    ULONG64 Distinct;
    ULONG64 LongestSteps;
    BOOLEAN Failed;
} EXPLORE_SHARED;

static EXPLORE_OPTIONS ExploreOptions;
static EXPLORE_SHARED *ExploreShared;
static const EXPLORE_SCENARIO *ExploreCurrent;
static EXPLORE_STATE ExploreState;

/* The strategy, and all that it takes, follow from the seed; Length from the scenario. */
static VOID ExploreChoose(_Out_ PHOST_EXPLORATION Exploration, _In_ ULONG64 Seed, _In_ ULONG Length)
{
    memset(Exploration, 0, sizeof(*Exploration));
    Exploration->Strategy = (Seed & 1) != 0 ? HostByPriority : HostRandomWalk;
    Exploration->Seed = Seed;
    Exploration->Inertia = 1u << (Seed >> 1 & 3);
    Exploration->Changes = 1u + (ULONG)(Seed >> 1 & 3);
    Exploration->Length = Length;
    if ((Seed >> 3 & 1) != 0 && !ExploreTakesTime(ExploreCurrent)) {
        Exploration->TimeOuts = EXPLORE_TIME_OUTS;
    }
}

static VOID ExploreDescribe(_In_ const HOST_EXPLORATION *Exploration, _Out_writes_(Size) char *Text, _In_ SIZE_T Size)
{
    const char *time = Exploration->TimeOuts != 0 ? ", time running" : "";

    if (Exploration->Strategy == HostByPriority) {
        (void)snprintf(Text, Size, "priorities with %u changes in %u steps%s", Exploration->Changes,
                       Exploration->Length, time);
    } else {
        (void)snprintf(Text, Size, "random walk, inertia %u%s", Exploration->Inertia, time);
    }
}

static VOID ExplorePrintStep(ULONG Thread, const char *Point)
{
    const ULONG index = Thread - ExploreShared->Exploration.First;

    printf("%5llu  %-12s %s\n", (unsigned long long)ExploreShared->Exploration.Steps,
           index < ExploreCurrent->ThreadCount ? ExploreCurrent->Threads[index].Name
           : Thread == 0                       ? "main"
                                               : "driver",
           Point);
    (void)fflush(stdout);
}

static VOID ExploreRunThread(PVOID Context)
{
    const EXPLORE_THREAD *thread = Context;

    if (!thread->OutsideProcess) {
        HostEnterProcess(ExploreState.Core.Process);
    }
    thread->Routine(&ExploreState);
    if (!thread->OutsideProcess) {
        HostLeaveProcess();
    }
}

/* In the copy: the schedule, the check, and the end of the kernel. */
static DECLSPEC_NORETURN VOID ExploreRunCopy(VOID)
{
    PHOST_ROUTINE routines[EXPLORE_MAXIMUM_THREADS];
    PVOID contexts[EXPLORE_MAXIMUM_THREADS];
    ULONG index;

    (void)alarm(EXPLORE_SECONDS);
    ExploreState.Seed = ExploreShared->Exploration.Seed;
    for (index = 0; index < ExploreCurrent->ThreadCount; index += 1) {
        routines[index] = ExploreRunThread;
        contexts[index] = (PVOID)(ULONG_PTR)&ExploreCurrent->Threads[index];
    }
    ExploreShared->Exploration.Step = ExploreOptions.Trace ? ExplorePrintStep : NULL;
    HostExploreSchedule(&ExploreShared->Exploration, ExploreCurrent->ThreadCount, routines, contexts);
    if (!ExploreState.Unloaded) {
        HostEnterProcess(ExploreState.Core.Process);
        ExploreCurrent->Check(&ExploreState);
        HostLeaveProcess();
    } else {
        ExploreCurrent->Check(&ExploreState);
    }
    ExploreStop(&ExploreState);
    (void)fflush(stdout);
    _exit(0);
}

/* Whether the schedule of the seed came to a good end. */
static BOOLEAN ExploreRunOne(_In_ ULONG64 Seed, _In_ ULONG Length)
{
    int status = 0;
    pid_t child;

    ExploreChoose(&ExploreShared->Exploration, Seed, Length);
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        ExploreRunCopy();
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return TRUE;
    }
    ExploreShared->Failed = TRUE;
    fprintf(stderr, "# the copy ended with %s %d\n", WIFSIGNALED(status) ? "signal" : "exit code",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return FALSE;
}

/* A set of hashes, open addressed. */
static ULONG64 *ExploreHashes;
static SIZE_T ExploreHashSlots;

static BOOLEAN ExploreIsNew(_In_ ULONG64 Hash)
{
    SIZE_T slot = (SIZE_T)(Hash % ExploreHashSlots);

    Hash = Hash == 0 ? 1 : Hash;
    while (ExploreHashes[slot] != 0 && ExploreHashes[slot] != Hash) {
        slot = (slot + 1) % ExploreHashSlots;
    }
    if (ExploreHashes[slot] == Hash) {
        return FALSE;
    }
    ExploreHashes[slot] = Hash;
    return TRUE;
}

static VOID ExploreReportFailure(_In_ ULONG64 Seed)
{
    char strategy[80];

    ExploreDescribe(&ExploreShared->Exploration, strategy, sizeof(strategy));
    printf("# %s failed: seed %llu (%s), after %llu schedules, in step %llu of schedule %016llx\n"
           "# again:    npm run explore -- --replay %s:%llu --trace\n",
           ExploreCurrent->Name, (unsigned long long)Seed, strategy, (unsigned long long)ExploreShared->Schedules,
           (unsigned long long)ExploreShared->Exploration.Steps, (unsigned long long)ExploreShared->Exploration.Hash,
           ExploreCurrent->Name, (unsigned long long)Seed);
    (void)fflush(stdout);
}

/* The schedules of a scenario, from its prepared state. */
static VOID ExploreRunAll(_In_ ULONG Length)
{
    ULONG64 hashes[EXPLORE_REPLAYED];
    ULONG64 count;

    ExploreHashSlots = 2 * (SIZE_T)ExploreOptions.Schedules + 1;
    ExploreHashes = calloc(ExploreHashSlots, sizeof(*ExploreHashes));
    CHECK(ExploreHashes != NULL);
    for (count = 0; count < ExploreOptions.Schedules; count += 1) {
        const ULONG64 seed = ExploreOptions.Seed + count;

        if (!ExploreRunOne(seed, Length)) {
            ExploreReportFailure(seed);
            return;
        }
        ExploreShared->Schedules += 1;
        ExploreShared->Distinct += ExploreIsNew(ExploreShared->Exploration.Hash);
        ExploreShared->LongestSteps = max(ExploreShared->LongestSteps, ExploreShared->Exploration.Steps);
        if (count < EXPLORE_REPLAYED) {
            hashes[count] = ExploreShared->Exploration.Hash;
        }
    }
    for (count = 0; count < min(EXPLORE_REPLAYED, ExploreOptions.Schedules); count += 1) {
        CHECK(ExploreRunOne(ExploreOptions.Seed + count, Length));
        CHECK_EQUAL(ExploreShared->Exploration.Hash, hashes[count]);
    }
}

static VOID ExploreReplay(_In_ ULONG Length)
{
    const BOOLEAN good = ExploreRunOne(ExploreOptions.Seed, Length);

    ExploreShared->Schedules = 1;
    if (!good) {
        ExploreReportFailure(ExploreOptions.Seed);
    }
    printf("# schedule %016llx, %llu steps\n", (unsigned long long)ExploreShared->Exploration.Hash,
           (unsigned long long)ExploreShared->Exploration.Steps);
}

/* The scenario's main thread, itself one of a schedule, so that the driver's own threads are. */
static VOID ExploreMain(PVOID Context)
{
    const BOOLEAN trace = ExploreOptions.Trace;
    ULONG length;

    UNREFERENCED_PARAMETER(Context);
    ExploreStart(&ExploreState, ExploreCurrent);
    ExploreOptions.Trace = FALSE;
    if (ExploreRunOne(0, 1)) {
        length = (ULONG)ExploreShared->Exploration.Steps;
        ExploreOptions.Trace = trace;
        if (ExploreOptions.Replay) {
            ExploreReplay(length);
        } else {
            ExploreRunAll(length);
        }
    } else {
        ExploreReportFailure(0);
    }
    (void)fflush(stdout);
    _exit(ExploreShared->Failed ? 1 : 0);
}

static DECLSPEC_NORETURN VOID ExploreBeScenario(VOID)
{
    HOST_EXPLORATION exploration = {.Strategy = HostRunOn, .SystemThreads = TRUE};
    const PHOST_ROUTINE routine = ExploreMain;
    PVOID context = NULL;

    HostExploreSchedule(&exploration, 1, &routine, &context);
    _exit(1);
}

/* Whether all schedules of the scenario came to a good end. */
static BOOLEAN ExploreScenario(_In_ const EXPLORE_SCENARIO *Scenario)
{
    int status = 0;
    pid_t child;

    memset(ExploreShared, 0, sizeof(*ExploreShared));
    ExploreCurrent = Scenario;
    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        ExploreBeScenario();
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return (BOOLEAN)(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const EXPLORE_SCENARIO *ExploreFind(_In_z_ const char *Name, _In_ SIZE_T Length)
{
    ULONG index;

    for (index = 0; index < ExploreScenarioCount; index += 1) {
        if (strlen(ExploreScenarios[index].Name) == Length &&
            strncmp(ExploreScenarios[index].Name, Name, Length) == 0) {
            return &ExploreScenarios[index];
        }
    }
    fprintf(stderr, "explore: no scenario %.*s; --list names them\n", (int)Length, Name);
    exit(2);
}

static ULONG64 ExploreParse(_In_opt_z_ const char *Text, _In_ ULONG64 Limit)
{
    char *end = NULL;
    ULONG64 value;

    errno = 0;
    value = Text != NULL && *Text >= '0' && *Text <= '9' ? strtoull(Text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || value > Limit) {
        fprintf(stderr, "explore: %s is no number up to %llu\n", Text == NULL ? "nothing" : Text,
                (unsigned long long)Limit);
        exit(2);
    }
    return value;
}

static VOID ExploreParseArguments(_In_ int Count, _In_ char **Arguments)
{
    int index;

    ExploreOptions = (EXPLORE_OPTIONS){.Schedules = EXPLORE_SCHEDULES, .Seed = 1};
    for (index = 1; index < Count; index += 1) {
        const char *argument = Arguments[index];
        const char *value = index + 1 < Count ? Arguments[index + 1] : NULL;
        const char *colon;

        if (strcmp(argument, "--schedules") == 0) {
            ExploreOptions.Schedules = (ULONG)ExploreParse(value, 100000000);
            if (ExploreOptions.Schedules == 0) {
                fprintf(stderr, "explore: no schedule at all shows nothing\n");
                exit(2);
            }
            index += 1;
        } else if (strcmp(argument, "--seed") == 0) {
            ExploreOptions.Seed = ExploreParse(value, MAXULONG64);
            index += 1;
        } else if (strcmp(argument, "--tap") == 0) {
            ExploreOptions.Tap = TRUE;
        } else if (strcmp(argument, "--trace") == 0) {
            ExploreOptions.Trace = TRUE;
        } else if (strcmp(argument, "--list") == 0) {
            ULONG scenario;

            for (scenario = 0; scenario < ExploreScenarioCount; scenario += 1) {
                printf("%-22s %s\n", ExploreScenarios[scenario].Name, ExploreScenarios[scenario].Rule);
            }
            exit(0);
        } else if (strcmp(argument, "--replay") == 0) {
            colon = value == NULL ? NULL : strchr(value, ':');
            if (colon == NULL) {
                fprintf(stderr, "explore: --replay takes SCENARIO:SEED\n");
                exit(2);
            }
            ExploreOptions.Replay = TRUE;
            ExploreOptions.Only = ExploreFind(value, (SIZE_T)(colon - value));
            ExploreOptions.Seed = ExploreParse(colon + 1, MAXULONG64);
            index += 1;
        } else if (argument[0] != '-') {
            ExploreOptions.Only = ExploreFind(argument, strlen(argument));
        } else {
            fprintf(stderr, "explore: %s is no option\n", argument);
            exit(2);
        }
    }
}

/* Addresses decide which lock guards a stream: the same program is to have the same ones in every run. */
static VOID ExploreFixAddresses(_In_ char **Arguments)
{
    const int old = personality(0xffffffff);

    if (old != -1 && (old & ADDR_NO_RANDOMIZE) == 0 && personality((unsigned long)old | ADDR_NO_RANDOMIZE) != -1) {
        (void)execv("/proc/self/exe", Arguments);
    }
}

int main(int argc, char **argv)
{
    ULONG64 schedules = 0;
    ULONG64 distinct = 0;
    ULONG failed = 0;
    ULONG run = 0;
    ULONG index;

    ExploreFixAddresses(argv);
    ExploreParseArguments(argc, argv);
    ExploreShared = mmap(NULL, sizeof(*ExploreShared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(ExploreShared != MAP_FAILED);
    for (index = 0; index < ExploreScenarioCount; index += 1) {
        const EXPLORE_SCENARIO *scenario = &ExploreScenarios[index];
        BOOLEAN good;

        if (ExploreOptions.Only != NULL && ExploreOptions.Only != scenario) {
            continue;
        }
        good = ExploreScenario(scenario);
        run += 1;
        failed += good ? 0u : 1u;
        schedules += ExploreShared->Schedules;
        distinct += ExploreShared->Distinct;
        if (ExploreOptions.Tap) {
            printf("%sok %u - %s\n", good ? "" : "not ", run, scenario->Rule);
        }
        printf("%s%-22s %8llu schedules, %8llu distinct, up to %llu steps%s\n", ExploreOptions.Tap ? "# " : "",
               scenario->Name, (unsigned long long)ExploreShared->Schedules,
               (unsigned long long)ExploreShared->Distinct, (unsigned long long)ExploreShared->LongestSteps,
               good ? "" : ", FAILED");
        (void)fflush(stdout);
    }
    if (ExploreOptions.Tap) {
        printf("1..%u\n", run);
    }
    printf("# %llu schedules, %llu distinct, %u of %u scenarios failed\n", (unsigned long long)schedules,
           (unsigned long long)distinct, failed, run);
    return failed == 0 && run != 0 ? 0 : 1;
}
