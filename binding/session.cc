// A filter's native state: its transport, the handles it has open, and the memory that requests and replies pass through.
#include "session.h"

#include <cstring>
#include <utility>

namespace psctx {
namespace {

constexpr std::uint64_t kBatchPadding = 8;

PSCTX_HEADER ReadHeader(const void *buffer) noexcept
{
    PSCTX_HEADER header;

    std::memcpy(&header, buffer, sizeof(header));
    return header;
}

} // namespace

Session::Session(Napi::Env env, std::shared_ptr<Transport> transport) : transport_(std::move(transport))
{
    Napi::ArrayBuffer memory = Napi::ArrayBuffer::New(env, kReplyOffset + kReplyLength);

    memory_ = static_cast<std::uint8_t *>(memory.Data());
    memoryObject_ = Napi::Persistent(memory);
}

Session::~Session()
{
    std::string leftovers; // written to standard error by the kernel: nobody is left to be told

    Close(&leftovers);
}

Status Session::Close(std::string *leftovers)
{
    Status status = kStatusSuccess;

    if (transport_ != nullptr) {
        for (SessionReader *reader : std::exchange(readers_, {})) {
            reader->EndReading();
        }
        handles_.Clear([this](std::uint64_t handle) { transport_->CloseHandle(handle); });
        status = transport_->Close(leftovers);
        transport_.reset();
    }
    return status;
}

Answer Session::Send(const Operation &operation) noexcept
{
    std::uint32_t capacity;

    std::memcpy(&capacity, memory_ + kCapacityOffset, sizeof(capacity));
    return capacity > kReplyLength ? ToAnswer(kStatusInvalidParameter)
                                   : SendInto(operation, memory_ + kReplyOffset, capacity);
}

void Session::SetHandle(const Operation &operation, std::uint64_t handle) noexcept
{
    if (operation.handleOffset != 0) {
        std::memcpy(memory_ + operation.handleOffset, &handle, sizeof(handle));
    }
}

Answer Session::SendInto(const Operation &operation, void *reply, std::size_t capacity) noexcept
{
    const PSCTX_HEADER header = ReadHeader(memory_);
    std::uint32_t returned = 0;

    if (transport_ == nullptr) {
        return ToAnswer(kStatusFileClosed);
    }
    if (header.Size < operation.minimumRequest || header.Size > kRequestLength || capacity > PSCTX_MAXIMUM_TRANSFER) {
        return ToAnswer(kStatusInvalidParameter);
    }
    std::uint64_t number = 0;
    if (operation.handleOffset != 0) {
        std::memcpy(&number, memory_ + operation.handleOffset, sizeof(number));
        if (!handles_.IsOpen(number) && !(operation.isHandleOptional && number == 0)) {
            return ToAnswer(kStatusFileClosed);
        }
        SetHandle(operation, Handles::ToHandle(number));
    }
    const Status status = transport_->Control(
        {operation.code, memory_, header.Size, reply, static_cast<std::uint32_t>(capacity)}, &returned);
    SetHandle(operation, number); // the request can be sent again
    if (IsError(status)) {
        return ToAnswer(status);
    }
    const Status checked = CheckReply(reply, returned, operation.number, operation.minimumReply);
    if (!Succeeded(checked)) {
        return ToAnswer(checked);
    }
    return Succeeded(status) ? static_cast<Answer>(returned) : ToAnswer(status);
}

// A batch names its streams by their handles alone, since it is sent as it lies.
Answer Session::SendBatch(const std::uint8_t *request, std::size_t requestLength, void *reply,
                          std::size_t replyLength) noexcept
{
    PSCTX_BATCH_REQUEST batch;
    std::uint32_t returned = 0;

    if (transport_ == nullptr) {
        return ToAnswer(kStatusFileClosed);
    }
    if (requestLength < sizeof(batch) || requestLength > PSCTX_MAXIMUM_TRANSFER ||
        replyLength > PSCTX_MAXIMUM_TRANSFER) {
        return ToAnswer(kStatusInvalidBufferSize);
    }
    std::memcpy(&batch, request, sizeof(batch));
    const bool changes = batch.Header.Operation == PSCTX_OPERATION_BATCH;
    const std::uint64_t needed =
        sizeof(PSCTX_BATCH_REPLY) +
        std::uint64_t{batch.Count} * (sizeof(PSCTX_BATCH_RESULT) + std::uint64_t{batch.ReplyCapacity});
    if (batch.Header.Size > requestLength || needed > replyLength) {
        return ToAnswer(kStatusInvalidBufferSize);
    }

    std::uint64_t offset = sizeof(batch);
    for (std::uint32_t index = 0; index < batch.Count; index += 1) {
        PSCTX_STREAM_REQUEST head; // every request of a batch begins like this

        if (offset + sizeof(head) > batch.Header.Size) {
            return ToAnswer(kStatusInfoLengthMismatch);
        }
        std::memcpy(&head, request + offset, sizeof(head));
        if (!handles_.IsOpenHandle(head.Handle)) {
            return ToAnswer(kStatusFileClosed);
        }
        offset += (std::uint64_t{head.Header.Size} + kBatchPadding - 1) / kBatchPadding * kBatchPadding;
    }

    const Status status = transport_->Control({changes ? PSCTX_IOCTL_BATCH : PSCTX_IOCTL_LOOKUP_BATCH, request,
                                               batch.Header.Size, reply, static_cast<std::uint32_t>(needed)},
                                              &returned);
    if (!Succeeded(status)) {
        return ToAnswer(status);
    }
    const Status checked = CheckReply(reply, returned, changes ? PSCTX_OPERATION_BATCH : PSCTX_OPERATION_LOOKUP_BATCH,
                                      static_cast<std::uint32_t>(needed));
    return Succeeded(checked) ? static_cast<Answer>(returned) : ToAnswer(checked);
}

std::uint64_t Session::AddHandle(std::uint64_t handle)
{
    const std::uint64_t number = handles_.Add(handle);

    if (number == 0) {
        transport_->CloseHandle(handle);
    }
    return number;
}

void Session::CloseHandle(std::uint64_t number) noexcept
{
    if (transport_ != nullptr && handles_.IsOpen(number)) {
        handles_.Remove(number);
        transport_->CloseHandle(Handles::ToHandle(number));
    }
}

Status Session::CheckReply(const void *reply, std::uint32_t returned, std::uint32_t number,
                           std::uint32_t minimumSize) noexcept
{
    if (returned < minimumSize) {
        return kStatusInfoLengthMismatch;
    }
    const PSCTX_HEADER header = ReadHeader(reply);
    if (header.Version != PSCTX_ABI_VERSION) {
        return kStatusRevisionMismatch;
    }
    if (header.Size != returned || header.Operation != number) {
        return kStatusInfoLengthMismatch;
    }
    return kStatusSuccess;
}

} // namespace psctx
