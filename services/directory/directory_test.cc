#include "services/directory/directory.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/directory/servers_json.h"

namespace hubbub::directory {
namespace {

using ::testing::HasSubstr;

// The shape of chatofpomelo's file, with its frontend marks, and kinds of server that Hubbub does not have.
constexpr const char* kPomelo = R"({
  "development": {
    "connector": [
      {"id": "connector-server-1", "host": "127.0.0.1", "port": 4050, "clientPort": 3050, "frontend": true},
      {"id": "connector-server-2", "host": "127.0.0.1", "port": "4051", "clientPort": "3051", "frontend": true}
    ],
    "chat": [
      {"id": "chat-server-1", "host": "127.0.0.1", "port": 6050}
    ],
    "gate": [
      {"id": "gate-server-1", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}
    ],
    "master": {"anything": "goes"},
    "area": [{"no": "id"}]
  },
  "production": {
    "connector": [
      {"id": "c", "host": "10.0.0.1", "port": 1, "clientPort": 2, "clientHost": "chat.example", "args": "--x"}
    ]
  }
})";

ServerList Parsed(std::string_view text, std::string_view environment = "development") {
  auto servers = ParseServers(text, environment);
  EXPECT_TRUE(servers.ok()) << servers.status();
  return servers.ok() ? *servers : ServerList();
}

TEST(ParseServers, ReadsPomelosOwnShape) {
  const ServerList servers = Parsed(kPomelo);
  const ServerInfo gate{.kind = ServerKind::kGate,
                        .id = "gate-server-1",
                        .host = "127.0.0.1",
                        .port = 4014,  // clientPort + 1000, as the file gives none.
                        .client_host = "127.0.0.1",
                        .client_port = 3014};
  EXPECT_EQ(servers.gates, std::vector{gate});
  ASSERT_EQ(servers.connectors.size(), 2u);
  EXPECT_EQ(servers.connectors[1].id, "connector-server-2") << "the file's order stays";
  EXPECT_EQ(servers.connectors[1].port, 4051) << "some files hold ports as text";
  EXPECT_EQ(servers.connectors[1].client_port, 3051);
  ASSERT_EQ(servers.chats.size(), 1u);
  EXPECT_EQ(servers.chats[0].grpc_address(), "127.0.0.1:6050");
  EXPECT_EQ(servers.chats[0].client_port, 0);
  EXPECT_EQ(&servers.of(ServerKind::kChat), &servers.chats);
}

TEST(ParseServers, ReadsTheEnvironmentThatItIsAskedFor) {
  const ServerList servers = Parsed(kPomelo, "production");
  EXPECT_TRUE(servers.gates.empty());
  EXPECT_TRUE(servers.chats.empty());
  ASSERT_EQ(servers.connectors.size(), 1u);
  EXPECT_EQ(servers.connectors[0].host, "10.0.0.1");
  EXPECT_EQ(servers.connectors[0].client_host, "chat.example");
}

TEST(ParseServers, PortZeroIsAnyFreeOne) {
  const ServerList servers = Parsed(R"({"development": {
    "connector": [{"id": "a", "host": "h", "clientPort": 0}, {"id": "b", "host": "h", "clientPort": 0}]}})");
  ASSERT_EQ(servers.connectors.size(), 2u);
  EXPECT_EQ(servers.connectors[0].port, 0);
}

TEST(ParseServers, SaysWhatIsWrongAndWhere) {
  const auto chat = [](const std::string& server) {
    return R"({"development": {"chat": [)" + server + "]}}";
  };
  const auto gate = [](const std::string& server) {
    return R"({"development": {"gate": [)" + server + "]}}";
  };
  const std::string good = R"({"id": "a", "host": "h", "port": 1})";
  const struct {
    std::string text, why;
  } cases[] = {
      {"", "line 1: this is no JSON"},
      {"{\n\"development\": {\n  \"chat\": [,]\n}}", "line 3: this is no JSON"},
      {"{\"development\": {}\n} x", "line 2: this is no JSON"},
      {"{\n\n\"development\": {", "line 3: this is no JSON"},
      {"[]", "the file must hold one object"},
      {"{}", "the environment 'development' is missing"},
      {R"({"development": []})", "the environment 'development' is missing or is no object"},
      {R"({"development": {"chat": {}}})", "development.chat must be an array"},
      {chat("7"), "development.chat[0] must be an object"},
      {chat(good + R"(,{"host": "h", "port": 2})"), "development.chat[1] has no id"},
      {chat(R"({"id": "", "host": "h", "port": 1})"),
       "development.chat[0]: id must be a text that is not empty"},
      {chat(R"({"id": 1, "host": "h", "port": 1})"), "development.chat[0]: id must be a text"},
      {chat(R"({"id": "a\nb", "host": "h", "port": 1})"), "development.chat[0]: id has a control character"},
      {chat(R"({"id": "a", "port": 1})"), "development.chat[0] has no host"},
      {chat(R"({"id": "a", "host": null, "port": 1})"), "development.chat[0]: host must be a text"},
      {chat(R"({"id": "a", "host": "h"})"), "development.chat[0] has no port"},
      {chat(R"({"id": "a", "host": "h", "port": 65536})"),
       "development.chat[0]: port must be a number from 0"},
      {chat(R"({"id": "a", "host": "h", "port": -1})"), "development.chat[0]: port must be a number"},
      {chat(R"({"id": "a", "host": "h", "port": 1.5})"), "development.chat[0]: port must be a number"},
      {chat(R"({"id": "a", "host": "h", "port": "3050++"})"), "development.chat[0]: port must be a number"},
      {chat(R"({"id": "a", "host": "h", "port": ""})"), "development.chat[0]: port must be a number"},
      {gate(R"({"id": "a", "host": "h", "port": 1})"), "development.gate[0] has no clientPort"},
      {gate(R"({"id": "a", "host": "h", "clientPort": 65000})"),
       "development.gate[0]: clientPort + 1000 is no port"},
      {gate(R"({"id": "a", "host": "h", "clientPort": 1, "clientHost": 2})"),
       "development.gate[0]: clientHost must be a text"},
      {gate(R"({"id": "a", "host": "h", "clientPort": 5, "port": 5})"), "the same address h:5"},
      {chat(good + R"(,{"id": "a", "host": "h", "port": 2})"), "the id 'a' stands twice"},
      {chat(good + R"(,{"id": "b", "host": "h", "port": 1})"), "'a' and 'b' have the same address h:1"},
      {R"({"development": {"chat": [{"id": "a", "host": "h", "port": 1}],
                           "gate": [{"id": "a", "host": "h", "clientPort": 2}]}})",
       "the id 'a' stands twice"},
  };
  for (const auto& c : cases) {
    const auto servers = ParseServers(c.text, "development");
    ASSERT_FALSE(servers.ok()) << c.text;
    EXPECT_EQ(servers.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(servers.status().message()), HasSubstr(c.why)) << c.text;
  }
}

TEST(ParseServers, SaysOnWhichLine) {
  const struct {
    std::string text, why;
  } cases[] = {
      {R"({"development": {
  "chat": [
    {"id": "a", "host": "h", "port": 1},

    {"id": "b", "host": "h"}
  ]}})",
       "line 5: development.chat[1] has no port"},
      {R"({"development": {
  "chat": [
    {"id": "a", "host": "h", "port": 1},
    {"id": "a", "host": "h", "port": 2}
  ]}})",
       "line 4: the id 'a' stands twice, first on line 3"},
      {R"({"development": {
  "chat": [{"id": "a", "host": "h", "port": 1}],
  "gate": [
    {"id": "g", "host": "h",
     "port": 1, "clientPort": 2}]}})",
       "line 4: 'a' and 'g' have the same address h:1 (see line 2)"},
      {"{\"development\": {\n\"chat\":\n7}}", "line 3: development.chat must be an array"},
  };
  for (const auto& c : cases) {
    const auto servers = ParseServers(c.text, "development");
    ASSERT_FALSE(servers.ok()) << c.text;
    EXPECT_THAT(std::string(servers.status().message()), HasSubstr(c.why));
  }
}

TEST(FindServer, TellsTheIdsThatThereAre) {
  const ServerList servers = Parsed(kPomelo);
  EXPECT_EQ(FindServer(servers, ServerKind::kConnector, "connector-server-2")->client_port, 3051);
  const auto missing = FindServer(servers, ServerKind::kConnector, "chat-server-1");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("no connector server has the id 'chat-server-1' (there are: connector-server-1, "
                        "connector-server-2)"));
  EXPECT_THAT(std::string(FindServer({}, ServerKind::kGate, "g").status().message()),
              HasSubstr("(there are: none)"));
}

}  // namespace
}  // namespace hubbub::directory
