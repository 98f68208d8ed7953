#include "services/json_line.h"

#include <algorithm>
#include <optional>

namespace hubbub {
namespace {

// Walks over JSON that is known to be well formed; at the end of the text everything stops.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) { SkipSpace(); }

  size_t at() const { return at_; }
  void GoTo(size_t at) { at_ = at; }

  // Where the member of the object or the element of the array that starts here is.
  std::optional<size_t> Find(const std::variant<std::string, size_t>& step) {
    const auto* key = std::get_if<std::string>(&step);
    if (Peek() != (key != nullptr ? '{' : '[')) return std::nullopt;
    std::optional<size_t> found;
    size_t index = 0;
    ForEach([&](std::string_view name) {
      if (key != nullptr ? name == *key : index++ == std::get<size_t>(step)) found = at_;
    });
    return found;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  // What is between the quotes, as it is written.
  std::string_view SkipText() {
    const size_t start = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_, text_.size());
    const std::string_view inside = text_.substr(start, at_ - start);
    ++at_;
    return inside;
  }

  // Past the object or array here; `visit(name)` is called at the start of each value in it.
  template <typename Visit>
  void ForEach(Visit visit) {
    const bool object = Peek() == '{';
    ++at_;
    for (SkipSpace(); at_ < text_.size() && Peek() != '}' && Peek() != ']'; SkipSpace()) {
      if (Peek() == ',') {
        ++at_;
        continue;
      }
      std::string_view name;
      if (object) {
        name = SkipText();
        at_ = std::min(text_.find(':', at_), text_.size() - 1) + 1;
        SkipSpace();
      }
      visit(name);
      SkipValue();
    }
    ++at_;
  }

  void SkipValue() {
    // Only brackets and texts matter: what is between them holds neither.
    size_t depth = 0;
    do {
      const char c = Peek();
      if (c == '"') {
        SkipText();
      } else if (depth == 0 && c != '{' && c != '[') {
        at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
      } else {
        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= c == '}' || c == ']' ? 1 : 0;
        ++at_;
      }
    } while (depth > 0 && at_ < text_.size());
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

size_t JsonLine(std::string_view json, const JsonPath& path) {
  Walker walker(json);
  size_t at = walker.at();
  for (const auto& step : path) {
    walker.GoTo(at);
    const auto found = walker.Find(step);
    if (!found) break;
    at = *found;
  }
  const auto end = json.begin() + static_cast<std::ptrdiff_t>(std::min(at, json.size()));
  return 1 + static_cast<size_t>(std::count(json.begin(), end, '\n'));
}

}  // namespace hubbub
