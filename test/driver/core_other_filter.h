/*
 * Another filter: hangs a context of its own on a stream, and can make a file system lose its list of contexts.
 */
#ifndef CORE_OTHER_FILTER_H
#define CORE_OTHER_FILTER_H

#include <host.h>

/* Secrets in the other filter's context, none of which may be seen by a client of ours. */
#define CORE_OTHER_SECRET 0x5E
#define CORE_OTHER_SECRET_LENGTH 64u

/* Of the stream that a handle of the calling process has open. Removing says whether there was one. */
VOID CoreInsertOther(_In_ HANDLE Handle);
BOOLEAN CoreRemoveOther(_In_ HANDLE Handle);

/* How many contexts of the other filter a file system has torn down. */
ULONG CoreCountOtherTornDown(VOID);

/* Takes all contexts off the stream's list behind everybody's back, and puts the very same back. */
VOID CoreLoseContexts(_In_ HANDLE Handle);
VOID CoreRestoreContexts(_In_ HANDLE Handle);

#endif
