/*
 * Fast I/O: calls without an IRP, passed to the device below, entry by entry.
 *
 * Each routine below asks the lower driver's table, which may be absent, older and so shorter than ours, or empty in
 * that entry; it then answers FALSE, and the caller sends an IRP. None is pageable: some are in the path of paging I/O.
 * They are called at <= APC_LEVEL in the requesting thread. The control device, which shares the driver's table,
 * answers FALSE to all of them. A driver that may be unloaded counts the calls that it has to come back from.
 * [ifs/implementing-fast-i-o-routines]
 */

/* The headers name this structure in prototypes before they declare it: known first, it is the same type in all. */
struct _COMPRESSED_DATA_INFO;

#include "legacy/filter.h"

/* At the end of every entry, with its answer. */
FORCEINLINE BOOLEAN PsctxLeaveFastIo(_In_ BOOLEAN Answer)
{
    PsctxLeaveDriver();
    return Answer;
}

/*
 * The table of the driver below if it is long enough to have the entry that ends at End, else NULL. Whatever it is, PsctxLeaveFastIo
 * follows.
 */
static PFAST_IO_DISPATCH PsctxEnterFastIo(_In_ PDEVICE_OBJECT DeviceObject, _In_ SIZE_T End)
{
    PFAST_IO_DISPATCH table;

    PsctxEnterDriver();
    if (DeviceObject == PsctxGlobals.ControlDevice) {
        return NULL;
    }
    table = PsctxLowerDevice(DeviceObject)->DriverObject->FastIoDispatch;
    return table != NULL && table->SizeOfFastIoDispatch >= End ? table : NULL;
}

/* The same for an entry by its name. */
#define PSCTX_ENTER_FAST_IO(DeviceObject, Entry) \
    PsctxEnterFastIo(DeviceObject, RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, Entry))

/*
 * The answer to a read or a write, which is counted if it was TRUE: after FALSE, an IRP comes.
 */
FORCEINLINE BOOLEAN PsctxCounted(_In_ BOOLEAN Answer, _In_ PFILE_OBJECT FileObject, _In_ BOOLEAN Write,
                                 _In_ ULONG Length)
{
    if (Answer && ReadNoFence(&PsctxListening.Transfers) != 0) {
        PsctxListening.Listener->Transfer(FileObject, Write, Length);
    }
    return PsctxLeaveFastIo(Answer);
}

static FAST_IO_CHECK_IF_POSSIBLE PsctxFastIoCheckIfPossible;
static FAST_IO_READ PsctxFastIoRead;
static FAST_IO_WRITE PsctxFastIoWrite;
static FAST_IO_QUERY_BASIC_INFO PsctxFastIoQueryBasicInfo;
static FAST_IO_QUERY_STANDARD_INFO PsctxFastIoQueryStandardInfo;
static FAST_IO_LOCK PsctxFastIoLock;
static FAST_IO_UNLOCK_SINGLE PsctxFastIoUnlockSingle;
static FAST_IO_UNLOCK_ALL PsctxFastIoUnlockAll;
static FAST_IO_UNLOCK_ALL_BY_KEY PsctxFastIoUnlockAllByKey;
static FAST_IO_DEVICE_CONTROL PsctxFastIoDeviceControl;
static FAST_IO_QUERY_NETWORK_OPEN_INFO PsctxFastIoQueryNetworkOpenInfo;
static FAST_IO_MDL_READ PsctxMdlRead;
static FAST_IO_MDL_READ_COMPLETE PsctxMdlReadComplete;
static FAST_IO_PREPARE_MDL_WRITE PsctxPrepareMdlWrite;
static FAST_IO_MDL_WRITE_COMPLETE PsctxMdlWriteComplete;
static FAST_IO_READ_COMPRESSED PsctxFastIoReadCompressed;
static FAST_IO_WRITE_COMPRESSED PsctxFastIoWriteCompressed;
static FAST_IO_MDL_READ_COMPLETE_COMPRESSED PsctxMdlReadCompleteCompressed;
static FAST_IO_MDL_WRITE_COMPLETE_COMPRESSED PsctxMdlWriteCompleteCompressed;
static FAST_IO_QUERY_OPEN PsctxFastIoQueryOpen;
static FAST_IO_DETACH_DEVICE PsctxFastIoDetachDevice;
static FAST_IO_ACQUIRE_FILE PsctxAcquireFileForNtCreateSection;
static FAST_IO_RELEASE_FILE PsctxReleaseFileForNtCreateSection;
static FAST_IO_ACQUIRE_FOR_MOD_WRITE PsctxAcquireForModWrite;
static FAST_IO_RELEASE_FOR_MOD_WRITE PsctxReleaseForModWrite;
static FAST_IO_ACQUIRE_FOR_CCFLUSH PsctxAcquireForCcFlush;
static FAST_IO_RELEASE_FOR_CCFLUSH PsctxReleaseForCcFlush;

_Use_decl_annotations_ static BOOLEAN PsctxFastIoCheckIfPossible(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                                                 ULONG Length, BOOLEAN Wait, ULONG LockKey,
                                                                 BOOLEAN CheckForReadOperation,
                                                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoCheckIfPossible);

    return PsctxLeaveFastIo(table != NULL && table->FastIoCheckIfPossible != NULL &&
                            table->FastIoCheckIfPossible(FileObject, FileOffset, Length, Wait, LockKey,
                                                         CheckForReadOperation, IoStatus,
                                                         PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                                      BOOLEAN Wait, ULONG LockKey, PVOID Buffer,
                                                      PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoRead);

    return PsctxCounted(table != NULL && table->FastIoRead != NULL &&
                            table->FastIoRead(FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus,
                                              PsctxLowerDevice(DeviceObject)),
                        FileObject, FALSE, Length);
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                                       BOOLEAN Wait, ULONG LockKey, PVOID Buffer,
                                                       PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoWrite);

    return PsctxCounted(table != NULL && table->FastIoWrite != NULL &&
                            table->FastIoWrite(FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus,
                                               PsctxLowerDevice(DeviceObject)),
                        FileObject, TRUE, Length);
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoQueryBasicInfo(PFILE_OBJECT FileObject, BOOLEAN Wait,
                                                                PFILE_BASIC_INFORMATION Buffer,
                                                                PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoQueryBasicInfo);

    return PsctxLeaveFastIo(
        table != NULL && table->FastIoQueryBasicInfo != NULL &&
        table->FastIoQueryBasicInfo(FileObject, Wait, Buffer, IoStatus, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoQueryStandardInfo(PFILE_OBJECT FileObject, BOOLEAN Wait,
                                                                   PFILE_STANDARD_INFORMATION Buffer,
                                                                   PIO_STATUS_BLOCK IoStatus,
                                                                   PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoQueryStandardInfo);

    return PsctxLeaveFastIo(
        table != NULL && table->FastIoQueryStandardInfo != NULL &&
        table->FastIoQueryStandardInfo(FileObject, Wait, Buffer, IoStatus, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoLock(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                                      PLARGE_INTEGER Length, PEPROCESS ProcessId, ULONG Key,
                                                      BOOLEAN FailImmediately, BOOLEAN ExclusiveLock,
                                                      PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoLock);

    return PsctxLeaveFastIo(table != NULL && table->FastIoLock != NULL &&
                            table->FastIoLock(FileObject, FileOffset, Length, ProcessId, Key, FailImmediately,
                                              ExclusiveLock, IoStatus, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoUnlockSingle(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                                              PLARGE_INTEGER Length, PEPROCESS ProcessId, ULONG Key,
                                                              PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoUnlockSingle);

    return PsctxLeaveFastIo(table != NULL && table->FastIoUnlockSingle != NULL &&
                            table->FastIoUnlockSingle(FileObject, FileOffset, Length, ProcessId, Key, IoStatus,
                                                      PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoUnlockAll(PFILE_OBJECT FileObject, PEPROCESS ProcessId,
                                                           PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoUnlockAll);

    return PsctxLeaveFastIo(table != NULL && table->FastIoUnlockAll != NULL &&
                            table->FastIoUnlockAll(FileObject, ProcessId, IoStatus, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoUnlockAllByKey(PFILE_OBJECT FileObject, PVOID ProcessId, ULONG Key,
                                                                PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoUnlockAllByKey);

    return PsctxLeaveFastIo(
        table != NULL && table->FastIoUnlockAllByKey != NULL &&
        table->FastIoUnlockAllByKey(FileObject, ProcessId, Key, IoStatus, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoDeviceControl(PFILE_OBJECT FileObject, BOOLEAN Wait, PVOID InputBuffer,
                                                               ULONG InputBufferLength, PVOID OutputBuffer,
                                                               ULONG OutputBufferLength, ULONG IoControlCode,
                                                               PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoDeviceControl);

    return PsctxLeaveFastIo(table != NULL && table->FastIoDeviceControl != NULL &&
                            table->FastIoDeviceControl(FileObject, Wait, InputBuffer, InputBufferLength, OutputBuffer,
                                                       OutputBufferLength, IoControlCode, IoStatus,
                                                       PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoQueryNetworkOpenInfo(PFILE_OBJECT FileObject, BOOLEAN Wait,
                                                                      PFILE_NETWORK_OPEN_INFORMATION Buffer,
                                                                      PIO_STATUS_BLOCK IoStatus,
                                                                      PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoQueryNetworkOpenInfo);

    return PsctxLeaveFastIo(
        table != NULL && table->FastIoQueryNetworkOpenInfo != NULL &&
        table->FastIoQueryNetworkOpenInfo(FileObject, Wait, Buffer, IoStatus, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                                   ULONG LockKey, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                                   PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, MdlRead);

    return PsctxCounted(
        table != NULL && table->MdlRead != NULL &&
            table->MdlRead(FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus, PsctxLowerDevice(DeviceObject)),
        FileObject, FALSE, Length);
}

_Use_decl_annotations_ static BOOLEAN PsctxMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain,
                                                           PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, MdlReadComplete);

    return PsctxLeaveFastIo(table != NULL && table->MdlReadComplete != NULL &&
                            table->MdlReadComplete(FileObject, MdlChain, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                                           ULONG Length, ULONG LockKey, PMDL *MdlChain,
                                                           PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, PrepareMdlWrite);

    return PsctxCounted(table != NULL && table->PrepareMdlWrite != NULL &&
                            table->PrepareMdlWrite(FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus,
                                                   PsctxLowerDevice(DeviceObject)),
                        FileObject, TRUE, Length);
}

_Use_decl_annotations_ static BOOLEAN PsctxMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                                            PMDL MdlChain, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, MdlWriteComplete);

    return PsctxLeaveFastIo(table != NULL && table->MdlWriteComplete != NULL &&
                            table->MdlWriteComplete(FileObject, FileOffset, MdlChain, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN
PsctxFastIoReadCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey, PVOID Buffer,
                          PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PCOMPRESSED_DATA_INFO CompressedDataInfo,
                          ULONG CompressedDataInfoLength, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoReadCompressed);

    return PsctxCounted(table != NULL && table->FastIoReadCompressed != NULL &&
                            table->FastIoReadCompressed(FileObject, FileOffset, Length, LockKey, Buffer, MdlChain,
                                                        IoStatus, CompressedDataInfo, CompressedDataInfoLength,
                                                        PsctxLowerDevice(DeviceObject)),
                        FileObject, FALSE, Length);
}

_Use_decl_annotations_ static BOOLEAN PsctxFastIoWriteCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                                                 ULONG Length, ULONG LockKey, PVOID Buffer,
                                                                 PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                                                 PCOMPRESSED_DATA_INFO CompressedDataInfo,
                                                                 ULONG CompressedDataInfoLength,
                                                                 PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoWriteCompressed);

    return PsctxCounted(table != NULL && table->FastIoWriteCompressed != NULL &&
                            table->FastIoWriteCompressed(FileObject, FileOffset, Length, LockKey, Buffer, MdlChain,
                                                         IoStatus, CompressedDataInfo, CompressedDataInfoLength,
                                                         PsctxLowerDevice(DeviceObject)),
                        FileObject, TRUE, Length);
}

_Use_decl_annotations_ static BOOLEAN PsctxMdlReadCompleteCompressed(PFILE_OBJECT FileObject, PMDL MdlChain,
                                                                     PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, MdlReadCompleteCompressed);

    return PsctxLeaveFastIo(table != NULL && table->MdlReadCompleteCompressed != NULL &&
                            table->MdlReadCompleteCompressed(FileObject, MdlChain, PsctxLowerDevice(DeviceObject)));
}

_Use_decl_annotations_ static BOOLEAN PsctxMdlWriteCompleteCompressed(PFILE_OBJECT FileObject,
                                                                      PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                                                      PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, MdlWriteCompleteCompressed);

    return PsctxLeaveFastIo(
        table != NULL && table->MdlWriteCompleteCompressed != NULL &&
        table->MdlWriteCompleteCompressed(FileObject, FileOffset, MdlChain, PsctxLowerDevice(DeviceObject)));
}

/*
 * The one entry with an IRP: a create that the file system may answer without opening. Its stack location names the
 * device it is for, so that it names the lower one while that is asked. [ifs/irp-mj-create]
 */
_Use_decl_annotations_ static BOOLEAN PsctxFastIoQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION NetworkInformation,
                                                           PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_ENTER_FAST_IO(DeviceObject, FastIoQueryOpen);
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN answered;

    if (table == NULL || table->FastIoQueryOpen == NULL) {
        return PsctxLeaveFastIo(FALSE);
    }
    location->DeviceObject = PsctxLowerDevice(DeviceObject);
    answered = table->FastIoQueryOpen(Irp, NetworkInformation, location->DeviceObject);
    location->DeviceObject = DeviceObject;
    return PsctxLeaveFastIo(answered);
}

/*
 * The device below is being deleted: its stack must let go of it. Where that is another filter's, the file system's stays, and is attached
 * to anew. PASSIVE_LEVEL. [wdm/nf-wdm-iodetachdevice]
 */
PSCTX_PAGE _Use_decl_annotations_ static VOID PsctxFastIoDetachDevice(PDEVICE_OBJECT SourceDevice,
                                                                      PDEVICE_OBJECT TargetDevice)
{
    const PPSCTX_FILTER_EXTENSION extension = SourceDevice->DeviceExtension;

    PAGED_CODE();

    PsctxEnterDriver();
    if (extension->Kind == PsctxProbe) {
        extension->Attached = FALSE;
        IoDetachDevice(TargetDevice);
    } else if (PsctxDetachFilterDevice(SourceDevice)) {
        if (TargetDevice != extension->Target) {
            PsctxAttachAgain(extension);
        }
        PsctxRetireFilterDevice(SourceDevice);
    }
    PsctxLeaveDriver();
}

/*
 * The entries that acquire and release a file, for sections, the modified page writer and flushes of the cache.
 *
 * Since Windows XP the kernel asks registered callbacks and then the file system's own table, and never calls these: they are in the
 * table only before version 6. Some kernels of that time do ask the topmost driver's table, and take the entry's absence for the file
 * system's: they would then take other locks than the file system does, which is a deadlock or torn data.
 *
 * A file is released by whoever acquired it. A file system may have one half as an entry and the other as a callback, as Microsoft's
 * CD file system does; such a kernel, with this driver on top, calls no callback. So both halves go to the file system if its table has both,
 * else neither does. Its own table decides, and is called, whatever is attached between: a file is released as it was acquired, also when
 * drivers are attached or detached between the two. [ntifs/nf-ntifs-fsrtlregisterfilesystemfiltercallbacks]
 */

static BOOLEAN PsctxHasEntry(_In_ const FAST_IO_DISPATCH *Table, _In_ ULONG Offset)
{
    return Table->SizeOfFastIoDispatch >= Offset + sizeof(PVOID) &&
           *(const PVOID *)(const VOID *)((const UCHAR *)Table + Offset) != NULL;
}

/*
 * The table of the file system that serves a file, whose device the file keeps, if it has both entries, else NULL.
 */
static PFAST_IO_DISPATCH PsctxFindPair(_In_ PFILE_OBJECT FileObject, _In_ ULONG Acquire, _In_ ULONG Release)
{
    const PDRIVER_OBJECT driver = IoGetBaseFileSystemDeviceObject(FileObject)->DriverObject;
    const PFAST_IO_DISPATCH table = driver->FastIoDispatch;

    if (driver == PsctxGlobals.DriverObject || table == NULL || !PsctxHasEntry(table, Acquire) ||
        !PsctxHasEntry(table, Release)) {
        return NULL;
    }
    return table;
}

/* The same by the entries' names. */
#define PSCTX_PAIR(FileObject, Acquire, Release) \
    PsctxFindPair(FileObject, FIELD_OFFSET(FAST_IO_DISPATCH, Acquire), FIELD_OFFSET(FAST_IO_DISPATCH, Release))
#define PSCTX_SECTION_PAIR(FileObject) \
    PSCTX_PAIR(FileObject, AcquireFileForNtCreateSection, ReleaseFileForNtCreateSection)
#define PSCTX_MOD_WRITE_PAIR(FileObject) PSCTX_PAIR(FileObject, AcquireForModWrite, ReleaseForModWrite)
#define PSCTX_CC_FLUSH_PAIR(FileObject) PSCTX_PAIR(FileObject, AcquireForCcFlush, ReleaseForCcFlush)

/*
 * The main resource of a file's stream, which the kernel itself takes where a file system has no entry of its own, or NULL.
 */
static PERESOURCE PsctxMainResource(_In_ PFILE_OBJECT FileObject)
{
    const PFSRTL_COMMON_FCB_HEADER header = FileObject->FsContext;

    return FileObject->DeviceObject != PsctxGlobals.ControlDevice && header != NULL ? header->Resource : NULL;
}

_Use_decl_annotations_ static VOID PsctxAcquireFileForNtCreateSection(PFILE_OBJECT FileObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_SECTION_PAIR(FileObject);
    const PERESOURCE resource = PsctxMainResource(FileObject);

    PsctxEnterDriver();
    if (table != NULL) {
        table->AcquireFileForNtCreateSection(FileObject);
    } else if (resource != NULL) {
        ExAcquireResourceExclusiveLite(resource, TRUE);
    }
    PsctxLeaveDriver();
}

_Use_decl_annotations_ static VOID PsctxReleaseFileForNtCreateSection(PFILE_OBJECT FileObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_SECTION_PAIR(FileObject);
    const PERESOURCE resource = PsctxMainResource(FileObject);

    PsctxEnterDriver();
    if (table != NULL) {
        table->ReleaseFileForNtCreateSection(FileObject);
    } else if (resource != NULL) {
        ExReleaseResourceLite(resource);
    }
    PsctxLeaveDriver();
}

/*
 * STATUS_INVALID_DEVICE_REQUEST, here and below, has the kernel do what it does for a file system without the entry. Whichever device
 * it names, the file system is told its own.
 */
_Use_decl_annotations_ static NTSTATUS PsctxAcquireForModWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER EndingOffset,
                                                               PERESOURCE *ResourceToRelease,
                                                               PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_MOD_WRITE_PAIR(FileObject);
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(DeviceObject);

    PsctxEnterDriver();
    if (table != NULL) {
        status = table->AcquireForModWrite(FileObject, EndingOffset, ResourceToRelease,
                                           IoGetBaseFileSystemDeviceObject(FileObject));
    }
    PsctxLeaveDriver();
    return status;
}

_Use_decl_annotations_ static NTSTATUS PsctxReleaseForModWrite(PFILE_OBJECT FileObject, PERESOURCE ResourceToRelease,
                                                               PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_MOD_WRITE_PAIR(FileObject);
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(DeviceObject);

    PsctxEnterDriver();
    if (table != NULL) {
        status = table->ReleaseForModWrite(FileObject, ResourceToRelease, IoGetBaseFileSystemDeviceObject(FileObject));
    }
    PsctxLeaveDriver();
    return status;
}

_Use_decl_annotations_ static NTSTATUS PsctxAcquireForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_CC_FLUSH_PAIR(FileObject);
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(DeviceObject);

    PsctxEnterDriver();
    if (table != NULL) {
        status = table->AcquireForCcFlush(FileObject, IoGetBaseFileSystemDeviceObject(FileObject));
    }
    PsctxLeaveDriver();
    return status;
}

_Use_decl_annotations_ static NTSTATUS PsctxReleaseForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    const PFAST_IO_DISPATCH table = PSCTX_CC_FLUSH_PAIR(FileObject);
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(DeviceObject);

    PsctxEnterDriver();
    if (table != NULL) {
        status = table->ReleaseForCcFlush(FileObject, IoGetBaseFileSystemDeviceObject(FileObject));
    }
    PsctxLeaveDriver();
    return status;
}

FAST_IO_DISPATCH PsctxFastIoDispatch = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .FastIoCheckIfPossible = PsctxFastIoCheckIfPossible,
    .FastIoRead = PsctxFastIoRead,
    .FastIoWrite = PsctxFastIoWrite,
    .FastIoQueryBasicInfo = PsctxFastIoQueryBasicInfo,
    .FastIoQueryStandardInfo = PsctxFastIoQueryStandardInfo,
    .FastIoLock = PsctxFastIoLock,
    .FastIoUnlockSingle = PsctxFastIoUnlockSingle,
    .FastIoUnlockAll = PsctxFastIoUnlockAll,
    .FastIoUnlockAllByKey = PsctxFastIoUnlockAllByKey,
    .FastIoDeviceControl = PsctxFastIoDeviceControl,
    .FastIoDetachDevice = PsctxFastIoDetachDevice,
    .FastIoQueryNetworkOpenInfo = PsctxFastIoQueryNetworkOpenInfo,
    .MdlRead = PsctxMdlRead,
    .MdlReadComplete = PsctxMdlReadComplete,
    .PrepareMdlWrite = PsctxPrepareMdlWrite,
    .MdlWriteComplete = PsctxMdlWriteComplete,
    .FastIoReadCompressed = PsctxFastIoReadCompressed,
    .FastIoWriteCompressed = PsctxFastIoWriteCompressed,
    .MdlReadCompleteCompressed = PsctxMdlReadCompleteCompressed,
    .MdlWriteCompleteCompressed = PsctxMdlWriteCompleteCompressed,
    .FastIoQueryOpen = PsctxFastIoQueryOpen,
};

/*
 * Completes the table for this kernel, before the first request.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartFastIo(VOID)
{
    ULONG major;
    BOOLEAN acquires;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, NULL, NULL, NULL);
    acquires = major < PSCTX_VISTA_MAJOR_VERSION;
    PsctxFastIoDispatch.AcquireFileForNtCreateSection = acquires ? PsctxAcquireFileForNtCreateSection : NULL;
    PsctxFastIoDispatch.ReleaseFileForNtCreateSection = acquires ? PsctxReleaseFileForNtCreateSection : NULL;
    PsctxFastIoDispatch.AcquireForModWrite = acquires ? PsctxAcquireForModWrite : NULL;
    PsctxFastIoDispatch.ReleaseForModWrite = acquires ? PsctxReleaseForModWrite : NULL;
    PsctxFastIoDispatch.AcquireForCcFlush = acquires ? PsctxAcquireForCcFlush : NULL;
    PsctxFastIoDispatch.ReleaseForCcFlush = acquires ? PsctxReleaseForCcFlush : NULL;
}
