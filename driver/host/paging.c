/*
 * Memory that is not always there: a driver's initialisation code, which goes when its DriverEntry has returned; its pageable code, which goes
 * with the driver; and, with HOST_PAGES_OUT=1 in the environment, pageable code and paged pool, which go whenever a thread comes to
 * DISPATCH_LEVEL, as Driver Verifier has it.
 *
 * They go for all threads of the process. A thread at a lower IRQL that finds them gone has them brought back, as the memory manager would,
 * and one at DISPATCH_LEVEL has broken a rule. What another thread has brought back meanwhile goes unnoticed.
 */
#include "kernel.h"

/* Of addresses: what is freed is not given out again. */
#define HOST_PAGED_BYTES ((SIZE_T)1 << (sizeof(SIZE_T) == 8 ? 31 : 28))
#define HOST_LARGEST_PAGE ((SIZE_T)1 << 16)

/* Sections share no page with others: each begins with a page, and ends with one that is empty. */
__asm__(".pushsection INIT,\"ax\"\n.balign 4096\n.skip 4096\n.popsection\n"
        ".pushsection PAGE,\"ax\"\n.balign 4096\n.skip 4096\n.popsection\n");
extern const UCHAR __start_INIT[] __attribute__((visibility("hidden")));
extern const UCHAR __stop_INIT[] __attribute__((visibility("hidden")));
extern const UCHAR __start_PAGE[] __attribute__((visibility("hidden")));
extern const UCHAR __stop_PAGE[] __attribute__((visibility("hidden")));

BOOLEAN HostPagesOut;
static volatile LONG HostImages; /* drivers that are loaded, of those whose sections are known */
static BOOLEAN HostUnloaded;     /* and there is none left */
static PUCHAR HostPagedPool;
static volatile LONG64 HostPagedPoolUsed;

static BOOLEAN HostIsBetween(const VOID *Address, const VOID *Start, const VOID *End)
{
    return (BOOLEAN)((ULONG_PTR)Address - (ULONG_PTR)Start < (ULONG_PTR)End - (ULONG_PTR)Start);
}

/* Whether an address lies in the pageable section of the drivers that are linked in. */
BOOLEAN HostIsPageable(const VOID *Routine)
{
    return HostIsBetween(Routine, __start_PAGE, __stop_PAGE);
}

static VOID HostSetPages(BOOLEAN There)
{
    PlatformSetPages(__start_PAGE, __stop_PAGE, There ? PlatformCode : PlatformGone);
    PlatformSetPages(HostPagedPool,
                     HostPagedPool + ALIGN_UP_BY((SIZE_T)ReadNoFence64(&HostPagedPoolUsed), HOST_LARGEST_PAGE),
                     There ? PlatformData : PlatformGone);
}

VOID HostRecallInitialization(VOID)
{
    PlatformSetPages(__start_INIT, __stop_INIT, PlatformCode);
}

static BOOLEAN HostPageFault(const VOID *Address)
{
    const ULONG Irql = HostThisThread != NULL ? HostThisThread->Irql : PASSIVE_LEVEL;

    /* A violation tells its stack, and the unwinder of 32-bit x86 reads the code that it comes through: that is there again. */
    if (HostIsBetween(Address, __start_INIT, __stop_INIT)) {
        HostRecallInitialization();
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "DriverEntry",
                      "%p is initialisation code, and is gone since it has returned", Address);
    }
    if (HostIsPageable(Address) && HostImages == 0 && HostUnloaded) {
        PlatformSetPages(__start_PAGE, __stop_PAGE, PlatformCode);
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "DriverUnload",
                      "%p is code of a driver that has been unloaded", Address);
    }
    if (!HostPagesOut ||
        (!HostIsPageable(Address) && !HostIsBetween(Address, HostPagedPool, HostPagedPool + HOST_PAGED_BYTES))) {
        return FALSE;
    }
    HostSetPages(TRUE);
    if (Irql > APC_LEVEL) {
        HostViolation(IRQL_NOT_LESS_OR_EQUAL, "page fault", "%p, which is pageable, is touched at IRQL %u", Address,
                      Irql);
    }
    return TRUE;
}

VOID HostStartPaging(VOID)
{
    HostPagesOut = PlatformSwitch("HOST_PAGES_OUT");
    if (HostPagesOut) {
        HostPagedPool = PlatformReserve(HOST_PAGED_BYTES);
    }
    PlatformOnFault(HostPageFault);
}

PVOID HostAllocatePaged(SIZE_T Size)
{
    const SIZE_T Offset = (SIZE_T)InterlockedExchangeAdd64(&HostPagedPoolUsed, (LONG64)ALIGN_UP_BY(Size, 16));

    return Offset + Size <= HOST_PAGED_BYTES ? HostPagedPool + Offset : NULL;
}

VOID HostIrqlRaised(VOID)
{
    HostSetPages(FALSE);
}

VOID HostIrqlLowered(VOID)
{
    HostSetPages(TRUE);
}

/* Whether a routine goes with the initialisation of its driver. */
static BOOLEAN HostIsInitialization(PDRIVER_INITIALIZE Routine)
{
    return HostIsBetween((const VOID *)(ULONG_PTR)Routine, __start_INIT, __stop_INIT);
}

VOID HostLoadInitialization(PDRIVER_INITIALIZE DriverEntry)
{
    if (HostIsInitialization(DriverEntry)) {
        HostRecallInitialization();
        PlatformSetPages(__start_PAGE, __stop_PAGE, PlatformCode);
        (VOID) InterlockedIncrement(&HostImages);
    }
}

VOID HostUnloadImage(PDRIVER_INITIALIZE DriverEntry)
{
    if (HostIsInitialization(DriverEntry) && InterlockedDecrement(&HostImages) == 0) {
        HostUnloaded = TRUE;
        PlatformSetPages(__start_PAGE, __stop_PAGE, PlatformGone);
    }
}

VOID HostDiscardInitialization(PDRIVER_INITIALIZE DriverEntry)
{
    if (HostIsInitialization(DriverEntry)) {
        PlatformSetPages(__start_INIT, __stop_INIT, PlatformGone);
    }
}
