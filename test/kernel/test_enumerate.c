/* ENUMERATE: every context once, page by page, whatever is inserted and removed meanwhile. */
#include "tests.h"

#define ENUMERATED 300u
#define OWNER 21u
#define PASSING_OWNER 22u
#define PASSING_INSTANCES 40u
#define PAGES 2000u
#define JOIN_MILLISECONDS 20000u

static union {
    PSCTX_ENUMERATE_REPLY Reply;
    BYTE Bytes[16384];
} Page;

static BYTE Seen[ENUMERATED];

/* The thread that inserts and removes while pages are read. */
typedef struct _CHURN {
    SESSION Session; /* that is enumerated, with an event of the thread's own */
    ULONG64 File;
    volatile LONG Stop;
    volatile LONG Rounds;
} CHURN;

static CHURN Churn;

static const ULONG64 Beginning[2] = {0, 0};

static LONG Enumerate(const SESSION *session, ULONG64 volume, const ULONG64 *cursor, ULONG pageLength)
{
    PSCTX_ENUMERATE_REQUEST request;

    memset(&request, 0, sizeof(request));
    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_ENUMERATE);
    request.VolumeHandle = volume;
    request.Cursor[0] = cursor[0];
    request.Cursor[1] = cursor[1];
    return Ask(session, &request.Header, &Page, pageLength);
}

/* Books the entries of a page. */
static void CheckPage(void)
{
    const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)(&Page.Reply + 1);

    for (ULONG index = 0; index < Page.Reply.Count; index += 1) {
        if (!EXPECT(entry->Size % 8 == 0 && entry->Size >= sizeof(*entry) + entry->NameLength)) {
            return;
        }
        (void)EXPECT_EQUAL(PSCTX_TRACKED_NO, entry->Tracked);
        if (entry->OwnerKey == OWNER && EXPECT(entry->Instance < ENUMERATED)) {
            Seen[entry->Instance] += 1;
        } else {
            (void)EXPECT_EQUAL(PASSING_OWNER, entry->OwnerKey);
        }
        entry = (const PSCTX_LIST_ENTRY *)((const BYTE *)entry + entry->Size);
    }
    (void)EXPECT_EQUAL(Page.Reply.Header.Size, (ULONG)((const BYTE *)entry - Page.Bytes));
}

/* What begins an enumeration is told when it ends. */
static BOOL IsBeginning(const ULONG64 *cursor)
{
    return cursor[0] == 0 && cursor[1] == 0;
}

/* Reads every page; returns how many, zero if it went wrong. Each of ENUMERATED must have been told once. */
static ULONG EnumerateAll(const SESSION *session, ULONG64 volume, ULONG pageLength)
{
    ULONG64 cursor[2] = {0, 0};
    ULONG pages = 0;

    memset(Seen, 0, sizeof(Seen));
    do {
        if (!EXPECT_SUCCESS(Enumerate(session, volume, cursor, pageLength)) || !EXPECT(pages < PAGES)) {
            return 0;
        }
        CheckPage();
        cursor[0] = Page.Reply.NextCursor[0];
        cursor[1] = Page.Reply.NextCursor[1];
        (void)EXPECT((Page.Reply.NextSize == 0) == IsBeginning(cursor));
        pages += 1;
    } while (!IsBeginning(cursor));
    for (ULONG index = 0; index < ENUMERATED; index += 1) {
        if (!EXPECT_EQUAL(1, Seen[index])) {
            return 0;
        }
    }
    return pages;
}

static BOOL InsertAll(const SESSION *session)
{
    HANDLE files[4];

    for (ULONG number = 0; number < Volume.SampleCount; number += 1) {
        files[number] = OpenSample(number);
    }
    for (ULONG instance = 0; instance < ENUMERATED; instance += 1) {
        const ULONG64 file = HandleValue(files[instance % Volume.SampleCount]);

        if (!EXPECT_SUCCESS(Insert(session, file, OWNER, instance, NULL, "e", 1, NULL))) {
            return FALSE;
        }
    }
    return TRUE;
}

static void TestPages(void)
{
    SESSION session;
    SESSION other;

    if (!OpenSession(&session, READ_WRITE) || !OpenSession(&other, READ_WRITE) ||
        !EXPECT_SUCCESS(Enumerate(&session, 0, Beginning, sizeof(PSCTX_ENUMERATE_REPLY)))) {
        return;
    }
    (void)EXPECT_EQUAL(0, Page.Reply.Count);
    (void)EXPECT(IsBeginning(Page.Reply.NextCursor));
    if (!InsertAll(&session)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, Enumerate(&session, 0, Beginning, sizeof(PSCTX_ENUMERATE_REPLY)));
    (void)EXPECT_EQUAL(0, Page.Reply.Count);
    (void)EXPECT(Page.Reply.NextSize > sizeof(PSCTX_LIST_ENTRY));
    (void)EXPECT(EnumerateAll(&session, 0, sizeof(Page)) > 1);
    (void)EXPECT(EnumerateAll(&session, 0, 2000) > 10);
    (void)EXPECT_SUCCESS(Enumerate(&other, 0, Beginning, sizeof(Page)));
    (void)EXPECT_EQUAL(0, Page.Reply.Count);
}

static void TestByVolume(void)
{
    const HANDLE sample = OpenSample(0);
    static const ULONG64 forged[2] = {1, 63};
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !InsertAll(&session)) {
        return;
    }
    (void)EXPECT(EnumerateAll(&session, HandleValue(sample), 4096) > 1);
    (void)EXPECT_STATUS(STATUS_INVALID_HANDLE, Enumerate(&session, 0x7FFFFFF0u, Beginning, sizeof(Page)));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST,
                        Enumerate(&session, HandleValue(session.Handle), Beginning, sizeof(Page)));
    (void)EXPECT_STATUS(STATUS_INVALID_PARAMETER, Enumerate(&session, 0, forged, sizeof(Page)));
}

static DWORD WINAPI RunChurn(void *unused)
{
    ULONG64 instance = 0;

    (void)unused;
    while (Churn.Stop == 0) {
        (void)EXPECT_SUCCESS(Insert(&Churn.Session, Churn.File, PASSING_OWNER, instance, NULL, NULL, 0, NULL));
        instance = (instance + 1) % PASSING_INSTANCES;
        if (Churn.Rounds >= (LONG)PASSING_INSTANCES - 1) {
            (void)EXPECT_SUCCESS(Remove(&Churn.Session, Churn.File, PASSING_OWNER, instance, NULL));
        }
        (void)InterlockedIncrement(&Churn.Rounds);
    }
    return 0;
}

static BOOL HasChurned(void *unused)
{
    (void)unused;
    return Churn.Rounds > 1;
}

static void TestChanging(void)
{
    SESSION session;
    HANDLE thread;

    memset(&Churn, 0, sizeof(Churn));
    if (!OpenSharedSession(&session)) {
        return;
    }
    session.Event = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    Churn.Session = session;
    Churn.Session.Event = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    Churn.File = HandleValue(OpenSample(0));
    if (!EXPECT(session.Event != NULL && Churn.Session.Event != NULL) || !InsertAll(&session)) {
        return;
    }
    thread = KeepHandle(CreateThread(NULL, 0, RunChurn, NULL, 0, NULL));
    if (!EXPECT(thread != NULL)) {
        return;
    }
    (void)EXPECT(WaitUntil(HasChurned, NULL)); /* the one processor there may be runs this thread first */
    for (ULONG round = 0; round < 5; round += 1) {
        (void)EXPECT(EnumerateAll(&session, 0, 1500) > 10);
    }
    (void)InterlockedExchange(&Churn.Stop, 1);
    if (WaitForSingleObject(thread, JOIN_MILLISECONDS) != WAIT_OBJECT_0) {
        BailOut("the thread that inserts and removes does not end");
    }
    Note("%u insertions meanwhile", (ULONG)Churn.Rounds);
}

static const TEST Tests[] = {
    {"an enumeration tells every context once, by pages of any size", TestPages, NEEDS_CONTEXTS},
    {"an enumeration is of one volume, told by a handle", TestByVolume, NEEDS_CONTEXTS},
    {"an enumeration tells every context once while others come and go", TestChanging, NEEDS_CONTEXTS},
};

const TEST_GROUP EnumerateTests = {Tests, COUNT_OF(Tests)};
