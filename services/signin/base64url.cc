#include "services/signin/base64url.h"

#include "absl/strings/escaping.h"

namespace hubbub::signin {

std::optional<std::string> FromBase64Url(std::string_view text) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes)) return std::nullopt;
  // Abseil takes padding and white space, and ignores bits that stand for nothing.
  if (absl::WebSafeBase64Escape(absl::string_view(bytes.data(), bytes.size())) != text) return std::nullopt;
  return bytes;
}

}  // namespace hubbub::signin
