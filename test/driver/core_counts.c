/*
 * What contexts of tracking rules count: opens, cleanups, reads and writes of their streams, exactly, whatever else goes on.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core_filters.h"
#include "core_fixture.h"
#include "core_probe.h"
#include "core_reader.h"

#include "tracking/count.h"

#define CORE_SEEDS 200u
#define CORE_PAGE 4096u
#define CORE_THREADS 4u
#define CORE_TRANSFERS 1500u
#define CORE_OWNER 7u
#define CORE_INSTANCE 9u

typedef struct _CORE_COUNTS {
    CORE Core;
    ULONG64 Process; /* the client's identifier */
} CORE_COUNTS, *PCORE_COUNTS;

static VOID CoreStartCounts(_Out_ PCORE_COUNTS Counts)
{
    CoreBoot();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CoreLoadFilter(&CoreLower);
    Counts->Core.Driver = CoreLoadDriver();
    CoreLoadProbe();
    Counts->Core.Process = CoreCreateProcess(TRUE);
    Counts->Process = (ULONG_PTR)PsGetProcessId(Counts->Core.Process);
    HostEnterProcess(Counts->Core.Process);
    Counts->Core.Control = CoreOpenSession(CORE_READ_WRITE);
}

static VOID CoreStopCounts(_In_ const CORE_COUNTS *Counts)
{
    HostLeaveProcess();
    CoreEndProcess(Counts->Core.Process);
    CoreUnloadProbe();
    CHECK_STATUS(HostUnloadDriver(Counts->Core.Driver), STATUS_SUCCESS);
    CoreUnloadFilter(&CoreLower);
    CoreShutdown();
}

static NTSTATUS CoreTrack(_In_ HANDLE Control, _In_z_ PCWSTR Pattern, _In_ HANDLE Volume, _In_ ULONG Flags)
{
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[64];
    } request = {.Record = {.OwnerKey = CORE_OWNER, .Instance = CORE_INSTANCE, .Flags = Flags}};
    PSCTX_RULE_RECORD reply;
    UNICODE_STRING pattern;
    ULONG length;

    RtlInitUnicodeString(&pattern, Pattern);
    memcpy(request.Pattern, pattern.Buffer, pattern.Length);
    length = (ULONG)sizeof(request.Record) + pattern.Length;
    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, length);
    request.Record.VolumeHandle = (ULONG_PTR)Volume;
    request.Record.PatternLength = pattern.Length;
    return CoreControl(Control, PSCTX_IOCTL_TRACK, &request, length, &reply, sizeof(reply), NULL);
}

/* What the session's only context on the stream is, and what it counts. */
static ULONG CoreGetTracking(_In_ HANDLE Control, _In_ HANDLE Stream, _Out_ PSCTX_TRACKING *Tracking)
{
    PSCTX_LIST_REQUEST request = {.Handle = (ULONG_PTR)Stream};
    struct {
        PSCTX_LIST_REPLY Reply;
        PSCTX_LIST_ENTRY Entry;
        PSCTX_TRACKING Tracking;
        UCHAR Rest[512];
    } reply;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
    CHECK_EQUAL(reply.Reply.Count, 1);
    CHECK_EQUAL(reply.Entry.OwnerKey, CORE_OWNER);
    CHECK_EQUAL(reply.Entry.Instance, CORE_INSTANCE);
    if (reply.Entry.Tracked == PSCTX_TRACKED_COUNTED) {
        CHECK_EQUAL(reply.Entry.Pool, PSCTX_POOL_NONPAGED);
        *Tracking = reply.Tracking;
    } else {
        memset(Tracking, 0, sizeof(*Tracking));
    }
    return reply.Entry.Tracked;
}

static VOID CoreCheckTracking(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ const PSCTX_TRACKING *Expected)
{
    PSCTX_TRACKING tracking;

    CHECK_EQUAL(CoreGetTracking(Control, Stream, &tracking), PSCTX_TRACKED_COUNTED);
    CHECK_EQUAL(tracking.Opens, Expected->Opens);
    CHECK_EQUAL(tracking.Cleanups, Expected->Cleanups);
    CHECK_EQUAL(tracking.Reads, Expected->Reads);
    CHECK_EQUAL(tracking.Writes, Expected->Writes);
    CHECK_EQUAL(tracking.BytesRead, Expected->BytesRead);
    CHECK_EQUAL(tracking.BytesWritten, Expected->BytesWritten);
    CHECK_EQUAL(tracking.FirstProcessId, Expected->FirstProcessId);
    CHECK_EQUAL(tracking.LastProcessId, Expected->LastProcessId);
}

static VOID CoreWrite(_In_ HANDLE Stream, _In_ ULONG Length)
{
    static CHAR data[64];
    IO_STATUS_BLOCK ioStatus;
    LARGE_INTEGER offset = {0};

    CHECK(NT_SUCCESS(NtWriteFile(Stream, NULL, NULL, NULL, &ioStatus, data, Length, &offset, NULL)));
}

static VOID CoreRead(_In_ HANDLE Stream, _In_ ULONG Length)
{
    IO_STATUS_BLOCK ioStatus;
    LARGE_INTEGER offset = {0};
    CHAR data[64];

    CHECK(NT_SUCCESS(NtReadFile(Stream, NULL, NULL, NULL, &ioStatus, data, Length, &offset, NULL)));
}

/* The file is open, by the client alone, and counted by a rule. */
static HANDLE CoreStartCountedFile(_Out_ PCORE_COUNTS Counts, _Inout_ PPSCTX_TRACKING Expected)
{
    CoreStartCounts(Counts);
    Expected->FirstProcessId = Expected->LastProcessId = Counts->Process;
    CHECK_STATUS(CoreTrack(Counts->Core.Control, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    return CoreOpenFile(CORE_FILE);
}

static VOID CoreEverythingIsCounted(VOID)
{
    PSCTX_TRACKING expected = {.Opens = 1};
    PEPROCESS second;
    CORE_COUNTS counts;
    HANDLE stream;
    HANDLE other;

    stream = CoreStartCountedFile(&counts, &expected);
    CoreCheckTracking(counts.Core.Control, stream, &expected);

    CoreWrite(stream, 40);
    CoreWrite(stream, 2);
    CoreRead(stream, 10);
    expected.Writes = 2;
    expected.BytesWritten = 42;
    expected.Reads = 1;
    expected.BytesRead = 10;
    CoreCheckTracking(counts.Core.Control, stream, &expected);

    other = CoreOpenFile(CORE_OTHER_FILE); /* of no rule */
    CoreWrite(other, 5);
    CHECK_EQUAL(CoreCount(counts.Core.Control, other), 0);
    CoreClose(other);
    CoreCheckTracking(counts.Core.Control, stream, &expected);

    CoreClose(CoreOpenFile(CORE_FILE));
    expected.Opens = 2;
    expected.Cleanups = 1;
    CoreCheckTracking(counts.Core.Control, stream, &expected);

    HostLeaveProcess();
    second = CoreCreateProcess(FALSE);
    expected.LastProcessId = (ULONG_PTR)PsGetProcessId(second);
    HostEnterProcess(second);
    (VOID) CoreOpenFile(CORE_FILE);
    HostLeaveProcess();
    CoreEndProcess(second);
    HostEnterProcess(counts.Core.Process);
    expected.Opens = 3;
    expected.Cleanups = 2;
    CoreCheckTracking(counts.Core.Control, stream, &expected);
    CoreStopCounts(&counts);
}

static VOID CoreUncountedRulesCountNothing(VOID)
{
    PSCTX_TRACKING tracking;
    CORE_COUNTS counts;
    HANDLE stream;

    CoreStartCounts(&counts);
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*", NULL, 0), STATUS_SUCCESS);
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*", NULL, 2), STATUS_INVALID_PARAMETER);
    stream = CoreOpenFile(CORE_FILE);
    CoreWrite(stream, 4);
    CHECK_EQUAL(CoreGetTracking(counts.Core.Control, stream, &tracking), PSCTX_TRACKED_YES);
    CoreStopCounts(&counts);
}

/*
 * Rules that name one context bring one, and an open counts once, wherever a rule that names another context has come among them; what a client
 * has inserted is left alone.
 */
static VOID CoreCountWithOthersAt(_In_ ULONG Place)
{
    static const struct {
        PCWSTR Pattern;
        ULONG Flags;
    } rules[] = {{L"*", 0}, {L"*.TXT", PSCTX_TRACK_COUNT}, {L"*O*", PSCTX_TRACK_COUNT}};
    CORE_INSERTION own = {.Owner = CORE_OWNER, .Instance = CORE_INSTANCE};
    PSCTX_TRACKING tracking;
    CORE_COUNTS counts;
    HANDLE second;
    HANDLE stream;
    ULONG index;

    CoreStartCounts(&counts);
    second = CoreOpenSession(CORE_READ_WRITE);
    own.Stream = CoreOpenFile(CORE_OTHER_FILE);
    CHECK_STATUS(CoreInsert(counts.Core.Control, &own, NULL), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(rules); index += 1) {
        if (index == Place) {
            CHECK_STATUS(CoreTrack(second, L"*", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
        }
        CHECK_STATUS(CoreTrack(counts.Core.Control, rules[index].Pattern, NULL, rules[index].Flags), STATUS_SUCCESS);
    }
    stream = CoreOpenFile(CORE_FILE);
    CoreClose(CoreOpenFile(CORE_FILE));
    CHECK_EQUAL(CoreGetTracking(counts.Core.Control, stream, &tracking), PSCTX_TRACKED_COUNTED);
    CHECK_EQUAL(tracking.Opens, 2);

    CoreClose(CoreOpenFile(CORE_OTHER_FILE));
    CHECK_EQUAL(CoreGetTracking(counts.Core.Control, own.Stream, &tracking), PSCTX_TRACKED_NO);
    CoreClose(second);
    CoreStopCounts(&counts);
}

static VOID CoreOneContextCountsAnOpenOnce(VOID)
{
    ULONG place;

    for (place = 0; place < 3; place += 1) {
        CoreCountWithOthersAt(place);
    }
}

/* An open by a handle alone is one of the handle's own file. */
static VOID CoreAnOpenByAHandleIsOne(VOID)
{
    PSCTX_TRACKING expected = {.Opens = 2, .Cleanups = 1};
    CORE_COUNTS counts;
    HANDLE stream;
    HANDLE handle;

    stream = CoreStartCountedFile(&counts, &expected);
    CHECK_STATUS(CoreOpen(L"", stream, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CoreClose(handle);
    CoreCheckTracking(counts.Core.Control, stream, &expected);
    CoreStopCounts(&counts);
}

/* Creates that fail, and opens by other names than the rule's, are no opens of the rule; reads and writes of the stream are. */
static VOID CoreOnlyMatchingOpensAreOpens(VOID)
{
    static const WCHAR target[] = L"link.dat";
    DECLSPEC_ALIGN(8) UCHAR buffer[sizeof(FILE_LINK_INFORMATION) + sizeof(target)] = {0};
    PFILE_LINK_INFORMATION link = (PFILE_LINK_INFORMATION)buffer;
    PSCTX_TRACKING expected = {.Opens = 1};
    IO_STATUS_BLOCK ioStatus;
    CORE_COUNTS counts;
    HANDLE stream;
    HANDLE handle;

    stream = CoreStartCountedFile(&counts, &expected);
    CHECK_STATUS(CoreOpen(CORE_FILE, NULL, CORE_READ, FILE_CREATE, 0, &handle), STATUS_OBJECT_NAME_COLLISION);
    CoreCheckTracking(counts.Core.Control, stream, &expected);

    link->FileNameLength = sizeof(target) - sizeof(WCHAR);
    memcpy(link->FileName, target, link->FileNameLength);
    CHECK_STATUS(NtSetInformationFile(stream, &ioStatus, link, sizeof(buffer), FileLinkInformation), STATUS_SUCCESS);
    handle = CoreOpenFile(L"\\??\\M:\\files\\link.dat");
    CoreWrite(handle, 8);
    CoreRead(handle, 8);
    CoreClose(handle);
    expected.Writes = expected.Reads = 1;
    expected.BytesWritten = expected.BytesRead = 8;
    expected.Cleanups = 1; /* the stream's, whatever name it was opened by */
    CoreCheckTracking(counts.Core.Control, stream, &expected);
    CoreStopCounts(&counts);
}

/* Requests as the memory manager, the cache manager and drivers send them, to the top of the stack. */

typedef struct _CORE_TRANSFER {
    HANDLE Stream;
    UCHAR Major;
    UCHAR Minor;
    ULONG Flags;
    ULONG Length;
    KIRQL Irql;
} CORE_TRANSFER;

static NTSTATUS CoreTransferCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);

    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID CoreTransferInKernel(PVOID Context)
{
    const CORE_TRANSFER *transfer = Context;
    PIO_STACK_LOCATION location;
    PDEVICE_OBJECT top;
    PVOID object;
    PIRP irp;
    KIRQL irql;

    CHECK_STATUS(ObReferenceObjectByHandle(transfer->Stream, 0, *IoFileObjectType, UserMode, &object, NULL),
                 STATUS_SUCCESS);
    top = IoGetAttachedDeviceReference(IoGetBaseFileSystemDeviceObject(object));
    irp = IoAllocateIrp(top->StackSize, FALSE);
    CHECK(irp != NULL);
    irp->Flags = transfer->Flags;
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction = transfer->Major;
    location->MinorFunction = transfer->Minor;
    location->FileObject = object;
    location->Parameters.Read.Length = transfer->Length;
    IoSetCompletionRoutine(irp, CoreTransferCompleted, NULL, TRUE, TRUE, TRUE);
    KeRaiseIrql(transfer->Irql, &irql);
    CHECK_STATUS(IoCallDriver(top, irp), STATUS_SUCCESS);
    KeLowerIrql(irql);
    IoFreeIrp(irp);
    ObDereferenceObject(top);
    ObDereferenceObject(object);
}

static VOID CorePagingIsNotCounted(VOID)
{
    static const CORE_TRANSFER transfers[] = {
        {NULL, IRP_MJ_READ, 0, IRP_PAGING_IO | IRP_NOCACHE, 1, APC_LEVEL},
        {NULL, IRP_MJ_READ, 0, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO, 1, PASSIVE_LEVEL},
        {NULL, IRP_MJ_WRITE, 0, IRP_PAGING_IO, 1, DISPATCH_LEVEL},
        {NULL, IRP_MJ_READ, IRP_MN_COMPLETE, 0, 1, PASSIVE_LEVEL},
        {NULL, IRP_MJ_WRITE, IRP_MN_COMPLETE | IRP_MN_MDL, 0, 1, PASSIVE_LEVEL},
        {NULL, IRP_MJ_READ, IRP_MN_MDL, 0, 16, PASSIVE_LEVEL},      /* counted, as are those below */
        {NULL, IRP_MJ_READ, 0, IRP_INPUT_OPERATION, 32, APC_LEVEL}, /* the same bit as synchronous paging */
        {NULL, IRP_MJ_READ, 0, IRP_NOCACHE, 64, DISPATCH_LEVEL},
        {NULL, IRP_MJ_WRITE, 0, 0, 0x80000001u, DISPATCH_LEVEL},
        {NULL, IRP_MJ_WRITE, 0, 0, 0x80000001u, PASSIVE_LEVEL},
    };
    PSCTX_TRACKING expected = {.Opens = 1, .Reads = 3, .BytesRead = 112, .Writes = 2, .BytesWritten = 0x100000002ull};
    CORE_COUNTS counts;
    HANDLE stream;
    ULONG index;

    CoreStartCounts(&counts);
    CoreLower.AnswersTransfers = TRUE;
    expected.FirstProcessId = expected.LastProcessId = counts.Process;
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    stream = CoreOpenFile(CORE_FILE);
    for (index = 0; index < RTL_NUMBER_OF(transfers); index += 1) {
        CORE_TRANSFER transfer = transfers[index];

        transfer.Stream = stream;
        CoreRunInKernel(CoreTransferInKernel, &transfer);
    }
    CoreCheckTracking(counts.Core.Control, stream, &expected);
    CoreStopCounts(&counts);
}

/* Run in the kernel: a stream that a file system has opened for itself, and of which somebody had a handle, is cleaned up. */
static VOID CoreCleanUpInKernel(PVOID Context)
{
    PFILE_OBJECT object;
    FILE_OBJECT own;

    CHECK_STATUS(
        ObReferenceObjectByHandle(*(const HANDLE *)Context, 0, *IoFileObjectType, UserMode, (PVOID *)&object, NULL),
        STATUS_SUCCESS);
    own = *object;
    own.Flags |= FO_STREAM_FILE;
    PsctxNoteCleanup(&own);
    ObDereferenceObject(object);
}

static VOID CoreFileSystemsOwnOpensAreNotCounted(VOID)
{
    PSCTX_TRACKING expected = {.Opens = 1};
    CORE_COUNTS counts;
    HANDLE stream;

    stream = CoreStartCountedFile(&counts, &expected);
    CoreRunInKernel(CoreCleanUpInKernel, &stream);
    CoreCheckTracking(counts.Core.Control, stream, &expected);
    CoreStopCounts(&counts);
}

static VOID CoreFastIoInKernel(PVOID Context)
{
    const CORE_TRANSFER *transfer = Context;
    const PFAST_IO_DISPATCH *table;
    LARGE_INTEGER offset = {0};
    IO_STATUS_BLOCK ioStatus;
    PDEVICE_OBJECT top;
    PVOID object;
    PMDL mdl = NULL;

    CHECK_STATUS(ObReferenceObjectByHandle(transfer->Stream, 0, *IoFileObjectType, UserMode, &object, NULL),
                 STATUS_SUCCESS);
    top = IoGetAttachedDeviceReference(IoGetBaseFileSystemDeviceObject(object));
    table = &top->DriverObject->FastIoDispatch;
    CHECK_EQUAL((*table)->FastIoRead(object, &offset, 1, TRUE, 0, NULL, &ioStatus, top), CoreLower.AnswersTransfers);
    CHECK_EQUAL((*table)->MdlRead(object, &offset, 10, 0, &mdl, &ioStatus, top), CoreLower.AnswersTransfers);
    CHECK_EQUAL((*table)->FastIoWrite(object, &offset, 2, TRUE, 0, NULL, &ioStatus, top), CoreLower.AnswersTransfers);
    CHECK_EQUAL((*table)->PrepareMdlWrite(object, &offset, 20, 0, &mdl, &ioStatus, top), CoreLower.AnswersTransfers);
    if (CoreFront() == PSCTX_FRONT_LEGACY) { /* Filter Manager has no such operations */
        CHECK_EQUAL((*table)->FastIoReadCompressed(object, &offset, 100, 0, NULL, &mdl, &ioStatus, NULL, 0, top),
                    CoreLower.AnswersTransfers);
        CHECK_EQUAL((*table)->FastIoWriteCompressed(object, &offset, 200, 0, NULL, &mdl, &ioStatus, NULL, 0, top),
                    CoreLower.AnswersTransfers);
    }
    ObDereferenceObject(top);
    ObDereferenceObject(object);
}

static VOID CoreFastIoIsCountedIfItIsDone(VOID)
{
    PSCTX_TRACKING expected = {.Opens = 1};
    CORE_TRANSFER transfer = {0};
    CORE_COUNTS counts;

    CoreStartCounts(&counts);
    expected.FirstProcessId = expected.LastProcessId = counts.Process;
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    transfer.Stream = CoreOpenFile(CORE_FILE);
    CoreRunInKernel(CoreFastIoInKernel, &transfer);
    CoreCheckTracking(counts.Core.Control, transfer.Stream, &expected);
    CoreLower.AnswersTransfers = TRUE;
    CoreRunInKernel(CoreFastIoInKernel, &transfer);
    expected.Reads = expected.Writes = CoreFront() == PSCTX_FRONT_LEGACY ? 3 : 2;
    expected.BytesRead = CoreFront() == PSCTX_FRONT_LEGACY ? 111 : 11;
    expected.BytesWritten = 2 * expected.BytesRead;
    CoreCheckTracking(counts.Core.Control, transfer.Stream, &expected);
    CoreStopCounts(&counts);
}

/* Volumes. */

static VOID CoreRulesAreForTheirVolume(VOID)
{
    PSCTX_TRACKING tracking;
    CORE_COUNTS counts;
    HANDLE stream;
    HANDLE volume;
    HANDLE other;

    CoreStartCounts(&counts);
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*", counts.Core.Control, 0), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*", (HANDLE)(ULONG_PTR)0x7FFC, 0), STATUS_INVALID_HANDLE);
    CHECK_STATUS(CoreOpen(L"\\??\\N:\\", NULL, CORE_READ, FILE_OPEN, FILE_DIRECTORY_FILE, &volume), STATUS_SUCCESS);
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*", volume, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    CoreClose(volume);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_EQUAL(CoreCount(counts.Core.Control, stream), 0);
    other = CoreOpenFile(L"\\??\\N:\\three.txt");
    CoreWrite(stream, 3);
    CoreWrite(other, 3);
    CHECK_EQUAL(CoreGetTracking(counts.Core.Control, other, &tracking), PSCTX_TRACKED_COUNTED);
    CHECK_EQUAL(tracking.Opens, 1);
    CHECK_EQUAL(tracking.Writes, 1);

    /* The rule outlives its volume, and means no other one that comes to the same letter. */
    CoreClose(other);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    other = CoreOpenFile(L"\\??\\N:\\three.txt");
    CHECK_EQUAL(CoreCount(counts.Core.Control, other), 0);
    CoreStopCounts(&counts);
}

/* Events. */

static VOID CoreOpensAndCleanupsAreReported(VOID)
{
    static const ULONG types[] = {PSCTX_EVENT_TRACKED, PSCTX_EVENT_TRACKED, PSCTX_EVENT_CLEANUP, PSCTX_EVENT_CLEANUP};
    const PSCTX_EVENT *event = NULL;
    CORE_COUNTS counts;
    CORE_WAIT wait;
    HANDLE reader;
    HANDLE stream;
    ULONG flags;
    ULONG index;

    for (flags = 0; flags <= PSCTX_TRACK_COUNT; flags += 1) {
        CoreStartCounts(&counts);
        reader = CoreOpenReader(counts.Core.Control, (1u << PSCTX_EVENT_TRACKED) | (1u << PSCTX_EVENT_CLEANUP));
        CHECK_STATUS(CoreTrack(counts.Core.Control, L"*ONE.TXT", NULL, flags), STATUS_SUCCESS);
        stream = CoreOpenFile(CORE_FILE);
        CoreClose(CoreOpenFile(CORE_OTHER_FILE));
        CoreClose(CoreOpenFile(CORE_FILE));
        CoreClose(stream);
        CoreInitializeWait(&wait, 2 * CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
        CHECK_EQUAL(CoreEventCount(&wait), RTL_NUMBER_OF(types));
        for (index = 0; index < RTL_NUMBER_OF(types); index += 1) {
            event = CoreNextEvent(&wait, event);
            CHECK(event != NULL);
            CHECK_EQUAL(event->Type, types[index]);
            CHECK_EQUAL(event->OwnerKey, CORE_OWNER);
            CHECK_EQUAL(event->Instance, CORE_INSTANCE);
            CHECK_EQUAL(event->ProcessId, counts.Process);
            CHECK(CoreEventNameEndsWith(event, L"one.txt"));
        }
        CHECK(CoreNextEvent(&wait, event) == NULL);
        event = NULL;
        CoreFreeWait(&wait);
        CoreStopCounts(&counts);
    }
}

/* Threads. */

typedef struct _CORE_TRAFFIC {
    PCORE_COUNTS Counts;
    volatile LONG Running;
} CORE_TRAFFIC;

static void *CoreTransferMuch(void *Context)
{
    CORE_TRAFFIC *traffic = Context;
    HANDLE stream;
    ULONG round;

    HostEnterProcess(traffic->Counts->Core.Process);
    stream = CoreOpenFile(CORE_FILE);
    for (round = 0; round < CORE_TRANSFERS; round += 1) {
        CoreRead(stream, 3);
        CoreWrite(stream, 2);
        if (round % 16 == 0) {
            CoreClose(CoreOpenFile(CORE_FILE));
        }
    }
    CoreClose(stream);
    HostLeaveProcess();
    (VOID) InterlockedDecrement(&traffic->Running);
    return NULL;
}

/* Other sessions' contexts come and go on the same stream meanwhile, and the counts are asked for. */
static VOID CoreCountsAreExactUnderThreads(VOID)
{
    const ULONG64 opens = CORE_THREADS * (1 + (CORE_TRANSFERS + 15) / 16);
    PSCTX_TRACKING expected = {.Opens = opens + 1,
                               .Cleanups = opens,
                               .Reads = CORE_THREADS * CORE_TRANSFERS,
                               .Writes = CORE_THREADS * CORE_TRANSFERS,
                               .BytesRead = 3ull * CORE_THREADS * CORE_TRANSFERS,
                               .BytesWritten = 2ull * CORE_THREADS * CORE_TRANSFERS};
    PSCTX_TRACKING tracking;
    ULONG64 last = 0;
    pthread_t threads[CORE_THREADS];
    CORE_TRAFFIC traffic;
    CORE_COUNTS counts;
    HANDLE stream;
    ULONG index;

    CoreStartCounts(&counts);
    traffic.Counts = &counts;
    traffic.Running = CORE_THREADS;
    expected.FirstProcessId = expected.LastProcessId = counts.Process;
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    stream = CoreOpenFile(CORE_FILE);
    CoreWrite(stream, 3); /* for the reads */
    expected.Writes += 1;
    expected.BytesWritten += 3;
    for (index = 0; index < CORE_THREADS; index += 1) {
        CHECK(pthread_create(&threads[index], NULL, CoreTransferMuch, &traffic) == 0);
    }
    while (ReadAcquire(&traffic.Running) != 0) {
        const HANDLE second = CoreOpenSession(CORE_READ_WRITE);

        CHECK_STATUS(CoreTrack(second, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
        CoreClose(CoreOpenFile(CORE_FILE));
        expected.Opens += 1;
        expected.Cleanups += 1;
        CHECK_EQUAL(CoreGetTracking(second, stream, &tracking), PSCTX_TRACKED_COUNTED);
        CHECK(tracking.Opens >= 1);
        CoreClose(second);
        CHECK_EQUAL(CoreGetTracking(counts.Core.Control, stream, &tracking), PSCTX_TRACKED_COUNTED);
        CHECK(tracking.Reads >= last && tracking.Reads <= expected.Reads);
        last = tracking.Reads;
    }
    for (index = 0; index < CORE_THREADS; index += 1) {
        CHECK(pthread_join(threads[index], NULL) == 0);
    }
    CoreCheckTracking(counts.Core.Control, stream, &expected);
    CoreStopCounts(&counts);
}

/* A context that a reader comes to, in a page that is not there: at which IRQL it does. */
static PPSCTX_CONTEXT CorePagedOutContext;
static volatile LONG CoreIrqlOfLook;

static VOID CoreNoteLook(int signal)
{
    WriteRelease(&CoreIrqlOfLook, KeGetCurrentIrql());
    if (signal != SIGSEGV || mprotect(CorePagedOutContext, CORE_PAGE, PROT_READ | PROT_WRITE) != 0) {
        abort();
    }
}

/*
 * A thread that is stopped while it looks at the contexts of a bucket would keep every one that is given up meanwhile, in no account.
 * Where none can be stopped what is removed is freed at once.
 */
static VOID CoreNobodyIsStoppedWhileItCounts(VOID)
{
    const struct sigaction action = {.sa_handler = CoreNoteLook};
    struct sigaction previous;
    PSCTX_TRACKING tracking;
    CORE_COUNTS counts;
    HANDLE stream;
    ULONG number;
    ULONG64 held;

    CoreStartCounts(&counts);
    CHECK_STATUS(CoreTrack(counts.Core.Control, L"*", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    stream = CoreOpenFile(CORE_FILE);
    number = PsctxTrackedBucketNumber(CoreHeaderOf(stream));
    CorePagedOutContext = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(CorePagedOutContext != MAP_FAILED);
    CorePagedOutContext->NextCounting = ReadPointerAcquire(&PsctxTracked[number].Counting);
    CHECK(mprotect(CorePagedOutContext, CORE_PAGE, PROT_NONE) == 0);
    CHECK(sigaction(SIGSEGV, &action, &previous) == 0);
    InterlockedExchangePointer(&PsctxTracked[number].Counting, CorePagedOutContext);
    CoreWrite(stream, 1);
    InterlockedExchangePointer(&PsctxTracked[number].Counting, CorePagedOutContext->NextCounting);
    CHECK(sigaction(SIGSEGV, &previous, NULL) == 0);
    CHECK_EQUAL(CoreIrqlOfLook, DISPATCH_LEVEL);
    CHECK(munmap(CorePagedOutContext, CORE_PAGE) == 0);
    CHECK_EQUAL(CoreGetTracking(counts.Core.Control, stream, &tracking), PSCTX_TRACKED_COUNTED);
    CHECK_EQUAL(tracking.Writes, 1);
    CHECK(PsctxListening.Cleanups == 1 && PsctxListening.Transfers == 1 && PsctxTracked[number].Tracked == 1);

    held = HostAuditPool(CORE_POOL_TAG);
    CHECK_STATUS(CoreRemove(counts.Core.Control, stream, PSCTX_MATCH_INSTANCE, CORE_OWNER, CORE_INSTANCE, NULL),
                 STATUS_SUCCESS);
    CHECK(ReadPointerAcquire(&PsctxTracked[number].Counting) == NULL);
    CHECK(PsctxListening.Cleanups == 0 && PsctxListening.Transfers == 0 && PsctxTracked[number].Tracked == 0);
    CHECK(HostAuditPool(CORE_POOL_TAG) < held);
    CoreStopCounts(&counts);
}

/* Seeded races: a session that counts ends, or its stream's last handle is closed, beside transfers and opens. */

typedef struct _CORE_COUNT_RACE {
    CORE_COUNTS Counts;
    HANDLE Second;
    HANDLE Stream;
    ULONG Seed;
    ULONG Opened;
    ULONG Outcomes;
} CORE_COUNT_RACE;

static VOID CoreRaceTransfer(PVOID Context)
{
    const CORE_COUNT_RACE *race = Context;
    ULONG round;

    HostEnterProcess(race->Counts.Core.Process);
    for (round = 0; round < 6; round += 1) {
        CoreWrite(race->Stream, 1);
        CoreRead(race->Stream, 1);
    }
    HostLeaveProcess();
}

static VOID CoreRaceOpen(PVOID Context)
{
    const CORE_COUNT_RACE *race = Context;
    ULONG round;

    HostEnterProcess(race->Counts.Core.Process);
    for (round = 0; round < 3; round += 1) {
        CoreClose(CoreOpenFile(CORE_FILE));
    }
    HostLeaveProcess();
}

static VOID CoreRaceEndSecond(PVOID Context)
{
    const CORE_COUNT_RACE *race = Context;
    ULONG delay;

    HostEnterProcess(race->Counts.Core.Process);
    for (delay = 0; delay < race->Seed % 13; delay += 1) {
        (VOID) CoreStatistics(race->Counts.Core.Control);
    }
    CoreClose(race->Second);
    HostLeaveProcess();
}

static VOID CoreSessionsEndWhileCounting(VOID)
{
    static const PHOST_ROUTINE routines[] = {CoreRaceTransfer, CoreRaceOpen, CoreRaceEndSecond};
    PSCTX_TRACKING expected = {.Writes = 6, .Reads = 6, .BytesRead = 6, .BytesWritten = 6};
    CORE_COUNT_RACE race = {0};
    PVOID contexts[] = {&race, &race, &race};

    CoreStartCounts(&race.Counts);
    expected.FirstProcessId = expected.LastProcessId = race.Counts.Process;
    CHECK_STATUS(CoreTrack(race.Counts.Core.Control, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    for (race.Seed = 1; race.Seed <= CORE_SEEDS; race.Seed += 1) {
        race.Second = CoreOpenSession(CORE_READ_WRITE);
        CHECK_STATUS(CoreTrack(race.Second, L"*ONE.TXT", NULL, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
        race.Stream = CoreOpenFile(CORE_FILE);
        HostLeaveProcess();
        HostRunSchedule(race.Seed, RTL_NUMBER_OF(routines), routines, contexts);
        HostEnterProcess(race.Counts.Core.Process);
        expected.Opens = 4;
        expected.Cleanups = 3;
        CoreCheckTracking(race.Counts.Core.Control, race.Stream, &expected);
        CoreClose(race.Stream);
        CHECK_EQUAL(CoreStatistics(race.Counts.Core.Control).TotalContexts, 0);
    }
    CoreStopCounts(&race.Counts);
}

static const CORE_TEST CoreCountTests[] = {
    {"opens, cleanups, reads, writes and processes are counted", CoreEverythingIsCounted},
    {"contexts of rules that do not count have no counts", CoreUncountedRulesCountNothing},
    {"an open counts once, however many rules match it", CoreOneContextCountsAnOpenOnce},
    {"an open by a handle, without a name, is an open", CoreAnOpenByAHandleIsOne},
    {"failed creates and opens by another name are no opens", CoreOnlyMatchingOpensAreOpens},
    {"paging is not counted, and reads and writes at any IRQL are", CorePagingIsNotCounted},
    {"a file system's own opens are not counted", CoreFileSystemsOwnOpensAreNotCounted},
    {"fast I/O is counted if it is done", CoreFastIoIsCountedIfItIsDone},
    {"a rule for a volume is for no other", CoreRulesAreForTheirVolume},
    {"opens and cleanups of tracked streams are reported", CoreOpensAndCleanupsAreReported},
    {"counts are exact under threads", CoreCountsAreExactUnderThreads},
    {"a thread that counts cannot be stopped meanwhile; what is removed is freed at once, and looked for no more",
     CoreNobodyIsStoppedWhileItCounts},
    {"a session may end while its contexts count", CoreSessionsEndWhileCounting},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreCountTests, RTL_NUMBER_OF(CoreCountTests), argc > 1 ? argv[1] : NULL);
}
