#include "services/rpc/reflection_service.h"

#include <utility>

namespace hubbub::rpc {
namespace {

// One operation is under way at a time, so nothing needs a lock but the end, which a cancellation may bring
// meanwhile: then gRPC fails the operation, and OnReadDone or OnWriteDone ends the call.
class Stream final : public grpc::ServerBidiReactor<Reflection::Request, Reflection::Response> {
 public:
  explicit Stream(std::shared_ptr<const Reflection> reflection) : reflection_(std::move(reflection)) {
    StartRead(&request_);
  }

 private:
  void OnReadDone(bool ok) override {
    // No further question.
    if (!ok) return Finish(grpc::Status::OK);
    response_ = reflection_->Answer(request_, told_);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

  const std::shared_ptr<const Reflection> reflection_;
  StringSet told_;
  Reflection::Request request_;
  Reflection::Response response_;
};

}  // namespace

grpc::ServerBidiReactor<Reflection::Request, Reflection::Response>* NewReflectionStream(
    std::shared_ptr<const Reflection> reflection) {
  return new Stream(std::move(reflection));
}

}  // namespace hubbub::rpc
