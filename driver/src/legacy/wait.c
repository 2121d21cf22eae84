/*
 * Requests that are sent to the device below and waited for.
 */
#include "legacy/filter.h"

typedef NTSTATUS(NTAPI *PPSCTX_CANCELLABLE_WAIT)(_In_ PVOID Object, _In_opt_ PLARGE_INTEGER Timeout, _In_opt_ PIRP Irp);

/* NULL on kernels before Windows Vista. */
static PPSCTX_CANCELLABLE_WAIT PsctxFsRtlCancellableWaitForSingleObject;

static IO_COMPLETION_ROUTINE PsctxRequestCompleted;

/*
 * Finds out how this kernel waits for what may be cancelled. Called once, before the first request.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartWaits(VOID)
{
    PAGED_CODE();

    PsctxFsRtlCancellableWaitForSingleObject =
        (PPSCTX_CANCELLABLE_WAIT)PsctxFindRoutine(L"FsRtlCancellableWaitForSingleObject");
}

/*
 * Takes the request back from the I/O manager for PsctxSendAndWait, which waits if the device below has said that it
 * completes it later, whether or not it has marked the request, too, as it should have. <= DISPATCH_LEVEL.
 */
_Use_decl_annotations_ static NTSTATUS PsctxRequestCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);

    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/*
 * Sends a request whose next stack location is set up, and returns when the drivers below have completed it, with its status; it is
 * the caller's again, to be completed or freed.
 *
 * A thread that is told to end meanwhile has a Cancellable request cancelled, so that it need not wait for what may never
 * come, such as the answer to an oplock break. It still waits for the completion: until then the request is not ours, nor are the event
 * and the file object, which are on the stacks of whoever called. That is short, as far as the drivers below keep to the guidelines.
 * Waits in KernelMode, whose stacks are not paged out.
 * [wdm/nf-wdm-iosetcompletionroutine, ntifs/nf-ntifs-fsrtlcancellablewaitforsingleobject, wdm/nf-wdm-iocancelirp]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxSendAndWait(PDEVICE_OBJECT DeviceObject, PIRP Irp, BOOLEAN Cancellable)
{
    KEVENT completed;
    NTSTATUS status;

    PAGED_CODE();

    KeInitializeEvent(&completed, NotificationEvent, FALSE);
    IoSetCompletionRoutine(Irp, PsctxRequestCompleted, &completed, TRUE, TRUE, TRUE);
    status = IoCallDriver(DeviceObject, Irp);
    if (status == STATUS_PENDING) {
        if (Cancellable && PsctxFsRtlCancellableWaitForSingleObject != NULL &&
            !NT_SUCCESS(PsctxFsRtlCancellableWaitForSingleObject(&completed, NULL, NULL))) {
            IoCancelIrp(Irp);
        }
        KeWaitForSingleObject(&completed, Executive, KernelMode, FALSE, NULL);
    }
    return Irp->IoStatus.Status;
}
