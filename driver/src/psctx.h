/*
 * What the driver's files share: sessions, owners, contexts, and the routines each file offers to the others.
 *
 * Locks, in the order they are taken: PSCTX_SESSION.OwnersLock; the tracking rules' lock; the filter's lock; a shard's lock; then,
 * inside FsRtl, the list lock of the stream, or a spin lock of count.c, or the readers' lock, then a reader's queue lock. No two shards are
 * locked at once, and nothing is allocated under a shard's lock or the readers'.
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

typedef PSCTX_TRACKING *PPSCTX_TRACKING;

/* What a session, or the whole driver, holds now. Changed with interlocked operations alone. */
typedef struct _PSCTX_ACCOUNT {
    volatile LONG64 Contexts;
    volatile LONG64 Bytes[2];       /* that contexts take, by PSCTX_POOL_* */
    volatile LONG64 RecordBytes[2]; /* that everything else takes, likewise */
} PSCTX_ACCOUNT, *PPSCTX_ACCOUNT;

/* What an account may hold on this machine. Set when the driver starts. */
typedef struct _PSCTX_LIMITS {
    LONG64 Contexts;
    LONG64 Bytes[2];
    LONG64 RecordBytes[2];
} PSCTX_LIMITS, *PPSCTX_LIMITS;

#define PSCTX_OWNER_BUCKET_BITS 6u
#define PSCTX_OWNER_BUCKETS (1u << PSCTX_OWNER_BUCKET_BITS)

struct _PSCTX_READER;

/*
 * One open of the control device. The file object holds one reference, every context and every tracking rule another:
 * contexts with PSCTX_LIFETIME_STREAM outlive the handle, and find their session's counters here.
 */
typedef struct _PSCTX_SESSION {
    volatile LONG References;
    volatile LONG
        Ended; /* set once, when the last handle is closed; read under a shard's lock before a context is linked */
    PSCTX_ACCOUNT Account;
    PSCTX_ACCOUNT TrackedAccount; /* of Account, what contexts of rules take */
    volatile LONG64 Inserted;
    volatile LONG64 Removed;
    volatile LONG64 TornDown;
    volatile LONG64 Missed; /* opens that rules have no context for */
    FAST_MUTEX OwnersLock;
    _Guarded_by_(OwnersLock) ULONG OwnerCount;
    _Guarded_by_(OwnersLock) SINGLE_LIST_ENTRY Owners[PSCTX_OWNER_BUCKETS];
    ULONG64 Number;    /* unique while the driver is loaded */
    PEPROCESS Process; /* that opened it; referenced until it ends */
    /* Under the readers' lock: see event.c. */
    LIST_ENTRY Links;             /* of the sessions that have not ended */
    LIST_ENTRY Readers;           /* of this session's events */
    volatile LONG ReaderCount;    /* how many; read without the lock, too */
    struct _PSCTX_READER *Reader; /* what this session is itself, or NULL */
} PSCTX_SESSION, *PPSCTX_SESSION;

/* An owner key of a session. Its address is the InstanceId of that owner's contexts; it lives as long as the session's record. */
typedef struct _PSCTX_OWNER {
    SINGLE_LIST_ENTRY Links;
    PPSCTX_SESSION Session;
    ULONG64 Key;
} PSCTX_OWNER, *PPSCTX_OWNER;

/*
 * A per-stream context of ours. Behind it, if it is PSCTX_TRACKED_COUNTED, a PSCTX_TRACKING, whose members are changed with interlocked
 * operations; then its data, then its name. The rest is immutable once linked, but for its links.
 *
 * Its OwnerId is its own address and its InstanceId that of its owner's record. FsRtl removes only the first match, takes a NULL
 * InstanceId for "any instance", and there are kernels that do not look at InstanceId once OwnerId has matched: only an OwnerId of
 * its own names one context among several. What the client chose (zero is an instance, and duplicates are allowed) is matched
 * here, under the shard's lock.
 *
 * What a look-up takes most of its time for, where there are many, is memory that was not touched lately. A context begins a line of the
 * cache, and its members are in this order, so that one which is passed on the way, here and in FsRtl, costs one line, and the one that
 * is found two, with data that is short.
 */
typedef struct _PSCTX_CONTEXT {
    LIST_ENTRY ShardLinks;       /* in the shard, oldest first; under its lock */
    PFILE_OBJECT Anchor;         /* referenced, where the file system tears nothing down: keeps Header; else NULL */
    PDEVICE_OBJECT VolumeDevice; /* the file system's device that serves the stream: compared, never followed */
    PVOID volatile NextCounting; /* the next PSCTX_CONTEXT that counts: see count.c */
    ULONG64 Inserted;            /* interrupt time */
    ULONG64 InsertedSystemTime;  /* the same moment as the clock told it */
    ULONG StreamCount;           /* of its stream's contexts, if it is the youngest; under the shard's lock */
    USHORT NameLength;

    ULONG64 Instance; /* from here to OwnerId: what is compared */
    PPSCTX_OWNER Owner;
    PFSRTL_ADVANCED_FCB_HEADER Header;         /* valid while linked: see context.c */
    LIST_ENTRY Links;                          /* in the bucket of Header, youngest first; under the shard's lock */
    FSRTL_PER_STREAM_CONTEXT PerStreamContext; /* FreeCallback gets its address */
    ULONG64 Sequence;
    ULONG DataLength;
    UCHAR Pool;
    UCHAR Lifetime;
    UCHAR Tracked;         /* PSCTX_TRACKED_* */
    BOOLEAN NameTruncated; /* the name is the end of a longer one */
} PSCTX_CONTEXT, *PPSCTX_CONTEXT;

/* On 64-bit kernels what is compared is one line of the cache. */
#define PSCTX_CACHE_LINE 64u
C_ASSERT(sizeof(PVOID) != sizeof(ULONG64) || (FIELD_OFFSET(PSCTX_CONTEXT, Instance) % PSCTX_CACHE_LINE == 0 &&
                                              FIELD_OFFSET(PSCTX_CONTEXT, PerStreamContext.InstanceId) ==
                                                  FIELD_OFFSET(PSCTX_CONTEXT, Instance) + PSCTX_CACHE_LINE));

/* What is to be inserted. Data and Name are copied. */
typedef struct _PSCTX_INSERTION {
    PPSCTX_SESSION Session;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    ULONG IfExists;
    ULONG Pool;
    ULONG Lifetime;
    ULONG Tracked; /* PSCTX_TRACKED_* */
    ULONG DataLength;
    const VOID *Data;
    UNICODE_STRING Name;
    BOOLEAN NameTruncated;
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
    PSCTX_LIMITS SessionLimits;
    PSCTX_LIMITS TotalLimits; /* of Account */
    volatile LONG64 Sequence;
    volatile LONG Sessions;
    volatile LONG AttachedVolumes;
    volatile LONG AttachedFileSystems;
    BOOLEAN CountsRequests; /* the driver may be unloaded; set before the filter starts */
    volatile LONG Requests; /* and fast I/O, that have not returned from the filter's routines */
    EX_RUNDOWN_REF Rundown; /* held by every context, request and forwarded request with a completion routine */
} PSCTX_GLOBALS;

extern PSCTX_GLOBALS PsctxGlobals;

/* pool.c */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartPool(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) PVOID PsctxAllocate(_In_ POOL_TYPE PoolType, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID PsctxFree(_In_opt_ PVOID Memory);

/* account.c: what a session makes the driver keep, by PSCTX_POOL_*. A record is whatever is no context. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartAccounts(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN
    PsctxChargeContext(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxDischargeContext(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN
    PsctxChargeTracked(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxDischargeTracked(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN
    PsctxChargeRecord(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxDischargeRecord(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) NTSTATUS
    PsctxAllocateRecord(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ SIZE_T Size, _Outptr_ PVOID *Record);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxFreeRecord(_Inout_ PPSCTX_SESSION Session, _In_ ULONG Pool, _In_ SIZE_T Size, _In_opt_ PVOID Record);

/* device.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxCreateControlDevice(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxDeleteControlDevice(VOID);

/* control.c */
_Dispatch_type_(IRP_MJ_CREATE) _Dispatch_type_(IRP_MJ_CLEANUP) _Dispatch_type_(IRP_MJ_CLOSE)
    _Dispatch_type_(IRP_MJ_DEVICE_CONTROL) DRIVER_DISPATCH PsctxControlDispatch;

/* A request that came in and where its reply goes. Request and Reply may be the same memory: read before you write. */
typedef struct _PSCTX_REQUEST {
    PPSCTX_SESSION Session;
    PIRP
        Irp; /* of a request that stands alone, which may answer STATUS_PENDING and complete it later; NULL in a batch */
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
BOOLEAN PsctxIsInterrupted(_In_ PIRP Irp);
VOID PsctxSetReplyHeader(_Inout_ PPSCTX_REQUEST Request, _In_ ULONG ReplyLength);

/* The handlers: query.c, insert.c, lookup.c, list.c, batch.c, track.c, event.c, enumerate.c, volumes.c, inspect.c */
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
PSCTX_HANDLER PsctxHandleQueryRule;
PSCTX_HANDLER PsctxHandleSubscribe;
PSCTX_HANDLER PsctxHandleWait;
PSCTX_HANDLER PsctxHandleEnumerate;
PSCTX_HANDLER PsctxHandleListVolumes;
PSCTX_HANDLER PsctxHandleInspect;

/* Reads a counter that other processors change, whole on 32-bit processors too. */
FORCEINLINE ULONG64 PsctxReadCounter(_In_ volatile LONG64 *Counter)
{
    return (ULONG64)InterlockedCompareExchange64(Counter, 0, 0);
}

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
    PDEVICE_OBJECT VolumeDevice; /* the file system's device that serves it */
    DEVICE_TYPE DeviceType;
    BOOLEAN NeedsAnchor; /* its file system tears nothing down */
} PSCTX_STREAM, *PPSCTX_STREAM;

_IRQL_requires_(PASSIVE_LEVEL) ULONG PsctxExamineStream(_In_ PFILE_OBJECT FileObject, _Out_ PPSCTX_STREAM Stream);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxOpenStream(_In_ ULONG64 Handle, _Out_ PPSCTX_STREAM Stream);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxReferenceFileObject(_In_ ULONG64 Handle, _Outptr_ PFILE_OBJECT *FileObject);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxCloseStream(_In_ const PSCTX_STREAM *Stream);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxQueryObjectName(_In_ PVOID Object, _Outptr_ POBJECT_NAME_INFORMATION *Name);

/* teardown.c: what file systems' drivers are able to do. Whoever passes a device keeps it, by a reference or an open file. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTeardown(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopTeardown(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxMeetFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxForgetFileSystem(_In_ PDEVICE_OBJECT ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxTearsDown(_In_ PDEVICE_OBJECT Device);

/* index.c */
#define PSCTX_SHARD_BITS 6u
#define PSCTX_SHARD_COUNT (1u << PSCTX_SHARD_BITS)
#define PSCTX_FIRST_BUCKET_BITS 5

/* Secret, made when the driver starts; the second is odd. */
extern ULONG64 PsctxHashKey[2];

/* Spreads the address of a header over 64 bits, of which the highest choose its shard. Any IRQL. */
FORCEINLINE ULONG64 PsctxHashHeader(_In_ const VOID *Header)
{
    const ULONG64 product = ((ULONG64)(ULONG_PTR)Header ^ PsctxHashKey[0]) * PsctxHashKey[1];

    return (product ^ (product >> 32)) * PsctxHashKey[1];
}

/* A part of the index, chosen by a stream's header, and its lock. The counts are read without it, as hints. */
typedef struct DECLSPEC_CACHEALIGN _PSCTX_SHARD {
    FAST_MUTEX Lock;
    _Guarded_by_(Lock) PLIST_ENTRY Buckets; /* 2^BucketBits lists of contexts */
    _Write_guarded_by_(Lock) volatile LONG BucketBits;
    _Write_guarded_by_(Lock) volatile LONG ContextCount;
    _Guarded_by_(Lock) LIST_ENTRY Contexts; /* all of them, oldest first: in the order of Sequence */
    _Guarded_by_(Lock) LIST_ENTRY Walks;    /* through its contexts, that are under way */
    _Guarded_by_(Lock) BOOLEAN Delivers;    /* whoever unlocks it delivers events */
    _Guarded_by_(Lock) LIST_ENTRY FirstBuckets[1 << PSCTX_FIRST_BUCKET_BITS]; /* while these are enough */
} PSCTX_SHARD, *PPSCTX_SHARD;

typedef enum _PSCTX_WALK_ORDER {
    PsctxShardOldestFirst,
    PsctxShardYoungestFirst,
    PsctxStreamYoungestFirst
} PSCTX_WALK_ORDER;

/*
 * A walk through many contexts, which gives the shard's lock up now and then:
 * begin, PsctxNextContext until it is NULL or enough, PsctxEndWalk.
 */
typedef struct _PSCTX_WALK {
    LIST_ENTRY Links; /* of the shard's walks; under its lock, as is Next */
    PPSCTX_SHARD Shard;
    PFSRTL_ADVANCED_FCB_HEADER Header; /* of a stream's walk */
    PPSCTX_CONTEXT Next;               /* to be looked at, or NULL behind the last */
    PSCTX_WALK_ORDER Order;
    ULONG Examined; /* since the shard was locked last */
} PSCTX_WALK, *PPSCTX_WALK;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartIndex(VOID);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) PPSCTX_SHARD
    PsctxLockShard(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) VOID PsctxUnlockShard(_Inout_ PPSCTX_SHARD Shard);
_IRQL_requires_(APC_LEVEL) PLIST_ENTRY PsctxGetBucket(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) ULONG PsctxCountOnStream(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) VOID PsctxAddToIndex(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_(APC_LEVEL) VOID PsctxRemoveFromIndex(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_(APC_LEVEL) VOID PsctxDeliverAfterUnlock(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxFitIndex(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) VOID
    PsctxBeginShardWalk(_Out_ PPSCTX_WALK Walk, _In_range_(0, PSCTX_SHARD_COUNT - 1) ULONG Number,
                        _In_ PSCTX_WALK_ORDER Order);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) VOID
    PsctxBeginStreamWalk(_Out_ PPSCTX_WALK Walk, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) PPSCTX_CONTEXT PsctxNextContext(_Inout_ PPSCTX_WALK Walk);
_IRQL_requires_(APC_LEVEL) VOID
    PsctxBeginInnerWalk(_Out_ PPSCTX_WALK Walk, _In_ const PSCTX_WALK *Outer, _In_ PPSCTX_CONTEXT First);
_IRQL_requires_(APC_LEVEL) VOID PsctxEndInnerWalk(_Inout_ PPSCTX_WALK Walk, _Inout_ PPSCTX_WALK Outer);
_IRQL_requires_(APC_LEVEL) VOID PsctxEndWalk(_Inout_ PPSCTX_WALK Walk);

/*
 * event.c: the readers of sessions' events. PsctxReportContext is called with the context's shard locked, PsctxReportVolume with
 * the filter locked; each is followed by PsctxDeliverEvents when no lock is held any more, which PsctxUnlockShard and
 * PsctxUnlockFilter see to.
 */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartEvents(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAddSession(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxRemoveSession(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxCloseReader(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxFreeReader(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_(APC_LEVEL) VOID PsctxReportContext(_In_ ULONG Type, _In_ PPSCTX_CONTEXT Context);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxReportVolume(_In_ ULONG Type, _In_ PCUNICODE_STRING DeviceName);
_IRQL_requires_(PASSIVE_LEVEL) VOID
    PsctxReportMiss(_Inout_ PPSCTX_SESSION Session, _In_ ULONG64 Rule, _In_ ULONG64 OwnerKey, _In_ ULONG64 Instance);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxDeliverEvents(VOID);

/* context.c */
PPSCTX_TRACKING PsctxContextTracking(_In_ PPSCTX_CONTEXT Context);
PUCHAR PsctxContextName(_In_ PPSCTX_CONTEXT Context);
ULONG PsctxContextSize(_In_ const PSCTX_CONTEXT *Context);
_IRQL_requires_(APC_LEVEL) ULONG
    PsctxWriteEntry(_In_ PPSCTX_CONTEXT Context, _Out_writes_bytes_(Capacity) PUCHAR Entry, _In_ ULONG Capacity);
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

/* enumerate.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxReferenceVolumeDevice(_In_ ULONG64 Handle, _Outptr_result_maybenull_ PDEVICE_OBJECT *VolumeDevice);

/*
 * filter.c: attachment to file systems and volumes. Start and stop are for DriverEntry and DriverUnload. Dispatch takes every
 * IRP sent to a device of ours other than the control device.
 */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartFilter(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopFilter(VOID);

/* passthrough.c */
DRIVER_DISPATCH PsctxFilterDispatch;

/* fastio.c: the fast I/O table, for the driver object. The control device answers FALSE to every entry. */
extern FAST_IO_DISPATCH PsctxFastIoDispatch;
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartFastIo(VOID);

/*
 * track.c: tracking rules. A rule holds a reference on its session; PsctxEndTracking removes a session's rules.
 * PsctxIsTracking is what create looks at first: without a rule, create is passed through untouched.
 */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTracking(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxEndTracking(_In_ PPSCTX_SESSION Session);
BOOLEAN PsctxIsTracking(VOID);

#endif
