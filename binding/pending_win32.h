// Requests that pend in the Windows driver: overlapped, and waited for by the system's thread pool.
#ifndef PSCTX_BINDING_PENDING_WIN32_H
#define PSCTX_BINDING_PENDING_WIN32_H

#include <functional>
#include <memory>

#include "transport.h"

namespace psctx {

// Transport::OpenPending.
Status OpenWindowsPending(std::function<void()> completed, std::unique_ptr<PendingDevice> *device);

} // namespace psctx

#endif
