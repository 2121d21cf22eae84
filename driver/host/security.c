/* Security: well-known identifiers, access control lists, and the check of a device's list against a process's token. */
#include "kernel.h"

#define HOST_SECURITY_TAG 'dSeS'

typedef struct _HOST_SID {
    UCHAR Revision;
    UCHAR SubAuthorityCount;
    SID_IDENTIFIER_AUTHORITY IdentifierAuthority;
    ULONG SubAuthority[2];
} HOST_SID;

static HOST_SID HostWorldSid = {SID_REVISION, 1, {SECURITY_WORLD_SID_AUTHORITY}, {SECURITY_WORLD_RID, 0}};
static HOST_SID HostSystemSid = {SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_LOCAL_SYSTEM_RID, 0}};
static HOST_SID HostAdministratorsSid = {
    SID_REVISION, 2, {SECURITY_NT_AUTHORITY}, {SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS}};
static HOST_SID HostUsersSid = {
    SID_REVISION, 2, {SECURITY_NT_AUTHORITY}, {SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_USERS}};

static SE_EXPORTS HostExports = {&HostWorldSid, &HostSystemSid, &HostAdministratorsSid, &HostUsersSid};
PSE_EXPORTS SeExports = &HostExports;

NTSTATUS RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
    (VOID) HostEnter(RtlCreateSecurityDescriptor);
    if (Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    RtlZeroMemory(SecurityDescriptor, sizeof(SECURITY_DESCRIPTOR));
    ((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Revision = SECURITY_DESCRIPTOR_REVISION;
    return STATUS_SUCCESS;
}

NTSTATUS RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent, PACL Dacl,
                                      BOOLEAN DaclDefaulted)
{
    PISECURITY_DESCRIPTOR Descriptor = SecurityDescriptor;

    (VOID) HostEnter(RtlSetDaclSecurityDescriptor);
    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION) {
        return STATUS_UNKNOWN_REVISION;
    }
    if ((Descriptor->Control & SE_SELF_RELATIVE) != 0) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    Descriptor->Control = (USHORT)(Descriptor->Control & ~(SE_DACL_PRESENT | SE_DACL_DEFAULTED));
    Descriptor->Dacl = NULL;
    if (DaclPresent) {
        Descriptor->Control = (USHORT)(Descriptor->Control | SE_DACL_PRESENT | (DaclDefaulted ? SE_DACL_DEFAULTED : 0));
        Descriptor->Dacl = Dacl;
    }
    return STATUS_SUCCESS;
}

NTSTATUS RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
    (VOID) HostEnter(RtlCreateAcl);
    if (AclLength < sizeof(ACL)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (AclRevision != ACL_REVISION || AclLength > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(Acl, sizeof(*Acl));
    Acl->AclRevision = (UCHAR)AclRevision;
    Acl->AclSize = (USHORT)(AclLength & ~3u);
    return STATUS_SUCCESS;
}

/* The entry at an index, or where the next one would go. */
static PACCESS_ALLOWED_ACE HostAce(PACL Acl, ULONG Index)
{
    PUCHAR Ace = (PUCHAR)(Acl + 1);

    for (ULONG Count = 0; Count < Index; Count++) {
        Ace += ((PACE_HEADER)(PVOID)Ace)->AceSize;
    }
    return (PACCESS_ALLOWED_ACE)(PVOID)Ace;
}

NTSTATUS RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    PACCESS_ALLOWED_ACE Ace;
    ULONG Size;

    (VOID) HostEnter(RtlAddAccessAllowedAce);
    if (AceRevision != ACL_REVISION) {
        return STATUS_REVISION_MISMATCH;
    }
    if (!RtlValidSid(Sid)) {
        return STATUS_INVALID_SID;
    }
    Ace = HostAce(Acl, Acl->AceCount);
    Size = (ULONG)offsetof(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Sid);
    if ((PUCHAR)Ace + Size > (PUCHAR)Acl + Acl->AclSize) {
        return STATUS_ALLOTTED_SPACE_EXCEEDED;
    }
    Ace->Header.AceType = ACCESS_ALLOWED_ACE_TYPE;
    Ace->Header.AceFlags = 0;
    Ace->Header.AceSize = (USHORT)Size;
    Ace->Mask = AccessMask;
    memcpy((PUCHAR)Ace + offsetof(ACCESS_ALLOWED_ACE, SidStart), Sid, RtlLengthSid(Sid));
    Acl->AceCount++;
    return STATUS_SUCCESS;
}

NTSTATUS RtlInitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY IdentifierAuthority, UCHAR SubAuthorityCount)
{
    PISID Identifier = Sid;

    (VOID) HostEnter(RtlInitializeSid);
    if (SubAuthorityCount > SID_MAX_SUB_AUTHORITIES) {
        return STATUS_INVALID_PARAMETER;
    }
    Identifier->Revision = SID_REVISION;
    Identifier->SubAuthorityCount = SubAuthorityCount;
    Identifier->IdentifierAuthority = *IdentifierAuthority;
    return STATUS_SUCCESS;
}

ULONG RtlLengthRequiredSid(ULONG SubAuthorityCount)
{
    (VOID) HostEnter(RtlLengthRequiredSid);
    return (ULONG)(offsetof(SID, SubAuthority) + SubAuthorityCount * sizeof(ULONG));
}

PULONG RtlSubAuthoritySid(PSID Sid, ULONG SubAuthority)
{
    return (PULONG)(PVOID)((PUCHAR)Sid + offsetof(SID, SubAuthority)) + SubAuthority;
}

ULONG RtlLengthSid(PSID Sid)
{
    return (ULONG)(offsetof(SID, SubAuthority) + ((PISID)Sid)->SubAuthorityCount * sizeof(ULONG));
}

BOOLEAN RtlValidSid(PSID Sid)
{
    PISID Identifier = Sid;

    (VOID) HostEnter(RtlValidSid);
    return (BOOLEAN)(Identifier != NULL && Identifier->Revision == SID_REVISION &&
                     Identifier->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES);
}

BOOLEAN RtlEqualSid(PSID Sid1, PSID Sid2)
{
    return (BOOLEAN)(RtlLengthSid(Sid1) == RtlLengthSid(Sid2) && memcmp(Sid1, Sid2, RtlLengthSid(Sid1)) == 0);
}

VOID RtlMapGenericMask(PACCESS_MASK AccessMask, const GENERIC_MAPPING *GenericMapping)
{
    ACCESS_MASK Mask = *AccessMask;

    (VOID) HostEnter(RtlMapGenericMask);
    Mask |= (Mask & GENERIC_READ) != 0 ? GenericMapping->GenericRead : 0;
    Mask |= (Mask & GENERIC_WRITE) != 0 ? GenericMapping->GenericWrite : 0;
    Mask |= (Mask & GENERIC_EXECUTE) != 0 ? GenericMapping->GenericExecute : 0;
    Mask |= (Mask & GENERIC_ALL) != 0 ? GenericMapping->GenericAll : 0;
    *AccessMask = Mask & ~(ACCESS_MASK)(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}

static BOOLEAN HostTokenHas(HOST_TOKEN Token, PSID Sid)
{
    switch (Token) {
    case HostSystemToken:
        return (BOOLEAN)(RtlEqualSid(Sid, &HostSystemSid) || RtlEqualSid(Sid, &HostAdministratorsSid) ||
                         RtlEqualSid(Sid, &HostWorldSid));
    case HostAdministratorToken:
        return (BOOLEAN)(RtlEqualSid(Sid, &HostAdministratorsSid) || RtlEqualSid(Sid, &HostUsersSid) ||
                         RtlEqualSid(Sid, &HostWorldSid));
    default:
        return (BOOLEAN)(RtlEqualSid(Sid, &HostUsersSid) || RtlEqualSid(Sid, &HostWorldSid));
    }
}

/* Entries count in their order; a list that is there but empty grants nothing; none at all grants everything. */
NTSTATUS HostCheckAccess(PACL Dacl, BOOLEAN DaclPresent, HOST_TOKEN Token, const GENERIC_MAPPING *Mapping,
                         ACCESS_MASK Desired, PACCESS_MASK Granted)
{
    BOOLEAN Maximum = (BOOLEAN)((Desired & MAXIMUM_ALLOWED) != 0);
    ACCESS_MASK Allowed = 0;
    ACCESS_MASK Denied = 0;

    Desired &= ~(ACCESS_MASK)MAXIMUM_ALLOWED;
    RtlMapGenericMask(&Desired, Mapping);
    if (!DaclPresent || Dacl == NULL) {
        Allowed = Mapping->GenericAll;
    }
    for (ULONG Index = 0; DaclPresent && Dacl != NULL && Index < Dacl->AceCount; Index++) {
        PACCESS_ALLOWED_ACE Ace = HostAce(Dacl, Index);
        ACCESS_MASK Mask = Ace->Mask;

        if ((Ace->Header.AceFlags & INHERIT_ONLY_ACE) != 0 ||
            !HostTokenHas(Token, (PUCHAR)Ace + offsetof(ACCESS_ALLOWED_ACE, SidStart))) {
            continue;
        }
        RtlMapGenericMask(&Mask, Mapping);
        if (Ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE) {
            Allowed |= Mask & ~Denied;
        } else if (Ace->Header.AceType == ACCESS_DENIED_ACE_TYPE) {
            Denied |= Mask & ~Allowed;
        }
    }
    if ((Desired & ~Allowed) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    *Granted = Maximum ? Allowed : Desired;
    return *Granted == 0 && Maximum ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/* The device's list; without one, what a new device has: everything for administrators, all but WRITE_DAC and the like for users. */
NTSTATUS HostCheckDeviceAccess(PDEVICE_OBJECT Device, HOST_TOKEN Token, ACCESS_MASK Desired, PACCESS_MASK Granted)
{
    PISECURITY_DESCRIPTOR Descriptor = Device->SecurityDescriptor;
    GENERIC_MAPPING Mapping = HostFileType.Mapping;

    if (Descriptor != NULL) {
        return HostCheckAccess(Descriptor->Dacl, (BOOLEAN)((Descriptor->Control & SE_DACL_PRESENT) != 0), Token,
                               &Mapping, Desired, Granted);
    }
    if (Token == HostUserToken) {
        Mapping.GenericAll = FILE_GENERIC_READ | FILE_GENERIC_WRITE | FILE_GENERIC_EXECUTE | DELETE;
    }
    return HostCheckAccess(NULL, FALSE, Token, &Mapping, Desired, Granted);
}

/* Keeps a copy of the descriptor's list with the device. STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_ACL. */
NTSTATUS HostSetDeviceSecurity(PDEVICE_OBJECT Device, PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    PISECURITY_DESCRIPTOR Source = SecurityDescriptor;
    PACL Dacl = (Source->Control & SE_DACL_PRESENT) != 0 ? Source->Dacl : NULL;
    SIZE_T Size = sizeof(SECURITY_DESCRIPTOR) + (Dacl != NULL ? Dacl->AclSize : 0);
    PISECURITY_DESCRIPTOR Copy;
    PVOID Old;

    if (Source->Revision != SECURITY_DESCRIPTOR_REVISION || (Source->Control & SE_SELF_RELATIVE) != 0) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    if (Dacl != NULL && (PUCHAR)HostAce(Dacl, Dacl->AceCount) > (PUCHAR)Dacl + Dacl->AclSize) {
        return STATUS_INVALID_ACL;
    }
    Copy = HostAllocatePool(PagedPool, Size, HOST_SECURITY_TAG, TRUE, __builtin_return_address(0));
    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Copy = *Source;
    if (Dacl != NULL) {
        Copy->Dacl = (PACL)(Copy + 1);
        memcpy(Copy->Dacl, Dacl, Dacl->AclSize);
    }
    Old = InterlockedExchangePointer(&Device->SecurityDescriptor, Copy);
    if (Old != NULL) {
        HostFreePool(Old, HOST_SECURITY_TAG, "ZwSetSecurityObject");
    }
    return STATUS_SUCCESS;
}

/*
 * The list of a device, by a handle of the device itself or of an open of the device by its bare name.
 * STATUS_ACCESS_DENIED without WRITE_DAC, STATUS_NOT_SUPPORTED for anything but DACL_SECURITY_INFORMATION.
 */
NTSTATUS ZwSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                             PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    PETHREAD Thread = HostEnter(ZwSetSecurityObject);
    KPROCESSOR_MODE PreviousMode = HostBeginKernelCall(Thread);
    ACCESS_MASK Granted = 0;
    PDEVICE_OBJECT Device = NULL;
    PVOID Object;
    NTSTATUS Status;

    Status = HostReferenceHandle(Handle, KernelMode, NULL, 0, &Object, &Granted, NULL);
    if (NT_SUCCESS(Status)) {
        if (HostHeaderOf(Object)->Type == &HostDeviceType) {
            Device = Object;
        } else if (HostHeaderOf(Object)->Type == &HostFileType && ((PFILE_OBJECT)Object)->FileName.Length == 0) {
            Device = ((PFILE_OBJECT)Object)->DeviceObject;
        }
        if (Device == NULL || SecurityInformation != DACL_SECURITY_INFORMATION) {
            Status = STATUS_NOT_SUPPORTED;
        } else if ((Granted & WRITE_DAC) == 0) {
            Status = STATUS_ACCESS_DENIED;
        } else {
            Status = HostSetDeviceSecurity(Device, SecurityDescriptor);
        }
        HostDereferenceRaw(Object, "ZwSetSecurityObject");
    }
    HostEndKernelCall(Thread, PreviousMode);
    return Status;
}
