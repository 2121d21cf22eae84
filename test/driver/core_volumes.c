/*
 * What is known of volumes and of their file systems, and for how long.
 */
#include "core_answered.h"

#include <string.h>

#include "core_redirector.h"
#include "volumes/volumes.h"

#define CORE_MET 32u /* file systems that are kept */

static NTSTATUS CoreListVolumes(_In_ HANDLE Control, _Out_writes_bytes_(Length) PSCTX_VOLUMES_REPLY *Reply,
                                _In_ ULONG Length)
{
    PSCTX_VOLUMES_REQUEST request = {0};

    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    return CoreControl(Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), Reply, Length, NULL);
}

#define CORE_SORTED 7u

static VOID CoreCheckSorted(_In_reads_(Count) const ULONG *Keys, _In_ ULONG Count)
{
    PSCTX_KEYED entries[CORE_SORTED];
    ULONG index;

    for (index = 0; index < Count; index += 1) {
        entries[index].Key = Keys[index];
        entries[index].Value = NULL;
    }
    PsctxSort(entries, Count);
    for (index = 0; index < Count; index += 1) {
        CHECK_EQUAL(entries[index].Key, index);
    }
}

/* Every order of so many keys, by exchanging one of those before an end with that at the end, for each end. */
static VOID CorePermute(_Inout_updates_(Count) PULONG Keys, _In_ ULONG Count)
{
    ULONG turn[CORE_SORTED] = {0};
    ULONG end = 0;

    CoreCheckSorted(Keys, Count);
    while (end < Count) {
        if (turn[end] < end) {
            const ULONG other = end % 2 == 0 ? 0 : turn[end];
            const ULONG key = Keys[end];

            Keys[end] = Keys[other];
            Keys[other] = key;
            CoreCheckSorted(Keys, Count);
            turn[end] += 1;
            end = 0;
        } else {
            turn[end] = 0;
            end += 1;
        }
    }
}

VOID CoreEveryOrderIsSorted(VOID)
{
    ULONG count;
    CORE core;

    CoreStart(&core);
    for (count = 0; count <= CORE_SORTED; count += 1) {
        ULONG keys[CORE_SORTED];
        ULONG index;

        for (index = 0; index < count; index += 1) {
            keys[index] = index;
        }
        CorePermute(keys, count);
    }
    CoreStop(&core);
}

/* Of two that need room of different sizes, of which neither has it, it is the first that a client has to make room for. */
VOID CoreVolumesThatDoNotFitTellWhatTheFirstNeeds(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[1024];
    PSCTX_VOLUMES_REPLY *reply = (PSCTX_VOLUMES_REPLY *)output;
    const PSCTX_VOLUME_ENTRY *first = (const PSCTX_VOLUME_ENTRY *)(reply + 1);
    const PSCTX_VOLUME_ENTRY *second;
    ULONG secondSize;
    ULONG firstSize;
    ULONG mounts = 0;
    CORE core;

    CoreStart(&core);
    do { /* until the number of its disk is long enough */
        if (mounts != 0) {
            CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
        }
        CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_DIRECTORY, "/"), STATUS_SUCCESS);
        CHECK_STATUS(CoreListVolumes(core.Control, reply, sizeof(output)), STATUS_SUCCESS);
        CHECK_EQUAL(reply->Count, 2);
        firstSize = first->Size;
        second = (const PSCTX_VOLUME_ENTRY *)((const UCHAR *)first + firstSize);
        secondSize = second->Size;
        mounts += 1;
        CHECK(mounts < 1000);
    } while (secondSize == firstSize);

    CHECK_STATUS(CoreListVolumes(core.Control, reply, sizeof(*reply)), STATUS_BUFFER_OVERFLOW);
    CHECK_EQUAL(reply->Remaining, 2);
    CHECK_EQUAL(reply->NextSize, firstSize);
    CHECK_STATUS(CoreListVolumes(core.Control, reply, (ULONG)sizeof(*reply) + firstSize), STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    CHECK_EQUAL(reply->Remaining, 1);
    CHECK_EQUAL(reply->NextSize, secondSize);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    CoreStop(&core);
}

static ULONG CoreStorageNameLength(_In_ HANDLE Control)
{
    DECLSPEC_ALIGN(8) UCHAR output[1024];
    PSCTX_VOLUMES_REPLY *reply = (PSCTX_VOLUMES_REPLY *)output;

    CHECK_STATUS(CoreListVolumes(Control, reply, sizeof(output)), STATUS_SUCCESS);
    CHECK_EQUAL(reply->Count, 1);
    return ((const PSCTX_VOLUME_ENTRY *)(reply + 1))->DeviceNameLength;
}

/* The kernel does not tell the volume's disk. */
static VOID CoreStartWithoutStorage(_Out_ PCORE Core)
{
    CoreBoot();
    HostSetQuirks(HOST_QUIRK_VERSION_52 | HOST_QUIRK_DISK_OF_DEVICES_WITH_VPB);
    Core->Driver = CoreLoadDriver();
    Core->Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Core->Process);
    Core->Control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreStorageNameLength(Core->Control), 0);
}

static BOOLEAN CoreOpenedMeanwhile;

static VOID CoreOpenMeanwhile(VOID)
{
    CoreClose(CoreOpenFile(CORE_OTHER_FILE));
    CoreOpenedMeanwhile = TRUE;
}

/* Another open has told the name when the first has learnt it. */
VOID CoreStorageIsToldByOneOfTwoOpens(VOID)
{
    CORE core;

    CoreStartWithoutStorage(&core);
    CoreInterrupt("ObQueryNameString", CoreOpenMeanwhile);
    CoreClose(CoreOpenFile(CORE_FILE));
    CHECK(CoreOpenedMeanwhile);
    CHECK(CoreStorageNameLength(core.Control) != 0);
    CoreStop(&core);
    HostSetQuirks(0);
}

/* Where the kernel does not tell a volume's disk, a file that is opened does: without memory it is the next one, and none after that. */
VOID CoreStorageIsAskedForItsNameOnce(VOID)
{
    CORE core;

    CoreStartWithoutStorage(&core);
    CoreRefuse("ExAllocatePoolWithTag", 0, STATUS_INSUFFICIENT_RESOURCES);
    CoreClose(CoreOpenFile(CORE_FILE));
    CHECK(CoreRefused() != 0);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK_EQUAL(CoreStorageNameLength(core.Control), 0);
    CoreClose(CoreOpenFile(CORE_FILE));
    CHECK(CoreStorageNameLength(core.Control) != 0);
    CoreRefuse("ObQueryNameString", 1, STATUS_OBJECT_NAME_INVALID);
    CoreClose(CoreOpenFile(CORE_FILE));
    CHECK_EQUAL(CoreRefused(), 0);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CoreStop(&core);
    HostSetQuirks(0);
}

/* Of two file systems, neither of whose devices could be listed when the driver came. */
VOID CoreVolumesOfEveryFileSystemAreLookedFor(VOID)
{
    DECLSPEC_ALIGN(8) UCHAR output[1024];
    CORE core;

    CoreBoot();
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_DIRECTORY, "/"), STATUS_SUCCESS);
    CoreRefuse("IoEnumerateDeviceObjectList", 0, STATUS_INSUFFICIENT_RESOURCES);
    core.Driver = CoreLoadDriver();
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 0);
    CHECK_STATUS(CoreListVolumes(core.Control, (PSCTX_VOLUMES_REPLY *)output, sizeof(output)), STATUS_SUCCESS);
    CHECK_EQUAL(((const PSCTX_VOLUMES_REPLY *)output)->Count, 2);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 2);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    CoreStop(&core);
}

static VOID CoreUnloadFileSystem(PDRIVER_OBJECT DriverObject)
{
    IoUnregisterFileSystem(DriverObject->DeviceObject);
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS CoreStartFileSystem(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = CoreUnloadFileSystem;
    status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &device);
    if (NT_SUCCESS(status)) {
        device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        IoRegisterFileSystem(device);
    }
    return status;
}

/* As many as are kept stand when the driver is unloaded; once they are gone, a redirector is kept that was there with them. */
VOID CoreFileSystemsAreKeptUntilTheDriverIsUnloaded(VOID)
{
    PDRIVER_OBJECT drivers[CORE_MET];
    CORE_INSERTION insertion = {.Owner = 1};
    WCHAR name[] = L"CoreFs00";
    ULONG_PTR subsystem;
    ULONG index;
    CORE core;

    CoreStart(&core);
    for (index = 0; index < RTL_NUMBER_OF(drivers); index += 1) {
        name[6] = (WCHAR)(L'0' + index / 10);
        name[7] = (WCHAR)(L'0' + index % 10);
        CHECK_STATUS(HostLoadDriver(name, TRUE, CoreStartFileSystem, &drivers[index]), STATUS_SUCCESS);
    }
    CoreClose(core.Control);
    HostLeaveProcess();
    CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
    subsystem = CoreLoadSubsystem(L"RDBSS");
    CoreLoadRedirector(L"CoreNet", subsystem);
    for (index = 0; index < RTL_NUMBER_OF(drivers); index += 1) {
        CHECK_STATUS(HostUnloadDriver(drivers[index]), STATUS_SUCCESS);
    }
    core.Driver = CoreLoadDriver();
    HostEnterProcess(core.Process);
    core.Control = CoreOpenSession(CORE_READ_WRITE);

    /* It is known to be built on a subsystem that tears down, and its file need not be kept for that. */
    CHECK_STATUS(CoreOpen(CORE_REMOTE_FILE, NULL, CORE_READ, FILE_OPEN, 0, &insertion.Stream), STATUS_SUCCESS);
    CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
    CoreClose(insertion.Stream);
    CHECK_EQUAL(CoreRedirector.Opens, 0);
    CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
    CoreUnloadRedirector();
    CoreUnloadSubsystem();
    CoreStop(&core);
}
