#include "services/net/origins.h"

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

TEST(Origins, SayWhichPagesMayUseAServer) {
  const Origins own;
  const Origins two = Origins::Parse({"https://Chat.Example.com", "http://10.0.0.1:8080"}).value();
  const Origins all = Origins::Parse({"*"}).value();
  const struct {
    const Origins& origins;
    const char* origin;
    const char* host;
    bool allowed;
  } cases[] = {
      // The server's own pages: the gate's are at another port than the connectors.
      {own, "http://10.0.0.1:3014", "10.0.0.1:3050", true},
      {own, "http://[fd00::1]:3014", "[fd00::1]:3050", true},
      {own, "http://server:3014", "SERVER:3050", true},
      {own, "https://server", "server", true},
      // Pages and apps of the user's own machine.
      {own, "http://localhost:3014", "127.0.0.1:3050", true},
      {own, "capacitor://localhost", "chat.example.com", true},
      {own, "http://127.0.0.1:8000", "10.0.0.1:3050", true},
      // Pages of others.
      {own, "https://evil.example", "10.0.0.1:3050", false},
      {own, "http://10.0.0.2:3014", "10.0.0.1:3050", false},
      {own, "http://localhost.evil.example", "127.0.0.1:3050", false},
      {own, "null", "127.0.0.1:3050", false},
      {own, "", "127.0.0.1:3050", false},
      {own, "http://", "127.0.0.1:3050", false},
      {own, "http://a@127.0.0.1", "127.0.0.1", false},
      // A name that a stranger has pointed here.
      {own, "http://evil.example:3050", "evil.example:3050", false},
      {own, "http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false},
      {two, "https://chat.example.com", "connect.example.com", true},
      {two, "https://chat.example.com:443", "connect.example.com", true},
      {two, "HTTPS://CHAT.example.com", "connect.example.com", true},
      {two, "http://chat.example.com", "connect.example.com", false},
      {two, "https://chat.example.com:8443", "connect.example.com", false},
      {two, "http://10.0.0.1:8080", "anywhere", true},
      {two, "https://xchat.example.com", "connect.example.com", false},
      // Another port of a host that it knows.
      {two, "http://chat.example.com:3014", "chat.example.com:3050", true},
      {all, "https://evil.example", "10.0.0.1", true},
      {all, "null", "10.0.0.1", true},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(one.origins.Allow(one.origin, one.host), one.allowed) << one.origin << " at " << one.host;
  }
}

TEST(Origins, KnowAServerByNamesThatNoStrangerCanHave) {
  const Origins own;
  for (const char* host : {"", "127.0.0.1", "10.0.0.1:3014", "[::1]:3014", "localhost:3014", "a.localhost",
                           "server", "server.:80", "2130706433"}) {
    EXPECT_TRUE(own.KnowsHost(host)) << host;
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example:80", "server.evil.example.", "1.2.3"}) {
    EXPECT_FALSE(own.KnowsHost(host)) << host;
  }
  const Origins given = Origins::Parse({"https://chat.example.com:8443"}).value();
  EXPECT_TRUE(given.KnowsHost("chat.example.com"));
  EXPECT_FALSE(given.KnowsHost("connect.example.com"));
  EXPECT_TRUE(Origins::Parse({"*"})->KnowsHost("anything.example"));
}

TEST(Origins, SayWhichOneIsWrong) {
  for (const char* origin : {"", "chat.example.com", "https://", "https://chat.example.com/",
                             "https://*.example.com", "https://a@b", "null", "://a"}) {
    const auto origins = Origins::Parse({origin});
    ASSERT_FALSE(origins.ok()) << origin;
    EXPECT_NE(std::string(origins.status().message()).find("is no origin"), std::string::npos);
  }
}

}  // namespace
}  // namespace hubbub::net
