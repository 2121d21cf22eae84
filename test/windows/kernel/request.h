/* Requests that the kernel or a file system sends or answers itself. For the proxy kernel and for hostfs.sys. */
#ifndef PSCTX_TEST_REQUEST_H
#define PSCTX_TEST_REQUEST_H

#include <ntifs.h>

/*
 * Sends one request to a device, and returns its final status, and its IoStatus.Information where that is asked for.
 * Location has the functions, the flags, the file object and the parameters. Buffer is both SystemBuffer and
 * UserBuffer. PASSIVE_LEVEL.
 */
NTSTATUS SendRequest(_In_ PDEVICE_OBJECT Device, _In_ const IO_STACK_LOCATION *Location, _Inout_opt_ PVOID Buffer,
                     _Out_opt_ PULONG_PTR Information);

/*
 * FileFsDeviceInformation, which the I/O manager answers on Windows and Wine sends to the driver. FALSE for any other
 * request; otherwise it is complete, with *Status.
 */
BOOLEAN AnswerDeviceInformation(_In_ const DEVICE_OBJECT *Device, _Inout_ PIRP Irp, _Out_ NTSTATUS *Status);

#endif
