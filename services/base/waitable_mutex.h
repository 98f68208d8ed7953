#pragma once

#include "absl/base/thread_annotations.h"
#include "services/base/mutex.h"

namespace hubbub {

// A Mutex with the names that std::condition_variable_any calls.
class ABSL_LOCKABLE WaitableMutex : public Mutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { Lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { Unlock(); }
};

}  // namespace hubbub
