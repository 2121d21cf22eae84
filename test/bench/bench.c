/*
 * The bare C side of the benchmark: the same lookups that the addon sends, without the addon.
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

static PEPROCESS Process;
static HANDLE Control;
static PSCTX_MATCH_REQUEST *Lookups;
static uint32_t StreamCount;
static BENCH_BATCH Batch;
static UCHAR BatchReply[sizeof(PSCTX_BATCH_REPLY) +
                        BENCH_MAXIMUM_BATCH * (sizeof(PSCTX_BATCH_RESULT) + sizeof(BENCH_LOOKUP_REPLY))];

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

    return Kernel.DeviceIoControlFile(Control, NULL, NULL, NULL, &ioStatus, Code, (PVOID)(uintptr_t)Input, InputLength,
                                      Output, OutputLength);
}

/* Finds the kernel in the addon at Path, and makes a client process with a session and room for Count streams. */
BENCH_API int32_t bench_start(const char *Path, uint32_t Count)
{
    void *image = dlopen(Path, RTLD_NOW | RTLD_NOLOAD);
    NTSTATUS status;

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

    Lookups = calloc(Count, sizeof(*Lookups));
    if (Lookups == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    StreamCount = 0;
    status = Kernel.CreateProcess(TRUE, &Process);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Kernel.EnterProcess(Process);
    status = BenchOpen((const uint16_t *)L"\\??\\PsCtx", 9, FILE_READ_DATA | FILE_WRITE_DATA, &Control);
    Kernel.LeaveProcess();
    return status;
}

/* Opens one more stream and hangs a context with 16 bytes of data on it. */
BENCH_API int32_t bench_add_stream(const uint16_t *Path, uint32_t Length)
{
    struct {
        PSCTX_INSERT_REQUEST Insert;
        UCHAR Data[BENCH_DATA_LENGTH];
    } request = {0};
    PSCTX_INSERT_REPLY reply;
    PSCTX_MATCH_REQUEST *lookup = &Lookups[StreamCount];
    HANDLE handle;
    NTSTATUS status;

    Kernel.EnterProcess(Process);
    status = BenchOpen(Path, Length, FILE_READ_ATTRIBUTES, &handle);
    if (NT_SUCCESS(status)) {
        request.Insert.Header.Size = sizeof(request);
        request.Insert.Header.Version = PSCTX_ABI_VERSION;
        request.Insert.Header.Operation = PSCTX_OPERATION_INSERT;
        request.Insert.Handle = (uintptr_t)handle;
        request.Insert.Instance = 1;
        request.Insert.DataLength = BENCH_DATA_LENGTH;
        status = BenchControl(PSCTX_IOCTL_INSERT, &request, sizeof(request), &reply, sizeof(reply));
    }
    Kernel.LeaveProcess();
    if (NT_SUCCESS(status)) {
        lookup->Header.Size = sizeof(*lookup);
        lookup->Header.Version = PSCTX_ABI_VERSION;
        lookup->Header.Operation = PSCTX_OPERATION_LOOKUP;
        lookup->Handle = (uintptr_t)handle;
        lookup->Instance = 1;
        lookup->Match = PSCTX_MATCH_INSTANCE;
        StreamCount += 1;
    }
    return status;
}

/* The one C entry point that bare C and koffi both call: a lookup of one stream's context into the caller's buffer. */
BENCH_API int32_t bench_lookup(uint32_t Index, void *Data)
{
    BENCH_LOOKUP_REPLY reply;
    NTSTATUS status;

    Kernel.EnterProcess(Process);
    status = BenchControl(PSCTX_IOCTL_LOOKUP, &Lookups[Index % StreamCount], sizeof(PSCTX_MATCH_REQUEST), &reply,
                          sizeof(reply));
    Kernel.LeaveProcess();
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlCopyMemory(Data, reply.Data, BENCH_DATA_LENGTH);
    return (int32_t)reply.Context.DataLength;
}

/* One batch of Count lookups, encoded by bench_prepare_batch. */
BENCH_API int32_t bench_batch(uint32_t Count)
{
    NTSTATUS status;

    Kernel.EnterProcess(Process);
    status = BenchControl(
        PSCTX_IOCTL_LOOKUP_BATCH, &Batch, Batch.Batch.Header.Size, BatchReply,
        (ULONG)(sizeof(PSCTX_BATCH_REPLY) + Count * (sizeof(PSCTX_BATCH_RESULT) + sizeof(BENCH_LOOKUP_REPLY))));
    Kernel.LeaveProcess();
    return NT_SUCCESS(status) && ((PSCTX_BATCH_REPLY *)BatchReply)->Failed == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

BENCH_API void bench_prepare_batch(uint32_t Count)
{
    uint32_t index;

    Batch.Batch.Header.Size = (ULONG)(sizeof(PSCTX_BATCH_REQUEST) + Count * sizeof(PSCTX_MATCH_REQUEST));
    Batch.Batch.Header.Version = PSCTX_ABI_VERSION;
    Batch.Batch.Header.Operation = PSCTX_OPERATION_LOOKUP_BATCH;
    Batch.Batch.Count = Count;
    Batch.Batch.ReplyCapacity = sizeof(BENCH_LOOKUP_REPLY);
    for (index = 0; index < Count; index += 1) {
        Batch.Lookups[index] = Lookups[(index * 7919u) % StreamCount];
    }
}

static double BenchNow(VOID)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds for Iterations lookups, each of another stream. Negative if one failed. */
BENCH_API double bench_time_lookups(uint32_t Iterations)
{
    UCHAR data[BENCH_DATA_LENGTH];
    const double start = BenchNow();
    uint32_t index;

    for (index = 0; index < Iterations; index += 1) {
        if (bench_lookup(index * 7919u, data) != (int32_t)BENCH_DATA_LENGTH) {
            return -1;
        }
    }
    return BenchNow() - start;
}

/* Nanoseconds for Iterations batches of Count. Negative if one failed. */
BENCH_API double bench_time_batches(uint32_t Count, uint32_t Iterations)
{
    double start;
    uint32_t index;

    bench_prepare_batch(Count);
    start = BenchNow();
    for (index = 0; index < Iterations; index += 1) {
        if (bench_batch(Count) != STATUS_SUCCESS) {
            return -1;
        }
    }
    return BenchNow() - start;
}

/* Ends the client process, and with it its session, its handles and its contexts. */
BENCH_API void bench_stop(void)
{
    Kernel.ExitProcess(Process);
    Kernel.DereferenceProcess(Process);
    free(Lookups);
    Lookups = NULL;
}
