/* The memory file system's node store: its structures. */
#ifndef PSCTX_HOST_FSD_MEMORY_H
#define PSCTX_HOST_FSD_MEMORY_H

#include "fsd.h"

#define MEMORY_TAG 0x4d6d7346u
#define MEMORY_DATA_TAG 0x446d7346u
#define MEMORY_BUCKETS 4096u
#define MEMORY_VOLUME_BYTES (1ull << 30)

typedef struct _MEMORY_FILE MEMORY_FILE, *PMEMORY_FILE;

typedef struct _MEMORY_STREAM {
    NODE Node;
    PMEMORY_FILE File;
    LIST_ENTRY Links; /* MEMORY_FILE.Streams; the unnamed stream is in it too */
    BOOLEAN Unlinked;
    PUCHAR Data; /* Capacity bytes of which Size are the stream's */
    ULONG64 Size;
    ULONG64 Capacity;
    UNICODE_STRING Name; /* behind the structure */
} MEMORY_STREAM, *PMEMORY_STREAM;

struct _MEMORY_FILE {
    LIST_ENTRY Links;   /* MEMORY_STORE.Files */
    LIST_ENTRY Streams; /* the unnamed stream first */
    LIST_ENTRY Entries; /* of a directory, in order of creation */
    ULONG64 FileId;
    ULONG NumberOfLinks;
    ULONG OpenStreams; /* streams with references */
    ULONG FileAttributes;
    PVOID Security; /* a descriptor, or NULL */
    LARGE_INTEGER CreationTime;
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
};

/* A name in a directory. */
typedef struct _MEMORY_ENTRY {
    LIST_ENTRY TableEntry;
    LIST_ENTRY Links; /* MEMORY_FILE.Entries */
    ULONG64 Sequence; /* rises along Links */
    PMEMORY_FILE Directory;
    PMEMORY_FILE File;
    ULONG Hash;
    UNICODE_STRING Name; /* behind the structure */
} MEMORY_ENTRY, *PMEMORY_ENTRY;

typedef struct _MEMORY_STORE {
    LIST_ENTRY Files;
    PMEMORY_FILE Root;
    ULONG64 NextFileId;
    ULONG64 NextSequence;
    volatile LONG64 DataBytes;
    LIST_ENTRY Buckets[MEMORY_BUCKETS];
} MEMORY_STORE, *PMEMORY_STORE;

/* memory_file.c: files and their streams. */
PMEMORY_FILE MemoryCreateFile(_Inout_ PMEMORY_STORE Store, _In_ BOOLEAN Directory, _In_ ULONG FileAttributes);
VOID MemoryFreeFile(_Inout_ PMEMORY_STORE Store, _In_ PMEMORY_FILE File);
VOID MemoryFreeFileIfUnused(_Inout_ PMEMORY_STORE Store, _In_ PMEMORY_FILE File);
PMEMORY_STREAM MemoryCreateStream(_Inout_ PMEMORY_FILE File, _In_ PCUNICODE_STRING Name, _In_ BOOLEAN Directory);
PMEMORY_STREAM MemoryUnnamedStream(_In_ PMEMORY_FILE File);
PNODE MemoryReferenceStream(_Inout_ PMEMORY_STREAM Stream);
VOID MemoryClose(_In_ PVOID Store, _In_ PNODE Node);
NTSTATUS MemoryOpenStream(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE File, _In_ PCUNICODE_STRING Name,
                          _In_ BOOLEAN Create, _Outptr_ PNODE *Stream, _Out_ PBOOLEAN Created);
NTSTATUS MemoryUnlinkStream(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE Stream,
                            _In_ PCUNICODE_STRING Name);
NTSTATUS MemoryNextStream(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE File, _In_ ULONG Index,
                          _Inout_ PUNICODE_STRING Name, _Out_ PLONGLONG Size);

/* memory_data.c: bytes and attributes. */
NTSTATUS MemoryRead(_In_ PVOID Store, _In_ PNODE Stream, _In_ LONGLONG Offset, _Out_writes_bytes_(Length) PVOID Buffer,
                    _In_ ULONG Length, _Out_ PULONG Transferred);
NTSTATUS MemoryWrite(_In_ PVOID Store, _In_ PNODE Stream, _In_ LONGLONG Offset,
                     _In_reads_bytes_(Length) const VOID *Buffer, _In_ ULONG Length);
NTSTATUS MemoryQuery(_In_ PVOID Store, _In_ PNODE Stream, _Out_ PNODE_INFORMATION Information);
NTSTATUS MemorySetSize(_In_ PVOID Store, _In_ PNODE Stream, _In_ LONGLONG Size);
NTSTATUS MemorySetBasic(_In_ PVOID Store, _In_ PNODE Stream, _In_ const FILE_BASIC_INFORMATION *Information);
PVOID *MemorySecurityOf(_In_ PNODE Stream);
VOID MemorySetSparse(_Inout_ PNODE Stream);
NTSTATUS MemoryFlush(_In_ PVOID Store, _In_ PNODE Stream);
NTSTATUS MemoryQuerySpace(_In_ PVOID Store, _Out_ PULONG64 TotalBytes, _Out_ PULONG64 FreeBytes);

#endif
