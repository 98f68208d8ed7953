#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"

namespace hubbub::pomelo {

// The body of a data package: a flag byte, an id in requests and responses, a route in all but responses, and
// a body (pomelo-protocol's Message). Pure functions, thread-safe. Views point into the bytes that were
// decoded.

enum class MessageType : uint8_t { kRequest = 0, kNotify = 1, kResponse = 2, kPush = 3 };

// The stock decoder joins the bytes of an id with 32-bit shifts, so an id above this means nothing to it.
inline constexpr uint64_t kMaxMessageId = 0xffffffff;
inline constexpr size_t kMaxRouteBytes = 255;

// A route as text, or as its code in the dictionary that the handshake agreed on.
using Route = std::variant<std::string_view, uint16_t>;

struct Message {
  MessageType type = MessageType::kRequest;
  uint64_t id = 0;  // 0 where the type has none.
  Route route;      // Empty text where the type has none. Text is not checked to be UTF-8.
  std::string_view body;
  bool compressed = false;  // The body is said to be deflated. Stock Pomelo clients never do that.
};

// INVALID_ARGUMENT if the bytes end too early, the type is not one of the four, a flag bit above compression
// is set or the id exceeds kMaxMessageId. Ids with needless zero groups are taken, up to five bytes.
absl::StatusOr<Message> DecodeMessage(std::string_view bytes);

// Append a message's head to `out`; whatever is appended next is its body. They throw std::length_error for a
// route above kMaxRouteBytes or an id above kMaxMessageId.
void AppendRequestHead(uint64_t id, const Route& route, std::string& out);
void AppendNotifyHead(const Route& route, std::string& out);
void AppendResponseHead(uint64_t id, std::string& out);
void AppendPushHead(const Route& route, std::string& out);

// Head and body.
void AppendRequest(uint64_t id, const Route& route, std::string_view body, std::string& out);
void AppendNotify(const Route& route, std::string_view body, std::string& out);
void AppendResponse(uint64_t id, std::string_view body, std::string& out);
void AppendPush(const Route& route, std::string_view body, std::string& out);

}  // namespace hubbub::pomelo
