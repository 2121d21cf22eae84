/*
 * Kernel routines that answer as a test wants: what is linked with core_answers.c calls them through it (the linker's --wrap).
 */
#ifndef CORE_ANSWERS_H
#define CORE_ANSWERS_H

#include <host.h>

/*
 * The Call-th call of a routine from now on (1: the next; 0: each) fails, once: by the status, or with FALSE or NULL where it has none. One
 * routine at a time; NULL: none. CoreRefused says how often that happened since.
 */
VOID CoreRefuse(_In_opt_z_ const char *Routine, _In_ ULONG Call, _In_ NTSTATUS Status);
ULONG CoreRefused(VOID);

/* Runs within the next call of a routine, once, before that does what it does. */
VOID CoreInterrupt(_In_z_ const char *Routine, _In_ VOID (*Interruption)(VOID));

/* Routines that MmGetSystemRoutineAddress does not find, up to the first NULL; NULL: it finds what there is. */
VOID CoreHideRoutines(_In_opt_ const PCWSTR *Names);

/* What it finds for a name; NULL: what there is. */
VOID CoreReplaceRoutine(_In_opt_z_ PCWSTR Name, _In_opt_ PVOID Routine);

/* What PsGetVersion tells; zero: what the kernel is. */
VOID CoreSetVersion(_In_ ULONG Major, _In_ ULONG Minor);

/*
 * Turns of the legacy filter's housekeeping: while they are hurried, each takes a moment. CoreTurns: how many there were since, and whether
 * its thread sleeps until there is something to do.
 */
VOID CoreHurryTurns(_In_ BOOLEAN Hurry);
ULONG CoreTurns(_Out_ PBOOLEAN Sleeps);

/* Asked at each of the legacy filter's delays of 100 ms, with how many there have been; they take a moment then. NULL: nobody is asked. */
VOID CoreSetDelayRoutine(_In_opt_ VOID (*Routine)(_In_ ULONG Count));

/* The pool that ExAllocatePoolWithTag was asked for last. */
POOL_TYPE CoreLastPool(VOID);

#endif
