// What the addon keeps for one JavaScript environment (the main thread's or a worker's).
#ifndef PSCTX_BINDING_ENVIRONMENT_H
#define PSCTX_BINDING_ENVIRONMENT_H

#include <memory>
#include <string>

#include "session.h"

namespace psctx {

// The environment's instance data; deleted when the environment ends, which closes what JavaScript has left open.
struct Environment {
    Environment() = default;
    Environment(const Environment &) = delete;
    Environment &operator=(const Environment &) = delete;

    ~Environment()
    {
        for (Session *session : *sessions) {
            std::string leftovers; // written to standard error by the kernel: nobody is left to be told

            session->Close(&leftovers);
        }
    }

    std::shared_ptr<SessionRegistry> sessions = std::make_shared<SessionRegistry>();
};

} // namespace psctx

#endif
