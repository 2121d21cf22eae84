/*
 * The rings of events and their readers.
 *
 * Rings are filled under the readers' lock, where nothing is allocated; whoever reports holds a lock of his own, so that the events of one
 * thing stand in the order in which they happened. Requests that wait are in a cancel-safe queue. They are completed outside of every lock,
 * by PsctxDeliverEvents.
 */
#include "events/events.h"

typedef struct _PSCTX_READER {
    /* Under the readers' lock. */
    LIST_ENTRY Links;             /* of the watched session's readers; nowhere, once Watched is NULL */
    LIST_ENTRY DeliveryLinks;     /* of the readers that are to be delivered to, or to itself */
    PPSCTX_EVENT_SESSION Watched; /* NULL when that has ended, or this */
    ULONG Types;                  /* bits by PSCTX_EVENT_* */
    BOOLEAN Waiting;              /* perhaps a request waits */
    PUCHAR Ring;                  /* PSCTX_EVENTs, with wrap; NULL once the handle is closed */
    ULONG Capacity;               /* bytes of it; a multiple of 8, so that no event's Size is split */
    ULONG Head;                   /* where the oldest event begins */
    ULONG Used;
    ULONG Youngest; /* where that event begins, while there is one */
    ULONG64 Number; /* of the youngest event */
    ULONG64 Dropped;
    ULONG64 FirstDropped; /* its number and its time */
    ULONG64 FirstDroppedTime;

    PPSCTX_ACCOUNT Account;     /* of the session that reads, whose record keeps this */
    volatile LONG WaitCount;    /* of requests that wait, or are just being completed */
    EX_RUNDOWN_REF Completions; /* held while PsctxDeliverEvents completes a request */
    IO_CSQ Queue;
    KSPIN_LOCK QueueLock; /* a request may be cancelled at DISPATCH_LEVEL */
    _Guarded_by_(QueueLock) LIST_ENTRY Irps;
} PSCTX_READER, *PPSCTX_READER;

static FAST_MUTEX PsctxReadersLock;
_Guarded_by_(PsctxReadersLock) static LIST_ENTRY PsctxSessions;
_Guarded_by_(PsctxReadersLock) static ULONG64 PsctxSessionNumber;
_Guarded_by_(PsctxReadersLock) static LIST_ENTRY PsctxDeliveries; /* readers */

static IO_CSQ_INSERT_IRP PsctxInsertWait;
static IO_CSQ_REMOVE_IRP PsctxRemoveWait;
static IO_CSQ_PEEK_NEXT_IRP PsctxPeekWait;
static IO_CSQ_ACQUIRE_LOCK PsctxLockWaits;
static IO_CSQ_RELEASE_LOCK PsctxUnlockWaits;
static IO_CSQ_COMPLETE_CANCELED_IRP PsctxCompleteCancelledWait;

/*
 * Makes the empty lists. They hold nothing that would have to be given back.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartEvents(VOID)
{
    PAGED_CODE();

    ExInitializeFastMutex(&PsctxReadersLock);
    InitializeListHead(&PsctxSessions);
    InitializeListHead(&PsctxDeliveries);
    PsctxSessionNumber = 0;
}

/*
 * The queue of a reader's requests, for the I/O manager. Not pageable: called at up to DISPATCH_LEVEL.
 * [kernel/cancel-safe-irp-queues]
 */
_Use_decl_annotations_ static VOID PsctxInsertWait(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&CONTAINING_RECORD(Csq, PSCTX_READER, Queue)->Irps, &Irp->Tail.Overlay.ListEntry);
}

_Use_decl_annotations_ static VOID PsctxRemoveWait(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);

    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

_Use_decl_annotations_ static PIRP PsctxPeekWait(PIO_CSQ Csq, PIRP Irp, PVOID PeekContext)
{
    const PLIST_ENTRY irps = &CONTAINING_RECORD(Csq, PSCTX_READER, Queue)->Irps;
    const PLIST_ENTRY next = Irp == NULL ? irps->Flink : Irp->Tail.Overlay.ListEntry.Flink;

    UNREFERENCED_PARAMETER(PeekContext);

    return next == irps ? NULL : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}

_Use_decl_annotations_ static VOID PsctxLockWaits(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&CONTAINING_RECORD(Csq, PSCTX_READER, Queue)->QueueLock, Irql);
}

_Use_decl_annotations_ static VOID PsctxUnlockWaits(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&CONTAINING_RECORD(Csq, PSCTX_READER, Queue)->QueueLock, Irql);
}

/*
 * Bytes that the I/O manager keeps for a request that waits: its buffer is as long as the longer of the two.
 */
static ULONG PsctxWaitSize(_In_ PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    return max(location->Parameters.DeviceIoControl.InputBufferLength,
               location->Parameters.DeviceIoControl.OutputBufferLength);
}

/*
 * Books a request that is to wait. FALSE, with nothing booked, beyond PSCTX_MAXIMUM_WAITS or the bytes that the session's records may take.
 */
static BOOLEAN PsctxChargeWait(_Inout_ PPSCTX_READER Reader, _In_ PIRP Irp)
{
    if (InterlockedIncrement(&Reader->WaitCount) <= (LONG)PSCTX_MAXIMUM_WAITS &&
        PsctxChargeRecord(Reader->Account, PSCTX_POOL_NONPAGED, PsctxWaitSize(Irp))) {
        return TRUE;
    }
    InterlockedDecrement(&Reader->WaitCount);
    return FALSE;
}

/*
 * Completes a request that has waited, with what its status block says, and takes it off the books. Its thread must not be suspended
 * meanwhile, on behalf of the one that has sent it: in a critical region, or at DISPATCH_LEVEL.
 */
static VOID PsctxCompleteWait(_Inout_ PPSCTX_READER Reader, _In_ PIRP Irp)
{
    PsctxDischargeRecord(Reader->Account, PSCTX_POOL_NONPAGED, PsctxWaitSize(Irp));
    InterlockedDecrement(&Reader->WaitCount);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

_Use_decl_annotations_ static VOID PsctxCompleteCancelledWait(PIO_CSQ Csq, PIRP Irp)
{
    const BOOLEAN suspendable = Irp->CancelIrql < DISPATCH_LEVEL; /* of the thread that cancels it, or PASSIVE_LEVEL */

    if (suspendable) {
        KeEnterCriticalRegion();
    }
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    PsctxCompleteWait(CONTAINING_RECORD(Csq, PSCTX_READER, Queue), Irp);
    if (suspendable) {
        KeLeaveCriticalRegion();
    }
}

/*
 * Gives a new session its number, by which it can be watched from now on, until PsctxRemoveSession.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAddSession(PPSCTX_EVENT_SESSION Session)
{
    PAGED_CODE();

    Session->Process = IoGetCurrentProcess();
    ObReferenceObject(Session->Process);
    InitializeListHead(&Session->Readers);
    ExAcquireFastMutex(&PsctxReadersLock);
    PsctxSessionNumber += 1;
    Session->Number = PsctxSessionNumber;
    InsertTailList(&PsctxSessions, &Session->Links);
    ExReleaseFastMutex(&PsctxReadersLock);
}

/*
 * The session that a process knows by this number, or NULL.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static PPSCTX_EVENT_SESSION
    PsctxFindSession(_In_ ULONG64 Number, _In_ PEPROCESS Process)
{
    PLIST_ENTRY entry;

    PAGED_CODE();

    for (entry = PsctxSessions.Flink; entry != &PsctxSessions; entry = entry->Flink) {
        const PPSCTX_EVENT_SESSION session = CONTAINING_RECORD(entry, PSCTX_EVENT_SESSION, Links);

        if (session->Number == Number) {
            return session->Process == Process ? session : NULL;
        }
    }
    return NULL;
}

/*
 * Has PsctxDeliverEvents look at a reader.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static VOID
    PsctxQueueDelivery(_Inout_ PPSCTX_READER Reader)
{
    PAGED_CODE();

    if (IsListEmpty(&Reader->DeliveryLinks)) {
        InsertTailList(&PsctxDeliveries, &Reader->DeliveryLinks);
    }
}

/*
 * Takes a reader from the session it watches: no more events come.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static VOID
    PsctxStopWatching(_Inout_ PPSCTX_READER Reader)
{
    PAGED_CODE();

    RemoveEntryList(&Reader->Links);
    InterlockedDecrement(&Reader->Watched->ReaderCount);
    Reader->Watched = NULL;
    PsctxQueueDelivery(Reader);
}

/*
 * A session has ended, and all that it had is reported. Its readers keep what they have not read.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxRemoveSession(PPSCTX_EVENT_SESSION Session)
{
    PAGED_CODE();

    ExAcquireFastMutex(&PsctxReadersLock);
    RemoveEntryList(&Session->Links);
    while (!IsListEmpty(&Session->Readers)) {
        PsctxStopWatching(CONTAINING_RECORD(Session->Readers.Flink, PSCTX_READER, Links));
    }
    ExReleaseFastMutex(&PsctxReadersLock);
    PsctxDeliverEvents();
    ObDereferenceObject(Session->Process);
}

/*
 * Ends the requests that wait for a reader whose handle is closed.
 */
PSCTX_PAGE static VOID PsctxCancelWaits(_Inout_ PPSCTX_READER Reader)
{
    PIRP irp;

    PAGED_CODE();

    for (irp = IoCsqRemoveNextIrp(&Reader->Queue, NULL); irp != NULL; irp = IoCsqRemoveNextIrp(&Reader->Queue, NULL)) {
        PsctxCompleteCancelledWait(&Reader->Queue, irp);
    }
}

/*
 * The handle of a session is closed. If it is a reader its events go, and what waits for them. The record stays for requests that are
 * on their way, until the session's.
 *
 * Requests that are just being completed are waited for: as long as this routine has not returned, none of them can be the last to let
 * go of the handle's file object, whose close must not be sent from where a file system tears a stream down.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxCloseReader(PPSCTX_EVENT_SESSION Session)
{
    PPSCTX_READER reader;
    PUCHAR ring = NULL;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxReadersLock);
    Session->Closed = TRUE;
    reader = Session->Reader;
    if (reader != NULL) {
        if (reader->Watched != NULL) {
            PsctxStopWatching(reader);
        }
        ring = reader->Ring;
        reader->Ring = NULL;
        RemoveEntryList(&reader->DeliveryLinks);
        InitializeListHead(&reader->DeliveryLinks);
    }
    ExReleaseFastMutex(&PsctxReadersLock);
    if (reader != NULL) {
        PsctxFreeRecord(reader->Account, PSCTX_POOL_PAGED, reader->Capacity, ring);
        PsctxCancelWaits(reader);
        ExWaitForRundownProtectionRelease(&reader->Completions);
    }
}

PSCTX_PAGE static VOID PsctxDeleteReader(_Inout_ PPSCTX_READER Reader)
{
    const PPSCTX_ACCOUNT account = Reader->Account;

    PAGED_CODE();

    PsctxFreeRecord(account, PSCTX_POOL_PAGED, Reader->Capacity, Reader->Ring);
    PsctxFreeRecord(account, PSCTX_POOL_NONPAGED, sizeof(*Reader), Reader);
}

/*
 * Frees what a session is as a reader, with the session's record.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeReader(PPSCTX_EVENT_SESSION Session)
{
    PAGED_CODE();

    if (Session->Reader != NULL) {
        PsctxDeleteReader(Session->Reader);
    }
}

/*
 * A reader that watches nothing yet, which PsctxDeleteReader frees. STATUS_QUOTA_EXCEEDED, STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE static NTSTATUS PsctxCreateReader(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Types, _In_ ULONG Capacity,
                                             _Outptr_ PPSCTX_READER *Reader)
{
    PPSCTX_READER reader;
    PVOID memory;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxAllocateRecord(Account, PSCTX_POOL_NONPAGED, sizeof(*reader), &memory);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    reader = memory;
    reader->Account = Account;
    InitializeListHead(&reader->DeliveryLinks);
    InitializeListHead(&reader->Irps);
    KeInitializeSpinLock(&reader->QueueLock);
    ExInitializeRundownProtection(&reader->Completions);
    reader->Types = Types;
    reader->Capacity = Capacity & ~(ULONG)(sizeof(ULONG64) - 1);
    status = PsctxAllocateRecord(Account, PSCTX_POOL_PAGED, reader->Capacity, &memory);
    if (NT_SUCCESS(status)) {
        reader->Ring = memory;
        status = IoCsqInitialize(&reader->Queue, PsctxInsertWait, PsctxRemoveWait, PsctxPeekWait, PsctxLockWaits,
                                 PsctxUnlockWaits, PsctxCompleteCancelledWait);
    }
    if (!NT_SUCCESS(status)) {
        PsctxDeleteReader(reader);
        return status;
    }
    *Reader = reader;
    return STATUS_SUCCESS;
}

/*
 * Makes a session a reader of the events, of these types (bits by PSCTX_EVENT_*), of another one of the same process, kept in a ring of
 * Capacity bytes.
 *
 * STATUS_NOT_FOUND: no such session of this process. STATUS_INVALID_DEVICE_STATE: it is a reader already. STATUS_QUOTA_EXCEEDED beyond
 * PSCTX_MAXIMUM_READERS or what the account may hold. STATUS_FILE_CLOSED when the handle is closed. STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxSubscribe(PPSCTX_EVENT_SESSION Session, PPSCTX_ACCOUNT Account,
                                                          ULONG64 Watched, ULONG Types, ULONG Capacity)
{
    PPSCTX_EVENT_SESSION watched;
    PPSCTX_READER reader;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxCreateReader(Account, Types, Capacity, &reader);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    ExAcquireFastMutex(&PsctxReadersLock);
    watched = PsctxFindSession(Watched, IoGetCurrentProcess());
    if (Session->Closed) {
        status = STATUS_FILE_CLOSED;
    } else if (Session->Reader != NULL) {
        status = STATUS_INVALID_DEVICE_STATE;
    } else if (watched == NULL) {
        status = STATUS_NOT_FOUND;
    } else if (watched->ReaderCount >= (LONG)PSCTX_MAXIMUM_READERS) {
        status = STATUS_QUOTA_EXCEEDED;
    } else {
        reader->Watched = watched;
        Session->Reader = reader;
        InsertTailList(&watched->Readers, &reader->Links);
        InterlockedIncrement(&watched->ReaderCount);
        reader = NULL;
        status = STATUS_SUCCESS;
    }
    ExReleaseFastMutex(&PsctxReadersLock);

    if (reader != NULL) {
        PsctxDeleteReader(reader);
    }
    return status;
}

/*
 * Copies bytes into the ring or out of it, from this offset on, around its end.
 */
PSCTX_PAGE static VOID PsctxWriteRing(_Inout_ PPSCTX_READER Reader, _In_ ULONG Offset,
                                      _In_reads_bytes_(Length) const VOID *Bytes, _In_ ULONG Length)
{
    const ULONG start = Offset % Reader->Capacity;
    const ULONG first = min(Length, Reader->Capacity - start);

    PAGED_CODE();

    RtlCopyMemory(Reader->Ring + start, Bytes, first);
    RtlCopyMemory(Reader->Ring, (const UCHAR *)Bytes + first, Length - first);
}

PSCTX_PAGE static VOID PsctxReadRing(_In_ const PSCTX_READER *Reader, _In_ ULONG Offset,
                                     _Out_writes_bytes_(Length) PVOID Bytes, _In_ ULONG Length)
{
    const ULONG start = Offset % Reader->Capacity;
    const ULONG first = min(Length, Reader->Capacity - start);

    PAGED_CODE();

    RtlCopyMemory(Bytes, Reader->Ring + start, first);
    RtlCopyMemory((PUCHAR)Bytes + first, Reader->Ring, Length - first);
}

/*
 * Takes the oldest event, of Size bytes, off the ring.
 */
static VOID PsctxAdvanceRing(_Inout_ PPSCTX_READER Reader, _In_ ULONG Size)
{
    Reader->Head = (Reader->Head + Size) % Reader->Capacity;
    Reader->Used -= Size;
}

/*
 * Drops the oldest event to make room. What is dropped is older than all that is left, so that it is told of first.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static VOID
    PsctxDropEvent(_Inout_ PPSCTX_READER Reader)
{
    PSCTX_EVENT event;

    PAGED_CODE();

    PsctxReadRing(Reader, Reader->Head, &event, sizeof(event));
    if (Reader->Dropped == 0) {
        Reader->FirstDropped = event.Number;
        Reader->FirstDroppedTime = event.Time;
    }
    Reader->Dropped += 1;
    PsctxAdvanceRing(Reader, event.Size);
}

/*
 * Keeps an event for a reader that wants its type. TRUE if somebody may be waiting for it. Event is complete but for its number.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static BOOLEAN
    PsctxKeepEvent(_Inout_ PPSCTX_READER Reader, _Inout_ PSCTX_EVENT *Event,
                   _In_reads_bytes_(Event->NameLength) const VOID *Name)
{
    static const UCHAR padding[sizeof(ULONG64)];
    const ULONG length = (ULONG)sizeof(*Event) + Event->NameLength;
    ULONG tail;

    PAGED_CODE();

    if (!FlagOn(Reader->Types, 1u << Event->Type)) {
        return FALSE;
    }
    while (Reader->Capacity - Reader->Used < Event->Size) {
        PsctxDropEvent(Reader);
    }
    Reader->Number += 1;
    Event->Number = Reader->Number;
    tail = Reader->Head + Reader->Used;
    Reader->Youngest = tail % Reader->Capacity;
    PsctxWriteRing(Reader, tail, Event, sizeof(*Event));
    PsctxWriteRing(Reader, tail + (ULONG)sizeof(*Event), Name, Event->NameLength);
    PsctxWriteRing(Reader, tail + length, padding, Event->Size - length);
    Reader->Used += Event->Size;

    if (!Reader->Waiting) {
        return FALSE;
    }
    Reader->Waiting = FALSE;
    PsctxQueueDelivery(Reader);
    return TRUE;
}

/*
 * An event of this type now, to be completed.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxInitializeEvent(PSCTX_EVENT *Event, ULONG Type, USHORT NameLength)
{
    LARGE_INTEGER time;

    PAGED_CODE();

    KeQuerySystemTime(&time);
    RtlZeroMemory(Event, sizeof(*Event));
    Event->Size = (ULONG)ALIGN_UP_BY(sizeof(*Event) + NameLength, sizeof(ULONG64));
    Event->Type = Type;
    Event->Time = (ULONG64)time.QuadPart;
    Event->NameLength = NameLength;
}

/*
 * Keeps an event of a session for its readers. TRUE if somebody may be waiting for it.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxReportEvent(PPSCTX_EVENT_SESSION Session, PSCTX_EVENT *Event,
                                                           const VOID *Name)
{
    BOOLEAN delivers = FALSE;
    PLIST_ENTRY entry;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxReadersLock);
    for (entry = Session->Readers.Flink; entry != &Session->Readers; entry = entry->Flink) {
        delivers |= PsctxKeepEvent(CONTAINING_RECORD(entry, PSCTX_READER, Links), Event, Name);
    }
    ExReleaseFastMutex(&PsctxReadersLock);
    return delivers;
}

/*
 * Adds a miss of a rule to the youngest event that waits for the reader, if that tells of the same rule's. However many there are, they
 * take no more room.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static BOOLEAN
    PsctxFoldMiss(_Inout_ PPSCTX_READER Reader, _In_ const PSCTX_EVENT *Event)
{
    PSCTX_EVENT youngest;

    PAGED_CODE();

    if (Reader->Used == 0) {
        return FALSE;
    }
    PsctxReadRing(Reader, Reader->Youngest, &youngest, sizeof(youngest));
    if (youngest.Type != PSCTX_EVENT_MISSED || youngest.Sequence != Event->Sequence) {
        return FALSE;
    }
    youngest.Count += Event->Count;
    youngest.ProcessId = Event->ProcessId;
    PsctxWriteRing(Reader, Reader->Youngest, &youngest, sizeof(youngest));
    return TRUE;
}

/*
 * An open was missed by a rule of a session, whose readers are told. Called in a critical region, with no lock held. Needs no memory.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxReportMiss(PPSCTX_EVENT_SESSION Session, ULONG64 Rule, ULONG64 OwnerKey,
                                                       ULONG64 Instance)
{
    BOOLEAN delivers = FALSE;
    PSCTX_EVENT event;
    PLIST_ENTRY entry;

    PAGED_CODE();

    if (!PsctxIsWatched(Session)) {
        return;
    }
    PsctxInitializeEvent(&event, PSCTX_EVENT_MISSED, 0);
    event.OwnerKey = OwnerKey;
    event.Instance = Instance;
    event.Sequence = Rule;
    event.Count = 1;
    event.ProcessId = (ULONG_PTR)PsGetCurrentProcessId();

    ExAcquireFastMutex(&PsctxReadersLock);
    for (entry = Session->Readers.Flink; entry != &Session->Readers; entry = entry->Flink) {
        const PPSCTX_READER reader = CONTAINING_RECORD(entry, PSCTX_READER, Links);

        if (!PsctxFoldMiss(reader, &event)) {
            delivers |= PsctxKeepEvent(reader, &event, &event);
        }
    }
    ExReleaseFastMutex(&PsctxReadersLock);
    if (delivers) {
        PsctxDeliverEvents();
    }
}

/*
 * The filter has come to a volume or left it, by the name of its storage device. Every reader is told.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxReportVolume(ULONG Type, PCUNICODE_STRING DeviceName)
{
    PSCTX_EVENT event;
    PLIST_ENTRY session;
    PLIST_ENTRY entry;

    PAGED_CODE();

    PsctxInitializeEvent(&event, Type, DeviceName->Length);
    ExAcquireFastMutex(&PsctxReadersLock);
    for (session = PsctxSessions.Flink; session != &PsctxSessions; session = session->Flink) {
        const PLIST_ENTRY readers = &CONTAINING_RECORD(session, PSCTX_EVENT_SESSION, Links)->Readers;

        for (entry = readers->Flink; entry != readers; entry = entry->Flink) {
            (VOID) PsctxKeepEvent(CONTAINING_RECORD(entry, PSCTX_READER, Links), &event, DeviceName->Buffer);
        }
    }
    ExReleaseFastMutex(&PsctxReadersLock);
}

/*
 * Moves as many events as fit into a reply, first of all how many were dropped. Returns the reply's length. There is one, and room
 * for any one.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static ULONG
    PsctxTakeEvents(_Inout_ PPSCTX_READER Reader, _Out_writes_bytes_(Capacity) PVOID Output, _In_ ULONG Capacity)
{
    PSCTX_WAIT_REPLY *reply = Output;
    ULONG used = sizeof(*reply);

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    if (Reader->Dropped != 0) {
        PSCTX_EVENT *event = (PSCTX_EVENT *)(reply + 1);

        RtlZeroMemory(event, sizeof(*event));
        event->Size = sizeof(*event);
        event->Type = PSCTX_EVENT_DROPPED;
        event->Number = Reader->FirstDropped;
        event->Time = Reader->FirstDroppedTime;
        event->Count = Reader->Dropped;
        Reader->Dropped = 0;
        used += event->Size;
        reply->Count += 1;
    }
    while (Reader->Used != 0) {
        const ULONG size = *(const ULONG *)(const VOID *)(Reader->Ring + Reader->Head);

        if (size > Capacity - used) {
            break;
        }
        PsctxReadRing(Reader, Reader->Head, (PUCHAR)Output + used, size);
        PsctxAdvanceRing(Reader, size);
        used += size;
        reply->Count += 1;
    }
    reply->Header.Size = used;
    reply->Header.Version = PSCTX_ABI_VERSION;
    reply->Header.Operation = PSCTX_OPERATION_WAIT;
    return used;
}

/*
 * Answers a request for events now: STATUS_SUCCESS with a reply of Length bytes, STATUS_CANCELLED if the handle is closed,
 * STATUS_FILE_CLOSED if there is nothing more to come. STATUS_PENDING if there is nothing to answer yet.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static NTSTATUS
    PsctxAnswerWait(_Inout_ PPSCTX_READER Reader, _Out_writes_bytes_(Capacity) PVOID Output, _In_ ULONG Capacity,
                    _Out_ PULONG Length)
{
    PAGED_CODE();

    *Length = 0;
    if (Reader->Ring == NULL) {
        return STATUS_CANCELLED;
    }
    if (Reader->Used != 0 || Reader->Dropped != 0) {
        *Length = PsctxTakeEvents(Reader, Output, Capacity);
        return STATUS_SUCCESS;
    }
    return Reader->Watched == NULL ? STATUS_FILE_CLOSED : STATUS_PENDING;
}

/*
 * Takes the next request off its queue that can be answered, and answers it; NULL if there is none. Its reader's Completions are
 * held until the caller has completed it. Where no request waits, or none can be answered, a reader is left until that changes.
 */
_IRQL_requires_(APC_LEVEL) _Requires_lock_held_(PsctxReadersLock) PSCTX_PAGE static PIRP
    PsctxNextDelivery(_Outptr_ PPSCTX_READER *Reader)
{
    PAGED_CODE();

    while (!IsListEmpty(&PsctxDeliveries)) {
        const PPSCTX_READER reader = CONTAINING_RECORD(PsctxDeliveries.Flink, PSCTX_READER, DeliveryLinks);
        const BOOLEAN quiet = reader->Used == 0 && reader->Dropped == 0 && reader->Watched != NULL;
        const PIRP irp = quiet ? NULL : IoCsqRemoveNextIrp(&reader->Queue, NULL);

        if (irp != NULL) {
            const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
            ULONG length;

            irp->IoStatus.Status = PsctxAnswerWait(reader, irp->AssociatedIrp.SystemBuffer,
                                                   location->Parameters.DeviceIoControl.OutputBufferLength, &length);
            irp->IoStatus.Information = length;
            (VOID) ExAcquireRundownProtection(&reader->Completions); /* run down only when it is in no list */
            *Reader = reader;
            return irp;
        }
        reader->Waiting = quiet;
        RemoveEntryList(&reader->DeliveryLinks);
        InitializeListHead(&reader->DeliveryLinks);
    }
    return NULL;
}

/*
 * Completes the requests that have something to tell by now. No lock is held. In a critical region: a thread that is suspended while it
 * delivers would keep what it has taken from its reader.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxDeliverEvents(VOID)
{
    PPSCTX_READER reader;
    PIRP irp;

    PAGED_CODE();

    KeEnterCriticalRegion();
    do {
        ExAcquireFastMutex(&PsctxReadersLock);
        irp = PsctxNextDelivery(&reader);
        ExReleaseFastMutex(&PsctxReadersLock);
        if (irp != NULL) {
            PsctxCompleteWait(reader, irp);
            ExReleaseRundownProtection(&reader->Completions);
        }
    } while (irp != NULL);
    KeLeaveCriticalRegion();
}

/*
 * Tells a reader's events: a reply of Length bytes, zero until then. STATUS_PENDING if there is none yet, or others, which wait, come first.
 * STATUS_INVALID_DEVICE_STATE: the session is no reader. STATUS_FILE_CLOSED, STATUS_CANCELLED. There is room for any one event.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxReadEvents(PPSCTX_EVENT_SESSION Session, PVOID Output, ULONG Capacity,
                                                           PULONG Length)
{
    PPSCTX_READER reader;
    NTSTATUS status;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxReadersLock);
    reader = Session->Reader;
    if (reader == NULL) {
        status = STATUS_INVALID_DEVICE_STATE;
    } else if (!IsListEmpty(&reader->DeliveryLinks)) {
        status = STATUS_PENDING;
    } else {
        status = PsctxAnswerWait(reader, Output, Capacity, Length);
    }
    ExReleaseFastMutex(&PsctxReadersLock);
    return status;
}

/*
 * Has a request of a reader wait for an event, once PsctxReadEvents has said STATUS_PENDING: it is answered, perhaps at once, by
 * PsctxDeliverEvents. STATUS_PENDING; STATUS_QUOTA_EXCEEDED: too many wait, or with buffers that are too long.
 *
 * It may be completed, and its handle closed, from the moment it is queued: the caller keeps the session, since its reader is looked at
 * once more, for what came between the first look and the queue.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxWaitForEvents(PPSCTX_EVENT_SESSION Session, PIRP Irp)
{
    const PPSCTX_READER reader = Session->Reader;
    BOOLEAN closed;

    PAGED_CODE();

    if (!PsctxChargeWait(reader, Irp)) {
        return STATUS_QUOTA_EXCEEDED;
    }
    IoCsqInsertIrp(&reader->Queue, Irp, NULL);
    ExAcquireFastMutex(&PsctxReadersLock);
    closed = reader->Ring == NULL;
    if (!closed) {
        PsctxQueueDelivery(reader);
    }
    ExReleaseFastMutex(&PsctxReadersLock);
    if (closed) {
        PsctxCancelWaits(reader);
    } else {
        PsctxDeliverEvents();
    }
    return STATUS_PENDING;
}
