/*
 * Devices of the filter whose device below has been deleted.
 *
 * A kernel that deletes a device calls the FastIoDetachDevice of who is attached above. Some do not, and take the device off its driver's
 * list all the same: nothing comes through such a stack any more, and its device must not be detached from, for to those kernels that
 * would delete it once more. Which kind this one is, is seen once, with two devices that nobody else knows. Only where it deletes silently
 * are such devices looked for, when a volume mounts, a file system registers or the driver is unloaded.
 */
#include "filter.h"

static BOOLEAN PsctxDeletesSilently;

/*
 * Attaches a device of ours to another, deletes the lower one, and sees whether the upper one's FastIoDetachDevice is called, which
 * detaches it; then that is deleted, too. They have no names and are of no file system's type. To delete a device that another
 * is attached to is what file systems do, and no violation of Driver Verifier's rules; what it holds against a driver, deleting a device that is
 * attached to one below, happens on silent kernels alone. The statuses of IoCreateDevice.
 * [debugger/bug-check-0xc9--driver-verifier-iomanager-violation]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartDeletion(VOID)
{
    PPSCTX_FILTER_EXTENSION extension;
    PDEVICE_OBJECT lower;
    PDEVICE_OBJECT upper;
    NTSTATUS status;

    PAGED_CODE();

    PsctxDeletesSilently = FALSE;
    status = PsctxCreateFilterDevice(PsctxProbe, FILE_DEVICE_UNKNOWN, &lower);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxCreateFilterDevice(PsctxProbe, FILE_DEVICE_UNKNOWN, &upper);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(lower);
        return status;
    }

    extension = upper->DeviceExtension;
    lower->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    ObReferenceObject(lower);
    extension->Attached = NT_SUCCESS(IoAttachDeviceToDeviceStackSafe(upper, lower, &extension->AttachedTo));
    IoDeleteDevice(lower);
    if (extension->Attached) {
        PsctxDeletesSilently = PsctxIsDeviceDeleted(lower);
        if (!PsctxDeletesSilently) {
            IoDetachDevice(lower);
        }
    }
    IoDeleteDevice(upper);
    ObDereferenceObject(lower);
    return STATUS_SUCCESS;
}

/*
 * Whether a device, which the caller references, has been deleted: it is no longer among its driver's. FALSE when there is no
 * memory to look.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsDeviceDeleted(PDEVICE_OBJECT Device)
{
    PSCTX_DEVICE_LIST list;
    BOOLEAN deleted;

    PAGED_CODE();

    if (!NT_SUCCESS(PsctxListDevices(Device->DriverObject, &list))) {
        return FALSE;
    }
    deleted = PsctxFindInDeviceList(&list, Device) == list.Count;
    PsctxFreeDeviceList(&list);
    return deleted;
}

/*
 * Gives up the devices above those of a driver that have been deleted; the filter is locked. Of another filter's device between the
 * two it is asked whether that has been deleted, too.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxForgetDeletedDevicesOf(_In_ PDRIVER_OBJECT DriverObject)
{
    PPSCTX_FILTER_EXTENSION extension;
    PPSCTX_FILTER_EXTENSION next;
    PSCTX_DEVICE_LIST list;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxListDevices(DriverObject, &list);
    for (extension = PsctxNextFilterDevice(NULL); extension != NULL; extension = next) {
        next = PsctxNextFilterDevice(extension);
        if (extension->Target->DriverObject != DriverObject) {
            continue;
        }
        extension->LookedFor = TRUE;
        if (NT_SUCCESS(status) && PsctxFindInDeviceList(&list, extension->Target) == list.Count) {
            PsctxAbandonFilterDevice(extension);
        }
    }
    PsctxFreeDeviceList(&list);
}

/*
 * Gives up the devices in stacks whose file system's device has been deleted silently. Each file system driver's devices are listed once.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxForgetDeletedDevices(VOID)
{
    PPSCTX_FILTER_EXTENSION extension;

    PAGED_CODE();

    if (!PsctxDeletesSilently) {
        return;
    }
    PsctxLockFilter();
    for (extension = PsctxNextFilterDevice(NULL); extension != NULL; extension = PsctxNextFilterDevice(extension)) {
        extension->LookedFor = FALSE;
    }
    do {
        extension = PsctxNextFilterDevice(NULL);
        while (extension != NULL && extension->LookedFor) {
            extension = PsctxNextFilterDevice(extension);
        }
        if (extension != NULL) {
            PsctxForgetDeletedDevicesOf(extension->Target->DriverObject);
        }
    } while (extension != NULL);
    PsctxUnlockFilter();
}
