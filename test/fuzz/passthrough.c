/*
 * Fuzzes the filter between the kernel and a file system: requests with any stack location, fast I/O above tables of any length, and
 * names as no file system should tell them.
 *
 * A request that the filter has no business with arrives below as it was sent, once, and its status comes back.
 */
#include "core_probe.h"
#include "core_reader.h"
#include "fuzz.h"
#include "host_snapshot.h"
#include "test_file_system.h"

#include <stdio.h>
#include <string.h>

#define FUZZ_FILE TEST_DISK L"\\File.txt"
#define FUZZ_NAME_CHARACTERS 64u

const size_t FuzzMaximumLength = 160;

static CORE FuzzCore;
static HANDLE FuzzFile;
static PFILE_OBJECT FuzzFileObject;
static PDRIVER_OBJECT FuzzDisk;
static PDEVICE_OBJECT FuzzTop;        /* the filter's device above the volume */
static PDEVICE_OBJECT FuzzControlTop; /* and above the file system's control device */

static ULONG64 FuzzPassed[IRP_MJ_MAXIMUM_FUNCTION + 1];
static ULONG64 FuzzFastCalls[2]; /* refused for want of an entry, and passed on */
static ULONG64 FuzzNames;

static IO_COMPLETION_ROUTINE FuzzCompleted;

static NTSTATUS FuzzCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    *(BOOLEAN *)Context = TRUE;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Has the file system mount the disk, as the I/O manager would. */
static VOID FuzzMount(PVOID Context)
{
    PIO_STACK_LOCATION location;
    BOOLEAN completed = FALSE;
    PIRP irp;

    UNREFERENCED_PARAMETER(Context);
    FuzzControlTop = IoGetAttachedDeviceReference(TestFileSystem.ControlDevice);
    irp = IoAllocateIrp(FuzzControlTop->StackSize, FALSE);
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    location->MinorFunction = IRP_MN_MOUNT_VOLUME;
    location->Parameters.MountVolume.Vpb = TestFileSystem.Disk->Vpb;
    location->Parameters.MountVolume.DeviceObject = TestFileSystem.Disk;
    IoSetCompletionRoutine(irp, FuzzCompleted, &completed, TRUE, TRUE, TRUE);
    CHECK_STATUS(IoCallDriver(FuzzControlTop, irp), STATUS_SUCCESS);
    CHECK(completed);
    IoFreeIrp(irp);
}

/* The file system's side of fast I/O: it notes who was called. */
static ULONG FuzzEntry;

static BOOLEAN FuzzNote(_In_ ULONG Entry)
{
    FuzzEntry = Entry;
    return TestFileSystem.FastIoAnswer;
}
#define FUZZ_NOTE(Entry) FuzzNote((ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, Entry))

static BOOLEAN FuzzLowerCheck(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                              ULONG LockKey, BOOLEAN CheckForReadOperation, PIO_STATUS_BLOCK IoStatus,
                              PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(FileOffset);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(LockKey);
    UNREFERENCED_PARAMETER(CheckForReadOperation);
    UNREFERENCED_PARAMETER(IoStatus);
    CHECK(DeviceObject == TestFileSystem.VolumeDevice);
    return FUZZ_NOTE(FastIoCheckIfPossible);
}

static BOOLEAN FuzzLowerRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                             ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(FileOffset);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(LockKey);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(IoStatus);
    CHECK(DeviceObject == TestFileSystem.VolumeDevice);
    return FUZZ_NOTE(FastIoRead);
}

static BOOLEAN FuzzLowerWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                              ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    (VOID) FuzzLowerRead(FileObject, FileOffset, Length, Wait, LockKey, Buffer, IoStatus, DeviceObject);
    return FUZZ_NOTE(FastIoWrite);
}

static BOOLEAN FuzzLowerQuery(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                              PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(IoStatus);
    CHECK(DeviceObject == TestFileSystem.VolumeDevice);
    return FUZZ_NOTE(FastIoQueryBasicInfo);
}

static BOOLEAN FuzzLowerControl(PFILE_OBJECT FileObject, BOOLEAN Wait, PVOID InputBuffer, ULONG InputBufferLength,
                                PVOID OutputBuffer, ULONG OutputBufferLength, ULONG IoControlCode,
                                PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(InputBuffer);
    UNREFERENCED_PARAMETER(InputBufferLength);
    UNREFERENCED_PARAMETER(OutputBuffer);
    UNREFERENCED_PARAMETER(OutputBufferLength);
    UNREFERENCED_PARAMETER(IoControlCode);
    UNREFERENCED_PARAMETER(IoStatus);
    CHECK(DeviceObject == TestFileSystem.VolumeDevice);
    return FUZZ_NOTE(FastIoDeviceControl);
}

static VOID FuzzFindTop(PVOID Context)
{
    PVOID object;

    UNREFERENCED_PARAMETER(Context);
    CHECK_STATUS(ObReferenceObjectByHandle(FuzzFile, 0, *IoFileObjectType, UserMode, &object, NULL), STATUS_SUCCESS);
    FuzzFileObject = object;
    FuzzTop = IoGetAttachedDeviceReference(TestFileSystem.VolumeDevice);
    CHECK(FuzzTop != TestFileSystem.VolumeDevice);
}

VOID FuzzStart(VOID)
{
    TestFileSystemReset();
    CoreBoot();
    FuzzCore.Driver = CoreLoadDriver();
    CHECK_STATUS(TestDiskLoad(L"TestDisk", &FuzzDisk, &TestFileSystem.Disk), STATUS_SUCCESS);
    CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
    CoreLoadProbe();
    FuzzCore.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(FuzzCore.Process);
    FuzzCore.Control = CoreOpenSession(CORE_READ_WRITE);
    CoreRunInKernel(FuzzMount, NULL);
    FuzzFile = CoreOpenFile(FUZZ_FILE);
    CoreRunInKernel(FuzzFindTop, NULL);
    TestFastIoDispatch.FastIoCheckIfPossible = FuzzLowerCheck;
    TestFastIoDispatch.FastIoRead = FuzzLowerRead;
    TestFastIoDispatch.FastIoWrite = FuzzLowerWrite;
    TestFastIoDispatch.FastIoQueryBasicInfo = FuzzLowerQuery;
    TestFastIoDispatch.FastIoDeviceControl = FuzzLowerControl;
    HostSave();
}

/*
 * One request with a stack location that is made of the case's bytes, but for what the I/O manager itself sees to: the device and
 * the file object, which is the file's or none.
 */
static VOID FuzzSendIrp(PVOID Context)
{
    PFUZZ_INPUT input = Context;
    const PDEVICE_OBJECT top = FuzzTake(input) % 8 != 0 ? FuzzTop : FuzzControlTop;
    UCHAR major = (UCHAR)(FuzzTake(input) % (IRP_MJ_MAXIMUM_FUNCTION + 1));
    PIRP irp = IoAllocateIrp(top->StackSize, FALSE);
    PIO_STACK_LOCATION location;
    PFILE_OBJECT file;
    IO_STACK_LOCATION whole;
    BOOLEAN completed = FALSE;
    PUCHAR bytes;
    LONG before;
    ULONG index;
    NTSTATUS status;

    CHECK(irp != NULL);
    /* Creates and closes are the I/O manager's; mounts and loads are met with devices, not with bytes. */
    if (major == IRP_MJ_CREATE || major == IRP_MJ_CLOSE || major == IRP_MJ_CLEANUP || major == IRP_MJ_PNP) {
        major = IRP_MJ_READ;
    }
    location = IoGetNextIrpStackLocation(irp);
    bytes = (PUCHAR)&location->Parameters;
    for (index = 0; index < sizeof(location->Parameters); index += 1) {
        bytes[index] = (UCHAR)FuzzTake(input);
    }
    location->MajorFunction = major;
    location->MinorFunction = (UCHAR)FuzzTake(input);
    location->Flags = (UCHAR)FuzzTake(input);
    if (major == IRP_MJ_FILE_SYSTEM_CONTROL &&
        (location->MinorFunction == IRP_MN_MOUNT_VOLUME || location->MinorFunction == IRP_MN_LOAD_FILE_SYSTEM)) {
        location->MinorFunction = IRP_MN_USER_FS_REQUEST;
    }
    file = FuzzTake(input) % 4 != 0 ? FuzzFileObject : NULL;
    location->FileObject = file;
    whole = *location;
    irp->Flags = FuzzTake(input);
    irp->RequestorMode = KernelMode;
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    irp->Tail.Overlay.OriginalFileObject = file;
    IoSetCompletionRoutine(irp, FuzzCompleted, &completed, TRUE, TRUE, TRUE);
    before = TestFileSystem.Requests[major];
    status = IoCallDriver(top, irp);
    CHECK(status != STATUS_PENDING && completed);
    CHECK_EQUAL((ULONG)irp->IoStatus.Status, (ULONG)status);
    CHECK_EQUAL(TestFileSystem.Requests[major], before + 1);
    CHECK_EQUAL(TestFileSystem.Location.MajorFunction, major);
    CHECK(TestFileSystem.Location.FileObject == file);
    CHECK(memcmp(&TestFileSystem.Location.Parameters, &whole.Parameters, sizeof(whole.Parameters)) == 0);
    FuzzPassed[major] += 1;
    IoFreeIrp(irp);
}

/*
 * An entry of the filter's table, above one of the file system's that ends somewhere: what is not there is not called.
 */
static VOID FuzzCallFastIo(PVOID Context)
{
    PFUZZ_INPUT input = Context;
    const PFAST_IO_DISPATCH table = FuzzTop->DriverObject->FastIoDispatch;
    const ULONG entries[] = {
        (ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, FastIoCheckIfPossible), (ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, FastIoRead),
        (ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWrite), (ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryBasicInfo),
        (ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDeviceControl)};
    const ULONG entry = entries[FuzzTake(input) % RTL_NUMBER_OF(entries)];
    const ULONG size = FuzzTake(input) % ((ULONG)sizeof(FAST_IO_DISPATCH) + 16) & ~3u;
    const ULONG whole = TestFastIoDispatch.SizeOfFastIoDispatch;
    LARGE_INTEGER offset = {.QuadPart = (LONGLONG)FuzzTake(input) << (FuzzTake(input) % 56)};
    const ULONG length = FuzzTake(input) << (FuzzTake(input) % 24);
    FILE_BASIC_INFORMATION basic;
    IO_STATUS_BLOCK ioStatus = {0};
    BOOLEAN answer = FALSE;
    const BOOLEAN there = size >= entry + sizeof(PVOID);

    TestFileSystem.FastIoAnswer = (BOOLEAN)(FuzzTake(input) % 2);
    FuzzEntry = 0;
    TestFastIoDispatch.SizeOfFastIoDispatch = size;
    switch (entry) {
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoCheckIfPossible):
        answer = table->FastIoCheckIfPossible(FuzzFileObject, &offset, length, TRUE, 0, TRUE, &ioStatus, FuzzTop);
        break;
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoRead):
        answer = table->FastIoRead(FuzzFileObject, &offset, length, TRUE, 0, NULL, &ioStatus, FuzzTop);
        break;
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWrite):
        answer = table->FastIoWrite(FuzzFileObject, &offset, length, TRUE, 0, NULL, &ioStatus, FuzzTop);
        break;
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryBasicInfo):
        answer = table->FastIoQueryBasicInfo(FuzzFileObject, TRUE, &basic, &ioStatus, FuzzTop);
        break;
    default:
        answer = table->FastIoDeviceControl(FuzzFileObject, TRUE, NULL, 0, NULL, 0, length, &ioStatus, FuzzTop);
        break;
    }
    TestFastIoDispatch.SizeOfFastIoDispatch = whole;
    CHECK_EQUAL(FuzzEntry, there ? entry : 0);
    CHECK_EQUAL(answer, there && TestFileSystem.FastIoAnswer);
    FuzzFastCalls[there ? 1 : 0] += 1;
}

/* A file whose name the file system tells as it likes, opened while a rule asks for it. */
static VOID FuzzOpenNamed(_Inout_ PFUZZ_INPUT Input)
{
    DECLSPEC_ALIGN(8) UCHAR bytes[sizeof(PSCTX_TRACK_REQUEST) + sizeof(WCHAR)] = {0};
    PSCTX_TRACK_REQUEST *track = (PSCTX_TRACK_REQUEST *)(PVOID)bytes;
    static WCHAR name[FUZZ_NAME_CHARACTERS + 1];
    const ULONG count = FuzzTake(Input) % FUZZ_NAME_CHARACTERS;
    PSCTX_STATISTICS_REPLY statistics;
    HANDLE file;
    ULONG index;

    for (index = 0; index < count; index += 1) {
        const ULONG byte = FuzzTake(Input);

        name[index] = byte < 192 ? L"\\\\a.:;$~ DATA:$\\x"[byte % 16] : (WCHAR)(byte * 257u);
    }
    name[count] = 0;
    CoreSetHeader(&track->Header, PSCTX_OPERATION_TRACK, sizeof(bytes));
    track->PatternLength = sizeof(WCHAR);
    memcpy(track + 1, L"*", sizeof(WCHAR));
    CHECK_STATUS(CoreSend(FuzzCore.Control, PSCTX_IOCTL_TRACK, bytes, sizeof(bytes), 64), STATUS_SUCCESS);
    TestFileSystem.Name = name;
    TestFileSystem.NormalizedName = FuzzTake(Input) % 2 != 0 ? name : NULL;
    TestFileSystem.NameStatus = FuzzTake(Input) % 8 == 0 ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
    if (NT_SUCCESS(CoreOpen(FUZZ_FILE, NULL, CORE_READ_WRITE, FILE_OPEN_IF, 0, &file))) {
        statistics = CoreStatistics(FuzzCore.Control);
        CHECK_EQUAL(statistics.SessionInserted + statistics.SessionMissed, 1);
        FuzzNames += statistics.SessionInserted;
        CoreClose(file);
    }
}

VOID FuzzRun(PFUZZ_INPUT Input)
{
    HostRestore();
    switch (FuzzTake(Input) % 3) {
    case 0:
        CoreRunInKernel(FuzzSendIrp, Input);
        break;
    case 1:
        CoreRunInKernel(FuzzCallFastIo, Input);
        break;
    default:
        FuzzOpenNamed(Input);
        break;
    }
    CHECK_STATUS(CoreQueryStream(FuzzCore.Control, FuzzFile, &(PSCTX_STREAM_REPLY){0}), STATUS_SUCCESS);
}

VOID FuzzCheckReached(VOID)
{
    ULONG major;

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        const BOOLEAN left =
            major == IRP_MJ_CREATE || major == IRP_MJ_CLOSE || major == IRP_MJ_CLEANUP || major == IRP_MJ_PNP;

        CHECK(left || FuzzPassed[major] != 0);
    }
    printf("# fast I/O: %llu calls without an entry, %llu with; %llu names\n", (unsigned long long)FuzzFastCalls[0],
           (unsigned long long)FuzzFastCalls[1], (unsigned long long)FuzzNames);
    (VOID) fflush(stdout);
    CHECK(FuzzFastCalls[0] != 0 && FuzzFastCalls[1] != 0 && FuzzNames != 0);
}
