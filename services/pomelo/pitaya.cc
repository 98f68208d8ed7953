#include "services/pomelo/pitaya.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "boost/json.hpp"
#include "fmt/format.h"
#include "services/pomelo/body.h"
#include "services/pomelo/deflate.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

constexpr char kDeflatedFlag = 0x10;
constexpr char kErrorFlag = 0x20;

// Appends the body of the message that begins at `start`.
void AppendBody(size_t start, std::string_view body, std::string& out) {
  if (const std::optional<std::string> smaller = DeflateIfSmaller(body)) {
    out[start] |= kDeflatedFlag;
    out += *smaller;
  } else {
    out += body;
  }
}

size_t Dots(std::string_view route) {
  return static_cast<size_t>(std::count(route.begin(), route.end(), '.'));
}

bool IsBlank(std::string_view part) {
  return part.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

// True if `whole` is `part` with something and a dot before it.
bool EndsWithParts(std::string_view whole, std::string_view part) {
  return whole.size() > part.size() && whole.ends_with(part) && whole[whole.size() - part.size() - 1] == '.';
}

}  // namespace

PitayaHandshake::PitayaHandshake(std::chrono::seconds heartbeat, const Dictionary* dictionary) {
  if (heartbeat < std::chrono::seconds(1)) {
    throw std::invalid_argument(
        fmt::format("a heartbeat of {} s: Pitaya's clients need one of at least 1 s", heartbeat.count()));
  }
  const json::value sys = {{"dict", dictionary == nullptr ? json::object() : dictionary->RouteToCode()},
                           {"heartbeat", heartbeat.count()},
                           {"serializer", "json"}};
  const auto body = [&](int code) {
    std::string text = JsonBody(json::object{{"code", code}, {"sys", sys}});
    return DeflateIfSmaller(text).value_or(text);
  };
  accept_ = body(200);
  refuse_ = body(400);
}

std::string PitayaErrorBody(int code, std::string_view message) {
  if (code < 400 || code > 599) code = 0;
  return JsonBody(json::object{{"code", fmt::format("PIT-{:03}", code)},
                               {"msg", json::string_view(message.data(), message.size())}});
}

void AppendPitayaResponse(const MessageId& id, std::string_view body, std::string& out) {
  const size_t start = out.size();
  AppendResponseHead(id, out);
  AppendBody(start, body, out);
}

void AppendPitayaPush(const Route& route, std::string_view body, std::string& out) {
  const size_t start = out.size();
  AppendPushHead(route, out);
  AppendBody(start, body, out);
}

void AppendPitayaError(const MessageId& id, std::string_view body, std::string& out) {
  const size_t start = out.size();
  AppendPitayaResponse(id, body, out);
  out[start] |= kErrorFlag;
}

std::optional<std::string_view> PitayaRouteError(std::string_view route) {
  if (const size_t dots = Dots(route); dots != 1 && dots != 2) {
    return "a route has two or three parts with dots between them";
  }
  for (std::string_view rest = route;;) {
    const size_t dot = rest.find('.');
    if (IsBlank(rest.substr(0, dot))) return "no part of a route can be blank";
    if (dot == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(dot + 1);
  }
}

std::string_view FullRoute(const Dictionary& dictionary, std::string_view route) {
  if (Dots(route) != 1) return route;
  std::optional<std::string_view> full;
  for (size_t code = 1; code <= dictionary.size(); ++code) {
    const std::string_view candidate = *dictionary.RouteOf(static_cast<uint16_t>(code));
    if (!EndsWithParts(candidate, route)) continue;
    if (full) return route;  // It could be either.
    full = candidate;
  }
  return full.value_or(route);
}

}  // namespace hubbub::pomelo
