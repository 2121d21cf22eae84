/*
 * What is explored: a few threads, what they find ready, and what holds afterwards whatever the order.
 */
#ifndef EXPLORE_SCENARIOS_H
#define EXPLORE_SCENARIOS_H

#include "core_fixture.h"
#include "core_reader.h"

#define EXPLORE_MAXIMUM_THREADS 4u

/* What the threads work on, and what came out. The handles are those of Core's process. */
typedef struct _EXPLORE_STATE {
    CORE Core;
    HANDLE Stream;
    HANDLE Other;  /* another stream */
    HANDLE Second; /* another session, or a reader of the first one's events */
    PEPROCESS Victim;
    HANDLE VictimControl;
    HANDLE VictimStream;
    CORE_WAIT Wait;
    ULONG64 Seed; /* of the schedule */
    NTSTATUS Status[EXPLORE_MAXIMUM_THREADS];
    BOOLEAN Lost;     /* a thread saw what no order of the operations explains */
    BOOLEAN Unloaded; /* the driver is gone */
    BOOLEAN Filters;  /* two other filters are in the volume's stack */
} EXPLORE_STATE, *PEXPLORE_STATE;

typedef VOID EXPLORE_STEP(_Inout_ PEXPLORE_STATE State);

typedef struct _EXPLORE_THREAD {
    const char *Name;
    EXPLORE_STEP *Routine; /* in the client's process, but for one that enters another */
    BOOLEAN OutsideProcess;
} EXPLORE_THREAD;

typedef struct _EXPLORE_SCENARIO {
    const char *Name;
    const char *Rule; /* a sentence about what holds */
    EXPLORE_STEP *Prepare;
    EXPLORE_STEP *Check; /* in the client's process */
    ULONG ThreadCount;
    EXPLORE_THREAD Threads[EXPLORE_MAXIMUM_THREADS];
} EXPLORE_SCENARIO;

extern const EXPLORE_SCENARIO ExploreScenarios[];
extern const ULONG ExploreScenarioCount;

/* Whether time passes only when every thread waits: see there. */
BOOLEAN ExploreTakesTime(_In_ const EXPLORE_SCENARIO *Scenario);

/* Boots a kernel with the driver, a client with a session and an open stream; ends all of it, and asserts that nothing is left. */
VOID ExploreStart(_Out_ PEXPLORE_STATE State, _In_ const EXPLORE_SCENARIO *Scenario);
VOID ExploreStop(_Inout_ PEXPLORE_STATE State);

#endif
