#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

// Small files that are read again when they change, such as certificates and tokens.
namespace hubbub::rpc {

// The whole text. The error names the file and says why it cannot be had.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes);

// Changes when the file does: when it was written, its size, and which file it is.
std::string FileStamp(const std::string& path);

}  // namespace hubbub::rpc
