/* The groups of tests that host_rules runs. */
#ifndef PSCTX_TEST_HOST_RULES_H
#define PSCTX_TEST_HOST_RULES_H

void RunRules(void);      /* rules.c: the kernel's own routines */
void RunRequests(void);   /* requests.c: drivers, requests, handles */
void RunContract(void);   /* contract.c: what must work */
void RunFiles(void);      /* files.c: opening, asking without opening, closing */
void RunMount(void);      /* mount.c: mounting a disk on its first open */
void RunQueues(void);     /* queues.c: cancel-safe queues and work items */
void RunEndings(void);    /* endings.c: threads that are told to end */
void RunSuspension(void); /* suspension.c: where suspended threads stop */
void RunWaits(void);      /* waits.c: what a set event is given to */
void RunResults(void);    /* results.c: where a request's result goes */
void RunAcquire(void);    /* acquire.c: acquiring and releasing files */
void RunStacks(void);     /* stacks.c: device stacks and completion routines */

#endif
