/* Requests of Filter Manager's own, to what is below an instance; work items; and routines by their names. */
#include "fltmgr.h"

NTSTATUS FltpAsk(PFLT_VOLUME Volume, PFLT_INSTANCE Below, PFILE_OBJECT FileObject, UCHAR MajorFunction,
                 ULONG InformationClass, PVOID Buffer, ULONG Length, PIO_STATUS_BLOCK IoStatus)
{
    PIRP Irp = IoAllocateIrp((CCHAR)(Volume->Lower->StackSize + 1), FALSE);
    FLT_IO_PARAMETER_BLOCK Iopb;
    PFLTP_OPERATION Operation;
    PIO_STACK_LOCATION Location;
    BOOLEAN Failed;
    NTSTATUS Status;

    IoStatus->Status = STATUS_INSUFFICIENT_RESOURCES;
    IoStatus->Information = 0;
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->Flags = IRP_BUFFERED_IO | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = KernelMode;
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    IoSetNextIrpStackLocation(Irp);
    Location = IoGetCurrentIrpStackLocation(Irp);
    Location->MajorFunction = MajorFunction;
    Location->FileObject = FileObject;
    Location->DeviceObject = Volume->Device;
    Location->Parameters.QueryFile.Length = Length;
    Location->Parameters.QueryFile.FileInformationClass = (FILE_INFORMATION_CLASS)InformationClass;
    FltpLoadParameters(Irp, &Iopb);
    Operation = FltpBegin(Volume, Below, Irp, &Iopb,
                          FLTFL_CALLBACK_DATA_IRP_OPERATION | FLTFL_CALLBACK_DATA_GENERATED_IO, KernelMode, &Failed);
    if (Operation == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        Status = FltpRun(Operation);
        *IoStatus = Irp->IoStatus;
    }
    IoFreeIrp(Irp);
    return Status;
}

/* IRQL PASSIVE_LEVEL. [fltkernel/nf-fltkernel-fltqueryinformationfile] */
NTSTATUS FltQueryInformationFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PVOID FileInformation, ULONG Length,
                                 FILE_INFORMATION_CLASS FileInformationClass, PULONG LengthReturned)
{
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    (VOID) HostEnter(FltQueryInformationFile);
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, "FltQueryInformationFile");
    (VOID) HostCheckObject(FileObject, "FltQueryInformationFile");
    Status = FltpAsk(Instance->Volume, Instance, FileObject, IRP_MJ_QUERY_INFORMATION, FileInformationClass,
                     FileInformation, Length, &IoStatus);
    if (LengthReturned != NULL) {
        *LengthReturned = (ULONG)IoStatus.Information;
    }
    return Status;
}

/* IRQL PASSIVE_LEVEL. */
NTSTATUS FltQueryVolumeInformation(PFLT_INSTANCE Instance, PIO_STATUS_BLOCK Iosb, PVOID FsInformation, ULONG Length,
                                   FS_INFORMATION_CLASS FsInformationClass)
{
    (VOID) HostEnter(FltQueryVolumeInformation);
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, "FltQueryVolumeInformation");
    return FltpAsk(Instance->Volume, Instance, NULL, IRP_MJ_QUERY_VOLUME_INFORMATION, FsInformationClass, FsInformation,
                   Length, Iosb);
}

/* IRQL <= APC_LEVEL. [fltkernel/nf-fltkernel-fltisdirectory] */
NTSTATUS FltIsDirectory(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance, PBOOLEAN IsDirectory)
{
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    (VOID) HostEnter(FltIsDirectory);
    (VOID) FltpCheckObject(Instance, FltpInstanceKind, "FltIsDirectory");
    (VOID) HostCheckObject(FileObject, "FltIsDirectory");
    Status = FltpAsk(Instance->Volume, Instance, FileObject, IRP_MJ_QUERY_INFORMATION, FileStandardInformation,
                     &Standard, sizeof(Standard), &IoStatus);
    *IsDirectory = (BOOLEAN)(NT_SUCCESS(Status) && Standard.Directory);
    return Status;
}

struct _FLT_GENERIC_WORKITEM {
    PVOID Object; /* kept */
    PFLT_FILTER Filter;
    PFLT_GENERIC_WORKITEM_ROUTINE Routine;
    PVOID Context;
    volatile LONG Queued;
};

PFLT_GENERIC_WORKITEM FltAllocateGenericWorkItem(VOID)
{
    (VOID) HostEnter(FltAllocateGenericWorkItem);
    return HostAllocatePool(NonPagedPoolNx, sizeof(struct _FLT_GENERIC_WORKITEM), FLTP_TAG, TRUE,
                            __builtin_return_address(0));
}

VOID FltFreeGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem)
{
    (VOID) HostEnter(FltFreeGenericWorkItem);
    if (ReadAcquire(&FltWorkItem->Queued) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FltFreeGenericWorkItem", "the work item at %p is queued",
                      (PVOID)FltWorkItem);
    }
    HostFreePool(FltWorkItem, FLTP_TAG, "FltFreeGenericWorkItem");
}

/* The routine may free or queue its own item again. */
static VOID FltpRunWorkItem(PVOID Context)
{
    PFLT_GENERIC_WORKITEM Item = Context;
    PVOID Object = Item->Object;
    PFLT_FILTER Filter = Item->Filter;
    FLTP_CALL Call;

    (VOID) InterlockedExchange(&Item->Queued, 0);
    FltpEnterCall(&Call, "FltQueueGenericWorkItem", PASSIVE_LEVEL);
    Item->Routine(Item, Object, Item->Context);
    FltpLeaveCall(&Call);
    if (Filter != NULL) {
        (VOID) InterlockedDecrement(&Filter->Outstanding);
        HostWake(&Filter->Outstanding);
    }
    FltpLetGo(Object);
}

/* IRQL <= DISPATCH_LEVEL. STATUS_FLT_DELETING_OBJECT: what it is queued for is going. */
NTSTATUS FltQueueGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem, PVOID FltObject,
                                 PFLT_GENERIC_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    PFLTP_OBJECT Object = FltObject;
    NTSTATUS Status = STATUS_SUCCESS;

    (VOID) HostEnter(FltQueueGenericWorkItem);
    UNREFERENCED_PARAMETER(QueueType);
    (VOID) FltpCheckObject(FltObject, Object->Kind, "FltQueueGenericWorkItem");
    if (InterlockedExchange(&FltWorkItem->Queued, 1) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "FltQueueGenericWorkItem",
                      "the work item at %p is queued already", (PVOID)FltWorkItem);
    }
    FltWorkItem->Object = FltObject;
    FltWorkItem->Filter = Object->Kind == FltpFilterKind     ? (PFLT_FILTER)FltObject
                          : Object->Kind == FltpInstanceKind ? ((PFLT_INSTANCE)FltObject)->Filter
                                                             : NULL;
    FltWorkItem->Routine = WorkerRoutine;
    FltWorkItem->Context = Context;
    PlatformLock(&FltpMutex);
    if (Object->Deleting) {
        Status = STATUS_FLT_DELETING_OBJECT;
    } else {
        FltpKeep(FltObject);
        if (FltWorkItem->Filter != NULL) {
            (VOID) InterlockedIncrement(&FltWorkItem->Filter->Outstanding);
        }
    }
    PlatformUnlock(&FltpMutex);
    if (!NT_SUCCESS(Status)) {
        (VOID) InterlockedExchange(&FltWorkItem->Queued, 0);
        return Status;
    }
    HostQueueInternal(FltpRunWorkItem, FltWorkItem);
    return STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. NULL for what there is not. [fltkernel/nf-fltkernel-fltgetroutineaddress] */
PVOID FltGetRoutineAddress(PCSTR FltMgrRoutineName)
{
#define FLTP_EXPORT(Name) {#Name, (PVOID)(ULONG_PTR)(Name)},
    static const struct {
        PCSTR Name;
        PVOID Routine;
    } Exports[] = {
#include "exports.h"
    };
#undef FLTP_EXPORT

    (VOID) HostEnter(FltGetRoutineAddress);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Exports); Index++) {
        if (strcmp(Exports[Index].Name, FltMgrRoutineName) == 0) {
            return Exports[Index].Routine;
        }
    }
    return NULL;
}
