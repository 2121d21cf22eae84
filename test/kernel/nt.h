/*
 * The Windows that the self-test may use: NT 5.2's, with the statuses and those routines of ntdll that no import library is needed for.
 */
#ifndef SELFTEST_NT_H
#define SELFTEST_NT_H

#undef _WIN32_WINNT
#undef WINVER
#undef NTDDI_VERSION
#define _WIN32_WINNT 0x0502
#define WINVER 0x0502
#define WIN32_LEAN_AND_MEAN
#define WIN32_NO_STATUS
#define UMDF_USING_NTSTATUS
#include <windows.h>
#undef WIN32_NO_STATUS
typedef LONG NTSTATUS;
#include <ntstatus.h>
#include <winioctl.h>
#include <winsvc.h>

typedef struct _NT_STRING {
    USHORT Length;
    USHORT MaximumLength;
    const WCHAR *Buffer;
} NT_STRING;

typedef struct _NT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    const NT_STRING *ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} NT_ATTRIBUTES;

typedef struct _NT_STATUS_BLOCK {
    union {
        LONG Status;
        PVOID Pointer;
    };
    ULONG_PTR Information;
} NT_STATUS_BLOCK;

typedef LONG(NTAPI *NT_CONTROL)(HANDLE Handle, HANDLE Event, PVOID ApcRoutine, PVOID ApcContext,
                                NT_STATUS_BLOCK *StatusBlock, ULONG Code, const void *Input, ULONG InputLength,
                                void *Output, ULONG OutputLength);

/* Looked up in ntdll by LoadNt; LoadNt is FALSE if one is not there. */
typedef struct _NT_ROUTINES {
    NT_CONTROL DeviceControl;
    NT_CONTROL FsControl;
    LONG(NTAPI *CreateFile)(HANDLE *Handle, ULONG Access, const NT_ATTRIBUTES *Attributes, NT_STATUS_BLOCK *StatusBlock,
                            const LARGE_INTEGER *AllocationSize, ULONG FileAttributes, ULONG Share, ULONG Disposition,
                            ULONG Options, const void *ExtendedAttributes, ULONG ExtendedLength);
    LONG(NTAPI *Close)(HANDLE Handle);
    LONG(NTAPI *LoadDriver)(const NT_STRING *ServiceKey);
    LONG(NTAPI *UnloadDriver)(const NT_STRING *ServiceKey);
    ULONG(NTAPI *StatusToError)(LONG Status);
    LONG(NTAPI *AdjustPrivilege)(ULONG Privilege, BOOLEAN Enable, BOOLEAN Thread, BOOLEAN *Was);
} NT_ROUTINES;

extern NT_ROUTINES Nt;

BOOL LoadNt(void);

/* Whether this is Wine, whose I/O manager is none: it drops separators, and has advisory locks that nobody cancels. */
BOOL IsWine(void);

#endif
