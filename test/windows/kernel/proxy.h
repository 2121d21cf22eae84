/*
 * What the files of the proxy kernel share. A routine that it supplies on top of Wine's own is reached there with the
 * prefix Wine: build.mjs makes the import library so.
 */
#ifndef PSCTX_TEST_PROXY_H
#define PSCTX_TEST_PROXY_H

#include "kernel.h"

NTSTATUS WineIoCreateDevice(_In_ PDRIVER_OBJECT DriverObject, _In_ ULONG DeviceExtensionSize,
                            _In_opt_ PUNICODE_STRING DeviceName, _In_ DEVICE_TYPE DeviceType,
                            _In_ ULONG DeviceCharacteristics, _In_ BOOLEAN Exclusive,
                            _Outptr_ PDEVICE_OBJECT *DeviceObject);
VOID WineIoDeleteDevice(_In_ PDEVICE_OBJECT DeviceObject);
PDEVICE_OBJECT WineIoAttachDeviceToDeviceStack(_In_ PDEVICE_OBJECT SourceDevice, _In_ PDEVICE_OBJECT TargetDevice);
VOID WineIoDetachDevice(_Inout_ PDEVICE_OBJECT TargetDevice);
NTSTATUS WineObReferenceObjectByHandle(_In_ HANDLE Handle, _In_ ACCESS_MASK DesiredAccess,
                                       _In_opt_ POBJECT_TYPE ObjectType, _In_ KPROCESSOR_MODE AccessMode,
                                       _Out_ PVOID *Object, _Out_opt_ POBJECT_HANDLE_INFORMATION HandleInformation);
NTSTATUS WineObQueryNameString(_In_ PVOID Object, _Out_writes_bytes_opt_(Length) POBJECT_NAME_INFORMATION Name,
                               _In_ ULONG Length, _Out_ PULONG ReturnLength);
LONG_PTR FASTCALL WineObfReferenceObject(_In_ PVOID Object);
LONG_PTR FASTCALL WineObfDereferenceObject(_In_ PVOID Object);
PVOID WineExAllocatePoolWithTag(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
VOID WineExFreePoolWithTag(_In_ PVOID Pool, _In_ ULONG Tag);

/* device.c: the name that a device was made with; empty without one. It lives as long as the device. */
UNICODE_STRING ProxyDeviceName(_In_ PDEVICE_OBJECT DeviceObject);

/* reference.c */
VOID ProxyNoteReference(_In_ PVOID Object);

#endif
