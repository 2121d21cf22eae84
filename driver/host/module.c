/* Images of drivers: where each lies in the program that all are linked into, as the test or the addon has said. */
#include "kernel.h"

#include <stdio.h>

#define HOST_MAXIMUM_MODULES 64u

/* As SystemModuleInformation is laid out. */
typedef struct _HOST_MODULE {
    PVOID Section;
    PVOID MappedBase;
    PVOID ImageBase;
    ULONG ImageSize;
    ULONG Flags;
    USHORT LoadOrderIndex;
    USHORT InitOrderIndex;
    USHORT LoadCount;
    USHORT OffsetToFileName;
    CHAR FullPathName[256];
} HOST_MODULE, *PHOST_MODULE;

typedef struct _HOST_MODULES {
    ULONG NumberOfModules;
    HOST_MODULE Modules[1];
} HOST_MODULES, *PHOST_MODULES;

static HOST_MUTEX HostModulesMutex = HOST_MUTEX_INITIALIZER;
static PDRIVER_OBJECT HostModules[HOST_MAXIMUM_MODULES];
static ULONG HostModuleCount;

VOID HostSetDriverImage(PDRIVER_OBJECT DriverObject, const VOID *Start, SIZE_T Size)
{
    (VOID) HostCheckObject(DriverObject, "HostSetDriverImage");
    PlatformLock(&HostModulesMutex);
    if (HostModuleCount == HOST_MAXIMUM_MODULES) {
        HostViolation(DRIVER_VERIFIER_DETECTED_VIOLATION, "HostSetDriverImage", "more than %u images",
                      HOST_MAXIMUM_MODULES);
    }
    DriverObject->DriverStart = (PVOID)(ULONG_PTR)Start;
    DriverObject->DriverSize = (ULONG)Size;
    HostModules[HostModuleCount] = DriverObject;
    HostModuleCount++;
    PlatformUnlock(&HostModulesMutex);
}

VOID HostForgetModule(PDRIVER_OBJECT DriverObject)
{
    PlatformLock(&HostModulesMutex);
    for (ULONG Index = 0; Index < HostModuleCount; Index++) {
        if (HostModules[Index] == DriverObject) {
            HostModuleCount--;
            HostModules[Index] = HostModules[HostModuleCount];
            break;
        }
    }
    PlatformUnlock(&HostModulesMutex);
}

static VOID HostDescribeModule(ULONG Index, PHOST_MODULE Module)
{
    PDRIVER_OBJECT Driver = HostModules[Index];
    PUNICODE_STRING Name = &Driver->DriverExtension->ServiceKeyName;
    int Used;

    RtlZeroMemory(Module, sizeof(*Module));
    Module->ImageBase = Driver->DriverStart;
    Module->ImageSize = Driver->DriverSize;
    Module->LoadOrderIndex = (USHORT)Index;
    Module->LoadCount = 1;
    Used = snprintf(Module->FullPathName, sizeof(Module->FullPathName), "\\SystemRoot\\System32\\drivers\\");
    Module->OffsetToFileName = (USHORT)Used;
    for (ULONG Unit = 0; Unit < Name->Length / sizeof(WCHAR) && Used < 200; Unit++) {
        Module->FullPathName[Used] = (CHAR)Name->Buffer[Unit];
        Used++;
    }
    (VOID) snprintf(Module->FullPathName + Used, sizeof(Module->FullPathName) - (SIZE_T)Used, ".sys");
}

NTSTATUS HostQueryModules(PVOID Information, ULONG Length, PULONG ReturnLength)
{
    PHOST_MODULES List = Information;
    NTSTATUS Status = STATUS_INFO_LENGTH_MISMATCH;
    ULONG Needed;

    PlatformLock(&HostModulesMutex);
    Needed = (ULONG)(FIELD_OFFSET(HOST_MODULES, Modules) + HostModuleCount * sizeof(HOST_MODULE));
    if (Length >= Needed) {
        List->NumberOfModules = HostModuleCount;
        for (ULONG Index = 0; Index < HostModuleCount; Index++) {
            HostDescribeModule(Index, &List->Modules[Index]);
        }
        Status = STATUS_SUCCESS;
    }
    PlatformUnlock(&HostModulesMutex);
    if (ReturnLength != NULL) {
        *ReturnLength = Needed;
    }
    return Status;
}
