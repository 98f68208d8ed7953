#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "services/directory.h"
#include "services/mutex.h"
#include "services/owner_hint.h"

namespace hubbub::chat {

// What another chat server tells of itself, as it concerns this one.
struct PeerStatus {
  std::string id = {};
  uint64_t incarnation = 0;
  uint64_t term = 0;        // Grows whenever `draining` changes.
  bool draining = false;    // It owns nothing: it drains, or has read that it is not in the directory.
  bool settled = false;     // It holds no room that this server should have.
  uint64_t times_lost = 0;  // How often it has found this server to be unreachable.
  // What it has heard of this server last: `settled` holds for that.
  uint64_t heard_incarnation = 0;
  uint64_t heard_term = 0;
  // Servers that have left its directory and may still hold rooms.
  std::vector<ServerInfo> leaving = {};
};

// Who owns a room, as one chat server sees it: the best by rendezvous hash of those that are in the
// directory, can be reached from here and do not drain. ARCHITECTURE.md, "Ownership", says what follows from
// that. Knows nothing of gRPC or of rooms. Thread-safe; never calls anybody with its lock held.
class OwnerTable {
 public:
  struct Owner {
    enum class Kind {
      kSelf,
      kOther,    // `server`.
      kUnclear,  // `server` would own the room, but whether it can be reached is not known yet.
    };
    Kind kind = Kind::kSelf;
    ServerInfo server = {};
  };

  // `id` is the one of this server, `incarnation` names this run of it.
  explicit OwnerTable(std::string id, uint64_t incarnation = 1)
      : id_(std::move(id)), incarnation_(incarnation) {}

  uint64_t incarnation() const;
  // This server has given up all that it held.
  void BeginAnew(uint64_t incarnation);

  void SetServers(const std::vector<ServerInfo>& chats);
  enum class Life {
    kSame,          // The run of that server that was heard of before, or the first one.
    kNew,           // Another one: what that one held is gone.
    kNewAfterLoss,  // The same, of one that was Lost.
  };
  Life Heard(const PeerStatus& status);
  // It can not be reached: neither its stream nor a new one. True if that is news.
  bool Lost(std::string_view id);
  // It is there, but speaks another version of the contract: nobody can say what it holds.
  void Foreign(std::string_view id);
  // From now on this server owns nothing, as long as there is another.
  void Drain();

  // After a pause of this process nothing that was known of the others holds, until each has been heard of,
  // or lost, again.
  void Doubt();
  // True if a peer is still in doubt.
  bool InDoubt() const;
  // True if a peer has said since Doubt that it found this server to be unreachable: it may have taken rooms.
  bool MayHaveLostRooms() const;

  Owner OwnerOf(std::string_view room) const;
  // OK if this server may take a room that another one gives to it. FAILED_PRECONDITION names the owner
  // (BelongsTo); ABORTED: not now.
  absl::Status MayTake(std::string_view room) const;
  // OK if this server may make a room that nobody has given to it. Errors as above.
  absl::Status Claim(std::string_view room) const;
  // True if nothing is in the way of making rooms anew: of every other server it is known whether it can be
  // reached, and those that can hold nothing that this server should have.
  bool Clear() const;
  // True if `id` comes before this server for the room, or is this server.
  bool Outranks(std::string_view id, std::string_view room) const;

  // True if it is not known to be lost, though it may have left the directory.
  bool MayBeReached(std::string_view id) const;
  // The run of it that was heard of last; 0 if there was none.
  uint64_t IncarnationOf(std::string_view id) const;
  // True if it is in the directory, or still can be reached.
  bool Knows(std::string_view id) const;
  // All that it knows. Whoever watches them must be told of each change: some are heard of by others.
  std::vector<ServerInfo> Known() const;

  // Changes whenever an owner may have changed.
  uint64_t generation() const;
  // As of this generation, this server holds no room of another owner.
  void SetSettled(uint64_t generation);
  // What this server tells `peer`.
  PeerStatus StatusFor(std::string_view peer) const;

  // To be set before anything else is called. Called after each change of what StatusFor answers.
  void OnChange(std::function<void()> listener) { listener_ = std::move(listener); }

 private:
  enum class State { kUnclear, kHere, kLost };
  struct Peer {
    ServerInfo info;
    bool listed = true;  // In the directory; one that is not may still hold rooms.
    State state = State::kUnclear;
    bool foreign = false;
    bool draining = false;
    bool settled = false;
    uint64_t incarnation = 0;
    uint64_t term = 0;
    uint64_t heard_incarnation = 0;
    uint64_t heard_term = 0;
    uint64_t times_lost_us = 0;  // As it said.
    uint64_t times_lost = 0;     // By this server.
    bool lost = false;           // Since it was heard of last.
    bool doubted = false;
  };

  Peer* Find(std::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  const Peer* Find(std::string_view id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True if it may own rooms, as far as it concerns this server itself.
  bool Candidate() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return listed_ && !draining_; }
  // True if it has said, of this server as it is now, that it holds nothing that this server should have.
  bool SettledTowardsUs(const Peer& peer) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // True if a room that this server should have may be there.
  bool MayHold(const Peer& peer) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Owner OwnerOfLocked(std::string_view room) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status MayTakeLocked(std::string_view room) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Changed() const {
    if (listener_) listener_();
  }

  const std::string id_;
  std::function<void()> listener_;
  mutable Mutex mu_;
  std::vector<Peer> peers_ ABSL_GUARDED_BY(mu_);
  uint64_t incarnation_ ABSL_GUARDED_BY(mu_);
  uint64_t term_ ABSL_GUARDED_BY(mu_) = 1;
  bool listed_ ABSL_GUARDED_BY(mu_) = true;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool may_have_lost_rooms_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t generation_ ABSL_GUARDED_BY(mu_) = 1;
  uint64_t settled_ ABSL_GUARDED_BY(mu_) = 0;  // The generation of the last SetSettled.
};

// FAILED_PRECONDITION: the room is not `self`'s. Names the owner (OwnerIn).
absl::Status BelongsTo(std::string_view room, const ServerInfo& owner, std::string_view self);

}  // namespace hubbub::chat
