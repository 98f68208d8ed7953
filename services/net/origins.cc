#include "services/net/origins.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "boost/asio/ip/address.hpp"
#include "fmt/format.h"

namespace hubbub::net {
namespace {

std::string Lower(std::string_view text) {
  return absl::AsciiStrToLower(absl::string_view(text.data(), text.size()));
}

// The host of "host", "host:port" or "[address]:port", without brackets and without the dot that may end it.
std::string HostOf(std::string_view authority) {
  if (authority.starts_with('[')) return Lower(authority.substr(1, authority.find(']') - 1));
  std::string host = Lower(authority.substr(0, authority.find(':')));
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();
  return host;
}

// The parts of "scheme://authority"; nothing if it is no origin, such as "null".
struct Parts {
  std::string scheme;
  std::string_view authority;
};
std::optional<Parts> Split(std::string_view origin) {
  const size_t colon = origin.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view authority = origin.substr(colon + 3);
  if (authority.empty() || authority.starts_with(':') ||
      authority.find_first_of("/?#@*, \t") != std::string_view::npos)
    return std::nullopt;
  return Parts{Lower(origin.substr(0, colon)), authority};
}

std::string Canonical(const Parts& parts) {
  std::string authority = Lower(parts.authority);
  const std::string_view port = parts.scheme == "http" || parts.scheme == "ws" ? ":80" : ":443";
  if (authority.ends_with(port)) authority.resize(authority.size() - port.size());
  return parts.scheme + "://" + authority;
}

bool IsAddress(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

bool IsOwnMachine(const std::string& host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

}  // namespace

absl::StatusOr<Origins> Origins::Parse(const std::vector<std::string>& origins) {
  Origins made;
  for (const std::string& origin : origins) {
    if (origin == "*") {
      made.all_ = true;
      continue;
    }
    const auto parts = Split(origin);
    if (!parts) {
      return absl::InvalidArgumentError(fmt::format(
          "'{}' is no origin: it must be as https://chat.example.com, with no path behind it, or * for all",
          origin));
    }
    made.origins_.push_back(Canonical(*parts));
    made.hosts_.push_back(HostOf(parts->authority));
  }
  return made;
}

bool Origins::Allow(std::string_view origin, std::string_view host) const {
  if (all_) return true;
  const auto parts = Split(origin);
  if (!parts) return false;
  if (std::find(origins_.begin(), origins_.end(), Canonical(*parts)) != origins_.end()) return true;
  const std::string from = HostOf(parts->authority);
  return IsOwnMachine(from) || (from == HostOf(host) && KnowsHost(host));
}

bool Origins::KnowsHost(std::string_view host) const {
  if (all_) return true;
  const std::string name = HostOf(host);
  return name.find('.') == std::string::npos || IsAddress(name) || IsOwnMachine(name) ||
         std::find(hosts_.begin(), hosts_.end(), name) != hosts_.end();
}

}  // namespace hubbub::net
