#include "services/signin/key_files.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/base/files.h"

namespace hubbub::signin {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileBytes = size_t{1} * 1024 * 1024;
// A token without a `kid` is held against all of its algorithm.
constexpr size_t kMaxKeys = 100;

bool HasKeys(const fs::path& file) {
  const std::string kind = file.extension();
  return kind == ".pem" || kind == ".crt" || kind == ".json" || kind == ".jwks" || kind == ".secret";
}

// In the order of their names. Kubernetes mounts a Secret as links to a hidden folder.
std::vector<fs::path> FilesAt(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {fs::path(path)};
  std::vector<fs::path> files;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const fs::path& file = at->path();
    if (!file.filename().string().starts_with('.') && HasKeys(file)) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<KeySet> ParseFile(const fs::path& file, std::string text) {
  const std::string kind = file.extension();
  if (kind == ".json" || kind == ".jwks") return ParseJwks(text);
  if (kind == ".secret" && text.ends_with('\n')) text.pop_back();
  auto key =
      kind == ".secret" ? Key::FromSecret(file.stem(), std::move(text)) : Key::FromPem(file.stem(), text);
  if (!key.ok()) return key.status();
  return KeySet{.keys = {*std::move(key)}, .skipped = {}};
}

}  // namespace

absl::StatusOr<KeySet> ReadKeys(const std::string& path) {
  KeySet all;
  for (const fs::path& file : FilesAt(path)) {
    if (!HasKeys(file)) {
      return absl::InvalidArgumentError(
          fmt::format("{} has a name that does not say what it holds: it must end with .pem, .crt, .json, "
                      ".jwks or .secret",
                      file.string()));
    }
    auto text = ReadFile(file.string(), kMaxFileBytes);
    if (!text.ok()) return text.status();
    auto set = ParseFile(file, *std::move(text));
    if (!set.ok())
      return absl::InvalidArgumentError(
          fmt::format("{}: {}", file.string(), std::string(set.status().message())));
    std::move(set->keys.begin(), set->keys.end(), std::back_inserter(all.keys));
    for (const std::string& reason : set->skipped)
      all.skipped.push_back(fmt::format("{}: {}", file.string(), reason));
  }
  if (all.keys.empty()) return absl::InvalidArgumentError(fmt::format("{} holds no key for sign-in", path));
  if (all.keys.size() > kMaxKeys) {
    return absl::InvalidArgumentError(
        fmt::format("{} holds {} keys: at most {} are taken", path, all.keys.size(), kMaxKeys));
  }
  return all;
}

std::string FilesStamp(const std::string& path) {
  std::string stamp;
  for (const fs::path& file : FilesAt(path)) stamp += FileStamp(file.string());
  return stamp;
}

}  // namespace hubbub::signin
