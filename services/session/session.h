#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "services/net/connection.h"
#include "services/net/loop.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"
#include "services/session/contract.h"
#include "services/session/request_counters.h"
#include "services/session/wire_kind.h"

namespace hubbub {

class Session;

// The duty to answer one request. Move-only; made by Session, used on its loop alone, though it may travel.
// Answers exactly once: one that is dropped unanswered answers that by itself. For a notify it is silent, and
// just marks the end of the work. The session takes no further request before, unless LetNextCome says so.
class Reply {
 public:
  // What the session knows of the request.
  struct Request {
    // As the client wrote it, which its answer repeats; nothing for a notify.
    std::optional<pomelo::MessageId> id = std::nullopt;
    uint64_t number = 0;  // Of this session's: 1, 2, 3 …
    net::Clock::time_point came = {};
    std::string route = {};  // While that may be logged.
    bool blocks = true;      // The next request waits for this one.
  };

  Reply(net::Loop& loop, std::weak_ptr<Session*> session, Request request)
      : loop_(&loop), session_(std::move(session)), request_(std::move(request)) {}
  Reply(Reply&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)),
        session_(std::move(other.session_)),
        request_(std::move(other.request_)) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply();

  void Ok(const boost::json::object& body);
  // `{code, error: true, message}`; codes are those of HTTP, from 400.
  void Fail(int code, std::string_view message);
  // The session takes its next request before this one is answered. Once.
  void LetNextCome();
  // Session::request_id of this request; empty if the session has ended.
  std::string request_id() const;
  // The session, or null if it has ended.
  Session* session() const;
  net::Loop& loop() const { return *loop_; }

 private:
  friend class Session;
  void Answer(int code, const boost::json::object& body);

  net::Loop* loop_;  // Null once answered.
  std::weak_ptr<Session*> session_;
  Request request_;
};

// What a program does with the requests of one session. Owned by the session; loop-only.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // A request or notify. Nothing further comes from this session before the reply is answered, or lets it
  // come.
  virtual void OnRequest(std::string_view route, boost::json::object body, Reply reply) = 0;
  // A request or notify whose body can not be read; `why` is a sentence for the client.
  virtual void OnBadBody(std::string_view /*route*/, std::string_view why, Reply reply) {
    reply.Fail(400, why);
  }
  // The session has ended. The last call. `clean`: the client has said goodbye (a close frame of WebSocket),
  // or was thrown out; nobody expects it back. Otherwise its connection just ended, whatever the reason, and
  // it may be about to come back.
  virtual void OnClosed(bool clean) = 0;
  // True once the client has signed in; until then SessionOptions::sign_in_timeout runs.
  virtual bool SignedIn() const = 0;
};

// What all sessions of a loop share. Constant while they live, but for the counters.
struct SessionOptions {
  // The routes' codes and the protobuf schemas, with the handshake that offers them.
  const ClientContract* contract = nullptr;
  std::optional<std::chrono::seconds> heartbeat;
  // Nothing: any client type and version is welcome. Otherwise false means code 501.
  std::function<bool(std::string_view type, std::string_view version)> check_client;
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds sign_in_timeout{10'000};
  // Without heartbeats, a client that shows no life for so long is closed. What counts is said by
  // net::Connection::ShowsLife, or, if it has to speak, only what it says.
  std::chrono::milliseconds idle_timeout{90'000};
  bool has_to_speak = false;
  // The largest body of a package before the handshake is over, and after. With its head, the latter is also
  // the largest WebSocket message then. Who takes content sets it to kMaxRequestBytes (services/limits.h).
  size_t max_first_package_bytes = 16 * 1024;
  size_t max_package_bytes = 64 * 1024 - 4;
  // Requests and notifies of one session; more are answered with 429. A burst may be twice that.
  int max_requests_per_second = 2000;
  // What the ids of requests begin with, so that they differ between servers and runs.
  std::string request_prefix = {};
  // Counts the answers; outlives the sessions. Null: nobody does.
  RequestCounters* counters = nullptr;
};

// One client connection that speaks the Pomelo protocol: the state machine of Pomelo's hybridsocket.js, with
// deadlines added. Free of Asio and gRPC: bytes come in through OnBytes, and go out through a
// net::Connection. Loop-only.
class Session final : public net::Protocol {
 public:
  using HandlerFactory = std::function<std::unique_ptr<SessionHandler>(Session&)>;

  // `id` is unique in the process. `options` outlives the session.
  Session(uint64_t id, net::Loop& loop, net::Connection& connection, const SessionOptions& options,
          const HandlerFactory& make_handler);

  uint64_t id() const { return id_; }
  net::Loop& loop() const { return loop_; }
  WireFormat format() const { return format_; }
  WireKind wire() const { return {format_, framed_}; }
  std::string_view peer() const { return connection_.peer(); }
  // This project's own client, by its handshake: it shows resume tokens when it comes back.
  bool own_client() const { return own_client_; }
  // Names a request in logs here and in the servers that it goes through: the prefix, the session and the
  // request's number in it, such as "9f3ac1-4c2be0a00002f-7". Without a number: the newest one.
  std::string request_id(uint64_t number) const;
  std::string request_id() const { return request_id(requests_); }

  // Queues whole packages that were made for this session's wire(). Ignored before the handshake is over
  // (S4).
  void Write(net::Payload packages);
  // Pushes a JSON body.
  void Push(std::string_view route, const boost::json::object& body);
  // Tells the client why, then closes. `why`: kShutdown if it is to come back.
  void Kick(std::string_view reason, net::CloseReason why = net::CloseReason::kKicked);

  size_t OnBytes(std::string_view bytes, bool frame_end) override;
  // After the answers of the requests that are under way, closes.
  void OnLastByte(std::string_view detail) override;
  void OnTick(net::Clock::time_point now) override;
  // After the answers of the requests that are under way.
  void OnShutdown(std::string_view detail) override;
  void OnClosed(net::CloseReason reason, std::string_view detail) override;

 private:
  friend class Reply;
  enum class State { kInited, kWaitAck, kWorking, kClosed };

  void OnPackage(const pomelo::Package& package);
  void OnHandshake(std::string_view body);
  void OnAck();
  void OnData(std::string_view bytes);
  void Dispatch(const pomelo::Message& message);
  bool TakeToken();
  void LogAnswer(const Reply::Request& request, int code) const;
  void OnAnswer(const Reply::Request& request, int code, std::string_view body);
  void Unblock();
  void Break(std::string message);
  void CloseIfNothingIsOwed();
  // Tells the client why, as a kick, then closes.
  void KickAndClose(net::CloseReason reason, std::string message);
  void SendPackage(pomelo::PackageType type, std::string_view body);
  // Sends the package that `append` appends, in a frame if the connection has them.
  template <typename Append>
  void SendAppended(Append append);

  const uint64_t id_;
  net::Loop& loop_;
  net::Connection& connection_;
  const bool framed_;
  const SessionOptions& options_;
  std::unique_ptr<SessionHandler> handler_;
  // What replies hold weakly: it goes when the session ends. Behind the handler, which may own replies: they
  // must not find a session that is being destroyed.
  std::shared_ptr<Session*> self_ = std::make_shared<Session*>(this);

  State state_ = State::kInited;
  WireFormat format_ = WireFormat::kJson;
  bool own_client_ = false;
  std::string shutdown_;   // What to tell the client once nothing is under way; empty: this server goes on.
  std::string last_byte_;  // Why the client will say no more; empty: it may.
  int owed_ = 0;           // Requests that are under way.
  bool busy_ = false;      // The next request waits for one of them.
  // By net::Connection::Now:
  net::Clock::time_point since_;      // When state_ began.
  net::Clock::time_point last_seen_;  // When the client last sent something, or showed life otherwise.
  uint64_t requests_ = 0;
  double tokens_;
  net::Clock::time_point tokens_at_;
};

}  // namespace hubbub
