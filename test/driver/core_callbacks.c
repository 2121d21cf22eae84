/*
 * Filter Manager's calls that its documentation allows and the embedded one does not make, or seldom: drained operations, volumes that are
 * none, instances that nobody knows.
 */
#include "core_answered.h"

#include <fltKernel.h>
#include <string.h>

#include "core_redirector.h"
#include "minifilter/instance.h"

#define CORE_UNKNOWN ((PFLT_INSTANCE)(ULONG_PTR)0x10)

typedef struct _CORE_CALLBACKS {
    CORE Core;
    HANDLE Stream;
} CORE_CALLBACKS, *PCORE_CALLBACKS;

/* The stream's one context, with what is counted in it. */
static VOID CoreLookAtContext(_In_ const CORE_CALLBACKS *Callbacks, _Out_ PCORE_CONTEXT Context)
{
    memset(Context, 0, sizeof(*Context));
    CHECK_STATUS(CoreLookup(Callbacks->Core.Control, Callbacks->Stream, PSCTX_MATCH_OWNER, 0, 0, Context),
                 STATUS_SUCCESS);
}

/* A callback's data for one operation on the stream. */
static VOID CoreMakeData(_Out_ FLT_CALLBACK_DATA *Data, _Inout_ FLT_IO_PARAMETER_BLOCK *Block, _In_ UCHAR Major,
                         _In_ FLT_CALLBACK_DATA_FLAGS Flags, _In_ NTSTATUS Status)
{
    FLT_CALLBACK_DATA data = {.Flags = Flags, .Iopb = Block, .IoStatus = {.Status = Status}};

    memset(Block, 0, sizeof(*Block));
    Block->MajorFunction = Major;
    memcpy(Data, &data, sizeof(data));
}

/* None of these is an open, or a transfer, of anything. */
static VOID CoreCallBack(PVOID Context)
{
    const CORE_CALLBACKS *callbacks = Context;
    FLT_IO_PARAMETER_BLOCK block;
    FLT_CALLBACK_DATA data;
    PVOID completion = NULL;
    PFLT_VOLUME volume;
    PFILE_OBJECT file;
    FILE_OBJECT whole;

    CHECK_STATUS(ObReferenceObjectByHandle(callbacks->Stream, 0, *IoFileObjectType, UserMode, (PVOID *)&file, NULL),
                 STATUS_SUCCESS);
    CHECK_STATUS(FltGetVolumeFromFileObject(PsctxFilter, file, &volume), STATUS_SUCCESS);
    {
        const FLT_RELATED_OBJECTS objects = {
            .Size = sizeof(objects), .Filter = PsctxFilter, .Volume = volume, .FileObject = file};
        const FLT_RELATED_OBJECTS nothing = {.Size = sizeof(nothing), .Filter = PsctxFilter, .Volume = volume};
        const FLT_RELATED_OBJECTS unknown = {
            .Size = sizeof(unknown), .Filter = PsctxFilter, .Volume = volume, .Instance = CORE_UNKNOWN};

        CoreMakeData(&data, &block, IRP_MJ_READ, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_SUCCESS);
        CHECK_EQUAL(PsctxPreTransfer(&data, &nothing, &completion), FLT_PREOP_SUCCESS_NO_CALLBACK);
        CoreMakeData(&data, &block, IRP_MJ_READ, FLTFL_CALLBACK_DATA_FAST_IO_OPERATION, STATUS_SUCCESS);
        CHECK_EQUAL(PsctxPreTransfer(&data, &objects, &completion), FLT_PREOP_SUCCESS_WITH_CALLBACK);
        CHECK_EQUAL(PsctxPostTransfer(&data, &objects, NULL, FLTFL_POST_OPERATION_DRAINING),
                    FLT_POSTOP_FINISHED_PROCESSING);
        CoreMakeData(&data, &block, IRP_MJ_SET_INFORMATION, FLTFL_CALLBACK_DATA_FAST_IO_OPERATION, STATUS_SUCCESS);
        CHECK_EQUAL(PsctxPostTransfer(&data, &objects, NULL, 0), FLT_POSTOP_FINISHED_PROCESSING);

        CoreMakeData(&data, &block, IRP_MJ_CREATE, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_SUCCESS);
        CHECK_EQUAL(PsctxPostCreate(&data, &objects, NULL, FLTFL_POST_OPERATION_DRAINING),
                    FLT_POSTOP_FINISHED_PROCESSING);
        CoreMakeData(&data, &block, IRP_MJ_CREATE, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_REPARSE);
        CHECK_EQUAL(PsctxPostCreate(&data, &objects, NULL, 0), FLT_POSTOP_FINISHED_PROCESSING);
        CoreMakeData(&data, &block, IRP_MJ_CREATE, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_ACCESS_DENIED);
        CHECK_EQUAL(PsctxPostCreate(&data, &objects, NULL, 0), FLT_POSTOP_FINISHED_PROCESSING);
        CoreMakeData(&data, &block, IRP_MJ_CREATE, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_SUCCESS);
        CoreRefuse("FltGetVolumeContext", 1, STATUS_NOT_FOUND);
        CHECK_EQUAL(PsctxPostCreate(&data, &objects, NULL, 0), FLT_POSTOP_FINISHED_PROCESSING);
        CHECK_EQUAL(CoreRefused(), 1);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);

        /* An open by the directory alone, of the directory itself, and of a paging file, before the file system has it. */
        whole = *file;
        CoreMakeData(&data, &block, IRP_MJ_CREATE, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_SUCCESS);
        file->FileName.Length = 0;
        CHECK_EQUAL(PsctxPreCreate(&data, &objects, &completion), FLT_PREOP_SUCCESS_NO_CALLBACK);
        file->RelatedFileObject = file;
        CHECK_EQUAL(PsctxPreCreate(&data, &objects, &completion), FLT_PREOP_SUCCESS_WITH_CALLBACK);
        CoreMakeData(&data, &block, IRP_MJ_CREATE, FLTFL_CALLBACK_DATA_IRP_OPERATION, STATUS_ACCESS_DENIED);
        CHECK_EQUAL(PsctxPostCreate(&data, &objects, completion, 0), FLT_POSTOP_FINISHED_PROCESSING);
        file->RelatedFileObject = whole.RelatedFileObject;
        file->FileName.Length = whole.FileName.Length;
        block.OperationFlags = SL_OPEN_PAGING_FILE;
        CHECK_EQUAL(PsctxPreCreate(&data, &objects, &completion), FLT_PREOP_SUCCESS_NO_CALLBACK);

        PsctxCompleteTeardown(&unknown, 0);
        CHECK_STATUS(PsctxSetUpInstance(&unknown, 0, FILE_DEVICE_NAMED_PIPE, FLT_FSTYPE_NPFS),
                     STATUS_FLT_DO_NOT_ATTACH);
        CHECK_STATUS(PsctxSetUpInstance(&unknown, 0, FILE_DEVICE_DISK_FILE_SYSTEM, FLT_FSTYPE_RAW),
                     STATUS_FLT_DO_NOT_ATTACH);
        CHECK_STATUS(PsctxSetUpInstance(&unknown, 0, FILE_DEVICE_DISK_FILE_SYSTEM, FLT_FSTYPE_NTFS),
                     STATUS_FLT_DO_NOT_ATTACH); /* it has one */
        CoreRefuse("FltIsVolumeSnapshot", 1, STATUS_SUCCESS);
        CHECK_STATUS(PsctxSetUpInstance(&unknown, 0, FILE_DEVICE_DISK_FILE_SYSTEM, FLT_FSTYPE_NTFS),
                     STATUS_FLT_DO_NOT_ATTACH); /* is a snapshot's */
        CHECK_EQUAL(CoreRefused(), 1);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
    }
    FltObjectDereference(volume);
    ObDereferenceObject(file);
}

VOID CoreCallsOfNothingChangeNothing(VOID)
{
    CORE_CALLBACKS callbacks;
    PSCTX_STATISTICS_REPLY before;
    PSCTX_STATISTICS_REPLY after;
    CORE_CONTEXT seen;
    CORE_CONTEXT left;

    CoreStart(&callbacks.Core);
    CoreLoadProbe();
    CoreTrackEverything(callbacks.Core.Control, PSCTX_TRACK_COUNT);
    callbacks.Stream = CoreOpenFile(CORE_FILE);
    CoreLookAtContext(&callbacks, &seen);
    before = CoreStatistics(callbacks.Core.Control);
    CoreRunInKernel(CoreCallBack, &callbacks);
    after = CoreStatistics(callbacks.Core.Control);
    CoreLookAtContext(&callbacks, &left);
    CHECK(memcmp(&seen, &left, sizeof(seen)) == 0);
    CHECK_EQUAL(CoreCount(callbacks.Core.Control, callbacks.Stream), 1);
    CHECK_EQUAL(after.AttachedVolumes, before.AttachedVolumes);
    CHECK_EQUAL(after.TotalContexts, before.TotalContexts);
    CoreClose(callbacks.Stream);
    CoreUnloadProbe();
    CoreStop(&callbacks.Core);
}

static ULONG CoreCountVolumes(_In_ HANDLE Control, _Out_ NTSTATUS *Reason)
{
    DECLSPEC_ALIGN(8) UCHAR output[4096];
    const PSCTX_VOLUMES_REPLY *reply = (const PSCTX_VOLUMES_REPLY *)output;
    const UCHAR *next = (const UCHAR *)(reply + 1);
    PSCTX_VOLUMES_REQUEST request = {0};
    ULONG index;

    *Reason = STATUS_SUCCESS;
    CoreSetHeader(&request.Header, PSCTX_OPERATION_LIST_VOLUMES, sizeof(request));
    CHECK_STATUS(
        CoreControl(Control, PSCTX_IOCTL_LIST_VOLUMES, &request, sizeof(request), output, sizeof(output), NULL),
        STATUS_SUCCESS);
    for (index = 0; index < reply->Count; index += 1) {
        const PSCTX_VOLUME_ENTRY *entry = (const PSCTX_VOLUME_ENTRY *)next;

        if (entry->Attachment != PSCTX_ATTACHMENT_YES) {
            *Reason = (NTSTATUS)entry->Status;
        }
        next += entry->Size;
    }
    return reply->Count;
}

/* A redirector is attached to, and is no volume. */
VOID CoreRedirectorsAreNotListed(VOID)
{
    NTSTATUS reason;
    CORE core;

    CoreStart(&core);
    CoreLoadRedirector(L"CoreNet", (ULONG_PTR)FsRtlTeardownPerStreamContexts);
    CoreClose(CoreOpenFile(CORE_FILE));
    CHECK_EQUAL(CoreCountVolumes(core.Control, &reason), 1);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreUnloadRedirector();
    CoreStop(&core);
}

/* A volume that an instance could not be set up on is told with why, each time that it is asked for, until it can be. */
VOID CoreVolumesWithoutAnInstanceAreTold(VOID)
{
    static const char *const refused[] = {"FltAttachVolume", "FltSetVolumeContext"};
    NTSTATUS reason;
    ULONG index;
    CORE core;

    CoreStart(&core);
    for (index = 0; index < RTL_NUMBER_OF(refused); index += 1) {
        CoreRefuse("FltSetVolumeContext", 1, STATUS_INSUFFICIENT_RESOURCES);
        CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
        CHECK_EQUAL(CoreRefused(), 1);
        CoreRefuse(refused[index], 1, STATUS_INSUFFICIENT_RESOURCES);
        CHECK_EQUAL(CoreCountVolumes(core.Control, &reason), 2);
        CHECK_STATUS(reason, STATUS_INSUFFICIENT_RESOURCES);
        CHECK_EQUAL(CoreRefused(), 1);
        CoreRefuse(NULL, 0, STATUS_SUCCESS);
        CHECK_EQUAL(CoreCountVolumes(core.Control, &reason), 2);
        CHECK_STATUS(reason, STATUS_SUCCESS);
        CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);
    }

    /* Somebody else was first: theirs is the volume's. */
    CoreRefuse("FltSetVolumeContext", 1, STATUS_FLT_CONTEXT_ALREADY_DEFINED);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 2);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);

    /* What turns out to be a snapshot's when it is asked for has no instance for that reason, and no other. */
    CoreRefuse("FltSetVolumeContext", 1, STATUS_INSUFFICIENT_RESOURCES);
    CHECK_STATUS(HostMountVolume(L'N', HOST_FILE_SYSTEM_MEMORY, NULL), STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse("FltIsVolumeSnapshot", 1, STATUS_SUCCESS);
    CHECK_EQUAL(CoreCountVolumes(core.Control, &reason), 2);
    CHECK_STATUS(reason, STATUS_SUCCESS);
    CHECK_EQUAL(CoreRefused(), 1);
    CHECK_EQUAL(CoreStatistics(core.Control).AttachedVolumes, 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CHECK_STATUS(HostDismountVolume(L'N'), STATUS_SUCCESS);

    /* More volumes come while they are listed. */
    CoreRefuse("FltEnumerateVolumes", 1, STATUS_BUFFER_TOO_SMALL);
    CHECK_EQUAL(CoreCountVolumes(core.Control, &reason), 1);
    CHECK_EQUAL(CoreRefused(), 1);
    CoreRefuse(NULL, 0, STATUS_SUCCESS);
    CoreStop(&core);
}
