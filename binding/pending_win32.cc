// Requests that pend in the Windows driver: overlapped, and waited for by the system's thread pool.
#include "pending_win32.h"

#include <atomic>
#include <utility>

#include "device_win32.h"
#include "status_win32.h"
#include "win32.h"

namespace psctx {
namespace {

class WindowsPendingDevice final : public PendingDevice {
  public:
    explicit WindowsPendingDevice(std::function<void()> completed) : completed_(std::move(completed)) {}

    WindowsPendingDevice(const WindowsPendingDevice &) = delete;
    WindowsPendingDevice &operator=(const WindowsPendingDevice &) = delete;

    ~WindowsPendingDevice() override { Close(); }

    Status Open()
    {
        control_ = OpenControlDevice(GENERIC_READ, FILE_FLAG_OVERLAPPED);
        if (control_ == INVALID_HANDLE_VALUE) {
            return LastStatus();
        }
        event_ = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
        return event_ == nullptr ? LastStatus() : kStatusSuccess;
    }

    Status Control(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                   std::uint32_t outputLength, std::uint32_t *returned) override
    {
        DWORD bytes = 0;

        *returned = 0;
        if (!Send(code, input, inputLength, output, outputLength)) {
            if (::GetLastError() != ERROR_IO_PENDING) {
                return LastStatus();
            }
            ::GetOverlappedResult(control_, &overlapped_, &bytes, TRUE);
        }
        return Result(returned);
    }

    Status Start(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                 std::uint32_t outputLength, std::uint32_t *returned) override
    {
        Status status;

        *returned = 0;
        if (control_ == INVALID_HANDLE_VALUE) {
            return kStatusFileClosed;
        }
        if (!Send(code, input, inputLength, output, outputLength)) {
            if (::GetLastError() != ERROR_IO_PENDING) {
                return LastStatus();
            }
            wasTold_ = false;
            if (::RegisterWaitForSingleObject(&wait_, event_, &Tell, this, INFINITE, WT_EXECUTEONLYONCE)) {
                return kStatusPending;
            }
            status = LastStatus();
            wait_ = nullptr;
            Cancel();
            return status;
        }
        return Result(returned);
    }

    Status Finish(std::uint32_t *returned) override
    {
        EndWait();
        return Result(returned);
    }

    // A wait that ends before the pool has looked at it is told of here.
    void Close() noexcept override
    {
        if (wait_ != nullptr) {
            Cancel();
            EndWait();
            if (!wasTold_.exchange(true)) {
                completed_();
            }
        }
        if (event_ != nullptr) {
            ::CloseHandle(event_);
            event_ = nullptr;
        }
        if (control_ != INVALID_HANDLE_VALUE) {
            ::CloseHandle(control_);
            control_ = INVALID_HANDLE_VALUE;
        }
    }

  private:
    BOOL Send(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
              std::uint32_t outputLength) noexcept
    {
        overlapped_ = {};
        overlapped_.hEvent = event_;
        return ::DeviceIoControl(control_, code, const_cast<void *>(input), inputLength, output, outputLength, nullptr,
                                 &overlapped_);
    }

    static void CALLBACK Tell(void *context, BOOLEAN) noexcept
    {
        auto *device = static_cast<WindowsPendingDevice *>(context);

        if (!device->wasTold_.exchange(true)) {
            device->completed_();
        }
    }

    // INVALID_HANDLE_VALUE waits for a callback that is running. [threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex]
    void EndWait() noexcept
    {
        if (wait_ != nullptr) {
            ::UnregisterWaitEx(wait_, INVALID_HANDLE_VALUE);
            wait_ = nullptr;
        }
    }

    // The request has ended when this returns: until then its memory is the system's.
    void Cancel() noexcept
    {
        DWORD bytes = 0;

        ::CancelIoEx(control_, &overlapped_);
        ::GetOverlappedResult(control_, &overlapped_, &bytes, TRUE);
    }

    // Of a request that has ended. Internal is its NTSTATUS. [minwinbase/ns-minwinbase-overlapped]
    Status Result(std::uint32_t *returned) const noexcept
    {
        const auto status = static_cast<Status>(overlapped_.Internal);

        *returned = IsError(status) ? 0u : static_cast<std::uint32_t>(overlapped_.InternalHigh);
        return status;
    }

    const std::function<void()> completed_;
    HANDLE control_ = INVALID_HANDLE_VALUE;
    HANDLE event_ = nullptr;
    HANDLE wait_ = nullptr; // while a request is pending
    OVERLAPPED overlapped_ = {};
    std::atomic<bool> wasTold_{false};
};

} // namespace

Status OpenWindowsPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device)
{
    auto opened = std::make_unique<WindowsPendingDevice>(std::move(completed));
    const Status status = opened->Open();

    if (Succeeded(status)) {
        *device = std::move(opened);
    }
    return status;
}

} // namespace psctx
