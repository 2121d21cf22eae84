/* Names of the directory file system: UTF-16 to UTF-8 and back, nothing but well-formed text either way. */
#include "directory.h"

static BOOLEAN IsHighSurrogate(ULONG Unit)
{
    return (BOOLEAN)(Unit >= 0xd800 && Unit <= 0xdbff);
}

static BOOLEAN IsLowSurrogate(ULONG Unit)
{
    return (BOOLEAN)(Unit >= 0xdc00 && Unit <= 0xdfff);
}

/* How many bytes UTF-8 takes for a character. */
static SIZE_T EncodedLength(ULONG Character)
{
    if (Character < 0x80) {
        return 1;
    }
    if (Character < 0x800) {
        return 2;
    }
    return Character < 0x10000 ? 3 : 4;
}

static VOID Encode(ULONG Character, SIZE_T Length, char *Bytes)
{
    static const UCHAR Lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    SIZE_T Index = Length;

    while (Index > 1) {
        Index--;
        Bytes[Index] = (char)(0x80 | (Character & 0x3f));
        Character >>= 6;
    }
    Bytes[0] = (char)(Lead[Length] | Character);
}

/* See directory.h. Any IRQL. */
NTSTATUS DirectoryToUtf8(PCUNICODE_STRING Name, char *Bytes, SIZE_T Capacity)
{
    USHORT Count = (USHORT)(Name->Length / sizeof(WCHAR));
    USHORT Index = 0;
    SIZE_T Used = 0;

    while (Index < Count) {
        ULONG Character = Name->Buffer[Index];
        SIZE_T Length;

        Index++;
        if (IsLowSurrogate(Character)) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        if (IsHighSurrogate(Character)) {
            if (Index == Count || !IsLowSurrogate(Name->Buffer[Index])) {
                return STATUS_OBJECT_NAME_INVALID;
            }
            Character = 0x10000 + ((Character - 0xd800) << 10) + ((ULONG)Name->Buffer[Index] - 0xdc00);
            Index++;
        }
        Length = EncodedLength(Character);
        if (Length >= Capacity - Used) {
            return STATUS_OBJECT_NAME_INVALID;
        }
        Encode(Character, Length, Bytes + Used);
        Used += Length;
    }
    Bytes[Used] = '\0';
    return STATUS_SUCCESS;
}

/* Reads one character; FALSE for an ill-formed sequence, an overlong one or a surrogate. */
static BOOLEAN Decode(const UCHAR **Position, PULONG Character)
{
    static const ULONG Smallest[] = {0, 0x80, 0x800, 0x10000};
    const UCHAR *Bytes = *Position;
    ULONG Following = 0;
    ULONG Value = *Bytes++;
    ULONG Index;

    if (Value >= 0xf8 || (Value >= 0x80 && Value < 0xc0)) {
        return FALSE;
    }
    if (Value >= 0xf0) {
        Following = 3;
        Value &= 0x07;
    } else if (Value >= 0xe0) {
        Following = 2;
        Value &= 0x0f;
    } else if (Value >= 0xc0) {
        Following = 1;
        Value &= 0x1f;
    }
    for (Index = 0; Index < Following; Index++) {
        if ((*Bytes & 0xc0) != 0x80) {
            return FALSE;
        }
        Value = (Value << 6) | (*Bytes++ & 0x3fu);
    }
    *Position = Bytes;
    *Character = Value;
    return (BOOLEAN)(Value >= Smallest[Following] && Value <= 0x10ffff && !(Value >= 0xd800 && Value <= 0xdfff));
}

/* See directory.h. Any IRQL. */
BOOLEAN DirectoryToUtf16(const char *Bytes, PUNICODE_STRING Name)
{
    const UCHAR *Position = (const UCHAR *)Bytes;
    USHORT Capacity = (USHORT)(Name->MaximumLength / sizeof(WCHAR));
    USHORT Used = 0;

    while (*Position != 0) {
        ULONG Character;

        if (!Decode(&Position, &Character) || Used + (Character < 0x10000 ? 1 : 2) > Capacity) {
            return FALSE;
        }
        if (Character < 0x10000) {
            Name->Buffer[Used++] = (WCHAR)Character;
        } else {
            Name->Buffer[Used++] = (WCHAR)(0xd800 + ((Character - 0x10000) >> 10));
            Name->Buffer[Used++] = (WCHAR)(0xdc00 + ((Character - 0x10000) & 0x3ff));
        }
    }
    Name->Length = (USHORT)(Used * sizeof(WCHAR));
    return TRUE;
}
