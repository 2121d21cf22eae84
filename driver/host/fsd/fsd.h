/*
 * The file systems of the embedded kernel: what their files share, and how the kernel starts and stops them.
 *
 * Lock order: VCB.Resource, then FCB.Resource. Filters' routines (teardown) are called with neither held.
 * Unless said otherwise a routine runs at PASSIVE_LEVEL inside FsRtlEnterFileSystem, with VCB.Resource held exclusively.
 */
#ifndef PSCTX_HOST_FSD_H
#define PSCTX_HOST_FSD_H

#include "fault.h"
#include "node.h"

#include <ntifs.h>

extern ULONG HostQuirks; /* HOST_QUIRK_*, of host.h */

/*
 * Loads the file systems' drivers and registers them; STATUS_INSUFFICIENT_RESOURCES leaves none of them loaded.
 * PASSIVE_LEVEL, by HostBoot. HostStopFileSystems undoes it, every volume being dismounted.
 */
NTSTATUS HostStartFileSystems(VOID);
VOID HostStopFileSystems(VOID);

DRIVER_INITIALIZE MemoryDriverEntry;
DRIVER_INITIALIZE DirectoryDriverEntry;
DRIVER_INITIALIZE PipeDriverEntry;

/* A file system: what differs between them besides the node store. */
typedef struct _FSD_DRIVER {
    ULONG Kind; /* HOST_FILE_SYSTEM_* */
    ULONG Tag;
    ULONG Attributes; /* FILE_FS_ATTRIBUTE_INFORMATION */
    UNICODE_STRING DeviceName;
    UNICODE_STRING Name;
    const NODE_OPERATIONS *Operations;
} FSD_DRIVER, *PFSD_DRIVER;
typedef const FSD_DRIVER *PCFSD_DRIVER;

/* The extension of a control device object, and the head of a volume device object's. */
typedef struct _FSD_DEVICE {
    PCFSD_DRIVER FileSystem;
    BOOLEAN Volume;
} FSD_DEVICE, *PFSD_DEVICE;

#define FSD_BUCKETS 4096u

typedef struct _LCB LCB, *PLCB;
typedef struct _FSD_SHARED FSD_SHARED, *PFSD_SHARED; /* of fault.c */

/* A mounted volume: the extension of its device object. */
typedef struct _VCB {
    FSD_DEVICE Device;
    FSRTL_ADVANCED_FCB_HEADER
    VolumeHeader; /* FsContext of volume opens; all zero, so that no filter takes it for a stream */
    PDEVICE_OBJECT DeviceObject;
    PVPB Vpb;
    PVOID Store;
    ERESOURCE Resource;
    LIST_ENTRY *FcbBuckets;
    LIST_ENTRY *LcbBuckets;
    PLCB Root;
    SHARE_ACCESS ShareAccess;
    LARGE_INTEGER MountTime;
    ULONG Handles;    /* of volume opens */
    ULONG References; /* one for being mounted, one for each file object */
    BOOLEAN Dismounted;

    /* Of fault.c alone. */
    FSD_FAULT Fault;
    ULONG64 Opens;
    ULONG Teardowns;
    LIST_ENTRY Shared;
    LIST_ENTRY Parked;                    /* FCBs that were not torn down */
    LIST_ENTRY Kept;                      /* FCBs without references, oldest first */
    FSRTL_ADVANCED_FCB_HEADER LostHeader; /* nobody can open it */
    FAST_MUTEX LostMutex;
} VCB, *PVCB;

/* A link: one name of a file in its directory. As in NTFS, a rename changes the link and nothing else. */
struct _LCB {
    LIST_ENTRY TableEntry;
    PLCB Parent; /* referenced; NULL for the root */
    PNODE Node;  /* referenced: the file's unnamed stream or the directory */
    ULONG Hash;
    ULONG References; /* CCBs, child links, and the VCB for the root */
    ULONG Handles;
    BOOLEAN DeletePending;
    BOOLEAN Unlinked; /* no longer in the table */
    UNICODE_STRING Name;
};

/* A stream: FileObject->FsContext. One for a stream however often it is opened and under whatever name. */
typedef struct _FCB {
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX HeaderMutex;
    ERESOURCE Resource;
    ERESOURCE PagingIoResource;
    LIST_ENTRY TableEntry;
    PNODE Node; /* referenced */
    SHARE_ACCESS ShareAccess;
    LIST_ENTRY Ranges; /* of lock.c */
    SECTION_OBJECT_POINTERS SectionObjectPointers;
    ULONG References; /* file objects */
    ULONG Handles;
    BOOLEAN DeletePending;     /* the named stream alone */
    BOOLEAN Unlinked;          /* no longer in the table */
    BOOLEAN Deleted;           /* with its file or its stream */
    ULONG64 Variant;           /* what keeps it apart from others of the same stream: zero, unless a fault does */
    PFSD_SHARED Shared;        /* of fault.c, as are the next three */
    BOOLEAN Bereft;            /* contexts that were inserted here hang on another header */
    LIST_ENTRY Idle;           /* VCB.Parked or VCB.Kept; Flink is NULL while it is in neither */
    LONGLONG IdleSince;        /* system time */
    UNICODE_STRING StreamName; /* as created; empty for the unnamed stream and for directories; behind the structure */
} FCB, *PFCB;

/* An open: FileObject->FsContext2. */
typedef struct _CCB {
    PFCB Fcb; /* NULL for a volume open, and Lcb too */
    PLCB Lcb; /* referenced */
    BOOLEAN DeleteOnClose;
    BOOLEAN ScanStarted;
    ULONG64 ScanIndex;
    UNICODE_STRING ScanPattern; /* upcased; own allocation; empty for everything */
} CCB, *PCCB;

/* driver.c: the entry and unload that the file systems share. */
NTSTATUS FsdInitializeDriver(_In_ PDRIVER_OBJECT DriverObject, _In_ PCFSD_DRIVER FileSystem);

/* A request's handler. The dispatcher completes the request with the status returned; Irp->IoStatus.Information is the handler's. */
typedef NTSTATUS FSD_ROUTINE(_In_ PVCB Vcb, _Inout_ PIRP Irp, _In_ PIO_STACK_LOCATION IrpSp);
FSD_ROUTINE FsdCreate;
FSD_ROUTINE FsdCleanup;
FSD_ROUTINE FsdClose;
FSD_ROUTINE FsdRead;
FSD_ROUTINE FsdWrite;
FSD_ROUTINE FsdFlush;
FSD_ROUTINE FsdQueryInformation;
FSD_ROUTINE FsdSetInformation;
FSD_ROUTINE FsdQueryVolumeInformation;
FSD_ROUTINE FsdDirectoryControl;
FSD_ROUTINE FsdFileSystemControl;
FSD_ROUTINE FsdLockControl;
FSD_ROUTINE FsdQuerySecurity;
FSD_ROUTINE FsdSetSecurity;

/* fastio.c */
extern FAST_IO_DISPATCH FsdFastIoDispatch;
extern FS_FILTER_CALLBACKS FsdFilterCallbacks;
VOID FsdSetAcquisition(_In_ BOOLEAN CallbacksAcquire, _In_ BOOLEAN CallbacksRelease);

/* volume.c: mounting and dismounting. */
NTSTATUS FsdMountVolume(_In_ PDEVICE_OBJECT ControlDevice, _In_ PIO_STACK_LOCATION IrpSp);
VOID FsdDeleteVolume(_In_ PVCB Vcb);
/* Gives up one reference; TRUE when the caller is to call FsdDeleteVolume once no lock is held and the request is complete. */
BOOLEAN FsdDereferenceVolume(_Inout_ PVCB Vcb);

/* path.c: names, without any look at what is there. */
typedef struct _FSD_LEAF {
    UNICODE_STRING Name;
    UNICODE_STRING Stream;  /* empty for the unnamed stream */
    BOOLEAN ExplicitStream; /* a colon was there */
} FSD_LEAF, *PFSD_LEAF;
VOID FsdDropDoubledSeparator(_Inout_ PUNICODE_STRING FileName);
BOOLEAN FsdHasEmptyComponent(_In_ PCUNICODE_STRING Path);
UNICODE_STRING FsdTakeComponent(_Inout_ PUNICODE_STRING Path);
BOOLEAN FsdIsValidComponent(_In_ PCUNICODE_STRING Name);
NTSTATUS FsdParseLeaf(_In_ PCUNICODE_STRING Component, _Out_ PFSD_LEAF Leaf);
ULONG FsdHashName(_In_ ULONG64 Seed, _In_ PCUNICODE_STRING Name);

/* link.c: the table of links. */
NTSTATUS FsdOpenRootLink(_Inout_ PVCB Vcb);
NTSTATUS FsdLookupLink(_In_ PVCB Vcb, _In_ PLCB Parent, _In_ PCUNICODE_STRING Name, _Outptr_ PLCB *Lcb);
/* Takes the reference that the caller has on Node, also when it fails. */
NTSTATUS FsdMakeLink(_In_ PVCB Vcb, _In_opt_ PLCB Parent, _In_ PCUNICODE_STRING Name, _In_ PNODE Node,
                     _Outptr_ PLCB *Lcb);
/* Gives a link its new place, once the store has moved it. Name's buffer passes to the link. */
VOID FsdMoveLink(_In_ PVCB Vcb, _Inout_ PLCB Lcb, _In_ PLCB Parent, _In_ UNICODE_STRING Name);
VOID FsdRemoveLink(_In_ PVCB Vcb, _Inout_ PLCB Lcb);
VOID FsdDereferenceLink(_In_ PVCB Vcb, _In_ PLCB Lcb);
NODE_PLACE FsdPlaceOf(_In_ const LCB *Lcb);
/* TRUE while a handle is open anywhere below a directory. */
BOOLEAN FsdHasOpenDescendants(_In_ PVCB Vcb, _In_ const LCB *Directory);
/* The full name from the volume's root, and with a stream's name behind it. Bytes. */
ULONG FsdFullNameLength(_In_ const LCB *Lcb, _In_opt_ const FCB *Fcb);
VOID FsdCopyFullName(_In_ const LCB *Lcb, _In_opt_ const FCB *Fcb, _Out_writes_bytes_(Length) PWCH Buffer,
                     _In_ ULONG Length, _In_ ULONG FullLength);

/* fcb.c: the table of streams. */
PFCB FsdFindFcb(_In_ PVCB Vcb, _In_ const NODE *Node, _In_ PCUNICODE_STRING StreamName);
PFCB FsdFindFcbVariant(_In_ PVCB Vcb, _In_ const NODE *Node, _In_ PCUNICODE_STRING StreamName, _In_ ULONG64 Variant);
/* Takes a reference to Node of its own. The new FCB has no reference yet: the caller adds one, or frees it with FsdFreeFcb. */
NTSTATUS FsdMakeFcb(_In_ PVCB Vcb, _In_ PNODE Node, _In_ PCUNICODE_STRING StreamName, _Outptr_ PFCB *Fcb);
VOID FsdRemoveFcb(_Inout_ PFCB Fcb);
/* The file of Node is gone from the store: none of its streams is found again. */
VOID FsdRemoveFcbsOfFile(_In_ PVCB Vcb, _In_ const NODE *Node);
/*
 * Tears down the filters' contexts and frees the stream. Entered with VCB.Resource NOT held, by whoever took the FCB out of
 * the table; takes it for as long as the node's release needs.
 */
VOID FsdFreeFcb(_In_ PVCB Vcb, _In_ PFCB Fcb);
VOID FsdUpdateSizes(_In_ PVCB Vcb, _Inout_ PFCB Fcb);

VOID FsdReferenceNode(_Inout_ PNODE Node);
VOID FsdDereferenceNode(_In_ PVCB Vcb, _Inout_ PNODE Node);

/*
 * create.c: walks all components but the last from Start. The directory's link carries a reference of the caller's; Path is used up.
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_INVALID, STATUS_DELETE_PENDING.
 */
NTSTATUS FsdWalkToParent(_In_ PVCB Vcb, _In_ PLCB Start, _Inout_ PUNICODE_STRING Path, _Out_ PUNICODE_STRING Last,
                         _Outptr_ PLCB *Parent);

/* rename.c: the two classes of IRP_MJ_SET_INFORMATION that make names. */
NTSTATUS FsdSetName(_In_ PVCB Vcb, _In_ PIRP Irp, _In_ PIO_STACK_LOCATION IrpSp, _Inout_ PCCB Ccb);

/* query.c: shared with fast I/O. VCB.Resource and FCB.Resource held at least shared. */
NTSTATUS FsdQueryNode(_In_ PVCB Vcb, _In_ PFCB Fcb, _Out_ PNODE_INFORMATION Information);
VOID FsdFillBasic(_In_ const NODE_INFORMATION *Information, _Out_ PFILE_BASIC_INFORMATION Basic);
VOID FsdFillStandard(_In_ const CCB *Ccb, _In_ const NODE_INFORMATION *Information,
                     _Out_ PFILE_STANDARD_INFORMATION Standard);
VOID FsdFillNetworkOpen(_In_ const NODE_INFORMATION *Information, _Out_ PFILE_NETWORK_OPEN_INFORMATION NetworkOpen);

/* lock.c. Whether another open keeps the bytes: FCB.Resource held. Every range of an open, or those of a key, ends. */
BOOLEAN FsdIsLocked(_In_ PFCB Fcb, _In_ PFILE_OBJECT FileObject, _In_ LONGLONG Start, _In_ ULONG Length,
                    _In_ BOOLEAN Write);
VOID FsdUnlockAll(_In_ PVCB Vcb, _Inout_ PFCB Fcb, _In_ PFILE_OBJECT FileObject, _In_opt_ PULONG Key);

/* fault.c: called where a volume may be broken on purpose; nothing happens on one that is not. */
VOID FsdFaultInitializeVolume(_Inout_ PVCB Vcb, _In_ ULONG Fault);
VOID FsdFaultInitializeFcb(_In_ PVCB Vcb, _Inout_ PFCB Fcb, _In_ ULONG CreateOptions);
ULONG64 FsdFaultVariant(_Inout_ PVCB Vcb, _In_ PLCB Lcb, _In_ PCUNICODE_STRING TypedName, _In_ ULONG CreateOptions);
NTSTATUS FsdFaultShareHeader(_Inout_ PVCB Vcb, _Inout_ PFCB Fcb);
PVOID FsdFaultContext(_In_ PFCB Fcb);
VOID FsdFaultEndFcb(_Inout_ PVCB Vcb, _Inout_ PFCB Fcb);
BOOLEAN FsdFaultKeepFcb(_Inout_ PVCB Vcb, _Inout_ PFCB Fcb, _In_ BOOLEAN Purges);
VOID FsdFaultRevive(_Inout_ PFCB Fcb);
VOID FsdFaultLetGo(_Inout_ PVCB Vcb, _In_ BOOLEAN All);
VOID FsdFaultEndVolume(_Inout_ PVCB Vcb);
NTSTATUS FsdFaultyRequest(_In_ FSD_ROUTINE *Handler, _Inout_ PVCB Vcb, _Inout_ PIRP Irp, _In_ PIO_STACK_LOCATION IrpSp);

#endif
