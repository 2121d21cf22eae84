// The transport over the kernel of Windows, and the streams that file descriptors of Node.js stand for.
#include "nt.h"
#include "system_win32.h"
#include "transport.h"

namespace psctx {

Status OpenTransport(const OpenOptions &options, std::shared_ptr<Transport> *transport)
{
    if (options.isHost) {
        return kStatusNotSupported;
    }
    const auto opened = std::make_shared<Transport>();
    const Status status = opened->OpenControl(options.readOnly);

    if (Succeeded(status)) {
        *transport = opened;
    }
    return status;
}

// A descriptor is a number of the C runtime that Node.js is linked to, and not of the addon's: libuv is asked, which the program exports.
// The duplicate carries no right, since the driver asks for none.
Status DuplicateDescriptor(std::int32_t descriptor, std::uint64_t *handle)
{
    using Routine = HANDLE(__cdecl *)(int);
    const auto getHandle = reinterpret_cast<Routine>(
        reinterpret_cast<void *>(::GetProcAddress(::GetModuleHandleW(nullptr), "uv_get_osfhandle")));
    const HANDLE process = ::GetCurrentProcess();
    HANDLE duplicate = nullptr;

    if (getHandle == nullptr) {
        return kStatusNotSupported;
    }
    // Of no descriptor -1, and of a standard one without a console -2: the pseudo-handles of process and thread.
    const HANDLE file = getHandle(descriptor);
    if (file == INVALID_HANDLE_VALUE || file == ::GetCurrentThread()) {
        return kStatusInvalidHandle;
    }
    const Status status = FromNt(NtDuplicateObject(process, file, process, &duplicate, 0, 0, 0));
    *handle = reinterpret_cast<std::uintptr_t>(duplicate);
    return status;
}

} // namespace psctx
