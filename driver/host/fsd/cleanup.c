/* IRP_MJ_CLEANUP, the last handle of an open, and IRP_MJ_CLOSE, its last reference: deletion and teardown. */
#include "fsd.h"

/* Removes the file's name, and with the last one the file. */
static VOID DeleteLink(PVCB Vcb, PLCB Lcb)
{
    NODE_PLACE Place = FsdPlaceOf(Lcb);
    BOOLEAN LastLink = FALSE;

    if (NT_SUCCESS(Vcb->Device.FileSystem->Operations->Unlink(Vcb->Store, &Place, Lcb->Node, &LastLink))) {
        FsdRemoveLink(Vcb, Lcb);
        if (LastLink) {
            FsdRemoveFcbsOfFile(Vcb, Lcb->Node);
        }
    } else {
        Lcb->DeletePending = FALSE;
    }
}

/* Of a stream that has several FCBs, which only a fault makes, none is found any more, and no other deletes it again. */
static VOID DeleteNamedStream(PVCB Vcb, PLCB Lcb, PFCB Fcb)
{
    NODE_PLACE Place = FsdPlaceOf(Lcb);

    if (NT_SUCCESS(Vcb->Device.FileSystem->Operations->UnlinkStream(Vcb->Store, &Place, Fcb->Node, &Fcb->StreamName))) {
        for (PFCB Gone = Fcb; Gone != NULL; Gone = FsdFindFcb(Vcb, Fcb->Node, &Fcb->StreamName)) {
            Gone->Deleted = TRUE;
            FsdRemoveFcb(Gone);
        }
    } else {
        Fcb->DeletePending = FALSE;
    }
}

/* Takes VCB.Resource. Always STATUS_SUCCESS: a handle goes whatever happens. */
NTSTATUS FsdCleanup(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    PFILE_OBJECT FileObject = IrpSp->FileObject;
    PCCB Ccb = FileObject->FsContext2;
    PFCB Fcb = Ccb->Fcb;
    PLCB Lcb = Ccb->Lcb;

    UNREFERENCED_PARAMETER(Irp);
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    if (Fcb == NULL) {
        IoRemoveShareAccess(FileObject, &Vcb->ShareAccess);
        Vcb->Handles--;
    } else {
        FsdUnlockAll(Vcb, Fcb, FileObject, NULL);
        IoRemoveShareAccess(FileObject, &Fcb->ShareAccess);
        Fcb->Handles--;
        Lcb->Handles--;
        if (Ccb->DeleteOnClose) {
            if (Fcb->StreamName.Length != 0) {
                Fcb->DeletePending = TRUE;
            } else if (!Lcb->Node->Directory ||
                       Vcb->Device.FileSystem->Operations->IsEmptyDirectory(Vcb->Store, Lcb->Node)) {
                Lcb->DeletePending = TRUE;
            }
        }
        if (!Vcb->Dismounted && Fcb->Handles == 0 && Fcb->DeletePending && !Fcb->Unlinked) {
            DeleteNamedStream(Vcb, Lcb, Fcb);
        }
        if (!Vcb->Dismounted && Lcb->Handles == 0 && Lcb->DeletePending && !Lcb->Unlinked) {
            DeleteLink(Vcb, Lcb);
        }
    }
    FileObject->Flags |= FO_CLEANUP_COMPLETE;
    ExReleaseResourceLite(&Vcb->Resource);
    return STATUS_SUCCESS;
}

/*
 * Takes VCB.Resource, and holds nothing while the filters' FreeCallbacks run. The dispatcher gives up the open's reference to the
 * volume afterwards. Always STATUS_SUCCESS.
 */
NTSTATUS FsdClose(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    ULONG Tag = Vcb->Device.FileSystem->Tag;
    PFILE_OBJECT FileObject = IrpSp->FileObject;
    PCCB Ccb = FileObject->FsContext2;
    PFCB Fcb = Ccb->Fcb;
    BOOLEAN LastReference = FALSE;

    UNREFERENCED_PARAMETER(Irp);
    FileObject->FsContext = NULL;
    FileObject->FsContext2 = NULL;
    if (Fcb != NULL) {
        (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
        Fcb->References--;
        if (Fcb->References == 0 &&
            !FsdFaultKeepFcb(Vcb, Fcb, BooleanFlagOn(FileObject->Flags, FO_NO_INTERMEDIATE_BUFFERING))) {
            LastReference = TRUE;
            FsdRemoveFcb(Fcb);
        }
        FsdDereferenceLink(Vcb, Ccb->Lcb);
        ExReleaseResourceLite(&Vcb->Resource);
        if (LastReference) {
            FsdFreeFcb(Vcb, Fcb);
        }
    }
    if (Ccb->ScanPattern.Buffer != NULL) {
        ExFreePoolWithTag(Ccb->ScanPattern.Buffer, Tag);
    }
    ExFreePoolWithTag(Ccb, Tag);
    return STATUS_SUCCESS;
}
