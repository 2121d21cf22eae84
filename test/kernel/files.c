/* Win32's files, and the choice between them and the test file system's. */
#include "files.h"
#include "device.h"
#include "hostfiles.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define SAMPLES 4u
#define NAME_CAPACITY 280u
#define WAIT_STEP 20u
#define WAIT_STEPS 150u

VOLUME Volume;

static WCHAR Samples[SAMPLES][NAME_CAPACITY];
static BOOL MadeDirectory;

static DWORD ErrorUnless(BOOL success)
{
    return success ? ERROR_SUCCESS : GetLastError();
}

void FilesPath(const WCHAR *name, WCHAR *path)
{
    path[0] = 0;
    if (!WideAppend(path, PATH_CAPACITY, Volume.Directory) || !WideAppend(path, PATH_CAPACITY, L"\\") ||
        !WideAppend(path, PATH_CAPACITY, name)) {
        BailOut("the directory's name is too long");
    }
}

DWORD FilesMake(const WCHAR *name)
{
    WCHAR path[PATH_CAPACITY];
    HANDLE handle;

    if (!Volume.Win32) {
        return HostFilesCommand(L"create", name, NULL);
    }
    FilesPath(name, path);
    handle = CreateFileW(path, GENERIC_WRITE, SHARE_ALL, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (handle == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    (void)CloseHandle(handle);
    return ERROR_SUCCESS;
}

DWORD FilesMakeDirectory(const WCHAR *name)
{
    WCHAR path[PATH_CAPACITY];

    if (!Volume.Win32) {
        return HostFilesCommand(L"mkdir", name, NULL);
    }
    FilesPath(name, path);
    return ErrorUnless(CreateDirectoryW(path, NULL));
}

DWORD FilesLink(const WCHAR *name, const WCHAR *link)
{
    WCHAR path[PATH_CAPACITY];
    WCHAR newPath[PATH_CAPACITY];

    if (!Volume.Win32) {
        return HostFilesCommand(L"link", name, link);
    }
    FilesPath(name, path);
    FilesPath(link, newPath);
    return ErrorUnless(CreateHardLinkW(newPath, path, NULL));
}

DWORD FilesRename(const WCHAR *name, const WCHAR *newName)
{
    WCHAR path[PATH_CAPACITY];
    WCHAR newPath[PATH_CAPACITY];

    if (!Volume.Win32) {
        return HostFilesCommand(L"rename", name, newName);
    }
    FilesPath(name, path);
    FilesPath(newName, newPath);
    return ErrorUnless(MoveFileExW(path, newPath, 0));
}

DWORD FilesDelete(const WCHAR *name)
{
    WCHAR path[PATH_CAPACITY];

    if (!Volume.Win32) {
        return HostFilesCommand(L"delete", name, NULL);
    }
    FilesPath(name, path);
    return ErrorUnless(DeleteFileW(path));
}

DWORD FilesDeleteDirectory(const WCHAR *name)
{
    WCHAR path[PATH_CAPACITY];

    if (!Volume.Win32) {
        return HostFilesCommand(L"delete", name, NULL);
    }
    FilesPath(name, path);
    return ErrorUnless(RemoveDirectoryW(path));
}

HANDLE FilesOpen(const WCHAR *name, DWORD access)
{
    WCHAR path[PATH_CAPACITY];

    FilesPath(name, path);
    return KeepHandle(CreateFileW(path, access, SHARE_ALL, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL));
}

HANDLE FilesOpenDirectory(const WCHAR *name)
{
    WCHAR path[PATH_CAPACITY];

    FilesPath(name, path);
    if (!Volume.Win32 && !WideAppend(path, PATH_CAPACITY, L"::$INDEX_ALLOCATION")) {
        BailOut("a directory's name is too long");
    }
    return KeepHandle(
        CreateFileW(path, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
}

HANDLE OpenSample(ULONG number)
{
    const HANDLE handle = FilesOpen(Samples[number], GENERIC_READ);

    if (handle == INVALID_HANDLE_VALUE) {
        Note("cannot open %w: error %u", Samples[number], GetLastError());
    }
    (void)EXPECT(handle != INVALID_HANDLE_VALUE);
    return handle;
}

HANDLE MakeAndOpen(const WCHAR *name)
{
    HANDLE handle = INVALID_HANDLE_VALUE;

    if (EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name))) {
        handle = FilesOpen(name, GENERIC_READ | GENERIC_WRITE | DELETE);
        (void)EXPECT(handle != INVALID_HANDLE_VALUE);
    }
    return handle;
}

BOOL WaitUntil(BOOL (*routine)(void *), void *context)
{
    BOOL done = routine(context);

    for (ULONG step = 0; step < WAIT_STEPS && !done; step += 1) {
        Sleep(WAIT_STEP);
        Progress();
        done = routine(context);
    }
    return done;
}

/* A directory of this process's own below Volume.Directory, which becomes the new one. */
static DWORD MakeOwnDirectory(void)
{
    WCHAR path[PATH_CAPACITY];

    FilesPath(L"psctx-selftest-", path);
    if (!WideAppendNumber(path, PATH_CAPACITY, GetCurrentProcessId())) {
        return ERROR_FILENAME_EXCED_RANGE;
    }
    if (!CreateDirectoryW(path, NULL)) {
        return GetLastError();
    }
    memcpy(Volume.Directory, path, sizeof(path));
    MadeDirectory = TRUE;
    return ERROR_SUCCESS;
}

/* What the system says of the volume that the directory is on. */
static void DescribeVolume(void)
{
    WCHAR type[32];
    DWORD length = 0;
    DWORD flags = 0;

    if (!GetVolumePathNameW(Volume.Directory, Volume.Root, PATH_CAPACITY)) {
        Volume.Root[0] = 0;
        Note("the volume's root is not known: error %u", GetLastError());
        return;
    }
    Volume.Remote = GetDriveTypeW(Volume.Root) == DRIVE_REMOTE;
    if (!GetVolumeInformationW(Volume.Root, NULL, 0, NULL, &length, &flags, type, COUNT_OF(type))) {
        Note("volume %w: GetVolumeInformation fails with error %u", Volume.Root, GetLastError());
        return;
    }
    Volume.NamedStreams = (flags & FILE_NAMED_STREAMS) != 0;
    if ((flags & FILE_READ_ONLY_VOLUME) != 0) {
        Volume.Writable = FALSE;
    }
    Note("volume %w: %w, flags %x%s", Volume.Root, type, flags, Volume.Remote ? ", remote" : "");
}

static DWORD MakeSamples(void)
{
    for (ULONG number = 0; number < SAMPLES; number += 1) {
        DWORD error;

        Samples[number][0] = 0;
        (void)WideAppend(Samples[number], NAME_CAPACITY, L"sample-");
        (void)WideAppendNumber(Samples[number], NAME_CAPACITY, number);
        error = FilesMake(Samples[number]);
        if (error != ERROR_SUCCESS) {
            return error;
        }
    }
    Volume.SampleCount = SAMPLES;
    return ERROR_SUCCESS;
}

DWORD FilesRemount(void)
{
    DWORD error = HostFilesCommand(L"dismount", NULL, NULL);

    if (error == ERROR_SUCCESS) {
        error = HostFilesCommand(L"mount", NULL, NULL);
    }
    return error == ERROR_SUCCESS ? MakeSamples() : error;
}

/* Takes files that are there already, in the directory itself. */
static void FindSamples(void)
{
    WCHAR path[PATH_CAPACITY];
    WIN32_FIND_DATAW found;
    HANDLE search;

    FilesPath(L"*", path);
    search = FindFirstFileW(path, &found);
    if (search == INVALID_HANDLE_VALUE) {
        return;
    }
    do {
        if ((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 && Volume.SampleCount < SAMPLES) {
            Samples[Volume.SampleCount][0] = 0;
            if (WideAppend(Samples[Volume.SampleCount], NAME_CAPACITY, found.cFileName)) {
                Volume.SampleCount += 1;
            }
        }
    } while (FindNextFileW(search, &found));
    (void)FindClose(search);
}

/* The directory asked for, or the temporary one, or one that any system has. */
static BOOL ChooseDirectory(void)
{
    DWORD length;

    if (Options.Volume != NULL) {
        length = GetFullPathNameW(Options.Volume, PATH_CAPACITY, Volume.Directory, NULL);
    } else {
        length = GetTempPathW(PATH_CAPACITY, Volume.Directory);
        if (length == 0 || length >= PATH_CAPACITY || GetFileAttributesW(Volume.Directory) == INVALID_FILE_ATTRIBUTES) {
            Note("no temporary directory: working in the Windows directory");
            length = GetWindowsDirectoryW(Volume.Directory, PATH_CAPACITY);
        }
    }
    if (length == 0 || length >= PATH_CAPACITY) {
        Note("no directory to work in: error %u", GetLastError());
        return FALSE;
    }
    while (length != 0 && Volume.Directory[length - 1] == L'\\') {
        length -= 1;
        Volume.Directory[length] = 0;
    }
    return TRUE;
}

static BOOL BeginWin32(void)
{
    DWORD error;

    Volume.Win32 = TRUE;
    Volume.Writable = TRUE;
    if (!ChooseDirectory()) {
        return FALSE;
    }
    error = MakeOwnDirectory();
    if (error == ERROR_WRITE_PROTECT || error == ERROR_ACCESS_DENIED || error == ERROR_INVALID_FUNCTION ||
        error == ERROR_NOT_SUPPORTED) {
        Note("%w takes no new directory (error %u): using files that are there", Volume.Directory, error);
        Volume.Writable = FALSE;
        DescribeVolume();
        FindSamples();
        return TRUE;
    }
    if (error != ERROR_SUCCESS) {
        Note("cannot make a directory in %w: error %u", Volume.Directory, error);
        return FALSE;
    }
    DescribeVolume();
    error = MakeSamples();
    if (error != ERROR_SUCCESS) {
        Note("cannot make files in %w: error %u", Volume.Directory, error);
        (void)FilesEnd();
        return FALSE;
    }
    return TRUE;
}

static BOOL BeginHostFiles(void)
{
    DWORD error;

    (void)WideAppend(Volume.Directory, PATH_CAPACITY, HOST_FILES_DIRECTORY);
    Volume.Writable = TRUE;
    Volume.NamedStreams = TRUE;
    error = HostFilesBegin();
    if (error == ERROR_SUCCESS) {
        error = MakeSamples();
    }
    if (error != ERROR_SUCCESS) {
        Note("the test file system does not answer: error %u", error);
    }
    return error == ERROR_SUCCESS;
}

BOOL FilesBegin(void)
{
    return Options.Volume != NULL && WideEqual(Options.Volume, HOST_FILES_DIRECTORY) ? BeginHostFiles() : BeginWin32();
}

/* Deletes what is in the directory of our own, one level of directories included, which is all that tests make. */
static void EmptyDirectory(const WCHAR *directory, BOOL isTop)
{
    WCHAR path[PATH_CAPACITY];
    WIN32_FIND_DATAW found;
    HANDLE search;

    path[0] = 0;
    (void)WideAppend(path, PATH_CAPACITY, directory);
    if (!WideAppend(path, PATH_CAPACITY, L"\\*")) {
        return;
    }
    search = FindFirstFileW(path, &found);
    if (search == INVALID_HANDLE_VALUE) {
        return;
    }
    do {
        const BOOL isDirectory = (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;

        if (WideEqual(found.cFileName, L".") || WideEqual(found.cFileName, L"..")) {
            continue;
        }
        path[0] = 0;
        if (!WideAppend(path, PATH_CAPACITY, directory) || !WideAppend(path, PATH_CAPACITY, L"\\") ||
            !WideAppend(path, PATH_CAPACITY, found.cFileName)) {
            continue;
        }
        if (isDirectory && isTop) {
            EmptyDirectory(path, FALSE);
        }
        if (isDirectory) {
            (void)RemoveDirectoryW(path);
        } else {
            (void)SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
            (void)DeleteFileW(path);
        }
    } while (FindNextFileW(search, &found));
    (void)FindClose(search);
}

static BOOL TryToRemoveDirectory(void *unused)
{
    (void)unused;
    EmptyDirectory(Volume.Directory, TRUE);
    return RemoveDirectoryW(Volume.Directory);
}

BOOL FilesEnd(void)
{
    BOOL removed = TRUE;

    if (!Volume.Win32) {
        for (ULONG number = 0; number < Volume.SampleCount; number += 1) {
            removed = FilesDelete(Samples[number]) == ERROR_SUCCESS && removed;
        }
        HostFilesEnd();
        return removed;
    }
    if (!MadeDirectory) {
        return TRUE;
    }
    removed = WaitUntil(TryToRemoveDirectory, NULL);
    if (!removed) {
        Note("cannot remove %w: error %u", Volume.Directory, GetLastError());
    }
    MadeDirectory = FALSE;
    return removed;
}
