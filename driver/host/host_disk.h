/* What the embedded kernel's disks tell the file systems that are asked to mount them. */
#ifndef PSCTX_HOST_DISK_H
#define PSCTX_HOST_DISK_H

#include <ntifs.h>

/* The device extension of a disk, for mount code: Vpb->RealDevice->DeviceExtension. Both members stay while the disk does. */
typedef struct _HOST_DISK_EXTENSION {
    ULONG FileSystem;      /* HOST_FILE_SYSTEM_*: whose volume it is */
    const char *Directory; /* UTF-8, for HOST_FILE_SYSTEM_DIRECTORY; NULL otherwise */
} HOST_DISK_EXTENSION, *PHOST_DISK_EXTENSION;

#endif
