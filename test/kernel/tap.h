/*
 * Results as TAP version 13, and what keeps a test from crashing or hanging unseen.
 */
#ifndef SELFTEST_TAP_H
#define SELFTEST_TAP_H

#include "runtime.h"

/* Writes one line, without the end of the line. Any thread. */
void Print(const char *format, ...);
/* A line of information, behind "# ". */
void Note(const char *format, ...);
/* "Bail out! ", then the end of the process with exit code 1. Any thread. */
__attribute__((noreturn)) void BailOut(const char *format, ...);

/* What is to be taken back before that, once. The process's handles are open then. */
void OnBailOut(void (*routine)(void));

void TapBegin(void);
/* Starts the watchdog and catches exceptions that nobody handles. */
void GuardProcess(void);
/* Tells the watchdog that the test goes on. */
void Progress(void);

void TestBegin(const char *name);
/* Marks the running test as skipped. Reason is kept, not copied. */
void Skip(const char *reason);
typedef enum _TEST_STATE { TestPassed, TestFailed, TestSkipped } TEST_STATE;

/* What the running test has come to so far. */
TEST_STATE TestState(void);
/* Prints the running test's result. */
void TestEnd(void);
/* Prints the plan; TRUE if nothing has failed. */
BOOL TapEnd(void);

typedef enum _VALUE_KIND { ValueIsNumber, ValueIsStatus, ValueIsTruth } VALUE_KIND;

BOOL Check(const char *file, ULONG line, const char *what, VALUE_KIND kind, ULONG64 expected, ULONG64 got);

/* Each is TRUE if it holds; if not, the running test has failed, and goes on. */
#define EXPECT(Condition) Check(__FILE__, __LINE__, #Condition, ValueIsTruth, TRUE, !!(Condition))
#define EXPECT_EQUAL(Expected, Got) Check(__FILE__, __LINE__, #Got, ValueIsNumber, (ULONG64)(Expected), (ULONG64)(Got))
#define EXPECT_STATUS(Expected, Got) Check(__FILE__, __LINE__, #Got, ValueIsStatus, (ULONG)(Expected), (ULONG)(Got))
#define EXPECT_SUCCESS(Got) EXPECT_STATUS(STATUS_SUCCESS, Got)

const char *StatusName(ULONG status);

#endif
