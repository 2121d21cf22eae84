/*
 * Fuzzes the filter between the kernel and a file system: requests with any stack location, creates, cleanups and closes in their turns,
 * mounts, loads and dismounts in any, fast I/O above tables of any length, and names as no file system should tell them.
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
#define FUZZ_OPLOCK_BREAKS ((NTSTATUS)0x108) /* a success that is none of those that drivers compare with */

const size_t FuzzMaximumLength = 160;

static CORE FuzzCore;
static HANDLE FuzzFile;
static PFILE_OBJECT FuzzFileObject;
static PDRIVER_OBJECT FuzzDisk;
static PDEVICE_OBJECT FuzzTop;        /* the filter's device above the volume */
static PDEVICE_OBJECT FuzzControlTop; /* and above the file system's control device */

static ULONG64 FuzzPassed[IRP_MJ_MAXIMUM_FUNCTION + 1];
static ULONG64 FuzzFastCalls[2]; /* refused for want of an entry, and passed on */
static ULONG64 FuzzPoolBytes;    /* of the driver, when its session has ended */
static ULONG64 FuzzNames;
static ULONG64 FuzzMounts[2]; /* refused, and done */

/* Files whose objects are opened, cleaned up and closed by the fuzzer itself. */
typedef enum _FUZZ_OPEN_STATE { FuzzOpened, FuzzCleaned, FuzzClosed } FUZZ_OPEN_STATE;
typedef struct _FUZZ_OPEN {
    PFILE_OBJECT Object;
    FUZZ_OPEN_STATE State;
    WCHAR Name[FUZZ_NAME_CHARACTERS + 1];
} FUZZ_OPEN, *PFUZZ_OPEN;

#define FUZZ_FILES 2u
static FUZZ_OPEN FuzzFiles[FUZZ_FILES];
static HANDLE FuzzFileHandles[FUZZ_FILES];

static IO_COMPLETION_ROUTINE FuzzCompleted;

static NTSTATUS FuzzCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    *(BOOLEAN *)Context = TRUE;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/*
 * Sends a request to the top of a stack, as somebody does who is above it with so many stack locations of the own. What comes back is what was
 * completed, at once.
 */
static NTSTATUS FuzzSend(_In_ PDEVICE_OBJECT Top, _In_ const IO_STACK_LOCATION *Location, _In_ ULONG Flags,
                         _In_ ULONG Above)
{
    const PIRP irp = IoAllocateIrp((CCHAR)(Top->StackSize + (CCHAR)Above), FALSE);
    BOOLEAN completed = FALSE;
    NTSTATUS status;

    CHECK(irp != NULL);
    irp->Flags = Flags;
    irp->RequestorMode = KernelMode;
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    irp->Tail.Overlay.OriginalFileObject = Location->FileObject;
    for (; Above != 0; Above -= 1) {
        *IoGetNextIrpStackLocation(irp) = *Location;
        IoSetNextIrpStackLocation(irp);
    }
    *IoGetNextIrpStackLocation(irp) = *Location;
    IoSetCompletionRoutine(irp, FuzzCompleted, &completed, TRUE, TRUE, TRUE);
    status = IoCallDriver(Top, irp);
    CHECK(status != STATUS_PENDING && completed);
    CHECK_EQUAL((ULONG)irp->IoStatus.Status, (ULONG)status);
    IoFreeIrp(irp);
    return status;
}

/* Has the file system mount the disk, as the I/O manager would. */
static VOID FuzzMount(PVOID Context)
{
    IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL, .MinorFunction = IRP_MN_MOUNT_VOLUME};

    UNREFERENCED_PARAMETER(Context);
    FuzzControlTop = IoGetAttachedDeviceReference(TestFileSystem.ControlDevice);
    location.Parameters.MountVolume.Vpb = TestFileSystem.Disk->Vpb;
    location.Parameters.MountVolume.DeviceObject = TestFileSystem.Disk;
    CHECK_STATUS(FuzzSend(FuzzControlTop, &location, 0, 0), STATUS_SUCCESS);
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

static PFILE_OBJECT FuzzReference(_In_ HANDLE Handle)
{
    PVOID object;

    CHECK_STATUS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, UserMode, &object, NULL), STATUS_SUCCESS);
    return object;
}

static VOID FuzzFindObjects(PVOID Context)
{
    ULONG index;

    UNREFERENCED_PARAMETER(Context);
    FuzzFileObject = FuzzReference(FuzzFile);
    for (index = 0; index < FUZZ_FILES; index += 1) {
        FuzzFiles[index].Object = FuzzReference(FuzzFileHandles[index]);
    }
    FuzzTop = IoGetAttachedDeviceReference(TestFileSystem.VolumeDevice);
    CHECK(FuzzTop != TestFileSystem.VolumeDevice);
}

/* What came to the file system is what was sent. */
static VOID FuzzCheckArrived(_In_ const IO_STACK_LOCATION *Location)
{
    CHECK_EQUAL(TestFileSystem.Location.MajorFunction, Location->MajorFunction);
    CHECK_EQUAL(TestFileSystem.Location.MinorFunction, Location->MinorFunction);
    CHECK(TestFileSystem.Location.FileObject == Location->FileObject);
    CHECK(memcmp(&TestFileSystem.Location.Parameters, &Location->Parameters, sizeof(Location->Parameters)) == 0);
}

VOID FuzzStart(VOID)
{
    ULONG index;

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
    for (index = 0; index < FUZZ_FILES; index += 1) {
        FuzzFileHandles[index] = CoreOpenFile(TEST_DISK L"\\Other.txt");
    }
    CoreRunInKernel(FuzzFindObjects, NULL);
    TestFastIoDispatch.FastIoCheckIfPossible = FuzzLowerCheck;
    TestFastIoDispatch.FastIoRead = FuzzLowerRead;
    TestFastIoDispatch.FastIoWrite = FuzzLowerWrite;
    TestFastIoDispatch.FastIoQueryBasicInfo = FuzzLowerQuery;
    TestFastIoDispatch.FastIoDeviceControl = FuzzLowerControl;
    HostSave();
    CoreClose(FuzzCore.Control);
    FuzzPoolBytes = HostAuditPool(CORE_POOL_TAG);
    HostRestore();
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
    IO_STACK_LOCATION location = {0};
    PUCHAR bytes = (PUCHAR)&location.Parameters;
    ULONG flags;
    LONG before;
    ULONG index;

    /* Those that open and close come in their order, and mounts and loads with devices: see below. */
    if (major == IRP_MJ_CREATE || major == IRP_MJ_CLOSE || major == IRP_MJ_CLEANUP) {
        major = IRP_MJ_READ;
    }
    for (index = 0; index < sizeof(location.Parameters); index += 1) {
        bytes[index] = (UCHAR)FuzzTake(input);
    }
    location.MajorFunction = major;
    location.MinorFunction = (UCHAR)FuzzTake(input);
    location.Flags = (UCHAR)FuzzTake(input);
    if (major == IRP_MJ_FILE_SYSTEM_CONTROL &&
        (location.MinorFunction == IRP_MN_MOUNT_VOLUME || location.MinorFunction == IRP_MN_LOAD_FILE_SYSTEM)) {
        location.MinorFunction = IRP_MN_USER_FS_REQUEST;
    }
    location.FileObject = FuzzTake(input) % 4 != 0 ? FuzzFileObject : NULL;
    flags = FuzzTake(input);
    before = TestFileSystem.Requests[major];
    (VOID) FuzzSend(top, &location, flags, FuzzTake(input) % 3);
    CHECK_EQUAL(TestFileSystem.Requests[major], before + 1);
    FuzzCheckArrived(&location);
    FuzzPassed[major] += 1;
}

/* A name that no client could open by, as often as not. */
static VOID FuzzTakeName(_Inout_ PFUZZ_INPUT Input, _Out_writes_(FUZZ_NAME_CHARACTERS + 1) PWSTR Name)
{
    const ULONG count = FuzzTake(Input) % FUZZ_NAME_CHARACTERS;
    ULONG index;

    for (index = 0; index < count; index += 1) {
        const ULONG byte = FuzzTake(Input);

        Name[index] = byte < 192 ? L"\\\\a.:;$~ DATA:$\\x"[byte % 16] : (WCHAR)(byte * 257u);
    }
    Name[count] = 0;
}

static VOID FuzzTrackAll(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR bytes[sizeof(PSCTX_TRACK_REQUEST) + sizeof(WCHAR)] = {0};
    PSCTX_TRACK_REQUEST *track = (PSCTX_TRACK_REQUEST *)(PVOID)bytes;

    CoreSetHeader(&track->Header, PSCTX_OPERATION_TRACK, sizeof(bytes));
    track->Flags = PSCTX_TRACK_COUNT;
    track->PatternLength = sizeof(WCHAR);
    memcpy(track + 1, L"*", sizeof(WCHAR));
    CHECK_STATUS(CoreSend(FuzzCore.Control, PSCTX_IOCTL_TRACK, bytes, sizeof(bytes), 64), STATUS_SUCCESS);
}

/*
 * A create of the file object that has been closed, under any name and options, relative to anything, answered as the case says. It
 * arrives as it was sent, and its status comes back; the filter may ask for the name then.
 */
static VOID FuzzCreateAgain(_Inout_ PFUZZ_INPUT Input, _Inout_ PFUZZ_OPEN File)
{
    static const NTSTATUS answers[] = {STATUS_SUCCESS, STATUS_SUCCESS, STATUS_ACCESS_DENIED, STATUS_REPARSE,
                                       FUZZ_OPLOCK_BREAKS};
    static const ULONG objectFlags[] = {0, FO_VOLUME_OPEN, FO_NAMED_PIPE, FO_DIRECT_DEVICE_OPEN, FO_STREAM_FILE};
    IO_SECURITY_CONTEXT security = {0};
    IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_CREATE};
    const LONG before = TestFileSystem.Requests[IRP_MJ_CREATE];
    PFILE_OBJECT object = File->Object;
    NTSTATUS status;

    FuzzTakeName(Input, File->Name);
    RtlInitUnicodeString(&object->FileName, File->Name);
    if (FuzzTake(Input) > 250 && object->FileName.Length != 0) {
        object->FileName.Length -= 1; /* half a character */
    }
    object->RelatedFileObject = FuzzTake(Input) % 3 == 0 ? FuzzFileObject : NULL;
    object->Flags |= objectFlags[FuzzTake(Input) % 16 % RTL_NUMBER_OF(objectFlags)];
    object->FsContext = NULL;
    object->FsContext2 = NULL;
    location.MinorFunction = (UCHAR)FuzzTake(Input);
    location.Flags = (UCHAR)FuzzTake(Input);
    location.FileObject = object;
    location.Parameters.Create.SecurityContext = &security;
    location.Parameters.Create.Options =
        (FuzzTake(Input) << 24) | (FuzzTake(Input) << 16) | (FuzzTake(Input) << 8) | FuzzTake(Input);
    location.Parameters.Create.FileAttributes = (USHORT)FuzzTake(Input);
    location.Parameters.Create.ShareAccess = (USHORT)FuzzTake(Input);
    location.Parameters.Create.EaLength = FuzzTake(Input);
    TestFileSystem.CreateStatus = answers[FuzzTake(Input) % RTL_NUMBER_OF(answers)];
    status = FuzzSend(FuzzTop, &location, IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API, FuzzTake(Input) % 3);
    CHECK_STATUS(status, TestFileSystem.CreateStatus);
    CHECK_EQUAL(TestFileSystem.Requests[IRP_MJ_CREATE], before + 1);
    File->State = status == STATUS_SUCCESS || status == FUZZ_OPLOCK_BREAKS ? FuzzOpened : FuzzClosed;
    FuzzPassed[IRP_MJ_CREATE] += File->State == FuzzOpened ? 1u : 0u;
}

/* Cleanups, closes and creates of two files' objects, each in its turn, with requests to them and to the device in between. */
static VOID FuzzSendSequence(PVOID Context)
{
    PFUZZ_INPUT input = Context;
    ULONG steps;

    FuzzTrackAll();
    for (steps = FuzzTake(input) % 16; steps != 0; steps -= 1) {
        const PFUZZ_OPEN file = &FuzzFiles[FuzzTake(input) % FUZZ_FILES];
        IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_PNP, .FileObject = file->Object};

        switch (FuzzTake(input) % 4) {
        case 0:
        case 1:
            if (file->State == FuzzClosed) {
                FuzzCreateAgain(input, file);
                continue;
            }
            location.MajorFunction = file->State == FuzzOpened ? IRP_MJ_CLEANUP : IRP_MJ_CLOSE;
            file->State = file->State == FuzzOpened ? FuzzCleaned : FuzzClosed;
            break;
        case 2:
            location.MajorFunction = IRP_MJ_READ;
            location.Parameters.Read.Length = FuzzTake(input) << (FuzzTake(input) % 24);
            location.MinorFunction = (UCHAR)FuzzTake(input);
            break;
        default:
            location.MinorFunction = (UCHAR)(FuzzTake(input) % (IRP_MN_SURPRISE_REMOVAL + 2));
            break;
        }
        (VOID) FuzzSend(FuzzTop, &location, FuzzTake(input), FuzzTake(input) % 3);
        FuzzCheckArrived(&location);
        FuzzPassed[location.MajorFunction] += 1;
    }
}

/*
 * Mounts, verifications, loads and dismounts, of the disk whose volume is mounted, in any order and with any answer. Nothing is asked of the
 * file afterwards: its volume may be another one.
 */
static VOID FuzzSendMounts(PVOID Context)
{
    static const NTSTATUS answers[] = {STATUS_SUCCESS, STATUS_SUCCESS, STATUS_UNRECOGNIZED_VOLUME, STATUS_WRONG_VOLUME,
                                       STATUS_IMAGE_ALREADY_LOADED};
    PFUZZ_INPUT input = Context;
    ULONG steps;

    for (steps = FuzzTake(input) % 8; steps != 0; steps -= 1) {
        IO_STACK_LOCATION location = {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL};
        const ULONG choice = FuzzTake(input) % 6;
        PDEVICE_OBJECT top;

        TestFileSystem.MountStatus = answers[FuzzTake(input) % RTL_NUMBER_OF(answers)];
        TestFileSystem.LoadStatus = answers[FuzzTake(input) % RTL_NUMBER_OF(answers)];
        TestFileSystem.LeavesStackSize = FuzzTake(input) % 2 != 0;
        TestFileSystem.DeletesOnLoad = FuzzTake(input) % 8 == 0;
        if (choice == 0) {
            TestFileSystemDismount();
            continue;
        }
        if (TestFileSystem.ControlDevice == NULL) {
            break;
        }
        top = IoGetAttachedDeviceReference(TestFileSystem.ControlDevice);
        location.MinorFunction = choice <= 2   ? IRP_MN_MOUNT_VOLUME
                                 : choice == 3 ? IRP_MN_VERIFY_VOLUME
                                 : choice == 4 ? IRP_MN_LOAD_FILE_SYSTEM
                                               : (UCHAR)FuzzTake(input);
        location.Flags = (UCHAR)FuzzTake(input);
        location.Parameters.MountVolume.Vpb = TestFileSystem.Disk->Vpb;
        location.Parameters.MountVolume.DeviceObject = TestFileSystem.Disk;
        FuzzMounts[NT_SUCCESS(FuzzSend(top, &location, FuzzTake(input), FuzzTake(input) % 3)) ? 1 : 0] += 1;
        ObDereferenceObject(top);
    }
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
    static WCHAR name[FUZZ_NAME_CHARACTERS + 1];
    PSCTX_STATISTICS_REPLY statistics;
    HANDLE file;

    FuzzTakeName(Input, name);
    FuzzTrackAll();
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
    const ULONG kind = FuzzTake(Input);

    HostRestore();
    if (kind >= 224) {
        CoreRunInKernel(FuzzSendMounts, Input);
        (VOID) CoreStatistics(FuzzCore.Control);
        return;
    }
    if (kind >= 160) {
        CoreRunInKernel(FuzzSendSequence, Input);
    } else if (kind % 3 == 0) {
        CoreRunInKernel(FuzzSendIrp, Input);
    } else if (kind % 3 == 1) {
        CoreRunInKernel(FuzzCallFastIo, Input);
    } else {
        FuzzOpenNamed(Input);
    }
    CHECK_STATUS(CoreQueryStream(FuzzCore.Control, FuzzFile, &(PSCTX_STREAM_REPLY){0}), STATUS_SUCCESS);
    CoreClose(FuzzCore.Control);
    CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), FuzzPoolBytes);
}

VOID FuzzCheckReached(VOID)
{
    ULONG major;

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        CHECK(FuzzPassed[major] != 0);
    }
    printf(
        "# fast I/O: %llu calls without an entry, %llu with; %llu names; mounts and loads: %llu refused, %llu done\n",
        (unsigned long long)FuzzFastCalls[0], (unsigned long long)FuzzFastCalls[1], (unsigned long long)FuzzNames,
        (unsigned long long)FuzzMounts[0], (unsigned long long)FuzzMounts[1]);
    (VOID) fflush(stdout);
    CHECK(FuzzFastCalls[0] != 0 && FuzzFastCalls[1] != 0 && FuzzNames != 0);
    CHECK(FuzzMounts[0] != 0 && FuzzMounts[1] != 0);
}
