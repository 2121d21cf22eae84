/*
 * Devices of the filter whose device below has been deleted.
 *
 * A kernel that deletes a device calls the FastIoDetachDevice of who is attached above. Some do not, and take the device off its driver's
 * list all the same: nothing comes through such a stack any more, and its device must not be detached from, for to those kernels that
 * would delete it once more. Which kind this one is, is seen once, with two devices that nobody else knows. Only where it deletes silently
 * are such devices looked for, when a volume mounts or a file system registers, and does one of ours ask before it leaves its stack.
 */
#include "legacy/filter.h"

static BOOLEAN PsctxDeletesSilently;

/*
 * Whether a device, which the caller references, has been deleted: it is no longer among its driver's. The statuses of PsctxListDevices:
 * it is not known then, and the device must neither be detached from nor be taken for gone.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxIsDeviceDeleted(_In_ PDEVICE_OBJECT Device, _Out_ PBOOLEAN Deleted)
{
    PSCTX_DEVICE_LIST list;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxListDevices(Device->DriverObject, &list);
    *Deleted = NT_SUCCESS(status) && PsctxFindInDeviceList(&list, Device) == list.Count;
    PsctxFreeDeviceList(&list);
    return status;
}

/*
 * Attaches a device of ours to another, deletes the lower one, and sees whether the upper one's FastIoDetachDevice is called, which
 * detaches it; then that is deleted, too. They have no names and are of no file system's type. To delete a device that another
 * is attached to is what file systems do, and no violation of Driver Verifier's rules; what it holds against a driver, deleting a device that is
 * attached to one below, happens on silent kernels alone. The statuses of IoCreateDevice and PsctxIsDeviceDeleted.
 * [debugger/bug-check-0xc9--driver-verifier-iomanager-violation]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartDeletion(VOID)
{
    PPSCTX_FILTER_EXTENSION extension;
    PDEVICE_OBJECT lower;
    PDEVICE_OBJECT upper;
    NTSTATUS status;

    PAGED_CODE();

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
        status = PsctxIsDeviceDeleted(lower, &PsctxDeletesSilently);
        if (NT_SUCCESS(status) && !PsctxDeletesSilently) {
            IoDetachDevice(lower);
        }
    }
    IoDeleteDevice(upper);
    ObDereferenceObject(lower);
    return status;
}

/*
 * Whether the device that one of ours is attached to has been deleted, and must not be detached from. The statuses of PsctxListDevices:
 * it is not known.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxIsLowerDeviceDeleted(const PSCTX_FILTER_EXTENSION *Extension,
                                                                     PBOOLEAN Deleted)
{
    PAGED_CODE();

    *Deleted = FALSE;
    return PsctxDeletesSilently ? PsctxIsDeviceDeleted(Extension->AttachedTo, Deleted) : STATUS_SUCCESS;
}

/*
 * Gives up the devices above those of a driver that have been deleted, and above another filter's that has been, whose file system's device
 * is then attached to anew; the filter is locked. The statuses of PsctxListDevices: some may be left.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS PsctxForgetDeletedDevicesOf(_In_ PDRIVER_OBJECT DriverObject)
{
    PPSCTX_FILTER_EXTENSION extension;
    PPSCTX_FILTER_EXTENSION next;
    PSCTX_DEVICE_LIST list;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxListDevices(DriverObject, &list);
    for (extension = PsctxNextFilterDevice(NULL); extension != NULL; extension = next) {
        BOOLEAN targetDeleted;
        BOOLEAN lowerDeleted = FALSE;

        next = PsctxNextFilterDevice(extension);
        if (extension->Target->DriverObject != DriverObject) {
            continue;
        }
        extension->LookedFor = TRUE;
        targetDeleted = PsctxFindInDeviceList(&list, extension->Target) == list.Count;
        if (NT_SUCCESS(status) && !targetDeleted && extension->AttachedTo != extension->Target) {
            status = PsctxIsLowerDeviceDeleted(extension, &lowerDeleted);
        }
        if (!NT_SUCCESS(status) || (!targetDeleted && !lowerDeleted)) {
            continue;
        }
        if (PsctxDetachFilterDevice(extension->DeviceObject)) {
            if (!targetDeleted) {
                PsctxAttachAgain(extension);
            }
            PsctxRetireFilterDevice(extension->DeviceObject);
        }
    }
    PsctxFreeDeviceList(&list);
    return status;
}

/*
 * Gives up the devices in stacks of which a device below has been deleted silently. Each file system driver's devices are listed once.
 * Without memory some are left until the next time.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxForgetDeletedDevices(VOID)
{
    PPSCTX_FILTER_EXTENSION extension;
    NTSTATUS status = STATUS_SUCCESS;

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
            status = PsctxForgetDeletedDevicesOf(extension->Target->DriverObject);
        }
    } while (extension != NULL && NT_SUCCESS(status));
    PsctxUnlockFilter();
}
