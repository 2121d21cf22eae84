/*
 * Fast I/O: calls without a request, told to minifilters as operations of their own, and passed to the device below. Where a minifilter
 * disallows one, or nobody below has the entry, the caller sends a request.
 */
#include "fltmgr.h"

typedef struct _FLTP_FAST {
    PDEVICE_OBJECT Lower;
    PFAST_IO_DISPATCH Table; /* of the lower driver, or NULL */
    PFLTP_OPERATION Operation;
    FLTP_OUTCOME Outcome;
} FLTP_FAST, *PFLTP_FAST;

/* Of a device of Filter Manager's; a file system's control device has no fast I/O. */
static BOOLEAN FltpFindLower(PDEVICE_OBJECT DeviceObject, PFLTP_FAST Fast)
{
    PFLT_VOLUME Volume = FltpVolumeOf(DeviceObject);

    RtlZeroMemory(Fast, sizeof(*Fast));
    if (Volume == NULL) {
        Fast->Outcome = FltpNoFastIo;
        return FALSE;
    }
    Fast->Lower = Volume->Lower;
    Fast->Table = Fast->Lower->DriverObject->FastIoDispatch;
    return TRUE;
}

/* TRUE when the device below is to be asked. FltpLeaveFast follows in any case. */
static BOOLEAN FltpEnterFast(PDEVICE_OBJECT DeviceObject, const FLT_IO_PARAMETER_BLOCK *Iopb, PFLTP_FAST Fast)
{
    BOOLEAN Failed;

    if (!FltpFindLower(DeviceObject, Fast)) {
        return FALSE;
    }
    Fast->Operation = FltpBegin(FltpVolumeOf(DeviceObject), NULL, NULL, Iopb, FLTFL_CALLBACK_DATA_FAST_IO_OPERATION,
                                HostCurrentThread()->PreviousMode, &Failed);
    if (Failed) {
        Fast->Outcome = FltpNoFastIo;
    } else {
        Fast->Outcome = Fast->Operation == NULL ? FltpPassDown : FltpGoDown(Fast->Operation);
    }
    return (BOOLEAN)(Fast->Outcome == FltpPassDown);
}

/* What is answered to the caller. */
static BOOLEAN FltpLeaveFast(PFLTP_FAST Fast, BOOLEAN Answer, PIO_STATUS_BLOCK IoStatus)
{
    PFLTP_OPERATION Operation = Fast->Operation;

    if (Operation == NULL) {
        return Answer;
    }
    if (Fast->Outcome == FltpPassDown) {
        Operation->Data.IoStatus.Information = Answer ? IoStatus->Information : 0;
        Operation->Data.IoStatus.Status = Answer ? IoStatus->Status : STATUS_FLT_DISALLOW_FAST_IO;
    }
    (VOID) FltpGoUp(Operation);
    if (Answer || Fast->Outcome == FltpCompleted) {
        *IoStatus = Operation->Data.IoStatus;
        Answer = TRUE;
    }
    FltpEnd(Operation);
    return Answer;
}

/* The entry of the table below, if it reaches so far and has it. */
#define FLTP_ENTRY(Fast, Entry) \
    ((Fast)->Table != NULL && (Fast)->Table->SizeOfFastIoDispatch >= RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, Entry) \
         ? (Fast)->Table->Entry \
         : NULL)

#define FLTP_IOPB(Major, FileObject, ...) \
    { \
        .MajorFunction = (Major), .TargetFileObject = (FileObject), .Parameters = { __VA_ARGS__ } \
    }

/* One fast I/O call: Iopb tells the minifilters of it, then comes what the entry below takes. */
#define FLTP_CALL_FAST(Entry, IoStatus, Iopb, ...) \
    do { \
        FLTP_FAST Fast; \
        BOOLEAN Answer = FALSE; \
\
        if (FltpEnterFast(DeviceObject, &(Iopb), &Fast) && FLTP_ENTRY(&Fast, Entry) != NULL) { \
            Answer = FLTP_ENTRY(&Fast, Entry)(__VA_ARGS__); \
        } \
        return FltpLeaveFast(&Fast, Answer, (IoStatus)); \
    } while (0)

static BOOLEAN FltpCheckIfPossible(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                   ULONG LockKey, BOOLEAN CheckForReadOperation, PIO_STATUS_BLOCK IoStatus,
                                   PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE, FileObject,
                  .FastIoCheckIfPossible = {.FileOffset = *FileOffset,
                                            .Length = Length,
                                            .LockKey = LockKey,
                                            .CheckForReadOperation = CheckForReadOperation});

    FLTP_CALL_FAST(FastIoCheckIfPossible, IoStatus, Iopb, FileObject, FileOffset, Length, Wait, LockKey,
                   CheckForReadOperation, IoStatus, Fast.Lower);
}

static BOOLEAN FltpFastRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                            ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_READ, FileObject,
                  .Read = {.Length = Length, .Key = LockKey, .ByteOffset = *FileOffset, .ReadBuffer = Buffer});

    FLTP_CALL_FAST(FastIoRead, IoStatus, Iopb, FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus,
                   Fast.Lower);
}

static BOOLEAN FltpFastWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                             ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_WRITE, FileObject,
                  .Write = {.Length = Length, .Key = LockKey, .ByteOffset = *FileOffset, .WriteBuffer = Buffer});

    FLTP_CALL_FAST(FastIoWrite, IoStatus, Iopb, FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus,
                   Fast.Lower);
}

static BOOLEAN FltpQueryBasic(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                              PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_QUERY_INFORMATION, FileObject,
                  .QueryFileInformation = {
                      .Length = sizeof(*Buffer), .FileInformationClass = FileBasicInformation, .InfoBuffer = Buffer});

    FLTP_CALL_FAST(FastIoQueryBasicInfo, IoStatus, Iopb, FileObject, Wait, Buffer, IoStatus, Fast.Lower);
}

static BOOLEAN FltpQueryStandard(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Buffer,
                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb = FLTP_IOPB(
        IRP_MJ_QUERY_INFORMATION, FileObject,
        .QueryFileInformation = {
            .Length = sizeof(*Buffer), .FileInformationClass = FileStandardInformation, .InfoBuffer = Buffer});

    FLTP_CALL_FAST(FastIoQueryStandardInfo, IoStatus, Iopb, FileObject, Wait, Buffer, IoStatus, Fast.Lower);
}

static BOOLEAN FltpQueryNetwork(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_NETWORK_OPEN_INFORMATION Buffer,
                                PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb = FLTP_IOPB(
        IRP_MJ_QUERY_INFORMATION, FileObject,
        .QueryFileInformation = {
            .Length = sizeof(*Buffer), .FileInformationClass = FileNetworkOpenInformation, .InfoBuffer = Buffer});

    FLTP_CALL_FAST(FastIoQueryNetworkOpenInfo, IoStatus, Iopb, FileObject, Wait, Buffer, IoStatus, Fast.Lower);
}

static BOOLEAN FltpFastLock(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                            PEPROCESS ProcessId, ULONG Key, BOOLEAN FailImmediately, BOOLEAN ExclusiveLock,
                            PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    FLT_IO_PARAMETER_BLOCK Iopb = FLTP_IOPB(IRP_MJ_LOCK_CONTROL, FileObject,
                                            .LockControl = {.Length = Length,
                                                            .Key = Key,
                                                            .ByteOffset = *FileOffset,
                                                            .ProcessId = ProcessId,
                                                            .FailImmediately = FailImmediately,
                                                            .ExclusiveLock = ExclusiveLock});

    Iopb.MinorFunction = IRP_MN_LOCK;
    FLTP_CALL_FAST(FastIoLock, IoStatus, Iopb, FileObject, FileOffset, Length, ProcessId, Key, FailImmediately,
                   ExclusiveLock, IoStatus, Fast.Lower);
}

static BOOLEAN FltpUnlockSingle(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                                PEPROCESS ProcessId, ULONG Key, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_LOCK_CONTROL, FileObject,
                  .LockControl = {.Length = Length, .Key = Key, .ByteOffset = *FileOffset, .ProcessId = ProcessId});

    Iopb.MinorFunction = IRP_MN_UNLOCK_SINGLE;
    FLTP_CALL_FAST(FastIoUnlockSingle, IoStatus, Iopb, FileObject, FileOffset, Length, ProcessId, Key, IoStatus,
                   Fast.Lower);
}

static BOOLEAN FltpUnlockAll(PFILE_OBJECT FileObject, PEPROCESS ProcessId, PIO_STATUS_BLOCK IoStatus,
                             PDEVICE_OBJECT DeviceObject)
{
    FLT_IO_PARAMETER_BLOCK Iopb = FLTP_IOPB(IRP_MJ_LOCK_CONTROL, FileObject, .LockControl = {.ProcessId = ProcessId});

    Iopb.MinorFunction = IRP_MN_UNLOCK_ALL;
    FLTP_CALL_FAST(FastIoUnlockAll, IoStatus, Iopb, FileObject, ProcessId, IoStatus, Fast.Lower);
}

static BOOLEAN FltpUnlockAllByKey(PFILE_OBJECT FileObject, PVOID ProcessId, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                                  PDEVICE_OBJECT DeviceObject)
{
    FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_LOCK_CONTROL, FileObject, .LockControl = {.Key = Key, .ProcessId = ProcessId});

    Iopb.MinorFunction = IRP_MN_UNLOCK_ALL_BY_KEY;
    FLTP_CALL_FAST(FastIoUnlockAllByKey, IoStatus, Iopb, FileObject, ProcessId, Key, IoStatus, Fast.Lower);
}

static BOOLEAN FltpFastControl(PFILE_OBJECT FileObject, BOOLEAN Wait, PVOID InputBuffer, ULONG InputBufferLength,
                               PVOID OutputBuffer, ULONG OutputBufferLength, ULONG IoControlCode,
                               PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_DEVICE_CONTROL, FileObject,
                  .DeviceIoControl = {.FastIo = {.OutputBufferLength = OutputBufferLength,
                                                 .InputBufferLength = InputBufferLength,
                                                 .IoControlCode = IoControlCode,
                                                 .InputBuffer = InputBuffer,
                                                 .OutputBuffer = OutputBuffer}});

    FLTP_CALL_FAST(FastIoDeviceControl, IoStatus, Iopb, FileObject, Wait, InputBuffer, InputBufferLength, OutputBuffer,
                   OutputBufferLength, IoControlCode, IoStatus, Fast.Lower);
}

static BOOLEAN FltpMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                           PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_MDL_READ, FileObject,
                  .MdlRead = {.FileOffset = *FileOffset, .Length = Length, .Key = LockKey, .MdlChain = MdlChain});

    FLTP_CALL_FAST(MdlRead, IoStatus, Iopb, FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus, Fast.Lower);
}

static BOOLEAN FltpMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_MDL_READ_COMPLETE, FileObject, .MdlReadComplete = {.MdlChain = MdlChain});
    IO_STATUS_BLOCK IoStatus = {{STATUS_SUCCESS}, 0};

    FLTP_CALL_FAST(MdlReadComplete, &IoStatus, Iopb, FileObject, MdlChain, Fast.Lower);
}

static BOOLEAN FltpPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                   PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb = FLTP_IOPB(
        IRP_MJ_PREPARE_MDL_WRITE, FileObject,
        .PrepareMdlWrite = {.FileOffset = *FileOffset, .Length = Length, .Key = LockKey, .MdlChain = MdlChain});

    FLTP_CALL_FAST(PrepareMdlWrite, IoStatus, Iopb, FileObject, FileOffset, Length, LockKey, MdlChain, IoStatus,
                   Fast.Lower);
}

static BOOLEAN FltpMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                    PDEVICE_OBJECT DeviceObject)
{
    const FLT_IO_PARAMETER_BLOCK Iopb = FLTP_IOPB(
        IRP_MJ_MDL_WRITE_COMPLETE, FileObject, .MdlWriteComplete = {.FileOffset = *FileOffset, .MdlChain = MdlChain});
    IO_STATUS_BLOCK IoStatus = {{STATUS_SUCCESS}, 0};

    FLTP_CALL_FAST(MdlWriteComplete, &IoStatus, Iopb, FileObject, FileOffset, MdlChain, Fast.Lower);
}

/* The one entry with a request, whose stack location names the device that is asked. */
static BOOLEAN FltpFastQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION NetworkInformation,
                                 PDEVICE_OBJECT DeviceObject)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    const FLT_IO_PARAMETER_BLOCK Iopb =
        FLTP_IOPB(IRP_MJ_NETWORK_QUERY_OPEN, Location->FileObject,
                  .NetworkQueryOpen = {.Irp = Irp, .NetworkInformation = NetworkInformation});
    BOOLEAN Answer = FALSE;
    FLTP_FAST Fast;

    if (FltpEnterFast(DeviceObject, &Iopb, &Fast) && FLTP_ENTRY(&Fast, FastIoQueryOpen) != NULL) {
        Location->DeviceObject = Fast.Lower;
        Answer = Fast.Table->FastIoQueryOpen(Irp, NetworkInformation, Fast.Lower);
        Location->DeviceObject = DeviceObject;
    }
    return FltpLeaveFast(&Fast, Answer, &Irp->IoStatus);
}

/*
 * Acquiring and releasing a file: not told to minifilters. Kernels that ask the topmost driver get what its file system does, both halves or
 * neither: a file is released as it was acquired. [ntifs/nf-ntifs-fsrtlregisterfilesystemfiltercallbacks]
 */
#define FLTP_PAIR(FileObject, Acquire, Release) \
    FltpFindPair((FileObject), FIELD_OFFSET(FAST_IO_DISPATCH, Acquire), FIELD_OFFSET(FAST_IO_DISPATCH, Release))

static PFAST_IO_DISPATCH FltpFindPair(PFILE_OBJECT FileObject, LONG Acquire, LONG Release)
{
    PFAST_IO_DISPATCH Table = IoGetBaseFileSystemDeviceObject(FileObject)->DriverObject->FastIoDispatch;

    if (Table == NULL || Table->SizeOfFastIoDispatch < (ULONG)max(Acquire, Release) + sizeof(PVOID) ||
        *(PVOID *)(PVOID)((PUCHAR)Table + Acquire) == NULL || *(PVOID *)(PVOID)((PUCHAR)Table + Release) == NULL) {
        return NULL;
    }
    return Table;
}

static PERESOURCE FltpMainResource(PFILE_OBJECT FileObject)
{
    return FileObject->FsContext != NULL ? ((PFSRTL_COMMON_FCB_HEADER)FileObject->FsContext)->Resource : NULL;
}

static VOID FltpAcquireForSection(PFILE_OBJECT FileObject)
{
    PFAST_IO_DISPATCH Table = FLTP_PAIR(FileObject, AcquireFileForNtCreateSection, ReleaseFileForNtCreateSection);

    if (Table != NULL) {
        Table->AcquireFileForNtCreateSection(FileObject);
    } else if (FltpMainResource(FileObject) != NULL) {
        (VOID) ExAcquireResourceExclusiveLite(FltpMainResource(FileObject), TRUE);
    }
}

static VOID FltpReleaseForSection(PFILE_OBJECT FileObject)
{
    PFAST_IO_DISPATCH Table = FLTP_PAIR(FileObject, AcquireFileForNtCreateSection, ReleaseFileForNtCreateSection);

    if (Table != NULL) {
        Table->ReleaseFileForNtCreateSection(FileObject);
    } else if (FltpMainResource(FileObject) != NULL) {
        ExReleaseResourceLite(FltpMainResource(FileObject));
    }
}

static NTSTATUS FltpAcquireForModWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER EndingOffset,
                                       PERESOURCE *ResourceToRelease, PDEVICE_OBJECT DeviceObject)
{
    PFAST_IO_DISPATCH Table = FLTP_PAIR(FileObject, AcquireForModWrite, ReleaseForModWrite);

    UNREFERENCED_PARAMETER(DeviceObject);
    return Table == NULL ? STATUS_INVALID_DEVICE_REQUEST
                         : Table->AcquireForModWrite(FileObject, EndingOffset, ResourceToRelease,
                                                     IoGetBaseFileSystemDeviceObject(FileObject));
}

static NTSTATUS FltpReleaseForModWrite(PFILE_OBJECT FileObject, PERESOURCE ResourceToRelease,
                                       PDEVICE_OBJECT DeviceObject)
{
    PFAST_IO_DISPATCH Table = FLTP_PAIR(FileObject, AcquireForModWrite, ReleaseForModWrite);

    UNREFERENCED_PARAMETER(DeviceObject);
    return Table == NULL
               ? STATUS_INVALID_DEVICE_REQUEST
               : Table->ReleaseForModWrite(FileObject, ResourceToRelease, IoGetBaseFileSystemDeviceObject(FileObject));
}

static NTSTATUS FltpAcquireForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    PFAST_IO_DISPATCH Table = FLTP_PAIR(FileObject, AcquireForCcFlush, ReleaseForCcFlush);

    UNREFERENCED_PARAMETER(DeviceObject);
    return Table == NULL ? STATUS_INVALID_DEVICE_REQUEST
                         : Table->AcquireForCcFlush(FileObject, IoGetBaseFileSystemDeviceObject(FileObject));
}

static NTSTATUS FltpReleaseForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    PFAST_IO_DISPATCH Table = FLTP_PAIR(FileObject, AcquireForCcFlush, ReleaseForCcFlush);

    UNREFERENCED_PARAMETER(DeviceObject);
    return Table == NULL ? STATUS_INVALID_DEVICE_REQUEST
                         : Table->ReleaseForCcFlush(FileObject, IoGetBaseFileSystemDeviceObject(FileObject));
}

/* Compressed transfers have no entry: no file system here has any. FastIoDetachDevice is driver.c's. */
FAST_IO_DISPATCH FltpFastIoDispatch = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .FastIoCheckIfPossible = FltpCheckIfPossible,
    .FastIoRead = FltpFastRead,
    .FastIoWrite = FltpFastWrite,
    .FastIoQueryBasicInfo = FltpQueryBasic,
    .FastIoQueryStandardInfo = FltpQueryStandard,
    .FastIoLock = FltpFastLock,
    .FastIoUnlockSingle = FltpUnlockSingle,
    .FastIoUnlockAll = FltpUnlockAll,
    .FastIoUnlockAllByKey = FltpUnlockAllByKey,
    .FastIoDeviceControl = FltpFastControl,
    .AcquireFileForNtCreateSection = FltpAcquireForSection,
    .ReleaseFileForNtCreateSection = FltpReleaseForSection,
    .FastIoQueryNetworkOpenInfo = FltpQueryNetwork,
    .AcquireForModWrite = FltpAcquireForModWrite,
    .MdlRead = FltpMdlRead,
    .MdlReadComplete = FltpMdlReadComplete,
    .PrepareMdlWrite = FltpPrepareMdlWrite,
    .MdlWriteComplete = FltpMdlWriteComplete,
    .FastIoQueryOpen = FltpFastQueryOpen,
    .ReleaseForModWrite = FltpReleaseForModWrite,
    .AcquireForCcFlush = FltpAcquireForCcFlush,
    .ReleaseForCcFlush = FltpReleaseForCcFlush,
};
