/*
 * What inspect.c and its helpers share: the lock of a stream's list, loaded images, a stream's devices, and tokens.
 */
#ifndef PSCTX_INSPECT_H
#define PSCTX_INSPECT_H

#include "psctx.h"

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
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxFindModule(_In_ const PSCTX_MODULES *Modules, _In_ ULONG_PTR Address,
                                                       _Out_ PULONG Index, _Out_ PULONG64 Offset);
_IRQL_requires_(PASSIVE_LEVEL) ULONG
    PsctxGetModuleName(_In_ const PSCTX_MODULES *Modules, _In_ ULONG Index,
                       _Out_writes_bytes_to_opt_(Capacity, return) PWCH Name, _In_ ULONG Capacity);

/* devicestack.c: the devices in a stream's stack, and their drivers. */
typedef struct _PSCTX_STACKED_DEVICE {
    PDEVICE_OBJECT Device;               /* referenced */
    POBJECT_NAME_INFORMATION DriverName; /* NULL until it is asked for */
} PSCTX_STACKED_DEVICE, *PPSCTX_STACKED_DEVICE;

typedef struct _PSCTX_DEVICE_STACK {
    PPSCTX_STACKED_DEVICE Devices; /* the topmost one first */
    ULONG Count;
} PSCTX_DEVICE_STACK, *PPSCTX_DEVICE_STACK;

_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxReferenceDeviceStack(_In_ PFILE_OBJECT FileObject, _Out_ PPSCTX_DEVICE_STACK Stack);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxDereferenceDeviceStack(_In_ const PSCTX_DEVICE_STACK *Stack);
_IRQL_requires_(PASSIVE_LEVEL) ULONG
    PsctxFindOwnerOfId(_In_ const PSCTX_DEVICE_STACK *Stack, _In_ ULONG_PTR OwnerId, _Out_ PUNICODE_STRING Name);

/* token.c: what stands for an address of the kernel outside. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTokens(VOID);
_IRQL_requires_(PASSIVE_LEVEL) ULONG64 PsctxMakeToken(_In_ ULONG_PTR Address);
_IRQL_requires_(PASSIVE_LEVEL) ULONG64 PsctxMakePairToken(_In_ ULONG_PTR Address, _In_ ULONG64 Value);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxMakeKey(_Out_writes_(2) ULONG64 *Key);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxSealPair(_Inout_updates_(2) ULONG64 *Pair);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnsealPair(_Inout_updates_(2) ULONG64 *Pair);
ULONG64 PsctxSipHash(_In_reads_(2) const ULONG64 *Key, _In_reads_(Count) const ULONG64 *Words, _In_ ULONG Count);

#endif
