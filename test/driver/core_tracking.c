/*
 * Tracking rules: which files they find, under which names, what they miss, and whom a create that they watch holds up.
 */
#include <pthread.h>
#include <string.h>

#include "core_fixture.h"
#include "core_probe.h"
#include "core_reader.h"
#include "test_file_system.h"

#include "tracking/name.h"

#define CORE_TEST_FILE TEST_DISK L"\\File.txt"
#define CORE_SEEDS 64u
#define CORE_ROUNDS 400u
#define CORE_NO_RULE 0ull

typedef struct _CORE_TRACKER {
    CORE Core;
    PDRIVER_OBJECT DiskDriver;
} CORE_TRACKER, *PCORE_TRACKER;

/* A session, a volume of a file system that does as it is told, and the memory file system's. */
static VOID CoreStartTracker(_Out_ PCORE_TRACKER Tracker)
{
    TestFileSystemReset();
    CoreBoot();
    CHECK_STATUS(TestDiskLoad(L"TestDisk", &Tracker->DiskDriver, &TestFileSystem.Disk), STATUS_SUCCESS);
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    Tracker->Core.Driver = CoreLoadDriver();
    CoreLoadProbe();
    Tracker->Core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Tracker->Core.Process);
    Tracker->Core.Control = CoreOpenSession(CORE_READ_WRITE);
}

static VOID CoreStopTracker(_In_ const CORE_TRACKER *Tracker)
{
    HostLeaveProcess();
    CoreEndProcess(Tracker->Core.Process);
    CoreUnloadProbe();
    CHECK_STATUS(HostUnloadDriver(Tracker->Core.Driver), STATUS_SUCCESS);
    TestFileSystemUnload();
    CHECK_STATUS(HostUnloadDriver(Tracker->DiskDriver), STATUS_SUCCESS);
    CoreShutdown();
}

static NTSTATUS CoreTryToTrack(_In_ HANDLE Control, _In_z_ PCWSTR Pattern, _In_ ULONG64 Instance, _In_ ULONG Flags,
                               _Out_ PULONG64 Rule)
{
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[64];
    } request = {.Record = {.Instance = Instance, .Flags = Flags}};
    PSCTX_RULE_RECORD reply = {0};
    UNICODE_STRING pattern;
    ULONG length;
    NTSTATUS status;

    RtlInitUnicodeString(&pattern, Pattern);
    memcpy(request.Pattern, pattern.Buffer, pattern.Length);
    length = (ULONG)sizeof(request.Record) + pattern.Length;
    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, length);
    request.Record.PatternLength = pattern.Length;
    status = CoreControl(Control, PSCTX_IOCTL_TRACK, &request, length, &reply, sizeof(reply), NULL);
    *Rule = reply.Rule;
    return status;
}

static ULONG64 CoreTrack(_In_ HANDLE Control, _In_z_ PCWSTR Pattern)
{
    ULONG64 rule;

    CHECK_STATUS(CoreTryToTrack(Control, Pattern, 0, 0, &rule), STATUS_SUCCESS);
    return rule;
}

static NTSTATUS CoreUntrack(_In_ HANDLE Control, _In_ ULONG64 Rule)
{
    PSCTX_RULE_RECORD request = {.Rule = Rule};
    PSCTX_HEADER reply;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_UNTRACK, sizeof(request));
    return CoreControl(Control, PSCTX_IOCTL_UNTRACK, &request, sizeof(request), &reply, sizeof(reply), NULL);
}

static NTSTATUS CoreTryToQueryRule(_In_ HANDLE Control, _In_ ULONG64 Rule, _Out_ PSCTX_RULE_REPLY *Reply)
{
    PSCTX_RULE_RECORD request = {.Rule = Rule};

    memset(Reply, 0, sizeof(*Reply));
    CoreSetHeader(&request.Header, PSCTX_OPERATION_QUERY_RULE, sizeof(request));
    return CoreControl(Control, PSCTX_IOCTL_QUERY_RULE, &request, sizeof(request), Reply, sizeof(*Reply), NULL);
}

static VOID CoreCheckRule(_In_ HANDLE Control, _In_ ULONG64 Rule, _In_ ULONG64 Matched, _In_ ULONG64 Inserted,
                          _In_ ULONG64 Missed)
{
    PSCTX_RULE_REPLY reply;

    CHECK_STATUS(CoreTryToQueryRule(Control, Rule, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Header.Size, sizeof(reply));
    CHECK_EQUAL(reply.Header.Operation, PSCTX_OPERATION_QUERY_RULE);
    CHECK_EQUAL(reply.Matched, Matched);
    CHECK_EQUAL(reply.Inserted, Inserted);
    CHECK_EQUAL(reply.Missed, Missed);
}

/* The session's only context on the stream has this name; NULL: it has none there. */
static VOID CoreCheckName(_In_ HANDLE Control, _In_ HANDLE Stream, _In_opt_z_ PCWSTR Name)
{
    PSCTX_LIST_REQUEST request = {.Handle = (ULONG_PTR)Stream};
    struct {
        PSCTX_LIST_REPLY Reply;
        PSCTX_LIST_ENTRY Entry;
        WCHAR Name[PSCTX_MAXIMUM_TRACKED_NAME_LENGTH / sizeof(WCHAR) + 4];
    } reply;
    UNICODE_STRING expected;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
    CHECK_EQUAL(reply.Reply.Count, Name == NULL ? 0 : 1);
    if (Name != NULL) {
        RtlInitUnicodeString(&expected, Name);
        CHECK_EQUAL(reply.Entry.Flags, 0);
        CHECK_EQUAL(reply.Entry.NameLength, expected.Length);
        CHECK(memcmp(reply.Name, expected.Buffer, expected.Length) == 0);
    }
}

static NTSTATUS CoreOpenById(_In_ HANDLE Volume, _In_ ULONG64 FileId, _Out_ PHANDLE Handle)
{
    UNICODE_STRING name = {sizeof(FileId), sizeof(FileId), (PWCH)(PVOID)&FileId};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK ioStatus;

    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, Volume, NULL);
    return NtCreateFile(Handle, CORE_READ, &attributes, &ioStatus, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                        FILE_OPEN_BY_FILE_ID | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static ULONG64 CoreFileId(_In_ HANDLE File)
{
    FILE_INTERNAL_INFORMATION information;
    IO_STATUS_BLOCK ioStatus;

    CHECK_STATUS(NtQueryInformationFile(File, &ioStatus, &information, sizeof(information), FileInternalInformation),
                 STATUS_SUCCESS);
    return (ULONG64)information.IndexNumber.QuadPart;
}

/* Names. */

static VOID CoreFilesHaveTheirOwnNames(VOID)
{
    static const PCWSTR paths[] = {TEST_DISK L"\\LONGDI~1\\LONGFI~1.TXT", TEST_DISK L"\\Long Directory\\LONGFI~1.TXT",
                                   TEST_DISK L"\\LONGDI~1\\Long File Name.text::$DATA",
                                   TEST_DISK L"\\long directory\\long file name.TEXT",
                                   TEST_DISK L"\\long directory\\long file name.TEXT."};
    CORE_TRACKER tracker;
    HANDLE directory;
    ULONG64 rule;
    HANDLE file;
    ULONG index;

    CoreStartTracker(&tracker);
    rule = CoreTrack(tracker.Core.Control, L"\\LONG*\\*NAME.text");
    TestFileSystem.NormalizedName = L"\\Long Directory\\Long File Name.text";
    for (index = 0; index < RTL_NUMBER_OF(paths); index += 1) {
        CoreCheckRule(tracker.Core.Control, rule, index, index, 0);
        file = CoreOpenFile(paths[index]);
        CHECK_EQUAL(TestFileSystem.Location.MajorFunction, IRP_MJ_QUERY_INFORMATION);
        CHECK(FlagOn(TestFileSystem.IrpFlags, IRP_SYNCHRONOUS_API)); /* whoever asks, waits */
        CHECK(TestFileSystem.IrpThread == PsGetCurrentThread());
        CHECK(TestFileSystem.IrpFileObject == TestFileSystem.Location.FileObject);
        CoreCheckName(tracker.Core.Control, file, TestFileSystem.NormalizedName);
        CoreClose(file);
    }
    TestFileSystem.NormalizedName = L"\\elsewhere";
    directory = CoreOpenFile(TEST_DISK L"\\some~1");
    TestFileSystem.NormalizedName = L"\\Long Directory\\Long File Name.text";
    CHECK_STATUS(CoreOpen(L"LONGFI~1.TXT", directory, CORE_READ_WRITE, FILE_OPEN, 0, &file), STATUS_SUCCESS);
    CoreCheckName(tracker.Core.Control, file, TestFileSystem.NormalizedName);
    CoreClose(file);
    CHECK_STATUS(CoreOpenById(directory, 1, &file), STATUS_SUCCESS);
    CoreClose(file);
    CoreClose(directory);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 0);
    CoreStopTracker(&tracker);
}

static VOID CoreStreamTypesAreNoPartOfNames(VOID)
{
    static const PCWSTR names[][2] = {{L"\\a.txt::$DATA", L"\\a.txt"},      {L"\\a.txt:notes:$DATA", L"\\a.txt:notes"},
                                      {L"\\a.txt:notes", L"\\a.txt:notes"}, {L"\\d::$INDEX_ALLOCATION", L"\\d"},
                                      {L"\\;a.txt", L"\\;a.txt"},           {L"\\", L"\\"}};
    CORE_TRACKER tracker;
    HANDLE file;
    ULONG index;

    CoreStartTracker(&tracker);
    (VOID) CoreTrack(tracker.Core.Control, L"*");
    for (index = 0; index < RTL_NUMBER_OF(names); index += 1) {
        TestFileSystem.Name = names[index][0];
        file = CoreOpenFile(CORE_TEST_FILE);
        CoreCheckName(tracker.Core.Control, file, names[index][1]);
        CoreClose(file);
    }
    CoreStopTracker(&tracker);
}

static VOID CoreRedirectorsPrefixesAreNoPartOfNames(VOID)
{
    static const PCWSTR names[][2] = {
        {L"\\server\\share\\a.txt", L"\\server\\share\\a.txt"},
        {L"\\;X:00001234\\server\\share\\a.txt", L"\\server\\share\\a.txt"},
        {L"\\;LanmanRedirector\\;X:00001234\\server\\share\\a.txt", L"\\server\\share\\a.txt"}};
    PDRIVER_OBJECT driver;
    PEPROCESS process;
    HANDLE control;
    HANDLE file;
    ULONG index;

    TestFileSystemReset();
    TestFileSystem.DeviceType = FILE_DEVICE_NETWORK_FILE_SYSTEM;
    CoreBoot();
    driver = CoreLoadDriver();
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    process = CoreCreateProcess(TRUE);
    HostEnterProcess(process);
    control = CoreOpenSession(CORE_READ_WRITE);
    (VOID) CoreTrack(control, L"\\SERVER\\SHARE\\*.TXT");
    TestFileSystem.NormalizedName = L"\\a.txt"; /* it is not asked, for it might ask its server */
    for (index = 0; index < RTL_NUMBER_OF(names); index += 1) {
        TestFileSystem.Name = names[index][0];
        file = CoreOpenFile(TEST_CONTROL_DEVICE L"\\;X:00001234\\server\\share\\A.txt");
        CoreCheckName(control, file, names[index][1]);
        CoreClose(file);
    }
    HostLeaveProcess();
    CoreEndProcess(process);
    CHECK_STATUS(HostUnloadDriver(driver), STATUS_SUCCESS);
    TestFileSystemUnload();
    CoreShutdown();
}

static VOID CoreRename(_In_ HANDLE File, _In_z_ PCWSTR Path)
{
    struct {
        FILE_RENAME_INFORMATION Information;
        WCHAR Name[64];
    } request;
    IO_STATUS_BLOCK ioStatus;
    UNICODE_STRING name;

    memset(&request, 0, sizeof(request));
    RtlInitUnicodeString(&name, Path);
    request.Information.FileNameLength = name.Length;
    memcpy(request.Information.FileName, name.Buffer, name.Length);
    CHECK_STATUS(NtSetInformationFile(File, &ioStatus, &request, sizeof(request), FileRenameInformation),
                 STATUS_SUCCESS);
}

/* Neither the directory's name, which was another when it was opened, nor what it was opened by has anything to say. */
static VOID CoreNamesFollowRenamesAndIds(VOID)
{
    ULONG64 directoryId;
    CORE_TRACKER tracker;
    HANDLE directory;
    HANDLE other;
    ULONG64 fileId;
    HANDLE file;
    ULONG quirks;

    CoreStartTracker(&tracker);
    (VOID) CoreTrack(tracker.Core.Control, L"\\moved\\*.txt");
    CHECK_STATUS(CoreOpen(L"\\??\\M:\\old", NULL, CORE_READ | DELETE, FILE_CREATE,
                          FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, &directory),
                 STATUS_SUCCESS);
    CoreRename(directory, L"\\??\\M:\\moved");
    CHECK_STATUS(CoreOpen(L"Inner.txt", directory, CORE_READ_WRITE, FILE_CREATE, 0, &file), STATUS_SUCCESS);
    CoreCheckName(tracker.Core.Control, file, L"\\moved\\Inner.txt");
    fileId = CoreFileId(file);
    directoryId = CoreFileId(directory);
    CoreClose(file);
    CoreClose(directory);

    other = CoreOpenFile(CORE_FILE);
    for (quirks = 0; quirks <= HOST_QUIRK_NO_NORMALIZED_NAMES; quirks += HOST_QUIRK_NO_NORMALIZED_NAMES) {
        HostSetQuirks(quirks);
        CHECK_STATUS(CoreOpenById(other, fileId, &file), STATUS_SUCCESS);
        CoreCheckName(tracker.Core.Control, file, L"\\moved\\Inner.txt");
        CoreClose(file);
        CHECK_STATUS(CoreOpenById(other, directoryId, &directory), STATUS_SUCCESS);
        CHECK_STATUS(CoreOpen(L"INNER.TXT", directory, CORE_READ_WRITE, FILE_OPEN, 0, &file), STATUS_SUCCESS);
        CoreCheckName(tracker.Core.Control, file, L"\\moved\\Inner.txt");
        CoreClose(file);
        CoreClose(directory);
    }
    HostSetQuirks(0);
    CoreStopTracker(&tracker);
}

static VOID CoreLongNamesKeepTheirEnd(VOID)
{
    static WCHAR name[1200];
    PSCTX_LIST_REQUEST request = {0};
    struct {
        PSCTX_LIST_REPLY Reply;
        PSCTX_LIST_ENTRY Entry;
        WCHAR Name[PSCTX_MAXIMUM_TRACKED_NAME_LENGTH / sizeof(WCHAR) + 4];
    } reply;
    const PSCTX_EVENT *event;
    CORE_TRACKER tracker;
    ULONG units;
    HANDLE reader;
    CORE_WAIT wait;
    HANDLE file;
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(name) - 1; index += 1) {
        name[index] = index % 100 == 0 ? L'\\' : (WCHAR)(L'a' + index % 23);
    }
    memcpy(&name[RTL_NUMBER_OF(name) - 5], L".txt", 5 * sizeof(WCHAR));
    for (units = 512; units <= 513; units += 1) { /* the second time the cut would split a character of two units */
        name[RTL_NUMBER_OF(name) - 1 - 513] = 0xD83D;
        name[RTL_NUMBER_OF(name) - 1 - 512] = units == 512 ? L'x' : 0xDE01;
        CoreStartTracker(&tracker);
        reader = CoreOpenReader(tracker.Core.Control, 1u << PSCTX_EVENT_INSERTED);
        (VOID) CoreTrack(tracker.Core.Control, L"*.txt");
        TestFileSystem.Name = name;
        file = CoreOpenFile(CORE_TEST_FILE);

        request.Handle = (ULONG_PTR)file;
        CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
        CHECK_STATUS(
            CoreControl(tracker.Core.Control, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply), NULL),
            STATUS_SUCCESS);
        CHECK_EQUAL(reply.Reply.Count, 1);
        CHECK_EQUAL(reply.Entry.Flags, PSCTX_NAME_TRUNCATED);
        index = units == 512 ? 512 : 511;
        CHECK_EQUAL(reply.Entry.NameLength, index * sizeof(WCHAR));
        CHECK(memcmp(reply.Name, &name[RTL_NUMBER_OF(name) - 1 - index], index * sizeof(WCHAR)) == 0);

        CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
        CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_SUCCESS);
        CHECK_EQUAL(CoreEventCount(&wait), 1);
        event = (const PSCTX_EVENT *)(const VOID *)(wait.Output + sizeof(PSCTX_WAIT_REPLY));
        CHECK_EQUAL(event->Flags, PSCTX_NAME_TRUNCATED);
        CHECK_EQUAL(event->NameLength, index * sizeof(WCHAR));
        CoreFreeWait(&wait);
        CoreStopTracker(&tracker);
    }
}

/* What is not asked. */

static LONG CoreNamesAsked(VOID)
{
    return ReadNoFence(&TestFileSystem.Requests[IRP_MJ_QUERY_INFORMATION]);
}

static VOID CoreOpensThatCannotMatchAreSpared(VOID)
{
    static const struct {
        PCWSTR Pattern;
        PCWSTR Path;
        BOOLEAN Asked;
    } cases[] = {
        {L"*.ZZZ", TEST_DISK L"\\File.txt", FALSE},
        {L"*.ZZZ", TEST_DISK L"\\File.zzz", TRUE},
        {L"*\\ONE.TXT", TEST_DISK L"\\two.txt", FALSE},
        {L"*\\ONE.TXT", TEST_DISK L"\\One.txt", TRUE},
        {L"\\DATA\\*", TEST_DISK L"\\other\\file", FALSE},
        {L"\\DATA\\*", TEST_DISK L"\\data\\file", TRUE},
        {L"\\DATA\\*", TEST_DISK L"\\data", FALSE},
        {L"\\DATA\\*", TEST_DISK L"\\DA0B1C~1\\file", TRUE},
        {L"\\DATA\\FILE", TEST_DISK L"\\data\\file", TRUE},
        {L"\\DATA\\FILE", TEST_DISK L"\\data\\other", FALSE},
        {L"*.DOCUMENT", TEST_DISK L"\\FILE~1.DOC", TRUE},
        {L"*.ZZZ", TEST_DISK L"\\SHORT~1\\File.txt", FALSE},
        {L"*.ZZZ", TEST_DISK L"\\File.zzz::$DATA", TRUE},
        {L"*.ZZZ", TEST_DISK L"\\File.zzz.", TRUE},
        {L"*.ZZZ", TEST_DISK L"\\File.zzz ", TRUE},
        {L"*.ZZZ", TEST_DISK L"\\File.zzz\\", TRUE},
        {L"*.ZZZ", TEST_DISK L"\\File.zz\xFF3A", TRUE},
        {L"*:NOTES", TEST_DISK L"\\File.txt", FALSE},
        {L"*", TEST_DISK L"\\File.txt", TRUE},
    };
    CORE_TRACKER tracker;
    ULONG64 rule;
    ULONG index;
    LONG asked;

    CoreStartTracker(&tracker);
    for (index = 0; index < RTL_NUMBER_OF(cases); index += 1) {
        rule = CoreTrack(tracker.Core.Control, cases[index].Pattern);
        asked = CoreNamesAsked();
        CoreClose(CoreOpenFile(cases[index].Path));
        CHECK_EQUAL(CoreNamesAsked() != asked, cases[index].Asked);
        CHECK_STATUS(CoreUntrack(tracker.Core.Control, rule), STATUS_SUCCESS);
    }
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 0);
    CoreStopTracker(&tracker);
}

/* The head of a relative name is its directory's, and is not looked at. */
static VOID CoreRelativeNamesAreSparedByTheirEnd(VOID)
{
    CORE_TRACKER tracker;
    HANDLE directory;
    HANDLE file;
    LONG asked;

    CoreStartTracker(&tracker);
    directory = CoreOpenFile(TEST_DISK L"\\other");
    (VOID) CoreTrack(tracker.Core.Control, L"\\DATA\\*.TXT");
    asked = CoreNamesAsked();
    CHECK_STATUS(CoreOpen(L"inner.doc", directory, CORE_READ_WRITE, FILE_OPEN, 0, &file), STATUS_SUCCESS);
    CHECK_EQUAL(CoreNamesAsked(), asked);
    CoreClose(file);
    CHECK_STATUS(CoreOpen(L"inner.txt", directory, CORE_READ_WRITE, FILE_OPEN, 0, &file), STATUS_SUCCESS);
    CHECK(CoreNamesAsked() > asked);
    CoreClose(file);
    CoreStopTracker(&tracker);
}

static VOID CoreSparedOpensTakeNoMemory(VOID)
{
    CORE_TRACKER tracker;
    ULONG64 without;
    ULONG64 before;

    CoreStartTracker(&tracker);
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    before = HostAllocationCount();
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    without = HostAllocationCount() - before;
    (VOID) CoreTrack(tracker.Core.Control, L"*.ZZZ");
    (VOID) CoreTrack(tracker.Core.Control, L"\\DATA\\*");
    before = HostAllocationCount();
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CHECK_EQUAL(HostAllocationCount() - before, without);
    CoreStopTracker(&tracker);
}

static ULONG CoreRandom(_Inout_ PULONG Seed, _In_ ULONG Limit)
{
    *Seed = *Seed * 1664525u + 1013904223u;
    return (*Seed >> 16) % Limit;
}

static VOID CoreFillRandomly(_Inout_ PULONG Seed, _In_z_ PCWSTR Alphabet, _In_ ULONG Letters, _In_ ULONG MaximumLength,
                             _Out_ PUNICODE_STRING Text)
{
    const ULONG length = 1 + CoreRandom(Seed, MaximumLength);
    ULONG index;

    Text->Buffer[0] = L'\\';
    for (index = 1; index < length; index += 1) {
        Text->Buffer[index] = Alphabet[CoreRandom(Seed, Letters)];
    }
    Text->Length = (USHORT)(length * sizeof(WCHAR));
    Text->MaximumLength = Text->Length;
}

/* Run in the kernel. Whatever is opened by the file's own name, but for case, or by less of it, is asked for if it matches. */
static VOID CoreCompareWithMatches(PVOID Context)
{
    WCHAR expressionText[12];
    WCHAR nameText[12];
    PSCTX_EXPRESSION expression = {{0, 0, expressionText}, 0, 0};
    UNICODE_STRING name = {0, 0, nameText};
    PSCTX_OPENED_NAME opened;
    FILE_OBJECT related = {0};
    FILE_OBJECT file = {0};
    ULONG seed = 1970;
    ULONG matching = 0;
    ULONG spared = 0;
    ULONG round;

    UNREFERENCED_PARAMETER(Context);

    for (round = 0; round < 300000; round += 1) {
        const BOOLEAN relative = CoreRandom(&seed, 4) == 0;
        BOOLEAN canMatch;
        ULONG index;

        CoreFillRandomly(&seed, L"AB\\*?.<>\"", 9, 8, &expression.Text);
        CoreFillRandomly(&seed, L"aB\\.~", 5, 8, &name);
        PsctxMeasureExpression(&expression);
        file.FileName = name;
        file.RelatedFileObject = NULL;
        if (relative) {
            for (index = 0; index < name.Length / sizeof(WCHAR); index += 1) {
                if (nameText[index] == L'\\') {
                    file.FileName.Buffer = &nameText[index + 1];
                }
            }
            file.FileName.Length = (USHORT)(name.Length - (ULONG)((PUCHAR)file.FileName.Buffer - (PUCHAR)nameText));
            file.RelatedFileObject = &related;
        }
        PsctxExamineOpenedName(&file, 0, FALSE, &opened);
        canMatch = PsctxCanMatch(&expression, &opened);
        if (PsctxIsNameInExpression(&expression.Text, &name)) {
            matching += 1;
            CHECK(canMatch);
        } else {
            spared += canMatch ? 0 : 1u;
        }
    }
    CHECK(matching > 1000);
    CHECK(spared > 1000);
}

static VOID CoreNoMatchIsSpared(VOID)
{
    CORE_TRACKER tracker;

    CoreStartTracker(&tracker);
    CoreRunInKernel(CoreCompareWithMatches, NULL);
    CoreStopTracker(&tracker);
}

/* Run in the kernel: what names say of a file's own. One that says nothing has no characters. */
static VOID CoreExamineNames(PVOID Context)
{
    static const struct {
        PCWSTR Text;
        BOOLEAN Related;
        BOOLEAN Says;
        ULONG Last;
        BOOLEAN HeadIsKnown;
        BOOLEAN TailIsKnown;
    } names[] = {
        {L"\\a\\b", FALSE, TRUE, 3, TRUE, TRUE},       {L"b", FALSE, TRUE, 0, TRUE, TRUE},
        {L"\\a.b c\\d", FALSE, TRUE, 7, TRUE, TRUE},   {L"a\\b", TRUE, TRUE, 2, FALSE, TRUE},
        {L"\\a~1\\b", FALSE, TRUE, 5, FALSE, TRUE},    {L"\\a\\b~1", FALSE, TRUE, 3, FALSE, FALSE},
        {L"\\a~1\\b\\c", FALSE, TRUE, 7, FALSE, TRUE}, {L"b~1", TRUE, TRUE, 0, FALSE, FALSE},
        {L"", TRUE, FALSE, 0, FALSE, FALSE},           {L"\\", FALSE, FALSE, 0, FALSE, FALSE},
        {L"\\a\\", FALSE, FALSE, 0, FALSE, FALSE},     {L"\\\\a", FALSE, FALSE, 0, FALSE, FALSE},
        {L"\\a.", FALSE, FALSE, 0, FALSE, FALSE},      {L"\\a ", FALSE, FALSE, 0, FALSE, FALSE},
        {L"\\a.\\b", FALSE, FALSE, 0, FALSE, FALSE},   {L"\\a \\b", FALSE, FALSE, 0, FALSE, FALSE},
        {L"\\a:b", FALSE, FALSE, 0, FALSE, FALSE},     {L"\\a::$DATA", FALSE, FALSE, 0, FALSE, FALSE},
    };
    PSCTX_OPENED_NAME opened;
    FILE_OBJECT related = {0};
    FILE_OBJECT file = {0};
    ULONG index;

    UNREFERENCED_PARAMETER(Context);

    for (index = 0; index < RTL_NUMBER_OF(names); index += 1) {
        RtlInitUnicodeString(&file.FileName, names[index].Text);
        file.RelatedFileObject = names[index].Related ? &related : NULL;
        memset(&opened, 0xA5, sizeof(opened));
        PsctxExamineOpenedName(&file, 0, FALSE, &opened);
        CHECK_EQUAL(opened.Count, names[index].Says ? file.FileName.Length / sizeof(WCHAR) : 0);
        CHECK(opened.Characters == (names[index].Says ? names[index].Text : NULL));
        CHECK_EQUAL(opened.Last, names[index].Last);
        CHECK_EQUAL(opened.HeadIsKnown, names[index].HeadIsKnown);
        CHECK_EQUAL(opened.TailIsKnown, names[index].TailIsKnown);

        PsctxExamineOpenedName(&file, FILE_OPEN_BY_FILE_ID, FALSE, &opened);
        CHECK_EQUAL(opened.Count, 0);
        PsctxExamineOpenedName(&file, 0, TRUE, &opened);
        CHECK_EQUAL(opened.Count, 0);
        file.FileName.Length = (USHORT)(file.FileName.Length | 1u);
        PsctxExamineOpenedName(&file, 0, FALSE, &opened);
        CHECK_EQUAL(opened.Count, 0);
    }
}

/* Run in the kernel: of characters beyond ASCII nothing is said, wherever they stand. */
static VOID CoreExamineCharacters(PVOID Context)
{
    static const WCHAR characters[] = {L'a', 0x7F, 0x80, 0xE9};
    WCHAR symbol[] = {0};
    WCHAR character[] = {0};
    PSCTX_EXPRESSION expression = {{sizeof(symbol), sizeof(symbol), symbol}, 0, 0};
    PSCTX_OPENED_NAME opened;
    FILE_OBJECT file = {0};
    ULONG left;
    ULONG right;

    UNREFERENCED_PARAMETER(Context);

    for (left = 0; left < RTL_NUMBER_OF(characters); left += 1) {
        for (right = 0; right < RTL_NUMBER_OF(characters); right += 1) {
            symbol[0] = left == 0 ? L'A' : characters[left]; /* expressions are upcased */
            character[0] = characters[right];
            file.FileName = expression.Text;
            file.FileName.Buffer = character;
            PsctxMeasureExpression(&expression);
            PsctxExamineOpenedName(&file, 0, FALSE, &opened);
            CHECK_EQUAL(PsctxCanMatch(&expression, &opened), left == right || left > 1 || right > 1);
        }
    }
}

static VOID CoreOpenedNamesSayOnlyWhatIsCertain(VOID)
{
    CORE_TRACKER tracker;

    CoreStartTracker(&tracker);
    CoreRunInKernel(CoreExamineNames, NULL);
    CoreRunInKernel(CoreExamineCharacters, NULL);
    CoreStopTracker(&tracker);
}

/* What is missed. */

/* A file system may do with the name of an open as it likes, once it has the create. */
static VOID CoreSpoilName(PVOID Context)
{
    const PUNICODE_STRING name = &TestFileSystem.Location.FileObject->FileName;
    ULONG index;

    UNREFERENCED_PARAMETER(Context);
    for (index = 0; index < name->Length / sizeof(WCHAR); index += 1) {
        name->Buffer[index] = L'x';
    }
}

static VOID CoreNamesAreTheFileSystemsAfterwards(VOID)
{
    CORE_TRACKER tracker;
    ULONG64 other;
    ULONG64 rule;

    CoreStartTracker(&tracker);
    rule = CoreTrack(tracker.Core.Control, L"*.TXT");
    CHECK_STATUS(CoreTryToTrack(tracker.Core.Control, L"*X", 1, 0, &other), STATUS_SUCCESS);
    TestFileSystem.NameStatus = STATUS_ACCESS_DENIED;
    TestFileSystem.Hook = CoreSpoilName;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    TestFileSystem.Hook = NULL;
    CoreCheckRule(tracker.Core.Control, rule, 0, 0, 1);
    CoreCheckRule(tracker.Core.Control, other, 0, 0, 0);
    CoreStopTracker(&tracker);
}

static VOID CoreWhatTakesNoContextIsMissed(VOID)
{
    PSCTX_RULE_REPLY reply;
    CORE_TRACKER tracker;
    HANDLE second;
    ULONG64 rule;

    CoreStartTracker(&tracker);
    rule = CoreTrack(tracker.Core.Control, L"*.TXT");
    TestFileSystem.NameStatus = STATUS_ACCESS_DENIED;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CoreCheckRule(tracker.Core.Control, rule, 0, 0, 1);
    TestFileSystem.NameStatus = STATUS_SUCCESS;
    /* Filter Manager has a name begin at the root, whatever the file system says; but there must be one. */
    TestFileSystem.Name = CoreFront() == PSCTX_FRONT_LEGACY ? L"no name from the root.txt" : L"";
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CoreCheckRule(tracker.Core.Control, rule, 0, 0, 2);
    TestFileSystem.Name = NULL;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CoreCheckRule(tracker.Core.Control, rule, 1, 1, 2);
    TestFileSystem.Header.Flags2 &= (UCHAR)~FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CoreCheckRule(tracker.Core.Control, rule, 2, 1, 3);
    CoreClose(CoreOpenFile(TEST_DISK L"\\File.doc")); /* none of the rule's */
    CoreCheckRule(tracker.Core.Control, rule, 2, 1, 3);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 3);

    second = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreStatistics(second).SessionMissed, 0);
    CHECK_STATUS(CoreTryToQueryRule(second, rule, &reply), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreTryToQueryRule(tracker.Core.Control, CORE_NO_RULE, &reply), STATUS_NOT_FOUND);
    CHECK_STATUS(CoreUntrack(tracker.Core.Control, rule), STATUS_SUCCESS);
    CHECK_STATUS(CoreTryToQueryRule(tracker.Core.Control, rule, &reply), STATUS_NOT_FOUND);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 3);
    CoreStopTracker(&tracker);
}

static VOID CoreStartAnchoredTracker(_Out_ PCORE_TRACKER Tracker)
{
    TestFileSystemReset();
    TestFileSystem.TearsNothingDown = TRUE;
    CoreBoot();
    CHECK_STATUS(TestDiskLoad(L"TestDisk", &Tracker->DiskDriver, &TestFileSystem.Disk), STATUS_SUCCESS);
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    Tracker->Core.Driver = CoreLoadDriver();
    CoreLoadProbe();
    Tracker->Core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Tracker->Core.Process);
    Tracker->Core.Control = CoreOpenSession(CORE_READ_WRITE);
}

static VOID CoreStreamsThatNeedAnAnchorAreMissed(VOID)
{
    CORE_TRACKER tracker;
    ULONG64 rule;

    CoreStartAnchoredTracker(&tracker);
    rule = CoreTrack(tracker.Core.Control, L"*.TXT");
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CoreCheckRule(tracker.Core.Control, rule, 1, 0, 1);
    CoreStopTracker(&tracker);
}

/*
 * What a driver imports does not say what the one does that it is built on: a file system may tear a stream down from whose image that is
 * not to be seen, and before its last file has gone. A FreeCallback closes no file then.
 */
static VOID CoreAnchorsOutliveATeardown(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    CORE_TRACKER tracker;
    HANDLE second;

    CoreStartAnchoredTracker(&tracker);
    second = CoreOpenSession(CORE_READ_WRITE);
    insertion.Stream = CoreOpenFile(CORE_TEST_FILE);
    CHECK_STATUS(CoreInsert(second, &insertion, NULL), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(tracker.Core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    CHECK_EQUAL(TestFileSystem.Opens, 1);
    FsRtlTeardownPerStreamContexts(&TestFileSystem.Header);
    CHECK_EQUAL(TestFileSystem.Opens, 1);
    CHECK_EQUAL(CoreStatistics(second).SessionTornDown, 1);
    CoreClose(second);
    CHECK_EQUAL(TestFileSystem.Opens, 0);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).TotalContexts, 0);
    CoreStopTracker(&tracker);
}

/* The rest of a teardown: the FreeCallback of a context that is on its stream no more, once somebody waits for it. */
static VOID CoreFreeLate(PVOID Context)
{
    const PFSRTL_PER_STREAM_CONTEXT context = Context;
    LARGE_INTEGER interval;

    interval.QuadPart = -1;
    while ((__atomic_load_n(&PsctxGlobals.Rundown.Count, __ATOMIC_ACQUIRE) & 1) == 0) {
        (VOID) KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    context->FreeCallback(context);
}

static VOID CoreUnloadMeanwhile(PVOID Driver)
{
    CHECK_STATUS(HostUnloadDriver(Driver), STATUS_SUCCESS);
}

/* The last FreeCallback may come when the driver has looked for what it has to free: nobody asks it anything any more. */
static VOID CoreLastAnchorsGoWithTheDriver(VOID)
{
    static const PHOST_ROUTINE routines[] = {CoreFreeLate, CoreUnloadMeanwhile};
    CORE_INSERTION insertion = {.Owner = 1};
    PVOID contexts[RTL_NUMBER_OF(routines)];
    CORE_TRACKER tracker;

    CoreStartAnchoredTracker(&tracker);
    insertion.Stream = CoreOpenFile(CORE_TEST_FILE);
    CHECK_STATUS(CoreInsert(tracker.Core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    contexts[0] = FsRtlRemovePerStreamContext(&TestFileSystem.Header, NULL, NULL);
    contexts[1] = tracker.Core.Driver;
    CHECK(contexts[0] != NULL);
    HostLeaveProcess();
    CoreEndProcess(tracker.Core.Process);
    CoreUnloadProbe();
    HostRunSchedule(1, RTL_NUMBER_OF(routines), routines, contexts);
    CHECK_EQUAL(TestFileSystem.Opens, 0);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), 0);
    TestFileSystemUnload();
    CHECK_STATUS(HostUnloadDriver(tracker.DiskDriver), STATUS_SUCCESS);
    CoreShutdown();
}

static VOID CoreLeaveTopLevelIrp(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);

    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
}

static VOID CoreClearTopLevelIrp(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);

    IoSetTopLevelIrp(NULL);
}

/* Who opens a file from inside a file system may hold what that waits for. */
static VOID CoreNothingIsAskedInsideAFileSystem(VOID)
{
    CORE_TRACKER tracker;
    ULONG64 rule;
    HANDLE file;
    LONG asked;

    CoreStartTracker(&tracker);
    rule = CoreTrack(tracker.Core.Control, L"*.TXT");
    asked = CoreNamesAsked();
    TestFileSystem.Hook = CoreLeaveTopLevelIrp;
    file = CoreOpenFile(CORE_TEST_FILE);
    CoreRunInKernel(CoreClearTopLevelIrp, NULL);
    CHECK_EQUAL(CoreNamesAsked(), asked);
    CoreCheckRule(tracker.Core.Control, rule, 0, 0, 1);
    CoreClose(file);
    CoreStopTracker(&tracker);
}

/* Each open that succeeds has its context, or is missed: however little memory there is. */
static VOID CoreNoOpenIsLostForWantOfMemory(VOID)
{
    PSCTX_STATISTICS_REPLY statistics;
    CORE_TRACKER tracker;
    ULONG64 countdown;
    ULONG opens = 0;
    HANDLE file;

    CoreStartTracker(&tracker);
    (VOID) CoreTrack(tracker.Core.Control, L"*.TXT");
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    opens += 1;
    for (countdown = 1; countdown <= 32; countdown += 1) {
        HostFailAllocation(countdown);
        if (NT_SUCCESS(CoreOpen(CORE_TEST_FILE, NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &file))) {
            HostFailAllocation(0);
            opens += 1;
            CoreClose(file);
        }
        HostFailAllocation(0);
        statistics = CoreStatistics(tracker.Core.Control);
        CHECK_EQUAL(statistics.SessionInserted + statistics.SessionMissed, opens);
        CHECK_EQUAL(statistics.SessionContexts, 0);
    }
    /* The minifilter asks for a name in another way where it cannot in one, and so misses fewer. */
    CHECK(statistics.SessionMissed > (CoreFront() == PSCTX_FRONT_LEGACY ? 2 : 0));
    CHECK(statistics.SessionInserted > 2);
    CoreStopTracker(&tracker);
}

static HANDLE CoreOpenNumbered(_In_ ULONG Number)
{
    WCHAR path[] = L"\\??\\M:\\files\\f000.txt";

    path[14] = (WCHAR)(L'0' + Number / 100);
    path[15] = (WCHAR)(L'0' + Number / 10 % 10);
    path[16] = (WCHAR)(L'0' + Number % 10);
    return CoreOpenFile(path);
}

/* Anybody may open files. However many he opens, the client has half of its quota for itself. */
static VOID CoreOpensLeaveClientsTheirHalf(VOID)
{
    CORE_INSERTION insertion = {.Owner = 5, .IfExists = PSCTX_IF_EXISTS_ADD};
    PSCTX_STATISTICS_REPLY statistics;
    LONG64 limit;
    CORE_TRACKER tracker;
    ULONG64 rule;
    ULONG index;

    HostSetPhysicalMemory(1ull << 20);
    CoreStartTracker(&tracker);
    limit = PsctxSessionLimits.Bytes[PSCTX_POOL_PAGED];
    CHECK(PsctxSessionLimits.Contexts < 500);
    rule = CoreTrack(tracker.Core.Control, L"*.TXT");
    for (index = 0; index < 500; index += 1) {
        insertion.Stream = CoreOpenNumbered(index);
    }
    statistics = CoreStatistics(tracker.Core.Control);
    CHECK(statistics.SessionMissed > 100);
    CHECK(statistics.SessionContexts > 30);
    CHECK_EQUAL(statistics.SessionContexts + statistics.SessionMissed, 500);
    CHECK(statistics.SessionContexts <= (ULONG64)PsctxSessionLimits.Contexts / 2);
    CHECK(statistics.SessionPagedBytes <= (ULONG64)limit / 2);
    CoreCheckRule(tracker.Core.Control, rule, 500, statistics.SessionContexts, statistics.SessionMissed);
    for (index = 0; index < (ULONG)PsctxSessionLimits.Contexts / 2; index += 1) {
        CHECK_STATUS(CoreInsert(tracker.Core.Control, &insertion, NULL), STATUS_SUCCESS);
    }
    CoreStopTracker(&tracker);
    HostSetPhysicalMemory(0);
}

/* Run in the kernel: the rules' half is of the bytes of each pool as well as of the number, and what is refused is not booked. */
static VOID CoreChargeHalf(PVOID Context)
{
    PSCTX_ACCOUNT account = {0};
    ULONG pool;

    UNREFERENCED_PARAMETER(Context);
    for (pool = PSCTX_POOL_PAGED; pool <= PSCTX_POOL_NONPAGED; pool += 1) {
        const ULONG half = (ULONG)(PsctxSessionLimits.Bytes[pool] / 2);

        CHECK(PsctxChargeTracked(&account, pool, half));
        CHECK(!PsctxChargeTracked(&account, pool, 1));
        CHECK_EQUAL(account.Contexts, 1);
        CHECK_EQUAL(account.Bytes[pool], half);
        PsctxDischargeTracked(&account, pool, half);
    }
    account.Contexts = PsctxSessionLimits.Contexts / 2;
    CHECK(!PsctxChargeTracked(&account, PSCTX_POOL_PAGED, 1));
    CHECK_EQUAL(account.Bytes[PSCTX_POOL_PAGED], 0);
}

static VOID CoreRulesHaveHalfOfEverything(VOID)
{
    CORE_TRACKER tracker;

    CoreStartTracker(&tracker);
    CoreRunInKernel(CoreChargeHalf, NULL);
    CoreStopTracker(&tracker);
}

static ULONG CoreReadMisses(_In_ HANDLE Reader, _Out_writes_(Capacity) PSCTX_EVENT *Events, _In_ ULONG Capacity)
{
    const PSCTX_EVENT *event = NULL;
    CORE_WAIT wait;
    ULONG count = 0;

    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    CHECK_STATUS(CoreStartWait(Reader, &wait), STATUS_SUCCESS);
    for (event = CoreNextEvent(&wait, NULL); event != NULL; event = CoreNextEvent(&wait, event)) {
        CHECK(count < Capacity);
        Events[count] = *event;
        count += 1;
    }
    CoreFreeWait(&wait);
    return count;
}

static VOID CoreCheckMiss(_In_ const PSCTX_EVENT *Event, _In_ ULONG64 Rule, _In_ ULONG64 Instance, _In_ ULONG64 Count)
{
    CHECK_EQUAL(Event->Type, PSCTX_EVENT_MISSED);
    CHECK_EQUAL(Event->Sequence, Rule);
    CHECK_EQUAL(Event->OwnerKey, 0);
    CHECK_EQUAL(Event->Instance, Instance);
    CHECK_EQUAL(Event->Count, Count);
    CHECK_EQUAL(Event->NameLength, 0);
    CHECK(Event->ProcessId != 0);
    CHECK(Event->Time != 0);
}

static VOID CoreMissesAreReportedWithTheirCount(VOID)
{
    PSCTX_EVENT events[4];
    CORE_TRACKER tracker;
    ULONG64 rules[2];
    CORE_WAIT wait;
    HANDLE reader;
    HANDLE deaf;
    ULONG index;

    CoreStartTracker(&tracker);
    reader = CoreOpenReader(tracker.Core.Control, 1u << PSCTX_EVENT_MISSED);
    deaf = CoreOpenReader(tracker.Core.Control, PSCTX_EVENT_TYPES & ~(1u << PSCTX_EVENT_MISSED));
    rules[0] = CoreTrack(tracker.Core.Control, L"*.TXT");
    CHECK_STATUS(CoreTryToTrack(tracker.Core.Control, L"*.DOC", 1, 0, &rules[1]), STATUS_SUCCESS);
    TestFileSystem.NameStatus = STATUS_ACCESS_DENIED;
    for (index = 0; index < 3; index += 1) {
        CoreClose(CoreOpenFile(CORE_TEST_FILE));
    }
    CoreClose(CoreOpenFile(TEST_DISK L"\\File.doc"));
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CHECK_EQUAL(CoreReadMisses(reader, events, RTL_NUMBER_OF(events)), 3);
    CoreCheckMiss(&events[0], rules[0], 0, 3);
    CoreCheckMiss(&events[1], rules[1], 1, 1);
    CoreCheckMiss(&events[2], rules[0], 0, 1);
    CHECK_EQUAL(events[2].Number, 3);

    CoreInitializeWait(&wait, CORE_WAIT_LENGTH);
    CHECK_STATUS(CoreStartWait(reader, &wait), STATUS_PENDING);
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CHECK_STATUS(CoreWaitStatus(&wait), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEventCount(&wait), 1);
    CoreCheckMiss(CoreNextEvent(&wait, NULL), rules[0], 0, 1);
    CoreFreeWait(&wait);
    for (index = 0; index < 4096; index += 1) { /* more than a reader keeps, one by one */
        CoreClose(CoreOpenFile(CORE_TEST_FILE));
    }
    CHECK_EQUAL(CoreReadMisses(reader, events, RTL_NUMBER_OF(events)), 1);
    CoreCheckMiss(&events[0], rules[0], 0, 4096);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 6 + 4096);
    CoreClose(deaf);
    CoreStopTracker(&tracker);
}

/* Whom a create holds up. */

/* What is kept of a rule that goes without memory, goes with the next one. */
static VOID CoreRulesGoWithoutMemory(VOID)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    CORE_TRACKER tracker;
    ULONG64 countdown;
    ULONG64 refused;
    HANDLE second;
    ULONG64 pool;
    ULONG64 rule;
    HANDLE file;

    CoreStartTracker(&tracker);
    second = CoreOpenSession(CORE_READ_WRITE);
    (VOID) CoreTrack(second, L"*"); /* stays in the array, and has it looked at */
    for (countdown = 1; status == STATUS_INSUFFICIENT_RESOURCES; countdown += 1) { /* the I/O manager's come first */
        rule = CoreTrack(tracker.Core.Control, L"*.TXT");
        pool = HostAuditPool(CORE_POOL_TAG);
        HostFailAllocation(countdown);
        status = CoreUntrack(tracker.Core.Control, rule);
        HostFailAllocation(0);
        if (status == STATUS_SUCCESS) {
            CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), pool); /* the array could not be replaced */
        } else {
            CHECK_STATUS(CoreUntrack(tracker.Core.Control, rule), STATUS_SUCCESS);
            CHECK(HostAuditPool(CORE_POOL_TAG) < pool);
        }
    }
    CHECK_STATUS(CoreUntrack(tracker.Core.Control, rule), STATUS_NOT_FOUND);
    file = CoreOpenFile(CORE_TEST_FILE);
    CoreCheckName(tracker.Core.Control, file, NULL);
    CoreCheckName(second, file, L"\\File.txt");
    CoreClose(file);
    TestFileSystem.NameStatus = STATUS_ACCESS_DENIED;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    TestFileSystem.NameStatus = STATUS_SUCCESS;
    CHECK_EQUAL(CoreStatistics(second).SessionMissed, 1);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 0);
    CHECK(PsctxListening.Opens != 0);

    for (countdown = 1; countdown <= 5; countdown += 1) {
        HostFailAllocation(countdown);
        status = CoreTryToTrack(tracker.Core.Control, L"*", 0, 0, &refused);
        HostFailAllocation(0);
        if (status == STATUS_SUCCESS) {
            CHECK_STATUS(CoreUntrack(tracker.Core.Control, refused), STATUS_SUCCESS);
        } else {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
        }
    }
    CHECK_EQUAL(PsctxTotalAccount.RecordBytes[PSCTX_POOL_PAGED] > 0, TRUE);
    CoreClose(second);
    CHECK(PsctxListening.Opens == 0);
    CHECK_EQUAL(CoreStatistics(tracker.Core.Control).SessionMissed, 0);
    CoreStopTracker(&tracker);
}

/* The rules have been replaced an odd number of times when the driver goes. */
static VOID CoreRulesOfALoadAreItsOwn(VOID)
{
    CORE_TRACKER tracker;
    HANDLE stream;
    ULONG64 rule;

    CoreStartTracker(&tracker);
    CHECK_EQUAL(CoreTrack(tracker.Core.Control, L"\\FILES\\ONE.TXT"), 1);
    CHECK_EQUAL(CoreTrack(tracker.Core.Control, L"\\FILES\\TWO.TXT"), 2);
    CoreClose(tracker.Core.Control);
    HostLeaveProcess();
    CHECK_STATUS(HostUnloadDriver(tracker.Core.Driver), STATUS_SUCCESS);
    tracker.Core.Driver = CoreLoadDriver();
    HostEnterProcess(tracker.Core.Process);
    tracker.Core.Control = CoreOpenSession(CORE_READ_WRITE);
    rule = CoreTrack(tracker.Core.Control, L"\\FILES\\ONE.TXT");
    CHECK_EQUAL(rule, 1);
    stream = CoreOpenFile(CORE_FILE);
    CoreCheckRule(tracker.Core.Control, rule, 1, 1, 0);
    CoreClose(stream);
    CoreStopTracker(&tracker);
}

static VOID CoreRulesAreAccountedFor(VOID)
{
    CORE_TRACKER tracker;
    LONG64 before;
    ULONG64 rule;

    CoreStartTracker(&tracker);
    before = PsctxTotalAccount.RecordBytes[PSCTX_POOL_PAGED];
    rule = CoreTrack(tracker.Core.Control, L"*.TXT");
    CHECK(PsctxTotalAccount.RecordBytes[PSCTX_POOL_PAGED] >= before + 5 * (LONG64)sizeof(WCHAR));
    CHECK_STATUS(CoreUntrack(tracker.Core.Control, rule), STATUS_SUCCESS);
    CHECK_EQUAL(PsctxTotalAccount.RecordBytes[PSCTX_POOL_PAGED], before);
    CoreStopTracker(&tracker);
}

typedef struct _CORE_HELD {
    CORE_TRACKER Tracker;
    PETHREAD Thread; /* referenced */
    KEVENT Started;
    ULONG64 Rule;
    NTSTATUS Status;
} CORE_HELD, *PCORE_HELD;

static VOID CoreOpenHeld(PVOID Context)
{
    const PCORE_HELD held = Context;
    HANDLE file;

    held->Thread = PsGetCurrentThread();
    ObReferenceObject(held->Thread);
    (VOID) KeSetEvent(&held->Started, 0, FALSE);
    HostEnterProcess(held->Tracker.Core.Process);
    held->Status = CoreOpen(CORE_TEST_FILE, NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &file);
    HostLeaveProcess();
}

static VOID CoreEndHeld(PVOID Context)
{
    const PCORE_HELD held = Context;

    (VOID) KeWaitForSingleObject(&held->Started, Executive, KernelMode, FALSE, NULL);
    HostTerminateThread(held->Thread);
}

/* What waits for what never comes ends with its thread; the schedule knows when all wait for each other. */
static VOID CoreOpenUntilTheThreadEnds(_Inout_ PBOOLEAN Holds, _In_ NTSTATUS Status)
{
    static const PHOST_ROUTINE routines[] = {CoreOpenHeld, CoreEndHeld};
    CORE_HELD held = {0};
    PVOID contexts[] = {&held, &held};
    ULONG64 seed;

    CoreStartTracker(&held.Tracker);
    CoreClose(CoreOpenFile(CORE_TEST_FILE)); /* mounts */
    (VOID) CoreTrack(held.Tracker.Core.Control, L"*.TXT");
    *Holds = TRUE;
    HostLeaveProcess();
    for (seed = 1; seed <= CORE_SEEDS; seed += 1) {
        KeInitializeEvent(&held.Started, NotificationEvent, FALSE);
        HostRunSchedule(seed, RTL_NUMBER_OF(routines), routines, contexts);
        CHECK(held.Status == Status || held.Status == STATUS_THREAD_IS_TERMINATING);
        ObDereferenceObject(held.Thread);
    }
    HostEnterProcess(held.Tracker.Core.Process);
    *Holds = FALSE;
    CoreStopTracker(&held.Tracker);
}

static VOID CoreCreatesEndWithTheirThread(VOID)
{
    CoreOpenUntilTheThreadEnds(&TestFileSystem.HoldsCreates, STATUS_CANCELLED);
}

static VOID CoreQuestionsForNamesEndWithTheirThread(VOID)
{
    if (CoreFront() == PSCTX_FRONT_LEGACY) {                                    /* else Filter Manager asks */
        CoreOpenUntilTheThreadEnds(&TestFileSystem.HoldsNames, STATUS_SUCCESS); /* an open does not fail for a name */
    }
}

/* The request is not given up before the file system is done with it: what it opened is tracked, or closed. */
static VOID CoreCreatesThatSucceedAllTheSameAreTracked(VOID)
{
    CORE_HELD held = {0};
    ULONG round;

    CoreStartTracker(&held.Tracker);
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    (VOID) CoreTrack(held.Tracker.Core.Control, L"*.TXT");
    TestFileSystem.Pends = TRUE; /* and cannot be cancelled */
    for (round = 0; round < 4; round += 1) {
        HANDLE thread;

        KeInitializeEvent(&held.Started, NotificationEvent, FALSE);
        HostLeaveProcess();
        CHECK_STATUS(PsCreateSystemThread(&thread, SYNCHRONIZE, NULL, NULL, NULL, CoreOpenHeld, &held), STATUS_SUCCESS);
        CoreEndHeld(&held);
        CHECK_STATUS(ZwWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
        CHECK_STATUS(ZwClose(thread), STATUS_SUCCESS);
        HostEnterProcess(held.Tracker.Core.Process);
        ObDereferenceObject(held.Thread);
        CHECK(NT_SUCCESS(held.Status) || held.Status == STATUS_THREAD_IS_TERMINATING);
    }
    TestFileSystem.Pends = FALSE;
    CoreStopTracker(&held.Tracker);
}

/* Everything but Tracker, Seed and Stopped is new for every seed. */
typedef struct _CORE_STOPPED {
    CORE_TRACKER Tracker;
    ULONG Seed;
    ULONG Stopped;         /* how often the thread was stopped on its way */
    PVOID volatile Thread; /* referenced */
    volatile LONG Finished;
    HANDLE Second; /* a session with rules */
    ULONG64 Rule;
} CORE_STOPPED, *PCORE_STOPPED;

static VOID CoreOpenStopped(PVOID Context)
{
    const PCORE_STOPPED stopped = Context;

    ObReferenceObject(PsGetCurrentThread());
    WritePointerRelease(&stopped->Thread, PsGetCurrentThread());
    HostEnterProcess(stopped->Tracker.Core.Process);
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    HostLeaveProcess();
    WriteRelease(&stopped->Finished, TRUE);
}

static VOID CoreChangeRules(PVOID Context)
{
    const PCORE_STOPPED stopped = Context;
    PSCTX_RULE_REPLY reply;
    ULONG64 rule;
    ULONG delay;

    HostEnterProcess(stopped->Tracker.Core.Process);
    while (ReadPointerAcquire(&stopped->Thread) == NULL) {
        (VOID) NtClose(NULL);
    }
    for (delay = stopped->Seed % 70; delay != 0; delay -= 1) {
        (VOID) NtClose(NULL);
    }
    HostSuspendThread(stopped->Thread);
    while (!HostIsThreadSuspended(stopped->Thread) && ReadAcquire(&stopped->Finished) == 0) {
        (VOID) NtClose(NULL);
    }
    stopped->Stopped += ReadAcquire(&stopped->Finished) == 0;

    CHECK_STATUS(CoreUntrack(stopped->Second, stopped->Rule), STATUS_SUCCESS);
    rule = CoreTrack(stopped->Second, L"*.ZZZ");
    CHECK_STATUS(CoreTryToQueryRule(stopped->Second, rule, &reply), STATUS_SUCCESS);
    CoreClose(CoreOpenFile(CORE_OTHER_FILE));
    CoreClose(stopped->Second);
    HostResumeThread(stopped->Thread);
    HostLeaveProcess();
}

/* Wherever a thread is stopped in a create that is tracked, everybody else goes on; the schedule knows when nobody can. */
static VOID CoreStoppedCreatesHoldUpNobody(VOID)
{
    static const PHOST_ROUTINE routines[] = {CoreOpenStopped, CoreChangeRules};
    static CORE_STOPPED stopped;
    PVOID contexts[] = {&stopped, &stopped};
    PSCTX_STATISTICS_REPLY statistics;

    CoreStartTracker(&stopped.Tracker);
    (VOID) CoreTrack(stopped.Tracker.Core.Control, L"*.TXT");
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    for (stopped.Seed = 1; stopped.Seed <= 8 * CORE_SEEDS; stopped.Seed += 1) {
        stopped.Thread = NULL;
        stopped.Finished = FALSE;
        stopped.Second = CoreOpenSession(CORE_READ_WRITE);
        stopped.Rule = CoreTrack(stopped.Second, L"*.TXT");
        HostLeaveProcess();
        HostRunSchedule(stopped.Seed, RTL_NUMBER_OF(routines), routines, contexts);
        ObDereferenceObject(stopped.Thread);
        HostEnterProcess(stopped.Tracker.Core.Process);
    }
    CHECK(stopped.Stopped > CORE_SEEDS);
    statistics = CoreStatistics(stopped.Tracker.Core.Control);
    CHECK_EQUAL(statistics.SessionMissed, 0);
    CHECK_EQUAL(statistics.SessionInserted, 1 + 2 * 8 * CORE_SEEDS);
    CHECK_EQUAL(statistics.TotalContexts, 0);
    CoreStopTracker(&stopped.Tracker);
}

static VOID *CoreOpenMany(VOID *Context)
{
    const CORE_HELD *held = Context;
    ULONG round;

    HostEnterProcess(held->Tracker.Core.Process);
    for (round = 0; round < CORE_ROUNDS; round += 1) {
        CoreClose(CoreOpenFile(round % 2 == 0 ? CORE_FILE : CORE_OTHER_FILE));
    }
    HostLeaveProcess();
    return NULL;
}

static VOID *CoreTrackMany(VOID *Context)
{
    const CORE_HELD *held = Context;
    ULONG round;

    HostEnterProcess(held->Tracker.Core.Process);
    for (round = 0; round < CORE_ROUNDS; round += 1) {
        const HANDLE session = CoreOpenSession(CORE_READ_WRITE);
        const ULONG64 rule = CoreTrack(session, L"*ONE.TXT");
        PSCTX_RULE_REPLY reply;

        (VOID) CoreTrack(session, L"*TWO.TXT");
        CHECK_STATUS(CoreTryToQueryRule(session, rule, &reply), STATUS_SUCCESS);
        CHECK_STATUS(CoreUntrack(session, rule), STATUS_SUCCESS);
        CoreClose(session);
    }
    HostLeaveProcess();
    return NULL;
}

static VOID CoreRulesComeAndGoUnderThreads(VOID)
{
    static VOID *(*const routines[])(VOID *) = {CoreOpenMany, CoreOpenMany, CoreTrackMany};
    pthread_t threads[RTL_NUMBER_OF(routines)];
    CORE_HELD held = {0};
    PSCTX_RULE_REPLY reply;
    ULONG64 rule;
    ULONG index;

    CoreStartTracker(&held.Tracker);
    rule = CoreTrack(held.Tracker.Core.Control, L"\\FILES\\*.TXT");
    HostLeaveProcess();
    for (index = 0; index < RTL_NUMBER_OF(routines); index += 1) {
        CHECK_EQUAL(pthread_create(&threads[index], NULL, routines[index], &held), 0);
    }
    for (index = 0; index < RTL_NUMBER_OF(routines); index += 1) {
        CHECK_EQUAL(pthread_join(threads[index], NULL), 0);
    }
    HostEnterProcess(held.Tracker.Core.Process);
    CHECK_STATUS(CoreTryToQueryRule(held.Tracker.Core.Control, rule, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Matched, 2 * CORE_ROUNDS); /* none slips through while the rules are replaced */
    CHECK_EQUAL(reply.Missed, 0);
    CHECK_STATUS(CoreUntrack(held.Tracker.Core.Control, rule), STATUS_SUCCESS);
    CHECK(PsctxListening.Opens == 0);
    CoreStopTracker(&held.Tracker);
}

static const CORE_TEST CoreTrackingTests[] = {
    {"a file is tracked under its own name, whatever it is opened by", CoreFilesHaveTheirOwnNames},
    {"a stream's type is no part of a tracked name", CoreStreamTypesAreNoPartOfNames},
    {"a redirector's prefix is no part of a tracked name", CoreRedirectorsPrefixesAreNoPartOfNames},
    {"opens by id and relative to a renamed directory are tracked", CoreNamesFollowRenamesAndIds},
    {"of a long name its end is kept, and that it is one is told", CoreLongNamesKeepTheirEnd},
    {"nothing is asked of opens that cannot match, and of no others", CoreOpensThatCannotMatchAreSpared},
    {"a relative open is spared by the end of its name alone", CoreRelativeNamesAreSparedByTheirEnd},
    {"an open that cannot match allocates nothing", CoreSparedOpensTakeNoMemory},
    {"no open whose file matches is spared", CoreNoMatchIsSpared},
    {"the name that a file is opened by says of the file's own what is certain, or nothing",
     CoreOpenedNamesSayOnlyWhatIsCertain},
    {"what cannot be named or takes no context is missed", CoreWhatTakesNoContextIsMissed},
    {"what an open cannot match is not looked up in a name that the file system has had",
     CoreNamesAreTheFileSystemsAfterwards},
    {"a stream that needs an anchor is missed", CoreStreamsThatNeedAnAnchorAreMissed},
    {"a file that a context keeps is not closed by a teardown", CoreAnchorsOutliveATeardown},
    {"the driver goes when a teardown of what a context keeps is the last to end", CoreLastAnchorsGoWithTheDriver},
    {"nothing is asked from inside a file system", CoreNothingIsAskedInsideAFileSystem},
    {"an open has its context or is missed, whichever allocation fails", CoreNoOpenIsLostForWantOfMemory},
    {"contexts of rules leave half of the quota to the client", CoreOpensLeaveClientsTheirHalf},
    {"half of the quota is half of the contexts and of the bytes of either pool", CoreRulesHaveHalfOfEverything},
    {"misses are reported with their count", CoreMissesAreReportedWithTheirCount},
    {"rules go when there is no memory", CoreRulesGoWithoutMemory},
    {"the rules of a load of the driver are its own", CoreRulesOfALoadAreItsOwn},
    {"rules are accounted for", CoreRulesAreAccountedFor},
    {"a tracked create that waits ends with its thread", CoreCreatesEndWithTheirThread},
    {"a question for the name of a tracked file ends with its thread", CoreQuestionsForNamesEndWithTheirThread},
    {"a create that succeeds though its thread ends leaves nothing", CoreCreatesThatSucceedAllTheSameAreTracked},
    {"a suspended create holds up nobody", CoreStoppedCreatesHoldUpNobody},
    {"rules come and go under threads, and no open slips through", CoreRulesComeAndGoUnderThreads},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreTrackingTests, RTL_NUMBER_OF(CoreTrackingTests), argc > 1 ? argv[1] : NULL);
}
