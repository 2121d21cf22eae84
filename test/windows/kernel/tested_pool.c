/*
 * Pool: the driver under test gets driver/host's, with guard bytes, quarantine, accounting and faults; every other
 * driver Wine's.
 */
#include "proxy.h"

#include <psctx/abi.h>

#define TESTED_TAG 0x78744350u /* PSCTX_TAG */

PVOID ProxyAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    if (Tag != TESTED_TAG) {
        return WineExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
    }
    return HostAllocatePool(PoolType, NumberOfBytes, Tag, FALSE, __builtin_return_address(0));
}

VOID ProxyFreePoolWithTag(PVOID Pool, ULONG Tag)
{
    if (Tag != TESTED_TAG) {
        WineExFreePoolWithTag(Pool, Tag);
        return;
    }
    HostFreePool(Pool, Tag, "ExFreePoolWithTag");
}

PVOID ProxyAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    PVOID Memory;

    if (Tag == TESTED_TAG) {
        return HostAllocatePool2(Flags, NumberOfBytes, Tag);
    }
    Memory = WineExAllocatePoolWithTag((Flags & POOL_FLAG_PAGED) != 0 ? PagedPool : NonPagedPoolNx, NumberOfBytes, Tag);
    if (Memory != NULL && (Flags & POOL_FLAG_UNINITIALIZED) == 0) {
        RtlZeroMemory(Memory, NumberOfBytes);
    }
    return Memory;
}

/* For hostfs.sys: see its command.c. */
VOID PsctxTestFailAllocation(ULONG64 Countdown)
{
    HostFailAllocation(Countdown);
}

VOID PsctxTestCountPool(PULONG64 Bytes, PULONG64 Allocations)
{
    HostCountPool(Bytes, Allocations);
}
