#include "services/net/seats.h"

#include "services/net/networks.h"
#include "services/net/ticket.h"
#include "spdlog/spdlog.h"

namespace hubbub::net {

std::optional<Ticket> Seats::Take(Machine machine) {
  Stay stay = Stay::kPlace;
  bool none_left = false;
  bool too_many = false;
  bool now_full = false;
  {
    MutexLock lock(mu_);
    const bool no_place = drain_reason_.has_value() || taken_ >= capacity_;
    too_many = !no_place && !Count(machine);
    if (!no_place && !too_many) {
      now_full = ++taken_ == capacity_;
    } else if (guests_ + kept_.size() < MostGuests(capacity_)) {
      ++guests_;
      stay = too_many ? Stay::kExtra : Stay::kGuest;
    } else {
      none_left = true;
    }
  }
  if (too_many) LogTooMany(machine);
  if (now_full) Tell();
  if (none_left) return std::nullopt;
  return Ticket(shared_from_this(), stay, machine);
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
    if (guests_ + kept_.size() < MostGuests(capacity_)) {
      ++guests_;
      stay = Stay::kExtra;
    }
  }
  LogTooMany(to);
  Leave(Stay::kPlace, kAnyMachine);
  return stay;
}

void Seats::Leave(Stay stay, Machine machine) {
  {
    MutexLock lock(mu_);
    if (stay != Stay::kPlace) {
      --guests_;
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

std::shared_ptr<KeptConnections::Kept> Seats::Keep(Machine machine, std::function<void()> lost) {
  KeptConnections::Added added;
  {
    MutexLock lock(mu_);
    if (drain_reason_.has_value() || guests_ + kept_.size() >= MostGuests(capacity_)) return nullptr;
    added = kept_.Add(machine, std::move(lost));
    // The one that has to go is a guest until it does.
    if (added.one_is_lost) ++guests_;
  }
  if (added.tell) added.tell();
  if (added.kept != nullptr) Leave(Stay::kPlace, machine);
  return std::move(added.kept);
}

bool Seats::Renew(const KeptConnections::Kept& kept) {
  MutexLock lock(mu_);
  return !drain_reason_.has_value() && kept_.Renew(kept);
}

void Seats::LeaveKept(const KeptConnections::Kept& kept) {
  MutexLock lock(mu_);
  if (!kept_.Remove(kept)) --guests_;
}

Stay Seats::TakePlace(const KeptConnections::Kept& kept, Machine machine) {
  Stay stay = Stay::kPlace;
  bool now_full = false;
  {
    MutexLock lock(mu_);
    if (!kept_.Remove(kept)) --guests_;
    if (drain_reason_.has_value() || taken_ >= capacity_) {
      ++guests_;
      return Stay::kGuest;
    }
    if (Count(machine)) {
      now_full = ++taken_ == capacity_;
    } else {
      stay = Stay::kExtra;
      ++guests_;
    }
  }
  if (stay == Stay::kExtra) LogTooMany(machine);
  if (now_full) Tell();
  return stay;
}

void Seats::Drain(std::string reason) {
  MutexLock lock(mu_);
  drain_reason_ = std::move(reason);
}

bool Seats::draining() const {
  MutexLock lock(mu_);
  return drain_reason_.has_value();
}

std::string Seats::reason(Stay guest) const {
  MutexLock lock(mu_);
  return drain_reason_.value_or(std::string(guest == Stay::kExtra ? kTooMany : "full"));
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
  return kept_.size();
}

void Seats::LogTooMany(Machine machine) {
  if (!lines_.Admit("machine", LineLimit::Clock::now())) return;
  uint64_t refused = 0;
  {
    MutexLock lock(mu_);
    refused = refused_machines_;
  }
  spdlog::warn(
      "the machine of {} has {} clients, as many as one may have; further ones are turned away, {} so far",
      MachineText(machine), most_of_one_, refused);
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
