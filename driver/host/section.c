/* Sections of files: what keeps a stream in use after its last handle. They are not mapped here. */
#include "kernel.h"

#include "host.h"

typedef struct _HOST_SECTION {
    PFILE_OBJECT File; /* referenced */
} HOST_SECTION, *PHOST_SECTION;

static VOID HostDeleteSection(PVOID Object)
{
    HostDereferenceRaw(((PHOST_SECTION)Object)->File, "section");
}

static OBJECT_TYPE HostSectionType = {
    "Section", TRUE, FALSE, TRUE, 'tceS', {0x20005, 0x20002, 0x20008, SECTION_ALL_ACCESS}, NULL, HostDeleteSection};

/* The file system holds the file's size still while it is looked at. STATUS_MAPPED_FILE_SIZE_ZERO, STATUS_INVALID_FILE_FOR_SECTION. */
static NTSTATUS HostCheckMappable(PFILE_OBJECT File)
{
    PFSRTL_COMMON_FCB_HEADER Header;
    PERESOURCE Resource;
    NTSTATUS Status = HostAcquireFile(File, HostForSection, &Resource);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Header = File->FsContext;
    if (Header == NULL || Header->Resource == NULL || File->SectionObjectPointer == NULL) {
        Status = STATUS_INVALID_FILE_FOR_SECTION;
    } else if (Header->FileSize.QuadPart == 0) {
        Status = STATUS_MAPPED_FILE_SIZE_ZERO;
    }
    HostReleaseFile(File, HostForSection, Resource);
    return Status;
}

/*
 * A section of a file's whole length, to read: MaximumSize and a name are not supported. The section refers to the file object until its
 * last handle is closed. STATUS_ACCESS_DENIED through a handle that does not read. [ntifs/nf-ntifs-ntcreatesection]
 */
NTSTATUS NtCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection, ULONG AllocationAttributes,
                         HANDLE FileHandle)
{
    PHOST_SECTION Section = NULL;
    PFILE_OBJECT File = NULL;
    PETHREAD Thread;
    NTSTATUS Status = HostBeginService(&Thread);

    if (NT_SUCCESS(Status) && ((ObjectAttributes != NULL && ObjectAttributes->ObjectName != NULL) ||
                               MaximumSize != NULL || AllocationAttributes != SEC_COMMIT)) {
        Status = STATUS_NOT_SUPPORTED;
    }
    if (NT_SUCCESS(Status) && SectionPageProtection != PAGE_READONLY) {
        Status = STATUS_INVALID_PAGE_PROTECTION;
    }
    if (NT_SUCCESS(Status)) {
        Status = HostReferenceHandle(FileHandle, Thread->PreviousMode, &HostFileType, FILE_READ_DATA, (PVOID *)&File,
                                     NULL, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Status = HostCheckMappable(File);
    }
    if (NT_SUCCESS(Status)) {
        Status = HostCreateObject(&HostSectionType, sizeof(*Section), (PVOID *)&Section);
    }
    if (NT_SUCCESS(Status)) {
        Section->File = File;
        File = NULL;
        RtlMapGenericMask(&DesiredAccess, &HostSectionType.Mapping);
        *SectionHandle = HostCreateHandle(Section, DesiredAccess, 0);
        HostDereferenceRaw(Section, "NtCreateSection");
    }
    if (File != NULL) {
        HostDereferenceRaw(File, "NtCreateSection");
    }
    return HostEndService(Thread, Status);
}
