/* Win32's and NT's operations on files, and the choice between them and the test file system's commands. */
#include "operations.h"
#include "device.h"
#include "hostfiles.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define DESCRIPTOR_CAPACITY 4096u
#define RANGE 4096u

/* NtCreateFile's, which no header for Win32 programs has. */
#define NT_SUPERSEDE 0u
#define NT_OPEN 1u
#define NT_SYNCHRONOUS 0x20u
#define NT_NOT_A_DIRECTORY 0x40u
#define NT_BY_FILE_ID 0x2000u
#define NT_CASE_INSENSITIVE 0x40u

static HANDLE OpenWith(const WCHAR *path, DWORD access, DWORD disposition, DWORD flags)
{
    return KeepHandle(CreateFileW(path, access, SHARE_ALL, NULL, disposition, flags, NULL));
}

static HANDLE OpenNamed(const WCHAR *name, DWORD access, DWORD disposition, DWORD flags)
{
    WCHAR path[PATH_CAPACITY];

    FilesPath(name, path);
    return OpenWith(path, access, disposition, flags);
}

/* What an operation on a file came to, whose handle is closed. */
static DWORD Finish(HANDLE file, BOOL done)
{
    const DWORD error = done ? ERROR_SUCCESS : GetLastError();

    CloseKept(file);
    return error;
}

/* A full Win32 path as NT has it: \??\C:\..., \??\UNC\server\... */
static BOOL MakeNtPath(const WCHAR *path, WCHAR *nt)
{
    const BOOL isLocal = path[0] != L'\\';
    const BOOL isDevice = !isLocal && (path[2] == L'.' || path[2] == L'?') && path[3] == L'\\';

    nt[0] = 0;
    return WideAppend(nt, PATH_CAPACITY, isLocal || isDevice ? L"\\??\\" : L"\\??\\UNC\\") &&
           WideAppend(nt, PATH_CAPACITY, isLocal ? path : path + (isDevice ? 4 : 2));
}

static HANDLE OpenNt(HANDLE root, const NT_STRING *name, ULONG access, ULONG disposition, ULONG options)
{
    const NT_ATTRIBUTES attributes = {
        .Length = sizeof(attributes), .RootDirectory = root, .ObjectName = name, .Attributes = NT_CASE_INSENSITIVE};
    NT_STATUS_BLOCK block;
    HANDLE file = NULL;
    const LONG status = Nt.CreateFile(&file, access | SYNCHRONIZE, &attributes, &block, NULL, FILE_ATTRIBUTE_NORMAL,
                                      SHARE_ALL, disposition, options | NT_SYNCHRONOUS | NT_NOT_A_DIRECTORY, NULL, 0);

    if (status < 0) {
        Note("NtCreateFile: status %x %s", (ULONG)status, StatusName((ULONG)status));
        SetLastError(Nt.StatusToError(status));
        return INVALID_HANDLE_VALUE;
    }
    return KeepHandle(file);
}

DWORD FilesOverwrite(const WCHAR *name)
{
    HANDLE file;

    if (!Volume.Win32) {
        return HostFilesCommand(L"overwrite", name, NULL);
    }
    file = OpenNamed(name, GENERIC_WRITE, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL);
    return Finish(file, file != INVALID_HANDLE_VALUE);
}

DWORD FilesSupersede(const WCHAR *name)
{
    WCHAR path[PATH_CAPACITY];
    WCHAR nt[PATH_CAPACITY];
    NT_STRING string;
    HANDLE file;

    if (!Volume.Win32) {
        return HostFilesCommand(L"supersede", name, NULL);
    }
    FilesPath(name, path);
    if (!MakeNtPath(path, nt)) {
        return ERROR_FILENAME_EXCED_RANGE;
    }
    string.Buffer = nt;
    string.Length = string.MaximumLength = (USHORT)(WideLength(nt) * sizeof(WCHAR));
    file = OpenNt(NULL, &string, FILE_GENERIC_WRITE | DELETE, NT_SUPERSEDE, 0);
    return Finish(file, file != INVALID_HANDLE_VALUE);
}

DWORD FilesResize(const WCHAR *name, ULONG bytes)
{
    HANDLE file;

    if (!Volume.Win32) {
        WCHAR number[16] = L"";

        (void)WideAppendNumber(number, COUNT_OF(number), bytes);
        return HostFilesCommand(L"resize", name, number);
    }
    file = OpenNamed(name, GENERIC_WRITE, OPEN_EXISTING, 0);
    return Finish(file, file != INVALID_HANDLE_VALUE && SetFilePointer(file, (LONG)bytes, NULL, FILE_BEGIN) == bytes &&
                            SetEndOfFile(file));
}

DWORD FilesSetAttributes(const WCHAR *name, DWORD attributes)
{
    static const FILETIME time = {0, 0x01C00000};
    WCHAR path[PATH_CAPACITY];
    HANDLE file;

    if (!Volume.Win32) {
        WCHAR number[16] = L"";

        (void)WideAppendNumber(number, COUNT_OF(number), attributes);
        return HostFilesCommand(L"attributes", name, number);
    }
    FilesPath(name, path);
    if (!SetFileAttributesW(path, attributes)) {
        return GetLastError();
    }
    file = OpenWith(path, FILE_WRITE_ATTRIBUTES, OPEN_EXISTING, 0);
    return Finish(file, file != INVALID_HANDLE_VALUE && SetFileTime(file, NULL, NULL, &time));
}

DWORD FilesRewriteSecurity(const WCHAR *name)
{
    static BYTE descriptor[DESCRIPTOR_CAPACITY];
    DWORD length;
    HANDLE file;

    if (!Volume.Win32) {
        return ERROR_NOT_SUPPORTED;
    }
    file = OpenNamed(name, READ_CONTROL | WRITE_DAC, OPEN_EXISTING, 0);
    return Finish(
        file, file != INVALID_HANDLE_VALUE &&
                  GetKernelObjectSecurity(file, DACL_SECURITY_INFORMATION, descriptor, sizeof(descriptor), &length) &&
                  SetKernelObjectSecurity(file, DACL_SECURITY_INFORMATION, descriptor));
}

DWORD FilesLockRange(const WCHAR *name)
{
    OVERLAPPED at = {0};
    HANDLE file;

    if (!Volume.Win32) {
        return ERROR_NOT_SUPPORTED;
    }
    file = OpenNamed(name, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, 0);
    return Finish(file, file != INVALID_HANDLE_VALUE &&
                            LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, RANGE, 0, &at) &&
                            UnlockFileEx(file, 0, RANGE, 0, &at));
}

DWORD FilesFlush(const WCHAR *name)
{
    const HANDLE file = OpenNamed(name, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, 0);

    return Finish(file, file != INVALID_HANDLE_VALUE && FlushFileBuffers(file));
}

DWORD FilesControl(const WCHAR *name, DWORD code, const void *input, DWORD length)
{
    const HANDLE file = OpenNamed(name, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, 0);
    BYTE copy[16];
    DWORD returned;

    memcpy(copy, input, length);
    return Finish(file, file != INVALID_HANDLE_VALUE &&
                            DeviceIoControl(file, code, length == 0 ? NULL : copy, length, NULL, 0, &returned, NULL));
}

/* \\.\C: or \\?\Volume{...}, from the root. */
static BOOL MakeVolumePath(WCHAR *path)
{
    const size_t length = WideLength(Volume.Root);

    path[0] = 0;
    if (length == 0 || Volume.Remote || (Volume.Root[0] != L'\\' && !WideAppend(path, PATH_CAPACITY, L"\\\\.\\")) ||
        !WideAppend(path, PATH_CAPACITY, Volume.Root)) {
        return FALSE;
    }
    path[WideLength(path) - 1] = 0;
    return TRUE;
}

HANDLE OpenVolume(void)
{
    WCHAR path[PATH_CAPACITY];

    if (!Volume.Win32) {
        return OpenNamed(L"volume", GENERIC_READ, OPEN_EXISTING, 0);
    }
    if (!MakeVolumePath(path)) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return INVALID_HANDLE_VALUE;
    }
    return OpenWith(path, GENERIC_READ, OPEN_EXISTING, 0);
}

HANDLE OpenPagingFile(void)
{
    WCHAR path[PATH_CAPACITY] = L"";

    if (!Volume.Win32) {
        return OpenNamed(L"pagefile.sys", GENERIC_READ, OPEN_EXISTING, 0);
    }
    if (!WideAppend(path, PATH_CAPACITY, Volume.Root) || !WideAppend(path, PATH_CAPACITY, L"pagefile.sys")) {
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
        return INVALID_HANDLE_VALUE;
    }
    return OpenWith(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, 0);
}

DWORD FilesDismount(void)
{
    HANDLE volume;
    DWORD returned;

    if (!Volume.Win32) {
        return FilesRemount();
    }
    volume = OpenVolume();
    return Finish(volume, volume != INVALID_HANDLE_VALUE &&
                              DeviceIoControl(volume, FSCTL_DISMOUNT_VOLUME, NULL, 0, NULL, 0, &returned, NULL));
}

HANDLE OpenUnbuffered(const WCHAR *name)
{
    return OpenNamed(name, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_NO_BUFFERING);
}

BOOL FileNumber(HANDLE file, ULONG64 *number)
{
    BY_HANDLE_FILE_INFORMATION information;

    if (!GetFileInformationByHandle(file, &information)) {
        return FALSE;
    }
    *number = (ULONG64)information.nFileIndexHigh << 32 | information.nFileIndexLow;
    return TRUE;
}

HANDLE OpenByNumber(ULONG64 number)
{
    const NT_STRING name = {sizeof(number), sizeof(number), (const WCHAR *)&number};
    const HANDLE directory =
        OpenWith(Volume.Directory, FILE_READ_ATTRIBUTES, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    const HANDLE file = OpenNt(directory, &name, FILE_GENERIC_READ | FILE_GENERIC_WRITE, NT_OPEN, NT_BY_FILE_ID);
    const DWORD error = GetLastError();

    CloseKept(directory);
    SetLastError(error);
    return file;
}

/* The file below what stands for Volume.Root. */
static HANDLE OpenBelow(WCHAR *path, const WCHAR *name)
{
    const size_t root = WideLength(Volume.Root);

    if (WideLength(Volume.Directory) < root || !WideAppend(path, PATH_CAPACITY, Volume.Directory + root) ||
        !WideAppend(path, PATH_CAPACITY, L"\\") || !WideAppend(path, PATH_CAPACITY, name)) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return INVALID_HANDLE_VALUE;
    }
    Note("second path: %w", path);
    return OpenWith(path, GENERIC_READ, OPEN_EXISTING, 0);
}

/* Below \\?\Volume{...}\, or else below \\?\GLOBALROOT\Device\HarddiskVolume1\. */
HANDLE OpenByVolumeName(const WCHAR *name)
{
    WCHAR drive[3] = {Volume.Root[0], L':', 0};
    WCHAR device[PATH_CAPACITY];
    WCHAR path[PATH_CAPACITY];
    HANDLE file = INVALID_HANDLE_VALUE;

    if (Volume.Root[0] != 0 && GetVolumeNameForVolumeMountPointW(Volume.Root, path, PATH_CAPACITY)) {
        file = OpenBelow(path, name);
    }
    path[0] = 0;
    if (file == INVALID_HANDLE_VALUE && Volume.Root[0] != 0 && WideLength(Volume.Root) == 3 &&
        QueryDosDeviceW(drive, device, PATH_CAPACITY) != 0 && WideAppend(path, PATH_CAPACITY, L"\\\\?\\GLOBALROOT") &&
        WideAppend(path, PATH_CAPACITY, device) && WideAppend(path, PATH_CAPACITY, L"\\")) {
        file = OpenBelow(path, name);
    }
    return file;
}
