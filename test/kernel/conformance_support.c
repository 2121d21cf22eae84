/* Which of a volume's streams carry contexts. */
#include "conformance.h"
#include "operations.h"

/* Makes and opens a stream, prepared by an operation on it while nobody has it open. */
static HANDLE MakePrepared(const WCHAR *name, DWORD (*prepare)(const WCHAR *), DWORD access, const char *reason)
{
    DWORD error;

    if (!EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name))) {
        return INVALID_HANDLE_VALUE;
    }
    error = prepare(name);
    if (error != ERROR_SUCCESS) {
        Refused(error, reason);
        (void)FilesDelete(name);
        return INVALID_HANDLE_VALUE;
    }
    return FilesOpen(name, access);
}

static void ExpectCarries(HANDLE file, const char *what)
{
    SESSION session;

    if (OpenSession(&session, READ_WRITE)) {
        (void)HOLDS(Carries(&session, file), what);
    }
    CloseKept(file);
}

static void CheckDefaultStream(void)
{
    ExpectCarries(OpenSample(0), "the default stream of a file carries contexts");
}

static void CheckNamedStream(void)
{
    static const WCHAR name[] = L"named:stream";

    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(L"named"));
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesMake(name));
    ExpectCarries(FilesOpen(name, GENERIC_READ), "a named stream carries contexts");
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"named"));
}

static void CheckDirectory(void)
{
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesMakeDirectory(L"carrier"));
    ExpectCarries(FilesOpenDirectory(L"carrier"), "a directory carries contexts");
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDeleteDirectory(L"carrier"));
}

static void CheckVolume(void)
{
    const HANDLE volume = OpenVolume();
    PSCTX_STREAM_REPLY reply;
    SESSION session;

    if (volume == INVALID_HANDLE_VALUE) {
        Note("error %u", GetLastError());
        Skip("the volume is not opened");
        return;
    }
    if (OpenSession(&session, READ_ONLY) && EXPECT_SUCCESS(QueryStream(&session, HandleValue(volume), &reply))) {
        Note(reply.Support == PSCTX_SUPPORT_YES ? "an open of the volume takes contexts"
                                                : "an open of the volume is refused, as is right");
        Inform();
    }
}

static DWORD MakeReadOnly(const WCHAR *name)
{
    return FilesSetAttributes(name, FILE_ATTRIBUTE_READONLY);
}

static void CheckReadOnlyFile(void)
{
    static const WCHAR name[] = L"read-only";
    const HANDLE file = MakePrepared(name, MakeReadOnly, GENERIC_READ, "no file is made read-only here");

    if (file != INVALID_HANDLE_VALUE) {
        ExpectCarries(file, "a read-only file carries contexts");
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesSetAttributes(name, FILE_ATTRIBUTE_NORMAL));
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    }
}

static DWORD MakeSparse(const WCHAR *name)
{
    return FilesControl(name, FSCTL_SET_SPARSE, NULL, 0);
}

static void CheckSparseFile(void)
{
    static const WCHAR name[] = L"sparse";
    const HANDLE file = MakePrepared(name, MakeSparse, GENERIC_READ, "this file system has no sparse files");

    if (file != INVALID_HANDLE_VALUE) {
        ExpectCarries(file, "a sparse file carries contexts");
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    }
}

static DWORD MakeCompressed(const WCHAR *name)
{
    const USHORT format = COMPRESSION_FORMAT_DEFAULT;

    return FilesControl(name, FSCTL_SET_COMPRESSION, &format, sizeof(format));
}

static void CheckCompressedFile(void)
{
    static const WCHAR name[] = L"compressed";
    const HANDLE file = MakePrepared(name, MakeCompressed, GENERIC_READ, "this file system has no compressed files");

    if (file != INVALID_HANDLE_VALUE) {
        ExpectCarries(file, "a compressed file carries contexts");
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
    }
}

/* Nobody else has the file open: the stream is one that the open by its number brings about. */
static void CheckOpenById(void)
{
    static const WCHAR name[] = L"numbered";
    HANDLE file = MakeAndOpen(name);
    ULONG64 number = 0;

    if (!FileNumber(file, &number)) {
        Refused(GetLastError(), "files of this file system have no numbers");
    } else {
        CloseKept(file);
        file = OpenByNumber(number);
        if (file == INVALID_HANDLE_VALUE) {
            Note("error %u", GetLastError());
            Skip("this file system opens no file by its number");
        } else {
            ExpectCarries(file, "a file that is opened by its number carries contexts");
        }
    }
    CloseKept(file);
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(name));
}

static void CheckPagingFile(void)
{
    const HANDLE file = OpenPagingFile();
    PSCTX_STREAM_REPLY reply;
    SESSION session;

    if (file == INVALID_HANDLE_VALUE) {
        Note("error %u", GetLastError());
        Skip("there is no paging file that can be opened");
        return;
    }
    if (OpenSession(&session, READ_ONLY) && EXPECT_SUCCESS(QueryStream(&session, HandleValue(file), &reply))) {
        Note("the stream has %s", SupportName(reply.Support));
        (void)HOLDS(reply.Support != PSCTX_SUPPORT_YES, "a paging file refuses contexts");
    }
}

static const TEST Checks[] = {
    {"support.default-stream", CheckDefaultStream, NEEDS_SAMPLE},
    {"support.named-stream", CheckNamedStream, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_STREAMS},
    {"support.directory", CheckDirectory, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"support.volume", CheckVolume, 0},
    {"support.read-only-file", CheckReadOnlyFile, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"support.sparse-file", CheckSparseFile, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"support.compressed-file", CheckCompressedFile, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"support.open-by-id", CheckOpenById, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_WIN32},
    {"support.paging-file", CheckPagingFile, 0},
};

const TEST_GROUP SupportChecks = {Checks, COUNT_OF(Checks)};
