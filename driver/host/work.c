/* Work items, each run by one of the kernel's worker threads, or by a thread of the schedule that queued it. */
#include "kernel.h"

#define HOST_WORKERS 4u
#define HOST_WORK_TAG 'IWoI'

typedef struct _HOST_WORK {
    LIST_ENTRY Links;
    PHOST_ROUTINE Routine;
    PVOID Context;
} HOST_WORK, *PHOST_WORK;

struct _IO_WORKITEM {
    PDEVICE_OBJECT DeviceObject; /* referenced */
    PIO_WORKITEM_ROUTINE Routine;
    PVOID Context;
    volatile LONG Queued;
};

static HOST_MUTEX HostWorkMutex = HOST_MUTEX_INITIALIZER;
static HOST_CONDITION HostWorkThere;
static LIST_ENTRY HostWorkQueue = {&HostWorkQueue, &HostWorkQueue};
static pthread_t HostWorkers[HOST_WORKERS];
static ULONG HostWorkerCount;
static ULONG HostIdleWorkers;
static BOOLEAN HostWorkersStop;

static VOID HostWorker(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    (VOID) HostCurrentThread();
    PlatformLock(&HostWorkMutex);
    for (;;) {
        PHOST_WORK Work;

        while (IsListEmpty(&HostWorkQueue) && !HostWorkersStop) {
            HostIdleWorkers++;
            (VOID) PlatformWait(&HostWorkThere, &HostWorkMutex, NULL);
            HostIdleWorkers--;
        }
        if (IsListEmpty(&HostWorkQueue)) {
            break;
        }
        Work = CONTAINING_RECORD(RemoveHeadList(&HostWorkQueue), HOST_WORK, Links);
        PlatformUnlock(&HostWorkMutex);
        Work->Routine(Work->Context);
        PlatformFree(Work);
        PlatformLock(&HostWorkMutex);
    }
    PlatformUnlock(&HostWorkMutex);
}

VOID HostQueueInternal(PHOST_ROUTINE Routine, PVOID Context)
{
    PHOST_WORK Work;

    if (HostScheduleStart(Routine, Context, NULL)) {
        return;
    }
    Work = PlatformAllocate(sizeof(*Work));
    Work->Routine = Routine;
    Work->Context = Context;
    PlatformLock(&HostWorkMutex);
    if (HostWorkerCount == 0) {
        PlatformInitializeCondition(&HostWorkThere);
    }
    InsertTailList(&HostWorkQueue, &Work->Links);
    if (HostIdleWorkers == 0 && HostWorkerCount < HOST_WORKERS &&
        PlatformStartThread(HostWorker, NULL, &HostWorkers[HostWorkerCount])) {
        HostWorkerCount++;
    }
    PlatformSignal(&HostWorkThere);
    PlatformUnlock(&HostWorkMutex);
}

/* Waits until everything queued has run. */
VOID HostStopWorkers(VOID)
{
    ULONG Count;

    PlatformLock(&HostWorkMutex);
    Count = HostWorkerCount;
    HostWorkersStop = TRUE;
    if (Count != 0) {
        PlatformSignalAll(&HostWorkThere);
    }
    PlatformUnlock(&HostWorkMutex);
    for (ULONG Index = 0; Index < Count; Index++) {
        PlatformJoinThread(HostWorkers[Index]);
    }
    PlatformLock(&HostWorkMutex);
    if (Count != 0) {
        PlatformDeleteCondition(&HostWorkThere);
    }
    HostWorkerCount = 0;
    HostWorkersStop = FALSE;
    PlatformUnlock(&HostWorkMutex);
}

/* NULL when there is no memory. */
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM Item;

    (VOID) HostEnter(IoAllocateWorkItem);
    Item = HostAllocatePool(NonPagedPoolNx, sizeof(*Item), HOST_WORK_TAG, TRUE, __builtin_return_address(0));
    if (Item != NULL) {
        Item->DeviceObject = DeviceObject;
    }
    return Item;
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    (VOID) HostEnter(IoFreeWorkItem);
    if (ReadAcquire(&IoWorkItem->Queued) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "IoFreeWorkItem", "the work item at %p is queued",
                      (PVOID)IoWorkItem);
    }
    HostFreePool(IoWorkItem, HOST_WORK_TAG, "IoFreeWorkItem");
}

/* The routine may free or queue its own item again. */
static VOID HostRunWorkItem(PVOID Context)
{
    PIO_WORKITEM Item = Context;
    PDEVICE_OBJECT DeviceObject = Item->DeviceObject;
    PIO_WORKITEM_ROUTINE Routine = Item->Routine;
    PVOID RoutineContext = Item->Context;
    PETHREAD Thread = HostCurrentThread();

    (VOID) InterlockedExchange(&Item->Queued, 0);
    Routine(DeviceObject, RoutineContext);
    if (Thread->Irql != PASSIVE_LEVEL || Thread->HeldLocks != 0 || Thread->CriticalRegions != 0) {
        HostViolation(IRQL_UNEXPECTED_VALUE, "IoQueueWorkItem",
                      "a work item returned at IRQL %u with %d locks and %d critical regions", Thread->Irql,
                      Thread->HeldLocks, Thread->CriticalRegions);
    }
    HostDereferenceRaw(DeviceObject, "IoQueueWorkItem");
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context)
{
    (VOID) HostEnter(IoQueueWorkItem);
    UNREFERENCED_PARAMETER(QueueType);
    if (InterlockedExchange(&IoWorkItem->Queued, 1) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "IoQueueWorkItem", "the work item at %p is queued already",
                      (PVOID)IoWorkItem);
    }
    IoWorkItem->Routine = WorkerRoutine;
    IoWorkItem->Context = Context;
    (VOID) InterlockedIncrement64(&HostHeaderOf(IoWorkItem->DeviceObject)->References);
    HostQueueInternal(HostRunWorkItem, IoWorkItem);
}
