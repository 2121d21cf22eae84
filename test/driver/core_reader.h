/*
 * A client's side of events: sessions by number, subscriptions, and requests that wait.
 */
#ifndef CORE_READER_H
#define CORE_READER_H

#include "core_fixture.h"

/* The least room that a wait takes. */
#define CORE_WAIT_LENGTH ((ULONG)sizeof(PSCTX_WAIT_REPLY) + PSCTX_MAXIMUM_EVENT_SIZE)

/* A request for events, and where its reply goes. CoreFreeWait frees it, when it has ended. */
typedef struct _CORE_WAIT {
    PSCTX_HEADER Request;
    HANDLE Event; /* that is set when it ends, or NULL */
    IO_STATUS_BLOCK IoStatus;
    ULONG OutputLength;
    PUCHAR Output;
} CORE_WAIT, *PCORE_WAIT;

ULONG64 CoreSessionNumber(_In_ HANDLE Control);
NTSTATUS CoreSubscribe(_In_ HANDLE Reader, _In_ ULONG64 Session, _In_ ULONG Types, _In_ ULONG Capacity);

/* A handle that reads the events of these types of another session of the process. */
HANDLE CoreOpenReader(_In_ HANDLE Watched, _In_ ULONG Types);

/* CoreStartWait: STATUS_PENDING, or how it ended. CoreWaitStatus: the same later. */
VOID CoreInitializeWait(_Out_ PCORE_WAIT Wait, _In_ ULONG OutputLength);
NTSTATUS CoreStartWait(_In_ HANDLE Reader, _Inout_ PCORE_WAIT Wait);
NTSTATUS CoreWaitStatus(_In_ const CORE_WAIT *Wait);
VOID CoreFreeWait(_Inout_ PCORE_WAIT Wait);

/*
 * The events of a wait that has succeeded, each whole and with nothing stray in it: the first after NULL, NULL after the last.
 */
const PSCTX_EVENT *CoreNextEvent(_In_ const CORE_WAIT *Wait, _In_opt_ const PSCTX_EVENT *Event);
ULONG CoreEventCount(_In_ const CORE_WAIT *Wait);

/* Whether an event's name ends so. */
BOOLEAN CoreEventNameEndsWith(_In_ const PSCTX_EVENT *Event, _In_z_ PCWSTR Tail);

#endif
