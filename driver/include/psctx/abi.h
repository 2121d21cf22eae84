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
#define PSCTX_ABI_VERSION 1u

/* Driver version, major.minor.patch in 8.8.16 bits. */
#define PSCTX_DRIVER_VERSION 0x01000000u

#define PSCTX_DEVICE_NAME L"\\Device\\PsCtx"
#define PSCTX_SYMBOLIC_LINK_NAME L"\\DosDevices\\PsCtx"
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
#define PSCTX_MAXIMUM_BATCH_OPERATIONS 4096u        /* operations in one batch */
#define PSCTX_MAXIMUM_TRANSFER (1u << 20)           /* bytes of one request or one reply */

/* What every session together may hold: contexts of ended sessions (PSCTX_LIFETIME_STREAM) count here until torn down. */
#define PSCTX_MAXIMUM_TOTAL_CONTEXTS (2u * PSCTX_MAXIMUM_CONTEXTS)
#define PSCTX_MAXIMUM_TOTAL_PAGED_BYTES (2u * PSCTX_MAXIMUM_PAGED_BYTES)
#define PSCTX_MAXIMUM_TOTAL_NONPAGED_BYTES (2u * PSCTX_MAXIMUM_NONPAGED_BYTES)

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
#define PSCTX_OPERATION_COUNT 12u

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

/* What opens every buffer. */
typedef struct _PSCTX_HEADER {
    PSCTX_UINT32 Size;      /* of the whole buffer (of this record and what follows it, inside a batch) */
    PSCTX_UINT16 Version;   /* PSCTX_ABI_VERSION, else STATUS_REVISION_MISMATCH */
    PSCTX_UINT16 Operation; /* PSCTX_OPERATION_*, the one the control code names */
} PSCTX_HEADER;

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
    PSCTX_UINT64 TotalSessions;       /* open now */
    PSCTX_UINT64 AttachedVolumes;     /* volume devices the filter is attached to */
    PSCTX_UINT64 AttachedFileSystems; /* file-system control devices it is attached to */
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
 * Followed by NameLength bytes of name and padding to 8 bytes: the stream's full name as the I/O manager told it at insertion, or, for
 * a context of a tracking rule, the name on the volume that the stream was opened by.
 */
typedef struct _PSCTX_LIST_ENTRY {
    PSCTX_UINT32 Size; /* of this record, the name and the padding */
    PSCTX_UINT32 NameLength;
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT64 Sequence;
    PSCTX_UINT32 Pool;
    PSCTX_UINT32 Lifetime;
    PSCTX_UINT32 DataLength;
    PSCTX_UINT32 Reserved;
} PSCTX_LIST_ENTRY;

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
    PSCTX_UINT32 Status;    /* NTSTATUS of this operation, as if it had been sent alone */
    PSCTX_UINT32 ReplySize; /* bytes of its reply in its slot; bytes of the slot past it are zero */
} PSCTX_BATCH_RESULT;

/* Followed by PatternLength bytes: an expression of FsRtlIsNameInExpression, matched without regard to case. */
typedef struct _PSCTX_TRACK_REQUEST {
    PSCTX_HEADER Header;
    PSCTX_UINT64 OwnerKey;
    PSCTX_UINT64 Instance;
    PSCTX_UINT32 PatternLength;
    PSCTX_UINT32 Reserved;
} PSCTX_TRACK_REQUEST;

typedef struct _PSCTX_RULE_RECORD {
    PSCTX_HEADER Header;
    PSCTX_UINT64 Rule;
} PSCTX_RULE_RECORD;

PSCTX_STATIC_ASSERT(sizeof(PSCTX_UINT32) == 4 && sizeof(PSCTX_UINT64) == 8);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_HEADER) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_HEADER, Version) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_HEADER, Operation) == 6);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_VERSION_REPLY) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, DriverVersion) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumDataLength) == 12);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumContexts) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumOwners) == 20);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumPagedBytes) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumNonPagedBytes) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumBatchOperations) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_VERSION_REPLY, MaximumTransfer) == 44);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_STATISTICS_REPLY) == 104);
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

PSCTX_STATIC_ASSERT(sizeof(PSCTX_LIST_ENTRY) == 48);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, NameLength) == 4);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, OwnerKey) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Instance) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Sequence) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Pool) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Lifetime) == 36);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, DataLength) == 40);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_LIST_ENTRY, Reserved) == 44);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_BATCH_REQUEST) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REQUEST, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REQUEST, ReplyCapacity) == 12);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_BATCH_REPLY) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REPLY, Count) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_REPLY, Failed) == 12);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_BATCH_RESULT) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_BATCH_RESULT, ReplySize) == 4);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_TRACK_REQUEST) == 32);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, OwnerKey) == 8);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, Instance) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, PatternLength) == 24);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_TRACK_REQUEST, Reserved) == 28);

PSCTX_STATIC_ASSERT(sizeof(PSCTX_RULE_RECORD) == 16);
PSCTX_STATIC_ASSERT(offsetof(PSCTX_RULE_RECORD, Rule) == 8);

#endif
