/*
 * Whether a file system tears its streams' contexts down, which is the one thing that tells a filter of a stream's end.
 *
 * A file system that never calls FsRtlTeardownPerStreamContexts frees a stream's header with every filter's contexts still on its
 * list. There are such file systems, and one that does not import the routine is one of them, unless what it is built on calls it.
 */
#include "volumes/volumes.h"

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

#define PSCTX_MODULE_NAME_LENGTH 32u /* in characters; the one that is looked for is shorter */

/*
 * The drivers of the file systems that are known: each the address of its driver object, and in its lowest bit what was found. Read
 * without the lock, a word at a time: whoever asks keeps a file of that driver, so that its address means no other meanwhile.
 * Changed under the lock; each driver is referenced, which keeps its image, too. One driver may register several control devices.
 */
#define PSCTX_MAXIMUM_MET 32u
#define PSCTX_MET_TEARS_DOWN ((ULONG_PTR)1)

static FAST_MUTEX PsctxMetLock;
static PVOID volatile PsctxMet[PSCTX_MAXIMUM_MET];
_Guarded_by_(PsctxMetLock) static ULONG PsctxMetCounts[PSCTX_MAXIMUM_MET]; /* how many times each was met */

static ULONG_PTR PsctxTeardownRoutine; /* the kernel's, or zero */

PSCTX_PAGE static PDRIVER_OBJECT PsctxMetDriver(_In_opt_ PVOID Met)
{
    PAGED_CODE();

    return (PDRIVER_OBJECT)((ULONG_PTR)Met & ~PSCTX_MET_TEARS_DOWN);
}

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
 * Whether a driver, whose image stays loaded meanwhile, can tear contexts down. TRUE when its image does not say.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxImportsTeardown(_In_ PDRIVER_OBJECT DriverObject)
{
    const ULONG_PTR *imports;
    ULONG count;
    ULONG index;

    PAGED_CODE();

    imports = PsctxFindImports(DriverObject, &count);
    if (PsctxTeardownRoutine == 0 || count == 0) {
        return TRUE;
    }
    for (index = 0; index < count; index += 1) {
        if (imports[index] == PsctxTeardownRoutine) {
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * What the driver of a file system's device, which the caller keeps, tells by itself. The multiple UNC provider's device stands for the
 * redirectors below it, whose streams' headers are their own, and which are not known here.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxLookAtFileSystem(_In_ PDEVICE_OBJECT Device)
{
    PAGED_CODE();

    return PsctxImportsTeardown(Device->DriverObject) ||
           (Device->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM &&
            PsctxIsDriverNamed(Device->DriverObject, L"\\FileSystem\\Mup"));
}

/*
 * The number of the image of this name; Modules->Count if none is loaded.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static ULONG
    PsctxFindModuleNamed(_In_ const PSCTX_MODULES *Modules, _In_ PCUNICODE_STRING Name)
{
    WCHAR buffer[PSCTX_MODULE_NAME_LENGTH];
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Modules->Count; index += 1) {
        const USHORT length = (USHORT)PsctxGetModuleName(Modules, index, buffer, sizeof(buffer));
        const UNICODE_STRING name = {length, length, buffer};

        if (RtlEqualUnicodeString(&name, Name, TRUE)) { /* one that the buffer does not hold is of another length */
            break;
        }
    }
    return index;
}

/*
 * Whether a redirector is built on the redirected drive buffering subsystem, which owns the headers of its streams and tears them down:
 * an address that it imports lies in that driver's image. FALSE, too, where there is no memory to look.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static BOOLEAN PsctxImportsBuffering(_In_ PDRIVER_OBJECT DriverObject)
{
    const ULONG_PTR *imports;
    UNICODE_STRING name;
    PSCTX_MODULES modules;
    BOOLEAN found = FALSE;
    ULONG64 offset;
    ULONG buffering;
    ULONG module;
    ULONG count;
    ULONG index;

    PAGED_CODE();

    if (!NT_SUCCESS(PsctxQueryModules(&modules))) {
        return FALSE;
    }
    RtlInitUnicodeString(&name, L"rdbss.sys");
    buffering = PsctxFindModuleNamed(&modules, &name);
    if (buffering != modules.Count) {
        imports = PsctxFindImports(DriverObject, &count);
        for (index = 0; index < count && !found; index += 1) {
            found = PsctxFindModule(&modules, imports[index], &module, &offset) && module == buffering;
        }
    }
    PsctxFreeModules(&modules);
    return found;
}

/*
 * Finds what file systems tear contexts down with. No file system is known yet: the image has been loaded, or PsctxStopTeardown been called.
 */
PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartTeardown(VOID)
{
    PAGED_CODE();

    PsctxTeardownRoutine = PsctxFindRoutine(L"FsRtlTeardownPerStreamContexts");
    ExInitializeFastMutex(&PsctxMetLock);
}

/*
 * Forgets every file system that is known still. No other thread looks any more.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxStopTeardown(VOID)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < PSCTX_MAXIMUM_MET; index += 1) {
        if (PsctxMetCounts[index] != 0) {
            ObDereferenceObject(PsctxMetDriver(PsctxMet[index]));
            PsctxMetCounts[index] = 0;
            PsctxMet[index] = NULL;
        }
    }
}

/*
 * The entry that a driver has, or a free one for NULL; PSCTX_MAXIMUM_MET if there is none. Without the lock, the answer for a driver
 * that the caller keeps is right at some moment during the call.
 */
PSCTX_PAGE static ULONG PsctxFindMet(_In_opt_ PDRIVER_OBJECT DriverObject)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < PSCTX_MAXIMUM_MET; index += 1) {
        if (PsctxMetDriver(ReadPointerAcquire(&PsctxMet[index])) == DriverObject) {
            break;
        }
    }
    return index;
}

/*
 * Keeps what the file system of a control device, which the caller keeps, is able to do, until it is forgotten as many times as it is
 * met. One for which there is no room is looked at each time that somebody wants to know.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxMeetFileSystem(PDEVICE_OBJECT ControlDevice)
{
    const PDRIVER_OBJECT driver = ControlDevice->DriverObject;
    BOOLEAN tearsDown;
    ULONG index;

    PAGED_CODE();

    tearsDown = PsctxLookAtFileSystem(ControlDevice) ||
                (ControlDevice->DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM && PsctxImportsBuffering(driver));

    ExAcquireFastMutex(&PsctxMetLock);
    index = PsctxFindMet(driver);
    if (index == PSCTX_MAXIMUM_MET) {
        index = PsctxFindMet(NULL);
    }
    if (index != PSCTX_MAXIMUM_MET) {
        if (PsctxMetCounts[index] == 0) {
            ObReferenceObject(driver);
            InterlockedExchangePointer(&PsctxMet[index],
                                       (PVOID)((ULONG_PTR)driver | (tearsDown ? PSCTX_MET_TEARS_DOWN : 0)));
        }
        PsctxMetCounts[index] += 1;
    }
    ExReleaseFastMutex(&PsctxMetLock);
}

/*
 * The file system of a control device, which the caller keeps, is going. One that was not met is none to forget.
 */
PSCTX_PAGE _Use_decl_annotations_ VOID PsctxForgetFileSystem(PDEVICE_OBJECT ControlDevice)
{
    const PDRIVER_OBJECT driver = ControlDevice->DriverObject;
    BOOLEAN forgotten = FALSE;
    ULONG index;

    PAGED_CODE();

    ExAcquireFastMutex(&PsctxMetLock);
    index = PsctxFindMet(driver);
    if (index != PSCTX_MAXIMUM_MET) {
        PsctxMetCounts[index] -= 1;
        if (PsctxMetCounts[index] == 0) {
            InterlockedExchangePointer(&PsctxMet[index], NULL);
            forgotten = TRUE;
        }
    }
    ExReleaseFastMutex(&PsctxMetLock);
    if (forgotten) {
        ObDereferenceObject(driver);
    }
}

/*
 * Whether the file system whose own device this is, and which the caller keeps by a file or a reference, can tear contexts down.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxTearsDown(PDEVICE_OBJECT Device)
{
    const PDRIVER_OBJECT driver = Device->DriverObject;
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < PSCTX_MAXIMUM_MET; index += 1) {
        const PVOID met = ReadPointerAcquire(&PsctxMet[index]);

        if (PsctxMetDriver(met) == driver) {
            return FlagOn((ULONG_PTR)met, PSCTX_MET_TEARS_DOWN) != 0;
        }
    }
    return PsctxLookAtFileSystem(Device);
}
