#include "services/net/client_address.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "boost/asio/ip/address.hpp"
#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

namespace ip = boost::asio::ip;

// "address", "address:port", "[address]" or "[address]:port", perhaps in quotes.
bool ReadNode(std::string_view text, ip::address& address) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end != std::string_view::npos && ReadAddress(text.substr(1, end - 1), address);
  }
  if (ReadAddress(text, address)) return true;
  return std::count(text.begin(), text.end(), ':') == 1 &&
         ReadAddress(text.substr(0, text.find(':')), address);
}

// The value of `for` in an element of Forwarded, such as `for=192.0.2.60;proto=http`; empty if it has none.
std::string_view ForOf(std::string_view element) {
  while (!element.empty()) {
    const size_t end = std::min(element.find(';'), element.size());
    std::string_view pair = element.substr(0, end);
    element.remove_prefix(std::min(end + 1, element.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > 4 && SameName(pair.substr(0, 4), "for=")) return pair.substr(4);
  }
  return {};
}

struct Found {
  bool said = false;  // The field is there.
  std::optional<std::string> client = std::nullopt;
};

template <typename NodeOf>
Found Find(const HttpHead& head, std::string_view field, const Networks& trusted, NodeOf node_of) {
  std::vector<std::string_view> elements;
  AnyElement(head, field, [&](std::string_view element) {
    elements.push_back(element);
    return false;
  });
  Found found{.said = !elements.empty()};
  for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
    ip::address address;
    if (!ReadNode(node_of(*element), address)) return found;
    if (trusted.Contain(address)) continue;
    found.client = address.to_string() + ":0";
    return found;
  }
  return found;
}

}  // namespace

std::optional<std::string> ForwardedClient(const HttpHead& head, const Networks& trusted) {
  const Found old = Find(head, "X-Forwarded-For", trusted, [](std::string_view element) { return element; });
  const Found standard = Find(head, "Forwarded", trusted, ForOf);
  if (old.said && standard.said) return old.client == standard.client ? old.client : std::nullopt;
  return old.said ? old.client : standard.client;
}

}  // namespace hubbub::net
