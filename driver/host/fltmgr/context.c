/*
 * Contexts: allocated for a filter, counted, set on volumes, instances, streams and open files, and found there again.
 *
 * Those of streams and open files hang on one per-stream context of Filter Manager's own, which goes when the file system tears the stream
 * down. A context's own reference is taken by whoever allocates or gets it; what it is set on has another. [ifs/managing-contexts]
 */
#include "fltmgr.h"

#ifndef _WIN32
#define FLTP_IMAGE __attribute__((section("FLTMGR")))
#else
#define FLTP_IMAGE
#endif

/* Makes look-up-then-insert of Filter Manager's per-stream context one step. */
static ULONG_PTR FltpStreamLock;

static PFLTP_CONTEXT FltpContextOf(PFLT_CONTEXT Context, const char *Routine)
{
    PFLTP_CONTEXT Head = Context == NULL ? NULL : (PFLTP_CONTEXT)Context - 1;

    if (Head == NULL || Head->Magic != FLTP_CONTEXT_MAGIC || ReadAcquire(&Head->References) <= 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine, "%p is no context, or one that is gone", Context);
    }
    return Head;
}

static VOID FltpFreeContext(PVOID Argument)
{
    PFLTP_CONTEXT Context = Argument;
    PFLT_FILTER Filter = Context->Filter;
    const FLT_CONTEXT_REGISTRATION *Registration = Context->Registration;
    FLTP_CALL Call;

    if (Registration->ContextCleanupCallback != NULL) {
        FltpEnterCall(&Call, "ContextCleanupCallback", APC_LEVEL);
        Registration->ContextCleanupCallback(Context + 1, Context->Type);
        FltpLeaveCall(&Call);
    }
    Context->Magic = 0;
    if (Registration->ContextFreeCallback != NULL) {
        FltpEnterCall(&Call, "ContextFreeCallback", APC_LEVEL);
        Registration->ContextFreeCallback(Context, Context->Type);
        FltpLeaveCall(&Call);
    } else {
        HostFreePool(Context, 0, "FltReleaseContext");
    }
    (VOID) InterlockedDecrement(&Filter->Outstanding);
    HostWake(&Filter->Outstanding);
    FltpLetGo(Filter);
}

/* The last one's contexts are cleaned up at IRQL <= APC_LEVEL: by a worker thread, when they are released above. */
static VOID FltpReleaseContext(PFLTP_CONTEXT Context, const char *Routine)
{
    LONG Left = InterlockedDecrement(&Context->References);

    if (Left < 0 || (Left == 0 && Context->Linked)) {
        HostViolation(REFERENCE_BY_POINTER, Routine,
                      "more references to the context at %p are given back than were taken", (PVOID)(Context + 1));
    }
    if (Left != 0) {
        return;
    }
    if (HostCurrentThread()->Irql > APC_LEVEL) {
        HostQueueInternal(FltpFreeContext, Context);
    } else {
        FltpFreeContext(Context);
    }
}

static const FLT_CONTEXT_REGISTRATION *FltpFindRegistration(PFLT_FILTER Filter, FLT_CONTEXT_TYPE Type, SIZE_T Size)
{
    const FLT_CONTEXT_REGISTRATION *Best = NULL;

    for (const FLT_CONTEXT_REGISTRATION *Each = Filter->Contexts; Each != NULL && Each->ContextType != FLT_CONTEXT_END;
         Each++) {
        if (Each->ContextType != Type) {
            continue;
        }
        if (Each->ContextAllocateCallback != NULL || Each->Size == Size) {
            return Each;
        }
        if (Each->Size == FLT_VARIABLE_SIZED_CONTEXTS ||
            (FlagOn(Each->Flags, FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH) && Each->Size > Size)) {
            Best = Best != NULL && Best->Size < Each->Size ? Best : Each;
        }
    }
    return Best;
}

static ULONG FltpContextTag(const FLT_CONTEXT_REGISTRATION *Registration)
{
    return Registration->PoolTag != 0 ? Registration->PoolTag : FLTP_CONTEXT_TAG;
}

/*
 * IRQL <= APC_LEVEL. Not zeroed. STATUS_INVALID_PARAMETER, STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND, STATUS_FLT_MUST_BE_NONPAGED_POOL,
 * STATUS_FLT_DELETING_OBJECT, STATUS_INSUFFICIENT_RESOURCES. [fltkernel/nf-fltkernel-fltallocatecontext]
 */
NTSTATUS FltAllocateContext(PFLT_FILTER Filter, FLT_CONTEXT_TYPE ContextType, SIZE_T ContextSize, POOL_TYPE PoolType,
                            PFLT_CONTEXT *ReturnedContext)
{
    const FLT_CONTEXT_REGISTRATION *Registration;
    PFLTP_CONTEXT Context;
    FLTP_CALL Call;
    BOOLEAN Deleting;
    SIZE_T Size;

    (VOID) HostEnter(FltAllocateContext);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltAllocateContext");
    *ReturnedContext = NULL;
    if (ContextSize == 0 || ContextSize > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    if (ContextType == FLT_VOLUME_CONTEXT && (PoolType & PagedPool) != 0) {
        return STATUS_FLT_MUST_BE_NONPAGED_POOL;
    }
    Registration = FltpFindRegistration(Filter, ContextType, ContextSize);
    if (Registration == NULL) {
        return STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND;
    }
    PlatformLock(&FltpMutex);
    Deleting = Filter->Object.Deleting;
    if (!Deleting) {
        (VOID) InterlockedIncrement(&Filter->Outstanding);
        FltpKeep(Filter);
    }
    PlatformUnlock(&FltpMutex);
    if (Deleting) {
        return STATUS_FLT_DELETING_OBJECT;
    }
    Size = sizeof(*Context) + ContextSize;
    if (Registration->ContextAllocateCallback != NULL) {
        FltpEnterCall(&Call, "ContextAllocateCallback", APC_LEVEL);
        Context = Registration->ContextAllocateCallback(PoolType, Size, ContextType);
        FltpLeaveCall(&Call);
    } else {
        Context = HostAllocatePool(PoolType, Size, FltpContextTag(Registration), FALSE, __builtin_return_address(0));
    }
    if (Context == NULL) {
        (VOID) InterlockedDecrement(&Filter->Outstanding);
        HostWake(&Filter->Outstanding);
        FltpLetGo(Filter);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Context, sizeof(*Context));
    Context->Magic = FLTP_CONTEXT_MAGIC;
    Context->Type = ContextType;
    Context->Filter = Filter;
    Context->Registration = Registration;
    WriteRelease(&Context->References, 1);
    *ReturnedContext = Context + 1;
    return STATUS_SUCCESS;
}

VOID FltReferenceContext(PFLT_CONTEXT Context)
{
    (VOID) HostEnter(FltReferenceContext);
    (VOID) InterlockedIncrement(&FltpContextOf(Context, "FltReferenceContext")->References);
}

VOID FltReleaseContext(PFLT_CONTEXT Context)
{
    (VOID) HostEnter(FltReleaseContext);
    FltpReleaseContext(FltpContextOf(Context, "FltReleaseContext"), "FltReleaseContext");
}

/* Mutex held. */
static PFLTP_CONTEXT FltpFindContext(PLIST_ENTRY Head, FLT_CONTEXT_TYPE Type, PFLT_FILTER Filter,
                                     PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PFLTP_CONTEXT Context = CONTAINING_RECORD(Entry, FLTP_CONTEXT, Links);

        if (Context->Type == Type && Context->Filter == Filter && Context->Instance == Instance &&
            Context->FileObject == FileObject) {
            return Context;
        }
    }
    return NULL;
}

/* Mutex held. The reference of what it was set on becomes the caller's. */
static VOID FltpUnlinkContext(PFLTP_CONTEXT Context)
{
    (VOID) RemoveEntryList(&Context->Links);
    InitializeListHead(&Context->Links);
    Context->Linked = FALSE;
}

/* What a context is set on. */
typedef struct _FLTP_PLACE {
    PLIST_ENTRY Head;
    PFLT_FILTER Filter;
    PFLT_INSTANCE Instance; /* NULL of a volume's */
    PFILE_OBJECT FileObject;
    FLT_CONTEXT_TYPE Type;
} FLTP_PLACE, *PFLTP_PLACE;

static NTSTATUS FltpSetContext(const FLTP_PLACE *Place, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                               PFLT_CONTEXT *OldContext, const char *Routine)
{
    PFLTP_CONTEXT Context = FltpContextOf(NewContext, Routine);
    PFLTP_CONTEXT Old;
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN Released = FALSE;

    if (OldContext != NULL) {
        *OldContext = NULL;
    }
    if (Context->Type != Place->Type || Context->Filter != Place->Filter ||
        (Operation != FLT_SET_CONTEXT_KEEP_IF_EXISTS && Operation != FLT_SET_CONTEXT_REPLACE_IF_EXISTS)) {
        return STATUS_INVALID_PARAMETER;
    }
    PlatformLock(&FltpMutex);
    Old = FltpFindContext(Place->Head, Place->Type, Place->Filter, Place->Instance, Place->FileObject);
    if (Place->Filter->Object.Deleting ||
        (Place->Instance != NULL && Place->Instance->State != FltpAttached && Place->Instance->State != FltpSetup)) {
        Status = STATUS_FLT_DELETING_OBJECT;
    } else if (Context->Linked) {
        Status = STATUS_FLT_CONTEXT_ALREADY_LINKED;
    } else if (Old != NULL && Operation == FLT_SET_CONTEXT_KEEP_IF_EXISTS) {
        Status = STATUS_FLT_CONTEXT_ALREADY_DEFINED;
        if (OldContext != NULL) {
            (VOID) InterlockedIncrement(&Old->References);
            *OldContext = Old + 1;
        }
    } else {
        if (Old != NULL) {
            FltpUnlinkContext(Old);
            Released = (BOOLEAN)(OldContext == NULL);
            if (OldContext != NULL) {
                *OldContext = Old + 1;
            }
        }
        Context->Linked = TRUE;
        Context->Instance = Place->Instance;
        Context->FileObject = Place->FileObject;
        (VOID) InterlockedIncrement(&Context->References);
        InsertTailList(Place->Head, &Context->Links);
    }
    PlatformUnlock(&FltpMutex);
    if (Released) {
        FltpReleaseContext(Old, Routine);
    }
    return Status;
}

static NTSTATUS FltpGetContext(const FLTP_PLACE *Place, PFLT_CONTEXT *Context)
{
    PFLTP_CONTEXT Found;

    PlatformLock(&FltpMutex);
    Found = FltpFindContext(Place->Head, Place->Type, Place->Filter, Place->Instance, Place->FileObject);
    if (Found != NULL) {
        (VOID) InterlockedIncrement(&Found->References);
    }
    PlatformUnlock(&FltpMutex);
    *Context = Found == NULL ? NULL : Found + 1;
    return Found == NULL ? STATUS_NOT_FOUND : STATUS_SUCCESS;
}

static NTSTATUS FltpRemoveContext(const FLTP_PLACE *Place, PFLT_CONTEXT *OldContext, const char *Routine)
{
    PFLTP_CONTEXT Found;

    PlatformLock(&FltpMutex);
    Found = FltpFindContext(Place->Head, Place->Type, Place->Filter, Place->Instance, Place->FileObject);
    if (Found != NULL) {
        FltpUnlinkContext(Found);
    }
    PlatformUnlock(&FltpMutex);
    if (OldContext != NULL) {
        *OldContext = Found == NULL ? NULL : Found + 1;
    } else if (Found != NULL) {
        FltpReleaseContext(Found, Routine);
    }
    return Found == NULL ? STATUS_NOT_FOUND : STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. What it is set on gives it up; a context that is set on nothing stays as it is. */
VOID FltDeleteContext(PFLT_CONTEXT Context)
{
    PFLTP_CONTEXT Head;
    BOOLEAN Linked;

    (VOID) HostEnter(FltDeleteContext);
    Head = FltpContextOf(Context, "FltDeleteContext");
    PlatformLock(&FltpMutex);
    Linked = Head->Linked;
    if (Linked) {
        FltpUnlinkContext(Head);
    }
    PlatformUnlock(&FltpMutex);
    if (Linked) {
        FltpReleaseContext(Head, "FltDeleteContext");
    }
}

/* Unlinks every context of a list that is an instance's, a filter's, or a file's: whatever is told. */
static VOID FltpClearList(PLIST_ENTRY Head, PFLT_INSTANCE Instance, PFLT_FILTER Filter, PFILE_OBJECT FileObject)
{
    for (;;) {
        PFLTP_CONTEXT Found = NULL;

        PlatformLock(&FltpMutex);
        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head && Found == NULL; Entry = Entry->Flink) {
            PFLTP_CONTEXT Context = CONTAINING_RECORD(Entry, FLTP_CONTEXT, Links);

            if ((Instance == NULL || Context->Instance == Instance) && (Filter == NULL || Context->Filter == Filter) &&
                (FileObject == NULL || Context->FileObject == FileObject)) {
                Found = Context;
                FltpUnlinkContext(Found);
            }
        }
        PlatformUnlock(&FltpMutex);
        if (Found == NULL) {
            break;
        }
        FltpReleaseContext(Found, "FltMgr");
    }
}

VOID FltpDeleteVolumeContexts(PFLT_VOLUME Volume, PFLT_FILTER Filter)
{
    FltpClearList(&Volume->Contexts, NULL, Filter, NULL);
}

/* Unlinks one context of an instance's, or of a file's, from any stream of a volume. NULL when there is none. */
static PFLTP_CONTEXT FltpTakeFromStreams(PFLT_VOLUME Volume, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    PFLTP_CONTEXT Found = NULL;

    PlatformLock(&FltpMutex);
    for (PLIST_ENTRY Outer = Volume->Streams.Flink; Outer != &Volume->Streams && Found == NULL; Outer = Outer->Flink) {
        PFLTP_STREAM Stream = CONTAINING_RECORD(Outer, FLTP_STREAM, Links);

        for (PLIST_ENTRY Entry = Stream->Contexts.Flink; Entry != &Stream->Contexts && Found == NULL;
             Entry = Entry->Flink) {
            PFLTP_CONTEXT Context = CONTAINING_RECORD(Entry, FLTP_CONTEXT, Links);

            if ((Instance != NULL && Context->Instance == Instance) ||
                (FileObject != NULL && Context->FileObject == FileObject)) {
                Found = Context;
                FltpUnlinkContext(Found);
            }
        }
    }
    PlatformUnlock(&FltpMutex);
    return Found;
}

/* Everything that was set for an instance: on itself, on streams, on open files. */
VOID FltpDeleteContexts(PFLT_INSTANCE Instance)
{
    PFLTP_CONTEXT Context;

    for (Context = FltpTakeFromStreams(Instance->Volume, Instance, NULL); Context != NULL;
         Context = FltpTakeFromStreams(Instance->Volume, Instance, NULL)) {
        FltpReleaseContext(Context, "FltMgr");
    }
    FltpClearList(&Instance->Contexts, NULL, NULL, NULL);
}

/* A file object goes: what was set on it goes too. */
VOID FltpForgetFile(PFLT_VOLUME Volume, PFILE_OBJECT FileObject)
{
    PFLTP_CONTEXT Context;

    for (Context = FltpTakeFromStreams(Volume, NULL, FileObject); Context != NULL;
         Context = FltpTakeFromStreams(Volume, NULL, FileObject)) {
        FltpReleaseContext(Context, "FltMgr");
    }
}

/* The file system tears a stream down. IRQL <= APC_LEVEL. */
FLTP_IMAGE static VOID FltpFreeStream(PVOID Buffer)
{
    PFLTP_STREAM Stream = Buffer;

    PlatformLock(&FltpMutex);
    (VOID) RemoveEntryList(&Stream->Links);
    PlatformUnlock(&FltpMutex);
    FltpClearList(&Stream->Contexts, NULL, NULL, NULL);
    FltpLetGo(Stream->Volume);
    HostFreePool(Stream, FLTP_TAG, "FltMgr");
}

/* STATUS_NOT_SUPPORTED for a stream without filter contexts, and for a file that is not open. */
static NTSTATUS FltpFindStream(PFLT_VOLUME Volume, PFILE_OBJECT FileObject, BOOLEAN Create, PFLTP_STREAM *Found)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = FsRtlGetPerStreamContextPointer(FileObject);
    PFSRTL_PER_STREAM_CONTEXT PerStream;
    PFLTP_STREAM Stream;
    NTSTATUS Status = STATUS_SUCCESS;

    *Found = NULL;
    if (!FsRtlSupportsPerStreamContexts(FileObject)) {
        return STATUS_NOT_SUPPORTED;
    }
    KeEnterCriticalRegion();
    HostAcquirePushLock(&FltpStreamLock, TRUE);
    PerStream = FsRtlLookupPerStreamContext(Header, FltpDriver, NULL);
    if (PerStream != NULL) {
        *Found = CONTAINING_RECORD(PerStream, FLTP_STREAM, PerStream);
    } else if (!Create) {
        Status = STATUS_NOT_FOUND;
    } else {
        Stream = HostAllocatePool(NonPagedPoolNx, sizeof(*Stream), FLTP_TAG, TRUE, __builtin_return_address(0));
        if (Stream == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            InitializeListHead(&Stream->Contexts);
            Stream->Volume = Volume;
            FltpKeep(Volume);
            FsRtlInitPerStreamContext(&Stream->PerStream, FltpDriver, NULL, FltpFreeStream);
            PlatformLock(&FltpMutex);
            InsertTailList(&Volume->Streams, &Stream->Links);
            PlatformUnlock(&FltpMutex);
            Status = FsRtlInsertPerStreamContext(Header, &Stream->PerStream);
            if (NT_SUCCESS(Status)) {
                *Found = Stream;
            } else {
                FltpFreeStream(Stream);
                Status = STATUS_NOT_SUPPORTED;
            }
        }
    }
    HostReleasePushLock(&FltpStreamLock, TRUE);
    KeLeaveCriticalRegion();
    return Status;
}

BOOLEAN FltSupportsStreamContexts(PFILE_OBJECT FileObject)
{
    (VOID) HostEnter(FltSupportsStreamContexts);
    return (BOOLEAN)FsRtlSupportsPerStreamContexts(FileObject);
}

BOOLEAN FltSupportsStreamHandleContexts(PFILE_OBJECT FileObject)
{
    (VOID) HostEnter(FltSupportsStreamHandleContexts);
    return (BOOLEAN)FsRtlSupportsPerStreamContexts(FileObject);
}

static NTSTATUS FltpPlaceOnStream(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, BOOLEAN OfFile, BOOLEAN Create,
                                  PFLTP_PLACE Place, const char *Routine)
{
    PFLTP_STREAM Stream;
    NTSTATUS Status;

    (VOID) FltpCheckObject(Instance, FltpInstanceKind, Routine);
    (VOID) HostCheckObject(FileObject, Routine);
    Status = FltpFindStream(Instance->Volume, FileObject, Create, &Stream);
    if (NT_SUCCESS(Status)) {
        Place->Head = &Stream->Contexts;
        Place->Filter = Instance->Filter;
        Place->Instance = Instance;
        Place->FileObject = OfFile ? FileObject : NULL;
        Place->Type = OfFile ? FLT_STREAMHANDLE_CONTEXT : FLT_STREAM_CONTEXT;
    }
    return Status;
}

static NTSTATUS FltpSetOnStream(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, BOOLEAN OfFile,
                                FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext,
                                const char *Routine)
{
    FLTP_PLACE Place;
    NTSTATUS Status;

    if (OldContext != NULL) {
        *OldContext = NULL;
    }
    (VOID) FltpContextOf(NewContext, Routine);
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, Routine);
    if (__atomic_load_n(&Instance->Object.Deleting, __ATOMIC_RELAXED)) { /* looked at again under the mutex */
        return STATUS_FLT_DELETING_OBJECT;
    }
    Status = FltpPlaceOnStream(Instance, FileObject, OfFile, TRUE, &Place, Routine);
    return NT_SUCCESS(Status) ? FltpSetContext(&Place, Operation, NewContext, OldContext, Routine) : Status;
}

/* IRQL <= APC_LEVEL. [fltkernel/nf-fltkernel-fltsetstreamcontext] */
NTSTATUS FltSetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLT_SET_CONTEXT_OPERATION Operation,
                             PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext)
{
    (VOID) HostEnter(FltSetStreamContext);
    return FltpSetOnStream(Instance, FileObject, FALSE, Operation, NewContext, OldContext, "FltSetStreamContext");
}

NTSTATUS FltSetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLT_SET_CONTEXT_OPERATION Operation,
                                   PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext)
{
    (VOID) HostEnter(FltSetStreamHandleContext);
    return FltpSetOnStream(Instance, FileObject, TRUE, Operation, NewContext, OldContext, "FltSetStreamHandleContext");
}

NTSTATUS FltGetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    FLTP_PLACE Place;
    NTSTATUS Status;

    (VOID) HostEnter(FltGetStreamContext);
    *Context = NULL;
    Status = FltpPlaceOnStream(Instance, FileObject, FALSE, FALSE, &Place, "FltGetStreamContext");
    return NT_SUCCESS(Status) ? FltpGetContext(&Place, Context) : Status;
}

NTSTATUS FltGetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    FLTP_PLACE Place;
    NTSTATUS Status;

    (VOID) HostEnter(FltGetStreamHandleContext);
    *Context = NULL;
    Status = FltpPlaceOnStream(Instance, FileObject, TRUE, FALSE, &Place, "FltGetStreamHandleContext");
    return NT_SUCCESS(Status) ? FltpGetContext(&Place, Context) : Status;
}

static NTSTATUS FltpDeleteOnStream(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, BOOLEAN OfFile,
                                   PFLT_CONTEXT *OldContext, const char *Routine)
{
    FLTP_PLACE Place;
    NTSTATUS Status;

    if (OldContext != NULL) {
        *OldContext = NULL;
    }
    Status = FltpPlaceOnStream(Instance, FileObject, OfFile, FALSE, &Place, Routine);
    return NT_SUCCESS(Status) ? FltpRemoveContext(&Place, OldContext, Routine) : Status;
}

NTSTATUS FltDeleteStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *OldContext)
{
    (VOID) HostEnter(FltDeleteStreamContext);
    return FltpDeleteOnStream(Instance, FileObject, FALSE, OldContext, "FltDeleteStreamContext");
}

NTSTATUS FltDeleteStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *OldContext)
{
    (VOID) HostEnter(FltDeleteStreamHandleContext);
    return FltpDeleteOnStream(Instance, FileObject, TRUE, OldContext, "FltDeleteStreamHandleContext");
}

static FLTP_PLACE FltpPlaceOnInstance(PFLT_INSTANCE Instance, const char *Routine)
{
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, Routine);
    return (FLTP_PLACE){&Instance->Contexts, Instance->Filter, Instance, NULL, FLT_INSTANCE_CONTEXT};
}

NTSTATUS FltSetInstanceContext(PFLT_INSTANCE Instance, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                               PFLT_CONTEXT *OldContext)
{
    FLTP_PLACE Place;

    (VOID) HostEnter(FltSetInstanceContext);
    Place = FltpPlaceOnInstance(Instance, "FltSetInstanceContext");
    return FltpSetContext(&Place, Operation, NewContext, OldContext, "FltSetInstanceContext");
}

NTSTATUS FltGetInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *Context)
{
    FLTP_PLACE Place;

    (VOID) HostEnter(FltGetInstanceContext);
    Place = FltpPlaceOnInstance(Instance, "FltGetInstanceContext");
    return FltpGetContext(&Place, Context);
}

NTSTATUS FltDeleteInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *OldContext)
{
    FLTP_PLACE Place;

    (VOID) HostEnter(FltDeleteInstanceContext);
    Place = FltpPlaceOnInstance(Instance, "FltDeleteInstanceContext");
    return FltpRemoveContext(&Place, OldContext, "FltDeleteInstanceContext");
}

static FLTP_PLACE FltpPlaceOnVolume(PFLT_VOLUME Volume, PFLT_FILTER Filter, const char *Routine)
{
    (VOID) FltpCheckObject(Volume, FltpVolumeKind, Routine);
    return (FLTP_PLACE){&Volume->Contexts, Filter, NULL, NULL, FLT_VOLUME_CONTEXT};
}

NTSTATUS FltSetVolumeContext(PFLT_VOLUME Volume, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                             PFLT_CONTEXT *OldContext)
{
    FLTP_PLACE Place;

    (VOID) HostEnter(FltSetVolumeContext);
    Place = FltpPlaceOnVolume(Volume, FltpContextOf(NewContext, "FltSetVolumeContext")->Filter, "FltSetVolumeContext");
    if (Volume->Object.Deleting) {
        return STATUS_FLT_DELETING_OBJECT;
    }
    return FltpSetContext(&Place, Operation, NewContext, OldContext, "FltSetVolumeContext");
}

NTSTATUS FltGetVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context)
{
    FLTP_PLACE Place;

    (VOID) HostEnter(FltGetVolumeContext);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltGetVolumeContext");
    Place = FltpPlaceOnVolume(Volume, Filter, "FltGetVolumeContext");
    return FltpGetContext(&Place, Context);
}

NTSTATUS FltDeleteVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *OldContext)
{
    FLTP_PLACE Place;

    (VOID) HostEnter(FltDeleteVolumeContext);
    (VOID) FltpCheckObject(Filter, FltpFilterKind, "FltDeleteVolumeContext");
    Place = FltpPlaceOnVolume(Volume, Filter, "FltDeleteVolumeContext");
    return FltpRemoveContext(&Place, OldContext, "FltDeleteVolumeContext");
}
