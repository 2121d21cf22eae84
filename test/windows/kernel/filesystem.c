/* The registration of file systems, and who is told of it; the VPBs' spin lock. */
#include "proxy.h"

#define PROXY_CAPACITY 8u

typedef struct _PROXY_NOTIFICATION {
    PDRIVER_OBJECT DriverObject;
    PDRIVER_FS_NOTIFICATION Routine;
} PROXY_NOTIFICATION;

/* Changed by DriverEntry, DriverUnload and dispatch alone, which Wine runs on one thread at a time. */
static PDEVICE_OBJECT ProxyFileSystems[PROXY_CAPACITY];
static PROXY_NOTIFICATION ProxyNotifications[PROXY_CAPACITY];
static KSPIN_LOCK ProxyVpbLock;

static VOID ProxyNotify(PDEVICE_OBJECT Device, BOOLEAN Active)
{
    for (ULONG Index = 0; Index < PROXY_CAPACITY; Index++) {
        if (ProxyNotifications[Index].Routine != NULL) {
            ProxyNotifications[Index].Routine(Device, Active);
        }
    }
}

/* The slot that holds Device; with NULL, a free one. */
static PDEVICE_OBJECT *ProxyFileSystemSlot(PDEVICE_OBJECT Device)
{
    for (ULONG Index = 0; Index < PROXY_CAPACITY; Index++) {
        if (ProxyFileSystems[Index] == Device) {
            return &ProxyFileSystems[Index];
        }
    }
    return NULL;
}

static PROXY_NOTIFICATION *ProxyNotificationSlot(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION Routine)
{
    for (ULONG Index = 0; Index < PROXY_CAPACITY; Index++) {
        if (ProxyNotifications[Index].DriverObject == DriverObject && ProxyNotifications[Index].Routine == Routine) {
            return &ProxyNotifications[Index];
        }
    }
    return NULL;
}

VOID IoRegisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT *Slot = ProxyFileSystemSlot(NULL);

    if (Slot == NULL) {
        HostViolation(FILE_SYSTEM, "IoRegisterFileSystem", "more than %u file systems", PROXY_CAPACITY);
    }
    *Slot = DeviceObject;
    DeviceObject->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    ProxyNotify(DeviceObject, TRUE);
}

VOID IoUnregisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT *Slot = ProxyFileSystemSlot(DeviceObject);

    if (Slot != NULL) {
        *Slot = NULL;
        ProxyNotify(DeviceObject, FALSE);
    }
}

/* Those registered already are told before this returns. STATUS_DEVICE_ALREADY_ATTACHED for a second time. */
NTSTATUS IoRegisterFsRegistrationChange(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    PROXY_NOTIFICATION *Slot = ProxyNotificationSlot(NULL, NULL);

    if (ProxyNotificationSlot(DriverObject, DriverNotificationRoutine) != NULL) {
        return STATUS_DEVICE_ALREADY_ATTACHED;
    }
    if (Slot == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Slot->DriverObject = DriverObject;
    Slot->Routine = DriverNotificationRoutine;
    for (ULONG Index = 0; Index < PROXY_CAPACITY; Index++) {
        if (ProxyFileSystems[Index] != NULL) {
            DriverNotificationRoutine(ProxyFileSystems[Index], TRUE);
        }
    }
    return STATUS_SUCCESS;
}

VOID IoUnregisterFsRegistrationChange(PDRIVER_OBJECT DriverObject, PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    PROXY_NOTIFICATION *Slot = ProxyNotificationSlot(DriverObject, DriverNotificationRoutine);

    if (Slot != NULL) {
        RtlZeroMemory(Slot, sizeof(*Slot));
    }
}

VOID IoAcquireVpbSpinLock(PKIRQL Irql)
{
    *Irql = KeAcquireSpinLockRaiseToDpc(&ProxyVpbLock);
}

VOID IoReleaseVpbSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&ProxyVpbLock, Irql);
}

/* Nobody acquires a file for a section here: the callbacks are never called. */
NTSTATUS FsRtlRegisterFileSystemFilterCallbacks(PDRIVER_OBJECT FilterDriverObject, PFS_FILTER_CALLBACKS Callbacks)
{
    UNREFERENCED_PARAMETER(FilterDriverObject);
    UNREFERENCED_PARAMETER(Callbacks);

    return STATUS_SUCCESS;
}
