#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "boost/json.hpp"
#include "services/client/client_counters.h"
#include "services/client/client_protocol.h"
#include "services/client/reply.h"
#include "services/client/session_budget.h"
#include "services/client/session_pass.h"
#include "services/net/connection.h"
#include "services/net/loop.h"

namespace hubbub::client {

// What a program does with the requests of one session. Loop-only. Owned by the session.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // A request. The session takes the next one when `reply` is answered, or says LetNextCome.
  virtual void OnRequest(std::string_view route, boost::json::object body, Reply reply) = 0;
  // A request whose body cannot be read; `why` is a sentence for the client.
  virtual void OnBadBody(std::string_view /*route*/, std::string_view why, Reply reply) {
    reply.Fail(400, why);
  }
  // About once a second, while the client is at work.
  virtual void OnTick() {}
  // The session has ended. The last call. `clean`: the client has said goodbye (a close frame of WebSocket)
  // or was kicked, and will not come back. Otherwise its connection was lost, and it may reconnect.
  virtual void OnClosed(bool clean) = 0;
  // True once the client has signed in; until then SessionOptions::sign_in_timeout runs, from the last answer
  // on.
  virtual bool SignedIn() const = 0;
};

// What the sessions of one loop share. Constant while they live, except for the counters.
struct SessionOptions {
  // False: the client is told that its type and version are not served. Null: all are.
  std::function<bool(std::string_view type, std::string_view version)> check_client;
  // From the connection's start until the client is ready.
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds sign_in_timeout{10'000};
  // Without heartbeats, a client that shows no life for this time is closed. Life is what
  // net::Connection::ShowsLife says, or with `has_to_speak` only what the client sends.
  std::chrono::milliseconds idle_timeout{90'000};
  bool has_to_speak = false;
  // Of one session, heartbeats and the like among them; more are answered with 429, or with nothing. A burst
  // may be twice that (SessionBudget). A client that is refused far more is closed.
  int max_requests_per_second = 2000;
  int max_bytes_per_second = 1 << 20;
  // What the ids of requests begin with, so that they differ between servers and runs.
  std::string request_prefix = {};
  // Counts the answers; outlives the sessions. Null: they are not counted.
  ClientCounters* counters = nullptr;
  // Checks sign-in tokens; outlives the sessions. Null: this server is open to everybody.
  const signin::TokenChecker* sign_in = nullptr;
};

// One client: what is the same for every protocol. Answers each request once, one request at a time; bounds
// their rate; closes clients that are late, silent or not signed in; at the end of the server answers what is
// under way first. The client's language is its ClientProtocol's. Loop-only. Owned by its connection.
class ClientSession final : public net::Protocol {
 public:
  using HandlerFactory = std::function<std::unique_ptr<SessionHandler>(ClientSession&)>;

  // `id` is unique in the process. `connection` and `options` outlive the session.
  ClientSession(uint64_t id, net::Loop& loop, net::Connection& connection,
                std::unique_ptr<ClientProtocol> protocol, const SessionOptions& options,
                const HandlerFactory& make_handler);

  uint64_t id() const { return id_; }
  net::Loop& loop() const { return loop_; }
  std::string_view peer() const { return connection_.peer(); }
  // How its pushes look. Constant once the client is ready.
  const PushEncoding& push_encoding() const {
    loop_.AssertHere();
    return *push_encoding_;
  }
  // This project's own client, by its hello: it shows resume tokens when it comes back.
  bool own_client() const {
    loop_.AssertHere();
    return own_client_;
  }
  // What the client may do. Its handler asks it, and shows it the tokens that come in requests.
  SessionPass& pass() {
    loop_.AssertHere();
    return pass_;
  }
  // The client cannot read an answer of about 124 KB.
  bool small_answers() const {
    loop_.AssertHere();
    return small_answers_;
  }
  // See net::Connection.
  bool Stalled() const { return connection_.Stalled(); }
  bool Behind() const { return connection_.Behind(); }
  // Names a request in logs here and in the servers that it goes through: the prefix, the session and the
  // request's number in it, such as "9f3ac1-4c2be0a00002f-7". Without a number: the newest one.
  std::string request_id(uint64_t number) const;
  std::string request_id() const;

  // The client is to be told, by ShowRooms, in which rooms it is, each time that they change.
  bool wants_rooms() const {
    loop_.AssertHere();
    return protocol_->WantsRooms();
  }
  void ShowRooms(const std::vector<RoomOfClient>& rooms) {
    loop_.AssertHere();
    std::string out;
    if (state_ == State::kWorking) protocol_->AppendRooms(rooms, out);
    rooms_hidden_ = false;
    Send(std::move(out));
  }
  // The client is not shown all of a room: until the next ShowRooms it does not know where it is.
  void HideRooms() {
    loop_.AssertHere();
    if (!protocol_->WantsRooms()) return;
    rooms_hidden_ = true;
    protocol_->HideRooms();
  }
  bool rooms_hidden() const {
    loop_.AssertHere();
    return rooms_hidden_;
  }

  // Queues pushes in this session's push_encoding(). Ignored until the client is ready.
  void Write(net::Payload pushes);
  // Pushes a JSON body. Ignored until the client is ready.
  void Push(std::string_view route, const boost::json::object& body);
  // Tells the client why, then closes. `why`: kShutdown if the client is to come back.
  void Kick(std::string_view reason, net::CloseReason why = net::CloseReason::kKicked);

  size_t OnBytes(std::string_view bytes, bool frame_end) override;
  // Closes after the answers of the requests that are under way.
  void OnLastByte(std::string_view detail) override;
  void OnTick(net::Clock::time_point now) override;
  // Kicks after the answers of the requests that are under way.
  void OnShutdown(std::string_view detail) override;
  void OnClosed(net::CloseReason reason, std::string_view detail) override;

 private:
  friend class Reply;
  enum class State { kNew, kGreeted, kWorking, kClosed };  // In this order.

  // `bytes`: of the package.
  void OnValue(Incomplete&, const std::string&, size_t) {}
  void OnValue(Alive&, std::string out, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void OnValue(TokenShown& shown, const std::string& out, size_t) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void OnValue(Hello& hello, std::string out, size_t) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void OnValue(Ready&, std::string out, size_t) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void OnValue(Request& request, std::string out, size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void OnValue(Left&, std::string out, size_t) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void OnValue(Fault& fault, std::string out, size_t) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);

  // By Reply: the answer to a request.
  void Answer(const Reply::Details& request, const boost::json::object& body);
  void AnswerError(const Reply::Details& request, int code, std::string_view message);
  // By Reply: the next request need not wait.
  void Unblock();
  void OnAnswered(const Reply::Details& request, int code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void LogAnswer(const Reply::Details& request, int code) const;

  // Closes a client that sends more than twice as much as it may.
  void CloseIfItFloods() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void CloseIfNothingIsOwed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  // Sends the heartbeat that is due.
  void Beat(const Heartbeat& heartbeat, net::Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  // Closes a client that has not done something in time.
  void Judge(net::Clock::duration passed, net::Clock::duration allowed, std::string_view why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  // Tells the client why, then closes.
  void KickAndClose(net::CloseReason reason, std::string message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Send(std::string bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);
  void Close(net::CloseReason reason, std::string detail) ABSL_EXCLUSIVE_LOCKS_REQUIRED(loop_);

  const uint64_t id_;
  net::Loop& loop_;
  net::Connection& connection_;
  std::unique_ptr<ClientProtocol> protocol_ ABSL_GUARDED_BY(loop_) ABSL_PT_GUARDED_BY(loop_);
  const SessionOptions& options_;
  const std::unique_ptr<SessionHandler> handler_ ABSL_PT_GUARDED_BY(loop_);
  // What replies hold weakly; null once the session has ended. Behind the handler, which may own replies, so
  // that it is destroyed before the handler: they must not find a session that is being destroyed.
  std::shared_ptr<ClientSession*> self_ ABSL_GUARDED_BY(loop_) = std::make_shared<ClientSession*>(this);

  State state_ ABSL_GUARDED_BY(loop_) = State::kNew;
  const PushEncoding* push_encoding_ ABSL_GUARDED_BY(loop_);
  bool own_client_ ABSL_GUARDED_BY(loop_) = false;
  bool small_answers_ ABSL_GUARDED_BY(loop_) = false;
  bool rooms_hidden_ ABSL_GUARDED_BY(loop_) = false;
  SessionPass pass_ ABSL_GUARDED_BY(loop_);
  // What to tell the client once nothing is under way; empty: this server goes on.
  std::string shutdown_ ABSL_GUARDED_BY(loop_);
  // Why the client will say no more; empty: it may.
  std::string last_byte_ ABSL_GUARDED_BY(loop_);
  bool said_goodbye_ ABSL_GUARDED_BY(loop_) = false;  // By Left.
  int owed_ ABSL_GUARDED_BY(loop_) = 0;               // Requests that are under way.
  bool busy_ ABSL_GUARDED_BY(loop_) = false;          // The next request waits for one of them.
  uint64_t requests_ ABSL_GUARDED_BY(loop_) = 0;
  SessionBudget budget_ ABSL_GUARDED_BY(loop_);
  // By net::Connection::Now:
  net::Clock::time_point since_
      ABSL_GUARDED_BY(loop_);  // When it was made, got ready, or was answered before anybody had signed in.
  net::Clock::time_point last_seen_ ABSL_GUARDED_BY(loop_);  // When the client last showed life.
  net::Clock::time_point next_beat_ ABSL_GUARDED_BY(loop_);  // When the next unasked heartbeat is due.
};

}  // namespace hubbub::client
