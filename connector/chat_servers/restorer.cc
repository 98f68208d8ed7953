#include "connector/chat_servers/restorer.h"

#include <algorithm>
#include <utility>

#include "services/base/clock.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

// A chat server that says so often that it knows nothing of a loss has noticed none, and will not.
constexpr int kMostRefusals = 12;
// How many servers are asked without a pause, when each names another one.
constexpr int kMostHops = 8;

}  // namespace

Restorer::Restorer(const LoopPart& part, LocalRooms& rooms, const Encoder& encoder, ChatServers& servers)
    : part_(part), rooms_(rooms), encoder_(encoder), servers_(servers) {
  rooms_.SetOnMoved([this](Membership& membership, const std::string& server) {
    membership.BeginRestore();
    JobOf({}).Add(membership, server);
    RunSoon({});
  });
}

LossJob& Restorer::JobOf(const Loss& loss) {
  return jobs_.try_emplace(loss, loss).first->second;
}

void Restorer::OnLost(const std::string& server) {
  rooms_.loop().AssertHere();
  lost_.insert(server);
  const Loss loss{server, incarnations_[server]};
  RememberLoss(loss);
  LossJob& job = JobOf(loss);
  job.Lose();
  job.tries = 0;
  for (const std::string& up : servers_.Up()) job.Tell(up);
  BeginAllAt(server);
  TakeMovedRooms(job, server);
  RunSoon(loss);
}

void Restorer::TakeMovedRooms(LossJob& job, const std::string& server) {
  if (const auto moved = jobs_.find({}); moved != jobs_.end()) job.TakeRoomsOf(server, moved->second);
}

void Restorer::OnUp(const std::string& server, uint64_t incarnation, bool fresh) {
  rooms_.loop().AssertHere();
  lost_.erase(server);
  // It may be the one that rooms were given to.
  if (jobs_.contains({})) RunSoon({});
  const uint64_t before = std::exchange(incarnations_[server], incarnation);
  const Loss loss{server, before};
  if (before == incarnation) {
    // It still has its rooms. No other server need know what was held there.
    if (const auto job = jobs_.find(loss); job != jobs_.end()) {
      job->second.Resume();
      RunSoon(loss);
    }
    if (fresh) BeginAllAt(server);
    return;
  }
  LossJob& job = JobOf(loss);
  if (before == 0) {
    // It may have restarted before this connector did: then it waits to hear that nothing was held here.
    job.Tell(server);
  } else {
    RememberLoss(loss);
    for (const std::string& up : servers_.Up()) job.Tell(up);
    job.ForgetOwners();
    BeginAllAt(server);
    TakeMovedRooms(job, server);
  }
  RunSoon(loss);
  for (const Loss& known : losses_) {
    LossJob& earlier = JobOf(known);
    earlier.Tell(server);
    earlier.tries = 0;
    RunSoon(known);
  }
}

void Restorer::RememberLoss(const Loss& loss) {
  constexpr size_t kMost = 64;
  std::erase(losses_, loss);
  losses_.push_back(loss);
  if (losses_.size() > kMost) losses_.pop_front();
}

void Restorer::CheckLease(Membership& membership) {
  rooms_.loop().AssertHere();
  const Membership::At& at = membership.at();
  const uint64_t lease = servers_.LeaseOf(at.server);
  if (lease != at.lease && (lease != 0 || lost_.contains(at.server))) Begin(membership);
}

bool Restorer::Gone(const std::string& server, uint64_t incarnation) const {
  return lost_.contains(server) || servers_.IncarnationOf(server) != incarnation;
}

void Restorer::Begin(Membership& membership) {
  const Membership::At at = membership.at();
  membership.BeginRestore();
  const bool gone = Gone(at.server, at.incarnation);
  const Loss loss = gone ? Loss{at.server, at.incarnation} : Loss{};
  // A server that has only given up on this connector still has the room.
  JobOf(loss).Add(membership, /*owner=*/gone ? std::string() : at.server);
  RunSoon(loss);
}

void Restorer::BeginAllAt(const std::string& server) {
  for (Membership* const membership : rooms_.JoinedAt(server)) Begin(*membership);
}

void Restorer::RunSoon(const Loss& loss, bool pause) {
  LossJob& job = JobOf(loss);
  if (job.run != 0 && (pause || !job.pausing)) return;
  job.run = ++runs_;
  job.pausing = pause;
  const auto run = [this, loss, number = job.run] {
    const auto at = jobs_.find(loss);
    if (at == jobs_.end() || at->second.run != number) return;
    at->second.run = 0;
    Run(loss);
  };
  if (!pause) return rooms_.loop().Post(run);
  job.hops = 0;
  servers_.Later(job.tries++, run);
}

void Restorer::Run(const Loss& loss) {
  for (std::vector<RestoreCall>& calls : JobOf(loss).TakeCalls(servers_, rooms_)) {
    const auto count = static_cast<uint32_t>(calls.size());
    for (RestoreCall& call : calls) Send(std::move(call), count);
  }
  GoOn(loss, /*pause=*/true);
}

void Restorer::GoOn(const Loss& loss, bool pause) {
  const LossJob& job = JobOf(loss);
  if (!job.empty()) return RunSoon(loss, pause);
  if (job.calls == 0 && job.run == 0) jobs_.erase(loss);
}

void Restorer::Send(RestoreCall call, uint32_t calls) {
  // Before any answer: a Kick that takes the place back names this lease.
  for (const RoomToRestore& room : call.rooms) {
    for (const PlaceToRestore& place : room.places) {
      if (!place.membership->left()) place.membership->Asked(call.at);
    }
  }
  const chat::v1::RestoreRequest request = RequestOf(call, calls, part_, rooms_);
  ++JobOf(call.loss).calls;
  const std::string server = call.at.server;
  servers_.Restore(
      server, request,
      [this, call = std::move(call)](const absl::Status& status, const chat::v1::RestoreResponse& response) {
        OnAnswer(call, status, response);
      });
}

void Restorer::OnAnswer(const RestoreCall& call, const absl::Status& status,
                        const chat::v1::RestoreResponse& response) {
  rooms_.loop().AssertHere();
  const std::string& server = call.at.server;
  LossJob& job = JobOf(call.loss);
  --job.calls;
  bool pause = false;
  if (!status.ok()) {
    if (!std::exchange(job.refused, true))
      spdlog::info("chat server {} is not ready to restore: {}", server, std::string(status.message()));
    pause = true;
    // It may not know of the loss yet; when it does, it will wait for this connector.
    if (!call.loss.server.empty() && !job.resumed() && call.refusals < kMostRefusals)
      job.Tell(server, call.refusals + 1);
  }
  // Rooms that were given to a server that is lost by now were lost with it.
  const bool lost_too = !status.ok() && call.loss.server.empty() && Gone(server, call.at.incarnation);
  const Loss loss = lost_too ? Loss{server, call.at.incarnation} : call.loss;
  bool elsewhere = false;
  int restored_rooms = 0;
  for (size_t i = 0; i < call.rooms.size(); ++i) {
    const RoomToRestore& room = call.rooms[i];
    if (!status.ok() || static_cast<int>(i) >= response.rooms_size()) {
      if (!loss.server.empty()) job.ForgetOwner(room.room);
      JobOf(loss).PutBack(room);
      continue;
    }
    const chat::v1::RestoredRoom& restored = response.rooms(static_cast<int>(i));
    switch (restored.outcome()) {
      case chat::v1::RESTORE_OUTCOME_RESTORED:
        ++restored_rooms;
        Settle(call, room, restored);
        break;
      case chat::v1::RESTORE_OUTCOME_ELSEWHERE:
        spdlog::debug("chat server {}: {}", server, restored.reason());
        // The server that was asked for the room may not see yet that the room's owner is lost.
        pause = pause || servers_.LeaseOf(restored.owner()) == 0;
        elsewhere = true;
        job.SetOwner(room.room, restored.owner());
        job.PutBack(room);
        break;
      default:
        spdlog::debug("chat server {} restores room \"{}\" later: {}", server, room.room, restored.reason());
        pause = true;
        job.PutBack(room);
    }
  }
  pause = pause || (elsewhere && ++job.hops > kMostHops);
  if (restored_rooms > 0) {
    job.tries = 0;
    spdlog::info("chat server {} restored {} of {} rooms{}{}", server, restored_rooms, call.rooms.size(),
                 call.loss.server.empty() ? "" : " of ", call.loss.server);
  }
  if (lost_too) RunSoon(loss, pause);
  GoOn(call.loss, pause);
}

void Restorer::Settle(const RestoreCall& call, const RoomToRestore& room,
                      const chat::v1::RestoredRoom& restored) {
  const Deliveries missed = encoder_.Encode(restored.missed_events());
  rooms_.Remember(room.room, missed);
  const Deliveries unshown = call.loss.server.empty() ? Deliveries() : TakeUnshown(room.room, restored);
  for (size_t i = 0; i < room.places.size(); ++i) {
    const bool replaced =
        std::find(restored.replaced().begin(), restored.replaced().end(), i) != restored.replaced().end();
    SettleOne(call, *room.places[i].membership, replaced, restored, missed, unshown);
  }
}

Deliveries Restorer::TakeUnshown(const std::string& room, const chat::v1::RestoredRoom& restored) {
  google::protobuf::RepeatedPtrField<chat::v1::Event> comings;
  for (std::string& user : rooms_.TakeUnshown(room, restored.users())) {
    chat::v1::Event& coming = *comings.Add();
    coming.set_room(room);
    coming.set_epoch(restored.epoch());
    // Numbered apart, so that no client takes it for a point in the room's offsets.
    coming.set_life(restored.life());
    coming.set_change(1);
    coming.set_time_ms(SystemNowMs());
    coming.mutable_joined()->set_user(std::move(user));
  }
  return encoder_.Encode(std::move(comings));
}

void Restorer::SettleOne(const RestoreCall& call, Membership& membership, bool replaced,
                         const chat::v1::RestoredRoom& restored, const Deliveries& missed,
                         const Deliveries& unshown) {
  if (membership.left()) {
    // Unless the session has come back: then this is its place again.
    if (replaced || rooms_.Holds(membership.room(), membership.session_id(), membership.token())) return;
    chat::v1::KickRequest place = KickRequestFor(membership);
    place.set_lease(call.at.lease);
    return servers_.TakeBack(call.at.server, place);
  }
  membership.Asked(call.at);
  client::ClientSession* const session = membership.session();
  if (replaced) {
    membership.Replaced();
    if (session != nullptr) session->Kick("replaced");
    return;
  }
  if (!restored.recovered() && session != nullptr) {
    // The client cannot be told what it missed. It can come back, and will know that it missed something.
    (void)membership.Joined(membership.seen());
    return session->Kick("reconnect", net::CloseReason::kShutdown);
  }
  rooms_.Restored(membership, missed,
                  {.epoch = restored.epoch(),
                   .offset = restored.offset(),
                   .life = restored.life(),
                   .change = restored.change()},
                  unshown);
  // What waited may have ended it, or moved it on.
  if (membership.joined()) CheckLease(membership);
}

}  // namespace hubbub::connector
