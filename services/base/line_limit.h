#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "services/base/mutex.h"

namespace hubbub {

// Bounds how often the same line is logged, for lines that one peer can cause as often as it likes. A source
// of lines (a place in a program, such as "file.cc:12") may have kLines of them within kWindow; the first
// line of a later window says how many were left out. Thread-safe.
class LineLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr uint64_t kLines = 10;
  static constexpr std::chrono::seconds kWindow{10};
  // Sources beyond this share one allowance.
  static constexpr size_t kSources = 256;

  // Nothing if the line is not to be logged. Otherwise the number of lines of this source that were left out
  // before it, which the line is to say.
  std::optional<uint64_t> Admit(std::string_view source, Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Source {
    Clock::time_point since;
    uint64_t lines = 0;
    uint64_t left_out = 0;
  };

  Mutex mu_;
  absl::flat_hash_map<std::string, Source> sources_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub
