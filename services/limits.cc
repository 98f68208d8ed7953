#include "services/limits.h"

#include <string>

#include "fmt/format.h"
#include "services/pomelo/text.h"

namespace hubbub {

absl::Status CheckName(std::string_view field, std::string_view name) {
  if (name.empty())
    return absl::InvalidArgumentError(
        fmt::format("{} is empty: it must have 1 to {} bytes", field, kMaxNameBytes));
  if (name.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{} has {} bytes: at most {} are allowed", field, name.size(), kMaxNameBytes));
  }
  if (!pomelo::IsUtf8(name)) return absl::InvalidArgumentError(fmt::format("{} is not valid UTF-8", field));
  if (name == "*")
    return absl::InvalidArgumentError(
        fmt::format("{} is '*', which means everybody: choose another name", field));
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    // C0, DEL, and C1 in its two-byte form.
    const bool control = c < 0x20 || c == 0x7f ||
                         (c == 0xc2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xa0);
    if (control)
      return absl::InvalidArgumentError(fmt::format("{} has a control character at byte {}", field, i));
  }
  return absl::OkStatus();
}

absl::Status CheckContent(std::string_view content) {
  if (content.size() > kMaxContentBytes) {
    return absl::InvalidArgumentError(
        fmt::format("content has {} bytes: at most {} are allowed", content.size(), kMaxContentBytes));
  }
  if (!pomelo::IsUtf8(content)) return absl::InvalidArgumentError("content is not valid UTF-8");
  if (const size_t json = pomelo::JsonSize(content); json > kMaxJsonContentBytes) {
    return absl::InvalidArgumentError(fmt::format(
        "content has {} bytes when written as JSON: at most {} are allowed", json, kMaxJsonContentBytes));
  }
  return absl::OkStatus();
}

}  // namespace hubbub
