#include "services/engine/query.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "fmt/format.h"
#include "services/base/json_text.h"

namespace hubbub::engine {
namespace {

// Of a value; what is no escape stays as it is.
std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && text.size() - i > 2) {
      unsigned byte = 0;
      const char* const end = text.data() + i + 3;
      if (std::from_chars(text.data() + i + 1, end, byte, 16).ptr == end) {
        out += static_cast<char>(byte);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

}  // namespace

Query ReadQuery(std::string_view target) {
  Query query;
  const size_t begin = target.find('?');
  if (begin == std::string_view::npos) return query;
  target = target.substr(begin + 1, target.find('#') - begin - 1);
  while (!target.empty()) {
    const size_t end = std::min(target.find('&'), target.size());
    const std::string_view pair = target.substr(0, end);
    target.remove_prefix(std::min(end + 1, target.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (name == "EIO") query.eio = Unescape(value);
    if (name == "transport") query.transport = Unescape(value);
    if (name == "sid") query.sid = Unescape(value);
    if (name == "j") query.jsonp = true;
  }
  return query;
}

std::optional<socketio::EngineVersion> VersionOf(const Query& query) {
  if (query.eio == "4") return socketio::EngineVersion::k4;
  if (query.eio == "3") return socketio::EngineVersion::k3;
  return std::nullopt;
}

net::HttpResponse ErrorResponse(EngineError error, std::string_view reason) {
  static constexpr std::array<std::string_view, 6> kMessages = {
      "Transport unknown", "Session ID unknown", "Bad handshake method",
      "Bad request",       "Forbidden",          "Unsupported protocol version"};
  const auto code = static_cast<size_t>(error);
  std::string body = fmt::format(R"({{"code":{},"message":"{}","reason":)", code, kMessages[code]);
  AppendJsonString(reason, body);
  body += '}';
  return {.status = error == EngineError::kForbidden ? 403 : 400,
          .content_type = "application/json",
          .body = std::move(body),
          .headers = {{"Cache-Control", "no-store"}}};
}

}  // namespace hubbub::engine
