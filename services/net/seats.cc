#include "services/net/seats.h"

#include "services/net/ticket.h"

namespace hubbub::net {

std::optional<Ticket> Seats::Take(Machine machine) {
  bool now_full = false;
  {
    MutexLock lock(mu_);
    if (drain_reason_.has_value() || taken_ >= capacity_ || !Count(machine)) {
      if (guests_ + kept_ >= MostGuests(capacity_)) return std::nullopt;
      ++guests_;
      return Ticket(shared_from_this(), Stay::kGuest, machine);
    }
    now_full = ++taken_ == capacity_;
  }
  if (now_full) Tell();
  return Ticket(shared_from_this(), Stay::kPlace, machine);
}

bool Seats::Count(Machine machine) {
  if (machine == kAnyMachine) return true;
  const auto [at, is_new] = machines_.try_emplace(machine, 0);
  if (at->second >= most_of_one_) {
    ++refused_machines_;
    return false;
  }
  ++at->second;
  return true;
}

void Seats::Uncount(Machine machine) {
  const auto at = machines_.find(machine);
  if (at != machines_.end() && --at->second == 0) machines_.erase(at);
}

std::optional<Stay> Seats::Move(Machine from, Machine to) {
  std::optional<Stay> stay;
  {
    MutexLock lock(mu_);
    Uncount(from);
    if (Count(to)) return Stay::kPlace;
    if (guests_ + kept_ < MostGuests(capacity_)) {
      ++guests_;
      stay = Stay::kGuest;
    }
  }
  Leave(Stay::kPlace, kAnyMachine);
  return stay;
}

void Seats::Leave(Stay stay, Machine machine) {
  {
    MutexLock lock(mu_);
    if (stay != Stay::kPlace) {
      --(stay == Stay::kGuest ? guests_ : kept_);
      return;
    }
    Uncount(machine);
    if (taken_-- != capacity_) return;
  }
  Tell();
}

void Seats::BecomeGuest(Machine machine) {
  {
    MutexLock lock(mu_);
    ++guests_;
  }
  Leave(Stay::kPlace, machine);
}

bool Seats::Keep(Machine machine) {
  {
    MutexLock lock(mu_);
    if (drain_reason_.has_value() || kept_ >= MostKept(capacity_) || guests_ + kept_ >= MostGuests(capacity_))
      return false;
    ++kept_;
  }
  Leave(Stay::kPlace, machine);
  return true;
}

Stay Seats::TakePlace(Machine machine) {
  bool now_full = false;
  {
    MutexLock lock(mu_);
    --kept_;
    if (drain_reason_.has_value() || taken_ >= capacity_ || !Count(machine)) {
      ++guests_;
      return Stay::kGuest;
    }
    now_full = ++taken_ == capacity_;
  }
  if (now_full) Tell();
  return Stay::kPlace;
}

void Seats::Drain(std::string reason) {
  MutexLock lock(mu_);
  drain_reason_ = std::move(reason);
}

bool Seats::draining() const {
  MutexLock lock(mu_);
  return drain_reason_.has_value();
}

std::string Seats::reason() const {
  MutexLock lock(mu_);
  return drain_reason_.value_or("full");
}

int Seats::taken() const {
  MutexLock lock(mu_);
  return taken_;
}

int Seats::guests() const {
  MutexLock lock(mu_);
  return guests_;
}

int Seats::kept() const {
  MutexLock lock(mu_);
  return kept_;
}

uint64_t Seats::refused_machines() const {
  MutexLock lock(mu_);
  return refused_machines_;
}

void Seats::OnFullChange(std::function<void()> listener) {
  MutexLock lock(listener_mu_);
  listener_ = std::move(listener);
}

void Seats::Tell() {
  MutexLock lock(listener_mu_);
  if (listener_) listener_();
}

}  // namespace hubbub::net
