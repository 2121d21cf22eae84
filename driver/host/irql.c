/* Interrupt request levels: each thread has its own, and every kernel routine checks it against the table of rules. */
#include "kernel.h"

#define HOST_ROUTINE(Name, Minimum, Maximum) {#Name, Minimum, Maximum},
const HOST_ROUTINE_RULE HostRoutineRules[HostRoutineCount] = {
#include "routines.h"
};
#undef HOST_ROUTINE

VOID HostIrqlViolation(HOST_ROUTINE_INDEX Routine, KIRQL Irql)
{
    HostViolation(IRQL_NOT_LESS_OR_EQUAL, HostRoutineRules[Routine].Name, "called at IRQL %u, allowed from %u to %u",
                  Irql, HostRoutineRules[Routine].Minimum, HostRoutineRules[Routine].Maximum);
}

KIRQL KeGetCurrentIrql(VOID)
{
    return HostCurrentThread()->Irql;
}

KIRQL KfRaiseIrql(KIRQL NewIrql)
{
    PETHREAD Thread = HostCurrentThread();
    KIRQL OldIrql = Thread->Irql;

    if (NewIrql < OldIrql || NewIrql > HIGH_LEVEL) {
        HostViolation(IRQL_UNEXPECTED_VALUE, "KeRaiseIrql", "from %u to %u is no raise", OldIrql, NewIrql);
    }
    Thread->Irql = NewIrql;
    if (HostPagesOut && NewIrql > APC_LEVEL && OldIrql <= APC_LEVEL) {
        HostIrqlRaised();
    }
    return OldIrql;
}

VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
    *OldIrql = KfRaiseIrql(NewIrql);
}

VOID KeLowerIrql(KIRQL NewIrql)
{
    PETHREAD Thread = HostCurrentThread();

    if (NewIrql > Thread->Irql) {
        HostViolation(IRQL_UNEXPECTED_VALUE, "KeLowerIrql", "from %u to %u is no lowering", Thread->Irql, NewIrql);
    }
    if (HostPagesOut && Thread->Irql > APC_LEVEL && NewIrql <= APC_LEVEL) {
        HostIrqlLowered();
    }
    Thread->Irql = NewIrql;
    HostLeaveApcRegion(Thread, "KeLowerIrql");
}

VOID HostPagedCode(const char *Routine)
{
    KIRQL Irql = HostCurrentThread()->Irql;

    if (Irql > APC_LEVEL) {
        HostViolation(IRQL_NOT_LESS_OR_EQUAL, Routine, "pageable code at IRQL %u", Irql);
    }
}
