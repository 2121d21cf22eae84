/*
 * Requests: the control device, and what it answers.
 */
#ifndef PSCTX_REQUESTS_H
#define PSCTX_REQUESTS_H

#include "kernel/kernel.h"

/* device.c */
_IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    PsctxCreateControlDevice(_In_ PDRIVER_OBJECT DriverObject, _Outptr_ PDEVICE_OBJECT *ControlDevice);
_IRQL_requires_(PASSIVE_LEVEL) VOID PsctxDeleteControlDevice(VOID);

/* control.c */
_IRQL_requires_(PASSIVE_LEVEL) BOOLEAN PsctxRefuseOpens(VOID);
_Dispatch_type_(IRP_MJ_CREATE) _Dispatch_type_(IRP_MJ_CLEANUP) _Dispatch_type_(IRP_MJ_CLOSE)
    _Dispatch_type_(IRP_MJ_DEVICE_CONTROL) DRIVER_DISPATCH PsctxControlDispatch;

#endif
