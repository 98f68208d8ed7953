#include "connector/delivery/membership.h"

#include <cassert>
#include <utility>

namespace hubbub::connector {

void Membership::Asked(At at) {
  assert(state_ == State::kAdding || state_ == State::kRestoring);
  at_ = std::move(at);
}

std::vector<Membership::Held> Membership::Joined(const RoomPoint& point) {
  assert(state_ == State::kAdding || state_ == State::kRestoring);
  state_ = State::kJoined;
  seen_ = point;
  return std::exchange(held_, {});
}

void Membership::BeginRestore() {
  assert(state_ == State::kJoined);
  state_ = State::kRestoring;
}

void Membership::Replaced() {
  assert(state_ == State::kRestoring);
  state_ = State::kReplaced;
}

void Membership::EndSession(bool keep_name, uint32_t wait_ms) {
  session_ = nullptr;
  keep_name_ = keep_name;
  wait_ms_ = wait_ms;
}

void Membership::Leave() {
  state_ = State::kLeft;
  session_ = nullptr;
  on_ended_ = nullptr;
  held_ = {};
}

bool Membership::Hold(Held event) {
  assert(state_ != State::kJoined);
  if (held_.size() >= kMaxHeld) return false;
  held_.push_back(std::move(event));
  return true;
}

void Membership::BeginEpoch(uint64_t epoch) {
  if (std::exchange(seen_.epoch, epoch) != epoch) seen_.offset = 0;
}

void Membership::BeginLife(uint64_t life) {
  if (std::exchange(seen_.life, life) != life) seen_.change = 0;
}

void Membership::TellEnd(End end) {
  // Leave, which the owner calls, clears the member while it runs.
  const OnEnded on_ended = on_ended_;
  if (on_ended) on_ended(*this, end);
}

}  // namespace hubbub::connector
