/*
 * Counting: what is done with the streams that have contexts of tracking rules on them.
 *
 * Reads and writes come at any IRQL up to DISPATCH_LEVEL, and are many. Contexts that count are in nonpaged pool and in a table by
 * their stream's header, of which a read or a write follows one bucket, under a spin lock that it shares with few others: nothing can
 * stop a thread that looks at a context, and one that is out of the table is looked at by nobody.
 *
 * A bucket changes under the lock of a stream's shard, too: the streams of one bucket are of one shard. Creates and cleanups come at
 * <= APC_LEVEL, and take that lock alone.
 */
#include "tracking/count.h"

C_ASSERT(PSCTX_TRACKED_BITS >= PSCTX_SHARD_BITS);

PSCTX_TRACKED_BUCKET PsctxTracked[PSCTX_TRACKED_BUCKETS];
PSCTX_TRACKED_LOCK PsctxTrackedLocks[PSCTX_TRACKED_LOCKS];

/*
 * Makes the locks of the empty table.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartCounts(VOID)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < PSCTX_TRACKED_LOCKS; index += 1) {
        KeInitializeSpinLock(&PsctxTrackedLocks[index].Lock);
    }
}

/*
 * The lock of the contexts in a bucket that count.
 */
static PKSPIN_LOCK PsctxTrackedLockOf(_In_ ULONG Number)
{
    return &PsctxTrackedLocks[Number % PSCTX_TRACKED_LOCKS].Lock;
}

/*
 * Enters a context of a rule, which is on its stream, into the table, and takes it out. The shard is locked. Not pageable: the bucket is
 * changed at DISPATCH_LEVEL.
 */
_Use_decl_annotations_ VOID PsctxStartCounting(PPSCTX_CONTEXT Context)
{
    const ULONG number = PsctxTrackedBucketNumber(Context->Header);
    const PPSCTX_TRACKED_BUCKET bucket = &PsctxTracked[number];
    KIRQL irql;

    InterlockedIncrement(&bucket->Tracked);
    InterlockedIncrement(&PsctxListening.Cleanups);
    if (Context->Tracked == PSCTX_TRACKED_COUNTED) {
        KeAcquireSpinLock(PsctxTrackedLockOf(number), &irql);
        Context->NextCounting = bucket->Counting;
        InterlockedExchangePointer(&bucket->Counting, Context);
        KeReleaseSpinLock(PsctxTrackedLockOf(number), irql);
        InterlockedIncrement(&PsctxListening.Transfers);
    }
}

_Use_decl_annotations_ VOID PsctxStopCounting(PPSCTX_CONTEXT Context)
{
    const ULONG number = PsctxTrackedBucketNumber(Context->Header);
    const PPSCTX_TRACKED_BUCKET bucket = &PsctxTracked[number];
    PVOID volatile *link = &bucket->Counting;
    KIRQL irql;

    if (Context->Tracked == PSCTX_TRACKED_COUNTED) {
        KeAcquireSpinLock(PsctxTrackedLockOf(number), &irql);
        while (*link != Context) {
            link = &((PPSCTX_CONTEXT)*link)->NextCounting;
        }
        InterlockedExchangePointer(link, Context->NextCounting);
        KeReleaseSpinLock(PsctxTrackedLockOf(number), irql);
        InterlockedDecrement(&PsctxListening.Transfers);
    }
    InterlockedDecrement(&bucket->Tracked);
    InterlockedDecrement(&PsctxListening.Cleanups);
}

/*
 * Counts a read or a write for the contexts on a stream, in whose bucket there are some that count. Any IRQL up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) static VOID
    PsctxCountInBucket(_In_ ULONG Number, _In_ const VOID *Header, _In_ BOOLEAN Write, _In_ ULONG Length)
{
    PPSCTX_CONTEXT context;
    KIRQL irql;

    KeAcquireSpinLock(PsctxTrackedLockOf(Number), &irql);
    for (context = PsctxTracked[Number].Counting; context != NULL; context = context->NextCounting) {
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
    KeReleaseSpinLock(PsctxTrackedLockOf(Number), irql);
}

/*
 * Counts a read or a write of a file. What the file object has for a context is compared with headers, never followed. Any IRQL up to
 * DISPATCH_LEVEL.
 */
_Use_decl_annotations_ VOID PsctxCountTransfer(PFILE_OBJECT FileObject, BOOLEAN Write, ULONG Length)
{
    const VOID *header = FileObject->FsContext;
    const ULONG number = PsctxTrackedBucketNumber(header);

    if (ReadPointerAcquire(&PsctxTracked[number].Counting) != NULL) {
        PsctxCountInBucket(number, header, Write, Length);
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
