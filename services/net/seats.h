#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/mutex.h"

namespace hubbub::net {

class Ticket;

// Who may come in: counts the clients of a listener, and says who is turned away and why. A client that is
// turned away is a guest for as long as it takes to tell it so; guests are counted by themselves, and
// bounded. Thread-safe. Shared by the listener and its tickets.
class Seats : public std::enable_shared_from_this<Seats> {
 public:
  // So many clients are being told at a time why they cannot stay: a flood of them costs no more than that.
  // An eighth of the places, because each is an open file (services/file_limit.h keeps as many).
  static constexpr int MostGuests(int capacity) { return std::clamp(capacity / 8, 16, 512); }

  explicit Seats(int capacity) : capacity_(capacity) {}

  // A place for one more client, or for a guest if this server drains or is full; nothing if there are too
  // many guests already.
  std::optional<Ticket> Take() ABSL_LOCKS_EXCLUDED(mu_);

  // From now on all who come are guests, and are told `reason`.
  void Drain(std::string reason) ABSL_LOCKS_EXCLUDED(mu_);
  bool draining() const ABSL_LOCKS_EXCLUDED(mu_);
  // What guests are told: "full", or what Drain said.
  std::string reason() const ABSL_LOCKS_EXCLUDED(mu_);

  int taken() const ABSL_LOCKS_EXCLUDED(mu_);
  int guests() const ABSL_LOCKS_EXCLUDED(mu_);
  int capacity() const { return capacity_; }

  // Calls `listener` when the last place is taken, and when there is one again: on the thread where that
  // happens, outside the lock. Once it has been replaced, here by nothing, it is called no more.
  void OnFullChange(std::function<void()> listener) ABSL_LOCKS_EXCLUDED(listener_mu_);

 private:
  friend class Ticket;
  void Leave(bool guest) ABSL_LOCKS_EXCLUDED(mu_);
  void BecomeGuest() ABSL_LOCKS_EXCLUDED(mu_);
  void Tell() ABSL_LOCKS_EXCLUDED(listener_mu_, mu_);

  const int capacity_;
  mutable Mutex mu_;
  int taken_ ABSL_GUARDED_BY(mu_) = 0;
  int guests_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<std::string> drain_reason_ ABSL_GUARDED_BY(mu_);
  Mutex listener_mu_;
  std::function<void()> listener_ ABSL_GUARDED_BY(listener_mu_);
};

// Counts one client from accept to the end of its socket. Move-only. Loop-only, as its client is.
class Ticket {
 public:
  ~Ticket() {
    if (seats_ != nullptr) seats_->Leave(guest_);
  }
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

  // The client can not stay.
  bool guest() const { return guest_; }
  // Gives the place up; the client can not stay any more.
  void BecomeGuest() {
    if (!std::exchange(guest_, true)) seats_->BecomeGuest();
  }

 private:
  friend class Seats;
  Ticket(std::shared_ptr<Seats> seats, bool guest) : seats_(std::move(seats)), guest_(guest) {}

  std::shared_ptr<Seats> seats_;
  bool guest_;
};

}  // namespace hubbub::net
