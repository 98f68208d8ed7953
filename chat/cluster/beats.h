#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "chat/store/store.h"

namespace hubbub::chat {

// Judges by the beats in the store which chat servers are gone: a server is gone if its beat has stood still
// for kGoneMs of this server's clock, while this server read the store all the time. A store that was away,
// or a stop of this process, makes nobody gone. Pure. Not thread-safe. Times are SteadyNowMs.
class Beats {
 public:
  static constexpr int64_t kGoneMs = 5'000;
  // Reads that are further apart prove nothing about the time between them.
  static constexpr int64_t kLongestGapMs = 1'500;

  // Takes what was just read, and answers the servers that are gone by it and not yet marked so. `self` is
  // never among them.
  std::vector<StoredServer> Observe(const StoreView& view, uint64_t self, int64_t now_ms);

 private:
  struct Beat {
    int64_t beat = 0;
    int64_t since_ms = 0;  // Since when it has stood there.
  };

  absl::flat_hash_map<uint64_t, Beat> beats_;  // By incarnation.
  int64_t observed_ms_ = 0;                    // 0: never.
};

}  // namespace hubbub::chat
