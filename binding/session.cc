// A filter's native state: its transport, the streams it has open, and the memory that requests and replies pass through.
#include "session.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace psctx {

Status Session::Open(const OpenOptions &options, const std::shared_ptr<SessionRegistry> &registry,
                     std::shared_ptr<Session> *session)
{
    std::unique_ptr<Transport> transport;
    const Status status = OpenTransport(options, &transport);

    if (Succeeded(status)) {
        *session = std::make_shared<Session>(std::move(transport), registry);
    }
    return status;
}

Session::Session(std::unique_ptr<Transport> transport, const std::shared_ptr<SessionRegistry> &registry)
    : transport_(std::move(transport)), registry_(registry), request_(new std::uint8_t[kMaximumRequest]),
      scratch_(new std::uint8_t[kMaximumContextReply]),
      reply_(new std::uint8_t[kReplyLength], std::default_delete<std::uint8_t[]>())
{
    registry->insert(this);
}

Session::~Session()
{
    std::string leftovers;

    Close(&leftovers);
    if (const std::shared_ptr<SessionRegistry> registry = registry_.lock()) {
        registry->erase(this);
    }
}

Status Session::Close(std::string *leftovers)
{
    Status status = kStatusSuccess;

    if (transport_ != nullptr) {
        for (SessionReader *reader : std::exchange(readers_, {})) {
            reader->EndReading();
        }
        for (const std::uint64_t handle : streams_) {
            transport_->CloseHandle(handle);
        }
        streams_.clear();
        status = transport_->Close(leftovers);
        transport_.reset();
    }
    return status;
}

Status Session::OpenStream(const std::u16string &path, std::uint64_t *handle)
{
    Status status = kStatusFileClosed;

    if (transport_ != nullptr) {
        status = transport_->OpenStream(path, handle);
        if (Succeeded(status)) {
            streams_.insert(*handle);
        }
    }
    return status;
}

void Session::CloseStream(std::uint64_t handle) noexcept
{
    if (transport_ != nullptr && streams_.erase(handle) != 0) {
        transport_->CloseHandle(handle);
    }
}

Status Session::OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device)
{
    return transport_ == nullptr ? kStatusFileClosed : transport_->OpenPending(std::move(completed), device);
}

Status Session::QueryDrive(char16_t letter, std::u16string *device)
{
    return transport_ == nullptr ? kStatusFileClosed : transport_->QueryDrive(letter, device);
}

Status Session::Send(std::uint32_t controlCode, std::uint32_t requestLength, void *reply, std::uint32_t capacity,
                     std::uint32_t minimumReply, std::uint32_t *returned)
{
    PSCTX_HEADER header;
    Status status;
    Status checked;

    if (transport_ == nullptr) {
        return kStatusFileClosed;
    }
    std::memcpy(&header, request_.get(), sizeof(header));
    status = transport_->Control(controlCode, request_.get(), requestLength, reply, capacity, returned);
    if (IsError(status)) {
        return status;
    }
    checked = CheckReply(reply, *returned, header.Operation, minimumReply);
    return Succeeded(checked) ? status : checked;
}

Status Session::SendForContext(std::uint32_t controlCode, std::uint32_t requestLength, std::uint32_t *returned)
{
    constexpr auto head = static_cast<std::uint32_t>(sizeof(PSCTX_CONTEXT_REPLY));
    Status status;

    for (;;) {
        PSCTX_CONTEXT_REPLY reply;

        status = Send(controlCode, requestLength, reply_.get(), head + expectedDataLength_, head, returned);
        if (status != kStatusBufferOverflow) {
            return status;
        }
        std::memcpy(&reply, reply_.get(), sizeof(reply));
        if (reply.DataLength <= expectedDataLength_ || reply.DataLength > PSCTX_MAXIMUM_DATA_LENGTH) {
            return kStatusInfoLengthMismatch;
        }
        expectedDataLength_ = std::min(std::max(reply.DataLength, 2u * expectedDataLength_), PSCTX_MAXIMUM_DATA_LENGTH);
    }
}

Status Session::SendBatch(std::uint32_t controlCode, const void *request, std::uint32_t requestLength, void *reply,
                          std::uint32_t replyLength)
{
    PSCTX_HEADER header;
    std::uint32_t returned = 0;
    Status status;

    if (transport_ == nullptr) {
        return kStatusFileClosed;
    }
    std::memcpy(&header, request, sizeof(header));
    status = transport_->Control(controlCode, request, requestLength, reply, replyLength, &returned);
    return Succeeded(status) ? CheckReply(reply, returned, header.Operation, replyLength) : status;
}

} // namespace psctx
