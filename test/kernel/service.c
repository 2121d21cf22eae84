/* The driver as a service: by the service manager, or by the registry and NtLoadDriver where there is none. */
#include "service.h"
#include "device.h"
#include "files.h"
#include "options.h"
#include "registration.h"

#define SERVICE_GROUP L"FSFilter Activity Monitor"
#define LOAD_DRIVER_PRIVILEGE 10u
#define INVALID_IMAGE_HASH 577u /* ERROR_INVALID_IMAGE_HASH, newer than NT 5.2 */
#define BAIL_OUT_MILLISECONDS 4000u

static const FRONT *Front;
static SC_HANDLE Service;
static BOOL Registered; /* with --native */
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

static NT_STRING MakeString(const WCHAR *text)
{
    const USHORT length = (USHORT)(WideLength(text) * sizeof(WCHAR));
    const NT_STRING string = {length, (USHORT)(length + sizeof(WCHAR)), text};

    return string;
}

static BOOL FindImage(WCHAR *path)
{
    const DWORD length = GetFullPathNameW(Options.Driver, PATH_CAPACITY, path, NULL);

    if (length == 0 || length >= PATH_CAPACITY) {
        return Tell("the name of the driver's file", ERROR_FILENAME_EXCED_RANGE);
    }
    Front = FindFront(path);
    if (Front == NULL) {
        Note("no driver at %w: error %u", path, GetLastError());
        return FALSE;
    }
    return TRUE;
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

static BOOL LoadByManager(const WCHAR *path)
{
    const SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    DWORD error;

    if (manager == NULL) {
        return Tell("opening the service manager (without one: --native)", GetLastError());
    }
    Service = CreateServiceW(manager, Front->Service, Front->Service,
                             SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE, Front->ServiceType,
                             SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, path, SERVICE_GROUP, NULL, Front->Dependencies,
                             NULL, NULL);
    error = GetLastError();
    (void)CloseServiceHandle(manager);
    if (Service == NULL) {
        return Tell("making the service", error);
    }
    return WriteValues(Front) && StartByManager();
}

static BOOL IsStopped(void *unused)
{
    SERVICE_STATUS status;

    (void)unused;
    return QueryServiceStatus(Service, &status) && status.dwCurrentState == SERVICE_STOPPED;
}

static BOOL StopByManager(void)
{
    SERVICE_STATUS status;

    if (!ControlService(Service, SERVICE_CONTROL_STOP, &status)) {
        return Tell("stopping the driver", GetLastError());
    }
    if (!WaitUntil(IsStopped, NULL)) {
        Note("the driver was asked to stop, and still runs");
        return FALSE;
    }
    return TRUE;
}

static BOOL LoadByRegistry(const WCHAR *path)
{
    const NT_STRING key = MakeString(Front->NativeKey);
    WCHAR image[PATH_CAPACITY] = L"\\??\\";
    BOOLEAN was;
    LONG status;

    if (!WideAppend(image, PATH_CAPACITY, path)) {
        return Tell("the name of the driver's file", ERROR_FILENAME_EXCED_RANGE);
    }
    Registered = TRUE;
    if (!Register(Front, SERVICE_GROUP, image) || !WriteValues(Front)) {
        return FALSE;
    }
    status = Nt.AdjustPrivilege(LOAD_DRIVER_PRIVILEGE, TRUE, FALSE, &was);
    if (status != STATUS_SUCCESS) {
        return TellStatus("enabling the privilege to load drivers", status);
    }
    status = Nt.LoadDriver(&key);
    if (status != STATUS_SUCCESS) {
        return TellStatus("NtLoadDriver", status);
    }
    Started = TRUE;
    return TRUE;
}

static BOOL StopByRegistry(void)
{
    const NT_STRING key = MakeString(Front->NativeKey);
    const LONG status = Nt.UnloadDriver(&key);

    return status == STATUS_SUCCESS || TellStatus("NtUnloadDriver", status);
}

static BOOL Stop(void)
{
    if (!Started) {
        return TRUE;
    }
    Started = FALSE;
    return Service != NULL ? StopByManager() : StopByRegistry();
}

static BOOL Forget(void)
{
    BOOL done = TRUE;

    if (Service != NULL) {
        done = DeleteService(Service) || Tell("deleting the service", GetLastError());
        (void)CloseServiceHandle(Service);
        Service = NULL;
    }
    if (Registered) {
        done = Unregister(Front);
        Registered = FALSE;
    }
    return done;
}

static DWORD WINAPI StopInThread(void *unused)
{
    (void)unused;
    (void)Stop();
    return 0;
}

/* The process ends, and with it what keeps the driver. A driver that does not let anybody go does not keep its service for that. */
static void TakeBack(void)
{
    const HANDLE thread = CreateThread(NULL, 0, StopInThread, NULL, 0, NULL);

    if (thread != NULL) {
        (void)WaitForSingleObject(thread, BAIL_OUT_MILLISECONDS);
    }
    (void)Forget();
}

BOOL DriverLoad(void)
{
    WCHAR path[PATH_CAPACITY];

    if (!FindImage(path)) {
        return FALSE;
    }
    if (IsRegistered(Front)) {
        Note("there is a service %w already: run without --driver, or delete it", Front->Service);
        return FALSE;
    }
    if (!IsDeviceGone()) {
        Note("there is a driver already: run without --driver, or stop it");
        return FALSE;
    }
    OnBailOut(TakeBack);
    return Options.Native ? LoadByRegistry(path) : LoadByManager(path);
}

BOOL DriverUnload(void)
{
    const BOOL stopped = Stop();

    return Forget() && stopped;
}

BOOL IsDriverGone(void *unused)
{
    (void)unused;
    return IsDeviceGone() && !IsRegistered(Front);
}

const FRONT *LoadedFront(void)
{
    return Front;
}
