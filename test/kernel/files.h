/*
 * Files of the volume under test: made, linked, renamed and deleted either by Win32 or by the commands of a test file system whose files
 * are devices.
 */
#ifndef SELFTEST_FILES_H
#define SELFTEST_FILES_H

#include "tap.h"
#include "options.h"

typedef struct _VOLUME {
    WCHAR Directory[PATH_CAPACITY]; /* where names are, without the separator */
    WCHAR Root[PATH_CAPACITY];      /* of the volume, with the separator; empty where it has no drive letter */
    BOOL Win32;                     /* names are Win32's; else the test file system's */
    BOOL Writable;
    BOOL NamedStreams;
    BOOL Remote;
    BOOL Contexts;     /* a file stream on it supports per-stream contexts; known once the driver has been asked */
    BOOL TearsDown;    /* the file system tears contexts down, as far as the driver tells; likewise */
    ULONG SampleCount; /* streams that OpenSample can open */
} VOLUME;

extern VOLUME Volume;

/* Finds or makes the directory and the sample files. Says what is wrong and is FALSE if it cannot. */
BOOL FilesBegin(void);
/* Removes what was made; FALSE if something stays. */
BOOL FilesEnd(void);

/* Names are relative to Volume.Directory. Win32 error, 0 for success. FilesMake makes an empty stream, and its file. */
DWORD FilesMake(const WCHAR *name);
DWORD FilesMakeDirectory(const WCHAR *name);
DWORD FilesLink(const WCHAR *name, const WCHAR *link);
DWORD FilesRename(const WCHAR *name, const WCHAR *newName);
DWORD FilesDelete(const WCHAR *name);
DWORD FilesDeleteDirectory(const WCHAR *name);
/* Of the test file system: dismounts the volume with whatever is on it, and mounts an empty one. */
DWORD FilesRemount(void);

/* Writes the full name; path has PATH_CAPACITY characters. */
void FilesPath(const WCHAR *name, WCHAR *path);

/* Kept until the test ends; INVALID_HANDLE_VALUE, with GetLastError, if it fails. Everything is shared. */
HANDLE FilesOpen(const WCHAR *name, DWORD access);
HANDLE FilesOpenDirectory(const WCHAR *name);
/* The number-th of the streams that are there throughout, also on a read-only volume. */
HANDLE OpenSample(ULONG number);
/* FilesMake and FilesOpen for reading and writing; the running test has failed if it is not a valid handle. */
HANDLE MakeAndOpen(const WCHAR *name);

/* Calls routine until it is TRUE, 3 seconds long at most; returns what it said last. */
BOOL WaitUntil(BOOL (*routine)(void *), void *context);

#endif
