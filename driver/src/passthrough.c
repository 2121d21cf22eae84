/*
 * What the filter does with IRPs: passes them through, but for creates while streams are tracked, and for mounts. Reads, writes and
 * cleanups are counted on their way.
 */
#include "filter.h"

/*
 * Hands the request to the device below in our own stack location, and is not told of its completion. A driver that may be unloaded
 * counts the calls that it has to come back from. Called for the paging path, too: nothing here is pageable or can fail. Power requests need no treatment of their own: they go to
 * device nodes, and no file system's device is in one.
 */
_Use_decl_annotations_ NTSTATUS PsctxPassThrough(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PDEVICE_OBJECT lower = PsctxLowerDevice(DeviceObject);
    NTSTATUS status;

    IoSkipCurrentIrpStackLocation(Irp);
    if (!PsctxGlobals.CountsRequests) {
        return IoCallDriver(lower, Irp);
    }
    InterlockedIncrement(&PsctxGlobals.Requests);
    status = IoCallDriver(lower, Irp);
    InterlockedDecrement(&PsctxGlobals.Requests);
    return status;
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
 * Asks the file system to mount a volume, and attaches to the volume if it did and that is to be. The VPB in the request may be replaced
 * by that of an earlier mount of the same medium: the volume is found through its storage device. A file system may leave it
 * to the I/O manager to set, after us, how deep the volume's stack is. A mount never fails for our sake.
 * [ifs/irp-mj-file-system-control]
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
        PsctxAttachVolume(storageDevice->Vpb->DeviceObject, storageDevice, volumeStackSize);
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
    PsctxDeleteFilterDevice(DeviceObject);
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
        PsctxCountTransfer(Location->FileObject, write,
                           write ? Location->Parameters.Write.Length : Location->Parameters.Read.Length);
    }
}

/*
 * Every IRP sent to a device of the filter, at the IRQL and in the context that it was sent in.
 */
_Use_decl_annotations_ NTSTATUS PsctxFilterDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PPSCTX_FILTER_EXTENSION extension = DeviceObject->DeviceExtension;
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    if (location->MajorFunction == IRP_MJ_READ || location->MajorFunction == IRP_MJ_WRITE) {
        if (ReadNoFence(&PsctxCountingContexts) != 0) {
            PsctxCountRequest(Irp, location);
        }
        return PsctxPassThrough(DeviceObject, Irp);
    }
    if (location->MajorFunction == IRP_MJ_CLEANUP && ReadNoFence(&PsctxTrackedContexts) != 0) {
        PsctxNoteCleanup(location->FileObject);
        return PsctxPassThrough(DeviceObject, Irp);
    }
    if (location->MajorFunction == IRP_MJ_CREATE && PsctxIsTracking()) {
        return PsctxTrackCreate(DeviceObject, Irp);
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
