/* What contexts outlive while their stream is in use. */
#include "conformance.h"
#include "operations.h"

#define SMALL 512u
#define LARGE 262144u

static BOOL IsBusy(DWORD error)
{
    return error == ERROR_SHARING_VIOLATION || error == ERROR_ACCESS_DENIED || error == ERROR_USER_MAPPED_FILE;
}

/* A stream with a context through the operation, which may be refused for a file that is in use. */
static void CheckOperation(const WCHAR *name, const WCHAR *later, DWORD (*operate)(const WCHAR *), const char *reason)
{
    STREAM stream;
    DWORD error;

    if (!BeginStream(&stream, name)) {
        return;
    }
    error = operate(name);
    if (error == ERROR_SUCCESS) {
        ExpectUntouched(&stream, later);
    } else if (IsBusy(error)) {
        Note("error %u", error);
        Skip("this file system does not do that to a file that is open");
    } else {
        Refused(error, reason);
    }
    EndStream(&stream, error == ERROR_SUCCESS ? later : name);
}

static DWORD CloseOthers(const WCHAR *name)
{
    for (ULONG round = 0; round < 3; round += 1) {
        const HANDLE first = FilesOpen(name, GENERIC_READ);
        const HANDLE second = FilesOpen(name, GENERIC_READ | GENERIC_WRITE);

        if (first == INVALID_HANDLE_VALUE || second == INVALID_HANDLE_VALUE) {
            return GetLastError();
        }
        CloseKept(first);
        CloseKept(second);
    }
    return ERROR_SUCCESS;
}

static void CheckOtherHandlesClose(void)
{
    CheckOperation(L"others", L"others", CloseOthers, "a file is opened once at a time here");
}

static DWORD Rename(const WCHAR *name)
{
    return FilesRename(name, L"renamed");
}

static void CheckRename(void)
{
    CheckOperation(L"rename", L"renamed", Rename, "this file system renames no file");
}

static DWORD Move(const WCHAR *name)
{
    return FilesRename(name, L"elsewhere\\moved");
}

static void CheckMove(void)
{
    if (EXPECT_EQUAL(ERROR_SUCCESS, FilesMakeDirectory(L"elsewhere"))) {
        CheckOperation(L"move", L"elsewhere\\moved", Move, "this file system moves no file");
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDeleteDirectory(L"elsewhere"));
    }
}

static void CheckOverwrite(void)
{
    CheckOperation(L"overwrite", L"overwrite", FilesOverwrite, "this file system overwrites no file");
}

static void CheckSupersede(void)
{
    CheckOperation(L"supersede", L"supersede", FilesSupersede, "this file system supersedes no file");
}

/* Longer first, without the context: then there is something to cut. */
static void CheckTruncate(void)
{
    STREAM stream;

    if (!BeginStream(&stream, L"truncate")) {
        return;
    }
    (void)EXPECT_SUCCESS(Remove(&stream.Session, HandleValue(stream.File), OWNER, INSTANCE, NULL));
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesResize(L"truncate", LARGE));
    if (InsertInto(&stream.Session, stream.File, OWNER, INSTANCE)) {
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesResize(L"truncate", SMALL));
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesResize(L"truncate", 0));
        ExpectUntouched(&stream, L"truncate");
    }
    EndStream(&stream, L"truncate");
}

static DWORD Extend(const WCHAR *name)
{
    const DWORD error = FilesResize(name, SMALL);

    return error == ERROR_SUCCESS ? FilesResize(name, LARGE) : error;
}

static void CheckExtend(void)
{
    CheckOperation(L"extend", L"extend", Extend, "this file system extends no file");
}

static DWORD ChangeAttributes(const WCHAR *name)
{
    const DWORD error = FilesSetAttributes(name, FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_ARCHIVE);

    return error == ERROR_SUCCESS ? FilesSetAttributes(name, FILE_ATTRIBUTE_NORMAL) : error;
}

static void CheckAttributes(void)
{
    CheckOperation(L"attributes", L"attributes", ChangeAttributes, "this file system changes no attributes");
}

static void CheckSecurity(void)
{
    CheckOperation(L"security", L"security", FilesRewriteSecurity, "no security descriptor can be set here");
}

static void CheckByteRangeLock(void)
{
    CheckOperation(L"lock", L"lock", FilesLockRange, "no range of bytes can be locked here");
}

static void CheckFlush(void)
{
    CheckOperation(L"flush", L"flush", FilesFlush, "no file can be flushed here");
}

/* A view of a section is the stream's last reference. */
static void CheckMapped(STREAM *stream, const WCHAR *name, const BYTE *view)
{
    PSCTX_STATISTICS_REPLY statistics;
    HANDLE later;

    CloseKept(stream->File);
    Sleep(200);
    (void)EXPECT_EQUAL(0, *view);
    if (EXPECT_SUCCESS(QueryStatistics(&stream->Session, &statistics))) {
        (void)HOLDS(statistics.SessionTornDown == 0, "nothing is torn down while a view is mapped");
    }
    later = FilesOpen(name, GENERIC_READ);
    (void)HOLDS(later != INVALID_HANDLE_VALUE && Finds(&stream->Session, later, OWNER, INSTANCE),
                "an open finds the context that a mapped view has kept");
    CloseKept(later);
    (void)UnmapViewOfFile(view);
    (void)AwaitTeardown(&stream->Session, 1, name);
}

static void CheckMapping(void)
{
    static const WCHAR name[] = L"mapping";
    BYTE page[SMALL] = {0};
    STREAM stream;
    HANDLE mapping;
    const BYTE *view = NULL;
    DWORD written;

    if (!BeginStream(&stream, name)) {
        return;
    }
    (void)EXPECT(WriteFile(stream.File, page, sizeof(page), &written, NULL));
    mapping = KeepHandle(CreateFileMappingW(stream.File, NULL, PAGE_READONLY, 0, 0, NULL));
    if (mapping != NULL) {
        view = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
    }
    if (view == NULL) {
        Note("error %u", GetLastError());
        Skip("no file can be mapped here");
    }
    CloseKept(mapping);
    if (view != NULL) {
        CheckMapped(&stream, name, view);
    }
    EndStream(&stream, name);
}

#define NEEDS_FILES (NEEDS_CONTEXTS | NEEDS_WRITABLE)

static const TEST Checks[] = {
    {"survival.other-handles-close", CheckOtherHandlesClose, NEEDS_FILES},
    {"survival.rename", CheckRename, NEEDS_FILES},
    {"survival.move", CheckMove, NEEDS_FILES},
    {"survival.overwrite", CheckOverwrite, NEEDS_FILES},
    {"survival.supersede", CheckSupersede, NEEDS_FILES},
    {"survival.truncate", CheckTruncate, NEEDS_FILES},
    {"survival.extend", CheckExtend, NEEDS_FILES},
    {"survival.attributes", CheckAttributes, NEEDS_FILES},
    {"survival.security", CheckSecurity, NEEDS_FILES},
    {"survival.byte-range-lock", CheckByteRangeLock, NEEDS_FILES},
    {"survival.mapping", CheckMapping, NEEDS_FILES | NEEDS_WIN32},
    {"survival.flush", CheckFlush, NEEDS_FILES},
};

const TEST_GROUP SurvivalChecks = {Checks, COUNT_OF(Checks)};
