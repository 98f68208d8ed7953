#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "chat/rooms/send_waiter.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// Does the sends of one stream, orders their answers, and remembers which chains are broken:
// ChatService.SendStream without its gRPC rim. The answers of a chain come in the order of its sends,
// although some are known at once and others when the log has the message. One thread at a time calls Do;
// everything else is thread-safe. Shared by its stream and the sends that are pending.
class SendChains final : public SendWaiter, public std::enable_shared_from_this<SendChains> {
 public:
  // Does one send; what it pushes may wait for the others of its message in `gather`. If it is pending, it
  // has taken the ticket. An error other than UNKNOWN means that nothing has happened.
  using DoSend = std::function<absl::StatusOr<SendResult>(const v1::ChainedSend& send, Gather& gather,
                                                          SendTicket& ticket)>;
  // Takes answers, which are in order. Called with a lock held: it must call nothing here.
  using OnAnswers = std::function<void(v1::SendStreamResponse& answers)>;

  SendChains(DoSend do_send, OnAnswers on_answers)
      : do_send_(std::move(do_send)), on_answers_(std::move(on_answers)) {}

  // Does the sends of `request`. RESOURCE_EXHAUSTED if there are too many broken chains whose end the caller
  // has not told.
  absl::Status Do(const v1::SendStreamRequest& request) ABSL_LOCKS_EXCLUDED(mu_);
  // Nobody takes answers any more, from the return of this on.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  void OnSent(uint64_t tag, const absl::StatusOr<SendResult>& result, Gather& gather) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void Flush() override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Clock = std::chrono::steady_clock;
  // What an answer says of its send.
  struct Asked {
    uint64_t chain = 0;
    uint64_t number = 0;
    std::string request_id{};  // These two while requests are logged.
    Clock::time_point came{};
  };
  // A send of a chain in which one is pending: its answer waits for those before it.
  struct Next {
    uint64_t tag = 0;
    bool known = false;
    v1::SendAnswer answer{};
  };
  struct Chain {
    std::string room;
    std::deque<Next> line;
  };

  static constexpr size_t kMostBroken = 65'536;

  void DoOne(const v1::ChainedSend& send, Asked&& asked, Gather& gather, SendTicket& ticket)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<SendResult> Try(const v1::ChainedSend& send, Gather& gather, SendTicket& ticket)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes the answer, and breaks the chain if it says that the send is to be done again.
  v1::SendAnswer Answer(const Asked& asked, const absl::StatusOr<SendResult>& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Deliver() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const DoSend do_send_;
  Mutex mu_;
  OnAnswers on_answers_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<uint64_t> broken_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint64_t, Asked> pending_ ABSL_GUARDED_BY(mu_);  // By the tag.
  absl::flat_hash_map<uint64_t, Chain> chains_ ABSL_GUARDED_BY(mu_);   // Those with pending sends.
  uint64_t last_tag_ ABSL_GUARDED_BY(mu_) = 0;
  v1::SendStreamResponse ready_ ABSL_GUARDED_BY(mu_);
  bool gathered_ ABSL_GUARDED_BY(mu_) = false;  // A Gather will Flush it.
};

}  // namespace hubbub::chat
