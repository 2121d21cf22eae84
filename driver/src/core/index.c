/*
 * The index of our contexts by stream: a hash table of FCB headers in shards, each with a lock and buckets that grow and shrink with it.
 *
 * The hash is under a key that is made when the driver starts, so that neither the order in which contexts are enumerated nor how long a
 * look-up takes tells of a header's address, and nobody can choose streams that fall into one bucket.
 */
#include "core/index.h"

#define PSCTX_LAST_BUCKET_BITS 16
#define PSCTX_CONTEXTS_PER_BUCKET 1 /* at most, where there is memory for more buckets */
#define PSCTX_BUCKETS_PER_CONTEXT 8 /* at most, likewise */

/*
 * How many contexts may be looked at while a shard is locked, where all of them are. FsRtl may pass PSCTX_MAXIMUM_STREAM_CONTEXTS entries
 * for each that is removed.
 */
#define PSCTX_EXAMINED_PER_HOLD 128u

ULONG64 PsctxHashKey[2];

static PSCTX_SHARD PsctxShards[PSCTX_SHARD_COUNT];

/* Of the hash, the highest bits choose the shard, and the next ones the bucket. */
static ULONG PsctxBucketNumber(_In_ PFSRTL_ADVANCED_FCB_HEADER Header, _In_ LONG BucketBits)
{
    return (ULONG)((PsctxHashHeader(Header) << PSCTX_SHARD_BITS) >> (64 - BucketBits));
}

static PPSCTX_SHARD PsctxShardOf(_In_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    return &PsctxShards[PsctxHashHeader(Header) >> (64u - PSCTX_SHARD_BITS)];
}

PSCTX_PAGE static VOID PsctxInitializeBuckets(_Out_writes_(1 << BucketBits) PLIST_ENTRY Buckets, _In_ LONG BucketBits)
{
    LONG index;

    PAGED_CODE();

    for (index = 0; index < 1 << BucketBits; index += 1) {
        InitializeListHead(&Buckets[index]);
    }
}

/*
 * Makes the empty index, whose first buckets are its shards' own.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStartIndex(VOID)
{
    ULONG index;

    PAGED_CODE();

    PsctxMakeKey(PsctxHashKey);
    PsctxHashKey[1] |= 1; /* what is multiplied by it can be told apart */
    for (index = 0; index < PSCTX_SHARD_COUNT; index += 1) {
        const PPSCTX_SHARD shard = &PsctxShards[index];

        ExInitializeFastMutex(&shard->Lock);
        InitializeListHead(&shard->Contexts);
        InitializeListHead(&shard->Walks);
        shard->BucketBits = PSCTX_FIRST_BUCKET_BITS;
        shard->Buckets = shard->FirstBuckets;
        PsctxInitializeBuckets(shard->FirstBuckets, PSCTX_FIRST_BUCKET_BITS);
    }
}

/*
 * Gives a shard's buckets back, unless they are its own. The shard is locked, or nobody's.
 */
PSCTX_PAGE static VOID PsctxFreeBuckets(_In_ PPSCTX_SHARD Shard, _In_opt_ PLIST_ENTRY Buckets)
{
    PAGED_CODE();

    if (Buckets != Shard->FirstBuckets) {
        PsctxFree(Buckets);
    }
}

/*
 * Locks a shard in a critical region, and leaves both. Who unlocks delivers the events of what was done meanwhile before the region ends:
 * where the mutex is released a suspension is delivered otherwise, and the event's reader waits for as long as that lasts.
 */
PSCTX_PAGE static VOID PsctxAcquireShard(_Inout_ PPSCTX_SHARD Shard)
{
    KeEnterCriticalRegion();
    ExAcquireFastMutex(&Shard->Lock);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnlockShard(PPSCTX_SHARD Shard)
{
    const BOOLEAN delivers = Shard->Delivers;

    Shard->Delivers = FALSE;
    ExReleaseFastMutex(&Shard->Lock);
    if (delivers) {
        PsctxDeliverEvents();
    }
    KeLeaveCriticalRegion();
}

/*
 * Locks the shard of a stream. Raises to APC_LEVEL until PsctxUnlockShard.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_SHARD PsctxLockShard(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    const PPSCTX_SHARD shard = PsctxShardOf(Header);

    PsctxAcquireShard(shard);
    return shard;
}

/*
 * Somebody waits for an event of this stream, whose shard is locked: it is delivered when that is unlocked.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxDeliverAfterUnlock(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PAGED_CODE();

    PsctxShardOf(Header)->Delivers = TRUE;
}

/*
 * The bucket of a stream in its shard, which is locked: its contexts, youngest first, among those of other streams.
 */
PSCTX_PAGE _Use_decl_annotations_ PLIST_ENTRY PsctxGetBucket(PPSCTX_SHARD Shard, PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PAGED_CODE();

    return &Shard->Buckets[PsctxBucketNumber(Header, Shard->BucketBits)];
}

/*
 * The youngest context of a stream among the entries of its bucket from this one on, or NULL. The shard is locked.
 */
_IRQL_requires_(APC_LEVEL) PSCTX_PAGE static PPSCTX_CONTEXT
    PsctxFirstInBucket(_In_ PLIST_ENTRY Bucket, _In_ PLIST_ENTRY Entry, _In_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PAGED_CODE();

    for (; Entry != Bucket; Entry = Entry->Flink) {
        const PPSCTX_CONTEXT context = CONTAINING_RECORD(Entry, PSCTX_CONTEXT, Links);

        if (context->Header == Header) {
            return context;
        }
    }
    return NULL;
}

/*
 * How many contexts of every session a stream has. The shard is locked.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxCountOnStream(PPSCTX_SHARD Shard, PFSRTL_ADVANCED_FCB_HEADER Header)
{
    const PLIST_ENTRY bucket = PsctxGetBucket(Shard, Header);
    const PPSCTX_CONTEXT youngest = PsctxFirstInBucket(bucket, bucket->Flink, Header);

    PAGED_CODE();

    return youngest == NULL ? 0 : youngest->StreamCount;
}

/*
 * Has a walk come next to the context behind the one that it was to come to. The shard is locked. A stream's walk comes to none of other
 * streams: those are in another bucket when the index has grown or shrunk.
 */
_IRQL_requires_(APC_LEVEL) PSCTX_PAGE static VOID PsctxStepWalk(_Inout_ PPSCTX_WALK Walk)
{
    PLIST_ENTRY entry;
    PLIST_ENTRY end;

    PAGED_CODE();

    if (Walk->Order == PsctxStreamYoungestFirst) {
        Walk->Next =
            PsctxFirstInBucket(PsctxGetBucket(Walk->Shard, Walk->Header), Walk->Next->Links.Flink, Walk->Header);
    } else {
        entry = Walk->Order == PsctxShardOldestFirst ? Walk->Next->ShardLinks.Flink : Walk->Next->ShardLinks.Blink;
        end = &Walk->Shard->Contexts;
        Walk->Next = entry == end ? NULL : CONTAINING_RECORD(entry, PSCTX_CONTEXT, ShardLinks);
    }
}

/*
 * Puts a context before the older ones of its stream and behind those of its shard, and takes one out. The shard is locked.
 *
 * A stream's youngest context knows how many it has. A walk that was to come to the context goes on behind it. With its last context a
 * shard goes back to its own buckets, for which no memory is needed: this runs where a file system tears a stream down.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAddToIndex(PPSCTX_SHARD Shard, PPSCTX_CONTEXT Context)
{
    PAGED_CODE();

    Context->StreamCount = PsctxCountOnStream(Shard, Context->Header) + 1;
    InsertHeadList(PsctxGetBucket(Shard, Context->Header), &Context->Links);
    InsertTailList(&Shard->Contexts, &Context->ShardLinks);
    InterlockedIncrement(&Shard->ContextCount);
    if (Context->Tracked != PSCTX_TRACKED_NO) {
        PsctxListening.Listener->Linked(Context);
    }
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxRemoveFromIndex(PPSCTX_SHARD Shard, PPSCTX_CONTEXT Context)
{
    const PLIST_ENTRY bucket = PsctxGetBucket(Shard, Context->Header);
    const PPSCTX_CONTEXT youngest = PsctxFirstInBucket(bucket, bucket->Flink, Context->Header);
    PLIST_ENTRY entry;

    PAGED_CODE();

    for (entry = Shard->Walks.Flink; entry != &Shard->Walks; entry = entry->Flink) {
        const PPSCTX_WALK walk = CONTAINING_RECORD(entry, PSCTX_WALK, Links);

        if (walk->Next == Context) {
            PsctxStepWalk(walk);
        }
    }
    if (youngest == Context) {
        const PPSCTX_CONTEXT next = PsctxFirstInBucket(bucket, Context->Links.Flink, Context->Header);

        if (next != NULL) {
            next->StreamCount = Context->StreamCount - 1;
        }
    } else {
        youngest->StreamCount -= 1;
    }
    RemoveEntryList(&Context->Links);
    RemoveEntryList(&Context->ShardLinks);
    InterlockedDecrement(&Shard->ContextCount);
    if (Context->Tracked != PSCTX_TRACKED_NO) {
        PsctxListening.Listener->Unlinked(Context);
    }

    if (Shard->ContextCount == 0 && Shard->Buckets != Shard->FirstBuckets) {
        PsctxFree(Shard->Buckets);
        Shard->Buckets = Shard->FirstBuckets;
        InterlockedExchange(&Shard->BucketBits, PSCTX_FIRST_BUCKET_BITS);
        PsctxInitializeBuckets(Shard->FirstBuckets, PSCTX_FIRST_BUCKET_BITS);
    }
}

/*
 * How many buckets a shard should have, as their number's logarithm: as many as now, unless they are crowded or mostly empty.
 */
static LONG PsctxFitBits(_In_ LONG Count, _In_ LONG Bits)
{
    LONG fit = PSCTX_FIRST_BUCKET_BITS;

    if (Count >> Bits < PSCTX_CONTEXTS_PER_BUCKET && Count >= (1 << Bits) / PSCTX_BUCKETS_PER_CONTEXT) {
        return Bits;
    }
    while (fit < PSCTX_LAST_BUCKET_BITS && Count > 1 << fit) {
        fit += 1;
    }
    return fit;
}

/*
 * Gives a shard more buckets if they have become crowded, or fewer if most are empty. Called when it is not locked, since memory is
 * allocated; it may have changed meanwhile. Without memory it stays as it is.
 *
 * The order of a stream's contexts stays: they are taken from the head and put at the tail.
 */
PSCTX_PAGE static VOID PsctxFitShard(_Inout_ PPSCTX_SHARD Shard)
{
    const LONG oldBits = ReadNoFence(&Shard->BucketBits);
    const LONG bits = PsctxFitBits(ReadNoFence(&Shard->ContextCount), oldBits);
    PLIST_ENTRY buckets;
    LONG index;

    PAGED_CODE();

    if (bits == oldBits) {
        return;
    }
    buckets =
        bits == PSCTX_FIRST_BUCKET_BITS ? Shard->FirstBuckets : PsctxAllocate(PagedPool, sizeof(LIST_ENTRY) << bits);
    if (buckets == NULL) {
        return;
    }

    PsctxAcquireShard(Shard);
    if (Shard->BucketBits == oldBits && PsctxFitBits(Shard->ContextCount, oldBits) != oldBits) {
        const PLIST_ENTRY old = Shard->Buckets;

        PsctxInitializeBuckets(buckets, bits);
        for (index = 0; index < 1 << oldBits; index += 1) {
            while (!IsListEmpty(&old[index])) {
                const PLIST_ENTRY entry = RemoveHeadList(&old[index]);
                const PPSCTX_CONTEXT context = CONTAINING_RECORD(entry, PSCTX_CONTEXT, Links);

                InsertTailList(&buckets[PsctxBucketNumber(context->Header, bits)], entry);
            }
        }
        Shard->Buckets = buckets;
        InterlockedExchange(&Shard->BucketBits, bits);
        buckets = old;
    }
    PsctxFreeBuckets(Shard, buckets);
    PsctxUnlockShard(Shard);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFitIndex(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PAGED_CODE();

    PsctxFitShard(PsctxShardOf(Header));
}

/*
 * Begins to walk through the contexts of a shard, or of a stream, whose header the caller keeps. The shard is locked until PsctxEndWalk,
 * but for moments between two contexts, in which others may change what is there: a context that is there all the time is come to once.
 */
PSCTX_PAGE static VOID PsctxBeginWalk(_Out_ PPSCTX_WALK Walk, _Inout_ PPSCTX_SHARD Shard, _In_ PSCTX_WALK_ORDER Order,
                                      _In_opt_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PLIST_ENTRY entry;

    Walk->Shard = Shard;
    Walk->Order = Order;
    Walk->Header = Header;
    Walk->Examined = 0;
    Walk->Next = NULL;

    PsctxAcquireShard(Shard);
    InsertTailList(&Shard->Walks, &Walk->Links);
    if (Order == PsctxStreamYoungestFirst) {
        const PLIST_ENTRY bucket = PsctxGetBucket(Shard, Header);

        Walk->Next = PsctxFirstInBucket(bucket, bucket->Flink, Header);
    } else if (!IsListEmpty(&Shard->Contexts)) {
        entry = Order == PsctxShardOldestFirst ? Shard->Contexts.Flink : Shard->Contexts.Blink;
        Walk->Next = CONTAINING_RECORD(entry, PSCTX_CONTEXT, ShardLinks);
    }
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxBeginShardWalk(PPSCTX_WALK Walk, ULONG Number, PSCTX_WALK_ORDER Order)
{
    PsctxBeginWalk(Walk, &PsctxShards[Number], Order, NULL);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxBeginStreamWalk(PPSCTX_WALK Walk, PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PsctxBeginWalk(Walk, PsctxShardOf(Header), PsctxStreamYoungestFirst, Header);
}

/*
 * The next context, which the shard's lock keeps until the one after it is asked for, or NULL behind the last. The caller may take it out
 * of the index.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_CONTEXT PsctxNextContext(PPSCTX_WALK Walk)
{
    PPSCTX_CONTEXT context;

    if (Walk->Examined == PSCTX_EXAMINED_PER_HOLD) {
        PsctxUnlockShard(Walk->Shard);
        PsctxAcquireShard(Walk->Shard);
        Walk->Examined = 0;
    }
    context = Walk->Next;
    if (context != NULL) {
        PsctxStepWalk(Walk);
        Walk->Examined += 1;
    }
    return context;
}

/*
 * Begins to walk, from the context that a walk through its shard has come to, through it and the older ones of its stream. It is under
 * the other walk's holds of the lock, which goes on when this one has ended; the header need not be kept.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxBeginInnerWalk(PPSCTX_WALK Walk, const PSCTX_WALK *Outer,
                                                           PPSCTX_CONTEXT First)
{
    PAGED_CODE();

    Walk->Shard = Outer->Shard;
    Walk->Order = PsctxStreamYoungestFirst;
    Walk->Header = First->Header;
    Walk->Examined = Outer->Examined;
    Walk->Next = First;
    InsertTailList(&Walk->Shard->Walks, &Walk->Links);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxEndInnerWalk(PPSCTX_WALK Walk, PPSCTX_WALK Outer)
{
    PAGED_CODE();

    RemoveEntryList(&Walk->Links);
    Outer->Examined = Walk->Examined;
}

/*
 * Ends a walk, wherever it is, and unlocks its shard, which then has as many buckets as it needs.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxEndWalk(PPSCTX_WALK Walk)
{
    RemoveEntryList(&Walk->Links);
    PsctxUnlockShard(Walk->Shard);
    PsctxFitShard(Walk->Shard);
}
