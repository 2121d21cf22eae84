/*
 * Objects by a client's handle, and objects' names.
 */
#include "proxy.h"
#include "request.h"

POBJECT_TYPE ObGetObjectType(_In_ PVOID Object);
NTSTATUS ZwOpenProcess(_Out_ PHANDLE ProcessHandle, _In_ ACCESS_MASK DesiredAccess,
                       _In_ POBJECT_ATTRIBUTES ObjectAttributes, _In_ PCLIENT_ID ClientId);
NTSTATUS ZwDuplicateObject(_In_ HANDLE SourceProcessHandle, _In_ HANDLE SourceHandle, _In_ HANDLE TargetProcessHandle,
                           _Out_ PHANDLE TargetHandle, _In_ ACCESS_MASK DesiredAccess, _In_ ULONG HandleAttributes,
                           _In_ ULONG Options);
NTSTATUS ZwQueryVolumeInformationFile(_In_ HANDLE FileHandle, _Out_ PIO_STATUS_BLOCK IoStatusBlock,
                                      _Out_writes_bytes_(Length) PVOID FsInformation, _In_ ULONG Length,
                                      _In_ FS_INFORMATION_CLASS FsInformationClass);

#define PROXY_DUPLICATE_HANDLE 0x0040u    /* PROCESS_DUP_HANDLE */
#define PROXY_DUPLICATE_SAME_ACCESS 0x02u /* DUPLICATE_SAME_ACCESS */
#define PROXY_SERVICE_HANDLES \
    0x80000000ull /* from here on, and in no client's table: kernel handles and pseudo-handles */

/* What a file of Wine's own is opened on, as far as a driver may look: no driver of this kernel serves it. */
static DRIVER_OBJECT ProxyForeignDriver;
static DEVICE_OBJECT ProxyForeignDevice = {.DriverObject = &ProxyForeignDriver, .DeviceType = FILE_DEVICE_UNKNOWN};
static DEVICE_OBJECT ProxyForeignPipes = {.DriverObject = &ProxyForeignDriver, .DeviceType = FILE_DEVICE_NAMED_PIPE};
static DEVICE_OBJECT ProxyForeignVolume = {.DriverObject = &ProxyForeignDriver,
                                           .DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM};
static VPB ProxyForeignVpb = {.DeviceObject = &ProxyForeignVolume, .RealDevice = &ProxyForeignVolume};

/* Wine makes file objects for files of its own without a device, and serves these files elsewhere. */
static VOID ProxyCompleteFileObject(HANDLE Handle, PFILE_OBJECT FileObject)
{
    FILE_FS_DEVICE_INFORMATION Information = {.DeviceType = FILE_DEVICE_UNKNOWN};
    IO_STATUS_BLOCK IoStatus;

    if (FileObject->DeviceObject != NULL) {
        return;
    }
    (VOID) ZwQueryVolumeInformationFile(Handle, &IoStatus, &Information, sizeof(Information), FileFsDeviceInformation);
    switch (Information.DeviceType) {
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_DISK_FILE_SYSTEM:
        FileObject->DeviceObject = &ProxyForeignVolume;
        FileObject->Vpb = &ProxyForeignVpb;
        break;
    case FILE_DEVICE_NAMED_PIPE:
        FileObject->DeviceObject = &ProxyForeignPipes;
        break;
    default:
        FileObject->DeviceObject = &ProxyForeignDevice;
        break;
    }
}

/*
 * UserMode: a handle of the process that the request comes from. Wine would look it up in the driver host's own
 * table. On Windows a file whose create failed has no handle: STATUS_INVALID_HANDLE (see gate.c).
 * [wdm/nf-wdm-obreferenceobjectbyhandle]
 */
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                   KPROCESSOR_MODE AccessMode, PVOID *Object,
                                   POBJECT_HANDLE_INFORMATION HandleInformation)
{
    CLIENT_ID Client = {.UniqueProcess = PsGetCurrentProcessId()};
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Process;
    HANDLE Local;
    NTSTATUS Status;

    if (AccessMode == KernelMode) {
        return WineObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation);
    }
    *Object = NULL;
    if ((ULONG_PTR)Handle >= PROXY_SERVICE_HANDLES) {
        return STATUS_INVALID_HANDLE;
    }
    InitializeObjectAttributes(&Attributes, NULL, 0, NULL, NULL);
    Status = ZwOpenProcess(&Process, PROXY_DUPLICATE_HANDLE, &Attributes, &Client);
    if (!NT_SUCCESS(Status)) {
        return STATUS_INVALID_HANDLE;
    }
    Status = ZwDuplicateObject(Process, Handle, ZwCurrentProcess(), &Local, 0, 0, PROXY_DUPLICATE_SAME_ACCESS);
    (VOID) ZwClose(Process);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WineObReferenceObjectByHandle(Local, DesiredAccess, ObjectType, KernelMode, Object, HandleInformation);
    if (NT_SUCCESS(Status) && ObGetObjectType(*Object) == *IoFileObjectType) {
        if (NT_SUCCESS(((PFILE_OBJECT)*Object)->FinalStatus)) {
            ProxyCompleteFileObject(Local, *Object);
        } else {
            ObDereferenceObject(*Object);
            *Object = NULL;
            Status = STATUS_INVALID_HANDLE;
        }
    }
    if (NT_SUCCESS(Status)) {
        ProxyNoteReference(*Object);
    }
    (VOID) ZwClose(Local);
    return Status;
}

/* Puts two parts together. STATUS_INFO_LENGTH_MISMATCH with the length that it takes. */
static NTSTATUS ProxyReturnName(PCUNICODE_STRING First, PCUNICODE_STRING Second, POBJECT_NAME_INFORMATION Name,
                                ULONG Length, PULONG ReturnLength)
{
    ULONG Bytes = (ULONG)First->Length + Second->Length;
    PWCH Text = (PWCH)(Name + 1);

    *ReturnLength = (ULONG)sizeof(*Name) + Bytes + (ULONG)sizeof(WCHAR);
    if (Bytes == 0) {
        *ReturnLength = (ULONG)sizeof(*Name);
    }
    if (Length < *ReturnLength) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    RtlZeroMemory(Name, sizeof(*Name));
    if (Bytes != 0) {
        memcpy(Text, First->Buffer, First->Length);
        memcpy((PUCHAR)Text + First->Length, Second->Buffer, Second->Length);
        Text[Bytes / sizeof(WCHAR)] = UNICODE_NULL;
        Name->Name.Buffer = Text;
        Name->Name.Length = (USHORT)Bytes;
        Name->Name.MaximumLength = (USHORT)(Bytes + sizeof(WCHAR));
    }
    return STATUS_SUCCESS;
}

/*
 * The disk's name and the name that the file system tells. An open that no driver of this kernel serves has none.
 */
static NTSTATUS ProxyQueryFileName(PFILE_OBJECT FileObject, POBJECT_NAME_INFORMATION Name, ULONG Length,
                                   PULONG ReturnLength)
{
    const UNICODE_STRING DeviceName = ProxyDeviceName(FileObject->DeviceObject);
    const ULONG Size = (ULONG)sizeof(FILE_NAME_INFORMATION) + UNICODE_STRING_MAX_BYTES;
    PFILE_NAME_INFORMATION Information = PlatformAllocate(Size);
    IO_STACK_LOCATION Request = {.MajorFunction = IRP_MJ_QUERY_INFORMATION, .FileObject = FileObject};
    UNICODE_STRING FileName;
    NTSTATUS Status;

    Request.Parameters.QueryFile.Length = Size;
    Request.Parameters.QueryFile.FileInformationClass = FileNameInformation;
    Status = SendRequest(IoGetRelatedDeviceObject(FileObject), &Request, Information, NULL);
    if (NT_SUCCESS(Status)) {
        FileName.Buffer = Information->FileName;
        FileName.Length = FileName.MaximumLength = (USHORT)Information->FileNameLength;
        Status = ProxyReturnName(&DeviceName, &FileName, Name, Length, ReturnLength);
    }
    PlatformFree(Information);
    return Status;
}

/*
 * Drivers by their name; files by their disk's name and what their file system says.
 * [ntifs/nf-ntifs-obquerynamestring]
 */
NTSTATUS ObQueryNameString(PVOID Object, POBJECT_NAME_INFORMATION ObjectNameInfo, ULONG Length, PULONG ReturnLength)
{
    static const WCHAR NoText[] = L"";
    static const UNICODE_STRING Nothing = {0, 0, (PWCH)(ULONG_PTR)NoText};
    POBJECT_TYPE Type = ObGetObjectType(Object);

    if (Type == *IoDriverObjectType) {
        return ProxyReturnName(&((PDRIVER_OBJECT)Object)->DriverName, &Nothing, ObjectNameInfo, Length, ReturnLength);
    }
    if (Type == *IoFileObjectType && ((PFILE_OBJECT)Object)->FsContext2 != NULL) {
        return ProxyQueryFileName(Object, ObjectNameInfo, Length, ReturnLength);
    }
    return WineObQueryNameString(Object, ObjectNameInfo, Length, ReturnLength);
}
