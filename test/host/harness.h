/* The smallest TAP harness: tests named by sentences, some of which break a rule in a child process and expect its bugcheck. */
#ifndef PSCTX_TEST_HOST_HARNESS_H
#define PSCTX_TEST_HOST_HARNESS_H

#include <host.h>

typedef void (*TEST_ROUTINE)(void);

void RunTest(const char *Name, TEST_ROUTINE Routine);
/* Passes when Routine, in a child process, ends in the bugcheck with this code, told in words that Rule is among. */
void RunViolation(const char *Name, ULONG BugCheckCode, const char *Rule, TEST_ROUTINE Routine);
/* Counts as passed, unless in continuous integration (CI is set), where nothing may be skipped. */
void SkipTest(const char *Name, const char *Reason);
/* Prints the plan and returns the exit code. */
int EndTests(void);

void CheckTrue(int Condition, const char *Text, const char *File, int Line);
void CheckStatus(NTSTATUS Actual, NTSTATUS Expected, const char *Text, const char *File, int Line);

#define CHECK(Condition) CheckTrue((Condition) ? 1 : 0, #Condition, __FILE__, __LINE__)
#define CHECK_STATUS(Call, Expected) CheckStatus((Call), (Expected), #Call, __FILE__, __LINE__)

#endif
