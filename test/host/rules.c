/* The embedded kernel's rules: each is broken once, in a child process, and must end in its bugcheck. */
#include "harness.h"
#include "kernel.h"
#include "rules.h"

#include <stdlib.h>

#define TEST_TAG 'tseT'

static VOID Ignore(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
}

static void PagedPoolAtDispatch(void)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    (VOID) ExAllocatePoolWithTag(PagedPool, 8, TEST_TAG);
}

static void PagedFreeAtDispatch(void)
{
    PVOID Pool = ExAllocatePoolWithTag(PagedPool, 8, TEST_TAG);
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExFreePoolWithTag(Pool, TEST_TAG);
}

static void ZeroTag(void)
{
    (VOID) ExAllocatePoolWithTag(NonPagedPoolNx, 8, 0);
}

static void ExecutablePool(void)
{
    (VOID) ExAllocatePoolWithTag(NonPagedPool, 8, TEST_TAG);
}

static void DoubleFree(void)
{
    PVOID Pool = ExAllocatePoolWithTag(NonPagedPoolNx, 8, TEST_TAG);

    ExFreePoolWithTag(Pool, TEST_TAG);
    ExFreePoolWithTag(Pool, TEST_TAG);
}

static void WrongTag(void)
{
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 8, TEST_TAG), 'rhtO');
}

static DECLSPEC_ALIGN(16) UCHAR Foreign[256];

static void ForeignFree(void)
{
    ExFreePool(Foreign + 128);
}

/* Past the sanitiser, where there is one: the guards must notice by themselves. */
static __attribute__((no_sanitize("address"))) void Poke(volatile UCHAR *Address)
{
    *Address = 1;
}

static void WriteBehind(void)
{
    PUCHAR Pool = ExAllocatePoolWithTag(NonPagedPoolNx, 24, TEST_TAG);

    Poke(Pool + 24);
    ExFreePoolWithTag(Pool, TEST_TAG);
}

static void WriteBefore(void)
{
    PUCHAR Pool = ExAllocatePoolWithTag(NonPagedPoolNx, 24, TEST_TAG);

    Poke(Pool - 1);
    ExFreePoolWithTag(Pool, TEST_TAG);
}

static void WriteAfterFree(void)
{
    PUCHAR Pool = ExAllocatePoolWithTag(NonPagedPoolNx, 24, TEST_TAG);

    ExFreePoolWithTag(Pool, TEST_TAG);
    Poke(Pool + 3);
    for (ULONG Index = 0; Index < 1000; Index++) {
        ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 24, TEST_TAG), TEST_TAG);
    }
}

static void MutexInPagedPool(void)
{
    ExInitializeFastMutex(ExAllocatePoolWithTag(PagedPool, sizeof(FAST_MUTEX), TEST_TAG));
}

static void SpinLockInPagedPool(void)
{
    PUCHAR Pool = ExAllocatePoolWithTag(PagedPool, 64, TEST_TAG);

    KeInitializeSpinLock((PKSPIN_LOCK)(PVOID)(Pool + 32));
}

static void ResourceInPagedPool(void)
{
    (VOID) ExInitializeResourceLite(ExAllocatePoolWithTag(PagedPool, sizeof(ERESOURCE), TEST_TAG));
}

static void SetWithWaitAtDispatch(void)
{
    KEVENT Event;
    KIRQL Irql;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    (VOID) KeSetEvent(&Event, IO_NO_INCREMENT, TRUE);
}

static void SetWithWaitAndNoWait(void)
{
    FAST_MUTEX Mutex;
    KEVENT Event;

    ExInitializeFastMutex(&Mutex);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    (VOID) KeSetEvent(&Event, IO_NO_INCREMENT, TRUE);
    ExAcquireFastMutex(&Mutex);
}

static void SetWithWait(void)
{
    KSEMAPHORE Semaphore;
    KEVENT Event;

    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    KeInitializeSemaphore(&Semaphore, 0, 1);
    CHECK(KeSetEvent(&Event, IO_NO_INCREMENT, TRUE) == 0);
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
    CHECK_STATUS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    CHECK(KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 1, TRUE) == 0);
    CHECK_STATUS(KeWaitForSingleObject(&Semaphore, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static void UserModeWaitOnStack(void)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    (VOID) KeWaitForSingleObject(&Event, Executive, UserMode, FALSE, NULL);
}

static volatile ULONG Touched;

/* Pageable, and does not say so. */
static __attribute__((section("PAGE"), noinline)) void Pageable(void)
{
    Touched++;
}

static __attribute__((section("INIT"), noinline)) NTSTATUS GoneEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(Path);
    Touched++;
    return STATUS_SUCCESS;
}

static void InitializationCalledLater(void)
{
    PDRIVER_OBJECT Driver;

    (VOID) HostBoot();
    (VOID) ExAllocatePoolWithTag(PagedPool, 8, TEST_TAG);
    (VOID) HostLoadDriver(L"Gone", FALSE, GoneEntry, &Driver);
    (VOID) GoneEntry(Driver, NULL);
}

/* From now on pages are taken away in this process. */
static void TakePagesAway(void)
{
    (void)setenv("HOST_PAGES_OUT", "1", 1);
    (VOID) ExAllocatePoolWithTag(PagedPool, 8, TEST_TAG);
    HostStartPaging();
}

static void PageableCodeAtDispatch(void)
{
    KIRQL Irql;

    TakePagesAway();
    Pageable();
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    Pageable();
}

static void PagedDataAtDispatch(void)
{
    PULONG Pool;
    KIRQL Irql;

    TakePagesAway();
    Pool = ExAllocatePoolWithTag(PagedPool, sizeof(*Pool), TEST_TAG);
    *Pool = 1;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    (VOID) InterlockedIncrement((volatile LONG *)Pool);
}

static VOID Stay(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        LARGE_INTEGER Second = {.QuadPart = -10000000};

        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Second);
    }
}

static __attribute__((section("PAGE"), noinline)) VOID StayPageable(PVOID Context)
{
    Stay(Context);
}

static __attribute__((section("PAGE"), noinline)) VOID UnloadAlone(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    Touched++;
}

static NTSTATUS ThreadedEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING Path)
{
    HANDLE Thread;

    UNREFERENCED_PARAMETER(Path);
    DriverObject->DriverUnload = UnloadAlone;
    return PsCreateSystemThread(&Thread, 0, NULL, NULL, NULL, StayPageable, NULL);
}

static __attribute__((section("INIT"), noinline)) NTSTATUS PageableEntry(PDRIVER_OBJECT DriverObject,
                                                                         PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    DriverObject->DriverUnload = UnloadAlone;
    return STATUS_SUCCESS;
}

static void CalledAfterUnload(void)
{
    PDRIVER_OBJECT Driver;

    (VOID) HostBoot();
    (VOID) ExAllocatePoolWithTag(PagedPool, 8, TEST_TAG);
    (VOID) HostLoadDriver(L"Pageable", FALSE, PageableEntry, &Driver);
    Pageable();
    (VOID) HostUnloadDriver(Driver);
    Pageable();
}

static void UnloadedUnderItsThread(void)
{
    PDRIVER_OBJECT Driver;

    (VOID) HostBoot();
    (VOID) HostLoadDriver(L"Threaded", FALSE, ThreadedEntry, &Driver);
    (VOID) HostUnloadDriver(Driver);
}

static void MutexRecursion(void)
{
    FAST_MUTEX Mutex;

    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
}

static void MutexNotOwned(void)
{
    FAST_MUTEX Mutex;
    KIRQL Irql;

    ExInitializeFastMutex(&Mutex);
    KeRaiseIrql(APC_LEVEL, &Irql);
    ExReleaseFastMutex(&Mutex);
}

static void MutexAtDispatch(void)
{
    FAST_MUTEX Mutex;
    KIRQL Irql;

    ExInitializeFastMutex(&Mutex);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    ExAcquireFastMutex(&Mutex);
}

static void UnsafeMutexWithApcs(void)
{
    FAST_MUTEX Mutex;

    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutexUnsafe(&Mutex);
}

static void ResourceWithApcs(void)
{
    ERESOURCE Resource;

    (VOID) ExInitializeResourceLite(&Resource);
    (VOID) ExAcquireResourceExclusiveLite(&Resource, TRUE);
}

static void ResourceNotOwned(void)
{
    ERESOURCE Resource;

    (VOID) ExInitializeResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
}

static void ResourceFreedAlive(void)
{
    PERESOURCE Resource = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Resource), TEST_TAG);

    (VOID) ExInitializeResourceLite(Resource);
    ExFreePoolWithTag(Resource, TEST_TAG);
}

static void SpinLockNotInitialised(void)
{
    KSPIN_LOCK Lock = 0;

    (VOID) KeAcquireSpinLockRaiseToDpc(&Lock);
}

static void SpinLockRecursion(void)
{
    KSPIN_LOCK Lock;

    KeInitializeSpinLock(&Lock);
    (VOID) KeAcquireSpinLockRaiseToDpc(&Lock);
    KeAcquireSpinLockAtDpcLevel(&Lock);
}

static void WaitAtDispatch(void)
{
    KEVENT Event;
    KIRQL Irql;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    (VOID) KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

static void LowerIsNoRaise(void)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeRaiseIrql(APC_LEVEL, &Irql);
}

static void LeaveWithoutEnter(void)
{
    KeLeaveCriticalRegion();
}

static void RundownNotHeld(void)
{
    EX_RUNDOWN_REF Rundown;

    ExInitializeRundownProtection(&Rundown);
    ExReleaseRundownProtection(&Rundown);
}

static void PagedCodeAtDispatch(void)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    PAGED_CODE();
}

static FSRTL_ADVANCED_FCB_HEADER Header;
static FSRTL_PER_STREAM_CONTEXT Context;
static int Owner;

static VOID Reenter(PVOID Buffer)
{
    UNREFERENCED_PARAMETER(Buffer);
    (VOID) FsRtlRemovePerStreamContext(&Header, &Owner, NULL);
}

static VOID TakeResource(PVOID Buffer)
{
    static ERESOURCE Resource;

    UNREFERENCED_PARAMETER(Buffer);
    (VOID) ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    (VOID) ExAcquireResourceSharedLite(&Resource, TRUE);
}

static VOID TakeResourceExclusively(PVOID Buffer)
{
    static ERESOURCE Resource;

    UNREFERENCED_PARAMETER(Buffer);
    (VOID) ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    (VOID) ExAcquireResourceExclusiveLite(&Resource, FALSE);
}

static void PrepareStream(PFREE_FUNCTION Free)
{
    FsRtlSetupAdvancedHeader(&Header, NULL);
    FsRtlInitPerStreamContext(&Context, &Owner, NULL, Free);
}

static void InstanceWithoutOwner(void)
{
    PrepareStream(Ignore);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
    (VOID) FsRtlLookupPerStreamContext(&Header, NULL, &Owner);
}

static void InsertedTwice(void)
{
    PrepareStream(Ignore);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
}

static void WithoutFreeCallback(void)
{
    PrepareStream(NULL);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
}

static void RemoveInFreeCallback(void)
{
    PrepareStream(Reenter);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
    FsRtlTeardownPerStreamContexts(&Header);
}

static void ResourceInFreeCallback(void)
{
    PrepareStream(TakeResource);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
    FsRtlTeardownPerStreamContexts(&Header);
}

static void ExclusiveResourceInFreeCallback(void)
{
    PrepareStream(TakeResourceExclusively);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
    FsRtlTeardownPerStreamContexts(&Header);
}

static void FreedWhileLinked(void)
{
    PFSRTL_PER_STREAM_CONTEXT Linked = ExAllocatePoolWithTag(PagedPool, 200, TEST_TAG);

    PrepareStream(Ignore);
    FsRtlInitPerStreamContext(Linked + 1, &Owner, NULL, Ignore);
    (VOID) FsRtlInsertPerStreamContext(&Header, Linked + 1);
    ExFreePoolWithTag(Linked, TEST_TAG);
}

static void HeaderFreedWithContexts(void)
{
    PFSRTL_ADVANCED_FCB_HEADER Own = ExAllocatePoolWithTag(PagedPool, sizeof(*Own), TEST_TAG);

    memset(Own, 0, sizeof(*Own));
    FsRtlSetupAdvancedHeader(Own, NULL);
    FsRtlInitPerStreamContext(&Context, &Owner, NULL, Ignore);
    (VOID) FsRtlInsertPerStreamContext(Own, &Context);
    ExFreePoolWithTag(Own, TEST_TAG);
}

static void InsertAtDispatch(void)
{
    KIRQL Irql;

    PrepareStream(Ignore);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
}

static void TeardownAtDispatch(void)
{
    KIRQL Irql;

    PrepareStream(Ignore);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FsRtlTeardownPerStreamContexts(&Header);
}

/* Two locks of any kind in one order, and then in the other: nobody waits, and yet two threads could. */
static void OrderOfMutexes(void)
{
    FAST_MUTEX First;
    FAST_MUTEX Second;

    ExInitializeFastMutex(&First);
    ExInitializeFastMutex(&Second);
    ExAcquireFastMutex(&First);
    ExAcquireFastMutex(&Second);
    ExReleaseFastMutex(&Second);
    ExReleaseFastMutex(&First);
    ExAcquireFastMutex(&Second);
    ExAcquireFastMutex(&First);
}

static void OrderOfSpinLocks(void)
{
    KSPIN_LOCK Locks[3];

    for (ULONG Index = 0; Index < 3; Index++) {
        KeInitializeSpinLock(&Locks[Index]);
    }
    for (ULONG Index = 0; Index < 3; Index++) {
        KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Locks[Index]);

        KeAcquireSpinLockAtDpcLevel(&Locks[(Index + 1) % 3]);
        KeReleaseSpinLockFromDpcLevel(&Locks[(Index + 1) % 3]);
        KeReleaseSpinLock(&Locks[Index], Irql);
    }
}

static void OrderOfMutexAndResource(void)
{
    ERESOURCE Resource;
    FAST_MUTEX Mutex;

    (VOID) ExInitializeResourceLite(&Resource);
    ExInitializeFastMutex(&Mutex);
    KeEnterCriticalRegion();
    (VOID) ExAcquireResourceSharedLite(&Resource, TRUE);
    ExAcquireFastMutex(&Mutex);
    ExReleaseFastMutex(&Mutex);
    ExReleaseResourceLite(&Resource);
    ExAcquireFastMutex(&Mutex);
    (VOID) ExAcquireResourceExclusiveLite(&Resource, TRUE);
}

/* The list's lock under one's own, as look-ups do; and one's own under the list's. */
static void OrderOfMutexAndList(void)
{
    FAST_MUTEX Mutex;

    PrepareStream(Ignore);
    (VOID) FsRtlInsertPerStreamContext(&Header, &Context);
    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
    (VOID) FsRtlLookupPerStreamContext(&Header, &Owner, NULL);
    ExReleaseFastMutex(&Mutex);
    KeEnterCriticalRegion();
    HostAcquirePushLock(&Header.PushLock, FALSE);
    ExAcquireFastMutex(&Mutex);
}

/* A lock that is gone has no order, nor has one that is tried. */
static void OrderOfLocksThatAreGone(void)
{
    FAST_MUTEX Tried;

    ExInitializeFastMutex(&Tried);
    for (ULONG Index = 0; Index < 300; Index++) {
        PFAST_MUTEX Mutexes = ExAllocatePoolWithTag(NonPagedPoolNx, 2 * sizeof(*Mutexes), TEST_TAG);
        ULONG First = Index % 2;

        ExInitializeFastMutex(&Mutexes[0]);
        ExInitializeFastMutex(&Mutexes[1]);
        ExAcquireFastMutex(&Mutexes[First]);
        ExAcquireFastMutex(&Mutexes[1 - First]);
        CHECK(ExTryToAcquireFastMutex(&Tried));
        ExReleaseFastMutex(&Tried);
        ExReleaseFastMutex(&Mutexes[1 - First]);
        ExReleaseFastMutex(&Mutexes[First]);
        ExAcquireFastMutex(&Tried);
        ExAcquireFastMutex(&Mutexes[First]);
        ExReleaseFastMutex(&Mutexes[First]);
        ExReleaseFastMutex(&Tried);
        ExFreePoolWithTag(Mutexes, TEST_TAG);
    }
}

static void SpinLockHeldTooLong(void)
{
    KSPIN_LOCK Lock;
    KEVENT Event;

    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    (VOID) KeAcquireSpinLockRaiseToDpc(&Lock);
    for (;;) {
        (VOID) KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    }
}

static PVOID AsClient(HANDLE *Event)
{
    PEPROCESS Process;
    PVOID Object;

    CHECK_STATUS(HostBoot(), STATUS_SUCCESS);
    CHECK_STATUS(HostCreateProcess(TRUE, &Process), STATUS_SUCCESS);
    HostEnterProcess(Process);
    CHECK_STATUS(NtCreateEvent(Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(*Event, 0, NULL, UserMode, &Object, NULL), STATUS_SUCCESS);
    return Object;
}

static void ClientsHandleReferenced(void)
{
    HANDLE Event;
    PVOID Object;

    (VOID) AsClient(&Event);
    (VOID) ObReferenceObjectByHandle(Event, 0, NULL, KernelMode, &Object, NULL);
}

static void ClientsHandleWaitedFor(void)
{
    HANDLE Event;

    (VOID) AsClient(&Event);
    (VOID) ZwWaitForSingleObject(Event, FALSE, NULL);
}

static void ClientsHandleClosed(void)
{
    HANDLE Event;

    (VOID) AsClient(&Event);
    (VOID) ZwClose(Event);
}

static void HandleOpenedForClient(void)
{
    HANDLE Event;
    HANDLE Handle;
    PVOID Object = AsClient(&Event);

    (VOID) ObOpenObjectByPointer(Object, 0, NULL, EVENT_ALL_ACCESS, NULL, KernelMode, &Handle);
}

static void KeyOpenedForClient(void)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;

    (VOID) AsClient(&Handle);
    (VOID) HostSetServiceValue(L"Rule", L"Value", 1);
    RtlInitUnicodeString(&Name, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\Rule");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    (VOID) ZwOpenKey(&Handle, KEY_QUERY_VALUE, &Attributes);
}

/* A driver whose thread has long been told to end, and perhaps has ended, when the driver goes. */
static HANDLE ThreadOfDriver;
static KEVENT ThreadMayEnd;
static BOOLEAN ThreadIsWaitedFor;
static NTSTATUS WaitingEntryStatus;

static VOID RunThreadOfDriver(PVOID StartContext)
{
    UNREFERENCED_PARAMETER(StartContext);
    (VOID) KeWaitForSingleObject(&ThreadMayEnd, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID EndThreadOfDriver(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    (VOID) KeSetEvent(&ThreadMayEnd, IO_NO_INCREMENT, FALSE);
    if (ThreadIsWaitedFor) {
        CHECK_STATUS(ZwWaitForSingleObject(ThreadOfDriver, FALSE, NULL), STATUS_SUCCESS);
    }
    CHECK_STATUS(ZwClose(ThreadOfDriver), STATUS_SUCCESS);
}

static NTSTATUS WaitingEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = EndThreadOfDriver;
    KeInitializeEvent(&ThreadMayEnd, NotificationEvent, FALSE);
    CHECK_STATUS(PsCreateSystemThread(&ThreadOfDriver, SYNCHRONIZE, NULL, NULL, NULL, RunThreadOfDriver, NULL),
                 STATUS_SUCCESS);
    if (!NT_SUCCESS(WaitingEntryStatus)) {
        EndThreadOfDriver(DriverObject);
    }
    return WaitingEntryStatus;
}

static void LoadAndUnloadThreaded(BOOLEAN Waits, NTSTATUS EntryStatus)
{
    PDRIVER_OBJECT Driver;
    HOST_AUDIT Audit;

    ThreadIsWaitedFor = Waits;
    WaitingEntryStatus = EntryStatus;
    CHECK_STATUS(HostBoot(), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"Threaded", FALSE, WaitingEntry, &Driver), EntryStatus);
    if (NT_SUCCESS(EntryStatus)) {
        CHECK_STATUS(HostUnloadDriver(Driver), STATUS_SUCCESS);
    }
    CHECK_STATUS(HostShutdown(&Audit), STATUS_SUCCESS);
}

static void UnloadedBeforeItsThread(void)
{
    LoadAndUnloadThreaded(FALSE, STATUS_SUCCESS);
}

static void FailedBeforeItsThread(void)
{
    LoadAndUnloadThreaded(FALSE, STATUS_UNSUCCESSFUL);
}

static void UnloadedAfterItsThread(void)
{
    LoadAndUnloadThreaded(TRUE, STATUS_SUCCESS);
    LoadAndUnloadThreaded(TRUE, STATUS_UNSUCCESSFUL);
}

void RunRules(void)
{
    RunTest("a driver goes when the ends of its threads have been waited for", UnloadedAfterItsThread);
    RunViolation("a driver is not unloaded before its thread", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "without having waited for the end of a thread", UnloadedBeforeItsThread);
    RunViolation("a driver that fails to start does not leave its thread", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "without having waited for the end of a thread", FailedBeforeItsThread);
    RunViolation("two mutexes are acquired in one order", DRIVER_VERIFIER_DETECTED_VIOLATION, "the other way round",
                 OrderOfMutexes);
    RunViolation("three spin locks are acquired in no circle", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "the other way round", OrderOfSpinLocks);
    RunViolation("a mutex and a resource are acquired in one order", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "the other way round", OrderOfMutexAndResource);
    RunViolation("a mutex and a list's lock are acquired in one order", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "the other way round", OrderOfMutexAndList);
    RunTest("locks that are gone, and locks that are tried, have no order", OrderOfLocksThatAreGone);
    RunViolation("a spin lock is initialised before it is acquired", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "was not initialised", SpinLockNotInitialised);
    RunViolation("a spin lock is held for few kernel calls", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a spin lock is held for more than", SpinLockHeldTooLong);
    RunViolation("a client's handle is not referenced in kernel mode", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a client's handle is referenced", ClientsHandleReferenced);
    RunViolation("a client's handle is not waited for in kernel mode", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a client's handle is referenced", ClientsHandleWaitedFor);
    RunViolation("a client's handle is not closed in kernel mode", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a client's handle is closed", ClientsHandleClosed);
    RunViolation("an object is opened with OBJ_KERNEL_HANDLE in a client's process", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a client's handle is opened", HandleOpenedForClient);
    RunViolation("a key is opened with OBJ_KERNEL_HANDLE in a client's process", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a client's handle is created", KeyOpenedForClient);
    RunViolation("paged pool is not allocated at DISPATCH_LEVEL", BAD_POOL_CALLER, "paged pool at IRQL 2",
                 PagedPoolAtDispatch);
    RunViolation("pool has a tag", BAD_POOL_CALLER, "the tag is zero", ZeroTag);
    RunViolation("pool is not executable", DRIVER_VERIFIER_DETECTED_VIOLATION, "executable pool", ExecutablePool);
    RunViolation("pool is freed once", BAD_POOL_CALLER, "is freed already", DoubleFree);
    RunViolation("pool is freed with its own tag", BAD_POOL_CALLER, "has tag", WrongTag);
    RunViolation("only pool is freed", BAD_POOL_CALLER, "is no pool", ForeignFree);
    RunViolation("bytes behind a pool block stay as they are", DRIVER_CORRUPTED_EXPOOL, "the bytes behind",
                 WriteBehind);
    RunViolation("bytes before a pool block stay as they are", BAD_POOL_HEADER, "the bytes before", WriteBefore);
    RunViolation("freed pool is not written", DRIVER_CAUGHT_MODIFYING_FREED_POOL, "written after they were freed",
                 WriteAfterFree);
    RunViolation("initialisation code is gone when DriverEntry has returned", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "is initialisation code", InitializationCalledLater);
    RunViolation("pageable code that does not say so is not run at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL,
                 "which is pageable, is touched at IRQL 2", PageableCodeAtDispatch);
    RunViolation("paged pool is not touched at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL,
                 "which is pageable, is touched at IRQL 2", PagedDataAtDispatch);
    RunViolation("no code runs of a driver that has been unloaded", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "is code of a driver that has been unloaded", CalledAfterUnload);
    RunViolation("a driver is not unloaded under a thread of its own", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "the driver's thread", UnloadedUnderItsThread);
    RunViolation("a fast mutex lies in no paged pool", DRIVER_VERIFIER_DETECTED_VIOLATION, "lies in paged pool",
                 MutexInPagedPool);
    RunViolation("a spin lock lies in no paged pool", DRIVER_VERIFIER_DETECTED_VIOLATION, "lies in paged pool",
                 SpinLockInPagedPool);
    RunViolation("a resource lies in no paged pool", DRIVER_VERIFIER_DETECTED_VIOLATION, "lies in paged pool",
                 ResourceInPagedPool);
    RunTest("what is set with Wait is set at a raised IRQL until the wait", SetWithWait);
    RunViolation("nothing is set with Wait at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL, "called with Wait at IRQL 2",
                 SetWithWaitAtDispatch);
    RunViolation("what is set with Wait is followed by a wait", IRQL_NOT_LESS_OR_EQUAL, "called at IRQL 2",
                 SetWithWaitAndNoWait);
    RunViolation("an object on the stack is not waited for in UserMode", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "waits in UserMode for an object on the stack", UserModeWaitOnStack);
    RunViolation("a fast mutex is not acquired twice by one thread", THREAD_NOT_MUTEX_OWNER, "holds the fast mutex",
                 MutexRecursion);
    RunViolation("a fast mutex is released by its owner", THREAD_NOT_MUTEX_OWNER, "is not held by this thread",
                 MutexNotOwned);
    RunViolation("a fast mutex is not acquired at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL, "ExAcquireFastMutex",
                 MutexAtDispatch);
    RunViolation("a fast mutex is acquired unsafely only with APCs disabled", IRQL_UNEXPECTED_VALUE,
                 "APCs are not disabled", UnsafeMutexWithApcs);
    RunViolation("a resource is acquired with APCs disabled", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "APCs are not disabled", ResourceWithApcs);
    RunViolation("a resource is released by an owner", RESOURCE_NOT_OWNED, "ExReleaseResourceLite", ResourceNotOwned);
    RunViolation("a resource is deleted before its memory is freed", BAD_POOL_CALLER, "still holds",
                 ResourceFreedAlive);
    RunViolation("a spin lock is not acquired twice by one thread", SPIN_LOCK_ALREADY_OWNED, "holds the spin lock",
                 SpinLockRecursion);
    RunViolation("nothing waits at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL, "KeWaitForSingleObject", WaitAtDispatch);
    RunViolation("raising the IRQL does not lower it", IRQL_UNEXPECTED_VALUE, "KeRaiseIrql", LowerIsNoRaise);
    RunViolation("a critical region is left as often as it is entered", APC_INDEX_MISMATCH, "KeLeaveCriticalRegion",
                 LeaveWithoutEnter);
    RunViolation("run-down protection is released by a holder", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "ExReleaseRundownProtection", RundownNotHeld);
    RunViolation("pageable code does not run at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL, "pageable code at IRQL 2",
                 PagedCodeAtDispatch);
    RunViolation("an instance is not looked up without its owner", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "without its owner", InstanceWithoutOwner);
    RunViolation("a context is linked once", DRIVER_VERIFIER_DETECTED_VIOLATION, "is linked already", InsertedTwice);
    RunViolation("a context has a FreeCallback", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "without an OwnerId or a FreeCallback", WithoutFreeCallback);
    RunViolation("a FreeCallback removes no context", DRIVER_VERIFIER_DETECTED_VIOLATION, "called from a FreeCallback",
                 RemoveInFreeCallback);
    RunViolation("a FreeCallback acquires no resource", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a FreeCallback acquires a resource", ResourceInFreeCallback);
    RunViolation("a FreeCallback acquires no resource exclusively", DRIVER_VERIFIER_DETECTED_VIOLATION,
                 "a FreeCallback acquires a resource", ExclusiveResourceInFreeCallback);
    RunViolation("a linked context's pool is not freed", BAD_POOL_CALLER, "a per-stream context that is linked still",
                 FreedWhileLinked);
    RunViolation("a header's pool is not freed while contexts hang on it", BAD_POOL_CALLER,
                 "a stream header with per-stream contexts", HeaderFreedWithContexts);
    RunViolation("contexts are not inserted at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL, "FsRtlInsertPerStreamContext",
                 InsertAtDispatch);
    RunViolation("paged pool is not freed at DISPATCH_LEVEL", BAD_POOL_CALLER, "paged pool at IRQL 2",
                 PagedFreeAtDispatch);
    RunViolation("contexts are not torn down at DISPATCH_LEVEL", IRQL_NOT_LESS_OR_EQUAL,
                 "FsRtlTeardownPerStreamContexts", TeardownAtDispatch);
}
