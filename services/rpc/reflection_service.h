#pragma once

#include <memory>
#include <utility>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/support/server_callback.h"
#include "services/rpc/reflection.h"

namespace hubbub::rpc {

// One reflection call: reads a question, writes the answer, and so on. gRPC owns it, and it deletes itself.
grpc::ServerBidiReactor<Reflection::Request, Reflection::Response>* NewReflectionStream(
    std::shared_ptr<const Reflection> reflection);

// Reflection as a gRPC service under either of its names, `Base`. gRPC's own knows the older name alone, and
// has threads that wait for its calls. Thread-safe. Owned by Server; outlives the gRPC server.
template <typename Base>
class ReflectionServiceOf final : public Base {
 public:
  explicit ReflectionServiceOf(std::shared_ptr<const Reflection> reflection)
      : reflection_(std::move(reflection)) {}

  grpc::ServerBidiReactor<Reflection::Request, Reflection::Response>* ServerReflectionInfo(
      grpc::CallbackServerContext*) override {
    return NewReflectionStream(reflection_);
  }

 private:
  const std::shared_ptr<const Reflection> reflection_;
};

using ReflectionService = ReflectionServiceOf<grpc::reflection::v1::ServerReflection::CallbackService>;
using OldReflectionService =
    ReflectionServiceOf<grpc::reflection::v1alpha::ServerReflection::CallbackService>;

}  // namespace hubbub::rpc
