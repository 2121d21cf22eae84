/*
 * Other legacy filters in the stack of volume M:: see core_filters.h.
 */
#include "core_filters.h"

#include "core_fixture.h"
#include "core_probe.h"

#define CORE_FILTER_TAG 0x746C6643u

/* A filter's code that is in its own image. Each has an extension that it may take an OwnerId from. */
#define CORE_FILTER_IMAGE(Filter) \
    extern const CHAR __start_##Filter##Image[]; \
    extern const CHAR __stop_##Filter##Image[]; \
\
    __attribute__((section(#Filter "Image"))) static VOID Filter##Free(PVOID Buffer) \
    { \
        InterlockedIncrement(&Filter.Freed); \
        ExFreePoolWithTag(Buffer, CORE_FILTER_TAG); \
    } \
\
    CORE_FILTER Filter = {.FreeCallback = Filter##Free, \
                          .ImageStart = __start_##Filter##Image, \
                          .ImageEnd = __stop_##Filter##Image, \
                          .Name = L"" #Filter}

CORE_FILTER_IMAGE(CoreUpper);
CORE_FILTER_IMAGE(CoreLower);

typedef struct _CORE_FILTER_EXTENSION {
    PCORE_FILTER Filter;
    PDEVICE_OBJECT AttachedTo;
} CORE_FILTER_EXTENSION, *PCORE_FILTER_EXTENSION;

typedef struct _CORE_HANGING {
    PCORE_FILTER Filter;
    HANDLE Stream;
    PVOID OwnerId;
    PVOID InstanceId;
    PFSRTL_ADVANCED_FCB_HEADER Header;
    BOOLEAN Taken;
} CORE_HANGING, *PCORE_HANGING;

static NTSTATUS CoreHangContext(_In_ PCORE_FILTER Filter, _In_ PFSRTL_ADVANCED_FCB_HEADER Header, _In_ PVOID OwnerId,
                                _In_opt_ PVOID InstanceId)
{
    PFSRTL_PER_STREAM_CONTEXT context = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*context), CORE_FILTER_TAG);
    NTSTATUS status;

    CHECK(context != NULL);
    RtlZeroMemory(context, sizeof(*context));
    FsRtlInitPerStreamContext(context, OwnerId, InstanceId, Filter->FreeCallback);
    status = FsRtlInsertPerStreamContext(Header, context);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(context, CORE_FILTER_TAG);
    }
    return status;
}

static NTSTATUS CoreFilterCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);

    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Waits for the file system's answer, and hangs a context on the stream if it was opened and has none of the filter's yet. */
static NTSTATUS CoreFilterCreate(_In_ PCORE_FILTER_EXTENSION Extension, _Inout_ PIRP Irp)
{
    const PFILE_OBJECT file = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    const PDEVICE_OBJECT device = Extension->Filter->Device;
    KEVENT completed;
    NTSTATUS status;

    KeInitializeEvent(&completed, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, CoreFilterCompleted, &completed, TRUE, TRUE, TRUE);
    if (IoCallDriver(Extension->AttachedTo, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&completed, Executive, KernelMode, FALSE, NULL);
    }
    status = Irp->IoStatus.Status;
    if (NT_SUCCESS(status) && FsRtlSupportsPerStreamContexts(file) &&
        FsRtlLookupPerStreamContext(FsRtlGetPerStreamContextPointer(file), device, NULL) == NULL) {
        CHECK_STATUS(CoreHangContext(Extension->Filter, FsRtlGetPerStreamContextPointer(file), device, NULL),
                     STATUS_SUCCESS);
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS CoreFilterDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PCORE_FILTER_EXTENSION extension = DeviceObject->DeviceExtension;
    const UCHAR major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;

    if (major == IRP_MJ_CREATE && extension->Filter->InsertsAtCreate) {
        return CoreFilterCreate(extension, Irp);
    }
    if ((major == IRP_MJ_READ || major == IRP_MJ_WRITE) && extension->Filter->AnswersTransfers) {
        Irp->IoStatus.Status = STATUS_SUCCESS;
        Irp->IoStatus.Information = 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return STATUS_SUCCESS;
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(extension->AttachedTo, Irp);
}

static BOOLEAN CoreFilterAnswers(_In_ PDEVICE_OBJECT DeviceObject)
{
    return ((PCORE_FILTER_EXTENSION)DeviceObject->DeviceExtension)->Filter->AnswersTransfers;
}

static BOOLEAN CoreFilterRead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, BOOLEAN Wait,
                              ULONG LockKey, PVOID Buffer, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(FileOffset);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(LockKey);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(IoStatus);

    return CoreFilterAnswers(DeviceObject);
}

static BOOLEAN CoreFilterMdl(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                             PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(FileOffset);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(LockKey);
    UNREFERENCED_PARAMETER(MdlChain);
    UNREFERENCED_PARAMETER(IoStatus);

    return CoreFilterAnswers(DeviceObject);
}

static BOOLEAN CoreFilterCompressed(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, ULONG LockKey,
                                    PVOID Buffer, PMDL *MdlChain, PIO_STATUS_BLOCK IoStatus,
                                    PCOMPRESSED_DATA_INFO CompressedDataInfo, ULONG CompressedDataInfoLength,
                                    PDEVICE_OBJECT DeviceObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(FileOffset);
    UNREFERENCED_PARAMETER(Length);
    UNREFERENCED_PARAMETER(LockKey);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(MdlChain);
    UNREFERENCED_PARAMETER(IoStatus);
    UNREFERENCED_PARAMETER(CompressedDataInfo);
    UNREFERENCED_PARAMETER(CompressedDataInfoLength);

    return CoreFilterAnswers(DeviceObject);
}

static FAST_IO_DISPATCH CoreFilterFastIo = {
    .SizeOfFastIoDispatch = sizeof(FAST_IO_DISPATCH),
    .FastIoRead = CoreFilterRead,
    .FastIoWrite = CoreFilterRead,
    .MdlRead = CoreFilterMdl,
    .PrepareMdlWrite = CoreFilterMdl,
    .FastIoReadCompressed = CoreFilterCompressed,
    .FastIoWriteCompressed = CoreFilterCompressed,
};

static VOID CoreFilterUnload(PDRIVER_OBJECT DriverObject)
{
    const PDEVICE_OBJECT device = DriverObject->DeviceObject;

    IoDetachDevice(((PCORE_FILTER_EXTENSION)device->DeviceExtension)->AttachedTo);
    IoDeleteDevice(device);
}

static PCORE_FILTER CoreLoadedFilter; /* the one that is being loaded */

/* The device of the file system that serves M:, referenced. */
static PDEVICE_OBJECT CoreReferenceVolume(VOID)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK ioStatus;
    UNICODE_STRING name;
    PDEVICE_OBJECT volume;
    HANDLE handle;
    PVOID file;

    RtlInitUnicodeString(&name, L"\\??\\M:\\files");
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    CHECK_STATUS(ZwCreateFile(&handle, FILE_READ_ATTRIBUTES, &attributes, &ioStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN, 0, NULL, 0),
                 STATUS_SUCCESS);
    CHECK_STATUS(ObReferenceObjectByHandle(handle, 0, *IoFileObjectType, KernelMode, &file, NULL), STATUS_SUCCESS);
    volume = IoGetBaseFileSystemDeviceObject(file);
    ObReferenceObject(volume);
    ObDereferenceObject(file);
    CHECK_STATUS(ZwClose(handle), STATUS_SUCCESS);
    return volume;
}

static NTSTATUS CoreFilterEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PCORE_FILTER_EXTENSION extension;
    PDEVICE_OBJECT volume;
    NTSTATUS status;
    ULONG major;

    UNREFERENCED_PARAMETER(RegistryPath);

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = CoreFilterDispatch;
    }
    DriverObject->FastIoDispatch = &CoreFilterFastIo;
    DriverObject->DriverUnload = CoreFilterUnload;
    status = IoCreateDevice(DriverObject, sizeof(*extension), NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE,
                            &CoreLoadedFilter->Device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    volume = CoreReferenceVolume();
    extension = CoreLoadedFilter->Device->DeviceExtension;
    extension->Filter = CoreLoadedFilter;
    CoreLoadedFilter->Device->Flags |= volume->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO);
    status = IoAttachDeviceToDeviceStackSafe(CoreLoadedFilter->Device, volume, &extension->AttachedTo);
    ObDereferenceObject(volume);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(CoreLoadedFilter->Device);
    }
    return status;
}

VOID CoreLoadFilter(PCORE_FILTER Filter)
{
    CoreLoadedFilter = Filter;
    CHECK_STATUS(HostLoadDriver(Filter->Name, TRUE, CoreFilterEntry, &Filter->Driver), STATUS_SUCCESS);
    HostSetDriverImage(Filter->Driver, Filter->ImageStart, (SIZE_T)(Filter->ImageEnd - Filter->ImageStart));
}

VOID CoreUnloadFilter(PCORE_FILTER Filter)
{
    CHECK_STATUS(HostUnloadDriver(Filter->Driver), STATUS_SUCCESS);
}

static PFILE_OBJECT CoreReferenceStream(_In_ HANDLE Stream)
{
    PVOID object;

    CHECK_STATUS(ObReferenceObjectByHandle(Stream, 0, *IoFileObjectType, UserMode, &object, NULL), STATUS_SUCCESS);
    return object;
}

static VOID CoreHangInKernel(PVOID Context)
{
    const PCORE_HANGING hanging = Context;
    const PFILE_OBJECT file = CoreReferenceStream(hanging->Stream);

    CHECK_STATUS(
        CoreHangContext(hanging->Filter, FsRtlGetPerStreamContextPointer(file), hanging->OwnerId, hanging->InstanceId),
        STATUS_SUCCESS);
    ObDereferenceObject(file);
}

static VOID CoreTakeInKernel(PVOID Context)
{
    const PCORE_HANGING hanging = Context;
    const PFILE_OBJECT file = CoreReferenceStream(hanging->Stream);
    const PFSRTL_PER_STREAM_CONTEXT context =
        FsRtlRemovePerStreamContext(FsRtlGetPerStreamContextPointer(file), hanging->OwnerId, NULL);

    hanging->Taken = context != NULL;
    if (context != NULL) {
        ExFreePoolWithTag(context, CORE_FILTER_TAG);
    }
    ObDereferenceObject(file);
}

static VOID CoreHeaderInKernel(PVOID Context)
{
    const PCORE_HANGING hanging = Context;
    const PFILE_OBJECT file = CoreReferenceStream(hanging->Stream);

    hanging->Header = FsRtlGetPerStreamContextPointer(file);
    ObDereferenceObject(file);
}

VOID CoreHang(PCORE_FILTER Filter, HANDLE Stream, PVOID OwnerId, PVOID InstanceId)
{
    CORE_HANGING hanging = {.Filter = Filter, .Stream = Stream, .OwnerId = OwnerId, .InstanceId = InstanceId};

    CoreRunInKernel(CoreHangInKernel, &hanging);
}

BOOLEAN CoreTake(HANDLE Stream, PVOID OwnerId)
{
    CORE_HANGING hanging = {.Stream = Stream, .OwnerId = OwnerId};

    CoreRunInKernel(CoreTakeInKernel, &hanging);
    return hanging.Taken;
}

PFSRTL_ADVANCED_FCB_HEADER CoreHeaderOf(HANDLE Stream)
{
    CORE_HANGING hanging = {.Stream = Stream};

    CoreRunInKernel(CoreHeaderInKernel, &hanging);
    return hanging.Header;
}
