#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "services/net/arrival.h"
#include "services/net/http_body.h"
#include "services/net/http_head.h"
#include "services/net/http_response.h"
#include "services/net/http_verdict.h"

namespace hubbub::net {

// Reads a client's HTTP requests and answers them by the listener's routes, one after the other in the order
// in which they came (RFC 9112, 9.3), as long as the client wants to stay and ListenerOptions::http allows
// it; then waits for the client to close. Or passes the client on as a WebSocket. Loop-only. Owned by what is
// under way for it: a read, a write, or the wait for a client that goes while a handler works.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // Bytes that are read at a time: little enough that what has come behind a request to upgrade fits into
  // Beast's own buffer with it.
  static constexpr size_t kReadBytes = 1024;

  // `received`: what was read from the stream already.
  HttpSession(std::shared_ptr<Arrival> arrival, std::string received);

  void Start();

 private:
  enum class Stage {
    kHead,     // Reads a head; the time since accept, or since its first byte, is bounded.
    kIdle,     // Waits for the first byte of another request.
    kBody,     // Reads a body.
    kHandler,  // An asynchronous handler works. Nothing is read.
    kAnswer,   // Writes an answer.
    kEnd,      // The last answer is out: waits for the client to close.
  };

  // What a client may go on sending after its last answer.
  static constexpr size_t kMaxUnread = size_t{1} * 1024 * 1024;

  void OnLate();
  void Read();
  void ReadHead();
  // Why a client without TLS is not served, if it is not.
  std::optional<HttpResponse> RefusalOfPlain(const HttpVerdict& verdict) const;
  void OnRequest(PlainRequest plain);
  void SayContinue();
  void ReadBody();
  void Handle();
  HttpReply MakeReply();
  void OnReply(int request_number, const HttpResponse& response);
  void WatchForError();
  void Refuse(const HttpResponse& response);
  void Answer(const HttpResponse& response);
  bool MayStay();
  // The connection has to make room: at once, or behind the answer to the request that is under way.
  void MakeRoom();
  void NextRequest();
  void WaitForEnd(size_t unread);
  bool draining() const { return arrival_->setup().seats->draining(); }
  const ListenerOptions& options() const { return arrival_->setup().options; }

  const std::shared_ptr<Arrival> arrival_;
  const std::string connected_peer_;  // Whose requests those are for which no proxy names a client.
  const Clock::time_point began_at_;
  Stage stage_ = Stage::kHead;
  std::string received_;  // What was read and does not belong to a request yet.
  std::array<char, kReadBytes> chunk_;
  bool late_ = false;  // The time for the head or the body is over.

  // The present request, and its number from 1.
  int request_number_ = 1;
  HeadScanner scanner_;
  bool is_head_request_ = false;
  bool wants_to_stay_ = false;
  PlainRequest plain_;
  std::optional<HttpBody> body_;
  std::string answer_;
};

}  // namespace hubbub::net
