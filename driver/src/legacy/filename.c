/*
 * The names of opened files, as the file system tells them.
 */
#include "legacy/filter.h"

#define PSCTX_FILE_NAME_OFFSET ((ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName))
#define PSCTX_USUAL_FILE_NAME_SIZE 1024u
#define PSCTX_MAXIMUM_FILE_NAME_SIZE (PSCTX_FILE_NAME_OFFSET + PSCTX_MAXIMUM_NAME_LENGTH)

static BOOLEAN PsctxKnowsNormalizedNames;

/*
 * Finds out what this kernel's file systems can be asked. Called once, before the first create.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartNames(VOID)
{
    PAGED_CODE();

    PsctxKnowsNormalizedNames =
        PsctxIsWindows(PSCTX_WINDOWS_8); /* whose NTFS is the first to know FileNormalizedNameInformation */
}

/*
 * Asks the device below for an open file's name. STATUS_SUCCESS and a name, whole, that begins at the volume's root; else the
 * file system's status, STATUS_OBJECT_NAME_INVALID for another name, STATUS_INSUFFICIENT_RESOURCES.
 * [ifs/irp-mj-query-information, wdm/nf-wdm-ioallocateirp]
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxAskForName(_In_ PDEVICE_OBJECT LowerDevice, _In_ PFILE_OBJECT FileObject, _In_ FILE_INFORMATION_CLASS Class,
                    _Out_writes_bytes_(Size) PFILE_NAME_INFORMATION Name, _In_ ULONG Size)
{
    PIO_STACK_LOCATION location;
    ULONG_PTR returned;
    NTSTATUS status;
    PIRP irp;

    PAGED_CODE();

    irp = IoAllocateIrp(LowerDevice->StackSize, FALSE);
    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    irp->Flags = IRP_SYNCHRONOUS_API;
    irp->RequestorMode = KernelMode;
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    irp->Tail.Overlay.OriginalFileObject = FileObject;
    irp->AssociatedIrp.SystemBuffer = Name;
    location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction = IRP_MJ_QUERY_INFORMATION;
    location->FileObject = FileObject;
    location->Parameters.QueryFile.Length = Size;
    location->Parameters.QueryFile.FileInformationClass = Class;
    status = PsctxSendAndWait(LowerDevice, irp, TRUE);
    returned = irp->IoStatus.Information;
    IoFreeIrp(irp);

    if (NT_SUCCESS(status) &&
        (returned < PSCTX_FILE_NAME_OFFSET + sizeof(WCHAR) || returned > Size ||
         Name->FileNameLength > returned - PSCTX_FILE_NAME_OFFSET || Name->FileNameLength < sizeof(WCHAR) ||
         Name->FileNameLength % sizeof(WCHAR) != 0 || Name->FileName[0] != L'\\')) {
        status = STATUS_OBJECT_NAME_INVALID;
    }
    return status;
}

/*
 * The same with a buffer of this size, like the I/O manager's own: nonpaged. The caller gives it to PsctxFree. A name is asked for as
 * the directories have it, where that is understood, else as the file system keeps it for the open.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxTryToQueryName(_In_ PDEVICE_OBJECT LowerDevice, _In_ PFILE_OBJECT FileObject, _In_ BOOLEAN Normalized,
                        _In_ ULONG Size, _Outptr_result_maybenull_ PFILE_NAME_INFORMATION *Name)
{
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    PFILE_NAME_INFORMATION name;

    PAGED_CODE();

    name = PsctxAllocate(NonPagedPool, Size);
    if (name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Normalized) {
        status = PsctxAskForName(LowerDevice, FileObject, FileNormalizedNameInformation, name, Size);
    }
    if (!NT_SUCCESS(status) && status != STATUS_BUFFER_OVERFLOW) {
        status = PsctxAskForName(LowerDevice, FileObject, FileNameInformation, name, Size);
    }
    if (!NT_SUCCESS(status)) {
        PsctxFree(name);
        return status;
    }
    *Name = name;
    return STATUS_SUCCESS;
}

/*
 * The name of a file that has been opened and is not closed: as the directories have it where the file system tells, from the volume's
 * root (from the server, a redirector's), with ":stream" behind it if that is a named one. Memory holds it, and is for PsctxFree.
 *
 * Asked for after the create has succeeded, before it is completed, in its thread: nothing that the file system could wait for is held. A
 * create from inside a file system, which the top-level IRP tells, may come with that one's locks held; nothing is asked then:
 * STATUS_INVALID_DEVICE_STATE. A redirector might ask its server for the normalised name, and answers without one. Else the statuses of
 * PsctxAskForName. [ifs/irp-mj-query-information, wdm/nf-wdm-iogettoplevelirp]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryFileName(PDEVICE_OBJECT LowerDevice, PFILE_OBJECT FileObject,
                                                              BOOLEAN Redirector, PVOID *Memory, PUNICODE_STRING Name)
{
    const BOOLEAN normalized = PsctxKnowsNormalizedNames && !Redirector;
    PFILE_NAME_INFORMATION information;
    NTSTATUS status;

    PAGED_CODE();

    if (IoGetTopLevelIrp() != NULL) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    status = PsctxTryToQueryName(LowerDevice, FileObject, normalized, PSCTX_USUAL_FILE_NAME_SIZE, &information);
    if (status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL ||
        status == STATUS_INFO_LENGTH_MISMATCH) {
        status = PsctxTryToQueryName(LowerDevice, FileObject, normalized, PSCTX_MAXIMUM_FILE_NAME_SIZE, &information);
    }
    if (NT_SUCCESS(status)) {
        *Memory = information;
        Name->Buffer = information->FileName;
        Name->Length = (USHORT)information->FileNameLength;
        Name->MaximumLength = Name->Length;
        PsctxTrimName(Redirector, Name);
    }
    return status;
}
