/*
 * What a user-mode program says to the embedded kernel: boot, drivers, volumes, processes, faults, schedules and audit.
 *
 * Everything else goes through the system services that ntifs.h declares (NtCreateFile, NtDeviceIoControlFile, NtReadFile,
 * NtClose…), which act for the process that the calling thread has entered, with previous mode UserMode.
 * Unless said otherwise each routine here is called at PASSIVE_LEVEL, outside any system service, from any thread.
 */
#ifndef PSCTX_HOST_H
#define PSCTX_HOST_H

#include <ntifs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the kernel: object namespace, I/O manager, the file systems of driver/host/fsd. One kernel in a process. */
NTSTATUS HostBoot(VOID);

/* What is still there. All zero after HostShutdown of a kernel that was used correctly. */
typedef struct _HOST_AUDIT {
    ULONG64 PoolBytes;       /* bytes asked for and not freed */
    ULONG64 PoolAllocations; /* how many */
    ULONG64 Handles;         /* open handles of every process and of the kernel */
    ULONG64 Objects;         /* file, device, driver and symbolic-link objects */
    ULONG64 Irps;            /* allocated and not freed */
    ULONG64 Locks;           /* locks held by any thread */
    ULONG64 Resources;       /* executive resources that were initialised and not deleted */
} HOST_AUDIT, *PHOST_AUDIT;

/*
 * Dismounts every volume, unloads the file systems, frees the kernel's own tables and says what remains. What remains is
 * described on standard error (tag, bytes, call stack) and then forgotten, so that HostBoot may follow.
 * STATUS_DEVICE_BUSY, and nothing is done, while a process other than the kernel's own or a driver loaded with
 * HostLoadDriver is still there.
 */
NTSTATUS HostShutdown(_Out_ PHOST_AUDIT Audit);

/* The same counts now, of a running kernel. HostAuditPool counts one tag's bytes. */
VOID HostAudit(_Out_ PHOST_AUDIT Audit);
ULONG64 HostAuditPool(_In_ ULONG Tag);

/*
 * Loads a driver: makes the driver object \Driver\<Name> (or \FileSystem\<Name>), the service key
 * \Registry\Machine\System\CurrentControlSet\Services\<Name> (see HostSetServiceValue), calls DriverEntry, and then clears
 * DO_DEVICE_INITIALIZING in its devices. Unloading calls DriverUnload; STATUS_INVALID_DEVICE_REQUEST without one.
 */
NTSTATUS HostLoadDriver(_In_z_ PCWSTR Name, _In_ BOOLEAN FileSystem, _In_ PDRIVER_INITIALIZE DriverEntry,
                        _Outptr_ PDRIVER_OBJECT *DriverObject);
NTSTATUS HostUnloadDriver(_In_ PDRIVER_OBJECT DriverObject);

/*
 * Filter Manager, \FileSystem\FltMgr: loaded by this, or by the first minifilter that registers, as by the import of its image. It attaches
 * where it starts: above the legacy filters that are there by then, and below those that come later. HostShutdown unloads it.
 * STATUS_SUCCESS when it is there already.
 */
NTSTATUS HostStartFilterManager(VOID);

/*
 * What the INF of a minifilter writes to its service key: the default instance and its altitude, a decimal number. Without them
 * FltRegisterFilter answers STATUS_OBJECT_NAME_NOT_FOUND. Before the driver is loaded, with HostLoadDriver like any other.
 */
NTSTATUS HostSetMinifilterInstance(_In_z_ PCWSTR DriverName, _In_z_ PCWSTR InstanceName, _In_z_ PCWSTR Altitude);

/* A minifilter's instance on a volume, as FilterVolumeInstanceFindFirst tells it. */
#define HOST_INSTANCE_CHARACTERS 64
typedef struct _HOST_INSTANCE {
    WCHAR FilterName[HOST_INSTANCE_CHARACTERS];
    WCHAR InstanceName[HOST_INSTANCE_CHARACTERS];
    WCHAR Altitude[HOST_INSTANCE_CHARACTERS];
} HOST_INSTANCE, *PHOST_INSTANCE;

/*
 * The instance at an index of those on the volume that is mounted at a letter, the highest altitude first. STATUS_NO_MORE_ENTRIES behind the
 * last, and where there is no Filter Manager; STATUS_OBJECT_NAME_NOT_FOUND when nothing is mounted there.
 */
NTSTATUS HostNextInstance(_In_ WCHAR Letter, _In_ ULONG Index, _Out_ PHOST_INSTANCE Instance);

/*
 * Loads a minifilter that sets a stream context on every stream that is opened, and does nothing else: what most of a live volume's
 * minifilters look like from outside. Its instance is called "<Name> Instance". Four may be loaded at a time; HostUnloadDriver unloads one.
 */
NTSTATUS HostLoadMarker(_In_z_ PCWSTR Name, _In_z_ PCWSTR Altitude, _Outptr_ PDRIVER_OBJECT *DriverObject);

/*
 * FilterUnload: asks the minifilter whether it may be unloaded, and unloads its driver if it agrees. STATUS_FLT_FILTER_NOT_FOUND,
 * STATUS_FLT_DO_NOT_DETACH and whatever the minifilter answers. HostUnloadDriver is the mandatory unload, as when its service is stopped.
 * FilterDetach: asks the minifilter whether its instance may go. STATUS_FLT_INSTANCE_NOT_FOUND, STATUS_FLT_DO_NOT_DETACH.
 * FilterAttach: a new instance, of which only one may be on a volume. STATUS_FLT_INSTANCE_NAME_COLLISION, STATUS_FLT_DO_NOT_ATTACH.
 */
NTSTATUS HostUnloadFilter(_In_z_ PCWSTR FilterName);
NTSTATUS HostDetachFilter(_In_z_ PCWSTR FilterName, _In_ WCHAR Letter);
NTSTATUS HostAttachFilter(_In_z_ PCWSTR FilterName, _In_ WCHAR Letter);

/*
 * Where kernels of the NT 5.2 class are known to differ from the documented one. What is set stays until it is set anew.
 * OWNER_ALONE_MATCHES: FsRtl's look-up and removal take the first context of the owner, whatever the instance.
 * SILENT_DELETION: IoDeleteDevice does not call the FastIoDetachDevice of who is attached above; the device is gone all the same, and
 * detaching from it afterwards is fatal. DISK_OF_DEVICES_WITH_VPB: IoGetDiskDeviceObject answers only for a device with a VPB of its own.
 * VERSION_52: PsGetVersion says 5.2, the fast mutex guards lists of contexts, and later kernels' routines are not found by name.
 * VERSION_61: PsGetVersion says 6.1, and Filter Manager is 2.02; like the one before, it has no pool that is not executable.
 * NO_BASIC_INFORMATION: ZwQuerySystemInformation tells nothing of the machine.
 * NO_NORMALIZED_NAMES: the file systems do not know FileNormalizedNameInformation, which came with Windows 8.
 * TOPMOST_ACQUIRES: a file is acquired and released by callbacks and fast-I/O entries of the topmost driver in its stack, each by itself,
 * and not by the file system's.
 *
 * What the kernel's own file systems differ in. CALLBACKS_ACQUIRE and CALLBACKS_RELEASE: that half of what acquires and releases a file,
 * for each purpose, is a registered callback, as elsewhere the entry of the fast-I/O table is. COMPLETES_AT_DISPATCH: they complete requests at
 * DISPATCH_LEVEL, as a disk's driver would, but for creates and closes.
 */
#define HOST_QUIRK_OWNER_ALONE_MATCHES 0x1u
#define HOST_QUIRK_SILENT_DELETION 0x2u
#define HOST_QUIRK_DISK_OF_DEVICES_WITH_VPB 0x4u
#define HOST_QUIRK_VERSION_52 0x8u
#define HOST_QUIRK_NO_BASIC_INFORMATION 0x10u
#define HOST_QUIRK_NO_NORMALIZED_NAMES 0x20u
#define HOST_QUIRK_TOPMOST_ACQUIRES 0x40u
#define HOST_QUIRK_CALLBACKS_ACQUIRE 0x80u
#define HOST_QUIRK_CALLBACKS_RELEASE 0x100u
#define HOST_QUIRK_COMPLETES_AT_DISPATCH 0x200u
#define HOST_QUIRK_VERSION_61 0x400u
#define HOST_OLD_VERSIONS (HOST_QUIRK_VERSION_52 | HOST_QUIRK_VERSION_61)
VOID HostSetQuirks(_In_ ULONG Quirks);

/*
 * Acquires a file as the kernel does before it makes a section of it, writes its mapped pages or flushes its cache, and releases it
 * afterwards, on the same thread, in a critical region that lasts as long. Resource is what was told to be released, for HostForModifiedWrite
 * alone; the status is the file system's, and when it is an error nothing is held.
 */
typedef enum _HOST_ACQUISITION { HostForSection, HostForModifiedWrite, HostForCacheFlush } HOST_ACQUISITION;
NTSTATUS HostAcquireFile(_In_ PFILE_OBJECT FileObject, _In_ HOST_ACQUISITION Purpose, _Out_ PERESOURCE *Resource);
VOID HostReleaseFile(_In_ PFILE_OBJECT FileObject, _In_ HOST_ACQUISITION Purpose, _In_opt_ PERESOURCE Resource);

/*
 * Says where the image of a loaded driver lies, which is linked into the program like all the others: DriverStart, DriverSize, and a row
 * of SystemModuleInformation with the file name \SystemRoot\System32\drivers\<Name>.sys. Until then it has none.
 */
VOID HostSetDriverImage(_In_ PDRIVER_OBJECT DriverObject, _In_ const VOID *Start, _In_ SIZE_T Size);

/* Brings initialisation code back, which goes when a DriverEntry has returned: for tests that call it once more. */
VOID HostRecallInitialization(VOID);

/* How much physical memory the machine tells drivers of; zero: as much as at first, which is plenty. */
VOID HostSetPhysicalMemory(_In_ ULONG64 Bytes);

/*
 * What drivers have had done under locks since HostResetWork: list entries that FsRtl's look-ups and removals of per-stream contexts went
 * over; the most removals by one thread between two moments at which it held no lock; and locks acquired. For tests that count steps.
 */
typedef struct _HOST_CONTEXT_WORK {
    ULONG64 EntriesVisited;
    ULONG64 LongestRun;
    ULONG64 Acquisitions;
} HOST_CONTEXT_WORK, *PHOST_CONTEXT_WORK;

VOID HostResetWork(VOID);
VOID HostQueryWork(_Out_ PHOST_CONTEXT_WORK Work);

/* Sets a REG_DWORD in a driver's service key, before or after it is loaded; read with ZwOpenKey and ZwQueryValueKey. */
NTSTATUS HostSetServiceValue(_In_z_ PCWSTR DriverName, _In_z_ PCWSTR ValueName, _In_ ULONG Value);

#define HOST_FILE_SYSTEM_MEMORY 1u    /* NTFS-like names, named streams, hard links, a paging file */
#define HOST_FILE_SYSTEM_DIRECTORY 2u /* a directory of the machine; on an ntfs-3g mount, its real named streams */

/*
 * Makes the disk \Device\HostVolume<N>, links \DosDevices\<Letter>: to it and mounts the file system on it.
 * Directory (UTF-8, an existing directory) is for HOST_FILE_SYSTEM_DIRECTORY alone.
 * STATUS_OBJECT_NAME_COLLISION when the letter is taken; STATUS_OBJECT_PATH_NOT_FOUND when the directory is not there.
 */
NTSTATUS HostMountVolume(_In_ WCHAR Letter, _In_ ULONG FileSystem, _In_opt_z_ const char *Directory);

/*
 * The same for a memory volume that is broken on purpose, or lets streams go in its own time: Fault is a name of fsd/fault.h.
 * STATUS_INVALID_PARAMETER for any other.
 */
NTSTATUS HostMountFaultyVolume(_In_ WCHAR Letter, _In_z_ const char *Fault);

/*
 * Forced dismount, as by FSCTL_DISMOUNT_VOLUME, and removal of letter and disk: open files stay open and answer
 * STATUS_VOLUME_DISMOUNTED to I/O; their stream contexts go when their last reference goes. A memory volume's content is lost.
 * STATUS_OBJECT_NAME_NOT_FOUND when nothing is mounted there.
 */
NTSTATUS HostDismountVolume(_In_ WCHAR Letter);

/*
 * A client process with its own handle table. Its token is an administrator's (BUILTIN\Administrators) or an ordinary
 * user's; security descriptors are checked against it. The caller owns one reference.
 */
NTSTATUS HostCreateProcess(_In_ BOOLEAN Administrator, _Outptr_ PEPROCESS *Process);

/* The calling thread's system services act for Process until HostLeaveProcess. Not nested. */
VOID HostEnterProcess(_In_ PEPROCESS Process);
VOID HostLeaveProcess(VOID);

/*
 * Process death, by HostExitProcess from any thread: the threads that act for it are told to end (see HostTerminateThread) and waited
 * for until they have left its system services, pended requests are cancelled, every handle is closed (cleanup, then close when the
 * last reference goes) by a thread that counts as terminating, later system services for it answer STATUS_PROCESS_IS_TERMINATING.
 * HostDereferenceProcess gives up the caller's reference, after exit.
 */
VOID HostExitProcess(_In_ PEPROCESS Process);
VOID HostDereferenceProcess(_In_ PEPROCESS Process);

/*
 * The end of one thread, asked for by another: PsIsThreadTerminating says TRUE; waits in UserMode end with STATUS_USER_APC, cancellable
 * ones with STATUS_THREAD_IS_TERMINATING; a request of UserMode that the I/O manager waits for is cancelled and waited for. A wait in
 * KernelMode goes on, as long as whoever waits does. What the thread has pended is cancelled as soon as it is in no system service; later
 * services for a process answer STATUS_THREAD_IS_TERMINATING. The routine that runs on the thread then returns by itself.
 * The caller keeps Thread (PsGetCurrentThread of that thread, referenced).
 */
VOID HostTerminateThread(_In_ PETHREAD Thread);

/*
 * Suspension, which is a normal kernel APC: the thread stops at the next point where one is delivered, at PASSIVE_LEVEL outside critical
 * and guarded regions: where it enters a kernel routine or a system service, leaves a region, lets the IRQL fall, or waits for an object,
 * which it then does not wait for until it is resumed. Counted: as many resumptions let it go on, and so does its end.
 * HostIsThreadSuspended says whether it has stopped. The caller keeps Thread.
 */
VOID HostSuspendThread(_In_ PETHREAD Thread);
VOID HostResumeThread(_In_ PETHREAD Thread);
BOOLEAN HostIsThreadSuspended(_In_ PETHREAD Thread);

/* The Countdown-th pool allocation from now on (1 is the next) fails once; zero switches it off. Any thread's. */
VOID HostFailAllocation(_In_ ULONG64 Countdown);
/* Asked about every pool allocation, on the thread that makes it; one for which it says TRUE fails. NULL: nobody is asked. */
typedef BOOLEAN (*PHOST_ALLOCATION_ROUTINE)(VOID);
VOID HostSetAllocationRoutine(_In_opt_ PHOST_ALLOCATION_ROUTINE Routine);
/* Pool allocations tried since boot. */
ULONG64 HostAllocationCount(VOID);

typedef VOID (*PHOST_ROUTINE)(_In_opt_ PVOID Context);

/*
 * Runs Count routines, each on a thread of its own, one at a time: at every kernel call, after every release of a lock, and at the driver's
 * interlocked operations the seed decides which goes on, and a thread that waits is not chosen. The same seed gives the same order. Work items that
 * they queue are run by threads of the schedule. Returns when all have returned. A state in which all wait is a bugcheck. Not nested.
 */
VOID HostRunSchedule(_In_ ULONG64 Seed, _In_ ULONG Count, _In_reads_(Count) const PHOST_ROUTINE *Routines,
                     _In_reads_(Count) PVOID *Contexts);

/*
 * How a schedule is explored, and what came out.
 * HostRunOn: a thread runs until it waits; nothing is recorded. HostRandomWalk: at one switch point of Inertia (0: 1), on average, any ready
 * thread goes on. HostByPriority: the ready thread of the highest priority goes on; priorities are drawn, and at Changes (at most 16) steps,
 * drawn from the first Length, the running thread falls behind all others. [Burckhardt et al., ASPLOS 2010]
 */
typedef enum _HOST_STRATEGY { HostRunOn, HostRandomWalk, HostByPriority } HOST_STRATEGY;
typedef VOID (*PHOST_STEP_ROUTINE)(_In_ ULONG Thread, _In_z_ const char *Point);

typedef struct _HOST_EXPLORATION {
    HOST_STRATEGY Strategy;
    ULONG64 Seed;
    ULONG Inertia;
    ULONG Changes;
    ULONG Length;
    ULONG TimeOuts; /* a wait's time is up at one switch point of so many, on average; 0: when every thread waits */
    BOOLEAN
    SystemThreads; /* the kernel is in the schedule from its boot on: drivers' threads are the schedule's, too, and so are the clocks */
    PHOST_STEP_ROUTINE Step; /* told of every step, or NULL */
    ULONG First;             /* the number of the first of the threads */
    ULONG64 Steps;           /* switch points passed */
    ULONG64 Hash;            /* of what was done by which thread, in order: it names the schedule */
} HOST_EXPLORATION, *PHOST_EXPLORATION;

/*
 * Like HostRunSchedule, by any strategy. Called by a thread of a schedule, adds threads to it, and returns when they have returned: until then
 * Exploration decides, of all its threads. Since the threads are fibers of one thread of the machine, fork takes a schedule along.
 */
VOID HostExploreSchedule(_Inout_ PHOST_EXPLORATION Exploration, _In_ ULONG Count,
                         _In_reads_(Count) const PHOST_ROUTINE *Routines, _In_reads_(Count) PVOID *Contexts);

/*
 * A bugcheck writes its code's name, the four parameters, the routine and a call stack to standard error and aborts. With a
 * routine set here it is called first (a test's, which may end the process itself).
 */
typedef VOID (*PHOST_BUG_CHECK_ROUTINE)(_In_ ULONG BugCheckCode, _In_z_ const char *Message);
VOID HostSetBugCheckRoutine(_In_opt_ PHOST_BUG_CHECK_ROUTINE Routine);

#ifdef __cplusplus
}
#endif

#endif
