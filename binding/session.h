// A filter's native state: its transport, the handles it has open, and the memory that requests and replies pass through.
#ifndef PSCTX_BINDING_SESSION_H
#define PSCTX_BINDING_SESSION_H

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include <napi.h>
#include <psctx/abi.h>

#include "handles.h"
#include "transport.h"

namespace psctx {

// A kind of request.
struct Operation {
    const char *name;
    std::uint32_t code;   // PSCTX_IOCTL_*
    std::uint32_t number; // PSCTX_OPERATION_*
    std::uint32_t minimumRequest;
    std::uint32_t minimumReply;
    std::uint32_t handleOffset; // of the stream's handle in the request; zero: there is none
    bool isHandleOptional;      // whether zero stands for no stream
};

// What JavaScript gets: the length of a reply, or the NTSTATUS of an error or a warning, which is negative.
using Answer = std::int32_t;

constexpr Answer ToAnswer(Status status) noexcept
{
    return static_cast<Answer>(status);
}

// What has an open of the control device of its own, which ends before the session does.
class SessionReader {
  public:
    // Closes it. The session forgets it after that.
    virtual void EndReading() noexcept = 0;

  protected:
    ~SessionReader() = default;
};

// Owned together by the functions that act on it: closed by the filter's close(), or with the last of these functions, at the end of the
// environment at the latest. Used by the environment's thread.
class Session {
  public:
    // The memory: the request, how many bytes of reply there is room for, the reply.
    static constexpr std::uint32_t kRequestLength = sizeof(PSCTX_INSERT_REQUEST) + PSCTX_MAXIMUM_DATA_LENGTH;
    static constexpr std::uint32_t kCapacityOffset = kRequestLength;
    static constexpr std::uint32_t kReplyOffset = kCapacityOffset + 8;
    static constexpr std::uint32_t kReplyLength = 131072;
    static_assert(kRequestLength % 8 == 0, "the reply is aligned");
    static_assert(kReplyLength >= sizeof(PSCTX_CONTEXT_REPLY) + PSCTX_MAXIMUM_DATA_LENGTH, "a context fits");
    static_assert(kReplyLength >= sizeof(PSCTX_LIST_REPLY) + sizeof(PSCTX_LIST_ENTRY) + PSCTX_MAXIMUM_NAME_LENGTH + 8,
                  "a list entry fits");

    Session(Napi::Env env, std::shared_ptr<Transport> transport);
    ~Session();
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    Napi::ArrayBuffer Memory() const { return memoryObject_.Value(); }

    // Closes every reader and every handle, then the control device. Nothing the second time.
    Status Close(std::string *leftovers);

    // NULL once the session is closed.
    const std::shared_ptr<Transport> &GetTransport() const noexcept { return transport_; }

    // Sends the request in the memory, and leaves the reply there.
    Answer Send(const Operation &operation) noexcept;

    // The same, with the reply in the caller's memory.
    Answer SendInto(const Operation &operation, void *reply, std::size_t capacity) noexcept;

    // Sends a batch, which lies in the caller's memory, and so does its reply.
    Answer SendBatch(const std::uint8_t *request, std::size_t requestLength, void *reply,
                     std::size_t replyLength) noexcept;

    // The number of a handle that was opened, which the session takes over. Zero: it did not, and closed it.
    std::uint64_t AddHandle(std::uint64_t handle);
    bool HasHandle(std::uint64_t number) const noexcept { return handles_.IsOpen(number); }
    void CloseHandle(std::uint64_t number) noexcept;

    // A reader tells the session that it is there, until it ends.
    void AddReader(SessionReader *reader) { readers_.insert(reader); }
    void RemoveReader(SessionReader *reader) noexcept { readers_.erase(reader); }

    // Whether Returned bytes are a whole reply to an operation: STATUS_REVISION_MISMATCH for another ABI version,
    // STATUS_INFO_LENGTH_MISMATCH for anything else that is not as the contract says.
    static Status CheckReply(const void *reply, std::uint32_t returned, std::uint32_t number,
                             std::uint32_t minimumSize) noexcept;

  private:
    void SetHandle(const Operation &operation, std::uint64_t handle) noexcept;

    std::uint8_t *memory_;
    std::shared_ptr<Transport> transport_;
    Handles handles_;
    Napi::Reference<Napi::ArrayBuffer> memoryObject_; // keeps the memory while there is a function that uses it
    std::unordered_set<SessionReader *> readers_;
};

} // namespace psctx

#endif
