#include "services/directory/entry_lines.h"

#include <algorithm>
#include <cstdint>

#include "boost/json/basic_parser_impl.hpp"

namespace hubbub::directory {
namespace {

namespace json = boost::json;

// What Boost.JSON's parser calls as it reads; the names are the parser's. All handlers answer that the parser
// is to go on.
class Handler {
 public:
  static constexpr size_t max_array_size = SIZE_MAX;
  static constexpr size_t max_object_size = SIZE_MAX;
  static constexpr size_t max_string_size = SIZE_MAX;
  static constexpr size_t max_key_size = SIZE_MAX;

  explicit Handler(std::string_view environment) : environment_(environment) {}

  void NextLine() { ++line_; }
  const EntryLines& lines() const { return lines_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return Open(); }
  bool on_object_end(size_t, json::error_code&) { return Close(); }
  bool on_array_begin(json::error_code&) { return Open(); }
  bool on_array_end(size_t, json::error_code&) { return Close(); }
  bool on_key_part(json::string_view part, size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    if (depth_ == 1) is_chosen_ = key_ == environment_;
    if (depth_ == 2) kind_ = key_;
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view, size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, size_t, json::error_code&) { return OnValue(); }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t, json::string_view, json::error_code&) { return OnValue(); }
  bool on_uint64(uint64_t, json::string_view, json::error_code&) { return OnValue(); }
  bool on_double(double, json::string_view, json::error_code&) { return OnValue(); }
  bool on_bool(bool, json::error_code&) { return OnValue(); }
  bool on_null(json::error_code&) { return OnValue(); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool Open() {
    OnValue();
    ++depth_;
    return true;
  }
  bool Close() {
    --depth_;
    return true;
  }
  // The root is at depth 0, the environments at 1, their lists at 2, the servers at 3.
  bool OnValue() {
    if (!is_chosen_) return true;
    if (depth_ == 2) lines_[kind_] = {.list = line_, .servers = {}};
    if (depth_ == 3) lines_[kind_].servers.push_back(line_);
    return true;
  }

  const std::string_view environment_;
  EntryLines lines_;
  size_t line_ = 1;
  size_t depth_ = 0;
  std::string key_;  // As much of it as has been read.
  std::string kind_;
  bool is_chosen_ = false;
};

}  // namespace

EntryLines FindEntryLines(std::string_view text, std::string_view environment) {
  json::basic_parser<Handler> parser({}, environment);
  json::error_code error;
  // The parser does not count lines, so it is given one at a time; with its line break, because a number ends
  // only with what follows it.
  while (!text.empty() && !error) {
    const size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    parser.write_some(true, text.data(), size, error);
    parser.handler().NextLine();
    text.remove_prefix(size);
  }
  return parser.handler().lines();
}

}  // namespace hubbub::directory
