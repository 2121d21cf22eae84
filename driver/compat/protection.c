/*
 * What the compiler's checks of the stack and of indirect calls need in an image that no C library is linked to. For mingw builds by
 * clang alone: a driver kit brings its own.
 *
 * A function that could overrun a buffer keeps a copy of the guard above it, and compares them before it returns. An indirect call
 * asks, or goes through, a routine whose address the kernel puts in place when it loads the image and guards control flow itself; every
 * other kernel knows nothing of it and leaves the routines below, which let any call through.
 * [win32/secbp/control-flow-guard, debug/pe-format]
 */
#include "kernel/kernel.h"

/* DRIVER_OVERRAN_STACK_BUFFER, which those headers lack. [debugger/bug-check-0xf7--driver-overran-stack-buffer] */
#define PSCTX_OVERRAN_STACK_BUFFER 0xF7u

/* Its lowest byte is zero, at which a string that is copied too far ends. */
#define PSCTX_GUARD_MASK (~(ULONG_PTR)0xFF)

DRIVER_INITIALIZE DriverEntry;
DRIVER_INITIALIZE PsctxProtectedEntry;

ULONG_PTR __stack_chk_guard = (ULONG_PTR)0xB7A3D51E6C92F400ull;

/*
 * The stack of the function that has called it is no more to be trusted. Any IRQL; does not return.
 */
DECLSPEC_NORETURN VOID __stack_chk_fail(VOID)
{
    KeBugCheckEx(PSCTX_OVERRAN_STACK_BUFFER, 0, __stack_chk_guard, ~__stack_chk_guard, 0);
}

/*
 * How often the processor has counted: what nobody outside can tell to the last digit.
 */
PSCTX_INIT __attribute__((no_stack_protector)) static ULONG64 PsctxReadCycles(VOID)
{
#if defined(_M_ARM64)
    ULONG64 count;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    return __builtin_ia32_rdtsc();
#endif
}

/*
 * The image's entry point: makes a guard for this time that the driver is loaded, of clocks and of addresses that differ from one start
 * of the system to the next, before any function that returns with it begins.
 */
PSCTX_INIT __attribute__((no_stack_protector)) _Use_decl_annotations_ NTSTATUS
PsctxProtectedEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    const ULONG64 key[2] = {(ULONG_PTR)DriverObject, (ULONG_PTR)DriverObject->DriverStart};
    LARGE_INTEGER time;
    ULONG64 words[3];

    KeQuerySystemTime(&time);
    words[0] = (ULONG64)time.QuadPart;
    words[1] = (ULONG_PTR)&words ^ KeQueryInterruptTime();
    words[2] = PsctxReadCycles();
    __stack_chk_guard = (ULONG_PTR)PsctxSipHash(key, words, RTL_NUMBER_OF(words)) & PSCTX_GUARD_MASK;
    return DriverEntry(DriverObject, RegistryPath);
}

/* Lets a call through whose target is in a register of the compiler's choice: it is made afterwards. */
__attribute__((naked)) static VOID PsctxCheckCall(VOID)
{
    __asm__("ret");
}

#if defined(_M_AMD64)
/* Makes the call. */
__attribute__((naked)) static VOID PsctxDispatchCall(VOID)
{
    __asm__("jmp *%rax");
}
#endif

__attribute__((section(".00cfg"))) const PVOID __guard_check_icall_fptr = (PVOID)PsctxCheckCall;
#if defined(_M_AMD64)
__attribute__((section(".00cfg"))) const PVOID __guard_dispatch_icall_fptr = (PVOID)PsctxDispatchCall;
#endif

/* The linker's: tables, and numbers that are the addresses of these names. */
extern const UCHAR __guard_fids_table[];
extern const UCHAR __guard_fids_count[];
extern const UCHAR __guard_flags[];
extern const UCHAR __guard_iat_table[];
extern const UCHAR __guard_iat_count[];
extern const UCHAR __guard_longjmp_table[];
extern const UCHAR __guard_longjmp_count[];

/*
 * The load configuration directory, as far as the last member of these. Members that are not named are of no meaning to a driver. Flags is
 * followed by four bytes that are zero where addresses are of eight. [debug/pe-format]
 */
typedef struct _PSCTX_LOAD_CONFIGURATION {
    ULONG Size;
    ULONG Unused[5];
    ULONG_PTR UnusedAddresses[8];
#if !defined(_WIN64)
    ULONG UnusedProcess; /* flags and version, which on 64-bit processors fill one of the addresses */
#endif
    ULONG_PTR SecurityCookie;
    ULONG_PTR SehTable;
    ULONG_PTR SehCount;
    ULONG_PTR CheckCall; /* where the address of the routine is, as of the next */
    ULONG_PTR DispatchCall;
    ULONG_PTR FunctionTable;
    ULONG_PTR FunctionCount;
    ULONG_PTR Flags;
#if defined(_WIN64)
    ULONG CodeIntegrity[2];
#else
    ULONG CodeIntegrity[3];
#endif
    ULONG_PTR ImportTable;
    ULONG_PTR ImportCount;
    ULONG_PTR LongJumpTable;
    ULONG_PTR LongJumpCount;
} PSCTX_LOAD_CONFIGURATION;

#if defined(_WIN64)
C_ASSERT(FIELD_OFFSET(PSCTX_LOAD_CONFIGURATION, CheckCall) == 112);
C_ASSERT(sizeof(PSCTX_LOAD_CONFIGURATION) == 192);
#else
C_ASSERT(FIELD_OFFSET(PSCTX_LOAD_CONFIGURATION, CheckCall) == 72);
C_ASSERT(sizeof(PSCTX_LOAD_CONFIGURATION) == 120);
#endif

const PSCTX_LOAD_CONFIGURATION _load_config_used = {
    .Size = sizeof(PSCTX_LOAD_CONFIGURATION),
    .CheckCall = (ULONG_PTR)&__guard_check_icall_fptr,
#if defined(_M_AMD64)
    .DispatchCall = (ULONG_PTR)&__guard_dispatch_icall_fptr,
#endif
    .FunctionTable = (ULONG_PTR)__guard_fids_table,
    .FunctionCount = (ULONG_PTR)__guard_fids_count,
    .Flags = (ULONG_PTR)__guard_flags,
    .ImportTable = (ULONG_PTR)__guard_iat_table,
    .ImportCount = (ULONG_PTR)__guard_iat_count,
    .LongJumpTable = (ULONG_PTR)__guard_longjmp_table,
    .LongJumpCount = (ULONG_PTR)__guard_longjmp_count,
};
