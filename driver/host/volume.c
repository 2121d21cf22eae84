/* File systems: their registration, who is told of it, and the mounting of a disk on its first open. */
#include "kernel.h"

typedef struct _HOST_FILE_SYSTEM {
    LIST_ENTRY Links;
    PDEVICE_OBJECT Device;
} HOST_FILE_SYSTEM, *PHOST_FILE_SYSTEM;

typedef struct _HOST_NOTIFICATION {
    LIST_ENTRY Links;
    PDRIVER_OBJECT DriverObject;
    PDRIVER_FS_NOTIFICATION Routine;
} HOST_NOTIFICATION, *PHOST_NOTIFICATION;

static HOST_MUTEX HostVolumesMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY HostFileSystems = {&HostFileSystems, &HostFileSystems};
static LIST_ENTRY HostNotifications = {&HostNotifications, &HostNotifications};
static KSPIN_LOCK HostVpbLock = HOST_FREE_SPIN_LOCK;
static LONG HostMounts;        /* in progress */
static BOOLEAN HostMountsHeld; /* none may begin */

/*
 * Who registers a file system or a notification routine, or undoes it, and tells drivers so: one at a time, as under the resource that Windows
 * has for it. Whoever has unregistered a routine finds nobody in it, and must not hold what the routine waits for. The same thread may come again.
 */
static PETHREAD HostRegistrar;

static BOOLEAN HostTryToRegister(PVOID Context)
{
    PETHREAD Nobody = NULL;

    return __atomic_compare_exchange_n(&HostRegistrar, &Nobody, (PETHREAD)Context, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static VOID HostBeginRegistration(const char *Routine)
{
    PETHREAD Thread = HostCurrentThread();

    KeEnterCriticalRegion();
    HostOrderLock(Thread, &HostRegistrar, Routine);
    if (!HostIsHeld(Thread, &HostRegistrar, HostResourceExclusive)) {
        (VOID) HostWaitFor(&HostRegistrar, HostTryToRegister, Thread, NULL);
    }
    HostLockAcquired(Thread, &HostRegistrar, HostResourceExclusive, Routine);
}

static VOID HostEndRegistration(const char *Routine)
{
    PETHREAD Thread = HostCurrentThread();

    HostLockReleased(Thread, &HostRegistrar, HostResourceExclusive, RESOURCE_NOT_OWNED, Routine);
    if (!HostIsHeld(Thread, &HostRegistrar, HostResourceExclusive)) {
        __atomic_store_n(&HostRegistrar, NULL, __ATOMIC_SEQ_CST);
        HostWake(&HostRegistrar);
    }
    KeLeaveCriticalRegion();
}

/* The entry at an index of a list, or NULL; lists change only at registration. Mutex held. */
static PLIST_ENTRY HostEntryAt(PLIST_ENTRY Head, ULONG Index)
{
    PLIST_ENTRY Entry = Head->Flink;

    while (Entry != Head && Index != 0) {
        Entry = Entry->Flink;
        Index--;
    }
    return Entry == Head ? NULL : Entry;
}

/* A registered file system's device, referenced; NULL behind the last. */
static PDEVICE_OBJECT HostFileSystemAt(ULONG Index)
{
    PDEVICE_OBJECT Device = NULL;
    PLIST_ENTRY Entry;

    PlatformLock(&HostVolumesMutex);
    Entry = HostEntryAt(&HostFileSystems, Index);
    if (Entry != NULL) {
        Device = CONTAINING_RECORD(Entry, HOST_FILE_SYSTEM, Links)->Device;
        (VOID) InterlockedIncrement64(&HostHeaderOf(Device)->References);
    }
    PlatformUnlock(&HostVolumesMutex);
    return Device;
}

static VOID HostNotifyAll(PDEVICE_OBJECT Device, BOOLEAN Active)
{
    for (ULONG Index = 0;; Index++) {
        PDRIVER_FS_NOTIFICATION Routine = NULL;
        PLIST_ENTRY Entry;

        PlatformLock(&HostVolumesMutex);
        Entry = HostEntryAt(&HostNotifications, Index);
        if (Entry != NULL) {
            Routine = CONTAINING_RECORD(Entry, HOST_NOTIFICATION, Links)->Routine;
        }
        PlatformUnlock(&HostVolumesMutex);
        if (Routine == NULL) {
            break;
        }
        Routine(Device, Active);
    }
}

/* The latest registered is asked first to mount; DO_LOW_PRIORITY_FILESYSTEM puts one last. */
VOID IoRegisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    PHOST_FILE_SYSTEM FileSystem;

    (VOID) HostEnter(IoRegisterFileSystem);
    (VOID) HostCheckObject(DeviceObject, "IoRegisterFileSystem");
    HostBeginRegistration("IoRegisterFileSystem");
    FileSystem = PlatformAllocate(sizeof(*FileSystem));
    FileSystem->Device = DeviceObject;
    HostReferenceDevice(DeviceObject);
    DeviceObject->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    PlatformLock(&HostVolumesMutex);
    if ((DeviceObject->Flags & DO_LOW_PRIORITY_FILESYSTEM) != 0) {
        InsertTailList(&HostFileSystems, &FileSystem->Links);
    } else {
        InsertHeadList(&HostFileSystems, &FileSystem->Links);
    }
    PlatformUnlock(&HostVolumesMutex);
    HostNotifyAll(DeviceObject, TRUE);
    HostEndRegistration("IoRegisterFileSystem");
}

VOID IoUnregisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    PHOST_FILE_SYSTEM Found = NULL;

    (VOID) HostEnter(IoUnregisterFileSystem);
    HostBeginRegistration("IoUnregisterFileSystem");
    PlatformLock(&HostVolumesMutex);
    for (PLIST_ENTRY Entry = HostFileSystems.Flink; Entry != &HostFileSystems; Entry = Entry->Flink) {
        if (CONTAINING_RECORD(Entry, HOST_FILE_SYSTEM, Links)->Device == DeviceObject) {
            Found = CONTAINING_RECORD(Entry, HOST_FILE_SYSTEM, Links);
            (VOID) RemoveEntryList(Entry);
            break;
        }
    }
    PlatformUnlock(&HostVolumesMutex);
    if (Found != NULL) {
        PlatformFree(Found);
        HostNotifyAll(DeviceObject, FALSE);
        HostDereferenceDevice(DeviceObject);
    }
    HostEndRegistration("IoUnregisterFileSystem");
}

static BOOLEAN HostTryToMount(PVOID Context)
{
    BOOLEAN Begun;

    UNREFERENCED_PARAMETER(Context);
    PlatformLock(&HostVolumesMutex);
    Begun = (BOOLEAN)!HostMountsHeld;
    HostMounts += Begun;
    PlatformUnlock(&HostVolumesMutex);
    return Begun;
}

static VOID HostEndMount(VOID)
{
    PlatformLock(&HostVolumesMutex);
    HostMounts--;
    PlatformUnlock(&HostVolumesMutex);
    HostWake(&HostMounts);
}

static BOOLEAN HostTryToHoldMounts(PVOID Context)
{
    BOOLEAN Held;

    UNREFERENCED_PARAMETER(Context);
    PlatformLock(&HostVolumesMutex);
    Held = (BOOLEAN)(HostMounts == 0 && !HostMountsHeld);
    HostMountsHeld = (BOOLEAN)(HostMountsHeld || Held);
    PlatformUnlock(&HostVolumesMutex);
    return Held;
}

static VOID HostLetMounts(VOID)
{
    PlatformLock(&HostVolumesMutex);
    HostMountsHeld = FALSE;
    PlatformUnlock(&HostVolumesMutex);
    HostWake(&HostMounts);
}

/* Nobody else registers. */
static NTSTATUS HostAddNotification(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    PHOST_NOTIFICATION Notification;
    BOOLEAN Known = FALSE;

    Notification = PlatformAllocate(sizeof(*Notification));
    Notification->DriverObject = DriverObject;
    Notification->Routine = DriverNotificationRoutine;
    PlatformLock(&HostVolumesMutex);
    for (PLIST_ENTRY Entry = HostNotifications.Flink; Entry != &HostNotifications; Entry = Entry->Flink) {
        PHOST_NOTIFICATION Other = CONTAINING_RECORD(Entry, HOST_NOTIFICATION, Links);

        Known =
            (BOOLEAN)(Known || (Other->DriverObject == DriverObject && Other->Routine == DriverNotificationRoutine));
    }
    if (!Known) {
        InsertTailList(&HostNotifications, &Notification->Links);
    }
    PlatformUnlock(&HostVolumesMutex);
    if (Known) {
        PlatformFree(Notification);
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    (VOID) InterlockedIncrement64(&HostHeaderOf(DriverObject)->References);
    for (ULONG Index = 0;; Index++) {
        PDEVICE_OBJECT Device = HostFileSystemAt(Index);

        if (Device == NULL) {
            break;
        }
        DriverNotificationRoutine(Device, TRUE);
        HostDereferenceRaw(Device, "IoRegisterFsRegistrationChange");
    }
    return STATUS_SUCCESS;
}

/* Those registered already are told to the routine before this returns. STATUS_DEVICE_ALREADY_ATTACHED for a second one. */
static NTSTATUS HostRegisterNotification(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    NTSTATUS Status;

    HostBeginRegistration("IoRegisterFsRegistrationChange");
    Status = HostAddNotification(DriverObject, DriverNotificationRoutine);
    HostEndRegistration("IoRegisterFsRegistrationChange");
    return Status;
}

NTSTATUS IoRegisterFsRegistrationChange(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    (VOID) HostEnter(IoRegisterFsRegistrationChange);
    (VOID) HostCheckObject(DriverObject, "IoRegisterFsRegistrationChange");
    return HostRegisterNotification(DriverObject, DriverNotificationRoutine);
}

/* With SynchronizeWithMounts, waits for mounts in progress, and lets none begin before it returns. */
NTSTATUS IoRegisterFsRegistrationChangeMountAware(PDRIVER_OBJECT DriverObject,
                                                  PDRIVER_FS_NOTIFICATION DriverNotificationRoutine,
                                                  BOOLEAN SynchronizeWithMounts)
{
    NTSTATUS Status;

    (VOID) HostEnter(IoRegisterFsRegistrationChangeMountAware);
    (VOID) HostCheckObject(DriverObject, "IoRegisterFsRegistrationChangeMountAware");
    if (SynchronizeWithMounts) {
        (VOID) HostWaitFor(&HostMounts, HostTryToHoldMounts, NULL, NULL);
    }
    Status = HostRegisterNotification(DriverObject, DriverNotificationRoutine);
    if (SynchronizeWithMounts) {
        HostLetMounts();
    }
    return Status;
}

/* Where this returns, the routine is not called any more, and nobody is in it. */
VOID IoUnregisterFsRegistrationChange(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    PHOST_NOTIFICATION Found = NULL;

    (VOID) HostEnter(IoUnregisterFsRegistrationChange);
    HostBeginRegistration("IoUnregisterFsRegistrationChange");
    PlatformLock(&HostVolumesMutex);
    for (PLIST_ENTRY Entry = HostNotifications.Flink; Entry != &HostNotifications; Entry = Entry->Flink) {
        PHOST_NOTIFICATION Other = CONTAINING_RECORD(Entry, HOST_NOTIFICATION, Links);

        if (Other->DriverObject == DriverObject && Other->Routine == DriverNotificationRoutine) {
            Found = Other;
            (VOID) RemoveEntryList(Entry);
            break;
        }
    }
    PlatformUnlock(&HostVolumesMutex);
    if (Found != NULL) {
        PlatformFree(Found);
        HostDereferenceRaw(DriverObject, "IoUnregisterFsRegistrationChange");
    }
    HostEndRegistration("IoUnregisterFsRegistrationChange");
}

VOID IoAcquireVpbSpinLock(PKIRQL Irql)
{
    (VOID) HostEnter(IoAcquireVpbSpinLock);
    *Irql = KeAcquireSpinLockRaiseToDpc(&HostVpbLock);
}

VOID IoReleaseVpbSpinLock(KIRQL Irql)
{
    (VOID) HostEnter(IoReleaseVpbSpinLock);
    KeReleaseSpinLock(&HostVpbLock, Irql);
}

/* One request to a file system, through the top of its control device's stack. */
static NTSTATUS HostAskFileSystem(PDEVICE_OBJECT FileSystem, PDEVICE_OBJECT Disk, UCHAR MinorFunction)
{
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(FileSystem);
    PIRP Irp = HostAllocateIrp(HostCurrentThread(), Top->StackSize, TRUE);
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION Location;
    IO_STATUS_BLOCK IoStatus;

    if (Irp != NULL) {
        Irp->Flags = IRP_MOUNT_COMPLETION | IRP_SYNCHRONOUS_PAGING_IO;
        Irp->RequestorMode = KernelMode;
        Location = IoGetNextIrpStackLocation(Irp);
        Location->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
        Location->MinorFunction = MinorFunction;
        if (MinorFunction == IRP_MN_MOUNT_VOLUME) {
            Location->Parameters.MountVolume.Vpb = Disk->Vpb;
            Location->Parameters.MountVolume.DeviceObject = Disk;
        }
        Status = HostSendIrp(Top, Irp, FALSE, &IoStatus);
    }
    HostDereferenceRaw(Top, "mount");
    return Status;
}

static DEVICE_TYPE HostFileSystemTypeFor(PDEVICE_OBJECT Disk)
{
    switch (Disk->DeviceType) {
    case FILE_DEVICE_CD_ROM:
        return FILE_DEVICE_CD_ROM_FILE_SYSTEM;
    case FILE_DEVICE_TAPE:
        return FILE_DEVICE_TAPE_FILE_SYSTEM;
    default:
        return FILE_DEVICE_DISK_FILE_SYSTEM;
    }
}

/*
 * Asks the registered file systems in turn, in a critical region. A recogniser's STATUS_FS_DRIVER_REQUIRED makes it load its file system,
 * and all are asked again. STATUS_UNRECOGNIZED_VOLUME when nobody takes the disk, STATUS_NO_SUCH_DEVICE when that goes.
 */
NTSTATUS HostMountDevice(PDEVICE_OBJECT Disk)
{
    NTSTATUS Status = STATUS_UNRECOGNIZED_VOLUME;
    PDEVICE_OBJECT FileSystem;

    KeEnterCriticalRegion();
    (VOID) HostWaitFor(&HostMounts, HostTryToMount, NULL, NULL);
    (VOID) KeWaitForSingleObject(&Disk->DeviceLock, Executive, KernelMode, FALSE, NULL);
    for (ULONG Index = 0; (Disk->Vpb->Flags & VPB_MOUNTED) == 0; Index++) {
        if ((Disk->Vpb->Flags & VPB_REMOVE_PENDING) != 0) {
            Status = STATUS_NO_SUCH_DEVICE;
            break;
        }
        FileSystem = HostFileSystemAt(Index);
        if (FileSystem == NULL) {
            Status = STATUS_UNRECOGNIZED_VOLUME;
            break;
        }
        if (FileSystem->DeviceType == HostFileSystemTypeFor(Disk)) {
            Status = HostAskFileSystem(FileSystem, Disk, IRP_MN_MOUNT_VOLUME);
            if (Status == STATUS_SUCCESS) {
                if (Disk->Vpb->DeviceObject == NULL) {
                    HostViolation(FILE_SYSTEM, "mount", "a file system mounted %p and made no volume device",
                                  (PVOID)Disk);
                }
                Disk->Vpb->Flags = VPB_MOUNTED;
                Disk->Vpb->DeviceObject->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
                Disk->Vpb->DeviceObject->DeviceObjectExtension->Vpb = Disk->Vpb;
                Disk->Vpb->DeviceObject->StackSize =
                    max(Disk->Vpb->DeviceObject->StackSize, (CCHAR)(Disk->StackSize + 1));
            } else if (Status == STATUS_FS_DRIVER_REQUIRED) {
                (VOID) HostAskFileSystem(FileSystem, Disk, IRP_MN_LOAD_FILE_SYSTEM);
                Index = MAXULONG;
            } else if (Status == STATUS_INSUFFICIENT_RESOURCES) {
                HostDereferenceRaw(FileSystem, "mount");
                break;
            }
        }
        HostDereferenceRaw(FileSystem, "mount");
    }
    if ((Disk->Vpb->Flags & VPB_MOUNTED) != 0) {
        Status = STATUS_SUCCESS;
    }
    (VOID) KeSetEvent(&Disk->DeviceLock, IO_NO_INCREMENT, FALSE);
    HostEndMount();
    KeLeaveCriticalRegion();
    return Status;
}
