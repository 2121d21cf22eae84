/* Processes, threads and work items. */
#ifndef HOST_NT_PS_H
#define HOST_NT_PS_H

#include <nt_ex.h>
#include <nt_ob.h>

HOST_EXTERN_C_BEGIN

extern POBJECT_TYPE *PsProcessType;
extern POBJECT_TYPE *PsThreadType;
extern PEPROCESS PsInitialSystemProcess;

PEPROCESS PsGetCurrentProcess(VOID);
PEPROCESS IoGetCurrentProcess(VOID);
PETHREAD PsGetCurrentThread(VOID);
BOOLEAN PsIsThreadTerminating(_In_ PETHREAD Thread);
HANDLE PsGetCurrentProcessId(VOID);
HANDLE PsGetCurrentThreadId(VOID);
HANDLE PsGetProcessId(_In_ PEPROCESS Process);
BOOLEAN PsGetVersion(_Out_opt_ PULONG MajorVersion, _Out_opt_ PULONG MinorVersion, _Out_opt_ PULONG BuildNumber,
                     _Out_opt_ PUNICODE_STRING CSDVersion);

typedef VOID KSTART_ROUTINE(_In_ PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

typedef struct _CLIENT_ID {
    HANDLE UniqueProcess;
    HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;

/* ProcessHandle, ObjectAttributes and ClientId are NULL: the thread belongs to the system process. */
NTSTATUS PsCreateSystemThread(_Out_ PHANDLE ThreadHandle, _In_ ULONG DesiredAccess,
                              _In_opt_ POBJECT_ATTRIBUTES ObjectAttributes, _In_opt_ HANDLE ProcessHandle,
                              _Out_opt_ PCLIENT_ID ClientId, _In_ PKSTART_ROUTINE StartRoutine,
                              _In_opt_ PVOID StartContext);
DECLSPEC_NORETURN VOID PsTerminateSystemThread(_In_ NTSTATUS ExitStatus);

HOST_EXTERN_C_END

#endif
