/* Name expressions: * and ? as users write them, and the three wild cards that stand for their DOS meaning. */
#include "kernel.h"

#define HOST_DOS_STAR ((WCHAR)L'<')
#define HOST_DOS_QUESTION ((WCHAR)L'>')
#define HOST_DOS_DOT ((WCHAR)L'"')

BOOLEAN FsRtlDoesNameContainWildCards(PUNICODE_STRING Name)
{
    (VOID) HostEnter(FsRtlDoesNameContainWildCards);
    for (ULONG Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        WCHAR Character = Name->Buffer[Index];

        if (Character == L'*' || Character == L'?' || Character == HOST_DOS_STAR || Character == HOST_DOS_QUESTION ||
            Character == HOST_DOS_DOT) {
            return TRUE;
        }
    }
    return FALSE;
}

/* From a state one gets without a character to those behind wild cards that match nothing. AtEnd: no name is left. */
static VOID HostSpread(PUNICODE_STRING Expression, PUCHAR States, BOOLEAN AtEnd, BOOLEAN AtDot)
{
    for (ULONG State = 0; State < Expression->Length / sizeof(WCHAR); State++) {
        WCHAR Character = Expression->Buffer[State];

        if (States[State] &&
            (Character == L'*' || Character == HOST_DOS_STAR || (Character == HOST_DOS_QUESTION && (AtEnd || AtDot)) ||
             (Character == HOST_DOS_DOT && AtEnd))) {
            States[State + 1] = 1;
        }
    }
}

/*
 * IRQL PASSIVE_LEVEL. The states of the expression are followed side by side, so that no name makes it slow.
 * [ntifs/nf-ntifs-fsrtlisnameinexpression]
 */
BOOLEAN FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name, BOOLEAN IgnoreCase, PWCH UpcaseTable)
{
    ULONG Count = Expression->Length / (ULONG)sizeof(WCHAR);
    ULONG Length = Name->Length / (ULONG)sizeof(WCHAR);
    ULONG LastDot = MAXULONG;
    PUCHAR States;
    PUCHAR Next;
    BOOLEAN Matches;

    (VOID) HostEnter(FsRtlIsNameInExpression);
    if (Count == 0 || Length == 0) {
        return (BOOLEAN)(Count == Length);
    }
    States = PlatformAllocate(2 * ((SIZE_T)Count + 1));
    Next = States + Count + 1;
    for (ULONG Index = 0; Index < Length; Index++) {
        if (Name->Buffer[Index] == L'.') {
            LastDot = Index;
        }
    }
    States[0] = 1;
    for (ULONG Index = 0; Index < Length; Index++) {
        WCHAR Character = Name->Buffer[Index];
        PUCHAR Swap = States;

        if (IgnoreCase) {
            Character = UpcaseTable != NULL ? UpcaseTable[Character] : HostUpcase(Character);
        }
        HostSpread(Expression, States, FALSE, (BOOLEAN)(Character == L'.'));
        memset(Next, 0, (SIZE_T)Count + 1);
        for (ULONG State = 0; State < Count; State++) {
            WCHAR Wanted = Expression->Buffer[State];

            if (!States[State]) {
                continue;
            }
            if (Wanted == L'*' || (Wanted == HOST_DOS_STAR && Index != LastDot)) {
                Next[State] = 1;
            } else if (Wanted == HOST_DOS_STAR /* the last dot, and nothing behind it */ || Wanted == L'?' ||
                       Wanted == Character || (Wanted == HOST_DOS_QUESTION && Character != L'.') ||
                       (Wanted == HOST_DOS_DOT && Character == L'.')) {
                Next[State + 1] = 1;
            }
        }
        States = Next;
        Next = Swap;
    }
    HostSpread(Expression, States, TRUE, FALSE);
    Matches = States[Count];
    PlatformFree(min(States, Next));
    return Matches;
}
