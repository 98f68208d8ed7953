#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "services/metrics/counter.h"

namespace hubbub::chat {

// Whether the store answers, by what the latest call of it has brought. Logs each change once, and not each
// failure of a store that stays away. Tell is for one thread; the rest is thread-safe.
class StoreHealth {
 public:
  // A call has ended like this. CANCELLED says nothing of the store: this server ends.
  void Tell(const absl::Status& status);

  // False until the first answer.
  bool answers() const { return answers_; }
  // How often a call has failed.
  uint64_t errors() const { return errors_.value(); }

 private:
  metrics::Counter errors_;
  std::atomic<bool> answers_ = false;
  bool told_ = false;  // The log says that it does not answer.
};

}  // namespace hubbub::chat
