/* Fast I/O: queries that the I/O manager makes without a request. FALSE sends it back to a request. */
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

const FAST_IO_DISPATCH FsdFastIoDispatch = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .FastIoCheckIfPossible = CheckIfPossible,
    .FastIoQueryBasicInfo = QueryBasicInfo,
    .FastIoQueryStandardInfo = QueryStandardInfo,
    .FastIoQueryNetworkOpenInfo = QueryNetworkOpenInfo,
};
