/*
 * What INSPECT tells of a stream's list of contexts: whose, in which order, of which image; and what it does not tell.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_filters.h"
#include "core_fixture.h"
#include "core_probe.h"
#include "core_random.h"

#include "inspection/inspection.h"
#include "kernel.h"

#define CORE_SEEDS 200u
#define CORE_ROUNDS 300u
#define CORE_LOCK_TAG 0x6B636F4Cu
#define CORE_REPLY_SIZE (64u << 10)

/* One session, two other filters, a file. */
typedef struct _CORE_INSPECTION {
    CORE Core;
    HANDLE Stream;
    ULONG Length; /* of the reply */
    union {
        PSCTX_INSPECT_REPLY Reply;
        DECLSPEC_ALIGN(8) UCHAR Bytes[CORE_REPLY_SIZE];
    };
} CORE_INSPECTION, *PCORE_INSPECTION;

static VOID CoreStartInspection(_Out_ PCORE_INSPECTION Inspection)
{
    extern const CHAR __start_PAGE[];
    extern const CHAR __stop_PAGE[];

    memset(Inspection, 0, sizeof(*Inspection));
    CoreBoot();
    CoreLoadFilter(&CoreLower);
    Inspection->Core.Driver = CoreLoadDriver();
    HostSetDriverImage(Inspection->Core.Driver, __start_PAGE, (SIZE_T)(__stop_PAGE - __start_PAGE));
    CoreLoadFilter(&CoreUpper);
    CoreLoadProbe();
    Inspection->Core.Process = CoreCreateProcess(TRUE);
    HostEnterProcess(Inspection->Core.Process);
    Inspection->Core.Control = CoreOpenSession(CORE_READ_WRITE);
    Inspection->Stream = CoreOpenFile(CORE_FILE);
}

static VOID CoreStopInspection(_In_ const CORE_INSPECTION *Inspection)
{
    HostLeaveProcess();
    CoreEndProcess(Inspection->Core.Process);
    CoreUnloadFilter(&CoreUpper);
    CoreUnloadProbe();
    CHECK_STATUS(HostUnloadDriver(Inspection->Core.Driver), STATUS_SUCCESS);
    CoreUnloadFilter(&CoreLower);
    CoreShutdown();
}

/* Inspects with room for Capacity bytes, in memory that ends there. */
static NTSTATUS CoreInspectInto(_In_ HANDLE Control, _In_ HANDLE Stream, _Out_writes_bytes_(Capacity) PVOID Output,
                                _In_ ULONG Capacity, _Out_ PULONG Length)
{
    PSCTX_STREAM_REQUEST request = {.Handle = (ULONG_PTR)Stream};
    const PSCTX_INSPECT_REPLY *reply = Output;
    NTSTATUS status;

    CoreSetHeader(&request.Header, PSCTX_OPERATION_INSPECT, sizeof(request));
    memset(Output, 0xA5, Capacity);
    status = CoreControl(Control, PSCTX_IOCTL_INSPECT, &request, sizeof(request), Output, Capacity, Length);
    if (!NT_ERROR(status)) {
        CHECK_EQUAL(reply->Header.Size, *Length);
        CHECK_EQUAL(reply->Header.Version, PSCTX_ABI_VERSION);
        CHECK_EQUAL(reply->Header.Operation, PSCTX_OPERATION_INSPECT);
    }
    return status;
}

static NTSTATUS CoreInspect(_Inout_ PCORE_INSPECTION Inspection, _In_ HANDLE Control, _In_ HANDLE Stream)
{
    return CoreInspectInto(Control, Stream, Inspection->Bytes, sizeof(Inspection->Bytes), &Inspection->Length);
}

/* The entry with this number, whose extent is checked. */
static const PSCTX_INSPECT_ENTRY *CoreEntry(_In_ const CORE_INSPECTION *Inspection, _In_ ULONG Number)
{
    ULONG offset = sizeof(PSCTX_INSPECT_REPLY);
    ULONG index;

    CHECK(Number < Inspection->Reply.Count);
    for (index = 0;; index += 1) {
        const PSCTX_INSPECT_ENTRY *entry = (const PSCTX_INSPECT_ENTRY *)(Inspection->Bytes + offset);

        CHECK_EQUAL(offset % 8, 0);
        CHECK(offset + sizeof(*entry) <= Inspection->Length);
        CHECK_EQUAL(entry->Size, ALIGN_UP_BY(sizeof(*entry) + entry->ModuleLength + entry->OwnerNameLength, 8u));
        CHECK(offset + entry->Size <= Inspection->Length);
        if (index == Number) {
            return entry;
        }
        offset += entry->Size;
    }
}

static BOOLEAN CoreIsText(_In_ const VOID *Text, _In_ ULONG Length, _In_z_ PCWSTR Expected)
{
    UNICODE_STRING expected;

    RtlInitUnicodeString(&expected, Expected);
    return Length == expected.Length && memcmp(Text, expected.Buffer, Length) == 0;
}

static VOID CoreCheckModule(_In_ const PSCTX_INSPECT_ENTRY *Entry, _In_z_ PCWSTR Name)
{
    CHECK(CoreIsText(Entry + 1, Entry->ModuleLength, Name));
}

static VOID CoreCheckOwnerName(_In_ const PSCTX_INSPECT_ENTRY *Entry, _In_ ULONG Kind, _In_z_ PCWSTR Name)
{
    CHECK_EQUAL(Entry->OwnerKind, Kind);
    CHECK(CoreIsText((const UCHAR *)(Entry + 1) + Entry->ModuleLength, Entry->OwnerNameLength, Name));
}

/* One of another filter's: whose image, and nothing of ours. */
static VOID CoreCheckOther(_In_ const PSCTX_INSPECT_ENTRY *Entry, _In_ const CORE_FILTER *Filter, _In_z_ PCWSTR Module)
{
    CHECK_EQUAL(Entry->Holder, PSCTX_HOLDER_OTHER_FILTER);
    CHECK_EQUAL(Entry->OwnerKey, 0);
    CHECK_EQUAL(Entry->Instance, 0);
    CHECK_EQUAL(Entry->Sequence, 0);
    CHECK_EQUAL(Entry->DataLength, 0);
    CHECK(Entry->OwnerToken != 0);
    CoreCheckModule(Entry, Module);
    CHECK_EQUAL(Entry->CallbackOffset, (ULONG_PTR)Filter->FreeCallback - (ULONG_PTR)Filter->ImageStart);
}

static VOID CoreInsertOwn(_In_ HANDLE Control, _In_ HANDLE Stream, _In_ ULONG64 Owner, _In_ ULONG64 Instance)
{
    const CORE_INSERTION insertion = {
        .Stream = Stream, .Owner = Owner, .Instance = Instance, .DataLength = 5, .Data = "12345"};

    CHECK_STATUS(CoreInsert(Control, &insertion, NULL), STATUS_SUCCESS);
}

static NTSTATUS CoreTrackAll(_In_ HANDLE Control, _In_ ULONG Flags)
{
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[4];
    } request = {.Record = {.OwnerKey = 3, .Instance = 4, .PatternLength = 2, .Flags = Flags}, .Pattern = {L'*'}};
    const ULONG length = (ULONG)sizeof(request.Record) + 2;
    PSCTX_RULE_RECORD reply;

    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, length);
    return CoreControl(Control, PSCTX_IOCTL_TRACK, &request, length, &reply, sizeof(reply), NULL);
}

/* What is told. */

static VOID CoreVersionIsTheHeaders(VOID)
{
    CORE_INSPECTION inspection;
    PSCTX_STREAM_REPLY reply;

    CoreStartInspection(&inspection);
    CHECK_STATUS(CoreQueryStream(inspection.Core.Control, inspection.Stream, &reply), STATUS_SUCCESS);
    CHECK_EQUAL(reply.Support, PSCTX_SUPPORT_YES);
    CHECK_EQUAL(reply.HeaderVersion, CoreHeaderOf(inspection.Stream)->Version);
    CHECK(reply.HeaderVersion != 0);
    CoreStopInspection(&inspection);
}

static VOID CoreEmptyListIsEmpty(VOID)
{
    CORE_INSPECTION inspection;

    CoreStartInspection(&inspection);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Length, sizeof(PSCTX_INSPECT_REPLY));
    CHECK_EQUAL(inspection.Reply.Count, 0);
    CHECK_EQUAL(inspection.Reply.Remaining, 0);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Core.Control),
                 STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, (HANDLE)(ULONG_PTR)0x7FFC), STATUS_INVALID_HANDLE);
    CoreStopInspection(&inspection);
}

/* Each filter hangs its context on the stream when the create comes back to it: the lowest first. */
static VOID CoreListIsInOrderOfTheStack(VOID)
{
    const PSCTX_INSPECT_ENTRY *entry;
    CORE_INSPECTION inspection;
    HANDLE stream;

    CoreUpper.InsertsAtCreate = TRUE;
    CoreLower.InsertsAtCreate = TRUE;
    CoreStartInspection(&inspection);
    CHECK_STATUS(CoreTrackAll(inspection.Core.Control, 0), STATUS_SUCCESS);
    stream = CoreOpenFile(CORE_OTHER_FILE);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 3);

    entry = CoreEntry(&inspection, 0);
    CoreCheckOther(entry, &CoreUpper, L"CoreUpper.sys");
    CoreCheckOwnerName(entry, PSCTX_OWNER_DEVICE, L"\\FileSystem\\CoreUpper");
    CHECK_EQUAL(entry->InstanceToken, 0);

    entry = CoreEntry(&inspection, 1);
    CHECK_EQUAL(entry->Holder, PSCTX_HOLDER_SELF);
    CHECK_EQUAL(entry->OwnerKey, 3);
    CHECK_EQUAL(entry->Instance, 4);
    CHECK(entry->Sequence != 0);
    CHECK(entry->OwnerToken != 0 && entry->InstanceToken != 0);
    CoreCheckModule(entry, CoreFront() == PSCTX_FRONT_LEGACY ? L"PsCtx.sys" : L"PsCtx-Minifilter.sys");
    CoreCheckOwnerName(entry, PSCTX_OWNER_UNKNOWN, L"");

    entry = CoreEntry(&inspection, 2);
    CoreCheckOther(entry, &CoreLower, L"CoreLower.sys");
    CoreCheckOwnerName(entry, PSCTX_OWNER_DEVICE, L"\\FileSystem\\CoreLower");
    CoreClose(stream);
    CoreStopInspection(&inspection);
}

static VOID CoreHoldersAreToldApart(VOID)
{
    const PSCTX_INSPECT_ENTRY *entry;
    CORE_INSPECTION inspection;
    HANDLE second;

    CoreStartInspection(&inspection);
    second = CoreOpenSession(CORE_READ_WRITE);
    CoreInsertOwn(inspection.Core.Control, inspection.Stream, 1, 2);
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Device, NULL);
    CoreInsertOwn(second, inspection.Stream, 1, 2);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 3);

    entry = CoreEntry(&inspection, 0);
    CHECK_EQUAL(entry->Holder, PSCTX_HOLDER_OTHER_SESSION);
    CHECK_EQUAL(entry->OwnerKey, 0);
    CHECK_EQUAL(entry->Instance, 0);
    CHECK_EQUAL(entry->Sequence, 0);
    CHECK_EQUAL(entry->DataLength, 0);
    CHECK(entry->OwnerToken != CoreEntry(&inspection, 2)->OwnerToken);
    CHECK(entry->InstanceToken != CoreEntry(&inspection, 2)->InstanceToken);
    CoreCheckOther(CoreEntry(&inspection, 1), &CoreUpper, L"CoreUpper.sys");
    entry = CoreEntry(&inspection, 2);
    CHECK_EQUAL(entry->Holder, PSCTX_HOLDER_SELF);
    CHECK_EQUAL(entry->OwnerKey, 1);
    CHECK_EQUAL(entry->Instance, 2);
    CHECK_EQUAL(entry->DataLength, 5);

    CHECK_STATUS(CoreInspect(&inspection, second, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEntry(&inspection, 0)->Holder, PSCTX_HOLDER_SELF);
    CHECK_EQUAL(CoreEntry(&inspection, 2)->Holder, PSCTX_HOLDER_OTHER_SESSION);
    CoreStopInspection(&inspection);
}

static VOID CoreOwnersAreDevicesAndDrivers(VOID)
{
    static CHAR elsewhere;
    CORE_INSPECTION inspection;

    CoreStartInspection(&inspection);
    CoreHang(&CoreLower, inspection.Stream, CoreUpper.Device, NULL); /* the image is one thing, the owner another */
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Device->DeviceExtension, NULL);
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Driver, NULL);
    CoreHang(&CoreUpper, inspection.Stream, CoreLower.Driver, NULL);
    CoreHang(&CoreUpper, inspection.Stream, &elsewhere, NULL);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 5);
    CoreCheckOwnerName(CoreEntry(&inspection, 0), PSCTX_OWNER_UNKNOWN, L"");
    CoreCheckOwnerName(CoreEntry(&inspection, 1), PSCTX_OWNER_DRIVER, L"\\FileSystem\\CoreLower");
    CoreCheckOwnerName(CoreEntry(&inspection, 2), PSCTX_OWNER_DRIVER, L"\\FileSystem\\CoreUpper");
    CoreCheckOwnerName(CoreEntry(&inspection, 3), PSCTX_OWNER_DEVICE, L"\\FileSystem\\CoreUpper");
    CoreCheckOwnerName(CoreEntry(&inspection, 4), PSCTX_OWNER_DEVICE, L"\\FileSystem\\CoreUpper");
    CoreCheckOther(CoreEntry(&inspection, 4), &CoreLower, L"CoreLower.sys");
    CoreStopInspection(&inspection);
}

#define CORE_LOOKED_AT 64u /* devices of a stack, from its top */

static PDEVICE_OBJECT CoreTower[CORE_LOOKED_AT];
static ULONG CoreTowerHeight;

static VOID CoreTowerUnload(PDRIVER_OBJECT DriverObject)
{
    ULONG index;

    UNREFERENCED_PARAMETER(DriverObject);

    for (index = CoreTowerHeight; index != 0; index -= 1) {
        IoDetachDevice(index > 1 ? CoreTower[index - 2] : CoreUpper.Device);
        IoDeleteDevice(CoreTower[index - 1]);
    }
}

/* Devices that pass nothing on, one upon the other: for a stack that no request comes to meanwhile. */
static NTSTATUS CoreTowerEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG index;

    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = CoreTowerUnload;
    for (index = 0; index < CoreTowerHeight; index += 1) {
        CHECK_STATUS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &CoreTower[index]),
                     STATUS_SUCCESS);
        CHECK(IoAttachDeviceToDeviceStack(CoreTower[index], CoreUpper.Device) != NULL);
        CoreTower[index]->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    return STATUS_SUCCESS;
}

/* The owner is the last of a stack's devices that is looked at, or the one below it; either way every device can go afterwards. */
static VOID CoreOwnersOfDeepStacksAreUnknown(VOID)
{
    CORE_INSPECTION inspection;
    PDRIVER_OBJECT tower;

    for (CoreTowerHeight = CORE_LOOKED_AT - 1; CoreTowerHeight <= CORE_LOOKED_AT; CoreTowerHeight += 1) {
        const BOOLEAN isSeen = CoreTowerHeight < CORE_LOOKED_AT;

        CoreStartInspection(&inspection);
        CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Device, NULL);
        CHECK_STATUS(HostLoadDriver(L"CoreTower", FALSE, CoreTowerEntry, &tower), STATUS_SUCCESS);
        CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
        CHECK_EQUAL(inspection.Reply.Count, 1);
        CoreCheckOwnerName(CoreEntry(&inspection, 0), isSeen ? PSCTX_OWNER_DEVICE : PSCTX_OWNER_UNKNOWN,
                           isSeen ? L"\\FileSystem\\CoreUpper" : L"");
        CHECK_STATUS(HostUnloadDriver(tower), STATUS_SUCCESS);
        CoreStopInspection(&inspection);
    }
}

/*
 * What most of a live volume's lists show: minifilters that set contexts have one of Filter Manager's on each stream, all of them together.
 */
static VOID CoreMinifiltersShareFilterManagersContext(VOID)
{
    static CORE_INSPECTION inspection;
    PDRIVER_OBJECT scanner;
    PDRIVER_OBJECT backup;
    HANDLE stream;

    CoreStartInspection(&inspection);
    CHECK_STATUS(HostLoadMarker(L"Scanner", L"320000", &scanner), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadMarker(L"Backup", L"280000.5", &backup), STATUS_SUCCESS);
    stream = CoreOpenFile(L"\\??\\M:\\files\\two.txt");
    CoreInsertOwn(inspection.Core.Control, stream, 1, 2);

    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 2);
    CHECK_EQUAL(CoreEntry(&inspection, 0)->Holder, PSCTX_HOLDER_SELF);
    CHECK_EQUAL(CoreEntry(&inspection, 1)->Holder, PSCTX_HOLDER_OTHER_FILTER);
    CoreCheckModule(CoreEntry(&inspection, 1), L"FltMgr.sys");

    CoreClose(stream);
    CHECK_STATUS(HostUnloadDriver(backup), STATUS_SUCCESS);
    CHECK_STATUS(HostUnloadDriver(scanner), STATUS_SUCCESS);
    CoreStopInspection(&inspection);
}

static VOID CoreCallbackOfNoImageHasNoModule(VOID)
{
    CORE_FILTER nowhere = CoreUpper;
    CORE_INSPECTION inspection;

    CoreStartInspection(&inspection);
    nowhere.FreeCallback = ExFreePool;
    CoreHang(&nowhere, inspection.Stream, &nowhere, NULL);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEntry(&inspection, 0)->ModuleLength, 0);
    CHECK_EQUAL(CoreEntry(&inspection, 0)->CallbackOffset, 0);
    CHECK(CoreTake(inspection.Stream, &nowhere));
    CoreStopInspection(&inspection);
}

/* Modules are told, or it is said that there was no memory for them. */
static VOID CoreModulesAreToldOrThereIsNoMemory(VOID)
{
    CORE_INSPECTION inspection;
    ULONG failures = 0;
    ULONG countdown;

    CoreStartInspection(&inspection);
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Device, NULL);
    for (countdown = 1; countdown <= 48; countdown += 1) {
        NTSTATUS status;

        HostFailAllocation(countdown);
        status = CoreInspect(&inspection, inspection.Core.Control, inspection.Stream);
        HostFailAllocation(0);
        if (NT_SUCCESS(status)) {
            CoreCheckOther(CoreEntry(&inspection, 0), &CoreUpper, L"CoreUpper.sys");
        } else {
            CHECK_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
            failures += 1;
        }
    }
    CHECK(failures > 2 && failures < 48);
    CoreStopInspection(&inspection);
}

/* Tokens. */

static VOID CoreTokensNameOwnersOnEveryStream(VOID)
{
    CORE_INSPECTION first;
    CORE_INSPECTION second;
    ULONG left;
    ULONG right;
    HANDLE stream;

    CoreStartInspection(&first);
    stream = CoreOpenFile(CORE_OTHER_FILE);
    for (left = 0; left < 2; left += 1) {
        const HANDLE target = left == 0 ? first.Stream : stream;

        CoreHang(&CoreUpper, target, CoreUpper.Device, &CoreUpper);
        CoreHang(&CoreLower, target, CoreLower.Device, &CoreUpper);
        CoreHang(&CoreLower, target, CoreLower.Device, &CoreLower);
        CoreInsertOwn(first.Core.Control, target, 1, 1);
        CoreInsertOwn(first.Core.Control, target, 1, 2);
        CoreInsertOwn(first.Core.Control, target, 2, 1);
    }
    second = first;
    CHECK_STATUS(CoreInspect(&first, first.Core.Control, first.Stream), STATUS_SUCCESS);
    CHECK_STATUS(CoreInspect(&second, first.Core.Control, stream), STATUS_SUCCESS);
    CHECK_EQUAL(first.Reply.Count, 6);
    CHECK_EQUAL(second.Reply.Count, 6);
    for (left = 0; left < 6; left += 1) {
        for (right = 0; right < 6; right += 1) {
            static const ULONG owners[] = {0, 1, 1, 2, 2, 3};    /* youngest first */
            static const ULONG instances[] = {0, 1, 2, 3, 4, 4}; /* of ours, of an owner */
            const PSCTX_INSPECT_ENTRY *one = CoreEntry(&first, left);
            const PSCTX_INSPECT_ENTRY *other = CoreEntry(&second, right);

            CHECK_EQUAL(one->OwnerToken == other->OwnerToken, owners[left] == owners[right]);
            CHECK_EQUAL(one->InstanceToken == other->InstanceToken, instances[left] == instances[right]);
        }
    }
    CoreClose(stream);
    CoreStopInspection(&first);
}

static VOID CoreKeyIsTheKernelsRandomNumber(VOID)
{
    const ULONG64 owner = (ULONG_PTR)&CoreRandom;
    CORE_INSPECTION inspection;
    PDRIVER_OBJECT random;

    CoreStartInspection(&inspection);
    random = CoreLoadRandom();
    CoreHang(&CoreUpper, inspection.Stream, (PVOID)(ULONG_PTR)owner, NULL);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEntry(&inspection, 0)->OwnerToken, PsctxSipHash(CoreRandom.Numbers, &owner, 1));
    CHECK_STATUS(HostUnloadDriver(random), STATUS_SUCCESS);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(CoreEntry(&inspection, 0)->OwnerToken, PsctxSipHash(CoreRandom.Numbers, &owner, 1));
    CoreStopInspection(&inspection);
}

static VOID CoreKeysDifferFromLoadToLoad(VOID)
{
    CORE_INSPECTION inspection;
    ULONG64 token = 0;
    ULONG round;

    for (round = 0; round < 2; round += 1) {
        CoreStartInspection(&inspection);
        CoreHang(&CoreUpper, inspection.Stream, &CoreUpper, NULL);
        CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
        CHECK(CoreEntry(&inspection, 0)->OwnerToken != token);
        token = CoreEntry(&inspection, 0)->OwnerToken;
        CoreStopInspection(&inspection);
    }
}

/*
 * No address of the kernel: everything that is mapped here but the sanitizers' shadows, of which the smallest has 256 MiB.
 *
 * Where an address has 32 bits, one number of some dozens is one by chance: there only a place that has an address each time, with other
 * random numbers, is one that tells it.
 */
#define CORE_SCANS (sizeof(PVOID) == sizeof(ULONG) ? 6u : 1u)

typedef struct _CORE_RANGES {
    ULONG Count;
    struct {
        ULONG64 Start;
        ULONG64 End;
    } Ranges[4096];
} CORE_RANGES;

static CORE_RANGES CoreRanges;

/* Where in a reply there was an address each time. */
typedef struct _CORE_SCAN {
    BOOLEAN Addresses[CORE_REPLY_SIZE];
} CORE_SCAN, *PCORE_SCAN;

static VOID CoreReadRanges(VOID)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long long start;
    unsigned long long end;
    char line[512];
    char access[8];

    CHECK(maps != NULL);
    CoreRanges.Count = 0;
    while (fgets(line, sizeof(line), maps) != NULL && CoreRanges.Count < RTL_NUMBER_OF(CoreRanges.Ranges)) {
        if (sscanf(line, "%llx-%llx %7s", &start, &end, access) == 3 && access[0] == 'r' && end - start < 1ull << 28) {
            CoreRanges.Ranges[CoreRanges.Count].Start = start;
            CoreRanges.Ranges[CoreRanges.Count].End = end;
            CoreRanges.Count += 1;
        }
    }
    (void)fclose(maps);
    CHECK(CoreRanges.Count > 4);
}

static BOOLEAN CoreIsAddress(_In_ ULONG_PTR Value)
{
    ULONG index;

    for (index = 0; index < CoreRanges.Count; index += 1) {
        if (Value >= CoreRanges.Ranges[index].Start && Value < CoreRanges.Ranges[index].End) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID CoreStartScan(_Out_ PCORE_SCAN Scan)
{
    memset(Scan->Addresses, TRUE, sizeof(Scan->Addresses));
}

static VOID CoreScan(_Inout_ PCORE_SCAN Scan, _In_reads_bytes_(Length) const VOID *Bytes, _In_ ULONG Length)
{
    ULONG_PTR value;
    ULONG offset;

    for (offset = 0; offset < sizeof(Scan->Addresses); offset += 1) {
        if (offset + sizeof(value) <= Length) {
            memcpy(&value, (const UCHAR *)Bytes + offset, sizeof(value));
            Scan->Addresses[offset] &= CoreIsAddress(value);
        } else {
            Scan->Addresses[offset] = FALSE;
        }
    }
}

static BOOLEAN CoreHasAddress(_In_ const CORE_SCAN *Scan)
{
    return memchr(Scan->Addresses, TRUE, sizeof(Scan->Addresses)) != NULL;
}

/* The scans: of each operation's reply to a well-formed request, of an inspection of several contexts, and of an address. */
#define CORE_SCAN_INSPECTION PSCTX_OPERATION_COUNT
#define CORE_SCAN_ADDRESS (PSCTX_OPERATION_COUNT + 1u)

static CORE_SCAN CoreReplyScans[PSCTX_OPERATION_COUNT + 2u];

static VOID CoreScanReplies(VOID)
{
    static UCHAR output[CORE_REPLY_SIZE];
    CORE_INSPECTION inspection;
    const VOID *heap;
    ULONG operation;
    ULONG length;

    CoreUpper.InsertsAtCreate = TRUE;
    CoreLower.InsertsAtCreate = TRUE;
    CoreStartInspection(&inspection);
    CHECK_STATUS(CoreTrackAll(inspection.Core.Control, PSCTX_TRACK_COUNT), STATUS_SUCCESS);
    CoreInsertOwn(inspection.Core.Control, inspection.Stream, 1, 1);
    CoreClose(CoreOpenFile(CORE_FILE));
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Driver, inspection.Core.Driver);
    CoreReadRanges();
    heap = CoreUpper.Device;
    CoreScan(&CoreReplyScans[CORE_SCAN_ADDRESS], &heap, sizeof(heap));

    for (operation = 0; operation < PSCTX_OPERATION_COUNT; operation += 1) {
        const CORE_REQUEST request = CoreMakeRequest(operation, inspection.Stream);
        NTSTATUS status;

        if (operation == PSCTX_OPERATION_WAIT) {
            CoreScan(&CoreReplyScans[operation], output, 0);
            continue;
        }
        memset(output, 0xA5, sizeof(output));
        status = CoreControl(inspection.Core.Control, request.Code, request.Bytes, request.Length, output,
                             sizeof(output), &length);
        CHECK(NT_ERROR(status) || length >= sizeof(PSCTX_HEADER));
        CoreScan(&CoreReplyScans[operation], output, NT_ERROR(status) ? 0 : length);
    }
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 5);
    CoreScan(&CoreReplyScans[CORE_SCAN_INSPECTION], inspection.Bytes, inspection.Length);
    CoreStopInspection(&inspection);
}

static VOID CoreNoAddressIsTold(VOID)
{
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(CoreReplyScans); index += 1) {
        CoreStartScan(&CoreReplyScans[index]);
    }
    for (index = 0; index < CORE_SCANS; index += 1) {
        CoreScanReplies();
    }
    for (index = 0; index < RTL_NUMBER_OF(CoreReplyScans); index += 1) {
        CHECK_EQUAL(CoreHasAddress(&CoreReplyScans[index]), index == CORE_SCAN_ADDRESS); /* what it is for is found */
    }
}

/* Run in the kernel. Without a generator of random numbers a key is made of addresses, but is none. */
static VOID CoreMakeKeys(PVOID Context)
{
    static CORE_SCAN scan;
    ULONG64 keys[2][2];
    ULONG index;

    UNREFERENCED_PARAMETER(Context);

    CoreReadRanges();
    CoreStartScan(&scan);
    for (index = 0; index < CORE_SCANS; index += 1) {
        PsctxMakeKey(keys[0]);
        PsctxMakeKey(keys[1]);
        CHECK(keys[0][0] != keys[1][0] && keys[0][1] != keys[1][1]);
        CoreScan(&scan, keys, sizeof(keys));
    }
    CHECK(!CoreHasAddress(&scan));
}

static VOID CoreKeysAreNoAddresses(VOID)
{
    CORE_INSPECTION inspection;

    CoreStartInspection(&inspection);
    CoreRunInKernel(CoreMakeKeys, NULL);
    CoreStopInspection(&inspection);
}

/* Room. */

static VOID CoreReplyFitsOrTellsWhatWould(VOID)
{
    CORE_INSPECTION inspection;
    ULONG exact;
    ULONG length;
    ULONG capacity;

    CoreStartInspection(&inspection);
    CoreInsertOwn(inspection.Core.Control, inspection.Stream, 1, 1);
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Device, NULL);
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    exact = inspection.Length;
    for (capacity = sizeof(PSCTX_INSPECT_REPLY); capacity <= exact; capacity += 1) {
        PSCTX_INSPECT_REPLY *reply = malloc(capacity);

        CHECK(reply != NULL);
        if (capacity < exact) {
            CHECK_STATUS(CoreInspectInto(inspection.Core.Control, inspection.Stream, reply, capacity, &length),
                         STATUS_BUFFER_OVERFLOW);
            CHECK_EQUAL(length, sizeof(*reply));
            CHECK_EQUAL(reply->Count, 0);
            CHECK_EQUAL(reply->Remaining, exact);
        } else {
            CHECK_STATUS(CoreInspectInto(inspection.Core.Control, inspection.Stream, reply, capacity, &length),
                         STATUS_SUCCESS);
            CHECK_EQUAL(length, exact);
            CHECK(memcmp(reply, inspection.Bytes, exact) == 0);
        }
        free(reply);
    }
    CoreStopInspection(&inspection);
}

typedef struct _CORE_MANY {
    PFSRTL_ADVANCED_FCB_HEADER Header;
    PFSRTL_PER_STREAM_CONTEXT Contexts;
    ULONG Count;
} CORE_MANY;

static VOID CoreFreeNothing(PVOID Buffer)
{
    UNREFERENCED_PARAMETER(Buffer);
}

static VOID CoreHangMany(PVOID Context)
{
    const CORE_MANY *many = Context;
    ULONG index;

    for (index = 0; index < many->Count; index += 1) {
        FsRtlInitPerStreamContext(&many->Contexts[index], &many->Contexts[index], NULL, CoreFreeNothing);
        CHECK_STATUS(FsRtlInsertPerStreamContext(many->Header, &many->Contexts[index]), STATUS_SUCCESS);
    }
}

static VOID CoreTakeMany(PVOID Context)
{
    const CORE_MANY *many = Context;
    ULONG index;

    for (index = many->Count; index != 0; index -= 1) {
        CHECK(FsRtlRemovePerStreamContext(many->Header, &many->Contexts[index - 1], NULL) != NULL);
    }
}

static VOID CoreLongListsAreToldWhole(VOID)
{
    static const struct {
        ULONG Count;
        BOOLEAN Fits;
    } lists[] = {{31, TRUE},   {32, TRUE},    {33, TRUE},     {65, TRUE},
                 {5000, TRUE}, {14563, TRUE}, {14564, FALSE}, {20000, FALSE}};
    PSCTX_INSPECT_REPLY *reply = malloc(PSCTX_MAXIMUM_TRANSFER);
    CORE_INSPECTION inspection;
    ULONG index;
    ULONG length;

    CHECK(reply != NULL);
    CoreStartInspection(&inspection);
    for (index = 0; index < RTL_NUMBER_OF(lists); index += 1) {
        CORE_MANY many = {CoreHeaderOf(inspection.Stream), calloc(lists[index].Count, sizeof(FSRTL_PER_STREAM_CONTEXT)),
                          lists[index].Count};

        CHECK(many.Contexts != NULL);
        CoreRunInKernel(CoreHangMany, &many);
        if (lists[index].Fits) {
            CHECK_STATUS(
                CoreInspectInto(inspection.Core.Control, inspection.Stream, reply, PSCTX_MAXIMUM_TRANSFER, &length),
                STATUS_SUCCESS);
            CHECK_EQUAL(reply->Count, many.Count);
        } else {
            CHECK_STATUS(
                CoreInspectInto(inspection.Core.Control, inspection.Stream, reply, PSCTX_MAXIMUM_TRANSFER, &length),
                STATUS_BUFFER_OVERFLOW);
            CHECK_EQUAL(reply->Count, 0);
            CHECK(reply->Remaining > PSCTX_MAXIMUM_TRANSFER);
        }
        CoreRunInKernel(CoreTakeMany, &many);
        free(many.Contexts);
    }
    CoreStopInspection(&inspection);
    free(reply);
}

/* The lock. */

typedef struct _CORE_LOCK_CASE {
    UCHAR Version : 4;
    BOOLEAN AutoExpand; /* the header has such a lock */
    ULONG Quirks;
    BOOLEAN OldRoutines; /* the kernel lacks what came after 5.2 */
    NTSTATUS Status;
    PSCTX_LIST_LOCK_KIND Kind;
} CORE_LOCK_CASE;

static const CORE_LOCK_CASE CoreLockCases[] = {
    {0, FALSE, 0, FALSE, STATUS_SUCCESS, PsctxFastMutexLock},
    {1, FALSE, 0, FALSE, STATUS_SUCCESS, PsctxPushLock},
    {2, FALSE, 0, FALSE, STATUS_SUCCESS, PsctxPushLock},
    {3, FALSE, 0, FALSE, STATUS_SUCCESS, PsctxPushLock},
    {3, TRUE, 0, FALSE, STATUS_SUCCESS, PsctxAutoExpandLock},
    {4, FALSE, 0, FALSE, STATUS_SUCCESS, PsctxPushLock},
    {4, TRUE, 0, FALSE, STATUS_SUCCESS, PsctxAutoExpandLock},
    {5, FALSE, 0, FALSE, STATUS_SUCCESS, PsctxPushLock},
    {5, TRUE, 0, FALSE, STATUS_SUCCESS, PsctxAutoExpandLock},
    {6, FALSE, 0, FALSE, STATUS_NOT_SUPPORTED, PsctxPushLock},
    {15, TRUE, 0, FALSE, STATUS_NOT_SUPPORTED, PsctxPushLock},
    {1, FALSE, 0, TRUE, STATUS_SUCCESS, PsctxPushLock},
    {3, FALSE, 0, TRUE, STATUS_SUCCESS, PsctxPushLock},
    {0, FALSE, HOST_QUIRK_VERSION_52, FALSE, STATUS_SUCCESS, PsctxFastMutexLock},
    {1, FALSE, HOST_QUIRK_VERSION_52, FALSE, STATUS_SUCCESS, PsctxFastMutexLock},
    {5, FALSE, HOST_QUIRK_VERSION_52, FALSE, STATUS_SUCCESS, PsctxFastMutexLock},
    {9, FALSE, HOST_QUIRK_VERSION_52, FALSE, STATUS_SUCCESS, PsctxFastMutexLock},
};

/* The stream's header as a file system of another time would have set it up. */
static PFSRTL_ADVANCED_FCB_HEADER CoreSetUpHeader(_In_ HANDLE Stream, _In_ const CORE_LOCK_CASE *Case)
{
    const PFSRTL_ADVANCED_FCB_HEADER header = CoreHeaderOf(Stream);

    header->Version = Case->Version;
    header->AePushLock = Case->AutoExpand ? FsRtlAllocateAePushLock(NonPagedPoolNx, CORE_LOCK_TAG) : NULL;
    return header;
}

static VOID CoreCleanUpHeader(_Inout_ PFSRTL_ADVANCED_FCB_HEADER Header)
{
    if (Header->AePushLock != NULL) {
        FsRtlFreeAePushLock(Header->AePushLock);
    }
    Header->AePushLock = NULL;
    Header->Version = FSRTL_FCB_HEADER_V5;
}

typedef struct _CORE_LOCK_CHECK {
    const CORE_LOCK_CASE *Case;
    PFSRTL_ADVANCED_FCB_HEADER Header;
} CORE_LOCK_CHECK;

static VOID CoreCheckLockInKernel(PVOID Context)
{
    const CORE_LOCK_CHECK *check = Context;
    const PFSRTL_ADVANCED_FCB_HEADER header = check->Header;
    const PVOID locks[] = {header->FastMutex, &header->PushLock, header->AePushLock};
    const HOST_LOCK_KIND kinds[] = {HostFastMutex, HostPushLockShared, HostPushLockShared};
    const PETHREAD thread = HostCurrentThread();
    PSCTX_LIST_LOCK lock;
    ULONG index;

    CHECK_STATUS(PsctxFindListLock(header, &lock), check->Case->Status);
    CHECK_EQUAL(ReadNoFence(&thread->HeldLocks), 0);
    if (!NT_SUCCESS(check->Case->Status)) {
        return;
    }
    CHECK_EQUAL(lock.Kind, check->Case->Kind);
    CHECK(lock.Lock == locks[lock.Kind]);
    PsctxAcquireListLock(&lock);
    CHECK_EQUAL(ReadNoFence(&thread->HeldLocks), 1);
    for (index = 0; index < RTL_NUMBER_OF(locks); index += 1) {
        CHECK_EQUAL(HostIsHeld(thread, locks[index], kinds[index]), index == (ULONG)lock.Kind);
    }
    CHECK(KeAreApcsDisabled() || KeGetCurrentIrql() == APC_LEVEL);
    PsctxReleaseListLock(&lock);
    CHECK_EQUAL(ReadNoFence(&thread->HeldLocks), 0);
    CHECK(!KeAreApcsDisabled() && KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID CoreEachVersionHasItsLock(VOID)
{
    CORE_INSPECTION inspection;
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(CoreLockCases); index += 1) {
        CORE_LOCK_CHECK check = {&CoreLockCases[index], NULL};

        HostSetQuirks(check.Case->Quirks);
        HostHideNewRoutines(check.Case->OldRoutines);
        CoreStartInspection(&inspection);
        check.Header = CoreSetUpHeader(inspection.Stream, check.Case);
        CoreRunInKernel(CoreCheckLockInKernel, &check);
        CoreInsertOwn(inspection.Core.Control, inspection.Stream, 1, 1);
        CoreHang(&CoreUpper, inspection.Stream, &CoreUpper, NULL);
        CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), check.Case->Status);
        if (NT_SUCCESS(check.Case->Status)) {
            CHECK_EQUAL(inspection.Reply.Count, 2);
            CHECK_EQUAL(CoreEntry(&inspection, 1)->Holder, PSCTX_HOLDER_SELF);
        }
        CHECK(CoreTake(inspection.Stream, &CoreUpper));
        CHECK_STATUS(CoreRemove(inspection.Core.Control, inspection.Stream, PSCTX_MATCH_OWNER, 1, 0, NULL),
                     STATUS_SUCCESS);
        CoreCleanUpHeader(check.Header);
        CoreStopInspection(&inspection);
        HostSetQuirks(0);
        HostHideNewRoutines(FALSE);
    }
}

/* Another filter's life beside inspections, on threads of their own. */

typedef struct _CORE_BESIDE {
    PCORE_INSPECTION Inspection;
    volatile LONG Stop;
} CORE_BESIDE;

static void *CoreHangAndTake(void *Context)
{
    CORE_BESIDE *beside = Context;
    ULONG round;

    HostEnterProcess(beside->Inspection->Core.Process);
    for (round = 0; round < CORE_ROUNDS; round += 1) {
        CoreHang(&CoreUpper, beside->Inspection->Stream, &CoreUpper, NULL);
        CoreHang(&CoreLower, beside->Inspection->Stream, &CoreLower, NULL);
        CHECK(CoreTake(beside->Inspection->Stream, &CoreUpper));
        CHECK(CoreTake(beside->Inspection->Stream, &CoreLower));
    }
    HostLeaveProcess();
    WriteRelease(&beside->Stop, 1);
    return NULL;
}

static VOID CoreListIsGuardedByItsLock(VOID)
{
    static CORE_INSPECTION inspection;
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(CoreLockCases); index += 1) {
        const CORE_LOCK_CASE *lock = &CoreLockCases[index];
        CORE_BESIDE beside = {&inspection, 0};
        PFSRTL_ADVANCED_FCB_HEADER header;
        pthread_t thread;

        if (!NT_SUCCESS(lock->Status)) {
            continue;
        }
        HostSetQuirks(lock->Quirks);
        HostHideNewRoutines(lock->OldRoutines);
        CoreStartInspection(&inspection);
        header = CoreSetUpHeader(inspection.Stream, lock);
        CHECK(pthread_create(&thread, NULL, CoreHangAndTake, &beside) == 0);
        while (ReadAcquire(&beside.Stop) == 0) {
            CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
            CHECK(inspection.Reply.Count <= 2);
        }
        CHECK(pthread_join(thread, NULL) == 0);
        CoreCleanUpHeader(header);
        CoreStopInspection(&inspection);
        HostSetQuirks(0);
        HostHideNewRoutines(FALSE);
    }
}

/* A list that is not linked both ways. */

static VOID CoreTwistList(PVOID Context)
{
    const PLIST_ENTRY head = &((PFSRTL_ADVANCED_FCB_HEADER)Context)->FilterContexts;

    head->Flink->Flink->Blink = head->Flink->Flink->Blink == head ? head->Flink : head;
}

static VOID CoreCorruptListsAreRefused(VOID)
{
    CORE_INSPECTION inspection;

    CoreStartInspection(&inspection);
    CoreHang(&CoreUpper, inspection.Stream, &CoreUpper, NULL);
    CoreInsertOwn(inspection.Core.Control, inspection.Stream, 1, 1);
    CoreRunInKernel(CoreTwistList, CoreHeaderOf(inspection.Stream));
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_DATA_ERROR);
    CoreRunInKernel(CoreTwistList, CoreHeaderOf(inspection.Stream));
    CHECK_STATUS(CoreInspect(&inspection, inspection.Core.Control, inspection.Stream), STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 2);
    CoreStopInspection(&inspection);
}

/* Seeded races. Each starts with a stream that has a context of either filter and two of ours, one of another session's. */

typedef struct _CORE_INSPECT_RACE {
    CORE_INSPECTION Inspection;
    HANDLE Second;
    HANDLE Inspected; /* another handle of the stream, which keeps it where Closes is not set */
    ULONG Seed;
    NTSTATUS Status;
    ULONG Outcomes;
} CORE_INSPECT_RACE;

/* Starts later, by so many requests. */
static VOID CoreRaceDelay(_In_ const CORE_INSPECT_RACE *Race, _In_ ULONG Count)
{
    for (; Count != 0; Count -= 1) {
        (VOID) CoreStatistics(Race->Inspection.Core.Control);
    }
}

static VOID CoreRaceInspect(PVOID Context)
{
    CORE_INSPECT_RACE *race = Context;

    HostEnterProcess(race->Inspection.Core.Process);
    CoreRaceDelay(race, race->Seed / 5 % 20);
    race->Status = CoreInspect(&race->Inspection, race->Inspection.Core.Control, race->Inspected);
    HostLeaveProcess();
}

static VOID CoreRaceTake(PVOID Context)
{
    CORE_INSPECT_RACE *race = Context;

    HostEnterProcess(race->Inspection.Core.Process);
    CoreRaceDelay(race, race->Seed % 3);
    CHECK(CoreTake(race->Inspected, &CoreUpper));
    CHECK(CoreTake(race->Inspected, &CoreLower));
    HostLeaveProcess();
}

static VOID CoreRaceRemove(PVOID Context)
{
    CORE_INSPECT_RACE *race = Context;

    HostEnterProcess(race->Inspection.Core.Process);
    CoreRaceDelay(race, race->Seed % 3);
    CHECK_STATUS(CoreRemove(race->Inspection.Core.Control, race->Inspected, PSCTX_MATCH_OWNER, 1, 0, NULL),
                 STATUS_SUCCESS);
    HostLeaveProcess();
}

static VOID CoreRaceEndSession(PVOID Context)
{
    CORE_INSPECT_RACE *race = Context;

    HostEnterProcess(race->Inspection.Core.Process);
    CoreRaceDelay(race, race->Seed % 3);
    CoreClose(race->Second);
    HostLeaveProcess();
}

static VOID CoreRaceClose(PVOID Context)
{
    CORE_INSPECT_RACE *race = Context;

    HostEnterProcess(race->Inspection.Core.Process);
    CoreRaceDelay(race, race->Seed % 5);
    CoreClose(race->Inspected);
    HostLeaveProcess();
}

/* Whatever is told is a state that there was: the two threads' steps are in some order. */
static VOID CoreRunInspectRace(_In_ PHOST_ROUTINE Other, _In_ BOOLEAN Closes, _In_ ULONG Fewest, _In_ ULONG Outcomes)
{
    static CORE_INSPECT_RACE race;

    memset(&race, 0, sizeof(race));
    CoreStartInspection(&race.Inspection);
    for (race.Seed = 1; race.Seed <= CORE_SEEDS; race.Seed += 1) {
        const PHOST_ROUTINE routines[] = {CoreRaceInspect, Other};
        PVOID contexts[] = {&race, &race};

        race.Second = CoreOpenSession(CORE_READ_WRITE);
        race.Inspected = CoreOpenFile(CORE_OTHER_FILE);
        CoreHang(&CoreLower, race.Inspected, &CoreLower, NULL);
        CoreInsertOwn(race.Inspection.Core.Control, race.Inspected, 1, 1);
        CoreInsertOwn(race.Second, race.Inspected, 1, 1);
        CoreHang(&CoreUpper, race.Inspected, &CoreUpper, NULL);
        HostLeaveProcess();
        HostRunSchedule(race.Seed, 2, routines, contexts);
        HostEnterProcess(race.Inspection.Core.Process);
        if (Closes && race.Status == STATUS_INVALID_HANDLE) {
            race.Outcomes |= 4;
        } else {
            CHECK_STATUS(race.Status, STATUS_SUCCESS);
            CHECK(race.Inspection.Reply.Count >= Fewest && race.Inspection.Reply.Count <= 4);
            race.Outcomes |= race.Inspection.Reply.Count == 4 ? 1u : 2u;
            (VOID) CoreEntry(&race.Inspection, race.Inspection.Reply.Count - 1);
        }
        (VOID) NtClose(race.Inspected); /* the race may have closed either */
        (VOID) NtClose(race.Second);
        CHECK_EQUAL(CoreStatistics(race.Inspection.Core.Control).TotalContexts, 0);
    }
    CHECK_EQUAL(race.Outcomes, Outcomes);
    CoreStopInspection(&race.Inspection);
}

static VOID CoreInspectAndTake(VOID)
{
    CoreRunInspectRace(CoreRaceTake, FALSE, 2, 3);
}

static VOID CoreInspectAndRemove(VOID)
{
    CoreRunInspectRace(CoreRaceRemove, FALSE, 3, 3);
}

static VOID CoreInspectAndSessionEnd(VOID)
{
    CoreRunInspectRace(CoreRaceEndSession, FALSE, 3, 3);
}

static VOID CoreInspectAndTeardown(VOID)
{
    CoreRunInspectRace(CoreRaceClose, TRUE, 4, 5);
}

/* Memory. */

/* From either pool, and by either of the routines that kernels have to allocate with. */
static VOID CoreContextsBeginLinesOfTheCache(VOID)
{
    ULONG old;

    for (old = 0; old <= 1; old += 1) {
        CORE_INSPECTION inspection;
        PLIST_ENTRY entry;
        PLIST_ENTRY head;
        ULONG count = 0;
        ULONG index;

        HostHideNewRoutines(old == 1);
        CoreStartInspection(&inspection);
        for (index = 0; index < 16; index += 1) {
            const CORE_INSERTION insertion = {.Stream = inspection.Stream,
                                              .Instance = index,
                                              .Pool = index % 2,
                                              .DataLength = index,
                                              .Data = "0123456789abcdef"};

            CHECK_STATUS(CoreInsert(inspection.Core.Control, &insertion, NULL), STATUS_SUCCESS);
        }
        head = &CoreHeaderOf(inspection.Stream)->FilterContexts;
        for (entry = head->Flink; entry != head; entry = entry->Flink) {
            CHECK_EQUAL((ULONG_PTR)CONTAINING_RECORD(entry, PSCTX_CONTEXT, PerStreamContext.Links) % PSCTX_CACHE_LINE,
                        0);
            count += 1;
        }
        CHECK_EQUAL(count, 16);
        CoreStopInspection(&inspection);
        HostHideNewRoutines(FALSE);
    }
}

/* Every one in turn, until none is left to fail. The name of an owner alone is left out for want of memory. */
static VOID CoreAnyAllocationMayFail(VOID)
{
    CORE_INSPECTION inspection;
    ULONG64 countdown = 0;
    ULONG64 before;
    ULONG64 tried;
    ULONG failed = 0;
    NTSTATUS status;

    CoreStartInspection(&inspection);
    CoreHang(&CoreUpper, inspection.Stream, CoreUpper.Device, NULL);
    CoreInsertOwn(inspection.Core.Control, inspection.Stream, 1, 1);
    before = HostAuditPool(CORE_POOL_TAG);
    do {
        countdown += 1;
        tried = HostAllocationCount();
        HostFailAllocation(countdown);
        status = CoreInspect(&inspection, inspection.Core.Control, inspection.Stream);
        HostFailAllocation(0);
        tried = HostAllocationCount() - tried;
        CHECK(status == STATUS_SUCCESS || status == STATUS_INSUFFICIENT_RESOURCES);
        CHECK_EQUAL(HostAuditPool(CORE_POOL_TAG), before);
        failed += status == STATUS_SUCCESS ? 0u : 1u;
    } while (tried >= countdown);
    CHECK(failed >= 3);
    CHECK_STATUS(status, STATUS_SUCCESS);
    CHECK_EQUAL(inspection.Reply.Count, 2);
    CoreStopInspection(&inspection);
}

static const CORE_TEST CoreInspections[] = {
    {"a stream's version is its header's", CoreVersionIsTheHeaders},
    {"a list without contexts is empty, and what is no stream has no list", CoreEmptyListIsEmpty},
    {"contexts are told in the order of the list, with whose they are", CoreListIsInOrderOfTheStack},
    {"another session's contexts are told from one's own and from other filters'", CoreHoldersAreToldApart},
    {"owners that are devices or drivers of the stack are named", CoreOwnersAreDevicesAndDrivers},
    {"of a very deep stack the devices at its top are looked at", CoreOwnersOfDeepStacksAreUnknown},
    {"minifilters' contexts are one of Filter Manager's", CoreMinifiltersShareFilterManagersContext},
    {"a callback that lies in no image has no module", CoreCallbackOfNoImageHasNoModule},
    {"an inspection tells modules, or that there was no memory for them", CoreModulesAreToldOrThereIsNoMemory},
    {"a token is the same for the same owner on every stream, and for no other", CoreTokensNameOwnersOnEveryStream},
    {"the key of tokens is the kernel's random number, once", CoreKeyIsTheKernelsRandomNumber},
    {"without a generator of random numbers the key differs from load to load", CoreKeysDifferFromLoadToLoad},
    {"a key that is made of addresses is none", CoreKeysAreNoAddresses},
    {"no reply of any operation has an address of the kernel in it", CoreNoAddressIsTold},
    {"a reply fits, or tells what would", CoreReplyFitsOrTellsWhatWould},
    {"long lists are told whole, as long as a reply can be", CoreLongListsAreToldWhole},
    {"the lock of each version of the header is the one that is taken", CoreEachVersionHasItsLock},
    {"other filters come and go beside inspections", CoreListIsGuardedByItsLock},
    {"a list that is not linked both ways is refused", CoreCorruptListsAreRefused},
    {"an inspection beside another filter's removal tells a state there was", CoreInspectAndTake},
    {"an inspection beside a removal of ours tells a state there was", CoreInspectAndRemove},
    {"an inspection beside the end of a session tells a state there was", CoreInspectAndSessionEnd},
    {"an inspection beside the last close sees the stream or no handle", CoreInspectAndTeardown},
    {"contexts begin lines of the cache", CoreContextsBeginLinesOfTheCache},
    {"any allocation of an inspection may fail", CoreAnyAllocationMayFail},
};

int main(int argc, char **argv)
{
    return CoreRunTests(CoreInspections, RTL_NUMBER_OF(CoreInspections), argc > 1 ? argv[1] : NULL);
}
