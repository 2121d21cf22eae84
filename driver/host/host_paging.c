/* Pages of the process that are taken away and given back, and what becomes of a touch meanwhile. Where the machine has POSIX memory protection. */
#include "host_platform.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAGING_SANITIZER 1 /* it ends the process for a signal that has come to it */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PAGING_SANITIZER 1
#endif
#endif
#ifndef PAGING_SANITIZER
#define PAGING_SANITIZER 0
#endif

static PPLATFORM_FAULT PagingFault;
static struct sigaction PagingPrevious;

VOID PlatformSetPages(const VOID *Start, const VOID *End, PLATFORM_PAGES Pages)
{
    static const int Protections[] = {
        [PlatformGone] = PROT_NONE, [PlatformCode] = PROT_READ | PROT_EXEC, [PlatformData] = PROT_READ | PROT_WRITE};
    const ULONG_PTR Page = (ULONG_PTR)sysconf(_SC_PAGESIZE);
    const ULONG_PTR First = ((ULONG_PTR)Start + Page - 1) & ~(Page - 1);
    const ULONG_PTR Last = (ULONG_PTR)End & ~(Page - 1);

    if (First < Last && mprotect((PVOID)First, Last - First, Protections[Pages]) != 0) {
        PlatformAbort();
    }
}

PVOID PlatformReserve(SIZE_T Length)
{
    PVOID Memory = mmap(NULL, Length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (Memory == MAP_FAILED) {
        PlatformAbort();
    }
    return Memory;
}

/* An access that nobody explains is made again, and comes to whoever was told before. */
static void PagingSignal(int Signal, siginfo_t *Information, void *Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (!PagingFault(Information->si_addr)) {
        (void)sigaction(Signal, &PagingPrevious, NULL);
    }
}

VOID PlatformOnFault(PPLATFORM_FAULT Routine)
{
    struct sigaction Action;

    if (PagingFault == NULL && sigaction(SIGSEGV, NULL, &PagingPrevious) == 0 &&
        (PAGING_SANITIZER || ((PagingPrevious.sa_flags & SA_SIGINFO) == 0 && PagingPrevious.sa_handler == SIG_DFL))) {
        PagingFault = Routine;
        memset(&Action, 0, sizeof(Action));
        Action.sa_sigaction = PagingSignal;
        Action.sa_flags = SA_SIGINFO | SA_NODEFER;
        (void)sigaction(SIGSEGV, &Action, NULL);
    }
}
