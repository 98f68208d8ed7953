// Who a client is behind a proxy that is trusted: what the listener makes of a PROXY header and of a
// request's fields together.

#include <string>

#include "gtest/gtest.h"
#include "services/net/listener.h"
#include "services/net/testing/routes.h"
#include "services/testing/tcp_client.h"

namespace hubbub::net {
namespace {

using hubbub::testing::TcpClient;

class ProxiedTest : public ::testing::Test {
 protected:
  void Listen(ListenerOptions options) {
    options.host = "127.0.0.1";
    auto listener = Listener::Start(loops_, std::move(options), {.make = nullptr}, RoutesOf({}));
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
  }
  // The client that a page is told, without its port; the answer itself if there is none.
  std::string Peer(const std::string& header, const std::string& fields) {
    TcpClient client(listener_->port());
    client.Send(header + "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + fields + "\r\n");
    const std::string answer = client.ReadToEnd();
    constexpr std::string_view kField = "X-Peer: ";
    const size_t begin = answer.find(kField);
    if (begin == std::string::npos) return answer;
    const std::string peer =
        answer.substr(begin + kField.size(), answer.find("\r\n", begin) - begin - kField.size());
    return peer.substr(0, peer.rfind(':'));
  }

  Loops loops_{2};
  std::unique_ptr<Listener> listener_;
};

std::string Line(const std::string& client) {
  return "PROXY " + client + " 127.0.0.1 4711 3050\r\n";
}

TEST_F(ProxiedTest, IsWhoTheLastProxyThatIsTrustedSays) {
  const std::string line6 = "PROXY TCP6 2001:db8::1 ::1 4711 3050\r\n";
  const std::string mapped6 = "PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 3050\r\n";
  const std::string binary("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\x7f\0\0\x01\x12\x68\x0b\xea",
                           28);
  const std::string own("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
  const std::string unix_socket =
      std::string("\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8", 16) + std::string(216, 'x');
  const std::string forged = "X-Forwarded-For: 198.51.100.1\r\n";
  const struct {
    const char* what;
    std::string header;
    std::string fields;
    const char* peer;
  } cases[] = {
      {"nobody says anything", "", "", "127.0.0.1"},
      {"fields alone", "", forged, "198.51.100.1"},
      {"a header alone", Line("TCP4 192.0.2.1"), "", "192.0.2.1"},
      {"what the client writes behind a header", Line("TCP4 192.0.2.1"), forged, "192.0.2.1"},
      {"the same in Forwarded", Line("TCP4 192.0.2.1"), "Forwarded: for=198.51.100.1\r\n", "192.0.2.1"},
      {"the same in IPv6", line6, "X-Forwarded-For: 2001:db8::2\r\n", "2001:db8::1"},
      {"the same in version 2", binary, forged, "192.0.2.1"},
      {"IPv4 in IPv6's form", mapped6, "", "192.0.2.1"},
      {"a proxy behind a proxy", Line("TCP4 10.0.0.1"), forged, "198.51.100.1"},
      {"one that says nothing", Line("TCP4 10.0.0.1"), "", "10.0.0.1"},
      {"a proxy's own connection", own, forged, "198.51.100.1"},
      {"a client that the proxy does not know", "PROXY UNKNOWN\r\n", forged, "127.0.0.1"},
      {"one that has no address", unix_socket, forged, "127.0.0.1"},
      {"fields that nobody asks for", "", "X-Real-IP: 198.51.100.1\r\nTrue-Client-IP: 198.51.100.1\r\n",
       "127.0.0.1"},
  };
  Listen({.trusted_proxies = Networks::Parse({"127.0.0.1", "10.0.0.0/8"}).value()});
  for (const auto& one : cases) EXPECT_EQ(Peer(one.header, one.fields), one.peer) << one.what;
}

TEST_F(ProxiedTest, NobodyElseIsBelieved) {
  Listen({.trusted_proxies = Networks::Parse({"10.0.0.0/8"}).value()});
  EXPECT_EQ(Peer("", "X-Forwarded-For: 198.51.100.1\r\n"), "127.0.0.1");
  EXPECT_EQ(Peer(Line("TCP4 192.0.2.1"), "").find("HTTP/1.1 400 "), 0u);
}

TEST_F(ProxiedTest, TheSameForEachRequestOfAConnection) {
  Listen({.trusted_proxies = Networks::Parse({"127.0.0.1"}).value()});
  TcpClient client(listener_->port());
  client.Send(Line("TCP4 192.0.2.1"));
  for (const char* made_up : {"198.51.100.1", "198.51.100.2"}) {
    client.Send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: " + std::string(made_up) + "\r\n\r\n");
    EXPECT_NE(client.ReadUntil("this is /\n").find("X-Peer: 192.0.2.1:4711\r\n"), std::string::npos);
  }
}

}  // namespace
}  // namespace hubbub::net
