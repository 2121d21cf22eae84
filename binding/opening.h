// Opens a stream on a thread of libuv's pool.
#ifndef PSCTX_BINDING_OPENING_H
#define PSCTX_BINDING_OPENING_H

#include <memory>
#include <string>

#include <napi.h>

#include "session.h"

namespace psctx {

// Calls Completed later, and once: with the number of the handle, or the status of an error. Returns a function that lets the handle be
// closed at once instead of handing it over: completed is told STATUS_CANCELLED.
Napi::Function StartOpening(Napi::Env env, const std::shared_ptr<Session> &session, std::u16string path,
                            Napi::Function completed);

} // namespace psctx

#endif
