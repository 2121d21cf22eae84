/* The seeded scheduler: one thread of a schedule runs at a time, and the seed decides at every kernel call which. */
#include "kernel.h"

typedef enum _HOST_PARTICIPANT_STATE { HostReady, HostWaiting, HostDone } HOST_PARTICIPANT_STATE;

typedef struct _HOST_PARTICIPANT {
    LIST_ENTRY Links;
    HOST_PARTICIPANT_STATE State;
    BOOLEAN HasDeadline;
    BOOLEAN TimedOut;
    const volatile VOID *Address;
    PHOST_ROUTINE Routine;
    PVOID Context;
    HOST_CONDITION Condition;
    pthread_t Native;
} HOST_PARTICIPANT;

volatile LONG HostScheduleActive;

static HOST_MUTEX HostScheduleMutex = HOST_MUTEX_INITIALIZER;
static HOST_CONDITION HostScheduleEnd;
static LIST_ENTRY HostParticipants = {&HostParticipants, &HostParticipants};
static ULONG HostParticipantsLeft;
static PHOST_PARTICIPANT HostRunning;
static ULONG64 HostScheduleState;

/* A linear congruential step and a mix of its upper bits: the same order on every machine. */
static ULONG HostScheduleNumber(ULONG Limit)
{
    HostScheduleState = HostScheduleState * 6364136223846793005ULL + 1442695040888963407ULL;
    return (ULONG)((HostScheduleState >> 33) % Limit);
}

static PHOST_PARTICIPANT HostPick(HOST_PARTICIPANT_STATE State, BOOLEAN WithDeadline)
{
    ULONG Count = 0;
    ULONG Chosen;

    for (PLIST_ENTRY Entry = HostParticipants.Flink; Entry != &HostParticipants; Entry = Entry->Flink) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links);

        Count += Participant->State == State && (!WithDeadline || Participant->HasDeadline);
    }
    if (Count == 0) {
        return NULL;
    }
    Chosen = HostScheduleNumber(Count);
    for (PLIST_ENTRY Entry = HostParticipants.Flink;; Entry = Entry->Flink) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(Entry, HOST_PARTICIPANT, Links);

        if (Participant->State == State && (!WithDeadline || Participant->HasDeadline)) {
            if (Chosen == 0) {
                return Participant;
            }
            Chosen--;
        }
    }
}

/* Hands the processor to a ready participant; when there is none, to one whose wait has a time-out. Mutex held. */
static VOID HostRunNext(VOID)
{
    PHOST_PARTICIPANT Next = HostPick(HostReady, FALSE);

    if (Next == NULL) {
        Next = HostPick(HostWaiting, TRUE);
        if (Next != NULL) {
            Next->State = HostReady;
            Next->TimedOut = TRUE;
        }
    }
    if (Next == NULL && HostParticipantsLeft != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostRunSchedule", "deadlock: every thread waits");
    }
    HostRunning = Next;
    if (Next != NULL) {
        PlatformSignal(&Next->Condition);
    }
}

static VOID HostAwaitTurn(PHOST_PARTICIPANT Participant)
{
    while (HostRunning != Participant) {
        (VOID) PlatformWait(&Participant->Condition, &HostScheduleMutex, NULL);
    }
}

VOID HostScheduleYield(PETHREAD Thread)
{
    PHOST_PARTICIPANT Participant = Thread->Participant;

    PlatformLock(&HostScheduleMutex);
    HostRunNext();
    HostAwaitTurn(Participant);
    PlatformUnlock(&HostScheduleMutex);
}

BOOLEAN HostScheduleWait(PETHREAD Thread, const volatile VOID *Address, PHOST_TRY Try, PVOID Context,
                         BOOLEAN HasDeadline)
{
    PHOST_PARTICIPANT Participant = Thread->Participant;
    BOOLEAN Taken = FALSE;

    PlatformLock(&HostScheduleMutex);
    Participant->TimedOut = FALSE;
    for (;;) {
        Taken = Try(Context);
        if (Taken || Participant->TimedOut) {
            break;
        }
        Participant->State = HostWaiting;
        Participant->Address = Address;
        Participant->HasDeadline = HasDeadline;
        HostRunNext();
        HostAwaitTurn(Participant);
    }
    PlatformUnlock(&HostScheduleMutex);
    return Taken;
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

static VOID HostParticipate(PVOID Context)
{
    PHOST_PARTICIPANT Participant = Context;
    PETHREAD Thread = HostCurrentThread();

    PlatformLock(&HostScheduleMutex);
    HostAwaitTurn(Participant);
    PlatformUnlock(&HostScheduleMutex);
    Thread->Participant = Participant;
    Participant->Routine(Participant->Context);
    Thread->Participant = NULL;
    PlatformLock(&HostScheduleMutex);
    Participant->State = HostDone;
    HostParticipantsLeft--;
    HostRunNext();
    PlatformSignalAll(&HostScheduleEnd);
    PlatformUnlock(&HostScheduleMutex);
}

/* Mutex held. */
static BOOLEAN HostAddParticipant(PHOST_ROUTINE Routine, PVOID Context)
{
    PHOST_PARTICIPANT Participant = PlatformAllocate(sizeof(*Participant));

    Participant->Routine = Routine;
    Participant->Context = Context;
    Participant->State = HostReady;
    PlatformInitializeCondition(&Participant->Condition);
    if (!PlatformStartThread(HostParticipate, Participant, &Participant->Native)) {
        PlatformDeleteCondition(&Participant->Condition);
        PlatformFree(Participant);
        return FALSE;
    }
    InsertTailList(&HostParticipants, &Participant->Links);
    HostParticipantsLeft++;
    return TRUE;
}

/* Lets Routine run as one more thread of the schedule that the calling thread belongs to; FALSE when it belongs to none. */
BOOLEAN HostScheduleStart(PHOST_ROUTINE Routine, PVOID Context)
{
    BOOLEAN Started = FALSE;

    if (HostCurrentThread()->Participant != NULL) {
        PlatformLock(&HostScheduleMutex);
        Started = HostAddParticipant(Routine, Context);
        PlatformUnlock(&HostScheduleMutex);
    }
    return Started;
}

VOID HostRunSchedule(ULONG64 Seed, ULONG Count, const PHOST_ROUTINE *Routines, PVOID *Contexts)
{
    LIST_ENTRY Ended;

    if (InterlockedExchange(&HostScheduleActive, 1) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostRunSchedule", "a schedule is running already");
    }
    InitializeListHead(&Ended);
    PlatformInitializeCondition(&HostScheduleEnd);
    PlatformLock(&HostScheduleMutex);
    HostScheduleState = Seed;
    for (ULONG Index = 0; Index < Count; Index++) {
        if (!HostAddParticipant(Routines[Index], Contexts[Index])) {
            HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostRunSchedule", "no thread to be had");
        }
    }
    HostRunNext();
    while (HostParticipantsLeft != 0) {
        (VOID) PlatformWait(&HostScheduleEnd, &HostScheduleMutex, NULL);
    }
    while (!IsListEmpty(&HostParticipants)) {
        PLIST_ENTRY Entry = RemoveHeadList(&HostParticipants);

        InsertTailList(&Ended, Entry);
    }
    PlatformUnlock(&HostScheduleMutex);
    while (!IsListEmpty(&Ended)) {
        PHOST_PARTICIPANT Participant = CONTAINING_RECORD(RemoveHeadList(&Ended), HOST_PARTICIPANT, Links);

        PlatformJoinThread(Participant->Native);
        PlatformDeleteCondition(&Participant->Condition);
        PlatformFree(Participant);
    }
    PlatformDeleteCondition(&HostScheduleEnd);
    (VOID) InterlockedExchange(&HostScheduleActive, 0);
}
