/* The file-system run-time library: stream headers, per-stream contexts, name expressions. */
#ifndef HOST_NT_FSRTL_H
#define HOST_NT_FSRTL_H

#include <nt_io.h>
#include <nt_rtl.h>

HOST_EXTERN_C_BEGIN

#define FSRTL_FCB_HEADER_V0 (0x00)
#define FSRTL_FCB_HEADER_V1 (0x01)
#define FSRTL_FCB_HEADER_V2 (0x02)
#define FSRTL_FCB_HEADER_V3 (0x03)
#define FSRTL_FCB_HEADER_V4 (0x04)
#define FSRTL_FCB_HEADER_V5 (0x05)

#define FSRTL_FLAG_FILE_MODIFIED (0x01)
#define FSRTL_FLAG_FILE_LENGTH_CHANGED (0x02)
#define FSRTL_FLAG_LIMIT_MODIFIED_PAGES (0x04)
#define FSRTL_FLAG_ACQUIRE_MAIN_RSRC_EX (0x08)
#define FSRTL_FLAG_ACQUIRE_MAIN_RSRC_SH (0x10)
#define FSRTL_FLAG_USER_MAPPED_FILE (0x20)
#define FSRTL_FLAG_ADVANCED_HEADER (0x40)
#define FSRTL_FLAG_EOF_ADVANCE_ACTIVE (0x80)

#define FSRTL_FLAG2_DO_MODIFIED_WRITE (0x01)
#define FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS (0x02)
#define FSRTL_FLAG2_PURGE_WHEN_MAPPED (0x04)
#define FSRTL_FLAG2_IS_PAGING_FILE (0x08)

typedef VOID FREE_FUNCTION(_In_ PVOID Buffer);
typedef FREE_FUNCTION *PFREE_FUNCTION;
typedef PVOID OPLOCK, *POPLOCK;

typedef struct _FSRTL_COMMON_FCB_HEADER {
    CSHORT NodeTypeCode;
    CSHORT NodeByteSize;
    UCHAR Flags;
    UCHAR IsFastIoPossible;
    UCHAR Flags2;
    UCHAR Reserved : 4;
    UCHAR Version : 4;
    PERESOURCE Resource;
    PERESOURCE PagingIoResource;
    LARGE_INTEGER AllocationSize;
    LARGE_INTEGER FileSize;
    LARGE_INTEGER ValidDataLength;
} FSRTL_COMMON_FCB_HEADER, *PFSRTL_COMMON_FCB_HEADER;

typedef struct _FSRTL_ADVANCED_FCB_HEADER {
    CSHORT NodeTypeCode;
    CSHORT NodeByteSize;
    UCHAR Flags;
    UCHAR IsFastIoPossible;
    UCHAR Flags2;
    UCHAR Reserved : 4;
    UCHAR Version : 4;
    PERESOURCE Resource;
    PERESOURCE PagingIoResource;
    LARGE_INTEGER AllocationSize;
    LARGE_INTEGER FileSize;
    LARGE_INTEGER ValidDataLength;
    PFAST_MUTEX FastMutex;
    LIST_ENTRY FilterContexts;
    EX_PUSH_LOCK PushLock;
    PVOID *FileContextSupportPointer;
    union {
        OPLOCK Oplock;
        PVOID ReservedForRemote;
    };
    PVOID AePushLock;
    ULONG BypassIoOpenCount;
    struct _FSRTL_PER_STREAM_CONTEXT *ReservedContext;
} FSRTL_ADVANCED_FCB_HEADER, *PFSRTL_ADVANCED_FCB_HEADER;

typedef struct _FSRTL_PER_STREAM_CONTEXT {
    LIST_ENTRY Links;
    PVOID OwnerId;
    PVOID InstanceId;
    PFREE_FUNCTION FreeCallback;
} FSRTL_PER_STREAM_CONTEXT, *PFSRTL_PER_STREAM_CONTEXT;

#define FsRtlInitPerStreamContext(Context, Owner, Instance, Callback) \
    ((Context)->OwnerId = (Owner), (Context)->InstanceId = (Instance), (Context)->FreeCallback = (Callback))
#define FsRtlGetPerStreamContextPointer(FileObject) ((PFSRTL_ADVANCED_FCB_HEADER)((FileObject)->FsContext))
#define FsRtlSupportsPerStreamContexts(FileObject) \
    (FsRtlGetPerStreamContextPointer(FileObject) != NULL && \
     (FsRtlGetPerStreamContextPointer(FileObject)->Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) != 0)

NTSTATUS FsRtlInsertPerStreamContext(_In_ PFSRTL_ADVANCED_FCB_HEADER AdvFcbHeader, _In_ PFSRTL_PER_STREAM_CONTEXT Ptr);
PFSRTL_PER_STREAM_CONTEXT FsRtlLookupPerStreamContextInternal(_In_ PFSRTL_ADVANCED_FCB_HEADER StreamContext,
                                                              _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId);
PFSRTL_PER_STREAM_CONTEXT FsRtlRemovePerStreamContext(_In_ PFSRTL_ADVANCED_FCB_HEADER StreamContext,
                                                      _In_opt_ PVOID OwnerId, _In_opt_ PVOID InstanceId);
VOID FsRtlTeardownPerStreamContexts(_In_ PFSRTL_ADVANCED_FCB_HEADER AdvancedHeader);

/* The unlocked glance at an empty list is part of the interface. */
FORCEINLINE PFSRTL_PER_STREAM_CONTEXT HostLookupPerStreamContext(PFSRTL_ADVANCED_FCB_HEADER StreamContext,
                                                                 PVOID OwnerId, PVOID InstanceId)
{
    if (StreamContext == NULL || (StreamContext->Flags2 & FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS) == 0 ||
        __atomic_load_n(&StreamContext->FilterContexts.Flink, __ATOMIC_RELAXED) == &StreamContext->FilterContexts) {
        return NULL;
    }
    return FsRtlLookupPerStreamContextInternal(StreamContext, OwnerId, InstanceId);
}
#define FsRtlLookupPerStreamContext(StreamContext, OwnerId, InstanceId) \
    HostLookupPerStreamContext((StreamContext), (OwnerId), (InstanceId))

/* The header's other members are the caller's; the version says how many of them are there. */
FORCEINLINE VOID FsRtlSetupAdvancedHeader(PVOID AdvancedHeader, PFAST_MUTEX FastMutex)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = (PFSRTL_ADVANCED_FCB_HEADER)AdvancedHeader;

    Header->Flags = (UCHAR)(Header->Flags | FSRTL_FLAG_ADVANCED_HEADER);
    Header->Flags2 = (UCHAR)(Header->Flags2 | FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS);
    Header->Version = FSRTL_FCB_HEADER_V5;
    InitializeListHead(&Header->FilterContexts);
    if (FastMutex != NULL) {
        Header->FastMutex = FastMutex;
    }
    Header->PushLock = 0;
    Header->FileContextSupportPointer = NULL;
    Header->Oplock = NULL;
    Header->AePushLock = NULL;
    Header->BypassIoOpenCount = 0;
    Header->ReservedContext = NULL;
}

#define FsRtlSetupAdvancedHeaderEx(AdvancedHeader, FastMutex, FileContext) \
    do { \
        FsRtlSetupAdvancedHeader((AdvancedHeader), (FastMutex)); \
        if ((FileContext) != NULL) { \
            (AdvancedHeader)->FileContextSupportPointer = (FileContext); \
        } \
    } while (0)

/* NULL when there is no memory. The lock's own routines are found by name. */
PVOID FsRtlAllocateAePushLock(_In_ POOL_TYPE PoolType, _In_ ULONG Tag);
VOID FsRtlFreeAePushLock(_In_ PVOID AePushLock);

#define FsRtlSetupAdvancedHeaderEx2(AdvancedHeader, FastMutex, FileContext, AutoExpandPushLock) \
    do { \
        FsRtlSetupAdvancedHeaderEx((AdvancedHeader), (FastMutex), (FileContext)); \
        if ((AutoExpandPushLock) != NULL) { \
            (AdvancedHeader)->AePushLock = (AutoExpandPushLock); \
        } \
    } while (0)

#define FsRtlEnterFileSystem() KeEnterCriticalRegion()
#define FsRtlExitFileSystem() KeLeaveCriticalRegion()

BOOLEAN FsRtlDoesNameContainWildCards(_In_ PUNICODE_STRING Name);
/* Expression is upcased already when IgnoreCase is TRUE and UpcaseTable is NULL. */
BOOLEAN FsRtlIsNameInExpression(_In_ PUNICODE_STRING Expression, _In_ PUNICODE_STRING Name, _In_ BOOLEAN IgnoreCase,
                                _In_opt_ PWCH UpcaseTable);

/* What a file system, or a filter, registers to be told when the kernel acquires and releases a file. */
typedef enum _FS_FILTER_SECTION_SYNC_TYPE { SyncTypeOther = 0, SyncTypeCreateSection } FS_FILTER_SECTION_SYNC_TYPE;

typedef union _FS_FILTER_PARAMETERS {
    struct {
        PLARGE_INTEGER EndingOffset;
        struct _ERESOURCE **ResourceToRelease;
    } AcquireForModifiedPageWriter;
    struct {
        struct _ERESOURCE *ResourceToRelease;
    } ReleaseForModifiedPageWriter;
    struct {
        FS_FILTER_SECTION_SYNC_TYPE SyncType;
        ULONG PageProtection;
        PVOID OutputInformation;
        ULONG Flags;
        ULONG AllocationAttributes;
    } AcquireForSectionSynchronization;
    struct {
        PVOID Argument1;
        PVOID Argument2;
        PVOID Argument3;
        PVOID Argument4;
        PVOID Argument5;
    } Others;
} FS_FILTER_PARAMETERS, *PFS_FILTER_PARAMETERS;

#define FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION ((UCHAR) - 1)
#define FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION ((UCHAR) - 2)
#define FS_FILTER_ACQUIRE_FOR_MOD_WRITE ((UCHAR) - 3)
#define FS_FILTER_RELEASE_FOR_MOD_WRITE ((UCHAR) - 4)
#define FS_FILTER_ACQUIRE_FOR_CC_FLUSH ((UCHAR) - 5)
#define FS_FILTER_RELEASE_FOR_CC_FLUSH ((UCHAR) - 6)

typedef struct _FS_FILTER_CALLBACK_DATA {
    ULONG SizeOfFsFilterCallbackData;
    UCHAR Operation;
    UCHAR Reserved;
    struct _DEVICE_OBJECT *DeviceObject;
    struct _FILE_OBJECT *FileObject;
    FS_FILTER_PARAMETERS Parameters;
} FS_FILTER_CALLBACK_DATA, *PFS_FILTER_CALLBACK_DATA;

typedef NTSTATUS (*PFS_FILTER_CALLBACK)(_In_ PFS_FILTER_CALLBACK_DATA Data, _Out_ PVOID *CompletionContext);
typedef VOID (*PFS_FILTER_COMPLETION_CALLBACK)(_In_ PFS_FILTER_CALLBACK_DATA Data, _In_ NTSTATUS OperationStatus,
                                               _In_ PVOID CompletionContext);

typedef struct _FS_FILTER_CALLBACKS {
    ULONG SizeOfFsFilterCallbacks;
    ULONG Reserved;
    PFS_FILTER_CALLBACK PreAcquireForSectionSynchronization;
    PFS_FILTER_COMPLETION_CALLBACK PostAcquireForSectionSynchronization;
    PFS_FILTER_CALLBACK PreReleaseForSectionSynchronization;
    PFS_FILTER_COMPLETION_CALLBACK PostReleaseForSectionSynchronization;
    PFS_FILTER_CALLBACK PreAcquireForCcFlush;
    PFS_FILTER_COMPLETION_CALLBACK PostAcquireForCcFlush;
    PFS_FILTER_CALLBACK PreReleaseForCcFlush;
    PFS_FILTER_COMPLETION_CALLBACK PostReleaseForCcFlush;
    PFS_FILTER_CALLBACK PreAcquireForModifiedPageWriter;
    PFS_FILTER_COMPLETION_CALLBACK PostAcquireForModifiedPageWriter;
    PFS_FILTER_CALLBACK PreReleaseForModifiedPageWriter;
    PFS_FILTER_COMPLETION_CALLBACK PostReleaseForModifiedPageWriter;
    PFS_FILTER_CALLBACK PreQueryOpen;
    PFS_FILTER_COMPLETION_CALLBACK PostQueryOpen;
} FS_FILTER_CALLBACKS, *PFS_FILTER_CALLBACKS;

NTSTATUS FsRtlRegisterFileSystemFilterCallbacks(_In_ struct _DRIVER_OBJECT *FilterDriverObject,
                                                _In_ PFS_FILTER_CALLBACKS Callbacks);

/* For a section. What acquires a file for the modified page writer and for flushes of the cache is the kernel's own: see host.h. */
VOID FsRtlAcquireFileExclusive(_In_ struct _FILE_OBJECT *FileObject);
VOID FsRtlReleaseFile(_In_ struct _FILE_OBJECT *FileObject);

HOST_EXTERN_C_END

#endif
