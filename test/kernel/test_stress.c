/* Many threads on few streams; the driver's counts and theirs have to add up. */
#include "interrupt.h"
#include "tests.h"

#define WORKERS 8u
#define INSTANCES 6u
#define DEFAULT_ROUNDS 300u
#define JOIN_MILLISECONDS 100000u

typedef struct _WORKER {
    ULONG Number;
    ULONG Seed;
    ULONG Rounds; /* 0: until Deadline */
    ULONG Deadline;
    SESSION Shared; /* the session of all workers, with this worker's event */
    ULONG64 SharedInserted;
    ULONG64 SharedRemoved;
    volatile LONG Done;
} WORKER;

static WORKER Workers[WORKERS];
static volatile LONG Rounds;

static BOOL IsInsertion(LONG status)
{
    return EXPECT(status == STATUS_SUCCESS || status == STATUS_OBJECT_NAME_COLLISION);
}

/* One operation at random; what it has changed is booked. */
static void Operate(WORKER *worker, const SESSION *session, ULONG64 file, ULONG64 *inserted, ULONG64 *removed)
{
    const ULONG64 instance = RandomBelow(&worker->Seed, INSTANCES);
    const INSERT_OPTIONS options = {RandomBelow(&worker->Seed, 4), RandomBelow(&worker->Seed, 2),
                                    PSCTX_LIFETIME_SESSION};
    PSCTX_INSERT_REPLY reply;
    CONTEXT_BUFFER context;
    BYTE data[8];
    ULONG64 count;
    LONG status;

    switch (RandomBelow(&worker->Seed, 8)) {
    case 0:
    case 1:
    case 2:
        memset(data, (BYTE)instance, sizeof(data));
        status = Insert(session, file, 1, instance, &options, data, sizeof(data), &reply);
        if (IsInsertion(status) && status == STATUS_SUCCESS && reply.Outcome != PSCTX_OUTCOME_KEPT) {
            *inserted += 1;
            *removed += reply.Outcome == PSCTX_OUTCOME_REPLACED ? 1 : 0;
        }
        break;
    case 3:
        status = Remove(session, file, 1, instance, &context);
        (void)EXPECT(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND);
        *removed += status == STATUS_SUCCESS ? 1 : 0;
        break;
    case 4:
        (void)EXPECT_SUCCESS(RemoveAll(session, file, 1, instance, PSCTX_MATCH_INSTANCE, &count));
        *removed += count;
        break;
    default:
        status = Lookup(session, file, 1, instance, &context);
        if (EXPECT(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND) && status == STATUS_SUCCESS) {
            (void)EXPECT_EQUAL(sizeof(data), context.Reply.DataLength);
            (void)EXPECT_EQUAL(instance, context.Data[7]);
        }
        break;
    }
}

/* What is inserted and neither removed nor torn down is there, no more and no less. */
static void CheckCounts(const SESSION *session, ULONG64 inserted, ULONG64 removed)
{
    PSCTX_STATISTICS_REPLY statistics;

    if (EXPECT_SUCCESS(QueryStatistics(session, &statistics))) {
        (void)EXPECT_EQUAL(inserted, statistics.SessionInserted);
        (void)EXPECT_EQUAL(removed, statistics.SessionRemoved);
        (void)EXPECT_EQUAL(inserted - removed - statistics.SessionTornDown, statistics.SessionContexts);
    }
}

/* A file of the worker's own that goes to and fro between two names, open all the while. */
static void RenameOwn(const WORKER *worker, BOOL *there)
{
    WCHAR first[32] = L"worker-";
    WCHAR second[32] = L"renamed-";
    DWORD error;

    (void)WideAppendNumber(first, COUNT_OF(first), worker->Number);
    (void)WideAppendNumber(second, COUNT_OF(second), worker->Number);
    error = *there ? FilesRename(second, first) : FilesRename(first, second);
    if (error == ERROR_SUCCESS) {
        *there = !*there;
    } else {
        (void)EXPECT(error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED);
    }
}

static BOOL GoesOn(const WORKER *worker, ULONG round)
{
    if (IsInterrupted()) {
        return FALSE;
    }
    return worker->Rounds != 0 ? round < worker->Rounds : (LONG)(worker->Deadline - GetTickCount()) > 0;
}

static void Work(WORKER *worker)
{
    WCHAR own[32] = L"worker-";
    SESSION session;
    HANDLE shared = OpenSample(worker->Number % Volume.SampleCount);
    HANDLE mine = INVALID_HANDLE_VALUE;
    ULONG64 inserted = 0;
    ULONG64 removed = 0;
    BOOL renamed = FALSE;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    if (Volume.Writable) {
        (void)WideAppendNumber(own, COUNT_OF(own), worker->Number);
        mine = MakeAndOpen(own);
    }
    for (ULONG round = 0; GoesOn(worker, round); round += 1) {
        Operate(worker, &session, HandleValue(shared), &inserted, &removed);
        Operate(worker, &worker->Shared, HandleValue(shared), &worker->SharedInserted, &worker->SharedRemoved);
        if (round % 8 == 0) {
            CloseKept(shared);
            shared = OpenSample(RandomBelow(&worker->Seed, Volume.SampleCount));
        }
        if (mine != INVALID_HANDLE_VALUE) {
            Operate(worker, &session, HandleValue(mine), &inserted, &removed);
            if (round % 16 == 3) {
                RenameOwn(worker, &renamed);
            }
        }
        (void)InterlockedIncrement(&Rounds);
    }
    CheckCounts(&session, inserted, removed);
    CloseSession(&session);
    CloseKept(shared);
    if (mine != INVALID_HANDLE_VALUE) {
        if (renamed) {
            RenameOwn(worker, &renamed);
        }
        CloseKept(mine);
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(own));
    }
}

static DWORD WINAPI RunWorker(void *argument)
{
    WORKER *worker = argument;

    Work(worker);
    (void)InterlockedExchange(&worker->Done, 1);
    return 0;
}

/* Waits for every worker; the watchdog sees to it that this ends. */
static BOOL AllDone(void)
{
    for (ULONG number = 0; number < WORKERS; number += 1) {
        if (Workers[number].Done == 0) {
            return FALSE;
        }
    }
    return TRUE;
}

static void Stress(ULONG rounds, ULONG seconds)
{
    const ULONG seed = GetTickCount();
    const ULONG limit = GetTickCount() + seconds * 1000 + JOIN_MILLISECONDS;
    ULONG64 inserted = 0;
    ULONG64 removed = 0;
    SESSION shared;

    Note("seed %u", seed);
    Rounds = 0;
    if (!OpenSharedSession(&shared)) {
        return;
    }
    for (ULONG number = 0; number < WORKERS; number += 1) {
        WORKER *worker = &Workers[number];
        HANDLE thread;

        memset(worker, 0, sizeof(*worker));
        worker->Number = number;
        worker->Seed = seed + number * 0x9E3779B1u;
        worker->Rounds = rounds;
        worker->Deadline = GetTickCount() + seconds * 1000;
        worker->Shared = shared;
        worker->Shared.Event = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
        thread = CreateThread(NULL, 0, RunWorker, worker, 0, NULL);
        if (!EXPECT(thread != NULL)) {
            worker->Done = 1;
            continue;
        }
        (void)KeepHandle(thread);
    }
    while (!AllDone()) {
        Sleep(20);
        if ((LONG)(limit - GetTickCount()) < 0) {
            BailOut("the stress does not end");
        }
    }
    for (ULONG number = 0; number < WORKERS; number += 1) {
        inserted += Workers[number].SharedInserted;
        removed += Workers[number].SharedRemoved;
    }
    shared.Event = Workers[0].Shared.Event;
    CheckCounts(&shared, inserted, removed);
    Note("%u rounds of %u threads", (ULONG)Rounds, WORKERS);
}

static void TestShort(void)
{
    Stress(DEFAULT_ROUNDS, 0);
}

static void TestLong(void)
{
    if (Options.StressSeconds == 0) {
        Skip("only with --stress");
        return;
    }
    Stress(0, Options.StressSeconds);
}

static const TEST Tests[] = {
    {"threads on shared streams and sessions: the counts add up", TestShort, NEEDS_CONTEXTS},
    {"stress", TestLong, NEEDS_CONTEXTS},
};

const TEST_GROUP StressTests = {Tests, COUNT_OF(Tests)};
