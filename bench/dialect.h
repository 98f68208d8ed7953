#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "bench/options.h"

namespace hubbub::bench {

// What one client says and hears in a protocol whose frames are text: it comes into its room, then sends and
// gets messages. Knows nothing of sockets. Thread-compatible.
class Dialect {
 public:
  struct Heard {
    enum class Kind {
      kNothing,   // Nothing that counts.
      kEntered,   // The client is in its room.
      kAnswer,    // A send is answered, by `status`.
      kDelivery,  // A message, somewhere in `body`.
      kRefused,   // The client gets no further, as `status` says.
    };
    Kind kind = Kind::kNothing;
    std::string_view body = {};
    absl::Status status = absl::OkStatus();
  };

  virtual ~Dialect() = default;

  // What the WebSocket is opened with.
  virtual std::string_view target() const = 0;
  // The first text when the WebSocket is there; empty: the server has the first word.
  virtual std::string Hello() = 0;
  // Takes one message off the front of a frame's text. `reply`: what has to be said to it at once, a frame's
  // text; empty: nothing.
  virtual Heard Hear(std::string_view& text, std::string& reply) = 0;
  // A frame's text that sends `text` to the room. ASCII that JSON need not escape.
  virtual std::string Say(std::string_view text) = 0;
};

// REQUIRES: a protocol of text. `user` and `room` as Dialect::Say's text.
std::unique_ptr<Dialect> MakeDialect(Protocol protocol, std::string user, std::string room);

// An error if a body of JSON has a code that is one. A scan, because every send has an answer.
absl::Status CheckAnswer(std::string_view body);

}  // namespace hubbub::bench
