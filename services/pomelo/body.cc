#include "services/pomelo/body.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "boost/json/basic_parser_impl.hpp"
#include "boost/json/value_stack.hpp"
#include "fmt/format.h"
#include "services/base/json_text.h"
#include "services/base/utf8.h"
#include "services/pomelo/text.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

constexpr size_t kMaxDepth = 32;  // Far above any chat body, far below what could exhaust a stack.
// The same for values: each takes more memory than text, of which a body may have much.
constexpr size_t kMaxValues = 4096;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view WithoutMark(std::string_view body) {
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  return body;
}

// Builds a value from what the parser finds, as Boost.JSON's own handler does, but for numbers that are no
// integers: there Boost may be off in the last place, and takes 1e999 as infinity, which JSON has no way to
// write.
class ValueBuilder {
 public:
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  ValueBuilder() : stack_({}, memory_.data(), memory_.size()) { stack_.reset(); }

  json::value Release() { return stack_.release(); }

  using Error = json::error_code;
  using Text = json::string_view;
  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error& error) { return Count(error); }
  bool on_object_end(size_t members, Error&) { return stack_.push_object(members), true; }
  bool on_array_begin(Error& error) { return Count(error); }
  bool on_array_end(size_t elements, Error&) { return stack_.push_array(elements), true; }
  bool on_key_part(Text text, size_t, Error&) { return stack_.push_chars(text), true; }
  bool on_key(Text text, size_t, Error&) { return stack_.push_key(text), true; }
  bool on_string_part(Text text, size_t, Error&) { return stack_.push_chars(text), true; }
  bool on_string(Text text, size_t, Error& error) { return stack_.push_string(text), Count(error); }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(int64_t number, Text, Error& error) { return stack_.push_int64(number), Count(error); }
  bool on_uint64(uint64_t number, Text, Error& error) { return stack_.push_uint64(number), Count(error); }
  bool on_bool(bool value, Error& error) { return stack_.push_bool(value), Count(error); }
  bool on_null(Error& error) { return stack_.push_null(), Count(error); }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }

  // `text` is all of the number: the parser is given the whole body at once.
  bool on_double(double about, Text text, Error& error) {
    double number = 0;
    const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc()) number = std::isfinite(about) && std::abs(about) < 1 ? 0 : HUGE_VAL;
    if (!std::isfinite(number)) {
      error = json::error::exponent_overflow;
      return false;
    }
    return stack_.push_double(number), Count(error);
  }

 private:
  bool Count(Error& error) {
    if (++values_ <= kMaxValues) return true;
    error = json::error::array_too_large;
    return false;
  }

  size_t values_ = 0;
  std::array<unsigned char, 4096> memory_;
  json::value_stack stack_;
};

absl::StatusOr<json::object> Parse(std::string_view utf8) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<ValueBuilder> parser(options);
  json::error_code error;
  const size_t parsed = parser.write_some(/*more=*/false, utf8.data(), utf8.size(), error);
  if (!error && parsed < utf8.size()) error = json::error::extra_data;
  if (error == json::error::exponent_overflow)
    return absl::InvalidArgumentError("a body has a number that is too large for a double");
  if (error == json::error::array_too_large)
    return absl::InvalidArgumentError(fmt::format("a body has more than {} values", kMaxValues));
  if (error) return absl::InvalidArgumentError(fmt::format("a body is not valid JSON: {}", error.message()));
  json::value value = parser.handler().Release();
  if (!value.is_object()) return absl::InvalidArgumentError("a body is JSON, but not an object");
  return std::move(value.as_object());
}

absl::StatusOr<json::object> ParseUtf8(std::string_view utf8) {
  if (FindLoneEscape(utf8, 0) == utf8.size()) return Parse(utf8);
  std::string mended(utf8);
  for (size_t i = 0; (i = FindLoneEscape(mended, i)) < mended.size();) mended.replace(i, 6, "\\ufffd");
  return Parse(mended);
}

}  // namespace

absl::StatusOr<json::object> ParseJsonBody(std::string_view body) {
  body = WithoutMark(body);
  if (IsUtf8(body)) return ParseUtf8(body);
  const std::optional<std::string> utf8 = ToUtf8(body);
  if (!utf8) return absl::InvalidArgumentError("a body is neither UTF-8 nor CESU-8");
  return ParseUtf8(*utf8);
}

bool BeginsLikeObject(std::string_view body) {
  body = WithoutMark(body);
  const size_t first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '{';
}

std::string JsonBody(const boost::json::value& value) {
  return EscapeNonBmp(boost::json::serialize(value));
}

}  // namespace hubbub::pomelo
