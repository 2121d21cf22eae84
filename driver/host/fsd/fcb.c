/* The streams of a volume that are in use: one FCB each, found by file and stream name, torn down when the last file object closes. */
#include "fsd.h"

static PLIST_ENTRY BucketOf(PVCB Vcb, const NODE *Node)
{
    ULONG64 Hash = (Node->FileId ^ (Node->Device << 17)) * 0x9e3779b97f4a7c15ULL;

    return &Vcb->FcbBuckets[(Hash >> 32) % FSD_BUCKETS];
}

static BOOLEAN IsSameFile(const NODE *First, const NODE *Second)
{
    return (BOOLEAN)(First->Device == Second->Device && First->FileId == Second->FileId);
}

VOID FsdReferenceNode(PNODE Node)
{
    Node->References++;
}

VOID FsdDereferenceNode(PVCB Vcb, PNODE Node)
{
    Node->References--;
    if (Node->References == 0) {
        Vcb->Device.FileSystem->Operations->Close(Vcb->Store, Node);
    }
}

/* NULL when the stream has no FCB, or only one that is on its way out. No reference is taken. */
PFCB FsdFindFcb(PVCB Vcb, const NODE *Node, PCUNICODE_STRING StreamName)
{
    PLIST_ENTRY Head = BucketOf(Vcb, Node);
    PLIST_ENTRY Entry;

    for (Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PFCB Fcb = CONTAINING_RECORD(Entry, FCB, TableEntry);

        if (IsSameFile(Fcb->Node, Node) && RtlEqualUnicodeString(&Fcb->StreamName, StreamName, TRUE)) {
            return Fcb;
        }
    }
    return NULL;
}

/* The same, of those that only an open of this variant finds. */
PFCB FsdFindFcbVariant(PVCB Vcb, const NODE *Node, PCUNICODE_STRING StreamName, ULONG64 Variant)
{
    PLIST_ENTRY Head = BucketOf(Vcb, Node);
    PLIST_ENTRY Entry;

    for (Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PFCB Fcb = CONTAINING_RECORD(Entry, FCB, TableEntry);

        if (Fcb->Variant == Variant && IsSameFile(Fcb->Node, Node) &&
            RtlEqualUnicodeString(&Fcb->StreamName, StreamName, TRUE)) {
            return Fcb;
        }
    }
    return NULL;
}

/*
 * Sets a stream's structure up as the documentation asks of a file system that supports filter contexts
 * (ifs/creating-a-per-stream-context; ntifs/nf-ntifs-fsrtlsetupadvancedheader). STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS FsdMakeFcb(PVCB Vcb, PNODE Node, PCUNICODE_STRING StreamName, PFCB *Fcb)
{
    ULONG Tag = Vcb->Device.FileSystem->Tag;
    SIZE_T Bytes = sizeof(FCB) + StreamName->Length;
    PFCB New = ExAllocatePoolWithTag(NonPagedPoolNx, Bytes, Tag);
    BOOLEAN HaveResource = FALSE;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    if (New == NULL) {
        goto Exit;
    }
    RtlZeroMemory(New, sizeof(*New));
    Status = ExInitializeResourceLite(&New->Resource);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }
    HaveResource = TRUE;
    Status = ExInitializeResourceLite(&New->PagingIoResource);
    if (!NT_SUCCESS(Status)) {
        goto Exit;
    }

    InitializeListHead(&New->Ranges);
    ExInitializeFastMutex(&New->HeaderMutex);
    New->Header.NodeByteSize = (CSHORT)sizeof(FCB);
    New->Header.Resource = &New->Resource;
    New->Header.PagingIoResource = &New->PagingIoResource;
    FsRtlSetupAdvancedHeader(&New->Header, &New->HeaderMutex);
    if (Node->Paging) {
        New->Header.Flags2 =
            (UCHAR)((New->Header.Flags2 & ~FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) | FSRTL_FLAG2_IS_PAGING_FILE);
    }
    New->StreamName.Buffer = (PWCH)(New + 1);
    New->StreamName.Length = StreamName->Length;
    New->StreamName.MaximumLength = StreamName->Length;
    if (StreamName->Length != 0) {
        RtlCopyMemory(New->StreamName.Buffer, StreamName->Buffer, StreamName->Length);
    }
    FsdReferenceNode(Node);
    New->Node = Node;
    FsdUpdateSizes(Vcb, New);
    InsertHeadList(BucketOf(Vcb, Node), &New->TableEntry);
    *Fcb = New;
    return STATUS_SUCCESS;

Exit:
    if (HaveResource) {
        (VOID) ExDeleteResourceLite(&New->Resource);
    }
    if (New != NULL) {
        ExFreePoolWithTag(New, Tag);
    }
    return Status;
}

VOID FsdRemoveFcb(PFCB Fcb)
{
    if (!Fcb->Unlinked) {
        RemoveEntryList(&Fcb->TableEntry);
        Fcb->Unlinked = TRUE;
    }
}

VOID FsdRemoveFcbsOfFile(PVCB Vcb, const NODE *Node)
{
    PLIST_ENTRY Head = BucketOf(Vcb, Node);
    PLIST_ENTRY Entry = Head->Flink;

    while (Entry != Head) {
        PFCB Fcb = CONTAINING_RECORD(Entry, FCB, TableEntry);

        Entry = Entry->Flink;
        if (IsSameFile(Fcb->Node, Node)) {
            Fcb->Deleted = TRUE;
            FsdRemoveFcb(Fcb);
        }
    }
}

/*
 * See fsd.h. FreeCallbacks run here (ntifs/nf-ntifs-fsrtlteardownperstreamcontexts), so no lock is held around the call, and the
 * FCB is in no table: an open of the same stream meanwhile gets a new one.
 */
VOID FsdFreeFcb(PVCB Vcb, PFCB Fcb)
{
    FsdFaultEndFcb(Vcb, Fcb);
    if ((Fcb->Header.Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) != 0) {
        FsRtlTeardownPerStreamContexts(&Fcb->Header);
    }
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    FsdDereferenceNode(Vcb, Fcb->Node);
    ExReleaseResourceLite(&Vcb->Resource);
    (VOID) ExDeleteResourceLite(&Fcb->PagingIoResource);
    (VOID) ExDeleteResourceLite(&Fcb->Resource);
    ExFreePoolWithTag(Fcb, Vcb->Device.FileSystem->Tag);
}

/* Brings the header's sizes in line with the store's. FCB.Resource held exclusively, or the FCB still the caller's own. */
VOID FsdUpdateSizes(PVCB Vcb, PFCB Fcb)
{
    NODE_INFORMATION Information;

    if (NT_SUCCESS(Vcb->Device.FileSystem->Operations->Query(Vcb->Store, Fcb->Node, &Information))) {
        Fcb->Header.AllocationSize = Information.AllocationSize;
        Fcb->Header.FileSize = Information.EndOfFile;
        Fcb->Header.ValidDataLength = Information.EndOfFile;
    }
}
