#include "chat/store/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "services/base/entropy.h"

namespace hubbub::chat {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string Words(int error) {
  return std::generic_category().message(error);
}

// errno's word; 0: it is there.
int Look(const std::string& path, struct stat& found) {
  return stat(path.c_str(), &found) == 0 ? 0 : errno;
}

}  // namespace

SqliteFile::SqliteFile(std::string path, std::string name)
    : path_(std::move(path)),
      name_(std::move(name)),
      folder_(FolderOf(path_)),
      draft_(fmt::format("{}.new-{:016x}", path_, Entropy()())) {}

absl::StatusOr<bool> SqliteFile::Exists() const {
  struct stat found {};
  const int error = Look(path_, found);
  if (error == 0) {
    if (S_ISREG(found.st_mode)) return true;
    return absl::FailedPreconditionError(
        fmt::format("{} is {}; name a file", name_, S_ISDIR(found.st_mode) ? "a folder" : "not a file"));
  }
  if (error != ENOENT)
    return absl::UnavailableError(fmt::format("{} cannot be reached: {}", name_, Words(error)));
  if (const int of_folder = Look(folder_, found); of_folder != 0 || !S_ISDIR(found.st_mode)) {
    return absl::UnavailableError(
        fmt::format("{} cannot be made: there is no folder {}; make it first", name_, folder_));
  }
  // Of a database that was removed: SQLite would write their contents into the new one.
  for (const char* rest : {"-wal", "-journal"}) {
    if (Look(path_ + rest, found) != 0) continue;
    if (Look(path_, found) == 0) return Exists();  // Another process has made it just now.
    return absl::FailedPreconditionError(fmt::format(
        "{} is missing, but what belonged to it is there: {}{}; put the file back, or remove this one too",
        name_, path_, rest));
  }
  return false;
}

absl::Status SqliteFile::Publish() const {
  // Unlike a rename it never replaces what is there.
  const int error = link(draft_.c_str(), path_.c_str()) == 0 ? 0 : errno;
  RemoveDraft();
  if (error != 0 && error != EEXIST) {
    return absl::UnavailableError(fmt::format("{} cannot be made: {}", name_, Words(error)));
  }
  // So that the name survives a power cut.
  const int folder = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
  return absl::OkStatus();
}

void SqliteFile::RemoveDraft() const {
  for (const char* rest : {"", "-wal", "-shm", "-journal"}) unlink((draft_ + rest).c_str());
}

}  // namespace hubbub::chat
