#include "services/net/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "boost/asio/ip/address.hpp"
#include "services/net/networks.h"

namespace hubbub::net {
namespace {

namespace ip = boost::asio::ip;
using Kind = ProxyHeader::Kind;

constexpr std::string_view kStart1 = "PROXY ";
constexpr size_t kMaxLine = 107;  // With its CRLF (2.1).
constexpr std::string_view kStart2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kHead2 = 16;

bool MayBegin(std::string_view bytes, std::string_view start) {
  const size_t size = std::min(bytes.size(), start.size());
  return bytes.substr(0, size) == start.substr(0, size);
}

std::string_view NextWord(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::string Client(const ip::address& address, unsigned port) {
  return AddressText(address) + ":" + std::to_string(port);
}

ProxyHeader ReadLine(std::string_view bytes) {
  const size_t end = bytes.substr(0, kMaxLine).find("\r\n");
  if (end == std::string_view::npos)
    return {.kind = bytes.size() < kMaxLine ? Kind::kIncomplete : Kind::kFault};
  std::string_view line = bytes.substr(kStart1.size(), end - kStart1.size());
  ProxyHeader header{.kind = Kind::kWhole, .size = end + 2};
  const std::string_view family = NextWord(line);
  if (family == "UNKNOWN") return header;
  ip::address source;
  ip::address target;
  const bool addresses = ReadAddress(NextWord(line), source) && ReadAddress(NextWord(line), target);
  const std::string_view port_text = NextWord(line);
  uint16_t port = 0;
  const auto [port_end, error] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const bool right = (family == "TCP4" && source.is_v4()) || (family == "TCP6" && source.is_v6());
  if (!addresses || !right || error != std::errc() || port_end != port_text.data() + port_text.size())
    return {.kind = Kind::kFault};
  header.client = Client(source, port);
  return header;
}

unsigned Byte(std::string_view bytes, size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

template <typename Address>
Address AddressAt(std::string_view bytes, size_t at) {
  typename Address::bytes_type raw;
  std::transform(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + raw.size()), raw.begin(),
                 [](char c) { return static_cast<unsigned char>(c); });
  return Address(raw);
}

ProxyHeader ReadBinary(std::string_view bytes) {
  if (bytes.size() < kHead2) return {.kind = Kind::kIncomplete};
  const unsigned version = Byte(bytes, 12) >> 4;
  const unsigned command = Byte(bytes, 12) & 0x0f;
  const unsigned family = Byte(bytes, 13);
  const size_t size = kHead2 + (Byte(bytes, 14) << 8 | Byte(bytes, 15));
  if (version != 2 || command > 1 || size > kMaxProxyHeaderBytes) return {.kind = Kind::kFault};
  if (bytes.size() < size) return {.kind = Kind::kIncomplete};
  ProxyHeader header{.kind = Kind::kWhole, .size = size};
  // LOCAL: the proxy's own connection, such as a probe.
  header.own = command == 0;
  if (header.own) return header;
  constexpr unsigned kTcp4 = 0x11;
  constexpr unsigned kTcp6 = 0x21;
  // Two addresses, then two ports.
  constexpr size_t kTcp4Bytes = 2 * 4 + 2 * 2;
  constexpr size_t kTcp6Bytes = 2 * 16 + 2 * 2;
  const auto port_at = [&](size_t at) { return Byte(bytes, at) << 8 | Byte(bytes, at + 1); };
  if (family == kTcp4) {
    if (size < kHead2 + kTcp4Bytes) return {.kind = Kind::kFault};
    header.client = Client(AddressAt<ip::address_v4>(bytes, kHead2), port_at(kHead2 + 8));
  } else if (family == kTcp6) {
    if (size < kHead2 + kTcp6Bytes) return {.kind = Kind::kFault};
    header.client = Client(AddressAt<ip::address_v6>(bytes, kHead2), port_at(kHead2 + 32));
  }
  return header;
}

}  // namespace

ProxyHeader ReadProxyHeader(std::string_view bytes) {
  for (const std::string_view start : {kStart1, kStart2}) {
    if (!MayBegin(bytes, start)) continue;
    if (bytes.size() < start.size()) return {.kind = Kind::kIncomplete};
    return start == kStart1 ? ReadLine(bytes) : ReadBinary(bytes);
  }
  return {};
}

}  // namespace hubbub::net
