/*
 * The machine below driver/host's sources inside Wine's driver host, and the threads and push locks that they ask
 * for.
 */
#include "proxy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Wine's own way to the standard error of the driver host. */
int __wine_dbg_output(const char *Text);
/* Slim reader/writer locks are one zero-initialised word, as push locks are. */
VOID RtlAcquireSRWLockExclusive(PVOID Lock);
VOID RtlAcquireSRWLockShared(PVOID Lock);
VOID RtlReleaseSRWLockExclusive(PVOID Lock);
VOID RtlReleaseSRWLockShared(PVOID Lock);

NTSTATUS ZwTerminateProcess(_In_ HANDLE ProcessHandle, _In_ NTSTATUS ExitStatus);

PVOID MmSystemRangeStart = (PVOID)0x10000; /* a driver host has no addresses but a process's */
ULONG HostQuirks;                          /* none: this kernel is by the book */
HOST_THREAD_LOCAL PETHREAD HostThisThread;

/*
 * Wine has no IRQL: the record says PASSIVE_LEVEL for good. It lives as long as the driver host, which has few
 * threads.
 */
PETHREAD HostCreateThread(VOID)
{
    HostThisThread = PlatformAllocate(sizeof(*HostThisThread));
    return HostThisThread;
}

VOID HostScheduleYield(PETHREAD Thread, const char *Point)
{
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Point);
}

/* Locks are Wine's own. */
VOID HostForgetLocks(const volatile VOID *Memory, SIZE_T Length)
{
    UNREFERENCED_PARAMETER(Memory);
    UNREFERENCED_PARAMETER(Length);
}

VOID HostCountSpinCall(PETHREAD Thread, const char *Routine)
{
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Routine);
}

/* The driver host's threads send every request themselves, and outlive them all. */
PIRP IoGetTopLevelIrp(VOID)
{
    return NULL;
}

BOOLEAN PsIsThreadTerminating(PETHREAD Thread)
{
    UNREFERENCED_PARAMETER(Thread);

    return FALSE;
}

/* Wine suspends its threads itself, whatever they hold. */
VOID HostStopSuspended(PETHREAD Thread)
{
    UNREFERENCED_PARAMETER(Thread);
}

VOID HostLeaveApcRegion(PETHREAD Thread, const char *Routine)
{
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Routine);
}

VOID HostNoStackLocation(PIRP Irp)
{
    HostViolation(NO_MORE_IRP_STACK_LOCATIONS, "IoCallDriver", "the request at %p has no stack location left",
                  (PVOID)Irp);
}

VOID HostMarkIrpPending(PIRP Irp)
{
    Irp->Tail.Overlay.CurrentStackLocation->Control |= SL_PENDING_RETURNED;
}

VOID HostAcquirePushLock(PULONG_PTR PushLock, BOOLEAN Exclusive)
{
    if (Exclusive) {
        RtlAcquireSRWLockExclusive(PushLock);
    } else {
        RtlAcquireSRWLockShared(PushLock);
    }
}

VOID HostReleasePushLock(PULONG_PTR PushLock, BOOLEAN Exclusive)
{
    if (Exclusive) {
        RtlReleaseSRWLockExclusive(PushLock);
    } else {
        RtlReleaseSRWLockShared(PushLock);
    }
}

PVOID PlatformAllocateRaw(SIZE_T Size)
{
    return malloc(Size);
}

PVOID PlatformAllocate(SIZE_T Size)
{
    PVOID Memory = calloc(1, Size);

    if (Memory == NULL) {
        PlatformAbort();
    }
    return Memory;
}

VOID PlatformFree(PVOID Memory)
{
    free(Memory);
}

VOID PlatformForbid(const VOID *Memory, SIZE_T Length)
{
    UNREFERENCED_PARAMETER(Memory);
    UNREFERENCED_PARAMETER(Length);
}

VOID PlatformAllow(const VOID *Memory, SIZE_T Length)
{
    UNREFERENCED_PARAMETER(Memory);
    UNREFERENCED_PARAMETER(Length);
}

VOID PlatformInitializeMutex(HOST_MUTEX *Mutex)
{
    (void)pthread_mutex_init(Mutex, NULL);
}

VOID PlatformLock(HOST_MUTEX *Mutex)
{
    (void)pthread_mutex_lock(Mutex);
}

VOID PlatformUnlock(HOST_MUTEX *Mutex)
{
    (void)pthread_mutex_unlock(Mutex);
}

ULONG PlatformCaptureStack(PVOID *Frames)
{
    Frames[0] = __builtin_return_address(0);
    return 1;
}

VOID PlatformPrintStack(PVOID *Frames, ULONG Count)
{
    for (ULONG Index = 0; Index < Count; Index++) {
        PlatformPrint("  %p\n", Frames[Index]);
    }
}

VOID PlatformPrint(const char *Format, ...)
{
    char Text[1024];
    va_list Arguments;

    va_start(Arguments, Format);
    (void)vsnprintf(Text, sizeof(Text), Format, Arguments);
    va_end(Arguments);
    (void)__wine_dbg_output(Text);
}

BOOLEAN PlatformSwitch(const char *Name)
{
    UNREFERENCED_PARAMETER(Name);
    return FALSE;
}

/* Without the debugger that Wine would start for a C library's abort. */
VOID PlatformAbort(VOID)
{
    for (;;) {
        (VOID) ZwTerminateProcess(ZwCurrentProcess(), STATUS_UNSUCCESSFUL);
    }
}
