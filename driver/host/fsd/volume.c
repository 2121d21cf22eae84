/* Volumes: mounting, forced dismount, and the end of a volume when its last file object is gone. */
#include "fsd.h"

/* Frees what a volume's extension holds. The store's nodes are all released by it. No lock is held. */
static VOID FreeVolumeContent(PVCB Vcb)
{
    ULONG Tag = Vcb->Device.FileSystem->Tag;

    if (Vcb->Root != NULL) {
        FsdDereferenceLink(Vcb, Vcb->Root);
    }
    if (Vcb->Store != NULL) {
        Vcb->Device.FileSystem->Operations->Dismount(Vcb->Store);
    }
    if (Vcb->FcbBuckets != NULL) {
        ExFreePoolWithTag(Vcb->FcbBuckets, Tag);
    }
}

/*
 * IRP_MN_MOUNT_VOLUME on the control device: makes the volume device object and ties it to the VPB. The I/O manager marks the VPB
 * as mounted. STATUS_UNRECOGNIZED_VOLUME for another file system's disk.
 */
NTSTATUS FsdMountVolume(PDEVICE_OBJECT ControlDevice, PIO_STACK_LOCATION IrpSp)
{
    PCFSD_DRIVER FileSystem = ((PFSD_DEVICE)ControlDevice->DeviceExtension)->FileSystem;
    PVPB Vpb = IrpSp->Parameters.MountVolume.Vpb;
    PHOST_DISK_EXTENSION Disk = Vpb->RealDevice->DeviceExtension;
    PDEVICE_OBJECT VolumeDevice = NULL;
    PVCB Vcb = NULL;
    BOOLEAN HaveResource = FALSE;
    NTSTATUS Status;
    ULONG Bucket;

    if (Vpb->RealDevice->DeviceType != FILE_DEVICE_DISK || Disk == NULL || Disk->FileSystem != FileSystem->Kind) {
        return STATUS_UNRECOGNIZED_VOLUME;
    }
    Status = IoCreateDevice(ControlDevice->DriverObject, sizeof(VCB), NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE,
                            &VolumeDevice);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    Vcb = VolumeDevice->DeviceExtension;
    RtlZeroMemory(Vcb, sizeof(*Vcb));
    Vcb->Device.FileSystem = FileSystem;
    Vcb->Device.Volume = TRUE;
    Vcb->DeviceObject = VolumeDevice;
    Vcb->Vpb = Vpb;
    Vcb->References = 1;
    FsdFaultInitializeVolume(Vcb, Disk->Fault);
    KeQuerySystemTime(&Vcb->MountTime);
    Status = ExInitializeResourceLite(&Vcb->Resource);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    HaveResource = TRUE;
    Vcb->FcbBuckets =
        ExAllocatePoolWithTag(NonPagedPoolNx, (SIZE_T)2 * FSD_BUCKETS * sizeof(LIST_ENTRY), FileSystem->Tag);
    if (Vcb->FcbBuckets == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }
    Vcb->LcbBuckets = Vcb->FcbBuckets + FSD_BUCKETS;
    for (Bucket = 0; Bucket < 2 * FSD_BUCKETS; Bucket++) {
        InitializeListHead(&Vcb->FcbBuckets[Bucket]);
    }
    Status = FileSystem->Operations->Mount(Disk, &Vcb->Store);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    Status = FsdOpenRootLink(Vcb);

Exit:
    if (NT_SUCCESS(Status)) {
        VolumeDevice->StackSize = (CCHAR)(IrpSp->Parameters.MountVolume.DeviceObject->StackSize + 1);
        VolumeDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        Vpb->DeviceObject = VolumeDevice;
        Vpb->SerialNumber = (ULONG)Vcb->MountTime.LowPart;
        Vpb->VolumeLabelLength = 0;
    } else if (Vcb != NULL) {
        FreeVolumeContent(Vcb);
        if (HaveResource) {
            (VOID) ExDeleteResourceLite(&Vcb->Resource);
        }
        IoDeleteDevice(VolumeDevice);
    }
    return Status;
}

/* Takes VCB.Resource itself. */
BOOLEAN FsdDereferenceVolume(PVCB Vcb)
{
    BOOLEAN Last;

    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    Vcb->References--;
    Last = (BOOLEAN)(Vcb->References == 0);
    ExReleaseResourceLite(&Vcb->Resource);
    return Last;
}

/* Takes the volume off its disk, unless an open other than the one that is being closed has begun. */
static BOOLEAN LeaveDisk(PVCB Vcb)
{
    PVPB Vpb = Vcb->Vpb;
    BOOLEAN Left;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Left = (BOOLEAN)(Vpb->ReferenceCount <= 1);
    if (Left && Vpb->DeviceObject == Vcb->DeviceObject) {
        Vpb->DeviceObject = NULL;
        Vpb->Flags = (USHORT)(Vpb->Flags & ~VPB_MOUNTED);
    }
    IoReleaseVpbSpinLock(Irql);
    return Left;
}

/*
 * The disk is free to be mounted anew; the volume device goes, and with it whatever is attached above. No lock is held. Opens that are on
 * their way, which the reference count of the VPB tells, are waited for: they are refused.
 */
VOID FsdDeleteVolume(PVCB Vcb)
{
    LARGE_INTEGER Interval = {.QuadPart = -10000};

    while (!LeaveDisk(Vcb)) {
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    }
    FsdFaultLetGo(Vcb, TRUE);
    FsdFaultEndVolume(Vcb);
    FreeVolumeContent(Vcb);
    (VOID) ExDeleteResourceLite(&Vcb->Resource);
    IoDeleteDevice(Vcb->DeviceObject);
}

/*
 * FSCTL_DISMOUNT_VOLUME, forced as NTFS does it: handles stay and answer STATUS_VOLUME_DISMOUNTED. The mount's own reference
 * is given up here; the file object that asks has one, so it is never the last. STATUS_INVALID_PARAMETER without a volume open.
 */
static NTSTATUS Dismount(PVCB Vcb, PIO_STACK_LOCATION IrpSp)
{
    PCCB Ccb = IrpSp->FileObject == NULL ? NULL : IrpSp->FileObject->FsContext2;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Ccb == NULL || Ccb->Lcb != NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    if (Vcb->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else {
        Vcb->Dismounted = TRUE;
        Vcb->References--;
    }
    ExReleaseResourceLite(&Vcb->Resource);
    FsdFaultLetGo(Vcb, TRUE);
    return Status;
}

/* FSCTL_SET_SPARSE: says that the file may have holes. STATUS_INVALID_PARAMETER for what is no file. */
static NTSTATUS SetSparse(PVCB Vcb, PIO_STACK_LOCATION IrpSp)
{
    PCCB Ccb = IrpSp->FileObject == NULL ? NULL : IrpSp->FileObject->FsContext2;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Vcb->Device.FileSystem->Operations->SetSparse == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Ccb == NULL || Ccb->Fcb == NULL || Ccb->Fcb->Node->Directory) {
        return STATUS_INVALID_PARAMETER;
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    if (Vcb->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else {
        Vcb->Device.FileSystem->Operations->SetSparse(Ccb->Fcb->Node);
    }
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}

/* IRP_MJ_FILE_SYSTEM_CONTROL on a volume. */
NTSTATUS FsdFileSystemControl(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    UNREFERENCED_PARAMETER(Irp);
    if (IrpSp->MinorFunction != IRP_MN_USER_FS_REQUEST && IrpSp->MinorFunction != IRP_MN_KERNEL_CALL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    switch (IrpSp->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_DISMOUNT_VOLUME:
        return Dismount(Vcb, IrpSp);
    case FSCTL_IS_VOLUME_MOUNTED:
        return Vcb->Dismounted ? STATUS_VOLUME_DISMOUNTED : STATUS_SUCCESS;
    case FSCTL_SET_SPARSE:
        return SetSparse(Vcb, IrpSp);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}
