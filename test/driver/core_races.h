/*
 * The tests of the driver's core with more than one thread: the table in core_races.c has their sentences.
 */
#ifndef CORE_RACES_H
#define CORE_RACES_H

#include "core_fixture.h"

/* core_stress.c */
CORE_TEST_ROUTINE CoreThreadsMayDoAsTheyLike;

#endif
