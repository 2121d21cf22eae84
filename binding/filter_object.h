// The addon's Filter: one open of the control device, and what can be asked of the driver and of the embedded kernel as such.
#ifndef PSCTX_BINDING_FILTER_OBJECT_H
#define PSCTX_BINDING_FILTER_OBJECT_H

#include <cstddef>
#include <cstdint>
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
    // (owner, instance, volume: Stream | undefined, pattern: string, flags)
    Napi::Value Track(const Napi::CallbackInfo &info);
    Napi::Value Untrack(const Napi::CallbackInfo &info);   // (rule)
    Napi::Value QueryRule(const Napi::CallbackInfo &info); // (rule)
    // Leaves its reply in the caller's memory: (page: Uint8Array, volume: Stream | undefined, two words of a cursor)
    Napi::Value Enumerate(const Napi::CallbackInfo &info);
    Napi::Value ListVolumes(const Napi::CallbackInfo &info); // (after)
    // What drive letters stand for: () → [drive, device][]
    Napi::Value Drives(const Napi::CallbackInfo &info);
    void Close(const Napi::CallbackInfo &info);
    Napi::Value IsClosed(const Napi::CallbackInfo &info);

    // The embedded kernel's; STATUS_NOT_SUPPORTED on another.
    void Dismount(const Napi::CallbackInfo &info);
    void KillProcess(const Napi::CallbackInfo &info);
    void FailAllocation(const Napi::CallbackInfo &info);
    Napi::Value Audit(const Napi::CallbackInfo &info);

    Napi::Value Query(const Napi::CallbackInfo &info, const char *operation, std::uint32_t code, std::uint32_t number,
                      std::uint32_t replySize);
    Napi::Value Send(Napi::Env env, const char *operation, std::uint32_t code, std::uint32_t requestLength, void *reply,
                     std::uint32_t capacity, std::size_t minimumReply);
    std::uint64_t GetVolumeFile(Napi::Env env, const Napi::Value &value, const char *operation) const;
    HostKernel &Host(Napi::Env env, const char *operation);

    std::shared_ptr<Session> session_;
};

} // namespace psctx

#endif
