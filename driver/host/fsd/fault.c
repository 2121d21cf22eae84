/* What a memory volume that is broken on purpose does instead of what a file system should. See fault.h. */
#include "fsd.h"

#include "../host.h"

#define FAULT_LATE_BY (500 * 10000ll) /* in 100 ns: how long a volume that lets go late keeps a stream */
#define FAULT_ONE_IN 64u              /* streams that are not torn down, of those that go */

typedef struct _FAULT_NAME {
    FSD_FAULT Fault;
    const char *Name;
} FAULT_NAME;

#define FAULT_NAME_ENTRY(Name, Text) {FsdFault##Name, Text},
static const FAULT_NAME FaultNames[] = {FSD_FAULTS(FAULT_NAME_ENTRY)};

/* A header that more opens share than should. */
struct _FSD_SHARED {
    LIST_ENTRY Links; /* VCB.Shared */
    ULONG64 Key;
    ULONG References; /* FCBs */
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX Mutex;
};

ULONG HostFindFault(const char *Name)
{
    SIZE_T Index;

    for (Index = 0; Index < RTL_NUMBER_OF(FaultNames); Index++) {
        if (strcmp(FaultNames[Index].Name, Name) == 0) {
            return (ULONG)FaultNames[Index].Fault;
        }
    }
    return FsdFaultNone;
}

VOID FsdFaultInitializeVolume(PVCB Vcb, ULONG Fault)
{
    Vcb->Fault = (FSD_FAULT)Fault;
    InitializeListHead(&Vcb->Shared);
    InitializeListHead(&Vcb->Parked);
    InitializeListHead(&Vcb->Kept);
    FsRtlSetupAdvancedHeader(&Vcb->LostHeader, &Vcb->LostMutex);
    ExInitializeFastMutex(&Vcb->LostMutex);
}

static BOOLEAN HasAttribute(PVCB Vcb, const FCB *Fcb, ULONG Attribute)
{
    NODE_INFORMATION Information;

    return (BOOLEAN)(NT_SUCCESS(Vcb->Device.FileSystem->Operations->Query(Vcb->Store, Fcb->Node, &Information)) &&
                     (Information.FileAttributes & Attribute) != 0);
}

/* Whether the stream of a new FCB is one that the volume's fault takes the flag from. */
static BOOLEAN LosesFlag(PVCB Vcb, const FCB *Fcb, ULONG CreateOptions)
{
    switch (Vcb->Fault) {
    case FsdFaultFlagsCleared:
        return TRUE;
    case FsdFaultFlagsClearedOnNamedStreams:
        return (BOOLEAN)(Fcb->StreamName.Length != 0);
    case FsdFaultFlagsClearedOnDirectories:
        return Fcb->Node->Directory;
    case FsdFaultFlagsClearedOnReadOnlyFiles:
        return HasAttribute(Vcb, Fcb, FILE_ATTRIBUTE_READONLY);
    case FsdFaultFlagsClearedOnSparseFiles:
        return HasAttribute(Vcb, Fcb, FILE_ATTRIBUTE_SPARSE_FILE);
    case FsdFaultFlagsClearedOnOpenById:
        return BooleanFlagOn(CreateOptions, FILE_OPEN_BY_FILE_ID);
    default:
        return FALSE;
    }
}

VOID FsdFaultInitializeFcb(PVCB Vcb, PFCB Fcb, ULONG CreateOptions)
{
    if (LosesFlag(Vcb, Fcb, CreateOptions)) {
        Fcb->Header.Flags2 = (UCHAR)(Fcb->Header.Flags2 & ~FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS);
    } else if (Vcb->Fault == FsdFaultFlagsSetOnPagingFile && Fcb->Node->Paging) {
        SetFlag(Fcb->Header.Flags2, FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS);
    } else if (Vcb->Fault == FsdFaultListNotInitialized && Fcb->Node->Directory) {
        RtlZeroMemory(&Fcb->Header.FilterContexts, sizeof(Fcb->Header.FilterContexts));
    } else if (Vcb->Fault == FsdFaultInherited && !Fcb->Node->Directory) {
        HostMoveContexts(&Vcb->LostHeader, &Fcb->Header);
    }
}

/* As the name was typed: without regard to nothing. */
static ULONG64 HashTypedName(PCUNICODE_STRING Name)
{
    ULONG64 Hash = 1;
    ULONG Index;

    for (Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        Hash = (Hash ^ Name->Buffer[Index]) * 0x100000001b3ull;
    }
    return Hash;
}

ULONG64 FsdFaultVariant(PVCB Vcb, PLCB Lcb, PCUNICODE_STRING TypedName, ULONG CreateOptions)
{
    switch (Vcb->Fault) {
    case FsdFaultHeaderPerOpen:
        return ++Vcb->Opens;
    case FsdFaultHeaderPerLink:
        return (ULONG64)(ULONG_PTR)Lcb;
    case FsdFaultHeaderPerCase:
        return HashTypedName(TypedName);
    case FsdFaultHeaderPerOpenById:
        return BooleanFlagOn(CreateOptions, FILE_OPEN_BY_FILE_ID);
    default:
        return 0;
    }
}

/* The header that an open's FsContext is to be. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS FsdFaultShareHeader(PVCB Vcb, PFCB Fcb)
{
    const ULONG64 Key = Vcb->Fault == FsdFaultHeaderPerFile ? Fcb->Node->FileId : 0;
    PFSD_SHARED Shared = NULL;
    PLIST_ENTRY Entry;

    if ((Vcb->Fault != FsdFaultHeaderPerFile && Vcb->Fault != FsdFaultHeaderPerVolume) || Fcb->Shared != NULL) {
        return STATUS_SUCCESS;
    }
    for (Entry = Vcb->Shared.Flink; Entry != &Vcb->Shared && Shared == NULL; Entry = Entry->Flink) {
        Shared = CONTAINING_RECORD(Entry, FSD_SHARED, Links);
        if (Shared->Key != Key) {
            Shared = NULL;
        }
    }
    if (Shared == NULL) {
        Shared = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Shared), Vcb->Device.FileSystem->Tag);
        if (Shared == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlZeroMemory(Shared, sizeof(*Shared));
        Shared->Key = Key;
        ExInitializeFastMutex(&Shared->Mutex);
        FsRtlSetupAdvancedHeader(&Shared->Header, &Shared->Mutex);
        InsertHeadList(&Vcb->Shared, &Shared->Links);
    }
    Shared->References++;
    Fcb->Shared = Shared;
    return STATUS_SUCCESS;
}

PVOID FsdFaultContext(PFCB Fcb)
{
    return Fcb->Shared == NULL ? (PVOID)Fcb : (PVOID)&Fcb->Shared->Header;
}

/* An FCB is about to be torn down: gives up its share of a header, whose last one tears that down. No lock is held. */
VOID FsdFaultEndFcb(PVCB Vcb, PFCB Fcb)
{
    PFSD_SHARED Shared = Fcb->Shared;
    BOOLEAN Last = FALSE;

    if (Vcb->Fault == FsdFaultListNotInitialized && Fcb->Header.FilterContexts.Flink == NULL) {
        InitializeListHead(&Fcb->Header.FilterContexts);
    }
    if (Vcb->Fault == FsdFaultInherited && Fcb->Deleted) {
        (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
        HostMoveContexts(&Fcb->Header, &Vcb->LostHeader);
        ExReleaseResourceLite(&Vcb->Resource);
    }
    if (Shared == NULL) {
        return;
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    Shared->References--;
    if (Shared->References == 0) {
        RemoveEntryList(&Shared->Links);
        Last = TRUE;
    }
    ExReleaseResourceLite(&Vcb->Resource);
    if (Last) {
        FsRtlTeardownPerStreamContexts(&Shared->Header);
        ExFreePoolWithTag(Shared, Vcb->Device.FileSystem->Tag);
    }
}

/* Whether an FCB that goes is not torn down. VCB.Resource held. */
static BOOLEAN IsForgotten(PVCB Vcb, const FCB *Fcb)
{
    if (Fcb->Bereft) {
        return TRUE;
    }
    switch (Vcb->Fault) {
    case FsdFaultNoTeardown:
        return TRUE;
    case FsdFaultNoTeardownOnDelete:
        return Fcb->Deleted;
    case FsdFaultNoTeardownOnDismount:
        return Vcb->Dismounted;
    case FsdFaultSometimesNoTeardown:
        return (BOOLEAN)(++Vcb->Teardowns % FAULT_ONE_IN == 0);
    case FsdFaultNoTeardownUnderLoad:
        return (BOOLEAN)(Vcb->References > 3); /* mounted, this open, and more than one other */
    case FsdFaultListNotInitialized:
        return Fcb->Node->Directory;
    default:
        return FALSE;
    }
}

/*
 * Called for the last reference, VCB.Resource held: TRUE when the FCB is not to be freed. A forgotten one is parked, so that what
 * filters have on it does not lie in freed memory, nor what they know a context by that was moved away; a kept one stays in the table, without references, until it is let go.
 */
BOOLEAN FsdFaultKeepFcb(PVCB Vcb, PFCB Fcb, BOOLEAN Purges)
{
    if (IsForgotten(Vcb, Fcb)) {
        FsdRemoveFcb(Fcb);
        InsertTailList(&Vcb->Parked, &Fcb->Idle);
        return TRUE;
    }
    if ((Vcb->Fault == FsdFaultKeepsStreams || Vcb->Fault == FsdFaultLetsGoLate) && !Fcb->Unlinked &&
        !Vcb->Dismounted && !(Purges && Vcb->Fault == FsdFaultKeepsStreams)) {
        LARGE_INTEGER Now;

        KeQuerySystemTime(&Now);
        Fcb->IdleSince = Now.QuadPart;
        InsertTailList(&Vcb->Kept, &Fcb->Idle);
        return TRUE;
    }
    return FALSE;
}

/* An open has found the stream's FCB: it is kept no longer if it was. VCB.Resource held. */
VOID FsdFaultRevive(PFCB Fcb)
{
    if (Fcb->References == 0 && Fcb->Idle.Flink != NULL) {
        RemoveEntryList(&Fcb->Idle);
        Fcb->Idle.Flink = NULL;
    }
}

/* Takes an FCB that is to be let go off the list of those that are kept. VCB.Resource held; NULL for none. */
static PFCB TakeKept(PVCB Vcb, BOOLEAN All)
{
    LARGE_INTEGER Now;
    PLIST_ENTRY Entry;

    KeQuerySystemTime(&Now);
    for (Entry = Vcb->Kept.Flink; Entry != &Vcb->Kept; Entry = Entry->Flink) {
        PFCB Fcb = CONTAINING_RECORD(Entry, FCB, Idle);

        if (All || Fcb->Unlinked ||
            (Vcb->Fault == FsdFaultLetsGoLate && Now.QuadPart - Fcb->IdleSince >= FAULT_LATE_BY)) {
            FsdFaultRevive(Fcb);
            FsdRemoveFcb(Fcb);
            return Fcb;
        }
    }
    return NULL;
}

/* Lets streams go that have been kept for long enough, or all. No lock is held. */
VOID FsdFaultLetGo(PVCB Vcb, BOOLEAN All)
{
    PFCB Fcb;

    do {
        (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
        Fcb = TakeKept(Vcb, All);
        ExReleaseResourceLite(&Vcb->Resource);
        if (Fcb != NULL) {
            FsdFreeFcb(Vcb, Fcb);
        }
    } while (Fcb != NULL);
}

/*
 * The end of the volume: what was parked goes as it should have gone before. Nothing of it is freed before everything is torn down, since
 * filters know a context that was moved by the header that it was on. No lock is held.
 */
VOID FsdFaultEndVolume(PVCB Vcb)
{
    PLIST_ENTRY Entry;

    FsRtlTeardownPerStreamContexts(&Vcb->LostHeader);
    for (Entry = Vcb->Parked.Flink; Entry != &Vcb->Parked; Entry = Entry->Flink) {
        PFCB Fcb = CONTAINING_RECORD(Entry, FCB, Idle);

        if (Fcb->Header.FilterContexts.Flink != NULL) {
            FsRtlTeardownPerStreamContexts(&Fcb->Header);
        }
    }
    while (!IsListEmpty(&Vcb->Parked)) {
        FsdFreeFcb(Vcb, CONTAINING_RECORD(RemoveHeadList(&Vcb->Parked), FCB, Idle));
    }
}

static LONGLONG SizeOf(PIO_STACK_LOCATION IrpSp)
{
    PCCB Ccb = IrpSp->FileObject == NULL ? NULL : IrpSp->FileObject->FsContext2;

    return Ccb == NULL || Ccb->Fcb == NULL ? 0 : Ccb->Fcb->Header.FileSize.QuadPart;
}

/* Whether a request that has succeeded is one on which the volume tears the stream down. */
static BOOLEAN TearsDownAfter(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp, const FCB *Fcb, LONGLONG SizeBefore)
{
    const ULONG Class =
        IrpSp->MajorFunction == IRP_MJ_SET_INFORMATION ? (ULONG)IrpSp->Parameters.SetFile.FileInformationClass : 0;
    const LONGLONG Size = Fcb->Header.FileSize.QuadPart;

    switch (Vcb->Fault) {
    case FsdFaultLostOnClose:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_CLEANUP);
    case FsdFaultLostOnCleanup:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_CLEANUP && Fcb->Handles == 0);
    case FsdFaultLostOnRename:
        return (BOOLEAN)(Class == FileRenameInformation);
    case FsdFaultLostOnOverwrite:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_CREATE && Irp->IoStatus.Information == FILE_OVERWRITTEN);
    case FsdFaultLostOnSupersede:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_CREATE && Irp->IoStatus.Information == FILE_SUPERSEDED);
    case FsdFaultLostOnTruncate:
        return (BOOLEAN)(Class == FileEndOfFileInformation && Size < SizeBefore);
    case FsdFaultLostOnExtend:
        return (BOOLEAN)((IrpSp->MajorFunction == IRP_MJ_WRITE || Class == FileEndOfFileInformation) &&
                         Size > SizeBefore);
    case FsdFaultLostOnAttributes:
        return (BOOLEAN)(Class == FileBasicInformation);
    case FsdFaultLostOnSecurity:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_SET_SECURITY);
    case FsdFaultLostOnLock:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_LOCK_CONTROL);
    case FsdFaultLostOnFlush:
        return (BOOLEAN)(IrpSp->MajorFunction == IRP_MJ_FLUSH_BUFFERS);
    default:
        return FALSE;
    }
}

/* Where contexts go that are moved to the wrong stream: the directory of the file, if that is open; else nowhere that can be opened. */
static PFSRTL_ADVANCED_FCB_HEADER WrongHeader(PVCB Vcb, const CCB *Ccb)
{
    const UNICODE_STRING NoName = {0, 0, NULL};
    PFCB Directory = NULL;

    if (Vcb->Fault == FsdFaultMovedOnRename && Ccb->Lcb->Parent != NULL) {
        Directory = FsdFindFcb(Vcb, Ccb->Lcb->Parent->Node, &NoName);
    }
    return Directory == NULL ? &Vcb->LostHeader : &Directory->Header;
}

/* What comes after a request that has succeeded; no lock is held. */
static VOID ActAfter(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp, LONGLONG SizeBefore)
{
    PCCB Ccb = IrpSp->FileObject == NULL ? NULL : IrpSp->FileObject->FsContext2;
    PFCB Fcb = Ccb == NULL ? NULL : Ccb->Fcb;

    if (Fcb == NULL || (Fcb->Header.Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) == 0) {
        return;
    }
    if (TearsDownAfter(Vcb, Irp, IrpSp, Fcb, SizeBefore)) {
        FsRtlTeardownPerStreamContexts(&Fcb->Header);
    } else if (Vcb->Fault == FsdFaultListReversed && IrpSp->MajorFunction == IRP_MJ_CREATE) {
        (VOID) HostMoveContexts(&Fcb->Header, &Fcb->Header);
    } else if ((Vcb->Fault == FsdFaultHeaderReplacedOnRename || Vcb->Fault == FsdFaultMovedOnRename) &&
               IrpSp->MajorFunction == IRP_MJ_SET_INFORMATION &&
               IrpSp->Parameters.SetFile.FileInformationClass == FileRenameInformation) {
        (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
        if (HostMoveContexts(&Fcb->Header, WrongHeader(Vcb, Ccb))) {
            Fcb->Bereft = TRUE;
        }
        ExReleaseResourceLite(&Vcb->Resource);
    }
}

/* A request to a volume that has a fault. */
NTSTATUS FsdFaultyRequest(FSD_ROUTINE *Handler, PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    const LONGLONG SizeBefore = SizeOf(IrpSp);
    NTSTATUS Status;

    FsdFaultLetGo(Vcb, FALSE);
    Status = Handler(Vcb, Irp, IrpSp);
    if (NT_SUCCESS(Status)) {
        ActAfter(Vcb, Irp, IrpSp, SizeBefore);
    }
    return Status;
}
