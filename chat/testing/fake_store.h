#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/store/store.h"
#include "services/base/mutex.h"

namespace hubbub::chat {

// What the connections of a test share: servers and slots in memory, without a log. Thread-safe.
class FakeDatabase {
 public:
  explicit FakeDatabase(int slots) {
    view_.meta = {.suite = "test", .slots = slots, .epoch = 1, .schema = 1, .oldest = 1};
    for (int i = 0; i < slots; ++i) view_.slots.push_back({.slot = i});
  }

  StoreView view() const {
    MutexLock lock(mu_);
    return view_;
  }
  // Asked before each call on any connection, with the method's name: an error is its answer.
  void Before(std::function<absl::Status(std::string_view method)> before) {
    MutexLock lock(mu_);
    before_ = std::move(before);
  }
  // Asked after each call: an error is its answer, though it was done.
  void After(std::function<absl::Status(std::string_view method)> after) {
    MutexLock lock(mu_);
    after_ = std::move(after);
  }
  // A connection was interrupted.
  void Interrupt() { interrupted_ = true; }
  bool interrupted() const { return interrupted_; }
  // Calls `change` with the tables.
  void Change(const std::function<void(StoreView&)>& change) {
    MutexLock lock(mu_);
    change(view_);
  }

  template <typename Result>
  Result Do(std::string_view method, const std::function<Result(StoreView&)>& change) {
    MutexLock lock(mu_);
    if (before_) {
      if (absl::Status status = before_(method); !status.ok()) return status;
    }
    Result result = change(view_);
    if (after_) {
      if (absl::Status status = after_(method); !status.ok()) return status;
    }
    return result;
  }

 private:
  std::atomic<bool> interrupted_ = false;
  mutable Mutex mu_;
  StoreView view_ ABSL_GUARDED_BY(mu_);
  std::function<absl::Status(std::string_view)> before_ ABSL_GUARDED_BY(mu_);
  std::function<absl::Status(std::string_view)> after_ ABSL_GUARDED_BY(mu_);
};

// A connection to a FakeDatabase. It has no log.
class FakeStore final : public Store {
 public:
  using Slots = std::vector<SlotGeneration>;

  explicit FakeStore(std::shared_ptr<FakeDatabase> database) : database_(std::move(database)) {}

  void Interrupt() override { database_->Interrupt(); }
  const std::string& name() const override { return name_; }
  int writers() const override { return 1; }

  absl::StatusOr<StoreView> Read() override {
    return Do<absl::StatusOr<StoreView>>("Read", [](StoreView& view) { return view; });
  }
  absl::Status Register(const StoredServer& server) override {
    return Do<absl::Status>("Register", [&](StoreView& view) {
      for (StoredServer& other : view.servers) other.gone |= other.id == server.id;
      view.servers.push_back(server);
      return absl::OkStatus();
    });
  }
  absl::StatusOr<bool> Renew(uint64_t incarnation) override {
    return Do<absl::StatusOr<bool>>("Renew", [&](StoreView& view) {
      StoredServer* const server = Find(view, incarnation);
      if (server == nullptr || server->gone) return false;
      ++server->beat;
      return true;
    });
  }
  absl::Status SetDraining(uint64_t incarnation, bool draining) override {
    return Do<absl::Status>("SetDraining", [&](StoreView& view) {
      if (StoredServer* const server = Find(view, incarnation)) server->draining = draining;
      return absl::OkStatus();
    });
  }
  absl::StatusOr<bool> MarkGone(uint64_t incarnation, int64_t beat) override {
    return Do<absl::StatusOr<bool>>("MarkGone", [&](StoreView& view) {
      StoredServer* const server = Find(view, incarnation);
      if (server == nullptr) return true;
      server->gone |= server->beat == beat;
      return server->gone;
    });
  }
  absl::Status Leave(uint64_t incarnation) override {
    return Do<absl::Status>("Leave", [&](StoreView& view) {
      if (StoredServer* const server = Find(view, incarnation)) server->gone = true;
      return absl::OkStatus();
    });
  }
  absl::StatusOr<Slots> Claim(uint64_t owner, const std::vector<int>& slots, int64_t heard) override {
    return Do<absl::StatusOr<Slots>>("Claim", [&](StoreView& view) {
      Slots got;
      for (const int i : slots) {
        StoredSlot& slot = view.slots[static_cast<size_t>(i)];
        const StoredServer* const before = Find(view, slot.owner);
        if (slot.owner == 0 || (before != nullptr && before->gone)) Take(slot, owner, heard, got);
      }
      return got;
    });
  }
  absl::StatusOr<Slots> TakeOver(uint64_t owner, const std::vector<SlotOffer>& offers,
                                 int64_t heard) override {
    return Do<absl::StatusOr<Slots>>("TakeOver", [&](StoreView& view) {
      Slots got;
      for (const SlotOffer& offer : offers) {
        StoredSlot& slot = view.slots[static_cast<size_t>(offer.slot)];
        if (slot.owner == offer.owner && slot.generation == offer.generation) Take(slot, owner, heard, got);
      }
      return got;
    });
  }
  absl::StatusOr<Slots> Keep(uint64_t owner, const Slots& slots) override {
    return Do<absl::StatusOr<Slots>>("Keep", [&](StoreView& view) {
      Slots got;
      for (const SlotGeneration& kept : slots) {
        StoredSlot& slot = view.slots[static_cast<size_t>(kept.slot)];
        if (slot.owner == owner && slot.generation == kept.generation) Take(slot, owner, 0, got);
      }
      return got;
    });
  }

  absl::StatusOr<AppendAnswer> Append(const AppendBatch&) override { return NoLog(); }
  absl::StatusOr<std::vector<RoomHead>> Heads(const std::vector<std::string>&) override { return NoLog(); }
  absl::StatusOr<std::vector<LoggedEvent>> Recent(std::string_view, int64_t, int) override { return NoLog(); }
  absl::StatusOr<std::vector<LoggedEvent>> Ids(std::string_view, int64_t, int64_t) override {
    return NoLog();
  }
  absl::StatusOr<HistoryPage> History(const HistoryQuery&) override { return NoLog(); }
  absl::StatusOr<int64_t> OffsetAt(std::string_view, int64_t) override { return NoLog(); }
  absl::Status Trim(std::string_view, int64_t) override { return NoLog(); }
  absl::StatusOr<Deletion> DeleteTrimmed(std::string_view, int, int64_t) override { return NoLog(); }
  absl::StatusOr<std::vector<RoomHead>> Rooms(const std::vector<int>&, std::string_view, int) override {
    return NoLog();
  }

 private:
  static absl::Status NoLog() { return absl::UnimplementedError("this store of a test has no log"); }
  static StoredServer* Find(StoreView& view, uint64_t incarnation) {
    const auto at = std::find_if(view.servers.begin(), view.servers.end(),
                                 [&](const StoredServer& s) { return s.incarnation == incarnation; });
    return at == view.servers.end() ? nullptr : &*at;
  }
  static void Take(StoredSlot& slot, uint64_t owner, int64_t heard, Slots& got) {
    slot.owner = owner;
    slot.generation = std::max(slot.generation, heard) + 1;
    got.push_back({.slot = slot.slot, .generation = slot.generation});
  }
  template <typename Result, typename Change>
  Result Do(std::string_view method, Change change) {
    return database_->Do<Result>(method, [&](StoreView& view) -> Result { return change(view); });
  }

  const std::shared_ptr<FakeDatabase> database_;
  const std::string name_ = "a store of a test";
};

}  // namespace hubbub::chat
