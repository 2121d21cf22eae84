/* The executive's layer: pool, fast mutexes, push locks, resources, run-down protection, lookups by name, debug output. */
#ifndef HOST_NT_EX_H
#define HOST_NT_EX_H

#include <nt_ke.h>

HOST_EXTERN_C_BEGIN

typedef enum _POOL_TYPE {
    NonPagedPool = 0,
    NonPagedPoolExecute = NonPagedPool,
    PagedPool = 1,
    NonPagedPoolMustSucceed = NonPagedPool + 2,
    NonPagedPoolCacheAligned = NonPagedPool + 4,
    PagedPoolCacheAligned = 5,
    NonPagedPoolNx = 512,
    NonPagedPoolNxCacheAligned = NonPagedPoolNx + 4
} POOL_TYPE;

/* For routines found with MmGetSystemRoutineAddress: ExAllocatePool2 takes these. */
typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ULL
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ULL
#define POOL_FLAG_NON_PAGED 0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED 0x0000000000000100ULL

PVOID ExAllocatePoolWithTag(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
VOID ExFreePool(_In_ PVOID Pool);
VOID ExFreePoolWithTag(_In_ PVOID Pool, _In_ ULONG Tag);

typedef struct _FAST_MUTEX {
    volatile LONG Count;
    PVOID Owner;
    ULONG Contention;
    KEVENT Event;
    ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX;

#define FM_LOCK_BIT 0x1

VOID ExInitializeFastMutex(_Out_ PFAST_MUTEX FastMutex);
VOID ExAcquireFastMutex(_Inout_ PFAST_MUTEX FastMutex);
BOOLEAN ExTryToAcquireFastMutex(_Inout_ PFAST_MUTEX FastMutex);
VOID ExReleaseFastMutex(_Inout_ PFAST_MUTEX FastMutex);
VOID ExAcquireFastMutexUnsafe(_Inout_ PFAST_MUTEX FastMutex);
VOID ExReleaseFastMutexUnsafe(_Inout_ PFAST_MUTEX FastMutex);

#define EX_PUSH_LOCK ULONG_PTR
#define PEX_PUSH_LOCK PULONG_PTR

typedef ULONG_PTR ERESOURCE_THREAD;
typedef ERESOURCE_THREAD *PERESOURCE_THREAD;

typedef struct _OWNER_ENTRY {
    ERESOURCE_THREAD OwnerThread;
    union {
        struct {
            ULONG IoPriorityBoosted : 1;
            ULONG OwnerReferenced : 1;
            ULONG IoQoSPriorityBoosted : 1;
            ULONG OwnerCount : 29;
        };
        ULONG TableSize;
    };
} OWNER_ENTRY, *POWNER_ENTRY;

typedef struct _ERESOURCE {
    LIST_ENTRY SystemResourcesList;
    POWNER_ENTRY OwnerTable;
    SHORT ActiveCount;
    union {
        USHORT Flag;
        struct {
            UCHAR ReservedLowFlags;
            UCHAR WaiterPriority;
        };
    };
    PVOID SharedWaiters;
    PVOID ExclusiveWaiters;
    OWNER_ENTRY OwnerEntry;
    ULONG ActiveEntries;
    ULONG ContentionCount;
    ULONG NumberOfSharedWaiters;
    ULONG NumberOfExclusiveWaiters;
    UCHAR MiscFlags;
    UCHAR Reserved1[3];
    ULONG ResourceTimeoutCount;
    union {
        PVOID Address;
        ULONG_PTR CreatorBackTraceIndex;
    };
    KSPIN_LOCK SpinLock;
} ERESOURCE, *PERESOURCE;

NTSTATUS ExInitializeResourceLite(_Out_ PERESOURCE Resource);
NTSTATUS ExDeleteResourceLite(_Inout_ PERESOURCE Resource);
BOOLEAN ExAcquireResourceExclusiveLite(_Inout_ PERESOURCE Resource, _In_ BOOLEAN Wait);
BOOLEAN ExAcquireResourceSharedLite(_Inout_ PERESOURCE Resource, _In_ BOOLEAN Wait);
BOOLEAN ExAcquireSharedStarveExclusive(_Inout_ PERESOURCE Resource, _In_ BOOLEAN Wait);
VOID ExReleaseResourceLite(_Inout_ PERESOURCE Resource);
VOID ExConvertExclusiveToSharedLite(_Inout_ PERESOURCE Resource);
BOOLEAN ExIsResourceAcquiredExclusiveLite(_In_ PERESOURCE Resource);
ULONG ExIsResourceAcquiredSharedLite(_In_ PERESOURCE Resource);

typedef struct _EX_RUNDOWN_REF {
    union {
        volatile ULONG_PTR Count;
        volatile PVOID Ptr;
    };
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

VOID ExInitializeRundownProtection(_Out_ PEX_RUNDOWN_REF RunRef);
BOOLEAN ExAcquireRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID ExReleaseRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID ExWaitForRundownProtectionRelease(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID ExReInitializeRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID ExRundownCompleted(_Out_ PEX_RUNDOWN_REF RunRef);

KPROCESSOR_MODE ExGetPreviousMode(VOID);

DECLSPEC_NORETURN VOID ExRaiseStatus(_In_ NTSTATUS Status);

VOID ProbeForRead(_In_ const volatile VOID *Address, _In_ SIZE_T Length, _In_ ULONG Alignment);
VOID ProbeForWrite(_In_ volatile VOID *Address, _In_ SIZE_T Length, _In_ ULONG Alignment);

/* Addresses from there on are the kernel's: here all but those that never are any. */
extern PVOID MmSystemRangeStart;
PVOID MmGetSystemRoutineAddress(_In_ PUNICODE_STRING SystemRoutineName);

typedef enum _MM_SYSTEM_SIZE { MmSmallSystem, MmMediumSystem, MmLargeSystem } MM_SYSTEMSIZE;

MM_SYSTEMSIZE MmQuerySystemSize(VOID);

#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_IHVFILTER_ID 86
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3
ULONG DbgPrint(_In_z_ _Printf_format_string_ PCSTR Format, ...) __attribute__((format(printf, 1, 2)));
ULONG DbgPrintEx(_In_ ULONG ComponentId, _In_ ULONG Level, _In_z_ _Printf_format_string_ PCSTR Format, ...)
    __attribute__((format(printf, 3, 4)));

#define ASSERT(Expression) \
    ((Expression) ? (void)0 : KeBugCheckEx(MANUALLY_INITIATED_CRASH, (ULONG_PTR)__FILE__, __LINE__, 0, 0))
#define NT_ASSERT(Expression) ASSERT(Expression)

HOST_EXTERN_C_END

#endif
