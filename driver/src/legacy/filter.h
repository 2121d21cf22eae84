/*
 * A device of the legacy filter, and what its files share.
 */
#ifndef PSCTX_FILTER_H
#define PSCTX_FILTER_H

#include "core/core.h"
#include "legacy/legacy.h"

typedef enum _PSCTX_FILTER_KIND {
    PsctxFileSystemFilter, /* above a file system's control device: sees mounts; a redirector's opens, too */
    PsctxVolumeFilter,     /* above a mounted volume: sees what is done to its files */
    PsctxProbe             /* in deletion.c for a moment: sees nothing */
} PSCTX_FILTER_KIND;

/*
 * The extension of every device of ours but the control device. What is said to be under the filter's lock changes; all else is set
 * once it is attached, and then stays.
 */
typedef struct _PSCTX_FILTER_EXTENSION {
    LIST_ENTRY
    Links; /* of the attached devices, in the order of Number, or of the retired ones; under the filter's lock */
    BOOLEAN Attached;  /* cleared by whoever detaches the device, and so is the one to retire it; likewise */
    BOOLEAN LookedFor; /* by deletion.c; likewise */
    ULONG Age;         /* since it was retired, in turns of housekeeping; likewise */
    PSCTX_FILTER_KIND Kind;
    PDEVICE_OBJECT DeviceObject; /* whose extension this is */
    PDEVICE_OBJECT Target;       /* the file system's own device in this stack; referenced, as is AttachedTo */
    PDEVICE_OBJECT AttachedTo;   /* the next lower device */
    PVOID volatile Lower; /* what requests are passed to, detached or not: AttachedTo, or Target when another filter's has gone */
    ULONG64 Number;                       /* of the attachment: unique while the driver is loaded, grows */
    POBJECT_NAME_INFORMATION StorageName; /* of a volume's storage device, or NULL; under the filter's lock */
    volatile LONG StorageUnknown;         /* the next create tells it */
    volatile LONG Creates;                /* that are waited for, and come back to this device */
} PSCTX_FILTER_EXTENSION, *PPSCTX_FILTER_EXTENSION;

/* The device that requests to a device of the filter are passed to. Any IRQL. */
FORCEINLINE PDEVICE_OBJECT PsctxLowerDevice(_In_ PDEVICE_OBJECT DeviceObject)
{
    return ReadPointerAcquire(&((PPSCTX_FILTER_EXTENSION)DeviceObject->DeviceExtension)->Lower);
}

/* What is on its way through the driver. */
typedef struct _PSCTX_PASSAGE {
    BOOLEAN CountsRequests; /* the driver may be unloaded; set before the filter starts */
    volatile LONG Requests; /* and fast I/O, that have not returned from the filter's routines */
} PSCTX_PASSAGE;

extern PSCTX_PASSAGE PsctxPassage;

/*
 * Around everything that a kernel calls the filter's devices for, where the driver may be unloaded: what is on its way comes back through
 * the driver's code. Elsewhere nothing is counted. Any IRQL up to DISPATCH_LEVEL.
 */
FORCEINLINE VOID PsctxEnterDriver(VOID)
{
    if (PsctxPassage.CountsRequests) {
        InterlockedIncrement(&PsctxPassage.Requests);
    }
}

FORCEINLINE VOID PsctxLeaveDriver(VOID)
{
    if (PsctxPassage.CountsRequests) {
        InterlockedDecrement(&PsctxPassage.Requests);
    }
}

/* filter.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLockFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnlockFilter(VOID);
PSCTX_LOCK_VOLUMES PsctxLockFilterShared;
PSCTX_LOCK_VOLUMES PsctxUnlockFilterShared;
PSCTX_IS_FRONT_STARTED PsctxIsFilterStarted;
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxEnterFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLeaveFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxCreateFilterDevice(_In_ PSCTX_FILTER_KIND Kind, _In_ DEVICE_TYPE DeviceType,
                            _Outptr_ PDEVICE_OBJECT *FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) PPSCTX_FILTER_EXTENSION
    PsctxNextFilterDevice(_In_opt_ const PSCTX_FILTER_EXTENSION *Previous);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxAttachVolume(_In_ PDEVICE_OBJECT VolumeDevice, _In_opt_ PDEVICE_OBJECT StorageDevice, _In_ CCHAR StackSize,
                      _In_ ULONG Attempts);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachAgain(_Inout_ PPSCTX_FILTER_EXTENSION Extension);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxDetachFilterDevice(_In_ PDEVICE_OBJECT FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxRetireFilterDevice(_In_ PDEVICE_OBJECT FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxAgeRetiredDevices(VOID);

/* deletion.c: devices of the filter whose device below has been deleted. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartDeletion(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxIsLowerDeviceDeleted(_In_ const PSCTX_FILTER_EXTENSION *Extension, _Out_ PBOOLEAN Deleted);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxForgetDeletedDevices(VOID);

/* mounted.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLookForVolumes(_Inout_opt_ PPSCTX_UNATTACHED_VOLUMES Unattached);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachMountedVolume(_In_ PDEVICE_OBJECT Device, _In_ ULONG Attempts,
                                                             _Inout_opt_ PPSCTX_UNATTACHED_VOLUMES Unattached);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachMountedVolumes(_In_ PDRIVER_OBJECT DriverObject);
_IRQL_requires_(PASSIVE_LEVEL) VOID
    PsctxLearnStorage(_Inout_ PPSCTX_FILTER_EXTENSION Extension, _In_ PFILE_OBJECT FileObject);

/* housekeeping.c: a thread of the filter's that does what has to wait. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartHousekeeping(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopHousekeeping(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID PsctxWakeHousekeeping(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID PsctxLookForVolumesLater(VOID);

/* passthrough.c */
_IRQL_requires_max_(DISPATCH_LEVEL) NTSTATUS PsctxPassThrough(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxForwardAndWait(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);

/* create.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxTrackCreate(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);

/* filename.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartNames(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxQueryFileName(_In_ PDEVICE_OBJECT LowerDevice, _In_ PFILE_OBJECT FileObject, _In_ BOOLEAN Redirector,
                       _Outptr_ PVOID *Memory, _Out_ PUNICODE_STRING Name);

/* wait.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartWaits(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxSendAndWait(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp, _In_ BOOLEAN Cancellable);

#endif
