#include "bench/frames.h"

#include <algorithm>
#include <utility>

namespace hubbub::bench {
namespace {

// RFC 6455's own example, section 1.3.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

constexpr unsigned char kFinal = 0x80;
constexpr unsigned char kMasked = 0x80;
enum Opcode : unsigned char {
  kContinuation = 0,
  kTextFrame = 1,
  kBinary = 2,
  kCloseFrame = 8,
  kPingFrame = 9,
  kPongFrame = 10
};
constexpr size_t kMaxControl = 125;

void AppendFrameOf(Opcode opcode, std::string_view payload, std::string& out) {
  out += static_cast<char>(kFinal | opcode);
  const size_t size = payload.size();
  if (size < 126) {
    out += static_cast<char>(kMasked | size);
  } else {
    const bool wide = size > 0xffff;
    out += static_cast<char>(kMasked | (wide ? 127 : 126));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xff);
  }
  out.append(4, '\0');
  out += payload;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string UpgradeRequest(std::string_view host, std::string_view target) {
  std::string request = "GET ";
  request += target;
  request += " HTTP/1.1\r\nHost: ";
  request += host;
  request +=
      "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
  request += kKey;
  request += "\r\n\r\n";
  return request;
}

int64_t UpgradeAnswer(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return bytes.size() > 8192 ? -1 : 0;
  const std::string_view head = bytes.substr(0, end);
  if (!head.starts_with("HTTP/1.1 101 ") || head.find(kAccept) == std::string_view::npos) return -1;
  return static_cast<int64_t>(end) + 4;
}

void AppendFrame(Payload kind, std::string_view payload, std::string& out) {
  AppendFrameOf(kind == Payload::kText ? kTextFrame : kBinary, payload, out);
}
void AppendPong(std::string_view payload, std::string& out) {
  AppendFrameOf(kPongFrame, payload, out);
}

FrameReader::Item FrameReader::Next(std::string_view& bytes, pomelo::Package& package) {
  while (frame_left_ == 0) {
    const Item item = NextFrame(bytes, package);
    if (item != Item::kPackage) return item;  // kPackage: a data frame has begun.
  }
  if (payload_ == Payload::kText) return NextText(bytes, package);
  const auto here = static_cast<size_t>(std::min<uint64_t>(frame_left_, bytes.size()));
  if (here >= pomelo::kPackageHead) {
    const auto type = static_cast<unsigned char>(bytes[0]);
    if (type < 1 || type > 5)
      return Fail("the server sent a package of unknown type " + std::to_string(type));
    const size_t size = pomelo::kPackageHead + BigEndian(bytes.substr(1, 3));
    if (size > frame_left_) return Fail("the server spread a package over several frames");
    if (here >= size) {
      package = {.type = static_cast<pomelo::PackageType>(type), .body = bytes.substr(4, size - 4)};
      bytes.remove_prefix(size);
      frame_left_ -= size;
      return Item::kPackage;
    }
  } else if (frame_left_ < pomelo::kPackageHead) {
    return Fail("the server spread a package over several frames");
  }
  return Item::kNeedMore;
}

FrameReader::Item FrameReader::NextText(std::string_view& bytes, pomelo::Package& package) {
  if (bytes.size() < frame_left_) return Item::kNeedMore;
  const auto size = static_cast<size_t>(std::exchange(frame_left_, 0));
  package = {.type = pomelo::PackageType::kData, .body = bytes.substr(0, size)};
  bytes.remove_prefix(size);
  return Item::kPackage;
}

// The head of the next frame, and all of it if it is a control frame.
FrameReader::Item FrameReader::NextFrame(std::string_view& bytes, pomelo::Package& package) {
  if (bytes.size() < 2) return Item::kNeedMore;
  const auto opcode = static_cast<unsigned char>(bytes[0] & 0x0f);
  const auto length = static_cast<unsigned char>(bytes[1]);
  if ((length & kMasked) != 0) return Fail("the server sent a masked frame");
  if ((bytes[0] & 0x70) != 0) return Fail("the server sent a frame with an extension that was not agreed on");
  const size_t head = length == 127 ? 10 : length == 126 ? 4 : 2;
  if (bytes.size() < head) return Item::kNeedMore;
  const uint64_t size = head == 2 ? length : BigEndian(bytes.substr(2, head - 2));
  const bool data = payload_ == Payload::kText ? opcode == kTextFrame && (bytes[0] & kFinal) != 0
                                               : opcode == kBinary || opcode == kContinuation;
  if (data) {
    bytes.remove_prefix(head);
    frame_left_ = size;
    return Item::kPackage;
  }
  if (opcode < kCloseFrame || opcode > kPongFrame) {
    return Fail("the server sent a frame of kind " + std::to_string(opcode) +
                (payload_ == Payload::kText ? "; texts come in whole frames" : "; binary ones carry Pomelo"));
  }
  if (size > kMaxControl) return Fail("the server sent a control frame that is too long");
  if (bytes.size() < head + size) return Item::kNeedMore;
  package.body = bytes.substr(head, size);
  bytes.remove_prefix(head + size);
  if (opcode == kPongFrame) return NextFrame(bytes, package);
  return opcode == kPingFrame ? Item::kPing : Item::kClose;
}

FrameReader::Item FrameReader::Fail(std::string error) {
  error_ = std::move(error);
  return Item::kError;
}

}  // namespace hubbub::bench
