/*
 * From a client's handle to the stream it has open, without trusting either.
 */
#include "psctx.h"

#define PSCTX_USUAL_NAME_SIZE 512u
#define PSCTX_MAXIMUM_NAME_SIZE \
    ((ULONG)sizeof(OBJECT_NAME_INFORMATION) + PSCTX_MAXIMUM_NAME_LENGTH + (ULONG)sizeof(WCHAR))

/*
 * The file object behind a handle of the calling process; the caller dereferences it. UserMode, so that a kernel handle's value
 * is refused; no access is asked of the handle, since contexts are not the file's content.
 * [wdm/nf-wdm-obreferenceobjectbyhandle]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxReferenceFileObject(ULONG64 Handle, PFILE_OBJECT *FileObject)
{
    PVOID object;
    NTSTATUS status;

    PAGED_CODE();

    *FileObject = NULL;
    if (Handle > MAXULONG_PTR) {
        return STATUS_INVALID_HANDLE;
    }
    status = ObReferenceObjectByHandle((HANDLE)(ULONG_PTR)Handle, 0, *IoFileObjectType, UserMode, &object, NULL);
    if (NT_SUCCESS(status)) {
        *FileObject = object;
    }
    return status;
}

/*
 * Whether FsContext of this file object may be read as an advanced FCB header that takes filter contexts, as PSCTX_SUPPORT_*.
 * Fills Stream, without taking a reference; Header is NULL unless the answer is YES or NO_FILTER_CONTEXTS.
 *
 * Pipes, sockets and control devices keep something else in FsContext, so that nothing is read there before the base device is
 * known for a file system's, and the open for one of a file on it: opens of a volume or of the file system's own control device
 * (whose file object names that, and no VPB; a file's names the disk) may carry any structure of the file system's. A volume that is opened for its attributes alone is opened on its disk. [ifs/file-streams--stream-contexts--and-per-stream-contexts]
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxExamineStream(PFILE_OBJECT FileObject, PPSCTX_STREAM Stream)
{
    const PDEVICE_OBJECT baseDevice = IoGetBaseFileSystemDeviceObject(FileObject);
    PFSRTL_ADVANCED_FCB_HEADER header;

    PAGED_CODE();

    Stream->FileObject = FileObject;
    Stream->Header = NULL;
    Stream->VolumeDevice = baseDevice;
    Stream->DeviceType = baseDevice->DeviceType;
    Stream->NeedsAnchor = FALSE;

    switch (baseDevice->DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
        if (FileObject->Vpb == NULL && FileObject->DeviceObject == baseDevice) {
            return PSCTX_SUPPORT_VOLUME;
        }
        break;
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
        break;
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_CD_ROM:
        return PSCTX_SUPPORT_VOLUME;
    default:
        return PSCTX_SUPPORT_NOT_A_FILE_SYSTEM;
    }
    if (FlagOn(FileObject->Flags, FO_VOLUME_OPEN | FO_DIRECT_DEVICE_OPEN)) {
        return PSCTX_SUPPORT_VOLUME;
    }

    header = FsRtlGetPerStreamContextPointer(FileObject);
    if (header == NULL) {
        return PSCTX_SUPPORT_NO_STREAM_CONTEXT;
    }
    if (!FlagOn(header->Flags, FSRTL_FLAG_ADVANCED_HEADER)) {
        return PSCTX_SUPPORT_NO_ADVANCED_HEADER;
    }
    Stream->Header = header;
    Stream->NeedsAnchor = !PsctxTearsDown(baseDevice);
    return FlagOn(header->Flags2, FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) ? PSCTX_SUPPORT_YES
                                                                        : PSCTX_SUPPORT_NO_FILTER_CONTEXTS;
}

/*
 * References the stream behind a handle, which PsctxCloseStream gives back. STATUS_INVALID_DEVICE_REQUEST if it cannot carry
 * contexts; PSCTX_OPERATION_QUERY_STREAM says why.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxOpenStream(ULONG64 Handle, PPSCTX_STREAM Stream)
{
    PFILE_OBJECT fileObject;
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxReferenceFileObject(Handle, &fileObject);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (PsctxExamineStream(fileObject, Stream) != PSCTX_SUPPORT_YES) {
        ObDereferenceObject(fileObject);
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return STATUS_SUCCESS;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxCloseStream(const PSCTX_STREAM *Stream)
{
    PAGED_CODE();

    ObDereferenceObject(Stream->FileObject);
}

/*
 * Asks for an object's name with room for Size bytes of it and its record. The caller gives Name to PsctxFree.
 */
PSCTX_PAGE static NTSTATUS PsctxTryToQueryObjectName(_In_ PVOID Object, _In_ ULONG Size,
                                                     _Outptr_ POBJECT_NAME_INFORMATION *Name)
{
    POBJECT_NAME_INFORMATION name;
    ULONG length;
    NTSTATUS status;

    PAGED_CODE();

    *Name = NULL;
    name = PsctxAllocate(PagedPool, Size);
    if (name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ObQueryNameString(Object, name, Size, &length);
    if (!NT_SUCCESS(status)) {
        PsctxFree(name);
        return status;
    }
    *Name = name;
    return STATUS_SUCCESS;
}

/*
 * The full name of a device, a driver or a file, as \Device\HarddiskVolume1\directory\file:stream, in memory that the caller gives
 * to PsctxFree. FileObject->FileName is only valid during create, so that the file system is asked. Where it cannot tell, and where
 * an object has none, the name is empty: a context is worth having without. STATUS_INSUFFICIENT_RESOURCES is the only failure.
 * [ntifs/nf-ntifs-obquerynamestring]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryObjectName(PVOID Object, POBJECT_NAME_INFORMATION *Name)
{
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxTryToQueryObjectName(Object, PSCTX_USUAL_NAME_SIZE, Name);
    if (status == STATUS_INFO_LENGTH_MISMATCH || status == STATUS_BUFFER_OVERFLOW ||
        status == STATUS_BUFFER_TOO_SMALL) {
        status = PsctxTryToQueryObjectName(Object, PSCTX_MAXIMUM_NAME_SIZE, Name);
    }
    if (!NT_SUCCESS(status) && status != STATUS_INSUFFICIENT_RESOURCES) {
        *Name = PsctxAllocate(PagedPool, sizeof(**Name));
        status = *Name == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
    }
    return status;
}
