#include "services/net/networks.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::net {
namespace {

namespace ip = boost::asio::ip;
using Bits = ip::address_v6::bytes_type;

// The bits of ::ffff:0:0/96, which IPv4 has before its own.
constexpr int kBeforeV4 = 96;
// What stands before the address in the number of an IPv4 machine.
constexpr uint64_t kV4Mark = 0xffff;

Bits BitsOf(const ip::address& address) {
  return (address.is_v4() ? ip::make_address_v6(ip::v4_mapped, address.to_v4()) : address.to_v6()).to_bytes();
}

bool SameStart(const Bits& a, const Bits& b, int length) {
  const auto whole = static_cast<size_t>(length) / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  const int rest = length % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool ReadPeer(std::string_view peer, ip::address& address) {
  return ReadAddress(peer.substr(0, peer.rfind(':')), address);
}

// The number behind the slash; nothing if it is none up to `most`.
std::optional<int> ReadLength(std::string_view text, int most) {
  int length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length < 0 || length > most)
    return std::nullopt;
  return length;
}

}  // namespace

bool ReadAddress(std::string_view text, ip::address& address) {
  // Longer than any address: make_address wants a whole string.
  if (text.empty() || text.size() > 64 || text.find('%') != std::string_view::npos) return false;
  boost::system::error_code error;
  address = ip::make_address(std::string(text), error);
  return !error;
}

std::string AddressText(const ip::address& address) {
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string() : address.to_string();
}

uint64_t MachineOf(const ip::address& address) {
  const Bits bits = BitsOf(address);
  // IPv4 has its own bits last, behind those of ::ffff:0:0/96; no machine has the network ffff::/64.
  const bool v4 = SameStart(bits, BitsOf(ip::address_v4()), kBeforeV4);
  uint64_t machine = v4 ? kV4Mark : 0;
  for (size_t i = v4 ? 12 : 0; i < (v4 ? 16u : 8u); ++i) machine = machine << 8 | bits[i];
  return machine == 0 ? 1 : machine;
}

std::string MachineText(uint64_t machine) {
  constexpr int kV4Bits = 32;
  if (machine >> kV4Bits == kV4Mark) return ip::address_v4(static_cast<uint32_t>(machine)).to_string();
  Bits bits{};
  for (size_t i = 8; i-- > 0; machine >>= 8) bits[i] = static_cast<unsigned char>(machine);
  return ip::address_v6(bits).to_string() + "/64";
}

uint64_t MachineOfPeer(std::string_view peer) {
  ip::address address;
  return ReadPeer(peer, address) ? MachineOf(address) : 0;
}

absl::StatusOr<Networks> Networks::Parse(const std::vector<std::string>& texts) {
  Networks networks;
  for (const std::string& text : texts) {
    const size_t slash = std::min(text.find('/'), text.size());
    ip::address address;
    const bool is_address = ReadAddress(std::string_view(text).substr(0, slash), address);
    const int most = is_address && address.is_v4() ? 32 : 128;
    const auto length =
        slash == text.size() ? most : ReadLength(std::string_view(text).substr(slash + 1), most);
    if (!is_address || !length) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is no network: it must be an address, such as 10.1.2.3, or a network, such as "
                      "10.0.0.0/8 or fd00::/8",
                      text));
    }
    networks.networks_.push_back(
        {.bits = BitsOf(address), .length = address.is_v4() ? kBeforeV4 + *length : *length});
  }
  return networks;
}

bool Networks::Contain(const ip::address& address) const {
  const Bits bits = BitsOf(address);
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return SameStart(bits, network.bits, network.length); });
}

bool Networks::ContainPeer(std::string_view peer) const {
  ip::address address;
  return ReadPeer(peer, address) && Contain(address);
}

}  // namespace hubbub::net
