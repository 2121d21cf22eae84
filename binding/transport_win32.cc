// The transport over the Windows driver: its control device and handles of this process.
#include "win32.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device_win32.h"
#include "pending_win32.h"
#include "status_win32.h"
#include "transport.h"

namespace psctx {
namespace {

constexpr std::size_t kMaximumPathUnits = 32767;

static_assert(sizeof(WCHAR) == sizeof(char16_t), "Windows strings are UTF-16");

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
            ::CreateFileW(AsWide(path), FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
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

    Status OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device) override
    {
        return OpenWindowsPending(std::move(completed), device);
    }

    // [fileapi/nf-fileapi-querydosdevicew]: the first of the strings that it writes is the drive's present target.
    Status QueryDrive(char16_t letter, std::u16string *device) override
    {
        const std::u16string drive = {letter, u':'};
        std::vector<WCHAR> target(kMaximumPathUnits + 1);

        if (::QueryDosDeviceW(AsWide(drive), target.data(), static_cast<DWORD>(target.size())) == 0) {
            return LastStatus();
        }
        *device = FromWide(target.data());
        return kStatusSuccess;
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
        OpenControlDevice(options.readOnly ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE, FILE_ATTRIBUTE_NORMAL);
    if (control == INVALID_HANDLE_VALUE) {
        return LastStatus();
    }
    *transport = std::make_unique<WindowsTransport>(control);
    return kStatusSuccess;
}

} // namespace psctx
