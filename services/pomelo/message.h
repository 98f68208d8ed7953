#pragma once

#include <array>
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

inline constexpr size_t kMaxRouteBytes = 255;

// What a request and its response have in common, as its bytes stand on the wire: groups of seven bits, all
// but the last with the high bit set. Stock clients write the least significant group first, but some others
// the most significant one (the Flash client does). A server need not know which: it answers with the bytes
// that it got. A value; thread-safe as such.
class MessageId {
 public:
  static constexpr size_t kMaxBytes = 10;  // What 64 bits take.

  // As stock clients write it. NOLINTNEXTLINE(google-explicit-constructor): it is that number.
  MessageId(uint64_t number = 0);

  // Takes the id at the front of `bytes`. INVALID_ARGUMENT if it does not end there or is longer than
  // kMaxBytes. Needless groups are kept.
  static absl::StatusOr<MessageId> Take(std::string_view& bytes);

  std::string_view bytes() const { return {bytes_.data(), size_}; }
  // As stock clients read it; bits beyond 64 are lost.
  uint64_t number() const;

  friend bool operator==(const MessageId&, const MessageId&) = default;

 private:
  std::array<char, kMaxBytes> bytes_ = {};
  uint8_t size_ = 0;
};

// A route as text, or as its code in the dictionary that the handshake agreed on.
using Route = std::variant<std::string_view, uint16_t>;

struct Message {
  MessageType type = MessageType::kRequest;
  MessageId id;  // 0 where the type has none.
  Route route;   // Empty text where the type has none. Text is not checked to be UTF-8.
  std::string_view body;
  bool compressed = false;  // The body is said to be deflated. Stock Pomelo clients never do that.
};

// INVALID_ARGUMENT if the bytes end too early, the type is not one of the four, a flag bit above compression
// is set or the id is longer than MessageId::kMaxBytes.
absl::StatusOr<Message> DecodeMessage(std::string_view bytes);

// Append a message's head to `out`; whatever is appended next is its body. They throw std::length_error for a
// route above kMaxRouteBytes.
void AppendRequestHead(const MessageId& id, const Route& route, std::string& out);
void AppendNotifyHead(const Route& route, std::string& out);
void AppendResponseHead(const MessageId& id, std::string& out);
void AppendPushHead(const Route& route, std::string& out);

// Head and body.
void AppendRequest(const MessageId& id, const Route& route, std::string_view body, std::string& out);
void AppendNotify(const Route& route, std::string_view body, std::string& out);
void AppendResponse(const MessageId& id, std::string_view body, std::string& out);
void AppendPush(const Route& route, std::string_view body, std::string& out);

}  // namespace hubbub::pomelo
