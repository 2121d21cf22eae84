/* Minifilters: registration, the start of filtering, the end, and unloading by whom it may be asked. */
#include "fltmgr.h"

VOID FltpFreeFilter(PFLT_FILTER Filter)
{
    if (Filter->Operations != NULL) {
        HostFreePool(Filter->Operations, FLTP_TAG, "FltMgr");
    }
    if (Filter->Contexts != NULL) {
        HostFreePool(Filter->Contexts, FLTP_TAG, "FltMgr");
    }
    FltpFreeString(&Filter->Name);
    FltpFreeString(&Filter->InstanceName);
    FltpFreeString(&Filter->Altitude);
    HostFreePool(Filter, FLTP_TAG, "FltMgr");
}

const FLT_OPERATION_REGISTRATION *FltpFindOperation(PFLT_FILTER Filter, UCHAR MajorFunction)
{
    const FLT_OPERATION_REGISTRATION *Operation = Filter->Operations;

    while (Operation != NULL && Operation->MajorFunction != IRP_MJ_OPERATION_END) {
        if (Operation->MajorFunction == MajorFunction) {
            return Operation;
        }
        Operation++;
    }
    return NULL;
}

static BOOLEAN FltpIsOperationKnown(UCHAR MajorFunction)
{
    return (BOOLEAN)(MajorFunction <= IRP_MJ_MAXIMUM_FUNCTION || (MajorFunction >= IRP_MJ_QUERY_OPEN) ||
                     (MajorFunction <= IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE && MajorFunction >= IRP_MJ_VOLUME_DISMOUNT));
}

/* What a registration of a version is long; zero for one that the Filter Manager of this kernel does not know. */
static SIZE_T FltpRegistrationSize(USHORT Version)
{
    ULONG Major;
    ULONG Minor;

    (VOID) PsGetVersion(&Major, &Minor, NULL, NULL);
    if (Version == FLT_REGISTRATION_VERSION_0202) {
        return RTL_SIZEOF_THROUGH_FIELD(FLT_REGISTRATION, NormalizeNameComponentExCallback);
    }
    return Version == FLT_REGISTRATION_VERSION_0203 && (Major > 6 || (Major == 6 && Minor >= 2))
               ? sizeof(FLT_REGISTRATION)
               : 0;
}

/* What can be told of a registration without its minifilter. STATUS_INVALID_PARAMETER, STATUS_FLT_INVALID_CONTEXT_REGISTRATION. */
static NTSTATUS FltpCheckRegistration(const FLT_REGISTRATION *Registration)
{
    const SIZE_T Size = FltpRegistrationSize(Registration->Version);

    if (Size == 0 || Registration->Size != Size || Registration->GenerateFileNameCallback != NULL ||
        Registration->NormalizeNameComponentCallback != NULL ||
        Registration->NormalizeNameComponentExCallback != NULL) {
        return STATUS_INVALID_PARAMETER; /* name providers are not for this Filter Manager */
    }
    if (Registration->OperationRegistration != NULL) {
        for (const FLT_OPERATION_REGISTRATION *Operation = Registration->OperationRegistration;
             Operation->MajorFunction != IRP_MJ_OPERATION_END; Operation++) {
            if (!FltpIsOperationKnown(Operation->MajorFunction) ||
                (Operation->PreOperation == NULL && Operation->PostOperation == NULL) ||
                (Operation->MajorFunction == IRP_MJ_SHUTDOWN && Operation->PostOperation != NULL)) {
                return STATUS_INVALID_PARAMETER;
            }
            for (const FLT_OPERATION_REGISTRATION *Other = Registration->OperationRegistration; Other != Operation;
                 Other++) {
                if (Other->MajorFunction == Operation->MajorFunction) {
                    return STATUS_FLT_DUPLICATE_ENTRY;
                }
            }
        }
    }
    if (Registration->ContextRegistration != NULL) {
        for (const FLT_CONTEXT_REGISTRATION *Context = Registration->ContextRegistration;
             Context->ContextType != FLT_CONTEXT_END; Context++) {
            if (Context->ContextType != FLT_VOLUME_CONTEXT && Context->ContextType != FLT_INSTANCE_CONTEXT &&
                Context->ContextType != FLT_STREAM_CONTEXT && Context->ContextType != FLT_STREAMHANDLE_CONTEXT) {
                return STATUS_FLT_INVALID_CONTEXT_REGISTRATION;
            }
            if ((Context->ContextAllocateCallback == NULL) != (Context->ContextFreeCallback == NULL)) {
                return STATUS_FLT_INVALID_CONTEXT_REGISTRATION;
            }
        }
    }
    return STATUS_SUCCESS;
}

static BOOLEAN FltpCopyTables(const FLT_REGISTRATION *Registration, PFLT_FILTER Filter)
{
    ULONG Operations = 1;
    ULONG Contexts = 1;

    while (Registration->OperationRegistration != NULL &&
           Registration->OperationRegistration[Operations - 1].MajorFunction != IRP_MJ_OPERATION_END) {
        Operations++;
    }
    while (Registration->ContextRegistration != NULL &&
           Registration->ContextRegistration[Contexts - 1].ContextType != FLT_CONTEXT_END) {
        Contexts++;
    }
    if (Registration->OperationRegistration != NULL) {
        Filter->Operations = HostAllocatePool(NonPagedPoolNx, Operations * sizeof(*Filter->Operations), FLTP_TAG, FALSE,
                                              __builtin_return_address(0));
        if (Filter->Operations == NULL) {
            return FALSE;
        }
        memcpy(Filter->Operations, Registration->OperationRegistration, Operations * sizeof(*Filter->Operations));
    }
    if (Registration->ContextRegistration != NULL) {
        Filter->Contexts = HostAllocatePool(NonPagedPoolNx, Contexts * sizeof(*Filter->Contexts), FLTP_TAG, FALSE,
                                            __builtin_return_address(0));
        if (Filter->Contexts == NULL) {
            return FALSE;
        }
        memcpy(Filter->Contexts, Registration->ContextRegistration, Contexts * sizeof(*Filter->Contexts));
    }
    return TRUE;
}

/* A registered one, or NULL; the mutex is held. */
static PFLT_FILTER FltpFindFilter(PDRIVER_OBJECT Driver, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = FltpFilters.Flink; Entry != &FltpFilters; Entry = Entry->Flink) {
        PFLT_FILTER Filter = CONTAINING_RECORD(Entry, struct _FLT_FILTER, Links);

        if (Name != NULL ? FltpSameString(&Filter->Name, Name) : Filter->Driver == Driver) {
            return Filter;
        }
    }
    return NULL;
}

/* Kept, or NULL. */
static PFLT_FILTER FltpKeepFilter(PDRIVER_OBJECT Driver, PCUNICODE_STRING Name)
{
    PFLT_FILTER Filter;

    PlatformLock(&FltpMutex);
    Filter = FltpFindFilter(Driver, Name);
    if (Filter != NULL) {
        FltpKeep(Filter);
    }
    PlatformUnlock(&FltpMutex);
    return Filter;
}

/*
 * Asks a minifilter whether it may be unloaded, or tells it that it is. What it answers to a mandatory request does not count. One that
 * agrees has unregistered itself by the time it answers.
 */
static NTSTATUS FltpAskToUnload(PFLT_FILTER Filter, BOOLEAN Mandatory)
{
    FLTP_CALL Call;
    NTSTATUS Status;

    Filter->Mandatory = Mandatory;
    Filter->Unloading = TRUE;
    FltpEnterCall(&Call, "FilterUnloadCallback", PASSIVE_LEVEL);
    Status = Filter->Registration.FilterUnloadCallback(Mandatory ? FLTFL_FILTER_UNLOAD_MANDATORY : 0);
    FltpLeaveCall(&Call);
    Filter->Unloading = FALSE;
    if ((Mandatory || NT_SUCCESS(Status)) && !Filter->Object.Deleting) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FilterUnloadCallback", "returned and is registered still");
    }
    return Mandatory ? STATUS_SUCCESS : Status;
}

/* DriverUnload of minifilters that let themselves be unloaded. */
static VOID FltpUnloadDriver(PDRIVER_OBJECT DriverObject)
{
    PFLT_FILTER Filter = FltpKeepFilter(DriverObject, NULL);

    if (Filter != NULL) {
        PDRIVER_UNLOAD OldUnload = Filter->OldUnload;

        (VOID) FltpAskToUnload(Filter, TRUE);
        FltpLetGo(Filter);
        if (OldUnload != NULL) {
            OldUnload(DriverObject);
        }
    }
}

/*
 * IRQL <= APC_LEVEL. STATUS_INVALID_PARAMETER, STATUS_FLT_DUPLICATE_ENTRY, STATUS_FLT_INVALID_CONTEXT_REGISTRATION for a registration that
 * is wrong; STATUS_OBJECT_NAME_NOT_FOUND where the service has no instance; STATUS_OBJECT_NAME_COLLISION for a driver that is registered;
 * STATUS_INSUFFICIENT_RESOURCES. [fltkernel/nf-fltkernel-fltregisterfilter]
 */
NTSTATUS FltRegisterFilter(PDRIVER_OBJECT Driver, CONST FLT_REGISTRATION *Registration, PFLT_FILTER *RetFilter)
{
    UNICODE_STRING InstanceName;
    UNICODE_STRING Altitude;
    PFLT_FILTER Filter;
    NTSTATUS Status;

    (VOID) HostEnter(FltRegisterFilter);
    (VOID) HostCheckObject(Driver, "FltRegisterFilter");
    *RetFilter = NULL;
    Status = FltpCheckRegistration(Registration);
    if (NT_SUCCESS(Status)) {
        Status = HostStartFilterManager();
    }
    if (NT_SUCCESS(Status)) {
        Status = HostFindMinifilterInstance(&Driver->DriverExtension->ServiceKeyName, &InstanceName, &Altitude);
        if (NT_SUCCESS(Status) && !FltpIsAltitude(&Altitude)) {
            Status = STATUS_INVALID_PARAMETER;
        }
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Filter = HostAllocatePool(NonPagedPoolNx, sizeof(*Filter), FLTP_TAG, TRUE, __builtin_return_address(0));
    if (Filter == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    FltpInitializeObject(&Filter->Object, FltpFilterKind);
    InitializeListHead(&Filter->Instances);
    Filter->Driver = Driver;
    memcpy(&Filter->Registration, Registration, Registration->Size);
    if (!FltpCopyString(&Driver->DriverExtension->ServiceKeyName, &Filter->Name) ||
        !FltpCopyString(&InstanceName, &Filter->InstanceName) || !FltpCopyString(&Altitude, &Filter->Altitude) ||
        !FltpCopyTables(Registration, Filter)) {
        FltpLetGo(Filter);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PlatformLock(&FltpMutex);
    if (FltpFindFilter(Driver, NULL) != NULL) {
        Status = STATUS_OBJECT_NAME_COLLISION;
    } else {
        InsertTailList(&FltpFilters, &Filter->Links);
    }
    PlatformUnlock(&FltpMutex);
    if (!NT_SUCCESS(Status)) {
        FltpLetGo(Filter);
        return Status;
    }
    if (Registration->FilterUnloadCallback != NULL &&
        !FlagOn(Registration->Flags, FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP)) {
        Filter->OldUnload = Driver->DriverUnload;
        Filter->ReplacedUnload = TRUE;
        Driver->DriverUnload = FltpUnloadDriver;
    }
    *RetFilter = Filter;
    return STATUS_SUCCESS;
}

/* The volume behind Previous, which is let go of, kept; NULL behind the last. */
static PFLT_VOLUME FltpNextVolume(PFLT_VOLUME Previous)
{
    PFLT_VOLUME Next = NULL;
    PLIST_ENTRY Entry;

    PlatformLock(&FltpMutex);
    Entry = Previous == NULL || IsListEmpty(&Previous->Links) ? FltpVolumes.Flink : Previous->Links.Flink;
    if (Entry != &FltpVolumes) {
        Next = CONTAINING_RECORD(Entry, struct _FLT_VOLUME, Links);
        FltpKeep(Next);
    }
    PlatformUnlock(&FltpMutex);
    if (Previous != NULL) {
        FltpLetGo(Previous);
    }
    return Next;
}

/*
 * IRQL <= APC_LEVEL, and PASSIVE_LEVEL as soon as there is a volume: the minifilter is asked about each. One that is not attached to is not
 * an error here. STATUS_FLT_DELETING_OBJECT, STATUS_INVALID_PARAMETER when it filters already. [fltkernel/nf-fltkernel-fltstartfiltering]
 */
NTSTATUS FltStartFiltering(PFLT_FILTER Filter)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PFLT_VOLUME Volume;

    (VOID) HostEnter(FltStartFiltering);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltStartFiltering");
    PlatformLock(&FltpMutex);
    if (Filter->Object.Deleting) {
        Status = STATUS_FLT_DELETING_OBJECT;
    } else if (Filter->Filtering) {
        Status = STATUS_INVALID_PARAMETER;
    } else {
        Filter->Filtering = TRUE;
    }
    PlatformUnlock(&FltpMutex);
    if (NT_SUCCESS(Status)) {
        for (Volume = FltpNextVolume(NULL); Volume != NULL; Volume = FltpNextVolume(Volume)) {
            (VOID) FltpAttachInstance(Filter, Volume, FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT, NULL);
        }
    }
    return Status;
}

static BOOLEAN FltpHasNoInstancesGiven(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PFLT_FILTER)Context)->InstancesGiven) == 0);
}

static BOOLEAN FltpHasNothingOut(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PFLT_FILTER)Context)->Outstanding) == 0);
}

/*
 * IRQL <= APC_LEVEL, and PASSIVE_LEVEL as soon as there is an instance. Tears every instance down, deletes what contexts are set, and returns
 * when everything that refers to the minifilter is back. [fltkernel/nf-fltkernel-fltunregisterfilter]
 */
VOID FltUnregisterFilter(PFLT_FILTER Filter)
{
    const FLT_INSTANCE_TEARDOWN_FLAGS Reason = Filter->Unloading && Filter->Mandatory
                                                   ? FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD
                                                   : FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD;
    PFLT_INSTANCE Instance;
    PFLT_VOLUME Volume;
    BOOLEAN Again;

    (VOID) HostEnter(FltUnregisterFilter);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltUnregisterFilter");
    PlatformLock(&FltpMutex);
    Again = Filter->Object.Deleting;
    Filter->Object.Deleting = TRUE;
    PlatformUnlock(&FltpMutex);
    if (Again) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FltUnregisterFilter",
                      "the filter at %p is unregistered already", (PVOID)Filter);
    }
    for (;;) {
        Instance = FltpFirstInstance(&Filter->Instances, TRUE);
        if (Instance == NULL) {
            break;
        }
        FltpTearDownInstance(Instance, Reason);
        FltpLetGo(Instance);
    }
    for (Volume = FltpNextVolume(NULL); Volume != NULL; Volume = FltpNextVolume(Volume)) {
        FltpDeleteVolumeContexts(Volume, Filter);
    }
    FltpRundown(&Filter->Object, TRUE, "FltUnregisterFilter");
    FltpAwait(&Filter->InstancesGiven, FltpHasNoInstancesGiven, Filter, "FltUnregisterFilter",
              "an instance of the filter that is referenced");
    FltpAwait(&Filter->Outstanding, FltpHasNothingOut, Filter, "FltUnregisterFilter",
              ReadAcquire(&Filter->NamesOut) != 0 ? "file name information that is not released"
                                                  : "a context or a work item of the filter's");
    PlatformLock(&FltpMutex);
    (VOID) RemoveEntryList(&Filter->Links);
    PlatformUnlock(&FltpMutex);
    if (Filter->ReplacedUnload) {
        Filter->Driver->DriverUnload = Filter->OldUnload;
    }
    FltpLetGo(Filter);
}

NTSTATUS HostUnloadFilter(PCWSTR FilterName)
{
    UNICODE_STRING Name;
    PDRIVER_OBJECT Driver;
    PDRIVER_UNLOAD OldUnload;
    PFLT_FILTER Filter;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, FilterName);
    Filter = FltpKeepFilter(NULL, &Name);
    if (Filter == NULL) {
        return STATUS_FLT_FILTER_NOT_FOUND;
    }
    Driver = Filter->Driver;
    OldUnload = Filter->OldUnload;
    Status =
        Filter->Registration.FilterUnloadCallback == NULL ? STATUS_FLT_DO_NOT_DETACH : FltpAskToUnload(Filter, FALSE);
    FltpLetGo(Filter);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (OldUnload != NULL) {
        OldUnload(Driver);
    }
    return HostUnloadDriverImage(Driver);
}

/* The instance on the volume at a letter, kept. */
static NTSTATUS FltpFindByLetter(PCWSTR FilterName, WCHAR Letter, PFLT_FILTER *Filter, PFLT_VOLUME *Volume)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT Disk;
    NTSTATUS Status = HostReferenceDisk(Letter, &Disk);

    *Volume = NULL;
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, FilterName);
    *Filter = FltpKeepFilter(NULL, &Name);
    *Volume = FltpVolumeOfDevice(Disk);
    HostDereferenceRaw(Disk, "FltMgr");
    if (*Filter == NULL || *Volume == NULL) {
        Status = *Filter == NULL ? STATUS_FLT_FILTER_NOT_FOUND : STATUS_FLT_VOLUME_NOT_FOUND;
        if (*Filter != NULL) {
            FltpLetGo(*Filter);
        }
        if (*Volume != NULL) {
            FltpLetGo(*Volume);
        }
    }
    return Status;
}

NTSTATUS HostDetachFilter(PCWSTR FilterName, WCHAR Letter)
{
    PFLT_FILTER Filter;
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltpFindByLetter(FilterName, Letter, &Filter, &Volume);

    if (NT_SUCCESS(Status)) {
        Status = FltDetachVolume(Filter, Volume, NULL);
        FltpLetGo(Volume);
        FltpLetGo(Filter);
    }
    return Status;
}

NTSTATUS HostAttachFilter(PCWSTR FilterName, WCHAR Letter)
{
    PFLT_FILTER Filter;
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltpFindByLetter(FilterName, Letter, &Filter, &Volume);

    if (NT_SUCCESS(Status)) {
        Status = FltAttachVolume(Filter, Volume, NULL, NULL);
        FltpLetGo(Volume);
        FltpLetGo(Filter);
    }
    return Status;
}

/* IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL with how many there are; each given is referenced. */
NTSTATUS FltEnumerateFilters(PFLT_FILTER *FilterList, ULONG FilterListSize, PULONG NumberFiltersReturned)
{
    ULONG Count = 0;
    ULONG Given = 0;

    (VOID) HostEnter(FltEnumerateFilters);
    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = FltpFilters.Flink; Entry != &FltpFilters; Entry = Entry->Flink) {
        Count += !CONTAINING_RECORD(Entry, struct _FLT_FILTER, Links)->Object.Deleting;
    }
    for (PLIST_ENTRY Entry = FltpFilters.Flink; Entry != &FltpFilters && Count <= FilterListSize;
         Entry = Entry->Flink) {
        PFLT_FILTER Filter = CONTAINING_RECORD(Entry, struct _FLT_FILTER, Links);

        if (!Filter->Object.Deleting) {
            FltpGiveLocked(Filter);
            FilterList[Given++] = Filter;
        }
    }
    PlatformUnlock(&FltpMutex);
    *NumberFiltersReturned = Count;
    return Count > FilterListSize ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}
