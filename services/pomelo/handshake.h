#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "boost/json.hpp"
#include "services/pomelo/dictionary.h"
#include "services/pomelo/protobuf.h"

namespace hubbub::pomelo {

// The handshake that opens every session: the client names itself and what it has stored, the server answers
// with what both will use (Pomelo's commands/handshake.js).

struct HandshakeRequest {
  bool has_sys = false;  // Without it Pomelo answers kFailed.
  std::string type;      // The client's kind, such as "js-websocket"; empty if it does not say.
  std::string version;   // The client's own version.
  bool pitaya = false;   // The client speaks Pitaya's dialect: see pitaya.h.
  // The versions of what the client has stored, empty if nothing. Clients say "nothing" by no version, by 0
  // or by ""; only strings are ever given out, so that anything else counts as nothing.
  std::string dict_version;
  std::string proto_version;
  boost::json::value user;  // The application's part; null if there is none.
};

// Never fails: what cannot be read is a request without sys, as in Pomelo.
HandshakeRequest ParseHandshakeRequest(std::string_view body);

// How this client writes and reads the strings of protobuf bodies.
TextEncoding TextEncodingOf(const HandshakeRequest& request);

enum class HandshakeCode {
  kOk = 200,
  kFailed = 500,     // The request has no sys, or the application turned the client away.
  kOldClient = 501,  // The application does not serve this type or version of client.
};

// What a server offers. Read by ServerHandshake's constructor alone.
struct HandshakeOptions {
  std::optional<std::chrono::seconds> heartbeat = std::nullopt;  // None: no heartbeats at all.
  const Dictionary* dictionary = nullptr;                        // None: routes go as text.
  const Schema* server_protos = nullptr;  // What the server sends. With neither: all bodies are JSON.
  const Schema* client_protos = nullptr;  // What clients send.
};

// Answers handshakes. Immutable, so thread-safe.
//
// The stock JavaScript client stores the protos of whichever server it saw last, under one key, and tells
// their version to all; it does not store the dictionary and never tells its version, so that it is given one
// each time. It cannot read an answer of about 125 KB: dictionary and protos together must stay well below.
class ServerHandshake {
 public:
  explicit ServerHandshake(const HandshakeOptions& options);

  // The answer that lets the client in, with `user` for the application if there is one. Leaves out what the
  // client has.
  std::string Accept(const HandshakeRequest& request, const boost::json::value* user = nullptr) const;

  // The answer that does not; the server closes after it.
  static std::string Refuse(HandshakeCode code);

  // Names the protos. Depends on their contents alone, so that gate and connector agree whatever their files'
  // order. Empty without protos.
  const std::string& protos_version() const { return protos_version_; }

 private:
  std::string dict_version_;
  std::string protos_version_;
  // The answer's sys as text, with and without the dictionary and the protos: [dict][protos].
  std::array<std::array<std::string, 2>, 2> sys_;
};

}  // namespace hubbub::pomelo
