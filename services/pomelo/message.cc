#include "services/pomelo/message.h"

#include <stdexcept>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::pomelo {
namespace {

constexpr uint8_t kCompressedRoute = 0x01;
constexpr uint8_t kCompressedBody = 0x10;
constexpr uint8_t kTypeBits = 0x0e;

bool HasId(MessageType type) {
  return type == MessageType::kRequest || type == MessageType::kResponse;
}

uint8_t TakeByte(std::string_view& bytes) {
  const auto byte = static_cast<uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  return byte;
}

absl::StatusOr<Route> TakeRoute(bool code, std::string_view& bytes) {
  if (code) {
    if (bytes.size() < 2) return absl::InvalidArgumentError("a message ends inside its route code");
    const int high = TakeByte(bytes);
    return static_cast<uint16_t>(high << 8 | TakeByte(bytes));
  }
  if (bytes.empty()) return absl::InvalidArgumentError("a message ends before its route");
  const size_t length = TakeByte(bytes);
  if (bytes.size() < length) {
    return absl::InvalidArgumentError(
        fmt::format("a message ends inside its route: {} of {} bytes are there", bytes.size(), length));
  }
  const std::string_view route = bytes.substr(0, length);
  bytes.remove_prefix(length);
  return route;
}

void AppendFlag(MessageType type, uint8_t bits, std::string& out) {
  out += static_cast<char>(static_cast<uint8_t>(type) << 1 | bits);
}

uint8_t RouteBit(const Route& route) {
  return std::holds_alternative<uint16_t>(route) ? kCompressedRoute : 0;
}

void AppendRoute(const Route& route, std::string& out) {
  if (const auto* code = std::get_if<uint16_t>(&route)) {
    out += static_cast<char>(*code >> 8);
    out += static_cast<char>(*code);
    return;
  }
  const std::string_view text = std::get<std::string_view>(route);
  if (text.size() > kMaxRouteBytes) {
    throw std::length_error(
        fmt::format("a route of {} bytes: the wire allows {}", text.size(), kMaxRouteBytes));
  }
  out += static_cast<char>(text.size());
  out.append(text);
}

}  // namespace

MessageId::MessageId(uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes_[size_++] = static_cast<char>(0x80 | (number & 0x7f));
  bytes_[size_++] = static_cast<char>(number);
}

absl::StatusOr<MessageId> MessageId::Take(std::string_view& bytes) {
  MessageId id;
  for (id.size_ = 0; id.size_ < kMaxBytes;) {
    if (bytes.empty()) return absl::InvalidArgumentError("a message ends inside its id");
    const uint8_t byte = TakeByte(bytes);
    id.bytes_[id.size_++] = static_cast<char>(byte);
    if (byte < 0x80) return id;
  }
  return absl::InvalidArgumentError(fmt::format("a message id is longer than {} bytes", kMaxBytes));
}

uint64_t MessageId::number() const {
  uint64_t number = 0;
  for (size_t i = 0; i < size_; ++i) number |= (static_cast<uint64_t>(bytes_[i]) & 0x7f) << 7 * i;
  return number;
}

absl::StatusOr<Message> DecodeMessage(std::string_view bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("a message is empty: not even its flag byte is there");
  const uint8_t flag = TakeByte(bytes);
  if ((flag & ~(kCompressedRoute | kTypeBits | kCompressedBody)) != 0) {
    return absl::InvalidArgumentError(fmt::format("message flag {:#04x} has bits without a meaning", flag));
  }
  Message message;
  message.type = static_cast<MessageType>((flag & kTypeBits) >> 1);
  message.compressed = (flag & kCompressedBody) != 0;
  if (message.type > MessageType::kPush) {
    return absl::InvalidArgumentError(
        fmt::format("message type {} does not exist: the types are 0 to 3", static_cast<int>(message.type)));
  }
  if (HasId(message.type)) {
    absl::StatusOr<MessageId> id = MessageId::Take(bytes);
    if (!id.ok()) return std::move(id).status();
    message.id = *id;
  }
  if (message.type != MessageType::kResponse) {
    absl::StatusOr<Route> route = TakeRoute((flag & kCompressedRoute) != 0, bytes);
    if (!route.ok()) return std::move(route).status();
    message.route = *route;
  }
  message.body = bytes;
  return message;
}

void AppendRequestHead(const MessageId& id, const Route& route, std::string& out) {
  AppendFlag(MessageType::kRequest, RouteBit(route), out);
  out.append(id.bytes());
  AppendRoute(route, out);
}

void AppendNotifyHead(const Route& route, std::string& out) {
  AppendFlag(MessageType::kNotify, RouteBit(route), out);
  AppendRoute(route, out);
}

void AppendResponseHead(const MessageId& id, std::string& out) {
  AppendFlag(MessageType::kResponse, 0, out);
  out.append(id.bytes());
}

void AppendPushHead(const Route& route, std::string& out) {
  AppendFlag(MessageType::kPush, RouteBit(route), out);
  AppendRoute(route, out);
}

void AppendRequest(const MessageId& id, const Route& route, std::string_view body, std::string& out) {
  AppendRequestHead(id, route, out);
  out.append(body);
}

void AppendNotify(const Route& route, std::string_view body, std::string& out) {
  AppendNotifyHead(route, out);
  out.append(body);
}

void AppendResponse(const MessageId& id, std::string_view body, std::string& out) {
  AppendResponseHead(id, out);
  out.append(body);
}

void AppendPush(const Route& route, std::string_view body, std::string& out) {
  AppendPushHead(route, out);
  out.append(body);
}

}  // namespace hubbub::pomelo
