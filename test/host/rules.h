/* The groups of tests that host_rules runs. */
#ifndef PSCTX_TEST_HOST_RULES_H
#define PSCTX_TEST_HOST_RULES_H

void RunRules(void);    /* rules.c: the kernel's own routines */
void RunRequests(void); /* requests.c: drivers, requests, handles */
void RunContract(void); /* contract.c: what must work */

#endif
