/* The command line. */
#ifndef SELFTEST_OPTIONS_H
#define SELFTEST_OPTIONS_H

#include "runtime.h"

#define PATH_CAPACITY 520u

typedef struct _OPTIONS {
    const WCHAR *Driver; /* install and start this file, or NULL */
    const WCHAR *Device;
    const WCHAR *Volume; /* directory to work in, or NULL */
    const WCHAR *Only;   /* part of the names of the tests to run, or NULL */
    const WCHAR *Hold;   /* in a child process: the name of the section to answer in, or NULL */
    const WCHAR *File;   /* in a child process: the file to hold */
    ULONG StressSeconds;
    ULONG Cycles;
    BOOL Conformance; /* judge the file system, not the driver */
    BOOL Dismount;    /* with it: the volume, too */
    BOOL Native;
} OPTIONS;

extern OPTIONS Options;

/* FALSE for what is no option or lacks its value. */
BOOL ParseOptions(void);
void PrintUsage(void);

#endif
