/* What the checks of a file system share: verdicts, a stream with a context, and what becomes of it. */
#include "conformance.h"
#include "operations.h"

#define PROMPT_MILLISECONDS 100u
#define PATIENCE_MILLISECONDS 6000u
#define LET_GO_MILLISECONDS 3000u
#define STEP_MILLISECONDS 10u

static BOOL Informs;

void Inform(void)
{
    Informs = TRUE;
}

void NoteVerdict(const char *id)
{
    static const char *const verdicts[] = {"pass", "fail", "not-supported"};
    const TEST_STATE state = TestState();

    if (IsInterrupted() && state != TestFailed) {
        Skip("interrupted");
        return;
    }
    Note("verdict: %s %s", id, state == TestPassed && Informs ? "information" : verdicts[state]);
    Informs = FALSE;
}

void Refused(DWORD error, const char *reason)
{
    Note("refused with error %u", error);
    switch (error) {
    case ERROR_NOT_SUPPORTED:
    case ERROR_INVALID_FUNCTION:
    case ERROR_CALL_NOT_IMPLEMENTED:
        Skip(reason);
        break;
    default:
        (void)EXPECT_EQUAL(ERROR_SUCCESS, error);
        break;
    }
}

BOOL InsertInto(const SESSION *session, HANDLE file, ULONG64 owner, ULONG64 instance)
{
    return EXPECT_SUCCESS(Insert(session, HandleValue(file), owner, instance, NULL, "c", 1, NULL));
}

BOOL Finds(const SESSION *session, HANDLE file, ULONG64 owner, ULONG64 instance)
{
    const LONG status = Lookup(session, HandleValue(file), owner, instance, NULL);

    return EXPECT(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND) && status == STATUS_SUCCESS;
}

const char *SupportName(ULONG support)
{
    static const char *const names[] = {
        "yes",
        "no file system's stream",
        "a volume, not a stream",
        "no FsContext",
        "no advanced header",
        "no support for filter contexts (FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS is clear)",
        "no list of contexts, though the flag is set (its head is zero)",
    };

    return support < COUNT_OF(names) ? names[support] : "?";
}

BOOL Carries(const SESSION *session, HANDLE file)
{
    PSCTX_STREAM_REPLY reply;

    if (!HOLDS(file != INVALID_HANDLE_VALUE, "the file is opened") ||
        !EXPECT_SUCCESS(QueryStream(session, HandleValue(file), &reply))) {
        return FALSE;
    }
    if (reply.Support != PSCTX_SUPPORT_YES) {
        Note("the stream has %s", SupportName(reply.Support));
        return FALSE;
    }
    Note("header version %u", reply.HeaderVersion);
    return InsertInto(session, file, OWNER, INSTANCE) &&
           HOLDS(Finds(session, file, OWNER, INSTANCE), "what was inserted is found") &&
           EXPECT_SUCCESS(Remove(session, HandleValue(file), OWNER, INSTANCE, NULL));
}

BOOL BeginStream(STREAM *stream, const WCHAR *name)
{
    stream->File = MakeAndOpen(name);
    return stream->File != INVALID_HANDLE_VALUE && OpenSession(&stream->Session, READ_WRITE) &&
           InsertInto(&stream->Session, stream->File, OWNER, INSTANCE);
}

void ExpectUntouched(const STREAM *stream, const WCHAR *name)
{
    PSCTX_STATISTICS_REPLY statistics;
    HANDLE later;
    BOOL intact;

    intact = HOLDS(Finds(&stream->Session, stream->File, OWNER, INSTANCE),
                   "the handle that was open all the while finds the context");
    later = FilesOpen(name, GENERIC_READ);
    if (later == INVALID_HANDLE_VALUE) {
        Note("another open: error %u", GetLastError());
    }
    intact = HOLDS(later != INVALID_HANDLE_VALUE && Finds(&stream->Session, later, OWNER, INSTANCE),
                   "a later open finds the context") &&
             intact;
    CloseKept(later);
    if (EXPECT_SUCCESS(QueryStatistics(&stream->Session, &statistics))) {
        intact = HOLDS(statistics.SessionTornDown == 0, "nothing is torn down while a handle is open") && intact;
        if (!intact) {
            Note("the driver has %U of 1 contexts; %U torn down", statistics.SessionContexts,
                 statistics.SessionTornDown);
        }
    }
}

void EndStream(STREAM *stream, const WCHAR *name)
{
    CloseKept(stream->File);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

static BOOL HaveBeenTornDown(const SESSION *session, ULONG64 count)
{
    PSCTX_STATISTICS_REPLY statistics;

    return QueryStatistics(session, &statistics) == STATUS_SUCCESS && statistics.SessionTornDown >= count;
}

BOOL WaitForTeardowns(const SESSION *session, ULONG64 count, ULONG milliseconds)
{
    const ULONG start = GetTickCount();
    BOOL done = HaveBeenTornDown(session, count);

    while (!done && GetTickCount() - start < milliseconds && !IsInterrupted()) {
        Sleep(STEP_MILLISECONDS);
        done = HaveBeenTornDown(session, count);
    }
    return done;
}

/* Opens the stream once more. That may be what has the file system notice that the old structure is nobody's. */
static FATE LetGo(const SESSION *session, ULONG64 count, const WCHAR *name, ULONG start)
{
    const HANDLE file = OpenUnbuffered(name);
    BYTE list[sizeof(PSCTX_LIST_REPLY) + 4096];
    const PSCTX_LIST_REPLY *reply = (const PSCTX_LIST_REPLY *)list;
    CONTEXT_BUFFER first;
    FATE fate = FateLost;

    if (file == INVALID_HANDLE_VALUE) {
        Note("an unbuffered open: error %u", GetLastError());
    } else if (List(session, HandleValue(file), 0, list, sizeof(list)) == STATUS_SUCCESS && reply->Count != 0 &&
               Match(session, PSCTX_OPERATION_LOOKUP, HandleValue(file), OWNER, 0, PSCTX_MATCH_OWNER, &first,
                     sizeof(first)) == STATUS_SUCCESS) {
        fate = FateKept;
    }
    (void)FlushFileBuffers(file);
    CloseKept(file);
    if (WaitForTeardowns(session, count, LET_GO_MILLISECONDS)) {
        Note(fate == FateKept ? "kept: an open %u ms later found it; torn down when an unbuffered handle was closed"
                              : "late: torn down when the stream was opened again, %u ms later",
             GetTickCount() - start);
        return fate == FateKept ? FateKept : FateLate;
    }
    if (fate == FateKept) {
        Note("kept: an open %u ms later found it, and an unbuffered handle that was closed has changed nothing",
             GetTickCount() - start);
    }
    return fate;
}

FATE AwaitTeardown(const SESSION *session, ULONG64 count, const WCHAR *name)
{
    const ULONG start = GetTickCount();
    FATE fate;

    if (WaitForTeardowns(session, count, PROMPT_MILLISECONDS)) {
        Note("torn-down: within %u ms", GetTickCount() - start);
        fate = FateTornDown;
    } else if (WaitForTeardowns(session, count, PATIENCE_MILLISECONDS)) {
        Note("late: torn down %u ms after the last reference", GetTickCount() - start);
        fate = FateLate;
    } else {
        fate = name == NULL ? FateLost : LetGo(session, count, name, start);
    }
    if (!IsInterrupted() && !HOLDS(fate != FateLost, "no context is lost: each is torn down, or an open finds it")) {
        PSCTX_STATISTICS_REPLY statistics;

        (void)QueryStatistics(session, &statistics);
        Note("lost: %u ms after the last reference the driver has %U contexts that no open finds; %U torn down",
             GetTickCount() - start, statistics.SessionContexts, statistics.SessionTornDown);
    }
    return fate;
}
