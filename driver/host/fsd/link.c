/* The links of a volume that are in use: found by directory, name and file, and kept while an open or a link below needs them. */
#include "fsd.h"

static ULONG HashOf(const NODE *Parent, PCUNICODE_STRING Name)
{
    return FsdHashName(Parent->FileId, Name);
}

static PLCB FindLink(PVCB Vcb, const LCB *Parent, PCUNICODE_STRING Name, const NODE *Node)
{
    ULONG Hash = HashOf(Parent->Node, Name);
    PLIST_ENTRY Head = &Vcb->LcbBuckets[Hash % FSD_BUCKETS];
    PLIST_ENTRY Entry;

    for (Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PLCB Lcb = CONTAINING_RECORD(Entry, LCB, TableEntry);

        if (Lcb->Hash == Hash && Lcb->Parent == Parent && Lcb->Node->Device == Node->Device &&
            Lcb->Node->FileId == Node->FileId && RtlEqualUnicodeString(&Lcb->Name, Name, FALSE)) {
            return Lcb;
        }
    }
    return NULL;
}

/* The volume's root gets a link without parent and name, held by the VCB. */
NTSTATUS FsdOpenRootLink(PVCB Vcb)
{
    const UNICODE_STRING NoName = {0, 0, NULL};
    PNODE Node;
    NTSTATUS Status = Vcb->Device.FileSystem->Operations->OpenRoot(Vcb->Store, &Node);

    if (NT_SUCCESS(Status)) {
        Status = FsdMakeLink(Vcb, NULL, &NoName, Node, &Vcb->Root);
    }
    return Status;
}

/* See fsd.h. The new link carries one reference of the caller's. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS FsdMakeLink(PVCB Vcb, PLCB Parent, PCUNICODE_STRING Name, PNODE Node, PLCB *Lcb)
{
    ULONG Tag = Vcb->Device.FileSystem->Tag;
    PLCB New = ExAllocatePoolWithTag(PagedPool, sizeof(LCB), Tag);
    PWCH Buffer = NULL;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (New == NULL) {
        goto Exit;
    }
    RtlZeroMemory(New, sizeof(*New));
    if (Name->Length != 0) {
        Buffer = ExAllocatePoolWithTag(PagedPool, Name->Length, Tag);
        if (Buffer == NULL) {
            goto Exit;
        }
        RtlCopyMemory(Buffer, Name->Buffer, Name->Length);
    }
    New->Name.Buffer = Buffer;
    New->Name.Length = Name->Length;
    New->Name.MaximumLength = Name->Length;
    New->Node = Node;
    New->References = 1;
    New->Parent = Parent;
    New->Hash = HashOf(Parent == NULL ? Node : Parent->Node, Name);
    if (Parent != NULL) {
        Parent->References++;
    }
    InsertHeadList(&Vcb->LcbBuckets[New->Hash % FSD_BUCKETS], &New->TableEntry);
    *Lcb = New;
    return STATUS_SUCCESS;

Exit:
    if (New != NULL) {
        ExFreePoolWithTag(New, Tag);
    }
    FsdDereferenceNode(Vcb, Node);
    return Status;
}

/*
 * Finds Name in a directory; the link carries one reference of the caller's. STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_INSUFFICIENT_RESOURCES, or what the store says.
 */
NTSTATUS FsdLookupLink(PVCB Vcb, PLCB Parent, PCUNICODE_STRING Name, PLCB *Lcb)
{
    WCHAR Buffer[NODE_MAXIMUM_NAME];
    UNICODE_STRING ActualName = {0, sizeof(Buffer), Buffer};
    PNODE Node;
    PLCB Found;
    NTSTATUS Status = Vcb->Device.FileSystem->Operations->Lookup(Vcb->Store, Parent->Node, Name, &ActualName, &Node);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Found = FindLink(Vcb, Parent, &ActualName, Node);
    if (Found == NULL) {
        return FsdMakeLink(Vcb, Parent, &ActualName, Node, Lcb);
    }
    FsdDereferenceNode(Vcb, Node);
    Found->References++;
    *Lcb = Found;
    return STATUS_SUCCESS;
}

VOID FsdMoveLink(PVCB Vcb, PLCB Lcb, PLCB Parent, UNICODE_STRING Name)
{
    PLCB OldParent = Lcb->Parent;

    RemoveEntryList(&Lcb->TableEntry);
    ExFreePoolWithTag(Lcb->Name.Buffer, Vcb->Device.FileSystem->Tag);
    Lcb->Name = Name;
    Parent->References++;
    Lcb->Parent = Parent;
    Lcb->Hash = HashOf(Parent->Node, &Name);
    InsertHeadList(&Vcb->LcbBuckets[Lcb->Hash % FSD_BUCKETS], &Lcb->TableEntry);
    FsdDereferenceLink(Vcb, OldParent);
}

/* The name is gone from the store: opens that still have the link keep it, nobody finds it again. */
VOID FsdRemoveLink(PVCB Vcb, PLCB Lcb)
{
    UNREFERENCED_PARAMETER(Vcb);
    if (!Lcb->Unlinked) {
        RemoveEntryList(&Lcb->TableEntry);
        Lcb->Unlinked = TRUE;
    }
}

/* Frees the link with its last reference, and those above it that nothing else holds. */
VOID FsdDereferenceLink(PVCB Vcb, PLCB Lcb)
{
    ULONG Tag = Vcb->Device.FileSystem->Tag;

    while (Lcb != NULL && --Lcb->References == 0) {
        PLCB Parent = Lcb->Parent;

        FsdRemoveLink(Vcb, Lcb);
        FsdDereferenceNode(Vcb, Lcb->Node);
        if (Lcb->Name.Buffer != NULL) {
            ExFreePoolWithTag(Lcb->Name.Buffer, Tag);
        }
        ExFreePoolWithTag(Lcb, Tag);
        Lcb = Parent;
    }
}

NODE_PLACE FsdPlaceOf(const LCB *Lcb)
{
    NODE_PLACE Place;

    Place.Parent = Lcb->Parent == NULL ? Lcb->Node : Lcb->Parent->Node;
    Place.Name = Lcb->Name;
    return Place;
}

BOOLEAN FsdHasOpenDescendants(PVCB Vcb, const LCB *Directory)
{
    ULONG Bucket;

    for (Bucket = 0; Bucket < FSD_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &Vcb->LcbBuckets[Bucket];
        PLIST_ENTRY Entry;

        for (Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            const LCB *Lcb = CONTAINING_RECORD(Entry, LCB, TableEntry);
            const LCB *Above = Lcb->Handles == 0 ? NULL : Lcb->Parent;

            while (Above != NULL && Above != Directory) {
                Above = Above->Parent;
            }
            if (Above != NULL) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

ULONG FsdFullNameLength(const LCB *Lcb, const FCB *Fcb)
{
    ULONG Length = Lcb->Parent == NULL ? (ULONG)sizeof(WCHAR) : 0;

    if (Fcb != NULL && Fcb->StreamName.Length != 0) {
        Length += (ULONG)sizeof(WCHAR) + Fcb->StreamName.Length;
    }
    for (; Lcb->Parent != NULL; Lcb = Lcb->Parent) {
        Length += (ULONG)sizeof(WCHAR) + Lcb->Name.Length;
    }
    return Length;
}

/* Copies the part of Text that falls into the first Length bytes of the name, Text ending at End. */
static VOID CopyPart(PWCH Buffer, ULONG Length, ULONG End, PCUNICODE_STRING Text)
{
    ULONG Start = End - Text->Length;

    if (Start < Length) {
        RtlCopyMemory((PUCHAR)Buffer + Start, Text->Buffer, min(Length - Start, (ULONG)Text->Length));
    }
}

/* The first Length bytes of the name whose whole length is FullLength. */
VOID FsdCopyFullName(const LCB *Lcb, const FCB *Fcb, PWCH Buffer, ULONG Length, ULONG FullLength)
{
    static const WCHAR SeparatorText[] = L"\\";
    static const WCHAR ColonText[] = L":";
    const UNICODE_STRING Separator = RTL_CONSTANT_STRING(SeparatorText);
    const UNICODE_STRING Colon = RTL_CONSTANT_STRING(ColonText);
    ULONG End = FullLength;

    if (Fcb != NULL && Fcb->StreamName.Length != 0) {
        CopyPart(Buffer, Length, End, &Fcb->StreamName);
        End -= Fcb->StreamName.Length;
        CopyPart(Buffer, Length, End, &Colon);
        End -= Colon.Length;
    }
    if (Lcb->Parent == NULL) {
        CopyPart(Buffer, Length, End, &Separator);
    }
    for (; Lcb->Parent != NULL; Lcb = Lcb->Parent) {
        CopyPart(Buffer, Length, End, &Lcb->Name);
        End -= Lcb->Name.Length;
        CopyPart(Buffer, Length, End, &Separator);
        End -= Separator.Length;
    }
}
