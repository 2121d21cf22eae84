/*
 * Checks of a file system, by the stable ids that the package's conformance suite has: one subject a file, each a group of tests.
 *
 * A check passes, fails (HOLDS), is not supported (Skip, whose reason is the volume's), or informs (Inform). What it saw is noted.
 */
#ifndef SELFTEST_CONFORMANCE_H
#define SELFTEST_CONFORMANCE_H

#include "device.h"
#include "files.h"
#include "interrupt.h"
#include "tests.h"

#define OWNER 1u
#define INSTANCE 1u

/* TRUE if it holds; if not, the check has failed, and What is told as that which does not. */
#define HOLDS(Condition, What) Check(__FILE__, __LINE__, What, ValueIsTruth, TRUE, !!(Condition))

extern const TEST_GROUP SupportChecks;
extern const TEST_GROUP IdentityChecks;
extern const TEST_GROUP MatchingChecks;
extern const TEST_GROUP SurvivalChecks;
extern const TEST_GROUP TeardownChecks;
extern const TEST_GROUP LoadChecks;
extern const TEST_GROUP DismountChecks;

/* What the running check tells is neither good nor bad. */
void Inform(void);
/* Notes "verdict: ID pass|fail|not-supported|information" of the running check; one that was interrupted has none. */
void NoteVerdict(const char *id);

/* Marks the running check as not supported if that is what the Win32 error says, else as failed. */
void Refused(DWORD error, const char *reason);

/* A stream with a context of OWNER and INSTANCE, and the handle that it was inserted through. */
typedef struct _STREAM {
    SESSION Session;
    HANDLE File;
} STREAM;

/* Opens the session. The running check has failed, or is not supported, if it is FALSE: so below. */
BOOL BeginStream(STREAM *stream, const WCHAR *name);
/* The context is still there: for the handle, for an open of name, and nothing was torn down. */
void ExpectUntouched(const STREAM *stream, const WCHAR *name);
/* Closes the handle and deletes the file. */
void EndStream(STREAM *stream, const WCHAR *name);

BOOL InsertInto(const SESSION *session, HANDLE file, ULONG64 owner, ULONG64 instance);
BOOL Finds(const SESSION *session, HANDLE file, ULONG64 owner, ULONG64 instance);
/* Whether the stream says that it carries contexts, and carries one. Notes why it does not. */
BOOL Carries(const SESSION *session, HANDLE file);
const char *SupportName(ULONG support);

/* What became of contexts when the last reference to their stream went. */
typedef enum _FATE {
    FateTornDown,
    FateLate, /* torn down, but not at once */
    FateKept, /* opening the stream again finds them: the file system keeps it */
    FateLost  /* the driver has them, and no open finds them: the file system has lost them */
} FATE;

/*
 * Waits until the session has had as many contexts torn down; then has the file system let go of the stream as far as documentation says
 * how: an unbuffered handle, a flush. Name is that of the stream, or NULL where nothing can open it any more. Notes what it saw, with
 * times. The running check has failed with FateLost.
 */
FATE AwaitTeardown(const SESSION *session, ULONG64 count, const WCHAR *name);
/* The same without the means, and without a note. */
BOOL WaitForTeardowns(const SESSION *session, ULONG64 count, ULONG milliseconds);

#endif
