/* The directory file system: its store's structures, and the names between UTF-16 and UTF-8. */
#ifndef PSCTX_HOST_FSD_DIRECTORY_H
#define PSCTX_HOST_FSD_DIRECTORY_H

#include "fsd.h"

#define DIRECTORY_TAG 0x44627346u
/* A component, a colon, a stream name, and the terminator: three bytes for each UTF-16 unit at most. */
#define DIRECTORY_NAME_BYTES (2 * 3 * NODE_MAXIMUM_NAME + 2)

typedef struct _DIRECTORY_NODE {
    NODE Node;
    LIST_ENTRY Links; /* DIRECTORY_STORE.Nodes */
    int Descriptor;   /* -1 once the file is deleted */
    BOOLEAN Writable;
} DIRECTORY_NODE, *PDIRECTORY_NODE;

typedef struct _DIRECTORY_STORE {
    LIST_ENTRY Nodes;
    int Root;
    BOOLEAN NamedStreams; /* an ntfs-3g mount with streams_interface=windows */
} DIRECTORY_STORE, *PDIRECTORY_STORE;

/*
 * directory_name.c: strict both ways. To UTF-8 with a terminator; STATUS_OBJECT_NAME_INVALID for an unpaired surrogate or a name
 * that does not fit. To UTF-16: FALSE for bytes that are not UTF-8, and for more units than the string has room for.
 */
NTSTATUS DirectoryToUtf8(_In_ PCUNICODE_STRING Name, _Out_writes_z_(Capacity) char *Bytes, _In_ SIZE_T Capacity);
BOOLEAN DirectoryToUtf16(_In_z_ const char *Bytes, _Inout_ PUNICODE_STRING Name);

#endif
