#include "services/engine/sid.h"

#include <algorithm>
#include <charconv>

#include "fmt/format.h"
#include "services/base/entropy.h"

namespace hubbub::engine {
namespace {

constexpr size_t kSecretDigits = 32;
constexpr char kSeparator = '.';

}  // namespace

std::string NewSid(size_t loop, std::string_view server) {
  return fmt::format("{:016x}{:016x}{}{}{}{}", Entropy()(), Entropy()(), kSeparator, loop, kSeparator,
                     server);
}

std::optional<SidPlace> PlaceOf(std::string_view sid) {
  if (sid.size() <= kSecretDigits || sid[kSecretDigits] != kSeparator) return std::nullopt;
  sid.remove_prefix(kSecretDigits + 1);
  SidPlace place;
  const auto [end, error] = std::from_chars(sid.data(), sid.data() + sid.size(), place.loop);
  if (error != std::errc() || end == sid.data() + sid.size() || *end != kSeparator) return std::nullopt;
  place.server = sid.substr(static_cast<size_t>(end - sid.data()) + 1);
  return place;
}

std::string ServerTag(std::string_view id) {
  std::string tag(id);
  std::replace_if(
      tag.begin(), tag.end(),
      [](char c) {
        return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                 c == '.' || c == '_');
      },
      '_');
  return tag;
}

}  // namespace hubbub::engine
