/* Tests of the embedded kernel's file systems, through system services: one suite for every volume, and what is a volume's own. */
#include "files.h"
#include "harness.h"
#include "probe.h"
#include "services.h"

#include "host.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static PEPROCESS Process;
static BOOLEAN NamedStreams;
static WCHAR CurrentLetter;

static ULONG64 StreamOf(HANDLE Handle)
{
    PROBE_REPLY Reply;

    return NT_SUCCESS(ProbeStream(Handle, FALSE, &Reply)) ? Reply.Stream : 0;
}

static void NamesAreChecked(void)
{
    static const WCHAR *const Invalid[] = {
        L"\\a*b",   L"\\a?b", L"\\a<b", L"\\a|b",    L"\\a\"b",    L"\\.",     L"\\..",     L"\\a/b",
        L"\\a\x01", L"\\f:",  L"\\f::", L"\\f:s:$X", L"\\f:s:s:t", L"\\..\\a", L"\\f:a\\b", L"\\f:s:$DATA\\"};
    WCHAR Long[300];
    HANDLE Handle;
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Invalid); Index++) {
        CHECK_STATUS(OpenAs(Invalid[Index], ALL_ACCESS, FILE_OPEN_IF, 0, SHARE_ALL, &Handle),
                     STATUS_OBJECT_NAME_INVALID);
    }
    for (Index = 0; Index < RTL_NUMBER_OF(Long); Index++) {
        Long[Index] = Index == 0 ? L'\\' : L'x';
    }
    CHECK_STATUS(OpenCounted(Long, 257, FILE_OPEN, &Handle), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(OpenCounted(Long, 256, FILE_CREATE, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\none"), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(OpenOnly(L"\\none\\a"), STATUS_OBJECT_PATH_NOT_FOUND);
}

static void SeparatorsAreCounted(void)
{
    static const WCHAR *const Invalid[] = {L"\\\\\\sep",     L"\\sep\\\\",   L"\\parted\\\\",
                                           L"\\parted\\\\a", L"\\none\\\\a", L"\\\\\\"};
    HANDLE Handle;

    CHECK_STATUS(MakeDirectory(L"\\parted"), STATUS_SUCCESS);
    CHECK_STATUS(CreateNew(L"\\\\sep", &Handle), STATUS_SUCCESS);
    CHECK(HasName(Handle, L"\\sep"));
    (VOID) NtClose(Handle);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Invalid); Index++) {
        CHECK_STATUS(OpenOnly(Invalid[Index]), STATUS_OBJECT_NAME_INVALID);
    }
    CHECK_STATUS(OpenOnly(L"\\\\"), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\parted\\"), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\sep\\"), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(OpenFile(L"\\parted", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(OpenRelative(Handle, L"a\\\\", FILE_OPEN, &Handle), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(OpenRelative(Handle, L"a\\\\b", FILE_OPEN, &Handle), STATUS_OBJECT_NAME_INVALID);
    (VOID) NtClose(Handle);
    CHECK_STATUS(Remove(L"\\sep"), STATUS_SUCCESS);
    CHECK_STATUS(Remove(L"\\parted"), STATUS_SUCCESS);
}

static NTSTATUS SetAttributes(HANDLE Handle, ULONG Attributes)
{
    FILE_BASIC_INFORMATION Basic = {.FileAttributes = Attributes};
    IO_STATUS_BLOCK IoStatus;

    return NtSetInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation);
}

static void ReadOnlyFilesAreNotWritten(void)
{
    static const ULONG Overwriting[] = {FILE_OVERWRITE, FILE_OVERWRITE_IF, FILE_SUPERSEDE};
    FILE_BASIC_INFORMATION Basic;
    HANDLE Kept;
    HANDLE Handle;

    CHECK_STATUS(CreateNew(L"\\fixed", &Kept), STATUS_SUCCESS);
    CHECK_STATUS(Write(Kept, 0, "abc", 3), STATUS_SUCCESS);
    CHECK_STATUS(SetAttributes(Kept, FILE_ATTRIBUTE_READONLY), STATUS_SUCCESS);
    CHECK_STATUS(Query(Kept, FileBasicInformation, &Basic, sizeof(Basic)), STATUS_SUCCESS);
    if ((Basic.FileAttributes & FILE_ATTRIBUTE_READONLY) == 0) {
        (VOID) NtClose(Kept); /* a mount of the machine's that keeps no permissions */
        CHECK_STATUS(Remove(L"\\fixed"), STATUS_SUCCESS);
        return;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Overwriting); Index++) {
        CHECK_STATUS(OpenAs(L"\\fixed", FILE_READ_ATTRIBUTES, Overwriting[Index], 0, SHARE_ALL, &Handle),
                     STATUS_ACCESS_DENIED);
    }
    CHECK_STATUS(OpenAs(L"\\fixed", FILE_WRITE_DATA, FILE_OPEN, 0, SHARE_ALL, &Handle), STATUS_ACCESS_DENIED);
    CHECK_STATUS(OpenAs(L"\\fixed", FILE_APPEND_DATA, FILE_OPEN_IF, 0, SHARE_ALL, &Handle), STATUS_ACCESS_DENIED);
    if (NamedStreams) {
        CHECK_STATUS(OpenAs(L"\\fixed:new", FILE_WRITE_DATA, FILE_OPEN_IF, 0, SHARE_ALL, &Handle),
                     STATUS_ACCESS_DENIED);
        CHECK_STATUS(OpenOnly(L"\\fixed:new"), STATUS_OBJECT_NAME_NOT_FOUND);
    }
    CHECK_STATUS(Write(Kept, 0, "d", 1), STATUS_SUCCESS); /* who could write before still can */
    CHECK_STATUS(OpenAs(L"\\fixed", FILE_READ_DATA | FILE_WRITE_ATTRIBUTES, FILE_OPEN, 0, SHARE_ALL, &Handle),
                 STATUS_SUCCESS);
    CHECK_STATUS(SetAttributes(Handle, FILE_ATTRIBUTE_NORMAL), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    (VOID) NtClose(Kept);
    CHECK_STATUS(OpenAs(L"\\fixed", FILE_WRITE_DATA, FILE_OVERWRITE, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK_STATUS(Remove(L"\\fixed"), STATUS_SUCCESS);
}

static void FlushingIsWriting(void)
{
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    CHECK_STATUS(CreateNew(L"\\flushed", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtFlushBuffersFile(Handle, &IoStatus), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK_STATUS(OpenAs(L"\\flushed", FILE_GENERIC_READ, FILE_OPEN, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtFlushBuffersFile(Handle, &IoStatus), STATUS_ACCESS_DENIED);
    (VOID) NtClose(Handle);
    CHECK_STATUS(OpenAs(L"\\flushed", FILE_APPEND_DATA, FILE_OPEN, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtFlushBuffersFile(Handle, &IoStatus), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK_STATUS(Remove(L"\\flushed"), STATUS_SUCCESS);
}

static void CaseIsKeptAndDoesNotMatter(void)
{
    HANDLE First;
    HANDLE Second;

    CHECK_STATUS(CreateNew(L"\\Case.Txt", &First), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\cASE.tXT", &Second), STATUS_SUCCESS);
    CHECK(StreamOf(First) != 0 && StreamOf(First) == StreamOf(Second));
    CHECK(HasName(Second, L"\\Case.Txt"));
    CHECK_STATUS(MakeFile(L"\\CASE.TXT"), STATUS_OBJECT_NAME_COLLISION);
    (VOID) NtClose(Second);
    (VOID) NtClose(First);
    CHECK_STATUS(Remove(L"\\case.txt"), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\Case.Txt"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void DispositionsDoWhatTheySay(void)
{
    FILE_STANDARD_INFORMATION Standard;
    HANDLE Handle;

    CHECK_STATUS(OpenAs(L"\\d", ALL_ACCESS, FILE_OVERWRITE, 0, SHARE_ALL, &Handle), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(OpenAs(L"\\d", ALL_ACCESS, FILE_OVERWRITE_IF, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(Write(Handle, 0, "abc", 3), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK_STATUS(OpenAs(L"\\d", ALL_ACCESS, FILE_OVERWRITE, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(Query(Handle, FileStandardInformation, &Standard, sizeof(Standard)), STATUS_SUCCESS);
    CHECK(Standard.EndOfFile.QuadPart == 0 && !Standard.Directory && Standard.NumberOfLinks == 1);
    (VOID) NtClose(Handle);
    CHECK_STATUS(OpenAs(L"\\d", ALL_ACCESS, FILE_OPEN, FILE_DIRECTORY_FILE, SHARE_ALL, &Handle),
                 STATUS_NOT_A_DIRECTORY);
    CHECK_STATUS(OpenOnly(L"\\d\\"), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(OpenOnly(L"\\d\\e"), STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK_STATUS(Remove(L"\\d"), STATUS_SUCCESS);
}

static void BytesAreReadBack(void)
{
    HANDLE Handle;
    char Bytes[16];
    ULONG Transferred;

    CHECK_STATUS(CreateNew(L"\\bytes", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(Read(Handle, 0, Bytes, sizeof(Bytes), &Transferred), STATUS_END_OF_FILE);
    CHECK_STATUS(Write(Handle, 4, "data", 4), STATUS_SUCCESS);
    CHECK_STATUS(Read(Handle, 0, Bytes, sizeof(Bytes), &Transferred), STATUS_SUCCESS);
    CHECK(Transferred == 8 && memcmp(Bytes, "\0\0\0\0data", 8) == 0);
    CHECK_STATUS(Read(Handle, 8, Bytes, 1, &Transferred), STATUS_END_OF_FILE);
    CHECK_STATUS(Write(Handle, -3, "x", 1), STATUS_INVALID_PARAMETER);
    (VOID) NtClose(Handle);
    CHECK_STATUS(Remove(L"\\bytes"), STATUS_SUCCESS);
}

static void AStreamHasOneFcb(void)
{
    HANDLE First;
    HANDLE Second;
    PROBE_REPLY Reply;
    LONG Before = ProbeTornDown();

    CHECK_STATUS(CreateNew(L"\\one", &First), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\one::$DATA", &Second), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(First, TRUE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Supported == 1);
    CHECK_STATUS(ProbeStream(Second, FALSE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Contexts == 1);
    (VOID) NtClose(First);
    CHECK(ProbeTornDown() == Before);
    (VOID) NtClose(Second);
    CHECK(ProbeTornDown() == Before + 1);
    CHECK_STATUS(OpenFile(L"\\one", &First), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(First, FALSE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Contexts == 0);
    (VOID) NtClose(First);
    CHECK_STATUS(Remove(L"\\one"), STATUS_SUCCESS);
    CHECK(ProbeTornDown() == Before + 1);
}

static void AReferenceKeepsAStreamAlive(void)
{
    HANDLE Handle;
    PROBE_REPLY Reply;
    LONG Before = ProbeTornDown();

    CHECK_STATUS(CreateNew(L"\\kept", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Handle, TRUE, &Reply), STATUS_SUCCESS);
    CHECK_STATUS(ProbeHold(Handle), STATUS_SUCCESS);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK(ProbeTornDown() == Before);
    CHECK_STATUS(CreateNew(L"\\kept", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Handle, FALSE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Contexts == 0);
    ProbeRelease();
    CHECK(ProbeTornDown() == Before + 1);
    (VOID) NtClose(Handle);
    CHECK_STATUS(Remove(L"\\kept"), STATUS_SUCCESS);
}

static void NamedStreamsHaveTheirOwnFcb(void)
{
    HANDLE File;
    HANDLE Stream;
    HANDLE Again;
    char Bytes[8];
    ULONG Transferred;
    ULONG64 Buffer[64];
    PFILE_STREAM_INFORMATION Entry = (PFILE_STREAM_INFORMATION)(PVOID)Buffer;

    CHECK_STATUS(CreateNew(L"\\s.txt", &File), STATUS_SUCCESS);
    if (!NamedStreams) {
        CHECK_STATUS(CreateNew(L"\\s.txt:notes", &Stream), STATUS_OBJECT_NAME_INVALID);
        (VOID) NtClose(File);
        CHECK_STATUS(Remove(L"\\s.txt"), STATUS_SUCCESS);
        return;
    }
    CHECK_STATUS(OpenOnly(L"\\s.txt:notes"), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(CreateNew(L"\\s.txt:notes", &Stream), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\S.TXT:NOTES:$data", &Again), STATUS_SUCCESS);
    CHECK(StreamOf(Stream) == StreamOf(Again) && StreamOf(Stream) != StreamOf(File));
    CHECK(HasName(Stream, L"\\s.txt:notes"));
    CHECK_STATUS(Write(Stream, 0, "note", 4), STATUS_SUCCESS);
    CHECK_STATUS(Read(File, 0, Bytes, sizeof(Bytes), &Transferred), STATUS_END_OF_FILE);
    CHECK_STATUS(Query(File, FileStreamInformation, Buffer, sizeof(Buffer)), STATUS_SUCCESS);
    CHECK(Entry->StreamNameLength == 14 && Entry->NextEntryOffset != 0);
    Entry = (PFILE_STREAM_INFORMATION)(PVOID)((PUCHAR)Entry + Entry->NextEntryOffset);
    CHECK(Entry->StreamNameLength == 24 && Entry->StreamSize.QuadPart == 4 && Entry->NextEntryOffset == 0);
    CHECK_STATUS(SetDelete(Stream, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\s.txt:notes"), STATUS_DELETE_PENDING);
    (VOID) NtClose(Again);
    (VOID) NtClose(Stream);
    CHECK_STATUS(OpenOnly(L"\\s.txt:notes"), STATUS_OBJECT_NAME_NOT_FOUND);
    (VOID) NtClose(File);
    CHECK_STATUS(MakeFile(L"\\new.txt:both"), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\new.txt"), STATUS_SUCCESS);
    CHECK_STATUS(Remove(L"\\new.txt"), STATUS_SUCCESS);
    CHECK_STATUS(Remove(L"\\s.txt"), STATUS_SUCCESS);
}

static void DirectoriesAreStreamsToo(void)
{
    HANDLE Directory;
    HANDLE Child;
    PROBE_REPLY Reply;
    ULONG Count;
    LONG Before = ProbeTornDown();

    CHECK_STATUS(MakeDirectory(L"\\dir"), STATUS_SUCCESS);
    CHECK_STATUS(MakeDirectory(L"\\dir"), STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(OpenFile(L"\\dir\\", &Directory), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Directory, TRUE, &Reply), STATUS_SUCCESS);
    CHECK_STATUS(OpenRelative(Directory, L"child", FILE_CREATE, &Child), STATUS_SUCCESS);
    CHECK(HasName(Child, L"\\dir\\child"));
    CHECK_STATUS(List(Directory, L"CH*", &Count), STATUS_SUCCESS);
    CHECK(Count == 1);
    CHECK_STATUS(SetDelete(Directory, TRUE), STATUS_DIRECTORY_NOT_EMPTY);
    CHECK_STATUS(Rename(Directory, L"moved", FALSE), STATUS_ACCESS_DENIED);
    CHECK_STATUS(OpenOnly(L"\\dir::$DATA"), STATUS_FILE_IS_A_DIRECTORY);
    CHECK_STATUS(SetDelete(Child, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Child);
    CHECK_STATUS(Rename(Directory, L"moved", FALSE), STATUS_SUCCESS);
    CHECK(HasName(Directory, L"\\moved"));
    CHECK_STATUS(SetDelete(Directory, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Directory);
    CHECK(ProbeTornDown() == Before + 1);
    CHECK_STATUS(OpenOnly(L"\\moved"), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* The full name of a file on the volume under test, by a pattern whose drive letter is a question mark before a colon. */
static const WCHAR *FullName(const WCHAR *Pattern)
{
    static WCHAR Name[64];
    ULONG Index = 0;

    do {
        Name[Index] = Pattern[Index] == L'?' && Pattern[Index + 1] == L':' ? CurrentLetter : Pattern[Index];
    } while (Pattern[Index++] != 0);
    return Name;
}

static void RenameKeepsTheFcb(void)
{
    HANDLE Handle;
    HANDLE Second;
    HANDLE Target;
    ULONG64 Stream;

    CHECK_STATUS(CreateNew(L"\\r1", &Handle), STATUS_SUCCESS);
    Stream = StreamOf(Handle);
    CHECK_STATUS(Rename(Handle, L"R1", FALSE), STATUS_SUCCESS);
    CHECK(HasName(Handle, L"\\R1"));
    CHECK_STATUS(CreateNew(L"\\r2", &Target), STATUS_SUCCESS);
    CHECK_STATUS(Rename(Handle, L"r2", FALSE), STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(Rename(Handle, L"r2", TRUE), STATUS_ACCESS_DENIED);
    (VOID) NtClose(Target);
    CHECK_STATUS(Rename(Handle, L"R2", TRUE), STATUS_SUCCESS);
    CHECK_STATUS(Rename(Handle, L"a:b", TRUE), STATUS_OBJECT_NAME_INVALID);
    CHECK_STATUS(Rename(Handle, FullName(L"\\??\\?:\\none\\r3"), FALSE), STATUS_OBJECT_PATH_NOT_FOUND);
    CHECK_STATUS(Rename(Handle, L"\\??\\Z:\\r3", FALSE), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(MakeDirectory(L"\\rd"), STATUS_SUCCESS);
    CHECK_STATUS(Rename(Handle, FullName(L"\\??\\?:\\rd\\r3"), FALSE), STATUS_SUCCESS);
    CHECK(HasName(Handle, L"\\rd\\r3"));
    CHECK_STATUS(Rename(Handle, FullName(L"\\??\\?:\\R2"), FALSE), STATUS_SUCCESS);
    CHECK_STATUS(Remove(L"\\rd"), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\r2", &Second), STATUS_SUCCESS);
    CHECK(StreamOf(Second) == Stream && HasName(Second, L"\\R2"));
    CHECK_STATUS(OpenOnly(L"\\r1"), STATUS_OBJECT_NAME_NOT_FOUND);
    (VOID) NtClose(Second);
    (VOID) NtClose(Handle);
    CHECK_STATUS(Remove(L"\\r2"), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\r2"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void HardLinksShareTheFcb(void)
{
    FILE_STANDARD_INFORMATION Standard;
    HANDLE First;
    HANDLE Second;

    CHECK_STATUS(CreateNew(L"\\l1", &First), STATUS_SUCCESS);
    CHECK_STATUS(Link(First, L"l2", FALSE), STATUS_SUCCESS);
    CHECK_STATUS(Link(First, L"l2", FALSE), STATUS_OBJECT_NAME_COLLISION);
    CHECK_STATUS(OpenFile(L"\\l2", &Second), STATUS_SUCCESS);
    CHECK(StreamOf(First) == StreamOf(Second));
    CHECK(HasName(Second, L"\\l2"));
    CHECK_STATUS(Query(Second, FileStandardInformation, &Standard, sizeof(Standard)), STATUS_SUCCESS);
    CHECK(Standard.NumberOfLinks == 2);
    CHECK_STATUS(SetDelete(First, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\l1"), STATUS_DELETE_PENDING);
    CHECK_STATUS(OpenOnly(L"\\l2"), STATUS_SUCCESS);
    (VOID) NtClose(First);
    CHECK_STATUS(OpenOnly(L"\\l1"), STATUS_OBJECT_NAME_NOT_FOUND);
    (VOID) NtClose(Second);
    CHECK_STATUS(Remove(L"\\l2"), STATUS_SUCCESS);
}

static NTSTATUS OpenById(HANDLE Volume, ULONG64 FileId, HANDLE *Handle)
{
    UNICODE_STRING Name = {sizeof(FileId), sizeof(FileId), (PWCH)(PVOID)&FileId};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, Volume, NULL);
    return NtCreateFile(Handle, FILE_GENERIC_READ, &Attributes, &IoStatus, NULL, 0, SHARE_ALL, FILE_OPEN,
                        FILE_OPEN_BY_FILE_ID | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static void FilesOpenByTheirId(void)
{
    FILE_INTERNAL_INFORMATION Internal;
    HANDLE File;
    HANDLE Other;
    HANDLE ById;

    CHECK_STATUS(MakeDirectory(L"\\ids"), STATUS_SUCCESS);
    CHECK_STATUS(CreateNew(L"\\ids\\Its Name.txt", &File), STATUS_SUCCESS);
    CHECK_STATUS(CreateNew(L"\\other", &Other), STATUS_SUCCESS);
    CHECK_STATUS(Query(File, FileInternalInformation, &Internal, sizeof(Internal)), STATUS_SUCCESS);
    CHECK_STATUS(OpenById(Other, (ULONG64)Internal.IndexNumber.QuadPart, &ById), STATUS_SUCCESS);
    CHECK(StreamOf(ById) != 0 && StreamOf(ById) == StreamOf(File));
    CHECK(HasName(ById, L"\\ids\\Its Name.txt"));
    CHECK_STATUS(NtClose(ById), STATUS_SUCCESS);
    CHECK_STATUS(OpenById(Other, 0x7FFFFFF1, &ById), STATUS_INVALID_PARAMETER);
    (VOID) NtClose(Other);
    (VOID) NtClose(File);
}

static void NormalizedNamesAreTold(void)
{
    static const WCHAR Name[] = L"\\Normal.Txt";
    ULONG64 Buffer[16];
    PFILE_NAME_INFORMATION Reply = (PFILE_NAME_INFORMATION)(PVOID)Buffer;
    HANDLE File;

    CHECK_STATUS(MakeFile(Name), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\NORMAL.TXT", &File), STATUS_SUCCESS);
    CHECK_STATUS(Query(File, FileNormalizedNameInformation, Buffer, sizeof(Buffer)), STATUS_SUCCESS);
    CHECK(Reply->FileNameLength == sizeof(Name) - sizeof(WCHAR) &&
          memcmp(Reply->FileName, Name, Reply->FileNameLength) == 0);
    CHECK_STATUS(Query(File, FileNormalizedNameInformation, Buffer, 12), STATUS_BUFFER_OVERFLOW);
    HostSetQuirks(HOST_QUIRK_NO_NORMALIZED_NAMES);
    CHECK_STATUS(Query(File, FileNormalizedNameInformation, Buffer, sizeof(Buffer)), STATUS_INVALID_INFO_CLASS);
    CHECK_STATUS(Query(File, FileNameInformation, Buffer, sizeof(Buffer)), STATUS_SUCCESS);
    HostSetQuirks(0);
    (VOID) NtClose(File);
}

static void DeletionWaitsForTheLastHandle(void)
{
    HANDLE First;
    HANDLE Second;

    CHECK_STATUS(CreateNew(L"\\gone", &First), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\gone", &Second), STATUS_SUCCESS);
    CHECK_STATUS(SetDelete(First, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\gone"), STATUS_DELETE_PENDING);
    (VOID) NtClose(First);
    CHECK_STATUS(OpenOnly(L"\\gone"), STATUS_DELETE_PENDING);
    CHECK_STATUS(SetDelete(Second, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\gone"), STATUS_SUCCESS);
    (VOID) NtClose(Second);
    CHECK_STATUS(OpenAs(L"\\gone", ALL_ACCESS, FILE_OPEN, FILE_DELETE_ON_CLOSE, SHARE_ALL, &First), STATUS_SUCCESS);
    (VOID) NtClose(First);
    CHECK_STATUS(OpenOnly(L"\\gone"), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void ShareModesAreHeld(void)
{
    HANDLE First;
    HANDLE Second;

    CHECK_STATUS(OpenAs(L"\\share", FILE_GENERIC_READ, FILE_CREATE, 0, FILE_SHARE_READ, &First), STATUS_SUCCESS);
    CHECK_STATUS(OpenAs(L"\\share", FILE_GENERIC_WRITE, FILE_OPEN, 0, SHARE_ALL, &Second), STATUS_SHARING_VIOLATION);
    CHECK_STATUS(OpenAs(L"\\share", DELETE, FILE_OPEN, 0, SHARE_ALL, &Second), STATUS_SHARING_VIOLATION);
    CHECK_STATUS(OpenAs(L"\\share", FILE_GENERIC_READ, FILE_OPEN, 0, FILE_SHARE_READ, &Second), STATUS_SUCCESS);
    (VOID) NtClose(Second);
    (VOID) NtClose(First);
    CHECK_STATUS(Remove(L"\\share"), STATUS_SUCCESS);
}

static void VolumeOpensAreNoStreams(void)
{
    ULONG64 Buffer[16];
    PFILE_FS_ATTRIBUTE_INFORMATION Attributes = (PFILE_FS_ATTRIBUTE_INFORMATION)(PVOID)Buffer;
    IO_STATUS_BLOCK IoStatus;
    PROBE_REPLY Reply;
    HANDLE Volume;

    CHECK_STATUS(OpenAs(L"", FILE_GENERIC_READ, FILE_OPEN, 0, SHARE_ALL, &Volume), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Volume, FALSE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Supported == 0);
    CHECK_STATUS(NtQueryVolumeInformationFile(Volume, &IoStatus, Buffer, sizeof(Buffer), FileFsAttributeInformation),
                 STATUS_SUCCESS);
    CHECK(Attributes->FileSystemNameLength == 14 && (Attributes->FileSystemAttributes & FILE_NAMED_STREAMS) != 0);
    (VOID) NtClose(Volume);
}

static void PagingFileHasNoSupport(void)
{
    PROBE_REPLY Reply;
    HANDLE Handle;

    CHECK_STATUS(OpenFile(L"\\pagefile.sys", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Handle, FALSE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Supported == 0);
    CHECK_STATUS(ProbeStream(Handle, TRUE, &Reply), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_CANNOT_DELETE);
    (VOID) NtClose(Handle);
}

static void LongPathsWork(void)
{
    enum { Component = 250, Depth = 120 };
    static WCHAR Path[32768];
    ULONG Units = 0;
    HANDLE Handle;
    ULONG Level;
    ULONG Index;

    for (Level = 0; Level < Depth; Level++) {
        Path[Units++] = L'\\';
        for (Index = 0; Index < Component; Index++) {
            Path[Units++] = L'p';
        }
        Path[Units] = 0;
        CHECK_STATUS(MakeDirectory(Path), STATUS_SUCCESS);
    }
    CHECK_STATUS(OpenOnly(Path), STATUS_SUCCESS);
    for (Level = Depth; Level != 0; Level--) {
        Path[Level * (Component + 1)] = 0;
        CHECK_STATUS(Remove(Path), STATUS_SUCCESS);
    }
    CHECK_STATUS(OpenFile(L"\\", &Handle), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
}

static void FailedAllocationsAreReported(void)
{
    HOST_AUDIT Before;
    HOST_AUDIT After;
    ULONG Countdown;

    CHECK_STATUS(MakeFile(L"\\warm"), STATUS_SUCCESS);
    CHECK_STATUS(Remove(L"\\warm"), STATUS_SUCCESS);
    for (Countdown = 1; Countdown < 40; Countdown++) {
        static const WCHAR *const Names[] = {L"\\fault", L"\\fault:s"};
        ULONG Index;

        HostAudit(&Before);
        for (Index = 0; Index < RTL_NUMBER_OF(Names) - (NamedStreams ? 0u : 1u); Index++) {
            HANDLE Handle = NULL;
            NTSTATUS Status;

            HostFailAllocation(Countdown);
            Status = CreateNew(Names[Index], &Handle);
            if (NT_SUCCESS(Status)) {
                Status = Write(Handle, 0, "bytes", 5);
                CHECK(Status == STATUS_SUCCESS || Status == STATUS_INSUFFICIENT_RESOURCES);
                if (Index == 0) {
                    Status = Link(Handle, L"link", TRUE);
                    CHECK(Status == STATUS_SUCCESS || Status == STATUS_INSUFFICIENT_RESOURCES);
                    Status = Rename(Handle, L"other", TRUE);
                    CHECK(Status == STATUS_SUCCESS || Status == STATUS_INSUFFICIENT_RESOURCES);
                }
                HostFailAllocation(0);
                (VOID) NtClose(Handle);
            } else {
                CHECK_STATUS(Status, STATUS_INSUFFICIENT_RESOURCES);
            }
            HostFailAllocation(0);
            (VOID) Remove(L"\\fault");
            (VOID) Remove(L"\\link");
            (VOID) Remove(L"\\other");
        }
        HostAudit(&After);
        CHECK(After.PoolAllocations == Before.PoolAllocations && After.Handles == Before.Handles);
        CHECK(After.Objects == Before.Objects && After.Irps == Before.Irps && After.Locks == Before.Locks);
    }
}

static void *StormThread(void *Context)
{
    static const WCHAR *const Names[] = {L"\\storm0", L"\\storm1", L"\\storm2"};
    unsigned Random = (unsigned)(ULONG_PTR)Context;
    PROBE_REPLY Reply;
    HANDLE Handle;
    int Round;

    HostEnterProcess(Process);
    for (Round = 0; Round < 300; Round++) {
        Random = Random * 1103515245u + 12345u;
        if (NT_SUCCESS(OpenAs(Names[(Random >> 16) % 3], ALL_ACCESS, FILE_OPEN_IF, 0, SHARE_ALL, &Handle))) {
            (VOID) ProbeStream(Handle, (BOOLEAN)((Random >> 20) % 4 == 0), &Reply);
            (VOID) Write(Handle, 0, &Random, sizeof(Random));
            if ((Random >> 22) % 3 == 0) {
                (VOID) Rename(Handle, Names[(Random >> 18) % 3] + 1, TRUE);
            } else if ((Random >> 22) % 3 == 1) {
                (VOID) SetDelete(Handle, TRUE);
            }
            (VOID) NtClose(Handle);
        }
    }
    HostLeaveProcess();
    return NULL;
}

static void ConcurrentOpensLeaveNothingBehind(void)
{
    pthread_t Threads[4];
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Threads); Index++) {
        CHECK(pthread_create(&Threads[Index], NULL, StormThread, (void *)(ULONG_PTR)(Index + 1)) == 0);
    }
    for (Index = 0; Index < RTL_NUMBER_OF(Threads); Index++) {
        CHECK(pthread_join(Threads[Index], NULL) == 0);
    }
    (VOID) Remove(L"\\storm0");
    (VOID) Remove(L"\\storm1");
    (VOID) Remove(L"\\storm2");
    CHECK(HostAuditPool(0x62727050u) == 0);
}

static void DismountLeavesHandles(void)
{
    HANDLE Handle;
    PROBE_REPLY Reply;
    char Byte;
    ULONG Transferred;
    LONG Before = ProbeTornDown();

    CHECK_STATUS(OpenAs(L"\\left", ALL_ACCESS, FILE_OPEN_IF, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Handle, TRUE, &Reply), STATUS_SUCCESS);
    CHECK_STATUS(DismountHere(), STATUS_SUCCESS);
    CHECK_STATUS(Write(Handle, 0, "x", 1), STATUS_VOLUME_DISMOUNTED);
    CHECK_STATUS(Read(Handle, 0, &Byte, 1, &Transferred), STATUS_VOLUME_DISMOUNTED);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_VOLUME_DISMOUNTED);
    CHECK_STATUS(ProbeStream(Handle, FALSE, &Reply), STATUS_SUCCESS);
    CHECK(Reply.Contexts == 1 && ProbeTornDown() == Before);
    (VOID) NtClose(Handle);
    CHECK(ProbeTornDown() == Before + 1);
    CHECK_STATUS(OpenOnly(L"\\"), STATUS_SUCCESS);
}

static void HostDismountLeavesHandles(WCHAR Letter)
{
    HANDLE Handle;
    PROBE_REPLY Reply;
    LONG Before = ProbeTornDown();

    CHECK_STATUS(OpenAs(L"\\left", ALL_ACCESS, FILE_OPEN_IF, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Handle, TRUE, &Reply), STATUS_SUCCESS);
    HostLeaveProcess();
    CHECK_STATUS(HostDismountVolume(Letter), STATUS_SUCCESS);
    HostEnterProcess(Process);
    CHECK_STATUS(Write(Handle, 0, "x", 1), STATUS_VOLUME_DISMOUNTED);
    (VOID) NtClose(Handle);
    CHECK(ProbeTornDown() == Before + 1);
}

static void NobodyLeavesTheDirectory(void)
{
    HANDLE Handle;

    CHECK_STATUS(OpenFile(L"\\escape", &Handle), STATUS_ACCESS_DENIED);
    CHECK_STATUS(OpenFile(L"\\escape\\passwd", &Handle), STATUS_ACCESS_DENIED);
    CHECK_STATUS(OpenCounted(L"\\\xd800", 2, FILE_CREATE, &Handle), STATUS_OBJECT_NAME_INVALID);
}

static void PipesCarryAForeignContext(void)
{
    static const WCHAR Text[] = L"\\DosDevices\\PIPE\\any";
    UNICODE_STRING Name = RTL_CONSTANT_STRING(Text);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;
    char Byte;
    ULONG Transferred;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    CHECK_STATUS(NtCreateFile(&Handle, FILE_GENERIC_READ, &Attributes, &IoStatus, NULL, 0, SHARE_ALL, FILE_OPEN,
                              FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(Read(Handle, 0, &Byte, 1, &Transferred), STATUS_INVALID_DEVICE_REQUEST);
    (VOID) NtClose(Handle);
}

static NTSTATUS Mounted;

static void VolumeIsMounted(void)
{
    CHECK_STATUS(Mounted, STATUS_SUCCESS);
    CHECK_STATUS(OpenOnly(L"\\"), STATUS_SUCCESS);
}

static void DismountByTheHost(void)
{
    HostDismountLeavesHandles(CurrentLetter);
}

static void RunSuite(const char *Volume, WCHAR Letter, ULONG FileSystem, const char *Directory, BOOLEAN Streams)
{
    printf("# %s\n", Volume);
    NamedStreams = Streams;
    CurrentLetter = Letter;
    UseVolume(Letter);
    HostLeaveProcess();
    Mounted = HostMountVolume(Letter, FileSystem, Directory);
    HostEnterProcess(Process);
    RunTest("the volume is mounted", VolumeIsMounted);
    RunTest("names that NTFS refuses are refused", NamesAreChecked);
    RunTest("of two separators that a name begins with one is dropped, and no others may meet", SeparatorsAreCounted);
    RunTest("a read-only file is neither overwritten nor opened for writing", ReadOnlyFilesAreNotWritten);
    RunTest("a file is flushed only through a handle that may write", FlushingIsWriting);
    RunTest("case is kept and does not matter", CaseIsKeptAndDoesNotMatter);
    RunTest("dispositions do what they say", DispositionsDoWhatTheySay);
    RunTest("bytes written are read back", BytesAreReadBack);
    RunTest("a stream has one FCB, torn down once with the last close", AStreamHasOneFcb);
    RunTest("a reference keeps a deleted stream's contexts", AReferenceKeepsAStreamAlive);
    RunTest("a named stream has an FCB of its own", NamedStreamsHaveTheirOwnFcb);
    RunTest("directories are streams with contexts", DirectoriesAreStreamsToo);
    RunTest("a rename keeps the FCB", RenameKeepsTheFcb);
    RunTest("hard links share the FCB", HardLinksShareTheFcb);
    RunTest("normalised names are told where the file system knows them", NormalizedNamesAreTold);
    RunTest("deletion waits for the last handle", DeletionWaitsForTheLastHandle);
    RunTest("share modes are held", ShareModesAreHeld);
    RunTest("a volume open is no stream", VolumeOpensAreNoStreams);
    RunTest("a failed allocation is reported and leaves nothing", FailedAllocationsAreReported);
    RunTest("concurrent opens, renames and deletions leave nothing", ConcurrentOpensLeaveNothingBehind);
    RunTest("locked ranges are kept from others, until the last handle of their open", LockedRangesAreKeptFromOthers);
    RunTest("a section keeps its stream when the last handle is gone", ASectionKeepsItsStream);
    if (FileSystem == HOST_FILE_SYSTEM_MEMORY) {
        RunTest("security is told as it was set", SecurityIsToldAsItWasSet);
        RunTest("sparse files say so", SparseFilesSaySo);
        RunTest("a file opens by its id, and has its name", FilesOpenByTheirId);
        RunTest("a paging file has no context support", PagingFileHasNoSupport);
        RunTest("paths of 30000 units work", LongPathsWork);
    } else {
        RunTest("no name leads out of the directory", NobodyLeavesTheDirectory);
    }
    RunTest("a dismount by control code leaves handles that answer so", DismountLeavesHandles);
    RunTest("a dismount by the host leaves handles that answer so", DismountByTheHost);
}

static void ProbeIsLoaded(void)
{
    CHECK_STATUS(ProbeLoad(), STATUS_SUCCESS);
}

static void NothingIsLeft(void)
{
    HOST_AUDIT Audit;

    ProbeUnload();
    HostLeaveProcess();
    HostExitProcess(Process);
    HostDereferenceProcess(Process);
    CHECK_STATUS(HostShutdown(&Audit), STATUS_SUCCESS);
    CHECK(Audit.PoolBytes == 0 && Audit.PoolAllocations == 0 && Audit.Handles == 0);
    CHECK(Audit.Objects == 0 && Audit.Irps == 0 && Audit.Locks == 0);
}

/* TRUE when a real NTFS volume could be made and mounted below Directory. */
static BOOLEAN MountNtfs(const char *Directory)
{
    char Command[1024];

    snprintf(
        Command, sizeof(Command),
        "cd '%s' && test -w /dev/fuse && truncate -s 16M image && mkntfs -F -Q image >/dev/null 2>&1 && mkdir mount && "
        "ntfs-3g -o streams_interface=windows image mount 2>/dev/null",
        Directory);
    return (BOOLEAN)(getuid() == 0 && system(Command) == 0);
}

int main(void)
{
    char Root[] = "/tmp/fsd_tests.XXXXXX";
    char Path[64];
    char Command[512];

    if (mkdtemp(Root) == NULL || HostBoot() != STATUS_SUCCESS || HostCreateProcess(TRUE, &Process) != STATUS_SUCCESS) {
        return 2;
    }
    HostEnterProcess(Process);
    RunTest("the probe's driver loads", ProbeIsLoaded);
    RunSuite("memory", L'M', HOST_FILE_SYSTEM_MEMORY, NULL, TRUE);

    snprintf(Path, sizeof(Path), "%s/plain", Root);
    snprintf(Command, sizeof(Command), "mkdir '%s' && ln -s /etc '%s/escape'", Path, Path);
    if (system(Command) == 0) {
        RunSuite("directory", L'N', HOST_FILE_SYSTEM_DIRECTORY, Path, FALSE);
    }
    if (MountNtfs(Root)) {
        snprintf(Path, sizeof(Path), "%s/mount", Root);
        snprintf(Command, sizeof(Command), "ln -s /etc '%s/escape'", Path);
        if (system(Command) == 0) {
            RunSuite("NTFS", L'P', HOST_FILE_SYSTEM_DIRECTORY, Path, TRUE);
        }
        snprintf(Command, sizeof(Command), "fusermount -u '%s'", Path);
        if (system(Command) != 0) {
            return 2;
        }
    } else {
        SkipTest("NTFS", "it takes root, /dev/fuse, mkntfs and ntfs-3g");
    }
    RunTest("a pipe opens and is no file system's", PipesCarryAForeignContext);

    RunTest("shutting down finds everything given back", NothingIsLeft);
    snprintf(Command, sizeof(Command), "rm -rf '%s'", Root);
    return system(Command) == 0 ? EndTests() : 2;
}
