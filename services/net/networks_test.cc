#include "services/net/networks.h"

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

TEST(Networks, ContainTheirAddresses) {
  const Networks networks =
      Networks::Parse({"10.0.0.0/8", "192.168.1.16/30", "fd00::/7", "203.0.113.9"}).value();
  const struct {
    const char* address;
    bool in;
  } cases[] = {
      {"10.0.0.0", true},     {"10.255.255.255", true}, {"11.0.0.0", false},     {"::ffff:10.1.2.3", true},
      {"192.168.1.16", true}, {"192.168.1.19", true},   {"192.168.1.20", false}, {"192.168.1.15", false},
      {"fd12::1", true},      {"fc00::1", true},        {"fe80::1", false},      {"203.0.113.9", true},
      {"203.0.113.8", false}, {"::1", false},           {"0.0.0.0", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(networks.Contain(boost::asio::ip::make_address(one.address)), one.in) << one.address;
  }
  EXPECT_FALSE(Networks().Contain(boost::asio::ip::make_address("127.0.0.1")));
  EXPECT_TRUE(Networks::Parse({"0.0.0.0/0"})->Contain(boost::asio::ip::make_address("1.2.3.4")));
  EXPECT_FALSE(Networks::Parse({"0.0.0.0/0"})->Contain(boost::asio::ip::make_address("fd00::1")));
  EXPECT_TRUE(Networks::Parse({"::/0"})->Contain(boost::asio::ip::make_address("fd00::1")));
}

TEST(Networks, AMachineIsAnAddressOrA64OfIPv6) {
  const auto machine = [](const char* text) { return MachineOf(boost::asio::ip::make_address(text)); };
  EXPECT_EQ(machine("203.0.113.9"), machine("::ffff:203.0.113.9"));
  EXPECT_EQ(machine("2001:db8:1:2::1"), machine("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(MachineOfPeer("203.0.113.9:4000"), machine("203.0.113.9"));
  EXPECT_EQ(MachineOfPeer("2001:db8:1:2::1:4000"), machine("2001:db8:1:2::1"));
  EXPECT_EQ(MachineOfPeer("nobody:1"), 0u);
  EXPECT_EQ(MachineText(machine("203.0.113.9")), "203.0.113.9");
  EXPECT_EQ(MachineText(machine("::ffff:203.0.113.9")), "203.0.113.9");
  EXPECT_EQ(MachineText(machine("2001:db8:1:2::1")), "2001:db8:1:2::/64");
  const uint64_t machines[] = {machine("203.0.113.9"),    machine("203.0.113.10"),   machine("0.0.0.0"),
                               machine("2001:db8:1:2::"), machine("2001:db8:1:3::"), machine("::1")};
  for (const uint64_t& one : machines) {
    EXPECT_NE(one, 0u);
    EXPECT_EQ(std::count(std::begin(machines), std::end(machines), one), 1);
  }
}

TEST(Networks, SayWhichOneIsWrong) {
  for (const char* text : {"", "10", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "fd00::/129",
                           "host", "fe80::1%eth0", "/8"}) {
    EXPECT_FALSE(Networks::Parse({text}).ok()) << text;
  }
}

}  // namespace
}  // namespace hubbub::net
