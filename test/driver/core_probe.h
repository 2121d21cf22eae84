/*
 * A driver that runs a test's routine in kernel mode, in the context of the calling process.
 */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H

#include <host.h>

VOID CoreLoadProbe(VOID);
VOID CoreUnloadProbe(VOID);

/* Runs the routine in a device-control dispatch at PASSIVE_LEVEL, for the calling thread's process. */
VOID CoreRunInKernel(_In_ PHOST_ROUTINE Routine, _In_opt_ PVOID Context);

#endif
