/*
 * What a C library would give: memory, strings, text, numbers. No 64-bit division, which 32-bit compilers call a library for.
 */
#ifndef SELFTEST_RUNTIME_H
#define SELFTEST_RUNTIME_H

#include <stdarg.h>

#include "nt.h"

#define COUNT_OF(Array) (sizeof(Array) / sizeof((Array)[0]))

void *memcpy(void *target, const void *source, size_t length);
void *memmove(void *target, const void *source, size_t length);
void *memset(void *target, int value, size_t length);
int memcmp(const void *first, const void *second, size_t length);

BOOL IsZero(const void *memory, size_t length);
size_t WideLength(const WCHAR *text);
BOOL WideEqual(const WCHAR *first, const WCHAR *second);
/* TRUE if part, in any case of ASCII letters, is in text. */
BOOL Contains(const char *text, const WCHAR *part);

/* Appends to text of Capacity characters, NUL included; FALSE if it did not fit, and text is then as it was. */
BOOL WideAppend(WCHAR *text, size_t capacity, const WCHAR *more);
BOOL WideAppendNumber(WCHAR *text, size_t capacity, ULONG number);

/*
 * Formats into text, always terminated, and returns its length. %s ASCII, %w wide (what is not ASCII as ?), %u and %x 32 bits, %U and %X 64 bits, %% a
 * per cent sign. Hexadecimal is 0x and every digit.
 */
size_t FormatList(char *text, size_t capacity, const char *format, va_list arguments);
size_t Format(char *text, size_t capacity, const char *format, ...);

/* A generator whose whole state is its seed. */
ULONG Random(ULONG *state);
/* Below bound, which is not 0. */
ULONG RandomBelow(ULONG *state, ULONG bound);
/* A pattern that tells where in which file a byte belongs. */
void FillPattern(BYTE *memory, ULONG length, ULONG file, ULONG offset);
BOOL IsPattern(const BYTE *memory, ULONG length, ULONG file, ULONG offset);

#endif
