/*
 * Filter Manager as a driver: \FileSystem\FltMgr, a legacy filter in the stacks of file systems and volumes, attached where it starts.
 *
 * [ifs/filter-manager-concepts]
 */
#include "fltmgr.h"

typedef enum _FLTP_DEVICE_KIND { FltpFileSystemDevice, FltpVolumeDevice } FLTP_DEVICE_KIND;

typedef struct _FLTP_EXTENSION {
    FLTP_DEVICE_KIND Kind;
    PFLT_VOLUME Volume;            /* of a volume's device; kept */
    PDEVICE_OBJECT volatile Lower; /* of a file system's; referenced */
    PDEVICE_OBJECT Target;         /* of a file system's: its control device */
} FLTP_EXTENSION, *PFLTP_EXTENSION;

PDRIVER_OBJECT FltpDriver;

VOID FltpFreeVolume(PFLT_VOLUME Volume)
{
    FltpFreeString(&Volume->Name);
    if (Volume->Lower != NULL) {
        ObDereferenceObject(Volume->Lower);
        ObDereferenceObject(Volume->Target);
    }
    if (Volume->Disk != NULL) {
        ObDereferenceObject(Volume->Disk);
    }
    HostFreePool(Volume, FLTP_TAG, "FltMgr");
}

/* The volume that a device is of: Filter Manager's own, the file system's, or the disk. Kept; NULL for any other. */
PFLT_VOLUME FltpVolumeOfDevice(PDEVICE_OBJECT Device)
{
    PFLT_VOLUME Found = NULL;

    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = FltpVolumes.Flink; Entry != &FltpVolumes && Found == NULL; Entry = Entry->Flink) {
        PFLT_VOLUME Volume = CONTAINING_RECORD(Entry, struct _FLT_VOLUME, Links);

        if (!Volume->Object.Deleting &&
            (Volume->Device == Device || Volume->Target == Device || Volume->Disk == Device)) {
            Found = Volume;
            FltpKeep(Found);
        }
    }
    PlatformUnlock(&FltpMutex);
    return Found;
}

PFLT_VOLUME FltpVolumeOf(PDEVICE_OBJECT Device)
{
    return ((PFLTP_EXTENSION)Device->DeviceExtension)->Volume;
}

/* The file systems whose drivers minifilters know by a type. [shared/fltuserstructures] */
static FLT_FILESYSTEM_TYPE FltpTypeOf(PDRIVER_OBJECT Driver)
{
    static const struct {
        PCWSTR Name;
        FLT_FILESYSTEM_TYPE Type;
    } Known[] = {{L"\\FileSystem\\Ntfs", FLT_FSTYPE_NTFS},   {L"\\FileSystem\\FastFat", FLT_FSTYPE_FAT},
                 {L"\\FileSystem\\cdfs", FLT_FSTYPE_CDFS},   {L"\\FileSystem\\udfs", FLT_FSTYPE_UDFS},
                 {L"\\FileSystem\\exfat", FLT_FSTYPE_EXFAT}, {L"\\FileSystem\\ReFS", FLT_FSTYPE_REFS},
                 {L"\\FileSystem\\Mup", FLT_FSTYPE_MUP},     {L"\\FileSystem\\RAW", FLT_FSTYPE_RAW}};

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Known); Index++) {
        UNICODE_STRING Name;

        RtlInitUnicodeString(&Name, Known[Index].Name);
        if (FltpSameString(&Name, &Driver->DriverName)) {
            return Known[Index].Type;
        }
    }
    return FLT_FSTYPE_UNKNOWN;
}

/* The name of a device into Volume->Name. */
static NTSTATUS FltpNameVolume(PDEVICE_OBJECT Device, PFLT_VOLUME Volume)
{
    union {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Room[128];
    } Name;
    ULONG Length;
    NTSTATUS Status = ObQueryNameString(Device, &Name.Information, sizeof(Name), &Length);

    if (NT_SUCCESS(Status) && !FltpCopyString(&Name.Information.Name, &Volume->Name)) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    return Status;
}

static VOID FltpPropagate(PDEVICE_OBJECT From, PDEVICE_OBJECT To)
{
    To->Flags |= FlagOn(From->Flags, DO_BUFFERED_IO | DO_DIRECT_IO | DO_SUPPORTS_TRANSACTIONS);
    To->Characteristics |= FlagOn(From->Characteristics, FILE_DEVICE_SECURE_OPEN);
}

/*
 * Attaches to a mounted volume, and tells the minifilters of it if it is newly mounted. StackSize is how deep the volume's own stack will be.
 * STATUS_INSUFFICIENT_RESOURCES, STATUS_NO_SUCH_DEVICE: it is not filtered then.
 */
NTSTATUS FltpAttachVolumeDevice(PDEVICE_OBJECT Target, PDEVICE_OBJECT Disk, CCHAR StackSize, BOOLEAN NewlyMounted)
{
    PFLT_VOLUME Volume = FltpVolumeOfDevice(Target);
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    if (Volume != NULL) {
        FltpLetGo(Volume);
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    Volume = HostAllocatePool(NonPagedPoolNx, sizeof(*Volume), FLTP_TAG, TRUE, __builtin_return_address(0));
    if (Volume == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    FltpInitializeObject(&Volume->Object, FltpVolumeKind);
    InitializeListHead(&Volume->Instances);
    InitializeListHead(&Volume->Contexts);
    InitializeListHead(&Volume->Streams);
    Volume->FileSystemType = FltpTypeOf(Target->DriverObject);
    if (Disk != NULL) {
        ObReferenceObject(Disk);
        Volume->Disk = Disk;
    }
    Status = FltpNameVolume(Disk != NULL ? Disk : Target, Volume);
    if (NT_SUCCESS(Status)) {
        Status = IoCreateDevice(FltpDriver, sizeof(FLTP_EXTENSION), NULL, Target->DeviceType, 0, FALSE, &Device);
    }
    if (!NT_SUCCESS(Status)) {
        FltpLetGo(Volume);
        return Status;
    }
    FltpPropagate(Target, Device);
    ((PFLTP_EXTENSION)Device->DeviceExtension)->Kind = FltpVolumeDevice;
    ((PFLTP_EXTENSION)Device->DeviceExtension)->Volume = Volume;
    Volume->Device = Device;
    Volume->Target = Target;
    Status = IoAttachDeviceToDeviceStackSafe(Device, Target, (PDEVICE_OBJECT *)&Volume->Lower);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        FltpLetGo(Volume);
        return Status;
    }
    ObReferenceObject(Volume->Lower);
    ObReferenceObject(Target);
    if (Target->StackSize < StackSize) {
        Device->StackSize = (CCHAR)(Device->StackSize + StackSize - Target->StackSize);
    }
    (VOID) __atomic_fetch_and(&Device->Flags, ~(ULONG)DO_DEVICE_INITIALIZING, __ATOMIC_RELEASE); /* it may be in use */
    PlatformLock(&FltpMutex);
    InsertTailList(&FltpVolumes, &Volume->Links);
    PlatformUnlock(&FltpMutex);
    if (NewlyMounted) {
        FltpAttachFiltersTo(Volume);
    }
    return STATUS_SUCCESS;
}

/* The volume stays as long as a minifilter has a reference, for which its dismount waits. [fltkernel/nf-fltkernel-fltobjectreference] */
static VOID FltpDetachVolumeDevice(PFLT_VOLUME Volume)
{
    PDEVICE_OBJECT Device = Volume->Device;

    FltpTearDownVolume(Volume);
    PlatformLock(&FltpMutex);
    (VOID) RemoveEntryList(&Volume->Links);
    InitializeListHead(&Volume->Links);
    Volume->Device = NULL; /* whoever has the volume still does not get it any more */
    PlatformUnlock(&FltpMutex);
    IoDetachDevice(Volume->Lower);
    IoDeleteDevice(Device);
    FltpRundown(&Volume->Object, TRUE, "FltMgr");
    FltpLetGo(Volume);
}

static VOID FltpDetachFileSystem(PDEVICE_OBJECT Device)
{
    PFLTP_EXTENSION Extension = Device->DeviceExtension;
    PDEVICE_OBJECT Lower = Extension->Lower;

    IoDetachDevice(Lower);
    IoDeleteDevice(Device);
    ObDereferenceObject(Lower);
}

static NTSTATUS FltpForwarded(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    (VOID) KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* The volume that a file system has mounted, referenced. */
static PDEVICE_OBJECT FltpMountedDevice(PDEVICE_OBJECT Disk)
{
    PDEVICE_OBJECT Volume;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Volume = Disk->Vpb->DeviceObject;
    if (Volume != NULL) {
        ObReferenceObject(Volume);
    }
    IoReleaseVpbSpinLock(Irql);
    return Volume;
}

/* Asks the file system to mount, and attaches to what it has mounted. */
static NTSTATUS FltpMount(PDEVICE_OBJECT Lower, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_OBJECT Disk = Location->Parameters.MountVolume.Vpb->RealDevice;
    CCHAR StackSize = (CCHAR)(Location->Parameters.MountVolume.DeviceObject->StackSize + 1);
    PDEVICE_OBJECT Volume;
    NTSTATUS Status;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, FltpForwarded, &Event, TRUE, TRUE, TRUE);
    (VOID) IoCallDriver(Lower, Irp);
    (VOID) KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    Status = Irp->IoStatus.Status;
    Volume = NT_SUCCESS(Status) ? FltpMountedDevice(Disk) : NULL;
    if (Volume != NULL) {
        (VOID) FltpAttachVolumeDevice(Volume, Disk, StackSize, TRUE);
        ObDereferenceObject(Volume);
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS FltpPass(PDEVICE_OBJECT Lower, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static NTSTATUS FltpDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFLTP_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    PFLT_VOLUME Volume = Extension->Volume;
    FLT_IO_PARAMETER_BLOCK Iopb;
    PFLTP_OPERATION Operation;
    BOOLEAN Failed;

    if (Extension->Kind == FltpFileSystemDevice) {
        return Location->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL && Location->MinorFunction == IRP_MN_MOUNT_VOLUME
                   ? FltpMount(Extension->Lower, Irp)
                   : FltpPass(Extension->Lower, Irp);
    }
    if (ReadAcquire(&Volume->InstanceCount) == 0) {
        return FltpPass(Volume->Lower, Irp);
    }
    FltpLoadParameters(Irp, &Iopb);
    Operation = FltpBegin(Volume, NULL, Irp, &Iopb, FLTFL_CALLBACK_DATA_IRP_OPERATION, Irp->RequestorMode, &Failed);
    if (Failed) {
        Irp->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
        Irp->IoStatus.Information = 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Operation == NULL) {
        if (Location->MajorFunction == IRP_MJ_CLOSE) {
            FltpForgetFile(Volume, Location->FileObject);
        }
        return FltpPass(Volume->Lower, Irp);
    }
    return FltpRun(Operation);
}

/* The device below ours is being deleted: a file system's with its volume, or another filter's, which ours goes on without. */
static VOID FltpFastIoDetachDevice(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PFLTP_EXTENSION Extension = SourceDevice->DeviceExtension;
    PFLT_VOLUME Volume = Extension->Volume;
    PDEVICE_OBJECT Target = Extension->Kind == FltpVolumeDevice ? Volume->Target : Extension->Target;
    PDEVICE_OBJECT volatile *Lower = Extension->Kind == FltpVolumeDevice ? &Volume->Lower : &Extension->Lower;

    if (TargetDevice == Target) {
        if (Extension->Kind == FltpVolumeDevice) {
            FltpDetachVolumeDevice(Volume);
        } else {
            FltpDetachFileSystem(SourceDevice);
        }
        return;
    }
    ObReferenceObject(Target);
    ObDereferenceObject(InterlockedExchangePointer((PVOID volatile *)Lower, Target));
    IoDetachDevice(TargetDevice);
    if (NT_SUCCESS(IoAttachDeviceToDeviceStackSafe(SourceDevice, Target, (PDEVICE_OBJECT *)Lower))) {
        ObReferenceObject(*Lower);
        ObDereferenceObject(Target);
    }
}

/* To the volumes that a file system has mounted before. */
static VOID FltpAttachMounted(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT *List;
    PDEVICE_OBJECT Disk;
    ULONG Count = 0;

    (VOID) IoEnumerateDeviceObjectList(Driver, NULL, 0, &Count);
    if (Count == 0) {
        return;
    }
    List = HostAllocatePool(NonPagedPoolNx, Count * sizeof(*List), FLTP_TAG, TRUE, __builtin_return_address(0));
    if (List == NULL) {
        return;
    }
    if (NT_SUCCESS(IoEnumerateDeviceObjectList(Driver, List, Count * (ULONG)sizeof(*List), &Count))) {
        for (ULONG Index = 0; Index < Count; Index++) {
            if (NT_SUCCESS(IoGetDiskDeviceObject(List[Index], &Disk))) {
                (VOID) FltpAttachVolumeDevice(List[Index], Disk, List[Index]->StackSize, FALSE);
                ObDereferenceObject(Disk);
            }
            ObDereferenceObject(List[Index]);
        }
    }
    HostFreePool(List, FLTP_TAG, "FltMgr");
}

static VOID FltpAttachFileSystem(PDEVICE_OBJECT ControlDevice)
{
    PFLTP_EXTENSION Extension;
    PDEVICE_OBJECT Device;

    if (!NT_SUCCESS(
            IoCreateDevice(FltpDriver, sizeof(FLTP_EXTENSION), NULL, ControlDevice->DeviceType, 0, FALSE, &Device))) {
        return;
    }
    FltpPropagate(ControlDevice, Device);
    Extension = Device->DeviceExtension;
    Extension->Kind = FltpFileSystemDevice;
    Extension->Target = ControlDevice;
    if (!NT_SUCCESS(IoAttachDeviceToDeviceStackSafe(Device, ControlDevice, (PDEVICE_OBJECT *)&Extension->Lower))) {
        IoDeleteDevice(Device);
        return;
    }
    ObReferenceObject(Extension->Lower);
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
}

/* Filter Manager's device that is attached to a control device, referenced, or NULL. */
static PDEVICE_OBJECT FltpFindFileSystem(PDEVICE_OBJECT ControlDevice)
{
    PDEVICE_OBJECT Device = IoGetAttachedDeviceReference(ControlDevice);

    while (Device != NULL && (Device->DriverObject != FltpDriver ||
                              ((PFLTP_EXTENSION)Device->DeviceExtension)->Kind != FltpFileSystemDevice)) {
        PDEVICE_OBJECT Lower = IoGetLowerDeviceObject(Device);

        ObDereferenceObject(Device);
        Device = Lower;
    }
    return Device;
}

static VOID FltpFileSystemChange(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive)
{
    PDEVICE_OBJECT Device;
    PFLT_VOLUME Volume;

    if (DeviceObject->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM) {
        /* A redirector mounts nothing: its files are opened through its own device, which is the volume. */
        Volume = FltpVolumeOfDevice(DeviceObject);
        if (FsActive && Volume == NULL) {
            (VOID) FltpAttachVolumeDevice(DeviceObject, NULL, DeviceObject->StackSize, TRUE);
        } else if (!FsActive && Volume != NULL) {
            FltpDetachVolumeDevice(Volume);
        }
        if (Volume != NULL) {
            FltpLetGo(Volume);
        }
        return;
    }
    if (DeviceObject->DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM &&
        DeviceObject->DeviceType != FILE_DEVICE_CD_ROM_FILE_SYSTEM) {
        return;
    }
    if (FsActive) {
        FltpAttachFileSystem(DeviceObject);
        FltpAttachMounted(DeviceObject->DriverObject);
        return;
    }
    Device = FltpFindFileSystem(DeviceObject);
    if (Device != NULL) {
        FltpDetachFileSystem(Device);
        ObDereferenceObject(Device);
    }
}

static VOID FltpUnload(PDRIVER_OBJECT DriverObject)
{
    IoUnregisterFsRegistrationChange(DriverObject, FltpFileSystemChange);
    while (DriverObject->DeviceObject != NULL) {
        PDEVICE_OBJECT Device = DriverObject->DeviceObject;
        PFLTP_EXTENSION Extension = Device->DeviceExtension;

        if (Extension->Kind == FltpVolumeDevice) {
            FltpDetachVolumeDevice(Extension->Volume);
        } else {
            FltpDetachFileSystem(Device);
        }
    }
}

NTSTATUS FltpDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    FltpDriver = DriverObject;
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        DriverObject->MajorFunction[Index] = FltpDispatch;
    }
    FltpFastIoDispatch.FastIoDetachDevice = FltpFastIoDetachDevice;
    DriverObject->FastIoDispatch = &FltpFastIoDispatch;
    DriverObject->DriverUnload = FltpUnload;
    Status = IoRegisterFsRegistrationChangeMountAware(DriverObject, FltpFileSystemChange, TRUE);
    if (!NT_SUCCESS(Status)) {
        FltpUnload(DriverObject);
    }
    return Status;
}
