// The transport over the Windows driver: \\.\PsCtx and handles of this process.
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <memory>
#include <string>

#include <psctx/abi.h>

#include "transport.h"

namespace psctx {
namespace {

constexpr std::size_t kMaximumPathUnits = 32767;

static_assert(sizeof(WCHAR) == sizeof(char16_t), "Windows strings are UTF-16");

// Routines of ntdll that the import libraries do not have. Either may be absent.
struct NativeRoutines {
    LONG(NTAPI *rtlGetLastNtStatus)() = nullptr;
    ULONG(NTAPI *rtlNtStatusToDosError)(LONG) = nullptr;
};

NativeRoutines FindNativeRoutines() noexcept
{
    const HMODULE module = ::GetModuleHandleW(L"ntdll.dll");
    NativeRoutines routines;

    if (module != nullptr) {
        routines.rtlGetLastNtStatus =
            reinterpret_cast<LONG(NTAPI *)()>(reinterpret_cast<void *>(::GetProcAddress(module, "RtlGetLastNtStatus")));
        routines.rtlNtStatusToDosError = reinterpret_cast<ULONG(NTAPI *)(LONG)>(
            reinterpret_cast<void *>(::GetProcAddress(module, "RtlNtStatusToDosError")));
    }
    return routines;
}

struct ErrorMeaning {
    DWORD error;
    Status status;
};

// What opens and control requests answer. Where RtlNtStatusToDosError gives several statuses one error, the one that they use.
constexpr ErrorMeaning kErrorMeanings[] = {
    {ERROR_INVALID_FUNCTION, kStatusInvalidDeviceRequest},
    {ERROR_FILE_NOT_FOUND, kStatusObjectNameNotFound},
    {ERROR_PATH_NOT_FOUND, kStatusObjectPathNotFound},
    {ERROR_ACCESS_DENIED, kStatusAccessDenied},
    {ERROR_INVALID_HANDLE, kStatusInvalidHandle},
    {ERROR_NOT_ENOUGH_MEMORY, kStatusInsufficientResources},
    {ERROR_BAD_LENGTH, kStatusInfoLengthMismatch},
    {ERROR_SHARING_VIOLATION, kStatusSharingViolation},
    {ERROR_NOT_SUPPORTED, kStatusNotSupported},
    {ERROR_INVALID_PARAMETER, kStatusInvalidParameter},
    {ERROR_INSUFFICIENT_BUFFER, kStatusBufferTooSmall},
    {ERROR_INVALID_NAME, kStatusObjectNameInvalid},
    {ERROR_BAD_PATHNAME, kStatusObjectPathSyntaxBad},
    {ERROR_ALREADY_EXISTS, kStatusObjectNameCollision},
    {ERROR_FILENAME_EXCED_RANGE, kStatusNameTooLong},
    {ERROR_MORE_DATA, kStatusBufferOverflow},
    {ERROR_DELETE_PENDING, kStatusDeletePending},
    {ERROR_NOT_FOUND, kStatusNotFound},
    {ERROR_REVISION_MISMATCH, kStatusRevisionMismatch},
    {ERROR_PRIVILEGE_NOT_HELD, kStatusPrivilegeNotHeld},
    {ERROR_NO_SYSTEM_RESOURCES, kStatusInsufficientResources},
    {ERROR_INVALID_USER_BUFFER, kStatusInvalidBufferSize},
    {ERROR_NOT_ENOUGH_QUOTA, kStatusQuotaExceeded},
};

// Found when the addon is loaded: finding them leaves marks of its own in what they tell.
const NativeRoutines nativeRoutines = FindNativeRoutines();

// The status that a Win32 error stands for, where the system service's own is not known.
Status FromWin32(DWORD error) noexcept
{
    for (const ErrorMeaning &meaning : kErrorMeanings) {
        if (meaning.error == error) {
            return meaning.status;
        }
    }
    return kStatusUnsuccessful;
}

// The NTSTATUS of the Win32 call that has just failed in this thread. ntdll keeps the one of the last system service that
// failed, which need not be this call's: it is taken when it stands for this call's Win32 error, which is mapped otherwise.
Status LastStatus() noexcept
{
    const DWORD error = ::GetLastError();

    if (nativeRoutines.rtlGetLastNtStatus != nullptr && nativeRoutines.rtlNtStatusToDosError != nullptr) {
        const LONG last = nativeRoutines.rtlGetLastNtStatus();

        if (!Succeeded(static_cast<Status>(last)) && nativeRoutines.rtlNtStatusToDosError(last) == error) {
            return static_cast<Status>(last);
        }
    }
    return FromWin32(error);
}

LPCWSTR ToWide(const std::u16string &text) noexcept
{
    return reinterpret_cast<LPCWSTR>(text.c_str());
}

class WindowsTransport final : public Transport {
  public:
    explicit WindowsTransport(HANDLE control) : control_(control) {}

    WindowsTransport(const WindowsTransport &) = delete;
    WindowsTransport &operator=(const WindowsTransport &) = delete;

    ~WindowsTransport() override
    {
        std::string leftovers;

        Close(&leftovers);
    }

    // FILE_FLAG_BACKUP_SEMANTICS lets a directory be opened. [fileapi/nf-fileapi-createfilew]
    Status OpenStream(const std::u16string &path, std::uint64_t *handle) override
    {
        *handle = 0;
        if (path.size() > kMaximumPathUnits) {
            return kStatusNameTooLong;
        }
        if (path.find(u'\0') != std::u16string::npos) {
            return kStatusObjectNameInvalid;
        }
        const HANDLE opened =
            ::CreateFileW(ToWide(path), FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                          nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
        if (opened == INVALID_HANDLE_VALUE) {
            return LastStatus();
        }
        *handle = reinterpret_cast<std::uintptr_t>(opened);
        return kStatusSuccess;
    }

    Status CloseHandle(std::uint64_t handle) override
    {
        return ::CloseHandle(reinterpret_cast<HANDLE>(static_cast<std::uintptr_t>(handle))) ? kStatusSuccess
                                                                                            : LastStatus();
    }

    // [ioapiset/nf-ioapiset-deviceiocontrol]: on ERROR_MORE_DATA, the warning STATUS_BUFFER_OVERFLOW, the output is valid.
    Status Control(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                   std::uint32_t outputLength, std::uint32_t *returned) override
    {
        DWORD bytes = 0;
        Status status = kStatusSuccess;

        if (!::DeviceIoControl(control_, code, const_cast<void *>(input), inputLength, output, outputLength, &bytes,
                               nullptr)) {
            status = LastStatus();
        }
        *returned = IsError(status) ? 0u : bytes;
        return status;
    }

    Status Close(std::string *leftovers) override
    {
        Status status = kStatusSuccess;

        leftovers->clear();
        if (control_ != nullptr) {
            status = ::CloseHandle(control_) ? kStatusSuccess : LastStatus();
            control_ = nullptr;
        }
        return status;
    }

    HostKernel *Host() noexcept override { return nullptr; }

  private:
    HANDLE control_;
};

} // namespace

Status OpenTransport(const OpenOptions &options, std::unique_ptr<Transport> *transport)
{
    transport->reset();
    if (options.kernel != KernelKind::Windows) {
        return kStatusNotSupported;
    }
    const HANDLE control =
        ::CreateFileW(PSCTX_WIN32_NAME, options.readOnly ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE,
                      FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (control == INVALID_HANDLE_VALUE) {
        return LastStatus();
    }
    *transport = std::make_unique<WindowsTransport>(control);
    return kStatusSuccess;
}

} // namespace psctx
