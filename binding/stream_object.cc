// The addon's Stream: an open handle of a file stream, and the operations on its contexts.
#include "stream_object.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "arguments.h"
#include "errors.h"
#include "filter_object.h"
#include "wrapped.h"

namespace psctx {

Napi::Function StreamObject::Define(Napi::Env env)
{
    return DefineClass(
        env, "Stream",
        {InstanceMethod<&StreamObject::Query>("query"), InstanceMethod<&StreamObject::Insert>("insert"),
         InstanceMethod<&StreamObject::Lookup>("lookup"), InstanceMethod<&StreamObject::LookupInto>("lookupInto"),
         InstanceMethod<&StreamObject::First>("first"), InstanceMethod<&StreamObject::Remove>("remove"),
         InstanceMethod<&StreamObject::RemoveAll>("removeAll"), InstanceMethod<&StreamObject::List>("list"),
         InstanceMethod<&StreamObject::Inspect>("inspect"), InstanceMethod<&StreamObject::Close>("close"),
         InstanceAccessor<&StreamObject::IsClosed>("closed")});
}

StreamObject::StreamObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<StreamObject>(info)
{
    constexpr const char *operation = "open";
    const Napi::Env env = info.Env();
    Status status;

    session_ = UnwrapArgument<FilterObject>(env, info[0], kFilterTag, operation, "filter")->GetSession();
    status = session_->OpenStream(GetPath(env, info[1], operation, "path"), &handle_);
    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    info.This().As<Napi::Object>().TypeTag(&kStreamTag);
}

StreamObject::~StreamObject()
{
    if (session_ != nullptr && handle_ != 0) {
        session_->CloseStream(handle_);
    }
}

std::uint64_t StreamObject::OpenHandle(Napi::Env env, const char *operation) const
{
    const std::uint64_t handle = GetHandle();

    if (handle == 0) {
        throw MakeError(env, operation, kStatusFileClosed);
    }
    return handle;
}

Napi::Value StreamObject::Send(Napi::Env env, const char *operation, std::uint32_t code, std::uint32_t requestLength,
                               std::size_t capacity, std::size_t minimumReply)
{
    std::uint32_t returned = 0;
    const Status status =
        session_->Send(code, requestLength, session_->Reply().get(), static_cast<std::uint32_t>(capacity),
                       static_cast<std::uint32_t>(minimumReply), &returned);

    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    return Napi::Number::New(env, returned);
}

Napi::Value StreamObject::SendForContext(Napi::Env env, const char *operation, std::uint32_t code,
                                         std::uint32_t requestLength)
{
    std::uint32_t returned = 0;
    const Status status = session_->SendForContext(code, requestLength, &returned);

    if (status == kStatusNotFound) {
        return env.Undefined();
    }
    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    return Napi::Number::New(env, returned);
}

Napi::Value StreamObject::Query(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "support";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    const std::uint32_t length = EncodeStreamRequest(session_->Request(), PSCTX_OPERATION_QUERY_STREAM, handle);

    return Send(info.Env(), operation, PSCTX_IOCTL_QUERY_STREAM, length, sizeof(PSCTX_STREAM_REPLY),
                sizeof(PSCTX_STREAM_REPLY));
}

Napi::Value StreamObject::Insert(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "insert";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    const Insertion insertion = GetInsertion(info, 0, operation);
    const std::uint32_t length = EncodeInsertRequest(session_->Request(), handle, insertion);

    return Send(info.Env(), operation, PSCTX_IOCTL_INSERT, length, sizeof(PSCTX_INSERT_REPLY),
                sizeof(PSCTX_INSERT_REPLY));
}

Napi::Value StreamObject::Lookup(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "lookup";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    const Match match = GetMatch(info.Env(), info[0], info[1], operation);
    const std::uint32_t length = EncodeMatchRequest(session_->Request(), PSCTX_OPERATION_LOOKUP, handle, match);

    return SendForContext(info.Env(), operation, PSCTX_IOCTL_LOOKUP, length);
}

Napi::Value StreamObject::First(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "first";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    Match match;

    match.kind = PSCTX_MATCH_FIRST;
    const std::uint32_t length = EncodeMatchRequest(session_->Request(), PSCTX_OPERATION_LOOKUP, handle, match);
    return SendForContext(info.Env(), operation, PSCTX_IOCTL_LOOKUP, length);
}

Napi::Value StreamObject::Remove(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "remove";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    const Match match = GetMatch(info.Env(), info[0], info[1], operation);
    const std::uint32_t length = EncodeMatchRequest(session_->Request(), PSCTX_OPERATION_REMOVE, handle, match);

    return SendForContext(info.Env(), operation, PSCTX_IOCTL_REMOVE, length);
}

Napi::Value StreamObject::RemoveAll(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "removeAll";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    Match match;

    match.kind = PSCTX_MATCH_FIRST;
    if (!IsUndefined(info.Env(), info[0])) {
        match.kind = PSCTX_MATCH_OWNER;
        match.owner = GetIdentifier(info.Env(), info[0], operation, "owner");
    }
    const std::uint32_t length = EncodeMatchRequest(session_->Request(), PSCTX_OPERATION_REMOVE_ALL, handle, match);
    return Send(info.Env(), operation, PSCTX_IOCTL_REMOVE_ALL, length, sizeof(PSCTX_COUNT_REPLY),
                sizeof(PSCTX_COUNT_REPLY));
}

Napi::Value StreamObject::List(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "contexts";
    const std::uint64_t handle = OpenHandle(info.Env(), operation);
    const std::uint64_t before = GetIdentifier(info.Env(), info[0], operation, "before");
    const std::uint32_t length = EncodeListRequest(session_->Request(), handle, before);

    return Send(info.Env(), operation, PSCTX_IOCTL_LIST, length, Session::kReplyLength, sizeof(PSCTX_LIST_REPLY));
}

Napi::Value StreamObject::Inspect(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "inspect";
    const Napi::Env env = info.Env();
    const std::uint64_t handle = OpenHandle(env, operation);
    const Bytes page = GetBytes(env, info[0], operation, "page");
    const std::uint32_t length = EncodeStreamRequest(session_->Request(), PSCTX_OPERATION_INSPECT, handle);
    PSCTX_INSPECT_REPLY reply;
    std::uint32_t returned = 0;

    if (page.length > PSCTX_MAXIMUM_TRANSFER) {
        throw MakeArgumentError(env, operation, "page");
    }
    const Status status = session_->Send(PSCTX_IOCTL_INSPECT, length, page.data,
                                         static_cast<std::uint32_t>(page.length), sizeof(reply), &returned);
    if (status == kStatusBufferOverflow) {
        std::memcpy(&reply, page.data, sizeof(reply));
        throw MakeOverflowError(env, operation, reply.Remaining);
    }
    if (!Succeeded(status)) {
        throw MakeError(env, operation, status);
    }
    return Napi::Number::New(env, returned);
}

Napi::Value StreamObject::LookupInto(const Napi::CallbackInfo &info)
{
    constexpr const char *operation = "lookup";
    constexpr auto head = static_cast<std::uint32_t>(sizeof(PSCTX_CONTEXT_REPLY));
    const Napi::Env env = info.Env();
    const std::uint64_t handle = OpenHandle(env, operation);
    const Match match = GetMatch(env, info[1], info[2], operation);
    const Bytes buffer = GetBytes(env, info[0], operation, "buffer");
    const auto room = static_cast<std::uint32_t>(std::min<std::size_t>(buffer.length, PSCTX_MAXIMUM_DATA_LENGTH));
    const std::uint32_t length = EncodeMatchRequest(session_->Request(), PSCTX_OPERATION_LOOKUP, handle, match);
    PSCTX_CONTEXT_REPLY reply;
    std::uint32_t returned = 0;
    Status status = session_->Send(PSCTX_IOCTL_LOOKUP, length, session_->Scratch(), head + room, head, &returned);

    if (status == kStatusNotFound) {
        return env.Undefined();
    }
    if (!Succeeded(status) && status != kStatusBufferOverflow) {
        throw MakeError(env, operation, status);
    }
    std::memcpy(&reply, session_->Scratch(), sizeof(reply));
    if (status == kStatusBufferOverflow) {
        throw MakeOverflowError(env, operation, reply.DataLength);
    }
    if (reply.DataLength != returned - head) {
        throw MakeError(env, operation, kStatusInfoLengthMismatch);
    }
    if (reply.DataLength != 0) {
        std::memcpy(buffer.data, session_->Scratch() + head, reply.DataLength);
    }
    return Napi::Number::New(env, reply.DataLength);
}

void StreamObject::Close(const Napi::CallbackInfo &)
{
    if (handle_ != 0) {
        session_->CloseStream(handle_);
        handle_ = 0;
    }
}

Napi::Value StreamObject::IsClosed(const Napi::CallbackInfo &info)
{
    return Napi::Boolean::New(info.Env(), GetHandle() == 0);
}

} // namespace psctx
