/* Addresses whose memory must stay: linked contexts, list heads, live resources. The pool asks before it frees. */
#include "kernel.h"

/* Enough for millions of contexts; fewer where the whole table is copied again and again. */
#ifndef HOST_PIN_BUCKETS
#define HOST_PIN_BUCKETS (1u << 20)
#endif
#define HOST_PIN_SHARDS 64u
#define HOST_PIN_GRANULE 8

typedef struct _HOST_PIN {
    struct _HOST_PIN *Next;
    const VOID *Address;
    const char *Reason;
} HOST_PIN, *PHOST_PIN;

static PHOST_PIN HostPins[HOST_PIN_BUCKETS];
static HOST_MUTEX HostPinMutexes[HOST_PIN_SHARDS] = {[0 ... HOST_PIN_SHARDS - 1] = HOST_MUTEX_INITIALIZER};

static ULONG HostPinBucket(ULONG_PTR Address)
{
    return (ULONG)(Address >> HOST_PIN_GRANULE) % HOST_PIN_BUCKETS;
}

VOID HostPin(const VOID *Address, const char *Reason)
{
    ULONG Bucket = HostPinBucket((ULONG_PTR)Address);
    PHOST_PIN Pin = PlatformAllocate(sizeof(*Pin));

    Pin->Address = Address;
    Pin->Reason = Reason;
    PlatformLock(&HostPinMutexes[Bucket % HOST_PIN_SHARDS]);
    Pin->Next = HostPins[Bucket];
    __atomic_store_n(&HostPins[Bucket], Pin, __ATOMIC_RELEASE);
    PlatformUnlock(&HostPinMutexes[Bucket % HOST_PIN_SHARDS]);
}

VOID HostUnpin(const VOID *Address)
{
    ULONG Bucket = HostPinBucket((ULONG_PTR)Address);
    PHOST_PIN Found = NULL;

    PlatformLock(&HostPinMutexes[Bucket % HOST_PIN_SHARDS]);
    for (PHOST_PIN *Link = &HostPins[Bucket]; *Link != NULL; Link = &(*Link)->Next) {
        if ((*Link)->Address == Address) {
            Found = *Link;
            __atomic_store_n(Link, Found->Next, __ATOMIC_RELEASE);
            break;
        }
    }
    PlatformUnlock(&HostPinMutexes[Bucket % HOST_PIN_SHARDS]);
    PlatformFree(Found);
}

const char *HostFindPin(const VOID *Memory, SIZE_T Length)
{
    ULONG_PTR First = (ULONG_PTR)Memory >> HOST_PIN_GRANULE;
    ULONG_PTR Last = ((ULONG_PTR)Memory + Length - 1) >> HOST_PIN_GRANULE;
    const char *Reason = NULL;

    for (ULONG_PTR Granule = First; Granule <= Last && Reason == NULL; Granule++) {
        ULONG Bucket = (ULONG)Granule % HOST_PIN_BUCKETS;

        if (__atomic_load_n(&HostPins[Bucket], __ATOMIC_ACQUIRE) == NULL) {
            continue;
        }
        PlatformLock(&HostPinMutexes[Bucket % HOST_PIN_SHARDS]);
        for (PHOST_PIN Pin = HostPins[Bucket]; Pin != NULL; Pin = Pin->Next) {
            if ((ULONG_PTR)Pin->Address - (ULONG_PTR)Memory < Length) {
                Reason = Pin->Reason;
            }
        }
        PlatformUnlock(&HostPinMutexes[Bucket % HOST_PIN_SHARDS]);
    }
    return Reason;
}
