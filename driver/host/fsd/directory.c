/*
 * The directory file system: its driver, and its store over a directory of the machine. All POSIX calls of the file systems are here.
 *
 * Every step is one component relative to an open directory and follows no symbolic link, so that no name leads out of the root.
 * On an ntfs-3g mount the named streams are the volume's own: name:stream in the file's directory, with the file's own number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "directory.h"

#include "../host.h"

#define FUSE_FILE_SYSTEM 0x65735546
#define STREAM_LIST "ntfs.streams.list"
#define OPEN_FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
#define UNIX_EPOCH_IN_SECONDS 11644473600LL /* since 1601 */

static NTSTATUS StatusFromError(int Error)
{
    switch (Error) {
    case ENOENT:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    case EEXIST:
        return STATUS_OBJECT_NAME_COLLISION;
    case ENOTDIR:
        return STATUS_NOT_A_DIRECTORY;
    case EISDIR:
        return STATUS_FILE_IS_A_DIRECTORY;
    case ENOTEMPTY:
        return STATUS_DIRECTORY_NOT_EMPTY;
    case ENAMETOOLONG:
    case EINVAL:
    case EILSEQ:
        return STATUS_OBJECT_NAME_INVALID;
    case EACCES:
    case EPERM:
    case ELOOP:
        return STATUS_ACCESS_DENIED;
    case EROFS:
        return STATUS_MEDIA_WRITE_PROTECTED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return STATUS_DISK_FULL;
    case EMFILE:
    case ENFILE:
        return STATUS_TOO_MANY_OPENED_FILES;
    case EMLINK:
        return STATUS_TOO_MANY_LINKS;
    case EXDEV:
        return STATUS_NOT_SAME_DEVICE;
    case ENOMEM:
        return STATUS_INSUFFICIENT_RESOURCES;
    case EBADF:
        return STATUS_FILE_DELETED;
    case EOPNOTSUPP:
        return STATUS_NOT_SUPPORTED;
    default:
        return STATUS_IO_DEVICE_ERROR;
    }
}

static NTSTATUS LastStatus(void)
{
    return StatusFromError(errno);
}

static int DescriptorOf(const NODE *Node)
{
    return ((const DIRECTORY_NODE *)Node)->Descriptor;
}

static LARGE_INTEGER TimeFromUnix(struct timespec Time)
{
    LARGE_INTEGER Result;

    Result.QuadPart = (Time.tv_sec + UNIX_EPOCH_IN_SECONDS) * 10000000LL + Time.tv_nsec / 100;
    return Result;
}

static struct timespec TimeToUnix(LARGE_INTEGER Time)
{
    struct timespec Result;

    if (Time.QuadPart <= 0) {
        Result.tv_sec = 0;
        Result.tv_nsec = UTIME_OMIT;
    } else {
        Result.tv_sec = Time.QuadPart / 10000000LL - UNIX_EPOCH_IN_SECONDS;
        Result.tv_nsec = (long)(Time.QuadPart % 10000000LL * 100);
    }
    return Result;
}

static VOID FillInformation(const struct stat *Status, PNODE_INFORMATION Information)
{
    Information->CreationTime = TimeFromUnix(Status->st_mtim);
    Information->LastAccessTime = TimeFromUnix(Status->st_atim);
    Information->LastWriteTime = TimeFromUnix(Status->st_mtim);
    Information->ChangeTime = TimeFromUnix(Status->st_ctim);
    Information->EndOfFile.QuadPart = Status->st_size;
    Information->AllocationSize.QuadPart = (LONGLONG)Status->st_blocks * 512;
    Information->FileAttributes = S_ISDIR(Status->st_mode) ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_ARCHIVE;
    if ((Status->st_mode & 0222) == 0) {
        Information->FileAttributes |= FILE_ATTRIBUTE_READONLY;
    }
    Information->NumberOfLinks = (ULONG)Status->st_nlink;
}

/* Makes the node of an open descriptor, which is the node's from here on, also when this fails. */
static NTSTATUS MakeNode(PDIRECTORY_STORE Store, int Descriptor, BOOLEAN Writable, PNODE *Node)
{
    PDIRECTORY_NODE New;
    struct stat Information;
    NTSTATUS Status;

    if (fstat(Descriptor, &Information) != 0) {
        Status = LastStatus();
        goto CloseDescriptor;
    }
    if (!S_ISREG(Information.st_mode) && !S_ISDIR(Information.st_mode)) {
        Status = STATUS_ACCESS_DENIED;
        goto CloseDescriptor;
    }
    New = ExAllocatePoolWithTag(PagedPool, sizeof(DIRECTORY_NODE), DIRECTORY_TAG);
    if (New == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto CloseDescriptor;
    }
    RtlZeroMemory(New, sizeof(*New));
    New->Node.References = 1;
    New->Node.Directory = (BOOLEAN)S_ISDIR(Information.st_mode);
    New->Node.Device = Information.st_dev;
    New->Node.FileId = Information.st_ino;
    New->Descriptor = Descriptor;
    New->Writable = Writable;
    InsertTailList(&Store->Nodes, &New->Links);
    *Node = &New->Node;
    return STATUS_SUCCESS;

CloseDescriptor:
    close(Descriptor);
    return Status;
}

/* Opens what is there, for as much as may be. Devices, pipes and links are not opened: STATUS_ACCESS_DENIED. */
static NTSTATUS OpenExisting(PDIRECTORY_STORE Store, int Parent, const char *Name, PNODE *Node)
{
    struct stat Information;
    BOOLEAN Writable = FALSE;
    int Descriptor;

    if (fstatat(Parent, Name, &Information, AT_SYMLINK_NOFOLLOW) != 0) {
        return LastStatus();
    }
    if (S_ISDIR(Information.st_mode)) {
        Descriptor = openat(Parent, Name, O_RDONLY | O_DIRECTORY | OPEN_FLAGS);
    } else if (S_ISREG(Information.st_mode)) {
        Descriptor = openat(Parent, Name, O_RDWR | OPEN_FLAGS);
        Writable = (BOOLEAN)(Descriptor >= 0);
        if (Descriptor < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
            Descriptor = openat(Parent, Name, O_RDONLY | OPEN_FLAGS);
        }
    } else {
        return STATUS_ACCESS_DENIED;
    }
    return Descriptor < 0 ? LastStatus() : MakeNode(Store, Descriptor, Writable, Node);
}

/* Of a listing that no other thread has. */
static struct dirent *NextName(DIR *Listing)
{
    return readdir(Listing); /* NOLINT(concurrency-mt-unsafe): only that of one listing is not */
}

/* The next name that NT could have given, skipping . and .. and what has no UTF-16 form. FALSE at the end. */
static BOOLEAN ReadName(DIR *Directory, PUNICODE_STRING Name, const char **Bytes)
{
    struct dirent *Entry = NextName(Directory);

    while (Entry != NULL && (!DirectoryToUtf16(Entry->d_name, Name) || !FsdIsValidComponent(Name))) {
        Entry = NextName(Directory);
    }
    if (Entry != NULL) {
        *Bytes = Entry->d_name;
    }
    return (BOOLEAN)(Entry != NULL);
}

/* A reading position of its own on a directory that is open. NULL with errno. */
static DIR *OpenListing(const NODE *Directory)
{
    int Descriptor = openat(DescriptorOf(Directory), ".", O_RDONLY | O_DIRECTORY | OPEN_FLAGS);
    DIR *Listing = Descriptor < 0 ? NULL : fdopendir(Descriptor);

    if (Listing == NULL && Descriptor >= 0) {
        close(Descriptor);
    }
    return Listing;
}

static VOID Dismount(PVOID Store)
{
    PDIRECTORY_STORE DirectoryStore = Store;

    close(DirectoryStore->Root);
    ExFreePoolWithTag(DirectoryStore, DIRECTORY_TAG);
}

static NTSTATUS Mount(PHOST_DISK_EXTENSION Disk, PVOID *Store)
{
    PDIRECTORY_STORE New = ExAllocatePoolWithTag(PagedPool, sizeof(DIRECTORY_STORE), DIRECTORY_TAG);
    struct statfs Information;
    NTSTATUS Status;

    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    InitializeListHead(&New->Nodes);
    New->Root = open(Disk->Directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (New->Root < 0) {
        Status = LastStatus();
        ExFreePoolWithTag(New, DIRECTORY_TAG);
        return Status;
    }
    New->NamedStreams = (BOOLEAN)(fstatfs(New->Root, &Information) == 0 && Information.f_type == FUSE_FILE_SYSTEM &&
                                  fgetxattr(New->Root, STREAM_LIST, NULL, 0) >= 0);
    *Store = New;
    return STATUS_SUCCESS;
}

static NTSTATUS OpenRoot(PVOID Store, PNODE *Node)
{
    int Descriptor = openat(((PDIRECTORY_STORE)Store)->Root, ".", O_RDONLY | O_DIRECTORY | OPEN_FLAGS);

    return Descriptor < 0 ? LastStatus() : MakeNode(Store, Descriptor, FALSE, Node);
}

static VOID Close(PVOID Store, PNODE Node)
{
    PDIRECTORY_NODE DirectoryNode = (PDIRECTORY_NODE)Node;

    UNREFERENCED_PARAMETER(Store);
    RemoveEntryList(&DirectoryNode->Links);
    if (DirectoryNode->Descriptor >= 0) {
        close(DirectoryNode->Descriptor);
    }
    ExFreePoolWithTag(DirectoryNode, DIRECTORY_TAG);
}

/*
 * Closes every descriptor of a file that is about to go. A FUSE file system renames an open file that is deleted instead of deleting
 * it, and on others the number could be used again only after the last descriptor is closed: neither is wanted.
 */
static VOID CloseFile(PDIRECTORY_STORE Store, ULONG64 Device, ULONG64 FileId)
{
    PLIST_ENTRY Entry;

    for (Entry = Store->Nodes.Flink; Entry != &Store->Nodes; Entry = Entry->Flink) {
        PDIRECTORY_NODE Node = CONTAINING_RECORD(Entry, DIRECTORY_NODE, Links);

        if (Node->Node.Device == Device && Node->Node.FileId == FileId && Node->Descriptor >= 0) {
            close(Node->Descriptor);
            Node->Descriptor = -1;
        }
    }
}

/* The exact name, else the first that differs in case alone. */
static NTSTATUS Lookup(PVOID Store, PNODE Parent, PCUNICODE_STRING Name, PUNICODE_STRING ActualName, PNODE *Node)
{
    char Bytes[DIRECTORY_NAME_BYTES];
    const char *Found;
    DIR *Listing;
    NTSTATUS Status = DirectoryToUtf8(Name, Bytes, sizeof(Bytes));

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = OpenExisting(Store, DescriptorOf(Parent), Bytes, Node);
    if (Status != STATUS_OBJECT_NAME_NOT_FOUND) {
        RtlCopyUnicodeString(ActualName, Name);
        return Status;
    }
    Listing = OpenListing(Parent);
    if (Listing == NULL) {
        return LastStatus();
    }
    while (Status == STATUS_OBJECT_NAME_NOT_FOUND && ReadName(Listing, ActualName, &Found)) {
        if (RtlEqualUnicodeString(ActualName, Name, TRUE)) {
            Status = OpenExisting(Store, DescriptorOf(Parent), Found, Node);
        }
    }
    closedir(Listing);
    return Status;
}

static NTSTATUS Create(PVOID Store, PNODE Parent, PCUNICODE_STRING Name, BOOLEAN Directory, ULONG FileAttributes,
                       PNODE *Node)
{
    char Bytes[DIRECTORY_NAME_BYTES];
    int Descriptor;
    NTSTATUS Status = DirectoryToUtf8(Name, Bytes, sizeof(Bytes));

    UNREFERENCED_PARAMETER(FileAttributes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Directory) {
        if (mkdirat(DescriptorOf(Parent), Bytes, 0777) != 0) {
            return LastStatus();
        }
        Descriptor = openat(DescriptorOf(Parent), Bytes, O_RDONLY | O_DIRECTORY | OPEN_FLAGS);
    } else {
        Descriptor = openat(DescriptorOf(Parent), Bytes, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS, 0666);
    }
    if (Descriptor < 0) {
        return LastStatus();
    }
    Status = MakeNode(Store, Descriptor, (BOOLEAN)!Directory, Node);
    if (!NT_SUCCESS(Status)) {
        (VOID) unlinkat(DescriptorOf(Parent), Bytes, Directory ? AT_REMOVEDIR : 0);
    }
    return Status;
}

static NTSTATUS ConvertPlaces(const NODE_PLACE *From, char *FromBytes, const NODE_PLACE *To, char *ToBytes)
{
    NTSTATUS Status = DirectoryToUtf8(&From->Name, FromBytes, DIRECTORY_NAME_BYTES);

    return NT_SUCCESS(Status) ? DirectoryToUtf8(&To->Name, ToBytes, DIRECTORY_NAME_BYTES) : Status;
}

static NTSTATUS Link(PVOID Store, const NODE_PLACE *From, PNODE Node, const NODE_PLACE *To)
{
    char FromBytes[DIRECTORY_NAME_BYTES];
    char ToBytes[DIRECTORY_NAME_BYTES];
    NTSTATUS Status = ConvertPlaces(From, FromBytes, To, ToBytes);

    UNREFERENCED_PARAMETER(Store);
    UNREFERENCED_PARAMETER(Node);
    if (NT_SUCCESS(Status) &&
        linkat(DescriptorOf(From->Parent), FromBytes, DescriptorOf(To->Parent), ToBytes, 0) != 0) {
        Status = LastStatus();
    }
    return Status;
}

/* POSIX leaves both names when they are links to one file; NT leaves the new one. */
static NTSTATUS Rename(PVOID Store, const NODE_PLACE *From, PNODE Node, const NODE_PLACE *To)
{
    char FromBytes[DIRECTORY_NAME_BYTES];
    char ToBytes[DIRECTORY_NAME_BYTES];
    struct stat Target;
    BOOLEAN SameName = (BOOLEAN)(From->Parent == To->Parent && RtlEqualUnicodeString(&From->Name, &To->Name, FALSE));
    NTSTATUS Status = ConvertPlaces(From, FromBytes, To, ToBytes);

    if (!NT_SUCCESS(Status) || SameName) {
        return Status;
    }
    if (fstatat(DescriptorOf(To->Parent), ToBytes, &Target, AT_SYMLINK_NOFOLLOW) == 0) {
        if (Target.st_dev == Node->Device && Target.st_ino == Node->FileId) {
            return unlinkat(DescriptorOf(From->Parent), FromBytes, 0) == 0 ? STATUS_SUCCESS : LastStatus();
        }
        if (Target.st_nlink <= 1) {
            CloseFile(Store, Target.st_dev, Target.st_ino);
        }
    }
    if (renameat(DescriptorOf(From->Parent), FromBytes, DescriptorOf(To->Parent), ToBytes) != 0) {
        Status = LastStatus();
    }
    return Status;
}

static NTSTATUS Unlink(PVOID Store, const NODE_PLACE *Place, PNODE Node, PBOOLEAN LastLink)
{
    char Bytes[DIRECTORY_NAME_BYTES];
    struct stat Information;
    NTSTATUS Status = DirectoryToUtf8(&Place->Name, Bytes, sizeof(Bytes));

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (fstatat(DescriptorOf(Place->Parent), Bytes, &Information, AT_SYMLINK_NOFOLLOW) != 0) {
        return LastStatus();
    }
    *LastLink = (BOOLEAN)(Node->Directory || Information.st_nlink <= 1);
    if (*LastLink) {
        CloseFile(Store, Node->Device, Node->FileId);
    }
    if (unlinkat(DescriptorOf(Place->Parent), Bytes, Node->Directory ? AT_REMOVEDIR : 0) != 0) {
        Status = LastStatus();
    }
    return Status;
}

static BOOLEAN IsEmptyDirectory(PVOID Store, PNODE Directory)
{
    DIR *Listing = OpenListing(Directory);
    struct dirent *Entry;
    ULONG Count = 0;

    UNREFERENCED_PARAMETER(Store);
    if (Listing == NULL) {
        return FALSE;
    }
    for (Entry = NextName(Listing); Entry != NULL; Entry = NextName(Listing)) {
        Count += strcmp(Entry->d_name, ".") != 0 && strcmp(Entry->d_name, "..") != 0;
    }
    closedir(Listing);
    return (BOOLEAN)(Count == 0);
}

/* Index is the position that telldir gives, the same for every listing of the directory. */
static NTSTATUS NextEntry(PVOID Store, PNODE Directory, PULONG64 Index, PUNICODE_STRING Name,
                          PNODE_INFORMATION Information)
{
    DIR *Listing = OpenListing(Directory);
    struct stat Entry;
    const char *Bytes;
    NTSTATUS Status = STATUS_NO_MORE_FILES;

    UNREFERENCED_PARAMETER(Store);
    if (Listing == NULL) {
        return LastStatus();
    }
    if (*Index != 0) {
        seekdir(Listing, (long)*Index);
    }
    while (Status == STATUS_NO_MORE_FILES && ReadName(Listing, Name, &Bytes)) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.StdCLibraryFunctions): a listing that is open has a descriptor */
        if (fstatat(dirfd(Listing), Bytes, &Entry, AT_SYMLINK_NOFOLLOW) == 0) {
            FillInformation(&Entry, Information);
            *Index = (ULONG64)telldir(Listing);
            Status = STATUS_SUCCESS;
        }
    }
    closedir(Listing);
    return Status;
}

/* The list of a file's stream names, each with its terminator, in pool that the caller frees; NULL and no bytes when there is none. */
static NTSTATUS ReadStreamList(const NODE *File, char **List, SIZE_T *Bytes)
{
    ssize_t Length = fgetxattr(DescriptorOf(File), STREAM_LIST, NULL, 0);

    *List = NULL;
    *Bytes = 0;
    if (Length < 0) {
        return LastStatus();
    }
    if (Length == 0) {
        return STATUS_SUCCESS;
    }
    *List = ExAllocatePoolWithTag(PagedPool, (SIZE_T)Length + 1, DIRECTORY_TAG);
    if (*List == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Length = fgetxattr(DescriptorOf(File), STREAM_LIST, *List, (SIZE_T)Length);
    if (Length < 0) {
        NTSTATUS Status = LastStatus();

        ExFreePoolWithTag(*List, DIRECTORY_TAG);
        *List = NULL;
        return Status;
    }
    (*List)[Length] = '\0';
    *Bytes = (SIZE_T)Length;
    return STATUS_SUCCESS;
}

/* Joins name:stream. */
static NTSTATUS StreamPath(const NODE_PLACE *Place, PCUNICODE_STRING Stream, char *Bytes)
{
    NTSTATUS Status = DirectoryToUtf8(&Place->Name, Bytes, DIRECTORY_NAME_BYTES - 1);
    SIZE_T Length;

    if (NT_SUCCESS(Status)) {
        Length = strlen(Bytes);
        Bytes[Length] = ':';
        Status = DirectoryToUtf8(Stream, Bytes + Length + 1, DIRECTORY_NAME_BYTES - Length - 1);
    }
    return Status;
}

/* The stored name of a stream that differs from Name in case alone. STATUS_OBJECT_NAME_NOT_FOUND. */
static NTSTATUS FindStreamName(const NODE *File, PCUNICODE_STRING Name, PUNICODE_STRING ActualName)
{
    NTSTATUS Status;
    SIZE_T Bytes;
    SIZE_T Position;
    char *List;

    Status = ReadStreamList(File, &List, &Bytes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = STATUS_OBJECT_NAME_NOT_FOUND;
    for (Position = 0; Status != STATUS_SUCCESS && Position < Bytes; Position += strlen(List + Position) + 1) {
        if (DirectoryToUtf16(List + Position, ActualName) && RtlEqualUnicodeString(ActualName, Name, TRUE)) {
            Status = STATUS_SUCCESS;
        }
    }
    if (List != NULL) {
        ExFreePoolWithTag(List, DIRECTORY_TAG);
    }
    return Status;
}

static NTSTATUS OpenStream(PVOID Store, const NODE_PLACE *Place, PNODE File, PCUNICODE_STRING Name, BOOLEAN Make,
                           PNODE *Stream, PBOOLEAN Created)
{
    char Bytes[DIRECTORY_NAME_BYTES];
    WCHAR Buffer[NODE_MAXIMUM_NAME];
    UNICODE_STRING ActualName = {0, sizeof(Buffer), Buffer};
    int Parent = DescriptorOf(Place->Parent);
    int Descriptor;
    NTSTATUS Status;

    *Created = FALSE;
    if (!((PDIRECTORY_STORE)Store)->NamedStreams) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Status = StreamPath(Place, Name, Bytes);
    if (NT_SUCCESS(Status)) {
        Status = OpenExisting(Store, Parent, Bytes, Stream);
    }
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        Status = FindStreamName(File, Name, &ActualName);
        if (NT_SUCCESS(Status)) {
            Status = StreamPath(Place, &ActualName, Bytes);
        }
        if (NT_SUCCESS(Status)) {
            Status = OpenExisting(Store, Parent, Bytes, Stream);
        }
    }
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Make) {
        Descriptor = openat(Parent, Bytes, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS, 0666);
        Status = Descriptor < 0 ? LastStatus() : MakeNode(Store, Descriptor, TRUE, Stream);
        *Created = NT_SUCCESS(Status);
        if (Descriptor >= 0 && !NT_SUCCESS(Status)) {
            (VOID) unlinkat(Parent, Bytes, 0);
        }
    }
    return Status;
}

static NTSTATUS UnlinkStream(PVOID Store, const NODE_PLACE *Place, PNODE Stream, PCUNICODE_STRING Name)
{
    PDIRECTORY_NODE Node = (PDIRECTORY_NODE)Stream;
    char Bytes[DIRECTORY_NAME_BYTES];
    NTSTATUS Status = StreamPath(Place, Name, Bytes);

    UNREFERENCED_PARAMETER(Store);
    if (NT_SUCCESS(Status)) {
        if (Node->Descriptor >= 0) {
            close(Node->Descriptor);
            Node->Descriptor = -1;
        }
        if (unlinkat(DescriptorOf(Place->Parent), Bytes, 0) != 0) {
            Status = LastStatus();
        }
    }
    return Status;
}

static NTSTATUS NextStream(PVOID Store, const NODE_PLACE *Place, PNODE File, ULONG Index, PUNICODE_STRING Name,
                           PLONGLONG Size)
{
    char Path[DIRECTORY_NAME_BYTES];
    struct stat Information;
    NTSTATUS Status;
    SIZE_T Bytes;
    SIZE_T Position = 0;
    char *List;

    if (!((PDIRECTORY_STORE)Store)->NamedStreams) {
        return STATUS_NO_MORE_ENTRIES;
    }
    Status = ReadStreamList(File, &List, &Bytes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    while (Index != 0 && Position < Bytes) {
        Position += strlen(List + Position) + 1;
        Index--;
    }
    if (Position >= Bytes) {
        Status = STATUS_NO_MORE_ENTRIES;
    } else if (!DirectoryToUtf16(List + Position, Name)) {
        Status = STATUS_OBJECT_NAME_INVALID;
    } else {
        Status = StreamPath(Place, Name, Path);
    }
    if (NT_SUCCESS(Status)) {
        *Size = fstatat(DescriptorOf(Place->Parent), Path, &Information, AT_SYMLINK_NOFOLLOW) == 0 ? Information.st_size
                                                                                                   : 0;
    }
    if (List != NULL) {
        ExFreePoolWithTag(List, DIRECTORY_TAG);
    }
    return Status;
}

static NTSTATUS Read(PVOID Store, PNODE Stream, LONGLONG Offset, PVOID Buffer, ULONG Length, PULONG Transferred)
{
    ssize_t Count = 1;

    UNREFERENCED_PARAMETER(Store);
    *Transferred = 0;
    while (*Transferred < Length && Count != 0) {
        Count =
            pread(DescriptorOf(Stream), (PUCHAR)Buffer + *Transferred, Length - *Transferred, Offset + *Transferred);
        if (Count >= 0) {
            *Transferred += (ULONG)Count;
        } else if (errno != EINTR) {
            return LastStatus();
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Write(PVOID Store, PNODE Stream, LONGLONG Offset, const VOID *Buffer, ULONG Length)
{
    ULONG Transferred = 0;

    UNREFERENCED_PARAMETER(Store);
    if (!((PDIRECTORY_NODE)Stream)->Writable) {
        return STATUS_ACCESS_DENIED;
    }
    while (Transferred < Length) {
        ssize_t Count = pwrite(DescriptorOf(Stream), (const UCHAR *)Buffer + Transferred, Length - Transferred,
                               Offset + Transferred);

        if (Count >= 0) {
            Transferred += (ULONG)Count;
        } else if (errno != EINTR) {
            return LastStatus();
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Query(PVOID Store, PNODE Stream, PNODE_INFORMATION Information)
{
    struct stat Status;

    UNREFERENCED_PARAMETER(Store);
    if (fstat(DescriptorOf(Stream), &Status) != 0) {
        return LastStatus();
    }
    FillInformation(&Status, Information);
    return STATUS_SUCCESS;
}

static NTSTATUS SetSize(PVOID Store, PNODE Stream, LONGLONG Size)
{
    UNREFERENCED_PARAMETER(Store);
    if (!((PDIRECTORY_NODE)Stream)->Writable) {
        return STATUS_ACCESS_DENIED;
    }
    return ftruncate(DescriptorOf(Stream), Size) == 0 ? STATUS_SUCCESS : LastStatus();
}

/* Of the attributes, the machine keeps read-only alone. */
static NTSTATUS SetBasic(PVOID Store, PNODE Stream, const FILE_BASIC_INFORMATION *Information)
{
    const struct timespec Times[2] = {TimeToUnix(Information->LastAccessTime), TimeToUnix(Information->LastWriteTime)};
    struct stat Status;
    mode_t Mode;

    UNREFERENCED_PARAMETER(Store);
    if (futimens(DescriptorOf(Stream), Times) != 0 || fstat(DescriptorOf(Stream), &Status) != 0) {
        return LastStatus();
    }
    if (Information->FileAttributes == 0) {
        return STATUS_SUCCESS;
    }
    Mode = Status.st_mode & 07777;
    if ((Information->FileAttributes & FILE_ATTRIBUTE_READONLY) != 0) {
        Mode &= ~(mode_t)0222;
    } else if ((Mode & 0222) == 0) {
        Mode |= 0200;
    }
    return Mode == (Status.st_mode & 07777) || fchmod(DescriptorOf(Stream), Mode) == 0 ? STATUS_SUCCESS : LastStatus();
}

static NTSTATUS Flush(PVOID Store, PNODE Stream)
{
    UNREFERENCED_PARAMETER(Store);
    return fsync(DescriptorOf(Stream)) == 0 ? STATUS_SUCCESS : LastStatus();
}

static NTSTATUS QuerySpace(PVOID Store, PULONG64 TotalBytes, PULONG64 FreeBytes)
{
    struct statvfs Information;

    if (fstatvfs(((PDIRECTORY_STORE)Store)->Root, &Information) != 0) {
        return LastStatus();
    }
    *TotalBytes = (ULONG64)Information.f_blocks * Information.f_frsize;
    *FreeBytes = (ULONG64)Information.f_bavail * Information.f_frsize;
    return STATUS_SUCCESS;
}

static const NODE_OPERATIONS DirectoryOperations = {
    .Mount = Mount,
    .Dismount = Dismount,
    .OpenRoot = OpenRoot,
    .Close = Close,
    .Lookup = Lookup,
    .Create = Create,
    .Link = Link,
    .Rename = Rename,
    .Unlink = Unlink,
    .IsEmptyDirectory = IsEmptyDirectory,
    .NextEntry = NextEntry,
    .OpenStream = OpenStream,
    .UnlinkStream = UnlinkStream,
    .NextStream = NextStream,
    .Read = Read,
    .Write = Write,
    .Query = Query,
    .SetSize = SetSize,
    .SetBasic = SetBasic,
    .Flush = Flush,
    .QuerySpace = QuerySpace,
};

static const WCHAR DeviceNameText[] = L"\\HostDirectory";
static const WCHAR NameText[] = L"HOSTDIR";

static const FSD_DRIVER DirectoryDriver = {
    .Kind = HOST_FILE_SYSTEM_DIRECTORY,
    .Tag = DIRECTORY_TAG,
    .Attributes = FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK | FILE_NAMED_STREAMS | FILE_SUPPORTS_HARD_LINKS,
    .DeviceName = RTL_CONSTANT_STRING(DeviceNameText),
    .Name = RTL_CONSTANT_STRING(NameText),
    .Operations = &DirectoryOperations,
};

NTSTATUS DirectoryDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return FsdInitializeDriver(DriverObject, &DirectoryDriver);
}
