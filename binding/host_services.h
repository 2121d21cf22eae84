// What the parts of the transport over the embedded kernel share: the process that system services act for, and conversions.
#ifndef PSCTX_BINDING_HOST_SERVICES_H
#define PSCTX_BINDING_HOST_SERVICES_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <host.h>

#include "transport.h"

namespace psctx {

static_assert(sizeof(WCHAR) == sizeof(char16_t), "compile with -fshort-wchar");

// System services act for a filter's process while one of these is in scope.
class InProcess {
  public:
    explicit InProcess(PEPROCESS process) { HostEnterProcess(process); }
    ~InProcess() { HostLeaveProcess(); }
    InProcess(const InProcess &) = delete;
    InProcess &operator=(const InProcess &) = delete;
};

inline Status FromNt(NTSTATUS status) noexcept
{
    return static_cast<Status>(status);
}

inline HANDLE ToHandle(std::uint64_t handle) noexcept
{
    return reinterpret_cast<HANDLE>(static_cast<std::uintptr_t>(handle));
}

inline UNICODE_STRING ToUnicodeString(std::u16string *text) noexcept
{
    UNICODE_STRING string = {};

    string.Length = static_cast<USHORT>(text->size() * sizeof(WCHAR));
    string.MaximumLength = string.Length;
    string.Buffer = reinterpret_cast<PWSTR>(text->data());
    return string;
}

// Transport::OpenPending for a process, which outlives the device.
Status OpenHostPending(PEPROCESS process, std::function<void()> completed, std::unique_ptr<PendingDevice> *device);

} // namespace psctx

#endif
