#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "services/net/http_response.h"
#include "services/socketio/engine_packet.h"

namespace hubbub::engine {

// What a request of Engine.IO says in its query, and what is answered to one that cannot be. Pure functions,
// thread-safe.

struct Query {
  std::string eio;
  std::string transport;
  std::string sid;
  bool jsonp = false;  // Wants its answer as JavaScript.
};
Query ReadQuery(std::string_view target);

// Nothing if it is no version that is spoken here.
std::optional<socketio::EngineVersion> VersionOf(const Query& query);

// The errors of Engine.IO's documents, by their codes.
enum class EngineError { kUnknownTransport, kUnknownSid, kBadMethod, kBadRequest, kForbidden, kBadVersion };
// `reason` is a sentence for the client's author, beside the message that the documents have.
net::HttpResponse ErrorResponse(EngineError error, std::string_view reason);

}  // namespace hubbub::engine
