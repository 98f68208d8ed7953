#include "services/net/frame.h"

#include <array>
#include <cstdint>

namespace hubbub::net {
namespace {

// The header of a body of 126 to 65,535 bytes, which most have. Bodies of other sizes are moved.
constexpr size_t kUsualHeader = 4;

struct Header {
  std::array<char, 10> bytes;
  size_t size;
};

Header HeaderOf(Framing framing, uint64_t body) {
  constexpr unsigned char kWhole = 0x80;
  const unsigned char opcode = framing == Framing::kText ? 1 : 2;
  Header header{{static_cast<char>(kWhole | opcode)}, 2};
  if (body < 126) {
    header.bytes[1] = static_cast<char>(body);
    return header;
  }
  const size_t wide = body <= 0xffff ? 2 : 8;
  header.bytes[1] = static_cast<char>(wide == 2 ? 126 : 127);
  for (size_t i = 0; i < wide; ++i) header.bytes[2 + i] = static_cast<char>(body >> (8 * (wide - 1 - i)));
  header.size = 2 + wide;
  return header;
}

}  // namespace

size_t BeginFrame(Framing framing, std::string& out) {
  const size_t start = out.size();
  if (framing != Framing::kNone) out.append(kUsualHeader, '\0');
  return start;
}

std::string_view EndFrame(Framing framing, size_t start, std::string& out) {
  if (framing == Framing::kNone) return std::string_view(out).substr(start);
  const size_t body = out.size() - start - kUsualHeader;
  if (body == 0) {
    out.resize(start);
    return {};
  }
  const Header header = HeaderOf(framing, body);
  out.replace(start, kUsualHeader, header.bytes.data(), header.size);
  return std::string_view(out).substr(start + header.size);
}

}  // namespace hubbub::net
