/* System services that ask for a file's security descriptor and change it: both are the file system's affair. */
#include "request.h"

/* STATUS_BUFFER_TOO_SMALL tells the length in LengthNeeded. [ntifs/nf-ntifs-ntquerysecurityobject] */
NTSTATUS NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                               PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length, PULONG LengthNeeded)
{
    IO_STATUS_BLOCK IoStatus = {0};
    HOST_REQUEST Request;
    NTSTATUS Status = HostBeginRequest(&Request, Handle, READ_CONTROL, NULL, &IoStatus, TRUE);
    PIRP Irp;

    if (NT_SUCCESS(Status) && (LengthNeeded == NULL || (Length != 0 && SecurityDescriptor == NULL))) {
        Status = STATUS_ACCESS_VIOLATION;
    }
    if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_QUERY_SECURITY);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            PIO_STACK_LOCATION Location = IoGetNextIrpStackLocation(Irp);

            Location->Parameters.QuerySecurity.SecurityInformation = SecurityInformation;
            Location->Parameters.QuerySecurity.Length = Length;
            Irp->UserBuffer = SecurityDescriptor;
            Status = HostSend(&Request, Irp);
            *LengthNeeded = (ULONG)IoStatus.Information;
            if (Status == STATUS_BUFFER_OVERFLOW) {
                Status = STATUS_BUFFER_TOO_SMALL;
            }
        }
    }
    return HostEndRequest(&Request, Status);
}

/* The descriptor is self-relative. STATUS_ACCESS_DENIED without WRITE_DAC. [ntifs/nf-ntifs-ntsetsecurityobject] */
NTSTATUS NtSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                             PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    IO_STATUS_BLOCK IoStatus = {0};
    HOST_REQUEST Request;
    NTSTATUS Status = HostBeginRequest(&Request, Handle, WRITE_DAC, NULL, &IoStatus, TRUE);
    PIRP Irp;

    if (NT_SUCCESS(Status) && SecurityDescriptor == NULL) {
        Status = STATUS_ACCESS_VIOLATION;
    }
    if (NT_SUCCESS(Status) && SecurityInformation != DACL_SECURITY_INFORMATION) {
        Status = STATUS_NOT_SUPPORTED;
    }
    if (NT_SUCCESS(Status) && (((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Revision != SECURITY_DESCRIPTOR_REVISION ||
                               (((PISECURITY_DESCRIPTOR)SecurityDescriptor)->Control & SE_SELF_RELATIVE) == 0)) {
        Status = STATUS_INVALID_SECURITY_DESCR;
    }
    if (NT_SUCCESS(Status)) {
        Irp = HostMakeIrp(&Request, IRP_MJ_SET_SECURITY);
        if (Irp == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            PIO_STACK_LOCATION Location = IoGetNextIrpStackLocation(Irp);

            Location->Parameters.SetSecurity.SecurityInformation = SecurityInformation;
            Location->Parameters.SetSecurity.SecurityDescriptor = SecurityDescriptor;
            Status = HostSend(&Request, Irp);
        }
    }
    return HostEndRequest(&Request, Status);
}
