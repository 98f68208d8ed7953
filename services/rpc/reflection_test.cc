#include "services/rpc/reflection.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.pb.h"

namespace hubbub::rpc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using Request = Reflection::Request;
using Response = Reflection::Response;

constexpr const char* kChatFile = "hubbub/chat/v1/chat.proto";

Request Symbol(const std::string& name) {
  Request request;
  request.set_file_containing_symbol(name);
  return request;
}

std::vector<std::string> FilesOf(const Response& response) {
  std::vector<std::string> names;
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

class ReflectionTest : public ::testing::Test {
 protected:
  ReflectionTest() {
    // So that its types are in this program.
    (void)chat::v1::SendRequest::default_instance();
    reflection_.SetServices({"b.Second", "a.First"});
  }
  Response Ask(const Request& request) { return reflection_.Answer(request, told_); }

  Reflection reflection_;
  StringSet told_;
};

TEST_F(ReflectionTest, ListsTheServices) {
  Request request;
  request.set_host("example");
  request.set_list_services("");
  const Response response = Ask(request);
  ASSERT_EQ(response.list_services_response().service_size(), 2);
  EXPECT_EQ(response.list_services_response().service(0).name(), "a.First");
  EXPECT_EQ(response.list_services_response().service(1).name(), "b.Second");
  EXPECT_EQ(response.valid_host(), "example");
  EXPECT_EQ(response.original_request().SerializeAsString(), request.SerializeAsString());
}

TEST_F(ReflectionTest, FindsTheFileOfEverySymbol) {
  for (const char* symbol : {"hubbub.chat.v1.ChatService", "hubbub.chat.v1.ChatService.Send",
                             "hubbub.chat.v1.SendRequest", "hubbub.chat.v1.SendRequest.room"}) {
    EXPECT_THAT(FilesOf(Ask(Symbol(symbol))), Contains(kChatFile)) << symbol;
  }
  Request by_name;
  by_name.set_file_by_filename(kChatFile);
  EXPECT_THAT(FilesOf(Ask(by_name)), Contains(kChatFile));
}

TEST_F(ReflectionTest, TellsWithAFileWhatItImportsOnceInAStream) {
  const std::string old = "grpc/reflection/v1alpha/reflection.proto";
  const std::string imported = "grpc/reflection/v1/reflection.proto";
  const Request request = Symbol("grpc.reflection.v1alpha.ServerReflection");
  EXPECT_THAT(FilesOf(Ask(request)), ElementsAre(old, imported));
  EXPECT_THAT(FilesOf(Ask(request)), ElementsAre(old)) << "what was asked for comes in any case";
  told_.clear();
  EXPECT_THAT(FilesOf(Ask(request)), ElementsAre(old, imported)) << "another stream";
}

TEST_F(ReflectionTest, TellsExtensions) {
  // protobuf's own descriptor.proto has messages that can be extended; nobody here does.
  Request numbers;
  numbers.set_all_extension_numbers_of_type("google.protobuf.FieldOptions");
  const Response response = Ask(numbers);
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "google.protobuf.FieldOptions");
  EXPECT_THAT(response.all_extension_numbers_response().extension_number(), IsEmpty());
}

TEST_F(ReflectionTest, WhatIsNotThereIsAnError) {
  Request no_file;
  no_file.set_file_by_filename("no/such.proto");
  Request no_type;
  no_type.set_all_extension_numbers_of_type("no.such.Type");
  Request no_extension;
  no_extension.mutable_file_containing_extension()->set_containing_type("google.protobuf.FieldOptions");
  no_extension.mutable_file_containing_extension()->set_extension_number(77'777);
  Request no_extended;
  no_extended.mutable_file_containing_extension()->set_containing_type("no.such.Type");
  for (const Request& request : {no_file, no_type, no_extension, no_extended, Symbol("no.such.Symbol")}) {
    const Response response = Ask(request);
    EXPECT_EQ(response.error_response().error_code(), 5) << "NOT_FOUND: " << request.ShortDebugString();
    EXPECT_THAT(response.error_response().error_message(), Not(IsEmpty()));
    EXPECT_TRUE(response.has_original_request());
  }
  EXPECT_EQ(Ask({}).error_response().error_code(), 3) << "INVALID_ARGUMENT";
}

}  // namespace
}  // namespace hubbub::rpc
