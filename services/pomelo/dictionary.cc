#include "services/pomelo/dictionary.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/base/stable_hash.h"
#include "services/base/utf8.h"
#include "services/pomelo/message.h"

namespace hubbub::pomelo {
namespace {

absl::Status CheckRoute(std::string_view route) {
  if (route.empty()) return absl::InvalidArgumentError("a route in the dictionary is empty");
  if (route.size() > kMaxRouteBytes) {
    return absl::InvalidArgumentError(fmt::format(
        "a route in the dictionary has {} bytes: at most {} are allowed", route.size(), kMaxRouteBytes));
  }
  if (!IsUtf8(route)) return absl::InvalidArgumentError("a route in the dictionary is not valid UTF-8");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Dictionary> Dictionary::Make(std::vector<std::string> routes,
                                            std::vector<std::string> pushes) {
  std::sort(routes.begin(), routes.end());
  routes.insert(routes.end(), std::make_move_iterator(pushes.begin()), std::make_move_iterator(pushes.end()));

  Dictionary dictionary;
  for (std::string& route : routes) {
    if (absl::Status status = CheckRoute(route); !status.ok()) return status;
    if (dictionary.codes_.contains(route)) continue;
    if (dictionary.size() == std::numeric_limits<uint16_t>::max()) {
      return absl::InvalidArgumentError(
          fmt::format("the dictionary has more than {} routes", std::numeric_limits<uint16_t>::max()));
    }
    dictionary.codes_.emplace(route, static_cast<uint16_t>(dictionary.size() + 1));
    dictionary.routes_.push_back(std::move(route));
  }
  dictionary.version_ = fmt::format("{:016x}", StableHash(boost::json::serialize(dictionary.RouteToCode())));
  return dictionary;
}

std::optional<uint16_t> Dictionary::CodeOf(std::string_view route) const {
  const auto it = codes_.find(route);
  if (it == codes_.end()) return std::nullopt;
  return it->second;
}

std::optional<std::string_view> Dictionary::RouteOf(uint16_t code) const {
  if (code == 0 || code > routes_.size()) return std::nullopt;
  return routes_[code - 1];
}

boost::json::object Dictionary::RouteToCode() const {
  boost::json::object json(routes_.size());
  for (size_t i = 0; i < routes_.size(); ++i) json[routes_[i]] = i + 1;
  return json;
}

boost::json::object Dictionary::CodeToRoute() const {
  boost::json::object json(routes_.size());
  for (size_t i = 0; i < routes_.size(); ++i) json[fmt::format("{}", i + 1)] = routes_[i];
  return json;
}

}  // namespace hubbub::pomelo
