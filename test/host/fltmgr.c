/* Filter Manager: what it promises to minifilters. */
#include "harness.h"
#include "minifilter.h"

#include <stdio.h>

#define FILE_NAME L"\\DosDevices\\M:\\file.txt"

static void CheckSteps(const char *Expected, int Line)
{
    if (strcmp(MinifilterSteps, Expected) != 0) {
        printf("# %s:%d: %s, not %s\n", __FILE__, Line, MinifilterSteps, Expected);
        CHECK(FALSE);
    }
    MinifilterSteps[0] = '\0';
}
#define CHECK_STEPS(Expected) CheckSteps(Expected, __LINE__)

static void ByAltitude(void)
{
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    HOST_INSTANCE Told;
    HANDLE Handle = NULL;
    char Buffer[8] = "content";

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(HostNextInstance(L'M', 0, &Told), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(HostNextInstance(L'M', 0, &Told), STATUS_SUCCESS);
    CHECK(Told.FilterName[4] == L'A' && Told.Altitude[0] == L'3' && Told.InstanceName[0] == L'T');
    CHECK_STATUS(HostNextInstance(L'm', 1, &Told), STATUS_SUCCESS);
    CHECK(Told.FilterName[4] == L'B');
    CHECK_STATUS(HostNextInstance(L'M', 2, &Told), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(HostNextInstance(L'X', 0, &Told), STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK_STEPS("A>00 B>00 B<00 A<00");
    CHECK_STATUS(NtWriteFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL),
                 STATUS_SUCCESS);
    CHECK_STEPS("A>04 B>04 B<04 A<04");
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STEPS("A>12 B>12 B<12 A<12 A>02 B>02 B<02 A<02");
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownStarts == 1 && MinifilterA.TeardownCompletes == 1);
    CHECK(StopMinifilters());
}

/* The minifilter's device is where it attaches: above the legacy filter that was there, below the one that comes later. */
static void InTheStack(void)
{
    PFILE_OBJECT FileObject;
    PDEVICE_OBJECT Device = NULL;
    PDEVICE_OBJECT Lower;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    FileObject = FileOf(Handle);
    CHECK_STATUS(FltGetDeviceObject(MinifilterA.Volume, &Device), STATUS_SUCCESS);
    CHECK(Device != NULL && IoGetRelatedDeviceObject(FileObject) == Device && FltIsFltMgrVolumeDeviceObject(Device));
    Lower = IoGetLowerDeviceObject(Device);
    CHECK(Lower == HolderDevice && !FltIsFltMgrVolumeDeviceObject(Lower));
    ObDereferenceObject(Lower);
    ObDereferenceObject(Device);
    ObDereferenceObject(FileObject);
    CHECK(HolderSaw[IRP_MJ_CREATE] == 1);
    CHECK_STATUS(UnloadHolder(), STATUS_SUCCESS); /* from under Filter Manager, which attaches anew */
    CHECK_STATUS(WriteTo(Handle, "x", 1), STATUS_SUCCESS);
    CHECK_STATUS(LoadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK(HolderSaw[IRP_MJ_CLEANUP] == 2 && IoGetAttachedDevice(HolderDevice) == HolderDevice);
    CHECK_STATUS(UnloadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static void SetUpAndTornDown(void)
{
    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(MinifilterA.Setups == 2 && MinifilterA.SetupFlags == FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT);
    CHECK_STATUS(HostMountVolume(L'O', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK(MinifilterA.Setups == 3 && MinifilterA.SetupFlags == (FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT |
                                                                FLTFL_INSTANCE_SETUP_NEWLY_MOUNTED_VOLUME));
    CHECK_STATUS(HostDismountVolume(L'O'), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownStarts == 1 && MinifilterA.TeardownCompletes == 1 &&
          MinifilterA.TeardownReason == FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownCompletes == 3 &&
          MinifilterA.TeardownReason == FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD &&
          MinifilterA.UnloadFlags == FLTFL_FILTER_UNLOAD_MANDATORY);
    CHECK(StopMinifilters());
}

static void Declined(void)
{
    HANDLE Handle;
    HOST_INSTANCE Told;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    MinifilterA.SetupStatus = STATUS_FLT_DO_NOT_ATTACH;
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STEPS("");
    CHECK_STATUS(HostNextInstance(L'M', 0, &Told), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(HostDetachFilter(L"TestA", L'M'), STATUS_FLT_INSTANCE_NOT_FOUND);
    MinifilterA.SetupStatus = STATUS_SUCCESS;
    CHECK_STATUS(HostAttachFilter(L"TestA", L'M'), STATUS_SUCCESS);
    CHECK(MinifilterA.SetupFlags == FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT);
    CHECK_STATUS(HostAttachFilter(L"TestA", L'M'), STATUS_FLT_INSTANCE_NAME_COLLISION);
    CHECK_STATUS(HostAttachFilter(L"TestB", L'M'), STATUS_FLT_FILTER_NOT_FOUND);
    MinifilterA.QueryTeardownStatus = STATUS_FLT_DO_NOT_DETACH;
    CHECK_STATUS(HostDetachFilter(L"TestA", L'M'), STATUS_FLT_DO_NOT_DETACH);
    CHECK(MinifilterA.TeardownStarts == 0);
    MinifilterA.QueryTeardownStatus = STATUS_SUCCESS;
    CHECK_STATUS(HostDetachFilter(L"TestA", L'M'), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownCompletes == 1 && MinifilterA.TeardownReason == FLTFL_INSTANCE_TEARDOWN_MANUAL);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownCompletes == 1);
    CHECK(StopMinifilters());
}

static void AskedToUnload(void)
{
    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    MinifilterA.UnloadStatus = STATUS_FLT_DO_NOT_DETACH;
    CHECK_STATUS(HostUnloadFilter(L"TestA"), STATUS_FLT_DO_NOT_DETACH);
    CHECK(MinifilterA.UnloadFlags == 0 && MinifilterA.TeardownStarts == 0);
    MinifilterA.UnloadStatus = STATUS_SUCCESS;
    CHECK_STATUS(HostUnloadFilter(L"TestA"), STATUS_SUCCESS);
    CHECK(MinifilterA.TeardownReason == FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD);
    CHECK_STATUS(HostUnloadFilter(L"TestA"), STATUS_FLT_FILTER_NOT_FOUND);
    MinifilterA.RegistrationFlags = FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP;
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_INVALID_DEVICE_REQUEST);
    CHECK_STATUS(HostUnloadFilter(L"TestA"), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static NTSTATUS RegisterWrongly(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const FLT_OPERATION_REGISTRATION Twice[] = {
        {.MajorFunction = IRP_MJ_READ, .PostOperation = (PVOID)(ULONG_PTR)1},
        {.MajorFunction = IRP_MJ_READ, .PostOperation = (PVOID)(ULONG_PTR)1},
        {.MajorFunction = IRP_MJ_OPERATION_END}};
    static const FLT_CONTEXT_REGISTRATION Odd[] = {{.ContextType = 0x4000}, {.ContextType = FLT_CONTEXT_END}};
    FLT_REGISTRATION Registration = {.Size = sizeof(Registration), .Version = 0x0300};
    PFLT_FILTER Filter;

    UNREFERENCED_PARAMETER(RegistryPath);
    CHECK_STATUS(FltRegisterFilter(DriverObject, &Registration, &Filter), STATUS_INVALID_PARAMETER);
    Registration.Version = FLT_REGISTRATION_VERSION;
    Registration.OperationRegistration = Twice;
    CHECK_STATUS(FltRegisterFilter(DriverObject, &Registration, &Filter), STATUS_FLT_DUPLICATE_ENTRY);
    Registration.OperationRegistration = NULL;
    Registration.ContextRegistration = Odd;
    CHECK_STATUS(FltRegisterFilter(DriverObject, &Registration, &Filter), STATUS_FLT_INVALID_CONTEXT_REGISTRATION);
    Registration.ContextRegistration = NULL;
    CHECK_STATUS(FltRegisterFilter(DriverObject, &Registration, &Filter), STATUS_OBJECT_NAME_NOT_FOUND);
    (VOID) HostSetMinifilterInstance(L"Wrong", L"An instance", L"32 feet");
    CHECK_STATUS(FltRegisterFilter(DriverObject, &Registration, &Filter), STATUS_INVALID_PARAMETER);
    (VOID) HostSetMinifilterInstance(L"Wrong", L"An instance", L"370030.00");
    CHECK_STATUS(FltRegisterFilter(DriverObject, &Registration, &Filter), STATUS_SUCCESS);
    CHECK_STATUS(FltStartFiltering(Filter), STATUS_SUCCESS); /* where another has the altitude, it is not attached */
    CHECK_STATUS(FltAttachVolume(Filter, MinifilterA.Volume, NULL, NULL), STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    CHECK_STATUS(FltStartFiltering(Filter), STATUS_INVALID_PARAMETER);
    FltUnregisterFilter(Filter);
    return STATUS_UNSUCCESSFUL;
}

static void WrongRegistrations(void)
{
    PDRIVER_OBJECT Driver;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadDriver(L"Wrong", TRUE, RegisterWrongly, &Driver), STATUS_UNSUCCESSFUL);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static FLT_PREOP_CALLBACK_STATUS CompleteReads(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MajorFunction != IRP_MJ_READ) {
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    CHECK(FLT_IS_IRP_OPERATION(Data) && FltIsOperationSynchronous(Data) && Data->Iopb->Parameters.Read.Length == 4);
    CHECK(Data->RequestorMode == UserMode && FltGetRequestorProcess(Data) == PsGetCurrentProcess() &&
          FltGetRequestorProcessId(Data) == HandleToULong(PsGetCurrentProcessId()));
    memcpy(Data->Iopb->Parameters.Read.ReadBuffer, "fake", 4);
    Data->IoStatus.Status = STATUS_SUCCESS;
    Data->IoStatus.Information = 4;
    return FLT_PREOP_COMPLETE;
}

static void CompletedOnTheWay(void)
{
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle = NULL;
    char Buffer[5] = "";

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(WriteTo(Handle, "true", 4), STATUS_SUCCESS);
    MinifilterSteps[0] = '\0';
    MinifilterB.Pre = CompleteReads;
    CHECK_STATUS(ReadFrom(Handle, Buffer, 4, &IoStatus), STATUS_SUCCESS);
    CHECK(memcmp(Buffer, "fake", 4) == 0 && HolderSaw[IRP_MJ_READ] == 0);
    CHECK_STEPS("A>03 B>03 A<03");
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STEPS("A>12 B>12 A<12 A>02 B>02 A<02");
    CHECK_STATUS(UnloadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static PFLT_CALLBACK_DATA Kept;
static FLT_PREOP_CALLBACK_STATUS ResumeWith;
static BOOLEAN ResumeAtOnce;
static PETHREAD PostThread;
static KIRQL PostIrql;
static UCHAR KeptMajor;

static VOID Resume(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    UNREFERENCED_PARAMETER(Object);
    FltFreeGenericWorkItem(Item);
    FltCompletePendedPreOperation(Kept, ResumeWith, Context);
}

static FLT_PREOP_CALLBACK_STATUS PendIt(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    PFLT_GENERIC_WORKITEM Item;

    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MajorFunction != KeptMajor) {
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    Kept = Data;
    Data->IoStatus.Status = STATUS_ACCESS_DENIED; /* for when it is completed */
    Data->IoStatus.Information = 0;
    if (ResumeAtOnce) {
        FltCompletePendedPreOperation(Data, ResumeWith, NULL);
        return FLT_PREOP_PENDING;
    }
    Item = FltAllocateGenericWorkItem();
    CHECK(Item != NULL);
    CHECK_STATUS(FltQueueGenericWorkItem(Item, Objects->Instance, Resume, DelayedWorkQueue, NULL), STATUS_SUCCESS);
    return FLT_PREOP_PENDING;
}

static FLT_POSTOP_CALLBACK_STATUS NoteThread(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    PostThread = PsGetCurrentThread();
    PostIrql = KeGetCurrentIrql();
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static void PendedOnTheWay(void)
{
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    MinifilterA.Pre = PendIt;
    MinifilterB.Post = NoteThread;
    for (ULONG Turn = 0; Turn < 2; Turn++) {
        ResumeAtOnce = (BOOLEAN)(Turn == 1);
        KeptMajor = IRP_MJ_CREATE;
        ResumeWith = FLT_PREOP_SUCCESS_WITH_CALLBACK;
        MinifilterSteps[0] = '\0';
        CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
        CHECK_STEPS("A>00 B>00 B<00 A<00");
        CHECK(PostThread == PsGetCurrentThread() && PostIrql == PASSIVE_LEVEL);
        KeptMajor = IRP_MJ_WRITE;
        CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
        CHECK_STEPS("A>04 B>04 B<04 A<04");
        ResumeWith = FLT_PREOP_COMPLETE;
        CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_ACCESS_DENIED);
        CHECK_STEPS("A>04");
        ResumeWith = FLT_PREOP_SUCCESS_NO_CALLBACK;
        CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
        CHECK_STEPS("A>04 B>04 B<04");
        CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    }
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static FLT_PREOP_CALLBACK_STATUS Synchronize(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Objects);
    *Context = Data;
    return Data->Iopb->MajorFunction == IRP_MJ_CREATE ? FLT_PREOP_SUCCESS_WITH_CALLBACK : FLT_PREOP_SYNCHRONIZE;
}

static FLT_POSTOP_CALLBACK_STATUS ExpectContext(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                                FLT_POST_OPERATION_FLAGS Flags)
{
    CHECK(Context == Data);
    return NoteThread(Data, Objects, Context, Flags);
}

static void AtItsIrql(void)
{
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    HostSetQuirks(HOST_QUIRK_COMPLETES_AT_DISPATCH);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    MinifilterA.Post = NoteThread;
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK(PostIrql == PASSIVE_LEVEL);
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
    CHECK(PostIrql == DISPATCH_LEVEL);
    MinifilterA.Pre = Synchronize;
    MinifilterA.Post = ExpectContext;
    PostThread = NULL;
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
    CHECK(PostIrql == PASSIVE_LEVEL && PostThread == PsGetCurrentThread());
    MinifilterA.Pre = NULL;
    MinifilterA.Post = NULL;
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    HostSetQuirks(0);
    CHECK(StopMinifilters());
}

static KIRQL SafeIrql;
static FLT_POSTOP_CALLBACK_STATUS SafeAnswer;
static BOOLEAN GiveBackAtOnce;

static FLT_POSTOP_CALLBACK_STATUS WhenSafe(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    SafeIrql = KeGetCurrentIrql();
    Data->IoStatus.Status = STATUS_DISK_FULL;
    if (SafeAnswer == FLT_POSTOP_MORE_PROCESSING_REQUIRED) {
        FltCompletePendedPostOperation(Data);
    }
    return SafeAnswer;
}

static FLT_POSTOP_CALLBACK_STATUS PostSafely(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status = FLT_POSTOP_FINISHED_PROCESSING;

    if (Data->Iopb->MajorFunction == IRP_MJ_WRITE) {
        if (GiveBackAtOnce) {
            FltCompletePendedPostOperation(Data);
            return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
        }
        CHECK(FltDoCompletionProcessingWhenSafe(Data, Objects, Context, Flags, WhenSafe, &Status));
    }
    return Status;
}

static void WhenItIsSafe(void)
{
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    MinifilterB.Post = PostSafely;
    SafeAnswer = FLT_POSTOP_FINISHED_PROCESSING;
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_DISK_FULL);
    CHECK(SafeIrql == PASSIVE_LEVEL);
    HostSetQuirks(HOST_QUIRK_COMPLETES_AT_DISPATCH);
    for (ULONG Turn = 0; Turn < 2; Turn++) {
        SafeAnswer = Turn == 0 ? FLT_POSTOP_FINISHED_PROCESSING : FLT_POSTOP_MORE_PROCESSING_REQUIRED;
        SafeIrql = DISPATCH_LEVEL;
        MinifilterSteps[0] = '\0';
        CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_DISK_FULL);
        CHECK(SafeIrql == PASSIVE_LEVEL);
        CHECK_STEPS("A>04 B>04 B<04 A<04");
    }
    GiveBackAtOnce = TRUE;
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
    CHECK_STEPS("A>04 B>04 B<04 A<04");
    GiveBackAtOnce = FALSE;
    HostSetQuirks(0);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static FLT_PREOP_CALLBACK_STATUS DisallowQueries(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    return FLT_IS_FASTIO_OPERATION(Data) ? FLT_PREOP_DISALLOW_FASTIO : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS LastPostStatus;
static FLT_POSTOP_CALLBACK_STATUS NoteStatus(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    if (FLT_IS_FASTIO_OPERATION(Data)) {
        LastPostStatus = Data->IoStatus.Status;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static void FastIoIsToldOf(void)
{
    FILE_BASIC_INFORMATION Basic;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    MinifilterSteps[0] = '\0';
    MinifilterA.Post = NoteStatus;
    LastPostStatus = STATUS_UNSUCCESSFUL;
    CHECK_STATUS(NtQueryInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation),
                 STATUS_SUCCESS);
    CHECK_STEPS("A>05 B>05 B<05 A<05");
    CHECK_STATUS(LastPostStatus, STATUS_SUCCESS);
    MinifilterB.Pre = DisallowQueries;
    CHECK_STATUS(NtQueryInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation),
                 STATUS_SUCCESS);
    CHECK_STEPS("A>05 B>05 A<05 A>05 B>05 A<05"); /* once more, as a request */
    CHECK_STATUS(LastPostStatus, STATUS_FLT_DISALLOW_FAST_IO);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static FLT_PREOP_CALLBACK_STATUS ShortenWrites(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MajorFunction == IRP_MJ_WRITE) {
        Data->Iopb->Parameters.Write.Length = 2;
        FltSetCallbackDataDirty(Data);
        CHECK(FltIsCallbackDataDirty(Data));
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static ULONG PostLengths[2];
static FLT_POSTOP_CALLBACK_STATUS NoteLength(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    if (Data->Iopb->MajorFunction == IRP_MJ_WRITE) {
        PostLengths[MinifilterOf(Objects) == &MinifilterB] = Data->Iopb->Parameters.Write.Length;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static void ChangedOnTheWay(void)
{
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    MinifilterA.Post = NoteLength;
    MinifilterB.Pre = ShortenWrites;
    MinifilterB.Post = NoteLength;
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
    CHECK(HolderLength == 2 && PostLengths[0] == 4 && PostLengths[1] == 2);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static volatile LONG DrainedStatus;
static FLT_POSTOP_CALLBACK_STATUS NoteDrain(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                            FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    if ((Flags & FLTFL_POST_OPERATION_DRAINING) != 0) {
        CHECK(KeGetCurrentIrql() <= APC_LEVEL && FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DRAINING_IO));
        (VOID) InterlockedExchange(&DrainedStatus, Data->IoStatus.Status);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static void DrainedAtTheEnd(void)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    IO_STATUS_BLOCK IoStatus = {0};
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Handle = NULL;
    char Buffer[4];

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    MinifilterB.Post = NoteDrain;
    RtlInitUnicodeString(&Name, FILE_NAME);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    CHECK_STATUS(NtCreateFile(&Handle, GENERIC_READ, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_VALID_FLAGS,
                              FILE_OPEN_IF, 0, NULL, 0),
                 STATUS_SUCCESS);
    HolderKeeps = IRP_MJ_READ;
    CHECK_STATUS(NtReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL),
                 STATUS_PENDING);
    MinifilterSteps[0] = '\0';
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STEPS("B<03");
    CHECK(MinifilterB.Drains == 1 && MinifilterB.TeardownCompletes == 1);
    CHECK_STATUS(DrainedStatus, STATUS_FLT_POST_OPERATION_CLEANUP);
    LetHolderGo(STATUS_END_OF_FILE, DISPATCH_LEVEL);
    CHECK_STATUS(IoStatus.Status, STATUS_END_OF_FILE);
    CHECK_STEPS("A<03");
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadHolder(), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

/* What is on a stream's own list. */
static ULONG CountPerStream(PFILE_OBJECT FileObject)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = FsRtlGetPerStreamContextPointer(FileObject);
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = Header->FilterContexts.Flink; Entry != &Header->FilterContexts; Entry = Entry->Flink) {
        Count++;
    }
    return Count;
}

static void ContextsOfStreams(void)
{
    PFLT_CONTEXT First = NULL;
    PFLT_CONTEXT Second = NULL;
    PFLT_CONTEXT OfHandle = NULL;
    PFLT_CONTEXT Found = NULL;
    PFILE_OBJECT FileObject;
    PFILE_OBJECT Other;
    HANDLE Handle = NULL;
    HANDLE OtherHandle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &OtherHandle), STATUS_SUCCESS);
    FileObject = FileOf(Handle);
    Other = FileOf(OtherHandle);
    CHECK(FltSupportsStreamContexts(FileObject) && FltSupportsStreamHandleContexts(FileObject));
    CHECK_STATUS(FltGetStreamContext(MinifilterA.Instance, FileObject, &Found), STATUS_NOT_FOUND);
    CHECK_STATUS(FltAllocateContext(MinifilterA.Filter, FLT_STREAM_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &First),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltAllocateContext(MinifilterA.Filter, FLT_STREAM_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Second),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltAllocateContext(MinifilterA.Filter, FLT_STREAMHANDLE_CONTEXT, 77, PagedPool, &OfHandle),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, First, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, Other, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Second, &Found),
                 STATUS_FLT_CONTEXT_ALREADY_DEFINED);
    CHECK(Found == First);
    FltReleaseContext(Found);
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, First, NULL),
                 STATUS_FLT_CONTEXT_ALREADY_LINKED);
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfHandle, NULL),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(
        FltSetStreamHandleContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfHandle, NULL),
        STATUS_SUCCESS);
    CHECK_STATUS(FltGetStreamHandleContext(MinifilterA.Instance, FileObject, &Found), STATUS_SUCCESS);
    CHECK(Found == OfHandle);
    FltReleaseContext(Found);
    CHECK_STATUS(FltGetStreamHandleContext(MinifilterA.Instance, Other, &Found), STATUS_NOT_FOUND);
    CHECK(CountPerStream(FileObject) == 1); /* Filter Manager's own, for all of them */
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, Other, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Second, &Found),
                 STATUS_SUCCESS);
    CHECK(Found == First);
    FltReleaseContext(Found);
    FltReleaseContext(First);
    FltReleaseContext(Second);
    FltReleaseContext(OfHandle);
    CHECK(MinifilterA.ContextsCleaned == 1); /* the first */
    ObDereferenceObject(FileObject);
    ObDereferenceObject(Other);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK(MinifilterA.ContextsCleaned == 2); /* the handle's */
    CHECK_STATUS(NtClose(OtherHandle), STATUS_SUCCESS);
    CHECK(MinifilterA.ContextsCleaned == 3); /* with the stream */
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static NTSTATUS SetUpContexts(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                              FLT_FILESYSTEM_TYPE FileSystemType)
{
    PFLT_CONTEXT Context;
    PFLT_CONTEXT Found;

    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(DeviceType);
    UNREFERENCED_PARAMETER(FileSystemType);
    CHECK_STATUS(FltAllocateContext(Objects->Filter, FLT_VOLUME_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context),
                 STATUS_FLT_MUST_BE_NONPAGED_POOL);
    CHECK_STATUS(
        FltAllocateContext(Objects->Filter, FLT_VOLUME_CONTEXT, TEST_CONTEXT_SIZE + 1, NonPagedPoolNx, &Context),
        STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND);
    CHECK_STATUS(FltAllocateContext(Objects->Filter, FLT_VOLUME_CONTEXT, 0, NonPagedPoolNx, &Context),
                 STATUS_INVALID_PARAMETER);
    CHECK_STATUS(FltAllocateContext(Objects->Filter, FLT_VOLUME_CONTEXT, TEST_CONTEXT_SIZE, NonPagedPoolNx, &Context),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltSetVolumeContext(Objects->Volume, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL), STATUS_SUCCESS);
    FltReleaseContext(Context);
    CHECK_STATUS(FltGetVolumeContext(Objects->Filter, Objects->Volume, &Found), STATUS_SUCCESS);
    CHECK(Found == Context);
    FltReleaseContext(Found);
    CHECK_STATUS(FltAllocateContext(Objects->Filter, FLT_INSTANCE_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltSetInstanceContext(Objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL),
                 STATUS_SUCCESS);
    FltReleaseContext(Context);
    return STATUS_SUCCESS;
}

static VOID LookForContext(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_CONTEXT Context;

    UNREFERENCED_PARAMETER(Reason);
    CHECK_STATUS(FltGetInstanceContext(Objects->Instance, &Context), STATUS_SUCCESS);
    FltReleaseContext(Context);
    CHECK_STATUS(FltSetInstanceContext(Objects->Instance, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Context, NULL),
                 STATUS_FLT_DELETING_OBJECT);
    CHECK_STATUS(FltObjectReference(Objects->Instance), STATUS_FLT_DELETING_OBJECT);
}

static void ContextsOfInstances(void)
{
    PFLT_CONTEXT Context;
    PFILE_OBJECT FileObject;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    MinifilterA.Setup = SetUpContexts;
    MinifilterA.TeardownStart = LookForContext;
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    FileObject = FileOf(Handle);
    CHECK_STATUS(FltAllocateContext(MinifilterA.Filter, FLT_STREAM_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL),
                 STATUS_SUCCESS);
    FltReleaseContext(Context);
    CHECK_STATUS(FltDeleteStreamContext(MinifilterA.Instance, FileObject, NULL), STATUS_SUCCESS);
    CHECK(MinifilterA.ContextsCleaned == 1);
    CHECK_STATUS(FltAllocateContext(MinifilterA.Filter, FLT_STREAM_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltSetStreamContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL),
                 STATUS_SUCCESS);
    FltReleaseContext(Context);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS); /* while the stream is open */
    CHECK(MinifilterA.ContextsCleaned == 4 && CountPerStream(FileObject) == 1);
    ObDereferenceObject(FileObject);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static BOOLEAN SameText(const UNICODE_STRING *String, PCWSTR Text)
{
    UNICODE_STRING Other;

    RtlInitUnicodeString(&Other, Text);
    return (BOOLEAN)(String->Length == Other.Length && memcmp(String->Buffer, Other.Buffer, Other.Length) == 0);
}

#define NORMALIZED (FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT)
#define OPENED (FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT)

static BOOLEAN AskForName;
static ULONG NamesTold;
static FLT_POSTOP_CALLBACK_STATUS NameInPost(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name;

    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    if (!AskForName) {
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    switch (Data->Iopb->MajorFunction) {
    case IRP_MJ_CREATE:
        if (!NT_SUCCESS(Data->IoStatus.Status)) {
            CHECK_STATUS(FltGetFileNameInformation(Data, NORMALIZED, &Name), STATUS_FLT_INVALID_NAME_REQUEST);
            break;
        }
        CHECK_STATUS(FltGetFileNameInformation(Data, NORMALIZED, &Name), STATUS_SUCCESS);
        CHECK(SameText(&Name->Volume, L"\\Device\\HostVolume1") && Name->Format == FLT_FILE_NAME_NORMALIZED);
        CHECK(SameText(&Name->Name, L"\\Device\\HostVolume1\\Directory\\A Name.txt:stream"));
        CHECK_STATUS(FltParseFileNameInformation(Name), STATUS_SUCCESS);
        CHECK(SameText(&Name->ParentDir, L"\\Directory\\") && SameText(&Name->FinalComponent, L"A Name.txt:stream") &&
              SameText(&Name->Extension, L"txt") && SameText(&Name->Stream, L":stream"));
        FltReferenceFileNameInformation(Name);
        FltReleaseFileNameInformation(Name);
        FltReleaseFileNameInformation(Name);
        CHECK_STATUS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_CACHE_ONLY, &Name),
                     STATUS_FLT_NAME_CACHE_MISS);
        CHECK_STATUS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED, &Name), STATUS_INVALID_PARAMETER);
        NamesTold++;
        break;
    case IRP_MJ_CLOSE:
        CHECK_STATUS(FltGetFileNameInformation(Data, OPENED, &Name), STATUS_FLT_INVALID_NAME_REQUEST);
        NamesTold++;
        break;
    default:
        break;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS NameInPre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    PFLT_FILE_NAME_INFORMATION Name;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    if (AskForName && Data->Iopb->MajorFunction == IRP_MJ_CREATE) {
        CHECK_STATUS(FltGetFileNameInformation(Data, OPENED, &Name), STATUS_SUCCESS);
        CHECK(SameText(&Name->Name, L"\\Device\\HostVolume1\\DIRECTORY\\a name.txt:stream"));
        FltReleaseFileNameInformation(Name);
        CHECK_STATUS(FltGetFileNameInformation(Data, FLT_FILE_NAME_SHORT | FLT_FILE_NAME_QUERY_DEFAULT, &Name),
                     STATUS_FLT_INVALID_NAME_REQUEST);
        IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
        CHECK_STATUS(FltGetFileNameInformation(Data, OPENED, &Name), STATUS_FLT_INVALID_NAME_REQUEST);
        IoSetTopLevelIrp(NULL);
        KeRaiseIrql(APC_LEVEL, &Irql);
        CHECK_STATUS(FltGetFileNameInformation(Data, OPENED, &Name), STATUS_FLT_INVALID_NAME_REQUEST);
        CHECK_STATUS(FltGetFileNameInformation(
                         Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP, &Name),
                     STATUS_FLT_NAME_CACHE_MISS);
        KeLowerIrql(Irql);
        NamesTold++;
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static void Names(void)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    FILE_INTERNAL_INFORMATION Internal;
    IO_STATUS_BLOCK IoStatus;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Id = {sizeof(LARGE_INTEGER), sizeof(LARGE_INTEGER), (PWCH)(PVOID)&Internal.IndexNumber};
    PFILE_OBJECT FileObject;
    HANDLE Handle = NULL;
    HANDLE ById = NULL;
    HANDLE Volume = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:\\Directory", FILE_DIRECTORY_FILE, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:\\Directory\\A Name.txt:stream", 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    MinifilterA.Pre = NameInPre;
    MinifilterA.Post = NameInPost;
    AskForName = TRUE;
    NamesTold = 0;
    MinifilterSteps[0] = '\0';
    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:\\DIRECTORY\\a name.txt:stream", 0, &Handle), STATUS_SUCCESS);
    CHECK_STEPS("A>00 B>00 B<00 A<00 B>05 B<05"); /* those below are asked for names, too */
    HostSetQuirks(HOST_QUIRK_NO_NORMALIZED_NAMES);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:\\DIRECTORY\\a name.txt:stream", 0, &Handle), STATUS_SUCCESS);
    HostSetQuirks(0);
    CHECK(NamesTold == 5);
    AskForName = FALSE;

    CHECK_STATUS(NtQueryInformationFile(Handle, &IoStatus, &Internal, sizeof(Internal), FileInternalInformation),
                 STATUS_SUCCESS);
    InitializeObjectAttributes(&Attributes, &Id, 0, Handle, NULL);
    CHECK_STATUS(NtCreateFile(&ById, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                              FILE_SHARE_VALID_FLAGS, FILE_OPEN, FILE_OPEN_BY_FILE_ID | FILE_SYNCHRONOUS_IO_NONALERT,
                              NULL, 0),
                 STATUS_SUCCESS);
    FileObject = FileOf(ById);
    CHECK_STATUS(FltGetFileNameInformationUnsafe(FileObject, MinifilterA.Instance, NORMALIZED, &Name), STATUS_SUCCESS);
    CHECK(SameText(&Name->Name, L"\\Device\\HostVolume1\\Directory\\A Name.txt"));
    FltReleaseFileNameInformation(Name);
    HostFailAllocation(1);
    CHECK_STATUS(FltGetFileNameInformationUnsafe(FileObject, NULL, NORMALIZED, &Name), STATUS_INSUFFICIENT_RESOURCES);
    ObDereferenceObject(FileObject);
    CHECK_STATUS(NtClose(ById), STATUS_SUCCESS);

    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:", 0, &Volume), STATUS_SUCCESS);
    FileObject = FileOf(Volume);
    CHECK_STATUS(FltGetFileNameInformationUnsafe(FileObject, NULL, NORMALIZED, &Name), STATUS_SUCCESS);
    CHECK(SameText(&Name->Name, L"\\Device\\HostVolume1"));
    FltReleaseFileNameInformation(Name);
    ObDereferenceObject(FileObject);
    CHECK_STATUS(NtClose(Volume), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static PCWSTR ExpectedName;
static FLT_PREOP_CALLBACK_STATUS ExpectName(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    PFLT_FILE_NAME_INFORMATION Name;

    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MajorFunction == IRP_MJ_CREATE && ExpectedName != NULL) {
        CHECK_STATUS(FltGetFileNameInformation(Data, OPENED, &Name), STATUS_SUCCESS);
        CHECK(SameText(&Name->Name, ExpectedName));
        FltReleaseFileNameInformation(Name);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS OpenRelative(HANDLE Root, PCWSTR Name, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING String;

    RtlInitUnicodeString(&String, Name);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, Root, NULL);
    return NtCreateFile(Handle, GENERIC_READ | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_VALID_FLAGS,
                        FILE_OPEN_IF, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static void RelativeNames(void)
{
    HANDLE Directory = NULL;
    HANDLE Root = NULL;
    HANDLE File = NULL;
    HANDLE Stream = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    MinifilterA.Pre = ExpectName;
    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:\\", FILE_DIRECTORY_FILE, &Root), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(L"\\DosDevices\\M:\\d", FILE_DIRECTORY_FILE, &Directory), STATUS_SUCCESS);
    ExpectedName = L"\\Device\\HostVolume1\\a.txt";
    CHECK_STATUS(OpenRelative(Root, L"a.txt", &File), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(File), STATUS_SUCCESS);
    ExpectedName = L"\\Device\\HostVolume1\\d\\b.txt";
    CHECK_STATUS(OpenRelative(Directory, L"b.txt", &File), STATUS_SUCCESS);
    ExpectedName = L"\\Device\\HostVolume1\\d\\b.txt:s";
    CHECK_STATUS(OpenRelative(File, L":s", &Stream), STATUS_SUCCESS);
    ExpectedName = NULL;
    CHECK_STATUS(NtClose(Stream), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(File), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Directory), STATUS_SUCCESS);
    CHECK_STATUS(NtClose(Root), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static BOOLEAN Dismounted;

static VOID DismountM(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    CHECK_STATUS(HostDismountVolume(L'M'), STATUS_SUCCESS);
    Dismounted = TRUE;
}

/* A minifilter has a reference to a volume that is being dismounted. */
static VOID GiveVolumeBack(PVOID Context)
{
    WCHAR Text[64];
    UNICODE_STRING Name = {0, sizeof(Text), Text};

    UNREFERENCED_PARAMETER(Context);
    while (NT_SUCCESS(FltObjectReference(MinifilterA.Volume))) {
        FltObjectDereference(MinifilterA.Volume);
    }
    for (ULONG Look = 0; Look < 100; Look++) {
        CHECK_STATUS(FltGetVolumeName(MinifilterA.Volume, &Name, NULL), STATUS_SUCCESS);
    }
    CHECK(!Dismounted);
    FltObjectDereference(MinifilterA.Volume);
}

static void VolumesAndInstances(void)
{
    static const PHOST_ROUTINE Routines[] = {DismountM, GiveVolumeBack};
    PVOID Contexts[RTL_NUMBER_OF(Routines)] = {NULL};
    union {
        FLT_VOLUME_PROPERTIES Properties;
        UCHAR Room[256];
    } Told;
    WCHAR Text[64];
    UNICODE_STRING Name = {0, sizeof(Text), Text};
    PFLT_INSTANCE Instances[4];
    PFLT_FILTER Filters[4];
    PFLT_VOLUME Volumes[4];
    PFLT_INSTANCE Instance = NULL;
    FLT_FILESYSTEM_TYPE Type;
    PFILE_OBJECT FileObject;
    PFLT_VOLUME Volume = NULL;
    PFLT_FILTER Filter = NULL;
    PDEVICE_OBJECT Disk = NULL;
    HANDLE Handle = NULL;
    BOOLEAN Flag = TRUE;
    ULONG Count = 0;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    FileObject = FileOf(Handle);

    CHECK_STATUS(FltEnumerateVolumes(MinifilterA.Filter, NULL, 0, &Count), STATUS_BUFFER_TOO_SMALL);
    CHECK(Count == 1);
    CHECK_STATUS(FltEnumerateVolumes(MinifilterA.Filter, Volumes, 4, &Count), STATUS_SUCCESS);
    CHECK(Count == 1 && Volumes[0] == MinifilterA.Volume);
    FltObjectDereference(Volumes[0]);
    CHECK_STATUS(FltEnumerateFilters(Filters, 4, &Count), STATUS_SUCCESS);
    CHECK(Count == 2);
    FltObjectDereference(Filters[0]);
    FltObjectDereference(Filters[1]);
    CHECK_STATUS(FltEnumerateInstances(NULL, NULL, Instances, 1, &Count), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(FltEnumerateInstances(MinifilterA.Volume, NULL, Instances, 4, &Count), STATUS_SUCCESS);
    CHECK(Count == 2 && Instances[0] == MinifilterA.Instance &&
          FltCompareInstanceAltitudes(Instances[0], Instances[1]) > 0);
    FltObjectDereference(Instances[0]);
    FltObjectDereference(Instances[1]);
    CHECK_STATUS(FltGetTopInstance(MinifilterA.Volume, &Instance), STATUS_SUCCESS);
    CHECK(Instance == MinifilterA.Instance);
    FltObjectDereference(Instance);
    CHECK_STATUS(FltGetLowerInstance(MinifilterA.Instance, &Instance), STATUS_SUCCESS);
    CHECK(Instance == MinifilterB.Instance);
    FltObjectDereference(Instance);
    CHECK_STATUS(FltGetLowerInstance(MinifilterB.Instance, &Instance), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(FltGetUpperInstance(MinifilterA.Instance, &Instance), STATUS_NO_MORE_ENTRIES);
    CHECK_STATUS(FltGetBottomInstance(MinifilterA.Volume, &Instance), STATUS_SUCCESS);
    FltObjectDereference(Instance);
    CHECK_STATUS(FltGetFilterFromInstance(MinifilterB.Instance, &Filter), STATUS_SUCCESS);
    CHECK(Filter == MinifilterB.Filter);
    FltObjectDereference(Filter);

    CHECK_STATUS(FltGetVolumeFromFileObject(MinifilterA.Filter, FileObject, &Volume), STATUS_SUCCESS);
    CHECK(Volume == MinifilterA.Volume);
    CHECK_STATUS(FltGetVolumeName(Volume, NULL, &Count), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(FltGetVolumeName(Volume, &Name, NULL), STATUS_SUCCESS);
    CHECK(SameText(&Name, L"\\Device\\HostVolume1") && Count == Name.Length);
    FltObjectDereference(Volume);
    CHECK_STATUS(FltGetVolumeFromName(MinifilterA.Filter, &Name, &Volume), STATUS_SUCCESS);
    FltObjectDereference(Volume);
    CHECK_STATUS(FltGetVolumeInstanceFromName(MinifilterA.Filter, Volume, NULL, &Instance), STATUS_SUCCESS);
    FltObjectDereference(Instance);
    CHECK_STATUS(FltGetVolumeProperties(Volume, NULL, 0, &Count), STATUS_BUFFER_TOO_SMALL);
    CHECK_STATUS(FltGetVolumeProperties(Volume, &Told.Properties, sizeof(Told.Properties), &Count),
                 STATUS_BUFFER_OVERFLOW);
    CHECK_STATUS(FltGetVolumeProperties(Volume, &Told.Properties, sizeof(Told), &Count), STATUS_SUCCESS);
    CHECK(SameText(&Told.Properties.FileSystemDriverName, L"\\FileSystem\\HostMemory") &&
          SameText(&Told.Properties.RealDeviceName, L"\\Device\\HostVolume1") && Told.Properties.SectorSize == 512);
    CHECK_STATUS(FltGetDiskDeviceObject(Volume, &Disk), STATUS_SUCCESS);
    CHECK(Disk == FileObject->DeviceObject);
    ObDereferenceObject(Disk);
    CHECK_STATUS(FltGetFileSystemType(MinifilterA.Instance, &Type), STATUS_SUCCESS);
    CHECK(Type == FLT_FSTYPE_UNKNOWN);
    CHECK_STATUS(FltIsVolumeSnapshot(Volume, &Flag), STATUS_SUCCESS);
    CHECK(!Flag);
    CHECK_STATUS(FltIsDirectory(FileObject, MinifilterA.Instance, &Flag), STATUS_SUCCESS);
    CHECK(!Flag);
    CHECK(FltGetRoutineAddress("FltGetVolumeName") == (PVOID)(ULONG_PTR)FltGetVolumeName &&
          FltGetRoutineAddress("FltGetVolumeGuidName") == NULL);

    ObDereferenceObject(FileObject);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(FltObjectReference(MinifilterA.Volume), STATUS_SUCCESS); /* which the dismount waits for */
    HostRunSchedule(1, RTL_NUMBER_OF(Routines), Routines, Contexts);
    CHECK(Dismounted);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static FLT_PREOP_CALLBACK_STATUS QueryBelow(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    FILE_FS_DEVICE_INFORMATION Device;
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK IoStatus;
    ULONG Length = 0;

    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->MajorFunction == IRP_MJ_WRITE) {
        CHECK_STATUS(FltQueryInformationFile(Objects->Instance, Objects->FileObject, &Standard, sizeof(Standard),
                                             FileStandardInformation, &Length),
                     STATUS_SUCCESS);
        CHECK(Length == sizeof(Standard) && Standard.EndOfFile.QuadPart == 0);
        CHECK_STATUS(
            FltQueryVolumeInformation(Objects->Instance, &IoStatus, &Device, sizeof(Device), FileFsDeviceInformation),
            STATUS_SUCCESS);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static void GeneratedRequests(void)
{
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(LoadMinifilter(&MinifilterB), STATUS_SUCCESS);
    MinifilterA.Pre = QueryBelow;
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    MinifilterSteps[0] = '\0';
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
    CHECK_STEPS("A>04 B>05 B<05 B>04 B<04");
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterB), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static void Skipped(void)
{
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle = NULL;
    char Buffer[4];

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    MinifilterA.OperationFlags = FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO;
    CHECK_STATUS(LoadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    CHECK_STATUS(WriteTo(Handle, "text", 4), STATUS_SUCCESS);
    CHECK_STATUS(ReadFrom(Handle, Buffer, 4, &IoStatus), STATUS_SUCCESS);
    CHECK_STEPS("A>00 A<00");
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK_STATUS(UnloadMinifilter(&MinifilterA), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

static void Marked(void)
{
    PDRIVER_OBJECT First = NULL;
    PDRIVER_OBJECT Second = NULL;
    PFILE_OBJECT FileObject;
    HOST_INSTANCE Told;
    HANDLE Handle = NULL;

    CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadMarker(L"Scanner", L"320000", &First), STATUS_SUCCESS);
    CHECK_STATUS(HostLoadMarker(L"Backup", L"280000.5", &Second), STATUS_SUCCESS);
    CHECK_STATUS(OpenOnVolume(FILE_NAME, 0, &Handle), STATUS_SUCCESS);
    FileObject = FileOf(Handle);
    CHECK(CountPerStream(FileObject) == 1 && HostAuditPool('kraM') != 0);
    CHECK_STATUS(HostNextInstance(L'M', 1, &Told), STATUS_SUCCESS);
    CHECK(Told.FilterName[0] == L'B' && Told.Altitude[6] == L'.');
    ObDereferenceObject(FileObject);
    CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
    CHECK(HostAuditPool('kraM') == 0);
    CHECK_STATUS(HostUnloadDriver(First), STATUS_SUCCESS);
    CHECK_STATUS(HostUnloadDriver(Second), STATUS_SUCCESS);
    CHECK(StopMinifilters());
}

/* Loads, opens, names, sets contexts, unloads: each allocation on the way fails once. */
static void EveryAllocationFails(void)
{
    PDRIVER_OBJECT Driver;
    HANDLE Handle;
    ULONG64 Before;
    ULONG64 Last = 1;
    NTSTATUS Status;

    for (ULONG64 Number = 1; Number <= Last; Number++) {
        CHECK_STATUS(StartMinifilters(), STATUS_SUCCESS);
        Before = HostAllocationCount();
        HostFailAllocation(Number);
        Status = HostLoadMarker(L"Scanner", L"320000", &Driver);
        CHECK(NT_SUCCESS(Status) || Status == STATUS_INSUFFICIENT_RESOURCES);
        if (NT_SUCCESS(OpenOnVolume(FILE_NAME, 0, &Handle))) {
            CHECK_STATUS(NtClose(Handle), STATUS_SUCCESS);
        }
        if (NT_SUCCESS(Status)) {
            CHECK_STATUS(HostUnloadDriver(Driver), STATUS_SUCCESS);
        }
        HostFailAllocation(0);
        if (Number == 1) {
            Last = 0;
        }
        Last = max(Last, HostAllocationCount() - Before);
        CHECK(StopMinifilters());
    }
    CHECK(Last > 15);
}

int main(void)
{
    RunTest("minifilters are called by altitude, whichever was loaded first", ByAltitude);
    RunTest("Filter Manager is above the legacy filters that were there, and below those that come later", InTheStack);
    RunTest("a minifilter is asked about each volume that is there and each that is mounted, and told when one goes",
            SetUpAndTornDown);
    RunTest("a minifilter that declines a volume is not called for it, and may be attached and detached by hand",
            Declined);
    RunTest("a minifilter may refuse to be unloaded, unless that is mandatory", AskedToUnload);
    RunTest("a registration that is wrong is refused, and so is a second instance at an altitude", WrongRegistrations);
    RunTest("an operation that a minifilter completes goes no further down, and comes back to those above",
            CompletedOnTheWay);
    RunTest("an operation that a minifilter pends goes on when it is given back, a create in its own thread",
            PendedOnTheWay);
    RunTest("post-operation callbacks run at the IRQL of the completion, but for creates and what is synchronized",
            AtItsIrql);
    RunTest("completion processing is put off until it is safe, and given back", WhenItIsSafe);
    RunTest("fast I/O is told of, and becomes a request where it is disallowed", FastIoIsToldOf);
    RunTest("changed parameters are what those below see, and only those", ChangedOnTheWay);
    RunTest("an operation that is still below is drained when its instance goes, and not told of again",
            DrainedAtTheEnd);
    RunTest("contexts of streams and open files hang on one per-stream context, and go with them", ContextsOfStreams);
    RunTest("contexts of volumes and instances, and those on open streams, go with the minifilter",
            ContextsOfInstances);
    RunTest("names are told as the file system says, and where it is safe to ask", Names);
    RunTest("before a create, a name is what its opener said, from where it is relative to", RelativeNames);
    RunTest("filters, volumes and instances are enumerated, found and referenced", VolumesAndInstances);
    RunTest("requests of a minifilter's own go to those below it", GeneratedRequests);
    RunTest("what a registration leaves out is not told of", Skipped);
    RunTest("markers leave one per-stream context, and are told with their altitudes", Marked);
    RunTest("every allocation fails once, and nothing is left", EveryAllocationFails);
    return EndTests();
}
