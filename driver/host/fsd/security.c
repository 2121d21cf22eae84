/* IRP_MJ_QUERY_SECURITY and IRP_MJ_SET_SECURITY: a descriptor is kept with the file and told again; nothing is checked against it. */
#include "fsd.h"

/* Bytes of a self-relative descriptor that has a DACL alone, or none. */
static ULONG LengthOf(const SECURITY_DESCRIPTOR_RELATIVE *Descriptor)
{
    const ACL *Dacl = (const ACL *)((const UCHAR *)Descriptor + Descriptor->Dacl);

    return (Descriptor->Control & SE_DACL_PRESENT) != 0 && Descriptor->Dacl != 0 ? Descriptor->Dacl + Dacl->AclSize
                                                                                 : (ULONG)sizeof(*Descriptor);
}

/* STATUS_NOT_SUPPORTED where the store keeps none, STATUS_INVALID_DEVICE_REQUEST for a volume open. */
static NTSTATUS CheckOpen(PVCB Vcb, PFILE_OBJECT FileObject, PFCB *Fcb)
{
    *Fcb = ((PCCB)FileObject->FsContext2)->Fcb;
    if (*Fcb == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Vcb->Device.FileSystem->Operations->SecurityOf == NULL) {
        return STATUS_NOT_SUPPORTED;
    }
    return Vcb->Dismounted ? STATUS_VOLUME_DISMOUNTED : STATUS_SUCCESS;
}

/* A file that was given none has an empty one. STATUS_BUFFER_OVERFLOW tells the length. Takes VCB.Resource shared. */
NTSTATUS FsdQuerySecurity(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    const SECURITY_DESCRIPTOR_RELATIVE None = {.Revision = SECURITY_DESCRIPTOR_REVISION, .Control = SE_SELF_RELATIVE};
    const SECURITY_DESCRIPTOR_RELATIVE *Descriptor = &None;
    PFCB Fcb;
    NTSTATUS Status;

    (VOID) ExAcquireResourceSharedLite(&Vcb->Resource, TRUE);
    Status = CheckOpen(Vcb, IrpSp->FileObject, &Fcb);
    if (NT_SUCCESS(Status)) {
        PVOID *Place = Vcb->Device.FileSystem->Operations->SecurityOf(Fcb->Node);

        if (*Place != NULL) {
            Descriptor = *Place;
        }
        Irp->IoStatus.Information = LengthOf(Descriptor);
        if (IrpSp->Parameters.QuerySecurity.Length < LengthOf(Descriptor)) {
            Status = STATUS_BUFFER_OVERFLOW;
        } else {
            RtlCopyMemory(Irp->UserBuffer, Descriptor, LengthOf(Descriptor));
        }
    }
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}

/* Takes VCB.Resource exclusively. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS FsdSetSecurity(PVCB Vcb, PIRP Irp, PIO_STACK_LOCATION IrpSp)
{
    const SECURITY_DESCRIPTOR_RELATIVE *Descriptor = IrpSp->Parameters.SetSecurity.SecurityDescriptor;
    const ULONG Tag = Vcb->Device.FileSystem->Tag;
    PFCB Fcb;
    PVOID Copy;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Irp);
    (VOID) ExAcquireResourceExclusiveLite(&Vcb->Resource, TRUE);
    Status = CheckOpen(Vcb, IrpSp->FileObject, &Fcb);
    if (NT_SUCCESS(Status)) {
        Copy = ExAllocatePoolWithTag(PagedPool, LengthOf(Descriptor), Tag);
        if (Copy == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else {
            PVOID *Place = Vcb->Device.FileSystem->Operations->SecurityOf(Fcb->Node);

            RtlCopyMemory(Copy, Descriptor, LengthOf(Descriptor));
            if (*Place != NULL) {
                ExFreePoolWithTag(*Place, Tag);
            }
            *Place = Copy;
        }
    }
    ExReleaseResourceLite(&Vcb->Resource);
    return Status;
}
