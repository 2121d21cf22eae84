/* The order in which locks are acquired: which was asked for while which was held, by anybody, ever. A circle may deadlock some day. */
#include "kernel.h"

#define HOST_ORDER_BUCKETS 4096u
#define HOST_ORDER_GRANULE 8

/* Second was asked for while First was held. */
typedef struct _HOST_ORDER {
    struct _HOST_ORDER *Next; /* in the bucket of First */
    const volatile VOID *First;
    const volatile VOID *Second;
    const char *Routine;
    PVOID Caller[PLATFORM_STACK_FRAMES];
    ULONG CallerCount;
    ULONG Visit;
} HOST_ORDER, *PHOST_ORDER;

static HOST_MUTEX HostOrderMutex = HOST_MUTEX_INITIALIZER;
static PHOST_ORDER HostOrders[HOST_ORDER_BUCKETS];
static ULONG HostOrderVisit;
static volatile LONG HostOrderGeneration = 1; /* another one whenever an order is forgotten */
static volatile UCHAR
    HostOrderKnown[HOST_ORDER_BUCKETS]; /* granules, by hash, in which a lock that has an order may lie */

static ULONG HostOrderBucket(const volatile VOID *Lock)
{
    ULONG_PTR Value = (ULONG_PTR)Lock;

    return (ULONG)((Value >> 3) ^ (Value >> 15)) % HOST_ORDER_BUCKETS;
}

static ULONG HostOrderGranule(ULONG_PTR Address)
{
    return (ULONG)(Address >> HOST_ORDER_GRANULE) % HOST_ORDER_BUCKETS;
}

/* Mutex held. */
static PHOST_ORDER HostFindOrder(const volatile VOID *First, const volatile VOID *Second)
{
    PHOST_ORDER Order = HostOrders[HostOrderBucket(First)];

    while (Order != NULL && (Order->First != First || Order->Second != Second)) {
        Order = Order->Next;
    }
    return Order;
}

/* An order that leads, directly or through others, from one lock to the other; NULL if none does. Mutex held. */
static PHOST_ORDER HostFindWay(const volatile VOID *From, const volatile VOID *To)
{
    PHOST_ORDER Found = NULL;

    for (PHOST_ORDER Order = HostOrders[HostOrderBucket(From)]; Order != NULL && Found == NULL; Order = Order->Next) {
        if (Order->First != From || Order->Visit == HostOrderVisit) {
            continue;
        }
        Order->Visit = HostOrderVisit;
        if (Order->Second == To || HostFindWay(Order->Second, To) != NULL) {
            Found = Order;
        }
    }
    return Found;
}

static VOID HostAddOrder(const volatile VOID *First, const volatile VOID *Second, const char *Routine)
{
    ULONG Bucket = HostOrderBucket(First);
    PHOST_ORDER Way = NULL;
    PHOST_ORDER Order;

    PlatformLock(&HostOrderMutex);
    if (HostFindOrder(First, Second) == NULL) {
        HostOrderVisit++;
        Way = HostFindWay(Second, First);
        Order = PlatformAllocate(sizeof(*Order));
        Order->First = First;
        Order->Second = Second;
        Order->Routine = Routine;
        Order->CallerCount = PlatformCaptureStack(Order->Caller);
        Order->Next = HostOrders[Bucket];
        HostOrders[Bucket] = Order;
        __atomic_store_n(&HostOrderKnown[HostOrderGranule((ULONG_PTR)First)], 1, __ATOMIC_RELAXED);
        __atomic_store_n(&HostOrderKnown[HostOrderGranule((ULONG_PTR)Second)], 1, __ATOMIC_RELAXED);
    }
    PlatformUnlock(&HostOrderMutex);
    if (Way != NULL) {
        PlatformPrint("the other order began in %s, at\n", Way->Routine);
        PlatformPrintStack(Way->Caller, Way->CallerCount);
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine,
                      "the lock at %p is asked for while that at %p is held, and elsewhere the other way round",
                      (const VOID *)Second, (const VOID *)First);
    }
}

VOID HostOrderLock(PETHREAD Thread, const volatile VOID *Lock, const char *Routine)
{
    LONG Generation = ReadAcquire(&HostOrderGeneration);

    if (Thread->OrderGeneration != Generation) {
        RtlZeroMemory(Thread->Orders, sizeof(Thread->Orders));
        Thread->OrderGeneration = Generation;
    }
    for (LONG Index = 0; Index < Thread->HeldLocks; Index++) {
        const volatile VOID *First = Thread->Held[Index].Lock;
        HOST_KNOWN_ORDER *Known =
            &Thread->Orders[(HostOrderBucket(First) ^ (HostOrderBucket(Lock) << 1)) % HOST_KNOWN_ORDERS];

        if (First == Lock) {
            return; /* recursion, which is not waited for */
        }
        if (Known->First != First || Known->Second != Lock) {
            HostAddOrder(First, Lock, Routine);
            Known->First = First;
            Known->Second = Lock;
        }
    }
}

VOID HostForgetLocks(const volatile VOID *Memory, SIZE_T Length)
{
    ULONG_PTR First = (ULONG_PTR)Memory >> HOST_ORDER_GRANULE;
    ULONG_PTR Last = ((ULONG_PTR)Memory + Length - 1) >> HOST_ORDER_GRANULE;
    BOOLEAN Known = FALSE;

    for (ULONG_PTR Granule = First; Granule <= Last && Granule < First + HOST_ORDER_BUCKETS && !Known; Granule++) {
        Known = (BOOLEAN)(__atomic_load_n(&HostOrderKnown[Granule % HOST_ORDER_BUCKETS], __ATOMIC_RELAXED) != 0);
    }
    if (!Known) {
        return;
    }
    PlatformLock(&HostOrderMutex);
    for (ULONG Bucket = 0; Bucket < HOST_ORDER_BUCKETS; Bucket++) {
        for (PHOST_ORDER *Link = &HostOrders[Bucket]; *Link != NULL;) {
            PHOST_ORDER Order = *Link;

            if ((ULONG_PTR)Order->First - (ULONG_PTR)Memory < Length ||
                (ULONG_PTR)Order->Second - (ULONG_PTR)Memory < Length) {
                *Link = Order->Next;
                PlatformFree(Order);
                (VOID) InterlockedIncrement(&HostOrderGeneration);
            } else {
                Link = &Order->Next;
            }
        }
    }
    PlatformUnlock(&HostOrderMutex);
}
