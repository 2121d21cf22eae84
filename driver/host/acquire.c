/*
 * Acquiring a file for what the memory and the cache manager do with it, and releasing it.
 *
 * A file system does it by callbacks that it has registered, by entries of its fast-I/O table, or leaves it to the kernel; each half on
 * its own. Most kernels ask the file system, whatever is attached above it; HOST_QUIRK_TOPMOST_ACQUIRES is for those that do not.
 */
#include "kernel.h"

/* What a driver has for one half: NULL where it has none. */
typedef struct _HOST_ACQUISITION_ROUTINES {
    PDEVICE_OBJECT Device; /* that it is asked for */
    PDEVICE_OBJECT Base;   /* the file system's own, which entries are told */
    PFS_FILTER_CALLBACKS Callbacks;
    PFAST_IO_DISPATCH FastIo;
} HOST_ACQUISITION_ROUTINES, *PHOST_ACQUISITION_ROUTINES;

/* IRQL PASSIVE_LEVEL. A copy is kept until the driver goes. STATUS_INVALID_PARAMETER for a second time. */
NTSTATUS FsRtlRegisterFileSystemFilterCallbacks(PDRIVER_OBJECT FilterDriverObject, PFS_FILTER_CALLBACKS Callbacks)
{
    PFS_FILTER_CALLBACKS Copy;

    (VOID) HostEnter(FsRtlRegisterFileSystemFilterCallbacks);
    (VOID) HostCheckObject(FilterDriverObject, "FsRtlRegisterFileSystemFilterCallbacks");
    if (*HostFsFilterCallbacksOf(FilterDriverObject) != NULL ||
        Callbacks->SizeOfFsFilterCallbacks > sizeof(*Callbacks)) {
        return STATUS_INVALID_PARAMETER;
    }
    Copy = PlatformAllocate(sizeof(*Copy));
    memcpy(Copy, Callbacks, Callbacks->SizeOfFsFilterCallbacks);
    *HostFsFilterCallbacksOf(FilterDriverObject) = Copy;
    return STATUS_SUCCESS;
}

/* The device asked is referenced. */
static VOID HostFindAcquisition(PFILE_OBJECT FileObject, PHOST_ACQUISITION_ROUTINES Routines)
{
    Routines->Base = HostBaseDevice(FileObject);
    if ((HostQuirks & HOST_QUIRK_TOPMOST_ACQUIRES) != 0) {
        Routines->Device = HostReferenceTopDevice(FileObject);
    } else {
        Routines->Device = Routines->Base;
        (VOID) InterlockedIncrement64(&HostHeaderOf(Routines->Device)->References);
    }
    Routines->Callbacks = *HostFsFilterCallbacksOf(Routines->Device->DriverObject);
    Routines->FastIo = Routines->Device->DriverObject->FastIoDispatch;
}

/* Where the table is too short for an entry, it has none. */
#define HOST_FAST_IO(Routines, Entry) \
    ((Routines)->FastIo != NULL && \
             (Routines)->FastIo->SizeOfFastIoDispatch >= RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, Entry) \
         ? (Routines)->FastIo->Entry \
         : NULL)

/* TRUE when the callback did what is to be done, or failed: Status is the answer then. */
static BOOLEAN HostCallBack(const HOST_ACQUISITION_ROUTINES *Routines, PFS_FILTER_CALLBACK Callback, UCHAR Operation,
                            PFILE_OBJECT FileObject, const FS_FILTER_PARAMETERS *Parameters, PNTSTATUS Status)
{
    FS_FILTER_CALLBACK_DATA Data = {.SizeOfFsFilterCallbackData = sizeof(Data),
                                    .Operation = Operation,
                                    .DeviceObject = Routines->Device,
                                    .FileObject = FileObject,
                                    .Parameters = *Parameters};
    PVOID Context = NULL;

    if (Callback == NULL) {
        return FALSE;
    }
    *Status = Callback(&Data, &Context);
    if (*Status == STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY) {
        *Status = STATUS_SUCCESS;
        return TRUE;
    }
    return (BOOLEAN)!NT_SUCCESS(*Status);
}

static VOID HostAcquireResource(PERESOURCE Resource, BOOLEAN Exclusive)
{
    if (Resource != NULL) {
        (VOID)(Exclusive ? ExAcquireResourceExclusiveLite(Resource, TRUE)
                         : ExAcquireResourceSharedLite(Resource, TRUE));
    }
}

static VOID HostReleaseResource(PERESOURCE Resource)
{
    if (Resource != NULL) {
        ExReleaseResourceLite(Resource);
    }
}

static NTSTATUS HostAcquireForSection(const HOST_ACQUISITION_ROUTINES *Routines, PFILE_OBJECT FileObject)
{
    const FS_FILTER_PARAMETERS Parameters = {.AcquireForSectionSynchronization = {.SyncType = SyncTypeCreateSection}};
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;
    PFAST_IO_ACQUIRE_FILE Entry = HOST_FAST_IO(Routines, AcquireFileForNtCreateSection);
    NTSTATUS Status = STATUS_SUCCESS;

    if (!HostCallBack(Routines,
                      Routines->Callbacks != NULL ? Routines->Callbacks->PreAcquireForSectionSynchronization : NULL,
                      FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, FileObject, &Parameters, &Status)) {
        if (Entry != NULL) {
            Entry(FileObject);
        } else {
            HostAcquireResource(Header != NULL ? Header->Resource : NULL, TRUE);
        }
    }
    return Status;
}

static VOID HostReleaseForSection(const HOST_ACQUISITION_ROUTINES *Routines, PFILE_OBJECT FileObject)
{
    const FS_FILTER_PARAMETERS Parameters = {.Others = {0}};
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;
    PFAST_IO_RELEASE_FILE Entry = HOST_FAST_IO(Routines, ReleaseFileForNtCreateSection);
    NTSTATUS Status;

    if (!HostCallBack(Routines,
                      Routines->Callbacks != NULL ? Routines->Callbacks->PreReleaseForSectionSynchronization : NULL,
                      FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION, FileObject, &Parameters, &Status)) {
        if (Entry != NULL) {
            Entry(FileObject);
        } else {
            HostReleaseResource(Header != NULL ? Header->Resource : NULL);
        }
    }
}

/* An entry that fails, but for STATUS_CANT_WAIT, leaves it to the kernel, here and in what follows. */
static NTSTATUS HostAcquireForModifiedWrite(const HOST_ACQUISITION_ROUTINES *Routines, PFILE_OBJECT FileObject,
                                            PERESOURCE *Resource)
{
    LARGE_INTEGER EndingOffset = {.QuadPart = 1};
    const FS_FILTER_PARAMETERS Parameters = {.AcquireForModifiedPageWriter = {&EndingOffset, Resource}};
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;
    PFAST_IO_ACQUIRE_FOR_MOD_WRITE Entry = HOST_FAST_IO(Routines, AcquireForModWrite);
    NTSTATUS Status = STATUS_SUCCESS;

    if (HostCallBack(Routines,
                     Routines->Callbacks != NULL ? Routines->Callbacks->PreAcquireForModifiedPageWriter : NULL,
                     FS_FILTER_ACQUIRE_FOR_MOD_WRITE, FileObject, &Parameters, &Status)) {
        return Status;
    }
    if (Entry != NULL) {
        Status = Entry(FileObject, &EndingOffset, Resource, Routines->Base);
        if (NT_SUCCESS(Status) || Status == STATUS_CANT_WAIT) {
            return Status;
        }
    }
    *Resource = NULL;
    if (Header != NULL) {
        *Resource = Header->PagingIoResource != NULL ? Header->PagingIoResource : Header->Resource;
    }
    HostAcquireResource(*Resource, FALSE);
    return STATUS_SUCCESS;
}

static VOID HostReleaseForModifiedWrite(const HOST_ACQUISITION_ROUTINES *Routines, PFILE_OBJECT FileObject,
                                        PERESOURCE Resource)
{
    const FS_FILTER_PARAMETERS Parameters = {.ReleaseForModifiedPageWriter = {Resource}};
    PFAST_IO_RELEASE_FOR_MOD_WRITE Entry = HOST_FAST_IO(Routines, ReleaseForModWrite);
    NTSTATUS Status;

    if (HostCallBack(Routines,
                     Routines->Callbacks != NULL ? Routines->Callbacks->PreReleaseForModifiedPageWriter : NULL,
                     FS_FILTER_RELEASE_FOR_MOD_WRITE, FileObject, &Parameters, &Status)) {
        return;
    }
    if (Entry == NULL || !NT_SUCCESS(Entry(FileObject, Resource, Routines->Base))) {
        HostReleaseResource(Resource);
    }
}

static NTSTATUS HostAcquireForCacheFlush(const HOST_ACQUISITION_ROUTINES *Routines, PFILE_OBJECT FileObject)
{
    const FS_FILTER_PARAMETERS Parameters = {.Others = {0}};
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;
    PFAST_IO_ACQUIRE_FOR_CCFLUSH Entry = HOST_FAST_IO(Routines, AcquireForCcFlush);
    NTSTATUS Status = STATUS_SUCCESS;

    if (HostCallBack(Routines, Routines->Callbacks != NULL ? Routines->Callbacks->PreAcquireForCcFlush : NULL,
                     FS_FILTER_ACQUIRE_FOR_CC_FLUSH, FileObject, &Parameters, &Status)) {
        return Status;
    }
    if (Entry != NULL) {
        Status = Entry(FileObject, Routines->Base);
        if (NT_SUCCESS(Status) || Status == STATUS_CANT_WAIT) {
            return Status;
        }
    }
    if (Header != NULL) {
        HostAcquireResource(Header->Resource, TRUE);
        HostAcquireResource(Header->PagingIoResource, FALSE);
    }
    return STATUS_SUCCESS;
}

static VOID HostReleaseForCacheFlush(const HOST_ACQUISITION_ROUTINES *Routines, PFILE_OBJECT FileObject)
{
    const FS_FILTER_PARAMETERS Parameters = {.Others = {0}};
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;
    PFAST_IO_RELEASE_FOR_CCFLUSH Entry = HOST_FAST_IO(Routines, ReleaseForCcFlush);
    NTSTATUS Status;

    if (HostCallBack(Routines, Routines->Callbacks != NULL ? Routines->Callbacks->PreReleaseForCcFlush : NULL,
                     FS_FILTER_RELEASE_FOR_CC_FLUSH, FileObject, &Parameters, &Status)) {
        return;
    }
    if ((Entry == NULL || !NT_SUCCESS(Entry(FileObject, Routines->Base))) && Header != NULL) {
        HostReleaseResource(Header->PagingIoResource);
        HostReleaseResource(Header->Resource);
    }
}

NTSTATUS HostAcquireFile(PFILE_OBJECT FileObject, HOST_ACQUISITION Purpose, PERESOURCE *Resource)
{
    HOST_ACQUISITION_ROUTINES Routines;
    NTSTATUS Status;

    (VOID) HostCheckObject(FileObject, "HostAcquireFile");
    *Resource = NULL;
    HostFindAcquisition(FileObject, &Routines);
    KeEnterCriticalRegion();
    switch (Purpose) {
    case HostForSection:
        Status = HostAcquireForSection(&Routines, FileObject);
        break;
    case HostForModifiedWrite:
        Status = HostAcquireForModifiedWrite(&Routines, FileObject, Resource);
        break;
    default:
        Status = HostAcquireForCacheFlush(&Routines, FileObject);
        break;
    }
    if (!NT_SUCCESS(Status)) {
        KeLeaveCriticalRegion();
    }
    HostDereferenceRaw(Routines.Device, "HostAcquireFile");
    return Status;
}

VOID HostReleaseFile(PFILE_OBJECT FileObject, HOST_ACQUISITION Purpose, PERESOURCE Resource)
{
    HOST_ACQUISITION_ROUTINES Routines;

    (VOID) HostCheckObject(FileObject, "HostReleaseFile");
    HostFindAcquisition(FileObject, &Routines);
    switch (Purpose) {
    case HostForSection:
        HostReleaseForSection(&Routines, FileObject);
        break;
    case HostForModifiedWrite:
        HostReleaseForModifiedWrite(&Routines, FileObject, Resource);
        break;
    default:
        HostReleaseForCacheFlush(&Routines, FileObject);
        break;
    }
    KeLeaveCriticalRegion();
    HostDereferenceRaw(Routines.Device, "HostReleaseFile");
}

VOID FsRtlAcquireFileExclusive(PFILE_OBJECT FileObject)
{
    PERESOURCE Resource;

    (VOID) HostEnter(FsRtlAcquireFileExclusive);
    (VOID) HostAcquireFile(FileObject, HostForSection, &Resource);
}

VOID FsRtlReleaseFile(PFILE_OBJECT FileObject)
{
    (VOID) HostEnter(FsRtlReleaseFile);
    HostReleaseFile(FileObject, HostForSection, NULL);
}
