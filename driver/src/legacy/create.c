/*
 * Creates, while somebody listens to what is opened.
 */
#include "legacy/filter.h"

/*
 * Whether a device of the filter is one that a redirector's files are opened through.
 */
static BOOLEAN PsctxIsRedirector(_In_ PDEVICE_OBJECT DeviceObject)
{
    return DeviceObject->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM;
}

/*
 * Whether a create may open a file stream: on a device where streams are opened; not the volume, which has no name; not a paging file,
 * whose stream takes no contexts; not the directory that a rename moves a file to, under the file's name.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN
    PsctxOpensStream(_In_ PDEVICE_OBJECT DeviceObject, _In_ const IO_STACK_LOCATION *Location)
{
    const PPSCTX_FILTER_EXTENSION extension = DeviceObject->DeviceExtension;
    const PFILE_OBJECT fileObject = Location->FileObject;

    PAGED_CODE();

    return (extension->Kind == PsctxVolumeFilter || PsctxIsRedirector(DeviceObject)) &&
           (fileObject->FileName.Length != 0 || fileObject->RelatedFileObject != NULL) &&
           !FlagOn(Location->Flags, SL_OPEN_PAGING_FILE | SL_OPEN_TARGET_DIRECTORY);
}

/*
 * A create has succeeded that somebody wants to know more of: the file system is asked for the file's name. The create has succeeded whatever
 * becomes of its tracking.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID
    PsctxTellOpen(_In_ PDEVICE_OBJECT DeviceObject, _In_ PFILE_OBJECT FileObject, _In_ const PSCTX_OPEN *Open)
{
    PSCTX_STREAM stream;
    UNICODE_STRING name;
    PVOID memory;
    ULONG support;
    NTSTATUS status;

    PAGED_CODE();

    support = PsctxExamineStream(FileObject, &stream);
    if (support == PSCTX_SUPPORT_NOT_A_FILE_SYSTEM || support == PSCTX_SUPPORT_VOLUME) {
        return;
    }
    status =
        PsctxQueryFileName(PsctxLowerDevice(DeviceObject), FileObject, PsctxIsRedirector(DeviceObject), &memory, &name);
    PsctxListening.Listener->OpenSucceeds(Open, support == PSCTX_SUPPORT_YES ? &stream : NULL,
                                          NT_SUCCESS(status) ? &name : NULL);
    if (NT_SUCCESS(status)) {
        PsctxFree(memory);
    }
}

/*
 * A create that is listened to. One that nobody wants to know more of is passed through; another is waited for, and its
 * stream gets its contexts before the opener has its handle. A reparse is a success without an open: the I/O manager
 * opens something else. The status is the file system's. Nothing is held meanwhile but references, and the filter's device, which may leave
 * its stack before the create comes back to it. [ifs/irp-mj-create]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxTrackCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    const PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(Irp);
    const PPSCTX_FILTER_EXTENSION extension = DeviceObject->DeviceExtension;
    PSCTX_OPEN open;
    NTSTATUS status;

    PAGED_CODE();

    open.VolumeDevice = extension->Target;
    if (!PsctxOpensStream(DeviceObject, location) ||
        !PsctxListening.Listener->OpenBegins(location->FileObject, location->Parameters.Create.Options,
                                             PsctxIsRedirector(DeviceObject), &open)) {
        return PsctxPassThrough(DeviceObject, Irp);
    }
    InterlockedIncrement(&extension->Creates);
    status = PsctxForwardAndWait(DeviceObject, Irp);
    if (NT_SUCCESS(status) && status != STATUS_REPARSE) {
        PsctxTellOpen(DeviceObject, location->FileObject, &open);
    }
    InterlockedDecrement(&extension->Creates);
    PsctxListening.Listener->OpenEnds(&open);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}
