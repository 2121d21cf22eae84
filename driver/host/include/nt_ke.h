/* The kernel's own layer: IRQL, bugchecks, events, waits, spin locks, critical regions, time, interlocked operations. */
#ifndef HOST_NT_KE_H
#define HOST_NT_KE_H

#include <ntdef.h>
#include <ntstatus.h>

HOST_EXTERN_C_BEGIN

#define PASSIVE_LEVEL 0
#define LOW_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define HIGH_LEVEL 15

typedef struct _KTHREAD *PKTHREAD;
typedef struct _ETHREAD *PETHREAD;
typedef struct _EPROCESS *PEPROCESS;
typedef struct _EPROCESS *PKPROCESS;

typedef struct _DISPATCHER_HEADER {
    UCHAR Type;
    UCHAR Signalling;
    UCHAR Size;
    UCHAR Reserved1;
    volatile LONG SignalState;
    LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER;

typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;
    LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

typedef struct _KDEVICE_QUEUE {
    CSHORT Type;
    CSHORT Size;
    LIST_ENTRY DeviceListHead;
    KSPIN_LOCK Lock;
    union {
        BOOLEAN Busy;
        LONG64 Hint;
    };
} KDEVICE_QUEUE, *PKDEVICE_QUEUE;

typedef struct _KDEVICE_QUEUE_ENTRY {
    LIST_ENTRY DeviceListEntry;
    ULONG SortKey;
    BOOLEAN Inserted;
} KDEVICE_QUEUE_ENTRY, *PKDEVICE_QUEUE_ENTRY;

typedef struct _KDPC {
    union {
        ULONG TargetInfoAsUlong;
        struct {
            UCHAR Type;
            UCHAR Importance;
            volatile USHORT Number;
        };
    };
    SINGLE_LIST_ENTRY DpcListEntry;
    KAFFINITY ProcessorHistory;
    PVOID DeferredRoutine;
    PVOID DeferredContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    PVOID DpcData;
} KDPC, *PKDPC;

typedef struct _KAPC {
    UCHAR Type;
    UCHAR AllFlags;
    UCHAR Size;
    UCHAR SpareByte1;
    ULONG SpareLong0;
    PKTHREAD Thread;
    LIST_ENTRY ApcListEntry;
    PVOID Reserved[3];
    PVOID NormalContext;
    PVOID SystemArgument1;
    PVOID SystemArgument2;
    CCHAR ApcStateIndex;
    KPROCESSOR_MODE ApcMode;
    BOOLEAN Inserted;
} KAPC, *PKAPC;

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;

typedef enum _KWAIT_REASON {
    Executive,
    FreePage,
    PageIn,
    PoolAllocation,
    DelayExecution,
    Suspended,
    UserRequest
} KWAIT_REASON;

/* Bugchecks. The codes are those Windows uses for the same mistake. */
#define APC_INDEX_MISMATCH 0x00000001L
#define IRQL_NOT_LESS_OR_EQUAL 0x0000000AL
#define SPIN_LOCK_NOT_OWNED 0x00000010L
#define SPIN_LOCK_ALREADY_OWNED 0x0000000FL
#define REFERENCE_BY_POINTER 0x00000018L
#define BAD_POOL_HEADER 0x00000019L
#define FILE_SYSTEM 0x00000022L
#define INCONSISTENT_IRP 0x0000002AL
#define NO_MORE_IRP_STACK_LOCATIONS 0x00000035L
#define MULTIPLE_IRP_COMPLETE_REQUESTS 0x00000044L
#define CANCEL_STATE_IN_COMPLETED_IRP 0x00000048L
#define IRQL_GT_ZERO_AT_SYSTEM_SERVICE 0x0000004AL
#define INVALID_PROCESS_ATTACH_ATTEMPT 0x00000005L
#define THREAD_NOT_MUTEX_OWNER 0x00000011L
#define INVALID_KERNEL_HANDLE 0x00000093L
#define BAD_POOL_CALLER 0x000000C2L
#define DRIVER_VERIFIER_DETECTED_VIOLATION 0x000000C4L
#define DRIVER_CORRUPTED_EXPOOL 0x000000C5L
#define DRIVER_CAUGHT_MODIFYING_FREED_POOL 0x000000C6L
#define IRQL_UNEXPECTED_VALUE 0x000000C8L
#define DRIVER_VERIFIER_IOMANAGER_VIOLATION 0x000000C9L
#define RESOURCE_NOT_OWNED 0x000000E3L
#define INVALID_FLOATING_POINT_STATE 0x000000E7L
#define MANUALLY_INITIATED_CRASH 0x000000E2L

DECLSPEC_NORETURN VOID KeBugCheckEx(_In_ ULONG BugCheckCode, _In_ ULONG_PTR Parameter1, _In_ ULONG_PTR Parameter2,
                                    _In_ ULONG_PTR Parameter3, _In_ ULONG_PTR Parameter4);

_IRQL_requires_max_(HIGH_LEVEL) KIRQL KeGetCurrentIrql(VOID);
VOID KeRaiseIrql(_In_ KIRQL NewIrql, _Out_ PKIRQL OldIrql);
KIRQL KfRaiseIrql(_In_ KIRQL NewIrql);
VOID KeLowerIrql(_In_ KIRQL NewIrql);

/* Checks what a pageable routine must not rely on; a bugcheck above APC_LEVEL. */
VOID HostPagedCode(_In_z_ const char *Routine);
#define PAGED_CODE() HostPagedCode(__func__)

VOID KeInitializeEvent(_Out_ PRKEVENT Event, _In_ EVENT_TYPE Type, _In_ BOOLEAN State);
LONG KeSetEvent(_Inout_ PRKEVENT Event, _In_ KPRIORITY Increment, _In_ BOOLEAN Wait);
LONG KeResetEvent(_Inout_ PRKEVENT Event);
VOID KeClearEvent(_Inout_ PRKEVENT Event);
LONG KeReadStateEvent(_In_ PRKEVENT Event);
VOID KeInitializeSemaphore(_Out_ PRKSEMAPHORE Semaphore, _In_ LONG Count, _In_ LONG Limit);
LONG KeReleaseSemaphore(_Inout_ PRKSEMAPHORE Semaphore, _In_ KPRIORITY Increment, _In_ LONG Adjustment,
                        _In_ BOOLEAN Wait);
NTSTATUS KeWaitForSingleObject(_In_ PVOID Object, _In_ KWAIT_REASON WaitReason, _In_ KPROCESSOR_MODE WaitMode,
                               _In_ BOOLEAN Alertable, _In_opt_ PLARGE_INTEGER Timeout);
NTSTATUS KeDelayExecutionThread(_In_ KPROCESSOR_MODE WaitMode, _In_ BOOLEAN Alertable, _In_ PLARGE_INTEGER Interval);

VOID KeInitializeSpinLock(_Out_ PKSPIN_LOCK SpinLock);
KIRQL KeAcquireSpinLockRaiseToDpc(_Inout_ PKSPIN_LOCK SpinLock);
VOID KeReleaseSpinLock(_Inout_ PKSPIN_LOCK SpinLock, _In_ KIRQL NewIrql);
VOID KeAcquireSpinLockAtDpcLevel(_Inout_ PKSPIN_LOCK SpinLock);
VOID KeReleaseSpinLockFromDpcLevel(_Inout_ PKSPIN_LOCK SpinLock);
#define KeAcquireSpinLock(SpinLock, OldIrql) (*(OldIrql) = KeAcquireSpinLockRaiseToDpc(SpinLock))

VOID KeEnterCriticalRegion(VOID);
VOID KeLeaveCriticalRegion(VOID);
VOID KeEnterGuardedRegion(VOID);
VOID KeLeaveGuardedRegion(VOID);
BOOLEAN KeAreApcsDisabled(VOID);
BOOLEAN KeAreAllApcsDisabled(VOID);

VOID KeQuerySystemTime(_Out_ PLARGE_INTEGER CurrentTime);
ULONGLONG KeQueryInterruptTime(VOID);
LARGE_INTEGER KeQueryPerformanceCounter(_Out_opt_ PLARGE_INTEGER PerformanceFrequency);

PKTHREAD KeGetCurrentThread(VOID);

/* Code built with HOST_SWITCH_POINTS may be overtaken at its interlocked operations by another thread of a schedule. */
#ifdef HOST_SWITCH_POINTS
extern volatile LONG HostScheduleActive;
VOID HostSwitchPoint(_In_z_ const char *Point);
#define HOST_INTERLOCKED() \
    (__atomic_load_n(&HostScheduleActive, __ATOMIC_RELAXED) != 0 ? HostSwitchPoint(__func__) : (VOID)0)
#else
#define HOST_INTERLOCKED() ((VOID)0)
#endif

#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

FORCEINLINE LONG InterlockedIncrement(LONG volatile *Addend)
{
    HOST_INTERLOCKED();
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedDecrement(LONG volatile *Addend)
{
    HOST_INTERLOCKED();
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedExchange(LONG volatile *Target, LONG Value)
{
    HOST_INTERLOCKED();
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedExchangeAdd(LONG volatile *Addend, LONG Value)
{
    HOST_INTERLOCKED();
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedAdd(LONG volatile *Addend, LONG Value)
{
    HOST_INTERLOCKED();
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedAnd(LONG volatile *Target, LONG Value)
{
    HOST_INTERLOCKED();
    return __atomic_fetch_and(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedOr(LONG volatile *Target, LONG Value)
{
    HOST_INTERLOCKED();
    return __atomic_fetch_or(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG InterlockedCompareExchange(LONG volatile *Target, LONG Exchange, LONG Comparand)
{
    HOST_INTERLOCKED();
    (void)__atomic_compare_exchange_n(Target, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comparand;
}

FORCEINLINE LONG64 InterlockedIncrement64(LONG64 volatile *Addend)
{
    HOST_INTERLOCKED();
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedDecrement64(LONG64 volatile *Addend)
{
    HOST_INTERLOCKED();
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedExchange64(LONG64 volatile *Target, LONG64 Value)
{
    HOST_INTERLOCKED();
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedExchangeAdd64(LONG64 volatile *Addend, LONG64 Value)
{
    HOST_INTERLOCKED();
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedAdd64(LONG64 volatile *Addend, LONG64 Value)
{
    HOST_INTERLOCKED();
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 InterlockedCompareExchange64(LONG64 volatile *Target, LONG64 Exchange, LONG64 Comparand)
{
    HOST_INTERLOCKED();
    (void)__atomic_compare_exchange_n(Target, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comparand;
}

FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile *Target, PVOID Value)
{
    HOST_INTERLOCKED();
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE PVOID InterlockedCompareExchangePointer(PVOID volatile *Target, PVOID Exchange, PVOID Comparand)
{
    HOST_INTERLOCKED();
    (void)__atomic_compare_exchange_n(Target, &Comparand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comparand;
}

FORCEINLINE LONG ReadAcquire(LONG const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}

FORCEINLINE LONG ReadNoFence(LONG const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_RELAXED);
}

FORCEINLINE UCHAR ReadUCharNoFence(UCHAR const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_RELAXED);
}

FORCEINLINE LONG64 ReadAcquire64(LONG64 const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}

FORCEINLINE LONG64 ReadNoFence64(LONG64 const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_RELAXED);
}

FORCEINLINE PVOID ReadPointerAcquire(PVOID const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}

FORCEINLINE PVOID ReadPointerNoFence(PVOID const volatile *Source)
{
    HOST_INTERLOCKED();
    return __atomic_load_n(Source, __ATOMIC_RELAXED);
}

FORCEINLINE VOID WriteRelease(LONG volatile *Target, LONG Value)
{
    HOST_INTERLOCKED();
    __atomic_store_n(Target, Value, __ATOMIC_RELEASE);
}

FORCEINLINE VOID WriteNoFence(LONG volatile *Target, LONG Value)
{
    HOST_INTERLOCKED();
    __atomic_store_n(Target, Value, __ATOMIC_RELAXED);
}

FORCEINLINE VOID WriteRelease64(LONG64 volatile *Target, LONG64 Value)
{
    HOST_INTERLOCKED();
    __atomic_store_n(Target, Value, __ATOMIC_RELEASE);
}

FORCEINLINE VOID WritePointerRelease(PVOID volatile *Target, PVOID Value)
{
    HOST_INTERLOCKED();
    __atomic_store_n(Target, Value, __ATOMIC_RELEASE);
}

HOST_EXTERN_C_END

#endif
