/*
 * What the driver is to the kernel, and routines that only some kernels have.
 */
#include "kernel/kernel.h"

PSCTX_GLOBALS PsctxGlobals;

PSCTX_INIT _Use_decl_annotations_ ULONG_PTR PsctxFindRoutine(PCWSTR Name)
{
    UNICODE_STRING name;

    PAGED_CODE();

    RtlInitUnicodeString(&name, Name);
    return (ULONG_PTR)MmGetSystemRoutineAddress(&name);
}
