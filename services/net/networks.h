#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/asio/ip/address.hpp"

namespace hubbub::net {

// A set of IP addresses. Immutable, so thread-safe.
class Networks {
 public:
  // None.
  Networks() = default;
  // Each an address, "10.1.2.3" or "fd00::1", or a network, "10.0.0.0/8" or "fd00::/8". INVALID_ARGUMENT
  // names one that is neither.
  static absl::StatusOr<Networks> Parse(const std::vector<std::string>& texts);

  bool empty() const { return networks_.empty(); }
  // An IPv4 address is the same in IPv6's form for it, ::ffff:a.b.c.d.
  bool Contain(const boost::asio::ip::address& address) const;
  // The same for a client, "address:port" as connections name it; false if that is no address.
  bool ContainPeer(std::string_view peer) const;

 private:
  struct Network {
    boost::asio::ip::address_v6::bytes_type bits;  // Of IPv4 as of ::ffff:a.b.c.d.
    int length;                                    // How many of them count.
  };
  std::vector<Network> networks_;
};

// What tells one client's machine from another: an IPv4 address, or the /64 of IPv6, which one machine may
// have. The same for IPv4 in IPv6's form. Never 0.
uint64_t MachineOf(const boost::asio::ip::address& address);

// What MachineOf has made a machine of, for logs: "192.0.2.1", or "2001:db8:1:2::/64".
std::string MachineText(uint64_t machine);

// That of a client, "address:port" as connections name it; 0 if that is no address.
uint64_t MachineOfPeer(std::string_view peer);

// An address as people write it, and so that each client has one: IPv4 in IPv6's form, as it comes to a
// socket of both families, is written as IPv4.
std::string AddressText(const boost::asio::ip::address& address);

// An address as people write it, without brackets, port or zone; false if it is none.
bool ReadAddress(std::string_view text, boost::asio::ip::address& address);

}  // namespace hubbub::net
