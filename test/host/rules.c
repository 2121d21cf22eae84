/* The embedded kernel's rules: each is broken once, in a child process, and must end in its bugcheck. */
#include "harness.h"
#include "rules.h"

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

void RunRules(void)
{
    RunViolation("paged pool is not allocated at DISPATCH_LEVEL", BAD_POOL_CALLER, "paged pool at IRQL 2",
                 PagedPoolAtDispatch);
    RunViolation("pool has a tag", BAD_POOL_CALLER, "the tag is zero", ZeroTag);
    RunViolation("pool is freed once", BAD_POOL_CALLER, "is freed already", DoubleFree);
    RunViolation("pool is freed with its own tag", BAD_POOL_CALLER, "has tag", WrongTag);
    RunViolation("only pool is freed", BAD_POOL_CALLER, "is no pool", ForeignFree);
    RunViolation("bytes behind a pool block stay as they are", DRIVER_CORRUPTED_EXPOOL, "the bytes behind",
                 WriteBehind);
    RunViolation("bytes before a pool block stay as they are", BAD_POOL_HEADER, "the bytes before", WriteBefore);
    RunViolation("freed pool is not written", DRIVER_CAUGHT_MODIFYING_FREED_POOL, "written after they were freed",
                 WriteAfterFree);
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
