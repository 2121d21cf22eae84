/*
 * Readers of a session's events: a handle that subscribes, waits, and tells the events one by one.
 */
#ifndef SELFTEST_READER_H
#define SELFTEST_READER_H

#include "device.h"

/* What every event fits into. */
#define WAIT_REPLY_LENGTH (sizeof(PSCTX_WAIT_REPLY) + PSCTX_MAXIMUM_EVENT_SIZE)

/* Static, never on a stack: a request that is still waiting is answered into it when its handle is closed. */
typedef struct _READER {
    SESSION Session;
    NT_STATUS_BLOCK Block;
    ULONG Left; /* events of Reply that NextEvent has not told */
    const PSCTX_EVENT *Next;
    union {
        PSCTX_WAIT_REPLY Reply;
        BYTE Bytes[WAIT_REPLY_LENGTH];
    };
} READER;

LONG Subscribe(const SESSION *session, ULONG64 number, ULONG types, ULONG capacity);

/* Opens a session and subscribes it to the watched one's events. The running test has failed if it is FALSE. */
BOOL OpenReader(READER *reader, const SESSION *watched, ULONG types, ULONG capacity);

/* Sends a request for events. STATUS_PENDING, or what it is answered with at once; a reply is checked, and NextEvent tells of it. */
LONG StartWait(READER *reader);
/* Waits for the answer of the request that is pending. STATUS_TIMEOUT if there is none in these milliseconds. */
LONG FinishWait(READER *reader, ULONG milliseconds);

/* The next event, asked for if need be and waited for 3 seconds at most; NULL if it does not come, and the running test has failed then. */
const PSCTX_EVENT *NextEvent(READER *reader);
/* The same, but an event may be missing: NULL then, and the request is cancelled. */
const PSCTX_EVENT *NextEventIfAny(READER *reader);
/* Whether there is nothing to tell now. */
BOOL IsQuiet(READER *reader);

#endif
