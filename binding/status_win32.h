// The NTSTATUS behind a Win32 call that has failed.
#ifndef PSCTX_BINDING_STATUS_WIN32_H
#define PSCTX_BINDING_STATUS_WIN32_H

#include "status.h"

namespace psctx {

// The NTSTATUS of the Win32 call that has just failed in this thread. ntdll keeps the one of the last system service that
// failed, which need not be this call's: it is taken when it stands for this call's Win32 error, which is mapped otherwise.
Status LastStatus() noexcept;

} // namespace psctx

#endif
