/*
 * Device stacks change at any time: what is done to a stream's contexts does not depend on what stands above its file system.
 */
#include "core_filters.h"
#include "core_probe.h"
#include "core_races.h"

#include <fronts.h>
#include <pthread.h>

#define CORE_STACK_ROUNDS 200u

typedef struct _CORE_LOOKER {
    PEPROCESS Process;
    HANDLE Control;
    HANDLE Stream;
    volatile LONG Lookups;
    volatile LONG Ends;
} CORE_LOOKER, *PCORE_LOOKER;

/*
 * Loads the driver when memory is so short that the volume is not attached to.
 */
static VOID CoreStartDetached(_Out_ PCORE Core)
{
    ULONG64 countdown = 0;
    NTSTATUS status;

    CoreBoot();
    Core->Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Core->Process);
    for (;;) {
        countdown += 1;
        CHECK(countdown < CORE_STACK_ROUNDS);
        HostFailAllocation(countdown);
        status = PsctxLoadFront(CoreFront(), &Core->Driver);
        HostFailAllocation(0);
        if (!NT_SUCCESS(status)) {
            continue;
        }
        Core->Control = CoreOpenSession(CORE_READ_WRITE);
        if (CoreStatistics(Core->Control).AttachedVolumes == 0) {
            return;
        }
        CoreClose(Core->Control);
        CHECK_STATUS(HostUnloadDriver(Core->Driver), STATUS_SUCCESS);
    }
}

static void *CoreLook(void *Context)
{
    const PCORE_LOOKER looker = Context;

    HostEnterProcess(looker->Process);
    while (InterlockedCompareExchange(&looker->Ends, 0, 0) == 0) {
        CHECK_STATUS(CoreLookup(looker->Control, looker->Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_NOT_FOUND);
        InterlockedIncrement(&looker->Lookups);
    }
    HostLeaveProcess();
    return NULL;
}

/*
 * While another filter comes and goes in a stack that ours is not in, free-running: for the sanitizers to watch.
 */
VOID CoreLookupsAndAttachments(VOID)
{
    CORE_LOOKER looker = {0};
    pthread_t thread;
    CORE core;
    ULONG round;

    CoreStartDetached(&core);
    looker.Process = core.Process;
    looker.Control = core.Control;
    looker.Stream = CoreOpenFile(CORE_FILE);
    CHECK_EQUAL(pthread_create(&thread, NULL, CoreLook, &looker), 0);
    for (round = 1; round <= CORE_STACK_ROUNDS; round += 1) {
        CoreLoadFilter(&CoreUpper);
        while (InterlockedCompareExchange(&looker.Lookups, 0, 0) < (LONG)round) {
            CHECK_STATUS(CoreLookup(core.Control, looker.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_NOT_FOUND);
        }
        CoreUnloadFilter(&CoreUpper);
    }
    InterlockedIncrement(&looker.Ends);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 0);
    CoreStop(&core);
}

/* The device that serves a stream, and who is attached to it. */
typedef struct _CORE_STACK {
    HANDLE Stream;
    PDEVICE_OBJECT Attached; /* what is put there, and then what was there */
} CORE_STACK, *PCORE_STACK;

static VOID CoreSwapAttachedInKernel(PVOID Context)
{
    const PCORE_STACK stack = Context;
    PDEVICE_OBJECT device;
    PVOID file;

    CHECK_STATUS(ObReferenceObjectByHandle(stack->Stream, 0, *IoFileObjectType, UserMode, &file, NULL), STATUS_SUCCESS);
    device = IoGetBaseFileSystemDeviceObject(file);
    stack->Attached = InterlockedExchangePointer((PVOID volatile *)&device->AttachedDevice, stack->Attached);
    ObDereferenceObject(file);
}

/*
 * With no device at all above the file system's, but an address that nothing may be read at.
 */
VOID CoreStreamsFollowNoStack(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1};
    CORE_STACK stack;
    PSCTX_STREAM_REPLY reply;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    stack.Stream = CoreOpenFile(CORE_FILE);
    stack.Attached = (PDEVICE_OBJECT)(ULONG_PTR)0x1000;
    insertion.Stream = stack.Stream;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS); /* whose name the stack is asked for */
    CoreRunInKernel(CoreSwapAttachedInKernel, &stack);
    CHECK_STATUS(CoreQueryStream(core.Control, stack.Stream, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Support, PSCTX_SUPPORT_YES);
    CHECK_STATUS(CoreLookup(core.Control, stack.Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreCount(core.Control, stack.Stream), 1);
    CHECK_STATUS(CoreRemove(core.Control, stack.Stream, PSCTX_MATCH_INSTANCE, 1, 1, NULL), STATUS_SUCCESS);
    CoreRunInKernel(CoreSwapAttachedInKernel, &stack);
    CoreClose(stack.Stream);
    CoreUnloadProbe();
    CoreStop(&core);
}
