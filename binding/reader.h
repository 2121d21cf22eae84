// A reader of a session's events, by an open of the control device of its own.
#ifndef PSCTX_BINDING_READER_H
#define PSCTX_BINDING_READER_H

#include <cstdint>
#include <memory>

#include <napi.h>

#include "session.h"

namespace psctx {

// Owned together by the functions that act on it, and by itself while a request waits.
class Reader final : public SessionReader, public std::enable_shared_from_this<Reader> {
  public:
    // The memory: the request of SUBSCRIBE; then the replies of WAIT, many events, among them one of the longest.
    static constexpr std::uint32_t kReplyOffset = sizeof(PSCTX_SUBSCRIBE_REQUEST);
    static constexpr std::uint32_t kReplyLength = 131072;
    static_assert(kReplyLength >= sizeof(PSCTX_WAIT_REPLY) + PSCTX_MAXIMUM_EVENT_SIZE, "an event fits");

    // An object of functions, or the status of an error.
    static Napi::Value Open(Napi::Env env, const std::shared_ptr<Session> &session);

    Reader(Napi::Env env, std::shared_ptr<Session> session);
    ~Reader();
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;

  private:
    static void Deliver(Napi::Env env, Napi::Function, Reader *reader, void *);
    using Notification = Napi::TypedThreadSafeFunction<Reader, void, &Reader::Deliver>;

    Answer Subscribe() noexcept;
    Answer Wait(Napi::Function completed, bool keepsAlive);
    void KeepAlive(Napi::Env env, bool keepsAlive);
    void Complete(Napi::Env env);
    void End() noexcept;
    void EndReading() noexcept override;
    static void EndOfEnvironment(void *argument) noexcept;

    std::shared_ptr<Session> session_;
    std::uint8_t *memory_;
    Napi::Reference<Napi::ArrayBuffer> memoryObject_;
    napi_env env_ = nullptr; // until the end
    Notification notification_;
    std::unique_ptr<PendingDevice> device_; // until the end; calls the notification, and so goes before it
    Napi::FunctionReference completed_;     // while waiting, as is the next
    std::shared_ptr<Reader> self_;
    PSCTX_HEADER request_ = {sizeof(PSCTX_HEADER), PSCTX_ABI_VERSION, PSCTX_OPERATION_WAIT};
    bool isPending_ = false; // whether the device tells the outcome, and not status_ and returned_
    Status status_ = kStatusSuccess;
    std::uint32_t returned_ = 0;
};

} // namespace psctx

#endif
