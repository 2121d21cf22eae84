/*
 * The one contract between user mode and psctx.sys: device names, control codes, records, limits and version.
 *
 * Included by the driver, by the embedded kernel's clients and by the addon, in C and in C++.
 *
 * Rules that every record keeps:
 *   - fixed-width integers only: no pointer, HANDLE, bool or enumeration; a handle travels as a 64-bit integer, so that
 *     32-bit clients of a 64-bit kernel use the same records;
 *   - natural alignment, no implicit padding, size a multiple of 8, every size and offset asserted below;
 *   - every buffer opens with PSCTX_HEADER, and Header.Size is the exact length of the buffer: a byte more or less is
 *     an error;
 *   - Reserved members are zero, in requests and in replies;
 *   - lengths are in bytes; names are UTF-16LE without a terminator.
 */
#ifndef PSCTX_ABI_H
#define PSCTX_ABI_H

#include <stddef.h>

typedef unsigned char PSCTX_UINT8;
typedef unsigned short PSCTX_UINT16;
typedef unsigned int PSCTX_UINT32;
typedef unsigned long long PSCTX_UINT64;

#ifdef __cplusplus
#define PSCTX_STATIC_ASSERT(Condition) static_assert(Condition, #Condition)
#else
#define PSCTX_STATIC_ASSERT(Condition) _Static_assert(Condition, #Condition)
#endif

/* Changes whenever a record, a code or the meaning of one changes. */
#define PSCTX_ABI_VERSION 3u

/* Driver version, major.minor.patch in 8.8.16 bits. */
#define PSCTX_DRIVER_VERSION 0x01000000u

#define PSCTX_DEVICE_NAME L"\\Device\\PsCtx"
#define PSCTX_SYMBOLIC_LINK_NAME L"\\DosDevices\\PsCtx"
/*
 * The link as Win32 programs open it: in the system's own directory of links, which no link that a user makes for the own session stands
 * in for. Only where a system has no such directory, which ERROR_PATH_NOT_FOUND tells, is it opened by the name that every system has.
 */
#define PSCTX_WIN32_GLOBAL_NAME L"\\\\.\\Global\\PsCtx"
#define PSCTX_WIN32_NAME L"\\\\.\\PsCtx"

/* Limits. Those of a session are also told by PSCTX_IOCTL_QUERY_VERSION, so that a client need not be recompiled. */
#define PSCTX_MAXIMUM_DATA_LENGTH 65536u            /* bytes of data in one context */
#define PSCTX_MAXIMUM_NAME_LENGTH 65534u            /* bytes of a stream's name: 32 767 UTF-16 units */
#define PSCTX_MAXIMUM_CONTEXTS 2097152u             /* live contexts of one session */
#define PSCTX_MAXIMUM_PAGED_BYTES (1024ull << 20)   /* bytes of paged pool held by one session's contexts */
#define PSCTX_MAXIMUM_NONPAGED_BYTES (128ull << 20) /* bytes of nonpaged pool held by one session's contexts */
#define PSCTX_MAXIMUM_OWNERS 4096u                  /* owner keys of one session */
#define PSCTX_MAXIMUM_RULES 64u                     /* tracking rules of one session */
#define PSCTX_MAXIMUM_PATTERN_LENGTH 2048u          /* bytes of a tracking rule's pattern */
#define PSCTX_MAXIMUM_TRACKED_NAME_LENGTH 1024u     /* bytes of a name that a context of a rule keeps: its end */
#define PSCTX_MAXIMUM_BATCH_OPERATIONS 4096u        /* operations in one batch */
#define PSCTX_MAXIMUM_TRANSFER (1u << 20)           /* bytes of one request or one reply */
#define PSCTX_MINIMUM_EVENT_CAPACITY (256u << 10)   /* bytes of events that a subscription may ask to be kept */
#define PSCTX_MAXIMUM_EVENT_CAPACITY (16u << 20)
#define PSCTX_MAXIMUM_READERS 16u    /* of one session's events */
#define PSCTX_MAXIMUM_WAITS 16u      /* requests of one reader that wait for events */
#define PSCTX_MAXIMUM_SESSIONS 4096u /* open at once */

/*
 * Contexts on one stream, of every session. FsRtl looks for each from the head of the stream's list, under locks: this bounds what one
 * removal costs, and one look-up that misses, and for a session's end so many for each of its contexts, however those of several
 * sessions lie on a stream.
 */
#define PSCTX_MAXIMUM_STREAM_CONTEXTS 512u

/* What is no context: sessions, owners, rules, events that are kept, requests that wait for some. */
#define PSCTX_MAXIMUM_PAGED_RECORD_BYTES (64ull << 20)
#define PSCTX_MAXIMUM_NONPAGED_RECORD_BYTES (32ull << 20)

/*
 * A machine allows less where its memory is small, or its kernel a 32-bit one. All sessions together may have twice as many contexts and
 * bytes of them as one, and four times the bytes of records: contexts of ended sessions (PSCTX_LIFETIME_STREAM) are among those until
 * they are torn down.
 */
#define PSCTX_TOTAL_CONTEXTS_FACTOR 2u
#define PSCTX_TOTAL_RECORDS_FACTOR 4u

/* Contexts of tracking rules may take one half of what their session may have, in number and in bytes of each pool. */
#define PSCTX_TRACKED_SHARE 2u

/*
 * Operations. The same number names the operation in a record's header and, through PSCTX_CONTROL_CODE, the control code.
 * Access: R needs FILE_READ_DATA on the control handle, RW needs FILE_READ_DATA and FILE_WRITE_DATA (the I/O manager
 * answers STATUS_ACCESS_DENIED otherwise).
 */
#define PSCTX_OPERATION_QUERY_VERSION 0u    /* R   PSCTX_HEADER                  -> PSCTX_VERSION_REPLY */
#define PSCTX_OPERATION_QUERY_STATISTICS 1u /* R   PSCTX_HEADER                  -> PSCTX_STATISTICS_REPLY */
#define PSCTX_OPERATION_QUERY_STREAM 2u     /* R   PSCTX_STREAM_REQUEST          -> PSCTX_STREAM_REPLY */
#define PSCTX_OPERATION_INSERT 3u           /* RW  PSCTX_INSERT_REQUEST, data    -> PSCTX_INSERT_REPLY */
#define PSCTX_OPERATION_LOOKUP 4u           /* R   PSCTX_MATCH_REQUEST           -> PSCTX_CONTEXT_REPLY, data */
#define PSCTX_OPERATION_REMOVE 5u           /* RW  PSCTX_MATCH_REQUEST           -> PSCTX_CONTEXT_REPLY, data */
#define PSCTX_OPERATION_REMOVE_ALL 6u       /* RW  PSCTX_MATCH_REQUEST           -> PSCTX_COUNT_REPLY */
#define PSCTX_OPERATION_LIST 7u /* R   PSCTX_LIST_REQUEST            -> PSCTX_LIST_REPLY, PSCTX_LIST_ENTRYs */
#define PSCTX_OPERATION_BATCH \
    8u /* RW  PSCTX_BATCH_REQUEST, requests -> PSCTX_BATCH_REPLY, PSCTX_BATCH_RESULTs, replies */
#define PSCTX_OPERATION_LOOKUP_BATCH 9u /* R   the same; a changing operation in it gets STATUS_ACCESS_DENIED */
#define PSCTX_OPERATION_TRACK 10u       /* RW  PSCTX_TRACK_REQUEST, pattern  -> PSCTX_RULE_RECORD */
#define PSCTX_OPERATION_UNTRACK 11u     /* RW  PSCTX_RULE_RECORD             -> PSCTX_HEADER */
#define PSCTX_OPERATION_SUBSCRIBE 12u   /* R   PSCTX_SUBSCRIBE_REQUEST       -> PSCTX_HEADER */
#define PSCTX_OPERATION_WAIT 13u        /* R   PSCTX_HEADER                  -> PSCTX_WAIT_REPLY, PSCTX_EVENTs */
#define PSCTX_OPERATION_ENUMERATE \
    14u /* R   PSCTX_ENUMERATE_REQUEST       -> PSCTX_ENUMERATE_REPLY, PSCTX_LIST_ENTRYs */
#define PSCTX_OPERATION_LIST_VOLUMES \
    15u                             /* R   PSCTX_VOLUMES_REQUEST         -> PSCTX_VOLUMES_REPLY, PSCTX_VOLUME_ENTRYs */
#define PSCTX_OPERATION_INSPECT 16u /* R   PSCTX_STREAM_REQUEST          -> PSCTX_INSPECT_REPLY, PSCTX_INSPECT_ENTRYs */
#define PSCTX_OPERATION_QUERY_RULE 17u /* R   PSCTX_RULE_RECORD             -> PSCTX_RULE_REPLY */
#define PSCTX_OPERATION_COUNT 18u

/* CTL_CODE with a vendor's device type, METHOD_BUFFERED, functions from 0x800 on. */
#define PSCTX_DEVICE_TYPE 0x8A53u
#define PSCTX_FUNCTION_BASE 0x800u
#define PSCTX_ACCESS_READ 1u
#define PSCTX_ACCESS_READ_WRITE 3u
#define PSCTX_CONTROL_CODE(Operation, Access) \
    ((PSCTX_DEVICE_TYPE << 16) | ((Access) << 14) | ((PSCTX_FUNCTION_BASE + (Operation)) << 2))

#define PSCTX_IOCTL_QUERY_VERSION PSCTX_CONTROL_CODE(PSCTX_OPERATION_QUERY_VERSION, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_QUERY_STATISTICS PSCTX_CONTROL_CODE(PSCTX_OPERATION_QUERY_STATISTICS, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_QUERY_STREAM PSCTX_CONTROL_CODE(PSCTX_OPERATION_QUERY_STREAM, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_INSERT PSCTX_CONTROL_CODE(PSCTX_OPERATION_INSERT, PSCTX_ACCESS_READ_WRITE)
#define PSCTX_IOCTL_LOOKUP PSCTX_CONTROL_CODE(PSCTX_OPERATION_LOOKUP, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_REMOVE PSCTX_CONTROL_CODE(PSCTX_OPERATION_REMOVE, PSCTX_ACCESS_READ_WRITE)
#define PSCTX_IOCTL_REMOVE_ALL PSCTX_CONTROL_CODE(PSCTX_OPERATION_REMOVE_ALL, PSCTX_ACCESS_READ_WRITE)
#define PSCTX_IOCTL_LIST PSCTX_CONTROL_CODE(PSCTX_OPERATION_LIST, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_BATCH PSCTX_CONTROL_CODE(PSCTX_OPERATION_BATCH, PSCTX_ACCESS_READ_WRITE)
#define PSCTX_IOCTL_LOOKUP_BATCH PSCTX_CONTROL_CODE(PSCTX_OPERATION_LOOKUP_BATCH, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_TRACK PSCTX_CONTROL_CODE(PSCTX_OPERATION_TRACK, PSCTX_ACCESS_READ_WRITE)
#define PSCTX_IOCTL_UNTRACK PSCTX_CONTROL_CODE(PSCTX_OPERATION_UNTRACK, PSCTX_ACCESS_READ_WRITE)
#define PSCTX_IOCTL_SUBSCRIBE PSCTX_CONTROL_CODE(PSCTX_OPERATION_SUBSCRIBE, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_WAIT PSCTX_CONTROL_CODE(PSCTX_OPERATION_WAIT, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_ENUMERATE PSCTX_CONTROL_CODE(PSCTX_OPERATION_ENUMERATE, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_LIST_VOLUMES PSCTX_CONTROL_CODE(PSCTX_OPERATION_LIST_VOLUMES, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_INSPECT PSCTX_CONTROL_CODE(PSCTX_OPERATION_INSPECT, PSCTX_ACCESS_READ)
#define PSCTX_IOCTL_QUERY_RULE PSCTX_CONTROL_CODE(PSCTX_OPERATION_QUERY_RULE, PSCTX_ACCESS_READ)

/* What opens every buffer. */
typedef struct _PSCTX_HEADER {
    PSCTX_UINT32 Size;      /* of the whole buffer (of this record and what follows it, inside a batch) */
    PSCTX_UINT16 Version;   /* PSCTX_ABI_VERSION, else STATUS_REVISION_MISMATCH */
    PSCTX_UINT16 Operation; /* PSCTX_OPERATION_*, the one the control code names */
} PSCTX_HEADER;

/* How the driver hears of opens and requests: one image each. */
#define PSCTX_FRONT_LEGACY 0u     /* a legacy file system filter */
#define PSCTX_FRONT_MINIFILTER 1u /* a minifilter of Filter Manager */

typedef struct _PSCTX_VERSION_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 DriverVersion;
    PSCTX_UINT32 MaximumDataLength;
    PSCTX_UINT32 MaximumContexts;
    PSCTX_UINT32 MaximumOwners;
    PSCTX_UINT64 MaximumPagedBytes;
    PSCTX_UINT64 MaximumNonPagedBytes;
    PSCTX_UINT32 MaximumBatchOperations;
    PSCTX_UINT32 MaximumTransfer;
    PSCTX_UINT64
    Session; /* the asking session's number, unique while the driver is loaded: see PSCTX_SUBSCRIBE_REQUEST */
    PSCTX_UINT32 MaximumStreamContexts;
    PSCTX_UINT32 MaximumSessions;
    PSCTX_UINT64 MaximumPagedRecordBytes;
    PSCTX_UINT64 MaximumNonPagedRecordBytes;
    PSCTX_UINT32 MaximumReaders;
    PSCTX_UINT32 MaximumWaits;
    PSCTX_UINT32 Front; /* PSCTX_FRONT_* */
    PSCTX_UINT32 Reserved;
} PSCTX_VERSION_REPLY;

/* Counters: "Session" of the asking session since it was opened, "Total" of the driver now. */
typedef struct _PSCTX_STATISTICS_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT64 SessionContexts;      /* live now */
    PSCTX_UINT64 SessionPagedBytes;    /* held now, headers and names included */
    PSCTX_UINT64 SessionNonPagedBytes; /* likewise */
    PSCTX_UINT64 SessionInserted;
    PSCTX_UINT64 SessionRemoved;  /* by a request: remove, remove-all, replace */
    PSCTX_UINT64 SessionTornDown; /* freed by a file system through FreeCallback */
    PSCTX_UINT64 TotalContexts;   /* of every session, also of ended ones */
    PSCTX_UINT64 TotalPagedBytes;
    PSCTX_UINT64 TotalNonPagedBytes;
    PSCTX_UINT64 TotalSessions;              /* open now */
    PSCTX_UINT64 AttachedVolumes;            /* volume devices the filter is attached to */
    PSCTX_UINT64 AttachedFileSystems;        /* file-system control devices it is attached to */
    PSCTX_UINT64 SessionPagedRecordBytes;    /* held now by what is no context: owners, rules, events that are kept */
    PSCTX_UINT64 SessionNonPagedRecordBytes; /* likewise: the session, its reader, requests that wait */
    PSCTX_UINT64 TotalPagedRecordBytes;
    PSCTX_UINT64 TotalNonPagedRecordBytes;
    PSCTX_UINT64 SessionMissed; /* opens that the session's rules have no context for: see PSCTX_RULE_REPLY */
} PSCTX_STATISTICS_REPLY;

/* Asks about the stream that a handle of the calling process has open. */
typedef struct _PSCTX_STREAM_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Handle;
} PSCTX_STREAM_REQUEST;

/* Why a handle's stream can or cannot carry per-stream contexts. */
#define PSCTX_SUPPORT_YES 0u
#define PSCTX_SUPPORT_NOT_A_FILE_SYSTEM 1u /* a pipe, a socket, another driver's device: FsContext was not looked at */
#define PSCTX_SUPPORT_VOLUME 2u /* the volume, its disk or the file system itself is open, not a file stream */
#define PSCTX_SUPPORT_NO_STREAM_CONTEXT 3u  /* the file system set no FsContext */
#define PSCTX_SUPPORT_NO_ADVANCED_HEADER 4u /* FsContext is no FSRTL_ADVANCED_FCB_HEADER */
#define PSCTX_SUPPORT_NO_FILTER_CONTEXTS 5u /* FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS is clear, as on a paging file */
#define PSCTX_SUPPORT_LIST_NOT_INITIALIZED \
    6u /* the flag is set, and the list's head is zero: inserting would end the machine */

typedef struct _PSCTX_STREAM_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Support;       /* PSCTX_SUPPORT_* */
    PSCTX_UINT32 DeviceType;    /* FILE_DEVICE_* of the base device */
    PSCTX_UINT32 HeaderVersion; /* FSRTL_FCB_HEADER_V*; 0 unless Support is YES or NO_FILTER_CONTEXTS */
    PSCTX_UINT32 Reserved;
} PSCTX_STREAM_REPLY;

/* What to do when the owner already has a context with this instance on the stream. */
#define PSCTX_IF_EXISTS_FAIL 0u    /* STATUS_OBJECT_NAME_COLLISION */
#define PSCTX_IF_EXISTS_KEEP 1u    /* leave the one there */
#define PSCTX_IF_EXISTS_REPLACE 2u /* free the youngest one there; atomic, fails without a change */
#define PSCTX_IF_EXISTS_ADD 3u     /* hang a second one before it, as FsRtlInsertPerStreamContext would */

#define PSCTX_POOL_PAGED 0u
#define PSCTX_POOL_NONPAGED 1u

#define PSCTX_LIFETIME_SESSION 0u /* freed with the session, if not removed or torn down before */
#define PSCTX_LIFETIME_STREAM 1u  /* stays until removed or torn down, also when the session has ended */

/* Followed by DataLength bytes of data. */
typedef struct _PSCTX_INSERT_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Handle;
    PSCTX_UINT64 OwnerKey; /* the caller's choice; names an owner of this session only */
    PSCTX_UINT64 Instance; /* the caller's choice; tells an owner's contexts on one stream apart */
    PSCTX_UINT32 IfExists; /* PSCTX_IF_EXISTS_* */
    PSCTX_UINT32 Pool;     /* PSCTX_POOL_* */
    PSCTX_UINT32 Lifetime; /* PSCTX_LIFETIME_* */
    PSCTX_UINT32 DataLength;
} PSCTX_INSERT_REQUEST;

#define PSCTX_OUTCOME_INSERTED 0u
#define PSCTX_OUTCOME_KEPT 1u
#define PSCTX_OUTCOME_REPLACED 2u
#define PSCTX_OUTCOME_ADDED 3u

typedef struct _PSCTX_INSERT_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Outcome; /* PSCTX_OUTCOME_* */
    PSCTX_UINT32 Reserved;
    PSCTX_UINT64
    Sequence; /* of the context that is there now: unique while the driver is loaded, grows with every insertion */
} PSCTX_INSERT_REPLY;

/* Which context is meant; always the one nearest the head of the list, so the youngest. */
#define PSCTX_MATCH_INSTANCE 0u /* this owner and this instance */
#define PSCTX_MATCH_OWNER 1u    /* this owner, any instance */
#define PSCTX_MATCH_FIRST \
    2u /* lookup: the first on the stream, whoever's it is. remove-all: every owner of this session */

typedef struct _PSCTX_MATCH_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Handle;
    PSCTX_UINT64 OwnerKey; /* zero with PSCTX_MATCH_FIRST */
    PSCTX_UINT64 Instance; /* zero unless PSCTX_MATCH_INSTANCE */
    PSCTX_UINT32 Match;    /* PSCTX_MATCH_*; FIRST is not for remove */
    PSCTX_UINT32 Reserved;
} PSCTX_MATCH_REQUEST;

/* Whose the context is. Only of one's own is anything else told. */
#define PSCTX_HOLDER_SELF 0u
#define PSCTX_HOLDER_OTHER_SESSION 1u
#define PSCTX_HOLDER_OTHER_FILTER 2u

/*
 * Followed by DataLength bytes of data. Where the output buffer cannot take them, STATUS_BUFFER_OVERFLOW: this record alone
 * is returned, with DataLength as it is, and nothing has been removed.
 */
typedef struct _PSCTX_CONTEXT_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT64 Sequence;
    PSCTX_UINT32 Holder; /* PSCTX_HOLDER_*; every other member is zero unless SELF */
    PSCTX_UINT32 Pool;
    PSCTX_UINT32 Lifetime;
    PSCTX_UINT32 DataLength;
} PSCTX_CONTEXT_REPLY;

typedef struct _PSCTX_COUNT_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Count;
} PSCTX_COUNT_REPLY;

/*
 * Lists this session's contexts on a stream, youngest first: those with a sequence number below Before (zero: all). The list is the
 * driver's own record: a context in it that LOOKUP does not find is one that the file system has lost.
 */
typedef struct _PSCTX_LIST_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Handle;
    PSCTX_UINT64 Before;
} PSCTX_LIST_REQUEST;

/*
 * Followed by Count entries, as many as fit. Remaining says how many more match: ask again with Before = the last entry's
 * Sequence. STATUS_BUFFER_OVERFLOW, with Count zero and NextSize set, when not even the next entry fits.
 */
typedef struct _PSCTX_LIST_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Count;
    PSCTX_UINT32 Remaining;
    PSCTX_UINT32 NextSize; /* bytes of the first entry that did not fit, or zero */
    PSCTX_UINT32 Reserved;
} PSCTX_LIST_REPLY;

/*
 * Followed by a PSCTX_TRACKING if Tracked says so, NameLength bytes of name and padding to 8 bytes: the stream's full name as the I/O manager told it at insertion, or, for
 * a context of a tracking rule, the file's name on the volume as the file system told it when the file was first opened: the directories'
 * own spelling, whatever it was opened by, with ":stream" behind it for a named stream. A redirector's begins with the server.
 */
typedef struct _PSCTX_LIST_ENTRY {
    PSCTX_UINT32 Size; /* of this record and what follows it */
    PSCTX_UINT32 NameLength;
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT64 Sequence;
    PSCTX_UINT32 Pool;
    PSCTX_UINT32 Lifetime;
    PSCTX_UINT32 DataLength;
    PSCTX_UINT32 Tracked;  /* PSCTX_TRACKED_* */
    PSCTX_UINT64 Inserted; /* system time: 100 ns units since 1601, UTC */
    PSCTX_UINT32 Flags;    /* PSCTX_NAME_* */
    PSCTX_UINT32 Reserved;
} PSCTX_LIST_ENTRY;

#define PSCTX_NAME_TRUNCATED 1u /* the name is the end of one longer than PSCTX_MAXIMUM_TRACKED_NAME_LENGTH */

#define PSCTX_TRACKED_NO 0u
#define PSCTX_TRACKED_YES 1u     /* inserted by a tracking rule */
#define PSCTX_TRACKED_COUNTED 2u /* likewise, and it counts: a PSCTX_TRACKING stands between the entry and the name */

/* What was done with the stream since the context was inserted, through this filter. */
typedef struct _PSCTX_TRACKING {
    PSCTX_UINT64 Opens;    /* successful creates that matched, the first one included */
    PSCTX_UINT64 Cleanups; /* last handles of an open that were closed */
    PSCTX_UINT64 Reads;    /* requests, by IRP or fast I/O, that were not the memory manager's */
    PSCTX_UINT64 Writes;
    PSCTX_UINT64 BytesRead; /* asked for */
    PSCTX_UINT64 BytesWritten;
    PSCTX_UINT64 FirstProcessId; /* of the first and the last create */
    PSCTX_UINT64 LastProcessId;
} PSCTX_TRACKING;

/*
 * Followed by Count requests (INSERT, LOOKUP, REMOVE, REMOVE_ALL, QUERY_STREAM, LIST), each as it would stand alone and each
 * padded with zeros to a multiple of 8 bytes (Header.Size is without the padding).
 * ReplyCapacity is how many bytes of replies each one may produce at most, a multiple of 8.
 */
typedef struct _PSCTX_BATCH_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Count;
    PSCTX_UINT32 ReplyCapacity;
} PSCTX_BATCH_REQUEST;

/*
 * Followed by Count PSCTX_BATCH_RESULTs, then by one slot of ReplyCapacity bytes for each, in the same order. The output
 * buffer must have room for all of that, else STATUS_BUFFER_TOO_SMALL and nothing is done.
 */
typedef struct _PSCTX_BATCH_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Count;
    PSCTX_UINT32 Failed; /* how many have a Status that is not a success */
} PSCTX_BATCH_REPLY;

typedef struct _PSCTX_BATCH_RESULT {
    PSCTX_UINT32
    Status; /* NTSTATUS of this operation, as if it had been sent alone; STATUS_CANCELLED if the batch was cancelled before */
    PSCTX_UINT32 ReplySize; /* bytes of its reply in its slot; bytes of the slot past it are zero */
} PSCTX_BATCH_RESULT;

/*
 * Followed by PatternLength bytes: an expression of FsRtlIsNameInExpression, matched without regard to case against the name that the
 * file system tells of a file when it has been opened: see PSCTX_LIST_ENTRY.
 */
typedef struct _PSCTX_TRACK_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT64 VolumeHandle; /* a file of the volume that the rule is for, or zero: every volume */
    PSCTX_UINT32 PatternLength;
    PSCTX_UINT32 Flags; /* PSCTX_TRACK_* */
} PSCTX_TRACK_REQUEST;

#define PSCTX_TRACK_COUNT 1u /* the contexts count what is done with their streams: PSCTX_TRACKING */

typedef struct _PSCTX_RULE_RECORD {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Rule;
} PSCTX_RULE_RECORD;

/*
 * What a rule has done. It has missed an open if that matched, but no context could be inserted (a quota is used up, memory is short, the stream
 * or its file system takes none), or if it may have matched, but the file's name could not be told. Of several rules that name
 * one context, the first one inserts and misses; each of them matches.
 */
typedef struct _PSCTX_RULE_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Matched;  /* opens of files whose name matched */
    PSCTX_UINT64 Inserted; /* contexts */
    PSCTX_UINT64 Missed;   /* opens */
} PSCTX_RULE_REPLY;

/*
 * Makes the asking handle, once, the reader of another session's events: Session is the number that PSCTX_IOCTL_QUERY_VERSION told
 * in the same process (STATUS_NOT_FOUND otherwise, STATUS_INVALID_DEVICE_STATE the second time, STATUS_QUOTA_EXCEEDED beyond
 * PSCTX_MAXIMUM_READERS). From then on events of the
 * types asked for are kept until they are read, in at most Capacity bytes: the oldest are dropped, and counted.
 */
typedef struct _PSCTX_SUBSCRIBE_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Session;
    PSCTX_UINT32 Types;    /* bits by PSCTX_EVENT_*, not DROPPED, at least one */
    PSCTX_UINT32 Capacity; /* PSCTX_MINIMUM_EVENT_CAPACITY to PSCTX_MAXIMUM_EVENT_CAPACITY */
} PSCTX_SUBSCRIBE_REQUEST;

/* Of the session's own contexts */
#define PSCTX_EVENT_INSERTED 0u
#define PSCTX_EVENT_REMOVED 1u   /* by a request, or with a session that ended */
#define PSCTX_EVENT_TORN_DOWN 2u /* by the file system */
#define PSCTX_EVENT_TRACKED 3u   /* a create succeeded on a stream with a tracked context */
#define PSCTX_EVENT_CLEANUP 4u   /* the last handle of an open of such a stream was closed */
/* Of the filter */
#define PSCTX_EVENT_VOLUME_ATTACHED 5u
#define PSCTX_EVENT_VOLUME_DETACHED 6u
/* Of the reader: Count events that would have come here were dropped. Always told. */
#define PSCTX_EVENT_DROPPED 7u
/* Of a tracking rule: it has missed Count opens, one after another. Sequence is the rule's number. */
#define PSCTX_EVENT_MISSED 8u
#define PSCTX_EVENT_TYPES 0x17Fu

/* Followed by NameLength bytes of the stream's or the volume's device's name, and padding to 8 bytes. */
typedef struct _PSCTX_EVENT {
    PSCTX_UINT32 Size; /* of this record, the name and the padding */
    PSCTX_UINT32 Type; /* PSCTX_EVENT_* */
    PSCTX_UINT64
    Number; /* of this reader's events, from 1; dropped ones have had theirs. DROPPED: of the first event dropped */
    PSCTX_UINT64 Time; /* system time: 100 ns units since 1601, UTC */
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT64 Sequence;  /* the context's; MISSED: the rule's number */
    PSCTX_UINT64 Age;       /* REMOVED, TORN_DOWN: how long it was there, in 100 ns units */
    PSCTX_UINT64 Count;     /* DROPPED, MISSED */
    PSCTX_UINT64 ProcessId; /* INSERTED, REMOVED, TRACKED, CLEANUP: who asked for it; MISSED: who did last */
    PSCTX_UINT32 NameLength;
    PSCTX_UINT32 Flags; /* PSCTX_NAME_* */
} PSCTX_EVENT;

/* What one event takes at most, as its record says. The output of WAIT needs room for PSCTX_WAIT_REPLY and that. */
#define PSCTX_MAXIMUM_EVENT_SIZE (80u + PSCTX_MAXIMUM_NAME_LENGTH + 2u)

/*
 * Followed by Count events, as many as there are and fit. The request pends until there is one; it is ended by its cancellation
 * (STATUS_CANCELLED), by the close of its handle, and with the session that is watched (STATUS_FILE_CLOSED, when all
 * events have been read). STATUS_INVALID_DEVICE_STATE without a subscription.
 */
typedef struct _PSCTX_WAIT_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Count;
    PSCTX_UINT32 Reserved;
} PSCTX_WAIT_REPLY;

/*
 * Lists this session's contexts on every stream, or on those of one volume: as many as fit from a cursor on, which is zero at first
 * and then what the last reply said: two words that mean nothing outside the driver, and only to the session that was told them
 * (STATUS_INVALID_PARAMETER otherwise). A request that is cancelled has the page that it has come to. A context that is there from the first request to the last is told exactly once.
 */
typedef struct _PSCTX_ENUMERATE_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 VolumeHandle; /* a file of the volume, or zero: every volume */
    PSCTX_UINT64 Cursor[2];    /* PSCTX_ENUMERATE_REPLY.NextCursor */
} PSCTX_ENUMERATE_REQUEST;

/* Followed by Count entries. STATUS_BUFFER_OVERFLOW, with Count zero and NextSize set, when not even the next one fits. */
typedef struct _PSCTX_ENUMERATE_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT64 NextCursor[2]; /* both zero when that was all */
    PSCTX_UINT32 Count;
    PSCTX_UINT32 NextSize; /* bytes of the first entry that did not fit, or zero */
} PSCTX_ENUMERATE_REPLY;

/*
 * Lists the volumes that are mounted, attached or not: those with a number above After, as many as fit. A volume that could be
 * attached to and is not is tried first.
 */
typedef struct _PSCTX_VOLUMES_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 After;
} PSCTX_VOLUMES_REQUEST;

/* Followed by Count entries. Remaining says how many more there are. STATUS_BUFFER_OVERFLOW as in PSCTX_LIST_REPLY. */
typedef struct _PSCTX_VOLUMES_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Count;
    PSCTX_UINT32 Remaining;
    PSCTX_UINT32 NextSize;
    PSCTX_UINT32 Reserved;
} PSCTX_VOLUMES_REPLY;

/*
 * The number of a volume that is attached to is its attachment's: it grows, and none is used again while the driver is loaded. That of
 * another has this bit, is above all those, and is the same as long as the volume is mounted.
 */
#define PSCTX_VOLUME_UNATTACHED 0x8000000000000000ull

#define PSCTX_ATTACHMENT_YES 0u
#define PSCTX_ATTACHMENT_SNAPSHOT 1u /* a volume shadow copy is left alone */
#define PSCTX_ATTACHMENT_FAILED 2u   /* Status says why */

/* Followed by DeviceNameLength bytes, FileSystemLength bytes (the driver's name) and padding to 8 bytes. */
typedef struct _PSCTX_VOLUME_ENTRY {
    PSCTX_UINT32 Size;       /* of this record, both names and the padding */
    PSCTX_UINT32 Attachment; /* PSCTX_ATTACHMENT_* */
    PSCTX_UINT64 Number;     /* see above */
    PSCTX_UINT64 Contexts;   /* of every session, on streams of this volume */
    PSCTX_UINT64 Bytes;      /* that they take */
    PSCTX_UINT32 Status;     /* NTSTATUS of the attachment */
    PSCTX_UINT32 DeviceType; /* FILE_DEVICE_* */
    PSCTX_UINT32 TearsDown;  /* 1, or 0 where the file system's driver cannot tear contexts down */
    PSCTX_UINT32 Reserved;
    PSCTX_UINT32 DeviceNameLength; /* of the storage device, such as \Device\HarddiskVolume1 */
    PSCTX_UINT32 FileSystemLength; /* such as \FileSystem\Ntfs */
} PSCTX_VOLUME_ENTRY;

/*
 * Every context on the stream's list, whoever's it is, from its head. STATUS_NOT_SUPPORTED where the lock of the list is not known;
 * STATUS_BUFFER_OVERFLOW, with Count zero and Remaining set, when they do not all fit: ask again with more room. STATUS_DATA_ERROR: the
 * list is not linked both ways.
 */
typedef struct _PSCTX_INSPECT_REPLY {
    PSCTX_HEADER Header;
    PSCTX_UINT32 Count;
    PSCTX_UINT32
    Remaining; /* bytes of reply that would do, when they do not all fit; above PSCTX_MAXIMUM_TRANSFER if none would */
} PSCTX_INSPECT_REPLY;

#define PSCTX_OWNER_UNKNOWN 0u
#define PSCTX_OWNER_DEVICE \
    1u /* OwnerId lies in a device object of the stream's stack: OwnerName is its driver's name */
#define PSCTX_OWNER_DRIVER 2u /* OwnerId lies in a driver object of one of those: OwnerName is its name */

/*
 * Followed by ModuleLength bytes (the file name of the image that FreeCallback lies in), OwnerNameLength bytes and padding to 8 bytes.
 * No address of the kernel is told: a token is the same for the same OwnerId or InstanceId on every stream, and tells nothing else.
 */
typedef struct _PSCTX_INSPECT_ENTRY {
    PSCTX_UINT32 Size;   /* of this record, both names and the padding */
    PSCTX_UINT32 Holder; /* PSCTX_HOLDER_*: OwnerKey, Instance, Sequence, DataLength are zero unless SELF */
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT64 Sequence;
    PSCTX_UINT64 OwnerToken;     /* of ours: of the owner, not of OwnerId */
    PSCTX_UINT64 InstanceToken;  /* zero for a NULL InstanceId; of ours: of the owner and the instance */
    PSCTX_UINT64 CallbackOffset; /* of FreeCallback in its module; zero with ModuleLength zero */
    PSCTX_UINT32 DataLength;
    PSCTX_UINT32 OwnerKind; /* PSCTX_OWNER_* */
    PSCTX_UINT32 ModuleLength;
    PSCTX_UINT32 OwnerNameLength;
} PSCTX_INSPECT_ENTRY;

PSCTX_STATIC_ASSERT(sizeof(PSCTX_UINT32) == 4 && sizeof(PSCTX_UINT64) == 8);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_HEADER) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_HEADER, Version) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_HEADER, Operation) == 6);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_VERSION_REPLY) == 96);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, DriverVersion) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumDataLength) == 12);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumContexts) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumOwners) == 20);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumPagedBytes) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumNonPagedBytes) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumBatchOperations) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumTransfer) == 44);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, Session) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumStreamContexts) == 56);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumSessions) == 60);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumPagedRecordBytes) == 64);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumNonPagedRecordBytes) == 72);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumReaders) == 80);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumWaits) == 84);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, Front) == 88);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_STATISTICS_REPLY) == 144);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionContexts) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionPagedBytes) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionNonPagedBytes) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionInserted) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionRemoved) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionTornDown) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, TotalContexts) == 56);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, TotalPagedBytes) == 64);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, TotalNonPagedBytes) == 72);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, TotalSessions) == 80);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, AttachedVolumes) == 88);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, AttachedFileSystems) == 96);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionPagedRecordBytes) == 104);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionNonPagedRecordBytes) == 112);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, TotalPagedRecordBytes) == 120);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, TotalNonPagedRecordBytes) == 128);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STATISTICS_REPLY, SessionMissed) == 136);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_STREAM_REQUEST) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STREAM_REQUEST, Handle) == 8);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_STREAM_REPLY) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STREAM_REPLY, Support) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STREAM_REPLY, DeviceType) == 12);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STREAM_REPLY, HeaderVersion) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_STREAM_REPLY, Reserved) == 20);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_INSERT_REQUEST) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, Handle) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, OwnerKey) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, Instance) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, IfExists) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, Pool) == 36);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, Lifetime) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REQUEST, DataLength) == 44);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_INSERT_REPLY) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REPLY, Outcome) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REPLY, Reserved) == 12);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSERT_REPLY, Sequence) == 16);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_MATCH_REQUEST) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_MATCH_REQUEST, Handle) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_MATCH_REQUEST, OwnerKey) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_MATCH_REQUEST, Instance) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_MATCH_REQUEST, Match) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_MATCH_REQUEST, Reserved) == 36);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_CONTEXT_REPLY) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, OwnerKey) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, Instance) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, Sequence) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, Holder) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, Pool) == 36);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, Lifetime) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_CONTEXT_REPLY, DataLength) == 44);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_COUNT_REPLY) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_COUNT_REPLY, Count) == 8);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_LIST_REQUEST) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_REQUEST, Handle) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_REQUEST, Before) == 16);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_LIST_REPLY) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_REPLY, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_REPLY, Remaining) == 12);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_REPLY, NextSize) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_REPLY, Reserved) == 20);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_LIST_ENTRY) == 64);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, NameLength) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, OwnerKey) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Instance) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Sequence) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Pool) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Lifetime) == 36);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, DataLength) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Tracked) == 44);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Inserted) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Flags) == 56);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Reserved) == 60);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_BATCH_REQUEST) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REQUEST, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REQUEST, ReplyCapacity) == 12);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_BATCH_REPLY) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REPLY, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REPLY, Failed) == 12);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_BATCH_RESULT) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_RESULT, ReplySize) == 4);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_TRACK_REQUEST) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, OwnerKey) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, Instance) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, VolumeHandle) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, PatternLength) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, Flags) == 36);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_RULE_RECORD) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_RULE_RECORD, Rule) == 8);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_RULE_REPLY) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_RULE_REPLY, Matched) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_RULE_REPLY, Inserted) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_RULE_REPLY, Missed) == 24);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_TRACKING) == 64);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, Cleanups) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, Reads) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, Writes) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, BytesRead) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, BytesWritten) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, FirstProcessId) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACKING, LastProcessId) == 56);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_SUBSCRIBE_REQUEST) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_SUBSCRIBE_REQUEST, Session) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_SUBSCRIBE_REQUEST, Types) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_SUBSCRIBE_REQUEST, Capacity) == 20);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_EVENT) == 80);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Type) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Number) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Time) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, OwnerKey) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Instance) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Sequence) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Age) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Count) == 56);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, ProcessId) == 64);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, NameLength) == 72);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_EVENT, Flags) == 76);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_WAIT_REPLY) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_WAIT_REPLY, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_WAIT_REPLY, Reserved) == 12);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_ENUMERATE_REQUEST) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_ENUMERATE_REQUEST, VolumeHandle) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_ENUMERATE_REQUEST, Cursor) == 16);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_ENUMERATE_REPLY) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_ENUMERATE_REPLY, NextCursor) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_ENUMERATE_REPLY, Count) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_ENUMERATE_REPLY, NextSize) == 28);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_VOLUMES_REQUEST) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUMES_REQUEST, After) == 8);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_VOLUMES_REPLY) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUMES_REPLY, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUMES_REPLY, Remaining) == 12);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUMES_REPLY, NextSize) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUMES_REPLY, Reserved) == 20);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_VOLUME_ENTRY) == 56);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, Attachment) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, Number) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, Contexts) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, Bytes) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, Status) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, DeviceType) == 36);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, TearsDown) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, Reserved) == 44);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, DeviceNameLength) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VOLUME_ENTRY, FileSystemLength) == 52);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_INSPECT_REPLY) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_REPLY, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_REPLY, Remaining) == 12);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_INSPECT_ENTRY) == 72);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, Holder) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, OwnerKey) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, Instance) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, Sequence) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, OwnerToken) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, InstanceToken) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, CallbackOffset) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, DataLength) == 56);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, OwnerKind) == 60);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, ModuleLength) == 64);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_INSPECT_ENTRY, OwnerNameLength) == 68);

#endif
