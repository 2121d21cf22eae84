/* The memory file system's files and their streams: made, counted and freed. */
#include "memory.h"

/* NULL when memory is short. The stream has no reference. */
PMEMORY_STREAM MemoryCreateStream(PMEMORY_FILE File, PCUNICODE_STRING Name, BOOLEAN Directory)
{
    PMEMORY_STREAM Stream = ExAllocatePoolWithTag(PagedPool, sizeof(MEMORY_STREAM) + Name->Length, MEMORY_TAG);

    if (Stream != NULL) {
        RtlZeroMemory(Stream, sizeof(*Stream));
        Stream->Node.Directory = Directory;
        Stream->Node.FileId = File->FileId;
        Stream->File = File;
        Stream->Name.Buffer = (PWCH)(Stream + 1);
        Stream->Name.Length = Name->Length;
        Stream->Name.MaximumLength = Name->Length;
        if (Name->Length != 0) {
            RtlCopyMemory(Stream->Name.Buffer, Name->Buffer, Name->Length);
        }
        InsertTailList(&File->Streams, &Stream->Links);
    }
    return Stream;
}

static VOID FreeStream(PMEMORY_STORE Store, PMEMORY_STREAM Stream)
{
    if (!Stream->Unlinked) {
        RemoveEntryList(&Stream->Links);
    }
    if (Stream->Data != NULL) {
        ExFreePoolWithTag(Stream->Data, MEMORY_DATA_TAG);
        __atomic_fetch_sub(&Store->DataBytes, (LONG64)Stream->Capacity, __ATOMIC_RELAXED);
    }
    ExFreePoolWithTag(Stream, MEMORY_TAG);
}

/* A file without a name yet, with its unnamed stream. NULL when memory is short. */
PMEMORY_FILE MemoryCreateFile(PMEMORY_STORE Store, BOOLEAN Directory, ULONG FileAttributes)
{
    const UNICODE_STRING NoName = {0, 0, NULL};
    PMEMORY_FILE File = ExAllocatePoolWithTag(PagedPool, sizeof(MEMORY_FILE), MEMORY_TAG);

    if (File == NULL) {
        return NULL;
    }
    RtlZeroMemory(File, sizeof(*File));
    InitializeListHead(&File->Streams);
    InitializeListHead(&File->Entries);
    File->FileId = Store->NextFileId;
    if (MemoryCreateStream(File, &NoName, Directory) == NULL) {
        ExFreePoolWithTag(File, MEMORY_TAG);
        return NULL;
    }
    Store->NextFileId++;
    File->FileAttributes =
        FileAttributes & FILE_ATTRIBUTE_VALID_SET_FLAGS & ~(ULONG)(FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_NORMAL);
    File->FileAttributes |= Directory ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_ARCHIVE;
    KeQuerySystemTime(&File->CreationTime);
    File->LastAccessTime = File->CreationTime;
    File->LastWriteTime = File->CreationTime;
    File->ChangeTime = File->CreationTime;
    InsertTailList(&Store->Files, &File->Links);
    return File;
}

VOID MemoryFreeFile(PMEMORY_STORE Store, PMEMORY_FILE File)
{
    while (!IsListEmpty(&File->Streams)) {
        FreeStream(Store, CONTAINING_RECORD(File->Streams.Flink, MEMORY_STREAM, Links));
    }
    RemoveEntryList(&File->Links);
    if (File->Security != NULL) {
        ExFreePoolWithTag(File->Security, MEMORY_TAG);
    }
    ExFreePoolWithTag(File, MEMORY_TAG);
}

/* A file goes when it has neither a name nor an open stream. */
VOID MemoryFreeFileIfUnused(PMEMORY_STORE Store, PMEMORY_FILE File)
{
    if (File->NumberOfLinks == 0 && File->OpenStreams == 0) {
        MemoryFreeFile(Store, File);
    }
}

PMEMORY_STREAM MemoryUnnamedStream(PMEMORY_FILE File)
{
    return CONTAINING_RECORD(File->Streams.Flink, MEMORY_STREAM, Links);
}

PNODE MemoryReferenceStream(PMEMORY_STREAM Stream)
{
    if (Stream->Node.References == 0) {
        Stream->File->OpenStreams++;
    }
    Stream->Node.References++;
    return &Stream->Node;
}

VOID MemoryClose(PVOID Store, PNODE Node)
{
    PMEMORY_STREAM Stream = (PMEMORY_STREAM)Node;
    PMEMORY_FILE File = Stream->File;

    File->OpenStreams--;
    if (Stream->Unlinked) {
        FreeStream(Store, Stream);
    }
    MemoryFreeFileIfUnused(Store, File);
}

static PMEMORY_STREAM FindStream(PMEMORY_FILE File, PCUNICODE_STRING Name)
{
    PLIST_ENTRY Entry;

    for (Entry = File->Streams.Flink; Entry != &File->Streams; Entry = Entry->Flink) {
        PMEMORY_STREAM Stream = CONTAINING_RECORD(Entry, MEMORY_STREAM, Links);

        if (RtlEqualUnicodeString(&Stream->Name, Name, TRUE)) {
            return Stream;
        }
    }
    return NULL;
}

NTSTATUS MemoryOpenStream(PVOID Store, const NODE_PLACE *Place, PNODE File, PCUNICODE_STRING Name, BOOLEAN Create,
                          PNODE *Stream, PBOOLEAN Created)
{
    PMEMORY_FILE MemoryFile = ((PMEMORY_STREAM)File)->File;
    PMEMORY_STREAM Found = FindStream(MemoryFile, Name);

    UNREFERENCED_PARAMETER(Store);
    UNREFERENCED_PARAMETER(Place);
    *Created = FALSE;
    if (Found == NULL) {
        if (!Create) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        Found = MemoryCreateStream(MemoryFile, Name, FALSE);
        if (Found == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        *Created = TRUE;
    }
    *Stream = MemoryReferenceStream(Found);
    return STATUS_SUCCESS;
}

NTSTATUS MemoryUnlinkStream(PVOID Store, const NODE_PLACE *Place, PNODE Stream, PCUNICODE_STRING Name)
{
    PMEMORY_STREAM MemoryStream = (PMEMORY_STREAM)Stream;

    UNREFERENCED_PARAMETER(Store);
    UNREFERENCED_PARAMETER(Place);
    UNREFERENCED_PARAMETER(Name);
    RemoveEntryList(&MemoryStream->Links);
    MemoryStream->Unlinked = TRUE;
    return STATUS_SUCCESS;
}

NTSTATUS MemoryNextStream(PVOID Store, const NODE_PLACE *Place, PNODE File, ULONG Index, PUNICODE_STRING Name,
                          PLONGLONG Size)
{
    PMEMORY_FILE MemoryFile = ((PMEMORY_STREAM)File)->File;
    PLIST_ENTRY Entry = MemoryFile->Streams.Flink->Flink;

    UNREFERENCED_PARAMETER(Store);
    UNREFERENCED_PARAMETER(Place);
    while (Index != 0 && Entry != &MemoryFile->Streams) {
        Entry = Entry->Flink;
        Index--;
    }
    if (Entry == &MemoryFile->Streams) {
        return STATUS_NO_MORE_ENTRIES;
    }
    RtlCopyUnicodeString(Name, &CONTAINING_RECORD(Entry, MEMORY_STREAM, Links)->Name);
    *Size = (LONGLONG)CONTAINING_RECORD(Entry, MEMORY_STREAM, Links)->Size;
    return STATUS_SUCCESS;
}
