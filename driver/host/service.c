/* System services on handles in general: opening files, closing, duplicating, events, waiting. */
#include "kernel.h"

static NTSTATUS HostCreateFileService(PETHREAD Thread, PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                                      POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                                      PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
                                      ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength)
{
    KPROCESSOR_MODE Mode = Thread->PreviousMode;
    ULONG Attributes = ObjectAttributes->Attributes;
    PFILE_OBJECT FileObject;
    ACCESS_MASK Granted = 0;
    ULONG_PTR Information = 0;
    NTSTATUS Status;

    if (ObjectAttributes->Length != sizeof(*ObjectAttributes)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Mode != KernelMode) {
        Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    } else if ((Attributes & OBJ_FORCE_ACCESS_CHECK) != 0) {
        Mode = UserMode;
    }
    Status =
        HostOpenFile(Thread, Mode, ObjectAttributes, DesiredAccess, AllocationSize, FileAttributes, ShareAccess,
                     CreateDisposition, CreateOptions, EaBuffer, EaLength, NULL, &FileObject, &Granted, &Information);
    if (NT_SUCCESS(Status)) {
        *FileHandle = HostCreateHandle(FileObject, Granted, Attributes);
        HostDereferenceRaw(FileObject, "NtCreateFile");
        IoStatusBlock->Status = Status;
        IoStatusBlock->Information = Information;
    }
    return Status;
}

NTSTATUS NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                      PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                      ULONG ShareAccess, ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);

    if (NT_SUCCESS(Status)) {
        Status =
            HostCreateFileService(Thread, FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize,
                                  FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer, EaLength);
    }
    return HostEndService(Thread, Status);
}

NTSTATUS ZwCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                      PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                      ULONG ShareAccess, ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength)
{
    PETHREAD Thread = HostEnter(ZwCreateFile);
    KPROCESSOR_MODE PreviousMode = HostBeginKernelCall(Thread);
    NTSTATUS Status;

    Status = HostCreateFileService(Thread, FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize,
                                   FileAttributes, ShareAccess, CreateDisposition, CreateOptions, EaBuffer, EaLength);
    HostEndKernelCall(Thread, PreviousMode);
    return Status;
}

NTSTATUS NtClose(HANDLE Handle)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);

    if (NT_SUCCESS(Status)) {
        Status = HostCloseHandle(Handle, Thread->PreviousMode);
    }
    return HostEndService(Thread, Status);
}

NTSTATUS ZwClose(HANDLE Handle)
{
    PETHREAD Thread = HostEnter(ZwClose);
    KPROCESSOR_MODE PreviousMode = HostBeginKernelCall(Thread);
    NTSTATUS Status = HostCloseHandle(Handle, KernelMode);

    HostEndKernelCall(Thread, PreviousMode);
    return Status;
}

/* What opening tells of a file, or FastIoQueryOpen without an open. */
NTSTATUS NtQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes, PFILE_NETWORK_OPEN_INFORMATION FileInformation)
{
    PFILE_OBJECT FileObject = NULL;
    ACCESS_MASK Granted = 0;
    ULONG_PTR Information = 0;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);

    if (NT_SUCCESS(Status)) {
        Status = HostOpenFile(Thread, Thread->PreviousMode, ObjectAttributes, FILE_READ_ATTRIBUTES, NULL, 0,
                              FILE_SHARE_VALID_FLAGS, FILE_OPEN, FILE_OPEN_REPARSE_POINT, NULL, 0, FileInformation,
                              &FileObject, &Granted, &Information);
    }
    if (NT_SUCCESS(Status) && FileObject != NULL) {
        Handle = HostCreateHandle(FileObject, Granted, 0);
        HostDereferenceRaw(FileObject, "NtQueryFullAttributesFile");
        Status = NtQueryInformationFile(Handle, &IoStatus, FileInformation, sizeof(*FileInformation),
                                        FileNetworkOpenInformation);
        (VOID) HostCloseHandle(Handle, Thread->PreviousMode);
    }
    return HostEndService(Thread, Status);
}

NTSTATUS NtDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle = NULL;
    NTSTATUS Status = NtCreateFile(&Handle, DELETE, ObjectAttributes, &IoStatus, NULL, 0, FILE_SHARE_VALID_FLAGS,
                                   FILE_OPEN, FILE_DELETE_ON_CLOSE | FILE_OPEN_FOR_BACKUP_INTENT, NULL, 0);

    return NT_SUCCESS(Status) ? NtClose(Handle) : Status;
}

NTSTATUS NtCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                       EVENT_TYPE EventType, BOOLEAN InitialState)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);
    PKEVENT Event;

    if (NT_SUCCESS(Status) && ObjectAttributes != NULL && ObjectAttributes->ObjectName != NULL) {
        Status = STATUS_NOT_SUPPORTED;
    }
    if (NT_SUCCESS(Status)) {
        Status = HostCreateObject(&HostEventType, sizeof(*Event), (PVOID *)&Event);
    }
    if (NT_SUCCESS(Status)) {
        KeInitializeEvent(Event, EventType, InitialState);
        RtlMapGenericMask(&DesiredAccess, &HostEventType.Mapping);
        *EventHandle = HostCreateHandle(Event, DesiredAccess, 0);
        HostDereferenceRaw(Event, "NtCreateEvent");
    }
    return HostEndService(Thread, Status);
}

NTSTATUS NtSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);
    PVOID Event;
    LONG Previous;

    if (NT_SUCCESS(Status)) {
        Status = HostReferenceHandle(EventHandle, Thread->PreviousMode, &HostEventType, EVENT_MODIFY_STATE, &Event,
                                     NULL, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Previous = KeSetEvent(Event, EVENT_INCREMENT, FALSE);
        if (PreviousState != NULL) {
            *PreviousState = Previous;
        }
        HostDereferenceRaw(Event, "NtSetEvent");
    }
    return HostEndService(Thread, Status);
}

static NTSTATUS HostWaitForHandle(HANDLE Handle, KPROCESSOR_MODE Mode, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    PVOID Object;
    PVOID Waitable = NULL;
    NTSTATUS Status = HostReferenceHandle(Handle, Mode, NULL, SYNCHRONIZE, &Object, NULL, NULL);

    if (NT_SUCCESS(Status)) {
        if (HostHeaderOf(Object)->Type == &HostEventType || HostHeaderOf(Object)->Type == &HostThreadType) {
            Waitable = Object;
        } else if (HostHeaderOf(Object)->Type == &HostFileType) {
            Waitable = &((PFILE_OBJECT)Object)->Event;
        }
        Status = Waitable == NULL ? STATUS_OBJECT_TYPE_MISMATCH
                                  : KeWaitForSingleObject(Waitable, UserRequest, Mode, Alertable, Timeout);
        HostDereferenceRaw(Object, "NtWaitForSingleObject");
    }
    return Status;
}

NTSTATUS NtWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);

    if (NT_SUCCESS(Status)) {
        Status = HostWaitForHandle(Handle, Thread->PreviousMode, Alertable, Timeout);
    }
    return HostEndService(Thread, Status);
}

NTSTATUS ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    (VOID) HostEnter(ZwWaitForSingleObject);
    return HostWaitForHandle(Handle, KernelMode, Alertable, Timeout);
}

/* STATUS_INVALID_HANDLE, STATUS_ACCESS_DENIED when more access is wanted than the source has, STATUS_PROCESS_IS_TERMINATING. */
NTSTATUS NtDuplicateObject(HANDLE SourceProcessHandle, HANDLE SourceHandle, HANDLE TargetProcessHandle,
                           PHANDLE TargetHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes, ULONG Options)
{
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);
    PEPROCESS Caller = Thread->Process;
    PEPROCESS Source = NULL;
    PEPROCESS Target = NULL;
    PVOID Object = NULL;
    ACCESS_MASK Granted = 0;

    if (NT_SUCCESS(Status)) {
        Status = HostReferenceHandle(SourceProcessHandle, Thread->PreviousMode, &HostProcessType, PROCESS_DUP_HANDLE,
                                     (PVOID *)&Source, NULL, NULL);
    }
    if (NT_SUCCESS(Status) && TargetProcessHandle != NULL) {
        Status = HostReferenceHandle(TargetProcessHandle, Thread->PreviousMode, &HostProcessType, PROCESS_DUP_HANDLE,
                                     (PVOID *)&Target, NULL, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Thread->Process = Source;
        Status = HostReferenceHandle(SourceHandle, Thread->PreviousMode, NULL, 0, &Object, &Granted, NULL);
        if (NT_SUCCESS(Status) && (Options & DUPLICATE_CLOSE_SOURCE) != 0) {
            (VOID) HostCloseHandle(SourceHandle, Thread->PreviousMode);
        }
        Thread->Process = Caller;
    }
    if (NT_SUCCESS(Status) && Target != NULL) {
        if ((Options & DUPLICATE_SAME_ACCESS) == 0) {
            RtlMapGenericMask(&DesiredAccess, &HostHeaderOf(Object)->Type->Mapping);
            Status = (DesiredAccess & ~Granted) != 0 ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
            Granted = DesiredAccess;
        }
        if (NT_SUCCESS(Status) && ReadAcquire(&Target->Exiting) != 0) {
            Status = STATUS_PROCESS_IS_TERMINATING;
        }
        if (NT_SUCCESS(Status)) {
            Thread->Process = Target;
            *TargetHandle = HostCreateHandle(Object, Granted, HandleAttributes & OBJ_INHERIT);
            Thread->Process = Caller;
        }
    }
    if (Object != NULL) {
        HostDereferenceRaw(Object, "NtDuplicateObject");
    }
    if (Target != NULL) {
        HostDereferenceRaw(Target, "NtDuplicateObject");
    }
    if (Source != NULL) {
        HostDereferenceRaw(Source, "NtDuplicateObject");
    }
    return HostEndService(Thread, Status);
}
