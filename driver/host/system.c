/* Kernel routines by name: those that a driver must look up because not every kernel exports them. */
#include "kernel.h"

#define HOST_EXPORT(Name, Routine) {L"" Name, (PVOID)(ULONG_PTR)(Routine), FALSE}
#define HOST_NEW_EXPORT(Name, Routine) {L"" Name, (PVOID)(ULONG_PTR)(Routine), TRUE}

/* Drivers know a push lock as an opaque structure: its address is all that these take. */
static VOID HostInitializePushLock(PVOID PushLock)
{
    (VOID) HostEnter(ExInitializePushLock);
    HostForgetLocks(PushLock, sizeof(ULONG_PTR));
    __atomic_store_n((PULONG_PTR)PushLock, 0, __ATOMIC_SEQ_CST);
}

static VOID HostAcquirePushLockExclusiveEx(PVOID PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExAcquirePushLockExclusiveEx);
    UNREFERENCED_PARAMETER(Flags);
    HostAcquirePushLock(PushLock, TRUE);
}

static VOID HostAcquirePushLockSharedEx(PVOID PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExAcquirePushLockSharedEx);
    UNREFERENCED_PARAMETER(Flags);
    HostAcquirePushLock(PushLock, FALSE);
}

static VOID HostReleasePushLockExclusiveEx(PVOID PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExReleasePushLockExclusiveEx);
    UNREFERENCED_PARAMETER(Flags);
    HostReleasePushLock(PushLock, TRUE);
}

static VOID HostReleasePushLockSharedEx(PVOID PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExReleasePushLockSharedEx);
    UNREFERENCED_PARAMETER(Flags);
    HostReleasePushLock(PushLock, FALSE);
}

static VOID HostAcquirePushLockSharedOld(PVOID PushLock)
{
    (VOID) HostEnter(ExfAcquirePushLockShared);
    HostAcquirePushLock(PushLock, FALSE);
}

static VOID HostReleasePushLockSharedOld(PVOID PushLock)
{
    (VOID) HostEnter(ExfReleasePushLockShared);
    HostReleasePushLock(PushLock, FALSE);
}

/* What is returned, and not the lock, is to be released. Here it differs from the lock by its lowest bit. */
static PVOID HostAcquireAutoExpandShared(PVOID PushLock, ULONG Flags)
{
    (VOID) HostEnter(ExAcquireAutoExpandPushLockShared);
    UNREFERENCED_PARAMETER(Flags);
    HostAcquirePushLock(PushLock, FALSE);
    return (PUCHAR)PushLock + 1;
}

static VOID HostReleaseAutoExpandShared(PVOID Held, ULONG Flags)
{
    (VOID) HostEnter(ExReleaseAutoExpandPushLockShared);
    UNREFERENCED_PARAMETER(Flags);
    HostReleasePushLock((PULONG_PTR)(PVOID)((PUCHAR)Held - 1), FALSE);
}

/* As SystemBasicInformation is laid out. */
typedef struct _HOST_BASIC_INFORMATION {
    ULONG Reserved;
    ULONG TimerResolution;
    ULONG PageSize;
    ULONG PhysicalPages;
    ULONG LowestPhysicalPage;
    ULONG HighestPhysicalPage;
    ULONG AllocationGranularity;
    ULONG_PTR LowestUserAddress;
    ULONG_PTR HighestUserAddress;
    ULONG_PTR Processors;
    CCHAR ProcessorCount;
} HOST_BASIC_INFORMATION;

#define HOST_SYSTEM_BASIC_INFORMATION 0u
#define HOST_PAGE_SIZE 4096u
#define HOST_USUAL_MEMORY (64ull << 30)

static volatile LONG64 HostPhysicalMemory;

VOID HostSetPhysicalMemory(ULONG64 Bytes)
{
    (VOID) InterlockedExchange64(&HostPhysicalMemory, (LONG64)Bytes);
}

static ULONG64 HostMemory(VOID)
{
    const LONG64 set = InterlockedCompareExchange64(&HostPhysicalMemory, 0, 0);

    return set == 0 ? HOST_USUAL_MEMORY : (ULONG64)set;
}

/* STATUS_INFO_LENGTH_MISMATCH unless Length is exactly the record's. */
static NTSTATUS HostQueryBasicInformation(PVOID Information, ULONG Length, PULONG ReturnLength)
{
    HOST_BASIC_INFORMATION *information = Information;

    if (ReturnLength != NULL) {
        *ReturnLength = sizeof(*information);
    }
    if (Length != sizeof(*information)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    RtlZeroMemory(information, sizeof(*information));
    information->TimerResolution = 156250;
    information->PageSize = HOST_PAGE_SIZE;
    information->PhysicalPages = (ULONG)(HostMemory() / HOST_PAGE_SIZE);
    information->LowestPhysicalPage = 1;
    information->HighestPhysicalPage = information->PhysicalPages;
    information->AllocationGranularity = 65536;
    information->LowestUserAddress = 65536;
    information->Processors = 1;
    information->ProcessorCount = 1;
    return STATUS_SUCCESS;
}

/* Any IRQL. The size classes of NT 5.2, by physical memory. */
MM_SYSTEMSIZE MmQuerySystemSize(VOID)
{
    (VOID) HostEnter(MmQuerySystemSize);
    if (HostMemory() < 32ull << 20) {
        return MmSmallSystem;
    }
    return HostMemory() < 64ull << 20 ? MmMediumSystem : MmLargeSystem;
}

/*
 * IRQL PASSIVE_LEVEL. STATUS_INFO_LENGTH_MISMATCH with the length it needs; STATUS_INVALID_INFO_CLASS for all but the images of drivers
 * and the machine's basic facts.
 */
static NTSTATUS HostQuerySystemInformation(ULONG InformationClass, PVOID Information, ULONG Length, PULONG ReturnLength)
{
    (VOID) HostEnter(ZwQuerySystemInformation);
    switch (InformationClass) {
    case HOST_SYSTEM_BASIC_INFORMATION:
        if ((HostQuirks & HOST_QUIRK_NO_BASIC_INFORMATION) != 0) {
            return STATUS_INVALID_INFO_CLASS;
        }
        return HostQueryBasicInformation(Information, Length, ReturnLength);
    case HOST_SYSTEM_MODULE_INFORMATION:
        return HostQueryModules(Information, Length, ReturnLength);
    default:
        return STATUS_INVALID_INFO_CLASS;
    }
}

static const struct {
    PCWSTR Name;
    PVOID Routine;
    BOOLEAN New; /* since 5.2 */
} HostExportedRoutines[] = {
    HOST_NEW_EXPORT("ExAcquireAutoExpandPushLockShared", HostAcquireAutoExpandShared),
    HOST_NEW_EXPORT("ExAcquirePushLockExclusiveEx", HostAcquirePushLockExclusiveEx),
    HOST_NEW_EXPORT("ExAcquirePushLockSharedEx", HostAcquirePushLockSharedEx),
    HOST_NEW_EXPORT("ExAllocatePool2", HostAllocatePool2),
    HOST_NEW_EXPORT("ExInitializePushLock", HostInitializePushLock),
    HOST_NEW_EXPORT("ExReleaseAutoExpandPushLockShared", HostReleaseAutoExpandShared),
    HOST_NEW_EXPORT("ExReleasePushLockExclusiveEx", HostReleasePushLockExclusiveEx),
    HOST_NEW_EXPORT("ExReleasePushLockSharedEx", HostReleasePushLockSharedEx),
    HOST_EXPORT("ExfAcquirePushLockShared", HostAcquirePushLockSharedOld),
    HOST_EXPORT("ExfReleasePushLockShared", HostReleasePushLockSharedOld),
    HOST_NEW_EXPORT("FsRtlAllocateAePushLock", FsRtlAllocateAePushLock),
    HOST_NEW_EXPORT("FsRtlFreeAePushLock", FsRtlFreeAePushLock),
    HOST_NEW_EXPORT("FsRtlCancellableWaitForSingleObject", HostCancellableWait),
    HOST_EXPORT("FsRtlTeardownPerStreamContexts", FsRtlTeardownPerStreamContexts),
    HOST_NEW_EXPORT("IoRegisterFsRegistrationChangeMountAware", IoRegisterFsRegistrationChangeMountAware),
    HOST_EXPORT("KeQueryPerformanceCounter", KeQueryPerformanceCounter),
    HOST_EXPORT("PsIsThreadTerminating", PsIsThreadTerminating),
    HOST_EXPORT("ZwQuerySystemInformation", HostQuerySystemInformation),
};

static volatile LONG HostHidden;

PVOID MmSystemRangeStart = (PVOID)0x10000;

/* A kernel that is older than the new routines: TRUE hides them from MmGetSystemRoutineAddress. */
VOID HostHideNewRoutines(BOOLEAN Hide)
{
    (VOID) InterlockedExchange(&HostHidden, Hide ? 1 : 0);
}

/* IRQL PASSIVE_LEVEL. NULL when there is no such routine. */
PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    BOOLEAN Old = (BOOLEAN)(ReadAcquire(&HostHidden) != 0 || (HostQuirks & HOST_QUIRK_VERSION_52) != 0);
    UNICODE_STRING Name;

    (VOID) HostEnter(MmGetSystemRoutineAddress);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(HostExportedRoutines); Index++) {
        if (Old && HostExportedRoutines[Index].New) {
            continue;
        }
        RtlInitUnicodeString(&Name, HostExportedRoutines[Index].Name);
        if (Name.Length == SystemRoutineName->Length && HostCompareStrings(&Name, SystemRoutineName, FALSE) == 0) {
            return HostExportedRoutines[Index].Routine;
        }
    }
    return NULL;
}
