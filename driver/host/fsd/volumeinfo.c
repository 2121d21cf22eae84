/* IRP_MJ_QUERY_VOLUME_INFORMATION: what the file system says of itself. */
#include "fsd.h"

#define BYTES_PER_SECTOR 512
#define SECTORS_PER_UNIT 8

/* STATUS_BUFFER_OVERFLOW with the part of the name that fits. */
static NTSTATUS FillAttribute(PVCB Vcb, PFILE_FS_ATTRIBUTE_INFORMATION Reply, ULONG Length, PULONG Used)
{
    PCFSD_DRIVER FileSystem = Vcb->Device.FileSystem;
    ULONG Header = (ULONG)FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName);
    ULONG Copied = min((Length - Header) & ~1u, (ULONG)FileSystem->Name.Length);

    Reply->FileSystemAttributes = FileSystem->Attributes;
    Reply->MaximumComponentNameLength = NODE_MAXIMUM_NAME;
    Reply->FileSystemNameLength = FileSystem->Name.Length;
    RtlCopyMemory(Reply->FileSystemName, FileSystem->Name.Buffer, Copied);
    *Used = Header + Copied;
    return Copied < FileSystem->Name.Length ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static NTSTATUS FillSize(PVCB Vcb, PFILE_FS_SIZE_INFORMATION Reply)
{
    ULONG64 TotalBytes;
    ULONG64 FreeBytes;
    NTSTATUS Status = Vcb->Device.FileSystem->Operations->QuerySpace(Vcb->Store, &TotalBytes, &FreeBytes);

    if (NT_SUCCESS(Status)) {
        Reply->TotalAllocationUnits.QuadPart = (LONGLONG)(TotalBytes / ((ULONG64)BYTES_PER_SECTOR * SECTORS_PER_UNIT));
        Reply->AvailableAllocationUnits.QuadPart =
            (LONGLONG)(FreeBytes / ((ULONG64)BYTES_PER_SECTOR * SECTORS_PER_UNIT));
        Reply->SectorsPerAllocationUnit = SECTORS_PER_UNIT;
        Reply->BytesPerSector = BYTES_PER_SECTOR;
    }
    return Status;
}

static ULONG MinimumLength(FS_INFORMATION_CLASS Class)
{
    switch (Class) {
    case FileFsVolumeInformation:
        return (ULONG)FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel);
    case FileFsSizeInformation:
        return sizeof(FILE_FS_SIZE_INFORMATION);
    case FileFsDeviceInformation:
        return sizeof(FILE_FS_DEVICE_INFORMATION);
    case FileFsAttributeInformation:
        return (ULONG)FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName);
    default:
        return 0;
    }
}

static NTSTATUS Fill(PVCB Vcb, FS_INFORMATION_CLASS Class, PVOID Buffer, ULONG Length, PULONG Used)
{
    PFILE_FS_VOLUME_INFORMATION Volume = Buffer;
    PFILE_FS_DEVICE_INFORMATION Device = Buffer;

    *Used = MinimumLength(Class);
    switch (Class) {
    case FileFsVolumeInformation:
        Volume->VolumeCreationTime = Vcb->MountTime;
        Volume->VolumeSerialNumber = Vcb->Vpb->SerialNumber;
        Volume->VolumeLabelLength = 0;
        Volume->SupportsObjects = FALSE;
        return STATUS_SUCCESS;
    case FileFsSizeInformation:
        return FillSize(Vcb, Buffer);
    case FileFsDeviceInformation:
        Device->DeviceType = FILE_DEVICE_DISK;
        Device->Characteristics = Vcb->Vpb->RealDevice->Characteristics | FILE_DEVICE_IS_MOUNTED;
        return STATUS_SUCCESS;
    default:
        return FillAttribute(Vcb, Buffer, Length, Used);
    }
}

/* Takes VCB.Resource shared. STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH. */
NTSTATUS FsdQueryVolumeInformation(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    FS_INFORMATION_CLASS Class = IrpSp->Parameters.QueryVolume.FsInformationClass;
    ULONG Length = IrpSp->Parameters.QueryVolume.Length;
    ULONG Used = 0;
    NTSTATUS Status;

    if (MinimumLength(Class) == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < MinimumLength(Class)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    (VOID) ExAcquireResourceSharedLite(&Vcb->Resource, TRUE);
    Status =
        Vcb->Dismounted ? STATUS_VOLUME_DISMOUNTED : Fill(Vcb, Class, Irp->AssociatedIrp.SystemBuffer, Length, &Used);
    ExReleaseResourceLite(&Vcb->Resource);
    Irp->IoStatus.Information = NT_ERROR(Status) ? 0 : Used;
    return Status;
}
