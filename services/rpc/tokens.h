#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/base/mutex.h"
#include "services/rpc/roles.h"

namespace hubbub::rpc {

// The bearer tokens of back ends, from a file that is read again when it changes. A line of it is "NAME
// SCOPES TOKEN", such as "weather publish,read 9f…"; what follows a # at its start is a comment. Kept as
// hashes. Thread-safe, but for Poll, which is for one thread.
class Tokens {
 public:
  // The error says which line is wrong and why, and shows no token.
  static absl::StatusOr<std::unique_ptr<Tokens>> Open(std::string path);

  // Whose token this is; nothing if it is nobody's. Takes as long whatever the token is.
  std::optional<Caller> Find(std::string_view token) const ABSL_LOCKS_EXCLUDED(mu_);

  // Reads the file again if it has changed since the last call. What cannot be used is logged once, and the
  // tokens before stay in use.
  void Poll() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Entry {
    Digest digest;
    Caller caller;
  };
  using Entries = std::shared_ptr<const std::vector<Entry>>;

  // A short token could be guessed.
  static constexpr size_t kMinTokenBytes = 32;
  static constexpr size_t kMaxFileBytes = 1 << 20;

  Tokens(std::string path, std::string stamp, Entries entries);

  static Digest DigestOf(std::string_view token);
  static absl::StatusOr<Entries> Read(const std::string& path);
  static absl::StatusOr<Entry> ReadLine(std::string_view line);

  const std::string path_;
  std::string stamp_;  // FileStamp when the file was read last.
  mutable Mutex mu_;
  Entries entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::rpc
