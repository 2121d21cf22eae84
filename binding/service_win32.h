// The service manager of Windows, for the CLI: query, create, configure, start, stop and delete one driver service.
#ifndef PSCTX_BINDING_SERVICE_WIN32_H
#define PSCTX_BINDING_SERVICE_WIN32_H

#include <napi.h>

namespace psctx {

// An object of functions. Each throws an error with the members win32 and operation.
Napi::Object DefineService(Napi::Env env);

} // namespace psctx

#endif
