/*
 * Devices: what Wine's device objects lack (VPBs, who is attached to whom, notice of deletion) in records of our own.
 */
#include "gate.h"

typedef struct _PROXY_DEVICE {
    LIST_ENTRY Links;
    PDEVICE_OBJECT Device;
    PDEVICE_OBJECT AttachedTo;
    UNICODE_STRING Name; /* behind the record */
} PROXY_DEVICE, *PPROXY_DEVICE;

static HOST_MUTEX ProxyDevicesMutex = HOST_MUTEX_INITIALIZER;
static LIST_ENTRY ProxyDevices = {&ProxyDevices, &ProxyDevices};

/* Mutex held. NULL for a device that was not made through this image. */
static PPROXY_DEVICE ProxyFindDevice(PDEVICE_OBJECT Device)
{
    for (PLIST_ENTRY Entry = ProxyDevices.Flink; Entry != &ProxyDevices; Entry = Entry->Flink) {
        PPROXY_DEVICE Record = CONTAINING_RECORD(Entry, PROXY_DEVICE, Links);

        if (Record->Device == Device) {
            return Record;
        }
    }
    return NULL;
}

static BOOLEAN ProxyHasVpb(DEVICE_TYPE DeviceType)
{
    return (BOOLEAN)(DeviceType == FILE_DEVICE_DISK || DeviceType == FILE_DEVICE_VIRTUAL_DISK ||
                     DeviceType == FILE_DEVICE_CD_ROM || DeviceType == FILE_DEVICE_TAPE);
}

/* DO_DEVICE_INITIALIZING is left out: Wine does not clear it when DriverEntry returns. [wdm/nf-wdm-iocreatedevice] */
NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                        DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                        PDEVICE_OBJECT *DeviceObject)
{
    PPROXY_DEVICE Record;
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    Status = WineIoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType, DeviceCharacteristics,
                                Exclusive, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Device->Flags |= DeviceName != NULL ? DO_DEVICE_HAS_NAME : 0;
    Device->Characteristics = DeviceCharacteristics;
    if (ProxyHasVpb(DeviceType)) {
        Device->Vpb = PlatformAllocate(sizeof(*Device->Vpb));
        Device->Vpb->Type = IO_TYPE_VPB;
        Device->Vpb->Size = sizeof(VPB);
        Device->Vpb->RealDevice = Device;
        Device->SectorSize = 512;
    }
    Record = PlatformAllocate(sizeof(*Record) + (DeviceName == NULL ? 0 : DeviceName->Length));
    Record->Device = Device;
    if (DeviceName != NULL) {
        Record->Name.Buffer = (PWCH)(Record + 1);
        Record->Name.Length = Record->Name.MaximumLength = DeviceName->Length;
        memcpy(Record->Name.Buffer, DeviceName->Buffer, DeviceName->Length);
        GateDevice(Device);
    }
    PlatformLock(&ProxyDevicesMutex);
    InsertTailList(&ProxyDevices, &Record->Links);
    PlatformUnlock(&ProxyDevicesMutex);
    *DeviceObject = Device;
    return STATUS_SUCCESS;
}

UNICODE_STRING ProxyDeviceName(PDEVICE_OBJECT DeviceObject)
{
    UNICODE_STRING Name = {0, 0, NULL};
    PPROXY_DEVICE Record;

    PlatformLock(&ProxyDevicesMutex);
    Record = ProxyFindDevice(DeviceObject);
    if (Record != NULL) {
        Name = Record->Name;
    }
    PlatformUnlock(&ProxyDevicesMutex);
    return Name;
}

/* Whoever is attached above learns of it, and has to detach. [ifs/fastiodetachdevice] */
VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    PPROXY_DEVICE Record;
    PVPB Vpb = DeviceObject->Vpb;
    PDEVICE_OBJECT Above;

    UngateDevice(DeviceObject);
    Above = DeviceObject->AttachedDevice;
    if (Above != NULL) {
        PFAST_IO_DISPATCH FastIo = Above->DriverObject->FastIoDispatch;

        if (FastIo != NULL &&
            FastIo->SizeOfFastIoDispatch >= RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, FastIoDetachDevice) &&
            FastIo->FastIoDetachDevice != NULL) {
            FastIo->FastIoDetachDevice(Above, DeviceObject);
        }
        if (DeviceObject->AttachedDevice != NULL) {
            HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDeleteDevice", "a device is still attached above %p",
                          (PVOID)DeviceObject);
        }
    }
    PlatformLock(&ProxyDevicesMutex);
    Record = ProxyFindDevice(DeviceObject);
    if (Record != NULL) {
        (VOID) RemoveEntryList(&Record->Links);
    }
    PlatformUnlock(&ProxyDevicesMutex);
    if (Record != NULL && Record->AttachedTo != NULL) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDeleteDevice", "%p is attached still",
                      (PVOID)DeviceObject);
    }
    PlatformFree(Record);
    WineIoDeleteDevice(DeviceObject);
    PlatformFree(Vpb);
}

/*
 * STATUS_NO_SUCH_DEVICE while the target initialises. The lower device is set before the stack changes, as
 * documented.
 */
NTSTATUS IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice,
                                         PDEVICE_OBJECT *AttachedToDeviceObject)
{
    PPROXY_DEVICE Record;
    PDEVICE_OBJECT Top = IoGetAttachedDevice(TargetDevice);

    if ((Top->Flags & DO_DEVICE_INITIALIZING) != 0) {
        *AttachedToDeviceObject = NULL;
        return STATUS_NO_SUCH_DEVICE;
    }
    PlatformLock(&ProxyDevicesMutex);
    Record = ProxyFindDevice(SourceDevice);
    if (Record != NULL) {
        Record->AttachedTo = Top;
    }
    *AttachedToDeviceObject = Top;
    (VOID) WineIoAttachDeviceToDeviceStack(SourceDevice, TargetDevice);
    PlatformUnlock(&ProxyDevicesMutex);
    return STATUS_SUCCESS;
}

/* The device that it came to lie above, or NULL. */
PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT AttachedTo;

    (VOID) IoAttachDeviceToDeviceStackSafe(SourceDevice, TargetDevice, &AttachedTo);
    return AttachedTo;
}

VOID IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    PPROXY_DEVICE Record;

    PlatformLock(&ProxyDevicesMutex);
    Record = ProxyFindDevice(TargetDevice->AttachedDevice);
    if (Record != NULL) {
        Record->AttachedTo = NULL;
    }
    WineIoDetachDevice(TargetDevice);
    PlatformUnlock(&ProxyDevicesMutex);
}

/* The next lower device, or NULL. Referenced. */
PDEVICE_OBJECT IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    PPROXY_DEVICE Record;
    PDEVICE_OBJECT Lower = NULL;

    PlatformLock(&ProxyDevicesMutex);
    Record = ProxyFindDevice(DeviceObject);
    if (Record != NULL && Record->AttachedTo != NULL) {
        Lower = Record->AttachedTo;
        ObReferenceObject(Lower);
    }
    PlatformUnlock(&ProxyDevicesMutex);
    return Lower;
}

/* The lowest device of the stack. Referenced. */
PDEVICE_OBJECT IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Base = DeviceObject;
    PPROXY_DEVICE Record;

    PlatformLock(&ProxyDevicesMutex);
    for (Record = ProxyFindDevice(Base); Record != NULL && Record->AttachedTo != NULL; Record = ProxyFindDevice(Base)) {
        Base = Record->AttachedTo;
    }
    ObReferenceObject(Base);
    PlatformUnlock(&ProxyDevicesMutex);
    return Base;
}

/* As many as fit, each referenced; STATUS_BUFFER_TOO_SMALL with their whole number when there are more. */
NTSTATUS IoEnumerateDeviceObjectList(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT *DeviceObjectList,
                                     ULONG DeviceObjectListSize, PULONG ActualNumberDeviceObjects)
{
    ULONG Capacity = DeviceObjectList == NULL ? 0 : DeviceObjectListSize / (ULONG)sizeof(PDEVICE_OBJECT);
    ULONG Count = 0;

    for (PDEVICE_OBJECT Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        if (Count < Capacity) {
            ObReferenceObject(Device);
            DeviceObjectList[Count] = Device;
        }
        Count++;
    }
    *ActualNumberDeviceObjects = Count;
    return Count > Capacity ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* The device of the file system that a file is opened on, or the device itself where none is mounted. */
PDEVICE_OBJECT IoGetBaseFileSystemDeviceObject(PFILE_OBJECT FileObject)
{
    PDEVICE_OBJECT Device = FileObject->DeviceObject;

    if (FileObject->Vpb != NULL && FileObject->Vpb->DeviceObject != NULL) {
        return FileObject->Vpb->DeviceObject;
    }
    if ((FileObject->Flags & FO_DIRECT_DEVICE_OPEN) == 0 && Device->Vpb != NULL && Device->Vpb->DeviceObject != NULL) {
        return Device->Vpb->DeviceObject;
    }
    return Device;
}

PDEVICE_OBJECT IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    return IoGetAttachedDevice(IoGetBaseFileSystemDeviceObject(FileObject));
}

/* STATUS_INVALID_PARAMETER for what is no volume's device, STATUS_VOLUME_DISMOUNTED. The disk is referenced. */
NTSTATUS IoGetDiskDeviceObject(PDEVICE_OBJECT FileSystemDeviceObject, PDEVICE_OBJECT *DiskDeviceObject)
{
    NTSTATUS Status = STATUS_INVALID_PARAMETER;

    PlatformLock(&ProxyDevicesMutex);
    for (PLIST_ENTRY Entry = ProxyDevices.Flink; Entry != &ProxyDevices; Entry = Entry->Flink) {
        PDEVICE_OBJECT Disk = CONTAINING_RECORD(Entry, PROXY_DEVICE, Links)->Device;

        if (Disk->Vpb != NULL && Disk->Vpb->DeviceObject == FileSystemDeviceObject) {
            Status = STATUS_VOLUME_DISMOUNTED;
            if ((Disk->Vpb->Flags & VPB_MOUNTED) != 0) {
                ObReferenceObject(Disk);
                *DiskDeviceObject = Disk;
                Status = STATUS_SUCCESS;
            }
            break;
        }
    }
    PlatformUnlock(&ProxyDevicesMutex);
    return Status;
}
