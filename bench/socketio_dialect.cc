#include "bench/socketio_dialect.h"

#include <charconv>
#include <utility>

#include "absl/strings/str_format.h"

namespace hubbub::bench {
namespace {

// The first digit is Engine.IO's, the second one Socket.IO's.
constexpr std::string_view kOpenPacket = "0";
constexpr std::string_view kPingPacket = "2";
constexpr std::string_view kPongPacket = "3";
constexpr std::string_view kConnectPacket = "40";
constexpr std::string_view kEventPacket = "42";
constexpr std::string_view kAcknowledgementPacket = "43";
constexpr std::string_view kChatEvent = "42[\"onChat\"";

}  // namespace

Dialect::Heard SocketIoDialect::Hear(std::string_view& text, std::string& reply) {
  const std::string_view packet = std::exchange(text, {});
  if (packet == kPingPacket) {
    reply = kPongPacket;
    return {};
  }
  if (packet.starts_with(kChatEvent)) return {.kind = Heard::Kind::kDelivery, .body = packet};
  if (packet.starts_with(kEventPacket)) return {};
  if (packet.starts_with(kAcknowledgementPacket))
    return OnAcknowledgement(packet.substr(kAcknowledgementPacket.size()));
  if (packet.starts_with(kConnectPacket)) {
    reply = absl::StrFormat(R"(42%d["enter",{"username":"%s","rid":"%s"}])", kEnterId, user_, room_);
    return {};
  }
  if (packet.starts_with(kOpenPacket)) {
    reply = kConnectPacket;
    return {};
  }
  return {.kind = Heard::Kind::kRefused,
          .status = absl::AbortedError("the server said " + std::string(packet.substr(0, 200)))};
}

Dialect::Heard SocketIoDialect::OnAcknowledgement(std::string_view body) {
  uint64_t id = 0;
  std::from_chars(body.data(), body.data() + body.size(), id);
  absl::Status status = CheckAnswer(body);
  if (id != kEnterId) return {.kind = Heard::Kind::kAnswer, .status = std::move(status)};
  if (!status.ok()) return {.kind = Heard::Kind::kRefused, .status = std::move(status)};
  return {.kind = Heard::Kind::kEntered};
}

std::string SocketIoDialect::Say(std::string_view text) {
  std::string packet = absl::StrFormat(R"(42%d["send",{"rid":"%s","content":")", ++last_id_, room_);
  packet.append(text).append(R"(","target":"*"}])");
  return packet;
}

}  // namespace hubbub::bench
