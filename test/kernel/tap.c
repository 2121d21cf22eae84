/* Writes TAP: results, diagnostics, the plan. */
#include "tap.h"

#define LINE_CAPACITY 700u
#define FAILURE_CAPACITY 6u

typedef struct _FAILURE {
    const char *File;
    const char *What;
    ULONG Line;
    VALUE_KIND Kind;
    ULONG64 Expected;
    ULONG64 Got;
} FAILURE;

static FAILURE Failures[FAILURE_CAPACITY];
static volatile LONG FailureCount; /* of the running test; those past the capacity are counted only */
static const char *TestName = "start";
static const char *SkipReason;
static ULONG TestCount;
static ULONG FailedCount;
static ULONG SkippedCount;
static volatile LONG ProgressCount;
static void (*volatile TakeBack)(void);

static const struct {
    LONG Status;
    const char *Name;
} StatusNames[] = {
    {STATUS_SUCCESS, "STATUS_SUCCESS"},
    {STATUS_PENDING, "STATUS_PENDING"},
    {STATUS_TIMEOUT, "STATUS_TIMEOUT"},
    {STATUS_BUFFER_OVERFLOW, "STATUS_BUFFER_OVERFLOW"},
    {STATUS_NOT_IMPLEMENTED, "STATUS_NOT_IMPLEMENTED"},
    {STATUS_INFO_LENGTH_MISMATCH, "STATUS_INFO_LENGTH_MISMATCH"},
    {STATUS_ACCESS_VIOLATION, "STATUS_ACCESS_VIOLATION"},
    {STATUS_INVALID_HANDLE, "STATUS_INVALID_HANDLE"},
    {STATUS_INVALID_PARAMETER, "STATUS_INVALID_PARAMETER"},
    {STATUS_INVALID_DEVICE_REQUEST, "STATUS_INVALID_DEVICE_REQUEST"},
    {STATUS_NO_MEMORY, "STATUS_NO_MEMORY"},
    {STATUS_ACCESS_DENIED, "STATUS_ACCESS_DENIED"},
    {STATUS_BUFFER_TOO_SMALL, "STATUS_BUFFER_TOO_SMALL"},
    {STATUS_OBJECT_TYPE_MISMATCH, "STATUS_OBJECT_TYPE_MISMATCH"},
    {STATUS_OBJECT_NAME_INVALID, "STATUS_OBJECT_NAME_INVALID"},
    {STATUS_OBJECT_NAME_NOT_FOUND, "STATUS_OBJECT_NAME_NOT_FOUND"},
    {STATUS_OBJECT_NAME_COLLISION, "STATUS_OBJECT_NAME_COLLISION"},
    {STATUS_QUOTA_EXCEEDED, "STATUS_QUOTA_EXCEEDED"},
    {STATUS_DELETE_PENDING, "STATUS_DELETE_PENDING"},
    {STATUS_REVISION_MISMATCH, "STATUS_REVISION_MISMATCH"},
    {STATUS_INSUFFICIENT_RESOURCES, "STATUS_INSUFFICIENT_RESOURCES"},
    {STATUS_NOT_SUPPORTED, "STATUS_NOT_SUPPORTED"},
    {STATUS_CANCELLED, "STATUS_CANCELLED"},
    {STATUS_FILE_CLOSED, "STATUS_FILE_CLOSED"},
    {STATUS_INVALID_BUFFER_SIZE, "STATUS_INVALID_BUFFER_SIZE"},
    {STATUS_NOT_FOUND, "STATUS_NOT_FOUND"},
};

const char *StatusName(ULONG status)
{
    for (size_t index = 0; index < COUNT_OF(StatusNames); index += 1) {
        if ((ULONG)StatusNames[index].Status == status) {
            return StatusNames[index].Name;
        }
    }
    return "no name";
}

/* One write for a line, so that lines of several threads do not mix. A closed or full output cannot be told to anybody. */
static void PrintList(const char *prefix, const char *format, va_list arguments)
{
    char line[LINE_CAPACITY];
    size_t length = Format(line, sizeof(line), "%s", prefix);
    DWORD written;

    length += FormatList(line + length, sizeof(line) - 1 - length, format, arguments);
    line[length++] = '\n';
    (void)WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)length, &written, NULL);
    Progress();
}

void Print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    PrintList("", format, arguments);
    va_end(arguments);
}

void Note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    PrintList("# ", format, arguments);
    va_end(arguments);
}

void OnBailOut(void (*routine)(void))
{
    TakeBack = routine;
}

void BailOut(const char *format, ...)
{
    void (*takeBack)(void);
    va_list arguments;

    va_start(arguments, format);
    PrintList("Bail out! ", format, arguments);
    va_end(arguments);
    takeBack = (void (*)(void))InterlockedExchangePointer((PVOID volatile *)&TakeBack, NULL);
    if (takeBack != NULL) {
        takeBack();
    }
    /* Not ExitProcess: a thread that is stuck may hold the loader's lock. */
    for (;;) {
        (void)TerminateProcess(GetCurrentProcess(), 1);
        Sleep(1000);
    }
}

void Progress(void)
{
    (void)InterlockedIncrement(&ProgressCount);
}

static DWORD WINAPI Watch(void *unused)
{
    LONG seen = ProgressCount;
    ULONG seconds = 0;

    (void)unused;
    for (;;) {
        Sleep(1000);
        if (ProgressCount != seen) {
            seen = ProgressCount;
            seconds = 0;
        } else {
            seconds += 1;
            if (seconds == 120) {
                BailOut("%s: no progress for 120 seconds", TestName);
            }
        }
    }
}

static LONG WINAPI TellException(EXCEPTION_POINTERS *pointers)
{
    BailOut("%s: exception %x at %X", TestName, pointers->ExceptionRecord->ExceptionCode,
            (ULONG64)(ULONG_PTR)pointers->ExceptionRecord->ExceptionAddress);
}

void GuardProcess(void)
{
    HANDLE thread;

    (void)SetUnhandledExceptionFilter(TellException);
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    thread = CreateThread(NULL, 0, Watch, NULL, 0, NULL);
    if (thread == NULL) {
        BailOut("no watchdog: CreateThread fails with error %u", GetLastError());
    }
    (void)CloseHandle(thread);
}

void TapBegin(void)
{
    Print("TAP version 13");
}

void TestBegin(const char *name)
{
    TestName = name;
    SkipReason = NULL;
    FailureCount = 0;
    Progress();
}

void Skip(const char *reason)
{
    SkipReason = reason;
}

BOOL Check(const char *file, ULONG line, const char *what, VALUE_KIND kind, ULONG64 expected, ULONG64 got)
{
    LONG index;

    Progress();
    if (expected == got) {
        return TRUE;
    }
    index = InterlockedIncrement(&FailureCount) - 1;
    if (index < (LONG)FAILURE_CAPACITY) {
        const FAILURE failure = {file, what, line, kind, expected, got};

        Failures[index] = failure;
    }
    return FALSE;
}

static const char *FileName(const char *path)
{
    const char *name = path;

    for (; *path != 0; path += 1) {
        if (*path == '/' || *path == '\\') {
            name = path + 1;
        }
    }
    return name;
}

static void PrintValue(const char *key, VALUE_KIND kind, ULONG64 value)
{
    switch (kind) {
    case ValueIsStatus:
        Print("    %s: '%x %s'", key, (ULONG)value, StatusName((ULONG)value));
        break;
    case ValueIsTruth:
        Print("    %s: %s", key, value != 0 ? "true" : "false");
        break;
    default:
        Print("    %s: '%U (%X)'", key, value, value);
        break;
    }
}

static void PrintFailures(void)
{
    const ULONG count = (ULONG)FailureCount;

    Print("  ---");
    Print("  failures: %u", count);
    Print("  first:");
    for (ULONG index = 0; index < count && index < FAILURE_CAPACITY; index += 1) {
        const FAILURE *failure = &Failures[index];

        Print("  - at: %s:%u", FileName(failure->File), failure->Line);
        Print("    what: >-");
        Print("      %s", failure->What);
        PrintValue("expected", failure->Kind, failure->Expected);
        PrintValue("got", failure->Kind, failure->Got);
    }
    Print("  ...");
}

TEST_STATE TestState(void)
{
    if (FailureCount != 0) {
        return TestFailed;
    }
    return SkipReason != NULL ? TestSkipped : TestPassed;
}

void TestEnd(void)
{
    TestCount += 1;
    if (FailureCount != 0) {
        FailedCount += 1;
        Print("not ok %u - %s", TestCount, TestName);
        PrintFailures();
    } else if (SkipReason != NULL) {
        SkippedCount += 1;
        Print("ok %u - %s # SKIP %s", TestCount, TestName, SkipReason);
    } else {
        Print("ok %u - %s", TestCount, TestName);
    }
}

BOOL TapEnd(void)
{
    Print("1..%u", TestCount);
    Note("%u passed, %u failed, %u skipped", TestCount - FailedCount - SkippedCount, FailedCount, SkippedCount);
    return FailedCount == 0;
}
