/*
 * The images that are loaded in the kernel, and which of them an address lies in.
 *
 * ZwQuerySystemInformation is exported by every kernel but declared to drivers by none of their headers: it is found by
 * name, and its answer read as it has been laid out since Windows NT 4.0.
 */
#include "kernel/kernel.h"

#define PSCTX_SYSTEM_MODULE_INFORMATION 11u
#define PSCTX_FIRST_MODULES_SIZE (64u << 10)
#define PSCTX_MAXIMUM_MODULES_SIZE (8u << 20)
#define PSCTX_SPARE_MODULES_SIZE (8u << 10) /* for what is loaded between two questions */
#define PSCTX_MODULE_ATTEMPTS 4u
#define PSCTX_MODULE_PATH_LENGTH 256u

typedef struct _PSCTX_MODULE {
    PVOID Section;
    PVOID MappedBase;
    PVOID ImageBase;
    ULONG ImageSize;
    ULONG Flags;
    USHORT LoadOrderIndex;
    USHORT InitOrderIndex;
    USHORT LoadCount;
    USHORT FileNameOffset; /* in Path */
    UCHAR Path[PSCTX_MODULE_PATH_LENGTH];
} PSCTX_MODULE, *PPSCTX_MODULE;

typedef struct _PSCTX_MODULE_LIST {
    ULONG Count;
    PSCTX_MODULE Modules[1];
} PSCTX_MODULE_LIST, *PPSCTX_MODULE_LIST;

typedef NTSTATUS(NTAPI *PPSCTX_QUERY_SYSTEM_INFORMATION)(_In_ ULONG InformationClass,
                                                         _Out_writes_bytes_(Length) PVOID Information,
                                                         _In_ ULONG Length, _Out_opt_ PULONG ReturnLength);

static PPSCTX_QUERY_SYSTEM_INFORMATION PsctxZwQuerySystemInformation;

PSCTX_INIT _Use_decl_annotations_ VOID PsctxStartModules(VOID)
{
    PAGED_CODE();

    PsctxZwQuerySystemInformation = (PPSCTX_QUERY_SYSTEM_INFORMATION)PsctxFindRoutine(L"ZwQuerySystemInformation");
}

/*
 * What the kernel tells of itself. STATUS_NOT_SUPPORTED where it cannot be asked; else its own statuses.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQuerySystemInformation(ULONG InformationClass, PVOID Information,
                                                                       ULONG Length, PULONG ReturnLength)
{
    PAGED_CODE();

    *ReturnLength = 0;
    return PsctxZwQuerySystemInformation == NULL
               ? STATUS_NOT_SUPPORTED
               : PsctxZwQuerySystemInformation(InformationClass, Information, Length, ReturnLength);
}

static const PSCTX_MODULE *PsctxGetModule(_In_ const PSCTX_MODULES *Modules, _In_ ULONG Index)
{
    return &((const PSCTX_MODULE_LIST *)Modules->Information)->Modules[Index];
}

/*
 * Asks once, with room for Size bytes. STATUS_INFO_LENGTH_MISMATCH, with what it takes in Needed, when that is not
 * enough; STATUS_INSUFFICIENT_RESOURCES.
 */
_IRQL_requires_(PASSIVE_LEVEL) PSCTX_PAGE static NTSTATUS
    PsctxTryToQueryModules(_In_ ULONG Size, _Out_ PPSCTX_MODULES Modules, _Out_ PULONG Needed)
{
    PPSCTX_MODULE_LIST list = PsctxAllocate(PagedPool, Size);
    ULONG room;
    NTSTATUS status;

    PAGED_CODE();

    if (list == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = PsctxQuerySystemInformation(PSCTX_SYSTEM_MODULE_INFORMATION, list, Size, Needed);
    if (!NT_SUCCESS(status)) {
        PsctxFree(list);
        return status;
    }
    room = (Size - (ULONG)FIELD_OFFSET(PSCTX_MODULE_LIST, Modules)) / (ULONG)sizeof(PSCTX_MODULE);
    Modules->Information = list;
    Modules->Count = min(list->Count, room);
    return STATUS_SUCCESS;
}

/*
 * Lists the images that are loaded now; PsctxFreeModules frees the list, which is empty where the kernel does not tell.
 * STATUS_INSUFFICIENT_RESOURCES.
 */
PSCTX_PAGE _Use_decl_annotations_ NTSTATUS PsctxQueryModules(PPSCTX_MODULES Modules)
{
    NTSTATUS status = STATUS_INFO_LENGTH_MISMATCH;
    ULONG size = PSCTX_FIRST_MODULES_SIZE;
    ULONG attempt;
    ULONG needed;

    PAGED_CODE();

    RtlZeroMemory(Modules, sizeof(*Modules));
    if (PsctxZwQuerySystemInformation == NULL) {
        return STATUS_SUCCESS;
    }
    for (attempt = 0; attempt < PSCTX_MODULE_ATTEMPTS && status == STATUS_INFO_LENGTH_MISMATCH; attempt += 1) {
        status = PsctxTryToQueryModules(size, Modules, &needed);
        if (status == STATUS_INFO_LENGTH_MISMATCH) {
            size = min(max(needed, size) + PSCTX_SPARE_MODULES_SIZE, PSCTX_MAXIMUM_MODULES_SIZE);
        }
    }
    return status == STATUS_INSUFFICIENT_RESOURCES ? status : STATUS_SUCCESS;
}

PSCTX_PAGE _Use_decl_annotations_ VOID PsctxFreeModules(const PSCTX_MODULES *Modules)
{
    PAGED_CODE();

    PsctxFree(Modules->Information);
}

/*
 * The image that an address lies in, and where in it. FALSE if in none.
 */
PSCTX_PAGE _Use_decl_annotations_ BOOLEAN PsctxFindModule(const PSCTX_MODULES *Modules, ULONG_PTR Address, PULONG Index,
                                                          PULONG64 Offset)
{
    ULONG index;

    PAGED_CODE();

    for (index = 0; index < Modules->Count; index += 1) {
        const PSCTX_MODULE *module = PsctxGetModule(Modules, index);

        if (Address - (ULONG_PTR)module->ImageBase < module->ImageSize) {
            *Index = index;
            *Offset = Address - (ULONG_PTR)module->ImageBase;
            return TRUE;
        }
    }
    return FALSE;
}

/*
 * Writes the file name of an image, without its directory, as far as it fits. Returns its length in bytes, all of it;
 * zero for a name that the kernel's own code page cannot tell. [ntifs/nf-ntifs-rtlmultibytetounicoden]
 */
PSCTX_PAGE _Use_decl_annotations_ ULONG PsctxGetModuleName(const PSCTX_MODULES *Modules, ULONG Index, PWCH Name,
                                                           ULONG Capacity)
{
    const PSCTX_MODULE *module = PsctxGetModule(Modules, Index);
    WCHAR name[PSCTX_MODULE_PATH_LENGTH / 2];
    ULONG end = module->FileNameOffset;
    ULONG length = 0;

    PAGED_CODE();

    while (end < PSCTX_MODULE_PATH_LENGTH && module->Path[end] != 0) {
        end += 1;
    }
    if (end <= module->FileNameOffset ||
        !NT_SUCCESS(RtlMultiByteToUnicodeN(name, sizeof(name), &length,
                                           (PCHAR)(ULONG_PTR)&module->Path[module->FileNameOffset],
                                           end - module->FileNameOffset))) {
        return 0;
    }
    if (Name != NULL && length <= Capacity) {
        RtlCopyMemory(Name, name, length);
    }
    return length;
}
