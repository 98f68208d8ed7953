#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "services/pomelo/dictionary.h"
#include "services/pomelo/message.h"

namespace hubbub::pomelo {

// Pitaya's dialect of the Pomelo wire, as far as it differs: packages, message heads and heartbeats are the
// same, bodies are JSON without exception. Facts are of topfreegames/pitaya and, where it is named, of its
// client libpitaya; testing/pitaya_vectors.json is what Pitaya 1.1.8 itself sends.
//
// A client tells which of the two it speaks by the `sys` of its handshake (HandshakeRequest::pitaya).
// Pomelo's clients send `type` and `version` there. Pitaya's send `platform`, `libVersion`,
// `clientBuildNumber` and `clientVersion` (Pitaya's session.HandshakeClientData, libpitaya's
// tcp__send_handshake).
//
// Its kick is a kick package without a body: AppendPackage(PackageType::kKick, "", out). A body of a request
// may be compressed (Message::compressed): see Inflate.

// What Pitaya's server answers to a handshake: {"code":…,"sys":{"dict":…,"heartbeat":…,"serializer":"json"}},
// compressed where that is smaller. The same for every client. Immutable, so thread-safe.
class PitayaHandshake {
 public:
  // `heartbeat`: what clients send one after. At least a second, else std::invalid_argument: Pitaya's own
  // client ends with a panic if there is none. `dictionary`: null if there are no codes; not kept.
  PitayaHandshake(std::chrono::seconds heartbeat, const Dictionary* dictionary);

  // The body that lets the client in.
  const std::string& Accept() const { return accept_; }
  // The body that does not, with code 400 (Pitaya 3's agent.go); the server closes after it.
  const std::string& Refuse() const { return refuse_; }

 private:
  std::string accept_;
  std::string refuse_;
};

// The body of an error: {"code":"PIT-404","msg":…}. `code` is one of HTTP, from 400 to 599, and is kept as
// the number of Pitaya's: its errors/errors.go has 400, 404, 498, 499 and 500 with the meaning of HTTP,
// handlers of an application add codes of their own, and clients take all of them as opaque text. So 403, 429
// or 503 tell more than a number that Pitaya happens to have. Any other code is PIT-000, Pitaya's "unknown".
std::string PitayaErrorBody(int code, std::string_view message);

// Append a message; its body is compressed where that is smaller. As with AppendPush, std::length_error is
// thrown for a route above kMaxRouteBytes. `body` must not be empty: libpitaya takes that for a broken
// message.
void AppendPitayaResponse(const MessageId& id, std::string_view body, std::string& out);
void AppendPitayaPush(const Route& route, std::string_view body, std::string& out);
// A response that the client reports as a failure. `body`: see PitayaErrorBody.
void AppendPitayaError(const MessageId& id, std::string_view body, std::string& out);

// What is wrong with a route's form, which Pitaya answers with code 400 (route/route.go); nothing if it has
// two or three parts and none of them is blank. Of the three, the first is the type of the server.
std::optional<std::string_view> PitayaRouteError(std::string_view route);

// The route that `route` stands for. One of two parts, `chatHandler.send`, stands for the dictionary's only
// route that ends with it, `chat.chatHandler.send`; Pitaya itself takes it for one of the server that the
// client is connected to. Any other is returned as it is. A view into `route` or `dictionary`.
std::string_view FullRoute(const Dictionary& dictionary, std::string_view route);

}  // namespace hubbub::pomelo
