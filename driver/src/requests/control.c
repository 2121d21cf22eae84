/*
 * What the control device answers: opens become sessions, control codes become operations.
 */
#include "events/events.h"
#include "requests/request.h"
#include "tracking/tracking.h"

#define PSCTX_OPENS_REFUSED (-1)

volatile LONG PsctxControlFiles;

/*
 * Completes an IRP that was not forwarded.
 */
static VOID PsctxComplete(_Inout_ PIRP Irp, _In_ NTSTATUS Status, _In_ ULONG Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

/*
 * Whether a request has a file object, and that of an open of the control device: a driver may have made the request up, or pass on what
 * was sent to a device of its own, with something else in FsContext.
 */
PSCTX_PAGE static BOOLEAN PsctxIsControlFile(_In_opt_ PFILE_OBJECT FileObject)
{
    PAGED_CODE();

    return FileObject != NULL && FileObject->DeviceObject == PsctxGlobals.ControlDevice;
}

/*
 * Counts one more open, unless there are to be none any more.
 */
PSCTX_PAGE static BOOLEAN PsctxCountControlFile(VOID)
{
    LONG count;

    PAGED_CODE();

    do {
        count = ReadNoFence(&PsctxControlFiles);
        if (count < 0) {
            return FALSE;
        }
    } while (InterlockedCompareExchange(&PsctxControlFiles, count + 1, count) != count);
    return TRUE;
}

/*
 * TRUE if nobody has the control device open: then nobody can open it any more, for the driver is to be unloaded. A create that comes late
 * is refused.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxRefuseOpens(VOID)
{
    PAGED_CODE();

    return InterlockedCompareExchange(&PsctxControlFiles, PSCTX_OPENS_REFUSED, 0) == 0;
}

/*
 * An open of \\.\PsCtx itself. A name below it, or one relative to it, is nothing we have.
 */
PSCTX_PAGE static NTSTATUS PsctxControlCreate(_In_opt_ PFILE_OBJECT FileObject)
{
    PPSCTX_SESSION session;
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxIsControlFile(FileObject)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (FileObject->FileName.Length != 0 || FileObject->RelatedFileObject != NULL) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (!PsctxCountControlFile()) {
        return STATUS_DELETE_PENDING;
    }
    status = PsctxBeginSession(&session);
    if (NT_SUCCESS(status)) {
        FileObject->FsContext = session;
    } else {
        InterlockedDecrement(&PsctxControlFiles);
    }
    return status;
}

/*
 * METHOD_BUFFERED: input and output share SystemBuffer, which the I/O manager made as long as the longer of the two.
 *
 * Handles in a request mean the calling process's: a request that another driver has passed on from elsewhere is refused, and so is one
 * that a driver has made up without a file object of an open.
 * The I/O manager copies the reply out unless the status is an error (severity 3), warnings included. After STATUS_PENDING the IRP is
 * somebody else's, and may be gone.
 */
PSCTX_PAGE static NTSTATUS PsctxControlDeviceControl(_In_ PIRP Irp, _In_ PIO_STACK_LOCATION Location,
                                                     _Out_ PULONG Information)
{
    const ULONG code = Location->Parameters.DeviceIoControl.IoControlCode;
    const PSCTX_OPERATION *operation = PsctxFindOperation(((code >> 2) & 0xFFFu) - PSCTX_FUNCTION_BASE);
    PSCTX_REQUEST request;
    NTSTATUS status;

    PAGED_CODE();

    if (operation == NULL || operation->ControlCode != code) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (IoGetRequestorProcess(Irp) != IoGetCurrentProcess()) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (!PsctxIsControlFile(Location->FileObject) || Location->FileObject->FsContext == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (!ExAcquireRundownProtection(&PsctxGlobals.Rundown)) {
        return STATUS_DELETE_PENDING;
    }

    request.Session = Location->FileObject->FsContext;
    request.Irp = Irp;
    request.Input = Irp->AssociatedIrp.SystemBuffer;
    request.InputLength = Location->Parameters.DeviceIoControl.InputBufferLength;
    request.Output = Irp->AssociatedIrp.SystemBuffer;
    request.OutputLength = Location->Parameters.DeviceIoControl.OutputBufferLength;
    request.ReplyLength = 0;
    status = PsctxRunOperation(operation, &request);
    if (!NT_ERROR(status)) {
        *Information = request.ReplyLength;
    }

    ExReleaseRundownProtection(&PsctxGlobals.Rundown);
    return status;
}

/*
 * The last handle was closed, perhaps by the death of its process; requests of other threads may still be on their way. A session ends in
 * this order, of which every room does its part:
 *
 * Ended is set. From that moment on nothing can be inserted: an insertion reads it under the lock of the shard that it links into, and so
 * either came before the walk through that shard, or sees it; nor is a rule added, which reads it under the rules' lock.
 * What it reads itself is closed, and what waits for that is answered.
 * Its rules go, so that opens bring no more contexts.
 * Its contexts go, and its readers are told of each.
 * Its readers are told that there is no more to come.
 * It is no longer counted. Its record stays as long as something refers to it.
 */
PSCTX_PAGE static VOID PsctxEndSession(_Inout_ PPSCTX_SESSION Session)
{
    PAGED_CODE();

    if (InterlockedExchange(&Session->Ended, TRUE)) {
        return;
    }
    PsctxCloseReader(&Session->Events);
    PsctxEndTracking(Session);
    PsctxRemoveSessionContexts(Session);
    PsctxRemoveSession(&Session->Events);
    InterlockedDecrement(&PsctxSessionCount);
}

/*
 * Ends the session of an open; FALSE where a driver has made the request up, and there is none.
 */
PSCTX_PAGE static BOOLEAN PsctxControlCleanup(_In_opt_ PFILE_OBJECT FileObject)
{
    PAGED_CODE();

    if (!PsctxIsControlFile(FileObject) || FileObject->FsContext == NULL) {
        return FALSE;
    }
    PsctxEndSession(FileObject->FsContext);
    return TRUE;
}

/*
 * Every IRP sent to the control device. PASSIVE_LEVEL, in the context of the calling thread for create and device control.
 *
 * In a critical region, so that a thread that is suspended does not stop halfway: others wait for what it has run down, for the requests
 * of other threads that it completes, and for the end of its session.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxControlDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    const PFILE_OBJECT fileObject = location->FileObject;
    ULONG information = 0;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DeviceObject);

    PAGED_CODE();

    KeEnterCriticalRegion();
    switch (location->MajorFunction) {
    case IRP_MJ_CREATE:
        status = PsctxControlCreate(fileObject);
        information = FILE_OPENED;
        break;
    case IRP_MJ_CLEANUP:
        status = PsctxControlCleanup(fileObject) ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
        break;
    case IRP_MJ_CLOSE:
        status = STATUS_INVALID_DEVICE_REQUEST;
        if (PsctxControlCleanup(fileObject)) { /* no cleanup came if the handle itself could not be made */
            PsctxDereferenceSession(fileObject->FsContext);
            fileObject->FsContext = NULL;
            InterlockedDecrement(&PsctxControlFiles);
            status = STATUS_SUCCESS;
        }
        break;
    case IRP_MJ_DEVICE_CONTROL:
        status = PsctxControlDeviceControl(Irp, location, &information);
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    if (status != STATUS_PENDING) {
        PsctxComplete(Irp, status, NT_ERROR(status) ? 0 : information);
    }
    KeLeaveCriticalRegion();
    return status;
}
