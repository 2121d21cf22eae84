/*
 * The legacy filter's devices: attached to file systems as they register and to volumes as they mount, detached when
 * those go.
 *
 * RAW is left alone: registration does not tell of it, and its volumes have no file streams to hang contexts on.
 * [ntifs/nf-ntifs-ioregisterfsregistrationchange]
 */
#include "legacy/filter.h"

#define PSCTX_ATTACH_INTERVAL (-100 * 10000ll) /* 100 ms, in the 100 ns units of a relative time */
#define PSCTX_DRAIN_INTERVAL (-50 * 10000ll)   /* 50 ms: several quanta */
#define PSCTX_RETIREMENT 20u                   /* turns of housekeeping: two seconds */

/*
 * Makes "attached already?" and attaching, or "still attached?" and detaching, one step. A resource, since devices are
 * detached at PASSIVE_LEVEL, and since detaching the last user of a device can have its driver call back into us on the
 * same thread. Of our other locks only the readers' is taken under it, so that the events of a volume are in order.
 */
static ERESOURCE PsctxFilterLock;
_Guarded_by_(PsctxFilterLock) static LIST_ENTRY PsctxFilterDevices;
_Guarded_by_(PsctxFilterLock) static LIST_ENTRY PsctxRetiredDevices;
_Guarded_by_(PsctxFilterLock) static BOOLEAN PsctxDevicesAge; /* housekeeping takes turns for those */

PSCTX_PASSAGE PsctxPassage;

/* Held by requests that may attach a device when they come back. */
static EX_RUNDOWN_REF PsctxFilterRundown;
_Guarded_by_(PsctxFilterLock) static ULONG64 PsctxAttachmentNumber;
static volatile LONG PsctxFilterStarted; /* changed and read with interlocked operations alone */

static DRIVER_FS_NOTIFICATION PsctxFileSystemChange;

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLockFilter(VOID)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&PsctxFilterLock, TRUE);
}

/*
 * Delivers, too, what was reported meanwhile, if this thread has not locked the filter more than once: still in the critical region, since
 * whoever waits for it would wait for this thread.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnlockFilter(VOID)
{
    PAGED_CODE();

    ExReleaseResourceLite(&PsctxFilterLock);
    if (!ExIsResourceAcquiredExclusiveLite(&PsctxFilterLock)) {
        PsctxDeliverEvents();
    }
    KeLeaveCriticalRegion();
}

/*
 * For whoever only looks, and reports nothing.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLockFilterShared(VOID)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&PsctxFilterLock, TRUE);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnlockFilterShared(VOID)
{
    PAGED_CODE();

    ExReleaseResourceLite(&PsctxFilterLock);
    KeLeaveCriticalRegion();
}

/*
 * Whether there is a filter: not on a kernel that blocks legacy filters.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsFilterStarted(VOID)
{
    PAGED_CODE();

    return InterlockedCompareExchange(&PsctxFilterStarted, 0, 0) != 0;
}

/*
 * To be called before, and PsctxLeaveFilter after, a request is forwarded that ends in an attachment. FALSE while the
 * filter stops: the request is then passed through. Between the two the thread is in a critical region, as it mostly is when a file
 * system is asked to mount: it cannot be suspended while the filter's end waits for it.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxEnterFilter(VOID)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    if (ExAcquireRundownProtection(&PsctxFilterRundown)) {
        return TRUE;
    }
    KeLeaveCriticalRegion();
    return FALSE;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLeaveFilter(VOID)
{
    PAGED_CODE();

    ExReleaseRundownProtection(&PsctxFilterRundown);
    KeLeaveCriticalRegion();
}

/*
 * A device of the filter, attached to nothing yet; the caller attaches or deletes it. The statuses of IoCreateDevice.
 * [ifs/creating-the-filter-device-object]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxCreateFilterDevice(PSCTX_FILTER_KIND Kind, DEVICE_TYPE DeviceType,
                                                                   PDEVICE_OBJECT *FilterDevice)
{
    PPSCTX_FILTER_EXTENSION extension;
    NTSTATUS status;

    PAGED_CODE();

    status = IoCreateDevice(PsctxGlobals.DriverObject, sizeof(PSCTX_FILTER_EXTENSION), NULL, DeviceType, 0, FALSE,
                            FilterDevice);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    extension = (*FilterDevice)->DeviceExtension;
    RtlZeroMemory(extension, sizeof(*extension));
    extension->Kind = Kind;
    extension->DeviceObject = *FilterDevice;
    return STATUS_SUCCESS;
}

/*
 * The extension of the first attached device, or of the one after Previous; NULL behind the last. The filter is locked, be it shared.
 */
PSCTX_PAGE _Use_decl_annotations_ PPSCTX_FILTER_EXTENSION PsctxNextFilterDevice(const PSCTX_FILTER_EXTENSION *Previous)
{
    const PLIST_ENTRY next = Previous == NULL ? PsctxFilterDevices.Flink : Previous->Links.Flink;

    PAGED_CODE();

    return next == &PsctxFilterDevices ? NULL : CONTAINING_RECORD(next, PSCTX_FILTER_EXTENSION, Links);
}

/*
 * The filter's device in the stack of a file system's device, or NULL. The filter is locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static PDEVICE_OBJECT
    PsctxFindFilterDevice(_In_ PDEVICE_OBJECT Target)
{
    PPSCTX_FILTER_EXTENSION extension;

    PAGED_CODE();

    extension = PsctxNextFilterDevice(NULL);
    while (extension != NULL && extension->Target != Target) {
        extension = PsctxNextFilterDevice(extension);
    }
    return extension != NULL ? extension->DeviceObject : NULL;
}

/*
 * Gives back a device of the filter that is in no stack, with what it holds of the devices it was attached to.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxDeleteFilterDevice(_In_ PDEVICE_OBJECT FilterDevice)
{
    const PPSCTX_FILTER_EXTENSION extension = FilterDevice->DeviceExtension;
    const PDEVICE_OBJECT target = extension->Target;
    const PDEVICE_OBJECT attachedTo = extension->AttachedTo;
    const POBJECT_NAME_INFORMATION storageName = extension->StorageName;

    PAGED_CODE();

    IoDeleteDevice(FilterDevice);
    PsctxFree(storageName);
    if (attachedTo != NULL) {
        ObDereferenceObject(attachedTo);
        ObDereferenceObject(target);
    }
}

/*
 * Gives up a device that has been taken out of its stack, when its time has come: until then a thread that has found it there before
 * may send a request to it, or may be in the driver below with one.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxRetireFilterDevice(PDEVICE_OBJECT FilterDevice)
{
    const PPSCTX_FILTER_EXTENSION extension = FilterDevice->DeviceExtension;

    PAGED_CODE();

    PsctxLockFilter();
    if (!PsctxDevicesAge) {
        PsctxDevicesAge = TRUE;
        PsctxWakeHousekeeping();
    }
    InsertTailList(&PsctxRetiredDevices, &extension->Links);
    PsctxUnlockFilter();
}

/*
 * One more turn for the retired devices. Those that have been out of their stacks for long enough are deleted, when no create that is
 * waited for comes back to them, and nothing is on its way through the driver, where that is counted. Where a volume goes, nobody is left who
 * could have found ours there; where another filter has gone, somebody may have been suspended, and ours stays as long as it is attached
 * to that stack again. Whether there are more that age.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxAgeRetiredDevices(VOID)
{
    LIST_ENTRY finished;
    PLIST_ENTRY entry;
    PLIST_ENTRY next;
    BOOLEAN more = FALSE;

    PAGED_CODE();

    InitializeListHead(&finished);
    PsctxLockFilter();
    for (entry = PsctxRetiredDevices.Flink; entry != &PsctxRetiredDevices; entry = next) {
        const PPSCTX_FILTER_EXTENSION extension = CONTAINING_RECORD(entry, PSCTX_FILTER_EXTENSION, Links);

        next = entry->Flink;
        if (extension->Lower != extension->AttachedTo && PsctxFindFilterDevice(extension->Target) != NULL) {
            continue;
        }
        extension->Age += 1;
        if (extension->Age >= PSCTX_RETIREMENT && InterlockedCompareExchange(&extension->Creates, 0, 0) == 0 &&
            InterlockedCompareExchange(&PsctxPassage.Requests, 0, 0) == 0) {
            RemoveEntryList(entry);
            InsertTailList(&finished, entry);
        } else {
            more = TRUE;
        }
    }
    PsctxDevicesAge = more;
    PsctxUnlockFilter();
    while (!IsListEmpty(&finished)) {
        PsctxDeleteFilterDevice(
            CONTAINING_RECORD(RemoveHeadList(&finished), PSCTX_FILTER_EXTENSION, Links)->DeviceObject);
    }
    return more;
}

static volatile LONG *PsctxAttachmentCounter(_In_ PSCTX_FILTER_KIND Kind)
{
    return Kind == PsctxVolumeFilter ? &PsctxAttachments.Volumes : &PsctxAttachments.FileSystems;
}

/*
 * What a volume's storage device is called: empty if it has none, or is not known. The filter is locked.
 */
PSCTX_PAGE static PCUNICODE_STRING PsctxStorageNameOf(_In_ const PSCTX_FILTER_EXTENSION *Extension)
{
    static const UNICODE_STRING none = {0, 0, L""}; /* not NULL: no character is copied from there */

    PAGED_CODE();

    return Extension->StorageName == NULL ? &none : &Extension->StorageName->Name;
}

/*
 * Puts an attached device on the list or takes it off; the filter is locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static VOID
    PsctxLinkFilterDevice(_Inout_ PPSCTX_FILTER_EXTENSION Extension)
{
    PAGED_CODE();

    Extension->Attached = TRUE;
    PsctxAttachmentNumber += 1;
    Extension->Number = PsctxAttachmentNumber;
    InsertTailList(&PsctxFilterDevices, &Extension->Links);
    InterlockedIncrement(PsctxAttachmentCounter(Extension->Kind));
    if (Extension->Kind == PsctxVolumeFilter) {
        PsctxReportVolume(PSCTX_EVENT_VOLUME_ATTACHED, PsctxStorageNameOf(Extension));
    }
}

_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static VOID
    PsctxUnlinkFilterDevice(_Inout_ PPSCTX_FILTER_EXTENSION Extension)
{
    PAGED_CODE();

    Extension->Attached = FALSE;
    RemoveEntryList(&Extension->Links);
    InterlockedDecrement(PsctxAttachmentCounter(Extension->Kind));
    if (Extension->Kind == PsctxVolumeFilter) {
        PsctxReportVolume(PSCTX_EVENT_VOLUME_DETACHED, PsctxStorageNameOf(Extension));
    }
}

/*
 * Detaches a device from the one below, unless the file system has done so itself before it deletes its own, or that has been deleted
 * without a word; the filter is locked. The statuses of PsctxIsLowerDeviceDeleted: the device is as it was.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static NTSTATUS
    PsctxLeaveStack(_In_ const PSCTX_FILTER_EXTENSION *Extension)
{
    BOOLEAN deleted;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxIsLowerDeviceDeleted(Extension, &deleted);
    if (NT_SUCCESS(status) && !deleted && Extension->AttachedTo->AttachedDevice == Extension->DeviceObject) {
        IoDetachDevice(Extension->AttachedTo);
    }
    return status;
}

/*
 * Tries once to attach to the top of Target's stack. What the I/O manager looks at in the top device is taken over from
 * Target first: from the moment of attachment requests come here. TargetStackSize is how deep Target's own stack will be:
 * requests are as deep as the top device says. STATUS_NO_SUCH_DEVICE from
 * IoAttachDeviceToDeviceStackSafe; STATUS_DEVICE_ALREADY_ATTACHED if the stack has a device of ours.
 *
 * The references keep the memory of the devices below for as long as requests may be passed to them, and their addresses
 * from meaning another device: not every kernel tells a filter that the device below goes.
 * [ifs/propagating-the-doxxx-flags, ifs/attaching-the-filter-device-object-to-the-target-device-object]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxTryToAttach(_In_ PDEVICE_OBJECT FilterDevice, _In_ PDEVICE_OBJECT Target, _In_ CCHAR TargetStackSize)
{
    const PPSCTX_FILTER_EXTENSION extension = FilterDevice->DeviceExtension;
    NTSTATUS status;

    PAGED_CODE();

    FilterDevice->Flags |= FlagOn(Target->Flags, DO_BUFFERED_IO | DO_DIRECT_IO | DO_SUPPORTS_TRANSACTIONS);
    FilterDevice->Characteristics |= FlagOn(Target->Characteristics, FILE_DEVICE_SECURE_OPEN);
    extension->Target = Target;

    PsctxLockFilter();
    if (PsctxFindFilterDevice(Target) != NULL) {
        status = STATUS_DEVICE_ALREADY_ATTACHED;
    } else {
        status = IoAttachDeviceToDeviceStackSafe(FilterDevice, Target, (PDEVICE_OBJECT *)&extension->Lower);
    }
    if (NT_SUCCESS(status)) {
        extension->AttachedTo = extension->Lower;
        if (Target->StackSize < TargetStackSize) {
            FilterDevice->StackSize = (CCHAR)(FilterDevice->StackSize + TargetStackSize - Target->StackSize);
        }
        FilterDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        ObReferenceObject(Target);
        ObReferenceObject(extension->AttachedTo);
        PsctxLinkFilterDevice(extension);
    }
    PsctxUnlockFilter();
    return status;
}

/*
 * Attaches a device to the stack of a file system's device, which the caller keeps from going away, or deletes it: if
 * it cannot be attached, that stack is not filtered. A volume that is found while it is being mounted may still be
 * initialising; that is waited for, within bounds. The statuses of PsctxTryToAttach.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxAttachFilterDevice(_In_ PDEVICE_OBJECT FilterDevice, _In_ PDEVICE_OBJECT Target, _In_ CCHAR TargetStackSize,
                            _In_ ULONG Attempts)
{
    LARGE_INTEGER interval;
    BOOLEAN initializing;
    ULONG attempt;
    NTSTATUS status = STATUS_UNSUCCESSFUL;

    PAGED_CODE();

    interval.QuadPart = PSCTX_ATTACH_INTERVAL;
    for (attempt = 0; attempt < Attempts; attempt += 1) {
        if (attempt != 0) {
            KeDelayExecutionThread(KernelMode, FALSE, &interval);
        }
        initializing = FlagOn(Target->Flags, DO_DEVICE_INITIALIZING) != 0;
        status = PsctxTryToAttach(FilterDevice, Target, TargetStackSize);
        if (status != STATUS_NO_SUCH_DEVICE || !initializing) {
            break;
        }
    }
    if (!NT_SUCCESS(status)) {
        PsctxDeleteFilterDevice(FilterDevice);
    }
    return status;
}

/*
 * Attaches to a file system's control device, which the caller keeps from going away. If that fails there is nobody to tell.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAttachFileSystem(PDEVICE_OBJECT ControlDevice)
{
    PDEVICE_OBJECT filterDevice;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxCreateFilterDevice(PsctxFileSystemFilter, ControlDevice->DeviceType, &filterDevice);
    if (NT_SUCCESS(status)) {
        (VOID) PsctxAttachFilterDevice(filterDevice, ControlDevice, ControlDevice->StackSize, 1);
    }
}

/*
 * Attaches to a mounted volume, which the caller keeps from going away, trying so many times while that is still initialising. The
 * name of its storage device is for telling alone: where it is not known, or there is no memory for it, a file that is opened tells it.
 * The statuses of PsctxCreateFilterDevice and PsctxTryToAttach.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxAttachVolume(PDEVICE_OBJECT VolumeDevice, PDEVICE_OBJECT StorageDevice,
                                                             CCHAR StackSize, ULONG Attempts)
{
    PPSCTX_FILTER_EXTENSION extension;
    PDEVICE_OBJECT filterDevice;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxCreateFilterDevice(PsctxVolumeFilter, VolumeDevice->DeviceType, &filterDevice);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    extension = filterDevice->DeviceExtension;
    if (StorageDevice != NULL) {
        (VOID) PsctxQueryObjectName(StorageDevice, &extension->StorageName);
    }
    extension->StorageUnknown = extension->StorageName == NULL;
    return PsctxAttachFilterDevice(filterDevice, VolumeDevice, StackSize, Attempts);
}

/*
 * Attaches anew to the stack that a device of ours has left because another filter's device below it goes, unless the file system's goes
 * too, or the filter stops. A request may still come to the old device, from who has found it before: it goes to the file system.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAttachAgain(PPSCTX_FILTER_EXTENSION Extension)
{
    PAGED_CODE();

    (VOID) InterlockedExchangePointer(&Extension->Lower, Extension->Target);

    if (!PsctxEnterFilter()) {
        return;
    }
    if (Extension->Kind == PsctxVolumeFilter) {
        PsctxAttachMountedVolume(Extension->Target, 1, NULL);
    } else {
        PsctxAttachFileSystem(Extension->Target);
    }
    PsctxLeaveFilter();
}

/*
 * Takes a device out of its stack. TRUE if this call did: the caller retires the device, when it does not need it any more. FALSE if it
 * was not attached, somebody else was first, or memory failed to tell whether the device below is there still.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxDetachFilterDevice(PDEVICE_OBJECT FilterDevice)
{
    const PPSCTX_FILTER_EXTENSION extension = FilterDevice->DeviceExtension;
    BOOLEAN attached;

    PAGED_CODE();

    PsctxLockFilter();
    attached = extension->Attached && NT_SUCCESS(PsctxLeaveStack(extension));
    if (attached) {
        PsctxUnlinkFilterDevice(extension);
    }
    PsctxUnlockFilter();
    return attached;
}

/*
 * Whether a file system that registers is one to filter: of a type whose files carry stream contexts, and not the
 * recognizer, which stands in for file systems that are not loaded and goes when they are.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxIsFileSystemFiltered(_In_ PDEVICE_OBJECT ControlDevice)
{
    PAGED_CODE();

    switch (ControlDevice->DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
        return !PsctxIsDriverNamed(ControlDevice->DriverObject, L"\\FileSystem\\Fs_Rec");
    default:
        return FALSE;
    }
}

/*
 * A file system has registered or unregistered itself. The I/O manager keeps the control device from going away
 * meanwhile. Volumes stay attached when their file system unregisters: they are told of one by one, by
 * FastIoDetachDevice. What is not filtered was not met, and so is not forgotten: its driver may have other control devices.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxFileSystemChange(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive)
{
    PDEVICE_OBJECT filterDevice;

    PAGED_CODE();

    if (!PsctxIsFileSystemFiltered(DeviceObject)) {
        return;
    }
    if (FsActive) {
        PsctxForgetDeletedDevices();
        PsctxMeetFileSystem(DeviceObject);
        PsctxAttachFileSystem(DeviceObject);
        PsctxAttachMountedVolumes(DeviceObject->DriverObject);
        return;
    }

    PsctxLockFilter();
    filterDevice = PsctxFindFilterDevice(DeviceObject);
    if (filterDevice != NULL && PsctxDetachFilterDevice(filterDevice)) {
        PsctxRetireFilterDevice(filterDevice);
    }
    PsctxUnlockFilter();
    PsctxForgetFileSystem(DeviceObject);
}

typedef NTSTATUS(NTAPI *PPSCTX_REGISTER_MOUNT_AWARE)(_In_ PDRIVER_OBJECT DriverObject,
                                                     _In_ PDRIVER_FS_NOTIFICATION NotificationRoutine,
                                                     _In_ BOOLEAN SynchronizeWithMounts);

/*
 * Has every file system there is, and every one to come, told to the filter: while nothing is being mounted, where the kernel is able
 * to do so, as those since version 6.1 are; elsewhere a volume may be mounted past us meanwhile, and is looked for afterwards. The
 * statuses of IoRegisterFsRegistrationChange. [ntifs/nf-ntifs-ioregisterfsregistrationchangemountaware]
 */
PSCTX_INIT static NTSTATUS PsctxRegisterFilter(VOID)
{
    PPSCTX_REGISTER_MOUNT_AWARE registerMountAware;
    NTSTATUS status;

    PAGED_CODE();

    registerMountAware = (PPSCTX_REGISTER_MOUNT_AWARE)PsctxFindRoutine(L"IoRegisterFsRegistrationChangeMountAware");
    if (registerMountAware != NULL) {
        return registerMountAware(PsctxGlobals.DriverObject, PsctxFileSystemChange, TRUE);
    }
    status = IoRegisterFsRegistrationChange(PsctxGlobals.DriverObject, PsctxFileSystemChange);
    if (NT_SUCCESS(status)) {
        PsctxLookForVolumesLater();
    }
    return status;
}

/*
 * Attaches the filter to every file system and volume there is, and to those to come. The statuses of
 * IoRegisterFsRegistrationChange, STATUS_INSUFFICIENT_RESOURCES; STATUS_NOT_SUPPORTED where legacy filters are blocked. When it fails,
 * nothing is attached. [ntifs/nf-ntifs-ioregisterfsregistrationchange]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartFilter(BOOLEAN CountsRequests)
{
    NTSTATUS status;

    PAGED_CODE();

    PsctxStartNames();
    PsctxStartWaits();
    PsctxPassage.CountsRequests = CountsRequests;
    InitializeListHead(&PsctxFilterDevices);
    InitializeListHead(&PsctxRetiredDevices);
    PsctxDevicesAge = FALSE;
    ExInitializeRundownProtection(&PsctxFilterRundown);
    status = ExInitializeResourceLite(&PsctxFilterLock);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxStartDeletion();
    if (!NT_SUCCESS(status)) {
        goto DeleteLock;
    }
    status = PsctxStartHousekeeping();
    if (!NT_SUCCESS(status)) {
        goto DeleteLock;
    }
    status = PsctxRegisterFilter();
    if (!NT_SUCCESS(status)) {
        goto StopHousekeeping;
    }
    InterlockedExchange(&PsctxFilterStarted, TRUE);
    return STATUS_SUCCESS;

StopHousekeeping:
    PsctxStopHousekeeping();
DeleteLock:
    ExDeleteResourceLite(&PsctxFilterLock);
    return status;
}

/*
 * Detaches from everything. Mounts on their way are waited for first, so that none attaches a device afterwards; requests and fast I/O
 * that have not come back, after. A thread that was about to send one through a device when that was detached cannot be
 * seen: it is given time before the devices go. Memory is waited for, where it takes some to tell that a stack can be left.
 * [ifs/unloading-legacy-filters]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopFilter(VOID)
{
    PPSCTX_FILTER_EXTENSION extension;
    LARGE_INTEGER interval;
    BOOLEAN idle;

    PAGED_CODE();

    if (!PsctxIsFilterStarted()) {
        return;
    }
    IoUnregisterFsRegistrationChange(PsctxGlobals.DriverObject, PsctxFileSystemChange);
    ExWaitForRundownProtectionRelease(&PsctxFilterRundown);
    PsctxStopHousekeeping();
    InterlockedExchange(&PsctxFilterStarted, FALSE);

    interval.QuadPart = PSCTX_DRAIN_INTERVAL;
    PsctxLockFilter();
    while (!IsListEmpty(&PsctxFilterDevices)) {
        extension = CONTAINING_RECORD(PsctxFilterDevices.Flink, PSCTX_FILTER_EXTENSION, Links);
        if (PsctxDetachFilterDevice(extension->DeviceObject)) {
            PsctxRetireFilterDevice(extension->DeviceObject);
        } else {
            KeDelayExecutionThread(KernelMode, FALSE, &interval);
        }
    }
    PsctxUnlockFilter();

    do {
        idle = InterlockedCompareExchange(&PsctxPassage.Requests, 0, 0) == 0;
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    } while (!idle || InterlockedCompareExchange(&PsctxPassage.Requests, 0, 0) != 0);
    while (!IsListEmpty(&PsctxRetiredDevices)) {
        extension = CONTAINING_RECORD(RemoveHeadList(&PsctxRetiredDevices), PSCTX_FILTER_EXTENSION, Links);
        PsctxDeleteFilterDevice(extension->DeviceObject);
    }
    ExDeleteResourceLite(&PsctxFilterLock);
}
