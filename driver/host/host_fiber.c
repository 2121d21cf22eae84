/* Fibers: several stacks on one thread of the machine, so that a schedule is taken along by fork. Where the C library has contexts. */
#include "host_platform.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_THREAD_SANITIZER 1
#endif
#ifdef FIBER_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

#if defined(FIBER_ADDRESS_SANITIZER) || defined(FIBER_THREAD_SANITIZER)
#define FIBER_STACK_BYTES ((SIZE_T)1 << 20)
#else
#define FIBER_STACK_BYTES ((SIZE_T)256 << 10)
#endif
#define FIBER_GUARD_BYTES ((SIZE_T)64 << 10) /* a page, or several, of any machine */

struct _PLATFORM_FIBER {
    ucontext_t Context;
    PPLATFORM_ROUTINE Routine;
    PVOID Argument;
    PUCHAR Memory; /* guard and stack; NULL for the thread's own */
    const VOID *Stack;
    SIZE_T StackBytes;
    PVOID FakeStack;
    PVOID Race;
};

static PPLATFORM_FIBER FiberLeft; /* the one that the last switch came from */

/* The first that a fiber does after a switch to it. */
static VOID FiberArrive(PPLATFORM_FIBER Fiber)
{
#ifdef FIBER_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(Fiber->FakeStack, &FiberLeft->Stack, &FiberLeft->StackBytes);
#else
    UNREFERENCED_PARAMETER(Fiber);
#endif
}

static void FiberMain(unsigned High, unsigned Low)
{
    PPLATFORM_FIBER Fiber = (PPLATFORM_FIBER)(ULONG_PTR)(((ULONG64)High << 32) | Low);

    FiberArrive(Fiber);
    Fiber->Routine(Fiber->Argument);
    PlatformAbort();
}

PPLATFORM_FIBER PlatformAdoptFiber(VOID)
{
    PPLATFORM_FIBER Fiber = PlatformAllocate(sizeof(*Fiber));

#ifdef FIBER_THREAD_SANITIZER
    Fiber->Race = __tsan_get_current_fiber();
#endif
    return Fiber;
}

PPLATFORM_FIBER PlatformCreateFiber(PPLATFORM_ROUTINE Routine, PVOID Context)
{
    PPLATFORM_FIBER Fiber = PlatformAllocate(sizeof(*Fiber));

    Fiber->Memory = mmap(NULL, FIBER_GUARD_BYTES + FIBER_STACK_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (Fiber->Memory == MAP_FAILED || mprotect(Fiber->Memory, FIBER_GUARD_BYTES, PROT_NONE) != 0) {
        PlatformAbort();
    }
    Fiber->Stack = Fiber->Memory + FIBER_GUARD_BYTES;
    Fiber->StackBytes = FIBER_STACK_BYTES;
    Fiber->Routine = Routine;
    Fiber->Argument = Context;
#ifdef FIBER_THREAD_SANITIZER
    Fiber->Race = __tsan_create_fiber(0);
#endif
    (void)getcontext(&Fiber->Context);
    Fiber->Context.uc_stack.ss_sp = Fiber->Memory + FIBER_GUARD_BYTES;
    Fiber->Context.uc_stack.ss_size = FIBER_STACK_BYTES;
    Fiber->Context.uc_link = NULL;
    makecontext(&Fiber->Context, (void (*)(void))(ULONG_PTR)FiberMain, 2, (unsigned)((ULONG64)(ULONG_PTR)Fiber >> 32),
                (unsigned)(ULONG_PTR)Fiber);
    return Fiber;
}

VOID PlatformSwitchFiber(PPLATFORM_FIBER From, PPLATFORM_FIBER To, BOOLEAN Ends)
{
    FiberLeft = From;
#ifdef FIBER_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(Ends ? NULL : &From->FakeStack, To->Stack, To->StackBytes);
#else
    UNREFERENCED_PARAMETER(Ends);
#endif
#ifdef FIBER_THREAD_SANITIZER
    __tsan_switch_to_fiber(To->Race, 0);
#endif
    (void)swapcontext(&From->Context, &To->Context);
    FiberArrive(From);
}

VOID PlatformDeleteFiber(PPLATFORM_FIBER Fiber)
{
    if (Fiber->Memory != NULL) {
#ifdef FIBER_THREAD_SANITIZER
        __tsan_destroy_fiber(Fiber->Race);
#endif
        PlatformAllow(Fiber->Memory, FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
        (void)munmap(Fiber->Memory, FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
    }
    PlatformFree(Fiber);
}

#else

PPLATFORM_FIBER PlatformAdoptFiber(VOID)
{
    PlatformPrint("schedules need a C library with contexts\n");
    PlatformAbort();
}

PPLATFORM_FIBER PlatformCreateFiber(PPLATFORM_ROUTINE Routine, PVOID Context)
{
    UNREFERENCED_PARAMETER(Routine);
    UNREFERENCED_PARAMETER(Context);
    PlatformAbort();
}

VOID PlatformSwitchFiber(PPLATFORM_FIBER From, PPLATFORM_FIBER To, BOOLEAN Ends)
{
    UNREFERENCED_PARAMETER(From);
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Ends);
}

VOID PlatformDeleteFiber(PPLATFORM_FIBER Fiber)
{
    UNREFERENCED_PARAMETER(Fiber);
}

#endif
