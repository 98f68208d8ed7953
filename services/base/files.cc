#include "services/base/files.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub {

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream.is_open())
    return absl::NotFoundError(
        fmt::format("{} cannot be read: {}", path, std::system_category().message(errno)));
  std::string text(max_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return absl::NotFoundError(fmt::format("{} cannot be read", path));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > max_bytes)
    return absl::InvalidArgumentError(fmt::format("{} has more than {} bytes", path, max_bytes));
  return text;
}

std::string FileStamp(const std::string& path) {
  struct stat now = {};
  if (::stat(path.c_str(), &now) != 0) return {};
  return fmt::format("{} {} {} {} {}.{}\n", path, now.st_dev, now.st_ino, now.st_size, now.st_mtim.tv_sec,
                     now.st_mtim.tv_nsec);
}

}  // namespace hubbub
