/* Cancel-safe queues: a driver's queue of pended requests, from which cancellation and removal never take the same one. */
#include "kernel.h"

NTSTATUS IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                         PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                         PIO_CSQ_RELEASE_LOCK CsqReleaseLock, PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    Csq->Type = IO_TYPE_CSQ;
    Csq->CsqInsertIrp = CsqInsertIrp;
    Csq->CsqRemoveIrp = CsqRemoveIrp;
    Csq->CsqPeekNextIrp = CsqPeekNextIrp;
    Csq->CsqAcquireLock = CsqAcquireLock;
    Csq->CsqReleaseLock = CsqReleaseLock;
    Csq->CsqCompleteCanceledIrp = CsqCompleteCanceledIrp;
    Csq->ReservePointer = NULL;
    return STATUS_SUCCESS;
}

/* DriverContext[3] leads from the request to its queue, or to the caller's context, which leads to both. */
static PIO_CSQ HostQueueOf(PIRP Irp, PIO_CSQ_IRP_CONTEXT *Context)
{
    PIO_CSQ_IRP_CONTEXT Link = Irp->Tail.Overlay.DriverContext[3];

    *Context = NULL;
    if (Link->Type == IO_TYPE_CSQ_IRP_CONTEXT) {
        *Context = Link;
        return Link->Csq;
    }
    return (PIO_CSQ)(PVOID)Link;
}

static VOID HostUnlink(PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    if (Context != NULL) {
        Context->Irp = NULL;
    }
    Irp->Tail.Overlay.DriverContext[3] = NULL;
}

static VOID HostCancelQueued(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context;
    PIO_CSQ Csq;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Csq = HostQueueOf(Irp, &Context);
    Csq->CsqAcquireLock(Csq, &Irql);
    Csq->CsqRemoveIrp(Csq, Irp);
    HostUnlink(Irp, Context);
    Csq->CsqReleaseLock(Csq, Irql);
    Csq->CsqCompleteCanceledIrp(Csq, Irp);
}

/* Marks the request pending. One that is cancelled already is completed as such. */
VOID IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    BOOLEAN Cancelled = FALSE;
    KIRQL Irql;

    (VOID) HostEnter(IoCsqInsertIrp);
    if (Context != NULL) {
        Context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
        Context->Irp = Irp;
        Context->Csq = Csq;
    }
    Csq->CsqAcquireLock(Csq, &Irql);
    Irp->Tail.Overlay.DriverContext[3] = Context != NULL ? (PVOID)Context : (PVOID)Csq;
    IoMarkIrpPending(Irp);
    Csq->CsqInsertIrp(Csq, Irp);
    (VOID) IoSetCancelRoutine(Irp, HostCancelQueued);
    if (__atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(Irp, NULL) != NULL) {
        Cancelled = TRUE;
        Csq->CsqRemoveIrp(Csq, Irp);
        HostUnlink(Irp, Context);
    }
    Csq->CsqReleaseLock(Csq, Irql);
    if (Cancelled) {
        Csq->CsqCompleteCanceledIrp(Csq, Irp);
    }
}

/* NULL when no request matches, or when cancellation has it. */
PIRP IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    PIO_CSQ_IRP_CONTEXT Context;
    PIRP Irp;
    KIRQL Irql;

    (VOID) HostEnter(IoCsqRemoveNextIrp);
    Csq->CsqAcquireLock(Csq, &Irql);
    Irp = Csq->CsqPeekNextIrp(Csq, NULL, PeekContext);
    while (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        Irp = Csq->CsqPeekNextIrp(Csq, Irp, PeekContext);
    }
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        (VOID) HostQueueOf(Irp, &Context);
        HostUnlink(Irp, Context);
    }
    Csq->CsqReleaseLock(Csq, Irql);
    return Irp;
}

PIRP IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    PIRP Irp;
    KIRQL Irql;

    (VOID) HostEnter(IoCsqRemoveIrp);
    Csq->CsqAcquireLock(Csq, &Irql);
    Irp = Context->Irp;
    if (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        Irp = NULL;
    }
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        HostUnlink(Irp, Context);
    }
    Csq->CsqReleaseLock(Csq, Irql);
    return Irp;
}
