/* The memory file system: its driver, and its store's directories. Names are NTFS's: case is kept and does not matter. */
#include "memory.h"

#include "../host.h"

#define ROOT_FILE_ID 5 /* where NTFS has its root directory */

static PMEMORY_FILE FileOf(PNODE Node)
{
    return ((PMEMORY_STREAM)Node)->File;
}

static PMEMORY_ENTRY FindEntry(PMEMORY_STORE Store, const MEMORY_FILE *Directory, PCUNICODE_STRING Name)
{
    ULONG Hash = FsdHashName(Directory->FileId, Name);
    PLIST_ENTRY Head = &Store->Buckets[Hash % MEMORY_BUCKETS];
    PLIST_ENTRY Link;

    for (Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PMEMORY_ENTRY Entry = CONTAINING_RECORD(Link, MEMORY_ENTRY, TableEntry);

        if (Entry->Hash == Hash && Entry->Directory == Directory && RtlEqualUnicodeString(&Entry->Name, Name, TRUE)) {
            return Entry;
        }
    }
    return NULL;
}

/* Gives a file a name. NULL when memory is short. */
static PMEMORY_ENTRY AddEntry(PMEMORY_STORE Store, PMEMORY_FILE Directory, PCUNICODE_STRING Name, PMEMORY_FILE File)
{
    PMEMORY_ENTRY Entry = ExAllocatePoolWithTag(PagedPool, sizeof(MEMORY_ENTRY) + Name->Length, MEMORY_TAG);

    if (Entry != NULL) {
        Entry->Directory = Directory;
        Entry->File = File;
        Entry->Sequence = ++Store->NextSequence;
        Entry->Name.Buffer = (PWCH)(Entry + 1);
        Entry->Name.Length = Name->Length;
        Entry->Name.MaximumLength = Name->Length;
        RtlCopyMemory(Entry->Name.Buffer, Name->Buffer, Name->Length);
        Entry->Hash = FsdHashName(Directory->FileId, Name);
        InsertTailList(&Store->Buckets[Entry->Hash % MEMORY_BUCKETS], &Entry->TableEntry);
        InsertTailList(&Directory->Entries, &Entry->Links);
        File->NumberOfLinks++;
    }
    return Entry;
}

static VOID RemoveEntry(PMEMORY_STORE Store, PMEMORY_ENTRY Entry)
{
    PMEMORY_FILE File = Entry->File;

    RemoveEntryList(&Entry->TableEntry);
    RemoveEntryList(&Entry->Links);
    ExFreePoolWithTag(Entry, MEMORY_TAG);
    File->NumberOfLinks--;
    MemoryFreeFileIfUnused(Store, File);
}

static VOID Dismount(PVOID Store)
{
    PMEMORY_STORE MemoryStore = Store;

    while (!IsListEmpty(&MemoryStore->Files)) {
        PMEMORY_FILE File = CONTAINING_RECORD(MemoryStore->Files.Flink, MEMORY_FILE, Links);

        while (!IsListEmpty(&File->Entries)) {
            PMEMORY_ENTRY Entry = CONTAINING_RECORD(File->Entries.Flink, MEMORY_ENTRY, Links);

            RemoveEntryList(&Entry->Links);
            ExFreePoolWithTag(Entry, MEMORY_TAG);
        }
        MemoryFreeFile(MemoryStore, File);
    }
    ExFreePoolWithTag(MemoryStore, MEMORY_TAG);
}

/* An empty volume with a root directory and a paging file. */
static NTSTATUS Mount(PHOST_DISK_EXTENSION Disk, PVOID *Store)
{
    static const WCHAR PagingFileText[] = L"pagefile.sys";
    const UNICODE_STRING PagingFileName = RTL_CONSTANT_STRING(PagingFileText);
    PMEMORY_STORE New = ExAllocatePoolWithTag(PagedPool, sizeof(MEMORY_STORE), MEMORY_TAG);
    PMEMORY_FILE PagingFile;
    ULONG Bucket;

    UNREFERENCED_PARAMETER(Disk);
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(New, sizeof(*New));
    InitializeListHead(&New->Files);
    for (Bucket = 0; Bucket < MEMORY_BUCKETS; Bucket++) {
        InitializeListHead(&New->Buckets[Bucket]);
    }
    New->NextFileId = ROOT_FILE_ID;
    New->Root = MemoryCreateFile(New, TRUE, 0);
    PagingFile = New->Root == NULL ? NULL : MemoryCreateFile(New, FALSE, FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM);
    if (PagingFile == NULL || AddEntry(New, New->Root, &PagingFileName, PagingFile) == NULL) {
        Dismount(New);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    New->Root->NumberOfLinks = 1;
    MemoryUnnamedStream(PagingFile)->Node.Paging = TRUE;
    *Store = New;
    return STATUS_SUCCESS;
}

static NTSTATUS OpenRoot(PVOID Store, PNODE *Node)
{
    *Node = MemoryReferenceStream(MemoryUnnamedStream(((PMEMORY_STORE)Store)->Root));
    return STATUS_SUCCESS;
}

static NTSTATUS Lookup(PVOID Store, PNODE Parent, PCUNICODE_STRING Name, PUNICODE_STRING ActualName, PNODE *Node)
{
    PMEMORY_ENTRY Entry = FindEntry(Store, FileOf(Parent), Name);

    if (Entry == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    RtlCopyUnicodeString(ActualName, &Entry->Name);
    *Node = MemoryReferenceStream(MemoryUnnamedStream(Entry->File));
    return STATUS_SUCCESS;
}

/* The name is the entry's own, for as long as the volume's resource is held. */
static NTSTATUS NameOfId(PVOID Store, ULONG64 FileId, PULONG64 DirectoryId, PUNICODE_STRING Name)
{
    PMEMORY_STORE MemoryStore = Store;
    ULONG Bucket;

    for (Bucket = 0; Bucket < MEMORY_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &MemoryStore->Buckets[Bucket];
        PLIST_ENTRY Link;

        for (Link = Head->Flink; Link != Head; Link = Link->Flink) {
            PMEMORY_ENTRY Entry = CONTAINING_RECORD(Link, MEMORY_ENTRY, TableEntry);

            if (Entry->File->FileId == FileId) {
                *DirectoryId = Entry->Directory->FileId;
                *Name = Entry->Name;
                return STATUS_SUCCESS;
            }
        }
    }
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS Create(PVOID Store, PNODE Parent, PCUNICODE_STRING Name, BOOLEAN Directory, ULONG FileAttributes,
                       PNODE *Node)
{
    PMEMORY_FILE File = MemoryCreateFile(Store, Directory, FileAttributes);

    if (File == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (AddEntry(Store, FileOf(Parent), Name, File) == NULL) {
        MemoryFreeFile(Store, File);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Node = MemoryReferenceStream(MemoryUnnamedStream(File));
    return STATUS_SUCCESS;
}

static NTSTATUS Link(PVOID Store, const NODE_PLACE *From, PNODE Node, const NODE_PLACE *To)
{
    UNREFERENCED_PARAMETER(From);
    return AddEntry(Store, FileOf(To->Parent), &To->Name, FileOf(Node)) == NULL ? STATUS_INSUFFICIENT_RESOURCES
                                                                                : STATUS_SUCCESS;
}

/* The old entry goes only after the new one is made; a target goes before. */
static NTSTATUS Rename(PVOID Store, const NODE_PLACE *From, PNODE Node, const NODE_PLACE *To)
{
    PMEMORY_ENTRY Old = FindEntry(Store, FileOf(From->Parent), &From->Name);
    PMEMORY_ENTRY Target = FindEntry(Store, FileOf(To->Parent), &To->Name);

    if (Old == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (AddEntry(Store, FileOf(To->Parent), &To->Name, FileOf(Node)) == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Target != NULL && Target != Old) {
        RemoveEntry(Store, Target);
    }
    RemoveEntry(Store, Old);
    return STATUS_SUCCESS;
}

static NTSTATUS Unlink(PVOID Store, const NODE_PLACE *Place, PNODE Node, PBOOLEAN LastLink)
{
    PMEMORY_ENTRY Entry = FindEntry(Store, FileOf(Place->Parent), &Place->Name);

    if (Entry == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *LastLink = (BOOLEAN)(FileOf(Node)->NumberOfLinks == 1);
    RemoveEntry(Store, Entry);
    return STATUS_SUCCESS;
}

static BOOLEAN IsEmptyDirectory(PVOID Store, PNODE Directory)
{
    UNREFERENCED_PARAMETER(Store);
    return IsListEmpty(&FileOf(Directory)->Entries);
}

/* Index is the sequence number of the entry given last. */
static NTSTATUS NextEntry(PVOID Store, PNODE Directory, PULONG64 Index, PUNICODE_STRING Name,
                          PNODE_INFORMATION Information)
{
    PMEMORY_FILE File = FileOf(Directory);
    PLIST_ENTRY Link = File->Entries.Flink;
    PMEMORY_ENTRY Entry;

    while (Link != &File->Entries && CONTAINING_RECORD(Link, MEMORY_ENTRY, Links)->Sequence <= *Index) {
        Link = Link->Flink;
    }
    if (Link == &File->Entries) {
        return STATUS_NO_MORE_FILES;
    }
    Entry = CONTAINING_RECORD(Link, MEMORY_ENTRY, Links);
    *Index = Entry->Sequence;
    RtlCopyUnicodeString(Name, &Entry->Name);
    return MemoryQuery(Store, &MemoryUnnamedStream(Entry->File)->Node, Information);
}

static const NODE_OPERATIONS MemoryOperations = {
    .Mount = Mount,
    .Dismount = Dismount,
    .OpenRoot = OpenRoot,
    .Close = MemoryClose,
    .Lookup = Lookup,
    .NameOfId = NameOfId,
    .Create = Create,
    .Link = Link,
    .Rename = Rename,
    .Unlink = Unlink,
    .IsEmptyDirectory = IsEmptyDirectory,
    .NextEntry = NextEntry,
    .OpenStream = MemoryOpenStream,
    .UnlinkStream = MemoryUnlinkStream,
    .NextStream = MemoryNextStream,
    .Read = MemoryRead,
    .Write = MemoryWrite,
    .Query = MemoryQuery,
    .SetSize = MemorySetSize,
    .SetBasic = MemorySetBasic,
    .Flush = MemoryFlush,
    .SecurityOf = MemorySecurityOf,
    .SetSparse = MemorySetSparse,
    .QuerySpace = MemoryQuerySpace,
};

static const WCHAR DeviceNameText[] = L"\\HostMemory";
static const WCHAR NameText[] = L"HOSTMEM";

static const FSD_DRIVER MemoryDriver = {
    .Kind = HOST_FILE_SYSTEM_MEMORY,
    .Tag = MEMORY_TAG,
    .Attributes = FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK | FILE_NAMED_STREAMS | FILE_SUPPORTS_HARD_LINKS,
    .DeviceName = RTL_CONSTANT_STRING(DeviceNameText),
    .Name = RTL_CONSTANT_STRING(NameText),
    .Operations = &MemoryOperations,
};

NTSTATUS MemoryDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return FsdInitializeDriver(DriverObject, &MemoryDriver);
}
