// The one place where a failure becomes a JavaScript error.
#include "errors.h"

#include <cstdio>

namespace psctx {

Napi::Error MakeError(Napi::Env env, const char *operation, Status status)
{
    char number[16];

    std::snprintf(number, sizeof(number), "0x%08X", static_cast<unsigned>(status));
    Napi::Error error = Napi::Error::New(env, std::string(operation) + " failed with status " + number);
    error.Set("status", Napi::Number::New(env, status));
    error.Set("operation", Napi::String::New(env, operation));
    return error;
}

Napi::Error MakeArgumentError(Napi::Env env, const char *operation, const char *argument)
{
    Napi::Error error = MakeError(env, operation, kStatusInvalidParameter);

    error.Set("argument", Napi::String::New(env, argument));
    return error;
}

Napi::Error MakeOverflowError(Napi::Env env, const char *operation, std::uint32_t required)
{
    Napi::Error error = MakeError(env, operation, kStatusBufferOverflow);

    error.Set("required", Napi::Number::New(env, required));
    return error;
}

Napi::Error MakeLeftoversError(Napi::Env env, const char *operation, const std::string &leftovers)
{
    Napi::Error error = MakeError(env, operation, kStatusInternalError);

    error.Set("leftovers", Napi::String::New(env, leftovers));
    return error;
}

} // namespace psctx
