/*
 * What Filter Manager's files share: filters, volumes, instances, operations on their way, contexts.
 *
 * FltpMutex guards the lists and states of all of them. It is a mutex of the machine's, held over no call of anybody's: neither of a
 * callback, nor of a kernel routine. What an address below is waited for with changes under it, and is followed by FltpWake.
 */
#ifndef PSCTX_HOST_FLTMGR_H
#define PSCTX_HOST_FLTMGR_H

#include "../kernel.h"

#include <fltKernel.h>

#define FLTP_TAG 'gMlF'
#define FLTP_NAME_TAG 'nMlF'
#define FLTP_CONTEXT_TAG 'xMlF'

typedef enum _FLTP_KIND { FltpFilterKind, FltpVolumeKind, FltpInstanceKind } FLTP_KIND;

/* The head of everything that FltObjectReference takes. */
typedef struct _FLTP_OBJECT {
    ULONG64 Magic;
    FLTP_KIND Kind;
    BOOLEAN Deleting;    /* no more references are given */
    volatile LONG Given; /* references that minifilters have */
    volatile LONG Kept;  /* Filter Manager's own, and one for all of those: the memory goes with the last */
} FLTP_OBJECT, *PFLTP_OBJECT;

struct _FLT_FILTER {
    FLTP_OBJECT Object;
    LIST_ENTRY Links;
    LIST_ENTRY Instances; /* their FilterLinks */
    PDRIVER_OBJECT Driver;
    PDRIVER_UNLOAD OldUnload;
    BOOLEAN ReplacedUnload;
    UNICODE_STRING Name;
    UNICODE_STRING InstanceName;
    UNICODE_STRING Altitude;
    FLT_REGISTRATION Registration;
    FLT_OPERATION_REGISTRATION *Operations; /* a copy, up to IRP_MJ_OPERATION_END */
    FLT_CONTEXT_REGISTRATION *Contexts;     /* a copy, up to FLT_CONTEXT_END */
    BOOLEAN Filtering;
    BOOLEAN Mandatory; /* is being unloaded, and cannot refuse */
    BOOLEAN Unloading;
    volatile LONG Outstanding;    /* contexts, name information and work items that its minifilter has */
    volatile LONG NamesOut;       /* of these, name information */
    volatile LONG InstancesGiven; /* references to instances that minifilters have */
};

struct _FLT_VOLUME {
    FLTP_OBJECT Object;
    LIST_ENTRY Links;
    LIST_ENTRY Instances; /* their VolumeLinks, the highest altitude first */
    LIST_ENTRY Contexts;
    LIST_ENTRY Streams;
    volatile LONG InstanceCount;
    PDEVICE_OBJECT Device;         /* Filter Manager's in the stack */
    PDEVICE_OBJECT volatile Lower; /* below it; referenced */
    PDEVICE_OBJECT Target;         /* the file system's; referenced */
    PDEVICE_OBJECT Disk;           /* referenced, or NULL */
    UNICODE_STRING Name;
    FLT_FILESYSTEM_TYPE FileSystemType;
};

typedef enum _FLTP_INSTANCE_STATE {
    FltpSetup,    /* its minifilter is being asked whether it wants it */
    FltpAttached, /* operations go through it */
    FltpTeardown,
    FltpGone
} FLTP_INSTANCE_STATE;

struct _FLT_INSTANCE {
    FLTP_OBJECT Object;
    LIST_ENTRY VolumeLinks;
    LIST_ENTRY FilterLinks;
    LIST_ENTRY Pending; /* nodes whose post-operation callback is still to be called */
    PFLT_FILTER Filter; /* kept */
    PFLT_VOLUME Volume; /* kept */
    UNICODE_STRING Name;
    UNICODE_STRING Altitude;
    volatile LONG State;     /* FLTP_INSTANCE_STATE */
    volatile LONG Callbacks; /* that have not returned, or have kept their operation */
    LIST_ENTRY Contexts;     /* its own: one at most */
};

typedef enum _FLTP_NODE_STATE {
    FltpNodeIdle,
    FltpNodeInPre,
    FltpNodePreKept,
    FltpNodeAwaitsPost,
    FltpNodeInPost,
    FltpNodePostKept,
    FltpNodeDone
} FLTP_NODE_STATE;

/* An instance's part in an operation. */
typedef struct _FLTP_NODE {
    LIST_ENTRY Links; /* Pending of the instance */
    struct _FLTP_OPERATION *Operation;
    PFLT_INSTANCE Instance; /* kept */
    const FLT_OPERATION_REGISTRATION *Registration;
    PVOID CompletionContext;
    FLTP_NODE_STATE State;
    FLT_IO_PARAMETER_BLOCK Iopb; /* what its minifilter has passed on */
    FLT_RELATED_OBJECTS Objects;
} FLTP_NODE, *PFLTP_NODE;

/* An operation on its way down or up. */
typedef struct _FLTP_OPERATION {
    LIST_ENTRY Links; /* of all there are */
    FLT_CALLBACK_DATA Data;
    FLT_IO_PARAMETER_BLOCK Iopb;
    volatile LONG References;
    PFLT_VOLUME Volume; /* kept */
    PIRP Irp;           /* NULL: fast I/O */
    ULONG Next;         /* node whose pre-operation callback is next */
    ULONG Depth;        /* nodes below this one have been asked */
    BOOLEAN WaitsHere;  /* whoever sent it waits where it was sent */
    BOOLEAN Changed;    /* parameters differ from the request's */
    BOOLEAN Generated;  /* Filter Manager's own: it completes here */
    BOOLEAN Pended;     /* the dispatch routine has answered STATUS_PENDING */
    BOOLEAN Kept;       /* a post-operation callback has kept it */
    BOOLEAN Resumed;    /* what has kept it has given it back before it returned */
    BOOLEAN LeftToDispatch;
    BOOLEAN Done;
    FLT_PREOP_CALLBACK_STATUS ResumeStatus;
    PVOID ResumeContext;
    NTSTATUS FinalStatus;
    KEVENT Event;
    ULONG Count;
    FLTP_NODE Nodes[];
} FLTP_OPERATION, *PFLTP_OPERATION;

/* What became of an operation on its way down. */
typedef enum _FLTP_OUTCOME {
    FltpPassDown,
    FltpCompleted,
    FltpKeptByFilter, /* it is somebody else's, and may be over */
    FltpAwaited,      /* kept, and waited for where it was sent */
    FltpNoFastIo
} FLTP_OUTCOME;

#define FLTP_CONTEXT_MAGIC 0x466c74436f6e7465ULL

/* The head of a context; what the minifilter sees follows. */
typedef struct DECLSPEC_ALIGN(16) _FLTP_CONTEXT {
    ULONG64 Magic;
    volatile LONG References;
    FLT_CONTEXT_TYPE Type;
    BOOLEAN Linked;
    LIST_ENTRY Links;   /* in its volume's or stream's list */
    PFLT_FILTER Filter; /* kept; counted as outstanding */
    const FLT_CONTEXT_REGISTRATION *Registration;
    PFLT_INSTANCE Instance;  /* that it was set for; only compared */
    PFILE_OBJECT FileObject; /* of a stream-handle context; only compared */
} FLTP_CONTEXT, *PFLTP_CONTEXT;

/* Filter Manager's own per-stream context, on behalf of all minifilters. */
typedef struct _FLTP_STREAM {
    FSRTL_PER_STREAM_CONTEXT PerStream;
    LIST_ENTRY Links; /* Streams of the volume */
    LIST_ENTRY Contexts;
    PFLT_VOLUME Volume; /* kept */
} FLTP_STREAM, *PFLTP_STREAM;

/* driver.c */
extern PDRIVER_OBJECT FltpDriver;
DRIVER_INITIALIZE FltpDriverEntry;
NTSTATUS FltpAttachVolumeDevice(_In_ PDEVICE_OBJECT Target, _In_opt_ PDEVICE_OBJECT Disk, _In_ CCHAR StackSize,
                                _In_ BOOLEAN NewlyMounted);
PFLT_VOLUME FltpVolumeOfDevice(_In_ PDEVICE_OBJECT Device);
/* The volume of a device of Filter Manager's own; NULL of a file system's. */
PFLT_VOLUME FltpVolumeOf(_In_ PDEVICE_OBJECT Device);

/* object.c */
extern HOST_MUTEX FltpMutex;
extern LIST_ENTRY FltpFilters;
extern LIST_ENTRY FltpVolumes;
VOID FltpInitializeObject(_Out_ PFLTP_OBJECT Object, _In_ FLTP_KIND Kind);
/* A violation for what is no object, or one that is gone. */
PFLTP_OBJECT FltpCheckObject(_In_ PVOID Object, _In_ FLTP_KIND Kind, _In_z_ const char *Routine);
VOID FltpKeep(_In_ PVOID Object);
VOID FltpLetGo(_In_ PVOID Object);
/* A reference for a minifilter. STATUS_FLT_DELETING_OBJECT. */
NTSTATUS FltpGive(_In_ PVOID Object);
/* The same of what is there to stay, under the mutex. */
VOID FltpGiveLocked(_In_ PVOID Object);
/* Lets no more references be given, and waits, if Waits, until those that minifilters have are back. */
VOID FltpRundown(_Inout_ PFLTP_OBJECT Object, _In_ BOOLEAN Waits, _In_z_ const char *Routine);
BOOLEAN FltpCopyString(_In_ PCUNICODE_STRING From, _Out_ PUNICODE_STRING To);
VOID FltpFreeString(_Inout_ PUNICODE_STRING String);
BOOLEAN FltpSameString(_In_ PCUNICODE_STRING First, _In_ PCUNICODE_STRING Second);
/* Waits for what minifilters end by themselves; a violation when they do not. */
VOID FltpAwait(_In_ const volatile VOID *Address, _In_ PHOST_TRY Try, _In_opt_ PVOID Context,
               _In_z_ const char *Routine, _In_z_ const char *What);

/* filter.c, instance.c */
VOID FltpFreeFilter(_In_ PFLT_FILTER Filter);
VOID FltpFreeInstance(_In_ PFLT_INSTANCE Instance);
VOID FltpFreeVolume(_In_ PFLT_VOLUME Volume);
const FLT_OPERATION_REGISTRATION *FltpFindOperation(_In_ PFLT_FILTER Filter, _In_ UCHAR MajorFunction);
NTSTATUS FltpAttachInstance(_In_ PFLT_FILTER Filter, _In_ PFLT_VOLUME Volume, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                            _Out_opt_ PFLT_INSTANCE *Instance);
VOID FltpTearDownInstance(_Inout_ PFLT_INSTANCE Instance, _In_ FLT_INSTANCE_TEARDOWN_FLAGS Reason);
VOID FltpAttachFiltersTo(_In_ PFLT_VOLUME Volume);
VOID FltpTearDownVolume(_Inout_ PFLT_VOLUME Volume);
PFLT_INSTANCE FltpFirstInstance(_In_ PLIST_ENTRY Head, _In_ BOOLEAN OfFilter);
LONG FltpCompareAltitudes(_In_ PCUNICODE_STRING First, _In_ PCUNICODE_STRING Second);
BOOLEAN FltpIsAltitude(_In_ PCUNICODE_STRING Altitude);
VOID FltpFillObjects(_Out_ FLT_RELATED_OBJECTS *Objects, _In_ PFLT_INSTANCE Instance, _In_opt_ PFILE_OBJECT FileObject);

/* A callback of a minifilter's is about to be called, and has returned: as it was called, and with no lock that it did not have. */
typedef struct _FLTP_CALL {
    const char *Callback;
    KIRQL Irql;
    LONG CriticalRegions;
    LONG HeldLocks;
} FLTP_CALL, *PFLTP_CALL;
VOID FltpEnterCall(_Out_ PFLTP_CALL Call, _In_z_ const char *Callback, _In_ KIRQL Maximum);
VOID FltpLeaveCall(_In_ const FLTP_CALL *Call);

/*
 * operation.c: NULL when nobody is to be told, or, with *Failed, when there is no memory, which for cleanup and close there is. Below: only
 * instances below it are told. Flags say what it is; one that is generated is made even if nobody is told.
 */
PFLTP_OPERATION FltpBegin(_In_ PFLT_VOLUME Volume, _In_opt_ PFLT_INSTANCE Below, _In_opt_ PIRP Irp,
                          _In_ const FLT_IO_PARAMETER_BLOCK *Iopb, _In_ FLT_CALLBACK_DATA_FLAGS Flags,
                          _In_ KPROCESSOR_MODE Mode, _Out_ PBOOLEAN Failed);
FLTP_OUTCOME FltpGoDown(_Inout_ PFLTP_OPERATION Operation);
BOOLEAN FltpGoUp(_Inout_ PFLTP_OPERATION Operation);
VOID FltpEnd(_In_ PFLTP_OPERATION Operation);
NTSTATUS FltpRun(_In_ PFLTP_OPERATION Operation);
VOID FltpDrain(_In_ PFLT_INSTANCE Instance);
PFLTP_OPERATION FltpOperationOf(_In_ PFLT_CALLBACK_DATA Data, _In_z_ const char *Routine);

/* parameters.c */
VOID FltpLoadParameters(_In_ PIRP Irp, _Out_ PFLT_IO_PARAMETER_BLOCK Iopb);
VOID FltpStoreParameters(_In_ const FLT_IO_PARAMETER_BLOCK *Iopb, _Inout_ PIRP Irp,
                         _Inout_ PIO_STACK_LOCATION Location);

/* fastio.c */
extern FAST_IO_DISPATCH FltpFastIoDispatch;

/* context.c */
VOID FltpDeleteContexts(_In_ PFLT_INSTANCE Instance);
VOID FltpDeleteVolumeContexts(_In_ PFLT_VOLUME Volume, _In_opt_ PFLT_FILTER Filter);
VOID FltpForgetFile(_In_ PFLT_VOLUME Volume, _In_ PFILE_OBJECT FileObject);

/* request.c: a request of Filter Manager's own to what is below an instance, or below it when NULL. The buffer is the system buffer. */
NTSTATUS FltpAsk(_In_ PFLT_VOLUME Volume, _In_opt_ PFLT_INSTANCE Below, _In_opt_ PFILE_OBJECT FileObject,
                 _In_ UCHAR MajorFunction, _In_ ULONG InformationClass, _Out_writes_bytes_(Length) PVOID Buffer,
                 _In_ ULONG Length, _Out_ PIO_STATUS_BLOCK IoStatus);

#endif
