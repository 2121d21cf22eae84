/* Opens that wait for somebody else: for the holder of an oplock, which takes its time. */
#include "tests.h"

#define NAME L"psctx-waited-for"
#define VISTA 6u
#define BREAK_MILLISECONDS 5000u
#define END_MILLISECONDS 10000u
#define ENDED_BY_US 7u

static const WCHAR Pattern[] = L"*PSCTX-WAITED-FOR";

#define PATTERN_LENGTH ((ULONG)(sizeof(Pattern) - sizeof(WCHAR)))

/* A handle with a batch oplock, which breaks when the file is opened again; the open waits until the handle is closed. */
typedef struct _HOLDER {
    HANDLE File;
    OVERLAPPED Broken;
} HOLDER;

static HOLDER Holder;
static WCHAR Path[PATH_CAPACITY];

/* FALSE if no oplock is granted here. */
static BOOL HoldFile(void)
{
    memset(&Holder, 0, sizeof(Holder));
    Holder.Broken.hEvent = KeepHandle(CreateEventW(NULL, TRUE, FALSE, NULL));
    Holder.File = KeepHandle(CreateFileW(Path, GENERIC_READ | GENERIC_WRITE,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                         FILE_FLAG_OVERLAPPED, NULL));
    return EXPECT(Holder.File != INVALID_HANDLE_VALUE) &&
           !DeviceIoControl(Holder.File, FSCTL_REQUEST_BATCH_OPLOCK, NULL, 0, NULL, 0, NULL, &Holder.Broken) &&
           GetLastError() == ERROR_IO_PENDING;
}

static DWORD WINAPI OpenAndWait(void *unused)
{
    const HANDLE file = CreateFileW(Path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);

    (void)unused;
    if (file != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(file);
    }
    return 0;
}

typedef enum _WAY_OUT { NoWait, EndsWithThread, OutlivesThread } WAY_OUT;

/* Opens the file on a thread of its own and ends the thread while the open waits. */
static WAY_OUT EndWaitingThread(void)
{
    WAY_OUT way = NoWait;
    HANDLE thread;
    DWORD code = 0;

    if (HoldFile()) {
        thread = KeepHandle(CreateThread(NULL, 0, OpenAndWait, NULL, 0, NULL));
        if (EXPECT(thread != NULL) && WaitForSingleObject(Holder.Broken.hEvent, BREAK_MILLISECONDS) == WAIT_OBJECT_0 &&
            WaitForSingleObject(thread, 50) == WAIT_TIMEOUT) {
            Progress();
            (void)EXPECT(TerminateThread(thread, ENDED_BY_US));
            way = WaitForSingleObject(thread, END_MILLISECONDS) == WAIT_OBJECT_0 ? EndsWithThread : OutlivesThread;
        }
        CloseKept(Holder.File); /* which lets every open go on */
        if (thread != NULL && WaitForSingleObject(thread, END_MILLISECONDS) != WAIT_OBJECT_0) {
            BailOut("an open that nobody holds up does not end");
        }
        (void)EXPECT(way == NoWait || (GetExitCodeThread(thread, &code) && code == ENDED_BY_US));
    }
    CloseKept(Holder.File);
    CloseKept(Holder.Broken.hEvent);
    return way;
}

/* That such an open ends with its thread is the system's doing; that a tracked one does is the filter's. */
static void TestTerminated(void)
{
    OSVERSIONINFOW version;
    SESSION session;
    ULONG64 rule;
    WAY_OUT way;

    memset(&version, 0, sizeof(version));
    version.dwOSVersionInfoSize = sizeof(version);
    if (IsWine() || !GetVersionExW(&version) || version.dwMajorVersion < VISTA) {
        Skip("this kernel has no waits that end with their thread");
        return;
    }
    if (!OpenSession(&session, READ_WRITE) || !EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(NAME))) {
        return;
    }
    FilesPath(NAME, Path);
    way = EndWaitingThread();
    if (way == NoWait) {
        Skip("no open waits for an oplock here");
    } else if (way == OutlivesThread) {
        Skip("opens that wait do not end with their thread here");
    } else if (EXPECT_SUCCESS(Track(&session, 41, 42, Pattern, PATTERN_LENGTH, &rule))) {
        (void)EXPECT_EQUAL(EndsWithThread, EndWaitingThread());
    }
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(NAME));
}

static const TEST Tests[] = {
    {"a tracked open that waits ends with its thread", TestTerminated, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_WIN32},
};

const TEST_GROUP WaitTests = {Tests, COUNT_OF(Tests)};
