/* Instances: set-up and teardown, their order by altitude, and how they are found. */
#include "fltmgr.h"

VOID FltpFreeInstance(PFLT_INSTANCE Instance)
{
    PFLT_FILTER Filter = Instance->Filter;

    FltpFreeString(&Instance->Name);
    FltpFreeString(&Instance->Altitude);
    FltpLetGo(Instance->Volume);
    HostFreePool(Instance, FLTP_TAG, "FltMgr");
    FltpLetGo(Filter);
}

/* Decimal digits with at most one point among them. */
BOOLEAN FltpIsAltitude(PCUNICODE_STRING Altitude)
{
    ULONG Points = 0;
    ULONG Digits = 0;

    for (ULONG Index = 0; Index < Altitude->Length / sizeof(WCHAR); Index++) {
        WCHAR Character = Altitude->Buffer[Index];

        Points += Character == L'.';
        Digits += Character >= L'0' && Character <= L'9';
    }
    return (BOOLEAN)(Digits != 0 && Points <= 1 && Points + Digits == Altitude->Length / sizeof(WCHAR));
}

static WCHAR FltpDigit(PCUNICODE_STRING Altitude, ULONG Index)
{
    return Index < Altitude->Length / sizeof(WCHAR) ? Altitude->Buffer[Index] : L'0';
}

/* Characters of the integer part, leading zeros skipped by Start. */
static ULONG FltpIntegerPart(PCUNICODE_STRING Altitude, PULONG Start)
{
    ULONG Length = Altitude->Length / (ULONG)sizeof(WCHAR);
    ULONG End = 0;

    while (End < Length && Altitude->Buffer[End] != L'.') {
        End++;
    }
    *Start = 0;
    while (*Start < End && Altitude->Buffer[*Start] == L'0') {
        (*Start)++;
    }
    return End;
}

/* As numbers of any precision. */
LONG FltpCompareAltitudes(PCUNICODE_STRING First, PCUNICODE_STRING Second)
{
    ULONG FirstStart;
    ULONG SecondStart;
    ULONG FirstEnd = FltpIntegerPart(First, &FirstStart);
    ULONG SecondEnd = FltpIntegerPart(Second, &SecondStart);
    ULONG Digits = FirstEnd - FirstStart;

    if (Digits != SecondEnd - SecondStart) {
        return Digits < SecondEnd - SecondStart ? -1 : 1;
    }
    for (ULONG Index = 0; Index < Digits; Index++) {
        if (First->Buffer[FirstStart + Index] != Second->Buffer[SecondStart + Index]) {
            return First->Buffer[FirstStart + Index] < Second->Buffer[SecondStart + Index] ? -1 : 1;
        }
    }
    for (ULONG Index = 1; Index < MAXUSHORT / sizeof(WCHAR); Index++) {
        if ((FirstEnd + Index) * sizeof(WCHAR) >= First->Length &&
            (SecondEnd + Index) * sizeof(WCHAR) >= Second->Length) {
            break;
        }
        if (FltpDigit(First, FirstEnd + Index) != FltpDigit(Second, SecondEnd + Index)) {
            return FltpDigit(First, FirstEnd + Index) < FltpDigit(Second, SecondEnd + Index) ? -1 : 1;
        }
    }
    return 0;
}

/* The first of a filter's or a volume's instances, kept; NULL when there is none. */
PFLT_INSTANCE FltpFirstInstance(PLIST_ENTRY Head, BOOLEAN OfFilter)
{
    PFLT_INSTANCE Instance = NULL;

    PlatformLock(&FltpMutex);
    if (!IsListEmpty(Head)) {
        Instance = OfFilter ? CONTAINING_RECORD(Head->Flink, struct _FLT_INSTANCE, FilterLinks)
                            : CONTAINING_RECORD(Head->Flink, struct _FLT_INSTANCE, VolumeLinks);
        FltpKeep(Instance);
    }
    PlatformUnlock(&FltpMutex);
    return Instance;
}

static VOID FltpSetState(PFLT_INSTANCE Instance, FLTP_INSTANCE_STATE State)
{
    PlatformLock(&FltpMutex);
    WriteRelease(&Instance->State, (LONG)State);
    PlatformUnlock(&FltpMutex);
    HostWake(&Instance->State);
}

/*
 * Puts an instance where its altitude is: FALSE unless both its filter and its volume are to stay, and when the filter has one on the volume
 * or another has the altitude. Mutex held.
 */
static NTSTATUS FltpLink(PFLT_INSTANCE Instance)
{
    PLIST_ENTRY Entry;

    if (Instance->Filter->Object.Deleting || Instance->Volume->Object.Deleting) {
        return STATUS_FLT_DELETING_OBJECT;
    }
    for (Entry = Instance->Volume->Instances.Flink; Entry != &Instance->Volume->Instances; Entry = Entry->Flink) {
        PFLT_INSTANCE Other = CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks);

        if (Other->Filter == Instance->Filter) {
            return STATUS_FLT_INSTANCE_NAME_COLLISION;
        }
        if (FltpCompareAltitudes(&Other->Altitude, &Instance->Altitude) == 0) {
            return STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
        }
    }
    for (Entry = Instance->Volume->Instances.Flink; Entry != &Instance->Volume->Instances; Entry = Entry->Flink) {
        if (FltpCompareAltitudes(&CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks)->Altitude,
                                 &Instance->Altitude) < 0) {
            break;
        }
    }
    InsertTailList(Entry, &Instance->VolumeLinks);
    InsertTailList(&Instance->Filter->Instances, &Instance->FilterLinks);
    (VOID) InterlockedIncrement(&Instance->Volume->InstanceCount);
    return STATUS_SUCCESS;
}

/* Mutex held. */
static VOID FltpUnlink(PFLT_INSTANCE Instance)
{
    (VOID) RemoveEntryList(&Instance->VolumeLinks);
    (VOID) RemoveEntryList(&Instance->FilterLinks);
    (VOID) InterlockedDecrement(&Instance->Volume->InstanceCount);
}

/*
 * Makes an instance, which its minifilter may decline, and lets operations go through it. STATUS_INSUFFICIENT_RESOURCES, the statuses of
 * FltpLink, and what InstanceSetupCallback answers. The instance returned is referenced.
 */
NTSTATUS FltpAttachInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, FLT_INSTANCE_SETUP_FLAGS Flags,
                            PFLT_INSTANCE *RetInstance)
{
    PFLT_INSTANCE Instance;
    FLT_RELATED_OBJECTS Objects;
    FLTP_CALL Call;
    NTSTATUS Status;

    Instance = HostAllocatePool(NonPagedPoolNx, sizeof(*Instance), FLTP_TAG, TRUE, __builtin_return_address(0));
    if (Instance == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    FltpInitializeObject(&Instance->Object, FltpInstanceKind);
    InitializeListHead(&Instance->Pending);
    InitializeListHead(&Instance->Contexts);
    Instance->Filter = Filter;
    Instance->Volume = Volume;
    FltpKeep(Filter);
    FltpKeep(Volume);
    Instance->State = FltpSetup;
    if (!FltpCopyString(&Filter->InstanceName, &Instance->Name) ||
        !FltpCopyString(&Filter->Altitude, &Instance->Altitude)) {
        FltpLetGo(Instance);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    PlatformLock(&FltpMutex);
    Status = FltpLink(Instance);
    PlatformUnlock(&FltpMutex);
    if (!NT_SUCCESS(Status)) {
        FltpLetGo(Instance);
        return Status;
    }
    if (Filter->Registration.InstanceSetupCallback != NULL) {
        FltpFillObjects(&Objects, Instance, NULL);
        FltpEnterCall(&Call, "InstanceSetupCallback", PASSIVE_LEVEL);
        Status = Filter->Registration.InstanceSetupCallback(&Objects, Flags, Volume->Target->DeviceType,
                                                            Volume->FileSystemType);
        FltpLeaveCall(&Call);
    }
    if (Status == STATUS_SUCCESS) {
        if (RetInstance != NULL) {
            *RetInstance = Instance;
            PlatformLock(&FltpMutex);
            FltpGiveLocked(Instance);
            PlatformUnlock(&FltpMutex);
        }
        FltpSetState(Instance, FltpAttached);
        return STATUS_SUCCESS;
    }
    PlatformLock(&FltpMutex);
    FltpUnlink(Instance);
    Instance->Object.Deleting = TRUE;
    PlatformUnlock(&FltpMutex);
    FltpDeleteContexts(Instance);
    FltpSetState(Instance, FltpGone);
    FltpLetGo(Instance);
    return NT_SUCCESS(Status) ? STATUS_FLT_DO_NOT_ATTACH : Status;
}

static BOOLEAN FltpIsSetUp(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PFLT_INSTANCE)Context)->State) != FltpSetup);
}

static BOOLEAN FltpIsGone(PVOID Context)
{
    return (BOOLEAN)(ReadAcquire(&((PFLT_INSTANCE)Context)->State) == FltpGone);
}

static BOOLEAN FltpIsIdle(PVOID Context)
{
    PFLT_INSTANCE Instance = Context;
    BOOLEAN Idle;

    PlatformLock(&FltpMutex);
    Idle = (BOOLEAN)(Instance->Callbacks == 0 && IsListEmpty(&Instance->Pending));
    PlatformUnlock(&FltpMutex);
    return Idle;
}

static VOID FltpCallTeardown(PFLT_INSTANCE Instance, PFLT_INSTANCE_TEARDOWN_CALLBACK Callback, const char *Name,
                             FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    FLT_RELATED_OBJECTS Objects;
    FLTP_CALL Call;

    if (Callback != NULL) {
        FltpFillObjects(&Objects, Instance, NULL);
        FltpEnterCall(&Call, Name, PASSIVE_LEVEL);
        Callback(&Objects, Reason);
        FltpLeaveCall(&Call);
    }
}

/*
 * Ends an instance, or waits until somebody else has: no operation begins to go through it, what it has pended is given back by its
 * InstanceTeardownStartCallback, what waits for its post-operation callbacks is drained, what is in its callbacks is waited for; then its
 * contexts go, and its InstanceTeardownCompleteCallback is the last of its callbacks. IRQL PASSIVE_LEVEL.
 */
VOID FltpTearDownInstance(PFLT_INSTANCE Instance, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    BOOLEAN Mine;

    FltpAwait(&Instance->State, FltpIsSetUp, Instance, "FltMgr", "an InstanceSetupCallback");
    PlatformLock(&FltpMutex);
    Mine = (BOOLEAN)(Instance->State == FltpAttached);
    if (Mine) {
        WriteRelease(&Instance->State, FltpTeardown);
        __atomic_store_n(&Instance->Object.Deleting, TRUE, __ATOMIC_RELAXED);
    }
    PlatformUnlock(&FltpMutex);
    if (!Mine) {
        FltpAwait(&Instance->State, FltpIsGone, Instance, "FltMgr", "an instance that another thread tears down");
        return;
    }
    FltpCallTeardown(Instance, Instance->Filter->Registration.InstanceTeardownStartCallback,
                     "InstanceTeardownStartCallback", Reason);
    FltpDrain(Instance);
    FltpAwait(&Instance->Callbacks, FltpIsIdle, Instance, "FltMgr", "an operation that the minifilter keeps");
    FltpDeleteContexts(Instance);
    FltpCallTeardown(Instance, Instance->Filter->Registration.InstanceTeardownCompleteCallback,
                     "InstanceTeardownCompleteCallback", Reason);
    PlatformLock(&FltpMutex);
    FltpUnlink(Instance);
    PlatformUnlock(&FltpMutex);
    FltpSetState(Instance, FltpGone);
    FltpLetGo(Instance);
}

/* Every minifilter that filters is asked about a volume that has just been mounted. */
VOID FltpAttachFiltersTo(PFLT_VOLUME Volume)
{
    PFLT_FILTER Filter = NULL;

    for (;;) {
        PFLT_FILTER Next = NULL;

        PlatformLock(&FltpMutex);
        for (PLIST_ENTRY Entry = Filter == NULL ? FltpFilters.Flink : Filter->Links.Flink;
             Entry != &FltpFilters && Next == NULL; Entry = Entry->Flink) {
            PFLT_FILTER Candidate = CONTAINING_RECORD(Entry, struct _FLT_FILTER, Links);

            if (Candidate->Filtering && !Candidate->Object.Deleting) {
                Next = Candidate;
                FltpKeep(Next);
            }
        }
        PlatformUnlock(&FltpMutex);
        if (Filter != NULL) {
            FltpLetGo(Filter);
        }
        Filter = Next;
        if (Filter == NULL) {
            break;
        }
        (VOID) FltpAttachInstance(Filter, Volume,
                                  FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT | FLTFL_INSTANCE_SETUP_NEWLY_MOUNTED_VOLUME,
                                  NULL);
    }
}

/* The volume goes: so does every instance on it. */
VOID FltpTearDownVolume(PFLT_VOLUME Volume)
{
    PFLT_INSTANCE Instance;

    PlatformLock(&FltpMutex);
    Volume->Object.Deleting = TRUE;
    PlatformUnlock(&FltpMutex);
    for (Instance = FltpFirstInstance(&Volume->Instances, FALSE); Instance != NULL;
         Instance = FltpFirstInstance(&Volume->Instances, FALSE)) {
        FltpTearDownInstance(Instance, FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT);
        FltpLetGo(Instance);
    }
    FltpDeleteVolumeContexts(Volume, NULL);
}

/* The attached instance of a filter on a volume, kept, or NULL. */
static PFLT_INSTANCE FltpFindInstance(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING Name)
{
    PFLT_INSTANCE Found = NULL;

    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = Volume->Instances.Flink; Entry != &Volume->Instances && Found == NULL;
         Entry = Entry->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks);

        if (Instance->State == FltpAttached && (Filter == NULL || Instance->Filter == Filter) &&
            (Name == NULL || FltpSameString(Name, &Instance->Name))) {
            Found = Instance;
            FltpKeep(Found);
        }
    }
    PlatformUnlock(&FltpMutex);
    return Found;
}

/* IRQL PASSIVE_LEVEL. The statuses of FltpAttachInstance. [fltkernel/nf-fltkernel-fltattachvolume] */
NTSTATUS FltAttachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName,
                         PFLT_INSTANCE *RetInstance)
{
    (VOID) HostEnter(FltAttachVolume);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltAttachVolume");
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltAttachVolume");
    if (RetInstance != NULL) {
        *RetInstance = NULL;
    }
    if (!Filter->Filtering) {
        return STATUS_FLT_FILTER_NOT_READY;
    }
    if (InstanceName != NULL && !FltpSameString(InstanceName, &Filter->InstanceName)) {
        return STATUS_FLT_INSTANCE_NOT_FOUND;
    }
    return FltpAttachInstance(Filter, Volume, FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT, RetInstance);
}

/*
 * IRQL <= APC_LEVEL, and PASSIVE_LEVEL where there is an instance. STATUS_FLT_INSTANCE_NOT_FOUND; STATUS_FLT_DO_NOT_DETACH where the
 * minifilter has no InstanceQueryTeardownCallback; what that answers. [fltkernel/nf-fltkernel-fltdetachvolume]
 */
NTSTATUS FltDetachVolume(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName)
{
    PFLT_INSTANCE Instance;
    FLT_RELATED_OBJECTS Objects;
    FLTP_CALL Call;
    NTSTATUS Status = STATUS_FLT_DO_NOT_DETACH;

    (VOID) HostEnter(FltDetachVolume);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltDetachVolume");
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltDetachVolume");
    Instance = FltpFindInstance(Filter, Volume, InstanceName);
    if (Instance == NULL) {
        return STATUS_FLT_INSTANCE_NOT_FOUND;
    }
    if (Filter->Registration.InstanceQueryTeardownCallback != NULL) {
        FltpFillObjects(&Objects, Instance, NULL);
        FltpEnterCall(&Call, "InstanceQueryTeardownCallback", PASSIVE_LEVEL);
        Status = Filter->Registration.InstanceQueryTeardownCallback(&Objects, 0);
        FltpLeaveCall(&Call);
    }
    if (Status == STATUS_SUCCESS) {
        FltpTearDownInstance(Instance, FLTFL_INSTANCE_TEARDOWN_MANUAL);
    }
    FltpLetGo(Instance);
    return Status;
}

/* A reference to an instance that is kept, which is let go of. */
static NTSTATUS FltpHandOut(PFLT_INSTANCE Instance, PFLT_INSTANCE *RetInstance, NTSTATUS NotFound)
{
    NTSTATUS Status = Instance == NULL ? NotFound : FltpGive(Instance);

    *RetInstance = NT_SUCCESS(Status) ? Instance : NULL;
    if (Instance != NULL) {
        FltpLetGo(Instance);
    }
    return Status;
}

NTSTATUS FltGetVolumeInstanceFromName(PFLT_FILTER Filter, PFLT_VOLUME Volume, PCUNICODE_STRING InstanceName,
                                      PFLT_INSTANCE *RetInstance)
{
    (VOID) HostEnter(FltGetVolumeInstanceFromName);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetVolumeInstanceFromName");
    return FltpHandOut(FltpFindInstance(Filter, Volume, InstanceName), RetInstance, STATUS_FLT_INSTANCE_NOT_FOUND);
}

/* The next attached one in a direction from an instance, or from an end of a volume's list, kept. One that is gone has no neighbours. */
static PFLT_INSTANCE FltpNeighbour(PFLT_VOLUME Volume, PFLT_INSTANCE From, BOOLEAN Downwards)
{
    PFLT_INSTANCE Found = NULL;
    PLIST_ENTRY Entry;

    PlatformLock(&FltpMutex);
    if (From != NULL && From->State == FltpGone) {
        PlatformUnlock(&FltpMutex);
        return NULL;
    }
    Entry = From == NULL ? &Volume->Instances : &From->VolumeLinks;
    for (Entry = Downwards ? Entry->Flink : Entry->Blink; Entry != &Volume->Instances && Found == NULL;
         Entry = Downwards ? Entry->Flink : Entry->Blink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks);

        if (Instance->State == FltpAttached) {
            Found = Instance;
            FltpKeep(Found);
        }
    }
    PlatformUnlock(&FltpMutex);
    return Found;
}

NTSTATUS FltGetLowerInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *LowerInstance)
{
    (VOID) HostEnter(FltGetLowerInstance);
    (VOID) FltpCheckObject(CurrentInstance, FltpInstanceKind, "FltGetLowerInstance");
    return FltpHandOut(FltpNeighbour(CurrentInstance->Volume, CurrentInstance, TRUE), LowerInstance,
                       STATUS_NO_MORE_ENTRIES);
}

NTSTATUS FltGetUpperInstance(PFLT_INSTANCE CurrentInstance, PFLT_INSTANCE *UpperInstance)
{
    (VOID) HostEnter(FltGetUpperInstance);
    (VOID) FltpCheckObject(CurrentInstance, FltpInstanceKind, "FltGetUpperInstance");
    return FltpHandOut(FltpNeighbour(CurrentInstance->Volume, CurrentInstance, FALSE), UpperInstance,
                       STATUS_NO_MORE_ENTRIES);
}

NTSTATUS FltGetTopInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance)
{
    (VOID) HostEnter(FltGetTopInstance);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetTopInstance");
    return FltpHandOut(FltpNeighbour(Volume, NULL, TRUE), Instance, STATUS_NO_MORE_ENTRIES);
}

NTSTATUS FltGetBottomInstance(PFLT_VOLUME Volume, PFLT_INSTANCE *Instance)
{
    (VOID) HostEnter(FltGetBottomInstance);
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, "FltGetBottomInstance");
    return FltpHandOut(FltpNeighbour(Volume, NULL, FALSE), Instance, STATUS_NO_MORE_ENTRIES);
}

/* Negative when the first is the lower one, zero for the same altitude. */
LONG FltCompareInstanceAltitudes(PFLT_INSTANCE Instance1, PFLT_INSTANCE Instance2)
{
    (VOID) HostEnter(FltCompareInstanceAltitudes);
    (VOID) FltpCheckObject(Instance1, FltpInstanceKind, "FltCompareInstanceAltitudes");
    (VOID) FltpCheckObject(Instance2, FltpInstanceKind, "FltCompareInstanceAltitudes");
    return FltpCompareAltitudes(&Instance1->Altitude, &Instance2->Altitude);
}

NTSTATUS FltGetVolumeFromInstance(PFLT_INSTANCE Instance, PFLT_VOLUME *RetVolume)
{
    NTSTATUS Status;

    (VOID) HostEnter(FltGetVolumeFromInstance);
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, "FltGetVolumeFromInstance");
    Status = FltpGive(Instance->Volume);
    *RetVolume = NT_SUCCESS(Status) ? Instance->Volume : NULL;
    return Status;
}

NTSTATUS FltGetFilterFromInstance(PFLT_INSTANCE Instance, PFLT_FILTER *RetFilter)
{
    NTSTATUS Status;

    (VOID) HostEnter(FltGetFilterFromInstance);
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, "FltGetFilterFromInstance");
    Status = FltpGive(Instance->Filter);
    *RetFilter = NT_SUCCESS(Status) ? Instance->Filter : NULL;
    return Status;
}

/* Mutex held. Those that count for FltEnumerateInstances; the list is not written when NULL. */
static ULONG FltpListInstances(PFLT_VOLUME Volume, PFLT_FILTER Filter, PFLT_INSTANCE *List)
{
    ULONG Count = 0;

    for (PLIST_ENTRY Outer = FltpVolumes.Flink; Outer != &FltpVolumes; Outer = Outer->Flink) {
        PFLT_VOLUME Each = CONTAINING_RECORD(Outer, struct _FLT_VOLUME, Links);

        for (PLIST_ENTRY Entry = Each->Instances.Flink; Entry != &Each->Instances; Entry = Entry->Flink) {
            PFLT_INSTANCE Instance = CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks);

            if (Instance->State != FltpAttached || (Volume != NULL && Each != Volume) ||
                (Filter != NULL && Instance->Filter != Filter)) {
                continue;
            }
            if (List != NULL) {
                FltpGiveLocked(Instance);
                List[Count] = Instance;
            }
            Count++;
        }
    }
    return Count;
}

/* IRQL <= APC_LEVEL. STATUS_BUFFER_TOO_SMALL with how many there are; each given is referenced. */
NTSTATUS FltEnumerateInstances(PFLT_VOLUME Volume, PFLT_FILTER Filter, PFLT_INSTANCE *InstanceList,
                               ULONG InstanceListSize, PULONG NumberInstancesReturned)
{
    ULONG Count;

    (VOID) HostEnter(FltEnumerateInstances);
    PlatformLock(&FltpMutex);
    Count = FltpListInstances(Volume, Filter, NULL);
    if (Count <= InstanceListSize) {
        (VOID) FltpListInstances(Volume, Filter, InstanceList);
    }
    PlatformUnlock(&FltpMutex);
    *NumberInstancesReturned = Count;
    return Count > InstanceListSize ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

static VOID FltpTellString(PCUNICODE_STRING String, PWCH Text)
{
    ULONG Length = min(String->Length / (ULONG)sizeof(WCHAR), HOST_INSTANCE_CHARACTERS - 1);

    RtlZeroMemory(Text, HOST_INSTANCE_CHARACTERS * sizeof(WCHAR));
    memcpy(Text, String->Buffer, Length * sizeof(WCHAR));
}

NTSTATUS HostNextInstance(WCHAR Letter, ULONG Index, PHOST_INSTANCE Instance)
{
    PDEVICE_OBJECT Disk;
    PFLT_VOLUME Volume;
    NTSTATUS Status = HostReferenceDisk(Letter, &Disk);

    RtlZeroMemory(Instance, sizeof(*Instance));
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = STATUS_NO_MORE_ENTRIES;
    Volume = FltpVolumeOfDevice(Disk);
    HostDereferenceRaw(Disk, "HostNextInstance");
    if (Volume == NULL) {
        return Status;
    }
    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Entry = Volume->Instances.Flink; Entry != &Volume->Instances; Entry = Entry->Flink) {
        PFLT_INSTANCE Each = CONTAINING_RECORD(Entry, struct _FLT_INSTANCE, VolumeLinks);

        if (Each->State != FltpAttached) {
            continue;
        }
        if (Index == 0) {
            FltpTellString(&Each->Filter->Name, Instance->FilterName);
            FltpTellString(&Each->Name, Instance->InstanceName);
            FltpTellString(&Each->Altitude, Instance->Altitude);
            Status = STATUS_SUCCESS;
            break;
        }
        Index--;
    }
    PlatformUnlock(&FltpMutex);
    FltpLetGo(Volume);
    return Status;
}
