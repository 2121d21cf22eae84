/*
 * A redirector: see core_redirector.h.
 */
#include "core_redirector.h"

#include "core_image.h"
#include "core_runner.h"

#include <string.h>

CORE_REDIRECTOR CoreRedirector;

static PDRIVER_OBJECT CoreSubsystem;
static UCHAR CoreSubsystemImage[64];

/* An image as far as its imports are looked at. */
static union {
    USHORT Words[0x800];
    ULONG Longs[0x400];
    ULONG_PTR Addresses[0x1000 / sizeof(ULONG_PTR)];
} CoreRedirectorImage;

static VOID CoreMakeImage(_In_ ULONG_PTR Import)
{
    memset(&CoreRedirectorImage, 0, sizeof(CoreRedirectorImage));
    CoreRedirectorImage.Words[0] = 0x5A4D;
    CoreRedirectorImage.Longs[0x3C / sizeof(ULONG)] = 0x80;
    CoreRedirectorImage.Longs[0x80 / sizeof(ULONG)] = 0x4550;
    CoreRedirectorImage.Words[(0x80 + CORE_OPTIONAL_HEADER) / sizeof(USHORT)] = CORE_OPTIONAL_MAGIC;
    CoreRedirectorImage.Longs[(0x80 + CORE_DIRECTORY_COUNT) / sizeof(ULONG)] = 16;
    CoreRedirectorImage.Longs[(0x80 + CORE_IMPORT_DIRECTORY) / sizeof(ULONG)] = 0x800;
    CoreRedirectorImage.Longs[(0x80 + CORE_IMPORT_DIRECTORY + 4) / sizeof(ULONG)] = 2 * sizeof(ULONG_PTR);
    CoreRedirectorImage.Addresses[0x800 / sizeof(ULONG_PTR)] = (ULONG_PTR)&CoreRedirectorImage;
    CoreRedirectorImage.Addresses[0x800 / sizeof(ULONG_PTR) + 1] =
        Import != 0 ? Import : (ULONG_PTR)&CoreRedirectorImage;
}

static VOID CoreRedirectorOpen(_Inout_ PFILE_OBJECT FileObject)
{
    FileObject->FsContext = CoreRedirector.FsContext;
    FileObject->SectionObjectPointer = CoreRedirector.SectionObjectPointer;
    FileObject->Flags |= CoreRedirector.Flags;
    CoreRedirector.Opens += 1;
}

static VOID CoreRedirectorClose(VOID)
{
    CoreRedirector.Opens -= 1;
    if (CoreRedirector.Opens == 0 && CoreRedirector.FsContext == &CoreRedirector.Header) {
        FsRtlTeardownPerStreamContexts(&CoreRedirector.Header);
    }
}

static NTSTATUS CoreRedirectorDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(DeviceObject);

    switch (location->MajorFunction) {
    case IRP_MJ_CREATE:
        CoreRedirectorOpen(location->FileObject);
        break;
    case IRP_MJ_CLEANUP:
        break;
    case IRP_MJ_CLOSE:
        CoreRedirectorClose();
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }
    Irp->IoStatus.Status = status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

static VOID CoreRedirectorUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);

    IoUnregisterFileSystem(CoreRedirector.Device);
    IoDeleteDevice(CoreRedirector.Device);
}

static NTSTATUS CoreRedirectorEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING name;
    NTSTATUS status;
    ULONG major;

    UNREFERENCED_PARAMETER(RegistryPath);

    for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major += 1) {
        DriverObject->MajorFunction[major] = CoreRedirectorDispatch;
    }
    DriverObject->DriverUnload = CoreRedirectorUnload;
    HostSetDriverImage(DriverObject, &CoreRedirectorImage, sizeof(CoreRedirectorImage));
    RtlInitUnicodeString(&name, CORE_REDIRECTOR_DEVICE);
    status = IoCreateDevice(DriverObject, 0, &name, FILE_DEVICE_NETWORK_FILE_SYSTEM, 0, FALSE, &CoreRedirector.Device);
    if (NT_SUCCESS(status)) {
        CoreRedirector.Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        IoRegisterFileSystem(CoreRedirector.Device);
    }
    return status;
}

VOID CoreLoadRedirector(PCWSTR Name, ULONG_PTR Import)
{
    memset(&CoreRedirector, 0, sizeof(CoreRedirector));
    CoreRedirector.Name = Name;
    CoreRedirector.Import = Import;
    CoreRedirector.FsContext = &CoreRedirector.Header;
    CoreRedirector.SectionObjectPointer = &CoreRedirector.Sections;
    ExInitializeFastMutex(&CoreRedirector.Mutex);
    CoreRedirector.Header.NodeByteSize = sizeof(CoreRedirector.Header);
    CoreRedirector.Header.Resource = &CoreRedirector.Resource;
    FsRtlSetupAdvancedHeader(&CoreRedirector.Header, &CoreRedirector.Mutex);
    CoreMakeImage(Import);
    CHECK_STATUS(HostLoadDriver(Name, TRUE, CoreRedirectorEntry, &CoreRedirector.Driver), STATUS_SUCCESS);
}

VOID CoreUnloadRedirector(VOID)
{
    CHECK_STATUS(HostUnloadDriver(CoreRedirector.Driver), STATUS_SUCCESS);
}

static VOID CoreSubsystemUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static NTSTATUS CoreSubsystemEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);

    DriverObject->DriverUnload = CoreSubsystemUnload;
    HostSetDriverImage(DriverObject, CoreSubsystemImage, sizeof(CoreSubsystemImage));
    return STATUS_SUCCESS;
}

ULONG_PTR CoreLoadSubsystem(PCWSTR Name)
{
    CHECK_STATUS(HostLoadDriver(Name, TRUE, CoreSubsystemEntry, &CoreSubsystem), STATUS_SUCCESS);
    return (ULONG_PTR)&CoreSubsystemImage[sizeof(CoreSubsystemImage) - 1];
}

VOID CoreUnloadSubsystem(VOID)
{
    CHECK_STATUS(HostUnloadDriver(CoreSubsystem), STATUS_SUCCESS);
}
