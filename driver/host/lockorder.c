/* The order in which locks are acquired: which was asked for while which was held, by anybody, ever. A circle may deadlock some day. */
#include "kernel.h"

#define HOST_ORDER_BUCKETS 4096u
#define HOST_ORDER_GRANULE 6 /* bits of an address within what is looked up together */

/* Second was asked for while First was held. */
typedef struct _HOST_ORDER {
    struct _HOST_ORDER *NextOfFirst;  /* in the bucket of First */
    struct _HOST_ORDER *NextOfSecond; /* in that of Second */
    const volatile VOID *First;
    const volatile VOID *Second;
    const char *Routine;
    PVOID Caller[PLATFORM_STACK_FRAMES];
    ULONG CallerCount;
    ULONG Visit;
} HOST_ORDER, *PHOST_ORDER;

static HOST_MUTEX HostOrderMutex = HOST_MUTEX_INITIALIZER;
static PHOST_ORDER
    HostOrdersOfFirst[HOST_ORDER_BUCKETS]; /* written under the mutex; whether one is empty is read without */
static PHOST_ORDER HostOrdersOfSecond[HOST_ORDER_BUCKETS];
static ULONG HostOrderVisit;
static volatile LONG HostOrderGeneration = 1; /* another one whenever an order is forgotten */

static ULONG HostOrderBucket(const volatile VOID *Lock)
{
    return (ULONG)((ULONG_PTR)Lock >> HOST_ORDER_GRANULE) % HOST_ORDER_BUCKETS;
}

/* Mutex held. */
static PHOST_ORDER HostFindOrder(const volatile VOID *First, const volatile VOID *Second)
{
    PHOST_ORDER Order = HostOrdersOfFirst[HostOrderBucket(First)];

    while (Order != NULL && (Order->First != First || Order->Second != Second)) {
        Order = Order->NextOfFirst;
    }
    return Order;
}

/* An order that leads, directly or through others, from one lock to the other; NULL if none does. Mutex held. */
static PHOST_ORDER HostFindWay(const volatile VOID *From, const volatile VOID *To)
{
    PHOST_ORDER Found = NULL;

    for (PHOST_ORDER Order = HostOrdersOfFirst[HostOrderBucket(From)]; Order != NULL && Found == NULL;
         Order = Order->NextOfFirst) {
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
    PHOST_ORDER *OfFirst = &HostOrdersOfFirst[HostOrderBucket(First)];
    PHOST_ORDER *OfSecond = &HostOrdersOfSecond[HostOrderBucket(Second)];
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
        Order->NextOfFirst = *OfFirst;
        Order->NextOfSecond = *OfSecond;
        __atomic_store_n(OfFirst, Order, __ATOMIC_RELAXED);
        __atomic_store_n(OfSecond, Order, __ATOMIC_RELAXED);
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

/* Lock is asked for while First is held. FALSE if they are one. */
static BOOLEAN HostOrderAfter(PETHREAD Thread, const volatile VOID *First, const volatile VOID *Lock,
                              const char *Routine)
{
    HOST_KNOWN_ORDER *Known =
        &Thread->Orders[(HostOrderBucket(First) ^ (HostOrderBucket(Lock) << 1)) % HOST_KNOWN_ORDERS];

    if (First == Lock) {
        return FALSE;
    }
    if (Known->First != First || Known->Second != Lock) {
        HostAddOrder(First, Lock, Routine);
        Known->First = First;
        Known->Second = Lock;
    }
    return TRUE;
}

VOID HostOrderLock(PETHREAD Thread, const volatile VOID *Lock, const char *Routine)
{
    LONG Generation = ReadAcquire(&HostOrderGeneration);

    if (Thread->OrderGeneration != Generation) {
        RtlZeroMemory(Thread->Orders, sizeof(Thread->Orders));
        Thread->OrderGeneration = Generation;
    }
    for (PHOST_LOCKED_FILE File = Thread->LockedFiles; File != NULL; File = File->Outer) {
        if (!HostOrderAfter(Thread, &File->File->Busy, Lock, Routine)) {
            HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine,
                          "a request waits for the synchronous file at %p, for a request of which this thread works",
                          (PVOID)File->File);
        }
    }
    for (LONG Index = 0; Index < Thread->HeldLocks; Index++) {
        if (!HostOrderAfter(Thread, Thread->Held[Index].Lock, Lock, Routine)) {
            return; /* recursion, which is not waited for */
        }
    }
}

/* Takes an order out of its buckets. Mutex held. */
static VOID HostForgetOrder(PHOST_ORDER Order)
{
    PHOST_ORDER *OfFirst = &HostOrdersOfFirst[HostOrderBucket(Order->First)];
    PHOST_ORDER *OfSecond = &HostOrdersOfSecond[HostOrderBucket(Order->Second)];

    while (*OfFirst != Order) {
        OfFirst = &(*OfFirst)->NextOfFirst;
    }
    __atomic_store_n(OfFirst, Order->NextOfFirst, __ATOMIC_RELAXED);
    while (*OfSecond != Order) {
        OfSecond = &(*OfSecond)->NextOfSecond;
    }
    __atomic_store_n(OfSecond, Order->NextOfSecond, __ATOMIC_RELAXED);
    PlatformFree(Order);
    (VOID) InterlockedIncrement(&HostOrderGeneration);
}

static BOOLEAN HostIsWithin(const volatile VOID *Lock, const volatile VOID *Memory, SIZE_T Length)
{
    return (BOOLEAN)((ULONG_PTR)Lock - (ULONG_PTR)Memory < Length);
}

/* Forgets the orders in one bucket of those locks that lie in the memory. Mutex held. */
static VOID HostForgetBucket(ULONG Bucket, const volatile VOID *Memory, SIZE_T Length)
{
    PHOST_ORDER Next;

    for (PHOST_ORDER Order = HostOrdersOfFirst[Bucket]; Order != NULL; Order = Next) {
        Next = Order->NextOfFirst;
        if (HostIsWithin(Order->First, Memory, Length)) {
            HostForgetOrder(Order);
        }
    }
    for (PHOST_ORDER Order = HostOrdersOfSecond[Bucket]; Order != NULL; Order = Next) {
        Next = Order->NextOfSecond;
        if (HostIsWithin(Order->Second, Memory, Length)) {
            HostForgetOrder(Order);
        }
    }
}

VOID HostForgetLocks(const volatile VOID *Memory, SIZE_T Length)
{
    ULONG_PTR First = (ULONG_PTR)Memory >> HOST_ORDER_GRANULE;
    ULONG_PTR Last = ((ULONG_PTR)Memory + Length - 1) >> HOST_ORDER_GRANULE;

    for (ULONG_PTR Granule = First; Granule <= Last && Granule - First < HOST_ORDER_BUCKETS; Granule++) {
        ULONG Bucket = (ULONG)(Granule % HOST_ORDER_BUCKETS);

        if (__atomic_load_n(&HostOrdersOfFirst[Bucket], __ATOMIC_RELAXED) != NULL ||
            __atomic_load_n(&HostOrdersOfSecond[Bucket], __ATOMIC_RELAXED) != NULL) {
            PlatformLock(&HostOrderMutex);
            HostForgetBucket(Bucket, Memory, Length);
            PlatformUnlock(&HostOrderMutex);
        }
    }
}
