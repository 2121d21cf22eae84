/*
 * A volume as the minifilter knows it, and the callbacks, for the files of the front.
 */
#ifndef PSCTX_INSTANCE_H
#define PSCTX_INSTANCE_H

#include "core/core.h"
#include "minifilter/minifilter.h"

/*
 * The context of a volume that there is an instance on, or has been refused one. Filter Manager keeps it as long as the volume is there; the
 * instance holds another reference. What is said to be under the volumes' lock changes; all else stays as it was made.
 */
typedef struct _PSCTX_VOLUME_CONTEXT {
    LIST_ENTRY Links; /* of the volumes that are attached to, in the order of their numbers; under the volumes' lock */
    PFLT_INSTANCE Instance; /* compared, never followed: NULL where there is none; likewise */
    PSCTX_VOLUME Volume;    /* whose device is referenced, and whose name is its own; the rest of it likewise */
    BOOLEAN Redirector;     /* the volume stands for the files of other machines, and is a file system's own device */
} PSCTX_VOLUME_CONTEXT, *PPSCTX_VOLUME_CONTEXT;

extern PFLT_FILTER PsctxFilter; /* while the front is started */

/* attached.c: the volumes that are attached to, under a lock that excludes no request. */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS PsctxStartVolumes(VOID);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxStopVolumes(VOID);
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxLinkVolume(_Inout_ PPSCTX_VOLUME_CONTEXT Context, _In_ PFLT_INSTANCE Instance);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxRefuseVolume(_Inout_ PPSCTX_VOLUME_CONTEXT Context, _In_ ULONG Attachment);
_IRQL_requires_(PASSIVE_LEVEL) PPSCTX_VOLUME_CONTEXT PsctxUnlinkVolume(_In_ PFLT_INSTANCE Instance, _In_ BOOLEAN Asked);

/* instance.c: which volumes are filtered, and what becomes of an instance on one. */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN
    PsctxIsVolumeFiltered(_In_ DEVICE_TYPE DeviceType, _In_ FLT_FILESYSTEM_TYPE FileSystemType);
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxReferenceFileSystemDevice(_In_ PFLT_VOLUME Volume, _Outptr_ PDEVICE_OBJECT *Device);
_IRQL_requires_(PASSIVE_LEVEL) POBJECT_NAME_INFORMATION PsctxQueryVolumeName(_In_ PFLT_VOLUME Volume);
VOID FLTAPI PsctxCleanUpVolumeContext(_In_ PFLT_CONTEXT Context, _In_ FLT_CONTEXT_TYPE ContextType);
NTSTATUS FLTAPI PsctxSetUpInstance(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                                   _In_ DEVICE_TYPE VolumeDeviceType, _In_ FLT_FILESYSTEM_TYPE VolumeFilesystemType);
NTSTATUS FLTAPI PsctxQueryTeardown(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags);
VOID FLTAPI PsctxCompleteTeardown(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_TEARDOWN_FLAGS Reason);

/* open.c: creates and cleanups. */
FLT_PREOP_CALLBACK_STATUS FLTAPI PsctxPreCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                _Outptr_result_maybenull_ PVOID *CompletionContext);
FLT_POSTOP_CALLBACK_STATUS FLTAPI PsctxPostCreate(_Inout_ PFLT_CALLBACK_DATA Data,
                                                  _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                  _In_opt_ PVOID CompletionContext,
                                                  _In_ FLT_POST_OPERATION_FLAGS Flags);
FLT_PREOP_CALLBACK_STATUS FLTAPI PsctxPreCleanup(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                 _Outptr_result_maybenull_ PVOID *CompletionContext);

/* transfer.c: reads and writes. */
FLT_PREOP_CALLBACK_STATUS FLTAPI PsctxPreTransfer(_Inout_ PFLT_CALLBACK_DATA Data,
                                                  _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                  _Outptr_result_maybenull_ PVOID *CompletionContext);
FLT_POSTOP_CALLBACK_STATUS FLTAPI PsctxPostTransfer(_Inout_ PFLT_CALLBACK_DATA Data,
                                                    _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                    _In_opt_ PVOID CompletionContext,
                                                    _In_ FLT_POST_OPERATION_FLAGS Flags);

#endif
