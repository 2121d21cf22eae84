/* LIST: order, pages, names. */
#include "tests.h"

#define LISTED 40u

static union {
    PSCTX_LIST_REPLY Reply;
    BYTE Bytes[16384];
} Page;

static const PSCTX_LIST_ENTRY *FirstEntry(void)
{
    return (const PSCTX_LIST_ENTRY *)(&Page.Reply + 1);
}

static const PSCTX_LIST_ENTRY *NextEntry(const PSCTX_LIST_ENTRY *entry)
{
    return (const PSCTX_LIST_ENTRY *)((const BYTE *)entry + entry->Size);
}

/* Reads the whole list by pages of this size and checks that it is all of LISTED, youngest first. */
static void CheckPages(const SESSION *session, ULONG64 file, ULONG pageLength)
{
    ULONG64 before = 0;
    ULONG expected = LISTED;

    for (ULONG page = 0; page <= LISTED && expected != 0; page += 1) {
        const PSCTX_LIST_ENTRY *entry = FirstEntry();

        if (!EXPECT_SUCCESS(List(session, file, before, &Page, pageLength)) || !EXPECT(Page.Reply.Count != 0)) {
            return;
        }
        for (ULONG index = 0; index < Page.Reply.Count && expected != 0; index += 1) {
            expected -= 1;
            (void)EXPECT_EQUAL(expected, entry->Instance);
            (void)EXPECT_EQUAL(5, entry->OwnerKey);
            (void)EXPECT_EQUAL(2, entry->DataLength);
            (void)EXPECT(entry->Size % 8 == 0 && entry->Size >= sizeof(*entry) + entry->NameLength);
            (void)EXPECT(before == 0 || entry->Sequence < before);
            before = entry->Sequence;
            entry = NextEntry(entry);
        }
        (void)EXPECT_EQUAL(Page.Reply.Header.Size, (ULONG)((const BYTE *)entry - Page.Bytes));
        (void)EXPECT_EQUAL(expected, Page.Reply.Remaining);
        (void)EXPECT(expected == 0 ? Page.Reply.NextSize == 0 : Page.Reply.NextSize >= sizeof(*entry));
    }
    (void)EXPECT_EQUAL(0, expected);
}

static void TestPages(void)
{
    const HANDLE handle = OpenSample(0);
    const ULONG64 file = HandleValue(handle);
    SESSION session;
    ULONG entrySize;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    (void)EXPECT_SUCCESS(List(&session, file, 0, &Page, sizeof(PSCTX_LIST_REPLY)));
    (void)EXPECT_EQUAL(0, Page.Reply.Count + Page.Reply.Remaining);
    for (ULONG instance = 0; instance < LISTED; instance += 1) {
        if (!EXPECT_SUCCESS(Insert(&session, file, 5, instance, NULL, "ab", 2, NULL))) {
            return;
        }
    }
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, List(&session, file, 0, &Page, sizeof(PSCTX_LIST_REPLY)));
    (void)EXPECT_EQUAL(0, Page.Reply.Count);
    entrySize = Page.Reply.NextSize;
    if (!EXPECT(entrySize >= sizeof(PSCTX_LIST_ENTRY) && entrySize < 2048)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW,
                        List(&session, file, 0, &Page, (ULONG)sizeof(PSCTX_LIST_REPLY) + entrySize - 1));
    CheckPages(&session, file, (ULONG)sizeof(PSCTX_LIST_REPLY) + entrySize);
    CheckPages(&session, file, (ULONG)sizeof(PSCTX_LIST_REPLY) + 3 * entrySize + 5);
    CheckPages(&session, file, sizeof(Page));
    (void)EXPECT_SUCCESS(List(&session, file, 1, &Page, sizeof(Page)));
    (void)EXPECT_EQUAL(0, Page.Reply.Count);
}

static void TestNames(void)
{
    const HANDLE handle = OpenSample(0);
    const PSCTX_LIST_ENTRY *entry = FirstEntry();
    SESSION session;
    WCHAR name[260];
    ULONG units;

    if (!OpenSession(&session, READ_WRITE) ||
        !EXPECT_SUCCESS(Insert(&session, HandleValue(handle), 1, 1, NULL, "abc", 3, NULL)) ||
        !EXPECT_SUCCESS(List(&session, HandleValue(handle), 0, &Page, sizeof(Page))) ||
        !EXPECT_EQUAL(1, Page.Reply.Count)) {
        return;
    }
    (void)EXPECT(entry->NameLength % sizeof(WCHAR) == 0);
    (void)EXPECT(
        IsZero((const BYTE *)(entry + 1) + entry->NameLength, entry->Size - sizeof(*entry) - entry->NameLength));
    units = entry->NameLength / (ULONG)sizeof(WCHAR);
    units = units < COUNT_OF(name) ? units : (ULONG)COUNT_OF(name) - 1;
    memcpy(name, entry + 1, units * sizeof(WCHAR));
    name[units] = 0;
    Note("the sample's name is told as %w", name);
}

static const TEST Tests[] = {
    {"a list comes youngest first, by pages of any size", TestPages, NEEDS_CONTEXTS},
    {"a listed context tells its stream's name", TestNames, NEEDS_CONTEXTS},
};

const TEST_GROUP ListTests = {Tests, COUNT_OF(Tests)};
