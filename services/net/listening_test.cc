#include "services/net/listening.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/net/networks.h"

namespace hubbub::net {
namespace {

using Tcp = asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::StartsWith;

bool Connects(asio::io_context& context, const char* address, uint16_t port) {
  Tcp::socket socket(context);
  boost::system::error_code error;
  socket.connect({asio::ip::make_address(address), port}, error);
  return !error;
}

// On this machine, whatever it has.
bool HasIPv6(asio::io_context& context) {
  Tcp::acceptor probe(context);
  boost::system::error_code error;
  probe.open(Tcp::v6(), error);
  if (!error) probe.bind({asio::ip::make_address("::1"), 0}, error);
  return !error;
}

TEST(ListenOn, BothWildcardsAreAllAddressesOfBothFamilies) {
  asio::io_context context;
  for (const char* host : {"0.0.0.0", "::", ""}) {
    TcpAcceptor acceptor(context);
    ASSERT_TRUE(ListenOn(acceptor, host, 0).ok()) << host;
    const uint16_t port = acceptor.local_endpoint().port();
    EXPECT_TRUE(Connects(context, "127.0.0.1", port)) << host;
    EXPECT_EQ(Connects(context, "::1", port), HasIPv6(context)) << host;
  }
}

TEST(ListenOn, AnAddressIsThatOneAlone) {
  asio::io_context context;
  TcpAcceptor acceptor(context);
  ASSERT_TRUE(ListenOn(acceptor, "127.0.0.1", 0).ok());
  const uint16_t port = acceptor.local_endpoint().port();
  EXPECT_TRUE(Connects(context, "127.0.0.1", port));
  EXPECT_FALSE(Connects(context, "127.0.0.2", port));
  EXPECT_FALSE(Connects(context, "::1", port));
}

TEST(ListenOn, SaysWhatIsWrong) {
  asio::io_context context;
  for (const char* host : {"127.0.0.1", "0.0.0.0", "::"}) {
    TcpAcceptor first(context);
    ASSERT_TRUE(ListenOn(first, host, 0).ok());
    TcpAcceptor second(context);
    EXPECT_THAT(std::string(ListenOn(second, host, first.local_endpoint().port()).message()),
                HasSubstr("another program has this port"))
        << host;
  }
  TcpAcceptor acceptor(context);
  EXPECT_THAT(std::string(ListenOn(acceptor, "nowhere.invalid", 5000).message()),
              StartsWith("cannot listen for clients on nowhere.invalid:5000: the host does not resolve"));
}

TEST(AddressText, AnAddressOfIPv4IsWrittenAsOne) {
  const struct {
    const char* address;
    const char* text;
  } cases[] = {
      {"10.1.2.3", "10.1.2.3"}, {"::ffff:10.1.2.3", "10.1.2.3"}, {"fd00::1", "fd00::1"}, {"::1", "::1"}};
  for (const auto& [address, text] : cases) EXPECT_EQ(AddressText(asio::ip::make_address(address)), text);
}

}  // namespace
}  // namespace hubbub::net
