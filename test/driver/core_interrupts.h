/*
 * Tests of requests that are cut short, or that no open stands behind: the table in core_bounds.c has their sentences.
 */
#ifndef CORE_INTERRUPTS_H
#define CORE_INTERRUPTS_H

#include "core_runner.h"

CORE_TEST_ROUTINE CoreRequestsWithoutAnOpenAreRefused;
CORE_TEST_ROUTINE CoreSessionsEndByTheirRequests;
CORE_TEST_ROUTINE CoreWaitsAreCancelledAtAnyIrql;
CORE_TEST_ROUTINE CoreCancelledBatchesStop;
CORE_TEST_ROUTINE CoreCancelledEnumerationsStop;
CORE_TEST_ROUTINE CoreBatchesEndWithTheirThread;
CORE_TEST_ROUTINE CoreEnumerationsEndWithTheirThread;

#endif
