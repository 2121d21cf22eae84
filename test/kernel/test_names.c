/* Which names tracking rules go by: the one that the file system tells, however a file was opened. */
#include "tests.h"

#define OWNER 31u
#define INSTANCE 32u
#define NAME L"psctx-named-at-length.text"
#define NAME_BYTES ((ULONG)(sizeof(NAME) - sizeof(WCHAR)))
#define OPEN_BY_ID 0x2000u
#define OPEN_EXISTING_FILE 1u

static const WCHAR Pattern[] = L"*\\\\PSCTX-NAMED-AT-LENGTH.TEXT";

#define PATTERN_LENGTH ((ULONG)(sizeof(Pattern) - sizeof(WCHAR)))

static LARGE_INTEGER FileId; /* of the file, or zero */

/* Before there is a rule, which this open would match. */
static void LearnFileId(void)
{
    BY_HANDLE_FILE_INFORMATION information;
    const HANDLE file = FilesOpen(NAME, GENERIC_READ);

    FileId.QuadPart = 0;
    if (EXPECT(GetFileInformationByHandle(file, &information))) {
        FileId.LowPart = information.nFileIndexLow;
        FileId.HighPart = (LONG)information.nFileIndexHigh;
    }
    CloseKept(file);
}

/* An open that is relative to an open directory, by name or by id. */
static HANDLE OpenRelative(HANDLE directory, const void *name, ULONG length, ULONG options)
{
    const NT_STRING string = {(USHORT)length, (USHORT)length, name};
    const NT_ATTRIBUTES attributes = {sizeof(attributes), directory, &string, 0, NULL, NULL};
    NT_STATUS_BLOCK block;
    HANDLE file;
    const LONG status =
        Nt.CreateFile(&file, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &attributes, &block, NULL, FILE_ATTRIBUTE_NORMAL,
                      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, OPEN_EXISTING_FILE, options, NULL, 0);

    if (status != STATUS_SUCCESS) {
        Note("an open relative to the directory, options %x: status %x %s", options, (ULONG)status,
             StatusName((ULONG)status));
        return INVALID_HANDLE_VALUE;
    }
    return KeepHandle(file);
}

static HANDLE OpenDirectory(void)
{
    return KeepHandle(CreateFileW(Volume.Directory, FILE_READ_ATTRIBUTES,
                                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                  FILE_FLAG_BACKUP_SEMANTICS, NULL));
}

static HANDLE OpenByName(void)
{
    return FilesOpen(NAME, GENERIC_READ);
}

static HANDLE OpenRelativeName(void)
{
    return OpenRelative(OpenDirectory(), NAME, NAME_BYTES, 0);
}

static HANDLE OpenById(void)
{
    return FileId.QuadPart == 0 ? INVALID_HANDLE_VALUE
                                : OpenRelative(OpenDirectory(), &FileId, sizeof(FileId), OPEN_BY_ID);
}

static HANDLE OpenByShortName(void)
{
    static WCHAR shortPath[PATH_CAPACITY];
    static WCHAR path[PATH_CAPACITY];
    DWORD length;

    FilesPath(NAME, path);
    length = GetShortPathNameW(path, shortPath, PATH_CAPACITY);
    if (length == 0 || length >= PATH_CAPACITY || WideEqual(path, shortPath)) {
        return INVALID_HANDLE_VALUE;
    }
    return KeepHandle(CreateFileW(shortPath, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL));
}

static HANDLE OpenDefaultStream(void)
{
    return Volume.NamedStreams ? FilesOpen(NAME L"::$DATA", GENERIC_READ) : INVALID_HANDLE_VALUE;
}

/* The name that the only context on the stream has kept ends in the file's own, after a separator. */
static void CheckKeptName(const SESSION *session, HANDLE file)
{
    static union {
        PSCTX_LIST_REPLY Reply;
        BYTE Bytes[8192];
    } list;
    const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)(&list.Reply + 1);

    if (EXPECT_SUCCESS(List(session, HandleValue(file), 0, &list, sizeof(list))) && EXPECT_EQUAL(1, list.Reply.Count) &&
        EXPECT(entry->NameLength > NAME_BYTES)) {
        const BYTE *end = (const BYTE *)(entry + 1) + entry->NameLength;

        (void)EXPECT(memcmp(end - NAME_BYTES, NAME, NAME_BYTES) == 0);
        (void)EXPECT(memcmp(end - NAME_BYTES - sizeof(WCHAR), L"\\", sizeof(WCHAR)) == 0);
    }
}

static BOOL IsFilterElsewhere(const SESSION *session, HANDLE file)
{
    PSCTX_STATISTICS_REPLY statistics;
    PSCTX_STREAM_REPLY stream;

    return EXPECT_SUCCESS(QueryStatistics(session, &statistics)) &&
           EXPECT_SUCCESS(QueryStream(session, HandleValue(file), &stream)) &&
           (statistics.AttachedVolumes == 0 || Volume.Remote || stream.DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM);
}

/* FALSE if the filter need not be on this volume, and is not. */
static BOOL CheckWay(const SESSION *session, const char *what, HANDLE (*open)(void))
{
    ULONG64 rule;
    HANDLE file;
    LONG status;

    if (!EXPECT_SUCCESS(Track(session, OWNER, INSTANCE, Pattern, PATTERN_LENGTH, &rule))) {
        return FALSE;
    }
    file = open();
    if (file == INVALID_HANDLE_VALUE) {
        Note("%s: no such open here", what);
    } else {
        status = Lookup(session, HandleValue(file), OWNER, INSTANCE, NULL);
        if (status == STATUS_NOT_FOUND && IsFilterElsewhere(session, file)) {
            Skip("the filter is not attached to this volume");
            (void)EXPECT_SUCCESS(Untrack(session, rule));
            return FALSE;
        }
        if (EXPECT_SUCCESS(status)) {
            CheckKeptName(session, file);
            (void)EXPECT_SUCCESS(Remove(session, HandleValue(file), OWNER, INSTANCE, NULL));
        } else {
            Note("%s is not tracked", what);
        }
    }
    CloseKept(file);
    (void)EXPECT_SUCCESS(Untrack(session, rule));
    return TRUE;
}

static void TestWays(void)
{
    static const struct {
        const char *What;
        HANDLE (*Open)(void);
    } ways[] = {
        {"an open by name", OpenByName},
        {"an open relative to a directory", OpenRelativeName},
        {"an open by id", OpenById},
        {"an open by a short name", OpenByShortName},
        {"an open of the unnamed stream by its whole name", OpenDefaultStream},
    };
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(NAME))) {
        return;
    }
    LearnFileId();
    for (size_t index = 0; index < COUNT_OF(ways); index += 1) {
        if (!CheckWay(&session, ways[index].What, ways[index].Open)) {
            break;
        }
    }
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(NAME));
}

static const TEST Tests[] = {
    {"a file is tracked by one name however it is opened", TestWays,
     NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_WIN32 | NEEDS_TEARDOWN},
};

const TEST_GROUP NameTests = {Tests, COUNT_OF(Tests)};
