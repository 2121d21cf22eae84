/*
 * Housekeeping: a thread of the filter's that does what cannot be done at once.
 *
 * It takes turns at an interval while there is something to do, and sleeps otherwise.
 */
#include "legacy/filter.h"

#define PSCTX_HOUSEKEEPING_INTERVAL (-100 * 10000ll) /* 100 ms, in the 100 ns units of a relative time */

static KEVENT PsctxHousekeepingEvent; /* there is something to do, or the thread is to end */
static volatile LONG PsctxHousekeepingEnds;
static HANDLE PsctxHousekeepingThread;

static KSTART_ROUTINE PsctxKeepHouse;

/*
 * Where the kernel cannot register a filter while nothing is being mounted, volumes are looked for in turns 1, 2, 4 and so on after the
 * start, for the best part of a minute: a mount that was on its way while the driver was loaded is over then, or is a very long one. Zero when
 * that is over.
 */
#define PSCTX_LAST_LOOK 512
static volatile LONG PsctxLookingTurn;

/*
 * One turn. Whether there is more to do.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxTakeTurn(VOID)
{
    const LONG turn = ReadNoFence(&PsctxLookingTurn);
    BOOLEAN more;

    PAGED_CODE();

    if (turn != 0) {
        if ((turn & (turn - 1)) == 0) {
            PsctxLookForVolumes(NULL);
        }
        InterlockedExchange(&PsctxLookingTurn, turn < PSCTX_LAST_LOOK ? turn + 1 : 0);
    }
    more = PsctxAgeRetiredDevices();
    return more || ReadNoFence(&PsctxLookingTurn) != 0;
}

/*
 * The thread. A turn is taken an interval after the one before, or after the event, at the earliest: what ages by turns ages by time.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxKeepHouse(PVOID StartContext)
{
    LARGE_INTEGER interval;
    BOOLEAN busy = FALSE;

    UNREFERENCED_PARAMETER(StartContext);

    PAGED_CODE();

    interval.QuadPart = PSCTX_HOUSEKEEPING_INTERVAL;
    while (ReadAcquire(&PsctxHousekeepingEnds) == 0) {
        const NTSTATUS status =
            KeWaitForSingleObject(&PsctxHousekeepingEvent, Executive, KernelMode, FALSE, busy ? &interval : NULL);

        busy = status == STATUS_TIMEOUT ? PsctxTakeTurn() : TRUE;
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/*
 * Starts the thread, before the filter starts. The statuses of PsCreateSystemThread. [wdm/nf-wdm-pscreatesystemthread]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartHousekeeping(VOID)
{
    OBJECT_ATTRIBUTES attributes;

    PAGED_CODE();

    KeInitializeEvent(&PsctxHousekeepingEvent, SynchronizationEvent, FALSE);
    InterlockedExchange(&PsctxHousekeepingEnds, FALSE);
    InterlockedExchange(&PsctxLookingTurn, 0);
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return PsCreateSystemThread(&PsctxHousekeepingThread, SYNCHRONIZE, &attributes, NULL, NULL, PsctxKeepHouse, NULL);
}

/*
 * Ends the thread and waits until it has ended, so that none of its code runs any more.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopHousekeeping(VOID)
{
    PAGED_CODE();

    InterlockedExchange(&PsctxHousekeepingEnds, TRUE);
    KeSetEvent(&PsctxHousekeepingEvent, IO_NO_INCREMENT, FALSE);
    ZwWaitForSingleObject(PsctxHousekeepingThread, FALSE, NULL);
    ZwClose(PsctxHousekeepingThread);
}

/*
 * There is something to do from the next turn on.
 */
_Use_decl_annotations_ VOID PsctxWakeHousekeeping(VOID)
{
    KeSetEvent(&PsctxHousekeepingEvent, IO_NO_INCREMENT, FALSE);
}

/*
 * Volumes are to be looked for soon, and a few times more.
 */
_Use_decl_annotations_ VOID PsctxLookForVolumesLater(VOID)
{
    InterlockedExchange(&PsctxLookingTurn, 1);
    PsctxWakeHousekeeping();
}
