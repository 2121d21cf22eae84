/*
 * Threads that insert, remove, open and close as they like, while others read events and enumerate: for the sanitizers to watch.
 */
#include "core_enumerate.h"
#include "core_races.h"
#include "core_reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CORE_MUTATORS 2u
#define CORE_READERS 2u
#define CORE_SECONDS 1
#define CORE_KEPT 64u /* contexts that are there all the time */
#define CORE_SEQUENCES (1u << 22)
#define CORE_KEEPER 99u /* their owner */

typedef struct _CORE_CROWD {
    PEPROCESS Process;
    HANDLE Control;
    HANDLE Readers[CORE_READERS];
    ULONG64 Number;
    volatile LONG Stop;
} CORE_CROWD, *PCORE_CROWD;

typedef struct _CORE_MEMBER {
    PCORE_CROWD Crowd;
    ULONG Number;
} CORE_MEMBER, *PCORE_MEMBER;

/*
 * Inserts and removes on a stream of its own and on a shared one, and closes them.
 */
static void *CoreMutate(void *Context)
{
    static const PCWSTR paths[] = {L"\\??\\M:\\files\\one.txt:0", L"\\??\\M:\\files\\one.txt:1"};
    const CORE_MEMBER *member = Context;
    const PCORE_CROWD crowd = member->Crowd;
    CORE_INSERTION insertion = {.Owner = member->Number, .IfExists = PSCTX_IF_EXISTS_REPLACE};
    NTSTATUS status;
    ULONG round;

    HostEnterProcess(crowd->Process);
    for (round = 0; InterlockedCompareExchange(&crowd->Stop, 0, 0) == 0; round += 1) {
        insertion.Stream = CoreOpenFile(round % 2 == 0 ? CORE_FILE : paths[member->Number]);
        for (insertion.Instance = 0; insertion.Instance < 4; insertion.Instance += 1) {
            CHECK_STATUS(CoreInsert(crowd->Control, &insertion, NULL), STATUS_SUCCESS);
        }
        status = CoreRemove(crowd->Control, insertion.Stream, PSCTX_MATCH_INSTANCE, member->Number, 1, NULL);
        CHECK_STATUS(status, STATUS_SUCCESS);
        if (round % 5 == 0) {
            CHECK_STATUS(CoreRemoveAll(crowd->Control, insertion.Stream, PSCTX_MATCH_OWNER, member->Number, 0, NULL),
                         STATUS_SUCCESS);
        }
        CoreClose(insertion.Stream);
    }
    HostLeaveProcess();
    return NULL;
}

/*
 * Enumerates again and again: what stays is told exactly once each time.
 */
static void *CoreEnumerate(void *Context)
{
    const PCORE_CROWD crowd = Context;
    UCHAR output[2048];
    const PSCTX_LIST_ENTRY *entry;
    UCHAR seen[CORE_KEPT];
    ULONG round = 0;

    HostEnterProcess(crowd->Process);
    do {
        CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = 400 + round * 111 % 1600};

        memset(seen, 0, sizeof(seen));
        while (!CoreIsEnumerated(&enumeration)) {
            CHECK_STATUS(CoreNextPage(crowd->Control, &enumeration), STATUS_SUCCESS);
            for (entry = CoreNextEntry(&enumeration, NULL); entry != NULL; entry = CoreNextEntry(&enumeration, entry)) {
                if (entry->OwnerKey == CORE_KEEPER) {
                    CHECK(entry->Instance < CORE_KEPT);
                    seen[entry->Instance] += 1;
                    CHECK_EQUAL(seen[entry->Instance], 1);
                }
            }
        }
        CHECK(memchr(seen, 0, sizeof(seen)) == NULL);
        round += 1;
    } while (round <= 3 || InterlockedCompareExchange(&crowd->Stop, 0, 0) == 0);
    HostLeaveProcess();
    return NULL;
}

/*
 * Comes and goes as a reader.
 */
static void *CoreComeAndGo(void *Context)
{
    const PCORE_CROWD crowd = Context;
    IO_STATUS_BLOCK ioStatus;
    CORE_WAIT wait;
    HANDLE reader;
    ULONG round;

    HostEnterProcess(crowd->Process);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    for (round = 0; InterlockedCompareExchange(&crowd->Stop, 0, 0) == 0; round += 1) {
        reader = CoreOpenSession(CORE_READ);
        CHECK_STATUS(CoreSubscribe(reader, crowd->Number, PSCTX_EVENT_TYPES, PSCTX_MINIMUM_EVENT_CAPACITY),
                     STATUS_SUCCESS);
        if (CoreStartWait(reader, &wait) == STATUS_PENDING && round % 2 == 0) {
            CHECK_STATUS(NtCancelIoFile(reader, &ioStatus), STATUS_SUCCESS);
        }
        CoreClose(reader);
        while (CoreWaitStatus(&wait) == STATUS_PENDING) {
            (VOID) nanosleep(&(const struct timespec){.tv_nsec = 1000}, NULL);
        }
        CHECK(CoreWaitStatus(&wait) == STATUS_CANCELLED || CoreWaitStatus(&wait) == STATUS_SUCCESS);
    }
    CoreFreeWait(&wait);
    HostLeaveProcess();
    return NULL;
}

/*
 * Reads to the end of the session: numbers without a gap but for those dropped, and of each context first that it came, then once that
 * it went.
 */
static void *CoreRead(void *Context)
{
    const CORE_MEMBER *member = Context;
    const HANDLE reader = member->Crowd->Readers[member->Number];
    UCHAR *states = calloc(CORE_SEQUENCES, 1);
    const PSCTX_EVENT *event;
    ULONG64 newest = 0;
    ULONG64 number = 1;
    ULONG64 dropped = 0;
    ULONG present = 0;
    NTSTATUS status;
    CORE_WAIT wait;
    HANDLE ended;

    CHECK(states != NULL);
    HostEnterProcess(member->Crowd->Process);
    CHECK_STATUS(NtCreateEvent(&ended, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE), STATUS_SUCCESS);
    CoreInitializeWait(&wait, CORE_WAIT_LENGTH << member->Number);
    wait.Event = ended;
    for (;;) {
        status = CoreStartWait(reader, &wait);
        if (status == STATUS_PENDING) {
            CHECK_STATUS(NtWaitForSingleObject(ended, FALSE, NULL), STATUS_SUCCESS);
            status = CoreWaitStatus(&wait);
        }
        if (status == STATUS_FILE_CLOSED) {
            break;
        }
        CHECK_STATUS(status, STATUS_SUCCESS);
        for (event = CoreNextEvent(&wait, NULL); event != NULL; event = CoreNextEvent(&wait, event)) {
            CHECK_EQUAL(event->Number, number);
            number += event->Type == PSCTX_EVENT_DROPPED ? event->Count : 1;
            if (event->Type == PSCTX_EVENT_DROPPED) {
                dropped += event->Count;
                continue;
            }
            CHECK(event->Sequence < CORE_SEQUENCES);
            if (event->Type == PSCTX_EVENT_INSERTED) {
                CHECK(CoreEventNameEndsWith(event, L"one.txt") ? event->Sequence > newest : TRUE);
                newest = CoreEventNameEndsWith(event, L"one.txt") ? event->Sequence : newest;
                CHECK_EQUAL(states[event->Sequence], 0);
                states[event->Sequence] = 1;
                present += 1;
            } else {
                CHECK(states[event->Sequence] == 1 || (states[event->Sequence] == 0 && dropped != 0));
                states[event->Sequence] = 2;
                present -= 1;
            }
        }
    }
    CHECK(number > 100);
    CHECK(dropped != 0 || present == 0);
    CoreFreeWait(&wait);
    HostLeaveProcess();
    free(states);
    return NULL;
}

/*
 * Contexts that stay, on as many streams.
 */
static VOID CoreKeep(_In_ const CORE_CROWD *Crowd)
{
    CORE_INSERTION insertion = {.Owner = CORE_KEEPER};
    WCHAR path[] = L"\\??\\M:\\files\\kept-00";

    for (insertion.Instance = 0; insertion.Instance < CORE_KEPT; insertion.Instance += 1) {
        path[18] = (WCHAR)(L'0' + insertion.Instance / 10);
        path[19] = (WCHAR)(L'0' + insertion.Instance % 10);
        insertion.Stream = CoreOpenFile(path);
        CHECK_STATUS(CoreInsert(Crowd->Control, &insertion, NULL), STATUS_SUCCESS);
    }
}

VOID CoreReadersAndEnumerationsKeepUp(VOID)
{
    CORE_MEMBER mutators[CORE_MUTATORS];
    CORE_MEMBER readers[CORE_READERS];
    pthread_t threads[CORE_MUTATORS + CORE_READERS + 2];
    CORE_CROWD crowd = {0};
    ULONG started = 0;
    ULONG index;
    CORE core;

    CoreStart(&core);
    crowd.Process = core.Process;
    crowd.Control = CoreOpenSession(CORE_READ_WRITE);
    crowd.Number = CoreSessionNumber(crowd.Control);
    for (index = 0; index < CORE_READERS; index += 1) {
        readers[index] = (CORE_MEMBER){&crowd, index};
        crowd.Readers[index] = CoreOpenSession(CORE_READ);
        CHECK_STATUS(CoreSubscribe(crowd.Readers[index], crowd.Number, PSCTX_EVENT_TYPES,
                                   index == 0 ? CORE_EVENT_CAPACITY : PSCTX_MINIMUM_EVENT_CAPACITY),
                     STATUS_SUCCESS);
    }
    CoreKeep(&crowd);
    HostLeaveProcess();
    for (index = 0; index < CORE_READERS; index += 1) {
        CHECK_EQUAL(pthread_create(&threads[started++], NULL, CoreRead, &readers[index]), 0);
    }
    for (index = 0; index < CORE_MUTATORS; index += 1) {
        mutators[index] = (CORE_MEMBER){&crowd, index};
        CHECK_EQUAL(pthread_create(&threads[started++], NULL, CoreMutate, &mutators[index]), 0);
    }
    CHECK_EQUAL(pthread_create(&threads[started++], NULL, CoreEnumerate, &crowd), 0);
    CHECK_EQUAL(pthread_create(&threads[started++], NULL, CoreComeAndGo, &crowd), 0);
    (VOID) nanosleep(&(const struct timespec){.tv_sec = CORE_SECONDS}, NULL);
    InterlockedExchange(&crowd.Stop, 1);
    for (index = CORE_READERS; index < started; index += 1) {
        CHECK_EQUAL(pthread_join(threads[index], NULL), 0);
    }
    HostEnterProcess(core.Process);
    CoreClose(crowd.Control); /* ends what the readers read */
    HostLeaveProcess();
    for (index = 0; index < CORE_READERS; index += 1) {
        CHECK_EQUAL(pthread_join(threads[index], NULL), 0);
    }
    HostEnterProcess(core.Process);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreStop(&core);
}
