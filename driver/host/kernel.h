/* What the embedded kernel's files share: threads, processes, objects, waiting, rules and their violation. */
#ifndef PSCTX_HOST_KERNEL_H
#define PSCTX_HOST_KERNEL_H

#include "host.h"
#include "host_platform.h"

/* Routines with an IRQL rule. */
#define HOST_ROUTINE(Name, Minimum, Maximum) HostRoutine##Name,
typedef enum _HOST_ROUTINE_INDEX {
#include "routines.h"
    HostRoutineCount
} HOST_ROUTINE_INDEX;
#undef HOST_ROUTINE

typedef struct _HOST_ROUTINE_RULE {
    const char *Name;
    KIRQL Minimum;
    KIRQL Maximum;
} HOST_ROUTINE_RULE;
extern const HOST_ROUTINE_RULE HostRoutineRules[HostRoutineCount];

/* What a spin lock holds: neither is what memory holds that nobody has initialised. */
#define HOST_FREE_SPIN_LOCK 0x46726565u
#define HOST_HELD_SPIN_LOCK 0x48656C64u

/* A lock a thread holds; Kind tells exclusive from shared. */
typedef enum _HOST_LOCK_KIND {
    HostFastMutex,
    HostFastMutexUnsafe,
    HostPushLockExclusive,
    HostPushLockShared,
    HostResourceExclusive,
    HostResourceShared,
    HostSpinLock,
    HostFileLock
} HOST_LOCK_KIND;

typedef struct _HOST_HELD_LOCK {
    const volatile VOID *Lock;
    HOST_LOCK_KIND Kind;
} HOST_HELD_LOCK;

#define HOST_MAXIMUM_HELD_LOCKS 32

/* An order of locks that a thread has told already: see lockorder.c. */
#define HOST_KNOWN_ORDERS 16
typedef struct _HOST_KNOWN_ORDER {
    const volatile VOID *First;
    const volatile VOID *Second;
} HOST_KNOWN_ORDER;

/* A synchronous file whose request a thread works for: nobody else's is begun meanwhile. It is no lock of a driver's, but has its order. */
typedef struct _HOST_LOCKED_FILE {
    struct _HOST_LOCKED_FILE *Outer;
    PFILE_OBJECT File;
} HOST_LOCKED_FILE, *PHOST_LOCKED_FILE;

/* Kernel routines that a thread may call while it holds a spin lock. */
#define HOST_MAXIMUM_SPIN_CALLS 64

/* A dispatch routine in progress on a thread: one for each IofCallDriver that has not returned. */
typedef struct _HOST_DISPATCH_FRAME {
    struct _HOST_DISPATCH_FRAME *Outer;
    PIRP Irp;
    NTSTATUS CompletedStatus;
    CHAR Location;
    UCHAR MajorFunction;
    BOOLEAN HasFile;
    BOOLEAN MarkedPending;
    BOOLEAN LowerPending;
    BOOLEAN Completed;
} HOST_DISPATCH_FRAME, *PHOST_DISPATCH_FRAME;

typedef struct _HOST_PARTICIPANT *PHOST_PARTICIPANT;

#define HOST_TERMINATING_THREAD 1
#define HOST_TERMINATING_PROCESS 2 /* until it leaves the process */

struct _ETHREAD {
    DISPATCHER_HEADER Header; /* signalled when a system thread has ended */
    LIST_ENTRY Links;
    HANDLE Id;
    KIRQL Irql;
    KPROCESSOR_MODE PreviousMode;
    BOOLEAN WaitsNext; /* it has set something with Wait: at which IRQL it was, it is again when it waits */
    KIRQL WaitIrql;
    LONG CriticalRegions;
    LONG GuardedRegions;
    volatile LONG ServiceDepth;
    volatile LONG Terminating; /* HOST_TERMINATING_* */
    volatile LONG Suspensions;
    volatile LONG Suspended;                   /* it has stopped */
    const volatile VOID *volatile WaitAddress; /* of an object, or NULL */
    LONG FreeCallbacks;
    ULONG64 Removals; /* of per-stream contexts since it last held no lock */
    PEPROCESS Process;
    PEPROCESS Home; /* the process it has entered, whatever it is attached to; under IrpMutex */
    PIRP TopLevelIrp;
    PHOST_DISPATCH_FRAME Dispatch;
    PHOST_PARTICIPANT Participant;
    PVOID FreeIrps;
    ULONG FreeIrpCount;
    volatile LONG64 IrpBalance;
    HOST_MUTEX IrpMutex;
    LIST_ENTRY Irps; /* requests in progress that this thread sent */
    volatile LONG HeldLocks;
    HOST_HELD_LOCK Held[HOST_MAXIMUM_HELD_LOCKS];
    PHOST_LOCKED_FILE LockedFiles;
    ULONG SpinLocks;
    ULONG SpinCalls; /* since it holds one */
    LONG OrderGeneration;
    HOST_KNOWN_ORDER Orders[HOST_KNOWN_ORDERS];
    PDRIVER_OBJECT Starting;       /* whose DriverEntry it runs */
    PDRIVER_OBJECT volatile Maker; /* whose DriverEntry has made it, until somebody has waited for its end */
    BOOLEAN SystemThread;
    PKSTART_ROUTINE StartRoutine;
    PVOID StartContext;
    pthread_t Native;
};

extern HOST_THREAD_LOCAL PETHREAD HostThisThread;
PETHREAD HostCreateThread(VOID);

static inline PETHREAD HostCurrentThread(VOID)
{
    PETHREAD Thread = HostThisThread;

    return Thread != NULL ? Thread : HostCreateThread();
}

/* Normal kernel APCs, and so a suspension, are not delivered now. */
static inline BOOLEAN HostHoldsApcsBack(_In_ PETHREAD Thread)
{
    return (BOOLEAN)(Thread->Irql >= APC_LEVEL || Thread->CriticalRegions != 0 || Thread->GuardedRegions != 0);
}

/* A client's thread that a suspension could stop right here. */
static inline BOOLEAN HostMayBeSuspended(_In_ PETHREAD Thread)
{
    return (BOOLEAN)(Thread->Home != NULL && !HostHoldsApcsBack(Thread));
}

/* Reports the violation of a rule, and does not return. Routine names the kernel routine that noticed it. */
DECLSPEC_NORETURN VOID HostViolation(_In_ ULONG BugCheckCode, _In_z_ const char *Routine, _In_z_ const char *Format,
                                     ...) __attribute__((format(printf, 3, 4)));

DECLSPEC_NORETURN VOID HostIrqlViolation(_In_ HOST_ROUTINE_INDEX Routine, _In_ KIRQL Irql);
/* A switch point of a thread of a schedule, which is about to do what Point names. */
VOID HostScheduleYield(_In_ PETHREAD Thread, _In_z_ const char *Point);
VOID HostSwitchPoint(_In_z_ const char *Point);
VOID HostStopSuspended(_In_ PETHREAD Thread);
VOID HostCountSpinCall(_Inout_ PETHREAD Thread, _In_z_ const char *Routine);

/* Where normal kernel APCs are delivered if nothing holds them back. */
static inline VOID HostDeliverApcs(_In_ PETHREAD Thread)
{
    if (ReadAcquire(&Thread->Suspensions) != 0 && !HostHoldsApcsBack(Thread)) {
        HostStopSuspended(Thread);
    }
}

/* Entry of every kernel routine: its IRQL rule, a scheduling point, and the delivery of APCs. */
static inline PETHREAD HostEnterRoutine(HOST_ROUTINE_INDEX Routine)
{
    PETHREAD Thread = HostCurrentThread();

    if (Thread->Irql > HostRoutineRules[Routine].Maximum || Thread->Irql < HostRoutineRules[Routine].Minimum) {
        HostIrqlViolation(Routine, Thread->Irql);
    }
    if (Thread->SpinLocks != 0) {
        HostCountSpinCall(Thread, HostRoutineRules[Routine].Name);
    }
    if (Thread->Participant != NULL) {
        HostScheduleYield(Thread, HostRoutineRules[Routine].Name);
    }
    HostDeliverApcs(Thread);
    return Thread;
}
#define HostEnter(Name) HostEnterRoutine(HostRoutine##Name)

/* thread.c */
extern HOST_CONTEXT_WORK HostContextWork;
VOID HostLockAcquired(_In_ PETHREAD Thread, _In_ const volatile VOID *Lock, _In_ HOST_LOCK_KIND Kind,
                      _In_z_ const char *Routine);
VOID HostLockReleased(_In_ PETHREAD Thread, _In_ const volatile VOID *Lock, _In_ HOST_LOCK_KIND Kind,
                      _In_ ULONG BugCheckCode, _In_z_ const char *Routine);
BOOLEAN HostIsHeld(_In_ PETHREAD Thread, _In_ const volatile VOID *Lock, _In_ HOST_LOCK_KIND Kind);
ULONG64 HostCountLocks(VOID);
ULONG64 HostCountResources(VOID);
LONG64 HostCountIrps(VOID);
typedef VOID (*PHOST_THREAD_VISITOR)(_In_ PETHREAD Thread, _In_opt_ PVOID Context);
VOID HostVisitThreads(_In_ PHOST_THREAD_VISITOR Visitor, _In_opt_ PVOID Context);
VOID HostRemoveThread(_In_ PETHREAD Thread);
/* A thread object for a thread of a schedule, which ends with HostEndThread. */
PETHREAD HostCreateScheduledThread(VOID);
VOID HostEndThread(_In_ PVOID Thread);
VOID HostDeleteThread(_In_ PVOID Object);
VOID HostJoinSystemThreads(VOID);
/* Its end has been waited for: what it runs may go. */
VOID HostThreadAwaited(_Inout_ PETHREAD Thread);
/* Marks the thread as terminating, and ends the wait it is in. */
VOID HostMarkTerminating(_Inout_ PETHREAD Thread, _In_ LONG Reason);

/* lockorder.c: the thread is about to wait for a lock; the memory in which locks may lie is not theirs any more. */
VOID HostOrderLock(_Inout_ PETHREAD Thread, _In_ const volatile VOID *Lock, _In_z_ const char *Routine);
VOID HostForgetLocks(_In_ const volatile VOID *Memory, _In_ SIZE_T Length);

/* wait.c: waiting for a condition that Try tests and takes at once. FALSE when Deadline (interrupt time) has passed. */
typedef BOOLEAN (*PHOST_TRY)(_In_opt_ PVOID Context);
BOOLEAN HostWaitFor(_In_ const volatile VOID *Address, _In_ PHOST_TRY Try, _In_opt_ PVOID Context,
                    _In_opt_ const LONGLONG *Deadline);
/*
 * The same, until the thread is to be suspended where that is possible, and, when the wait is Interruptible, until the thread is terminating
 * or the request, if there is one, is cancelled.
 */
typedef enum _HOST_WAIT_END { HostSatisfied, HostTimedOut, HostInterrupted, HostToBeSuspended } HOST_WAIT_END;
HOST_WAIT_END HostWaitInterruptibly(_In_ const volatile VOID *Address, _In_ PHOST_TRY Try, _In_opt_ PVOID Context,
                                    _In_opt_ const LONGLONG *Deadline, _In_ BOOLEAN Interruptible, _In_opt_ PIRP Irp);
NTSTATUS HostCancellableWait(_In_ PVOID Object, _In_opt_ PLARGE_INTEGER Timeout, _In_opt_ PIRP Irp);
/* KeSetEvent, and the end of a thread, without IRQL rule and scheduling point. The state before. */
LONG HostSignal(_Inout_ PVOID Object);
/* After a change that may make a Try at Address succeed. */
VOID HostWake(_In_ const volatile VOID *Address);

/*
 * Threads that wait go no further, whatever wakes them, until HostReleaseWaiters, which is called by the same thread. How many wait.
 */
ULONG HostStopWaiters(VOID);
VOID HostReleaseWaiters(VOID);

/* schedule.c */
extern volatile LONG HostScheduleActive;
BOOLEAN HostScheduleWait(_In_ PETHREAD Thread, _In_ const volatile VOID *Address, _In_ PHOST_TRY Try,
                         _In_opt_ PVOID Context, _In_ BOOLEAN HasDeadline);
VOID HostScheduleWake(_In_ const volatile VOID *Address);
BOOLEAN HostScheduleStart(_In_ PHOST_ROUTINE Routine, _In_opt_ PVOID Context, _In_opt_ PETHREAD Thread);
/* Lets others run before the calling thread, which polls, looks again. */
VOID HostPause(_In_ PETHREAD Thread);
DECLSPEC_NORETURN VOID HostScheduleExit(_In_ PETHREAD Thread);
_Success_(return) BOOLEAN HostScheduleTime(_Out_ PLONGLONG Time); /* 100 ns units since its start */

/* lock.c */
VOID HostAcquirePushLock(_Inout_ PULONG_PTR PushLock, _In_ BOOLEAN Exclusive);
VOID HostReleasePushLock(_Inout_ PULONG_PTR PushLock, _In_ BOOLEAN Exclusive);
VOID HostLeaveApcRegion(_In_ PETHREAD Thread, _In_z_ const char *Routine);

/* pool.c. Without fault injection and without a scheduling point, for tables that must grow: HostAllocateReserved. */
PVOID HostAllocatePool(_In_ POOL_TYPE PoolType, _In_ SIZE_T Size, _In_ ULONG Tag, _In_ BOOLEAN Zero,
                       _In_opt_ PVOID Caller);
PVOID HostAllocateReserved(_In_ SIZE_T Size, _In_ ULONG Tag);
VOID HostFreePool(_In_ PVOID Pool, _In_ ULONG Tag, _In_z_ const char *Routine);
BOOLEAN HostTryFault(VOID);
/* A lock that is being initialised, as one that is taken at raised IRQL, or waited for by others, lies in no paged pool. */
VOID HostCheckNonPaged(_In_ const volatile VOID *Lock, _In_z_ const char *Routine);
VOID HostCountPool(_Out_ PULONG64 Bytes, _Out_ PULONG64 Allocations);
VOID HostReportPool(VOID);
VOID HostStopPool(VOID);
VOID HostEmptyQuarantine(VOID); /* and looks whether freed pool was written */
PVOID HostAllocatePool2(_In_ POOL_FLAGS Flags, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);

/* paging.c: what comes and goes, and whether paged memory does. */
#ifdef HOST_WITHOUT_PAGING
enum { HostPagesOut = FALSE };
FORCEINLINE VOID HostStartPaging(VOID)
{
}
#else
extern BOOLEAN HostPagesOut;
VOID HostStartPaging(VOID);
#endif
BOOLEAN HostIsPageable(_In_ const VOID *Routine);
PVOID HostAllocatePaged(_In_ SIZE_T Size);
VOID HostIrqlRaised(VOID); /* to DISPATCH_LEVEL or above, and lowered below: while HostPagesOut */
VOID HostIrqlLowered(VOID);
VOID HostLoadInitialization(_In_ PDRIVER_INITIALIZE DriverEntry);
VOID HostDiscardInitialization(_In_ PDRIVER_INITIALIZE DriverEntry);
VOID HostUnloadImage(_In_ PDRIVER_INITIALIZE DriverEntry);

/* pin.c: memory that must not be freed while it is linked into a stream's list, or while it heads such a list. */
VOID HostPin(_In_ const VOID *Address, _In_z_ const char *Reason);
VOID HostUnpin(_In_ const VOID *Address);
/* The reason of a pin in the range, or NULL. */
const char *HostFindPin(_In_ const VOID *Memory, _In_ SIZE_T Length);

/* rtl.c: without IRQL rule and scheduling point, for use under the kernel's own mutexes. */
WCHAR HostUpcase(_In_ WCHAR Character);
LONG HostCompareStrings(_In_ PCUNICODE_STRING First, _In_ PCUNICODE_STRING Second, _In_ BOOLEAN CaseInSensitive);

/* object.c */
typedef struct _HOST_DIRECTORY *PHOST_DIRECTORY;

typedef struct _OBJECT_TYPE {
    const char *Name;
    BOOLEAN Counted;    /* in HOST_AUDIT.Objects */
    BOOLEAN FromPool;   /* its allocation can fail */
    BOOLEAN Deferrable; /* deletion needs PASSIVE_LEVEL */
    ULONG Tag;
    GENERIC_MAPPING Mapping;
    VOID (*Close)(_In_ PVOID Object, _In_ LONG64 RemainingHandles);
    VOID (*Delete)(_In_ PVOID Object);
} OBJECT_TYPE;

typedef struct DECLSPEC_ALIGN(16) _HOST_OBJECT {
    ULONG64 Magic;
    POBJECT_TYPE Type;
    LIST_ENTRY Links;
    volatile LONG64 References;
    volatile LONG64 Handles;
    PHOST_DIRECTORY Directory; /* where it is named, or NULL */
    LIST_ENTRY Siblings;
    UNICODE_STRING Name;
    BOOLEAN Permanent; /* its directory holds a reference */
    LIST_ENTRY DeferredLinks;
} HOST_OBJECT, *PHOST_OBJECT;

#define HOST_OBJECT_MAGIC 0x4f626a6563742121ULL
#define HostHeaderOf(Object) ((PHOST_OBJECT)(Object) - 1)

extern OBJECT_TYPE HostFileType, HostDeviceType, HostDriverType, HostEventType, HostSymbolicLinkType, HostDirectoryType,
    HostKeyType, HostProcessType, HostThreadType;

NTSTATUS HostCreateObject(_In_ POBJECT_TYPE Type, _In_ SIZE_T Size, _Outptr_ PVOID *Object);
PHOST_OBJECT HostCheckObject(_In_ PVOID Object, _In_z_ const char *Routine);
/* Without IRQL rule and scheduling point, as well under the kernel's own mutexes. */
VOID HostReferenceRaw(_In_ PVOID Object);
VOID HostDereferenceRaw(_In_ PVOID Object, _In_z_ const char *Routine);
ULONG64 HostCountObjects(VOID);
VOID HostReportObjects(VOID);
VOID HostForgetObjects(VOID);

/* handle.c */
typedef struct _HOST_HANDLE_ENTRY {
    PVOID Object; /* NULL: free */
    ACCESS_MASK GrantedAccess;
    ULONG Attributes;
    ULONG NextFree;
} HOST_HANDLE_ENTRY;

typedef struct _HOST_HANDLE_TABLE {
    HOST_MUTEX Mutex;
    HOST_HANDLE_ENTRY *Entries;
    ULONG Count;
    ULONG FirstFree;
    ULONG64 Open;
} HOST_HANDLE_TABLE, *PHOST_HANDLE_TABLE;

#define HOST_KERNEL_HANDLE_BIT ((ULONG_PTR)0xFFFFFFFF80000000ULL)
VOID HostInitializeHandles(_Out_ PHOST_HANDLE_TABLE Table);
VOID HostDeleteHandles(_Inout_ PHOST_HANDLE_TABLE Table);
HANDLE HostCreateHandle(_In_ PVOID Object, _In_ ACCESS_MASK GrantedAccess, _In_ ULONG Attributes);
NTSTATUS HostReferenceHandle(_In_ HANDLE Handle, _In_ KPROCESSOR_MODE Mode, _In_opt_ POBJECT_TYPE Type,
                             _In_ ACCESS_MASK DesiredAccess, _Outptr_ PVOID *Object,
                             _Out_opt_ PACCESS_MASK GrantedAccess, _Out_opt_ PULONG Attributes);
NTSTATUS HostCloseHandle(_In_ HANDLE Handle, _In_ KPROCESSOR_MODE Mode);
VOID HostCloseAllHandles(_Inout_ PHOST_HANDLE_TABLE Table);

/* namespace.c */
typedef struct _HOST_DIRECTORY {
    LIST_ENTRY Children;
} HOST_DIRECTORY;

typedef struct _HOST_SYMBOLIC_LINK {
    UNICODE_STRING Target;
} HOST_SYMBOLIC_LINK, *PHOST_SYMBOLIC_LINK;

NTSTATUS HostStartNamespace(VOID);
VOID HostStopNamespace(VOID);
NTSTATUS HostCreateDirectory(_In_z_ PCWSTR Name);
NTSTATUS HostInsertObject(_In_ PVOID Object, _In_ PCUNICODE_STRING Name, _In_ BOOLEAN Permanent);
VOID HostRemoveName(_In_ PVOID Object);
/*
 * Finds the object that a full name starts with, through symbolic links. Object is referenced; Remaining is what is left of
 * the name behind it and lies in *Buffer, which the caller frees with PlatformFree.
 */
NTSTATUS HostFindObject(_In_ PCUNICODE_STRING Name, _In_ BOOLEAN FollowLast, _Outptr_ PVOID *Object,
                        _Out_ PUNICODE_STRING Remaining, _Outptr_ PWCH *Buffer);
/* Bytes of the object's full name; written when they fit into Length. Zero for an object without a name. */
ULONG HostFullName(_In_ PVOID Object, _Out_writes_bytes_opt_(Length) PWCH Name, _In_ ULONG Length);

/* process.c */
typedef enum _HOST_TOKEN { HostSystemToken, HostAdministratorToken, HostUserToken } HOST_TOKEN;

struct _EPROCESS {
    LIST_ENTRY Links;
    HANDLE Id;
    HOST_TOKEN Token;
    volatile LONG Exiting;
    volatile LONG Services; /* system services in progress */
    HOST_HANDLE_TABLE Handles;
};

extern HOST_HANDLE_TABLE HostKernelHandles;
NTSTATUS HostStartProcesses(VOID);
VOID HostStopProcesses(VOID);
BOOLEAN HostHasProcesses(VOID);
ULONG64 HostCountHandles(VOID);

/* A system service: begun by every Nt routine and ended by it, whatever it answers. */
NTSTATUS HostBeginService(_Out_ PETHREAD *Thread);
NTSTATUS HostEndService(_In_ PETHREAD Thread, _In_ NTSTATUS Status);
/* A Zw routine: the same service with the previous mode KernelMode. */
KPROCESSOR_MODE HostBeginKernelCall(_In_ PETHREAD Thread);
VOID HostEndKernelCall(_In_ PETHREAD Thread, _In_ KPROCESSOR_MODE PreviousMode);

/* security.c */
NTSTATUS HostCheckAccess(_In_opt_ PACL Dacl, _In_ BOOLEAN DaclPresent, _In_ HOST_TOKEN Token,
                         _In_ const GENERIC_MAPPING *Mapping, _In_ ACCESS_MASK Desired, _Out_ PACCESS_MASK Granted);
NTSTATUS HostSetDeviceSecurity(_In_ PDEVICE_OBJECT Device, _In_ PSECURITY_DESCRIPTOR Descriptor);
NTSTATUS HostCheckDeviceAccess(_In_ PDEVICE_OBJECT Device, _In_ HOST_TOKEN Token, _In_ ACCESS_MASK Desired,
                               _Out_ PACCESS_MASK Granted);

/* device.c */
VOID HostDeleteDeviceObject(_In_ PVOID Object);
VOID HostReferenceDevice(_In_ PDEVICE_OBJECT Device);
BOOLEAN HostIsDeviceDeleted(_In_ PDEVICE_OBJECT Device);
VOID HostDereferenceDevice(_In_ PDEVICE_OBJECT Device);
PDEVICE_OBJECT HostReferenceTopDevice(_In_ PFILE_OBJECT FileObject);
PDEVICE_OBJECT HostBaseDevice(_In_ PFILE_OBJECT FileObject);

/* volume.c */
NTSTATUS HostMountDevice(_In_ PDEVICE_OBJECT Disk);

/* irp.c: requests that the I/O manager itself sends. */
typedef struct _HOST_IRP {
    LIST_ENTRY Links; /* in the sending thread's list */
    PETHREAD Sender;
    PEPROCESS Process;
    PFILE_OBJECT FileObject; /* referenced */
    PVOID Event;             /* event object, referenced, or NULL */
    PVOID OutputBuffer;
    ULONG OutputLength;
    volatile LONG Holds;
    volatile LONG Finished;
    IO_STATUS_BLOCK IoStatus; /* of one that somebody waits for, once it is finished */
    ULONG Size;
    BOOLEAN Listed;
    BOOLEAN Completed;
    BOOLEAN FromDriver;                        /* IoAllocateIrp */
    BOOLEAN Synchronous;                       /* somebody waits in HostSendAndWait */
    BOOLEAN Built;                             /* IoBuildDeviceIoControlRequest */
    BOOLEAN Bounded;                           /* Information is a length: at most OutputLength */
    PBOOLEAN Pended;                           /* where the sender learns that it waited, or NULL */
    const volatile VOID *volatile WaitAddress; /* where a driver waits until it is cancelled */
    struct _HOST_IRP *NextFree;
} HOST_IRP, *PHOST_IRP;

#define HOST_IRP_OFFSET ((sizeof(HOST_IRP) + 15) & ~(SIZE_T)15)
#define HostIrpOf(Irp) ((PHOST_IRP)((PUCHAR)(Irp) - HOST_IRP_OFFSET))

PIRP HostAllocateIrp(_In_ PETHREAD Thread, _In_ CCHAR StackSize, _In_ BOOLEAN MayFail);
VOID HostFreeIrp(_In_ PIRP Irp);
VOID HostFlushIrpCache(_Inout_ PETHREAD Thread);
VOID HostCheckHeldIrp(_In_ PIRP Irp, _In_z_ const char *Routine);
/*
 * Sends a request of the I/O manager to the device and returns what the dispatch routine answered. A pended request is
 * waited for unless Asynchronous. IoStatus is the final one, unless STATUS_PENDING is returned.
 */
NTSTATUS HostSendIrp(_In_ PDEVICE_OBJECT Device, _In_ PIRP Irp, _In_ BOOLEAN Asynchronous,
                     _Out_ PIO_STATUS_BLOCK IoStatus);
VOID HostCancelThreadIrps(_In_ PETHREAD Thread, _In_opt_ PEPROCESS Process, _In_opt_ PFILE_OBJECT FileObject);
PHOST_IRP HostHoldIrpToCancel(_In_ PETHREAD Thread, _In_opt_ PEPROCESS Process, _In_opt_ PFILE_OBJECT FileObject);
VOID HostCancelHeldIrp(_In_ PHOST_IRP Found);
BOOLEAN HostHasIrps(_In_ PETHREAD Thread, _In_opt_ PEPROCESS Process);

/* file.c */
NTSTATUS HostOpenFile(_In_ PETHREAD Thread, _In_ KPROCESSOR_MODE Mode, _In_ POBJECT_ATTRIBUTES ObjectAttributes,
                      _In_ ACCESS_MASK DesiredAccess, _In_opt_ PLARGE_INTEGER AllocationSize, _In_ ULONG FileAttributes,
                      _In_ ULONG ShareAccess, _In_ ULONG Disposition, _In_ ULONG Options, _In_opt_ PVOID EaBuffer,
                      _In_ ULONG EaLength, _In_opt_ PFILE_NETWORK_OPEN_INFORMATION QueryOnly,
                      _Outptr_ PFILE_OBJECT *FileObject, _Out_ PACCESS_MASK Granted, _Out_ PULONG_PTR Information);
VOID HostCloseFile(_In_ PVOID Object, _In_ LONG64 RemainingHandles);
VOID HostDeleteFile(_In_ PVOID Object);
VOID HostLockFile(_In_ PETHREAD Thread, _Inout_ PFILE_OBJECT FileObject, _Out_ PHOST_LOCKED_FILE Locked);
VOID HostUnlockFile(_In_ PETHREAD Thread, _In_ const HOST_LOCKED_FILE *Locked);

/* name.c */
NTSTATUS HostQueryFileName(_In_ PFILE_OBJECT FileObject, _Outptr_result_maybenull_ PFILE_NAME_INFORMATION *Name);

/* work.c */
VOID HostQueueInternal(_In_ PHOST_ROUTINE Routine, _In_opt_ PVOID Context);
VOID HostStopWorkers(VOID);

/* module.c */
#define HOST_SYSTEM_MODULE_INFORMATION 11u
NTSTATUS HostQueryModules(_Out_writes_bytes_(Length) PVOID Information, _In_ ULONG Length,
                          _Out_opt_ PULONG ReturnLength);
VOID HostForgetModule(_In_ PDRIVER_OBJECT DriverObject);

/* system.c */
VOID HostHideNewRoutines(_In_ BOOLEAN Hide);

/* registry.c */
VOID HostStopRegistry(VOID);
/* The strings stay as they are while the kernel runs. STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS HostFindMinifilterInstance(_In_ PCUNICODE_STRING Driver, _Out_ PUNICODE_STRING InstanceName,
                                    _Out_ PUNICODE_STRING Altitude);

/* driver.c */
VOID HostDeleteDriver(_In_ PVOID Object);
/* Where the callbacks are kept that a driver has registered: NULL, if none. */
PFS_FILTER_CALLBACKS *HostFsFilterCallbacksOf(_In_ PDRIVER_OBJECT Driver);
/* How many threads DriverEntry has made whose end nobody has waited for. */
volatile LONG *HostThreadsOf(_In_ PDRIVER_OBJECT Driver);
BOOLEAN HostHasDrivers(VOID);
/* The end of a driver whose unload routine has done its part. */
NTSTATUS HostUnloadDriverImage(_In_ PDRIVER_OBJECT DriverObject);
/* A driver that goes with the kernel, and does not keep it from shutting down. */
VOID HostMakeBuiltIn(_In_ PDRIVER_OBJECT DriverObject);
extern ULONG HostQuirks;    /* HOST_QUIRK_*, of host.h */
extern BOOLEAN HostBooting; /* drivers loaded now are the kernel's own */

/* disk.c */
NTSTATUS HostStartDisks(VOID);
VOID HostStopDisks(VOID);
NTSTATUS HostStopDiskDriver(VOID);
/* The disk at a letter, referenced. STATUS_OBJECT_NAME_NOT_FOUND. */
NTSTATUS HostReferenceDisk(_In_ WCHAR Letter, _Outptr_ PDEVICE_OBJECT *Device);

/* fltmgr/driver.c */
VOID HostStopFilterManager(VOID);

#endif
