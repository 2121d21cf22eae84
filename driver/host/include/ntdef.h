/* The basic types of the kernel interface, with the sizes they have on 64-bit Windows, and what every header needs of them. */
#ifndef HOST_NTDEF_H
#define HOST_NTDEF_H

#include <sal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define HOST_EXTERN_C_BEGIN extern "C" {
#define HOST_EXTERN_C_END }
#define EXTERN_C extern "C"
#define C_ASSERT(Condition) static_assert(Condition, #Condition)
#else
#define HOST_EXTERN_C_BEGIN
#define HOST_EXTERN_C_END
#define EXTERN_C extern
#define C_ASSERT(Condition) _Static_assert(Condition, #Condition)
#endif

#define VOID void
#define CONST const
#define NTAPI
#define NTKERNELAPI
#define NTSYSAPI
#define NTSYSCALLAPI
#define FASTCALL
#define FORCEINLINE static inline __attribute__((always_inline, unused))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_ALIGN(Bytes) __attribute__((aligned(Bytes)))
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define POINTER_ALIGNMENT DECLSPEC_ALIGN(__SIZEOF_POINTER__)
#define ANYSIZE_ARRAY 1

#define UNREFERENCED_PARAMETER(Parameter) ((void)(Parameter))
#define DBG_UNREFERENCED_PARAMETER(Parameter) ((void)(Parameter))
#define UNREFERENCED_LOCAL_VARIABLE(Variable) ((void)(Variable))

typedef char CHAR;
typedef char CCHAR;
typedef signed char SCHAR;
typedef unsigned char UCHAR;
typedef short SHORT;
typedef short CSHORT;
typedef unsigned short USHORT;
typedef int INT;
typedef unsigned int UINT;
typedef int LONG;
typedef unsigned int ULONG;
typedef unsigned int DWORD;
/* Aligned as Windows has them on every machine: other systems give them 4 bytes on a 32-bit one. C++ takes no such type for a template's. */
#if __SIZEOF_POINTER__ == 4
#define HOST_ALIGN_64 DECLSPEC_ALIGN(8)
#else
#define HOST_ALIGN_64
#endif
typedef long long LONGLONG HOST_ALIGN_64;
typedef unsigned long long ULONGLONG HOST_ALIGN_64;
typedef long long LONG64 HOST_ALIGN_64;
typedef unsigned long long ULONG64 HOST_ALIGN_64;
typedef unsigned char UINT8;
typedef unsigned short UINT16;
typedef unsigned int UINT32;
typedef unsigned long long UINT64 HOST_ALIGN_64;
typedef int INT32;
typedef long long INT64 HOST_ALIGN_64;
typedef UCHAR BOOLEAN;
typedef wchar_t WCHAR;
typedef intptr_t LONG_PTR;
typedef uintptr_t ULONG_PTR;
typedef intptr_t SSIZE_T;
typedef uintptr_t SIZE_T;
typedef intptr_t INT_PTR;
typedef uintptr_t UINT_PTR;

typedef void *PVOID;
typedef const void *LPCVOID;
typedef CHAR *PCHAR;
typedef CHAR *PSTR;
typedef const CHAR *PCSTR;
typedef const CHAR *PCSZ;
typedef UCHAR *PUCHAR;
typedef const UCHAR *PCUCHAR;
typedef USHORT *PUSHORT;
typedef LONG *PLONG;
typedef ULONG *PULONG;
typedef LONG64 *PLONG64;
typedef ULONG64 *PULONG64;
typedef LONGLONG *PLONGLONG;
typedef ULONGLONG *PULONGLONG;
typedef LONG_PTR *PLONG_PTR;
typedef ULONG_PTR *PULONG_PTR;
typedef SIZE_T *PSIZE_T;
typedef BOOLEAN *PBOOLEAN;
typedef WCHAR *PWCHAR;
typedef WCHAR *PWCH;
typedef WCHAR *PWSTR;
typedef const WCHAR *PCWCH;
typedef const WCHAR *PCWSTR;

typedef void *HANDLE;
typedef HANDLE *PHANDLE;
typedef LONG NTSTATUS;
typedef NTSTATUS *PNTSTATUS;
typedef ULONG ACCESS_MASK;
typedef ACCESS_MASK *PACCESS_MASK;
typedef ULONG LOGICAL;
typedef ULONG LCID;
typedef UCHAR KIRQL;
typedef KIRQL *PKIRQL;
typedef CCHAR KPROCESSOR_MODE;
typedef ULONG_PTR KSPIN_LOCK;
typedef KSPIN_LOCK *PKSPIN_LOCK;
typedef ULONG_PTR KAFFINITY;
typedef LONG KPRIORITY;

C_ASSERT(sizeof(WCHAR) == 2);
C_ASSERT(sizeof(LONG) == 4 && sizeof(LONG64) == 8 && sizeof(ULONG_PTR) == sizeof(PVOID));

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif

#define MINCHAR 0x80
#define MAXCHAR 0x7f
#define MAXUCHAR 0xff
#define MAXSHORT 0x7fff
#define MAXUSHORT 0xffff
#define MINLONG ((LONG)0x80000000)
#define MAXLONG 0x7fffffff
#define MAXULONG 0xffffffff
#define MAXULONG64 ((ULONG64) ~((ULONG64)0))
#define MAXULONG_PTR ((ULONG_PTR) ~((ULONG_PTR)0))
#define MAXLONGLONG (0x7fffffffffffffffLL)
#define UNICODE_NULL ((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS (32767)
#define OBJ_NAME_PATH_SEPARATOR ((WCHAR)L'\\')

typedef enum _MODE { KernelMode, UserMode, MaximumMode } MODE;

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef struct _LUID {
    ULONG LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;

typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;

#define DECLARE_CONST_UNICODE_STRING(Variable, Text) \
    const WCHAR Variable##_buffer[] = Text; \
    const UNICODE_STRING Variable = {sizeof(Text) - sizeof(WCHAR), sizeof(Text), (PWCH)(ULONG_PTR)Variable##_buffer}

#define RTL_CONSTANT_STRING(Text) {sizeof(Text) - sizeof((Text)[0]), sizeof(Text), (PWCH)(ULONG_PTR)(Text)}

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
typedef const OBJECT_ATTRIBUTES *PCOBJECT_ATTRIBUTES;

#define OBJ_INHERIT 0x00000002L
#define OBJ_PERMANENT 0x00000010L
#define OBJ_EXCLUSIVE 0x00000020L
#define OBJ_CASE_INSENSITIVE 0x00000040L
#define OBJ_OPENIF 0x00000080L
#define OBJ_OPENLINK 0x00000100L
#define OBJ_KERNEL_HANDLE 0x00000200L
#define OBJ_FORCE_ACCESS_CHECK 0x00000400L
#define OBJ_VALID_ATTRIBUTES 0x00001FF2L

#define InitializeObjectAttributes(Target, Name, AttributeFlags, Root, Descriptor) \
    do { \
        (Target)->Length = sizeof(OBJECT_ATTRIBUTES); \
        (Target)->RootDirectory = (Root); \
        (Target)->Attributes = (AttributeFlags); \
        (Target)->ObjectName = (Name); \
        (Target)->SecurityDescriptor = (Descriptor); \
        (Target)->SecurityQualityOfService = NULL; \
    } while (0)

#define CONTAINING_RECORD(Address, Type, Field) ((Type *)((PCHAR)(Address) - (ULONG_PTR)offsetof(Type, Field)))
#define FIELD_OFFSET(Type, Field) ((LONG)offsetof(Type, Field))
#define RTL_FIELD_SIZE(Type, Field) (sizeof(((Type *)0)->Field))
#define RTL_SIZEOF_THROUGH_FIELD(Type, Field) (offsetof(Type, Field) + RTL_FIELD_SIZE(Type, Field))
#define RTL_NUMBER_OF(Array) (sizeof(Array) / sizeof((Array)[0]))
#define ARRAYSIZE(Array) RTL_NUMBER_OF(Array)
#define FlagOn(Flags, Single) ((Flags) & (Single))
#define BooleanFlagOn(Flags, Single) ((BOOLEAN)(((Flags) & (Single)) != 0))
#define SetFlag(Flags, Single) ((Flags) |= (Single))
#define ClearFlag(Flags, Single) ((Flags) &= ~(Single))
#define ALIGN_DOWN_BY(Length, Alignment) ((ULONG_PTR)(Length) & ~((ULONG_PTR)(Alignment) - 1))
#define ALIGN_UP_BY(Length, Alignment) (ALIGN_DOWN_BY((ULONG_PTR)(Length) + (Alignment) - 1, Alignment))
#define Add2Ptr(Pointer, Bytes) ((PVOID)((PUCHAR)(Pointer) + (Bytes)))
#define PtrOffset(Base, Pointer) ((ULONG)((ULONG_PTR)(Pointer) - (ULONG_PTR)(Base)))
#define ULongToHandle(Value) ((HANDLE)(ULONG_PTR)(ULONG)(Value))
#define HandleToULong(Value) ((ULONG)(ULONG_PTR)(Value))
#define HandleToUlong(Value) HandleToULong(Value)

#define max(First, Second) (((First) > (Second)) ? (First) : (Second))
#define min(First, Second) (((First) < (Second)) ? (First) : (Second))
#ifdef __cplusplus
#undef max
#undef min
#endif

#endif
