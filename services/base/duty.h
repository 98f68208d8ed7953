#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hubbub {

// The duty to answer once: with `dropped` if it ends without an answer, such as with a task that never ran.
// Not thread-safe; shared by those of whom one answers.
template <typename Result>
class Duty {
 public:
  using Done = std::function<void(absl::StatusOr<Result>)>;

  Duty(Done done, absl::Status dropped) : done_(std::move(done)), dropped_(std::move(dropped)) {}
  ~Duty() { Answer(dropped_); }
  Duty(const Duty&) = delete;
  Duty& operator=(const Duty&) = delete;

  void Answer(absl::StatusOr<Result> result) {
    if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
  }

 private:
  Done done_;
  const absl::Status dropped_;
};

}  // namespace hubbub
