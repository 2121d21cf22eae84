/* Run-down protection: twice the number of holders, plus one once run-down has begun. */
#include "proxy.h"

#define RUNDOWN_INTERVAL (-10 * 10000ll) /* 10 ms, in the 100 ns units of a relative time */

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);
}

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 0, __ATOMIC_SEQ_CST);
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    __atomic_store_n(&RunRef->Count, 1, __ATOMIC_SEQ_CST);
}

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ULONG_PTR Count = __atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST);

    while ((Count & 1) == 0) {
        if (__atomic_compare_exchange_n(&RunRef->Count, &Count, Count + 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return TRUE;
        }
    }
    return FALSE;
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    if (__atomic_fetch_sub(&RunRef->Count, 2, __ATOMIC_SEQ_CST) < 2) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExReleaseRundownProtection", "protection is not held");
    }
}

/* Looks every now and then: only DriverUnload waits, and nobody is woken for it. */
VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    LARGE_INTEGER Interval = {.QuadPart = RUNDOWN_INTERVAL};

    (VOID) __atomic_or_fetch(&RunRef->Count, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&RunRef->Count, __ATOMIC_SEQ_CST) != 1) {
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    }
}
