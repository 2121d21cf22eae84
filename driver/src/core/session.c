/*
 * Sessions, one for each open of the control device, and their owner keys.
 */
#include "core/index.h"

/*
 * A session's own record is booked as any other that it has. So are those of sessions that have ended and are kept by contexts with
 * PSCTX_LIFETIME_STREAM, in total.
 */
PSCTX_PAGE static VOID PsctxFreeSession(_In_ PPSCTX_SESSION Session)
{
    PAGED_CODE();

    PsctxDischargeRecord(&Session->Account, PSCTX_POOL_NONPAGED, sizeof(*Session));
    PsctxFree(Session);
}

/*
 * A new session with one reference, the file object's. STATUS_QUOTA_EXCEEDED beyond PSCTX_MAXIMUM_SESSIONS that are open, or where the
 * records of all of them take too much; STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxBeginSession(PPSCTX_SESSION *Session)
{
    PPSCTX_SESSION session;
    NTSTATUS status = STATUS_QUOTA_EXCEEDED;

    PAGED_CODE();

    if (InterlockedIncrement(&PsctxSessionCount) > (LONG)PSCTX_MAXIMUM_SESSIONS) {
        goto Uncount;
    }
    session = PsctxAllocate(NonPagedPool, sizeof(*session));
    if (session == NULL) {
        status = STATUS_INSUFFICIENT_RESOURCES;
        goto Uncount;
    }
    if (!PsctxChargeRecord(&session->Account, PSCTX_POOL_NONPAGED, sizeof(*session))) {
        PsctxFree(session);
        goto Uncount;
    }
    session->References = 1;
    ExInitializeFastMutex(&session->OwnersLock);
    PsctxAddSession(&session->Events);
    *Session = session;
    return STATUS_SUCCESS;

Uncount:
    InterlockedDecrement(&PsctxSessionCount);
    return status;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxReferenceSession(PPSCTX_SESSION Session)
{
    PAGED_CODE();

    InterlockedIncrement(&Session->References);
}

/*
 * Gives up a reference. The last one frees the session and its owners: no context names them any more.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxDereferenceSession(PPSCTX_SESSION Session)
{
    ULONG index;

    PAGED_CODE();

    if (InterlockedDecrement(&Session->References) != 0) {
        return;
    }
    for (index = 0; index < PSCTX_OWNER_BUCKETS; index += 1) {
        while (Session->Owners[index].Next != NULL) {
            PsctxFreeRecord(&Session->Account, PSCTX_POOL_PAGED, sizeof(PSCTX_OWNER),
                            CONTAINING_RECORD(PopEntryList(&Session->Owners[index]), PSCTX_OWNER, Links));
        }
    }
    PsctxFreeReader(&Session->Events);
    PsctxFreeSession(Session);
}

/*
 * The owner with this key, made if it is new. It lives as long as the session's record.
 * STATUS_QUOTA_EXCEEDED beyond PSCTX_MAXIMUM_OWNERS or the session's bytes of records, STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxGetOwner(PPSCTX_SESSION Session, ULONG64 Key, PPSCTX_OWNER *Owner)
{
    const PSINGLE_LIST_ENTRY bucket =
        &Session->Owners[(Key * 0x9E3779B97F4A7C15ull) >> (64u - PSCTX_OWNER_BUCKET_BITS)];
    PSINGLE_LIST_ENTRY entry;
    PPSCTX_OWNER owner = NULL;
    NTSTATUS status = STATUS_SUCCESS;

    PAGED_CODE();

    ExAcquireFastMutex(&Session->OwnersLock);
    for (entry = bucket->Next; entry != NULL && owner == NULL; entry = entry->Next) {
        const PPSCTX_OWNER candidate = CONTAINING_RECORD(entry, PSCTX_OWNER, Links);

        if (candidate->Key == Key) {
            owner = candidate;
        }
    }
    if (owner == NULL) {
        if (Session->OwnerCount == PSCTX_MAXIMUM_OWNERS) {
            status = STATUS_QUOTA_EXCEEDED;
        } else {
            PVOID record;

            status = PsctxAllocateRecord(&Session->Account, PSCTX_POOL_PAGED, sizeof(*owner), &record);
            if (NT_SUCCESS(status)) {
                owner = record;
                owner->Session = Session;
                owner->Key = Key;
                PushEntryList(bucket, &owner->Links);
                Session->OwnerCount += 1;
            }
        }
    }
    ExReleaseFastMutex(&Session->OwnersLock);
    *Owner = owner;
    return status;
}
