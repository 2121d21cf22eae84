/* Takes path names apart by NTFS's rules. */
#include "fsd.h"

/* One of two separators that a name begins with is dropped, as Microsoft's own file systems do: Win32 sends such names. Any IRQL. */
VOID FsdDropDoubledSeparator(PUNICODE_STRING FileName)
{
    if (FileName->Length > sizeof(WCHAR) && FileName->Buffer[0] == OBJ_NAME_PATH_SEPARATOR &&
        FileName->Buffer[1] == OBJ_NAME_PATH_SEPARATOR) {
        FileName->Length = (USHORT)(FileName->Length - sizeof(WCHAR));
        RtlMoveMemory(FileName->Buffer, FileName->Buffer + 1, FileName->Length);
    }
}

/* TRUE for a path, without what it may begin and end with, that has a separator where a name should be. Any IRQL. */
BOOLEAN FsdHasEmptyComponent(PCUNICODE_STRING Path)
{
    USHORT Count = (USHORT)(Path->Length / sizeof(WCHAR));
    BOOLEAN AfterSeparator = (BOOLEAN)(Count != 0);
    BOOLEAN Empty = FALSE;
    USHORT Index;

    for (Index = 0; Index < Count && !Empty; Index++) {
        BOOLEAN Separator = (BOOLEAN)(Path->Buffer[Index] == OBJ_NAME_PATH_SEPARATOR);

        Empty = (BOOLEAN)(Separator && AfterSeparator);
        AfterSeparator = Separator;
    }
    return (BOOLEAN)(Empty || AfterSeparator);
}

/*
 * Cuts the first component off Path, with the separators around it; empty when a separator stands where a name should. Any IRQL.
 */
UNICODE_STRING FsdTakeComponent(PUNICODE_STRING Path)
{
    UNICODE_STRING Component = *Path;
    USHORT Count = (USHORT)(Path->Length / sizeof(WCHAR));
    USHORT Index = 0;

    while (Index < Count && Path->Buffer[Index] != OBJ_NAME_PATH_SEPARATOR) {
        Index++;
    }
    Component.Length = (USHORT)(Index * sizeof(WCHAR));
    Component.MaximumLength = Component.Length;
    if (Index < Count) {
        Index++;
    }
    Path->Buffer += Index;
    Path->Length = (USHORT)(Path->Length - Index * sizeof(WCHAR));
    Path->MaximumLength = Path->Length;
    return Component;
}

static BOOLEAN IsDotName(PCUNICODE_STRING Name)
{
    return (BOOLEAN)((Name->Length == sizeof(WCHAR) && Name->Buffer[0] == L'.') ||
                     (Name->Length == 2 * sizeof(WCHAR) && Name->Buffer[0] == L'.' && Name->Buffer[1] == L'.'));
}

/* TRUE for what NTFS takes as a file's name: 1 to 255 units, no control characters, none of "*:<>?|/\ and not . or .. Any IRQL. */
BOOLEAN FsdIsValidComponent(PCUNICODE_STRING Name)
{
    USHORT Count = (USHORT)(Name->Length / sizeof(WCHAR));
    BOOLEAN Valid = (BOOLEAN)(Count != 0 && Count <= NODE_MAXIMUM_NAME && !IsDotName(Name));
    USHORT Index;

    for (Index = 0; Valid && Index < Count; Index++) {
        switch (Name->Buffer[Index]) {
        case L'"':
        case L'*':
        case L'/':
        case L':':
        case L'<':
        case L'>':
        case L'?':
        case L'\\':
        case L'|':
            Valid = FALSE;
            break;
        default:
            Valid = (BOOLEAN)(Name->Buffer[Index] >= L' ');
            break;
        }
    }
    return Valid;
}

/* Stream names may hold any character but the separators and the terminator. */
static BOOLEAN IsValidStreamName(PCUNICODE_STRING Name)
{
    USHORT Count = (USHORT)(Name->Length / sizeof(WCHAR));
    BOOLEAN Valid = (BOOLEAN)(Count <= NODE_MAXIMUM_NAME);
    USHORT Index;

    for (Index = 0; Valid && Index < Count; Index++) {
        Valid = (BOOLEAN)(Name->Buffer[Index] != UNICODE_NULL && Name->Buffer[Index] != L'/' &&
                          Name->Buffer[Index] != OBJ_NAME_PATH_SEPARATOR);
    }
    return Valid;
}

static USHORT FindColon(PCUNICODE_STRING Text, USHORT From)
{
    USHORT Count = (USHORT)(Text->Length / sizeof(WCHAR));
    USHORT Index = From;

    while (Index < Count && Text->Buffer[Index] != L':') {
        Index++;
    }
    return Index;
}

static UNICODE_STRING Slice(PCUNICODE_STRING Text, USHORT From, USHORT To)
{
    UNICODE_STRING Part;

    Part.Buffer = Text->Buffer + From;
    Part.Length = (USHORT)((To - From) * sizeof(WCHAR));
    Part.MaximumLength = Part.Length;
    return Part;
}

/*
 * Splits the last component: name, name:stream, name:stream:$DATA, name::$DATA, and without a name in a root directory or a relative
 * open. STATUS_OBJECT_NAME_INVALID for everything else; an empty Name is the caller's to judge. Any IRQL.
 */
NTSTATUS FsdParseLeaf(PCUNICODE_STRING Component, PFSD_LEAF Leaf)
{
    static const WCHAR DataTypeText[] = L"$DATA";
    const UNICODE_STRING DataType = RTL_CONSTANT_STRING(DataTypeText);
    USHORT Count = (USHORT)(Component->Length / sizeof(WCHAR));
    USHORT NameEnd = FindColon(Component, 0);
    USHORT StreamEnd = NameEnd;
    BOOLEAN Typed = FALSE;
    UNICODE_STRING Type;

    RtlZeroMemory(Leaf, sizeof(*Leaf));
    Leaf->Name = Slice(Component, 0, NameEnd);
    if (NameEnd < Count) {
        Leaf->ExplicitStream = TRUE;
        StreamEnd = FindColon(Component, (USHORT)(NameEnd + 1));
        Leaf->Stream = Slice(Component, (USHORT)(NameEnd + 1), StreamEnd);
    }
    if (StreamEnd < Count) {
        Typed = TRUE;
        Type = Slice(Component, (USHORT)(StreamEnd + 1), Count);
        if (!RtlEqualUnicodeString(&Type, &DataType, TRUE)) {
            return STATUS_OBJECT_NAME_INVALID;
        }
    }
    if (Leaf->Name.Length != 0 && !FsdIsValidComponent(&Leaf->Name)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (Leaf->ExplicitStream && ((!Typed && Leaf->Stream.Length == 0) || !IsValidStreamName(&Leaf->Stream))) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    return STATUS_SUCCESS;
}

/* A hash that does not tell upper from lower case. Any IRQL. */
ULONG FsdHashName(ULONG64 Seed, PCUNICODE_STRING Name)
{
    ULONG64 Hash = Seed ^ 0xcbf29ce484222325ULL;
    USHORT Count = (USHORT)(Name->Length / sizeof(WCHAR));
    USHORT Index;

    for (Index = 0; Index < Count; Index++) {
        Hash = (Hash ^ RtlUpcaseUnicodeChar(Name->Buffer[Index])) * 0x100000001b3ULL;
    }
    Hash ^= Hash >> 32;
    Hash *= 0x9e3779b97f4a7c15ULL;
    return (ULONG)(Hash >> 32);
}
