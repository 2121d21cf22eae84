/*
 * Events: what happens is kept in rings until somebody reads it. A reader belongs to the control handle that subscribed, and watches one
 * session. Whoever reports hands over whole records; what they are of is not known here.
 */
#ifndef PSCTX_EVENTS_H
#define PSCTX_EVENTS_H

#include "kernel/kernel.h"

struct _PSCTX_READER;

/* A session, as far as events are concerned: it can be watched, and be a reader itself. Zeroed before it is added. */
typedef struct _PSCTX_EVENT_SESSION {
    ULONG64 Number;    /* unique while the driver is loaded */
    PEPROCESS Process; /* that opened it; referenced until it is removed */
    /* Under the readers' lock. */
    LIST_ENTRY Links;             /* of the sessions that have not ended */
    LIST_ENTRY Readers;           /* of this session's events */
    volatile LONG ReaderCount;    /* how many; read without the lock, too */
    BOOLEAN Closed;               /* its handle is: it becomes no reader any more */
    struct _PSCTX_READER *Reader; /* what this session is itself, or NULL */
} PSCTX_EVENT_SESSION, *PPSCTX_EVENT_SESSION;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartEvents(VOID);

/* A session begins; its handle is closed; it has ended, and all that it had is reported; its record goes. In this order. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxAddSession(_Inout_ PPSCTX_EVENT_SESSION Session);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxCloseReader(_Inout_ PPSCTX_EVENT_SESSION Session);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxRemoveSession(_Inout_ PPSCTX_EVENT_SESSION Session);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxFreeReader(_Inout_ PPSCTX_EVENT_SESSION Session);

/* What a reader asks for. Its memory is booked on the account. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxSubscribe(_Inout_ PPSCTX_EVENT_SESSION Session, _Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG64 Watched,
                   _In_ ULONG Types, _In_ ULONG Capacity);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxReadEvents(_Inout_ PPSCTX_EVENT_SESSION Session, _Out_writes_bytes_(Capacity) PVOID Output,
                    _In_ ULONG Capacity, _Inout_ PULONG Length);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxWaitForEvents(_Inout_ PPSCTX_EVENT_SESSION Session, _Inout_ PIRP Irp);

/* Whether anybody watches a session. Without a lock: what happens just then may be told or not. Any IRQL. */
FORCEINLINE BOOLEAN PsctxIsWatched(_In_ const PSCTX_EVENT_SESSION *Session)
{
    return ReadNoFence(&Session->ReaderCount) != 0;
}

/*
 * What has happened. Whoever reports an event of a session, or of a volume, calls PsctxDeliverEvents when he holds no lock any more, in the
 * critical region that he has reported in; of a session, if PsctxReportEvent has said that somebody may be waiting.
 */
_IRQL_requires_max_(APC_LEVEL) VOID
    PsctxInitializeEvent(_Out_ PSCTX_EVENT *Event, _In_ ULONG Type, _In_ USHORT NameLength);
_IRQL_requires_max_(APC_LEVEL) BOOLEAN
    PsctxReportEvent(_Inout_ PPSCTX_EVENT_SESSION Session, _Inout_ PSCTX_EVENT *Event,
                     _In_reads_bytes_(Event->NameLength) const VOID *Name);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxReportVolume(_In_ ULONG Type, _In_ PCUNICODE_STRING DeviceName);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxReportMiss(_Inout_ PPSCTX_EVENT_SESSION Session, _In_ ULONG64 Rule,
                                                    _In_ ULONG64 OwnerKey, _In_ ULONG64 Instance);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxDeliverEvents(VOID);

#endif
