/*
 * What the filter does with IRPs: passes them through, but for creates while streams are tracked, and for mounts. Reads, writes and
 * cleanups are counted on their way.
 */
#include "legacy/filter.h"

#define PSCTX_MOUNT_ATTEMPTS 8u

/*
 * Hands the request to the device below in our own stack location, and is not told of its completion. Called for the paging path, too:
 * nothing here is pageable or can fail. Power requests need no treatment of their own: they go to device nodes, and no file
 * system's device is in one.
 */
_Use_decl_annotations_ NTSTATUS PsctxPassThrough(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(PsctxLowerDevice(DeviceObject), Irp);
}

/*
 * Hands the request to the device below and returns when that has completed it, with its status; the caller then
 * completes it. A create ends with its thread: see wait.c. A mount is everybody's, and is not given up for one thread's sake.
 * [kernel/constraints-on-dispatch-routines]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxForwardAndWait(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const BOOLEAN cancellable = IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE;

    PAGED_CODE();

    IoCopyCurrentIrpStackLocationToNext(Irp);
    return PsctxSendAndWait(PsctxLowerDevice(DeviceObject), Irp, cancellable);
}

/*
 * Attaches to the volume that has been mounted on a storage device, unless it is a snapshot's. How deep the volume's stack is, a file
 * system may leave to the I/O manager to set, after us.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxAttachMount(_In_ PDEVICE_OBJECT StorageDevice, _In_ CCHAR StackSize)
{
    PDEVICE_OBJECT volumeDevice;

    PAGED_CODE();

    PsctxForgetDeletedDevices();
    if (PsctxIsSnapshot(StorageDevice)) {
        return;
    }
    volumeDevice = PsctxReferenceMountedDevice(StorageDevice);
    if (volumeDevice != NULL) {
        (VOID) PsctxAttachVolume(volumeDevice, StorageDevice, StackSize, PSCTX_MOUNT_ATTEMPTS);
        ObDereferenceObject(volumeDevice);
    }
}

/*
 * Asks the file system to mount a volume, and attaches to the volume if it did and that is to be. The VPB in the request may be replaced
 * by that of an earlier mount of the same medium: the volume is found through its storage device, which is kept by whoever
 * mounts it. A mount never fails for our sake. [ifs/irp-mj-file-system-control]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxMountVolume(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    const PDEVICE_OBJECT storageDevice = location->Parameters.MountVolume.Vpb->RealDevice;
    const CCHAR volumeStackSize = (CCHAR)(location->Parameters.MountVolume.DeviceObject->StackSize + 1);
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxEnterFilter()) {
        return PsctxPassThrough(DeviceObject, Irp);
    }
    status = PsctxForwardAndWait(DeviceObject, Irp);
    if (NT_SUCCESS(status)) {
        PsctxAttachMount(storageDevice, volumeStackSize);
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    PsctxLeaveFilter();
    return status;
}

/*
 * Asks a file-system recognizer to load its file system. It deletes its device when it has, so that ours must be out of
 * its stack before; if it has not, we attach anew. The file system's own control device is told of by its registration.
 * [ifs/irp-mj-file-system-control]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxLoadFileSystem(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp)
{
    const PDEVICE_OBJECT recognizer = ((PPSCTX_FILTER_EXTENSION)DeviceObject->DeviceExtension)->Target;
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxEnterFilter()) {
        return PsctxPassThrough(DeviceObject, Irp);
    }
    ObReferenceObject(recognizer);
    if (!PsctxDetachFilterDevice(DeviceObject)) {
        status = PsctxPassThrough(DeviceObject, Irp);
        goto Dereference;
    }

    status = PsctxForwardAndWait(DeviceObject, Irp);
    if (!NT_SUCCESS(status) && status != STATUS_IMAGE_ALREADY_LOADED) {
        PsctxAttachFileSystem(recognizer);
    }
    PsctxRetireFilterDevice(DeviceObject);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);

Dereference:
    ObDereferenceObject(recognizer);
    PsctxLeaveFilter();
    return status;
}

/*
 * Counts a request to read or write, but for the memory manager's own, and for those that end one that was counted. <= DISPATCH_LEVEL.
 * [ifs/irp-mj-read, ifs/irp-mj-write]
 */
FORCEINLINE VOID PsctxCountRequest(_In_ PIRP Irp, _In_ const IO_STACK_LOCATION *Location)
{
    const BOOLEAN write = Location->MajorFunction == IRP_MJ_WRITE;

    if (Location->FileObject != NULL && !FlagOn(Irp->Flags, IRP_PAGING_IO) &&
        !FlagOn(Location->MinorFunction, IRP_MN_COMPLETE)) {
        PsctxListening.Listener->Transfer(Location->FileObject, write,
                                          write ? Location->Parameters.Write.Length : Location->Parameters.Read.Length);
    }
}

/*
 * What becomes of a request.
 */
FORCEINLINE NTSTATUS PsctxFilterRequest(_In_ PDEVICE_OBJECT DeviceObject, _Inout_ PIRP Irp)
{
    const PPSCTX_FILTER_EXTENSION extension = DeviceObject->DeviceExtension;
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    if (location->MajorFunction == IRP_MJ_READ || location->MajorFunction == IRP_MJ_WRITE) {
        if (ReadNoFence(&PsctxListening.Transfers) != 0) {
            PsctxCountRequest(Irp, location);
        }
        return PsctxPassThrough(DeviceObject, Irp);
    }
    if (location->MajorFunction == IRP_MJ_CLEANUP && ReadNoFence(&PsctxListening.Cleanups) != 0) {
        PsctxListening.Listener->Cleanup(location->FileObject);
        return PsctxPassThrough(DeviceObject, Irp);
    }
    if (location->MajorFunction == IRP_MJ_CREATE) {
        if (ReadNoFence(&extension->StorageUnknown) != 0) {
            PsctxLearnStorage(extension, location->FileObject);
        }
        return ReadNoFence(&PsctxListening.Opens) != 0 ? PsctxTrackCreate(DeviceObject, Irp)
                                                       : PsctxPassThrough(DeviceObject, Irp);
    }
    if (location->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL && extension->Kind == PsctxFileSystemFilter) {
        if (location->MinorFunction == IRP_MN_MOUNT_VOLUME) {
            return PsctxMountVolume(DeviceObject, Irp);
        }
        if (location->MinorFunction == IRP_MN_LOAD_FILE_SYSTEM) {
            return PsctxLoadFileSystem(DeviceObject, Irp);
        }
    }
    return PsctxPassThrough(DeviceObject, Irp);
}

/*
 * Every IRP sent to a device of the filter, at the IRQL and in the context that it was sent in.
 */
_Use_decl_annotations_ NTSTATUS PsctxFilterDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NTSTATUS status;

    if (!PsctxPassage.CountsRequests) {
        return PsctxFilterRequest(DeviceObject, Irp);
    }
    PsctxEnterDriver();
    status = PsctxFilterRequest(DeviceObject, Irp);
    PsctxLeaveDriver();
    return status;
}
