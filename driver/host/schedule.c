/*
 * Schedules: their threads are fibers of one thread of the machine, and at every switch point a strategy, from a seed, decides which goes on.
 *
 * Switch points are the entry of each kernel routine and system service, the moment after a lock is released, and the driver's interlocked
 * operations. Time passes only when every thread waits.
 */
#include "kernel.h"

#define HOST_SCHEDULE_STEPS 2000000u
#define HOST_MAXIMUM_CHANGES 16u
#define HOST_SCHEDULE_STEP_TIME 100 /* units of 100 ns */

typedef enum _HOST_PARTICIPANT_STATE { HostReady, HostPausing, HostWaiting, HostDone } HOST_PARTICIPANT_STATE;

typedef struct _HOST_PARTICIPANT {
    LIST_ENTRY Links;
    ULONG Number;
    HOST_PARTICIPANT_STATE State;
    BOOLEAN HasDeadline;
    BOOLEAN TimedOut;
    const volatile VOID *Address;
    LONG64 Priority;
    PHOST_ROUTINE Routine;
    PVOID Context;
    volatile LONG *Group; /* threads left of those that its starter waits for, or NULL */
    PETHREAD Thread;
    PPLATFORM_FIBER Fiber;
} HOST_PARTICIPANT;

volatile LONG HostScheduleActive;

static HOST_MUTEX HostScheduleMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostParticipants = {&HostParticipants, &HostParticipants};
static ULONG HostParticipantsLeft;
static ULONG HostNextParticipant;
static PPLATFORM_FIBER HostScheduleRoot;
static BOOLEAN HostTakesSystemThreads;
static PHOST_EXPLORATION HostExploration;
static ULONG64 HostScheduleState;
static ULONG64 HostScheduleSteps; /* whether or not they are explored */
static LONG64 HostLowestPriority;
static ULONG64 HostChanges[HOST_MAXIMUM_CHANGES];

/* A linear congruential step and a mix of its upper bits: the same order on every machine. */
static ULONG HostScheduleNumber(ULONG Limit)
{
    HostScheduleState = HostScheduleState * 6364136223846793005ULL + 1442695040888963407ULL;
    return (ULONG)((HostScheduleState >> 33) % Limit);
}

static BOOLEAN HostMayChoose(const HOST_PARTICIPANT *Participant, HOST_PARTICIPANT_STATE State)
{
    return (BOOLEAN)(Participant->State == State && (State == HostReady || Participant->HasDeadline));
}

/* One of those in the state, with a deadline if they wait, by chance. */
static PHOST_PARTICIPANT HostPick(HOST_PARTICIPANT_STATE State)
{
    ULONG Count = 0;
    ULONG Chosen;

    for (PLIST_ENTRY Entry = HostParticipants.Flink; Entry != &HostParticipants; Entry = Entry->Flink) {
        Count += HostMayChoose(CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links), State);
    }
    if (Count == 0) {
        return NULL;
    }
    Chosen = HostScheduleNumber(Count);
    for (PLIST_ENTRY Entry = HostParticipants.Flink;; Entry = Entry->Flink) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links);

        if (HostMayChoose(Participant, State)) {
            if (Chosen == 0) {
                return Participant;
            }
            Chosen--;
        }
    }
}

static PHOST_PARTICIPANT HostPickHighest(VOID)
{
    PHOST_PARTICIPANT Highest = NULL;

    for (PLIST_ENTRY Entry = HostParticipants.Flink; Entry != &HostParticipants; Entry = Entry->Flink) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links);

        if (Participant->State == HostReady && (Highest == NULL || Participant->Priority > Highest->Priority)) {
            Highest = Participant;
        }
    }
    return Highest;
}

/* Who goes on by the strategy: NULL when nobody is ready. Mutex held. */
static PHOST_PARTICIPANT HostChooseReady(PHOST_PARTICIPANT Current)
{
    if (HostExploration->Strategy == HostByPriority) {
        return HostPickHighest();
    }
    if (Current->State == HostReady &&
        (HostExploration->Strategy == HostRunOn || HostScheduleNumber(HostExploration->Inertia) != 0)) {
        return Current;
    }
    return HostPick(HostReady);
}

/*
 * One that waits for an object or for the time alone, with a time-out, when it is that one's turn; else NULL. Mutex held. What the kernel itself
 * waits for with patience, so as to tell who keeps it, is not told before its time.
 */
static PHOST_PARTICIPANT HostChooseImpatient(VOID)
{
    PHOST_PARTICIPANT Chosen;

    if (HostExploration->TimeOuts == 0 || HostScheduleNumber(HostExploration->TimeOuts) != 0) {
        return NULL;
    }
    Chosen = HostPick(HostWaiting);
    return Chosen != NULL && Chosen->Thread->WaitAddress != NULL ? Chosen : NULL;
}

/* When nobody is ready, the time of one that waits is up; one that pauses goes on last. NULL at the schedule's end. Mutex held. */
static PHOST_PARTICIPANT HostChoose(PHOST_PARTICIPANT Current, BOOLEAN Pausing)
{
    PHOST_PARTICIPANT Next;

    if (Pausing) {
        Current->State = HostPausing;
    }
    Next = HostChooseImpatient();
    if (Next != NULL) {
        Next->State = HostReady;
        Next->TimedOut = TRUE;
    } else {
        Next = HostChooseReady(Current);
    }
    if (Next == NULL) {
        Next = HostPick(HostWaiting);
        if (Next != NULL) {
            Next->State = HostReady;
            Next->TimedOut = TRUE;
        }
    }
    if (Pausing) {
        Current->State = HostReady;
        Next = Next != NULL ? Next : Current;
    }
    if (Next == NULL && HostParticipantsLeft != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostRunSchedule", "deadlock: every thread waits");
    }
    return Next;
}

/* Current, which is the calling thread, goes on when it is chosen; never, if it is done. */
static VOID HostSwitch(PHOST_PARTICIPANT Current, BOOLEAN Pausing)
{
    const BOOLEAN Done = (BOOLEAN)(Current->State == HostDone);
    PHOST_PARTICIPANT Next;

    PlatformLock(&HostScheduleMutex);
    Next = HostChoose(Current, Pausing);
    PlatformUnlock(&HostScheduleMutex);
    if (Next != Current) {
        HostThisThread = Next != NULL ? Next->Thread : NULL;
        PlatformSwitchFiber(Current->Fiber, Next != NULL ? Next->Fiber : HostScheduleRoot, Done);
    }
}

static VOID HostHash(ULONG64 Value)
{
    HostExploration->Hash = (HostExploration->Hash ^ Value) * 0x100000001b3ULL;
}

/* The calling thread does what Point names: one more step. */
static VOID HostNoteStep(PHOST_PARTICIPANT Participant, const char *Point)
{
    HostScheduleSteps++;
    if (HostScheduleSteps == HOST_SCHEDULE_STEPS) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostRunSchedule", "livelock: %u steps and no end",
                      HOST_SCHEDULE_STEPS);
    }
    if (HostExploration->Strategy != HostRunOn) {
        HostExploration->Steps++;
        HostHash(Participant->Number + 1);
        for (const char *Character = Point; *Character != '\0'; Character++) {
            HostHash((UCHAR)*Character);
        }
        if (HostExploration->Step != NULL) {
            HostExploration->Step(Participant->Number, Point);
        }
    }
}

/* At a change point the thread that runs falls behind all others. */
static VOID HostChangePriority(PHOST_PARTICIPANT Participant)
{
    for (ULONG Index = 0; Index < HostExploration->Changes; Index++) {
        if (HostChanges[Index] == HostExploration->Steps) {
            HostLowestPriority--;
            Participant->Priority = HostLowestPriority;
        }
    }
}

VOID HostScheduleYield(PETHREAD Thread, const char *Point)
{
    PHOST_PARTICIPANT Participant = Thread->Participant;

    if (HostExploration->Strategy == HostByPriority) {
        HostChangePriority(Participant);
    }
    HostSwitch(Participant, FALSE);
    HostNoteStep(Participant, Point);
}

VOID HostSwitchPoint(const char *Point)
{
    PETHREAD Thread = HostThisThread;

    if (Thread != NULL && Thread->Participant != NULL) {
        HostScheduleYield(Thread, Point);
    }
}

/*
 * What the clocks of a kernel show that runs in a schedule from its boot on: steps, so that what the time decides (a key, among others) is the
 * same whenever the seed is. FALSE in any other kernel, whose clocks are the machine's.
 */
BOOLEAN HostScheduleTime(PLONGLONG Time)
{
    PETHREAD Thread = HostThisThread;

    if (Thread == NULL || Thread->Participant == NULL || !HostTakesSystemThreads) {
        return FALSE;
    }
    *Time = (LONGLONG)HostScheduleSteps * HOST_SCHEDULE_STEP_TIME;
    return TRUE;
}

VOID HostPause(PETHREAD Thread)
{
    PHOST_PARTICIPANT Participant = Thread->Participant;

    if (Participant == NULL) {
        PlatformYield();
        return;
    }
    HostLowestPriority--;
    Participant->Priority = HostLowestPriority;
    HostSwitch(Participant, TRUE);
    HostNoteStep(Participant, "poll");
}

BOOLEAN HostScheduleWait(PETHREAD Thread, const volatile VOID *Address, PHOST_TRY Try, PVOID Context,
                         BOOLEAN HasDeadline)
{
    PHOST_PARTICIPANT Participant = Thread->Participant;
    BOOLEAN Waits;
    BOOLEAN Taken;

    Participant->TimedOut = FALSE;
    for (;;) {
        PlatformLock(&HostScheduleMutex);
        Taken = Try(Context);
        Waits = (BOOLEAN)(!Taken && !Participant->TimedOut);
        if (Waits) {
            Participant->State = HostWaiting;
            Participant->Address = Address;
            Participant->HasDeadline = HasDeadline;
        }
        PlatformUnlock(&HostScheduleMutex);
        if (!Waits) {
            return Taken;
        }
        HostSwitch(Participant, FALSE);
        HostNoteStep(Participant, Participant->TimedOut ? "time-out" : "wake");
    }
}

VOID HostScheduleWake(const volatile VOID *Address)
{
    PlatformLock(&HostScheduleMutex);
    for (PLIST_ENTRY Entry = HostParticipants.Flink; Entry != &HostParticipants; Entry = Entry->Flink) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links);

        if (Participant->State == HostWaiting && Participant->Address == Address) {
            Participant->State = HostReady;
        }
    }
    PlatformUnlock(&HostScheduleMutex);
}

static DECLSPEC_NORETURN VOID HostEndParticipant(PHOST_PARTICIPANT Participant)
{
    volatile LONG *Group = Participant->Group;

    HostEndThread(Participant->Thread);
    if (Group != NULL && InterlockedDecrement(Group) == 0) {
        HostScheduleWake(Group);
    }
    PlatformLock(&HostScheduleMutex);
    Participant->State = HostDone;
    HostParticipantsLeft--;
    PlatformUnlock(&HostScheduleMutex);
    HostSwitch(Participant, FALSE);
    PlatformAbort();
}

VOID HostScheduleExit(PETHREAD Thread)
{
    HostEndParticipant(Thread->Participant);
}

static VOID HostParticipate(PVOID Context)
{
    PHOST_PARTICIPANT Participant = Context;

    if (Participant->Thread == NULL) {
        Participant->Thread = HostCreateScheduledThread();
    }
    Participant->Thread->Participant = Participant;
    HostNoteStep(Participant, "start");
    Participant->Routine(Participant->Context);
    HostEndParticipant(Participant);
}

/* Mutex held. */
static VOID HostAddParticipant(PHOST_ROUTINE Routine, PVOID Context, volatile LONG *Group, PETHREAD Thread)
{
    PHOST_PARTICIPANT Participant = PlatformAllocate(sizeof(*Participant));

    Participant->Number = HostNextParticipant;
    Participant->Routine = Routine;
    Participant->Context = Context;
    Participant->State = HostReady;
    Participant->Group = Group;
    Participant->Thread = Thread;
    Participant->Fiber = PlatformCreateFiber(HostParticipate, Participant);
    if (HostExploration->Strategy == HostByPriority) {
        Participant->Priority = 1 + HostScheduleNumber(MAXLONG);
    }
    InsertTailList(&HostParticipants, &Participant->Links);
    HostNextParticipant++;
    HostParticipantsLeft++;
}

/*
 * Lets Routine run as one more thread of the schedule that the calling thread belongs to, as the system thread Thread if that is told; FALSE when
 * it belongs to none, or to one that takes no system threads.
 */
BOOLEAN HostScheduleStart(PHOST_ROUTINE Routine, PVOID Context, PETHREAD Thread)
{
    if (HostCurrentThread()->Participant == NULL || (Thread != NULL && !HostTakesSystemThreads)) {
        return FALSE;
    }
    PlatformLock(&HostScheduleMutex);
    HostAddParticipant(Routine, Context, NULL, Thread);
    PlatformUnlock(&HostScheduleMutex);
    return TRUE;
}

/* From here on Exploration decides; it is told what comes out. Mutex held. */
static VOID HostBeginExploration(PHOST_EXPLORATION Exploration)
{
    HostExploration = Exploration;
    HostScheduleState = Exploration->Seed;
    Exploration->Hash = 0xcbf29ce484222325ULL;
    Exploration->Steps = 0;
    Exploration->First = HostNextParticipant;
    Exploration->Changes = min(Exploration->Changes, HOST_MAXIMUM_CHANGES);
    HostLowestPriority = 0;
    if (Exploration->Strategy == HostByPriority) {
        for (ULONG Index = 0; Index < Exploration->Changes; Index++) {
            HostChanges[Index] = HostScheduleNumber(max(Exploration->Length, 1));
        }
        for (PLIST_ENTRY Entry = HostParticipants.Flink; Entry != &HostParticipants; Entry = Entry->Flink) {
            CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links)->Priority = 1 + HostScheduleNumber(MAXLONG);
        }
    }
}

static BOOLEAN HostIsNoneLeft(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(Context) == 0);
}

/* The calling thread is one of a schedule. */
static VOID HostExploreInside(PETHREAD Thread, PHOST_EXPLORATION Exploration, ULONG Count,
                              const PHOST_ROUTINE *Routines, PVOID *Contexts)
{
    PHOST_EXPLORATION Outer = HostExploration;
    volatile LONG Left = (LONG)Count;

    PlatformLock(&HostScheduleMutex);
    HostBeginExploration(Exploration);
    for (ULONG Index = 0; Index < Count; Index++) {
        HostAddParticipant(Routines[Index], Contexts[Index], &Left, NULL);
    }
    PlatformUnlock(&HostScheduleMutex);
    (VOID) HostScheduleWait(Thread, &Left, HostIsNoneLeft, (PVOID)(ULONG_PTR)&Left, FALSE);
    PlatformLock(&HostScheduleMutex);
    HostExploration = Outer;
    PlatformUnlock(&HostScheduleMutex);
}

static VOID HostDeleteParticipants(VOID)
{
    while (!IsListEmpty(&HostParticipants)) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(RemoveHeadList(&HostParticipants), HOST_PARTICIPANT, Links);

        PlatformDeleteFiber(Participant->Fiber);
        PlatformFree(Participant);
    }
}

VOID HostExploreSchedule(PHOST_EXPLORATION Exploration, ULONG Count, const PHOST_ROUTINE *Routines, PVOID *Contexts)
{
    PETHREAD Thread = HostCurrentThread();
    PHOST_PARTICIPANT First;

    if (Exploration->Inertia == 0) {
        Exploration->Inertia = 1;
    }
    if (Thread->Participant != NULL) {
        HostExploreInside(Thread, Exploration, Count, Routines, Contexts);
        return;
    }
    if (InterlockedExchange(&HostScheduleActive, 1) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostRunSchedule", "a schedule is running already");
    }
    HostScheduleRoot = PlatformAdoptFiber();
    PlatformLock(&HostScheduleMutex);
    HostNextParticipant = 0;
    HostScheduleSteps = 0;
    HostTakesSystemThreads = Exploration->SystemThreads;
    HostBeginExploration(Exploration);
    for (ULONG Index = 0; Index < Count; Index++) {
        HostAddParticipant(Routines[Index], Contexts[Index], NULL, NULL);
    }
    First = Exploration->Strategy == HostByPriority ? HostPickHighest() : HostPick(HostReady);
    PlatformUnlock(&HostScheduleMutex);
    if (First != NULL) {
        HostThisThread = NULL;
        PlatformSwitchFiber(HostScheduleRoot, First->Fiber, FALSE);
        HostThisThread = Thread;
    }
    PlatformLock(&HostScheduleMutex);
    HostDeleteParticipants();
    PlatformUnlock(&HostScheduleMutex);
    PlatformDeleteFiber(HostScheduleRoot);
    (VOID) InterlockedExchange(&HostScheduleActive, 0);
}

VOID HostRunSchedule(ULONG64 Seed, ULONG Count, const PHOST_ROUTINE *Routines, PVOID *Contexts)
{
    HOST_EXPLORATION Exploration = {.Strategy = HostRandomWalk, .Seed = Seed};

    HostExploreSchedule(&Exploration, Count, Routines, Contexts);
}
