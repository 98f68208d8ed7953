#include "services/testing/web_socket_client.h"

#include <array>
#include <stdexcept>

namespace hubbub::testing {
namespace {

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

WebSocketClient::WebSocketClient(uint16_t port, std::string_view path, int receive_buffer)
    : socket_(port, receive_buffer) {
  socket_.Send("GET " + std::string(path) +
               " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  head_ = socket_.ReadUntil("\r\n\r\n");
  if (!head_.starts_with("HTTP/1.1 101 ")) throw std::runtime_error("no upgrade: " + head_);
}

void WebSocketClient::Send(std::string_view body, Kind kind) {
  constexpr std::array<char, 4> kMask = {0x11, 0x22, 0x33, 0x44};
  std::string frame;
  frame += static_cast<char>(0x80 | static_cast<int>(kind));
  if (body.size() < 126) {
    frame += static_cast<char>(0x80 | body.size());
  } else {
    // The shortest form that fits: another one is a mistake.
    const bool large = body.size() > 0xffff;
    frame += static_cast<char>(0x80 | (large ? 127 : 126));
    for (int shift = large ? 56 : 8; shift >= 0; shift -= 8)
      frame += static_cast<char>(body.size() >> shift & 0xff);
  }
  frame.append(kMask.data(), kMask.size());
  for (size_t i = 0; i < body.size(); ++i) frame += static_cast<char>(body[i] ^ kMask[i % 4]);
  socket_.Send(frame);
}

WebSocketClient::Frame WebSocketClient::Read() {
  const std::string head = socket_.Read(2);
  if (head.size() < 2) return {};
  const auto first = static_cast<unsigned char>(head[0]);
  if ((first & 0xf0) != 0x80) throw std::runtime_error("a frame in pieces, or with bits that mean nothing");
  uint64_t size = static_cast<unsigned char>(head[1]);
  if (size > 127) throw std::runtime_error("a masked frame from a server");
  if (size == 126) size = BigEndian(socket_.Read(2));
  if (size == 127) size = BigEndian(socket_.Read(8));
  return {static_cast<Kind>(first & 0x0f), socket_.Read(size)};
}

std::string CloseText(const WebSocketClient::Frame& frame) {
  if (frame.kind != WebSocketClient::Kind::kClose) return "no close frame";
  if (frame.body.size() < 2) return "a close frame without a code";
  return std::to_string(BigEndian(std::string_view(frame.body).substr(0, 2))) + " " + frame.body.substr(2);
}

}  // namespace hubbub::testing
