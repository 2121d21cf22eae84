/* What system services share that send requests to a file. */
#ifndef PSCTX_HOST_REQUEST_H
#define PSCTX_HOST_REQUEST_H

#include "kernel.h"

/* A request about to be sent for a service. */
typedef struct _HOST_REQUEST {
    PETHREAD Thread;
    PFILE_OBJECT File;     /* referenced */
    PVOID Event;           /* referenced */
    HOST_LOCKED_FILE Lock; /* where Locked says so */
    PDEVICE_OBJECT Top;
    PIO_STATUS_BLOCK IoStatusBlock;
    ACCESS_MASK Granted;
    BOOLEAN Synchronous;
    BOOLEAN Locked;
} HOST_REQUEST, *PHOST_REQUEST;

/* STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED. HostEndRequest follows in any case. */
NTSTATUS HostBeginRequest(_Out_ PHOST_REQUEST Request, _In_ HANDLE FileHandle, _In_ ACCESS_MASK Access,
                          _In_opt_ HANDLE Event, _In_ PIO_STATUS_BLOCK IoStatusBlock, _In_ BOOLEAN AlwaysSynchronous);
NTSTATUS HostEndRequest(_Inout_ PHOST_REQUEST Request, _In_ NTSTATUS Status);
/* NULL when there is no memory. */
PIRP HostMakeIrp(_In_ PHOST_REQUEST Request, _In_ UCHAR MajorFunction);
/*
 * Sends and, for a synchronous request, waits. The status block and the caller's event are left alone by a request that fails, unless it
 * was pended on an asynchronous handle; the file object's event is signalled by what succeeded and by what was pended, if the caller has
 * no event of its own or the handle is synchronous.
 */
NTSTATUS HostSend(_Inout_ PHOST_REQUEST Request, _In_ PIRP Irp);

/* TRUE when the table of the top driver reaches to the entry and has it. */
#define HostHasFastIo(Device, Entry) \
    ((Device)->DriverObject->FastIoDispatch != NULL && \
     (Device)->DriverObject->FastIoDispatch->SizeOfFastIoDispatch >= \
         RTL_SIZEOF_THROUGH_FIELD(FAST_IO_DISPATCH, Entry) && \
     (Device)->DriverObject->FastIoDispatch->Entry != NULL)

#endif
