// The addon's Filter: one open of the control device, and what can be asked of the driver and of the embedded kernel as such.
#ifndef PSCTX_BINDING_FILTER_OBJECT_H
#define PSCTX_BINDING_FILTER_OBJECT_H

#include <memory>

#include <napi.h>

#include "session.h"

namespace psctx {

class FilterObject : public Napi::ObjectWrap<FilterObject> {
  public:
    static Napi::Function Define(Napi::Env env);

    // new Filter(kernel: 'windows' | 'host', readOnly: boolean, volumes: [letter, directory | undefined][])
    explicit FilterObject(const Napi::CallbackInfo &info);

    const std::shared_ptr<Session> &GetSession() const noexcept { return session_; }

  private:
    // The memory that replies are left in: reply() → ArrayBuffer
    Napi::Value Reply(const Napi::CallbackInfo &info);
    // → bytes of the reply
    Napi::Value QueryVersion(const Napi::CallbackInfo &info);
    Napi::Value QueryStatistics(const Napi::CallbackInfo &info);
    void Close(const Napi::CallbackInfo &info);
    Napi::Value IsClosed(const Napi::CallbackInfo &info);

    // The embedded kernel's; STATUS_NOT_SUPPORTED on another.
    void Dismount(const Napi::CallbackInfo &info);
    void KillProcess(const Napi::CallbackInfo &info);
    void FailAllocation(const Napi::CallbackInfo &info);
    Napi::Value Audit(const Napi::CallbackInfo &info);

    Napi::Value Query(const Napi::CallbackInfo &info, const char *operation, std::uint32_t code, std::uint32_t number,
                      std::uint32_t replySize);
    HostKernel &Host(Napi::Env env, const char *operation);

    std::shared_ptr<Session> session_;
};

} // namespace psctx

#endif
