// The transport over the embedded kernel, with what only that offers: the client process's death, faults and the audit.
#ifndef PSCTX_BINDING_TRANSPORT_HOST_H
#define PSCTX_BINDING_TRANSPORT_HOST_H

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "transport.h"

namespace psctx {

struct Volume;
using VolumeList = std::vector<std::shared_ptr<Volume>>;

class HostTransport final : public Transport {
  public:
    ~HostTransport() override;

    // The first call.
    Status Start(const OpenOptions &options);

    Status OpenStream(const std::u16string &path, std::uint64_t *handle) override;
    Status CloseHandle(std::uint64_t handle) override;
    Status Close(std::string *leftovers) override;

    Status Dismount(char16_t letter);
    void KillProcess();
    static void FailAllocation(std::uint64_t countdown);
    // What the embedded kernel holds, by name.
    static std::vector<std::pair<const char *, std::uint64_t>> Audit();

  private:
    VolumeList volumes_;
    std::shared_mutex opening_; // shared by opens, which Close waits for
    bool hasJoined_ = false;
};

} // namespace psctx

#endif
