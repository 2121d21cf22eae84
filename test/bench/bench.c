/*
 * The bare C side of the benchmark: the same requests that the addon sends, without the addon.
 *
 * Loaded beside the addon into one process, it takes the embedded kernel's services out of the addon's image, so that everything that
 * is compared runs on one kernel, one driver and one set of streams.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "host.h"

#include <psctx/abi.h>

#define BENCH_API __attribute__((visibility("default")))
#define BENCH_MAXIMUM_BATCH 1024u
#define BENCH_DATA_LENGTH 16u
#define BENCH_CLIENTS 2u
#define BENCH_STRIDE 7919u /* from one stream to the next */

typedef struct _BENCH_LOOKUP_REPLY {
    PSCTX_CONTEXT_REPLY Context;
    UCHAR Data[BENCH_DATA_LENGTH];
} BENCH_LOOKUP_REPLY;

typedef struct _BENCH_BATCH {
    PSCTX_BATCH_REQUEST Batch;
    PSCTX_MATCH_REQUEST Lookups[BENCH_MAXIMUM_BATCH];
} BENCH_BATCH;

/* The services of the embedded kernel in the addon's image. */
static struct {
    NTSTATUS (*CreateProcess)(BOOLEAN Administrator, PEPROCESS *Process);
    VOID (*EnterProcess)(PEPROCESS Process);
    VOID (*LeaveProcess)(VOID);
    VOID (*ExitProcess)(PEPROCESS Process);
    VOID (*DereferenceProcess)(PEPROCESS Process);
    __typeof__(&NtCreateFile) CreateFile;
    __typeof__(&NtDeviceIoControlFile) DeviceIoControlFile;
} Kernel;

/*
 * A client process with a session, and streams of its own. Each contender is one: what it touches, no other brings into the cache for it.
 */
typedef struct _BENCH_CLIENT {
    PEPROCESS Process;
    HANDLE Control;
    HANDLE *Streams;
    uint32_t StreamCount;
    BENCH_BATCH Batch;
    UCHAR BatchReply[sizeof(PSCTX_BATCH_REPLY) +
                     BENCH_MAXIMUM_BATCH * (sizeof(PSCTX_BATCH_RESULT) + sizeof(BENCH_LOOKUP_REPLY))];
} BENCH_CLIENT;

static BENCH_CLIENT Clients[BENCH_CLIENTS];
static BENCH_CLIENT *Client = &Clients[0]; /* whose turn it is */

static NTSTATUS BenchOpen(_In_ const uint16_t *Path, _In_ uint32_t Length, _In_ ACCESS_MASK Access,
                          _Out_ PHANDLE Handle)
{
    UNICODE_STRING name = {(USHORT)(Length * sizeof(WCHAR)), (USHORT)(Length * sizeof(WCHAR)), (PWCH)(uintptr_t)Path};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK ioStatus;

    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return Kernel.CreateFile(Handle, Access | SYNCHRONIZE, &attributes, &ioStatus, NULL, 0,
                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                             FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static NTSTATUS BenchControl(_In_ ULONG Code, _In_ const VOID *Input, _In_ ULONG InputLength, _Out_ PVOID Output,
                             _In_ ULONG OutputLength)
{
    IO_STATUS_BLOCK ioStatus;

    return Kernel.DeviceIoControlFile(Client->Control, NULL, NULL, NULL, &ioStatus, Code, (PVOID)(uintptr_t)Input,
                                      InputLength, Output, OutputLength);
}

/* Whose turn it is from now on, by number: 0 is bare C, 1 koffi. */
BENCH_API void bench_select(uint32_t Number)
{
    Client = &Clients[Number % BENCH_CLIENTS];
}

/* Makes the process of the client whose turn it is, with a session and room for Count streams. */
static NTSTATUS BenchStartClient(_In_ uint32_t Count)
{
    NTSTATUS status;

    Client->Streams = calloc(Count, sizeof(*Client->Streams));
    if (Client->Streams == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Client->StreamCount = 0;
    status = Kernel.CreateProcess(TRUE, &Client->Process);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Kernel.EnterProcess(Client->Process);
    status = BenchOpen((const uint16_t *)L"\\??\\PsCtx", 9, FILE_READ_DATA | FILE_WRITE_DATA, &Client->Control);
    Kernel.LeaveProcess();
    return status;
}

/* Finds the kernel in the addon at Path, and makes the clients, each with room for Count streams. */
BENCH_API int32_t bench_start(const char *Path, uint32_t Count)
{
    void *image = dlopen(Path, RTLD_NOW | RTLD_NOLOAD);
    NTSTATUS status = STATUS_SUCCESS;
    uint32_t number;

    if (image == NULL) {
        return STATUS_DLL_NOT_FOUND;
    }
    *(void **)&Kernel.CreateProcess = dlsym(image, "HostCreateProcess");
    *(void **)&Kernel.EnterProcess = dlsym(image, "HostEnterProcess");
    *(void **)&Kernel.LeaveProcess = dlsym(image, "HostLeaveProcess");
    *(void **)&Kernel.ExitProcess = dlsym(image, "HostExitProcess");
    *(void **)&Kernel.DereferenceProcess = dlsym(image, "HostDereferenceProcess");
    *(void **)&Kernel.CreateFile = dlsym(image, "NtCreateFile");
    *(void **)&Kernel.DeviceIoControlFile = dlsym(image, "NtDeviceIoControlFile");

    for (number = 0; number < BENCH_CLIENTS && NT_SUCCESS(status); number += 1) {
        bench_select(number);
        status = BenchStartClient(Count);
    }
    return status;
}

/* The stream whose turn it is after so many others: none has been touched lately. */
static uint32_t BenchStreamAt(_In_ uint32_t Position)
{
    return (uint32_t)((uint64_t)Position * BENCH_STRIDE % Client->StreamCount);
}

static VOID BenchEncodeMatch(_Out_ PSCTX_MATCH_REQUEST *Request, _In_ PSCTX_UINT16 Operation, _In_ uint32_t Stream,
                             _In_ uint64_t Owner, _In_ uint64_t Instance)
{
    *Request = (PSCTX_MATCH_REQUEST){
        .Header = {sizeof(*Request), PSCTX_ABI_VERSION, Operation},
        .Handle = (uintptr_t)Client->Streams[Stream],
        .OwnerKey = Owner,
        .Instance = Instance,
        .Match = PSCTX_MATCH_INSTANCE,
    };
}

/* The C entry points that bare C and koffi both call. Stream is the number of one that was added. */

BENCH_API int32_t bench_insert(uint32_t Stream, uint64_t Owner, uint64_t Instance, const void *Data, uint32_t Length)
{
    struct {
        PSCTX_INSERT_REQUEST Insert;
        UCHAR Data[BENCH_DATA_LENGTH];
    } request = {
        .Insert =
            {
                .Header = {(uint32_t)sizeof(request.Insert) + Length, PSCTX_ABI_VERSION, PSCTX_OPERATION_INSERT},
                .Handle = (uintptr_t)Client->Streams[Stream],
                .OwnerKey = Owner,
                .Instance = Instance,
                .DataLength = Length,
            },
    };
    PSCTX_INSERT_REPLY reply;
    NTSTATUS status;

    if (Length > BENCH_DATA_LENGTH) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(request.Data, Data, Length);
    Kernel.EnterProcess(Client->Process);
    status = BenchControl(PSCTX_IOCTL_INSERT, &request, request.Insert.Header.Size, &reply, sizeof(reply));
    Kernel.LeaveProcess();
    return status;
}

/* Copies the context's data to the caller's buffer. Its length, or an NTSTATUS. */
static int32_t BenchMatch(_In_ ULONG Code, _In_ PSCTX_UINT16 Operation, _In_ uint32_t Stream, _In_ uint64_t Owner,
                          _In_ uint64_t Instance, _Out_ PVOID Data)
{
    PSCTX_MATCH_REQUEST request;
    BENCH_LOOKUP_REPLY reply;
    NTSTATUS status;

    BenchEncodeMatch(&request, Operation, Stream, Owner, Instance);
    Kernel.EnterProcess(Client->Process);
    status = BenchControl(Code, &request, sizeof(request), &reply, sizeof(reply));
    Kernel.LeaveProcess();
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlCopyMemory(Data, reply.Data, reply.Context.DataLength);
    return (int32_t)reply.Context.DataLength;
}

BENCH_API int32_t bench_lookup(uint32_t Stream, uint64_t Owner, uint64_t Instance, void *Data)
{
    return BenchMatch(PSCTX_IOCTL_LOOKUP, PSCTX_OPERATION_LOOKUP, Stream, Owner, Instance, Data);
}

BENCH_API int32_t bench_remove(uint32_t Stream, uint64_t Owner, uint64_t Instance, void *Data)
{
    return BenchMatch(PSCTX_IOCTL_REMOVE, PSCTX_OPERATION_REMOVE, Stream, Owner, Instance, Data);
}

/* Opens one more stream and hangs a context with 16 bytes of data on it. */
BENCH_API int32_t bench_add_stream(const uint16_t *Path, uint32_t Length)
{
    static const UCHAR data[BENCH_DATA_LENGTH];
    NTSTATUS status;

    Kernel.EnterProcess(Client->Process);
    status = BenchOpen(Path, Length, FILE_READ_ATTRIBUTES, &Client->Streams[Client->StreamCount]);
    Kernel.LeaveProcess();
    if (NT_SUCCESS(status)) {
        status = bench_insert(Client->StreamCount, 0, 1, data, sizeof(data));
        Client->StreamCount += 1;
    }
    return status;
}

/* One batch of Count lookups, encoded by bench_prepare_batch. */
BENCH_API int32_t bench_batch(uint32_t Count)
{
    NTSTATUS status;

    Kernel.EnterProcess(Client->Process);
    status = BenchControl(
        PSCTX_IOCTL_LOOKUP_BATCH, &Client->Batch, Client->Batch.Batch.Header.Size, Client->BatchReply,
        (ULONG)(sizeof(PSCTX_BATCH_REPLY) + Count * (sizeof(PSCTX_BATCH_RESULT) + sizeof(BENCH_LOOKUP_REPLY))));
    Kernel.LeaveProcess();
    return NT_SUCCESS(status) && ((PSCTX_BATCH_REPLY *)Client->BatchReply)->Failed == 0 ? STATUS_SUCCESS
                                                                                        : STATUS_UNSUCCESSFUL;
}

/* Encodes a batch of the streams from First on, in the order that all lookups follow. */
BENCH_API void bench_prepare_batch(uint32_t First, uint32_t Count)
{
    uint32_t index;

    Client->Batch.Batch.Header.Size = (ULONG)(sizeof(PSCTX_BATCH_REQUEST) + Count * sizeof(PSCTX_MATCH_REQUEST));
    Client->Batch.Batch.Header.Version = PSCTX_ABI_VERSION;
    Client->Batch.Batch.Header.Operation = PSCTX_OPERATION_LOOKUP_BATCH;
    Client->Batch.Batch.Count = Count;
    Client->Batch.Batch.ReplyCapacity = sizeof(BENCH_LOOKUP_REPLY);
    for (index = 0; index < Count; index += 1) {
        BenchEncodeMatch(&Client->Batch.Lookups[index], PSCTX_OPERATION_LOOKUP, BenchStreamAt(First + index), 0, 1);
    }
}

static double BenchNow(VOID)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds for Iterations lookups, each of another stream, from First on. Negative if one failed. */
BENCH_API double bench_time_lookups(uint32_t First, uint32_t Iterations)
{
    UCHAR data[BENCH_DATA_LENGTH];
    const double start = BenchNow();
    uint32_t index;

    for (index = 0; index < Iterations; index += 1) {
        if (bench_lookup(BenchStreamAt(First + index), 0, 1, data) != (int32_t)BENCH_DATA_LENGTH) {
            return -1;
        }
    }
    return BenchNow() - start;
}

/* Nanoseconds for Iterations insertions, each with the removal of what it has inserted. Negative if one failed. */
BENCH_API double bench_time_round_trips(uint32_t First, uint32_t Iterations)
{
    UCHAR data[BENCH_DATA_LENGTH] = {0};
    const double start = BenchNow();
    uint32_t index;

    for (index = 0; index < Iterations; index += 1) {
        const uint32_t stream = BenchStreamAt(First + index);

        if (bench_insert(stream, 0, 2, data, sizeof(data)) != STATUS_SUCCESS ||
            bench_remove(stream, 0, 2, data) != (int32_t)BENCH_DATA_LENGTH) {
            return -1;
        }
    }
    return BenchNow() - start;
}

/* Nanoseconds for Iterations times the batch of Count that has been prepared. Negative if one failed. */
BENCH_API double bench_time_batches(uint32_t Count, uint32_t Iterations)
{
    const double start = BenchNow();
    uint32_t index;

    for (index = 0; index < Iterations; index += 1) {
        if (bench_batch(Count) != STATUS_SUCCESS) {
            return -1;
        }
    }
    return BenchNow() - start;
}

/* Ends the client processes, and with them their sessions, handles and contexts. */
BENCH_API void bench_stop(void)
{
    uint32_t number;

    for (number = 0; number < BENCH_CLIENTS; number += 1) {
        bench_select(number);
        Kernel.ExitProcess(Client->Process);
        Kernel.DereferenceProcess(Client->Process);
        free(Client->Streams);
        Client->Streams = NULL;
    }
}
