#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace hubbub::chat {

// What may hold back what it is told until more has come.
class Gathered {
 public:
  virtual ~Gathered() = default;
  // Sends what was held back. Called without a lock.
  virtual void Flush() {}
};

// Lets what many sends in a row bring leave together: made before the first one, given to each, and destroyed
// after the last, without a lock held. For one thread.
class Gather {
 public:
  Gather() = default;
  ~Gather() {
    for (const std::shared_ptr<Gathered>& one : waiting_) one->Flush();
  }
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  // `one` holds something back: calls its Flush in the end.
  void Add(std::shared_ptr<Gathered> one) { waiting_.push_back(std::move(one)); }

 private:
  std::vector<std::shared_ptr<Gathered>> waiting_;
};

}  // namespace hubbub::chat
