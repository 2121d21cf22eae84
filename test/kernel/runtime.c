/* Memory, strings, text and numbers without a C library. */
#include "runtime.h"

/* Volatile: a compiler that recognises the loop would call the very routine. */
void *memcpy(void *target, const void *source, size_t length)
{
    volatile BYTE *to = target;
    const BYTE *from = source;

    for (; length != 0; length -= 1) {
        *to++ = *from++;
    }
    return target;
}

void *memmove(void *target, const void *source, size_t length)
{
    volatile BYTE *to = target;
    const BYTE *from = source;

    if ((ULONG_PTR)target <= (ULONG_PTR)source) {
        return memcpy(target, source, length);
    }
    for (; length != 0; length -= 1) {
        to[length - 1] = from[length - 1];
    }
    return target;
}

void *memset(void *target, int value, size_t length)
{
    volatile BYTE *to = target;

    for (; length != 0; length -= 1) {
        *to++ = (BYTE)value;
    }
    return target;
}

int memcmp(const void *first, const void *second, size_t length)
{
    const volatile BYTE *left = first;
    const volatile BYTE *right = second;

    for (; length != 0; length -= 1, left += 1, right += 1) {
        if (*left != *right) {
            return *left < *right ? -1 : 1;
        }
    }
    return 0;
}

BOOL IsZero(const void *memory, size_t length)
{
    const BYTE *bytes = memory;

    for (; length != 0; length -= 1) {
        if (*bytes++ != 0) {
            return FALSE;
        }
    }
    return TRUE;
}

size_t WideLength(const WCHAR *text)
{
    size_t length = 0;

    while (text[length] != 0) {
        length += 1;
    }
    return length;
}

BOOL WideEqual(const WCHAR *first, const WCHAR *second)
{
    for (; *first == *second; first += 1, second += 1) {
        if (*first == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static WCHAR Lower(WCHAR character)
{
    return character >= L'A' && character <= L'Z' ? (WCHAR)(character + 32) : character;
}

BOOL Contains(const char *text, const WCHAR *part)
{
    for (;; text += 1) {
        size_t index = 0;

        while (part[index] != 0 && Lower((WCHAR)(BYTE)text[index]) == Lower(part[index])) {
            index += 1;
        }
        if (part[index] == 0) {
            return TRUE;
        }
        if (*text == 0) {
            return FALSE;
        }
    }
}

BOOL WideAppend(WCHAR *text, size_t capacity, const WCHAR *more)
{
    const size_t length = WideLength(text);
    const size_t added = WideLength(more);

    if (length + added >= capacity) {
        return FALSE;
    }
    memcpy(text + length, more, (added + 1) * sizeof(WCHAR));
    return TRUE;
}

/* Decimal digits of a number, the last one first; returns how many. Long division by 16 bits at a time. */
static ULONG Digits(ULONG64 number, char *digits)
{
    ULONG count = 0;

    do {
        ULONG64 quotient = 0;
        ULONG remainder = 0;

        for (int shift = 48; shift >= 0; shift -= 16) {
            const ULONG part = (remainder << 16) | (ULONG)((number >> shift) & 0xFFFFu);

            quotient |= (ULONG64)(part / 10) << shift;
            remainder = part % 10;
        }
        digits[count++] = (char)('0' + remainder);
        number = quotient;
    } while (number != 0);
    return count;
}

BOOL WideAppendNumber(WCHAR *text, size_t capacity, ULONG number)
{
    char digits[20];
    WCHAR wide[21];
    const ULONG count = Digits(number, digits);

    for (ULONG index = 0; index < count; index += 1) {
        wide[index] = (WCHAR)digits[count - 1 - index];
    }
    wide[count] = 0;
    return WideAppend(text, capacity, wide);
}

typedef struct _TEXT {
    char *Characters;
    size_t Length;
    size_t Capacity;
} TEXT_BUFFER;

static void Put(TEXT_BUFFER *text, char character)
{
    if (text->Length + 1 < text->Capacity) {
        text->Characters[text->Length++] = character;
    }
}

static void PutDecimal(TEXT_BUFFER *text, ULONG64 number)
{
    char digits[20];

    for (ULONG count = Digits(number, digits); count != 0; count -= 1) {
        Put(text, digits[count - 1]);
    }
}

static void PutHexadecimal(TEXT_BUFFER *text, ULONG64 number, int bits)
{
    Put(text, '0');
    Put(text, 'x');
    while (bits != 0) {
        bits -= 4;
        Put(text, "0123456789abcdef"[(number >> bits) & 15u]);
    }
}

static void PutWide(TEXT_BUFFER *text, const WCHAR *wide)
{
    for (; *wide != 0; wide += 1) {
        Put(text, *wide >= L' ' && *wide < 127 ? (char)*wide : '?');
    }
}

static void PutText(TEXT_BUFFER *text, const char *more)
{
    for (; *more != 0; more += 1) {
        Put(text, *more);
    }
}

size_t FormatList(char *text, size_t capacity, const char *format, va_list arguments)
{
    TEXT_BUFFER buffer = {text, 0, capacity};

    for (; *format != 0; format += 1) {
        if (*format != '%') {
            Put(&buffer, *format);
            continue;
        }
        format += 1;
        switch (*format) {
        case 's':
            PutText(&buffer, va_arg(arguments, const char *));
            break;
        case 'w':
            PutWide(&buffer, va_arg(arguments, const WCHAR *));
            break;
        case 'u':
            PutDecimal(&buffer, va_arg(arguments, ULONG));
            break;
        case 'x':
            PutHexadecimal(&buffer, va_arg(arguments, ULONG), 32);
            break;
        case 'U':
            PutDecimal(&buffer, va_arg(arguments, ULONG64));
            break;
        case 'X':
            PutHexadecimal(&buffer, va_arg(arguments, ULONG64), 64);
            break;
        default:
            Put(&buffer, *format);
            break;
        }
    }
    text[buffer.Length] = 0;
    return buffer.Length;
}

size_t Format(char *text, size_t capacity, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = FormatList(text, capacity, format, arguments);
    va_end(arguments);
    return length;
}

/* Marsaglia's xorshift with a multiplication behind it; a state of 0 would stay 0. */
ULONG Random(ULONG *state)
{
    ULONG value = *state == 0 ? 1 : *state;

    value ^= value << 13;
    value ^= value >> 17;
    value ^= value << 5;
    *state = value;
    return value * 0x9E3779B1u;
}

ULONG RandomBelow(ULONG *state, ULONG bound)
{
    return Random(state) % bound;
}

static BYTE PatternByte(ULONG file, ULONG offset)
{
    const ULONG mixed = (offset * 0x9E3779B1u) ^ (file * 0x85EBCA6Bu);

    return (BYTE)(mixed >> 24);
}

void FillPattern(BYTE *memory, ULONG length, ULONG file, ULONG offset)
{
    for (ULONG index = 0; index < length; index += 1) {
        memory[index] = PatternByte(file, offset + index);
    }
}

BOOL IsPattern(const BYTE *memory, ULONG length, ULONG file, ULONG offset)
{
    for (ULONG index = 0; index < length; index += 1) {
        if (memory[index] != PatternByte(file, offset + index)) {
            return FALSE;
        }
    }
    return TRUE;
}
