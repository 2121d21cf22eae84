/*
 * A client's side of ENUMERATE: one page at a time.
 */
#ifndef CORE_ENUMERATE_H
#define CORE_ENUMERATE_H

#include "core_fixture.h"

/* Where an enumeration is. All zero is its beginning, but for Volume and what OutputLength says. */
typedef struct _CORE_ENUMERATION {
    HANDLE Volume;
    ULONG64 Cursor[2];
    BOOLEAN Ended;
    ULONG OutputLength;
    PUCHAR Output; /* the caller's */
} CORE_ENUMERATION, *PCORE_ENUMERATION;

/* Asks for the next page, and checks it and its entries' lengths. CoreNextEntry: the first after NULL, NULL after the last. */
NTSTATUS CoreNextPage(_In_ HANDLE Control, _Inout_ PCORE_ENUMERATION Enumeration);
const PSCTX_LIST_ENTRY *CoreNextEntry(_In_ const CORE_ENUMERATION *Enumeration, _In_opt_ const PSCTX_LIST_ENTRY *Entry);
BOOLEAN CoreIsEnumerated(_In_ const CORE_ENUMERATION *Enumeration);

#endif
