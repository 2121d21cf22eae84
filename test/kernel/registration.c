/* Makes a service's key, fills it, and deletes it. */
#include "registration.h"

#define NAME_CAPACITY 256u

static BOOL Tell(const char *what, const FRONT *front, LONG error)
{
    Note("%s the key of the service %w fails with error %u", what, front->Service, (DWORD)error);
    return FALSE;
}

BOOL IsRegistered(const FRONT *front)
{
    HKEY key;
    const LONG error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, front->ServiceKey, 0, KEY_QUERY_VALUE, &key);

    if (error == ERROR_SUCCESS) {
        (void)RegCloseKey(key);
    }
    return error != ERROR_FILE_NOT_FOUND;
}

static LONG SetNumber(HKEY key, const WCHAR *name, DWORD number)
{
    return RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&number, sizeof(number));
}

static LONG SetText(HKEY key, const WCHAR *name, DWORD type, const WCHAR *text)
{
    return RegSetValueExW(key, name, 0, type, (const BYTE *)text, (DWORD)((WideLength(text) + 1) * sizeof(WCHAR)));
}

static LONG WriteService(HKEY key, const FRONT *front, const WCHAR *group, const WCHAR *image)
{
    LONG error = SetNumber(key, L"Type", front->ServiceType);

    if (error == ERROR_SUCCESS) {
        error = SetNumber(key, L"Start", SERVICE_DEMAND_START);
    }
    if (error == ERROR_SUCCESS) {
        error = SetNumber(key, L"ErrorControl", SERVICE_ERROR_NORMAL);
    }
    if (error == ERROR_SUCCESS) {
        error = SetText(key, L"ImagePath", REG_EXPAND_SZ, image);
    }
    if (error == ERROR_SUCCESS) {
        error = SetText(key, L"Group", REG_SZ, group);
    }
    if (error == ERROR_SUCCESS && front->Dependencies != NULL) {
        error = RegSetValueExW(key, L"DependOnService", 0, REG_MULTI_SZ, (const BYTE *)front->Dependencies,
                               front->DependenciesSize);
    }
    return error;
}

BOOL Register(const FRONT *front, const WCHAR *group, const WCHAR *image)
{
    HKEY key;
    LONG error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, front->ServiceKey, 0, NULL, REG_OPTION_NON_VOLATILE, KEY_SET_VALUE,
                                 NULL, &key, NULL);

    if (error != ERROR_SUCCESS) {
        return Tell("making", front, error);
    }
    error = WriteService(key, front, group, image);
    (void)RegCloseKey(key);
    return error == ERROR_SUCCESS || Tell("writing", front, error);
}

static LONG WriteValue(const FRONT *front, const FRONT_VALUE *value)
{
    WCHAR path[NAME_CAPACITY] = L"";
    HKEY key;
    LONG error;

    if (!WideAppend(path, NAME_CAPACITY, front->ServiceKey) || !WideAppend(path, NAME_CAPACITY, value->Key)) {
        return ERROR_FILENAME_EXCED_RANGE;
    }
    error =
        RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, REG_OPTION_NON_VOLATILE, KEY_SET_VALUE, NULL, &key, NULL);
    if (error == ERROR_SUCCESS) {
        error = value->Text != NULL ? SetText(key, value->Name, REG_SZ, value->Text)
                                    : SetNumber(key, value->Name, value->Number);
        (void)RegCloseKey(key);
    }
    return error;
}

BOOL WriteValues(const FRONT *front)
{
    LONG error = ERROR_SUCCESS;

    for (ULONG index = 0; index < front->ValueCount && error == ERROR_SUCCESS; index += 1) {
        error = WriteValue(front, &front->Values[index]);
    }
    return error == ERROR_SUCCESS || Tell("writing", front, error);
}

/* Keys below go first: RegDeleteKey takes none that has any. What is open is gone when it is closed. */
static LONG DeleteTree(HKEY parent, const WCHAR *name)
{
    WCHAR below[NAME_CAPACITY];
    DWORD length = NAME_CAPACITY;
    HKEY key;
    LONG error = RegOpenKeyExW(parent, name, 0, KEY_ENUMERATE_SUB_KEYS, &key);

    if (error != ERROR_SUCCESS) {
        return error;
    }
    while (error == ERROR_SUCCESS && RegEnumKeyExW(key, 0, below, &length, NULL, NULL, NULL, NULL) == ERROR_SUCCESS) {
        error = DeleteTree(key, below);
        length = NAME_CAPACITY;
    }
    (void)RegCloseKey(key);
    return error == ERROR_SUCCESS ? RegDeleteKeyW(parent, name) : error;
}

BOOL Unregister(const FRONT *front)
{
    const LONG error = DeleteTree(HKEY_LOCAL_MACHINE, front->ServiceKey);

    return error == ERROR_SUCCESS || Tell("deleting", front, error);
}
