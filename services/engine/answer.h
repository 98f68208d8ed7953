#pragma once

#include <string>
#include <string_view>

#include "services/engine/query.h"
#include "services/net/http_reply.h"
#include "services/net/http_request.h"

namespace hubbub::engine {

// The duty to answer one HTTP request of Engine.IO, with what browsers want to read when a page of another
// origin has asked. Move-only; as thread-safe as net::HttpReply.
class Answer {
 public:
  Answer(const net::HttpRequest& request, net::HttpReply reply);

  // What a payload or "ok" is sent as.
  void Text(std::string body);
  void Fail(EngineError error, std::string_view reason);
  // To a browser that asks whether it may ask.
  void Preflight();
  void Send(net::HttpResponse response);

 private:
  net::HttpReply reply_;
  bool from_page_;  // Of another origin, perhaps.
};

}  // namespace hubbub::engine
