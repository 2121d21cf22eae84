// Opens a stream on a thread of libuv's pool.
#include "opening.h"

#include <utility>

namespace psctx {
namespace {

class Opening final : public Napi::AsyncWorker {
  public:
    Opening(Napi::Function completed, const std::shared_ptr<Session> &session, std::u16string path)
        : AsyncWorker(completed), session_(session), transport_(session->GetTransport()), path_(std::move(path))
    {
    }

    const std::shared_ptr<bool> &IsAbandoned() const noexcept { return isAbandoned_; }

    void Execute() override { status_ = transport_->OpenStream(path_, &handle_); }

    void OnOK() override
    {
        std::uint64_t number = 0;

        if (Succeeded(status_)) {
            if (*isAbandoned_ || session_->GetTransport() == nullptr) {
                transport_->CloseHandle(handle_);
                status_ = *isAbandoned_ ? kStatusCancelled : kStatusFileClosed;
            } else {
                number = session_->AddHandle(handle_);
                status_ = number == 0 ? kStatusInsufficientResources : kStatusSuccess;
            }
        }
        Callback().Call({Napi::Number::New(Env(), number != 0 ? static_cast<double>(number)
                                                              : static_cast<double>(ToAnswer(status_)))});
    }

  private:
    const std::shared_ptr<Session> session_;
    const std::shared_ptr<Transport> transport_; // outlives the session's close
    const std::shared_ptr<bool> isAbandoned_ = std::make_shared<bool>(false);
    const std::u16string path_;
    Status status_ = kStatusSuccess;
    std::uint64_t handle_ = 0;
};

} // namespace

Napi::Function StartOpening(Napi::Env env, const std::shared_ptr<Session> &session, std::u16string path,
                            Napi::Function completed)
{
    auto opening = std::make_unique<Opening>(completed, session, std::move(path));
    const Napi::Function abandon = Napi::Function::New(
        env, [isAbandoned = opening->IsAbandoned()](const Napi::CallbackInfo &) { *isAbandoned = true; });

    opening.release()->Queue(); // deletes itself when it has completed
    return abandon;
}

} // namespace psctx
