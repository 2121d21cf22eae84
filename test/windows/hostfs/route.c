/*
 * The I/O manager's part: a request to a path's device becomes one to the top of the volume's stack.
 *
 * A file object of Wine's comes without a name and a VPB, its create without a security context and a disposition;
 * the create's status never reaches the client, who has its handle by then: it is kept in FileObject->FinalStatus,
 * and whatever is asked of the file gets it. Share modes are not enforced, since Wine does not tell what access the
 * client asked for; the server checks reads and writes against it. A read or write without an offset comes
 * with offset zero: Wine keeps no position for a device's files.
 */
#include "hostfs.h"

/* A deletion at the last close would leave the links behind: command.c deletes. */
#define HOSTFS_CREATE_OPTIONS (FILE_VALID_OPTION_FLAGS & ~(ULONG)FILE_DELETE_ON_CLOSE)

/* Behind every file object that came through a path's device: FileObject->FileName.Buffer is Name. */
typedef struct _HOSTFS_OPEN {
    PHOSTFS_PATH Path;
    PHOSTFS_DISK Disk;
    WCHAR Name[1];
} HOSTFS_OPEN, *PHOSTFS_OPEN;

static PHOSTFS_OPEN OpenOf(PFILE_OBJECT FileObject)
{
    return FileObject->FileName.Buffer == NULL ? NULL
                                               : CONTAINING_RECORD(FileObject->FileName.Buffer, HOSTFS_OPEN, Name);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* To the top of the volume's stack, in place of the device that it was sent to. */
static NTSTATUS Forward(PIRP Irp, PFILE_OBJECT FileObject)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(IoGetRelatedDeviceObject(FileObject), Irp);
}

/* The disk itself cannot be opened. */
static NTSTATUS RefuseCreate(PIRP Irp, PFILE_OBJECT FileObject)
{
    FileObject->FinalStatus = STATUS_ACCESS_DENIED;
    return Complete(Irp, FileObject->FinalStatus);
}

static NTSTATUS RouteCreate(PHOSTFS_PATH Path, PIRP Irp, PIO_STACK_LOCATION Location)
{
    IO_SECURITY_CONTEXT Security = {.DesiredAccess = FILE_READ_ATTRIBUTES};
    PFILE_OBJECT FileObject = Location->FileObject;
    PHOSTFS_OPEN Open = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Open) + Path->Name.Length, HOSTFS_TAG);

    if (Open == NULL) {
        FileObject->FinalStatus = STATUS_INSUFFICIENT_RESOURCES;
        return Complete(Irp, FileObject->FinalStatus);
    }
    Open->Path = Path;
    Open->Disk = Path->Disk;
    Open->Path->Opens++;
    Open->Disk->Opens++;
    RtlCopyMemory(Open->Name, Path->Name.Buffer, Path->Name.Length);
    FileObject->FileName.Buffer = Open->Name;
    FileObject->FileName.Length = FileObject->FileName.MaximumLength = Path->Name.Length;
    FileObject->DeviceObject = Path->Disk->Device;
    if (Path->Disk->Device->Vpb->DeviceObject == NULL) {
        FileObject->FinalStatus = STATUS_VOLUME_DISMOUNTED;
        return Complete(Irp, FileObject->FinalStatus);
    }
    FileObject->Vpb = Path->Disk->Device->Vpb;
    Location->Parameters.Create.SecurityContext = &Security;
    Location->Parameters.Create.Options =
        (FILE_OPEN << 24) | (Location->Parameters.Create.Options & HOSTFS_CREATE_OPTIONS);
    if ((Location->Parameters.Create.Options & FILE_NO_INTERMEDIATE_BUFFERING) != 0) {
        FileObject->Flags |= FO_NO_INTERMEDIATE_BUFFERING;
    }
    FileObject->FinalStatus = Forward(Irp, FileObject);
    return FileObject->FinalStatus;
}

/* The cleanup that Wine does not send, then the close. */
static NTSTATUS RouteClose(PHOSTFS_OPEN Open, PIRP Irp, PFILE_OBJECT FileObject)
{
    IO_STACK_LOCATION Cleanup = {.MajorFunction = IRP_MJ_CLEANUP, .FileObject = FileObject};
    NTSTATUS Status;

    if (NT_SUCCESS(FileObject->FinalStatus)) {
        (VOID) SendRequest(IoGetRelatedDeviceObject(FileObject), &Cleanup, NULL, NULL);
        Status = Forward(Irp, FileObject);
    } else {
        Status = Complete(Irp, STATUS_SUCCESS);
    }
    FileObject->FileName.Buffer = NULL;
    FileObject->FileName.Length = FileObject->FileName.MaximumLength = 0;
    FileObject->Vpb = NULL;
    Open->Path->Opens--;
    Open->Disk->Opens--;
    ExFreePoolWithTag(Open, HOSTFS_TAG);
    return Status;
}

/* DeviceIoControl sends a file system's codes as file system control, where Wine has only one kind. */
static VOID ConvertControl(PIO_STACK_LOCATION Location)
{
    if (Location->MajorFunction == IRP_MJ_DEVICE_CONTROL &&
        DEVICE_TYPE_FROM_CTL_CODE(Location->Parameters.DeviceIoControl.IoControlCode) == FILE_DEVICE_FILE_SYSTEM) {
        Location->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
        Location->MinorFunction = IRP_MN_USER_FS_REQUEST;
    }
}

NTSTATUS HostfsRoute(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT FileObject = Location->FileObject;
    PHOSTFS_OPEN Open;
    NTSTATUS Status;

    if (Location->MajorFunction == IRP_MJ_CREATE) {
        return DeviceObject->DeviceType == HOSTFS_PATH_DEVICE
                   ? RouteCreate(DeviceObject->DeviceExtension, Irp, Location)
                   : RefuseCreate(Irp, Location->FileObject);
    }
    Open = OpenOf(FileObject);
    if (Location->MajorFunction == IRP_MJ_CLOSE) {
        return Open == NULL ? Complete(Irp, STATUS_SUCCESS) : RouteClose(Open, Irp, FileObject);
    }
    if (!NT_SUCCESS(FileObject->FinalStatus)) {
        return Complete(Irp, FileObject->FinalStatus);
    }
    if (AnswerDeviceInformation(FileObject->DeviceObject, Irp, &Status)) {
        return Status;
    }
    ConvertControl(Location);
    return Forward(Irp, FileObject);
}
