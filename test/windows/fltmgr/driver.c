/*
 * fltmgr.sys: the embedded kernel's Filter Manager as a driver for Wine, in place of Wine's own, which has no routines. A service of its own
 * starts it, ahead of the minifilter whose image imports from it.
 */
#include "../../../driver/host/fltmgr/fltmgr.h"

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    return FltpDriverEntry(DriverObject, RegistryPath);
}

/* A minifilter does not start it: STATUS_FLT_NOT_INITIALIZED where its service has not. */
NTSTATUS HostStartFilterManager(VOID)
{
    return FltpDriver != NULL ? STATUS_SUCCESS : STATUS_FLT_NOT_INITIALIZED;
}
