#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/base/mutex.h"
#include "services/signin/key.h"
#include "services/signin/pass.h"

namespace hubbub::signin {

// Turns sign-in tokens into passes, by the keys in files, which it reads again when they change. Thread-safe,
// but for Poll, which is for one thread.
class TokenChecker {
 public:
  // `keys`: see ReadKeys, whose error this returns.
  static absl::StatusOr<std::unique_ptr<TokenChecker>> Open(std::string keys, PassRules rules);

  // UNAUTHENTICATED: a sentence for the holder that says what is wrong.
  absl::StatusOr<Pass> Check(std::string_view token, int64_t now_ms) const ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the files again if they have changed since the last call. What cannot be read is logged once, and
  // the keys before stay in use: an issuer that writes half a file signs nobody out. Several times a second.
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Keys = std::shared_ptr<const std::vector<Key>>;

  TokenChecker(std::string path, PassRules rules, std::string stamp, Keys keys);

  const std::string path_;
  const PassRules rules_;
  std::string stamp_;  // FilesStamp when the files were read last.
  mutable Mutex mu_;
  Keys keys_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::signin
