// What the transport does to open files, by system services.
#include <vector>

#include "nt.h"
#include "transport.h"

namespace psctx {
namespace {

LARGE_INTEGER ToLargeInteger(std::uint64_t value) noexcept
{
    LARGE_INTEGER integer = {};

    integer.QuadPart = static_cast<LONGLONG>(value);
    return integer;
}

// Asks for the descriptor in as many bytes as it turns out to have, and sets the same.
NTSTATUS RewriteSecurity(HANDLE file)
{
    std::vector<std::uint64_t> descriptor(64);
    ULONG length = 0;
    NTSTATUS status;

    for (;;) {
        const auto capacity = static_cast<ULONG>(descriptor.size() * sizeof(std::uint64_t));

        status = NtQuerySecurityObject(file, DACL_SECURITY_INFORMATION, descriptor.data(), capacity, &length);
        if (FromNt(status) != kStatusBufferTooSmall || length <= capacity) {
            break;
        }
        descriptor.resize(length / sizeof(std::uint64_t) + 1);
    }
    return Succeeded(FromNt(status)) ? NtSetSecurityObject(file, DACL_SECURITY_INFORMATION, descriptor.data()) : status;
}

} // namespace

Status Transport::ReadFile(std::uint64_t handle, std::uint64_t position, void *data, std::uint32_t length,
                           std::uint32_t *transferred)
{
    const InProcess inProcess(process_);
    IO_STATUS_BLOCK ioStatus = {};
    LARGE_INTEGER offset = ToLargeInteger(position);
    const Status status =
        FromNt(NtReadFile(ToHandle(handle), nullptr, nullptr, nullptr, &ioStatus, data, length, &offset, nullptr));

    *transferred = BytesOf(status, ioStatus);
    return status == kStatusEndOfFile ? kStatusSuccess : status;
}

Status Transport::WriteFile(std::uint64_t handle, std::uint64_t position, void *data, std::uint32_t length,
                            std::uint32_t *transferred)
{
    const InProcess inProcess(process_);
    IO_STATUS_BLOCK ioStatus = {};
    LARGE_INTEGER offset = ToLargeInteger(position);
    const Status status =
        FromNt(NtWriteFile(ToHandle(handle), nullptr, nullptr, nullptr, &ioStatus, data, length, &offset, nullptr));

    *transferred = BytesOf(status, ioStatus);
    return status;
}

Status Transport::QueryInformation(std::uint64_t handle, std::uint64_t informationClass, void *data,
                                   std::uint32_t length, std::uint32_t *transferred)
{
    const InProcess inProcess(process_);
    IO_STATUS_BLOCK ioStatus = {};
    const Status status = FromNt(NtQueryInformationFile(ToHandle(handle), &ioStatus, data, length,
                                                        static_cast<FILE_INFORMATION_CLASS>(informationClass)));

    *transferred = BytesOf(status, ioStatus);
    return status;
}

Status Transport::SetInformation(std::uint64_t handle, std::uint64_t informationClass, void *data, std::uint32_t length,
                                 std::uint32_t *transferred)
{
    const InProcess inProcess(process_);
    IO_STATUS_BLOCK ioStatus = {};

    *transferred = 0;
    return FromNt(NtSetInformationFile(ToHandle(handle), &ioStatus, data, length,
                                       static_cast<FILE_INFORMATION_CLASS>(informationClass)));
}

Status Transport::OperateFile(std::uint64_t handle, FileOperation operation, const Range &range)
{
    const InProcess inProcess(process_);
    const HANDLE file = ToHandle(handle);
    IO_STATUS_BLOCK ioStatus = {};
    LARGE_INTEGER position = ToLargeInteger(range.position);
    LARGE_INTEGER length = ToLargeInteger(range.length);
    USHORT compression = 1; // COMPRESSION_FORMAT_DEFAULT

    switch (operation) {
    case FileOperation::Flush:
        return FromNt(NtFlushBuffersFile(file, &ioStatus));
    case FileOperation::Lock:
        return FromNt(NtLockFile(file, nullptr, nullptr, nullptr, &ioStatus, &position, &length, 0, TRUE, TRUE));
    case FileOperation::Unlock:
        return FromNt(NtUnlockFile(file, &ioStatus, &position, &length, 0));
    case FileOperation::RewriteSecurity:
        return FromNt(RewriteSecurity(file));
    case FileOperation::SetSparse:
        return FromNt(
            NtFsControlFile(file, nullptr, nullptr, nullptr, &ioStatus, FSCTL_SET_SPARSE, nullptr, 0, nullptr, 0));
    case FileOperation::SetCompressed:
        return FromNt(NtFsControlFile(file, nullptr, nullptr, nullptr, &ioStatus, FSCTL_SET_COMPRESSION, &compression,
                                      sizeof(compression), nullptr, 0));
    }
    return kStatusInvalidParameter;
}

Status Transport::MapFile(std::uint64_t handle, std::uint64_t *section)
{
    const InProcess inProcess(process_);
    HANDLE opened = nullptr;
    const Status status = FromNt(
        NtCreateSection(&opened, SECTION_MAP_READ, nullptr, nullptr, PAGE_READONLY, SEC_COMMIT, ToHandle(handle)));

    *section = Succeeded(status) ? reinterpret_cast<std::uintptr_t>(opened) : 0;
    return status;
}

} // namespace psctx
