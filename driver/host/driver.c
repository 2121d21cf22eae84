/* Drivers: loading, unloading, and what a driver's entry table holds before the driver fills it. */
#include "kernel.h"

static volatile LONG HostLoadedDrivers;
BOOLEAN HostBooting;

typedef struct _HOST_DRIVER_EXTENSION {
    DRIVER_EXTENSION Public;
    PFS_FILTER_CALLBACKS FsFilterCallbacks;
    volatile LONG Threads;
} HOST_DRIVER_EXTENSION, *PHOST_DRIVER_EXTENSION;

PFS_FILTER_CALLBACKS *HostFsFilterCallbacksOf(PDRIVER_OBJECT Driver)
{
    return &((PHOST_DRIVER_EXTENSION)Driver->DriverExtension)->FsFilterCallbacks;
}

volatile LONG *HostThreadsOf(PDRIVER_OBJECT Driver)
{
    return &((PHOST_DRIVER_EXTENSION)Driver->DriverExtension)->Threads;
}

/*
 * A thread whose end nobody has waited for may run on, at least until it has returned from the driver's last instruction, when the image is
 * gone. [wdm/nf-wdm-psterminatesystemthread]
 */
static VOID HostCheckThreads(PDRIVER_OBJECT Driver, const char *Routine)
{
    if (ReadAcquire(HostThreadsOf(Driver)) != 0) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, Routine,
                      "returned without having waited for the end of a thread of the driver's");
    }
}

static NTSTATUS HostInvalidRequest(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

BOOLEAN HostHasDrivers(VOID)
{
    return (BOOLEAN)(ReadAcquire(&HostLoadedDrivers) != 0);
}

VOID HostDeleteDriver(PVOID Object)
{
    PDRIVER_OBJECT Driver = Object;

    HostForgetModule(Driver);
    PlatformFree(Driver->DriverName.Buffer);
    if (Driver->DriverExtension != NULL) {
        PlatformFree(*HostFsFilterCallbacksOf(Driver));
        PlatformFree(Driver->DriverExtension->ServiceKeyName.Buffer);
        PlatformFree(Driver->DriverExtension);
    }
}

static VOID HostJoin(PUNICODE_STRING Target, PCWSTR First, PCWSTR Second)
{
    UNICODE_STRING Start;
    UNICODE_STRING End;

    RtlInitUnicodeString(&Start, First);
    RtlInitUnicodeString(&End, Second);
    Target->Length = (USHORT)(Start.Length + End.Length);
    Target->MaximumLength = (USHORT)(Target->Length + sizeof(WCHAR));
    Target->Buffer = PlatformAllocate(Target->MaximumLength);
    memcpy(Target->Buffer, Start.Buffer, Start.Length);
    memcpy((PUCHAR)Target->Buffer + Start.Length, End.Buffer, End.Length);
}

/* What DriverEntry answers, STATUS_OBJECT_NAME_COLLISION when a driver of the name is there. */
NTSTATUS HostLoadDriver(PCWSTR Name, BOOLEAN FileSystem, PDRIVER_INITIALIZE DriverEntry, PDRIVER_OBJECT *DriverObject)
{
    UNICODE_STRING RegistryPath = {0};
    PDRIVER_OBJECT Driver;
    NTSTATUS Status;

    *DriverObject = NULL;
    Status = HostCreateObject(&HostDriverType, sizeof(*Driver), (PVOID *)&Driver);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Driver->Type = IO_TYPE_DRIVER;
    Driver->Size = sizeof(*Driver);
    Driver->Flags = DRVO_LEGACY_DRIVER | (HostBooting ? DRVO_BUILTIN_DRIVER : 0);
    Driver->DriverInit = DriverEntry;
    Driver->DriverExtension = PlatformAllocate(sizeof(HOST_DRIVER_EXTENSION));
    Driver->DriverExtension->DriverObject = Driver;
    HostJoin(&Driver->DriverExtension->ServiceKeyName, Name, L"");
    HostJoin(&Driver->DriverName, FileSystem ? L"\\FileSystem\\" : L"\\Driver\\", Name);
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++) {
        Driver->MajorFunction[Index] = HostInvalidRequest;
    }
    Status = HostInsertObject(Driver, &Driver->DriverName, FALSE);
    if (NT_SUCCESS(Status)) {
        HostJoin(&RegistryPath, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\", Name);
        HostLoadInitialization(DriverEntry);
        HostCurrentThread()->Starting = Driver;
        Status = DriverEntry(Driver, &RegistryPath);
        HostCurrentThread()->Starting = NULL;
        HostDiscardInitialization(DriverEntry);
        if (!NT_SUCCESS(Status)) {
            HostUnloadImage(DriverEntry);
        }
        PlatformFree(RegistryPath.Buffer);
    }
    if (!NT_SUCCESS(Status)) {
        if (Driver->DeviceObject != NULL) {
            HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "DriverEntry", "failed and left a device behind");
        }
        HostCheckThreads(Driver, "DriverEntry");
        HostRemoveName(Driver);
        HostDereferenceRaw(Driver, "HostLoadDriver");
        return Status;
    }
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        if ((Device->Flags & DO_DEVICE_INITIALIZING) != 0) { /* one that is ready may be in use */
            Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        }
    }
    if ((Driver->Flags & DRVO_BUILTIN_DRIVER) == 0) {
        (VOID) InterlockedIncrement(&HostLoadedDrivers);
    }
    *DriverObject = Driver;
    return STATUS_SUCCESS;
}

NTSTATUS HostUnloadDriver(PDRIVER_OBJECT DriverObject)
{
    (VOID) HostCheckObject(DriverObject, "HostUnloadDriver");
    if (DriverObject->DriverUnload == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    DriverObject->Flags |= DRVO_UNLOAD_INVOKED;
    DriverObject->DriverUnload(DriverObject);
    return HostUnloadDriverImage(DriverObject);
}

static VOID HostFindDriversThread(PETHREAD Thread, PVOID Context)
{
    if (Thread->SystemThread && ReadAcquire(&Thread->Header.SignalState) == 0 &&
        HostIsPageable((const VOID *)(ULONG_PTR)Thread->StartRoutine)) {
        *(PETHREAD *)Context = Thread;
    }
}

/* An image that has been unloaded runs no thread any more; of whose image is not in a section that is known, nothing is known. */
static VOID HostCheckNoThreads(PDRIVER_OBJECT DriverObject)
{
    PETHREAD Thread = NULL;

    if (HostIsPageable((const VOID *)(ULONG_PTR)DriverObject->DriverUnload)) {
        HostVisitThreads(HostFindDriversThread, &Thread);
    }
    if (Thread != NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "DriverUnload", "returned, and the driver's thread %p runs",
                      (PVOID)Thread);
    }
}

NTSTATUS HostUnloadDriverImage(PDRIVER_OBJECT DriverObject)
{
    HostCheckNoThreads(DriverObject);
    if (DriverObject->DeviceObject != NULL) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "DriverUnload", "returned and left a device behind");
    }
    HostCheckThreads(DriverObject, "DriverUnload");
    if ((DriverObject->Flags & DRVO_BUILTIN_DRIVER) == 0) {
        (VOID) InterlockedDecrement(&HostLoadedDrivers);
    }
    HostUnloadImage(DriverObject->DriverInit);
    HostRemoveName(DriverObject);
    HostDereferenceRaw(DriverObject, "HostUnloadDriver");
    return STATUS_SUCCESS;
}

VOID HostMakeBuiltIn(PDRIVER_OBJECT DriverObject)
{
    if ((DriverObject->Flags & DRVO_BUILTIN_DRIVER) == 0) {
        DriverObject->Flags |= DRVO_BUILTIN_DRIVER;
        (VOID) InterlockedDecrement(&HostLoadedDrivers);
    }
}
