/* Requests: allocation, the way down and up a device stack, cancellation, and the rules that drivers keep on the way. */
#include "kernel.h"

#define HOST_CACHED_STACK_SIZE 8
#define HOST_CACHED_IRPS 64
#define HOST_IRP_FREE_FILL 0xDD

static KSPIN_LOCK HostCancelLock = HOST_FREE_SPIN_LOCK;

static SIZE_T HostIrpSize(CCHAR StackSize)
{
    return sizeof(IRP) + (SIZE_T)StackSize * sizeof(IO_STACK_LOCATION);
}

PIRP HostAllocateIrp(PETHREAD Thread, CCHAR StackSize, BOOLEAN MayFail)
{
    CCHAR Room = (CCHAR)(StackSize <= HOST_CACHED_STACK_SIZE ? HOST_CACHED_STACK_SIZE : StackSize);
    PHOST_IRP Host = Thread->FreeIrps;
    PIRP Irp;

    if (StackSize <= 0) {
        HostViolation(INCONSISTENT_IRP, "IoAllocateIrp", "%d stack locations", StackSize);
    }
    if (MayFail && HostTryFault()) {
        return NULL;
    }
    if (Room == HOST_CACHED_STACK_SIZE && Host != NULL) {
        PlatformAllow(Host, HOST_IRP_OFFSET + HostIrpSize(Room));
        Thread->FreeIrps = Host->NextFree;
        Thread->FreeIrpCount--;
    } else {
        Host = PlatformAllocate(HOST_IRP_OFFSET + HostIrpSize(Room));
    }
    RtlZeroMemory(Host, HOST_IRP_OFFSET + HostIrpSize(StackSize));
    Host->Holds = 1;
    Host->Size = (ULONG)Room;
    Irp = (PIRP)(PVOID)((PUCHAR)Host + HOST_IRP_OFFSET);
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = (USHORT)HostIrpSize(StackSize);
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = (CHAR)(StackSize + 1);
    Irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
    InitializeListHead(&Irp->ThreadListEntry);
    __atomic_store_n(&Thread->IrpBalance, Thread->IrpBalance + 1, __ATOMIC_RELAXED);
    return Irp;
}

/* Past the sanitizer, where there is one: what is gone is told here. */
static __attribute__((no_sanitize("address"))) BOOLEAN HostIsIrp(PIRP Irp)
{
    return (BOOLEAN)(Irp != NULL && Irp->Type == IO_TYPE_IRP);
}

static PHOST_IRP HostCheckIrp(PIRP Irp, const char *Routine)
{
    if (!HostIsIrp(Irp)) {
        HostViolation(INCONSISTENT_IRP, Routine, "%p is no request, or one that is gone", (PVOID)Irp);
    }
    return HostIrpOf(Irp);
}

/* A request that a driver on this thread holds: not completed, not sent on, without a cancel routine. */
VOID HostCheckHeldIrp(PIRP Irp, const char *Routine)
{
    if (HostCheckIrp(Irp, Routine)->Completed || __atomic_load_n(&Irp->CancelRoutine, __ATOMIC_ACQUIRE) != NULL) {
        HostViolation(INCONSISTENT_IRP, Routine, "the request at %p is completed or has a cancel routine", (PVOID)Irp);
    }
    for (PHOST_DISPATCH_FRAME Frame = HostCurrentThread()->Dispatch; Frame != NULL; Frame = Frame->Outer) {
        if (Frame->Irp == Irp && Frame->Location > Irp->CurrentLocation) {
            HostViolation(INCONSISTENT_IRP, Routine, "the request at %p is at a lower driver", (PVOID)Irp);
        }
    }
}

/*
 * The request is not its drivers' any more, however long its memory stays: what they look at in it, or at their stack locations, is gone.
 * What a cancellation that comes late looks at is left.
 */
static VOID HostSpoilIrp(PIRP Irp)
{
    PVOID Spoilt;

    memset(&Spoilt, HOST_IRP_FREE_FILL, sizeof(PVOID));
    memset(Irp + 1, HOST_IRP_FREE_FILL, (SIZE_T)Irp->StackCount * sizeof(IO_STACK_LOCATION));
    memset(&Irp->Tail, HOST_IRP_FREE_FILL, sizeof(Irp->Tail));
    memset(&Irp->IoStatus, HOST_IRP_FREE_FILL, sizeof(Irp->IoStatus));
    memset(&Irp->AssociatedIrp, HOST_IRP_FREE_FILL, sizeof(Irp->AssociatedIrp));
    Irp->UserIosb = Spoilt;
    Irp->UserEvent = Spoilt;
    Irp->UserBuffer = Spoilt;
}

static VOID HostReleaseIrp(PHOST_IRP Host)
{
    PETHREAD Thread = HostCurrentThread();
    SIZE_T Size = HOST_IRP_OFFSET + HostIrpSize((CCHAR)Host->Size);

    if (InterlockedDecrement(&Host->Holds) != 0) {
        return;
    }
    __atomic_store_n(&Thread->IrpBalance, Thread->IrpBalance - 1, __ATOMIC_RELAXED);
    if (Host->Size != HOST_CACHED_STACK_SIZE || Thread->FreeIrpCount == HOST_CACHED_IRPS) {
        PlatformFree(Host);
        return;
    }
    Host->NextFree = Thread->FreeIrps;
    memset((PUCHAR)Host + HOST_IRP_OFFSET, HOST_IRP_FREE_FILL, sizeof(IRP));
    Thread->FreeIrps = Host;
    Thread->FreeIrpCount++;
    PlatformForbid((PUCHAR)Host + HOST_IRP_OFFSET, Size - HOST_IRP_OFFSET);
}

VOID HostFreeIrp(PIRP Irp)
{
    PHOST_IRP Host = HostCheckIrp(Irp, "IoFreeIrp");

    if (!IsListEmpty(&Irp->ThreadListEntry)) {
        HostViolation(INCONSISTENT_IRP, "IoFreeIrp", "the request at %p is on a thread's list", (PVOID)Irp);
    }
    Irp->Type = 0;
    HostSpoilIrp(Irp);
    HostReleaseIrp(Host);
}

VOID HostFlushIrpCache(PETHREAD Thread)
{
    PHOST_IRP Host = Thread->FreeIrps;

    while (Host != NULL) {
        PHOST_IRP Next = Host->NextFree;

        PlatformAllow(Host, HOST_IRP_OFFSET + HostIrpSize((CCHAR)Host->Size));
        PlatformFree(Host);
        Host = Next;
    }
    Thread->FreeIrps = NULL;
    Thread->FreeIrpCount = 0;
}

/* NULL when there is no memory. Freed with IoFreeIrp, from the completion routine at the latest. */
PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    PIRP Irp = HostAllocateIrp(HostEnter(IoAllocateIrp), StackSize, TRUE);

    UNREFERENCED_PARAMETER(ChargeQuota);
    if (Irp != NULL) {
        HostIrpOf(Irp)->FromDriver = TRUE;
    }
    return Irp;
}

VOID IoFreeIrp(PIRP Irp)
{
    (VOID) HostEnter(IoFreeIrp);
    HostFreeIrp(Irp);
}

VOID HostNoStackLocation(PIRP Irp)
{
    HostViolation(NO_MORE_IRP_STACK_LOCATIONS, "IoCallDriver", "the request at %p has no stack location left",
                  (PVOID)Irp);
}

VOID HostMarkIrpPending(PIRP Irp)
{
    PETHREAD Thread = HostCurrentThread();

    (VOID) HostCheckIrp(Irp, "IoMarkIrpPending");
    if (Irp->CurrentLocation > Irp->StackCount) {
        HostViolation(INCONSISTENT_IRP, "IoMarkIrpPending", "the request at %p is at no driver", (PVOID)Irp);
    }
    Irp->Tail.Overlay.CurrentStackLocation->Control |= SL_PENDING_RETURNED;
    for (PHOST_DISPATCH_FRAME Frame = Thread->Dispatch; Frame != NULL; Frame = Frame->Outer) {
        if (Frame->Irp == Irp && Frame->Location == Irp->CurrentLocation && !Frame->Completed) {
            Frame->MarkedPending = TRUE;
        }
    }
}

/* Whoever gets the request may need the lock, or time. [kernel/preventing-errors-and-deadlocks-while-using-spin-locks] */
static VOID HostCheckNoSpinLock(PETHREAD Thread, const char *Routine)
{
    if (Thread->SpinLocks != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "called with %u spin locks held", Thread->SpinLocks);
    }
}

/* What the completion routines of drivers above do, or the end of the file that it may bring, may come back for the lock. */
static VOID HostCheckNoMutex(PETHREAD Thread, const char *Routine)
{
    for (LONG Index = 0; Index < Thread->HeldLocks; Index++) {
        if (Thread->Held[Index].Kind == HostFastMutex || Thread->Held[Index].Kind == HostFastMutexUnsafe) {
            HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine,
                          "another thread's request is completed while the fast mutex at %p is held",
                          (const VOID *)Thread->Held[Index].Lock);
        }
    }
}

static VOID HostCheckReturn(PHOST_DISPATCH_FRAME Frame, NTSTATUS Status)
{
    if (Status == STATUS_PENDING) {
        if (!Frame->MarkedPending && !Frame->LowerPending) {
            HostViolation(
                DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver",
                "a dispatch routine (major function 0x%02X) returned STATUS_PENDING for a request that is not "
                "marked pending",
                Frame->MajorFunction);
        }
        return;
    }
    if (Frame->MarkedPending) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver",
                      "a dispatch routine (major function 0x%02X) marked a request pending and returned 0x%08X",
                      Frame->MajorFunction, (ULONG)Status);
    }
    if (!Frame->Completed) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver",
                      "a dispatch routine (major function 0x%02X) returned 0x%08X and has not completed the request",
                      Frame->MajorFunction, (ULONG)Status);
    }
    if (Frame->CompletedStatus != Status) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver",
                      "a dispatch routine (major function 0x%02X) returned 0x%08X for a request completed with 0x%08X",
                      Frame->MajorFunction, (ULONG)Status, (ULONG)Frame->CompletedStatus);
    }
}

/* IRQL <= DISPATCH_LEVEL. What the driver's dispatch routine returns. */
NTSTATUS IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PETHREAD Thread = HostEnter(IofCallDriver);
    HOST_DISPATCH_FRAME Frame = {0};
    PIO_STACK_LOCATION Location;
    KIRQL Irql = Thread->Irql;
    LONG CriticalRegions = Thread->CriticalRegions;
    NTSTATUS Status;

    HostCheckNoSpinLock(Thread, "IoCallDriver");
    (VOID) HostCheckIrp(Irp, "IoCallDriver");
    (VOID) HostCheckObject(DeviceObject, "IoCallDriver");
    if (HostIsDeviceDeleted(DeviceObject)) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver", "the device at %p has been deleted",
                      (PVOID)DeviceObject);
    }
    if (Thread->FreeCallbacks != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "IoCallDriver", "a FreeCallback calls a driver");
    }
    if (__atomic_load_n(&Irp->CancelRoutine, __ATOMIC_ACQUIRE) != NULL) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver", "the request at %p has a cancel routine",
                      (PVOID)Irp);
    }
    IoSetNextIrpStackLocation(Irp);
    Location = IoGetCurrentIrpStackLocation(Irp);
    if (Location->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION) {
        HostViolation(INCONSISTENT_IRP, "IoCallDriver", "major function 0x%02X", Location->MajorFunction);
    }
    if (Thread->Dispatch != NULL && Thread->Dispatch->Irp == Irp &&
        Thread->Dispatch->MajorFunction != Location->MajorFunction) {
        HostViolation(INCONSISTENT_IRP, "IoCallDriver",
                      "major function 0x%02X is forwarded as 0x%02X: the next stack location was not set up",
                      Thread->Dispatch->MajorFunction, Location->MajorFunction);
    }
    if (Thread->Dispatch != NULL && Thread->Dispatch->Irp == Irp && Thread->Dispatch->HasFile &&
        Location->FileObject == NULL &&
        (Location->MajorFunction == IRP_MJ_CREATE || Location->MajorFunction == IRP_MJ_CLEANUP ||
         Location->MajorFunction == IRP_MJ_CLOSE)) {
        HostViolation(
            INCONSISTENT_IRP, "IoCallDriver",
            "major function 0x%02X is forwarded without its file object: the next stack location was not set up",
            Location->MajorFunction);
    }
    if (HostIrpOf(Irp)->FromDriver && Location->FileObject != NULL && Irp->Tail.Overlay.Thread == NULL) {
        HostViolation(INCONSISTENT_IRP, "IoCallDriver",
                      "a driver's own request for a file (major function 0x%02X) names no thread",
                      Location->MajorFunction);
    }
    Location->DeviceObject = DeviceObject;
    Frame.Outer = Thread->Dispatch;
    Frame.Irp = Irp;
    Frame.Location = Irp->CurrentLocation;
    Frame.MajorFunction = Location->MajorFunction;
    Frame.HasFile = (BOOLEAN)(Location->FileObject != NULL);
    Thread->Dispatch = &Frame;
    Status = DeviceObject->DriverObject->MajorFunction[Location->MajorFunction](DeviceObject, Irp);
    /* cppcheck-suppress redundantAssignment ; the routine that was called found it by its thread */
    Thread->Dispatch = Frame.Outer;
    if (Thread->Irql != Irql || Thread->CriticalRegions != CriticalRegions) {
        HostViolation(
            IRQL_UNEXPECTED_VALUE, "IoCallDriver",
            "a dispatch routine (major function 0x%02X) returned at IRQL %u in %d critical regions, called at %u "
            "in %d",
            Frame.MajorFunction, Thread->Irql, Thread->CriticalRegions, Irql, CriticalRegions);
    }
    HostCheckReturn(&Frame, Status);
    if (Status == STATUS_PENDING && Frame.Outer != NULL && Frame.Outer->Irp == Irp) {
        Frame.Outer->LowerPending = TRUE;
    }
    return Status;
}

NTSTATUS PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    (VOID) HostEnter(PoCallDriver);
    return IofCallDriver(DeviceObject, Irp);
}

VOID PoStartNextPowerIrp(PIRP Irp)
{
    (VOID) HostEnter(PoStartNextPowerIrp);
    (VOID) HostCheckIrp(Irp, "PoStartNextPowerIrp");
}

static VOID HostDelistIrp(PHOST_IRP Host)
{
    if (Host->Listed) {
        PlatformLock(&Host->Sender->IrpMutex);
        (VOID) RemoveEntryList(&Host->Links);
        Host->Listed = FALSE;
        PlatformUnlock(&Host->Sender->IrpMutex);
    }
}

/* Information that counts bytes is within the buffer; a buffered request's bytes go to the sender unless it failed. */
static VOID HostReturnBuffer(PHOST_IRP Host, PIRP Irp)
{
    BOOLEAN Copies = (BOOLEAN)((Irp->Flags & IRP_BUFFERED_IO) != 0 && (Irp->Flags & IRP_INPUT_OPERATION) != 0);

    if ((Copies || Host->Bounded) && !NT_ERROR(Irp->IoStatus.Status) &&
        Irp->IoStatus.Information > Host->OutputLength) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCompleteRequest",
                      "%llu bytes are returned in a buffer of %u", (ULONG64)Irp->IoStatus.Information,
                      Host->OutputLength);
    }
    if (Copies && !NT_ERROR(Irp->IoStatus.Status)) {
        memcpy(Host->OutputBuffer, Irp->AssociatedIrp.SystemBuffer, Irp->IoStatus.Information);
    }
    if ((Irp->Flags & IRP_BUFFERED_IO) != 0 && (Irp->Flags & IRP_DEALLOCATE_BUFFER) != 0) {
        HostFreePool(Irp->AssociatedIrp.SystemBuffer, 0, "IoCompleteRequest");
    }
}

/*
 * The end of a request of the I/O manager's own: results go to the sender. One that fails at once tells its status by the answer of the
 * dispatch routine alone: neither the status block nor an event is touched.
 */
static VOID HostFinishIrp(PIRP Irp)
{
    PHOST_IRP Host = HostIrpOf(Irp);
    NTSTATUS Status = Irp->IoStatus.Status;
    PFILE_OBJECT FileObject = Host->FileObject;
    PVOID Event = Host->Event;
    PKEVENT DriverEvent = Host->Built ? Irp->UserEvent : NULL;
    BOOLEAN Tells = (BOOLEAN)(!NT_ERROR(Status) || Irp->PendingReturned);

    if (Host->FromDriver) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCompleteRequest",
                      "a request from IoAllocateIrp came to its end: its completion routine must keep it");
    }
    HostReturnBuffer(Host, Irp);
    if (Irp->MdlAddress != NULL) {
        HostFreePool(Irp->MdlAddress, 0, "IoCompleteRequest");
        Irp->MdlAddress = NULL;
    }
    HostDelistIrp(Host);
    if (Host->Synchronous) {
        Host->IoStatus = Irp->IoStatus;
        HostSpoilIrp(Irp);
        WriteRelease(&Host->Finished, 1);
        HostWake(&Host->Finished);
        return;
    }
    if (Irp->UserIosb != NULL && Tells) {
        Irp->UserIosb->Information = Irp->IoStatus.Information;
        __atomic_store_n(&Irp->UserIosb->Status, Status, __ATOMIC_RELEASE);
    }
    HostFreeIrp(Irp);
    if (DriverEvent != NULL && Tells) {
        (VOID) HostSignal(DriverEvent);
    }
    if (FileObject != NULL && Tells) {
        (VOID) HostSignal(Event != NULL ? Event : &FileObject->Event);
    }
    if (Event != NULL) {
        HostDereferenceRaw(Event, "IoCompleteRequest");
    }
    if (FileObject != NULL) {
        HostDereferenceRaw(FileObject, "IoCompleteRequest");
    }
}

static BOOLEAN HostWantsCompletion(PIRP Irp, UCHAR Control)
{
    if (NT_SUCCESS(Irp->IoStatus.Status)) {
        if ((Control & SL_INVOKE_ON_SUCCESS) != 0) {
            return TRUE;
        }
    } else if ((Control & SL_INVOKE_ON_ERROR) != 0) {
        return TRUE;
    }
    return (BOOLEAN)(__atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST) && (Control & SL_INVOKE_ON_CANCEL) != 0);
}

static VOID HostNoteCompletion(PIRP Irp, CHAR Location)
{
    for (PHOST_DISPATCH_FRAME Frame = HostCurrentThread()->Dispatch; Frame != NULL; Frame = Frame->Outer) {
        if (Frame->Irp == Irp && Frame->Location == Location && !Frame->Completed) {
            Frame->Completed = TRUE;
            Frame->CompletedStatus = Irp->IoStatus.Status;
        }
    }
}

/*
 * IRQL <= DISPATCH_LEVEL. Calls the completion routines from the lowest driver up. Somebody else waits for what another thread has sent: it
 * is completed where no suspension stops the completing thread half-way.
 */
VOID IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    PETHREAD Thread = HostEnter(IofCompleteRequest);
    PHOST_IRP Host;

    UNREFERENCED_PARAMETER(PriorityBoost);
    HostCheckNoSpinLock(Thread, "IoCompleteRequest");
    Host = HostCheckIrp(Irp, "IoCompleteRequest");
    if (Host->Completed || Irp->CurrentLocation > Irp->StackCount + 1) {
        HostViolation(MULTIPLE_IRP_COMPLETE_REQUESTS, "IoCompleteRequest", "the request at %p is completed already",
                      (PVOID)Irp);
    }
    if (Irp->IoStatus.Status == STATUS_PENDING) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCompleteRequest", "completed with STATUS_PENDING");
    }
    if (Host->Sender != NULL && Host->Sender != Thread) {
        HostCheckNoMutex(Thread, "IoCompleteRequest");
        if (HostMayBeSuspended(Thread)) {
            HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCompleteRequest",
                          "another thread's request is completed where this one could be suspended");
        }
    }
    if (__atomic_load_n(&Irp->CancelRoutine, __ATOMIC_ACQUIRE) != NULL) {
        HostViolation(CANCEL_STATE_IN_COMPLETED_IRP, "IoCompleteRequest", "completed with a cancel routine set");
    }
    while (Irp->CurrentLocation <= Irp->StackCount) {
        PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
        PIO_COMPLETION_ROUTINE Routine = Location->CompletionRoutine;
        PVOID Context = Location->Context;
        UCHAR Control = Location->Control;
        PDEVICE_OBJECT Device = NULL;
        NTSTATUS Status;

        HostNoteCompletion(Irp, Irp->CurrentLocation);
        Irp->PendingReturned = (BOOLEAN)((Control & SL_PENDING_RETURNED) != 0);
        Irp->CurrentLocation = (CHAR)(Irp->CurrentLocation + 1);
        Irp->Tail.Overlay.CurrentStackLocation++;
        RtlZeroMemory(Location, sizeof(*Location));
        if (Irp->CurrentLocation <= Irp->StackCount) {
            Device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
        }
        if (Routine != NULL && HostWantsCompletion(Irp, Control)) {
            Status = Routine(Device, Irp, Context);
            if (Status == STATUS_MORE_PROCESSING_REQUIRED) {
                return;
            }
        } else if (Irp->PendingReturned && Irp->CurrentLocation <= Irp->StackCount) {
            HostMarkIrpPending(Irp);
        }
    }
    Host->Completed = TRUE;
    Irp->CurrentLocation = (CHAR)(Irp->StackCount + 2);
    HostFinishIrp(Irp);
}

static BOOLEAN HostIsFinished(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PHOST_IRP)Context)->Finished) != 0);
}

/* A thread that is to end cancels what it waits for in UserMode, and waits on. */
static VOID HostAwaitIrp(PHOST_IRP Host, PIRP Irp, BOOLEAN MayInterrupt)
{
    HOST_WAIT_END End;

    do {
        End = HostWaitInterruptibly(&Host->Finished, HostIsFinished, Host, NULL, MayInterrupt, NULL);
        if (End == HostInterrupted) {
            (VOID) IoCancelIrp(Irp);
            MayInterrupt = FALSE;
        }
        HostDeliverApcs(HostCurrentThread());
    } while (End != HostSatisfied);
}

NTSTATUS HostSendIrp(PDEVICE_OBJECT Device, PIRP Irp, BOOLEAN Asynchronous, PIO_STATUS_BLOCK IoStatus)
{
    PHOST_IRP Host = HostIrpOf(Irp);
    PETHREAD Thread = HostCurrentThread();
    UCHAR MajorFunction = IoGetNextIrpStackLocation(Irp)->MajorFunction;
    BOOLEAN MayInterrupt =
        (BOOLEAN)(Irp->RequestorMode != KernelMode && MajorFunction != IRP_MJ_CLEANUP && MajorFunction != IRP_MJ_CLOSE);
    NTSTATUS Status;

    Irp->Tail.Overlay.Thread = Thread;
    Host->Sender = Thread;
    Host->Process = PsGetCurrentProcess();
    Host->Synchronous = TRUE;
    Host->Holds = 2;
    PlatformLock(&Thread->IrpMutex);
    InsertTailList(&Thread->Irps, &Host->Links);
    Host->Listed = TRUE;
    PlatformUnlock(&Thread->IrpMutex);
    if (Asynchronous) {
        Host->Synchronous = FALSE;
    }
    Status = IofCallDriver(Device, Irp);
    if (!Asynchronous) {
        if (Host->Pended != NULL) {
            *Host->Pended = (BOOLEAN)(Status == STATUS_PENDING);
        }
        if (Status == STATUS_PENDING) {
            HostAwaitIrp(Host, Irp, MayInterrupt);
        } else if (!HostIsFinished(Host)) {
            HostViolation(
                DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCallDriver",
                "a completion routine kept a request of the I/O manager and the dispatch routine returned 0x%08X",
                (ULONG)Status);
        }
        *IoStatus = Host->IoStatus;
        Status = Host->IoStatus.Status;
        HostFreeIrp(Irp);
    }
    HostReleaseIrp(Host);
    return Status;
}

VOID IoAcquireCancelSpinLock(PKIRQL Irql)
{
    (VOID) HostEnter(IoAcquireCancelSpinLock);
    *Irql = KeAcquireSpinLockRaiseToDpc(&HostCancelLock);
}

VOID IoReleaseCancelSpinLock(KIRQL Irql)
{
    (VOID) HostEnter(IoReleaseCancelSpinLock);
    KeReleaseSpinLock(&HostCancelLock, Irql);
}

/* TRUE when there was a cancel routine. That routine releases the cancel spin lock. */
BOOLEAN IoCancelIrp(PIRP Irp)
{
    PETHREAD Thread = HostEnter(IoCancelIrp);
    const volatile VOID *WaitAddress;
    PDRIVER_CANCEL Routine;
    KIRQL Irql;

    IoAcquireCancelSpinLock(&Irql);
    __atomic_store_n(&Irp->Cancel, TRUE, __ATOMIC_SEQ_CST);
    Routine = IoSetCancelRoutine(Irp, NULL);
    WaitAddress = __atomic_load_n(&HostIrpOf(Irp)->WaitAddress, __ATOMIC_SEQ_CST);
    if (WaitAddress != NULL) {
        HostWake(WaitAddress);
    }
    if (Routine == NULL) {
        IoReleaseCancelSpinLock(Irql);
        return FALSE;
    }
    if (Irp->CurrentLocation > Irp->StackCount) {
        HostViolation(CANCEL_STATE_IN_COMPLETED_IRP, "IoCancelIrp",
                      "the request at %p is completed and has a cancel routine", (PVOID)Irp);
    }
    Irp->CancelIrql = Irql;
    Routine(IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp);
    if (HostIsHeld(Thread, &HostCancelLock, HostSpinLock)) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoCancelIrp",
                      "a cancel routine returned with the cancel spin lock held");
    }
    return TRUE;
}

BOOLEAN HostHasIrps(PETHREAD Thread, PEPROCESS Process)
{
    BOOLEAN Has = FALSE;

    PlatformLock(&Thread->IrpMutex);
    for (PLIST_ENTRY Entry = Thread->Irps.Flink; Entry != &Thread->Irps && !Has; Entry = Entry->Flink) {
        Has = (BOOLEAN)(Process == NULL || CONTAINING_RECORD(Entry, HOST_IRP, Links)->Process == Process);
    }
    PlatformUnlock(&Thread->IrpMutex);
    return Has;
}

/* One that Thread has sent, for one process or file alone when they are told, and that is not cancelled yet: marked, and held. */
PHOST_IRP HostHoldIrpToCancel(PETHREAD Thread, PEPROCESS Process, PFILE_OBJECT FileObject)
{
    PHOST_IRP Found = NULL;

    PlatformLock(&Thread->IrpMutex);
    for (PLIST_ENTRY Entry = Thread->Irps.Flink; Entry != &Thread->Irps && Found == NULL; Entry = Entry->Flink) {
        PHOST_IRP Host = CONTAINING_RECORD(Entry, HOST_IRP, Links);
        PIRP Irp = (PIRP)(PVOID)((PUCHAR)Host + HOST_IRP_OFFSET);

        if ((Process == NULL || Host->Process == Process) && (FileObject == NULL || Host->FileObject == FileObject) &&
            !__atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST)) {
            Found = Host;
            (VOID) InterlockedIncrement(&Host->Holds);
            __atomic_store_n(&Irp->Cancel, TRUE, __ATOMIC_SEQ_CST);
        }
    }
    PlatformUnlock(&Thread->IrpMutex);
    return Found;
}

/* Cancels, at APC_LEVEL, one that HostHoldIrpToCancel has found; whoever sent it may have ended since. */
VOID HostCancelHeldIrp(PHOST_IRP Found)
{
    KIRQL Irql = KfRaiseIrql(APC_LEVEL);

    (VOID) IoCancelIrp((PIRP)(PVOID)((PUCHAR)Found + HOST_IRP_OFFSET));
    KeLowerIrql(Irql);
    HostReleaseIrp(Found);
}

/* Cancels what Thread, the calling one, has sent. */
VOID HostCancelThreadIrps(PETHREAD Thread, PEPROCESS Process, PFILE_OBJECT FileObject)
{
    for (;;) {
        PHOST_IRP Found = HostHoldIrpToCancel(Thread, Process, FileObject);

        if (Found == NULL) {
            break;
        }
        HostCancelHeldIrp(Found);
    }
}

/* IRQL PASSIVE_LEVEL; NULL when there is no memory. The I/O manager frees the request and sets Event. */
PIRP IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer,
                                   ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
                                   BOOLEAN InternalDeviceIoControl, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    PETHREAD Thread = HostEnter(IoBuildDeviceIoControlRequest);
    ULONG Length = max(InputBufferLength, OutputBufferLength);
    PIO_STACK_LOCATION Location;
    PHOST_IRP Host;
    PIRP Irp;

    if (METHOD_FROM_CTL_CODE(IoControlCode) != METHOD_BUFFERED) {
        return NULL;
    }
    Irp = HostAllocateIrp(Thread, DeviceObject->StackSize, TRUE);
    if (Irp == NULL) {
        return NULL;
    }
    Host = HostIrpOf(Irp);
    if (Length != 0) {
        Irp->AssociatedIrp.SystemBuffer =
            HostAllocatePool(NonPagedPoolNx, Length, 'fBoI', FALSE, __builtin_return_address(0));
        if (Irp->AssociatedIrp.SystemBuffer == NULL) {
            HostFreeIrp(Irp);
            return NULL;
        }
        memcpy(Irp->AssociatedIrp.SystemBuffer, InputBuffer, InputBufferLength);
        Irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | (OutputBuffer != NULL ? IRP_INPUT_OPERATION : 0);
    }
    Host->Built = TRUE;
    Host->OutputBuffer = OutputBuffer;
    Host->OutputLength = OutputBufferLength;
    Irp->UserBuffer = OutputBuffer;
    Irp->UserEvent = Event;
    Irp->UserIosb = IoStatusBlock;
    Irp->Tail.Overlay.Thread = Thread;
    Location = IoGetNextIrpStackLocation(Irp);
    Location->MajorFunction = InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    Location->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    Location->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    Location->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    return Irp;
}

PEPROCESS IoGetRequestorProcess(PIRP Irp)
{
    PETHREAD Thread = HostEnter(IoGetRequestorProcess);

    (VOID) HostCheckIrp(Irp, "IoGetRequestorProcess");
    if (HostIrpOf(Irp)->Process != NULL) {
        return HostIrpOf(Irp)->Process;
    }
    if (Irp->Tail.Overlay.Thread == Thread && Thread->Home != NULL) {
        return Thread->Home; /* of a request that a driver has built on this thread */
    }
    return PsInitialSystemProcess;
}

ULONG IoGetRequestorProcessId(PIRP Irp)
{
    return HandleToULong(IoGetRequestorProcess(Irp)->Id);
}

BOOLEAN IoIsOperationSynchronous(PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    (VOID) HostEnter(IoIsOperationSynchronous);
    return (BOOLEAN)((Irp->Flags & (IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO)) != 0 ||
                     (FileObject != NULL && (FileObject->Flags & FO_SYNCHRONOUS_IO) != 0));
}

PIRP IoGetTopLevelIrp(VOID)
{
    return HostEnter(IoGetTopLevelIrp)->TopLevelIrp;
}

VOID IoSetTopLevelIrp(PIRP Irp)
{
    HostEnter(IoSetTopLevelIrp)->TopLevelIrp = Irp;
}
