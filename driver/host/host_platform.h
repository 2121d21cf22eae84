/* The only door to the machine below: threads, mutual exclusion, time, call stacks, standard error. */
#ifndef PSCTX_HOST_PLATFORM_H
#define PSCTX_HOST_PLATFORM_H

#include <ntdef.h>

#include <pthread.h>

typedef pthread_mutex_t HOST_MUTEX;
typedef pthread_cond_t HOST_CONDITION;
#define HOST_MUTEX_INITIALIZER PTHREAD_MUTEX_INITIALIZER

#ifndef HOST_THREAD_LOCAL /* empty where one record serves every thread */
#define HOST_THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#endif

/* What HostRestore leaves alone: see host_snapshot.h. */
#define HOST_KEPT __attribute__((section("host_kept")))

/* Marks memory that nobody may touch, where the build has a tool that notices. */
VOID PlatformForbid(_In_ const VOID *Memory, _In_ SIZE_T Length);
VOID PlatformAllow(_In_ const VOID *Memory, _In_ SIZE_T Length);
/* TRUE where a touch of forbidden memory is noticed at once. */
BOOLEAN PlatformNoticesForbidden(VOID);
/* Whether what lies there would lie on the caller's stack, but for AddressSanitizer. */
BOOLEAN PlatformIsOnFakeStack(_In_ const VOID *Address);
/* Whether what lies above the caller's frame still belongs to its stack; TRUE, too, where the C library does not tell where that ends. */
BOOLEAN PlatformIsOnStack(_In_ const VOID *Frame, _In_ const VOID *Address);

/* host_memory.c. Memory outside the pool, for the kernel's own tables. Never NULL: the process ends when there is none. Zeroed. */
PVOID PlatformAllocate(_In_ SIZE_T Size);
/* The same, not zeroed, and NULL when there is none. */
PVOID PlatformAllocateRaw(_In_ SIZE_T Size);
PVOID PlatformReallocate(_In_opt_ PVOID Memory, _In_ SIZE_T Size);
VOID PlatformFree(_In_opt_ PVOID Memory);

/*
 * host_paging.c. What is between Start and End, in whole pages, is gone, or is code, or data. Whoever touches what is gone has the routine
 * called, which tells whether the access is to be made again; unless the process has somebody else who is told of such things.
 */
typedef enum _PLATFORM_PAGES { PlatformGone, PlatformCode, PlatformData } PLATFORM_PAGES;
typedef BOOLEAN (*PPLATFORM_FAULT)(_In_ const VOID *Address);
VOID PlatformSetPages(_In_ const VOID *Start, _In_ const VOID *End, _In_ PLATFORM_PAGES Pages);
VOID PlatformOnFault(_In_ PPLATFORM_FAULT Routine);
/* Addresses for data, which take memory when they are touched. Never NULL. */
PVOID PlatformReserve(_In_ SIZE_T Length);

VOID PlatformInitializeMutex(_Out_ HOST_MUTEX *Mutex);
VOID PlatformDeleteMutex(_Inout_ HOST_MUTEX *Mutex);
VOID PlatformLock(_Inout_ HOST_MUTEX *Mutex);
VOID PlatformUnlock(_Inout_ HOST_MUTEX *Mutex);
VOID PlatformInitializeCondition(_Out_ HOST_CONDITION *Condition);
VOID PlatformDeleteCondition(_Inout_ HOST_CONDITION *Condition);
/* Waits until signalled, or until PlatformInterruptTime reaches Deadline (100 ns units); FALSE when it did. */
BOOLEAN PlatformWait(_Inout_ HOST_CONDITION *Condition, _Inout_ HOST_MUTEX *Mutex, _In_opt_ const LONGLONG *Deadline);
VOID PlatformSignal(_Inout_ HOST_CONDITION *Condition);
VOID PlatformSignalAll(_Inout_ HOST_CONDITION *Condition);
VOID PlatformYield(VOID);

typedef VOID (*PPLATFORM_ROUTINE)(_In_opt_ PVOID Context);
/* Starts a thread; the caller joins it. FALSE when the machine has none left. */
BOOLEAN PlatformStartThread(_In_ PPLATFORM_ROUTINE Routine, _In_opt_ PVOID Context, _Out_ pthread_t *Thread);
VOID PlatformJoinThread(_In_ pthread_t Thread);
DECLSPEC_NORETURN VOID PlatformExitThread(VOID);
/* Routine is called with Context when the calling thread ends. */
VOID PlatformAtThreadExit(_In_ PPLATFORM_ROUTINE Routine, _In_ PVOID Context);

/*
 * Fibers of one thread. PlatformAdoptFiber makes one of the calling thread. PlatformSwitchFiber leaves From, which runs, for To and returns
 * when somebody switches back; never, if From ends. The routine of a created one does not return. Whoever deletes one is another.
 */
typedef struct _PLATFORM_FIBER *PPLATFORM_FIBER;
PPLATFORM_FIBER PlatformAdoptFiber(VOID);
PPLATFORM_FIBER PlatformCreateFiber(_In_ PPLATFORM_ROUTINE Routine, _In_opt_ PVOID Context);
VOID PlatformSwitchFiber(_Inout_ PPLATFORM_FIBER From, _Inout_ PPLATFORM_FIBER To, _In_ BOOLEAN Ends);
VOID PlatformDeleteFiber(_In_ PPLATFORM_FIBER Fiber);

LONGLONG PlatformInterruptTime(VOID); /* 100 ns units since some start, never backwards */
LONGLONG PlatformSystemTime(VOID);    /* 100 ns units since 1601, UTC */
LONGLONG PlatformNanoseconds(VOID);

#define PLATFORM_STACK_FRAMES 16
ULONG PlatformCaptureStack(_Out_writes_(PLATFORM_STACK_FRAMES) PVOID *Frames);
VOID PlatformPrintStack(_In_reads_(Count) PVOID *Frames, _In_ ULONG Count);
VOID PlatformPrint(_In_z_ const char *Format, ...) __attribute__((format(printf, 1, 2)));
BOOLEAN PlatformSwitch(_In_z_ const char *Name); /* TRUE when the environment has Name=1 */
BOOLEAN PlatformIsDirectory(_In_z_ const char *Path);
DECLSPEC_NORETURN VOID PlatformAbort(VOID);

#endif
