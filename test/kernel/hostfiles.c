/* Sends commands to the test file system: each a write of UTF-16 text, answered by a read of an NTSTATUS. */
#include "hostfiles.h"

#define COMMAND_CAPACITY 600u
#define CONTROL_NAME L"\\\\.\\PsHostFsControl"

/* A write and its read belong together; the lock keeps threads apart. */
static CRITICAL_SECTION Lock;
static HANDLE ControlHandle = INVALID_HANDLE_VALUE;

DWORD HostFilesBegin(void)
{
    ControlHandle = CreateFileW(CONTROL_NAME, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, 0, NULL);
    if (ControlHandle == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    InitializeCriticalSection(&Lock);
    return ERROR_SUCCESS;
}

void HostFilesEnd(void)
{
    (void)CloseHandle(ControlHandle);
    DeleteCriticalSection(&Lock);
}

static DWORD ErrorFromStatus(LONG status)
{
    switch (status) {
    case STATUS_SUCCESS:
        return ERROR_SUCCESS;
    case STATUS_OBJECT_NAME_NOT_FOUND:
        return ERROR_FILE_NOT_FOUND;
    case STATUS_OBJECT_NAME_COLLISION:
        return ERROR_ALREADY_EXISTS;
    case STATUS_DELETE_PENDING:
    case STATUS_ACCESS_DENIED:
        return ERROR_ACCESS_DENIED;
    default:
        return ERROR_GEN_FAILURE;
    }
}

DWORD HostFilesCommand(const WCHAR *verb, const WCHAR *first, const WCHAR *second)
{
    WCHAR command[COMMAND_CAPACITY] = L"";
    LONG answer[16];
    DWORD error = ERROR_SUCCESS;
    DWORD length;
    BOOL fits = WideAppend(command, COMMAND_CAPACITY, verb);

    if (first != NULL) {
        fits = fits && WideAppend(command, COMMAND_CAPACITY, L"|") && WideAppend(command, COMMAND_CAPACITY, first);
    }
    if (second != NULL) {
        fits = fits && WideAppend(command, COMMAND_CAPACITY, L"|") && WideAppend(command, COMMAND_CAPACITY, second);
    }
    if (!fits) {
        return ERROR_FILENAME_EXCED_RANGE;
    }
    EnterCriticalSection(&Lock);
    length = (DWORD)(WideLength(command) * sizeof(WCHAR));
    if (!WriteFile(ControlHandle, command, length, &length, NULL) ||
        !ReadFile(ControlHandle, answer, sizeof(answer), &length, NULL)) {
        error = GetLastError();
    } else {
        error = length < sizeof(answer[0]) ? ERROR_INVALID_DATA : ErrorFromStatus(answer[0]);
    }
    LeaveCriticalSection(&Lock);
    return error;
}
