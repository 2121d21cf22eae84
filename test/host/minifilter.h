/* Minifilters whose callbacks a test supplies, and a kernel with a volume in memory that they filter. */
#ifndef PSCTX_TEST_HOST_MINIFILTER_H
#define PSCTX_TEST_HOST_MINIFILTER_H

#include <fltKernel.h>
#include <host.h>

#define TEST_CONTEXT_SIZE 32u

/* One of those that may be loaded; a routine that is NULL does what a minifilter does that only looks on. */
typedef struct _TEST_MINIFILTER {
    PCWSTR Name;
    PCWSTR Altitude;
    CHAR Letter;
    BOOLEAN NoUnload;
    BOOLEAN NoQueryTeardown;
    BOOLEAN NoPost;
    FLT_REGISTRATION_FLAGS RegistrationFlags;
    FLT_OPERATION_REGISTRATION_FLAGS OperationFlags;
    PFLT_PRE_OPERATION_CALLBACK Pre;
    PFLT_POST_OPERATION_CALLBACK Post;
    PFLT_INSTANCE_SETUP_CALLBACK Setup;
    PFLT_INSTANCE_TEARDOWN_CALLBACK TeardownStart;
    PFLT_INSTANCE_TEARDOWN_CALLBACK TeardownComplete;
    NTSTATUS SetupStatus;
    NTSTATUS QueryTeardownStatus;
    NTSTATUS UnloadStatus;
    PFLT_CONTEXT_CLEANUP_CALLBACK CleanContext;
    /* What has happened. */
    PDRIVER_OBJECT Driver;
    PFLT_FILTER Filter;
    PFLT_INSTANCE Instance; /* the last that was set up; not referenced */
    PFLT_VOLUME Volume;
    volatile LONG Setups;
    volatile LONG TeardownStarts;
    volatile LONG TeardownCompletes;
    volatile LONG Drains;
    volatile LONG ContextsCleaned;
    FLT_INSTANCE_SETUP_FLAGS SetupFlags;
    FLT_INSTANCE_TEARDOWN_FLAGS TeardownReason;
    FLT_FILTER_UNLOAD_FLAGS UnloadFlags;
} TEST_MINIFILTER;

extern TEST_MINIFILTER MinifilterA; /* altitude 370030 */
extern TEST_MINIFILTER MinifilterB; /* altitude 140000 */

/* What was called, as "A>02" on the way down and "A<02" on the way up, by major function; each test begins with nothing. */
extern char MinifilterSteps[1024];

/* Boots with a memory volume M:, and enters an administrator's process. */
NTSTATUS StartMinifilters(void);
/* TRUE when the audit is all zero. */
BOOLEAN StopMinifilters(void);
NTSTATUS LoadMinifilter(TEST_MINIFILTER *Minifilter);
NTSTATUS UnloadMinifilter(TEST_MINIFILTER *Minifilter);
TEST_MINIFILTER *MinifilterOf(PCFLT_RELATED_OBJECTS Objects);

/* A synchronous handle for all that is tested here, FILE_OPEN_IF. */
NTSTATUS OpenOnVolume(PCWSTR Name, ULONG Options, PHANDLE Handle);

/* The file object of a handle, referenced. */
PFILE_OBJECT FileOf(HANDLE Handle);
NTSTATUS ReadFrom(HANDLE Handle, PVOID Buffer, ULONG Length, PIO_STATUS_BLOCK IoStatus);
NTSTATUS WriteTo(HANDLE Handle, const VOID *Buffer, ULONG Length);

/*
 * A legacy filter, attached to the volume where it is loaded. It keeps the next request with a major function, HolderKeeps, until
 * LetHolderGo completes it with a status at an IRQL; HolderSaw counts the requests of each major function that come to it.
 */
NTSTATUS LoadHolder(void);
NTSTATUS UnloadHolder(void);
VOID LetHolderGo(NTSTATUS Status, KIRQL Irql);
extern PDEVICE_OBJECT HolderDevice;
extern volatile LONG HolderKeeps; /* negative: none */
extern volatile LONG HolderSaw[IRP_MJ_MAXIMUM_FUNCTION + 1];
extern ULONG HolderLength; /* of the last write that it saw */
extern PIRP volatile Held;

#endif
