/*
 * Runs C tests, each in a process of its own: a bugcheck ends one test alone, and each boots a kernel of its own.
 */
#include "core_runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tests that run at once: unloading a filter takes time in which nothing is done. */
#define CORE_PARALLEL_TESTS 8u

VOID (*CoreAroundRoutine)(CORE_TEST_ROUTINE *Routine);
VOID (*CoreFailRoutine)(VOID);

VOID CoreFail(const char *File, int Line, const char *Expression, ULONG64 Actual, ULONG64 Expected)
{
    if (CoreFailRoutine != NULL) {
        CoreFailRoutine();
    }
    fprintf(stderr, "# %s:%d: %s: 0x%llx, not 0x%llx\n", File, Line, Expression, (unsigned long long)Actual,
            (unsigned long long)Expected);
    abort();
}

static pid_t CoreStartTest(_In_ const CORE_TEST *Test)
{
    pid_t child;

    fflush(stdout);
    fflush(stderr);
    child = fork();
    if (child == 0) {
        if (CoreAroundRoutine != NULL) {
            CoreAroundRoutine(Test->Routine);
        } else {
            Test->Routine();
        }
        exit(0);
    }
    return child;
}

int CoreRunTests(const CORE_TEST *Tests, ULONG Count, const char *Filter)
{
    pid_t *children = calloc(Count, sizeof(*children));
    ULONG started = 0;
    ULONG finished = 0;
    ULONG number = 0;
    ULONG failed = 0;

    if (children == NULL) {
        return 1;
    }
    while (finished < Count) {
        int state = 0;

        while (started < Count && started - finished < CORE_PARALLEL_TESTS) {
            if (Filter == NULL || strstr(Tests[started].Name, Filter) != NULL) {
                children[started] = CoreStartTest(&Tests[started]);
            }
            started += 1;
        }
        if (children[finished] != 0) {
            const BOOLEAN passed = children[finished] > 0 &&
                                   waitpid(children[finished], &state, 0) == children[finished] && WIFEXITED(state) &&
                                   WEXITSTATUS(state) == 0;

            number += 1;
            failed += passed ? 0u : 1u;
            printf("%sok %u - %s\n", passed ? "" : "not ", number, Tests[finished].Name);
            if (!passed) {
                printf("# its process ended with wait status 0x%x\n", (unsigned)state);
            }
        }
        finished += 1;
    }
    printf("1..%u\n# %u passed, %u failed\n", number, number - failed, failed);
    free(children);
    return failed == 0 && number != 0 ? 0 : 1;
}
