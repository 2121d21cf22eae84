/*
 * A file system for the filter's tests: one volume, one file stream, and a record of what reached it.
 */
#ifndef PSCTX_TEST_FILE_SYSTEM_H
#define PSCTX_TEST_FILE_SYSTEM_H

#include <host.h>

#define TEST_CONTROL_DEVICE L"\\TestFs"
#define TEST_DISK L"\\Device\\TestDisk"

typedef VOID TEST_CREATE_HOOK(_In_opt_ PVOID Context);

typedef struct _TEST_FILE_SYSTEM {
    /* How it is loaded. */
    PCWSTR DriverName;      /* \FileSystem\<DriverName> */
    DEVICE_TYPE DeviceType; /* of the control device and the volume */
    PDEVICE_OBJECT Disk;    /* whose volume it mounts, or NULL */

    /* How it answers. */
    NTSTATUS MountStatus;
    NTSTATUS LoadStatus;
    NTSTATUS CreateStatus;
    BOOLEAN Pends;            /* creates, reads and mounts are completed by another thread */
    BOOLEAN HoldsNames;       /* likewise where it is asked for a name */
    BOOLEAN HoldsCreates;     /* they wait until they are cancelled, as for an oplock that nobody gives up */
    BOOLEAN TearsNothingDown; /* and so says its image */
    LONGLONG Delay;        /* what mounts and requests of no test of their own take, as KeDelayExecutionThread has it */
    BOOLEAN LosesContexts; /* the stream takes no filter contexts */
    BOOLEAN FastIoAnswer;  /* of every fast I/O entry */
    BOOLEAN DeletesOnLoad; /* a successful load deletes the control device, as a recognizer does */
    BOOLEAN LeavesStackSize; /* the volume's device says nothing of how deep its stack is */
    PCWSTR NormalizedName;   /* of every file; NULL: it tells none */
    PCWSTR Name;             /* of every file; NULL: the one it was opened by */
    NTSTATUS NameStatus;     /* a failure: it tells no name */
    VOID (*SpoilName)(_Inout_ PFILE_NAME_INFORMATION Name, _Inout_ PIRP Irp); /* changes an answer that is whole */
    TEST_CREATE_HOOK
    *Hook; /* called by each create, and by requests of no test of their own, before they are answered */
    PVOID HookContext;

    /* What it has seen. */
    volatile LONG Requests[IRP_MJ_MAXIMUM_FUNCTION + 1];
    IO_STACK_LOCATION Location;     /* of the last request, as it came in */
    PVOID UserBuffer;               /* likewise */
    ULONG IrpFlags;                 /* likewise */
    PETHREAD IrpThread;             /* likewise */
    PFILE_OBJECT IrpFileObject;     /* likewise */
    ULONG FastIoEntry;              /* offset in the table of the entry that was called last, or 0 */
    PDEVICE_OBJECT FastIoDevice;    /* the device it was called for */
    PDEVICE_OBJECT QueryOpenDevice; /* the device that the stack location named meanwhile */
    ULONG Teardowns;

    /* What it is. */
    PDRIVER_OBJECT DriverObject;
    PDEVICE_OBJECT ControlDevice;
    PDEVICE_OBJECT VolumeDevice; /* NULL while nothing is mounted */
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX HeaderMutex;
    SECTION_OBJECT_POINTERS Sections;
    ULONG Opens;
} TEST_FILE_SYSTEM, *PTEST_FILE_SYSTEM;

/* There is one; to be set up between TestFileSystemReset and TestFileSystemLoad. */
extern TEST_FILE_SYSTEM TestFileSystem;

VOID TestFileSystemReset(VOID);
NTSTATUS TestFileSystemLoad(VOID);
VOID TestFileSystemUnload(VOID);

/* Its registration apart from its loading, which does it too. */
VOID TestFileSystemRegister(VOID);
VOID TestFileSystemUnregister(VOID);

/* Deletes the volume device, as after a dismount. */
VOID TestFileSystemDismount(VOID);

/* A disk of a driver \Driver\<DriverName>. */
NTSTATUS TestDiskLoad(_In_z_ PCWSTR DriverName, _Outptr_ PDRIVER_OBJECT *DriverObject, _Outptr_ PDEVICE_OBJECT *Disk);

extern FAST_IO_DISPATCH TestFastIoDispatch;

#endif
