// Requests that pend in the embedded kernel: sent by the caller's thread, waited for by a thread of the device's own.
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "host_services.h"

namespace psctx {
namespace {

class HostPendingDevice final : public PendingDevice {
  public:
    HostPendingDevice(PEPROCESS process, std::function<void()> completed)
        : process_(process), completed_(std::move(completed))
    {
    }

    HostPendingDevice(const HostPendingDevice &) = delete;
    HostPendingDevice &operator=(const HostPendingDevice &) = delete;

    ~HostPendingDevice() override { Close(); }

    Status Open()
    {
        std::u16string path = u"\\??\\PsCtx";
        UNICODE_STRING name = ToUnicodeString(&path);
        OBJECT_ATTRIBUTES attributes;
        IO_STATUS_BLOCK ioStatus = {};
        const InProcess inProcess(process_);
        NTSTATUS status;

        InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, nullptr, nullptr);
        status = NtCreateFile(&control_, SYNCHRONIZE | FILE_READ_DATA, &attributes, &ioStatus, nullptr,
                              FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                              FILE_NON_DIRECTORY_FILE, nullptr, 0);
        if (NT_SUCCESS(status)) {
            status = NtCreateEvent(&event_, EVENT_ALL_ACCESS, nullptr, NotificationEvent, FALSE);
        }
        if (NT_SUCCESS(status)) {
            try {
                waiter_ = std::thread([this] { Wait(); });
            } catch (const std::system_error &) {
                status = STATUS_INSUFFICIENT_RESOURCES;
            }
        }
        return FromNt(status);
    }

    Status Control(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                   std::uint32_t outputLength, std::uint32_t *returned) override
    {
        const InProcess inProcess(process_);

        if (Send(code, input, inputLength, output, outputLength) == kStatusPending) {
            NtWaitForSingleObject(event_, FALSE, nullptr);
        }
        return Finish(returned);
    }

    Status Start(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                 std::uint32_t outputLength, std::uint32_t *returned) override
    {
        const InProcess inProcess(process_);

        *returned = 0;
        if (control_ == nullptr) {
            return kStatusFileClosed;
        }
        if (Send(code, input, inputLength, output, outputLength) == kStatusPending) {
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

        *returned = IsError(status) ? 0u : static_cast<std::uint32_t>(ioStatus_.Information);
        return status;
    }

    void Close() noexcept override
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

        for (HANDLE *handle : {&event_, &control_}) {
            if (*handle != nullptr) {
                NtClose(*handle);
                *handle = nullptr;
            }
        }
    }

  private:
    // A request that fails at once leaves the block as it was.
    Status Send(std::uint32_t code, const void *input, std::uint32_t inputLength, void *output,
                std::uint32_t outputLength)
    {
        const NTSTATUS status = NtDeviceIoControlFile(control_, event_, nullptr, nullptr, &ioStatus_, code,
                                                      const_cast<void *>(input), inputLength, output, outputLength);

        if (NT_ERROR(status)) {
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

    const PEPROCESS process_;
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

Status OpenHostPending(PEPROCESS process, std::function<void()> completed, std::unique_ptr<PendingDevice> *device)
{
    auto opened = std::make_unique<HostPendingDevice>(process, std::move(completed));
    const Status status = opened->Open();

    if (Succeeded(status)) {
        *device = std::move(opened);
    }
    return status;
}

} // namespace psctx
