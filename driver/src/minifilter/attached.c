/*
 * The volumes that the minifilter is attached to, and those that it is not.
 */
#include "minifilter/instance.h"

#define PSCTX_SPARE_VOLUMES 16u /* that may be mounted while there is memory allocated for the list of all */

static PSCTX_IS_FRONT_STARTED PsctxIsMinifilterStarted;
static PSCTX_LOOK_FOR_VOLUMES PsctxLookForUnattached;
static PSCTX_LOCK_VOLUMES PsctxLockVolumesShared;
static PSCTX_LOCK_VOLUMES PsctxUnlockVolumesShared;
static PSCTX_NEXT_VOLUME PsctxNextAttached;

/*
 * A resource, since volumes are reported and listed at PASSIVE_LEVEL. Nobody who holds it sends a request or calls Filter Manager. Of our
 * other locks only the readers' is taken under it, so that the events of volumes are in the order of what happens.
 */
static ERESOURCE PsctxVolumesLock;
_Guarded_by_(PsctxVolumesLock) static LIST_ENTRY PsctxAttachedVolumes;
_Guarded_by_(PsctxVolumesLock) static ULONG64 PsctxInstanceNumber; /* the last that was given: they grow */

/*
 * Nothing is attached to. The statuses of ExInitializeResourceLite.
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartVolumes(VOID)
{
    PAGED_CODE();

    InitializeListHead(&PsctxAttachedVolumes);
    return ExInitializeResourceLite(&PsctxVolumesLock);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopVolumes(VOID)
{
    PAGED_CODE();

    ExDeleteResourceLite(&PsctxVolumesLock);
}

_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxLockVolumes(VOID)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&PsctxVolumesLock, TRUE);
}

/*
 * Delivers, too, what was reported meanwhile: still in the critical region, since whoever waits for it would wait for this thread.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxUnlockVolumes(VOID)
{
    PAGED_CODE();

    ExReleaseResourceLite(&PsctxVolumesLock);
    PsctxDeliverEvents();
    KeLeaveCriticalRegion();
}

/*
 * For whoever only looks, and reports nothing.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxLockVolumesShared(VOID)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&PsctxVolumesLock, TRUE);
}

PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxUnlockVolumesShared(VOID)
{
    PAGED_CODE();

    ExReleaseResourceLite(&PsctxVolumesLock);
    KeLeaveCriticalRegion();
}

/*
 * Counts a volume in or out, and reports it; the volumes are locked. A redirector's is counted as the file system that it is.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxVolumesLock) PSCTX_PAGE static VOID
    PsctxCountVolume(_In_ const PSCTX_VOLUME_CONTEXT *Context, _In_ BOOLEAN Attached)
{
    static const UNICODE_STRING none = {0, 0, L""}; /* not NULL: no character is copied from there */
    volatile LONG *counter = Context->Redirector ? &PsctxAttachments.FileSystems : &PsctxAttachments.Volumes;

    PAGED_CODE();

    InterlockedExchangeAdd(counter, Attached ? 1 : -1);
    if (!Context->Redirector) {
        PsctxReportVolume(Attached ? PSCTX_EVENT_VOLUME_ATTACHED : PSCTX_EVENT_VOLUME_DETACHED,
                          Context->Volume.StorageName == NULL ? &none : &Context->Volume.StorageName->Name);
    }
}

/*
 * Enters a volume with its instance. FALSE if it has one. The caller holds a reference on the context until it is taken out again.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxLinkVolume(PPSCTX_VOLUME_CONTEXT Context, PFLT_INSTANCE Instance)
{
    BOOLEAN linked;

    PAGED_CODE();

    PsctxLockVolumes();
    linked = Context->Instance == NULL;
    if (linked) {
        PsctxInstanceNumber += 1;
        Context->Instance = Instance;
        Context->Volume.Number = PsctxInstanceNumber;
        Context->Volume.Attachment = PSCTX_ATTACHMENT_YES;
        Context->Volume.Status = STATUS_SUCCESS;
        InsertTailList(&PsctxAttachedVolumes, &Context->Links);
        PsctxCountVolume(Context, TRUE);
    }
    PsctxUnlockVolumes();
    return linked;
}

/*
 * Keeps in mind why a volume without an instance is not to have one.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxRefuseVolume(PPSCTX_VOLUME_CONTEXT Context, ULONG Attachment)
{
    PAGED_CODE();

    PsctxLockVolumes();
    if (Context->Instance == NULL) {
        Context->Volume.Attachment = Attachment;
    }
    PsctxUnlockVolumes();
}

/*
 * Takes out the volume that an instance was on, and returns its context, whose reference is the caller's now; NULL if there is none. Where
 * somebody has asked for the instance to go, it does not come back by itself.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_VOLUME_CONTEXT PsctxUnlinkVolume(PFLT_INSTANCE Instance, BOOLEAN Asked)
{
    PPSCTX_VOLUME_CONTEXT context = NULL;
    PLIST_ENTRY entry;

    PAGED_CODE();

    PsctxLockVolumes();
    entry = PsctxAttachedVolumes.Flink;
    while (entry != &PsctxAttachedVolumes &&
           CONTAINING_RECORD(entry, PSCTX_VOLUME_CONTEXT, Links)->Instance != Instance) {
        entry = entry->Flink;
    }
    if (entry != &PsctxAttachedVolumes) {
        context = CONTAINING_RECORD(entry, PSCTX_VOLUME_CONTEXT, Links);
        RemoveEntryList(entry);
        context->Instance = NULL;
        context->Volume.Attachment = PSCTX_ATTACHMENT_FAILED;
        context->Volume.Status = Asked ? STATUS_FLT_DO_NOT_ATTACH : STATUS_SUCCESS;
        PsctxCountVolume(context, FALSE);
    }
    PsctxUnlockVolumes();
    return context;
}

/*
 * What is known of a volume that may have an instance: STATUS_SUCCESS for PSCTX_ATTACHMENT_FAILED if nothing speaks against one. What is its
 * own in the answer is not. FALSE if nothing is known.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxReadVolume(_In_ PFLT_VOLUME Volume, _Out_ PULONG Attachment, _Out_ PNTSTATUS Status)
{
    PFLT_CONTEXT found;
    BOOLEAN known;

    PAGED_CODE();

    *Attachment = PSCTX_ATTACHMENT_FAILED;
    *Status = STATUS_SUCCESS;
    known = NT_SUCCESS(FltGetVolumeContext(PsctxFilter, Volume, &found));
    if (known) {
        const PPSCTX_VOLUME_CONTEXT context = found;

        PsctxLockVolumesShared();
        *Attachment = context->Volume.Attachment;
        *Status = context->Volume.Status;
        PsctxUnlockVolumesShared();
        FltReleaseContext(context);
    }
    return known;
}

/*
 * Whether a volume belongs on the list of volumes. The caller dereferences Device if it does.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Success_(return) PSCTX_PAGE static BOOLEAN
    PsctxIsVolumeListed(_In_ PFLT_VOLUME Volume, _Outptr_ PDEVICE_OBJECT *Device)
{
    FLT_FILESYSTEM_TYPE type = FLT_FSTYPE_UNKNOWN;
    BOOLEAN listed;

    PAGED_CODE();

    if (!NT_SUCCESS(PsctxReferenceFileSystemDevice(Volume, Device))) {
        return FALSE;
    }
    (VOID) FltGetFileSystemType(Volume, &type);
    listed =
        (*Device)->DeviceType != FILE_DEVICE_NETWORK_FILE_SYSTEM && PsctxIsVolumeFiltered((*Device)->DeviceType, type);
    if (!listed) {
        ObDereferenceObject(*Device);
    }
    return listed;
}

/*
 * Has an instance set up on a volume that has none and is not known to be without one for a reason, and notes if it stays so.
 * [fltkernel/nf-fltkernel-fltattachvolume]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxLookAtVolume(_In_ PFLT_VOLUME Volume, _Inout_ PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PDEVICE_OBJECT device;
    ULONG attachment;
    NTSTATUS reason;
    NTSTATUS status;

    PAGED_CODE();

    if (!PsctxIsVolumeListed(Volume, &device)) {
        return;
    }
    (VOID) PsctxReadVolume(Volume, &attachment, &status);
    if (attachment == PSCTX_ATTACHMENT_FAILED && NT_SUCCESS(status)) {
        status = FltAttachVolume(PsctxFilter, Volume, NULL, NULL);
        if (PsctxReadVolume(Volume, &attachment, &reason) && attachment != PSCTX_ATTACHMENT_FAILED) {
            status = reason;
        }
    }
    if (attachment != PSCTX_ATTACHMENT_YES) {
        const PPSCTX_VOLUME noted = PsctxNoteUnattached(Unattached, device, attachment, status);

        if (noted != NULL) {
            noted->StorageName = PsctxQueryVolumeName(Volume);
        }
    }
    ObDereferenceObject(device);
}

/*
 * Every volume that Filter Manager knows, each referenced, in memory for PsctxFree. STATUS_INSUFFICIENT_RESOURCES, or what Filter
 * Manager answers. [fltkernel/nf-fltkernel-fltenumeratevolumes]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxListVolumes(_Outptr_ PFLT_VOLUME **Volumes, _Out_ PULONG Count)
{
    ULONG room = PSCTX_SPARE_VOLUMES;
    PFLT_VOLUME *volumes;
    NTSTATUS status;

    PAGED_CODE();

    for (;;) {
        volumes = PsctxAllocate(PagedPool, (SIZE_T)room * sizeof(*volumes));
        if (volumes == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        status = FltEnumerateVolumes(PsctxFilter, volumes, room, Count);
        if (NT_SUCCESS(status)) {
            break;
        }
        PsctxFree(volumes);
        if (status != STATUS_BUFFER_TOO_SMALL || *Count <= room) {
            return status;
        }
        room = *Count + PSCTX_SPARE_VOLUMES;
    }
    *Volumes = volumes;
    return STATUS_SUCCESS;
}

/*
 * Looks at every volume: Filter Manager tells of them all by itself, so that it is mostly those which are not to be attached to that are found.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxLookForUnattached(PPSCTX_UNATTACHED_VOLUMES Unattached)
{
    PFLT_VOLUME *volumes;
    NTSTATUS status;
    ULONG count;
    ULONG index;

    PAGED_CODE();

    status = PsctxListVolumes(&volumes, &count);
    if (!NT_SUCCESS(status)) {
        Unattached->Status = status;
        return;
    }
    for (index = 0; index < count; index += 1) {
        PsctxLookAtVolume(volumes[index], Unattached);
        FltObjectDereference(volumes[index]);
    }
    PsctxFree(volumes);
}

/*
 * The next volume that is attached to, in the order in which they were; the volumes are locked.
 */
PSCTX_PAGE _Use_decl_annotations_ static BOOLEAN PsctxNextAttached(PVOID *Position, PPSCTX_VOLUME Volume)
{
    PLIST_ENTRY entry = *Position == NULL ? &PsctxAttachedVolumes : &((PPSCTX_VOLUME_CONTEXT)*Position)->Links;

    PAGED_CODE();

    do {
        entry = entry->Flink;
    } while (entry != &PsctxAttachedVolumes && CONTAINING_RECORD(entry, PSCTX_VOLUME_CONTEXT, Links)->Redirector);
    if (entry == &PsctxAttachedVolumes) {
        *Position = NULL;
        return FALSE;
    }
    *Position = CONTAINING_RECORD(entry, PSCTX_VOLUME_CONTEXT, Links);
    *Volume = ((PPSCTX_VOLUME_CONTEXT)*Position)->Volume;
    return TRUE;
}

/*
 * Whoever asks has the control device open, and so the driver is not stopped yet.
 */
PSCTX_PAGE _Use_decl_annotations_ static BOOLEAN PsctxIsMinifilterStarted(VOID)
{
    PAGED_CODE();

    return TRUE;
}

const PSCTX_VOLUME_SOURCE PsctxMinifilterVolumes = {
    .IsStarted = PsctxIsMinifilterStarted,
    .LookForVolumes = PsctxLookForUnattached,
    .Lock = PsctxLockVolumesShared,
    .Unlock = PsctxUnlockVolumesShared,
    .NextVolume = PsctxNextAttached,
};
