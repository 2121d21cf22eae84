// The addon's Stream: an open handle of a file stream, and the operations on its contexts.
#ifndef PSCTX_BINDING_STREAM_OBJECT_H
#define PSCTX_BINDING_STREAM_OBJECT_H

#include <cstdint>
#include <memory>

#include <napi.h>

#include "session.h"

namespace psctx {

class StreamObject : public Napi::ObjectWrap<StreamObject> {
  public:
    static Napi::Function Define(Napi::Env env);

    // new Stream(filter: Filter, path: string)
    explicit StreamObject(const Napi::CallbackInfo &info);
    ~StreamObject() override;

    const std::shared_ptr<Session> &GetSession() const noexcept { return session_; }

    // The open handle, or zero once the stream or its filter is closed.
    std::uint64_t GetHandle() const noexcept { return session_->IsClosed() ? 0 : handle_; }

  private:
    // Each leaves its reply in the filter's reply memory and returns the reply's length. No matching context: undefined.
    Napi::Value Query(const Napi::CallbackInfo &info);     // ()
    Napi::Value Insert(const Napi::CallbackInfo &info);    // (owner, instance, ifExists, pool, lifetime, data)
    Napi::Value Lookup(const Napi::CallbackInfo &info);    // (owner, instance?)
    Napi::Value First(const Napi::CallbackInfo &info);     // ()
    Napi::Value Remove(const Napi::CallbackInfo &info);    // (owner, instance?)
    Napi::Value RemoveAll(const Napi::CallbackInfo &info); // (owner?)
    Napi::Value List(const Napi::CallbackInfo &info);      // (before)

    // Leaves its reply in the caller's memory: (page: Uint8Array). Too small: STATUS_BUFFER_OVERFLOW, with required.
    Napi::Value Inspect(const Napi::CallbackInfo &info);

    // Copies a context's data to the caller's memory and returns its length: (buffer, owner, instance?)
    Napi::Value LookupInto(const Napi::CallbackInfo &info);

    void Close(const Napi::CallbackInfo &info);
    Napi::Value IsClosed(const Napi::CallbackInfo &info);

    std::uint64_t OpenHandle(Napi::Env env, const char *operation) const;
    Napi::Value SendForContext(Napi::Env env, const char *operation, std::uint32_t code, std::uint32_t requestLength);
    Napi::Value Send(Napi::Env env, const char *operation, std::uint32_t code, std::uint32_t requestLength,
                     std::size_t capacity, std::size_t minimumReply);

    std::shared_ptr<Session> session_;
    std::uint64_t handle_ = 0;
};

} // namespace psctx

#endif
