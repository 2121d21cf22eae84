/*
 * Requests that are cut short, by cancellation or by the end of their thread, and requests that no open stands behind.
 */
#include "core_interrupts.h"

#include "core_batch.h"
#include "core_enumerate.h"
#include "core_probe.h"
#include "core_reader.h"

#include <stdlib.h>
#include <string.h>

#define CORE_OPERATIONS 40u
#define CORE_SEEDS 150u

/* A request that a driver makes up and sends to the control device, and what came of it. */
typedef struct _CORE_KERNEL_REQUEST {
    HANDLE Control;        /* whose file object it is sent on */
    BOOLEAN HasFileObject; /* or without one */
    BOOLEAN HasOpen;       /* or with one that was never opened */
    BOOLEAN IsForeign;     /* which is another driver's, and has something of that one's for a context */
    BOOLEAN Cancelled;     /* before it is sent */
    UCHAR MajorFunction;
    ULONG Code;
    const VOID *Input;
    ULONG InputLength;
    PVOID Output;
    ULONG OutputLength;
    NTSTATUS Status;
} CORE_KERNEL_REQUEST, *PCORE_KERNEL_REQUEST;

static VOID CoreSendFromKernel(PVOID Context)
{
    PCORE_KERNEL_REQUEST request = Context;
    IO_STATUS_BLOCK ioStatus;
    PIO_STACK_LOCATION next;
    FILE_OBJECT unopened;
    PFILE_OBJECT file;
    KEVENT event;
    PVOID object;
    PIRP irp;

    CHECK_STATUS(ObReferenceObjectByHandle(request->Control, 0, *IoFileObjectType, UserMode, &object, NULL),
                 STATUS_SUCCESS);
    file = object;
    memset(&unopened, 0, sizeof(unopened));
    unopened.DeviceObject = request->IsForeign ? (PDEVICE_OBJECT)file->DeviceObject->DriverObject : file->DeviceObject;
    unopened.FsContext = request->IsForeign ? &unopened : NULL;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(request->Code, file->DeviceObject, (PVOID)(ULONG_PTR)request->Input,
                                        request->InputLength, request->Output, request->OutputLength, FALSE, &event,
                                        &ioStatus);
    CHECK(irp != NULL);
    next = IoGetNextIrpStackLocation(irp);
    next->MajorFunction = request->MajorFunction;
    if (request->HasFileObject) {
        next->FileObject = request->HasOpen ? file : &unopened;
    }
    if (request->Cancelled) {
        (VOID) IoCancelIrp(irp);
    }
    request->Status = IoCallDriver(file->DeviceObject, irp);
    CHECK(request->Status != STATUS_PENDING);
    ObDereferenceObject(object);
}

/* A wait that a driver has sent on a reader's file object, and then cancels, wherever it may. */
static VOID CoreCancelWaitInKernel(PVOID Context)
{
    static const KIRQL irqls[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL};
    PSCTX_HEADER request = {sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_WAIT};
    PUCHAR output = malloc(CORE_WAIT_LENGTH);
    PVOID object;
    ULONG index;

    CHECK(output != NULL);
    CHECK_STATUS(ObReferenceObjectByHandle(*(PHANDLE)Context, 0, *IoFileObjectType, UserMode, &object, NULL),
                 STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(irqls); index += 1) {
        const PDEVICE_OBJECT device = ((PFILE_OBJECT)object)->DeviceObject;
        IO_STATUS_BLOCK ioStatus = {0};
        KEVENT event;
        KIRQL irql;
        PIRP irp;

        KeInitializeEvent(&event, NotificationEvent, FALSE);
        irp = IoBuildDeviceIoControlRequest(PSCTX_IOCTL_WAIT, device, &request, sizeof(request), output,
                                            CORE_WAIT_LENGTH, FALSE, &event, &ioStatus);
        CHECK(irp != NULL);
        IoGetNextIrpStackLocation(irp)->FileObject = object;
        CHECK_STATUS(IoCallDriver(device, irp), STATUS_PENDING);
        KeRaiseIrql(irqls[index], &irql);
        CHECK(IoCancelIrp(irp));
        KeLowerIrql(irql);
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
        CHECK_STATUS(ioStatus.Status, STATUS_CANCELLED);
    }
    ObDereferenceObject(object);
    free(output);
}

VOID CoreWaitsAreCancelledAtAnyIrql(VOID)
{
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    reader = CoreOpenReader(core.Control, 1u << PSCTX_EVENT_INSERTED);
    CoreRunInKernel(CoreCancelWaitInKernel, &reader);
    CHECK_STATUS(NtClose(reader), STATUS_SUCCESS);
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreRequestsWithoutAnOpenAreRefused(VOID)
{
    static const UCHAR majors[] = {IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_DEVICE_CONTROL};
    CORE_REQUEST query;
    DECLSPEC_ALIGN(8) UCHAR output[256];
    ULONG operation;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        CORE_KERNEL_REQUEST request = {.Control = core.Control, .MajorFunction = IRP_MJ_DEVICE_CONTROL};

        query = CoreMakeRequest(operation, NULL);
        request.Code = query.Code;
        request.Input = query.Bytes;
        request.InputLength = query.Length;
        request.Output = output;
        request.OutputLength = sizeof(output);
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_INVALID_DEVICE_REQUEST);
        request.HasFileObject = TRUE;
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_INVALID_DEVICE_REQUEST);
        request.IsForeign = TRUE;
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_INVALID_DEVICE_REQUEST);
    }
    query = CoreMakeRequest(PSCTX_OPERATION_QUERY_VERSION, NULL);
    for (index = 0; index < RTL_NUMBER_OF(majors); index += 1) {
        CORE_KERNEL_REQUEST request = {.Control = core.Control,
                                       .MajorFunction = majors[index],
                                       .Code = query.Code,
                                       .Input = query.Bytes,
                                       .InputLength = query.Length,
                                       .Output = output,
                                       .OutputLength = sizeof(output)};

        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_INVALID_DEVICE_REQUEST);
        request.HasFileObject = majors[index] != IRP_MJ_CREATE;
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_INVALID_DEVICE_REQUEST);
        request.HasFileObject = TRUE;
        request.IsForeign = TRUE;
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_INVALID_DEVICE_REQUEST);
    }
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CoreUnloadProbe();
    CoreStop(&core);
}

/* As the I/O manager does, and once: what comes after that comes for no session. */
VOID CoreSessionsEndByTheirRequests(VOID)
{
    static const struct {
        UCHAR Major;
        NTSTATUS Status;
    } requests[] = {{IRP_MJ_CLEANUP, STATUS_SUCCESS},
                    {IRP_MJ_CLOSE, STATUS_SUCCESS},
                    {IRP_MJ_CLEANUP, STATUS_INVALID_DEVICE_REQUEST},
                    {IRP_MJ_CLOSE, STATUS_INVALID_DEVICE_REQUEST}};
    CORE_KERNEL_REQUEST request = {.HasFileObject = TRUE, .HasOpen = TRUE};
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    request.Control = CoreOpenSession(CORE_READ);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 2);
    for (index = 0; index < RTL_NUMBER_OF(requests); index += 1) {
        request.MajorFunction = requests[index].Major;
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, requests[index].Status);
        CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    }
    CoreClose(request.Control);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, 1);
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreCancelledBatchesStop(VOID)
{
    CORE_KERNEL_REQUEST request = {
        .HasFileObject = TRUE, .HasOpen = TRUE, .MajorFunction = IRP_MJ_DEVICE_CONTROL, .Code = PSCTX_IOCTL_BATCH};
    CORE_BATCH batch;
    HANDLE stream;
    ULONG round;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    stream = CoreOpenFile(CORE_FILE);
    for (round = 0; round < 2; round += 1) {
        CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
        for (index = 0; index < CORE_OPERATIONS; index += 1) {
            CoreAddInsert(&batch, stream, 1, index, 0);
        }
        CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS); /* to have its reply's memory */
        CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
        request.Control = core.Control;
        request.Input = batch.Request;
        request.InputLength = batch.Length;
        request.Output = batch.Reply;
        request.OutputLength = batch.OutputLength;
        request.Cancelled = round == 1;
        CoreRunInKernel(CoreSendFromKernel, &request);
        CHECK_STATUS(request.Status, STATUS_SUCCESS);
        CHECK_EQUAL(batch.Reply->Count, CORE_OPERATIONS);
        CHECK_EQUAL(batch.Reply->Failed, round == 0 ? 0 : CORE_OPERATIONS);
        for (index = 0; index < CORE_OPERATIONS; index += 1) {
            CHECK_STATUS(batch.Results[index].Status, round == 0 ? STATUS_SUCCESS : STATUS_CANCELLED);
            CHECK_EQUAL(batch.Results[index].ReplySize, round == 0 ? sizeof(PSCTX_INSERT_REPLY) : 0);
        }
        CHECK_EQUAL(CoreCount(core.Control, stream), round == 0 ? CORE_OPERATIONS : 0);
        CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
        CoreFreeBatch(&batch);
    }
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreCancelledEnumerationsStop(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[4096];
    CORE_KERNEL_REQUEST request = {.HasFileObject = TRUE,
                                   .HasOpen = TRUE,
                                   .Cancelled = TRUE,
                                   .MajorFunction = IRP_MJ_DEVICE_CONTROL,
                                   .Code = PSCTX_IOCTL_ENUMERATE};
    CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = sizeof(output)};
    const PSCTX_ENUMERATE_REPLY *reply = (const PSCTX_ENUMERATE_REPLY *)output;
    CORE_REQUEST enumerate;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CHECK_STATUS(CoreInsert(core.Control, &(const CORE_INSERTION){.Stream = CoreOpenFile(CORE_FILE)}, NULL),
                 STATUS_SUCCESS);
    enumerate = CoreMakeRequest(PSCTX_OPERATION_ENUMERATE, NULL);
    request.Control = core.Control;
    request.Input = enumerate.Bytes;
    request.InputLength = enumerate.Length;
    request.Output = output;
    request.OutputLength = sizeof(output);
    CoreRunInKernel(CoreSendFromKernel, &request);
    CHECK_STATUS(request.Status, STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 0);
    CHECK(reply->NextCursor[0] != 0 || reply->NextCursor[1] != 0);

    enumeration.Cursor[0] = reply->NextCursor[0];
    enumeration.Cursor[1] = reply->NextCursor[1];
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    CHECK(CoreIsEnumerated(&enumeration));
    CoreUnloadProbe();
    CoreStop(&core);
}

/* A thread that sends a request, and one that ends it. */
typedef struct _CORE_ENDING {
    CORE Core;
    HANDLE Stream;
    ULONG Seed;
    PVOID volatile Sender; /* its thread, referenced, once it is there */
    CORE_BATCH Batch;
    CORE_ENUMERATION Enumeration;
    NTSTATUS Status;
    DECLSPEC_ALIGN(8) UCHAR Output[32768];
} CORE_ENDING, *PCORE_ENDING;

static VOID CoreTellSender(_Inout_ PCORE_ENDING Ending)
{
    ObReferenceObject(PsGetCurrentThread());
    WritePointerRelease(&Ending->Sender, PsGetCurrentThread());
}

static VOID CoreBatchThread(PVOID Context)
{
    PCORE_ENDING ending = Context;

    CoreTellSender(ending);
    HostEnterProcess(ending->Core.Process);
    ending->Status = CoreSendBatch(ending->Core.Control, &ending->Batch);
    HostLeaveProcess();
}

static VOID CoreEnumerationThread(PVOID Context)
{
    PCORE_ENDING ending = Context;

    CoreTellSender(ending);
    HostEnterProcess(ending->Core.Process);
    ending->Status = CoreNextPage(ending->Core.Control, &ending->Enumeration);
    HostLeaveProcess();
}

/*
 * Ends the sender after a while, which the seed makes longer or shorter; at the latest it has ended by itself.
 */
static VOID CoreEndingThread(PVOID Context)
{
    PCORE_ENDING ending = Context;
    ULONG delay;

    HostEnterProcess(ending->Core.Process);
    for (delay = ending->Seed % 60; delay != 0; delay -= 1) {
        (VOID) CoreStatistics(ending->Core.Control);
    }
    HostLeaveProcess();
    if (ReadPointerAcquire(&ending->Sender) != NULL) {
        HostTerminateThread(ReadPointerAcquire(&ending->Sender));
    }
}

static VOID CoreRunEnding(_Inout_ PCORE_ENDING Ending, _In_ PHOST_ROUTINE Sender)
{
    const PHOST_ROUTINE threads[] = {Sender, CoreEndingThread};
    PVOID contexts[] = {Ending, Ending};

    Ending->Sender = NULL;
    HostLeaveProcess();
    HostRunSchedule(Ending->Seed, RTL_NUMBER_OF(threads), threads, contexts);
    ObDereferenceObject(Ending->Sender);
    HostEnterProcess(Ending->Core.Process);
}

VOID CoreBatchesEndWithTheirThread(VOID)
{
    static CORE_ENDING ending;
    ULONG partly = 0;
    ULONG index;

    CoreStart(&ending.Core);
    ending.Stream = CoreOpenFile(CORE_FILE);
    for (ending.Seed = 1; ending.Seed <= CORE_SEEDS; ending.Seed += 1) {
        ULONG done = 0;

        CoreStartBatch(&ending.Batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
        for (index = 0; index < CORE_OPERATIONS; index += 1) {
            CoreAddInsert(&ending.Batch, ending.Stream, 1, index, 0);
        }
        CoreRunEnding(&ending, CoreBatchThread);
        if (ending.Status != STATUS_THREAD_IS_TERMINATING) { /* the thread had not ended before */
            CHECK_STATUS(ending.Status, STATUS_SUCCESS);
            while (done < CORE_OPERATIONS && ending.Batch.Results[done].Status == STATUS_SUCCESS) {
                done += 1;
            }
            for (index = done; index < CORE_OPERATIONS; index += 1) {
                CHECK_STATUS(ending.Batch.Results[index].Status, STATUS_CANCELLED);
            }
            CHECK_EQUAL(ending.Batch.Reply->Failed, CORE_OPERATIONS - done);
            partly += done != 0 && done != CORE_OPERATIONS;
        }
        CHECK_EQUAL(CoreCount(ending.Core.Control, ending.Stream), done);
        CHECK_STATUS(CoreRemoveAll(ending.Core.Control, ending.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
        CoreFreeBatch(&ending.Batch);
    }
    CHECK(partly > 0);
    CoreStop(&ending.Core);
}

VOID CoreEnumerationsEndWithTheirThread(VOID)
{
    static CORE_ENDING ending;
    const PSCTX_ENUMERATE_REPLY *reply = (const PSCTX_ENUMERATE_REPLY *)ending.Output;
    CORE_INSERTION insertion = {.Owner = 1};
    ULONG partly = 0;

    CoreStart(&ending.Core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    for (insertion.Instance = 0; insertion.Instance < CORE_OPERATIONS; insertion.Instance += 1) {
        CHECK_STATUS(CoreInsert(ending.Core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    for (ending.Seed = 1; ending.Seed <= CORE_SEEDS; ending.Seed += 1) {
        ULONG told = 0;

        memset(&ending.Enumeration, 0, sizeof(ending.Enumeration));
        ending.Enumeration.Output = ending.Output;
        ending.Enumeration.OutputLength = sizeof(ending.Output);
        CoreRunEnding(&ending, CoreEnumerationThread);
        if (ending.Status != STATUS_THREAD_IS_TERMINATING) {
            CHECK_STATUS(ending.Status, STATUS_SUCCESS);
            told = reply->Count;
            partly += !CoreIsEnumerated(&ending.Enumeration);
        }
        while (!CoreIsEnumerated(&ending.Enumeration)) { /* by another thread, from the same place */
            CHECK_STATUS(CoreNextPage(ending.Core.Control, &ending.Enumeration), STATUS_SUCCESS);
            told += reply->Count;
        }
        CHECK_EQUAL(told, CORE_OPERATIONS);
    }
    CHECK(partly > 0);
    CoreStop(&ending.Core);
}
