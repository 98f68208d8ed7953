#pragma once

#include <memory>
#include <utility>

#include "services/net/seats.h"

namespace hubbub::net {

// Counts one client from accept to the end of its socket. Move-only. Loop-only, as its client is.
class Ticket {
 public:
  ~Ticket() {
    if (seats_ != nullptr) seats_->Leave(stay_);
  }
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

  // The client cannot stay.
  bool guest() const { return stay_ == Stay::kGuest; }
  // Gives the place up: the client cannot stay any more. For one that has none it does nothing.
  void BecomeGuest() {
    if (stay_ != Stay::kPlace) return;
    stay_ = Stay::kGuest;
    seats_->BecomeGuest();
  }
  // Gives the place up, but the connection may stay for another HTTP request. False, and nothing else, for a
  // guest, or if there are too many such connections or this server drains.
  bool Keep() {
    if (stay_ == Stay::kPlace && seats_->Keep()) stay_ = Stay::kKept;
    return stay_ == Stay::kKept;
  }
  // Takes a place again after Keep. If there is none, the client is a guest.
  void TakePlace() {
    if (stay_ == Stay::kKept) stay_ = seats_->TakePlace();
  }

 private:
  friend class Seats;
  Ticket(std::shared_ptr<Seats> seats, Stay stay) : seats_(std::move(seats)), stay_(stay) {}

  std::shared_ptr<Seats> seats_;
  Stay stay_;
};

}  // namespace hubbub::net
