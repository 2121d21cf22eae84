/* Reads of the stream "pending": in a cancel-safe queue until they are cancelled or their handle goes. */
#include "hostfs.h"

static IO_CSQ Queue;
static LIST_ENTRY Reads;
static KSPIN_LOCK Lock;

static VOID Insert(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    InsertTailList(&Reads, &Irp->Tail.Overlay.ListEntry);
}

static VOID Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    (VOID) RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* The next after Irp whose file object Context is. */
static PIRP PeekNext(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    PLIST_ENTRY Entry = Irp == NULL ? Reads.Flink : Irp->Tail.Overlay.ListEntry.Flink;

    UNREFERENCED_PARAMETER(Csq);
    for (; Entry != &Reads; Entry = Entry->Flink) {
        PIRP Next = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);

        if (IoGetCurrentIrpStackLocation(Next)->FileObject == Context) {
            return Next;
        }
    }
    return NULL;
}

static VOID AcquireLock(PIO_CSQ Csq, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    *Irql = KeAcquireSpinLockRaiseToDpc(&Lock);
}

static VOID ReleaseLock(PIO_CSQ Csq, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID CompleteCancelled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

VOID HostfsStartPending(VOID)
{
    InitializeListHead(&Reads);
    (VOID) IoCsqInitialize(&Queue, Insert, Remove, PeekNext, AcquireLock, ReleaseLock, CompleteCancelled);
}

NTSTATUS HostfsPendRead(PIRP Irp)
{
    IoCsqInsertIrp(&Queue, Irp, NULL);
    return STATUS_PENDING;
}

VOID HostfsCancelReads(const FILE_OBJECT *FileObject)
{
    PIRP Irp = IoCsqRemoveNextIrp(&Queue, (PVOID)(ULONG_PTR)FileObject);

    while (Irp != NULL) {
        CompleteCancelled(&Queue, Irp);
        Irp = IoCsqRemoveNextIrp(&Queue, (PVOID)(ULONG_PTR)FileObject);
    }
}
