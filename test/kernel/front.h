/* The driver's two fronts: which of them an image has, and what its service is. */
#ifndef SELFTEST_FRONT_H
#define SELFTEST_FRONT_H

#include <psctx/abi.h>

#include "runtime.h"

/* A value of a service's key, or of one below it: a REG_SZ, or a REG_DWORD where Text is NULL. */
typedef struct _FRONT_VALUE {
    const WCHAR *Key; /* what follows the service's key */
    const WCHAR *Name;
    const WCHAR *Text;
    DWORD Number;
} FRONT_VALUE;

typedef struct _FRONT {
    ULONG Number; /* PSCTX_FRONT_* */
    const WCHAR *Service;
    const WCHAR *ServiceKey; /* below HKEY_LOCAL_MACHINE */
    const WCHAR *NativeKey;  /* the same, as the object manager has it */
    DWORD ServiceType;
    const WCHAR *Dependencies; /* a REG_MULTI_SZ, or NULL */
    ULONG DependenciesSize;    /* in bytes */
    const FRONT_VALUE *Values;
    ULONG ValueCount;
} FRONT;

/* Which front the image of a driver has, as its imports say. NULL, with GetLastError, if it cannot be read. */
const FRONT *FindFront(const WCHAR *path);

/* What a PSCTX_FRONT_* is called. */
const char *FrontName(ULONG number);

#endif
