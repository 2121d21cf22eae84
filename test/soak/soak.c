/*
 * A soak: clients of several processes do as they like with contexts, rules and events, end when they like or are ended, and volumes come
 * and go, for as long as one wishes. What the kernel, the driver and this process hold must not grow.
 *
 * Now and then all clients stop between two rounds, and what is held is counted. Over the last two thirds of the samples a line is
 * laid by least squares: it must not rise by more than SOAK_POOL_GROWTH or SOAK_RESIDENT_GROWTH from its first to its last sample.
 */
#include "core_batch.h"
#include "core_reader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SOAK_CLIENTS 4u
#define SOAK_STEPS 100u /* at most, of a round */
#define SOAK_STREAMS 3u
#define SOAK_SAMPLES 24u
#define SOAK_REST 2500u         /* milliseconds: as long as devices that were detached are kept, and a little */
#define SOAK_POOL_GROWTH 4096.0 /* bytes, and what an object more takes */
#define SOAK_COUNT_GROWTH 0.5   /* handles, objects, contexts */
#define SOAK_RESIDENT_GROWTH (4096.0 * 1024) /* bytes: the machine's allocator keeps some */

typedef struct _SOAK_CLIENT {
    pthread_t Thread;
    pthread_mutex_t Mutex;
    ULONG64 Random;
    PEPROCESS Process; /* that acts, under Mutex; NULL between two */
    BOOLEAN Killed;    /* somebody else ends it, and says so when that is done */
    pthread_cond_t Ended;
} SOAK_CLIENT;

/* What is held at one moment. */
typedef enum _SOAK_QUANTITY {
    SoakPoolBytes,
    SoakPoolAllocations,
    SoakHandles,
    SoakObjects,
    SoakContexts,
    SoakResident,
    SoakQuantities
} SOAK_QUANTITY;

static const char *const SoakNames[SoakQuantities] = {"pool bytes", "pool allocations", "handles",
                                                      "objects",    "contexts",         "resident bytes"};
static const double SoakBounds[SoakQuantities] = {
    SOAK_POOL_GROWTH, 16, SOAK_COUNT_GROWTH, SOAK_COUNT_GROWTH, SOAK_COUNT_GROWTH, SOAK_RESIDENT_GROWTH};

static CORE SoakCore;
static SOAK_CLIENT SoakClients[SOAK_CLIENTS];
static pthread_rwlock_t SoakRounds =
    PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP; /* shared: a round; exclusive: a sample, which comes first */
static volatile LONG SoakEnds;
static volatile LONG64 SoakOperations;
static volatile LONG64 SoakProcesses;
static volatile LONG64 SoakKills;
static volatile LONG64 SoakMounts;
static double SoakTable[SOAK_SAMPLES][SoakQuantities];

static ULONG SoakNumber(_Inout_ PULONG64 Random, _In_ ULONG Limit)
{
    *Random = *Random * 6364136223846793005ull + 1442695040888963407ull;
    return (ULONG)((*Random >> 33) % Limit);
}

static VOID SoakSleep(_In_ ULONG Milliseconds)
{
    const struct timespec interval = {Milliseconds / 1000, (long)(Milliseconds % 1000) * 1000000};

    (VOID) nanosleep(&interval, NULL);
}

static HANDLE SoakOpenStream(_In_ ULONG Number)
{
    static const PCWSTR paths[] = {L"\\??\\M:\\files\\one.txt", L"\\??\\M:\\files\\two.txt",
                                   L"\\??\\M:\\files\\one.txt:notes", L"\\??\\N:\\three.txt"};
    HANDLE handle;

    return NT_SUCCESS(CoreOpen(paths[Number % RTL_NUMBER_OF(paths)], NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &handle))
               ? handle
               : NULL;
}

/* One step of a client: a request, whose answer is anybody's guess where others do as they like. */
static VOID SoakStep(_Inout_ PULONG64 Random, _In_ HANDLE Session, _In_ HANDLE Stream)
{
    const UCHAR data[64] = {0};
    const ULONG operation = SoakNumber(Random, PSCTX_OPERATION_COUNT);
    CORE_REQUEST request;

    if (SoakNumber(Random, 2) == 0) {
        const CORE_INSERTION insertion = {.Stream = Stream,
                                          .Owner = SoakNumber(Random, 3),
                                          .Instance = SoakNumber(Random, 20),
                                          .IfExists = SoakNumber(Random, 4),
                                          .Pool = SoakNumber(Random, 2),
                                          .Lifetime = SoakNumber(Random, 2),
                                          .DataLength = SoakNumber(Random, sizeof(data)),
                                          .Data = data};

        (VOID) CoreInsert(Session, &insertion, NULL);
        return;
    }
    if (operation == PSCTX_OPERATION_WAIT) { /* it could pend, with nobody to end it */
        return;
    }
    request = CoreMakeRequest(operation, Stream);
    if (operation >= PSCTX_OPERATION_LOOKUP && operation <= PSCTX_OPERATION_REMOVE_ALL) {
        ((PSCTX_MATCH_REQUEST *)(PVOID)request.Bytes)->Instance = SoakNumber(Random, 20);
    }
    (VOID) CoreSend(Session, request.Code, request.Bytes, request.Length, 4096);
}

/* What a process does from its start to its end. It may be ended at any time, and then nothing succeeds any more. */
static VOID SoakRound(_Inout_ SOAK_CLIENT *Client)
{
    const ULONG steps = 1 + SoakNumber(&Client->Random, SOAK_STEPS);
    HANDLE streams[SOAK_STREAMS] = {0};
    HANDLE session;
    HANDLE reader;
    CORE_WAIT wait;
    ULONG index;

    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    if (!NT_SUCCESS(CoreOpen(CORE_CONTROL, NULL, CORE_READ_WRITE, FILE_OPEN, 0, &session))) {
        session = NULL;
    }
    if (session != NULL && SoakNumber(&Client->Random, 2) == 0 &&
        NT_SUCCESS(CoreOpen(CORE_CONTROL, NULL, CORE_READ, FILE_OPEN, 0, &reader))) {
        PSCTX_VERSION_REPLY version = {0};
        const CORE_REQUEST query = CoreMakeRequest(PSCTX_OPERATION_QUERY_VERSION, NULL);

        if (NT_SUCCESS(CoreControl(session, query.Code, query.Bytes, query.Length, &version, sizeof(version), NULL)) &&
            NT_SUCCESS(CoreSubscribe(reader, version.Session, PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY))) {
            (VOID) CoreStartWait(reader, &wait);
        }
    }
    for (index = 0; session != NULL && index < steps; index += 1) {
        HANDLE *stream = &streams[SoakNumber(&Client->Random, SOAK_STREAMS)];

        if (*stream == NULL || SoakNumber(&Client->Random, 16) == 0) {
            if (*stream != NULL) {
                (VOID) NtClose(*stream);
            }
            *stream = SoakOpenStream(SoakNumber(&Client->Random, 256));
        }
        if (*stream != NULL) {
            SoakStep(&Client->Random, session, *stream);
        }
        (VOID) InterlockedIncrement64(&SoakOperations);
    }
    HostLeaveProcess();

    (VOID) pthread_mutex_lock(&Client->Mutex);
    if (!Client->Killed) {
        HostExitProcess(Client->Process);
    }
    while (Client->Killed) {
        (VOID) pthread_cond_wait(&Client->Ended, &Client->Mutex);
    }
    HostDereferenceProcess(Client->Process);
    Client->Process = NULL;
    (VOID) pthread_mutex_unlock(&Client->Mutex);
    CoreFreeWait(&wait); /* which has ended with its process */
    (VOID) InterlockedIncrement64(&SoakProcesses);
}

static void *SoakAct(void *Argument)
{
    SOAK_CLIENT *client = Argument;

    while (ReadAcquire(&SoakEnds) == 0) {
        (VOID) pthread_rwlock_rdlock(&SoakRounds);
        (VOID) pthread_mutex_lock(&client->Mutex);
        client->Process = CoreCreateProcess(TRUE);
        (VOID) pthread_mutex_unlock(&client->Mutex);
        HostEnterProcess(client->Process);
        SoakRound(client);
        (VOID) pthread_rwlock_unlock(&SoakRounds);
    }
    return NULL;
}

/* Ends processes in the midst of what they do, and dismounts and mounts a volume. */
static void *SoakDisturb(void *Argument)
{
    ULONG64 random = *(PULONG64)Argument;

    while (ReadAcquire(&SoakEnds) == 0) {
        SOAK_CLIENT *client = &SoakClients[SoakNumber(&random, SOAK_CLIENTS)];

        SoakSleep(1 + SoakNumber(&random, 10));
        (VOID) pthread_rwlock_rdlock(&SoakRounds);
        (VOID) pthread_mutex_lock(&client->Mutex);
        if (client->Process != NULL) {
            client->Killed = TRUE;
            (VOID) pthread_mutex_unlock(&client->Mutex);
            HostExitProcess(client->Process);
            (VOID) InterlockedIncrement64(&SoakKills);
            (VOID) pthread_mutex_lock(&client->Mutex);
            client->Killed = FALSE;
            (VOID) pthread_cond_signal(&client->Ended);
        }
        (VOID) pthread_mutex_unlock(&client->Mutex);
        if (SoakNumber(&random, 8) == 0 && NT_SUCCESS(HostDismountVolume(L'N'))) {
            CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
            (VOID) InterlockedIncrement64(&SoakMounts);
        }
        (VOID) pthread_rwlock_unlock(&SoakRounds);
    }
    return NULL;
}

static double SoakResidentBytes(VOID)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    unsigned long resident = 0;

    if (file != NULL) {
        if (fscanf(file, "%lu %lu", &pages, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* Between two rounds: nothing but the soak's own session is open. What goes in its own time is given some. */
static VOID SoakSample(_Out_writes_(SoakQuantities) double *Sample)
{
    HOST_AUDIT audit;

    (VOID) pthread_rwlock_wrlock(&SoakRounds);
    SoakSleep(SOAK_REST);
    HostAudit(&audit);
    Sample[SoakPoolBytes] = (double)audit.PoolBytes;
    Sample[SoakPoolAllocations] = (double)audit.PoolAllocations;
    Sample[SoakHandles] = (double)audit.Handles;
    Sample[SoakObjects] = (double)audit.Objects;
    Sample[SoakContexts] = (double)CoreStatistics(SoakCore.Control).TotalContexts;
    Sample[SoakResident] = SoakResidentBytes();
    (VOID) pthread_rwlock_unlock(&SoakRounds);
}

/* How much the line through the last two thirds of the samples rises from its first to its last. */
static double SoakRise(_In_ ULONG Count, _In_ SOAK_QUANTITY Quantity)
{
    const ULONG first = Count / 3;
    const double number = (double)(Count - first);
    double sumX = 0;
    double sumY = 0;
    double sumXX = 0;
    double sumXY = 0;
    ULONG index;

    for (index = first; index < Count; index += 1) {
        const double x = (double)(index - first);
        const double y = SoakTable[index][Quantity];

        sumX += x;
        sumY += y;
        sumXX += x * x;
        sumXY += x * y;
    }
    return (number * sumXY - sumX * sumY) / (number * sumXX - sumX * sumX) * (number - 1);
}

int main(int argc, char **argv)
{
    pthread_t disturbance;
    ULONG64 seed = 1;
    ULONG seconds = 5;
    ULONG samples;
    ULONG failed = 0;
    ULONG index;

    for (index = 1; index < (ULONG)argc; index += 1) {
        if (strncmp(argv[index], "--seconds=", 10) == 0) {
            seconds = (ULONG)strtoul(argv[index] + 10, NULL, 10);
        } else if (strncmp(argv[index], "--seed=", 7) == 0) {
            seed = strtoull(argv[index] + 7, NULL, 10);
        }
    }
    samples = max(6, min(SOAK_SAMPLES, seconds / 5));
    CoreStart(&SoakCore);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    for (index = 0; index < SOAK_CLIENTS; index += 1) {
        SoakClients[index].Random = seed * 1000 + index;
        (VOID) pthread_mutex_init(&SoakClients[index].Mutex, NULL);
        (VOID) pthread_cond_init(&SoakClients[index].Ended, NULL);
        CHECK(pthread_create(&SoakClients[index].Thread, NULL, SoakAct, &SoakClients[index]) == 0);
    }
    CHECK(pthread_create(&disturbance, NULL, SoakDisturb, &seed) == 0);
    for (index = 0; index < samples; index += 1) {
        SoakSleep(seconds * 1000 / samples);
        SoakSample(SoakTable[index]);
    }
    WriteRelease(&SoakEnds, 1);
    for (index = 0; index < SOAK_CLIENTS; index += 1) {
        (VOID) pthread_join(SoakClients[index].Thread, NULL);
    }
    (VOID) pthread_join(disturbance, NULL);

    printf("# seed %llu: %llu operations, %llu processes, %llu of them killed, %llu dismounts\n",
           (unsigned long long)seed, (unsigned long long)SoakOperations, (unsigned long long)SoakProcesses,
           (unsigned long long)SoakKills, (unsigned long long)SoakMounts);
    for (index = 0; index < SoakQuantities; index += 1) {
        const double rise = SoakRise(samples, (SOAK_QUANTITY)index);
        const BOOLEAN flat = rise <= SoakBounds[index];

        failed += flat ? 0u : 1u;
        printf("%sok %u - %s do not grow # %.0f at the end, %+.1f, at most %.1f\n", flat ? "" : "not ", index + 1,
               SoakNames[index], SoakTable[samples - 1][index], rise, SoakBounds[index]);
    }
    printf("1..%u\n", (unsigned)SoakQuantities);
    (VOID) fflush(stdout);
    CoreStop(&SoakCore); /* which ends the process if anything is left */
    return failed == 0 ? 0 : 1;
}
