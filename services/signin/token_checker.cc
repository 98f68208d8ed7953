#include "services/signin/token_checker.h"

#include <utility>

#include "services/signin/jws.h"
#include "services/signin/key_files.h"
#include "spdlog/spdlog.h"

namespace hubbub::signin {
namespace {

void LogSkipped(const KeySet& set) {
  for (const std::string& reason : set.skipped) spdlog::warn("a key is not for sign-in: {}", reason);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokenChecker>> TokenChecker::Open(std::string keys, PassRules rules) {
  // First, so that a change while they are read is seen by the first Poll.
  std::string stamp = FilesStamp(keys);
  auto set = ReadKeys(keys);
  if (!set.ok()) return set.status();
  LogSkipped(*set);
  return std::unique_ptr<TokenChecker>(
      new TokenChecker(std::move(keys), std::move(rules), std::move(stamp),
                       std::make_shared<const std::vector<Key>>(std::move(set->keys))));
}

TokenChecker::TokenChecker(std::string path, PassRules rules, std::string stamp, Keys keys)
    : path_(std::move(path)), rules_(std::move(rules)), stamp_(std::move(stamp)), keys_(std::move(keys)) {}

absl::StatusOr<Pass> TokenChecker::Check(std::string_view token, int64_t now_ms) const {
  Keys keys;
  {
    MutexLock lock(mu_);
    keys = keys_;
  }
  const auto claims = OpenToken(token, *keys);
  if (!claims.ok()) return claims.status();
  return ReadPass(*claims, rules_, now_ms);
}

void TokenChecker::Poll() {
  std::string stamp = FilesStamp(path_);
  if (stamp == stamp_) return;
  stamp_ = std::move(stamp);
  auto set = ReadKeys(path_);
  if (!set.ok()) {
    spdlog::error("the keys for sign-in have changed and cannot be used, so those before stay in use: {}",
                  std::string(set.status().message()));
    return;
  }
  LogSkipped(*set);
  spdlog::info("the keys for sign-in have changed: {} keys now", set->keys.size());
  auto keys = std::make_shared<const std::vector<Key>>(std::move(set->keys));
  MutexLock lock(mu_);
  keys_ = std::move(keys);
}

}  // namespace hubbub::signin
