/*
 * Threads that open, insert, look up, remove and close on the same streams, free-running: for the sanitizers to watch.
 */
#include "core_races.h"

#include <pthread.h>
#include <time.h>

#define CORE_STRESS_THREADS 3u
#define CORE_STRESS_SECONDS 1

typedef struct _CORE_STRESS {
    PEPROCESS Process;
    HANDLE Control; /* a session that all threads share */
    ULONG Random;
} CORE_STRESS;

static ULONG CoreRandom(_Inout_ PULONG State)
{
    *State = *State * 1664525u + 1013904223u;
    return *State >> 8;
}

/*
 * One step on one of two streams; what it may answer is anything that the others' steps could lead to.
 */
static VOID CoreStressStep(_Inout_ CORE_STRESS *Stress, _In_ HANDLE Control, _In_ HANDLE Stream)
{
    CORE_INSERTION insertion = {.Stream = Stream, .Data = "stress", .DataLength = 6};
    NTSTATUS status;

    insertion.Owner = CoreRandom(&Stress->Random) % 2;
    insertion.Instance = CoreRandom(&Stress->Random) % 4;
    insertion.IfExists = CoreRandom(&Stress->Random) % 4;
    insertion.Pool = CoreRandom(&Stress->Random) % 2;
    insertion.Lifetime = CoreRandom(&Stress->Random) % 2;
    switch (CoreRandom(&Stress->Random) % 6) {
    case 0:
    case 1:
        status = CoreInsert(Control, &insertion, NULL);
        CHECK(status == STATUS_SUCCESS || status == STATUS_OBJECT_NAME_COLLISION ||
              status == STATUS_QUOTA_EXCEEDED); /* full of what ended sessions have left there */
        break;
    case 2:
        status =
            CoreLookup(Control, Stream, CoreRandom(&Stress->Random) % 2 == 0 ? PSCTX_MATCH_INSTANCE : PSCTX_MATCH_FIRST,
                       0, 0, NULL);
        CHECK(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND);
        break;
    case 3:
        status = CoreRemove(Control, Stream, PSCTX_MATCH_INSTANCE, insertion.Owner, insertion.Instance, NULL);
        CHECK(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND);
        break;
    case 4:
        CHECK_STATUS(CoreRemoveAll(Control, Stream, PSCTX_MATCH_OWNER, insertion.Owner, 0, NULL), STATUS_SUCCESS);
        break;
    default:
        (VOID) CoreCount(Control, Stream);
        break;
    }
}

static void *CoreStressThread(void *Context)
{
    CORE_STRESS *stress = Context;
    struct timespec start;
    struct timespec now;
    HANDLE control;
    HANDLE stream;
    ULONG count;

    HostEnterProcess(stress->Process);
    (VOID) timespec_get(&start, TIME_UTC);
    do {
        control = CoreOpenSession(CORE_READ_WRITE);
        stream = CoreOpenFile(CoreRandom(&stress->Random) % 2 == 0 ? CORE_FILE : CORE_OTHER_FILE);
        for (count = CoreRandom(&stress->Random) % 20; count != 0; count -= 1) {
            CoreStressStep(stress, count % 3 == 0 ? stress->Control : control, stream);
        }
        CoreClose(count % 2 == 0 ? control : stream);
        CoreClose(count % 2 == 0 ? stream : control);
        (VOID) timespec_get(&now, TIME_UTC);
    } while (now.tv_sec - start.tv_sec <= CORE_STRESS_SECONDS);
    HostLeaveProcess();
    return NULL;
}

VOID CoreThreadsMayDoAsTheyLike(VOID)
{
    CORE_STRESS stress[CORE_STRESS_THREADS];
    pthread_t threads[CORE_STRESS_THREADS];
    PSCTX_STATISTICS_REPLY statistics;
    ULONG index;
    CORE core;

    CoreStart(&core);
    HostLeaveProcess();
    for (index = 0; index < CORE_STRESS_THREADS; index += 1) {
        stress[index].Process = core.Process;
        stress[index].Control = core.Control;
        stress[index].Random = index + 1;
        CHECK_EQUAL(pthread_create(&threads[index], NULL, CoreStressThread, &stress[index]), 0);
    }
    for (index = 0; index < CORE_STRESS_THREADS; index += 1) {
        CHECK_EQUAL(pthread_join(threads[index], NULL), 0);
    }
    HostEnterProcess(core.Process);
    statistics = CoreStatistics(core.Control);
    CHECK(statistics.SessionInserted != 0);
    CHECK_EQUAL(statistics.SessionInserted, statistics.SessionRemoved + statistics.SessionTornDown);
    CHECK_EQUAL(statistics.TotalContexts, 0);
    CHECK_EQUAL(statistics.TotalPagedBytes + statistics.TotalNonPagedBytes, 0);
    CHECK_EQUAL(statistics.TotalSessions, 1);
    CoreStop(&core);
}
