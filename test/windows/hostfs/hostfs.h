/*
 * hostfs.sys: the embedded kernel's memory file system as a driver for Wine, and what leads Wine's opens to it.
 *
 * Wine opens devices by their whole name, never a name below a device, and sends no IRP_MJ_CLEANUP. So every stream
 * that can be opened has a device of its own (path.c), linked below \??\PsHostFs under each spelling of its name;
 * what is sent to that device is sent on to the top of the mounted volume's stack (route.c), filled in as the I/O
 * manager would have done it.
 */
#ifndef PSCTX_TEST_HOSTFS_H
#define PSCTX_TEST_HOSTFS_H

#include "fsd.h"
#include "request.h"

#include "../host.h"
#include "../host_disk.h"

#define HOSTFS_TAG 'fsoH'
#define HOSTFS_DIRECTORY L"\\??\\PsHostFs"
#define HOSTFS_PENDING L"\\pending" /* whose reads are pended until they are cancelled */
#define HOSTFS_COMMON L"\\common"   /* whose stream context does not say that its header is an advanced one */

#define HOSTFS_PATH_DEVICE FILE_DEVICE_UNKNOWN
#define HOSTFS_CONTROL_DEVICE FILE_DEVICE_NULL

/* A disk that the volume is mounted on: the extension of its device. */
typedef struct _HOSTFS_DISK {
    HOST_DISK_EXTENSION Public;
    PDEVICE_OBJECT Device;
    LIST_ENTRY Links;
    ULONG Opens; /* file objects that came through a path device */
} HOSTFS_DISK, *PHOSTFS_DISK;

/* A stream that can be opened: the extension of its device. */
typedef struct _HOSTFS_PATH {
    LIST_ENTRY Links; /* of the named ones, or of the retired */
    PDEVICE_OBJECT Device;
    PHOSTFS_DISK Disk;
    ULONG Opens;
    BOOLEAN Directory;
    HANDLE ObjectDirectory; /* of a directory: what its files' links are in */
    UNICODE_STRING DeviceName;
    UNICODE_STRING Name; /* as the file system is asked for it: \directory\file:stream; empty for the volume */
    WCHAR Text[1];
} HOSTFS_PATH, *PHOSTFS_PATH;

extern PDRIVER_OBJECT HostfsDriver;
extern PDEVICE_OBJECT HostfsFileSystem; /* the file system's control device */
extern PHOSTFS_DISK HostfsDisk;         /* the mounted one, or NULL */
extern PDRIVER_DISPATCH HostfsFileSystemDispatch;

/* path.c */
NTSTATUS HostfsStartPaths(VOID);
VOID HostfsStopPaths(VOID);
NTSTATUS HostfsAddPath(_In_ PCUNICODE_STRING Name, _In_ BOOLEAN Directory);
VOID HostfsRemovePaths(_In_ PCUNICODE_STRING Name);
VOID HostfsRemoveAllPaths(VOID);
/* The names of a file and its streams, or of what is below a directory, under another name as well. */
NTSTATUS HostfsCopyPaths(_In_ PCUNICODE_STRING From, _In_ PCUNICODE_STRING To);
VOID HostfsReapPaths(VOID);

/* route.c */
DRIVER_DISPATCH HostfsRoute;

/* pend.c */
VOID HostfsStartPending(VOID);
NTSTATUS HostfsPendRead(_Inout_ PIRP Irp);
VOID HostfsCancelReads(_In_ const FILE_OBJECT *FileObject);

/* file.c: the driver's own opens, through the whole stack. */
NTSTATUS HostfsOpen(_In_ PCUNICODE_STRING Name, _In_ ULONG Disposition, _In_ ULONG Options,
                    _Outptr_ PFILE_OBJECT *FileObject);
VOID HostfsClose(_In_ PFILE_OBJECT FileObject);
NTSTATUS HostfsSetInformation(_In_ PFILE_OBJECT FileObject, _In_opt_ PFILE_OBJECT Target,
                              _In_ FILE_INFORMATION_CLASS Class, _In_ PVOID Buffer, _In_ ULONG Length);

/* disk.c */
/* Fault is one of HostFindFault's, or zero. */
NTSTATUS HostfsMount(_In_ ULONG Fault);
NTSTATUS HostfsDismount(VOID);
VOID HostfsReapDisks(VOID);

/* command.c */
NTSTATUS HostfsStartCommands(VOID);
VOID HostfsStopCommands(VOID);
DRIVER_DISPATCH HostfsCommandDispatch;

#endif
