#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "gateway/entry_table.h"
#include "services/base/mutex.h"

namespace hubbub::gate {

// Answers clients who ask for their connector, and remembers for a while what it has answered.
//
// A user who asks again over another connection within kMemory (a client's time-out and the longest pause of
// hubbub-client.js before it asks again fit into that) may have reloaded a page, or opened another: the
// answer is the same once more. A user who asks a third time has not stayed at the connector that was named:
// it was full, or cannot be reached from where the user is, or the connection broke. So from then on the
// answer is another one, if any has room: never one that was named since, until all have been named. Stock
// clients need do nothing for that but ask again. The same connection asking again has the same answer, for
// as long as that connector has room. The first answer to a user is that of EntryTable, which is the same at
// every gate; of another gate's answers a gate knows nothing, so behind a load balancer it may take some
// questions more.
//
// Bound: kMaxUsers; of more, those who asked longest ago are forgotten. Thread-safe.
class EntryDesk {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kMemory{30};
  static constexpr size_t kMaxUsers = 65'536;
  // More than one asks in vain before it gives up.
  static constexpr size_t kMaxNamed = 32;

  // `table` outlives it.
  explicit EntryDesk(EntryTable& table) : table_(table) {}

  // The connector of `user`. `connection`: names the connection that asks, at this gate. Errors:
  // EntryTable's.
  absl::StatusOr<ConnectorState> Ask(std::string_view user, uint64_t connection, Clock::time_point now)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Asker {
    uint64_t connection = 0;
    bool came_back = false;  // Over another connection, and had the same answer once more.
    Clock::time_point asked;
    std::vector<std::string> named;  // Connectors, each once, the last one at the end.
  };
  using Askers = absl::flat_hash_map<uint64_t, Asker>;

  Asker& Find(uint64_t user, Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  EntryTable& table_;
  Mutex mu_;
  // By the users' hashes: two that have the same one move each other on, which does no harm. In two
  // generations, of which the older one goes when the younger one is half of the bound or kMemory old.
  Askers young_ ABSL_GUARDED_BY(mu_);
  Askers old_ ABSL_GUARDED_BY(mu_);
  Clock::time_point young_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::gate
