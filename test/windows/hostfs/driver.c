/* Entry and unload of hostfs.sys, and whose each request is. */
#include "hostfs.h"

PDRIVER_OBJECT HostfsDriver;
PDEVICE_OBJECT HostfsFileSystem;
PDRIVER_DISPATCH HostfsFileSystemDispatch;

static PDRIVER_UNLOAD FileSystemUnload;

DRIVER_INITIALIZE DriverEntry;

static BOOLEAN IsNamed(const FILE_OBJECT *FileObject, PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return FileObject != NULL && RtlEqualUnicodeString(&FileObject->FileName, &Name, TRUE);
}

/* What the volume does otherwise than the memory file system, which it is else. */
static NTSTATUS HostfsVolumeDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    UCHAR MajorFunction = Location->MajorFunction;
    PFILE_OBJECT FileObject = Location->FileObject;
    NTSTATUS Status;

    if (IsNamed(FileObject, HOSTFS_PENDING)) {
        if (MajorFunction == IRP_MJ_READ) {
            return HostfsPendRead(Irp);
        }
        if (MajorFunction == IRP_MJ_CLEANUP) {
            HostfsCancelReads(FileObject);
        }
    }
    Status = HostfsFileSystemDispatch(DeviceObject, Irp);
    if (MajorFunction == IRP_MJ_CREATE && Status == STATUS_SUCCESS && IsNamed(FileObject, HOSTFS_COMMON)) {
        ((PFSRTL_COMMON_FCB_HEADER)FileObject->FsContext)->Flags &= (UCHAR)~FSRTL_FLAG_ADVANCED_HEADER;
    }
    return Status;
}

static NTSTATUS HostfsDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    switch (DeviceObject->DeviceType) {
    case HOSTFS_PATH_DEVICE:
    case FILE_DEVICE_DISK:
        return HostfsRoute(DeviceObject, Irp);
    case HOSTFS_CONTROL_DEVICE:
        return HostfsCommandDispatch(DeviceObject, Irp);
    default:
        return HostfsVolumeDispatch(DeviceObject, Irp);
    }
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    HostfsStopCommands();
    (VOID) HostfsDismount();
    HostfsStopPaths();
    HostfsReapDisks();
    FileSystemUnload(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    HostfsDriver = DriverObject;
    HostfsStartPending();
    Status = MemoryDriverEntry(DriverObject, RegistryPath);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    HostfsFileSystem = DriverObject->DeviceObject;
    HostfsFileSystemDispatch = DriverObject->MajorFunction[IRP_MJ_CREATE];
    FileSystemUnload = DriverObject->DriverUnload;
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
        DriverObject->MajorFunction[Major] = HostfsDispatch;
    }
    DriverObject->DriverUnload = Unload;

    Status = HostfsStartPaths();
    if (NT_SUCCESS(Status)) {
        Status = HostfsMount(0);
        if (NT_SUCCESS(Status)) {
            Status = HostfsStartCommands();
            if (NT_SUCCESS(Status)) {
                return STATUS_SUCCESS;
            }
            (VOID) HostfsDismount();
        }
        HostfsStopPaths();
        HostfsReapDisks();
    }
    FileSystemUnload(DriverObject);
    return Status;
}
