/*
 * What is registered with Filter Manager.
 */
#include "minifilter/instance.h"

/* From this version on Filter Manager asks whether a filter knows volumes whose files are mapped without paging I/O. */
#define PSCTX_DAX_MAJOR_VERSION 10u

/* What the one of Windows 7 knows of a registration, which takes none of a version that it does not know. */
#define PSCTX_OLD_REGISTRATION_SIZE RTL_SIZEOF_THROUGH_FIELD(FLT_REGISTRATION, NormalizeNameComponentExCallback)

PFLT_FILTER PsctxFilter;

static const FLT_CONTEXT_REGISTRATION PsctxContexts[] = {
    {.ContextType = FLT_VOLUME_CONTEXT,
     .ContextCleanupCallback = PsctxCleanUpVolumeContext,
     .Size = sizeof(PSCTX_VOLUME_CONTEXT),
     .PoolTag = PSCTX_TAG},
    {.ContextType = FLT_CONTEXT_END},
};

/*
 * Paging I/O is the memory manager's own, and none of a program's requests: it never gets here. What reads and writes without an IRP is told
 * when it has succeeded, since otherwise an IRP comes. [fltkernel/ns-fltkernel-_flt_operation_registration]
 */
static const FLT_OPERATION_REGISTRATION PsctxOperations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PsctxPreCreate, .PostOperation = PsctxPostCreate},
    {.MajorFunction = IRP_MJ_CLEANUP, .PreOperation = PsctxPreCleanup},
    {.MajorFunction = IRP_MJ_READ,
     .Flags = FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO,
     .PreOperation = PsctxPreTransfer,
     .PostOperation = PsctxPostTransfer},
    {.MajorFunction = IRP_MJ_WRITE,
     .Flags = FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO,
     .PreOperation = PsctxPreTransfer,
     .PostOperation = PsctxPostTransfer},
    {.MajorFunction = IRP_MJ_MDL_READ, .PreOperation = PsctxPreTransfer, .PostOperation = PsctxPostTransfer},
    {.MajorFunction = IRP_MJ_PREPARE_MDL_WRITE, .PreOperation = PsctxPreTransfer, .PostOperation = PsctxPostTransfer},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

/*
 * As Filter Manager knows it from Windows 8 on. Nothing is ever pended, so that there is nothing to do when a teardown starts.
 * [fltkernel/ns-fltkernel-_flt_registration]
 */
static const FLT_REGISTRATION PsctxRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = PsctxContexts,
    .OperationRegistration = PsctxOperations,
    .InstanceSetupCallback = PsctxSetUpInstance,
    .InstanceQueryTeardownCallback = PsctxQueryTeardown,
    .InstanceTeardownCompleteCallback = PsctxCompleteTeardown,
};

/*
 * Registers, and has an instance set up on each volume there is, and on each one to come. A volume that maps its files without paging I/O is
 * no different here: paging I/O is not looked at. The statuses of FltRegisterFilter and FltStartFiltering, STATUS_INSUFFICIENT_RESOURCES.
 * [fltkernel/nf-fltkernel-fltregisterfilter, fltkernel/nf-fltkernel-fltstartfiltering]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxStartMinifilter(PFLT_FILTER_UNLOAD_CALLBACK Unload)
{
    FLT_REGISTRATION registration = PsctxRegistration;
    ULONG major;
    ULONG minor;
    NTSTATUS status;

    PAGED_CODE();

    (VOID) PsGetVersion(&major, &minor, NULL, NULL);
    if (major >= PSCTX_DAX_MAJOR_VERSION) {
        registration.Flags = FLTFL_REGISTRATION_SUPPORT_DAX_VOLUME;
    } else if (major < PSCTX_WINDOWS_8_MAJOR_VERSION ||
               (major == PSCTX_WINDOWS_8_MAJOR_VERSION && minor < PSCTX_WINDOWS_8_MINOR_VERSION)) {
        registration.Version = FLT_REGISTRATION_VERSION_0202;
        registration.Size = PSCTX_OLD_REGISTRATION_SIZE;
    }
    registration.FilterUnloadCallback = Unload;
    status = PsctxStartVolumes();
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = FltRegisterFilter(PsctxGlobals.DriverObject, &registration, &PsctxFilter);
    if (!NT_SUCCESS(status)) {
        goto StopVolumes;
    }
    status = FltStartFiltering(PsctxFilter);
    if (!NT_SUCCESS(status)) {
        goto Unregister;
    }
    return STATUS_SUCCESS;

Unregister:
    FltUnregisterFilter(PsctxFilter);
StopVolumes:
    PsctxStopVolumes();
    return status;
}

/*
 * Unregisters: waits for the callbacks that run, has those called that have to end what has begun, and tears every instance down.
 * [fltkernel/nf-fltkernel-fltunregisterfilter]
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopMinifilter(VOID)
{
    PAGED_CODE();

    FltUnregisterFilter(PsctxFilter);
    PsctxStopVolumes();
}
