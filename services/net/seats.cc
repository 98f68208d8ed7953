#include "services/net/seats.h"

namespace hubbub::net {

std::optional<Ticket> Seats::Take() {
  bool guest = false;
  bool now_full = false;
  {
    MutexLock lock(mu_);
    guest = drain_reason_.has_value() || taken_ >= capacity_;
    if (guest) {
      if (guests_ >= MostGuests(capacity_)) return std::nullopt;
      ++guests_;
    } else {
      now_full = ++taken_ == capacity_;
    }
  }
  if (now_full) Tell();
  return Ticket(shared_from_this(), guest);
}

void Seats::Leave(bool guest) {
  {
    MutexLock lock(mu_);
    if (guest) {
      --guests_;
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
  Leave(/*guest=*/false);
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

void Seats::OnFullChange(std::function<void()> listener) {
  MutexLock lock(listener_mu_);
  listener_ = std::move(listener);
}

void Seats::Tell() {
  MutexLock lock(listener_mu_);
  if (listener_) listener_();
}

}  // namespace hubbub::net
