// Reads JavaScript arguments, and throws an error that names the argument when one is not of the type or range asked for.
#include "arguments.h"

#include "errors.h"

namespace psctx {

bool IsUndefined(Napi::Env env, napi_value value)
{
    napi_valuetype type = napi_undefined;

    return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

std::uint64_t GetIdentifier(Napi::Env env, napi_value value, const char *operation, const char *argument)
{
    constexpr double maximumSafeInteger = 9007199254740991.0;
    std::uint64_t identifier = 0;
    double number = 0;
    bool lossless = false;

    // Each getter answers with the wrong-type status when the value is of another type, which costs less than asking first.
    if (napi_get_value_bigint_uint64(env, value, &identifier, &lossless) == napi_ok) {
        if (lossless) {
            return identifier;
        }
    } else if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && number <= maximumSafeInteger) {
        identifier = static_cast<std::uint64_t>(number);
        if (static_cast<double>(identifier) == number) {
            return identifier;
        }
    }
    throw MakeArgumentError(env, operation, argument);
}

std::uint32_t GetUint32(Napi::Env env, napi_value value, std::uint32_t maximum, const char *operation,
                        const char *argument)
{
    double number = 0;

    if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && number <= maximum) {
        const auto integer = static_cast<std::uint32_t>(number);

        if (static_cast<double>(integer) == number) {
            return integer;
        }
    }
    throw MakeArgumentError(env, operation, argument);
}

Bytes GetBytes(Napi::Env env, napi_value value, const char *operation, const char *argument)
{
    napi_typedarray_type type = napi_int8_array;
    std::size_t length = 0;
    void *data = nullptr;

    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
        throw MakeArgumentError(env, operation, argument);
    }
    return {static_cast<std::uint8_t *>(data), data == nullptr ? 0 : length};
}

std::u16string GetPath(Napi::Env env, napi_value value, const char *operation, const char *argument)
{
    napi_valuetype type = napi_undefined;

    if (napi_typeof(env, value, &type) != napi_ok || type != napi_string) {
        throw MakeArgumentError(env, operation, argument);
    }
    return Napi::String(env, value).Utf16Value();
}

Match GetMatch(Napi::Env env, napi_value owner, napi_value instance, const char *operation)
{
    Match match;

    match.owner = GetIdentifier(env, owner, operation, "owner");
    if (IsUndefined(env, instance)) {
        match.kind = PSCTX_MATCH_OWNER;
    } else {
        match.instance = GetIdentifier(env, instance, operation, "instance");
    }
    return match;
}

Insertion GetInsertion(const Napi::CallbackInfo &info, std::size_t first, const char *operation)
{
    const Napi::Env env = info.Env();
    Insertion insertion;

    insertion.owner = GetIdentifier(env, info[first], operation, "owner");
    insertion.instance = GetIdentifier(env, info[first + 1], operation, "instance");
    insertion.ifExists = GetUint32(env, info[first + 2], PSCTX_IF_EXISTS_ADD, operation, "ifExists");
    insertion.pool = GetUint32(env, info[first + 3], PSCTX_POOL_NONPAGED, operation, "pool");
    insertion.lifetime = GetUint32(env, info[first + 4], PSCTX_LIFETIME_STREAM, operation, "lifetime");

    const Bytes data = GetBytes(env, info[first + 5], operation, "data");
    if (data.length > PSCTX_MAXIMUM_DATA_LENGTH) {
        throw MakeError(env, operation, kStatusInvalidBufferSize);
    }
    insertion.data = data.data;
    insertion.dataLength = static_cast<std::uint32_t>(data.length);
    return insertion;
}

} // namespace psctx
