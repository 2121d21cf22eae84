/* Kernel routines by name: those that a driver must look up because not every kernel exports them. */
#include "kernel.h"

#define HOST_EXPORT(Name, Routine) {L"" Name, (PVOID)(ULONG_PTR)Routine}

static VOID HostInitializePushLock(PULONG_PTR PushLock)
{
    (VOID) HostEnter(ExInitializePushLock);
    __atomic_store_n(PushLock, 0, __ATOMIC_SEQ_CST);
}

static VOID HostAcquirePushLockExclusiveEx(PULONG_PTR PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExAcquirePushLockExclusiveEx);
    UNREFERENCED_PARAMETER(Flags);
    HostAcquirePushLock(PushLock, TRUE);
}

static VOID HostAcquirePushLockSharedEx(PULONG_PTR PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExAcquirePushLockSharedEx);
    UNREFERENCED_PARAMETER(Flags);
    HostAcquirePushLock(PushLock, FALSE);
}

static VOID HostReleasePushLockExclusiveEx(PULONG_PTR PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExReleasePushLockExclusiveEx);
    UNREFERENCED_PARAMETER(Flags);
    HostReleasePushLock(PushLock, TRUE);
}

static VOID HostReleasePushLockSharedEx(PULONG_PTR PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExReleasePushLockSharedEx);
    UNREFERENCED_PARAMETER(Flags);
    HostReleasePushLock(PushLock, FALSE);
}

static const struct {
    PCWSTR Name;
    PVOID Routine;
} HostExportedRoutines[] = {
    HOST_EXPORT("ExAcquirePushLockExclusiveEx", HostAcquirePushLockExclusiveEx),
    HOST_EXPORT("ExAcquirePushLockSharedEx", HostAcquirePushLockSharedEx),
    HOST_EXPORT("ExAllocatePool2", HostAllocatePool2),
    HOST_EXPORT("ExInitializePushLock", HostInitializePushLock),
    HOST_EXPORT("ExReleasePushLockExclusiveEx", HostReleasePushLockExclusiveEx),
    HOST_EXPORT("ExReleasePushLockSharedEx", HostReleasePushLockSharedEx),
    HOST_EXPORT("FsRtlTeardownPerStreamContexts", FsRtlTeardownPerStreamContexts),
};

static volatile LONG HostHidden;

/* A kernel that is older than these routines: TRUE hides them all from MmGetSystemRoutineAddress. */
VOID HostHideNewRoutines(BOOLEAN Hide)
{
    (VOID) InterlockedExchange(&HostHidden, Hide ? 1 : 0);
}

/* IRQL PASSIVE_LEVEL. NULL when there is no such routine. */
PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    UNICODE_STRING Name;

    (VOID) HostEnter(MmGetSystemRoutineAddress);
    for (ULONG Index = 0; ReadAcquire(&HostHidden) == 0 && Index < RTL_NUMBER_OF(HostExportedRoutines); Index++) {
        RtlInitUnicodeString(&Name, HostExportedRoutines[Index].Name);
        if (Name.Length == SystemRoutineName->Length && HostCompareStrings(&Name, SystemRoutineName, FALSE) == 0) {
            return HostExportedRoutines[Index].Routine;
        }
    }
    return NULL;
}
