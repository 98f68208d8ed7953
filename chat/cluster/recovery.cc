#include "chat/cluster/recovery.h"

#include <map>

#include "absl/status/status.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {
namespace {

RestoreResults AllOf(size_t count, const absl::Status& status) {
  return RestoreResults(count, status);
}

}  // namespace

void Recovery::Begin(const std::string& lost, uint64_t incarnation, int64_t now_ms) {
  MutexLock lock(mu_);
  const auto [at, first] = losses_.try_emplace(lost);
  // Two runs that were lost in a row are recovered from together.
  at->second.incarnation = first || at->second.incarnation == incarnation ? incarnation : 0;
  at->second.began_ms = now_ms;
}

void Recovery::Cancel(const std::string& lost) {
  std::vector<Staged> staged;
  {
    MutexLock lock(mu_);
    const auto loss = losses_.find(lost);
    if (loss == losses_.end()) return;
    staged = std::move(loss->second.staged);
    losses_.erase(loss);
  }
  for (const Staged& one : staged)
    one.done(AllOf(one.report.rooms.size(), absl::AbortedError("the room's chat server is back: ask there")));
}

bool Recovery::Stage(const std::string& lost, uint64_t incarnation, LossReport report, RestoreDone done) {
  MutexLock lock(mu_);
  const auto at = losses_.find(lost);
  if (at == losses_.end()) return false;
  Loss& loss = at->second;
  if (loss.incarnation != 0 && loss.incarnation != incarnation) return false;
  Loss::Told& told = loss.connectors[report.connector];
  if (++told.calls[report.part] == report.calls) {
    told.parts.insert(report.part);
    if (told.parts.size() >= report.parts) loss.told.insert(report.connector);
  }
  loss.staged.push_back({std::move(report), std::move(done)});
  return true;
}

void Recovery::Tick(int64_t now_ms, AllTold all_told, Recover recover) {
  std::vector<std::pair<std::string, StringSet>> waiting;
  std::vector<std::string> over;
  {
    MutexLock lock(mu_);
    for (const auto& [lost, loss] : losses_) {
      if (now_ms - loss.began_ms >= limit_ms_) {
        over.push_back(lost);
      } else {
        waiting.emplace_back(lost, loss.told);
      }
    }
  }
  for (const auto& [lost, told] : waiting) {
    if (all_told(lost, told)) over.push_back(lost);
  }
  for (const std::string& lost : over) Finish(lost, now_ms, recover);
}

std::vector<std::string> Recovery::Lost() const {
  MutexLock lock(mu_);
  std::vector<std::string> lost;
  lost.reserve(losses_.size());
  for (const auto& [id, loss] : losses_) lost.push_back(id);
  return lost;
}

std::vector<std::string> Recovery::Rooms(const std::string& lost) const {
  std::vector<std::string> rooms;
  MutexLock lock(mu_);
  const auto loss = losses_.find(lost);
  if (loss == losses_.end()) return rooms;
  for (const Staged& one : loss->second.staged) {
    for (const auto& [room, claim] : one.report.rooms) rooms.push_back(room);
  }
  return rooms;
}

void Recovery::Finish(const std::string& lost, int64_t now_ms, Recover recover) {
  // The loss is listed until nothing waits, so that nobody else makes these rooms before.
  size_t rooms = 0;
  while (true) {
    std::vector<Staged> staged;
    {
      MutexLock lock(mu_);
      const auto loss = losses_.find(lost);
      if (loss == losses_.end()) return;
      if (loss->second.staged.empty()) {
        if (rooms > 0) {
          spdlog::info(
              "{} rooms of chat server {} asked for here after its loss, by {} connectors, for {} ms", rooms,
              lost, loss->second.told.size(), now_ms - loss->second.began_ms);
        }
        losses_.erase(loss);
        return;
      }
      staged.swap(loss->second.staged);
    }
    rooms += Answer(std::move(staged), recover);
  }
}

size_t Recovery::Answer(std::vector<Staged> staged, Recover recover) {
  struct Source {
    size_t report;
    size_t room;
  };
  std::map<std::string, std::vector<Source>> sources;
  std::vector<RestoreResults> results;
  for (size_t i = 0; i < staged.size(); ++i) {
    const auto& rooms = staged[i].report.rooms;
    results.push_back(AllOf(rooms.size(), absl::AbortedError("it was not asked")));
    for (size_t j = 0; j < rooms.size(); ++j) sources[rooms[j].first].push_back({i, j});
  }
  for (const auto& [room, of] : sources) {
    std::vector<RoomClaim> claims;
    claims.reserve(of.size());
    for (const Source& s : of) claims.push_back(std::move(staged[s.report].report.rooms[s.room].second));
    absl::StatusOr<std::vector<RestoreResult>> answers = recover(room, std::move(claims));
    for (size_t i = 0; i < of.size(); ++i) {
      auto& result = results[of[i].report][of[i].room];
      if (answers.ok()) {
        result = std::move((*answers)[i]);
      } else {
        result = answers.status();
      }
    }
  }
  for (size_t i = 0; i < staged.size(); ++i) staged[i].done(std::move(results[i]));
  return sources.size();
}

}  // namespace hubbub::chat
