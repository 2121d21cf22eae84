/*
 * Devices that tell less than most: without a name, a volume or a table of entries.
 */
#include "core_answered.h"

#include <string.h>

#include "legacy/filter.h"
#include "legacy/legacy.h"
#include "test_file_system.h"
#include "volumes/volumes.h"

/* What an object is called, with the first answer, or every answer, this one. */
static POBJECT_NAME_INFORMATION CoreQueryNameWith(_In_ ULONG Call, _In_ NTSTATUS Answer)
{
    POBJECT_NAME_INFORMATION name;

    CoreRefuse("ObQueryNameString", Call, Answer);
    CHECK_STATUS(PsctxQueryObjectName(PsctxGlobals.DriverObject, &name), STATUS_SUCCESS);
    CHECK(CoreRefused() != 0);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    return name;
}

static VOID CoreCheckObjectNames(PVOID Context)
{
    static const NTSTATUS longer[] = {STATUS_INFO_LENGTH_MISMATCH, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL};
    POBJECT_NAME_INFORMATION name;
    ULONG index;

    UNREFERENCED_PARAMETER(Context);
    for (index = 0; index < RTL_NUMBER_OF(longer); index += 1) {
        name = CoreQueryNameWith(1, longer[index]);
        CHECK(name->Name.Length != 0);
        PsctxFree(name);
    }
    name = CoreQueryNameWith(0, STATUS_OBJECT_NAME_INVALID);
    CHECK_EQUAL(name->Name.Length, 0);
    PsctxFree(name);
    CoreRefuse("ObQueryNameString", 0, STATUS_OBJECT_NAME_INVALID);
    HostFailAllocation(2);
    CHECK_STATUS(PsctxQueryObjectName(PsctxGlobals.DriverObject, &name), STATUS_INSUFFICIENT_RESOURCES);
    HostFailAllocation(0);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK(name == NULL);
}

static VOID CoreRunLoaded(_In_ PHOST_ROUTINE Routine)
{
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CoreRunInKernel(Routine, &core);
    CoreUnloadProbe();
    CoreStop(&core);
}

VOID CoreNamesAreAsLongAsTheyAre(VOID)
{
    CoreRunLoaded(CoreCheckObjectNames);
}

static PDRIVER_OBJECT CoreBareDriver;

static VOID CoreUnloadBare(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static NTSTATUS CoreStartBare(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = CoreUnloadBare;
    return STATUS_SUCCESS;
}

static VOID CoreCheckDevices(PVOID Context)
{
    const PDEVICE_OBJECT control = PsctxGlobals.ControlDevice;
    PSCTX_DEVICE_LIST list;
    VPB block;

    UNREFERENCED_PARAMETER(Context);
    CHECK_STATUS(PsctxListDevices(CoreBareDriver, &list), STATUS_SUCCESS);
    CHECK_EQUAL(list.Count, 0);
    PsctxFreeDeviceList(&list);
    CoreRefuse("IoEnumerateDeviceObjectList", 0, STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(PsctxListDevices(control->DriverObject, &list), STATUS_BUFFER_TOO_SMALL);
    CHECK_EQUAL(list.Count, 0);
    CHECK(CoreRefused() > 1 && CoreRefused() < 100);
    PsctxFreeDeviceList(&list);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);

    /* A volume's block, and none, and one without a volume. */
    CHECK(PsctxReferenceMountedDevice(control) == NULL);
    memset(&block, 0, sizeof(block));
    control->Vpb = &block;
    CHECK(PsctxReferenceMountedDevice(control) == NULL);
    CHECK(!PsctxLooksLikeVolume(control)); /* has a name */
    control->Vpb = NULL;
    CHECK(!PsctxLooksLikeVolume(control));
}

VOID CoreBareDevicesAreNoVolumes(VOID)
{
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CHECK_STATUS(HostLoadDriver(L"CoreBare", FALSE, CoreStartBare, &CoreBareDriver), STATUS_SUCCESS);
    CoreRunInKernel(CoreCheckDevices, NULL);
    CHECK_STATUS(HostUnloadDriver(CoreBareDriver), STATUS_SUCCESS);
    CoreUnloadProbe();
    CoreStop(&core);
}

static ULONG CoreLateDevices; /* that come between the question how many there are and the one for all of them */

static VOID CoreMakeDevices(_In_ ULONG Count)
{
    PDEVICE_OBJECT device;

    for (; Count != 0; Count -= 1) {
        CHECK_STATUS(IoCreateDevice(CoreBareDriver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device), STATUS_SUCCESS);
    }
}

static VOID CoreMakeLateDevices(VOID)
{
    CoreMakeDevices(CoreLateDevices);
}

static VOID CoreWaitForTheSecondQuestion(VOID)
{
    CoreInterrupt("IoEnumerateDeviceObjectList", CoreMakeLateDevices);
}

static VOID CoreListLateDevices(PVOID Context)
{
    PSCTX_DEVICE_LIST list;

    UNREFERENCED_PARAMETER(Context);
    for (CoreLateDevices = 0; CoreLateDevices < 20; CoreLateDevices += 1) {
        CoreMakeDevices(1);
        CoreInterrupt("IoEnumerateDeviceObjectList", CoreWaitForTheSecondQuestion);
        CHECK_STATUS(PsctxListDevices(CoreBareDriver, &list), STATUS_SUCCESS);
        CHECK_EQUAL(list.Count, CoreLateDevices + 1);
        PsctxFreeDeviceList(&list);
        while (CoreBareDriver->DeviceObject != NULL) {
            IoDeleteDevice(CoreBareDriver->DeviceObject);
        }
    }
}

VOID CoreListsHaveWhatHasComeMeanwhile(VOID)
{
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CHECK_STATUS(HostLoadDriver(L"CoreBare", FALSE, CoreStartBare, &CoreBareDriver), STATUS_SUCCESS);
    CoreRunInKernel(CoreListLateDevices, NULL);
    CHECK_STATUS(HostUnloadDriver(CoreBareDriver), STATUS_SUCCESS);
    CoreUnloadProbe();
    CoreStop(&core);
}

/* Housekeeping looks for volumes, and has nobody to tell. */
static VOID CoreLookWithoutDevices(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CoreRefuse("IoEnumerateDeviceObjectList", 1, STATUS_INSUFFICIENT_RESOURCES);
    PsctxLookForVolumes(NULL);
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    PsctxLookForVolumes(NULL);
}

/* Files of drivers that have no entries to acquire and release with: our own, and one without a table. Nothing is held of them. */
static VOID CoreAcquireOthers(PVOID Context)
{
    const CORE *core = Context;
    PFILE_OBJECT file;
    HOST_AUDIT before;
    HOST_AUDIT after;

    CHECK_STATUS(ObReferenceObjectByHandle(core->Control, 0, *IoFileObjectType, UserMode, (PVOID *)&file, NULL),
                 STATUS_SUCCESS);
    HostAudit(&before);
    if (PsctxFastIoDispatch.AcquireFileForNtCreateSection != NULL) {
        KeEnterCriticalRegion();
        PsctxFastIoDispatch.AcquireFileForNtCreateSection(file);
        PsctxFastIoDispatch.ReleaseFileForNtCreateSection(file);
        KeLeaveCriticalRegion();
    }
    HostAudit(&after);
    CHECK_EQUAL(after.Locks, before.Locks);
    ObDereferenceObject(file);
}

VOID CoreHousekeepingHasNobodyToTell(VOID)
{
    CoreRunLoaded(CoreLookWithoutDevices);
}

VOID CoreOwnFilesAreNotAcquired(VOID)
{
    CoreSetVersion(5, 2);
    CoreRunLoaded(CoreAcquireOthers);
    CoreSetVersion(0, 0);
}

/* How many turns it took, until the thread sleeps. */
static ULONG CoreTurnsUntilAsleep(VOID)
{
    LARGE_INTEGER moment = {.QuadPart = -10000};
    BOOLEAN sleeps = FALSE;
    ULONG patience;
    ULONG turns = 0;

    for (patience = 10000; patience != 0 && !sleeps; patience -= 1) {
        KeDelayExecutionThread(KernelMode, FALSE, &moment);
        turns = CoreTurns(&sleeps);
    }
    CHECK(sleeps);
    return turns;
}

/* Where the kernel cannot wait for mounts, volumes are looked for in turns 1, 2, 4 and so on; a device that has left its stack ages by turns. */
VOID CoreHousekeepingSleepsWhenItIsDone(VOID)
{
    static const PCWSTR mountAware[] = {L"IoRegisterFsRegistrationChangeMountAware", NULL};
    ULONG looks;
    CORE core;

    CoreHurryTurns(TRUE);
    CoreHideRoutines(mountAware);
    CoreRefuse("IoEnumerateDeviceObjectList", 0,
               STATUS_INSUFFICIENT_RESOURCES); /* a look ends with the first refusal */
    CoreStart(&core);
    CHECK_EQUAL(CoreTurnsUntilAsleep(), 512);
    looks = CoreRefused();
    CoreStop(&core);
    CoreHurryTurns(FALSE);
    CoreStart(&core); /* and is gone before it is done */
    HostLeaveProcess();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    HostEnterProcess(core.Process);
    CoreStop(&core);
    CoreHideRoutines(NULL);

    CoreHurryTurns(TRUE);
    CoreRefuse("IoEnumerateDeviceObjectList", 0, STATUS_INSUFFICIENT_RESOURCES);
    CoreStart(&core);
    CHECK_EQUAL(looks - CoreRefused(), 10);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    HostLeaveProcess();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    HostEnterProcess(core.Process);
    CHECK_EQUAL(CoreTurnsUntilAsleep(), 20);
    CoreHurryTurns(FALSE);
    CoreStop(&core);
}

static ULONG CoreDelays;
static ULONG CoreLastDelay; /* after which the volume's device is initialised */

static VOID CoreInitialise(ULONG Count)
{
    CoreDelays = Count;
    if (Count == CoreLastDelay) {
        TestFileSystem.VolumeDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
}

/* A volume that is found while it is being mounted is waited for, and not for ever. */
VOID CoreVolumesAreWaitedForWithinBounds(VOID)
{
    static const struct {
        ULONG Initialised; /* after so many delays; zero: never */
        ULONG Delays;
        ULONG Attached;
    } mounts[] = {{1, 1, 1}, {3, 3, 1}, {7, 7, 1}, {0, 7, 0}};
    PDRIVER_OBJECT disk;
    ULONG index;
    CORE core;

    for (index = 0; index < RTL_NUMBER_OF(mounts); index += 1) {
        TestFileSystemReset();
        CoreBoot();
        CHECK_STATUS(TestDiskLoad(L"TestDisk", &disk, &TestFileSystem.Disk), STATUS_SUCCESS);
        CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
        core.Process = CoreCreateProcess(TRUE);
        HostEnterProcess(core.Process);
        CoreClose(CoreOpenFile(TEST_DISK L"\\file"));
        TestFileSystem.VolumeDevice->Flags |= DO_DEVICE_INITIALIZING;
        CoreDelays = 0;
        CoreLastDelay = mounts[index].Initialised;
        CoreSetDelayRoutine(CoreInitialise);
        core.Driver = CoreLoadDriver();
        CoreSetDelayRoutine(NULL);
        CHECK_EQUAL(CoreDelays, mounts[index].Delays);
        core.Control = CoreOpenSession(CORE_READ_WRITE);
        CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1 + mounts[index].Attached);
        CoreClose(core.Control);
        HostLeaveProcess();
        CoreEndProcess(core.Process);
        CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
        TestFileSystemUnload();
        CHECK_STATUS(HostUnloadDriver(disk), STATUS_SUCCESS);
        CoreShutdown();
    }
}
