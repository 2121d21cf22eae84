// Facts about the Windows system that the CLI's doctor judges: plain values, no judgement.
#ifndef PSCTX_BINDING_SYSTEM_WIN32_H
#define PSCTX_BINDING_SYSTEM_WIN32_H

#include <napi.h>

namespace psctx {

// An object of functions. Each throws an error with the members win32 and operation.
Napi::Object DefineSystem(Napi::Env env);

} // namespace psctx

#endif
