#include "services/net/client_address.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "boost/asio/ip/address.hpp"
#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

namespace ip = boost::asio::ip;

// Takes the last element off a list. A comma between quotes ends none: a proxy may repeat there what a client
// has made up, such as the name of the host. Read from the right, where the proxy has written, so that a
// quote which the client has left open on the left hides nothing.
std::string_view TakeLast(std::string_view& list) {
  bool quoted = false;
  size_t begin = list.size();
  for (; begin > 0; --begin) {
    const char c = list[begin - 1];
    if (c == ',' && !quoted) break;
    if (c != '"') continue;
    const std::string_view before = list.substr(0, begin - 1);
    const size_t escapes = before.size() - (before.find_last_not_of('\\') + 1);
    if (!quoted || escapes % 2 == 0) quoted = !quoted;
  }
  const std::string_view element = list.substr(begin);
  list = list.substr(0, begin == 0 ? 0 : begin - 1);
  return element;
}

// "address", "address:port", "[address]" or "[address]:port", perhaps in quotes.
bool ReadNode(std::string_view text, ip::address& address) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos || !ReadAddress(text.substr(1, end - 1), address)) return false;
    return end + 1 == text.size() || text[end + 1] == ':';
  }
  if (ReadAddress(text, address)) return true;
  return std::count(text.begin(), text.end(), ':') == 1 &&
         ReadAddress(text.substr(0, text.find(':')), address);
}

// The value of `for` in an element of Forwarded, such as `for=192.0.2.60;proto=http`; empty if it has none,
// or several, of which one is not the proxy's.
std::string_view ForOf(std::string_view element) {
  std::string_view value;
  while (!element.empty()) {
    size_t end = 0;
    for (bool quoted = false; end < element.size() && (quoted || element[end] != ';'); ++end) {
      if (element[end] == '"') quoted = !quoted;
      if (element[end] == '\\' && quoted) ++end;
    }
    const std::string_view pair = Trimmed(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    if (!SameName(pair.substr(0, 4), "for=")) continue;
    if (!value.empty()) return {};
    value = pair.substr(4);
  }
  return value;
}

struct Found {
  bool said = false;  // The field is there.
  std::optional<std::string> client = std::nullopt;
};

template <typename NodeOf>
Found Find(const HttpHead& head, std::string_view field, const Networks& trusted, NodeOf node_of) {
  Found found;
  const std::vector<std::string_view> lists = ValuesOf(head, field);
  for (auto list = lists.rbegin(); list != lists.rend(); ++list) {
    for (std::string_view rest = *list; !rest.empty();) {
      const std::string_view element = Trimmed(TakeLast(rest));
      if (element.empty()) continue;
      found.said = true;
      ip::address address;
      if (!ReadNode(node_of(element), address)) return found;
      if (trusted.Contain(address)) continue;
      found.client = AddressText(address) + ":0";
      return found;
    }
  }
  return found;
}

}  // namespace

std::variant<std::optional<std::string>, HttpFault> ForwardedClient(const HttpHead& head,
                                                                    const Networks& trusted) {
  const Found old = Find(head, "X-Forwarded-For", trusted, [](std::string_view element) { return element; });
  const Found standard = Find(head, "Forwarded", trusted, ForOf);
  if (old.said && standard.said && old.client != standard.client) {
    return HttpFault{
        400,
        "X-Forwarded-For and Forwarded do not name the same client: the proxy has to write one of "
        "them and to remove the other."};
  }
  return old.said ? old.client : standard.client;
}

}  // namespace hubbub::net
