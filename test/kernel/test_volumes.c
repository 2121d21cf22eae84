/* LIST_VOLUMES: the volume under test among the others, with its contexts counted. */
#include "tests.h"
#include "volumes.h"

#define VOLUMES 256u
#define CONTEXTS 6u

static union {
    PSCTX_VOLUMES_REPLY Reply;
    BYTE Bytes[65536];
} Page;

/* What is told of each volume, in the order of their numbers. */
typedef struct _KNOWN_VOLUMES {
    PSCTX_VOLUME_ENTRY Entries[VOLUMES];
    ULONG Count;
} KNOWN_VOLUMES;

static KNOWN_VOLUMES Before;
static KNOWN_VOLUMES After;
static KNOWN_VOLUMES OneByOne;

static BOOL IsEntryWhole(const PSCTX_VOLUME_ENTRY *entry)
{
    const ULONG named = (ULONG)sizeof(*entry) + entry->DeviceNameLength + entry->FileSystemLength;

    return entry->Size >= named && entry->Size < named + 8 && entry->Size % 8 == 0 && entry->Reserved == 0 &&
           entry->TearsDown <= 1 && entry->Attachment <= PSCTX_ATTACHMENT_FAILED &&
           IsZero((const BYTE *)entry + named, entry->Size - named);
}

/* Takes the entries of a page; FALSE if it is not as it should be. */
static BOOL TakePage(KNOWN_VOLUMES *volumes)
{
    const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)(&Page.Reply + 1);

    for (ULONG index = 0; index < Page.Reply.Count; index += 1) {
        if (!EXPECT(IsEntryWhole(entry)) || !EXPECT(volumes->Count < VOLUMES) ||
            !EXPECT(volumes->Count == 0 || entry->Number > volumes->Entries[volumes->Count - 1].Number)) {
            return FALSE;
        }
        volumes->Entries[volumes->Count] = *entry;
        volumes->Count += 1;
        entry = (const PSCTX_VOLUME_ENTRY *)((const BYTE *)entry + entry->Size);
    }
    return EXPECT_EQUAL(Page.Reply.Header.Size, (ULONG)((const BYTE *)entry - Page.Bytes)) &&
           EXPECT_EQUAL(0, Page.Reply.Reserved) && EXPECT((Page.Reply.Remaining != 0) == (Page.Reply.NextSize != 0));
}

static BOOL ReadVolumes(const SESSION *session, KNOWN_VOLUMES *volumes)
{
    volumes->Count = 0;
    do {
        const ULONG64 after = volumes->Count == 0 ? 0 : volumes->Entries[volumes->Count - 1].Number;

        if (!EXPECT_SUCCESS(ListVolumes(session, after, &Page, sizeof(Page))) || !TakePage(volumes)) {
            return FALSE;
        }
    } while (Page.Reply.Remaining != 0 && EXPECT(Page.Reply.Count != 0));
    return Page.Reply.Remaining == 0;
}

/* The same with room for the next entry alone. */
static BOOL ReadVolumesOneByOne(const SESSION *session, KNOWN_VOLUMES *volumes)
{
    ULONG64 after = 0;
    LONG status;

    volumes->Count = 0;
    while ((status = ListVolumes(session, after, &Page, sizeof(PSCTX_VOLUMES_REPLY))) == STATUS_BUFFER_OVERFLOW) {
        if (!EXPECT_EQUAL(0, Page.Reply.Count) || !EXPECT(Page.Reply.NextSize > sizeof(PSCTX_VOLUME_ENTRY)) ||
            !EXPECT_SUCCESS(
                ListVolumes(session, after, &Page, (ULONG)sizeof(PSCTX_VOLUMES_REPLY) + Page.Reply.NextSize)) ||
            !EXPECT_EQUAL(1, Page.Reply.Count) || !TakePage(volumes)) {
            return FALSE;
        }
        after = volumes->Entries[volumes->Count - 1].Number;
    }
    return EXPECT_SUCCESS(status);
}

static void TestPages(void)
{
    PSCTX_STATISTICS_REPLY statistics;
    ULONG64 attached = 0;
    SESSION session;

    if (!OpenSession(&session, READ_ONLY) || !ReadVolumes(&session, &Before) ||
        !ReadVolumesOneByOne(&session, &OneByOne) || !EXPECT_SUCCESS(QueryStatistics(&session, &statistics))) {
        return;
    }
    (void)EXPECT_EQUAL(Before.Count, OneByOne.Count);
    for (ULONG index = 0; index < Before.Count; index += 1) {
        attached += Before.Entries[index].Attachment == PSCTX_ATTACHMENT_YES ? 1 : 0;
        (void)EXPECT_EQUAL(Before.Entries[index].Number, OneByOne.Entries[index].Number);
    }
    (void)EXPECT_EQUAL(statistics.AttachedVolumes, attached);
    (void)EXPECT_SUCCESS(ListVolumes(&session, ~0ull, &Page, sizeof(PSCTX_VOLUMES_REPLY)));
    (void)EXPECT_EQUAL(0, Page.Reply.Count);
}

static const PSCTX_VOLUME_ENTRY *FindNumber(const KNOWN_VOLUMES *volumes, ULONG64 number)
{
    for (ULONG index = 0; index < volumes->Count; index += 1) {
        if (volumes->Entries[index].Number == number) {
            return &volumes->Entries[index];
        }
    }
    return NULL;
}

/* The volume that is now known to have more contexts, by so many; NULL if there is none. No other may have gained any. */
static const PSCTX_VOLUME_ENTRY *FindGrown(ULONG64 contexts)
{
    const PSCTX_VOLUME_ENTRY *grown = NULL;

    for (ULONG index = 0; index < After.Count; index += 1) {
        const PSCTX_VOLUME_ENTRY *entry = &After.Entries[index];
        const PSCTX_VOLUME_ENTRY *before = FindNumber(&Before, entry->Number);
        const ULONG64 had = before != NULL ? before->Contexts : 0;

        if (entry->Contexts != had && EXPECT(grown == NULL)) {
            (void)EXPECT_EQUAL(had + contexts, entry->Contexts);
            (void)EXPECT(entry->Bytes > (before != NULL ? before->Bytes : 0));
            grown = entry;
        }
    }
    return grown;
}

static void TestContexts(void)
{
    const ULONG64 file = HandleValue(OpenSample(0));
    const PSCTX_VOLUME_ENTRY *volume;
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_STREAM_REPLY stream;
    SESSION session;
    SESSION other;

    if (!OpenSession(&session, READ_WRITE) || !OpenSession(&other, READ_WRITE) || !ReadVolumes(&session, &Before) ||
        !EXPECT_SUCCESS(QueryStatistics(&session, &statistics)) ||
        !EXPECT_SUCCESS(QueryStream(&session, file, &stream))) {
        return;
    }
    for (ULONG instance = 0; instance < CONTEXTS; instance += 1) {
        (void)EXPECT_SUCCESS(Insert(instance % 2 == 0 ? &session : &other, file, 1, instance, NULL, "volume", 6, NULL));
    }
    if (!ReadVolumes(&session, &After)) {
        return;
    }
    volume = FindGrown(CONTEXTS);
    if (volume == NULL &&
        (statistics.AttachedVolumes == 0 || Volume.Remote || stream.DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM)) {
        Skip("the filter is not attached to this volume");
        return;
    }
    if (!EXPECT(volume != NULL)) {
        return;
    }
    (void)EXPECT_EQUAL(stream.DeviceType, volume->DeviceType);
    (void)EXPECT((volume->Attachment == PSCTX_ATTACHMENT_FAILED) == ((LONG)volume->Status < 0));
    if (volume->Attachment != PSCTX_ATTACHMENT_YES) {
        Note("attachment %u, status %x %s", volume->Attachment, volume->Status, StatusName(volume->Status));
        Skip("the filter leaves this volume alone");
        return;
    }
    (void)EXPECT(volume->DeviceNameLength != 0 && volume->FileSystemLength != 0);
    CloseSession(&other);
    if (ReadVolumes(&session, &After)) {
        (void)EXPECT(FindGrown(CONTEXTS / 2) != NULL);
    }
}

/* Whether a volume with this storage device is on the page: attached to, a snapshot, or with the reason why not. */
static BOOL IsOnPage(const WCHAR *device)
{
    const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)(&Page.Reply + 1);
    const ULONG length = (ULONG)(WideLength(device) * sizeof(WCHAR));

    for (ULONG index = 0; index < Page.Reply.Count; index += 1) {
        if (entry->DeviceNameLength == length && memcmp(entry + 1, device, length) == 0) {
            (void)EXPECT(entry->Attachment != PSCTX_ATTACHMENT_FAILED || (LONG)entry->Status < 0);
            if (entry->Attachment != PSCTX_ATTACHMENT_YES) {
                Note("%w: attachment %u, status %x %s", device, entry->Attachment, entry->Status,
                     StatusName(entry->Status));
            }
            return TRUE;
        }
        entry = (const PSCTX_VOLUME_ENTRY *)((const BYTE *)entry + entry->Size);
    }
    return FALSE;
}

/* Fixed disks with a file system, and no other name for a directory. The root is opened, which is how a device may be found. */
static BOOL FindDisk(WCHAR letter, WCHAR *device)
{
    static const WCHAR disks[] = L"\\Device\\";
    WCHAR drive[] = L"?:";
    WCHAR root[] = L"?:\\";
    DWORD flags;

    drive[0] = letter;
    root[0] = letter;
    return GetDriveTypeW(root) == DRIVE_FIXED && QueryDosDeviceW(drive, device, PATH_CAPACITY) != 0 &&
           memcmp(device, disks, sizeof(disks) - sizeof(WCHAR)) == 0 &&
           GetVolumeInformationW(root, NULL, 0, NULL, NULL, &flags, NULL, 0);
}

static void TestDisks(void)
{
    static WCHAR device[PATH_CAPACITY];
    PSCTX_STATISTICS_REPLY statistics;
    SESSION session;
    ULONG disks = 0;

    if (!OpenSession(&session, READ_ONLY) || !EXPECT_SUCCESS(QueryStatistics(&session, &statistics))) {
        return;
    }
    if (IsWine()) {
        Skip("Wine's disks have no file system in its kernel");
        return;
    }
    if (statistics.AttachedVolumes == 0) {
        Skip("the filter is attached to no volume: legacy filters may be blocked here");
        return;
    }
    for (WCHAR letter = L'C'; letter <= L'Z'; letter += 1) {
        if (FindDisk(letter, device) && EXPECT_SUCCESS(ListVolumes(&session, 0, &Page, sizeof(Page)))) {
            disks += 1;
            if (!EXPECT(IsOnPage(device))) {
                Note("%w is not listed", device);
            }
        }
    }
    if (disks == 0) {
        Skip("no disk has a letter");
    }
}

static const TEST Tests[] = {
    {"volumes are listed by pages of any size, and as many as are attached to", TestPages, 0},
    {"every disk's volume is listed by its device's name, attached or with the reason why not", TestDisks, NEEDS_WIN32},
    {"the volume in use is listed, attached, with its contexts", TestContexts, NEEDS_CONTEXTS},
};

const TEST_GROUP VolumeTests = {Tests, COUNT_OF(Tests)};
