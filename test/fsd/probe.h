/* A driver that hangs per-stream contexts on the streams of handles and counts what becomes of them. */
#ifndef PSCTX_TEST_FSD_PROBE_H
#define PSCTX_TEST_FSD_PROBE_H

#include <ntifs.h>

NTSTATUS ProbeLoad(VOID);
VOID ProbeUnload(VOID);

typedef struct _PROBE_REPLY {
    ULONG64 Stream; /* the stream's FsContext, to be compared alone */
    ULONG Supported;
    ULONG Contexts; /* of the probe's, on the stream */
} PROBE_REPLY;

/* Says what a handle's stream is, and inserts a context into it when Insert is TRUE. In the calling thread's process. */
NTSTATUS ProbeStream(_In_ HANDLE Handle, _In_ BOOLEAN Insert, _Out_ PROBE_REPLY *Reply);
/* Takes a reference to the handle's file object, or gives it up again. */
NTSTATUS ProbeHold(_In_ HANDLE Handle);
VOID ProbeRelease(VOID);
/* Contexts freed by teardown so far. */
LONG ProbeTornDown(VOID);

#endif
