/*
 * The control device: \Device\PsCtx, for SYSTEM and Administrators, reached as \\.\PsCtx.
 */
#include "requests/request.h"

#define PSCTX_SECURITY_BUFFER 256u

static const SID_IDENTIFIER_AUTHORITY PsctxNtAuthority = {SECURITY_NT_AUTHORITY};

/*
 * Allows full access to one well-known SID below NT AUTHORITY: "S-1-5-<First>" or "S-1-5-<First>-<Second>". In the rights that
 * GENERIC_ALL stands for on a device: not every kernel maps it on the way to the device's descriptor.
 */
PSCTX_INIT static NTSTATUS PsctxAllowAll(_Inout_ PACL Acl, _In_ ULONG First, _In_ ULONG Second)
{
    ULONG sid[(sizeof(SID) + sizeof(ULONG)) / sizeof(ULONG)];
    SID_IDENTIFIER_AUTHORITY authority = PsctxNtAuthority;
    NTSTATUS status;

    PAGED_CODE();

    status = RtlInitializeSid((PSID)sid, &authority, Second == 0 ? 1 : 2);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    *RtlSubAuthoritySid((PSID)sid, 0) = First;
    if (Second != 0) {
        *RtlSubAuthoritySid((PSID)sid, 1) = Second;
    }
    return RtlAddAccessAllowedAce(Acl, ACL_REVISION, FILE_ALL_ACCESS, (PSID)sid);
}

/*
 * Gives the device the security D:P(A;;GA;;;SY)(A;;GA;;;BA). Nobody can have opened it before: until DriverEntry has returned
 * it is DO_DEVICE_INITIALIZING, and the I/O manager refuses opens of such a device.
 */
PSCTX_INIT static NTSTATUS PsctxSecureDevice(_In_ PDEVICE_OBJECT DeviceObject)
{
    SECURITY_DESCRIPTOR descriptor;
    ULONG aclBuffer[PSCTX_SECURITY_BUFFER / sizeof(ULONG)];
    PACL acl = (PACL)aclBuffer;
    HANDLE handle;
    NTSTATUS status;

    PAGED_CODE();

    status = RtlCreateAcl(acl, sizeof(aclBuffer), ACL_REVISION);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxAllowAll(acl, SECURITY_LOCAL_SYSTEM_RID, 0);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PsctxAllowAll(acl, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = RtlSetDaclSecurityDescriptor(&descriptor, TRUE, acl, FALSE);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    descriptor.Control |= SE_DACL_PROTECTED;

    status = ObOpenObjectByPointer(DeviceObject, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode, &handle);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor);
    ZwClose(handle);
    return status;
}

/*
 * Makes and secures the device, then its symbolic link. FILE_DEVICE_SECURE_OPEN has the I/O manager check the device's security
 * for names below it, too. [wdm/nf-wdm-iocreatedevice, kernel/controlling-device-access]
 */
PSCTX_INIT _Use_decl_annotations_ NTSTATUS PsctxCreateControlDevice(PDRIVER_OBJECT DriverObject,
                                                                    PDEVICE_OBJECT *ControlDevice)
{
    UNICODE_STRING deviceName;
    UNICODE_STRING linkName;
    PDEVICE_OBJECT device;
    NTSTATUS status;

    PAGED_CODE();

    RtlInitUnicodeString(&deviceName, PSCTX_DEVICE_NAME);
    RtlInitUnicodeString(&linkName, PSCTX_SYMBOLIC_LINK_NAME);

    status = IoCreateDevice(DriverObject, 0, &deviceName, PSCTX_DEVICE_TYPE, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    status = PsctxSecureDevice(device);
    if (!NT_SUCCESS(status)) {
        goto DeleteDevice;
    }

    status = IoCreateSymbolicLink(&linkName, &deviceName);
    if (!NT_SUCCESS(status)) {
        goto DeleteDevice;
    }

    PsctxControlFiles = 0;
    *ControlDevice = device;
    return STATUS_SUCCESS;

DeleteDevice:
    IoDeleteDevice(device);
    return status;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxDeleteControlDevice(VOID)
{
    UNICODE_STRING linkName;

    PAGED_CODE();

    RtlInitUnicodeString(&linkName, PSCTX_SYMBOLIC_LINK_NAME);
    (VOID) IoDeleteSymbolicLink(&linkName); /* it is gone already if somebody deleted it: nothing to do about it */
    IoDeleteDevice(PsctxGlobals.ControlDevice);
    PsctxGlobals.ControlDevice = NULL;
}
