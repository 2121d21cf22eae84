/*
 * Enumeration of a session's contexts, and of the volumes.
 */
#include "core_enumerate.h"
#include "core_tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORE_STREAMS 150u
#define CORE_OF_VOLUME_N 30u

/* The streams of a volume, files\0, files\1 and so on, all open. */
typedef struct _CORE_STREAMS_OPEN {
    HANDLE Handles[CORE_STREAMS];
} CORE_STREAMS_OPEN;

static HANDLE CoreOpenNumbered(_In_ WCHAR Letter, _In_ ULONG Number)
{
    WCHAR path[] = L"\\??\\M:\\files-000";

    path[4] = Letter;
    path[13] = (WCHAR)(L'0' + Number / 100);
    path[14] = (WCHAR)(L'0' + Number / 10 % 10);
    path[15] = (WCHAR)(L'0' + Number % 10);
    return CoreOpenFile(path);
}

/*
 * Inserts a context of owner 1 with the stream's number as its instance on each.
 */
static VOID CoreInsertEverywhere(_In_ const CORE *Core, _In_ WCHAR Letter, _In_ ULONG Count,
                                 _Out_ CORE_STREAMS_OPEN *Streams)
{
    CORE_INSERTION insertion = {.Owner = 1, .Data = "data", .DataLength = 4};
    ULONG number;

    for (number = 0; number < Count; number += 1) {
        Streams->Handles[number] = CoreOpenNumbered(Letter, number);
        insertion.Stream = Streams->Handles[number];
        insertion.Instance = number;
        CHECK_STATUS(CoreInsert(Core->Control, &insertion, NULL), STATUS_SUCCESS);
    }
}

VOID CoreEveryContextIsEnumeratedOnce(VOID)
{
    static const ULONG lengths[] = {192, 300, 1000, 4096, 65536, PSCTX_MAXIMUM_TRANSFER};
    CORE_ENUMERATION enumeration = {0};
    const PSCTX_LIST_ENTRY *entry;
    CORE_STREAMS_OPEN streams;
    UCHAR seen[CORE_STREAMS];
    CORE_INSERTION other;
    HANDLE second;
    ULONG index;
    CORE core;

    CoreStart(&core);
    enumeration.Output = malloc(PSCTX_MAXIMUM_TRANSFER);
    enumeration.OutputLength = 64;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
    CHECK(CoreIsEnumerated(&enumeration) && CoreNextEntry(&enumeration, NULL) == NULL);

    CoreInsertEverywhere(&core, L'M', CORE_STREAMS, &streams);
    second = CoreOpenSession(CORE_READ_WRITE);
    other = (CORE_INSERTION){.Stream = streams.Handles[7], .Owner = 1};
    CHECK_STATUS(CoreInsert(second, &other, NULL), STATUS_SUCCESS);
    for (index = 0; index < RTL_NUMBER_OF(lengths); index += 1) {
        memset(seen, 0, sizeof(seen));
        enumeration.OutputLength = lengths[index];
        enumeration.Ended = FALSE;
        while (!CoreIsEnumerated(&enumeration)) {
            CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
            for (entry = CoreNextEntry(&enumeration, NULL); entry != NULL; entry = CoreNextEntry(&enumeration, entry)) {
                CHECK(entry->Instance < CORE_STREAMS);
                seen[entry->Instance] += 1;
                CHECK_EQUAL(entry->OwnerKey, 1);
                CHECK_EQUAL(entry->DataLength, 4);
                CHECK_EQUAL(entry->Tracked, PSCTX_TRACKED_NO);
                CHECK_EQUAL(((const WCHAR *)(entry + 1))[entry->NameLength / sizeof(WCHAR) - 1],
                            L'0' + entry->Instance % 10);
            }
        }
        CHECK(memchr(seen, 0, sizeof(seen)) == NULL && memchr(seen, 2, sizeof(seen)) == NULL);
    }
    free(enumeration.Output);
    CoreStop(&core);
}

/*
 * How many contexts an enumeration of one volume tells.
 */
static ULONG CoreCountOnVolume(_In_ HANDLE Control, _In_ HANDLE Volume)
{
    static UCHAR output[4096];
    CORE_ENUMERATION enumeration = {.Volume = Volume, .Output = output, .OutputLength = sizeof(output)};
    ULONG count = 0;

    while (!CoreIsEnumerated(&enumeration)) {
        CHECK_STATUS(CoreNextPage(Control, &enumeration), STATUS_SUCCESS);
        count += ((const PSCTX_ENUMERATE_REPLY *)output)->Count;
    }
    return count;
}

VOID CoreOneVolumeIsEnumerated(VOID)
{
    CORE_STREAMS_OPEN streams;
    HANDLE volume;
    HANDLE file;
    CORE core;

    CoreStart(&core);
    HostLeaveProcess();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    HostEnterProcess(core.Process);
    CoreInsertEverywhere(&core, L'M', CORE_STREAMS, &streams);
    file = streams.Handles[0];
    CoreInsertEverywhere(&core, L'N', CORE_OF_VOLUME_N, &streams);
    CHECK_EQUAL(CoreCountOnVolume(core.Control, NULL), CORE_STREAMS + CORE_OF_VOLUME_N);
    CHECK_EQUAL(CoreCountOnVolume(core.Control, file), CORE_STREAMS);
    CHECK_EQUAL(CoreCountOnVolume(core.Control, streams.Handles[3]), CORE_OF_VOLUME_N);

    /* Any open of the volume will do: a directory, and the volume itself. */
    CHECK_STATUS(
        CoreOpen(L"\\??\\N:\\", NULL, FILE_READ_ATTRIBUTES | SYNCHRONIZE, FILE_OPEN, FILE_DIRECTORY_FILE, &file),
        STATUS_SUCCESS);
    CHECK_EQUAL(CoreCountOnVolume(core.Control, file), CORE_OF_VOLUME_N);
    CHECK_STATUS(CoreOpen(L"\\??\\N:", NULL, CORE_READ, FILE_OPEN, 0, &volume), STATUS_SUCCESS);
    CHECK_EQUAL(CoreCountOnVolume(core.Control, volume), CORE_OF_VOLUME_N);
    CoreStop(&core);
}

VOID CoreForgedCursorsAreRefused(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[512];
    CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = sizeof(output)};
    CORE_STREAMS_OPEN streams;
    CORE_ENUMERATION forged;
    ULONG64 told[2];
    HANDLE second;
    ULONG bit;
    CORE core;

    CoreStart(&core);
    CoreInsertEverywhere(&core, L'M', 10, &streams);
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
    CHECK(!CoreIsEnumerated(&enumeration));
    told[0] = enumeration.Cursor[0];
    told[1] = enumeration.Cursor[1];

    for (bit = 0; bit < 128; bit += 1) {
        forged = enumeration;
        forged.Cursor[bit / 64] ^= 1ull << bit % 64;
        CHECK_STATUS(CoreNextPage(core.Control, &forged), STATUS_INVALID_PARAMETER);
    }
    for (bit = 0; bit < 64; bit += 1) { /* what a cursor was, in the clear */
        forged.Cursor[0] = 0;
        forged.Cursor[1] = 1ull << bit;
        CHECK_STATUS(CoreNextPage(core.Control, &forged), STATUS_INVALID_PARAMETER);
        forged.Cursor[0] = bit + 1;
        forged.Cursor[1] = 0;
        CHECK_STATUS(CoreNextPage(core.Control, &forged), STATUS_INVALID_PARAMETER);
    }

    /* It is told to one session, and holds there as often as it is used. */
    second = CoreOpenSession(CORE_READ_WRITE);
    forged = enumeration;
    CHECK_STATUS(CoreNextPage(second, &forged), STATUS_INVALID_PARAMETER);
    forged = enumeration;
    CHECK_STATUS(CoreNextPage(core.Control, &forged), STATUS_SUCCESS);
    forged.Cursor[0] = told[0];
    forged.Cursor[1] = told[1];
    CHECK_STATUS(CoreNextPage(core.Control, &forged), STATUS_SUCCESS);
    CoreStop(&core);
}

VOID CoreCursorsTellNothingOfTheOrder(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[240];
    CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = sizeof(output)};
    CORE_STREAMS_OPEN streams;
    ULONG64 last[2] = {0};
    ULONG changed[2] = {0};
    ULONG rises = 0;
    ULONG pages = 0;
    ULONG word;
    ULONG bit;
    CORE core;

    CoreStart(&core);
    CoreInsertEverywhere(&core, L'M', CORE_STREAMS, &streams);
    for (;;) {
        CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
        if (CoreIsEnumerated(&enumeration)) {
            break;
        }
        for (word = 0; word < 2; word += 1) {
            for (bit = 0; bit < 64; bit += 1) {
                changed[word] += (ULONG)((enumeration.Cursor[word] ^ last[word]) >> bit) & 1u;
            }
        }
        rises += enumeration.Cursor[1] > last[1];
        last[0] = enumeration.Cursor[0];
        last[1] = enumeration.Cursor[1];
        pages += 1;
    }

    /* From one to the next half of the bits change, and it is the larger half of the time; by chance, so within wide bounds. */
    CHECK(pages > 100);
    for (word = 0; word < 2; word += 1) {
        CHECK(changed[word] > pages * 28 && changed[word] < pages * 36);
    }
    CHECK(rises > pages / 4 && rises < pages - pages / 4);
    CoreStop(&core);
}

VOID CoreEnumerationsOfNoVolumeAreRefused(VOID)
{
    UCHAR output[512];
    CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = sizeof(output)};
    HANDLE handle;
    CORE core;

    CoreStart(&core);
    enumeration.Volume = (HANDLE)(ULONG_PTR)0x7770;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_INVALID_HANDLE);
    enumeration.Volume = core.Control;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(CoreOpen(L"\\??\\PIPE\\enumerated", NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &handle), STATUS_SUCCESS);
    enumeration.Volume = handle;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(NtCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    enumeration.Volume = handle;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_OBJECT_TYPE_MISMATCH);
    CoreStop(&core);
}

VOID CoreEntriesThatDoNotFitAreAnOverflow(VOID)
{
    UCHAR output[512];
    CORE_ENUMERATION enumeration = {.Output = output};
    const PSCTX_ENUMERATE_REPLY *reply = (const PSCTX_ENUMERATE_REPLY *)output;
    CORE_STREAMS_OPEN streams;
    ULONG size;
    CORE core;

    CoreStart(&core);
    CoreInsertEverywhere(&core, L'M', 2, &streams);
    enumeration.OutputLength = sizeof(*reply);
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_BUFFER_OVERFLOW);
    size = reply->NextSize;
    enumeration.OutputLength = (ULONG)sizeof(*reply) + size - 1;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_BUFFER_OVERFLOW);
    CHECK_EQUAL(reply->NextSize, size);
    enumeration.OutputLength = (ULONG)sizeof(*reply) + size;
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    CHECK_EQUAL(reply->NextSize, size);
    CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    CHECK(CoreIsEnumerated(&enumeration));
    CoreStop(&core);
}

VOID CoreStreamsThatGoDuringAnEnumerationAreNotMissed(VOID)
{
    UCHAR output[300];
    CORE_ENUMERATION enumeration = {.Output = output, .OutputLength = sizeof(output)};
    CORE_INSERTION insertion = {.Owner = 2};
    const PSCTX_LIST_ENTRY *entry;
    UCHAR seen[CORE_STREAMS] = {0};
    CORE_STREAMS_OPEN streams;
    ULONG next = 0;
    ULONG number;
    CORE core;

    /* Of three streams one is closed when the enumeration has begun, and one gets another context. */
    CoreStart(&core);
    CoreInsertEverywhere(&core, L'M', CORE_STREAMS, &streams);
    while (!CoreIsEnumerated(&enumeration)) {
        CHECK_STATUS(CoreNextPage(core.Control, &enumeration), STATUS_SUCCESS);
        for (entry = CoreNextEntry(&enumeration, NULL); entry != NULL; entry = CoreNextEntry(&enumeration, entry)) {
            CHECK(entry->OwnerKey == 2 || entry->Instance % 3 != 0 || entry->Instance >= next ||
                  seen[entry->Instance] == 0);
            if (entry->OwnerKey == 1) {
                seen[entry->Instance] += 1;
                CHECK_EQUAL(seen[entry->Instance], 1);
            }
        }
        if (next < CORE_STREAMS) {
            CoreClose(streams.Handles[next]);
            insertion.Stream = streams.Handles[next + 1];
            insertion.Instance = next;
            CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
            next += 3;
        }
    }
    CHECK_EQUAL(next, CORE_STREAMS);
    for (number = 0; number < CORE_STREAMS; number += 1) {
        CHECK(number % 3 == 0 || seen[number] == 1);
    }
    CoreStop(&core);
}

VOID CoreVolumesAreListed(VOID)
{
    static DECLSPEC_ALIGN(8) UCHAR output[4096];
    PSCTX_VOLUMES_REQUEST request = {.After = 0};
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)(reply + 1);
    PSCTX_STATISTICS_REPLY statistics;
    CORE_STREAMS_OPEN streams;
    CORE_INSERTION insertion;
    HANDLE second;
    ULONG64 first;
    ULONG size;
    CORE core;

    CoreStart(&core);
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    CoreInsertEverywhere(&core, L'M', 5, &streams);
    second = CoreOpenSession(CORE_READ_WRITE);
    insertion = (CORE_INSERTION){.Stream = streams.Handles[0], .Owner = 3};
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    statistics = CoreStatistics(core.Control);
    HostLeaveProcess();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    HostEnterProcess(core.Process);

    CHECK_STATUS(
        CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL),
        STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 2);
    CHECK_EQUAL(reply->Remaining | reply->NextSize | reply->Reserved, 0);
    CHECK_EQUAL(entry->Attachment, PSCTX_ATTACHMENT_YES);
    CHECK_EQUAL(entry->Contexts, 6);
    CHECK_EQUAL(entry->Bytes, statistics.TotalPagedBytes);
    CHECK_STATUS((NTSTATUS)entry->Status, STATUS_SUCCESS);
    CHECK_EQUAL(entry->DeviceType, FILE_DEVICE_DISK_FILE_SYSTEM);
    CHECK_EQUAL(entry->TearsDown, 1);
    CHECK_EQUAL(entry->Reserved, 0);
    CHECK_EQUAL(entry->Size, ALIGN_UP_BY(sizeof(*entry) + entry->DeviceNameLength + entry->FileSystemLength, 8));
    CHECK(entry->DeviceNameLength > 18 * sizeof(WCHAR));
    CHECK(memcmp(entry + 1, L"\\Device\\HostVolume", 18 * sizeof(WCHAR)) == 0);
    CHECK(entry->FileSystemLength > 12 * sizeof(WCHAR));
    CHECK(memcmp((const UCHAR *)(entry + 1) + entry->DeviceNameLength, L"\\FileSystem\\", 12 * sizeof(WCHAR)) == 0);
    first = entry->Number;
    size = entry->Size;
    entry = (const PSCTX_VOLUME_ENTRY *)((const UCHAR *)entry + size);
    CHECK(entry->Number > first);
    CHECK_EQUAL(entry->Contexts, 0);
    CHECK_EQUAL(entry->Bytes, 0);
    CHECK_EQUAL(reply->Header.Size, sizeof(*reply) + size + entry->Size);

    /* Page by page; and nothing, above the last. */
    CHECK_STATUS(CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output,
                             (ULONG)sizeof(*reply) + size - 1, NULL),
                 STATUS_BUFFER_OVERFLOW);
    CHECK_EQUAL(reply->Count, 0);
    CHECK_EQUAL(reply->Remaining, 2);
    CHECK_EQUAL(reply->NextSize, size);
    CHECK_STATUS(CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output,
                             (ULONG)sizeof(*reply) + size, NULL),
                 STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    CHECK_EQUAL(reply->Remaining, 1);
    request.After = first;
    CHECK_STATUS(
        CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL),
        STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    entry = (const PSCTX_VOLUME_ENTRY *)(reply + 1);
    CHECK(entry->Number > first);
    CHECK_EQUAL(entry->Contexts, 0); /* what is on a volume that is not told of counts for none */
    CHECK_EQUAL(entry->Bytes, 0);
    HostLeaveProcess();
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    HostEnterProcess(core.Process);
    CHECK_STATUS(
        CoreControl(core.Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL),
        STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 0);
    CHECK_EQUAL(reply->Header.Size, sizeof(*reply));
    CoreStop(&core);
}
