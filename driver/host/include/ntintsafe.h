/* Arithmetic that says when it overflows. */
#ifndef HOST_NTINTSAFE_H
#define HOST_NTINTSAFE_H

#include <ntstatus.h>

/* On overflow the result is the type's largest value, which no length check passes. */
#define HOST_SAFE_ARITHMETIC(Name, Type, Builtin) \
    FORCEINLINE NTSTATUS Name(Type First, Type Second, Type *Result) \
    { \
        if (Builtin(First, Second, Result)) { \
            *Result = (Type) ~(Type)0; \
            return STATUS_INTEGER_OVERFLOW; \
        } \
        return STATUS_SUCCESS; \
    }

HOST_SAFE_ARITHMETIC(RtlUShortAdd, USHORT, __builtin_add_overflow)
HOST_SAFE_ARITHMETIC(RtlUShortSub, USHORT, __builtin_sub_overflow)
HOST_SAFE_ARITHMETIC(RtlUShortMult, USHORT, __builtin_mul_overflow)
HOST_SAFE_ARITHMETIC(RtlULongAdd, ULONG, __builtin_add_overflow)
HOST_SAFE_ARITHMETIC(RtlULongSub, ULONG, __builtin_sub_overflow)
HOST_SAFE_ARITHMETIC(RtlULongMult, ULONG, __builtin_mul_overflow)
HOST_SAFE_ARITHMETIC(RtlULongLongAdd, ULONGLONG, __builtin_add_overflow)
HOST_SAFE_ARITHMETIC(RtlULongLongSub, ULONGLONG, __builtin_sub_overflow)
HOST_SAFE_ARITHMETIC(RtlULongLongMult, ULONGLONG, __builtin_mul_overflow)
HOST_SAFE_ARITHMETIC(RtlSIZETAdd, SIZE_T, __builtin_add_overflow)
HOST_SAFE_ARITHMETIC(RtlSIZETSub, SIZE_T, __builtin_sub_overflow)
HOST_SAFE_ARITHMETIC(RtlSIZETMult, SIZE_T, __builtin_mul_overflow)
HOST_SAFE_ARITHMETIC(RtlSizeTAdd, SIZE_T, __builtin_add_overflow)
HOST_SAFE_ARITHMETIC(RtlSizeTSub, SIZE_T, __builtin_sub_overflow)
HOST_SAFE_ARITHMETIC(RtlSizeTMult, SIZE_T, __builtin_mul_overflow)

#define HOST_SAFE_CONVERSION(Name, From, To) \
    FORCEINLINE NTSTATUS Name(From Value, To *Result) \
    { \
        if (Value > (From)(To) ~(To)0) { \
            *Result = (To) ~(To)0; \
            return STATUS_INTEGER_OVERFLOW; \
        } \
        *Result = (To)Value; \
        return STATUS_SUCCESS; \
    }

HOST_SAFE_CONVERSION(RtlULongToUShort, ULONG, USHORT)
HOST_SAFE_CONVERSION(RtlSIZETToULong, SIZE_T, ULONG)
HOST_SAFE_CONVERSION(RtlSizeTToULong, SIZE_T, ULONG)
HOST_SAFE_CONVERSION(RtlSizeTToUShort, SIZE_T, USHORT)
HOST_SAFE_CONVERSION(RtlULongLongToULong, ULONGLONG, ULONG)

#endif
