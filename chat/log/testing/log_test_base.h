#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "chat/log/durable_log.h"
#include "chat/log/testing/fake_database.h"
#include "chat/rooms/room_table.h"
#include "chat/testing/fake_log.h"
#include "chat/testing/fake_subscriber.h"
#include "chat/testing/fake_waiter.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "services/base/mutex.h"
#include "services/base/stable_hash.h"
#include "services/base/wait.h"

namespace hubbub::chat {

// Slots of a test, all held as generation 1 at first.
class FakeSlots final : public HeldSlots {
 public:
  static constexpr int kSlots = 16;

  FakeSlots() {
    for (auto& generation : generations) generation = 1;
  }
  int slots() const override { return kSlots; }
  int SlotOf(std::string_view room) const override { return static_cast<int>(StableHash(room) % kSlots); }
  int64_t GenerationOf(int slot) const override { return generations[static_cast<size_t>(slot)]; }

  std::array<std::atomic<int64_t>, kSlots> generations;
};

class FakeListener final : public LogListener {
 public:
  void OnSlotLost(int slot, int64_t generation) override {
    MutexLock lock(mu_);
    told_.push_back(fmt::format("lost {} as {}", slot, generation));
  }
  void OnRoomStale(std::string_view room) override {
    MutexLock lock(mu_);
    told_.push_back(fmt::format("stale {}", room));
  }
  std::vector<std::string> told() {
    MutexLock lock(mu_);
    return told_;
  }

 private:
  Mutex mu_;
  std::vector<std::string> told_ ABSL_GUARDED_BY(mu_);
};

// A table whose log is in a FakeDatabase, with the room "red" open.
class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    for (int slot = 0; slot < FakeSlots::kSlots; ++slot) database_.Claim(slot, 1);
    DurableLog::Options options;
    options.look_every = std::chrono::milliseconds(1);
    options.lanes.longest_pause = std::chrono::milliseconds(10);
    options.loader.pause = std::chrono::milliseconds(1);
    options.loader.steady_ms = options.now_ms = [this] { return now_ms_.load(); };
    options.loader.system_ms = [this] { return now_ms_ + 5'000'000 + clock_step_ms_; };
    log_ = std::make_unique<DurableLog>(std::move(options), slots_, listener_);
    RoomTable::Options rooms;
    rooms.now_ms = [this] { return now_ms_.load(); };
    rooms.room.shown_ms = [this] { return now_ms_ + 5'000'000; };
    rooms.new_epoch = [] { return uint64_t{7}; };
    rooms.log = log_.get();
    table_ = std::make_unique<RoomTable>(std::move(rooms));
    EXPECT_TRUE(log_->Start(*table_, 7,
                            [this]() -> absl::StatusOr<std::unique_ptr<Store>> {
                              return std::make_unique<FakeStore>(database_);
                            })
                    .ok());
    EXPECT_TRUE(table_->Open(LoggedRoom("red")).ok());
    EXPECT_TRUE(table_->Add("red", "ann", {a_, 1, "ann's token"}, "").ok());
    a_->Take();
  }
  ~LogTest() override { log_->Stop(); }

  void Send(const std::string& content, const std::string& id = "", const std::string& room = "red") {
    SendTicket ticket{waiter_, waiter_->Expect(content)};
    const auto sent = table_->Send(room, "ann", kEverybody, content, id, {}, nullptr, &ticket);
    ASSERT_TRUE(sent.ok()) << sent.status();
    ASSERT_TRUE(sent->pending);
  }
  // What became of the next `count` sends; fewer if they are not told in time.
  std::vector<std::string> Outcomes(size_t count) {
    (void)Eventually([&] {
      for (std::string& one : waiter_->Take()) outcomes_.push_back(std::move(one));
      return outcomes_.size() >= count;
    });
    return std::exchange(outcomes_, {});
  }
  static bool Eventually(const std::function<bool()>& done) {
    return WaitUntil(done, std::chrono::seconds(20));
  }
  // Waits until the store was asked so often.
  bool Asked(size_t count) {
    return Eventually([&] { return database_.asked().size() >= count; });
  }
  int Slot() const { return slots_.SlotOf("red"); }

  std::atomic<int64_t> now_ms_ = 1'000'000;
  std::atomic<int64_t> clock_step_ms_ = 0;  // By which somebody has set the machine's clock.
  FakeDatabase database_;
  FakeSlots slots_;
  FakeListener listener_;
  const std::shared_ptr<FakeWaiter> waiter_ = std::make_shared<FakeWaiter>();
  const std::shared_ptr<FakeSubscriber> a_ = std::make_shared<FakeSubscriber>(1);
  std::vector<std::string> outcomes_;
  std::unique_ptr<DurableLog> log_;
  std::unique_ptr<RoomTable> table_;
};

}  // namespace hubbub::chat
