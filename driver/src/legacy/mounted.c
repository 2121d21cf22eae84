/*
 * The volumes that file systems have mounted: which of a driver's devices they are, and which of them are attached to.
 */
#include "legacy/filter.h"

#define PSCTX_REGISTRATION_ATTEMPTS 8u

static PSCTX_NEXT_VOLUME PsctxNextVolume;

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
        const PPSCTX_VOLUME volume = PsctxNoteUnattached(Unattached, Device, attachment, status);

        if (volume != NULL && storageDevice != NULL) {
            (VOID) PsctxQueryObjectName(storageDevice, &volume->StorageName);
        }
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
 * The next volume that is attached to, in the order in which they were; the filter is locked, be it shared.
 */
PSCTX_PAGE _Use_decl_annotations_ static BOOLEAN PsctxNextVolume(PVOID *Position, PPSCTX_VOLUME Volume)
{
    PPSCTX_FILTER_EXTENSION extension = *Position;

    PAGED_CODE();

    do {
        extension = PsctxNextFilterDevice(extension);
    } while (extension != NULL && extension->Kind != PsctxVolumeFilter);
    RtlZeroMemory(Volume, sizeof(*Volume));
    if (extension != NULL) {
        Volume->Device = extension->Target;
        Volume->StorageName = extension->StorageName;
        Volume->Number = extension->Number;
        Volume->Attachment = PSCTX_ATTACHMENT_YES;
    }
    *Position = extension;
    return extension != NULL;
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

const PSCTX_VOLUME_SOURCE PsctxLegacyVolumes = {
    .IsStarted = PsctxIsFilterStarted,
    .LookForVolumes = PsctxLookForVolumes,
    .Lock = PsctxLockFilterShared,
    .Unlock = PsctxUnlockFilterShared,
    .NextVolume = PsctxNextVolume,
};
