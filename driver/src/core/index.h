/*
 * What the files of the core share: the shards of the index, and how contexts come into it and out of it.
 */
#ifndef PSCTX_INDEX_H
#define PSCTX_INDEX_H

#include "core/core.h"

#define PSCTX_FIRST_BUCKET_BITS 5

/* The counts are read without the lock, as hints. */
typedef struct DECLSPEC_CACHEALIGN _PSCTX_SHARD {
    FAST_MUTEX Lock;
    _Guarded_by_(Lock) PLIST_ENTRY Buckets; /* 2^BucketBits lists of contexts */
    _Write_guarded_by_(Lock) volatile LONG BucketBits;
    _Write_guarded_by_(Lock) volatile LONG ContextCount;
    _Guarded_by_(Lock) LIST_ENTRY Contexts; /* all of them, oldest first: in the order of Sequence */
    _Guarded_by_(Lock) LIST_ENTRY Walks;    /* through its contexts, that are under way */
    _Guarded_by_(Lock) BOOLEAN Delivers;    /* whoever unlocks it delivers events */
    _Guarded_by_(Lock) LIST_ENTRY FirstBuckets[1 << PSCTX_FIRST_BUCKET_BITS]; /* while these are enough */
} PSCTX_SHARD;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartIndex(VOID);
_IRQL_requires_(APC_LEVEL) ULONG PsctxCountOnStream(_In_ PPSCTX_SHARD Shard, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) VOID PsctxAddToIndex(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_(APC_LEVEL) VOID PsctxRemoveFromIndex(_Inout_ PPSCTX_SHARD Shard, _Inout_ PPSCTX_CONTEXT Context);
_IRQL_requires_(APC_LEVEL) VOID PsctxDeliverAfterUnlock(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxFitIndex(_In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_max_(APC_LEVEL) _IRQL_raises_(APC_LEVEL) VOID
    PsctxBeginStreamWalk(_Out_ PPSCTX_WALK Walk, _In_ PFSRTL_ADVANCED_FCB_HEADER Header);
_IRQL_requires_(APC_LEVEL) VOID
    PsctxBeginInnerWalk(_Out_ PPSCTX_WALK Walk, _In_ const PSCTX_WALK *Outer, _In_ PPSCTX_CONTEXT First);
_IRQL_requires_(APC_LEVEL) VOID PsctxEndInnerWalk(_Inout_ PPSCTX_WALK Walk, _Inout_ PPSCTX_WALK Outer);

/* core.c */
extern volatile LONG64 PsctxSequence; /* of the youngest context */

/* session.c */
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxGetOwner(_Inout_ PPSCTX_SESSION Session, _In_ ULONG64 Key, _Outptr_ PPSCTX_OWNER *Owner);

/* context.c */
PUCHAR PsctxContextName(_In_ PPSCTX_CONTEXT Context);

#endif
