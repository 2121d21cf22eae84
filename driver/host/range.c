/* System services that lock ranges of a file's bytes. */
#include "request.h"

/* The range of a request; it stays until the request is complete, which the services wait for. */
static NTSTATUS HostSendRange(PHOST_REQUEST Request, UCHAR MinorFunction, UCHAR Flags, PLARGE_INTEGER ByteOffset,
                              PLARGE_INTEGER Length, ULONG Key)
{
    PIRP Irp = HostMakeIrp(Request, IRP_MJ_LOCK_CONTROL);
    PIO_STACK_LOCATION Location;

    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Location = IoGetNextIrpStackLocation(Irp);
    Location->MinorFunction = MinorFunction;
    Location->Flags = Flags;
    Location->Parameters.LockControl.Length = Length;
    Location->Parameters.LockControl.Key = Key;
    Location->Parameters.LockControl.ByteOffset = *ByteOffset;
    return HostSend(Request, Irp);
}

/* STATUS_ACCESS_DENIED through a handle that neither reads nor writes; STATUS_INVALID_LOCK_RANGE for one that ends behind the last byte. */
static NTSTATUS HostCheckRange(PHOST_REQUEST Request, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length)
{
    if (ByteOffset == NULL || Length == NULL) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (Request->Thread->PreviousMode != KernelMode && (Request->Granted & (FILE_READ_DATA | FILE_WRITE_DATA)) == 0) {
        return STATUS_ACCESS_DENIED;
    }
    if (Length->QuadPart != 0 &&
        (ULONG64)ByteOffset->QuadPart + (ULONG64)Length->QuadPart - 1 < (ULONG64)ByteOffset->QuadPart) {
        return STATUS_INVALID_LOCK_RANGE;
    }
    return STATUS_SUCCESS;
}

/* Waits for the answer whatever the handle. STATUS_LOCK_NOT_GRANTED. [ntifs/nf-ntifs-ntlockfile] */
NTSTATUS NtLockFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                    PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key,
                    BOOLEAN FailImmediately, BOOLEAN ExclusiveLock)
{
    const UCHAR Flags = (UCHAR)((FailImmediately ? SL_FAIL_IMMEDIATELY : 0) | (ExclusiveLock ? SL_EXCLUSIVE_LOCK : 0));
    IO_STATUS_BLOCK IoStatus = {0};
    HOST_REQUEST Request;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ApcContext);
    if (ApcRoutine != NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    Status = HostBeginRequest(&Request, FileHandle, 0, Event, IoStatusBlock, TRUE);
    if (NT_SUCCESS(Status)) {
        Status = HostCheckRange(&Request, ByteOffset, Length);
    }
    if (NT_SUCCESS(Status)) {
        if (HostHasFastIo(Request.Top, FastIoLock) && Request.Top->DriverObject->FastIoDispatch->FastIoLock(
                                                          Request.File, ByteOffset, Length, IoGetCurrentProcess(), Key,
                                                          FailImmediately, ExclusiveLock, &IoStatus, Request.Top)) {
            *IoStatusBlock = IoStatus;
            Status = IoStatus.Status;
        } else {
            Status = HostSendRange(&Request, IRP_MN_LOCK, Flags, ByteOffset, Length, Key);
        }
    }
    return HostEndRequest(&Request, Status);
}

/* STATUS_RANGE_NOT_LOCKED. [ntifs/nf-ntifs-ntunlockfile] */
NTSTATUS NtUnlockFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset,
                      PLARGE_INTEGER Length, ULONG Key)
{
    IO_STATUS_BLOCK IoStatus = {0};
    HOST_REQUEST Request;
    NTSTATUS Status = HostBeginRequest(&Request, FileHandle, 0, NULL, IoStatusBlock, TRUE);

    if (NT_SUCCESS(Status)) {
        Status = HostCheckRange(&Request, ByteOffset, Length);
    }
    if (NT_SUCCESS(Status)) {
        if (HostHasFastIo(Request.Top, FastIoUnlockSingle) &&
            Request.Top->DriverObject->FastIoDispatch->FastIoUnlockSingle(
                Request.File, ByteOffset, Length, IoGetCurrentProcess(), Key, &IoStatus, Request.Top)) {
            *IoStatusBlock = IoStatus;
            Status = IoStatus.Status;
        } else {
            Status = HostSendRange(&Request, IRP_MN_UNLOCK_SINGLE, 0, ByteOffset, Length, Key);
        }
    }
    return HostEndRequest(&Request, Status);
}
