/* Filter Manager's start in the embedded kernel, with the first minifilter, and its end with the kernel's. */
#include "fltmgr.h"

static volatile LONG FltpStarting; /* whoever starts it is alone */

/* Where the image lies, for who looks for whose a routine is: the linker's names for the section of FltpFreeStream. */
extern const CHAR __start_FLTMGR[] __attribute__((visibility("hidden")));
extern const CHAR __stop_FLTMGR[] __attribute__((visibility("hidden")));

static BOOLEAN FltpTryToStart(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return (BOOLEAN)(InterlockedCompareExchange(&FltpStarting, 1, 0) == 0);
}

NTSTATUS HostStartFilterManager(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PDRIVER_OBJECT Driver;

    (VOID) HostWaitFor(&FltpStarting, FltpTryToStart, NULL, NULL);
    if (FltpDriver == NULL) {
        Status = HostLoadDriver(L"FltMgr", TRUE, FltpDriverEntry, &Driver);
        if (NT_SUCCESS(Status)) {
            HostMakeBuiltIn(Driver);
            HostSetDriverImage(Driver, __start_FLTMGR, (ULONG_PTR)__stop_FLTMGR - (ULONG_PTR)__start_FLTMGR);
        } else {
            FltpDriver = NULL;
        }
    }
    (VOID) InterlockedExchange(&FltpStarting, 0);
    HostWake(&FltpStarting);
    return Status;
}

VOID HostStopFilterManager(VOID)
{
    if (FltpDriver != NULL) {
        (VOID) HostUnloadDriver(FltpDriver);
        FltpDriver = NULL;
    }
}
