#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace hubbub::http2 {

// What is called.
struct CallRequest {
  std::string method;  // As "/hubbub.chat.v1.ChatService/Subscribe".
  std::vector<std::pair<std::string, std::string>> metadata = {};  // With names in small letters.
};

// What becomes of a call. All of it is called on the loop of the call, and never from within a function of
// the call or of what opened it. Each may be left out.
struct CallEvents {
  // A message of the server, without gRPC's five bytes before it. The bytes are valid until it returns.
  std::function<void(std::string_view message)> on_message = nullptr;
  // All that was written has left.
  std::function<void()> on_written = nullptr;
  // The call's outcome, once: nothing comes after it. UNAVAILABLE if there is no connection, or it broke.
  // What a refusal has as trailing metadata is a payload of the status, of the same name.
  std::function<void(const absl::Status& status)> on_end = nullptr;
};

// A gRPC call with streams of messages, on one loop. Loop-only. Owned by its user, who may drop it at any
// time: it goes on until its end.
class Call {
 public:
  virtual ~Call() = default;

  // Sends a message (FrameMessage). It is for the user to wait for on_written before the next one.
  virtual void Write(std::string framed) = 0;
  // Nothing more is written.
  virtual void EndWrites() = 0;
  // Ends it with CANCELLED, unless it has ended by then.
  virtual void Cancel() = 0;
};

using OpenCall = std::function<std::shared_ptr<Call>(CallRequest request, CallEvents events)>;

}  // namespace hubbub::http2
