/* A request's parameters in the form that minifilters see, and back. */
#include "fltmgr.h"

/*
 * What follows a stack location's own parameters: where that part begins, and what it is made of. The parts before are the same in both, but for
 * reads and writes, whose stack location has flags between that minifilters do not see.
 */
static PVOID FltpBuffer(PIRP Irp)
{
    return Irp->AssociatedIrp.SystemBuffer != NULL ? Irp->AssociatedIrp.SystemBuffer : Irp->UserBuffer;
}

VOID FltpLoadParameters(PIRP Irp, PFLT_IO_PARAMETER_BLOCK Iopb)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    PFLT_PARAMETERS Parameters = &Iopb->Parameters;

    RtlZeroMemory(Iopb, sizeof(*Iopb));
    Iopb->IrpFlags = Irp->Flags;
    Iopb->MajorFunction = Location->MajorFunction;
    Iopb->MinorFunction = Location->MinorFunction;
    Iopb->OperationFlags = Location->Flags;
    Iopb->TargetFileObject = Location->FileObject;
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.Create));
        Parameters->Create.EaBuffer = Irp->AssociatedIrp.SystemBuffer;
        Parameters->Create.AllocationSize = Irp->Overlay.AllocationSize;
        break;
    case IRP_MJ_READ:
        Parameters->Read.Length = Location->Parameters.Read.Length;
        Parameters->Read.Key = Location->Parameters.Read.Key;
        Parameters->Read.ByteOffset = Location->Parameters.Read.ByteOffset;
        Parameters->Read.ReadBuffer = FltpBuffer(Irp);
        Parameters->Read.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_WRITE:
        Parameters->Write.Length = Location->Parameters.Write.Length;
        Parameters->Write.Key = Location->Parameters.Write.Key;
        Parameters->Write.ByteOffset = Location->Parameters.Write.ByteOffset;
        Parameters->Write.WriteBuffer = FltpBuffer(Irp);
        Parameters->Write.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_QUERY_INFORMATION:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.QueryFile));
        Parameters->QueryFileInformation.InfoBuffer = FltpBuffer(Irp);
        break;
    case IRP_MJ_SET_INFORMATION:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.SetFile));
        Parameters->SetFileInformation.InfoBuffer = FltpBuffer(Irp);
        break;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.QueryVolume));
        Parameters->QueryVolumeInformation.VolumeBuffer = FltpBuffer(Irp);
        break;
    case IRP_MJ_DIRECTORY_CONTROL:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.QueryDirectory));
        Parameters->DirectoryControl.QueryDirectory.DirectoryBuffer = FltpBuffer(Irp);
        Parameters->DirectoryControl.QueryDirectory.MdlAddress = Irp->MdlAddress;
        break;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        memcpy(Parameters, &Location->Parameters, offsetof(FLT_PARAMETERS, DeviceIoControl.Neither.InputBuffer));
        if (METHOD_FROM_CTL_CODE(Parameters->DeviceIoControl.Common.IoControlCode) == METHOD_NEITHER) {
            Parameters->DeviceIoControl.Neither.InputBuffer = Location->Parameters.DeviceIoControl.Type3InputBuffer;
            Parameters->DeviceIoControl.Neither.OutputBuffer = Irp->UserBuffer;
        } else {
            Parameters->DeviceIoControl.Buffered.SystemBuffer = Irp->AssociatedIrp.SystemBuffer;
        }
        break;
    case IRP_MJ_LOCK_CONTROL:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.LockControl));
        Parameters->LockControl.ProcessId = IoGetRequestorProcess(Irp);
        Parameters->LockControl.FailImmediately = BooleanFlagOn(Location->Flags, SL_FAIL_IMMEDIATELY);
        Parameters->LockControl.ExclusiveLock = BooleanFlagOn(Location->Flags, SL_EXCLUSIVE_LOCK);
        break;
    case IRP_MJ_QUERY_SECURITY:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.QuerySecurity));
        Parameters->QuerySecurity.SecurityBuffer = Irp->UserBuffer;
        Parameters->QuerySecurity.MdlAddress = Irp->MdlAddress;
        break;
    default:
        memcpy(Parameters, &Location->Parameters, sizeof(Location->Parameters.Others));
        break;
    }
}

/* What a minifilter has changed, into the stack location that the file system will see. Buffers are the request's own: they do not change. */
VOID FltpStoreParameters(const FLT_IO_PARAMETER_BLOCK *Iopb, PIRP Irp, PIO_STACK_LOCATION Location)
{
    const FLT_PARAMETERS *Parameters = &Iopb->Parameters;

    Irp->Flags = Iopb->IrpFlags;
    Location->MinorFunction = Iopb->MinorFunction;
    Location->Flags = Iopb->OperationFlags;
    Location->FileObject = Iopb->TargetFileObject;
    switch (Iopb->MajorFunction) {
    case IRP_MJ_CREATE:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.Create));
        Irp->AssociatedIrp.SystemBuffer = Parameters->Create.EaBuffer;
        Irp->Overlay.AllocationSize = Parameters->Create.AllocationSize;
        break;
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
        Location->Parameters.Read.Length = Parameters->Read.Length;
        Location->Parameters.Read.Key = Parameters->Read.Key;
        Location->Parameters.Read.ByteOffset = Parameters->Read.ByteOffset;
        break;
    case IRP_MJ_QUERY_INFORMATION:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.QueryFile));
        break;
    case IRP_MJ_SET_INFORMATION:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.SetFile));
        break;
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.QueryVolume));
        break;
    case IRP_MJ_DIRECTORY_CONTROL:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.QueryDirectory));
        break;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        memcpy(&Location->Parameters, Parameters, offsetof(FLT_PARAMETERS, DeviceIoControl.Neither.InputBuffer));
        break;
    case IRP_MJ_LOCK_CONTROL:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.LockControl));
        break;
    case IRP_MJ_QUERY_SECURITY:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.QuerySecurity));
        break;
    default:
        memcpy(&Location->Parameters, Parameters, sizeof(Location->Parameters.Others));
        break;
    }
}
