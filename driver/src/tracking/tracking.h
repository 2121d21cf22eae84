/*
 * Tracking: rules, and what is counted of the streams that they bring contexts to. It listens to the core, and to whichever front tells of
 * opens and requests.
 */
#ifndef PSCTX_TRACKING_H
#define PSCTX_TRACKING_H

#include "core/core.h"

/* Once the core has started. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTracking(VOID);

/* The rules of a session, which each of them holds a reference on. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxAddRule(_In_ PPSCTX_SESSION Session, _In_ const PSCTX_TRACK_REQUEST *Input, _Out_ PULONG64 Number);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxRemoveRule(_In_ PPSCTX_SESSION Session, _In_ ULONG64 Number);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxQueryRule(_In_ PPSCTX_SESSION Session, _In_ ULONG64 Number, _Inout_ PSCTX_RULE_REPLY *Reply);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxEndTracking(_In_ PPSCTX_SESSION Session);

#endif
