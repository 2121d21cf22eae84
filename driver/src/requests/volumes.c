/*
 * The operation LIST_VOLUMES: the volumes that are attached to, then those that are not.
 */
#include "inspection/inspection.h"
#include "requests/request.h"
#include "volumes/volumes.h"

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
    PPSCTX_KEYED Order;         /* of the volumes that are not attached to, by their numbers */
} PSCTX_VOLUME_PAGE, *PPSCTX_VOLUME_PAGE;

/*
 * Tells of a volume in the next entry, if that fits. STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxWriteVolume(_In_ const PSCTX_VOLUME *Volume, _Inout_ PPSCTX_VOLUME_PAGE Page)
{
    const USHORT storageLength = Volume->StorageName == NULL ? 0 : Volume->StorageName->Name.Length;
    POBJECT_NAME_INFORMATION fileSystem;
    PSCTX_VOLUME_ENTRY *entry;
    NTSTATUS status;
    ULONG size;

    PAGED_CODE();

    status = PsctxQueryObjectName(Volume->Device->DriverObject, &fileSystem);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    size = (ULONG)ALIGN_UP_BY(sizeof(*entry) + storageLength + (ULONG)fileSystem->Name.Length, sizeof(ULONG64));
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
    entry->TearsDown = PsctxTearsDown(Volume->Device);
    entry->DeviceNameLength = storageLength;
    entry->FileSystemLength = fileSystem->Name.Length;
    if (storageLength != 0) {
        RtlCopyMemory(entry + 1, Volume->StorageName->Name.Buffer, storageLength);
    }
    RtlCopyMemory((PUCHAR)(entry + 1) + storageLength, fileSystem->Name.Buffer, fileSystem->Name.Length);
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
    const ULONG count = Page->Counts == NULL ? 0 : Page->Reply->Count;
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
 * Tells of the volumes that are attached to, in the order in which they were. STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxWriteAttachedVolumes(_Inout_ PPSCTX_VOLUME_PAGE Page, _In_ ULONG64 After, _In_ ULONG OtherCount)
{
    PSCTX_VOLUME volume;
    PVOID position = NULL;
    ULONG count = OtherCount;
    NTSTATUS status = STATUS_SUCCESS;

    PAGED_CODE();

    PsctxVolumeSource->Lock();
    while (PsctxVolumeSource->NextVolume(&position, &volume)) {
        count += 1;
    }
    if (count != 0) {
        Page->Counts = PsctxAllocate(PagedPool, (SIZE_T)count * sizeof(*Page->Counts));
        if (Page->Counts == NULL) {
            status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    while (Page->Counts != NULL && NT_SUCCESS(status) && PsctxVolumeSource->NextVolume(&position, &volume)) {
        if (volume.Number > After) {
            status = PsctxWriteVolume(&volume, Page);
        }
    }
    PsctxVolumeSource->Unlock();
    return status;
}

/*
 * Tells of the others, in the order of their numbers, which are given here. STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxWriteUnattachedVolumes(_Inout_ PPSCTX_VOLUME_PAGE Page, _In_ ULONG64 After,
                                _In_ const PSCTX_UNATTACHED_VOLUMES *Unattached)
{
    PSINGLE_LIST_ENTRY link;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG count = 0;
    ULONG index;

    PAGED_CODE();

    if (Unattached->Count == 0) {
        return STATUS_SUCCESS;
    }
    Page->Order = PsctxAllocate(PagedPool, (SIZE_T)Unattached->Count * sizeof(*Page->Order));
    if (Page->Order == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (link = Unattached->First.Next; link != NULL; link = link->Next) {
        const PPSCTX_VOLUME volume = &CONTAINING_RECORD(link, PSCTX_UNATTACHED_VOLUME, Links)->Volume;

        volume->Number = PSCTX_VOLUME_UNATTACHED | PsctxMakeToken((ULONG_PTR)volume->Device);
        if (volume->Number > After) {
            Page->Order[count].Key = volume->Number;
            Page->Order[count].Value = volume;
            count += 1;
        }
    }
    PsctxSort(Page->Order, count);
    for (index = 0; index < count && NT_SUCCESS(status); index += 1) {
        status = PsctxWriteVolume(Page->Order[index].Value, Page);
    }
    return status;
}

/*
 * Tells of the volumes with a number above PSCTX_VOLUMES_REQUEST.After: none, where there is no filter. Those that are mounted and not
 * attached to are tried to be attached to first: they may have been mounted past us. STATUS_BUFFER_OVERFLOW with NextSize set,
 * STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxHandleListVolumes(PPSCTX_REQUEST Request)
{
    const ULONG64 after = ((const PSCTX_VOLUMES_REQUEST *)Request->Input)->After;
    PSCTX_VOLUMES_REPLY *reply = Request->Output;
    PSCTX_UNATTACHED_VOLUMES unattached = {0};
    PSCTX_VOLUME_PAGE page = {0};
    NTSTATUS status = STATUS_SUCCESS;

    PAGED_CODE();

    RtlZeroMemory(reply, sizeof(*reply));
    page.Reply = reply;
    page.Entries = (PUCHAR)(reply + 1);
    page.Capacity = Request->OutputLength - (ULONG)sizeof(*reply);
    if (PsctxVolumeSource->IsStarted()) {
        PsctxVolumeSource->LookForVolumes(&unattached);
        status = unattached.Status;
        if (NT_SUCCESS(status)) {
            status = PsctxWriteAttachedVolumes(&page, after, unattached.Count);
        }
        if (NT_SUCCESS(status)) {
            status = PsctxWriteUnattachedVolumes(&page, after, &unattached);
        }
    }
    if (NT_SUCCESS(status)) {
        PsctxCountContexts(&page);
        PsctxSetReplyHeader(Request, (ULONG)sizeof(*reply) + page.Used);
        if (reply->Count == 0 && reply->Remaining != 0) {
            status = STATUS_BUFFER_OVERFLOW;
        }
    }
    PsctxFree(page.Order);
    PsctxFree(page.Counts);
    PsctxFreeUnattached(&unattached);
    return status;
}
