/* INSPECT: every context on a stream's list, whoever's it is, and no address of the kernel. */
#include "tests.h"

#define LISTED 64u
#define OWNER 31u
#define LOWEST_KERNEL_ADDRESS 0xFFFF800000000000ull /* of a 64-bit kernel */
#define LARGEST_OFFSET 0x10000000ull                /* no image is longer */

static union {
    PSCTX_INSPECT_REPLY Reply;
    BYTE Bytes[65536];
} Inspected;

/* Where each entry is, in the order of the list. */
static const PSCTX_INSPECT_ENTRY *Entries[LISTED];
static ULONG EntryCount;

static LONG Inspect(const SESSION *session, ULONG64 file, ULONG replyLength)
{
    PSCTX_STREAM_REQUEST request;

    SetHeader(&request.Header, sizeof(request), PSCTX_OPERATION_INSPECT);
    request.Handle = file;
    return Ask(session, &request.Header, &Inspected, replyLength);
}

/* Tokens are scrambled, and may be anything; nothing else of eight bytes may look like an address. */
static BOOL HasNoAddress(const PSCTX_INSPECT_ENTRY *entry)
{
    const ULONG64 *words = (const ULONG64 *)entry;

    for (size_t index = 0; index < entry->Size / sizeof(*words); index += 1) {
        if (index != offsetof(PSCTX_INSPECT_ENTRY, OwnerToken) / sizeof(*words) &&
            index != offsetof(PSCTX_INSPECT_ENTRY, InstanceToken) / sizeof(*words) &&
            words[index] >= LOWEST_KERNEL_ADDRESS) {
            return FALSE;
        }
    }
    return entry->CallbackOffset < LARGEST_OFFSET;
}

static BOOL IsEntryWhole(const PSCTX_INSPECT_ENTRY *entry)
{
    const ULONG named = (ULONG)sizeof(*entry) + entry->ModuleLength + entry->OwnerNameLength;

    return entry->Size >= named && entry->Size < named + 8 && entry->Size % 8 == 0 &&
           IsZero((const BYTE *)entry + named, entry->Size - named) && entry->Holder <= PSCTX_HOLDER_OTHER_FILTER &&
           entry->OwnerKind <= PSCTX_OWNER_DRIVER && (entry->ModuleLength != 0 || entry->CallbackOffset == 0);
}

/* Finds the entries of the reply; FALSE if one is not as any has to be. */
static BOOL FindEntries(void)
{
    const BYTE *next = (const BYTE *)(&Inspected.Reply + 1);

    EntryCount = 0;
    if (!EXPECT(Inspected.Reply.Count <= LISTED)) {
        return FALSE;
    }
    while (EntryCount < Inspected.Reply.Count) {
        const PSCTX_INSPECT_ENTRY *entry = (const PSCTX_INSPECT_ENTRY *)next;

        if (!EXPECT(IsEntryWhole(entry)) || !EXPECT(HasNoAddress(entry))) {
            return FALSE;
        }
        if (entry->Holder != PSCTX_HOLDER_SELF &&
            !EXPECT(entry->OwnerKey == 0 && entry->Instance == 0 && entry->Sequence == 0 && entry->DataLength == 0)) {
            return FALSE;
        }
        Entries[EntryCount] = entry;
        EntryCount += 1;
        next += entry->Size;
    }
    return EXPECT_EQUAL(Inspected.Reply.Header.Size, (ULONG)(next - Inspected.Bytes)) &&
           EXPECT_EQUAL(0, Inspected.Reply.Remaining);
}

/* Whether the stream's list can be told at all; if not, the test is skipped. */
static BOOL CanInspect(const SESSION *session, ULONG64 file)
{
    const LONG status = Inspect(session, file, sizeof(Inspected));

    if (status == STATUS_NOT_SUPPORTED) {
        Skip("how lists are locked is not known here");
        return FALSE;
    }
    return EXPECT_SUCCESS(status) && FindEntries();
}

/* The number-th entry with this holder, in the order of the list; NULL if there are fewer. */
static const PSCTX_INSPECT_ENTRY *FindHolder(ULONG holder, ULONG number)
{
    for (ULONG index = 0; index < EntryCount; index += 1) {
        if (Entries[index]->Holder == holder) {
            if (number == 0) {
                return Entries[index];
            }
            number -= 1;
        }
    }
    return NULL;
}

static void NoteModule(const PSCTX_INSPECT_ENTRY *entry)
{
    WCHAR name[64];
    ULONG units = entry->ModuleLength / (ULONG)sizeof(WCHAR);

    units = units < COUNT_OF(name) ? units : (ULONG)COUNT_OF(name) - 1;
    memcpy(name, entry + 1, units * sizeof(WCHAR));
    name[units] = 0;
    Note("our callback is told as %w + %X", name, entry->CallbackOffset);
}

/* Two of ours, one of another session under the same key; the youngest is first. */
static void TestHolders(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    const PSCTX_INSPECT_ENTRY *first;
    const PSCTX_INSPECT_ENTRY *second;
    const PSCTX_INSPECT_ENTRY *other;
    PSCTX_INSERT_REPLY inserted[2];
    SESSION mine;
    SESSION yours;

    if (!OpenSession(&mine, READ_WRITE) || !OpenSession(&yours, READ_WRITE) ||
        !EXPECT_SUCCESS(Insert(&mine, file, OWNER, 1, NULL, "one", 3, &inserted[0])) ||
        !EXPECT_SUCCESS(Insert(&yours, file, OWNER, 1, NULL, "hidden", 6, NULL)) ||
        !EXPECT_SUCCESS(Insert(&mine, file, OWNER, 2, NULL, "three", 5, &inserted[1])) || !CanInspect(&mine, file)) {
        return;
    }
    first = FindHolder(PSCTX_HOLDER_SELF, 0);
    second = FindHolder(PSCTX_HOLDER_SELF, 1);
    other = FindHolder(PSCTX_HOLDER_OTHER_SESSION, 0);
    if (!EXPECT(first != NULL && second != NULL && other != NULL)) {
        return;
    }
    (void)EXPECT(FindHolder(PSCTX_HOLDER_SELF, 2) == NULL);
    (void)EXPECT(first < other && other < second);
    (void)EXPECT_EQUAL(OWNER, first->OwnerKey);
    (void)EXPECT_EQUAL(2, first->Instance);
    (void)EXPECT_EQUAL(inserted[1].Sequence, first->Sequence);
    (void)EXPECT_EQUAL(5, first->DataLength);
    (void)EXPECT_EQUAL(1, second->Instance);
    (void)EXPECT_EQUAL(inserted[0].Sequence, second->Sequence);
    (void)EXPECT_EQUAL(3, second->DataLength);
    (void)EXPECT_EQUAL(PSCTX_OWNER_UNKNOWN, first->OwnerKind);
    (void)EXPECT_EQUAL(first->CallbackOffset, second->CallbackOffset);
    (void)EXPECT_EQUAL(first->CallbackOffset, other->CallbackOffset);
    (void)EXPECT_EQUAL(first->ModuleLength, other->ModuleLength);
    (void)EXPECT(first->ModuleLength != 0 || IsWine());
    NoteModule(first);
}

/* A raw address has all of its upper bits clear, or set: chance makes five scrambled ones so once in 2 to the 80. */
static BOOL IsScrambled(ULONG64 token)
{
    return token > 0xFFFFFFFFull && token < LOWEST_KERNEL_ADDRESS;
}

static void TestTokens(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    const ULONG64 secondFile = HandleValue(OpenSample(1));
    const PSCTX_INSPECT_ENTRY *first;
    const PSCTX_INSPECT_ENTRY *second;
    const PSCTX_INSPECT_ENTRY *other;
    ULONG64 owner;
    ULONG64 instance;
    SESSION mine;
    SESSION yours;

    if (!OpenSession(&mine, READ_WRITE) || !OpenSession(&yours, READ_WRITE) ||
        !EXPECT_SUCCESS(Insert(&mine, file, OWNER, 1, NULL, NULL, 0, NULL)) ||
        !EXPECT_SUCCESS(Insert(&yours, file, OWNER, 1, NULL, NULL, 0, NULL)) ||
        !EXPECT_SUCCESS(Insert(&mine, file, OWNER, 2, NULL, NULL, 0, NULL)) ||
        !EXPECT_SUCCESS(Insert(&mine, secondFile, OWNER, 2, NULL, NULL, 0, NULL)) || !CanInspect(&mine, file)) {
        return;
    }
    first = FindHolder(PSCTX_HOLDER_SELF, 0);
    second = FindHolder(PSCTX_HOLDER_SELF, 1);
    other = FindHolder(PSCTX_HOLDER_OTHER_SESSION, 0);
    if (!EXPECT(first != NULL && second != NULL && other != NULL)) {
        return;
    }
    owner = first->OwnerToken;
    instance = first->InstanceToken;
    (void)EXPECT_EQUAL(owner, second->OwnerToken);
    (void)EXPECT(owner != 0 && other->OwnerToken != 0 && owner != other->OwnerToken);
    (void)EXPECT(instance != 0 && instance != second->InstanceToken);
    (void)EXPECT(second->InstanceToken != other->InstanceToken);
    (void)EXPECT(IsScrambled(owner) || IsScrambled(instance) || IsScrambled(second->InstanceToken) ||
                 IsScrambled(other->OwnerToken) || IsScrambled(other->InstanceToken));
    if (EXPECT(CanInspect(&mine, secondFile))) {
        first = FindHolder(PSCTX_HOLDER_SELF, 0);
        (void)EXPECT(first != NULL && first->OwnerToken == owner && first->InstanceToken == instance);
    }
}

static void TestRoom(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    SESSION session;
    ULONG length;

    if (!OpenSession(&session, READ_WRITE) || !EXPECT_SUCCESS(Insert(&session, file, OWNER, 1, NULL, NULL, 0, NULL)) ||
        !EXPECT_SUCCESS(Insert(&session, file, OWNER, 2, NULL, NULL, 0, NULL)) || !CanInspect(&session, file)) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, Inspect(&session, file, sizeof(PSCTX_INSPECT_REPLY)));
    (void)EXPECT_EQUAL(0, Inspected.Reply.Count);
    length = Inspected.Reply.Remaining;
    if (!EXPECT(length >= sizeof(PSCTX_INSPECT_REPLY) + 2 * sizeof(PSCTX_INSPECT_ENTRY) &&
                length <= sizeof(Inspected))) {
        return;
    }
    (void)EXPECT_STATUS(STATUS_BUFFER_OVERFLOW, Inspect(&session, file, length - 1));
    (void)EXPECT_EQUAL(length, Inspected.Reply.Remaining);
    (void)EXPECT_SUCCESS(Inspect(&session, file, length));
    (void)EXPECT(FindEntries());
    (void)EXPECT_STATUS(STATUS_INVALID_HANDLE, Inspect(&session, 0x7FFFFFF0u, sizeof(Inspected)));
    (void)EXPECT_STATUS(STATUS_INVALID_DEVICE_REQUEST,
                        Inspect(&session, HandleValue(session.Handle), sizeof(Inspected)));
}

static const TEST Tests[] = {
    {"an inspection tells ours whole, and others' as such, in the list's order", TestHolders, NEEDS_CONTEXTS},
    {"an inspection's tokens tell owners and instances apart, and no address", TestTokens, NEEDS_CONTEXTS | NEEDS_TWO},
    {"an inspection that does not fit says how much would", TestRoom, NEEDS_CONTEXTS},
};

const TEST_GROUP InspectTests = {Tests, COUNT_OF(Tests)};
