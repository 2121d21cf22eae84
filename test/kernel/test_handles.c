/* Handles that are no file streams: refused, and harmless. */
#include "tests.h"

static BOOL IsRefusal(LONG status)
{
    return status == STATUS_INVALID_HANDLE || status == STATUS_OBJECT_TYPE_MISMATCH ||
           status == STATUS_INVALID_DEVICE_REQUEST;
}

/* Every operation on the handle; what it is called is told when one is not refused. */
static void CheckRefused(const SESSION *session, ULONG64 handle, const char *what)
{
    PSCTX_STREAM_REPLY reply;
    BYTE list[256];
    ULONG64 count;
    BOOL refused = TRUE;
    LONG status = QueryStream(session, handle, &reply);

    if (status == STATUS_SUCCESS) {
        refused = EXPECT(reply.Support != PSCTX_SUPPORT_YES) && refused;
        refused = EXPECT((reply.HeaderVersion == 0) == (reply.Support != PSCTX_SUPPORT_NO_FILTER_CONTEXTS)) && refused;
        status = STATUS_INVALID_DEVICE_REQUEST;
    } else {
        refused = EXPECT(status == STATUS_INVALID_HANDLE || status == STATUS_OBJECT_TYPE_MISMATCH) && refused;
    }
    refused = EXPECT_STATUS(status, Insert(session, handle, 1, 1, NULL, "x", 1, NULL)) && refused;
    refused = EXPECT_STATUS(status, Lookup(session, handle, 1, 1, NULL)) && refused;
    refused = EXPECT_STATUS(status, Remove(session, handle, 1, 1, NULL)) && refused;
    refused = EXPECT_STATUS(status, RemoveAll(session, handle, 0, 0, PSCTX_MATCH_FIRST, &count)) && refused;
    refused = EXPECT_STATUS(status, List(session, handle, 0, list, sizeof(list))) && refused;
    refused = EXPECT(IsRefusal(status)) && refused;
    if (!refused) {
        Note("not refused as it should be: %s", what);
    }
}

static void TestNumbers(void)
{
    static const ULONG64 numbers[] = {
        0,
        1,
        2,
        3,
        4,
        ~0ull,
        ~1ull,
        ~2ull,
        ~3ull,
        ~4ull,
        ~5ull,
        0xFFFFFFFFu,
        0xFFFFFFFEu,
        0x80000000u,
        0x80000004u,
        0x7FFFFFFCu,
        0x100000004ull,
        0xFFFF800000000004ull,
        0xDEADBEEFDEADBEEFull,
        0x8000000000000000ull,
    };
    ULONG seed = GetTickCount();
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (size_t index = 0; index < COUNT_OF(numbers); index += 1) {
        CheckRefused(&session, numbers[index], "a number");
    }
    Note("seed %u", seed);
    for (ULONG index = 0; index < 200; index += 1) {
        const ULONG64 high = Random(&seed) | 0x10000u;

        CheckRefused(&session, (high << 32) | Random(&seed), "a random number");
    }
}

static void TestClosedHandle(void)
{
    SESSION session;
    HANDLE file = OpenSample(0);

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    CloseKept(file);
    /* Not always STATUS_INVALID_HANDLE: the system may have given the number to another object by now. */
    CheckRefused(&session, HandleValue(file), "a closed handle");
}

static void TestPipe(void)
{
    PSCTX_STREAM_REPLY reply;
    HANDLE reader;
    HANDLE writer;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    if (!CreatePipe(&reader, &writer, NULL, 0)) {
        Skip("no pipes here");
        return;
    }
    (void)KeepHandle(reader);
    (void)KeepHandle(writer);
    CheckRefused(&session, HandleValue(reader), "a pipe's reading end");
    CheckRefused(&session, HandleValue(writer), "a pipe's writing end");
    if (EXPECT_SUCCESS(QueryStream(&session, HandleValue(reader), &reply))) {
        (void)EXPECT_EQUAL(PSCTX_SUPPORT_NOT_A_FILE_SYSTEM, reply.Support);
    }
}

static void TestMailslot(void)
{
    WCHAR name[64] = L"\\\\.\\mailslot\\psctx-selftest-";
    SESSION session;
    HANDLE slot;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    (void)WideAppendNumber(name, COUNT_OF(name), GetCurrentProcessId());
    slot = KeepHandle(CreateMailslotW(name, 0, 0, NULL));
    if (slot == INVALID_HANDLE_VALUE) {
        Skip("no mailslots here");
        return;
    }
    CheckRefused(&session, HandleValue(slot), "a mailslot");
}

static void TestControlDevice(void)
{
    PSCTX_STREAM_REPLY reply;
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    CheckRefused(&session, HandleValue(session.Handle), "the control device");
    if (EXPECT_SUCCESS(QueryStream(&session, HandleValue(session.Handle), &reply))) {
        (void)EXPECT_EQUAL(PSCTX_SUPPORT_NOT_A_FILE_SYSTEM, reply.Support);
        (void)EXPECT_EQUAL(PSCTX_DEVICE_TYPE, reply.DeviceType);
    }
}

static void TestObjects(void)
{
    SESSION session;
    HANDLE process;
    HKEY key;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    CheckRefused(&session, HandleValue(KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL))), "an event");
    CheckRefused(&session, HandleValue(KeepHandle(CreateMutexW(NULL, FALSE, NULL))), "a mutex");
    CheckRefused(&session,
                 HandleValue(KeepHandle(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL))),
                 "a section");
    process = KeepHandle(OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, GetCurrentProcessId()));
    CheckRefused(&session, HandleValue(process), "a process");
    CheckRefused(&session, HandleValue(GetCurrentProcess()), "the current process");
    CheckRefused(&session, HandleValue(GetCurrentThread()), "the current thread");
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE", 0, KEY_QUERY_VALUE, &key) == ERROR_SUCCESS) {
        CheckRefused(&session, HandleValue((HANDLE)key), "a registry key");
        (void)RegCloseKey(key);
    }
    CheckRefused(&session, HandleValue((HANDLE)HKEY_LOCAL_MACHINE), "a predefined registry key");
}

static void TestConsole(void)
{
    HANDLE console = KeepHandle(
        CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL));
    SESSION session;

    if (console == INVALID_HANDLE_VALUE) {
        Skip("no console here");
        return;
    }
    if (OpenSession(&session, READ_WRITE)) {
        CheckRefused(&session, HandleValue(console), "a console");
    }
}

/* \\.\C:, opened for its content, which needs an administrator, and for its attributes, which opens the disk. */
static void TestVolumeHandle(void)
{
    static const DWORD accesses[] = {GENERIC_READ, 0};
    WCHAR name[] = L"\\\\.\\C:";
    SESSION session;
    BOOL opened = FALSE;

    if (Volume.Root[0] != 0 && Volume.Root[1] == L':') {
        name[4] = Volume.Root[0];
    }
    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (size_t index = 0; index < COUNT_OF(accesses); index += 1) {
        PSCTX_STREAM_REPLY reply;
        const HANDLE volume = KeepHandle(
            CreateFileW(name, accesses[index], FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL));

        if (volume == INVALID_HANDLE_VALUE) {
            Note("cannot open %w with access %x: error %u", name, accesses[index], GetLastError());
            continue;
        }
        opened = TRUE;
        CheckRefused(&session, HandleValue(volume), "a volume");
        if (EXPECT_SUCCESS(QueryStream(&session, HandleValue(volume), &reply))) {
            (void)EXPECT(reply.Support == PSCTX_SUPPORT_VOLUME || reply.Support == PSCTX_SUPPORT_NOT_A_FILE_SYSTEM);
        }
    }
    if (!opened) {
        Skip("no volume can be opened");
    }
}

/* The test file system has one stream of each of these kinds. */
static void TestSpecialStreams(void)
{
    static const struct {
        const WCHAR *Name;
        const char *What;
        ULONG Support;
    } streams[] = {
        {L"volume", "the volume's own stream", PSCTX_SUPPORT_VOLUME},
        {L"pagefile.sys", "a paging file", PSCTX_SUPPORT_NO_FILTER_CONTEXTS},
    };
    SESSION session;

    if (Volume.Win32) {
        Skip("only the test file system has them");
        return;
    }
    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (size_t index = 0; index < COUNT_OF(streams); index += 1) {
        const HANDLE file = FilesOpen(streams[index].Name, GENERIC_READ);
        PSCTX_STREAM_REPLY reply;

        if (EXPECT(file != INVALID_HANDLE_VALUE) && EXPECT_SUCCESS(QueryStream(&session, HandleValue(file), &reply))) {
            (void)EXPECT_EQUAL(streams[index].Support, reply.Support);
            CheckRefused(&session, HandleValue(file), streams[index].What);
        }
    }
}

static const TEST Tests[] = {
    {"numbers that are no handles are refused", TestNumbers, 0},
    {"a closed handle is refused", TestClosedHandle, NEEDS_SAMPLE},
    {"a pipe is refused", TestPipe, 0},
    {"a mailslot is refused", TestMailslot, 0},
    {"the control device is refused", TestControlDevice, 0},
    {"handles of other objects are refused", TestObjects, 0},
    {"a console is refused", TestConsole, 0},
    {"a volume is refused", TestVolumeHandle, 0},
    {"a paging file and an open volume are refused", TestSpecialStreams, 0},
};

const TEST_GROUP HandleTests = {Tests, COUNT_OF(Tests)};
