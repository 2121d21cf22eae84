/* What the embedded kernel must do rightly: contexts, requests, cancellation, handles, security, names, schedules. */
#include "driver.h"
#include "harness.h"
#include "rules.h"

static FSRTL_ADVANCED_FCB_HEADER Header;
static FSRTL_PER_STREAM_CONTEXT Contexts[3];
static int FirstOwner;
static int SecondOwner;
static ULONG Freed;

static VOID CountFree(PVOID Context)
{
    CHECK(Context == &Contexts[2 - Freed]);
    CHECK(KeGetCurrentIrql() <= APC_LEVEL && !KeAreApcsDisabled());
    Freed++;
}

static void HangContexts(void)
{
    memset(&Header, 0, sizeof(Header));
    FsRtlSetupAdvancedHeader(&Header, NULL);
    FsRtlInitPerStreamContext(&Contexts[0], &FirstOwner, &Contexts[0], CountFree);
    FsRtlInitPerStreamContext(&Contexts[1], &SecondOwner, NULL, CountFree);
    FsRtlInitPerStreamContext(&Contexts[2], &FirstOwner, &Contexts[2], CountFree);
    for (ULONG Index = 0; Index < 3; Index++) {
        CHECK_STATUS(FsRtlInsertPerStreamContext(&Header, &Contexts[Index]), STATUS_SUCCESS);
    }
    Freed = 0;
}

static void LookupModes(void)
{
    HangContexts();
    CHECK(FsRtlLookupPerStreamContext(&Header, NULL, NULL) == &Contexts[2]);
    CHECK(FsRtlLookupPerStreamContext(&Header, &FirstOwner, NULL) == &Contexts[2]);
    CHECK(FsRtlLookupPerStreamContext(&Header, &FirstOwner, &Contexts[0]) == &Contexts[0]);
    CHECK(FsRtlLookupPerStreamContext(&Header, &SecondOwner, NULL) == &Contexts[1]);
    CHECK(FsRtlLookupPerStreamContext(&Header, &SecondOwner, &Contexts[0]) == NULL);
    CHECK(FsRtlRemovePerStreamContext(&Header, &FirstOwner, NULL) == &Contexts[2]);
    CHECK(FsRtlRemovePerStreamContext(&Header, &FirstOwner, NULL) == &Contexts[0]);
    CHECK(FsRtlRemovePerStreamContext(&Header, &FirstOwner, NULL) == NULL);
    CHECK(FsRtlRemovePerStreamContext(&Header, NULL, NULL) == &Contexts[1]);
    CHECK(FsRtlLookupPerStreamContext(&Header, NULL, NULL) == NULL);
}

static void RemovalsAreCounted(void)
{
    FAST_MUTEX Mutex;
    HOST_CONTEXT_WORK Work;

    ExInitializeFastMutex(&Mutex);
    HangContexts();
    HostResetWork();
    CHECK(FsRtlLookupPerStreamContext(&Header, &FirstOwner, &Contexts[0]) == &Contexts[0]);
    HostQueryWork(&Work);
    CHECK(Work.EntriesVisited == 3 && Work.LongestRun == 0);

    ExAcquireFastMutex(&Mutex);
    CHECK(FsRtlRemovePerStreamContext(&Header, &SecondOwner, NULL) == &Contexts[1]);
    CHECK(FsRtlRemovePerStreamContext(&Header, &FirstOwner, NULL) == &Contexts[2]);
    ExReleaseFastMutex(&Mutex);
    CHECK(FsRtlRemovePerStreamContext(&Header, &FirstOwner, NULL) == &Contexts[0]);
    HostQueryWork(&Work);
    CHECK(Work.EntriesVisited == 7 && Work.LongestRun == 2);
    CHECK(Work.Acquisitions >= 1);
}

static void Teardown(void)
{
    HangContexts();
    FsRtlTeardownPerStreamContexts(&Header);
    CHECK(Freed == 3);
    CHECK(IsListEmpty(&Header.FilterContexts));
}

static void Unsupported(void)
{
    memset(&Header, 0, sizeof(Header));
    FsRtlSetupAdvancedHeader(&Header, NULL);
    Header.Flags2 = 0;
    FsRtlInitPerStreamContext(&Contexts[0], &FirstOwner, NULL, CountFree);
    CHECK_STATUS(FsRtlInsertPerStreamContext(&Header, &Contexts[0]), STATUS_INVALID_DEVICE_REQUEST);
}

static void BufferedControl(void)
{
    IO_STATUS_BLOCK IoStatus;
    UCHAR Buffer[4] = {1, 2, 3, 4};
    TEST_KERNEL Kernel;
    HANDLE Reader = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(TestControl(Kernel.Handle, TEST_CODE(EchoReversed, 3), Buffer, 4, 4, &IoStatus), STATUS_SUCCESS);
    CHECK(IoStatus.Information == 4 && Buffer[0] == 4 && Buffer[3] == 1);
    CHECK_STATUS(TestControl(Kernel.Handle, TEST_CODE(FailWithOutput, 0), Buffer, 4, 4, &IoStatus),
                 STATUS_UNSUCCESSFUL);
    CHECK(Buffer[0] == 4);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTest", GENERIC_READ | SYNCHRONIZE, FILE_SYNCHRONOUS_IO_NONALERT, &Reader),
                 STATUS_SUCCESS);
    CHECK_STATUS(TestControl(Reader, TEST_CODE(EchoReversed, FILE_READ_ACCESS), Buffer, 4, 4, &IoStatus),
                 STATUS_SUCCESS);
    CHECK_STATUS(TestControl(Reader, TEST_CODE(EchoReversed, 3), Buffer, 4, 4, &IoStatus), STATUS_ACCESS_DENIED);
    CHECK_STATUS(NtClose(Reader), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Reader), STATUS_INVALID_HANDLE);
    CHECK(TestCleanups == 1 && TestCloses == 1);
    CHECK(StopTestKernel(&Kernel));
}

static void CancelPended(void)
{
    IO_STATUS_BLOCK IoStatus = {0};
    IO_STATUS_BLOCK CancelStatus;
    UCHAR Buffer[4] = {0};
    TEST_KERNEL Kernel;
    HANDLE Event = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, 0), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(
        NtDeviceIoControlFile(Kernel.Handle, Event, NULL, NULL, &IoStatus, TEST_CODE(QueueIt, 0), Buffer, 4, Buffer, 4),
        STATUS_PENDING);
    CHECK_STATUS(NtCancelIoFile(Kernel.Handle, &CancelStatus), STATUS_SUCCESS);
    CHECK_STATUS(NtWaitForSingleObject(Event, FALSE, NULL), STATUS_SUCCESS);
    CHECK_STATUS(IoStatus.Status, STATUS_CANCELLED);
    CHECK_STATUS(
        NtDeviceIoControlFile(Kernel.Handle, Event, NULL, NULL, &IoStatus, TEST_CODE(QueueIt, 0), Buffer, 4, Buffer, 4),
        STATUS_PENDING);
    CHECK(StopTestKernel(&Kernel));
    CHECK_STATUS(IoStatus.Status, STATUS_CANCELLED);
}

static void HandleRules(void)
{
    TEST_KERNEL Kernel;
    HANDLE Secret = NULL;
    HANDLE Event = NULL;
    PVOID Object = NULL;
    PVOID Found = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(NtCreateEvent(&Event, EVENT_QUERY_STATE, NULL, NotificationEvent, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(Event, 0, *IoFileObjectType, UserMode, &Found, NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(NtSetEvent(Event, NULL), STATUS_ACCESS_DENIED);
    CHECK_STATUS(ObReferenceObjectByHandle(NtCurrentThread(), 0, *IoFileObjectType, UserMode, &Found, NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(ObReferenceObjectByHandle(NtCurrentProcess(), 0, *IoFileObjectType, UserMode, &Found, NULL),
                 STATUS_OBJECT_TYPE_MISMATCH);
    CHECK_STATUS(ObReferenceObjectByHandle(NtCurrentThread(), 0, *PsThreadType, UserMode, &Found, NULL),
                 STATUS_SUCCESS);
    CHECK(Found == PsGetCurrentThread());
    ObDereferenceObject(Found);
    CHECK_STATUS(NtClose(NtCurrentThread()), STATUS_INVALID_HANDLE);
    CHECK_STATUS(ZwClose(NtCurrentThread()), STATUS_INVALID_HANDLE);
    CHECK_STATUS(ObReferenceObjectByHandle(Kernel.Handle, 0, *IoFileObjectType, UserMode, &Object, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(
        ObOpenObjectByPointer(Object, OBJ_KERNEL_HANDLE, NULL, FILE_READ_DATA, *IoFileObjectType, KernelMode, &Secret),
        STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(Secret, 0, *IoFileObjectType, UserMode, &Found, NULL),
                 STATUS_INVALID_HANDLE);
    CHECK_STATUS(NtClose(Secret), STATUS_INVALID_HANDLE);
    CHECK_STATUS(ZwClose(Secret), STATUS_SUCCESS);
    CHECK(TestCleanups == 0);
    ObDereferenceObject(Object);
    CHECK(StopTestKernel(&Kernel));
}

static void Names(void)
{
    struct {
        OBJECT_NAME_INFORMATION Name;
        WCHAR Text[64];
    } Buffer;
    UNICODE_STRING Expected;
    TEST_KERNEL Kernel;
    PVOID Object = NULL;
    ULONG Length = 0;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(Kernel.Handle, 0, *IoFileObjectType, UserMode, &Object, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(ObQueryNameString(Object, NULL, 0, &Length), STATUS_INFO_LENGTH_MISMATCH);
    CHECK(Length <= sizeof(Buffer));
    CHECK_STATUS(ObQueryNameString(Object, &Buffer.Name, Length, &Length), STATUS_SUCCESS);
    RtlInitUnicodeString(&Expected, L"\\Device\\HostTest");
    CHECK(RtlEqualUnicodeString(&Buffer.Name.Name, &Expected, FALSE));
    CHECK_STATUS(ObQueryNameString(Kernel.Driver, &Buffer.Name, sizeof(Buffer), &Length), STATUS_SUCCESS);
    RtlInitUnicodeString(&Expected, L"\\Driver\\HostTest");
    CHECK(RtlEqualUnicodeString(&Buffer.Name.Name, &Expected, FALSE));
    ObDereferenceObject(Object);
    CHECK(StopTestKernel(&Kernel));
}

static void Security(void)
{
    UCHAR List[128];
    SECURITY_DESCRIPTOR Descriptor;
    TEST_KERNEL Kernel;
    PEPROCESS User = NULL;
    HANDLE Handle = NULL;
    HANDLE Own = NULL;

    CHECK_STATUS(StartTestKernel(&Kernel, FILE_SYNCHRONOUS_IO_NONALERT), STATUS_SUCCESS);
    CHECK_STATUS(RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION), STATUS_SUCCESS);
    CHECK_STATUS(RtlCreateAcl((PACL)(PVOID)List, sizeof(List), ACL_REVISION), STATUS_SUCCESS);
    CHECK_STATUS(RtlAddAccessAllowedAce((PACL)(PVOID)List, ACL_REVISION, GENERIC_ALL, SeExports->SeAliasAdminsSid),
                 STATUS_SUCCESS);
    CHECK_STATUS(RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, (PACL)(PVOID)List, FALSE), STATUS_SUCCESS);
    CHECK_STATUS(ObOpenObjectByPointer(Kernel.Driver->DeviceObject, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC,
                                       *IoDeviceObjectType, KernelMode, &Handle),
                 STATUS_SUCCESS);
    CHECK_STATUS(ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Descriptor), STATUS_SUCCESS);
    CHECK_STATUS(ZwClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTest", GENERIC_READ, 0, &Own), STATUS_SUCCESS);
    HostLeaveProcess();
    CHECK_STATUS(HostCreateProcess(FALSE, &User), STATUS_SUCCESS);
    HostEnterProcess(User);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTest", FILE_READ_ATTRIBUTES, 0, &Handle), STATUS_ACCESS_DENIED);
    CHECK_STATUS(TestOpen(L"\\Device\\HostTest\\below", FILE_READ_ATTRIBUTES, 0, &Handle), STATUS_ACCESS_DENIED);
    HostLeaveProcess();
    HostExitProcess(User);
    HostDereferenceProcess(User);
    HostEnterProcess(Kernel.Process);
    CHECK(StopTestKernel(&Kernel));
}

#define TRACE_LENGTH 64

typedef struct _TRACE {
    FAST_MUTEX Mutex;
    ULONG Count;
    ULONG Order[TRACE_LENGTH];
} TRACE;

typedef struct _ACTOR {
    TRACE *Trace;
    ULONG Number;
} ACTOR;

static VOID Act(PVOID Context)
{
    ACTOR *Actor = Context;

    for (ULONG Turn = 0; Turn < TRACE_LENGTH / 4; Turn++) {
        ExAcquireFastMutex(&Actor->Trace->Mutex);
        Actor->Trace->Order[Actor->Trace->Count++] = Actor->Number;
        ExReleaseFastMutex(&Actor->Trace->Mutex);
    }
}

static void RunActors(ULONG64 Seed, TRACE *Trace)
{
    PHOST_ROUTINE Routines[4];
    PVOID Pointers[4];
    ACTOR Actors[4];

    memset(Trace, 0, sizeof(*Trace));
    ExInitializeFastMutex(&Trace->Mutex);
    for (ULONG Index = 0; Index < 4; Index++) {
        Actors[Index].Trace = Trace;
        Actors[Index].Number = Index;
        Pointers[Index] = &Actors[Index];
        Routines[Index] = Act;
    }
    HostRunSchedule(Seed, 4, Routines, Pointers);
}

static void Schedules(void)
{
    TRACE First;
    TRACE Again;
    TRACE Other;

    RunActors(7, &First);
    RunActors(7, &Again);
    RunActors(8, &Other);
    CHECK(First.Count == TRACE_LENGTH && Other.Count == TRACE_LENGTH);
    CHECK(memcmp(First.Order, Again.Order, sizeof(First.Order)) == 0);
    CHECK(memcmp(First.Order, Other.Order, sizeof(First.Order)) != 0);
}

typedef struct _CLOCKS {
    ULONGLONG Interrupt[2];
    LARGE_INTEGER System;
    LARGE_INTEGER Counter;
} CLOCKS;

static VOID ReadClocks(PVOID Context)
{
    CLOCKS *Clocks = Context;
    FAST_MUTEX Mutex;

    Clocks->Interrupt[0] = KeQueryInterruptTime();
    KeQuerySystemTime(&Clocks->System);
    Clocks->Counter = KeQueryPerformanceCounter(NULL);
    ExInitializeFastMutex(&Mutex); /* a step */
    Clocks->Interrupt[1] = KeQueryInterruptTime();
}

static void RunClocks(ULONG64 Seed, CLOCKS *Clocks)
{
    HOST_EXPLORATION Exploration = {.Strategy = HostRandomWalk, .Seed = Seed, .SystemThreads = TRUE};
    PHOST_ROUTINE Routine = ReadClocks;
    PVOID Pointer = Clocks;

    memset(Clocks, 0, sizeof(*Clocks));
    HostExploreSchedule(&Exploration, 1, &Routine, &Pointer);
}

static void ScheduledClocks(void)
{
    CLOCKS First;
    CLOCKS Again;

    RunClocks(7, &First);
    RunClocks(7, &Again);
    CHECK(memcmp(&First, &Again, sizeof(First)) == 0);
    CHECK(First.Interrupt[1] > First.Interrupt[0]);
    CHECK(KeQueryInterruptTime() != First.Interrupt[1]);
}

static volatile LONG Slept;
static BOOLEAN Overslept; /* the time was up before the other thread had done its work */

static VOID Sleep(PVOID Context)
{
    LARGE_INTEGER Interval = {.QuadPart = -500000};

    UNREFERENCED_PARAMETER(Context);
    (VOID) KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    (VOID) InterlockedExchange(&Slept, TRUE);
}

static VOID Work(PVOID Context)
{
    FAST_MUTEX Mutex;

    UNREFERENCED_PARAMETER(Context);
    for (ULONG Step = 0; Step < 20; Step++) {
        ExInitializeFastMutex(&Mutex);
        Overslept = (BOOLEAN)(Overslept || ReadAcquire(&Slept) != 0);
    }
}

/* How many of the schedules end a delay while another thread could go on. */
static ULONG CountOversleeps(ULONG TimeOuts)
{
    static const PHOST_ROUTINE Routines[] = {Sleep, Work};
    PVOID Arguments[RTL_NUMBER_OF(Routines)] = {NULL};
    ULONG Count = 0;

    for (ULONG64 Seed = 1; Seed <= 40; Seed++) {
        HOST_EXPLORATION Exploration = {.Strategy = HostRandomWalk, .Seed = Seed, .TimeOuts = TimeOuts};

        (VOID) InterlockedExchange(&Slept, FALSE);
        Overslept = FALSE;
        HostExploreSchedule(&Exploration, RTL_NUMBER_OF(Routines), Routines, Arguments);
        Count += Overslept;
    }
    return Count;
}

static void TimeRuns(void)
{
    ULONG Count;

    CHECK(CountOversleeps(0) == 0);
    Count = CountOversleeps(16);
    CHECK(Count > 4 && Count < 36);
}

/* TRUE in APCs disabled, TRUE in all of them disabled. */
static BOOLEAN ApcsAre(BOOLEAN Disabled, BOOLEAN AllDisabled)
{
    return (BOOLEAN)(KeAreApcsDisabled() == Disabled && KeAreAllApcsDisabled() == AllDisabled);
}

static void ApcsDisabled(void)
{
    FAST_MUTEX Mutex;
    KIRQL Irql;

    CHECK(ApcsAre(FALSE, FALSE));
    KeEnterCriticalRegion();
    CHECK(ApcsAre(TRUE, FALSE));
    KeEnterGuardedRegion();
    CHECK(ApcsAre(TRUE, TRUE));
    KeLeaveCriticalRegion();
    CHECK(ApcsAre(TRUE, TRUE));
    KeLeaveGuardedRegion();
    CHECK(ApcsAre(FALSE, FALSE));
    KeRaiseIrql(APC_LEVEL, &Irql);
    CHECK(ApcsAre(FALSE, TRUE));
    KeLowerIrql(Irql);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    CHECK(ApcsAre(FALSE, TRUE));
    KeLowerIrql(Irql);
    ExInitializeFastMutex(&Mutex);
    ExAcquireFastMutex(&Mutex);
    CHECK(ApcsAre(FALSE, TRUE));
    ExReleaseFastMutex(&Mutex);
    CHECK(ApcsAre(FALSE, FALSE));
}

static void AppendToOverfull(void)
{
    WCHAR Buffer[4] = {L'a', L'b', L'c', L'd'};
    UNICODE_STRING Overfull = {3 * sizeof(WCHAR), 2 * sizeof(WCHAR), Buffer};
    UNICODE_STRING Part = {sizeof(WCHAR), sizeof(WCHAR), Buffer};

    CHECK_STATUS(RtlAppendUnicodeToString(&Overfull, L"x"), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(RtlAppendUnicodeStringToString(&Overfull, &Part), STATUS_BUFFER_TOO_SMALL);
    CHECK(Overfull.Length == 3 * sizeof(WCHAR) && Buffer[3] == L'd');
}

static void CacheAligned(void)
{
    static const POOL_TYPE Types[] = {NonPagedPoolNxCacheAligned, PagedPoolCacheAligned};
    PVOID Blocks[RTL_NUMBER_OF(Types) * 8];

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Blocks); Index++) {
        Blocks[Index] = ExAllocatePoolWithTag(Types[Index % RTL_NUMBER_OF(Types)], 1 + Index * 5, 'tseT');
        CHECK((ULONG_PTR)Blocks[Index] % 64 == 0);
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Blocks); Index++) {
        ExFreePoolWithTag(Blocks[Index], 'tseT');
    }
}

static void Expressions(void)
{
    static const struct {
        PCWSTR Expression;
        PCWSTR Name;
        BOOLEAN Matches;
    } Cases[] = {{L"*", L"", FALSE},
                 {L"**", L"", FALSE},
                 {L"AB<EXE", L"abcd.exe", TRUE},
                 {L"AB<EXE", L"ab.exe", TRUE},
                 {L"A.B<EXE", L"a.bcd.exe", TRUE},
                 {L"F<", L"file.txt", FALSE},
                 {L"<", L"a.", TRUE},
                 {L"*.TXT", L"a.txt", TRUE},
                 {L"*.TXT", L"a.txt.bak", FALSE},
                 {L"A?C", L"abc", TRUE},
                 {L"A?C", L"ac", FALSE},
                 {L"*A*B*", L"xaybz", TRUE},
                 {L"", L"", TRUE},
                 {L"<.TXT", L"a.b.txt", TRUE},
                 {L"A\"", L"a", TRUE},
                 {L"A>>", L"a", TRUE},
                 {L"\u0394*", L"\u03b4x", TRUE}};

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        UNICODE_STRING Expression;
        UNICODE_STRING Name;

        RtlInitUnicodeString(&Expression, Cases[Index].Expression);
        RtlInitUnicodeString(&Name, Cases[Index].Name);
        CHECK(FsRtlIsNameInExpression(&Expression, &Name, TRUE, NULL) == Cases[Index].Matches);
    }
}

static void Faults(void)
{
    PVOID Pool;

    HostFailAllocation(2);
    Pool = ExAllocatePoolWithTag(PagedPool, 8, 'tseT');
    CHECK(Pool != NULL);
    CHECK(ExAllocatePoolWithTag(PagedPool, 8, 'tseT') == NULL);
    ExFreePoolWithTag(Pool, 'tseT');
    Pool = ExAllocatePoolWithTag(PagedPool, 8, 'tseT');
    CHECK(Pool != NULL);
    CHECK(HostAuditPool('tseT') == 8);
    ExFreePoolWithTag(Pool, 'tseT');
}

static void AllocationsAreCounted(void)
{
    ULONG64 Count = HostAllocationCount();
    PIRP Irp;

    ExFreePoolWithTag(ExAllocatePoolWithTag(PagedPool, 8, 'tseT'), 'tseT');
    CHECK(HostAllocationCount() == Count + 1);
    Irp = IoAllocateIrp(1, FALSE);
    CHECK(Irp != NULL && HostAllocationCount() == Count + 2);
    IoFreeIrp(Irp);
    HostFailAllocation(1);
    CHECK(IoAllocateIrp(1, FALSE) == NULL);
    CHECK(HostAllocationCount() == Count + 3);
}

void RunContract(void)
{
    RunTest("contexts are found by owner and instance, by owner, and as the first of all", LookupModes);
    RunTest("entries that a look-up goes over are counted, and removals under one hold of locks", RemovalsAreCounted);
    RunTest("teardown frees each context once, youngest first, without the list's lock", Teardown);
    RunTest("a stream without filter-context support refuses contexts", Unsupported);
    RunTest("a buffered control request copies in and out, and needs the access its code names", BufferedControl);
    RunTest("a pended request is cancelled by its sender and by process death", CancelPended);
    RunTest("handles obey type, access and mode", HandleRules);
    RunTest("objects tell their names", Names);
    RunTest("a device's access list is kept, also for names below it", Security);
    RunTest("a schedule replays from its seed", Schedules);
    RunTest("a kernel that is in a schedule has the schedule's clocks", ScheduledClocks);
    RunTest("time may be up in a schedule while others could go on", TimeRuns);
    RunTest("regions disable APCs, guarded ones and the IRQL all of them", ApcsDisabled);
    RunTest("nothing is appended to a string that is longer than its buffer", AppendToOverfull);
    RunTest("cache-aligned pool is aligned to a cache line", CacheAligned);
    RunTest("names match expressions", Expressions);
    RunTest("the chosen allocation fails, once", Faults);
    RunTest("what can be made to fail is counted, requests too", AllocationsAreCounted);
}
