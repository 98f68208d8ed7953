#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/store/store.h"

namespace hubbub::chat {

// The log in memory, with the fence and the key of the real one, and a script of what becomes of appends.
// Thread-safe.
class FakeDatabase {
 public:
  using Append = std::function<absl::StatusOr<AppendAnswer>(const AppendBatch&)>;

  // What the next append does that has no script yet; without one, it is done.
  void Script(Append append) {
    const std::lock_guard lock(mu_);
    script_.push_back(std::move(append));
  }
  // What each append without a script does from now on.
  void Always(Append append) {
    const std::lock_guard lock(mu_);
    always_ = std::move(append);
  }
  // Appends and reads of heads wait until Release.
  void Hold() {
    const std::lock_guard lock(mu_);
    held_ = true;
  }
  void Release() {
    const std::lock_guard lock(mu_);
    held_ = false;
    changed_.notify_all();
  }
  void Interrupt() {
    const std::lock_guard lock(mu_);
    interrupted_ = true;
    changed_.notify_all();
  }

  absl::StatusOr<AppendAnswer> Run(const AppendBatch& batch) {
    Append append;
    {
      std::unique_lock lock(mu_);
      asked_.push_back(batch);
      changed_.wait(lock, [this] { return !held_ || interrupted_; });
      if (interrupted_) return absl::CancelledError("interrupted");
      append = always_;
      if (!script_.empty()) {
        append = std::move(script_.front());
        script_.pop_front();
      }
    }
    return append ? append(batch) : Do(batch);
  }
  AppendAnswer Do(const AppendBatch& batch) {
    const std::lock_guard lock(mu_);
    AppendAnswer answer;
    std::map<int, int64_t> generations;
    for (const SlotGeneration& slot : batch.slots) {
      if (generations_[slot.slot] != slot.generation) continue;
      answer.slots.push_back(slot.slot);
      generations[slot.slot] = slot.generation;
    }
    for (const AppendBatch::Entry& entry : batch.events) {
      const auto generation = generations.find(entry.slot);
      bool added = false;
      if (generation != generations.end()) {
        LoggedEvent event = entry.event;
        event.generation = generation->second;
        added = rooms_[event.room].emplace(event.offset, event).second;
      }
      answer.added.push_back(added);
    }
    return answer;
  }

  void Claim(int slot, int64_t generation) {
    const std::lock_guard lock(mu_);
    generations_[slot] = generation;
  }
  void Insert(const LoggedEvent& event) {
    const std::lock_guard lock(mu_);
    rooms_[event.room].emplace(event.offset, event);
  }
  std::vector<LoggedEvent> Events(std::string_view room) {
    const std::lock_guard lock(mu_);
    std::vector<LoggedEvent> events;
    for (const auto& [offset, event] : rooms_[std::string(room)]) events.push_back(event);
    return events;
  }
  void Trim(const std::string& room, int64_t offset) {
    const std::lock_guard lock(mu_);
    trimmed_[room] = offset;
  }
  int64_t Trimmed(const std::string& room) {
    const std::lock_guard lock(mu_);
    return trimmed_[room];
  }
  // "content@offset" of each.
  std::vector<std::string> Texts(std::string_view room) {
    std::vector<std::string> texts;
    for (const LoggedEvent& event : Events(room))
      texts.push_back(event.content + "@" + std::to_string(event.offset));
    return texts;
  }
  // The batches so far, those that failed too.
  std::vector<AppendBatch> asked() {
    const std::lock_guard lock(mu_);
    return asked_;
  }
  // A read of so many heads begins; false if it was interrupted.
  bool BeginHeads(size_t rooms) {
    std::unique_lock lock(mu_);
    heads_.push_back(rooms);
    changed_.wait(lock, [this] { return !held_ || interrupted_; });
    return !interrupted_;
  }
  // How many rooms each read of heads asked for.
  std::vector<size_t> heads() {
    const std::lock_guard lock(mu_);
    return heads_;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::map<int, int64_t> generations_;
  std::map<std::string, std::map<int64_t, LoggedEvent>> rooms_;
  std::deque<Append> script_;
  Append always_;
  std::vector<AppendBatch> asked_;
  std::vector<size_t> heads_;
  std::map<std::string, int64_t> trimmed_;
  bool held_ = false;
  bool interrupted_ = false;
};

// A connection to it.
class FakeStore final : public Store {
 public:
  explicit FakeStore(FakeDatabase& database) : database_(database) {}

  void Interrupt() override { database_.Interrupt(); }
  const std::string& name() const override { return name_; }
  int writers() const override { return 3; }
  absl::StatusOr<StoreView> Read() override { return No(); }
  absl::Status Register(const StoredServer&) override { return No(); }
  absl::StatusOr<bool> Renew(uint64_t) override { return No(); }
  absl::Status SetDraining(uint64_t, bool) override { return No(); }
  absl::StatusOr<bool> MarkGone(uint64_t, int64_t) override { return No(); }
  absl::Status Leave(uint64_t) override { return No(); }
  absl::StatusOr<std::vector<SlotGeneration>> Claim(uint64_t, const std::vector<int>&, int64_t) override {
    return No();
  }
  absl::StatusOr<std::vector<SlotGeneration>> TakeOver(uint64_t, const std::vector<SlotOffer>&,
                                                       int64_t) override {
    return No();
  }
  absl::StatusOr<std::vector<SlotGeneration>> Keep(uint64_t, const std::vector<SlotGeneration>&) override {
    return No();
  }
  absl::StatusOr<AppendAnswer> Append(const AppendBatch& batch) override { return database_.Run(batch); }
  absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>& rooms) override {
    if (!database_.BeginHeads(rooms.size())) return absl::CancelledError("interrupted");
    std::vector<RoomHead> heads;
    for (const std::string& room : rooms) {
      const auto events = database_.Events(room);
      heads.push_back({.room = room});
      if (events.empty()) continue;
      heads.back().head = events.back().offset;
      heads.back().trimmed = database_.Trimmed(room);
      if (heads.back().head > heads.back().trimmed) heads.back().time_ms = events.back().time_ms;
    }
    return heads;
  }
  absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view room, int64_t after, int limit) override {
    std::vector<LoggedEvent> events = database_.Events(room);
    std::erase_if(events, [after](const LoggedEvent& event) { return event.offset <= after; });
    if (events.size() > static_cast<size_t>(limit)) events.erase(events.begin(), events.end() - limit);
    return events;
  }
  absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view room, int64_t head,
                                               int64_t since_ms) override {
    std::vector<LoggedEvent> events = database_.Events(room);
    std::erase_if(events, [&](const LoggedEvent& event) {
      return event.id.empty() || event.offset > head || event.time_ms <= since_ms;
    });
    return events;
  }
  absl::StatusOr<HistoryPage> History(const HistoryQuery&) override { return No(); }
  absl::StatusOr<int64_t> OffsetAt(std::string_view, int64_t) override { return No(); }
  absl::Status Trim(std::string_view, int64_t) override { return No(); }
  absl::StatusOr<Deletion> DeleteTrimmed(std::string_view, int, int64_t) override { return No(); }
  absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>&, std::string_view, int) override {
    return No();
  }

 private:
  static absl::Status No() { return absl::UnimplementedError("no test needs it"); }

  FakeDatabase& database_;
  const std::string name_ = "a fake";
};

}  // namespace hubbub::chat
