/*
 * The tests of the driver's core with more than one thread: the table in core_races.c has their sentences.
 */
#ifndef CORE_RACES_H
#define CORE_RACES_H

#include "core_fixture.h"

/* core_stress.c */
CORE_TEST_ROUTINE CoreThreadsMayDoAsTheyLike;

/* core_stacks.c */
CORE_TEST_ROUTINE CoreLookupsAndAttachments;
CORE_TEST_ROUTINE CoreStreamsFollowNoStack;

/* core_event_races.c */
CORE_TEST_ROUTINE CoreWaitAndInsertion;
CORE_TEST_ROUTINE CoreWaitAndCancellation;
CORE_TEST_ROUTINE CoreWaitAndReaderClose;
CORE_TEST_ROUTINE CoreWaitAndWatchedEnd;
CORE_TEST_ROUTINE CoreWaitsAndInsertions;
CORE_TEST_ROUTINE CoreWaitAndTeardown;
CORE_TEST_ROUTINE CoreTeardownAndReaderClose;
CORE_TEST_ROUTINE CoreWaitAndProcessDeath;
CORE_TEST_ROUTINE CoreSubscriptionAndWatchedEnd;
CORE_TEST_ROUTINE CoreSubscriptionAndReaderClose;

/* core_suspension.c */
CORE_TEST_ROUTINE CoreSuspendedThreadsKeepNothingFromReaders;

/* core_event_stress.c */
CORE_TEST_ROUTINE CoreReadersAndEnumerationsKeepUp;

#endif
