/*
 * Threads that are suspended while they do what others wait for: each is run under many schedules.
 */
#include "core_races.h"
#include "core_reader.h"

#define CORE_SEEDS 300u
#define CORE_ROUNDS 2u
#define CORE_TYPES ((1u << PSCTX_EVENT_INSERTED) | (1u << PSCTX_EVENT_REMOVED) | (1u << PSCTX_EVENT_TORN_DOWN))

/* Everything but Core, Seed and Stopped is new for every seed. */
typedef struct _CORE_SUSPENSION {
    CORE Core; /* whose session is watched */
    ULONG Seed;
    ULONG Stopped; /* how often the thread was stopped on its way */
    HANDLE Reader;
    HANDLE Other; /* a stream */
    CORE_WAIT Wait;
    PVOID volatile Thread; /* that is suspended; referenced */
    volatile LONG Finished;
} CORE_SUSPENSION, *PCORE_SUSPENSION;

/*
 * Has contexts come and go, by requests and with their stream.
 */
static VOID CoreSuspendedThread(PVOID Context)
{
    PCORE_SUSPENSION suspension = Context;
    CORE_INSERTION insertion = {.Owner = 1};
    ULONG round;

    ObReferenceObject(PsGetCurrentThread());
    WritePointerRelease(&suspension->Thread, PsGetCurrentThread());
    HostEnterProcess(suspension->Core.Process);
    for (round = 0; round < CORE_ROUNDS; round += 1) {
        insertion.Stream = CoreOpenFile(CORE_FILE);
        insertion.Instance = 0;
        CHECK_STATUS(CoreInsert(suspension->Core.Control, &insertion, NULL), STATUS_SUCCESS);
        insertion.Instance = 1;
        CHECK_STATUS(CoreInsert(suspension->Core.Control, &insertion, NULL), STATUS_SUCCESS);
        CHECK_STATUS(CoreRemove(suspension->Core.Control, insertion.Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL),
                     STATUS_SUCCESS);
        CoreClose(insertion.Stream);
    }
    HostLeaveProcess();
    WriteRelease(&suspension->Finished, TRUE);
}

/*
 * Suspends it somewhere. Whatever it was about, the reader is told of what happens now, and can be closed.
 */
static VOID CoreSuspendingThread(PVOID Context)
{
    PCORE_SUSPENSION suspension = Context;
    ULONG delay;

    HostEnterProcess(suspension->Core.Process);
    for (delay = suspension->Seed % 30 + 1; delay != 0 || ReadPointerAcquire(&suspension->Thread) == NULL;
         delay -= delay != 0) {
        (VOID) CoreStatistics(suspension->Core.Control);
    }
    HostSuspendThread(ReadPointerAcquire(&suspension->Thread));
    while (!HostIsThreadSuspended(suspension->Thread) && ReadAcquire(&suspension->Finished) == 0) {
        (VOID) CoreStatistics(suspension->Core.Control);
    }
    suspension->Stopped += ReadAcquire(&suspension->Finished) == 0;

    CHECK_STATUS(CoreInsert(suspension->Core.Control, &(const CORE_INSERTION){.Stream = suspension->Other}, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(CoreWaitStatus(&suspension->Wait), STATUS_SUCCESS);
    CoreClose(suspension->Reader);
    HostResumeThread(suspension->Thread);
    HostLeaveProcess();
}

VOID CoreSuspendedThreadsKeepNothingFromReaders(VOID)
{
    static const PHOST_ROUTINE threads[] = {CoreSuspendedThread, CoreSuspendingThread};
    CORE_SUSPENSION suspension = {0};
    PVOID contexts[] = {&suspension, &suspension};

    CoreStart(&suspension.Core);
    for (suspension.Seed = 1; suspension.Seed <= CORE_SEEDS; suspension.Seed += 1) {
        suspension.Thread = NULL;
        suspension.Finished = FALSE;
        suspension.Reader = CoreOpenReader(suspension.Core.Control, CORE_TYPES);
        suspension.Other = CoreOpenFile(CORE_OTHER_FILE);
        CoreInitializeWait(&suspension.Wait, CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(suspension.Reader, &suspension.Wait), STATUS_PENDING);
        HostLeaveProcess();
        HostRunSchedule(suspension.Seed, RTL_NUMBER_OF(threads), threads, contexts);
        ObDereferenceObject(suspension.Thread);
        HostEnterProcess(suspension.Core.Process);
        CoreClose(suspension.Other);
        CoreFreeWait(&suspension.Wait);
    }
    CHECK(suspension.Stopped > CORE_SEEDS / 4);
    CoreStop(&suspension.Core);
}
