#include "connector/restorer.h"

#include <algorithm>
#include <utility>

#include "connector/places.h"
#include "spdlog/spdlog.h"

namespace hubbub::connector {
namespace {

// Its session has left, and nobody gives its place back: the grace of the lease will end it.
constexpr int kMostTriesOfDeparted = 14;
// A chat server that still says so has noticed no loss, and will not.
constexpr int kMostRefusals = 12;
// So often, for some 1.5 seconds, only the server that a room was given to is asked for it.
constexpr int kPatientTries = 10;
// Servers that name each other are asked so often without a pause.
constexpr int kMostHops = 8;

}  // namespace

Restorer::Restorer(const Options& options, LocalRooms& rooms, const Encoder& encoder, ChatServers& servers)
    : options_(options), rooms_(rooms), encoder_(encoder), servers_(servers) {
  rooms_.SetOnMoved([this](Membership& membership, const std::string& server) {
    BeginFor(membership, {}, server);
    RunSoon({});
  });
}

void Restorer::OnLost(const std::string& server) {
  lost_.insert(server);
  const Loss loss{server, incarnations_[server]};
  RememberLoss(loss);
  Job& job = jobs_[loss];
  job.resumed = false;
  job.tries = 0;
  for (const std::string& up : servers_.Up()) job.to_tell.emplace(up, 0);
  BeginAllAt(server);
  Reassign(loss);
  RunSoon(loss);
}

void Restorer::OnUp(const std::string& server, uint64_t incarnation, bool fresh) {
  lost_.erase(server);
  // It may be the one that rooms were given to.
  if (jobs_.contains({})) RunSoon({});
  const uint64_t before = std::exchange(incarnations_[server], incarnation);
  const Loss loss{server, before};
  if (before == incarnation) {
    // It still has its rooms. Nobody else needs to know what was held there.
    if (const auto job = jobs_.find(loss); job != jobs_.end()) {
      job->second.resumed = true;
      job->second.tries = 0;
      job->second.to_tell.clear();
      job->second.owners.clear();
      RunSoon(loss);
    }
    if (fresh) BeginAllAt(server);
    return;
  }
  if (before == 0) {
    // Restarted before this connector was, perhaps: then it waits to hear that nothing was held here.
    jobs_[loss].to_tell.emplace(server, 0);
  } else {
    RememberLoss(loss);
    for (const std::string& up : servers_.Up()) jobs_[loss].to_tell.emplace(up, 0);
    jobs_[loss].owners.clear();
    BeginAllAt(server);
    Reassign(loss);
  }
  RunSoon(loss);
  for (const Loss& known : losses_) {
    jobs_[known].to_tell.emplace(server, 0);
    jobs_[known].tries = 0;
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
  const uint64_t lease = servers_.LeaseAt(membership.server);
  if (lease == membership.lease || (lease == 0 && !lost_.contains(membership.server))) return;
  RunSoon(Begin(membership));
}

void Restorer::Depart(Membership& membership) {
  if (membership.restoring == nullptr) return;
  RestoreEntry& entry = *membership.restoring;
  entry.membership = nullptr;
  entry.keep_name = membership.keep_name;
  entry.wait_ms = membership.wait_ms;
}

bool Restorer::Gone(const std::string& server, uint64_t incarnation) const {
  return lost_.contains(server) || servers_.IncarnationOf(server) != incarnation;
}

Restorer::Loss Restorer::Begin(Membership& membership) {
  const std::string server = membership.server;
  const Loss loss{server, membership.incarnation};
  if (Gone(server, membership.incarnation)) {
    BeginFor(membership, loss);
    return loss;
  }
  // It has given up on this connector, but still has the room.
  BeginFor(membership, {}, server);
  return {};
}

void Restorer::BeginAllAt(const std::string& server) {
  for (Membership* membership : rooms_.JoinedAt(server)) RunSoon(Begin(*membership));
}

void Restorer::BeginFor(Membership& membership, const Loss& loss, const std::string& owner) {
  auto entry = std::make_shared<RestoreEntry>();
  entry->membership = &membership;
  entry->room = membership.room;
  entry->user = membership.user;
  entry->token = membership.token;
  entry->session = membership.session_id();
  entry->address = membership.address;
  entry->wait_ms = membership.wait_ms;
  entry->epoch = membership.epoch;
  entry->offset = membership.offset;
  membership.joined = false;
  membership.restoring = entry;
  Job& job = jobs_[loss];
  job.rooms[membership.room].push_back(std::move(entry));
  if (!owner.empty()) job.owners[membership.room] = owner;
}

void Restorer::Reassign(const Loss& loss) {
  const auto given = jobs_.find({});
  if (given == jobs_.end()) return;
  Job& from = given->second;
  Job& to = jobs_[loss];
  for (auto owner = from.owners.begin(); owner != from.owners.end();) {
    const auto current = owner++;
    if (current->second != loss.server) continue;
    if (const auto room = from.rooms.find(current->first); room != from.rooms.end()) {
      auto& entries = to.rooms[room->first];
      entries.insert(entries.end(), room->second.begin(), room->second.end());
      from.rooms.erase(room);
    }
    from.owners.erase(current);
  }
}

void Restorer::RunSoon(const Loss& loss, bool pause) {
  Job& job = jobs_[loss];
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

std::string Restorer::TargetOf(const Loss& loss, const Job& job, const std::string& room) const {
  const auto owner = job.owners.find(room);
  if (owner != job.owners.end()) {
    if (servers_.LeaseAt(owner->second) != 0) return owner->second;
    // The one that a room was given to may be too new to be known here, or about to come back. One that does
    // not come may have given the room away again, while nobody heard of it here: then another one knows.
    if (loss.server.empty() && job.tries < kPatientTries) return {};
  }
  if (job.resumed && servers_.LeaseAt(loss.server) != 0) return loss.server;
  return servers_.BestFor(room);
}

void Restorer::Run(const Loss& loss) {
  Job& job = jobs_[loss];
  StringMap<std::vector<Group>> groups;  // By the server that is asked.
  for (const auto& [server, refusals] : job.to_tell) groups[server];
  StringMap<std::vector<EntryPtr>> waiting;
  for (auto& [room, entries] : job.rooms) {
    const std::string target = TargetOf(loss, job, room);
    if (target.empty()) {
      waiting.emplace(room, std::move(entries));
      continue;
    }
    // One for each life that is known: nearly always it is the same one.
    std::map<uint64_t, Group> by_epoch;
    for (EntryPtr& entry : entries) {
      Group& group = by_epoch[entry->epoch];
      group.room = room;
      group.entries.push_back(std::move(entry));
    }
    for (auto& [epoch, group] : by_epoch) groups[target].push_back(std::move(group));
  }
  job.rooms = std::move(waiting);
  const auto to_tell = std::exchange(job.to_tell, {});
  for (auto& [server, rooms] : groups) {
    // One that has gone since will be told when it is back.
    if (servers_.LeaseAt(server) == 0) {
      for (const Group& group : rooms) Requeue(loss, group);
      continue;
    }
    std::vector<Call> calls = CallsFor(loss, server, std::move(rooms));
    const auto told = to_tell.find(server);
    const auto count = static_cast<uint32_t>(calls.size());
    for (Call& call : calls) {
      call.told = told == to_tell.end() ? 0 : told->second;
      Send(std::move(call), count);
    }
  }
  GoOn(loss, /*pause=*/true);
}

void Restorer::GoOn(const Loss& loss, bool pause) {
  const Job& job = jobs_[loss];
  if (!job.rooms.empty() || !job.to_tell.empty()) return RunSoon(loss, pause);
  if (job.calls == 0 && job.run == 0) jobs_.erase(loss);
}

void Restorer::OnAnswer(const Call& call, const absl::Status& status,
                        const chat::v1::RestoreResponse& response) {
  Job& job = jobs_[call.loss];
  --job.calls;
  bool pause = false;
  if (!status.ok()) {
    if (!std::exchange(job.refused, true))
      spdlog::info("chat server {} restores nothing yet: {}", call.server, std::string(status.message()));
    pause = true;
    // It may not know of the loss yet; when it does, it will wait for this connector.
    if (!call.loss.server.empty() && !job.resumed && call.told < kMostRefusals)
      job.to_tell.emplace(call.server, call.told + 1);
  }
  // What was given to a server that is lost by now was lost with it.
  const bool lost_too = !status.ok() && call.loss.server.empty() && Gone(call.server, call.incarnation);
  const Loss loss = lost_too ? Loss{call.server, call.incarnation} : call.loss;
  bool elsewhere = false;
  int restored_rooms = 0;
  for (size_t i = 0; i < call.groups.size(); ++i) {
    const Group& group = call.groups[i];
    if (!status.ok() || static_cast<int>(i) >= response.rooms_size()) {
      if (!loss.server.empty()) job.owners.erase(group.room);
      Requeue(loss, group);
      continue;
    }
    const chat::v1::RestoredRoom& restored = response.rooms(static_cast<int>(i));
    switch (restored.outcome()) {
      case chat::v1::RESTORE_OUTCOME_RESTORED:
        ++restored_rooms;
        Settle(call, group, restored);
        break;
      case chat::v1::RESTORE_OUTCOME_ELSEWHERE:
        spdlog::debug("chat server {}: {}", call.server, restored.reason());
        // The one that was asked for the room may not see yet that its owner is lost.
        pause = pause || servers_.LeaseAt(restored.owner()) == 0;
        elsewhere = true;
        job.owners[group.room] = restored.owner();
        Requeue(call.loss, group);
        break;
      default:
        spdlog::debug("chat server {} restores room {} later: {}", call.server, group.room,
                      restored.reason());
        pause = true;
        Requeue(call.loss, group);
    }
  }
  pause = pause || (elsewhere && ++job.hops > kMostHops);
  if (restored_rooms > 0) {
    job.tries = 0;
    spdlog::info("chat server {} has the places back in {} of {} rooms{}{}", call.server, restored_rooms,
                 call.groups.size(), call.loss.server.empty() ? "" : " of ", call.loss.server);
  }
  if (lost_too) RunSoon(loss, pause);
  GoOn(call.loss, pause);
}

void Restorer::Requeue(const Loss& loss, const Group& group) {
  std::vector<EntryPtr>& entries = jobs_[loss].rooms[group.room];
  for (const EntryPtr& entry : group.entries) {
    if (entry->membership == nullptr && ++entry->tries > kMostTriesOfDeparted) continue;
    entries.push_back(entry);
  }
  if (entries.empty()) jobs_[loss].rooms.erase(group.room);
}

void Restorer::Settle(const Call& call, const Group& group, const chat::v1::RestoredRoom& restored) {
  const Deliveries missed = encoder_.Encode(restored.missed_events());
  for (size_t i = 0; i < group.entries.size(); ++i) {
    const bool replaced =
        std::find(restored.replaced().begin(), restored.replaced().end(), i) != restored.replaced().end();
    SettleOne(call, group.entries[i], replaced, restored, missed);
  }
  rooms_.Remember(group.room, missed);
}

void Restorer::SettleOne(const Call& call, const EntryPtr& entry, bool replaced,
                         const chat::v1::RestoredRoom& restored, const Deliveries& missed) {
  Membership* const membership = entry->membership;
  if (membership == nullptr) {
    // Unless it has come back meanwhile: then this is its place again.
    if (replaced || rooms_.Holds(entry->room, entry->session, entry->token)) return;
    chat::v1::KickRequest place = PlaceOf(entry->room, entry->user, call.lease, entry->session);
    place.set_keep_name(entry->keep_name);
    place.set_wait_ms(entry->wait_ms);
    return servers_.Kick(call.server, place);
  }
  membership->restoring.reset();
  membership->server = call.server;
  membership->lease = call.lease;
  membership->incarnation = call.incarnation;
  // Somebody else has come by this name meanwhile.
  if (replaced) {
    if (membership->session != nullptr) membership->session->Kick("replaced");
    return;
  }
  if (!restored.recovered() && membership->session != nullptr) {
    // The client can not be told what it missed. It can come back, and will know that it missed something.
    membership->joined = true;
    return membership->session->Kick("reconnect", net::CloseReason::kShutdown);
  }
  // What waited may end the membership; and it may move on.
  membership->restoring = entry;
  rooms_.Restored(*membership, missed, restored.epoch(), restored.offset());
  if (entry->membership == nullptr || membership->restoring != entry) return;
  membership->restoring.reset();
  CheckLease(*membership);
}

}  // namespace hubbub::connector
