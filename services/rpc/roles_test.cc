#include "services/rpc/roles.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor_database.h"
#include "gtest/gtest.h"
#include "services/rpc/audit.h"

namespace hubbub::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

// Every method of every service that these programs are built with, as gRPC names them.
std::vector<std::string> MethodsOfThePool() {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  std::vector<std::string> files;
  google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::vector<std::string> methods;
  for (const std::string& name : files) {
    const auto* file = pool->FindFileByName(name);
    for (int i = 0; file != nullptr && i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j)
        methods.push_back("/" + service->full_name() + "/" + service->method(j)->name());
    }
  }
  return methods;
}

Caller Holder(Role role) {
  return {.grants = {{.role = role, .name = "somebody"}}};
}

TEST(Roles, EveryMethodOfEveryServiceHasARowAndEveryRowAMethod) {
  const auto rows = MethodsWithRoles();
  EXPECT_THAT(MethodsOfThePool(),
              UnorderedElementsAreArray(std::vector<std::string>(rows.begin(), rows.end())))
      << "the table in roles.cc says who may call what: each method needs a row";
}

TEST(Roles, SayWhoMayCallWhat) {
  using enum Role;
  const std::string chat = "/hubbub.chat.v1.ChatService/";
  const std::string history = "/hubbub.chat.v1.HistoryService/";
  const std::string peer = "/hubbub.chat.v1.PeerService/";
  const std::string connector = "/hubbub.connector.v1.ConnectorService/";
  // The words once more, by hand, so that a slip in the table is noticed.
  const std::map<std::string, std::vector<Role>> may = {
      {chat + "Add", {kConnector}},
      {chat + "Kick", {kConnector, kChat, kAdmin}},
      {chat + "Send", {kChat, kPublish}},
      {chat + "SendStream", {kConnector}},
      {chat + "Subscribe", {kConnector}},
      {chat + "Restore", {kConnector}},
      {chat + "GetRoom", {kChat, kRead}},
      {chat + "ListRooms", {kRead}},
      {history + "ListEvents", {kConnector, kRead}},
      {history + "ExportEvents", {kAdmin}},
      {history + "DeleteRoom", {kChat, kAdmin}},
      {peer + "Watch", {kChat}},
      {peer + "Import", {kChat}},
      {connector + "WatchStatus", {kGate, kRead}},
      {connector + "Disconnect", {kGate, kConnector, kAdmin}},
      {connector + "Push", {kGate, kConnector, kPublish}},
      {connector + "Broadcast", {kGate, kConnector, kPublish}},
  };
  for (const auto& [method, roles] : may) {
    EXPECT_EQ(MayCall(method, nullptr).code(), absl::StatusCode::kUnauthenticated) << method;
    for (const Role role : {kGate, kConnector, kChat, kPublish, kRead, kAdmin}) {
      const Caller caller = Holder(role);
      const bool wanted = std::find(roles.begin(), roles.end(), role) != roles.end();
      EXPECT_EQ(MayCall(method, &caller).code(),
                wanted ? absl::StatusCode::kOk : absl::StatusCode::kPermissionDenied)
          << NameOf(role) << " " << method;
    }
  }
}

TEST(Roles, HealthIsForEverybodyAndWhatNobodyKnowsForNobody) {
  const Caller nothing;
  EXPECT_TRUE(MayCall("/grpc.health.v1.Health/Check", nullptr).ok());
  EXPECT_TRUE(MayCall("/grpc.health.v1.Health/Check", &nothing).ok());
  const Caller admin = Holder(Role::kAdmin);
  for (const char* method : {"", "/", "/hubbub.chat.v1.ChatService/Fly", "hubbub.chat.v1.ChatService/Kick"})
    EXPECT_EQ(MayCall(method, &admin).code(), absl::StatusCode::kPermissionDenied) << method;
}

TEST(Roles, RefusalsAreSentences) {
  const std::string kick = "/hubbub.chat.v1.ChatService/Kick";
  EXPECT_EQ(std::string(MayCall(kick, nullptr).message()),
            "ChatService/Kick needs a certificate with the role connector, chat or admin, or a token, as the "
            "metadata \"authorization: Bearer TOKEN\"");
  const Caller reader = Holder(Role::kRead);
  EXPECT_EQ(std::string(MayCall(kick, &reader).message()),
            "read/somebody may not call ChatService/Kick: it needs the role connector, chat or admin");
  const Caller nothing;
  EXPECT_THAT(std::string(MayCall(kick, &nothing).message()),
              HasSubstr("a certificate without a role may not"));
}

TEST(Roles, AreReadFromUris) {
  const auto grant = GrantOfUri("hubbub://connector/connector-server-1");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->role, Role::kConnector);
  EXPECT_EQ(grant->name, "connector-server-1");
  ASSERT_TRUE(GrantOfUri("hubbub://admin"));
  EXPECT_EQ(GrantOfUri("hubbub://admin")->name, "");
  EXPECT_EQ(GrantOfUri("hubbub://chat/")->name, "");
  const std::string long_name(65, 'x');
  for (const std::string& other :
       {std::string(), std::string("hubbub:"), std::string("hubbub://"), std::string("hubbub://king/1"),
        std::string("hubbub://Chat/1"), std::string("https://chat/1"), std::string("hubbub://chat/a b"),
        std::string("hubbub://chat/a\nb"), "hubbub://chat/" + long_name}) {
    EXPECT_FALSE(GrantOfUri(other)) << other;
  }
}

TEST(Roles, AServerSpeaksForItsOwnNameAlone) {
  const Caller one = {.grants = {{.role = Role::kConnector, .name = "c1"}}};
  EXPECT_TRUE(MaySpeakFor(one, Role::kConnector, "c1").ok());
  EXPECT_EQ(MaySpeakFor(one, Role::kConnector, "c2").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(MaySpeakFor(one, Role::kChat, "x").ok()) << "who may be a chat server, the table says";
  const Caller any = {.grants = {{.role = Role::kConnector, .name = ""}}};
  EXPECT_TRUE(MaySpeakFor(any, Role::kConnector, "c2").ok());
  const Caller two = {
      .grants = {{.role = Role::kConnector, .name = "c1"}, {.role = Role::kConnector, .name = "c2"}}};
  EXPECT_TRUE(MaySpeakFor(two, Role::kConnector, "c2").ok());
}

TEST(Roles, WhatAdministratorsDoIsAudited) {
  int acts = 0;
  for (const std::string_view method : MethodsWithRoles()) {
    EXPECT_EQ(IsAdministration(method), IsAudited(method)) << method << ": see audit.cc";
    acts += IsAdministration(method) ? 1 : 0;
  }
  EXPECT_EQ(acts, 4);
}

}  // namespace
}  // namespace hubbub::rpc
