/*
 * Sessions, owners, contexts and the index: from a handle to a stream, and from a stream to the contexts on it.
 */
#ifndef PSCTX_CORE_H
#define PSCTX_CORE_H

#include "events/events.h"
#include "kernel/kernel.h"

typedef PSCTX_TRACKING *PPSCTX_TRACKING;

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
    PSCTX_ACCOUNT TrackedAccount; /* of Account, what contexts of rules take */
    volatile LONG64 Inserted;
    volatile LONG64 Removed;
    volatile LONG64 TornDown;
    volatile LONG64 Missed; /* opens that rules have no context for */
    FAST_MUTEX OwnersLock;
    _Guarded_by_(OwnersLock) ULONG OwnerCount;
    _Guarded_by_(OwnersLock) SINGLE_LIST_ENTRY Owners[PSCTX_OWNER_BUCKETS];
    PSCTX_EVENT_SESSION Events;
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
    PVOID volatile NextCounting; /* the next PSCTX_CONTEXT that counts: whoever listens links them */
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

/* core.c */
extern volatile LONG PsctxSessionCount; /* that have not ended */

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartCore(VOID);

/* session.c: how a session ends, whoever closes it sees to. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxBeginSession(_Outptr_ PPSCTX_SESSION *Session);
VOID PsctxReferenceSession(_Inout_ PPSCTX_SESSION Session);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxDereferenceSession(_Inout_ PPSCTX_SESSION Session);

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
    PsctxReferenceVolumeDevice(_In_ ULONG64 Handle, _Outptr_result_maybenull_ PDEVICE_OBJECT *VolumeDevice);

/* trim.c */
VOID PsctxTrimName(_In_ BOOLEAN Redirector, _Inout_ PUNICODE_STRING Name);

/* index.c */
#define PSCTX_SHARD_BITS 6u
#define PSCTX_SHARD_COUNT (1u << PSCTX_SHARD_BITS)

/* Secret, made when the driver starts; the second is odd. */
extern ULONG64 PsctxHashKey[2];

/* Spreads the address of a header over 64 bits, of which the highest choose its shard. Any IRQL. */
FORCEINLINE ULONG64 PsctxHashHeader(_In_ const VOID *Header)
{
    const ULONG64 product = ((ULONG64)(ULONG_PTR)Header ^ PsctxHashKey[0]) * PsctxHashKey[1];

    return (product ^ (product >> 32)) * PsctxHashKey[1];
}

/* A part of the index, chosen by a stream's header, and its lock. */
typedef struct _PSCTX_SHARD *PPSCTX_SHARD;

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

_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) PPSCTX_SHARD
    PsctxLockShard(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) VOID PsctxUnlockShard(_Inout_ PPSCTX_SHARD Shard);
_IRQL_requires_(APC_LEVEL) PLIST_ENTRY PsctxGetBucket(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) VOID
    PsctxBeginShardWalk(_Out_ PPSCTX_WALK Walk, _In_range_(0, PSCTX_SHARD_COUNT - 1) ULONG Number,
                        _In_ PSCTX_WALK_ORDER Order);
_IRQL_requires_(APC_LEVEL) PPSCTX_CONTEXT PsctxNextContext(_Inout_ PPSCTX_WALK Walk);
_IRQL_requires_(APC_LEVEL) VOID PsctxEndWalk(_Inout_ PPSCTX_WALK Walk);

/* context.c */
PPSCTX_TRACKING PsctxContextTracking(_In_ PPSCTX_CONTEXT Context);
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
_IRQL_requires_max_(APC_LEVEL) VOID PsctxFreeAnchoredContexts(VOID);
_IRQL_requires_(APC_LEVEL) PPSCTX_CONTEXT
    PsctxFindContext(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header,
                     _In_ const PSCTX_IDENTITY *Identity);
BOOLEAN PsctxIsOwnCallback(_In_ ULONG_PTR FreeCallback);

/* report.c. The context's shard is locked. */
_IRQL_requires_(APC_LEVEL) VOID PsctxReportContext(_In_ ULONG Type, _In_ PPSCTX_CONTEXT Context);

/*
 * What becomes of contexts that track, and of the files of volumes, told to whoever tracks: by the index, and by a front of the driver,
 * which know no more of it than this.
 *
 * An open is told of before the file system has it, when it has succeeded, and when it is over. What the listener knows of it meanwhile is in
 * a record that the front keeps.
 */
typedef struct _PSCTX_OPENED_NAME {
    const WCHAR *Characters;
    ULONG Count;
    ULONG Last;          /* where its last component begins */
    BOOLEAN HeadIsKnown; /* the file's own name begins with the same characters, but for case */
    BOOLEAN TailIsKnown; /* its last component ends with them */
} PSCTX_OPENED_NAME, *PPSCTX_OPENED_NAME;

typedef struct _PSCTX_OPEN {
    PSCTX_OPENED_NAME Name;
    PVOID NameMemory;
    PVOID Rules;
    PDEVICE_OBJECT VolumeDevice; /* the file system's device that the file is opened through: set by who opens */
} PSCTX_OPEN, *PPSCTX_OPEN;

/* A context that tracks is on its stream now, or is about to leave it; its shard is locked. */
typedef _IRQL_requires_(APC_LEVEL) VOID PSCTX_CONTEXT_CHANGED(_Inout_ PPSCTX_CONTEXT Context);

/* A file is about to be opened. FALSE, with nothing to be ended, if nobody wants to know more. */
typedef _IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PSCTX_OPEN_BEGINS(_In_ PFILE_OBJECT FileObject, _In_ ULONG CreateOptions,
                                                                 _In_ BOOLEAN Redirector, _Inout_ PPSCTX_OPEN Open);

/* It has been: Stream is NULL if it takes no contexts, and Name if the file system does not tell it. */
typedef _IRQL_requires_(PASSIVE_LEVEL) VOID
    PSCTX_OPEN_SUCCEEDS(_In_ const PSCTX_OPEN *Open, _In_opt_ const PSCTX_STREAM *Stream,
                        _In_opt_ PCUNICODE_STRING Name);
typedef _IRQL_requires_max_(APC_LEVEL) VOID PSCTX_OPEN_ENDS(_Inout_ PPSCTX_OPEN Open);

/* The last handle of an open is closed. */
typedef _IRQL_requires_max_(APC_LEVEL) VOID PSCTX_CLEANUP(_In_ PFILE_OBJECT FileObject);

/* So many bytes of a file are read or written. What the file object has for a context is not known to be a header. */
typedef _IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PSCTX_TRANSFER(_In_ PFILE_OBJECT FileObject, _In_ BOOLEAN Write, _In_ ULONG Length);

typedef struct _PSCTX_LISTENER {
    PSCTX_CONTEXT_CHANGED *Linked;
    PSCTX_CONTEXT_CHANGED *Unlinked;
    PSCTX_OPEN_BEGINS *OpenBegins;
    PSCTX_OPEN_SUCCEEDS *OpenSucceeds;
    PSCTX_OPEN_ENDS *OpenEnds;
    PSCTX_CLEANUP *Cleanup;
    PSCTX_TRANSFER *Transfer;
} PSCTX_LISTENER;

/* Who listens, set once when the driver starts, and whether there is anything to tell: read without a lock, changed by the listener. */
typedef struct _PSCTX_LISTENING {
    const PSCTX_LISTENER *Listener;
    volatile LONG Opens;     /* of rules: zero, and no open is told of */
    volatile LONG Cleanups;  /* of contexts that rules have brought: likewise */
    volatile LONG Transfers; /* of those that count: likewise */
} PSCTX_LISTENING;

extern PSCTX_LISTENING PsctxListening;

#endif
