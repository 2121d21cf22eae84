/* Disks, one for each mount: mounting and dismounting, as the I/O manager asks for it. */
#include "hostfs.h"

PHOSTFS_DISK HostfsDisk;

static LIST_ENTRY RetiredDisks = {&RetiredDisks, &RetiredDisks};
static ULONG DiskNumber;

/*
 * IRP_MN_MOUNT_VOLUME to the top of the file system's stack, so that filters see it. [ifs/irp-mj-file-system-control]
 */
static NTSTATUS AskToMount(PDEVICE_OBJECT Disk)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL, .MinorFunction = IRP_MN_MOUNT_VOLUME};
    NTSTATUS Status;

    Location.Parameters.MountVolume.Vpb = Disk->Vpb;
    Location.Parameters.MountVolume.DeviceObject = Disk;
    Status = SendRequest(IoGetAttachedDevice(HostfsFileSystem), &Location, NULL, NULL);
    if (NT_SUCCESS(Status)) {
        Disk->Vpb->Flags = VPB_MOUNTED;
    }
    return Status;
}

/* The names that are there from the start: the volume, its paging file, and two files that it has to make. */
static NTSTATUS AddFirstPaths(VOID)
{
    static const PCWSTR Names[] = {L"", L"\\pagefile.sys", HOSTFS_PENDING, HOSTFS_COMMON};
    NTSTATUS Status = STATUS_SUCCESS;

    for (ULONG Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(Names); Index++) {
        PFILE_OBJECT FileObject;
        UNICODE_STRING Name;

        RtlInitUnicodeString(&Name, Names[Index]);
        if (Index >= 2) {
            Status = HostfsOpen(&Name, FILE_CREATE, 0, &FileObject);
            if (!NT_SUCCESS(Status)) {
                break;
            }
            HostfsClose(FileObject);
        }
        Status = HostfsAddPath(&Name, FALSE);
    }
    return Status;
}

/* STATUS_DEVICE_ALREADY_ATTACHED while a volume is mounted. */
NTSTATUS HostfsMount(ULONG Fault)
{
    WCHAR Text[40] = L"\\Device\\PsHostFsDisk";
    UNICODE_STRING Name;
    UNICODE_STRING Number;
    PDEVICE_OBJECT Device;
    PHOSTFS_DISK Disk;
    NTSTATUS Status;

    if (HostfsDisk != NULL) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    RtlInitUnicodeString(&Name, Text);
    Number.Buffer = Text + Name.Length / sizeof(WCHAR);
    Number.MaximumLength = (USHORT)(sizeof(Text) - Name.Length);
    Number.Length = 0;
    DiskNumber++;
    (VOID) RtlIntegerToUnicodeString(DiskNumber, 10, &Number);
    Name.Length = (USHORT)(Name.Length + Number.Length);
    Status = IoCreateDevice(HostfsDriver, sizeof(HOSTFS_DISK), &Name, FILE_DEVICE_DISK, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Disk = Device->DeviceExtension;
    RtlZeroMemory(Disk, sizeof(*Disk));
    Disk->Public.FileSystem = HOST_FILE_SYSTEM_MEMORY;
    Disk->Public.Fault = Fault;
    Disk->Device = Device;
    Device->StackSize = 8; /* a request to the disk goes on to the volume's stack */
    Status = AskToMount(Device);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    HostfsDisk = Disk;
    Status = AddFirstPaths();
    if (!NT_SUCCESS(Status)) {
        (VOID) HostfsDismount();
    }
    return Status;
}

/* Forced, as FSCTL_DISMOUNT_VOLUME is: open files stay open. Their disk and volume go with the last of them. */
NTSTATUS HostfsDismount(VOID)
{
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL, .MinorFunction = IRP_MN_USER_FS_REQUEST};
    UNICODE_STRING Name = {0, 0, NULL};
    PFILE_OBJECT FileObject;
    NTSTATUS Status;

    if (HostfsDisk == NULL) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    Status = HostfsOpen(&Name, FILE_OPEN, 0, &FileObject);
    if (NT_SUCCESS(Status)) {
        Location.FileObject = FileObject;
        Location.Parameters.FileSystemControl.FsControlCode = FSCTL_DISMOUNT_VOLUME;
        Status = SendRequest(IoGetRelatedDeviceObject(FileObject), &Location, NULL, NULL);
        HostfsClose(FileObject);
    }
    if (NT_SUCCESS(Status)) {
        HostfsRemoveAllPaths();
        InsertTailList(&RetiredDisks, &HostfsDisk->Links);
        HostfsDisk = NULL;
    }
    return Status;
}

/* Deletes the disks that nothing is open on any more. */
VOID HostfsReapDisks(VOID)
{
    PLIST_ENTRY Entry = RetiredDisks.Flink;

    while (Entry != &RetiredDisks) {
        PHOSTFS_DISK Disk = CONTAINING_RECORD(Entry, HOSTFS_DISK, Links);

        Entry = Entry->Flink;
        if (Disk->Opens == 0 && Disk->Device->Vpb->DeviceObject == NULL) {
            (VOID) RemoveEntryList(&Disk->Links);
            IoDeleteDevice(Disk->Device);
        }
    }
}
