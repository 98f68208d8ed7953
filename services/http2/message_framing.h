#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"

namespace hubbub::http2 {

// What stands before each message of a gRPC call: a byte that says whether it is compressed, and its length,
// four bytes, the highest first (gRPC over HTTP2, "Length-Prefixed-Message").
inline constexpr size_t kPrefixBytes = 5;

// The message as it is written.
std::string FrameMessage(const google::protobuf::MessageLite& message);

// Finds the messages in what comes of a call. Not thread-safe.
class MessageReader {
 public:
  // A longer message is refused, as gRPC's library refuses it.
  static constexpr size_t kMostBytes = size_t{4} << 20;

  // Calls `on_message` for each message that is complete; what it is given is valid until it returns. An
  // error is the server's mistake: nothing more is to be read.
  absl::Status Read(std::string_view bytes, const std::function<void(std::string_view)>& on_message);

  // Nothing of a message has come that is not complete.
  bool empty() const { return pending_.empty(); }

 private:
  // The whole size of the message that `bytes` begin with; 0 if they are too few to say.
  static absl::Status SizeOf(std::string_view bytes, size_t& size);

  std::string pending_;
};

}  // namespace hubbub::http2
