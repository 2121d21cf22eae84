/*
 * A device of the legacy filter, and what its files share.
 */
#ifndef PSCTX_FILTER_H
#define PSCTX_FILTER_H

#include "psctx.h"

#define PSCTX_VISTA_MAJOR_VERSION 6u

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
    PDEVICE_OBJECT DeviceObject;          /* whose extension this is */
    PDEVICE_OBJECT Target;                /* the file system's own device in this stack; referenced, as is AttachedTo */
    PDEVICE_OBJECT AttachedTo;            /* the next lower device, which requests are passed to, detached or not */
    ULONG64 Number;                       /* of the attachment: unique while the driver is loaded, grows */
    POBJECT_NAME_INFORMATION StorageName; /* of a volume's storage device, or NULL; under the filter's lock */
    volatile LONG StorageUnknown;         /* the next create tells it */
} PSCTX_FILTER_EXTENSION, *PPSCTX_FILTER_EXTENSION;

/* The device that requests to a device of the filter are passed to. Any IRQL. */
FORCEINLINE PDEVICE_OBJECT PsctxLowerDevice(_In_ PDEVICE_OBJECT DeviceObject)
{
    return ((PPSCTX_FILTER_EXTENSION)DeviceObject->DeviceExtension)->AttachedTo;
}

/*
 * Around everything that a kernel calls the filter's devices for, where the driver may be unloaded: what is on its way comes back through
 * the driver's code. Elsewhere nothing is counted. Any IRQL up to DISPATCH_LEVEL.
 */
FORCEINLINE VOID PsctxEnterDriver(VOID)
{
    if (PsctxGlobals.CountsRequests) {
        InterlockedIncrement(&PsctxGlobals.Requests);
    }
}

FORCEINLINE VOID PsctxLeaveDriver(VOID)
{
    if (PsctxGlobals.CountsRequests) {
        InterlockedDecrement(&PsctxGlobals.Requests);
    }
}

/* filter.c */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsFilterStarted(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLockFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnlockFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLockFilterShared(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnlockFilterShared(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxEnterFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLeaveFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsDriverNamed(_In_ PDRIVER_OBJECT DriverObject, _In_z_ PCWSTR Name);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxCreateFilterDevice(_In_ PSCTX_FILTER_KIND Kind, _In_ DEVICE_TYPE DeviceType,
                            _Outptr_ PDEVICE_OBJECT *FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) PPSCTX_FILTER_EXTENSION
    PsctxNextFilterDevice(_In_opt_ const PSCTX_FILTER_EXTENSION *Previous);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxAttachVolume(_In_ PDEVICE_OBJECT VolumeDevice, _In_opt_ PDEVICE_OBJECT StorageDevice, _In_ CCHAR StackSize,
                      _In_ ULONG Attempts);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxDetachFilterDevice(_In_ PDEVICE_OBJECT FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAbandonFilterDevice(_Inout_ PPSCTX_FILTER_EXTENSION Extension);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxRetireFilterDevice(_In_ PDEVICE_OBJECT FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxAgeRetiredDevices(VOID);

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

/* deletion.c: devices of the filter whose device below has been deleted. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartDeletion(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsDeviceDeleted(_In_ PDEVICE_OBJECT Device);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxForgetDeletedDevices(VOID);

/* mounted.c: the volumes that a file system has mounted, and which of them are not attached to. */
typedef struct _PSCTX_UNATTACHED_VOLUME {
    SINGLE_LIST_ENTRY Links;
    ULONG64 Number;                       /* PSCTX_VOLUME_UNATTACHED */
    PDEVICE_OBJECT Device;                /* referenced */
    POBJECT_NAME_INFORMATION StorageName; /* of the storage device, or NULL */
    ULONG Attachment;                     /* PSCTX_ATTACHMENT_* */
    NTSTATUS Status;                      /* of the attempt to attach */
} PSCTX_UNATTACHED_VOLUME, *PPSCTX_UNATTACHED_VOLUME;

typedef struct _PSCTX_UNATTACHED_VOLUMES {
    SINGLE_LIST_ENTRY First;
    ULONG Count;
    NTSTATUS Status; /* STATUS_INSUFFICIENT_RESOURCES: there are more */
} PSCTX_UNATTACHED_VOLUMES, *PPSCTX_UNATTACHED_VOLUMES;

_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsSnapshot(_In_ PDEVICE_OBJECT StorageDevice);
_IRQL_requires_max_(DISPATCH_LEVEL) PDEVICE_OBJECT PsctxReferenceMountedDevice(_In_ PDEVICE_OBJECT StorageDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachMountedVolumes(_In_ PDRIVER_OBJECT DriverObject);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLookForVolumes(_Inout_opt_ PPSCTX_UNATTACHED_VOLUMES Unattached);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxFreeUnattached(_Inout_ PPSCTX_UNATTACHED_VOLUMES Unattached);
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

/*
 * count.c. The numbers of contexts of tracking rules, and of those that count, tell whether there is anything to do; so does, for a
 * stream, the bucket of its header.
 */
#define PSCTX_TRACKED_BITS 11u
#define PSCTX_TRACKED_BUCKETS (1u << PSCTX_TRACKED_BITS)
#define PSCTX_READER_STRIPES 64u

typedef struct _PSCTX_TRACKED_BUCKET {
    PVOID volatile Counting; /* the first of its PSCTX_CONTEXTs that count, linked by NextCounting */
    volatile LONG Tracked;   /* how many contexts of rules, those that do not count among them */
} PSCTX_TRACKED_BUCKET, *PPSCTX_TRACKED_BUCKET;

/* The readers of some buckets, and the contexts that were given up while there were any, linked by Links.Flink. */
typedef struct DECLSPEC_CACHEALIGN _PSCTX_READERS {
    volatile LONG Count;
    PVOID volatile Retired; /* a LIST_ENTRY */
} PSCTX_READERS, *PPSCTX_READERS;

extern volatile LONG PsctxTrackedContexts;
extern volatile LONG PsctxCountingContexts;
extern PSCTX_TRACKED_BUCKET PsctxTracked[PSCTX_TRACKED_BUCKETS];
extern PSCTX_READERS PsctxReaders[PSCTX_READER_STRIPES];

_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxCountInBucket(_In_ ULONG Number, _In_ const VOID *Header, _In_ BOOLEAN Write, _In_ ULONG Length);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxNoteCleanup(_In_ PFILE_OBJECT FileObject);
_IRQL_requires_max_(APC_LEVEL) BOOLEAN
    PsctxNoteOpen(_In_ PFSRTL_ADVANCED_FCB_HEADER Header, _In_ const PSCTX_IDENTITY *Identity);

FORCEINLINE ULONG PsctxTrackedBucketNumber(_In_ const VOID *Header)
{
    return (ULONG)(PsctxHashHeader(Header) >> (64u - PSCTX_TRACKED_BITS));
}

/*
 * Counts a read or a write of a file. What the file object has for a context is compared with headers, never followed. Any IRQL up to
 * DISPATCH_LEVEL.
 */
FORCEINLINE VOID PsctxCountTransfer(_In_ PFILE_OBJECT FileObject, _In_ BOOLEAN Write, _In_ ULONG Length)
{
    const VOID *header = FileObject->FsContext;
    const ULONG number = PsctxTrackedBucketNumber(header);

    if (ReadPointerAcquire(&PsctxTracked[number].Counting) != NULL) {
        PsctxCountInBucket(number, header, Write, Length);
    }
}

/* track.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxTrackCreate(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp);

/* wait.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartWaits(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxSendAndWait(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp, _In_ BOOLEAN Cancellable);

/* name.c: which files' names an expression can match, seen from what they are opened by; and what their names are. */
typedef struct _PSCTX_EXPRESSION {
    UNICODE_STRING Text; /* upcased */
    ULONG Head;          /* how many characters before its first wild card */
    ULONG Tail;          /* and behind its last one: all of them, both times, if there is none */
} PSCTX_EXPRESSION, *PPSCTX_EXPRESSION;

typedef struct _PSCTX_OPENED_NAME {
    const WCHAR *Characters;
    ULONG Count;
    ULONG Last;          /* where its last component begins */
    BOOLEAN HeadIsKnown; /* the file's own name begins with the same characters, but for case */
    BOOLEAN TailIsKnown; /* its last component ends with them */
} PSCTX_OPENED_NAME, *PPSCTX_OPENED_NAME;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartNames(VOID);
VOID PsctxMeasureExpression(_Inout_ PPSCTX_EXPRESSION Expression);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxExamineOpenedName(_In_ PFILE_OBJECT FileObject, _In_ ULONG CreateOptions,
                                                           _In_ BOOLEAN Redirector, _Out_ PPSCTX_OPENED_NAME Name);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxCanMatch(_In_ const PSCTX_EXPRESSION *Expression, _In_ const PSCTX_OPENED_NAME *Name);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxQueryFileName(_In_ PDEVICE_OBJECT LowerDevice, _In_ PFILE_OBJECT FileObject, _In_ BOOLEAN Redirector,
                       _Outptr_result_maybenull_ PVOID *Memory, _Out_ PUNICODE_STRING Name);

/* expression.c */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxIsNameInExpression(_In_ PCUNICODE_STRING Expression, _In_ PCUNICODE_STRING Name);

#endif
