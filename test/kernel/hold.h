/* What a child process tells its parent, in a named section. */
#ifndef SELFTEST_HOLD_H
#define SELFTEST_HOLD_H

#include "runtime.h"

#define HELD_CONTEXTS 5u

typedef struct _HOLD_RECORD {
    volatile LONG Ready;  /* 1: everything is held; -1: Error says why not */
    volatile ULONG Error; /* NTSTATUS or Win32 error */
    volatile ULONG Kept;  /* the handle, in the child, of the session that the parent duplicates */
    volatile ULONG Unused;
    volatile ULONG64 Session; /* its number */
} HOLD_RECORD;

#endif
