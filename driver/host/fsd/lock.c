/* IRP_MJ_LOCK_CONTROL: ranges of bytes that an open keeps from others. Nothing waits: a range that is taken is refused. */
#include "fsd.h"

/* A locked range, which ends with the open's last handle. */
typedef struct _FSD_RANGE {
    LIST_ENTRY Links; /* FCB.Ranges, guarded by FCB.Resource */
    PFILE_OBJECT FileObject;
    ULONG64 Start;
    ULONG64 Length; /* bytes */
    ULONG Key;
    BOOLEAN Exclusive;
} FSD_RANGE, *PFSD_RANGE;

static BOOLEAN Overlaps(const FSD_RANGE *Range, ULONG64 Start, ULONG64 Length)
{
    return (BOOLEAN)(Length != 0 && Range->Length != 0 && Start <= Range->Start + (Range->Length - 1) &&
                     Range->Start <= Start + (Length - 1));
}

/* A range that keeps others away: any of another open's if Exclusive, an exclusive one of another open's if not. */
static BOOLEAN IsTaken(PFCB Fcb, ULONG64 Start, ULONG64 Length, BOOLEAN Exclusive, PFILE_OBJECT Except)
{
    PLIST_ENTRY Entry;

    for (Entry = Fcb->Ranges.Flink; Entry != &Fcb->Ranges; Entry = Entry->Flink) {
        const FSD_RANGE *Range = CONTAINING_RECORD(Entry, FSD_RANGE, Links);

        if (Range->FileObject != Except && (Exclusive || Range->Exclusive) && Overlaps(Range, Start, Length)) {
            return TRUE;
        }
    }
    return FALSE;
}

BOOLEAN FsdIsLocked(PFCB Fcb, PFILE_OBJECT FileObject, LONGLONG Start, ULONG Length, BOOLEAN Write)
{
    return IsTaken(Fcb, (ULONG64)Start, Length, Write, FileObject);
}

/* An exclusive range is kept from its own open as well: it is locked once. STATUS_LOCK_NOT_GRANTED, STATUS_INSUFFICIENT_RESOURCES. */
static NTSTATUS Lock(PVCB Vcb, PFCB Fcb, PIO_STACK_LOCATION IrpSp)
{
    const BOOLEAN Exclusive = (BOOLEAN)((IrpSp->Flags & SL_EXCLUSIVE_LOCK) != 0);
    const ULONG64 Start = (ULONG64)IrpSp->Parameters.LockControl.ByteOffset.QuadPart;
    const ULONG64 Length = (ULONG64)IrpSp->Parameters.LockControl.Length->QuadPart;
    PFSD_RANGE Range;

    if (IsTaken(Fcb, Start, Length, Exclusive, NULL)) {
        return STATUS_LOCK_NOT_GRANTED;
    }
    Range = ExAllocatePoolWithTag(PagedPool, sizeof(*Range), Vcb->Device.FileSystem->Tag);
    if (Range == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Range->FileObject = IrpSp->FileObject;
    Range->Start = Start;
    Range->Length = Length;
    Range->Key = IrpSp->Parameters.LockControl.Key;
    Range->Exclusive = Exclusive;
    InsertTailList(&Fcb->Ranges, &Range->Links);
    return STATUS_SUCCESS;
}

/* That very range. STATUS_RANGE_NOT_LOCKED. */
static NTSTATUS Unlock(PVCB Vcb, PFCB Fcb, PIO_STACK_LOCATION IrpSp)
{
    PLIST_ENTRY Entry;

    for (Entry = Fcb->Ranges.Flink; Entry != &Fcb->Ranges; Entry = Entry->Flink) {
        PFSD_RANGE Range = CONTAINING_RECORD(Entry, FSD_RANGE, Links);

        if (Range->FileObject == IrpSp->FileObject && Range->Key == IrpSp->Parameters.LockControl.Key &&
            Range->Start == (ULONG64)IrpSp->Parameters.LockControl.ByteOffset.QuadPart &&
            Range->Length == (ULONG64)IrpSp->Parameters.LockControl.Length->QuadPart) {
            RemoveEntryList(&Range->Links);
            ExFreePoolWithTag(Range, Vcb->Device.FileSystem->Tag);
            return STATUS_SUCCESS;
        }
    }
    return STATUS_RANGE_NOT_LOCKED;
}

/* Takes FCB.Resource. */
VOID FsdUnlockAll(PVCB Vcb, PFCB Fcb, PFILE_OBJECT FileObject, PULONG Key)
{
    PLIST_ENTRY Entry;

    (VOID) ExAcquireResourceExclusiveLite(&Fcb->Resource, TRUE);
    Entry = Fcb->Ranges.Flink;
    while (Entry != &Fcb->Ranges) {
        PFSD_RANGE Range = CONTAINING_RECORD(Entry, FSD_RANGE, Links);

        Entry = Entry->Flink;
        if (Range->FileObject == FileObject && (Key == NULL || Range->Key == *Key)) {
            RemoveEntryList(&Range->Links);
            ExFreePoolWithTag(Range, Vcb->Device.FileSystem->Tag);
        }
    }
    ExReleaseResourceLite(&Fcb->Resource);
}

/* STATUS_INVALID_PARAMETER for what has no bytes. Takes VCB.Resource shared, FCB.Resource exclusively. */
NTSTATUS FsdLockControl(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    PCCB Ccb = IrpSp->FileObject->FsContext2;
    PFCB Fcb = Ccb->Fcb;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Irp);
    if (Fcb == NULL || Fcb->Node->Directory) {
        return STATUS_INVALID_PARAMETER;
    }
    (VOID) ExAcquireResourceSharedLite(&Vcb->Resource, TRUE);
    (VOID) ExAcquireResourceExclusiveLite(&Fcb->Resource, TRUE);
    if (Vcb->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if ((IrpSp->FileObject->Flags & FO_CLEANUP_COMPLETE) != 0) {
        Status = STATUS_FILE_CLOSED;
    } else {
        Status = STATUS_SUCCESS;
        switch (IrpSp->MinorFunction) {
        case IRP_MN_LOCK:
            Status = Lock(Vcb, Fcb, IrpSp);
            break;
        case IRP_MN_UNLOCK_SINGLE:
            Status = Unlock(Vcb, Fcb, IrpSp);
            break;
        case IRP_MN_UNLOCK_ALL:
            FsdUnlockAll(Vcb, Fcb, IrpSp->FileObject, NULL);
            break;
        case IRP_MN_UNLOCK_ALL_BY_KEY:
            FsdUnlockAll(Vcb, Fcb, IrpSp->FileObject, (PULONG)&IrpSp->Parameters.LockControl.Key);
            break;
        default:
            Status = STATUS_INVALID_DEVICE_REQUEST;
            break;
        }
    }
    ExReleaseResourceLite(&Fcb->Resource);
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}
