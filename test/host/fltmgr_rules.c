/* Filter Manager's rules: each is broken once, in a child process, and must end in its bugcheck. */
#include "harness.h"
#include "minifilter.h"

#define FILE_NAME L"\\DosDevices\\M:\\file.txt"

static UCHAR BreakAt;

/* Opens a file with a minifilter loaded, writes, asks and closes: one of these breaks the rule. */
static void UseFile(void)
{
    FILE_BASIC_INFORMATION Basic;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    if (NT_SUCCESS(OpenOnVolume(FILE_NAME, 0, &Handle))) {
        (VOID) WriteTo(Handle, "text", 4);
        (VOID) NtQueryInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation);
        (VOID) NtClose(Handle);
    }
}

static void WithPre(UCHAR Major, PFLT_PRE_OPERATION_CALLBACK Pre)
{
    (VOID) StartMinifilters();
    MinifilterA.Pre = Pre;
    BreakAt = Major;
    (VOID) LoadMinifilter(&MinifilterA);
    UseFile();
}

static void WithPost(UCHAR Major, PFLT_POST_OPERATION_CALLBACK Post)
{
    (VOID) StartMinifilters();
    MinifilterA.Post = Post;
    BreakAt = Major;
    (VOID) LoadMinifilter(&MinifilterA);
    UseFile();
}

/* A pre-operation callback that does something, and answers something, at the major function that is told. */
#define PRE(Name, Major, Act, Answer) \
    static FLT_PREOP_CALLBACK_STATUS Name##Callback(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, \
                                                    PVOID *Context) \
    { \
        UNREFERENCED_PARAMETER(Objects); \
        UNREFERENCED_PARAMETER(Context); \
        if (Data->Iopb->MajorFunction != BreakAt) { \
            return FLT_PREOP_SUCCESS_NO_CALLBACK; \
        } \
        Act; \
        return Answer; \
    } \
    static void Name(void) \
    { \
        WithPre(Major, Name##Callback); \
    }

#define POST(Name, Major, Act, Answer) \
    static FLT_POSTOP_CALLBACK_STATUS Name##Callback(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, \
                                                     PVOID Context, FLT_POST_OPERATION_FLAGS Flags) \
    { \
        UNREFERENCED_PARAMETER(Objects); \
        UNREFERENCED_PARAMETER(Context); \
        UNREFERENCED_PARAMETER(Flags); \
        if (Data->Iopb->MajorFunction != BreakAt) { \
            return FLT_POSTOP_FINISHED_PROCESSING; \
        } \
        Act; \
        return Answer; \
    } \
    static void Name(void) \
    { \
        WithPost(Major, Name##Callback); \
    }

static KIRQL Irql;
static PFLT_FILE_NAME_INFORMATION Name;
static PFLT_CALLBACK_DATA Stale;
static PFLT_CONTEXT Context_;

PRE(ContextWithoutPost, IRP_MJ_WRITE, *Context = Data, FLT_PREOP_SUCCESS_NO_CALLBACK)
PRE(PendedFastIo, IRP_MJ_QUERY_INFORMATION, (void)0, FLT_PREOP_PENDING)
PRE(DisallowedRequest, IRP_MJ_WRITE, (void)0, FLT_PREOP_DISALLOW_FASTIO)
PRE(UnknownStatus, IRP_MJ_WRITE, (void)0, FLT_PREOP_DISALLOW_FSFILTER_IO)
PRE(CompletedPending, IRP_MJ_WRITE, Data->IoStatus.Status = STATUS_PENDING, FLT_PREOP_COMPLETE)
PRE(FailedCleanup, IRP_MJ_CLEANUP, Data->IoStatus.Status = STATUS_ACCESS_DENIED, FLT_PREOP_COMPLETE)
PRE(SynchronizedCreate, IRP_MJ_CREATE, (void)0, FLT_PREOP_SYNCHRONIZE)
PRE(ChangedSilently, IRP_MJ_WRITE, Data->Iopb->Parameters.Write.Length = 1, FLT_PREOP_SUCCESS_WITH_CALLBACK)
PRE(ReturnedRaised, IRP_MJ_WRITE, KeRaiseIrql(APC_LEVEL, &Irql), FLT_PREOP_SUCCESS_NO_CALLBACK)
PRE(ReturnedInRegion, IRP_MJ_WRITE, KeEnterCriticalRegion(), FLT_PREOP_SUCCESS_NO_CALLBACK)
PRE(NotPended, IRP_MJ_WRITE, FltCompletePendedPostOperation(Data), FLT_PREOP_SUCCESS_NO_CALLBACK)
PRE(ResumedTwice, IRP_MJ_WRITE,
    (FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL),
     FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL)),
    FLT_PREOP_PENDING)
PRE(ResumedWithPending, IRP_MJ_WRITE, FltCompletePendedPreOperation(Data, FLT_PREOP_PENDING, NULL), FLT_PREOP_PENDING)
PRE(NameAtDispatch, IRP_MJ_WRITE,
    (KeRaiseIrql(DISPATCH_LEVEL, &Irql),
     (VOID)(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name) != 0)),
    FLT_PREOP_SUCCESS_NO_CALLBACK)
PRE(
    SafeInPre, IRP_MJ_WRITE,
    {
        FLT_POSTOP_CALLBACK_STATUS Status;
        (VOID) !FltDoCompletionProcessingWhenSafe(Data, Objects, NULL, 0, NULL, &Status);
    },
    FLT_PREOP_SUCCESS_NO_CALLBACK)

POST(KeptCreate, IRP_MJ_CREATE, (void)0, FLT_POSTOP_MORE_PROCESSING_REQUIRED)
POST(KeptFastIo, IRP_MJ_QUERY_INFORMATION, (void)0, FLT_POSTOP_MORE_PROCESSING_REQUIRED)
POST(
    DrainingIsUnsafe, IRP_MJ_WRITE,
    {
        FLT_POSTOP_CALLBACK_STATUS Status;
        (VOID) !FltDoCompletionProcessingWhenSafe(Data, Objects, NULL, FLTFL_POST_OPERATION_DRAINING, NULL, &Status);
    },
    FLT_POSTOP_FINISHED_PROCESSING)

static void NoPostRegistered(void)
{
    (VOID) StartMinifilters();
    MinifilterA.NoPost = TRUE;
    (VOID) LoadMinifilter(&MinifilterA);
    MinifilterA.NoPost = FALSE; /* answers FLT_PREOP_SUCCESS_WITH_CALLBACK all the same */
    UseFile();
}

static FLT_PREOP_CALLBACK_STATUS KeepData(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    Stale = Data;
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static void StaleData(void)
{
    WithPre(IRP_MJ_WRITE, KeepData);
    FltSetCallbackDataDirty(Stale);
}

static void NotAnObject(void)
{
    static ULONG64 Nothing[16];

    (VOID) StartMinifilters();
    FltObjectDereference(Nothing);
}

static void VolumeForInstance(void)
{
    PFLT_INSTANCE Instance;

    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID) FltGetLowerInstance((PFLT_INSTANCE)MinifilterA.Volume, &Instance);
}

static void GivenBackTwice(void)
{
    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID)(FltObjectReference(MinifilterA.Instance) == 0);
    FltObjectDereference(MinifilterA.Instance);
    FltObjectDereference(MinifilterA.Instance);
}

static void ContextGivenBackTwice(void)
{
    PFILE_OBJECT FileObject;
    HANDLE Handle;

    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID) OpenOnVolume(FILE_NAME, 0, &Handle);
    FileObject = FileOf(Handle);
    (VOID)(FltAllocateContext(MinifilterA.Filter, FLT_STREAM_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context_) == 0);
    (VOID) FltSetStreamContext(MinifilterA.Instance, FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context_, NULL);
    FltReleaseContext(Context_);
    FltReleaseContext(Context_);
}

static void NotAContext(void)
{
    static ULONG64 Nothing[32];

    (VOID) StartMinifilters();
    FltReleaseContext(Nothing + 16);
}

static void SetAtDispatch(void)
{
    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID)(FltAllocateContext(MinifilterA.Filter, FLT_INSTANCE_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context_) == 0);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    (VOID) FltSetInstanceContext(MinifilterA.Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context_, NULL);
}

static void GetName(void)
{
    PFILE_OBJECT FileObject;
    HANDLE Handle;

    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID) OpenOnVolume(FILE_NAME, 0, &Handle);
    FileObject = FileOf(Handle);
    (VOID)(FltGetFileNameInformationUnsafe(FileObject, MinifilterA.Instance,
                                           FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name) == 0);
    ObDereferenceObject(FileObject);
    (VOID) NtClose(Handle);
}

static void ChangedName(void)
{
    GetName();
    Name->Name.Buffer[3] = L'x';
    FltReleaseFileNameInformation(Name);
}

static void UnregisteredTwice(void)
{
    PFLT_FILTER Filter;

    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    Filter = MinifilterA.Filter;
    (VOID)(FltObjectReference(MinifilterA.Volume) == 0);
    MinifilterA.TeardownComplete = NULL;
    MinifilterA.UnloadStatus = STATUS_UNSUCCESSFUL;
    (VOID) UnloadMinifilter(&MinifilterA); /* mandatory, and it did not unregister itself */
    FltUnregisterFilter(Filter);
}

/* On a schedule, a wait that nothing ends is over at once. */
static VOID Unload(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    (VOID) UnloadMinifilter(&MinifilterA);
}

static void UnloadOnSchedule(void)
{
    static const PHOST_ROUTINE Routines[] = {Unload};
    PVOID Contexts[] = {NULL};

    HostRunSchedule(1, 1, Routines, Contexts);
}

static void NameOut(void)
{
    GetName();
    UnloadOnSchedule();
}

static void ContextOut(void)
{
    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID)(FltAllocateContext(MinifilterA.Filter, FLT_INSTANCE_CONTEXT, TEST_CONTEXT_SIZE, PagedPool, &Context_) == 0);
    UnloadOnSchedule();
}

static void FilterReferenced(void)
{
    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID)(FltObjectReference(MinifilterA.Filter) == 0);
    UnloadOnSchedule();
}

static void InstanceReferenced(void)
{
    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    (VOID)(FltObjectReference(MinifilterA.Instance) == 0);
    UnloadOnSchedule();
}

static VOID Dismount(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    (VOID) HostDismountVolume(L'M');
}

static void DismountOnSchedule(void)
{
    static const PHOST_ROUTINE Routines[] = {Dismount};
    PVOID Contexts[] = {NULL};

    HostRunSchedule(1, 1, Routines, Contexts);
}

static void VolumeReferenced(void)
{
    PFLT_VOLUME Volume;

    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    if (NT_SUCCESS(FltGetVolumeFromInstance(MinifilterA.Instance, &Volume))) {
        DismountOnSchedule();
    }
}

static FLT_PREOP_CALLBACK_STATUS PendWrites(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Context);
    return Data->Iopb->MajorFunction == IRP_MJ_WRITE ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* A minifilter that has pended an operation, and does not give it back when it is told to. */
static void PendedAtTeardown(void)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    IO_STATUS_BLOCK IoStatus;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String;
    HANDLE Handle;
    char Byte = 0;

    (VOID) StartMinifilters();
    MinifilterA.Pre = PendWrites;
    (VOID) LoadMinifilter(&MinifilterA);
    RtlInitUnicodeString(&String, FILE_NAME);
    InitializeObjectAttributes(&Attributes, &String, OBJ_CASE_INSENSITIVE, NULL, NULL);
    (VOID) NtCreateFile(&Handle, GENERIC_WRITE, &Attributes, &IoStatus, NULL, 0, FILE_SHARE_VALID_FLAGS, FILE_OPEN_IF,
                        0, NULL, 0);
    (VOID) NtWriteFile(Handle, NULL, NULL, NULL, &IoStatus, &Byte, 1, &Offset, NULL);
    UnloadOnSchedule();
}

static void UnloadAtApcLevel(void)
{
    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    KeRaiseIrql(APC_LEVEL, &Irql);
    FltUnregisterFilter(MinifilterA.Filter);
}

static void FreedWorkItem(void)
{
    PFLT_GENERIC_WORKITEM Item;

    (VOID) StartMinifilters();
    (VOID) LoadMinifilter(&MinifilterA);
    Item = FltAllocateGenericWorkItem();
    KeRaiseIrql(HIGH_LEVEL, &Irql);
    (VOID)(FltQueueGenericWorkItem(Item, MinifilterA.Instance, NULL, DelayedWorkQueue, NULL) == 0);
}

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION

int main(void)
{
    RunViolation("a completion context without a post-operation callback is noticed", VIOLATION, "completion context",
                 ContextWithoutPost);
    RunViolation("asking for a post-operation callback that is not registered is noticed", VIOLATION,
                 "has registered none", NoPostRegistered);
    RunViolation("pending fast I/O is noticed", VIOLATION, "pends what is no request", PendedFastIo);
    RunViolation("disallowing fast I/O for a request is noticed", VIOLATION, "disallows fast I/O", DisallowedRequest);
    RunViolation("a status of other operations is noticed", VIOLATION, "does not belong", UnknownStatus);
    RunViolation("completing with STATUS_PENDING is noticed", VIOLATION, "STATUS_PENDING", CompletedPending);
    RunViolation("failing a cleanup is noticed", VIOLATION, "fails a cleanup", FailedCleanup);
    RunViolation("synchronizing a create is noticed", VIOLATION, "synchronizes a create", SynchronizedCreate);
    RunViolation("changed parameters that are not said to be are noticed", VIOLATION, "FltSetCallbackDataDirty",
                 ChangedSilently);
    RunViolation("a callback that returns at another IRQL is noticed", IRQL_UNEXPECTED_VALUE, "PreOperation",
                 ReturnedRaised);
    RunViolation("a callback that returns in a critical region is noticed", IRQL_UNEXPECTED_VALUE, "PreOperation",
                 ReturnedInRegion);
    RunViolation("giving back what is not pended is noticed", VIOLATION, "not pended", NotPended);
    RunViolation("giving back a pended operation twice is noticed", VIOLATION, "not pended", ResumedTwice);
    RunViolation("giving an operation back as pended is noticed", VIOLATION, "gives nothing back", ResumedWithPending);
    RunViolation("asking for a name at DISPATCH_LEVEL is noticed", IRQL_NOT_LESS_OR_EQUAL, "FltGetFileNameInformation",
                 NameAtDispatch);
    RunViolation("completion processing in a pre-operation callback is noticed", VIOLATION,
                 "FltDoCompletionProcessingWhenSafe", SafeInPre);
    RunViolation("a create that its post-operation callback keeps is noticed", VIOLATION, "PostOperation", KeptCreate);
    RunViolation("fast I/O that its post-operation callback keeps is noticed", VIOLATION, "PostOperation", KeptFastIo);
    RunViolation("completion processing of what is drained is noticed", VIOLATION, "is drained", DrainingIsUnsafe);
    RunViolation("callback data of an operation that is over is noticed", VIOLATION, "operation that is over",
                 StaleData);
    RunViolation("what is no filter, volume or instance is noticed", VIOLATION, "FltObjectDereference", NotAnObject);
    RunViolation("a volume for an instance is noticed", VIOLATION, "is no instance", VolumeForInstance);
    RunViolation("a reference given back twice is noticed", REFERENCE_BY_POINTER, "FltObjectDereference",
                 GivenBackTwice);
    RunViolation("a context given back twice is noticed", REFERENCE_BY_POINTER, "FltReleaseContext",
                 ContextGivenBackTwice);
    RunViolation("what is no context is noticed", VIOLATION, "is no context", NotAContext);
    RunViolation("setting a context at DISPATCH_LEVEL is noticed", IRQL_NOT_LESS_OR_EQUAL, "FltSetInstanceContext",
                 SetAtDispatch);
    RunViolation("a name that is changed is noticed", VIOLATION, "has been changed", ChangedName);
    RunViolation("an unload routine that does not unregister is noticed", VIOLATION, "is registered still",
                 UnregisteredTwice);
    RunViolation("a name that is not released keeps the minifilter, which is noticed", VIOLATION,
                 "file name information", NameOut);
    RunViolation("a context that is not released keeps the minifilter, which is noticed", VIOLATION, "a context",
                 ContextOut);
    RunViolation("a reference to the filter keeps it, which is noticed", VIOLATION, "not given back", FilterReferenced);
    RunViolation("a reference to an instance keeps the filter, which is noticed", VIOLATION,
                 "an instance of the filter", InstanceReferenced);
    RunViolation("a reference to a volume keeps its dismount, which is noticed", VIOLATION, "not given back",
                 VolumeReferenced);
    RunViolation("an operation that stays pended keeps the instance, which is noticed", VIOLATION,
                 "an operation that the minifilter keeps", PendedAtTeardown);
    RunViolation("teardown callbacks at APC_LEVEL are noticed", IRQL_NOT_LESS_OR_EQUAL, "InstanceTeardownStartCallback",
                 UnloadAtApcLevel);
    RunViolation("queueing a work item above DISPATCH_LEVEL is noticed", IRQL_NOT_LESS_OR_EQUAL,
                 "FltQueueGenericWorkItem", FreedWorkItem);
    return EndTests();
}
