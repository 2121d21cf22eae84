/*
 * A device of the legacy filter, and what filter.c, volumes.c, passthrough.c, fastio.c and track.c share.
 */
#ifndef PSCTX_FILTER_H
#define PSCTX_FILTER_H

#include "psctx.h"

typedef enum _PSCTX_FILTER_KIND {
    PsctxFileSystemFilter, /* above a file system's control device: sees mounts; a redirector's opens, too */
    PsctxVolumeFilter      /* above a mounted volume: sees what is done to its files */
} PSCTX_FILTER_KIND;

/*
 * A volume that the filter knows. In the extension of the device that is attached to it, or, where none is, a record of its own
 * in volumes.c. All but Links and Number is set before it is linked.
 */
typedef struct _PSCTX_VOLUME {
    LIST_ENTRY Links; /* of the volumes, in the order of Number; under the filter's lock, as is Number */
    ULONG64 Number;
    PDEVICE_OBJECT Device;                /* the file system's; referenced while it is linked */
    POBJECT_NAME_INFORMATION StorageName; /* of the storage device, or NULL */
    ULONG Attachment;                     /* PSCTX_ATTACHMENT_* */
    NTSTATUS Status;                      /* of the attachment */
    BOOLEAN TearsDown;                    /* the file system can tear contexts down: see teardown.c */
} PSCTX_VOLUME, *PPSCTX_VOLUME;

/*
 * The extension of every device of ours but the control device. All but Links and Attached is set once it is attached,
 * and then stays.
 */
typedef struct _PSCTX_FILTER_EXTENSION {
    LIST_ENTRY Links; /* of the attached devices; under filter.c's lock, as is Attached */
    BOOLEAN Attached; /* cleared by whoever detaches the device, and so is the one to delete it */
    PSCTX_FILTER_KIND Kind;
    PDEVICE_OBJECT DeviceObject; /* whose extension this is */
    PDEVICE_OBJECT Target;       /* the file system's own device in this stack; referenced, as is AttachedTo */
    PDEVICE_OBJECT AttachedTo;   /* the next lower device, which requests are passed to, detached or not */
    PSCTX_VOLUME Volume;         /* of a PsctxVolumeFilter */
} PSCTX_FILTER_EXTENSION, *PPSCTX_FILTER_EXTENSION;

/* The device that requests to a device of the filter are passed to. Any IRQL. */
FORCEINLINE PDEVICE_OBJECT PsctxLowerDevice(_In_ PDEVICE_OBJECT DeviceObject)
{
    return ((PPSCTX_FILTER_EXTENSION)DeviceObject->DeviceExtension)->AttachedTo;
}

/* filter.c */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsFilterStarted(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLockFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnlockFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsDriverNamed(_In_ PDRIVER_OBJECT DriverObject, _In_z_ PCWSTR Name);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsDeviceDeleted(_In_ PDEVICE_OBJECT Device);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxEnterFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLeaveFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxDeleteFilterDevice(_In_ PDEVICE_OBJECT FilterDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID
    PsctxAttachVolume(_In_ PDEVICE_OBJECT VolumeDevice, _In_opt_ PDEVICE_OBJECT StorageDevice, _In_ CCHAR StackSize);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAttachFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxDetachFilterDevice(_In_ PDEVICE_OBJECT FilterDevice);

/* volumes.c. Linking and unlinking are for whoever holds the filter's lock. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartVolumes(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxLinkVolume(_Inout_ PPSCTX_VOLUME Volume);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnlinkVolume(_Inout_ PPSCTX_VOLUME Volume);
PCUNICODE_STRING PsctxStorageName(_In_ const PSCTX_VOLUME *Volume);
_IRQL_requires_(PASSIVE_LEVEL) VOID
    PsctxNoteVolume(_In_ PDEVICE_OBJECT VolumeDevice, _In_opt_ PDEVICE_OBJECT StorageDevice, _In_ ULONG Attachment,
                    _In_ NTSTATUS Status);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxForgetVolumes(_In_ BOOLEAN All);

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
