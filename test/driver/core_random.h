/*
 * A generator of random numbers, \Device\KsecDD, whose answer is known.
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <ntifs.h>

/* What it answers each request with. */
typedef struct _CORE_RANDOM {
    ULONG64 Numbers[2];
    ULONG Length; /* of Numbers, in bytes, that are given; of zero none are written */
    NTSTATUS Status;
} CORE_RANDOM;

extern CORE_RANDOM CoreRandom;

/* Loads it, with two numbers for everybody. */
PDRIVER_OBJECT CoreLoadRandom(VOID);

#endif
