/*
 * What many contexts cost, and what a client can make the driver keep: steps under locks, limits, and accounts.
 */
#include "core_batch.h"
#include "core_enumerate.h"
#include "core_fixture.h"
#include "core_interrupts.h"
#include "core_reader.h"

#include "core/core.h"

#include <stdlib.h>
#include <string.h>

#define CORE_MANY 20000u
#define CORE_FULL PSCTX_MAXIMUM_STREAM_CONTEXTS
#define CORE_CROWD 50u                         /* streams of one shard */
#define CORE_IN_CROWD (CORE_MANY / CORE_CROWD) /* on each of them: there is room for a few more */
#define CORE_HOLD 128u                         /* contexts that may be looked at under one hold of a shard's lock */
#define CORE_LONGEST_HOLD 65536u               /* entries that FsRtl may go over meanwhile */
#define CORE_WALKERS_SEEDS 12u
#define CORE_PER_SESSION (CORE_FULL / 3 / 10 * 10)
#define CORE_NEIGHBOURS_SEEDS 24u

/*
 * Adds Count contexts to a stream, all of owner 1 and instance 0.
 */
static VOID CoreFill(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG Count, _In_ ULONG Lifetime)
{
    while (Count != 0) {
        const ULONG part = min(Count, PSCTX_MAXIMUM_BATCH_OPERATIONS);
        CORE_BATCH batch;
        ULONG index;

        CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, sizeof(PSCTX_INSERT_REPLY));
        for (index = 0; index < part; index += 1) {
            PSCTX_INSERT_REQUEST *request = CoreAddInsert(&batch, Stream, 1, 0, 0);

            request->IfExists = PSCTX_IF_EXISTS_ADD;
            request->Lifetime = Lifetime;
        }
        CHECK_STATUS(CoreSendBatch(Control, &batch), STATUS_SUCCESS);
        CHECK_EQUAL(batch.Reply->Failed, 0);
        CoreFreeBatch(&batch);
        Count -= part;
    }
}

static const VOID *CoreFindHeader(_In_ HANDLE Stream)
{
    const VOID *header;
    PVOID object;

    CHECK_STATUS(ObReferenceObjectByHandle(Stream, 0, *IoFileObjectType, UserMode, &object, NULL), STATUS_SUCCESS);
    header = ((PFILE_OBJECT)object)->FsContext;
    ObDereferenceObject(object);
    return header;
}

/*
 * Opens streams of one shard, which has room for CORE_MANY contexts on them: others are opened in vain, and closed in the end.
 */
static VOID CoreOpenCrowd(_Out_writes_(CORE_CROWD) PHANDLE Streams)
{
    static HANDLE others[CORE_CROWD << (PSCTX_SHARD_BITS + 2)];
    WCHAR path[] = L"\\??\\M:\\files\\crowd-00000";
    ULONG otherCount = 0;
    ULONG number = 0;
    ULONG count = 0;

    while (count < CORE_CROWD) {
        ULONG rest = number;
        ULONG digit;
        HANDLE stream;

        for (digit = 0; digit < 5; digit += 1) {
            path[RTL_NUMBER_OF(path) - 2 - digit] = (WCHAR)(L'0' + rest % 10);
            rest /= 10;
        }
        stream = CoreOpenFile(path);
        if (count == 0 || (PsctxHashHeader(CoreFindHeader(stream)) ^ PsctxHashHeader(CoreFindHeader(Streams[0]))) >>
                                  (64u - PSCTX_SHARD_BITS) ==
                              0) {
            Streams[count] = stream;
            count += 1;
        } else {
            CHECK(otherCount < RTL_NUMBER_OF(others));
            others[otherCount] = stream;
            otherCount += 1;
        }
        number += 1;
    }
    while (otherCount != 0) {
        otherCount -= 1;
        CoreClose(others[otherCount]);
    }
}

/*
 * Adds CORE_MANY contexts to a crowd of streams.
 */
static VOID CoreFillCrowd(_In_ HANDLE Control, _In_reads_(CORE_CROWD) const HANDLE *Streams, _In_ ULONG Lifetime)
{
    ULONG index;

    for (index = 0; index < CORE_CROWD; index += 1) {
        CoreFill(Control, Streams[index], CORE_IN_CROWD, Lifetime);
    }
}

/*
 * So many contexts were removed, each found at once, and the lock given up now and then.
 */
static VOID CoreCheckRemovals(_In_ ULONG Count)
{
    HOST_CONTEXT_WORK work;

    HostQueryWork(&work);
    CHECK(work.EntriesVisited >= Count && work.EntriesVisited <= 2ull * Count + 100);
    CHECK(work.LongestRun > 1 && work.LongestRun <= CORE_HOLD);
}

static VOID CoreSessionsEndInShortHolds(VOID)
{
    HANDLE streams[CORE_CROWD];
    HANDLE second;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    CoreOpenCrowd(streams);
    CoreFillCrowd(second, streams, PSCTX_LIFETIME_SESSION);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, CORE_MANY);
    HostResetWork();
    CoreClose(second);
    CoreCheckRemovals(CORE_MANY);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreStop(&core);
}

/* Each of the contexts that end is behind all of another session's, past which FsRtl looks for it: no order is worse. */
static VOID CoreSessionsBehindOthersEndInShortHolds(VOID)
{
    const ULONG64 half = CORE_FULL / 2;
    HOST_CONTEXT_WORK work;
    HANDLE second;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    stream = CoreOpenFile(CORE_FILE);
    CoreFill(second, stream, CORE_FULL / 2, PSCTX_LIFETIME_SESSION);
    CoreFill(core.Control, stream, CORE_FULL / 2, PSCTX_LIFETIME_SESSION);
    HostResetWork();
    CoreClose(second);
    HostQueryWork(&work);
    CHECK(work.EntriesVisited > half * half && work.EntriesVisited <= half * (half + 2));
    CHECK(work.LongestRun > 1 && work.LongestRun * CORE_FULL <= CORE_LONGEST_HOLD);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, half);
    CoreStop(&core);
}

/* However they came onto the streams, a list that has been gone over is gone over again while the cache has it. */
static VOID CoreSessionsEndStreamByStream(VOID)
{
    static const ULONG64 order[] = {5, 3, 1, 4, 2, 0};
    CORE_INSERTION insertion = {.Owner = 1};
    const PSCTX_EVENT *event = NULL;
    HANDLE streams[CORE_CROWD];
    CORE_WAIT wait;
    HANDLE second;
    HANDLE reader;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, PSCTX_MAXIMUM_TRANSFER);
    CoreOpenCrowd(streams);
    second = CoreOpenSession(CORE_READ_WRITE);
    reader = CoreOpenReader(second, 1u << PSCTX_EVENT_REMOVED);
    for (index = 0; index < RTL_NUMBER_OF(order); index += 1) {
        insertion.Stream = streams[index % 2];
        insertion.Instance = index;
        CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    }
    CoreClose(second);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEventCount(&wait), RTL_NUMBER_OF(order));
    for (index = 0; index < RTL_NUMBER_OF(order); index += 1) {
        event = CoreNextEvent(&wait, event);
        CHECK_EQUAL(event->Instance, order[index]);
    }
    CoreClose(reader);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

static VOID CoreManyAreRemovedInShortHolds(VOID)
{
    ULONG64 count;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CoreFill(core.Control, stream, CORE_FULL, PSCTX_LIFETIME_SESSION);
    HostResetWork();
    CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, &count), STATUS_SUCCESS);
    CHECK_EQUAL(count, CORE_FULL);
    CoreCheckRemovals(CORE_FULL);
    CoreStop(&core);
}

static VOID CoreUnloadRemovesInShortHolds(VOID)
{
    HANDLE streams[CORE_CROWD];
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreOpenCrowd(streams);
    CoreFillCrowd(core.Control, streams, PSCTX_LIFETIME_STREAM);
    CoreClose(core.Control);
    HostLeaveProcess();
    HostResetWork();
    CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
    CoreCheckRemovals(CORE_MANY);
    HostEnterProcess(core.Process);
    for (index = 0; index < CORE_CROWD; index += 1) {
        CoreClose(streams[index]);
    }
    HostLeaveProcess();
    CoreEndProcess(core.Process);
    CoreShutdown();
}

/*
 * Locks that are acquired by one request of an operation that looks at all contexts.
 */
static ULONG64 CoreAcquisitionsOf(_In_ const CORE *Core, _In_ ULONG Operation, _In_ HANDLE Stream)
{
    const CORE_REQUEST request = CoreMakeRequest(Operation, Stream);
    HOST_CONTEXT_WORK work;

    HostResetWork();
    (VOID) CoreSend(Core->Control, request.Code, request.Bytes, request.Length, request.OutputLength + 4096);
    HostQueryWork(&work);
    return work.Acquisitions;
}

static VOID CoreManyAreLookedAtInShortHolds(VOID)
{
    static const struct {
        ULONG Operation;
        ULONG Count; /* of the contexts that it looks at */
    } operations[] = {{PSCTX_OPERATION_LIST, CORE_IN_CROWD},
                      {PSCTX_OPERATION_ENUMERATE, CORE_MANY},
                      {PSCTX_OPERATION_LIST_VOLUMES, CORE_MANY}};
    ULONG64 few[RTL_NUMBER_OF(operations)];
    HANDLE streams[CORE_CROWD];
    HANDLE second;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreOpenCrowd(streams);
    second = CoreOpenSession(CORE_READ_WRITE);
    for (index = 0; index < RTL_NUMBER_OF(operations); index += 1) {
        few[index] = CoreAcquisitionsOf(&core, operations[index].Operation, streams[0]);
    }
    CoreFillCrowd(second, streams, PSCTX_LIFETIME_SESSION); /* another session's: none of them fills a page */
    for (index = 0; index < RTL_NUMBER_OF(operations); index += 1) {
        CHECK(CoreAcquisitionsOf(&core, operations[index].Operation, streams[0]) >=
              few[index] + operations[index].Count / CORE_HOLD - 1);
    }
    CoreStop(&core);
}

/* What walks through one stream's contexts at once, each a few hundred at a time. */
typedef struct _CORE_WALKERS {
    CORE Core;
    HANDLE Stream;
    HANDLE Sessions[2];
    ULONG64 Removed;
    ULONG Enumerated;
    DECLSPEC_ALIGN(8) UCHAR Output[8192];
} CORE_WALKERS, *PCORE_WALKERS;

static VOID CoreRemoverThread(PVOID Context)
{
    PCORE_WALKERS walkers = Context;

    HostEnterProcess(walkers->Core.Process);
    CHECK_STATUS(CoreRemoveAll(walkers->Sessions[0], walkers->Stream, PSCTX_MATCH_FIRST, 0, 0, &walkers->Removed),
                 STATUS_SUCCESS);
    HostLeaveProcess();
}

static VOID CoreEnderThread(PVOID Context)
{
    PCORE_WALKERS walkers = Context;

    HostEnterProcess(walkers->Core.Process);
    CoreClose(walkers->Sessions[1]);
    HostLeaveProcess();
}

static VOID CoreEnumeratorThread(PVOID Context)
{
    PCORE_WALKERS walkers = Context;
    CORE_ENUMERATION enumeration = {.Output = walkers->Output, .OutputLength = sizeof(walkers->Output)};
    const PSCTX_LIST_ENTRY *entry;

    HostEnterProcess(walkers->Core.Process);
    while (!CoreIsEnumerated(&enumeration)) {
        CHECK_STATUS(CoreNextPage(walkers->Core.Control, &enumeration), STATUS_SUCCESS);
        for (entry = CoreNextEntry(&enumeration, NULL); entry != NULL; entry = CoreNextEntry(&enumeration, entry)) {
            walkers->Enumerated += 1;
        }
    }
    HostLeaveProcess();
}

static VOID CoreWalksKeepTheirPlace(VOID)
{
    static const PHOST_ROUTINE threads[] = {CoreRemoverThread, CoreEnderThread, CoreEnumeratorThread};
    CORE_WALKERS walkers;
    PVOID contexts[] = {&walkers, &walkers, &walkers};
    ULONG seed;
    ULONG turn;

    CoreStart(&walkers.Core);
    walkers.Stream = CoreOpenFile(CORE_FILE);
    for (seed = 1; seed <= CORE_WALKERS_SEEDS; seed += 1) {
        walkers.Removed = 0;
        walkers.Enumerated = 0;
        walkers.Sessions[0] = CoreOpenSession(CORE_READ_WRITE);
        walkers.Sessions[1] = CoreOpenSession(CORE_READ_WRITE);
        for (turn = 0; turn < 10; turn += 1) { /* among one another */
            CoreFill(walkers.Sessions[0], walkers.Stream, CORE_PER_SESSION / 10, PSCTX_LIFETIME_SESSION);
            CoreFill(walkers.Sessions[1], walkers.Stream, CORE_PER_SESSION / 10, PSCTX_LIFETIME_SESSION);
            CoreFill(walkers.Core.Control, walkers.Stream, CORE_PER_SESSION / 10, PSCTX_LIFETIME_SESSION);
        }
        HostLeaveProcess();
        HostRunSchedule(seed, RTL_NUMBER_OF(threads), threads, contexts);
        HostEnterProcess(walkers.Core.Process);
        CHECK_EQUAL(walkers.Removed, CORE_PER_SESSION);
        CHECK_EQUAL(walkers.Enumerated, CORE_PER_SESSION);
        CHECK_EQUAL(CoreStatistics(walkers.Core.Control).TotalContexts, CORE_PER_SESSION);
        CHECK_STATUS(CoreRemoveAll(walkers.Core.Control, walkers.Stream, PSCTX_MATCH_FIRST, 0, 0, NULL),
                     STATUS_SUCCESS);
        CoreClose(walkers.Sessions[0]);
    }
    CoreStop(&walkers.Core);
}

/* A walk through one of two streams that have a bucket in common until the index grows, which a third one makes it do. */
typedef struct _CORE_NEIGHBOURS {
    CORE Core;
    HANDLE Session;
    HANDLE Walked;
    HANDLE Neighbour;
    HANDLE Growing;
    ULONG Listed;
} CORE_NEIGHBOURS, *PCORE_NEIGHBOURS;

/* How many bits two streams' places in the index have in common, from the shard's on. */
static ULONG CoreCommonBits(_In_ const VOID *Header, _In_ const VOID *Other)
{
    const ULONG64 difference = PsctxHashHeader(Header) ^ PsctxHashHeader(Other);
    ULONG bits = 0;

    while (bits < 64u && ((difference << bits) & (1ull << 63)) == 0) {
        bits += 1;
    }
    return bits;
}

/* Makes the streams neighbours, by the key that they are hashed under: the index is empty. */
static VOID CoreMakeNeighbours(_In_ const CORE_NEIGHBOURS *Neighbours, _In_ ULONG BucketBits)
{
    const VOID *walked = CoreFindHeader(Neighbours->Walked);
    const VOID *neighbour = CoreFindHeader(Neighbours->Neighbour);
    const VOID *growing = CoreFindHeader(Neighbours->Growing);

    do {
        PsctxHashKey[1] = PsctxHashKey[1] * 6364136223846793005ull + 2;
    } while (CoreCommonBits(walked, neighbour) != PSCTX_SHARD_BITS + BucketBits ||
             CoreCommonBits(walked, growing) != PSCTX_SHARD_BITS);
}

static VOID CoreWalkingThread(PVOID Context)
{
    PCORE_NEIGHBOURS neighbours = Context;

    HostEnterProcess(neighbours->Core.Process);
    neighbours->Listed = CoreCount(neighbours->Session, neighbours->Walked);
    HostLeaveProcess();
}

static VOID CoreGrowingThread(PVOID Context)
{
    const CORE_NEIGHBOURS *neighbours = Context;

    HostEnterProcess(neighbours->Core.Process);
    CoreFill(neighbours->Session, neighbours->Growing, 1, PSCTX_LIFETIME_SESSION);
    HostLeaveProcess();
}

static VOID CoreWalksKeepToTheirStream(VOID)
{
    static const PHOST_ROUTINE threads[] = {CoreWalkingThread, CoreGrowingThread};
    CORE_NEIGHBOURS neighbours;
    PVOID contexts[] = {&neighbours, &neighbours};
    ULONG seed;
    ULONG turn;

    CoreStart(&neighbours.Core);
    neighbours.Walked = CoreOpenFile(CORE_FILE);
    neighbours.Neighbour = CoreOpenFile(CORE_OTHER_FILE);
    neighbours.Growing = CoreOpenFile(L"\\??\\M:\\files\\three.txt");
    CoreMakeNeighbours(&neighbours, 9);
    for (seed = 1; seed <= CORE_NEIGHBOURS_SEEDS; seed += 1) {
        neighbours.Session = CoreOpenSession(CORE_READ_WRITE);
        for (turn = 0; turn < 200; turn += 1) { /* so that what comes next, after 256, is a neighbour's */
            CoreFill(neighbours.Session, neighbours.Walked, 1, PSCTX_LIFETIME_SESSION);
            CoreFill(neighbours.Session, neighbours.Neighbour, 2, PSCTX_LIFETIME_SESSION);
        }
        CoreFill(neighbours.Session, neighbours.Growing, 424, PSCTX_LIFETIME_SESSION); /* one more than fits */
        HostLeaveProcess();
        HostRunSchedule(seed, RTL_NUMBER_OF(threads), threads, contexts);
        HostEnterProcess(neighbours.Core.Process);
        CHECK_EQUAL(neighbours.Listed, 200);
        CoreClose(neighbours.Session);
    }
    CoreStop(&neighbours.Core);
}

static VOID CoreStreamsAreLimited(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .IfExists = PSCTX_IF_EXISTS_ADD};
    PSCTX_INSERT_REPLY reply;
    HANDLE second;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CoreFill(core.Control, insertion.Stream, PSCTX_MAXIMUM_STREAM_CONTEXTS / 2, PSCTX_LIFETIME_SESSION);
    CoreFill(second, insertion.Stream, PSCTX_MAXIMUM_STREAM_CONTEXTS / 2, PSCTX_LIFETIME_SESSION);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_QUOTA_EXCEEDED);
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_QUOTA_EXCEEDED);

    /* What adds none is as before. */
    insertion.IfExists = PSCTX_IF_EXISTS_REPLACE;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_REPLACED);
    insertion.IfExists = PSCTX_IF_EXISTS_KEEP;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_KEPT);
    insertion.IfExists = PSCTX_IF_EXISTS_FAIL;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_OBJECT_NAME_COLLISION);
    insertion.Instance = 1;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_QUOTA_EXCEEDED);

    /* It is each stream's own; and what goes from a stream, wherever it is on the list, makes room. */
    insertion.Stream = CoreOpenFile(CORE_OTHER_FILE);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreRemove(core.Control, insertion.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreRemove(second, insertion.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    insertion.Instance = 2;
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    insertion.Instance = 3;
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_QUOTA_EXCEEDED);
    CoreClose(second);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreStop(&core);
}

/*
 * Whether the driver has about as much pool as before.
 */
static BOOLEAN CoreIsAbout(_In_ ULONG64 Bytes)
{
    const ULONG64 now = HostAuditPool(CORE_POOL_TAG);

    return now <= Bytes + 4096;
}

static VOID CoreBucketsShrink(VOID)
{
    HANDLE streams[CORE_CROWD];
    ULONG64 before;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreOpenCrowd(streams);
    CoreFill(core.Control, streams[0], 1, PSCTX_LIFETIME_SESSION);
    before = HostAuditPool(CORE_POOL_TAG);

    /* With the last context, where a file system tears its stream down: no memory is asked for. */
    CoreFillCrowd(core.Control, streams, PSCTX_LIFETIME_SESSION);
    HostFailAllocation(1);
    for (index = 0; index < CORE_CROWD; index += 1) {
        CoreClose(streams[index]);
    }
    HostFailAllocation(0);
    CHECK(CoreIsAbout(before));

    /* When a few are left; later, where there is no memory for fewer buckets. */
    CoreOpenCrowd(streams);
    CoreFill(core.Control, streams[0], 10, PSCTX_LIFETIME_SESSION);
    before = HostAuditPool(CORE_POOL_TAG);
    CHECK_STATUS(CoreInsert(core.Control, &(const CORE_INSERTION){.Stream = streams[0], .Owner = 2}, NULL),
                 STATUS_SUCCESS);
    CoreFillCrowd(core.Control, streams, PSCTX_LIFETIME_SESSION);
    for (index = 0; index < CORE_CROWD; index += 1) {
        CHECK_STATUS(CoreRemoveAll(core.Control, streams[index], PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    }
    CHECK(CoreIsAbout(before));
    CHECK_EQUAL(CoreCount(core.Control, streams[0]), 1);

    /* When they are removed one by one. */
    CoreFillCrowd(core.Control, streams, PSCTX_LIFETIME_SESSION);
    for (index = 0; index < CORE_CROWD; index += 1) {
        while (NT_SUCCESS(CoreRemove(core.Control, streams[index], PSCTX_MATCH_OWNER, 1, 0, NULL))) {
            CHECK(CoreCount(core.Control, streams[0]) != 0);
        }
    }
    CHECK(CoreIsAbout(before));
    CoreStop(&core);
}

static VOID CoreTheOrderIsSecret(VOID)
{
    static DECLSPEC_ALIGN(8) UCHAR output[65536];
    ULONG64 order[2][64];
    HANDLE streams[64];
    WCHAR path[] = L"\\??\\M:\\secret-00";
    const PSCTX_LIST_ENTRY *entry;
    ULONG load;
    ULONG index;
    CORE core;

    CoreStart(&core);
    for (index = 0; index < RTL_NUMBER_OF(streams); index += 1) {
        path[14] = (WCHAR)(L'0' + index / 10);
        path[15] = (WCHAR)(L'0' + index % 10);
        streams[index] = CoreOpenFile(path);
    }
    for (load = 0; load < 2; load += 1) { /* the same headers, at the same addresses */
        CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = sizeof(output)};
        CORE_INSERTION insertion = {.Owner = 1};
        ULONG count = 0;

        for (index = 0; index < RTL_NUMBER_OF(streams); index += 1) {
            insertion.Stream = streams[index];
            insertion.Instance = index;
            CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
        }
        CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
        for (entry = CoreNextEntry(&enumeration, NULL); entry != NULL; entry = CoreNextEntry(&enumeration, entry)) {
            order[load][count] = entry->Instance;
            count += 1;
        }
        CHECK_EQUAL(count, RTL_NUMBER_OF(streams));
        CoreClose(core.Control);
        if (load == 0) {
            HostLeaveProcess();
            CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
            core.Driver = CoreLoadDriver();
            HostEnterProcess(core.Process);
            core.Control = CoreOpenSession(CORE_READ_WRITE);
        }
    }
    CHECK(memcmp(order[0], order[1], sizeof(order[0])) != 0);
    CoreStop(&core);
}

static VOID CoreWaitsAreBooked(VOID)
{
    const ULONG length = 96u << 10; /* as many have room on a 32-bit kernel, too */
    CORE_WAIT waits[PSCTX_MAXIMUM_WAITS + 1];
    IO_STATUS_BLOCK ioStatus;
    ULONG64 before;
    HANDLE reader;
    ULONG index;
    CORE core;

    CoreStart(&core);
    reader = CoreOpenReader(core.Control, PSCTX_EVENT_TYPES);
    before = CoreStatistics(reader).SessionNonPagedRecordBytes;
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreInitializeWait(&waits[index], length);
    }
    for (index = 0; index < PSCTX_MAXIMUM_WAITS; index += 1) {
        CHECK_STATUS(CoreStartWait(reader, &waits[index]), STATUS_PENDING);
        CHECK_EQUAL(CoreStatistics(reader).SessionNonPagedRecordBytes, before + (index + 1) * (ULONG64)length);
    }
    CHECK_STATUS(CoreStartWait(reader, &waits[index]), STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalNonPagedRecordBytes,
                CoreStatistics(core.Control).SessionNonPagedRecordBytes + before + index * (ULONG64)length);

    /* One is answered, the others are cancelled; then there is room again. */
    CoreFill(core.Control, CoreOpenFile(CORE_FILE), 1, PSCTX_LIFETIME_SESSION);
    CHECK_STATUS(CoreWaitStatus(&waits[0]), STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(reader).SessionNonPagedRecordBytes, before + (index - 1) * (ULONG64)length);
    CHECK_STATUS(NtCancelIoFile(reader, &ioStatus), STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(reader).SessionNonPagedRecordBytes, before);
    CHECK_STATUS(CoreStartWait(reader, &waits[index]), STATUS_PENDING);
    CoreClose(reader);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreFreeWait(&waits[index]);
    }
    CoreStop(&core);
}

static VOID CoreLongWaitsAreLimitedByTheirBytes(VOID)
{
    CORE_WAIT waits[PSCTX_MAXIMUM_WAITS];
    ULONG pended = 0;
    ULONG64 limit;
    ULONG index;
    HANDLE reader;
    CORE core;

    HostSetPhysicalMemory(256ull << 20);
    CoreStart(&core);
    limit = CoreLimits(core.Control).MaximumNonPagedRecordBytes;
    CHECK(limit / PSCTX_MAXIMUM_TRANSFER > 1);
    reader = CoreOpenReader(core.Control, PSCTX_EVENT_TYPES);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreInitializeWait(&waits[index], PSCTX_MAXIMUM_TRANSFER);
        pended += CoreStartWait(reader, &waits[index]) == STATUS_PENDING;
    }
    CHECK_EQUAL(pended,
                limit / PSCTX_MAXIMUM_TRANSFER - 1); /* the last of them has no room beside the session itself */
    CHECK_STATUS(CoreWaitStatus(&waits[pended]), STATUS_QUOTA_EXCEEDED);
    CoreClose(reader);
    for (index = 0; index < RTL_NUMBER_OF(waits); index += 1) {
        CoreFreeWait(&waits[index]);
    }
    CoreStop(&core);
}

static VOID CoreRingsAreBooked(VOID)
{
    const ULONG64 limit = PSCTX_TOTAL_RECORDS_FACTOR * CORE_LIMIT(PSCTX_MAXIMUM_PAGED_RECORD_BYTES);
    PSCTX_STATISTICS_REPLY statistics;
    ULONG64 kept = 0;
    NTSTATUS status;
    HANDLE watched;
    HANDLE reader;
    CORE core;

    CoreStart(&core);
    watched = core.Control;
    for (;;) { /* each reads the one before, so that the number of readers is no limit */
        reader = CoreOpenSession(CORE_READ);
        status = CoreSubscribe(reader, CoreSessionNumber(watched), PSCTX_EVENT_TYPES, CORE_EVENT_CAPACITY);
        if (!NT_SUCCESS(status)) {
            break;
        }
        CHECK_EQUAL(CoreStatistics(reader).SessionPagedRecordBytes, CORE_EVENT_CAPACITY);
        kept += CORE_EVENT_CAPACITY;
        watched = reader;
    }
    CHECK_STATUS(status, STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(kept, limit);
    statistics = CoreStatistics(reader);
    CHECK_EQUAL(statistics.SessionPagedRecordBytes, 0);
    CHECK_EQUAL(statistics.TotalPagedRecordBytes, limit);
    CoreClose(watched);
    CHECK_EQUAL(CoreStatistics(reader).TotalPagedRecordBytes, limit - CORE_EVENT_CAPACITY);
    CHECK_STATUS(CoreSubscribe(reader, CoreSessionNumber(core.Control), PSCTX_EVENT_TYPES, CORE_EVENT_CAPACITY),
                 STATUS_SUCCESS);
    CoreStop(&core);
}

/* Of a ring that so many events fill exactly none is dropped, and of one more the oldest. */
static VOID CoreRingsAreFilledToTheEnd(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    const PSCTX_EVENT *event;
    HANDLE readers[2];
    CORE_WAIT wait;
    ULONG64 oldest;
    ULONG capacity;
    ULONG count;
    ULONG index;
    CORE core;

    CoreStart(&core);
    CoreInitializeWait(&wait, PSCTX_MAXIMUM_TRANSFER);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    readers[0] = CoreOpenReader(core.Control, 1u << PSCTX_EVENT_INSERTED);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreStartWait(readers[0], &wait), STATUS_SUCCESS);
    event = CoreNextEvent(&wait, NULL);
    count = PSCTX_MINIMUM_EVENT_CAPACITY / event->Size + 1;
    capacity = count * event->Size;
    CoreClose(readers[0]);

    insertion.IfExists = PSCTX_IF_EXISTS_REPLACE;
    for (index = 0; index < RTL_NUMBER_OF(readers); index += 1) {
        readers[index] = CoreOpenSession(CORE_READ);
        CHECK_STATUS(
            CoreSubscribe(readers[index], CoreSessionNumber(core.Control), 1u << PSCTX_EVENT_INSERTED, capacity),
            STATUS_SUCCESS);
    }
    for (index = 0; index < count; index += 1) {
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    CHECK_STATUS(CoreStartWait(readers[0], &wait), STATUS_SUCCESS);
    event = CoreNextEvent(&wait, NULL);
    CHECK_EQUAL(event->Type, PSCTX_EVENT_INSERTED);
    oldest = event->Time;
    CHECK_EQUAL(CoreEventCount(&wait), count);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreStartWait(readers[1], &wait), STATUS_SUCCESS);
    event = CoreNextEvent(&wait, NULL);
    CHECK_EQUAL(event->Type, PSCTX_EVENT_DROPPED);
    CHECK_EQUAL(event->Count, 1);
    CHECK_EQUAL(event->Number, 1);
    CHECK_EQUAL(event->Time, oldest);
    CHECK_EQUAL(CoreEventCount(&wait), 1 + count);
    CoreFreeWait(&wait);
    CoreStop(&core);
}

static VOID CoreSessionsAreLimited(VOID)
{
    HANDLE sessions[PSCTX_MAXIMUM_SESSIONS];
    ULONG64 each;
    HANDLE handle;
    ULONG index;
    CORE core;

    CoreStart(&core);
    each = CoreStatistics(core.Control).TotalNonPagedRecordBytes;
    CHECK(each > 0);
    for (index = 1; index < PSCTX_MAXIMUM_SESSIONS; index += 1) {
        sessions[index] = CoreOpenSession(CORE_READ);
    }
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, PSCTX_MAXIMUM_SESSIONS);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalNonPagedRecordBytes, each * PSCTX_MAXIMUM_SESSIONS);
    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_QUOTA_EXCEEDED);
    CoreClose(sessions[1]);
    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CoreStop(&core);
}

static VOID CoreEndedSessionsStayBooked(VOID)
{
    CORE_INSERTION insertion = {.Lifetime = PSCTX_LIFETIME_STREAM};
    PSCTX_STATISTICS_REPLY before;
    PSCTX_STATISTICS_REPLY after;
    HANDLE second;
    CORE core;

    CoreStart(&core);
    insertion.Stream = CoreOpenFile(CORE_FILE);
    before = CoreStatistics(core.Control);
    second = CoreOpenSession(CORE_READ_WRITE);
    for (insertion.Owner = 0; insertion.Owner < 100; insertion.Owner += 1) {
        CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    }
    after = CoreStatistics(second);
    CHECK(after.SessionPagedRecordBytes >= 100 * sizeof(ULONG64));
    CoreClose(second);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalPagedRecordBytes, after.TotalPagedRecordBytes);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalNonPagedRecordBytes, after.TotalNonPagedRecordBytes);
    CoreClose(insertion.Stream);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalPagedRecordBytes, before.TotalPagedRecordBytes);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalNonPagedRecordBytes, before.TotalNonPagedRecordBytes);
    CoreStop(&core);
}

static VOID CoreSmallMachinesAllowLess(VOID)
{
    CORE_INSERTION insertion = {.Pool = PSCTX_POOL_NONPAGED, .IfExists = PSCTX_IF_EXISTS_ADD};
    PSCTX_VERSION_REPLY limits;
    ULONG count = 0;
    NTSTATUS status;
    CORE core;

    HostSetPhysicalMemory(256ull << 20);
    CoreStart(&core);
    limits = CoreLimits(core.Control);
    CHECK_EQUAL(limits.MaximumPagedBytes, 32u << 20);
    CHECK_EQUAL(limits.MaximumNonPagedBytes, 8u << 20);
    CHECK_EQUAL(limits.MaximumPagedRecordBytes, min(8u << 20, CORE_LIMIT(PSCTX_MAXIMUM_PAGED_RECORD_BYTES)));
    CHECK_EQUAL(limits.MaximumNonPagedRecordBytes, min(4u << 20, CORE_LIMIT(PSCTX_MAXIMUM_NONPAGED_RECORD_BYTES)));
    CHECK_EQUAL(limits.MaximumContexts, 65536);

    /* They are the ones that hold. */
    insertion.Stream = CoreOpenFile(CORE_FILE);
    insertion.DataLength = PSCTX_MAXIMUM_DATA_LENGTH;
    insertion.Data = calloc(1, insertion.DataLength);
    do {
        status = CoreInsert(core.Control, &insertion, NULL);
        count += NT_SUCCESS(status);
    } while (NT_SUCCESS(status));
    CHECK_STATUS(status, STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(count, 127);
    free((PVOID)(ULONG_PTR)insertion.Data);
    CoreStop(&core);
}

/* Sessions alone, one after the other, take what the records of all may. */
static VOID CoreSessionsAreLimitedByTheirRecords(VOID)
{
    static HANDLE sessions[PSCTX_MAXIMUM_SESSIONS];
    const ULONG64 memory = 4ull << 20;
    ULONG64 limit;
    ULONG64 each;
    HANDLE handle;
    NTSTATUS status;
    ULONG count;
    CORE core;

    HostSetPhysicalMemory(memory);
    CoreStart(&core);
    each = CoreStatistics(core.Control).TotalNonPagedRecordBytes;
    limit = PSCTX_TOTAL_RECORDS_FACTOR * CoreLimits(core.Control).MaximumNonPagedRecordBytes;
    CHECK_EQUAL(limit, memory / 16);
    for (count = 1;; count += 1) {
        status = CoreOpen(CORE_CONTROL, NULL, CORE_READ, FILE_OPEN, 0, &sessions[count]);
        if (!NT_SUCCESS(status)) {
            break;
        }
    }
    CHECK_STATUS(status, STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(count, limit / each);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalSessions, count);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalNonPagedRecordBytes, each * count);
    CoreClose(sessions[1]);
    CHECK_STATUS(CoreOpen(CORE_CONTROL, NULL, CORE_READ, FILE_OPEN, 0, &handle), STATUS_SUCCESS);
    CoreStop(&core);
}

/* Inserts until there are as many as may be. How many; the last was refused, and left nothing. */
static ULONG CoreFillUp(_In_ HANDLE Control, _In_ HANDLE Stream)
{
    const CORE_INSERTION insertion = {.Stream = Stream, .IfExists = PSCTX_IF_EXISTS_ADD};
    PSCTX_STATISTICS_REPLY before;
    PSCTX_STATISTICS_REPLY after;
    NTSTATUS status;
    ULONG count = 0;

    for (;;) {
        before = CoreStatistics(Control);
        status = CoreInsert(Control, &insertion, NULL);
        if (!NT_SUCCESS(status)) {
            break;
        }
        count += 1;
    }
    after = CoreStatistics(Control);
    CHECK_STATUS(status, STATUS_QUOTA_EXCEEDED);
    CHECK_EQUAL(after.SessionContexts, count);
    CHECK_EQUAL(after.SessionInserted, before.SessionInserted);
    CHECK_EQUAL(after.SessionPagedBytes, before.SessionPagedBytes);
    CHECK_EQUAL(after.TotalContexts, before.TotalContexts);
    CHECK_EQUAL(after.TotalPagedBytes, before.TotalPagedBytes);
    return count;
}

static VOID CoreContextsAreLimited(VOID)
{
    HANDLE second;
    HANDLE third;
    HANDLE stream;
    ULONG limit;
    CORE core;

    HostSetPhysicalMemory(1u << 20);
    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    third = CoreOpenSession(CORE_READ_WRITE);
    stream = CoreOpenFile(CORE_FILE);
    limit = CoreLimits(core.Control).MaximumContexts;
    CHECK_EQUAL(limit, 256);
    CHECK_EQUAL(CoreFillUp(core.Control, stream), limit);
    CHECK_EQUAL(CoreFillUp(second, stream), limit);
    CHECK_EQUAL(CoreFillUp(third, stream), 0);
    CHECK_EQUAL(CoreStatistics(third).TotalContexts, PSCTX_TOTAL_CONTEXTS_FACTOR * limit);

    /* What goes is given back, to its session and to all. */
    CoreClose(second);
    CHECK_EQUAL(CoreFillUp(third, stream), limit);
    CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreFillUp(core.Control, stream), limit);
    CoreStop(&core);
}

static VOID CoreMachinesThatDoNotTellAllowLess(VOID)
{
    static const struct {
        ULONG64 Memory;
        ULONG Paged;
    } classes[] = {{16ull << 20, 8u << 20}, {48ull << 20, 16u << 20}, {4096ull << 20, 64u << 20}};
    PSCTX_VERSION_REPLY limits;
    ULONG index;
    CORE core;

    for (index = 0; index < RTL_NUMBER_OF(classes); index += 1) {
        HostSetPhysicalMemory(classes[index].Memory);
        HostSetQuirks(HOST_QUIRK_NO_BASIC_INFORMATION);
        CoreStart(&core);
        limits = CoreLimits(core.Control);
        CHECK_EQUAL(limits.MaximumPagedBytes, classes[index].Paged);
        CHECK_EQUAL(limits.MaximumNonPagedBytes,
                    min(classes[index].Paged / 4, CORE_LIMIT(PSCTX_MAXIMUM_NONPAGED_BYTES)));
        CoreStop(&core);
    }
}

static const CORE_TEST CoreBoundsTests[] = {
    {"a session's end removes the youngest first, and gives the lock up every few hundred",
     CoreSessionsEndInShortHolds},
    {"a session's end behind as many of another's on a full stream takes a limited number of steps, few under one lock",
     CoreSessionsBehindOthersEndInShortHolds},
    {"a session's end removes stream by stream, the youngest first", CoreSessionsEndStreamByStream},
    {"remove-all removes the youngest first, and gives the lock up every few hundred", CoreManyAreRemovedInShortHolds},
    {"unloading removes the youngest first, and gives the lock up every few hundred", CoreUnloadRemovesInShortHolds},
    {"list, enumerate and the count of a volume's contexts give the lock up every few hundred",
     CoreManyAreLookedAtInShortHolds},
    {"walks keep their place while others remove what they come to", CoreWalksKeepTheirPlace},
    {"a walk through a stream's contexts keeps to it while the index grows", CoreWalksKeepToTheirStream},
    {"a stream takes a limited number of contexts of every session", CoreStreamsAreLimited},
    {"the index shrinks when contexts go", CoreBucketsShrink},
    {"the order of an enumeration is another each time the driver is loaded", CoreTheOrderIsSecret},
    {"requests that wait are booked for their session, and limited in number", CoreWaitsAreBooked},
    {"requests that wait are limited by the bytes of their buffers", CoreLongWaitsAreLimitedByTheirBytes},
    {"events that are kept are booked, and limited over all sessions", CoreRingsAreBooked},
    {"events are dropped when there is no room for one more, and not before", CoreRingsAreFilledToTheEnd},
    {"a limited number of sessions is open", CoreSessionsAreLimited},
    {"ended sessions that contexts keep stay booked", CoreEndedSessionsStayBooked},
    {"a machine with little memory allows less, and tells so", CoreSmallMachinesAllowLess},
    {"as many sessions are open as the machine has memory for their records", CoreSessionsAreLimitedByTheirRecords},
    {"a session has a limited number of contexts, and so have all together", CoreContextsAreLimited},
    {"a machine that does not tell its memory allows what its class has", CoreMachinesThatDoNotTellAllowLess},

    {"a kernel caller's requests without an open, or on one of another device, are refused",
     CoreRequestsWithoutAnOpenAreRefused},
    {"a session ends by its cleanup and its close, once", CoreSessionsEndByTheirRequests},
    {"a request that waits is cancelled at any IRQL up to DISPATCH_LEVEL", CoreWaitsAreCancelledAtAnyIrql},
    {"a cancelled batch runs no further, and tells what it has done", CoreCancelledBatchesStop},
    {"a cancelled enumeration has the page that it has come to", CoreCancelledEnumerationsStop},
    {"a batch ends with its thread, and what it has done is there", CoreBatchesEndWithTheirThread},
    {"an enumeration ends with its thread, and can go on from there", CoreEnumerationsEndWithTheirThread},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreBoundsTests, RTL_NUMBER_OF(CoreBoundsTests), argc > 1 ? argv[1] : NULL);
}
