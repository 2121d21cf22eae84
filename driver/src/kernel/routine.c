/*
 * What the driver is to the kernel, which version that is, and routines that only some have.
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

PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsWindows(ULONG Version)
{
    ULONG major;
    ULONG minor;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, &minor, NULL, NULL);
    return (major << 8 | minor) >= Version;
}
