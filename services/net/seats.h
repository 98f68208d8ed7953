#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "services/base/line_limit.h"
#include "services/base/mutex.h"
#include "services/net/kept_connections.h"

namespace hubbub::net {

class Ticket;

// How a client is counted.
enum class Stay {
  kPlace,  // It has a place, from accept on.
  kGuest,  // It is being told that it cannot stay.
  kExtra,  // A guest too: there is room, but its machine has all the places that one may have.
  kKept,   // It speaks HTTP, has an answer, and may ask again: it needs no place.
};

// Counts the clients of a listener, and decides which clients it turns away and why. A client that is turned
// away is a guest while the listener tells it so; guests are counted apart from places, and their number is
// bounded too. Thread-safe. Shared by the listener and its tickets.
class Seats : public std::enable_shared_from_this<Seats> {
 public:
  // The most guests at a time, so that a flood of clients that cannot stay costs no more than that. An eighth
  // of the places, because each is an open file (services/program/file_limit.h keeps as many).
  static constexpr int MostGuests(int capacity) { return std::clamp(capacity / 8, 16, 512); }

  // The most HTTP connections that are kept open between requests at a time. They count towards MostGuests,
  // half of which always remains for clients that are being turned away.
  static constexpr int MostKept(int capacity) { return MostGuests(capacity) / 2; }
  // And the most of them that one machine may have. One that wants more loses its oldest, and so does the
  // one that has most of all, if there are too many in all.
  static constexpr int MostKeptOfOne(int capacity) { return std::max(MostKept(capacity) / 4, 2); }

  // A client's machine, as MachineOf tells it.
  using Machine = KeptConnections::Machine;
  // Stands for clients whose machine is not known; they are not bounded by it.
  static constexpr Machine kAnyMachine = 0;

  // `most_of_one`: the most places that clients of one machine may have.
  Seats(int capacity, int most_of_one)
      : capacity_(capacity), most_of_one_(most_of_one), kept_(MostKept(capacity), MostKeptOfOne(capacity)) {}
  explicit Seats(int capacity) : Seats(capacity, capacity) {}

  // A place for one more client, or for a guest if this server drains, is full, or is so for this machine;
  // nothing if there are too many guests already.
  std::optional<Ticket> Take(Machine machine = kAnyMachine) ABSL_LOCKS_EXCLUDED(mu_);

  // From now on all new clients are guests, and are told `reason`.
  void Drain(std::string reason) ABSL_LOCKS_EXCLUDED(mu_);
  bool draining() const ABSL_LOCKS_EXCLUDED(mu_);
  // What guests are told: what Drain said, kTooMany, or "full". A client that is told "full" finds a place at
  // another server; who has too many clients already is not to go round all of them, but to wait.
  std::string reason(Stay guest = Stay::kGuest) const ABSL_LOCKS_EXCLUDED(mu_);
  static constexpr std::string_view kTooMany = "too-many";

  int taken() const ABSL_LOCKS_EXCLUDED(mu_);
  int guests() const ABSL_LOCKS_EXCLUDED(mu_);
  int kept() const ABSL_LOCKS_EXCLUDED(mu_);
  int capacity() const { return capacity_; }

  // Calls `listener` when the last place is taken, and when there is one again: on the thread where that
  // happens, outside the lock. Once it has been replaced, here by nothing, it is called no more.
  void OnFullChange(std::function<void()> listener) ABSL_LOCKS_EXCLUDED(listener_mu_);

 private:
  friend class Ticket;
  void Leave(Stay stay, Machine machine) ABSL_LOCKS_EXCLUDED(mu_);
  void BecomeGuest(Machine machine) ABSL_LOCKS_EXCLUDED(mu_);
  // As Ticket::Keep has it, of a client that has a place. Null: no.
  std::shared_ptr<KeptConnections::Kept> Keep(Machine machine, std::function<void()> lost)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The connection is still kept, and is the newest now.
  bool Renew(const KeptConnections::Kept& kept) ABSL_LOCKS_EXCLUDED(mu_);
  void LeaveKept(const KeptConnections::Kept& kept) ABSL_LOCKS_EXCLUDED(mu_);
  Stay TakePlace(const KeptConnections::Kept& kept, Machine machine) ABSL_LOCKS_EXCLUDED(mu_);
  // The place is another machine's. If that has too many, its client is an extra one, or nothing.
  std::optional<Stay> Move(Machine from, Machine to) ABSL_LOCKS_EXCLUDED(mu_);
  // One more place of the machine; false, and nothing else, if that is one too many.
  bool Count(Machine machine) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Uncount(Machine machine) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Logs that the machine has too many, as far as the log may take it. Called where that is found, on
  // whatever thread: who came last to the port is often another one.
  void LogTooMany(Machine machine) ABSL_LOCKS_EXCLUDED(mu_);
  void Tell() ABSL_LOCKS_EXCLUDED(listener_mu_, mu_);

  const int capacity_;
  const int most_of_one_;
  mutable Mutex mu_;
  absl::flat_hash_map<Machine, int> machines_
      ABSL_GUARDED_BY(mu_);  // Their places; those with none are not here.
  uint64_t refused_machines_ ABSL_GUARDED_BY(mu_) = 0;
  int taken_ ABSL_GUARDED_BY(mu_) = 0;
  int guests_ ABSL_GUARDED_BY(mu_) = 0;
  KeptConnections kept_ ABSL_GUARDED_BY(mu_);
  std::optional<std::string> drain_reason_ ABSL_GUARDED_BY(mu_);
  Mutex listener_mu_;
  std::function<void()> listener_ ABSL_GUARDED_BY(listener_mu_);
  LineLimit lines_;
};

}  // namespace hubbub::net
