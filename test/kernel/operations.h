/* What is done to files of the volume under test beyond opening, renaming and deleting them. */
#ifndef SELFTEST_OPERATIONS_H
#define SELFTEST_OPERATIONS_H

#include "files.h"

/* Win32 errors, 0 for success. Each is done through a handle of its own, closed behind it, or by the test file system's command. */
DWORD FilesOverwrite(const WCHAR *name);
DWORD FilesSupersede(const WCHAR *name);
DWORD FilesResize(const WCHAR *name, ULONG bytes);
/* FILE_ATTRIBUTE_*; the last write time is set as well. */
DWORD FilesSetAttributes(const WCHAR *name, DWORD attributes);
/* Reads the DACL and sets the same one. */
DWORD FilesRewriteSecurity(const WCHAR *name);
/* Locks a range of bytes, exclusively, and unlocks it. */
DWORD FilesLockRange(const WCHAR *name);
DWORD FilesFlush(const WCHAR *name);
DWORD FilesControl(const WCHAR *name, DWORD code, const void *input, DWORD length);
/* Dismounts the volume, whoever has files open there, and sees to it that it can be used again. */
DWORD FilesDismount(void);

/* Kept until the test ends; INVALID_HANDLE_VALUE, with GetLastError, if they fail. Everything is shared. */
HANDLE OpenUnbuffered(const WCHAR *name);
/* By the file system's number of the file that is open under a handle. */
BOOL FileNumber(HANDLE file, ULONG64 *number);
HANDLE OpenByNumber(ULONG64 number);
/* By a path that begins with the volume's own name instead of its letter. */
HANDLE OpenByVolumeName(const WCHAR *name);
/* Of the volume itself, for reading. */
HANDLE OpenVolume(void);
HANDLE OpenPagingFile(void);

#endif
