/* Finds ntdll's routines. */
#include "nt.h"

NT_ROUTINES Nt;

static BOOL Find(HMODULE module, const char *name, void *pointer)
{
    FARPROC found = GetProcAddress(module, name);

    *(FARPROC *)pointer = found;
    return found != NULL;
}

BOOL LoadNt(void)
{
    const HMODULE module = GetModuleHandleW(L"ntdll.dll");

    return module != NULL && Find(module, "NtDeviceIoControlFile", &Nt.DeviceControl) &&
           Find(module, "NtFsControlFile", &Nt.FsControl) && Find(module, "NtClose", &Nt.Close) &&
           Find(module, "NtCreateFile", &Nt.CreateFile) && Find(module, "NtLoadDriver", &Nt.LoadDriver) &&
           Find(module, "NtUnloadDriver", &Nt.UnloadDriver) &&
           Find(module, "RtlNtStatusToDosError", &Nt.StatusToError) &&
           Find(module, "RtlAdjustPrivilege", &Nt.AdjustPrivilege);
}

BOOL IsWine(void)
{
    const HMODULE module = GetModuleHandleW(L"ntdll.dll");

    return module != NULL && GetProcAddress(module, "wine_get_version") != NULL;
}
