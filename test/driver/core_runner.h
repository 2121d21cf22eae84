/*
 * Runs C tests, each in a process of its own, and the checks that they are written with.
 */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include <ntifs.h>

typedef VOID CORE_TEST_ROUTINE(VOID);

/* A test: a sentence about behaviour, and the routine that returns if it holds. */
typedef struct _CORE_TEST {
    const char *Name;
    CORE_TEST_ROUTINE *Routine;
} CORE_TEST;

/*
 * Runs the tests whose name contains Filter (NULL: all), a few at a time, and reports in the Test Anything Protocol. A test
 * fails when its process ends in any other way than by returning. Returns the program's exit code.
 */
int CoreRunTests(_In_reads_(Count) const CORE_TEST *Tests, _In_ ULONG Count, _In_opt_z_ const char *Filter);

/* Called, if there is one, with each test's routine in its place. */
extern VOID (*CoreAroundRoutine)(_In_ CORE_TEST_ROUTINE *Routine);

/* Called, if there is one, when a check has failed, before the process ends; it may end it otherwise. */
extern VOID (*CoreFailRoutine)(VOID);

/* Says where and what on standard error, and ends the test's process. */
DECLSPEC_NORETURN VOID CoreFail(_In_z_ const char *File, _In_ int Line, _In_z_ const char *Expression,
                                _In_ ULONG64 Actual, _In_ ULONG64 Expected);

#define CHECK(Condition) ((Condition) ? (VOID)0 : CoreFail(__FILE__, __LINE__, #Condition, 0, 1))

/* Both sides are evaluated once. */
#define CHECK_EQUAL(Expression, Expected) \
    do { \
        const ULONG64 actualValue = (ULONG64)(Expression); \
        const ULONG64 expectedValue = (ULONG64)(Expected); \
\
        if (actualValue != expectedValue) { \
            CoreFail(__FILE__, __LINE__, #Expression " == " #Expected, actualValue, expectedValue); \
        } \
    } while (0)

#define CHECK_STATUS(Expression, Expected) CHECK_EQUAL((ULONG)(Expression), (ULONG)(Expected))

#endif
