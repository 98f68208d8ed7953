#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "boost/json.hpp"
#include "services/net/connection.h"
#include "services/net/loop.h"

namespace hubbub::client {

class ClientSession;

// The duty to answer one request. Move-only; made by ClientSession, used on its loop alone, though it may be
// carried by other threads. Answers exactly once: a reply that is dropped unanswered answers with code 500.
// For a request that wants no answer it is silent, and only marks the end of the work. The session takes its
// next request after the answer, unless LetNextCome is called.
class Reply {
 public:
  // What the session keeps of the request.
  struct Details {
    std::optional<std::string> id = std::nullopt;  // client::Request::id.
    uint64_t number = 0;                           // The session's first request is 1.
    net::Clock::time_point came = {};
    std::string route = {};  // For the log; empty unless that is at level debug.
    bool blocks = true;      // The next request waits for this one.
  };

  Reply(net::Loop& loop, std::weak_ptr<ClientSession*> session, Details details)
      : loop_(&loop), session_(std::move(session)), details_(std::move(details)) {}
  Reply(Reply&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)),
        session_(std::move(other.session_)),
        details_(std::move(other.details_)) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply();

  void Ok(const boost::json::object& body);
  // `code` is one of HTTP, from 400; `message` is a sentence for the client.
  void Fail(int code, std::string_view message);
  // Has the session take its next request before this one is answered. Only the first call counts.
  void LetNextCome();
  // ClientSession::request_id of this request; empty if the session has ended.
  std::string request_id() const;
  // The session, or null if it has ended.
  ClientSession* session() const;
  net::Loop& loop() const { return *loop_; }

 private:
  friend class ClientSession;

  net::Loop* loop_;  // Null once answered.
  std::weak_ptr<ClientSession*> session_;
  Details details_;
};

}  // namespace hubbub::client
