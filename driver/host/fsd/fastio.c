/*
 * Fast I/O: queries that the I/O manager makes without a request, where FALSE sends it back to a request; and what acquires and releases
 * a file for the memory and the cache manager, by entries or by callbacks.
 */
#include "fsd.h"

/* Takes both resources shared and reads the stream's record. FALSE when it cannot be had at once or at all; then nothing is held. */
static BOOLEAN BeginQuery(PFILE_OBJECT FileObject, BOOLEAN Wait, PDEVICE_OBJECT DeviceObject,
                          PNODE_INFORMATION Information)
{
    PVCB Vcb = DeviceObject->DeviceExtension;
    PCCB Ccb = FileObject->FsContext2;

    if (!Vcb->Device.Volume || Ccb == NULL || Ccb->Fcb == NULL) {
        return FALSE;
    }
    FsRtlEnterFileSystem();
    if (ExAcquireResourceSharedLite(&Vcb->Resource, Wait)) {
        if (!Vcb->Dismounted && ExAcquireResourceSharedLite(&Ccb->Fcb->Resource, Wait)) {
            if (NT_SUCCESS(FsdQueryNode(Vcb, Ccb->Fcb, Information))) {
                return TRUE;
            }
            ExReleaseResourceLite(&Ccb->Fcb->Resource);
        }
        ExReleaseResourceLite(&Vcb->Resource);
    }
    FsRtlExitFileSystem();
    return FALSE;
}

static VOID EndQuery(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject, ULONG Length, PIO_STATUS_BLOCK IoStatus)
{
    PVCB Vcb = DeviceObject->DeviceExtension;
    PCCB Ccb = FileObject->FsContext2;

    ExReleaseResourceLite(&Ccb->Fcb->Resource);
    ExReleaseResourceLite(&Vcb->Resource);
    FsRtlExitFileSystem();
    IoStatus->Status = STATUS_SUCCESS;
    IoStatus->Information = Length;
}

/* Streams have no cache: reads and writes are requests. */
static BOOLEAN CheckIfPossible(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                               ULONG LockKey, BOOLEAN CheckForReadOperation, PIO_STATUS_BLOCK IoStatus,
                               PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(FileOffset);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(LockKey);
    UNREFERENCED_PARAMETER(CheckForReadOperation);
    UNREFERENCED_PARAMETER(IoStatus);
    UNREFERENCED_PARAMETER(DeviceObject);
    return FALSE;
}

static BOOLEAN QueryBasicInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                              PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    NODE_INFORMATION Information;

    if (!BeginQuery(FileObject, Wait, DeviceObject, &Information)) {
        return FALSE;
    }
    FsdFillBasic(&Information, Buffer);
    EndQuery(FileObject, DeviceObject, sizeof(*Buffer), IoStatus);
    return TRUE;
}

static BOOLEAN QueryStandardInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Buffer,
                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    NODE_INFORMATION Information;

    if (!BeginQuery(FileObject, Wait, DeviceObject, &Information)) {
        return FALSE;
    }
    FsdFillStandard(FileObject->FsContext2, &Information, Buffer);
    EndQuery(FileObject, DeviceObject, sizeof(*Buffer), IoStatus);
    return TRUE;
}

static BOOLEAN QueryNetworkOpenInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_NETWORK_OPEN_INFORMATION Buffer,
                                    PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    NODE_INFORMATION Information;

    if (!BeginQuery(FileObject, Wait, DeviceObject, &Information)) {
        return FALSE;
    }
    FsdFillNetworkOpen(&Information, Buffer);
    EndQuery(FileObject, DeviceObject, sizeof(*Buffer), IoStatus);
    return TRUE;
}

/*
 * For all purposes alike, and other than the kernel would: both resources, the main one exclusively. Each half undoes the other alone.
 * Volumes have no resources.
 */
static VOID AcquireBoth(PFILE_OBJECT FileObject)
{
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;

    if (Header->Resource != NULL) {
        (VOID) ExAcquireResourceExclusiveLite(Header->Resource, TRUE);
        (VOID) ExAcquireResourceExclusiveLite(Header->PagingIoResource, TRUE);
    }
}

static VOID ReleaseBoth(PFILE_OBJECT FileObject)
{
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;

    if (Header->Resource != NULL) {
        ExReleaseResourceLite(Header->PagingIoResource);
        ExReleaseResourceLite(Header->Resource);
    }
}

static NTSTATUS AcquireForModWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER EndingOffset, PERESOURCE *ResourceToRelease,
                                   PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(EndingOffset);
    UNREFERENCED_PARAMETER(DeviceObject);
    AcquireBoth(FileObject);
    *ResourceToRelease = ((PFSRTL_COMMON_FCB_HEADER)FileObject->FsContext)->Resource;
    return STATUS_SUCCESS;
}

static NTSTATUS ReleaseForModWrite(PFILE_OBJECT FileObject, PERESOURCE ResourceToRelease, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(ResourceToRelease);
    UNREFERENCED_PARAMETER(DeviceObject);
    ReleaseBoth(FileObject);
    return STATUS_SUCCESS;
}

static NTSTATUS AcquireForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    AcquireBoth(FileObject);
    return STATUS_SUCCESS;
}

static NTSTATUS ReleaseForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    ReleaseBoth(FileObject);
    return STATUS_SUCCESS;
}

static BOOLEAN AcquiresByCallback;
static BOOLEAN ReleasesByCallback;

static NTSTATUS AcquireByCallback(PFS_FILTER_CALLBACK_DATA Data, PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(CompletionContext);
    if (!AcquiresByCallback) {
        return STATUS_SUCCESS;
    }
    AcquireBoth(Data->FileObject);
    if (Data->Operation == FS_FILTER_ACQUIRE_FOR_MOD_WRITE) {
        *Data->Parameters.AcquireForModifiedPageWriter.ResourceToRelease =
            ((PFSRTL_COMMON_FCB_HEADER)Data->FileObject->FsContext)->Resource;
    }
    return STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY;
}

static NTSTATUS ReleaseByCallback(PFS_FILTER_CALLBACK_DATA Data, PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(CompletionContext);
    if (!ReleasesByCallback) {
        return STATUS_SUCCESS;
    }
    ReleaseBoth(Data->FileObject);
    return STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY;
}

/* The half that is done by callbacks has no entries: while no file is acquired. */
VOID FsdSetAcquisition(BOOLEAN CallbacksAcquire, BOOLEAN CallbacksRelease)
{
    AcquiresByCallback = CallbacksAcquire;
    ReleasesByCallback = CallbacksRelease;
    FsdFastIoDispatch.AcquireFileForNtCreateSection = CallbacksAcquire ? NULL : AcquireBoth;
    FsdFastIoDispatch.AcquireForModWrite = CallbacksAcquire ? NULL : AcquireForModWrite;
    FsdFastIoDispatch.AcquireForCcFlush = CallbacksAcquire ? NULL : AcquireForCcFlush;
    FsdFastIoDispatch.ReleaseFileForNtCreateSection = CallbacksRelease ? NULL : ReleaseBoth;
    FsdFastIoDispatch.ReleaseForModWrite = CallbacksRelease ? NULL : ReleaseForModWrite;
    FsdFastIoDispatch.ReleaseForCcFlush = CallbacksRelease ? NULL : ReleaseForCcFlush;
}

FS_FILTER_CALLBACKS FsdFilterCallbacks = {
    .SizeOfFsFilterCallbacks = sizeof(FS_FILTER_CALLBACKS),
    .PreAcquireForSectionSynchronization = AcquireByCallback,
    .PreReleaseForSectionSynchronization = ReleaseByCallback,
    .PreAcquireForCcFlush = AcquireByCallback,
    .PreReleaseForCcFlush = ReleaseByCallback,
    .PreAcquireForModifiedPageWriter = AcquireByCallback,
    .PreReleaseForModifiedPageWriter = ReleaseByCallback,
};

FAST_IO_DISPATCH FsdFastIoDispatch = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .AcquireFileForNtCreateSection = AcquireBoth,
    .ReleaseFileForNtCreateSection = ReleaseBoth,
    .AcquireForModWrite = AcquireForModWrite,
    .ReleaseForModWrite = ReleaseForModWrite,
    .AcquireForCcFlush = AcquireForCcFlush,
    .ReleaseForCcFlush = ReleaseForCcFlush,
    .FastIoCheckIfPossible = CheckIfPossible,
    .FastIoQueryBasicInfo = QueryBasicInfo,
    .FastIoQueryStandardInfo = QueryStandardInfo,
    .FastIoQueryNetworkOpenInfo = QueryNetworkOpenInfo,
};
