/* Renames and hard links: FileRenameInformation and FileLinkInformation. A stream keeps its FCB through both. */
#include "fsd.h"

/* The name that the request asks for, and the directory it goes into. */
typedef struct _NEW_NAME {
    PLCB Directory;      /* referenced */
    UNICODE_STRING Name; /* in the request's buffer */
    BOOLEAN Replace;
} NEW_NAME, *PNEW_NAME;

/*
 * Takes the device's part, up to the drive's colon, off a full name, and holds it against the volume that the file is on.
 * STATUS_NOT_SAME_DEVICE, or what the lookup of the device says.
 */
static NTSTATUS TakeVolume(PVCB Vcb, PUNICODE_STRING Path)
{
    UNICODE_STRING DeviceName = *Path;
    USHORT Count = (USHORT)(Path->Length / sizeof(WCHAR));
    USHORT Units = 0;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT FileObject;
    HANDLE Handle;
    NTSTATUS Status;

    while (Units < Count && Path->Buffer[Units] != L':') {
        Units++;
    }
    if (Units + 1 >= Count || Path->Buffer[Units + 1] != OBJ_NAME_PATH_SEPARATOR) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Units++;
    DeviceName.Length = (USHORT)(Units * sizeof(WCHAR));
    DeviceName.MaximumLength = DeviceName.Length;
    InitializeObjectAttributes(&Attributes, &DeviceName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwCreateFile(&Handle, FILE_READ_ATTRIBUTES, &Attributes, &IoStatus, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN, 0, NULL, 0);
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&FileObject, NULL);
        if (NT_SUCCESS(Status)) {
            if (FileObject->DeviceObject != Vcb->Vpb->RealDevice) {
                Status = STATUS_NOT_SAME_DEVICE;
            }
            ObDereferenceObject(FileObject);
        }
        (VOID) ZwClose(Handle);
    }
    Path->Buffer += Units + 1;
    Path->Length = (USHORT)(Path->Length - (Units + 1u) * sizeof(WCHAR));
    Path->MaximumLength = Path->Length;
    return Status;
}

/* Where the name is looked for: the directory of RootDirectory, else the volume's root, else the directory of the open. */
static NTSTATUS FindStart(PVCB Vcb, PIO_STACK_LOCATION IrpSp, PCCB Ccb, PUNICODE_STRING Path, PLCB *Start)
{
    PFILE_OBJECT Target = IrpSp->Parameters.SetFile.FileObject;

    if (Target != NULL) {
        if (Target->Vpb == NULL || Target->Vpb != IrpSp->FileObject->Vpb) {
            return STATUS_NOT_SAME_DEVICE;
        }
        *Start = ((PCCB)Target->FsContext2)->Lcb;
        return *Start == NULL ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
    }
    if (Path->Length != 0 && Path->Buffer[0] == OBJ_NAME_PATH_SEPARATOR) {
        *Start = Vcb->Root;
        return TakeVolume(Vcb, Path);
    }
    *Start = Ccb->Lcb->Parent;
    return STATUS_SUCCESS;
}

/*
 * The directory carries a reference when this succeeds. STATUS_OBJECT_NAME_INVALID, STATUS_INVALID_PARAMETER, STATUS_NOT_SAME_DEVICE,
 * STATUS_OBJECT_PATH_NOT_FOUND.
 */
static NTSTATUS ReadNewName(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp, PCCB Ccb, PNEW_NAME New)
{
    PFILE_RENAME_INFORMATION Request = Irp->AssociatedIrp.SystemBuffer;
    ULONG Room = IrpSp->Parameters.SetFile.Length - (ULONG)FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName);
    UNICODE_STRING Path;
    PLCB Start;
    NTSTATUS Status;

    if (Request->FileNameLength > Room || (Request->FileNameLength & 1) != 0 ||
        Request->FileNameLength > UNICODE_STRING_MAX_BYTES) {
        return STATUS_INVALID_PARAMETER;
    }
    New->Replace = Request->ReplaceIfExists;
    Path.Buffer = Request->FileName;
    Path.Length = (USHORT)Request->FileNameLength;
    Path.MaximumLength = Path.Length;
    Status = FindStart(Vcb, IrpSp, Ccb, &Path, &Start);
    if (NT_SUCCESS(Status)) {
        Status = FsdWalkToParent(Vcb, Start, &Path, &New->Name, &New->Directory);
    }
    if (NT_SUCCESS(Status)) {
        if (!FsdIsValidComponent(&New->Name)) {
            Status = STATUS_OBJECT_NAME_INVALID;
        } else if (!New->Directory->Node->Directory) {
            Status = STATUS_OBJECT_PATH_NOT_FOUND;
        }
        if (!NT_SUCCESS(Status)) {
            FsdDereferenceLink(Vcb, New->Directory);
        }
    }
    return Status;
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
        Status = ReadNewName(Vcb, Irp, IrpSp, Ccb, &New);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Lcb->Node->Directory && IsAtOrBelow(New.Directory, Lcb)) {
        Status = STATUS_INVALID_PARAMETER;
        goto Exit;
    }
    if (New.Directory->DeletePending || New.Directory->Unlinked) {
        Status = STATUS_DELETE_PENDING;
        goto Exit;
    }

    Name.Buffer = ExAllocatePoolWithTag(PagedPool, New.Name.Length, Tag);
    if (Name.Buffer == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
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

Exit:
    if (Target != NULL) {
        FsdDereferenceLink(Vcb, Target);
    }
    FsdDereferenceLink(Vcb, New.Directory);
    if (Name.Buffer != NULL && (IsLink || !NT_SUCCESS(Status))) {
        ExFreePoolWithTag(Name.Buffer, Tag);
    }
    return Status;
}
