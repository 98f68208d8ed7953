#include "services/net/frame.h"

#include <array>
#include <cstdint>

namespace hubbub::net {
namespace {

// The header of a body of 126 to 65,535 bytes, which most have. Others are moved.
constexpr size_t kUsualHeader = 4;

struct Header {
  std::array<char, 10> bytes;
  size_t size;
};

Header HeaderOf(uint64_t body) {
  Header header{{static_cast<char>(0x82)}, 2};
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

size_t BeginFrame(std::string& out) {
  const size_t start = out.size();
  out.append(kUsualHeader, '\0');
  return start;
}

std::string_view EndFrame(size_t start, std::string& out) {
  const size_t body = out.size() - start - kUsualHeader;
  if (body == 0) {
    out.resize(start);
    return {};
  }
  const Header header = HeaderOf(body);
  out.replace(start, kUsualHeader, header.bytes.data(), header.size);
  return std::string_view(out).substr(start + header.size);
}

}  // namespace hubbub::net
