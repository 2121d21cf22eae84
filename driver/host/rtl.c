/* Counted strings and memory. Case folding is the simple one of Latin, Greek and Cyrillic letters. */
#include "kernel.h"

#include <stdio.h>

#define HOST_STRING_TAG 'grtS'

WCHAR HostUpcase(WCHAR Character)
{
    ULONG Code = Character;

    if (Code < 0x80) {
        return (WCHAR)(Code >= 'a' && Code <= 'z' ? Code - 0x20 : Code);
    }
    if ((Code >= 0xE0 && Code <= 0xFE && Code != 0xF7) || (Code >= 0x3B1 && Code <= 0x3C9 && Code != 0x3C2) ||
        (Code >= 0x430 && Code <= 0x44F)) {
        return (WCHAR)(Code - 0x20);
    }
    if (Code == 0xFF) {
        return (WCHAR)0x178;
    }
    if (Code >= 0x450 && Code <= 0x45F) {
        return (WCHAR)(Code - 0x50);
    }
    if ((Code >= 0x100 && Code <= 0x137 && Code != 0x131) || (Code >= 0x14A && Code <= 0x177) ||
        (Code >= 0x460 && Code <= 0x481) || (Code >= 0x48A && Code <= 0x4BF) || (Code >= 0x4D0 && Code <= 0x52F) ||
        (Code >= 0x1E00 && Code <= 0x1E95) || (Code >= 0x1EA0 && Code <= 0x1EFF)) {
        return (WCHAR)(Code & ~1u);
    }
    if ((Code >= 0x139 && Code <= 0x148) || (Code >= 0x179 && Code <= 0x17E) || (Code >= 0x4C1 && Code <= 0x4CE)) {
        return (WCHAR)((Code & 1u) == 0 ? Code - 1 : Code);
    }
    return Character;
}

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    (VOID) HostEnter(RtlUpcaseUnicodeChar);
    return HostUpcase(SourceCharacter);
}

WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    (VOID) HostEnter(RtlDowncaseUnicodeChar);
    for (ULONG Distance = 1; Distance <= 0x50; Distance++) {
        WCHAR Candidate = (WCHAR)(SourceCharacter + Distance);

        if (Candidate > SourceCharacter && HostUpcase(Candidate) == SourceCharacter) {
            return Candidate;
        }
    }
    return SourceCharacter;
}

LONG HostCompareStrings(PCUNICODE_STRING First, PCUNICODE_STRING Second, BOOLEAN CaseInSensitive)
{
    ULONG Count = (ULONG)min(First->Length, Second->Length) / (ULONG)sizeof(WCHAR);

    for (ULONG Index = 0; Index < Count; Index++) {
        WCHAR Left = First->Buffer[Index];
        WCHAR Right = Second->Buffer[Index];

        if (Left != Right && CaseInSensitive) {
            Left = HostUpcase(Left);
            Right = HostUpcase(Right);
        }
        if (Left != Right) {
            return (LONG)Left - (LONG)Right;
        }
    }
    return (LONG)First->Length - (LONG)Second->Length;
}

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T Length = 0;

    (VOID) HostEnter(RtlInitUnicodeString);
    DestinationString->Length = DestinationString->MaximumLength = 0;
    DestinationString->Buffer = (PWCH)(ULONG_PTR)SourceString;
    if (SourceString != NULL) {
        while (Length < UNICODE_STRING_MAX_CHARS - 1 && SourceString[Length] != UNICODE_NULL) {
            Length++;
        }
        DestinationString->Length = (USHORT)(Length * sizeof(WCHAR));
        DestinationString->MaximumLength = (USHORT)(DestinationString->Length + sizeof(WCHAR));
    }
}

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    (VOID) HostEnter(RtlCopyUnicodeString);
    DestinationString->Length = 0;
    if (SourceString != NULL) {
        DestinationString->Length = min(SourceString->Length, DestinationString->MaximumLength);
        memmove(DestinationString->Buffer, SourceString->Buffer, DestinationString->Length);
    }
}

static NTSTATUS HostAppend(PUNICODE_STRING Destination, PCWCH Source, SIZE_T Bytes)
{
    if (Destination->Length + Bytes > Destination->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memmove((PUCHAR)Destination->Buffer + Destination->Length, Source, Bytes);
    Destination->Length = (USHORT)(Destination->Length + Bytes);
    if ((SIZE_T)Destination->Length + sizeof(WCHAR) <= Destination->MaximumLength) {
        Destination->Buffer[Destination->Length / sizeof(WCHAR)] = UNICODE_NULL;
    }
    return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    (VOID) HostEnter(RtlAppendUnicodeStringToString);
    return Source->Length == 0 ? STATUS_SUCCESS : HostAppend(Destination, Source->Buffer, Source->Length);
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    SIZE_T Length = 0;

    (VOID) HostEnter(RtlAppendUnicodeToString);
    while (Source != NULL && Source[Length] != UNICODE_NULL) {
        Length++;
    }
    return Length == 0 ? STATUS_SUCCESS : HostAppend(Destination, Source, Length * sizeof(WCHAR));
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    (VOID) HostEnter(RtlEqualUnicodeString);
    return (BOOLEAN)(String1->Length == String2->Length && HostCompareStrings(String1, String2, CaseInSensitive) == 0);
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    (VOID) HostEnter(RtlCompareUnicodeString);
    return HostCompareStrings(String1, String2, CaseInSensitive);
}

BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    UNICODE_STRING Start = *String2;

    (VOID) HostEnter(RtlPrefixUnicodeString);
    if (String1->Length > String2->Length) {
        return FALSE;
    }
    Start.Length = String1->Length;
    return (BOOLEAN)(HostCompareStrings(String1, &Start, CaseInSensitive) == 0);
}

/* STATUS_BUFFER_OVERFLOW, or STATUS_NO_MEMORY with AllocateDestinationString: free with RtlFreeUnicodeString. */
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString)
{
    (VOID) HostEnter(RtlUpcaseUnicodeString);
    if (AllocateDestinationString) {
        DestinationString->MaximumLength = SourceString->Length;
        DestinationString->Buffer = HostAllocatePool(PagedPool, max(SourceString->Length, (USHORT)sizeof(WCHAR)),
                                                     HOST_STRING_TAG, FALSE, __builtin_return_address(0));
        if (DestinationString->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
    } else if (SourceString->Length > DestinationString->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (ULONG Index = 0; Index < SourceString->Length / sizeof(WCHAR); Index++) {
        DestinationString->Buffer[Index] = HostUpcase(SourceString->Buffer[Index]);
    }
    DestinationString->Length = SourceString->Length;
    return STATUS_SUCCESS;
}

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    (VOID) HostEnter(RtlFreeUnicodeString);
    if (UnicodeString->Buffer != NULL) {
        HostFreePool(UnicodeString->Buffer, HOST_STRING_TAG, "RtlFreeUnicodeString");
        RtlZeroMemory(UnicodeString, sizeof(*UnicodeString));
    }
}

NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    static const char Digits[] = "0123456789ABCDEF";
    WCHAR Text[33];
    ULONG Position = RTL_NUMBER_OF(Text);
    ULONG Radix = Base == 0 ? 10 : Base;

    (VOID) HostEnter(RtlIntegerToUnicodeString);
    if (Radix != 2 && Radix != 8 && Radix != 10 && Radix != 16) {
        return STATUS_INVALID_PARAMETER;
    }
    do {
        Position--;
        Text[Position] = (WCHAR)Digits[Value % Radix];
        Value /= Radix;
    } while (Value != 0);
    String->Length = 0;
    return HostAppend(String, Text + Position, (RTL_NUMBER_OF(Text) - Position) * sizeof(WCHAR)) == STATUS_SUCCESS
               ? STATUS_SUCCESS
               : STATUS_BUFFER_OVERFLOW;
}

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *First = Source1;
    const UCHAR *Second = Source2;
    SIZE_T Equal = 0;

    while (Equal < Length && First[Equal] == Second[Equal]) {
        Equal++;
    }
    return Equal;
}

PVOID RtlSecureZeroMemory(PVOID Memory, SIZE_T Length)
{
    volatile UCHAR *Byte = Memory;

    while (Length-- != 0) {
        *Byte++ = 0;
    }
    return Memory;
}

static ULONG HostDebugPrint(const char *Format, va_list Arguments)
{
    char Text[512];

    (void)vsnprintf(Text, sizeof(Text), Format, Arguments);
    PlatformPrint("%s", Text);
    return 0;
}

ULONG DbgPrint(PCSTR Format, ...)
{
    va_list Arguments;

    va_start(Arguments, Format);
    (VOID) HostDebugPrint(Format, Arguments);
    va_end(Arguments);
    return 0;
}

/* Errors are printed; what is less than that is not, as on a machine without a debugger. */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list Arguments;

    UNREFERENCED_PARAMETER(ComponentId);
    if (Level == DPFLTR_ERROR_LEVEL) {
        va_start(Arguments, Format);
        (VOID) HostDebugPrint(Format, Arguments);
        va_end(Arguments);
    }
    return 0;
}

VOID ProbeForRead(const volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    (VOID) HostEnter(ProbeForRead);
    if (Length != 0 && (Address == NULL || ((ULONG_PTR)Address & (Alignment - 1)) != 0)) {
        ExRaiseStatus(Address == NULL ? STATUS_ACCESS_VIOLATION : STATUS_DATATYPE_MISALIGNMENT);
    }
}

VOID ProbeForWrite(volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    (VOID) HostEnter(ProbeForWrite);
    if (Length != 0 && (Address == NULL || ((ULONG_PTR)Address & (Alignment - 1)) != 0)) {
        ExRaiseStatus(Address == NULL ? STATUS_ACCESS_VIOLATION : STATUS_DATATYPE_MISALIGNMENT);
    }
}

/* IRQL PASSIVE_LEVEL. The code page is Latin-1. What does not fit is left out. */
NTSTATUS RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString, PULONG BytesInUnicodeString,
                                const CHAR *MultiByteString, ULONG BytesInMultiByteString)
{
    ULONG Count = min(MaxBytesInUnicodeString / (ULONG)sizeof(WCHAR), BytesInMultiByteString);

    (VOID) HostEnter(RtlMultiByteToUnicodeN);
    for (ULONG Index = 0; Index < Count; Index++) {
        UnicodeString[Index] = (UCHAR)MultiByteString[Index];
    }
    if (BytesInUnicodeString != NULL) {
        *BytesInUnicodeString = Count * (ULONG)sizeof(WCHAR);
    }
    return STATUS_SUCCESS;
}
