#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hubbub::socketio {

// How Pomelo speaks over Socket.IO (its sioconnector and the client pomelo-jsclient-socket.io): each message
// is the text of an event "message". The client's text has four characters for the id, of which each counts
// as a byte, one for the length of the route, then the route and a JSON body. Pure functions, thread-safe.

inline constexpr std::string_view kPomeloEvent = "message";

// What a client asks. Views point into the text.
struct PomeloText {
  uint32_t id = 0;  // 0: a notify, which gets no answer.
  std::string_view route;
  std::string_view body;
};

// INVALID_ARGUMENT says what is wrong.
absl::StatusOr<PomeloText> DecodePomeloText(std::string_view utf8);

// What stands in a request's text; for tests and clients.
std::string EncodePomeloText(const PomeloText& request);

}  // namespace hubbub::socketio
