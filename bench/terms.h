#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "services/base/string_map.h"
#include "services/pomelo/message.h"

namespace hubbub::bench {

// The body of a handshake of a client of this kind, such as "js-websocket".
std::string HandshakeBody(std::string_view client);

// What a handshake has settled: heartbeats, codes of routes, and the form of the bodies of requests.
// Immutable, so thread-safe.
class Terms {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // From the body of the server's answer; the error says what is wrong with it.
  static absl::StatusOr<Terms> Parse(std::string_view answer);

  int64_t heartbeat_ns() const { return heartbeat_ns_; }  // 0: none.

  // Appends a request in a data package. The fields, all of them text, must be ASCII that JSON need not
  // escape; their protobuf schema may leave some of them out.
  void AppendRequest(uint64_t id, std::string_view route, Fields fields, std::string& out) const;

  // True if a push has this route, by name or by code.
  bool Is(const pomelo::Route& route, std::string_view name) const;

 private:
  using Tags = StringMap<uint32_t>;

  int64_t heartbeat_ns_ = 0;
  StringMap<uint16_t> codes_;
  StringMap<Tags> tags_;  // Of the text fields of requests, by route.
};

}  // namespace hubbub::bench
