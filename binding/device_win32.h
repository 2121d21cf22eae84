// The control device of the Windows driver.
#ifndef PSCTX_BINDING_DEVICE_WIN32_H
#define PSCTX_BINDING_DEVICE_WIN32_H

#include "win32.h"

namespace psctx {

// Opens it with these rights and FILE_FLAG_*; INVALID_HANDLE_VALUE, with GetLastError() set, if that fails.
HANDLE OpenControlDevice(DWORD access, DWORD flags) noexcept;

} // namespace psctx

#endif
