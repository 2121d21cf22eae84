/*
 * Whether a file system tears its streams' contexts down, which is the one thing that tells a filter of a stream's end.
 *
 * A file system that never calls FsRtlTeardownPerStreamContexts frees a stream's header with every filter's contexts still on its
 * list. There are such file systems, and one that does not import the routine is one of them.
 */
#include "filter.h"

/* Of a PE image: where its headers say what. [debug/pe-format] */
#define PSCTX_HEADER_SIZE 0x1000u /* the page that is always there */
#define PSCTX_DOS_MAGIC 0x5A4Du
#define PSCTX_DOS_NEW_HEADER 0x3Cu
#define PSCTX_NT_SIGNATURE 0x00004550u
#define PSCTX_NT_OPTIONAL_HEADER 0x18u
#define PSCTX_DIRECTORY_IAT 12u
#define PSCTX_DIRECTORY_SIZE 8u
#define PSCTX_OPTIONAL_MAGIC (sizeof(ULONG_PTR) == 8 ? 0x20Bu : 0x10Bu)
#define PSCTX_OPTIONAL_DIRECTORIES (sizeof(ULONG_PTR) == 8 ? 112u : 96u)
#define PSCTX_NT_LENGTH \
    (PSCTX_NT_OPTIONAL_HEADER + PSCTX_OPTIONAL_DIRECTORIES + (PSCTX_DIRECTORY_IAT + 1u) * PSCTX_DIRECTORY_SIZE)

PSCTX_PAGE static ULONG PsctxReadHeader(_In_ const UCHAR *Image, _In_ ULONG Offset, _In_ ULONG Length)
{
    ULONG value = 0;

    PAGED_CODE();

    RtlCopyMemory(&value, Image + Offset, Length);
    return value;
}

/*
 * The addresses that a loaded driver's image imports, or NULL if the image does not say.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE
    static const ULONG_PTR *PsctxFindImports(_In_ PDRIVER_OBJECT DriverObject, _Out_ PULONG Count)
{
    const UCHAR *image = DriverObject->DriverStart;
    const ULONG size = DriverObject->DriverSize;
    ULONG header;
    ULONG directory;
    ULONG offset;
    ULONG length;

    PAGED_CODE();

    *Count = 0;
    if (image == NULL || size < PSCTX_HEADER_SIZE || PsctxReadHeader(image, 0, sizeof(USHORT)) != PSCTX_DOS_MAGIC) {
        return NULL;
    }
    header = PsctxReadHeader(image, PSCTX_DOS_NEW_HEADER, sizeof(ULONG));
    if (header > PSCTX_HEADER_SIZE - PSCTX_NT_LENGTH ||
        PsctxReadHeader(image, header, sizeof(ULONG)) != PSCTX_NT_SIGNATURE ||
        PsctxReadHeader(image, header + PSCTX_NT_OPTIONAL_HEADER, sizeof(USHORT)) != PSCTX_OPTIONAL_MAGIC) {
        return NULL;
    }
    directory = header + PSCTX_NT_OPTIONAL_HEADER + PSCTX_OPTIONAL_DIRECTORIES;
    if (PsctxReadHeader(image, directory - (ULONG)sizeof(ULONG), sizeof(ULONG)) <= PSCTX_DIRECTORY_IAT) {
        return NULL;
    }
    directory += PSCTX_DIRECTORY_IAT * PSCTX_DIRECTORY_SIZE;
    offset = PsctxReadHeader(image, directory, sizeof(ULONG));
    length = PsctxReadHeader(image, directory + (ULONG)sizeof(ULONG), sizeof(ULONG));
    if (offset == 0 || offset % sizeof(ULONG_PTR) != 0 || offset > size || length > size - offset) {
        return NULL;
    }
    *Count = length / (ULONG)sizeof(ULONG_PTR);
    return (const ULONG_PTR *)(const VOID *)(image + offset);
}

/*
 * Whether a file system's driver can tear contexts down. TRUE when its image does not say. A redirector is taken at its word: what
 * it is built on, a driver of its own, does it.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxCanTearDown(PDEVICE_OBJECT Device)
{
    const ULONG_PTR *imports;
    UNICODE_STRING name;
    ULONG_PTR routine;
    ULONG count;
    ULONG index;

    PAGED_CODE();

    if (Device->DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM && Device->DeviceType != FILE_DEVICE_CD_ROM_FILE_SYSTEM) {
        return TRUE;
    }
    RtlInitUnicodeString(&name, L"FsRtlTeardownPerStreamContexts");
    routine = (ULONG_PTR)MmGetSystemRoutineAddress(&name);
    imports = PsctxFindImports(Device->DriverObject, &count);
    if (routine == 0 || count == 0) {
        return TRUE;
    }
    for (index = 0; index < count; index += 1) {
        if (imports[index] == routine) {
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * The same of the file system that serves a file: as it was found when its volume was attached to, or else found now.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxIsTornDown(PDEVICE_OBJECT BaseDevice)
{
    PDEVICE_OBJECT above;

    PAGED_CODE();

    for (above = BaseDevice->AttachedDevice; above != NULL; above = above->AttachedDevice) {
        if (above->DriverObject == PsctxGlobals.DriverObject) {
            return ((PPSCTX_FILTER_EXTENSION)above->DeviceExtension)->TearsDown;
        }
    }
    return PsctxCanTearDown(BaseDevice);
}
