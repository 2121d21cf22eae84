/*
 * The driver as a whole: what is started and stopped alike in each of its images.
 */
#ifndef PSCTX_DRIVER_H
#define PSCTX_DRIVER_H

#include "kernel/kernel.h"
#include "volumes/volumes.h"

/* start.c: the rooms that every front stands on, the control device among them. Whose front does not start deletes that alone. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxStartRooms(_In_ PDRIVER_OBJECT DriverObject, _In_ ULONG Front, _In_ const PSCTX_VOLUME_SOURCE *VolumeSource);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopRooms(VOID);

#endif
