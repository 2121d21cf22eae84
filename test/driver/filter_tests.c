/*
 * Tests of the legacy filter on the embedded kernel: attachment, pass-through, fast I/O, tracking and unload.
 *
 * Every test boots a kernel, and ends by unloading the driver and checking that the kernel has nothing left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_runner.h"
#include "legacy/filter.h"
#include "tracking/name.h"
#include "test_file_system.h"

DRIVER_INITIALIZE DriverEntry;

#define TEST_FILE TEST_DISK L"\\File.txt"
#define OWNER 7u
#define INSTANCE 9u
#define PATIENCE 3000u /* intervals of 10 ms before a test gives up */

/* STATUS_OPLOCK_BREAK_IN_PROGRESS: a success, and no reparse. */
#define OPENED_WITH_OPLOCK_BREAK ((NTSTATUS)0x00000108)

static ULONG Failures; /* of the test, which has a process of its own */
static PDRIVER_OBJECT Driver;
static PEPROCESS Process;
static HANDLE Session;
static PDRIVER_OBJECT DiskDriver;

/* A check that fails lets the test go on, so that what it has set up is taken down. */
#undef CHECK
#undef CHECK_STATUS
#define CHECK(Condition) Check((Condition), #Condition, __LINE__)
#define CHECK_STATUS(Expected, Call) CheckStatus((Expected), (Call), #Call, __LINE__)

static BOOLEAN Check(BOOLEAN Condition, const char *Text, int Line)
{
    if (!Condition) {
        Failures += 1;
        printf("# line %d: %s\n", Line, Text);
    }
    return Condition;
}

static BOOLEAN CheckStatus(NTSTATUS Expected, NTSTATUS Status, const char *Text, int Line)
{
    if (Status != Expected) {
        Failures += 1;
        printf("# line %d: %s: 0x%08x, not 0x%08x\n", Line, Text, (ULONG)Status, (ULONG)Expected);
    }
    return Status == Expected;
}

/* The kernel, and what is loaded into it. */

static VOID LoadDriver(VOID)
{
    CHECK_STATUS(STATUS_SUCCESS, HostSetServiceValue(L"PsCtx", L"AllowUnload", 1));
    CHECK_STATUS(STATUS_SUCCESS, HostLoadDriver(L"PsCtx", FALSE, DriverEntry, &Driver));
}

static VOID UnloadDriver(VOID)
{
    if (Driver != NULL) {
        CHECK_STATUS(STATUS_SUCCESS, HostUnloadDriver(Driver));
        CHECK(HostAuditPool(PSCTX_TAG) == 0);
        Driver = NULL;
    }
}

static VOID LoadDisk(PCWSTR DriverName)
{
    CHECK_STATUS(STATUS_SUCCESS, TestDiskLoad(DriverName, &DiskDriver, &TestFileSystem.Disk));
}

static VOID UnloadDisk(VOID)
{
    if (DiskDriver != NULL) {
        CHECK_STATUS(STATUS_SUCCESS, HostUnloadDriver(DiskDriver));
        DiskDriver = NULL;
    }
}

static VOID LoadFileSystem(VOID)
{
    CHECK_STATUS(STATUS_SUCCESS, TestFileSystemLoad());
}

static VOID UnloadFileSystem(VOID)
{
    if (TestFileSystem.DriverObject != NULL) {
        TestFileSystemUnload();
        TestFileSystem.DriverObject = NULL;
    }
}

/* Files and sessions of the client process. */

static NTSTATUS OpenRelative(PCWSTR Name, HANDLE Root, ULONG Disposition, ULONG Options, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK ioStatus;
    UNICODE_STRING name;

    *Handle = NULL;
    RtlInitUnicodeString(&name, Name);
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, Root, NULL);
    return NtCreateFile(Handle, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &attributes, &ioStatus, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition,
                        Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static NTSTATUS Open(PCWSTR Name, PHANDLE Handle)
{
    return OpenRelative(Name, NULL, FILE_OPEN_IF, 0, Handle);
}

static VOID Close(HANDLE Handle)
{
    if (Handle != NULL) {
        CHECK_STATUS(STATUS_SUCCESS, NtClose(Handle));
    }
}

/* Opens the test file and references its object. */
static PFILE_OBJECT OpenFileObject(PHANDLE Handle)
{
    PVOID object = NULL;

    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, Handle));
    CHECK_STATUS(STATUS_SUCCESS, ObReferenceObjectByHandle(*Handle, 0, *IoFileObjectType, UserMode, &object, NULL));
    return object;
}

static NTSTATUS Send(HANDLE Control, ULONG Code, PVOID Request, ULONG RequestLength, PVOID Reply, ULONG ReplyLength)
{
    IO_STATUS_BLOCK ioStatus;

    return NtDeviceIoControlFile(Control, NULL, NULL, NULL, &ioStatus, Code, Request, RequestLength, Reply,
                                 ReplyLength);
}

/* A request whose record, header and tail are free to be wrong. */
typedef struct _TRACK_REQUEST {
    PSCTX_TRACK_REQUEST Record;
    WCHAR Pattern[PSCTX_MAXIMUM_PATTERN_LENGTH / sizeof(WCHAR) + 1];
} TRACK_REQUEST;

static VOID SetupTrack(TRACK_REQUEST *Request, PCWSTR Pattern)
{
    UNICODE_STRING pattern;

    memset(Request, 0, sizeof(*Request));
    RtlInitUnicodeString(&pattern, Pattern);
    memcpy(Request->Pattern, pattern.Buffer, pattern.Length);
    Request->Record.OwnerKey = OWNER;
    Request->Record.Instance = INSTANCE;
    Request->Record.PatternLength = pattern.Length;
    Request->Record.Header.Version = PSCTX_ABI_VERSION;
    Request->Record.Header.Operation = PSCTX_OPERATION_TRACK;
    Request->Record.Header.Size = (ULONG)sizeof(Request->Record) + pattern.Length;
}

static NTSTATUS SendTrack(HANDLE Control, TRACK_REQUEST *Request, PULONG64 Rule)
{
    PSCTX_RULE_RECORD reply = {0};
    NTSTATUS status;

    status = Send(Control, PSCTX_IOCTL_TRACK, Request, Request->Record.Header.Size, &reply, sizeof(reply));
    if (NT_SUCCESS(status)) {
        CHECK(reply.Header.Size == sizeof(reply));
        CHECK(reply.Header.Version == PSCTX_ABI_VERSION);
        CHECK(reply.Header.Operation == PSCTX_OPERATION_TRACK);
    }
    *Rule = reply.Rule;
    return status;
}

static NTSTATUS Track(HANDLE Control, PCWSTR Pattern, PULONG64 Rule)
{
    TRACK_REQUEST request;

    SetupTrack(&request, Pattern);
    return SendTrack(Control, &request, Rule);
}

static NTSTATUS Untrack(HANDLE Control, ULONG64 Rule)
{
    PSCTX_RULE_RECORD request = {{sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_UNTRACK}, Rule};
    PSCTX_HEADER reply;

    return Send(Control, PSCTX_IOCTL_UNTRACK, &request, sizeof(request), &reply, sizeof(reply));
}

static PSCTX_STATISTICS_REPLY Statistics(VOID)
{
    PSCTX_HEADER request = {sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_QUERY_STATISTICS};
    PSCTX_STATISTICS_REPLY reply = {0};

    CHECK_STATUS(STATUS_SUCCESS,
                 Send(Session, PSCTX_IOCTL_QUERY_STATISTICS, &request, sizeof(request), &reply, sizeof(reply)));
    return reply;
}

/* Whether the open stream has exactly one context of the session's, with the rule's identity and this name. */
static BOOLEAN HasTrackedContext(HANDLE File, PCWSTR Name)
{
    PSCTX_LIST_REQUEST request = {
        {sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_LIST}, (ULONG64)(ULONG_PTR)File, 0};
    union {
        PSCTX_LIST_REPLY Reply;
        UCHAR Bytes[4096];
    } reply;
    const PSCTX_LIST_ENTRY *entry = (const PSCTX_LIST_ENTRY *)(&reply.Reply + 1);
    UNICODE_STRING expected;
    UNICODE_STRING name;

    if (Send(Session, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply)) != STATUS_SUCCESS ||
        reply.Reply.Count != 1 || reply.Reply.Remaining != 0) {
        return FALSE;
    }
    RtlInitUnicodeString(&expected, Name);
    name.Buffer = (PWCH)(ULONG_PTR)(entry + 1);
    name.Length = (USHORT)entry->NameLength;
    name.MaximumLength = name.Length;
    return entry->OwnerKey == OWNER && entry->Instance == INSTANCE && entry->DataLength == 0 &&
           entry->Pool == PSCTX_POOL_PAGED && entry->Lifetime == PSCTX_LIFETIME_SESSION &&
           RtlEqualUnicodeString(&expected, &name, FALSE);
}

/* Device stacks. */

static PDEVICE_OBJECT Top(PDEVICE_OBJECT Device)
{
    const PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Device);

    ObDereferenceObject(top);
    return top;
}

/* How many devices of the driver are in a stack. */
static ULONG CountAttached(PDEVICE_OBJECT Device)
{
    ULONG count = 0;
    PDEVICE_OBJECT above;

    for (above = Device; above != NULL; above = above->AttachedDevice) {
        if (above->DriverObject == Driver) {
            count += 1;
        }
    }
    return count;
}

static NTSTATUS ManualCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);

    if (Irp->PendingReturned) {
        KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Sends a request with these parameters to a device, as the I/O manager would, and returns its final status. */
static NTSTATUS SendIrp(PDEVICE_OBJECT Device, const IO_STACK_LOCATION *Parameters, PVOID UserBuffer)
{
    const PIRP irp = IoAllocateIrp(Device->StackSize, FALSE);
    PIO_STACK_LOCATION location;
    KEVENT completed;
    NTSTATUS status;

    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&completed, NotificationEvent, FALSE);
    irp->UserBuffer = UserBuffer;
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    location = IoGetNextIrpStackLocation(irp);
    *location = *Parameters;
    location->DeviceObject = Device;
    IoSetCompletionRoutine(irp, ManualCompleted, &completed, TRUE, TRUE, TRUE);
    status = IoCallDriver(Device, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&completed, Executive, KernelMode, FALSE, NULL);
    }
    status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    return status;
}

static NTSTATUS SendMount(VOID)
{
    IO_STACK_LOCATION parameters = {0};

    parameters.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    parameters.MinorFunction = IRP_MN_MOUNT_VOLUME;
    parameters.Parameters.MountVolume.Vpb = TestFileSystem.Disk->Vpb;
    parameters.Parameters.MountVolume.DeviceObject = TestFileSystem.Disk;
    return SendIrp(Top(TestFileSystem.ControlDevice), &parameters, NULL);
}

static NTSTATUS SendLoad(VOID)
{
    IO_STACK_LOCATION parameters = {0};

    parameters.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    parameters.MinorFunction = IRP_MN_LOAD_FILE_SYSTEM;
    return SendIrp(Top(TestFileSystem.ControlDevice), &parameters, NULL);
}

/* A create of an already open file's object: how the I/O manager is told to open is all that the test is about. */
static NTSTATUS SendCreate(HANDLE File, UCHAR Flags, ULONG Options)
{
    IO_STACK_LOCATION parameters = {0};
    PFILE_OBJECT fileObject;
    NTSTATUS status;

    status = ObReferenceObjectByHandle(File, 0, *IoFileObjectType, UserMode, (PVOID *)&fileObject, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    parameters.MajorFunction = IRP_MJ_CREATE;
    parameters.Flags = Flags;
    parameters.FileObject = fileObject;
    parameters.Parameters.Create.Options = ((ULONG)FILE_OPEN << 24) | Options;
    status = SendIrp(Top(TestFileSystem.VolumeDevice), &parameters, NULL);
    ObDereferenceObject(fileObject);
    return status;
}

/* Attachment. */

static VOID CheckAttachedToWhatWasThereBefore(VOID)
{
    HANDLE file;

    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    CHECK(((PPSCTX_FILTER_EXTENSION)Top(TestFileSystem.ControlDevice)->DeviceExtension)->Kind == PsctxFileSystemFilter);
    CHECK(((PPSCTX_FILTER_EXTENSION)Top(TestFileSystem.VolumeDevice)->DeviceExtension)->Kind == PsctxVolumeFilter);
    Close(file);
}

static VOID AttachesToWhatWasThereBefore(VOID)
{
    LoadDisk(L"TestDisk");
    CheckAttachedToWhatWasThereBefore();
}

static VOID AttachesToCdRomsThatWereThereBefore(VOID)
{
    LoadDisk(L"TestDisk");
    TestFileSystem.Disk->DeviceType = FILE_DEVICE_CD_ROM;
    TestFileSystem.DeviceType = FILE_DEVICE_CD_ROM_FILE_SYSTEM;
    CheckAttachedToWhatWasThereBefore();
}

static VOID AttachesToFileSystemsAsTheyCome(VOID)
{
    LONG before;

    LoadDriver();
    before = PsctxAttachments.FileSystems;
    CHECK(before != 0);
    LoadFileSystem();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    CHECK(PsctxAttachments.FileSystems == before + 1);
    TestFileSystemUnregister();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
    CHECK(PsctxAttachments.FileSystems == before);
    TestFileSystemRegister();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    UnloadFileSystem();
    CHECK(PsctxAttachments.FileSystems == before);
}

static VOID AttachesToVolumesAsTheyMount(VOID)
{
    LONG before;
    HANDLE file;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    before = PsctxAttachments.Volumes;
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(TestFileSystem.VolumeDevice != NULL && CountAttached(TestFileSystem.VolumeDevice) == 1);
    CHECK(PsctxAttachments.Volumes == before + 1);
    Close(file);
    TestFileSystemDismount();
    CHECK(PsctxAttachments.Volumes == before);
}

/* How many devices the driver has, the control device among them. */
static ULONG CountDevices(VOID)
{
    ULONG count = 0;

    (VOID) IoEnumerateDeviceObjectList(Driver, NULL, 0, &count);
    return count;
}

/* Statistics through a session of its own. */
static ULONG64 CountAttachedVolumes(VOID)
{
    PSCTX_STATISTICS_REPLY statistics;

    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    statistics = Statistics();
    Close(Session);
    Session = NULL;
    return statistics.AttachedVolumes;
}

/* A kernel that does not say when the device below goes. */
static VOID ForgetsVolumesThatGoSilently(VOID)
{
    ULONG64 before;
    HANDLE file;
    ULONG round;

    LoadDisk(L"TestDisk");
    HostSetQuirks(HOST_QUIRK_SILENT_DELETION);
    LoadDriver();
    CHECK(CountDevices() == 1 + (ULONG)PsctxAttachments.FileSystems);
    LoadFileSystem();
    before = CountAttachedVolumes();
    for (round = 0; round < 3; round += 1) {
        CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
        CHECK(TestFileSystem.VolumeDevice != NULL && CountAttached(TestFileSystem.VolumeDevice) == 1);
        CHECK(CountAttachedVolumes() == before + 1);
        Close(file);
        TestFileSystemDismount();
        CHECK(CountAttachedVolumes() == before + 1); /* a query looks for nothing */
    }
    TestFileSystemUnregister();
    TestFileSystemRegister();
    CHECK(CountAttachedVolumes() == before);

    /* One is left for the driver's unloading, too. */
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    TestFileSystemDismount();
    UnloadDriver();
    HostSetQuirks(0);
}

/* A kernel that knows the disks only of volume devices that have a VPB of their own. */
static VOID AttachesToVolumesWithoutAKnownDisk(VOID)
{
    PDEVICE_OBJECT other;
    HANDLE file;

    LoadDisk(L"TestDisk");
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK_STATUS(STATUS_SUCCESS,
                 IoCreateDevice(TestFileSystem.DriverObject, 0, NULL, TestFileSystem.DeviceType, 0, FALSE, &other));
    other->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    HostSetQuirks(HOST_QUIRK_VERSION_52 | HOST_QUIRK_DISK_OF_DEVICES_WITH_VPB);
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    CHECK(CountAttached(other) == 0);
    IoDeleteDevice(other);
    HostSetQuirks(0);
    Close(file);
}

/* The I/O manager sets how deep a volume's stack is when the mount has returned to it. */
static VOID MakesRequestsDeepEnoughForTheDisk(VOID)
{
    HANDLE file;

    LoadDisk(L"TestDisk");
    TestFileSystem.Disk->StackSize = 5;
    TestFileSystem.LeavesStackSize = TRUE;
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(TestFileSystem.VolumeDevice->StackSize == 6);
    CHECK(Top(TestFileSystem.VolumeDevice)->DriverObject == Driver);
    CHECK(Top(TestFileSystem.VolumeDevice)->StackSize == 7);
    Close(file);
}

/* Not every file system names the VPB in the file objects it opens. */
static VOID KnowsFilesWithoutAVpb(VOID)
{
    PSCTX_STREAM stream;
    PFILE_OBJECT file;
    HANDLE handle;
    PVPB vpb;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    file = OpenFileObject(&handle);
    vpb = file->Vpb;
    CHECK(vpb != NULL && PsctxExamineStream(file, &stream) == PSCTX_SUPPORT_YES);
    file->Vpb = NULL;
    CHECK(PsctxExamineStream(file, &stream) == PSCTX_SUPPORT_YES);
    file->Vpb = vpb;
    ObDereferenceObject(file);
    Close(handle);
}

static VOID AttachesAfterAMountThatPended(VOID)
{
    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    TestFileSystem.Pends = TRUE;
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    CHECK(TestFileSystem.VolumeDevice != NULL && CountAttached(TestFileSystem.VolumeDevice) == 1);
}

static VOID AttachesOnceToAStack(VOID)
{
    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    TestFileSystemRegister();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    TestFileSystemUnregister();
}

static VOID AttachesNothingAfterAFailedMount(VOID)
{
    LONG before;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    before = PsctxAttachments.Volumes;
    TestFileSystem.MountStatus = STATUS_UNRECOGNIZED_VOLUME;
    CHECK_STATUS(STATUS_UNRECOGNIZED_VOLUME, SendMount());
    TestFileSystem.Pends = TRUE;
    CHECK_STATUS(STATUS_UNRECOGNIZED_VOLUME, SendMount());
    CHECK(PsctxAttachments.Volumes == before);
}

static VOID LeavesSnapshotsAlone(VOID)
{
    LoadDisk(L"VolSnap");
    LoadFileSystem();
    LoadDriver();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    CHECK(TestFileSystem.VolumeDevice != NULL && CountAttached(TestFileSystem.VolumeDevice) == 0);
}

static VOID LeavesMountedSnapshotsAlone(VOID)
{
    HANDLE file;

    LoadDisk(L"VolSnap");
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 0);
    Close(file);
}

/* What LIST_VOLUMES tells of the test's volume. FALSE, and nothing, if it is not there. */
static BOOLEAN ListVolume(PSCTX_VOLUME_ENTRY *Volume)
{
    static DECLSPEC_ALIGN(8) UCHAR output[4096];
    PSCTX_VOLUMES_REQUEST request = {{sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_LIST_VOLUMES}, 0};
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    const UCHAR *next = (const UCHAR *)(reply + 1);
    ULONG index;
    BOOLEAN found = FALSE;
    UNICODE_STRING disk;

    RtlZeroMemory(Volume, sizeof(*Volume));
    RtlInitUnicodeString(&disk, TEST_DISK);
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS,
                 Send(Session, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output)));
    for (index = 0; index < reply->Count; index += 1) {
        const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)next;

        if (entry->DeviceNameLength == disk.Length && memcmp(entry + 1, disk.Buffer, disk.Length) == 0) {
            CHECK(!found);
            CHECK(entry->FileSystemLength > 12 * sizeof(WCHAR));
            CHECK(memcmp(next + sizeof(*entry) + disk.Length, L"\\FileSystem\\", 12 * sizeof(WCHAR)) == 0);
            *Volume = *entry;
            found = TRUE;
        }
        next += entry->Size;
    }
    Close(Session);
    Session = NULL;
    return found;
}

static VOID ListsSnapshots(VOID)
{
    PSCTX_VOLUME_ENTRY volume;
    ULONG64 number;
    HANDLE file;

    LoadDisk(L"VolSnap");
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    LoadDriver();
    CHECK(ListVolume(&volume));
    CHECK(volume.Attachment == PSCTX_ATTACHMENT_SNAPSHOT && volume.Status == 0 && volume.TearsDown == 1);
    CHECK(volume.DeviceType == FILE_DEVICE_DISK_FILE_SYSTEM);
    CHECK(volume.Number > PSCTX_VOLUME_UNATTACHED);
    number = volume.Number;
    TestFileSystemUnregister();
    TestFileSystemRegister();
    CHECK(ListVolume(&volume) && volume.Number == number);
    TestFileSystemDismount();
    CHECK(!ListVolume(&volume));

    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    CHECK(ListVolume(&volume));
    CHECK(volume.Attachment == PSCTX_ATTACHMENT_SNAPSHOT && volume.Number > PSCTX_VOLUME_UNATTACHED);
}

static VOID KeepsNothingOfSnapshots(VOID)
{
    HOST_AUDIT before;
    HOST_AUDIT after;
    ULONG round;

    LoadDisk(L"VolSnap");
    LoadFileSystem();
    LoadDriver();
    HostAudit(&before);
    for (round = 0; round < 1000; round += 1) {
        CHECK_STATUS(STATUS_SUCCESS, SendMount());
        TestFileSystemDismount();
    }
    HostAudit(&after);
    CHECK(after.PoolBytes == before.PoolBytes && after.Objects == before.Objects);
}

/* One that cannot be attached to is listed as such, until it can. */
static VOID ListsVolumesThatWereNotAttachedTo(VOID)
{
    PSCTX_VOLUME_ENTRY volume;
    HANDLE file;

    LoadDisk(L"TestDisk");
    TestFileSystem.TearsNothingDown = TRUE;
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    TestFileSystem.VolumeDevice->Flags |= DO_DEVICE_INITIALIZING;
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 0);
    CHECK(ListVolume(&volume));
    CHECK(volume.Attachment == PSCTX_ATTACHMENT_FAILED && (NTSTATUS)volume.Status == STATUS_NO_SUCH_DEVICE);
    CHECK(volume.TearsDown == 0 && volume.Number > PSCTX_VOLUME_UNATTACHED);
    TestFileSystem.VolumeDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    CHECK(ListVolume(&volume));
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    CHECK(volume.Attachment == PSCTX_ATTACHMENT_YES && volume.Status == 0 && volume.Number < PSCTX_VOLUME_UNATTACHED);
    CHECK(volume.TearsDown == 0);
}

/* A mount whose volume there was no memory to attach to, is attached to when volumes are listed. */
/* Opens a session and a reader of its events, which is told of volumes whether they have names or not. */
static VOID OpenReader(PHANDLE Watched, PHANDLE Reader)
{
    PSCTX_HEADER version = {sizeof(version), PSCTX_ABI_VERSION, PSCTX_OPERATION_QUERY_VERSION};
    PSCTX_SUBSCRIBE_REQUEST request = {{sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_SUBSCRIBE},
                                       0,
                                       PSCTX_EVENT_TYPES,
                                       PSCTX_MINIMUM_EVENT_CAPACITY};
    PSCTX_VERSION_REPLY reply;
    PSCTX_HEADER subscribed;

    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", Watched));
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", Reader));
    CHECK_STATUS(STATUS_SUCCESS,
                 Send(*Watched, PSCTX_IOCTL_QUERY_VERSION, &version, sizeof(version), &reply, sizeof(reply)));
    request.Session = reply.Session;
    CHECK_STATUS(STATUS_SUCCESS,
                 Send(*Reader, PSCTX_IOCTL_SUBSCRIBE, &request, sizeof(request), &subscribed, sizeof(subscribed)));
}

static VOID AttachesWhenVolumesAreListed(VOID)
{
    PSCTX_VOLUME_ENTRY volume;
    ULONG64 countdown;
    HANDLE watched;
    HANDLE reader;
    ULONG missed = 0;
    HANDLE file;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    OpenReader(&watched, &reader);
    for (countdown = 1; countdown < 64; countdown += 1) {
        HostFailAllocation(countdown);
        if (NT_SUCCESS(Open(TEST_FILE, &file))) {
            HostFailAllocation(0);
            missed += CountAttached(TestFileSystem.VolumeDevice) == 0;
            CHECK(ListVolume(&volume) && volume.Attachment == PSCTX_ATTACHMENT_YES);
            CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
            Close(file);
        }
        HostFailAllocation(0);
        TestFileSystemDismount();
    }
    Close(reader);
    Close(watched);
    CHECK(missed != 0);
}

#define LISTED_SNAPSHOTS 40u

/* Every page starts where the one before ended, though nothing is kept between the two. */
static VOID ListsVolumesInPages(VOID)
{
    static DECLSPEC_ALIGN(8) UCHAR output[700];
    PSCTX_VOLUMES_REQUEST request = {{sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_LIST_VOLUMES}, 0};
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    PDEVICE_OBJECT volumes[LISTED_SNAPSHOTS];
    ULONG unattached = 0;
    ULONG pages = 0;
    HANDLE file;
    ULONG index;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    for (index = 0; index < LISTED_SNAPSHOTS; index += 1) {
        CHECK_STATUS(STATUS_SUCCESS, IoCreateDevice(TestFileSystem.DriverObject, 0, NULL, TestFileSystem.DeviceType, 0,
                                                    FALSE, &volumes[index]));
        volumes[index]->DeviceObjectExtension->Vpb = TestFileSystem.Disk->Vpb; /* and initialising for good */
    }
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    do {
        const UCHAR *next = (const UCHAR *)(reply + 1);

        CHECK_STATUS(STATUS_SUCCESS,
                     Send(Session, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output)));
        for (index = 0; index < reply->Count; index += 1) {
            const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)next;

            CHECK(entry->Number > request.After);
            request.After = entry->Number;
            unattached += entry->Attachment == PSCTX_ATTACHMENT_FAILED;
            next += entry->Size;
        }
        pages += 1;
    } while (reply->Remaining != 0 && reply->Count != 0);
    CHECK(unattached == LISTED_SNAPSHOTS && pages > LISTED_SNAPSHOTS / 8);
    Close(Session);
    Session = NULL;
    for (index = 0; index < LISTED_SNAPSHOTS; index += 1) {
        volumes[index]->DeviceObjectExtension->Vpb = NULL;
        IoDeleteDevice(volumes[index]);
    }
}

/* A kernel that does not tell the disk of a mounted volume: the first file that is opened there does. */
static VOID LearnsNamesFromFiles(VOID)
{
    PSCTX_VOLUME_ENTRY volume;
    HANDLE file;

    LoadDisk(L"TestDisk");
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    HostSetQuirks(HOST_QUIRK_VERSION_52 | HOST_QUIRK_DISK_OF_DEVICES_WITH_VPB);
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    CHECK(!ListVolume(&volume));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    CHECK(ListVolume(&volume) && volume.Attachment == PSCTX_ATTACHMENT_YES);
    HostSetQuirks(0);
}

static VOID OpenOnThread(PVOID Context)
{
    HANDLE file;

    UNREFERENCED_PARAMETER(Context);

    HostEnterProcess(Process);
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    HostLeaveProcess();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Loads the driver while the volume is being mounted, and returns when that is done. */
static VOID LoadDuringMount(VOID)
{
    LARGE_INTEGER interval;
    HANDLE thread;

    LoadDisk(L"TestDisk");
    LoadFileSystem();
    TestFileSystem.Delay = -300 * 10000;
    CHECK_STATUS(STATUS_SUCCESS, PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, OpenOnThread, NULL));
    interval.QuadPart = -10000;
    while (ReadAcquire(&TestFileSystem.Requests[IRP_MJ_FILE_SYSTEM_CONTROL]) == 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    LoadDriver();
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
    CHECK(TestFileSystem.VolumeDevice != NULL);
}

static VOID AttachesToAVolumeThatIsBeingMounted(VOID)
{
    LoadDuringMount();
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
}

static VOID FindsAVolumeThatWasBeingMounted(VOID)
{
    LARGE_INTEGER interval;
    ULONG waited;

    HostSetQuirks(HOST_QUIRK_VERSION_52);
    LoadDuringMount();
    interval.QuadPart = -10 * 10000;
    for (waited = 0; ReadAcquire(&PsctxAttachments.Volumes) == 0 && waited < PATIENCE; waited += 1) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    HostSetQuirks(0);
}

static VOID LeavesTheRecognizerAlone(VOID)
{
    TestFileSystem.DriverName = L"Fs_Rec";
    LoadFileSystem();
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
}

static VOID LeavesOtherTypesAlone(VOID)
{
    TestFileSystem.DeviceType = FILE_DEVICE_TAPE_FILE_SYSTEM;
    LoadDriver();
    LoadFileSystem();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
}

static VOID TakesOverFlags(VOID)
{
    PDEVICE_OBJECT filter;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    filter = Top(TestFileSystem.ControlDevice);
    CHECK(filter->DriverObject == Driver);
    CHECK(FlagOn(filter->Flags, DO_BUFFERED_IO | DO_DIRECT_IO | DO_DEVICE_INITIALIZING) == DO_BUFFERED_IO);
    CHECK(filter->Characteristics == FILE_DEVICE_SECURE_OPEN);
    CHECK(filter->DeviceType == FILE_DEVICE_DISK_FILE_SYSTEM);
    filter = Top(TestFileSystem.VolumeDevice);
    CHECK(filter->DriverObject == Driver);
    CHECK(FlagOn(filter->Flags, DO_BUFFERED_IO | DO_DIRECT_IO | DO_DEVICE_INITIALIZING) == DO_DIRECT_IO);
    CHECK(filter->Characteristics == 0);
    CHECK(filter->StackSize > TestFileSystem.VolumeDevice->StackSize);
}

static VOID DetachesBeforeARecognizerGoes(VOID)
{
    LONG before;

    LoadDriver();
    before = PsctxAttachments.FileSystems;
    LoadFileSystem();
    TestFileSystem.DeletesOnLoad = TRUE;
    CHECK_STATUS(STATUS_SUCCESS, SendLoad());
    CHECK(TestFileSystem.ControlDevice == NULL);
    CHECK(PsctxAttachments.FileSystems == before);
}

static VOID AttachesAgainWhenLoadingFails(VOID)
{
    LoadDriver();
    LoadFileSystem();
    TestFileSystem.LoadStatus = STATUS_DRIVER_UNABLE_TO_LOAD;
    CHECK_STATUS(STATUS_DRIVER_UNABLE_TO_LOAD, SendLoad());
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    TestFileSystem.LoadStatus = STATUS_IMAGE_ALREADY_LOADED;
    CHECK_STATUS(STATUS_IMAGE_ALREADY_LOADED, SendLoad());
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
}

static VOID DetachesFromEverythingOnUnload(VOID)
{
    HANDLE file;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    UnloadDriver();
    CHECK(TestFileSystem.ControlDevice->AttachedDevice == NULL);
    CHECK(TestFileSystem.VolumeDevice->AttachedDevice == NULL);
    LoadDriver();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    Close(file);
}

static VOID SendMountOnThread(PVOID Context)
{
    *(volatile NTSTATUS *)Context = SendMount();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID WaitsForMountsOnUnload(VOID)
{
    volatile NTSTATUS status = STATUS_PENDING;
    LARGE_INTEGER interval;
    HANDLE thread;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    TestFileSystem.Pends = TRUE;
    CHECK_STATUS(STATUS_SUCCESS, PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, SendMountOnThread, (PVOID)&status));
    interval.QuadPart = -10000;
    while (ReadAcquire(&TestFileSystem.Requests[IRP_MJ_FILE_SYSTEM_CONTROL]) == 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    UnloadDriver();
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
    CHECK_STATUS(STATUS_SUCCESS, status);
    CHECK(TestFileSystem.VolumeDevice != NULL && TestFileSystem.VolumeDevice->AttachedDevice == NULL);
}

static VOID SendSlowRequestOnThread(PVOID Context)
{
    IO_STACK_LOCATION parameters = {0};

    parameters.MajorFunction = IRP_MJ_QUERY_EA;
    WriteRelease((volatile LONG *)Context, (LONG)SendIrp(Top(TestFileSystem.ControlDevice), &parameters, NULL));
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A thread that is in the file system comes back through the driver's code. */
static VOID WaitsForRequestsOnUnload(VOID)
{
    volatile LONG status = STATUS_PENDING;
    LARGE_INTEGER interval;
    HANDLE thread;

    LoadDriver();
    LoadFileSystem();
    TestFileSystem.Delay = -300 * 10000;
    CHECK_STATUS(STATUS_SUCCESS,
                 PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, SendSlowRequestOnThread, (PVOID)&status));
    interval.QuadPart = -10000;
    while (ReadAcquire(&TestFileSystem.Requests[IRP_MJ_QUERY_EA]) == 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK(ReadAcquire(&PsctxPassage.Requests) == 1);
    UnloadDriver();
    CHECK(ReadAcquire(&PsctxPassage.Requests) == 0);
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
    CHECK(ReadAcquire(&status) == IRP_MJ_QUERY_EA);
}

static volatile LONG FastIoEntered;
static volatile LONG FastIoReturned;

static BOOLEAN SlowFastIo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                          PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    LARGE_INTEGER interval;

    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(IoStatus);
    UNREFERENCED_PARAMETER(DeviceObject);

    InterlockedExchange(&FastIoEntered, TRUE);
    interval.QuadPart = -300 * 10000;
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    InterlockedExchange(&FastIoReturned, TRUE);
    return TRUE;
}

static VOID CallSlowFastIoOnThread(PVOID Context)
{
    const PDEVICE_OBJECT filter = Context;

    (VOID) filter->DriverObject->FastIoDispatch->FastIoQueryBasicInfo(NULL, TRUE, NULL, NULL, filter);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID WaitsForFastIoOnUnload(VOID)
{
    LARGE_INTEGER interval;
    HANDLE thread;

    LoadDriver();
    LoadFileSystem();
    FastIoEntered = FALSE;
    FastIoReturned = FALSE;
    TestFastIoDispatch.FastIoQueryBasicInfo = SlowFastIo;
    CHECK_STATUS(STATUS_SUCCESS, PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, CallSlowFastIoOnThread,
                                                      Top(TestFileSystem.ControlDevice)));
    interval.QuadPart = -10000;
    while (ReadAcquire(&FastIoEntered) == 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK(ReadAcquire(&PsctxPassage.Requests) == 1);
    UnloadDriver();
    CHECK(ReadAcquire(&FastIoReturned) == 1);
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
}

static VOID LoadInSchedule(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);

    CHECK_STATUS(STATUS_SUCCESS, HostLoadDriver(L"PsCtx", FALSE, DriverEntry, &Driver));
}

/* Sends a request through the filter as soon as that is attached: it stays below until the driver is loaded. */
static VOID SendInSchedule(PVOID Context)
{
    IO_STACK_LOCATION parameters = {0};
    PDEVICE_OBJECT top;

    UNREFERENCED_PARAMETER(Context);

    parameters.MajorFunction = IRP_MJ_QUERY_EA;
    do {
        top = Top(TestFileSystem.ControlDevice);
    } while (top == TestFileSystem.ControlDevice);
    CHECK_STATUS(STATUS_SUCCESS + IRP_MJ_QUERY_EA, SendIrp(top, &parameters, NULL));
}

static VOID CountRequestHook(PVOID Context)
{
    *(PULONG)Context += Driver != NULL && ReadAcquire(&PsctxPassage.Requests) == 1;
}

static VOID CountsRequestsFromTheStart(VOID)
{
    static const PHOST_ROUTINE routines[] = {LoadInSchedule, SendInSchedule};
    PVOID contexts[RTL_NUMBER_OF(routines)] = {NULL};
    ULONG counted = 0;
    ULONG64 seed;

    CHECK_STATUS(STATUS_SUCCESS, HostSetServiceValue(L"PsCtx", L"AllowUnload", 1));
    LoadFileSystem();
    TestFileSystem.Delay = -1;
    TestFileSystem.Hook = CountRequestHook;
    TestFileSystem.HookContext = &counted;
    HostLeaveProcess();
    for (seed = 1; seed <= 20; seed += 1) {
        HostRunSchedule(seed, RTL_NUMBER_OF(routines), routines, contexts);
        UnloadDriver();
    }
    HostEnterProcess(Process);
    CHECK(counted == 20);
}

static VOID WaitForDevices(ULONG Count)
{
    LARGE_INTEGER interval;
    ULONG waited;

    interval.QuadPart = -10 * 10000;
    for (waited = 0; CountDevices() != Count && waited < PATIENCE; waited += 1) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK(CountDevices() == Count);
}

/* A thread may have found the device of ours in a stack, and use it only when it is out of it. */
static VOID KeepsDevicesThatMayHaveBeenFound(VOID)
{
    IO_STACK_LOCATION parameters = {0};
    PDEVICE_OBJECT filter;
    ULONG before;

    LoadDriver();
    before = CountDevices();
    LoadFileSystem();
    parameters.MajorFunction = IRP_MJ_QUERY_EA;
    filter = Top(TestFileSystem.ControlDevice);
    TestFileSystemUnregister();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
    CHECK_STATUS(STATUS_SUCCESS + IRP_MJ_QUERY_EA, SendIrp(filter, &parameters, NULL));
    WaitForDevices(before);

    TestFileSystemRegister();
    TestFileSystem.LoadStatus = STATUS_IMAGE_ALREADY_LOADED;
    filter = Top(TestFileSystem.ControlDevice);
    CHECK_STATUS(STATUS_IMAGE_ALREADY_LOADED, SendLoad());
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
    CHECK_STATUS(STATUS_SUCCESS + IRP_MJ_QUERY_EA, SendIrp(filter, &parameters, NULL));
    WaitForDevices(before);
}

/* Another filter's device, on top of a stack of the test file system's. */
static PDEVICE_OBJECT AttachOther(PDEVICE_OBJECT Device, PDEVICE_OBJECT *AttachedTo)
{
    PDEVICE_OBJECT other = NULL;

    CHECK_STATUS(STATUS_SUCCESS,
                 IoCreateDevice(TestFileSystem.DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &other));
    CHECK_STATUS(STATUS_SUCCESS, IoAttachDeviceToDeviceStackSafe(other, Device, AttachedTo));
    other->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return other;
}

/* An open that its file system takes long for, until the test lets it go. */
typedef struct _LONG_OPEN {
    KEVENT Below;
    KEVENT Release;
    HANDLE File;
} LONG_OPEN, *PLONG_OPEN;

static VOID HoldLongOpen(PVOID Context)
{
    const PLONG_OPEN open = Context;

    TestFileSystem.Hook = NULL;
    KeSetEvent(&open->Below, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&open->Release, Executive, KernelMode, FALSE, NULL);
}

static VOID OpenLongOnThread(PVOID Context)
{
    HostEnterProcess(Process);
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_CONTROL_DEVICE L"\\server\\share\\file", &((PLONG_OPEN)Context)->File));
    HostLeaveProcess();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A redirector unregisters while a create is waited for, on a machine that does not count requests, since it never unloads the driver. */
static VOID KeepsDevicesWhileCreatesAreWaitedFor(VOID)
{
    LARGE_INTEGER interval;
    LONG_OPEN open = {0};
    ULONG64 rule;
    HANDLE thread;
    ULONG before;
    ULONG waited;

    TestFileSystem.DeviceType = FILE_DEVICE_NETWORK_FILE_SYSTEM;
    LoadDriver();
    LoadFileSystem();
    PsctxPassage.CountsRequests = FALSE;
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    before = CountDevices();

    KeInitializeEvent(&open.Below, NotificationEvent, FALSE);
    KeInitializeEvent(&open.Release, NotificationEvent, FALSE);
    TestFileSystem.Hook = HoldLongOpen;
    TestFileSystem.HookContext = &open;
    CHECK_STATUS(STATUS_SUCCESS, PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, OpenLongOnThread, &open));
    KeWaitForSingleObject(&open.Below, Executive, KernelMode, FALSE, NULL);
    TestFileSystemUnregister();
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
    interval.QuadPart = -10 * 10000;
    for (waited = 0; CountDevices() == before && waited < 300; waited += 1) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK(CountDevices() == before);
    KeSetEvent(&open.Release, IO_NO_INCREMENT, FALSE);
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
    CHECK(Statistics().SessionContexts == 1);
    WaitForDevices(before - 1);
    Close(open.File);
    Close(Session);
    Session = NULL;
}

/* Another filter that is below ours leaves: ours is told by the deletion of that one's device. */
static VOID StaysWhenAFilterBelowLeaves(VOID)
{
    PDEVICE_OBJECT belowVolume;
    PDEVICE_OBJECT belowControl;
    PDEVICE_OBJECT onVolume;
    PDEVICE_OBJECT onControl;
    PDEVICE_OBJECT found;
    IO_STACK_LOCATION parameters = {0};
    LARGE_INTEGER interval;
    ULONG devices;
    ULONG waited;
    ULONG64 rule;
    HANDLE file;
    LONG before;

    LoadDisk(L"TestDisk");
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    onVolume = AttachOther(TestFileSystem.VolumeDevice, &belowVolume);
    onControl = AttachOther(TestFileSystem.ControlDevice, &belowControl);
    LoadDriver();
    before = PsctxAttachments.Volumes;
    CHECK(onVolume->AttachedDevice != NULL && onVolume->AttachedDevice->DriverObject == Driver);
    CHECK(onControl->AttachedDevice != NULL && onControl->AttachedDevice->DriverObject == Driver);
    devices = CountDevices();
    found = Top(TestFileSystem.VolumeDevice);
    IoDetachDevice(belowVolume);
    IoDeleteDevice(onVolume);
    parameters.MajorFunction = IRP_MJ_QUERY_EA;
    CHECK_STATUS(STATUS_SUCCESS + IRP_MJ_QUERY_EA, SendIrp(found, &parameters, NULL));
    IoDetachDevice(belowControl);
    IoDeleteDevice(onControl);
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    CHECK(PsctxAttachments.Volumes == before);
    interval.QuadPart = -10 * 10000;
    for (waited = 0; CountDevices() == devices + 2 && waited < 300; waited += 1) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK_STATUS(STATUS_SUCCESS + IRP_MJ_QUERY_EA, SendIrp(found, &parameters, NULL));

    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(Statistics().SessionContexts == 1);
    Close(file);
    Close(Session);
    Session = NULL;
    TestFileSystemDismount();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    Close(file);
    WaitForDevices(devices + 1); /* the volume's have gone, the control device's wait for that one */
}

/* A file system that comes and goes, whatever others do. */
static VOID MeetAnotherFileSystem(VOID)
{
    PDEVICE_OBJECT control;

    CHECK_STATUS(STATUS_SUCCESS, IoCreateDevice(TestFileSystem.DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0,
                                                FALSE, &control));
    control->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    IoRegisterFileSystem(control);
    CHECK(CountAttached(control) == 1);
    IoUnregisterFileSystem(control);
    IoDeleteDevice(control);
}

/* The same on a kernel that does not say so: what is attached to is gone, and the stack below is there. */
static VOID StaysWhenAFilterBelowGoesSilently(VOID)
{
    PDEVICE_OBJECT below;
    PDEVICE_OBJECT other;
    ULONG round;
    HANDLE file;

    LoadDisk(L"TestDisk");
    HostSetQuirks(HOST_QUIRK_SILENT_DELETION);
    for (round = 0; round < 3; round += 1) {
        LoadFileSystem();
        other = AttachOther(TestFileSystem.ControlDevice, &below);
        LoadDriver();
        CHECK(other->AttachedDevice != NULL && other->AttachedDevice->DriverObject == Driver);
        IoDetachDevice(below);
        IoDeleteDevice(other);
        if (round == 0) {
            TestFileSystemUnregister();
            TestFileSystemRegister();
            CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
            CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
            CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
            Close(file);
            TestFileSystemDismount();
        } else if (round == 1) {
            CHECK(CountAttached(TestFileSystem.ControlDevice) == 0);
            MeetAnotherFileSystem();
            CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
        }
        UnloadDriver();
        UnloadFileSystem();
    }
    HostSetQuirks(0);
}

/* What is on its way through a device comes back through the driver, however long that takes. */
static VOID KeepsDevicesWhileRequestsAreBelow(VOID)
{
    volatile LONG status = STATUS_PENDING;
    LARGE_INTEGER interval;
    HANDLE thread;
    ULONG before;

    LoadDriver();
    LoadFileSystem();
    before = CountDevices();
    TestFileSystem.Delay = -2500 * 10000;
    CHECK_STATUS(STATUS_SUCCESS,
                 PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, SendSlowRequestOnThread, (PVOID)&status));
    interval.QuadPart = -10000;
    while (ReadAcquire(&TestFileSystem.Requests[IRP_MJ_QUERY_EA]) == 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    TestFileSystemUnregister();
    while (ReadAcquire(&status) == STATUS_PENDING) {
        const ULONG count = CountDevices();

        CHECK(count == before || ReadAcquire(&status) != STATUS_PENDING);
        KeDelayExecutionThread(KernelMode, FALSE, &interval);
    }
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
    WaitForDevices(before - 1);
}

/* Pass-through. */

static VOID PassesEveryMajorFunction(VOID)
{
    IO_STACK_LOCATION parameters;
    PDEVICE_OBJECT top;
    UCHAR major;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    top = Top(TestFileSystem.VolumeDevice);
    CHECK(top != TestFileSystem.VolumeDevice);
    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        if (major == IRP_MJ_CREATE || major == IRP_MJ_READ || major == IRP_MJ_CLEANUP || major == IRP_MJ_CLOSE ||
            major == IRP_MJ_FILE_SYSTEM_CONTROL) {
            continue; /* they have tests of their own */
        }
        memset(&parameters, 0, sizeof(parameters));
        parameters.MajorFunction = major;
        parameters.MinorFunction = (UCHAR)(major + 1);
        parameters.Flags = (UCHAR)(major + 2);
        parameters.Parameters.Others.Argument1 = (PVOID)(ULONG_PTR)(major + 3u);
        parameters.Parameters.Others.Argument4 = (PVOID)(ULONG_PTR)(major + 4u);
        TestFileSystem.Requests[major] = 0;
        CHECK_STATUS(STATUS_SUCCESS + major, SendIrp(top, &parameters, &parameters));
        CHECK(TestFileSystem.Requests[major] == 1);
        CHECK(TestFileSystem.Location.DeviceObject == TestFileSystem.VolumeDevice);
        CHECK(memcmp(&TestFileSystem.Location, &parameters, FIELD_OFFSET(IO_STACK_LOCATION, Control)) == 0);
        CHECK(memcmp(&TestFileSystem.Location.Parameters, &parameters.Parameters, sizeof(parameters.Parameters)) == 0);
        CHECK(TestFileSystem.UserBuffer == &parameters);
    }
}

static VOID PassesFileSystemControls(VOID)
{
    IO_STACK_LOCATION parameters = {0};

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    parameters.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    parameters.MinorFunction = IRP_MN_USER_FS_REQUEST;
    parameters.Parameters.FileSystemControl.FsControlCode = FSCTL_IS_VOLUME_MOUNTED;
    CHECK_STATUS(STATUS_INVALID_DEVICE_REQUEST, SendIrp(Top(TestFileSystem.VolumeDevice), &parameters, NULL));
    CHECK(TestFileSystem.Location.Parameters.FileSystemControl.FsControlCode == FSCTL_IS_VOLUME_MOUNTED);
    CHECK_STATUS(STATUS_INVALID_DEVICE_REQUEST, SendIrp(Top(TestFileSystem.ControlDevice), &parameters, NULL));
    CHECK(TestFileSystem.Location.DeviceObject == TestFileSystem.ControlDevice);
}

/* Minor functions have the same numbers in other major functions, and mean nothing to a volume. */
static VOID KnowsMountsByBothTheirFunctions(VOID)
{
    static const UCHAR minors[] = {IRP_MN_MOUNT_VOLUME, IRP_MN_LOAD_FILE_SYSTEM};
    ULONG index;

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    for (index = 0; index < RTL_NUMBER_OF(minors); index += 1) {
        IO_STACK_LOCATION parameters = {0};

        parameters.MajorFunction = IRP_MJ_DIRECTORY_CONTROL;
        parameters.MinorFunction = minors[index];
        CHECK_STATUS(STATUS_SUCCESS + IRP_MJ_DIRECTORY_CONTROL,
                     SendIrp(Top(TestFileSystem.ControlDevice), &parameters, NULL));
        CHECK(TestFileSystem.Location.MinorFunction == minors[index]);
        CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
    }
    TestFileSystem.LoadStatus = STATUS_SUCCESS;
    for (index = 0; index < RTL_NUMBER_OF(minors); index += 1) {
        IO_STACK_LOCATION parameters = {0};

        parameters.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
        parameters.MinorFunction = minors[index];
        parameters.Parameters.MountVolume.Vpb = TestFileSystem.Disk->Vpb;
        parameters.Parameters.MountVolume.DeviceObject = TestFileSystem.Disk;
        (VOID) SendIrp(Top(TestFileSystem.VolumeDevice), &parameters, NULL);
        CHECK(TestFileSystem.Location.MinorFunction == minors[index]);
        CHECK(CountAttached(TestFileSystem.VolumeDevice) == 1);
    }
}

/* Where it has to be asked whether the recognizer is still there, and there is no memory for that, the request goes past as it is. */
static VOID PassesLoadsThatItCannotLeaveTheStackFor(VOID)
{
    ULONG64 countdown;
    ULONG stayed = 0;

    HostSetQuirks(HOST_QUIRK_SILENT_DELETION);
    LoadDriver();
    LoadFileSystem();
    TestFileSystem.LoadStatus = STATUS_IMAGE_ALREADY_LOADED;
    for (countdown = 2; countdown < 8; countdown += 1) { /* the first is for the request */
        CHECK(CountAttached(TestFileSystem.ControlDevice) == 1);
        HostFailAllocation(countdown);
        CHECK_STATUS(STATUS_IMAGE_ALREADY_LOADED, SendLoad());
        HostFailAllocation(0);
        CHECK(TestFileSystem.Location.MinorFunction == IRP_MN_LOAD_FILE_SYSTEM);
        TestFileSystem.Location.MinorFunction = 0;
        stayed += CountAttached(TestFileSystem.ControlDevice);
        TestFileSystemUnregister();
        TestFileSystemRegister();
    }
    CHECK(stayed != 0 && stayed < 6);
    HostSetQuirks(0);
}

static VOID PassesPendingRequests(VOID)
{
    IO_STACK_LOCATION parameters = {0};

    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    TestFileSystem.Pends = TRUE;
    parameters.MajorFunction = IRP_MJ_READ;
    CHECK_STATUS(STATUS_END_OF_FILE, SendIrp(Top(TestFileSystem.VolumeDevice), &parameters, NULL));
}

static VOID PassesDataByteForByte(VOID)
{
    static UCHAR written[200000];
    static UCHAR read[sizeof(written)];
    LARGE_INTEGER offset;
    IO_STATUS_BLOCK ioStatus;
    HANDLE file;
    ULONG index;

    LoadDriver();
    CHECK_STATUS(STATUS_SUCCESS, HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL));
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\M:\\data", &file));
    CHECK(PsctxAttachments.Volumes == 1);
    for (index = 0; index < sizeof(written); index += 1) {
        written[index] = (UCHAR)(index * 31u + index / 251u);
    }
    offset.QuadPart = 0;
    CHECK_STATUS(STATUS_SUCCESS,
                 NtWriteFile(file, NULL, NULL, NULL, &ioStatus, written, sizeof(written), &offset, NULL));
    CHECK_STATUS(STATUS_SUCCESS, NtReadFile(file, NULL, NULL, NULL, &ioStatus, read, sizeof(read), &offset, NULL));
    CHECK(ioStatus.Information == sizeof(read));
    CHECK(memcmp(written, read, sizeof(read)) == 0);
    Close(file);
    CHECK_STATUS(STATUS_SUCCESS, HostDismountVolume(L'M'));
    CHECK(PsctxAttachments.Volumes == 0);
}

/* Fast I/O. */

#define FILE_ARGUMENT ((PFILE_OBJECT)1)
#define OFFSET_ARGUMENT ((PLARGE_INTEGER)2)
#define STATUS_ARGUMENT ((PIO_STATUS_BLOCK)5)

/* Calls an entry of the driver's table with the arguments that the test file system expects. */
static BOOLEAN CallFastIo(ULONG Entry, PDEVICE_OBJECT Device)
{
    const PFAST_IO_DISPATCH table = Driver->FastIoDispatch;

    switch (Entry) {
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoCheckIfPossible):
        return table->FastIoCheckIfPossible(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, TRUE, 4, TRUE, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoRead):
        return table->FastIoRead(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, TRUE, 4, (PVOID)6, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWrite):
        return table->FastIoWrite(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, TRUE, 4, (PVOID)6, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryBasicInfo):
        return table->FastIoQueryBasicInfo(FILE_ARGUMENT, TRUE, (PFILE_BASIC_INFORMATION)6, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryStandardInfo):
        return table->FastIoQueryStandardInfo(FILE_ARGUMENT, TRUE, (PFILE_STANDARD_INFORMATION)6, STATUS_ARGUMENT,
                                              Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoLock):
        return table->FastIoLock(FILE_ARGUMENT, OFFSET_ARGUMENT, (PLARGE_INTEGER)3, (PEPROCESS)7, 4, TRUE, TRUE,
                                 STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockSingle):
        return table->FastIoUnlockSingle(FILE_ARGUMENT, OFFSET_ARGUMENT, (PLARGE_INTEGER)3, (PEPROCESS)7, 4,
                                         STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockAll):
        return table->FastIoUnlockAll(FILE_ARGUMENT, (PEPROCESS)7, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockAllByKey):
        return table->FastIoUnlockAllByKey(FILE_ARGUMENT, (PVOID)7, 4, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDeviceControl):
        return table->FastIoDeviceControl(FILE_ARGUMENT, TRUE, (PVOID)6, 3, (PVOID)7, 4, 8, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryNetworkOpenInfo):
        return table->FastIoQueryNetworkOpenInfo(FILE_ARGUMENT, TRUE, (PFILE_NETWORK_OPEN_INFORMATION)6,
                                                 STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, MdlRead):
        return table->MdlRead(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, 4, (PMDL *)9, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, MdlReadComplete):
        return table->MdlReadComplete(FILE_ARGUMENT, (PMDL)9, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, PrepareMdlWrite):
        return table->PrepareMdlWrite(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, 4, (PMDL *)9, STATUS_ARGUMENT, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, MdlWriteComplete):
        return table->MdlWriteComplete(FILE_ARGUMENT, OFFSET_ARGUMENT, (PMDL)9, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoReadCompressed):
        return table->FastIoReadCompressed(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, 4, (PVOID)6, (PMDL *)9, STATUS_ARGUMENT,
                                           (PVOID)7, 8, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWriteCompressed):
        return table->FastIoWriteCompressed(FILE_ARGUMENT, OFFSET_ARGUMENT, 3, 4, (PVOID)6, (PMDL *)9, STATUS_ARGUMENT,
                                            (PVOID)7, 8, Device);
    case FIELD_OFFSET(FAST_IO_DISPATCH, MdlReadCompleteCompressed):
        return table->MdlReadCompleteCompressed(FILE_ARGUMENT, (PMDL)9, Device);
    default:
        return table->MdlWriteCompleteCompressed(FILE_ARGUMENT, OFFSET_ARGUMENT, (PMDL)9, Device);
    }
}

/* The entries that pass through and have no IRP. */
static const ULONG FastIoEntries[] = {
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoCheckIfPossible),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoRead),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWrite),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryBasicInfo),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryStandardInfo),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoLock),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockSingle),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockAll),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockAllByKey),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDeviceControl),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryNetworkOpenInfo),
    FIELD_OFFSET(FAST_IO_DISPATCH, MdlRead),
    FIELD_OFFSET(FAST_IO_DISPATCH, MdlReadComplete),
    FIELD_OFFSET(FAST_IO_DISPATCH, PrepareMdlWrite),
    FIELD_OFFSET(FAST_IO_DISPATCH, MdlWriteComplete),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoReadCompressed),
    FIELD_OFFSET(FAST_IO_DISPATCH, FastIoWriteCompressed),
    FIELD_OFFSET(FAST_IO_DISPATCH, MdlReadCompleteCompressed),
    FIELD_OFFSET(FAST_IO_DISPATCH, MdlWriteCompleteCompressed),
};

static BOOLEAN ReachesBelow(ULONG Entry, PDEVICE_OBJECT Filter)
{
    TestFileSystem.FastIoEntry = 0;
    return CallFastIo(Entry, Filter) && TestFileSystem.FastIoEntry == Entry &&
           TestFileSystem.FastIoDevice == TestFileSystem.ControlDevice;
}

static VOID PassesFastIo(VOID)
{
    PDEVICE_OBJECT filter;
    ULONG index;

    LoadDriver();
    LoadFileSystem();
    filter = Top(TestFileSystem.ControlDevice);
    for (index = 0; index < RTL_NUMBER_OF(FastIoEntries); index += 1) {
        const ULONG entry = FastIoEntries[index];
        PVOID *slot = (PVOID *)((PUCHAR)&TestFastIoDispatch + entry);
        const PVOID routine = *slot;

        CHECK(ReachesBelow(entry, filter));
        TestFileSystem.FastIoAnswer = FALSE;
        CHECK(!CallFastIo(entry, filter) && TestFileSystem.FastIoEntry == entry);
        TestFileSystem.FastIoAnswer = TRUE;

        *slot = NULL;
        CHECK(!CallFastIo(entry, filter));
        *slot = routine;

        TestFastIoDispatch.SizeOfFastIoDispatch = entry + (ULONG)sizeof(PVOID) - 1;
        CHECK(!CallFastIo(entry, filter));
        TestFastIoDispatch.SizeOfFastIoDispatch = entry + (ULONG)sizeof(PVOID);
        CHECK(ReachesBelow(entry, filter));
        TestFastIoDispatch.SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH);

        TestFileSystem.DriverObject->FastIoDispatch = NULL;
        CHECK(!CallFastIo(entry, filter));
        TestFileSystem.DriverObject->FastIoDispatch = &TestFastIoDispatch;

        CHECK(!CallFastIo(entry, PsctxGlobals.ControlDevice));
    }
}

/* Whether the entry that was called reached the file system, for this device. */
static BOOLEAN ReachedEntry(ULONG Entry, PDEVICE_OBJECT Device)
{
    const BOOLEAN reached = TestFileSystem.FastIoEntry == Entry && TestFileSystem.FastIoDevice == Device;

    TestFileSystem.FastIoEntry = 0;
    return reached;
}

/* A kernel that asks the topmost driver's table may name the file system's device to it, or none. */
static VOID PassesFileAcquisition(VOID)
{
    const ULONG section = FIELD_OFFSET(FAST_IO_DISPATCH, AcquireFileForNtCreateSection);
    LARGE_INTEGER offset = {0};
    PDEVICE_OBJECT named[2];
    PFAST_IO_DISPATCH table;
    PFILE_OBJECT file;
    PERESOURCE resource;
    PDEVICE_OBJECT volume;
    HANDLE handle;
    ULONG index;

    HostSetQuirks(HOST_QUIRK_VERSION_52);
    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    table = Driver->FastIoDispatch;
    file = OpenFileObject(&handle);
    volume = TestFileSystem.VolumeDevice;
    named[0] = volume;
    named[1] = Top(volume);
    CHECK(named[1]->DriverObject == Driver);

    table->AcquireFileForNtCreateSection(file);
    CHECK(ReachedEntry(section, NULL));
    table->ReleaseFileForNtCreateSection(file);
    CHECK(ReachedEntry(FIELD_OFFSET(FAST_IO_DISPATCH, ReleaseFileForNtCreateSection), NULL));
    for (index = 0; index < RTL_NUMBER_OF(named); index += 1) {
        CHECK_STATUS(STATUS_SUCCESS, table->AcquireForModWrite(file, &offset, &resource, named[index]));
        CHECK(resource == (PERESOURCE)&offset);
        CHECK(ReachedEntry(FIELD_OFFSET(FAST_IO_DISPATCH, AcquireForModWrite), volume));
        CHECK_STATUS(STATUS_SUCCESS, table->ReleaseForModWrite(file, resource, named[index]));
        CHECK(ReachedEntry(FIELD_OFFSET(FAST_IO_DISPATCH, ReleaseForModWrite), volume));
        CHECK_STATUS(STATUS_SUCCESS, table->AcquireForCcFlush(file, named[index]));
        CHECK(ReachedEntry(FIELD_OFFSET(FAST_IO_DISPATCH, AcquireForCcFlush), volume));
        TestFileSystem.FastIoAnswer = FALSE;
        CHECK_STATUS(STATUS_UNSUCCESSFUL, table->ReleaseForCcFlush(file, named[index]));
        TestFileSystem.FastIoAnswer = TRUE;
        CHECK(ReachedEntry(FIELD_OFFSET(FAST_IO_DISPATCH, ReleaseForCcFlush), volume));
    }
    ObDereferenceObject(file);
    HostSetQuirks(0);
    Close(handle);
}

/* The file system has none of these entries: what the kernel does by itself is done. */
static VOID AcquiresFilesAsTheKernelWould(VOID)
{
    LARGE_INTEGER offset = {0};
    PFAST_IO_DISPATCH table;
    PFILE_OBJECT file;
    PERESOURCE released = NULL;
    ERESOURCE resource;
    HANDLE handle;

    HostSetQuirks(HOST_QUIRK_VERSION_52);
    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    table = Driver->FastIoDispatch;
    file = OpenFileObject(&handle);
    TestFastIoDispatch.SizeOfFastIoDispatch = FIELD_OFFSET(FAST_IO_DISPATCH, AcquireFileForNtCreateSection);
    CHECK_STATUS(STATUS_INVALID_DEVICE_REQUEST,
                 table->AcquireForModWrite(file, &offset, &released, TestFileSystem.VolumeDevice));
    CHECK_STATUS(STATUS_INVALID_DEVICE_REQUEST, table->ReleaseForModWrite(file, released, TestFileSystem.VolumeDevice));
    CHECK_STATUS(STATUS_INVALID_DEVICE_REQUEST, table->AcquireForCcFlush(file, TestFileSystem.VolumeDevice));
    CHECK_STATUS(STATUS_INVALID_DEVICE_REQUEST, table->ReleaseForCcFlush(file, TestFileSystem.VolumeDevice));

    table->AcquireFileForNtCreateSection(file); /* without a resource there is nothing to take */
    table->ReleaseFileForNtCreateSection(file);
    CHECK_STATUS(STATUS_SUCCESS, ExInitializeResourceLite(&resource));
    TestFileSystem.Header.Resource = &resource;
    KeEnterCriticalRegion();
    table->AcquireFileForNtCreateSection(file);
    CHECK(ExIsResourceAcquiredExclusiveLite(&resource));
    table->ReleaseFileForNtCreateSection(file);
    CHECK(!ExIsResourceAcquiredExclusiveLite(&resource));
    KeLeaveCriticalRegion();
    TestFileSystem.Header.Resource = NULL;
    CHECK_STATUS(STATUS_SUCCESS, ExDeleteResourceLite(&resource));
    TestFastIoDispatch.SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH);
    CHECK(TestFileSystem.FastIoEntry == 0);
    ObDereferenceObject(file);
    HostSetQuirks(0);
    Close(handle);
}

/*
 * A kernel that asks the topmost driver, with file systems that have both halves of what acquires a file as entries, one of them, or
 * none: what the driver below acquires is what it releases.
 */
static VOID ReleasesFilesAsTheyWereAcquired(VOID)
{
    static const ULONG quirks[] = {0, HOST_QUIRK_CALLBACKS_ACQUIRE, HOST_QUIRK_CALLBACKS_RELEASE,
                                   HOST_QUIRK_CALLBACKS_ACQUIRE | HOST_QUIRK_CALLBACKS_RELEASE};
    PFSRTL_COMMON_FCB_HEADER header;
    PFILE_OBJECT file;
    HOST_AUDIT audit;
    HANDLE handle;
    PVOID object;
    ULONG index;
    ULONG purpose;

    HostSetQuirks(HOST_QUIRK_VERSION_52);
    LoadDriver();
    CHECK_STATUS(STATUS_SUCCESS, HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL));
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\M:\\file", &handle));
    CHECK_STATUS(STATUS_SUCCESS, ObReferenceObjectByHandle(handle, 0, *IoFileObjectType, UserMode, &object, NULL));
    file = object;
    header = file->FsContext;
    for (index = 0; index < RTL_NUMBER_OF(quirks); index += 1) {
        HostSetQuirks(HOST_QUIRK_VERSION_52 | HOST_QUIRK_TOPMOST_ACQUIRES | quirks[index]);
        for (purpose = HostForSection; purpose <= HostForCacheFlush; purpose += 1) {
            PERESOURCE resource;

            CHECK_STATUS(STATUS_SUCCESS, HostAcquireFile(file, (HOST_ACQUISITION)purpose, &resource));
            /* The file system takes both resources; the kernel, but for a flush, one of them. */
            HostAudit(&audit);
            CHECK(audit.Locks == (quirks[index] == 0 || purpose == HostForCacheFlush ? 2 : 1));
            CHECK((BOOLEAN)ExIsResourceAcquiredExclusiveLite(header->PagingIoResource) == (quirks[index] == 0));
            HostReleaseFile(file, (HOST_ACQUISITION)purpose, resource);
            HostAudit(&audit);
            CHECK(audit.Locks == 0);
        }
    }
    HostSetQuirks(0);
    ObDereferenceObject(file);
    Close(handle);
    CHECK_STATUS(STATUS_SUCCESS, HostDismountVolume(L'M'));
}

#define COMINGS_AND_GOINGS 5000u

/* A device of another filter's, for as long as it takes to attach it to a volume that this driver leaves alone. */
static VOID ComeAndGoOnThread(PVOID Context)
{
    PDEVICE_OBJECT device;
    PDEVICE_OBJECT below;
    ULONG round;

    for (round = 0; round < COMINGS_AND_GOINGS; round += 1) {
        CHECK_STATUS(STATUS_SUCCESS,
                     IoCreateDevice(DiskDriver, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &device));
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        CHECK_STATUS(STATUS_SUCCESS, IoAttachDeviceToDeviceStackSafe(device, TestFileSystem.VolumeDevice, &below));
        IoDetachDevice(below);
        IoDeleteDevice(device);
    }
    InterlockedExchange((volatile LONG *)Context, TRUE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID FollowsNoDevicesThatComeAndGo(VOID)
{
    volatile LONG gone = FALSE;
    LARGE_INTEGER offset = {0};
    PFAST_IO_DISPATCH table;
    PERESOURCE resource;
    PFILE_OBJECT file;
    HANDLE handle;
    HANDLE thread;

    HostSetQuirks(HOST_QUIRK_VERSION_52);
    LoadDisk(L"VolSnap");
    LoadDriver();
    LoadFileSystem();
    table = Driver->FastIoDispatch;
    file = OpenFileObject(&handle);
    CHECK(CountAttached(TestFileSystem.VolumeDevice) == 0);
    CHECK_STATUS(STATUS_SUCCESS, PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, ComeAndGoOnThread, (PVOID)&gone));
    while (ReadAcquire(&gone) == 0) {
        table->AcquireFileForNtCreateSection(file);
        table->ReleaseFileForNtCreateSection(file);
        CHECK_STATUS(STATUS_SUCCESS, table->AcquireForModWrite(file, &offset, &resource, TestFileSystem.VolumeDevice));
        CHECK_STATUS(STATUS_SUCCESS, table->ReleaseForModWrite(file, resource, TestFileSystem.VolumeDevice));
    }
    CHECK_STATUS(STATUS_SUCCESS, ZwWaitForSingleObject(thread, FALSE, NULL));
    CHECK_STATUS(STATUS_SUCCESS, ZwClose(thread));
    HostSetQuirks(0);
    ObDereferenceObject(file);
    Close(handle);
}

/* A kernel since version 6 asks nobody but the file system. */
static VOID HasNoEntriesThatNobodyCalls(VOID)
{
    LoadDriver();
    CHECK(Driver->FastIoDispatch->AcquireFileForNtCreateSection == NULL);
    CHECK(Driver->FastIoDispatch->ReleaseFileForNtCreateSection == NULL);
    CHECK(Driver->FastIoDispatch->AcquireForModWrite == NULL);
    CHECK(Driver->FastIoDispatch->ReleaseForModWrite == NULL);
    CHECK(Driver->FastIoDispatch->AcquireForCcFlush == NULL);
    CHECK(Driver->FastIoDispatch->ReleaseForCcFlush == NULL);
    CHECK(Driver->FastIoDispatch->FastIoDetachDevice != NULL);
}

static VOID NamesTheLowerDeviceInQueryOpen(VOID)
{
    const PFILE_NETWORK_OPEN_INFORMATION information = (PFILE_NETWORK_OPEN_INFORMATION)6;
    PDEVICE_OBJECT filter;
    PIRP irp;

    LoadDriver();
    LoadFileSystem();
    filter = Top(TestFileSystem.ControlDevice);
    irp = IoAllocateIrp(filter->StackSize, FALSE);
    if (!CHECK(irp != NULL)) {
        return;
    }
    IoSetNextIrpStackLocation(irp);
    IoGetCurrentIrpStackLocation(irp)->DeviceObject = filter;
    CHECK(Driver->FastIoDispatch->FastIoQueryOpen(irp, information, filter));
    CHECK(TestFileSystem.QueryOpenDevice == TestFileSystem.ControlDevice);
    CHECK(TestFileSystem.FastIoDevice == TestFileSystem.ControlDevice);
    CHECK(IoGetCurrentIrpStackLocation(irp)->DeviceObject == filter);

    TestFileSystem.FastIoAnswer = FALSE;
    CHECK(!Driver->FastIoDispatch->FastIoQueryOpen(irp, information, filter));
    CHECK(IoGetCurrentIrpStackLocation(irp)->DeviceObject == filter);
    TestFastIoDispatch.FastIoQueryOpen = NULL;
    CHECK(!Driver->FastIoDispatch->FastIoQueryOpen(irp, information, filter));
    CHECK(!Driver->FastIoDispatch->FastIoQueryOpen(irp, information, PsctxGlobals.ControlDevice));
    IoFreeIrp(irp);
}

/* Tracking. */

/* Loads everything, mounts the test volume and opens a session. */
static VOID StartTracked(VOID)
{
    LoadDisk(L"TestDisk");
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, SendMount());
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
}

static VOID EndSession(VOID)
{
    Close(Session);
    Session = NULL;
}

static VOID InsertsOneContextForAMatchingOpen(VOID)
{
    ULONG64 rule;
    HANDLE first;
    HANDLE second;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*\\file.TXT", &rule));
    CHECK(rule != 0);
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &first));
    CHECK(HasTrackedContext(first, L"\\File.txt"));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &second));
    CHECK(HasTrackedContext(second, L"\\File.txt"));
    CHECK(Statistics().SessionInserted == 1);
    Close(first);
    CHECK(HasTrackedContext(second, L"\\File.txt"));
    Close(second);
    CHECK(TestFileSystem.Teardowns == 1);
    CHECK(Statistics().SessionTornDown == 1);
    CHECK(Statistics().SessionContexts == 0);
    EndSession();
}

static VOID WaitsForACreateThatPends(VOID)
{
    ULONG64 rule;
    HANDLE file;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    TestFileSystem.Pends = TRUE;
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(HasTrackedContext(file, L"\\File.txt"));
    Close(file);
    TestFileSystem.CreateStatus = STATUS_ACCESS_DENIED;
    CHECK_STATUS(STATUS_ACCESS_DENIED, Open(TEST_FILE, &file));
    CHECK(Statistics().SessionInserted == 1);
    EndSession();
}

static VOID NamesStreamsAndRelativeFiles(VOID)
{
    ULONG64 rule;
    HANDLE directory;
    HANDLE file;
    HANDLE stream;

    LoadDriver();
    CHECK_STATUS(STATUS_SUCCESS, HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL));
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS, OpenRelative(L"\\??\\M:\\folder", NULL, FILE_CREATE, FILE_DIRECTORY_FILE, &directory));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"\\folder\\*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, OpenRelative(L"inner.txt", directory, FILE_CREATE, 0, &file));
    CHECK(HasTrackedContext(file, L"\\folder\\inner.txt"));
    CHECK_STATUS(STATUS_SUCCESS, OpenRelative(L"\\??\\M:\\folder\\inner.txt:notes", NULL, FILE_CREATE, 0, &stream));
    CHECK(HasTrackedContext(stream, L"\\folder\\inner.txt:notes"));
    CHECK(HasTrackedContext(file, L"\\folder\\inner.txt"));
    Close(stream);
    Close(file);
    Close(directory);
    EndSession();
    CHECK_STATUS(STATUS_SUCCESS, HostDismountVolume(L'M'));
}

static VOID NamesStreamsOpenedRelativeToTheirFile(VOID)
{
    ULONG64 rule;
    HANDLE file;
    HANDLE stream;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"\\File.txt:*", &rule));
    TestFileSystem.Name = L"\\File.txt:notes";
    CHECK_STATUS(STATUS_SUCCESS, OpenRelative(L":notes", file, FILE_OPEN_IF, 0, &stream));
    CHECK(HasTrackedContext(stream, L"\\File.txt:notes"));
    Close(stream);
    Close(file);
    EndSession();
}

static VOID TracksOnlyOpensOfStreams(VOID)
{
    ULONG64 rule;
    HANDLE volume;
    HANDLE file;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, SendCreate(file, SL_OPEN_PAGING_FILE, 0));
    CHECK_STATUS(STATUS_SUCCESS, SendCreate(file, SL_OPEN_TARGET_DIRECTORY, 0));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_DISK, &volume));
    TestFileSystem.CreateStatus = STATUS_REPARSE;
    CHECK_STATUS(STATUS_REPARSE, SendCreate(file, 0, 0));
    TestFileSystem.CreateStatus = STATUS_OBJECT_NAME_NOT_FOUND;
    CHECK_STATUS(STATUS_OBJECT_NAME_NOT_FOUND, SendCreate(file, 0, 0));
    CHECK(Statistics().SessionInserted == 0);
    TestFileSystem.CreateStatus = OPENED_WITH_OPLOCK_BREAK;
    CHECK_STATUS(OPENED_WITH_OPLOCK_BREAK, SendCreate(file, 0, 0));
    CHECK(Statistics().SessionInserted == 1);
    CHECK(HasTrackedContext(file, L"\\File.txt"));
    Close(volume);
    Close(file);
    EndSession();
}

static VOID TracksARedirectorsFiles(VOID)
{
    ULONG64 rule;
    HANDLE file;

    TestFileSystem.DeviceType = FILE_DEVICE_NETWORK_FILE_SYSTEM;
    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"\\server\\share\\*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_CONTROL_DEVICE L"\\server\\share\\file", &file));
    CHECK(HasTrackedContext(file, L"\\server\\share\\file"));
    Close(file);
    EndSession();
}

static VOID TracksNothingOnAControlDevice(VOID)
{
    ULONG64 rule;
    HANDLE file;

    LoadDriver();
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_CONTROL_DEVICE L"\\file", &file));
    CHECK(Statistics().SessionInserted == 0);
    Close(file);
    EndSession();
}

static VOID OpensStreamsThatTakeNoContexts(VOID)
{
    ULONG64 rule;
    HANDLE file;

    TestFileSystem.LosesContexts = TRUE;
    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(Statistics().SessionInserted == 0);
    Close(file);
    EndSession();
}

static VOID StopsTrackingWhenToldTo(VOID)
{
    ULONG64 rule;
    ULONG64 other;
    HANDLE session;
    HANDLE file;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &session));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Track(session, L"none", &other));
    CHECK(other > rule);
    CHECK_STATUS(STATUS_NOT_FOUND, Untrack(session, rule));
    CHECK_STATUS(STATUS_NOT_FOUND, Untrack(Session, other));
    CHECK_STATUS(STATUS_NOT_FOUND, Untrack(Session, 0));
    CHECK_STATUS(STATUS_SUCCESS, Untrack(Session, rule));
    CHECK_STATUS(STATUS_NOT_FOUND, Untrack(Session, rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(Statistics().SessionInserted == 0);
    CHECK(PsctxListening.Opens != 0);
    Close(session);
    CHECK(PsctxListening.Opens == 0);
    Close(file);
    EndSession();
}

static VOID EndSessionHook(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);

    TestFileSystem.Hook = NULL;
    EndSession();
}

static VOID InsertsNothingForASessionThatEndsMeanwhile(VOID)
{
    ULONG64 rule;
    HANDLE file;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    TestFileSystem.Hook = EndSessionHook;
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(Session == NULL && PsctxListening.Opens == 0);
    CHECK(FsRtlLookupPerStreamContext(&TestFileSystem.Header, NULL, NULL) == NULL);
    CHECK(HostAuditPool(PSCTX_TAG) != 0); /* the index; no session, no rule */
    CHECK(PsctxTotalAccount.Contexts == 0 && PsctxSessionCount == 0);
    Close(file);
}

static VOID UntrackHook(PVOID Context)
{
    TestFileSystem.Hook = NULL;
    CHECK_STATUS(STATUS_SUCCESS, Untrack(Session, *(PULONG64)Context));
}

static VOID InsertsNothingForARuleThatGoesMeanwhile(VOID)
{
    ULONG64 rule;
    HANDLE file;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    TestFileSystem.Hook = UntrackHook;
    TestFileSystem.HookContext = &rule;
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(FsRtlLookupPerStreamContext(&TestFileSystem.Header, NULL, NULL) == NULL);
    Close(file);
    EndSession();
}

static VOID OpenRepeatedly(PVOID Context)
{
    HANDLE file;
    ULONG round;

    UNREFERENCED_PARAMETER(Context);

    HostEnterProcess(Process);
    for (round = 0; round < 3; round += 1) {
        CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
        Close(file);
    }
    HostLeaveProcess();
}

static VOID TrackRepeatedly(PVOID Context)
{
    ULONG64 rule;
    ULONG round;

    UNREFERENCED_PARAMETER(Context);

    HostEnterProcess(Process);
    for (round = 0; round < 3; round += 1) {
        CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
        CHECK_STATUS(STATUS_SUCCESS, Untrack(Session, rule));
    }
    HostLeaveProcess();
}

static VOID EndSessionsRepeatedly(PVOID Context)
{
    HANDLE session;
    ULONG64 rule;
    ULONG round;

    UNREFERENCED_PARAMETER(Context);

    HostEnterProcess(Process);
    for (round = 0; round < 3; round += 1) {
        CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &session));
        CHECK_STATUS(STATUS_SUCCESS, Track(session, L"*", &rule));
        Close(session);
    }
    HostLeaveProcess();
}

static VOID SurvivesRacesOfCreatesRulesAndSessions(VOID)
{
    static const PHOST_ROUTINE routines[] = {OpenRepeatedly, OpenRepeatedly, TrackRepeatedly, EndSessionsRepeatedly};
    PVOID contexts[RTL_NUMBER_OF(routines)] = {NULL};
    ULONG64 seed;
    HANDLE file;

    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    for (seed = 1; seed <= 200 && Failures == 0; seed += 1) {
        HostLeaveProcess();
        HostRunSchedule(seed, RTL_NUMBER_OF(routines), routines, contexts);
        HostEnterProcess(Process);
        CHECK(PsctxListening.Opens == 0);
        CHECK(PsctxSessionCount == 1);
        CHECK(PsctxTotalAccount.Contexts == (LONG64)Statistics().SessionContexts);
    }
    CHECK(Statistics().SessionInserted != 0);
    Close(file);
    EndSession();
}

static VOID RefusesMalformedRules(VOID)
{
    TRACK_REQUEST request;
    ULONG64 rule;

    StartTracked();
    SetupTrack(&request, L"a*");
    request.Record.Flags = 2;
    CHECK_STATUS(STATUS_INVALID_PARAMETER, SendTrack(Session, &request, &rule));
    SetupTrack(&request, L"");
    CHECK_STATUS(STATUS_INVALID_PARAMETER, SendTrack(Session, &request, &rule));
    SetupTrack(&request, L"a*");
    request.Record.PatternLength = 3;
    CHECK_STATUS(STATUS_INVALID_PARAMETER, SendTrack(Session, &request, &rule));
    SetupTrack(&request, L"a*");
    request.Record.PatternLength = 2;
    CHECK_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendTrack(Session, &request, &rule));
    request.Record.PatternLength = 6;
    CHECK_STATUS(STATUS_INFO_LENGTH_MISMATCH, SendTrack(Session, &request, &rule));
    request.Record.PatternLength = 0xFFFFFFFEu;
    CHECK_STATUS(STATUS_INVALID_PARAMETER, SendTrack(Session, &request, &rule));
    request.Record.PatternLength = PSCTX_MAXIMUM_PATTERN_LENGTH + 2;
    CHECK_STATUS(STATUS_INVALID_PARAMETER, SendTrack(Session, &request, &rule));
    SetupTrack(&request, L"ab");
    request.Pattern[0] = 0;
    CHECK_STATUS(STATUS_INVALID_PARAMETER, SendTrack(Session, &request, &rule));
    CHECK(PsctxListening.Opens == 0);

    SetupTrack(&request, L"");
    memset(request.Pattern, 'a', sizeof(request.Pattern));
    request.Record.PatternLength = PSCTX_MAXIMUM_PATTERN_LENGTH;
    request.Record.Header.Size = (ULONG)sizeof(request.Record) + PSCTX_MAXIMUM_PATTERN_LENGTH;
    CHECK_STATUS(STATUS_SUCCESS, SendTrack(Session, &request, &rule));
    EndSession();
}

static VOID LimitsTheRulesOfASession(VOID)
{
    ULONG64 rule = 0;
    ULONG64 refused;
    HANDLE session;
    ULONG index;

    StartTracked();
    for (index = 0; index < PSCTX_MAXIMUM_RULES; index += 1) {
        CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"none", &rule));
    }
    CHECK_STATUS(STATUS_QUOTA_EXCEEDED, Track(Session, L"none", &refused));
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &session));
    CHECK_STATUS(STATUS_SUCCESS, Track(session, L"none", &refused));
    CHECK_STATUS(STATUS_SUCCESS, Untrack(Session, rule));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"none", &refused));
    Close(session);
    EndSession();
}

/* A context of another filter's, which is none of ours. */
static VOID FreeNothing(PVOID Buffer)
{
    UNREFERENCED_PARAMETER(Buffer);
}

static NTSTATUS InsertContext(HANDLE File, ULONG64 Instance, ULONG Lifetime)
{
    PSCTX_INSERT_REQUEST request = {0};
    PSCTX_INSERT_REPLY reply;

    request.Header.Size = sizeof(request);
    request.Header.Version = PSCTX_ABI_VERSION;
    request.Header.Operation = PSCTX_OPERATION_INSERT;
    request.Handle = (ULONG64)(ULONG_PTR)File;
    request.OwnerKey = OWNER;
    request.Instance = Instance;
    request.Lifetime = Lifetime;
    return Send(Session, PSCTX_IOCTL_INSERT, &request, sizeof(request), &reply, sizeof(reply));
}

/* A file system without teardown frees the header with its last file object: the contexts keep one. */
static VOID KeepsStreamsThatAreNeverTornDown(VOID)
{
    ULONG64 rule;
    HANDLE file;

    TestFileSystem.TearsNothingDown = TRUE;
    StartTracked();
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(Statistics().SessionContexts == 0);
    CHECK_STATUS(STATUS_SUCCESS, InsertContext(file, 1, PSCTX_LIFETIME_SESSION));
    CHECK_STATUS(STATUS_SUCCESS, InsertContext(file, 2, PSCTX_LIFETIME_STREAM));
    CHECK_STATUS(STATUS_OBJECT_NAME_COLLISION, InsertContext(file, 2, PSCTX_LIFETIME_STREAM));
    Close(file);
    CHECK(TestFileSystem.Opens == 1);
    CHECK(Statistics().SessionContexts == 2);

    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(TestFileSystem.Opens == 2);
    Close(file);
    CHECK(TestFileSystem.Opens == 1);
    EndSession();
    CHECK(TestFileSystem.Opens == 0);
    CHECK(IsListEmpty(&TestFileSystem.Header.FilterContexts));
    CHECK(PsctxTotalAccount.Contexts == 0);
}

static VOID LeavesOtherContextsOnTheStream(VOID)
{
    FSRTL_PER_STREAM_CONTEXT other;
    ULONG64 rule;
    HANDLE file;

    StartTracked();
    FsRtlInitPerStreamContext(&other, &other, NULL, FreeNothing);
    CHECK_STATUS(STATUS_SUCCESS, FsRtlInsertPerStreamContext(&TestFileSystem.Header, &other));
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    CHECK(HasTrackedContext(file, L"\\File.txt"));
    CHECK(FsRtlLookupPerStreamContext(&TestFileSystem.Header, &other, NULL) == &other);
    CHECK(FsRtlRemovePerStreamContext(&TestFileSystem.Header, &other, NULL) == &other);
    Close(file);
    EndSession();
}

/* A context that counts has its counters between its own record and its data, and they are told with it. */
static VOID TellsWhatAContextCounts(VOID)
{
    PSCTX_LIST_REQUEST request = {{sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_LIST}, 0, 0};
    PSCTX_INSERTION insertion = {
        .OwnerKey = OWNER, .Instance = INSTANCE, .Pool = PSCTX_POOL_NONPAGED, .Data = "four", .DataLength = 4};
    struct {
        PSCTX_LIST_REPLY Reply;
        PSCTX_LIST_ENTRY Entry;
        PSCTX_TRACKING Tracking;
        WCHAR Name[8];
    } reply;
    struct {
        PSCTX_CONTEXT_REPLY Reply;
        UCHAR Data[8];
    } found;
    PSCTX_MATCH_REQUEST match = {.OwnerKey = OWNER, .Match = PSCTX_MATCH_OWNER};
    const ULONG64 counts[] = {1, 2, 3, 4, 5, 6, 7, 1ull << 40};
    PPSCTX_CONTEXT context;
    PSCTX_STREAM stream;
    PFILE_OBJECT file;
    HANDLE handle;
    HANDLE control;
    PVOID object;
    ULONG64 sequence;
    ULONG outcome;

    StartTracked();
    file = OpenFileObject(&handle);
    CHECK(PsctxExamineStream(file, &stream) == PSCTX_SUPPORT_YES);
    control = Session;
    CHECK_STATUS(STATUS_SUCCESS, ObReferenceObjectByHandle(control, 0, *IoFileObjectType, UserMode, &object, NULL));
    insertion.Session = ((PFILE_OBJECT)object)->FsContext;
    insertion.Tracked = PSCTX_TRACKED_COUNTED;
    RtlInitUnicodeString(&insertion.Name, L"\\name");
    CHECK_STATUS(STATUS_SUCCESS, PsctxInsertContext(&stream, &insertion, &outcome, &sequence));
    CHECK(Statistics().SessionNonPagedBytes ==
          sizeof(PSCTX_CONTEXT) + sizeof(PSCTX_TRACKING) + 4 + insertion.Name.Length);
    context = CONTAINING_RECORD(TestFileSystem.Header.FilterContexts.Flink, PSCTX_CONTEXT, PerStreamContext.Links);
    memcpy(PsctxContextTracking(context), counts, sizeof(counts));

    request.Handle = (ULONG64)(ULONG_PTR)handle;
    CHECK_STATUS(STATUS_SUCCESS, Send(control, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply)));
    CHECK(reply.Reply.Count == 1 && reply.Entry.Tracked == PSCTX_TRACKED_COUNTED);
    CHECK(reply.Entry.Size == sizeof(reply.Entry) + sizeof(reply.Tracking) + 16 && reply.Entry.NameLength == 10);
    CHECK(memcmp(&reply.Tracking, counts, sizeof(counts)) == 0);
    CHECK(memcmp(reply.Name, L"\\name\0\0", 16) == 0);
    match.Header = (PSCTX_HEADER){sizeof(match), PSCTX_ABI_VERSION, PSCTX_OPERATION_REMOVE};
    match.Handle = (ULONG64)(ULONG_PTR)handle;
    CHECK_STATUS(STATUS_SUCCESS, Send(control, PSCTX_IOCTL_REMOVE, &match, sizeof(match), &found, sizeof(found)));
    CHECK(found.Reply.DataLength == 4 && memcmp(found.Data, "four", 4) == 0);
    CHECK(Statistics().SessionPagedBytes == 0);
    ObDereferenceObject(object);
    ObDereferenceObject(file);
    Close(handle);
    EndSession();
}

/* Expressions. */

static BOOLEAN Matches(PCWSTR Expression, PCWSTR Name)
{
    UNICODE_STRING expression;
    UNICODE_STRING name;

    RtlInitUnicodeString(&expression, Expression);
    RtlInitUnicodeString(&name, Name);
    return PsctxIsNameInExpression(&expression, &name);
}

static VOID MatchesAsDocumented(VOID)
{
    CHECK(Matches(L"ABC", L"abc"));
    CHECK(!Matches(L"ABC", L"abcd"));
    CHECK(!Matches(L"ABC", L"ab"));
    CHECK(Matches(L"*", L"anything"));
    CHECK(Matches(L"*.TXT", L"\\a\\b.c.txt"));
    CHECK(!Matches(L"*.TXT", L"b.txt2"));
    CHECK(Matches(L"A?C", L"abc"));
    CHECK(!Matches(L"A?C", L"ac"));
    CHECK(Matches(L"A\"C", L"a\"c")); /* which some servers' files are called */
    CHECK(Matches(L"A*B*C", L"a..b..b..c"));
    CHECK(Matches(L"<.TXT", L"a.b.txt"));
    CHECK(Matches(L"<", L"ab"));
    CHECK(!Matches(L"<", L"a.b"));
    CHECK(Matches(L"A<B", L"a.b"));
    CHECK(Matches(L"AB<EXE", L"abcd.exe"));
    CHECK(Matches(L"AB<EXE", L"ab.exe"));
    CHECK(Matches(L"AB<EXE", L"abcdexe"));
    CHECK(Matches(L"A.B<EXE", L"a.bcd.exe"));
    CHECK(!Matches(L"A<B.EXE", L"a.bcd.exe"));
    CHECK(!Matches(L"F<", L"file.txt"));
    CHECK(Matches(L"<", L"a."));
    CHECK(!Matches(L"*", L""));
    CHECK(!Matches(L"**", L""));
    CHECK(Matches(L"", L""));
    CHECK(Matches(L"AB>>>", L"abc"));
    CHECK(!Matches(L"AB>", L"abcd"));
    CHECK(Matches(L"AB>>.C", L"ab.c"));
    CHECK(Matches(L"AB\"", L"ab"));
    CHECK(Matches(L"AB\"C", L"ab.c"));
    CHECK(!Matches(L"AB\"C", L"abc"));
    CHECK(Matches(L"\x00C4*", L"\x00E4x"));
}

static VOID MatchesAsTheKernelDoes(VOID)
{
    static const WCHAR symbols[] = {L'A', L'B', L'.', L'*', L'?', L'<', L'>', L'"'};
    static const WCHAR characters[] = {L'a', L'B', L'.'};
    WCHAR expressionText[8];
    WCHAR nameText[8];
    UNICODE_STRING expression;
    UNICODE_STRING name;
    ULONG seed = 20031;
    ULONG differing = 0;
    ULONG round;
    USHORT index;

    expression.Buffer = expressionText;
    name.Buffer = nameText;
    for (round = 0; round < 200000; round += 1) {
        seed = seed * 1664525u + 1013904223u;
        expression.Length = (USHORT)((1 + (seed >> 16) % 6) * sizeof(WCHAR));
        name.Length = (USHORT)((1 + (seed >> 24) % 7) * sizeof(WCHAR));
        expression.MaximumLength = expression.Length;
        name.MaximumLength = name.Length;
        for (index = 0; index < expression.Length / sizeof(WCHAR); index += 1) {
            seed = seed * 1664525u + 1013904223u;
            expressionText[index] = symbols[(seed >> 16) % RTL_NUMBER_OF(symbols)];
        }
        for (index = 0; index < name.Length / sizeof(WCHAR); index += 1) {
            seed = seed * 1664525u + 1013904223u;
            nameText[index] = characters[(seed >> 16) % RTL_NUMBER_OF(characters)];
        }
        if (PsctxIsNameInExpression(&expression, &name) != FsRtlIsNameInExpression(&expression, &name, TRUE, NULL)) {
            differing += 1;
        }
    }
    CHECK(differing == 0);
}

/* Memory. */

/* What a client does, from loading the driver to ending the session; anything in it may fail for want of memory. */
static VOID UseEverything(VOID)
{
    PDRIVER_OBJECT driver;
    ULONG64 rule;
    HANDLE file;

    if (!NT_SUCCESS(HostLoadDriver(L"PsCtx", FALSE, DriverEntry, &driver))) {
        return;
    }
    Driver = driver;
    (VOID) SendMount();
    if (NT_SUCCESS(Open(L"\\??\\PsCtx", &Session))) {
        (VOID) Track(Session, L"*", &rule);
    }
    if (NT_SUCCESS(Open(TEST_FILE, &file))) {
        Close(file);
    }
    HostFailAllocation(0);
    Close(Session);
    Session = NULL;
    UnloadDriver();
    TestFileSystemDismount();
}

static VOID SurvivesEveryFailedAllocation(VOID)
{
    ULONG64 countdown;
    ULONG64 count;

    CHECK_STATUS(STATUS_SUCCESS, HostSetServiceValue(L"PsCtx", L"AllowUnload", 1));
    LoadDisk(L"TestDisk");
    LoadFileSystem();
    count = HostAllocationCount();
    UseEverything();
    count = HostAllocationCount() - count;
    CHECK(count > 10);
    for (countdown = 1; countdown <= count && Failures == 0; countdown += 1) {
        HostFailAllocation(countdown);
        UseEverything();
        CHECK(HostAuditPool(PSCTX_TAG) == 0);
        HostFailAllocation(0);
    }
}

/* A kernel that deletes devices without a word, and takes it ill if they are detached from then. */
static VOID UseVolumesThatGoSilently(VOID)
{
    PDRIVER_OBJECT driver;
    HANDLE file;
    ULONG round;

    if (!NT_SUCCESS(HostLoadDriver(L"PsCtx", FALSE, DriverEntry, &driver))) {
        return;
    }
    Driver = driver;
    for (round = 0; round < 2; round += 1) {
        if (NT_SUCCESS(Open(TEST_FILE, &file))) {
            Close(file);
        }
        TestFileSystemDismount();
    }
    UnloadDriver();
}

static VOID SurvivesEveryFailedAllocationWhereDevicesGoSilently(VOID)
{
    ULONG64 countdown;
    ULONG64 count;

    CHECK_STATUS(STATUS_SUCCESS, HostSetServiceValue(L"PsCtx", L"AllowUnload", 1));
    LoadDisk(L"TestDisk");
    LoadFileSystem();
    HostSetQuirks(HOST_QUIRK_SILENT_DELETION);
    count = HostAllocationCount();
    UseVolumesThatGoSilently();
    count = HostAllocationCount() - count;
    CHECK(count > 10);
    for (countdown = 1; countdown <= count && Failures == 0; countdown += 1) {
        HostFailAllocation(countdown);
        UseVolumesThatGoSilently();
        HostFailAllocation(0);
        CHECK(HostAuditPool(PSCTX_TAG) == 0);
    }
    HostSetQuirks(0);
}

/* How many of an open's allocations make it fail when they do; more are tried than there are. */
static ULONG CountFailedOpens(VOID)
{
    ULONG64 countdown;
    ULONG failed = 0;
    HANDLE file;

    for (countdown = 1; countdown <= 32; countdown += 1) {
        HostFailAllocation(countdown);
        if (NT_SUCCESS(Open(TEST_FILE, &file))) {
            Close(file);
        } else {
            failed += 1;
        }
        HostFailAllocation(0);
    }
    return failed;
}

static VOID NeverFailsAnOpenForItsOwnMemory(VOID)
{
    ULONG64 rule;
    ULONG failed;

    StartTracked();
    failed = CountFailedOpens(); /* by the kernel and the file system alone */
    CHECK(failed != 0);
    CHECK_STATUS(STATUS_SUCCESS, Track(Session, L"*", &rule));
    CHECK(CountFailedOpens() == failed);
    CHECK(Statistics().SessionInserted != 0);
    EndSession();
}

/* A list that is told is whole. */
static VOID SaysWhenThereIsNoMemoryToListVolumes(VOID)
{
    static DECLSPEC_ALIGN(8) UCHAR output[4096];
    PSCTX_VOLUMES_REQUEST request = {{sizeof(request), PSCTX_ABI_VERSION, PSCTX_OPERATION_LIST_VOLUMES}, 0};
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    ULONG64 countdown;
    ULONG failures = 0;
    ULONG whole;
    HANDLE file;

    LoadDisk(L"TestDisk");
    LoadFileSystem();
    CHECK_STATUS(STATUS_SUCCESS, Open(TEST_FILE, &file));
    Close(file);
    TestFileSystem.VolumeDevice->Flags |=
        DO_DEVICE_INITIALIZING; /* never attached to, so that each list looks for it */
    LoadDriver();
    CHECK_STATUS(STATUS_SUCCESS, Open(L"\\??\\PsCtx", &Session));
    CHECK_STATUS(STATUS_SUCCESS,
                 Send(Session, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output)));
    whole = reply->Count;
    CHECK(whole != 0);
    for (countdown = 1; countdown <= 64; countdown += 1) {
        NTSTATUS status;

        HostFailAllocation(countdown);
        status = Send(Session, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output));
        HostFailAllocation(0);
        if (NT_SUCCESS(status)) {
            CHECK(reply->Count == whole);
        } else {
            CHECK_STATUS(STATUS_INSUFFICIENT_RESOURCES, status);
            failures += 1;
        }
    }
    CHECK(failures > 2 && failures < 64);
    TestFileSystem.VolumeDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    Close(Session);
    Session = NULL;
}

static const CORE_TEST Tests[] = {
    {"a file system and its volume that were there before are attached to", AttachesToWhatWasThereBefore},
    {"a CD-ROM's file system and its volume likewise", AttachesToCdRomsThatWereThereBefore},
    {"a file system is attached to when it registers, detached from when it unregisters",
     AttachesToFileSystemsAsTheyCome},
    {"a volume is attached to as it mounts, detached from as it goes", AttachesToVolumesAsTheyMount},
    {"a volume that goes without a word is forgotten", ForgetsVolumesThatGoSilently},
    {"a mounted volume whose disk the kernel does not tell is attached to", AttachesToVolumesWithoutAKnownDisk},
    {"requests to a volume are deep enough for its disk, though the file system does not say so",
     MakesRequestsDeepEnoughForTheDisk},
    {"a file is told from a volume without its VPB", KnowsFilesWithoutAVpb},
    {"a volume whose mount pended is attached to", AttachesAfterAMountThatPended},
    {"no stack gets two devices of the filter", AttachesOnceToAStack},
    {"a failed mount leaves nothing attached", AttachesNothingAfterAFailedMount},
    {"a snapshot that mounts is left alone", LeavesSnapshotsAlone},
    {"a snapshot that is mounted already is left alone", LeavesMountedSnapshotsAlone},
    {"snapshots are listed while they are there", ListsSnapshots},
    {"nothing is kept of snapshots that come and go", KeepsNothingOfSnapshots},
    {"volumes that were not attached to are listed until they are", ListsVolumesThatWereNotAttachedTo},
    {"a volume that was missed is attached to when volumes are listed", AttachesWhenVolumesAreListed},
    {"volumes that are not attached to are listed page by page", ListsVolumesInPages},
    {"a list of volumes is whole, or says that there was no memory for it", SaysWhenThereIsNoMemoryToListVolumes},
    {"a volume whose disk the kernel does not tell is named after the first file that is opened there",
     LearnsNamesFromFiles},
    {"a volume that is being mounted while the driver is loaded is attached to", AttachesToAVolumeThatIsBeingMounted},
    {"on a kernel that cannot wait for mounts, such a volume is found afterwards", FindsAVolumeThatWasBeingMounted},
    {"the recognizer is left alone", LeavesTheRecognizerAlone},
    {"file systems of other types are left alone", LeavesOtherTypesAlone},
    {"flags and characteristics are taken over from the device below", TakesOverFlags},
    {"a recognizer that loads its file system can delete its device", DetachesBeforeARecognizerGoes},
    {"a recognizer that cannot load its file system is attached to again", AttachesAgainWhenLoadingFails},
    {"unloading detaches from everything, and the driver loads again", DetachesFromEverythingOnUnload},
    {"unloading waits for a mount that is under way", WaitsForMountsOnUnload},
    {"unloading waits for a request that the file system has not returned from", WaitsForRequestsOnUnload},
    {"unloading waits for fast I/O that the file system has not returned from", WaitsForFastIoOnUnload},
    {"requests are counted from the moment that the filter is attached", CountsRequestsFromTheStart},
    {"a device stays for a while after it has left its stack", KeepsDevicesThatMayHaveBeenFound},
    {"a device that has left its stack stays while a request is below", KeepsDevicesWhileRequestsAreBelow},
    {"a stack that another filter below leaves is attached to again", StaysWhenAFilterBelowLeaves},
    {"a stack that another filter below leaves without a word is left, too", StaysWhenAFilterBelowGoesSilently},
    {"a device that has left its stack stays while a create is waited for", KeepsDevicesWhileCreatesAreWaitedFor},
    {"every major function passes through with its parameters and its status", PassesEveryMajorFunction},
    {"file-system controls pass through", PassesFileSystemControls},
    {"a mount is known by both its functions, and on a file system's own device alone",
     KnowsMountsByBothTheirFunctions},
    {"a load passes through where its device's stack cannot be left", PassesLoadsThatItCannotLeaveTheStackFor},
    {"requests that pend pass through", PassesPendingRequests},
    {"data passes through byte for byte", PassesDataByteForByte},
    {"every fast I/O entry reaches the lower driver, if that has it", PassesFastIo},
    {"the entries for acquiring files reach the file system, whichever device is named", PassesFileAcquisition},
    {"files of a file system without entries for acquiring are acquired as the kernel would",
     AcquiresFilesAsTheKernelWould},
    {"files are released as they were acquired, whichever halves of that their file system has",
     ReleasesFilesAsTheyWereAcquired},
    {"other filters' devices may come and go while files are acquired", FollowsNoDevicesThatComeAndGo},
    {"no entry for acquiring files stands where no kernel calls it", HasNoEntriesThatNobodyCalls},
    {"the query-open entry names the lower device in the request meanwhile", NamesTheLowerDeviceInQueryOpen},
    {"a matching open gets one context, with the file's name", InsertsOneContextForAMatchingOpen},
    {"a matching create that pends is waited for", WaitsForACreateThatPends},
    {"named streams and relative opens are tracked under their whole names", NamesStreamsAndRelativeFiles},
    {"a stream opened relative to its file is tracked under its whole name", NamesStreamsOpenedRelativeToTheirFile},
    {"only successful opens of streams are tracked", TracksOnlyOpensOfStreams},
    {"a redirector's files are tracked through its control device", TracksARedirectorsFiles},
    {"opens of a disk file system's control device are not tracked", TracksNothingOnAControlDevice},
    {"a stream that takes no contexts opens as ever", OpensStreamsThatTakeNoContexts},
    {"a rule ends when its session says so, and no other", StopsTrackingWhenToldTo},
    {"a session that ends during a create gets nothing inserted", InsertsNothingForASessionThatEndsMeanwhile},
    {"a create under way brings no context for a rule that is removed meanwhile",
     InsertsNothingForARuleThatGoesMeanwhile},
    {"creates, rules and sessions race without loss", SurvivesRacesOfCreatesRulesAndSessions},
    {"malformed rules are refused", RefusesMalformedRules},
    {"a session has a limited number of rules", LimitsTheRulesOfASession},
    {"streams that are never torn down stay while they have contexts", KeepsStreamsThatAreNeverTornDown},
    {"contexts of other filters stay where they are", LeavesOtherContextsOnTheStream},
    {"a context that counts is told with what it has counted", TellsWhatAContextCounts},
    {"expressions match as documented", MatchesAsDocumented},
    {"expressions match as FsRtlIsNameInExpression does", MatchesAsTheKernelDoes},
    {"any allocation may fail without a leak", SurvivesEveryFailedAllocation},
    {"any allocation may fail where devices go without a word", SurvivesEveryFailedAllocationWhereDevicesGoSilently},
    {"no open fails for want of memory to track it", NeverFailsAnOpenForItsOwnMemory},
};

static VOID RunTest(CORE_TEST_ROUTINE *Routine)
{
    HOST_AUDIT audit;

    TestFileSystemReset();
    CHECK_STATUS(STATUS_SUCCESS, HostBoot());
    CHECK_STATUS(STATUS_SUCCESS, HostCreateProcess(TRUE, &Process));
    HostEnterProcess(Process);
    Routine();
    HostLeaveProcess();
    HostExitProcess(Process);
    HostDereferenceProcess(Process);
    UnloadDriver();
    UnloadFileSystem();
    UnloadDisk();
    Session = NULL;
    CHECK_STATUS(STATUS_SUCCESS, HostShutdown(&audit));
    CHECK(audit.PoolBytes == 0 && audit.PoolAllocations == 0 && audit.Handles == 0);
    CHECK(audit.Objects == 0 && audit.Irps == 0 && audit.Locks == 0 && audit.Resources == 0);
    if (Failures != 0) {
        exit(1);
    }
}

/* Prints TAP. An argument selects the tests whose name contains it. */
int main(int argc, char **argv)
{
    CoreAroundRoutine = RunTest;
    return CoreRunTests(Tests, RTL_NUMBER_OF(Tests), argc > 1 ? argv[1] : NULL);
}
