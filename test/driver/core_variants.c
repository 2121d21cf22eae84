/*
 * The driver on kernels of other versions, and on such as lack what it looks for by name.
 */
#include "core_answered.h"

#include <string.h>

#include "core_reader.h"
#include "kernel/kernel.h"
#include "test_file_system.h"

#define CORE_LOCK_TAG 0x6b4c6f43u

/* Which routines a kernel lacks, and whether a list with such a lock can be guarded then. */
static const struct {
    PCWSTR Hidden[4];
    BOOLEAN AutoExpand;
    NTSTATUS Status;
} CoreLackingKernels[] = {
    {{NULL}, FALSE, STATUS_SUCCESS},
    {{L"ExAcquirePushLockSharedEx"}, FALSE, STATUS_SUCCESS},
    {{L"ExReleasePushLockSharedEx"}, FALSE, STATUS_SUCCESS},
    {{L"ExfAcquirePushLockShared"}, FALSE, STATUS_SUCCESS},
    {{L"ExfReleasePushLockShared"}, FALSE, STATUS_SUCCESS},
    {{L"ExAcquirePushLockSharedEx", L"ExfAcquirePushLockShared"}, FALSE, STATUS_NOT_SUPPORTED},
    {{L"ExAcquirePushLockSharedEx", L"ExfReleasePushLockShared"}, FALSE, STATUS_NOT_SUPPORTED},
    {{L"ExReleasePushLockSharedEx", L"ExfAcquirePushLockShared"}, FALSE, STATUS_NOT_SUPPORTED},
    {{L"ExReleasePushLockSharedEx", L"ExfReleasePushLockShared"}, FALSE, STATUS_NOT_SUPPORTED},
    {{NULL}, TRUE, STATUS_SUCCESS},
    {{L"FsRtlAllocateAePushLock"}, TRUE, STATUS_SUCCESS},
    {{L"ExAcquireAutoExpandPushLockShared"}, TRUE, STATUS_NOT_SUPPORTED},
    {{L"ExReleaseAutoExpandPushLockShared"}, TRUE, STATUS_NOT_SUPPORTED},
};

static VOID CoreCheckListLocks(PVOID Context)
{
    ULONG index;

    UNREFERENCED_PARAMETER(Context);
    HostRecallInitialization();
    for (index = 0; index < RTL_NUMBER_OF(CoreLackingKernels); index += 1) {
        FSRTL_ADVANCED_FCB_HEADER header;
        FAST_MUTEX mutex;
        PSCTX_LIST_LOCK lock;

        memset(&header, 0, sizeof(header));
        ExInitializeFastMutex(&mutex);
        FsRtlSetupAdvancedHeader(&header, &mutex);
        header.AePushLock =
            CoreLackingKernels[index].AutoExpand ? FsRtlAllocateAePushLock(NonPagedPoolNx, CORE_LOCK_TAG) : NULL;
        CoreHideRoutines(CoreLackingKernels[index].Hidden);
        PsctxStartListLocks();
        CHECK_STATUS(PsctxFindListLock(&header, &lock), CoreLackingKernels[index].Status);
        if (NT_SUCCESS(CoreLackingKernels[index].Status)) {
            PsctxAcquireListLock(&lock);
            CHECK(KeAreApcsDisabled());
            PsctxReleaseListLock(&lock);
            CHECK(!KeAreApcsDisabled());
        }
        CoreHideRoutines(NULL);
        if (header.AePushLock != NULL) {
            FsRtlFreeAePushLock(header.AePushLock);
        }
    }
    PsctxStartListLocks();
}

VOID CoreListLocksNeedBothTheirRoutines(VOID)
{
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CoreRunInKernel(CoreCheckListLocks, NULL);
    CoreUnloadProbe();
    CoreStop(&core);
}

/* SystemModuleInformation, as it is laid out. */
typedef struct _CORE_MODULE {
    PVOID Section;
    PVOID MappedBase;
    PVOID ImageBase;
    ULONG ImageSize;
    ULONG Flags;
    USHORT LoadOrderIndex;
    USHORT InitOrderIndex;
    USHORT LoadCount;
    USHORT FileNameOffset;
    UCHAR Path[256];
} CORE_MODULE;

static struct {
    ULONG Count;
    CORE_MODULE Modules[5];
} CoreModules;

static ULONG CoreModuleQuestions;
static ULONG CoreModuleMismatches; /* how many questions are answered that there is no room */
static ULONG CoreModuleNeeds;      /* what it takes then, as it is told; zero for a byte more than there is room for */
static ULONG CoreModuleRoom;       /* that the last question had */

static NTSTATUS NTAPI CoreTellModules(ULONG Class, PVOID Information, ULONG Length, PULONG Needed)
{
    UNREFERENCED_PARAMETER(Class);
    CoreModuleQuestions += 1;
    CoreModuleRoom = Length;
    *Needed = CoreModuleNeeds != 0 ? CoreModuleNeeds : Length + 1;
    if (CoreModuleQuestions <= CoreModuleMismatches) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    memcpy(Information, &CoreModules, min(Length, (ULONG)sizeof(CoreModules)));
    return STATUS_SUCCESS;
}

/* The module's name in room for Capacity bytes, with its length. */
static ULONG CoreNameModule(_In_ const PSCTX_MODULES *Modules, _In_ ULONG Index, _Out_writes_bytes_(16) PWCH Name,
                            _In_ ULONG Capacity)
{
    memset(Name, 0xA5, 16);
    return PsctxGetModuleName(Modules, Index, Name, Capacity);
}

static VOID CoreCheckModules(PVOID Context)
{
    static const PCWSTR hidden[] = {L"ZwQuerySystemInformation", NULL};
    static const ULONG needs[] = {1, 1, 0x40000000};
    ULONG rooms[RTL_NUMBER_OF(needs)];
    PSCTX_MODULES modules;
    WCHAR name[8];
    ULONG64 offset;
    ULONG needed;
    ULONG index;

    UNREFERENCED_PARAMETER(Context);

    HostRecallInitialization();
    CoreHideRoutines(hidden);
    PsctxStartModules();
    CHECK_STATUS(PsctxQueryModules(&modules), STATUS_SUCCESS);
    CHECK_EQUAL(modules.Count, 0);
    PsctxFreeModules(&modules);
    CHECK_STATUS(PsctxQuerySystemInformation(0, &index, sizeof(index), &needed), STATUS_NOT_SUPPORTED);
    CHECK_EQUAL(needed, 0);
    CoreHideRoutines(NULL);

    CoreReplaceRoutine(L"ZwQuerySystemInformation", (PVOID)(ULONG_PTR)CoreTellModules);
    PsctxStartModules();
    CoreModules.Count = 0x10000; /* more than there was room for */
    for (index = 0; index < RTL_NUMBER_OF(CoreModules.Modules); index += 1) {
        CoreModules.Modules[index].ImageBase = (PVOID)(ULONG_PTR)(0x1000 * (index + 1));
        CoreModules.Modules[index].ImageSize = 0x1000;
    }
    memcpy(CoreModules.Modules[0].Path, "\\a\\b.sys", 9);
    CoreModules.Modules[0].FileNameOffset = 3;
    memset(CoreModules.Modules[1].Path, 'x', sizeof(CoreModules.Modules[1].Path)); /* without an end */
    CoreModules.Modules[1].FileNameOffset = 253;
    memset(&CoreModules.Modules[2].Section, 'x', sizeof(CoreModules.Modules[2].Section));
    CoreModules.Modules[2].FileNameOffset = 2;   /* behind the end */
    CoreModules.Modules[3].FileNameOffset = 300; /* behind the path */
    memset(CoreModules.Modules[4].Path, 'x', sizeof(CoreModules.Modules[4].Path));
    CoreModules.Modules[4].FileNameOffset = 100; /* longer than any name is kept */

    CoreModuleMismatches = MAXULONG;
    CHECK_STATUS(PsctxQueryModules(&modules), STATUS_SUCCESS);
    CHECK_EQUAL(modules.Count, 0);
    PsctxFreeModules(&modules);
    CHECK_EQUAL(CoreModuleQuestions, 4);

    /* Told that less than that is enough, it asks with more all the same; told of whatever, with no more than is reasonable. */
    for (index = 0; index < RTL_NUMBER_OF(rooms); index += 1) {
        CoreModuleQuestions = 0;
        CoreModuleMismatches = index;
        CoreModuleNeeds = needs[index];
        CHECK_STATUS(PsctxQueryModules(&modules), STATUS_SUCCESS);
        PsctxFreeModules(&modules);
        CHECK_EQUAL(CoreModuleQuestions, index + 1);
        rooms[index] = CoreModuleRoom;
    }
    CHECK(rooms[0] < rooms[1] && rooms[1] < rooms[2] && rooms[2] < needs[2]);
    CoreModuleNeeds = 0;

    CoreModuleQuestions = 0;
    CoreModuleMismatches = 1;
    CHECK_STATUS(PsctxQueryModules(&modules), STATUS_SUCCESS);
    CHECK_EQUAL(CoreModuleQuestions, 2);
    CHECK(modules.Count > 4 && modules.Count < 0x10000);
    CHECK_EQUAL(CoreNameModule(&modules, 0, name, sizeof(name)), 5 * sizeof(WCHAR));
    CHECK(memcmp(name, L"b.sys", 5 * sizeof(WCHAR)) == 0);
    CHECK_EQUAL(CoreNameModule(&modules, 0, name, 5 * sizeof(WCHAR) - 1), 5 * sizeof(WCHAR));
    CHECK_EQUAL(name[0], 0xA5A5);
    CHECK_EQUAL(PsctxGetModuleName(&modules, 0, NULL, 0), 5 * sizeof(WCHAR));
    CHECK_EQUAL(CoreNameModule(&modules, 1, name, sizeof(name)), 3 * sizeof(WCHAR));
    CHECK(memcmp(name, L"xxx", 3 * sizeof(WCHAR)) == 0);
    CHECK_EQUAL(CoreNameModule(&modules, 2, name, sizeof(name)), 0);
    CHECK_EQUAL(CoreNameModule(&modules, 3, name, sizeof(name)), 0);
    CHECK_EQUAL(CoreNameModule(&modules, 4, name, sizeof(name)), 128 * sizeof(WCHAR));
    CoreRefuse("RtlMultiByteToUnicodeN", 1, STATUS_UNSUCCESSFUL);
    CHECK_EQUAL(CoreNameModule(&modules, 0, name, sizeof(name)), 0);
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK(PsctxFindModule(&modules, 0x2FFF, &index, &offset));
    CHECK_EQUAL(index, 1);
    CHECK_EQUAL(offset, 0xFFF);
    PsctxFreeModules(&modules);
    CoreReplaceRoutine(NULL, NULL);
    PsctxStartModules();
}

VOID CoreModulesAreReadAsFarAsTheyAreTold(VOID)
{
    CORE core;

    CoreStart(&core);
    CoreLoadProbe();
    CoreRunInKernel(CoreCheckModules, NULL);
    CoreUnloadProbe();
    CoreStop(&core);
}

static const struct {
    ULONG Major;
    ULONG Minor;
    BOOLEAN Windows8;
} CoreVersions[] = {{5, 2, FALSE}, {6, 0, FALSE}, {6, 1, FALSE}, {6, 2, TRUE}, {6, 3, TRUE}, {10, 0, TRUE}};

static VOID CoreAllocateAsThatVersion(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    PsctxFree(PsctxAllocate(NonPagedPool, 16));
}

VOID CoreMemoryIsNotExecutableFromWindows8On(VOID)
{
    static const PCWSTR hidden[] = {L"ExAllocatePool2", NULL};
    ULONG index;

    CoreHideRoutines(hidden);
    for (index = 0; index < RTL_NUMBER_OF(CoreVersions); index += 1) {
        CORE core;

        /* The image stays loaded here, and what it has found with it: the latest versions come last. */
        HostSetQuirks(CoreVersions[index].Windows8 ? 0 : HOST_QUIRK_VERSION_61); /* has executable pool */
        CoreSetVersion(CoreVersions[index].Major, CoreVersions[index].Minor);
        CoreStart(&core);
        CoreLoadProbe();
        CoreRunInKernel(CoreAllocateAsThatVersion, NULL);
        CHECK_EQUAL(CoreLastPool(), CoreVersions[index].Windows8 ? NonPagedPoolNx : NonPagedPool);
        CoreUnloadProbe();
        CoreStop(&core);
    }
    CoreSetVersion(0, 0);
    CoreHideRoutines(NULL);
}

/* The name of the session's one context on the stream. */
static VOID CoreCheckTrackedName(_In_ HANDLE Control, _In_ HANDLE Stream, _In_z_ PCWSTR Name)
{
    PSCTX_LIST_REQUEST request = {.Handle = (ULONG_PTR)Stream};
    struct {
        PSCTX_LIST_REPLY Reply;
        PSCTX_LIST_ENTRY Entry;
        WCHAR Name[64];
    } reply;
    UNICODE_STRING expected;

    RtlInitUnicodeString(&expected, Name);
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST, sizeof(request));
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_LIST, &request, sizeof(request), &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
    CHECK_EQUAL(reply.Reply.Count, 1);
    CHECK_EQUAL(reply.Entry.NameLength, expected.Length);
    CHECK(memcmp(reply.Name, expected.Buffer, expected.Length) == 0);
}

VOID CoreTrackEverything(HANDLE Control, ULONG Flags)
{
    struct {
        PSCTX_TRACK_REQUEST Record;
        WCHAR Pattern[4];
    } request = {.Record = {.PatternLength = sizeof(WCHAR), .Flags = Flags}, .Pattern = L"*"};
    const ULONG length = (ULONG)sizeof(request.Record) + request.Record.PatternLength;
    PSCTX_RULE_RECORD reply;

    CoreSetHeader(&request.Record.Header, PSCTX_OPERATION_TRACK, length);
    CHECK_STATUS(CoreControl(Control, PSCTX_IOCTL_TRACK, &request, length, &reply, sizeof(reply), NULL),
                 STATUS_SUCCESS);
}

VOID CoreNamesAreNormalizedFromWindows8On(VOID)
{
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(CoreVersions); index += 1) {
        PDRIVER_OBJECT disk;
        HANDLE file;
        CORE core;

        TestFileSystemReset();
        TestFileSystem.NormalizedName = L"\\whole";
        TestFileSystem.Name = L"\\WH~1";
        CoreBoot();
        CHECK_STATUS(TestDiskLoad(L"TestDisk", &disk, &TestFileSystem.Disk), STATUS_SUCCESS);
        CHECK_STATUS(TestFileSystemLoad(), STATUS_SUCCESS);
        CoreSetVersion(CoreVersions[index].Major, CoreVersions[index].Minor);
        core.Driver = CoreLoadDriver();
        core.Process = CoreCreateProcess(TRUE);
        HostEnterProcess(core.Process);
        core.Control = CoreOpenSession(CORE_READ_WRITE);
        CoreTrackEverything(core.Control, 0);
        file = CoreOpenFile(TEST_DISK L"\\WH~1");
        CoreCheckTrackedName(core.Control, file, CoreVersions[index].Windows8 ? L"\\whole" : L"\\WH~1");
        CoreClose(file);
        HostLeaveProcess();
        CoreEndProcess(core.Process);
        CHECK_STATUS(HostUnloadDriver(core.Driver), STATUS_SUCCESS);
        TestFileSystemUnload();
        CHECK_STATUS(HostUnloadDriver(disk), STATUS_SUCCESS);
        CoreSetVersion(0, 0);
        CoreShutdown();
    }
}

/* A kernel that does not tell its memory is small, medium or large. */
VOID CoreMachinesOfEachClassHaveTheirLimits(VOID)
{
    static const struct {
        ULONG64 Memory;
        ULONG64 Paged;
        ULONG64 NonPaged;
    } machines[] = {
        {16ull << 20, 8u << 20, 2u << 20}, {48ull << 20, 16u << 20, 4u << 20}, {128ull << 20, 64u << 20, 16u << 20}};
    PSCTX_VERSION_REPLY limits;
    ULONG index;
    CORE core;

    HostSetQuirks(HOST_QUIRK_NO_BASIC_INFORMATION);
    for (index = 0; index < RTL_NUMBER_OF(machines); index += 1) {
        HostSetPhysicalMemory(machines[index].Memory);
        CoreStart(&core);
        limits = CoreLimits(core.Control);
        CHECK_EQUAL(limits.MaximumPagedBytes, machines[index].Paged);
        CHECK_EQUAL(limits.MaximumNonPagedBytes,
                    min(machines[index].NonPaged, CORE_LIMIT(PSCTX_MAXIMUM_NONPAGED_BYTES)));
        CoreStop(&core);
    }
    HostSetPhysicalMemory(0);
    HostSetQuirks(0);
}

/* One after the other is missing; contexts, inspections and waits that are cancelled are as ever. */
VOID CoreKernelsThatLackARoutineServe(VOID)
{
    static const PCWSTR names[] = {L"KeQueryPerformanceCounter",           L"PsIsThreadTerminating",
                                   L"FsRtlCancellableWaitForSingleObject", L"ZwQuerySystemInformation",
                                   L"FsRtlTeardownPerStreamContexts",      L"ExAllocatePool2"};
    ULONG index;

    for (index = 0; index < RTL_NUMBER_OF(names); index += 1) {
        const PCWSTR hidden[] = {names[index], NULL};
        CORE_INSERTION insertion = {.Owner = 1};
        PSCTX_STREAM_REQUEST request;
        DECLSPEC_ALIGN(8) UCHAR output[1024];
        CORE core;

        CoreHideRoutines(hidden);
        CoreStart(&core);
        CoreTrackEverything(core.Control, 0);
        insertion.Stream = CoreOpenFile(CORE_FILE);
        CHECK_STATUS(CoreInsert(core.Control, &insertion, NULL), STATUS_SUCCESS);
        CHECK_EQUAL(CoreCount(core.Control, insertion.Stream), 2);
        memset(&request, 0, sizeof(request));
        request.Handle = (ULONG_PTR)insertion.Stream;
        CoreSetHeader(&request.Header, PSCTX_OPERATION_INSPECT, sizeof(request));
        CHECK_STATUS(
            CoreControl(core.Control, PSCTX_IOCTL_INSPECT, &request, sizeof(request), output, sizeof(output), NULL),
            STATUS_SUCCESS);
        CHECK_EQUAL(((const PSCTX_INSPECT_REPLY *)output)->Count, 2);
        CoreClose(insertion.Stream);
        CHECK_EQUAL(CoreStatistics(core.Control).TotalContexts, 0);
        CoreStop(&core);
        CoreHideRoutines(NULL);
    }
}
