/* What the embedded kernel's disks tell the file systems that are asked to mount them. */
#ifndef PSCTX_HOST_DISK_H
#define PSCTX_HOST_DISK_H

#include <ntifs.h>

/* The device extension of a disk, for mount code: Vpb->RealDevice->DeviceExtension. The members stay while the disk does. */
typedef struct _HOST_DISK_EXTENSION {
    ULONG FileSystem;      /* HOST_FILE_SYSTEM_*: whose volume it is */
    ULONG Fault;           /* what HostFindFault told, for HOST_FILE_SYSTEM_MEMORY; zero for none */
    const char *Directory; /* UTF-8, for HOST_FILE_SYSTEM_DIRECTORY; NULL otherwise */
} HOST_DISK_EXTENSION, *PHOST_DISK_EXTENSION;

/* fsd/fault.c: the number of a fault by its name; zero when there is none of that name. */
ULONG HostFindFault(_In_z_ const char *Name);

/*
 * fsrtl.c: moves all contexts to the end of another header's list, or of the same one, the last first. Whether there were any.
 * IRQL <= APC_LEVEL.
 */
BOOLEAN HostMoveContexts(_Inout_ PFSRTL_ADVANCED_FCB_HEADER From, _Inout_ PFSRTL_ADVANCED_FCB_HEADER To);

#endif
