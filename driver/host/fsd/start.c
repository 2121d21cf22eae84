/* Loads the file systems' drivers when the embedded kernel boots, and unloads them when it shuts down. */
#include "fsd.h"

#include "../host.h"

typedef struct _START_ENTRY {
    PCWSTR Name;
    BOOLEAN FileSystem;
    PDRIVER_INITIALIZE DriverEntry;
} START_ENTRY;

static const START_ENTRY StartEntries[] = {
    {L"HostMemory", TRUE, MemoryDriverEntry},
#ifndef _WIN32 /* the directory file system needs POSIX */
    {L"HostDirectory", TRUE, DirectoryDriverEntry},
#endif
    {L"HostPipe", TRUE, PipeDriverEntry},
};

static PDRIVER_OBJECT Drivers[RTL_NUMBER_OF(StartEntries)];

VOID HostStopFileSystems(VOID)
{
    SIZE_T Index = RTL_NUMBER_OF(StartEntries);

    while (Index != 0) {
        Index--;
        if (Drivers[Index] != NULL) {
            (VOID) HostUnloadDriver(Drivers[Index]);
            Drivers[Index] = NULL;
        }
    }
}

NTSTATUS HostStartFileSystems(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    SIZE_T Index;

    for (Index = 0; NT_SUCCESS(Status) && Index < RTL_NUMBER_OF(StartEntries); Index++) {
        Status = HostLoadDriver(StartEntries[Index].Name, StartEntries[Index].FileSystem,
                                StartEntries[Index].DriverEntry, &Drivers[Index]);
    }
    if (!NT_SUCCESS(Status)) {
        HostStopFileSystems();
    }
    return Status;
}
