/*
 * Other legacy filters in the stack of volume M:, above and below ours, that hang contexts of their own on streams: at create, and
 * when a test asks; and that answer requests in the file system's place. Each has an image of its own, where its FreeCallback lies.
 */
#ifndef CORE_FILTERS_H
#define CORE_FILTERS_H

#include <host.h>

typedef struct _CORE_FILTER {
    PCWSTR Name; /* \FileSystem\<Name>, and <Name>.sys */
    PFREE_FUNCTION FreeCallback;
    const CHAR *ImageStart;
    const CHAR *ImageEnd;
    BOOLEAN InsertsAtCreate;
    BOOLEAN AnswersTransfers; /* reads and writes, at any IRQL, and fast I/O, which else goes no further */
    PDRIVER_OBJECT Driver;
    PDEVICE_OBJECT Device;
    volatile LONG Freed; /* contexts that a file system has torn down */
} CORE_FILTER, *PCORE_FILTER;

extern CORE_FILTER CoreUpper;
extern CORE_FILTER CoreLower;

/* Attaches to the top of the stack of M:, and leaves it again; while one leaves, it is on top. */
VOID CoreLoadFilter(_Inout_ PCORE_FILTER Filter);
VOID CoreUnloadFilter(_Inout_ PCORE_FILTER Filter);

/* On the stream that a handle of the calling process has open. Removing says whether there was one of that owner. */
VOID CoreHang(_In_ PCORE_FILTER Filter, _In_ HANDLE Stream, _In_ PVOID OwnerId, _In_opt_ PVOID InstanceId);
BOOLEAN CoreTake(_In_ HANDLE Stream, _In_ PVOID OwnerId);

/* The stream's header, which is valid while the handle is open. */
PFSRTL_ADVANCED_FCB_HEADER CoreHeaderOf(_In_ HANDLE Stream);

#endif
