/*
 * From a client's handle to the stream it has open, without trusting either.
 */
#include "core/core.h"
#include "volumes/volumes.h"

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
 * Whether this may be the address of a structure of the kernel's: what is not is not followed.
 */
PSCTX_PAGE static BOOLEAN PsctxIsKernelPointer(_In_opt_ const VOID *Pointer)
{
    PAGED_CODE();

    return (ULONG_PTR)Pointer >= (ULONG_PTR)MmSystemRangeStart && (ULONG_PTR)Pointer % sizeof(PVOID) == 0;
}

/*
 * Whether the list of a header is linked both ways, under its lock. FALSE, too, where it is not known which lock that is.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxIsListLinked(_In_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    const LIST_ENTRY *head = &Header->FilterContexts;
    PSCTX_LIST_LOCK lock;
    BOOLEAN linked;

    PAGED_CODE();

    if (!NT_SUCCESS(PsctxFindListLock(Header, &lock)) || !PsctxIsKernelPointer(lock.Lock)) {
        return FALSE;
    }
    PsctxAcquireListLock(&lock);
    linked = PsctxIsKernelPointer(head->Flink) && PsctxIsKernelPointer(head->Blink) && head->Flink->Blink == head &&
             head->Blink->Flink == head;
    PsctxReleaseListLock(&lock);
    return linked;
}

/*
 * Whether FsContext, which some redirector has set, is a header that supports filter contexts, as its flags say. What its other control
 * objects have there may say so by chance, so that each sign is asked for before the next one costs more trust:
 *
 * the size of the structure, where it is told (not every redirector does), has room for a header;
 * the resources, where there are any, and both ends of the list are addresses of the kernel's: members of the header itself, read as far
 * as the size goes, and compared alone;
 * the lock is one that a header of this version has, which is what FsRtl would take;
 * and under that lock the list is linked both ways, so that each end may be followed once.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxIsRedirectorsHeader(_In_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    PAGED_CODE();

    return (Header->NodeByteSize == 0 ||
            (USHORT)Header->NodeByteSize >= RTL_SIZEOF_THROUGH_FIELD(FSRTL_ADVANCED_FCB_HEADER, FilterContexts)) &&
           (Header->Resource == NULL || PsctxIsKernelPointer(Header->Resource)) &&
           (Header->PagingIoResource == NULL || PsctxIsKernelPointer(Header->PagingIoResource)) &&
           PsctxIsKernelPointer(Header->FilterContexts.Flink) && PsctxIsKernelPointer(Header->FilterContexts.Blink) &&
           PsctxIsListLinked(Header);
}

/*
 * Whether the open is one of a file at all, as far as its file object and the file system's device tell: PSCTX_SUPPORT_YES, or why not.
 *
 * Pipes, sockets and other drivers' devices are told by the device's type, and pipes and mailslots of a redirector by the flags that it
 * sets in their file objects. An open of a volume or of a disk file system's control device names that device and has no VPB, while a
 * file's names the disk; a volume that is opened for its attributes alone is opened on its disk. The open of a redirector itself has
 * neither a name nor a file that it is relative to, which is how redirectors know it; the open of a file has section pointers, which are
 * set together with FsContext. [ifs/file-streams--stream-contexts--and-per-stream-contexts]
 */
PSCTX_PAGE static ULONG PsctxExamineOpen(_In_ const FILE_OBJECT *FileObject, _In_ const DEVICE_OBJECT *BaseDevice)
{
    PAGED_CODE();

    if (FlagOn(FileObject->Flags, FO_NAMED_PIPE | FO_MAILSLOT)) {
        return PSCTX_SUPPORT_NOT_A_FILE_SYSTEM;
    }
    if (FlagOn(FileObject->Flags, FO_VOLUME_OPEN | FO_DIRECT_DEVICE_OPEN)) {
        return PSCTX_SUPPORT_VOLUME;
    }
    switch (BaseDevice->DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
        return FileObject->Vpb == NULL && FileObject->DeviceObject == BaseDevice ? PSCTX_SUPPORT_VOLUME
                                                                                 : PSCTX_SUPPORT_YES;
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
        if (FileObject->FileName.Length == 0 && FileObject->RelatedFileObject == NULL) {
            return PSCTX_SUPPORT_VOLUME;
        }
        return FileObject->FsContext == NULL || PsctxIsKernelPointer(FileObject->SectionObjectPointer)
                   ? PSCTX_SUPPORT_YES
                   : PSCTX_SUPPORT_NO_ADVANCED_HEADER;
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_CD_ROM:
        return PSCTX_SUPPORT_VOLUME;
    default:
        return PSCTX_SUPPORT_NOT_A_FILE_SYSTEM;
    }
}

/*
 * Whether FsContext of this file object may be read as an advanced FCB header that takes filter contexts, as PSCTX_SUPPORT_*.
 * Fills Stream, without taking a reference; Header is NULL unless the answer is YES or NO_FILTER_CONTEXTS.
 *
 * What is no file's FsContext may be anything. Of a file's, only the first word is read before it is known for a header: it is an
 * address of the kernel's (redirectors leave -1 behind when a file is closed), where no structure is smaller than that word.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxExamineStream(PFILE_OBJECT FileObject, PPSCTX_STREAM Stream)
{
    const PDEVICE_OBJECT baseDevice = IoGetBaseFileSystemDeviceObject(FileObject);
    PFSRTL_ADVANCED_FCB_HEADER header;
    ULONG support;

    PAGED_CODE();

    Stream->FileObject = FileObject;
    Stream->Header = NULL;
    Stream->VolumeDevice = baseDevice;
    Stream->DeviceType = baseDevice->DeviceType;
    Stream->NeedsAnchor = FALSE;

    support = PsctxExamineOpen(FileObject, baseDevice);
    if (support != PSCTX_SUPPORT_YES) {
        return support;
    }
    header = FsRtlGetPerStreamContextPointer(FileObject);
    if (header == NULL) {
        return PSCTX_SUPPORT_NO_STREAM_CONTEXT;
    }
    if (!PsctxIsKernelPointer(header) || !FlagOn(header->Flags, FSRTL_FLAG_ADVANCED_HEADER)) {
        return PSCTX_SUPPORT_NO_ADVANCED_HEADER;
    }
    if (!FlagOn(header->Flags2, FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS)) {
        support = PSCTX_SUPPORT_NO_FILTER_CONTEXTS;
    } else if (baseDevice->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM && !PsctxIsRedirectorsHeader(header)) {
        return PSCTX_SUPPORT_NO_ADVANCED_HEADER;
    }
    if (support == PSCTX_SUPPORT_YES &&
        ReadPointerAcquire((PVOID const volatile *)&header->FilterContexts.Flink) == NULL) {
        return PSCTX_SUPPORT_LIST_NOT_INITIALIZED;
    }
    Stream->Header = header;
    Stream->NeedsAnchor = !PsctxTearsDown(baseDevice);
    return support;
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
 * The file system's device that serves the volume on which a handle of the calling process has something open; NULL for handle zero.
 * The caller dereferences it. STATUS_INVALID_DEVICE_REQUEST if no file system does; those of PsctxReferenceFileObject.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxReferenceVolumeDevice(ULONG64 Handle, PDEVICE_OBJECT *VolumeDevice)
{
    PFILE_OBJECT fileObject;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    PAGED_CODE();

    *VolumeDevice = NULL;
    if (Handle == 0) {
        return STATUS_SUCCESS;
    }
    status = PsctxReferenceFileObject(Handle, &fileObject);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    device = IoGetBaseFileSystemDeviceObject(fileObject);
    switch (device->DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
        ObReferenceObject(device);
        *VolumeDevice = device;
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    ObDereferenceObject(fileObject);
    return status;
}
