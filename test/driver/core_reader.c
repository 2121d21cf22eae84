/*
 * A client's side of events: see core_reader.h.
 */
#include "core_reader.h"

#include <stdlib.h>
#include <string.h>

#define CORE_FILL 0xA5

ULONG64 CoreSessionNumber(HANDLE Control)
{
    PSCTX_VERSION_REPLY reply;
    PSCTX_HEADER request;

    CoreSetHeader(&request, PSCTX_OPERATION_QUERY_VERSION, sizeof(request));
    CHECK_STATUS(
        CoreControl(Control, PSCTX_IOCTL_QUERY_VERSION, &request, sizeof(request), &reply, sizeof(reply), NULL),
        STATUS_SUCCESS);
    return reply.Session;
}

NTSTATUS CoreSubscribe(HANDLE Reader, ULONG64 Session, ULONG Types, ULONG Capacity)
{
    PSCTX_SUBSCRIBE_REQUEST request = {.Session = Session, .Types = Types, .Capacity = Capacity};
    PSCTX_HEADER reply;
    ULONG information;
    NTSTATUS status;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_SUBSCRIBE, sizeof(request));
    status = CoreControl(Reader, PSCTX_IOCTL_SUBSCRIBE, &request, sizeof(request), &reply, sizeof(reply), &information);
    if (NT_SUCCESS(status)) {
        CHECK_EQUAL(information, sizeof(reply));
        CHECK_EQUAL(reply.Size, sizeof(reply));
        CHECK_EQUAL(reply.Operation, PSCTX_OPERATION_SUBSCRIBE);
    }
    return status;
}

HANDLE CoreOpenReader(HANDLE Watched, ULONG Types)
{
    const HANDLE reader = CoreOpenSession(CORE_READ);

    CHECK_STATUS(CoreSubscribe(reader, CoreSessionNumber(Watched), Types, PSCTX_MINIMUM_EVENT_CAPACITY),
                 STATUS_SUCCESS);
    return reader;
}

VOID CoreInitializeWait(PCORE_WAIT Wait, ULONG OutputLength)
{
    memset(Wait, 0, sizeof(*Wait));
    CoreSetHeader(&Wait->Request, PSCTX_OPERATION_WAIT, sizeof(Wait->Request));
    Wait->OutputLength = OutputLength;
    Wait->IoStatus.Status = STATUS_NOT_FOUND; /* until it is started */
    Wait->Output = malloc(OutputLength);
    CHECK(Wait->Output != NULL);
}

NTSTATUS CoreStartWait(HANDLE Reader, PCORE_WAIT Wait)
{
    NTSTATUS status;

    memset(Wait->Output, CORE_FILL, Wait->OutputLength);
    Wait->IoStatus.Status = STATUS_PENDING;
    status = NtDeviceIoControlFile(Reader, Wait->Event, NULL, NULL, &Wait->IoStatus, PSCTX_IOCTL_WAIT, &Wait->Request,
                                   sizeof(Wait->Request), Wait->Output, Wait->OutputLength);
    if (NT_ERROR(status)) {
        Wait->IoStatus.Status = status;
    }
    return status;
}

NTSTATUS CoreWaitStatus(const CORE_WAIT *Wait)
{
    return ReadAcquire((const volatile LONG *)&Wait->IoStatus.Status);
}

VOID CoreFreeWait(PCORE_WAIT Wait)
{
    CHECK(CoreWaitStatus(Wait) != STATUS_PENDING);
    free(Wait->Output);
    Wait->Output = NULL;
}

const PSCTX_EVENT *CoreNextEvent(const CORE_WAIT *Wait, const PSCTX_EVENT *Event)
{
    const PSCTX_WAIT_REPLY *reply = (const PSCTX_WAIT_REPLY *)Wait->Output;
    const UCHAR *next = Event == NULL ? (const UCHAR *)(reply + 1) : (const UCHAR *)Event + Event->Size;
    const ULONG used = (ULONG)(next - Wait->Output);
    const PSCTX_EVENT *event = (const PSCTX_EVENT *)next;
    ULONG index;

    CHECK_STATUS(CoreWaitStatus(Wait), STATUS_SUCCESS);
    if (Event == NULL) {
        CHECK_EQUAL(reply->Header.Size, Wait->IoStatus.Information);
        CHECK_EQUAL(reply->Header.Version, PSCTX_ABI_VERSION);
        CHECK_EQUAL(reply->Header.Operation, PSCTX_OPERATION_WAIT);
        CHECK_EQUAL(reply->Reserved, 0);
        CHECK(reply->Count != 0);
        for (index = reply->Header.Size; index < Wait->OutputLength; index += 1) {
            CHECK_EQUAL(Wait->Output[index], CORE_FILL);
        }
    }
    if (used == reply->Header.Size) {
        return NULL;
    }
    CHECK(used + sizeof(*event) <= reply->Header.Size);
    CHECK_EQUAL(event->Size, ALIGN_UP_BY(sizeof(*event) + event->NameLength, sizeof(ULONG64)));
    CHECK(event->Size <= reply->Header.Size - used);
    CHECK_EQUAL(event->Flags & ~PSCTX_NAME_TRUNCATED, 0);
    for (index = (ULONG)sizeof(*event) + event->NameLength; index < event->Size; index += 1) {
        CHECK_EQUAL(next[index], 0);
    }
    return event;
}

ULONG CoreEventCount(const CORE_WAIT *Wait)
{
    const PSCTX_EVENT *event = NULL;
    ULONG count = 0;

    while ((event = CoreNextEvent(Wait, event)) != NULL) {
        count += 1;
    }
    CHECK_EQUAL(((const PSCTX_WAIT_REPLY *)Wait->Output)->Count, count);
    return count;
}

BOOLEAN CoreEventNameEndsWith(const PSCTX_EVENT *Event, PCWSTR Tail)
{
    UNICODE_STRING tail;

    RtlInitUnicodeString(&tail, Tail);
    return Event->NameLength >= tail.Length &&
           memcmp((const UCHAR *)(Event + 1) + Event->NameLength - tail.Length, tail.Buffer, tail.Length) == 0;
}
