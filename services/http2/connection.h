#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "services/http2/call.h"
#include "services/http2/stream.h"

struct nghttp2_session;

namespace hubbub::http2 {

// The client's end of an HTTP/2 connection to a gRPC server, as bytes that come and go: nghttp2 without a
// socket. Calls that are opened before the server has said its first word wait for it. Not thread-safe. A
// call that is left when it goes ends without an event.
class Connection {
 public:
  // `authority`: the server's name in requests. `on_output`: there is something to be sent, or may be. It is
  // called from within the functions here and must not call them.
  Connection(std::string authority, std::function<void()> on_output);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::shared_ptr<Call> Open(CallRequest request, CallEvents events);

  // Bytes that have come from the server. An error ends the connection: Fail is to be called.
  absl::Status Receive(std::string_view bytes);
  // Appends what is to be sent to `output`, until that has about `most` bytes. An error says that the
  // connection is over, once what is in `output` is sent.
  absl::Status TakeOutput(std::string& output, size_t most);
  // Asks the server for a sign of life: something will come.
  void Ping();
  // Ends all calls with this status; nothing can be called after it.
  void Fail(const absl::Status& status);

  // The server has said its first word.
  bool ready() const { return ready_; }
  // The server takes no more calls on this connection; those that it has go on.
  bool going_away() const { return going_away_; }
  // That have not ended.
  size_t calls() const { return streams_.size() + waiting_.size(); }

 private:
  friend class Stream;
  class Nghttp2;  // What nghttp2 calls.

  void Submit(const std::shared_ptr<Stream>& stream);
  // From streams: there is something to be sent; all of it has left; it is to be cancelled.
  void Resume(const Stream& stream);
  void OnDrained(const std::shared_ptr<Stream>& stream);
  void Cancel(Stream& stream);
  // It ends; its user is told after nghttp2 has returned.
  void End(int32_t id, uint32_t error);
  void TellUsers();
  std::shared_ptr<Stream> Find(int32_t id) const;

  const std::string authority_;
  const std::function<void()> on_output_;
  const std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> session_;
  std::string mistake_;  // The last one of the server's, in nghttp2's words.
  bool ready_ = false;
  bool going_away_ = false;
  absl::flat_hash_map<int32_t, std::shared_ptr<Stream>> streams_;
  std::vector<std::shared_ptr<Stream>> waiting_;  // For the server's first word.
  std::vector<std::shared_ptr<Stream>> written_;  // Of which all has left,
  std::vector<std::shared_ptr<Stream>> ended_;    // and that have ended: their users are to be told.
};

}  // namespace hubbub::http2
