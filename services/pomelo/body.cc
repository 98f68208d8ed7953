#include "services/pomelo/body.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/pomelo/text.h"

namespace hubbub::pomelo {
namespace {

constexpr size_t kMaxDepth = 32;  // Far above any chat body, far below what could exhaust a stack.

// A number such as 1e999 is read as infinity, which JSON has no way to write. No deeper than kMaxDepth.
bool IsFinite(const boost::json::value& value) {  // NOLINT(misc-no-recursion)
  if (const double* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) return std::all_of(array->begin(), array->end(), IsFinite);
  if (const auto* object = value.if_object()) {
    return std::all_of(object->begin(), object->end(),
                       [](const auto& member) { return IsFinite(member.value()); });
  }
  return true;
}

absl::StatusOr<boost::json::object> Parse(std::string_view utf8) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::error_code error;
  boost::json::value value = boost::json::parse({utf8.data(), utf8.size()}, error, {}, options);
  if (error) return absl::InvalidArgumentError(fmt::format("a body is not valid JSON: {}", error.message()));
  if (!value.is_object()) return absl::InvalidArgumentError("a body is JSON, but not an object");
  if (!IsFinite(value))
    return absl::InvalidArgumentError("a body has a number that is too large for a double");
  return std::move(value.as_object());
}

}  // namespace

absl::StatusOr<boost::json::object> ParseJsonBody(std::string_view body) {
  if (IsUtf8(body)) return Parse(body);
  const std::optional<std::string> utf8 = ToUtf8(body);
  if (!utf8) return absl::InvalidArgumentError("a body is neither UTF-8 nor CESU-8");
  return Parse(*utf8);
}

std::string JsonBody(const boost::json::value& value) {
  return EscapeNonBmp(boost::json::serialize(value));
}

}  // namespace hubbub::pomelo
