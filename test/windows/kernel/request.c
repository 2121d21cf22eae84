/* See request.h. */
#include "request.h"

/* Keeps the request from being completed any further: it is the sender's. */
static NTSTATUS RequestCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    (VOID) KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS SendRequest(PDEVICE_OBJECT Device, const IO_STACK_LOCATION *Location, PVOID Buffer, PULONG_PTR Information)
{
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    NTSTATUS Status;
    KEVENT Completed;

    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&Completed, NotificationEvent, FALSE);
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    Irp->UserBuffer = Buffer;
    Irp->RequestorMode = KernelMode;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = Location->FileObject;
    *IoGetNextIrpStackLocation(Irp) = *Location;
    IoSetCompletionRoutine(Irp, RequestCompleted, &Completed, TRUE, TRUE, TRUE);
    (VOID) IoCallDriver(Device, Irp);
    (VOID) KeWaitForSingleObject(&Completed, Executive, KernelMode, FALSE, NULL);
    Status = Irp->IoStatus.Status;
    if (Information != NULL) {
        *Information = Irp->IoStatus.Information;
    }
    IoFreeIrp(Irp);
    return Status;
}

BOOLEAN AnswerDeviceInformation(const DEVICE_OBJECT *Device, PIRP Irp, NTSTATUS *Status)
{
    const PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    const PFILE_FS_DEVICE_INFORMATION Information = Irp->AssociatedIrp.SystemBuffer;

    if (Location->MajorFunction != IRP_MJ_QUERY_VOLUME_INFORMATION ||
        Location->Parameters.QueryVolume.FsInformationClass != FileFsDeviceInformation) {
        return FALSE;
    }
    *Status = STATUS_INFO_LENGTH_MISMATCH;
    Irp->IoStatus.Information = 0;
    if (Location->Parameters.QueryVolume.Length >= sizeof(*Information)) {
        Information->DeviceType = Device->DeviceType;
        Information->Characteristics = Device->Characteristics;
        Irp->IoStatus.Information = sizeof(*Information);
        *Status = STATUS_SUCCESS;
    }
    Irp->IoStatus.Status = *Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return TRUE;
}
