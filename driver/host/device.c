/* Devices: creation, stacks, enumeration, deletion. */
#include "kernel.h"

#define HOST_VPB_TAG 'bpVH'

/* The order of attachment and the lists of drivers' devices. */
static HOST_MUTEX HostDevicesMutex = HOST_MUTEX_INITIALIZER;

static BOOLEAN HostHasVpb(DEVICE_TYPE DeviceType)
{
    return (BOOLEAN)(DeviceType == FILE_DEVICE_DISK || DeviceType == FILE_DEVICE_VIRTUAL_DISK ||
                     DeviceType == FILE_DEVICE_CD_ROM || DeviceType == FILE_DEVICE_TAPE);
}

/* IRQL <= APC_LEVEL. STATUS_INSUFFICIENT_RESOURCES, STATUS_OBJECT_NAME_COLLISION and what the name's path gives. */
NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                        DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                        PDEVICE_OBJECT *DeviceObject)
{
    SIZE_T ExtensionOffset = sizeof(DEVICE_OBJECT);
    SIZE_T ObjectExtensionOffset = ExtensionOffset + ALIGN_UP_BY(DeviceExtensionSize, 16);
    PDEVICE_OBJECT Device;
    PDEVOBJ_EXTENSION Extension;
    NTSTATUS Status;

    (VOID) HostEnter(IoCreateDevice);
    (VOID) HostCheckObject(DriverObject, "IoCreateDevice");
    *DeviceObject = NULL;
    Status = HostCreateObject(&HostDeviceType, ObjectExtensionOffset + sizeof(DEVOBJ_EXTENSION), (PVOID *)&Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Extension = (PDEVOBJ_EXTENSION)(PVOID)((PUCHAR)Device + ObjectExtensionOffset);
    Extension->Type = IO_TYPE_DEVICE_OBJECT_EXTENSION;
    Extension->DeviceObject = Device;
    Device->Type = IO_TYPE_DEVICE;
    Device->Size = (USHORT)min(sizeof(DEVICE_OBJECT) + DeviceExtensionSize, MAXUSHORT);
    Device->DriverObject = DriverObject;
    Device->Flags =
        DO_DEVICE_INITIALIZING | (Exclusive ? DO_EXCLUSIVE : 0) | (DeviceName != NULL ? DO_DEVICE_HAS_NAME : 0);
    Device->Characteristics = DeviceCharacteristics;
    Device->DeviceType = DeviceType;
    Device->StackSize = 1;
    Device->DeviceExtension = DeviceExtensionSize != 0 ? (PUCHAR)Device + ExtensionOffset : NULL;
    Device->DeviceObjectExtension = Extension;
    KeInitializeEvent(&Device->DeviceLock, SynchronizationEvent, TRUE);
    if (HostHasVpb(DeviceType)) {
        Device->Vpb = HostAllocatePool(NonPagedPoolNx, sizeof(VPB), HOST_VPB_TAG, TRUE, __builtin_return_address(0));
        if (Device->Vpb == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            Device->Vpb->Type = IO_TYPE_VPB;
            Device->Vpb->Size = sizeof(VPB);
            Device->Vpb->RealDevice = Device;
            Device->SectorSize = 512;
        }
    }
    if (NT_SUCCESS(Status) && DeviceName != NULL) {
        Status = HostInsertObject(Device, DeviceName, FALSE);
    }
    if (NT_SUCCESS(Status)) {
        (VOID) InterlockedIncrement64(&HostHeaderOf(DriverObject)->References);
        PlatformLock(&HostDevicesMutex);
        Device->NextDevice = DriverObject->DeviceObject;
        DriverObject->DeviceObject = Device;
        PlatformUnlock(&HostDevicesMutex);
        *DeviceObject = Device;
    } else {
        Device->DriverObject = NULL;
        HostDereferenceRaw(Device, "IoCreateDevice");
    }
    return Status;
}

/* When the last reference has gone. */
VOID HostDeleteDeviceObject(PVOID Object)
{
    PDEVICE_OBJECT Device = Object;

    if ((Device->AttachedDevice != NULL || Device->DeviceObjectExtension->AttachedTo != NULL) &&
        (HostQuirks & HOST_QUIRK_SILENT_DELETION) == 0) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDeleteDevice",
                      "the device at %p goes while it is attached", Object);
    }
    if (Device->SecurityDescriptor != NULL) {
        HostFreePool(Device->SecurityDescriptor, 'dSeS', "IoDeleteDevice");
    }
    if (Device->Vpb != NULL) {
        HostFreePool(Device->Vpb, HOST_VPB_TAG, "IoDeleteDevice");
    }
    if (Device->DriverObject != NULL) {
        HostDereferenceRaw(Device->DriverObject, "IoDeleteDevice");
    }
}

#define HOST_DEVICE_DELETE_PENDING 0x00000002u /* ExtensionFlags, DOE_DELETE_PENDING of the real one */
#define HOST_DEVICE_DELETED 0x80000000u        /* ours alone: not its driver's any more */
#define HOST_DEVICE_ENDS 0x40000000u           /* ours alone: HostFinishDelete has been called, or will be at once */

/*
 * Whether the caller is to call HostFinishDelete. It is called once, also when an open that has found the device before it was deleted comes
 * and goes afterwards. Mutex held.
 */
static BOOLEAN HostTakeDeletion(PDEVICE_OBJECT Device)
{
    ULONG Flags = Device->DeviceObjectExtension->ExtensionFlags;

    if (Device->ReferenceCount != 0 || (Flags & HOST_DEVICE_DELETE_PENDING) == 0 || (Flags & HOST_DEVICE_ENDS) != 0) {
        return FALSE;
    }
    Device->DeviceObjectExtension->ExtensionFlags |= HOST_DEVICE_ENDS;
    return TRUE;
}

/* The rest of IoDeleteDevice, once nothing has the device open: who is attached above learns of it and must detach. */
static VOID HostFinishDelete(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT Above = Device->AttachedDevice;
    PDEVICE_OBJECT *Link;

    if (Above != NULL && (HostQuirks & HOST_QUIRK_SILENT_DELETION) == 0) {
        PFAST_IO_DISPATCH FastIo = Above->DriverObject->FastIoDispatch;

        if (FastIo != NULL &&
            FastIo->SizeOfFastIoDispatch >= RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, FastIoDetachDevice) &&
            FastIo->FastIoDetachDevice != NULL) {
            FastIo->FastIoDetachDevice(Above, Device);
        }
        if (Device->AttachedDevice != NULL) {
            HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDeleteDevice", "a device is still attached above %p",
                          (PVOID)Device);
        }
    }
    PlatformLock(&HostDevicesMutex);
    for (Link = &Device->DriverObject->DeviceObject; *Link != NULL; Link = &(*Link)->NextDevice) {
        if (*Link == Device) {
            *Link = Device->NextDevice;
            break;
        }
    }
    (VOID) __atomic_fetch_or(&Device->DeviceObjectExtension->ExtensionFlags, HOST_DEVICE_DELETED, __ATOMIC_RELEASE);
    PlatformUnlock(&HostDevicesMutex);
    HostDereferenceRaw(Device, "IoDeleteDevice");
}

VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    BOOLEAN Finish;

    (VOID) HostEnter(IoDeleteDevice);
    (VOID) HostCheckObject(DeviceObject, "IoDeleteDevice");
    if ((DeviceObject->DeviceObjectExtension->ExtensionFlags & HOST_DEVICE_DELETE_PENDING) != 0) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDeleteDevice", "%p is deleted already",
                      (PVOID)DeviceObject);
    }
    if (DeviceObject->DeviceObjectExtension->AttachedTo != NULL && (HostQuirks & HOST_QUIRK_SILENT_DELETION) == 0) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDeleteDevice", "%p is attached to another device still",
                      (PVOID)DeviceObject);
    }
    HostRemoveName(DeviceObject);
    PlatformLock(&HostDevicesMutex);
    DeviceObject->DeviceObjectExtension->ExtensionFlags |= HOST_DEVICE_DELETE_PENDING;
    Finish = HostTakeDeletion(DeviceObject);
    PlatformUnlock(&HostDevicesMutex);
    if (Finish) {
        HostFinishDelete(DeviceObject);
    }
}

/* One more open of the device. */
VOID HostReferenceDevice(PDEVICE_OBJECT Device)
{
    PlatformLock(&HostDevicesMutex);
    Device->ReferenceCount++;
    PlatformUnlock(&HostDevicesMutex);
    (VOID) InterlockedIncrement64(&HostHeaderOf(Device)->References);
}

VOID HostDereferenceDevice(PDEVICE_OBJECT Device)
{
    BOOLEAN Finish;

    PlatformLock(&HostDevicesMutex);
    Device->ReferenceCount--;
    Finish = HostTakeDeletion(Device);
    PlatformUnlock(&HostDevicesMutex);
    if (Finish) {
        HostFinishDelete(Device);
    }
    HostDereferenceRaw(Device, "device");
}

BOOLEAN HostIsDeviceDeleted(PDEVICE_OBJECT Device)
{
    return (BOOLEAN)((__atomic_load_n(&Device->DeviceObjectExtension->ExtensionFlags, __ATOMIC_ACQUIRE) &
                      HOST_DEVICE_DELETED) != 0);
}

/* Mutex held. */
static PDEVICE_OBJECT HostTop(PDEVICE_OBJECT Device)
{
    while (Device->AttachedDevice != NULL) {
        Device = Device->AttachedDevice;
    }
    return Device;
}

/* STATUS_NO_SUCH_DEVICE when the top of the stack is being initialised or deleted. */
static NTSTATUS HostAttach(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target, PDEVICE_OBJECT *AttachedTo)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PDEVICE_OBJECT Top;

    (VOID) HostCheckObject(Source, "IoAttachDeviceToDeviceStack");
    (VOID) HostCheckObject(Target, "IoAttachDeviceToDeviceStack");
    PlatformLock(&HostDevicesMutex);
    Top = HostTop(Target);
    if (Source->DeviceObjectExtension->AttachedTo != NULL || Top == Source) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoAttachDeviceToDeviceStack", "%p is attached already",
                      (PVOID)Source);
    }
    if ((Top->Flags & DO_DEVICE_INITIALIZING) != 0 ||
        (Top->DeviceObjectExtension->ExtensionFlags & HOST_DEVICE_DELETE_PENDING) != 0) {
        Status = STATUS_NO_SUCH_DEVICE;
    } else {
        Source->StackSize = (CCHAR)(Top->StackSize + 1);
        Source->AlignmentRequirement = Top->AlignmentRequirement;
        Source->SectorSize = Top->SectorSize;
        Source->DeviceObjectExtension->AttachedTo = Top;
        *AttachedTo = Top;
        Top->AttachedDevice = Source;
    }
    PlatformUnlock(&HostDevicesMutex);
    return Status;
}

NTSTATUS IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice,
                                         PDEVICE_OBJECT *AttachedToDeviceObject)
{
    (VOID) HostEnter(IoAttachDeviceToDeviceStackSafe);
    return HostAttach(SourceDevice, TargetDevice, AttachedToDeviceObject);
}

PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT AttachedTo = NULL;

    (VOID) HostEnter(IoAttachDeviceToDeviceStack);
    return NT_SUCCESS(HostAttach(SourceDevice, TargetDevice, &AttachedTo)) ? AttachedTo : NULL;
}

/* TargetDevice is the one below. */
VOID IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    (VOID) HostEnter(IoDetachDevice);
    (VOID) HostCheckObject(TargetDevice, "IoDetachDevice");
    PlatformLock(&HostDevicesMutex);
    if (TargetDevice->AttachedDevice == NULL) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDetachDevice", "nothing is attached to %p",
                      (PVOID)TargetDevice);
    }
    if ((TargetDevice->DeviceObjectExtension->ExtensionFlags & HOST_DEVICE_DELETED) != 0) {
        HostViolation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, "IoDetachDevice", "%p has been deleted",
                      (PVOID)TargetDevice);
    }
    TargetDevice->AttachedDevice->DeviceObjectExtension->AttachedTo = NULL;
    TargetDevice->AttachedDevice = NULL;
    PlatformUnlock(&HostDevicesMutex);
}

PDEVICE_OBJECT IoGetAttachedDevice(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Top;

    (VOID) HostEnter(IoGetAttachedDevice);
    PlatformLock(&HostDevicesMutex);
    Top = HostTop(DeviceObject);
    PlatformUnlock(&HostDevicesMutex);
    return Top;
}

PDEVICE_OBJECT IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Top;

    (VOID) HostEnter(IoGetAttachedDeviceReference);
    (VOID) HostCheckObject(DeviceObject, "IoGetAttachedDeviceReference");
    PlatformLock(&HostDevicesMutex);
    Top = HostTop(DeviceObject);
    (VOID) InterlockedIncrement64(&HostHeaderOf(Top)->References);
    PlatformUnlock(&HostDevicesMutex);
    return Top;
}

PDEVICE_OBJECT IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Lower;

    (VOID) HostEnter(IoGetLowerDeviceObject);
    (VOID) HostCheckObject(DeviceObject, "IoGetLowerDeviceObject");
    PlatformLock(&HostDevicesMutex);
    Lower = DeviceObject->DeviceObjectExtension->AttachedTo;
    if (Lower != NULL) {
        (VOID) InterlockedIncrement64(&HostHeaderOf(Lower)->References);
    }
    PlatformUnlock(&HostDevicesMutex);
    return Lower;
}

PDEVICE_OBJECT IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Base = DeviceObject;

    (VOID) HostEnter(IoGetDeviceAttachmentBaseRef);
    (VOID) HostCheckObject(DeviceObject, "IoGetDeviceAttachmentBaseRef");
    PlatformLock(&HostDevicesMutex);
    while (Base->DeviceObjectExtension->AttachedTo != NULL) {
        Base = Base->DeviceObjectExtension->AttachedTo;
    }
    (VOID) InterlockedIncrement64(&HostHeaderOf(Base)->References);
    PlatformUnlock(&HostDevicesMutex);
    return Base;
}

/* STATUS_BUFFER_TOO_SMALL with the count there are. Each device told is referenced. */
NTSTATUS IoEnumerateDeviceObjectList(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT *DeviceObjectList,
                                     ULONG DeviceObjectListSize, PULONG ActualNumberDeviceObjects)
{
    ULONG Capacity = DeviceObjectListSize / (ULONG)sizeof(PDEVICE_OBJECT);
    ULONG Count = 0;

    (VOID) HostEnter(IoEnumerateDeviceObjectList);
    (VOID) HostCheckObject(DriverObject, "IoEnumerateDeviceObjectList");
    PlatformLock(&HostDevicesMutex);
    for (PDEVICE_OBJECT Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        if (Count < Capacity) {
            DeviceObjectList[Count] = Device;
            (VOID) InterlockedIncrement64(&HostHeaderOf(Device)->References);
        }
        Count++;
    }
    PlatformUnlock(&HostDevicesMutex);
    *ActualNumberDeviceObjects = Count;
    return Count > Capacity ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* The device that serves the file: the volume's when one is mounted. */
PDEVICE_OBJECT HostBaseDevice(PFILE_OBJECT FileObject)
{
    PDEVICE_OBJECT Device = FileObject->DeviceObject;

    if (FileObject->Vpb != NULL && FileObject->Vpb->DeviceObject != NULL) {
        Device = FileObject->Vpb->DeviceObject;
    } else if ((FileObject->Flags & FO_DIRECT_DEVICE_OPEN) == 0 && Device->Vpb != NULL &&
               Device->Vpb->DeviceObject != NULL) {
        Device = Device->Vpb->DeviceObject;
    }
    return Device;
}

PDEVICE_OBJECT HostReferenceTopDevice(PFILE_OBJECT FileObject)
{
    PDEVICE_OBJECT Top;

    PlatformLock(&HostDevicesMutex);
    Top = HostTop(HostBaseDevice(FileObject));
    (VOID) InterlockedIncrement64(&HostHeaderOf(Top)->References);
    PlatformUnlock(&HostDevicesMutex);
    return Top;
}

PDEVICE_OBJECT IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    PDEVICE_OBJECT Top;

    (VOID) HostEnter(IoGetRelatedDeviceObject);
    (VOID) HostCheckObject(FileObject, "IoGetRelatedDeviceObject");
    PlatformLock(&HostDevicesMutex);
    Top = HostTop(HostBaseDevice(FileObject));
    PlatformUnlock(&HostDevicesMutex);
    return Top;
}

PDEVICE_OBJECT IoGetBaseFileSystemDeviceObject(PFILE_OBJECT FileObject)
{
    (VOID) HostEnter(IoGetBaseFileSystemDeviceObject);
    (VOID) HostCheckObject(FileObject, "IoGetBaseFileSystemDeviceObject");
    return HostBaseDevice(FileObject);
}

/*
 * STATUS_INVALID_PARAMETER for what is no volume's device, STATUS_VOLUME_DISMOUNTED. The disk is referenced; what a failure leaves in its place is
 * nothing that may be used.
 */
NTSTATUS IoGetDiskDeviceObject(PDEVICE_OBJECT FileSystemDeviceObject, PDEVICE_OBJECT *DiskDeviceObject)
{
    PVPB Vpb;

    (VOID) HostEnter(IoGetDiskDeviceObject);
    (VOID) HostCheckObject(FileSystemDeviceObject, "IoGetDiskDeviceObject");
    *DiskDeviceObject = (PDEVICE_OBJECT)(ULONG_PTR)1;
    Vpb = FileSystemDeviceObject->DeviceObjectExtension->Vpb;
    if ((FileSystemDeviceObject->Vpb != NULL) != ((HostQuirks & HOST_QUIRK_DISK_OF_DEVICES_WITH_VPB) != 0) ||
        Vpb == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Vpb->Flags & VPB_MOUNTED) == 0) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    (VOID) InterlockedIncrement64(&HostHeaderOf(Vpb->RealDevice)->References);
    *DiskDeviceObject = Vpb->RealDevice;
    return STATUS_SUCCESS;
}
