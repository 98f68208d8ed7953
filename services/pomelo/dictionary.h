#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/json.hpp"
#include "services/base/string_map.h"

namespace hubbub::pomelo {

// The codes that stand for routes on the wire once a handshake has agreed on them. As Pomelo's dictionary
// component counts them: the handlers' routes in byte order from 1, then the push routes in the order given;
// a route given twice keeps its first code. Immutable, so thread-safe.
//
// libpomelo 0.3 reads only the low eight bits of a code: a dictionary for it must not exceed kMaxEightBitCode
// routes.
class Dictionary {
 public:
  static constexpr size_t kMaxEightBitCode = 255;

  // INVALID_ARGUMENT if a route is empty, above kMaxRouteBytes or not UTF-8, or if 16 bits cannot count them
  // all.
  static absl::StatusOr<Dictionary> Make(std::vector<std::string> routes,
                                         std::vector<std::string> pushes = {});

  std::optional<uint16_t> CodeOf(std::string_view route) const;
  // A view into this dictionary.
  std::optional<std::string_view> RouteOf(uint16_t code) const;
  size_t size() const { return routes_.size(); }

  // As the handshake carries them: {"chat.chatHandler.send":1, ...} and {"1":"chat.chatHandler.send", ...}.
  boost::json::object RouteToCode() const;
  boost::json::object CodeToRoute() const;
  // Names the contents: the same in every process and build, different when a code or a route is.
  const std::string& version() const { return version_; }

 private:
  Dictionary() = default;

  std::vector<std::string> routes_;  // routes_[code - 1]
  StringMap<uint16_t> codes_;
  std::string version_;
};

}  // namespace hubbub::pomelo
