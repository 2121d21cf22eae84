/*
 * What a node store is to the file systems: files, their names and their bytes, without anything of handles and requests.
 *
 * Every operation runs at PASSIVE_LEVEL. The caller holds the volume's resource exclusively, except for Read, Write and Query,
 * where it holds at least the volume's resource shared and the stream's own resource (exclusively for Write).
 */
#ifndef PSCTX_HOST_FSD_NODE_H
#define PSCTX_HOST_FSD_NODE_H

#include "../host_disk.h"

#define NODE_MAXIMUM_NAME 255u /* UTF-16 units in a component or a stream name */

typedef struct _NODE_OPERATIONS NODE_OPERATIONS;

/* An open stream of a store: an unnamed data stream, a named one, or a directory. The store's own structure begins with it. */
typedef struct _NODE {
    ULONG References; /* guarded by the volume's resource, exclusively held */
    BOOLEAN Directory;
    BOOLEAN Paging; /* a paging file: without support for filter contexts, never deleted or renamed */
    ULONG64 Device; /* Device and FileId name the file for as long as a node of it is open */
    ULONG64 FileId;
} NODE, *PNODE;

typedef struct _NODE_INFORMATION {
    LARGE_INTEGER CreationTime;
    LARGE_INTEGER LastAccessTime;
    LARGE_INTEGER LastWriteTime;
    LARGE_INTEGER ChangeTime;
    LARGE_INTEGER EndOfFile;
    LARGE_INTEGER AllocationSize;
    ULONG FileAttributes;
    ULONG NumberOfLinks;
} NODE_INFORMATION, *PNODE_INFORMATION;

/* Where a file stands: the store finds its streams by it. Name is empty for the root, which is then its own Parent. */
typedef struct _NODE_PLACE {
    PNODE Parent;
    UNICODE_STRING Name;
} NODE_PLACE, *PNODE_PLACE;

/*
 * Nodes handed out carry one reference of the caller's. Names handed out go into the caller's buffer of NODE_MAXIMUM_NAME units.
 * Every operation answers STATUS_INSUFFICIENT_RESOURCES when memory is short, and has then changed nothing.
 */
struct _NODE_OPERATIONS {
    /* STATUS_UNRECOGNIZED_VOLUME: the disk does not hold such a store. The caller ends it with Dismount, all nodes being released. */
    NTSTATUS (*Mount)(_In_ PHOST_DISK_EXTENSION Disk, _Outptr_ PVOID *Store);
    VOID (*Dismount)(_In_ PVOID Store);

    NTSTATUS (*OpenRoot)(_In_ PVOID Store, _Outptr_ PNODE *Node);
    VOID (*Close)(_In_ PVOID Store, _In_ PNODE Node); /* the last reference is gone */

    /* STATUS_OBJECT_NAME_NOT_FOUND; ActualName is the name as it is stored. */
    NTSTATUS (*Lookup)(_In_ PVOID Store, _In_ PNODE Parent, _In_ PCUNICODE_STRING Name,
                       _Inout_ PUNICODE_STRING ActualName, _Outptr_ PNODE *Node);
    /* One name of the file that is not the root, and its directory; STATUS_INVALID_PARAMETER for none. NULL: nothing opens by id. */
    NTSTATUS (*NameOfId)(_In_ PVOID Store, _In_ ULONG64 FileId, _Out_ PULONG64 DirectoryId, _Out_ PUNICODE_STRING Name);
    NTSTATUS (*Create)(_In_ PVOID Store, _In_ PNODE Parent, _In_ PCUNICODE_STRING Name, _In_ BOOLEAN Directory,
                       _In_ ULONG FileAttributes, _Outptr_ PNODE *Node);
    NTSTATUS (*Link)(_In_ PVOID Store, _In_ const NODE_PLACE *From, _In_ PNODE Node, _In_ const NODE_PLACE *To);
    /* An existing target is replaced. */
    NTSTATUS (*Rename)(_In_ PVOID Store, _In_ const NODE_PLACE *From, _In_ PNODE Node, _In_ const NODE_PLACE *To);
    /* LastLink says whether the file is gone with it. */
    NTSTATUS (*Unlink)(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE Node, _Out_ PBOOLEAN LastLink);
    BOOLEAN (*IsEmptyDirectory)(_In_ PVOID Store, _In_ PNODE Directory);
    /* Index starts at zero and is advanced; STATUS_NO_MORE_FILES at the end. */
    NTSTATUS (*NextEntry)(_In_ PVOID Store, _In_ PNODE Directory, _Inout_ PULONG64 Index, _Inout_ PUNICODE_STRING Name,
                          _Out_ PNODE_INFORMATION Information);

    /* STATUS_OBJECT_NAME_NOT_FOUND without Create; STATUS_OBJECT_NAME_INVALID when the store has no named streams. */
    NTSTATUS (*OpenStream)(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE File, _In_ PCUNICODE_STRING Name,
                           _In_ BOOLEAN Create, _Outptr_ PNODE *Stream, _Out_ PBOOLEAN Created);
    NTSTATUS (*UnlinkStream)(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE Stream,
                             _In_ PCUNICODE_STRING Name);
    /* The named streams; STATUS_NO_MORE_ENTRIES after the last. */
    NTSTATUS (*NextStream)(_In_ PVOID Store, _In_ const NODE_PLACE *Place, _In_ PNODE File, _In_ ULONG Index,
                           _Inout_ PUNICODE_STRING Name, _Out_ PLONGLONG Size);

    /* Fewer bytes than asked for are the end of the stream. */
    NTSTATUS (*Read)(_In_ PVOID Store, _In_ PNODE Stream, _In_ LONGLONG Offset, _Out_writes_bytes_(Length) PVOID Buffer,
                     _In_ ULONG Length, _Out_ PULONG Transferred);
    NTSTATUS (*Write)(_In_ PVOID Store, _In_ PNODE Stream, _In_ LONGLONG Offset,
                      _In_reads_bytes_(Length) const VOID *Buffer, _In_ ULONG Length);
    NTSTATUS (*Query)(_In_ PVOID Store, _In_ PNODE Stream, _Out_ PNODE_INFORMATION Information);
    NTSTATUS (*SetSize)(_In_ PVOID Store, _In_ PNODE Stream, _In_ LONGLONG Size);
    /* Zero times and zero attributes leave what is there, as FILE_BASIC_INFORMATION says. */
    NTSTATUS (*SetBasic)(_In_ PVOID Store, _In_ PNODE Stream, _In_ const FILE_BASIC_INFORMATION *Information);
    NTSTATUS (*Flush)(_In_ PVOID Store, _In_ PNODE Stream);
    /* Where the file's security descriptor hangs, in pool of the file system's tag; NULL: files have none. */
    PVOID *(*SecurityOf)(_In_ PNODE Stream);
    /* NULL: no file is sparse. */
    VOID (*SetSparse)(_Inout_ PNODE Stream);
    NTSTATUS (*QuerySpace)(_In_ PVOID Store, _Out_ PULONG64 TotalBytes, _Out_ PULONG64 FreeBytes);
};

#endif
