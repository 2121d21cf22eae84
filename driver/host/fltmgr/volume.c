/* What minifilters may know of volumes: names, properties, devices; and how volumes are found. */
#include "fltmgr.h"

static NTSTATUS FltpHandOutVolume(PFLT_VOLUME Volume, PFLT_VOLUME *RetVolume, NTSTATUS NotFound)
{
    NTSTATUS Status = Volume == NULL ? NotFound : FltpGive(Volume);

    *RetVolume = NT_SUCCESS(Status) ? Volume : NULL;
    if (Volume != NULL) {
        FltpLetGo(Volume);
    }
    return Status;
}

/* IRQL <= APC_LEVEL. STATUS_INVALID_PARAMETER for a file that is on no volume that Filter Manager is on. */
NTSTATUS FltGetVolumeFromFileObject(PFLT_FILTER Filter, PFILE_OBJECT FileObject, PFLT_VOLUME *RetVolume)
{
    (VOID) HostEnter(FltGetVolumeFromFileObject);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltGetVolumeFromFileObject");
    (VOID) HostCheckObject(FileObject, "FltGetVolumeFromFileObject");
    return FltpHandOutVolume(FltpVolumeOfDevice(HostBaseDevice(FileObject)), RetVolume, STATUS_INVALID_PARAMETER);
}

NTSTATUS FltGetVolumeFromDeviceObject(PFLT_FILTER Filter, PDEVICE_OBJECT DeviceObject, PFLT_VOLUME *RetVolume)
{
    (VOID) HostEnter(FltGetVolumeFromDeviceObject);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltGetVolumeFromDeviceObject");
    (VOID) HostCheckObject(DeviceObject, "FltGetVolumeFromDeviceObject");
    return FltpHandOutVolume(FltpVolumeOfDevice(DeviceObject), RetVolume, STATUS_INVALID_PARAMETER);
}

/* IRQL PASSIVE_LEVEL. The name of the volume's device; letters are not followed. STATUS_FLT_VOLUME_NOT_FOUND. */
NTSTATUS FltGetVolumeFromName(PFLT_FILTER Filter, PCUNICODE_STRING VolumeName, PFLT_VOLUME *RetVolume)
{
    PFLT_VOLUME Found = NULL;

    (VOID) HostEnter(FltGetVolumeFromName);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltGetVolumeFromName");
    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = FltpVolumes.Flink; Entry != &FltpVolumes && Found == NULL; Entry = Entry->Flink) {
        PFLT_VOLUME Volume = CONTAINING_RECORD(Entry, struct _FLT_VOLUME, Links);

        if (!Volume->Object.Deleting && FltpSameString(VolumeName, &Volume->Name)) {
            Found = Volume;
            FltpKeep(Found);
        }
    }
    PlatformUnlock(&FltpMutex);
    return FltpHandOutVolume(Found, RetVolume, STATUS_FLT_VOLUME_NOT_FOUND);
}

/* IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL with how many there are; each given is referenced. */
NTSTATUS FltEnumerateVolumes(PFLT_FILTER Filter, PFLT_VOLUME *VolumeList, ULONG VolumeListSize,
                             PULONG NumberVolumesReturned)
{
    ULONG Count = 0;
    ULONG Given = 0;

    (VOID) HostEnter(FltEnumerateVolumes);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltEnumerateVolumes");
    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = FltpVolumes.Flink; Entry != &FltpVolumes; Entry = Entry->Flink) {
        Count += !CONTAINING_RECORD(Entry, struct _FLT_VOLUME, Links)->Object.Deleting;
    }
    for (PLIST_ENTRY Entry = FltpVolumes.Flink; Entry != &FltpVolumes && Count <= VolumeListSize;
         Entry = Entry->Flink) {
        PFLT_VOLUME Volume = CONTAINING_RECORD(Entry, struct _FLT_VOLUME, Links);

        if (!Volume->Object.Deleting) {
            FltpGiveLocked(Volume);
            VolumeList[Given++] = Volume;
        }
    }
    PlatformUnlock(&FltpMutex);
    *NumberVolumesReturned = Count;
    return Count > VolumeListSize ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL with the bytes it needs. [fltkernel/nf-fltkernel-fltgetvolumename] */
NTSTATUS FltGetVolumeName(PFLT_VOLUME Volume, PUNICODE_STRING VolumeName, PULONG BufferSizeNeeded)
{
    (VOID) HostEnter(FltGetVolumeName);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetVolumeName");
    if (BufferSizeNeeded != NULL) {
        *BufferSizeNeeded = Volume->Name.Length;
    }
    if (VolumeName == NULL) {
        return BufferSizeNeeded == NULL ? STATUS_INVALID_PARAMETER : STATUS_BUFFER_TOO_SMALL;
    }
    VolumeName->Length = 0;
    if (VolumeName->MaximumLength < Volume->Name.Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memcpy(VolumeName->Buffer, Volume->Name.Buffer, Volume->Name.Length);
    VolumeName->Length = Volume->Name.Length;
    return STATUS_SUCCESS;
}

/* Where a string goes in the caller's buffer, behind what is there; NULL's buffer when it does not fit. */
static VOID FltpPut(PUCHAR Base, ULONG Length, PULONG Used, PCUNICODE_STRING From, PUNICODE_STRING To)
{
    if (Base != NULL && *Used + From->Length <= Length && From->Length != 0) {
        To->Buffer = (PWCH)(PVOID)(Base + *Used);
        To->Length = To->MaximumLength = From->Length;
        memcpy(To->Buffer, From->Buffer, From->Length);
    }
    *Used += From->Length;
}

/*
 * IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL when the record does not fit, STATUS_BUFFER_OVERFLOW when a name does not: both with the bytes it
 * needs. [fltkernel/nf-fltkernel-fltgetvolumeproperties]
 */
NTSTATUS FltGetVolumeProperties(PFLT_VOLUME Volume, PFLT_VOLUME_PROPERTIES VolumeProperties,
                                ULONG VolumePropertiesLength, PULONG LengthReturned)
{
    FLT_VOLUME_PROPERTIES Properties = {0};
    PDEVICE_OBJECT Disk;
    ULONG Used = sizeof(Properties);
    ULONG Room = VolumeProperties == NULL ? 0 : VolumePropertiesLength;

    (VOID) HostEnter(FltGetVolumeProperties);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetVolumeProperties");
    Disk = Volume->Disk != NULL ? Volume->Disk : Volume->Target;
    Properties.DeviceType = Volume->Target->DeviceType;
    Properties.DeviceCharacteristics = Disk->Characteristics;
    Properties.DeviceObjectFlags = Disk->Flags;
    Properties.AlignmentRequirement = Disk->AlignmentRequirement;
    Properties.SectorSize = Disk->SectorSize;
    if (Room < sizeof(Properties)) {
        Room = 0;
    }
    FltpPut((PUCHAR)VolumeProperties, Room, &Used, &Volume->Target->DriverObject->DriverName,
            &Properties.FileSystemDriverName);
    if (Volume->Disk != NULL) {
        FltpPut((PUCHAR)VolumeProperties, Room, &Used, &Volume->Name, &Properties.RealDeviceName);
    } else {
        FltpPut((PUCHAR)VolumeProperties, Room, &Used, &Volume->Name, &Properties.FileSystemDeviceName);
    }
    *LengthReturned = Used;
    if (Room == 0) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    *VolumeProperties = Properties;
    return Used > VolumePropertiesLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL. Filter Manager's device on the volume, referenced. STATUS_FLT_NO_DEVICE_OBJECT. */
NTSTATUS FltGetDeviceObject(PFLT_VOLUME Volume, PDEVICE_OBJECT *DeviceObject)
{
    NTSTATUS Status = STATUS_FLT_NO_DEVICE_OBJECT;

    (VOID) HostEnter(FltGetDeviceObject);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetDeviceObject");
    *DeviceObject = NULL;
    PlatformLock(&FltpMutex);
    if (Volume->Device != NULL) {
        *DeviceObject = Volume->Device;
        HostReferenceRaw(Volume->Device);
        Status = STATUS_SUCCESS;
    }
    PlatformUnlock(&FltpMutex);
    return Status;
}

/* IRQL <= DISPATCH_LEVEL. The disk, referenced. STATUS_FLT_NO_DEVICE_OBJECT for a volume without. */
NTSTATUS FltGetDiskDeviceObject(PFLT_VOLUME Volume, PDEVICE_OBJECT *DiskDeviceObject)
{
    (VOID) HostEnter(FltGetDiskDeviceObject);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetDiskDeviceObject");
    *DiskDeviceObject = Volume->Disk;
    if (Volume->Disk == NULL) {
        return STATUS_FLT_NO_DEVICE_OBJECT;
    }
    ObReferenceObject(Volume->Disk);
    return STATUS_SUCCESS;
}

/* Of a volume or of an instance. */
static PFLT_VOLUME FltpVolumeOfObject(PVOID FltObject, const char *Routine)
{
    if (FltObject != NULL && ((PFLTP_OBJECT)FltObject)->Kind == FltpInstanceKind) {
        (VOID) FltpCheckObject(FltObject, FltpInstanceKind, Routine);
        return ((PFLT_INSTANCE)FltObject)->Volume;
    }
    return (PFLT_VOLUME)FltpCheckObject(FltObject, FltpVolumeKind, Routine);
}

NTSTATUS FltGetFileSystemType(PVOID FltObject, PFLT_FILESYSTEM_TYPE FileSystemType)
{
    (VOID) HostEnter(FltGetFileSystemType);
    *FileSystemType = FltpVolumeOfObject(FltObject, "FltGetFileSystemType")->FileSystemType;
    return STATUS_SUCCESS;
}

/* IRQL PASSIVE_LEVEL. A volume on a disk of the driver of shadow copies. */
NTSTATUS FltIsVolumeSnapshot(PVOID FltObject, PBOOLEAN IsSnapshotVolume)
{
    PFLT_VOLUME Volume;
    UNICODE_STRING Name;

    (VOID) HostEnter(FltIsVolumeSnapshot);
    Volume = FltpVolumeOfObject(FltObject, "FltIsVolumeSnapshot");
    RtlInitUnicodeString(&Name, L"\\Driver\\volsnap");
    *IsSnapshotVolume =
        (BOOLEAN)(Volume->Disk != NULL && FltpSameString(&Name, &Volume->Disk->DriverObject->DriverName));
    return STATUS_SUCCESS;
}

BOOLEAN FltIsFltMgrVolumeDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    (VOID) HostEnter(FltIsFltMgrVolumeDeviceObject);
    (VOID) HostCheckObject(DeviceObject, "FltIsFltMgrVolumeDeviceObject");
    return (BOOLEAN)(DeviceObject->DriverObject == FltpDriver && FltpVolumeOf(DeviceObject) != NULL);
}
