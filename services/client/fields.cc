#include "services/client/fields.h"

#include <array>
#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::client {
namespace {

const boost::json::value* Find(const boost::json::object& body, std::string_view field) {
  return body.if_contains({field.data(), field.size()});
}

// Number::toString of ECMA-262 for a finite number that is not 0: the fewest digits that mean this number,
// with a point among them, or an exponent where it is below -6 or above 20.
std::string DoubleText(double number) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(number),
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  if (digits.size() > 1) digits.erase(1, 1);  // The point.
  int exponent = 0;
  const std::string_view tail = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
  std::from_chars(tail.data(), tail.data() + tail.size(), exponent);

  const std::string sign = number < 0 ? "-" : "";
  const int size = static_cast<int>(digits.size());
  if (exponent < -6 || exponent > 20) {
    if (size > 1) digits.insert(1, ".");
    return fmt::format("{}{}e{:+}", sign, digits, exponent);
  }
  if (exponent < 0) return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  if (exponent + 1 >= size) return sign + digits + std::string(static_cast<size_t>(exponent + 1 - size), '0');
  return sign + digits.insert(static_cast<size_t>(exponent) + 1, ".");
}

}  // namespace

std::string NumberText(const boost::json::value& number) {
  if (const auto* whole = number.if_int64()) return std::to_string(*whole);
  if (const auto* whole = number.if_uint64()) return std::to_string(*whole);
  const double value = number.get_double();
  return value == 0 ? "0" : DoubleText(value);
}

absl::StatusOr<std::string> TextField(const boost::json::object& body, std::string_view field) {
  const boost::json::value* value = Find(body, field);
  if (value == nullptr) return absl::InvalidArgumentError(fmt::format("{} is missing", field));
  if (value->is_number()) return NumberText(*value);
  if (!value->is_string())
    return absl::InvalidArgumentError(fmt::format("{} must be a text or a number", field));
  return std::string(value->get_string());
}

bool HasField(const boost::json::object& body, std::string_view field) {
  const boost::json::value* value = Find(body, field);
  return value != nullptr && !value->is_null();
}

std::optional<uint64_t> WholeNumberField(const boost::json::object& body, std::string_view field) {
  const boost::json::value* value = Find(body, field);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  constexpr double kMost = 9007199254740992.0;  // 2^53: a double is exact so far.
  const double number = value->to_number<double>();
  if (!(number >= 0 && number <= kMost) || number != std::floor(number)) return std::nullopt;
  return static_cast<uint64_t>(number);
}

}  // namespace hubbub::client
