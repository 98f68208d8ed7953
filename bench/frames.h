#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "services/pomelo/package.h"

namespace hubbub::bench {

// The client's side of WebSocket, as much of it as carries Pomelo packages, made to be cheap: packages are
// views into the bytes that were read, whatever frames they came in.

// The request that asks for a WebSocket. Its key, and therefore the answer's, is always the same.
std::string UpgradeRequest(std::string_view host);

// The length of the answer's head at the start of `bytes`; 0 if it is not whole yet; -1 if it is a refusal.
int64_t UpgradeAnswer(std::string_view bytes);

// Appends a whole binary frame. Masked, as a client must, with a key of zeros, which changes nothing.
void AppendFrame(std::string_view payload, std::string& out);
void AppendPong(std::string_view payload, std::string& out);

// Cuts a server's bytes into packages. A package that is spread over frames is an error, because stock
// clients cannot read one. Thread-compatible.
class FrameReader {
 public:
  enum class Item { kNeedMore, kPackage, kPing, kClose, kError };

  // Takes one item off the front of `bytes`. kPackage: `package` is it. kPing: package.body is what to send
  // back. kNeedMore: call it again with these bytes and more behind them. kError: error() says why; no
  // further call.
  Item Next(std::string_view& bytes, pomelo::Package& package);
  const std::string& error() const { return error_; }

 private:
  Item NextFrame(std::string_view& bytes, pomelo::Package& package);
  Item Fail(std::string error);

  uint64_t frame_left_ = 0;  // What has not been taken of the payload of a data frame.
  std::string error_;
};

}  // namespace hubbub::bench
