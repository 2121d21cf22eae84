/*
 * The smallest minifilter that leaves a trace: it sets a context on every stream that is opened, and does nothing else. Several may be loaded,
 * each a driver of its own.
 */
#include "fltmgr.h"

#define MARKER_SLOTS 4u

typedef struct _MARKER {
    PDRIVER_OBJECT Driver;
    PFLT_FILTER Filter;
} MARKER;

static MARKER Markers[MARKER_SLOTS];
static HOST_MUTEX MarkersMutex = HOST_MUTEX_INITIALIZER;

typedef struct _MARK {
    ULONG64 Opens;
} MARK, *PMARK;

static const FLT_CONTEXT_REGISTRATION MarkerContexts[] = {
    {.ContextType = FLT_STREAM_CONTEXT, .Size = sizeof(MARK), .PoolTag = 'kraM'},
    {.ContextType = FLT_CONTEXT_END},
};

/* A stream without contexts, and one for which there is no memory, go without. */
static FLT_POSTOP_CALLBACK_STATUS MarkStream(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    PMARK Mark;

    UNREFERENCED_PARAMETER(Context);
    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) && NT_SUCCESS(Data->IoStatus.Status) &&
        Data->IoStatus.Status != STATUS_REPARSE && FltSupportsStreamContexts(Objects->FileObject) &&
        NT_SUCCESS(FltAllocateContext(Objects->Filter, FLT_STREAM_CONTEXT, sizeof(*Mark), PagedPool, (PVOID *)&Mark))) {
        Mark->Opens = 1;
        (VOID) FltSetStreamContext(Objects->Instance, Objects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Mark, NULL);
        FltReleaseContext(Mark);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static const FLT_OPERATION_REGISTRATION MarkerOperations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PostOperation = MarkStream},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static NTSTATUS MarkerAllowsDetach(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Objects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static NTSTATUS MarkerUnload(ULONG Slot)
{
    FltUnregisterFilter(Markers[Slot].Filter);
    PlatformLock(&MarkersMutex);
    Markers[Slot].Driver = NULL;
    PlatformUnlock(&MarkersMutex);
    return STATUS_SUCCESS;
}

/* An unload routine is told nothing of whom it is for. */
#define MARKER_UNLOAD(Slot) \
    static NTSTATUS MarkerUnload##Slot(FLT_FILTER_UNLOAD_FLAGS Flags) \
    { \
        UNREFERENCED_PARAMETER(Flags); \
        return MarkerUnload(Slot); \
    }
MARKER_UNLOAD(0)
MARKER_UNLOAD(1)
MARKER_UNLOAD(2)
MARKER_UNLOAD(3)
static const PFLT_FILTER_UNLOAD_CALLBACK MarkerUnloads[MARKER_SLOTS] = {MarkerUnload0, MarkerUnload1, MarkerUnload2,
                                                                        MarkerUnload3};

static NTSTATUS MarkerEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FLT_REGISTRATION Registration = {.Size = sizeof(Registration),
                                     .Version = FLT_REGISTRATION_VERSION,
                                     .ContextRegistration = MarkerContexts,
                                     .OperationRegistration = MarkerOperations,
                                     .InstanceQueryTeardownCallback = MarkerAllowsDetach};
    ULONG Slot;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    PlatformLock(&MarkersMutex);
    for (Slot = 0; Slot < MARKER_SLOTS && Markers[Slot].Driver != NULL; Slot++) {}
    if (Slot < MARKER_SLOTS) {
        Markers[Slot].Driver = DriverObject;
    }
    PlatformUnlock(&MarkersMutex);
    if (Slot == MARKER_SLOTS) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Registration.FilterUnloadCallback = MarkerUnloads[Slot];
    Status = FltRegisterFilter(DriverObject, &Registration, &Markers[Slot].Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Markers[Slot].Filter);
        if (!NT_SUCCESS(Status)) {
            FltUnregisterFilter(Markers[Slot].Filter);
        }
    }
    if (!NT_SUCCESS(Status)) {
        PlatformLock(&MarkersMutex);
        Markers[Slot].Driver = NULL;
        PlatformUnlock(&MarkersMutex);
    }
    return Status;
}

NTSTATUS HostLoadMarker(PCWSTR Name, PCWSTR Altitude, PDRIVER_OBJECT *DriverObject)
{
    WCHAR Instance[HOST_INSTANCE_CHARACTERS];
    UNICODE_STRING Text;

    RtlInitUnicodeString(&Text, Name);
    if (Text.Length > sizeof(Instance) - sizeof(L" Instance")) {
        return STATUS_INVALID_PARAMETER;
    }
    memcpy(Instance, Name, Text.Length);
    memcpy((PUCHAR)Instance + Text.Length, L" Instance", sizeof(L" Instance"));
    (VOID) HostSetMinifilterInstance(Name, Instance, Altitude);
    return HostLoadDriver(Name, TRUE, MarkerEntry, DriverObject);
}
