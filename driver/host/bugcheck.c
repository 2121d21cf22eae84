/* The end of a kernel whose rules were broken: says which one, calls the program's routine, aborts. */
#include "kernel.h"

#include <stdio.h>

#define HOST_CODE_NAME(Name) {(ULONG)(Name), #Name}

static const struct {
    ULONG Code;
    const char *Name;
} HostCodeNames[] = {
    HOST_CODE_NAME(APC_INDEX_MISMATCH),
    HOST_CODE_NAME(BAD_POOL_CALLER),
    HOST_CODE_NAME(BAD_POOL_HEADER),
    HOST_CODE_NAME(CANCEL_STATE_IN_COMPLETED_IRP),
    HOST_CODE_NAME(DRIVER_CAUGHT_MODIFYING_FREED_POOL),
    HOST_CODE_NAME(DRIVER_CORRUPTED_EXPOOL),
    HOST_CODE_NAME(DRIVER_VERIFIER_DETECTED_VIOLATION),
    HOST_CODE_NAME(DRIVER_VERIFIER_IOMANAGER_VIOLATION),
    HOST_CODE_NAME(FILE_SYSTEM),
    HOST_CODE_NAME(INCONSISTENT_IRP),
    HOST_CODE_NAME(INVALID_KERNEL_HANDLE),
    HOST_CODE_NAME(INVALID_PROCESS_ATTACH_ATTEMPT),
    HOST_CODE_NAME(IRQL_GT_ZERO_AT_SYSTEM_SERVICE),
    HOST_CODE_NAME(IRQL_NOT_LESS_OR_EQUAL),
    HOST_CODE_NAME(IRQL_UNEXPECTED_VALUE),
    HOST_CODE_NAME(MANUALLY_INITIATED_CRASH),
    HOST_CODE_NAME(MULTIPLE_IRP_COMPLETE_REQUESTS),
    HOST_CODE_NAME(NO_MORE_IRP_STACK_LOCATIONS),
    HOST_CODE_NAME(REFERENCE_BY_POINTER),
    HOST_CODE_NAME(RESOURCE_NOT_OWNED),
    HOST_CODE_NAME(SPIN_LOCK_ALREADY_OWNED),
    HOST_CODE_NAME(SPIN_LOCK_NOT_OWNED),
    HOST_CODE_NAME(THREAD_NOT_MUTEX_OWNER),
};

static PHOST_BUG_CHECK_ROUTINE volatile HostBugCheckRoutine;
static volatile LONG HostBugChecked;

VOID HostSetBugCheckRoutine(PHOST_BUG_CHECK_ROUTINE Routine)
{
    __atomic_store_n(&HostBugCheckRoutine, Routine, __ATOMIC_SEQ_CST);
}

/* The first bugcheck is told; one that happens while it is being told ends the process at once. */
static DECLSPEC_NORETURN VOID HostStop(ULONG Code, const char *Message)
{
    PHOST_BUG_CHECK_ROUTINE Routine = __atomic_load_n(&HostBugCheckRoutine, __ATOMIC_SEQ_CST);
    PVOID Frames[PLATFORM_STACK_FRAMES];

    if (InterlockedExchange(&HostBugChecked, 1) != 0) {
        PlatformAbort();
    }
    PlatformPrint("%s\n", Message);
    PlatformPrintStack(Frames, PlatformCaptureStack(Frames));
    if (Routine != NULL) {
        Routine(Code, Message);
    }
    PlatformAbort();
}

static const char *HostCodeName(ULONG Code)
{
    for (SIZE_T Index = 0; Index < RTL_NUMBER_OF(HostCodeNames); Index++) {
        if (HostCodeNames[Index].Code == Code) {
            return HostCodeNames[Index].Name;
        }
    }
    return "bugcheck";
}

VOID HostViolation(ULONG BugCheckCode, const char *Routine, const char *Format, ...)
{
    char Rule[512];
    char Message[768];
    va_list Arguments;

    va_start(Arguments, Format);
    (void)vsnprintf(Rule, sizeof(Rule), Format, Arguments);
    va_end(Arguments);
    (void)snprintf(Message, sizeof(Message), "*** STOP: %s (0x%X) %s: %s", HostCodeName(BugCheckCode), BugCheckCode,
                   Routine, Rule);
    HostStop(BugCheckCode, Message);
}

VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR Parameter1, ULONG_PTR Parameter2, ULONG_PTR Parameter3,
                  ULONG_PTR Parameter4)
{
    HostViolation(BugCheckCode, "KeBugCheckEx", "0x%llx, 0x%llx, 0x%llx, 0x%llx", (ULONG64)Parameter1,
                  (ULONG64)Parameter2, (ULONG64)Parameter3, (ULONG64)Parameter4);
}

VOID HostListCorrupt(const VOID *Entry)
{
    HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "list", "the links at %p do not belong together", Entry);
}

VOID ExRaiseStatus(NTSTATUS Status)
{
    (VOID) HostEnter(ExRaiseStatus);
    HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "ExRaiseStatus", "exception 0x%08X that nobody handles",
                  (ULONG)Status);
}
