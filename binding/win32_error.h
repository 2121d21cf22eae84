// Failures of Win32 calls that are no requests to the driver: a Win32 error instead of an NTSTATUS.
#ifndef PSCTX_BINDING_WIN32_ERROR_H
#define PSCTX_BINDING_WIN32_ERROR_H

#include <cstdint>

#include <napi.h>

namespace psctx {

// An Error with the members win32 (the value of GetLastError) and operation. Thrown by value.
Napi::Error MakeWin32Error(Napi::Env env, const char *operation, std::uint32_t error);

} // namespace psctx

#endif
