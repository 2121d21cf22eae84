/* Suspended threads: where they stop, where they do not, and that they keep nothing from others then. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

#define SEEDS 64

typedef VOID (*REGION_ROUTINE)(VOID);

/* A region that holds a suspension back, and a thread that is suspended inside it. */
typedef struct _SUSPENSION {
    REGION_ROUTINE Enter;
    REGION_ROUTINE Leave;
    PETHREAD Thread; /* referenced */
    KEVENT Inside;
    KEVENT Suspended;
    KEVENT Event;
    volatile LONG Step;
    NTSTATUS Status;
} SUSPENSION;

static FAST_MUTEX Mutex;
static KIRQL OldIrql;

static VOID AcquireMutex(VOID)
{
    ExAcquireFastMutex(&Mutex);
}

static VOID ReleaseMutex(VOID)
{
    ExReleaseFastMutex(&Mutex);
}

static VOID Raise(VOID)
{
    KeRaiseIrql(APC_LEVEL, &OldIrql);
}

static VOID Lower(VOID)
{
    KeLowerIrql(OldIrql);
}

static VOID GoThrough(PVOID Context)
{
    SUSPENSION *Suspension = Context;

    Suspension->Thread = PsGetCurrentThread();
    ObReferenceObject(Suspension->Thread);
    Suspension->Enter();
    (VOID) KeSetEvent(&Suspension->Inside, 0, FALSE);
    (VOID) KeWaitForSingleObject(&Suspension->Suspended, Executive, KernelMode, FALSE, NULL);
    (VOID) KeReadStateEvent(&Suspension->Suspended);
    WriteRelease(&Suspension->Step, 1);
    Suspension->Leave();
    WriteRelease(&Suspension->Step, 2);
}

static VOID AwaitStop(PETHREAD Thread)
{
    LARGE_INTEGER Moment = {.QuadPart = -1};

    while (!HostIsThreadSuspended(Thread)) {
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
}

static VOID SuspendInside(PVOID Context)
{
    SUSPENSION *Suspension = Context;

    (VOID) KeWaitForSingleObject(&Suspension->Inside, Executive, KernelMode, FALSE, NULL);
    HostSuspendThread(Suspension->Thread);
    HostSuspendThread(Suspension->Thread);
    CHECK(!HostIsThreadSuspended(Suspension->Thread));
    (VOID) KeSetEvent(&Suspension->Suspended, 0, FALSE);
    AwaitStop(Suspension->Thread);
    CHECK(ReadAcquire(&Suspension->Step) == 1);
    HostResumeThread(Suspension->Thread);
    CHECK(HostIsThreadSuspended(Suspension->Thread) && ReadAcquire(&Suspension->Step) == 1);
    HostResumeThread(Suspension->Thread);
}

static VOID RunPair(SUSPENSION *Suspension, PHOST_ROUTINE First, PHOST_ROUTINE Second)
{
    PHOST_ROUTINE Routines[] = {First, Second};
    PVOID Contexts[] = {Suspension, Suspension};

    for (ULONG64 Seed = 0; Seed <= SEEDS; Seed++) {
        KeInitializeEvent(&Suspension->Inside, NotificationEvent, FALSE);
        KeInitializeEvent(&Suspension->Suspended, NotificationEvent, FALSE);
        KeInitializeEvent(&Suspension->Event, SynchronizationEvent, FALSE);
        Suspension->Step = 0;
        Suspension->Status = STATUS_PENDING;
        if (Seed == 0) {
            HANDLE Thread = NULL;

            CHECK_STATUS(PsCreateSystemThread(&Thread, SYNCHRONIZE, NULL, NULL, NULL, First, Suspension),
                         STATUS_SUCCESS);
            Second(Suspension);
            CHECK_STATUS(ZwWaitForSingleObject(Thread, FALSE, NULL), STATUS_SUCCESS);
            CHECK_STATUS(ZwClose(Thread), STATUS_SUCCESS);
        } else {
            HostRunSchedule(Seed, 2, Routines, Contexts);
        }
        ObDereferenceObject(Suspension->Thread);
    }
}

static void Regions(void)
{
    static const REGION_ROUTINE Pairs[][2] = {{KeEnterCriticalRegion, KeLeaveCriticalRegion},
                                              {KeEnterGuardedRegion, KeLeaveGuardedRegion},
                                              {AcquireMutex, ReleaseMutex},
                                              {Raise, Lower}};
    static SUSPENSION Suspension;
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    ExInitializeFastMutex(&Mutex);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Pairs); Index++) {
        Suspension.Enter = Pairs[Index][0];
        Suspension.Leave = Pairs[Index][1];
        RunPair(&Suspension, GoThrough, SuspendInside);
        CHECK(Suspension.Step == 2);
    }
    CHECK(StopTestKernel(&Kernel));
}

static VOID WaitOutside(PVOID Context)
{
    SUSPENSION *Suspension = Context;

    Suspension->Thread = PsGetCurrentThread();
    ObReferenceObject(Suspension->Thread);
    (VOID) KeSetEvent(&Suspension->Inside, 0, FALSE);
    Suspension->Status = KeWaitForSingleObject(&Suspension->Event, Executive, KernelMode, FALSE, NULL);
}

/* Takes a signal that the suspended thread does not wait for, and gives it another. */
static VOID TakeTheSignal(PVOID Context)
{
    LARGE_INTEGER Now = {0};
    SUSPENSION *Suspension = Context;

    (VOID) KeWaitForSingleObject(&Suspension->Inside, Executive, KernelMode, FALSE, NULL);
    HostSuspendThread(Suspension->Thread);
    AwaitStop(Suspension->Thread);
    CHECK(KeSetEvent(&Suspension->Event, 0, FALSE) == 0);
    CHECK_STATUS(KeWaitForSingleObject(&Suspension->Event, Executive, KernelMode, FALSE, &Now), STATUS_SUCCESS);
    HostResumeThread(Suspension->Thread);
    CHECK_STATUS(Suspension->Status, STATUS_PENDING);
    (VOID) KeSetEvent(&Suspension->Event, 0, FALSE);
}

static void WaitsAreGivenUp(void)
{
    static SUSPENSION Suspension;
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    RunPair(&Suspension, WaitOutside, TakeTheSignal);
    CHECK_STATUS(Suspension.Status, STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

static VOID SuspendAndEnd(PVOID Context)
{
    SUSPENSION *Suspension = Context;

    (VOID) KeWaitForSingleObject(&Suspension->Inside, Executive, KernelMode, FALSE, NULL);
    HostSuspendThread(Suspension->Thread);
    (VOID) KeSetEvent(&Suspension->Suspended, 0, FALSE);
    AwaitStop(Suspension->Thread);
    HostTerminateThread(Suspension->Thread);
}

static void EndingLetsGo(void)
{
    static SUSPENSION Suspension = {.Enter = KeEnterCriticalRegion, .Leave = KeLeaveCriticalRegion};
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    RunPair(&Suspension, GoThrough, SuspendAndEnd);
    CHECK(Suspension.Step == 2);
    CHECK(StopTestKernel(&Kernel));
}

static void ResumedTooOften(void)
{
    HostResumeThread(PsGetCurrentThread());
}

void RunSuspension(void)
{
    RunTest("a suspended thread stops where it leaves the region that held the suspension back", Regions);
    RunTest("a suspended thread does not wait: what is set meanwhile is for others", WaitsAreGivenUp);
    RunTest("a suspended thread that is told to end goes on", EndingLetsGo);
    RunViolation("a thread is resumed as often as it was suspended", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "the thread is not suspended", ResumedTooOften);
}
