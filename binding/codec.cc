// Encodes requests as the records of psctx/abi.h and checks what comes back.
#include "codec.h"

#include <cstring>

namespace psctx {

std::uint32_t EncodeStreamRequest(void *out, std::uint32_t operation, std::uint64_t handle) noexcept
{
    const PSCTX_STREAM_REQUEST request = {MakeHeader(operation, sizeof(request)), handle};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeInsertRequest(void *out, std::uint64_t handle, const Insertion &insertion) noexcept
{
    const std::uint32_t size = static_cast<std::uint32_t>(sizeof(PSCTX_INSERT_REQUEST)) + insertion.dataLength;
    const PSCTX_INSERT_REQUEST request = {MakeHeader(PSCTX_OPERATION_INSERT, size),
                                          handle,
                                          insertion.owner,
                                          insertion.instance,
                                          insertion.ifExists,
                                          insertion.pool,
                                          insertion.lifetime,
                                          insertion.dataLength};

    std::memcpy(out, &request, sizeof(request));
    if (insertion.dataLength != 0) {
        std::memcpy(static_cast<std::uint8_t *>(out) + sizeof(request), insertion.data, insertion.dataLength);
    }
    return size;
}

std::uint32_t EncodeMatchRequest(void *out, std::uint32_t operation, std::uint64_t handle, const Match &match) noexcept
{
    const PSCTX_MATCH_REQUEST request = {
        MakeHeader(operation, sizeof(request)), handle, match.owner, match.instance, match.kind, 0};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeListRequest(void *out, std::uint64_t handle, std::uint64_t before) noexcept
{
    const PSCTX_LIST_REQUEST request = {MakeHeader(PSCTX_OPERATION_LIST, sizeof(request)), handle, before};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeTrackRequest(void *out, const TrackingRule &rule) noexcept
{
    const std::uint32_t size = static_cast<std::uint32_t>(sizeof(PSCTX_TRACK_REQUEST)) + rule.patternLength;
    const PSCTX_TRACK_REQUEST request = {MakeHeader(PSCTX_OPERATION_TRACK, size),
                                         rule.owner,
                                         rule.instance,
                                         rule.volumeHandle,
                                         rule.patternLength,
                                         rule.flags};

    std::memcpy(out, &request, sizeof(request));
    if (rule.patternLength != 0) {
        std::memcpy(static_cast<std::uint8_t *>(out) + sizeof(request), rule.pattern, rule.patternLength);
    }
    return size;
}

std::uint32_t EncodeRuleRequest(void *out, std::uint32_t operation, std::uint64_t rule) noexcept
{
    const PSCTX_RULE_RECORD request = {MakeHeader(operation, sizeof(request)), rule};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeSubscribeRequest(void *out, std::uint64_t session, std::uint32_t types,
                                     std::uint32_t capacity) noexcept
{
    const PSCTX_SUBSCRIBE_REQUEST request = {MakeHeader(PSCTX_OPERATION_SUBSCRIBE, sizeof(request)), session, types,
                                             capacity};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeWaitRequest(void *out) noexcept
{
    const PSCTX_HEADER request = MakeHeader(PSCTX_OPERATION_WAIT, sizeof(request));

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeEnumerateRequest(void *out, std::uint64_t volumeHandle, const std::uint64_t (&cursor)[2]) noexcept
{
    const PSCTX_ENUMERATE_REQUEST request = {
        MakeHeader(PSCTX_OPERATION_ENUMERATE, sizeof(request)), volumeHandle, {cursor[0], cursor[1]}};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

std::uint32_t EncodeVolumesRequest(void *out, std::uint64_t after) noexcept
{
    const PSCTX_VOLUMES_REQUEST request = {MakeHeader(PSCTX_OPERATION_LIST_VOLUMES, sizeof(request)), after};

    std::memcpy(out, &request, sizeof(request));
    return sizeof(request);
}

Status CheckReply(const void *reply, std::uint32_t returned, std::uint32_t operation,
                  std::uint32_t minimumSize) noexcept
{
    PSCTX_HEADER header;

    if (returned < minimumSize) {
        return kStatusInfoLengthMismatch;
    }
    std::memcpy(&header, reply, sizeof(header));
    if (header.Version != PSCTX_ABI_VERSION) {
        return kStatusRevisionMismatch;
    }
    if (header.Size != returned || header.Operation != operation) {
        return kStatusInfoLengthMismatch;
    }
    return kStatusSuccess;
}

} // namespace psctx
