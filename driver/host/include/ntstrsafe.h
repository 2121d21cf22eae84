/* Lengths of terminated strings, bounded by the caller. */
#ifndef HOST_NTSTRSAFE_H
#define HOST_NTSTRSAFE_H

#include <nt_rtl.h>

#define NTSTRSAFE_MAX_CCH 2147483647
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(WCHAR))

/* STATUS_INVALID_PARAMETER, and a length of zero, when there is no terminator among the first MaximumLength characters. */
FORCEINLINE NTSTATUS RtlStringCchLengthW(PCWSTR String, SIZE_T MaximumLength, SIZE_T *Length)
{
    SIZE_T Count = 0;

    if (Length != NULL) {
        *Length = 0;
    }
    if (String == NULL || MaximumLength > NTSTRSAFE_MAX_CCH) {
        return STATUS_INVALID_PARAMETER;
    }
    while (Count < MaximumLength && String[Count] != UNICODE_NULL) {
        Count++;
    }
    if (Count == MaximumLength) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Length != NULL) {
        *Length = Count;
    }
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER when String is longer than a counted string can be. */
FORCEINLINE NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING Target, PCWSTR String)
{
    SIZE_T Length = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    Target->Length = Target->MaximumLength = 0;
    Target->Buffer = NULL;
    if (String != NULL) {
        Status = RtlStringCchLengthW(String, NTSTRSAFE_UNICODE_STRING_MAX_CCH, &Length);
        if (NT_SUCCESS(Status)) {
            Target->Buffer = (PWCH)(ULONG_PTR)String;
            Target->Length = (USHORT)(Length * sizeof(WCHAR));
            Target->MaximumLength = (USHORT)(Target->Length + sizeof(WCHAR));
        }
    }
    return Status;
}

#endif
