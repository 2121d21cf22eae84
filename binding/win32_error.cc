// Failures of Win32 calls that are no requests to the driver: a Win32 error instead of an NTSTATUS.
#include "win32_error.h"

#include <string>

namespace psctx {

Napi::Error MakeWin32Error(Napi::Env env, const char *operation, std::uint32_t error)
{
    Napi::Error failure =
        Napi::Error::New(env, std::string(operation) + " failed with Win32 error " + std::to_string(error));

    failure.Set("win32", Napi::Number::New(env, error));
    failure.Set("operation", Napi::String::New(env, operation));
    return failure;
}

} // namespace psctx
