/*
 * What the driver's files share: sessions, owners, contexts, and the routines each file offers to the others.
 *
 * Locks, in the order they are taken: PSCTX_SESSION.OwnersLock; the tracking rules' lock; a shard's lock; then, inside FsRtl,
 * the list lock of the stream. No two shards are locked at once, and nothing is allocated under a shard's lock.
 */
#ifndef PSCTX_DRIVER_H
#define PSCTX_DRIVER_H

#include <ntifs.h>

#include <psctx/abi.h>

/* Pool tag, shown as "PCtx" by debuggers. */
#define PSCTX_TAG 0x78744350u

/* Code that may be paged out, and code that is discarded after DriverEntry. */
#if defined(__GNUC__)
#define PSCTX_PAGE __attribute__((section("PAGE")))
#define PSCTX_INIT __attribute__((section("INIT")))
#else
#define PSCTX_PAGE __declspec(code_seg("PAGE"))
#define PSCTX_INIT __declspec(code_seg("INIT"))
#endif

/* What a session, or the whole driver, holds now. Changed with interlocked operations alone. */
typedef struct _PSCTX_ACCOUNT {
    volatile LONG64 Contexts;
    volatile LONG64 Bytes[2]; /* by PSCTX_POOL_* */
} PSCTX_ACCOUNT, *PPSCTX_ACCOUNT;

#define PSCTX_OWNER_BUCKET_BITS 6u
#define PSCTX_OWNER_BUCKETS (1u << PSCTX_OWNER_BUCKET_BITS)

/*
 * One open of the control device. The file object holds one reference, every context and every tracking rule another:
 * contexts with PSCTX_LIFETIME_STREAM outlive the handle, and find their session's counters here.
 */
typedef struct _PSCTX_SESSION {
    volatile LONG References;
    volatile LONG
        Ended; /* set once, when the last handle is closed; read under a shard's lock before a context is linked */
    PSCTX_ACCOUNT Account;
    volatile LONG64 Inserted;
    volatile LONG64 Removed;
    volatile LONG64 TornDown;
    FAST_MUTEX OwnersLock;
    _Guarded_by_(OwnersLock) ULONG OwnerCount;
    _Guarded_by_(OwnersLock) SINGLE_LIST_ENTRY Owners[PSCTX_OWNER_BUCKETS];
} PSCTX_SESSION, *PPSCTX_SESSION;

/* An owner key of a session. Its address is the InstanceId of that owner's contexts; it lives as long as the session's record. */
typedef struct _PSCTX_OWNER {
    SINGLE_LIST_ENTRY Links;
    PPSCTX_SESSION Session;
    ULONG64 Key;
} PSCTX_OWNER, *PPSCTX_OWNER;

/*
 * A per-stream context of ours, with its data and then its name behind it. Immutable once linked, but for its links.
 *
 * Its OwnerId is its own address and its InstanceId that of its owner's record. FsRtl removes only the first match, takes a NULL
 * InstanceId for "any instance", and there are kernels that do not look at InstanceId once OwnerId has matched: only an OwnerId of
 * its own names one context among several. What the client chose (zero is an instance, and duplicates are allowed) is matched
 * here, under the shard's lock.
 */
typedef struct _PSCTX_CONTEXT {
    FSRTL_PER_STREAM_CONTEXT PerStreamContext; /* first: FreeCallback gets its address */
    LIST_ENTRY Links;                          /* in the bucket of Header, youngest first; under the shard's lock */
    PFSRTL_ADVANCED_FCB_HEADER Header;         /* valid while linked: see context.c */
    PPSCTX_OWNER Owner;
    PFILE_OBJECT Anchor; /* referenced, where the file system tears nothing down: keeps Header; else NULL */
    ULONG64 Instance;
    ULONG64 Sequence;
    ULONG DataLength;
    USHORT NameLength;
    UCHAR Pool;
    UCHAR Lifetime;
    PVOID volatile NextCounting; /* the next PSCTX_CONTEXT that counts: see count.c */
} PSCTX_CONTEXT, *PPSCTX_CONTEXT;

/* What is to be inserted. Data and Name are copied. */
typedef struct _PSCTX_INSERTION {
    PPSCTX_SESSION Session;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    ULONG IfExists;
    ULONG Pool;
    ULONG Lifetime;
    ULONG DataLength;
    const VOID *Data;
    UNICODE_STRING Name;
} PSCTX_INSERTION, *PPSCTX_INSERTION;

/* Which context of which session is meant: Match is PSCTX_MATCH_INSTANCE, _OWNER or (every owner's) _FIRST. */
typedef struct _PSCTX_IDENTITY {
    PPSCTX_SESSION Session;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    ULONG Match;
} PSCTX_IDENTITY, *PPSCTX_IDENTITY;

typedef struct _PSCTX_GLOBALS {
    PDRIVER_OBJECT DriverObject;
    PDEVICE_OBJECT ControlDevice;
    PSCTX_ACCOUNT Account;
    volatile LONG64 Sequence;
    volatile LONG Sessions;
    volatile LONG AttachedVolumes;
    volatile LONG AttachedFileSystems;
    BOOLEAN CountsRequests; /* the driver may be unloaded: those that are passed through are counted */
    volatile LONG Requests; /* that the drivers below have not returned from */
    EX_RUNDOWN_REF Rundown; /* held by every context, request and forwarded request with a completion routine */
} PSCTX_GLOBALS;

extern PSCTX_GLOBALS PsctxGlobals;

/* pool.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartPool(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) PVOID PsctxAllocate(_In_ POOL_TYPE PoolType, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID PsctxFree(_In_opt_ PVOID Memory);

/* device.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxCreateControlDevice(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxDeleteControlDevice(VOID);

/* control.c */
_Dispatch_type_(IRP_MJ_CREATE) _Dispatch_type_(IRP_MJ_CLEANUP) _Dispatch_type_(IRP_MJ_CLOSE)
    _Dispatch_type_(IRP_MJ_DEVICE_CONTROL) DRIVER_DISPATCH PsctxControlDispatch;

/* A request that came in and where its reply goes. Request and Reply may be the same memory: read before you write. */
typedef struct _PSCTX_REQUEST {
    PPSCTX_SESSION Session;
    const VOID *Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
    ULONG ReplyLength; /* set by the handler: bytes of Output that are the reply */
    USHORT Operation;
} PSCTX_REQUEST, *PPSCTX_REQUEST;

typedef _IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PSCTX_HANDLER(_Inout_ PPSCTX_REQUEST Request);

/* One row of the table of operations. The request is at least MinimumInput long, exactly so unless HasTail. */
typedef struct _PSCTX_OPERATION {
    ULONG ControlCode;
    USHORT MinimumInput;
    USHORT MinimumOutput;
    BOOLEAN HasTail;
    BOOLEAN Changes;   /* needs a control handle that may write */
    BOOLEAN Batchable; /* may stand in a batch */
    PSCTX_HANDLER *Handler;
} PSCTX_OPERATION, *PPSCTX_OPERATION;

/* operations.c */
const PSCTX_OPERATION *PsctxFindOperation(_In_ ULONG Operation);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxRunOperation(_In_ const PSCTX_OPERATION *Operation, _Inout_ PPSCTX_REQUEST Request);
VOID PsctxSetReplyHeader(_Inout_ PPSCTX_REQUEST Request, _In_ ULONG ReplyLength);

/* The handlers: query.c, insert.c, lookup.c, list.c, batch.c, track.c, inspect.c */
PSCTX_HANDLER PsctxQueryVersion;
PSCTX_HANDLER PsctxQueryStatistics;
PSCTX_HANDLER PsctxQueryStream;
PSCTX_HANDLER PsctxHandleInsert;
PSCTX_HANDLER PsctxHandleLookup;
PSCTX_HANDLER PsctxHandleRemove;
PSCTX_HANDLER PsctxHandleRemoveAll;
PSCTX_HANDLER PsctxHandleList;
PSCTX_HANDLER PsctxHandleBatch;
PSCTX_HANDLER PsctxHandleTrack;
PSCTX_HANDLER PsctxHandleUntrack;
PSCTX_HANDLER PsctxHandleInspect;

/* inspect.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartInspection(VOID);

/* session.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxBeginSession(_Outptr_ PPSCTX_SESSION *Session);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxEndSession(_Inout_ PPSCTX_SESSION Session);
VOID PsctxReferenceSession(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxDereferenceSession(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxGetOwner(_Inout_ PPSCTX_SESSION Session, _In_ ULONG64 Key, _Outptr_ PPSCTX_OWNER *Owner);

/* stream.c */
typedef struct _PSCTX_STREAM {
    PFILE_OBJECT FileObject; /* referenced: keeps the stream from being torn down */
    PFSRTL_ADVANCED_FCB_HEADER Header;
    DEVICE_TYPE DeviceType;
    BOOLEAN NeedsAnchor; /* its file system tears nothing down */
} PSCTX_STREAM, *PPSCTX_STREAM;

_IRQL_requires_(PASSIVE_LEVEL) ULONG PsctxExamineStream(_In_ PFILE_OBJECT FileObject, _Out_ PPSCTX_STREAM Stream);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxOpenStream(_In_ ULONG64 Handle, _Out_ PPSCTX_STREAM Stream);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxReferenceFileObject(_In_ ULONG64 Handle, _Outptr_ PFILE_OBJECT *FileObject);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxCloseStream(_In_ const PSCTX_STREAM *Stream);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxQueryStreamName(_In_ PFILE_OBJECT FileObject, _Out_ POBJECT_NAME_INFORMATION *Name);

/* teardown.c */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsTornDown(_In_ PDEVICE_OBJECT BaseDevice);

/* index.c */
#define PSCTX_SHARD_BITS 6u
#define PSCTX_SHARD_COUNT (1u << PSCTX_SHARD_BITS)

/* Spreads the address of a header over 64 bits, of which the highest choose its shard. */
FORCEINLINE ULONG64 PsctxHashHeader(_In_ const VOID *Header)
{
    return (ULONG64)(ULONG_PTR)Header * 0x9E3779B97F4A7C15ull;
}

/* A part of the index, chosen by a stream's header, and its lock. */
typedef struct DECLSPEC_CACHEALIGN _PSCTX_SHARD {
    FAST_MUTEX Lock;
    _Guarded_by_(Lock) PLIST_ENTRY Buckets; /* 2^BucketBits lists of contexts */
    _Guarded_by_(Lock) ULONG BucketBits;
    _Guarded_by_(Lock) ULONG ContextCount;
} PSCTX_SHARD, *PPSCTX_SHARD;

_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartIndex(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopIndex(VOID);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) PPSCTX_SHARD
    PsctxLockShard(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) PPSCTX_SHARD
    PsctxLockShardByNumber(_In_range_(0, PSCTX_SHARD_COUNT - 1) ULONG Number);
_IRQL_requires_(APC_LEVEL) VOID PsctxUnlockShard(_Inout_ PPSCTX_SHARD Shard);
_IRQL_requires_(APC_LEVEL) PLIST_ENTRY PsctxGetBucket(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) VOID PsctxAddToIndex(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_(APC_LEVEL) VOID PsctxRemoveFromIndex(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxGrowIndex(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);

/* context.c */
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxInsertContext(_In_ const PSCTX_STREAM *Stream, _In_ const PSCTX_INSERTION *Insertion, _Out_ PULONG Outcome,
                       _Out_ PULONG64 Sequence);
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxLookupContext(_In_ const PSCTX_STREAM *Stream, _In_ const PSCTX_IDENTITY *Identity, _In_ BOOLEAN Remove,
                       _Out_ PSCTX_CONTEXT_REPLY *Reply, _Out_writes_bytes_(Capacity) PVOID Data, _In_ ULONG Capacity);
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxLookupFirst(_In_ const PSCTX_STREAM *Stream, _In_ PPSCTX_SESSION Session, _Out_ PSCTX_CONTEXT_REPLY *Reply,
                     _Out_writes_bytes_(Capacity) PVOID Data, _In_ ULONG Capacity);
_IRQL_requires_max_(APC_LEVEL) ULONG64
    PsctxRemoveContexts(_In_ const PSCTX_STREAM *Stream, _In_ const PSCTX_IDENTITY *Identity);
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxListContexts(_In_ const PSCTX_STREAM *Stream, _In_ PPSCTX_SESSION Session, _In_ ULONG64 Before,
                      _Out_ PSCTX_LIST_REPLY *Reply, _Out_writes_bytes_(Capacity) PUCHAR Entries, _In_ ULONG Capacity,
                      _Out_ PULONG EntriesLength);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxRemoveSessionContexts(_In_opt_ PPSCTX_SESSION Session);
_IRQL_requires_(APC_LEVEL) PPSCTX_CONTEXT
    PsctxFindContext(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header,
                     _In_ const PSCTX_IDENTITY *Identity);
BOOLEAN PsctxIsOwnCallback(_In_ ULONG_PTR FreeCallback);

/* count.c: contexts of tracking rules start to count when they are linked, and stop before they are given up. */
_IRQL_requires_(APC_LEVEL) VOID PsctxStartCounting(_Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_(APC_LEVEL) VOID PsctxStopCounting(_Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID PsctxFreeTracked(_In_ PPSCTX_CONTEXT Context);

/*
 * filter.c: attachment to file systems and volumes. Start and stop are for DriverEntry and DriverUnload. Dispatch takes every
 * IRP sent to a device of ours other than the control device.
 */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxForgetDeletedDevices(VOID);

/* passthrough.c */
DRIVER_DISPATCH PsctxFilterDispatch;

/* fastio.c: the fast I/O table, for the driver object. The control device answers FALSE to every entry. */
extern FAST_IO_DISPATCH PsctxFastIoDispatch;

/*
 * track.c: tracking rules. A rule holds a reference on its session; PsctxEndTracking removes a session's rules.
 * PsctxIsTracking is what create looks at first: without a rule, create is passed through untouched.
 */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTracking(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxEndTracking(_In_ PPSCTX_SESSION Session);
BOOLEAN PsctxIsTracking(VOID);

#endif
