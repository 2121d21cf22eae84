/*
 * The volumes that file systems have mounted: which of a driver's devices they are, which of them are attached to, and what their
 * storage devices are called.
 *
 * Nothing is kept of a volume that is not attached to, such as a snapshot: it is found when somebody asks.
 */
#include "filter.h"
#include "inspect.h"

#define PSCTX_REGISTRATION_ATTEMPTS 8u

/*
 * Whether a storage device is a volume snapshot's. Snapshots are read-only and come and go with backups.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsSnapshot(PDEVICE_OBJECT StorageDevice)
{
    PAGED_CODE();

    return PsctxIsDriverNamed(StorageDevice->DriverObject, L"\\Driver\\VolSnap");
}

/*
 * The file system's device for the volume that is mounted on a storage device, which the caller keeps; referenced, or NULL. Not pageable:
 * the lock of volume parameter blocks, which guards what is read, raises the IRQL. [ntifs/nf-ntifs-ioacquirevpbspinlock]
 */
_Use_decl_annotations_ PDEVICE_OBJECT PsctxReferenceMountedDevice(PDEVICE_OBJECT StorageDevice)
{
    PDEVICE_OBJECT device = NULL;
    KIRQL irql;

    IoAcquireVpbSpinLock(&irql);
    if (StorageDevice->Vpb != NULL) {
        device = StorageDevice->Vpb->DeviceObject;
    }
    if (device != NULL) {
        ObReferenceObject(device);
    }
    IoReleaseVpbSpinLock(irql);
    return device;
}

/*
 * Whether a device that IoGetDiskDeviceObject finds no disk for is a mounted volume's all the same.
 *
 * It finds none if the file system has given its volume device the volume parameter block, as some do; and there are
 * kernels before version 6 where it finds one only then. What tells volumes from a file system's control devices there: these have names, and are
 * the bottom of their stacks, where a volume's requests go on to the disk. To be wrong costs a device that passes
 * everything through.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxLooksLikeVolume(_In_ PDEVICE_OBJECT Device)
{
    ULONG major = 0;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, NULL, NULL, NULL);
    return (Device->Vpb != NULL || major < PSCTX_VISTA_MAJOR_VERSION) && !FlagOn(Device->Flags, DO_DEVICE_HAS_NAME) &&
           Device->StackSize > 1;
}

/*
 * Takes down that a volume is not attached to.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxNoteUnattached(_Inout_ PPSCTX_UNATTACHED_VOLUMES Unattached, _In_ PDEVICE_OBJECT VolumeDevice,
                        _In_opt_ PDEVICE_OBJECT StorageDevice, _In_ ULONG Attachment, _In_ NTSTATUS Status)
{
    PPSCTX_UNATTACHED_VOLUME volume;

    PAGED_CODE();

    volume = PsctxAllocate(PagedPool, sizeof(*volume));
    if (volume == NULL) {
        Unattached->Status = STATUS_INSUFFICIENT_RESOURCES;
        return;
    }
    if (StorageDevice != NULL) {
        (VOID) PsctxQueryObjectName(StorageDevice, &volume->StorageName);
    }
    ObReferenceObject(VolumeDevice);
    volume->Device = VolumeDevice;
    volume->Number = PSCTX_VOLUME_UNATTACHED | PsctxMakeToken((ULONG_PTR)VolumeDevice);
    volume->Attachment = Attachment;
    volume->Status = Status;
    PushEntryList(&Unattached->First, &volume->Links);
    Unattached->Count += 1;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeUnattached(PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PAGED_CODE();

    while (Unattached->First.Next != NULL) {
        const PPSCTX_UNATTACHED_VOLUME volume =
            CONTAINING_RECORD(PopEntryList(&Unattached->First), PSCTX_UNATTACHED_VOLUME, Links);

        ObDereferenceObject(volume->Device);
        PsctxFree(volume->StorageName);
        PsctxFree(volume);
    }
}

/*
 * Attaches to a device that is not attached to, if it is a mounted volume's and not a snapshot's. Only a mounted volume has a disk: a
 * file system's control devices are told apart by that. [ntifs/nf-ntifs-iogetdiskdeviceobject]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAttachMountedVolume(PDEVICE_OBJECT Device, ULONG Attempts,
                                                                PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PDEVICE_OBJECT storageDevice = NULL;
    ULONG attachment = PSCTX_ATTACHMENT_YES;
    NTSTATUS status;

    PAGED_CODE();

    if (Device->DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM && Device->DeviceType != FILE_DEVICE_CD_ROM_FILE_SYSTEM) {
        return;
    }
    status = IoGetDiskDeviceObject(Device, &storageDevice);
    if (!NT_SUCCESS(status)) {
        storageDevice = NULL;
        if (status != STATUS_INVALID_PARAMETER || !PsctxLooksLikeVolume(Device)) {
            return;
        }
    }

    if (storageDevice != NULL && PsctxIsSnapshot(storageDevice)) {
        attachment = PSCTX_ATTACHMENT_SNAPSHOT;
        status = STATUS_SUCCESS;
    } else {
        status = PsctxAttachVolume(Device, storageDevice, Device->StackSize, Attempts);
        if (!NT_SUCCESS(status) && status != STATUS_DEVICE_ALREADY_ATTACHED) {
            attachment = PSCTX_ATTACHMENT_FAILED;
        }
    }
    if (attachment != PSCTX_ATTACHMENT_YES && Unattached != NULL) {
        PsctxNoteUnattached(Unattached, Device, storageDevice, attachment, status);
    }
    if (storageDevice != NULL) {
        ObDereferenceObject(storageDevice);
    }
}

/*
 * The devices that are attached to now, each referenced, with their drivers' addresses for keys, and in that order.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS PsctxListTargets(_Out_ PPSCTX_DEVICE_LIST Targets)
{
    PPSCTX_FILTER_EXTENSION extension;
    ULONG count = 0;
    NTSTATUS status = STATUS_SUCCESS;

    PAGED_CODE();

    RtlZeroMemory(Targets, sizeof(*Targets));
    PsctxLockFilterShared();
    for (extension = PsctxNextFilterDevice(NULL); extension != NULL; extension = PsctxNextFilterDevice(extension)) {
        count += 1;
    }
    if (count != 0) {
        Targets->Entries = PsctxAllocate(PagedPool, (SIZE_T)count * sizeof(*Targets->Entries));
        if (Targets->Entries == NULL) {
            status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    for (extension = PsctxNextFilterDevice(NULL); extension != NULL && Targets->Entries != NULL;
         extension = PsctxNextFilterDevice(extension)) {
        ObReferenceObject(extension->Target);
        Targets->Entries[Targets->Count].Key = (ULONG_PTR)extension->Target->DriverObject;
        Targets->Entries[Targets->Count].Value = extension->Target;
        Targets->Count += 1;
    }
    PsctxUnlockFilterShared();
    PsctxSort(Targets->Entries, Targets->Count);
    return status;
}

/*
 * Attaches to the volumes of one driver that are not attached to. Targets are those that are, as PsctxListTargets gives them.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxAttachVolumesOf(_In_ PDRIVER_OBJECT DriverObject, _In_reads_(Count) const PSCTX_KEYED *Targets,
                         _In_ ULONG Count, _In_ ULONG Attempts, _Inout_opt_ PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PSCTX_DEVICE_LIST list;
    NTSTATUS status;
    ULONG index;

    PAGED_CODE();

    status = PsctxListDevices(DriverObject, &list);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    for (index = 0; index < Count; index += 1) {
        const ULONG found = PsctxFindInDeviceList(&list, Targets[index].Value);

        if (found != list.Count) {
            list.Entries[found].Key = 0; /* is attached to */
        }
    }
    for (index = 0; index < list.Count; index += 1) {
        if (list.Entries[index].Key != 0) {
            PsctxAttachMountedVolume(list.Entries[index].Value, Attempts, Unattached);
        }
    }
    PsctxFreeDeviceList(&list);
    return STATUS_SUCCESS;
}

/*
 * Attaches to the volumes that a file system which registers has mounted already. One that is found while it is being mounted is waited for.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAttachMountedVolumes(PDRIVER_OBJECT DriverObject)
{
    PAGED_CODE();

    (VOID) PsctxAttachVolumesOf(DriverObject, NULL, 0, PSCTX_REGISTRATION_ATTEMPTS, NULL);
}

/*
 * Attaches to every volume that is mounted and not attached to, and notes those that it is not to be, or cannot be. The devices of each
 * file system are listed once.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLookForVolumes(PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PSCTX_DEVICE_LIST targets;
    ULONG first;
    ULONG last;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxListTargets(&targets);
    for (first = 0; first < targets.Count && NT_SUCCESS(status); first = last) {
        last = first + 1;
        while (last < targets.Count && targets.Entries[last].Key == targets.Entries[first].Key) {
            last += 1;
        }
        status = PsctxAttachVolumesOf(((PDEVICE_OBJECT)targets.Entries[first].Value)->DriverObject,
                                      targets.Entries + first, last - first, 1, Unattached);
    }
    PsctxFreeDeviceList(&targets);
    if (!NT_SUCCESS(status) && Unattached != NULL) {
        Unattached->Status = status;
    }
}

/*
 * Learns what a volume's storage device is called from a file that is being opened there, which has been opened by that device and
 * keeps it. (A volume device's own parameter block tells, too, but nobody promises that it is still there.) A file system's own
 * device tells nothing. Without memory it is the next one that tells.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLearnStorage(PPSCTX_FILTER_EXTENSION Extension, PFILE_OBJECT FileObject)
{
    const PDEVICE_OBJECT storageDevice = FileObject->DeviceObject;
    POBJECT_NAME_INFORMATION name;

    PAGED_CODE();

    if (storageDevice->DriverObject == Extension->Target->DriverObject ||
        !NT_SUCCESS(PsctxQueryObjectName(storageDevice, &name))) {
        return;
    }
    PsctxLockFilter();
    if (Extension->StorageName == NULL) {
        Extension->StorageName = name;
        name = NULL;
    }
    InterlockedExchange(&Extension->StorageUnknown, FALSE);
    PsctxUnlockFilter();
    PsctxFree(name);
}
