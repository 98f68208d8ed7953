#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// Keeps a chat server without a store from serving while the directory lists other chat servers, because
// nothing decides between them. Thread-safe.
class Rivals {
 public:
  // `id`: this server's.
  explicit Rivals(std::string id) : id_(std::move(id)) {}

  // The ids of the others that the directory lists.
  void Set(std::vector<std::string> ids) ABSL_LOCKS_EXCLUDED(mu_);
  // FAILED_PRECONDITION while there are any: says what to do. It names no owner, for nobody can be asked
  // instead.
  absl::Status MayServe() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const std::string id_;
  mutable Mutex mu_;
  std::vector<std::string> ids_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::chat
