#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "chat/rooms/gather.h"

namespace hubbub::chat {

struct SendResult {
  uint64_t offset = 0;
  uint64_t epoch = 0;
  int64_t time_ms = 0;
  size_t recipients = 0;  // Users.
  bool repeated = false;  // This is the answer to an earlier send of the same id.
  // The send waits in the room's line for the log: its SendTicket is told later, and nothing else is set.
  bool pending = false;
};

// Is told what became of sends that were pending. Thread-safe.
class SendWaiter : public Gathered {
 public:
  // Called once for each such send, without a lock held. UNKNOWN: it may have been done, ask again with the
  // same id. Another error: nothing has happened. May hold the answer back until Flush, if it adds itself to
  // `gather`.
  virtual void OnSent(uint64_t tag, const absl::StatusOr<SendResult>& result, Gather& gather) = 0;
};

// Whom to tell of one send. `tag` is the waiter's own name for it.
struct SendTicket {
  std::shared_ptr<SendWaiter> waiter;  // May be null: nobody is told.
  uint64_t tag = 0;
};

// What became of a send, to be told once no lock is held.
struct SendOutcome {
  SendTicket ticket;
  absl::StatusOr<SendResult> result;
};

inline void Tell(const std::vector<SendOutcome>& outcomes, Gather& gather) {
  for (const SendOutcome& one : outcomes) one.ticket.waiter->OnSent(one.ticket.tag, one.result, gather);
}

}  // namespace hubbub::chat
