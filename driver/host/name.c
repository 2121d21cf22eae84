/* Names of objects: full names of devices and drivers, and of files as their file system tells them. */
#include "kernel.h"

#define HOST_NAME_TAG 'mNbO'
#define HOST_NAME_GUESS 1024u

/* FileNameInformation from the top of the file's stack; NULL when the driver has no name to tell. Freed with HostFreePool. */
NTSTATUS HostQueryFileName(PFILE_OBJECT FileObject, PFILE_NAME_INFORMATION *Name)
{
    ULONG Length = HOST_NAME_GUESS;
    NTSTATUS Status;

    *Name = NULL;
    for (;;) {
        PFILE_NAME_INFORMATION Buffer;
        PDEVICE_OBJECT Top;
        PIO_STACK_LOCATION Location;
        IO_STATUS_BLOCK IoStatus;
        PIRP Irp;

        Buffer = HostAllocatePool(NonPagedPoolNx, Length, HOST_NAME_TAG, FALSE, __builtin_return_address(0));
        if (Buffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Top = HostReferenceTopDevice(FileObject);
        Irp = HostAllocateIrp(HostCurrentThread(), Top->StackSize, TRUE);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            Irp->Flags = IRP_BUFFERED_IO | IRP_SYNCHRONOUS_API;
            Irp->RequestorMode = KernelMode;
            Irp->AssociatedIrp.SystemBuffer = Buffer;
            Irp->Tail.Overlay.OriginalFileObject = FileObject;
            Location = IoGetNextIrpStackLocation(Irp);
            Location->MajorFunction = IRP_MJ_QUERY_INFORMATION;
            Location->FileObject = FileObject;
            Location->Parameters.QueryFile.Length = Length;
            Location->Parameters.QueryFile.FileInformationClass = FileNameInformation;
            Status = HostSendIrp(Top, Irp, FALSE, &IoStatus);
        }
        HostDereferenceRaw(Top, "ObQueryNameString");
        if (NT_SUCCESS(Status)) {
            *Name = Buffer;
            return STATUS_SUCCESS;
        }
        if (Status == STATUS_BUFFER_OVERFLOW &&
            Length < (ULONG)sizeof(FILE_NAME_INFORMATION) + Buffer->FileNameLength) {
            Length = (ULONG)sizeof(FILE_NAME_INFORMATION) + Buffer->FileNameLength;
            HostFreePool(Buffer, HOST_NAME_TAG, "ObQueryNameString");
            continue;
        }
        HostFreePool(Buffer, HOST_NAME_TAG, "ObQueryNameString");
        if (Status == STATUS_INVALID_DEVICE_REQUEST || Status == STATUS_INVALID_PARAMETER ||
            Status == STATUS_NOT_IMPLEMENTED || Status == STATUS_INVALID_INFO_CLASS) {
            Status = STATUS_SUCCESS;
        }
        return Status;
    }
}

/*
 * IRQL PASSIVE_LEVEL. STATUS_INFO_LENGTH_MISMATCH with the length it needs when even the record does not fit or the name
 * does not; the buffer follows the record.
 */
NTSTATUS ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length, PULONG ReturnLength)
{
    PFILE_NAME_INFORMATION FileName = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Named = Object;
    ULONG Prefix;
    ULONG Suffix = 0;
    ULONG Needed;
    PUCHAR Target;

    (VOID) HostEnter(ObQueryNameString);
    if (HostCheckObject(Object, "ObQueryNameString")->Type == &HostFileType) {
        Named = ((PFILE_OBJECT)Object)->DeviceObject;
        Status = HostQueryFileName(Object, &FileName);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        Suffix = FileName != NULL ? FileName->FileNameLength : 0;
    }
    Prefix = HostFullName(Named, NULL, 0);
    Needed = (ULONG)sizeof(*ObjectNameInfo);
    if (Prefix + Suffix != 0) {
        Needed += Prefix + Suffix + (ULONG)sizeof(WCHAR);
    }
    *ReturnLength = Needed;
    if (Prefix + Suffix > UNICODE_STRING_MAX_BYTES - sizeof(WCHAR)) {
        Status = STATUS_NAME_TOO_LONG;
    } else if (Length < Needed) {
        Status = STATUS_INFO_LENGTH_MISMATCH;
    } else if (Prefix + Suffix == 0) {
        RtlZeroMemory(ObjectNameInfo, sizeof(*ObjectNameInfo));
    } else {
        Target = (PUCHAR)(ObjectNameInfo + 1);
        (VOID) HostFullName(Named, (PWCH)(PVOID)Target, Prefix);
        if (Suffix != 0) {
            memcpy(Target + Prefix, FileName->FileName, Suffix);
        }
        memset(Target + Prefix + Suffix, 0, sizeof(WCHAR));
        ObjectNameInfo->Name.Buffer = (PWCH)(PVOID)Target;
        ObjectNameInfo->Name.Length = (USHORT)(Prefix + Suffix);
        ObjectNameInfo->Name.MaximumLength = (USHORT)(Prefix + Suffix + sizeof(WCHAR));
    }
    if (FileName != NULL) {
        HostFreePool(FileName, HOST_NAME_TAG, "ObQueryNameString");
    }
    return Status;
}
