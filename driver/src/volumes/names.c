/*
 * What objects of the kernel are called.
 */
#include "volumes/volumes.h"

#define PSCTX_USUAL_NAME_SIZE 512u
#define PSCTX_MAXIMUM_NAME_SIZE \
    ((ULONG)sizeof(OBJECT_NAME_INFORMATION) + PSCTX_MAXIMUM_NAME_LENGTH + (ULONG)sizeof(WCHAR))

/*
 * Asks for an object's name with room for Size bytes of it and its record. The caller gives Name to PsctxFree.
 */
PSCTX_PAGE static NTSTATUS PsctxTryToQueryObjectName(_In_ PVOID Object, _In_ ULONG Size,
                                                     _Outptr_ POBJECT_NAME_INFORMATION *Name)
{
    POBJECT_NAME_INFORMATION name;
    ULONG length;
    NTSTATUS status;

    PAGED_CODE();

    name = PsctxAllocate(PagedPool, Size);
    if (name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ObQueryNameString(Object, name, Size, &length);
    if (!NT_SUCCESS(status)) {
        PsctxFree(name);
        return status;
    }
    *Name = name;
    return STATUS_SUCCESS;
}

/*
 * The full name of a device, a driver or a file, as \Device\HarddiskVolume1\directory\file:stream, in memory that the caller gives
 * to PsctxFree. FileObject->FileName is only valid during create, so that the file system is asked. Where it cannot tell, and where
 * an object has none, the name is empty: a context is worth having without. STATUS_INSUFFICIENT_RESOURCES is the only failure.
 * [ntifs/nf-ntifs-obquerynamestring]
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryObjectName(PVOID Object, POBJECT_NAME_INFORMATION *Name)
{
    NTSTATUS status;

    PAGED_CODE();

    status = PsctxTryToQueryObjectName(Object, PSCTX_USUAL_NAME_SIZE, Name);
    if (status == STATUS_INFO_LENGTH_MISMATCH || status == STATUS_BUFFER_OVERFLOW ||
        status == STATUS_BUFFER_TOO_SMALL) {
        status = PsctxTryToQueryObjectName(Object, PSCTX_MAXIMUM_NAME_SIZE, Name);
    }
    if (!NT_SUCCESS(status) && status != STATUS_INSUFFICIENT_RESOURCES) {
        *Name = PsctxAllocate(PagedPool, sizeof(**Name));
        status = *Name == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
    }
    if (NT_SUCCESS(status) && (*Name)->Name.Buffer == NULL) {
        (*Name)->Name.Buffer =
            (PWCH)(*Name + 1); /* an empty name is somewhere: none of its bytes are copied from there */
    }
    return status;
}

/*
 * Whether a driver object has this name, without regard to case. A name too long for the buffer is another one.
 * [ntifs/nf-ntifs-obquerynamestring]
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsDriverNamed(PDRIVER_OBJECT DriverObject, PCWSTR Name)
{
    union {
        OBJECT_NAME_INFORMATION Information;
        UCHAR Bytes[sizeof(OBJECT_NAME_INFORMATION) + 32 * sizeof(WCHAR)];
    } object;
    UNICODE_STRING name;
    ULONG length;
    NTSTATUS status;

    PAGED_CODE();

    RtlInitUnicodeString(&name, Name);
    status = ObQueryNameString(DriverObject, &object.Information, sizeof(object), &length);
    return NT_SUCCESS(status) && RtlEqualUnicodeString(&object.Information.Name, &name, TRUE);
}
