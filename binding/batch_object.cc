// The addon's Batch: encoded requests on many streams of one filter, sent in one control call, and the memory of the replies.
#include "batch_object.h"

#include <cstring>

#include "arguments.h"
#include "errors.h"
#include "filter_object.h"
#include "stream_object.h"
#include "wrapped.h"

namespace psctx {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

} // namespace

Napi::Function BatchObject::Define(Napi::Env env)
{
    return DefineClass(env, "Batch",
                       {InstanceMethod<&BatchObject::Insert>("insert"), InstanceMethod<&BatchObject::Lookup>("lookup"),
                        InstanceMethod<&BatchObject::Remove>("remove"),
                        InstanceMethod<&BatchObject::RemoveAll>("removeAll"),
                        InstanceMethod<&BatchObject::Clear>("clear"), InstanceMethod<&BatchObject::Run>("run")});
}

BatchObject::BatchObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<BatchObject>(info)
{
    constexpr const char *operation = "batch";
    const Napi::Env env = info.Env();

    session_ = UnwrapArgument<FilterObject>(env, info[0], kFilterTag, operation, "filter")->GetSession();
    replyCapacity_ = GetUint32(env, info[1], PSCTX_MAXIMUM_TRANSFER, operation, "replyCapacity");
    if (replyCapacity_ % kWord != 0) {
        throw MakeArgumentError(env, operation, "replyCapacity");
    }
    request_.resize(sizeof(PSCTX_BATCH_REQUEST) / kWord);
    info.This().As<Napi::Object>().TypeTag(&kBatchTag);
}

std::uint64_t BatchObject::GetStream(const Napi::CallbackInfo &info, const char *operation) const
{
    const StreamObject *stream = UnwrapArgument<StreamObject>(info.Env(), info[0], kStreamTag, operation, "stream");

    if (stream->GetSession() != session_) {
        throw MakeArgumentError(info.Env(), operation, "stream");
    }
    if (stream->GetHandle() == 0) {
        throw MakeError(info.Env(), operation, kStatusFileClosed);
    }
    return stream->GetHandle();
}

// Zeroed room for a request of Length bytes at the batch's end. STATUS_INVALID_PARAMETER when the batch has as many operations
// as it may, STATUS_INVALID_BUFFER_SIZE when request or reply would be longer than one transfer: as the driver would answer.
std::uint8_t *BatchObject::Append(Napi::Env env, const char *operation, std::size_t length)
{
    const std::size_t position = request_.size();
    const std::size_t size = position + (length + kWord - 1) / kWord;
    const std::size_t replyLength =
        sizeof(PSCTX_BATCH_REPLY) + (std::size_t{count_} + 1) * (sizeof(PSCTX_BATCH_RESULT) + replyCapacity_);

    if (count_ == PSCTX_MAXIMUM_BATCH_OPERATIONS) {
        throw MakeArgumentError(env, operation, "batch");
    }
    if (size * kWord > PSCTX_MAXIMUM_TRANSFER || replyLength > PSCTX_MAXIMUM_TRANSFER) {
        throw MakeError(env, operation, kStatusInvalidBufferSize);
    }
    request_.resize(size);
    count_ += 1;
    return reinterpret_cast<std::uint8_t *>(&request_[position]);
}

void BatchObject::Insert(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "insert";
    const std::uint64_t handle = GetStream(info, operation);
    const Insertion insertion = GetInsertion(info, 1, operation);

    EncodeInsertRequest(Append(info.Env(), operation, sizeof(PSCTX_INSERT_REQUEST) + insertion.dataLength), handle,
                        insertion);
    changes_ = true;
}

void BatchObject::Lookup(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "lookup";
    const std::uint64_t handle = GetStream(info, operation);
    const Match match = GetMatch(info.Env(), info[1], info[2], operation);

    EncodeMatchRequest(Append(info.Env(), operation, sizeof(PSCTX_MATCH_REQUEST)), PSCTX_OPERATION_LOOKUP, handle,
                       match);
}

void BatchObject::Remove(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "remove";
    const std::uint64_t handle = GetStream(info, operation);
    const Match match = GetMatch(info.Env(), info[1], info[2], operation);

    EncodeMatchRequest(Append(info.Env(), operation, sizeof(PSCTX_MATCH_REQUEST)), PSCTX_OPERATION_REMOVE, handle,
                       match);
    changes_ = true;
}

void BatchObject::RemoveAll(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "removeAll";
    const std::uint64_t handle = GetStream(info, operation);
    Match match;

    match.kind = PSCTX_MATCH_FIRST;
    if (!IsUndefined(info.Env(), info[1])) {
        match.kind = PSCTX_MATCH_OWNER;
        match.owner = GetIdentifier(info.Env(), info[1], operation, "owner");
    }
    EncodeMatchRequest(Append(info.Env(), operation, sizeof(PSCTX_MATCH_REQUEST)), PSCTX_OPERATION_REMOVE_ALL, handle,
                       match);
    changes_ = true;
}

void BatchObject::Clear(const Napi::CallbackInfo &)
{
    request_.resize(sizeof(PSCTX_BATCH_REQUEST) / kWord);
    count_ = 0;
    changes_ = false;
}

Napi::Value BatchObject::Run(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "batch";
    const Napi::Env env = info.Env();
    const auto requestLength = static_cast<std::uint32_t>(request_.size() * kWord);
    const auto replyLength = static_cast<std::uint32_t>(
        sizeof(PSCTX_BATCH_REPLY) + std::size_t{count_} * (sizeof(PSCTX_BATCH_RESULT) + replyCapacity_));
    const std::uint32_t number = changes_ ? PSCTX_OPERATION_BATCH : PSCTX_OPERATION_LOOKUP_BATCH;
    const PSCTX_BATCH_REQUEST request = {MakeHeader(number, requestLength), count_, replyCapacity_};
    Status status;

    if (replyLength_ != replyLength) {
        reply_ = std::shared_ptr<std::uint8_t>(new std::uint8_t[replyLength](), std::default_delete<std::uint8_t[]>());
        replyLength_ = replyLength;
        replyBuffer_ = Napi::Persistent(ShareMemory(env, reply_, replyLength));
    }
    std::memcpy(request_.data(), &request, sizeof(request));
    status = session_->SendBatch(changes_ ? PSCTX_IOCTL_BATCH : PSCTX_IOCTL_LOOKUP_BATCH, request_.data(),
                                 requestLength, reply_.get(), replyLength);
    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    return replyBuffer_.Value();
}

} // namespace psctx
