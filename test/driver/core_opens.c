/*
 * What an open is taken for, by its file object and its device; and by the name that the file system tells of it.
 */
#include "core_answered.h"

#include <string.h>

#include "core/core.h"
#include "test_file_system.h"

#define CORE_TEST_FILE TEST_DISK L"\\File.txt"

typedef struct _CORE_OPENS {
    CORE Core;
    PDRIVER_OBJECT Disk;
    HANDLE File;
} CORE_OPENS, *PCORE_OPENS;

static VOID CoreStartOpens(_Out_ PCORE_OPENS Opens)
{
    TestFileSystemReset();
    CoreBoot();
    CHECK_STATUS(TestDiskLoad(L"TestDisk", &Opens->Disk, &TestFileSystem.Disk), STATUS_SUCCESS);
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    Opens->Core.Driver = CoreLoadDriver();
    CoreLoadProbe();
    Opens->Core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Opens->Core.Process);
    Opens->Core.Control = CoreOpenSession(CORE_READ_WRITE);
    Opens->File = CoreOpenFile(CORE_TEST_FILE);
}

static VOID CoreStopOpens(_In_ const CORE_OPENS *Opens)
{
    CoreClose(Opens->File);
    HostLeaveProcess();
    CoreEndProcess(Opens->Core.Process);
    CoreUnloadProbe();
    CHECK_STATUS(HostUnloadDriver(Opens->Core.Driver), STATUS_SUCCESS);
    TestFileSystemUnload();
    CHECK_STATUS(HostUnloadDriver(Opens->Disk), STATUS_SUCCESS);
    CoreShutdown();
}

static const struct {
    DEVICE_TYPE Type;
    ULONG Support;
    NTSTATUS Status; /* of a request that means its volume */
} CoreDevices[] = {
    {FILE_DEVICE_DISK_FILE_SYSTEM, PSCTX_SUPPORT_YES, STATUS_SUCCESS},
    {FILE_DEVICE_CD_ROM_FILE_SYSTEM, PSCTX_SUPPORT_YES, STATUS_SUCCESS},
    {FILE_DEVICE_NETWORK_FILE_SYSTEM, PSCTX_SUPPORT_YES, STATUS_SUCCESS},
    {FILE_DEVICE_DISK, PSCTX_SUPPORT_VOLUME, STATUS_INVALID_DEVICE_REQUEST},
    {FILE_DEVICE_CD_ROM, PSCTX_SUPPORT_VOLUME, STATUS_INVALID_DEVICE_REQUEST},
    {FILE_DEVICE_NAMED_PIPE, PSCTX_SUPPORT_NOT_A_FILE_SYSTEM, STATUS_INVALID_DEVICE_REQUEST},
};

static VOID CoreCheckOpens(PVOID Context)
{
    const CORE_OPENS *opens = Context;
    const PDEVICE_OBJECT volume = TestFileSystem.VolumeDevice;
    PDEVICE_OBJECT found;
    PSCTX_STREAM stream;
    PFILE_OBJECT file;
    FILE_OBJECT whole;
    LIST_ENTRY list;
    ULONG index;

    CHECK_STATUS(ObReferenceObjectByHandle(opens->File, 0, *IoFileObjectType, UserMode, (PVOID *)&file, NULL),
                 STATUS_SUCCESS);
    whole = *file;
    for (index = 0; index < RTL_NUMBER_OF(CoreDevices); index += 1) {
        volume->DeviceType = CoreDevices[index].Type;
        CHECK_EQUAL(PsctxExamineStream(file, &stream), CoreDevices[index].Support);
        CHECK_STATUS(PsctxReferenceVolumeDevice((ULONG_PTR)opens->File, &found), CoreDevices[index].Status);
        CHECK(found == (NT_SUCCESS(CoreDevices[index].Status) ? volume : NULL));
        if (found != NULL) {
            ObDereferenceObject(found);
        }
    }

    volume->DeviceType = FILE_DEVICE_NETWORK_FILE_SYSTEM;
    file->FileName.Length = 0;
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_VOLUME);
    file->RelatedFileObject = file;
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_YES);
    file->RelatedFileObject = NULL;
    file->FileName.Length = whole.FileName.Length;

    volume->DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM;
    file->Vpb = NULL; /* the disk's tells as well */
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_YES);
    file->DeviceObject = volume;
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_VOLUME);
    file->Vpb = whole.Vpb;
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_YES);
    file->DeviceObject = whole.DeviceObject;

    list = TestFileSystem.Header.FilterContexts;
    TestFileSystem.Header.FilterContexts.Flink = NULL;
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_LIST_NOT_INITIALIZED);
    TestFileSystem.Header.FilterContexts = list;
    CHECK_EQUAL(PsctxExamineStream(file, &stream), PSCTX_SUPPORT_YES);
    CHECK(stream.Header == &TestFileSystem.Header);
    ObDereferenceObject(file);
}

/* What has no stream has no list. */
static VOID CoreCheckNoList(_In_ HANDLE Control)
{
    PSCTX_LIST_REQUEST request = {.Handle = (ULONG_PTR)Control};
    PSCTX_LIST_REPLY reply;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply), NULL),
                 STATUS_INVALID_DEVICE_REQUEST);
}

VOID CoreOpensAreWhatTheirDeviceIs(VOID)
{
    CORE_OPENS opens;

    CoreStartOpens(&opens);
    CoreCheckNoList(opens.Core.Control);
    CoreRunInKernel(CoreCheckOpens, &opens);
    CoreStopOpens(&opens);
}

static VOID CoreChangeDeviceType(PVOID Context)
{
    TestFileSystem.VolumeDevice->DeviceType = *(const DEVICE_TYPE *)Context;
}

/* A create that opens something else than a file of the volume, as its device turns out to be. */
VOID CoreWhatIsNoFileIsNotTracked(VOID)
{
    static DEVICE_TYPE types[] = {FILE_DEVICE_NAMED_PIPE, FILE_DEVICE_DISK};
    CORE_OPENS opens;
    ULONG index;

    CoreStartOpens(&opens);
    CoreTrackEverything(opens.Core.Control, 0);
    for (index = 0; index < RTL_NUMBER_OF(types); index += 1) {
        HANDLE file;

        TestFileSystem.Hook = CoreChangeDeviceType;
        TestFileSystem.HookContext = &types[index];
        file = CoreOpenFile(CORE_TEST_FILE);
        TestFileSystem.Hook = NULL;
        TestFileSystem.VolumeDevice->DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM;
        CHECK_EQUAL(CoreCount(opens.Core.Control, file), 0);
        CoreClose(file);
    }
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CHECK_EQUAL(CoreCount(opens.Core.Control, opens.File), 1);
    CoreStopOpens(&opens);
}

static ULONG CoreSpoiling;

/* What a file system must not answer. */
static VOID CoreSpoilName(PFILE_NAME_INFORMATION Name, PIRP Irp)
{
    switch (CoreSpoiling) {
    case 0:
        Irp->IoStatus.Information = FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) + 1;
        break;
    case 1:
        Irp->IoStatus.Information = MAXULONG;
        break;
    case 2:
        Name->FileNameLength += sizeof(WCHAR);
        break;
    case 3:
        Name->FileNameLength = 0;
        break;
    case 4:
        Name->FileNameLength -= 1;
        break;
    case 5:
        Irp->IoStatus.Information = FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) - sizeof(WCHAR);
        break;
    default:
        Name->FileName[0] = L'F';
        break;
    }
}

/* The shortest name, the longest that needs no second question, and one that does. */
VOID CoreNamesAreWholeWhateverTheirLength(VOID)
{
    static const ULONG lengths[] = {1, 509, 510, 511, 2000};
    static WCHAR name[2001];
    CORE_OPENS opens;
    ULONG number;
    ULONG index;

    for (number = 0; number < RTL_NUMBER_OF(lengths); number += 1) {
        CoreStartOpens(&opens);
        CoreTrackEverything(opens.Core.Control, 0);
        name[0] = L'\\';
        for (index = 1; index < lengths[number]; index += 1) {
            name[index] = L'n';
        }
        name[index] = 0;
        TestFileSystem.Name = name;
        CoreClose(CoreOpenFile(CORE_TEST_FILE));
        CHECK_EQUAL(CoreCount(opens.Core.Control, opens.File), 1);
        TestFileSystem.Name = NULL;
        CoreStopOpens(&opens);
    }
}

static ULONG64 CoreMissedBy(_In_ HANDLE Control, _In_ ULONG64 Rule)
{
    PSCTX_RULE_RECORD request = {.Rule = Rule};
    PSCTX_RULE_REPLY reply;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_QUERY_RULE, sizeof(request));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_QUERY_RULE, &request, sizeof(request), &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
    return reply.Missed;
}

/* Of rules that name one context, it is the first that misses an open; those of other sessions miss it for themselves. */
VOID CoreMissedOpensAreMissedOnce(VOID)
{
    HANDLE second;
    CORE_OPENS opens;

    CoreStartOpens(&opens);
    second = CoreOpenSession(CORE_READ_WRITE);
    CoreTrackEverything(opens.Core.Control, 0);
    CoreTrackEverything(opens.Core.Control, 0);
    CoreTrackEverything(second, 0);
    TestFileSystem.NameStatus = STATUS_ACCESS_DENIED;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    TestFileSystem.NameStatus = STATUS_SUCCESS;
    CHECK_EQUAL(CoreMissedBy(opens.Core.Control, 1), 1);
    CHECK_EQUAL(CoreMissedBy(opens.Core.Control, 2), 0);
    CHECK_EQUAL(CoreMissedBy(second, 3), 1);
    CoreClose(second);
    CoreStopOpens(&opens);
}

VOID CoreSpoiltNamesAreNone(VOID)
{
    static const NTSTATUS statuses[] = {STATUS_BUFFER_TOO_SMALL, STATUS_INFO_LENGTH_MISMATCH, STATUS_ACCESS_DENIED};
    CORE_OPENS opens;
    ULONG index;

    CoreStartOpens(&opens);
    CoreTrackEverything(opens.Core.Control, 0);
    TestFileSystem.SpoilName = CoreSpoilName;
    for (CoreSpoiling = 0; CoreSpoiling < 7; CoreSpoiling += 1) {
        CoreClose(CoreOpenFile(CORE_TEST_FILE));
        CHECK_EQUAL(CoreCount(opens.Core.Control, opens.File), 0);
    }
    TestFileSystem.SpoilName = NULL;
    for (index = 0; index < RTL_NUMBER_OF(statuses); index += 1) {
        TestFileSystem.NameStatus = statuses[index];
        CoreClose(CoreOpenFile(CORE_TEST_FILE));
        CHECK_EQUAL(CoreCount(opens.Core.Control, opens.File), 0);
    }
    TestFileSystem.NameStatus = STATUS_SUCCESS;
    CoreClose(CoreOpenFile(CORE_TEST_FILE));
    CHECK_EQUAL(CoreCount(opens.Core.Control, opens.File), 1);
    CoreStopOpens(&opens);
}

/* A volume of the CD-ROM file system is attached to like a disk's. */
VOID CoreCdRomsAreVolumes(VOID)
{
    CORE_INSERTION insertion = {.Owner = 1};
    CORE_OPENS opens;

    TestFileSystemReset();
    CoreBoot();
    TestFileSystem.DeviceType = FILE_DEVICE_CD_ROM_FILE_SYSTEM;
    CHECK_STATUS(TestDiskLoad(L"TestDisk", &opens.Disk, &TestFileSystem.Disk), STATUS_SUCCESS);
    TestFileSystem.Disk->DeviceType = FILE_DEVICE_CD_ROM;
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    opens.Core.Driver = CoreLoadDriver();
    CoreLoadProbe();
    opens.Core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(opens.Core.Process);
    opens.Core.Control = CoreOpenSession(CORE_READ_WRITE);
    opens.File = CoreOpenFile(CORE_TEST_FILE);
    insertion.Stream = opens.File;
    CHECK_STATUS(CoreInsert(opens.Core.Control, &insertion, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(opens.Core.Control).AttachedVolumes, 2);
    CoreStopOpens(&opens);
}

/* A kernel that has no wait which ends with its thread waits to the end for what the file system completes later. */
VOID CorePendingOpensAreWaitedFor(VOID)
{
    static const PCWSTR hidden[] = {L"FsRtlCancellableWaitForSingleObject", NULL};
    CORE_OPENS opens;
    HANDLE file;

    CoreHideRoutines(hidden);
    CoreStartOpens(&opens);
    CoreTrackEverything(opens.Core.Control, 0);
    TestFileSystem.Pends = TRUE;
    CHECK_STATUS(CoreOpen(CORE_TEST_FILE, NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &file), STATUS_SUCCESS);
    TestFileSystem.Pends = FALSE;
    CHECK_EQUAL(CoreCount(opens.Core.Control, file), 1);
    CoreClose(file);
    CoreStopOpens(&opens);
    CoreHideRoutines(NULL);
}
