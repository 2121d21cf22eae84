/*
 * Runs a fuzz target: under libFuzzer, or by itself with cases from files and seeded mutations of them.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/*
 * AddressSanitizer's own places for local variables would change between cases, while drivers' threads wait with some that are linked into
 * the kernel's lists; and its leak checker does not see the kernel's memory: what is left is counted by the targets.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0:detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}

int LLVMFuzzerInitialize(int *ArgumentCount, char ***Arguments);
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);

int LLVMFuzzerInitialize(int *ArgumentCount, char ***Arguments)
{
    UNREFERENCED_PARAMETER(ArgumentCount);
    UNREFERENCED_PARAMETER(Arguments);

    FuzzStart();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    FUZZ_INPUT input = {Data, Size};

    FuzzRun(&input);
    return 0;
}

#ifndef PSCTX_FUZZER

#define FUZZ_SEEDS 65536u
#define FUZZ_CASES 20000u
#define FUZZ_CASE_LENGTH 4096u

typedef struct _FUZZ_SEED {
    uint8_t *Bytes;
    size_t Length;
} FUZZ_SEED;

static FUZZ_SEED FuzzSeeds[FUZZ_SEEDS];
static size_t FuzzSeedCount;
static ULONG64 FuzzRandom;

static size_t FuzzNumber(_In_ size_t Limit)
{
    FuzzRandom = FuzzRandom * 6364136223846793005ull + 1442695040888963407ull;
    return (size_t)(FuzzRandom >> 33) % Limit;
}

static VOID FuzzLoad(_In_z_ const char *Path)
{
    struct stat information;
    FUZZ_SEED *seed = &FuzzSeeds[FuzzSeedCount];
    FILE *file;

    if (stat(Path, &information) != 0) {
        perror(Path);
        exit(1);
    }
    if (S_ISDIR(information.st_mode)) {
        struct dirent **entries;
        const int count = scandir(Path, &entries, NULL, alphasort);
        int index;

        for (index = 0; index < count; index += 1) {
            char name[4096];

            if (entries[index]->d_name[0] != '.') {
                (VOID) snprintf(name, sizeof(name), "%s/%s", Path, entries[index]->d_name);
                FuzzLoad(name);
            }
            free(entries[index]);
        }
        free(entries);
        return;
    }
    file = fopen(Path, "rb");
    seed->Bytes = malloc((size_t)information.st_size + 1);
    CHECK(file != NULL && seed->Bytes != NULL && FuzzSeedCount + 1 < FUZZ_SEEDS);
    seed->Length = fread(seed->Bytes, 1, (size_t)information.st_size, file);
    FuzzSeedCount += 1;
    fclose(file);
}

/* A seed with some of its bytes changed, left out or doubled; or, now and then, bytes that are made up. */
static size_t FuzzMutate(_Out_writes_(FUZZ_CASE_LENGTH) uint8_t *Case)
{
    size_t length = 0;
    size_t changes;

    if (FuzzSeedCount != 0 && FuzzNumber(8) != 0) {
        const FUZZ_SEED *seed = &FuzzSeeds[FuzzNumber(FuzzSeedCount)];

        length = min(seed->Length, FUZZ_CASE_LENGTH);
        memcpy(Case, seed->Bytes, length);
    }
    if (length == 0) {
        for (length = 0; length < FuzzMaximumLength; length += 1) {
            Case[length] = (uint8_t)FuzzNumber(256);
        }
        return length;
    }
    for (changes = FuzzNumber(6); changes != 0; changes -= 1) {
        const size_t position = FuzzNumber(length);
        static const uint8_t interesting[] = {0, 1, 0x7F, 0x80, 0xFF};

        switch (FuzzNumber(5)) {
        case 0:
            Case[position] = (uint8_t)FuzzNumber(256);
            break;
        case 1:
            Case[position] ^= (uint8_t)(1u << FuzzNumber(8));
            break;
        case 2:
            Case[position] = interesting[FuzzNumber(sizeof(interesting))];
            break;
        case 3:
            length = position + 1;
            break;
        default: {
            const size_t more = min(length - position, FUZZ_CASE_LENGTH - length);

            memmove(Case + position + more, Case + position, length - position);
            length += more;
            break;
        }
        }
    }
    return length;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[FUZZ_CASE_LENGTH];
    size_t cases = FUZZ_CASES;
    struct timespec before;
    struct timespec after;
    double seconds;
    size_t index;
    int argument;

    FuzzRandom = 1;
    for (argument = 1; argument < argc; argument += 1) {
        if (strncmp(argv[argument], "--cases=", 8) == 0) {
            cases = (size_t)strtoull(argv[argument] + 8, NULL, 10);
        } else if (strncmp(argv[argument], "--seed=", 7) == 0) {
            FuzzRandom = strtoull(argv[argument] + 7, NULL, 10);
        } else {
            FuzzLoad(argv[argument]);
        }
    }
    FuzzStart();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (index = 0; index < FuzzSeedCount; index += 1) {
        LLVMFuzzerTestOneInput(FuzzSeeds[index].Bytes, FuzzSeeds[index].Length);
    }
    for (index = 0; index < cases; index += 1) {
        LLVMFuzzerTestOneInput(bytes, FuzzMutate(bytes));
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) * 1e-9;
    printf("# %zu cases from files, %zu mutations, %.0f cases a second of one processor\n", FuzzSeedCount, cases,
           (double)(FuzzSeedCount + cases) / seconds);
    if (cases != 0) {
        FuzzCheckReached();
    }
    printf("ok 1 - hostile cases are survived, and reach everything\n1..1\n");
    return 0;
}

#endif
