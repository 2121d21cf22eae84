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

/* passthrough.c: takes every IRP sent to a device of ours other than the control device. */
DRIVER_DISPATCH PsctxFilterDispatch;

/* fastio.c: the fast I/O table, for the driver object. The control device answers FALSE to every entry. */
extern FAST_IO_DISPATCH PsctxFastIoDispatch;
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartFastIo(VOID);

/* mounted.c: what tells of the volumes. */
extern const PSCTX_VOLUME_SOURCE PsctxLegacyVolumes;

#endif
