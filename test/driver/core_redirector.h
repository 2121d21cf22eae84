/*
 * A redirector: a file system without a disk, of a named device, whose opens are given what a test has prepared.
 */
#ifndef CORE_REDIRECTOR_H
#define CORE_REDIRECTOR_H

#include <host.h>

#define CORE_REDIRECTOR_DEVICE L"\\Device\\CoreRedirector"
#define CORE_REMOTE_FILE CORE_REDIRECTOR_DEVICE L"\\server\\share\\file.txt"

typedef struct _CORE_REDIRECTOR {
    /* How it is loaded. */
    PCWSTR Name;      /* \FileSystem\<Name> */
    ULONG_PTR Import; /* the one address that its image imports; zero: one in the image itself */

    /* What an open is given. Set up for a file when it is loaded. */
    PVOID FsContext;
    PSECTION_OBJECT_POINTERS SectionObjectPointer;
    ULONG Flags; /* of the file object */

    /* What it is. The header is torn down with the last open. */
    FSRTL_ADVANCED_FCB_HEADER Header;
    SECTION_OBJECT_POINTERS Sections;
    FAST_MUTEX Mutex;
    ERESOURCE Resource;
    ULONG Opens;
    PDRIVER_OBJECT Driver;
    PDEVICE_OBJECT Device;
} CORE_REDIRECTOR, *PCORE_REDIRECTOR;

/* There is one. Its registration comes with its loading. */
extern CORE_REDIRECTOR CoreRedirector;

VOID CoreLoadRedirector(_In_z_ PCWSTR Name, _In_ ULONG_PTR Import);
VOID CoreUnloadRedirector(VOID);

/* A driver that redirectors are built on: its image holds the address that is returned. */
ULONG_PTR CoreLoadSubsystem(_In_z_ PCWSTR Name);
VOID CoreUnloadSubsystem(VOID);

#endif
