/* System services that send requests to a file: reading, writing, information, control. */
#include "request.h"

#define HOST_BUFFER_TAG 'fBoI'

NTSTATUS HostBeginRequest(PHOST_REQUEST Request, HANDLE FileHandle, ACCESS_MASK Access, HANDLE Event,
                          PIO_STATUS_BLOCK IoStatusBlock, BOOLEAN AlwaysSynchronous)
{
    NTSTATUS Status;

    RtlZeroMemory(Request, sizeof(*Request));
    Request->IoStatusBlock = IoStatusBlock;
    Status = HostBeginService(&Request->Thread);
    if (NT_SUCCESS(Status) && IoStatusBlock == NULL) {
        Status = STATUS_ACCESS_VIOLATION;
    }
    if (NT_SUCCESS(Status)) {
        Status = HostReferenceHandle(FileHandle, Request->Thread->PreviousMode, &HostFileType, Access,
                                     (PVOID *)&Request->File, &Request->Granted, NULL);
    }
    if (NT_SUCCESS(Status) && Event != NULL) {
        Status = HostReferenceHandle(Event, Request->Thread->PreviousMode, &HostEventType, EVENT_MODIFY_STATE,
                                     &Request->Event, NULL, NULL);
        if (NT_SUCCESS(Status)) {
            (VOID) InterlockedExchange(&((PKEVENT)Request->Event)->Header.SignalState, 0);
        }
    }
    if (NT_SUCCESS(Status)) {
        Request->Synchronous = (BOOLEAN)(AlwaysSynchronous || (Request->File->Flags & FO_SYNCHRONOUS_IO) != 0);
        if ((Request->File->Flags & FO_SYNCHRONOUS_IO) != 0) {
            HostLockFile(Request->Thread, Request->File, &Request->Lock);
            Request->Locked = TRUE;
        }
        Request->Top = HostReferenceTopDevice(Request->File);
    }
    return Status;
}

NTSTATUS HostEndRequest(PHOST_REQUEST Request, NTSTATUS Status)
{
    if (Request->Locked) {
        HostUnlockFile(Request->Thread, &Request->Lock);
    }
    if (Request->Top != NULL) {
        HostDereferenceRaw(Request->Top, "system service");
    }
    if (Request->Event != NULL) {
        HostDereferenceRaw(Request->Event, "system service");
    }
    if (Request->File != NULL) {
        HostDereferenceRaw(Request->File, "system service");
    }
    return HostEndService(Request->Thread, Status);
}

PIRP HostMakeIrp(PHOST_REQUEST Request, UCHAR MajorFunction)
{
    PIRP Irp = HostAllocateIrp(Request->Thread, Request->Top->StackSize, TRUE);
    PIO_STACK_LOCATION Location;

    if (Irp != NULL) {
        Irp->RequestorMode = Request->Thread->PreviousMode;
        Irp->Tail.Overlay.OriginalFileObject = Request->File;
        Location = IoGetNextIrpStackLocation(Irp);
        Location->MajorFunction = MajorFunction;
        Location->FileObject = Request->File;
    }
    return Irp;
}

/* A system buffer of the larger length, filled with the input. */
static NTSTATUS HostBuffer(PIRP Irp, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength)
{
    ULONG Length = max(InputLength, OutputLength);
    PHOST_IRP Host = HostIrpOf(Irp);

    if (Length == 0) {
        return STATUS_SUCCESS;
    }
    Irp->AssociatedIrp.SystemBuffer =
        HostAllocatePool(NonPagedPoolNx, Length, HOST_BUFFER_TAG, FALSE, __builtin_return_address(0));
    if (Irp->AssociatedIrp.SystemBuffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (InputLength != 0) {
        memcpy(Irp->AssociatedIrp.SystemBuffer, Input, InputLength);
    }
    Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (Output != NULL) {
        Irp->Flags |= IRP_INPUT_OPERATION;
        Host->OutputBuffer = Output;
        Host->OutputLength = OutputLength;
        Irp->UserBuffer = Output;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS HostDiscard(PIRP Irp, NTSTATUS Status)
{
    if (Irp->AssociatedIrp.SystemBuffer != NULL && (Irp->Flags & IRP_DEALLOCATE_BUFFER) != 0) {
        HostFreePool(Irp->AssociatedIrp.SystemBuffer, HOST_BUFFER_TAG, "system service");
    }
    HostFreeIrp(Irp);
    return Status;
}

NTSTATUS HostSend(PHOST_REQUEST Request, PIRP Irp)
{
    PHOST_IRP Host = HostIrpOf(Irp);
    IO_STATUS_BLOCK IoStatus = {0};
    BOOLEAN Pended = FALSE;
    NTSTATUS Status;

    Host->FileObject = Request->File;
    (VOID) KeResetEvent(&Request->File->Event);
    if (Request->Synchronous) {
        if (!Request->Locked) {
            Irp->Flags |= IRP_SYNCHRONOUS_API;
        }
        Host->Pended = &Pended;
        Status = HostSendIrp(Request->Top, Irp, FALSE, &IoStatus);
        if (!NT_ERROR(Status) || (Pended && !Request->Locked)) {
            *Request->IoStatusBlock = IoStatus;
            if (Request->Event != NULL) {
                (VOID) HostSignal(Request->Event);
            }
        }
        if ((!NT_ERROR(Status) || Pended) && Request->Locked) {
            Request->File->FinalStatus = Status;
            (VOID) HostSignal(&Request->File->Event);
        }
        return Status;
    }
    (VOID) InterlockedIncrement64(&HostHeaderOf(Request->File)->References);
    if (Request->Event != NULL) {
        Host->Event = Request->Event;
        (VOID) InterlockedIncrement64(&HostHeaderOf(Request->Event)->References);
    }
    Irp->UserIosb = Request->IoStatusBlock;
    return HostSendIrp(Request->Top, Irp, TRUE, &IoStatus);
}

static NTSTATUS HostControl(HANDLE FileHandle, HANDLE Event, PIO_STATUS_BLOCK IoStatusBlock, ULONG Code, PVOID Input,
                            ULONG InputLength, PVOID Output, ULONG OutputLength, UCHAR MajorFunction)
{
    ULONG Access = (Code >> 14) & 3;
    ULONG Method = METHOD_FROM_CTL_CODE(Code);
    IO_STATUS_BLOCK IoStatus = {0};
    PIO_STACK_LOCATION Location;
    HOST_REQUEST Request;
    PIRP Irp = NULL;
    PFAST_IO_DISPATCH FastIo;
    BOOLEAN Done = FALSE;
    NTSTATUS Status;

    Status = HostBeginRequest(&Request, FileHandle, 0, Event, IoStatusBlock, FALSE);
    if (NT_SUCCESS(Status) && ((InputLength != 0 && Input == NULL) || (OutputLength != 0 && Output == NULL))) {
        Status = STATUS_ACCESS_VIOLATION;
    }
    if (NT_SUCCESS(Status) && Request.Thread->PreviousMode != KernelMode &&
        (((Access & FILE_READ_ACCESS) != 0 && (Request.Granted & FILE_READ_DATA) == 0) ||
         ((Access & FILE_WRITE_ACCESS) != 0 && (Request.Granted & FILE_WRITE_DATA) == 0))) {
        Status = STATUS_ACCESS_DENIED;
    }
    if (NT_SUCCESS(Status) && MajorFunction == IRP_MJ_DEVICE_CONTROL &&
        HostHasFastIo(Request.Top, FastIoDeviceControl)) {
        FastIo = Request.Top->DriverObject->FastIoDispatch;
        Done = FastIo->FastIoDeviceControl(Request.File, TRUE, Input, InputLength, Output, OutputLength, Code,
                                           &IoStatus, Request.Top);
        if (Done) {
            *IoStatusBlock = IoStatus;
            Status = IoStatus.Status;
            if (Request.Event != NULL) {
                (VOID) HostSignal(Request.Event);
            }
        }
    }
    if (NT_SUCCESS(Status) && !Done) {
        Irp = HostMakeIrp(&Request, MajorFunction);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    if (Irp != NULL) {
        Location = IoGetNextIrpStackLocation(Irp);
        if (MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL) {
            Location->MinorFunction = IRP_MN_USER_FS_REQUEST;
        }
        Location->Parameters.DeviceIoControl.OutputBufferLength = OutputLength;
        Location->Parameters.DeviceIoControl.InputBufferLength = InputLength;
        Location->Parameters.DeviceIoControl.IoControlCode = Code;
        if (Method == METHOD_BUFFERED) {
            Status = HostBuffer(Irp, Input, InputLength, Output, OutputLength);
        } else if (Method == METHOD_NEITHER) {
            Location->Parameters.DeviceIoControl.Type3InputBuffer = Input;
            Irp->UserBuffer = Output;
        } else {
            Status = STATUS_INVALID_DEVICE_REQUEST;
        }
        Status = NT_SUCCESS(Status) ? HostSend(&Request, Irp) : HostDiscard(Irp, Status);
    }
    return HostEndRequest(&Request, Status);
}

NTSTATUS NtDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG IoControlCode, PVOID InputBuffer,
                               ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    UNREFERENCED_PARAMETER(ApcContext);
    if (ApcRoutine != NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    return HostControl(FileHandle, Event, IoStatusBlock, IoControlCode, InputBuffer, InputBufferLength, OutputBuffer,
                       OutputBufferLength, IRP_MJ_DEVICE_CONTROL);
}

NTSTATUS ZwDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, ULONG IoControlCode, PVOID InputBuffer,
                               ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    PETHREAD Thread = HostEnter(ZwDeviceIoControlFile);
    KPROCESSOR_MODE PreviousMode = HostBeginKernelCall(Thread);
    NTSTATUS Status;

    Status = NtDeviceIoControlFile(FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, IoControlCode, InputBuffer,
                                   InputBufferLength, OutputBuffer, OutputBufferLength);
    HostEndKernelCall(Thread, PreviousMode);
    return Status;
}

NTSTATUS NtFsControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                         PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode, PVOID InputBuffer,
                         ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)
{
    UNREFERENCED_PARAMETER(ApcContext);
    if (ApcRoutine != NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    return HostControl(FileHandle, Event, IoStatusBlock, FsControlCode, InputBuffer, InputBufferLength, OutputBuffer,
                       OutputBufferLength, IRP_MJ_FILE_SYSTEM_CONTROL);
}

/* The caller's memory as the device wants it: a system buffer, a descriptor, or as it is. */
static NTSTATUS HostTransferBuffer(PHOST_REQUEST Request, PIRP Irp, PVOID Buffer, ULONG Length, BOOLEAN Write)
{
    PMDL Mdl;

    if ((__atomic_load_n(&Request->Top->Flags, __ATOMIC_ACQUIRE) & DO_BUFFERED_IO) != 0) {
        return HostBuffer(Irp, Write ? Buffer : NULL, Write ? Length : 0, Write ? NULL : Buffer, Write ? 0 : Length);
    }
    Irp->UserBuffer = Buffer;
    if ((__atomic_load_n(&Request->Top->Flags, __ATOMIC_ACQUIRE) & DO_DIRECT_IO) != 0 && Length != 0) {
        Mdl = HostAllocatePool(NonPagedPoolNx, sizeof(*Mdl), HOST_BUFFER_TAG, TRUE, __builtin_return_address(0));
        if (Mdl == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Mdl->Size = sizeof(*Mdl);
        Mdl->MdlFlags = 1;
        Mdl->MappedSystemVa = Buffer;
        Mdl->StartVa = (PVOID)((ULONG_PTR)Buffer & ~(ULONG_PTR)0xFFF);
        Mdl->ByteOffset = (ULONG)((ULONG_PTR)Buffer & 0xFFF);
        Mdl->ByteCount = Length;
        Irp->MdlAddress = Mdl;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS HostTransfer(HANDLE FileHandle, HANDLE Event, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer,
                             ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key, BOOLEAN Write)
{
    LARGE_INTEGER Offset = {0};
    IO_STATUS_BLOCK IoStatus = {0};
    HOST_REQUEST Request;
    PIO_STACK_LOCATION Location;
    PFAST_IO_DISPATCH FastIo;
    BOOLEAN Done = FALSE;
    PIRP Irp = NULL;
    NTSTATUS Status;

    Status = HostBeginRequest(&Request, FileHandle, 0, Event, IoStatusBlock, FALSE);
    if (NT_SUCCESS(Status) && Request.Thread->PreviousMode != KernelMode &&
        (Request.Granted & (Write ? (FILE_WRITE_DATA | FILE_APPEND_DATA) : FILE_READ_DATA)) == 0) {
        Status = STATUS_ACCESS_DENIED;
    }
    if (NT_SUCCESS(Status) && Length != 0 && Buffer == NULL) {
        Status = STATUS_ACCESS_VIOLATION;
    }
    if (NT_SUCCESS(Status)) {
        if (ByteOffset != NULL &&
            !(ByteOffset->LowPart == FILE_USE_FILE_POINTER_POSITION && ByteOffset->HighPart == -1)) {
            Offset = *ByteOffset;
        } else if (Request.Locked) {
            Offset = Request.File->CurrentByteOffset;
        } else {
            Status = STATUS_INVALID_PARAMETER;
        }
        if (Write && (Request.Granted & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == FILE_APPEND_DATA) {
            Offset.LowPart = FILE_WRITE_TO_END_OF_FILE;
            Offset.HighPart = -1;
        } else if (NT_SUCCESS(Status) && Offset.QuadPart < 0 &&
                   !(Write && Offset.LowPart == FILE_WRITE_TO_END_OF_FILE && Offset.HighPart == -1)) {
            Status = STATUS_INVALID_PARAMETER;
        }
    }
    if (NT_SUCCESS(Status) && Request.Locked && Request.File->PrivateCacheMap != NULL) {
        FastIo = Request.Top->DriverObject->FastIoDispatch;
        if (Write && HostHasFastIo(Request.Top, FastIoWrite)) {
            Done = FastIo->FastIoWrite(Request.File, &Offset, Length, TRUE, Key != NULL ? *Key : 0, Buffer, &IoStatus,
                                       Request.Top);
        } else if (!Write && HostHasFastIo(Request.Top, FastIoRead)) {
            Done = FastIo->FastIoRead(Request.File, &Offset, Length, TRUE, Key != NULL ? *Key : 0, Buffer, &IoStatus,
                                      Request.Top);
        }
        if (Done) {
            *IoStatusBlock = IoStatus;
            Status = IoStatus.Status;
            if (Request.Event != NULL) {
                (VOID) HostSignal(Request.Event);
            }
        }
    }
    if (NT_SUCCESS(Status) && !Done) {
        Irp = HostMakeIrp(&Request, Write ? IRP_MJ_WRITE : IRP_MJ_READ);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    if (Irp != NULL) {
        Location = IoGetNextIrpStackLocation(Irp);
        Irp->Flags |= Write ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
        Location->Parameters.Read.Length = Length;
        Location->Parameters.Read.Key = Key != NULL ? *Key : 0;
        Location->Parameters.Read.ByteOffset = Offset;
        HostIrpOf(Irp)->Bounded = TRUE;
        HostIrpOf(Irp)->OutputLength = Length;
        Status = HostTransferBuffer(&Request, Irp, Buffer, Length, Write);
        Status = NT_SUCCESS(Status) ? HostSend(&Request, Irp) : HostDiscard(Irp, Status);
    }
    return HostEndRequest(&Request, Status);
}

NTSTATUS NtReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                    PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key)
{
    UNREFERENCED_PARAMETER(ApcContext);
    return ApcRoutine != NULL ? STATUS_NOT_SUPPORTED
                              : HostTransfer(FileHandle, Event, IoStatusBlock, Buffer, Length, ByteOffset, Key, FALSE);
}

NTSTATUS NtWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                     PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key)
{
    UNREFERENCED_PARAMETER(ApcContext);
    return ApcRoutine != NULL ? STATUS_NOT_SUPPORTED
                              : HostTransfer(FileHandle, Event, IoStatusBlock, Buffer, Length, ByteOffset, Key, TRUE);
}

/* STATUS_ACCESS_DENIED through a handle that cannot write. */
NTSTATUS NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    HOST_REQUEST Request;
    NTSTATUS Status = HostBeginRequest(&Request, FileHandle, 0, NULL, IoStatusBlock, TRUE);
    PIRP Irp;

    if (NT_SUCCESS(Status) && (Request.Granted & (FILE_WRITE_DATA | FILE_APPEND_DATA)) == 0) {
        Status = STATUS_ACCESS_DENIED;
    }
    if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_FLUSH_BUFFERS);
        Status = Irp != NULL ? HostSend(&Request, Irp) : STATUS_INSUFFICIENT_RESOURCES;
    }
    return HostEndRequest(&Request, Status);
}

/* The shortest record of a class and the access it needs; a Length of zero is a class nobody knows. */
typedef struct _HOST_INFORMATION_RULE {
    ULONG Length;
    ACCESS_MASK Access;
} HOST_INFORMATION_RULE;

static HOST_INFORMATION_RULE HostQueryRule(FILE_INFORMATION_CLASS Class)
{
    static const HOST_INFORMATION_RULE None = {0, 0};

    switch (Class) {
    case FileBasicInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_BASIC_INFORMATION), FILE_READ_ATTRIBUTES};
    case FileStandardInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_STANDARD_INFORMATION), 0};
    case FileInternalInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_INTERNAL_INFORMATION), 0};
    case FileEaInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_EA_INFORMATION), 0};
    case FileNameInformation:
    case FileNormalizedNameInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_NAME_INFORMATION), 0};
    case FilePositionInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_POSITION_INFORMATION), 0};
    case FileAllInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_ALL_INFORMATION), FILE_READ_ATTRIBUTES};
    case FileStreamInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_STREAM_INFORMATION), 0};
    case FileNetworkOpenInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_NETWORK_OPEN_INFORMATION), FILE_READ_ATTRIBUTES};
    case FileAttributeTagInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), FILE_READ_ATTRIBUTES};
    default:
        return None;
    }
}

static HOST_INFORMATION_RULE HostSetRule(FILE_INFORMATION_CLASS Class)
{
    static const HOST_INFORMATION_RULE None = {0, 0};

    switch (Class) {
    case FileBasicInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_BASIC_INFORMATION), FILE_WRITE_ATTRIBUTES};
    case FileRenameInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_RENAME_INFORMATION), DELETE};
    case FileLinkInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_LINK_INFORMATION), 0};
    case FileDispositionInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_DISPOSITION_INFORMATION), DELETE};
    case FilePositionInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_POSITION_INFORMATION), 0};
    case FileAllocationInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_ALLOCATION_INFORMATION), FILE_WRITE_DATA};
    case FileEndOfFileInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_END_OF_FILE_INFORMATION), FILE_WRITE_DATA};
    case FileValidDataLengthInformation:
        return (HOST_INFORMATION_RULE){sizeof(FILE_VALID_DATA_LENGTH_INFORMATION), FILE_WRITE_DATA};
    default:
        return None;
    }
}

/* The three classes that fast I/O may answer. */
static BOOLEAN HostQueryFast(PHOST_REQUEST Request, PVOID Information, FILE_INFORMATION_CLASS Class,
                             PIO_STATUS_BLOCK IoStatus)
{
    PFAST_IO_DISPATCH FastIo = Request->Top->DriverObject->FastIoDispatch;

    if (Class == FileBasicInformation && HostHasFastIo(Request->Top, FastIoQueryBasicInfo)) {
        return FastIo->FastIoQueryBasicInfo(Request->File, TRUE, Information, IoStatus, Request->Top);
    }
    if (Class == FileStandardInformation && HostHasFastIo(Request->Top, FastIoQueryStandardInfo)) {
        return FastIo->FastIoQueryStandardInfo(Request->File, TRUE, Information, IoStatus, Request->Top);
    }
    if (Class == FileNetworkOpenInformation && HostHasFastIo(Request->Top, FastIoQueryNetworkOpenInfo)) {
        return FastIo->FastIoQueryNetworkOpenInfo(Request->File, TRUE, Information, IoStatus, Request->Top);
    }
    return FALSE;
}

NTSTATUS NtQueryInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
                                FILE_INFORMATION_CLASS FileInformationClass)
{
    HOST_INFORMATION_RULE Rule = HostQueryRule(FileInformationClass);
    IO_STATUS_BLOCK IoStatus = {0};
    PIO_STACK_LOCATION Location;
    HOST_REQUEST Request;
    NTSTATUS Status;
    PIRP Irp;

    if (Rule.Length == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < Rule.Length) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = HostBeginRequest(&Request, FileHandle, Rule.Access, NULL, IoStatusBlock, TRUE);
    if (NT_SUCCESS(Status) && FileInformationClass == FilePositionInformation && Request.Locked) {
        ((PFILE_POSITION_INFORMATION)FileInformation)->CurrentByteOffset = Request.File->CurrentByteOffset;
        IoStatusBlock->Status = STATUS_SUCCESS;
        IoStatusBlock->Information = sizeof(FILE_POSITION_INFORMATION);
    } else if (NT_SUCCESS(Status) && HostQueryFast(&Request, FileInformation, FileInformationClass, &IoStatus)) {
        *IoStatusBlock = IoStatus;
        Status = IoStatus.Status;
    } else if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_QUERY_INFORMATION);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            Location = IoGetNextIrpStackLocation(Irp);
            Location->Parameters.QueryFile.Length = Length;
            Location->Parameters.QueryFile.FileInformationClass = FileInformationClass;
            Status = HostBuffer(Irp, NULL, 0, FileInformation, Length);
            Status = NT_SUCCESS(Status) ? HostSend(&Request, Irp) : HostDiscard(Irp, Status);
        }
    }
    return HostEndRequest(&Request, Status);
}

/*
 * The directory of a rename or link that is no bare name is opened with SL_OPEN_TARGET_DIRECTORY on the real system; here
 * the file system gets the name as it is, and the directory's file object when RootDirectory names one.
 */
static NTSTATUS HostTargetDirectory(PHOST_REQUEST Request, PVOID Information, ULONG Length, PFILE_OBJECT *Directory)
{
    PFILE_RENAME_INFORMATION Rename = Information;

    *Directory = NULL;
    if (Rename->FileNameLength > Length - offsetof(FILE_RENAME_INFORMATION, FileName) || Rename->FileNameLength == 0 ||
        Rename->FileNameLength % sizeof(WCHAR) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Rename->RootDirectory == NULL) {
        return STATUS_SUCCESS;
    }
    return HostReferenceHandle(Rename->RootDirectory, Request->Thread->PreviousMode, &HostFileType, 0,
                               (PVOID *)Directory, NULL, NULL);
}

NTSTATUS NtSetInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
                              FILE_INFORMATION_CLASS FileInformationClass)
{
    HOST_INFORMATION_RULE Rule = HostSetRule(FileInformationClass);
    PFILE_OBJECT Directory = NULL;
    PIO_STACK_LOCATION Location;
    HOST_REQUEST Request;
    PIRP Irp = NULL;
    NTSTATUS Status;

    if (Rule.Length == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < Rule.Length) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = HostBeginRequest(&Request, FileHandle, Rule.Access, NULL, IoStatusBlock, TRUE);
    if (NT_SUCCESS(Status) && FileInformationClass == FilePositionInformation && Request.Locked) {
        LARGE_INTEGER Position = ((PFILE_POSITION_INFORMATION)FileInformation)->CurrentByteOffset;

        Status = Position.QuadPart < 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
        if (NT_SUCCESS(Status)) {
            Request.File->CurrentByteOffset = Position;
            IoStatusBlock->Status = Status;
            IoStatusBlock->Information = 0;
        }
        return HostEndRequest(&Request, Status);
    }
    if (NT_SUCCESS(Status) &&
        (FileInformationClass == FileRenameInformation || FileInformationClass == FileLinkInformation)) {
        Status = HostTargetDirectory(&Request, FileInformation, Length, &Directory);
    }
    if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_SET_INFORMATION);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    if (Irp != NULL) {
        Location = IoGetNextIrpStackLocation(Irp);
        Location->Parameters.SetFile.Length = Length;
        Location->Parameters.SetFile.FileInformationClass = FileInformationClass;
        if (FileInformationClass == FileRenameInformation || FileInformationClass == FileLinkInformation) {
            Location->Parameters.SetFile.FileObject = Directory;
            Location->Parameters.SetFile.ReplaceIfExists = ((PFILE_RENAME_INFORMATION)FileInformation)->ReplaceIfExists;
        }
        Status = HostBuffer(Irp, FileInformation, Length, NULL, 0);
        Status = NT_SUCCESS(Status) ? HostSend(&Request, Irp) : HostDiscard(Irp, Status);
    }
    if (Directory != NULL) {
        HostDereferenceRaw(Directory, "NtSetInformationFile");
    }
    return HostEndRequest(&Request, Status);
}

NTSTATUS NtQueryVolumeInformationFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FsInformation,
                                      ULONG Length, FS_INFORMATION_CLASS FsInformationClass)
{
    HOST_REQUEST Request;
    PIO_STACK_LOCATION Location;
    NTSTATUS Status = HostBeginRequest(&Request, FileHandle, 0, NULL, IoStatusBlock, TRUE);
    PIRP Irp = NULL;

    if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_QUERY_VOLUME_INFORMATION);
        Status = Irp == NULL ? STATUS_INSUFFICIENT_RESOURCES : HostBuffer(Irp, NULL, 0, FsInformation, Length);
    }
    if (Irp != NULL) {
        Location = IoGetNextIrpStackLocation(Irp);
        Location->Parameters.QueryVolume.Length = Length;
        Location->Parameters.QueryVolume.FsInformationClass = FsInformationClass;
        Status = NT_SUCCESS(Status) ? HostSend(&Request, Irp) : HostDiscard(Irp, Status);
    }
    return HostEndRequest(&Request, Status);
}

NTSTATUS NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                              PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
                              FILE_INFORMATION_CLASS FileInformationClass, BOOLEAN ReturnSingleEntry,
                              PUNICODE_STRING FileName, BOOLEAN RestartScan)
{
    HOST_REQUEST Request;
    PIO_STACK_LOCATION Location;
    NTSTATUS Status;
    PIRP Irp = NULL;

    UNREFERENCED_PARAMETER(ApcContext);
    if (ApcRoutine != NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    Status = HostBeginRequest(&Request, FileHandle, FILE_LIST_DIRECTORY, Event, IoStatusBlock, TRUE);
    if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_DIRECTORY_CONTROL);
        Status = Irp == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
    }
    if (Irp != NULL) {
        Irp->UserBuffer = FileInformation;
        Location = IoGetNextIrpStackLocation(Irp);
        Location->MinorFunction = IRP_MN_QUERY_DIRECTORY;
        Location->Flags =
            (UCHAR)((ReturnSingleEntry ? SL_RETURN_SINGLE_ENTRY : 0) | (RestartScan ? SL_RESTART_SCAN : 0));
        Location->Parameters.QueryDirectory.Length = Length;
        Location->Parameters.QueryDirectory.FileName = FileName;
        Location->Parameters.QueryDirectory.FileInformationClass = FileInformationClass;
        Status = HostTransferBuffer(&Request, Irp, FileInformation, Length, FALSE);
        Status = NT_SUCCESS(Status) ? HostSend(&Request, Irp) : HostDiscard(Irp, Status);
    }
    return HostEndRequest(&Request, Status);
}

/* Cancels what the calling thread has sent to the file object. */
NTSTATUS NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);
    PFILE_OBJECT File;

    if (NT_SUCCESS(Status)) {
        Status = HostReferenceHandle(FileHandle, Thread->PreviousMode, &HostFileType, 0, (PVOID *)&File, NULL, NULL);
    }
    if (NT_SUCCESS(Status)) {
        HostCancelThreadIrps(Thread, NULL, File);
        IoStatusBlock->Status = STATUS_SUCCESS;
        IoStatusBlock->Information = 0;
        HostDereferenceRaw(File, "NtCancelIoFile");
    }
    return HostEndService(Thread, Status);
}
