/*
 * mingw-w64's kernel headers with what the driver needs and they lack or get wrong. In the include path of mingw builds alone,
 * ahead of theirs: the WDK needs none of it.
 */
#ifndef PSCTX_COMPAT_NTIFS_H
#define PSCTX_COMPAT_NTIFS_H

/*
 * Two inline functions of wdm.h have the names of intrinsics that intrin.h declares with external linkage, which they keep with
 * -fms-extensions: every file would define them. Under names of their own they are static; wdm.h itself then gives the names to the intrinsics.
 */
#include <intrin.h>
#define InterlockedBitTestAndSet PsctxInlineBitTestAndSet
#define InterlockedBitTestAndReset PsctxInlineBitTestAndReset
#include_next <ntifs.h>

/* There it is external, so that gcc lets no such function call a static one. */
#undef FORCEINLINE
#define FORCEINLINE static __inline__ __attribute__((__always_inline__))

/*
 * 64-bit interlocked operations, which those headers have for x64 alone. Static, and inline code: cmpxchg8b on x86, exclusive loads and
 * stores on arm64.
 */
#if !defined(_M_AMD64)
FORCEINLINE LONG64 PsctxInterlockedExchangeAdd64(_Inout_ volatile LONG64 *Addend, _In_ LONG64 Value)
{
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}

FORCEINLINE LONG64 PsctxInterlockedCompareExchange64(_Inout_ volatile LONG64 *Destination, _In_ LONG64 Exchange,
                                                     _In_ LONG64 Comperand)
{
    __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return Comperand;
}

#undef InterlockedCompareExchange64
#define InterlockedCompareExchange64 PsctxInterlockedCompareExchange64
#define InterlockedExchangeAdd64 PsctxInterlockedExchangeAdd64
#define InterlockedIncrement64(Addend) (PsctxInterlockedExchangeAdd64((Addend), 1) + 1)
#define InterlockedDecrement64(Addend) (PsctxInterlockedExchangeAdd64((Addend), -1) - 1)
#endif

/* What depends on the architecture, for arm64, which those headers do not know. [kernel/managing-hardware-priorities] */
#if defined(_M_ARM64)
#define PASSIVE_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define PAGE_SIZE 0x1000
#define PAGE_SHIFT 12L
extern __declspec(dllimport) PVOID MmSystemRangeStart;
#define InterlockedIncrement _InterlockedIncrement
#define InterlockedDecrement _InterlockedDecrement
#define InterlockedExchange _InterlockedExchange
#define InterlockedExchangeAdd _InterlockedExchangeAdd
#define InterlockedCompareExchange _InterlockedCompareExchange
#define InterlockedExchangePointer _InterlockedExchangePointer
#define InterlockedCompareExchangePointer _InterlockedCompareExchangePointer
/* No routines of the kernel's there: both read the page that it shares. [wdm/nf-wdm-kequeryinterrupttime, wdm/nf-wdm-kequerysystemtime-r1] */
#define KeQueryInterruptTime() (*(const volatile ULONG64 *)0xFFFFF78000000008ull)
#define KeQuerySystemTime(CurrentTime) \
    ((VOID)((CurrentTime)->QuadPart = *(const volatile LONG64 *)0xFFFFF78000000014ull))
#endif

/* SAL for code analysis, which no compiler used with these headers does. [devtest/annotating-drivers] */
#ifndef _Dispatch_type_
#define _Dispatch_type_(MajorFunction)
#endif

/* Role types that have only their pointer types there. [wdm/nf-wdm-exinitializelookasidelistex, wdm/nf-wdm-iocsqinitialize,
 * ntifs/nf-ntifs-ioregisterfsregistrationchange] */
typedef VOID NTAPI FREE_FUNCTION(_In_ PVOID Buffer);
typedef VOID NTAPI IO_CSQ_INSERT_IRP(_In_ struct _IO_CSQ *Csq, _In_ PIRP Irp);
typedef VOID NTAPI IO_CSQ_REMOVE_IRP(_In_ struct _IO_CSQ *Csq, _In_ PIRP Irp);
typedef PIRP NTAPI IO_CSQ_PEEK_NEXT_IRP(_In_ struct _IO_CSQ *Csq, _In_opt_ PIRP Irp, _In_opt_ PVOID PeekContext);
typedef VOID NTAPI IO_CSQ_ACQUIRE_LOCK(_In_ struct _IO_CSQ *Csq, _Out_ PKIRQL Irql);
typedef VOID NTAPI IO_CSQ_RELEASE_LOCK(_In_ struct _IO_CSQ *Csq, _In_ KIRQL Irql);
typedef VOID NTAPI IO_CSQ_COMPLETE_CANCELED_IRP(_In_ struct _IO_CSQ *Csq, _In_ PIRP Irp);
typedef VOID NTAPI DRIVER_FS_NOTIFICATION(_In_ struct _DEVICE_OBJECT *DeviceObject, _In_ BOOLEAN FsActive);

/* Reads that the compiler neither splits nor repeats, and that order nothing. [wdm/nf-wdm-readnofence] */
FORCEINLINE UCHAR ReadUCharNoFence(_In_ UCHAR const volatile *Source)
{
    return *Source;
}

FORCEINLINE LONG ReadNoFence(_In_ LONG const volatile *Source)
{
    return *Source;
}

/*
 * The kernel exports a variable that holds the object type. Declared there as imported data, IoFileObjectType means that variable's
 * value, one indirection more than the WDK's declaration, which means the import's slot: *IoFileObjectType would read the type's first bytes
 * as a pointer. This names the slot.
 */
#if defined(_M_IX86)
extern POBJECT_TYPE *PsctxIoFileObjectTypeSlot __asm__("__imp__IoFileObjectType");
#else
extern POBJECT_TYPE *PsctxIoFileObjectTypeSlot __asm__("__imp_IoFileObjectType");
#endif
#define IoFileObjectType PsctxIoFileObjectTypeSlot

/* Reads that nothing after them is done before. [wdm/nf-wdm-readacquire] */
FORCEINLINE LONG ReadAcquire(_In_ LONG const volatile *Source)
{
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}

FORCEINLINE PVOID ReadPointerAcquire(_In_ PVOID const volatile *Source)
{
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}

#endif
