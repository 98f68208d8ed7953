#include "services/signin/strict_json.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "boost/json/basic_parser_impl.hpp"

namespace hubbub::signin {
namespace {

namespace json = boost::json;

constexpr size_t kMaxDepth = 16;

// What Boost.JSON's parser reports to: remembers the names of the members of each object that is open, for
// its values keep the last of two without a word.
class MemberNames {
 public:
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();

  bool twice() const { return twice_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    open_.emplace_back();
    return true;
  }
  bool on_object_end(size_t, json::error_code&) {
    open_.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    twice_ = twice_ || !open_.back().insert(std::exchange(key_, {})).second;
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  std::vector<absl::flat_hash_set<std::string>> open_;
  std::string key_;
  bool twice_ = false;
};

bool HasMemberTwice(std::string_view text, const json::parse_options& options) {
  json::basic_parser<MemberNames> parser(options);
  json::error_code error;
  parser.write_some(/*more=*/false, text.data(), text.size(), error);
  return parser.handler().twice();
}

}  // namespace

absl::StatusOr<json::object> ParseStrictObject(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return absl::InvalidArgumentError("it is not JSON in UTF-8");
  if (!value.is_object()) return absl::InvalidArgumentError("it is not a JSON object");
  if (HasMemberTwice(text, options))
    return absl::InvalidArgumentError("it has an object with two members of one name");
  return std::move(value.as_object());
}

}  // namespace hubbub::signin
