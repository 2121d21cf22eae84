// Reads JavaScript arguments, and throws a TypeError that names the argument when one is not of the type or range asked for.
#include "arguments.h"

namespace psctx {
namespace {

void Require(bool condition, Napi::Value value, const char *argument)
{
    if (!condition) {
        throw Napi::TypeError::New(value.Env(), std::string("the addon was called with a wrong ") + argument);
    }
}

} // namespace

std::uint64_t GetInteger(Napi::Value value, std::uint64_t maximum, const char *argument)
{
    Require(value.IsNumber(), value, argument);

    const double number = value.As<Napi::Number>().DoubleValue();
    Require(number >= 0 && number <= static_cast<double>(maximum), value, argument);

    const auto integer = static_cast<std::uint64_t>(number);
    Require(static_cast<double>(integer) == number, value, argument);
    return integer;
}

bool GetBoolean(Napi::Value value, const char *argument)
{
    Require(value.IsBoolean(), value, argument);
    return value.As<Napi::Boolean>().Value();
}

Bytes GetBytes(Napi::Value value, const char *argument)
{
    Require(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array, value, argument);

    auto array = value.As<Napi::Uint8Array>();
    Bytes bytes;

    bytes.data = array.Data();
    bytes.length = bytes.data == nullptr ? 0 : array.ElementLength();
    return bytes;
}

std::u16string GetString(Napi::Value value, const char *argument)
{
    Require(value.IsString(), value, argument);
    return value.As<Napi::String>().Utf16Value();
}

char16_t GetDrive(Napi::Value value, const char *argument)
{
    const std::u16string text = GetString(value, argument);

    Require(text.size() == 1 && text[0] >= u'A' && text[0] <= u'Z', value, argument);
    return text[0];
}

Napi::Function GetFunction(Napi::Value value, const char *argument)
{
    Require(value.IsFunction(), value, argument);
    return value.As<Napi::Function>();
}

} // namespace psctx
