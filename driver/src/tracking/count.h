/*
 * Counting, for the files that track: the table of contexts of rules by their streams' headers, and what is told of those streams. How many
 * there are of them, and of those that count, tells a front whether there is anything to tell; a bucket does so of a stream.
 */
#ifndef PSCTX_COUNT_H
#define PSCTX_COUNT_H

#include "core/core.h"

#define PSCTX_TRACKED_BITS 11u
#define PSCTX_TRACKED_BUCKETS (1u << PSCTX_TRACKED_BITS)
#define PSCTX_TRACKED_LOCKS 64u

typedef struct _PSCTX_TRACKED_BUCKET {
    PVOID volatile Counting; /* the first of its PSCTX_CONTEXTs that count, linked by NextCounting */
    volatile LONG Tracked;   /* how many contexts of rules, those that do not count among them */
} PSCTX_TRACKED_BUCKET, *PPSCTX_TRACKED_BUCKET;

/* Guards the contexts that count of some buckets. */
typedef struct DECLSPEC_CACHEALIGN _PSCTX_TRACKED_LOCK {
    KSPIN_LOCK Lock;
} PSCTX_TRACKED_LOCK, *PPSCTX_TRACKED_LOCK;

extern PSCTX_TRACKED_BUCKET PsctxTracked[PSCTX_TRACKED_BUCKETS];
extern PSCTX_TRACKED_LOCK PsctxTrackedLocks[PSCTX_TRACKED_LOCKS];

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartCounts(VOID);
_IRQL_requires_max_(APC_LEVEL) BOOLEAN
    PsctxNoteOpen(_In_ PFSRTL_ADVANCED_FCB_HEADER Header, _In_ const PSCTX_IDENTITY *Identity);

/* Contexts of tracking rules start to count when they are linked, and stop before they are given up. */
PSCTX_CONTEXT_CHANGED PsctxStartCounting;
PSCTX_CONTEXT_CHANGED PsctxStopCounting;

PSCTX_CLEANUP PsctxNoteCleanup;
PSCTX_TRANSFER PsctxCountTransfer;

FORCEINLINE ULONG PsctxTrackedBucketNumber(_In_ const VOID *Header)
{
    return (ULONG)(PsctxHashHeader(Header) >> (64u - PSCTX_TRACKED_BITS));
}

#endif
