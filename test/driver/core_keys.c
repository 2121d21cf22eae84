/*
 * What a key that nobody can know is made of: the kernel's random numbers, or where there are none, every clock and address that the digest
 * takes. The linker has calls of those routines go through here (--wrap), so that a test can hold all of them still but one.
 */
#include <string.h>

#include "core_fixture.h"
#include "core_probe.h"
#include "core_random.h"

#include "kernel/kernel.h"

#define CORE_SAMPLES 16u

/* AddressSanitizer gives a routine's variables other addresses each time, of which the digest takes one, unless it is asked not to. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}

/*
 * What the digest of this thread is made of, from its first source, the allocation, on; Changed is the one of its samples that reads another time.
 */
static __thread struct {
    BOOLEAN Made; /* a key is */
    BOOLEAN Held;
    ULONG64 Time;
    ULONG64 InterruptTime;
    ULONG64 Counter;
    PEPROCESS Process;
    ULONG Allocated;
    ULONG Changed;
    ULONG Samples;
} CoreSources;

static CHAR CoreAllocations[2];

extern __typeof__(KeQuerySystemTime) __real_KeQuerySystemTime;
VOID __wrap_KeQuerySystemTime(PLARGE_INTEGER CurrentTime);
VOID __wrap_KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    __real_KeQuerySystemTime(CurrentTime);
    if (CoreSources.Held) {
        CurrentTime->QuadPart = (LONGLONG)(CoreSources.Time + (CoreSources.Samples == CoreSources.Changed));
        CoreSources.Samples += 1;
    }
}

extern __typeof__(KeQueryInterruptTime) __real_KeQueryInterruptTime;
ULONGLONG __wrap_KeQueryInterruptTime(VOID);
ULONGLONG __wrap_KeQueryInterruptTime(VOID)
{
    return CoreSources.Held ? CoreSources.InterruptTime : __real_KeQueryInterruptTime();
}

extern __typeof__(KeQueryPerformanceCounter) __real_KeQueryPerformanceCounter;
LARGE_INTEGER __wrap_KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency);
LARGE_INTEGER __wrap_KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    const LARGE_INTEGER held = {.QuadPart = (LONGLONG)CoreSources.Counter};

    return CoreSources.Held ? held : __real_KeQueryPerformanceCounter(PerformanceFrequency);
}

extern __typeof__(IoGetCurrentProcess) __real_IoGetCurrentProcess;
PEPROCESS __wrap_IoGetCurrentProcess(VOID);
PEPROCESS __wrap_IoGetCurrentProcess(VOID)
{
    return CoreSources.Held ? CoreSources.Process : __real_IoGetCurrentProcess();
}

extern __typeof__(PsctxAllocate) __real_PsctxAllocate;
PVOID __wrap_PsctxAllocate(POOL_TYPE PoolType, SIZE_T Size);
PVOID __wrap_PsctxAllocate(POOL_TYPE PoolType, SIZE_T Size)
{
    CoreSources.Held = CoreSources.Made;
    return CoreSources.Held ? &CoreAllocations[CoreSources.Allocated] : __real_PsctxAllocate(PoolType, Size);
}

extern __typeof__(PsctxFree) __real_PsctxFree;
VOID __wrap_PsctxFree(PVOID Memory);
VOID __wrap_PsctxFree(PVOID Memory)
{
    if (!CoreSources.Held) {
        __real_PsctxFree(Memory);
    }
}

/* Makes a key of the sources as they are, in memory that held something. */
static VOID CoreMakeHeldKey(_Out_writes_(2) ULONG64 *Key, _In_ ULONG64 Held)
{
    Key[0] = Held;
    Key[1] = ~Held;
    CoreSources.Samples = 0;
    CoreSources.Made = TRUE;
    PsctxMakeKey(Key);
    CoreSources.Made = FALSE;
    CoreSources.Held = FALSE;
}

/* The same from elsewhere on the stack. */
static __attribute__((noinline)) VOID CoreMakeKeyDeeper(_Out_writes_(2) ULONG64 *Key)
{
    volatile UCHAR frame[256];

    frame[0] = 0;
    CoreMakeHeldKey(Key, frame[0]);
    frame[1] = frame[0];
}

static VOID CoreCheckOther(_In_reads_(2) const ULONG64 *Key)
{
    ULONG64 other[2];

    CoreMakeHeldKey(other, 0);
    CHECK(other[0] != Key[0] && other[1] != Key[1]);
}

/* Run in the kernel. */
static VOID CoreChangeSources(PVOID Context)
{
    const PDRIVER_OBJECT driver = PsctxGlobals.DriverObject;
    ULONG64 key[2];
    ULONG64 other[2];

    UNREFERENCED_PARAMETER(Context);

    CoreSources.Changed = CORE_SAMPLES;
    CoreMakeHeldKey(key, 0);
    CHECK_EQUAL(CoreSources.Samples, CORE_SAMPLES);
    CoreMakeHeldKey(other, 0xA5A5A5A5A5A5A5A5ull);
    CHECK(memcmp(other, key, sizeof(key)) == 0); /* everything is held still */

    CoreSources.Time += 1;
    CoreCheckOther(key);
    CoreSources.Time -= 1;
    CoreSources.InterruptTime += 1;
    CoreCheckOther(key);
    CoreSources.InterruptTime -= 1;
    CoreSources.Counter += 1;
    CoreCheckOther(key);
    CoreSources.Counter -= 1;
    CoreSources.Process = (PEPROCESS)&CoreSources;
    CoreCheckOther(key);
    CoreSources.Process = NULL;
    CoreSources.Allocated = 1;
    CoreCheckOther(key);
    CoreSources.Allocated = 0;
    PsctxGlobals.DriverObject = (PDRIVER_OBJECT)&CoreSources;
    CoreCheckOther(key);
    PsctxGlobals.DriverObject = driver;
    CoreMakeKeyDeeper(other);
    CHECK(other[0] != key[0] && other[1] != key[1]);

    for (CoreSources.Changed = 0; CoreSources.Changed < CORE_SAMPLES; CoreSources.Changed += 1) {
        CoreMakeHeldKey(other, 0);
        CHECK(other[1] != key[1]);
        CHECK(CoreSources.Changed == CORE_SAMPLES - 1 || other[0] != key[0]);
    }
}

/* Run in the kernel: the key is the generator's numbers, or is none of what it has written. */
static VOID CoreAskGenerator(PVOID Context)
{
    ULONG64 digest[2];
    ULONG64 key[2];
    ULONG word;

    UNREFERENCED_PARAMETER(Context);

    CoreMakeHeldKey(key, 0);
    CHECK(memcmp(key, CoreRandom.Numbers, sizeof(key)) == 0);
    CHECK_EQUAL(CoreSources.Samples, 0);
    for (word = 0; word < 2; word += 1) { /* a zero is as good as any number */
        CoreRandom.Numbers[word] = 0;
        CoreRandom.Numbers[1 - word] = 7;
        CoreMakeHeldKey(key, 0);
        CHECK(memcmp(key, CoreRandom.Numbers, sizeof(key)) == 0);
    }

    CoreRandom.Status = STATUS_DEVICE_NOT_READY;
    CoreMakeHeldKey(digest, 0);
    CHECK_EQUAL(CoreSources.Samples, CORE_SAMPLES);
    CoreRandom.Status = STATUS_SUCCESS;
    CoreRandom.Length = 0;
    CoreMakeHeldKey(key, 0xA5A5A5A5A5A5A5A5ull);
    CHECK(memcmp(key, digest, sizeof(key)) == 0);
    CoreRandom.Length = sizeof(CoreRandom.Numbers);
    CoreRandom.Numbers[0] = CoreRandom.Numbers[1] = 0;
    CoreMakeHeldKey(key, 0);
    CHECK(memcmp(key, digest, sizeof(key)) == 0);
}

static VOID CoreRun(_In_ PHOST_ROUTINE Routine, _In_ BOOLEAN HasGenerator)
{
    PDRIVER_OBJECT random;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    random = HasGenerator ? CoreLoadRandom() : NULL;
    CoreRunInKernel(Routine, NULL);
    if (HasGenerator) {
        CHECK_STATUS(HostUnloadDriver(random), STATUS_SUCCESS);
    }
    CoreUnloadProbe();
    CoreStop(&core);
}

static VOID CoreDigestHasAllOfItsSources(VOID)
{
    CoreRun(CoreChangeSources, FALSE);
}

static VOID CoreGeneratorIsBelieved(VOID)
{
    CoreRun(CoreAskGenerator, TRUE);
}

/* The published vectors of SipHash-2-4 for the key 00 01 … 0f and messages 00 01 …, of whole words. */
static VOID CoreSipHashIsSipHash(VOID)
{
    static const ULONG64 key[] = {0x0706050403020100ull, 0x0F0E0D0C0B0A0908ull};
    static const ULONG64 expected[] = {0x726FDB47DD0E0E31ull, 0x93F5F5799A932462ull, 0x3F2ACC7F57C29BDBull};
    ULONG count;

    for (count = 0; count < RTL_NUMBER_OF(expected); count += 1) {
        CHECK_EQUAL(PsctxSipHash(key, key, count), expected[count]);
    }
}

static const CORE_TEST CoreKeys[] = {
    {"SipHash answers the published vectors", CoreSipHashIsSipHash},
    {"a key is the kernel's random numbers, if it gives any", CoreGeneratorIsBelieved},
    {"a digest is another when any of its sources is, at any of its samples", CoreDigestHasAllOfItsSources},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreKeys, RTL_NUMBER_OF(CoreKeys), argc > 1 ? argv[1] : NULL);
}
