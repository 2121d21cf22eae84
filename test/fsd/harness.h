/* The smallest TAP harness: named tests with checks, each test's result one line. */
#ifndef PSCTX_TEST_FSD_HARNESS_H
#define PSCTX_TEST_FSD_HARNESS_H

#include <ntifs.h>

typedef void (*TEST_ROUTINE)(void);

/* Runs a test and prints its line; the checks that failed in it stand before as comments. */
void RunTest(const char *Name, TEST_ROUTINE Routine);
/* Prints the plan; the process's exit code. */
int EndTests(void);

void CheckTrue(int Condition, const char *Text, const char *File, int Line);
void CheckStatus(NTSTATUS Actual, NTSTATUS Expected, const char *Text, const char *File, int Line);

#define CHECK(Condition) CheckTrue((Condition) ? 1 : 0, #Condition, __FILE__, __LINE__)
#define CHECK_STATUS(Call, Expected) CheckStatus((Call), (Expected), #Call, __FILE__, __LINE__)

#endif
