/* The machine below the embedded kernel, by POSIX threads; call stacks and memory marking where the machine has them. */
#include "host_platform.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#if defined(__GLIBC__)
#include <execinfo.h>
#include <unistd.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define PLATFORM_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLATFORM_ADDRESS_SANITIZER 1
#endif
#endif
#ifdef PLATFORM_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

#define PLATFORM_1601_TO_1970 116444736000000000LL

VOID PlatformForbid(const VOID *Memory, SIZE_T Length)
{
#ifdef PLATFORM_ADDRESS_SANITIZER
    __asan_poison_memory_region(Memory, Length);
#else
    UNREFERENCED_PARAMETER(Memory);
    UNREFERENCED_PARAMETER(Length);
#endif
}

VOID PlatformAllow(const VOID *Memory, SIZE_T Length)
{
#ifdef PLATFORM_ADDRESS_SANITIZER
    __asan_unpoison_memory_region(Memory, Length);
#else
    UNREFERENCED_PARAMETER(Memory);
    UNREFERENCED_PARAMETER(Length);
#endif
}

BOOLEAN PlatformNoticesForbidden(VOID)
{
#ifdef PLATFORM_ADDRESS_SANITIZER
    return TRUE;
#else
    return FALSE;
#endif
}

BOOLEAN PlatformIsOnFakeStack(const VOID *Address)
{
#ifdef PLATFORM_ADDRESS_SANITIZER
    PVOID Stack = __asan_get_current_fake_stack();

    return (BOOLEAN)(Stack != NULL &&
                     __asan_addr_is_in_fake_stack(Stack, (PVOID)(ULONG_PTR)Address, NULL, NULL) != NULL);
#else
    UNREFERENCED_PARAMETER(Address);
    return FALSE;
#endif
}

BOOLEAN PlatformIsOnStack(const VOID *Frame, const VOID *Address)
{
#if defined(__GLIBC__)
    pthread_attr_t Attributes;
    PVOID Lowest = NULL;
    size_t Bytes = 0;

    if (pthread_getattr_np(pthread_self(), &Attributes) == 0) {
        (void)pthread_attr_getstack(&Attributes, &Lowest, &Bytes);
        (void)pthread_attr_destroy(&Attributes);
    }
    if ((ULONG_PTR)Frame - (ULONG_PTR)Lowest < Bytes) { /* a fiber's lies elsewhere */
        return (BOOLEAN)((ULONG_PTR)Address - (ULONG_PTR)Lowest < Bytes);
    }
#else
    UNREFERENCED_PARAMETER(Frame);
    UNREFERENCED_PARAMETER(Address);
#endif
    return TRUE;
}

VOID PlatformInitializeMutex(HOST_MUTEX *Mutex)
{
    (void)pthread_mutex_init(Mutex, NULL);
}

VOID PlatformDeleteMutex(HOST_MUTEX *Mutex)
{
    (void)pthread_mutex_destroy(Mutex);
}

VOID PlatformLock(HOST_MUTEX *Mutex)
{
    if (pthread_mutex_lock(Mutex) != 0) {
        PlatformAbort();
    }
}

VOID PlatformUnlock(HOST_MUTEX *Mutex)
{
    if (pthread_mutex_unlock(Mutex) != 0) {
        PlatformAbort();
    }
}

VOID PlatformInitializeCondition(HOST_CONDITION *Condition)
{
    pthread_condattr_t Attributes;

    (void)pthread_condattr_init(&Attributes);
    (void)pthread_condattr_setclock(&Attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(Condition, &Attributes);
    (void)pthread_condattr_destroy(&Attributes);
}

VOID PlatformDeleteCondition(HOST_CONDITION *Condition)
{
    (void)pthread_cond_destroy(Condition);
}

BOOLEAN PlatformWait(HOST_CONDITION *Condition, HOST_MUTEX *Mutex, const LONGLONG *Deadline)
{
    struct timespec Until;

    if (Deadline == NULL) {
        (void)pthread_cond_wait(Condition, Mutex);
        return TRUE;
    }
    Until.tv_sec = (time_t)(*Deadline / 10000000);
    Until.tv_nsec = (long)((*Deadline % 10000000) * 100);
    return (BOOLEAN)(pthread_cond_timedwait(Condition, Mutex, &Until) != ETIMEDOUT);
}

VOID PlatformSignal(HOST_CONDITION *Condition)
{
    (void)pthread_cond_signal(Condition);
}

VOID PlatformSignalAll(HOST_CONDITION *Condition)
{
    (void)pthread_cond_broadcast(Condition);
}

VOID PlatformYield(VOID)
{
    (void)sched_yield();
}

typedef struct _PLATFORM_START {
    PPLATFORM_ROUTINE Routine;
    PVOID Context;
} PLATFORM_START;

/* Where a thread of ours returns from. */
static __thread jmp_buf PlatformThreadEnd;

static void *PlatformThread(void *Argument)
{
    PLATFORM_START Start = *(PLATFORM_START *)Argument;

    PlatformFree(Argument);
    if (setjmp(PlatformThreadEnd) == 0) {
        Start.Routine(Start.Context);
    }
    return NULL;
}

BOOLEAN PlatformStartThread(PPLATFORM_ROUTINE Routine, PVOID Context, pthread_t *Thread)
{
    PLATFORM_START *Start = PlatformAllocate(sizeof(*Start));

    Start->Routine = Routine;
    Start->Context = Context;
    if (pthread_create(Thread, NULL, PlatformThread, Start) != 0) {
        PlatformFree(Start);
        return FALSE;
    }
    return TRUE;
}

VOID PlatformJoinThread(pthread_t Thread)
{
    (void)pthread_join(Thread, NULL);
}

/* Not by pthread_exit, which looks at the code that it leaves: that of a driver may be gone. */
VOID PlatformExitThread(VOID)
{
    longjmp(PlatformThreadEnd, 1);
}

static pthread_once_t PlatformExitOnce = PTHREAD_ONCE_INIT;
static pthread_key_t PlatformExitKey;

static void PlatformRunExit(void *Argument)
{
    PLATFORM_START *Exit = Argument;

    Exit->Routine(Exit->Context);
    PlatformFree(Exit);
}

static void PlatformMakeExitKey(void)
{
    if (pthread_key_create(&PlatformExitKey, PlatformRunExit) != 0) {
        PlatformAbort();
    }
}

VOID PlatformAtThreadExit(PPLATFORM_ROUTINE Routine, PVOID Context)
{
    PLATFORM_START *Exit = PlatformAllocate(sizeof(*Exit));

    (void)pthread_once(&PlatformExitOnce, PlatformMakeExitKey);
    Exit->Routine = Routine;
    Exit->Context = Context;
    if (pthread_setspecific(PlatformExitKey, Exit) != 0) {
        PlatformAbort();
    }
    /* The key's destructor frees it, which gcc does not see. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
}

LONGLONG PlatformNanoseconds(VOID)
{
    struct timespec Now;

    (void)clock_gettime(CLOCK_MONOTONIC, &Now);
    return (LONGLONG)Now.tv_sec * 1000000000 + Now.tv_nsec;
}

LONGLONG PlatformInterruptTime(VOID)
{
    return PlatformNanoseconds() / 100;
}

LONGLONG PlatformSystemTime(VOID)
{
    struct timespec Now;

    (void)clock_gettime(CLOCK_REALTIME, &Now);
    return (LONGLONG)Now.tv_sec * 10000000 + Now.tv_nsec / 100 + PLATFORM_1601_TO_1970;
}

ULONG PlatformCaptureStack(PVOID *Frames)
{
#if defined(__GLIBC__)
    return (ULONG)backtrace(Frames, PLATFORM_STACK_FRAMES);
#else
    Frames[0] = __builtin_return_address(0);
    return 1;
#endif
}

VOID PlatformPrintStack(PVOID *Frames, ULONG Count)
{
    (void)fflush(stderr);
#if defined(__GLIBC__)
    backtrace_symbols_fd(Frames, (int)Count, STDERR_FILENO);
#else
    for (ULONG Index = 0; Index < Count; Index++) {
        (void)fprintf(stderr, "  %p\n", Frames[Index]);
    }
#endif
}

VOID PlatformPrint(const char *Format, ...)
{
    va_list Arguments;

    va_start(Arguments, Format);
    (void)vfprintf(stderr, Format, Arguments);
    va_end(Arguments);
    (void)fflush(stderr);
}

BOOLEAN PlatformSwitch(const char *Name)
{
    const char *Value = getenv(Name); /* NOLINT(concurrency-mt-unsafe): no part of this changes the environment */

    return (BOOLEAN)(Value != NULL && strcmp(Value, "1") == 0);
}

BOOLEAN PlatformIsDirectory(const char *Path)
{
    struct stat Information;

    return (BOOLEAN)(stat(Path, &Information) == 0 && S_ISDIR(Information.st_mode));
}

VOID PlatformAbort(VOID)
{
    abort();
}
