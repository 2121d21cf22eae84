/*
 * Keys that nobody can know, and SipHash-2-4, which is made with them.
 *
 * Every kernel since Windows XP has a generator of random numbers in \Device\KsecDD. Where that does not answer, a key is a digest of what is
 * hard to know from outside: clocks, and addresses that differ from one start of the system to the next.
 * [SipHash, Aumasson and Bernstein, 2012]
 */
#include "kernel/kernel.h"

#define PSCTX_RANDOM_DEVICE L"\\Device\\KsecDD"
#define PSCTX_RANDOM_CODE CTL_CODE(0x39, 1, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define PSCTX_RANDOM_SAMPLES 16u

/* Of the hardware abstraction layer on some kernels, whose import library is another: found by name. */
typedef LARGE_INTEGER(NTAPI *PPSCTX_QUERY_PERFORMANCE_COUNTER)(_Out_opt_ PLARGE_INTEGER Frequency);

static PPSCTX_QUERY_PERFORMANCE_COUNTER PsctxKeQueryPerformanceCounter;

PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartKeys(VOID)
{
    PAGED_CODE();

    PsctxKeQueryPerformanceCounter = (PPSCTX_QUERY_PERFORMANCE_COUNTER)PsctxFindRoutine(L"KeQueryPerformanceCounter");
}

static ULONG64 PsctxRotate(_In_ ULONG64 Value, _In_ ULONG Bits)
{
    return (Value << Bits) | (Value >> (64u - Bits));
}

static VOID PsctxSipRounds(_Inout_updates_(4) ULONG64 *State, _In_ ULONG Count)
{
    for (; Count != 0; Count -= 1) {
        State[0] += State[1];
        State[2] += State[3];
        State[1] = PsctxRotate(State[1], 13) ^ State[0];
        State[3] = PsctxRotate(State[3], 16) ^ State[2];
        State[0] = PsctxRotate(State[0], 32);
        State[2] += State[1];
        State[0] += State[3];
        State[1] = PsctxRotate(State[1], 17) ^ State[2];
        State[3] = PsctxRotate(State[3], 21) ^ State[0];
        State[2] = PsctxRotate(State[2], 32);
    }
}

/*
 * SipHash-2-4 of whole little-endian words. Any IRQL.
 */
_Use_decl_annotations_ ULONG64 PsctxSipHash(const ULONG64 *Key, const ULONG64 *Words, ULONG Count)
{
    ULONG64 state[4] = {Key[0] ^ 0x736F6D6570736575ull, Key[1] ^ 0x646F72616E646F6Dull, Key[0] ^ 0x6C7967656E657261ull,
                        Key[1] ^ 0x7465646279746573ull};
    ULONG index;

    for (index = 0; index <= Count; index += 1) {
        const ULONG64 word = index < Count ? Words[index] : (ULONG64)(Count * sizeof(ULONG64)) << 56;

        state[3] ^= word;
        PsctxSipRounds(state, 2);
        state[0] ^= word;
    }
    state[2] ^= 0xFF;
    PsctxSipRounds(state, 4);
    return state[0] ^ state[1] ^ state[2] ^ state[3];
}

/*
 * Fills the key, which is zero, from the kernel's generator of random numbers. FALSE if that does not answer.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxQueryRandomKey(_Inout_updates_(2) ULONG64 *Key)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK ioStatus;
    UNICODE_STRING name;
    HANDLE device;
    NTSTATUS status;

    PAGED_CODE();

    RtlInitUnicodeString(&name, PSCTX_RANDOM_DEVICE);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwCreateFile(&device, SYNCHRONIZE | FILE_READ_DATA, &attributes, &ioStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (!NT_SUCCESS(status)) {
        return FALSE;
    }
    status =
        ZwDeviceIoControlFile(device, NULL, NULL, NULL, &ioStatus, PSCTX_RANDOM_CODE, NULL, 0, Key, 2 * sizeof(*Key));
    ZwClose(device);
    return NT_SUCCESS(status) && (Key[0] | Key[1]) != 0;
}

/*
 * Fills the key, which is zero, with a digest of clocks and addresses.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxDigestKey(_Inout_updates_(2) ULONG64 *Key)
{
    const PVOID allocated =
        PsctxAllocate(NonPagedPool, sizeof(ULONG64)); /* its address alone matters, or that there is none */
    ULONG index;

    PAGED_CODE();

    Key[0] = (ULONG64)(ULONG_PTR)allocated;
    PsctxFree(allocated);
    for (index = 0; index < PSCTX_RANDOM_SAMPLES; index += 1) {
        LARGE_INTEGER counter = {0};
        LARGE_INTEGER time;

        KeQuerySystemTime(&time);
        if (PsctxKeQueryPerformanceCounter != NULL) {
            counter = PsctxKeQueryPerformanceCounter(NULL);
        }
        const ULONG64 words[] = {(ULONG64)time.QuadPart,
                                 KeQueryInterruptTime(),
                                 (ULONG64)counter.QuadPart,
                                 (ULONG64)(ULONG_PTR)IoGetCurrentProcess(),
                                 (ULONG64)(ULONG_PTR)PsctxGlobals.DriverObject,
                                 (ULONG64)(ULONG_PTR)&time};
        Key[index % 2] = PsctxSipHash(Key, words, RTL_NUMBER_OF(words));
    }
}

/*
 * A key that nobody can know, of whatever the kernel has to make it of.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxMakeKey(ULONG64 *Key)
{
    PAGED_CODE();

    RtlZeroMemory(Key, 2 * sizeof(*Key));
    if (!PsctxQueryRandomKey(Key)) {
        PsctxDigestKey(Key);
    }
}
