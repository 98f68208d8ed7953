#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/client/client_session.h"
#include "services/client/pomelo_protocol.h"
#include "services/net/connection.h"
#include "services/net/loop.h"
#include "services/net/testing/on_loop.h"
#include "services/pomelo/body.h"
#include "services/pomelo/deflate.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"
#include "services/pomelo/testing/vectors.h"

namespace hubbub::client {

// What tests of sessions share: a connection without a socket, and the words of a client. Loop-only, like the
// session itself; OnLoop is the way there.

using net::OnLoop;

// Keeps what a session writes and does, one line for each package, request and call, in the order of time.
// Bytes reach the session as from a socket: what it leaves is offered again, with the next ones or by Offer.
class FakeConnection final : public net::Connection {
 public:
  // `framed`: as a WebSocket. Then each payload has to be frames with one package each, or the log says so.
  explicit FakeConnection(bool framed = false) : framed_(framed) {}

  // The session. Set before the first byte.
  net::Protocol* protocol = nullptr;
  std::vector<std::string> log;
  std::vector<net::Payload> payloads;
  std::string close_detail;
  bool paused = false;
  bool stalled = false;
  bool behind = false;
  bool closed = false;
  size_t allowed = 0;  // By AllowMessages.
  bool unread = false;
  bool shows_life = false;  // Once.
  bool said_goodbye = false;
  std::string bearer;

  void Feed(std::string_view bytes, bool frame_end = false) {
    if (closed) return;
    buffer_ += bytes;
    frame_end_ = frame_end;
    Offer();
  }
  // What the loop does after a Resume.
  void Offer() {
    do {
      if (closed || paused) return;
      resumed_ = false;
      // On the heap without a byte to spare, so that ASan sees any reading past the end.
      const pomelo::Tight bytes(buffer_);
      buffer_.erase(0, protocol->OnBytes(bytes.view(), frame_end_));
    } while (resumed_ && !buffer_.empty());
  }
  size_t left() const { return buffer_.size(); }

  void Send(net::Payload payload) override {
    if (closed) return;
    std::string_view rest = *payload;
    if (rest.empty()) log.emplace_back("an empty payload");
    while (!rest.empty()) {
      const size_t frame = framed_ ? TakeFrameHeader(rest) : 0;
      const auto decoded = pomelo::DecodePackage(rest, pomelo::kMaxPackageBody);
      if (!decoded.ok() || !decoded->has_value()) {
        log.emplace_back("no package");
        break;
      }
      log.push_back(Describe((*decoded)->package));
      if (framed_ && frame != (*decoded)->size) log.emplace_back("a frame that is not one package");
      rest.remove_prefix((*decoded)->size);
    }
    payloads.push_back(std::move(payload));
  }
  bool framed() const override { return framed_; }
  void Pause() override { paused = true; }
  void Resume() override {
    paused = false;
    resumed_ = true;
  }
  void AllowMessages(size_t bytes) override { allowed = bytes; }
  void Close(net::CloseReason reason, std::string detail) override {
    if (std::exchange(closed, true)) return;
    log.push_back("close " + std::string(net::ToString(reason)));
    close_detail = std::move(detail);
  }
  bool Stalled() const override { return stalled; }
  bool Behind() const override { return behind; }
  net::Clock::time_point Now() const override { return net::Clock::now(); }
  bool HasUnread() override { return unread; }
  bool ShowsLife() override { return std::exchange(shows_life, false); }
  bool SaidGoodbye() const override { return said_goodbye; }
  std::string_view peer() const override { return "a test"; }
  std::string TakeBearer() override { return std::exchange(bearer, {}); }

 private:
  static constexpr size_t kMostInflated = size_t{1} << 20;

  // Takes a header from the front of `rest`; answers how many bytes its frame holds, or 0 if it is none of a
  // binary message (RFC 6455, 5.2).
  static size_t TakeFrameHeader(std::string_view& rest) {
    const auto byte = [&rest](size_t i) { return static_cast<unsigned char>(rest[i]); };
    if (rest.size() < 2 || byte(0) != 0x82 || byte(1) > 127) return 0;
    const size_t wide = byte(1) < 126 ? 0 : byte(1) == 126 ? 2 : 8;
    if (rest.size() < 2 + wide) return 0;
    size_t size = wide == 0 ? byte(1) : 0;
    for (size_t i = 0; i < wide; ++i) size = size << 8 | byte(2 + i);
    rest.remove_prefix(2 + wide);
    return size;
  }

  static std::string Describe(const pomelo::Package& package) {
    switch (package.type) {
      case pomelo::PackageType::kHandshake:
        return "handshake " + std::string(package.body);
      case pomelo::PackageType::kHandshakeAck:
        return "ack";
      case pomelo::PackageType::kHeartbeat:
        return "heartbeat";
      case pomelo::PackageType::kKick:
        return "kick " + std::string(package.body);
      case pomelo::PackageType::kData:
        break;
    }
    // A flag of Pitaya's servers, which DecodeMessage refuses, because it reads what clients send.
    constexpr char kError = 0x20;
    std::string bytes(package.body);
    const bool error = !bytes.empty() && (bytes[0] & kError) != 0;
    if (error) bytes[0] &= ~kError;
    const auto message = pomelo::DecodeMessage(bytes);
    if (!message.ok()) return "no message";
    const std::string body = message->compressed
                                 ? "deflated " + pomelo::Inflate(message->body, kMostInflated).value_or("")
                                 : std::string(message->body);
    if (message->type == pomelo::MessageType::kResponse)
      return (error ? "error " : "response ") + std::to_string(message->id.number()) + " " + body;
    const auto* route = std::get_if<std::string_view>(&message->route);
    return "push " + std::string(route == nullptr ? "by code" : *route) + " " + body;
  }

  const bool framed_;
  std::string buffer_;
  bool frame_end_ = false;
  bool resumed_ = false;
};

// A session's handler that writes requests into the connection's log, and answers as it is told.
class FakeHandler final : public SessionHandler {
 public:
  enum class Answer { kNow, kLater, kLaterAndLetNextCome, kNever };
  // What a test holds of the handler: it may outlive the session.
  struct Script {
    Answer answer = Answer::kNow;
    bool signed_in = true;
    std::vector<Reply> replies;  // To be answered later.
    int closed = 0;
    bool clean = false;  // As the last of them said.
  };

  FakeHandler(Script& script, FakeConnection& connection) : script_(script), connection_(connection) {}

  void OnRequest(std::string_view route, boost::json::object body, Reply reply) override {
    connection_.log.push_back("request " + std::string(route) + " " + pomelo::JsonBody(body));
    if (script_.answer == Answer::kNow) return reply.Ok({{"done", true}});
    if (script_.answer == Answer::kLaterAndLetNextCome) reply.LetNextCome();
    if (script_.answer != Answer::kNever) script_.replies.push_back(std::move(reply));
  }
  void OnClosed(bool clean) override {
    ++script_.closed;
    script_.clean = clean;
  }
  bool SignedIn() const override { return script_.signed_in; }

 private:
  Script& script_;
  FakeConnection& connection_;
};

// A session on a FakeConnection, whose client speaks Pomelo. Made, used and destroyed on its loop.
class FakeSession {
 public:
  FakeSession(net::Loop& loop, const PomeloOptions& pomelo, const SessionOptions& options, uint64_t id = 1,
              bool framed = false)
      : connection(framed),
        session_(std::make_unique<ClientSession>(
            id, loop, connection, std::make_unique<PomeloProtocol>(pomelo, framed), options,
            [this](ClientSession&) { return std::make_unique<FakeHandler>(script, connection); })) {
    connection.protocol = session_.get();
  }
  // With the options that a session has by default.
  FakeSession(net::Loop& loop, const PomeloOptions& pomelo, uint64_t id = 1, bool framed = false)
      : FakeSession(loop, pomelo, kDefault, id, framed) {}
  FakeSession(const FakeSession&) = delete;
  FakeSession& operator=(const FakeSession&) = delete;

  ClientSession& operator*() { return *session_; }
  ClientSession* operator->() { return session_.get(); }
  void Destroy() { session_.reset(); }

  FakeConnection connection;
  FakeHandler::Script script;

 private:
  static inline const SessionOptions kDefault;

  std::unique_ptr<ClientSession> session_;
};

// A client's packages.
namespace from_client {

inline std::string Package(pomelo::PackageType type, std::string_view body = "") {
  std::string out;
  pomelo::AppendPackage(type, body, out);
  return out;
}
// `type` decides about the bodies: "" wants JSON, "js-websocket" protobuf with CESU-8, others with UTF-8.
inline std::string Handshake(std::string_view type = "") {
  return Package(pomelo::PackageType::kHandshake,
                 pomelo::JsonBody({{"sys", {{"type", std::string(type)}, {"version", "1.0"}}}}));
}
// Of a client that shows a sign-in token.
inline std::string HandshakeWithToken(std::string_view token) {
  return Package(pomelo::PackageType::kHandshake,
                 pomelo::JsonBody({{"sys", {{"type", ""}, {"version", "1.0"}}},
                                   {"user", {{"token", std::string(token)}}}}));
}
// Of a client that speaks Pitaya's dialect.
inline std::string PitayaHandshake() {
  return Package(pomelo::PackageType::kHandshake,
                 pomelo::JsonBody({{"sys", {{"platform", "linux"}, {"libVersion", "0.3.5-release"}}}}));
}
inline std::string Ack() {
  return Package(pomelo::PackageType::kHandshakeAck);
}
inline std::string Heartbeat() {
  return Package(pomelo::PackageType::kHeartbeat);
}
inline std::string Request(const pomelo::MessageId& id, const pomelo::Route& route,
                           std::string_view body = "{}") {
  std::string message;
  pomelo::AppendRequest(id, route, body, message);
  return Package(pomelo::PackageType::kData, message);
}
inline std::string Notify(const pomelo::Route& route, std::string_view body = "{}") {
  std::string message;
  pomelo::AppendNotify(route, body, message);
  return Package(pomelo::PackageType::kData, message);
}

}  // namespace from_client
}  // namespace hubbub::client
