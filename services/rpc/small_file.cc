#include "services/rpc/small_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace hubbub::rpc {

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes) {
  const auto fail = [&path](const std::string& why) {
    return absl::InvalidArgumentError(fmt::format("{} cannot be read: {}", path, why));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "rbe"), &fclose);
  if (file == nullptr) return fail(std::system_category().message(errno));
  // One more than may be, so that a longer file is noticed.
  std::string text(max_bytes + 1, '\0');
  text.resize(fread(text.data(), 1, text.size(), file.get()));
  if (ferror(file.get()) != 0) return fail(std::system_category().message(errno));
  if (text.size() > max_bytes) return fail(fmt::format("it has more than {} bytes", max_bytes));
  return text;
}

std::string FileStamp(const std::string& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) return {};
  return fmt::format("{}.{:09} {} {}", found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size,
                     found.st_ino);
}

}  // namespace hubbub::rpc
