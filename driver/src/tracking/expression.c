/*
 * Expressions with wild cards, as FsRtlIsNameInExpression knows them, matched without memory of the pool.
 */
#include "tracking/name.h"

#define PSCTX_EXPRESSION_UNITS (PSCTX_MAXIMUM_PATTERN_LENGTH / sizeof(WCHAR))
#define PSCTX_WORD_BITS 32u

/* A set of positions in an expression, its end included. */
typedef struct _PSCTX_POSITIONS {
    ULONG Words[PSCTX_EXPRESSION_UNITS / PSCTX_WORD_BITS + 1];
} PSCTX_POSITIONS, *PPSCTX_POSITIONS;

static VOID PsctxAddPosition(_Inout_ PPSCTX_POSITIONS Positions, _In_ ULONG Position)
{
    Positions->Words[Position / PSCTX_WORD_BITS] |= 1u << (Position % PSCTX_WORD_BITS);
}

static BOOLEAN PsctxHasPosition(_In_ const PSCTX_POSITIONS *Positions, _In_ ULONG Position)
{
    return (Positions->Words[Position / PSCTX_WORD_BITS] & (1u << (Position % PSCTX_WORD_BITS))) != 0;
}

/*
 * One step of the match at Position: what may follow without taking the character goes into Current, beyond Position,
 * what follows when it is taken goes into Next. Character is 0 at the end of the name; Final says that no period
 * follows it.
 */
static VOID PsctxStep(_In_ WCHAR Symbol, _In_ ULONG Position, _In_ WCHAR Character, _In_ BOOLEAN Final,
                      _Inout_ PPSCTX_POSITIONS Current, _Inout_ PPSCTX_POSITIONS Next)
{
    const BOOLEAN ended = Character == 0;
    BOOLEAN skip = FALSE; /* the symbol may match nothing here */
    BOOLEAN take = FALSE; /* the symbol may match the character */
    BOOLEAN stay = FALSE; /* and then match more */

    switch (Symbol) {
    case L'*':
        skip = TRUE;
        take = stay = !ended;
        break;
    case L'<': /* DOS_STAR: up to the last period, and that too, but nothing behind it */
        skip = TRUE;
        take = !ended;
        stay = take && (Character != L'.' || !Final);
        break;
    case L'?':
        take = !ended;
        break;
    case L'>': /* DOS_QM */
        skip = ended || Character == L'.';
        take = !skip;
        break;
    case L'"': /* DOS_DOT, which is one of itself too */
        skip = ended;
        take = Character == L'.' || Character == Symbol;
        break;
    default:
        take = Character == Symbol;
        break;
    }
    if (skip) {
        PsctxAddPosition(Current, Position + 1);
    }
    if (take) {
        PsctxAddPosition(Next, stay ? Position : Position + 1);
    }
}

/*
 * Whether the name matches the upcased expression, as FsRtlIsNameInExpression would say, without regard to case. That
 * raises STATUS_NO_MEMORY when memory is short, and an exception that nobody handles in the path of a create is a
 * crash; this routine needs no memory but its stack, and does not raise.
 * [ntifs/nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlisnameinexpression]
 *
 * The expression is at most PSCTX_MAXIMUM_PATTERN_LENGTH bytes long. Nothing but the empty expression matches the empty name; a name with a NUL in it, which no file system
 * takes, matches nothing. All positions that the expression can be at are followed at once, so that the time is at most
 * the product of the lengths.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsNameInExpression(PCUNICODE_STRING Expression, PCUNICODE_STRING Name)
{
    const ULONG symbols = Expression->Length / sizeof(WCHAR);
    const ULONG characters = Name->Length / sizeof(WCHAR);
    PSCTX_POSITIONS sets[2];
    PPSCTX_POSITIONS current = &sets[0];
    PPSCTX_POSITIONS next = &sets[1];
    ULONG lastPeriod = 0;
    ULONG position;
    ULONG index;

    PAGED_CODE();

    if (symbols == 0 || characters == 0) {
        return symbols == characters;
    }
    for (index = 0; index < characters; index += 1) {
        if (Name->Buffer[index] == L'.') {
            lastPeriod = index;
        }
    }

    RtlZeroMemory(current, sizeof(*current));
    PsctxAddPosition(current, 0);
    for (index = 0; index <= characters; index += 1) {
        const WCHAR character = index < characters ? RtlUpcaseUnicodeChar(Name->Buffer[index]) : 0;

        RtlZeroMemory(next, sizeof(*next));
        for (position = 0; position < symbols; position += 1) {
            if (PsctxHasPosition(current, position)) {
                PsctxStep(Expression->Buffer[position], position, character, index >= lastPeriod, current, next);
            }
        }
        if (index < characters) {
            PPSCTX_POSITIONS const previous = current;

            current = next;
            next = previous;
        }
    }
    return PsctxHasPosition(current, symbols);
}
