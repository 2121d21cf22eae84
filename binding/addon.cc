// The module psctx.node: its classes, and what it keeps for each JavaScript environment.
#include <napi.h>

#include "batch_object.h"
#include "environment.h"
#include "events_object.h"
#include "file_object.h"
#include "filter_object.h"
#include "stream_object.h"

#ifdef _WIN32
#include "service_win32.h"
#include "system_win32.h"
#endif

namespace {

Napi::Object Initialize(Napi::Env env, Napi::Object exports)
{
    env.SetInstanceData(new psctx::Environment);
    exports.Set("Filter", psctx::FilterObject::Define(env));
    exports.Set("Stream", psctx::StreamObject::Define(env));
    exports.Set("Batch", psctx::BatchObject::Define(env));
    exports.Set("Events", psctx::EventsObject::Define(env));
    exports.Set("File", psctx::FileObject::Define(env));
#ifdef _WIN32
    exports.Set("service", psctx::DefineService(env));
    exports.Set("system", psctx::DefineSystem(env));
#endif
    return exports;
}

} // namespace

NODE_API_MODULE(psctx, Initialize)
