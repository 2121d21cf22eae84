/*
 * Replies: every byte of them is what the ABI says, nothing behind them is written, and what does not fit is told.
 */
#include "core_tests.h"

#include <stdlib.h>
#include <string.h>

#define CORE_FILL 0xA5
#define CORE_ROOM 512u

/* A reply as it came, with what was behind it. */
typedef struct _CORE_REPLY {
    ULONG Length;
    DECLSPEC_ALIGN(8) UCHAR Bytes[CORE_ROOM];
} CORE_REPLY;

/*
 * Sends a request in a buffer that is filled with a pattern, and checks that just the reply was written to it.
 */
static NTSTATUS CoreExchange(_In_ HANDLE Control, _In_ const CORE_REQUEST *Request, _Out_ CORE_REPLY *Reply)
{
    NTSTATUS status;
    ULONG index;

    memset(Reply->Bytes, CORE_FILL, sizeof(Reply->Bytes));
    status = CoreControl(Control, Request->Code, Request->Bytes, Request->Length, Reply->Bytes, sizeof(Reply->Bytes),
                         &Reply->Length);
    for (index = Reply->Length; index < sizeof(Reply->Bytes); index += 1) {
        CHECK_EQUAL(Reply->Bytes[index], CORE_FILL);
    }
    return status;
}

static VOID CoreCheckReply(_In_ const CORE_REPLY *Reply, _In_reads_bytes_(Length) const VOID *Expected,
                           _In_ ULONG Length)
{
    CHECK_EQUAL(Reply->Length, Length);
    CHECK(memcmp(Reply->Bytes, Expected, Length) == 0);
}

VOID CoreRepliesHaveNoStrayByte(VOID)
{
    static const UCHAR data[] = {1, 2, 3, 4, 5};
    CORE_INSERTION insertion = {.Owner = 7,
                                .Instance = 9,
                                .Pool = PSCTX_POOL_NONPAGED,
                                .Lifetime = PSCTX_LIFETIME_STREAM,
                                .Data = data,
                                .DataLength = sizeof(data)};
    PSCTX_VERSION_REPLY version = {
        .DriverVersion = PSCTX_DRIVER_VERSION,
        .MaximumDataLength = PSCTX_MAXIMUM_DATA_LENGTH,
        .MaximumContexts = (ULONG)CORE_LIMIT((ULONG64)PSCTX_MAXIMUM_CONTEXTS),
        .MaximumOwners = PSCTX_MAXIMUM_OWNERS,
        .MaximumPagedBytes = CORE_LIMIT(PSCTX_MAXIMUM_PAGED_BYTES),
        .MaximumNonPagedBytes = CORE_LIMIT(PSCTX_MAXIMUM_NONPAGED_BYTES),
        .MaximumBatchOperations = PSCTX_MAXIMUM_BATCH_OPERATIONS,
        .MaximumTransfer = PSCTX_MAXIMUM_TRANSFER,
        .MaximumStreamContexts = PSCTX_MAXIMUM_STREAM_CONTEXTS,
        .MaximumSessions = PSCTX_MAXIMUM_SESSIONS,
        .MaximumPagedRecordBytes = CORE_LIMIT(PSCTX_MAXIMUM_PAGED_RECORD_BYTES),
        .MaximumNonPagedRecordBytes = CORE_LIMIT(PSCTX_MAXIMUM_NONPAGED_RECORD_BYTES),
        .MaximumReaders = PSCTX_MAXIMUM_READERS,
        .MaximumWaits = PSCTX_MAXIMUM_WAITS,
        .Front = CoreFront(),
    };
    struct {
        PSCTX_CONTEXT_REPLY Reply;
        UCHAR Data[sizeof(data)];
    } context = {{.OwnerKey = 7,
                  .Instance = 9,
                  .Holder = PSCTX_HOLDER_SELF,
                  .Pool = PSCTX_POOL_NONPAGED,
                  .Lifetime = PSCTX_LIFETIME_STREAM,
                  .DataLength = sizeof(data)},
                 {1, 2, 3, 4, 5}};
    const ULONG contextLength = (ULONG)sizeof(context.Reply) + (ULONG)sizeof(data);
    PSCTX_STREAM_REPLY support = {.Support = PSCTX_SUPPORT_YES, .DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM};
    PSCTX_INSERT_REPLY kept = {.Outcome = PSCTX_OUTCOME_KEPT};
    PSCTX_LIST_REPLY list = {0};
    PSCTX_COUNT_REPLY count = {.Count = 1};
    PSCTX_RULE_RECORD rule;
    PSCTX_INSERT_REPLY inserted;
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_MATCH_REQUEST *match;
    CORE_REQUEST request;
    CORE_REPLY reply;
    PSCTX_HEADER empty;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;

    request = CoreMakeRequest(PSCTX_OPERATION_QUERY_VERSION, stream);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&version.Header, PSCTX_OPERATION_QUERY_VERSION, sizeof(version));
    version.Session = ((PSCTX_VERSION_REPLY *)reply.Bytes)->Session;
    CHECK_EQUAL(version.Session, 1);
    CoreCheckReply(&reply, &version, sizeof(version));

    request = CoreMakeRequest(PSCTX_OPERATION_QUERY_STREAM, stream);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&support.Header, PSCTX_OPERATION_QUERY_STREAM, sizeof(support));
    support.HeaderVersion = ((PSCTX_STREAM_REPLY *)reply.Bytes)->HeaderVersion;
    CHECK(support.HeaderVersion <= 15);
    CoreCheckReply(&reply, &support, sizeof(support));

    request = CoreMakeRequest(PSCTX_OPERATION_LIST, stream);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&list.Header, PSCTX_OPERATION_LIST, sizeof(list));
    CoreCheckReply(&reply, &list, sizeof(list));

    CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted), STATUS_SUCCESS);
    context.Reply.Sequence = inserted.Sequence;
    request = CoreMakeRequest(PSCTX_OPERATION_INSERT, stream);
    ((PSCTX_INSERT_REQUEST *)request.Bytes)->OwnerKey = 7;
    ((PSCTX_INSERT_REQUEST *)request.Bytes)->Instance = 9;
    ((PSCTX_INSERT_REQUEST *)request.Bytes)->IfExists = PSCTX_IF_EXISTS_KEEP;
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&kept.Header, PSCTX_OPERATION_INSERT, sizeof(kept));
    kept.Sequence = inserted.Sequence;
    CoreCheckReply(&reply, &kept, sizeof(kept));

    request = CoreMakeRequest(PSCTX_OPERATION_QUERY_STATISTICS, stream);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    statistics = *(PSCTX_STATISTICS_REPLY *)reply.Bytes;
    CHECK_EQUAL(statistics.SessionContexts, 1);
    CHECK_EQUAL(statistics.SessionPagedBytes, 0);
    CHECK(statistics.SessionNonPagedBytes > sizeof(data) && statistics.SessionNonPagedBytes < 512);
    CHECK_EQUAL(statistics.SessionInserted, 1);
    CHECK_EQUAL(statistics.SessionRemoved, 0);
    CHECK_EQUAL(statistics.SessionTornDown, 0);
    CHECK_EQUAL(statistics.TotalContexts, 1);
    CHECK_EQUAL(statistics.TotalPagedBytes, 0);
    CHECK_EQUAL(statistics.TotalNonPagedBytes, statistics.SessionNonPagedBytes);
    CHECK_EQUAL(statistics.TotalSessions, 1);
    CHECK_EQUAL(statistics.AttachedVolumes, 1);
    CHECK(statistics.AttachedFileSystems >= (CoreFront() == PSCTX_FRONT_LEGACY ? 1 : 0)); /* else redirectors alone */
    CHECK(statistics.AttachedFileSystems < 16);
    CHECK(statistics.SessionPagedRecordBytes >= 16 && statistics.SessionPagedRecordBytes <= 64); /* an owner */
    CHECK(statistics.SessionNonPagedRecordBytes > 64 * sizeof(PVOID)); /* itself, with a table of owners */
    CHECK(statistics.SessionNonPagedRecordBytes < 2048);
    CHECK_EQUAL(statistics.TotalPagedRecordBytes, statistics.SessionPagedRecordBytes);
    CHECK_EQUAL(statistics.TotalNonPagedRecordBytes, statistics.SessionNonPagedRecordBytes);

    request = CoreMakeRequest(PSCTX_OPERATION_LOOKUP, stream);
    match = (PSCTX_MATCH_REQUEST *)request.Bytes;
    match->OwnerKey = 7;
    match->Instance = 9;
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&context.Reply.Header, PSCTX_OPERATION_LOOKUP, contextLength);
    CoreCheckReply(&reply, &context, contextLength);

    request = CoreMakeRequest(PSCTX_OPERATION_REMOVE, stream);
    match = (PSCTX_MATCH_REQUEST *)request.Bytes;
    match->OwnerKey = 7;
    match->Instance = 9;
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&context.Reply.Header, PSCTX_OPERATION_REMOVE, contextLength);
    CoreCheckReply(&reply, &context, contextLength);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_NOT_FOUND);

    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    request = CoreMakeRequest(PSCTX_OPERATION_REMOVE_ALL, stream);
    match = (PSCTX_MATCH_REQUEST *)request.Bytes;
    match->OwnerKey = 7;
    match->Instance = 9;
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&count.Header, PSCTX_OPERATION_REMOVE_ALL, sizeof(count));
    CoreCheckReply(&reply, &count, sizeof(count));

    request = CoreMakeRequest(PSCTX_OPERATION_TRACK, stream);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    rule = *(PSCTX_RULE_RECORD *)reply.Bytes;
    CHECK_EQUAL(rule.Rule, 1);
    CoreSetHeader(&rule.Header, PSCTX_OPERATION_TRACK, sizeof(rule));
    CoreCheckReply(&reply, &rule, sizeof(rule));

    request = CoreMakeRequest(PSCTX_OPERATION_UNTRACK, stream);
    ((PSCTX_RULE_RECORD *)request.Bytes)->Rule = rule.Rule;
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    CoreSetHeader(&empty, PSCTX_OPERATION_UNTRACK, sizeof(empty));
    CoreCheckReply(&reply, &empty, sizeof(empty));
    CoreStop(&core);
}

/*
 * Whether the entry is this insertion's, of this minute, its name ends with Tail, and its padding is zero.
 */
static VOID CoreCheckEntry(_In_ const PSCTX_LIST_ENTRY *Entry, _In_ const CORE_INSERTION *Insertion,
                           _In_ ULONG64 Sequence, _In_z_ PCWSTR Tail)
{
    const PSCTX_LIST_ENTRY expected = {
        .Size = (ULONG)ALIGN_UP_BY(sizeof(*Entry) + Entry->NameLength, sizeof(ULONG64)),
        .NameLength = Entry->NameLength,
        .OwnerKey = Insertion->Owner,
        .Instance = Insertion->Instance,
        .Sequence = Sequence,
        .Pool = Insertion->Pool,
        .Lifetime = Insertion->Lifetime,
        .DataLength = Insertion->DataLength,
        .Tracked = PSCTX_TRACKED_NO,
        .Inserted = Entry->Inserted,
    };
    const UCHAR *name = (const UCHAR *)(Entry + 1);
    LARGE_INTEGER now;
    UNICODE_STRING tail;
    ULONG index;

    KeQuerySystemTime(&now);
    CHECK((ULONG64)now.QuadPart - Entry->Inserted < 60 * 10000000ull);
    CHECK(memcmp(Entry, &expected, sizeof(expected)) == 0);
    RtlInitUnicodeString(&tail, Tail);
    CHECK(Entry->NameLength > tail.Length);
    CHECK(memcmp(name, L"\\Device\\", 8 * sizeof(WCHAR)) == 0);
    CHECK(memcmp(name + Entry->NameLength - tail.Length, tail.Buffer, tail.Length) == 0);
    for (index = Entry->NameLength; index < Entry->Size - sizeof(*Entry); index += 1) {
        CHECK_EQUAL(name[index], 0);
    }
}

VOID CoreListedEntriesHaveNoStrayByte(VOID)
{
    CORE_INSERTION insertion = {.Owner = 7, .Data = "data", .DataLength = 3};
    const PSCTX_LIST_ENTRY *entry;
    const PSCTX_LIST_REPLY *list;
    PSCTX_LIST_REPLY expected = {.Count = 2};
    PSCTX_INSERT_REPLY inserted[2];
    CORE_REQUEST request;
    CORE_REPLY reply;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(L"\\??\\M:\\files\\odd.t:notes");
    insertion.Stream = stream;
    for (insertion.Instance = 0; insertion.Instance < 2; insertion.Instance += 1) {
        CHECK_STATUS(CoreInsert(core.Control, &insertion, &inserted[insertion.Instance]), STATUS_SUCCESS);
    }
    CHECK(inserted[1].Sequence > inserted[0].Sequence);

    request = CoreMakeRequest(PSCTX_OPERATION_LIST, stream);
    CHECK_STATUS(CoreExchange(core.Control, &request, &reply), STATUS_SUCCESS);
    list = (const PSCTX_LIST_REPLY *)reply.Bytes;
    CoreSetHeader(&expected.Header, PSCTX_OPERATION_LIST, reply.Length);
    CHECK(memcmp(list, &expected, sizeof(expected)) == 0);
    entry = (const PSCTX_LIST_ENTRY *)(list + 1);
    insertion.Instance = 1;
    CoreCheckEntry(entry, &insertion, inserted[1].Sequence, L"\\files\\odd.t:notes");
    CHECK_EQUAL(reply.Length, sizeof(*list) + 2 * entry->Size);
    entry = (const PSCTX_LIST_ENTRY *)((const UCHAR *)entry + entry->Size);
    insertion.Instance = 0;
    CoreCheckEntry(entry, &insertion, inserted[0].Sequence, L"\\files\\odd.t:notes");
    CoreStop(&core);
}

VOID CoreBatchRepliesHaveNoStrayByte(VOID)
{
    static const ULONG replySizes[] = {sizeof(PSCTX_INSERT_REPLY), 0, sizeof(PSCTX_CONTEXT_REPLY) + 5,
                                       sizeof(PSCTX_CONTEXT_REPLY) + 5, 0};
    CORE_BATCH batch;
    HANDLE stream;
    ULONG index;
    ULONG byte;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CoreStartBatch(&batch, PSCTX_OPERATION_BATCH, 128);
    CoreAddInsert(&batch, stream, 1, 1, 5);
    CoreAddInsert(&batch, stream, 1, 1, 5);
    CoreAddMatch(&batch, PSCTX_OPERATION_LOOKUP, stream, 1, 1);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, stream, 1, 1);
    CoreAddMatch(&batch, PSCTX_OPERATION_REMOVE, stream, 1, 1);
    CHECK_STATUS(CoreSendBatch(core.Control, &batch), STATUS_SUCCESS);
    CHECK_EQUAL(batch.Reply->Failed, 2);
    CHECK_STATUS(batch.Results[1].Status, STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(batch.Results[4].Status, STATUS_NOT_FOUND);
    for (index = 0; index < RTL_NUMBER_OF(replySizes); index += 1) {
        const UCHAR *slot = CoreBatchSlot(&batch, index);

        CHECK_EQUAL(batch.Results[index].ReplySize, replySizes[index]);
        CHECK(replySizes[index] == 0 || ((const PSCTX_HEADER *)slot)->Size == replySizes[index]);
        for (byte = replySizes[index]; byte < 128; byte += 1) {
            CHECK_EQUAL(slot[byte], 0);
        }
    }
    CHECK(memcmp((const PSCTX_CONTEXT_REPLY *)CoreBatchSlot(&batch, 2) + 1, "BBBBB", 5) == 0);
    CoreFreeBatch(&batch);
    CoreStop(&core);
}

VOID CoreShortDataIsAnOverflowThatRemovesNothing(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1, .Instance = 1, .Data = "0123456789", .DataLength = 10};
    struct {
        PSCTX_CONTEXT_REPLY Reply;
        UCHAR Data[16];
    } context;
    CORE_REQUEST request;
    CORE_STATE state;
    HANDLE stream;
    ULONG operation;
    ULONG information;
    ULONG length;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreCapture(core.Control, stream, &state);
    for (operation = PSCTX_OPERATION_LOOKUP; operation <= PSCTX_OPERATION_REMOVE; operation += 1) {
        request = CoreMakeRequest(operation, stream);
        ((PSCTX_MATCH_REQUEST *)request.Bytes)->Instance = 1;
        for (length = 0; length < 10; length += 1) {
            memset(&context, CORE_FILL, sizeof(context));
            CHECK_STATUS(CoreControl(core.Control, request.Code, request.Bytes, request.Length, &context,
                                     (ULONG)sizeof(context.Reply) + length, &information),
                         STATUS_BUFFER_OVERFLOW);
            CHECK_EQUAL(information, sizeof(context.Reply));
            CHECK_EQUAL(context.Reply.Header.Size, sizeof(context.Reply));
            CHECK_EQUAL(context.Reply.DataLength, 10);
            CHECK_EQUAL(context.Data[0], CORE_FILL);
            CoreCheckUnchanged(core.Control, stream, &state);
        }
    }
    CHECK_STATUS(CoreControl(core.Control, request.Code, request.Bytes, request.Length, &context,
                             (ULONG)sizeof(context.Reply) + 10, &information),
                 STATUS_SUCCESS);
    CHECK(memcmp(context.Data, "0123456789", 10) == 0);
    CHECK_EQUAL(CoreCount(core.Control, stream), 0);
    CoreStop(&core);
}

VOID CoreListPages(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    PSCTX_LIST_REQUEST request = {0};
    DECLSPEC_ALIGN(8) UCHAR bytes[1024];
    const PSCTX_LIST_REPLY *list = (const PSCTX_LIST_REPLY *)bytes;
    ULONG64 seen = 0;
    ULONG information;
    HANDLE stream;
    ULONG length;
    ULONG count;
    ULONG entrySize;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    insertion.Stream = stream;
    for (insertion.Instance = 0; insertion.Instance < 7; insertion.Instance += 1) {
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    request.Handle = (ULONG_PTR)stream;
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
    CHECK_STATUS(
        CoreControl(core.Control, PSCTX_IOCTL_LIST, &request, sizeof(request), bytes, sizeof(*list), &information),
        STATUS_BUFFER_OVERFLOW);
    CHECK_EQUAL(information, sizeof(*list));
    CHECK_EQUAL(list->Count, 0);
    CHECK_EQUAL(list->Remaining, 7);
    entrySize = list->NextSize;
    CHECK(entrySize > sizeof(PSCTX_LIST_ENTRY) && entrySize < 256);
    CHECK_STATUS(CoreControl(core.Control, PSCTX_IOCTL_LIST, &request, sizeof(request), bytes,
                             (ULONG)sizeof(*list) + entrySize - 1, &information),
                 STATUS_BUFFER_OVERFLOW);

    length = (ULONG)sizeof(*list) + 3 * entrySize - 1; /* room for two */
    for (count = 7; count != 0; count -= list->Count) {
        const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)(list + 1);
        ULONG index;

        CHECK_STATUS(
            CoreControl(core.Control, PSCTX_IOCTL_LIST, &request, sizeof(request), bytes, length, &information),
            STATUS_SUCCESS);
        CHECK_EQUAL(list->Count, count < 2 ? count : 2);
        CHECK_EQUAL(list->Remaining, count - list->Count);
        CHECK_EQUAL(list->NextSize, list->Remaining == 0 ? 0 : entrySize);
        CHECK_EQUAL(information, sizeof(*list) + list->Count * entrySize);
        for (index = 0; index < list->Count; index += 1) {
            CHECK_EQUAL(entry->Instance, count - 1 - index);
            seen |= 1ull << entry->Instance;
            request.Before = entry->Sequence;
            entry = (const PSCTX_LIST_ENTRY *)((const UCHAR *)entry + entry->Size);
        }
    }
    CHECK_EQUAL(seen, 0x7F);
    CoreStop(&core);
}
