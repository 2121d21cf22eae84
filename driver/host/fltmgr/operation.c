/*
 * An operation's way through the instances of a volume: pre-operation callbacks from the highest altitude down, post-operation callbacks back
 * up, and what becomes of it when one of them keeps it.
 */
#include "fltmgr.h"

static LIST_ENTRY FltpOperations = {&FltpOperations, &FltpOperations};

PFLTP_OPERATION FltpOperationOf(PFLT_CALLBACK_DATA Data, const char *Routine)
{
    PFLTP_OPERATION Found = NULL;

    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = FltpOperations.Flink; Entry != &FltpOperations && Found == NULL; Entry = Entry->Flink) {
        PFLTP_OPERATION Operation = CONTAINING_RECORD(Entry, FLTP_OPERATION, Links);

        if (&Operation->Data == Data) {
            Found = Operation;
        }
    }
    PlatformUnlock(&FltpMutex);
    if (Found == NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine,
                      "%p is no callback data, or of an operation that is over", (PVOID)Data);
    }
    return Found;
}

/* Whether a registration leaves the operation out. */
static BOOLEAN FltpIsSkipped(const FLT_OPERATION_REGISTRATION *Registration, const FLT_IO_PARAMETER_BLOCK *Iopb,
                             FLT_CALLBACK_DATA_FLAGS Flags)
{
    const BOOLEAN Transfer = (BOOLEAN)(Iopb->MajorFunction == IRP_MJ_READ || Iopb->MajorFunction == IRP_MJ_WRITE);
    const BOOLEAN Irp = (BOOLEAN)((Flags & FLTFL_CALLBACK_DATA_IRP_OPERATION) != 0);

    if (FlagOn(Registration->Flags, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO) && Irp &&
        FlagOn(Iopb->IrpFlags, IRP_PAGING_IO)) {
        return TRUE;
    }
    if (FlagOn(Registration->Flags, FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO) && Transfer &&
        (!Irp || !FlagOn(Iopb->IrpFlags, IRP_NOCACHE))) {
        return TRUE;
    }
    return (BOOLEAN)(FlagOn(Registration->Flags, FLTFL_OPERATION_REGISTRATION_SKIP_NON_DASD_IO) &&
                     Iopb->TargetFileObject != NULL && !FlagOn(Iopb->TargetFileObject->Flags, FO_VOLUME_OPEN));
}

/* Goes over the instances that are to be told, and fills in as many nodes as there are. Mutex held. */
static ULONG FltpChoose(PFLT_VOLUME Volume, PFLT_INSTANCE Below, const FLT_IO_PARAMETER_BLOCK *Iopb,
                        FLT_CALLBACK_DATA_FLAGS Flags, PFLTP_NODE Nodes, ULONG Room)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = Volume->Instances.Flink; Entry != &Volume->Instances && Count < Room;
         Entry = Entry->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks);
        const FLT_OPERATION_REGISTRATION *Registration = FltpFindOperation(Instance->Filter, Iopb->MajorFunction);

        if (Instance->State != FltpAttached || Registration == NULL || FltpIsSkipped(Registration, Iopb, Flags) ||
            (Below != NULL && FltpCompareAltitudes(&Instance->Altitude, &Below->Altitude) >= 0)) {
            continue;
        }
        if (Nodes != NULL) {
            Nodes[Count].Instance = Instance;
            Nodes[Count].Registration = Registration;
            FltpKeep(Instance);
        }
        Count++;
    }
    return Count;
}

PFLTP_OPERATION FltpBegin(PFLT_VOLUME Volume, PFLT_INSTANCE Below, PIRP Irp, const FLT_IO_PARAMETER_BLOCK *Iopb,
                          FLT_CALLBACK_DATA_FLAGS Flags, KPROCESSOR_MODE Mode, PBOOLEAN Failed)
{
    const BOOLEAN Generated = (BOOLEAN)((Flags & FLTFL_CALLBACK_DATA_GENERATED_IO) != 0);
    PFLTP_OPERATION Operation;
    SIZE_T Size;
    ULONG Count;

    *Failed = FALSE;
    if (ReadAcquire(&Volume->InstanceCount) == 0 && !Generated) {
        return NULL;
    }
    PlatformLock(&FltpMutex);
    Count = FltpChoose(Volume, Below, Iopb, Flags, NULL, MAXULONG);
    PlatformUnlock(&FltpMutex);
    if (Count == 0 && !Generated) {
        return NULL;
    }
    Size = sizeof(*Operation) + Count * sizeof(FLTP_NODE);
    if (Irp != NULL && (Iopb->MajorFunction == IRP_MJ_CLEANUP || Iopb->MajorFunction == IRP_MJ_CLOSE)) {
        Operation = HostAllocateReserved(Size, FLTP_TAG);
    } else {
        Operation = HostAllocatePool(NonPagedPoolNx, Size, FLTP_TAG, FALSE, __builtin_return_address(0));
    }
    if (Operation == NULL) {
        *Failed = TRUE;
        return NULL;
    }
    RtlZeroMemory(Operation, Size);
    {
        const FLT_CALLBACK_DATA Data = {
            .Flags = Flags,
            .Thread = Irp != NULL && Irp->Tail.Overlay.Thread != NULL ? Irp->Tail.Overlay.Thread : PsGetCurrentThread(),
            .Iopb = &Operation->Iopb,
            .RequestorMode = Mode};

        memcpy((PVOID)&Operation->Data, &Data, sizeof(Data));
    }
    Operation->Iopb = *Iopb;
    Operation->References = 1;
    Operation->Volume = Volume;
    Operation->Irp = Irp;
    Operation->Generated = Generated;
    Operation->WaitsHere = (BOOLEAN)(Irp != NULL && (Generated || Iopb->MajorFunction == IRP_MJ_CREATE));
    KeInitializeEvent(&Operation->Event, SynchronizationEvent, FALSE);
    FltpKeep(Volume);
    PlatformLock(&FltpMutex);
    Operation->Count = FltpChoose(Volume, Below, Iopb, Flags, Operation->Nodes, Count);
    InsertTailList(&FltpOperations, &Operation->Links);
    PlatformUnlock(&FltpMutex);
    for (ULONG Index = 0; Index < Operation->Count; Index++) {
        Operation->Nodes[Index].Operation = Operation;
        InitializeListHead(&Operation->Nodes[Index].Links);
    }
    return Operation;
}

/* Gives up a reference. */
VOID FltpEnd(PFLTP_OPERATION Operation)
{
    if (InterlockedDecrement(&Operation->References) != 0) {
        return;
    }
    PlatformLock(&FltpMutex);
    (VOID) RemoveEntryList(&Operation->Links);
    PlatformUnlock(&FltpMutex);
    for (ULONG Index = 0; Index < Operation->Count; Index++) {
        FltpLetGo(Operation->Nodes[Index].Instance);
    }
    FltpLetGo(Operation->Volume);
    HostFreePool(Operation, FLTP_TAG, "FltMgr");
}

/* A callback has returned, and does not keep its operation. */
static VOID FltpReturned(PFLTP_NODE Node, FLTP_NODE_STATE State)
{
    PFLT_INSTANCE Instance = Node->Instance;

    PlatformLock(&FltpMutex);
    Node->State = State;
    if (State == FltpNodeAwaitsPost) {
        InsertTailList(&Instance->Pending, &Node->Links);
    }
    Instance->Callbacks--;
    PlatformUnlock(&FltpMutex);
    HostWake(&Instance->Callbacks);
}

static DECLSPEC_NORETURN VOID FltpBreach(const FLTP_OPERATION *Operation, const char *Callback, const char *What)
{
    HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Callback, "for major function 0x%02X: %s",
                  Operation->Iopb.MajorFunction, What);
}

/* What a pre-operation callback may not have answered. */
static VOID FltpCheckPre(PFLTP_OPERATION Operation, const FLTP_NODE *Node, FLT_PREOP_CALLBACK_STATUS Status,
                         PVOID Context)
{
    const UCHAR Major = Operation->Iopb.MajorFunction;
    const BOOLEAN Passes = (BOOLEAN)(Status == FLT_PREOP_SUCCESS_WITH_CALLBACK || Status == FLT_PREOP_SYNCHRONIZE);

    if (Context != NULL && !Passes && Status != FLT_PREOP_PENDING) {
        FltpBreach(Operation, "PreOperation", "a completion context, and no post-operation callback");
    }
    if (Passes && Node->Registration->PostOperation == NULL) {
        FltpBreach(Operation, "PreOperation", "asks for a post-operation callback, and has registered none");
    }
    if (Status == FLT_PREOP_SYNCHRONIZE && Operation->Irp != NULL) {
        if (Major == IRP_MJ_CREATE) {
            FltpBreach(Operation, "PreOperation", "synchronizes a create, which is synchronized already");
        }
        if ((Major == IRP_MJ_READ || Major == IRP_MJ_WRITE) && !IoIsOperationSynchronous(Operation->Irp)) {
            FltpBreach(Operation, "PreOperation", "synchronizes an asynchronous transfer");
        }
    }
    if (Status == FLT_PREOP_PENDING && Operation->Irp == NULL) {
        FltpBreach(Operation, "PreOperation", "pends what is no request");
    }
    if (Status == FLT_PREOP_DISALLOW_FASTIO && Operation->Irp != NULL) {
        FltpBreach(Operation, "PreOperation", "disallows fast I/O for a request");
    }
    if (Status >= FLT_PREOP_DISALLOW_FSFILTER_IO) {
        FltpBreach(Operation, "PreOperation", "a status that does not belong to the operation");
    }
    if (Status == FLT_PREOP_COMPLETE) {
        if (Operation->Data.IoStatus.Status == STATUS_PENDING) {
            FltpBreach(Operation, "PreOperation", "completes with STATUS_PENDING");
        }
        if ((Major == IRP_MJ_CLEANUP || Major == IRP_MJ_CLOSE) && !NT_SUCCESS(Operation->Data.IoStatus.Status)) {
            FltpBreach(Operation, "PreOperation", "fails a cleanup or a close");
        }
    }
}

/* What a minifilter has changed must be said to be: else nobody below would see it. */
static VOID FltpTakeChanges(PFLTP_OPERATION Operation, const FLT_IO_PARAMETER_BLOCK *Before)
{
    Operation->Iopb.TargetInstance = Before->TargetInstance;
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c): Before is a copy byte by byte */
    if (memcmp(&Operation->Iopb, Before, sizeof(*Before)) != 0) {
        if (!FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY)) {
            FltpBreach(Operation, "PreOperation", "changed parameters without FltSetCallbackDataDirty");
        }
        Operation->Changed = TRUE;
    }
    Operation->Data.Flags &= ~FLTFL_CALLBACK_DATA_DIRTY;
}

/* What follows from the answer of a node's pre-operation callback. */
static FLTP_OUTCOME FltpTakePre(PFLTP_OPERATION Operation, PFLTP_NODE Node, FLT_PREOP_CALLBACK_STATUS Status,
                                PVOID Context)
{
    FltpCheckPre(Operation, Node, Status, Context);
    if (Status == FLT_PREOP_PENDING) {
        PlatformLock(&FltpMutex);
        if (!Operation->Resumed) {
            const FLTP_OUTCOME Outcome = Operation->WaitsHere ? FltpAwaited : FltpKeptByFilter;

            Node->State = FltpNodePreKept;
            if (!Operation->WaitsHere && !Operation->Pended) {
                IoMarkIrpPending(Operation->Irp);
                Operation->Pended = TRUE;
            }
            PlatformUnlock(&FltpMutex);
            return Outcome;
        }
        Operation->Resumed = FALSE;
        Status = Operation->ResumeStatus;
        Context = Operation->ResumeContext;
        PlatformUnlock(&FltpMutex);
        FltpCheckPre(Operation, Node, Status, Context);
    }
    switch (Status) {
    case FLT_PREOP_SUCCESS_WITH_CALLBACK:
    case FLT_PREOP_SYNCHRONIZE:
        if (Status == FLT_PREOP_SYNCHRONIZE && Operation->Irp != NULL) {
            Operation->WaitsHere = TRUE;
        }
        Node->CompletionContext = Context;
        Node->Iopb = Operation->Iopb;
        FltpReturned(Node, FltpNodeAwaitsPost);
        return FltpPassDown;
    case FLT_PREOP_SUCCESS_NO_CALLBACK:
        FltpReturned(Node, FltpNodeDone);
        return FltpPassDown;
    case FLT_PREOP_DISALLOW_FASTIO:
        Operation->Data.IoStatus.Status = STATUS_FLT_DISALLOW_FAST_IO;
        FltpReturned(Node, FltpNodeDone);
        return FltpNoFastIo;
    default:
        FltpReturned(Node, FltpNodeDone);
        return FltpCompleted;
    }
}

static FLTP_OUTCOME FltpCallPre(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    FLT_PREOP_CALLBACK_STATUS Status = FLT_PREOP_SUCCESS_WITH_CALLBACK;
    FLT_IO_PARAMETER_BLOCK Before;
    FLTP_CALL Call;
    PVOID Context = NULL;

    Operation->Iopb.TargetInstance = Node->Instance;
    memcpy(&Before, &Operation->Iopb, sizeof(Before));
    FltpFillObjects(&Node->Objects, Node->Instance, Operation->Iopb.TargetFileObject);
    if (Node->Registration->PreOperation != NULL) {
        FltpEnterCall(&Call, "PreOperation", DISPATCH_LEVEL);
        Status = Node->Registration->PreOperation(&Operation->Data, &Node->Objects, &Context);
        FltpLeaveCall(&Call);
        if (Status != FLT_PREOP_PENDING && Status != FLT_PREOP_COMPLETE) {
            FltpTakeChanges(Operation, &Before);
        }
    }
    return FltpTakePre(Operation, Node, Status, Context);
}

FLTP_OUTCOME FltpGoDown(PFLTP_OPERATION Operation)
{
    FLTP_OUTCOME Outcome = FltpPassDown;

    while (Outcome == FltpPassDown && Operation->Next < Operation->Count) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Next];
        BOOLEAN Entered;

        Operation->Next++;
        Operation->Depth = Operation->Next;
        PlatformLock(&FltpMutex);
        Entered = (BOOLEAN)(Node->Instance->State == FltpAttached);
        if (Entered) {
            Node->Instance->Callbacks++;
            Node->State = FltpNodeInPre;
        } else {
            Node->State = FltpNodeDone;
        }
        PlatformUnlock(&FltpMutex);
        if (Entered) {
            Outcome = FltpCallPre(Operation, Node);
        }
    }
    return Outcome;
}

/* Calls a post-operation callback, which is not to keep what somebody waits for where it was sent. */
static FLT_POSTOP_CALLBACK_STATUS FltpCallPost(PFLTP_OPERATION Operation, PFLTP_NODE Node,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    const BOOLEAN MayKeep = (BOOLEAN)(Operation->Irp != NULL && !Operation->WaitsHere && Flags == 0);
    FLT_POSTOP_CALLBACK_STATUS Status;
    FLTP_CALL Call;

    Operation->Iopb = Node->Iopb;
    Operation->Iopb.TargetInstance = Node->Instance;
    Operation->Data.Flags = (Operation->Data.Flags & ~FLTFL_CALLBACK_DATA_DIRTY) | FLTFL_CALLBACK_DATA_POST_OPERATION;
    FltpEnterCall(&Call, "PostOperation", Operation->WaitsHere || Flags != 0 ? APC_LEVEL : DISPATCH_LEVEL);
    Status = Node->Registration->PostOperation(&Operation->Data, &Node->Objects, Node->CompletionContext, Flags);
    FltpLeaveCall(&Call);
    if (Status != FLT_POSTOP_FINISHED_PROCESSING && (Status != FLT_POSTOP_MORE_PROCESSING_REQUIRED || !MayKeep)) {
        FltpBreach(
            Operation, "PostOperation",
            "keeps an operation that is no request, or that is waited for, or drained, or answers what it cannot");
    }
    return Status;
}

/* FALSE when a callback has kept the operation: it is somebody else's then. */
BOOLEAN FltpGoUp(PFLTP_OPERATION Operation)
{
    while (Operation->Depth != 0) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Depth - 1];
        BOOLEAN Mine;

        PlatformLock(&FltpMutex);
        Mine = (BOOLEAN)(Node->State == FltpNodeAwaitsPost);
        if (Mine) {
            (VOID) RemoveEntryList(&Node->Links);
            Node->State = FltpNodeInPost;
            Node->Instance->Callbacks++;
        }
        Operation->Depth--;
        PlatformUnlock(&FltpMutex);
        if (!Mine) {
            continue;
        }
        if (FltpCallPost(Operation, Node, 0) == FLT_POSTOP_MORE_PROCESSING_REQUIRED) {
            PlatformLock(&FltpMutex);
            if (!Operation->Resumed) {
                Node->State = FltpNodePostKept;
                PlatformUnlock(&FltpMutex);
                return FALSE;
            }
            Operation->Resumed = FALSE;
            PlatformUnlock(&FltpMutex);
        }
        FltpReturned(Node, FltpNodeDone);
    }
    return TRUE;
}

/* The end of a request. Where it is another thread's, this one is not suspended half-way. */
static NTSTATUS FltpComplete(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;
    NTSTATUS Status = Operation->Data.IoStatus.Status;
    BOOLEAN Protects = (BOOLEAN)(KeGetCurrentIrql() <= APC_LEVEL);
    BOOLEAN Generated = Operation->Generated;

    Irp->IoStatus = Operation->Data.IoStatus;
    FltpEnd(Operation);
    if (!Generated) {
        if (Protects) {
            KeEnterCriticalRegion();
        }
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        if (Protects) {
            KeLeaveCriticalRegion();
        }
    }
    return Status;
}

/* In an arbitrary thread, at IRQL <= DISPATCH_LEVEL. */
static NTSTATUS FltpCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PFLTP_OPERATION Operation = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Operation->WaitsHere) {
        (VOID) KeSetEvent(&Operation->Event, IO_NO_INCREMENT, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
        PlatformLock(&FltpMutex);
        Operation->Pended = TRUE;
        PlatformUnlock(&FltpMutex);
    }
    Operation->Data.IoStatus = Irp->IoStatus;
    if (!FltpGoUp(Operation)) {
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    Irp->IoStatus = Operation->Data.IoStatus;
    PlatformLock(&FltpMutex);
    Operation->Done = TRUE;
    Operation->FinalStatus = Irp->IoStatus.Status;
    PlatformUnlock(&FltpMutex);
    FltpEnd(Operation);
    return STATUS_SUCCESS;
}

/*
 * The dispatch routine's answer when callbacks were called before it could give one: they are through, one of them has kept the operation,
 * or has given it back too soon. The caller has a reference besides that of whoever finishes the operation.
 */
static NTSTATUS FltpAnswer(PFLTP_OPERATION Operation)
{
    NTSTATUS Status;

    for (;;) {
        PlatformLock(&FltpMutex);
        if (Operation->Done) {
            Status = Operation->FinalStatus;
            PlatformUnlock(&FltpMutex);
            break;
        }
        if (!Operation->LeftToDispatch) {
            if (!Operation->Pended) {
                IoMarkIrpPending(Operation->Irp);
                Operation->Pended = TRUE;
            }
            Status = STATUS_PENDING;
            PlatformUnlock(&FltpMutex);
            break;
        }
        Operation->LeftToDispatch = FALSE;
        PlatformUnlock(&FltpMutex);
        if (FltpGoUp(Operation)) {
            Status = FltpComplete(Operation);
            break;
        }
    }
    FltpEnd(Operation);
    return Status;
}

static BOOLEAN FltpHasPost(const FLTP_OPERATION *Operation)
{
    BOOLEAN Has = FALSE;

    PlatformLock(&FltpMutex);
    for (ULONG Index = 0; Index < Operation->Depth && !Has; Index++) {
        Has = (BOOLEAN)(Operation->Nodes[Index].State == FltpNodeAwaitsPost);
    }
    PlatformUnlock(&FltpMutex);
    return Has;
}

/* Waits for the event, as a create is waited for: a thread that is to end cancels it, and waits on. */
static VOID FltpWaitForLower(PFLTP_OPERATION Operation)
{
    if (!NT_SUCCESS(HostCancellableWait(&Operation->Event, NULL, NULL))) {
        (VOID) IoCancelIrp(Operation->Irp);
        (VOID) KeWaitForSingleObject(&Operation->Event, Executive, KernelMode, FALSE, NULL);
    }
}

/* Hands the request to the device below, and what came of it to the post-operation callbacks. */
static NTSTATUS FltpSend(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;
    PDEVICE_OBJECT Lower = Operation->Volume->Lower;
    NTSTATUS Status;

    if (Operation->Iopb.MajorFunction == IRP_MJ_CLOSE) {
        FltpForgetFile(Operation->Volume, Operation->Iopb.TargetFileObject);
    }
    if (!Operation->Generated && !Operation->Changed && !Operation->Pended && !FltpHasPost(Operation)) {
        FltpEnd(Operation);
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Lower, Irp);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    if (Operation->Changed) {
        FltpStoreParameters(&Operation->Iopb, Irp, IoGetNextIrpStackLocation(Irp));
    }
    IoSetCompletionRoutine(Irp, FltpCompletion, Operation, TRUE, TRUE, TRUE);
    if (Operation->WaitsHere) {
        (VOID) IoCallDriver(Lower, Irp);
        FltpWaitForLower(Operation);
        Operation->Data.IoStatus = Irp->IoStatus;
        (VOID) FltpGoUp(Operation);
        return FltpComplete(Operation);
    }
    (VOID) InterlockedIncrement(&Operation->References);
    Status = IoCallDriver(Lower, Irp);
    if (Status == STATUS_PENDING) {
        FltpEnd(Operation);
        return STATUS_PENDING;
    }
    return FltpAnswer(Operation);
}

/* What the dispatch routine answers, where there is one that waits for it. */
static NTSTATUS FltpContinue(PFLTP_OPERATION Operation, FLTP_OUTCOME Outcome)
{
    if (Outcome == FltpPassDown) {
        return FltpSend(Operation);
    }
    (VOID) InterlockedIncrement(&Operation->References);
    if (FltpGoUp(Operation)) {
        NTSTATUS Status = FltpComplete(Operation);

        FltpEnd(Operation);
        return Status;
    }
    return FltpAnswer(Operation);
}

/* Goes on with an operation that has come as far as Outcome tells. What the dispatch routine answers, where there is one that waits for it. */
static NTSTATUS FltpDrive(PFLTP_OPERATION Operation, FLTP_OUTCOME Outcome)
{
    if (Outcome == FltpPassDown) {
        Outcome = FltpGoDown(Operation);
    }
    while (Outcome == FltpAwaited) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Next - 1];

        (VOID) KeWaitForSingleObject(&Operation->Event, Executive, KernelMode, FALSE, NULL);
        PlatformLock(&FltpMutex);
        Operation->Resumed = FALSE;
        Node->State = FltpNodeInPre;
        PlatformUnlock(&FltpMutex);
        Outcome = FltpTakePre(Operation, Node, Operation->ResumeStatus, Operation->ResumeContext);
        if (Outcome == FltpPassDown) {
            Outcome = FltpGoDown(Operation);
        }
    }
    return Outcome == FltpKeptByFilter ? STATUS_PENDING : FltpContinue(Operation, Outcome);
}

NTSTATUS FltpRun(PFLTP_OPERATION Operation)
{
    return FltpDrive(Operation, FltpPassDown);
}

/*
 * IRQL <= APC_LEVEL, <= DISPATCH_LEVEL to complete it. A create goes on in its own thread, anything else in this one.
 * [fltkernel/nf-fltkernel-fltcompletependedpreoperation]
 */
VOID FltCompletePendedPreOperation(PFLT_CALLBACK_DATA CallbackData, FLT_PREOP_CALLBACK_STATUS CallbackStatus,
                                   PVOID Context)
{
    PETHREAD Thread = HostEnter(FltCompletePendedPreOperation);
    PFLTP_OPERATION Operation = FltpOperationOf(CallbackData, "FltCompletePendedPreOperation");
    PFLTP_NODE Node = Operation->Next == 0 ? NULL : &Operation->Nodes[Operation->Next - 1];

    if (CallbackStatus != FLT_PREOP_COMPLETE && Thread->Irql > APC_LEVEL) {
        HostIrqlViolation(HostRoutineFltCompletePendedPreOperation, Thread->Irql);
    }
    if (CallbackStatus == FLT_PREOP_PENDING || CallbackStatus >= FLT_PREOP_DISALLOW_FSFILTER_IO ||
        CallbackStatus == FLT_PREOP_DISALLOW_FASTIO) {
        FltpBreach(Operation, "FltCompletePendedPreOperation", "a status that gives nothing back");
    }
    PlatformLock(&FltpMutex);
    if (Node == NULL || (Node->State != FltpNodeInPre && Node->State != FltpNodePreKept) || Operation->Resumed) {
        PlatformUnlock(&FltpMutex);
        FltpBreach(Operation, "FltCompletePendedPreOperation", "the operation is not pended");
    }
    Operation->Resumed = TRUE;
    Operation->ResumeStatus = CallbackStatus;
    Operation->ResumeContext = Context;
    if (Node->State == FltpNodeInPre) {
        PlatformUnlock(&FltpMutex);
        return;
    }
    if (Operation->WaitsHere) {
        PlatformUnlock(&FltpMutex);
        (VOID) KeSetEvent(&Operation->Event, IO_NO_INCREMENT, FALSE);
        return;
    }
    Operation->Resumed = FALSE;
    Node->State = FltpNodeInPre;
    PlatformUnlock(&FltpMutex);
    (VOID) FltpDrive(Operation, FltpTakePre(Operation, Node, CallbackStatus, Context));
}

/* IRQL <= DISPATCH_LEVEL. [fltkernel/nf-fltkernel-fltcompletependedpostoperation] */
VOID FltCompletePendedPostOperation(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation;
    PFLT_INSTANCE Instance;
    PFLTP_NODE Node;
    BOOLEAN Left;

    (VOID) HostEnter(FltCompletePendedPostOperation);
    Operation = FltpOperationOf(CallbackData, "FltCompletePendedPostOperation");
    PlatformLock(&FltpMutex);
    Node = Operation->Depth < Operation->Count ? &Operation->Nodes[Operation->Depth] : NULL;
    if (Node == NULL || (Node->State != FltpNodeInPost && Node->State != FltpNodePostKept) || Operation->Resumed) {
        PlatformUnlock(&FltpMutex);
        FltpBreach(Operation, "FltCompletePendedPostOperation", "the operation is not pended");
    }
    if (Node->State == FltpNodeInPost) {
        Operation->Resumed = TRUE;
        PlatformUnlock(&FltpMutex);
        return;
    }
    Node->State = FltpNodeDone;
    Left = (BOOLEAN)!Operation->Pended;
    Instance = Node->Instance;
    FltpKeep(Instance);
    Instance->Callbacks--;
    Operation->LeftToDispatch = Left;
    PlatformUnlock(&FltpMutex);
    HostWake(&Instance->Callbacks);
    if (!Left && FltpGoUp(Operation)) {
        (VOID) FltpComplete(Operation);
    }
    FltpLetGo(Instance);
}

typedef struct _FLTP_SAFE_WORK {
    PFLT_CALLBACK_DATA Data;
    PCFLT_RELATED_OBJECTS Objects;
    PVOID Context;
    PFLT_POST_OPERATION_CALLBACK Callback;
} FLTP_SAFE_WORK, *PFLTP_SAFE_WORK;

static VOID FltpCallSafely(PVOID Context)
{
    FLTP_SAFE_WORK Work = *(PFLTP_SAFE_WORK)Context;
    FLT_POSTOP_CALLBACK_STATUS Status;
    FLTP_CALL Call;

    HostFreePool(Context, FLTP_TAG, "FltMgr");
    FltpEnterCall(&Call, "SafePostCallback", APC_LEVEL);
    Status = Work.Callback(Work.Data, Work.Objects, Work.Context, 0);
    FltpLeaveCall(&Call);
    if (Status == FLT_POSTOP_FINISHED_PROCESSING) {
        FltCompletePendedPostOperation(Work.Data);
    }
}

/*
 * IRQL <= DISPATCH_LEVEL, from the post-operation callback of a request that is not drained. FALSE, and nothing is done, for paging I/O at
 * DISPATCH_LEVEL and without memory. [fltkernel/nf-fltkernel-fltdocompletionprocessingwhensafe]
 */
BOOLEAN FltDoCompletionProcessingWhenSafe(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                          PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags,
                                          PFLT_POST_OPERATION_CALLBACK SafePostCallback,
                                          PFLT_POSTOP_CALLBACK_STATUS RetPostOperationStatus)
{
    PETHREAD Thread = HostEnter(FltDoCompletionProcessingWhenSafe);
    PFLTP_OPERATION Operation = FltpOperationOf(Data, "FltDoCompletionProcessingWhenSafe");
    PFLTP_SAFE_WORK Work;

    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DRAINING_IO)) {
        FltpBreach(Operation, "FltDoCompletionProcessingWhenSafe", "the operation is drained");
    }
    if (Operation->Irp == NULL || !FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION)) {
        FltpBreach(Operation, "FltDoCompletionProcessingWhenSafe", "no request in its post-operation callback");
    }
    if (Thread->Irql < DISPATCH_LEVEL) {
        *RetPostOperationStatus = SafePostCallback(Data, FltObjects, CompletionContext, Flags);
        return TRUE;
    }
    *RetPostOperationStatus = FLT_POSTOP_FINISHED_PROCESSING;
    if (FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO)) {
        return FALSE;
    }
    Work = HostAllocatePool(NonPagedPoolNx, sizeof(*Work), FLTP_TAG, FALSE, __builtin_return_address(0));
    if (Work == NULL) {
        return FALSE;
    }
    Work->Data = Data;
    Work->Objects = FltObjects;
    Work->Context = CompletionContext;
    Work->Callback = SafePostCallback;
    *RetPostOperationStatus = FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    HostQueueInternal(FltpCallSafely, Work);
    return TRUE;
}

/* A copy of an operation that waits for the post-operation callback of an instance, which waits no more; NULL when there is none. */
static PFLTP_OPERATION FltpTakeDrained(PFLT_INSTANCE Instance)
{
    PFLTP_OPERATION Copy = HostAllocateReserved(sizeof(*Copy) + sizeof(FLTP_NODE), FLTP_TAG);
    PFLTP_NODE Found = NULL;

    RtlZeroMemory(Copy, sizeof(*Copy) + sizeof(FLTP_NODE));
    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = Instance->Pending.Flink; Entry != &Instance->Pending && Found == NULL;
         Entry = Entry->Flink) {
        PFLTP_NODE Node = CONTAINING_RECORD(Entry, FLTP_NODE, Links);

        if (Node->Operation->Irp != NULL && !Node->Operation->WaitsHere) {
            Found = Node;
        }
    }
    if (Found != NULL) {
        const FLT_CALLBACK_DATA Data = {.Flags = Found->Operation->Data.Flags | FLTFL_CALLBACK_DATA_DRAINING_IO,
                                        .Thread = Found->Operation->Data.Thread,
                                        .Iopb = &Copy->Iopb,
                                        .IoStatus = {{STATUS_FLT_POST_OPERATION_CLEANUP}, 0},
                                        .RequestorMode = Found->Operation->Data.RequestorMode};
        PFILE_OBJECT FileObject = Found->Iopb.TargetFileObject;

        memcpy((PVOID)&Copy->Data, &Data, sizeof(Data));
        Copy->References = 1;
        Copy->Irp = Found->Operation->Irp; /* told apart from fast I/O; not touched */
        Copy->Volume = Instance->Volume;
        Copy->Count = 1;
        Copy->Nodes[0].Instance = Instance;
        Copy->Nodes[0].Registration = Found->Registration;
        Copy->Nodes[0].CompletionContext = Found->CompletionContext;
        Copy->Nodes[0].Iopb = Found->Iopb;
        memcpy((PVOID)&Copy->Nodes[0].Objects, &Found->Objects, sizeof(Found->Objects));
        (VOID) RemoveEntryList(&Found->Links);
        Found->State = FltpNodeDone;
        Instance->Callbacks++;
        FltpKeep(Instance);
        FltpKeep(Instance->Volume);
        if (FileObject != NULL && Found->Iopb.MajorFunction != IRP_MJ_CLOSE) {
            HostReferenceRaw(FileObject);
        }
        InsertTailList(&FltpOperations, &Copy->Links);
    }
    PlatformUnlock(&FltpMutex);
    if (Found == NULL) {
        HostFreePool(Copy, FLTP_TAG, "FltMgr");
        Copy = NULL;
    }
    return Copy;
}

/* IRQL <= APC_LEVEL. The minifilter is called for each operation that has gone down through the instance and has not come back. */
VOID FltpDrain(PFLT_INSTANCE Instance)
{
    PFLTP_OPERATION Copy;

    for (Copy = FltpTakeDrained(Instance); Copy != NULL; Copy = FltpTakeDrained(Instance)) {
        const FLT_IO_PARAMETER_BLOCK Iopb = Copy->Nodes[0].Iopb;

        (VOID) FltpCallPost(Copy, &Copy->Nodes[0], FLTFL_POST_OPERATION_DRAINING);
        FltpReturned(&Copy->Nodes[0], FltpNodeDone);
        FltpEnd(Copy);
        if (Iopb.TargetFileObject != NULL && Iopb.MajorFunction != IRP_MJ_CLOSE) {
            ObDereferenceObject(Iopb.TargetFileObject);
        }
    }
}

VOID FltSetCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    (VOID) HostEnter(FltSetCallbackDataDirty);
    (VOID) FltpOperationOf(Data, "FltSetCallbackDataDirty");
    Data->Flags |= FLTFL_CALLBACK_DATA_DIRTY;
}

VOID FltClearCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    (VOID) HostEnter(FltClearCallbackDataDirty);
    (VOID) FltpOperationOf(Data, "FltClearCallbackDataDirty");
    Data->Flags &= ~FLTFL_CALLBACK_DATA_DIRTY;
}

BOOLEAN FltIsCallbackDataDirty(PFLT_CALLBACK_DATA Data)
{
    (VOID) HostEnter(FltIsCallbackDataDirty);
    (VOID) FltpOperationOf(Data, "FltIsCallbackDataDirty");
    return BooleanFlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
}

/* Fast I/O is. */
BOOLEAN FltIsOperationSynchronous(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation;

    (VOID) HostEnter(FltIsOperationSynchronous);
    Operation = FltpOperationOf(CallbackData, "FltIsOperationSynchronous");
    return (BOOLEAN)(Operation->Irp == NULL ||
                     FlagOn(Operation->Iopb.IrpFlags, IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO) ||
                     (Operation->Iopb.TargetFileObject != NULL &&
                      FlagOn(Operation->Iopb.TargetFileObject->Flags, FO_SYNCHRONOUS_IO)));
}

/* IRQL <= DISPATCH_LEVEL. */
PEPROCESS FltGetRequestorProcess(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation;

    (VOID) HostEnter(FltGetRequestorProcess);
    Operation = FltpOperationOf(CallbackData, "FltGetRequestorProcess");
    return Operation->Irp != NULL && !FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DRAINING_IO)
               ? IoGetRequestorProcess(Operation->Irp)
               : PsGetCurrentProcess();
}

ULONG FltGetRequestorProcessId(PFLT_CALLBACK_DATA CallbackData)
{
    (VOID) HostEnter(FltGetRequestorProcessId);
    return HandleToULong(PsGetProcessId(FltGetRequestorProcess(CallbackData)));
}
