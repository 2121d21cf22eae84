/*
 * What is known of volumes and of the file systems that serve them, whoever has told: what their drivers are able to do, what devices and
 * storage are called, and why a volume is not attached to.
 */
#ifndef PSCTX_VOLUMES_H
#define PSCTX_VOLUMES_H

#include "kernel/kernel.h"

/* What the filter is attached to. Changed with interlocked operations alone. */
typedef struct _PSCTX_ATTACHMENTS {
    volatile LONG Volumes;
    volatile LONG FileSystems;
} PSCTX_ATTACHMENTS;

extern PSCTX_ATTACHMENTS PsctxAttachments;

/* names.c: what objects of the kernel are called. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxQueryObjectName(_In_ PVOID Object, _Outptr_ POBJECT_NAME_INFORMATION *Name);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsDriverNamed(_In_ PDRIVER_OBJECT DriverObject, _In_z_ PCWSTR Name);

/* teardown.c: what file systems' drivers are able to do. Whoever passes a device keeps it, by a reference or an open file. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTeardown(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopTeardown(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxMeetFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxForgetFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxTearsDown(_In_ PDEVICE_OBJECT Device);

/* devicelist.c: the devices of a driver, each referenced, by their addresses. */
typedef struct _PSCTX_KEYED {
    ULONG64 Key;
    PVOID Value;
} PSCTX_KEYED, *PPSCTX_KEYED;

typedef struct _PSCTX_DEVICE_LIST {
    PPSCTX_KEYED Entries;
    ULONG Count;
} PSCTX_DEVICE_LIST, *PPSCTX_DEVICE_LIST;

VOID PsctxSort(_Inout_updates_(Count) PPSCTX_KEYED Entries, _In_ ULONG Count);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxListDevices(_In_ PDRIVER_OBJECT DriverObject, _Out_ PPSCTX_DEVICE_LIST List);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxFreeDeviceList(_Inout_ PPSCTX_DEVICE_LIST List);
ULONG PsctxFindInDeviceList(_In_ const PSCTX_DEVICE_LIST *List, _In_ PDEVICE_OBJECT Device);

/* volume.c: which devices are volumes, and which volumes are not attached to. */
typedef struct _PSCTX_VOLUME {
    PDEVICE_OBJECT Device;                /* the file system's */
    POBJECT_NAME_INFORMATION StorageName; /* of the storage device, or NULL */
    ULONG64 Number;                       /* of the attachment; zero where there is none */
    ULONG Attachment;                     /* PSCTX_ATTACHMENT_* */
    NTSTATUS Status;                      /* of the attempt to attach */
} PSCTX_VOLUME, *PPSCTX_VOLUME;

typedef struct _PSCTX_UNATTACHED_VOLUME {
    SINGLE_LIST_ENTRY Links;
    PSCTX_VOLUME Volume; /* whose device is referenced, and whose name is its own */
} PSCTX_UNATTACHED_VOLUME, *PPSCTX_UNATTACHED_VOLUME;

typedef struct _PSCTX_UNATTACHED_VOLUMES {
    SINGLE_LIST_ENTRY First;
    ULONG Count;
    NTSTATUS Status; /* STATUS_INSUFFICIENT_RESOURCES: there are more */
} PSCTX_UNATTACHED_VOLUMES, *PPSCTX_UNATTACHED_VOLUMES;

_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsSnapshot(_In_ PDEVICE_OBJECT StorageDevice);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxLooksLikeVolume(_In_ PDEVICE_OBJECT Device);
_IRQL_requires_max_(DISPATCH_LEVEL) PDEVICE_OBJECT PsctxReferenceMountedDevice(_In_ PDEVICE_OBJECT StorageDevice);
_IRQL_requires_(PASSIVE_LEVEL) PPSCTX_VOLUME
    PsctxNoteUnattached(_Inout_ PPSCTX_UNATTACHED_VOLUMES Unattached, _In_ PDEVICE_OBJECT VolumeDevice,
                        _In_ ULONG Attachment, _In_ NTSTATUS Status);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxFreeUnattached(_Inout_ PPSCTX_UNATTACHED_VOLUMES Unattached);

/*
 * What tells of the volumes, of whichever front there is: whether it is attached to any, attaching to what is mounted and not attached to, and
 * noting what stays so; then the volumes that are attached to, one by one, in the order of their numbers, from where Position is NULL to
 * where the answer is FALSE. They stay as long as they are locked.
 */
typedef _IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PSCTX_IS_FRONT_STARTED(VOID);
typedef _IRQL_requires_(PASSIVE_LEVEL) VOID PSCTX_LOOK_FOR_VOLUMES(_Inout_ PPSCTX_UNATTACHED_VOLUMES Unattached);
typedef _IRQL_requires_(PASSIVE_LEVEL) VOID PSCTX_LOCK_VOLUMES(VOID);
typedef _IRQL_requires_(PASSIVE_LEVEL) _Success_(return) BOOLEAN
    PSCTX_NEXT_VOLUME(_Inout_ PVOID *Position, _Out_ PPSCTX_VOLUME Volume);

typedef struct _PSCTX_VOLUME_SOURCE {
    PSCTX_IS_FRONT_STARTED *IsStarted;
    PSCTX_LOOK_FOR_VOLUMES *LookForVolumes;
    PSCTX_LOCK_VOLUMES *Lock;
    PSCTX_LOCK_VOLUMES *Unlock;
    PSCTX_NEXT_VOLUME *NextVolume;
} PSCTX_VOLUME_SOURCE;

/* Set once when the driver starts. */
extern const PSCTX_VOLUME_SOURCE *PsctxVolumeSource;

#endif
