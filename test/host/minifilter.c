/* The minifilters of tests, and the kernel they run in. */
#include "minifilter.h"

#include "harness.h"

#include <pthread.h>
#include <stdio.h>

static PEPROCESS Process;
char MinifilterSteps[1024];

TEST_MINIFILTER MinifilterA = {.Name = L"TestA", .Altitude = L"370030", .Letter = 'A'};
TEST_MINIFILTER MinifilterB = {.Name = L"TestB", .Altitude = L"140000", .Letter = 'B'};
static TEST_MINIFILTER *const All[] = {&MinifilterA, &MinifilterB};
static TEST_MINIFILTER *Loading;

TEST_MINIFILTER *MinifilterOf(PCFLT_RELATED_OBJECTS Objects)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(All); Index++) {
        if (All[Index]->Filter == Objects->Filter) {
            return All[Index];
        }
    }
    return Loading;
}

/* What happens on several threads is noted in some order; a test that reads it has one. */
static void Note(char Letter, char Direction, UCHAR Major)
{
    static pthread_mutex_t Mutex = PTHREAD_MUTEX_INITIALIZER;
    size_t Used;

    (void)pthread_mutex_lock(&Mutex);
    Used = strlen(MinifilterSteps);
    if (Used + 8 < sizeof(MinifilterSteps)) {
        (void)snprintf(MinifilterSteps + Used, sizeof(MinifilterSteps) - Used, "%s%c%c%02x", Used == 0 ? "" : " ",
                       Letter, Direction, Major);
    }
    (void)pthread_mutex_unlock(&Mutex);
}

static FLT_PREOP_CALLBACK_STATUS Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    TEST_MINIFILTER *Minifilter = MinifilterOf(Objects);

    Note(Minifilter->Letter, '>', Data->Iopb->MajorFunction);
    if (Minifilter->Pre != NULL) {
        return Minifilter->Pre(Data, Objects, Context);
    }
    return Minifilter->NoPost ? FLT_PREOP_SUCCESS_NO_CALLBACK : FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS Post(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                       FLT_POST_OPERATION_FLAGS Flags)
{
    TEST_MINIFILTER *Minifilter = MinifilterOf(Objects);

    Note(Minifilter->Letter, '<', Data->Iopb->MajorFunction);
    if ((Flags & FLTFL_POST_OPERATION_DRAINING) != 0) {
        (VOID) InterlockedIncrement(&Minifilter->Drains);
    }
    return Minifilter->Post != NULL ? Minifilter->Post(Data, Objects, Context, Flags) : FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystemType)
{
    TEST_MINIFILTER *Minifilter = MinifilterOf(Objects);

    CHECK(DeviceType == FILE_DEVICE_DISK_FILE_SYSTEM && KeGetCurrentIrql() == PASSIVE_LEVEL);
    (VOID) InterlockedIncrement(&Minifilter->Setups);
    Minifilter->SetupFlags = Flags;
    Minifilter->Instance = Objects->Instance;
    Minifilter->Volume = Objects->Volume;
    return Minifilter->Setup != NULL ? Minifilter->Setup(Objects, Flags, DeviceType, FileSystemType)
                                     : Minifilter->SetupStatus;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    return MinifilterOf(Objects)->QueryTeardownStatus;
}

static VOID TeardownStart(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    TEST_MINIFILTER *Minifilter = MinifilterOf(Objects);

    Minifilter->TeardownReason = Reason;
    (VOID) InterlockedIncrement(&Minifilter->TeardownStarts);
    if (Minifilter->TeardownStart != NULL) {
        Minifilter->TeardownStart(Objects, Reason);
    }
}

static VOID TeardownComplete(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    TEST_MINIFILTER *Minifilter = MinifilterOf(Objects);

    CHECK(Minifilter->TeardownStarts > Minifilter->TeardownCompletes);
    (VOID) InterlockedIncrement(&Minifilter->TeardownCompletes);
    if (Minifilter->TeardownComplete != NULL) {
        Minifilter->TeardownComplete(Objects, Reason);
    }
}

static VOID CleanA(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    (VOID) InterlockedIncrement(&MinifilterA.ContextsCleaned);
    if (MinifilterA.CleanContext != NULL) {
        MinifilterA.CleanContext(Context, Type);
    }
}

static NTSTATUS UnloadIt(TEST_MINIFILTER *Minifilter, FLT_FILTER_UNLOAD_FLAGS Flags)
{
    Minifilter->UnloadFlags = Flags;
    if (!NT_SUCCESS(Minifilter->UnloadStatus)) {
        return Minifilter->UnloadStatus;
    }
    FltUnregisterFilter(Minifilter->Filter);
    Minifilter->Filter = NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS UnloadA(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    return UnloadIt(&MinifilterA, Flags);
}

static NTSTATUS UnloadB(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    return UnloadIt(&MinifilterB, Flags);
}

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {.ContextType = FLT_VOLUME_CONTEXT, .ContextCleanupCallback = CleanA, .Size = TEST_CONTEXT_SIZE, .PoolTag = 'tseT'},
    {.ContextType = FLT_INSTANCE_CONTEXT,
     .ContextCleanupCallback = CleanA,
     .Size = TEST_CONTEXT_SIZE,
     .PoolTag = 'tseT'},
    {.ContextType = FLT_STREAM_CONTEXT, .ContextCleanupCallback = CleanA, .Size = TEST_CONTEXT_SIZE, .PoolTag = 'tseT'},
    {.ContextType = FLT_STREAMHANDLE_CONTEXT,
     .ContextCleanupCallback = CleanA,
     .Size = FLT_VARIABLE_SIZED_CONTEXTS,
     .PoolTag = 'tseT'},
    {.ContextType = FLT_CONTEXT_END},
};

static const UCHAR Majors[] = {IRP_MJ_CREATE,
                               IRP_MJ_CLOSE,
                               IRP_MJ_READ,
                               IRP_MJ_WRITE,
                               IRP_MJ_QUERY_INFORMATION,
                               IRP_MJ_SET_INFORMATION,
                               IRP_MJ_DIRECTORY_CONTROL,
                               IRP_MJ_FILE_SYSTEM_CONTROL,
                               IRP_MJ_LOCK_CONTROL,
                               IRP_MJ_CLEANUP};

static NTSTATUS Entry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FLT_OPERATION_REGISTRATION Operations[RTL_NUMBER_OF(Majors) + 1] = {0};
    FLT_REGISTRATION Registration = {
        .Size = sizeof(Registration),
        .Version = FLT_REGISTRATION_VERSION,
        .Flags = Loading->RegistrationFlags,
        .ContextRegistration = Contexts,
        .OperationRegistration = Operations,
        .FilterUnloadCallback = Loading->NoUnload ? NULL : (Loading == &MinifilterA ? UnloadA : UnloadB),
        .InstanceSetupCallback = Setup,
        .InstanceQueryTeardownCallback = Loading->NoQueryTeardown ? NULL : QueryTeardown,
        .InstanceTeardownStartCallback = TeardownStart,
        .InstanceTeardownCompleteCallback = TeardownComplete,
    };
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Majors); Index++) {
        Operations[Index].MajorFunction = Majors[Index];
        Operations[Index].Flags = Loading->OperationFlags;
        Operations[Index].PreOperation = Pre;
        Operations[Index].PostOperation = Loading->NoPost ? NULL : Post;
    }
    Operations[RTL_NUMBER_OF(Majors)].MajorFunction = IRP_MJ_OPERATION_END;
    Status = FltRegisterFilter(DriverObject, &Registration, &Loading->Filter);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = FltStartFiltering(Loading->Filter);
    if (!NT_SUCCESS(Status)) {
        FltUnregisterFilter(Loading->Filter);
        Loading->Filter = NULL;
    }
    return Status;
}

NTSTATUS LoadMinifilter(TEST_MINIFILTER *Minifilter)
{
    (VOID) HostSetMinifilterInstance(Minifilter->Name, L"Test Instance", Minifilter->Altitude);
    Loading = Minifilter;
    return HostLoadDriver(Minifilter->Name, TRUE, Entry, &Minifilter->Driver);
}

NTSTATUS UnloadMinifilter(TEST_MINIFILTER *Minifilter)
{
    return HostUnloadDriver(Minifilter->Driver);
}

NTSTATUS StartMinifilters(void)
{
    static const TEST_MINIFILTER CleanMinifilterA = {.Name = L"TestA", .Altitude = L"370030", .Letter = 'A'};
    static const TEST_MINIFILTER CleanMinifilterB = {.Name = L"TestB", .Altitude = L"140000", .Letter = 'B'};
    NTSTATUS Status = HostBoot();

    MinifilterA = CleanMinifilterA;
    MinifilterB = CleanMinifilterB;
    MinifilterSteps[0] = '\0';
    if (NT_SUCCESS(Status)) {
        Status = HostMountVolume(L'M', HOST_FILE_SYSTEM_MEMORY, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Status = HostCreateProcess(TRUE, &Process);
    }
    if (NT_SUCCESS(Status)) {
        HostEnterProcess(Process);
    }
    return Status;
}

BOOLEAN StopMinifilters(void)
{
    HOST_AUDIT Audit;
    NTSTATUS Status;

    HostLeaveProcess();
    HostExitProcess(Process);
    HostDereferenceProcess(Process);
    Status = HostShutdown(&Audit);
    if (!NT_SUCCESS(Status) || Audit.PoolBytes != 0 || Audit.Handles != 0 || Audit.Objects != 0 || Audit.Irps != 0 ||
        Audit.Locks != 0) {
        printf("# 0x%08X, left: %llu bytes of pool, %llu handles, %llu objects, %llu requests, %llu locks\n",
               (ULONG)Status, Audit.PoolBytes, Audit.Handles, Audit.Objects, Audit.Irps, Audit.Locks);
        return FALSE;
    }
    return TRUE;
}

NTSTATUS OpenOnVolume(PCWSTR Name, ULONG Options, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NtCreateFile(Handle, GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE, &Attributes, &IoStatus, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_VALID_FLAGS, FILE_OPEN_IF,
                        Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

PFILE_OBJECT FileOf(HANDLE Handle)
{
    PFILE_OBJECT FileObject = NULL;

    CHECK_STATUS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, UserMode, (PVOID *)&FileObject, NULL),
                 STATUS_SUCCESS);
    return FileObject;
}

NTSTATUS ReadFrom(HANDLE Handle, PVOID Buffer, ULONG Length, PIO_STATUS_BLOCK IoStatus)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};

    return NtReadFile(Handle, NULL, NULL, NULL, IoStatus, Buffer, Length, &Offset, NULL);
}

NTSTATUS WriteTo(HANDLE Handle, const VOID *Buffer, ULONG Length)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    IO_STATUS_BLOCK IoStatus;

    return NtWriteFile(Handle, NULL, NULL, NULL, &IoStatus, (PVOID)(ULONG_PTR)Buffer, Length, &Offset, NULL);
}

PDEVICE_OBJECT HolderDevice;
volatile LONG HolderKeeps = -1;
volatile LONG HolderSaw[IRP_MJ_MAXIMUM_FUNCTION + 1];
ULONG HolderLength;
PIRP volatile Held;
static PDRIVER_OBJECT HolderDriver;
static PDEVICE_OBJECT HolderLower;

static NTSTATUS HolderDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    (VOID) InterlockedIncrement(&HolderSaw[Location->MajorFunction]);
    if (Location->MajorFunction == IRP_MJ_WRITE) {
        HolderLength = Location->Parameters.Write.Length;
    }
    if (InterlockedCompareExchange(&HolderKeeps, -1, Location->MajorFunction) == Location->MajorFunction) {
        IoMarkIrpPending(Irp);
        WritePointerRelease((PVOID volatile *)&Held, Irp);
        return STATUS_PENDING;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(HolderLower, Irp);
}

static VOID HolderUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDetachDevice(HolderLower);
    IoDeleteDevice(HolderDevice);
}

static NTSTATUS HolderEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PFILE_OBJECT FileObject;
    HANDLE Handle;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        DriverObject->MajorFunction[Index] = HolderDispatch;
    }
    DriverObject->DriverUnload = HolderUnload;
    Status = OpenOnVolume(L"\\DosDevices\\M:\\holder", 0, &Handle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    FileObject = FileOf(Handle);
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &HolderDevice);
    if (NT_SUCCESS(Status)) {
        Status =
            IoAttachDeviceToDeviceStackSafe(HolderDevice, IoGetBaseFileSystemDeviceObject(FileObject), &HolderLower);
        HolderDevice->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    }
    ObDereferenceObject(FileObject);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    return Status;
}

NTSTATUS LoadHolder(void)
{
    HolderKeeps = -1;
    Held = NULL;
    memset((PVOID)(ULONG_PTR)HolderSaw, 0, sizeof(HolderSaw));
    return HostLoadDriver(L"Holder", TRUE, HolderEntry, &HolderDriver);
}

NTSTATUS UnloadHolder(void)
{
    return HostUnloadDriver(HolderDriver);
}

VOID LetHolderGo(NTSTATUS Status, KIRQL Irql)
{
    PIRP Irp = InterlockedExchangePointer((PVOID volatile *)&Held, NULL);
    KIRQL Before;

    CHECK(Irp != NULL);
    KeEnterCriticalRegion();
    KeRaiseIrql(Irql, &Before);
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    KeLowerIrql(Before);
    KeLeaveCriticalRegion();
}
