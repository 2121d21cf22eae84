// Encodes requests as the records of psctx/abi.h and checks what comes back.
#include "codec.h"

#include <cstring>

namespace psctx {

std::uint32_t EncodeStreamRequest(void *out, std::uint64_t handle) noexcept
{
    const PSCTX_STREAM_REQUEST request = {MakeHeader(PSCTX_OPERATION_QUERY_STREAM, sizeof(request)), handle};

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
