#include "chat/store/store_url.h"

#include <algorithm>
#include <cctype>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

constexpr std::string_view kForms = "sqlite:PATH or postgres://[USER@]HOST[:PORT]/DATABASE";

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("the URL of the store {}; it is {}", what, kForms));
}

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A letter may be written as %XX.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) -> int {
      if (at >= text.size() || std::isxdigit(static_cast<unsigned char>(text[at])) == 0) return -1;
      return text[at] <= '9' ? text[at] - '0' : (text[at] | 0x20) - 'a' + 10;
    };
    if (text[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      out.push_back(static_cast<char>(digit(i + 1) * 16 + digit(i + 2)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

absl::StatusOr<StoreUrl> Sqlite(std::string_view path) {
  // sqlite:///PATH is what other programs want; a URL with a host is none of ours.
  if (path.starts_with("//")) {
    if (!path.starts_with("///")) return Wrong(fmt::format("begins with \"sqlite://\": a file has no host"));
    path.remove_prefix(2);
  }
  if (path.empty()) return Wrong("has no path behind \"sqlite:\"");
  if (path == ":memory:") return Wrong("names a database in memory, which is lost with its connection");
  if (path.ends_with('/')) return Wrong(fmt::format("names the folder \"{}\" and no file in it", path));
  if (Holds(path, "\n") || Holds(path, std::string_view("\0", 1)))
    return Wrong("has a control character in its path");
  return StoreUrl{StoreUrl::Kind::kSqlite, std::string(path)};
}

absl::StatusOr<StoreUrl> Postgres(std::string_view rest) {
  constexpr std::string_view kHidden =
      "holds a password, which process titles would show: use PGPASSWORD, PGPASSFILE or the password file";
  const size_t question = rest.find('?');
  const std::string_view place = rest.substr(0, question);
  // As libpq has it, the user ends at the first '@' of what stands before the path.
  const std::string_view authority = place.substr(0, place.find('/'));
  const size_t at = authority.find('@');
  if (at != std::string_view::npos && Holds(authority.substr(0, at), ":")) return Wrong(kHidden);
  std::string_view settings = question == std::string_view::npos ? "" : rest.substr(question + 1);
  while (!settings.empty()) {
    const std::string_view one = settings.substr(0, settings.find('&'));
    settings.remove_prefix(std::min(settings.size(), one.size() + 1));
    const std::string key = Unescaped(one.substr(0, one.find('=')));
    if (key == "password" || key == "sslpassword") return Wrong(kHidden);
  }
  // The last '@' too: a password that holds '/' or '?' unescaped.
  const size_t last = rest.rfind('@');
  if (last != std::string_view::npos && last != at && Holds(rest.substr(0, last), ":")) return Wrong(kHidden);
  const size_t slash = place.find('/');
  if (slash == std::string_view::npos || slash + 1 == place.size()) return Wrong("names no database");
  return StoreUrl{StoreUrl::Kind::kPostgres, {}};
}

}  // namespace

absl::StatusOr<StoreUrl> ParseStoreUrl(std::string_view url) {
  for (const std::string_view scheme : {"postgres://", "postgresql://"}) {
    if (url.starts_with(scheme)) return Postgres(url.substr(scheme.size()));
  }
  if (url.starts_with("sqlite:")) return Sqlite(url.substr(7));
  const size_t colon = url.find(':');
  if (url.empty()) return Wrong("is empty");
  const bool known = url.starts_with("postgres:") || url.starts_with("postgresql:");
  if (known) return Wrong("has no \"//\" behind its scheme");
  // What stands before the colon alone: the rest may hold a password.
  if (colon == std::string_view::npos) return Wrong("has no scheme");
  return Wrong(fmt::format("has the scheme \"{}\", which is none of a store's", url.substr(0, colon)));
}

}  // namespace hubbub::chat
