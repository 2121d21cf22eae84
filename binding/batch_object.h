// The addon's Batch: encoded requests on many streams of one filter, sent in one control call, and the memory of the replies.
#ifndef PSCTX_BINDING_BATCH_OBJECT_H
#define PSCTX_BINDING_BATCH_OBJECT_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <napi.h>

#include "session.h"

namespace psctx {

class BatchObject : public Napi::ObjectWrap<BatchObject> {
  public:
    static Napi::Function Define(Napi::Env env);

    // new Batch(filter: Filter, replyCapacity: number)
    explicit BatchObject(const Napi::CallbackInfo &info);

  private:
    // Each appends one request; STATUS_INVALID_PARAMETER or STATUS_INVALID_BUFFER_SIZE when the batch is full.
    void Insert(const Napi::CallbackInfo &info);    // (stream, owner, instance, ifExists, pool, lifetime, data)
    void Lookup(const Napi::CallbackInfo &info);    // (stream, owner, instance?)
    void Remove(const Napi::CallbackInfo &info);    // (stream, owner, instance?)
    void RemoveAll(const Napi::CallbackInfo &info); // (stream, owner?)
    void Clear(const Napi::CallbackInfo &info);     // forgets every request

    // Sends the requests. Returns the ArrayBuffer that holds the PSCTX_BATCH_REPLY, the same one as long as its length is.
    Napi::Value Run(const Napi::CallbackInfo &info);

    std::uint64_t GetStream(const Napi::CallbackInfo &info, const char *operation) const;
    std::uint8_t *Append(Napi::Env env, const char *operation, std::size_t length);

    std::shared_ptr<Session> session_;
    std::vector<std::uint64_t> request_; // of 8 bytes each, so that every request in it is aligned and padded
    std::uint32_t count_ = 0;
    std::uint32_t replyCapacity_ = 0;
    bool changes_ = false; // whether an operation in it needs PSCTX_IOCTL_BATCH
    std::shared_ptr<std::uint8_t> reply_;
    std::uint32_t replyLength_ = 0;
    Napi::Reference<Napi::ArrayBuffer> replyBuffer_;
};

} // namespace psctx

#endif
