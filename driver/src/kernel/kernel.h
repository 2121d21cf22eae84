/*
 * What every room stands on: the driver as the kernel knows it, memory and who has it, what this kernel has, and the order of locks.
 *
 * Locks are taken in this order, each before those that stand below it:
 *
 *   1. PSCTX_SESSION.OwnersLock (core)
 *   2. the rules' lock (tracking)
 *   3. the lock of the volumes that the front is attached to (legacy, minifilter)
 *   4. a shard's lock (core): no two shards are locked at once
 *   5. one of these:
 *      the lock of a stream's list, in FsRtl or by PsctxAcquireListLock (kernel)
 *      a spin lock of the contexts that count (tracking)
 *      the readers' lock, then a reader's queue lock (events)
 *
 * Nothing is allocated under 4 and 5. Under the locks of the tokens' key (inspection) and of the file systems that are known (volumes) no
 * other one is taken.
 */
#ifndef PSCTX_KERNEL_H
#define PSCTX_KERNEL_H

#include <ntifs.h>

#include <psctx/abi.h>

/* Pool tag, shown as "PCtx" by debuggers. */
#define PSCTX_TAG 0x78744350u

/* Code that may be paged out, and code that is discarded after DriverEntry. */
#if defined(__GNUC__)
#define PSCTX_PAGE __attribute__((section("PAGE")))
#define PSCTX_INIT __attribute__((section("INIT")))
#else
#define PSCTX_PAGE __declspec(code_seg("PAGE"))
#define PSCTX_INIT __declspec(code_seg("INIT"))
#endif

/* A line of the processor's cache. */
#define PSCTX_CACHE_LINE 64u

/* Versions of Windows, as _WIN32_WINNT has them. */
#define PSCTX_WINDOWS_VISTA 0x0600u
#define PSCTX_WINDOWS_8 0x0602u
#define PSCTX_WINDOWS_10 0x0A00u

/* The driver, as the kernel knows it. Set before any request comes. */
typedef struct _PSCTX_GLOBALS {
    PDRIVER_OBJECT DriverObject;
    PDEVICE_OBJECT ControlDevice;
    ULONG Front;            /* PSCTX_FRONT_* of the image */
    EX_RUNDOWN_REF Rundown; /* held by every context and every request to the control device */
} PSCTX_GLOBALS;

extern PSCTX_GLOBALS PsctxGlobals;

/* routine.c: a routine that not every kernel has, or zero. For DriverEntry. [wdm/nf-wdm-mmgetsystemroutineaddress] */
_IRQL_requires_(PASSIVE_LEVEL) ULONG_PTR PsctxFindRoutine(_In_z_ PCWSTR Name);

/* routine.c: whether this Windows is of a version, PSCTX_WINDOWS_*, or of a later one. [wdm/nf-wdm-psgetversion] */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxIsWindows(_In_ ULONG Version);

/* Reads a counter that other processors change, whole on 32-bit processors too. */
FORCEINLINE ULONG64 PsctxReadCounter(_In_ volatile LONG64 *Counter)
{
    return (ULONG64)InterlockedCompareExchange64(Counter, 0, 0);
}

/* pool.c: what memory that is not paged is allocated as, where PsctxAllocate is not what allocates it: NonPagedPoolNx from Windows 8 on. */
extern POOL_TYPE PsctxNonPagedPool;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartPool(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) PVOID PsctxAllocate(_In_ POOL_TYPE PoolType, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID PsctxFree(_In_opt_ PVOID Memory);

/* account.c: what a session, or the whole driver, holds now. Changed with interlocked operations alone. */
typedef struct _PSCTX_ACCOUNT {
    volatile LONG64 Contexts;
    volatile LONG64 Bytes[2];       /* that contexts take, by PSCTX_POOL_* */
    volatile LONG64 RecordBytes[2]; /* that everything else takes, likewise */
} PSCTX_ACCOUNT, *PPSCTX_ACCOUNT;

/* What an account may hold on this machine. Set when the driver starts. */
typedef struct _PSCTX_LIMITS {
    LONG64 Contexts;
    LONG64 Bytes[2];
    LONG64 RecordBytes[2];
} PSCTX_LIMITS, *PPSCTX_LIMITS;

extern PSCTX_ACCOUNT PsctxTotalAccount;
extern PSCTX_LIMITS PsctxTotalLimits;
extern PSCTX_LIMITS PsctxSessionLimits;

/* What is booked for a session is so in total, too, by PSCTX_POOL_*. A record is whatever is no context. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartAccounts(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN
    PsctxChargeContext(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxDischargeContext(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN
    PsctxChargeTracked(_Inout_ PPSCTX_ACCOUNT Tracked, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxDischargeTracked(_Inout_ PPSCTX_ACCOUNT Tracked, _In_ ULONG Pool, _In_ ULONG Size);
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN
    PsctxChargeRecord(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Pool, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxDischargeRecord(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Pool, _In_ SIZE_T Size);
_IRQL_requires_max_(DISPATCH_LEVEL) NTSTATUS
    PsctxAllocateRecord(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Pool, _In_ SIZE_T Size, _Outptr_ PVOID *Record);
_IRQL_requires_max_(DISPATCH_LEVEL) VOID
    PsctxFreeRecord(_Inout_ PPSCTX_ACCOUNT Account, _In_ ULONG Pool, _In_ SIZE_T Size, _In_opt_ PVOID Record);

/* key.c: keys that nobody can know, and the hash that is made with them. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartKeys(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxMakeKey(_Out_writes_(2) ULONG64 *Key);
ULONG64 PsctxSipHash(_In_reads_(2) const ULONG64 *Key, _In_reads_(Count) const ULONG64 *Words, _In_ ULONG Count);

/* listlock.c: the lock that FsRtl takes for a stream's list of contexts. */
typedef enum _PSCTX_LIST_LOCK_KIND { PsctxFastMutexLock, PsctxPushLock, PsctxAutoExpandLock } PSCTX_LIST_LOCK_KIND;

typedef struct _PSCTX_LIST_LOCK {
    PSCTX_LIST_LOCK_KIND Kind;
    PVOID Lock;
    PVOID Held; /* of an auto-expand lock that is held: what releases it */
} PSCTX_LIST_LOCK, *PPSCTX_LIST_LOCK;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartListLocks(VOID);
_IRQL_requires_max_(APC_LEVEL) NTSTATUS
    PsctxFindListLock(_In_ PFSRTL_ADVANCED_FCB_HEADER Header, _Out_ PPSCTX_LIST_LOCK Lock);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxAcquireListLock(_Inout_ PPSCTX_LIST_LOCK Lock);
_IRQL_requires_max_(APC_LEVEL) VOID PsctxReleaseListLock(_Inout_ PPSCTX_LIST_LOCK Lock);

/* modules.c: the images that are loaded in the kernel. */
typedef struct _PSCTX_MODULES {
    PVOID Information; /* the kernel's answer, or NULL where there is none */
    ULONG Count;
} PSCTX_MODULES, *PPSCTX_MODULES;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartModules(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxQuerySystemInformation(_In_ ULONG InformationClass, _Out_writes_bytes_(Length) PVOID Information,
                                _In_ ULONG Length, _Out_ PULONG ReturnLength);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxQueryModules(_Out_ PPSCTX_MODULES Modules);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxFreeModules(_In_ const PSCTX_MODULES *Modules);
_IRQL_requires_(PASSIVE_LEVEL) _Success_(return) BOOLEAN
    PsctxFindModule(_In_ const PSCTX_MODULES *Modules, _In_ ULONG_PTR Address, _Out_ PULONG Index,
                    _Out_ PULONG64 Offset);
_IRQL_requires_(PASSIVE_LEVEL) ULONG
    PsctxGetModuleName(_In_ const PSCTX_MODULES *Modules, _In_ ULONG Index,
                       _Out_writes_bytes_to_opt_(Capacity, return) PWCH Name, _In_ ULONG Capacity);

#endif
