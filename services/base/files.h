#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace hubbub {

// Files of an operator's that are read again when they change. Thread-safe.

// A file's bytes. NOT_FOUND if it cannot be read, INVALID_ARGUMENT if it has more than `max_bytes`: a
// sentence that begins with the file's name.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Changes whenever the file may have: its name, size, time and place on disk. Empty if there is none.
std::string FileStamp(const std::string& path);

}  // namespace hubbub
