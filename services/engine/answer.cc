#include "services/engine/answer.h"

#include <algorithm>
#include <utility>

#include "services/net/http_list.h"

namespace hubbub::engine {

Answer::Answer(const net::HttpRequest& request, net::HttpReply reply)
    : reply_(std::move(reply)),
      from_page_(std::any_of(request.fields.begin(), request.fields.end(),
                             [](const auto& one) { return net::SameName(one.first, "Origin"); })) {}

void Answer::Text(std::string body) {
  Send({.body = std::move(body), .headers = {{"Cache-Control", "no-store"}}});
}

void Answer::Fail(EngineError error, std::string_view reason) {
  Send(ErrorResponse(error, reason));
}

void Answer::Preflight() {
  Send({.body = "",
        .headers = {{"Access-Control-Allow-Methods", "GET, POST"},
                    {"Access-Control-Allow-Headers", "Authorization, Content-Type"},
                    {"Access-Control-Max-Age", "600"}}});
}

void Answer::Send(net::HttpResponse response) {
  // Who may read it, the HTTP session says. Clients before 3 ask with the credentials of the page, and
  // browsers then want this. There are no cookies here, so it gives nothing away.
  if (from_page_) response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  reply_.Send(std::move(response));
}

}  // namespace hubbub::engine
