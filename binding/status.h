// The few NTSTATUS values that the addon itself tells apart, as the 32-bit patterns that travel to JavaScript.
#ifndef PSCTX_BINDING_STATUS_H
#define PSCTX_BINDING_STATUS_H

#include <cstdint>

namespace psctx {

using Status = std::uint32_t;

constexpr Status kStatusSuccess = 0x00000000u;
constexpr Status kStatusPending = 0x00000103u;
constexpr Status kStatusInfoLengthMismatch = 0xC0000004u;
constexpr Status kStatusInvalidHandle = 0xC0000008u;
constexpr Status kStatusInvalidParameter = 0xC000000Du;
constexpr Status kStatusEndOfFile = 0xC0000011u;
constexpr Status kStatusBufferTooSmall = 0xC0000023u;
constexpr Status kStatusNoMoreEntries = 0x8000001Au;
constexpr Status kStatusAccessDenied = 0xC0000022u;
constexpr Status kStatusObjectNameInvalid = 0xC0000033u;
constexpr Status kStatusObjectNameNotFound = 0xC0000034u;
constexpr Status kStatusObjectNameCollision = 0xC0000035u;
constexpr Status kStatusObjectPathSyntaxBad = 0xC000003Bu;
constexpr Status kStatusRevisionMismatch = 0xC0000059u;
constexpr Status kStatusInsufficientResources = 0xC000009Au;
constexpr Status kStatusNotSupported = 0xC00000BBu;
constexpr Status kStatusNameTooLong = 0xC0000106u;
constexpr Status kStatusImageAlreadyLoaded = 0xC000010Eu;
constexpr Status kStatusCancelled = 0xC0000120u;
constexpr Status kStatusFileClosed = 0xC0000128u;
constexpr Status kStatusInvalidDeviceState = 0xC0000184u;
constexpr Status kStatusInvalidBufferSize = 0xC0000206u;

// NT_SUCCESS: successes and informational values.
constexpr bool Succeeded(Status status) noexcept
{
    return status < 0x80000000u;
}

// NT_ERROR: what the I/O manager returns without copying the output buffer. Warnings are not among them.
constexpr bool IsError(Status status) noexcept
{
    return status >= 0xC0000000u;
}

} // namespace psctx

#endif
