/*
 * Puts a kernel back into a state that it was in, for programs that try very many things from the same start.
 *
 * Only in the library psctx_kernel: embedded kernel, driver and the tests' fixture, whose memory is one piece. Threads are not put back:
 * see HostRestore.
 */
#ifndef PSCTX_HOST_SNAPSHOT_H
#define PSCTX_HOST_SNAPSHOT_H

#include <ntdef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * HostSave keeps a copy of all memory of the kernel and of the drivers; HostRestore puts it back, as often as one likes. Called on one
 * thread, outside any system service. What a client has been told stays true: handles, addresses, pended requests.
 *
 * Every thread but the caller's and those that drivers have made (PsCreateSystemThread) has ended; drivers' threads wait for an object, and
 * wait for the same one when the kernel is put back. Work items end first. So a driver that has a thread is not to be unloaded in between.
 *
 * The first write to each page that is saved raises SIGSEGV, which is handled: a debugger is to pass it on.
 */
VOID HostSave(VOID);
VOID HostRestore(VOID);

#ifdef __cplusplus
}
#endif

#endif
