/*
 * The references on objects that drivers have taken by a client's handle and not given back. Wine closes a file when its client
 * does, whatever references there are, so that one too many would go unnoticed.
 */
#include "proxy.h"

#define MAXIMUM_REFERENCED 512u

typedef struct _REFERENCED {
    PVOID Object; /* NULL: free */
    ULONG64 Count;
} REFERENCED, *PREFERENCED;

static HOST_MUTEX ReferencesMutex = HOST_MUTEX_INITIALIZER;
static REFERENCED References[MAXIMUM_REFERENCED];

static PREFERENCED FindReferenced(PVOID Object)
{
    for (ULONG Index = 0; Index < MAXIMUM_REFERENCED; Index++) {
        if (References[Index].Object == Object) {
            return &References[Index];
        }
    }
    return NULL;
}

VOID ProxyNoteReference(PVOID Object)
{
    PREFERENCED Entry;

    PlatformLock(&ReferencesMutex);
    Entry = FindReferenced(Object);
    if (Entry == NULL) {
        Entry = FindReferenced(NULL);
    }
    if (Entry == NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ObReferenceObjectByHandle",
                      "%u objects are referenced and not given back", MAXIMUM_REFERENCED);
    }
    Entry->Object = Object;
    Entry->Count += 1;
    PlatformUnlock(&ReferencesMutex);
}

/* A further reference on an object that is noted, or one of its references given back. */
static VOID CountReference(PVOID Object, BOOLEAN Referenced)
{
    PREFERENCED Entry;

    PlatformLock(&ReferencesMutex);
    Entry = FindReferenced(Object);
    if (Entry != NULL && Referenced) {
        Entry->Count += 1;
    } else if (Entry != NULL) {
        Entry->Count -= 1;
        if (Entry->Count == 0) {
            Entry->Object = NULL;
        }
    }
    PlatformUnlock(&ReferencesMutex);
}

LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    CountReference(Object, TRUE);
    return WineObfReferenceObject(Object);
}

LONG_PTR FASTCALL ObfDereferenceObject(PVOID Object)
{
    CountReference(Object, FALSE);
    return WineObfDereferenceObject(Object);
}

/* For hostfs.sys: see its command.c. */
VOID PsctxTestCountReferences(PULONG64 Count)
{
    PlatformLock(&ReferencesMutex);
    *Count = 0;
    for (ULONG Index = 0; Index < MAXIMUM_REFERENCED; Index++) {
        *Count += References[Index].Count;
    }
    PlatformUnlock(&ReferencesMutex);
}
