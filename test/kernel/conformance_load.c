/* Many threads that make, open, close and delete the same names. */
#include "conformance.h"

#define THREADS 6u
#define NAMES 3u
#define SETTLE_MILLISECONDS 8000u

typedef struct _LOADER {
    SESSION Session;
    ULONG Seed;
    ULONG Deadline;
    ULONG Opens;
    ULONG Deletions;
    HANDLE Thread;
} LOADER;

static LOADER Loaders[THREADS];

static void LoadedName(ULONG number, WCHAR *name, size_t capacity)
{
    name[0] = 0;
    (void)WideAppend(name, capacity, L"loaded-");
    (void)WideAppendNumber(name, capacity, number);
}

/* While its handle is open the stream has the context, whoever deletes the name. */
static void UseOne(LOADER *loader, HANDLE file)
{
    const INSERT_OPTIONS options = {PSCTX_IF_EXISTS_REPLACE, PSCTX_POOL_PAGED, PSCTX_LIFETIME_SESSION};

    (void)EXPECT_SUCCESS(Insert(&loader->Session, HandleValue(file), OWNER, INSTANCE, &options, "c", 1, NULL));
    (void)HOLDS(Finds(&loader->Session, file, OWNER, INSTANCE), "an open stream has the context it was given");
    if (RandomBelow(&loader->Seed, 4) == 0) {
        (void)EXPECT_SUCCESS(Remove(&loader->Session, HandleValue(file), OWNER, INSTANCE, NULL));
    }
}

/* The test file system's creates fail behind the client's back: whatever is asked of such a handle gets the create's status. */
static BOOL IsOpen(const LOADER *loader, HANDLE file)
{
    PSCTX_STREAM_REPLY reply;

    return file != INVALID_HANDLE_VALUE &&
           (Volume.Win32 || QueryStream(&loader->Session, HandleValue(file), &reply) == STATUS_SUCCESS);
}

/* Making, opening and deleting may each be refused: another thread has been there. */
static DWORD WINAPI Load(void *argument)
{
    LOADER *loader = argument;
    WCHAR name[32];

    while ((LONG)(loader->Deadline - GetTickCount()) > 0 && !IsInterrupted()) {
        HANDLE file;

        LoadedName(RandomBelow(&loader->Seed, NAMES), name, COUNT_OF(name));
        (void)FilesMake(name);
        file = FilesOpen(name, GENERIC_READ);
        if (IsOpen(loader, file)) {
            loader->Opens += 1;
            UseOne(loader, file);
            if (RandomBelow(&loader->Seed, 3) == 0 && FilesDelete(name) == ERROR_SUCCESS) {
                loader->Deletions += 1;
            }
        }
        CloseKept(file);
    }
    return 0;
}

/* Waits until no thread's session has a context, and returns how many are left. */
static ULONG64 AwaitNone(void)
{
    const ULONG start = GetTickCount();
    ULONG64 left;

    do {
        left = 0;
        Sleep(20);
        for (ULONG number = 0; number < THREADS; number += 1) {
            PSCTX_STATISTICS_REPLY statistics;

            (void)EXPECT_SUCCESS(QueryStatistics(&Loaders[number].Session, &statistics));
            left += statistics.SessionContexts;
        }
    } while (left != 0 && GetTickCount() - start < SETTLE_MILLISECONDS && !IsInterrupted());
    return left;
}

static void StartAll(void)
{
    const ULONG seed = GetTickCount();

    Note("seed %u", seed);
    memset(Loaders, 0, sizeof(Loaders));
    for (ULONG number = 0; number < THREADS; number += 1) {
        LOADER *loader = &Loaders[number];

        loader->Seed = seed + number * 0x9E3779B1u;
        loader->Deadline = GetTickCount() + Options.StressSeconds * 1000;
        if (OpenSession(&loader->Session, READ_WRITE)) {
            loader->Thread = KeepHandle(CreateThread(NULL, 0, Load, loader, 0, NULL));
            (void)EXPECT(loader->Thread != NULL);
        }
    }
}

static void CheckLoad(void)
{
    ULONG opens = 0;
    ULONG deletions = 0;
    ULONG64 left;
    WCHAR name[32];

    if (Options.StressSeconds == 0) {
        Skip("only with --stress");
        return;
    }
    StartAll();
    for (ULONG number = 0; number < THREADS; number += 1) {
        /* The watchdog sees to it that this ends. */
        if (Loaders[number].Thread != NULL) {
            (void)WaitForSingleObject(Loaders[number].Thread, INFINITE);
        }
        opens += Loaders[number].Opens;
        deletions += Loaders[number].Deletions;
    }
    for (ULONG number = 0; number < NAMES; number += 1) {
        LoadedName(number, name, COUNT_OF(name));
        (void)FilesDelete(name);
    }
    left = AwaitNone();
    Note("%u threads: %u opens and %u deletions of %u names; %U contexts left", THREADS, opens, deletions, NAMES, left);
    (void)EXPECT(opens != 0);
    (void)HOLDS(left == 0 || IsInterrupted(), "no context is left when the files are deleted");
}

static const TEST Checks[] = {
    {"load", CheckLoad, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_TEARDOWN},
};

const TEST_GROUP LoadChecks = {Checks, COUNT_OF(Checks)};
