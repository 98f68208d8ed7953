#pragma once

#include <array>
#include <chrono>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "services/base/mutex.h"
#include "services/net/connection.h"

struct ssl_ctx_st;

namespace hubbub::net {

// The keys that seal the tickets by which clients resume their TLS sessions (RFC 5077; RFC 8446, 4.6.1). They
// are in memory alone, and of this process: all of its loops and all certificates that follow each other
// share them. A ticket is sealed with the newest key, which lasts for kLife, and can be opened for as long
// again: an attacker who reads this process's memory later cannot read what was said before. Thread-safe.
class TicketKeys {
 public:
  // Of a key, and of a ticket.
  static constexpr std::chrono::hours kLife{6};
  using Name = std::array<unsigned char, 16>;

  struct Key {
    Key();
    ~Key();
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;

    Name name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };

  // For a new ticket. `now` is Clock::now(), here and in Find.
  std::shared_ptr<const Key> Newest(Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);
  // What a ticket was sealed with; null if there is no such key any more.
  std::shared_ptr<const Key> Find(const Name& name, Clock::time_point now) ABSL_LOCKS_EXCLUDED(mu_);

  // Has the sessions of `context` use these keys, which must outlive their handshakes.
  void UseIn(ssl_ctx_st* context);

 private:
  void Rotate(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  Clock::time_point made_at_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const Key> newest_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const Key> before_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hubbub::net
