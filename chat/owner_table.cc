#include "chat/owner_table.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "services/rendezvous.h"

namespace hubbub::chat {
namespace {

// Greater is better; the same order as RendezvousPick's.
bool Before(std::string_view a, std::string_view b, std::string_view room) {
  const uint64_t score_a = RendezvousScore(room, a);
  const uint64_t score_b = RendezvousScore(room, b);
  return score_a != score_b ? score_a > score_b : a < b;
}

}  // namespace

absl::Status BelongsTo(std::string_view room, const ServerInfo& owner, std::string_view self) {
  absl::Status status = absl::FailedPreconditionError(
      fmt::format("room \"{}\" belongs to chat server \"{}\" at {}, not to \"{}\"", room, owner.id,
                  owner.grpc_address(), self));
  SetOwner(status, owner.id);
  return status;
}

void OwnerTable::SetServers(const std::vector<ServerInfo>& chats) {
  {
    MutexLock lock(mu_);
    ++generation_;
    const bool listed = std::any_of(chats.begin(), chats.end(), [&](const auto& s) { return s.id == id_; });
    if (std::exchange(listed_, listed) != listed) ++term_;
    for (Peer& peer : peers_) peer.listed = false;
    for (const ServerInfo& server : chats) {
      if (server.id == id_) continue;
      Peer* known = Find(server.id);
      if (known == nullptr) known = &peers_.emplace_back();
      // At another address it is another process, of which nothing is known.
      if (!(known->info == server)) {
        known->info = server;
        known->state = State::kUnclear;
        known->foreign = false;
        known->draining = false;
        known->settled = false;
      }
      known->listed = true;
    }
    // What has left both the directory and the network is no more. One of another version will never say.
    std::erase_if(peers_, [](const Peer& p) { return !p.listed && (p.state == State::kLost || p.foreign); });
  }
  Changed();
}

OwnerTable::Life OwnerTable::Heard(const PeerStatus& status) {
  Life life = Life::kSame;
  {
    MutexLock lock(mu_);
    Peer* const peer = Find(status.id);
    if (peer == nullptr) return life;
    if (peer->incarnation != 0 && peer->incarnation != status.incarnation)
      life = peer->lost ? Life::kNewAfterLoss : Life::kNew;
    if (peer->doubted) {
      // Of another run nobody can say what the one before has done.
      if (status.incarnation != peer->incarnation || status.times_lost > peer->times_lost_us)
        may_have_lost_rooms_ = true;
    }
    if (peer->state != State::kHere || peer->draining != status.draining) ++generation_;
    peer->state = State::kHere;
    peer->foreign = false;
    peer->doubted = false;
    peer->lost = false;
    peer->draining = status.draining;
    peer->settled = status.settled;
    peer->incarnation = status.incarnation;
    peer->term = status.term;
    peer->heard_incarnation = status.heard_incarnation;
    peer->heard_term = status.heard_term;
    peer->times_lost_us = status.times_lost;
    for (const ServerInfo& server : status.leaving) {
      if (server.id == id_ || Find(server.id) != nullptr) continue;
      peers_.push_back({.info = server, .listed = false});
      ++generation_;
    }
  }
  Changed();
  return life;
}

bool OwnerTable::Lost(std::string_view id) {
  {
    MutexLock lock(mu_);
    Peer* const peer = Find(id);
    if (peer == nullptr) return false;
    // One that was lost all the time has taken nothing.
    if (std::exchange(peer->doubted, false) && !peer->lost) may_have_lost_rooms_ = true;
    if (peer->state == State::kLost) return false;
    peer->state = State::kLost;
    peer->lost = true;
    peer->settled = false;
    peer->draining = false;
    ++peer->times_lost;
    ++generation_;
    std::erase_if(peers_, [](const Peer& p) { return !p.listed && p.state == State::kLost; });
  }
  Changed();
  return true;
}

void OwnerTable::Foreign(std::string_view id) {
  MutexLock lock(mu_);
  Peer* const peer = Find(id);
  if (peer == nullptr) return;
  peer->state = State::kUnclear;
  peer->foreign = true;
  peer->doubted = false;
  ++generation_;
}

void OwnerTable::Drain() {
  {
    MutexLock lock(mu_);
    if (!std::exchange(draining_, true)) ++term_;
    ++generation_;
  }
  Changed();
}

void OwnerTable::Doubt() {
  {
    MutexLock lock(mu_);
    may_have_lost_rooms_ = false;
    ++generation_;
    for (Peer& peer : peers_) {
      if (peer.foreign) continue;
      peer.state = State::kUnclear;
      peer.doubted = true;
    }
  }
  Changed();
}

bool OwnerTable::InDoubt() const {
  MutexLock lock(mu_);
  return std::any_of(peers_.begin(), peers_.end(), [](const Peer& p) { return p.doubted; });
}

bool OwnerTable::MayHaveLostRooms() const {
  MutexLock lock(mu_);
  return may_have_lost_rooms_;
}

OwnerTable::Owner OwnerTable::OwnerOf(std::string_view room) const {
  MutexLock lock(mu_);
  return OwnerOfLocked(room);
}

OwnerTable::Owner OwnerTable::OwnerOfLocked(std::string_view room) const {
  const Peer* best = nullptr;
  for (const Peer& peer : peers_) {
    if (!peer.listed || peer.state == State::kLost || peer.draining) continue;
    if (best == nullptr || Before(peer.info.id, best->info.id, room)) best = &peer;
  }
  if (best == nullptr) return {};
  if (Candidate() && Before(id_, best->info.id, room)) return {};
  return {best->state == State::kUnclear ? Owner::Kind::kUnclear : Owner::Kind::kOther, best->info};
}

absl::Status OwnerTable::MayTake(std::string_view room) const {
  MutexLock lock(mu_);
  return MayTakeLocked(room);
}

absl::Status OwnerTable::MayTakeLocked(std::string_view room) const {
  const Owner owner = OwnerOfLocked(room);
  if (owner.kind == Owner::Kind::kOther) return BelongsTo(room, owner.server, id_);
  if (owner.kind == Owner::Kind::kUnclear) {
    const Peer* const peer = Find(owner.server.id);
    return absl::AbortedError(
        fmt::format("room \"{}\" belongs to chat server \"{}\" at {}, {}", room, owner.server.id,
                    owner.server.grpc_address(),
                    peer != nullptr && peer->foreign
                        ? "which is of another version: run the same version of all chat servers"
                        : "if that can be reached: try again soon"));
  }
  if (!Candidate()) {
    return absl::AbortedError(
        fmt::format("room \"{}\" can not be made: chat server \"{}\" is leaving, and no other can be reached",
                    room, id_));
  }
  for (const Peer& peer : peers_) {
    // It has not read yet that it has left the directory, and takes what it owned.
    if (peer.state == State::kHere && !peer.listed && !peer.draining && Before(peer.info.id, id_, room)) {
      return absl::AbortedError(
          fmt::format("room \"{}\" may still be at chat server \"{}\", which has left the directory: try "
                      "again soon",
                      room, peer.info.id));
    }
  }
  return absl::OkStatus();
}

absl::Status OwnerTable::Claim(std::string_view room) const {
  MutexLock lock(mu_);
  if (absl::Status status = MayTakeLocked(room); !status.ok()) return status;
  for (const Peer& peer : peers_) {
    if (!MayHold(peer)) continue;
    return absl::AbortedError(fmt::format(
        "room \"{}\" may be on its way from chat server \"{}\": try again soon", room, peer.info.id));
  }
  return absl::OkStatus();
}

bool OwnerTable::Clear() const {
  MutexLock lock(mu_);
  return std::none_of(peers_.begin(), peers_.end(),
                      [this](const Peer& p) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return MayHold(p); });
}

bool OwnerTable::SettledTowardsUs(const Peer& peer) const {
  return peer.settled && peer.heard_incarnation == incarnation_ && peer.heard_term == term_;
}

bool OwnerTable::MayHold(const Peer& peer) const {
  switch (peer.state) {
    case State::kLost:
      return false;
    case State::kUnclear:
      // One of another version may hold anything, and will never say.
      return !peer.foreign;
    case State::kHere:
      break;
  }
  return !SettledTowardsUs(peer);
}

bool OwnerTable::Outranks(std::string_view id, std::string_view room) const {
  return id == id_ || Before(id, id_, room);
}

bool OwnerTable::MayBeReached(std::string_view id) const {
  MutexLock lock(mu_);
  const Peer* const peer = Find(id);
  return peer != nullptr && peer->state != State::kLost;
}

uint64_t OwnerTable::IncarnationOf(std::string_view id) const {
  MutexLock lock(mu_);
  const Peer* const peer = Find(id);
  return peer == nullptr ? 0 : peer->incarnation;
}

bool OwnerTable::Knows(std::string_view id) const {
  MutexLock lock(mu_);
  return Find(id) != nullptr;
}

std::vector<ServerInfo> OwnerTable::Known() const {
  MutexLock lock(mu_);
  std::vector<ServerInfo> known;
  known.reserve(peers_.size());
  for (const Peer& peer : peers_) known.push_back(peer.info);
  return known;
}

uint64_t OwnerTable::generation() const {
  MutexLock lock(mu_);
  return generation_;
}

void OwnerTable::SetSettled(uint64_t generation) {
  {
    MutexLock lock(mu_);
    if (settled_ == generation) return;
    settled_ = generation;
  }
  Changed();
}

PeerStatus OwnerTable::StatusFor(std::string_view id) const {
  MutexLock lock(mu_);
  const Peer* const asker = Find(id);
  PeerStatus status{.id = id_, .incarnation = incarnation_, .term = term_, .draining = !Candidate()};
  // While it is unclear who can be reached, it is unclear whose the rooms here are.
  bool clear = true;
  for (const Peer& peer : peers_) {
    if (peer.state == State::kUnclear && !peer.foreign) clear = false;
    if (&peer == asker || peer.listed || peer.state != State::kHere) continue;
    // One that drains, and has nothing for this server, has nothing at all.
    if (!peer.draining || !SettledTowardsUs(peer)) status.leaving.push_back(peer.info);
  }
  if (asker == nullptr) return status;
  // Whoever is not reached from here may find its rooms taken; whoever is not known here was never asked for.
  status.settled = settled_ == generation_ && clear && asker->listed && asker->state == State::kHere;
  status.times_lost = asker->times_lost;
  status.heard_incarnation = asker->incarnation;
  status.heard_term = asker->term;
  return status;
}

uint64_t OwnerTable::incarnation() const {
  MutexLock lock(mu_);
  return incarnation_;
}

void OwnerTable::BeginAnew(uint64_t incarnation) {
  {
    MutexLock lock(mu_);
    incarnation_ = incarnation;
    ++generation_;
  }
  Changed();
}

OwnerTable::Peer* OwnerTable::Find(std::string_view id) {
  const auto it = std::find_if(peers_.begin(), peers_.end(), [id](const Peer& p) { return p.info.id == id; });
  return it == peers_.end() ? nullptr : &*it;
}

const OwnerTable::Peer* OwnerTable::Find(std::string_view id) const {
  const auto it = std::find_if(peers_.begin(), peers_.end(), [id](const Peer& p) { return p.info.id == id; });
  return it == peers_.end() ? nullptr : &*it;
}

}  // namespace hubbub::chat
