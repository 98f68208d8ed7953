#include "services/net/seats.h"

#include "services/net/ticket.h"

namespace hubbub::net {

std::optional<Ticket> Seats::Take() {
  bool now_full = false;
  {
    MutexLock lock(mu_);
    if (drain_reason_.has_value() || taken_ >= capacity_) {
      if (guests_ + kept_ >= MostGuests(capacity_)) return std::nullopt;
      ++guests_;
      return Ticket(shared_from_this(), Stay::kGuest);
    }
    now_full = ++taken_ == capacity_;
  }
  if (now_full) Tell();
  return Ticket(shared_from_this(), Stay::kPlace);
}

void Seats::Leave(Stay stay) {
  {
    MutexLock lock(mu_);
    if (stay != Stay::kPlace) {
      --(stay == Stay::kGuest ? guests_ : kept_);
      return;
    }
    if (taken_-- != capacity_) return;
  }
  Tell();
}

void Seats::BecomeGuest() {
  {
    MutexLock lock(mu_);
    ++guests_;
  }
  Leave(Stay::kPlace);
}

bool Seats::Keep() {
  {
    MutexLock lock(mu_);
    if (drain_reason_.has_value() || kept_ >= MostKept(capacity_) || guests_ + kept_ >= MostGuests(capacity_))
      return false;
    ++kept_;
  }
  Leave(Stay::kPlace);
  return true;
}

Stay Seats::TakePlace() {
  bool now_full = false;
  {
    MutexLock lock(mu_);
    --kept_;
    if (drain_reason_.has_value() || taken_ >= capacity_) {
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

void Seats::OnFullChange(std::function<void()> listener) {
  MutexLock lock(listener_mu_);
  listener_ = std::move(listener);
}

void Seats::Tell() {
  MutexLock lock(listener_mu_);
  if (listener_) listener_();
}

}  // namespace hubbub::net
