#include "chat/log/room_loader.h"

#include <algorithm>
#include <utility>

#include "chat/log/logged_event.h"
#include "spdlog/spdlog.h"

namespace hubbub::chat {

RoomLoader::RoomLoader(Options options, uint64_t epoch, std::unique_ptr<Store> store, const HeldSlots& slots,
                       RoomTable& rooms, LogCounters& counters)
    : options_(std::move(options)),
      clock_(options_.steady_ms, options_.system_ms),
      epoch_(epoch),
      store_(std::move(store)),
      slots_(slots),
      rooms_(rooms),
      counters_(counters),
      thread_([this] { Run(); }) {}

void RoomLoader::Load(std::string_view room) {
  {
    const std::lock_guard lock(mu_);
    if (reading_.contains(room) || !wanted_.emplace(room).second) return;
  }
  changed_.notify_all();
}

void RoomLoader::WhenRead(std::string_view room, Done done) {
  {
    std::unique_lock lock(mu_);
    if (stopping_) {
      lock.unlock();
      return done();
    }
    const bool is_wanted = wanted_.contains(room) || reading_.contains(room);
    (is_wanted ? waiting_[room] : ready_).push_back(std::move(done));
  }
  changed_.notify_all();
}

void RoomLoader::Stop() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  changed_.notify_all();
  store_->Interrupt();
  if (thread_.joinable()) thread_.join();
  TellReaders();
}

void RoomLoader::Run() {
  for (;;) {
    std::vector<Wanted> wanted = Next();
    {
      const std::lock_guard lock(mu_);
      if (stopping_) return;
    }
    // The head must be read after the claim of the slot, so that claim must be the one that holds afterwards.
    std::erase_if(wanted, [this](Wanted& one) {
      one.generation = slots_.GenerationOf(slots_.SlotOf(one.room));
      return one.generation == 0;
    });
    const absl::Status status = wanted.empty() ? absl::OkStatus() : Read(wanted);
    TellReaders();
    if (status.ok()) continue;
    counters_.read_errors.Add();
    spdlog::warn("{} rooms cannot be read: {}", wanted.size(), std::string(status.message()));
    std::unique_lock lock(mu_);
    changed_.wait_for(lock, options_.pause, [this] { return stopping_; });
  }
}

std::vector<RoomLoader::Wanted> RoomLoader::Next() {
  std::vector<Wanted> wanted;
  std::unique_lock lock(mu_);
  changed_.wait(lock, [this] { return stopping_ || !wanted_.empty() || !ready_.empty(); });
  for (auto it = wanted_.begin(); it != wanted_.end() && wanted.size() < options_.max_rooms && !stopping_;) {
    wanted.push_back({.room = *it});
    reading_.insert(*it);
    wanted_.erase(it++);
  }
  return wanted;
}

void RoomLoader::TellReaders() {
  std::vector<Done> done;
  {
    const std::lock_guard lock(mu_);
    done = std::exchange(ready_, {});
    reading_.clear();
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto current = at++;
      if (!stopping_ && wanted_.contains(current->first)) continue;
      for (Done& one : current->second) done.push_back(std::move(one));
      waiting_.erase(current);
    }
  }
  for (const Done& one : done) one();
}

absl::Status RoomLoader::Read(const std::vector<Wanted>& wanted) {
  std::vector<std::string> names;
  names.reserve(wanted.size());
  for (const Wanted& one : wanted) names.push_back(one.room);
  const absl::StatusOr<std::vector<RoomHead>> heads = store_->Heads(names);
  if (!heads.ok()) return heads.status();
  for (size_t i = 0; i < wanted.size(); ++i) {
    const absl::StatusOr<RoomState> state = Read((*heads)[i]);
    if (!state.ok()) return state.status();
    if (slots_.GenerationOf(slots_.SlotOf(wanted[i].room)) != wanted[i].generation) continue;
    // It may be another server's by now: then its callers are told so.
    if (rooms_.Open(*state).ok()) counters_.rooms_read.Add();
  }
  return absl::OkStatus();
}

absl::StatusOr<RoomState> RoomLoader::Read(const RoomHead& head) {
  RoomState state;
  state.room = head.room;
  state.epoch = epoch_;
  state.offset = static_cast<uint64_t>(head.head);
  state.time_ms = head.time_ms;
  const int64_t since_ms = clock_.NowMs() - options_.max_age_ms;
  // Of a room whose messages are all deleted nobody knows how old they were, and their ids still count.
  const bool is_empty = head.head == head.trimmed;
  if (head.head == 0 || (!is_empty && head.time_ms <= since_ms)) return state;
  if (!is_empty) {
    absl::StatusOr<std::vector<LoggedEvent>> events =
        store_->Recent(head.room, head.trimmed, options_.max_events);
    if (!events.ok()) return events.status();
    for (LoggedEvent& row : *events) {
      const int64_t at_ms = AtMs(row.time_ms);
      if (row.time_ms > since_ms) state.recent_events.push_back(FromLogged(std::move(row), epoch_, at_ms));
    }
  }
  const absl::StatusOr<std::vector<LoggedEvent>> ids = store_->Ids(head.room, head.head, since_ms);
  if (!ids.ok()) return ids.status();
  for (const LoggedEvent& row : *ids) {
    state.recent_ids.push_back({.from = row.sender,
                                .id = row.id,
                                .sent = {.epoch = epoch_,
                                         .offset = static_cast<uint64_t>(row.offset),
                                         .time_ms = row.time_ms,
                                         .recipients = static_cast<size_t>(row.recipients),
                                         .at_ms = AtMs(row.time_ms)}});
  }
  return state;
}

int64_t RoomLoader::AtMs(int64_t time_ms) const {
  return options_.steady_ms() - std::max<int64_t>(clock_.NowMs() - time_ms, 0);
}

}  // namespace hubbub::chat
