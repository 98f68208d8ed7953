#include "services/client/printable.h"

namespace hubbub::client {

std::string Printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 64)) shown += (c < 0x20 || c >= 0x7f || c == '\'') ? '?' : c;
  return shown + (text.size() > 64 ? "…" : "");
}

std::string Quote(std::string_view text) {
  return "'" + Printable(text) + "'";
}

}  // namespace hubbub::client
