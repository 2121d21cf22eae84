/* Reads a session's events. */
#include "reader.h"

#define EVENT_MILLISECONDS 3000u

LONG Subscribe(const SESSION *session, ULONG64 number, ULONG types, ULONG capacity)
{
    PSCTX_SUBSCRIBE_REQUEST request;
    PSCTX_HEADER reply;

    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_SUBSCRIBE);
    request.Session = number;
    request.Types = types;
    request.Capacity = capacity;
    return Ask(session, &request.Header, &reply, sizeof(reply));
}

BOOL OpenReader(READER *reader, const SESSION *watched, ULONG types, ULONG capacity)
{
    PSCTX_VERSION_REPLY version;

    reader->Left = 0;
    if (!OpenSharedSession(&reader->Session)) {
        return FALSE;
    }
    reader->Session.Event = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    return EXPECT(reader->Session.Event != NULL) && EXPECT_SUCCESS(QueryVersion(watched, &version)) &&
           EXPECT_SUCCESS(Subscribe(&reader->Session, version.Session, types, capacity));
}

static const PSCTX_EVENT *Behind(const PSCTX_EVENT *event)
{
    return (const PSCTX_EVENT *)((const BYTE *)event + event->Size);
}

/* Records that are whole, one behind the other, to the reply's very end. */
static BOOL IsWhole(const READER *reader, ULONG length)
{
    const BYTE *end = reader->Bytes + length;
    const PSCTX_EVENT *event = (const PSCTX_EVENT *)(&reader->Reply + 1);

    for (ULONG index = 0; index < reader->Reply.Count; index += 1) {
        const size_t left = (size_t)(end - (const BYTE *)event);
        const size_t named = sizeof(*event) + event->NameLength;

        if (left < sizeof(*event) || event->Size > left || event->Size % 8 != 0 || event->Size < named ||
            event->Size >= named + 8 || !IsZero((const BYTE *)event + named, event->Size - named) ||
            (event->Flags & ~PSCTX_NAME_TRUNCATED) != 0 || event->NameLength % sizeof(WCHAR) != 0) {
            return FALSE;
        }
        event = Behind(event);
    }
    return (const BYTE *)event == end;
}

static LONG TakeReply(READER *reader, LONG status)
{
    reader->Left = 0;
    if (status == STATUS_SUCCESS) {
        const ULONG length = (ULONG)reader->Block.Information;

        if (EXPECT(length > sizeof(reader->Reply) && length <= sizeof(reader->Bytes)) &&
            EXPECT_EQUAL(length, reader->Reply.Header.Size) &&
            EXPECT_EQUAL(PSCTX_ABI_VERSION, reader->Reply.Header.Version) &&
            EXPECT_EQUAL(PSCTX_OPERATION_WAIT, reader->Reply.Header.Operation) &&
            EXPECT_EQUAL(0, reader->Reply.Reserved) && EXPECT(reader->Reply.Count != 0) &&
            EXPECT(IsWhole(reader, length))) {
            reader->Left = reader->Reply.Count;
            reader->Next = (const PSCTX_EVENT *)(&reader->Reply + 1);
        }
    }
    Progress();
    return status;
}

LONG StartWait(READER *reader)
{
    PSCTX_HEADER request;
    LONG status;

    SetHeader(&request, sizeof(request), PSCTX_OPERATION_WAIT);
    reader->Block.Status = STATUS_PENDING;
    reader->Block.Information = 0;
    (void)ResetEvent(reader->Session.Event);
    status = Nt.DeviceControl(reader->Session.Handle, reader->Session.Event, NULL, NULL, &reader->Block,
                              PSCTX_IOCTL_WAIT, &request, sizeof(request), reader->Bytes, sizeof(reader->Bytes));
    return status == STATUS_PENDING ? status : TakeReply(reader, status);
}

LONG FinishWait(READER *reader, ULONG milliseconds)
{
    if (WaitForSingleObject(reader->Session.Event, milliseconds) != WAIT_OBJECT_0) {
        return STATUS_TIMEOUT;
    }
    return TakeReply(reader, reader->Block.Status);
}

/* Cancels the request that is pending, of this thread; what it is answered with after all counts. */
static LONG CancelWait(READER *reader)
{
    if (!EXPECT(CancelIo(reader->Session.Handle))) {
        return STATUS_TIMEOUT;
    }
    return FinishWait(reader, EVENT_MILLISECONDS);
}

static LONG ReadEvents(READER *reader, ULONG milliseconds)
{
    LONG status = StartWait(reader);

    if (status == STATUS_PENDING) {
        status = FinishWait(reader, milliseconds);
        if (status == STATUS_TIMEOUT) {
            status = CancelWait(reader);
        }
    }
    return status;
}

static const PSCTX_EVENT *TakeEvent(READER *reader)
{
    const PSCTX_EVENT *event = reader->Next;

    reader->Left -= 1;
    reader->Next = Behind(event);
    return event;
}

const PSCTX_EVENT *NextEventIfAny(READER *reader)
{
    if (reader->Left == 0 && ReadEvents(reader, EVENT_MILLISECONDS) == STATUS_CANCELLED) {
        return NULL;
    }
    return reader->Left != 0 ? TakeEvent(reader) : NULL;
}

const PSCTX_EVENT *NextEvent(READER *reader)
{
    if (reader->Left == 0) {
        (void)EXPECT_SUCCESS(ReadEvents(reader, EVENT_MILLISECONDS));
    }
    return reader->Left != 0 ? TakeEvent(reader) : NULL;
}

BOOL IsQuiet(READER *reader)
{
    return reader->Left == 0 && ReadEvents(reader, 0) == STATUS_CANCELLED;
}
