// The control device of the Windows driver, by the names that it may have.
#include "device_win32.h"

#include <psctx/abi.h>

namespace psctx {
namespace {

HANDLE OpenByName(LPCWSTR name, DWORD access, DWORD flags) noexcept
{
    return ::CreateFileW(name, access, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING, flags, nullptr);
}

} // namespace

HANDLE OpenControlDevice(DWORD access, DWORD flags) noexcept
{
    const HANDLE device = OpenByName(PSCTX_WIN32_GLOBAL_NAME, access, flags);

    if (device == INVALID_HANDLE_VALUE && ::GetLastError() == ERROR_PATH_NOT_FOUND) {
        return OpenByName(PSCTX_WIN32_NAME, access, flags);
    }
    return device;
}

} // namespace psctx
