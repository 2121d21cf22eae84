/* Several threads at once on one device, one stream and one resource: for the thread sanitiser, and for counts that must add up. */
#include "driver.h"
#include "harness.h"

#define THREADS 4u
#define TURNS 300u

typedef struct _SHARED {
    TEST_KERNEL Kernel;
    FSRTL_ADVANCED_FCB_HEADER Header;
    ERESOURCE Resource;
    EX_RUNDOWN_REF Rundown;
    ULONG Turns;
} SHARED;

static VOID FreeContext(PVOID Context)
{
    ExFreePoolWithTag(Context, 'tseT');
}

static VOID Work(PVOID Argument)
{
    SHARED *Shared = Argument;
    PFSRTL_PER_STREAM_CONTEXT Context;

    for (ULONG Turn = 0; Turn < TURNS; Turn++) {
        Context = ExAllocatePoolWithTag(PagedPool, sizeof(*Context), 'tseT');
        FsRtlInitPerStreamContext(Context, Argument, Context, FreeContext);
        (VOID) FsRtlInsertPerStreamContext(&Shared->Header, Context);
        CHECK(FsRtlLookupPerStreamContext(&Shared->Header, Argument, Context) == Context);
        if (Turn % 8 != 0) {
            CHECK(FsRtlRemovePerStreamContext(&Shared->Header, Argument, Context) == Context);
            ExFreePoolWithTag(Context, 'tseT');
        }
        KeEnterCriticalRegion();
        (VOID) ExAcquireResourceExclusiveLite(&Shared->Resource, TRUE);
        Shared->Turns++;
        ExReleaseResourceLite(&Shared->Resource);
        KeLeaveCriticalRegion();
    }
    ExReleaseRundownProtection(&Shared->Rundown);
}

static void Together(void)
{
    static SHARED Shared;
    HANDLE Thread = NULL;

    CHECK_STATUS(StartTestKernel(&Shared.Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    FsRtlSetupAdvancedHeader(&Shared.Header, NULL);
    CHECK_STATUS(ExInitializeResourceLite(&Shared.Resource), STATUS_SUCCESS);
    ExInitializeRundownProtection(&Shared.Rundown);
    for (ULONG Index = 0; Index < THREADS; Index++) {
        KeEnterCriticalRegion();
        CHECK(ExAcquireRundownProtection(&Shared.Rundown));
        KeLeaveCriticalRegion();
        CHECK_STATUS(PsCreateSystemThread(&Thread, 0, NULL, NULL, NULL, Work, &Shared), STATUS_SUCCESS);
        CHECK_STATUS(ZwClose(Thread), STATUS_SUCCESS);
    }
    ExWaitForRundownProtectionRelease(&Shared.Rundown);
    FsRtlTeardownPerStreamContexts(&Shared.Header);
    CHECK(Shared.Turns == THREADS * TURNS);
    CHECK_STATUS(ExDeleteResourceLite(&Shared.Resource), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Shared.Kernel));
}

int main(void)
{
    RunTest("threads that share a stream and a resource lose nothing", Together);
    return EndTests();
}
