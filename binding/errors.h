// The one place where a failure becomes a JavaScript error.
#ifndef PSCTX_BINDING_ERRORS_H
#define PSCTX_BINDING_ERRORS_H

#include <cstdint>
#include <string>

#include <napi.h>

#include "status.h"

namespace psctx {

// An Error with the members status (the NTSTATUS as an unsigned number) and operation. Thrown by value.
Napi::Error MakeError(Napi::Env env, const char *operation, Status status);

// STATUS_INVALID_PARAMETER, with the member argument: the name of the argument that is not what it must be.
Napi::Error MakeArgumentError(Napi::Env env, const char *operation, const char *argument);

// STATUS_BUFFER_OVERFLOW, with the member required: how many bytes the buffer must have.
Napi::Error MakeOverflowError(Napi::Env env, const char *operation, std::uint32_t required);

// STATUS_INTERNAL_ERROR of a closed filter whose kernel still holds something, with the member leftovers: what.
Napi::Error MakeLeftoversError(Napi::Env env, const char *operation, const std::string &leftovers);

} // namespace psctx

#endif
