/*
 * The volumes that the filter knows, and the operation LIST_VOLUMES.
 *
 * A volume that is attached to is recorded in the extension of the filter's device. For one that is not, a record is kept here while its
 * device is among its driver's: nobody is told when it goes, so that it is looked for now and then, as PsctxForgetDeletedDevices does.
 */
#include "filter.h"

/* All under the filter's lock. */
static LIST_ENTRY PsctxVolumes;
static ULONG PsctxVolumeCount;
static ULONG64 PsctxVolumeNumber;

/*
 * Makes the empty list.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartVolumes(VOID)
{
    PAGED_CODE();

    InitializeListHead(&PsctxVolumes);
    PsctxVolumeCount = 0;
    PsctxVolumeNumber = 0;
}

/*
 * The name of a volume's storage device: empty if it has none, or is not known.
 */
_Use_decl_annotations_ PCUNICODE_STRING PsctxStorageName(const PSCTX_VOLUME *Volume)
{
    static const UNICODE_STRING none;

    return Volume->StorageName == NULL ? &none : &Volume->StorageName->Name;
}

/*
 * What is known of the volume that a file system's device serves, or NULL. The filter is locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static PPSCTX_VOLUME PsctxFindVolume(_In_ PDEVICE_OBJECT VolumeDevice)
{
    PLIST_ENTRY entry;

    PAGED_CODE();

    for (entry = PsctxVolumes.Flink; entry != &PsctxVolumes; entry = entry->Flink) {
        const PPSCTX_VOLUME volume = CONTAINING_RECORD(entry, PSCTX_VOLUME, Links);

        if (volume->Device == VolumeDevice) {
            return volume;
        }
    }
    return NULL;
}

/*
 * Frees a record of our own that is not linked, or NULL.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxFreeVolume(_In_opt_ PPSCTX_VOLUME Volume)
{
    PAGED_CODE();

    if (Volume != NULL) {
        PsctxFree(Volume->StorageName);
        PsctxFree(Volume);
    }
}

/*
 * Puts a volume on the list and gives it a number. It takes the place of what was noted of it before it was attached to, and the name, if
 * that is not known any more.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLinkVolume(PPSCTX_VOLUME Volume)
{
    const PPSCTX_VOLUME noted = PsctxFindVolume(Volume->Device);

    PAGED_CODE();

    ObReferenceObject(Volume->Device);
    PsctxVolumeNumber += 1;
    Volume->Number = PsctxVolumeNumber;
    InsertTailList(&PsctxVolumes, &Volume->Links);
    PsctxVolumeCount += 1;
    if (noted != NULL) {
        if (Volume->StorageName == NULL) {
            Volume->StorageName = noted->StorageName;
            noted->StorageName = NULL;
        }
        PsctxUnlinkVolume(noted);
        PsctxFreeVolume(noted);
    }
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnlinkVolume(PPSCTX_VOLUME Volume)
{
    PAGED_CODE();

    RemoveEntryList(&Volume->Links);
    PsctxVolumeCount -= 1;
    ObDereferenceObject(Volume->Device);
}

/*
 * Notes why a volume is not attached to. One that is, as somebody else has seen to, is left as it is. Without memory it stays unknown:
 * it is mounted all the same.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxNoteVolume(PDEVICE_OBJECT VolumeDevice, PDEVICE_OBJECT StorageDevice,
                                                       ULONG Attachment, NTSTATUS Status)
{
    PPSCTX_VOLUME volume;
    PPSCTX_VOLUME known;

    PAGED_CODE();

    volume = PsctxAllocate(PagedPool, sizeof(*volume));
    if (volume == NULL) {
        return;
    }
    volume->Device = VolumeDevice;
    volume->Attachment = Attachment;
    volume->Status = Status;
    volume->TearsDown = PsctxCanTearDown(VolumeDevice);
    if (StorageDevice != NULL) {
        (VOID) PsctxQueryObjectName(StorageDevice, &volume->StorageName);
    }

    PsctxLockFilter();
    known = PsctxFindVolume(VolumeDevice);
    if (known == NULL) {
        PsctxLinkVolume(volume);
        volume = NULL;
    } else if (known->Attachment != PSCTX_ATTACHMENT_YES) {
        known->Attachment = Attachment;
        known->Status = Status;
    }
    PsctxUnlockFilter();
    PsctxFreeVolume(volume);
}

/*
 * Forgets the volumes that are not attached to: all, or those that are gone.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxForgetVolumes(BOOLEAN All)
{
    PPSCTX_VOLUME forgotten;
    PLIST_ENTRY entry;

    PAGED_CODE();

    do {
        forgotten = NULL;
        PsctxLockFilter();
        for (entry = PsctxVolumes.Flink; entry != &PsctxVolumes && forgotten == NULL; entry = entry->Flink) {
            const PPSCTX_VOLUME volume = CONTAINING_RECORD(entry, PSCTX_VOLUME, Links);

            if (volume->Attachment != PSCTX_ATTACHMENT_YES && (All || PsctxIsDeviceDeleted(volume->Device))) {
                forgotten = volume;
            }
        }
        if (forgotten != NULL) {
            PsctxUnlinkVolume(forgotten);
        }
        PsctxUnlockFilter();
        PsctxFreeVolume(forgotten);
    } while (forgotten != NULL);
}

/* A volume that a reply tells of, while its contexts are counted. */
typedef struct _PSCTX_VOLUME_COUNT {
    PDEVICE_OBJECT Device; /* compared, never followed */
    PSCTX_VOLUME_ENTRY *Entry;
} PSCTX_VOLUME_COUNT, *PPSCTX_VOLUME_COUNT;

/* A page of the volumes. */
typedef struct _PSCTX_VOLUME_PAGE {
    PSCTX_VOLUMES_REPLY *Reply;
    PUCHAR Entries;
    ULONG Capacity; /* of Entries */
    ULONG Used;
    PPSCTX_VOLUME_COUNT Counts; /* one for each entry */
} PSCTX_VOLUME_PAGE, *PPSCTX_VOLUME_PAGE;

/*
 * Tells of a volume in the next entry, if that fits. The filter is locked. STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxWriteVolume(_In_ const PSCTX_VOLUME *Volume, _Inout_ PPSCTX_VOLUME_PAGE Page)
{
    const PCUNICODE_STRING storageName = PsctxStorageName(Volume);
    POBJECT_NAME_INFORMATION fileSystem;
    PSCTX_VOLUME_ENTRY *entry;
    NTSTATUS status;
    ULONG size;

    PAGED_CODE();

    status = PsctxQueryObjectName(Volume->Device->DriverObject, &fileSystem);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    size = (ULONG)ALIGN_UP_BY(sizeof(*entry) + storageName->Length + (ULONG)fileSystem->Name.Length, sizeof(ULONG64));
    if (Page->Reply->Remaining != 0 || size > Page->Capacity - Page->Used) {
        if (Page->Reply->Remaining == 0) {
            Page->Reply->NextSize = size;
        }
        Page->Reply->Remaining += 1;
        goto FreeName;
    }

    entry = (PSCTX_VOLUME_ENTRY *)(Page->Entries + Page->Used);
    RtlZeroMemory(entry, size);
    entry->Size = size;
    entry->Attachment = Volume->Attachment;
    entry->Number = Volume->Number;
    entry->Status = (PSCTX_UINT32)Volume->Status;
    entry->DeviceType = Volume->Device->DeviceType;
    entry->TearsDown = Volume->TearsDown;
    entry->DeviceNameLength = storageName->Length;
    entry->FileSystemLength = fileSystem->Name.Length;
    RtlCopyMemory(entry + 1, storageName->Buffer, storageName->Length);
    RtlCopyMemory((PUCHAR)(entry + 1) + storageName->Length, fileSystem->Name.Buffer, fileSystem->Name.Length);
    Page->Counts[Page->Reply->Count].Device = Volume->Device;
    Page->Counts[Page->Reply->Count].Entry = entry;
    Page->Reply->Count += 1;
    Page->Used += size;

FreeName:
    PsctxFree(fileSystem);
    return status;
}

/*
 * Counts every session's contexts on the volumes of a page, one shard after the other.
 */
PSCTX_PAGE static VOID PsctxCountContexts(_Inout_ PPSCTX_VOLUME_PAGE Page)
{
    const ULONG count = Page->Reply->Count;
    ULONG number;
    ULONG index = 0; /* of the volume that the last context was on: likely the next one's */

    PAGED_CODE();

    for (number = 0; number < PSCTX_SHARD_COUNT && count != 0; number += 1) {
        PPSCTX_CONTEXT context;
        PSCTX_WALK walk;

        PsctxBeginShardWalk(&walk, number, PsctxShardYoungestFirst);
        for (context = PsctxNextContext(&walk); context != NULL; context = PsctxNextContext(&walk)) {
            ULONG tries;

            for (tries = 0; tries < count && Page->Counts[index].Device != context->VolumeDevice; tries += 1) {
                index = (index + 1) % count;
            }
            if (tries < count) {
                Page->Counts[index].Entry->Contexts += 1;
                Page->Counts[index].Entry->Bytes += PsctxContextSize(context);
            }
        }
        PsctxEndWalk(&walk);
    }
}

/*
 * Fills a page with the volumes whose number is above After. PsctxFree frees its Counts. STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxFillPage(_Inout_ PPSCTX_VOLUME_PAGE Page, _In_ ULONG64 After)
{
    NTSTATUS status = STATUS_SUCCESS;
    PLIST_ENTRY link;

    PAGED_CODE();

    PsctxLockFilter();
    if (PsctxVolumeCount != 0) {
        Page->Counts = PsctxAllocate(PagedPool, (SIZE_T)PsctxVolumeCount * sizeof(*Page->Counts));
        if (Page->Counts == NULL) {
            status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    for (link = PsctxVolumes.Flink; link != &PsctxVolumes && NT_SUCCESS(status); link = link->Flink) {
        const PPSCTX_VOLUME volume = CONTAINING_RECORD(link, PSCTX_VOLUME, Links);

        if (volume->Number > After) {
            status = PsctxWriteVolume(volume, Page);
        }
    }
    PsctxUnlockFilter();
    return status;
}

/*
 * Tells of the volumes with a number above PSCTX_VOLUMES_REQUEST.After: none, where there is no filter.
 * STATUS_BUFFER_OVERFLOW with NextSize set, STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleListVolumes(PPSCTX_REQUEST Request)
{
    const ULONG64 after = ((const PSCTX_VOLUMES_REQUEST *)Request->Input)->After;
    PSCTX_VOLUMES_REPLY *reply = Request->Output;
    PSCTX_VOLUME_PAGE page = {0};
    NTSTATUS status = STATUS_SUCCESS;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    page.Reply = reply;
    page.Entries = (PUCHAR)(reply + 1);
    page.Capacity = Request->OutputLength - (ULONG)sizeof(*reply);
    if (PsctxIsFilterStarted()) {
        PsctxForgetDeletedDevices();
        status = PsctxFillPage(&page, after);
    }
    if (NT_SUCCESS(status)) {
        PsctxCountContexts(&page);
        PsctxSetReplyHeader(Request, (ULONG)sizeof(*reply) + page.Used);
        if (reply->Count == 0 && reply->Remaining != 0) {
            status = STATUS_BUFFER_OVERFLOW;
        }
    }
    PsctxFree(page.Counts);
    return status;
}
