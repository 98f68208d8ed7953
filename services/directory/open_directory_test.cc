#include "services/directory/open_directory.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/dns/testing/test_dns_server.h"

namespace hubbub::directory {
namespace {

using ::testing::HasSubstr;

DirectoryOptions Dns(ServerKind kind) {
  return {.source = "dns",
          .kind = kind,
          .id = "me",
          .config = "servers.json",
          .gate_service = "gate.test:1",
          .connector_service = "connector.test:2",
          .chat_service = "chat.test:3",
          .dns_server = "127.0.0.1",
          .advertise_host = "10.0.0.9",
          .client_port = 4};
}

TEST(OpenDirectory, AnswersWhoThisServerIs) {
  dns::TestDnsServer dns;
  DirectoryOptions options = Dns(ServerKind::kConnector);
  options.dns_server = dns.address();
  const auto opened = OpenDirectory(options);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const ServerInfo self{.kind = ServerKind::kConnector,
                        .id = "me",
                        .host = "10.0.0.9",
                        .port = 2,
                        .client_host = "10.0.0.9",
                        .client_port = 4};
  EXPECT_EQ(opened->self, self);
  EXPECT_EQ(opened->directory->servers()->connectors, std::vector{self}) << "before DNS shows it";
  EXPECT_EQ(opened->identity.id, "me");
  EXPECT_EQ(opened->listen_host, "::") << "both families";
}

TEST(OpenDirectory, SaysWhichFlagIsWrong) {
  const struct {
    void (*spoil)(DirectoryOptions&);
    const char* why;
  } cases[] = {
      {[](DirectoryOptions& o) { o.source = "etcd"; }, "--directory must be file or dns, not \"etcd\""},
      {[](DirectoryOptions& o) { o.source = "file"; }, "--gate_service is for --directory=dns"},
      {[](DirectoryOptions& o) { o.id = ""; }, "--id"},
      {[](DirectoryOptions& o) { o.connector_service = ""; }, "--directory=dns needs --connector_service"},
      {[](DirectoryOptions& o) { o.chat_service = ""; }, "--directory=dns needs --chat_service"},
      {[](DirectoryOptions& o) { o.chat_service = "chat.test"; },
       "--chat_service must be host:port with a port from 1 to 65535, not \"chat.test\""},
      {[](DirectoryOptions& o) { o.gate_service = ":1"; }, "--gate_service must be host:port"},
      {[](DirectoryOptions& o) { o.advertise = ":3050"; }, "--advertise must be the host or host:port"},
      {[](DirectoryOptions& o) { o.advertise = "$(POD_NAME).example:80"; }, "--advertise must be"},
      {[](DirectoryOptions& o) { o.advertise = "ws://chat.example"; }, "--advertise must be"},
      {[](DirectoryOptions& o) { o.dns_server = "nowhere"; }, "--dns_server: \"nowhere\" is no DNS server"},
  };
  for (const auto& c : cases) {
    DirectoryOptions options = Dns(ServerKind::kConnector);
    c.spoil(options);
    const auto opened = OpenDirectory(options);
    ASSERT_FALSE(opened.ok()) << c.why;
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(c.why));
  }
}

TEST(OpenDirectory, ClientsAreToldWhatTheFlagSays) {
  dns::TestDnsServer dns;
  const struct {
    const char* advertise;
    const char* host;
    int port;
  } cases[] = {{"", "10.0.0.9", 4},
               {"chat.example", "chat.example", 4},
               {"chat.example:443", "chat.example", 443},
               {"[2001:db8::1]", "2001:db8::1", 4},
               {"[2001:db8::1]:443", "2001:db8::1", 443},
               // So a manifest may have brackets around a pod's address, whatever it is.
               {"[10.0.0.7]", "10.0.0.7", 4},
               {"[10.0.0.7]:443", "10.0.0.7", 443}};
  for (const auto& c : cases) {
    DirectoryOptions options = Dns(ServerKind::kConnector);
    options.dns_server = dns.address();
    options.advertise = c.advertise;
    const auto opened = OpenDirectory(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->identity.client_host, c.host);
    EXPECT_EQ(opened->identity.client_port, c.port) << c.advertise;
    EXPECT_EQ(opened->self.client_port, 4) << "where it listens";
  }
}

TEST(OpenDirectory, AFileThatLacksThisServerIsNamed) {
  const auto opened = OpenDirectory({.source = "file", .id = "me", .config = "/nowhere/servers.json"});
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("/nowhere/servers.json"));
}

TEST(ParseHostPort, TakesApartWhatCanBeReached) {
  const struct {
    const char* text;
    const char* host;
    int port;
  } cases[] = {
      {"a:1", "a", 1},
      {"hubbub-chat.default.svc.cluster.local.:65535", "hubbub-chat.default.svc.cluster.local.", 65535},
      {"10.0.0.1:80", "10.0.0.1", 80},
      {"[::1]:80", "::1", 80},
  };
  for (const auto& c : cases) {
    const auto parsed = ParseHostPort("--x", c.text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->first, c.host);
    EXPECT_EQ(parsed->second, c.port);
  }
  for (const char* text : {"", "a", ":1", "a:", "a:0", "a:65536", "a:-1", "a:1x", "::1:80", "a b:1", "[]:1",
                           "http://a:1", "a:99999999999999999999", "a/b:1", "u@h:1"}) {
    EXPECT_EQ(ParseHostPort("--x", text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace hubbub::directory
