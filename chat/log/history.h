#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "chat/log/held_slots.h"
#include "chat/log/retention.h"
#include "chat/store/store.h"
#include "services/base/mutex.h"
#include "services/base/task_thread.h"

namespace hubbub::chat {

// Reads old messages of rooms, and deletes those that are not kept any longer: a thread with a connection to
// the store, so that rooms and appends do not wait for it. Thread-safe, but for Start and Stop, which belong
// to the owner.
class History {
 public:
  using OpenStore = std::function<absl::StatusOr<std::unique_ptr<Store>>()>;
  template <typename Result>
  using Done = std::function<void(absl::StatusOr<Result>)>;

  // `slots` outlives this object: of these, old messages are deleted.
  History(const HeldSlots& slots, Retention::Options retention, OpenStore open)
      : open_(std::move(open)), retention_(slots, std::move(retention)) {}
  ~History() { Stop(); }

  void Start();
  void Stop();

  // Each calls `done` once, on the thread of this object, or within the call if it does not run.
  void Page(HistoryQuery query, Done<HistoryPage> done);
  // Messages with greater offsets than `after`, in order, some hundred at most; none: there are no more.
  void After(std::string room, int64_t after, Done<std::vector<LoggedEvent>> done);
  // Deletes the messages up to `offset`; 0: all that the store has. Answers up to where.
  void Delete(std::string room, int64_t offset, Done<int64_t> done);

  const Retention& retention() const { return retention_; }

 private:
  static constexpr size_t kMostWaiting = 1'024;
  static constexpr int64_t kWindow = 256;  // Offsets that After looks at in one statement.

  template <typename Result>
  void Ask(std::function<absl::StatusOr<Result>(Store&)> ask, Done<Result> done);
  // The connection, for the thread.
  absl::StatusOr<Store*> Line();
  std::chrono::milliseconds Round();

  const OpenStore open_;
  Retention retention_;  // The thread's.
  std::atomic<size_t> waiting_ = 0;
  Mutex mu_;
  std::unique_ptr<Store> store_ ABSL_GUARDED_BY(mu_);  // Used on the thread; interrupted from any.
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  TaskThread thread_;  // The last member: it uses the others.
};

}  // namespace hubbub::chat
