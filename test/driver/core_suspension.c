/*
 * Threads that are suspended while they do what others wait for: each is run under many schedules.
 */
#include "core_races.h"
#include "core_reader.h"

#define CORE_SEEDS 600u

/* What is done to a stream, of which the reader is told: by a request that comes, by one that goes, and by a file system. */
typedef enum _CORE_DEED { CoreInserts, CoreRemoves, CoreTearsDown, CoreDeeds } CORE_DEED;

/* Everything but Core, Seed and Stopped is new for every seed. */
typedef struct _CORE_SUSPENSION {
    CORE Core; /* whose session is watched */
    ULONG Seed;
    ULONG Stopped[CoreDeeds]; /* how often the thread was stopped on its way */
    CORE_DEED Deed;
    HANDLE Reader;
    HANDLE Streams[2];
    CORE_WAIT Wait;
    PVOID volatile Thread; /* that is suspended; referenced */
    volatile LONG Finished;
} CORE_SUSPENSION, *PCORE_SUSPENSION;

static VOID CoreDoToStream(_In_ const CORE_SUSPENSION *Suspension, _In_ HANDLE Stream)
{
    const CORE_INSERTION insertion = {.Stream = Stream, .Owner = 1};

    switch (Suspension->Deed) {
    case CoreInserts:
        CHECK_STATUS(CoreInsert(Suspension->Core.Control, &insertion, NULL), STATUS_SUCCESS);
        break;
    case CoreRemoves:
        CHECK_STATUS(CoreRemove(Suspension->Core.Control, Stream, PSCTX_MATCH_INSTANCE, 1, 0, NULL), STATUS_SUCCESS);
        break;
    default:
        CoreClose(Stream);
        break;
    }
}

static VOID CoreSuspendedThread(PVOID Context)
{
    PCORE_SUSPENSION suspension = Context;

    ObReferenceObject(PsGetCurrentThread());
    WritePointerRelease(&suspension->Thread, PsGetCurrentThread());
    HostEnterProcess(suspension->Core.Process);
    CoreDoToStream(suspension, suspension->Streams[0]);
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
    while (ReadPointerAcquire(&suspension->Thread) == NULL) {
        (VOID) NtClose(NULL);
    }
    for (delay = suspension->Seed % 50; delay != 0; delay -= 1) {
        (VOID) NtClose(NULL);
    }
    HostSuspendThread(suspension->Thread);
    while (!HostIsThreadSuspended(suspension->Thread) && ReadAcquire(&suspension->Finished) == 0) {
        (VOID) NtClose(NULL);
    }
    suspension->Stopped[suspension->Deed] += ReadAcquire(&suspension->Finished) == 0;

    CoreDoToStream(suspension, suspension->Streams[1]);
    CHECK_STATUS(CoreWaitStatus(&suspension->Wait), STATUS_SUCCESS);
    CoreClose(suspension->Reader);
    HostResumeThread(suspension->Thread);
    HostLeaveProcess();
}

VOID CoreSuspendedThreadsKeepNothingFromReaders(VOID)
{
    static const PHOST_ROUTINE threads[] = {CoreSuspendedThread, CoreSuspendingThread};
    static const ULONG types[] = {PSCTX_EVENT_INSERTED, PSCTX_EVENT_REMOVED, PSCTX_EVENT_TORN_DOWN};
    static CORE_SUSPENSION suspension;
    PVOID contexts[] = {&suspension, &suspension};
    ULONG index;

    CoreStart(&suspension.Core);
    for (suspension.Seed = 1; suspension.Seed <= CORE_SEEDS; suspension.Seed += 1) {
        suspension.Deed = suspension.Seed % CoreDeeds;
        suspension.Thread = NULL;
        suspension.Finished = FALSE;
        suspension.Reader = CoreOpenReader(suspension.Core.Control, 1u << types[suspension.Deed]);
        for (index = 0; index < 2; index += 1) {
            const CORE_INSERTION insertion = {.Stream = CoreOpenFile(index == 0 ? CORE_FILE : CORE_OTHER_FILE),
                                              .Owner = 1};

            suspension.Streams[index] = insertion.Stream;
            if (suspension.Deed != CoreInserts) {
                CHECK_STATUS(CoreInsert(suspension.Core.Control, &insertion, NULL), STATUS_SUCCESS);
            }
        }
        CoreInitializeWait(&suspension.Wait, CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(suspension.Reader, &suspension.Wait), STATUS_PENDING);
        HostLeaveProcess();
        HostRunSchedule(suspension.Seed, RTL_NUMBER_OF(threads), threads, contexts);
        ObDereferenceObject(suspension.Thread);
        HostEnterProcess(suspension.Core.Process);
        for (index = 0; index < 2 && suspension.Deed != CoreTearsDown; index += 1) {
            CoreClose(suspension.Streams[index]);
        }
        CoreFreeWait(&suspension.Wait);
    }
    for (index = 0; index < CoreDeeds; index += 1) {
        CHECK(suspension.Stopped[index] > 10);
    }
    CoreStop(&suspension.Core);
}
