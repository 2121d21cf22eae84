/*
 * Which devices are volumes, which of those are snapshots, and which volumes are not attached to.
 *
 * Nothing is kept of a volume that is not attached to, such as a snapshot: it is found when somebody asks.
 */
#include "volumes/volumes.h"

PSCTX_ATTACHMENTS PsctxAttachments;
const PSCTX_VOLUME_SOURCE *PsctxVolumeSource;

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
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxLooksLikeVolume(PDEVICE_OBJECT Device)
{
    ULONG major;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, NULL, NULL, NULL);
    return (Device->Vpb != NULL || major < PSCTX_VISTA_MAJOR_VERSION) && !FlagOn(Device->Flags, DO_DEVICE_HAS_NAME) &&
           Device->StackSize > 1;
}

/*
 * Takes down that a volume is not attached to. The caller adds what its storage is called; NULL without memory, which is noted instead.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_VOLUME PsctxNoteUnattached(PPSCTX_UNATTACHED_VOLUMES Unattached,
                                                                    PDEVICE_OBJECT VolumeDevice, ULONG Attachment,
                                                                    NTSTATUS Status)
{
    PPSCTX_UNATTACHED_VOLUME volume;

    PAGED_CODE();

    volume = PsctxAllocate(PagedPool, sizeof(*volume));
    if (volume == NULL) {
        Unattached->Status = STATUS_INSUFFICIENT_RESOURCES;
        return NULL;
    }
    ObReferenceObject(VolumeDevice);
    volume->Volume.Device = VolumeDevice;
    volume->Volume.Attachment = Attachment;
    volume->Volume.Status = Status;
    PushEntryList(&Unattached->First, &volume->Links);
    Unattached->Count += 1;
    return &volume->Volume;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeUnattached(PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PAGED_CODE();

    while (Unattached->First.Next != NULL) {
        const PPSCTX_UNATTACHED_VOLUME volume =
            CONTAINING_RECORD(PopEntryList(&Unattached->First), PSCTX_UNATTACHED_VOLUME, Links);

        ObDereferenceObject(volume->Volume.Device);
        PsctxFree(volume->Volume.StorageName);
        PsctxFree(volume);
    }
}
