#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/http2/call.h"
#include "services/http2/call_outcome.h"
#include "services/http2/message_framing.h"

namespace hubbub::http2 {

class Connection;

// One call of a Connection, which has it until its end; its user has it for as long as he likes. Not
// thread-safe.
class Stream final : public Call, public std::enable_shared_from_this<Stream> {
 public:
  Stream(Connection& connection, CallRequest request, CallEvents events);

  void Write(std::string framed) override;
  void EndWrites() override;
  void Cancel() override;

  const CallRequest& request() const { return request_; }

  // For the connection, as all that follows. Takes bytes to be sent; `last` if nothing follows.
  size_t Take(uint8_t* to, size_t most, bool& last);
  // Bytes of the answer. An error is the server's mistake.
  absl::Status Read(std::string_view bytes);
  // It has ended with this status: from here on the connection is not touched.
  void Leave(absl::Status status);
  // The same, and nobody is told.
  void Abandon();
  // These call its user.
  void TellWritten() const;
  void TellEnd();

  int32_t id = 0;  // Of HTTP/2; 0 while it waits.
  CallOutcome outcome;

 private:
  Connection* connection_;  // Null once it has ended.
  const CallRequest request_;
  CallEvents events_;
  std::string out_;
  size_t taken_ = 0;  // Of out_.
  bool writes_ended_ = false;
  MessageReader reader_;
  absl::Status status_;  // Once it has ended.
};

}  // namespace hubbub::http2
