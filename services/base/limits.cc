#include "services/base/limits.h"

#include <string>

#include "fmt/format.h"
#include "services/base/json_text.h"
#include "services/base/name_characters.h"
#include "services/base/utf8.h"

namespace hubbub {

absl::Status CheckName(std::string_view field, std::string_view name) {
  if (name.empty())
    return absl::InvalidArgumentError(
        fmt::format("{} is empty: it must have 1 to {} bytes", field, kMaxNameBytes));
  if (name.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{} has {} bytes: at most {} are allowed", field, name.size(), kMaxNameBytes));
  }
  if (!IsUtf8(name)) return absl::InvalidArgumentError(fmt::format("{} is not valid UTF-8", field));
  if (name == "*")
    return absl::InvalidArgumentError(
        fmt::format("{} is '*', which means everybody: choose another name", field));
  if (const auto fault = NameFault(name))
    return absl::InvalidArgumentError(fmt::format("{} {}", field, *fault));
  return absl::OkStatus();
}

absl::Status CheckContent(std::string_view content) {
  if (content.size() > kMaxContentBytes) {
    return absl::InvalidArgumentError(
        fmt::format("content has {} bytes: at most {} are allowed", content.size(), kMaxContentBytes));
  }
  if (!IsUtf8(content)) return absl::InvalidArgumentError("content is not valid UTF-8");
  if (const size_t json = JsonSize(content); json > kMaxJsonContentBytes) {
    return absl::InvalidArgumentError(fmt::format(
        "content has {} bytes when written as JSON: at most {} are allowed", json, kMaxJsonContentBytes));
  }
  return absl::OkStatus();
}

}  // namespace hubbub
