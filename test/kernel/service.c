/* The driver as a service: by the service manager, or by the registry and NtLoadDriver where there is none. */
#include "service.h"
#include "files.h"
#include "options.h"

/* Not SERVICE_FILE_SYSTEM_DRIVER, which it is: there are kernels that find only drivers of this type again when they are to unload one. */
#define SERVICE_TYPE SERVICE_KERNEL_DRIVER
#define SERVICE_NAME L"psctx"
#define SERVICE_GROUP L"FSFilter Activity Monitor"
#define SERVICE_KEY L"SYSTEM\\CurrentControlSet\\Services\\psctx"
#define NATIVE_KEY L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\psctx"
#define LOAD_DRIVER_PRIVILEGE 10u
#define CASE_INSENSITIVE 0x40u
#define INVALID_IMAGE_HASH 577u /* ERROR_INVALID_IMAGE_HASH, newer than NT 5.2 */

static SC_HANDLE Service;
static HANDLE Key; /* of the service, made here, with --native */
static BOOL Started;

static BOOL Tell(const char *what, DWORD error)
{
    Note("%s fails with error %u", what, error);
    return FALSE;
}

static BOOL TellStatus(const char *what, LONG status)
{
    Note("%s fails with status %x %s", what, (ULONG)status, StatusName((ULONG)status));
    return FALSE;
}

/* The full path, behind a prefix that is empty or the object manager's. */
static BOOL DriverPath(const WCHAR *prefix, WCHAR *path)
{
    WCHAR full[PATH_CAPACITY];
    const DWORD length = GetFullPathNameW(Options.Driver, PATH_CAPACITY, full, NULL);

    path[0] = 0;
    if (length == 0 || length >= PATH_CAPACITY || !WideAppend(path, PATH_CAPACITY, prefix) ||
        !WideAppend(path, PATH_CAPACITY, full)) {
        return Tell("the name of the driver's file", ERROR_FILENAME_EXCED_RANGE);
    }
    if (GetFileAttributesW(full) == INVALID_FILE_ATTRIBUTES) {
        Note("no driver at %w: error %u", full, GetLastError());
        return FALSE;
    }
    return TRUE;
}

/* A driver with this value in its key may be stopped. */
static BOOL AllowUnload(void)
{
    const DWORD allow = 1;
    HKEY key;
    LONG error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, SERVICE_KEY, 0, KEY_SET_VALUE, &key);

    if (error == ERROR_SUCCESS) {
        error = RegSetValueExW(key, L"AllowUnload", 0, REG_DWORD, (const BYTE *)&allow, sizeof(allow));
        (void)RegCloseKey(key);
    }
    return error == ERROR_SUCCESS || Tell("writing AllowUnload", (DWORD)error);
}

static BOOL StartByManager(void)
{
    if (!StartServiceW(Service, 0, NULL)) {
        const DWORD error = GetLastError();

        if (error == INVALID_IMAGE_HASH) {
            Note("the driver's signature is not accepted: a test machine needs test signing");
        }
        return Tell("starting the driver", error);
    }
    Started = TRUE;
    return TRUE;
}

static BOOL LoadByManager(void)
{
    WCHAR path[PATH_CAPACITY];
    SC_HANDLE manager;

    if (!DriverPath(L"", path)) {
        return FALSE;
    }
    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    if (manager == NULL) {
        return Tell("opening the service manager (without one: --native)", GetLastError());
    }
    Service = CreateServiceW(manager, SERVICE_NAME, SERVICE_NAME,
                             SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE, SERVICE_TYPE,
                             SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, path, SERVICE_GROUP, NULL, NULL, NULL, NULL);
    if (Service == NULL) {
        const DWORD error = GetLastError();

        (void)CloseServiceHandle(manager);
        return Tell("making the service psctx (1073: it is there already; run without --driver, or delete it)", error);
    }
    (void)CloseServiceHandle(manager);
    return AllowUnload() && StartByManager();
}

static BOOL IsStopped(void *unused)
{
    SERVICE_STATUS status;

    (void)unused;
    return QueryServiceStatus(Service, &status) && status.dwCurrentState == SERVICE_STOPPED;
}

static BOOL UnloadByManager(void)
{
    SERVICE_STATUS status;
    BOOL done = TRUE;

    if (Started) {
        if (!ControlService(Service, SERVICE_CONTROL_STOP, &status)) {
            done = Tell("stopping the driver", GetLastError());
        } else if (!WaitUntil(IsStopped, NULL)) {
            Note("the driver was asked to stop, and still runs");
            done = FALSE;
        }
    }
    if (!DeleteService(Service)) {
        done = Tell("deleting the service", GetLastError());
    }
    (void)CloseServiceHandle(Service);
    Service = NULL;
    return done;
}

static NT_STRING MakeString(const WCHAR *text)
{
    const USHORT length = (USHORT)(WideLength(text) * sizeof(WCHAR));
    const NT_STRING string = {length, (USHORT)(length + sizeof(WCHAR)), text};

    return string;
}

static BOOL SetValue(const WCHAR *name, ULONG type, const void *data, ULONG length)
{
    const NT_STRING string = MakeString(name);
    const LONG status = Nt.SetValueKey(Key, &string, 0, type, data, length);

    return status == STATUS_SUCCESS || TellStatus("writing the service's key", status);
}

static BOOL SetNumber(const WCHAR *name, ULONG number)
{
    return SetValue(name, REG_DWORD, &number, sizeof(number));
}

static BOOL SetText(const WCHAR *name, ULONG type, const WCHAR *text)
{
    return SetValue(name, type, text, (ULONG)((WideLength(text) + 1) * sizeof(WCHAR)));
}

static BOOL LoadByRegistry(void)
{
    const NT_STRING keyName = MakeString(NATIVE_KEY);
    const NT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &keyName, CASE_INSENSITIVE, NULL, NULL};
    WCHAR path[PATH_CAPACITY];
    ULONG disposition = 0;
    BOOLEAN was;
    LONG status;

    if (!DriverPath(L"\\??\\", path)) {
        return FALSE;
    }
    status = Nt.CreateKey(&Key, KEY_SET_VALUE | DELETE, &attributes, 0, NULL, REG_OPTION_NON_VOLATILE, &disposition);
    if (status != STATUS_SUCCESS) {
        return TellStatus("making the service's key", status);
    }
    if (disposition != REG_CREATED_NEW_KEY) {
        (void)Nt.Close(Key);
        Key = NULL;
        Note("there is a service psctx already: run without --driver, or delete it");
        return FALSE;
    }
    if (!SetNumber(L"Type", SERVICE_TYPE) || !SetNumber(L"Start", SERVICE_DEMAND_START) ||
        !SetNumber(L"ErrorControl", SERVICE_ERROR_NORMAL) || !SetNumber(L"AllowUnload", 1) ||
        !SetText(L"ImagePath", REG_EXPAND_SZ, path) || !SetText(L"Group", REG_SZ, SERVICE_GROUP)) {
        return FALSE;
    }
    status = Nt.AdjustPrivilege(LOAD_DRIVER_PRIVILEGE, TRUE, FALSE, &was);
    if (status != STATUS_SUCCESS) {
        return TellStatus("enabling the privilege to load drivers", status);
    }
    status = Nt.LoadDriver(&keyName);
    if (status != STATUS_SUCCESS) {
        return TellStatus("NtLoadDriver", status);
    }
    Started = TRUE;
    return TRUE;
}

static BOOL UnloadByRegistry(void)
{
    const NT_STRING keyName = MakeString(NATIVE_KEY);
    BOOL done = TRUE;
    LONG status;

    if (Started) {
        status = Nt.UnloadDriver(&keyName);
        if (status != STATUS_SUCCESS) {
            done = TellStatus("NtUnloadDriver", status);
        }
    }
    status = Nt.DeleteKey(Key);
    if (status != STATUS_SUCCESS) {
        done = TellStatus("deleting the service's key", status);
    }
    (void)Nt.Close(Key);
    Key = NULL;
    return done;
}

BOOL DriverLoad(void)
{
    return Options.Native ? LoadByRegistry() : LoadByManager();
}

BOOL DriverUnload(void)
{
    if (Service != NULL) {
        return UnloadByManager();
    }
    return Key == NULL || UnloadByRegistry();
}
