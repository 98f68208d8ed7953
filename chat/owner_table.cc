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
    listed_ = std::any_of(chats.begin(), chats.end(), [&](const ServerInfo& s) { return s.id == id_; });
    for (Peer& peer : peers_) peer.listed = false;
    for (const ServerInfo& server : chats) {
      if (server.id == id_) continue;
      Peer* known = Find(server.id);
      if (known == nullptr) known = &peers_.emplace_back();
      // At another address it is another process, of which nothing is known.
      if (!(known->info == server)) {
        *known = {.info = server, .incarnation = known->incarnation, .times_lost = known->times_lost};
      }
      known->listed = true;
    }
    // What has left both the directory and the network is no more.
    std::erase_if(peers_, [](const Peer& p) { return !p.listed && p.state != State::kHere; });
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
      life = peer->state == State::kLost ? Life::kNewAfterLoss : Life::kNew;
    if (peer->doubted) {
      // Of another run nobody can say what the one before has done.
      if (status.incarnation != peer->incarnation || status.times_lost > peer->times_lost_us)
        may_have_lost_rooms_ = true;
    }
    if (peer->state != State::kHere || peer->draining != status.draining) ++generation_;
    peer->state = State::kHere;
    peer->foreign = false;
    peer->doubted = false;
    peer->draining = status.draining;
    peer->settled = status.settled;
    peer->incarnation = status.incarnation;
    peer->times_lost_us = status.times_lost;
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
    if (std::exchange(peer->doubted, false) && !peer->lost_before) may_have_lost_rooms_ = true;
    if (peer->state == State::kLost) return false;
    peer->state = State::kLost;
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
    draining_ = true;
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
      peer.lost_before = peer.state == State::kLost;
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
  const bool candidate = listed_ && !draining_;
  if (candidate && Before(id_, best->info.id, room)) return {};
  return {best->state == State::kUnclear ? Owner::Kind::kUnclear : Owner::Kind::kOther, best->info};
}

absl::Status OwnerTable::Claim(std::string_view room) const {
  MutexLock lock(mu_);
  const Owner owner = OwnerOfLocked(room);
  switch (owner.kind) {
    case Owner::Kind::kOther:
      return BelongsTo(room, owner.server, id_);
    case Owner::Kind::kUnclear: {
      const Peer* const peer = Find(owner.server.id);
      return absl::AbortedError(
          fmt::format("room \"{}\" belongs to chat server \"{}\" at {}, {}", room, owner.server.id,
                      owner.server.grpc_address(),
                      peer != nullptr && peer->foreign
                          ? "which is of another version: run the same version of all chat servers"
                          : "if that can be reached: try again soon"));
    }
    case Owner::Kind::kSelf:
      break;
  }
  for (const Peer& peer : peers_) {
    if (peer.state == State::kHere && !peer.settled) {
      return absl::AbortedError(fmt::format(
          "room \"{}\" may be on its way from chat server \"{}\": try again soon", room, peer.info.id));
    }
  }
  return absl::OkStatus();
}

bool OwnerTable::Clear() const {
  MutexLock lock(mu_);
  return std::all_of(peers_.begin(), peers_.end(), [](const Peer& p) {
    return p.state == State::kLost || (p.state == State::kHere && p.settled) ||
           (p.state == State::kUnclear && p.foreign);
  });
}

bool OwnerTable::Outranks(std::string_view id, std::string_view room) const {
  return id == id_ || Before(id, id_, room);
}

bool OwnerTable::Here(std::string_view id) const {
  MutexLock lock(mu_);
  const Peer* const peer = Find(id);
  return peer != nullptr && peer->listed && peer->state != State::kLost;
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

void OwnerTable::Unsettle() {
  {
    MutexLock lock(mu_);
    ++generation_;
  }
  Changed();
}

PeerStatus OwnerTable::StatusFor(std::string_view id) const {
  MutexLock lock(mu_);
  const Peer* const peer = Find(id);
  PeerStatus status;
  status.id = id_;
  status.draining = draining_;
  // Whoever is not reached from here may find its rooms taken; whoever is not known here was never asked for.
  status.settled = settled_ == generation_ && peer != nullptr && peer->listed && peer->state == State::kHere;
  status.times_lost = peer == nullptr ? 0 : peer->times_lost;
  return status;
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
