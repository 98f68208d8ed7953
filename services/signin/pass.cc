#include "services/signin/pass.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "fmt/format.h"
#include "services/base/limits.h"
#include "services/signin/refused.h"
#include "services/signin/strict_json.h"

namespace hubbub::signin {
namespace {

namespace json = boost::json;

constexpr std::string_view kRooms = "hubbub_rooms";
constexpr std::string_view kRights = "hubbub_rights";

const json::value* Find(const json::object& claims, std::string_view name) {
  return claims.if_contains({name.data(), name.size()});
}

std::string_view View(const json::string& text) {
  return {text.data(), text.size()};
}

// A moment in milliseconds since 1970; nothing if the claim is missing. Numbers may have a fraction (RFC
// 7519, 2). The bound keeps sums of them within 64 bits.
absl::StatusOr<std::optional<int64_t>> MomentOf(const json::object& claims, std::string_view name) {
  const json::value* value = Find(claims, name);
  if (value == nullptr) return std::nullopt;
  const double seconds = value->is_number() ? value->to_number<double>() : std::nan("");
  constexpr double kMost = 1e12;
  if (!(seconds >= 0 && seconds <= kMost))
    return Refused(fmt::format("has an '{}' that is no moment: it must be seconds since 1970", name));
  return static_cast<int64_t>(std::floor(seconds * 1'000));
}

absl::Status CheckTimes(const json::object& claims, int64_t now_ms, int64_t& ends_ms) {
  const auto end = MomentOf(claims, "exp");
  if (!end.ok()) return end.status();
  if (!*end) return Refused("has no 'exp': this server takes no token that never ends");
  ends_ms = **end + kLeewaySeconds * 1'000;
  if (now_ms >= ends_ms) return Refused(fmt::format("ended {} s ago", (now_ms - **end) / 1'000));
  const auto begin = MomentOf(claims, "nbf");
  if (!begin.ok()) return begin.status();
  if (*begin && now_ms + kLeewaySeconds * 1'000 < **begin)
    return Refused(fmt::format("begins in {} s", (**begin - now_ms) / 1'000));
  return absl::OkStatus();
}

// RFC 7519, 4.1.3: one text or a list; a reader that is not named must refuse.
absl::Status CheckAudience(const json::object& claims, const std::string& own) {
  const json::value* value = Find(claims, "aud");
  if (value == nullptr)
    return own.empty() ? absl::OkStatus() : Refused("names no audience ('aud'), and this server demands one");
  if (own.empty())
    return Refused("is for an audience ('aud'), and this server was given none: see --signin_audience");
  const json::array one{*value};
  const json::array& list = value->is_array() ? value->get_array() : one;
  for (const json::value& name : list) {
    if (!name.is_string()) return Refused("has an 'aud' that is neither a text nor a list of texts");
    if (View(name.get_string()) == own) return absl::OkStatus();
  }
  return Refused("is for another audience ('aud')");
}

absl::Status CheckIssuer(const json::object& claims, const std::string& wanted) {
  if (wanted.empty()) return absl::OkStatus();
  const json::value* value = Find(claims, "iss");
  const bool same = value != nullptr && value->is_string() && View(value->get_string()) == wanted;
  return same ? absl::OkStatus() : Refused("is of another issuer ('iss')");
}

// Nothing if the claim is missing.
absl::StatusOr<std::optional<std::vector<std::string>>> TextsOf(const json::object& claims,
                                                                std::string_view name) {
  const json::value* value = Find(claims, name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  const auto wrong = [&] { return Refused(fmt::format("has a '{}' that is no list of texts", name)); };
  if (!value->is_array()) return wrong();
  for (const json::value& text : value->get_array()) {
    if (!text.is_string()) return wrong();
    texts.emplace_back(View(text.get_string()));
  }
  return texts;
}

absl::Status ReadUser(const json::object& claims, Pass& pass) {
  const json::value* user = Find(claims, "sub");
  if (user == nullptr || !user->is_string()) return Refused("names no user: its 'sub' is missing or no text");
  pass.user = View(user->get_string());
  if (const absl::Status status = CheckName("sub", pass.user); !status.ok())
    return Refused(fmt::format("names a user that cannot be: {}", std::string(status.message())));
  return absl::OkStatus();
}

absl::Status ReadRights(const json::object& claims, Pass& pass) {
  auto rooms = TextsOf(claims, kRooms);
  if (!rooms.ok()) return rooms.status();
  pass.rooms = *std::move(rooms);
  const auto rights = TextsOf(claims, kRights);
  if (!rights.ok()) return rights.status();
  if (*rights) {
    const auto has = [&](std::string_view right) {
      return std::find((*rights)->begin(), (*rights)->end(), right) != (*rights)->end();
    };
    pass.may_read = has("read");
    pass.may_speak = has("speak");
  }
  return absl::OkStatus();
}

}  // namespace

bool Pass::Names(std::string_view room) const {
  if (!rooms) return true;
  return std::any_of(rooms->begin(), rooms->end(), [&](std::string_view name) {
    return name.ends_with('*') ? room.starts_with(name.substr(0, name.size() - 1)) : room == name;
  });
}

absl::StatusOr<Pass> ReadPass(std::string_view claims_text, const PassRules& rules, int64_t now_ms) {
  const auto claims = ParseStrictObject(claims_text);
  if (!claims.ok())
    return Refused(fmt::format("has claims that cannot be read: {}", std::string(claims.status().message())));
  Pass pass;
  absl::Status status = CheckTimes(*claims, now_ms, pass.ends_ms);
  if (status.ok()) status = CheckIssuer(*claims, rules.issuer);
  if (status.ok()) status = CheckAudience(*claims, rules.audience);
  if (status.ok()) status = ReadUser(*claims, pass);
  if (status.ok()) status = ReadRights(*claims, pass);
  if (!status.ok()) return status;
  return pass;
}

}  // namespace hubbub::signin
