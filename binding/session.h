// A filter's native state: its transport, the streams it has open, and the memory that requests and replies pass through.
#ifndef PSCTX_BINDING_SESSION_H
#define PSCTX_BINDING_SESSION_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "codec.h"
#include "transport.h"

namespace psctx {

class Session;

// What has an open of the control device of its own, which ends before the session does.
class SessionReader {
  public:
    // Closes it. The session forgets it after that.
    virtual void EndReading() noexcept = 0;

  protected:
    ~SessionReader() = default;
};

// The sessions of one JavaScript environment, so that its end closes them. Used by that environment's thread alone.
using SessionRegistry = std::unordered_set<Session *>;

// Shared by the filter's object and those of its streams, batches and files: closed by the filter's close(), by the end of
// the environment, or when the last of these objects has been collected. Used by one thread.
class Session {
  public:
    // Bytes of the reply memory: a context with all its data, or a list entry with the longest name.
    static constexpr std::uint32_t kReplyLength = 131072;
    static_assert(kReplyLength >= kMaximumContextReply, "a context fits");
    static_assert(kReplyLength >= sizeof(PSCTX_LIST_REPLY) + sizeof(PSCTX_LIST_ENTRY) + PSCTX_MAXIMUM_NAME_LENGTH + 8,
                  "a list entry fits");

    static Status Open(const OpenOptions &options, const std::shared_ptr<SessionRegistry> &registry,
                       std::shared_ptr<Session> *session);

    Session(std::unique_ptr<Transport> transport, const std::shared_ptr<SessionRegistry> &registry);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    bool IsClosed() const noexcept { return transport_ == nullptr; }

    // Closes every reader and every stream, then the control device. Nothing the second time.
    Status Close(std::string *leftovers);

    // The routines below answer STATUS_FILE_CLOSED once the session is closed.

    Status OpenStream(const std::u16string &path, std::uint64_t *handle);
    void CloseStream(std::uint64_t handle) noexcept;

    // A reader tells the session that it is there, until it ends.
    Status OpenPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device);
    void AddReader(SessionReader *reader) { readers_.insert(reader); }
    void RemoveReader(SessionReader *reader) noexcept { readers_.erase(reader); }

    Status QueryDrive(char16_t letter, std::u16string *device);

    // Sends the RequestLength bytes of Request() and checks the reply. Returned is its length, when the status is a success
    // or STATUS_BUFFER_OVERFLOW.
    Status Send(std::uint32_t controlCode, std::uint32_t requestLength, void *reply, std::uint32_t capacity,
                std::uint32_t minimumReply, std::uint32_t *returned);

    // Send for LOOKUP and REMOVE, with as much room in Reply() as the data needs.
    Status SendForContext(std::uint32_t controlCode, std::uint32_t requestLength, std::uint32_t *returned);

    // Sends a batch, which lies in the caller's memory.
    Status SendBatch(std::uint32_t controlCode, const void *request, std::uint32_t requestLength, void *reply,
                     std::uint32_t replyLength);

    // NULL without an embedded kernel, and when the session is closed.
    HostKernel *Host() noexcept { return transport_ == nullptr ? nullptr : transport_->Host(); }

    // Room for kMaximumRequest bytes, aligned to 8.
    std::uint8_t *Request() noexcept { return request_.get(); }

    // kReplyLength bytes that JavaScript sees as an ArrayBuffer, which shares their ownership.
    const std::shared_ptr<std::uint8_t> &Reply() const noexcept { return reply_; }

    // kMaximumContextReply bytes that JavaScript does not see.
    std::uint8_t *Scratch() noexcept { return scratch_.get(); }

  private:
    std::unique_ptr<Transport> transport_;
    std::weak_ptr<SessionRegistry> registry_;
    std::unordered_set<std::uint64_t> streams_;
    std::unordered_set<SessionReader *> readers_;
    std::unique_ptr<std::uint8_t[]> request_;
    std::unique_ptr<std::uint8_t[]> scratch_;
    std::shared_ptr<std::uint8_t> reply_;
    std::uint32_t expectedDataLength_ = 256; // grows with the data seen: the kernel's buffer is as long as we say
};

} // namespace psctx

#endif
