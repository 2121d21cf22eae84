/*
 * Inspection: whose contexts are on a stream, other filters' among them, and what may be told of them outside the kernel.
 */
#ifndef PSCTX_INSPECTION_H
#define PSCTX_INSPECTION_H

#include "core/core.h"
#include "kernel/kernel.h"

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
    PsctxFindOwnerOfId(_In_ const PSCTX_DEVICE_STACK *Stack, _In_ ULONG_PTR OwnerId, _Inout_ PUNICODE_STRING Name);

/* token.c: what stands for an address of the kernel outside. */
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartTokens(VOID);
_IRQL_requires_(PASSIVE_LEVEL) ULONG64 PsctxMakeToken(_In_ ULONG_PTR Address);
_IRQL_requires_(PASSIVE_LEVEL) ULONG64 PsctxMakePairToken(_In_ ULONG_PTR Address, _In_ ULONG64 Value);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxSealPair(_Inout_updates_(2) ULONG64 *Pair);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxUnsealPair(_Inout_updates_(2) ULONG64 *Pair);

/* inspection.c */
/* More than that fit into no reply. */
#define PSCTX_MAXIMUM_INSPECTED \
    ((PSCTX_MAXIMUM_TRANSFER - (ULONG)sizeof(PSCTX_INSPECT_REPLY)) / (ULONG)sizeof(PSCTX_INSPECT_ENTRY))

/* What is known of one context of the list. */
typedef struct _PSCTX_INSPECTED {
    ULONG_PTR Context; /* its address */
    ULONG_PTR OwnerId; /* of ours: the address of the owner */
    ULONG_PTR InstanceId;
    ULONG_PTR FreeCallback;
    ULONG64 OwnerKey;
    ULONG64 Instance;
    ULONG64 Sequence;
    ULONG64 CallbackOffset;
    ULONG Holder;
    ULONG DataLength;
    ULONG Module; /* its number, if HasModule */
    BOOLEAN HasModule;
} PSCTX_INSPECTED, *PPSCTX_INSPECTED;

typedef struct _PSCTX_INSPECTION {
    PPSCTX_INSPECTED Contexts; /* in the order of the list */
    ULONG Count;
    PSCTX_MODULES Modules;
    PSCTX_DEVICE_STACK Stack;
} PSCTX_INSPECTION, *PPSCTX_INSPECTION;

_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStartInspection(VOID);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxInspect(_In_ const PSCTX_STREAM *Stream, _In_ PPSCTX_SESSION Session, _Out_ PPSCTX_INSPECTION Inspection);
_IRQL_requires_(PASSIVE_LEVEL) ULONG
    PsctxWriteInspected(_In_ const PSCTX_INSPECTION *Inspection, _In_ const PSCTX_INSPECTED *Inspected,
                        _Out_writes_bytes_(Capacity) PSCTX_INSPECT_ENTRY *Entry, _In_ ULONG Capacity);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxFreeInspection(_In_ const PSCTX_INSPECTION *Inspection);

#endif
