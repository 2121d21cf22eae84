/*
 * Fuzzes expressions and names: what the driver matches, what the kernel's own routine says, and what is decided before a name is known.
 *
 * A case: the length of the expression, then the characters of expression and name, one byte each, most of them few.
 */
#include "core_fixture.h"
#include "fuzz.h"
#include "tracking/name.h"

#include <stdio.h>
#include <string.h>

#define FUZZ_CHARACTERS 256u

const size_t FuzzMaximumLength = 10;

static ULONG64 FuzzVerdicts[2][2]; /* by what can match, and what does */

VOID FuzzStart(VOID)
{
}

static WCHAR FuzzCharacter(_In_ ULONG Byte)
{
    return Byte < 192 ? L"\\AaA.*?<>\"~:*B*a"[Byte % 16] : Byte < 250 ? (WCHAR)(Byte - 160) : (WCHAR)(0xE0 + Byte % 8);
}

static USHORT FuzzTakeText(_Inout_ PFUZZ_INPUT Input, _In_ size_t Count, _Out_writes_(FUZZ_CHARACTERS) PWCHAR Text)
{
    size_t index;

    for (index = 0; index < Count; index += 1) {
        Text[index] = FuzzCharacter(FuzzTake(Input));
    }
    return (USHORT)(Count * sizeof(WCHAR));
}

VOID FuzzRun(PFUZZ_INPUT Input)
{
    WCHAR symbols[FUZZ_CHARACTERS];
    WCHAR characters[FUZZ_CHARACTERS];
    PSCTX_EXPRESSION expression = {0};
    PSCTX_OPENED_NAME opened;
    FILE_OBJECT file = {0};
    const size_t count = min(FuzzTake(Input) % 16, Input->Remaining);
    UNICODE_STRING name;
    BOOLEAN matches;
    BOOLEAN canMatch;
    USHORT index;

    expression.Text.Length = FuzzTakeText(Input, count, symbols);
    name.Length = FuzzTakeText(Input, min(Input->Remaining, FUZZ_CHARACTERS), characters);
    expression.Text.Buffer = symbols;
    expression.Text.MaximumLength = expression.Text.Length;
    name.Buffer = characters;
    name.MaximumLength = name.Length;
    for (index = 0; index < count; index += 1) {
        symbols[index] = RtlUpcaseUnicodeChar(symbols[index]);
    }
    matches = PsctxIsNameInExpression(&expression.Text, &name);
    CHECK_EQUAL(matches, FsRtlIsNameInExpression(&expression.Text, &name, TRUE, NULL));

    PsctxMeasureExpression(&expression);
    CHECK(expression.Head <= count && expression.Tail <= count);
    file.FileName = name;
    PsctxExamineOpenedName(&file, 0, FALSE, &opened);
    canMatch = PsctxCanMatch(&expression, &opened);
    /* A name without a colon, a tilde, doubled or trailing separators is the file's own; of any other nothing is said. */
    CHECK(canMatch || !matches);
    FuzzVerdicts[canMatch ? 1 : 0][matches ? 1 : 0] += 1;
}

VOID FuzzCheckReached(VOID)
{
    printf("# %llu cannot match, %llu can and do not, %llu match\n", (unsigned long long)FuzzVerdicts[0][0],
           (unsigned long long)FuzzVerdicts[1][0], (unsigned long long)FuzzVerdicts[1][1]);
    CHECK(FuzzVerdicts[0][0] != 0 && FuzzVerdicts[1][0] != 0 && FuzzVerdicts[1][1] != 0);
}
