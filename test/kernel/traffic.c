/* Files in use while something else happens: see traffic.h. */
#include "traffic.h"

#include "files.h"
#include "device.h"

#define THREADS 4u
#define JOIN_MILLISECONDS 30000u
#define LENGTH 1024u

static volatile LONG Stop;
static volatile LONG Rounds[THREADS];
static volatile LONG Failures;
static HANDLE Threads[THREADS];

/* Reads and writes of cached data, and questions for attributes, are fast I/O where the file system has it; the rest are requests. */
static BOOL UseFile(const WCHAR *name)
{
    WIN32_FILE_ATTRIBUTE_DATA attributes;
    WCHAR path[PATH_CAPACITY];
    BYTE bytes[LENGTH];
    DWORD length;
    HANDLE file;
    BOOL used;

    FilesPath(name, path);
    file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return FALSE;
    }
    memset(bytes, 't', sizeof(bytes));
    used = WriteFile(file, bytes, sizeof(bytes), &length, NULL) && length == sizeof(bytes) &&
           SetFilePointer(file, 0, NULL, FILE_BEGIN) == 0;
    for (ULONG pass = 0; pass < 16 && used; pass += 1) {
        used = ReadFile(file, bytes, LENGTH / 16, &length, NULL) && length == LENGTH / 16 && bytes[0] == 't' &&
               GetFileSize(file, NULL) == LENGTH && LockFile(file, pass, 0, 1, 0) && UnlockFile(file, pass, 0, 1, 0);
    }
    used = FlushFileBuffers(file) && used;
    (void)CloseHandle(file);
    return used && GetFileAttributesExW(path, GetFileExInfoStandard, &attributes) &&
           attributes.nFileSizeLow == LENGTH && DeleteFileW(path);
}

static DWORD WINAPI RunTraffic(void *argument)
{
    const ULONG number = (ULONG)(ULONG_PTR)argument;
    WCHAR name[32] = L"traffic-";

    (void)WideAppendNumber(name, COUNT_OF(name), number);
    while (Stop == 0) {
        if (!UseFile(name)) {
            (void)InterlockedIncrement(&Failures);
        }
        (void)InterlockedIncrement(&Rounds[number]);
    }
    return 0;
}

static BOOL IsEveryThreadBusy(void *unused)
{
    BOOL busy = TRUE;

    (void)unused;
    for (ULONG number = 0; number < THREADS; number += 1) {
        busy = busy && (Threads[number] == NULL || Rounds[number] > 1);
    }
    return busy;
}

void TrafficBegin(void)
{
    Stop = 0;
    Failures = 0;
    for (ULONG number = 0; number < THREADS; number += 1) {
        Rounds[number] = 0;
        Threads[number] = CreateThread(NULL, 0, RunTraffic, (void *)(ULONG_PTR)number, 0, NULL);
        (void)EXPECT(Threads[number] != NULL);
    }
    (void)EXPECT(WaitUntil(IsEveryThreadBusy, NULL));
}

void TrafficEnd(void)
{
    (void)EXPECT(WaitUntil(IsEveryThreadBusy, NULL));
    (void)InterlockedExchange(&Stop, 1);
    for (ULONG number = 0; number < THREADS; number += 1) {
        if (Threads[number] != NULL) {
            if (WaitForSingleObject(Threads[number], JOIN_MILLISECONDS) != WAIT_OBJECT_0) {
                BailOut("a thread that uses files does not end");
            }
            (void)CloseHandle(Threads[number]);
            Note("thread %u used its file %u times", number, (ULONG)Rounds[number]);
        }
    }
    (void)EXPECT_EQUAL(0, Failures);
}
