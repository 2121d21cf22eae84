/* What holds or changes a stream besides its bytes: locked ranges, sections, security descriptors, holes. */
#include "services.h"

#include "files.h"
#include "harness.h"
#include "probe.h"

static NTSTATUS Lock(HANDLE Handle, LONGLONG Offset, LONGLONG Bytes, BOOLEAN Exclusive)
{
    LARGE_INTEGER Start = {.QuadPart = Offset};
    LARGE_INTEGER Length = {.QuadPart = Bytes};
    IO_STATUS_BLOCK IoStatus;

    return NtLockFile(Handle, NULL, NULL, NULL, &IoStatus, &Start, &Length, 0, TRUE, Exclusive);
}

static NTSTATUS Unlock(HANDLE Handle, LONGLONG Offset, LONGLONG Bytes)
{
    LARGE_INTEGER Start = {.QuadPart = Offset};
    LARGE_INTEGER Length = {.QuadPart = Bytes};
    IO_STATUS_BLOCK IoStatus;

    return NtUnlockFile(Handle, &IoStatus, &Start, &Length, 0);
}

void LockedRangesAreKeptFromOthers(void)
{
    char Bytes[8] = "content";
    HANDLE First;
    HANDLE Second;
    ULONG Transferred;

    CHECK_STATUS(CreateNew(L"\\locked", &First), STATUS_SUCCESS);
    CHECK_STATUS(Write(First, 0, Bytes, sizeof(Bytes)), STATUS_SUCCESS);
    CHECK_STATUS(OpenFile(L"\\locked", &Second), STATUS_SUCCESS);
    CHECK_STATUS(Lock(First, 0, 4, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(Lock(Second, 3, 1, FALSE), STATUS_LOCK_NOT_GRANTED);
    CHECK_STATUS(Lock(Second, 4, 1, TRUE), STATUS_SUCCESS);
    CHECK_STATUS(Read(Second, 0, Bytes, 1, &Transferred), STATUS_FILE_LOCK_CONFLICT);
    CHECK_STATUS(Write(First, 4, Bytes, 1), STATUS_FILE_LOCK_CONFLICT);
    CHECK_STATUS(Read(First, 0, Bytes, 4, &Transferred), STATUS_SUCCESS);
    CHECK_STATUS(Unlock(First, 0, 3), STATUS_RANGE_NOT_LOCKED);
    CHECK_STATUS(Unlock(First, 0, 4), STATUS_SUCCESS);
    CHECK_STATUS(Lock(First, 0, 2, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(Lock(Second, 0, 2, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(Write(Second, 0, Bytes, 1), STATUS_FILE_LOCK_CONFLICT);
    CHECK_STATUS(Lock(First, -1, 2, TRUE), STATUS_INVALID_LOCK_RANGE);
    (VOID) NtClose(Second);
    CHECK_STATUS(Write(First, 4, Bytes, 1), STATUS_SUCCESS);
    CHECK_STATUS(SetDelete(First, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(First);
    CHECK_STATUS(OpenAs(L"\\", FILE_GENERIC_READ, FILE_OPEN, 0, SHARE_ALL, &First), STATUS_SUCCESS);
    CHECK_STATUS(Lock(First, 0, 1, TRUE), STATUS_INVALID_PARAMETER);
    (VOID) NtClose(First);
}

static NTSTATUS MakeSection(HANDLE File, HANDLE *Section)
{
    return NtCreateSection(Section, SECTION_MAP_READ, NULL, NULL, PAGE_READONLY, SEC_COMMIT, File);
}

void ASectionKeepsItsStream(void)
{
    LONG Before = ProbeTornDown();
    PROBE_REPLY Reply;
    HANDLE Section;
    HANDLE Handle;

    CHECK_STATUS(CreateNew(L"\\mapped", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(MakeSection(Handle, &Section), STATUS_MAPPED_FILE_SIZE_ZERO);
    CHECK_STATUS(Write(Handle, 0, "x", 1), STATUS_SUCCESS);
    CHECK_STATUS(ProbeStream(Handle, TRUE, &Reply), STATUS_SUCCESS);
    CHECK_STATUS(MakeSection(Handle, &Section), STATUS_SUCCESS);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK(ProbeTornDown() == Before);
    CHECK_STATUS(NtClose(Section), STATUS_SUCCESS);
    CHECK(ProbeTornDown() == Before + 1);

    CHECK_STATUS(OpenAs(L"\\", FILE_GENERIC_READ, FILE_OPEN, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(MakeSection(Handle, &Section), STATUS_INVALID_FILE_FOR_SECTION);
    (VOID) NtClose(Handle);
    CHECK_STATUS(CreateNew(L"\\mapped", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateSection(&Section, SECTION_MAP_READ, NULL, NULL, 0, SEC_COMMIT, Handle),
                 STATUS_INVALID_PAGE_PROTECTION);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
}

void SecurityIsToldAsItWasSet(void)
{
    struct {
        SECURITY_DESCRIPTOR_RELATIVE Descriptor;
        ACL Dacl;
    } Set = {{.Revision = SECURITY_DESCRIPTOR_REVISION, .Control = SE_SELF_RELATIVE | SE_DACL_PRESENT},
             {.AclRevision = ACL_REVISION, .AclSize = sizeof(ACL)}},
      Told;
    ULONG Needed = 0;
    HANDLE Handle;

    Set.Descriptor.Dacl = sizeof(Set.Descriptor);
    CHECK_STATUS(OpenAs(L"\\secured", ALL_ACCESS | WRITE_DAC, FILE_CREATE, 0, SHARE_ALL, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, &Told, sizeof(Told), &Needed),
                 STATUS_SUCCESS);
    CHECK(Needed == sizeof(Told.Descriptor) && Told.Descriptor.Control == SE_SELF_RELATIVE);
    CHECK_STATUS(NtSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Set), STATUS_SUCCESS);
    CHECK_STATUS(NtQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, NULL, 0, &Needed), STATUS_BUFFER_TOO_SMALL);
    CHECK(Needed == sizeof(Set));
    CHECK_STATUS(NtQuerySecurityObject(Handle, DACL_SECURITY_INFORMATION, &Told, sizeof(Told), &Needed),
                 STATUS_SUCCESS);
    CHECK(RtlCompareMemory(&Set, &Told, sizeof(Set)) == sizeof(Set));
    Set.Descriptor.Control = SE_DACL_PRESENT;
    CHECK_STATUS(NtSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Set), STATUS_INVALID_SECURITY_DESCR);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
    CHECK_STATUS(CreateNew(L"\\secured", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Told), STATUS_ACCESS_DENIED);
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
}

void SparseFilesSaySo(void)
{
    FILE_BASIC_INFORMATION Basic;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    CHECK_STATUS(CreateNew(L"\\sparse", &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtFsControlFile(Handle, NULL, NULL, NULL, &IoStatus, FSCTL_SET_SPARSE, NULL, 0, NULL, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(Query(Handle, FileBasicInformation, &Basic, sizeof(Basic)), STATUS_SUCCESS);
    CHECK((Basic.FileAttributes & FILE_ATTRIBUTE_SPARSE_FILE) != 0);
    RtlZeroMemory(&Basic, sizeof(Basic));
    Basic.FileAttributes = FILE_ATTRIBUTE_HIDDEN;
    CHECK_STATUS(NtSetInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation), STATUS_SUCCESS);
    CHECK_STATUS(Query(Handle, FileBasicInformation, &Basic, sizeof(Basic)), STATUS_SUCCESS);
    CHECK(Basic.FileAttributes == (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SPARSE_FILE));
    CHECK_STATUS(SetDelete(Handle, TRUE), STATUS_SUCCESS);
    (VOID) NtClose(Handle);
}
