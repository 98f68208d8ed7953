#include "services/net/proxy_header.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using Kind = ProxyHeader::Kind;

// A header of version 2 with these bytes behind its length.
std::string Binary(char command, char family, const std::string& rest) {
  std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
  bytes += command;
  bytes += family;
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes + rest;
}

const std::string kTcp4("\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x0b\xea",
                        12);  // 192.0.2.1:12345 to 10.0.0.1
const std::string kTcp6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                          std::string(16, '\0') + std::string("\x00\x50\x00\x50", 4);  // [2001:db8::1]:80

TEST(ProxyHeader, SaysWhoTheClientIs) {
  const struct {
    const char* what;
    std::string bytes;
    const char* client;  // Empty: it does not say.
  } cases[] = {
      {"version 1, IPv4", "PROXY TCP4 192.0.2.1 10.0.0.1 12345 3050\r\n", "192.0.2.1:12345"},
      {"version 1, IPv6", "PROXY TCP6 2001:db8::1 ::1 80 3050\r\n", "2001:db8::1:80"},
      {"version 1, unknown", "PROXY UNKNOWN\r\n", ""},
      {"version 1, unknown with what to ignore", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ""},
      {"version 2, IPv4", Binary('\x21', '\x11', kTcp4), "192.0.2.1:12345"},
      {"version 2, IPv6", Binary('\x21', '\x21', kTcp6), "2001:db8::1:80"},
      {"version 2 with more behind", Binary('\x21', '\x11', kTcp4 + "\x04\x00\x01x"), "192.0.2.1:12345"},
      {"version 2, a proxy's own probe", Binary('\x20', '\0', ""), ""},
      {"version 2, a Unix socket", Binary('\x21', '\x31', std::string(216, 'x')), ""},
      {"version 2, UDP", Binary('\x21', '\x12', kTcp4), ""},
  };
  for (const auto& one : cases) {
    for (const char* rest : {"", "GET / HTTP/1.1\r\n", "\x01\x00"}) {
      const ProxyHeader header = ReadProxyHeader(one.bytes + rest);
      ASSERT_EQ(header.kind, Kind::kWhole) << one.what;
      EXPECT_EQ(header.size, one.bytes.size()) << one.what;
      EXPECT_EQ(header.client.value_or(""), one.client) << one.what;
    }
    for (size_t size = 0; size < one.bytes.size(); ++size) {
      EXPECT_EQ(ReadProxyHeader(one.bytes.substr(0, size)).kind, Kind::kIncomplete) << one.what << size;
    }
  }
}

TEST(ProxyHeader, OtherBytesAreNone) {
  for (const char* bytes : {"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "\x01", "\r\nGET / HTTP/1.1",
                            "\r\n\r\nGET", "PROPFIND"}) {
    EXPECT_EQ(ReadProxyHeader(bytes).kind, Kind::kNone) << bytes;
  }
}

TEST(ProxyHeader, SaysWhatIsWrong) {
  const std::string cases[] = {
      "PROXY TCP4 192.0.2.1 10.0.0.1 \r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 x 3050\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 65536 3050\r\n",
      "PROXY TCP4 2001:db8::1 ::1 80 3050\r\n",
      "PROXY TCP6 192.0.2.1 10.0.0.1 80 3050\r\n",
      "PROXY TCP4 192.0.2.300 10.0.0.1 80 3050\r\n",
      "PROXY UDP4 192.0.2.1 10.0.0.1 80 3050\r\n",
      "PROXY \r\n",
      "PROXY " + std::string(110, 'x'),
      Binary('\x11', '\x11', kTcp4),
      Binary('\x22', '\x11', kTcp4),
      Binary('\x21', '\x11', kTcp4.substr(1)),
      Binary('\x21', '\x21', kTcp4),
      Binary('\x21', '\x11', std::string(kMaxProxyHeaderBytes, 'x')),
  };
  for (const std::string& bytes : cases) EXPECT_EQ(ReadProxyHeader(bytes).kind, Kind::kFault) << bytes;
}

}  // namespace
}  // namespace hubbub::net
