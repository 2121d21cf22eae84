/* Renames and hard links: FileRenameInformation and FileLinkInformation. A stream keeps its FCB through both. */
#include "fsd.h"

/* The name that the request asks for, and the directory it goes into. */
typedef struct _NEW_NAME {
    PLCB Directory;
    UNICODE_STRING Name; /* in the request's buffer */
    BOOLEAN Replace;
} NEW_NAME, *PNEW_NAME;

/*
 * The name alone stays in the directory of the open; a name with a path, or relative to RootDirectory, comes with the file object of
 * the target's directory that the I/O manager has opened. STATUS_OBJECT_NAME_INVALID, STATUS_INVALID_PARAMETER, STATUS_NOT_SAME_DEVICE.
 */
static NTSTATUS ReadNewName(PIRP Irp, PIO_STACK_LOCATION IrpSp, PCCB Ccb, PNEW_NAME New)
{
    PFILE_RENAME_INFORMATION Request = Irp->AssociatedIrp.SystemBuffer;
    PFILE_OBJECT Target = IrpSp->Parameters.SetFile.FileObject;
    ULONG Room = IrpSp->Parameters.SetFile.Length - (ULONG)FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName);
    ULONG Units = Request->FileNameLength / (ULONG)sizeof(WCHAR);
    ULONG First = Units;

    if (Request->FileNameLength > Room || (Request->FileNameLength & 1) != 0 ||
        Request->FileNameLength > UNICODE_STRING_MAX_BYTES) {
        return STATUS_INVALID_PARAMETER;
    }
    while (First != 0 && Request->FileName[First - 1] != OBJ_NAME_PATH_SEPARATOR) {
        First--;
    }
    New->Replace = Request->ReplaceIfExists;
    New->Name.Buffer = &Request->FileName[First];
    New->Name.Length = (USHORT)((Units - First) * sizeof(WCHAR));
    New->Name.MaximumLength = New->Name.Length;
    if (Target != NULL) {
        PCCB TargetCcb = Target->FsContext2;

        if (Target->Vpb != IrpSp->FileObject->Vpb) {
            return STATUS_NOT_SAME_DEVICE;
        }
        if (TargetCcb->Lcb == NULL) {
            return STATUS_INVALID_PARAMETER;
        }
        New->Directory = TargetCcb->Lcb;
    } else if (First != 0) {
        return STATUS_INVALID_PARAMETER;
    } else {
        New->Directory = Ccb->Lcb->Parent;
    }
    if (!FsdIsValidComponent(&New->Name)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    return New->Directory->Node->Directory ? STATUS_SUCCESS : STATUS_NOT_A_DIRECTORY;
}

/* May the target, that is there, be replaced? As NTFS: never a directory, never what is open. */
static NTSTATUS CheckTarget(const LCB *Target, const NEW_NAME *New)
{
    if (Target->DeletePending) {
        return STATUS_DELETE_PENDING;
    }
    if (!New->Replace) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (Target->Node->Directory || Target->Node->Paging || Target->Handles != 0) {
        return STATUS_ACCESS_DENIED;
    }
    return STATUS_SUCCESS;
}

/* Takes the target out of the store, where the new name would not take its place: another case, or a link. */
static NTSTATUS RemoveTarget(PVCB Vcb, PLCB Target)
{
    NODE_PLACE Place = FsdPlaceOf(Target);
    BOOLEAN LastLink = FALSE;
    NTSTATUS Status = Vcb->Device.FileSystem->Operations->Unlink(Vcb->Store, &Place, Target->Node, &LastLink);

    if (NT_SUCCESS(Status)) {
        FsdRemoveLink(Vcb, Target);
        if (LastLink) {
            FsdRemoveFcbsOfFile(Vcb, Target->Node);
        }
    }
    return Status;
}

/* TRUE when the file goes with this name. */
static BOOLEAN IsLastLink(PVCB Vcb, const LCB *Lcb)
{
    NODE_INFORMATION Information;
    NTSTATUS Status = Vcb->Device.FileSystem->Operations->Query(Vcb->Store, Lcb->Node, &Information);

    return (BOOLEAN)(NT_SUCCESS(Status) && Information.NumberOfLinks <= 1);
}

/* Puts the file under its new name. Buffer is the link's new name, and stays the caller's when this fails. */
static NTSTATUS Rename(PVCB Vcb, PLCB Lcb, PLCB Target, const NEW_NAME *New, UNICODE_STRING Name)
{
    NODE_PLACE From = FsdPlaceOf(Lcb);
    NODE_PLACE To = {New->Directory->Node, New->Name};
    BOOLEAN Replaced = (BOOLEAN)(Target != NULL && Target != Lcb);
    BOOLEAN LastLink = (BOOLEAN)(Replaced && IsLastLink(Vcb, Target));
    NTSTATUS Status = STATUS_SUCCESS;

    if (Replaced && !RtlEqualUnicodeString(&Target->Name, &New->Name, FALSE)) {
        Status = RemoveTarget(Vcb, Target);
    }
    if (NT_SUCCESS(Status)) {
        Status = Vcb->Device.FileSystem->Operations->Rename(Vcb->Store, &From, Lcb->Node, &To);
    }
    if (NT_SUCCESS(Status)) {
        if (Replaced) {
            FsdRemoveLink(Vcb, Target);
        }
        if (LastLink) {
            FsdRemoveFcbsOfFile(Vcb, Target->Node);
        }
        FsdMoveLink(Vcb, Lcb, New->Directory, Name);
    }
    return Status;
}

/* A replaced target of a hard link goes first: a link is never put over a name. */
static NTSTATUS Link(PVCB Vcb, PLCB Lcb, PLCB Target, const NEW_NAME *New)
{
    NODE_PLACE From = FsdPlaceOf(Lcb);
    NODE_PLACE To = {New->Directory->Node, New->Name};
    NTSTATUS Status = STATUS_SUCCESS;

    if (Target != NULL) {
        Status = RemoveTarget(Vcb, Target);
    }
    if (NT_SUCCESS(Status)) {
        Status = Vcb->Device.FileSystem->Operations->Link(Vcb->Store, &From, Lcb->Node, &To);
    }
    return Status;
}

/* May this open be given another name at all? */
static NTSTATUS CheckSource(PVCB Vcb, const CCB *Ccb, BOOLEAN IsLink)
{
    if (Ccb->Fcb->StreamName.Length != 0 || Ccb->Lcb->Parent == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Ccb->Lcb->Unlinked || Ccb->Lcb->DeletePending) {
        return STATUS_DELETE_PENDING;
    }
    if (Ccb->Fcb->Node->Paging) {
        return STATUS_ACCESS_DENIED;
    }
    if (Ccb->Fcb->Node->Directory) {
        if (IsLink) {
            return STATUS_FILE_IS_A_DIRECTORY;
        }
        if (FsdHasOpenDescendants(Vcb, Ccb->Lcb)) {
            return STATUS_ACCESS_DENIED;
        }
    }
    return STATUS_SUCCESS;
}

static BOOLEAN IsAtOrBelow(const LCB *Lcb, const LCB *Ancestor)
{
    while (Lcb != NULL && Lcb != Ancestor) {
        Lcb = Lcb->Parent;
    }
    return (BOOLEAN)(Lcb != NULL);
}

/*
 * VCB.Resource and FCB.Resource held exclusively. STATUS_OBJECT_NAME_COLLISION, STATUS_ACCESS_DENIED when the target or something below
 * a directory is open, STATUS_INVALID_PARAMETER for a directory moved below itself, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS FsdSetName(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp, PCCB Ccb)
{
    BOOLEAN IsLink = (BOOLEAN)(IrpSp->Parameters.SetFile.FileInformationClass == FileLinkInformation);
    ULONG Tag = Vcb->Device.FileSystem->Tag;
    PLCB Lcb = Ccb->Lcb;
    PLCB Target = NULL;
    UNICODE_STRING Name = {0, 0, NULL};
    NEW_NAME New = {NULL, {0, 0, NULL}, FALSE};
    NTSTATUS Status = CheckSource(Vcb, Ccb, IsLink);

    if (NT_SUCCESS(Status)) {
        Status = ReadNewName(Irp, IrpSp, Ccb, &New);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Lcb->Node->Directory && IsAtOrBelow(New.Directory, Lcb)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (New.Directory->DeletePending || New.Directory->Unlinked) {
        return STATUS_DELETE_PENDING;
    }

    Name.Buffer = ExAllocatePoolWithTag(PagedPool, New.Name.Length, Tag);
    if (Name.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(Name.Buffer, New.Name.Buffer, New.Name.Length);
    Name.Length = New.Name.Length;
    Name.MaximumLength = New.Name.Length;

    Status = FsdLookupLink(Vcb, New.Directory, &New.Name, &Target);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        Target = NULL;
        Status = STATUS_SUCCESS;
    }
    if (NT_SUCCESS(Status) && Target != NULL && Target != Lcb) {
        Status = CheckTarget(Target, &New);
    }
    if (NT_SUCCESS(Status)) {
        if (!IsLink) {
            Status = Rename(Vcb, Lcb, Target, &New, Name);
        } else if (Target == Lcb) {
            Status = New.Replace ? STATUS_SUCCESS : STATUS_OBJECT_NAME_COLLISION;
        } else {
            Status = Link(Vcb, Lcb, Target, &New);
        }
    }

    if (Target != NULL) {
        FsdDereferenceLink(Vcb, Target);
    }
    if (IsLink || !NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Name.Buffer, Tag);
    }
    return Status;
}
