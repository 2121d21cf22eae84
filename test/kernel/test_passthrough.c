/* Files through the filter: byte for byte what they are without it. */
#include "tests.h"

#define CHUNK 65536u
#define BIG_FILE (4u << 20)
#define THREADS 8u
#define WAIT_MILLISECONDS 10000u

static BYTE *AllocateChunk(void)
{
    BYTE *memory = VirtualAlloc(NULL, CHUNK, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);

    (void)EXPECT(memory != NULL);
    return memory;
}

static void FreeChunk(BYTE *memory)
{
    (void)VirtualFree(memory, 0, MEM_RELEASE);
}

/* At an offset, on a synchronous handle, whose own position does not matter then. */
static BOOL WriteAt(HANDLE file, const BYTE *memory, ULONG length, ULONG offset)
{
    OVERLAPPED at = {.Offset = offset};
    DWORD done = 0;

    Progress();
    return EXPECT(WriteFile(file, memory, length, &done, &at)) && EXPECT_EQUAL(length, done);
}

static BOOL ReadAt(HANDLE file, BYTE *memory, ULONG length, ULONG offset)
{
    OVERLAPPED at = {.Offset = offset};
    DWORD done = 0;

    Progress();
    return EXPECT(ReadFile(file, memory, length, &done, &at)) && EXPECT_EQUAL(length, done);
}

static BOOL WritePattern(HANDLE file, BYTE *chunk, ULONG number, ULONG total)
{
    for (ULONG offset = 0; offset < total; offset += CHUNK) {
        FillPattern(chunk, CHUNK, number, offset);
        if (!WriteAt(file, chunk, CHUNK, offset)) {
            return FALSE;
        }
    }
    return TRUE;
}

static BOOL ReadPattern(HANDLE file, BYTE *chunk, ULONG number, ULONG total)
{
    for (ULONG offset = 0; offset < total; offset += CHUNK) {
        memset(chunk, 0, CHUNK);
        if (!ReadAt(file, chunk, CHUNK, offset) || !EXPECT(IsPattern(chunk, CHUNK, number, offset))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* An open of a Win32 name with flags of its own. */
static HANDLE OpenWith(const WCHAR *name, DWORD disposition, DWORD flags)
{
    WCHAR path[PATH_CAPACITY];
    HANDLE file;

    FilesPath(name, path);
    file =
        KeepHandle(CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE,
                               FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition, flags, NULL));
    if (file == INVALID_HANDLE_VALUE) {
        Note("cannot open %w: error %u", path, GetLastError());
    }
    (void)EXPECT(file != INVALID_HANDLE_VALUE);
    return file;
}

static void TestSmallFile(void)
{
    BYTE data[16] = {0};
    HANDLE file = MakeAndOpen(L"small");
    HANDLE again;

    (void)WriteAt(file, (const BYTE *)"0123456789", 10, 0);
    (void)WriteAt(file, (const BYTE *)"abc", 3, 4);
    again = FilesOpen(L"small", GENERIC_READ);
    (void)ReadAt(again, data, 10, 0);
    (void)EXPECT(memcmp(data, "0123abc789", 10) == 0);
    CloseKept(again);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"small"));
}

static void TestReadExisting(void)
{
    BYTE first[512];
    BYTE second[512];
    const HANDLE file = OpenSample(0);
    const HANDLE again = OpenSample(0);
    DWORD read = 0;
    DWORD readAgain = 0;

    (void)EXPECT(ReadFile(file, first, sizeof(first), &read, NULL));
    (void)EXPECT(ReadFile(again, second, sizeof(second), &readAgain, NULL));
    (void)EXPECT_EQUAL(read, readAgain);
    (void)EXPECT(memcmp(first, second, read) == 0);
}

static void TestBigFile(void)
{
    BYTE *chunk = AllocateChunk();
    HANDLE file = OpenWith(L"big", CREATE_NEW, 0);

    if (WritePattern(file, chunk, 1, BIG_FILE)) {
        (void)EXPECT_EQUAL(BIG_FILE, GetFileSize(file, NULL));
        (void)EXPECT(FlushFileBuffers(file));
        CloseKept(file);
        file = OpenWith(L"big", OPEN_EXISTING, 0);
        (void)ReadPattern(file, chunk, 1, BIG_FILE);
        (void)EXPECT(SetFilePointer(file, CHUNK, NULL, FILE_BEGIN) == CHUNK && SetEndOfFile(file));
        (void)EXPECT_EQUAL(CHUNK, GetFileSize(file, NULL));
    }
    CloseKept(file);
    FreeChunk(chunk);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"big"));
}

static void TestUnbuffered(void)
{
    BYTE *chunk = AllocateChunk();
    HANDLE file = OpenWith(L"unbuffered", CREATE_NEW, FILE_FLAG_NO_BUFFERING | FILE_FLAG_WRITE_THROUGH);

    if (WritePattern(file, chunk, 2, 4 * CHUNK)) {
        (void)ReadPattern(file, chunk, 2, 4 * CHUNK);
        CloseKept(file);
        file = OpenWith(L"unbuffered", OPEN_EXISTING, 0);
        (void)ReadPattern(file, chunk, 2, 4 * CHUNK);
    }
    CloseKept(file);
    FreeChunk(chunk);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"unbuffered"));
}

static void TestMapped(void)
{
    BYTE *chunk = AllocateChunk();
    HANDLE file = OpenWith(L"mapped", CREATE_NEW, 0);
    HANDLE mapping = KeepHandle(CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, 4 * CHUNK, NULL));
    BYTE *view = mapping == NULL ? NULL : MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 4 * CHUNK);

    if (EXPECT(view != NULL)) {
        FillPattern(view, 4 * CHUNK, 3, 0);
        (void)EXPECT(FlushViewOfFile(view, 0));
        (void)ReadPattern(file, chunk, 3, 4 * CHUNK);
        FillPattern(chunk, CHUNK, 4, 0);
        (void)WriteAt(file, chunk, CHUNK, CHUNK);
        (void)EXPECT(IsPattern(view + CHUNK, CHUNK, 4, 0));
        (void)EXPECT(UnmapViewOfFile(view));
    }
    CloseKept(mapping);
    CloseKept(file);
    FreeChunk(chunk);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"mapped"));
}

static void TestLocks(void)
{
    BYTE data[16];
    DWORD done;
    HANDLE file = OpenWith(L"locked", CREATE_NEW, 0);
    HANDLE other = OpenWith(L"locked", OPEN_EXISTING, 0);

    (void)WriteAt(file, (const BYTE *)"0123456789abcdef", 16, 0);
    if (EXPECT(LockFile(file, 4, 0, 4, 0))) {
        (void)EXPECT(!LockFile(other, 6, 0, 1, 0));
        (void)EXPECT(LockFile(other, 8, 0, 4, 0));
        (void)SetFilePointer(other, 0, NULL, FILE_BEGIN);
        (void)EXPECT(IsWine() || (!ReadFile(other, data, 16, &done, NULL) && GetLastError() == ERROR_LOCK_VIOLATION));
        (void)ReadAt(other, data, 4, 0);
        (void)EXPECT(UnlockFile(other, 8, 0, 4, 0));
        (void)EXPECT(UnlockFile(file, 4, 0, 4, 0));
        (void)ReadAt(other, data, 16, 0);
        (void)EXPECT(memcmp(data, "0123456789abcdef", 16) == 0);
    }
    CloseKept(other);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"locked"));
}

static void TestEnumeration(void)
{
    WCHAR path[PATH_CAPACITY];
    WIN32_FIND_DATAW found;
    HANDLE search;
    ULONG count = 0;

    for (ULONG number = 0; number < 30; number += 1) {
        WCHAR name[32] = L"listed-";

        (void)WideAppendNumber(name, COUNT_OF(name), number);
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name));
    }
    FilesPath(L"listed-*", path);
    search = FindFirstFileW(path, &found);
    if (EXPECT(search != INVALID_HANDLE_VALUE)) {
        do {
            count += 1;
            (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(found.cFileName));
        } while (FindNextFileW(search, &found));
        (void)EXPECT_EQUAL(ERROR_NO_MORE_FILES, GetLastError());
        (void)FindClose(search);
    }
    (void)EXPECT_EQUAL(30, count);
    (void)EXPECT(FindFirstFileW(path, &found) == INVALID_HANDLE_VALUE);
}

/* Every chunk is under way at once. */
static void TestOverlapped(void)
{
    OVERLAPPED overlapped[4];
    BYTE *chunks[COUNT_OF(overlapped)];
    HANDLE file = OpenWith(L"overlapped", CREATE_NEW, FILE_FLAG_OVERLAPPED);
    DWORD done;

    for (ULONG pass = 0; pass < 2; pass += 1) {
        for (ULONG index = 0; index < COUNT_OF(overlapped); index += 1) {
            BOOL started;

            memset(&overlapped[index], 0, sizeof(overlapped[index]));
            overlapped[index].Offset = index * CHUNK;
            overlapped[index].hEvent = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
            if (pass == 0) {
                chunks[index] = AllocateChunk();
                FillPattern(chunks[index], CHUNK, 5, index * CHUNK);
                started = WriteFile(file, chunks[index], CHUNK, NULL, &overlapped[index]);
            } else {
                memset(chunks[index], 0, CHUNK);
                started = ReadFile(file, chunks[index], CHUNK, NULL, &overlapped[index]);
            }
            (void)EXPECT(started || GetLastError() == ERROR_IO_PENDING);
        }
        for (ULONG index = 0; index < COUNT_OF(overlapped); index += 1) {
            if (WaitForSingleObject(overlapped[index].hEvent, WAIT_MILLISECONDS) != WAIT_OBJECT_0) {
                BailOut("an overlapped transfer does not end");
            }
            (void)EXPECT(GetOverlappedResult(file, &overlapped[index], &done, FALSE));
            (void)EXPECT_EQUAL(CHUNK, done);
            (void)EXPECT(IsPattern(chunks[index], CHUNK, 5, index * CHUNK));
        }
    }
    for (ULONG index = 0; index < COUNT_OF(overlapped); index += 1) {
        FreeChunk(chunks[index]);
    }
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"overlapped"));
}

/* A lock that waits for another one is the request that pends on any file system; it is cancelled through the filter. */
static void TestCancellation(void)
{
    OVERLAPPED holding;
    OVERLAPPED waiting;
    HANDLE file;
    HANDLE other;
    DWORD done;

    if (IsWine()) {
        Skip("Wine cancels no locks");
        return;
    }
    file = OpenWith(L"cancelled", CREATE_NEW, FILE_FLAG_OVERLAPPED);
    other = OpenWith(L"cancelled", OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    memset(&holding, 0, sizeof(holding));
    memset(&waiting, 0, sizeof(waiting));
    holding.hEvent = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    waiting.hEvent = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    if (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &holding) &&
        GetLastError() != ERROR_IO_PENDING) {
        Skip("no locks here");
    } else if (EXPECT(!LockFileEx(other, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &waiting)) &&
               EXPECT_EQUAL(ERROR_IO_PENDING, GetLastError())) {
        (void)EXPECT_EQUAL(WAIT_TIMEOUT, WaitForSingleObject(waiting.hEvent, 50));
        (void)EXPECT(CancelIo(other));
        if (WaitForSingleObject(waiting.hEvent, WAIT_MILLISECONDS) != WAIT_OBJECT_0) {
            BailOut("a cancelled lock does not end");
        }
        (void)EXPECT(!GetOverlappedResult(other, &waiting, &done, FALSE));
        (void)EXPECT_EQUAL(ERROR_OPERATION_ABORTED, GetLastError());
    }
    CloseKept(other);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"cancelled"));
}

/* The test file system has a stream whose reads wait until they are cancelled. */
static void TestPendingRead(void)
{
    OVERLAPPED waiting;
    BYTE data[16];
    HANDLE file;
    DWORD done;

    if (Volume.Win32) {
        Skip("only the test file system has a stream whose reads wait");
        return;
    }
    file = OpenWith(L"pending", OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    memset(&waiting, 0, sizeof(waiting));
    waiting.hEvent = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    if (EXPECT(!ReadFile(file, data, sizeof(data), NULL, &waiting)) && EXPECT_EQUAL(ERROR_IO_PENDING, GetLastError())) {
        (void)EXPECT_EQUAL(WAIT_TIMEOUT, WaitForSingleObject(waiting.hEvent, 50));
        (void)EXPECT(CancelIo(file));
        if (WaitForSingleObject(waiting.hEvent, WAIT_MILLISECONDS) != WAIT_OBJECT_0) {
            BailOut("a cancelled read does not end");
        }
        (void)EXPECT(!GetOverlappedResult(file, &waiting, &done, FALSE));
        (void)EXPECT_EQUAL(ERROR_OPERATION_ABORTED, GetLastError());
    }
}

static void TestNotification(void)
{
    const HANDLE change = FindFirstChangeNotificationW(Volume.Directory, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME);

    if (change == INVALID_HANDLE_VALUE) {
        Skip("no change notification here");
        return;
    }
    (void)EXPECT_EQUAL(WAIT_TIMEOUT, WaitForSingleObject(change, 0));
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(L"noticed"));
    (void)EXPECT_EQUAL(WAIT_OBJECT_0, WaitForSingleObject(change, WAIT_MILLISECONDS));
    (void)FindCloseChangeNotification(change);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"noticed"));
}

static void TestBasicInformation(void)
{
    const FILETIME written = {0x40000000u, 0x01C50000u};
    BY_HANDLE_FILE_INFORMATION information;
    WCHAR path[PATH_CAPACITY];
    HANDLE file = MakeAndOpen(L"basic");
    FILETIME told;

    FilesPath(L"basic", path);
    (void)WriteAt(file, (const BYTE *)"12345", 5, 0);
    if (EXPECT(SetFileTime(file, NULL, NULL, &written)) && EXPECT(GetFileTime(file, NULL, NULL, &told))) {
        (void)EXPECT_EQUAL(written.dwHighDateTime, told.dwHighDateTime);
    }
    if (EXPECT(GetFileInformationByHandle(file, &information))) {
        (void)EXPECT_EQUAL(5, information.nFileSizeLow);
        (void)EXPECT_EQUAL(1, information.nNumberOfLinks);
    }
    CloseKept(file);
    (void)EXPECT(SetFileAttributesW(path, FILE_ATTRIBUTE_HIDDEN));
    (void)EXPECT((GetFileAttributesW(path) & FILE_ATTRIBUTE_HIDDEN) != 0);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"basic"));
}

static void TestDeleteOnClose(void)
{
    WCHAR path[PATH_CAPACITY];
    HANDLE file = OpenWith(L"fleeting", CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE);

    FilesPath(L"fleeting", path);
    (void)EXPECT(GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES);
    CloseKept(file);
    (void)EXPECT(GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES);
}

static void TestNamedStreamData(void)
{
    BYTE data[4] = {0};
    HANDLE file = MakeAndOpen(L"two");
    HANDLE stream;

    if (!EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(L"two:stream"))) {
        return;
    }
    stream = FilesOpen(L"two:stream", GENERIC_READ | GENERIC_WRITE);
    (void)WriteAt(file, (const BYTE *)"file", 4, 0);
    (void)WriteAt(stream, (const BYTE *)"strm", 4, 0);
    (void)ReadAt(file, data, 4, 0);
    (void)EXPECT(memcmp(data, "file", 4) == 0);
    (void)ReadAt(stream, data, 4, 0);
    (void)EXPECT(memcmp(data, "strm", 4) == 0);
    CloseKept(stream);
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"two"));
}

static DWORD WINAPI WriteAndRead(void *argument)
{
    const ULONG number = (ULONG)(ULONG_PTR)argument;
    WCHAR name[32] = L"thread-";
    BYTE *chunk = AllocateChunk();
    HANDLE file;

    (void)WideAppendNumber(name, COUNT_OF(name), number);
    file = MakeAndOpen(name);
    for (ULONG pass = 0; pass < 4; pass += 1) {
        if (!WritePattern(file, chunk, 100 + number + pass, 2 * CHUNK) ||
            !ReadPattern(file, chunk, 100 + number + pass, 2 * CHUNK)) {
            break;
        }
    }
    CloseKept(file);
    FreeChunk(chunk);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    return 0;
}

static void TestThreads(void)
{
    HANDLE threads[THREADS];
    ULONG count = 0;

    for (ULONG number = 0; number < THREADS; number += 1) {
        threads[count] = CreateThread(NULL, 0, WriteAndRead, (void *)(ULONG_PTR)number, 0, NULL);
        if (EXPECT(threads[count] != NULL)) {
            (void)KeepHandle(threads[count]);
            count += 1;
        }
    }
    if (count != 0 && WaitForMultipleObjects(count, threads, TRUE, 6 * WAIT_MILLISECONDS) == WAIT_TIMEOUT) {
        BailOut("threads that write and read do not end");
    }
}

static const TEST Tests[] = {
    {"a small file is read as it was written", TestSmallFile, NEEDS_WRITABLE},
    {"a file that is there reads the same twice", TestReadExisting, NEEDS_SAMPLE},
    {"a file of 4 MiB is read as it was written", TestBigFile, NEEDS_WRITABLE | NEEDS_WIN32},
    {"unbuffered transfers", TestUnbuffered, NEEDS_WRITABLE | NEEDS_WIN32},
    {"a mapped section and the file agree", TestMapped, NEEDS_WRITABLE | NEEDS_WIN32},
    {"byte-range locks", TestLocks, NEEDS_WRITABLE | NEEDS_WIN32},
    {"a directory lists what is in it", TestEnumeration, NEEDS_WRITABLE | NEEDS_WIN32},
    {"overlapped transfers", TestOverlapped, NEEDS_WRITABLE | NEEDS_WIN32},
    {"a pending lock is cancelled", TestCancellation, NEEDS_WRITABLE | NEEDS_WIN32},
    {"a pending read is cancelled", TestPendingRead, 0},
    {"a change is notified", TestNotification, NEEDS_WRITABLE | NEEDS_WIN32},
    {"basic information is set and told", TestBasicInformation, NEEDS_WRITABLE | NEEDS_WIN32},
    {"a file is deleted with its last handle", TestDeleteOnClose, NEEDS_WRITABLE | NEEDS_WIN32},
    {"a named stream has bytes of its own", TestNamedStreamData, NEEDS_WRITABLE | NEEDS_STREAMS},
    {"files of many threads are read as they were written", TestThreads, NEEDS_WRITABLE},
};

const TEST_GROUP PassThroughTests = {Tests, COUNT_OF(Tests)};
