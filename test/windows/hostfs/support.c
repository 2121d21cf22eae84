/* What driver/host's headers and sources call and Wine's kernel does not export. */
#include "hostfs.h"

DECLSPEC_NORETURN VOID KeBugCheckEx(_In_ ULONG BugCheckCode, _In_ ULONG_PTR Parameter1, _In_ ULONG_PTR Parameter2,
                                    _In_ ULONG_PTR Parameter3, _In_ ULONG_PTR Parameter4);

ULONG HostQuirks; /* none */

VOID HostListCorrupt(const VOID *Entry)
{
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Entry, 0, 0, 0);
}

VOID HostNoStackLocation(PIRP Irp)
{
    KeBugCheckEx(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)Irp, 0, 0, 0);
}

VOID HostMarkIrpPending(PIRP Irp)
{
    Irp->Tail.Overlay.CurrentStackLocation->Control |= SL_PENDING_RETURNED;
}

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    FastMutex->Owner = NULL;
    FastMutex->Contention = 0;
    KeInitializeEvent(&FastMutex->Event, SynchronizationEvent, FALSE);
    FastMutex->Count = FM_LOCK_BIT;
}
