/*
 * Instances of the minifilter, one on each volume that takes contexts and on each redirector, and why a volume has none.
 */
#include "minifilter/instance.h"

/*
 * Whether files that carry stream contexts are opened on such a volume. RAW's volumes have none, and pipes and mailslots are no files.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsVolumeFiltered(DEVICE_TYPE DeviceType,
                                                                FLT_FILESYSTEM_TYPE FileSystemType)
{
    PAGED_CODE();

    switch (DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
        return FileSystemType != FLT_FSTYPE_RAW;
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
        return TRUE;
    default:
        return FALSE;
    }
}

/*
 * The file system's own device that a volume is, which contexts are told apart by; the caller dereferences it.
 * STATUS_FLT_NO_DEVICE_OBJECT; also for a volume that goes, whose device of Filter Manager's has left its stack and is the lowest of its own.
 * [fltkernel/nf-fltkernel-fltgetdeviceobject, ntifs/nf-ntifs-iogetdeviceattachmentbaseref]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxReferenceFileSystemDevice(PFLT_VOLUME Volume, PDEVICE_OBJECT *Device)
{
    PDEVICE_OBJECT filterManagers;
    PDEVICE_OBJECT lowest;
    NTSTATUS status;

    PAGED_CODE();

    status = FltGetDeviceObject(Volume, &filterManagers);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    lowest = IoGetDeviceAttachmentBaseRef(filterManagers);
    if (lowest != filterManagers) {
        *Device = lowest;
    } else {
        ObDereferenceObject(lowest);
        status = STATUS_FLT_NO_DEVICE_OBJECT;
    }
    ObDereferenceObject(filterManagers);
    return status;
}

/*
 * What a volume's storage device is called, for PsctxFree; NULL without memory, or where it is not known: it is for telling alone.
 * [fltkernel/nf-fltkernel-fltgetvolumename]
 */
PSCTX_PAGE _Use_decl_annotations_ POBJECT_NAME_INFORMATION PsctxQueryVolumeName(PFLT_VOLUME Volume)
{
    POBJECT_NAME_INFORMATION name;
    ULONG size = 0;

    PAGED_CODE();

    (VOID) FltGetVolumeName(Volume, NULL, &size);
    if (size == 0 || size > MAXUSHORT) {
        return NULL;
    }
    name = PsctxAllocate(PagedPool, sizeof(*name) + size);
    if (name != NULL) {
        name->Name.Buffer = (PWCH)(name + 1);
        name->Name.MaximumLength = (USHORT)size;
        if (!NT_SUCCESS(FltGetVolumeName(Volume, &name->Name, NULL))) {
            PsctxFree(name);
            name = NULL;
        }
    }
    return name;
}

/*
 * A volume's context goes. At <= APC_LEVEL. [fltkernel/nc-fltkernel-pflt_context_cleanup_callback]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID FLTAPI PsctxCleanUpVolumeContext(PFLT_CONTEXT Context,
                                                                        FLT_CONTEXT_TYPE ContextType)
{
    const PPSCTX_VOLUME_CONTEXT context = Context;

    UNREFERENCED_PARAMETER(ContextType);

    PAGED_CODE();

    PsctxFree(context->Volume.StorageName);
    if (context->Volume.Device != NULL) {
        ObDereferenceObject(context->Volume.Device);
    }
}

/*
 * The context of a volume, made if there is none yet; the caller releases it. STATUS_FLT_NO_DEVICE_OBJECT, STATUS_FLT_DELETING_OBJECT,
 * STATUS_INSUFFICIENT_RESOURCES. [fltkernel/nf-fltkernel-fltallocatecontext, fltkernel/nf-fltkernel-fltsetvolumecontext]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxReferenceVolumeContext(_In_ PFLT_FILTER Filter, _In_ PFLT_VOLUME Volume,
                                _Outptr_ PPSCTX_VOLUME_CONTEXT *VolumeContext)
{
    PPSCTX_VOLUME_CONTEXT context;
    PFLT_CONTEXT existing = NULL;
    PFLT_CONTEXT made;
    NTSTATUS status;

    PAGED_CODE();

    status = FltGetVolumeContext(Filter, Volume, &existing);
    if (NT_SUCCESS(status)) {
        *VolumeContext = existing;
        return STATUS_SUCCESS;
    }
    status = FltAllocateContext(Filter, FLT_VOLUME_CONTEXT, sizeof(*context), PsctxNonPagedPool, &made);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    context = made;
    RtlZeroMemory(context, sizeof(*context));
    status = PsctxReferenceFileSystemDevice(Volume, &context->Volume.Device);
    if (NT_SUCCESS(status)) {
        context->Redirector = context->Volume.Device->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM;
        context->Volume.StorageName = PsctxQueryVolumeName(Volume);
        context->Volume.Attachment = PSCTX_ATTACHMENT_FAILED;
        existing = NULL;
        status = FltSetVolumeContext(Volume, FLT_SET_CONTEXT_KEEP_IF_EXISTS, context, &existing);
    }
    if (NT_SUCCESS(status)) {
        *VolumeContext = context;
        return STATUS_SUCCESS;
    }
    FltReleaseContext(context);
    if (status == STATUS_FLT_CONTEXT_ALREADY_DEFINED && existing != NULL) {
        *VolumeContext = existing;
        status = STATUS_SUCCESS;
    }
    return status;
}

/*
 * A volume is there, or there was one when the driver was loaded: it is attached to if its files carry contexts and it is no snapshot's, and
 * has no instance yet. One is enough, at whatever altitude: two would count each request twice. STATUS_FLT_DO_NOT_ATTACH; those of
 * PsctxReferenceVolumeContext. PASSIVE_LEVEL. [fltkernel/nc-fltkernel-pflt_instance_setup_callback]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS FLTAPI PsctxSetUpInstance(PCFLT_RELATED_OBJECTS FltObjects,
                                                                     FLT_INSTANCE_SETUP_FLAGS Flags,
                                                                     DEVICE_TYPE VolumeDeviceType,
                                                                     FLT_FILESYSTEM_TYPE VolumeFilesystemType)
{
    PPSCTX_VOLUME_CONTEXT context;
    BOOLEAN snapshot;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Flags);

    PAGED_CODE();

    if (!PsctxIsVolumeFiltered(VolumeDeviceType, VolumeFilesystemType)) {
        return STATUS_FLT_DO_NOT_ATTACH;
    }
    status = PsctxReferenceVolumeContext(FltObjects->Filter, FltObjects->Volume, &context);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (NT_SUCCESS(FltIsVolumeSnapshot(FltObjects->Volume, &snapshot)) && snapshot) {
        PsctxRefuseVolume(context, PSCTX_ATTACHMENT_SNAPSHOT);
        status = STATUS_FLT_DO_NOT_ATTACH;
    } else {
        PsctxMeetFileSystem(context->Volume.Device);
        if (PsctxLinkVolume(context, FltObjects->Instance)) {
            FltReferenceContext(context);
        } else {
            PsctxForgetFileSystem(context->Volume.Device);
            status = STATUS_FLT_DO_NOT_ATTACH;
        }
    }
    FltReleaseContext(context);
    return status;
}

/*
 * Somebody asks for an instance to go, which it may: the contexts of streams stay, and are no instance's.
 * [fltkernel/nc-fltkernel-pflt_instance_query_teardown_callback]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS FLTAPI PsctxQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects,
                                                                     FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);

    PAGED_CODE();

    return STATUS_SUCCESS;
}

/*
 * An instance has gone: none of its callbacks runs any more. PASSIVE_LEVEL. [fltkernel/nc-fltkernel-pflt_instance_teardown_callback]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID FLTAPI PsctxCompleteTeardown(PCFLT_RELATED_OBJECTS FltObjects,
                                                                    FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    const BOOLEAN asked = FlagOn(Reason, FLTFL_INSTANCE_TEARDOWN_MANUAL) != 0;
    const PPSCTX_VOLUME_CONTEXT context = PsctxUnlinkVolume(FltObjects->Instance, asked);

    PAGED_CODE();

    if (context != NULL) {
        PsctxForgetFileSystem(context->Volume.Device);
        FltReleaseContext(context);
    }
}
