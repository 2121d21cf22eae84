// Reads JavaScript arguments, and throws a TypeError that names the argument when one is not of the type or range asked for.
#ifndef PSCTX_BINDING_ARGUMENTS_H
#define PSCTX_BINDING_ARGUMENTS_H

#include <cstddef>
#include <cstdint>
#include <string>

#include <napi.h>

namespace psctx {

struct Bytes {
    std::uint8_t *data = nullptr;
    std::size_t length = 0;
};

// A number that is an integer of 0 to Maximum, which is a safe one.
std::uint64_t GetInteger(Napi::Value value, std::uint64_t maximum, const char *argument);

inline std::uint32_t GetUint32(Napi::Value value, std::uint32_t maximum, const char *argument)
{
    return static_cast<std::uint32_t>(GetInteger(value, maximum, argument));
}

bool GetBoolean(Napi::Value value, const char *argument);

// The memory of a Uint8Array, which is valid until JavaScript runs again.
Bytes GetBytes(Napi::Value value, const char *argument);

// UTF-16, with whatever is in it.
std::u16string GetString(Napi::Value value, const char *argument);

// 'A' to 'Z'.
char16_t GetDrive(Napi::Value value, const char *argument);

Napi::Function GetFunction(Napi::Value value, const char *argument);

} // namespace psctx

#endif
