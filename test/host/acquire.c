/* Acquiring and releasing files: who is asked, and that what was acquired is released. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

#define PURPOSES 3u /* of HOST_ACQUISITION */

static PDEVICE_OBJECT Filter;
static ULONG Asked; /* how often the filter's entry was */

static NTSTATUS Acquire(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    CHECK(DeviceObject != Filter);
    Asked++;
    return STATUS_INVALID_DEVICE_REQUEST;
}

static NTSTATUS Release(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    return Acquire(FileObject, DeviceObject);
}

/* Only the second half is passed on. */
static VOID ReleaseBelow(PFILE_OBJECT FileObject)
{
    IoGetBaseFileSystemDeviceObject(FileObject)
        ->DriverObject->FastIoDispatch->ReleaseFileForNtCreateSection(FileObject);
}

static FAST_IO_DISPATCH Table = {.SizeOfFastIoDispatch = sizeof(Table)};

static NTSTATUS Pass(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(*(PDEVICE_OBJECT *)DeviceObject->DeviceExtension, Irp);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDetachDevice(*(PDEVICE_OBJECT *)Filter->DeviceExtension);
    IoDeleteDevice(Filter);
}

static NTSTATUS Entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        DriverObject->MajorFunction[Index] = Pass;
    }
    DriverObject->FastIoDispatch = &Table;
    DriverObject->DriverUnload = Unload;
    return IoCreateDevice(DriverObject, sizeof(PDEVICE_OBJECT), NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Filter);
}

static ULONG64 LocksHeld(VOID)
{
    HOST_AUDIT Audit;

    HostAudit(&Audit);
    return Audit.Locks;
}

static PFILE_OBJECT OpenFile(PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Name;
    PVOID File = NULL;

    RtlInitUnicodeString(&Name, L"\\??\\M:\\file");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    CHECK_STATUS(NtCreateFile(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                              FILE_SHARE_READ, FILE_OPEN_IF, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(*Handle, 0, *IoFileObjectType, UserMode, &File, NULL), STATUS_SUCCESS);
    return File;
}

static void CloseFile(PFILE_OBJECT File, HANDLE Handle)
{
    ObDereferenceObject(File);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
}

static void AcquireAndRelease(PFILE_OBJECT File)
{
    for (ULONG Purpose = 0; Purpose < PURPOSES; Purpose++) {
        PERESOURCE Resource;

        CHECK_STATUS(HostAcquireFile(File, (HOST_ACQUISITION)Purpose, &Resource), STATUS_SUCCESS);
        CHECK(LocksHeld() != 0);
        HostReleaseFile(File, (HOST_ACQUISITION)Purpose, Resource);
        CHECK(LocksHeld() == 0);
    }
}

static void Halves(void)
{
    static const ULONG Quirks[] = {0, HOST_QUIRK_CALLBACKS_ACQUIRE, HOST_QUIRK_CALLBACKS_RELEASE,
                                   HOST_QUIRK_CALLBACKS_ACQUIRE | HOST_QUIRK_CALLBACKS_RELEASE};
    PFILE_OBJECT File;
    TEST_KERNEL Kernel;
    HANDLE Handle;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    File = OpenFile(&Handle);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Quirks); Index++) {
        HostSetQuirks(Quirks[Index]);
        AcquireAndRelease(File);
        HostSetQuirks(Quirks[Index] | HOST_QUIRK_TOPMOST_ACQUIRES);
        AcquireAndRelease(File);
    }
    HostSetQuirks(0);
    FsRtlAcquireFileExclusive(File);
    CHECK(LocksHeld() != 0);
    FsRtlReleaseFile(File);
    CHECK(LocksHeld() == 0);
    CloseFile(File, Handle);
    CHECK_STATUS(HostDismountVolume(L'M'), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

/* Opens a file, and attaches the filter to its volume. */
static PDRIVER_OBJECT Attach(PFILE_OBJECT *File, PHANDLE Handle)
{
    PDRIVER_OBJECT Driver = NULL;

    CHECK_STATUS(HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    *File = OpenFile(Handle);
    CHECK_STATUS(HostLoadDriver(L"HostTestAcquires", TRUE, Entry, &Driver), STATUS_SUCCESS);
    CHECK_STATUS(IoAttachDeviceToDeviceStackSafe(Filter, IoGetBaseFileSystemDeviceObject(*File),
                                                 (PDEVICE_OBJECT *)Filter->DeviceExtension),
                 STATUS_SUCCESS);
    return Driver;
}

static void TopmostIsAsked(void)
{
    PDRIVER_OBJECT Driver;
    PFILE_OBJECT File;
    TEST_KERNEL Kernel;
    PERESOURCE Resource;
    HANDLE Handle;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Driver = Attach(&File, &Handle);
    Table.AcquireForCcFlush = Acquire;
    Table.ReleaseForCcFlush = Release;
    Asked = 0;
    AcquireAndRelease(File);
    CHECK(Asked == 0);
    HostSetQuirks(HOST_QUIRK_TOPMOST_ACQUIRES | HOST_QUIRK_CALLBACKS_ACQUIRE);
    CHECK_STATUS(HostAcquireFile(File, HostForCacheFlush, &Resource), STATUS_SUCCESS);
    CHECK(Asked == 1 && ExIsResourceAcquiredSharedLite(((PFSRTL_COMMON_FCB_HEADER)File->FsContext)->Resource));
    HostReleaseFile(File, HostForCacheFlush, Resource);
    CHECK(Asked == 2 && LocksHeld() == 0);
    HostSetQuirks(0);
    CHECK_STATUS(HostUnloadDriver(Driver), STATUS_SUCCESS);
    CloseFile(File, Handle);
    CHECK_STATUS(HostDismountVolume(L'M'), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

static void HalfATable(void)
{
    PFILE_OBJECT File;
    TEST_KERNEL Kernel;
    HANDLE Handle;

    (VOID) StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT);
    (VOID) Attach(&File, &Handle);
    Table.ReleaseFileForNtCreateSection = ReleaseBelow;
    HostSetQuirks(HOST_QUIRK_TOPMOST_ACQUIRES);
    FsRtlAcquireFileExclusive(File);
    FsRtlReleaseFile(File);
}

void RunAcquire(void)
{
    RunTest("what acquires a file is what releases it, whichever halves a file system has callbacks for", Halves);
    RunTest("the file system acquires files, unless the kernel asks the topmost driver", TopmostIsAsked);
    RunViolation("a file that is released otherwise than it was acquired is noticed", RESOURCE_NOT_OWNED, "not held",
                 HalfATable);
}
