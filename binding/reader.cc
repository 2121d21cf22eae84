// A reader of a session's events, by an open of the control device of its own.
#include "reader.h"

#include <cstring>
#include <utility>

#include "arguments.h"

namespace psctx {

Reader::Reader(Napi::Env env, std::shared_ptr<Session> session) : session_(std::move(session))
{
    Napi::ArrayBuffer memory = Napi::ArrayBuffer::New(env, kReplyOffset + kReplyLength);

    memory_ = static_cast<std::uint8_t *>(memory.Data());
    memoryObject_ = Napi::Persistent(memory);
}

Reader::~Reader()
{
    End();
}

// The session and the environment are told of the reader at the very end, when nothing can fail any more: whoever is told of a reader
// will end it.
Napi::Value Reader::Open(Napi::Env env, const std::shared_ptr<Session> &session)
{
    const auto reader = std::make_shared<Reader>(env, session);
    Napi::Object object = Napi::Object::New(env);

    object.Set("memory", reader->memoryObject_.Value());
    object.Set("subscribe", Napi::Function::New(env, [reader](const Napi::CallbackInfo &info) {
                   return Napi::Number::New(info.Env(), reader->Subscribe());
               }));
    object.Set("wait", Napi::Function::New(env, [reader](const Napi::CallbackInfo &info) {
                   const Napi::Function completed = GetFunction(info[0], "callback");
                   const bool keepsAlive = GetBoolean(info[1], "keepsAlive");

                   return Napi::Number::New(info.Env(), reader->Wait(completed, keepsAlive));
               }));
    object.Set("keepAlive", Napi::Function::New(env, [reader](const Napi::CallbackInfo &info) {
                   reader->KeepAlive(info.Env(), GetBoolean(info[0], "keepsAlive"));
               }));
    object.Set("close", Napi::Function::New(env, [reader](const Napi::CallbackInfo &) { reader->End(); }));

    Notification notification = Notification::New(env, "psctx events", 0, 1, reader.get());
    notification.Unref(env);
    Status status = session->GetTransport()->OpenPending([notification]() mutable { notification.NonBlockingCall(); },
                                                         &reader->device_);
    // After the notification's own, so that it runs before that: no thread may use a notification that is gone.
    if (Succeeded(status) && napi_add_env_cleanup_hook(env, &Reader::EndOfEnvironment, reader.get()) != napi_ok) {
        status = kStatusInsufficientResources;
    }
    if (!Succeeded(status)) {
        reader->device_.reset();
        notification.Release();
        return Napi::Number::New(env, ToAnswer(status));
    }
    reader->notification_ = notification;
    reader->env_ = env;
    session->AddReader(reader.get());
    return object;
}

Answer Reader::Subscribe() noexcept
{
    PSCTX_HEADER reply;
    std::uint32_t returned = 0;

    if (device_ == nullptr) {
        return ToAnswer(kStatusFileClosed);
    }
    const Status status = device_->Control(
        {PSCTX_IOCTL_SUBSCRIBE, memory_, sizeof(PSCTX_SUBSCRIBE_REQUEST), &reply, sizeof(reply)}, &returned);
    if (!Succeeded(status)) {
        return ToAnswer(status);
    }
    return ToAnswer(Session::CheckReply(&reply, returned, PSCTX_OPERATION_SUBSCRIBE, sizeof(reply)));
}

// Whatever comes of the request is told later.
Answer Reader::Wait(Napi::Function completed, bool keepsAlive)
{
    if (device_ == nullptr) {
        return ToAnswer(kStatusFileClosed);
    }
    if (self_ != nullptr) {
        return ToAnswer(kStatusInvalidDeviceState);
    }
    completed_ = Napi::Persistent(completed);
    self_ = shared_from_this();
    KeepAlive(completed.Env(), keepsAlive);
    status_ = device_->Start({PSCTX_IOCTL_WAIT, &request_, sizeof(request_), memory_ + kReplyOffset, kReplyLength},
                             &returned_);
    isPending_ = status_ == kStatusPending;
    if (!isPending_) {
        notification_.NonBlockingCall();
    }
    return 0;
}

void Reader::KeepAlive(Napi::Env env, bool keepsAlive)
{
    if (self_ == nullptr || device_ == nullptr) {
        return;
    }
    if (keepsAlive) {
        notification_.Ref(env);
    } else {
        notification_.Unref(env);
    }
}

// Env is none when the environment has ended, and the reader perhaps with it.
void Reader::Deliver(Napi::Env env, Napi::Function, Reader *reader, void *)
{
    if (static_cast<napi_env>(env) != nullptr) {
        const std::shared_ptr<Reader> self = std::move(reader->self_);

        reader->Complete(env);
    }
}

void Reader::Complete(Napi::Env env)
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
            status_ =
                Session::CheckReply(memory_ + kReplyOffset, returned_, PSCTX_OPERATION_WAIT, sizeof(PSCTX_WAIT_REPLY));
        }
    }
    isPending_ = false;
    completed.Call({Napi::Number::New(env, Succeeded(status_) ? static_cast<Answer>(returned_) : ToAnswer(status_))});
}

// Ends what waits, of which JavaScript is told by Deliver; the notification goes when it has told everything.
void Reader::End() noexcept
{
    if (env_ == nullptr) {
        return;
    }
    device_.reset();
    notification_.Release();
    session_->RemoveReader(this);
    napi_remove_env_cleanup_hook(env_, &Reader::EndOfEnvironment, this);
    env_ = nullptr;
}

void Reader::EndReading() noexcept
{
    End();
}

// Deliver is not sure to run any more.
void Reader::EndOfEnvironment(void *argument) noexcept
{
    auto *reader = static_cast<Reader *>(argument);
    const std::shared_ptr<Reader> self = std::move(reader->self_);

    reader->End();
}

} // namespace psctx
