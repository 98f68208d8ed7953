#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace hubbub::chat {

// What a store's URL says.
struct StoreUrl {
  enum class Kind { kSqlite, kPostgres };
  Kind kind = Kind::kSqlite;
  std::string path;  // SQLite: the file, from the working folder on if it does not begin with '/'.
};

// INVALID_ARGUMENT, as a sentence for the person who wrote it, which never shows a password.
absl::StatusOr<StoreUrl> ParseStoreUrl(std::string_view url);

}  // namespace hubbub::chat
