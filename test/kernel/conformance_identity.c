/* Which opens are of one stream, and which are not. */
#include "conformance.h"
#include "operations.h"

static void CheckTwoOpens(void)
{
    const HANDLE first = OpenSample(0);
    const HANDLE second = OpenSample(0);
    SESSION session;

    if (!OpenSession(&session, READ_WRITE) || !InsertInto(&session, first, OWNER, INSTANCE)) {
        return;
    }
    (void)HOLDS(Finds(&session, second, OWNER, INSTANCE), "another open of the file finds the context");
    (void)EXPECT_STATUS(STATUS_OBJECT_NAME_COLLISION,
                        Insert(&session, HandleValue(second), OWNER, INSTANCE, NULL, "c", 1, NULL));
    if (Volume.SampleCount > 1) {
        (void)HOLDS(!Finds(&session, OpenSample(1), OWNER, INSTANCE), "an open of another file does not find it");
    }
    (void)HOLDS(Remove(&session, HandleValue(second), OWNER, INSTANCE, NULL) == STATUS_SUCCESS &&
                    !Finds(&session, first, OWNER, INSTANCE),
                "what one open removes, the other does not find");
}

static void CheckStreamsOfAFile(void)
{
    static const WCHAR *const names[] = {L"several", L"several:one", L"several:two"};
    HANDLE files[COUNT_OF(names)];
    SESSION session;

    if (!OpenSession(&session, READ_WRITE)) {
        return;
    }
    for (ULONG index = 0; index < COUNT_OF(names); index += 1) {
        files[index] = MakeAndOpen(names[index]);
        if (files[index] == INVALID_HANDLE_VALUE || !InsertInto(&session, files[index], OWNER, index)) {
            return;
        }
    }
    for (ULONG index = 0; index < COUNT_OF(names); index += 1) {
        for (ULONG instance = 0; instance < COUNT_OF(names); instance += 1) {
            (void)HOLDS(Finds(&session, files[index], OWNER, instance) == (index == instance),
                        "each stream of a file has its own contexts and no other's");
        }
    }
    CloseAllKept();
    (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(names[0]));
}

static void CheckHardLinks(void)
{
    STREAM stream;
    DWORD error;

    if (!BeginStream(&stream, L"linked")) {
        return;
    }
    error = FilesLink(L"linked", L"link");
    if (error != ERROR_SUCCESS) {
        Refused(error, "this file system has no hard links");
    } else {
        const HANDLE link = FilesOpen(L"link", GENERIC_READ);

        (void)HOLDS(link != INVALID_HANDLE_VALUE && Finds(&stream.Session, link, OWNER, INSTANCE),
                    "an open by another hard link finds the context");
        CloseKept(link);
        (void)EXPECT_EQUAL(ERROR_SUCCESS, FilesDelete(L"link"));
    }
    EndStream(&stream, L"linked");
}

static void CheckCase(void)
{
    static const WCHAR *const spellings[] = {L"SPELLED", L"sPELLEd"};
    STREAM stream;

    if (!BeginStream(&stream, L"Spelled")) {
        return;
    }
    for (ULONG index = 0; index < COUNT_OF(spellings); index += 1) {
        const HANDLE other = FilesOpen(spellings[index], GENERIC_READ);

        if (other == INVALID_HANDLE_VALUE) {
            Note("%w: error %u", spellings[index], GetLastError());
            Skip("names differ by case here");
        } else {
            (void)HOLDS(Finds(&stream.Session, other, OWNER, INSTANCE),
                        "an open by another case of the name finds the context");
        }
        CloseKept(other);
    }
    EndStream(&stream, L"Spelled");
}

static void CheckSecondPath(void)
{
    static const WCHAR name[] = L"two-paths";
    STREAM stream;
    HANDLE other;

    if (!BeginStream(&stream, name)) {
        return;
    }
    other = OpenByVolumeName(name);
    if (other == INVALID_HANDLE_VALUE) {
        Note("error %u", GetLastError());
        Skip("the volume has no second path that opens the file");
    } else {
        (void)HOLDS(Finds(&stream.Session, other, OWNER, INSTANCE), "an open by the second path finds the context");
    }
    CloseKept(other);
    EndStream(&stream, name);
}

static void CheckOpenById(void)
{
    static const WCHAR name[] = L"by-number";
    STREAM stream;
    ULONG64 number;
    HANDLE other;

    if (!BeginStream(&stream, name)) {
        return;
    }
    other = FileNumber(stream.File, &number) ? OpenByNumber(number) : INVALID_HANDLE_VALUE;
    if (other == INVALID_HANDLE_VALUE) {
        Note("error %u", GetLastError());
        Skip("this file system opens no file by its number");
    } else {
        (void)HOLDS(Finds(&stream.Session, other, OWNER, INSTANCE), "an open by the file's number finds the context");
    }
    CloseKept(other);
    EndStream(&stream, name);
}

static const TEST Checks[] = {
    {"identity.two-opens", CheckTwoOpens, NEEDS_CONTEXTS},
    {"identity.streams-of-a-file", CheckStreamsOfAFile, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_STREAMS},
    {"identity.hard-links", CheckHardLinks, NEEDS_CONTEXTS | NEEDS_WRITABLE},
    {"identity.case", CheckCase, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_WIN32},
    {"identity.second-path", CheckSecondPath, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_WIN32},
    {"identity.open-by-id", CheckOpenById, NEEDS_CONTEXTS | NEEDS_WRITABLE | NEEDS_WIN32},
};

const TEST_GROUP IdentityChecks = {Checks, COUNT_OF(Checks)};
