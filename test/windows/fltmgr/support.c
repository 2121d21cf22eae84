/*
 * What Filter Manager's sources ask of the embedded kernel, out of Wine's: its pool, its objects, its threads, which have no IRQL.
 */
#include "../../../driver/host/fltmgr/fltmgr.h"

#define POLL_INTERVAL (-10000ll) /* 1 ms, in the 100 ns units of a relative time */

/* One record for every thread: all of them are at PASSIVE_LEVEL for good. */
static struct _ETHREAD EveryThread;
PETHREAD HostThisThread = &EveryThread;

PETHREAD HostCreateThread(VOID)
{
    return &EveryThread;
}

VOID HostLeaveApcRegion(PETHREAD Thread, const char *Routine)
{
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Routine);
}

VOID HostScheduleYield(PETHREAD Thread, const char *Point)
{
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Point);
}

VOID HostCountSpinCall(PETHREAD Thread, const char *Routine)
{
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Routine);
}

VOID HostStopSuspended(PETHREAD Thread)
{
    UNREFERENCED_PARAMETER(Thread);
}

/* Under a tag that is not the tested driver's: what Filter Manager allocates for it is counted when it unregisters. */
PVOID HostAllocatePool(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, BOOLEAN Zero, PVOID Caller)
{
    PVOID Memory = ExAllocatePoolWithTag(PoolType, Size, FLTP_TAG);

    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(Caller);
    if (Memory != NULL && Zero) {
        RtlZeroMemory(Memory, Size);
    }
    return Memory;
}

PVOID HostAllocateReserved(SIZE_T Size, ULONG Tag)
{
    PVOID Memory = HostAllocatePool(NonPagedPoolNx, Size, Tag, FALSE, NULL);

    if (Memory == NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FltMgr", "there is no memory for what cannot fail");
    }
    return Memory;
}

VOID HostFreePool(PVOID Pool, ULONG Tag, const char *Routine)
{
    UNREFERENCED_PARAMETER(Tag);
    UNREFERENCED_PARAMETER(Routine);
    ExFreePoolWithTag(Pool, FLTP_TAG);
}

/* Wine's objects have no mark that tells them from what is none. */
PHOST_OBJECT HostCheckObject(PVOID Object, const char *Routine)
{
    if (Object == NULL) {
        HostViolation(REFERENCE_BY_POINTER, Routine, "NULL is no object");
    }
    return NULL;
}

VOID HostReferenceRaw(PVOID Object)
{
    ObReferenceObject(Object);
}

VOID HostDereferenceRaw(PVOID Object, const char *Routine)
{
    UNREFERENCED_PARAMETER(Routine);
    ObDereferenceObject(Object);
}

/* The embedded kernel's programs ask for volumes by their letters, and to unload a minifilter; here there are neither letters nor programs. */
NTSTATUS HostReferenceDisk(WCHAR Letter, PDEVICE_OBJECT *Device)
{
    UNREFERENCED_PARAMETER(Letter);
    *Device = NULL;
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

NTSTATUS HostUnloadDriverImage(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    return STATUS_NOT_SUPPORTED;
}

PDEVICE_OBJECT HostBaseDevice(PFILE_OBJECT FileObject)
{
    return IoGetBaseFileSystemDeviceObject(FileObject);
}

LONG HostCompareStrings(PCUNICODE_STRING First, PCUNICODE_STRING Second, BOOLEAN CaseInSensitive)
{
    return RtlCompareUnicodeString(First, Second, CaseInSensitive);
}

LONGLONG PlatformInterruptTime(VOID)
{
    LARGE_INTEGER Time;

    KeQuerySystemTime(&Time);
    return Time.QuadPart;
}

/* Looks every now and then, so that nobody is woken. */
BOOLEAN HostWaitFor(const volatile VOID *Address, PHOST_TRY Try, PVOID Context, const LONGLONG *Deadline)
{
    LARGE_INTEGER Interval = {.QuadPart = POLL_INTERVAL};

    UNREFERENCED_PARAMETER(Address);
    while (!Try(Context)) {
        if (Deadline != NULL && PlatformInterruptTime() >= *Deadline) {
            return FALSE;
        }
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    }
    return TRUE;
}

VOID HostWake(const volatile VOID *Address)
{
    UNREFERENCED_PARAMETER(Address);
}

NTSTATUS HostCancellableWait(PVOID Object, PLARGE_INTEGER Timeout, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, Timeout);
}

/* Wine has no worker threads to lend without a device: this one lives for one routine. */
typedef struct _WORK {
    PHOST_ROUTINE Routine;
    PVOID Context;
} WORK, *PWORK;

static VOID RunWork(PVOID Context)
{
    const WORK Work = *(PWORK)Context;

    HostFreePool(Context, FLTP_TAG, "FltMgr");
    Work.Routine(Work.Context);
    (VOID) PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID HostQueueInternal(PHOST_ROUTINE Routine, PVOID Context)
{
    PWORK Work = HostAllocateReserved(sizeof(*Work), FLTP_TAG);
    HANDLE Thread;

    Work->Routine = Routine;
    Work->Context = Context;
    if (!NT_SUCCESS(PsCreateSystemThread(&Thread, SYNCHRONIZE, NULL, NULL, NULL, RunWork, Work))) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FltMgr", "there is no thread for what cannot fail");
    }
    (VOID) ZwClose(Thread);
}

BOOLEAN KeAreAllApcsDisabled(VOID)
{
    return FALSE;
}

BOOLEAN IoIsOperationSynchronous(PIRP Irp)
{
    const PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    return (BOOLEAN)(FlagOn(Irp->Flags, IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO) ||
                     (FileObject != NULL && FlagOn(FileObject->Flags, FO_SYNCHRONOUS_IO)));
}

/* Nothing is mounted meanwhile: Wine runs drivers' entries and their dispatch on one thread at a time. */
NTSTATUS IoRegisterFsRegistrationChangeMountAware(PDRIVER_OBJECT DriverObject,
                                                  PDRIVER_FS_NOTIFICATION DriverNotificationRoutine,
                                                  BOOLEAN SynchronizeWithMounts)
{
    UNREFERENCED_PARAMETER(SynchronizeWithMounts);
    return IoRegisterFsRegistrationChange(DriverObject, DriverNotificationRoutine);
}
