/* IRP_MJ_CREATE: from a name and a disposition to a stream's FCB, by NTFS's rules. */
#include "fsd.h"

/* What a create has come to hold; released in reverse order when it fails. */
typedef struct _CREATE_STATE {
    PVCB Vcb;
    PFILE_OBJECT FileObject;
    PIO_STACK_LOCATION IrpSp;
    ACCESS_MASK DesiredAccess;
    ULONG Options;
    ULONG Disposition;
    UNICODE_STRING
    Path; /* what to open, from the volume's root or from the related file; own allocation for an open by id */
    BOOLEAN TrailingSeparator;
    FSD_LEAF Leaf;
    PLCB Parent; /* referenced */
    PLCB Lcb;    /* referenced */
    PNODE Node;  /* referenced: the stream to open */
    PCCB Ccb;
    PFCB Fcb;
    BOOLEAN NewFile;
    BOOLEAN NewStream;
    BOOLEAN NewFcb;
    ULONG_PTR Information;
} CREATE_STATE, *PCREATE_STATE;

static BOOLEAN CreatesWhenMissing(ULONG Disposition)
{
    return (BOOLEAN)(Disposition != FILE_OPEN && Disposition != FILE_OVERWRITE);
}

static BOOLEAN Overwrites(ULONG Disposition)
{
    return (BOOLEAN)(Disposition == FILE_SUPERSEDE || Disposition == FILE_OVERWRITE ||
                     Disposition == FILE_OVERWRITE_IF);
}

/*
 * Walks all components but the last from Start, and leaves the last in Path. The link of the directory carries a reference.
 * STATUS_OBJECT_PATH_NOT_FOUND when a directory on the way is not there or not a directory.
 */
NTSTATUS FsdWalkToParent(PVCB Vcb, PLCB Start, PUNICODE_STRING Path, PUNICODE_STRING Last, PLCB *Parent)
{
    PLCB Current = Start;
    NTSTATUS Status = STATUS_SUCCESS;

    Current->References++;
    *Last = FsdTakeComponent(Path);
    while (Path->Length != 0 && NT_SUCCESS(Status)) {
        PLCB Next;

        if (!FsdIsValidComponent(Last)) {
            Status = STATUS_OBJECT_NAME_INVALID;
        } else if (!Current->Node->Directory) {
            Status = STATUS_OBJECT_PATH_NOT_FOUND;
        } else {
            Status = FsdLookupLink(Vcb, Current, Last, &Next);
            if (NT_SUCCESS(Status)) {
                FsdDereferenceLink(Vcb, Current);
                Current = Next;
                if (Current->DeletePending) {
                    Status = STATUS_DELETE_PENDING;
                }
                *Last = FsdTakeComponent(Path);
            } else if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
                Status = STATUS_OBJECT_PATH_NOT_FOUND;
            }
        }
    }
    if (NT_SUCCESS(Status)) {
        *Parent = Current;
    } else {
        FsdDereferenceLink(Vcb, Current);
    }
    return Status;
}

/*
 * The name of the file with an id, which stands alone or behind a separator, as in a full path; made anew from the links above it. STATUS_INVALID_PARAMETER where no file has the id;
 * STATUS_NOT_SUPPORTED where the store does not tell. The caller frees Path.
 */
static NTSTATUS FindPathOfId(PVCB Vcb, PCUNICODE_STRING Identifier, PUNICODE_STRING Path)
{
    const NODE_OPERATIONS *Operations = Vcb->Device.FileSystem->Operations;
    const ULONG64 RootId = Vcb->Root->Node->FileId;
    ULONG Length = sizeof(WCHAR);
    UNICODE_STRING Name;
    ULONG64 FileId;
    ULONG64 Id;

    if (Operations->NameOfId == NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    if (Identifier->Length != sizeof(FileId) &&
        (Identifier->Length != sizeof(WCHAR) + sizeof(FileId) || Identifier->Buffer[0] != OBJ_NAME_PATH_SEPARATOR)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(&FileId, (PUCHAR)Identifier->Buffer + Identifier->Length - sizeof(FileId), sizeof(FileId));
    for (Id = FileId; Id != RootId;) {
        NTSTATUS Status = Operations->NameOfId(Vcb->Store, Id, &Id, &Name);

        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        Length += (ULONG)sizeof(WCHAR) + Name.Length;
    }
    if (Length > sizeof(WCHAR)) {
        Length -= (ULONG)sizeof(WCHAR);
    }
    if (Length > MAXUSHORT) {
        return STATUS_NAME_TOO_LONG;
    }
    Path->Buffer = ExAllocatePoolWithTag(PagedPool, Length, Vcb->Device.FileSystem->Tag);
    if (Path->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Path->Length = (USHORT)Length;
    Path->MaximumLength = (USHORT)Length;
    Path->Buffer[0] = OBJ_NAME_PATH_SEPARATOR;
    for (Id = FileId; Id != RootId && NT_SUCCESS(Operations->NameOfId(Vcb->Store, Id, &Id, &Name));) {
        Length -= Name.Length;
        RtlCopyMemory((PUCHAR)Path->Buffer + Length, Name.Buffer, Name.Length);
        Length -= (ULONG)sizeof(WCHAR);
        Path->Buffer[Length / sizeof(WCHAR)] = OBJ_NAME_PATH_SEPARATOR;
    }
    return STATUS_SUCCESS;
}

/* Finds where the walk starts, checks the shape of the name, and walks to the directory of the last component. */
static NTSTATUS FindParent(PCREATE_STATE State)
{
    const BOOLEAN ById = BooleanFlagOn(State->Options, FILE_OPEN_BY_FILE_ID);
    PFILE_OBJECT Related = ById ? NULL : State->FileObject->RelatedFileObject;
    PCCB RelatedCcb = Related == NULL ? NULL : Related->FsContext2;
    UNICODE_STRING Path = State->Path;
    UNICODE_STRING Last;
    PLCB Start = State->Vcb->Root;
    NTSTATUS Status;

    if (Path.Length == 0) {
        Path.Buffer = L""; /* where its parts are: it may lie nowhere itself */
    }
    if (RelatedCcb != NULL && RelatedCcb->Lcb != NULL) {
        Start = RelatedCcb->Lcb;
        if (Path.Length != 0 && Path.Buffer[0] == OBJ_NAME_PATH_SEPARATOR) {
            return STATUS_INVALID_PARAMETER;
        }
        if (Start->Unlinked) {
            return STATUS_OBJECT_PATH_NOT_FOUND;
        }
    } else {
        if (Path.Length == 0 || Path.Buffer[0] != OBJ_NAME_PATH_SEPARATOR) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        Path.Buffer++;
        Path.Length = (USHORT)(Path.Length - sizeof(WCHAR));
        if (Path.Length != 0 && Path.Buffer[0] == OBJ_NAME_PATH_SEPARATOR) {
            return STATUS_OBJECT_NAME_INVALID;
        }
    }
    if (Path.Length != 0 && Path.Buffer[Path.Length / sizeof(WCHAR) - 1] == OBJ_NAME_PATH_SEPARATOR) {
        State->TrailingSeparator = TRUE;
        Path.Length = (USHORT)(Path.Length - sizeof(WCHAR));
    }
    if (FsdHasEmptyComponent(&Path)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Path.MaximumLength = Path.Length;
    Status = FsdWalkToParent(State->Vcb, Start, &Path, &Last, &State->Parent);
    if (NT_SUCCESS(Status)) {
        Status = FsdParseLeaf(&Last, &State->Leaf);
    }
    if (NT_SUCCESS(Status) && State->Leaf.Name.Length == 0 && State->Parent != Start) {
        Status = STATUS_OBJECT_NAME_INVALID;
    }
    if (NT_SUCCESS(Status) && State->TrailingSeparator && State->Leaf.ExplicitStream) {
        Status = STATUS_OBJECT_NAME_INVALID;
    }
    if (NT_SUCCESS(Status) && State->Leaf.Name.Length != 0 && !State->Parent->Node->Directory) {
        Status = STATUS_OBJECT_PATH_NOT_FOUND;
    }
    return Status;
}

/* Makes the file that is not there yet. */
static NTSTATUS CreateFileNode(PCREATE_STATE State)
{
    PVCB Vcb = State->Vcb;
    const NODE_OPERATIONS *Operations = Vcb->Device.FileSystem->Operations;
    BOOLEAN Directory = (BOOLEAN)((State->Options & FILE_DIRECTORY_FILE) != 0 && State->Leaf.Stream.Length == 0);
    NODE_PLACE Place;
    BOOLEAN LastLink;
    PNODE Node;
    NTSTATUS Status;

    if (State->TrailingSeparator && !Directory) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (State->Parent->DeletePending || State->Parent->Unlinked) {
        return STATUS_DELETE_PENDING;
    }
    Status = Operations->Create(Vcb->Store, State->Parent->Node, &State->Leaf.Name, Directory,
                                State->IrpSp->Parameters.Create.FileAttributes, &Node);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    FsdReferenceNode(Node);
    Status = FsdMakeLink(Vcb, State->Parent, &State->Leaf.Name, Node, &State->Lcb);
    if (NT_SUCCESS(Status)) {
        State->NewFile = TRUE;
    } else {
        Place.Parent = State->Parent->Node;
        Place.Name = State->Leaf.Name;
        (VOID) Operations->Unlink(Vcb->Store, &Place, Node, &LastLink);
    }
    FsdDereferenceNode(Vcb, Node);
    return Status;
}

/* Finds the file, or makes it when the disposition says so. */
static NTSTATUS FindOrCreateFile(PCREATE_STATE State)
{
    NTSTATUS Status;

    if (State->Leaf.Name.Length == 0) {
        State->Lcb = State->Parent;
        State->Lcb->References++;
        return State->Lcb->DeletePending ? STATUS_DELETE_PENDING : STATUS_SUCCESS;
    }
    Status = FsdLookupLink(State->Vcb, State->Parent, &State->Leaf.Name, &State->Lcb);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && CreatesWhenMissing(State->Disposition)) {
        Status = CreateFileNode(State);
    } else if (NT_SUCCESS(Status)) {
        if (State->Lcb->DeletePending) {
            Status = STATUS_DELETE_PENDING;
        } else if (State->TrailingSeparator && !State->Lcb->Node->Directory) {
            Status = STATUS_OBJECT_NAME_INVALID;
        }
    }
    return Status;
}

/* The file's unnamed stream, or the directory itself. */
static NTSTATUS SelectFile(PCREATE_STATE State)
{
    BOOLEAN Directory = State->Lcb->Node->Directory;

    if (!Directory && (State->Options & FILE_DIRECTORY_FILE) != 0) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if (Directory && ((State->Options & FILE_NON_DIRECTORY_FILE) != 0 || State->Leaf.ExplicitStream)) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    if (!State->NewFile && State->Disposition == FILE_CREATE) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (Directory && Overwrites(State->Disposition) && !State->NewFile) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    State->Node = State->Lcb->Node;
    FsdReferenceNode(State->Node);
    return STATUS_SUCCESS;
}

/* A named stream, made when the disposition says so. */
static NTSTATUS SelectNamedStream(PCREATE_STATE State)
{
    PVCB Vcb = State->Vcb;
    NODE_PLACE Place = FsdPlaceOf(State->Lcb);
    PFCB Fcb = FsdFindFcb(Vcb, State->Lcb->Node, &State->Leaf.Stream);
    NTSTATUS Status;

    if ((State->Options & FILE_DIRECTORY_FILE) != 0) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if (Fcb != NULL && Fcb->DeletePending) {
        return STATUS_DELETE_PENDING;
    }
    Status = Vcb->Device.FileSystem->Operations->OpenStream(Vcb->Store, &Place, State->Lcb->Node, &State->Leaf.Stream,
                                                            CreatesWhenMissing(State->Disposition), &State->Node,
                                                            &State->NewStream);
    if (NT_SUCCESS(Status) && !State->NewStream && State->Disposition == FILE_CREATE) {
        Status = STATUS_OBJECT_NAME_COLLISION;
    }
    return Status;
}

/* STATUS_ACCESS_DENIED for bytes of a read-only file that are to be changed; its directory entries and attributes may. */
static NTSTATUS CheckReadOnly(PCREATE_STATE State, ACCESS_MASK Access)
{
    NODE_INFORMATION Information;
    NTSTATUS Status = STATUS_SUCCESS;

    if (!State->NewFile && !State->Lcb->Node->Directory && (Access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0) {
        Status = State->Vcb->Device.FileSystem->Operations->Query(State->Vcb->Store, State->Lcb->Node, &Information);
        if (NT_SUCCESS(Status) && (Information.FileAttributes & FILE_ATTRIBUTE_READONLY) != 0) {
            Status = STATUS_ACCESS_DENIED;
        }
    }
    return Status;
}

/* Finds or makes the stream's FCB, and holds the open against those that are there. */
static NTSTATUS OpenFcb(PCREATE_STATE State)
{
    ACCESS_MASK Access = State->DesiredAccess;
    ULONG ShareAccess = State->IrpSp->Parameters.Create.ShareAccess;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 Variant;
    PFCB Fcb;

    Variant = FsdFaultVariant(State->Vcb, State->Lcb, &State->Leaf.Name, State->Options);
    State->Fcb = FsdFindFcbVariant(State->Vcb, State->Node, &State->Leaf.Stream, Variant);
    if (State->Fcb == NULL) {
        Status = FsdMakeFcb(State->Vcb, State->Node, &State->Leaf.Stream, &Fcb);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        State->Fcb = Fcb;
        State->NewFcb = TRUE;
        Fcb->Variant = Variant;
        FsdFaultInitializeFcb(State->Vcb, Fcb, State->Options);
    }
    Status = FsdFaultShareHeader(State->Vcb, State->Fcb);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if ((State->Options & FILE_DELETE_ON_CLOSE) != 0 && (State->Node->Paging || State->Lcb->Parent == NULL)) {
        return STATUS_CANNOT_DELETE;
    }
    if (Overwrites(State->Disposition)) {
        Access |= FILE_WRITE_DATA;
    }
    Status = CheckReadOnly(State, Access);
    if (NT_SUCCESS(Status) && State->Fcb->Handles != 0) {
        Status = IoCheckShareAccess(Access, ShareAccess, State->FileObject, &State->Fcb->ShareAccess, FALSE);
    }
    return Status;
}

/* Cuts an existing stream to nothing when the disposition says so, and says what has been done. */
static NTSTATUS ApplyDisposition(PCREATE_STATE State)
{
    BOOLEAN New = (BOOLEAN)(State->NewFile || State->NewStream);
    NTSTATUS Status = STATUS_SUCCESS;

    State->Information = New ? FILE_CREATED : FILE_OPENED;
    if (!New && Overwrites(State->Disposition)) {
        (VOID) ExAcquireResourceExclusiveLite(&State->Fcb->Resource, TRUE);
        Status = State->Vcb->Device.FileSystem->Operations->SetSize(State->Vcb->Store, State->Fcb->Node, 0);
        FsdUpdateSizes(State->Vcb, State->Fcb);
        ExReleaseResourceLite(&State->Fcb->Resource);
        State->Information = State->Disposition == FILE_SUPERSEDE ? FILE_SUPERSEDED : FILE_OVERWRITTEN;
    }
    return Status;
}

/* Everything can still fail up to here; from here on nothing does. */
static VOID CommitOpen(PCREATE_STATE State)
{
    PFILE_OBJECT FileObject = State->FileObject;

    if (State->Fcb->Handles != 0) {
        (VOID) IoCheckShareAccess(State->DesiredAccess, State->IrpSp->Parameters.Create.ShareAccess, FileObject,
                                  &State->Fcb->ShareAccess, TRUE);
    } else {
        IoSetShareAccess(State->DesiredAccess, State->IrpSp->Parameters.Create.ShareAccess, FileObject,
                         &State->Fcb->ShareAccess);
    }
    FsdFaultRevive(State->Fcb);
    State->Fcb->Handles++;
    State->Fcb->References++;
    State->Lcb->Handles++;
    State->Lcb->References++;
    State->Vcb->References++;
    State->Ccb->Fcb = State->Fcb;
    State->Ccb->Lcb = State->Lcb;
    State->Ccb->DeleteOnClose = BooleanFlagOn(State->Options, FILE_DELETE_ON_CLOSE);
    FileObject->FsContext = FsdFaultContext(State->Fcb);
    FileObject->FsContext2 = State->Ccb;
    FileObject->SectionObjectPointer = State->Fcb->Node->Directory ? NULL : &State->Fcb->SectionObjectPointers;
    FileObject->Vpb = State->Vcb->Vpb;
    State->Ccb = NULL;
    State->NewFcb = FALSE;
    State->NewFile = FALSE;
    State->NewStream = FALSE;
}

/* Undoes what a failed create has made in the store. */
static VOID RollBack(PCREATE_STATE State)
{
    const NODE_OPERATIONS *Operations = State->Vcb->Device.FileSystem->Operations;
    NODE_PLACE Place;
    BOOLEAN LastLink;

    if (State->NewStream) {
        Place = FsdPlaceOf(State->Lcb);
        (VOID) Operations->UnlinkStream(State->Vcb->Store, &Place, State->Node, &State->Leaf.Stream);
    }
    if (State->NewFile) {
        Place = FsdPlaceOf(State->Lcb);
        (VOID) Operations->Unlink(State->Vcb->Store, &Place, State->Lcb->Node, &LastLink);
        FsdRemoveLink(State->Vcb, State->Lcb);
    }
}

/* An open of the volume itself: the empty name. STATUS_ACCESS_DENIED for a disposition that would make something. */
static NTSTATUS OpenVolume(PCREATE_STATE State)
{
    PVCB Vcb = State->Vcb;
    PFILE_OBJECT FileObject = State->FileObject;
    USHORT ShareAccess = State->IrpSp->Parameters.Create.ShareAccess;

    if (State->Disposition != FILE_OPEN && State->Disposition != FILE_OPEN_IF) {
        return STATUS_ACCESS_DENIED;
    }
    if ((State->Options & FILE_DIRECTORY_FILE) != 0) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if (Vcb->Handles == 0) {
        IoSetShareAccess(State->DesiredAccess, ShareAccess, FileObject, &Vcb->ShareAccess);
    } else {
        NTSTATUS Status = IoCheckShareAccess(State->DesiredAccess, ShareAccess, FileObject, &Vcb->ShareAccess, TRUE);

        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    Vcb->Handles++;
    Vcb->References++;
    FileObject->FsContext = &Vcb->VolumeHeader;
    FileObject->FsContext2 = State->Ccb;
    FileObject->Vpb = Vcb->Vpb;
    FileObject->Flags |= FO_VOLUME_OPEN;
    State->Ccb = NULL;
    State->Information = FILE_OPENED;
    return STATUS_SUCCESS;
}

/*
 * SL_OPEN_TARGET_DIRECTORY: opens the directory that a rename or a link goes into. The file object keeps the last component as its
 * name; Information says whether something of that name is there.
 */
static NTSTATUS OpenTargetDirectory(PCREATE_STATE State)
{
    PFILE_OBJECT FileObject = State->FileObject;
    const UNICODE_STRING NoName = {0, 0, NULL};
    UNICODE_STRING Target = State->Leaf.Name;
    ULONG_PTR Information = FILE_DOES_NOT_EXIST;
    NTSTATUS Status;

    if (State->Leaf.ExplicitStream || Target.Length == 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Status = FsdLookupLink(State->Vcb, State->Parent, &Target, &State->Lcb);
    if (NT_SUCCESS(Status)) {
        FsdDereferenceLink(State->Vcb, State->Lcb);
        State->Lcb = NULL;
        Information = FILE_EXISTS;
    } else if (Status != STATUS_OBJECT_NAME_NOT_FOUND) {
        return Status;
    }
    State->Lcb = State->Parent;
    State->Lcb->References++;
    State->Leaf.Name = NoName;
    State->Node = State->Lcb->Node;
    FsdReferenceNode(State->Node);
    State->Disposition = FILE_OPEN;
    Status = OpenFcb(State);
    if (NT_SUCCESS(Status)) {
        CommitOpen(State);
        RtlMoveMemory(FileObject->FileName.Buffer, Target.Buffer, Target.Length);
        FileObject->FileName.Length = Target.Length;
        State->Information = Information;
    }
    return Status;
}

/* The file or the stream that the name says. */
static NTSTATUS OpenStreamByName(PCREATE_STATE State)
{
    NTSTATUS Status = FindOrCreateFile(State);

    if (NT_SUCCESS(Status)) {
        Status = State->Leaf.Stream.Length == 0 ? SelectFile(State) : SelectNamedStream(State);
    }
    if (NT_SUCCESS(Status)) {
        Status = OpenFcb(State);
    }
    if (NT_SUCCESS(Status)) {
        Status = ApplyDisposition(State);
    }
    if (NT_SUCCESS(Status)) {
        CommitOpen(State);
    }
    return Status;
}

static BOOLEAN IsVolumeOpen(PFILE_OBJECT FileObject)
{
    PCCB RelatedCcb = FileObject->RelatedFileObject == NULL ? NULL : FileObject->RelatedFileObject->FsContext2;

    return (BOOLEAN)(FileObject->FileName.Length == 0 && (RelatedCcb == NULL || RelatedCcb->Lcb == NULL));
}

/*
 * Statuses as the NTFS driver gives them; Information is FILE_OPENED, FILE_CREATED and so on. Takes VCB.Resource.
 * An open by file id opens the file under one of its names; the related file says nothing but the volume.
 */
NTSTATUS FsdCreate(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    CREATE_STATE State;
    NTSTATUS Status;
    PFCB AbandonedFcb = NULL;

    RtlZeroMemory(&State, sizeof(State));
    State.Vcb = Vcb;
    State.FileObject = IrpSp->FileObject;
    State.IrpSp = IrpSp;
    State.DesiredAccess = IrpSp->Parameters.Create.SecurityContext->DesiredAccess;
    State.Options = IrpSp->Parameters.Create.Options & FILE_VALID_OPTION_FLAGS;
    State.Disposition = IrpSp->Parameters.Create.Options >> 24;

    if ((State.Options & FILE_OPEN_BY_FILE_ID) == 0) {
        FsdDropDoubledSeparator(&State.FileObject->FileName);
    }
    State.Ccb = ExAllocatePoolWithTag(PagedPool, sizeof(CCB), Vcb->Device.FileSystem->Tag);
    if (State.Ccb == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(State.Ccb, sizeof(CCB));
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    if (Vcb->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if ((State.Options & FILE_OPEN_BY_FILE_ID) == 0 && IsVolumeOpen(State.FileObject)) {
        Status = OpenVolume(&State);
    } else {
        State.Path = State.FileObject->FileName;
        Status = STATUS_SUCCESS;
        if ((State.Options & FILE_OPEN_BY_FILE_ID) != 0) {
            RtlZeroMemory(&State.Path, sizeof(State.Path));
            Status = FindPathOfId(Vcb, &State.FileObject->FileName, &State.Path);
        }
        if (NT_SUCCESS(Status)) {
            Status = FindParent(&State);
        }
        if (NT_SUCCESS(Status)) {
            Status =
                (IrpSp->Flags & SL_OPEN_TARGET_DIRECTORY) != 0 ? OpenTargetDirectory(&State) : OpenStreamByName(&State);
        }
    }

    if (!NT_SUCCESS(Status)) {
        if (State.NewFcb) {
            AbandonedFcb = State.Fcb;
            FsdRemoveFcb(AbandonedFcb);
        }
        RollBack(&State);
    }
    if (State.Node != NULL) {
        FsdDereferenceNode(Vcb, State.Node);
    }
    if (State.Lcb != NULL) {
        FsdDereferenceLink(Vcb, State.Lcb);
    }
    if (State.Parent != NULL) {
        FsdDereferenceLink(Vcb, State.Parent);
    }
    ExReleaseResourceLite(&Vcb->Resource);
    if ((State.Options & FILE_OPEN_BY_FILE_ID) != 0 && State.Path.Buffer != NULL) {
        ExFreePoolWithTag(State.Path.Buffer, Vcb->Device.FileSystem->Tag);
    }
    if (AbandonedFcb != NULL) {
        FsdFreeFcb(Vcb, AbandonedFcb);
    }
    if (State.Ccb != NULL) {
        ExFreePoolWithTag(State.Ccb, Vcb->Device.FileSystem->Tag);
    }
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? State.Information : 0;
    return Status;
}
