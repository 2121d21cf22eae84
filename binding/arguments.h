// Reads JavaScript arguments, and throws an error that names the argument when one is not of the type or range asked for.
#ifndef PSCTX_BINDING_ARGUMENTS_H
#define PSCTX_BINDING_ARGUMENTS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include <napi.h>

#include "codec.h"

namespace psctx {

struct Bytes {
    std::uint8_t *data = nullptr;
    std::size_t length = 0;
};

bool IsUndefined(Napi::Env env, napi_value value);

// A bigint of 0 to 2^64-1, or a number that is a safe integer from 0 on.
std::uint64_t GetIdentifier(Napi::Env env, napi_value value, const char *operation, const char *argument);

// A number that is an integer of 0 to Maximum.
std::uint32_t GetUint32(Napi::Env env, napi_value value, std::uint32_t maximum, const char *operation,
                        const char *argument);

// The memory of a Uint8Array, which is valid until JavaScript runs again.
Bytes GetBytes(Napi::Env env, napi_value value, const char *operation, const char *argument);

std::u16string GetPath(Napi::Env env, napi_value value, const char *operation, const char *argument);

// What lookups and removals are asked for: an owner, and an instance or, undefined, whichever of that owner is youngest.
Match GetMatch(Napi::Env env, napi_value owner, napi_value instance, const char *operation);

// What an insertion is asked for; its data is JavaScript's memory.
Insertion GetInsertion(const Napi::CallbackInfo &info, std::size_t first, const char *operation);

} // namespace psctx

#endif
