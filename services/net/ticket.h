#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/net/seats.h"

namespace hubbub::net {

// Counts one client from accept to the end of its socket. Move-only. Loop-only, as its client is.
class Ticket {
 public:
  ~Ticket() {
    if (seats_ == nullptr) return;
    kept_ == nullptr ? seats_->Leave(stay_, machine_) : seats_->LeaveKept(*kept_);
  }
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

  // The client cannot stay.
  bool guest() const { return stay_ == Stay::kGuest || too_many(); }
  // The same, because its machine has as many places as one may have.
  bool too_many() const { return stay_ == Stay::kExtra; }
  // What a guest is told; nothing for others.
  std::optional<std::string> refusal() const {
    return guest() ? std::optional(seats_->reason(stay_)) : std::nullopt;
  }
  // Gives the place up: the client cannot stay any more. For one that has none it does nothing.
  void BecomeGuest() {
    if (stay_ != Stay::kPlace) return;
    stay_ = Stay::kGuest;
    seats_->BecomeGuest(machine_);
  }
  // Gives the place up, but the connection may stay for another HTTP request. False, and nothing else, for a
  // guest, or if there are too many such connections or this server drains. `lost` is called, on any thread,
  // if the connection has to make room for another one: it may end what it is at, and has to end then. Later
  // calls, of which each is the next request's, return false from then on.
  bool Keep(std::function<void()> lost) {
    if (kept_ != nullptr) return seats_->Renew(*kept_);
    if (stay_ != Stay::kPlace) return false;
    kept_ = seats_->Keep(machine_, std::move(lost));
    if (kept_ != nullptr) stay_ = Stay::kKept;
    return kept_ != nullptr;
  }
  // The client is another machine's than it seemed: a proxy speaks for it. If that machine has too many
  // places, the client is a guest; false if there are too many guests already: then it has to go at once.
  bool BelongTo(Seats::Machine machine) {
    const Seats::Machine before = std::exchange(machine_, machine);
    if (stay_ != Stay::kPlace || before == machine) return true;
    const auto stay = seats_->Move(before, machine);
    stay_ = stay.value_or(Stay::kGuest);
    if (!stay) seats_ = nullptr;
    return stay.has_value();
  }
  // Takes a place again after Keep. If there is none, the client is a guest.
  void TakePlace() {
    if (kept_ != nullptr) stay_ = seats_->TakePlace(*std::exchange(kept_, nullptr), machine_);
  }

 private:
  friend class Seats;
  Ticket(std::shared_ptr<Seats> seats, Stay stay, Seats::Machine machine)
      : seats_(std::move(seats)), stay_(stay), machine_(machine) {}

  std::shared_ptr<Seats> seats_;
  Stay stay_;
  Seats::Machine machine_;
  std::shared_ptr<KeptConnections::Kept> kept_;  // With kKept.
};

}  // namespace hubbub::net
