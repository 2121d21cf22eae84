// The addon's Events: a reader of a filter's events, by an open of the control device of its own.
#ifndef PSCTX_BINDING_EVENTS_OBJECT_H
#define PSCTX_BINDING_EVENTS_OBJECT_H

#include <cstdint>
#include <memory>

#include <napi.h>

#include "session.h"

namespace psctx {

class EventsObject : public Napi::ObjectWrap<EventsObject>, private SessionReader {
  public:
    // Bytes of one reply: many events, among them one of the longest.
    static constexpr std::uint32_t kReplyLength = 131072;
    static_assert(kReplyLength >= sizeof(PSCTX_WAIT_REPLY) + PSCTX_MAXIMUM_EVENT_SIZE, "an event fits");

    static Napi::Function Define(Napi::Env env);

    // new Events(filter: Filter, session, types, capacity): reads the events of the session with this number from now on.
    explicit EventsObject(const Napi::CallbackInfo &info);
    ~EventsObject() override;

  private:
    static void Deliver(Napi::Env env, Napi::Function, EventsObject *events, void *);
    using Notification = Napi::TypedThreadSafeFunction<EventsObject, void, &EventsObject::Deliver>;

    // The memory that replies are left in: reply() → ArrayBuffer
    Napi::Value Reply(const Napi::CallbackInfo &info);

    // wait(completed: (status, length) => void): waits for events, and keeps the loop alive meanwhile. The routine is always
    // called, later, and once: with STATUS_FILE_CLOSED when the reader or its filter was closed. It keeps this object.
    void Wait(const Napi::CallbackInfo &info);

    void Close(const Napi::CallbackInfo &info);
    Napi::Value IsClosed(const Napi::CallbackInfo &info);

    Status Subscribe(std::uint64_t session, std::uint32_t types, std::uint32_t capacity);
    void Complete(Napi::Env env);
    void End() noexcept;
    void EndReading() noexcept override;
    static void EndOfEnvironment(void *argument) noexcept;

    std::shared_ptr<Session> session_;
    napi_env env_ = nullptr; // until the end
    std::shared_ptr<std::uint8_t> reply_;
    Notification notification_;
    std::unique_ptr<PendingDevice> device_; // until the end; calls the notification, and so goes before it
    Napi::FunctionReference completed_;     // while waiting
    PSCTX_HEADER request_ = {};
    bool isPending_ = false; // whether the device tells the outcome, and not status_ and returned_
    Status status_ = kStatusSuccess;
    std::uint32_t returned_ = 0;
};

} // namespace psctx

#endif
