/* File objects: how they are opened through the namespace and the device's stack, and how they are closed. */
#include "kernel.h"

#define HOST_FILE_NAME_TAG 'mNoI'
#define HOST_MAXIMUM_REPARSE 32
#define HOST_READ_ONLY_LOOK (SYNCHRONIZE | FILE_READ_ATTRIBUTES | READ_CONTROL | WRITE_DAC | WRITE_OWNER)

typedef struct _HOST_OPEN {
    PDEVICE_OBJECT Device; /* referenced as one open */
    PFILE_OBJECT Related;
    UNICODE_STRING Name; /* behind the device's */
    PWCH Buffer;
} HOST_OPEN, *PHOST_OPEN;

static BOOLEAN HostTakeFileLock(PVOID Context)
{
    volatile ULONG *Busy = Context;
    ULONG Free = 0;

    return __atomic_compare_exchange_n(Busy, &Free, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* One request at a time on a synchronous file object. Locked is the caller's until HostUnlockFile. */
VOID HostLockFile(PETHREAD Thread, PFILE_OBJECT FileObject, PHOST_LOCKED_FILE Locked)
{
    HostOrderLock(Thread, &FileObject->Busy, "system service");
    (VOID) HostWaitFor(&FileObject->Busy, HostTakeFileLock, (PVOID)(ULONG_PTR)&FileObject->Busy, NULL);
    Locked->Outer = Thread->LockedFiles;
    Locked->File = FileObject;
    Thread->LockedFiles = Locked;
}

VOID HostUnlockFile(PETHREAD Thread, const HOST_LOCKED_FILE *Locked)
{
    Thread->LockedFiles = Locked->Outer;
    __atomic_store_n(&Locked->File->Busy, 0, __ATOMIC_SEQ_CST);
    HostWake(&Locked->File->Busy);
}

static NTSTATUS HostCheckOptions(ACCESS_MASK DesiredAccess, ULONG FileAttributes, ULONG ShareAccess, ULONG Disposition,
                                 ULONG Options)
{
    ULONG Synchronous = Options & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT);

    if ((FileAttributes & ~(ULONG)FILE_ATTRIBUTE_VALID_FLAGS) != 0 ||
        (ShareAccess & ~(ULONG)FILE_SHARE_VALID_FLAGS) != 0 || Disposition > FILE_MAXIMUM_DISPOSITION ||
        (Options & ~(ULONG)FILE_VALID_OPTION_FLAGS) != 0 ||
        Synchronous == (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT) ||
        (Synchronous != 0 && (DesiredAccess & (SYNCHRONIZE | GENERIC_ALL | GENERIC_READ | GENERIC_WRITE |
                                               GENERIC_EXECUTE | MAXIMUM_ALLOWED)) == 0) ||
        ((Options & FILE_DELETE_ON_CLOSE) != 0 && (DesiredAccess & (DELETE | GENERIC_ALL | MAXIMUM_ALLOWED)) == 0) ||
        (Options & (FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE)) ==
            (FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE) ||
        ((Options & FILE_DIRECTORY_FILE) != 0 && Disposition != FILE_OPEN && Disposition != FILE_CREATE &&
         Disposition != FILE_OPEN_IF)) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

/* Finds the device the name leads to. Buffer is the caller's to free; Related is referenced. */
static NTSTATUS HostResolve(KPROCESSOR_MODE Mode, HANDLE Root, PCUNICODE_STRING Name, PHOST_OPEN Open)
{
    NTSTATUS Status;
    PVOID Object;

    RtlZeroMemory(Open, sizeof(*Open));
    if (Root != NULL) {
        Status = HostReferenceHandle(Root, Mode, &HostFileType, 0, &Object, NULL, NULL);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if (Name->Length != 0 && Name->Buffer[0] == OBJ_NAME_PATH_SEPARATOR) {
            HostDereferenceRaw(Object, "NtCreateFile");
            return STATUS_INVALID_PARAMETER;
        }
        Open->Related = Object;
        Open->Device = Open->Related->DeviceObject;
        Open->Name = *Name;
        return STATUS_SUCCESS;
    }
    Status = HostFindObject(Name, TRUE, &Object, &Open->Name, &Open->Buffer);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (HostHeaderOf(Object)->Type != &HostDeviceType) {
        HostDereferenceRaw(Object, "NtCreateFile");
        PlatformFree(Open->Buffer);
        Open->Buffer = NULL;
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    Open->Device = Object;
    HostReferenceDevice(Open->Device);
    HostDereferenceRaw(Object, "NtCreateFile");
    return STATUS_SUCCESS;
}

static NTSTATUS HostCheckOpen(KPROCESSOR_MODE Mode, PHOST_OPEN Open, ACCESS_MASK DesiredAccess, PACCESS_MASK Granted)
{
    PDEVICE_OBJECT Device = Open->Device;
    NTSTATUS Status = STATUS_SUCCESS;

    *Granted = DesiredAccess & ~(ACCESS_MASK)MAXIMUM_ALLOWED;
    RtlMapGenericMask(Granted, &HostFileType.Mapping);
    if ((DesiredAccess & MAXIMUM_ALLOWED) != 0) {
        *Granted |= HostFileType.Mapping.GenericAll;
    }
    if ((Device->Flags & DO_DEVICE_INITIALIZING) != 0) {
        return STATUS_NO_SUCH_DEVICE;
    }
    if (Mode != KernelMode && ((Open->Name.Length == 0 && Open->Related == NULL) ||
                               (Device->Characteristics & FILE_DEVICE_SECURE_OPEN) != 0)) {
        Status = HostCheckDeviceAccess(Device, PsGetCurrentProcess()->Token, DesiredAccess, Granted);
    }
    if (NT_SUCCESS(Status) && (Device->Flags & DO_EXCLUSIVE) != 0 && Device->ReferenceCount > 1) {
        Status = STATUS_ACCESS_DENIED;
    }
    return Status;
}

/* A file object that nothing has been sent for yet: takes over the device's reference. STATUS_INSUFFICIENT_RESOURCES. */
static NTSTATUS HostMakeFile(PHOST_OPEN Open, ULONG Options, PFILE_OBJECT *FileObject)
{
    PFILE_OBJECT File;
    NTSTATUS Status = HostCreateObject(&HostFileType, sizeof(*File), (PVOID *)&File);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    File->Type = IO_TYPE_FILE;
    File->Size = sizeof(*File);
    KeInitializeEvent(&File->Lock, SynchronizationEvent, FALSE);
    KeInitializeEvent(&File->Event, NotificationEvent, FALSE);
    InitializeListHead(&File->IrpList);
    File->RelatedFileObject = Open->Related;
    File->Flags = ((Options & FILE_SYNCHRONOUS_IO_ALERT) != 0 ? FO_SYNCHRONOUS_IO | FO_ALERTABLE_IO : 0) |
                  ((Options & FILE_SYNCHRONOUS_IO_NONALERT) != 0 ? FO_SYNCHRONOUS_IO : 0) |
                  ((Options & FILE_NO_INTERMEDIATE_BUFFERING) != 0 ? FO_NO_INTERMEDIATE_BUFFERING : 0) |
                  ((Options & FILE_WRITE_THROUGH) != 0 ? FO_WRITE_THROUGH : 0) |
                  ((Options & FILE_SEQUENTIAL_ONLY) != 0 ? FO_SEQUENTIAL_ONLY : 0) |
                  ((Options & FILE_RANDOM_ACCESS) != 0 ? FO_RANDOM_ACCESS : 0);
    if (Open->Name.Length != 0) {
        File->FileName.Buffer =
            HostAllocatePool(PagedPool, Open->Name.Length, HOST_FILE_NAME_TAG, FALSE, __builtin_return_address(0));
        if (File->FileName.Buffer == NULL) {
            HostDereferenceRaw(File, "NtCreateFile");
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        File->FileName.Length = File->FileName.MaximumLength = Open->Name.Length;
        memcpy(File->FileName.Buffer, Open->Name.Buffer, Open->Name.Length);
    }
    *FileObject = File;
    return STATUS_SUCCESS;
}

/* Mounts what must be mounted, and notes through which volume the file is reached. */
static NTSTATUS HostEnterVolume(PHOST_OPEN Open, ACCESS_MASK Granted, PFILE_OBJECT File)
{
    PDEVICE_OBJECT Device = Open->Device;
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL Irql;

    if (Device->Vpb == NULL) {
        return STATUS_SUCCESS;
    }
    if (Open->Related != NULL && (Open->Related->Flags & FO_DIRECT_DEVICE_OPEN) != 0) {
        File->Flags |= FO_DIRECT_DEVICE_OPEN;
        return STATUS_SUCCESS;
    }
    if (Open->Name.Length == 0 && Open->Related == NULL && (Granted & ~(ACCESS_MASK)HOST_READ_ONLY_LOOK) == 0) {
        File->Flags |= FO_DIRECT_DEVICE_OPEN;
        return STATUS_SUCCESS;
    }
    do {
        IoAcquireVpbSpinLock(&Irql);
        if (Open->Related != NULL || (Device->Vpb->Flags & VPB_MOUNTED) != 0) {
            File->Vpb = Device->Vpb;
            File->Vpb->ReferenceCount++;
        }
        IoReleaseVpbSpinLock(Irql);
        if (File->Vpb == NULL) {
            Status = HostMountDevice(Device);
        }
    } while (NT_SUCCESS(Status) && File->Vpb == NULL);
    if (NT_SUCCESS(Status)) {
        if (Open->Name.Length == 0 && (Open->Related == NULL || (Open->Related->Flags & FO_VOLUME_OPEN) != 0)) {
            File->Flags |= FO_VOLUME_OPEN;
        }
    }
    return Status;
}

static VOID HostLeaveVolume(PFILE_OBJECT File)
{
    KIRQL Irql;

    if (File->Vpb != NULL) {
        IoAcquireVpbSpinLock(&Irql);
        File->Vpb->ReferenceCount--;
        IoReleaseVpbSpinLock(Irql);
        File->Vpb = NULL;
    }
}

typedef struct _HOST_CREATE {
    SECURITY_QUALITY_OF_SERVICE SecurityQos;
    ACCESS_STATE AccessState;
    IO_SECURITY_CONTEXT SecurityContext;
} HOST_CREATE;

/* IRP_MJ_CREATE, or FastIoQueryOpen in its stead when only the attributes are wanted and the stack can tell them. */
static NTSTATUS HostSendCreate(PETHREAD Thread, KPROCESSOR_MODE Mode, PFILE_OBJECT File, ACCESS_MASK Granted,
                               PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                               ULONG Disposition, ULONG Options, PVOID EaBuffer, ULONG EaLength,
                               BOOLEAN CaseInsensitive, PFILE_NETWORK_OPEN_INFORMATION QueryOnly, PBOOLEAN Answered,
                               PIO_STATUS_BLOCK IoStatus)
{
    PDEVICE_OBJECT Top = HostReferenceTopDevice(File);
    PIRP Irp = HostAllocateIrp(Thread, Top->StackSize, TRUE);
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION Location;
    PFAST_IO_DISPATCH FastIo;
    HOST_CREATE Create;

    *Answered = FALSE;
    if (Irp != NULL) {
        RtlZeroMemory(&Create, sizeof(Create));
        Create.AccessState.OriginalDesiredAccess = Granted;
        Create.AccessState.RemainingDesiredAccess = Mode == KernelMode ? 0 : Granted;
        Create.AccessState.PreviouslyGrantedAccess = Mode == KernelMode ? Granted : 0;
        Create.SecurityContext.SecurityQos = &Create.SecurityQos;
        Create.SecurityContext.AccessState = &Create.AccessState;
        Create.SecurityContext.DesiredAccess = Granted;
        Create.SecurityContext.FullCreateOptions = Options;
        Irp->Flags = IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API | IRP_DEFER_IO_COMPLETION;
        Irp->RequestorMode = Mode;
        Irp->AssociatedIrp.SystemBuffer = EaBuffer;
        if (AllocationSize != NULL) {
            Irp->Overlay.AllocationSize = *AllocationSize;
        }
        Irp->Tail.Overlay.OriginalFileObject = File;
        Irp->Tail.Overlay.Thread = Thread;
        Location = IoGetNextIrpStackLocation(Irp);
        Location->MajorFunction = IRP_MJ_CREATE;
        Location->Flags = CaseInsensitive ? 0 : SL_CASE_SENSITIVE;
        Location->FileObject = File;
        Location->Parameters.Create.SecurityContext = &Create.SecurityContext;
        Location->Parameters.Create.Options = (Disposition << 24) | Options;
        Location->Parameters.Create.FileAttributes = (USHORT)FileAttributes;
        Location->Parameters.Create.ShareAccess = (USHORT)ShareAccess;
        Location->Parameters.Create.EaLength = EaLength;
        FastIo = Top->DriverObject->FastIoDispatch;
        if (QueryOnly != NULL && FastIo != NULL &&
            FastIo->SizeOfFastIoDispatch >= RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, FastIoQueryOpen) &&
            FastIo->FastIoQueryOpen != NULL) {
            IoSetNextIrpStackLocation(Irp);
            IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Top;
            *Answered = FastIo->FastIoQueryOpen(Irp, QueryOnly, Top);
            if (*Answered) {
                Status = Irp->IoStatus.Status;
                *IoStatus = Irp->IoStatus;
                HostFreeIrp(Irp);
            } else {
                IoSkipCurrentIrpStackLocation(Irp);
            }
        }
        if (!*Answered) {
            Status = HostSendIrp(Top, Irp, FALSE, IoStatus);
        }
    }
    HostDereferenceRaw(Top, "NtCreateFile");
    return Status;
}

NTSTATUS HostOpenFile(PETHREAD Thread, KPROCESSOR_MODE Mode, POBJECT_ATTRIBUTES ObjectAttributes,
                      ACCESS_MASK DesiredAccess, PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                      ULONG Disposition, ULONG Options, PVOID EaBuffer, ULONG EaLength,
                      PFILE_NETWORK_OPEN_INFORMATION QueryOnly, PFILE_OBJECT *FileObject, PACCESS_MASK Granted,
                      PULONG_PTR Information)
{
    UNICODE_STRING Name = {0};
    HANDLE Root = ObjectAttributes->RootDirectory;
    PWCH Reparsed = NULL;
    IO_STATUS_BLOCK IoStatus = {0};
    PFILE_OBJECT File;
    HOST_OPEN Open;
    BOOLEAN Answered;
    NTSTATUS Status;

    *FileObject = NULL;
    if (ObjectAttributes->ObjectName != NULL) {
        Name = *ObjectAttributes->ObjectName;
    }
    Status = HostCheckOptions(DesiredAccess, FileAttributes, ShareAccess, Disposition, Options);
    if (NT_SUCCESS(Status) && (Name.Length % sizeof(WCHAR) != 0 || (Name.Length == 0 && Root == NULL))) {
        Status = STATUS_OBJECT_NAME_INVALID;
    }
    for (ULONG Count = 0; NT_SUCCESS(Status) && Count < HOST_MAXIMUM_REPARSE; Count++) {
        File = NULL;
        Status = HostResolve(Mode, Root, &Name, &Open);
        if (!NT_SUCCESS(Status)) {
            break;
        }
        if (Open.Related != NULL) {
            HostReferenceDevice(Open.Device);
        }
        Status = HostCheckOpen(Mode, &Open, DesiredAccess, Granted);
        if (NT_SUCCESS(Status)) {
            Status = HostMakeFile(&Open, Options, &File);
        }
        if (NT_SUCCESS(Status)) {
            Status = HostEnterVolume(&Open, *Granted, File);
        }
        if (NT_SUCCESS(Status)) {
            File->DeviceObject = Open.Device;
            Status = HostSendCreate(Thread, Mode, File, *Granted, AllocationSize, FileAttributes, ShareAccess,
                                    Disposition, Options, EaBuffer, EaLength,
                                    (BOOLEAN)((ObjectAttributes->Attributes & OBJ_CASE_INSENSITIVE) != 0), QueryOnly,
                                    &Answered, &IoStatus);
            File->DeviceObject = NULL;
        } else {
            Answered = FALSE;
        }
        if (File != NULL) {
            File->RelatedFileObject = NULL;
        }
        if (NT_SUCCESS(Status) && Status != STATUS_REPARSE && !Answered) {
            File->DeviceObject = Open.Device;
            File->Flags |= FO_HANDLE_CREATED;
            File->FinalStatus = Status;
            (VOID) HostSignal(&File->Event);
            *FileObject = File;
            *Information = IoStatus.Information;
        } else {
            if (Status == STATUS_REPARSE) {
                PlatformFree(Reparsed);
                Reparsed = PlatformAllocate((SIZE_T)File->FileName.Length + sizeof(WCHAR));
                memcpy(Reparsed, File->FileName.Buffer, File->FileName.Length);
                Name.Buffer = Reparsed;
                Name.Length = Name.MaximumLength = File->FileName.Length;
                Root = NULL;
            }
            if (File != NULL) {
                HostLeaveVolume(File);
                HostDereferenceRaw(File, "NtCreateFile");
            }
            HostDereferenceDevice(Open.Device);
        }
        if (Open.Related != NULL) {
            HostDereferenceRaw(Open.Related, "NtCreateFile");
        }
        PlatformFree(Open.Buffer);
        if (Status != STATUS_REPARSE) {
            break;
        }
    }
    PlatformFree(Reparsed);
    return Status == STATUS_REPARSE ? STATUS_OBJECT_NAME_INVALID : Status;
}

/* A request that must be sent, whatever memory there is. */
static VOID HostSendReserved(PFILE_OBJECT File, UCHAR MajorFunction, ULONG Flags)
{
    PDEVICE_OBJECT Top = HostReferenceTopDevice(File);
    PIRP Irp = HostAllocateIrp(HostCurrentThread(), Top->StackSize, FALSE);
    PIO_STACK_LOCATION Location = IoGetNextIrpStackLocation(Irp);
    IO_STATUS_BLOCK IoStatus;

    Irp->Flags = Flags | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = KernelMode;
    Irp->Tail.Overlay.OriginalFileObject = File;
    Location->MajorFunction = MajorFunction;
    Location->FileObject = File;
    (VOID) HostSendIrp(Top, Irp, FALSE, &IoStatus);
    HostDereferenceRaw(Top, "NtClose");
}

/* A handle has gone: cleanup when it was the last of the file object in any process. */
VOID HostCloseFile(PVOID Object, LONG64 RemainingHandles)
{
    PFILE_OBJECT File = Object;

    if (RemainingHandles == 0) {
        HostSendReserved(File, IRP_MJ_CLEANUP, 0);
        File->Flags |= FO_CLEANUP_COMPLETE;
    }
}

/* The last reference has gone: close, in the context of whoever gave it up. One that was never opened is only freed. */
VOID HostDeleteFile(PVOID Object)
{
    PFILE_OBJECT File = Object;
    PDEVICE_OBJECT Device = File->DeviceObject;

    if (Device != NULL) {
        if ((File->Flags & FO_CLEANUP_COMPLETE) == 0) {
            HostSendReserved(File, IRP_MJ_CLEANUP, 0);
            File->Flags |= FO_CLEANUP_COMPLETE;
        }
        HostHeaderOf(File)->References = 1;
        HostSendReserved(File, IRP_MJ_CLOSE, IRP_CLOSE_OPERATION);
        HostHeaderOf(File)->References = 0;
    }
    HostLeaveVolume(File);
    if (File->FileName.Buffer != NULL) {
        HostFreePool(File->FileName.Buffer, 0, "NtClose");
    }
    if (Device != NULL) {
        HostDereferenceDevice(Device);
    }
}
