/*
 * What can be told of an opened file's name before the file system is asked for it.
 *
 * The name that a file is opened by may be one of many: short, relative, a file's identifier, with "::$DATA" behind it, through a
 * redirector's prefix. Rules are about the one that the file system tells of the file when it is open. Asking costs a request, so that
 * most opens are spared it: those whose name, as opened, is such that the file's own cannot match.
 */
#include "tracking/name.h"

static BOOLEAN PsctxIsWildCard(_In_ WCHAR Symbol)
{
    return Symbol == L'*' || Symbol == L'?' || Symbol == L'<' || Symbol == L'>' || Symbol == L'"';
}

/*
 * How many characters an expression begins and ends with that stand for themselves. Any IRQL.
 */
_Use_decl_annotations_ VOID PsctxMeasureExpression(PPSCTX_EXPRESSION Expression)
{
    const WCHAR *symbols = Expression->Text.Buffer;
    const ULONG count = Expression->Text.Length / sizeof(WCHAR);

    Expression->Head = 0;
    while (Expression->Head < count && !PsctxIsWildCard(symbols[Expression->Head])) {
        Expression->Head += 1;
    }
    Expression->Tail = 0;
    while (Expression->Tail < count && !PsctxIsWildCard(symbols[count - 1 - Expression->Tail])) {
        Expression->Tail += 1;
    }
}

/*
 * What the name that a file is opened by says of the file's own. It says nothing if it is no name (an identifier, or none: the related file
 * itself); of a redirector's file, whose name has another shape; or if there is something in it that file systems take
 * away or put elsewhere: a stream or its type, doubled or trailing separators, trailing periods and blanks. A tilde makes a
 * component a short name, perhaps; that of a relative name's directory is not known. PASSIVE_LEVEL, in the path of a create:
 * Name is good as long as FileName is. [wdm/ns-wdm-_file_object]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxExamineOpenedName(PFILE_OBJECT FileObject, ULONG CreateOptions,
                                                              BOOLEAN Redirector, PPSCTX_OPENED_NAME Name)
{
    const WCHAR *characters = FileObject->FileName.Buffer;
    const ULONG count = FileObject->FileName.Length / sizeof(WCHAR);
    BOOLEAN shortDirectory = FALSE;
    BOOLEAN shortLast = FALSE;
    WCHAR previous = 0;
    ULONG last = 0;
    ULONG index;

    PAGED_CODE();

    RtlZeroMemory(Name, sizeof(*Name));
    if (Redirector || FlagOn(CreateOptions, FILE_OPEN_BY_FILE_ID) || count == 0 ||
        FileObject->FileName.Length % sizeof(WCHAR) != 0) {
        return;
    }
    for (index = 0; index < count; index += 1) {
        const WCHAR character = characters[index];

        if (character == L'\\') {
            if (previous == L'\\' || previous == L'.' || previous == L' ') {
                return;
            }
            last = index + 1;
            shortDirectory |= shortLast;
            shortLast = FALSE;
        } else if (character == L':') {
            return;
        } else if (character == L'~') {
            shortLast = TRUE;
        }
        previous = character;
    }
    if (previous == L'\\' || previous == L'.' || previous == L' ') {
        return;
    }
    Name->Characters = characters;
    Name->Count = count;
    Name->Last = last;
    Name->HeadIsKnown = FileObject->RelatedFileObject == NULL && !shortDirectory && !shortLast;
    Name->TailIsKnown = !shortLast;
}

/*
 * Keeps what an opened name says beyond the moment at which the file system has the create, and with it the name. Memory is for PsctxFree.
 * Where there is none, the name says nothing. [wdm/ns-wdm-_file_object]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxKeepOpenedName(PPSCTX_OPENED_NAME Name, PVOID *Memory)
{
    const SIZE_T length = (SIZE_T)Name->Count * sizeof(WCHAR);

    PAGED_CODE();

    *Memory = NULL;
    if (Name->HeadIsKnown || Name->TailIsKnown) {
        *Memory = PsctxAllocate(PagedPool, length);
        if (*Memory == NULL) {
            RtlZeroMemory(Name, sizeof(*Name));
        } else {
            RtlCopyMemory(*Memory, Name->Characters, length);
            Name->Characters = *Memory;
        }
    }
}

/* Of characters beyond ASCII nothing is said: which of them are one is the volume's to know, and how many are made of them. */
static BOOLEAN PsctxIsAscii(_In_ WCHAR Character)
{
    return Character < 0x80;
}

/* Whether an upcased character of an expression stands for another than this one of ASCII. */
static BOOLEAN PsctxDiffers(_In_ WCHAR Symbol, _In_ WCHAR Character)
{
    const WCHAR upcased = Character >= L'a' && Character <= L'z' ? (WCHAR)(Character - L'a' + L'A') : Character;

    return PsctxIsAscii(Symbol) && Symbol != upcased;
}

/*
 * FALSE only if no file that is opened by this name can have one of its own that matches. PASSIVE_LEVEL.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxCanMatch(const PSCTX_EXPRESSION *Expression,
                                                        const PSCTX_OPENED_NAME *Name)
{
    const WCHAR *symbols = Expression->Text.Buffer;
    const ULONG count = Expression->Text.Length / sizeof(WCHAR);
    ULONG index;

    PAGED_CODE();

    for (index = 1; Name->TailIsKnown && index <= Expression->Tail && index <= Name->Count - Name->Last; index += 1) {
        const WCHAR character = Name->Characters[Name->Count - index];

        if (!PsctxIsAscii(character)) {
            break;
        }
        if (PsctxDiffers(symbols[count - index], character)) {
            return FALSE;
        }
    }
    for (index = 0; Name->HeadIsKnown && index < Expression->Head; index += 1) {
        if (index == Name->Count) {
            return FALSE;
        }
        if (!PsctxIsAscii(Name->Characters[index])) {
            break;
        }
        if (PsctxDiffers(symbols[index], Name->Characters[index])) {
            return FALSE;
        }
    }
    return TRUE;
}
