// The addon's Events: a reader of a filter's events, by an open of the control device of its own.
#include "events_object.h"

#include "arguments.h"
#include "errors.h"
#include "filter_object.h"
#include "wrapped.h"

namespace psctx {
namespace {

constexpr const char *kOperation = "events";

} // namespace

Napi::Function EventsObject::Define(Napi::Env env)
{
    return DefineClass(env, "Events",
                       {InstanceMethod<&EventsObject::Reply>("reply"), InstanceMethod<&EventsObject::Wait>("wait"),
                        InstanceMethod<&EventsObject::Close>("close"),
                        InstanceAccessor<&EventsObject::IsClosed>("closed")});
}

EventsObject::EventsObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<EventsObject>(info)
{
    const Napi::Env env = info.Env();
    const std::uint64_t session = GetIdentifier(env, info[1], kOperation, "session");
    const std::uint32_t types = GetUint32(env, info[2], PSCTX_EVENT_TYPES, kOperation, "types");
    const std::uint32_t capacity = GetUint32(env, info[3], PSCTX_MAXIMUM_EVENT_CAPACITY, kOperation, "capacity");
    Status status;

    session_ = UnwrapArgument<FilterObject>(env, info[0], kFilterTag, kOperation, "filter")->GetSession();
    reply_ = std::shared_ptr<std::uint8_t>(new std::uint8_t[kReplyLength], std::default_delete<std::uint8_t[]>());
    EncodeWaitRequest(&request_);
    notification_ = Notification::New(env, "psctx events", 0, 1, this);
    notification_.Unref(env);
    status = session_->OpenPending([this] { notification_.NonBlockingCall(); }, &device_);
    if (Succeeded(status)) {
        status = Subscribe(session, types, capacity);
    }
    // After the notification's own, so that it runs before that: no thread may use a notification that is gone.
    if (Succeeded(status) && napi_add_env_cleanup_hook(env, &EventsObject::EndOfEnvironment, this) != napi_ok) {
        status = kStatusInsufficientResources;
    }
    if (!Succeeded(status)) {
        device_.reset();
        notification_.Release();
        throw MakeError(env, kOperation, status);
    }
    env_ = env;
    session_->AddReader(this);
    info.This().As<Napi::Object>().TypeTag(&kEventsTag);
}

EventsObject::~EventsObject()
{
    End();
}

Status EventsObject::Subscribe(std::uint64_t session, std::uint32_t types, std::uint32_t capacity)
{
    PSCTX_SUBSCRIBE_REQUEST request;
    PSCTX_HEADER reply;
    std::uint32_t returned = 0;
    const std::uint32_t length = EncodeSubscribeRequest(&request, session, types, capacity);
    const Status status = device_->Control(PSCTX_IOCTL_SUBSCRIBE, &request, length, &reply, sizeof(reply), &returned);

    return Succeeded(status) ? CheckReply(&reply, returned, PSCTX_OPERATION_SUBSCRIBE, sizeof(reply)) : status;
}

Napi::Value EventsObject::Reply(const Napi::CallbackInfo &info)
{
    return ShareMemory(info.Env(), reply_, kReplyLength);
}

void EventsObject::Wait(const Napi::CallbackInfo &info)
{
    const Napi::Env env = info.Env();

    if (!info[0].IsFunction()) {
        throw MakeArgumentError(env, kOperation, "completed");
    }
    if (!completed_.IsEmpty()) {
        throw MakeError(env, kOperation, kStatusInvalidDeviceState);
    }
    if (device_ == nullptr) {
        throw MakeError(env, kOperation, kStatusFileClosed);
    }
    completed_ = Napi::Persistent(info[0].As<Napi::Function>());
    status_ = device_->Start(PSCTX_IOCTL_WAIT, &request_, sizeof(request_), reply_.get(), kReplyLength, &returned_);
    isPending_ = status_ == kStatusPending;
    Ref();
    notification_.Ref(env);
    if (!isPending_) {
        notification_.NonBlockingCall();
    }
}

// Env is none when the environment has ended, and this object perhaps with it.
void EventsObject::Deliver(Napi::Env env, Napi::Function, EventsObject *events, void *)
{
    if (static_cast<napi_env>(env) != nullptr) {
        events->Complete(env);
    }
}

void EventsObject::Complete(Napi::Env env)
{
    const Napi::FunctionReference completed = std::move(completed_);

    completed_ = Napi::FunctionReference();
    if (device_ == nullptr) {
        status_ = kStatusFileClosed;
    } else {
        notification_.Unref(env);
        if (isPending_) {
            status_ = device_->Finish(&returned_);
        }
        if (Succeeded(status_)) {
            status_ = CheckReply(reply_.get(), returned_, PSCTX_OPERATION_WAIT, sizeof(PSCTX_WAIT_REPLY));
        }
    }
    isPending_ = false;

    const Napi::Number status = Napi::Number::New(env, status_);
    const Napi::Number length = Napi::Number::New(env, Succeeded(status_) ? returned_ : 0);
    Unref(); // this object may be gone with the next collection
    completed.Call({status, length});
}

// Ends what waits, of which JavaScript is told by Deliver; the notification goes when it has told everything.
void EventsObject::End() noexcept
{
    if (device_ == nullptr) {
        return;
    }
    device_.reset();
    notification_.Release();
    if (env_ != nullptr) {
        session_->RemoveReader(this);
        napi_remove_env_cleanup_hook(env_, &EventsObject::EndOfEnvironment, this);
        env_ = nullptr;
    }
}

void EventsObject::EndReading() noexcept
{
    End();
}

void EventsObject::EndOfEnvironment(void *argument) noexcept
{
    auto *events = static_cast<EventsObject *>(argument);

    events->session_->RemoveReader(events);
    events->env_ = nullptr; // the environment forgets this routine by itself
    events->End();
}

void EventsObject::Close(const Napi::CallbackInfo &)
{
    End();
}

Napi::Value EventsObject::IsClosed(const Napi::CallbackInfo &info)
{
    return Napi::Boolean::New(info.Env(), device_ == nullptr);
}

} // namespace psctx
