#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "services/base/string_map.h"

namespace hubbub::rpc {

// What a server answers to questions about its own services: proto/grpc/reflection/v1/reflection.proto. Knows
// all types that this program was built with. Constant after SetServices: thread-safe.
class Reflection {
 public:
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;

  // Full names. Once, before anybody asks.
  void SetServices(std::vector<std::string> services);

  // `told`: the files that this stream has told already, which are not told again; those of this answer are
  // added.
  Response Answer(const Request& request, StringSet& told) const;

 private:
  using Pool = google::protobuf::DescriptorPool;
  using File = google::protobuf::FileDescriptor;

  absl::Status Fill(const Request& request, StringSet& told, Response& response) const;
  // The file and what it imports, but for what was told.
  static absl::Status TellFile(const File* file, std::string_view what, StringSet& told, Response& response);
  static void AddFile(const File& file, StringSet& told, Response& response);

  std::vector<std::string> services_;
};

}  // namespace hubbub::rpc
