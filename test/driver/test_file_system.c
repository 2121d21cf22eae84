/*
 * A file system for the filter's tests: one volume, one file stream, and a record of what reached it.
 */
#include "test_file_system.h"

#include <host_disk.h>

#include "core_image.h"

#define TEST_DISK_FILE_SYSTEM 0x54534554u /* no file system of the embedded kernel's */

TEST_FILE_SYSTEM TestFileSystem;

static DRIVER_INITIALIZE TestEntry;
static DRIVER_UNLOAD TestUnload;
static DRIVER_DISPATCH TestDispatch;
static DRIVER_INITIALIZE TestDiskEntry;
static DRIVER_UNLOAD TestDiskUnload;
static DRIVER_DISPATCH TestDiskDispatch;
static DRIVER_CANCEL TestCancelHeld;

static NTSTATUS TestComplete(_Inout_ PIRP Irp, _In_ NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

typedef struct _TEST_PENDED {
    PIRP Irp;
    NTSTATUS Status;
} TEST_PENDED, *PTEST_PENDED;

static VOID TestCompletePended(_In_ PVOID Context)
{
    const TEST_PENDED pended = *(PTEST_PENDED)Context;
    LARGE_INTEGER interval;

    ExFreePoolWithTag(Context, 'tseT');
    interval.QuadPart = -20 * 10000;
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    TestComplete(pended.Irp, pended.Status);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Completes the request with Status, now or, if requests pend, soon. */
static NTSTATUS TestAnswer(_Inout_ PIRP Irp, _In_ NTSTATUS Status)
{
    PTEST_PENDED pended = NULL;
    HANDLE thread;

    if (TestFileSystem.Pends) {
        pended = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*pended), 'tseT');
    }
    if (pended == NULL) {
        return TestComplete(Irp, Status);
    }
    pended->Irp = Irp;
    pended->Status = Status;
    IoMarkIrpPending(Irp);
    if (NT_SUCCESS(PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, TestCompletePended, pended))) {
        ZwClose(thread);
    } else {
        ExFreePoolWithTag(pended, 'tseT');
        (VOID) TestComplete(Irp, Status);
    }
    return STATUS_PENDING;
}

static VOID TestCancelHeld(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);

    IoReleaseCancelSpinLock(Irp->CancelIrql);
    (VOID) TestComplete(Irp, STATUS_CANCELLED);
}

/* Keeps the request until it is cancelled, which it may have been already. */
static NTSTATUS TestHold(_Inout_ PIRP Irp)
{
    IoMarkIrpPending(Irp);
    (VOID) IoSetCancelRoutine(Irp, TestCancelHeld);
    if (__atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST) && IoSetCancelRoutine(Irp, NULL) != NULL) {
        (VOID) TestComplete(Irp, STATUS_CANCELLED);
    }
    return STATUS_PENDING;
}

static VOID TestSetupHeader(VOID)
{
    RtlZeroMemory(&TestFileSystem.Header, sizeof(TestFileSystem.Header));
    ExInitializeFastMutex(&TestFileSystem.HeaderMutex);
    FsRtlSetupAdvancedHeader(&TestFileSystem.Header, &TestFileSystem.HeaderMutex);
    if (TestFileSystem.LosesContexts) {
        TestFileSystem.Header.Flags2 &= (UCHAR)~FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS;
    }
}

static NTSTATUS TestMount(_Inout_ PIO_STACK_LOCATION Location)
{
    const PVPB vpb = Location->Parameters.MountVolume.Vpb;
    NTSTATUS status;

    if (vpb->RealDevice != TestFileSystem.Disk) {
        return STATUS_UNRECOGNIZED_VOLUME;
    }
    if (!NT_SUCCESS(TestFileSystem.MountStatus)) {
        return TestFileSystem.MountStatus;
    }
    if (TestFileSystem.VolumeDevice == NULL) {
        if (TestFileSystem.Delay != 0) {
            LARGE_INTEGER interval;

            interval.QuadPart = TestFileSystem.Delay;
            KeDelayExecutionThread(KernelMode, FALSE, &interval);
        }
        status = IoCreateDevice(TestFileSystem.DriverObject, 0, NULL, TestFileSystem.DeviceType, 0, FALSE,
                                &TestFileSystem.VolumeDevice);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        if (!TestFileSystem.LeavesStackSize) {
            TestFileSystem.VolumeDevice->StackSize = (CCHAR)(TestFileSystem.Disk->StackSize + 1);
        }
        TestFileSystem.VolumeDevice->Flags |= DO_DIRECT_IO;
        TestFileSystem.VolumeDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    vpb->DeviceObject = TestFileSystem.VolumeDevice;
    return STATUS_SUCCESS;
}

static NTSTATUS TestCreate(_Inout_ PIO_STACK_LOCATION Location)
{
    const PFILE_OBJECT fileObject = Location->FileObject;

    if (TestFileSystem.Hook != NULL) {
        TestFileSystem.Hook(TestFileSystem.HookContext);
    }
    if (TestFileSystem.CreateStatus != STATUS_SUCCESS) {
        return TestFileSystem.CreateStatus;
    }
    if (TestFileSystem.VolumeDevice != NULL && TestFileSystem.Disk != NULL) {
        fileObject->Vpb = TestFileSystem.Disk->Vpb;
    }
    if (fileObject->FileName.Length != 0 && fileObject->FsContext == NULL) {
        fileObject->FsContext = &TestFileSystem.Header;
        fileObject->SectionObjectPointer = &TestFileSystem.Sections;
        TestFileSystem.Opens += 1;
    }
    return STATUS_SUCCESS;
}

/* The name that the test has set for a class, or the one that the file was opened by. */
static NTSTATUS TestQueryName(_Inout_ PIRP Irp, _In_ const IO_STACK_LOCATION *Location)
{
    const BOOLEAN normalized = Location->Parameters.QueryFile.FileInformationClass == FileNormalizedNameInformation;
    const PCWSTR set = normalized ? TestFileSystem.NormalizedName : TestFileSystem.Name;
    const PFILE_NAME_INFORMATION reply = Irp->AssociatedIrp.SystemBuffer;
    const ULONG room = Location->Parameters.QueryFile.Length - (ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);
    UNICODE_STRING name = Location->FileObject->FileName;
    ULONG copied;

    if ((normalized && set == NULL) || !NT_SUCCESS(TestFileSystem.NameStatus)) {
        return normalized ? STATUS_INVALID_PARAMETER : TestFileSystem.NameStatus;
    }
    if (set != NULL) {
        RtlInitUnicodeString(&name, set);
    }
    copied = min(room, (ULONG)name.Length);
    reply->FileNameLength = name.Length;
    RtlCopyMemory(reply->FileName, name.Buffer, copied);
    Irp->IoStatus.Information = (ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) + copied;
    if (TestFileSystem.SpoilName != NULL) {
        TestFileSystem.SpoilName(reply, Irp);
    }
    return copied < name.Length ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

static VOID TestClose(_In_ PFILE_OBJECT FileObject)
{
    if (FileObject->FsContext != &TestFileSystem.Header) {
        return;
    }
    TestFileSystem.Opens -= 1;
    if (TestFileSystem.Opens == 0 && !TestFileSystem.TearsNothingDown) {
        FsRtlTeardownPerStreamContexts(&TestFileSystem.Header);
        TestFileSystem.Teardowns += 1;
    }
}

static NTSTATUS TestDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);

    InterlockedIncrement(&TestFileSystem.Requests[location->MajorFunction]);
    TestFileSystem.Location = *location;
    TestFileSystem.UserBuffer = Irp->UserBuffer;
    TestFileSystem.IrpFlags = Irp->Flags;
    TestFileSystem.IrpThread = Irp->Tail.Overlay.Thread;
    TestFileSystem.IrpFileObject = Irp->Tail.Overlay.OriginalFileObject;

    switch (location->MajorFunction) {
    case IRP_MJ_CREATE:
        if (TestFileSystem.HoldsCreates) {
            return TestHold(Irp);
        }
        return TestAnswer(Irp, TestCreate(location));
    case IRP_MJ_READ:
        Irp->IoStatus.Information = 0;
        return TestAnswer(Irp, STATUS_END_OF_FILE);
    case IRP_MJ_QUERY_INFORMATION:
        if (Irp->AssociatedIrp.SystemBuffer != NULL && /* not made up */
            (location->Parameters.QueryFile.FileInformationClass == FileNameInformation ||
             location->Parameters.QueryFile.FileInformationClass == FileNormalizedNameInformation)) {
            if (TestFileSystem.HoldsNames) {
                return TestHold(Irp);
            }
            return TestAnswer(Irp, TestQueryName(Irp, location));
        }
        return TestComplete(Irp, STATUS_SUCCESS + location->MajorFunction);
    case IRP_MJ_CLEANUP:
        return TestComplete(Irp, STATUS_SUCCESS);
    case IRP_MJ_CLOSE:
        TestClose(location->FileObject);
        return TestComplete(Irp, STATUS_SUCCESS);
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        if (location->MinorFunction == IRP_MN_MOUNT_VOLUME) {
            return TestAnswer(Irp, TestMount(location));
        }
        if (location->MinorFunction == IRP_MN_LOAD_FILE_SYSTEM) {
            if (NT_SUCCESS(TestFileSystem.LoadStatus) && TestFileSystem.DeletesOnLoad) {
                TestFileSystemUnregister();
                IoDeleteDevice(TestFileSystem.ControlDevice);
                TestFileSystem.ControlDevice = NULL;
            }
            return TestComplete(Irp, TestFileSystem.LoadStatus);
        }
        return TestComplete(Irp, STATUS_INVALID_DEVICE_REQUEST);
    default:
        if (TestFileSystem.Delay != 0) {
            LARGE_INTEGER interval;

            interval.QuadPart = TestFileSystem.Delay;
            KeDelayExecutionThread(KernelMode, FALSE, &interval);
        }
        if (TestFileSystem.Hook != NULL) {
            TestFileSystem.Hook(TestFileSystem.HookContext);
        }
        /* A status of its own for each function, to be told apart above. */
        return TestComplete(Irp, STATUS_SUCCESS + location->MajorFunction);
    }
}

static BOOLEAN TestFastIo(_In_ ULONG Entry, _In_ PDEVICE_OBJECT DeviceObject)
{
    TestFileSystem.FastIoEntry = Entry;
    TestFileSystem.FastIoDevice = DeviceObject;
    return TestFileSystem.FastIoAnswer;
}

#define TEST_ENTRY(Name) TestFastIo((ULONG)FIELD_OFFSET(FAST_IO_DISPATCH, Name), DeviceObject)

static BOOLEAN TestCheckIfPossible(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                                   ULONG LockKey, BOOLEAN CheckForReadOperation, PIO_STATUS_BLOCK IoStatus,
                                   PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && Wait && LockKey == 4 &&
           CheckForReadOperation && IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoCheckIfPossible);
}

static BOOLEAN TestRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                        PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && Wait && LockKey == 4 &&
           Buffer == (PVOID)6 && IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoRead);
}

static BOOLEAN TestWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait, ULONG LockKey,
                         PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && Wait && LockKey == 4 &&
           Buffer == (PVOID)6 && IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoWrite);
}

static BOOLEAN TestQueryBasicInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_BASIC_INFORMATION Buffer,
                                  PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && Wait && Buffer == (PFILE_BASIC_INFORMATION)6 &&
           IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoQueryBasicInfo);
}

static BOOLEAN TestQueryStandardInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Buffer,
                                     PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && Wait && Buffer == (PFILE_STANDARD_INFORMATION)6 &&
           IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoQueryStandardInfo);
}

static BOOLEAN TestLock(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length, PEPROCESS ProcessId,
                        ULONG Key, BOOLEAN FailImmediately, BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus,
                        PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == (PLARGE_INTEGER)3 &&
           ProcessId == (PEPROCESS)7 && Key == 4 && FailImmediately && ExclusiveLock &&
           IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoLock);
}

static BOOLEAN TestUnlockSingle(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                                PEPROCESS ProcessId, ULONG Key, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == (PLARGE_INTEGER)3 &&
           ProcessId == (PEPROCESS)7 && Key == 4 && IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoUnlockSingle);
}

static BOOLEAN TestUnlockAll(PFILE_OBJECT FileObject, PEPROCESS ProcessId, PIO_STATUS_BLOCK IoStatus,
                             PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && ProcessId == (PEPROCESS)7 && IoStatus == (PIO_STATUS_BLOCK)5 &&
           TEST_ENTRY(FastIoUnlockAll);
}

static BOOLEAN TestUnlockAllByKey(PFILE_OBJECT FileObject, PVOID ProcessId, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                                  PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && ProcessId == (PVOID)7 && Key == 4 && IoStatus == (PIO_STATUS_BLOCK)5 &&
           TEST_ENTRY(FastIoUnlockAllByKey);
}

static BOOLEAN TestDeviceControl(PFILE_OBJECT FileObject, BOOLEAN Wait, PVOID InputBuffer, ULONG InputBufferLength,
                                 PVOID OutputBuffer, ULONG OutputBufferLength, ULONG IoControlCode,
                                 PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && Wait && InputBuffer == (PVOID)6 && InputBufferLength == 3 &&
           OutputBuffer == (PVOID)7 && OutputBufferLength == 4 && IoControlCode == 8 &&
           IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoDeviceControl);
}

static BOOLEAN TestQueryNetworkOpenInfo(PFILE_OBJECT FileObject, BOOLEAN Wait, PFILE_NETWORK_OPEN_INFORMATION Buffer,
                                        PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && Wait && Buffer == (PFILE_NETWORK_OPEN_INFORMATION)6 &&
           IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(FastIoQueryNetworkOpenInfo);
}

static BOOLEAN TestMdlRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                           PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && LockKey == 4 &&
           MdlChain == (PMDL *)9 && IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(MdlRead);
}

static BOOLEAN TestMdlReadComplete(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && MdlChain == (PMDL)9 && TEST_ENTRY(MdlReadComplete);
}

static BOOLEAN TestPrepareMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                   PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && LockKey == 4 &&
           MdlChain == (PMDL *)9 && IoStatus == (PIO_STATUS_BLOCK)5 && TEST_ENTRY(PrepareMdlWrite);
}

static BOOLEAN TestMdlWriteComplete(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                    PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && MdlChain == (PMDL)9 &&
           TEST_ENTRY(MdlWriteComplete);
}

static BOOLEAN TestReadCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                  PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                  struct _COMPRESSED_DATA_INFO *CompressedDataInfo, ULONG CompressedDataInfoLength,
                                  PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && LockKey == 4 &&
           Buffer == (PVOID)6 && MdlChain == (PMDL *)9 && IoStatus == (PIO_STATUS_BLOCK)5 &&
           CompressedDataInfo == (PVOID)7 && CompressedDataInfoLength == 8 && TEST_ENTRY(FastIoReadCompressed);
}

static BOOLEAN TestWriteCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                   PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                   struct _COMPRESSED_DATA_INFO *CompressedDataInfo, ULONG CompressedDataInfoLength,
                                   PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && Length == 3 && LockKey == 4 &&
           Buffer == (PVOID)6 && MdlChain == (PMDL *)9 && IoStatus == (PIO_STATUS_BLOCK)5 &&
           CompressedDataInfo == (PVOID)7 && CompressedDataInfoLength == 8 && TEST_ENTRY(FastIoWriteCompressed);
}

static BOOLEAN TestMdlReadCompleteCompressed(PFILE_OBJECT FileObject, PMDL MdlChain, PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && MdlChain == (PMDL)9 && TEST_ENTRY(MdlReadCompleteCompressed);
}

static BOOLEAN TestMdlWriteCompleteCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain,
                                              PDEVICE_OBJECT DeviceObject)
{
    return FileObject == (PFILE_OBJECT)1 && FileOffset == (PLARGE_INTEGER)2 && MdlChain == (PMDL)9 &&
           TEST_ENTRY(MdlWriteCompleteCompressed);
}

static BOOLEAN TestQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION NetworkInformation, PDEVICE_OBJECT DeviceObject)
{
    TestFileSystem.QueryOpenDevice = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    return NetworkInformation == (PFILE_NETWORK_OPEN_INFORMATION)6 && TEST_ENTRY(FastIoQueryOpen);
}

/* Those that acquire and release files have no answer of a boolean's kind. */
static VOID TestAcquireForSection(PFILE_OBJECT FileObject)
{
    const PDEVICE_OBJECT DeviceObject = NULL;

    UNREFERENCED_PARAMETER(FileObject);
    (VOID) TEST_ENTRY(AcquireFileForNtCreateSection);
}

static VOID TestReleaseForSection(PFILE_OBJECT FileObject)
{
    const PDEVICE_OBJECT DeviceObject = NULL;

    UNREFERENCED_PARAMETER(FileObject);
    (VOID) TEST_ENTRY(ReleaseFileForNtCreateSection);
}

static NTSTATUS TestAcquireForModWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER EndingOffset,
                                       PERESOURCE *ResourceToRelease, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    *ResourceToRelease = (PERESOURCE)EndingOffset;
    return TEST_ENTRY(AcquireForModWrite) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS TestReleaseForModWrite(PFILE_OBJECT FileObject, PERESOURCE ResourceToRelease,
                                       PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(ResourceToRelease);
    return TEST_ENTRY(ReleaseForModWrite) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS TestAcquireForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    return TEST_ENTRY(AcquireForCcFlush) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static NTSTATUS TestReleaseForCcFlush(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    return TEST_ENTRY(ReleaseForCcFlush) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

FAST_IO_DISPATCH TestFastIoDispatch;

static VOID TestSetupFastIo(VOID)
{
    TestFastIoDispatch = (FAST_IO_DISPATCH){
        .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
        .FastIoCheckIfPossible = TestCheckIfPossible,
        .FastIoRead = TestRead,
        .FastIoWrite = TestWrite,
        .FastIoQueryBasicInfo = TestQueryBasicInfo,
        .FastIoQueryStandardInfo = TestQueryStandardInfo,
        .FastIoLock = TestLock,
        .FastIoUnlockSingle = TestUnlockSingle,
        .FastIoUnlockAll = TestUnlockAll,
        .FastIoUnlockAllByKey = TestUnlockAllByKey,
        .FastIoDeviceControl = TestDeviceControl,
        .FastIoQueryNetworkOpenInfo = TestQueryNetworkOpenInfo,
        .MdlRead = TestMdlRead,
        .MdlReadComplete = TestMdlReadComplete,
        .PrepareMdlWrite = TestPrepareMdlWrite,
        .MdlWriteComplete = TestMdlWriteComplete,
        .FastIoReadCompressed = TestReadCompressed,
        .FastIoWriteCompressed = TestWriteCompressed,
        .MdlReadCompleteCompressed = TestMdlReadCompleteCompressed,
        .MdlWriteCompleteCompressed = TestMdlWriteCompleteCompressed,
        .FastIoQueryOpen = TestQueryOpen,
        .AcquireFileForNtCreateSection = TestAcquireForSection,
        .ReleaseFileForNtCreateSection = TestReleaseForSection,
        .AcquireForModWrite = TestAcquireForModWrite,
        .ReleaseForModWrite = TestReleaseForModWrite,
        .AcquireForCcFlush = TestAcquireForCcFlush,
        .ReleaseForCcFlush = TestReleaseForCcFlush,
    };
}

/* A driver's image as far as its imports are looked at. */
static union {
    UCHAR Bytes[0x1000];
    USHORT Words[0x800];
    ULONG Longs[0x400];
    ULONG_PTR Addresses[0x1000 / sizeof(ULONG_PTR)];
} TestImage;

/* One import: the teardown routine, or another. */
static VOID TestSetupImage(_Inout_ PDRIVER_OBJECT DriverObject)
{
    RtlZeroMemory(&TestImage, sizeof(TestImage));
    TestImage.Words[0] = 0x5A4D;
    TestImage.Longs[0x3C / sizeof(ULONG)] = 0x80;
    TestImage.Longs[0x80 / sizeof(ULONG)] = 0x4550;
    TestImage.Words[(0x80 + CORE_OPTIONAL_HEADER) / sizeof(USHORT)] = CORE_OPTIONAL_MAGIC;
    TestImage.Longs[(0x80 + CORE_DIRECTORY_COUNT) / sizeof(ULONG)] = 16;
    TestImage.Longs[(0x80 + CORE_IMPORT_DIRECTORY) / sizeof(ULONG)] = 0x800;
    TestImage.Longs[(0x80 + CORE_IMPORT_DIRECTORY + 4) / sizeof(ULONG)] = 2 * sizeof(ULONG_PTR);
    TestImage.Addresses[0x800 / sizeof(ULONG_PTR) + 1] = TestFileSystem.TearsNothingDown
                                                             ? (ULONG_PTR)FsRtlInsertPerStreamContext
                                                             : (ULONG_PTR)FsRtlTeardownPerStreamContexts;
    DriverObject->DriverStart = &TestImage;
    DriverObject->DriverSize = sizeof(TestImage);
}

static NTSTATUS TestEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    ULONG major;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = TestDispatch;
    }
    DriverObject->FastIoDispatch = &TestFastIoDispatch;
    DriverObject->DriverUnload = TestUnload;
    TestFileSystem.DriverObject = DriverObject;
    TestSetupImage(DriverObject);

    RtlInitUnicodeString(&name, TEST_CONTROL_DEVICE);
    status = IoCreateDevice(DriverObject, 0, &name, TestFileSystem.DeviceType, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &TestFileSystem.ControlDevice);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    TestFileSystem.ControlDevice->Flags |= DO_BUFFERED_IO;
    TestFileSystem.ControlDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    TestFileSystemRegister();
    return STATUS_SUCCESS;
}

static VOID TestUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);

    TestFileSystemDismount();
    if (TestFileSystem.ControlDevice != NULL) {
        TestFileSystemUnregister();
        IoDeleteDevice(TestFileSystem.ControlDevice);
        TestFileSystem.ControlDevice = NULL;
    }
}

VOID TestFileSystemReset(VOID)
{
    RtlZeroMemory(&TestFileSystem, sizeof(TestFileSystem));
    TestFileSystem.DriverName = L"TestFs";
    TestFileSystem.DeviceType = FILE_DEVICE_DISK_FILE_SYSTEM;
    TestFileSystem.FastIoAnswer = TRUE;
    TestSetupFastIo();
}

NTSTATUS TestFileSystemLoad(VOID)
{
    PDRIVER_OBJECT driverObject;

    TestSetupHeader();
    return HostLoadDriver(TestFileSystem.DriverName, TRUE, TestEntry, &driverObject);
}

VOID TestFileSystemUnload(VOID)
{
    (VOID) HostUnloadDriver(TestFileSystem.DriverObject);
}

VOID TestFileSystemRegister(VOID)
{
    IoRegisterFileSystem(TestFileSystem.ControlDevice);
}

VOID TestFileSystemUnregister(VOID)
{
    IoUnregisterFileSystem(TestFileSystem.ControlDevice);
}

VOID TestFileSystemDismount(VOID)
{
    KIRQL irql;
    PVPB vpb;

    if (TestFileSystem.VolumeDevice == NULL) {
        return;
    }
    IoAcquireVpbSpinLock(&irql);
    vpb = TestFileSystem.Disk->Vpb;
    vpb->Flags &= (USHORT)~VPB_MOUNTED;
    vpb->DeviceObject = NULL;
    IoReleaseVpbSpinLock(irql);
    IoDeleteDevice(TestFileSystem.VolumeDevice);
    TestFileSystem.VolumeDevice = NULL;
}

static NTSTATUS TestDiskDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);

    return TestComplete(Irp, STATUS_SUCCESS);
}

static NTSTATUS TestDiskEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    PDEVICE_OBJECT disk;
    ULONG major;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = TestDiskDispatch;
    }
    DriverObject->DriverUnload = TestDiskUnload;
    RtlInitUnicodeString(&name, TEST_DISK);
    status = IoCreateDevice(DriverObject, sizeof(HOST_DISK_EXTENSION), &name, FILE_DEVICE_DISK, 0, FALSE, &disk);
    if (NT_SUCCESS(status)) {
        ((PHOST_DISK_EXTENSION)disk->DeviceExtension)->FileSystem = TEST_DISK_FILE_SYSTEM;
        ((PHOST_DISK_EXTENSION)disk->DeviceExtension)->Directory = NULL;
        disk->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    return status;
}

static VOID TestDiskUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS TestDiskLoad(PCWSTR DriverName, PDRIVER_OBJECT *DriverObject, PDEVICE_OBJECT *Disk)
{
    NTSTATUS status;

    *Disk = NULL;
    status = HostLoadDriver(DriverName, FALSE, TestDiskEntry, DriverObject);
    if (NT_SUCCESS(status)) {
        *Disk = (*DriverObject)->DeviceObject;
    }
    return status;
}
