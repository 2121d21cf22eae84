// The minifilter instances on a volume, as Filter Manager's library for user mode tells them: fltlib.dll, which is loaded when it is asked for.
#include <cstddef>

#include "nt.h"
#include "system_win32.h"
#include "transport.h"

#include <fltuser.h>

namespace psctx {
namespace {

// FILE_INFORMATION_CLASS of ntifs.h, and its record. The I/O manager answers it itself, whatever the file system and the access.
constexpr int kFileVolumeNameInformation = 58;
struct VolumeName {
    ULONG length; // bytes
    WCHAR name[VOLUME_NAME_MAX_CHARS];
};

// What the names of an instance need at most; its altitude is the shortest of them.
constexpr std::size_t kInstanceSize =
    sizeof(INSTANCE_FULL_INFORMATION) + VOLUME_NAME_MAX_BYTES + FILTER_NAME_MAX_BYTES + 2 * INSTANCE_NAME_MAX_BYTES;

// The facilities of an HRESULT and of an NTSTATUS that speak for Filter Manager. [ntstatus.h, winerror.h]
constexpr std::uint32_t kFilterManagerOfHresult = 0x801F0000u;
constexpr std::uint32_t kFilterManagerOfStatus = 0xC01C0000u;
constexpr std::uint32_t kWin32OfHresult = 0x80070000u;
constexpr std::uint32_t kWin32OfStatus = 0xC0070000u;

Status FromHresult(HRESULT result) noexcept
{
    const auto value = static_cast<std::uint32_t>(result);
    const std::uint32_t code = value & 0xFFFFu;

    if (SUCCEEDED(result)) {
        return kStatusSuccess;
    }
    if ((value & FACILITY_NT_BIT) != 0) {
        return value & ~std::uint32_t{FACILITY_NT_BIT};
    }
    if ((value & 0xFFFF0000u) == kFilterManagerOfHresult) {
        return kFilterManagerOfStatus | code;
    }
    if ((value & 0xFFFF0000u) == kWin32OfHresult) {
        return code == ERROR_ACCESS_DENIED ? kStatusAccessDenied : kWin32OfStatus | code;
    }
    return value;
}

// The routines that are used of the library, or none of them.
class Library {
  public:
    // Throws nothing: where there is no such library, IsLoaded says so. Wine has one whose routines end the process that calls them.
    static const Library &Get()
    {
        static const Library library;
        return library;
    }

    bool IsLoaded() const noexcept { return findFirst != nullptr && findNext != nullptr && findClose != nullptr; }

    decltype(&FilterVolumeInstanceFindFirst) findFirst = nullptr;
    decltype(&FilterVolumeInstanceFindNext) findNext = nullptr;
    decltype(&FilterVolumeInstanceFindClose) findClose = nullptr;

  private:
    Library()
    {
        const bool isWine = ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr;
        const HMODULE module =
            isWine ? nullptr : ::LoadLibraryExW(L"fltlib.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);

        if (module != nullptr) {
            Find(module, "FilterVolumeInstanceFindFirst", &findFirst);
            Find(module, "FilterVolumeInstanceFindNext", &findNext);
            Find(module, "FilterVolumeInstanceFindClose", &findClose);
        }
    }

    template <typename Routine> static void Find(HMODULE module, const char *name, Routine *routine)
    {
        *routine = reinterpret_cast<Routine>(reinterpret_cast<void *>(::GetProcAddress(module, name)));
    }
};

// A name of a record, which lies at an offset from its beginning.
std::u16string NameAt(const std::byte *record, USHORT offset, USHORT length)
{
    if (std::size_t{offset} + length > kInstanceSize) {
        return {};
    }
    return std::u16string(reinterpret_cast<const char16_t *>(record + offset), length / sizeof(WCHAR));
}

} // namespace

Status ListMinifilters(std::uint64_t handle, const std::u16string &, std::vector<MinifilterInstance> *instances)
{
    const Library &library = Library::Get();
    alignas(INSTANCE_FULL_INFORMATION) std::byte record[kInstanceSize];
    const auto *instance = reinterpret_cast<const INSTANCE_FULL_INFORMATION *>(record);
    IO_STATUS_BLOCK ioStatus = {};
    VolumeName volume = {};
    HANDLE search = INVALID_HANDLE_VALUE;
    DWORD returned = 0;

    if (!library.IsLoaded()) {
        return kStatusNotSupported;
    }
    const Status status =
        FromNt(NtQueryInformationFile(ToHandle(handle), &ioStatus, &volume, sizeof(volume),
                                      static_cast<FILE_INFORMATION_CLASS>(kFileVolumeNameInformation)));
    if (!Succeeded(status)) {
        return status;
    }
    const std::u16string name(reinterpret_cast<const char16_t *>(volume.name), volume.length / sizeof(WCHAR));

    // Each call leaves one instance. [fltuser/nf-fltuser-filtervolumeinstancefindfirst]
    HRESULT result =
        library.findFirst(AsWide(name), InstanceFullInformation, record, sizeof(record), &returned, &search);
    while (SUCCEEDED(result)) {
        instances->push_back({NameAt(record, instance->FilterNameBufferOffset, instance->FilterNameLength),
                              NameAt(record, instance->InstanceNameBufferOffset, instance->InstanceNameLength),
                              NameAt(record, instance->AltitudeBufferOffset, instance->AltitudeLength)});
        result = library.findNext(search, InstanceFullInformation, record, sizeof(record), &returned);
    }
    if (search != INVALID_HANDLE_VALUE) {
        library.findClose(search);
    }
    return result == HRESULT_FROM_WIN32(ERROR_NO_MORE_ITEMS) ? kStatusSuccess : FromHresult(result);
}

} // namespace psctx
