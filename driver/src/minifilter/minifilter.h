/*
 * The minifilter front: instances of Filter Manager on file systems' volumes and on redirectors, and what is told to them.
 */
#ifndef PSCTX_MINIFILTER_H
#define PSCTX_MINIFILTER_H

#include <fltKernel.h>

#include "kernel/kernel.h"
#include "volumes/volumes.h"

/*
 * registration.c: start and stop are for DriverEntry and for the routine that is called to unload the driver. When start fails, and when stop
 * returns, there is no instance, and none of the front's callbacks runs.
 */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartMinifilter(_In_ PFLT_FILTER_UNLOAD_CALLBACK Unload);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopMinifilter(VOID);

/* attached.c: what tells of the volumes. */
extern const PSCTX_VOLUME_SOURCE PsctxMinifilterVolumes;

#endif
