// <windows.h> without what the addon has no use for.
#ifndef PSCTX_BINDING_WIN32_H
#define PSCTX_BINDING_WIN32_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <string>

namespace psctx {

static_assert(sizeof(WCHAR) == sizeof(char16_t), "Windows strings are UTF-16");

inline LPCWSTR AsWide(const std::u16string &text) noexcept
{
    return reinterpret_cast<LPCWSTR>(text.c_str());
}

// A terminated string that Windows has written; NULL is an empty one.
inline std::u16string FromWide(LPCWSTR text)
{
    return text == nullptr ? std::u16string() : std::u16string(reinterpret_cast<const char16_t *>(text));
}

// A routine of a module that this version of Windows may not have, else NULL.
template <typename Routine> Routine FindRoutine(HMODULE module, const char *name) noexcept
{
    return module == nullptr ? nullptr
                             : reinterpret_cast<Routine>(reinterpret_cast<void *>(::GetProcAddress(module, name)));
}

} // namespace psctx

#endif
