/*
 * The devices in the stack that serves a stream, and whose address an OwnerId is.
 *
 * By convention an OwnerId is an address that its filter owns, mostly of its device or driver object. Which objects there are
 * in the whole kernel cannot be asked safely; those of this stream's stack can be referenced, and they are the filters that can
 * have seen the stream. [ntifs/nf-ntifs-fsrtlinitperstreamcontext]
 */
#include "inspection/inspection.h"

#define PSCTX_MAXIMUM_STACKED_DEVICES 64u
#define PSCTX_DRIVER_NAME_SIZE ((ULONG)sizeof(OBJECT_NAME_INFORMATION) + 260u * (ULONG)sizeof(WCHAR))

/*
 * References the devices from the top of the stack down to the file system's; PsctxDereferenceDeviceStack gives them back.
 * STATUS_INSUFFICIENT_RESOURCES. [ntifs/nf-ntifs-iogetlowerdeviceobject]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxReferenceDeviceStack(PFILE_OBJECT FileObject, PPSCTX_DEVICE_STACK Stack)
{
    PDEVICE_OBJECT device;

    PAGED_CODE();

    Stack->Count = 0;
    Stack->Devices = PsctxAllocate(PagedPool, PSCTX_MAXIMUM_STACKED_DEVICES * sizeof(PSCTX_STACKED_DEVICE));
    if (Stack->Devices == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    device = IoGetAttachedDeviceReference(IoGetBaseFileSystemDeviceObject(FileObject));
    while (device != NULL && Stack->Count < PSCTX_MAXIMUM_STACKED_DEVICES) {
        Stack->Devices[Stack->Count].Device = device;
        Stack->Count += 1;
        device = IoGetLowerDeviceObject(device);
    }
    if (device != NULL) {
        ObDereferenceObject(device);
    }
    return STATUS_SUCCESS;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxDereferenceDeviceStack(const PSCTX_DEVICE_STACK *Stack)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Stack->Count; index += 1) {
        PsctxFree(Stack->Devices[index].DriverName);
        ObDereferenceObject(Stack->Devices[index].Device);
    }
    PsctxFree(Stack->Devices);
}

/*
 * Learns the name of a device's driver, which stays empty where there is no memory for it, or none to tell.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static VOID PsctxNameDriver(_Inout_ PPSCTX_STACKED_DEVICE Stacked)
{
    ULONG length;

    PAGED_CODE();

    if (Stacked->DriverName != NULL) {
        return;
    }
    Stacked->DriverName = PsctxAllocate(PagedPool, PSCTX_DRIVER_NAME_SIZE);
    if (Stacked->DriverName != NULL && !NT_SUCCESS(ObQueryNameString(Stacked->Device->DriverObject, Stacked->DriverName,
                                                                     PSCTX_DRIVER_NAME_SIZE, &length))) {
        RtlZeroMemory(&Stacked->DriverName->Name, sizeof(Stacked->DriverName->Name));
    }
}

/*
 * What an OwnerId is, as PSCTX_OWNER_*, and the name of the driver, which is valid while the stack is referenced. An
 * address inside an object, such as of a device's extension, which follows the device, is the object's. OwnerId is compared alone.
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxFindOwnerOfId(const PSCTX_DEVICE_STACK *Stack, ULONG_PTR OwnerId,
                                                           PUNICODE_STRING Name)
{
    ULONG kind = PSCTX_OWNER_UNKNOWN;
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Stack->Count && kind == PSCTX_OWNER_UNKNOWN; index += 1) {
        const PPSCTX_STACKED_DEVICE stacked = &Stack->Devices[index];
        const PDRIVER_OBJECT driver = stacked->Device->DriverObject;

        if (OwnerId - (ULONG_PTR)stacked->Device < stacked->Device->Size) {
            kind = PSCTX_OWNER_DEVICE;
        } else if (OwnerId - (ULONG_PTR)driver < sizeof(*driver)) {
            kind = PSCTX_OWNER_DRIVER;
        }
        if (kind != PSCTX_OWNER_UNKNOWN) {
            PsctxNameDriver(stacked);
            if (stacked->DriverName != NULL) {
                *Name = stacked->DriverName->Name;
            }
        }
    }
    return kind;
}
