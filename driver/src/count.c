/*
 * Counting: what is done with the streams that have contexts of tracking rules on them.
 *
 * Reads and writes come at any IRQL up to DISPATCH_LEVEL, and are many: they take no lock. Contexts that count are in nonpaged pool
 * and in a table by their stream's header, of which a reader follows one bucket. It says so before in the count of the bucket's
 * readers, and a context is taken out of the table before it is given up; it is freed when no reader is there, who might be
 * looking at it still, by whoever notices: the one who gives it up, or the last reader.
 *
 * A bucket changes under the lock of a stream's shard: the streams of one bucket are of one shard. Creates and cleanups come at
 * <= APC_LEVEL, and take that lock.
 */
#include "filter.h"

C_ASSERT(PSCTX_TRACKED_BITS >= PSCTX_SHARD_BITS);

PSCTX_TRACKED_BUCKET PsctxTracked[PSCTX_TRACKED_BUCKETS];
PSCTX_READERS PsctxReaders[PSCTX_READER_STRIPES];

volatile LONG PsctxTrackedContexts;
volatile LONG PsctxCountingContexts;

static PPSCTX_READERS PsctxReadersOf(_In_ ULONG Number)
{
    return &PsctxReaders[Number % PSCTX_READER_STRIPES];
}

/*
 * Frees the contexts that nobody can be looking at. They were out of the table before they came onto the list: who
 * looks at one has been counted since before, so that none does if there are no readers once the list is ours. <= DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) static DECLSPEC_NOINLINE VOID PsctxFreeRetired(_Inout_ PPSCTX_READERS Readers)
{
    PLIST_ENTRY retired;
    PLIST_ENTRY last;
    PVOID head;

    for (;;) {
        retired = InterlockedExchangePointer(&Readers->Retired, NULL);
        if (retired == NULL) {
            return;
        }
        if (InterlockedCompareExchange(&Readers->Count, 0, 0) == 0) {
            while (retired != NULL) {
                const PPSCTX_CONTEXT context = CONTAINING_RECORD(retired, PSCTX_CONTEXT, Links);

                retired = retired->Flink;
                PsctxFree(context);
            }
            continue;
        }
        last = retired;
        while (last->Flink != NULL) {
            last = last->Flink;
        }
        do {
            head = ReadPointerAcquire(&Readers->Retired);
            last->Flink = head;
        } while (InterlockedCompareExchangePointer(&Readers->Retired, retired, head) != head);
        if (InterlockedCompareExchange(&Readers->Count, 0, 0) != 0) {
            return; /* the last of them finds the list */
        }
    }
}

/*
 * Frees the memory of a context that is linked nowhere, once no reader looks at it any more.
 */
_Use_decl_annotations_ VOID PsctxFreeTracked(PPSCTX_CONTEXT Context)
{
    const PPSCTX_READERS readers = PsctxReadersOf(PsctxTrackedBucketNumber(Context->Header));
    PVOID head;

    if (Context->Tracked != PSCTX_TRACKED_COUNTED) {
        PsctxFree(Context);
        return;
    }
    do {
        head = ReadPointerAcquire(&readers->Retired);
        Context->Links.Flink = head;
    } while (InterlockedCompareExchangePointer(&readers->Retired, &Context->Links, head) != head);
    PsctxFreeRetired(readers);
}

/*
 * Enters a context of a rule, which is on its stream, into the table, and takes it out. The shard is locked.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStartCounting(PPSCTX_CONTEXT Context)
{
    const PPSCTX_TRACKED_BUCKET bucket = &PsctxTracked[PsctxTrackedBucketNumber(Context->Header)];

    PAGED_CODE();

    if (Context->Tracked == PSCTX_TRACKED_NO) {
        return;
    }
    InterlockedIncrement(&bucket->Tracked);
    InterlockedIncrement(&PsctxTrackedContexts);
    if (Context->Tracked == PSCTX_TRACKED_COUNTED) {
        Context->NextCounting = bucket->Counting;
        InterlockedExchangePointer(&bucket->Counting, Context);
        InterlockedIncrement(&PsctxCountingContexts);
    }
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopCounting(PPSCTX_CONTEXT Context)
{
    const PPSCTX_TRACKED_BUCKET bucket = &PsctxTracked[PsctxTrackedBucketNumber(Context->Header)];
    PVOID volatile *link = &bucket->Counting;

    PAGED_CODE();

    if (Context->Tracked == PSCTX_TRACKED_NO) {
        return;
    }
    if (Context->Tracked == PSCTX_TRACKED_COUNTED) {
        while (*link != Context) {
            link = &((PPSCTX_CONTEXT)*link)->NextCounting;
        }
        InterlockedExchangePointer(link, Context->NextCounting);
        InterlockedDecrement(&PsctxCountingContexts);
    }
    InterlockedDecrement(&bucket->Tracked);
    InterlockedDecrement(&PsctxTrackedContexts);
}

/*
 * Counts a read or a write for the contexts on a stream, in whose bucket there are some that count. Any IRQL up to DISPATCH_LEVEL.
 */
_Use_decl_annotations_ VOID PsctxCountInBucket(ULONG Number, const VOID *Header, BOOLEAN Write, ULONG Length)
{
    const PPSCTX_READERS readers = PsctxReadersOf(Number);
    PPSCTX_CONTEXT context;

    InterlockedIncrement(&readers->Count);
    for (context = ReadPointerAcquire(&PsctxTracked[Number].Counting); context != NULL;
         context = ReadPointerAcquire(&context->NextCounting)) {
        if (context->Header == Header) {
            const PPSCTX_TRACKING tracking = (PPSCTX_TRACKING)(context + 1);

            if (Write) {
                InterlockedIncrement64((volatile LONG64 *)&tracking->Writes);
                InterlockedExchangeAdd64((volatile LONG64 *)&tracking->BytesWritten, Length);
            } else {
                InterlockedIncrement64((volatile LONG64 *)&tracking->Reads);
                InterlockedExchangeAdd64((volatile LONG64 *)&tracking->BytesRead, Length);
            }
        }
    }
    if (InterlockedDecrement(&readers->Count) == 0 && ReadPointerAcquire(&readers->Retired) != NULL) {
        PsctxFreeRetired(readers);
    }
}

/*
 * The last handle of an open is closed: reported for each context of a rule on the stream, and counted by those that count. An open is
 * not told from one that no rule matched. Streams that a file system opens for itself have no handles.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxNoteCleanup(PFILE_OBJECT FileObject)
{
    const PFSRTL_ADVANCED_FCB_HEADER header = FileObject->FsContext;
    PPSCTX_SHARD shard;
    PLIST_ENTRY bucket;
    PLIST_ENTRY entry;

    PAGED_CODE();

    if (FlagOn(FileObject->Flags, FO_STREAM_FILE) ||
        ReadNoFence(&PsctxTracked[PsctxTrackedBucketNumber(header)].Tracked) == 0) {
        return;
    }
    shard = PsctxLockShard(header);
    bucket = PsctxGetBucket(shard, header);
    for (entry = bucket->Flink; entry != bucket; entry = entry->Flink) {
        const PPSCTX_CONTEXT context = CONTAINING_RECORD(entry, PSCTX_CONTEXT, Links);

        if (context->Header != header || context->Tracked == PSCTX_TRACKED_NO) {
            continue;
        }
        if (context->Tracked == PSCTX_TRACKED_COUNTED) {
            PsctxContextTracking(context)->Cleanups += 1;
        }
        PsctxReportContext(PSCTX_EVENT_CLEANUP, context);
    }
    PsctxUnlockShard(shard);
}

/*
 * A create that a rule matched has succeeded: reported for the rule's context on the stream, and counted if it counts. FALSE if
 * there is no such context; one that a client has inserted itself is there, and stays as it is.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxNoteOpen(PFSRTL_ADVANCED_FCB_HEADER Header,
                                                        const PSCTX_IDENTITY *Identity)
{
    const ULONG64 process = (ULONG64)(ULONG_PTR)PsGetCurrentProcessId();
    const PPSCTX_SHARD shard = PsctxLockShard(Header);
    const PPSCTX_CONTEXT context = PsctxFindContext(shard, Header, Identity);

    if (context != NULL && context->Tracked != PSCTX_TRACKED_NO) {
        const PPSCTX_TRACKING tracking = PsctxContextTracking(context);

        if (tracking != NULL) {
            tracking->Opens += 1;
            if (tracking->Opens == 1) {
                tracking->FirstProcessId = process;
            }
            tracking->LastProcessId = process;
        }
        PsctxReportContext(PSCTX_EVENT_TRACKED, context);
    }
    PsctxUnlockShard(shard);
    return context != NULL;
}
