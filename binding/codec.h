// Encodes requests as the records of psctx/abi.h and checks what comes back. Pure functions over caller-owned memory.
#ifndef PSCTX_BINDING_CODEC_H
#define PSCTX_BINDING_CODEC_H

#include <cstddef>
#include <cstdint>

#include <psctx/abi.h>

#include "status.h"

namespace psctx {

// The longest request for a single operation: an insertion with all the data that a context can hold.
constexpr std::size_t kMaximumRequest = sizeof(PSCTX_INSERT_REQUEST) + PSCTX_MAXIMUM_DATA_LENGTH;

// The longest reply with a context's data.
constexpr std::size_t kMaximumContextReply = sizeof(PSCTX_CONTEXT_REPLY) + PSCTX_MAXIMUM_DATA_LENGTH;

struct Insertion {
    std::uint64_t owner = 0;
    std::uint64_t instance = 0;
    std::uint32_t ifExists = PSCTX_IF_EXISTS_FAIL;
    std::uint32_t pool = PSCTX_POOL_PAGED;
    std::uint32_t lifetime = PSCTX_LIFETIME_SESSION;
    const void *data = nullptr;
    std::uint32_t dataLength = 0; // at most PSCTX_MAXIMUM_DATA_LENGTH
};

struct Match {
    std::uint32_t kind = PSCTX_MATCH_INSTANCE;
    std::uint64_t owner = 0;
    std::uint64_t instance = 0;
};

struct TrackingRule {
    std::uint64_t owner = 0;
    std::uint64_t instance = 0;
    std::uint64_t volumeHandle = 0; // a file of the volume, or zero: every volume
    std::uint32_t flags = 0;        // PSCTX_TRACK_*
    const void *pattern = nullptr;
    std::uint32_t patternLength = 0; // bytes, at most PSCTX_MAXIMUM_PATTERN_LENGTH
};

constexpr PSCTX_HEADER MakeHeader(std::uint32_t operation, std::uint32_t size) noexcept
{
    return {size, static_cast<PSCTX_UINT16>(PSCTX_ABI_VERSION), static_cast<PSCTX_UINT16>(operation)};
}

// Each writes one request to Out, which has room for it and is aligned to 8 bytes, and returns its length.
std::uint32_t EncodeStreamRequest(void *out, std::uint32_t operation, std::uint64_t handle) noexcept;
std::uint32_t EncodeInsertRequest(void *out, std::uint64_t handle, const Insertion &insertion) noexcept;
std::uint32_t EncodeMatchRequest(void *out, std::uint32_t operation, std::uint64_t handle, const Match &match) noexcept;
std::uint32_t EncodeListRequest(void *out, std::uint64_t handle, std::uint64_t before) noexcept;
std::uint32_t EncodeTrackRequest(void *out, const TrackingRule &rule) noexcept;
std::uint32_t EncodeRuleRequest(void *out, std::uint32_t operation, std::uint64_t rule) noexcept;
std::uint32_t EncodeSubscribeRequest(void *out, std::uint64_t session, std::uint32_t types,
                                     std::uint32_t capacity) noexcept;
std::uint32_t EncodeWaitRequest(void *out) noexcept;
std::uint32_t EncodeEnumerateRequest(void *out, std::uint64_t volumeHandle, const std::uint64_t (&cursor)[2]) noexcept;
std::uint32_t EncodeVolumesRequest(void *out, std::uint64_t after) noexcept;

// Whether Returned bytes are a whole reply to Operation: STATUS_REVISION_MISMATCH for another ABI version,
// STATUS_INFO_LENGTH_MISMATCH for anything else that is not as the contract says.
Status CheckReply(const void *reply, std::uint32_t returned, std::uint32_t operation,
                  std::uint32_t minimumSize) noexcept;

} // namespace psctx

#endif
