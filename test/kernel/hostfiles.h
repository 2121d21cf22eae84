/* The test file system that files below \\.\PsHostFs belong to: each is a device, made by a text command. */
#ifndef SELFTEST_HOSTFILES_H
#define SELFTEST_HOSTFILES_H

#include "runtime.h"

#define HOST_FILES_DIRECTORY L"\\\\.\\PsHostFs"

/* Win32 errors. */
DWORD HostFilesBegin(void);
void HostFilesEnd(void);
/* VERB, VERB|FIRST or VERB|FIRST|SECOND; what is not said is NULL. */
DWORD HostFilesCommand(const WCHAR *verb, const WCHAR *first, const WCHAR *second);

#endif
