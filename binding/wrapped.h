// What the addon's wrapped objects have in common: a type tag that is checked before an argument is taken for one of them.
#ifndef PSCTX_BINDING_WRAPPED_H
#define PSCTX_BINDING_WRAPPED_H

#include <cstdint>
#include <cstring>
#include <memory>

#include <napi.h>

#include "errors.h"

namespace psctx {

constexpr napi_type_tag kFilterTag = {0x8c4f0a6b1f3d4e21ull, 0x9a7be25d60c84f01ull};
constexpr napi_type_tag kStreamTag = {0x8c4f0a6b1f3d4e21ull, 0x9a7be25d60c84f02ull};
constexpr napi_type_tag kBatchTag = {0x8c4f0a6b1f3d4e21ull, 0x9a7be25d60c84f03ull};
constexpr napi_type_tag kFileTag = {0x8c4f0a6b1f3d4e21ull, 0x9a7be25d60c84f04ull};
constexpr napi_type_tag kEventsTag = {0x8c4f0a6b1f3d4e21ull, 0x9a7be25d60c84f05ull};

// The native object of a JavaScript value, or an argument error when it is not one of ours of this kind.
template <typename T>
T *UnwrapArgument(const Napi::Env &env, const Napi::Value &value, const napi_type_tag &tag, const char *operation,
                  const char *argument)
{
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) {
        throw MakeArgumentError(env, operation, argument);
    }
    return T::Unwrap(value.As<Napi::Object>());
}

// An ArrayBuffer over memory that it shares the ownership of.
inline Napi::ArrayBuffer ShareMemory(Napi::Env env, const std::shared_ptr<std::uint8_t> &memory, std::size_t length)
{
    auto *owner = new std::shared_ptr<std::uint8_t>(memory);

    return Napi::ArrayBuffer::New(
        env, memory.get(), length,
        [](Napi::BasicEnv, void *, std::shared_ptr<std::uint8_t> *finalized) { delete finalized; }, owner);
}

} // namespace psctx

#endif
