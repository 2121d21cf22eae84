/* The rules that drivers keep with requests, each broken by the test driver in a child process. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

static void Break(TEST_ACTION Action)
{
    IO_STATUS_BLOCK IoStatus;
    UCHAR Buffer[8] = {0};
    TEST_KERNEL Kernel;

    if (NT_SUCCESS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT))) {
        (VOID) TestControl(Kernel.Handle, TEST_CODE((ULONG)Action, FILE_ANY_ACCESS), Buffer, sizeof(Buffer),
                           sizeof(Buffer), &IoStatus);
    }
}

#define BREAK(Action) \
    static void Break##Action(void) \
    { \
        Break(Action); \
    }

BREAK(CompleteTwice)
BREAK(CompleteWithPending)
BREAK(ReturnOtherStatus)
BREAK(ReturnPendingUnmarked)
BREAK(MarkAndReturnSuccess)
BREAK(TellTooMuch)
BREAK(ReturnWithLock)
BREAK(ReturnInCriticalRegion)
BREAK(ReturnRaised)
BREAK(NeverComplete)
BREAK(OverDereference)
BREAK(CallWithoutLocation)

void RunRequests(void)
{
    RunViolation("a request is completed once", MULTIPLE_IRP_COMPLETE_REQUESTS, BreakCompleteTwice);
    RunViolation("a request is not completed with STATUS_PENDING", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 BreakCompleteWithPending);
    RunViolation("a dispatch routine returns the status it completed with", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 BreakReturnOtherStatus);
    RunViolation("STATUS_PENDING is returned only for a request marked pending", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 BreakReturnPendingUnmarked);
    RunViolation("a request marked pending is answered with STATUS_PENDING", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 BreakMarkAndReturnSuccess);
    RunViolation("no more is returned than the output buffer holds", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 BreakTellTooMuch);
    RunViolation("no fast mutex is acquired unsafely with APCs enabled", IRQL_UNEXPECTED_VALUE, BreakReturnWithLock);
    RunViolation("a dispatch routine leaves the critical regions it entered", IRQL_UNEXPECTED_VALUE,
                 BreakReturnInCriticalRegion);
    RunViolation("a dispatch routine returns at the IRQL it was called at", IRQL_UNEXPECTED_VALUE, BreakReturnRaised);
    RunViolation("a dispatch routine completes what it does not pend", DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                 BreakNeverComplete);
    RunViolation("a file object is not dereferenced once too often", REFERENCE_BY_POINTER, BreakOverDereference);
    RunViolation("a request is not forwarded without a stack location", NO_MORE_IRP_STACK_LOCATIONS,
                 BreakCallWithoutLocation);
}
