/* What psctx.inf and psctx-minifilter.inf say of the services, and which of them an image is for. */
#include "front.h"

#define SERVICES_KEY L"SYSTEM\\CurrentControlSet\\Services\\"
#define NATIVE_SERVICES_KEY L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
#define FILTER_MANAGER_IMAGE L"fltmgr.sys"
#define IMAGE_CAPACITY 0x100000u

/* Such a driver may be stopped only with this value; a minifilter always. */
static const FRONT_VALUE LegacyValues[] = {
    {L"", L"AllowUnload", NULL, 1},
};

/* Features and instance: below Parameters from Windows 11 24H2 on. */
static const FRONT_VALUE MinifilterValues[] = {
    {L"", L"SupportedFeatures", NULL, 3},
    {L"\\Instances", L"DefaultInstance", L"psctx", 0},
    {L"\\Instances\\psctx", L"Altitude", L"385099.5", 0},
    {L"\\Instances\\psctx", L"Flags", NULL, 0},
    {L"\\Parameters", L"SupportedFeatures", NULL, 3},
    {L"\\Parameters\\Instances", L"DefaultInstance", L"psctx", 0},
    {L"\\Parameters\\Instances\\psctx", L"Altitude", L"385099.5", 0},
    {L"\\Parameters\\Instances\\psctx", L"Flags", NULL, 0},
};

static const WCHAR MinifilterDependencies[] = L"FltMgr\0";

/* Not SERVICE_FILE_SYSTEM_DRIVER, which it is: there are kernels that find only drivers of this type again when they are to unload one. */
static const FRONT Legacy = {
    .Number = PSCTX_FRONT_LEGACY,
    .Service = L"psctx",
    .ServiceKey = SERVICES_KEY L"psctx",
    .NativeKey = NATIVE_SERVICES_KEY L"psctx",
    .ServiceType = SERVICE_KERNEL_DRIVER,
    .Values = LegacyValues,
    .ValueCount = COUNT_OF(LegacyValues),
};

static const FRONT Minifilter = {
    .Number = PSCTX_FRONT_MINIFILTER,
    .Service = L"psctx-minifilter",
    .ServiceKey = SERVICES_KEY L"psctx-minifilter",
    .NativeKey = NATIVE_SERVICES_KEY L"psctx-minifilter",
    .ServiceType = SERVICE_FILE_SYSTEM_DRIVER,
    .Dependencies = MinifilterDependencies,
    .DependenciesSize = sizeof(MinifilterDependencies),
    .Values = MinifilterValues,
    .ValueCount = COUNT_OF(MinifilterValues),
};

/* Its strings are those of a text that ends with a NUL, and so does the image. */
static BOOL NamesFilterManager(const char *image, DWORD length)
{
    for (const char *text = image; text < image + length; text += 1) {
        if (Contains(text, FILTER_MANAGER_IMAGE)) {
            return TRUE;
        }
        while (*text != 0) {
            text += 1;
        }
    }
    return FALSE;
}

const FRONT *FindFront(const WCHAR *path)
{
    static char image[IMAGE_CAPACITY + 1];
    const HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    DWORD length = 0;
    DWORD error = ERROR_SUCCESS;

    if (file == INVALID_HANDLE_VALUE) {
        return NULL;
    }
    if (!ReadFile(file, image, IMAGE_CAPACITY, &length, NULL)) {
        error = GetLastError();
    }
    (void)CloseHandle(file);
    SetLastError(error);
    if (error != ERROR_SUCCESS) {
        return NULL;
    }
    return NamesFilterManager(image, length) ? &Minifilter : &Legacy;
}

const char *FrontName(ULONG number)
{
    return number == PSCTX_FRONT_MINIFILTER ? "minifilter" : "legacy filter";
}
