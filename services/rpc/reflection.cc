#include "services/rpc/reflection.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "google/protobuf/descriptor.pb.h"

namespace hubbub::rpc {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptorProto;

void Reflection::SetServices(std::vector<std::string> services) {
  services_ = std::move(services);
  std::sort(services_.begin(), services_.end());
}

Reflection::Response Reflection::Answer(const Request& request, StringSet& told) const {
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  if (const absl::Status status = Fill(request, told, response); !status.ok()) {
    response.mutable_error_response()->set_error_code(static_cast<int>(status.code()));
    response.mutable_error_response()->set_error_message(std::string(status.message()));
  }
  return response;
}

absl::Status Reflection::Fill(const Request& request, StringSet& told, Response& response) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      return TellFile(pool.FindFileByName(request.file_by_filename()), "file", told, response);
    case Request::kFileContainingSymbol:
      return TellFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), "symbol", told,
                      response);
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const auto* type = pool.FindMessageTypeByName(wanted.containing_type());
      const FieldDescriptor* extension =
          type == nullptr ? nullptr : pool.FindExtensionByNumber(type, wanted.extension_number());
      return TellFile(extension == nullptr ? nullptr : extension->file(), "extension", told, response);
    }
    case Request::kAllExtensionNumbersOfType: {
      const auto* type = pool.FindMessageTypeByName(request.all_extension_numbers_of_type());
      if (type == nullptr) return absl::NotFoundError("this server knows no message of this name");
      auto& numbers = *response.mutable_all_extension_numbers_response();
      numbers.set_base_type_name(type->full_name());
      std::vector<const FieldDescriptor*> extensions;
      pool.FindAllExtensions(type, &extensions);
      for (const FieldDescriptor* extension : extensions) numbers.add_extension_number(extension->number());
      return absl::OkStatus();
    }
    case Request::kListServices:
      for (const std::string& service : services_)
        response.mutable_list_services_response()->add_service()->set_name(service);
      return absl::OkStatus();
    case Request::MESSAGE_REQUEST_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "the request asks nothing: it needs one of the fields of message_request");
}

absl::Status Reflection::TellFile(const File* file, std::string_view what, StringSet& told,
                                  Response& response) {
  if (file == nullptr)
    return absl::NotFoundError(fmt::format("this server knows no {} of this name or number", what));
  // A file that was asked for by name is sent again, because the caller has lost it.
  told.erase(file->name());
  AddFile(*file, told, response);
  return absl::OkStatus();
}

void Reflection::AddFile(const File& file, StringSet& told, Response& response) {
  if (!told.insert(file.name()).second) return;
  FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), told, response);
}

}  // namespace hubbub::rpc
