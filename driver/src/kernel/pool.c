/*
 * Pool memory: always tagged, always zeroed, never executable where the kernel knows how.
 */
#include "kernel/kernel.h"

/* ExAllocatePoolWithTag is deprecated, and the only allocator of kernels without ExAllocatePool2. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#elif defined(_MSC_VER)
#pragma warning(disable : 4996)
#endif

#define PSCTX_POOL_FLAG_CACHE_ALIGNED 0x8ull
#define PSCTX_POOL_FLAG_NON_PAGED 0x40ull
#define PSCTX_POOL_FLAG_PAGED 0x100ull

typedef PVOID(NTAPI *PPSCTX_EX_ALLOCATE_POOL2)(_In_ ULONG64 Flags, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);

/* NULL on kernels before Windows 10, version 2004. */
static PPSCTX_EX_ALLOCATE_POOL2 PsctxExAllocatePool2;

POOL_TYPE PsctxNonPagedPool = NonPagedPool;

/*
 * Finds the best allocator the kernel has. Called once, before anything is allocated.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartPool(VOID)
{
    ULONG major;
    ULONG minor;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, &minor, NULL, NULL);
    if (major > PSCTX_WINDOWS_8_MAJOR_VERSION ||
        (major == PSCTX_WINDOWS_8_MAJOR_VERSION && minor >= PSCTX_WINDOWS_8_MINOR_VERSION)) {
        PsctxNonPagedPool = NonPagedPoolNx;
    }
    PsctxExAllocatePool2 = (PPSCTX_EX_ALLOCATE_POOL2)PsctxFindRoutine(L"ExAllocatePool2");
}

/*
 * Zeroed memory with our tag, or NULL. PoolType is PagedPool (IRQL <= APC_LEVEL) or NonPagedPool (IRQL <= DISPATCH_LEVEL), or one of
 * these that begins a line of the cache. The caller frees it with PsctxFree. [wdm/nf-wdm-exallocatepool2, wdm/ne-wdm-_pool_type]
 */
_Use_decl_annotations_ PVOID PsctxAllocate(POOL_TYPE PoolType, SIZE_T Size)
{
    const BOOLEAN paged = FlagOn(PoolType, PagedPool) != 0;
    const ULONG aligned = FlagOn((ULONG)PoolType, NonPagedPoolCacheAligned);
    PVOID memory;

    if (PsctxExAllocatePool2 != NULL) {
        return PsctxExAllocatePool2((paged ? PSCTX_POOL_FLAG_PAGED : PSCTX_POOL_FLAG_NON_PAGED) |
                                        (aligned != 0 ? PSCTX_POOL_FLAG_CACHE_ALIGNED : 0),
                                    Size, PSCTX_TAG);
    }

    memory = ExAllocatePoolWithTag(paged ? PoolType : (POOL_TYPE)((ULONG)PsctxNonPagedPool | aligned), Size, PSCTX_TAG);
    if (memory != NULL) {
        RtlZeroMemory(memory, Size);
    }
    return memory;
}

_Use_decl_annotations_ VOID PsctxFree(PVOID Memory)
{
    if (Memory != NULL) {
        ExFreePoolWithTag(Memory, PSCTX_TAG);
    }
}
