/*
 * The legacy filter's devices: attached to file systems as they register and to volumes as they mount, detached when
 * those go.
 *
 * RAW is left alone: registration does not tell of it, and its volumes have no file streams to hang contexts on.
 * [ntifs/nf-ntifs-ioregisterfsregistrationchange]
 */
#include "filter.h"

#define PSCTX_ATTACH_ATTEMPTS 8u
#define PSCTX_ATTACH_INTERVAL (-100 * 10000ll) /* 100 ms, in the 100 ns units of a relative time */
#define PSCTX_DRAIN_INTERVAL (-50 * 10000ll)   /* 50 ms: several quanta */
#define PSCTX_LIST_ATTEMPTS 4u
#define PSCTX_LIST_SPARE 8u

/*
 * Makes "attached already?" and attaching, or "still attached?" and detaching, one step. A resource, since devices are
 * detached at PASSIVE_LEVEL, and since detaching the last user of a device can have its driver call back into us on the
 * same thread. Of our other locks only the readers' is taken under it, so that the events of a volume are in order.
 */
static ERESOURCE PsctxFilterLock;
_Guarded_by_(PsctxFilterLock) static LIST_ENTRY PsctxFilterDevices;

/* Held by requests that may attach a device when they come back. */
static EX_RUNDOWN_REF PsctxFilterRundown;
static volatile LONG PsctxFilterStarted; /* changed and read with interlocked operations alone */

static DRIVER_FS_NOTIFICATION PsctxFileSystemChange;

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLockFilter(VOID)
{
    PAGED_CODE();

    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&PsctxFilterLock, TRUE);
}

/*
 * Delivers, too, what was reported meanwhile, if this thread has not locked the filter more than once.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxUnlockFilter(VOID)
{
    BOOLEAN locked;

    PAGED_CODE();

    ExReleaseResourceLite(&PsctxFilterLock);
    locked = ExIsResourceAcquiredExclusiveLite(&PsctxFilterLock);
    KeLeaveCriticalRegion();
    if (!locked) {
        PsctxDeliverEvents();
    }
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
 * filter stops: the request is then passed through.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxEnterFilter(VOID)
{
    PAGED_CODE();

    return ExAcquireRundownProtection(&PsctxFilterRundown);
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxLeaveFilter(VOID)
{
    PAGED_CODE();

    ExReleaseRundownProtection(&PsctxFilterRundown);
}

/*
 * Whether a driver object has this name, without regard to case. A name too long for the buffer is another one.
 * [ntifs/nf-ntifs-obquerynamestring]
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsDriverNamed(PDRIVER_OBJECT DriverObject, PCWSTR Name)
{
    union {
        OBJECT_NAME_INFORMATION Information;
        UCHAR Bytes[sizeof(OBJECT_NAME_INFORMATION) + 32 * sizeof(WCHAR)];
    } object;
    UNICODE_STRING name;
    ULONG length;
    NTSTATUS status;

    PAGED_CODE();

    RtlInitUnicodeString(&name, Name);
    status = ObQueryNameString(DriverObject, &object.Information, sizeof(object), &length);
    return NT_SUCCESS(status) && RtlEqualUnicodeString(&object.Information.Name, &name, TRUE);
}

/*
 * Whether a storage device is a volume snapshot's. Snapshots are read-only and come and go with backups.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxIsSnapshot(_In_ PDEVICE_OBJECT StorageDevice)
{
    PAGED_CODE();

    return PsctxIsDriverNamed(StorageDevice->DriverObject, L"\\Driver\\VolSnap");
}

/*
 * A device of the filter, attached to nothing yet; the caller attaches or deletes it. The statuses of IoCreateDevice.
 * [ifs/creating-the-filter-device-object]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxCreateFilterDevice(_In_ PSCTX_FILTER_KIND Kind, _In_ DEVICE_TYPE DeviceType,
                            _Outptr_ PDEVICE_OBJECT *FilterDevice)
{
    PPSCTX_FILTER_EXTENSION extension;
    NTSTATUS status;

    PAGED_CODE();

    status = IoCreateDevice(PsctxGlobals.DriverObject, sizeof(PSCTX_FILTER_EXTENSION), NULL, DeviceType, 0, FALSE,
                            FilterDevice);
    if (!NT_SUCCESS(status)) {
        *FilterDevice = NULL;
        return status;
    }
    extension = (*FilterDevice)->DeviceExtension;
    RtlZeroMemory(extension, sizeof(*extension));
    extension->Kind = Kind;
    extension->DeviceObject = *FilterDevice;
    return STATUS_SUCCESS;
}

/*
 * The filter's device in the stack of a file system's device, or NULL. The filter is locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static PDEVICE_OBJECT
    PsctxFindFilterDevice(_In_ PDEVICE_OBJECT Target)
{
    PLIST_ENTRY entry;

    PAGED_CODE();

    for (entry = PsctxFilterDevices.Flink; entry != &PsctxFilterDevices; entry = entry->Flink) {
        const PPSCTX_FILTER_EXTENSION extension = CONTAINING_RECORD(entry, PSCTX_FILTER_EXTENSION, Links);

        if (extension->Target == Target) {
            return extension->DeviceObject;
        }
    }
    return NULL;
}

/*
 * Gives back a device of the filter that is in no stack, with what it holds of the devices it was attached to.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxDeleteFilterDevice(PDEVICE_OBJECT FilterDevice)
{
    const PPSCTX_FILTER_EXTENSION extension = FilterDevice->DeviceExtension;
    const PDEVICE_OBJECT target = extension->Target;
    const PDEVICE_OBJECT attachedTo = extension->AttachedTo;
    const POBJECT_NAME_INFORMATION storageName = extension->Volume.StorageName;

    PAGED_CODE();

    IoDeleteDevice(FilterDevice);
    PsctxFree(storageName);
    if (attachedTo != NULL) {
        ObDereferenceObject(attachedTo);
        ObDereferenceObject(target);
    }
}

static volatile LONG *PsctxAttachmentCounter(_In_ PSCTX_FILTER_KIND Kind)
{
    return Kind == PsctxVolumeFilter ? &PsctxGlobals.AttachedVolumes : &PsctxGlobals.AttachedFileSystems;
}

/*
 * The devices of a driver now, each referenced, in nonpaged memory as the I/O manager demands; the caller dereferences
 * them and frees the array. The list may grow between asking for its length and asking for it.
 * STATUS_INSUFFICIENT_RESOURCES, or STATUS_BUFFER_TOO_SMALL if it grows without end.
 * [ntifs/nf-ntifs-ioenumeratedeviceobjectlist]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxListDevices(_In_ PDRIVER_OBJECT DriverObject, _Outptr_ PDEVICE_OBJECT **Devices, _Out_ PULONG Count)
{
    PDEVICE_OBJECT *devices = NULL;
    ULONG capacity = 0;
    ULONG count = 0;
    ULONG attempt;
    ULONG index;
    NTSTATUS status;

    PAGED_CODE();

    *Devices = NULL;
    *Count = 0;
    if (DriverObject->DeviceObject == NULL) {
        return STATUS_SUCCESS; /* not every kernel's routine looks */
    }
    status = IoEnumerateDeviceObjectList(DriverObject, NULL, 0, &count);
    for (attempt = 0; attempt < PSCTX_LIST_ATTEMPTS && status == STATUS_BUFFER_TOO_SMALL; attempt += 1) {
        capacity = count + PSCTX_LIST_SPARE;
        devices = PsctxAllocate(NonPagedPool, capacity * sizeof(PDEVICE_OBJECT));
        if (devices == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        status = IoEnumerateDeviceObjectList(DriverObject, devices, capacity * (ULONG)sizeof(PDEVICE_OBJECT), &count);
        if (!NT_SUCCESS(status)) {
            /* As many as fit have been referenced; the rest is as it was allocated. */
            for (index = 0; index < capacity && devices[index] != NULL; index += 1) {
                ObDereferenceObject(devices[index]);
            }
            PsctxFree(devices);
            devices = NULL;
        }
    }
    if (NT_SUCCESS(status)) {
        *Devices = devices;
        *Count = count;
    }
    return status;
}

/*
 * Whether a device, which the caller references, has been deleted: it is no longer among its driver's. FALSE when there is no
 * memory to look.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsDeviceDeleted(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT *devices;
    BOOLEAN deleted = TRUE;
    ULONG count;
    ULONG index;

    PAGED_CODE();

    if (!NT_SUCCESS(PsctxListDevices(Device->DriverObject, &devices, &count))) {
        return FALSE;
    }
    for (index = 0; index < count; index += 1) {
        if (devices[index] == Device) {
            deleted = FALSE;
        }
        ObDereferenceObject(devices[index]);
    }
    PsctxFree(devices);
    return deleted;
}

/*
 * Puts an attached device on the list or takes it off; the filter is locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static VOID
    PsctxLinkFilterDevice(_Inout_ PPSCTX_FILTER_EXTENSION Extension)
{
    PAGED_CODE();

    Extension->Attached = TRUE;
    InsertTailList(&PsctxFilterDevices, &Extension->Links);
    InterlockedIncrement(PsctxAttachmentCounter(Extension->Kind));
    if (Extension->Kind == PsctxVolumeFilter) {
        PsctxLinkVolume(&Extension->Volume);
        PsctxReportVolume(PSCTX_EVENT_VOLUME_ATTACHED, PsctxStorageName(&Extension->Volume));
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
        PsctxUnlinkVolume(&Extension->Volume);
        PsctxReportVolume(PSCTX_EVENT_VOLUME_DETACHED, PsctxStorageName(&Extension->Volume));
    }
}

/*
 * Detaches a device from the one below, unless the file system has done so itself before it deletes its own; the filter
 * is locked.
 */
_IRQL_requires_(PASSIVE_LEVEL) _Requires_lock_held_(PsctxFilterLock) PSCTX_PAGE static VOID
    PsctxLeaveStack(_In_ const PSCTX_FILTER_EXTENSION *Extension)
{
    PAGED_CODE();

    if (Extension->AttachedTo->AttachedDevice == Extension->DeviceObject) {
        IoDetachDevice(Extension->AttachedTo);
    }
}

/*
 * Gives up the devices in stacks whose file system's device has been deleted without a call to FastIoDetachDevice, which a kernel
 * owes us and some do not make. Nothing comes through such a stack any more. A device that has been deleted must not be
 * detached from: to those kernels that would delete it again. Called now and then, in a thread that may wait.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxForgetDeletedDevices(VOID)
{
    LIST_ENTRY forgotten;
    PLIST_ENTRY entry;
    PLIST_ENTRY next;

    PAGED_CODE();

    if (!PsctxIsFilterStarted()) {
        return;
    }
    InitializeListHead(&forgotten);
    PsctxLockFilter();
    for (entry = PsctxFilterDevices.Flink; entry != &PsctxFilterDevices; entry = next) {
        const PPSCTX_FILTER_EXTENSION extension = CONTAINING_RECORD(entry, PSCTX_FILTER_EXTENSION, Links);

        next = entry->Flink;
        if (PsctxIsDeviceDeleted(extension->Target)) {
            PsctxUnlinkFilterDevice(extension);
            if (extension->AttachedTo != extension->Target && !PsctxIsDeviceDeleted(extension->AttachedTo)) {
                PsctxLeaveStack(extension);
            }
            InsertTailList(&forgotten, &extension->Links);
        }
    }
    PsctxUnlockFilter();
    PsctxForgetVolumes(FALSE);
    while (!IsListEmpty(&forgotten)) {
        PsctxDeleteFilterDevice(
            CONTAINING_RECORD(RemoveHeadList(&forgotten), PSCTX_FILTER_EXTENSION, Links)->DeviceObject);
    }
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
    extension->Volume.Device = Target;
    extension->Volume.TearsDown = PsctxTearsDown(Target);

    PsctxLockFilter();
    if (PsctxFindFilterDevice(Target) != NULL) {
        status = STATUS_DEVICE_ALREADY_ATTACHED;
    } else {
        status = IoAttachDeviceToDeviceStackSafe(FilterDevice, Target, &extension->AttachedTo);
    }
    if (!NT_SUCCESS(status)) {
        extension->AttachedTo = NULL;
    } else {
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
    PsctxAttachFilterDevice(_In_ PDEVICE_OBJECT FilterDevice, _In_ PDEVICE_OBJECT Target, _In_ CCHAR TargetStackSize)
{
    LARGE_INTEGER interval;
    BOOLEAN initializing;
    ULONG attempt;
    NTSTATUS status = STATUS_UNSUCCESSFUL;

    PAGED_CODE();

    PsctxForgetDeletedDevices();
    interval.QuadPart = PSCTX_ATTACH_INTERVAL;
    for (attempt = 0; attempt < PSCTX_ATTACH_ATTEMPTS; attempt += 1) {
        initializing = FlagOn(Target->Flags, DO_DEVICE_INITIALIZING) != 0;
        status = PsctxTryToAttach(FilterDevice, Target, TargetStackSize);
        if (status != STATUS_NO_SUCH_DEVICE || !initializing) {
            break;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
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
        (VOID) PsctxAttachFilterDevice(filterDevice, ControlDevice, ControlDevice->StackSize);
    }
}

/*
 * Attaches to a mounted volume, which the caller keeps from going away, unless it is a snapshot's. LIST_VOLUMES tells of what is not
 * attached to. The name is for telling alone: without memory for it, it is empty.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxAttachVolume(PDEVICE_OBJECT VolumeDevice, PDEVICE_OBJECT StorageDevice,
                                                         CCHAR StackSize)
{
    PDEVICE_OBJECT filterDevice;
    NTSTATUS status;

    PAGED_CODE();

    if (StorageDevice != NULL && PsctxIsSnapshot(StorageDevice)) {
        PsctxNoteVolume(VolumeDevice, StorageDevice, PSCTX_ATTACHMENT_SNAPSHOT, STATUS_SUCCESS);
        return;
    }
    status = PsctxCreateFilterDevice(PsctxVolumeFilter, VolumeDevice->DeviceType, &filterDevice);
    if (NT_SUCCESS(status)) {
        if (StorageDevice != NULL) {
            const PPSCTX_FILTER_EXTENSION extension = filterDevice->DeviceExtension;

            (VOID) PsctxQueryObjectName(StorageDevice, &extension->Volume.StorageName);
        }
        status = PsctxAttachFilterDevice(filterDevice, VolumeDevice, StackSize);
    }
    if (!NT_SUCCESS(status)) {
        PsctxNoteVolume(VolumeDevice, StorageDevice, PSCTX_ATTACHMENT_FAILED, status);
    }
}

/*
 * Takes a device out of its stack. TRUE if this call did: the caller deletes the device, when no request is on its way
 * through it. FALSE if it was not attached, or somebody else was first.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxDetachFilterDevice(PDEVICE_OBJECT FilterDevice)
{
    const PPSCTX_FILTER_EXTENSION extension = FilterDevice->DeviceExtension;
    BOOLEAN attached;

    PAGED_CODE();

    PsctxLockFilter();
    attached = extension->Attached;
    if (attached) {
        PsctxUnlinkFilterDevice(extension);
        PsctxLeaveStack(extension);
    }
    PsctxUnlockFilter();
    return attached;
}

/*
 * Whether a device that IoGetDiskDeviceObject finds no disk for is a mounted volume's all the same.
 *
 * It finds none if the file system has given its volume device the volume parameter block, as some do; and there are
 * kernels where it finds one only then. What tells volumes from a file system's control devices there: these have names, and are
 * the bottom of their stacks, where a volume's requests go on to the disk. To be wrong costs a device that passes
 * everything through.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxLooksLikeVolume(_In_ PDEVICE_OBJECT Device)
{
    PAGED_CODE();

    return (Device->DeviceType == FILE_DEVICE_DISK_FILE_SYSTEM ||
            Device->DeviceType == FILE_DEVICE_CD_ROM_FILE_SYSTEM) &&
           !FlagOn(Device->Flags, DO_DEVICE_HAS_NAME) && Device->StackSize > 1;
}

/*
 * Attaches to one device of a file system if it is a mounted volume's, and not a snapshot's. Only a mounted volume has
 * a disk: a file system's other control devices are told apart by that. [ntifs/nf-ntifs-iogetdiskdeviceobject]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxAttachMountedVolume(_In_ PDEVICE_OBJECT VolumeDevice)
{
    PDEVICE_OBJECT storageDevice = NULL;
    NTSTATUS status;

    PAGED_CODE();

    status = IoGetDiskDeviceObject(VolumeDevice, &storageDevice);
    if (!NT_SUCCESS(status)) {
        storageDevice = NULL;
        if (status != STATUS_INVALID_PARAMETER || !PsctxLooksLikeVolume(VolumeDevice)) {
            return;
        }
    }
    PsctxAttachVolume(VolumeDevice, storageDevice, VolumeDevice->StackSize);
    if (storageDevice != NULL) {
        ObDereferenceObject(storageDevice);
    }
}

/*
 * Attaches to the volumes that a file system had mounted before we came.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxAttachMountedVolumes(_In_ PDEVICE_OBJECT ControlDevice)
{
    PDEVICE_OBJECT *devices;
    ULONG count;
    ULONG index;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxListDevices(ControlDevice->DriverObject, &devices, &count);
    if (!NT_SUCCESS(status)) {
        return;
    }
    for (index = 0; index < count; index += 1) {
        if (devices[index] != ControlDevice && devices[index]->DeviceType == ControlDevice->DeviceType) {
            PsctxAttachMountedVolume(devices[index]);
        }
        ObDereferenceObject(devices[index]);
    }
    PsctxFree(devices);
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
 * FastIoDetachDevice.
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxFileSystemChange(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive)
{
    PDEVICE_OBJECT filterDevice;

    PAGED_CODE();

    if (FsActive) {
        if (PsctxIsFileSystemFiltered(DeviceObject)) {
            PsctxMeetFileSystem(DeviceObject);
            PsctxAttachFileSystem(DeviceObject);
            PsctxAttachMountedVolumes(DeviceObject);
        }
        return;
    }

    PsctxLockFilter();
    filterDevice = PsctxFindFilterDevice(DeviceObject);
    if (filterDevice != NULL) {
        PsctxDetachFilterDevice(filterDevice);
    }
    PsctxUnlockFilter();
    if (filterDevice != NULL) {
        PsctxDeleteFilterDevice(filterDevice);
    }
    PsctxForgetFileSystem(DeviceObject);
}

/*
 * Attaches to every file system and volume there is, and to those to come. The statuses of
 * IoRegisterFsRegistrationChange; STATUS_NOT_SUPPORTED where legacy filters are blocked. When it fails, nothing is
 * attached. [ntifs/nf-ntifs-ioregisterfsregistrationchange]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartFilter(VOID)
{
    NTSTATUS status;

    PAGED_CODE();

    InitializeListHead(&PsctxFilterDevices);
    PsctxStartVolumes();
    ExInitializeRundownProtection(&PsctxFilterRundown);
    status = ExInitializeResourceLite(&PsctxFilterLock);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = IoRegisterFsRegistrationChange(PsctxGlobals.DriverObject, PsctxFileSystemChange);
    if (!NT_SUCCESS(status)) {
        ExDeleteResourceLite(&PsctxFilterLock);
        return status;
    }
    InterlockedExchange(&PsctxFilterStarted, TRUE);
    return STATUS_SUCCESS;
}

/*
 * Detaches from everything. Mounts on their way are waited for first, so that none attaches a device afterwards; requests
 * that the drivers below have not returned from, after. A thread that was about to send a request through a device when
 * it was detached cannot be seen: it is given time before the devices go. [ifs/unloading-legacy-filters]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopFilter(VOID)
{
    PPSCTX_FILTER_EXTENSION extension;
    LARGE_INTEGER interval;
    LIST_ENTRY detached;

    PAGED_CODE();

    if (!PsctxIsFilterStarted()) {
        return;
    }
    IoUnregisterFsRegistrationChange(PsctxGlobals.DriverObject, PsctxFileSystemChange);
    ExWaitForRundownProtectionRelease(&PsctxFilterRundown);
    PsctxForgetDeletedDevices();
    InterlockedExchange(&PsctxFilterStarted, FALSE);

    InitializeListHead(&detached);
    PsctxLockFilter();
    while (!IsListEmpty(&PsctxFilterDevices)) {
        extension = CONTAINING_RECORD(PsctxFilterDevices.Flink, PSCTX_FILTER_EXTENSION, Links);
        PsctxDetachFilterDevice(extension->DeviceObject);
        InsertTailList(&detached, &extension->Links);
    }
    PsctxUnlockFilter();

    interval.QuadPart = PSCTX_DRAIN_INTERVAL;
    if (!IsListEmpty(&detached)) {
        do {
            KeDelayExecutionThread(KernelMode, FALSE, &interval);
        } while (InterlockedCompareExchange(&PsctxGlobals.Requests, 0, 0) != 0);
    }
    while (!IsListEmpty(&detached)) {
        extension = CONTAINING_RECORD(RemoveHeadList(&detached), PSCTX_FILTER_EXTENSION, Links);
        PsctxDeleteFilterDevice(extension->DeviceObject);
    }
    PsctxForgetVolumes(TRUE);
    ExDeleteResourceLite(&PsctxFilterLock);
}
