/*
 * The legacy front: the filter's devices in the stacks of file systems and volumes, what passes through them, and what is attached to.
 */
#ifndef PSCTX_LEGACY_H
#define PSCTX_LEGACY_H

#include "kernel/kernel.h"
#include "volumes/volumes.h"

/*
 * filter.c: attachment to file systems and volumes. Start and stop are for DriverEntry and DriverUnload; a driver that may be unloaded counts
 * the requests that are on their way through it.
 */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartFilter(_In_ BOOLEAN CountsRequests);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsFilterStarted(VOID);

/* passthrough.c: takes every IRP sent to a device of ours other than the control device. */
DRIVER_DISPATCH PsctxFilterDispatch;

/* fastio.c: the fast I/O table, for the driver object. The control device answers FALSE to every entry. */
extern FAST_IO_DISPATCH PsctxFastIoDispatch;
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartFastIo(VOID);

/*
 * mounted.c and filter.c: attaches to what is mounted and not attached to, and tells what stays so; then the volumes that are attached to, one by one, in
 * the order of their numbers, from where Position is NULL to where the answer is FALSE. They stay as long as they are locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLookForVolumes(_Inout_opt_ PPSCTX_UNATTACHED_VOLUMES Unattached);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLockFilterShared(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnlockFilterShared(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxNextVolume(_Inout_ PVOID *Position, _Out_ PPSCTX_VOLUME Volume);

#endif
