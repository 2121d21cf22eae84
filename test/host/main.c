/* Runs every group of tests of the embedded kernel. */
#include "harness.h"
#include "rules.h"

int main(void)
{
    RunContract();
    RunFiles();
    RunMount();
    RunQueues();
    RunEndings();
    RunSuspension();
    RunWaits();
    RunResults();
    RunStacks();
    RunAcquire();
    RunRules();
    RunRequests();
    return EndTests();
}
