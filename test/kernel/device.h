/*
 * Sessions with the driver, and its operations one by one, as NTSTATUS tells of them.
 */
#ifndef SELFTEST_DEVICE_H
#define SELFTEST_DEVICE_H

#include <psctx/abi.h>

#include "tap.h"

typedef struct _SESSION {
    HANDLE Handle;
    HANDLE Event; /* of this thread, where several share Handle; NULL where Handle is synchronous */
} SESSION;

#define READ_ONLY GENERIC_READ
#define READ_WRITE (GENERIC_READ | GENERIC_WRITE)

/* What an insertion asks for besides its place and its data. */
typedef struct _INSERT_OPTIONS {
    ULONG IfExists;
    ULONG Pool;
    ULONG Lifetime;
} INSERT_OPTIONS;

/* A reply of the driver's with room for data behind it. */
typedef struct _CONTEXT_BUFFER {
    PSCTX_CONTEXT_REPLY Reply;
    BYTE Data[64];
} CONTEXT_BUFFER;

/* Once, before anything is opened: the device by its name on systems without a directory for links of all sessions, if that is meant. */
void ChooseDevice(void);

/* Whether no driver has it: whoever asks may not be allowed to open it. */
BOOL IsDeviceGone(void);

/* Closed at the end of the running test, or by CloseSession. Win32 error, 0 for success. */
DWORD TryToOpenSession(SESSION *session, DWORD access);
/* The same; the running test has failed if it is FALSE. */
BOOL OpenSession(SESSION *session, DWORD access);
/* For several threads: each copies the session and gives the copy an event of its own. */
BOOL OpenSharedSession(SESSION *session);
void CloseSession(SESSION *session);

/* Hands a handle to the end of the running test, where it is closed, and returns it. Invalid ones are passed through. Any thread. */
HANDLE KeepHandle(HANDLE handle);
/* Closes a kept handle now. */
void CloseKept(HANDLE handle);
void CloseAllKept(void);

LONG Control(const SESSION *session, ULONG code, const void *input, ULONG inputLength, void *output, ULONG outputLength,
             ULONG *returned);

/* Sends a request with its header set. What is returned must be as long as the reply's header says, and that be the right one. */
LONG Ask(const SESSION *session, const PSCTX_HEADER *request, void *reply, ULONG replyLength);

void SetHeader(PSCTX_HEADER *header, ULONG size, ULONG operation);
ULONG64 HandleValue(HANDLE handle);

LONG QueryVersion(const SESSION *session, PSCTX_VERSION_REPLY *reply);
LONG QueryStatistics(const SESSION *session, PSCTX_STATISTICS_REPLY *reply);
LONG QueryStream(const SESSION *session, ULONG64 handle, PSCTX_STREAM_REPLY *reply);
/* Options may be NULL: fail if it exists, paged, of the session. Data is at most 1024 bytes here. */
LONG Insert(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, const INSERT_OPTIONS *options,
            const void *data, ULONG dataLength, PSCTX_INSERT_REPLY *reply);
LONG Match(const SESSION *session, ULONG operation, ULONG64 handle, ULONG64 owner, ULONG64 instance, ULONG match,
           void *reply, ULONG replyLength);
/* By owner and instance, with no wish for the data; buffer may be NULL. */
LONG Lookup(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, CONTEXT_BUFFER *buffer);
LONG Remove(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, CONTEXT_BUFFER *buffer);
LONG RemoveAll(const SESSION *session, ULONG64 handle, ULONG64 owner, ULONG64 instance, ULONG match, ULONG64 *count);
LONG List(const SESSION *session, ULONG64 handle, ULONG64 before, void *reply, ULONG replyLength);
LONG Track(const SESSION *session, ULONG64 owner, ULONG64 instance, const void *pattern, ULONG patternLength,
           ULONG64 *rule);
/* The same with PSCTX_TRACK_* and for the volume that a handle is of. */
LONG TrackOnVolume(const SESSION *session, ULONG64 volume, ULONG flags, ULONG64 owner, ULONG64 instance,
                   const void *pattern, ULONG patternLength, ULONG64 *rule);
LONG Untrack(const SESSION *session, ULONG64 rule);
LONG QueryRule(const SESSION *session, ULONG64 rule, PSCTX_RULE_REPLY *reply);

/* The code of each operation, by its number. */
extern const ULONG ControlCodes[PSCTX_OPERATION_COUNT];

#endif
