/* Events: what is set is given to those who wait at that moment, and to nobody else. */
#include "harness.h"
#include "rules.h"

#define SEEDS 64
#define WAITERS 3u

typedef struct _WAITS {
    KEVENT Event;
    KEVENT Gates[WAITERS]; /* each lets one waiter come to the event */
    LARGE_INTEGER Timeout;
    volatile LONG Returned[WAITERS];
    NTSTATUS Status[WAITERS];
} WAITS;

typedef struct _WAITER {
    WAITS *Waits;
    ULONG Index;
} WAITER;

static VOID Wait(PVOID Context)
{
    WAITER *Waiter = Context;
    WAITS *Waits = Waiter->Waits;

    (VOID) KeWaitForSingleObject(&Waits->Gates[Waiter->Index], Executive, KernelMode, FALSE, NULL);
    Waits->Status[Waiter->Index] = KeWaitForSingleObject(&Waits->Event, Executive, KernelMode, FALSE,
                                                         Waits->Timeout.QuadPart != 0 ? &Waits->Timeout : NULL);
    WriteRelease(&Waits->Returned[Waiter->Index], 1);
}

static ULONG CountWaiters(WAITS *Waits)
{
    ULONG Count = 0;

    (VOID) KeReadStateEvent(&Waits->Event); /* lets the others go on */
    for (PLIST_ENTRY Entry = Waits->Event.Header.WaitListHead.Flink; Entry != &Waits->Event.Header.WaitListHead;
         Entry = Entry->Flink) {
        Count++;
    }
    return Count;
}

/* Lets the waiters come to the event, one after the other. */
static VOID Gather(WAITS *Waits)
{
    for (ULONG Index = 0; Index < WAITERS; Index++) {
        (VOID) KeSetEvent(&Waits->Gates[Index], 0, FALSE);
        while (CountWaiters(Waits) != Index + 1) {}
    }
}

static ULONG CountReturned(WAITS *Waits)
{
    ULONG Count = 0;

    for (ULONG Index = 0; Index < WAITERS; Index++) {
        Count += ReadAcquire(&Waits->Returned[Index]) != 0;
    }
    return Count;
}

static VOID SetThenReset(PVOID Context)
{
    WAITS *Waits = Context;

    Gather(Waits);
    CHECK(KeSetEvent(&Waits->Event, 0, FALSE) == 0);
    CHECK(KeResetEvent(&Waits->Event) == 1);
}

/* One waiter for each set: the one that came first. */
static VOID SetOneByOne(PVOID Context)
{
    LARGE_INTEGER Now = {0};
    WAITS *Waits = Context;

    Gather(Waits);
    for (ULONG Index = 0; Index < WAITERS; Index++) {
        CHECK(KeSetEvent(&Waits->Event, 0, FALSE) == 0);
        CHECK(KeReadStateEvent(&Waits->Event) == 0);
        CHECK_STATUS(KeWaitForSingleObject(&Waits->Event, Executive, KernelMode, FALSE, &Now), STATUS_TIMEOUT);
        CHECK(CountWaiters(Waits) == WAITERS - Index - 1);
        while (ReadAcquire(&Waits->Returned[Index]) == 0) {
            (VOID) KeReadStateEvent(&Waits->Event);
        }
        CHECK(CountReturned(Waits) == Index + 1);
    }
}

static VOID SetAfterTimeout(PVOID Context)
{
    WAITS *Waits = Context;

    for (ULONG Index = 0; Index < WAITERS; Index++) {
        (VOID) KeSetEvent(&Waits->Gates[Index], 0, FALSE);
    }
    while (CountReturned(Waits) != WAITERS) {
        LARGE_INTEGER Moment = {.QuadPart = -1};

        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
    CHECK(CountWaiters(Waits) == 0);
    CHECK(KeSetEvent(&Waits->Event, 0, FALSE) == 0);
    CHECK(KeReadStateEvent(&Waits->Event) == 1);
}

static void Run(EVENT_TYPE Type, PHOST_ROUTINE Setter, LONGLONG Timeout, NTSTATUS Expected)
{
    PHOST_ROUTINE Routines[] = {Wait, Wait, Wait, Setter};
    WAITER Waiters[WAITERS];
    PVOID Contexts[WAITERS + 1];
    WAITS Waits;

    for (ULONG64 Seed = 1; Seed <= SEEDS; Seed++) {
        memset(&Waits, 0, sizeof(Waits));
        KeInitializeEvent(&Waits.Event, Type, FALSE);
        Waits.Timeout.QuadPart = Timeout;
        for (ULONG Index = 0; Index < WAITERS; Index++) {
            KeInitializeEvent(&Waits.Gates[Index], NotificationEvent, FALSE);
            Waiters[Index] = (WAITER){&Waits, Index};
            Contexts[Index] = &Waiters[Index];
        }
        Contexts[WAITERS] = &Waits;
        HostRunSchedule(Seed, WAITERS + 1, Routines, Contexts);
        for (ULONG Index = 0; Index < WAITERS; Index++) {
            CHECK_STATUS(Waits.Status[Index], Expected);
        }
    }
}

static void ResetLosesNobody(void)
{
    Run(NotificationEvent, SetThenReset, 0, STATUS_SUCCESS);
}

static void OneForEach(void)
{
    Run(SynchronizationEvent, SetOneByOne, 0, STATUS_SUCCESS);
}

static void NothingForTheLate(void)
{
    Run(SynchronizationEvent, SetAfterTimeout, -1, STATUS_TIMEOUT);
}

static void SemaphoreForMany(void)
{
    LARGE_INTEGER Now = {0};
    KSEMAPHORE Semaphore;

    KeInitializeSemaphore(&Semaphore, 0, 3);
    CHECK(KeReleaseSemaphore(&Semaphore, 0, 2, FALSE) == 0);
    CHECK_STATUS(KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(KeReleaseSemaphore(&Semaphore, 0, 2, FALSE) == 1);
    for (ULONG Count = 0; Count < 3; Count++) {
        CHECK_STATUS(KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, &Now), STATUS_SUCCESS);
    }
    CHECK_STATUS(KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, &Now), STATUS_TIMEOUT);
}

static void SemaphoreAboveLimit(void)
{
    KSEMAPHORE Semaphore;

    KeInitializeSemaphore(&Semaphore, 1, 2);
    (VOID) KeReleaseSemaphore(&Semaphore, 0, 2, FALSE);
}

void RunWaits(void)
{
    RunTest("an event that is set and reset at once releases all who waited", ResetLosesNobody);
    RunTest("a synchronization event that is set releases the oldest wait, not the setter's own next one", OneForEach);
    RunTest("an event that is set after a wait timed out stays set", NothingForTheLate);
    RunTest("a semaphore releases as many waits as it is released by", SemaphoreForMany);
    RunViolation("a semaphore is not released above its limit", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "is above the limit 2", SemaphoreAboveLimit);
}
