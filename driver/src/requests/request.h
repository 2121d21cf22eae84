/*
 * A request, and what the files share that answer it.
 */
#ifndef PSCTX_REQUEST_H
#define PSCTX_REQUEST_H

#include "core/core.h"
#include "requests/requests.h"

/* A request that came in and where its reply goes. Request and Reply may be the same memory: read before you write. */
typedef struct _PSCTX_REQUEST {
    PPSCTX_SESSION Session;
    PIRP
        Irp; /* of a request that stands alone, which may answer STATUS_PENDING and complete it later; NULL in a batch */
    const VOID *Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
    ULONG ReplyLength; /* set by the handler: bytes of Output that are the reply */
    USHORT Operation;
} PSCTX_REQUEST, *PPSCTX_REQUEST;

typedef _IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PSCTX_HANDLER(_Inout_ PPSCTX_REQUEST Request);

/* One row of the table of operations. The request is at least MinimumInput long, exactly so unless HasTail. */
typedef struct _PSCTX_OPERATION {
    ULONG ControlCode; /* and by it whether the control handle must be one that may write */
    USHORT MinimumInput;
    USHORT MinimumOutput;
    BOOLEAN HasTail;
    BOOLEAN Batchable; /* may stand in a batch */
    PSCTX_HANDLER *Handler;
} PSCTX_OPERATION, *PPSCTX_OPERATION;

/* control.c: how many opens of the control device there are. Negative: there are to be none any more. */
extern volatile LONG PsctxControlFiles;

/* operations.c */
const PSCTX_OPERATION *PsctxFindOperation(_In_ ULONG Operation);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxRunOperation(_In_ const PSCTX_OPERATION *Operation, _Inout_ PPSCTX_REQUEST Request);
BOOLEAN PsctxIsInterrupted(_In_ PIRP Irp);
VOID PsctxSetReplyHeader(_Inout_ PPSCTX_REQUEST Request, _In_ ULONG ReplyLength);

/* The handlers: query.c, insert.c, lookup.c, list.c, batch.c, track.c, subscribe.c, enumerate.c, volumes.c, inspect.c */
PSCTX_HANDLER PsctxQueryVersion;
PSCTX_HANDLER PsctxQueryStatistics;
PSCTX_HANDLER PsctxQueryStream;
PSCTX_HANDLER PsctxHandleInsert;
PSCTX_HANDLER PsctxHandleLookup;
PSCTX_HANDLER PsctxHandleRemove;
PSCTX_HANDLER PsctxHandleRemoveAll;
PSCTX_HANDLER PsctxHandleList;
PSCTX_HANDLER PsctxHandleBatch;
PSCTX_HANDLER PsctxHandleTrack;
PSCTX_HANDLER PsctxHandleUntrack;
PSCTX_HANDLER PsctxHandleQueryRule;
PSCTX_HANDLER PsctxHandleSubscribe;
PSCTX_HANDLER PsctxHandleWait;
PSCTX_HANDLER PsctxHandleEnumerate;
PSCTX_HANDLER PsctxHandleListVolumes;
PSCTX_HANDLER PsctxHandleInspect;

#endif
