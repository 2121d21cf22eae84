/*
 * The index of our contexts by stream: a hash table of FCB headers in shards, each with a lock and buckets that grow with it.
 */
#include "psctx.h"

#define PSCTX_FIRST_BUCKET_BITS 5u
#define PSCTX_LAST_BUCKET_BITS 16u
#define PSCTX_CONTEXTS_PER_BUCKET 2u

static PSCTX_SHARD PsctxShards[PSCTX_SHARD_COUNT];

/* Of the hash, the highest bits choose the shard, and the next ones the bucket. */
static ULONG PsctxBucketNumber(_In_ PFSRTL_ADVANCED_FCB_HEADER Header, _In_ ULONG BucketBits)
{
    return (ULONG)((PsctxHashHeader(Header) << PSCTX_SHARD_BITS) >> (64u - BucketBits));
}

static PPSCTX_SHARD PsctxShardOf(_In_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    return &PsctxShards[PsctxHashHeader(Header) >> (64u - PSCTX_SHARD_BITS)];
}

/*
 * Empty buckets, which the caller gives to PsctxFree, or NULL.
 */
PSCTX_PAGE static PLIST_ENTRY PsctxCreateBuckets(_In_ ULONG BucketBits)
{
    const ULONG count = 1u << BucketBits;
    PLIST_ENTRY buckets;
    ULONG index;

    PAGED_CODE();

    buckets = PsctxAllocate(PagedPool, count * sizeof(LIST_ENTRY));
    for (index = 0; buckets != NULL && index < count; index += 1) {
        InitializeListHead(&buckets[index]);
    }
    return buckets;
}

/*
 * Makes the empty index. STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxStartIndex(VOID)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < PSCTX_SHARD_COUNT; index += 1) {
        const PPSCTX_SHARD shard = &PsctxShards[index];

        ExInitializeFastMutex(&shard->Lock);
        InitializeListHead(&shard->Contexts);
        shard->Delivers = FALSE;
        shard->ContextCount = 0;
        shard->BucketBits = PSCTX_FIRST_BUCKET_BITS;
        shard->Buckets = PsctxCreateBuckets(PSCTX_FIRST_BUCKET_BITS);
        if (shard->Buckets == NULL) {
            PsctxStopIndex();
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    return STATUS_SUCCESS;
}

/*
 * Frees the index, which is empty.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopIndex(VOID)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < PSCTX_SHARD_COUNT; index += 1) {
        PsctxFree(PsctxShards[index].Buckets);
        PsctxShards[index].Buckets = NULL;
    }
}

/*
 * Locks the shard of a stream, or the one with a number. Raises to APC_LEVEL until PsctxUnlockShard.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_SHARD PsctxLockShard(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    const PPSCTX_SHARD shard = PsctxShardOf(Header);

    ExAcquireFastMutex(&shard->Lock);
    return shard;
}

PSCTX_PAGE _Use_decl_annotations_ PPSCTX_SHARD PsctxLockShardByNumber(ULONG Number)
{
    ExAcquireFastMutex(&PsctxShards[Number].Lock);
    return &PsctxShards[Number];
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnlockShard(PPSCTX_SHARD Shard)
{
    const BOOLEAN delivers = Shard->Delivers;

    Shard->Delivers = FALSE;
    ExReleaseFastMutex(&Shard->Lock);
    if (delivers) {
        PsctxDeliverEvents();
    }
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
 * Puts a context before the older ones of its stream and behind those of its shard, and takes one out. The shard is locked.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAddToIndex(PPSCTX_SHARD Shard, PPSCTX_CONTEXT Context)
{
    PAGED_CODE();

    InsertHeadList(PsctxGetBucket(Shard, Context->Header), &Context->Links);
    InsertTailList(&Shard->Contexts, &Context->ShardLinks);
    Shard->ContextCount += 1;
    PsctxStartCounting(Context);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxRemoveFromIndex(PPSCTX_SHARD Shard, PPSCTX_CONTEXT Context)
{
    PAGED_CODE();

    RemoveEntryList(&Context->Links);
    RemoveEntryList(&Context->ShardLinks);
    Shard->ContextCount -= 1;
    PsctxStopCounting(Context);
}

/*
 * Doubles the buckets of a stream's shard if they have become crowded. Called before the shard is locked for the insertion, since
 * memory is allocated; it may have grown meanwhile. Without memory it stays crowded, and slower.
 *
 * The order of a stream's contexts stays: they are taken from the head and put at the tail.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxGrowIndex(PFSRTL_ADVANCED_FCB_HEADER Header)
{
    const PPSCTX_SHARD shard = PsctxShardOf(Header);
    BOOLEAN crowded;
    ULONG bits;
    PLIST_ENTRY buckets;
    ULONG index;

    PAGED_CODE();

    ExAcquireFastMutex(&shard->Lock);
    bits = shard->BucketBits;
    crowded = bits < PSCTX_LAST_BUCKET_BITS && shard->ContextCount >> bits >= PSCTX_CONTEXTS_PER_BUCKET;
    ExReleaseFastMutex(&shard->Lock);
    if (!crowded) {
        return;
    }
    buckets = PsctxCreateBuckets(bits + 1);
    if (buckets == NULL) {
        return;
    }

    ExAcquireFastMutex(&shard->Lock);
    if (shard->BucketBits == bits) {
        const PLIST_ENTRY old = shard->Buckets;

        for (index = 0; index < 1u << bits; index += 1) {
            while (!IsListEmpty(&old[index])) {
                const PLIST_ENTRY entry = RemoveHeadList(&old[index]);
                const PPSCTX_CONTEXT context = CONTAINING_RECORD(entry, PSCTX_CONTEXT, Links);

                InsertTailList(&buckets[PsctxBucketNumber(context->Header, bits + 1)], entry);
            }
        }
        shard->Buckets = buckets;
        shard->BucketBits = bits + 1;
        buckets = old;
    }
    ExReleaseFastMutex(&shard->Lock);
    PsctxFree(buckets);
}
