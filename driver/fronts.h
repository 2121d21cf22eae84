/*
 * The driver in a program with the embedded kernel: both of its images are linked in, and one of them is loaded.
 */
#ifndef PSCTX_FRONTS_H
#define PSCTX_FRONTS_H

#include <ntifs.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Loads the image with this front, PSCTX_FRONT_*, such that it may be unloaded by HostUnloadDriver. The statuses of its DriverEntry:
 * STATUS_OBJECT_NAME_COLLISION where the driver is loaded, be it with the other front.
 */
NTSTATUS PsctxLoadFront(_In_ ULONG Front, _Outptr_ PDRIVER_OBJECT *DriverObject);

#ifdef __cplusplus
}
#endif

#endif
