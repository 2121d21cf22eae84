/* Disks: the devices that volumes are mounted on, and the letters that lead to them. */
#include "host_disk.h"
#include "kernel.h"

#include <stdio.h>

typedef struct _HOST_DISK {
    HOST_DISK_EXTENSION Public;
    LIST_ENTRY Links;
    PDEVICE_OBJECT Device;
    WCHAR Letter;
    char Directory[1];
} HOST_DISK, *PHOST_DISK;

static PDRIVER_OBJECT HostDiskDriver;
static HOST_MUTEX HostDisksMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostDisks = {&HostDisks, &HostDisks};
static ULONG HostNextDisk;

static NTSTATUS HostDiskDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID HostDiskUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static NTSTATUS HostDiskEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = HostDiskDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = HostDiskDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = HostDiskDispatch;
    DriverObject->DriverUnload = HostDiskUnload;
    return STATUS_SUCCESS;
}

static WCHAR HostLetter(WCHAR Letter)
{
    return HostUpcase(Letter);
}

static VOID HostLetterName(WCHAR Letter, PWCH Text, PUNICODE_STRING Name)
{
    static const WCHAR Prefix[] = L"\\DosDevices\\";

    memcpy(Text, Prefix, sizeof(Prefix));
    Text[RTL_NUMBER_OF(Prefix) - 1] = Letter;
    Text[RTL_NUMBER_OF(Prefix)] = L':';
    Text[RTL_NUMBER_OF(Prefix) + 1] = UNICODE_NULL;
    RtlInitUnicodeString(Name, Text);
}

/* Whether the disk is about to go: what has found it may not have it mounted anew. */
static VOID HostSetRemovePending(PHOST_DISK Disk, BOOLEAN Pending)
{
    PVPB Vpb = Disk->Device->Vpb;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Vpb->Flags = (USHORT)(Pending ? Vpb->Flags | VPB_REMOVE_PENDING : Vpb->Flags & ~VPB_REMOVE_PENDING);
    IoReleaseVpbSpinLock(Irql);
}

/* The volume itself, opened by the kernel so that its file system is mounted. */
static NTSTATUS HostOpenVolume(PUNICODE_STRING Name, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT,
                        NULL, 0);
}

static PHOST_DISK HostFindDisk(WCHAR Letter)
{
    PHOST_DISK Found = NULL;

    PlatformLock(&HostDisksMutex);
    for (PLIST_ENTRY Entry = HostDisks.Flink; Entry != &HostDisks && Found == NULL; Entry = Entry->Flink) {
        if (CONTAINING_RECORD(Entry, HOST_DISK, Links)->Letter == Letter) {
            Found = CONTAINING_RECORD(Entry, HOST_DISK, Links);
        }
    }
    PlatformUnlock(&HostDisksMutex);
    return Found;
}

NTSTATUS HostReferenceDisk(WCHAR Letter, PDEVICE_OBJECT *Device)
{
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;

    *Device = NULL;
    PlatformLock(&HostDisksMutex);
    for (PLIST_ENTRY Entry = HostDisks.Flink; Entry != &HostDisks; Entry = Entry->Flink) {
        PHOST_DISK Disk = CONTAINING_RECORD(Entry, HOST_DISK, Links);

        if (Disk->Letter == HostLetter(Letter)) {
            *Device = Disk->Device;
            (VOID) InterlockedIncrement64(&HostHeaderOf(Disk->Device)->References);
            Status = STATUS_SUCCESS;
        }
    }
    PlatformUnlock(&HostDisksMutex);
    return Status;
}

static VOID HostRemoveDisk(PHOST_DISK Disk)
{
    PlatformLock(&HostDisksMutex);
    (VOID) RemoveEntryList(&Disk->Links);
    PlatformUnlock(&HostDisksMutex);
    IoDeleteDevice(Disk->Device);
}

/*
 * Waits for a mount that somebody else's open has begun. Whether the disk is mounted; if not, nobody has it mounted any more.
 */
static BOOLEAN HostEndMounting(PDEVICE_OBJECT Device)
{
    BOOLEAN Mounted;
    KIRQL Irql;

    KeEnterCriticalRegion();
    (VOID) KeWaitForSingleObject(&Device->DeviceLock, Executive, KernelMode, FALSE, NULL);
    IoAcquireVpbSpinLock(&Irql);
    Mounted = BooleanFlagOn(Device->Vpb->Flags, VPB_MOUNTED);
    if (!Mounted) {
        Device->Vpb->Flags |= VPB_REMOVE_PENDING;
    }
    IoReleaseVpbSpinLock(Irql);
    (VOID) KeSetEvent(&Device->DeviceLock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
    return Mounted;
}

static NTSTATUS HostMount(WCHAR Letter, ULONG FileSystem, const char *Directory, ULONG Fault)
{
    SIZE_T Length = Directory != NULL ? strlen(Directory) : 0;
    WCHAR DeviceText[40] = L"\\Device\\HostVolume";
    WCHAR LinkText[20];
    UNICODE_STRING DeviceName;
    UNICODE_STRING LinkName;
    UNICODE_STRING Number;
    PDEVICE_OBJECT Device;
    PHOST_DISK Disk;
    HANDLE Handle;
    NTSTATUS Status;

    if ((FileSystem == HOST_FILE_SYSTEM_DIRECTORY) != (Directory != NULL) || Length > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Directory != NULL && !PlatformIsDirectory(Directory)) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    Letter = HostLetter(Letter);
    if (Letter < L'A' || Letter > L'Z') {
        return STATUS_INVALID_PARAMETER;
    }
    RtlInitUnicodeString(&DeviceName, DeviceText);
    DeviceName.MaximumLength = sizeof(DeviceText);
    Number.Buffer = DeviceText + DeviceName.Length / sizeof(WCHAR);
    Number.Length = 0;
    Number.MaximumLength = (USHORT)(DeviceName.MaximumLength - DeviceName.Length);
    (VOID) RtlIntegerToUnicodeString(__atomic_add_fetch(&HostNextDisk, 1, __ATOMIC_SEQ_CST), 10, &Number);
    DeviceName.Length = (USHORT)(DeviceName.Length + Number.Length);
    HostLetterName(Letter, LinkText, &LinkName);
    Status = IoCreateDevice(HostDiskDriver, (ULONG)(sizeof(*Disk) + Length), &DeviceName, FILE_DEVICE_DISK, 0, FALSE,
                            &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Disk = Device->DeviceExtension;
    Disk->Public.FileSystem = FileSystem;
    Disk->Public.Fault = Fault;
    Disk->Device = Device;
    Disk->Letter = Letter;
    if (Directory != NULL) {
        memcpy(Disk->Directory, Directory, Length + 1);
        Disk->Public.Directory = Disk->Directory;
    }
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    PlatformLock(&HostDisksMutex);
    InsertTailList(&HostDisks, &Disk->Links);
    PlatformUnlock(&HostDisksMutex);
    Status = IoCreateSymbolicLink(&LinkName, &DeviceName);
    if (NT_SUCCESS(Status)) {
        Status = HostOpenVolume(&LinkName, &Handle);
        if (NT_SUCCESS(Status)) {
            (VOID) ZwClose(Handle);
        } else if (HostEndMounting(Device)) {
            /* The open's status, once the file system had the volume; a volume that cannot be dismounted is mounted. */
            return NT_SUCCESS(HostDismountVolume(Letter)) ? Status : STATUS_SUCCESS;
        } else {
            (VOID) IoDeleteSymbolicLink(&LinkName);
        }
    }
    if (!NT_SUCCESS(Status)) {
        HostRemoveDisk(Disk);
    }
    return Status;
}

NTSTATUS HostMountVolume(WCHAR Letter, ULONG FileSystem, const char *Directory)
{
    return HostMount(Letter, FileSystem, Directory, 0);
}

NTSTATUS HostMountFaultyVolume(WCHAR Letter, const char *Fault)
{
    const ULONG Number = HostFindFault(Fault);

    return Number == 0 ? STATUS_INVALID_PARAMETER : HostMount(Letter, HOST_FILE_SYSTEM_MEMORY, NULL, Number);
}

NTSTATUS HostDismountVolume(WCHAR Letter)
{
    PHOST_DISK Disk = HostFindDisk(HostLetter(Letter));
    PETHREAD Thread = HostCurrentThread();
    KPROCESSOR_MODE PreviousMode = Thread->PreviousMode;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING LinkName;
    WCHAR LinkText[20];
    HANDLE Handle = NULL;
    NTSTATUS Status;

    if (Disk == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    HostLetterName(HostLetter(Letter), LinkText, &LinkName);
    Status = HostOpenVolume(&LinkName, &Handle);
    if (NT_SUCCESS(Status)) {
        HostSetRemovePending(Disk, TRUE);
        Thread->PreviousMode = KernelMode;
        Status = NtFsControlFile(Handle, NULL, NULL, NULL, &IoStatus, FSCTL_DISMOUNT_VOLUME, NULL, 0, NULL, 0);
        Thread->PreviousMode = PreviousMode;
        (VOID) ZwClose(Handle);
    }
    if (NT_SUCCESS(Status)) {
        (VOID) IoDeleteSymbolicLink(&LinkName);
        HostRemoveDisk(Disk);
    } else if (Handle != NULL) {
        HostSetRemovePending(Disk, FALSE);
    }
    return Status;
}

NTSTATUS HostStartDisks(VOID)
{
    HostNextDisk = 0;
    return HostLoadDriver(L"HostDisk", FALSE, HostDiskEntry, &HostDiskDriver);
}

/* Dismounts what is mounted still. */
VOID HostStopDisks(VOID)
{
    PlatformLock(&HostDisksMutex);
    while (!IsListEmpty(&HostDisks)) {
        PHOST_DISK Disk = CONTAINING_RECORD(HostDisks.Flink, HOST_DISK, Links);
        WCHAR Letter = Disk->Letter;

        PlatformUnlock(&HostDisksMutex);
        if (!NT_SUCCESS(HostDismountVolume(Letter))) {
            HostRemoveDisk(Disk);
        }
        PlatformLock(&HostDisksMutex);
    }
    PlatformUnlock(&HostDisksMutex);
}

NTSTATUS HostStopDiskDriver(VOID)
{
    return HostUnloadDriver(HostDiskDriver);
}
