#include "services/rpc/tokens.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/base/files.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

// The next word of `text`, which is taken off it.
std::string_view TakeWord(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Tokens::Tokens(std::string path, std::string stamp, Entries entries)
    : path_(std::move(path)), stamp_(std::move(stamp)), entries_(std::move(entries)) {}

absl::StatusOr<std::unique_ptr<Tokens>> Tokens::Open(std::string path) {
  // First, so that a change while it is read is seen by the first Poll.
  std::string stamp = FileStamp(path);
  auto entries = Read(path);
  if (!entries.ok()) return entries.status();
  return std::unique_ptr<Tokens>(new Tokens(std::move(path), std::move(stamp), *std::move(entries)));
}

Tokens::Digest Tokens::DigestOf(std::string_view token) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

absl::StatusOr<Tokens::Entry> Tokens::ReadLine(std::string_view line) {
  const std::string_view name = TakeWord(line);
  std::string_view scopes = TakeWord(line);
  const std::string_view token = TakeWord(line);
  if (token.empty() || !TakeWord(line).empty())
    return absl::InvalidArgumentError("it must be a name, scopes and a token, with blanks between them");
  if (!IsPlain(name) || name.size() > 64)
    return absl::InvalidArgumentError("the name must have 1 to 64 characters of ASCII");
  if (!IsPlain(token) || token.size() < kMinTokenBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the token must have {} characters of ASCII at least, such as the output of openssl rand "
                    "-hex 32",
                    kMinTokenBytes));
  }
  Entry entry{.digest = DigestOf(token), .caller = {}};
  while (!scopes.empty()) {
    const std::string_view scope = scopes.substr(0, scopes.find(','));
    scopes.remove_prefix(std::min(scope.size() + 1, scopes.size()));
    const std::optional<Role> role = RoleNamed(scope);
    // Servers show certificates: a token would let a back end take their part.
    if (!role || IsServer(*role))
      return absl::InvalidArgumentError(
          "its scopes must be of publish, read and admin, with commas between them");
    entry.caller.grants.push_back({.role = *role, .name = std::string(name)});
  }
  return entry;
}

absl::StatusOr<Tokens::Entries> Tokens::Read(const std::string& path) {
  const auto text = ReadFile(path, kMaxFileBytes);
  if (!text.ok()) return text.status();
  std::vector<Entry> entries;
  std::string_view rest = *text;
  for (int number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    std::string_view start = line;
    if (const std::string_view word = TakeWord(start); word.empty() || word.front() == '#') continue;
    auto entry = ReadLine(line);
    if (!entry.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("{}, line {}: {}", path, number, std::string(entry.status().message())));
    }
    entries.push_back(*std::move(entry));
  }
  return std::make_shared<const std::vector<Entry>>(std::move(entries));
}

std::optional<Caller> Tokens::Find(std::string_view token) const {
  Entries entries;
  {
    MutexLock lock(mu_);
    entries = entries_;
  }
  const Digest digest = DigestOf(token);
  const Entry* found = nullptr;
  for (const Entry& entry : *entries) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) found = &entry;
  }
  if (found == nullptr) return std::nullopt;
  return found->caller;
}

void Tokens::Poll() {
  std::string stamp = FileStamp(path_);
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);
  auto entries = Read(path_);
  if (!entries.ok()) {
    spdlog::error("the tokens of back ends have changed and cannot be used, so those before stay in use: {}",
                  std::string(entries.status().message()));
    return;
  }
  spdlog::info("the tokens of back ends have changed: {} tokens now", (*entries)->size());
  MutexLock lock(mu_);
  entries_ = *std::move(entries);
}

}  // namespace hubbub::rpc
