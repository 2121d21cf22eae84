/* Mounting a disk on its first open: by a file system that a recogniser has loaded, under a filter that sees it. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

static PDEVICE_OBJECT Disk;
static PDEVICE_OBJECT Recogniser;
static PDEVICE_OBJECT FileSystem;
static PDEVICE_OBJECT Filter;
static PDEVICE_OBJECT Volume;
static ULONG Recognitions;
static ULONG Loads;
static ULONG Mounts;
static ULONG MountsSeen;
static volatile LONG Mounting; /* a mount is in the file system */
static BOOLEAN SlowMount;

static NTSTATUS Load(VOID)
{
    PDEVICE_OBJECT Below = NULL;

    Loads++;
    IoUnregisterFileSystem(Recogniser);
    IoRegisterFileSystem(FileSystem);
    CHECK_STATUS(IoAttachDeviceToDeviceStackSafe(Filter, FileSystem, &Below), STATUS_SUCCESS);
    CHECK(Below == FileSystem);
    return STATUS_SUCCESS;
}

static NTSTATUS Mount(PDEVICE_OBJECT DeviceObject, PVPB Vpb)
{
    NTSTATUS Status = STATUS_UNRECOGNIZED_VOLUME;

    if (Vpb->RealDevice == Disk && DeviceObject == Recogniser) {
        Recognitions++;
        Status = STATUS_FS_DRIVER_REQUIRED;
    } else if (Vpb->RealDevice == Disk) {
        LARGE_INTEGER Moment = {.QuadPart = -1};

        Mounts++;
        (VOID) InterlockedExchange(&Mounting, TRUE);
        if (SlowMount) {
            (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Moment);
        }
        (VOID) InterlockedExchange(&Mounting, FALSE);
        Status = IoCreateDevice(DeviceObject->DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Volume);
        if (NT_SUCCESS(Status)) {
            Volume->StackSize = (CCHAR)(Disk->StackSize + 1);
            Vpb->DeviceObject = Volume;
        }
    }
    return Status;
}

static NTSTATUS Mounted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    CHECK(DeviceObject == Filter && Context == Disk);
    CHECK(NT_SUCCESS(Irp->IoStatus.Status) && Disk->Vpb->DeviceObject == Volume);
    CHECK((Disk->Vpb->Flags & VPB_MOUNTED) == 0);
    MountsSeen++;
    return STATUS_SUCCESS;
}

static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    if (DeviceObject == Filter) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, Mounted, Location->Parameters.MountVolume.DeviceObject, TRUE, TRUE, TRUE);
        return IoCallDriver(FileSystem, Irp);
    }
    if (Location->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL) {
        Status = Location->MinorFunction == IRP_MN_LOAD_FILE_SYSTEM
                     ? Load()
                     : Mount(DeviceObject, Location->Parameters.MountVolume.Vpb);
    } else if (Location->MajorFunction == IRP_MJ_CREATE) {
        CHECK(DeviceObject == Volume);
        Location->FileObject->Vpb = Disk->Vpb;
    }
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DriverObject);
    IoAcquireVpbSpinLock(&Irql);
    Disk->Vpb->Flags &= (USHORT)~VPB_MOUNTED;
    Disk->Vpb->DeviceObject = NULL;
    IoReleaseVpbSpinLock(Irql);
    IoUnregisterFileSystem(FileSystem);
    IoDetachDevice(FileSystem);
    IoDeleteDevice(Filter);
    IoDeleteDevice(FileSystem);
    IoDeleteDevice(Recogniser);
    IoDeleteDevice(Volume);
    IoDeleteDevice(Disk);
}

static NTSTATUS Entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT *const Controls[] = {&Recogniser, &FileSystem, &Filter};
    UNICODE_STRING Name;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Recognitions = Loads = Mounts = MountsSeen = 0;
    Volume = NULL;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = Dispatch;
    DriverObject->DriverUnload = Unload;
    RtlInitUnicodeString(&Name, L"\\Device\\HostTestDisk");
    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_DISK, 0, FALSE, &Disk);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Controls) && NT_SUCCESS(Status); Index++) {
        Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, Controls[Index]);
    }
    if (NT_SUCCESS(Status)) {
        IoRegisterFileSystem(Recogniser);
    }
    return Status;
}

static void FirstOpenMounts(void)
{
    TEST_KERNEL Kernel;
    PDRIVER_OBJECT Driver = NULL;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"HostTestFs", TRUE, Entry, &Driver), STATUS_SUCCESS);
    for (ULONG Open = 0; Open < 2; Open++) {
        CHECK_STATUS(TestOpen(L"\\Device\\HostTestDisk\\File", GENERIC_READ, 0, &Handle), STATUS_SUCCESS);
        CHECK(Recognitions == 1 && Loads == 1 && Mounts == 1 && MountsSeen == 1);
        CHECK((Disk->Vpb->Flags & VPB_MOUNTED) != 0 && (Volume->Flags & DO_DEVICE_INITIALIZING) == 0);
        CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    }
    CHECK_STATUS(HostUnloadDriver(Driver), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

static PEPROCESS Client;
static PDRIVER_OBJECT Loaded;
static ULONG Overlaps; /* notifications during a mount */
static BOOLEAN Aware;

static VOID Notified(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive)
{
    BOOLEAN Overlap = FALSE;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(FsActive);
    for (ULONG Look = 0; Look < 4; Look++) {
        Overlap = (BOOLEAN)(Overlap || ReadAcquire(&Mounting) != 0);
        ObDereferenceObject(IoGetAttachedDeviceReference(FileSystem)); /* others may run */
    }
    Overlaps += Overlap;
}

static VOID OpenInSchedule(PVOID Context)
{
    HANDLE Handle = NULL;

    UNREFERENCED_PARAMETER(Context);
    HostEnterProcess(Client);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTestDisk\\File", GENERIC_READ, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    HostLeaveProcess();
}

static VOID RegisterInSchedule(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CHECK_STATUS(Aware ? IoRegisterFsRegistrationChangeMountAware(Loaded, Notified, TRUE)
                       : IoRegisterFsRegistrationChange(Loaded, Notified),
                 STATUS_SUCCESS);
}

/* How many of the schedules tell of a file system while a disk is being mounted. */
static ULONG CountOverlaps(void)
{
    static const PHOST_ROUTINE Routines[] = {OpenInSchedule, RegisterInSchedule};
    PVOID Contexts[RTL_NUMBER_OF(Routines)] = {NULL};
    KIRQL Irql;

    Overlaps = 0;
    for (ULONG64 Seed = 1; Seed <= 40; Seed++) {
        HostRunSchedule(Seed, RTL_NUMBER_OF(Routines), Routines, Contexts);
        IoUnregisterFsRegistrationChange(Loaded, Notified);
        IoAcquireVpbSpinLock(&Irql);
        Disk->Vpb->Flags &= (USHORT)~VPB_MOUNTED;
        Disk->Vpb->DeviceObject = NULL;
        IoReleaseVpbSpinLock(Irql);
        IoDeleteDevice(Volume);
    }
    return Overlaps;
}

static void RegistersWhileNothingMounts(void)
{
    TEST_KERNEL Kernel;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"HostTestFs", TRUE, Entry, &Loaded), STATUS_SUCCESS);
    Client = Kernel.Process;
    SlowMount = TRUE;
    CHECK_STATUS(TestOpen(L"\\Device\\HostTestDisk\\File", GENERIC_READ, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    HostLeaveProcess();
    Disk->Vpb->Flags &= (USHORT)~VPB_MOUNTED;
    Disk->Vpb->DeviceObject = NULL;
    IoDeleteDevice(Volume);
    Aware = FALSE;
    CHECK(CountOverlaps() != 0);
    Aware = TRUE;
    CHECK(CountOverlaps() == 0);
    OpenInSchedule(NULL);
    HostEnterProcess(Client);
    SlowMount = FALSE;
    CHECK_STATUS(HostUnloadDriver(Loaded), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

static volatile LONG Notifying; /* somebody is in the notification routine */

static VOID NotifiedSlowly(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(FsActive);
    (VOID) InterlockedIncrement(&Notifying);
    ObDereferenceObject(IoGetAttachedDeviceReference(FileSystem)); /* others may run */
    (VOID) InterlockedDecrement(&Notifying);
}

static VOID RegisterFileSystemInSchedule(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    IoRegisterFileSystem(FileSystem);
    IoUnregisterFileSystem(FileSystem);
}

static VOID UnregisterInSchedule(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    IoUnregisterFsRegistrationChange(Loaded, NotifiedSlowly);
    CHECK(ReadAcquire(&Notifying) == 0);
}

static void UnregisteredIsNotNotified(void)
{
    static const PHOST_ROUTINE Routines[] = {RegisterFileSystemInSchedule, UnregisterInSchedule};
    PVOID Contexts[RTL_NUMBER_OF(Routines)] = {NULL};
    TEST_KERNEL Kernel;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"HostTestFs", TRUE, Entry, &Loaded), STATUS_SUCCESS);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTestDisk\\File", GENERIC_READ, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    HostLeaveProcess();
    IoUnregisterFileSystem(FileSystem);
    for (ULONG64 Seed = 1; Seed <= 40; Seed++) {
        CHECK_STATUS(IoRegisterFsRegistrationChange(Loaded, NotifiedSlowly), STATUS_SUCCESS);
        HostRunSchedule(Seed, RTL_NUMBER_OF(Routines), Routines, Contexts);
    }
    HostEnterProcess(Kernel.Process);
    CHECK_STATUS(HostUnloadDriver(Loaded), STATUS_SUCCESS);
    CHECK(StopTestKernel(&Kernel));
}

static ERESOURCE Guard;

static VOID NotifiedUnderGuard(PDEVICE_OBJECT DeviceObject, BOOLEAN FsActive)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(FsActive);
    (VOID) ExAcquireResourceExclusiveLite(&Guard, TRUE);
    ExReleaseResourceLite(&Guard);
}

/* A lock that a notification routine takes is held while that is unregistered: both threads would wait. */
static void OrderOfGuardAndRegistration(void)
{
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"HostTestFs", TRUE, Entry, &Loaded), STATUS_SUCCESS);
    CHECK_STATUS(ExInitializeResourceLite(&Guard), STATUS_SUCCESS);
    CHECK_STATUS(IoRegisterFsRegistrationChange(Loaded, NotifiedUnderGuard), STATUS_SUCCESS);
    KeEnterCriticalRegion();
    (VOID) ExAcquireResourceExclusiveLite(&Guard, TRUE);
    IoUnregisterFsRegistrationChange(Loaded, NotifiedUnderGuard);
}

static VOID MountAndDismount(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (ULONG Round = 0; Round < 3; Round++) {
        CHECK_STATUS(HostMountVolume(L'Q', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
        CHECK_STATUS(HostDismountVolume(L'Q'), STATUS_SUCCESS);
    }
}

static VOID OpenWhatMayGo(PVOID Context)
{
    HANDLE Handle;

    UNREFERENCED_PARAMETER(Context);
    HostEnterProcess(Client);
    for (ULONG Round = 0; Round < 6; Round++) {
        if (NT_SUCCESS(TestOpen(L"\\??\\Q:\\File", GENERIC_READ, FILE_NON_DIRECTORY_FILE, &Handle))) {
            CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
        }
    }
    HostLeaveProcess();
}

/* An open finds a volume, and is on its way to it, when that is dismounted. */
static void OpensRaceADismount(void)
{
    static const PHOST_ROUTINE Routines[] = {MountAndDismount, OpenWhatMayGo, OpenWhatMayGo};
    PVOID Contexts[RTL_NUMBER_OF(Routines)] = {NULL};
    TEST_KERNEL Kernel;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    Client = Kernel.Process;
    HostLeaveProcess();
    for (ULONG64 Seed = 1; Seed <= 60; Seed++) {
        HostRunSchedule(Seed, RTL_NUMBER_OF(Routines), Routines, Contexts);
    }
    HostEnterProcess(Client);
    CHECK(StopTestKernel(&Kernel));
}

void RunMount(void)
{
    RunTest("a filter that registers mount-aware is told of no file system while a disk is being mounted",
            RegistersWhileNothingMounts);
    RunTest("the first open mounts a disk once, through a recogniser that loads and a filter that sees it",
            FirstOpenMounts);
    RunTest("nobody is in a notification routine that has been unregistered", UnregisteredIsNotNotified);
    RunViolation("a file system's registration and the locks of who is told of it are taken in one order",
                 DRIVER_VERIFIER_DETECTED_VIOLATION, "the other way round", OrderOfGuardAndRegistration);
    RunTest("a volume that is dismounted stays until the opens that have found it are refused", OpensRaceADismount);
}
