/* The short calls of files.h. */
#include "files.h"

#include <stdlib.h>

static WCHAR VolumePrefix[] = L"\\DosDevices\\?:";

static ULONG LengthOf(const WCHAR *Text)
{
    ULONG Length = 0;

    while (Text[Length] != 0) {
        Length++;
    }
    return Length;
}

void UseVolume(WCHAR Letter)
{
    VolumePrefix[12] = Letter;
}

static NTSTATUS OpenPath(HANDLE Root, UNICODE_STRING Name, ACCESS_MASK Access, ULONG Disposition, ULONG Options,
                         ULONG Share, HANDLE *Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, Root, NULL);
    return NtCreateFile(Handle, Access | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, Share, Disposition,
                        Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static NTSTATUS OpenUnits(const WCHAR *Name, ULONG Units, ACCESS_MASK Access, ULONG Disposition, ULONG Options,
                          ULONG Share, HANDLE *Handle)
{
    ULONG Prefix = LengthOf(VolumePrefix);
    WCHAR *Path = malloc((Prefix + Units) * sizeof(WCHAR));
    UNICODE_STRING Text;
    NTSTATUS Status;

    memcpy(Path, VolumePrefix, Prefix * sizeof(WCHAR));
    if (Units != 0) {
        memcpy(Path + Prefix, Name, Units * sizeof(WCHAR));
    }
    Text.Buffer = Path;
    Text.Length = (USHORT)((Prefix + Units) * sizeof(WCHAR));
    Text.MaximumLength = Text.Length;
    Status = OpenPath(NULL, Text, Access, Disposition, Options, Share, Handle);
    free(Path);
    return Status;
}

NTSTATUS OpenAs(const WCHAR *Name, ACCESS_MASK Access, ULONG Disposition, ULONG Options, ULONG Share, HANDLE *Handle)
{
    return OpenUnits(Name, LengthOf(Name), Access, Disposition, Options, Share, Handle);
}

NTSTATUS OpenCounted(const WCHAR *Name, ULONG Units, ULONG Disposition, HANDLE *Handle)
{
    return OpenUnits(Name, Units, ALL_ACCESS, Disposition, 0, SHARE_ALL, Handle);
}

NTSTATUS OpenRelative(HANDLE Root, const WCHAR *Name, ULONG Disposition, HANDLE *Handle)
{
    UNICODE_STRING Text;

    RtlInitUnicodeString(&Text, Name);
    return OpenPath(Root, Text, ALL_ACCESS, Disposition, 0, SHARE_ALL, Handle);
}

NTSTATUS OpenFile(const WCHAR *Name, HANDLE *Handle)
{
    return OpenAs(Name, ALL_ACCESS, FILE_OPEN, 0, SHARE_ALL, Handle);
}

NTSTATUS CreateNew(const WCHAR *Name, HANDLE *Handle)
{
    return OpenAs(Name, ALL_ACCESS, FILE_CREATE, 0, SHARE_ALL, Handle);
}

static NTSTATUS CloseIfOpen(NTSTATUS Status, HANDLE Handle)
{
    if (NT_SUCCESS(Status)) {
        Status = NtClose(Handle);
    }
    return Status;
}

NTSTATUS MakeDirectory(const WCHAR *Name)
{
    HANDLE Handle;
    NTSTATUS Status = OpenAs(Name, ALL_ACCESS, FILE_CREATE, FILE_DIRECTORY_FILE, SHARE_ALL, &Handle);

    return CloseIfOpen(Status, Handle);
}

NTSTATUS MakeFile(const WCHAR *Name)
{
    HANDLE Handle;
    NTSTATUS Status = CreateNew(Name, &Handle);

    return CloseIfOpen(Status, Handle);
}

NTSTATUS Remove(const WCHAR *Name)
{
    HANDLE Handle;
    NTSTATUS Status = OpenAs(Name, DELETE, FILE_OPEN, 0, SHARE_ALL, &Handle);

    if (NT_SUCCESS(Status)) {
        Status = SetDelete(Handle, TRUE);
        (VOID) NtClose(Handle);
    }
    return Status;
}

NTSTATUS OpenOnly(const WCHAR *Name)
{
    HANDLE Handle;
    NTSTATUS Status = OpenFile(Name, &Handle);

    return CloseIfOpen(Status, Handle);
}

NTSTATUS Write(HANDLE Handle, LONGLONG Offset, const void *Bytes, ULONG Length)
{
    LARGE_INTEGER ByteOffset;
    IO_STATUS_BLOCK IoStatus;

    ByteOffset.QuadPart = Offset;
    return NtWriteFile(Handle, NULL, NULL, NULL, &IoStatus, (PVOID)(ULONG_PTR)Bytes, Length, &ByteOffset, NULL);
}

NTSTATUS Read(HANDLE Handle, LONGLONG Offset, void *Bytes, ULONG Length, ULONG *Transferred)
{
    LARGE_INTEGER ByteOffset;
    IO_STATUS_BLOCK IoStatus = {0};
    NTSTATUS Status;

    ByteOffset.QuadPart = Offset;
    Status = NtReadFile(Handle, NULL, NULL, NULL, &IoStatus, Bytes, Length, &ByteOffset, NULL);
    *Transferred = (ULONG)IoStatus.Information;
    return Status;
}

NTSTATUS SetDelete(HANDLE Handle, BOOLEAN Delete)
{
    FILE_DISPOSITION_INFORMATION Disposition = {Delete};
    IO_STATUS_BLOCK IoStatus;

    return NtSetInformationFile(Handle, &IoStatus, &Disposition, sizeof(Disposition), FileDispositionInformation);
}

static NTSTATUS SetName(HANDLE Handle, const WCHAR *Name, BOOLEAN Replace, FILE_INFORMATION_CLASS Class)
{
    ULONG Bytes = LengthOf(Name) * (ULONG)sizeof(WCHAR);
    ULONG Length = (ULONG)sizeof(FILE_RENAME_INFORMATION) + Bytes;
    FILE_RENAME_INFORMATION *Request = calloc(1, Length);
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    Request->ReplaceIfExists = Replace;
    Request->FileNameLength = Bytes;
    memcpy(Request->FileName, Name, Bytes);
    Status = NtSetInformationFile(Handle, &IoStatus, Request, Length, Class);
    free(Request);
    return Status;
}

NTSTATUS Rename(HANDLE Handle, const WCHAR *Name, BOOLEAN Replace)
{
    return SetName(Handle, Name, Replace, FileRenameInformation);
}

NTSTATUS Link(HANDLE Handle, const WCHAR *Name, BOOLEAN Replace)
{
    return SetName(Handle, Name, Replace, FileLinkInformation);
}

NTSTATUS Query(HANDLE Handle, FILE_INFORMATION_CLASS Class, void *Buffer, ULONG Length)
{
    IO_STATUS_BLOCK IoStatus;

    return NtQueryInformationFile(Handle, &IoStatus, Buffer, Length, Class);
}

NTSTATUS List(HANDLE Directory, const WCHAR *Pattern, ULONG *Count)
{
    ULONG64 Buffer[64];
    UNICODE_STRING Text;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status = STATUS_SUCCESS;

    RtlInitUnicodeString(&Text, Pattern);
    *Count = 0;
    while (NT_SUCCESS(Status)) {
        Status = NtQueryDirectoryFile(Directory, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer),
                                      FileNamesInformation, FALSE, &Text, FALSE);
        if (NT_SUCCESS(Status)) {
            PFILE_NAMES_INFORMATION Entry = (PFILE_NAMES_INFORMATION)(PVOID)Buffer;

            (*Count)++;
            while (Entry->NextEntryOffset != 0) {
                Entry = (PFILE_NAMES_INFORMATION)(PVOID)((PUCHAR)Entry + Entry->NextEntryOffset);
                (*Count)++;
            }
        }
    }
    return Status == STATUS_NO_MORE_FILES ? STATUS_SUCCESS : Status;
}

BOOLEAN HasName(HANDLE Handle, const WCHAR *Name)
{
    ULONG64 Buffer[64];
    PFILE_NAME_INFORMATION Reply = (PFILE_NAME_INFORMATION)(PVOID)Buffer;
    ULONG Bytes = LengthOf(Name) * (ULONG)sizeof(WCHAR);

    return (BOOLEAN)(Query(Handle, FileNameInformation, Buffer, sizeof(Buffer)) == STATUS_SUCCESS &&
                     Reply->FileNameLength == Bytes && memcmp(Reply->FileName, Name, Bytes) == 0);
}

NTSTATUS DismountHere(void)
{
    IO_STATUS_BLOCK IoStatus;
    HANDLE Volume;
    NTSTATUS Status = OpenAs(L"", FILE_GENERIC_READ, FILE_OPEN, 0, SHARE_ALL, &Volume);

    if (NT_SUCCESS(Status)) {
        Status = NtFsControlFile(Volume, NULL, NULL, NULL, &IoStatus, FSCTL_DISMOUNT_VOLUME, NULL, 0, NULL, 0);
        (VOID) NtClose(Volume);
    }
    return Status;
}
