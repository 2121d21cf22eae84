/* The driver's own opens of files: requests to the top of the volume's stack, as the I/O manager sends them. */
#include "hostfs.h"

#define HOSTFS_ALL_SHARED (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* What Wine keeps ahead of an object: a reference count that never ends, and the type. */
typedef struct DECLSPEC_ALIGN(16) _WINE_OBJECT {
    LONG References;
    POBJECT_TYPE Type;
} WINE_OBJECT, *PWINE_OBJECT;

typedef struct _HOSTFS_FILE {
    WINE_OBJECT Object;
    FILE_OBJECT FileObject;
} HOSTFS_FILE, *PHOSTFS_FILE;

static PFILE_OBJECT AllocateFileObject(PCUNICODE_STRING Name)
{
    PHOSTFS_FILE File = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*File) + Name->Length, HOSTFS_TAG);
    PFILE_OBJECT FileObject;

    if (File == NULL) {
        return NULL;
    }
    RtlZeroMemory(File, sizeof(*File));
    File->Object.References = MAXLONG / 2;
    File->Object.Type = *IoFileObjectType;
    FileObject = &File->FileObject;
    FileObject->Type = IO_TYPE_FILE;
    FileObject->Size = sizeof(*FileObject);
    FileObject->DeviceObject = HostfsDisk->Device;
    FileObject->Vpb = HostfsDisk->Device->Vpb;
    FileObject->FileName.Buffer = (PWCH)(File + 1);
    FileObject->FileName.Length = FileObject->FileName.MaximumLength = Name->Length;
    RtlCopyMemory(FileObject->FileName.Buffer, Name->Buffer, Name->Length);
    return FileObject;
}

static VOID FreeFileObject(PFILE_OBJECT FileObject)
{
    ExFreePoolWithTag(CONTAINING_RECORD(FileObject, HOSTFS_FILE, FileObject), HOSTFS_TAG);
}

/* An open that shares everything and asks for nothing. STATUS_VOLUME_DISMOUNTED, and what the file system says. */
NTSTATUS HostfsOpen(PCUNICODE_STRING Name, ULONG Disposition, ULONG Options, PFILE_OBJECT *FileObject)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_CREATE};
    IO_SECURITY_CONTEXT Security = {.DesiredAccess = FILE_READ_ATTRIBUTES};
    PFILE_OBJECT New;
    NTSTATUS Status;

    if (HostfsDisk == NULL) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    New = AllocateFileObject(Name);
    if (New == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Location.FileObject = New;
    Location.Parameters.Create.SecurityContext = &Security;
    Location.Parameters.Create.Options = (Disposition << 24) | Options;
    Location.Parameters.Create.ShareAccess = HOSTFS_ALL_SHARED;
    Status = SendRequest(IoGetRelatedDeviceObject(New), &Location, NULL, NULL);
    if (NT_SUCCESS(Status)) {
        *FileObject = New;
    } else {
        FreeFileObject(New);
    }
    return Status;
}

VOID HostfsClose(PFILE_OBJECT FileObject)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_CLEANUP, .FileObject = FileObject};

    (VOID) SendRequest(IoGetRelatedDeviceObject(FileObject), &Location, NULL, NULL);
    Location.MajorFunction = IRP_MJ_CLOSE;
    (VOID) SendRequest(IoGetRelatedDeviceObject(FileObject), &Location, NULL, NULL);
    FreeFileObject(FileObject);
}

NTSTATUS HostfsSetInformation(PFILE_OBJECT FileObject, PFILE_OBJECT Target, FILE_INFORMATION_CLASS Class, PVOID Buffer,
                              ULONG Length)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_SET_INFORMATION, .FileObject = FileObject};

    Location.Parameters.SetFile.Length = Length;
    Location.Parameters.SetFile.FileInformationClass = Class;
    Location.Parameters.SetFile.FileObject = Target;
    return SendRequest(IoGetRelatedDeviceObject(FileObject), &Location, Buffer, NULL);
}
