// Requests that pend: sent by the caller's thread, and waited for by a thread of the device's own.
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <psctx/abi.h>

#include "nt.h"
#include "transport.h"

namespace psctx {
namespace {

class NtPendingDevice final : public PendingDevice {
  public:
    NtPendingDevice(void *process, std::function<void()> completed)
        : process_(process), completed_(std::move(completed))
    {
    }

    ~NtPendingDevice() override
    {
        if (waiter_.joinable()) {
            CancelPending();
            {
                const std::lock_guard<std::mutex> guard(mutex_);

                isClosing_ = true;
                changed_.notify_one();
            }
            waiter_.join();
        }
        const InProcess inProcess(process_);

        for (const HANDLE handle : {event_, control_}) {
            if (handle != nullptr) {
                NtClose(handle);
            }
        }
    }

    Status Open()
    {
        ObjectName name(reinterpret_cast<const char16_t *>(PSCTX_DEVICE_NAME));
        IO_STATUS_BLOCK ioStatus = {};
        const InProcess inProcess(process_);
        Status status = FromNt(NtCreateFile(&control_, SYNCHRONIZE | FILE_READ_DATA, name.Attributes(), &ioStatus,
                                            nullptr, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                            FILE_OPEN, FILE_NON_DIRECTORY_FILE, nullptr, 0));

        if (Succeeded(status)) {
            status = FromNt(NtCreateEvent(&event_, EVENT_ALL_ACCESS, nullptr, NotificationEvent, FALSE));
        }
        if (Succeeded(status)) {
            try {
                waiter_ = std::thread([this] { Wait(); });
            } catch (const std::system_error &) {
                status = kStatusInsufficientResources;
            }
        }
        return status;
    }

    Status Control(const Request &request, std::uint32_t *returned) override
    {
        const InProcess inProcess(process_);

        if (Send(request) == kStatusPending) {
            NtWaitForSingleObject(event_, FALSE, nullptr);
        }
        return Finish(returned);
    }

    Status Start(const Request &request, std::uint32_t *returned) override
    {
        const InProcess inProcess(process_);

        if (Send(request) == kStatusPending) {
            const std::lock_guard<std::mutex> guard(mutex_);

            isPending_ = true;
            changed_.notify_one();
            return kStatusPending;
        }
        return Finish(returned);
    }

    Status Finish(std::uint32_t *returned) override
    {
        const Status status = FromNt(ioStatus_.Status);

        *returned = BytesOf(status, ioStatus_);
        return status;
    }

  private:
    // A request that fails at once leaves the block as it was.
    Status Send(const Request &request)
    {
        const NTSTATUS status = NtDeviceIoControlFile(control_, event_, nullptr, nullptr, &ioStatus_, request.code,
                                                      const_cast<void *>(request.input), request.inputLength,
                                                      request.output, request.outputLength);

        if (IsError(FromNt(status))) {
            ioStatus_.Status = status;
        }
        return FromNt(status);
    }

    // NtCancelIoFile cancels what the calling thread has sent, and this is the one. If the process has ended, that was cancelled with it.
    void CancelPending() noexcept
    {
        const InProcess inProcess(process_);
        IO_STATUS_BLOCK ioStatus = {};

        NtCancelIoFile(control_, &ioStatus);
    }

    void Wait()
    {
        std::unique_lock<std::mutex> lock(mutex_);

        for (;;) {
            changed_.wait(lock, [this] { return isPending_ || isClosing_; });
            if (!isPending_) {
                return;
            }
            lock.unlock();
            {
                // Fails when the process has ended, which has ended the request as well.
                const InProcess inProcess(process_);

                NtWaitForSingleObject(event_, FALSE, nullptr);
            }
            lock.lock();
            isPending_ = false;
            lock.unlock();
            completed_();
            lock.lock();
        }
    }

    void *const process_;
    const std::function<void()> completed_;
    HANDLE control_ = nullptr;
    HANDLE event_ = nullptr;
    IO_STATUS_BLOCK ioStatus_ = {};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool isPending_ = false; // guarded by the mutex, as is the next
    bool isClosing_ = false;
    std::thread waiter_;
};

} // namespace

Status Transport::OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device)
{
    auto opened = std::make_unique<NtPendingDevice>(process_, std::move(completed));
    const Status status = opened->Open();

    if (Succeeded(status)) {
        *device = std::move(opened);
    }
    return status;
}

} // namespace psctx
