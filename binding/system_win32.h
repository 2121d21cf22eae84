// What the addon offers in Windows alone.
#ifndef PSCTX_BINDING_SYSTEM_WIN32_H
#define PSCTX_BINDING_SYSTEM_WIN32_H

#include <cstdint>
#include <string>

#include <napi.h>

#include <windows.h>

#include "status.h"

namespace psctx {

inline LPCWSTR AsWide(const std::u16string &text) noexcept
{
    return reinterpret_cast<LPCWSTR>(text.c_str());
}

// A terminated string that Windows has written; NULL is an empty one.
inline std::u16string FromWide(LPCWSTR text)
{
    return text == nullptr ? std::u16string() : std::u16string(reinterpret_cast<const char16_t *>(text));
}

// The failure of a Win32 call that is no request to the driver: an Error with the members win32 (the value of GetLastError) and
// operation. Thrown by value.
Napi::Error MakeWin32Error(Napi::Env env, const char *operation, std::uint32_t error);

// Facts that the CLI's doctor judges, and the service manager, for one driver service: each an object of functions, which throw these errors.
Napi::Object DefineSystem(Napi::Env env);
Napi::Object DefineService(Napi::Env env);

// A handle of its own for the file of a descriptor of Node.js', which stays as it is. STATUS_INVALID_HANDLE: there is no such descriptor.
Status DuplicateDescriptor(std::int32_t descriptor, std::uint64_t *handle);

} // namespace psctx

#endif
