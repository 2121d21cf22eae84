/*
 * Which context is meant: owners, instances, sessions, duplicates, and other filters' contexts.
 */
#include "core_other_filter.h"
#include "core_tests.h"

#include <string.h>

static NTSTATUS CoreInsertText(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG64 Owner, _In_ ULONG64 Instance,
                               _In_ ULONG IfExists, _In_z_ const char *Text, _Out_opt_ PSCTX_INSERT_REPLY *Reply)
{
    const CORE_INSERTION insertion = {.Stream = Stream,
                                      .Owner = Owner,
                                      .Instance = Instance,
                                      .IfExists = IfExists,
                                      .Data = Text,
                                      .DataLength = (ULONG)strlen(Text)};

    return CoreInsert(Control, &insertion, Reply);
}

static VOID CoreCheckText(_In_ const CORE_CONTEXT *Context, _In_ ULONG64 Owner, _In_ ULONG64 Instance,
                          _In_z_ const char *Text)
{
    CHECK_EQUAL(Context->Reply.Holder, PSCTX_HOLDER_SELF);
    CHECK_EQUAL(Context->Reply.OwnerKey, Owner);
    CHECK_EQUAL(Context->Reply.Instance, Instance);
    CHECK_EQUAL(Context->Reply.DataLength, strlen(Text));
    CHECK(memcmp(Context->Data, Text, strlen(Text)) == 0);
}

VOID CoreInstanceZeroIsOneOfMany(VOID)
{
    CORE_CONTEXT context;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 0, 5, 0, "five", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 0, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 0, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 0, 5, "five");

    CHECK_STATUS(CoreInsertText(core.Control, stream, 0, 0, 0, "zero", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 0, ~0ull, 0, "last", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 0, ~0ull, "last");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 0, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 0, 0, "zero");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 0, ~0ull, "last");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 0, 5, "five");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &context), STATUS_NOT_FOUND);
    CoreStop(&core);
}

VOID CoreOwnersAndSessionsDoNotMeet(VOID)
{
    CORE_CONTEXT context;
    HANDLE second;
    HANDLE stream;
    ULONG64 count;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, 0, "first session", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 65, 1, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 65, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(second, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(second, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreRemove(second, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreRemoveAll(second, stream, PSCTX_MATCH_FIRST, 0, 0, &count), STATUS_SUCCESS);
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(CoreCount(second, stream), 0);

    /* The same owner key and instance in another session is another context. */
    CHECK_STATUS(CoreInsertText(second, stream, 1, 1, PSCTX_IF_EXISTS_FAIL, "second session", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 1, "first session");
    CHECK_STATUS(CoreRemove(second, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 1, "second session");
    CHECK_EQUAL(CoreCount(core.Control, stream), 1);
    CoreStop(&core);
}

VOID CoreExistingContextIsKeptReplacedOrRefused(VOID)
{
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_INSERT_REPLY inserted;
    PSCTX_INSERT_REPLY reply;
    CORE_CONTEXT context;
    CORE_STATE state;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, PSCTX_IF_EXISTS_KEEP, "one", &inserted), STATUS_SUCCESS);
    CHECK_EQUAL(inserted.Outcome, PSCTX_OUTCOME_INSERTED);
    CoreCapture(core.Control, stream, &state);

    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, PSCTX_IF_EXISTS_FAIL, "two", NULL),
                 STATUS_OBJECT_NAME_COLLISION);
    CoreCheckUnchanged(core.Control, stream, &state);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, PSCTX_IF_EXISTS_KEEP, "two", &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_KEPT);
    CHECK_EQUAL(reply.Sequence, inserted.Sequence);
    CoreCheckUnchanged(core.Control, stream, &state);

    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, PSCTX_IF_EXISTS_REPLACE, "three", &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_REPLACED);
    CHECK(reply.Sequence > inserted.Sequence);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 1, "three");
    CHECK_EQUAL(context.Reply.Sequence, reply.Sequence);
    statistics = CoreStatistics(core.Control);
    CHECK_EQUAL(statistics.SessionContexts, 1);
    CHECK_EQUAL(statistics.SessionInserted, 2);
    CHECK_EQUAL(statistics.SessionRemoved, 1);
    CHECK_EQUAL(statistics.SessionPagedBytes, state.Statistics.SessionPagedBytes + 2);

    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 2, PSCTX_IF_EXISTS_REPLACE, "other", &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_INSERTED);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 3, PSCTX_IF_EXISTS_ADD, "another", &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_INSERTED);
    CHECK_EQUAL(CoreCount(core.Control, stream), 3);
    CoreStop(&core);
}

VOID CoreDuplicatesAreToldApart(VOID)
{
    PSCTX_INSERT_REPLY reply;
    CORE_CONTEXT context;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 0, PSCTX_IF_EXISTS_ADD, "oldest", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 0, PSCTX_IF_EXISTS_ADD, "middle", &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Outcome, PSCTX_OUTCOME_ADDED);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 0, PSCTX_IF_EXISTS_ADD, "youngest", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 0, "youngest");
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 0, PSCTX_IF_EXISTS_REPLACE, "newest", NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreCount(core.Control, stream), 3);
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 0, "newest");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 0, "middle");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 0, "oldest");
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 0, &context), STATUS_NOT_FOUND);
    CoreStop(&core);
}

VOID CoreRemoveAllCounts(VOID)
{
    HANDLE second;
    HANDLE stream;
    ULONG64 index;
    ULONG64 count;
    CORE core;

    CoreStart(&core);
    second = CoreOpenSession(CORE_READ_WRITE);
    stream = CoreOpenFile(CORE_FILE);
    for (index = 0; index < 12; index += 1) {
        CHECK_STATUS(CoreInsertText(core.Control, stream, index % 3, index % 2, PSCTX_IF_EXISTS_ADD, "x", NULL),
                     STATUS_SUCCESS);
    }
    CHECK_STATUS(CoreInsertText(second, stream, 0, 0, PSCTX_IF_EXISTS_FAIL, "y", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_INSTANCE, 0, 1, &count), STATUS_SUCCESS);
    CHECK_EQUAL(count, 2);
    CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &count), STATUS_SUCCESS);
    CHECK_EQUAL(count, 2);
    CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_OWNER, 0, 0, &count), STATUS_SUCCESS);
    CHECK_EQUAL(count, 0);
    CHECK_STATUS(CoreRemoveAll(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, &count), STATUS_SUCCESS);
    CHECK_EQUAL(count, 8);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionRemoved, 12);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionContexts, 0);
    CHECK_EQUAL(CoreCount(second, stream), 1);
    CoreStop(&core);
}

/*
 * Checks that the first context on the stream is somebody else's, and that the reply tells nothing more.
 */
static VOID CoreCheckOtherFirst(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG Holder)
{
    PSCTX_CONTEXT_REPLY expected = {.Holder = Holder};
    CORE_CONTEXT context;

    CHECK_STATUS(CoreLookup(Control, Stream, PSCTX_MATCH_FIRST, 0, 0, &context), STATUS_SUCCESS);
    CoreSetHeader(&expected.Header, PSCTX_OPERATION_LOOKUP, sizeof(expected));
    CHECK(memcmp(&context.Reply, &expected, sizeof(expected)) == 0);
    CHECK_EQUAL(context.Data[0], 0xA5);
}

VOID CoreFirstTellsOnlyWhoseItIs(VOID)
{
    CORE_CONTEXT context;
    HANDLE second;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    second = CoreOpenSession(CORE_READ_WRITE);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, &context), STATUS_NOT_FOUND);

    /* Another filter alone; ours above it; then it above ours. */
    CoreInsertOther(stream);
    CoreCheckOtherFirst(core.Control, stream, PSCTX_HOLDER_OTHER_FILTER);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 2, PSCTX_IF_EXISTS_FAIL, "ours", NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 2, "ours");
    CoreCheckOtherFirst(second, stream, PSCTX_HOLDER_OTHER_SESSION);
    CoreInsertOther(stream);
    CoreCheckOtherFirst(core.Control, stream, PSCTX_HOLDER_OTHER_FILTER);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 2, &context), STATUS_SUCCESS);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_SUCCESS);

    /* A context that outlived its session is another session's too. */
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, NULL), STATUS_SUCCESS);
    CHECK(CoreRemoveOther(stream));
    CHECK(CoreRemoveOther(stream));
    CHECK(!CoreRemoveOther(stream));
    CHECK_STATUS(CoreInsert(second, &(const CORE_INSERTION){.Stream = stream, .Lifetime = PSCTX_LIFETIME_STREAM}, NULL),
                 STATUS_SUCCESS);
    CoreClose(second);
    CoreCheckOtherFirst(core.Control, stream, PSCTX_HOLDER_OTHER_SESSION);

    /* Every filter's contexts go with the stream. */
    CoreInsertOther(stream);
    CoreClose(stream);
    CHECK_EQUAL(CoreCountOtherTornDown(), 1);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreHardLinksShareAStreamAndNamedStreamsDoNot(VOID)
{
    static const WCHAR target[] = L"link.txt";
    DECLSPEC_ALIGN(8) UCHAR buffer[sizeof(FILE_LINK_INFORMATION) + sizeof(target)] = {0};
    PFILE_LINK_INFORMATION link = (PFILE_LINK_INFORMATION)buffer;
    IO_STATUS_BLOCK ioStatus;
    CORE_CONTEXT context;
    HANDLE stream;
    HANDLE linked;
    HANDLE named;
    CORE core;

    CoreStart(&core);
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, PSCTX_IF_EXISTS_FAIL, "shared", NULL), STATUS_SUCCESS);
    link->FileNameLength = sizeof(target) - sizeof(WCHAR);
    memcpy(link->FileName, target, link->FileNameLength);
    CHECK_STATUS(NtSetInformationFile(stream, &ioStatus, link, sizeof(buffer), FileLinkInformation), STATUS_SUCCESS);
    linked = CoreOpenFile(L"\\??\\M:\\files\\link.txt");
    CHECK_STATUS(CoreLookup(core.Control, linked, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 1, "shared");
    named = CoreOpenFile(L"\\??\\M:\\files\\link.txt:notes");
    CHECK_STATUS(CoreLookup(core.Control, named, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_NOT_FOUND);

    /* The stream lasts as long as any of its opens. */
    CoreClose(stream);
    CHECK_STATUS(CoreLookup(core.Control, linked, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    CoreClose(linked);
    CHECK_EQUAL(CoreStatistics(core.Control).SessionTornDown, 1);
    CoreStop(&core);
}

VOID CoreLostContextsAreNotThere(VOID)
{
    CORE_CONTEXT context;
    HANDLE stream;
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    stream = CoreOpenFile(CORE_FILE);
    CHECK_STATUS(CoreInsertText(core.Control, stream, 1, 1, PSCTX_IF_EXISTS_FAIL, "lost", NULL), STATUS_SUCCESS);
    CoreLoseContexts(stream);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_OWNER, 1, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_FIRST, 0, 0, &context), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreRemove(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_NOT_FOUND);
    CoreRestoreContexts(stream);
    CHECK_STATUS(CoreLookup(core.Control, stream, PSCTX_MATCH_INSTANCE, 1, 1, &context), STATUS_SUCCESS);
    CoreCheckText(&context, 1, 1, "lost");
    CoreUnloadProbe();
    CoreStop(&core);
}
