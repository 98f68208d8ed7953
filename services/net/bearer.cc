#include "services/net/bearer.h"

#include <algorithm>
#include <vector>

#include "services/net/http_list.h"

namespace hubbub::net {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::string_view kParameter = "access_token=";

void AddFromQuery(std::string_view target, std::vector<std::string_view>& tokens) {
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos) return;
  std::string_view query = target.substr(mark + 1);
  query = query.substr(0, query.find('#'));
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    if (const std::string_view one = query.substr(0, end); one.starts_with(kParameter))
      tokens.push_back(one.substr(kParameter.size()));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

}  // namespace

std::variant<std::string, HttpFault> BearerOf(const HttpHead& head, std::string_view target) {
  std::vector<std::string_view> tokens;
  for (std::string_view value : ValuesOf(head, "Authorization")) {
    // Other schemes are for others, such as a proxy on the way.
    if (value.size() <= kScheme.size() || !SameName(value.substr(0, kScheme.size()), kScheme)) continue;
    value.remove_prefix(std::min(value.find_first_not_of(' ', kScheme.size()), value.size()));
    tokens.push_back(value);
  }
  AddFromQuery(target, tokens);
  if (tokens.size() > 1) return HttpFault{400, "The request shows more than one bearer token (RFC 6750, 2)."};
  return tokens.empty() ? std::string() : std::string(tokens.front());
}

std::variant<std::string, HttpFault> BearerOf(const HttpRequest& request) {
  HttpHead head{.method = request.method, .target = request.target, .fields = {}};
  for (const auto& [name, value] : request.fields) head.fields.push_back({name, value});
  return BearerOf(head, request.target);
}

}  // namespace hubbub::net
