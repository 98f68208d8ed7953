#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "services/client/push_encoding.h"
#include "services/net/connection.h"

namespace hubbub::client {

class ClientProtocol;

// What a client says, the same for every protocol. Views point into the bytes that were read, or into what
// outlives the session.

// The bytes do not hold a whole package yet.
struct Incomplete {};

// A package that the protocol has dealt with itself, such as a heartbeat.
struct Alive {};

// The client shows a sign-in token ahead of its hello, and is to be told at once whether it is taken. The
// session answers by OnToken.
struct TokenShown {
  std::string token;
};

// The client introduces itself. The session answers by AppendAccept or AppendRefusal.
struct Hello {
  std::string type = {};     // The kind of client, such as "js-websocket"; empty if it does not say.
  std::string version = {};  // The client's own version; empty if it does not say.
  // The client cannot read an answer of about 124 KB (services/pomelo/README.md, trap 2).
  bool small_answers = false;
  // The sign-in token that the client shows; empty: none.
  std::string token = {};
  // Speaks with the client from here on, its answer to the hello included; null: the protocol that took it.
  std::unique_ptr<ClientProtocol> successor = nullptr;
};

// The client has read the answer to its hello: requests and pushes may follow.
struct Ready {};

struct Request {
  // In the protocol's own form, which its answer repeats; nothing if the client wants no answer.
  std::optional<std::string> id = std::nullopt;
  // NOT_FOUND or INVALID_ARGUMENT says what is wrong with the route that the client named.
  absl::StatusOr<std::string_view> route;
  std::string_view body;    // As it came, or inflated; ClientProtocol::ReadBody reads it.
  bool compressed = false;  // The client says that the body is compressed.
};

// A room that a session's client is in.
struct RoomOfClient {
  std::string name;
  std::string token;  // By which the client's place there is its own.
  // How far it has seen the room.
  uint64_t epoch = 0;
  uint64_t offset = 0;
};

// What a compressed body holds.
struct Inflated {
  // RESOURCE_EXHAUSTED: more than the caller takes now. INVALID_ARGUMENT: a sentence for the client.
  absl::StatusOr<std::string> body;
  size_t made = 0;  // The bytes that were inflated, also for nothing.
};

// The client has said goodbye and will not come back.
struct Left {};

// The client broke the protocol, and the connection must close. The protocol has appended what the client is
// told.
struct Fault {
  std::string why;  // A sentence, for the log and the WebSocket close frame.
};

// What stood at the front of the bytes, and how many of them it took.
struct Taken {
  size_t bytes = 0;
  std::variant<Incomplete, Alive, TokenShown, Hello, Ready, Request, Left, Fault> value;
};

// How both sides show that they live. A client that is silent for two intervals is closed.
struct Heartbeat {
  std::chrono::seconds interval;
  // The server sends one each interval, from the hello on. False: the protocol does all in Take.
  bool unasked = false;
};

// What clients speak, for metrics.
enum class ProtocolKind { kPomelo, kPitaya, kSocketIo };
inline constexpr std::array kProtocols = {ProtocolKind::kPomelo, ProtocolKind::kPitaya,
                                          ProtocolKind::kSocketIo};
constexpr std::string_view ToString(ProtocolKind kind) {
  switch (kind) {
    case ProtocolKind::kPomelo:
      return "pomelo";
    case ProtocolKind::kPitaya:
      return "pitaya";
    case ProtocolKind::kSocketIo:
      return "socketio";
  }
  return {};
}

// A client protocol as one session speaks it: turns the client's bytes into the values above, and the
// session's words into bytes as they go on the wire, with a frame where the connection has frames. Knows no
// clock, no socket and no loop: ClientSession has the policy. Not thread-safe. Owned by its session.
class ClientProtocol {
 public:
  virtual ~ClientProtocol() = default;

  virtual ProtocolKind kind() const = 0;

  // Takes one package from the front of `bytes`. `frame_end`: the bytes end where a frame does. Appends to
  // `out` what the client is to be sent at once.
  virtual Taken Take(std::string_view bytes, bool frame_end, std::string& out) = 0;

  // The answer to TokenShown: an error is a sentence for the client. Take gets the same bytes again then.
  virtual void OnToken(const absl::Status& /*status*/) {}

  // The body of a request that Take has returned, before the next call of Take. Inflates nothing: the caller
  // does so before, and pays for it. REQUIRES: request.route.ok() && !request.compressed. INVALID_ARGUMENT: a
  // sentence for the client that says what is wrong with the body.
  virtual absl::StatusOr<boost::json::object> ReadBody(const Request& request) const = 0;

  // Inflates the body of such a request, `most` bytes at most. REQUIRES: request.compressed.
  virtual Inflated Inflate(const Request& /*request*/, size_t /*most*/) const {
    return {absl::InvalidArgumentError("compressed bodies are not supported: send the body as it is")};
  }

  // The two answers to a Hello. After a refusal the session closes.
  virtual void AppendAccept(std::string& out) = 0;
  virtual void AppendRefusal(std::string& out) const = 0;

  // The two answers to a request with this id. `code` is one of HTTP, from 400.
  virtual void AppendAnswer(std::string_view id, const boost::json::object& body, std::string& out) = 0;
  virtual void AppendError(std::string_view id, int code, std::string_view message, std::string& out) = 0;

  // Tells the client why its connection closes. `why`: see net::MayComeBack.
  virtual void AppendKick(std::string_view reason, net::CloseReason why, std::string& out) const = 0;

  // How pushes to this client look. Constant once Take has returned Hello.
  virtual const PushEncoding& push_encoding() const = 0;

  // Pushes in that encoding, as all sessions get them, as this client gets them.
  virtual net::Payload OwnPushes(net::Payload pushes) { return pushes; }
  // The client is to be told in which rooms it is, each time that they change.
  virtual bool WantsRooms() const { return false; }
  // Tells it. REQUIRES: WantsRooms.
  virtual void AppendRooms(const std::vector<RoomOfClient>& /*rooms*/, std::string& /*out*/) {}
  // Until the next time, the client is not told how far it has seen them.
  virtual void HideRooms() {}

  // Nothing: the client may be silent.
  virtual std::optional<Heartbeat> heartbeat() const = 0;
  virtual void AppendHeartbeat(std::string& out) const = 0;

  // The largest package that the client may send once its hello is accepted, in bytes.
  virtual size_t max_package_bytes() const = 0;
};

}  // namespace hubbub::client
