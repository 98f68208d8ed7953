#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/pomelo/package.h"

namespace hubbub::bench {

// The client's side of WebSocket, as much of it as carries Pomelo packages or text, made to be cheap: what is
// read is views into the bytes that were read, whatever frames they came in.

// What data frames hold.
enum class Payload {
  kPackages,  // Pomelo's, in binary frames.
  kText,      // One text a frame.
};

// The request that asks for a WebSocket. Its key, and therefore the answer's, is always the same.
std::string UpgradeRequest(std::string_view host, std::string_view target);

// The length of the answer's head at the start of `bytes`; 0 if it is not whole yet; -1 if it is a refusal.
int64_t UpgradeAnswer(std::string_view bytes);

// Appends a whole frame of that kind. Masked, as a client must, with a key of zeros, which changes nothing.
void AppendFrame(Payload kind, std::string_view payload, std::string& out);
void AppendPong(std::string_view payload, std::string& out);

// Cuts a server's bytes into packages. A package that is spread over frames is an error, because stock
// clients cannot read one; so is a text in several frames. Thread-compatible.
class FrameReader {
 public:
  explicit FrameReader(Payload payload) : payload_(payload) {}

  enum class Item { kNeedMore, kPackage, kPing, kClose, kError };

  // Takes one item off the front of `bytes`. kPackage: `package` is it, or its body is the text. kPing:
  // package.body is what to send back. kNeedMore: call it again with these bytes and more behind them.
  // kError: error() says why; no further call.
  Item Next(std::string_view& bytes, pomelo::Package& package);
  const std::string& error() const { return error_; }

 private:
  Item NextText(std::string_view& bytes, pomelo::Package& package);
  Item NextFrame(std::string_view& bytes, pomelo::Package& package);
  Item Fail(std::string error);

  Payload payload_;
  uint64_t frame_left_ = 0;  // What has not been taken of the payload of a data frame.
  std::string error_;
};

}  // namespace hubbub::bench
