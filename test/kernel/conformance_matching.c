/* Which context a look-up finds: FsRtlLookupPerStreamContext's rules. */
#include "conformance.h"

#define NONE (~0ull)

/* The instance of the context that a look-up by owner finds, or NONE. */
static ULONG64 Found(const SESSION *session, HANDLE file, ULONG64 owner)
{
    CONTEXT_BUFFER buffer;
    const LONG status =
        Match(session, PSCTX_OPERATION_LOOKUP, HandleValue(file), owner, 0, PSCTX_MATCH_OWNER, &buffer, sizeof(buffer));

    (void)EXPECT(status == STATUS_SUCCESS || status == STATUS_NOT_FOUND);
    return status == STATUS_SUCCESS ? buffer.Reply.Instance : NONE;
}

/*
 * Whether the head of the stream's list, which FsRtlLookupPerStreamContext finds when it is asked for any, is this one of ours. What another
 * filter has put ahead of it tells nothing.
 */
static BOOL IsFirst(const SESSION *session, HANDLE file, ULONG64 instance)
{
    CONTEXT_BUFFER buffer;

    if (!EXPECT_SUCCESS(Match(session, PSCTX_OPERATION_LOOKUP, HandleValue(file), 0, 0, PSCTX_MATCH_FIRST, &buffer,
                              sizeof(buffer)))) {
        return FALSE;
    }
    if (buffer.Reply.Holder != PSCTX_HOLDER_SELF) {
        Note("a context of another filter is ahead of ours");
        return TRUE;
    }
    return buffer.Reply.Instance == instance;
}

static void CheckNewestFirst(void)
{
    const HANDLE file = OpenSample(0);
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !InsertInto(&session, file, 1, 11) ||
        !InsertInto(&session, file, 1, 12) || !InsertInto(&session, file, 2, 21)) {
        return;
    }
    (void)HOLDS(IsFirst(&session, file, 21), "the newest context is found first");
    for (ULONG opens = 0; opens < 2; opens += 1) {
        (void)HOLDS(IsFirst(&session, OpenSample(0), 21), "further opens leave the order as it is");
    }
    (void)HOLDS(Found(&session, file, 1) == 12, "of an owner's contexts the newest is found");
    (void)EXPECT_SUCCESS(Remove(&session, HandleValue(file), 2, 21, NULL));
    (void)HOLDS(IsFirst(&session, file, 12), "when the newest is removed, the next is found first");
    if (InsertInto(&session, file, 2, 21)) {
        (void)HOLDS(IsFirst(&session, file, 21), "what is inserted again is the newest");
    }
}

static void CheckOwner(void)
{
    const HANDLE file = OpenSample(0);
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !InsertInto(&session, file, 1, 11) ||
        !InsertInto(&session, file, 2, 21)) {
        return;
    }
    (void)HOLDS(Found(&session, file, 1) == 11, "an owner's context is found behind another's");
    (void)HOLDS(Found(&session, file, 2) == 21, "an owner's context is found ahead of another's");
    (void)HOLDS(Found(&session, file, 3) == NONE, "an owner without a context finds none");
}

static void CheckOwnerAndInstance(void)
{
    const HANDLE file = OpenSample(0);
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !InsertInto(&session, file, 1, 7) || !InsertInto(&session, file, 2, 7) ||
        !InsertInto(&session, file, 1, 8)) {
        return;
    }
    (void)HOLDS(Finds(&session, file, 1, 7) && Finds(&session, file, 2, 7) && Finds(&session, file, 1, 8),
                "each context is found by its owner and instance");
    (void)HOLDS(!Finds(&session, file, 2, 8), "another owner's instance is not found");
    (void)EXPECT_SUCCESS(Remove(&session, HandleValue(file), 1, 7, NULL));
    (void)HOLDS(!Finds(&session, file, 1, 7) && Finds(&session, file, 2, 7) && Finds(&session, file, 1, 8),
                "the one that is meant is removed, and no other");
}

static void CheckOthers(void)
{
    const HANDLE file = OpenSample(0);
    SESSION ours;
    SESSION theirs;

    if (!OpenSession(&ours, READ_WRITE) || !OpenSession(&theirs, READ_WRITE) ||
        !InsertInto(&theirs, file, OWNER, INSTANCE)) {
        return;
    }
    (void)HOLDS(!Finds(&ours, file, OWNER, INSTANCE), "another's context under the same numbers is not ours");
    (void)HOLDS(Found(&ours, file, OWNER) == NONE, "nor is it by its owner alone");
    (void)EXPECT_STATUS(STATUS_NOT_FOUND, Remove(&ours, HandleValue(file), OWNER, INSTANCE, NULL));
    if (InsertInto(&ours, file, OWNER, INSTANCE)) {
        CloseSession(&theirs);
        (void)HOLDS(Finds(&ours, file, OWNER, INSTANCE), "ours stays when another's goes");
    }
}

static const TEST Checks[] = {
    {"matching.newest-first", CheckNewestFirst, NEEDS_CONTEXTS},
    {"matching.owner", CheckOwner, NEEDS_CONTEXTS},
    {"matching.owner-and-instance", CheckOwnerAndInstance, NEEDS_CONTEXTS},
    {"matching.others", CheckOthers, NEEDS_CONTEXTS},
};

const TEST_GROUP MatchingChecks = {Checks, COUNT_OF(Checks)};
